//! A tracker as plain state: issues, columns, comments marked by the effect that wrote them.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::tracker::{Comment, Covered, IssueReading, Labels, Status, TrackerCall, TrackerReply};
use orch_core::call::{Failure, Text};
use orch_core::id::{Digest, EffectId, IssueKey, ProjectId, WorkItem};
use orch_core::message::{self, Lang};
use orch_core::note::Note;

/// As many comments are told at once, the newest.
const MOST_COMMENTS: usize = 50;
/// A branch's name is cut at the last word that fits.
const MOST_SLUG: usize = 40;

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

/// Orch's own column took the place of one that a person had chosen.
#[derive(Debug, Clone)]
pub struct Cover {
    /// By this write.
    pub effect: EffectId,
    /// Whose.
    pub issue: IssueKey,
    /// What the person had chosen.
    pub status: Status,
    /// The state of the issue that had it first.
    pub since: u64,
    /// The first that was without it.
    pub until: u64,
}

/// A tracker.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// Its issues.
    pub issues: BTreeMap<IssueKey, Issue>,
    marks: BTreeSet<EffectId>,
    /// Columns that Orch wrote, and what each of them covered.
    written: BTreeMap<EffectId, Option<Covered>>,
    people: usize,
    texts: Vec<String>,
    /// Each state of an issue that anybody looked at, oldest first.
    past: BTreeMap<IssueKey, Vec<IssueReading>>,
    /// How many states there were of all issues: the newest revision. An issue's own have gaps, as the built-in tracker's.
    states: u64,
    /// Their titles and descriptions.
    wrote: BTreeMap<Digest, String>,
    /// How often people put an issue into a column.
    pressed: BTreeMap<(IssueKey, Status), u32>,
    /// Where a person put an issue, and which state of it that was, until somebody puts it elsewhere.
    by_hand: BTreeMap<IssueKey, (Status, u64)>,
    /// Each column that a person had chosen and that Orch wrote its own over, in order.
    pub covers: Vec<Cover>,
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
        let key = IssueKey::from(format!("{project}-{number}"));
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
        *self.pressed.entry((key.clone(), status)).or_default() += 1;
        key
    }

    /// A person moves an issue to a column.
    pub fn press(&mut self, key: &IssueKey, status: Status) {
        self.see(key);
        let Some(issue) = self.issues.get_mut(key) else { return };
        let moved = issue.status.replace(status) != Some(status);
        *self.pressed.entry((key.clone(), status)).or_default() += 1;
        if moved && let Some(revision) = self.see(key).and_then(|now| now.revision) {
            self.by_hand.insert(key.clone(), (status, revision));
        }
    }

    /// How often people put an issue into this column.
    pub fn pressed(&self, key: &IssueKey, status: Status) -> u32 {
        self.pressed.get(&(key.clone(), status)).copied().unwrap_or(0)
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
    pub fn see(&mut self, key: &IssueKey) -> Option<IssueReading> {
        let issue = self.issues.get(key)?;
        let mut now = IssueReading {
            issue: key.clone(),
            number: issue.number,
            status: issue.status,
            title: Text::of(&issue.title),
            slug: slug(&issue.title),
            text: Text::of(&issue.text),
            labels: issue.labels,
            present: issue.present,
            revision: None,
        };
        let past = self.past.entry(key.clone()).or_default();
        now.revision = past.last().and_then(|last| last.revision);
        if past.last() != Some(&now) {
            self.states += 1;
            now.revision = Some(self.states);
            past.push(now.clone());
            self.wrote.insert(now.title.blob.clone(), issue.title.clone());
            self.wrote.insert(now.text.blob.clone(), issue.text.clone());
        }
        Some(now)
    }

    /// What a person had chosen and this write covered.
    pub fn covers_of(&self, effect: EffectId) -> impl Iterator<Item = &Cover> {
        self.covers.iter().rev().filter(move |cover| cover.effect == effect).take(1)
    }

    /// An earlier state of an issue, so many changes ago: what a reading says where writes come late.
    pub fn saw(&self, key: &IssueKey, ago: usize) -> Option<&IssueReading> {
        let past = self.past.get(key)?;
        past.get(past.len().checked_sub(ago + 1)?)
    }

    /// The title and the description of a reading.
    pub fn texts_of(&self, reading: &IssueReading) -> Vec<String> {
        let texts = [&reading.title, &reading.text].map(|text| self.wrote.get(&text.blob));
        texts.into_iter().flatten().cloned().collect()
    }

    /// The states that an issue had from this revision on; what a write made is known by the one that it covered.
    pub fn states_from(&self, key: &IssueKey, revision: u64) -> &[IssueReading] {
        let past = self.past.get(key).map_or(&[][..], Vec::as_slice);
        &past[past.partition_point(|state| state.revision < Some(revision))..]
    }

    pub(super) fn comments(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn perform(&mut self, effect: EffectId, call: &TrackerCall) -> Result<TrackerReply, Failure> {
        let key = match call {
            TrackerCall::SetStatus { issue, .. }
            | TrackerCall::Comment { issue, .. }
            | TrackerCall::ReadComments { issue, .. } => issue,
        };
        // What was there before this call is a state of its own.
        let before = self.see(key);
        let issue = self.issues.get_mut(key);
        let issue = issue.ok_or_else(|| Failure::permanent(format!("there is no issue {key}")))?;
        Ok(match call {
            TrackerCall::SetStatus { status, .. } if self.missing.contains(status) => {
                return Err(Failure::permanent(format!("the board has no column {}", status.board_name())));
            }
            TrackerCall::SetStatus { status, .. } => {
                // Once: a person may have pressed something since.
                let first = !self.written.contains_key(&effect);
                let covered = *self.written.entry(effect).or_insert_with(|| {
                    let before = before.filter(|before| before.status != Some(*status))?;
                    issue.status = Some(*status);
                    Some(Covered { status: before.status, revision: before.revision? })
                });
                let now = self.see(key);
                if first
                    && covered.is_some()
                    && let Some((status, since)) = self.by_hand.remove(key)
                {
                    let until = now.as_ref().and_then(|now| now.revision).unwrap_or_default();
                    self.covers.push(Cover { effect, issue: key.clone(), status, since, until });
                }
                let status = now.as_ref().and_then(|now| now.status);
                let words = now.as_ref().map(|now| Box::new(now.words()));
                self.texts = now.iter().flat_map(|now| self.texts_of(now)).collect();
                TrackerReply::StatusSet { status, revision: now.and_then(|now| now.revision), covered, words }
            }
            TrackerCall::Comment { note, .. } => {
                if self.marks.insert(effect) {
                    issue.said.push(Said::Orch((**note).clone()));
                }
                TrackerReply::Commented
            }
            TrackerCall::ReadComments { .. } => {
                let from = issue.said.len().saturating_sub(MOST_COMMENTS);
                let told = issue.said[from..].iter().map(|said| match said {
                    Said::Person(who, what) => (who.clone(), false, what.clone()),
                    Said::Orch(note) => ("orch".to_owned(), true, issue.words(note)),
                });
                let (mut comments, mut texts) = (Vec::new(), Vec::new());
                for (author, own, what) in told {
                    comments.push(Comment { author, own, text: Text::of(&what) });
                    texts.push(what);
                }
                self.texts = texts;
                TrackerReply::Comments(comments)
            }
        })
    }
}

impl Issue {
    /// What stands there of a fact; texts of the journal are not at hand here.
    fn words(&self, note: &Note) -> String {
        let item = WorkItem::numbered(&self.project.as_str().to_uppercase(), self.number);
        let facts = message::NoteFacts { item: &item, text: &|_| None, link: &|_| None };
        message::note(note, &facts, Lang::En)
    }
}

/// A name for a branch: what is plain of the title, in small letters.
fn slug(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.map(|word| &word[..word.len().min(MOST_SLUG)]) {
        if slug.is_empty() {
            slug.push_str(word);
        } else if slug.len() + 1 + word.len() <= MOST_SLUG {
            slug.push('-');
            slug.push_str(word);
        } else {
            break;
        }
    }
    if slug.is_empty() { "untitled".to_owned() } else { slug }
}
