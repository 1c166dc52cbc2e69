//! Do the drills hold, and do they leave nothing behind?

use std::path::PathBuf;

use orch::drill::Drill;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::scene::Scene;

fn scene() -> (Scene, PathBuf) {
    let scene = Scene::new("home", "repository");
    let workspace = scene.folder().join("drills");
    (scene, workspace)
}

/// Proves that the drills which need neither minutes nor rights hold on this machine, that the table and the report say
/// what happened, and that nothing is left of them. The others are done by `cargo xtask long`.
#[test]
fn the_cheap_drills_hold() {
    let (scene, workspace) = scene();
    let report = scene.folder().join("report.md");
    let cheap = ["brain-killed", "shim-killed", "forge-down", "webhook-storm"];
    let done = scene.orch(
        ["--json", "drill", "--workspace", workspace.to_str().unwrap(), "--report", report.to_str().unwrap()]
            .into_iter()
            .chain(cheap),
    );
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let table: Value = serde_json::from_str(&done.out).unwrap();
    let rows = table["drills"].as_array().unwrap();
    assert_eq!(rows.len(), cheap.len());
    for row in rows {
        assert_eq!(row["outcome"], "held", "{row}");
        assert!(row["recovery_ms"].as_u64().is_some_and(|ms| ms < 60_000), "{row}");
    }
    let report = std::fs::read_to_string(report).unwrap();
    for name in cheap {
        assert!(report.contains(&format!("| {name} | held |")), "{report}");
    }
    assert!(!workspace.exists(), "its folder is gone");
    assert_eq!(scene.processes(), [] as [String; 0], "nothing of it is left");
}

/// Proves that drills which are ended in their middle take all of it with them, agents too, and say that they were ended;
/// and that a second call in the same place is refused meanwhile.
#[test]
fn drills_can_be_ended_at_any_time() {
    let (scene, workspace) = scene();
    let place = workspace.to_str().unwrap();
    let drill = scene.start(&["drill", "--workspace", place, "agent-hung"]);
    let runs = workspace.join("agent-hung/home/runs");
    scene.until("an agent works", || {
        let mut runs = std::fs::read_dir(&runs).ok()?.flatten();
        runs.any(|run| run.path().join("shim.json").exists()).then_some(())
    });
    let second = scene.orch(["drill", "--workspace", place, "brain-killed"]);
    assert_eq!(second.code, 4, "{}", second.err);
    kill_process(Pid::from_raw(drill.pid().cast_signed()).unwrap(), Signal::INT).unwrap();
    let (code, said) = drill.wait(&scene);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("ended before all drills were done"), "{said}");
    assert!(!workspace.exists(), "its folder is gone");
    scene.until("all of it is gone", || scene.processes().is_empty().then_some(()));
}

/// Proves that what drills left that were themselves killed is ended and cleared away by the next call, that a folder of
/// somebody's own is not touched, and that each drill is listed.
#[test]
fn the_next_drill_clears_away_what_a_killed_one_left() {
    let (scene, workspace) = scene();
    let place = workspace.to_str().unwrap();
    let mut drill = scene.start(&["drill", "--workspace", place, "agent-hung"]);
    let runs = workspace.join("agent-hung/home/runs");
    scene.until("an agent works", || {
        let mut runs = std::fs::read_dir(&runs).ok()?.flatten();
        runs.any(|run| run.path().join("shim.json").exists()).then_some(())
    });
    drill.kill();
    assert_ne!(scene.processes(), [] as [String; 0]);
    let next = scene.orch(["drill", "--workspace", place, "brain-killed"]);
    assert_eq!(next.code, 0, "{}{}", next.out, next.err);
    assert_eq!(scene.processes(), [] as [String; 0], "nothing of either is left");

    let own = scene.write("mine/thoughts.txt", "mine\n");
    let refused = scene.orch(["drill", "--workspace", own.parent().unwrap().to_str().unwrap()]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(own.exists());

    let listed = scene.orch(["drill", "--list"]).well();
    assert!(Drill::ALL.iter().all(|drill| listed.contains(drill.name())), "{listed}");
}
