//! What does the board know of an open task? One small row, stored beside the task's state, so that a start reads nothing
//! else of it (architecture "one event's life", 8).

use serde::{Deserialize, Serialize};

use crate::event::Turn;
use crate::gesture::Priority;
use crate::id::{Entity, ProjectId, RunId, Seq, TaskId};
use crate::stage::{Role, Stage};
use crate::state::State;
use crate::task::{Ask, Job, Rest, Step, Task};
use crate::time::Moment;

/// The version of what a [`Row`] is and of how it is made of a task. It rises with every change of either, so that rows
/// that another binary stored are made anew (architecture "one event's life", 8).
pub const ROWS: u32 = 2;

/// What the board knows of an open task. It is small, and stored beside the task's state: a start reads nothing else of
/// a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its project.
    pub project: ProjectId,
    /// Its number: the order of the serial gate.
    pub number: u64,
    /// Its urgency.
    pub priority: Priority,
    /// Where it stands.
    pub stage: Stage,
    /// What it waits for a turn for, and since which row.
    pub want: Option<(Turn, Seq)>,
    /// What it runs.
    pub live: Option<Live>,
    /// Whether it holds the merge lane.
    pub lane: bool,
    /// What it has cost, in millionths of a US dollar.
    pub spent: u64,
    /// Whether it waits for a person, after it began.
    pub rests: bool,
    /// Whether a person allowed it one more run whatever the budgets say.
    pub allowed: bool,
    /// The run whose tree must stay, if there is one.
    pub tree: Option<Tree>,
    /// Until about when production is watched for it, if it is: who waits for its lane is told.
    pub watched: Option<Moment>,
}

/// A run that lives, may begin yet, or whose work is not collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    /// Which.
    pub run: RunId,
    /// Whether it began, and its end is not in the journal.
    pub began: bool,
}

/// An open entity, as far as the board must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A task.
    Task(TaskId, Row),
    /// Anything else, whole: there are few.
    Other(Entity, State),
}

/// What counts against the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Live {
    /// An agent.
    Agent(Role),
    /// A gate's run.
    Gate,
    /// A deploy hook: no limit but the lane.
    Hook,
    /// A beginning, until its first agent waits for a slot of its own.
    Beginning,
}

/// A row as it is stored: in this order, without names.
type Stored<'a> = (
    std::borrow::Cow<'a, str>,
    u64,
    Priority,
    Stage,
    Option<(Turn, Seq)>,
    Option<Live>,
    bool,
    u64,
    bool,
    bool,
    Option<(RunId, bool)>,
    Option<Moment>,
);

impl Row {
    /// The row of a task; `None` when it is over and nothing of it may live.
    pub fn of(task: &Task) -> Option<Self> {
        (!task.stage.is_terminal() || task.stopping_run().is_some()).then(|| Self::open(task))
    }

    /// Among which others it waits: everybody who wants to merge waits for who holds the lane, so that one's tests are as urgent
    /// as any (decision 20).
    pub(super) fn rank(&self) -> Priority {
        if self.lane { Priority::Urgent } else { self.priority }
    }

    /// The row as text, in about a hundred bytes.
    pub fn to_text(&self) -> String {
        let stored: Stored<'_> = (
            self.project.as_str().into(),
            self.number,
            self.priority,
            self.stage,
            self.want,
            self.live,
            self.lane,
            self.spent,
            self.rests,
            self.allowed,
            self.tree.map(|tree| (tree.run, tree.began)),
            self.watched,
        );
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// The row that [`Row::to_text`] wrote; `None` if it did not write this.
    pub fn from_text(text: &str) -> Option<Self> {
        let stored: Stored<'_> = serde_json::from_str(text).ok()?;
        let (project, number, priority, stage, want, live, lane, spent, rests, allowed, tree, watched) =
            stored;
        let tree = tree.map(|(run, began)| Tree { run, began });
        let project = ProjectId::from(project.into_owned());
        Some(Self {
            project,
            number,
            priority,
            stage,
            want,
            live,
            lane,
            spent,
            rests,
            allowed,
            tree,
            watched,
        })
    }

    fn open(task: &Task) -> Self {
        Row {
            project: task.project.clone(),
            number: task.number,
            priority: task.priority,
            stage: task.stage,
            want: crate::decide::wanted_turn(task).map(|turn| (turn, task.step_seq)),
            live: match (task.live_run().or_else(|| task.stopping_run()), &task.step) {
                (Some((_, Job::Agent(role))), _) => Some(Live::Agent(role)),
                (Some((_, Job::Ci(_))), _) => Some(Live::Gate),
                (Some((_, Job::Hook)), _) => Some(Live::Hook),
                (None, Step::Asked { ask: Ask::CutBranch { .. }, .. }) => Some(Live::Beginning),
                (
                    None,
                    Step::Asked { .. }
                    | Step::Rest(_)
                    | Step::Queued(_)
                    | Step::Running { .. }
                    | Step::Backoff { .. },
                ) => None,
            },
            lane: task.lane.is_some(),
            spent: task.usage().microdollars.unwrap_or(0),
            rests: matches!(&task.step, Step::Rest(rest) if !matches!(rest, Rest::Start | Rest::Over)),
            allowed: task.allowed.is_some(),
            tree: task
                .run_with_tree()
                .map(|run| Tree { run, began: matches!(task.step, Step::Running { .. }) }),
            watched: task.watched_until(),
        }
    }
}

impl Entry {
    /// What the board must know of this state; `None` if nothing can come of it any more.
    pub fn of(entity: &Entity, state: &State) -> Option<Self> {
        match (entity, state) {
            (Entity::Task(id), State::Task(task)) => Some(Entry::Task(id.clone(), Row::of(task)?)),
            (_, state) => Some(Entry::Other(entity.clone(), state.clone())),
        }
    }
}
