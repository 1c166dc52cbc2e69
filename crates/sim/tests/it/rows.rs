//! The predecessor's promises that stories prove: each test tells a story of `scenarios/` and says what must be seen in
//! it.

use std::path::Path;

use orch_core::call::{AgentCall, Call, ForgeCall, GitCall, TrackerCall};
use orch_core::effect::Effect;
use orch_core::gate::GateId;
use orch_core::note::Note;
use orch_core::reason::Reason;
use orch_core::said::Found;
use orch_core::stage::Stage;
use orch_core::task::{Job, Task};
use orch_sim::script::{Story, told};

/// Tells the story of a file and looks for these lines in it, in this order.
pub(crate) fn tells(name: &str, lines: &[&str]) -> Story {
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

pub(crate) fn task(story: &mut Story, name: &str) -> Task {
    story.task(name).expect("a task")
}

pub(crate) fn effects(story: &mut Story) -> Vec<Effect> {
    story.bench.engine().journal().all().iter().flat_map(|row| row.effects.clone()).collect()
}

pub(crate) fn notes(story: &mut Story) -> Vec<Note> {
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
        &["1: merged", "1 is done", "demo: moves of main: 1 by Orch, 0 by people"],
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
            "runs of the deploy hook: 1",
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
            "runs of the deploy hook: 0",
            "1: gesture taken: by board, press confirm",
            "runs of the deploy hook: 1",
        ],
    );
}

/// row 87: done requires merged PR and ancestor check [071].
#[test]
fn done_needs_the_proof() {
    tells(
        "I-01-merge-that-is-not-in-main",
        &[
            "1: merged",
            "1: escalated: unproven: cause: the merged commit is not in main, which is at <id>",
            "runs of the deploy hook: 0",
            "1: proven",
            "1: deploy > done",
        ],
    );
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
        let Found::Kept(named) = &findings.text else { panic!("{findings:?}") };
        let text = story.bench.engine().journal().kept(&named.blob).map(<[u8]>::to_vec);
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
