//! What is known of a run of a task?

use serde::{Deserialize, Serialize};

use super::Job;
use crate::event::{RunHow, Usage};
use crate::id::{Commit, Digest, ProviderId, RunId};
use crate::said::Cause;
use crate::time::{Moment, Span};

/// A run, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    /// Which.
    pub run: RunId,
    /// Of what.
    pub job: Job,
    /// In which round.
    pub round: u32,
    /// On which commit.
    pub commit: Commit,
    /// Which agent, for agents' runs.
    pub agent: Option<String>,
    /// When it got its turn.
    pub at: Moment,
    /// How it ended; `None` while it lives.
    pub end: Option<RunHow>,
    /// How long it ran.
    pub wall: Span,
    /// What it used.
    pub usage: Usage,
    /// Bytes of its output that were too many to be kept: a finding of the run.
    #[serde(default, skip_serializing_if = "crate::call::agent::is_zero")]
    pub left_out: u64,
    /// Who allowed it whatever the budgets say, if somebody did (decision 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// By which definition of the tests it was started, for runs of the tests (decision 40).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Digest>,
    /// Whose model it asks, for agents' runs (decision 11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// What it lacked to count, if it ended well and brought nothing that can be used (decision 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacked: Option<Cause>,
}

impl RunRow {
    /// Whether it may live, for all that is known: a start that was refused for good may have happened when it was asked for
    /// before.
    pub(crate) fn may_live(&self) -> bool {
        match &self.end {
            None | Some(RunHow::CouldNotStart { .. }) => true,
            Some(
                RunHow::Exited { .. }
                | RunHow::Signalled { .. }
                | RunHow::TimedOut
                | RunHow::TooMuchOutput
                | RunHow::Stopped
                | RunHow::OverTokens { .. }
                | RunHow::Lost { .. }
                | RunHow::ProviderLimited { .. },
            ) => false,
        }
    }
}
