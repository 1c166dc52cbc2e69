//! Does what a task waits for live, and are its branch and its trees its own? (invariants B1 and E2)

use std::collections::BTreeMap;

use orch_core::call::{AgentCall, Call, DeployCall, ForgeCall, GateCall, GitCall};
use orch_core::change::Change;
use orch_core::id::{ProjectId, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::stage::Stage;
use orch_core::task::Step;

use super::{Broken, Watch, broken};
use crate::world::World;
use crate::world::works::Worker;

/// Whose is what?
#[derive(Debug, Default)]
pub(super) struct Owned {
    /// Each run has a tree of its own.
    runs: BTreeMap<RunId, TaskId>,
    branches: BTreeMap<(ProjectId, String), TaskId>,
    /// The run that a task waits for and that is said to run.
    running: BTreeMap<TaskId, RunId>,
}

impl Watch {
    /// What this row takes or touches is the task's own.
    pub(super) fn owns(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        let Some((project, _)) = self.items.get(&id.item()) else { return Ok(()) };
        let owned = &mut self.owned;
        let shared = |what: String, other: &TaskId| {
            broken("one-branch-a-task", format!("row {}: {id} and {other} share {what}", row.seq))
        };
        for change in &row.changes {
            match change {
                Change::Branched(branch) => {
                    let key = (project.clone(), branch.name.clone());
                    let owner = owned.branches.entry(key).or_insert_with(|| id.clone());
                    if owner != id {
                        shared(branch.name.clone(), owner)?;
                    }
                }
                Change::RunBegan(run) => {
                    let owner = owned.runs.entry(run.run).or_insert_with(|| id.clone());
                    if owner != id {
                        shared(format!("the tree of {}", run.run), owner)?;
                    }
                }
                Change::Staged(Stage::Cancelled) => owned.branches.retain(|_, owner| owner != id),
                Change::Stepped(step) => match &**step {
                    Step::Running { run, .. } => drop(owned.running.insert(id.clone(), *run)),
                    Step::Rest(_) | Step::Queued(_) | Step::Asked { .. } | Step::Backoff { .. } => {
                        owned.running.remove(id);
                    }
                },
                _ => {}
            }
        }
        for effect in &row.effects {
            if let Some(run) = run_of(&effect.call)
                && let Some(owner) = owned.runs.get(&run).filter(|owner| *owner != id)
            {
                shared(format!("the tree of {run}"), owner)?;
            }
            // Where a life that is over looks for what it left, its head tells whether that is its own.
            let Some((branch, head)) = branch_of(&effect.call) else { continue };
            let key = (effect.project.clone(), branch.to_owned());
            let Some(owner) = owned.branches.get(&key).filter(|owner| *owner != id) else { continue };
            let stands = world.repositories.get(&effect.project).is_some_and(|known| {
                known.branches().any(|(name, now)| name == branch && head.is_none_or(|head| head == now))
            });
            if stands && self.stages.get(id) != Some(&Stage::Cancelled) {
                shared(branch.to_owned(), owner)?;
            }
        }
        Ok(())
    }

    /// Whatever is said to run is there, in a tree that is there, and whoever waits for it will hear of its end.
    pub(super) fn lives(&self, world: &World) -> Result<(), Broken> {
        for (id, run) in &self.owned.running {
            let dead = |what: &str| broken("running-means-alive", format!("{id}: {run} {what}"));
            let Some(known) = world.runs.get(run) else { return dead("does not exist") };
            if known.task != *id {
                return dead("is another task's");
            }
            if !known.in_doubt && !self.heard.contains(run) {
                return dead(if known.ended.is_some() { "has ended" } else { "lives and nobody listens" });
            }
            let tree = known.worker != Worker::Hook
                && world.repositories.get(&known.project).is_some_and(|known| known.is_dropped(*run));
            if tree {
                return dead("has lost its tree");
            }
        }
        Ok(())
    }
}

/// In whose tree something is done.
fn run_of(call: &Call) -> Option<RunId> {
    match call {
        Call::Agent(AgentCall::Launch(work)) => Some(work.run),
        Call::Agent(AgentCall::Stop { run })
        | Call::Gate(GateCall::Ci { run, .. })
        | Call::Deploy(DeployCall::Hook { run, .. })
        | Call::Git(GitCall::Collect { run, .. } | GitCall::DropTree { run }) => Some(*run),
        Call::Git(
            GitCall::CutBranch { .. }
            | GitCall::BuildCandidate { .. }
            | GitCall::Prove { .. }
            | GitCall::WriteRecord { .. },
        )
        | Call::Deploy(DeployCall::Probe { .. })
        | Call::Tracker(_)
        | Call::Forge(_) => None,
    }
}

/// Which branch is moved, opened or deleted, and where it must stand for that. To ask for a name that is taken is no harm.
fn branch_of(call: &Call) -> Option<(&str, Option<&orch_core::id::Commit>)> {
    match call {
        Call::Git(GitCall::Collect { branch, .. } | GitCall::BuildCandidate { branch, .. })
        | Call::Forge(ForgeCall::OpenChange { branch, .. } | ForgeCall::Restore { branch, .. }) => {
            Some((branch, None))
        }
        Call::Forge(ForgeCall::DeleteBranch { branch, head }) => Some((branch, Some(head))),
        Call::Git(
            GitCall::CutBranch { .. }
            | GitCall::Prove { .. }
            | GitCall::WriteRecord { .. }
            | GitCall::DropTree { .. },
        )
        | Call::Forge(
            ForgeCall::SetCommitStatus { .. } | ForgeCall::Merge { .. } | ForgeCall::CloseChange { .. },
        )
        | Call::Tracker(_)
        | Call::Agent(_)
        | Call::Gate(_)
        | Call::Deploy(_) => None,
    }
}
