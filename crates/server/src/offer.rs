//! Which gestures mean something now? What buttons and `gestures` in the API show; the same rules as `core` decides by.

use orch_core::artefact::requirements_digest;
use orch_core::gesture::Press;
use orch_core::hold::{HoldKind, Standing, standing};
use orch_core::id::Digest;
use orch_core::outside::named;
use orch_core::record::Recorded;
use orch_core::stage::Stage;
use orch_core::task::{Delay, Rest, Step, Task};
use orch_core::time::Moment;

use crate::source::Seen;

/// A gesture that means something now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Begin.
    Start,
    /// The questions are answered: go on.
    Answered,
    /// Analyse the changed request again.
    AnalyseAgain,
    /// Approve the requirements.
    Approve(Digest),
    /// Approve a diff of protected paths.
    ApproveProtected(Digest),
    /// Confirm exactly this change.
    Confirm(Digest),
    /// Not like this, with a reason.
    Reject,
    /// Go on although the request changed.
    Continue,
    /// Bring back what somebody took away, and go on.
    Restore,
    /// What somebody merged past the gates is right.
    Accept(Digest),
    /// What the hook says that it deployed is out and well.
    AcceptDeploy(Digest),
    /// One more run whatever the budgets say.
    Allow,
    /// Begin afresh where it stopped, try now what waits for its next try, or push again what the branch of records refused.
    Retry,
    /// Another urgency.
    Priority,
    /// Stop for good.
    Stop,
}

impl Offer {
    /// The word of the gesture, as the API's path has it.
    pub(crate) const fn path(&self) -> &'static str {
        match self {
            Offer::Start | Offer::Answered | Offer::AnalyseAgain => "start",
            Offer::Approve(_) | Offer::ApproveProtected(_) => "approve",
            Offer::Confirm(_) => "confirm",
            Offer::Reject => "reject",
            Offer::Continue | Offer::Restore => "continue",
            Offer::Accept(_) | Offer::AcceptDeploy(_) => "accept",
            Offer::Allow => "allow",
            Offer::Retry => "retry",
            Offer::Priority => "priority",
            Offer::Stop => "stop",
        }
    }

    /// What it binds to, if it binds.
    pub(crate) fn what(&self) -> Option<&Digest> {
        match self {
            Offer::Approve(what)
            | Offer::ApproveProtected(what)
            | Offer::Confirm(what)
            | Offer::Accept(what)
            | Offer::AcceptDeploy(what) => Some(what),
            Offer::Start
            | Offer::Answered
            | Offer::AnalyseAgain
            | Offer::Reject
            | Offer::Continue
            | Offer::Restore
            | Offer::Allow
            | Offer::Retry
            | Offer::Priority
            | Offer::Stop => None,
        }
    }

    /// The gesture, where it needs nothing more.
    pub(crate) fn press(path: &str, what: Option<Digest>) -> Option<Press> {
        Some(match path {
            "start" => Press::Start,
            "approve" => Press::Approve { what },
            "confirm" => Press::Confirm { what },
            "continue" => Press::Continue,
            "accept" => Press::Accept { what },
            "allow" => Press::Allow,
            "retry" => Press::Retry,
            "stop" => Press::Stop,
            _ => return None, // not a domain enum
        })
    }
}

/// What means something now, the likeliest first.
pub(crate) fn offers(task: &Task, seen: &Seen, now: Moment) -> Vec<Offer> {
    let refused = task.records.iter().any(Recorded::is_refused);
    if task.stage.is_terminal() || task.cancel.is_some() {
        return if refused { vec![Offer::Retry] } else { Vec::new() };
    }
    let mut found = Vec::new();
    let acceptable = matches!(
        task.step,
        Step::Rest(Rest::MergedOutside | Rest::Escalated | Rest::IssueGone | Rest::RequestChanged)
    );
    found.extend(task.merged_outside().filter(|_| acceptable).map(|by| Offer::Accept(named(&by.commit))));
    if task.escalated.is_some() {
        found.push(Offer::Retry);
    } else if let Step::Rest(rest) = &task.step {
        match rest {
            Rest::Start => found.push(Offer::Start),
            Rest::Questions => found.push(Offer::Answered),
            Rest::Approval => found.push(Offer::Approve(requirements_digest(&task.artefacts))),
            Rest::Protected => {
                found.extend(task.protected.as_ref().map(|p| Offer::ApproveProtected(p.diff.clone())));
            }
            Rest::Confirmation => found.extend(task.change().cloned().map(Offer::Confirm)),
            Rest::RequestChanged => found.extend([Offer::Continue, Offer::AnalyseAgain]),
            Rest::CannotTell { .. } | Rest::WentBad { .. } | Rest::WentSilent { .. } => {
                found.push(Offer::Retry);
                found.extend(task.merged.as_ref().map(|by| Offer::AcceptDeploy(named(&by.commit))));
                found.push(Offer::Reject);
            }
            Rest::DeployUnseen => {
                found.extend(task.merged.as_ref().map(|by| Offer::AcceptDeploy(named(&by.commit))));
                found.extend([Offer::Reject, Offer::Retry]);
            }
            Rest::Withdrawn => found.push(Offer::Restore),
            Rest::RunBudget { .. } => found.push(Offer::Allow),
            Rest::MergedOutside | Rest::IssueGone | Rest::Escalated | Rest::Over => {}
        }
    } else if task.is_watched() {
        found.extend(task.merged.as_ref().map(|by| Offer::AcceptDeploy(named(&by.commit))));
        found.push(Offer::Reject);
    } else if let Step::Backoff {
        cause: Delay::Outage { .. } | Delay::NotYet { .. } | Delay::CheckoutDirty { .. },
        ..
    } = task.step
    {
        found.push(Offer::Retry);
    } else if budget_holds(task, seen, now) {
        found.push(Offer::Allow);
    }
    let rejectable = task.stage != Stage::Created
        && !task.is_critical()
        && task.merged.is_none()
        && task.merged_outside().is_none();
    if rejectable && task.escalated.is_none() {
        found.push(Offer::Reject);
    }
    if refused && !found.contains(&Offer::Retry) {
        found.push(Offer::Retry);
    }
    found.extend([Offer::Priority, Offer::Stop]);
    found
}

/// Whether a budget keeps the task from its next run.
fn budget_holds(task: &Task, seen: &Seen, now: Moment) -> bool {
    match standing(task, &seen.board, &seen.policies, now) {
        Standing::Held(holds) => holds
            .iter()
            .any(|hold| matches!(hold.kind, HoldKind::TaskBudget { .. } | HoldKind::DayBudget { .. })),
        Standing::Working { .. } | Standing::Over { .. } => false,
    }
}
