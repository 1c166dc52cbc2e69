//! What reached main and production, and was it entitled to?

use orch_core::artefact;
use orch_core::call::ForgeCall;
use orch_core::effect::Effect;
use orch_core::gate::{Evidence, GateId, Subject, Verdict};
use orch_core::id::{Commit, Entity};
use orch_core::policy::Policy;
use orch_core::state::State;
use orch_core::task::{Consent, Task};
use orch_engine::Engine;

use super::{Broken, Occasion, Watch, broken, deeds};
use crate::twin::Twin;
use crate::world::World;
use crate::world::repository::MAIN;

impl Watch {
    /// Everything that Orch put on main passed every gate as exactly that content; main only moves forward.
    pub(super) fn merges(&mut self, engine: &Engine<Twin>, world: &World) -> Result<(), Broken> {
        for (project, repository) in &world.repositories {
            let seen = self.main.entry(project.clone()).or_insert(1);
            for at in *seen..repository.main_was.len() {
                let (Some(before), Some(after)) =
                    (repository.main_was.get(at - 1), repository.main_was.get(at))
                else {
                    continue;
                };
                // Whoever merges what is merged moves nothing.
                if after == before || world.works.by_people.contains(after) {
                    continue;
                }
                self.looks.count(Occasion::Main);
                if !repository.contains(after, before) {
                    broken("main-never-forced", format!("{after} does not contain {before}"))?;
                }
                if !repository.tested.contains(&repository.tree(after)) {
                    broken("merged-is-tested", format!("{after} reached main untested"))?;
                }
                if !repository.is_green(after) {
                    broken("main-stays-green", format!("{after} is red, and Orch put it on main"))?;
                }
                let policy = self.asked.get(after).cloned().unwrap_or_default();
                let merger = engine.journal_ref().states().values().find_map(|kept| match &kept.state {
                    State::Task(task) => (task.candidate.as_ref().map(|c| &c.commit) == Some(after)
                        || task.merged.as_ref().map(|m| &m.commit) == Some(after))
                    .then_some(&**task),
                    State::Repository(_)
                    | State::Project(_)
                    | State::Provider(_)
                    | State::Installation(_) => None,
                });
                match merger {
                    Some(task) => {
                        self.once.moved(&task.id, task.round)?;
                        merged_through_the_gates(task, &policy, after)?;
                        // What the world knows of the paths, not what the task was told.
                        let protected = repository.protected_since(before, after);
                        if protected.is_some() && protected != task.protected_ok {
                            broken(
                                "main-only-through-the-gates",
                                format!("{} changed protected paths that nobody approved", task.id),
                            )?;
                        }
                    }
                    None => broken("merged-is-tested", format!("no task merged {after}"))?,
                }
            }
            *seen = repository.main_was.len().max(1);
        }
        Ok(())
    }

    /// Production is touched only by what was merged, and only with consent to exactly that change.
    pub(super) fn deploys(&mut self, engine: &Engine<Twin>, world: &World) -> Result<(), Broken> {
        for (run, commit, id, previous) in world.hooks.get(self.hooks..).unwrap_or_default() {
            let kept = engine.journal_ref().states().get(&Entity::Task(id.clone()));
            let Some(State::Task(task)) = kept.map(|kept| &kept.state) else { continue };
            self.looks.count(Occasion::Hook);
            deeds::alone(*run, world)?;
            let of = |m: &orch_core::task::Merged| m.commit == *commit && m.proven;
            if !task.merged.iter().chain(&task.earlier_merges).any(of) {
                broken(
                    "deploy-what-was-merged",
                    format!("{run} deploys {commit}, which {id} did not merge"),
                )?;
            }
            if let Some(previous) = previous
                && !came_out_well(engine, previous)
            {
                broken(
                    "previous-is-what-runs",
                    format!("{run} is told of {previous}, which never came out"),
                )?;
            }
            let current = task.merged.as_ref().is_some_and(|merged| merged.commit == *commit);
            let consents = |consent: &Consent| Some(&consent.what) == task.change();
            if current && !task.consent.as_ref().is_some_and(consents) {
                broken("production-needs-consent", format!("{run} deploys for {id} without consent"))?;
            }
            if current && task.lane.is_none() && task.deployed.is_none() && !task.stage.is_terminal() {
                broken("deploys-are-serial", format!("{run} deploys for {id} outside the lane"))?;
            }
        }
        self.hooks = world.hooks.len();
        Ok(())
    }
}

/// Nobody is asked to take from main what is on it: what is to be merged contains the main that it was built on, and main
/// is no branch that is deleted or put elsewhere. That a forge would refuse it is another matter.
pub(super) fn forces_nothing(call: &ForgeCall, effect: &Effect, world: &World) -> Result<(), Broken> {
    let forces = match call {
        ForgeCall::Merge { candidate, main, .. } => {
            let repository = world.repositories.get(&effect.project);
            repository.is_none_or(|repository| !repository.contains(candidate, main))
        }
        ForgeCall::Restore { branch, .. } | ForgeCall::DeleteBranch { branch, .. } => branch == MAIN,
        ForgeCall::OpenChange { .. } | ForgeCall::SetCommitStatus { .. } | ForgeCall::CloseChange { .. } => {
            false
        }
    };
    match forces {
        true => broken("main-never-forced", format!("{} asks for {call:?}", effect.id)),
        false => Ok(()),
    }
}

/// Whether a deploy of this commit was judged well.
pub(super) fn came_out_well(engine: &Engine<Twin>, commit: &Commit) -> bool {
    let well = |e: &Evidence| {
        e.gate == GateId::CheckDeployStatus
            && e.subject == Subject::Main(commit.clone())
            && e.verdict == Verdict::Pass
    };
    engine.journal_ref().states().values().any(|kept| match &kept.state {
        State::Task(task) => task.evidence.iter().any(|e| well(e)),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => false,
    })
}

/// What stood when a commit reached main: every gate of the project, on exactly that content.
fn merged_through_the_gates(task: &Task, policy: &Policy, commit: &Commit) -> Result<(), Broken> {
    let fail = |what: &str| {
        broken("main-only-through-the-gates", format!("{} merged {commit} without {what}", task.id))
    };
    let (Some(candidate), Some(change)) = (task.candidate.as_ref(), task.change()) else {
        return fail("a candidate");
    };
    let passed = |gate: GateId, subject: &Subject| {
        task.evidence.iter().any(|e| e.gate == gate && e.subject == *subject && e.verdict == Verdict::Pass)
    };
    let tested = task.evidence.iter().any(|e| {
        e.gate == GateId::CheckCiGreen
            && e.subject == Subject::Tree(candidate.tree.clone())
            && e.verdict == Verdict::Pass
            && e.definition == policy.ci_definition()
    });
    if !tested {
        return fail("green tests on its tree");
    }
    let change = Subject::Change(change.clone());
    if !passed(GateId::CheckReviewerVerdict, &change) || !passed(GateId::CheckTestsPassed, &change) {
        return fail("its review or its tester");
    }
    let what = artefact::requirements_digest(&task.artefacts);
    if task.approval.as_ref().is_none_or(|approval| approval.what != what) {
        return fail("the approval of its requirements");
    }
    let asks = policy.preset.deploys() || policy.confirm_merge;
    if asks && task.consent.as_ref().map(|consent| &consent.what) != task.change() {
        return fail("consent to exactly this change");
    }
    if task.protected.as_ref().is_some_and(|p| task.protected_ok.as_ref() != Some(&p.diff)) {
        return fail("the approval of its protected paths");
    }
    Ok(())
}
