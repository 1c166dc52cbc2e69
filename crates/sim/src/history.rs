//! What happened by chance, as text that happens again?
//!
//! A history is a list of lines in the language of [`crate::script`]. [`by_seed`] invents one line after the other from a
//! seed, writes it down, and does it; [`again`] does the lines without the seed, and the journal is the same, byte for
//! byte. A line that cannot be done any more is left out, so lines can be taken away ([`crate::shrink`]).

mod invent;

use std::panic::{AssertUnwindSafe, catch_unwind};

use orch_core::id::Digest;
use orch_core::journal::{RULES, Row};

use crate::bench::{Bench, Faults, Tally};
use crate::invariant::{Broken, Looks, Occasion};
use crate::schedule::Dice;
pub use crate::schedule::Pen;
use crate::script::{BUT, BadLine, Story};
use crate::twin::{Trouble, Twin};

pub use invent::Mix;

/// On what histories happen.
pub struct Ground<'a> {
    /// Makes the empty journal of each.
    pub journal: &'a mut dyn FnMut() -> Result<Twin, Trouble>,
    /// A promise that is looked at besides, after each line.
    pub also: fn(&mut Bench) -> Result<(), Broken>,
}

/// An empty journal in memory.
pub fn in_memory() -> Result<Twin, Trouble> {
    Ok(Twin::default())
}

/// No further promise.
pub fn nothing_else(_: &mut Bench) -> Result<(), Broken> {
    Ok(())
}

/// What came of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The last row's hash, which covers all rows.
    pub hash: Digest,
    /// Rows of the journal.
    pub rows: usize,
    /// Tasks that came to their end.
    pub lifecycles: usize,
    /// What was done.
    pub tally: Tally,
    /// How often promises were looked at.
    pub looks: Looks,
    /// Lines in which something came from outside: from people, agents, services, settings.
    pub outside: u64,
    /// Lines that were done.
    pub done: usize,
    /// Lines that could not be done any more.
    pub skipped: usize,
    /// Which line (from 0) broke which promise, if one did.
    pub broken: Option<(usize, Broken)>,
}

/// Invents a history from a seed and lives through it.
///
/// # Errors
/// No journal can be had.
pub fn by_seed(seed: u64, mix: Mix, ground: &mut Ground<'_>) -> Result<(Vec<String>, Outcome), Trouble> {
    invented(seed, mix, ground, None)
}

/// The same, and the pen writes it down: each line before it is done, each word of what goes wrong before it does. Whoever
/// dies or hangs in the middle of a line has left all that came to be.
///
/// # Errors
/// No journal can be had.
pub fn by_seed_with(
    seed: u64,
    mix: Mix,
    ground: &mut Ground<'_>,
    pen: &Pen,
) -> Result<(Vec<String>, Outcome), Trouble> {
    invented(seed, mix, ground, Some(pen))
}

fn invented(
    seed: u64,
    mix: Mix,
    ground: &mut Ground<'_>,
    pen: Option<&Pen>,
) -> Result<(Vec<String>, Outcome), Trouble> {
    let mut life = Life::new((ground.journal)()?, ground.also);
    let mut dice = Dice::new(seed);
    life.by = Some((dice.roll(), mix.faults().of_a_seed(&mut dice)));
    life.pen = pen.cloned();
    let write = |text: &str| pen.into_iter().for_each(|pen| pen.write(text));
    let mut mind = invent::Mind::new(dice, mix);
    let mut lines = Vec::new();
    while life.broken.is_none()
        && let Some(line) = mind.next(life.story.as_mut())
    {
        write(&format!("> {line}"));
        lines.push(line);
        // It stands before it happens; what goes wrong meanwhile is added as it is chosen.
        let words = lines.last().map(|line| life.line(line)).unwrap_or_default();
        if let Some(line) = lines.last_mut().filter(|_| !words.is_empty()) {
            line.push_str(BUT);
            line.push_str(&words.join(", "));
        }
        write("\n");
    }
    Ok((lines, life.outcome()))
}

/// Lives through a history again.
///
/// # Errors
/// No journal can be had.
pub fn again(lines: &[String], ground: &mut Ground<'_>) -> Result<Outcome, Trouble> {
    let mut life = Life::new((ground.journal)()?, ground.also);
    for line in lines {
        if life.broken.is_some() {
            break;
        }
        let _ = life.line(line);
    }
    Ok(life.outcome())
}

/// The lines of a history that are done: those that begin with `>`.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix('>')).map(|line| line.trim().to_owned()).collect()
}

/// A history as a file: what it is about, then its lines. The rules are those of this program.
pub fn text(about: &[String], lines: &[String]) -> String {
    let about = about.iter().map(|line| format!("# {line}\n"));
    let rules = std::iter::once(format!("# Rules {RULES}.\n\n"));
    about.chain(rules).chain(lines.iter().map(|line| format!("> {line}\n"))).collect()
}

