//! What is to be done outside, once? An effect is wanted by one decision, stored with it, performed after the commit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::call::{AgentCall, Call, DeployCall, ForgeCall, GateCall, GitCall, TrackerCall};
use crate::id::{Commit, EffectId, Entity, IssueKey, ProjectId, RunId, TimerId, WorkItem};
use crate::record::Record;
use crate::time::Moment;

/// A wanted effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its idempotency key.
    pub id: EffectId,
    /// Effects of one line run one at a time, in order; those of different lines freely (decision 1). One that waits to be
    /// tried again lets pass what touches another [`Thing`] (decision 61).
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

/// What an effect touches. Effects of one line that touch the same keep their order whatever happens to them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The comments of the line's issue.
    Comments,
    /// The column of the line's issue.
    Column,
    /// A verdict shown at a commit.
    Verdict(Commit, String),
    /// The branch and the change request of a work item.
    Branch(Option<WorkItem>),
    /// A run.
    Run(RunId),
    /// A record of a work item.
    Record(WorkItem, Record),
}

impl Effect {
    /// What it touches; `None` for a question that changes nothing.
    pub fn touches(&self) -> Option<Thing> {
        let branch = || match &self.entity {
            Entity::Task(task) => Thing::Branch(Some(task.item())),
            Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation => {
                Thing::Branch(None)
            }
        };
        Some(match &self.call {
            Call::Tracker(TrackerCall::ReadComments { .. }) => return None,
            Call::Tracker(TrackerCall::Comment { .. }) => Thing::Comments,
            Call::Tracker(TrackerCall::SetStatus { .. }) => Thing::Column,
            Call::Forge(ForgeCall::SetCommitStatus { commit, context, .. }) => {
                Thing::Verdict(commit.clone(), context.clone())
            }
            Call::Forge(
                ForgeCall::OpenChange { .. }
                | ForgeCall::Restore { .. }
                | ForgeCall::Merge { .. }
                | ForgeCall::CloseChange { .. }
                | ForgeCall::DeleteBranch { .. },
            )
            | Call::Git(
                GitCall::CutBranch { .. } | GitCall::Collect { .. } | GitCall::BuildCandidate { .. },
            ) => branch(),
            Call::Git(GitCall::Prove { .. }) | Call::Deploy(DeployCall::Probe { .. }) => return None,
            Call::Git(GitCall::WriteRecord { record, item, .. }) => Thing::Record(item.clone(), *record),
            Call::Git(GitCall::DropTree { run })
            | Call::Agent(AgentCall::Stop { run })
            | Call::Gate(GateCall::Ci { run, .. })
            | Call::Deploy(DeployCall::Hook { run, .. }) => Thing::Run(*run),
            Call::Agent(AgentCall::Launch(work)) => Thing::Run(work.run),
        })
    }

    /// Whether it puts something on main.
    pub fn merges(&self) -> bool {
        matches!(self.call, Call::Forge(ForgeCall::Merge { .. }))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::call::DeployCall;

    fn effect(call: Call) -> Effect {
        let (entity, line) = (Entity::Task("D-001~2".into()), Line::Git("demo".into()));
        Effect { id: EffectId::new(crate::id::Seq(7), 0), line, entity, project: "demo".into(), call }
    }

    /// Proves that effects on the same thing are known as such, that a question touches nothing, and that of all of them the
    /// merge alone puts something on main.
    #[test]
    fn an_effect_says_what_it_touches() {
        let branch = Some(Thing::Branch(Some(WorkItem::from("D-001"))));
        let delete = effect(Call::Forge(ForgeCall::DeleteBranch {
            branch: "feature/D-001-x".to_owned(),
            head: "c".into(),
        }));
        assert_eq!((delete.touches(), delete.merges()), (branch, false));
        let probe = effect(Call::Deploy(DeployCall::Probe { commit: "c".into() }));
        assert_eq!((probe.touches(), probe.merges()), (None, false));
        let drop = effect(Call::Git(GitCall::DropTree { run: RunId::new(crate::id::Seq(3), 0) }));
        assert_eq!(drop.touches(), Some(Thing::Run(RunId::new(crate::id::Seq(3), 0))));
    }
}
