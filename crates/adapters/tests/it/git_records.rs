//! The branch of records: once, again, at the origin of a person, against others who push, and with what a crash leaves.

use std::fs;

use orch_adapters::git::Hub;
use orch_core::call::{Failure, FailureKind, GitCall, GitReply, Text};
use orch_core::id::{Commit, Digest, RunId, Seq, WorkItem};
use orch_core::record::{BRANCH, Record};
use orch_core::time::Moment;

use crate::bench::{Bench, git_at_push, person, write};

const LOG: &str = "---\ndeploy_status: SUCCESS\n---\n# Deploy log\n";
const FAILED: &str = "---\ndeploy_status: FAILED\n---\n# Deploy log\n";

fn record(bench: &Bench, item: &str, text: &str) -> Result<GitReply, Failure> {
    let call = GitCall::WriteRecord {
        record: Record::DeployLog,
        item: WorkItem::from(item),
        text: Text::of(text),
        run: Some(RunId::new(Seq(41), 0)),
    };
    let kept = |digest: &Digest| {
        Ok([LOG, FAILED].into_iter().find(|t| Digest::of(t.as_bytes()) == *digest).map(Vec::from))
    };
    let artefact = |_: &str, _: &[u8], _: bool| panic!("nothing is read of a tree");
    let means = orch_adapters::git::Means {
        at: Moment(1_700_000_000_000),
        text: &kept,
        artefact: &artefact,
        secret: &|_| false,
    };
    bench.hub.perform(&call, &means).map(|answer| answer.reply)
}

fn written(bench: &Bench, item: &str, text: &str) -> Commit {
    match record(bench, item, text) {
        Ok(GitReply::RecordWritten { commit }) => commit,
        other => panic!("{other:?}"),
    }
}

/// Subjects of the branch at the origin, oldest first.
fn log(bench: &Bench) -> Vec<String> {
    let log = person(&bench.origin, &["log", "--reverse", "--format=%an: %s", BRANCH]);
    log.lines().map(str::to_owned).collect()
}

fn file(bench: &Bench, item: &str) -> String {
    person(&bench.origin, &["show", &format!("{BRANCH}:docs/work-items/{item}/14-deploy-log.md")])
}

/// row 166: Auto-commit subject names role and run id.
/// Proves also that the branch begins with the first record and appears in the person's repository, that the same record is
/// one commit however often it is written, that each other one is a commit on top, and that main does not move (decision
/// 18).
#[test]
fn git_keeps_records_on_a_branch_of_their_own() {
    let bench = Bench::new();
    let main = person(&bench.origin, &["rev-parse", "HEAD"]);
    let first = written(&bench, "ORCH-007", LOG);
    assert_eq!(written(&bench, "ORCH-007", LOG), first);
    let show = person(&bench.origin, &["show", "-s", "--format=%an|%ae|%cn|%s|%P|%at", BRANCH]);
    assert_eq!(show, "deployer|deployer@orch.invalid|Orch|deployer(ORCH-007): run r41.0||1700000000");
    assert_eq!(file(&bench, "ORCH-007"), LOG.trim_end());
    let second = written(&bench, "ORCH-008", FAILED);
    let third = written(&bench, "ORCH-008", LOG);
    assert_eq!(written(&bench, "ORCH-007", LOG), third, "it stands below the tip");
    let parents = person(&bench.origin, &["log", "--format=%H", BRANCH]);
    let all: Vec<&str> = parents.lines().collect();
    assert_eq!(all, [third.as_str(), second.as_str(), first.as_str()]);
    let names = person(&bench.origin, &["ls-tree", "-r", "--name-only", BRANCH]);
    assert_eq!(names, "docs/work-items/ORCH-007/14-deploy-log.md\ndocs/work-items/ORCH-008/14-deploy-log.md");
    assert_eq!(person(&bench.origin, &["rev-parse", "HEAD"]), main);
    assert_eq!(person(&bench.origin, &["status", "--porcelain"]), "");
    assert_eq!(bench.hub_git(&["rev-parse", BRANCH]), third.as_str(), "the hub follows");
}

/// Proves that two tasks that write at the same moment both stand, in one line of commits.
#[test]
fn git_keeps_records_of_two_tasks_at_once() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for item in ["ORCH-001", "ORCH-002"] {
            let bench = &bench;
            scope.spawn(move || {
                // Whoever was slower all the time is asked again, as the engine asks.
                for _ in 0..20 {
                    match record(bench, item, LOG) {
                        Ok(_) => return,
                        Err(failure) => assert_eq!(failure.kind, FailureKind::Transient, "{failure:?}"),
                    }
                }
                panic!("{item} never stood");
            });
        }
    });
    assert_eq!(
        (file(&bench, "ORCH-001"), file(&bench, "ORCH-002")),
        (LOG.trim_end().into(), LOG.trim_end().into())
    );
    assert_eq!(log(&bench).len(), 2, "{:?}", log(&bench));
}

