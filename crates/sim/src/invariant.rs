//! What never happens? Each promise of the product has a name here and is checked after every step that could break it
//! ([`Occasion`]); what needs the whole journal, when it is folded and decided again.

mod rows;
mod heard;
mod column;
mod course;
mod notes;
mod done;
mod once;
mod deeds;
mod tasks;
mod alive;
mod merge;
mod watch;
mod rest;
mod waits;
mod journal;
mod time;
mod calls;
mod money;
mod answers;
mod looks;
mod key;
#[cfg(test)]
mod breaks;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use orch_core::call::tracker::Status;
use orch_core::call::{Call, ForgeCall, TrackerCall};
use orch_core::change::Change;
use orch_core::effect::Effect;
use orch_core::event::{Turn, Usage};
use orch_core::hold::standing;
use orch_core::id::{
    Commit, Digest, EffectId, Entity, IssueKey, ProjectId, RunId, TaskId, TimerId, WorkItem,
};
use orch_core::reason::Reason;
use orch_core::rework::Attempts;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Ask, Step, Task};
use orch_core::time::Moment;
use orch_engine::Engine;

use crate::memory::MemoryJournal;
use crate::twin::Twin;
use crate::world::World;

pub use calls::left_alone;
pub use journal::{check_journal, check_replay};
pub use key::no_key_is_told;
pub use looks::{Looks, Occasion};
pub use rest::at_rest;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
pub struct Broken {
    /// The promise's name.
    pub name: &'static str,
    /// What was seen.
    pub what: String,
    /// Who saw it.
    pub at: &'static Location<'static>,
}

impl Broken {
    /// The promise of this name, and what was seen of it.
    #[track_caller]
    pub fn of(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, what: what.into(), at: Location::caller() }
    }
}

#[track_caller]
fn broken(name: &'static str, what: impl Into<String>) -> Result<(), Broken> {
    Err(Broken::of(name, what))
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
    /// Of which state of its issue each task was told last.
    read: BTreeMap<TaskId, u64>,
    /// What people were told of each task.
    notes: BTreeMap<TaskId, notes::Known>,
    lanes: BTreeMap<ProjectId, TaskId>,
    agents: BTreeMap<TaskId, ProjectId>,
    /// Merges that were asked for when every gate stood.
    asked: BTreeMap<Commit, merge::Asked>,
    /// Tasks whose requirements go to an architect.
    architects: BTreeSet<TaskId>,
    /// What is out, by its deploy, and watched still.
    under_watch: BTreeMap<TaskId, Commit>,
    /// What a project's last deploy that came out may have been: one, unless a watch ended without the service's word.
    out: BTreeMap<ProjectId, Vec<Option<Commit>>>,
    /// By which run of the hook that is, and by which one each commit was deployed last.
    out_by: BTreeMap<ProjectId, RunId>,
    deployed_by: BTreeMap<Commit, RunId>,
    /// What each hook was to be told.
    previous: BTreeMap<RunId, Option<Commit>>,
    /// Who froze a repository, as far as the rows tell; `None`: a person, or a main that was rewritten.
    freezes: BTreeMap<ProjectId, Vec<rows::FrozenBy>>,
    /// Whether the installation is paused, for what has begun too.
    paused: bool,
    /// Tasks that automation leaves alone.
    escalated: BTreeSet<TaskId>,
    /// The run that each task waits for.
    lives: BTreeMap<TaskId, RunId>,
    /// Tasks that somebody asked for.
    wanted: BTreeSet<TaskId>,
    /// Whose each work item is.
    items: BTreeMap<WorkItem, (ProjectId, IssueKey)>,
    /// What names the requirements of each task, and its digest: the same names have the same.
    requirements: BTreeMap<TaskId, (Vec<Option<Digest>>, Digest)>,
    /// What the runs of each task said that they used.
    costs: BTreeMap<TaskId, Usage>,
    /// How much of what was performed has been looked at.
    performed: usize,
    /// How many of the world's calls have been looked at.
    called: usize,
    /// How each effect was asked for.
    asked_of: BTreeMap<EffectId, calls::Calls>,
    /// The open question of each task, and how often it was asked.
    tried: BTreeMap<TaskId, (EffectId, Ask, u32)>,
    /// When the last row was written.
    written: Option<Moment>,
    /// By how much the wall clock is ahead of where it would be without its steps.
    ahead: i64,
    /// What a task waits for, and when it is due by a clock that never stepped.
    due: BTreeMap<TaskId, (TimerId, i64)>,
    way_out: done::WayOut,
    once: once::Once,
    owned: alive::Owned,
    /// Runs of whose ends somebody will hear.
    pub(crate) heard: BTreeSet<RunId>,
    /// How many presses of a task were taken when its last hook ended.
    hooked: BTreeMap<TaskId, u32>,
    told_of: heard::Told,
    /// What the rows tell of money.
    money: money::Money,
    /// Where the branch of each task is, if its tree is known.
    heads: BTreeMap<TaskId, Commit>,
    /// What people rejected and nobody has done otherwise yet.
    rejected: BTreeMap<TaskId, answers::Rejected>,
    /// How many runs had begun at the last look.
    started: usize,
    /// What is asked and not answered yet.
    questions: BTreeMap<EffectId, (TaskId, Call)>,
    /// For which task production is watched.
    watched: BTreeMap<ProjectId, TaskId>,
    /// How often promises were looked at so far.
    pub looks: Looks,
}

