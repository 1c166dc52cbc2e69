//! What if a text cannot be read just now? Whatever needs it is tried again: only a text that is gone was erased.

use orch::compose::{Outside, perform};
use orch_core::call::agent::Assignment;
use orch_core::call::tracker::Author;
use orch_core::call::{AgentCall, Call, FailureKind, GitCall, Text, TrackerCall};
use orch_core::effect::{Effect, Line};
use orch_core::event::Outcome;
use orch_core::id::{Commit, EffectId, Entity, IssueKey, ProjectId, RunId, Seq, TaskId};
use orch_core::message::Lang;
use orch_core::note::Note;
use orch_core::record::Record;
use orch_core::stage::Role;
use orch_core::time::Span;

use crate::yard::{GREEN, PROJECT, Yard};

/// Does it while every open reader of the store is in use, so that who reads has to open one.
fn with_no_reader(outside: &Outside, readers: u32, act: &mut dyn FnMut()) {
    let taken = outside.read(|_| {
        match readers {
            0 => act(),
            more => with_no_reader(outside, more - 1, act),
        }
        Ok(())
    });
    taken.unwrap();
}

/// Proves that a record, a branch cut, a comment and a prompt whose text cannot be read just now are tried again, without
/// anything being done; and that a text which is gone stays what it is.
#[test]
fn what_cannot_be_read_is_not_erased() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let (task, head) = (TaskId::from("YARD-001"), Commit::from(yard.git(["rev-parse", "HEAD"])));
    let (text, branch) = (Text::of("gone"), "feature/YARD-001".to_owned());
    let (item, issue, run) = (task.item(), IssueKey::from("YARD#1"), RunId::new(Seq(7), 0));
    let record = Call::Git(GitCall::WriteRecord {
        record: Record::DeployLog,
        item: item.clone(),
        text: text.clone(),
        run: None,
    });
    let cut = Call::Git(GitCall::CutBranch {
        branch,
        task: task.clone(),
        item: item.clone(),
        title: text.clone(),
        text: text.clone(),
        carry: None,
    });
    let comment = Call::Tracker(TrackerCall::Comment {
        issue: issue.clone(),
        author: Author::Role(Role::Analyst),
        note: Box::new(Note::Questions { text: Some(text.clone()) }),
        language: Lang::En,
    });
    let launch = Call::Agent(AgentCall::Launch(Box::new(Assignment {
        run,
        task: task.clone(),
        item,
        issue,
        role: Role::Developer,
        agent: "worker".to_owned(),
        commit: head.clone(),
        title: text.clone(),
        text,
        base: head,
        attempt: (1, 3),
        findings: None,
        answers: false,
        limit: Span::minutes(5),
        tokens: 0,
    })));
    let hands = perform::function(yard.outside(), None);
    let kind = |call: &Call| {
        let project = ProjectId::from(PROJECT);
        let effect = Effect {
            id: EffectId::new(Seq(7), 0),
            line: Line::Git(project.clone()),
            entity: Entity::Task(task.clone()),
            project,
            call: call.clone(),
        };
        match yard.wait(hands(effect)).outcome {
            Outcome::Failed(failure) => failure.kind,
            done @ Outcome::Done(_) => panic!("{done:?}"),
        }
    };
    let (store, away) = (yard.home().store(), yard.folder().join("away"));
    with_no_reader(yard.outside(), 8, &mut || {
        std::fs::rename(&store, &away).unwrap();
        for call in [&record, &cut, &comment, &launch] {
            assert_eq!(kind(call), FailureKind::Transient, "{call:?}");
        }
        std::fs::rename(&away, &store).unwrap();
    });
    assert!(!yard.home().runs().join(run.to_string()).join("prompt.md").exists());
    assert_eq!(kind(&record), FailureKind::Permanent);
}
