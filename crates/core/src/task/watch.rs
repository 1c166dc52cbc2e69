//! What was seen of production since its deploy was judged well, and until when is it watched? (decision 69)

use serde::{Deserialize, Serialize};

use super::{Ask, Step, Task};
use crate::id::Commit;
use crate::policy::WatchRules;
use crate::said::Cause;
use crate::time::{Moment, Span};

/// A watch after a deploy: what the looks so far saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The rules that held when it began.
    pub rules: WatchRules,
    /// What was deployed before the watched commit, if Orch knew it: who names that one rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Commit>,
    /// Looks so far.
    pub looks: u32,
    /// Looks that saw the service not well, or the commit before it.
    pub failed: u32,
    /// Looks that could not tell (decision 36).
    pub untold: u32,
    /// Bad looks since the last good one: silence between them makes them no fewer.
    pub failing: u32,
    /// Looks in a row that could not tell.
    pub silent: u32,
    /// How often a good look followed one that was not.
    pub flaps: u32,
    /// What the last look saw, if that was not good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Cause>,
    /// Whether people were told that it is silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    /// How it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<WatchEnd>,
}

/// How a watch ended: what its record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchEnd {
    /// Production is well.
    Well,
    /// Production went bad.
    Bad,
}

impl Watch {
    /// A watch that begins now.
    pub fn new(rules: WatchRules, before: Option<Commit>) -> Self {
        Self {
            rules,
            before,
            looks: 0,
            failed: 0,
            untold: 0,
            failing: 0,
            silent: 0,
            flaps: 0,
            last: None,
            told: false,
            end: None,
        }
    }

    /// Whether the last look was good.
    pub fn is_well(&self) -> bool {
        self.last.is_none()
    }

    /// How many looks are to come, if all of them are good; at least one as long as it is open.
    pub fn left(&self) -> u32 {
        self.rules.looks().saturating_sub(self.looks).max(1)
    }
}

impl Task {
    /// Whether production is being watched for it.
    pub fn is_watched(&self) -> bool {
        match &self.step {
            Step::Asked { ask, .. } | Step::Backoff { ask, .. } => *ask == Ask::Watch,
            Step::Rest(_) | Step::Queued(_) | Step::Running { .. } => false,
        }
    }

    /// Until about when production is watched for it.
    pub fn watched_until(&self) -> Option<Moment> {
        let watch = self.watch.as_ref().filter(|_| self.is_watched())?;
        let next = match &self.step {
            Step::Backoff { due, .. } => *due,
            Step::Asked { .. } => self.step_since,
            Step::Rest(_) | Step::Queued(_) | Step::Running { .. } => return None,
        };
        let after_it = u64::from(watch.left() - 1);
        Some(next.after(Span(watch.rules.every.0.saturating_mul(after_it))))
    }
}
