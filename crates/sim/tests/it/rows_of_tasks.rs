//! The predecessor's promises about labels, batches, stops, sweeps and identity, told like those of `rows.rs`.

use orch_core::artefact::{self, REQUIREMENTS};
use orch_core::call::tracker::Status;
use orch_core::call::{AgentCall, Call, GitCall, TrackerCall};
use orch_core::event::Event;
use orch_core::gate::GateId;
use orch_core::gesture::Press;
use orch_core::id::{Entity, TaskId};
use orch_core::note::Note;
use orch_core::reason::{Ignored, NoEffect, Reason};
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Step, Task};
use orch_core::time::Moment;
use orch_engine::{Ack, Incoming, Target};
use orch_sim::script::told;

use crate::rows::{effects, notes, task, tells};

/// row 135: autoDeploy: Phase A continues to Phase B.
/// row 136: Neither label weakens any technical gate.
#[test]
fn labels_lift_the_human_gates_alone() {
    let mut story = tells(
        "labels",
        &[
            "1: gate said: gate check ci green, passed no",
            "1: sent back: attempt 1, from development, judge gate: check ci green, of 3, to development",
            "1 is done",
            "orch: by label: deploy: no",
            "orch: by label: deploy: yes",
        ],
    );
    let done = task(&mut story, "1");
    let passed = |gate| done.evidence.iter().any(|e| e.gate == gate);
    for gate in [
        GateId::CheckAnalysisComplete,
        GateId::CheckCiGreen,
        GateId::CheckReviewerVerdict,
        GateId::CheckTestsPassed,
        GateId::CheckDeployStatus,
    ] {
        assert!(passed(gate), "{gate}");
    }
    assert!(done.approval.expect("approved").standing && done.consent.expect("consented").standing);
}

/// row 137: Off or out of scope → no network call.
#[test]
fn labels_that_are_off_cost_nothing() {
    let mut story = tells("labels-off", &["1 in analysis, waits: approval"]);
    let asked = effects(&mut story).into_iter().any(|effect| match effect.call {
        Call::Tracker(TrackerCall::ReadComments { .. }) => true,
        Call::Tracker(TrackerCall::Comment { note, .. }) => matches!(*note, Note::ByLabel { .. }),
        _ => false,
    });
    assert!(!asked, "nothing is asked and nothing is said because of a label");
}

/// row 140: Later task's analyst job is not claimed while an earlier one is unfinished.
/// row 141: Simultaneous batch never deadlocks; the oldest runs.
/// row 145: Cancelled predecessor unblocks successors.
#[test]
fn a_serial_project_works_one_after_another() {
    tells(
        "serial-all-at-once",
        &[
            "1: created > analysis",
            "2 in created, waits: serial: behind: DEMO-001",
            "3 in created, waits: serial: behind: DEMO-001",
            "1 is done",
            "2 in analysis, waits: approval",
            "3 in created, waits: serial: behind: DEMO-002",
            "> gesture 2 stop",
            "2 is cancelled",
            "3 in analysis, waits: approval",
        ],
    );
}

/// row 142: Frozen repo blocks new starts; unfreeze endpoint clears it.
#[test]
fn a_frozen_repository_begins_nothing() {
    tells(
        "freeze-and-unfreeze",
        &[
            "1 in deploy, waits: frozen: cause person, task nothing",
            "2 in created, waits: frozen: cause person, task nothing",
            "> unfreeze",
            "repository demo: thawed",
            "2: created > analysis",
        ],
    );
}

/// row 144: Branch cut at claim from fresh main.
#[test]
fn a_branch_is_cut_when_its_turn_comes() {
    let mut story = tells(
        "serial-branch-from-fresh-main",
        &["branch feature/DEMO-001-one", "1 is done", "branch feature/DEMO-002-two"],
    );
    let (one, two) = (task(&mut story, "1"), task(&mut story, "2"));
    assert_eq!(two.branch.expect("a branch").base, one.merged.expect("merged").commit);
}

