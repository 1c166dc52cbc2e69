//! What does a row of the journal alone tell?

use orch_core::call::{Call, ForgeCall, GitCall};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, FreezeCause, Outcome, RunHow};
use orch_core::id::{Entity, TaskId};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::rework::Judge;
use orch_core::task::Step;

use super::{Broken, Watch, broken};

/// By whom a repository is frozen, and why.
pub(super) type FrozenBy = (Option<TaskId>, FreezeCause);

/// What keeps a task from merging: a person, a main that nobody knows, and other tasks. Of two deploys that went wrong the one
/// that froze first is repaired first.
pub(super) fn keeps<'f>(freezes: &'f [FrozenBy], id: &TaskId) -> Option<&'f FrozenBy> {
    let mut mine = false;
    freezes.iter().find(|(by, cause)| match by {
        Some(by) if by == id => {
            mine = true;
            false
        }
        Some(_) => !(mine && matches!(cause, FreezeCause::DeployFailed | FreezeCause::WentBad)),
        None => true,
    })
}

impl Watch {
    /// What stands in the way of every merge from this row on.
    pub(super) fn keeps_from_merging(&mut self, row: &Row) {
        for change in &row.changes {
            match (&row.entity, change) {
                (Entity::Repository(project), Change::Frozen { task, cause }) => {
                    self.freezes.entry(project.clone()).or_default().push((task.clone(), cause.clone()));
                }
                (Entity::Repository(project), Change::Thawed { task }) => {
                    let freezes = self.freezes.entry(project.clone()).or_default();
                    freezes.retain(|(by, _)| task.is_some() && by != task);
                }
                (Entity::Installation, Change::Paused(pause)) => self.paused = !pause.drain,
                (Entity::Installation, Change::Unpaused) => self.paused = false,
                _ => {}
            }
        }
    }

    /// Whether somebody else froze the repository of a task.
    pub(super) fn keeps_back(&self, id: &TaskId) -> bool {
        let freezes = self.items.get(&id.item()).and_then(|(project, _)| self.freezes.get(project));
        freezes.is_some_and(|freezes| keeps(freezes, id).is_some())
    }

    /// Nothing merges while it is paused, or while the repository is frozen by another task, a person or a rewritten main.
    pub(super) fn may_merge(&self, id: &TaskId, effect: &Effect, row: &Row) -> Result<(), Broken> {
        let freezes = self.freezes.get(&effect.project).map(Vec::as_slice).unwrap_or_default();
        if let Some(by) = keeps(freezes, id) {
            broken("frozen-means-no-merge", format!("row {}: {id} merges, frozen by {by:?}", row.seq))?;
        }
        self.waits_for_the_watch(id, effect, row)?;
        match self.paused {
            true => broken("paused-means-no-merge", format!("row {}: {id} merges", row.seq)),
            false => Ok(()),
        }
    }

    /// Nobody asks for a change of branch or change request while the same question is on its way.
    pub(super) fn asks(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        if let Event::Reply(reply) = &row.event {
            self.questions.remove(&reply.effect);
        }
        for effect in row.effects.iter().filter(|effect| moves_branch(&effect.call)) {
            let question = (id.clone(), effect.call.clone());
            if self.questions.values().any(|open| *open == question) {
                broken(
                    "nothing-is-asked-twice",
                    format!("row {}: {:?} is on its way", row.seq, effect.call),
                )?;
            }
            self.questions.insert(effect.id, question);
        }
        Ok(())
    }

    /// What a row of the journal alone tells.
    pub(super) fn row(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        if let Event::Granted(grant) = &row.event
            && self.waits.get(id) != Some(&(grant.turn, grant.wanted.0))
        {
            broken("grants-only-to-who-waits", format!("row {}: {id} does not wait for that turn", row.seq))?;
        }
        // A person's word stays one, also where its reason could not be read.
        let by_person = |reason: &Reason| matches!(reason, Reason::SentBack { judge: Judge::Person(_), .. });
        let judged = row.reasons.iter().any(by_person);
        let blameless = !judged
            && match &row.event {
                Event::Reply(reply) => matches!(reply.outcome, Outcome::Failed(_)),
                Event::RunEnded(end) => matches!(
                    end.how,
                    RunHow::CouldNotStart { .. } | RunHow::Lost { .. } | RunHow::ProviderLimited { .. }
                ),
                Event::Issue(_)
                | Event::Main(_)
                | Event::Gesture(_)
                | Event::Timer(_)
                | Event::Granted(_)
                | Event::Message(_)
                | Event::PolicyChanged(_)
                | Event::PolicyRefused(_)
                | Event::Branch(_)
                | Event::ProjectRetired
                | Event::LimitsChanged(_)
                | Event::SettingsRefused(_)
                | Event::Started(_)
                | Event::ClockStepped { .. }
                | Event::Store(_)
                | Event::Disk(_) => false,
            };
        for change in &row.changes {
            if let Change::Attempted(attempts) = change {
                let before = self.attempts.insert(id.clone(), *attempts).unwrap_or_default();
                if blameless && (attempts.negative > before.negative || attempts.fruitless > before.fruitless)
                {
                    broken("infrastructure-is-nobodys-fault", format!("row {} charges {id}", row.seq))?;
                }
            }
            // The wait is known row by row: several rows may come between two looks.
            if let Change::Stepped(step) = change {
                match &**step {
                    Step::Queued(want) => {
                        self.waits.insert(id.clone(), (want.turn(), row.seq.0));
                    }
                    Step::Rest(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => {
                        self.waits.remove(id);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a call changes where a task's branch or its change request is.
pub(super) fn moves_branch(call: &Call) -> bool {
    matches!(
        call,
        Call::Git(GitCall::CutBranch { .. } | GitCall::Collect { .. } | GitCall::BuildCandidate { .. })
            | Call::Forge(ForgeCall::OpenChange { .. } | ForgeCall::Restore { .. })
    )
}
