//! What is to be done outside, once? An effect is wanted by one decision, stored with it, performed after the commit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::id::{EffectId, Entity, IssueKey, ProjectId, TimerId};
use crate::time::Moment;

/// A wanted effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its idempotency key.
    pub id: EffectId,
    /// Effects of one line run one at a time, in order; those of different lines freely (decision 1).
    pub line: Line,
    /// Whose decision wanted it: the reply goes there.
    pub entity: Entity,
    /// In which project it happens.
    pub project: ProjectId,
    /// What to do.
    pub call: Call,
}

/// Which effects wait for one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// One issue of a tracker.
    Tracker(IssueKey),
    /// One repository, at forge and in git.
    Git(ProjectId),
    /// One run: launch, stop.
    Run(crate::id::TaskId),
    /// Cleaning up after a task: never on its path, and asked again until it is answered.
    Cleanup(ProjectId),
    /// Deploys of a project.
    Deploy(ProjectId),
    /// The branch of records: apart from the repository's line, so that a push that fails holds no task up (decision 18).
    Records(ProjectId),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Tracker(issue) => write!(f, "tracker/{issue}"),
            Line::Git(project) => write!(f, "git/{project}"),
            Line::Run(task) => write!(f, "run/{task}"),
            Line::Cleanup(project) => write!(f, "cleanup/{project}"),
            Line::Deploy(project) => write!(f, "deploy/{project}"),
            Line::Records(project) => write!(f, "records/{project}"),
        }
    }
}

/// A timer to be armed. An entity has at most one: arming another replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Its name.
    pub id: TimerId,
    /// When it is due.
    pub due: Moment,
}
