//! How is one thing named that can be done next, so that a history can say it?

use orch_core::effect::Effect;
use orch_core::id::{Entity, RunId, TaskId};

use super::Bench;
use crate::invariant::Broken;
use crate::world::works::Worker;

/// One thing that the outside does next, by the name that a history has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// An effect is performed: `git/collect of 1`.
    Perform(String),
    /// A run ends: `developer of 1`.
    End(String),
    /// Nothing is done until the next moment at which something is due.
    Wait,
}

/// A task as stories call it: `1`, `other/1`, and `1~2` for its second life.
pub(crate) fn name_of(task: &TaskId) -> String {
    let item = task.item();
    let (prefix, number) = item.as_str().rsplit_once('-').unwrap_or(("", item.as_str()));
    let number = number.trim_start_matches('0');
    let life = if task.life() > 1 { format!("~{}", task.life()) } else { String::new() };
    match prefix {
        "DEMO" => format!("{number}{life}"),
        prefix => format!("{}/{number}{life}", prefix.to_ascii_lowercase()),
    }
}

fn effect(effect: &Effect) -> String {
    let whose = match &effect.entity {
        Entity::Task(task) => name_of(task),
        other @ (Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation) => {
            other.to_string()
        }
    };
    format!("{} of {whose}", effect.call.name())
}

/// The name of the thing at a place: the second one of a name is `name #2`.
fn named(all: impl Iterator<Item = String>, at: usize) -> Option<String> {
    let names: Vec<String> = all.take(at + 1).collect();
    let name = names.get(at)?;
    let before = names.iter().take(at).filter(|other| *other == name).count();
    Some(if before == 0 { name.clone() } else { format!("{name} #{}", before + 1) })
}

/// The place of the thing with a name.
fn place(all: impl Iterator<Item = String>, name: &str) -> Option<usize> {
    let (name, n) = match name.rsplit_once(" #") {
        Some((name, n)) => (name, n.parse::<usize>().ok()?),
        None => (name, 1),
    };
    all.enumerate().filter(|(_, other)| other == name).nth(n.checked_sub(1)?).map(|(at, _)| at)
}

impl Bench {
    /// How many things can be done next.
    pub fn turns(&self) -> usize {
        self.pending.len() + self.watched.len()
    }

    /// One of them; `None`: there is nothing, or only waiting.
    pub fn turn_at(&self, at: usize) -> Option<Turn> {
        match at.checked_sub(self.pending.len()) {
            None => named(self.pending.iter().map(effect), at).map(Turn::Perform),
            Some(at) => named(self.watched.iter().map(|run| self.run_name(*run)), at).map(Turn::End),
        }
    }

    /// All that can be done next, for whoever looks.
    pub fn all_turns(&self) -> Vec<Turn> {
        let due = (self.turns() == 0 && self.can_wait()).then_some(Turn::Wait);
        (0..self.turns()).filter_map(|at| self.turn_at(at)).chain(due).collect()
    }

    /// Whether something is due some time.
    pub fn can_wait(&self) -> bool {
        self.next().is_some() || !self.inbox.is_empty() || self.slow().is_some()
    }

    fn run_name(&self, run: RunId) -> String {
        let Some(run) = self.world.runs.get(&run) else { return format!("run {run}") };
        let who = match run.worker {
            Worker::Agent(role) => role.name(),
            Worker::Ci => "tests",
            Worker::Hook => "hook",
        };
        format!("{who} of {}", name_of(&run.task))
    }

    /// Does exactly this; false if it is not there to be done.
    ///
    /// # Errors
    /// A promise was broken.
    pub fn turn(&mut self, turn: &Turn) -> Result<bool, Broken> {
        self.action_takes();
        self.trouble()?;
        let done = match turn {
            Turn::Perform(name) => match place(self.pending.iter().map(effect), name) {
                Some(at) => {
                    self.perform_at(at);
                    true
                }
                None => false,
            },
            Turn::End(name) => match place(self.watched.iter().map(|run| self.run_name(*run)), name) {
                Some(at) => {
                    self.end_at(at);
                    true
                }
                None => false,
            },
            Turn::Wait => self.wait(),
        };
        self.verify()?;
        Ok(done)
    }
}
