//! The pipeline from end to end against the fake world.

use orch_core::call::tracker::Status;
use orch_core::stage::{Preset, Stage};
use orch_sim::bench::{Bench, Faults, policy};

/// Proves that an issue becomes a merged (and deployed) change under every preset, with a person who approves and
/// confirms and nothing going wrong.
#[test]
fn an_issue_becomes_a_delivered_change() {
    for preset in [Preset::Full, Preset::Fast, Preset::Library] {
        let mut bench = Bench::new(1, &policy(preset), Faults::default());
        bench.issue("Add a flag", Status::ToAnalyse);
        bench.run_with_people(10).unwrap_or_else(|broken| panic!("{preset:?}: {broken}"));
        let tasks = bench.tasks();
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0].stage, Stage::Done, "{:?}", tasks[0]);
        assert_eq!(bench.world.hooks.len(), usize::from(preset.deploys()));
        bench.verify_journal().unwrap_or_else(|broken| panic!("{preset:?}: {broken}"));
    }
}

/// Proves that whatever dies, is lost or comes twice, every task still ends delivered, exactly once.
#[test]
fn faults_change_nothing_in_the_end() {
    let seeds: u64 = std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let mut died = std::collections::BTreeMap::<String, u64>::new();
    let mut faults = 0;
    for seed in 0..seeds {
        let preset = [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)];
        let mut bench = Bench::new(seed, &policy(preset), Faults::some());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        bench.run_with_people(60).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        for task in bench.tasks() {
            assert_eq!(task.stage, Stage::Done, "seed {seed}: {task:?}");
        }
        bench.verify_journal().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        faults += bench.tally.faults;
        for (boundary, times) in &bench.died {
            *died.entry(boundary.clone()).or_default() += times;
        }
    }
    assert!(faults > seeds * 10, "only {faults} faults in {seeds} histories");
    let boundaries: Vec<&str> = died.keys().map(String::as_str).collect();
    expect_test::expect![[r#"
        [
            "after agent/launch",
            "after deploy/hook",
            "after deploy/probe",
            "after forge/merge",
            "after forge/open_change",
            "after forge/set_commit_status",
            "after gate/ci",
            "after git/build_candidate",
            "after git/collect",
            "after git/cut_branch",
            "after git/drop_tree",
            "after git/prove",
            "after tracker/comment",
            "after tracker/set_status",
            "before agent/launch",
            "before deploy/hook",
            "before deploy/probe",
            "before forge/merge",
            "before forge/open_change",
            "before forge/set_commit_status",
            "before gate/ci",
            "before git/build_candidate",
            "before git/collect",
            "before git/cut_branch",
            "before git/drop_tree",
            "before git/prove",
            "before tracker/comment",
            "before tracker/set_status",
        ]
    "#]]
    .assert_debug_eq(&boundaries);
}
