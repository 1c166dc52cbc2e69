//! Do waits last as long as they were meant to, whatever the wall clock does?

use orch_core::change::Change;
use orch_core::event::Event;
use orch_core::id::Entity;
use orch_core::journal::Row;
use orch_core::task::Step;
use orch_core::time::Boot;

use super::{Broken, Occasion, Watch, broken};

impl Watch {
    /// Time goes on in the journal: a row is earlier than the one before it only by as much as the wall clock was set back, and
    /// that is told first. What is less than half a second nobody notices (decision 62).
    pub(super) fn time_goes_on(&mut self, row: &Row) -> Result<(), Broken> {
        self.looks.count(Occasion::Row);
        let mut before = self.written.replace(row.at).unwrap_or(row.at);
        if let (Entity::Installation, Event::ClockStepped { by }) = (&row.entity, &row.event) {
            before = before.stepped_by(*by);
        }
        let back = before.since(row.at);
        match back > Boot::SLACK {
            true => {
                broken("time-goes-on", format!("row {} is {back} earlier than the row before it", row.seq))
            }
            false => Ok(()),
        }
    }

    /// A wait is as long as it was meant to be, however the wall clock is set meanwhile: no timer comes early by more than a
    /// second.
    pub(super) fn keeps_time(&mut self, row: &Row) -> Result<(), Broken> {
        let id = match (&row.entity, &row.event) {
            (Entity::Installation, Event::ClockStepped { by }) => {
                self.ahead += by;
                return Ok(());
            }
            (Entity::Task(id), _) => id,
            (_, _) => return Ok(()),
        };
        if let Event::Timer(timer) = &row.event
            && let Some((_, due)) = self.due.get(id).filter(|(armed, _)| armed == timer)
        {
            if row.at.0 - self.ahead + 1000 < *due {
                broken(
                    "no-timer-is-early",
                    format!("row {}: {timer} comes {} ms early", row.seq, due - row.at.0 + self.ahead),
                )?;
            }
            self.due.remove(id);
        }
        for change in &row.changes {
            if let Change::Stepped(step) = change {
                match &**step {
                    Step::Backoff { timer, due, .. } => {
                        self.due.insert(id.clone(), (*timer, due.0 - self.ahead));
                    }
                    Step::Rest(_) | Step::Asked { .. } | Step::Queued(_) | Step::Running { .. } => {
                        self.due.remove(id);
                    }
                }
            }
        }
        Ok(())
    }
}
