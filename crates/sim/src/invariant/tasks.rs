//! What does the state of a task tell?

use orch_core::artefact::{self, FileVerdict};
use orch_core::call::tracker::Words;
use orch_core::event::RunHow;
use orch_core::gate::{GateId, Subject};
use orch_core::id::{Commit, Digest};
use orch_core::policy::Policy;
use orch_core::record::Record;
use orch_core::rework::{MAX_CONFLICTS, MAX_DEVELOPER_RUNS, MAX_FRUITLESS, MAX_MACHINE};
use orch_core::stage::{Role, Stage};
use orch_core::task::{CiOf, Job, Request, Rest, Step, Task};

use super::{Broken, Watch, broken, deeds, watch};
use crate::world::World;

impl Watch {
    /// What a task's state tells.
    pub(super) fn task(&mut self, task: &Task, world: &World) -> Result<(), Broken> {
        let id = &task.id;
        self.looks.of_task(task);
        if self.stages.get(id).is_some_and(|was| was.is_terminal() && *was != task.stage) {
            broken("terminal-stays-terminal", format!("{id} was over and is at {}", task.stage))?;
        }
        self.stages.insert(id.clone(), task.stage);
        if task.stage.is_terminal() && !matches!(task.step, Step::Rest(_)) {
            broken("terminal-stays-terminal", format!("{id} is over and does {:?}", task.step))?;
        }
        done_means_delivered(task, world)?;
        deploys_are_recorded(task)?;
        watch::ended_well(task)?;
        self.shares(task)?;
        knows_what_was_there(task, world)?;
        let used = task.attempts;
        let bounded = used.negative <= MAX_DEVELOPER_RUNS
            && used.rejections <= MAX_DEVELOPER_RUNS
            && used.fruitless <= MAX_FRUITLESS + 1
            && used.conflicts <= MAX_CONFLICTS
            && used.machine <= MAX_MACHINE + 1;
        if !bounded {
            broken("attempts-are-bounded", format!("{id}: {used:?}"))?;
        }
        if let (Some(consent), Some(true)) = (task.approval.as_ref(), approved_part(task))
            && counted(task)
            && consent.what != *self.requirements(task)
        {
            broken("approval-binds-the-requirements", format!("{id}: 01-04 changed after their approval"))?;
        }
        let at_rest = matches!(&task.step, Step::Rest(rest)
            if !matches!(rest, Rest::CannotTell { .. } | Rest::DeployUnseen | Rest::WentSilent { .. }));
        if task.lane.is_some() && at_rest {
            broken("a-lane-is-worked-in", format!("{id} holds the lane and does {:?}", task.step))?;
        }
        let stands = matches!(task.step, Step::Rest(_) | Step::Queued(_));
        if task.cancel.is_some() && !task.stage.is_terminal() && stands {
            broken("a-stop-is-carried-out", format!("{id} is to stop and does {:?}", task.step))?;
        }
        Ok(())
    }

    /// The digest of a task's requirements as they are now.
    fn requirements(&mut self, task: &Task) -> &Digest {
        let parts = artefact::REQUIREMENTS
            .iter()
            .map(|name| task.artefacts.iter().find(|file| file.name == *name).map(|file| &file.digest));
        let known = self.requirements.entry(task.id.clone()).or_insert_with(|| (Vec::new(), Digest::of(b"")));
        if !known.0.iter().map(Option::as_ref).eq(parts.clone()) {
            *known = (
                parts.map(Option::<&Digest>::cloned).collect(),
                artefact::requirements_digest(&task.artefacts),
            );
        }
        &known.1
    }

    /// No two tasks hold the lane of a repository.
    fn shares(&mut self, task: &Task) -> Result<(), Broken> {
        let id = &task.id;
        if task.lane.is_some() {
            let holder = self.lanes.entry(task.project.clone()).or_insert_with(|| id.clone());
            if holder != id {
                broken("one-lane-holder", format!("{id} and {holder} hold the lane"))?;
            }
        }
        match task.live_run() {
            Some((_, Job::Agent(_))) => {
                self.agents.insert(id.clone(), task.project.clone());
            }
            Some((_, Job::Ci(_) | Job::Hook)) | None => {
                self.agents.remove(id);
            }
        }
        Ok(())
    }
}

/// What is known of an issue was there: the column in the very state that it is said to be of, and the rest in that one or a newer
/// one. A stopped life leaves its issue to the next.
fn knows_what_was_there(task: &Task, world: &World) -> Result<(), Broken> {
    let Some(revision) = task.revision.filter(|_| task.stage != Stage::Cancelled) else { return Ok(()) };
    let states = world.tracker.states_from(&task.issue, revision);
    let Some(was) = states.first() else { return Ok(()) };
    let (id, shows) = (&task.id, task.board.shows);
    if shows != was.status {
        broken("what-is-known-was-there", format!("{id} knows the column {shows:?}, and it was {was:?}"))?;
    }
    let Request { title, slug, text, present } = task.request.clone();
    let words = Words { title, slug, text, labels: task.labels, present };
    if !states.iter().any(|state| state.words() == words) {
        broken("what-is-known-was-there", format!("{id} knows {words:?}, and it was {was:?}"))?;
    }
    Ok(())
}

