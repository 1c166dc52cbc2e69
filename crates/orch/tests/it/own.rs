//! Which repository do these stories play in? A small Rust library of a person's own, and any program as the agent.

use orch_core::stage::{Role, Stage};
use orch_core::task::{Job, Rest, Step, Task};

use crate::scene::Scene;

/// The project's name and the prefix of its work items, as `orch init` finds them.
pub(crate) const PROJECT: &str = "sums";

const LIBRARY: [(&str, &str); 5] = [
    ("Cargo.toml", "[package]\nname = \"sums\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"sums\"\nversion = \"0.1.0\"\n"),
    (".gitignore", "/target\n"),
    ("src/lib.rs", "//! Sums.\n\n/// Twice as much.\npub fn twice(n: i64) -> i64 {\n    n * 2\n}\n"),
    ("tests/sums.rs", "#[test]\nfn twice() {\n    assert_eq!(sums::twice(2), 4);\n}\n"),
];

/// Stands for any agent: the prompt comes in, files go out. `{developer}` is done before the developer begins.
const AGENT: &str = r#"#!/bin/sh
set -eu
prompt=$(cat)
first=$(printf '%s\n' "$prompt" | head -n 1)
role=${first#'# You are the '}
role=${role%% of *}
item=${first##* of }
folder=docs/work-items/$item
mkdir -p "$folder"
echo "working as $role on $item"
case $role in
analyst)
    printf '%s\n' "$prompt" | grep -q 'Thrice as much' || { echo 'the prompt does not hold the request' >&2; exit 1; }
    echo 'BR-1: thrice.' > "$folder/01-brd.md"
    echo 'One function.' > "$folder/02-trz.md"
    echo 'AC-1: thrice 2 is 6.' > "$folder/03-acceptance-criteria.md"
    printf '%s\n' '- id: TC-01' '  type: unit' '  description: thrice' '  module: tests/sums.rs' '  expected: 6' > "$folder/04-test-plan.yaml"
    ;;
architect)
    mkdir -p "$folder/06-adr"
    for name in 06-adr/ADR-001-thrice.md 07-infra-requirements.md 08-data-requirements.md 10-tech-risks.md; do
        echo 'One function more.' > "$folder/$name"
    done
    ;;
developer)
    {developer}
    name=$(echo "$item" | tr 'A-Z-' 'a-z_')
    printf '\n/// Thrice as much.\npub fn %s(n: i64) -> i64 {\n    n * 3\n}\n' "$name" >> src/lib.rs
    printf '\n#[test]\nfn %s() {\n    assert_eq!(sums::%s(2), 6);\n}\n' "$name" "$name" >> tests/sums.rs
    ;;
reviewer)
    printf '%s\n' --- 'type: review' "work_item_id: $item" 'verdict: APPROVED' 'version: 1' --- '' '## Summary' '' 'Good.' > "$folder/12-review.md"
    ;;
tester)
    printf '%s\n' --- 'type: test-report' "work_item_id: $item" 'result: PASS' --- '' '## Conclusion' '' 'It holds.' > "$folder/13-test-report.md"
    ;;
*) echo "no such role: $first" >&2; exit 1 ;;
esac
echo '{"usage": {"input_tokens": 100, "output_tokens": 10}, "total_cost_usd": 0.01}'
"#;

/// The developer begins when somebody puts a file called `go` into its tree.
pub(crate) const WAITS: &str = "while [ ! -e go ]; do sleep 0.02; done; rm go";

/// A library in git, made a project by `orch init` with that agent, its policy committed.
pub(crate) fn repository(developer: &str) -> Scene {
    let scene = Scene::new("home", PROJECT);
    for (name, text) in LIBRARY {
        scene.write(&format!("{PROJECT}/{name}"), text);
    }
    scene.git(["init", "--quiet", "--initial-branch=main"]);
    scene.git(["add", "."]);
    scene.git(["commit", "--quiet", "--message=a library"]);
    let agent = scene.folder().join("agent");
    crate::stage::program(&agent, &AGENT.replace("{developer}", developer));
    scene.write("home/orch.toml", "listen = \"127.0.0.1:0\"\n");
    let said = scene.orch(["init", "--agent", agent.to_str().unwrap()]).well();
    assert!(said.contains("git add .orch"), "{said}");
    scene.git(["add", ".orch"]);
    scene.git(["commit", "--quiet", "--message=orch: how changes are delivered"]);
    scene
}

/// Asks for a change and approves what the analyst makes of it.
pub(crate) fn ask(scene: &Scene, id: &str) {
    let said = scene.orch(["new", "Thrice as much", "-d", "There should be a function for it."]).well();
    assert!(said.contains(id), "{said}");
    scene.until_task(id, "the analyst is done", |task| {
        (task.step == Step::Rest(Rest::Approval)).then_some(())
    });
    scene.orch(["approve", id]).well();
}

/// Waits for the end of a task and of all that follows from it.
pub(crate) fn delivered(scene: &Scene, id: &str) -> Task {
    let task =
        scene.until_task(id, "it is delivered", |task| (task.stage == Stage::Done).then(|| task.clone()));
    scene.until("all has followed", || scene.reader().open_effects().unwrap().is_empty().then_some(()));
    task
}

/// Waits until the developer of a task runs, in a run that begins after `after` others.
pub(crate) fn developer(scene: &Scene, id: &str, after: usize) -> orch_core::id::RunId {
    scene.until_task(id, "the developer runs", |task| match &task.step {
        Step::Running { run, job: Job::Agent(Role::Developer) } => {
            let before = task.runs.iter().filter(|row| row.job == Job::Agent(Role::Developer)).count() - 1;
            (before == after).then_some(*run)
        }
        Step::Running { .. }
        | Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Backoff { .. } => None,
    })
}