impl Watch {
    /// Checks every promise that can be seen between two steps.
    pub fn look(&mut self, engine: &Engine<Twin>, world: &World, now: Moment) -> Result<(), Broken> {
        // Each with whether a verdict came, and the column that was last asked for.
        let mut touched: BTreeMap<TaskId, (bool, Option<Status>)> = BTreeMap::new();
        let (mut merges, mut by_hand) = (Vec::new(), Vec::new());
        let rows = self.rows;
        let journal = engine.journal_ref();
        self.rows = journal.all().len();
        for row in journal.all().get(rows..).unwrap_or_default() {
            self.keeps_from_merging(row);
            self.time_goes_on(row)?;
            self.keeps_time(row)?;
            self.day(row);
            let Entity::Task(id) = &row.entity else { continue };
            self.looks.of_row(row);
            if self.keeps_back(id) {
                self.looks.count(Occasion::Frozen);
            }
            if self.paused {
                self.looks.count(Occasion::Paused);
            }
            self.row(id, row)?;
            self.course(id, row)?;
            self.notes(id, row)?;
            self.owns(id, row, world)?;
            self.goes_out(id, row, journal)?;
            self.spends(id, row, journal)?;
            self.answers(id, row, world)?;
            self.told(id, row, world)?;
            self.hears(id, row, world);
            self.runs(id, row, world)?;
            self.deploy_is_earned(id, row, world)?;
            self.was_pressed(id, row, world)?;
            self.asks(id, row)?;
            self.waits_longer(id, row, journal)?;
            self.watches(id, row, engine, world)?;
            self.comes_out(id, row)?;
            self.goes_to_an_architect(id, row, journal);
            if row.reasons.iter().any(|reason| matches!(reason, Reason::MergedByHand { .. })) {
                by_hand.push((id.clone(), journal.policy_of(row)));
            }
            let seen = touched.entry(id.clone()).or_default();
            seen.0 |= row.changes.iter().any(|change| matches!(change, Change::Judged(_)));
            seen.1 = None;
            for effect in &row.effects {
                if let Call::Forge(ForgeCall::Merge { candidate, .. }) = &effect.call {
                    self.may_merge(id, effect, row)?;
                    merges.push((id.clone(), candidate.clone(), journal.policy_of(row)));
                }
                if let Call::Forge(call) = &effect.call {
                    merge::forces_nothing(call, effect, world)?;
                }
                if let Call::Tracker(TrackerCall::SetStatus { status, .. }) = &effect.call {
                    seen.1 = Some(*status);
                    if self.is_followed(id, row) {
                        let what = format!("row {}: {id} asks for {status:?} over its next life", row.seq);
                        broken("no-passing-column", what)?;
                    }
                }
            }
            // Last: what may not be wished for at all is told by its own name.
            self.wishes(id, row, world)?;
        }
        let task_of =
            |id: &TaskId| match journal.states().get(&Entity::Task(id.clone())).map(|kept| &kept.state) {
                Some(State::Task(task)) => Some(&**task),
                Some(
                    State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_),
                )
                | None => None,
            };
        for (id, candidate, policy) in merges {
            let holds = |task: &&Task| task.candidate.as_ref().is_some_and(|held| held.commit == candidate);
            if let Some(task) = task_of(&id).filter(holds) {
                merge::through_the_gates(task, &policy, self.architects.contains(&id), &candidate)?;
                merge::has_its_consent(task, &policy, &candidate)?;
                let protected_ok = task.protected_ok.clone();
                self.asked.insert(candidate, merge::Asked { task: id, policy, protected_ok });
            }
        }
        for (id, policy) in by_hand {
            // What people merged counts where it is a candidate that had passed them all; nobody was to consent to it.
            if let Some(task) = task_of(&id)
                && let (Some(merged), Some(candidate)) = (&task.merged, &task.candidate)
            {
                if merged.tree != candidate.tree {
                    broken("merged-is-tested", format!("{id} counts {} for its candidate", merged.commit))?;
                }
                merge::through_the_gates(task, &policy, self.architects.contains(&id), &merged.commit)?;
            }
        }
        for id in touched.keys() {
            // The lane may pass from one task to another between two looks: who gave it back comes first.
            if task_of(id).is_some_and(|task| task.lane.is_none()) {
                self.lanes.retain(|_, holder| holder != id);
            }
        }
        for (id, (judged, asked)) in touched {
            let Some(task) = task_of(&id) else { continue };
            let held = standing(task, engine.board(), engine.policies(), now);
            if let Step::Asked { effect, .. } = &task.step
                && !journal.is_open(*effect)
            {
                broken(
                    "no-effect-is-lost",
                    format!("{} waits for {effect}, which is settled or lost", task.id),
                )?;
            }
            let armed = journal.timer_of(&Entity::Task(id.clone()));
            let due = match &task.step {
                Step::Backoff { timer, .. } => Some(*timer),
                Step::Rest(_) | Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } => None,
            };
            if due != armed {
                broken("no-timer-is-lost", format!("{id} waits for {due:?}, and armed is {armed:?}"))?;
            }
            if asked.is_some() && asked != column::of(task) {
                broken("no-passing-column", format!("{id}: the board is to show {asked:?} for a moment"))?;
            }
            self.costs(&id, task.usage())?;
            self.task(task, world)?;
            waits::has_a_reason(task, &held)?;
            if judged {
                self.looks.count(Occasion::Verdict);
                tasks::verdicts_are_entitled(task, world)?;
            }
        }
        self.heard()?;
        if world.log.len() > self.performed {
            self.looks.count(Occasion::Effect);
        }
        for effect in world.log.get(self.performed..).unwrap_or_default() {
            let row =
                usize::try_from(effect.seq.0).ok().and_then(|seq| journal.all().get(seq.checked_sub(1)?));
            if !row.is_some_and(|row| row.effects.iter().any(|wanted| wanted.id == *effect)) {
                broken("effects-leave-after-their-record", format!("{effect} is in no row"))?;
            }
        }
        self.performed = world.log.len();
        self.calls(world)?;
        let limits = &engine.board().installation().limits;
        let most = limits.agents as usize;
        if self.agents.len() > most {
            broken("limits-hold", format!("{} agents run at once, {most} may", self.agents.len()))?;
        }
        self.lives(world)?;
        self.works(limits, world)?;
        self.merges(engine, world)?;
        self.deploys(engine, world)?;
        match world.twice.first() {
            Some(effect) => broken("effects-happen-once", format!("{effect} happened again")),
            None => Ok(()),
        }
    }
}

