//! What reached main and production, and was it entitled to?

use orch_core::artefact;
use orch_core::call::{Call, DeployCall, ForgeCall};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::gate::{GateId, Subject, Verdict};
use orch_core::id::{Commit, Digest, Entity, TaskId};
use orch_core::journal::Row;
use orch_core::policy::Policy;
use orch_core::reason::Reason;
use orch_core::stage::{Preset, Stage};
use orch_core::state::State;
use orch_core::task::{Consent, Merged, Task, WatchEnd};
use orch_engine::Engine;

use super::done::accepts;
use super::watch::later;
use super::{Broken, Occasion, Watch, broken, deeds};
use crate::MemoryJournal;
use crate::twin::Twin;
use crate::world::World;
use crate::world::repository::MAIN;

/// What stood when a merge was asked for, with every gate.
#[derive(Debug)]
pub(super) struct Asked {
    /// For which task.
    pub(super) task: TaskId,
    /// Under which policy.
    pub(super) policy: Policy,
    /// Which diff of protected paths was approved.
    pub(super) protected_ok: Option<Digest>,
}

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
                let asked = self.asked.get(after);
                let merger = engine.journal_ref().states().values().find_map(|kept| match &kept.state {
                    State::Task(task) => (task.candidate.as_ref().map(|c| &c.commit) == Some(after)
                        || task.merged.as_ref().map(|m| &m.commit) == Some(after))
                    .then_some(&**task),
                    State::Repository(_)
                    | State::Project(_)
                    | State::Provider(_)
                    | State::Installation(_) => None,
                });
                // What the world knows of the paths, not what the task was told.
                let protected = repository.protected_since(before, after);
                let approved = |by: &Option<Digest>| protected.is_none() || protected == *by;
                let unapproved = |id: &TaskId| {
                    let what = format!("{id} changed protected paths that nobody approved");
                    broken("main-only-through-the-gates", what)
                };
                match (merger, asked) {
                    // A request that was under way while its task went on: every gate stood when it was asked for
                    // (decision 61). That the task says so is seen at rest.
                    (merger, Some(asked))
                        if world.works.merged_late.contains_key(after)
                            && !merger.is_some_and(Task::is_critical) =>
                    {
                        self.looks.count(Occasion::LateMain);
                        if !approved(&asked.protected_ok) {
                            unapproved(&asked.task)?;
                        }
                    }
                    (Some(task), asked) => {
                        self.once.moved(&task.id, task.round)?;
                        let policy = asked.map(|asked| asked.policy.clone()).unwrap_or_default();
                        through_the_gates(task, &policy, self.architects.contains(&task.id), after)?;
                        has_its_consent(task, &policy, after)?;
                        if !approved(&task.protected_ok) {
                            unapproved(&task.id)?;
                        }
                    }
                    (None, _) => broken("merged-is-tested", format!("no task merged {after}"))?,
                }
            }
            *seen = repository.main_was.len().max(1);
        }
        Ok(())
    }

    /// Whose requirements go to an architect: by the project's preset when they leave the analysis, and when a round begins.
    pub(super) fn goes_to_an_architect(&mut self, id: &TaskId, row: &Row, journal: &MemoryJournal) {
        let left = |reason: &Reason| matches!(reason, Reason::Advanced { from: Stage::Analysis, .. });
        let begins = |change: &Change| matches!(change, Change::RoundOpened);
        if row.reasons.iter().any(left) || row.changes.iter().any(begins) {
            match journal.policy_of(row).preset {
                Preset::Full | Preset::Library => drop(self.architects.insert(id.clone())),
                Preset::Fast => drop(self.architects.remove(id)),
            }
        }
    }

    /// A hook is told of the last commit that came out, of its watch too where production is watched: of no other, and of one
    /// if there is one. What ended its watch without the service's word, or
    /// by a stop, may count or not.
    pub(super) fn comes_out(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        let watched = row.changes.iter().any(|change| matches!(change, Change::Watched(_)));
        let sure = row.reasons.iter().any(|reason| matches!(reason, Reason::StayedWell));
        let along = later(row).is_some();
        for change in &row.changes {
            let ended = match change {
                // What runs is the other.
                Change::Deployed(deployed) if deployed.with.is_some() => None,
                Change::Deployed(deployed) if deployed.is_out() && watched => {
                    self.under_watch.insert(id.clone(), deployed.commit.clone());
                    None
                }
                Change::Deployed(deployed) if deployed.is_out() => Some((deployed.commit.clone(), true)),
                Change::Watched(watch) if watch.end == Some(WatchEnd::Well) => {
                    self.under_watch.remove(id).filter(|_| !along).map(|commit| (commit, sure))
                }
                Change::Staged(stage) if stage.is_terminal() => {
                    self.under_watch.remove(id).map(|commit| (commit, false))
                }
                _ => None,
            };
            let Some((commit, sure)) = ended else { continue };
            let Some((project, _)) = self.items.get(&id.item()) else { continue };
            let out = self.out.entry(project.clone()).or_insert_with(|| vec![None]);
            // Of two it is the one that the hook ran for later, whenever a person said so.
            let by = self.deployed_by.get(&commit).copied();
            if accepts(row) && by < self.out_by.get(project).copied() {
                continue;
            }
            // Who holds the lane when a person says so was told of the one before.
            if sure {
                out.clear();
            }
            if sure || accepts(row) {
                self.out_by.extend(by.map(|by| (project.clone(), by)));
            }
            out.push(Some(commit));
        }
        for effect in &row.effects {
            let Call::Deploy(DeployCall::Hook { run, commit, previous, .. }) = &effect.call else { continue };
            self.deployed_by.insert(commit.clone(), *run);
            let out = self.out.get(&effect.project).map_or(&[None][..], Vec::as_slice);
            if !out.contains(previous) {
                broken("previous-is-what-runs", format!("{run} is told of {previous:?}, {out:?} came out"))?;
            }
            self.previous.insert(*run, previous.clone());
        }
        Ok(())
    }

    /// Production is touched only by what was merged, only with consent to exactly that change, and never by what is older
    /// than what came out.
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
            let told = self.previous.get(run).unwrap_or(previous);
            if told != previous {
                broken(
                    "previous-is-what-runs",
                    format!("{run} is told of {previous:?}, asked for with {told:?}"),
                )?;
            }
            let repository = world.repositories.get(&task.project);
            let has_it = |out: &Commit| repository.is_some_and(|known| known.contains(out, commit));
            // By Orch's word, and by what the service runs, where that was delivered.
            // What a person accepts while the lane is held comes too late to be told to who holds it (decision 75, its costs).
            let before = |done: &Task| task.lane.is_none_or(|since| done.step_seq < since);
            let runs = world
                .deployed
                .get(&task.project)
                .filter(|runs| *runs != commit && delivered(engine, runs, before));
            if let Some(out) = previous.iter().chain(runs).find(|out| has_it(out)) {
                let what = format!("{run} deploys {commit} over {out}, which has it");
                broken("a-deploy-takes-nothing-back", what)?;
            }
            let current = task.merged.as_ref().is_some_and(|merged| merged.commit == *commit);
            let asked = |consent: &Consent| consent.standing || task.confirms != Some(false);
            let consents = |consent: &Consent| Some(&consent.what) == task.change() && asked(consent);
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

