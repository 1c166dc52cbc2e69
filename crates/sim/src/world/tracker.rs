//! A tracker as plain state: issues, columns, comments marked by the effect that wrote them.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::Text;
use orch_core::call::tracker::{Comment, IssueReading, Labels, Status, TrackerCall, TrackerReply};
use orch_core::id::{EffectId, IssueKey};

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub text: String,
    /// Its column.
    pub status: Option<Status>,
    /// Its labels.
    pub labels: Labels,
    /// Whether it exists.
    pub present: bool,
    /// What people and Orch said: who (`None` is Orch), what.
    pub said: Vec<(Option<String>, String)>,
}

/// A tracker.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// Its issues.
    pub issues: BTreeMap<IssueKey, Issue>,
    marks: BTreeSet<EffectId>,
}

impl Tracker {
    /// A person creates an issue.
    pub fn create(&mut self, title: &str, text: &str, status: Status) -> IssueKey {
        let number = self.issues.len() as u64 + 1;
        let key = IssueKey(format!("issue-{number}"));
        let issue = Issue {
            number,
            title: title.to_owned(),
            text: text.to_owned(),
            status: Some(status),
            labels: Labels::default(),
            present: true,
            said: Vec::new(),
        };
        self.issues.insert(key.clone(), issue);
        key
    }

    /// A person moves an issue to a column.
    pub fn press(&mut self, key: &IssueKey, status: Status) {
        if let Some(issue) = self.issues.get_mut(key) {
            issue.status = Some(status);
        }
    }

    /// What a reading of an issue says now.
    pub fn read(&self, key: &IssueKey) -> Option<IssueReading> {
        let issue = self.issues.get(key)?;
        Some(IssueReading {
            issue: key.clone(),
            number: issue.number,
            status: issue.status,
            title: Text::of(&issue.title),
            slug: issue.title.to_lowercase().replace(' ', "-"),
            text: Text::of(&issue.text),
            labels: issue.labels,
            present: issue.present,
        })
    }

    pub(super) fn comments(&self) -> usize {
        self.issues.values().map(|issue| issue.said.len()).sum()
    }

    pub(super) fn perform(&mut self, effect: EffectId, call: &TrackerCall) -> TrackerReply {
        match call {
            TrackerCall::SetStatus { issue, status } => {
                if let Some(issue) = self.issues.get_mut(issue) {
                    issue.status = Some(*status);
                }
                TrackerReply::StatusSet { status: Some(*status) }
            }
            TrackerCall::Comment { issue, note, .. } => {
                if self.marks.insert(effect)
                    && let Some(issue) = self.issues.get_mut(issue)
                {
                    let kind = serde_json::to_value(note).ok();
                    let name = match kind {
                        Some(serde_json::Value::Object(map)) => map.keys().next().cloned(),
                        Some(serde_json::Value::String(name)) => Some(name),
                        Some(_) | None => None,
                    };
                    issue.said.push((None, name.unwrap_or_default()));
                }
                TrackerReply::Commented
            }
            TrackerCall::ReadComments { issue, .. } => {
                let said = self.issues.get(issue).map(|issue| issue.said.as_slice()).unwrap_or_default();
                TrackerReply::Comments(
                    said.iter()
                        .map(|(who, what)| Comment {
                            author: who.clone().unwrap_or_else(|| "orch".to_owned()),
                            own: who.is_none(),
                            text: Text::of(what),
                        })
                        .collect(),
                )
            }
        }
    }
}