/// Proves that what somebody else pushed to the branch stays, and that a branch that somebody deleted begins anew.
#[test]
fn git_writes_records_on_top_of_what_others_pushed() {
    let bench = Bench::new();
    written(&bench, "ORCH-001", LOG);
    let clone = bench.folder.path().join("clone");
    person(bench.folder.path(), &["clone", "-q", "-b", BRANCH, bench.origin.to_str().unwrap(), "clone"]);
    write(&clone, "notes.md", "by ann\n");
    person(&clone, &["add", "-A"]);
    person(&clone, &["commit", "-q", "-m", "a note"]);
    person(&clone, &["push", "-q"]);
    written(&bench, "ORCH-002", LOG);
    assert_eq!(
        log(&bench),
        [
            "deployer: deployer(ORCH-001): run r41.0",
            "A Person: a note",
            "deployer: deployer(ORCH-002): run r41.0"
        ]
    );

    person(&bench.origin, &["branch", "-q", "-D", BRANCH]);
    written(&bench, "ORCH-003", LOG);
    assert_eq!(log(&bench), ["deployer: deployer(ORCH-003): run r41.0"]);
}

/// Proves that a hand whose record is overtaken by a newer text of the same record puts nothing over it, and fails for now.
#[test]
fn git_puts_no_record_over_one_that_came_meanwhile() {
    let mut bench = Bench::new();
    let first = written(&bench, "ORCH-001", LOG);
    let newer = written(&bench, "ORCH-002", FAILED);
    let branch = format!("refs/heads/{BRANCH}");
    person(&bench.origin, &["update-ref", &branch, first.as_str()]);
    // A git that is overtaken between what the hand saw and its push.
    let origin = bench.origin.display();
    let meanwhile = format!("\"$git\" --git-dir=\"{origin}/.git\" update-ref {branch} {newer}");
    let git = git_at_push(&bench.folder.path().join("overtaken"), &meanwhile);
    bench.hub = Hub::open(git, bench.hub.bare().parent().unwrap()).unwrap();
    let overtaken = record(&bench, "ORCH-002", LOG).unwrap_err();
    assert_eq!(overtaken.kind, FailureKind::Transient, "{overtaken:?}");
    assert_eq!(file(&bench, "ORCH-002"), FAILED.trim_end());
}

/// Proves that a death at any point leaves nothing that a second try trips over: a commit that was not pushed, a push that the
/// hub never heard of.
#[test]
fn git_finds_a_record_that_was_pushed_before_a_crash() {
    let bench = Bench::new();
    let first = written(&bench, "ORCH-001", LOG);
    // Pushed, and the hub's copy did not follow.
    bench.hub_git(&["update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    assert_eq!(written(&bench, "ORCH-001", LOG), first);
    // Never pushed: the hub's copy is ahead of the origin.
    let lost =
        bench.hub_git(&["commit-tree", &format!("{BRANCH}^{{tree}}"), "-p", BRANCH, "-m", "never pushed"]);
    bench.hub_git(&["update-ref", &format!("refs/heads/{BRANCH}"), &lost]);
    written(&bench, "ORCH-002", LOG);
    assert_eq!(
        log(&bench),
        ["deployer: deployer(ORCH-001): run r41.0", "deployer: deployer(ORCH-002): run r41.0"]
    );
}

/// Proves that a checkout of the branch follows while it is clean and is never written over, that a branch in the way is told
/// for good, and that an erased text is.
#[test]
fn git_writes_no_record_over_a_persons_work() {
    let bench = Bench::new();
    written(&bench, "ORCH-001", LOG);
    person(&bench.origin, &["checkout", "-q", BRANCH]);
    written(&bench, "ORCH-002", LOG);
    let there = bench.origin.join("docs/work-items/ORCH-002/14-deploy-log.md");
    assert_eq!(fs::read_to_string(&there).unwrap(), LOG, "the checkout followed");
    fs::write(&there, "mine").unwrap();
    let refused = record(&bench, "ORCH-002", FAILED).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Transient, "{refused:?}");
    assert_eq!(fs::read_to_string(&there).unwrap(), "mine");
    person(&bench.origin, &["checkout", "-q", "-f", "trunk"]);
    written(&bench, "ORCH-002", FAILED);

    let bench = Bench::new();
    person(&bench.origin, &["branch", "orch"]);
    let refused = record(&bench, "ORCH-001", LOG).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Permanent, "{refused:?}");
    assert!(refused.cause.to_string().contains("refs/heads/orch"), "{refused:?}");
    let erased = record(&bench, "ORCH-001", "never kept").unwrap_err();
    assert_eq!(erased.kind, FailureKind::Permanent, "{erased:?}");
    assert_eq!(
        person(&bench.origin, &["for-each-ref", "--format=%(refname:short)", "refs/heads"]),
        "orch\ntrunk"
    );
}

/// Proves that only the project's own repository gets the branch: its other remotes are never pushed to (decision 43).
#[test]
fn git_pushes_records_to_no_other_remote() {
    let bench = Bench::new();
    let other = bench.folder.path().join("other.git");
    person(bench.folder.path(), &["init", "-q", "--bare", "other.git"]);
    person(&bench.origin, &["remote", "add", "upstream", other.to_str().unwrap()]);
    person(&bench.origin, &["push", "-q", "upstream", "trunk"]);
    written(&bench, "ORCH-001", LOG);
    assert_eq!(person(&other, &["for-each-ref", "--format=%(refname)"]), "refs/heads/trunk");
}
