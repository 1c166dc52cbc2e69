//! What do answers and requests of the API look like? Fields are added, never renamed.

use orch_core::effect::Effect;
use orch_core::event::Event as Happened;
use orch_core::journal::Row;
use orch_core::message::Lang;
use orch_core::reason::Reason;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::show::rfc3339;
use crate::view::Brief;
use crate::words;

/// A page of tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tasks {
    /// Newest first.
    pub(crate) tasks: Vec<Brief>,
    /// Send it as `before` for the next page; null on the last one.
    pub(crate) next: Option<i64>,
}

/// What a task waits for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Why {
    /// The task.
    pub(crate) id: String,
    /// In one sentence: what, since when, what would move it.
    pub(crate) sentence: String,
    /// What it does or waits for.
    pub(crate) standing: crate::view::Stand,
}

/// A row of the journal, for people and programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Its place.
    pub(crate) seq: u64,
    /// When it was written.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// Whom it is about.
    #[schema(example = "task/ORCH-042")]
    pub(crate) entity: String,
    /// What kind of event.
    #[schema(example = "gesture")]
    pub(crate) kind: &'static str,
    /// Why it was decided so, in sentences.
    pub(crate) reasons: Vec<String>,
    /// The same as the journal has it.
    #[schema(value_type = Vec<Object>)]
    pub(crate) raw_reasons: Vec<Reason>,
}

/// A page of history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    /// Newest first.
    pub(crate) events: Vec<Event>,
    /// Send it as `before` for older ones; null at the beginning.
    pub(crate) next: Option<u64>,
}

/// A diff.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Diff {
    /// From which commit.
    pub(crate) base: String,
    /// To which commit.
    pub(crate) head: String,
    /// As git writes it.
    pub(crate) text: String,
    /// Whether its end was left out.
    pub(crate) cut: bool,
}

/// What came of a gesture.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Where it stands in the journal.
    pub(crate) seq: u64,
    /// Whether the same request was taken before: it counted once.
    pub(crate) duplicate: bool,
    /// Whether it moved something; if not, the reasons say why.
    pub(crate) effective: bool,
    /// What it did, in sentences.
    pub(crate) reasons: Vec<String>,
}

/// What is approved or confirmed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bound {
    /// The digest that was shown; a gesture for another thing has no effect. Without it the thing that waits is meant.
    #[serde(default)]
    pub(crate) what: Option<String>,
}

/// Why not.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rejection {
    /// The reason, word for word for the next run; without it the newest comment of a person is read.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// How urgent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Urgency {
    /// `urgent`, `high`, `normal` or `low`.
    pub(crate) priority: UrgencyLevel,
}

/// The levels of urgency.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UrgencyLevel {
    /// Before all others.
    Urgent,
    /// Before the normal ones.
    High,
    /// As they come.
    Normal,
    /// After the others.
    Low,
}

impl From<UrgencyLevel> for orch_core::gesture::Priority {
    fn from(level: UrgencyLevel) -> Self {
        match level {
            UrgencyLevel::Urgent => Self::Urgent,
            UrgencyLevel::High => Self::High,
            UrgencyLevel::Normal => Self::Normal,
            UrgencyLevel::Low => Self::Low,
        }
    }
}

/// How to pause.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pausing {
    /// Whether tasks that have begun go on to their end.
    #[serde(default)]
    pub(crate) drain: bool,
}

/// Which project to unfreeze.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Unfreezing {
    /// The project; the predecessor called it repo.
    #[serde(alias = "project")]
    pub(crate) repo: String,
}

/// A new issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIssue {
    /// In which project.
    pub(crate) project: String,
    /// One sentence, at most 500 characters.
    pub(crate) title: String,
    /// The description, Markdown, at most 256 KiB.
    #[serde(default)]
    pub(crate) text: String,
    /// Whether to start at once.
    #[serde(default)]
    pub(crate) start: bool,
}

/// An issue that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Made {
    /// The issue at the tracker.
    pub(crate) issue: String,
    /// Its task.
    pub(crate) task: String,
}

