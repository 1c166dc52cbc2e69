//! What never happens? Each promise of the product has a name here and is checked after every step.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::artefact::{self, FileVerdict};
use orch_core::call::{Call, ForgeCall, TrackerCall};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome, RunHow, Turn};
use orch_core::gate::{Evidence, GateId, Subject, Verdict};
use orch_core::hold::{Standing, standing};
use orch_core::id::{Commit, Entity, ProjectId, RunId, TaskId};
use orch_core::journal::{Journal, Row};
use orch_core::policy::Policy;
use orch_core::record::Record;
use orch_core::replay::Fold;
use orch_core::rework::{Attempts, MAX_CONFLICTS, MAX_DEVELOPER_RUNS, MAX_FRUITLESS, MAX_MACHINE};
use orch_core::stage::{Role, Stage};
use orch_core::state::State;
use orch_core::surface;
use orch_core::task::{CiOf, Job, Step, Task};
use orch_core::time::Moment;
use orch_engine::Engine;

use crate::memory::MemoryJournal;
use crate::world::World;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct Broken {
    /// The promise's name.
    pub name: &'static str,
    /// What was seen.
    pub what: String,
}

fn broken(name: &'static str, what: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { name, what: what.into() })
}

/// Looks after every step at what is new since the last look, so that a long history costs no more a step than a
/// short one.
#[derive(Debug, Default)]
pub struct Watch {
    rows: usize,
    hooks: usize,
    main: BTreeMap<ProjectId, usize>,
    attempts: BTreeMap<TaskId, Attempts>,
    stages: BTreeMap<TaskId, Stage>,
    waits: BTreeMap<TaskId, (Turn, u64)>,
    branches: BTreeMap<(ProjectId, String), TaskId>,
    told: BTreeSet<(TaskId, String)>,
    lanes: BTreeMap<ProjectId, TaskId>,
    agents: BTreeMap<TaskId, ProjectId>,
    /// Under which policy a merge was asked for.
    asked: BTreeMap<Commit, Policy>,
    /// Who froze a repository, as far as the rows tell; `None`: a person, or a main that was rewritten.
    freezes: BTreeMap<ProjectId, Vec<Option<TaskId>>>,
    /// Whether the installation is paused, for what has begun too.
    paused: bool,
}

impl Watch {
    /// Checks every promise that can be seen between two steps.
    pub fn look(
        &mut self,
        engine: &mut Engine<MemoryJournal>,
        world: &World,
        now: Moment,
    ) -> Result<(), Broken> {
        let mut touched = BTreeSet::new();
        let rows = self.rows;
        self.rows = engine.journal().all().len();
        for row in engine.journal_ref().all().get(rows..).unwrap_or_default() {
            self.keeps_from_merging(row);
            if let Entity::Task(id) = &row.entity {
                self.row(id, row)?;
                touched.insert(id.clone());
                for effect in &row.effects {
                    if let Call::Forge(ForgeCall::Merge { candidate, .. }) = &effect.call {
                        self.may_merge(id, effect, row)?;
                        let kept = row.policy.as_ref().and_then(|digest| engine.journal_ref().kept(digest));
                        let policy = kept.and_then(|bytes| serde_json::from_slice(bytes).ok());
                        self.asked.insert(candidate.clone(), policy.unwrap_or_default());
                    }
                }
            }
        }
        for id in &touched {
            // The lane may pass from one task to another between two looks: who gave it back comes first.
            let kept = engine.journal().states().get(&Entity::Task(id.clone()));
            if matches!(kept.map(|kept| &kept.state), Some(State::Task(task)) if task.lane.is_none()) {
                self.lanes.retain(|_, holder| holder != id);
            }
        }
        for id in touched {
            let kept = engine.journal().states().get(&Entity::Task(id));
            let Some(State::Task(task)) = kept.map(|kept| &kept.state) else { continue };
            let task = task.clone();
            let policy = engine.policies().get(&task.project).cloned().unwrap_or_default();
            let held = standing(&task, engine.board(), engine.policies(), now);
            if matches!(&held, Standing::Held(holds) if holds.is_empty()) {
                broken("a-reason-for-every-wait", format!("{} waits and nobody knows why", task.id))?;
            }
            if let Step::Asked { effect, .. } = &task.step
                && !engine.journal().is_open(*effect)
            {
                broken(
                    "no-effect-is-lost",
                    format!("{} waits for {effect}, which is settled or lost", task.id),
                )?;
            }
            self.task(&task, &policy, world)?;
        }
        let most = engine.board().installation().limits.agents as usize;
        if self.agents.len() > most {
            broken("limits-hold", format!("{} agents run at once, {most} may", self.agents.len()))?;
        }
        self.merges(engine, world)?;
        self.deploys(engine, world)?;
        match world.twice.first() {
            Some(effect) => broken("effects-happen-once", format!("{effect} happened again")),
            None => Ok(()),
        }
    }

