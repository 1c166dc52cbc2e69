//! What did many histories come to, together?

use std::collections::BTreeMap;

use orch_core::id::Digest;
use orch_sim::fault::Fault;
use orch_sim::history::Outcome;
use serde::{Deserialize, Serialize};

/// What histories together came to. Sums of ranges of seeds can be added up, in the order of their seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    /// How many.
    pub(super) histories: u64,
    /// Their lines.
    pub(super) lines: u64,
    /// Tasks that came to their end.
    pub(super) lifecycles: u64,
    /// Rows of their journals.
    pub(super) events: u64,
    /// Lines in which something came from outside: from people, agents, services, settings.
    pub(super) outside: u64,
    /// Faults injected.
    pub(super) faults: u64,
    /// Times that the brain died.
    pub(super) crashes: u64,
    /// Faults by name.
    pub(super) by: BTreeMap<String, u64>,
    /// Looks at a promise, by its name.
    pub(super) promises: BTreeMap<String, u64>,
    /// Processor time, in milliseconds.
    pub(super) cpu: u64,
    /// Those that broke a promise.
    pub(super) failed: Vec<Failed>,
    /// Covers the text and the journal of each, in order.
    pub(super) digest: String,
}

/// A history that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    /// From which seed.
    pub(super) seed: u64,
    /// Which promise.
    pub(super) name: String,
    /// What was seen.
    pub(super) what: String,
}

impl Sum {
    /// One more history.
    pub(super) fn take(&mut self, seed: u64, lines: &[String], outcome: &Outcome) {
        self.histories += 1;
        self.lines += lines.len() as u64;
        self.lifecycles += outcome.lifecycles as u64;
        self.events += outcome.rows as u64;
        self.outside += outcome.outside;
        self.faults += outcome.tally.faults;
        self.crashes += outcome.tally.crashes;
        let faults = outcome.tally.each().map(|(fault, n)| (fault.name().to_owned(), n));
        add(&mut self.by, faults);
        let looks = outcome.looks.each().into_iter().map(|(name, n)| (name.to_owned(), n));
        add(&mut self.promises, looks);
        if let Some((_, broken)) = &outcome.broken {
            let (name, what) = (broken.name.to_owned(), broken.what.clone());
            self.failed.push(Failed { seed, name, what });
        }
        self.chain(&format!("{}\n{}", lines.join("\n"), outcome.hash));
    }

    /// The histories of the seeds that follow.
    pub(super) fn plus(&mut self, next: &Sum) {
        self.histories += next.histories;
        self.lines += next.lines;
        self.lifecycles += next.lifecycles;
        self.events += next.events;
        self.outside += next.outside;
        self.faults += next.faults;
        self.crashes += next.crashes;
        add(&mut self.by, next.by.iter().map(|(name, n)| (name.clone(), *n)));
        add(&mut self.promises, next.promises.iter().map(|(name, n)| (name.clone(), *n)));
        self.cpu += next.cpu;
        self.failed.extend(next.failed.iter().cloned());
        self.chain(&next.digest);
    }

    fn chain(&mut self, next: &str) {
        self.digest = Digest::of(format!("{}\n{next}", self.digest).as_bytes()).to_string();
    }

    /// So many of something, a lifecycle.
    pub(super) fn each(&self, n: u64) -> f64 {
        n as f64 / self.lifecycles.max(1) as f64
    }

    /// Lifecycles in a minute of one processor.
    pub(super) fn a_minute(&self) -> u64 {
        (self.lifecycles as f64 * 60_000.0 / self.cpu.max(1) as f64).round() as u64
    }

    /// How often something came that the dice choose.
    pub(super) fn of(&self, fault: Fault) -> u64 {
        self.by.get(fault.name()).copied().unwrap_or(0)
    }

    /// All looks at all promises.
    pub(super) fn looks(&self) -> u64 {
        self.promises.values().sum()
    }
}

fn add(to: &mut BTreeMap<String, u64>, more: impl Iterator<Item = (String, u64)>) {
    for (name, n) in more.filter(|(_, n)| *n > 0) {
        *to.entry(name).or_default() += n;
    }
}
