//! Is a reading news? One equal to what is known writes nothing: in sync means no event, no message, no write
//! (decision 2).

use crate::call::tracker::{Covered, IssueReading};
use crate::event::BranchReading;
use crate::gesture::Press;
use crate::task::{Known, Outside, Task, Withdrawn};

/// Whether the tracker says anything of the issue that the task does not know. What is older than what is known tells
/// nothing: it was overtaken on its way, or read where writes come late (decision 67).
pub fn of_issue(task: &Task, reading: &IssueReading) -> bool {
    !is_older(task, reading.revision) && differs(task, reading)
}

/// Whether something that a tracker says is older than what the task knows of its issue.
pub(crate) fn is_older(task: &Task, revision: Option<u64>) -> bool {
    revision.zip(task.revision).is_some_and(|(said, known)| said < known)
}

/// A press that Orch's own write covered, and that no reading told of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unheard {
    /// What was pressed.
    pub(crate) press: Press,
    /// What was known of the board when it was pressed.
    pub(crate) known: Known,
    /// Whether a later press was heard already.
    pub(crate) overtaken: bool,
}

/// Whether the column that a write covered is a press that nobody told of. Read it was if the newest reading from before the
/// write has that column, or is of that very state; what came since says nothing about it (decision 68).
pub(crate) fn unheard(task: &Task, covered: Covered) -> Option<Unheard> {
    let press = Press::of_status(covered.status?)?;
    let times: Vec<Known> = task.board.passed.iter().copied().chain([Known::of(task)]).collect();
    let before = |known: &Known| known.revision.is_none_or(|revision| revision <= covered.revision);
    let at = times.iter().rposition(before)?;
    let known = times[at];
    if known.shows == covered.status || known.revision == Some(covered.revision) {
        return None;
    }
    let pressed = |known: &Known| known.shows.and_then(Press::of_status).is_some();
    Some(Unheard { press, known, overtaken: times[at + 1..].iter().any(pressed) })
}

/// Whether the task read the very state of the issue that a write covered.
pub(crate) fn was_read(task: &Task, covered: Covered) -> bool {
    task.board.passed.iter().copied().chain([Known::of(task)]).any(|at| at.revision == Some(covered.revision))
}

fn differs(task: &Task, reading: &IssueReading) -> bool {
    task.board.shows != reading.status
        || task.labels != reading.labels
        || task.request.title != reading.title
        || task.request.text != reading.text
        || task.request.present != reading.present
}

/// What the forge says of a task's branch, if the task does not know it and it is to be told: a branch of another round
/// is nobody's news, and after Orch's own merge, or while one is under way, main has it by Orch's hand.
pub fn of_branch(task: &Task, reading: &BranchReading) -> Option<Option<Outside>> {
    let ours = task.branch.as_ref().is_some_and(|branch| branch.name == reading.branch);
    if !ours || task.merged.is_some() || task.stage.is_terminal() || task.is_critical() {
        return None;
    }
    // What main has may well have been tidied away after the merge.
    let withdrawn = match (reading.in_main.is_some(), reading.there, reading.open) {
        (true, _, _) | (false, true, true) => None,
        (false, false, _) => Some(Withdrawn::Branch),
        (false, true, false) => Some(Withdrawn::ChangeRequest),
    };
    let now = Outside { in_main: reading.in_main.clone(), withdrawn, told: false };
    let known = task.outside.as_deref().cloned().unwrap_or_default();
    let same = known == Outside { told: known.told, ..now.clone() };
    (!same).then(|| Some(now).filter(|now| *now != Outside::default()))
}
