//! Does a person's own repository get its changes, whatever is in its checkout meanwhile?

use orch_core::stage::Stage;
use orch_core::task::{Delay, Step};

use crate::scene::Scene;
use crate::{facts, own};

fn holds_for_the_checkout(scene: &Scene, id: &str) {
    scene.until_task(id, "the merge waits", |task| match &task.step {
        Step::Backoff { cause: Delay::CheckoutDirty { .. }, .. } => Some(()),
        Step::Backoff { .. }
        | Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. } => None,
    });
}

/// Proves the main job in a repository of a person's own, with any command as the agent: `init`, `up`, `new`, `approve`; the
/// change is merged into main, and a clean checkout of main has it in its files. With changes in the checkout the merge
/// holds, says so, and touches nothing; cleaned, it goes through (decision 43).
#[test]
fn a_persons_own_repository() {
    let scene = own::repository("");
    let brain = scene.up(&[]);
    own::ask(&scene, "SUMS-001");
    let task = own::delivered(&scene, "SUMS-001");
    assert_eq!(scene.git(["rev-parse", "HEAD"]), task.merged.unwrap().commit.as_str());
    assert_eq!(scene.git(["status", "--porcelain"]), "");
    let library = scene.repository().join("src/lib.rs");
    let text = std::fs::read_to_string(&library).unwrap();
    assert!(text.contains("pub fn sums_001"), "{text}");
    let diff = scene.orch(["diff", "sums-1"]).well();
    assert!(diff.contains("+pub fn sums_001"), "{diff}");

    let head = scene.git(["rev-parse", "HEAD"]);
    std::fs::write(&library, format!("{text}\n// a thought of mine\n")).unwrap();
    own::ask(&scene, "SUMS-002");
    holds_for_the_checkout(&scene, "SUMS-002");
    let why = scene.orch(["why", "sums-2"]).well();
    assert!(why.contains("our checkout of main has changes"), "{why}");
    assert_eq!(scene.git(["rev-parse", "HEAD"]), head, "main did not move");
    let now = std::fs::read_to_string(&library).unwrap();
    assert!(now.ends_with("// a thought of mine\n") && !now.contains("sums_002"), "{now}");

    scene.git(["checkout", "--quiet", "--", "."]);
    own::delivered(&scene, "SUMS-002");
    let now = std::fs::read_to_string(&library).unwrap();
    assert!(now.contains("pub fn sums_001") && now.contains("pub fn sums_002"), "{now}");
    let shown = scene.orch(["show", "sums-2", "--json"]).json();
    assert_eq!(shown["stage"], Stage::Done.name(), "{shown}");
    brain.stop(&scene);
    facts::of_delivered(&scene, own::PROJECT, "SUMS-002");
    assert_eq!(scene.processes(), [] as [String; 0]);
}
