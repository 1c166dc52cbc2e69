//! How does a change become part of main without a forge? Change requests and commit statuses in tables of Orch's own;
//! main of the person's repository moves by compare-and-swap (decisions 35, 43).
//!
//! Main is never force-pushed and never deleted: a merge is a fast-forward of exactly the main that was tested, or
//! nothing. After a lost answer the merge is looked up, not repeated (decision 19).

mod merge;

use std::collections::BTreeSet;
use std::path::Path;

use orch_core::call::{Failure, ForgeCall, ForgeReply};
use orch_core::id::{Commit, Digest, ProjectId, TaskId};
use orch_core::refusal::Refusal;
use rusqlite::{OptionalExtension as _, params};

use crate::failure::sqlite;
use crate::git::Hub;
use crate::tables::{Log, Tables, TablesError};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS forge_changes (
        project TEXT NOT NULL,
        number INTEGER NOT NULL,
        branch TEXT NOT NULL,
        task TEXT NOT NULL,
        title TEXT NOT NULL,
        head TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
        merged TEXT,
        PRIMARY KEY (project, number),
        UNIQUE (project, branch, task)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS forge_statuses (
        project TEXT NOT NULL,
        commit_id TEXT NOT NULL,
        context TEXT NOT NULL,
        passed INTEGER NOT NULL,
        PRIMARY KEY (project, commit_id, context)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS forge_closed ON forge_changes (project, branch) WHERE state = 'closed';
";

/// How the change requests were kept when a branch had one for ever, whosever it was.
const ONE_A_BRANCH: &str = "UNIQUE (project, branch)\n";

/// The same rows in the table of today.
const ONE_A_TASK: &str = "
    ALTER TABLE forge_changes RENAME TO forge_changes_before;
    DROP INDEX forge_closed;
";
const ROWS_OF_BEFORE: &str = "
    INSERT INTO forge_changes (project, number, branch, task, title, head, state, merged)
    SELECT project, number, branch, task, title, head, state, merged FROM forge_changes_before;
    DROP TABLE forge_changes_before;
";

/// The forge for a repository without one.
#[derive(Debug)]
pub struct LocalForge {
    tables: Tables,
}

/// A change request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// Its number in the project.
    pub number: u64,
    /// The task branch.
    pub branch: String,
    /// The branch's head when it was last said.
    pub head: Commit,
    /// For people.
    pub title: String,
    /// How it stands.
    pub state: ChangeState,
}

/// How a change request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeState {
    /// It waits.
    Open,
    /// Closed without a merge.
    Closed,
    /// Main got this commit of it.
    Merged(Commit),
}

impl LocalForge {
    /// The forge whose tables are in this SQLite file.
    pub fn open(file: &Path, log: Log) -> Result<Self, TablesError> {
        let forge = Self { tables: Tables::open(file, SCHEMA, log)? };
        forge.renew().map_err(|source| TablesError::at(file, source))?;
        Ok(forge)
    }

    /// Takes over the table of an older binary.
    fn renew(&self) -> rusqlite::Result<()> {
        self.tables.write(|rows| {
            let table = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'forge_changes'";
            let made: String = rows.query_row(table, [], |row| row.get(0))?;
            if made.contains(ONE_A_BRANCH) {
                rows.execute_batch(&format!("{ONE_A_TASK} {SCHEMA} {ROWS_OF_BEFORE}"))?;
            }
            Ok(())
        })
    }

