//! What Orch writes down about a deploy (decision 18), told like the stories of `rows.rs`.

use orch_core::artefact::FileVerdict;
use orch_core::call::{Call, GitCall};
use orch_core::change::Change;
use orch_core::frontmatter;
use orch_core::gate::{GateId, Verdict};
use orch_core::id::Digest;
use orch_core::record::Record;
use orch_core::stage::Stage;
use orch_sim::script::Story;

use crate::rows::{effects, task, tells};

/// The texts that were written down, in order: status, exit code and author of each.
fn logs(story: &mut Story) -> Vec<[String; 3]> {
    let journal = story.bench.engine().journal();
    let texts: Vec<Digest> = journal
        .all()
        .iter()
        .flat_map(|row| &row.changes)
        .filter_map(|change| match change {
            Change::Recorded { record: Record::DeployLog, text, .. } => Some(text.blob.clone()),
            _ => None,
        })
        .collect();
    let read = |digest: &Digest| {
        let file = journal.kept(digest).expect("kept in the journal");
        let front = frontmatter::parse(file).expect("frontmatter").front;
        ["deploy_status", "hook_exit_code", "deployed_by"].map(|key| front.get(key).unwrap_or("-").to_owned())
    };
    texts.iter().map(read).collect()
}

/// row 83: Finalizer maps hook 0→SUCCESS, else FAILED, writes 14-deploy-log, feeds the engine.
/// row 24: Deploy gate lookup: worktree, then origin/main, then not found; fetch error degrades to not found.
#[test]
fn a_deploy_is_written_down_and_read_back() {
    let mut story = tells(
        "record-hook-codes",
        &[
            "14-deploy-log.md: negative, stands on its branch, 1 commits",
            "14-deploy-log.md: positive, stands on its branch, 2 commits",
            "2: escalated: rollback failed",
            "14-deploy-log.md: negative, stands on its branch, 1 commits",
            "3 in deploy, waits: cannot tell: cause: the service does not say who it is: nothing answers",
            "nothing was written down",
            "14-deploy-log.md: positive, stands on its branch, 1 commits",
            "sound",
        ],
    );
    let log = |status: &str, code: &str| [status.to_owned(), code.to_owned(), "deployer".to_owned()];
    assert_eq!(
        logs(&mut story),
        [
            log("FAILED", "1"),
            log("SUCCESS", "0"),
            log("FAILED", "2"),
            // Mended by hand and asked for again: the service is well, whatever the hook said.
            log("SUCCESS", "2"),
            log("SUCCESS", "unknown"),
        ]
    );
    for name in ["1", "2", "3"] {
        let done = task(&mut story, name);
        let gate = done.evidence.iter().rev().find(|e| e.gate == GateId::CheckDeployStatus).expect("judged");
        assert_eq!((done.stage, &gate.verdict), (Stage::Done, &Verdict::Pass), "{name}");
        assert_eq!(done.records[0].verdict, FileVerdict::Positive, "{name}");
    }
}

/// row 25: A worktree deploy log short-circuits the origin/main lookup.
/// Proves what holds instead: no agent may write the deploy log of its work item, and none is looked for in a tree.
#[test]
fn no_agent_writes_a_deploy_log() {
    use orch_core::id::WorkItem;
    use orch_core::policy::Policy;
    use orch_core::stage::Role;
    for role in Role::ALL {
        let scope = Policy::default().scope(role, &WorkItem::from("DEMO-001"));
        let denied =
            |path: &str| scope.denied.iter().any(|glob| glob == path || glob == "docs/work-items/**");
        assert!(denied("docs/work-items/DEMO-001/14-deploy-log.md"), "{role}: {scope:?}");
    }
}

/// Proves that the record is wanted by the decision that reads the deploy's outcome, in a line of its own, and that its answer
/// moves no task: done is done before it stands.
#[test]
fn a_record_holds_nobody_up() {
    let mut story = tells(
        "record-outage",
        &["1 is done", "14-deploy-log.md: positive, does not stand on its branch, 0 commits", "sound"],
    );
    let written: Vec<_> = effects(&mut story)
        .into_iter()
        .filter(|e| matches!(e.call, Call::Git(GitCall::WriteRecord { .. })))
        .collect();
    assert_eq!(written.len(), 1, "{written:?}");
    let wanted = written[0].clone();
    assert_eq!(wanted.line.to_string(), "records/demo");
    let rows = story.bench.engine().journal().all();
    let row = rows.iter().find(|row| row.effects.contains(&wanted)).expect("a row");
    assert!(row.changes.contains(&Change::Staged(Stage::Done)), "{row:?}");
}
