//! Is what Orch believes what the world did? Every word here is the world's own: what a run left, what a service runs, what
//! a board was told by people.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::tracker::Labels;
use orch_core::change::Change;
use orch_core::event::{Event, RunHow};
use orch_core::gate::{Evidence, GateId, Subject, Verdict};
use orch_core::id::{Commit, ProjectId, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::policy::Limits;
use orch_core::reason::Reason;
use orch_core::task::Task;

use super::done::accepts;
use super::{Broken, Occasion, Watch, broken};
use crate::world::World;
use crate::world::works::Worker;

impl Watch {
    /// A deploy that counts as well by the service's word is what runs, and the service did say so; one that went along with
    /// another is contained in it, and that came out well.
    pub(super) fn runs(&self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for change in &row.changes {
            let Change::Deployed(deployed) = change else { continue };
            let Some((project, _)) = self.items.get(&id.item()) else { continue };
            let commit = &deployed.commit;
            let runs = world.deployed.get(project) == Some(commit);
            let said = world.said_well.contains(&(project.clone(), commit.clone()));
            if deployed.healthy == Some(true) && !(runs && said) {
                let now = world.deployed.get(project);
                let what = format!("row {}: {id} is out with {commit}, and what runs is {now:?}", row.seq);
                broken("deployed-is-what-runs", what)?;
            }
            if let Some(with) =
                deployed.with.as_ref().filter(|with| !self.goes_along(project, commit, with, world))
            {
                let what = format!("row {}: {id} is out with {with}, which has no {commit}", row.seq);
                broken("deployed-is-what-runs", what)?;
            }
        }
        Ok(())
    }

    /// Whether a deploy that contains this commit came out well.
    pub(super) fn goes_along(
        &self,
        project: &ProjectId,
        commit: &Commit,
        with: &Commit,
        world: &World,
    ) -> bool {
        let out = self.out.get(project).is_some_and(|out| out.contains(&Some(with.clone())));
        let repository = world.repositories.get(project);
        out && repository.is_some_and(|known| known.contains(with, commit))
    }

    /// A deploy passes by the word of the service about this very commit, or of a person who looked, or with a later one that
    /// contains it ([`Watch::runs`] looks whether it does). A hook that said that it
    /// failed is not overruled by the service alone: somebody must have pressed since.
    pub(super) fn deploy_is_earned(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for change in &row.changes {
            if let Change::RunOver { run, .. } = change
                && world.runs.get(run).is_some_and(|run| run.worker == Worker::Hook)
            {
                self.hooked.insert(id.clone(), self.presses(id));
            }
            let Change::Judged(evidence) = change else { continue };
            let along =
                row.changes.iter().any(|change| matches!(change, Change::Deployed(it) if it.with.is_some()));
            let counts = evidence.gate == GateId::CheckDeployStatus && evidence.verdict == Verdict::Pass;
            if !counts || accepts(row) || along {
                continue;
            }
            let Subject::Main(commit) = &evidence.subject else {
                return broken("a-pass-is-earned", format!("row {}: a deploy of {id} of nothing", row.seq));
            };
            let project = self.items.get(&id.item()).map(|(project, _)| project.clone());
            let said = project.is_some_and(|project| world.said_well.contains(&(project, commit.clone())));
            let failed = evidence
                .run
                .and_then(|run| world.runs.get(&run))
                .is_some_and(|run| matches!(run.ended, Some(RunHow::Exited { code: 1 | 2 })));
            let pressed = self.hooked.get(id).is_some_and(|before| *before < self.presses(id));
            if !said || (failed && !pressed) {
                let what = format!("row {}: {id} is deployed by {:?}", row.seq, evidence.run);
                broken("a-pass-is-earned", what)?;
            }
        }
        Ok(())
    }

    /// What came by another door than the board is exactly what a person sent; a label that consents was there in the state of
    /// the issue that was read last, or in a newer one.
    pub(super) fn was_pressed(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for reason in &row.reasons {
            let Reason::GestureTaken { press, by } = reason else { continue };
            let sent =
                matches!(&row.event, Event::Gesture(sent) if sent.what.name() == press && sent.by == *by);
            if by != "board" && !sent {
                broken("consent-is-a-persons", format!("row {}: {id}: nobody sent {press}", row.seq))?;
            }
        }
        let Some((_, issue)) = self.items.get(&id.item()) else { return Ok(()) };
        for change in &row.changes {
            let label: fn(&Labels) -> bool = match change {
                Change::ReadAt(revision) => {
                    self.read.insert(id.clone(), *revision);
                    continue;
                }
                Change::Consented(Some(consent)) if consent.standing => |labels| labels.auto_deploy,
                Change::Approved(Some(consent)) if consent.standing => |labels| labels.auto_approve,
                _ => continue,
            };
            let read = self.read.get(id).copied().unwrap_or(0);
            if !world.tracker.states_from(issue, read).iter().any(|state| label(&state.labels)) {
                broken("consent-is-a-persons", format!("row {}: no label consents for {id}", row.seq))?;
            }
        }
        Ok(())
    }

    /// No more agents and no more tests work at once than may, those among them that nobody waits for any more: in all, of one
    /// project, of one role, and one agent of one task.
    pub(super) fn works(&mut self, limits: &Limits, world: &World) -> Result<(), Broken> {
        if std::mem::replace(&mut self.started, world.runs.len()) == world.runs.len() {
            return Ok(());
        }
        self.looks.count(Occasion::Began);
        let (mut agents, mut tests) = (0, 0);
        let (mut of_project, mut of_role, mut busy) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        for run in world.runs.values().filter(|run| run.ended.is_none()) {
            match run.worker {
                Worker::Agent(role) => {
                    agents += 1;
                    *of_project.entry(&run.project).or_insert(0) += 1;
                    *of_role.entry(role).or_insert(0) += 1;
                    if !busy.insert(&run.task) {
                        return broken("limits-hold", format!("two agents live at once for {}", run.task));
                    }
                }
                Worker::Ci => tests += 1,
                Worker::Hook => {}
            }
        }
        let in_all = [("agents", agents, limits.agents), ("tests", tests, limits.gates)];
        let here = of_project.values().map(|alive| ("agents of a project", *alive, limits.agents_a_project));
        let roles = limits.agents_a_role.iter();
        let roles = roles.map(|(role, most)| (role.name(), of_role.get(role).copied().unwrap_or(0), *most));
        match in_all.into_iter().chain(here).chain(roles).find(|(_, alive, most)| alive > most) {
            Some((who, alive, most)) => {
                broken("limits-hold", format!("{alive} {who} live at once, {most} may"))
            }
            None => Ok(()),
        }
    }
}

/// A hook begins only when no other hook of its project lives.
pub(super) fn alone(begins: RunId, world: &World) -> Result<(), Broken> {
    let Some(project) = world.runs.get(&begins).map(|run| &run.project) else { return Ok(()) };
    let other = world.runs.iter().find(|(id, run)| {
        **id != begins && run.worker == Worker::Hook && run.project == *project && run.ended.is_none()
    });
    match other {
        Some((other, _)) => broken("deploys-are-serial", format!("{begins} deploys while {other} does")),
        None => Ok(()),
    }
}

/// A gate passes only where what the run did passes: an agent that said yes in its file and kept to its scope, tests that
/// ended well and were green on that tree. What a deploy came to is judged with its row.
pub(super) fn a_pass_is_earned(task: &Task, evidence: &Evidence, world: &World) -> Result<(), Broken> {
    let Some(run) = evidence.run.filter(|_| evidence.verdict == Verdict::Pass) else { return Ok(()) };
    let Some(known) = world.runs.get(&run) else {
        return broken(
            "a-pass-is-earned",
            format!("{}: {} by {run}, which never was", task.id, evidence.gate),
        );
    };
    // Who was given up for lost may have come back before anybody wrote that down.
    let ended_well = match known.ended {
        Some(RunHow::Exited { code: 0 }) => true,
        Some(RunHow::Lost { .. }) => world.works.returned.contains(&run),
        Some(_) | None => false,
    };
    let earned = match known.worker {
        Worker::Agent(role) => ended_well && world.works.deed(run).passes(role),
        Worker::Ci => match &evidence.subject {
            Subject::Tree(tree) => {
                ended_well && world.repositories.get(&task.project).is_some_and(|r| r.tested.contains(tree))
            }
            Subject::Requirements(_) | Subject::Change(_) | Subject::Main(_) => false,
        },
        Worker::Hook => evidence.gate == GateId::CheckDeployStatus,
    };
    match earned {
        true => Ok(()),
        false => broken("a-pass-is-earned", format!("{}: {} by {run}", task.id, evidence.gate)),
    }
}
