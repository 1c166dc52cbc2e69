//! Is production looked at after a deploy, and does nothing hurry past it? (invariant A7, decision 69)

use orch_core::artefact::FileVerdict;
use orch_core::call::deploy::Health;
use orch_core::call::{DeployReply, Reply};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome};
use orch_core::id::TaskId;
use orch_core::journal::Row;
use orch_core::policy::Policy;
use orch_core::record::Record;
use orch_core::stage::Stage;
use orch_core::task::{Ask, Rest, Step, Task, WatchEnd};

use super::{Broken, Watch, broken};
use crate::memory::MemoryJournal;

impl Watch {
    /// What a row tells of a watch: it begins where the policy wants one, ends within its looks, and ends well only by a
    /// look that saw that, or by a person's word.
    pub(super) fn watches(&mut self, id: &TaskId, row: &Row, journal: &MemoryJournal) -> Result<(), Broken> {
        for change in &row.changes {
            let Change::Watched(watch) = change else { continue };
            if watch.looks > watch.rules.looks() + watch.rules.failures {
                broken("a-watch-ends", format!("row {}: {id} is watched on and on: {watch:?}", row.seq))?;
            }
            if watch.end == Some(WatchEnd::Well) && !may_end_it_well(&row.event) {
                broken("well-is-what-was-seen", format!("row {}: nobody saw that {id} is well", row.seq))?;
            }
        }
        let by_the_service =
            |change: &Change| matches!(change, Change::Deployed(deployed) if deployed.healthy == Some(true));
        if row.changes.iter().any(|change| matches!(change, Change::CancelAsked(_))) {
            self.stopping.insert(id.clone());
        }
        // A stop that waited for the deploy is carried out then, and nobody looks any more.
        let done = row.changes.contains(&Change::Staged(Stage::Done)) && !self.stopping.contains(id);
        if done && row.changes.iter().any(by_the_service) {
            let kept = row.policy.as_ref().and_then(|digest| journal.kept(digest));
            let policy: Option<Policy> = kept.and_then(|bytes| serde_json::from_slice(bytes).ok());
            if policy.is_some_and(|policy| policy.watch.is_some()) {
                broken("done-means-watched", format!("row {}: {id} is done and nobody looks", row.seq))?;
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

/// The service names the commit and is well, or a later one that came out; or a person says so.
fn may_end_it_well(event: &Event) -> bool {
    match event {
        Event::Reply(reply) => matches!(
            &reply.outcome,
            Outcome::Done(Reply::Deploy(DeployReply::Probed(Health::Expected | Health::Other { .. })))
        ),
        Event::Gesture(_) => true,
        _ => false,
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
