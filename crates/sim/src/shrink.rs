//! What is the shortest history that breaks the same promise?
//!
//! Lines are taken away in ever smaller pieces, then the faults in the lines that stay; what the machine does by itself is
//! said with `run` and `go on` where that is enough. It ends when nothing more can go, or its patience is spent: that is
//! counted in lines done, never in time, so the same history shrinks to the same one everywhere.

use crate::history::{Ground, Outcome, again, is_machine};
use crate::script::{BUT, parts};
use crate::twin::Trouble;

/// A history that was made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk {
    /// Its lines: the last one breaks the promise.
    pub lines: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How many shorter histories were tried.
    pub tries: usize,
}

/// Makes a history shorter that breaks a promise; `None` if it breaks none.
///
/// # Errors
/// No journal can be had.
pub fn shrink(lines: &[String], patience: usize, ground: &mut Ground<'_>) -> Result<Option<Shrunk>, Trouble> {
    let outcome = again(lines, ground)?;
    let Some((at, broken)) = outcome.broken.clone() else { return Ok(None) };
    let best = lines.iter().take(at + 1).cloned().collect();
    let mut search = Search { name: broken.name, best, outcome, tries: 0, patience, ground };
    loop {
        let before = search.best.clone();
        search.machines()?;
        search.pieces()?;
        search.faults()?;
        search.fewer()?;
        if search.best == before || search.patience == 0 {
            break;
        }
    }
    Ok(Some(Shrunk { lines: search.best, outcome: search.outcome, tries: search.tries }))
}

struct Search<'s, 'g> {
    name: &'static str,
    best: Vec<String>,
    outcome: Outcome,
    tries: usize,
    /// Lines that may be done yet.
    patience: usize,
    ground: &'s mut Ground<'g>,
}

impl Search<'_, '_> {
    /// Takes these lines if they break the same promise.
    fn take(&mut self, lines: Vec<String>) -> Result<bool, Trouble> {
        if self.patience == 0 || lines == self.best {
            return Ok(false);
        }
        let outcome = again(&lines, self.ground)?;
        self.tries += 1;
        // A line that runs to the end costs as much as a whole history.
        self.patience = self.patience.saturating_sub(outcome.tally.steps.max(1) as usize);
        match &outcome.broken {
            Some((at, broken)) if broken.name == self.name => {
                self.best = lines;
                self.best.truncate(at + 1);
                self.outcome = outcome;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// The best lines with those of a range replaced.
    fn with(&self, range: std::ops::Range<usize>, instead: &[String]) -> Vec<String> {
        let mut lines = self.best.clone();
        lines.splice(range, instead.iter().cloned());
        lines
    }

    /// Takes away pieces: halves first, single lines last; from the end, where less hangs on them.
    fn pieces(&mut self) -> Result<(), Trouble> {
        let mut size = self.best.len() / 2;
        while size > 0 {
            let mut end = self.best.len();
            // The first line makes the world.
            while end > 1 {
                let start = end.saturating_sub(size).max(1);
                let lines = self.with(start..end, &[]);
                self.take(lines)?;
                end = start.min(self.best.len());
            }
            size /= 2;
        }
        Ok(())
    }

    /// Says stretches of what the machine does in one line.
    fn machines(&mut self) -> Result<(), Trouble> {
        let mut end = self.best.len();
        while let Some(last) = self.best.iter().take(end).rposition(|line| is_machine(line)) {
            let others = self.best.iter().take(last).rposition(|line| !is_machine(line));
            let start = others.map_or(0, |at| at + 1);
            let before = self.best.len();
            let plain = |line: &str| line == "run" || line.starts_with("go on ");
            let is_one = last == start && self.best.get(start).is_some_and(|line| plain(line));
            if !is_one {
                let whole = self.with(start..last + 1, &["run".to_owned()]);
                if !self.take(whole)? {
                    let counted = self.with(start..last + 1, &[format!("go on {}", last + 1 - start)]);
                    self.take(counted)?;
                }
            }
            // Another line may have gone with it.
            end = if self.best.len() < before { start.min(self.best.len()) } else { start };
        }
        Ok(())
    }

    /// Takes away what goes wrong: all of it, then word by word.
    fn faults(&mut self) -> Result<(), Trouble> {
        for at in (0..self.best.len()).rev() {
            let Some(whole) = self.best.get(at).cloned() else { continue };
            let (line, mut words) = parts(&whole);
            if words.is_empty() {
                continue;
            }
            let lines = self.with(at..at + 1, &[line.to_owned()]);
            if self.take(lines)? {
                continue;
            }
            let mut n = words.len();
            while n > 0 && words.len() > 1 {
                n -= 1;
                let mut fewer = words.clone();
                fewer.remove(n);
                let lines = self.with(at..at + 1, &[format!("{line}{BUT}{}", fewer.join(", "))]);
                if self.take(lines)? {
                    words = fewer;
                }
            }
        }
        Ok(())
    }

    /// Makes the numbers of `go on` smaller.
    fn fewer(&mut self) -> Result<(), Trouble> {
        for at in (0..self.best.len()).rev() {
            let times = |line: &String| line.strip_prefix("go on ")?.parse::<u32>().ok();
            let Some(mut times) = self.best.get(at).and_then(times) else { continue };
            let mut less = times / 2;
            while less > 0 {
                let lines = self.with(at..at + 1, &[format!("go on {}", times - less)]);
                if self.take(lines)? {
                    times -= less;
                    less = less.min(times / 2);
                } else {
                    less /= 2;
                }
            }
        }
        Ok(())
    }
}
