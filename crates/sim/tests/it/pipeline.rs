//! The pipeline from end to end against the fake world.

use orch_core::call::tracker::Status;
use orch_core::id::WorkItem;
use orch_core::reason::Reason;
use orch_core::stage::{Preset, Role, Stage};
use orch_sim::bench::{Bench, Faults, policy};
use orch_sim::world::works::Deed;

use crate::faults::{preset, seeds};

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

pub(crate) fn any_moment(bench: &mut Bench) -> Result<(), orch_sim::invariant::Broken> {
    for _ in 0..400 {
        bench.once()?;
        bench.attend_all();
    }
    bench.settle();
    bench.run_with_people(80)?;
    bench.verify_journal()
}

/// Writes a history that broke a promise to the file that `ORCH_HISTORY` names.
pub(crate) fn tell_history(bench: &mut Bench) {
    if let Ok(file) = std::env::var("ORCH_HISTORY") {
        let history = orch_sim::words::history(bench.engine().journal());
        std::fs::write(file, history).expect("a history");
    }
}

/// Every call there is: the brain dies before and after each of them in the histories of people.
const CALLS: [&str; 20] = [
    "agent/launch",
    "agent/stop",
    "deploy/hook",
    "deploy/probe",
    "forge/close_change",
    "forge/delete_branch",
    "forge/merge",
    "forge/open_change",
    "forge/restore",
    "forge/set_commit_status",
    "gate/ci",
    "git/build_candidate",
    "git/collect",
    "git/cut_branch",
    "git/drop_tree",
    "git/prove",
    "git/write_record",
    "tracker/comment",
    "tracker/read_comments",
    "tracker/set_status",
];

/// Proves that people who stop, reject, edit, delete, pause, freeze and change the policy at any moment, while things
/// die and get lost, break no promise; and that every task comes to its end once they leave it alone.
#[test]
fn people_may_do_anything_at_any_moment() {
    let mut died = std::collections::BTreeSet::<String>::new();
    let mut taken = std::collections::BTreeMap::<String, u64>::new();
    let mut covered = 0;
    for seed in seeds(48) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::with_people());
        bench.add_project("other", "OTHER", &policy(Preset::Full));
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
            bench.issue_of(&"other".into(), title, Status::ToAnalyse);
        }
        // Somebody must allow what one agent of the other project uses.
        bench.world.works.script(&WorkItem::numbered("OTHER", 1), Role::Analyst, vec![Deed::Spend]);
        // And begin afresh with another, who brings nothing as often as is tried.
        let nothing = vec![Deed::Nothing; 3];
        bench.world.works.script(&WorkItem::numbered("OTHER", 2), Role::Analyst, nothing);
        // And look at what a tester changes of who owns the tests.
        bench.world.works.script(&WorkItem::numbered("DEMO", 1), Role::Tester, vec![Deed::Protected]);
        if let Err(broken) = any_moment(&mut bench) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        died.extend(bench.died.keys().map(|(side, call)| format!("{side} {call}")));
        covered += bench.looks().each()["no-press-is-covered-unheard"];
        for row in bench.engine().journal().all() {
            for reason in &row.reasons {
                if let Reason::GestureTaken { press, .. } = reason {
                    *taken.entry(press.clone()).or_default() += 1;
                }
            }
        }
    }
    // A few histories alone, looked at by themselves, need not reach everything.
    let seeds = seeds(48).count();
    if seeds < 48 {
        return;
    }
    let every = CALLS.iter().flat_map(|call| [format!("after {call}"), format!("before {call}")]);
    let missing: Vec<String> = every.filter(|boundary| !died.contains(boundary)).collect();
    assert!(missing.is_empty(), "nothing died {missing:?} in {seeds} histories");
    let presses =
        ["accept", "allow", "approve", "confirm", "continue", "priority", "reject", "retry", "start", "stop"];
    let rare: Vec<&str> =
        presses.into_iter().filter(|press| taken.get(*press).is_none_or(|times| *times < 5)).collect();
    assert!(rare.is_empty(), "{rare:?} had an effect less than five times: {taken:?}");
    assert!(covered > 100, "Orch's own column covered only {covered} presses");
}

/// Proves that whatever dies, is lost or comes twice, every task still ends delivered, exactly once.
#[test]
fn faults_change_nothing_in_the_end() {
    let mut died = std::collections::BTreeMap::<String, u64>::new();
    let mut faults = 0;
    for seed in seeds(100) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::some());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        if let Err(broken) = bench.run_with_people(60) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        for task in bench.tasks() {
            assert_eq!(task.stage, Stage::Done, "seed {seed}: {task:?}");
        }
        bench.verify_journal().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        faults += bench.tally.faults;
        for ((side, call), times) in &bench.died {
            *died.entry(format!("{side} {call}")).or_default() += times;
        }
    }
    let seeds = seeds(100).count() as u64;
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
            "after git/write_record",
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
            "before git/write_record",
            "before tracker/comment",
            "before tracker/read_comments",
            "before tracker/set_status",
        ]
    "#]]
    .assert_debug_eq(&boundaries);
}

/// Proves that a thousand lifecycles are simulated with every promise looked at after every step, and that a history is
/// the same from the same seed, byte for byte.
#[test]
fn a_thousand_lifecycles() {
    let mut lifecycles = 0;
    let mut last = Vec::new();
    for n in 0..125u64 {
        let seed = n % 124;
        let preset = [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)];
        let mut bench = Bench::new(seed, &policy(preset), Faults::default());
        for n in 0..8 {
            bench.issue(&format!("Add flag {n}"), Status::ToAnalyse);
        }
        bench.run_with_people(30).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        bench.verify_journal().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        lifecycles += bench.tasks().iter().filter(|task| task.stage == Stage::Done).count();
        if seed == 0 {
            last.push(bench.engine().journal().all().last().map(|row| row.hash.clone()));
        }
    }
    assert_eq!(lifecycles, 1000);
    assert_eq!(last.first(), last.get(1), "the same seed gave another history");
}