/// row 146: STOP terminates agent, cancels jobs, removes worktree and remote branch, releases lease, sets cancelled.
/// row 147: Cancelled jobs never run again, even after restart or reap.
/// row 149: main untouched; docs kept.
/// The branch goes; the task still names its last commit, and what was written is there.
#[test]
fn stop_leaves_nothing_but_what_was_written() {
    for stage in ["created", "analysis", "approval", "architecture", "development", "ci", "review", "testing"]
    {
        let name = format!("stop-in-{stage}");
        let mut story = tells(&name, &["1 is cancelled", "1 \"Add a flag\" in Cancelled"]);
        let stopped = task(&mut story, "1");
        assert_eq!((stopped.stage, stopped.lane), (Stage::Cancelled, None));
        let project = story.bench.project.clone();
        let repository = &story.bench.world.repositories[&project];
        assert_eq!(repository.branches().count(), 0, "{name}");
        assert_eq!(repository.main_was.len(), 1, "{name}");
        assert!(repository.changes().all(|(_, _, open)| !open), "{name}");
        if !["created", "analysis"].contains(&stage) {
            let head = stopped.branch.as_ref().map(|branch| &branch.head).expect("a branch was cut");
            for file in REQUIREMENTS {
                let path = format!("{}/{file}", artefact::folder(&stopped.id.item()));
                assert!(repository.file_at(head, &path).is_some(), "{name}: {path}");
            }
        }
        assert!(story.bench.world.alive().is_empty(), "{name}");
        let ran = stopped.runs.len();
        if let Some(run) = stopped.runs.last() {
            let dropped = effects(&mut story)
                .iter()
                .any(|e| matches!(&e.call, Call::Git(GitCall::DropTree { run: of }) if *of == run.run));
            assert!(dropped, "{name}: the tree of {} stays", run.run);
        }
        story.bench.crash();
        story.bench.run().expect("nothing breaks");
        assert_eq!(task(&mut story, "1").runs.len(), ran, "{name}");
    }
}

/// row 148: Natural keys tombstoned and recoverable; new start creates a fresh task.
#[test]
fn a_stopped_issue_begins_afresh() {
    let mut story = tells(
        "started-again-after-a-stop",
        &[
            "1 in review, runs agent: reviewer",
            "> press 1 \"STOP\"",
            "1 is cancelled",
            "> press 1 \"To Analyse\"",
            "1 (life 2): created > analysis",
            "1 (life 2) is done",
        ],
    );
    let second = task(&mut story, "1");
    assert_eq!((second.id.as_str(), second.stage), ("DEMO-001~2", Stage::Done));
    assert!(second.runs.iter().any(|row| row.job == Job::Agent(Role::Analyst)), "it begins at the beginning");
    let first = Entity::Task(TaskId::of(&second.id.item(), 1));
    let rows = story.bench.engine().journal().all();
    assert!(rows.iter().any(|row| row.entity == first), "the first life stays in the journal");
}

/// row 150: STOP during a live merge/deploy is deferred and applied by the finalizer.
/// row 152: Repeated STOP notifies once.
#[test]
fn stop_waits_for_what_is_irreversible() {
    tells(
        "I-28-stop-during-the-deploy",
        &[
            "1: stop deferred",
            "1: gesture without effect: press stop, why again",
            "1: healthy",
            "1: stopped",
            "1 is cancelled",
            "orch: stop deferred",
            "orch: stopped: stays: <id>",
            "> board",
        ],
    );
}

/// row 151: STOP while parked for confirmation resets immediately.
#[test]
fn stop_while_parked_is_immediate() {
    tells(
        "I-27-stop-while-parked",
        &[
            "1 in deploy, waits: confirmation: deploys: yes",
            "> press 1 \"STOP\"",
            "1: stopped",
            "1 is cancelled",
        ],
    );
}