/// A merge that was under way may come after its task went on from it, as a freeze may come too late (decision 61). Then
/// the task says what main has.
pub(super) fn late_ones_are_told(tasks: &[Task], world: &World) -> Result<(), Broken> {
    for (commit, id) in &world.works.merged_late {
        let Some(task) = tasks.iter().find(|task| task.id == *id) else { continue };
        let merged = task.merged.iter().chain(&task.earlier_merges).any(|merged| merged.commit == *commit);
        let told = task.outside.as_ref().and_then(|outside| outside.in_main.as_ref());
        let repository = world.repositories.get(&task.project);
        // Somebody may have merged the branch on top of it before anybody looked: then that is told.
        let has_it = |by: &Commit| by == commit || repository.is_some_and(|known| known.contains(by, commit));
        let told = told.is_some_and(|by| has_it(&by.commit));
        // Its own later merge went on from there.
        let within = |merged: &Merged| has_it(&merged.commit);
        let merged = merged || task.merged.iter().any(within);
        // Whoever was stopped is not looked at any more (decision 61, its costs).
        if !merged && !told && !task.is_critical() && task.stage != Stage::Cancelled {
            return broken("a-late-merge-is-told", format!("{id} does not say that main has {commit}"));
        }
    }
    Ok(())
}

/// Whether a task is done with this commit, and counts.
fn delivered(engine: &Engine<Twin>, commit: &Commit, counts: impl Fn(&Task) -> bool) -> bool {
    engine.journal_ref().states().values().any(|kept| match &kept.state {
        State::Task(task) => {
            let it = task.merged.as_ref().is_some_and(|merged| merged.commit == *commit);
            it && task.stage == Stage::Done && counts(task)
        }
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => false,
    })
}

/// Orch itself merges what somebody consented to: exactly this change, where the project asks for that.
pub(super) fn has_its_consent(task: &Task, policy: &Policy, commit: &Commit) -> Result<(), Broken> {
    let asks = policy.preset.deploys() || policy.confirm_merge;
    match asks && task.consent.as_ref().map(|consent| &consent.what) != task.change() {
        true => broken(
            "main-only-through-the-gates",
            format!("{} merged {commit} without consent to exactly this change", task.id),
        ),
        false => Ok(()),
    }
}

/// What stands when a merge is asked for, and when a commit reached main: every gate of the project, on exactly that content.
/// `architect`: the project had that stage when the task left its analysis.
pub(super) fn through_the_gates(
    task: &Task,
    policy: &Policy,
    architect: bool,
    commit: &Commit,
) -> Result<(), Broken> {
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
    if architect && !passed(GateId::CheckArchitectureDone, &Subject::Requirements(what.clone())) {
        return fail("its architecture");
    }
    if task.protected.as_ref().is_some_and(|p| task.protected_ok.as_ref() != Some(&p.diff)) {
        return fail("the approval of its protected paths");
    }
    Ok(())
}
