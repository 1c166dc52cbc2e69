//! Does the demo deliver, and does each way of spoiling it end in the hold that a person expects?

use orch_core::call::tracker::Status;
use orch_core::id::{Entity, ProjectId};
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Delay, Rest, Step, Task, Why};

use crate::facts;
use crate::scene::Scene;

const TASK: &str = "DEMO-001";

fn scene() -> Scene {
    Scene::new("demo/home", "demo/repository")
}

/// Plays the demo to its end; its exit code and what it printed.
fn once(scene: &Scene, more: &[&str]) -> (Option<i32>, String) {
    let workspace = scene.folder().join("demo");
    let mut typed = vec!["demo", "--once", "--workspace", workspace.to_str().unwrap()];
    typed.extend(more);
    scene.start(&typed).wait(scene)
}

fn spoiled(step: &str) -> (Scene, Task) {
    let scene = scene();
    let (code, said) = once(&scene, &["--spoil", step]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("held DEMO-001"), "{said}");
    assert!(!said.contains(") ("), "a bracket after a bracket: {said}");
    facts::folded(&scene);
    assert_eq!(scene.processes(), [] as [String; 0], "nothing of the demo is left");
    let task = scene.task(TASK).unwrap();
    (scene, task)
}

/// Proves the main job in one command: an issue becomes a merged, deployed, health-checked change, the journal folded again
/// gives the states, everything was done once, and no process is left. What stands in main afterwards is there by a verdict
/// for exactly its tree, and a commit that somebody adds without one is found.
#[test]
fn the_demo_delivers() {
    let scene = scene();
    let (code, said) = once(&scene, &[]);
    assert_eq!(code, Some(0), "{said}");
    for part in ["done DEMO-001", "merged", "deployed", "\"Hello!\"", "\"Hello, Ada!\"", "attempt 2/3"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("the developer works, scripted (run r"), "{said}");
    assert!(!said.contains(") ("), "a bracket after a bracket: {said}");
    assert_eq!(scene.processes(), [] as [String; 0], "nothing of the demo is left");
    let task = scene.task(TASK).unwrap();
    assert_eq!((task.stage, task.board.shows), (Stage::Done, Some(Status::Done)));
    let merged = task.merged.unwrap();
    assert_eq!(scene.git(["rev-parse", "main"]), merged.commit.as_str());
    let wanted = facts::wanted(&facts::folded(&scene));
    for kind in ["git/cut_branch", "forge/open_change", "forge/merge", "git/prove", "deploy/hook"] {
        assert_eq!(wanted[kind], 1, "{kind}");
    }
    let verified = scene.orch(["replay", "--verify"]).well();
    assert!(verified.contains("chain and hashes hold"), "{verified}");

    let audited = scene.orch(["audit"]).well();
    assert!(audited.contains("1 commit since Orch's first merge, each with a passing verdict"), "{audited}");
    scene.git(["commit", "--quiet", "--allow-empty", "-m", "past the gates"]);
    let audited = scene.orch(["audit", "--json"]);
    assert_eq!(audited.code, 1, "{}", audited.out);
    let audited: serde_json::Value = serde_json::from_str(&audited.out).unwrap();
    assert_eq!(audited["projects"][0]["gaps"][0]["gap"], "not_by_orch", "{audited}");
    assert_eq!(audited["projects"][0]["gaps"][1], serde_json::Value::Null, "{audited}");
}

/// Proves that lasting red tests end in an escalation in development, after three rounds and without a merge.
#[test]
fn spoiled_tests_escalate() {
    let (scene, task) = spoiled("ci");
    assert_eq!((task.stage, &task.step), (Stage::Development, &Step::Rest(Rest::Escalated)));
    assert_eq!(task.escalated.unwrap().why, Why::RoundsSpent);
    assert_eq!((task.attempts.negative, task.merged), (3, None));
    assert_eq!(scene.git(["log", "--format=%s", "main"]).lines().count(), 1, "main is untouched");
}

/// Proves the same for a reviewer who is never content.
#[test]
fn a_spoiled_review_escalates() {
    let (_scene, task) = spoiled("review");
    assert_eq!(task.step, Step::Rest(Rest::Escalated));
    assert_eq!(task.escalated.unwrap().why, Why::RoundsSpent);
    assert_eq!((task.attempts.negative, task.merged), (3, None));
}

