//! What never happens? Each promise of the product has a name here and is checked after every step.

use std::collections::BTreeMap;

use orch_core::board::Policies;
use orch_core::event::RunHow;
use orch_core::hold::{Standing, standing};
use orch_core::id::{Entity, TaskId};
use orch_core::journal::Row;
use orch_core::replay::Fold;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Job, Step, Task};
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

/// Checks every promise that can be seen between two steps.
pub fn check(engine: &mut Engine<MemoryJournal>, world: &World, now: Moment) -> Result<(), Broken> {
    let tasks: Vec<Task> = engine
        .journal()
        .states()
        .values()
        .filter_map(|kept| match &kept.state {
            State::Task(task) => Some((**task).clone()),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        })
        .collect();
    let flying = engine.in_flight();
    for task in &tasks {
        done_means_delivered(task, world)?;
        stands_still_with_a_reason(task, engine.board(), engine.policies(), now)?;
        running_means_alive(task, world)?;
        cancelled_stays_cancelled(task)?;
        if let Step::Asked { effect, .. } = &task.step
            && !flying.iter().any(|e| e.id == *effect)
            && !engine.journal().states().contains_key(&Entity::Task(task.id.clone()))
        {
            broken("lost-effect", format!("{} waits for {effect}, which is not on its way", task.id))?;
        }
    }
    one_branch_a_task(&tasks)?;
    main_only_gains_tested_trees(world)?;
    production_only_with_consent(&tasks, world)?;
    once(world)
}

/// A task is `done` only if its change is in main with exactly the tested tree, and deployed if it deploys.
fn done_means_delivered(task: &Task, world: &World) -> Result<(), Broken> {
    if task.stage != Stage::Done {
        return Ok(());
    }
    let Some(merged) = task.merged.as_ref() else {
        return broken("done-means-delivered", format!("{} is done and was not merged", task.id));
    };
    let repository = &world.repository;
    if !merged.proven || !repository.contains(&repository.main(), &merged.commit) {
        return broken(
            "done-means-delivered",
            format!("{} is done and {} is not in main", task.id, merged.commit),
        );
    }
    if !repository.tested.contains(&repository.tree(&merged.commit)) {
        return broken("merged-is-tested", format!("{}: the merged tree was never tested", task.id));
    }
    Ok(())
}

/// No task stands still without a reason that a person can see.
fn stands_still_with_a_reason(
    task: &Task,
    board: &orch_core::board::Board,
    policies: &Policies,
    now: Moment,
) -> Result<(), Broken> {
    match standing(task, board, policies, now) {
        Standing::Working { .. } | Standing::Over { .. } => Ok(()),
        Standing::Held(holds) if holds.is_empty() => {
            broken("a-reason-for-every-wait", format!("{} waits and nobody knows why", task.id))
        }
        Standing::Held(_) => Ok(()),
    }
}

/// A job stays `running` only with a live actor, or one whose end is on its way.
fn running_means_alive(task: &Task, world: &World) -> Result<(), Broken> {
    let Step::Running { run, .. } = &task.step else { return Ok(()) };
    if !world.runs.contains_key(run) {
        return broken("running-means-alive", format!("{}: run {run} does not exist", task.id));
    }
    Ok(())
}

/// A cancelled task never runs again.
fn cancelled_stays_cancelled(task: &Task) -> Result<(), Broken> {
    let over = matches!(task.step, Step::Rest(_));
    if task.stage.is_terminal() && !over {
        return broken("terminal-stays-terminal", format!("{} is over and does {:?}", task.id, task.step));
    }
    Ok(())
}

/// A branch belongs to one task.
fn one_branch_a_task(tasks: &[Task]) -> Result<(), Broken> {
    let mut owners: BTreeMap<&str, &TaskId> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.stage != Stage::Cancelled) {
        let Some(branch) = &task.branch else { continue };
        if let Some(other) = owners.insert(&branch.name, &task.id) {
            return broken("one-branch-a-task", format!("{} and {other} share {}", task.id, branch.name));
        }
    }
    Ok(())
}

/// Everything that Orch put on main was tested as exactly that tree; main only moves forward.
fn main_only_gains_tested_trees(world: &World) -> Result<(), Broken> {
    let repository = &world.repository;
    let pairs = repository.main_was.windows(2);
    for pair in pairs {
        let (Some(before), Some(after)) = (pair.first(), pair.get(1)) else { continue };
        if !repository.contains(after, before) {
            return broken("main-never-forced", format!("{after} does not contain {before}"));
        }
        let by_people = world.works.by_people.contains(after);
        if !by_people && !repository.tested.contains(&repository.tree(after)) {
            return broken("merged-is-tested", format!("{after} reached main untested"));
        }
    }
    Ok(())
}

/// Production is touched only after somebody's consent to exactly the change that was merged.
fn production_only_with_consent(tasks: &[Task], world: &World) -> Result<(), Broken> {
    for (run, commit, id) in &world.hooks {
        let Some(task) = tasks.iter().find(|task| task.id == *id) else { continue };
        let rounds = task.earlier_merges.iter().chain(task.merged.as_ref());
        if !rounds.clone().any(|merged| merged.commit == *commit) {
            return broken(
                "deploy-what-was-merged",
                format!("{run} deploys {commit}, which {id} did not merge"),
            );
        }
        let current = task.merged.as_ref().is_some_and(|merged| merged.commit == *commit);
        if current && task.consent.is_none() {
            return broken("production-needs-consent", format!("{run} deploys for {id} without consent"));
        }
    }
    Ok(())
}

/// The same effect never happens twice.
fn once(world: &World) -> Result<(), Broken> {
    for (effect, times) in &world.performed {
        if *times > 1 {
            return broken("effects-happen-once", format!("{effect} happened {times} times"));
        }
    }
    for (branch, times) in &world.repository.cuts {
        if *times > 1 && !world.works.recut_ok {
            return broken("effects-happen-once", format!("{branch} was cut {times} times"));
        }
    }
    Ok(())
}

/// Checks what can only be seen at the end: the journal folds to the states, and decides the same again.
pub fn check_journal(journal: &MemoryJournal) -> Result<(), Broken> {
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

/// How often agents of a role ran for a task, for stories.
pub fn runs_of(task: &Task, job: Job) -> usize {
    let counted = |how: &Option<RunHow>| !matches!(how, Some(RunHow::ProviderLimited { .. }));
    task.runs.iter().filter(|row| row.job == job && counted(&row.end)).count()
}
