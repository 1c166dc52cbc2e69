//! The predecessor's promises that stories prove: each test tells a story of `scenarios/` and says what must be seen in
//! it.

use std::path::Path;

use orch_core::call::tracker::Status;
use orch_core::call::{AgentCall, Call, ForgeCall, GitCall, TrackerCall};
use orch_core::effect::Effect;
use orch_core::event::Event;
use orch_core::gate::GateId;
use orch_core::gesture::Press;
use orch_core::note::Note;
use orch_core::reason::{Ignored, NoEffect, Reason};
use orch_core::stage::Stage;
use orch_core::task::{Job, Step, Task};
use orch_core::time::Moment;
use orch_engine::{Ack, Incoming, Target};
use orch_sim::script::{Story, told};

/// Tells the story of a file and looks for these lines in it, in this order.
fn tells(name: &str, lines: &[&str]) -> Story {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(format!("{name}.trace"));
    let file = std::fs::read_to_string(&path).expect("a story");
    let (text, story) = told(&file).unwrap_or_else(|bad| panic!("{name}: {bad}"));
    assert_eq!(text, file, "{name} is told otherwise");
    let mut rest = text.lines().map(str::trim);
    for line in lines {
        assert!(
            rest.any(|seen| seen == *line),
            "{name}: `{line}` is not seen, or not in this order:\n{text}"
        );
    }
    story.expect("a story")
}

fn task(story: &mut Story, name: &str) -> Task {
    story.task(name).expect("a task")
}

fn effects(story: &mut Story) -> Vec<Effect> {
    story.bench.engine().journal().all().iter().flat_map(|row| row.effects.clone()).collect()
}

fn notes(story: &mut Story) -> Vec<Note> {
    let said = effects(story).into_iter().filter_map(|effect| match effect.call {
        Call::Tracker(TrackerCall::Comment { note, .. }) => Some(*note),
        _ => None,
    });
    said.collect()
}

/// row 6: On advance, the next stage's agent job is enqueued exactly once.
/// row 7: Leaving analysis stamps the BRD-review end time.
/// row 13: Human approval gate passes only after the issue was moved to Approved (or autoApprove).
/// row 55: Up-to-date branch passes without rebase.
/// row 119: Created event starts nothing.
/// row 193: Task summary per agent on done.
#[test]
fn the_main_job() {
    let mut story = tells(
        "main-job-full",
        &[
            "1 in created, waits: not asked",
            "1 in analysis, waits: approval",
            "1: gesture taken: by board, press approve",
            "1: architecture > development > review > testing > deploy-staging > deploy",
            "1 in deploy, waits: confirmation: deploys: yes",
            "1: deploy > done",
            "runs: analyst 1, architect 1, developer 1, reviewer 1, tester 1, tests 2, hook 1",
        ],
    );
    let done = task(&mut story, "1");
    assert!(done.review.started < done.review.ended, "{:?}", done.review);
    let last_run = done.runs.iter().rev().find(|row| matches!(row.job, Job::Ci(_))).expect("tests");
    assert_eq!(done.merged.expect("merged").commit, last_run.commit, "the tested head itself is merged");
    let summary = notes(&mut story).into_iter().find_map(|note| match note {
        Note::Done { roles, .. } => Some(roles),
        _ => None,
    });
    let summary = summary.expect("a summary");
    assert_eq!(summary.len(), 5);
    assert!(summary.iter().all(|(_, runs, used)| *runs == 1 && used.microdollars == Some(50_000)));
}

/// row 3: One engine function serves launcher, webhook, reconciler, reaper and finalizer [ORCH-004].
/// row 5: Advance result exposes advanced, to_stage, rolled_back_to, enqueued_agent, enqueued_job_id, qg_name, qg_passed, qg_reason, note, alerted.
#[test]
fn every_decision_is_made_by_one_function_and_says_all() {
    let mut story = tells("I-09-third-judgement-escalates", &["1: escalated: rounds spent"]);
    // Whoever told it, `decide` answers the same again for every row.
    story.bench.verify_journal_so_far().expect("the same decisions");
    let rows = story.bench.engine().journal().all().to_vec();
    let said = |wanted: &dyn Fn(&Reason) -> bool| rows.iter().any(|row| row.reasons.iter().any(wanted));
    let advanced = rows.iter().find(|row| {
        let gate = Reason::GateSaid { gate: GateId::CheckReviewerVerdict, passed: Some(true) };
        row.reasons.contains(&gate)
    });
    let advanced = advanced.expect("a review that passes");
    let to = Reason::Advanced { from: Stage::Review, to: Stage::Testing };
    assert!(advanced.reasons.contains(&to), "{:?}", advanced.reasons);
    assert!(said(&|reason| matches!(reason, Reason::RunBegan { .. })));
    assert!(said(&|r| matches!(
        r,
        Reason::SentBack { from: Stage::Review, to: Stage::Development, attempt: 2, .. }
    )));
    assert!(said(&|r| matches!(r, Reason::GateSaid { gate: GateId::CheckCiGreen, passed: Some(false) })));
    assert!(said(&|reason| matches!(reason, Reason::Escalated(_))));
}

