//! What does the front door ask of the rest of Orch? Plain questions with plain answers; the composition answers them
//! from store, engine and adapters, tests from memory.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderMap;
use orch_core::board::{Board, Policies};
use orch_core::effect::Effect;
use orch_core::gesture::Gesture;
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, RunId, Seq, TaskId};
use orch_core::journal::{Blob, Row};
use orch_core::message::Lang;
use orch_core::reason::Reason;
use orch_core::stage::Stage;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use tokio::sync::watch;

/// An answer that comes later.
pub type Later<T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send>>;

macro_rules! doings {
    ($($(#[$doc:meta])* $name:ident: $en:literal, $ru:literal;)*) => {
        /// What can fail, worded as what one could not do; both languages stand side by side.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Doing {
            $($(#[$doc])* $name,)*
        }

        impl Doing {
            /// In a language.
            pub const fn said(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Doing::$name, Lang::En) => $en, (Doing::$name, Lang::Ru) => $ru,)*
                }
            }
        }
    };
}

doings! {
    /// Looking at the board.
    Board: "look at the board", "посмотреть на доску";
    /// Counting tasks.
    Count: "count tasks", "посчитать задачи";
    /// Listing tasks.
    List: "list tasks", "перечислить задачи";
    /// Listing what waits for people.
    Waiting: "list what waits for people", "перечислить то, что ждёт людей";
    /// Reading a task.
    Task: "read a task", "прочитать задачу";
    /// Finding the task of an issue.
    Find: "find the task", "найти задачу";
    /// Reading the history of something.
    History: "read the history", "прочитать историю";
    /// Reading the journal.
    Journal: "read the journal", "прочитать журнал";
    /// Reading a kept text.
    Text: "read a text", "прочитать текст";
    /// Reading the comments.
    Comments: "read the comments", "прочитать комментарии";
    /// Reading a log.
    Log: "read a log", "прочитать лог";
    /// Making a diff.
    Diff: "make the diff", "построить diff";
    /// Reading an artefact.
    Artefact: "read an artefact", "прочитать артефакт";
    /// Reading the open effects.
    Effects: "read what is on its way", "прочитать, что сейчас в пути";
    /// Writing an event down.
    Write: "write it down", "это записать";
    /// Creating an issue.
    Create: "create the issue", "создать задачу";
    /// Editing an issue.
    Edit: "edit the issue", "изменить задачу";
    /// Writing a comment.
    Comment: "write the comment", "записать комментарий";
    /// Taking a delivery of a hook.
    Delivery: "take the delivery", "принять доставку";
}

impl std::fmt::Display for Doing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.said(Lang::En))
    }
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The queue sheds (decision 33).
    #[error("too much is asked for at once")]
    Overloaded {
        /// When it is worth asking again.
        retry_after: Span,
    },
    /// The disk has no room: nothing was written. The sender should come back.
    #[error("the disk is full, and nothing was written")]
    DiskFull {
        /// When it is worth asking again.
        retry_after: Span,
    },
    /// It stands in the tracker, and nothing acts on it yet: the next sweep brings it.
    #[error("it is written down, and nothing acts on it yet")]
    Later {
        /// When it is worth looking again.
        retry_after: Span,
    },
    /// Nothing can be written now: the store is damaged, or Orch ends. The sender should come back.
    #[error("{cause}")]
    Unwritten {
        /// Why, with what to do about it.
        cause: String,
        /// When it is worth asking again.
        retry_after: Span,
    },
    /// It could not be read or done. Place, cause and remedy, for people.
    #[error("could not {doing}: {cause}")]
    Failed {
        /// What was attempted.
        doing: Doing,
        /// Why it failed.
        cause: String,
    },
}

