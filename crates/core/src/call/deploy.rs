//! What may be asked of a deploy target, and what does it answer?

use serde::{Deserialize, Serialize};

use crate::id::{Commit, RunId, TaskId};
use crate::said::Cause;
use crate::time::Span;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployCall {
    /// Start the project's deploy hook for a commit of main, once, detached (decision 22). How it ends is an event.
    Hook {
        /// The run.
        run: RunId,
        /// Whose.
        task: TaskId,
        /// The commit to deploy: main after the merge.
        commit: Commit,
        /// What was deployed before, if known: the last commit that came out well.
        previous: Option<Commit>,
        /// No result after this: probe.
        limit: Span,
    },
    /// Ask the deployed service who it is and whether it is well (decision 22).
    Probe {
        /// The commit it should name.
        commit: Commit,
    },
}

/// What a service says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It names the expected commit and is well.
    Expected,
    /// It names another commit.
    Other {
        /// Which.
        commit: String,
    },
    /// It names the expected commit and is not well.
    Unwell {
        /// What it said.
        cause: Cause,
    },
    /// It says nothing that can be understood: cannot tell (decision 36).
    CannotTell {
        /// What was seen.
        cause: Cause,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployReply {
    /// The hook runs (or has run).
    Launched {
        /// The supervisor's process id.
        pid: u32,
    },
    /// What the probe saw.
    Probed(Health),
}
