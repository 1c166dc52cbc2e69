//! A world with something of everything: each kind of hold, long and hostile texts, logs, diffs, gates, costs.

use std::sync::Arc;

use orch_core::artefact::{Artefact, FileVerdict};
use orch_core::call::git::Candidate;
use orch_core::change::Change;
use orch_core::event::{FreezeCause, RunHow, Usage};
use orch_core::gate::{Evidence, GateId, Subject, Verdict};
use orch_core::gesture::Priority;
use orch_core::id::{Commit, Digest, ProviderId, RunId, Seq, TaskId, TimerId, Tree};
use orch_core::policy::{AgentChoice, Policy};
use orch_core::reason::Reason;
use orch_core::rework::{Attempts, Judge};
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::{
    Ask, Branch, CiOf, Consent, Delay, Deployed, Escalation, Job, Merged, Rest, ReviewClock, RunRow, Step,
    Want, Why,
};
use orch_core::time::{Moment, Span};
use orch_server::source::{DiffText, Said, Source};

use crate::memory::Memory;

pub(crate) const HOSTILE: &str = "<script>alert('x')</script> \"><img src=x onerror=alert(1)> & {{ 7*7 }}";

/// A policy with agents, so that decisions go on.
pub(crate) fn policy(prefix: &str, preset: Preset) -> Policy {
    let choice = || AgentChoice { agent: "claude".to_owned(), provider: ProviderId::from("anthropic") };
    Policy {
        prefix: prefix.to_owned(),
        preset,
        agents: Role::ALL.into_iter().map(|role| (role, choice())).collect(),
        test: vec!["cargo".to_owned(), "test".to_owned()],
        hook: true,
        probe: true,
        ..Policy::default()
    }
}

pub(crate) fn commit(n: u64) -> Commit {
    Commit::from(&Digest::of(&n.to_be_bytes()).0[..40])
}

pub(crate) fn usage(input: u64, output: u64, cache: u64, microdollars: Option<u64>) -> Usage {
    Usage {
        input: Some(input),
        output: Some(output),
        cache_read: Some(cache),
        cache_write: Some(0),
        microdollars,
    }
}

pub(crate) fn run_row(n: u64, job: Job, at: Moment) -> RunRow {
    let agent = matches!(job, Job::Agent(_)).then(|| "claude".to_owned());
    RunRow {
        run: RunId::new(Seq(n), 0),
        job,
        round: 1,
        commit: commit(n),
        agent,
        at,
        end: None,
        wall: Span(0),
        usage: Usage::default(),
        left_out: 0,
        allowed: None,
        definition: None,
        provider: None,
        lacked: None,
    }
}

/// A run that ended.
pub(crate) fn ended(memory: &Memory, task: &TaskId, n: u64, job: Job, how: RunHow, wall: Span, usage: Usage) {
    let row = run_row(n, job, memory.now());
    let run = row.run;
    memory.force(task, vec![Change::RunBegan(Arc::new(row))], vec![Reason::RunBegan { run }]);
    memory.pass(wall);
    let over = Change::RunOver { run, how, wall, usage, left_out: 0 };
    memory.force(task, vec![over], vec![Reason::RunEnded { run }]);
    memory.write_log(task, &run.to_string(), format!("run {run} of {task}\nall is said\n").as_bytes(), false);
}

pub(crate) fn rest(memory: &Memory, task: &TaskId, stage: Stage, rest: Rest) {
    step(memory, task, stage, Step::Rest(rest));
}

pub(crate) fn step(memory: &Memory, task: &TaskId, stage: Stage, step: Step) {
    let from = memory.task_now(task).map_or(Stage::Created, |task| task.stage);
    let mut changes = Vec::new();
    let mut reasons = Vec::new();
    if from != stage {
        changes.push(Change::Staged(stage));
        reasons.push(Reason::Advanced { from, to: stage });
    }
    changes.push(Change::Stepped(Box::new(step)));
    memory.force(task, changes, reasons);
}

