//! What do people want, where there is no other tracker? Issues and comments in tables of Orch's own, written only
//! through this port (decision 2).

mod hook;
#[cfg(test)]
mod tests;

use std::path::Path;

use orch_core::call::tracker::{Author, Comment, Covered, IssueReading, Labels, Status};
use orch_core::call::{Failure, Text, TrackerCall, TrackerReply};
use orch_core::edited;
use orch_core::id::{Digest, EffectId, IssueKey, ProjectId};
use orch_core::journal::Blob;
use orch_core::message::Lang;
use orch_core::note::Note;
use orch_core::time::Moment;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub use hook::{Hook, HookError, SIGNATURE_HEADER, parse, sign, verify};

use crate::failure::sqlite;
use crate::tables::{Log, Tables, TablesError};
use crate::tracker::slug;

/// The longest title, in bytes.
pub const MOST_TITLE: usize = 1_000;
/// The longest description or comment, in bytes.
pub const MOST_TEXT: usize = 256 << 10;
/// As many issues are read at once by a sweep.
pub const MOST_ISSUES: usize = 200;
/// As many comments are read at once, the newest.
const MOST_COMMENTS: u32 = 50;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS tracker_issues (
        project TEXT NOT NULL,
        number INTEGER NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        status TEXT NOT NULL,
        auto_approve INTEGER NOT NULL,
        auto_deploy INTEGER NOT NULL,
        present INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        PRIMARY KEY (project, number)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS tracker_issues_changed ON tracker_issues (project, changed);
    CREATE TABLE IF NOT EXISTS tracker_comments (
        id INTEGER PRIMARY KEY,
        project TEXT NOT NULL,
        number INTEGER NOT NULL,
        author TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        effect TEXT UNIQUE
    ) STRICT;
    CREATE INDEX IF NOT EXISTS tracker_comments_issue ON tracker_comments (project, number, id);
    CREATE TABLE IF NOT EXISTS tracker_requests (
        project TEXT NOT NULL,
        request TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (project, request)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS tracker_written (effect TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS tracker_covered (
        effect TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        changed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const ISSUE: &str = "SELECT project, number, title, text, status, auto_approve, auto_deploy, present, changed
     FROM tracker_issues";

/// The built-in tracker.
#[derive(Debug)]
pub struct BuiltinTracker {
    tables: Tables,
}

/// An issue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its key, unique in the installation.
    pub key: IssueKey,
    /// Its project.
    pub project: ProjectId,
    /// Its number there, from 1.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub text: String,
    /// Its column; `None` for one that means nothing to Orch.
    pub status: Option<Status>,
    /// Its labels.
    pub labels: Labels,
    /// False once it was deleted.
    pub present: bool,
    /// The project's change counter when it last changed.
    pub changed: u64,
}

impl Issue {
    /// What of it people are shown before they edit it.
    pub fn shown(&self) -> Digest {
        let [title, text] = [&self.title, &self.text].map(|text| Digest::of(text.as_bytes()));
        edited::shown(&title, &text, self.labels)
    }

    /// What the heart is told, and the texts that it names. Each text is hashed once and not copied.
    pub fn into_reading(self) -> (IssueReading, Vec<Blob>) {
        let slug = slug(&self.title);
        let [title, text] = [self.title, self.text].map(Blob::of);
        let reading = IssueReading {
            issue: self.key,
            number: self.number,
            status: self.status,
            title: Text::in_blob(&title),
            slug,
            text: Text::in_blob(&text),
            labels: self.labels,
            present: self.present,
            revision: (self.changed > 0).then_some(self.changed),
        };
        (reading, vec![title, text])
    }
}

/// What a person changes of an issue; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub text: Option<String>,
    /// The column.
    pub status: Option<Status>,
    /// Whether the label autoApprove is on it.
    pub auto_approve: Option<bool>,
    /// Whether the label autoDeploy is on it.
    pub auto_deploy: Option<bool>,
    /// Deleted, or there again.
    pub present: Option<bool>,
}

/// What came of an edit that is made once a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditOnce {
    /// The issue as it stands.
    pub issue: Issue,
    /// As it stood before; `None`: the same request was made before.
    pub before: Option<Issue>,
}

impl Edit {
    fn fits(&self) -> Result<(), IssueError> {
        fits("title", self.title.as_deref().unwrap_or_default(), MOST_TITLE)?;
        fits("description", self.text.as_deref().unwrap_or_default(), MOST_TEXT)
    }

    /// The issue as it would stand.
    fn apply(&self, issue: Issue) -> Issue {
        let Self { title, text, status, auto_approve, auto_deploy, present } = self.clone();
        Issue {
            title: title.unwrap_or(issue.title),
            text: text.unwrap_or(issue.text),
            status: status.or(issue.status),
            labels: Labels {
                auto_approve: auto_approve.unwrap_or(issue.labels.auto_approve),
                auto_deploy: auto_deploy.unwrap_or(issue.labels.auto_deploy),
            },
            present: present.unwrap_or(issue.present),
            ..issue
        }
    }
}

/// A comment as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Who.
    pub by: String,
    /// Whether Orch said it.
    pub own: bool,
    /// When.
    pub at: Moment,
    /// What, as Markdown.
    pub text: String,
}

