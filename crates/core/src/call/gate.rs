//! What may be asked of a gate that runs something? How it ends is an event of its own.

use serde::{Deserialize, Serialize};

use crate::id::{Commit, RunId, TaskId};
use crate::time::Span;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateCall {
    /// Run the project's setup and test commands on exactly this commit in a clean checkout, under the supervisor,
    /// once (decision 9).
    Ci {
        /// The run.
        run: RunId,
        /// Whose.
        task: TaskId,
        /// The commit.
        commit: Commit,
        /// The policy's `setup` command, if any.
        setup: Vec<String>,
        /// The policy's `test` command.
        test: Vec<String>,
        /// The policy's `cache` paths.
        cache: Vec<String>,
        /// Killed after this.
        limit: Span,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateReply {
    /// It runs (or has run).
    Launched {
        /// The supervisor's process id.
        pid: u32,
    },
}