pub(crate) fn branched(memory: &Memory, task: &TaskId, n: u64) {
    let branch = Branch {
        name: format!("feature/{task}-slug"),
        base: commit(1),
        head: commit(n),
        tree: Some(Tree(commit(n + 1).0)),
        change: Some(Digest::of(task.0.as_bytes())),
        empty: false,
        green_with: None,
        developed: None,
        pushed: false,
    };
    memory.force(task, vec![Change::Branched(branch), Change::ChangeOpened(n)], vec![]);
    let text = "diff --git a/src/main.rs b/src/main.rs\nindex 1..2 100644\n--- a/src/main.rs\n+++ b/src/main.rs\n@@ -10,6 +10,9 @@ fn main() {\n     let args = Args::parse();\n-    println!(\"{}\", report(&args));\n+    let report = report(&args);\n+    if args.json {\n+        return println!(\"{}\", json::to_string(&report));\n+    }\n+    println!(\"{report}\");\n }\n \n fn report(args: &Args) -> Report {\ndiff --git a/tests/json.rs b/tests/json.rs\nnew file mode 100644\n--- /dev/null\n+++ b/tests/json.rs\n@@ -0,0 +1,4 @@\n+#[test]\n+fn a_report_is_json() { // <b>not bold</b>\n+    assert!(run(&[\"--json\"]).starts_with('{'));\n+}\n";
    let diff = DiffText {
        base: commit(1).to_string(),
        head: commit(n).to_string(),
        text: text.to_owned(),
        cut: false,
    };
    memory.world().diffs.insert(task.clone(), diff);
}

pub(crate) fn files(memory: &Memory, task: &TaskId, names: &[(&str, Option<FileVerdict>)]) {
    let mut all = Vec::new();
    for (name, verdict) in names {
        let text = format!(
            "---\nwork_item: {task}\n---\n# {name}\n\nThe report gets a **machine** form.\n\n| Case | Result |\n|---|---|\n| `--json` | one object |\n| no flag | as before |\n\n- [x] documented\n- <script>alert(1)</script>\n"
        );
        let digest = Digest::of(text.as_bytes());
        memory.world().files.insert((task.clone(), (*name).to_owned()), text.into_bytes());
        all.push(Artefact {
            name: (*name).to_owned(),
            digest,
            fresh: true,
            verdict: verdict.clone(),
            excerpt: None,
        });
    }
    memory.force(task, vec![Change::Artefacts(all.into())], vec![]);
}

const REQUIREMENTS: [(&str, Option<FileVerdict>); 5] = [
    ("00-business-request.md", None),
    ("01-brd.md", None),
    ("02-trz.md", None),
    ("03-acceptance-criteria.md", None),
    ("04-test-plan.yaml", None),
];