/// Whether 01-04 of a task are approved and no longer the analyst's to write.
fn approved_part(task: &Task) -> Option<bool> {
    match task.stage {
        Stage::Architecture | Stage::Development | Stage::Review | Stage::Testing => Some(true),
        Stage::DeployStaging | Stage::Deploy => Some(true),
        Stage::Created | Stage::Analysis | Stage::Done | Stage::Cancelled => None,
    }
}

/// Whether the newest run of an agent brought something that counts: of another, which is repeated or allowed by a person before
/// anything goes on from it, nobody has judged the files.
fn counted(task: &Task) -> bool {
    let newest = task.runs.iter().rev().find(|row| matches!(row.job, Job::Agent(_)) && row.end.is_some());
    newest.is_none_or(|row| row.end == Some(RunHow::Exited { code: 0 }) && row.lacked.is_none())
}

/// A task is `done` only if its change is in main with exactly the tested tree.
fn done_means_delivered(task: &Task, world: &World) -> Result<(), Broken> {
    if task.stage != Stage::Done {
        return Ok(());
    }
    let Some(merged) = task.merged.as_ref() else {
        return broken("done-means-delivered", format!("{} is done and was not merged", task.id));
    };
    let Some(repository) = world.repositories.get(&task.project) else {
        return broken("done-means-delivered", format!("{} has no repository", task.id));
    };
    // Somebody may have rewritten main since; it had it.
    let has = |main: &Commit| repository.contains(main, &merged.commit);
    let had = repository.rewritten && repository.main_was.iter().any(has);
    if !merged.proven || !(had || has(&repository.main())) {
        return broken(
            "done-means-delivered",
            format!("{} is done and {} is not in main", task.id, merged.commit),
        );
    }
    // What somebody merged past the gates is done only if a person accepted exactly that commit (decision 45).
    let accepted = task
        .accepted
        .as_ref()
        .is_some_and(|accepted| accepted.what == orch_core::outside::named(&merged.commit));
    if !accepted && !repository.tested.contains(&repository.tree(&merged.commit)) {
        return broken("merged-is-tested", format!("{}: the merged tree was never tested", task.id));
    }
    Ok(())
}

/// What a deploy came to is what its log says (decision 18).
fn deploys_are_recorded(task: &Task) -> Result<(), Broken> {
    let Some(deployed) = &task.deployed else { return Ok(()) };
    let log = task.records.iter().find(|known| known.record == Record::DeployLog);
    let said = if deployed.is_out() { FileVerdict::Positive } else { FileVerdict::Negative };
    if log.map(|log| &log.verdict) == Some(&said) {
        return Ok(());
    }
    broken("a-verdict-is-its-record", format!("{}: {deployed:?}, and the log is {log:?}", task.id))
}

/// A verdict counts only from a run of the role entitled to it, on top of the commit that it judges.
pub(super) fn verdicts_are_entitled(task: &Task, world: &World) -> Result<(), Broken> {
    for evidence in &task.evidence {
        deeds::a_pass_is_earned(task, evidence, world)?;
        let entitled: Option<Job> = match evidence.gate {
            GateId::CheckReviewerVerdict => Some(Job::Agent(Role::Reviewer)),
            GateId::CheckTestsPassed => Some(Job::Agent(Role::Tester)),
            GateId::CheckAnalysisComplete => Some(Job::Agent(Role::Analyst)),
            GateId::CheckArchitectureDone => Some(Job::Agent(Role::Architect)),
            GateId::CheckCiGreen
            | GateId::CheckAnalysisApproved
            | GateId::CheckReviewApproved
            | GateId::CheckTestsLocal
            | GateId::CheckDeployStatus
            | GateId::CheckStagingStatus
            | GateId::CheckBranchMergeable
            | GateId::CheckStagingImageFresh
            | GateId::CheckSecurityGate => None,
        };
        let row = task.runs.iter().find(|row| Some(row.run) == evidence.run);
        if let Some(job) = entitled {
            let (Some(row), Some(commit)) = (row, evidence.commit.as_ref()) else {
                return broken("verdicts-are-entitled", format!("{}: {} has no run", task.id, evidence.gate));
            };
            let on_top =
                world.repositories.get(&task.project).is_some_and(|r| r.contains(commit, &row.commit));
            if row.job != job || !on_top || row.end != Some(RunHow::Exited { code: 0 }) {
                return broken("verdicts-are-entitled", format!("{}: {}", task.id, evidence.gate));
            }
        }
        if evidence.gate == GateId::CheckCiGreen {
            let ci = |job: &Job| matches!(job, Job::Ci(CiOf::Head | CiOf::Candidate));
            let (Some(row), Subject::Tree(tree)) = (row, &evidence.subject) else {
                return broken("evidence-binds", format!("{}: a CI verdict without run or tree", task.id));
            };
            let same = world.repositories.get(&task.project).is_some_and(|r| r.tree(&row.commit) == *tree);
            if !ci(&row.job) || !same {
                return broken("evidence-binds", format!("{}: {} ran on another tree", task.id, row.run));
            }
            let ran = world.runs.get(&row.run).and_then(|run| run.tests.as_ref());
            let ran = ran.map(|(setup, test, cache)| Policy::ci_definition_of(setup, test, cache));
            if ran.as_ref() != Some(&evidence.definition) {
                return broken("evidence-binds", format!("{}: {} ran other tests", task.id, row.run));
            }
        }
    }
    Ok(())
}
