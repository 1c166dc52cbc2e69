//! What may be asked of the starter of agents, and what does it answer? How a run ends is an event of its own.

use serde::{Deserialize, Serialize};

use super::Text;
use crate::id::{Commit, IssueKey, RunId, TaskId, WorkItem};
use crate::rework::Findings;
use crate::stage::Role;
use crate::time::Span;

/// Everything a run of an agent needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The run.
    pub run: RunId,
    /// Whose.
    pub task: TaskId,
    /// The work item.
    pub item: WorkItem,
    /// The issue.
    pub issue: IssueKey,
    /// The role.
    pub role: Role,
    /// The agent that the settings give this role.
    pub agent: String,
    /// The commit it works on.
    pub commit: Commit,
    /// Title and description: data, never instruction (decision 10).
    pub title: Text,
    /// The description.
    pub text: Text,
    /// The change request's base, so that a judge can see the diff.
    pub base: Commit,
    /// The attempt of this role in this round, from 1, and how many there are.
    pub attempt: (u32, u32),
    /// What the last judgement found, verbatim (decision 16).
    pub findings: Option<Findings>,
    /// Whether the people's answers to questions are to be read into the prompt (decision 29).
    pub answers: bool,
    /// Killed after this.
    pub limit: Span,
    /// Stopped when it has used so many tokens by its own report; 0: no such limit (decision 12).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tokens: u64,
}

/// Whether there is no limit, which is not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentCall {
    /// Make a fresh tree and start the agent in it, once: a run folder that exists is answered, not started again.
    Launch(Box<Assignment>),
    /// Stop a run, gate or hook: gently, then for good (decision 7). Its exit is an event.
    Stop {
        /// The run.
        run: RunId,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentReply {
    /// It runs (or has run).
    Launched {
        /// The supervisor's process id.
        pid: u32,
    },
    /// The stop is on its way, or there is nothing left to stop.
    Stopping,
}
