//! Do waits last as long as they were meant to, whatever the wall clock does?

use orch_core::change::Change;
use orch_core::event::Event;
use orch_core::id::Entity;
use orch_core::journal::Row;
use orch_core::task::Step;

use super::{Broken, Watch, broken};

impl Watch {
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
