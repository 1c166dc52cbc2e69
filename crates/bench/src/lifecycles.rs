//! How many whole lives of tasks does the simulator play in a minute of one processor, with faults, and with every promise
//! looked at after every step?

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use orch_core::call::tracker::Status;
use orch_core::stage::Preset;
use orch_sim::bench::{Bench, Faults, Tally, policy};
use orch_sim::twin::{Open, Opener, Plain, Store, Trouble, Twin};
use orch_store::SqliteJournal;

use crate::Plan;
use crate::brain::cpu_of;
use crate::figure::{Figures, machine};

/// Tasks of one history.
const TASKS: u64 = 8;

/// Where the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// In memory.
    Memory,
    /// In the real store, opened again after each death of the brain.
    Store,
}

/// Plays histories from seed 0 on, with the faults after which every task is delivered: as often as the bench has them
/// everywhere, and about as often as the goal asks for.
pub(crate) fn run(plan: &Plan, on: On) -> Result<()> {
    play(plan, on, Faults::some())?;
    play(plan, on, Faults::some().rarer(43))
}

fn play(plan: &Plan, on: On, faults: Faults) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let (mut rates, mut tally, mut seed) = (Figures::default(), Tally::default(), 0);
    let (mut lives, mut rows, mut promises) = (0u64, 0u64, 0u64);
    for _ in 0..plan.rounds {
        let (began, before, already) = (Instant::now(), cpu_of("self")?, lives);
        while began.elapsed() < plan.length {
            let preset =
                [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)];
            let folder = tempfile::tempdir_in(&plan.scratch)?;
            let journal = match on {
                On::Memory => Twin::default(),
                On::Store => stored(folder.path()).with_context(|| format!("seed {seed}: no store"))?,
            };
            let mut bench = Bench::on(journal, seed, &policy(preset), faults);
            for n in 0..TASKS {
                bench.issue(&format!("Add flag {n}"), Status::ToAnalyse);
            }
            if let Err(broken) = bench.run_with_people(60).and_then(|()| bench.verify_journal()) {
                bail!("seed {seed}: {broken}");
            }
            if let Some(trouble) = bench.engine().journal_ref().trouble() {
                bail!("seed {seed}: {trouble}");
            }
            lives += TASKS;
            rows += bench.engine().head().0;
            promises += bench.looks().all();
            tally = tally.plus(&bench.tally);
            seed += 1;
        }
        let used = cpu_of("self")?.saturating_sub(before);
        rates.0.push((lives - already) as f64 * 60.0 / used.as_secs_f64().max(0.001));
    }
    let each = |all: u64| all as f64 / lives.max(1) as f64;
    let journal = match on {
        On::Memory => "in memory",
        On::Store => "in SQLite",
    };
    println!(
        "sim: {} lifecycles a minute of processor, journal {journal}; {lives} of seeds 0 to {}",
        rates.said(0),
        seed.saturating_sub(1)
    );
    println!(
        "sim: each with {:.0} rows, {:.1} faults, {:.2} crashes, {:.0} looks at a promise",
        each(rows),
        each(tally.faults),
        each(tally.crashes),
        each(promises)
    );
    for (fault, times) in tally.each() {
        println!("sim: {times:>9} {}", fault.name());
    }
    Ok(())
}

/// A journal in a store of this folder.
fn stored(folder: &std::path::Path) -> Result<Twin, Trouble> {
    let (place, lock) = (folder.join("orch.db"), folder.join("orch.db.lock"));
    let open: Opener = Box::new(move |open| {
        if open == Open::PastTheLock {
            std::fs::remove_file(&lock).map_err(|e| Trouble::of(&e))?;
        }
        let journal = SqliteJournal::open(&place).map_err(|e| Trouble::of(&e))?;
        Ok(Box::new(Plain::new(Box::new(journal))) as Store)
    });
    Twin::on(open)
}
