//! Is production looked at after a deploy, and does nothing hurry past it? (invariant A7, decision 69)

use orch_core::artefact::FileVerdict;
use orch_core::call::deploy::Health;
use orch_core::call::{DeployReply, Reply};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome};
use orch_core::id::{Commit, Entity, TaskId};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::record::Record;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Ask, Rest, Step, Task, WatchEnd};
use orch_engine::Engine;

use super::done::accepts;
use super::{Broken, Watch, broken};
use crate::twin::Twin;
use crate::world::World;

impl Watch {
    /// What a row tells of a watch: it ends within its looks, each look is what the service answered, and it ends well only
    /// when all its looks are over and the last saw that, or by the word of a person who looked, or with a later deploy.
    pub(super) fn watches(
        &mut self,
        id: &TaskId,
        row: &Row,
        engine: &Engine<Twin>,
        world: &World,
    ) -> Result<(), Broken> {
        for change in &row.changes {
            let Change::Watched(watch) = change else { continue };
            if watch.looks > watch.rules.looks() + watch.rules.failures {
                broken("a-watch-ends", format!("row {}: {id} is watched on and on: {watch:?}", row.seq))?;
            }
            let saw = seen(&row.event);
            let looked = watch.looks > 0 && watch.end.is_none();
            if let Some(saw) = saw.filter(|_| looked)
                && watch.is_well() != (*saw == Health::Expected)
            {
                broken(
                    "well-is-what-was-seen",
                    format!("row {}: {id} takes {saw:?} for {watch:?}", row.seq),
                )?;
            }
            if watch.end != Some(WatchEnd::Well) {
                continue;
            }
            let well = match saw {
                Some(Health::Expected) => watch.is_well() && watch.looks >= watch.rules.looks(),
                Some(Health::Other { .. } | Health::Unwell { .. } | Health::CannotTell { .. }) => false,
                None => accepts(row) || self.went_along(id, row, engine, world),
            };
            if !well {
                broken("well-is-what-was-seen", format!("row {}: nobody saw that {id} is well", row.seq))?;
            }
        }
        let Some((project, _)) = self.items.get(&id.item()) else { return Ok(()) };
        for change in &row.changes {
            let Change::Stepped(step) = change else { continue };
            if undecided(step) {
                self.watched.insert(project.clone(), id.clone());
            } else if self.watched.get(project) == Some(id) {
                self.watched.remove(project);
            }
        }
        Ok(())
    }

    /// Whether a row says that a later deploy took this task along, and it did.
    fn went_along(&self, id: &TaskId, row: &Row, engine: &Engine<Twin>, world: &World) -> bool {
        let kept = engine.journal_ref().states().get(&Entity::Task(id.clone()));
        let Some(State::Task(task)) = kept.map(|kept| &kept.state) else { return false };
        let Some(merged) = &task.merged else { return false };
        let along = |with: &Commit| self.goes_along(&task.project, &merged.commit, with, world);
        later(row).is_some_and(along)
    }

    /// Nothing merges while production is watched for another task (decision 21).
    pub(super) fn waits_for_the_watch(&self, id: &TaskId, effect: &Effect, row: &Row) -> Result<(), Broken> {
        match self.watched.get(&effect.project).filter(|other| *other != id) {
            Some(other) => broken(
                "a-merge-waits-for-the-watch",
                format!("row {}: {id} merges while production is watched for {other}", row.seq),
            ),
            None => Ok(()),
        }
    }
}

/// Whether production is watched, or nobody can tell what the watch came to.
fn undecided(step: &Step) -> bool {
    match step {
        Step::Asked { ask, .. } | Step::Backoff { ask, .. } => *ask == Ask::Watch,
        Step::Rest(rest) => matches!(rest, Rest::WentSilent { .. }),
        Step::Queued(_) | Step::Running { .. } => false,
    }
}

/// Which later deploy took the task along, as the row says.
pub(super) fn later(row: &Row) -> Option<&Commit> {
    row.reasons.iter().find_map(|reason| match reason {
        Reason::LaterDeployRuns { commit } => Some(commit),
        _ => None,
    })
}

/// What the service answered, as the row has it.
fn seen(event: &Event) -> Option<&Health> {
    match event {
        Event::Reply(reply) => match &reply.outcome {
            Outcome::Done(Reply::Deploy(DeployReply::Probed(health))) => Some(health),
            Outcome::Done(_) | Outcome::Failed(_) => None,
        },
        _ => None,
    }
}

/// A task that was watched is done only if the watch ended well, and how it ended is what its record says (decision 18).
pub(super) fn ended_well(task: &Task) -> Result<(), Broken> {
    let Some(watch) = &task.watch else { return Ok(()) };
    if task.stage == Stage::Done && watch.end != Some(WatchEnd::Well) {
        return broken("done-means-watched", format!("{} is done, and its watch: {watch:?}", task.id));
    }
    let log = task.records.iter().find(|known| known.record == Record::PostDeployLog);
    let said = match watch.end {
        None => return Ok(()),
        Some(WatchEnd::Well) => FileVerdict::Positive,
        Some(WatchEnd::Bad) => FileVerdict::Negative,
    };
    match log.map(|log| &log.verdict) == Some(&said) {
        true => Ok(()),
        false => broken("a-verdict-is-its-record", format!("{}: {watch:?}, and the log is {log:?}", task.id)),
    }
}
