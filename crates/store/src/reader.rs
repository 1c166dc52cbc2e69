//! What can everybody else see, while the brain runs and while it is down? A connection that can only read (decision 44).

use std::path::{Path, PathBuf};

use orch_core::effect::{Effect, Timer};
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::{Head, Kept, Row};
use orch_core::stage::Stage;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{Damaged, OpenError, StoreError};
use crate::{decode, journal, schema, sql};

/// A place in a list of tasks: the order of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub i64);

/// Which tasks are asked for. The default asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those of a project.
    pub project: Option<ProjectId>,
    /// Only those in a stage.
    pub stage: Option<Stage>,
    /// Only those that are not over.
    pub open: bool,
    /// Only those whose item or slug begins so, in any case. Among finished tasks the first thousand matches are found.
    pub prefix: Option<String>,
    /// Only those born before this one: [`Page::next`] of the page before.
    pub before: Option<Place>,
}

/// A task of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its place in the list.
    pub place: Place,
    /// Which.
    pub entity: Entity,
    /// Its state and the row it is true for.
    pub kept: Kept,
}

/// A page of a list, newest born first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The tasks.
    pub tasks: Vec<Listed>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Place>,
}

/// Reads a store, and can do nothing else.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    place: PathBuf,
}

impl Reader {
    /// Opens the store at `path` for reading, whether or not a brain has it.
    ///
    /// # Errors
    /// [`OpenError`] if there is none, or if it is of another schema than this binary's.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if let Err(source) = std::fs::metadata(path) {
            return Err(OpenError::Files { place: path.to_owned(), doing: "find the store", source });
        }
        Ok(Self { conn: schema::reader(path)?, place: path.to_owned() })
    }

    /// Where the journal ends.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn head(&mut self) -> Result<Head, StoreError> {
        journal::head(&self.place, &self.conn)
    }

    /// The state of an entity.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, StoreError> {
        journal::state(&self.place, &self.conn, entity)
    }

    /// The newest life of an issue's task.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn task_of_issue(
        &mut self,
        project: &ProjectId,
        issue: &IssueKey,
    ) -> Result<Option<TaskId>, StoreError> {
        journal::task_of_issue(&self.place, &self.conn, project, issue)
    }

    /// Tasks, newest born first, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`] names a task whose state cannot be read.
    pub fn tasks(&mut self, wanted: &TaskFilter, most: usize) -> Result<Page, StoreError> {
        let text = sql::tasks(
            wanted.project.is_some(),
            wanted.stage.is_some(),
            wanted.prefix.is_some(),
            wanted.open,
        );
        let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
        let prefix = wanted.prefix.as_deref().unwrap_or_default();
        let (item, slug) = (prefix.to_uppercase(), prefix.to_lowercase());
        let text_of = |s: Option<&str>| s.map_or(Value::Null, |s| Value::Text(s.to_owned()));
        let values = [
            Value::Integer(wanted.before.map_or(i64::MAX, |place| place.0)),
            Value::Integer(limit),
            text_of(wanted.project.as_ref().map(ProjectId::as_str)),
            text_of(wanted.stage.map(Stage::name)),
            Value::Text(item.clone()),
            Value::Text(after(&item)),
            Value::Text(slug.clone()),
            Value::Text(after(&slug)),
        ];
        let failed = |e| StoreError::sqlite(&self.place, "list tasks", e);
        let mut statement = self.conn.prepare_cached(&text).map_err(failed)?;
        for (n, value) in values.iter().take(statement.parameter_count()).enumerate() {
            statement.raw_bind_parameter(n + 1, value).map_err(failed)?;
        }
        let mut found = statement.raw_query();
        let mut tasks = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let place = Place(decode::column(&self.place, || Damaged::File, row, 0)?);
            let (entity, kept) = decode::kept(&self.place, row, 1)?;
            tasks.push(Listed { place, entity, kept });
        }
        let more = tasks.len() > most;
        tasks.truncate(most);
        let next = if more { tasks.last().map(|task| task.place) } else { None };
        Ok(Page { tasks, next })
    }

    /// How many tasks stand in each stage, of one project or of all; stages without tasks are left out.
    ///
    /// # Errors
    /// [`StoreError`] if the counts cannot be read.
    pub fn stages(&mut self, project: Option<&ProjectId>) -> Result<Vec<(Stage, u64)>, StoreError> {
        let counts = match project {
            Some(project) => journal::all(&self.place, &self.conn, sql::TALLY_OF, [project.as_str()], count)?,
            None => journal::all(&self.place, &self.conn, sql::TALLY, [], count)?,
        };
        let sum = |stage: Stage| counts.iter().filter(|(s, _)| *s == stage).map(|(_, n)| n).sum::<u64>();
        Ok(Stage::ALL.into_iter().map(|stage| (stage, sum(stage))).filter(|(_, n)| *n > 0).collect())
    }

    /// Rows from `from` on, at most `most`, in order.
    ///
    /// # Errors
    /// [`StoreError`] names a row that cannot be read.
    pub fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, StoreError> {
        journal::rows(&self.place, &self.conn, from, most)
    }

    /// Rows of one entity, newest first, at most `most`, older than `before` if given.
    ///
    /// # Errors
    /// [`StoreError`] names a row that cannot be read.
    pub fn rows_of(
        &mut self,
        entity: &Entity,
        before: Option<Seq>,
        most: usize,
    ) -> Result<Vec<Row>, StoreError> {
        journal::rows_of(&self.place, &self.conn, entity, before, most)
    }

    /// A kept text.
    ///
    /// # Errors
    /// [`StoreError`] if its bytes are not those of its digest.
    pub fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        journal::blob(&self.place, &self.conn, digest)
    }

    /// The effects that no reply settled yet, in order of their ids.
    ///
    /// # Errors
    /// [`StoreError`] names an effect that cannot be read.
    pub fn open_effects(&mut self) -> Result<Vec<Effect>, StoreError> {
        journal::open_effects(&self.place, &self.conn)
    }

    /// All armed timers.
    ///
    /// # Errors
    /// [`StoreError`] names a timer that cannot be read.
    pub fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, StoreError> {
        journal::armed_timers(&self.place, &self.conn)
    }

    /// From the next look on the store is seen as it is then, whatever a brain writes, until this reader is dropped.
    /// Nothing of the log can leave it meanwhile: not for long.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn hold_still(&mut self) -> Result<(), StoreError> {
        let failed = |e| StoreError::sqlite(&self.place, "begin to read", e);
        self.conn.execute_batch("BEGIN").map_err(failed)
    }

    /// All entities that have a state.
    ///
    /// # Errors
    /// [`StoreError`] names an entity that cannot be read.
    pub fn entities(&mut self) -> Result<Vec<Entity>, StoreError> {
        let failed = |e| StoreError::sqlite(&self.place, "list the states", e);
        let mut next = self.conn.prepare_cached(sql::NEXT_STATE).map_err(failed)?;
        let (mut all, mut name) = (Vec::new(), String::new());
        while let Some(found) = next.query_row([&name], |r| r.get(0)).optional().map_err(failed)? {
            name = found;
            let what = || Damaged::State(name.clone());
            all.push(name.parse().map_err(|e| StoreError::damaged(&self.place, what(), e))?);
        }
        Ok(all)
    }
}

/// The end of all texts that begin with `prefix`, as SQLite orders them.
fn after(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

fn count(place: &Path, row: &rusqlite::Row<'_>) -> Result<(Stage, u64), StoreError> {
    let column = |at| decode::column::<String>(place, || Damaged::File, row, at);
    let (project, name) = (column(0)?, column(1)?);
    let what = || Damaged::Tally(format!("{project}/{name}"));
    let tasks: i64 = decode::column(place, what, row, 2)?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name);
    match (stage, u64::try_from(tasks)) {
        (Some(stage), Ok(tasks)) => Ok((stage, tasks)),
        (None, _) => Err(StoreError::damaged(place, what(), "there is no such stage")),
        (_, Err(_)) => Err(StoreError::damaged(place, what(), format!("{tasks} tasks"))),
    }
}
