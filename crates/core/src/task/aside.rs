//! What is known of a task beside its own way: what people did to it, and what nobody knows yet?

use serde::{Deserialize, Serialize};

use super::{Ask, Job, Task};
use crate::call::Text;
use crate::event::InMain;
use crate::id::{EffectId, RunId};

/// A question of which nobody knows what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// The effect by which it was asked last.
    pub effect: EffectId,
    /// What was asked.
    pub ask: Ask,
}

/// A run that nobody waits for any more, and of which nobody heard yet that it was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// By which effect.
    pub effect: EffectId,
    /// Which run.
    pub run: RunId,
}

impl Task {
    /// A run that nobody waits for any more and that may live still: its stop is on its way.
    pub fn stopping_run(&self) -> Option<(RunId, Job)> {
        let row_of = |run| self.runs.iter().rev().find(|row| row.run == run);
        let mut stopping = self.stopping.iter().filter_map(|stopping| row_of(stopping.run));
        stopping.find(|row| row.may_live()).map(|row| (row.run, row.job))
    }
}

/// What people did with a task's branch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outside {
    /// Main got it by this commit, not by Orch's hand.
    pub in_main: Option<InMain>,
    /// Somebody took the branch or its change request away.
    pub withdrawn: Option<Withdrawn>,
    /// Whether people were told: once, however often it is in the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

/// What somebody took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawn {
    /// The task branch was deleted.
    Branch,
    /// The change request was closed.
    ChangeRequest,
}

/// A rejection that could not be carried out at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// By whom.
    pub by: String,
    /// Why, if it was said.
    pub reason: Option<Text>,
}
