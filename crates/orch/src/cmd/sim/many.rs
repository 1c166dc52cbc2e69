//! How are many seeds lived through on several processors, and the sum is the same whatever their number?
//!
//! Seeds come in blocks that their numbers alone divide. Each block is one thread's; sums are added up in the order of the
//! seeds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use orch_sim::history::{self, Ground, Mix, Outcome, nothing_else};

use super::Store;
use super::run::no_journal;
use super::sum::Sum;
use super::under_way::UnderWay;
use crate::error::Error;

/// A block ends before each seed that is a multiple of this.
const BLOCK: u64 = 50;

/// Seeds that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) from: u64,
    pub(super) seeds: u64,
}

/// The blocks of a range of seeds.
pub(super) fn blocks(from: u64, seeds: u64) -> Vec<Block> {
    let end = from.saturating_add(seeds);
    let mut blocks = Vec::new();
    let mut at = from;
    while at < end {
        let next = (at / BLOCK + 1).saturating_mul(BLOCK).min(end);
        blocks.push(Block { from: at, seeds: next - at });
        at = next;
    }
    blocks
}

/// A history that broke a promise: its seed, its lines, what came of it.
pub(super) type Broke = (u64, Vec<String>, Outcome);

/// A block that was lived through: to its end, or to the history that ends it all.
pub(super) struct Lived {
    pub(super) block: Block,
    pub(super) sum: Sum,
    pub(super) broke: Option<Broke>,
}

/// How to live through them.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'p> {
    pub(super) mix: Mix,
    pub(super) store: Store,
    pub(super) jobs: usize,
    /// Whether a history that breaks a promise ends it all; else it is only counted.
    pub(super) stops: bool,
    /// Where the text of what is under way stands, a file for each that works: the begin of their names.
    pub(super) under_way: &'p Path,
}

/// Lives through blocks and hands them over in their order; after one that breaks off nothing more is handed over.
///
/// # Errors
/// No journal can be had, or whoever takes them cannot.
pub(super) fn live(
    blocks: &[Block],
    how: How<'_>,
    take: &mut dyn FnMut(Lived) -> Result<(), Error>,
) -> Result<(), Error> {
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for job in 0..how.jobs.clamp(1, blocks.len().max(1)) {
            let (tell, next, over) = (tell.clone(), &next, &over);
            scope.spawn(move || {
                let mut journals = match how.store.journals() {
                    Ok(journals) => journals,
                    Err(error) => return drop(tell.send((0, Err(error)))),
                };
                let mut ground = Ground { journal: &mut *journals, also: nothing_else };
                let mut under_way = match UnderWay::new(UnderWay::place(how.under_way, job)) {
                    Ok(under_way) => under_way,
                    Err(error) => return drop(tell.send((0, Err(error)))),
                };
                while !over.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(block) = blocks.get(at) else { return };
                    let lived = through(*block, how, &mut ground, &mut under_way);
                    // Blocks before this one are being lived through and are told as well.
                    if lived.as_ref().map_or(true, |lived| lived.broke.is_some()) {
                        over.store(true, Ordering::Relaxed);
                    }
                    if tell.send((at, lived)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        in_order(&told, &over, take)
    })
}

fn in_order(
    told: &mpsc::Receiver<(usize, Result<Lived, Error>)>,
    over: &AtomicBool,
    take: &mut dyn FnMut(Lived) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut early, mut due) = (BTreeMap::new(), 0);
    for (at, lived) in told {
        let lived = lived.inspect_err(|_| over.store(true, Ordering::Relaxed))?;
        early.insert(at, lived);
        while let Some(lived) = early.remove(&due) {
            due += 1;
            let last = lived.broke.is_some();
            if let Err(error) = take(lived) {
                over.store(true, Ordering::Relaxed);
                return Err(error);
            }
            if last {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn through(
    block: Block,
    how: How<'_>,
    ground: &mut Ground<'_>,
    under_way: &mut UnderWay,
) -> Result<Lived, Error> {
    let mut sum = Sum::default();
    for seed in block.from..block.from + block.seeds {
        let (faults, store) = (how.mix.name(), how.store.name());
        let pen = under_way.begin(&format!("seed {seed}, faults {faults}, on {store}."))?;
        let (lines, outcome) = history::by_seed_with(seed, how.mix, ground, &pen).map_err(no_journal)?;
        sum.take(seed, &lines, &outcome);
        if how.stops && outcome.broken.is_some() {
            return Ok(Lived { block, sum, broke: Some((seed, lines, outcome)) });
        }
    }
    Ok(Lived { block, sum, broke: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that blocks depend on the seeds alone and leave none out, so that ranges can be added up.
    #[test]
    fn blocks_follow_each_other() {
        let of = |from, seeds| {
            blocks(from, seeds).iter().map(|block| (block.from, block.seeds)).collect::<Vec<_>>()
        };
        assert_eq!(of(0, 100), [(0, 50), (50, 50)]);
        assert_eq!(of(7, 100), [(7, 43), (50, 50), (100, 7)]);
        assert_eq!(of(3, 0), []);
    }
}