/// What the front door asks. Every answer is true for some row of the journal at or after the last commit announced by
/// [`Source::head`].
pub trait Source: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Moment;
    /// The newest row: changes with every commit, after it.
    fn head(&self) -> watch::Receiver<Seq>;
    /// The board and the policies in force.
    fn seen(&self) -> Later<Seen>;
    /// The projects, in the order in which people should see them.
    fn projects(&self) -> Later<Vec<ProjectId>>;
    /// How many tasks stand in each stage.
    fn counts(&self, project: Option<ProjectId>) -> Later<BTreeMap<Stage, u64>>;
    /// Tasks, newest born first, at most `most`.
    fn tasks(&self, filter: Filter, most: usize) -> Later<Page>;
    /// Tasks that wait for a person (approval, questions, confirmation, escalation ...), longest waiting first, at most
    /// `most`; and how many there are. [`needs_person`] says which.
    fn waiting(&self, project: Option<ProjectId>, most: usize) -> Later<(Vec<Listed>, u64)>;
    /// One task.
    fn task(&self, id: TaskId) -> Later<Option<Listed>>;
    /// Rows about an entity, newest first, older than `before` if given, at most `most`.
    fn history(&self, entity: Entity, before: Option<Seq>, most: usize) -> Later<Vec<Row>>;
    /// Rows after `after`, oldest first, at most `most`.
    fn rows_since(&self, after: Seq, most: usize) -> Later<Vec<Row>>;
    /// A kept text; `None` if it is not there or was erased (decision 39).
    fn blob(&self, digest: Digest) -> Later<Option<Vec<u8>>>;
    /// What was said under the task's issue, oldest first, at most the last hundred.
    fn comments(&self, task: TaskId) -> Later<Vec<Said>>;
    /// A part of a run's log.
    fn log(&self, part: LogPart) -> Later<Option<LogChunk>>;
    /// The task's change as a unified diff; `None` while there is no branch.
    fn diff(&self, task: TaskId) -> Later<Option<DiffText>>;
    /// An artefact's bytes by its name below the work item's folder.
    fn artefact(&self, task: TaskId, name: String) -> Later<Option<Vec<u8>>>;
    /// Takes a gesture: answered after its commit.
    fn submit(&self, pressed: Pressed) -> Later<Taken>;
    /// Creates an issue in the built-in tracker: answered after its commit.
    fn create_issue(&self, issue: NewIssue) -> Later<Created>;
    /// Changes an issue of the built-in tracker: answered after its commit.
    fn edit_issue(&self, edit: IssueEdit) -> Later<Edited>;
    /// Says something under an issue: answered after it stands.
    fn comment(&self, comment: NewComment) -> Later<Commented>;
    /// Why a delivery would be refused now, whatever it says; must not wait for anything.
    fn sheds(&self) -> Option<Trouble>;
    /// Takes a delivery of the built-in tracker's hook; the signature is over exactly these bytes.
    fn hook(&self, delivery: Delivery) -> Later<HookAnswer>;
    /// The effects that no reply settled yet.
    fn open_effects(&self) -> Later<Vec<Effect>>;
    /// Who serves. Must not wait for anything.
    fn health(&self) -> Health;
}

/// The board at one moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The board.
    pub board: Arc<Board>,
    /// The policies.
    pub policies: Arc<Policies>,
}

/// Which tasks are asked for; the default asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of a project.
    pub project: Option<ProjectId>,
    /// Only those in a stage.
    pub stage: Option<Stage>,
    /// Only those that are not over.
    pub open: bool,
    /// Only those whose work item or slug begins so.
    pub prefix: Option<String>,
    /// Only those after this place in the list: [`Page::next`] of the page before.
    pub before: Option<Cursor>,
}

/// A place in a list of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub i64);

/// A task with its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The row for which the state is true.
    pub seq: Seq,
    /// Its state.
    pub task: Arc<Task>,
    /// The title; `None` if it was erased.
    pub title: Option<String>,
}

/// A page of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Listed>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

/// A comment under an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Whether Orch said it.
    pub own: bool,
    /// When.
    pub at: Moment,
    /// What, as Markdown.
    pub text: String,
}

/// Which of a run's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Which part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// Of which task: a run of another task is `None`.
    pub task: TaskId,
    /// Of which run.
    pub run: RunId,
    /// Which stream.
    pub stream: LogStream,
    /// From which byte; `None`: the last `most` bytes.
    pub from: Option<u64>,
    /// At most so many bytes.
    pub most: usize,
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Where it begins.
    pub from: u64,
    /// What is there.
    pub bytes: Vec<u8>,
    /// How long the log is now.
    pub size: u64,
    /// Whether more can come.
    pub live: bool,
    /// Bytes that were too many to be kept: the log has begin and end of the output.
    pub left_out: u64,
}

/// A diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffText {
    /// From which commit.
    pub base: String,
    /// To which commit.
    pub head: String,
    /// As git writes it, perhaps cut at its end.
    pub text: String,
    /// Whether it was cut.
    pub cut: bool,
}

/// A gesture for an entity, with the texts it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// Whom it is for: a task, a repository or the installation.
    pub entity: Entity,
    /// The gesture.
    pub gesture: Gesture,
    /// The texts it names by digest.
    pub blobs: Vec<Blob>,
}

/// What came of a gesture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It stands in the journal.
    Accepted {
        /// Where.
        seq: Seq,
        /// What it did, or why it had no effect.
        reasons: Vec<Reason>,
    },
    /// The same request was taken before.
    Duplicate {
        /// Where.
        seq: Seq,
        /// What it did then.
        reasons: Vec<Reason>,
    },
    /// There is no such task, repository or project.
    Unknown,
    /// Not now, and a person can do something about it (the store is read-only, for example).
    Refused {
        /// Place, cause and remedy.
        cause: String,
    },
}