    /// What stands in the way of every merge from this row on.
    fn keeps_from_merging(&mut self, row: &Row) {
        for change in &row.changes {
            match (&row.entity, change) {
                (Entity::Repository(project), Change::Frozen { task, .. }) => {
                    self.freezes.entry(project.clone()).or_default().push(task.clone());
                }
                (Entity::Repository(project), Change::Thawed { task }) => {
                    let freezes = self.freezes.entry(project.clone()).or_default();
                    freezes.retain(|by| task.is_some() && by != task);
                }
                (Entity::Installation, Change::Paused(pause)) => self.paused = !pause.drain,
                (Entity::Installation, Change::Unpaused) => self.paused = false,
                _ => {}
            }
        }
    }

    /// Nothing merges while it is paused, or while the repository is frozen by another task, a person or a rewritten main.
    fn may_merge(&self, id: &TaskId, effect: &Effect, row: &Row) -> Result<(), Broken> {
        let freezes = self.freezes.get(&effect.project).map(Vec::as_slice).unwrap_or_default();
        if let Some(by) = freezes.iter().find(|by| by.as_ref() != Some(id)) {
            broken("frozen-means-no-merge", format!("row {}: {id} merges, frozen by {by:?}", row.seq))?;
        }
        match self.paused {
            true => broken("paused-means-no-merge", format!("row {}: {id} merges", row.seq)),
            false => Ok(()),
        }
    }