/// The whole sample.
pub(crate) fn sample() -> Arc<Memory> {
    let memory = Memory::new();
    let m = &*memory;
    m.project("site", policy("SITE", Preset::Full));
    m.project("tools", policy("TOOLS", Preset::Library));
    let m5 = || m.pass(Span::minutes(7));

    // Delivered.
    for (n, title) in
        [(1, "Serve the health page"), (2, "Log requests as JSON"), (3, "Времена в журнале — в UTC")]
    {
        let task = m.issue("site", n, title, "");
        branched(m, &task, n * 100);
        files(m, &task, &REQUIREMENTS);
        ended(
            m,
            &task,
            n * 100,
            Job::Agent(Role::Developer),
            RunHow::Exited { code: 0 },
            Span::minutes(6),
            usage(40_000, 9_000, 310_000, Some(640_000)),
        );
        let merged = Merged {
            branch: None,
            commit: commit(n * 100 + 9),
            tree: Tree(commit(5).0),
            at: m.now(),
            proven: true,
            change_request: Some(n),
        };
        let deployed = Deployed {
            commit: commit(n * 100 + 9),
            hook: Some(0),
            healthy: Some(true),
            seen_by: None,
            with: None,
            at: m.now(),
        };
        m.force(
            &task,
            vec![Change::Merged(merged), Change::Deployed(deployed)],
            vec![Reason::Proven, Reason::Healthy],
        );
        rest(m, &task, Stage::Done, Rest::Over);
        m5();
    }

    // Waits for Confirm Deploy.
    let task = m.issue("site", 4, "Search answers within 50 ms on the largest customer", "The search page takes **two seconds** on the largest customer.\n\n- keep the order of results\n- no new dependency");
    branched(m, &task, 400);
    ended(
        m,
        &task,
        401,
        Job::Agent(Role::Analyst),
        RunHow::Exited { code: 0 },
        Span::minutes(4),
        usage(22_000, 6_100, 140_000, Some(310_000)),
    );
    ended(
        m,
        &task,
        402,
        Job::Agent(Role::Architect),
        RunHow::Exited { code: 0 },
        Span::minutes(5),
        usage(31_000, 7_400, 180_000, Some(420_000)),
    );
    ended(
        m,
        &task,
        403,
        Job::Agent(Role::Developer),
        RunHow::Exited { code: 0 },
        Span::minutes(12),
        usage(88_000, 21_000, 900_000, Some(1_910_000)),
    );
    ended(
        m,
        &task,
        404,
        Job::Ci(CiOf::Head),
        RunHow::Exited { code: 101 },
        Span::seconds(48),
        Usage::default(),
    );
    ended(
        m,
        &task,
        405,
        Job::Agent(Role::Developer),
        RunHow::Exited { code: 0 },
        Span::minutes(7),
        usage(61_000, 12_000, 640_000, None),
    );
    ended(
        m,
        &task,
        406,
        Job::Ci(CiOf::Head),
        RunHow::Exited { code: 0 },
        Span::seconds(52),
        Usage::default(),
    );
    ended(
        m,
        &task,
        407,
        Job::Agent(Role::Reviewer),
        RunHow::Exited { code: 0 },
        Span::minutes(3),
        usage(45_000, 4_200, 220_000, Some(380_000)),
    );
    ended(
        m,
        &task,
        408,
        Job::Agent(Role::Tester),
        RunHow::Exited { code: 0 },
        Span::minutes(6),
        usage(52_000, 6_600, 330_000, Some(520_000)),
    );
    ended(
        m,
        &task,
        409,
        Job::Ci(CiOf::Candidate),
        RunHow::Exited { code: 0 },
        Span::seconds(50),
        Usage::default(),
    );
    let mut all = REQUIREMENTS.to_vec();
    all.push(("06-adr/ADR-001-index.md", None));
    all.push(("12-review.md", Some(FileVerdict::Positive)));
    all.push(("13-test-report.md", Some(FileVerdict::Negative)));
    files(m, &task, &all);
    let findings = m.keep("---- search::order_is_kept stdout ----\nassertion `left == right` failed: order of equal ranks\n  left: [3, 1, 2]\n right: [1, 2, 3]\n\ntest result: FAILED. 41 passed; 1 failed\n");
    let judged = |gate, verdict, run: u64| {
        Change::Judged(Arc::new(Evidence {
            gate,
            subject: Subject::Tree(Tree(commit(run).0)),
            definition: Digest::of(b"cargo test"),
            verdict,
            run: Some(RunId::new(Seq(run), 0)),
            commit: Some(commit(run)),
            attempt: Some(1),
            at: m.now(),
        }))
    };
    m.force(
        &task,
        vec![judged(GateId::CheckCiGreen, Verdict::Fail { findings: findings.into() }, 404)],
        vec![
            Reason::GateSaid { gate: GateId::CheckCiGreen, passed: Some(false) },
            Reason::SentBack {
                from: Stage::Development,
                to: Stage::Development,
                judge: Judge::Gate(GateId::CheckCiGreen),
                attempt: 1,
                of: 3,
            },
        ],
    );
    m.force(
        &task,
        vec![
            judged(GateId::CheckCiGreen, Verdict::Pass, 406),
            Change::Attempted(Attempts { negative: 1, ..Attempts::default() }),
        ],
        vec![Reason::GateSaid { gate: GateId::CheckCiGreen, passed: Some(true) }],
    );
    m.force(&task, vec![judged(GateId::CheckReviewerVerdict, Verdict::Pass, 407)], vec![]);
    m.force(
        &task,
        vec![judged(
            GateId::CheckStagingStatus,
            Verdict::Unavailable { cause: "the staging host did not answer within 30 s".to_owned() },
            409,
        )],
        vec![],
    );
    let candidate = Candidate {
        commit: commit(409),
        tree: Tree(commit(410).0),
        main: commit(2),
        change: Digest::of(task.0.as_bytes()),
    };
    let approval = Consent { what: Digest::of(b"r"), by: "ada".to_owned(), at: m.now(), standing: false };
    let clock = ReviewClock {
        started: Some(Moment(m.now().0 - 3_000_000)),
        ended: Some(Moment(m.now().0 - 2_400_000)),
    };
    m.force(
        &task,
        vec![
            Change::CandidateBuilt(Some(candidate)),
            Change::Approved(Some(approval)),
            Change::ReviewClock(clock),
        ],
        vec![],
    );
    rest(m, &task, Stage::Deploy, Rest::Confirmation);
    m.world().said.insert(
        task.clone(),
        vec![
            Said {
                by: "analyst".to_owned(),
                own: true,
                at: m.now(),
                text: "The requirements are ready: `01-brd.md` ... `04-test-plan.yaml`.".to_owned(),
            },
            Said {
                by: "ada".to_owned(),
                own: false,
                at: m.now(),
                text: "Please keep the order for equal ranks.".to_owned(),
            },
        ],
    );
    m5();

    // Waits for approval.
    let task = m.issue("site", 5, "Add a --json flag to the report command", "So that scripts can read it.");
    branched(m, &task, 500);
    ended(
        m,
        &task,
        501,
        Job::Agent(Role::Analyst),
        RunHow::Exited { code: 0 },
        Span::minutes(3),
        usage(21_000, 5_000, 90_000, Some(240_000)),
    );
    files(m, &task, &REQUIREMENTS);
    rest(m, &task, Stage::Analysis, Rest::Approval);
    m5();

    // Hostile, and asks questions.
    let task = m.issue("site", 6, HOSTILE, HOSTILE);
    rest(m, &task, Stage::Analysis, Rest::Questions);
    m.world().said.insert(
        task.clone(),
        vec![Said { by: HOSTILE.to_owned(), own: false, at: m.now(), text: HOSTILE.to_owned() }],
    );
    m5();

    // Works, with a growing log.
    let task = m.issue("site", 7, "Import customers from the old database without stopping the shop, in batches, with a report of what was left out and why", "");
    branched(m, &task, 700);
    ended(
        m,
        &task,
        701,
        Job::Agent(Role::Analyst),
        RunHow::Exited { code: 0 },
        Span::minutes(5),
        usage(30_000, 7_000, 130_000, Some(350_000)),
    );
    let live = run_row(702, Job::Agent(Role::Developer), m.now());
    let running = Step::Running { run: live.run, job: live.job };
    m.force(
        &task,
        vec![
            Change::RunBegan(Arc::new(live)),
            Change::Attempted(Attempts { negative: 2, ..Attempts::default() }),
            Change::Prioritised(Priority::Urgent),
        ],
        vec![],
    );
    step(m, &task, Stage::Development, running);
    m.write_log(&task, "r702.0", b"\x1b[1mReading\x1b[0m docs/work-items/SITE-007/02-trz.md\nEditing src/import.rs\n\x07bell \xff\xfe not UTF-8\n", true);
    m.pass(Span::minutes(3));

    // Escalated, frozen lane, queue, retry, tests.
    let task = m.issue(
        "site",
        8,
        "Попробовать новый формат выгрузки, чтобы отчёты открывались в любой программе",
        "",
    );
    branched(m, &task, 800);
    m.force(
        &task,
        vec![
            Change::Escalated(Some(Escalation { at: m.now(), why: Why::RoundsSpent })),
            Change::Attempted(Attempts { negative: 3, ..Attempts::default() }),
        ],
        vec![Reason::Escalated(Why::RoundsSpent)],
    );
    rest(m, &task, Stage::Review, Rest::Escalated);
    let task = m.issue("site", 9, "検索結果のページ送りを直す", "");
    step(m, &task, Stage::Review, Step::Queued(Want::Agent(Role::Reviewer)));
    let task = m.issue("site", 10, "Session cookies survive a restart", "");
    branched(m, &task, 1000);
    let due = m.now().after(Span::minutes(4));
    step(
        m,
        &task,
        Stage::Testing,
        Step::Backoff {
            timer: TimerId::new(Seq(1), 0),
            due,
            ask: Ask::Merge,
            tries: 2,
            cause: Delay::CheckoutDirty {
                path: "/home/ada/site".to_owned(),
                branch: Some("trunk".to_owned()),
            },
        },
    );
    let task = m.issue("site", 11, "Rate-limit the login form", "");
    branched(m, &task, 1100);
    let live = run_row(1101, Job::Ci(CiOf::Head), m.now());
    let running = Step::Running { run: live.run, job: live.job };
    m.force(&task, vec![Change::RunBegan(Arc::new(live))], vec![]);
    step(m, &task, Stage::Development, running);
    m.pass(Span::seconds(30));
    let long = "Averyveryverylongwordwithoutanyspaceinitthatcouldbreakthelayoutofanycolumn".repeat(3);
    let task = m.issue("tools", 1, &long, "");
    rest(m, &task, Stage::Created, Rest::Start);
    for n in 2..=24 {
        let task = m.issue("tools", n, &format!("Small thing number {n}"), "");
        rest(m, &task, Stage::Created, Rest::Start);
    }
    let frozen = Change::Frozen { cause: FreezeCause::DeployFailed, task: None };
    let entity = orch_core::id::Entity::Repository("tools".into());
    let state = orch_core::apply::apply(None, &entity, (Seq(1), m.now()), &[frozen]);
    if let Some(state) = state {
        let mut world = m.world();
        world.board.note(&entity, &state);
        world.states.insert(entity, (Seq(1), state));
    }
    memory
}
