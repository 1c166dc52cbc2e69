//! Is every issue known, and does every task that is not over say what it does or waits for? (invariant P5, decision 4)

use orch_core::call::tracker::Status;
use orch_core::hold::{HoldKind, Standing, standing};
use orch_core::said::Cause;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Delay, Rest, Step, Task, Why};
use orch_core::time::Moment;
use orch_engine::Engine;

use super::{Broken, broken};
use crate::twin::Twin;
use crate::world::World;

/// A task that is not over is worked on, and it can be told by what; or it waits, and it can be told for what.
pub(super) fn has_a_reason(task: &Task, stands: &Standing) -> Result<(), Broken> {
    let nobody_knows = |what: &str| {
        broken("a-reason-for-every-wait", format!("{} at {} {what}: {:?}", task.id, task.stage, task.step))
    };
    if task.stage.is_terminal() {
        return match stands {
            Standing::Over { .. } => Ok(()),
            Standing::Working { .. } | Standing::Held(_) => nobody_knows("is over and seems to go on"),
        };
    }
    match stands {
        Standing::Over { .. } => nobody_knows("seems to be over"),
        Standing::Working { run: None, ask: None, .. } => nobody_knows("is worked on by nobody"),
        Standing::Working { .. } => Ok(()),
        Standing::Held(holds) if holds.is_empty() => nobody_knows("waits and nobody knows why"),
        Standing::Held(holds) if holds.iter().any(|hold| tells_nothing(&hold.kind)) => {
            nobody_knows("waits for what has no words")
        }
        Standing::Held(_) if (task.step == Step::Rest(Rest::Escalated)) != task.escalated.is_some() => {
            nobody_knows("needs a person, and does not")
        }
        Standing::Held(_) => Ok(()),
    }
}

/// Whether the words that belong to a hold are missing.
fn tells_nothing(kind: &HoldKind) -> bool {
    let none = |cause: &Cause| *cause == Cause::default();
    match kind {
        HoldKind::Escalated(why) => match why {
            Why::Outside { cause }
            | Why::Fruitless { cause, .. }
            | Why::Unproven { cause }
            | Why::Machine { cause } => none(cause),
            Why::RoundsSpent
            | Why::Conflicts
            | Why::RequestTooShort { .. }
            | Why::NoTests
            | Why::NoHook
            | Why::RollbackFailed
            | Why::NoAgent { .. } => false,
        },
        HoldKind::CannotTell { cause }
        | HoldKind::WentBad { cause }
        | HoldKind::WentSilent { cause }
        | HoldKind::Provider { cause, .. } => none(cause),
        HoldKind::RetryAt { cause, .. } => match cause {
            Delay::Outage { cause } | Delay::NotYet { cause } => none(cause),
            Delay::Provider { cause } => cause.is_empty(),
            Delay::CheckoutDirty { path, .. } => path.is_empty(),
            Delay::Watching => false,
        },
        HoldKind::Protected { paths } => paths.is_empty(),
        _ => false,
    }
}

/// Where nothing moves any more: no issue that is there is unknown or unheard, and whoever waits for a turn is kept by something.
pub(super) fn nothing_is_lost(engine: &Engine<Twin>, world: &World) -> Result<(), Broken> {
    let journal = engine.journal_ref();
    let now = journal.all().last().map_or(Moment(0), |row| row.at);
    let tasks = || {
        journal.states().values().filter_map(|kept| match &kept.state {
            State::Task(task) => Some(&**task),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        })
    };
    for (key, issue) in world.tracker.issues.iter().filter(|(_, issue)| issue.present) {
        let lives = tasks().filter(|task| task.project == issue.project && task.issue == *key);
        let Some(newest) = lives.max_by_key(|task| task.id.life()) else {
            return broken("every-issue-has-its-task", format!("no task was born for {key}"));
        };
        let idle = match newest.stage {
            Stage::Cancelled => newest.board.refused.is_none(),
            _ => newest.step == Step::Rest(Rest::Start),
        };
        if issue.status == Some(Status::ToAnalyse) && idle {
            return broken(
                "every-issue-has-its-task",
                format!("{key} is to be analysed, and {} does {:?}", newest.id, newest.step),
            );
        }
    }
    for task in tasks() {
        let stands = standing(task, engine.board(), engine.policies(), now);
        has_a_reason(task, &stands)?;
        if let Standing::Held(holds) = &stands
            && let Some(hold) = holds.iter().find(|hold| matches!(hold.kind, HoldKind::Turn { .. }))
        {
            broken(
                "a-reason-for-every-wait",
                format!("{} waits for a turn that does not come: {hold:?}", task.id),
            )?;
        }
    }
    Ok(())
}
