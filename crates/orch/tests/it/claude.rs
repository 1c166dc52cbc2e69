//! Does the real Claude Code work as an agent? The program itself, unattended in the sandbox, against a model server on
//! loopback. `cargo xtask long` installs it and runs these; the gate has no place for 360 MB.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use orch_core::hold::HoldKind;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Rest, RunRow, Step, Task};
use orch_sim::http::model::{Model, Mood, Then, Turn};
use serde_json::json;

use crate::yard::{GREEN, Yard};

/// What stands in the file of the key, and nowhere else.
const KEY: &str = "sk-ant-api03-this-is-no-key-but-must-never-be-shown-000000000000";

/// The program, where `cargo xtask long` puts it.
fn program() -> PathBuf {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/claude/node_modules");
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let program = tools.join(format!("@anthropic-ai/claude-code-linux-{machine}/claude"));
    program.canonicalize().unwrap_or_else(|e| {
        panic!("{}: {e}: `cargo xtask long` installs it and runs this test", program.display())
    })
}

/// The commands with which each role does its work; the developer tries first what it may not.
fn work(prompt: &str, outside: &str, tries: &AtomicBool) -> String {
    let first = prompt.lines().find_map(|line| line.strip_prefix("# You are the ")).unwrap_or_default();
    let (role, item) = first.split_once(" of ").unwrap_or_default();
    let folder = format!("docs/work-items/{item}");
    let write =
        |name: &str, text: &str| format!("mkdir -p {folder}/06-adr; printf -- '{text}' > {folder}/{name}; ");
    match role {
        "analyst" => [
            write("01-brd.md", "BR-1: it is there.\\n"),
            write("02-trz.md", "Write it.\\n"),
            write("03-acceptance-criteria.md", "AC-1: it is there.\\n"),
            write(
                "04-test-plan.yaml",
                "- id: TC-01\\n  type: unit\\n  description: it is there\\n  module: src\\n  expected: there\\n",
            ),
        ]
        .concat(),
        "architect" => [
            write("06-adr/ADR-001.md", "A file.\\n"),
            write("07-infra-requirements.md", "None.\\n"),
            write("08-data-requirements.md", "None.\\n"),
            write("10-tech-risks.md", "None.\\n"),
        ]
        .concat(),
        "developer" if tries.swap(false, Ordering::SeqCst) => format!(
            "echo taken > {outside}; echo \"$ANTHROPIC_API_KEY\"; mkdir -p .orch; echo 'test = []' > .orch/other.toml"
        ),
        "developer" => format!("mkdir -p src; echo done > src/{item}.txt"),
        "reviewer" => write(
            "12-review.md",
            &format!("---\\ntype: review\\nwork_item_id: {item}\\nverdict: APPROVED\\nversion: 1\\n---\\n\\n## Summary\\n\\nGood.\\n"),
        ),
        "tester" => write(
            "13-test-report.md",
            &format!("---\\ntype: test-report\\nwork_item_id: {item}\\nresult: PASS\\n---\\n\\n## Conclusion\\n\\nIt is there.\\n"),
        ),
        other => panic!("no role `{other}` in {prompt}"),
    }
}

/// An installation whose agent is Claude Code, and the model that it asks.
fn yard() -> (Yard, Model) {
    let mut yard = Yard::with(&[], GREEN);
    let outside = yard.folder().join("outside").display().to_string();
    let tries = AtomicBool::new(true);
    let model = Model::start(move |prompt| Turn {
        commands: work(prompt, &outside, &tries),
        then: Then::Says("It is done.".to_owned()),
    });
    let model = model.unwrap();
    let key = yard.write("key", KEY);
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    yard.agent = format!(
        "kind = \"claude\"\nprogram = {}\n[agents.worker.env]\nANTHROPIC_BASE_URL = \"http://127.0.0.1:{}\"\n\
         [agents.worker.env_files]\nANTHROPIC_API_KEY = {}\n",
        json!(program()),
        model.port,
        json!(key),
    );
    yard.up();
    (yard, model)
}

/// What is shown of the output of a task's runs.
fn logs(yard: &Yard, task: &Task) -> String {
    let token = format!("Bearer {}", yard.token());
    let log = |run: &RunRow| {
        let head = format!("GET /api/v1/tasks/{}/log?run={}&most=1000000", task.id, run.run);
        let (status, body) = yard.http(&head, &[("authorization", &token)], b"");
        assert_eq!(status, 200, "{body}");
        body
    };
    task.runs.iter().map(|row| log(row)).collect()
}