    /// What a row of the journal alone tells.
    fn row(&mut self, id: &TaskId, row: &Row) -> Result<(), Broken> {
        if let Event::Granted(grant) = &row.event
            && self.waits.get(id) != Some(&(grant.turn, grant.wanted.0))
        {
            broken("grants-only-to-who-waits", format!("row {}: {id} does not wait for that turn", row.seq))?;
        }
        for effect in &row.effects {
            if let Call::Tracker(TrackerCall::Comment { note, .. }) = &effect.call {
                let fact = serde_json::to_string(note).unwrap_or_default();
                if !self.told.insert((id.clone(), fact.clone())) {
                    broken("facts-are-told-once", format!("row {}: {id} says again: {fact}", row.seq))?;
                }
            }
        }
        // A new run, a new judgement or a person's word make the same sentence another fact.
        let fresh =
            matches!(&row.event, Event::RunEnded(_) | Event::Gesture(_) | Event::Issue(_) | Event::Branch(_));
        if fresh {
            self.told.retain(|(of, _)| of != id);
        }
        let blameless = match &row.event {
            Event::Reply(reply) => matches!(reply.outcome, Outcome::Failed(_)),
            Event::RunEnded(end) => matches!(
                end.how,
                RunHow::CouldNotStart { .. } | RunHow::Lost { .. } | RunHow::ProviderLimited { .. }
            ),
            Event::Issue(_)
            | Event::Main(_)
            | Event::Gesture(_)
            | Event::Timer(_)
            | Event::Granted(_)
            | Event::Message(_)
            | Event::PolicyChanged(_)
            | Event::PolicyRefused(_)
            | Event::Branch(_)
            | Event::ProjectRetired
            | Event::LimitsChanged(_)
            | Event::SettingsRefused(_)
            | Event::Started(_)
            | Event::ClockStepped { .. }
            | Event::Disk(_) => false,
        };
        for change in &row.changes {
            if let Change::Attempted(attempts) = change {
                let before = self.attempts.insert(id.clone(), *attempts).unwrap_or_default();
                if blameless && (attempts.negative > before.negative || attempts.fruitless > before.fruitless)
                {
                    broken("infrastructure-is-nobodys-fault", format!("row {} charges {id}", row.seq))?;
                }
            }
            // The wait is known row by row: several rows may come between two looks.
            if let Change::Stepped(step) = change {
                match &**step {
                    Step::Queued(want) => {
                        self.waits.insert(id.clone(), (want.turn(), row.seq.0));
                    }
                    Step::Rest(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => {
                        self.waits.remove(id);
                    }
                }
            }
        }
        Ok(())
    }

    /// What a task's state tells.
    fn task(&mut self, task: &Task, policy: &Policy, world: &World) -> Result<(), Broken> {
        let id = &task.id;
        if self.stages.get(id).is_some_and(|was| was.is_terminal() && *was != task.stage) {
            broken("terminal-stays-terminal", format!("{id} was over and is at {}", task.stage))?;
        }
        self.stages.insert(id.clone(), task.stage);
        if task.stage.is_terminal() && !matches!(task.step, Step::Rest(_)) {
            broken("terminal-stays-terminal", format!("{id} is over and does {:?}", task.step))?;
        }
        done_means_delivered(task, policy, world)?;
        deploys_are_recorded(task)?;
        if let Step::Running { run, .. } = &task.step
            && !world.runs.contains_key(run)
        {
            broken("running-means-alive", format!("{id}: run {run} does not exist"))?;
        }
        self.shares(task)?;
        let used = task.attempts;
        let bounded = used.negative <= MAX_DEVELOPER_RUNS
            && used.rejections <= MAX_DEVELOPER_RUNS
            && used.fruitless <= MAX_FRUITLESS + 1
            && used.conflicts <= MAX_CONFLICTS
            && used.machine <= MAX_MACHINE + 1;
        if !bounded {
            broken("attempts-are-bounded", format!("{id}: {used:?}"))?;
        }
        if let (Some(consent), Some(approval)) = (task.approval.as_ref(), approved_part(task)) {
            let now = artefact::requirements_digest(&task.artefacts);
            if approval && consent.what != now {
                broken(
                    "approval-binds-the-requirements",
                    format!("{id}: 01-04 changed after their approval"),
                )?;
            }
        }
        verdicts_are_entitled(task, world)
    }

    /// No two tasks share a branch or the lane of a repository.
    fn shares(&mut self, task: &Task) -> Result<(), Broken> {
        let id = &task.id;
        if let Some(branch) = task.branch.as_ref().filter(|_| task.stage != Stage::Cancelled) {
            let key = (task.project.clone(), branch.name.clone());
            let owner = self.branches.entry(key).or_insert_with(|| id.clone());
            if owner != id {
                broken("one-branch-a-task", format!("{id} and {owner} share {}", branch.name))?;
            }
        } else if task.stage == Stage::Cancelled {
            self.branches.retain(|_, owner| owner != id);
        }
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

    /// Everything that Orch put on main passed every gate as exactly that content; main only moves forward.
    fn merges(&mut self, engine: &mut Engine<MemoryJournal>, world: &World) -> Result<(), Broken> {
        for (project, repository) in &world.repositories {
            let seen = self.main.entry(project.clone()).or_insert(1);
            for at in *seen..repository.main_was.len() {
                let (Some(before), Some(after)) =
                    (repository.main_was.get(at - 1), repository.main_was.get(at))
                else {
                    continue;
                };
                if world.works.by_people.contains(after) {
                    continue;
                }
                if !repository.contains(after, before) {
                    broken("main-never-forced", format!("{after} does not contain {before}"))?;
                }
                if !repository.tested.contains(&repository.tree(after)) {
                    broken("merged-is-tested", format!("{after} reached main untested"))?;
                }
                let policy = self.asked.get(after).cloned().unwrap_or_default();
                let merger = engine.journal().states().values().find_map(|kept| match &kept.state {
                    State::Task(task) => (task.candidate.as_ref().map(|c| &c.commit) == Some(after)
                        || task.merged.as_ref().map(|m| &m.commit) == Some(after))
                    .then_some(&**task),
                    State::Repository(_)
                    | State::Project(_)
                    | State::Provider(_)
                    | State::Installation(_) => None,
                });
                match merger {
                    Some(task) => merged_through_the_gates(task, &policy, after)?,
                    None => broken("merged-is-tested", format!("no task merged {after}"))?,
                }
            }
            *seen = repository.main_was.len().max(1);
        }
        Ok(())
    }

    /// Production is touched only by what was merged, and only with consent to exactly that change.
    fn deploys(&mut self, engine: &mut Engine<MemoryJournal>, world: &World) -> Result<(), Broken> {
        for (run, commit, id, previous) in world.hooks.get(self.hooks..).unwrap_or_default() {
            let kept = engine.journal_ref().states().get(&Entity::Task(id.clone()));
            let Some(State::Task(task)) = kept.map(|kept| &kept.state) else { continue };
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
            if current && task.consent.as_ref().map(|consent| &consent.what) != task.change() {
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

/// Whether a deploy of this commit was judged well.
fn came_out_well(engine: &Engine<MemoryJournal>, commit: &Commit) -> bool {
    let well = |e: &Evidence| {
        e.gate == GateId::CheckDeployStatus
            && e.subject == Subject::Main(commit.clone())
            && e.verdict == Verdict::Pass
    };
    engine.journal_ref().states().values().any(|kept| match &kept.state {
        State::Task(task) => task.evidence.iter().any(well),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => false,
    })
}

/// Whether 01-04 of a task are approved and no longer the analyst's to write.
fn approved_part(task: &Task) -> Option<bool> {
    match task.stage {
        Stage::Architecture | Stage::Development | Stage::Review | Stage::Testing => Some(true),
        Stage::DeployStaging | Stage::Deploy => Some(true),
        Stage::Created | Stage::Analysis | Stage::Done | Stage::Cancelled => None,
    }
}

/// A task is `done` only if its change is in main with exactly the tested tree, and deployed if it deploys.
fn done_means_delivered(task: &Task, policy: &Policy, world: &World) -> Result<(), Broken> {
    if task.stage != Stage::Done {
        return Ok(());
    }
    let Some(merged) = task.merged.as_ref() else {
        return broken("done-means-delivered", format!("{} is done and was not merged", task.id));
    };
    let Some(repository) = world.repositories.get(&task.project) else {
        return broken("done-means-delivered", format!("{} has no repository", task.id));
    };
    let rewritten = !world.works.by_people.is_empty();
    if !merged.proven || !(rewritten || repository.contains(&repository.main(), &merged.commit)) {
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
    let well = task.deployed.as_ref().is_some_and(|d| d.is_out() && d.commit == merged.commit);
    let hooked = task.runs.iter().any(|row| row.job == Job::Hook && row.round == task.round);
    if policy.preset.deploys() && hooked && !well {
        return broken("done-means-delivered", format!("{} is done and not deployed", task.id));
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

/// The newest text of every record stands on its branch, and no text has two commits.
fn records_stand<'t>(tasks: impl Iterator<Item = &'t Task>, world: &World) -> Result<(), Broken> {
    for (project, repository) in &world.repositories {
        let once: BTreeSet<_> = repository.records.iter().collect();
        if once.len() != repository.records.len() {
            return broken("a-record-is-one-commit", format!("{project}: {:?}", repository.records));
        }
    }
    for task in tasks {
        for known in task.records.iter().filter(|known| !known.is_refused() && known.writing.is_none()) {
            let path = known.record.path(&task.item);
            let there = world.repositories.get(&task.project).and_then(|r| r.record_file(&path));
            let there = there.map(|text| orch_core::id::Digest::of(text.as_bytes()));
            if known.standing().is_none() || there.as_ref() != Some(&known.text.blob) {
                return broken("records-stand", format!("{}: {path} is not on its branch", task.id));
            }
        }
    }
    Ok(())
}

/// A verdict counts only from a run of the role entitled to it, on top of the commit that it judges.
fn verdicts_are_entitled(task: &Task, world: &World) -> Result<(), Broken> {
    for evidence in &task.evidence {
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
            let ran = world.runs.get(&row.run).and_then(|run| run.tests.clone());
            let ran = ran.map(|(setup, test, cache)| Policy { setup, test, cache, ..Policy::default() });
            if ran.map(|ran| ran.ci_definition()) != Some(evidence.definition.clone()) {
                return broken("evidence-binds", format!("{}: {} ran other tests", task.id, row.run));
            }
        }
    }
    Ok(())
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
    if task.approval.is_none() {
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

/// What holds when nothing moves any more: boards tell the truth, nobody works for nobody, nothing is left behind.
pub fn at_rest(engine: Option<&mut Engine<MemoryJournal>>, world: &World) -> Result<(), Broken> {
    let Some(engine) = engine else { return Ok(()) };
    let tasks: Vec<Task> = tasks(engine.journal());
    let newest = |task: &Task| {
        !tasks
            .iter()
            .any(|t| t.project == task.project && t.issue == task.issue && t.id.life() > task.id.life())
    };
    for task in tasks.iter().filter(|task| newest(task)) {
        let Some(wanted) = surface::wanted(task) else { continue };
        let shows = world.tracker.issues.get(&task.issue).and_then(|issue| issue.status);
        if shows != Some(wanted) && !world.tracker.missing.contains(&wanted) {
            return broken(
                "the-board-tells-the-truth",
                format!("{}: the board shows {shows:?}, true is {wanted:?}", task.id),
            );
        }
    }
    records_stand(tasks.iter().filter(|task| newest(task)), world)?;
    let live: BTreeSet<RunId> = tasks.iter().filter_map(|task| task.live_run()).map(|(run, _)| run).collect();
    for run in world.alive() {
        if !live.contains(&run) {
            return broken("nobody-works-for-nobody", format!("run {run} lives and nobody waits for it"));
        }
    }
    for task in tasks.iter().filter(|task| task.stage == Stage::Cancelled) {
        let Some(repository) = world.repositories.get(&task.project) else { continue };
        if let Some((branch, _)) = repository.cut.iter().find(|(_, owner)| **owner == task.id.0) {
            return broken("a-stop-leaves-nothing", format!("{} was stopped and {branch} stays", task.id));
        }
    }
    Ok(())
}

/// All tasks of a journal.
pub fn tasks(journal: &MemoryJournal) -> Vec<Task> {
    let tasks = journal.states().values().filter_map(|kept| match &kept.state {
        State::Task(task) => Some((**task).clone()),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
    });
    tasks.collect()
}

/// Checks what can only be seen at the end: the journal folds to the states, decides the same again, and nothing is left
/// to do.
pub fn check_journal(journal: &mut MemoryJournal) -> Result<(), Broken> {
    check_replay(journal)?;
    match journal.open_effects().ok().and_then(|open| open.first().cloned()) {
        Some(effect) => broken("no-effect-is-lost", format!("{} was never settled", effect.id)),
        None => Ok(()),
    }
}

/// Checks that the journal folds to the states, and decides the same again.
pub fn check_replay(journal: &MemoryJournal) -> Result<(), Broken> {
    let mut fold = Fold::default();
    for row in journal.all() {
        if let Err(illegal) = fold.take(row) {
            return broken("the-journal-replays", illegal.to_string());
        }
    }
    for (entity, kept) in journal.states() {
        match fold.states().get(entity) {
            Some((seq, state)) if *seq == kept.seq && *state == kept.state => {}
            Some(_) | None => {
                return broken("the-journal-replays", format!("{entity} folds to another state"));
            }
        }
    }
    keys_once(journal.all())
}

fn keys_once(rows: &[Row]) -> Result<(), Broken> {
    let mut seen = BTreeMap::new();
    for row in rows {
        if let Some(other) = seen.insert(&row.key, row.seq) {
            return broken(
                "events-count-once",
                format!("{} stands in rows {other} and {}", row.key, row.seq),
            );
        }
    }
    Ok(())
}