/// Why a person's wish for an issue cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// There is none of that key.
    #[error("there is no issue `{key}`")]
    NoSuchIssue {
        /// The key.
        key: IssueKey,
    },
    /// It is another one by now than was shown to whom edits it.
    #[error("`{key}` was edited meanwhile")]
    Edited {
        /// The key.
        key: IssueKey,
    },
    /// A text is longer than is kept.
    #[error("the {what} has {bytes} bytes; at most {most} are kept")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The tables could not be read or written.
    #[error("the tracker's tables")]
    Tables(#[from] rusqlite::Error),
}

impl IssueError {
    /// Whether the disk had no room for it.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Tables(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }
}

/// An answer and the texts that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackerAnswer {
    /// The reply.
    pub reply: TrackerReply,
    /// To be kept with it.
    pub blobs: Vec<Blob>,
}

impl BuiltinTracker {
    /// The tracker whose tables are in this SQLite file. The store moves the log of its own file itself: `log` says so.
    pub fn open(file: &Path, log: Log) -> Result<Self, TablesError> {
        Ok(Self { tables: Tables::open(file, SCHEMA, log)? })
    }

    /// The same tables for who only reads them: they must be there.
    pub fn read_only(file: &Path) -> Result<Self, TablesError> {
        Ok(Self { tables: Tables::read_only(file)? })
    }