/// Waits until the provider is why the task does not go on, and gives what it said.
fn refused(yard: &Yard, model: &Model, mood: Mood) -> (Task, String) {
    model.mood(mood);
    let id = yard.ask("Something is there");
    let task = yard.until(&id, "the provider refuses", |task| {
        let held = yard.holds(&id).iter().any(|hold| matches!(hold, HoldKind::Provider { .. }));
        (held && matches!(task.step, Step::Queued(_) | Step::Backoff { .. })).then(|| task.clone())
    });
    let said = yard.holds(&id).into_iter().find_map(|hold| match hold {
        HoldKind::Provider { cause, .. } => Some(cause.to_string()),
        _ => None, // all others
    });
    (task, said.unwrap())
}

/// Proves the main job with the real program: every role works unattended in its own tree, its tokens are counted, what it
/// writes outside its tree or its scope is not there, and the key that it printed is not shown.
#[test]
#[ignore = "needs the real Claude Code: cargo xtask long --only \"Claude Code\""]
fn claude_delivers_a_change() {
    let (yard, model) = yard();
    let id = yard.ask("Something is there");
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done, "{:?} {:?}\n{}", task.step, task.escalated, logs(&yard, &task));
    let merged = task.merged.clone().unwrap();
    assert_eq!(yard.git(["rev-parse", "main"]), merged.commit.as_str());
    assert_eq!(yard.git(["show", &format!("main:src/{}.txt", task.item)]), "done");
    assert!(!yard.folder().join("outside").exists(), "the sandbox holds");
    let files = yard.git(["ls-tree", "-r", "--name-only", "main"]);
    assert!(!files.contains(".orch/other.toml"), "a write outside the scope is undone: {files}");
    let developers = task.runs.iter().filter(|run| run.job == Job::Agent(Role::Developer)).count();
    assert_eq!((developers, task.attempts.negative), (2, 0), "it cost an attempt, and no round");
    let usage = task.usage();
    assert!(usage.full_input() >= 4 * 800 && usage.output.unwrap_or(0) >= 4 * 80, "{usage:?}");
    assert!(model.keys().iter().all(|key| key == KEY) && !model.keys().is_empty());
    let shown = logs(&yard, &task);
    assert!(
        shown.contains(&"*".repeat(KEY.len())) && !shown.contains(KEY),
        "the key was printed, and is hidden"
    );
}

/// Proves decision 11: a wrong key, a limit and an overloaded provider close the provider with what it said, and cost the
/// task no attempt.
#[test]
#[ignore = "needs the real Claude Code: cargo xtask long --only \"Claude Code\""]
fn a_refusing_provider_is_nobodys_failure() {
    for (status, kind) in
        [(401, "authentication_error"), (429, "rate_limit_error"), (529, "overloaded_error")]
    {
        let (yard, model) = yard();
        let (task, said) = refused(&yard, &model, Mood::Refuses(status, kind));
        assert_eq!((task.attempts.negative, task.attempts.fruitless), (0, 0), "{status}");
        assert!(said.contains(kind) || said.contains(&status.to_string()), "{status}: {said}");
    }
}

/// Proves decision 7: a program that waits for its model for ever is stopped by a person's word, and nothing of it lives on.
#[test]
#[ignore = "needs the real Claude Code: cargo xtask long --only \"Claude Code\""]
fn a_hanging_program_is_stopped() {
    let (yard, model) = yard();
    model.mood(Mood::Silent);
    let id = yard.ask("Something is there");
    yard.until(&id, "it asks its model", |task| (matches!(task.step, Step::Running { .. })).then_some(()));
    while model.keys().is_empty() {
        std::thread::yield_now();
    }
    yard.press(&id, "stop");
    let task =
        yard.until(&id, "it is stopped", |task| (task.step == Step::Rest(Rest::Over)).then(|| task.clone()));
    assert_eq!(task.stage, Stage::Cancelled);
    let folder = yard.folder().to_owned();
    let lives = || {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let link = |name| std::fs::read_link(entry.path().join(name)).unwrap_or_default();
            link("exe") == program() && link("cwd").starts_with(&folder)
        })
    };
    // It gets a moment to end by itself before it is killed.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while lives() && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    assert!(!lives(), "nothing of it lives on");
}