/// An issue to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssue {
    /// The request's id: the same twice makes one issue.
    pub request: String,
    /// In which project.
    pub project: ProjectId,
    /// Its title, not empty.
    pub title: String,
    /// Its description, perhaps empty.
    pub text: String,
    /// Whether to start at once (To Analyse).
    pub start: bool,
    /// Who asks.
    pub by: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It stands.
    Made {
        /// The issue.
        issue: IssueKey,
        /// Its task.
        task: TaskId,
    },
    /// There is no such project.
    UnknownProject,
    /// The project's issues are made elsewhere, or not now.
    Refused {
        /// Place, cause and remedy.
        cause: String,
    },
}

/// Changes of an issue; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueEdit {
    /// The request's id: the same twice is one edit.
    pub request: String,
    /// Which task's issue.
    pub task: TaskId,
    /// Only if this is what it is still: [`orch_core::edited::shown`].
    pub was: Option<Digest>,
    /// Its title, not empty.
    pub title: Option<String>,
    /// Its description, perhaps empty.
    pub text: Option<String>,
    /// Whether the label autoApprove is on it.
    pub auto_approve: Option<bool>,
    /// Whether the label autoDeploy is on it.
    pub auto_deploy: Option<bool>,
    /// Who edits.
    pub by: String,
}

/// What came of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// It stands.
    Done {
        /// The task that the issue has now.
        task: TaskId,
        /// Where it stands in the journal.
        seq: Seq,
        /// What is different; `None`: the same request was made before.
        changed: Option<Differs>,
        /// What followed at once.
        reasons: Vec<Reason>,
    },
    /// There is no such task.
    Unknown,
    /// The issue is another one by now than was shown; nothing was written.
    Meanwhile,
    /// The project's issues are edited elsewhere, or not now.
    Refused {
        /// Place, cause and remedy.
        cause: String,
    },
}

/// What an edit made different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Differs {
    /// The title.
    pub title: bool,
    /// The description.
    pub text: bool,
    /// The labels.
    pub labels: bool,
}

/// A comment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewComment {
    /// The request's id: the same twice makes one comment.
    pub request: String,
    /// Under which task's issue.
    pub task: TaskId,
    /// What is said.
    pub text: String,
    /// Who says it.
    pub by: String,
}

/// What came of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commented {
    /// It stands, now or since the same request was made before.
    Said,
    /// There is no such task.
    Unknown,
    /// The issue's comments are made elsewhere, or not now.
    Refused {
        /// Place, cause and remedy.
        cause: String,
    },
}

/// A delivery of a hook: raw, because the signature is over the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To which project's hook.
    pub project: ProjectId,
    /// The headers as they came.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl Delivery {
    /// A header's value; `None` if there is none or it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAnswer {
    /// Committed: something new.
    Accepted {
        /// The newest row it caused.
        seq: Seq,
    },
    /// Known already, or nothing that matters: nothing was written.
    NothingNew,
    /// The signature is missing or wrong.
    BadSignature,
    /// The body says nothing that can be read.
    Malformed {
        /// Where in the body.
        place: String,
        /// What was expected there.
        remedy: String,
    },
    /// There is no such project, or it has no hook.
    Unknown,
}

/// Who serves, and how it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version of the binary.
    pub version: String,
    /// The commit it was built from, if it is known.
    pub commit: Option<String>,
    /// Since when it serves.
    pub started: Moment,
    /// What runs and waits.
    pub work: Work,
    /// The sweeps so far; `None` where none is configured.
    pub sweep: Option<Sweep>,
}

/// What runs and waits, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Runs that live.
    pub running: u64,
    /// Tasks that wait for a turn.
    pub queued: u64,
    /// Effects that no reply settled yet.
    pub effects: u64,
    /// Runs that ended since the brain started.
    pub done: u64,
    /// Runs that failed since the brain started.
    pub failed: u64,
}

/// What sweeps did since the brain started (predecessor section 21, block `reconcile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sweep {
    /// When the last one ran.
    pub last: Option<Moment>,
    /// Readings that were news: a webhook was lost or late.
    pub news: u64,
    /// Readings of finished tasks, left alone.
    pub skipped_terminal: u64,
    /// Readings equal to the last one.
    pub equal: u64,
}

/// Whether a task waits for a person: what [`Source::waiting`] lists.
pub fn needs_person(task: &Task) -> bool {
    use orch_core::task::{Rest, Step};
    if task.stage.is_terminal() || task.cancel.is_some() {
        return false;
    }
    match &task.step {
        Step::Rest(rest) => match rest {
            Rest::Questions
            | Rest::Approval
            | Rest::Protected
            | Rest::Confirmation
            | Rest::RequestChanged
            | Rest::IssueGone
            | Rest::MergedOutside
            | Rest::Withdrawn
            | Rest::RunBudget { .. }
            | Rest::CannotTell { .. }
            | Rest::DeployUnseen
            | Rest::WentBad { .. }
            | Rest::WentSilent { .. }
            | Rest::Escalated => true,
            Rest::Start | Rest::Over => false,
        },
        Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => false,
    }
}
