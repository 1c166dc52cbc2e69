//! Are the tables of a store what the rows of its journal come to, at every step?

use orch_core::call::tracker::Status;
use orch_core::id::Seq;
use orch_core::journal::Journal as _;
use orch_core::replay::Fold;
use orch_core::stage::Preset;
use orch_sim::bench::{Bench, Faults, policy};

/// Proves that open effects and armed timers are at every step of a life with faults and people those that the journal's
/// rows come to, so that `replay --verify` can compare them at any moment.
#[test]
fn tables_are_the_fold_of_the_rows() {
    let (mut effects_seen, mut timers_seen) = (0, 0);
    for seed in 0..12 {
        let mut bench = Bench::new(seed, &policy(Preset::Full), Faults::with_people());
        bench.issue("Add a flag", Status::ToAnalyse);
        let mut fold = Fold::default();
        for _ in 0..400 {
            if !bench.once().unwrap_or_else(|broken| panic!("seed {seed}: {broken}")) {
                bench.sweep();
            }
            bench.attend_all();
            let journal = bench.engine().journal();
            for row in journal.rows(Seq(fold.last().0 + 1), usize::MAX).expect("it reads") {
                fold.take(&row).unwrap_or_else(|illegal| panic!("seed {seed}: {illegal}"));
            }
            let effects = journal.open_effects().expect("it reads");
            let timers = journal.armed_timers().expect("it reads");
            fold.compare(&effects, &timers)
                .unwrap_or_else(|differs| panic!("seed {seed}, row {}: {differs}", fold.last()));
            effects_seen += effects.len();
            timers_seen += timers.len();
        }
    }
    assert!(effects_seen > 1_000 && timers_seen > 20, "{effects_seen} effects, {timers_seen} timers");
}