    /// Performs a call on a project's hub; performed again it finds what it did and answers the same. `text` reads the
    /// texts that calls name; `None`: it was erased. Blocks.
    pub fn perform(
        &self,
        project: &ProjectId,
        hub: &Hub,
        call: &ForgeCall,
        text: &dyn Fn(&Digest) -> Result<Option<String>, Failure>,
    ) -> Result<ForgeReply, Failure> {
        match call {
            ForgeCall::OpenChange { branch, head, title, task } => {
                if !self.has_change(project, branch, task.as_str())? {
                    there(hub, branch, head)?;
                }
                let title = text(&title.blob)?.unwrap_or_else(|| task.to_string());
                let opened = self.open_change(project, branch, head, &title, task.as_str())?;
                // A stop that came between closed nothing yet.
                if hub.is_deleted(branch, head)? {
                    self.close_all(project, hub, branch, head)?;
                }
                Ok(opened)
            }
            ForgeCall::SetCommitStatus { commit, context, passed } => {
                self.set_status(project, commit, context, *passed)
            }
            ForgeCall::Merge { change, candidate, main } => {
                self.merge(project, hub, *change, candidate, main)
            }
            ForgeCall::CloseChange { change } => {
                self.set_open(project, *change, false)?;
                Ok(ForgeReply::ChangeClosed)
            }
            ForgeCall::Restore { branch, head, change } => {
                there(hub, branch, head)?;
                hub.restore_branch(branch, head)?;
                if let Some(change) = change {
                    self.set_open(project, *change, true)?;
                }
                Ok(ForgeReply::Restored)
            }
            ForgeCall::DeleteBranch { branch, head } => {
                let reply = merge::delete_branch(hub, branch, head)?;
                if reply == ForgeReply::BranchDeleted {
                    self.close_all(project, hub, branch, head)?;
                }
                Ok(reply)
            }
        }
    }

    /// The branches, and whose they are, whose newest change request was closed without a merge. What an earlier life of the
    /// task had of a branch says nothing of the next one's.
    pub fn closed(&self, project: &ProjectId) -> Result<BTreeSet<(String, TaskId)>, Failure> {
        let read = || {
            let rows = self.tables.rows();
            let mut query =
                rows.prepare(
                    "SELECT branch, task FROM forge_changes AS one WHERE project = ?1 AND state = 'closed' AND NOT EXISTS
                     (SELECT 1 FROM forge_changes WHERE project = one.project AND branch = one.branch
                      AND number > one.number)",
                )?;
            let found = query.query_map(params![project.as_str()], |row| {
                Ok((row.get(0)?, TaskId::from(row.get::<_, String>(1)?)))
            })?;
            found.collect::<rusqlite::Result<BTreeSet<_>>>()
        };
        read().map_err(sqlite)
    }

    /// A change request; `None` if there is none of that number.
    pub fn change(&self, project: &ProjectId, number: u64) -> Result<Option<ChangeRequest>, Failure> {
        self.tables
            .rows()
            .query_row(
                "SELECT branch, head, title, state, merged FROM forge_changes
                 WHERE project = ?1 AND number = ?2",
                params![project.as_str(), number],
                |row| {
                    let state: String = row.get(3)?;
                    Ok(ChangeRequest {
                        number,
                        branch: row.get(0)?,
                        head: Commit::from(row.get::<_, String>(1)?),
                        title: row.get(2)?,
                        state: match (state.as_str(), row.get::<_, Option<String>>(4)?) {
                            ("open", _) => ChangeState::Open,
                            (_, Some(commit)) => ChangeState::Merged(Commit::from(commit)),
                            (_, None) => ChangeState::Closed,
                        },
                    })
                },
            )
            .optional()
            .map_err(sqlite)
    }