/// A merge that has not left when a freeze or a pause is written does not leave any more (decision 61).
pub fn leaves(journal: &MemoryJournal, effects: &[Effect]) -> Result<(), Broken> {
    for effect in effects.iter().filter(|effect| effect.merges()) {
        let state = |entity: Entity| journal.states().get(&entity).map(|kept| &kept.state);
        if let Some(State::Installation(installation)) = state(Entity::Installation)
            && installation.pause.as_ref().is_some_and(|pause| !pause.drain)
        {
            broken("paused-means-no-merge", format!("{} leaves while Orch is paused", effect.id))?;
        }
        let Some(State::Repository(known)) = state(Entity::Repository(effect.project.clone())) else {
            continue;
        };
        let Entity::Task(id) = &effect.entity else { continue };
        let freezes: Vec<_> =
            known.freezes.iter().map(|freeze| (freeze.task.clone(), freeze.cause.clone())).collect();
        if let Some(by) = rows::keeps(&freezes, id) {
            broken("frozen-means-no-merge", format!("{} leaves, frozen by {by:?}", effect.id))?;
        }
    }
    Ok(())
}

/// What is in sync is silent: a sweep that follows one that had no news has none either, and wants nothing (invariant D1).
pub fn in_sync(wrote: bool, wants: bool) -> Result<(), Broken> {
    match wrote || wants {
        true => broken("in-sync-is-silent", "a sweep of what is known wrote or wanted something"),
        false => Ok(()),
    }
}

/// All tasks of a journal.
pub fn tasks(journal: &MemoryJournal) -> Vec<Task> {
    let tasks = journal.states().values().filter_map(|kept| match &kept.state {
        State::Task(task) => Some((**task).clone()),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
    });
    tasks.collect()
}