/// Proves that a deploy which names another commit freezes the repository, and that `why` tells the freeze beside what the
/// task waits for (decision 4).
#[test]
fn a_spoiled_deploy_freezes() {
    let (scene, task) = spoiled("health");
    assert!(task.earlier_merges.len() + usize::from(task.merged.is_some()) == 1, "the merge stands");
    let repository = Entity::Repository(ProjectId::from(orch::demo::PROJECT));
    let kept = scene.reader().state(&repository).unwrap().unwrap();
    let State::Repository(repository) = kept.state else { panic!("{kept:?}") };
    assert!(!repository.freezes.is_empty(), "{repository:?}");
    let why = scene.orch(["why", TASK]).well();
    let mut lines = why.lines();
    assert!(lines.next().unwrap().contains("All 3 attempts were turned down"), "{why}");
    assert!(
        lines.next().unwrap().starts_with("also: Waits because nothing merges in this repository"),
        "{why}"
    );
}

/// Proves decision 43 in the demo: with changes in the checkout of main the merge waits and touches nothing; cleaned, it goes
/// through, in another process than the one that began the story. Whoever cleaned it need not wait: the hold names the command
/// that makes it try at once (decision 70).
#[test]
fn a_spoiled_merge_waits_for_the_person() {
    let (scene, task) = spoiled("merge");
    assert_eq!((task.stage, task.merged.clone()), (Stage::Deploy, None));
    let is_dirty =
        |task: &Task| matches!(&task.step, Step::Backoff { cause: Delay::CheckoutDirty { .. }, .. });
    assert!(is_dirty(&task), "{:?}", task.step);
    assert_eq!(scene.git(["status", "--porcelain"]), " M src/lib.rs");

    let brain = scene.up(&[]);
    let named = format!("`orch retry {TASK}`");
    scene
        .until("the hold names the command", || scene.orch(["why", TASK]).out.contains(&named).then_some(()));
    scene.git(["checkout", "--quiet", "--", "."]);
    // The next try may have come by itself by now.
    let _ = scene.orch(["retry", TASK]);
    scene.until_task(TASK, "the merge goes through", |task| (task.stage == Stage::Done).then_some(()));
    scene.until("the board follows", || scene.reader().open_effects().unwrap().is_empty().then_some(()));
    brain.stop(&scene);
    facts::of_delivered(&scene, orch::demo::PROJECT, TASK);
}

/// Proves that a person can approve and confirm the demo by the command line, that it stays up to be looked at, and that
/// `--stop` ends brain and service, each by pid and start time.
#[test]
fn the_demo_stays_up_until_it_is_stopped() {
    let scene = scene();
    let workspace = scene.folder().join("demo");
    let typed = ["demo", "--ask", "--workspace", workspace.to_str().unwrap()];
    let demo = scene.start(&typed);
    for (rest, gesture) in [(Rest::Approval, "approve"), (Rest::Confirmation, "confirm")] {
        let waits = |task: &Task| (task.step == Step::Rest(rest.clone())).then_some(());
        scene.until_task(TASK, gesture, waits);
        scene.orch([gesture, "demo-1"]).well();
    }
    scene.until_task(TASK, "the demo delivers", |task| (task.stage == Stage::Done).then_some(()));
    let shown = scene.orch(["why", TASK]).well();
    assert!(shown.contains("DEMO-001"), "{shown}");
    assert_eq!(scene.services().len(), 1);
    let stopped = scene.orch(["demo", "--stop", "--workspace", workspace.to_str().unwrap()]).well();
    assert!(stopped.contains("the demo has ended"), "{stopped}");
    let (code, said) = demo.wait(&scene);
    assert_eq!(code, Some(0), "{said}");
    // What a hand was asking of git when the brain ended ends by itself.
    scene.until("all of it is gone", || scene.processes().is_empty().then_some(()));
    let again = scene.orch(["demo", "--stop", "--workspace", workspace.to_str().unwrap()]).well();
    assert!(again.contains("no demo runs"), "{again}");
}

/// Proves that a demo which is ended in the middle of its story takes all of it with it, agents too.
#[test]
fn a_demo_can_be_ended_at_any_time() {
    let scene = scene();
    let workspace = scene.folder().join("demo");
    let demo = scene.start(&["demo", "--workspace", workspace.to_str().unwrap()]);
    scene.until_task(TASK, "an agent works", |task| task.live_run());
    scene.orch(["demo", "--stop", "--workspace", workspace.to_str().unwrap()]).well();
    let (code, said) = demo.wait(&scene);
    assert_eq!(code, Some(1), "{said}");
    scene.until("all of it is gone", || scene.processes().is_empty().then_some(()));
}
