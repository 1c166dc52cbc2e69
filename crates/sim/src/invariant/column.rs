//! Which column tells the truth about a task? The bench's own table: one that asked core would find every column right.

use orch_core::call::tracker::Status;
use orch_core::stage::Stage;
use orch_core::task::{Ask, Rest, Step, Task};

/// The column that a person should see; `None` where the board is the person's own (the words of the product: the columns).
pub(super) fn of(task: &Task) -> Option<Status> {
    if !task.request.present {
        return None;
    }
    if task.escalated.is_some() {
        return Some(Status::Blocked);
    }
    let works = match task.stage {
        Stage::Created => None,
        Stage::Analysis => Some(Status::Analysis),
        Stage::Architecture => Some(Status::Architecture),
        Stage::Development => Some(Status::Development),
        Stage::Review => Some(Status::CodeReview),
        Stage::Testing => Some(Status::Testing),
        Stage::DeployStaging | Stage::Deploy => Some(Status::Deploying),
        Stage::Done => Some(Status::Done),
        Stage::Cancelled => Some(Status::Cancelled),
    };
    match &task.step {
        Step::Rest(Rest::Start | Rest::IssueGone) => None,
        // Who waits for a person says for what.
        Step::Rest(Rest::Questions) => Some(Status::NeedsInput),
        Step::Rest(Rest::Approval | Rest::Protected | Rest::RequestChanged) => Some(Status::InReview),
        Step::Rest(Rest::Confirmation) => Some(Status::AwaitingDeploy),
        Step::Rest(
            Rest::MergedOutside
            | Rest::Withdrawn
            | Rest::RunBudget { .. }
            | Rest::CannotTell { .. }
            | Rest::DeployUnseen
            | Rest::WentBad { .. }
            | Rest::WentSilent { .. }
            | Rest::Escalated,
        ) => Some(Status::Blocked),
        Step::Asked { ask: Ask::Watch, .. } | Step::Backoff { ask: Ask::Watch, .. } => {
            Some(Status::Monitoring)
        }
        Step::Rest(Rest::Over)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => works,
    }
}