/// row 4: With no finished agent, agent-specific rollback branches do not fire.
#[test]
fn an_old_verdict_judges_nothing() {
    tells(
        "negative-file-without-its-run",
        &[
            "1: sent back: attempt 1, from review, judge gate: check reviewer verdict, of 3, to development",
            "> sweep",
            "in sync",
            "> crash",
            "in sync",
            "1: review > testing",
            "1 is done",
        ],
    );
}

/// row 14: Analysis completeness gate checks the required files before asking for approval.
/// row 163: Non-zero exit → requeue or failed + alert.
#[test]
fn what_is_missing_is_asked_for_again() {
    tells(
        "fruitless-runs",
        &[
            "1: repeated: cause these files are missing: 01-brd.md, 02-trz.md, 03-acceptance-criteria.md, 04-test-plan.yaml, role analyst",
            "1: repeated: cause the agent ended with exit code 1, role analyst",
            "1 in analysis, waits: approval",
            "1: escalated: fruitless: cause the agent ended with exit code 1, role developer",
            "orch: escalated: stage development, why fruitless: cause the agent ended with exit code 1, role developer",
        ],
    );
}

/// row 15: CI gate passes only on a green combined commit status; red keeps/returns the task to development [PR 18].
#[test]
fn red_tests_keep_the_task_in_development() {
    tells(
        "red-tests-and-rework",
        &[
            "1: gate said: gate check ci green, passed no",
            "1: sent back: attempt 1, from development, judge gate: check ci green, of 3, to development",
            "1: development > review",
            "1 is done",
        ],
    );
}

/// row 57: main is never force-pushed.
#[test]
fn main_is_never_forced() {
    let mut story = tells("main-moves-before-the-merge", &["1: main moved", "1: merged", "1 is done"]);
    let main = story.bench.world.repositories[&story.bench.project].main_was.clone();
    let repository = &story.bench.world.repositories[&story.bench.project];
    assert_eq!(main.len(), 3, "the first, somebody's and Orch's");
    assert!(main.windows(2).all(|pair| repository.contains(&pair[1], &pair[0])));
    // Branches are written by collecting, candidates and deletion; main by one call that names what it expects there.
    for effect in effects(&mut story) {
        if let Call::Forge(ForgeCall::Merge { main: expected, .. }) = &effect.call {
            assert!(main.contains(expected));
        }
    }
}

/// row 61: Rebase conflict or red re-test → development + retry; lease released.
#[test]
fn a_conflict_gives_the_lane_back() {
    let mut story = tells(
        "conflict-five-times",
        &[
            "1: sent back: attempt 0, from testing, judge main, of 3, to development",
            "1: development > review > testing",
            "1: escalated: conflicts",
        ],
    );
    assert_eq!(task(&mut story, "1").lane, None);
    let mut story = tells(
        "red-only-with-main",
        &[
            "1: gate said: gate check ci green, passed no",
            "1: sent back: attempt 0, from testing, judge main, of 3, to development",
        ],
    );
    assert_eq!(task(&mut story, "1").lane, None);
}