    /// What gates said of a commit: context and whether it passed, in the order of their names.
    pub fn statuses(&self, project: &ProjectId, commit: &Commit) -> Result<Vec<(String, bool)>, Failure> {
        let read = || {
            let rows = self.tables.rows();
            let mut query = rows.prepare(
                "SELECT context, passed FROM forge_statuses WHERE project = ?1 AND commit_id = ?2
                 ORDER BY context",
            )?;
            let found = query.query_map(params![project.as_str(), commit.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            found.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(sqlite)
    }

    /// Closes a change request or opens it again; a merged one stays merged.
    pub fn set_open(&self, project: &ProjectId, number: u64, open: bool) -> Result<(), Failure> {
        self.tables
            .rows()
            .execute(
                "UPDATE forge_changes SET state = ?3
                 WHERE project = ?1 AND number = ?2 AND state <> 'merged'",
                params![project.as_str(), number, if open { "open" } else { "closed" }],
            )
            .map(drop)
            .map_err(sqlite)
    }

    fn has_change(&self, project: &ProjectId, branch: &str, task: &str) -> Result<bool, Failure> {
        let there = "SELECT 1 FROM forge_changes WHERE project = ?1 AND branch = ?2 AND task = ?3";
        let rows = self.tables.rows();
        let mut query = rows.prepare(there).map_err(sqlite)?;
        query.exists(params![project.as_str(), branch, task]).map_err(sqlite)
    }

    /// No branch, no change request, as forges have it; but for one of a later life that has the branch's name again.
    fn close_all(&self, project: &ProjectId, hub: &Hub, branch: &str, last: &Commit) -> Result<(), Failure> {
        let open = || {
            let rows = self.tables.rows();
            let mut query = rows.prepare(
                "SELECT number, head FROM forge_changes WHERE project = ?1 AND branch = ?2 AND state = 'open'",
            )?;
            let found = query.query_map(params![project.as_str(), branch], |row| {
                Ok((row.get::<_, u64>(0)?, Commit::from(row.get::<_, String>(1)?)))
            })?;
            found.collect::<rusqlite::Result<Vec<_>>>()
        };
        for (number, head) in open().map_err(sqlite)? {
            if hub.is_deleted(branch, &head)? || head == *last {
                self.set_open(project, number, false)?;
            }
        }
        Ok(())
    }

    /// One a branch of a task: asked again, it gets its newest texts and keeps its number. One that a person closed stays
    /// closed; a later life of the task that has the branch's name again gets another one.
    fn open_change(
        &self,
        project: &ProjectId,
        branch: &str,
        head: &Commit,
        title: &str,
        task: &str,
    ) -> Result<ForgeReply, Failure> {
        let change = self
            .tables
            .write(|rows| {
                rows.query_row(
                    "INSERT INTO forge_changes (project, number, branch, task, title, head, state)
                     SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, 'open'
                     FROM forge_changes WHERE project = ?1
                     ON CONFLICT (project, branch, task) DO UPDATE
                     SET title = excluded.title, head = excluded.head
                     RETURNING number",
                    params![project.as_str(), branch, task, title, head.as_str()],
                    |row| row.get(0),
                )
            })
            .map_err(sqlite)?;
        Ok(ForgeReply::ChangeOpened { change })
    }

    fn set_status(
        &self,
        project: &ProjectId,
        commit: &Commit,
        context: &str,
        passed: bool,
    ) -> Result<ForgeReply, Failure> {
        self.tables
            .rows()
            .execute(
                "INSERT INTO forge_statuses (project, commit_id, context, passed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET passed = excluded.passed",
                params![project.as_str(), commit.as_str(), context, passed],
            )
            .map_err(sqlite)?;
        Ok(ForgeReply::CommitStatusSet)
    }

    fn set_merged(&self, project: &ProjectId, number: u64, commit: &Commit) -> Result<(), Failure> {
        self.tables
            .rows()
            .execute(
                "UPDATE forge_changes SET state = 'merged', merged = ?3 WHERE project = ?1 AND number = ?2",
                params![project.as_str(), number, commit.as_str()],
            )
            .map(drop)
            .map_err(sqlite)
    }
}

/// A hand that comes after its task was stopped opens nothing and brings nothing back.
fn there(hub: &Hub, branch: &str, head: &Commit) -> Result<(), Failure> {
    match hub.is_deleted(branch, head)? {
        true => Err(Failure::permanent(Refusal::BranchGone { branch: branch.to_owned() })),
        false => Ok(()),
    }
}
