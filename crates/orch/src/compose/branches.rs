//! What did people do with the branches of tasks? Read with every sweep: merged by hand, deleted, their change requests
//! closed (decision 45).

use std::collections::BTreeSet;
use std::sync::Arc;

use orch_core::event::{BranchReading, Event};
use orch_core::id::{Commit, Entity, TaskId};
use orch_engine::{Incoming, Target};

use super::project::Project;
use super::{Outside, blocking, lock, sweep};

/// What was seen at the last look.
#[derive(Debug, Default)]
pub struct Told {
    /// Where main was.
    main: Option<Commit>,
    /// Of which tasks the brain may know something that is over by the next look: they are told then, too, until the brain
    /// took it.
    tasks: Option<BTreeSet<TaskId>>,
}

/// Whether branches are to be read though main stands still: they were never read, the brain is to be told again of some,
/// or people see them in their own repository and can delete them there.
pub fn unlike(project: &Project) -> bool {
    project.hub.publishes() || lock(&project.told).tasks.as_ref().is_none_or(|tasks| !tasks.is_empty())
}

/// Reads the branches of a project's open tasks, and tells what is unlike it should be. False: they could not be read.
pub async fn look(outside: &Arc<Outside>, project: &Arc<Project>) -> bool {
    let id = project.id.clone();
    let asked = outside.asker.ask(move |board, _| {
        let main = board.repository(&id).and_then(|repository| repository.main.clone());
        (board.begun_of(&id), main)
    });
    let Some((begun, main)) = asked.await else { return false };
    if begun.is_empty() {
        *lock(&project.told) = Told { main, tasks: Some(BTreeSet::new()) };
        return true;
    }
    let told = {
        let told = lock(&project.told);
        // Nothing can have become other with main where it was: then no program is started.
        let still =
            main.is_some() && told.main == main && told.tasks.as_ref().is_some_and(BTreeSet::is_empty);
        if still && !project.hub.publishes() {
            return true;
        }
        told.tasks.clone()
    };
    let open: BTreeSet<TaskId> = begun.into_iter().collect();
    // After a start it is not known what was told: of each the brain may know something. What it knows already writes nothing.
    let told = told.unwrap_or_else(|| open.clone());
    let (mine, theirs) = (Arc::clone(outside), Arc::clone(project));
    let read = blocking(move || {
        let closed = mine.forge.closed(&theirs.id)?;
        Ok::<_, orch_core::call::Failure>((theirs.hub.read_branches(&open)?, closed))
    });
    let (branches, closed) = match read.await {
        Some(Ok(read)) => read,
        Some(Err(failure)) => {
            tracing::warn!(project = %project.id, cause = %failure.cause, "the branches could not be read");
            return false;
        }
        None => return false,
    };
    let mut tasks = BTreeSet::new();
    for seen in branches {
        let open = !closed.contains(&(seen.branch.clone(), seen.task.clone()));
        let unlike = !seen.there || !open || seen.in_main.is_some();
        if !unlike && !told.contains(&seen.task) {
            continue;
        }
        let reading = BranchReading { branch: seen.branch, there: seen.there, open, in_main: seen.in_main };
        let target = Target::Entity(Entity::Task(seen.task.clone()));
        let told = sweep::tell(outside, Incoming::of(target, Event::Branch(Box::new(reading)))).await;
        if unlike || told.is_none() {
            tasks.insert(seen.task);
        }
    }
    *lock(&project.told) = Told { main, tasks: Some(tasks) };
    true
}