/// row 65: Already-merged PR → merge step is a no-op.
/// row 66: A test proves the merge actor consults the already-merged guard.
#[test]
fn a_merge_is_looked_up_never_repeated_blindly() {
    let mut story = tells(
        "lost-answer-merge",
        &["1: merged", "1 is done", "demo: main was moved 1 times by Orch, 0 by people"],
    );
    let asked: Vec<&str> = effects(&mut story)
        .iter()
        .filter_map(|effect| match &effect.call {
            Call::Forge(ForgeCall::Merge { .. }) => Some("merge"),
            Call::Git(GitCall::Prove { .. }) => Some("look"),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["merge", "look", "look"], "looked up, and then proven");
}

/// row 78: Second Confirm Deploy is a no-op.
#[test]
fn one_press_one_deploy() {
    tells(
        "I-07-confirm-deploy-works",
        &[
            "1: gesture taken: by board, press confirm",
            "1 in deploy, runs hook",
            "1: gesture without effect: press confirm, why wrong stage: deploy",
            "1 is done",
            "the deploy hook ran 1 times",
        ],
    );
}

/// row 79: Approved on deploy: no hook, no gate run, no rollback, note approved-on-deploy-noop.
/// row 80: Confirm Deploy on another stage: no-op with log.
#[test]
fn one_gesture_one_meaning() {
    tells(
        "I-08-approved-does-not-deploy",
        &[
            "1: gesture without effect: press confirm, why wrong stage: analysis",
            "1: gesture without effect: press confirm, why wrong stage: development",
            "1 in deploy, waits: confirmation: deploys: yes",
            "1: gesture without effect: press approve, why wrong stage: deploy",
            "the deploy hook ran 0 times",
            "1: gesture taken: by board, press confirm",
            "the deploy hook ran 1 times",
        ],
    );
}

/// row 87: done requires merged PR and ancestor check [071].
#[test]
fn done_needs_the_proof() {
    let mut story = tells(
        "I-01-merge-that-is-not-in-main",
        &["1: merged", "1: escalated: unproven: cause: the merged commit is not in main, which is at <id>"],
    );
    assert_eq!(task(&mut story, "1").stage, Stage::Deploy);
}

/// row 98: Shared cap 3 across all causes, one constant.
/// row 99: At cap: stage set back, no job, Blocked, alert.
/// row 170: Escalated task skipped (Guard 1, no network).
#[test]
fn the_third_judgement_is_the_last() {
    tells(
        "I-09-third-judgement-escalates",
        &[
            "1: sent back: attempt 1, from development, judge gate: check ci green, of 3, to development",
            "1: sent back: attempt 2, from review, judge gate: check reviewer verdict, of 3, to development",
            "1: sent back: attempt 3, from testing, judge gate: check tests passed, of 3, to development",
            "1: escalated: rounds spent",
            "1 in development, waits: escalated: rounds spent",
            "1 \"Add a flag\" in Blocked",
            "> time +2d",
            "> sweep",
            "in sync",
            "1: gesture without effect: press approve, why escalated",
            "1: gesture taken: by ann, press retry",
        ],
    );
}

/// row 100: Rework text carries reviewer P0/P1 verbatim plus link [046].
/// row 101: Rework text carries test failure fragment plus link.
#[test]
fn rework_carries_the_findings() {
    let mut story = tells("I-09-third-judgement-escalates", &["1: escalated: rounds spent"]);
    let sent: Vec<_> = effects(&mut story)
        .into_iter()
        .filter_map(|effect| match effect.call {
            Call::Agent(AgentCall::Launch(work)) => work.findings,
            _ => None,
        })
        .collect();
    let files = ["docs/work-items/DEMO-001/12-review.md", "docs/work-items/DEMO-001/13-test-report.md"];
    for file in files {
        let findings = sent.iter().find(|findings| findings.link == file).expect(file);
        let text = story.bench.engine().journal().kept(&findings.text.blob).map(<[u8]>::to_vec);
        assert!(text.expect("kept").starts_with(b"NO by "), "{file} is carried verbatim");
    }
}

/// row 110: Each stage move places the issue in its column; explicit setters win.
/// row 111: Start sets Analysis; Phase A Awaiting Deploy; Phase B Deploying.
/// row 113: Approve does not pass through In Progress.
#[test]
fn the_board_follows() {
    let mut story = tells("main-job-full", &["1 \"Add a flag\" in Done"]);
    let columns: Vec<&str> = effects(&mut story)
        .iter()
        .filter_map(|effect| match &effect.call {
            Call::Tracker(TrackerCall::SetStatus { status, .. }) => Some(status.board_name()),
            _ => None,
        })
        .collect();
    assert_eq!(
        columns,
        [
            "Analysis",
            "In Review",
            "Architecture",
            "Development",
            "Code Review",
            "Testing",
            "Deploying",
            "Awaiting Deploy",
            "Deploying",
            "Done"
        ]
    );
}

/// row 114: Setters never raise.
#[test]
fn a_column_that_is_missing_stops_nothing() {
    tells(
        "a-board-without-a-column",
        &[
            "1: board refused: cause: the board has no column Architecture",
            "1 is done",
            "1 \"Add a flag\" in Done",
        ],
    );
}

/// row 116: Finish comment has tokens, cost and links to existing artefacts.
#[test]
fn a_finished_run_is_told() {
    let mut story = tells("main-job-library", &["1 is done"]);
    let mut finished = 0;
    for note in notes(&mut story) {
        if let Note::RunFinished { role, usage, files, .. } = note {
            finished += 1;
            assert_eq!(
                (usage.input, usage.output, usage.microdollars),
                (Some(1000), Some(200), Some(50_000))
            );
            let on_branch = task(&mut story, "1").artefacts;
            let exists = |file: &String| on_branch.iter().any(|a| file.ends_with(&a.name));
            assert!(files.iter().all(exists), "{role}: {files:?}");
        }
    }
    assert_eq!(finished, 5);
}

/// row 120: Start trigger creates one task; a second trigger does not.
/// row 174: No-op dispatch → no note.
#[test]
fn a_second_start_is_none() {
    let mut story = tells(
        "I-29-to-analyse-while-busy",
        &[
            "1: gesture without effect: press start, why busy",
            "1: gesture without effect: press start, why busy",
            "1: gesture without effect: press start, why busy",
        ],
    );
    assert_eq!(story.bench.tasks().len(), 1);
    let busy =
        Reason::GestureWithoutEffect { press: "start".to_owned(), why: orch_core::reason::NoEffect::Busy };
    let rows = story.bench.engine().journal().all().to_vec();
    for row in rows.iter().filter(|row| row.reasons.contains(&busy)) {
        let says = |e: &Effect| matches!(e.call, Call::Tracker(TrackerCall::Comment { .. }));
        assert!(!row.effects.iter().any(says), "row {}", row.seq);
    }
}

/// row 123: Truly empty description → Blocked with reason.
#[test]
fn too_little_is_said() {
    tells(
        "request-too-short",
        &[
            "1 in created, waits: escalated: request too short: has 6, needs 20",
            "orch: escalated: stage created, why request too short: has 6, needs 20",
            "1 \"Add a flag\" in Blocked",
        ],
    );
}

/// row 124: Analyst task file contains title and description.
/// row 128: Task title persisted.
#[test]
fn the_analyst_gets_title_and_description() {
    let mut story = tells("main-job-library", &["1 is done"]);
    let first = effects(&mut story).into_iter().find_map(|effect| match effect.call {
        Call::Agent(AgentCall::Launch(work)) => Some(work),
        _ => None,
    });
    let work = first.expect("the analyst's run");
    let kept = |story: &mut Story, digest| story.bench.engine().journal().kept(digest).map(<[u8]>::to_vec);
    assert_eq!(kept(&mut story, &work.title.blob).as_deref(), Some(b"Add a flag".as_slice()));
    assert_eq!(kept(&mut story, &work.text.blob).as_deref(), Some(b"please".as_slice()));
    let title = task(&mut story, "1").request.title;
    assert_eq!(kept(&mut story, &title.blob).as_deref(), Some(b"Add a flag".as_slice()));
}

/// row 129: Comments have no side effect, including the system's own.
/// row 168: analysis untouched by F-1.
#[test]
fn comments_control_nothing() {
    let mut story = tells("I-14-comments-do-nothing", &["> sweep", "in sync", "ann: Approved!", "ann: STOP"]);
    assert_eq!(task(&mut story, "1").stage, Stage::Analysis);
}

/// row 133: PR-merged at deploy does not complete the task.
#[test]
fn a_merge_completes_nothing() {
    tells("I-19-main-moves-while-deploying", &["in deploy, runs hook", "1: healthy", "1: deploy > done"]);
}

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
    let mut said = notes(&mut story);
    let all = said.len();
    said.dedup();
    assert_eq!(said.len(), all);
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
            let why =
                Reason::GestureWithoutEffect { press: press.name().to_owned(), why: NoEffect::Terminal };
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
    own.occupy("feature/DEMO-003-add-a-flag");
    story.bench.deliver(&key);
    assert_eq!(story.bench.deliver(&key), Some(Ack::Unchanged), "the sweep comes right after");
    story.bench.run().expect("nothing breaks");
    let third: Vec<Task> = story.bench.tasks().into_iter().filter(|task| task.issue == key).collect();
    assert_eq!(third.len(), 1);
    assert_eq!(third[0].id.as_str(), "DEMO-003");
    assert_eq!(third[0].branch.as_ref().expect("a branch").name, "feature/DEMO-003-add-a-flag-1-1");
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
