//! Is what a person rejected done otherwise? (decision 71)

use orch_core::artefact;
use orch_core::change::Change;
use orch_core::gate::GateId;
use orch_core::id::{Commit, TaskId};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::rework::Judge;
use orch_core::stage::Stage;

use super::{Broken, Watch, broken};
use crate::world::World;

/// What a person rejected: whose work, and what it was.
#[derive(Debug)]
pub(super) struct Rejected {
    stage: Stage,
    head: Commit,
}

impl Watch {
    /// What a person rejected goes no further as it was, unless a person begins afresh after that.
    pub(super) fn answers(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for change in &row.changes {
            match change {
                Change::Branched(branch) if branch.tree.is_some() => {
                    self.heads.insert(id.clone(), branch.head.clone());
                }
                Change::Branched(_) | Change::RoundOpened => drop(self.heads.remove(id)),
                Change::Escalated(None) => drop(self.rejected.remove(id)),
                _ => {}
            }
        }
        for reason in &row.reasons {
            match reason {
                Reason::SentBack { to, judge, .. } => {
                    self.rejected.remove(id);
                    if let (Judge::Person(_), Some(head)) = (judge, self.heads.get(id)) {
                        self.rejected.insert(id.clone(), Rejected { stage: *to, head: head.clone() });
                    }
                }
                Reason::GateSaid { gate: GateId::CheckAnalysisComplete, passed: Some(true) } => {
                    self.passes(id, row, Stage::Analysis, world)?;
                }
                Reason::Advanced { from: Stage::Architecture, to: Stage::Development } => {
                    self.passes(id, row, Stage::Architecture, world)?;
                }
                Reason::Advanced { from: Stage::Development, to: Stage::Review } => {
                    self.passes(id, row, Stage::Development, world)?;
                }
                Reason::Advanced { .. } => drop(self.rejected.remove(id)),
                _ => {}
            }
        }
        Ok(())
    }

    fn passes(&mut self, id: &TaskId, row: &Row, stage: Stage, world: &World) -> Result<(), Broken> {
        let Some(rejected) = self.rejected.remove(id) else { return Ok(()) };
        let project = self.items.get(&id.item()).map(|(project, _)| project);
        let repository = project.and_then(|project| world.repositories.get(project));
        let (Some(head), Some(repository), true) = (self.heads.get(id), repository, rejected.stage == stage)
        else {
            return Ok(());
        };
        let same = if stage == Stage::Analysis {
            let folder = artefact::folder(&id.item());
            artefact::REQUIREMENTS.iter().all(|name| {
                let at = |commit| repository.file_at(commit, &format!("{folder}/{name}"));
                at(head) == at(&rejected.head)
            })
        } else {
            repository.tree(head) == repository.tree(&rejected.head)
        };
        match same {
            true => broken("a-rejection-is-answered", format!("row {}: {id} is as it was rejected", row.seq)),
            false => Ok(()),
        }
    }
}
