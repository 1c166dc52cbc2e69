//! What do people do with a meaning? One gesture, one meaning; dangerous ones are their own (decisions 2, 37).

use serde::{Deserialize, Serialize};

use crate::call::Text;
use crate::call::tracker::Status;
use crate::id::Digest;

/// In whose name a demonstration approves and confirms: no system calls a user so.
pub const THE_DEMO: &str = "orch demo";

/// What a person did, from where, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gesture {
    /// The request's id: the same press twice is one press.
    pub request: String,
    /// Who, as the door they came through knows them.
    pub by: String,
    /// Through which door.
    pub via: Door,
    /// What they mean.
    pub what: Press,
}

/// Where a gesture came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// The board of the tracker.
    Board,
    /// The command line.
    CommandLine,
    /// The dashboard.
    Dashboard,
    /// The API.
    Api,
    /// A standing label (decision 37).
    Label,
}

/// The meanings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    /// Begin, or let the analyst go on, or (escalated) begin afresh where it stopped: To Analyse.
    Start,
    /// The requirements are approved; if `what` is given, only those.
    Approve {
        /// The digest of what was shown; `None` from doors that cannot say.
        what: Option<Digest>,
    },
    /// Not like this.
    Reject {
        /// Why; without it the newest comment is read (row 103).
        reason: Option<Text>,
    },
    /// Deploy this change.
    Confirm {
        /// The change that was shown; `None` from doors that cannot say.
        what: Option<Digest>,
    },
    /// Stop for good.
    Stop,
    /// Begin afresh where it stopped (decision 15), or try now what waits for its next try (decision 70).
    Retry,
    /// Go on although the request was edited after its approval, or the branch was taken away (decision 45).
    Continue,
    /// What somebody merged past the gates is right; if `what` is given, only that commit (decision 45).
    Accept {
        /// The digest of the commit that was shown; `None` from doors that cannot say.
        what: Option<Digest>,
    },
    /// One more run of an agent, whatever the budgets say (decisions 12, 37).
    Allow,
    /// How urgent it is.
    Priority(Priority),
    /// To the installation: give no new turns; what runs ends its run. With `drain`, tasks that have begun go on to
    /// their end and nothing new begins.
    Pause {
        /// Whether tasks that have begun go on.
        drain: bool,
    },
    /// To the installation: give turns again.
    Unpause,
    /// To a repository: freeze it.
    Freeze,
    /// To a repository: lift the freeze (row 142).
    Unfreeze,
}

/// How urgent: the order in which turns are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before all others.
    Urgent,
    /// Before the normal ones.
    High,
    /// As they come.
    #[default]
    Normal,
    /// After the others.
    Low,
}

impl Press {
    /// What a board status means as a gesture; indications mean nothing (decision 27).
    pub fn of_status(status: Status) -> Option<Press> {
        match status {
            Status::ToAnalyse => Some(Press::Start),
            Status::Approved => Some(Press::Approve { what: None }),
            Status::Rejected => Some(Press::Reject { reason: None }),
            Status::ConfirmDeploy => Some(Press::Confirm { what: None }),
            Status::Stop => Some(Press::Stop),
            Status::Backlog
            | Status::Analysis
            | Status::NeedsInput
            | Status::InReview
            | Status::Architecture
            | Status::Development
            | Status::CodeReview
            | Status::Testing
            | Status::AwaitingDeploy
            | Status::Deploying
            | Status::Monitoring
            | Status::Done
            | Status::Blocked
            | Status::InProgress
            | Status::Cancelled => None,
        }
    }

    /// The word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Press::Start => "start",
            Press::Approve { .. } => "approve",
            Press::Reject { .. } => "reject",
            Press::Confirm { .. } => "confirm",
            Press::Stop => "stop",
            Press::Retry => "retry",
            Press::Continue => "continue",
            Press::Accept { .. } => "accept",
            Press::Allow => "allow",
            Press::Priority(_) => "priority",
            Press::Pause { .. } => "pause",
            Press::Unpause => "unpause",
            Press::Freeze => "freeze",
            Press::Unfreeze => "unfreeze",
        }
    }
}
