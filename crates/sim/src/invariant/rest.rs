//! What holds when nothing moves any more?

use std::collections::BTreeSet;

use orch_core::id::RunId;
use orch_core::stage::Stage;
use orch_core::task::Task;
use orch_engine::Engine;

use super::{Broken, Looks, Occasion, broken, column, merge, tasks, waits};
use crate::twin::Twin;
use crate::world::World;

/// What holds when nothing moves any more: boards tell the truth, nobody works for nobody, nothing is left behind.
pub fn at_rest(engine: Option<&mut Engine<Twin>>, world: &World, looks: &mut Looks) -> Result<(), Broken> {
    let Some(engine) = engine else { return Ok(()) };
    waits::nothing_is_lost(engine, world)?;
    let tasks: Vec<Task> = tasks(engine.journal());
    looks.count(Occasion::Rest);
    merge::late_ones_are_told(&tasks, world)?;
    let stopped = tasks.iter().filter(|task| task.stage == Stage::Cancelled).count();
    let over = tasks.iter().filter(|task| task.stage.is_terminal()).count();
    let recorded = tasks.iter().filter(|task| !task.records.is_empty()).count();
    looks.count_of(Occasion::RestStopped, stopped as u64);
    looks.count_of(Occasion::RestOver, over as u64);
    looks.count_of(Occasion::RestRecorded, recorded as u64);
    let newest = |task: &Task| {
        !tasks
            .iter()
            .any(|t| t.project == task.project && t.issue == task.issue && t.id.life() > task.id.life())
    };
    for task in tasks.iter().filter(|task| newest(task)) {
        let Some(wanted) = column::of(task) else { continue };
        let shows = world.tracker.issues.get(&task.issue).and_then(|issue| issue.status);
        if shows != Some(wanted) && task.board.refused != Some(wanted) {
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
    for task in tasks.iter().filter(|task| task.stage.is_terminal()) {
        if let Some(run) = world.trees_of(&task.id).next() {
            return broken(
                "trees-are-given-back",
                format!("{} is over and the tree of {run} stays", task.id),
            );
        }
    }
    for task in tasks.iter().filter(|task| task.stage == Stage::Cancelled) {
        let Some(repository) = world.repositories.get(&task.project) else { continue };
        let theirs = |branch: &String| repository.pushed.contains(branch);
        let left =
            |(branch, owner): &(&String, &String)| owner.as_str() == task.id.as_str() && !theirs(branch);
        if let Some((branch, _)) = repository.cut.iter().find(left) {
            return broken("a-stop-leaves-nothing", format!("{} was stopped and {branch} stays", task.id));
        }
        let open = |(n, _, open): &(u64, &str, bool)| *open && repository.opener(*n) == Some(&task.id);
        if let Some((change, _, _)) = repository.changes().find(open) {
            return broken("a-stop-leaves-nothing", format!("{} was stopped and #{change} stays", task.id));
        }
    }
    Ok(())
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
