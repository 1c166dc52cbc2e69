//! What goes wrong, and what comes of it? Histories under everything that the bench can do to them.

use orch_core::call::tracker::Status;
use orch_core::stage::{Preset, Stage};
use orch_sim::bench::{Bench, Fault, Faults, Tally, policy};

use crate::pipeline::{any_moment, tell_history};

fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let first = number("ORCH_SEED").unwrap_or(0);
    first..first + number("ORCH_SEEDS").unwrap_or(usual)
}

fn preset(seed: u64) -> Preset {
    [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)]
}

/// Proves that agents that fail, hang, lie, write garbage or outside their scope, approve themselves, overspend, die and come
/// back, deploys that go bad at once or later, flap or are silent, and refs that move under Orch, cost time and people's
/// patience and nothing else: every task is delivered in the end.
#[test]
fn a_hostile_world_is_outlasted() {
    let mut tally = Tally::default();
    for seed in seeds(40) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::hostile());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        for _ in 0..1500 {
            if let Err(broken) = bench.once() {
                tell_history(&mut bench);
                panic!("seed {seed}: {broken}");
            }
            bench.attend_all();
        }
        bench.settle();
        if let Err(broken) = bench.run_with_people(80).and_then(|()| bench.verify_journal()) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        for task in bench.tasks() {
            assert_eq!(task.stage, Stage::Done, "seed {seed}: {task:?}");
        }
        tally = tally.plus(&bench.tally);
    }
    for (fault, times) in tally.each() {
        println!("{:>6} {}", times, fault.name());
    }
    let never: Vec<&str> = Fault::ALL
        .into_iter()
        .filter(|fault| Faults::hostile().rate(*fault) > 0 && tally.of(*fault) == 0)
        .map(Fault::name)
        .collect();
    assert!(seeds(40).count() < 40 || never.is_empty(), "never came: {never:?}");
}

/// Proves that the same holds with people who do anything at any moment besides: no promise is broken, and everything comes
/// to an end when they leave it alone.
#[test]
fn everything_at_once_breaks_no_promise() {
    for seed in seeds(16) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::all());
        bench.add_project("other", "OTHER", &policy(Preset::Full));
        for title in ["Add a flag", "Mend the door"] {
            bench.issue(title, Status::ToAnalyse);
            bench.issue_of(&"other".into(), title, Status::ToAnalyse);
        }
        if let Err(broken) = any_moment(&mut bench) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
    }
}
