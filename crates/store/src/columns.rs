//! Which small columns stand beside a state, so that lists and lookups need not open it?

use orch_core::board::Row;
use orch_core::state::State;

/// What the `state` table repeats of a state. Only tasks have more than `open`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns<'a> {
    pub(crate) open: bool,
    pub(crate) task: Option<TaskColumns<'a>>,
}

/// The columns of a task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TaskColumns<'a> {
    pub(crate) project: &'a str,
    pub(crate) issue: &'a str,
    pub(crate) life: u32,
    pub(crate) number: i64,
    pub(crate) stage: &'static str,
    pub(crate) item: &'a str,
    pub(crate) slug: &'a str,
    /// What a start must know of it; none when it is over.
    pub(crate) line: Option<String>,
}

impl<'a> Columns<'a> {
    /// Those of this state.
    pub(crate) fn of(state: &'a State) -> Self {
        let task = match state {
            State::Task(task) => Some(TaskColumns {
                project: task.project.as_str(),
                issue: task.issue.as_str(),
                life: task.id.life(),
                number: i64::try_from(task.number).unwrap_or(i64::MAX),
                stage: task.stage.name(),
                item: task.item.as_str(),
                slug: &task.request.slug,
                line: Row::of(task).map(|row| row.to_text()),
            }),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        };
        Self { open: state.is_open(), task }
    }
}
