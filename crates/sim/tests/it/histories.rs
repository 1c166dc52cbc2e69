//! Histories by chance: their text is enough to live through them again, and a failing one becomes short.

use std::time::Instant;

use orch_sim::history::{Ground, Mix, again, by_seed, in_memory, nothing_else};

fn seeds() -> std::ops::Range<u64> {
    let seeds: u64 = std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let first: u64 = std::env::var("ORCH_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    first..first + seeds
}

/// Proves that a history's text, without its seed, gives the same journal byte for byte, with the same faults.
#[test]
fn the_text_of_a_history_is_enough() {
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: nothing_else };
    for (name, mix) in Mix::ALL {
        for seed in seeds() {
            let start = Instant::now();
            let (lines, first) = by_seed(seed, mix, &mut ground).unwrap();
            let t1 = start.elapsed();
            let second = again(&lines, &mut ground).unwrap();
            eprintln!(
                "{name} {seed}: {} lines {} rows {} lives {:?} {:?} {t1:?} {:?}",
                lines.len(),
                first.rows,
                first.lifecycles,
                first.tally.faults,
                first.broken,
                start.elapsed()
            );
            if first != second {
                std::fs::write("/tmp/h.txt", lines.join("\n")).unwrap();
            }
            assert_eq!(first, second, "{name} {seed}");
        }
    }
}