/// row 156: Reserved jobs never spawn an agent.
#[test]
fn tests_and_hook_spawn_no_agent() {
    let mut story = tells("main-job-full", &["1 is done"]);
    let done = task(&mut story, "1");
    for effect in effects(&mut story) {
        if let Call::Agent(AgentCall::Launch(work)) = &effect.call {
            let row = done.runs.iter().find(|row| row.run == work.run).expect("a row");
            assert_eq!(row.job, Job::Agent(work.role));
        }
    }
}

/// row 169: Active job → skip.
#[test]
fn a_sweep_leaves_alone_what_waits_or_works() {
    tells(
        "needs-input-is-left-alone",
        &[
            "1 in analysis, waits: questions",
            "in sync",
            "in sync",
            "1 in analysis, runs agent: analyst",
            "in sync",
        ],
    );
}

/// row 172: Lost start, approve, reject replayed with exactly one note each.
/// row 175: Same issue+state notified once.
#[test]
fn lost_presses_are_found_once() {
    let mut story = tells(
        "I-23-lost-deliveries",
        &[
            "1: gesture taken: by board, press start",
            "1: gesture taken: by board, press approve",
            "1: gesture taken: by board, press confirm",
            "1 is done",
            "in sync",
        ],
    );
    let said = notes(&mut story);
    for (at, note) in said.iter().enumerate() {
        assert!(!said[..at].contains(note), "said twice: {note:?}");
    }
    let mut story = tells("lost-rejection", &["1: gesture taken: by board, press reject", "in sync"]);
    let back = notes(&mut story).into_iter().filter(|note| matches!(note, Note::SentBack { .. })).count();
    assert_eq!(back, 1);
}

/// row 2: done and cancelled have no outgoing transition; advancing a terminal task returns note "terminal" with no side effect.
#[test]
fn what_is_over_stays_over() {
    for name in ["main-job-library", "stop-in-review"] {
        let mut story = tells(name, &[]);
        let over = task(&mut story, "1");
        for press in [
            Press::Start,
            Press::Approve { what: None },
            Press::Confirm { what: None },
            Press::Stop,
            Press::Retry,
        ] {
            let ack = story.bench.gesture(&over.id, press.clone());
            let why = if over.stage == Stage::Cancelled { NoEffect::Stopped } else { NoEffect::Terminal };
            let why = Reason::GestureWithoutEffect { press: press.name().to_owned(), why };
            assert!(matches!(&ack, Some(Ack::Accepted { reasons, .. }) if *reasons == [why]), "{ack:?}");
        }
        assert_eq!(task(&mut story, "1"), over);
    }
}

/// row 82: Confirm Deploy for an unknown issue: warning only.
#[test]
fn a_gesture_for_nobody_is_recorded_and_nothing_else() {
    let mut story = tells("main-job-library", &[]);
    let before = story.bench.tasks();
    let ack = story.bench.gesture(&"DEMO-099".into(), Press::Confirm { what: None });
    let unknown = Reason::Ignored(Ignored::Unknown);
    assert!(matches!(&ack, Some(Ack::Accepted { reasons, .. }) if *reasons == [unknown]), "{ack:?}");
    assert_eq!(story.bench.tasks(), before);
}

