//! What made a task done? (invariants A1 to A3)

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::deploy::Health;
use orch_core::call::{DeployReply, GitReply, Reply};
use orch_core::change::Change;
use orch_core::event::{Event, Outcome};
use orch_core::id::{Commit, TaskId};
use orch_core::journal::Row;
use orch_core::policy::Policy;
use orch_core::reason::Reason;
use orch_core::stage::Stage;
use orch_core::task::{Deployed, WatchEnd};

use super::watch::later;
use super::{Broken, Watch, broken};
use crate::memory::MemoryJournal;

/// How far each task is on its way out, as the rows tell; of this round alone.
#[derive(Debug, Default)]
pub(super) struct WayOut {
    merged: BTreeMap<TaskId, Commit>,
    proven: BTreeSet<TaskId>,
    deployed: BTreeMap<TaskId, Deployed>,
    /// Those whose watch ended well.
    stayed_well: BTreeSet<TaskId>,
    /// Those whose stop waits for the end of something irreversible.
    stopping: BTreeSet<TaskId>,
}

impl Watch {
    /// A row that makes a task done has every right to, under the policy by which it was decided.
    pub(super) fn goes_out(&mut self, id: &TaskId, row: &Row, journal: &MemoryJournal) -> Result<(), Broken> {
        for change in &row.changes {
            let way = &mut self.way_out;
            match change {
                Change::Merged(merged) => drop(way.merged.insert(id.clone(), merged.commit.clone())),
                Change::Proven { .. } => drop(way.proven.insert(id.clone())),
                Change::Deployed(deployed) => {
                    if deployed.seen_by.is_some() && deployed.is_out() && !accepts(row) {
                        broken("done-comes-from-a-verdict", format!("row {}: nobody saw {id}", row.seq))?;
                    }
                    way.deployed.insert(id.clone(), deployed.clone());
                }
                Change::Watched(watch) if watch.end == Some(WatchEnd::Well) => {
                    way.stayed_well.insert(id.clone());
                }
                Change::Watched(_) => drop(way.stayed_well.remove(id)),
                Change::CancelAsked(_) => drop(way.stopping.insert(id.clone())),
                Change::RoundOpened => {
                    way.merged.remove(id);
                    way.proven.remove(id);
                    way.deployed.remove(id);
                    way.stayed_well.remove(id);
                }
                Change::Staged(Stage::Done) => {
                    way.may_be_done(id, row, &journal.policy_of(row))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl WayOut {
    fn may_be_done(&self, id: &TaskId, row: &Row, policy: &Policy) -> Result<(), Broken> {
        let lacks = |name, what: &str| broken(name, format!("row {}: {id} is done and {what}", row.seq));
        let Some(commit) = self.merged.get(id).filter(|_| self.proven.contains(id)) else {
            return lacks("done-means-delivered", "its merge is not proven");
        };
        let deployed = self.deployed.get(id).filter(|known| known.is_out() && known.commit == *commit);
        if policy.preset.deploys() && deployed.is_none() {
            return lacks("done-means-delivered", "not deployed");
        }
        // A stop that waited for the deploy is carried out then, and nobody looks any more.
        let watched = self.stayed_well.contains(id) || self.stopping.contains(id);
        let by_the_service = deployed.is_some_and(|known| known.healthy == Some(true));
        if policy.preset.deploys() && policy.watch.is_some() && by_the_service && !watched {
            return lacks("done-means-watched", "nobody looks");
        }
        let from_a_verdict = match &row.event {
            Event::Reply(reply) => match &reply.outcome {
                Outcome::Done(Reply::Deploy(DeployReply::Probed(health))) => match health {
                    Health::Expected => true,
                    Health::Other { .. } | Health::Unwell { .. } | Health::CannotTell { .. } => false,
                },
                // Where nothing is deployed the proof of the merge is the verdict, and where a later deploy took it along.
                Outcome::Done(Reply::Git(GitReply::Proof(proof))) => {
                    !policy.preset.deploys() || proof.taken_along && later(row).is_some()
                }
                Outcome::Done(_) | Outcome::Failed(_) => !policy.preset.deploys() && is_pressed(row),
            },
            // Whatever lets a task go on that is proven in main finds that a newer policy deploys nothing.
            Event::Granted(_) | Event::Timer(_) => !policy.preset.deploys(),
            Event::Gesture(_) | Event::Issue(_) if !policy.preset.deploys() => is_pressed(row),
            Event::Gesture(_) => accepts(row),
            _ => false,
        };
        match from_a_verdict {
            true => Ok(()),
            false => lacks("done-comes-from-a-verdict", "nothing judged it"),
        }
    }
}

fn is_pressed(row: &Row) -> bool {
    row.reasons.iter().any(|reason| matches!(reason, Reason::GestureTaken { .. }))
}

/// Whether a person says in this row that they looked, and it is well.
pub(super) fn accepts(row: &Row) -> bool {
    row.reasons.iter().any(|reason| matches!(reason, Reason::GestureTaken { press, .. } if press == "accept"))
}
