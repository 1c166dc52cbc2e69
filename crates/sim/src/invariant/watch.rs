//! Is production looked at after a deploy, and does nothing hurry past it? (invariant A7, decision 69)

use orch_core::artefact::FileVerdict;
use orch_core::call::deploy::Health;
use orch_core::call::{DeployReply, Reply};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome};
use orch_core::id::TaskId;
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::record::Record;
use orch_core::stage::Stage;
use orch_core::task::{Ask, Rest, Step, Task, WatchEnd};
use orch_engine::Engine;

use super::done::accepts;
use super::merge::came_out_well;
use super::{Broken, Watch, broken};
use crate::twin::Twin;
use crate::world::World;

impl Watch {
    /// What a row tells of a watch: it ends within its looks, each look is what the service answered, and it ends well only
    /// when all its looks are over and the last saw that, or a later deploy, or by the word of a person who looked.
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
                && !is_later(row)
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
                Some(Health::Other { commit }) => is_later(row) && came_later(id, commit, engine, world),
                Some(Health::Unwell { .. } | Health::CannotTell { .. }) => false,
                None => accepts(row),
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

fn is_later(row: &Row) -> bool {
    row.reasons.iter().any(|reason| matches!(reason, Reason::LaterDeployRuns { .. }))
}

/// Whether this commit was deployed after the one of the task that is watched, and came out well.
fn came_later(id: &TaskId, commit: &str, engine: &Engine<Twin>, world: &World) -> bool {
    let own = world.hooks.iter().rposition(|(_, _, whose, _)| whose == id);
    let later = world.hooks.iter().skip(own.map_or(0, |at| at + 1));
    let named = later.map(|(_, later, _, _)| later).filter(|later| later.as_str().starts_with(commit));
    named.into_iter().any(|later| came_out_well(engine, later))
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
