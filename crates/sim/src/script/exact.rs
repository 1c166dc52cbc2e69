//! How does a line say exactly what happens, and what goes wrong meanwhile?
//!
//! `> perform git/collect of 1 but answer lost` names one effect and what goes wrong while it is performed, by the names of
//! [`crate::fault::Fault`]. A file that begins with `> history of a project` is made of such lines, and leaves out a line
//! that cannot be done any more.

use super::*;
use crate::bench::Turn;
use crate::invariant::Occasion;

/// What goes before `but`, and what goes wrong: `answer lost, disk full #2`.
pub(crate) fn parts(line: &str) -> (&str, Vec<&str>) {
    let outside = |at: &usize| line.get(..*at).unwrap_or_default().matches('"').count() % 2 == 0;
    match line.match_indices(BUT).map(|(at, _)| at).find(outside) {
        Some(at) => (&line[..at], line[at + BUT.len()..].split(", ").map(str::trim).collect()),
        None => (line, Vec::new()),
    }
}

/// Between what is done and what goes wrong.
pub(crate) const BUT: &str = " but ";

impl Story {
    /// Begins a story or a history, as its first line says.
    pub(crate) fn begun_by(journal: Twin, line: &str) -> Result<Self, BadLine> {
        let owned = split(line);
        let words: Vec<&str> = owned.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["project", rest @ ..] => Story::begin_on(journal, rest),
            ["history", "of", "a", "project", rest @ ..] => {
                let mut story = Story::begin_on(journal, rest)?;
                story.bench.orderly = false;
                story.bench.patience = Span(u64::MAX);
                story.lenient = true;
                Ok(story)
            }
            _ => unknown("a story begins with `> project`, a history with `> history of a project`"),
        }
    }

    /// Does a line as it is written: what follows `but` goes wrong, and nothing else.
    ///
    /// # Errors
    /// A promise was broken, it is no line of a story, or it cannot be done and this is no history.
    pub fn line(&mut self, line: &str) -> Result<String, BadLine> {
        let (line, choices) = parts(line);
        let owned = split(line);
        let words: Vec<&str> = owned.iter().map(String::as_str).collect();
        self.bench.dice.tell(&choices);
        let done = self.act(&words);
        let unasked = self.bench.dice.end_of_line();
        let went_wrong = unasked.len() < choices.len();
        let mut answer = match done {
            Err(BadLine::Undone(why)) if self.lenient && went_wrong => {
                format!("skipped: {why}; what goes wrong here did all the same\n")
            }
            Err(BadLine::Undone(why)) if self.lenient => format!("skipped: {why}\n"),
            done => done?,
        };
        if self.lenient {
            self.looked_at()?;
        }
        match (unasked.as_slice(), self.lenient) {
            ([], _) => {}
            (words, true) => answer.push_str(&format!("skipped: {}\n", words.join(", "))),
            (words, false) => return bad(format!("nothing asks for {}", words.join(", "))),
        }
        Ok(answer)
    }

    /// Does a line while the dice choose what goes wrong: [`crate::schedule::Dice::end_of_line`] has the words for it.
    pub(crate) fn line_by_dice(&mut self, line: &str) -> Result<String, BadLine> {
        let owned = split(line);
        let words: Vec<&str> = owned.iter().map(String::as_str).collect();
        self.bench.dice.write();
        let done = self.act(&words);
        if matches!(done, Ok(_) | Err(BadLine::Undone(_))) {
            self.looked_at()?;
        }
        done
    }

    fn looked_at(&mut self) -> Result<(), BadLine> {
        self.bench.verify()?;
        if self.bench.engine().journal_ref().is_real() {
            self.bench.looks_at(Occasion::Store);
        }
        match self.bench.engine().journal_ref().trouble() {
            Some(what) => Err(Broken::of("the-store-says-what-was-written", what.to_owned()).into()),
            None => Ok(()),
        }
    }

    /// What histories do and stories need not.
    pub(super) fn act_as_history(&mut self, words: &[&str]) -> Result<String, BadLine> {
        match words {
            ["perform", name @ ..] => self.turn(&Turn::Perform(name.join(" ")))?,
            ["end", name @ ..] => self.turn(&Turn::End(name.join(" ")))?,
            ["wait"] => self.turn(&Turn::Wait)?,
            ["go", "on", times] => {
                let Ok(times) = times.parse::<u32>() else { return unknown(format!("{times} is no number")) };
                self.in_order(|story| {
                    for _ in 0..times {
                        story.bench.once()?;
                    }
                    Ok(())
                })?;
            }
            ["time", "passes", by] => {
                self.bench.now = self.bench.now.after(span(by)?);
                self.bench.look();
            }
            ["people", "leave", "it", "alone"] => {
                self.bench.world.works.service = Deployment::Truthful;
                self.bench.outage = false;
                self.bench.settle();
            }
            ["everything", "ends"] => self.in_order(Self::comes_to_its_end)?,
            ["everything", "is", "delivered"] => {
                self.bench.looks_at(Occasion::Delivered);
                let open = self.bench.tasks().into_iter().find(|task| task.stage != Stage::Done);
                if let Some(task) = open {
                    let what = format!("{} is {}", task.id, task.stage);
                    return Err(Broken::of("everything-is-delivered", what).into());
                }
            }
            ["policy", "of", name, rest @ ..] => {
                let project = self.project(Some(name))?;
                let mut rules = policy(Preset::Library);
                change_policy(&mut rules, rest)?;
                self.bench.set_policy_of(&project, &rules);
            }
            ["main", "of", name, "moves", path, "to", content] => {
                let project = self.project(Some(name))?;
                self.bench.main_moves(&project, path, content);
            }
            ["the", "origin", "of", name, what @ ("refuses" | "takes"), "records"] => {
                let project = self.project(Some(name))?;
                if let Some(repository) = self.bench.world.repositories.get_mut(&project) {
                    repository.refuses_records = *what == "refuses";
                }
            }
            [what @ ("freeze" | "unfreeze"), name] => {
                let press = if *what == "freeze" { Press::Freeze } else { Press::Unfreeze };
                let project = self.project(Some(name))?;
                self.bench.gesture_to(Entity::Repository(project), press);
            }
            _ => return unknown(format!("no story has a line like `{}`", words.join(" "))),
        }
        Ok(String::new())
    }

    /// Everything comes to its end with a patient person, who lifts the freezes that are a person's to lift.
    fn comes_to_its_end(&mut self) -> Result<(), Broken> {
        self.bench.run_with_people(80)?;
        self.bench.verify_journal()
    }

    fn turn(&mut self, turn: &Turn) -> Result<(), BadLine> {
        match self.bench.turn(turn)? {
            true => Ok(()),
            false => bad("nothing of that name is to be done now"),
        }
    }

    /// Does something in the order in which things came, with nothing going wrong: it needs no words.
    fn in_order(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Broken>) -> Result<(), BadLine> {
        let (dice, orderly) = (self.bench.dice.hush(), std::mem::replace(&mut self.bench.orderly, true));
        let faults = std::mem::take(&mut self.bench.faults);
        let done = act(self);
        (self.bench.orderly, self.bench.faults) = (orderly, faults);
        self.bench.dice.resume(dice);
        done.map_err(BadLine::from)
    }
}