/// Changes of an issue; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueEdit {
    /// One sentence, at most 500 characters.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// The description, Markdown, at most 256 KiB.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// Labels to put on it.
    #[serde(default)]
    pub(crate) add_labels: Vec<Label>,
    /// Labels to take off it.
    #[serde(default)]
    pub(crate) remove_labels: Vec<Label>,
    /// `shown` of the task that was looked at: if the issue was edited meanwhile, nothing is written.
    #[serde(default)]
    pub(crate) was: Option<String>,
}

/// The labels that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub(crate) enum Label {
    /// The requirements need no approval.
    #[serde(rename = "autoApprove")]
    AutoApprove,
    /// The deploy needs no confirmation; where nothing is deployed, the merge needs none.
    #[serde(rename = "autoDeploy")]
    AutoDeploy,
}

/// What came of an edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Edited {
    /// The task that the issue has now.
    pub(crate) task: String,
    /// Where it stands in the journal.
    pub(crate) seq: u64,
    /// Whether the same request was taken before: it counted once.
    pub(crate) duplicate: bool,
    /// What is different: `title`, `text`, `labels`; empty if all was so already.
    pub(crate) changed: Vec<&'static str>,
    /// What followed at once, in sentences.
    pub(crate) reasons: Vec<String>,
    /// What follows from another title or text, in sentences; null if neither is different.
    pub(crate) follows: Option<String>,
}

/// A new comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewComment {
    /// What is said, Markdown, at most 256 KiB.
    pub(crate) text: String,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Comment {
    /// Who.
    pub(crate) by: String,
    /// Whether Orch said it.
    pub(crate) own: bool,
    /// When.
    #[schema(format = DateTime)]
    pub(crate) at: String,
    /// What, as Markdown.
    pub(crate) text: String,
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Project {
    /// Its id.
    pub(crate) id: String,
    /// The commit of main, as last read.
    pub(crate) main: Option<String>,
    /// Why nothing merges, if so; as the journal has it.
    #[schema(value_type = Vec<Object>)]
    pub(crate) freezes: Vec<orch_core::state::Freeze>,
    /// The policy in force, as the journal has it; null if there is none.
    pub(crate) policy: Option<Value>,
    /// Why a newer policy was refused, if so.
    pub(crate) refused: Option<String>,
}

/// Something to be done outside.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenEffect {
    /// Its id.
    #[schema(example = "e12.0")]
    pub(crate) id: String,
    /// Which effects it waits for.
    #[schema(example = "git/site")]
    pub(crate) line: String,
    /// Who wants it.
    pub(crate) entity: String,
    /// The call, as the journal has it.
    pub(crate) call: Value,
}

pub(crate) fn effect(effect: &Effect) -> OpenEffect {
    OpenEffect {
        id: effect.id.to_string(),
        line: effect.line.to_string(),
        entity: effect.entity.to_string(),
        call: serde_json::to_value(&effect.call).unwrap_or_default(),
    }
}

/// The machine name of what happened.
pub(crate) const fn kind(event: &Happened) -> &'static str {
    match event {
        Happened::Issue(_) => "issue",
        Happened::Main(_) => "main",
        Happened::Gesture(_) => "gesture",
        Happened::RunEnded(_) => "run_ended",
        Happened::Reply(_) => "reply",
        Happened::Timer(_) => "timer",
        Happened::Granted(_) => "granted",
        Happened::Message(_) => "message",
        Happened::PolicyChanged(_) => "policy_changed",
        Happened::PolicyRefused(_) => "policy_refused",
        Happened::Branch(_) => "branch",
        Happened::ProjectRetired => "project_retired",
        Happened::LimitsChanged(_) => "limits_changed",
        Happened::SettingsRefused(_) => "settings_refused",
        Happened::Started(_) => "started",
        Happened::ClockStepped { .. } => "clock_stepped",
        Happened::Disk(_) => "disk",
        Happened::Store(_) => "store",
    }
}

pub(crate) fn event(row: &Row, lang: Lang) -> Event {
    Event {
        seq: row.seq.0,
        at: rfc3339(row.at),
        entity: row.entity.to_string(),
        kind: kind(&row.event),
        reasons: row.reasons.iter().map(|reason| words::reason(reason, lang)).collect(),
        raw_reasons: row.reasons.clone(),
    }
}
