//! A tracker as plain state: issues, columns, comments marked by the effect that wrote them.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::tracker::{Comment, IssueReading, Labels, Status, TrackerCall, TrackerReply};
use orch_core::call::{Failure, Text};
use orch_core::id::{EffectId, IssueKey, ProjectId};
use orch_core::note::Note;

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its project.
    pub project: ProjectId,
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
    /// What people and Orch said, oldest first.
    pub said: Vec<Said>,
}

/// A comment.
#[derive(Debug, Clone)]
pub enum Said {
    /// By a person: who, what.
    Person(String, String),
    /// By Orch: a fact.
    Orch(Note),
}

/// A tracker.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// Its issues.
    pub issues: BTreeMap<IssueKey, Issue>,
    marks: BTreeSet<EffectId>,
    people: usize,
    texts: Vec<String>,
    /// Columns that this board does not have: writing them is refused for good.
    pub missing: BTreeSet<Status>,
}

impl Tracker {
    /// A person creates an issue.
    pub fn create(&mut self, project: &ProjectId, title: &str, text: &str, status: Status) -> IssueKey {
        let number = self.issues.values().filter(|issue| issue.project == *project).count() as u64 + 1;
        self.create_as(project, number, title, text, status)
    }

    /// The same with this number.
    pub fn create_as(
        &mut self,
        project: &ProjectId,
        number: u64,
        title: &str,
        text: &str,
        status: Status,
    ) -> IssueKey {
        let key = IssueKey(format!("{project}-{number}"));
        let issue = Issue {
            project: project.clone(),
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

    /// A person deletes an issue, or brings it back.
    pub fn set_present(&mut self, key: &IssueKey, present: bool) {
        if let Some(issue) = self.issues.get_mut(key) {
            issue.present = present;
        }
    }

    /// A person says something.
    pub fn say(&mut self, key: &IssueKey, who: &str, what: &str) {
        if let Some(issue) = self.issues.get_mut(key) {
            issue.said.push(Said::Person(who.to_owned(), what.to_owned()));
            self.people += 1;
        }
    }

    pub(super) fn take_texts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.texts)
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
        self.marks.len()
    }

    pub(super) fn perform(&mut self, effect: EffectId, call: &TrackerCall) -> Result<TrackerReply, Failure> {
        Ok(match call {
            TrackerCall::SetStatus { status, .. } if self.missing.contains(status) => {
                return Err(Failure::permanent(format!("the board has no column {}", status.board_name())));
            }
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
                    issue.said.push(Said::Orch((**note).clone()));
                }
                TrackerReply::Commented
            }
            TrackerCall::ReadComments { issue, .. } => {
                let said = self.issues.get(issue).map(|issue| issue.said.as_slice()).unwrap_or_default();
                let persons = said.iter().filter_map(|said| match said {
                    Said::Person(_, what) => Some(what.clone()),
                    Said::Orch(_) => None,
                });
                self.texts = persons.collect();
                let comments = said.iter().map(|said| match said {
                    Said::Person(who, what) => {
                        Comment { author: who.clone(), own: false, text: Text::of(what) }
                    }
                    Said::Orch(_) => Comment { author: "orch".to_owned(), own: true, text: Text::of("") },
                });
                TrackerReply::Comments(comments.collect())
            }
        })
    }
}
