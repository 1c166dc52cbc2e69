//! Does what a row does follow from what happened?

use orch_core::call::{AgentCall, Call};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome, Usage};
use orch_core::id::TaskId;
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::stage::Stage;
use orch_core::task::{Ask, Step};

use super::{Broken, Occasion, Watch, broken};

impl Watch {
    /// Looks at a row of a task. What is known of the task is from the rows before it.
    pub(super) fn course(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        let escalated = self.escalated.contains(id);
        // A press is told by whatever reads the board, the answer to Orch's own write too; that there was one is looked at by
        // itself.
        let by_person = row.reasons.iter().any(|reason| matches!(reason, Reason::GestureTaken { .. }));
        let stranger = matches!(&row.event, Event::RunEnded(end) if self.lives.get(id) != Some(&end.run));
        if escalated {
            self.looks.count(Occasion::Escalated);
        }
        if stranger {
            self.looks.count(Occasion::Late);
        }
        let pressed = |name: &str| {
            row.reasons
                .iter()
                .any(|reason| matches!(reason, Reason::GestureTaken { press, .. } if press == name))
        };
        if pressed("start") {
            self.wanted.insert(id.clone());
        }
        self.lets_work(id, row)?;
        for change in &row.changes {
            if escalated && !by_person && moves(change) {
                broken("escalated-is-left-alone", format!("row {}: {id} goes on by itself", row.seq))?;
            }
            if stranger && moves(change) {
                broken("late-results-do-nothing", format!("row {}: {id} heeds a run of the past", row.seq))?;
            }
            match change {
                Change::Born { id, project, reading } => {
                    let issue = (project.clone(), reading.issue.clone());
                    let owner = self.items.entry(id.item()).or_insert_with(|| issue.clone());
                    if *owner != issue {
                        broken("ids-belong-to-one-issue", format!("row {}: {id} has two issues", row.seq))?;
                    }
                }
                Change::Staged(Stage::Analysis) if !self.wanted.contains(id) => {
                    broken("begun-only-when-asked", format!("row {}: nobody asked for {id}", row.seq))?;
                }
                Change::Consented(Some(consent)) if !consent.standing && !pressed("confirm") => {
                    broken("consent-is-a-persons", format!("row {}: nobody confirmed {id}", row.seq))?;
                }
                Change::Approved(Some(consent)) if !consent.standing && !pressed("approve") => {
                    broken("consent-is-a-persons", format!("row {}: nobody approved {id}", row.seq))?;
                }
                Change::Escalated(Some(_)) => drop(self.escalated.insert(id.clone())),
                Change::Escalated(None) => drop(self.escalated.remove(id)),
                Change::Stepped(step) => match run_of(step) {
                    Some(run) => drop(self.lives.insert(id.clone(), run)),
                    None => drop(self.lives.remove(id)),
                },
                Change::RunOver { run, usage, .. } => {
                    if let Event::RunEnded(end) = &row.event
                        && (end.run != *run || end.usage != *usage)
                    {
                        broken("costs-add-up", format!("row {}: {run} used {usage:?}", row.seq))?;
                    }
                    let sum = self.costs.entry(id.clone()).or_default();
                    *sum = sum.plus(*usage);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody stops the run that a task waits for, but for a person who said so, a start that failed, or tests that are others
    /// by now.
    fn lets_work(&self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        let waited_for = |effect: &Effect| match &effect.call {
            Call::Agent(AgentCall::Stop { run }) => self.lives.get(id) == Some(run),
            Call::Agent(AgentCall::Launch(_))
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_)
            | Call::Gate(_)
            | Call::Deploy(_) => false,
        };
        let said = |reason: &Reason| {
            matches!(
                reason,
                Reason::GestureTaken { .. } | Reason::EvidenceLapsed { .. } | Reason::StopDeferred
            )
        };
        let failed = matches!(&row.event, Event::Reply(reply) if matches!(reply.outcome, Outcome::Failed(_)));
        // A stop that was put off is carried out.
        let stopped = row.changes.iter().any(|change| matches!(change, Change::Staged(Stage::Cancelled)));
        if failed || stopped || row.reasons.iter().any(said) || !row.effects.iter().any(waited_for) {
            return Ok(());
        }
        broken("who-works-is-let-work", format!("row {}: {id} stops its run, and nobody said so", row.seq))
    }

    /// What the runs of a task used is what they said in the end, all classes of tokens, once.
    pub(super) fn costs(&self, id: &TaskId, used: Usage) -> Result<(), Broken> {
        let sum = self.costs.get(id).copied().unwrap_or_default();
        if sum == used {
            return Ok(());
        }
        broken("costs-add-up", format!("{id}: {used:?}, and its runs said {sum:?}"))
    }
}

/// Whether a change lets a task go on.
fn moves(change: &Change) -> bool {
    match change {
        Change::Stepped(step) => !matches!(**step, Step::Rest(_)),
        Change::Staged(stage) => !stage.is_terminal(),
        Change::RunBegan(_) | Change::RoundOpened => true,
        _ => false,
    }
}

/// The run that a step waits for, or still has to start.
fn run_of(step: &Step) -> Option<orch_core::id::RunId> {
    match step {
        Step::Running { run, .. }
        | Step::Asked { ask: Ask::Launch { run, .. }, .. }
        | Step::Backoff { ask: Ask::Launch { run, .. }, .. } => Some(*run),
        Step::Asked { .. } | Step::Backoff { .. } | Step::Rest(_) | Step::Queued(_) => None,
    }
}
