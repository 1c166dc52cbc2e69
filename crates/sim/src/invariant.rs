//! What never happens? Each promise of the product has a name here and is checked after every step.

mod rows;
mod tasks;
mod merge;
mod rest;
mod journal;

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::{Call, ForgeCall};
use orch_core::event::Turn;
use orch_core::hold::{Standing, standing};
use orch_core::id::{Commit, Entity, ProjectId, TaskId};
use orch_core::policy::Policy;
use orch_core::rework::Attempts;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Step, Task};
use orch_core::time::Moment;
use orch_engine::Engine;

use crate::memory::MemoryJournal;
use crate::twin::Twin;
use crate::world::World;

pub use journal::{check_journal, check_replay};
pub use rest::at_rest;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct Broken {
    /// The promise's name.
    pub name: &'static str,
    /// What was seen.
    pub what: String,
}

fn broken(name: &'static str, what: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { name, what: what.into() })
}

/// Looks after every step at what is new since the last look, so that a long history costs no more a step than a
/// short one.
#[derive(Debug, Default)]
pub struct Watch {
    rows: usize,
    hooks: usize,
    main: BTreeMap<ProjectId, usize>,
    attempts: BTreeMap<TaskId, Attempts>,
    stages: BTreeMap<TaskId, Stage>,
    waits: BTreeMap<TaskId, (Turn, u64)>,
    branches: BTreeMap<(ProjectId, String), TaskId>,
    told: BTreeSet<(TaskId, String)>,
    lanes: BTreeMap<ProjectId, TaskId>,
    agents: BTreeMap<TaskId, ProjectId>,
    /// Under which policy a merge was asked for.
    asked: BTreeMap<Commit, Policy>,
    /// Who froze a repository, as far as the rows tell; `None`: a person, or a main that was rewritten.
    freezes: BTreeMap<ProjectId, Vec<Option<TaskId>>>,
    /// Whether the installation is paused, for what has begun too.
    paused: bool,
}

impl Watch {
    /// Checks every promise that can be seen between two steps.
    pub fn look(&mut self, engine: &mut Engine<Twin>, world: &World, now: Moment) -> Result<(), Broken> {
        let mut touched = BTreeSet::new();
        let rows = self.rows;
        self.rows = engine.journal().all().len();
        for row in engine.journal_ref().all().get(rows..).unwrap_or_default() {
            self.keeps_from_merging(row);
            if let Entity::Task(id) = &row.entity {
                self.row(id, row)?;
                touched.insert(id.clone());
                for effect in &row.effects {
                    if let Call::Forge(ForgeCall::Merge { candidate, .. }) = &effect.call {
                        self.may_merge(id, effect, row)?;
                        let kept = row.policy.as_ref().and_then(|digest| engine.journal_ref().kept(digest));
                        let policy = kept.and_then(|bytes| serde_json::from_slice(bytes).ok());
                        self.asked.insert(candidate.clone(), policy.unwrap_or_default());
                    }
                }
            }
        }
        for id in &touched {
            // The lane may pass from one task to another between two looks: who gave it back comes first.
            let kept = engine.journal().states().get(&Entity::Task(id.clone()));
            if matches!(kept.map(|kept| &kept.state), Some(State::Task(task)) if task.lane.is_none()) {
                self.lanes.retain(|_, holder| holder != id);
            }
        }
        for id in touched {
            let kept = engine.journal().states().get(&Entity::Task(id));
            let Some(State::Task(task)) = kept.map(|kept| &kept.state) else { continue };
            let task = task.clone();
            let policy = engine.policies().get(&task.project).cloned().unwrap_or_default();
            let held = standing(&task, engine.board(), engine.policies(), now);
            if matches!(&held, Standing::Held(holds) if holds.is_empty()) {
                broken("a-reason-for-every-wait", format!("{} waits and nobody knows why", task.id))?;
            }
            if let Step::Asked { effect, .. } = &task.step
                && !engine.journal().is_open(*effect)
            {
                broken(
                    "no-effect-is-lost",
                    format!("{} waits for {effect}, which is settled or lost", task.id),
                )?;
            }
            self.task(&task, &policy, world)?;
        }
        let most = engine.board().installation().limits.agents as usize;
        if self.agents.len() > most {
            broken("limits-hold", format!("{} agents run at once, {most} may", self.agents.len()))?;
        }
        self.merges(engine, world)?;
        self.deploys(engine, world)?;
        match world.twice.first() {
            Some(effect) => broken("effects-happen-once", format!("{effect} happened again")),
            None => Ok(()),
        }
    }
}

/// All tasks of a journal.
pub fn tasks(journal: &MemoryJournal) -> Vec<Task> {
    let tasks = journal.states().values().filter_map(|kept| match &kept.state {
        State::Task(task) => Some((**task).clone()),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
    });
    tasks.collect()
}
