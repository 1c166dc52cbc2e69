//! What may be asked of a tracker, and what does it tell?

use serde::{Deserialize, Serialize};

use super::Text;
use crate::id::{IssueKey, TaskId};
use crate::message::Lang;
use crate::note::Note;
use crate::stage::Role;

/// The statuses of a board that Orch knows by meaning; the adapter maps the board's names and aliases to them
/// (the names are kept, decision 27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the backlog: not asked for.
    Backlog,
    /// Gesture: start, or resume the analyst.
    ToAnalyse,
    /// The analyst works.
    Analysis,
    /// The analyst has questions.
    NeedsInput,
    /// The requirements wait for approval.
    InReview,
    /// Gesture: the requirements are approved.
    Approved,
    /// Gesture: rejected, with the newest comment as reason.
    Rejected,
    /// The architect works.
    Architecture,
    /// The developer works.
    Development,
    /// The reviewer works.
    CodeReview,
    /// The tester works.
    Testing,
    /// Waits for Confirm Deploy.
    AwaitingDeploy,
    /// Gesture: deploy.
    ConfirmDeploy,
    /// Deploying.
    Deploying,
    /// Deployed, watched.
    Monitoring,
    /// Delivered.
    Done,
    /// A person is needed.
    Blocked,
    /// Work goes on (boards without finer columns).
    InProgress,
    /// Stopped.
    Cancelled,
    /// Gesture: stop.
    Stop,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 20] = [
        Status::Backlog,
        Status::ToAnalyse,
        Status::Analysis,
        Status::NeedsInput,
        Status::InReview,
        Status::Approved,
        Status::Rejected,
        Status::Architecture,
        Status::Development,
        Status::CodeReview,
        Status::Testing,
        Status::AwaitingDeploy,
        Status::ConfirmDeploy,
        Status::Deploying,
        Status::Monitoring,
        Status::Done,
        Status::Blocked,
        Status::InProgress,
        Status::Cancelled,
        Status::Stop,
    ];

    /// The board's name for it (decision 27).
    pub const fn board_name(self) -> &'static str {
        match self {
            Status::Backlog => "Backlog",
            Status::ToAnalyse => "To Analyse",
            Status::Analysis => "Analysis",
            Status::NeedsInput => "Needs Input",
            Status::InReview => "In Review",
            Status::Approved => "Approved",
            Status::Rejected => "Rejected",
            Status::Architecture => "Architecture",
            Status::Development => "Development",
            Status::CodeReview => "Code Review",
            Status::Testing => "Testing",
            Status::AwaitingDeploy => "Awaiting Deploy",
            Status::ConfirmDeploy => "Confirm Deploy",
            Status::Deploying => "Deploying",
            Status::Monitoring => "Monitoring after Deploy",
            Status::Done => "Done",
            Status::Blocked => "Blocked",
            Status::InProgress => "In Progress",
            Status::Cancelled => "Cancelled",
            Status::Stop => "STOP",
        }
    }
}

/// What the tracker says of one issue, now. Equal to the last one stored: no event (decision 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueReading {
    /// The tracker's key.
    pub issue: IssueKey,
    /// The tracker's number of it in its project, from which the work item id is made.
    pub number: u64,
    /// The status by meaning; `None` for a status that means nothing to Orch.
    pub status: Option<Status>,
    /// The title; never empty after [`crate::gesture`] has judged it.
    pub title: Text,
    /// The title as a branch slug: transliterated ASCII words (decisions 10, 30).
    pub slug: String,
    /// The description.
    pub text: Text,
    /// Labels with a meaning.
    pub labels: Labels,
    /// Whether the issue still exists and is not archived.
    pub present: bool,
    /// Which state of the issue this is: a number that rises with every change of it at the tracker. `None` where the tracker
    /// has none; a reading below one that is known is older, and no news (decision 67).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

impl IssueReading {
    /// What it says beside its column.
    pub fn words(&self) -> Words {
        Words {
            title: self.title.clone(),
            slug: self.slug.clone(),
            text: self.text.clone(),
            labels: self.labels,
            present: self.present,
        }
    }
}

/// What an issue says beside its column, as in [`IssueReading`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The title.
    pub title: Text,
    /// The title as a branch slug.
    pub slug: String,
    /// The description.
    pub text: Text,
    /// Labels with a meaning.
    pub labels: Labels,
    /// Whether the issue still exists and is not archived.
    pub present: bool,
}

/// The column that an issue had at the moment at which Orch wrote its own over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The column; `None` for one that means nothing to Orch.
    pub status: Option<Status>,
    /// The revision of the issue at that moment, as in [`IssueReading`]: what has none cannot be told from older news.
    pub revision: u64,
}

/// The labels that mean something (predecessor section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Labels {
    /// Lifts the approval of the requirements.
    pub auto_approve: bool,
    /// Lifts Confirm Deploy.
    pub auto_deploy: bool,
}

/// Whose name stands under a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// An agent's role.
    Role(Role),
    /// Deploys and staging (decision 6: only an author, no agent).
    Deployer,
    /// Orch itself: moves of stages.
    Stream,
}

/// A comment, newest last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Who wrote it, for people.
    pub author: String,
    /// Whether Orch wrote it.
    pub own: bool,
    /// What it says, HTML removed.
    pub text: Text,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackerCall {
    /// Put the issue into a column.
    SetStatus {
        /// Which issue.
        issue: IssueKey,
        /// The column.
        status: Status,
    },
    /// Say something under the issue, once: the effect's id marks it.
    Comment {
        /// Which issue.
        issue: IssueKey,
        /// In whose name.
        author: Author,
        /// What; the sentence is made when it is said.
        note: Box<Note>,
        /// In which language.
        language: Lang,
    },
    /// Read the comments, newest last, at most fifty.
    ReadComments {
        /// Which issue.
        issue: IssueKey,
        /// For which task.
        task: TaskId,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackerReply {
    /// The column after the write: a reading too (decision 2).
    StatusSet {
        /// What the board says now.
        status: Option<Status>,
        /// The revision of the issue that says so, as in [`IssueReading`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        revision: Option<u64>,
        /// What the write took off the board, if that was another column: the same again when the write is repeated. A tracker
        /// that does not say it is read right before the write; `None` where nobody can tell (decision 68).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        covered: Option<Covered>,
        /// What the issue of that revision says beside its column: an edit right before the write is known with its answer. `None`
        /// in the rows of older programs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<Box<Words>>,
    },
    /// The comment stands.
    Commented,
    /// The comments, newest last.
    Comments(Vec<Comment>),
}