    /// A new issue. Creating one starts nothing (row 119); a column that is a gesture does.
    pub fn create_issue(
        &self,
        project: &ProjectId,
        title: &str,
        text: &str,
        status: Status,
        labels: Labels,
    ) -> Result<Issue, IssueError> {
        fits("title", title, MOST_TITLE)?;
        fits("description", text, MOST_TEXT)?;
        let issue = self.tables.write(|rows| {
            let number = insert(rows, project, title, text, status, labels)?;
            find(rows, project.as_str(), number)
        })?;
        issue.ok_or(IssueError::Tables(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Changes an issue as a person wishes.
    pub fn edit(&self, key: &IssueKey, edit: &Edit) -> Result<Issue, IssueError> {
        edit.fits()?;
        let (project, number) = parts(key)?;
        let issue = self.tables.write(|rows| {
            write(rows, project, number, edit)?;
            find(rows, project, number)
        })?;
        issue.ok_or_else(|| IssueError::NoSuchIssue { key: key.clone() })
    }

    /// As [`BuiltinTracker::edit`], once a request about this issue, and only the issue that was shown, if `was` says which ([`Issue::shown`]).
    /// An edit that changes nothing writes nothing.
    pub fn edit_once(
        &self,
        key: &IssueKey,
        request: &str,
        was: Option<&Digest>,
        edit: &Edit,
    ) -> Result<EditOnce, IssueError> {
        edit.fits()?;
        let (project, number) = parts(key)?;
        let request = format!("{number}/edit/{request}");
        let edited = self.tables.write(|rows| {
            let Some(before) = find(rows, project, number)? else { return Ok(None) };
            let known = rows
                .query_row(
                    "SELECT 1 FROM tracker_requests WHERE project = ?1 AND request = ?2",
                    params![project, request],
                    |_| Ok(()),
                )
                .optional()?;
            if known.is_some() {
                return Ok(Some(Ok(EditOnce { issue: before, before: None })));
            }
            if was.is_some_and(|was| *was != before.shown()) {
                return Ok(Some(Err(IssueError::Edited { key: key.clone() })));
            }
            rows.execute(
                "INSERT INTO tracker_requests (project, request, number) VALUES (?1, ?2, ?3)",
                params![project, request, number],
            )?;
            let issue = edit.apply(before.clone());
            if issue != before {
                write(rows, project, number, edit)?;
            }
            let issue = find(rows, project, number)?.unwrap_or(issue);
            Ok(Some(Ok(EditOnce { issue, before: Some(before) })))
        })?;
        edited.ok_or_else(|| IssueError::NoSuchIssue { key: key.clone() })?
    }

    /// Puts an issue into a column, as a person does.
    pub fn set_status(&self, key: &IssueKey, status: Status) -> Result<Issue, IssueError> {
        self.edit(key, &Edit { status: Some(status), ..Edit::default() })
    }

    /// Says something under an issue, as a person does. Comments change nothing else (row 129).
    pub fn comment(&self, key: &IssueKey, author: &str, text: &str, at: Moment) -> Result<(), IssueError> {
        fits("comment", text, MOST_TEXT)?;
        let (project, number) = parts(key)?;
        let said = self.tables.rows().execute(
            "INSERT INTO tracker_comments (project, number, author, text, at)
             SELECT ?1, ?2, ?3, ?4, ?5 FROM tracker_issues WHERE project = ?1 AND number = ?2",
            params![project, number, author, text, at.0],
        )?;
        if said == 0 { Err(IssueError::NoSuchIssue { key: key.clone() }) } else { Ok(()) }
    }

    /// As [`BuiltinTracker::create_issue`], once a request: the same request again finds the issue that it made.
    pub fn create_once(
        &self,
        project: &ProjectId,
        request: &str,
        title: &str,
        text: &str,
        status: Status,
    ) -> Result<Issue, IssueError> {
        fits("title", title, MOST_TITLE)?;
        fits("description", text, MOST_TEXT)?;
        let issue = self.tables.write(|rows| {
            let made: Option<u64> = rows
                .query_row(
                    "SELECT number FROM tracker_requests WHERE project = ?1 AND request = ?2",
                    params![project.as_str(), request],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(number) = made {
                return find(rows, project.as_str(), number);
            }
            let number = insert(rows, project, title, text, status, Labels::default())?;
            rows.execute(
                "INSERT INTO tracker_requests (project, request, number) VALUES (?1, ?2, ?3)",
                params![project.as_str(), request, number],
            )?;
            find(rows, project.as_str(), number)
        })?;
        issue.ok_or(IssueError::Tables(rusqlite::Error::QueryReturnedNoRows))
    }

    /// As [`BuiltinTracker::comment`], once a request about this issue.
    pub fn comment_once(
        &self,
        key: &IssueKey,
        request: &str,
        author: &str,
        text: &str,
        at: Moment,
    ) -> Result<(), IssueError> {
        fits("comment", text, MOST_TEXT)?;
        let (project, number) = parts(key)?;
        let request = format!("{number}/comment/{request}");
        let known = self.tables.write(|rows| {
            if find(rows, project, number)?.is_none() {
                return Ok(false);
            }
            let new = rows.execute(
                "INSERT INTO tracker_requests (project, request, number) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![project, request, number],
            )?;
            if new == 1 {
                rows.execute(
                    "INSERT INTO tracker_comments (project, number, author, text, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![project, number, author, text, at.0],
                )?;
            }
            Ok(true)
        })?;
        if known { Ok(()) } else { Err(IssueError::NoSuchIssue { key: key.clone() }) }
    }

    /// What was said under an issue, oldest first, at most the newest `most`.
    pub fn said(&self, key: &IssueKey, most: u32) -> Result<Vec<Spoken>, Failure> {
        let read = || {
            let (project, number) = parts(key)?;
            let rows = self.tables.rows();
            let mut query = rows.prepare_cached(
                "SELECT author, effect IS NOT NULL, at, text FROM tracker_comments
                 WHERE project = ?1 AND number = ?2 ORDER BY id DESC LIMIT ?3",
            )?;
            let found = query.query_map(params![project, number, most], |row| {
                Ok(Spoken { by: row.get(0)?, own: row.get(1)?, at: Moment(row.get(2)?), text: row.get(3)? })
            })?;
            let mut said = found.collect::<rusqlite::Result<Vec<_>>>()?;
            said.reverse();
            Ok::<_, IssueError>(said)
        };
        read().map_err(Failure::from)
    }

    /// An issue as it stands.
    pub fn issue(&self, key: &IssueKey) -> Result<Issue, IssueError> {
        let (project, number) = parts(key)?;
        let found = find(&self.tables.rows(), project, number)?;
        found.ok_or_else(|| IssueError::NoSuchIssue { key: key.clone() })
    }

    /// The issues of a project that changed after `since`, in the order of their changes: what a sweep reads. At most
    /// [`MOST_ISSUES`] at once; who got that many asks again from the last one on. 0 begins with the first.
    pub fn changed_since(&self, project: &ProjectId, since: u64) -> Result<Vec<Issue>, Failure> {
        let read = || {
            let rows = self.tables.rows();
            let mut query = rows.prepare_cached(&format!(
                "{ISSUE} WHERE project = ?1 AND changed > ?2 ORDER BY changed LIMIT ?3"
            ))?;
            query
                .query_map(params![project.as_str(), since, MOST_ISSUES], issue_of)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(sqlite)
    }

    /// The newest change of a project's issues; 0 if it has none. Blocks, briefly.
    pub fn newest_change(&self, project: &ProjectId) -> Result<u64, Failure> {
        let read = || {
            let rows = self.tables.rows();
            let mut query = rows
                .prepare_cached("SELECT coalesce(max(changed), 0) FROM tracker_issues WHERE project = ?1")?;
            query.query_row(params![project.as_str()], |row| row.get(0))
        };
        read().map_err(sqlite)
    }

    /// Performs a call, once an effect: performed again it changes nothing and says what is. `words` makes the sentence
    /// of a comment. Blocks.
    pub fn perform(
        &self,
        call: &TrackerCall,
        effect: EffectId,
        at: Moment,
        words: &dyn Fn(&Note, Lang) -> Result<String, Failure>,
    ) -> Result<TrackerAnswer, Failure> {
        let done = match call {
            TrackerCall::SetStatus { issue, status } => self.put(issue, *status, effect),
            TrackerCall::Comment { issue, author, note, language } => {
                self.say(issue, *author, &words(note, *language)?, effect, at)
            }
            TrackerCall::ReadComments { issue, task: _ } => self.comments(issue),
        };
        done.map_err(Failure::from)
    }

    /// Writes Orch's own column. Once: a person may have pressed something since. What was there before is kept with it in the
    /// same transaction, and told each time (decision 68).
    fn put(&self, key: &IssueKey, status: Status, effect: EffectId) -> Result<TrackerAnswer, IssueError> {
        let (project, number) = parts(key)?;
        let issue = self.tables.write(|rows| {
            let new = rows.execute(
                "INSERT INTO tracker_written (effect) VALUES (?1) ON CONFLICT DO NOTHING",
                params![effect.to_string()],
            )?;
            if new == 1 {
                rows.execute(
                    "INSERT INTO tracker_covered (effect, status, changed)
                     SELECT ?4, status, changed FROM tracker_issues
                     WHERE project = ?1 AND number = ?2 AND status <> ?3",
                    params![project, number, name(status), effect.to_string()],
                )?;
                rows.execute(
                    "UPDATE tracker_issues SET status = ?3,
                         changed = (SELECT max(changed) + 1 FROM tracker_issues WHERE project = ?1)
                     WHERE project = ?1 AND number = ?2 AND status <> ?3",
                    params![project, number, name(status)],
                )?;
            }
            let covered = rows
                .prepare_cached("SELECT status, changed FROM tracker_covered WHERE effect = ?1")?
                .query_row(params![effect.to_string()], |row| {
                    let status: String = row.get(0)?;
                    Ok(Covered { status: status_of(&status), revision: row.get(1)? })
                })
                .optional()?;
            Ok(find(rows, project, number)?.map(|issue| (issue, covered)))
        })?;
        let (issue, covered) = issue.ok_or_else(|| IssueError::NoSuchIssue { key: key.clone() })?;
        let (reading, blobs) = issue.into_reading();
        let words = Some(Box::new(reading.words()));
        let reply =
            TrackerReply::StatusSet { status: reading.status, revision: reading.revision, covered, words };
        Ok(TrackerAnswer { reply, blobs })
    }

    fn say(
        &self,
        key: &IssueKey,
        author: Author,
        body: &str,
        effect: EffectId,
        at: Moment,
    ) -> Result<TrackerAnswer, IssueError> {
        let (project, number) = parts(key)?;
        let author = match author {
            Author::Role(role) => role.name(),
            Author::Deployer => "deployer",
            Author::Stream => "stream",
        };
        let there = self.tables.write(|rows| {
            rows.execute(
                "INSERT INTO tracker_comments (project, number, author, text, at, effect)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM tracker_issues WHERE project = ?1 AND number = ?2
                 ON CONFLICT (effect) DO NOTHING",
                params![project, number, author, body, at.0, effect.to_string()],
            )?;
            find(rows, project, number)
        })?;
        match there {
            Some(_) => Ok(TrackerAnswer { reply: TrackerReply::Commented, blobs: Vec::new() }),
            None => Err(IssueError::NoSuchIssue { key: key.clone() }),
        }
    }

    /// The newest comments, newest last.
    fn comments(&self, key: &IssueKey) -> Result<TrackerAnswer, IssueError> {
        let (project, number) = parts(key)?;
        let rows = self.tables.rows();
        if find(&rows, project, number)?.is_none() {
            return Err(IssueError::NoSuchIssue { key: key.clone() });
        }
        let mut query = rows.prepare_cached(
            "SELECT author, effect IS NOT NULL, text FROM tracker_comments
             WHERE project = ?1 AND number = ?2 ORDER BY id DESC LIMIT ?3",
        )?;
        let mut blobs = Vec::new();
        let mut comments = query
            .query_map(params![project, number, MOST_COMMENTS], |row| {
                let text: String = row.get(2)?;
                let comment = Comment { author: row.get(0)?, own: row.get(1)?, text: Text::of(&text) };
                blobs.push(Blob::of(text));
                Ok(comment)
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        comments.reverse();
        Ok(TrackerAnswer { reply: TrackerReply::Comments(comments), blobs })
    }
}

fn insert(
    rows: &Connection,
    project: &ProjectId,
    title: &str,
    text: &str,
    status: Status,
    labels: Labels,
) -> rusqlite::Result<u64> {
    rows.query_row(
        "INSERT INTO tracker_issues
         SELECT ?1, coalesce((SELECT max(number) FROM tracker_issues WHERE project = ?1), 0) + 1, ?2, ?3, ?4, ?5, ?6, 1,
             coalesce((SELECT max(changed) FROM tracker_issues WHERE project = ?1), 0) + 1
         RETURNING number",
        params![project.as_str(), title, text, name(status), labels.auto_approve, labels.auto_deploy],
        |row| row.get(0),
    )
}

fn write(rows: &Connection, project: &str, number: u64, edit: &Edit) -> rusqlite::Result<()> {
    rows.execute(
        "UPDATE tracker_issues SET title = coalesce(?3, title), text = coalesce(?4, text),
             status = coalesce(?5, status), auto_approve = coalesce(?6, auto_approve),
             auto_deploy = coalesce(?7, auto_deploy), present = coalesce(?8, present),
             changed = (SELECT max(changed) + 1 FROM tracker_issues WHERE project = ?1)
         WHERE project = ?1 AND number = ?2",
        params![
            project,
            number,
            edit.title,
            edit.text,
            edit.status.map(name),
            edit.auto_approve,
            edit.auto_deploy,
            edit.present,
        ],
    )?;
    Ok(())
}

/// The key of an issue of this tracker: unique in the installation.
fn key(project: &str, number: u64) -> IssueKey {
    IssueKey::from(format!("{project}#{number}"))
}

fn parts(key: &IssueKey) -> Result<(&str, u64), IssueError> {
    key.as_str()
        .rsplit_once('#')
        .and_then(|(project, number)| Some((project, number.parse().ok()?)))
        .ok_or_else(|| IssueError::NoSuchIssue { key: key.clone() })
}

fn find(rows: &Connection, project: &str, number: u64) -> rusqlite::Result<Option<Issue>> {
    rows.prepare_cached(&format!("{ISSUE} WHERE project = ?1 AND number = ?2"))?
        .query_row(params![project, number], issue_of)
        .optional()
}

fn issue_of(row: &Row<'_>) -> rusqlite::Result<Issue> {
    let (project, number): (String, u64) = (row.get(0)?, row.get(1)?);
    let status: String = row.get(4)?;
    Ok(Issue {
        key: key(&project, number),
        number,
        title: row.get(2)?,
        text: row.get(3)?,
        status: status_of(&status),
        labels: Labels { auto_approve: row.get(5)?, auto_deploy: row.get(6)? },
        present: row.get(7)?,
        changed: row.get(8)?,
        project: ProjectId::from(project),
    })
}

/// A column is kept under its name on the board (decision 27).
fn name(status: Status) -> &'static str {
    status.board_name()
}

/// The meaning of a column's name; `None` for one that means nothing to Orch.
fn status_of(name: &str) -> Option<Status> {
    Status::ALL.into_iter().find(|status| status.board_name() == name)
}

fn fits(what: &'static str, text: &str, most: usize) -> Result<(), IssueError> {
    if text.len() > most {
        return Err(IssueError::TooLong { what, bytes: text.len(), most });
    }
    Ok(())
}