/// Whether the machine does this line by itself.
pub(crate) fn is_machine(line: &str) -> bool {
    ["perform ", "end ", "wait", "sweep", "go on ", "run"].iter().any(|word| line.starts_with(word))
}

/// A history under way.
struct Life {
    story: Option<Story>,
    journal: Option<Twin>,
    also: fn(&mut Bench) -> Result<(), Broken>,
    /// The seed of what goes wrong, and how often it does; `None`: the lines say it.
    by: Option<(u64, Faults)>,
    /// What writes down what the dice choose.
    pen: Option<Pen>,
    outside: u64,
    done: usize,
    skipped: usize,
    broken: Option<(usize, Broken)>,
}

impl Life {
    fn new(journal: Twin, also: fn(&mut Bench) -> Result<(), Broken>) -> Self {
        let (journal, story) = (Some(journal), None);
        Self { story, journal, also, by: None, pen: None, outside: 0, done: 0, skipped: 0, broken: None }
    }

    /// Does a line. With dice: the words for what they chose.
    fn line(&mut self, line: &str) -> Vec<String> {
        self.outside += u64::from(!is_machine(line) && !line.starts_with("everything "));
        let done = catch_unwind(AssertUnwindSafe(|| self.attempt(line)));
        let chosen = self.story.as_mut().map(|story| story.bench.dice.end_of_line()).unwrap_or_default();
        match done {
            Ok(Ok(said)) if said.contains("skipped: ") => self.skipped += 1,
            Ok(Ok(_)) => {}
            // What the dice invent is a line that stories have: one which is not would take its kind out of all histories.
            Ok(Err(BadLine::Unknown(unknown))) if self.by.is_some() => {
                self.broken = Some((self.done, Broken::of("nothing-panics", unknown)));
            }
            Ok(Err(BadLine::Undone(_) | BadLine::Unknown(_))) => self.skipped += 1,
            Ok(Err(BadLine::Broken(broken))) => self.broken = Some((self.done, broken)),
            Err(panic) => {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(|what| (*what).to_owned()));
                let what = what.unwrap_or_else(|| "without a word".to_owned());
                self.broken = Some((self.done, Broken::of("nothing-panics", what)));
            }
        }
        self.done += 1;
        if self.by.is_some() { chosen } else { Vec::new() }
    }

    fn attempt(&mut self, line: &str) -> Result<String, BadLine> {
        let said = match &mut self.story {
            Some(story) if self.by.is_some() => story.line_by_dice(line)?,
            Some(story) => story.line(line)?,
            None => {
                let mut story = Story::begun_by(self.journal.take().unwrap_or_default(), line)?;
                if let Some((seed, faults)) = self.by {
                    let dice = Dice::new(seed).with_pen(self.pen.clone());
                    (story.bench.dice, story.bench.faults) = (dice, faults);
                }
                self.story = Some(story);
                String::new()
            }
        };
        if let Some(story) = &mut self.story {
            (self.also)(&mut story.bench)?;
        }
        Ok(said)
    }

    fn outcome(self) -> Outcome {
        let (outside, done, skipped, broken) = (self.outside, self.done, self.skipped, self.broken);
        let mut outcome = Outcome {
            hash: Row::genesis(),
            rows: 0,
            lifecycles: 0,
            tally: Tally::default(),
            looks: Looks::default(),
            outside,
            done,
            skipped,
            broken,
        };
        let Some(mut story) = self.story else { return outcome };
        let bench = &mut story.bench;
        outcome.tally = bench.tally;
        outcome.looks = *bench.looks();
        outcome.looks.count_of(Occasion::Line, done as u64);
        // After a panic there may be no engine.
        if catch_unwind(AssertUnwindSafe(|| bench.engine().head())).is_err() {
            return outcome;
        }
        outcome.lifecycles = bench.tasks().iter().filter(|task| task.stage.is_terminal()).count();
        let rows = bench.engine().journal_ref().all();
        outcome.rows = rows.len();
        outcome.hash = rows.last().map_or_else(Row::genesis, |row| row.hash.clone());
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a line which the dice invent and no story has ends its history, and that one of a file is only left out.
    #[test]
    fn what_is_invented_is_known() {
        let broken = |by| {
            let mut life = Life::new(Twin::default(), |_| Ok(()));
            life.by = by;
            for line in ["history of a project", "limits unheard-of=1"] {
                life.line(line);
            }
            life.outcome()
        };
        let invented = broken(Some((1, Faults::default()))).broken.map(|(line, broken)| (line, broken.what));
        assert!(matches!(&invented, Some((1, what)) if what.contains("unheard-of")), "{invented:?}");
        let read = broken(None);
        assert_eq!((read.broken, read.skipped), (None, 1));
    }
}
