//! What should the board show? Derived from the task alone; the newest value wins (decision 1, rows 110-113).

use crate::call::tracker::Status;
use crate::stage::Stage;
use crate::task::{Rest, Step, Task};

/// The column that tells the truth; `None` where the board is the person's own (before the start, or no issue).
pub fn wanted(task: &Task) -> Option<Status> {
    if !task.request.present {
        return None;
    }
    if task.escalated.is_some() {
        return Some(Status::Blocked);
    }
    match &task.step {
        Step::Rest(rest) => match rest {
            Rest::Start => return None,
            Rest::Questions => return Some(Status::NeedsInput),
            Rest::Approval | Rest::Protected | Rest::RequestChanged => return Some(Status::InReview),
            Rest::MergedOutside | Rest::Withdrawn | Rest::RunBudget { .. } => return Some(Status::Blocked),
            Rest::Confirmation => return Some(Status::AwaitingDeploy),
            Rest::IssueGone => return None,
            Rest::CannotTell { .. } | Rest::DeployUnseen | Rest::Escalated => return Some(Status::Blocked),
            Rest::WentBad { .. } | Rest::WentSilent { .. } => return Some(Status::Blocked),
            Rest::Over => {}
        },
        Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => {}
    }
    if task.is_watched() {
        return Some(Status::Monitoring);
    }
    match task.stage {
        Stage::Created => None,
        Stage::Analysis => Some(Status::Analysis),
        Stage::Architecture => Some(Status::Architecture),
        Stage::Development => Some(Status::Development),
        Stage::Review => Some(Status::CodeReview),
        Stage::Testing => Some(Status::Testing),
        Stage::DeployStaging | Stage::Deploy => Some(Status::Deploying),
        Stage::Done => Some(Status::Done),
        Stage::Cancelled => Some(Status::Cancelled),
    }
}