/// row 118: Every human-pressable status has a press→effect test.
#[test]
fn every_column_that_means_something_does_something() {
    let mut pressed = Vec::new();
    for status in Status::ALL {
        let Some(press) = Press::of_status(status) else { continue };
        let story = match status {
            Status::ToAnalyse => "project preset=full\n> issue 1 \"Add a flag\" in \"Backlog\"\n> run",
            Status::Approved | Status::Rejected | Status::Stop => {
                "project preset=full\n> issue 1 \"Add a flag\" in \"To Analyse\"\n> run"
            }
            _ => "project preset=full\n> issue 1 \"Add a flag\" in \"To Analyse\" autoApprove\n> run",
        };
        let (_, story) = told(&format!("> {story}\n")).expect("a story");
        let mut story = story.expect("a story");
        let before = task(&mut story, "1");
        let ack = story.bench.press(&before.issue, status);
        let Some(Ack::Accepted { reasons, .. }) = ack else { panic!("{status:?}: {ack:?}") };
        let taken = Reason::GestureTaken { press: press.name().to_owned(), by: "board".to_owned() };
        assert!(reasons.contains(&taken), "{status:?}: {reasons:?}");
        assert_ne!(task(&mut story, "1").step, before.step, "{status:?}");
        pressed.push(status.board_name());
    }
    assert_eq!(pressed, ["To Analyse", "Approved", "Rejected", "Confirm Deploy", "STOP"]);
}

/// row 125: Duplicate work item id walks to the next free number.
/// row 126: Branch collision is disambiguated.
/// row 127: Concurrent reconciler and webhook create one task.
#[test]
fn names_are_never_shared() {
    let mut story = tells("I-20-equal-titles", &[]);
    let project = story.bench.project.clone();
    // Another issue with the number of the first one: a tracker that counts otherwise.
    let key = story.bench.world.tracker.create(&project, "Add a flag", "please", Status::ToAnalyse);
    story.bench.world.tracker.issues.get_mut(&key).expect("an issue").number = 1;
    let own = story.bench.world.repositories.get_mut(&project).expect("a repository");
    own.occupy("feature/DEMO-005-add-a-flag");
    story.bench.deliver(&key);
    assert_eq!(story.bench.deliver(&key), Some(Ack::Unchanged), "the sweep comes right after");
    story.bench.run().expect("nothing breaks");
    let third: Vec<Task> = story.bench.tasks().into_iter().filter(|task| task.issue == key).collect();
    assert_eq!(third.len(), 1);
    assert_eq!(third[0].id.as_str(), "DEMO-005");
    assert_eq!(third[0].branch.as_ref().expect("a branch").name, "feature/DEMO-005-add-a-flag-1-1");
}

/// row 155: Delayed jobs are not claimed early.
#[test]
fn a_wait_is_waited() {
    let text = "> project preset=library\n> issue 1 \"Add a flag\" in \"To Analyse\"\n> analyst of 1: lost\n> until 1 \"retry at\"\n";
    let mut story = told(text).expect("a story").1.expect("a story");
    let Step::Backoff { due, .. } = task(&mut story, "1").step else { panic!("it waits") };
    story.bench.now = Moment(due.0 - 1);
    story.bench.look();
    assert!(matches!(task(&mut story, "1").step, Step::Backoff { .. }));
    story.bench.now = due;
    story.bench.look();
    assert!(!matches!(task(&mut story, "1").step, Step::Backoff { .. }));
}

/// row 162: Lost claim → no side effects.
/// row 164: Reap flip touches only running rows.
#[test]
fn what_nobody_waits_for_does_nothing() {
    let mut story = tells("main-job-full", &[]);
    let rows = story.bench.engine().journal().all().to_vec();
    let before = story.bench.tasks();
    for row in &rows {
        if let Event::RunEnded(_) | Event::Granted(_) | Event::Timer(_) = &row.event {
            let again = Incoming::of(Target::Entity(row.entity.clone()), row.event.clone());
            let ack = story.bench.tell(again.keyed(format!("again/{}", row.seq)));
            let stale = Reason::Ignored(Ignored::StaleToken);
            assert!(matches!(&ack, Some(Ack::Accepted { reasons, .. }) if *reasons == [stale]), "{ack:?}");
        }
    }
    assert_eq!(story.bench.tasks(), before);
    let quiet = story.bench.engine().journal().all()[rows.len()..].iter().all(|row| row.effects.is_empty());
    assert!(quiet, "nothing is done outside");
}
