//! Is a reading news? One equal to what is known writes nothing: in sync means no event, no message, no write
//! (decision 2).

use crate::call::tracker::IssueReading;
use crate::task::Task;

/// Whether the tracker says anything of the issue that the task does not know.
pub fn of_issue(task: &Task, reading: &IssueReading) -> bool {
    task.board.shows != reading.status
        || task.labels != reading.labels
        || task.request.title != reading.title
        || task.request.text != reading.text
        || task.request.present != reading.present
}
