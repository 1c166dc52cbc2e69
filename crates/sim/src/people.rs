//! What do people do at any moment, asked or not?

use orch_core::call::tracker::Status;
use orch_core::gesture::{Press, Priority};
use orch_core::id::{Entity, IssueKey};
use orch_core::record::Recorded;
use orch_core::stage::Preset;

use crate::bench::{Bench, policy};
use crate::world::repository::ByHand;

/// One thing that nobody asked for.
pub(crate) fn meddle(bench: &mut Bench) {
    let tasks: Vec<_> = bench.tasks().into_iter().filter(|task| !task.stage.is_terminal()).collect();
    let keys: Vec<IssueKey> = bench.world.tracker.issues.keys().cloned().collect();
    if keys.is_empty() || tasks.is_empty() {
        return;
    }
    // Whoever looks for something to retry finds what stands still.
    let stuck: Vec<_> = tasks.iter().filter(|task| task.escalated.is_some()).map(|task| &task.id).collect();
    if !stuck.is_empty() && bench.dice.chance(40) {
        let id = stuck[bench.dice.below(stuck.len())];
        return drop(bench.gesture(id, Press::Retry));
    }
    let task = tasks[bench.dice.below(tasks.len())].clone();
    let key = keys[bench.dice.below(keys.len())].clone();
    let (project, _) = bench.projects[bench.dice.below(bench.projects.len())].clone();
    match bench.dice.below(30) {
        0 => drop(bench.gesture(&task.id, Press::Stop)),
        1 => drop(bench.press(&key, Status::Stop)),
        2 => drop(bench.press(&key, Status::Rejected)),
        3 | 4 => drop(bench.reject(&task.id, "not like this")),
        5 => drop(bench.press(&key, Status::Approved)),
        6 => drop(bench.press(&key, Status::ConfirmDeploy)),
        7 => drop(bench.press(&key, Status::ToAnalyse)),
        8 => drop(bench.gesture(&task.id, Press::Continue)),
        9 => drop(bench.gesture(&task.id, Press::Priority(Priority::Urgent))),
        what @ (10 | 11) => {
            let words = format!("edited {}", bench.dice.below(1000));
            if let Some(issue) = bench.world.tracker.issues.get_mut(&key) {
                *(if what == 10 { &mut issue.text } else { &mut issue.title }) = words;
            }
            bench.send(&key);
        }
        12 => {
            let there = bench.dice.chance(50);
            bench.world.tracker.set_present(&key, there);
            bench.send(&key);
        }
        13 => {
            if let Some(issue) = bench.world.tracker.issues.get_mut(&key) {
                issue.labels.auto_approve = !issue.labels.auto_approve;
            }
            bench.send(&key);
        }
        14 => {
            if let Some(issue) = bench.world.tracker.issues.get_mut(&key) {
                issue.labels.auto_deploy = !issue.labels.auto_deploy;
            }
            bench.send(&key);
        }
        15 => {
            let drain = bench.dice.chance(50);
            bench.gesture_to(Entity::Installation, Press::Pause { drain });
        }
        16 | 17 => drop(bench.gesture_to(Entity::Installation, Press::Unpause)),
        18 => drop(bench.gesture_to(Entity::Repository(project), Press::Freeze)),
        19 => drop(bench.gesture_to(Entity::Repository(project), Press::Unfreeze)),
        20 | 21 => {
            // Somebody may work on the very file that a task works on.
            let (project, file) = match bench.dice.chance(30) {
                true => (task.project.clone(), task.id.item().to_string()),
                false => (project, format!("other-{}", bench.dice.below(3))),
            };
            let path = format!("src/{file}");
            let content = format!("by ann {}", bench.dice.below(1000));
            bench.main_moves(&project, &path, &content);
        }
        22 => {
            let mut other = policy(Preset::Full);
            other.preset = [Preset::Full, Preset::Fast, Preset::Library][bench.dice.below(3)];
            other.hook = true;
            other.probe = bench.dice.chance(75);
            other.serial = bench.dice.chance(30);
            other.test = vec!["run-tests".to_owned(), format!("v{}", bench.dice.below(2))];
            bench.set_policy_of(&project, &other);
        }
        23 => {
            let refuses = bench.dice.chance(50);
            if let Some(repository) = bench.world.repositories.get_mut(&project) {
                repository.refuses_records = refuses;
            }
        }
        24 => {
            let hands = [ByHand::Plainly, ByHand::WithMore, ByHand::Through, ByHand::Squashed];
            let how = hands[bench.dice.below(hands.len())];
            bench.merged_by_hand(&task, how);
        }
        25 => {
            if let (Some(branch), Some(repository)) =
                (&task.branch, bench.world.repositories.get_mut(&task.project))
            {
                repository.delete_branch(&branch.name);
            }
        }
        26 => {
            if let (Some(change), Some(repository)) =
                (task.change_request, bench.world.repositories.get_mut(&task.project))
            {
                repository.close_change(change);
            }
        }
        27 => drop(bench.gesture(&task.id, Press::Accept { what: None })),
        28 => drop(bench.gesture(&task.id, Press::Allow)),
        _ => {
            // Mostly where it is of use.
            let escalated = tasks.iter().find(|task| task.escalated.is_some());
            let whose = escalated.unwrap_or(&task).id.clone();
            bench.gesture(&whose, Press::Retry);
        }
    }
}

/// Everything that people switched off is switched on again: what is left is the way to the end.
pub(crate) fn settle(bench: &mut Bench) {
    bench.gesture_to(Entity::Installation, Press::Unpause);
    for (project, _) in bench.projects.clone() {
        bench.gesture_to(Entity::Repository(project), Press::Unfreeze);
    }
    let keys: Vec<IssueKey> = bench.world.tracker.issues.keys().cloned().collect();
    for key in keys {
        bench.world.tracker.set_present(&key, true);
        bench.deliver(&key);
    }
    for repository in bench.world.repositories.values_mut() {
        repository.refuses_records = false;
    }
    for task in bench.tasks() {
        if task.records.iter().any(Recorded::is_refused) {
            bench.gesture(&task.id, Press::Retry);
        }
    }
}
