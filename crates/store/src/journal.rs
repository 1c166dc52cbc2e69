//! How does the brain write down what happened? One writer, one durable transaction a batch (decisions 1, 33).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orch_core::board::Entry;
use orch_core::effect::{Effect, Timer};
use orch_core::id::{Digest, EffectId, Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::{Batch, Head, Journal, Kept, Row, Sealed};
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::checkpoint::{Checkpointer, Gauge, checkpoint};
use crate::columns::{Columns, TaskColumns};
use crate::error::{Damaged, OpenError, StoreError};
use crate::place::{self, Lock};
use crate::{decode, lines, schema, sql};

/// How many of the last rows are looked at before the brain may write: what a torn disk would hit.
const LAST_ROWS: usize = 64;

/// The mark in `meta` of a store whose brain stopped in order.
const CLEAN: &str = "clean-stop";

/// The journal of a brain in an SQLite file. While it is open no other one can be opened on the same file.
#[derive(Debug)]
pub struct SqliteJournal {
    conn: Connection,
    place: PathBuf,
    head: Head,
    clean: bool,
    /// Whether the mark of a clean stop is still there: the first commit takes it away, so that a start writes nothing.
    marked: bool,
    gauge: Arc<Gauge>,
    _lock: Lock,
}

impl SqliteJournal {
    /// Opens the store at `path`, or makes one there. Looks only at what is cheap: the header, the schema's version and
    /// the chain over the last rows; [`crate::check::full`] looks at the rest.
    ///
    /// # Errors
    /// [`OpenError`] names the place, the cause and the remedy.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        place::refuse_network(path)?;
        let lock = Lock::take(path)?;
        place::make(path)?;
        let mut conn = schema::writer(path)?;
        schema::migrate(path, &mut conn, schema::MIGRATIONS)?;
        lines::mend(path, &mut conn)?;
        let place = path.to_owned();
        let failed = |e| StoreError::sqlite(path, "begin", e);
        let head = head(path, &conn)?;
        let mark: Option<String> =
            conn.query_row(sql::META, [CLEAN], |r| r.get(0)).optional().map_err(failed)?;
        let gauge = Arc::new(Gauge::default());
        let (marked, clean) = (mark.is_some(), mark.is_some() || head.seq.0 == 0);
        let mut journal = Self { conn, place, clean, marked, head, gauge, _lock: lock };
        journal.look_at_last_rows()?;
        Ok(journal)
    }

    /// Whether the brain before this one stopped in order. If not, the full check runs at once (issue item "store").
    pub const fn was_clean(&self) -> bool {
        self.clean
    }

    /// Where the file is.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The one that moves the log into the file, for a thread of its own.
    ///
    /// # Errors
    /// [`OpenError`] if a second connection cannot be opened.
    pub fn checkpointer(&self) -> Result<Checkpointer, OpenError> {
        Checkpointer::open(&self.place, Arc::clone(&self.gauge))
    }

    /// Stops in order: marks the store as clean and moves the log into the file.
    ///
    /// # Errors
    /// [`StoreError`] if the mark cannot be written; everything committed is safe all the same.
    pub fn close(self) -> Result<(), StoreError> {
        self.gauge.close();
        let failed = |e| StoreError::sqlite(&self.place, "mark the stop as clean", e);
        self.conn.execute(sql::MARK, [CLEAN, "yes"]).map_err(failed)?;
        match self.conn.wal_checkpoint_v2(DEFAULT_NAME, CheckpointMode::TRUNCATE) {
            Ok(_) => Ok(()),
            Err(e) => match StoreError::sqlite(&self.place, "move the log into the file", e) {
                // Somebody still reads: the log stays beside the file, and the next brain goes on with it.
                StoreError::Busy { .. } => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Takes no more than these pages from now on, as a disk without room would: for drills. SQLite gives the same error
    /// for both.
    ///
    /// # Errors
    /// [`StoreError`] if the limit cannot be set.
    pub fn hold_to(&self, pages: u32) -> Result<(), StoreError> {
        let failed = |e| StoreError::sqlite(&self.place, "limit the pages", e);
        self.conn.pragma_update(None, "max_page_count", pages).map_err(failed)
    }

    /// The connection, for tests that provoke faults.
    #[cfg(test)]
    pub(crate) const fn connection(&self) -> &Connection {
        &self.conn
    }

    fn look_at_last_rows(&mut self) -> Result<(), StoreError> {
        let first = Seq(self.head.seq.0.saturating_sub(LAST_ROWS as u64 - 1).max(1));
        let rows = rows(&self.place, &self.conn, first, LAST_ROWS)?;
        let mut before: Option<&Row> = None;
        for row in &rows {
            let follows = match before {
                Some(before) => row.prev == before.hash && row.seq.0 == before.seq.0 + 1,
                None => row.seq == first && (first.0 > 1 || row.prev == Row::genesis()),
            };
            if !follows {
                let cause = "it does not follow the row before it";
                return Err(StoreError::damaged(&self.place, Damaged::Row(row.seq), cause));
            }
            before = Some(row);
        }
        let entities: BTreeSet<&Entity> = rows.iter().map(|row| &row.entity).collect();
        for entity in entities {
            if let Some(kept) = state(&self.place, &self.conn, entity)? {
                not_ahead(&self.place, entity, &kept, self.head.seq)?;
            }
        }
        Ok(())
    }

    /// The texts of the batch's rows, or why they do not continue the journal.
    fn bodies<'b>(&self, batch: &'b Batch) -> Result<Vec<&'b str>, StoreError> {
        let (mut head, mut hash) = (self.head.seq, &self.head.hash);
        let mut bodies = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let body = if row.seq.0 != head.0 + 1 {
                Err("its number is not the next one")
            } else if row.prev != *hash {
                Err("it names another row before it")
            } else {
                std::str::from_utf8(row.bytes()).map_err(|_| "its bytes are not text")
            };
            bodies.push(body.map_err(|cause| StoreError::NotNext {
                place: self.place.clone(),
                row: row.seq,
                head,
                cause,
            })?);
            (head, hash) = (row.seq, &row.hash);
        }
        let states = batch.states.iter().map(|(entity, kept)| (entity, kept.seq));
        let touched = batch.touched.iter().map(|(entity, seq)| (entity, *seq));
        if let Some((entity, row)) = states.chain(touched).find(|(_, seq)| *seq > head) {
            let (place, entity) = (self.place.clone(), entity.clone());
            return Err(StoreError::AheadOfJournal { place, entity, row, head });
        }
        Ok(bodies)
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.gauge.close();
    }
}

impl Journal for SqliteJournal {
    type Error = StoreError;

    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.head.clone())
    }

    fn taken(&mut self, key: &str) -> Result<Option<Seq>, StoreError> {
        let failed = |e| StoreError::sqlite(&self.place, "look a key up", e);
        let found: Option<i64> = self
            .conn
            .prepare_cached(sql::TAKEN)
            .and_then(|mut s| s.query_row([key], |r| r.get(0)).optional())
            .map_err(failed)?;
        found.map(|n| decode::seq(&self.place, n)).transpose()
    }

    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, StoreError> {
        state(&self.place, &self.conn, entity)
    }

    fn task_of_issue(&mut self, project: &ProjectId, issue: &IssueKey) -> Result<Option<TaskId>, StoreError> {
        task_of_issue(&self.place, &self.conn, project, issue)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let bodies = self.bodies(batch)?;
        let failed = |e| StoreError::sqlite(&self.place, "commit", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if self.marked {
            tx.execute(sql::UNMARK, [CLEAN]).map_err(failed)?;
        }
        let writing = Writing { place: &self.place, tx: &tx };
        writing.rows(&batch.rows, &bodies)?;
        writing.effects(&batch.rows, &batch.settled)?;
        writing.touched(&batch.touched)?;
        writing.states(&batch.states)?;
        writing.timers(&batch.timers)?;
        writing.blobs(batch)?;
        tx.commit().map_err(failed)?;
        self.marked = false;
        if let Some(last) = batch.rows.last() {
            self.head = Head { seq: last.seq, hash: last.hash.clone() };
        }
        // Only asks; a log whose length is not known now is asked for after the next commit.
        let log = checkpoint(&self.place, &self.conn, CheckpointMode::NOOP);
        if log.is_ok_and(|log| self.gauge.committed(log)) {
            // Little; the next commit begins the log afresh. If somebody still reads the file as it was it fails or stops
            // short, and is tried again later.
            let _ = checkpoint(&self.place, &self.conn, CheckpointMode::PASSIVE);
        }
        Ok(())
    }

    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), StoreError> {
        let failed = |e| StoreError::sqlite(&self.place, "read what is open", e);
        let mut statement = self.conn.prepare_cached(sql::EACH_OTHER).map_err(failed)?;
        let mut found = statement.query([]).map_err(failed)?;
        while let Some(row) = found.next().map_err(failed)? {
            let (entity, kept) = decode::kept(&self.place, row, 0)?;
            not_ahead(&self.place, &entity, &kept, self.head.seq)?;
            visit(Entry::Other(entity, kept.state));
        }
        lines::each(&self.place, &self.conn, visit)
    }

    fn open_effects(&mut self) -> Result<Vec<Effect>, StoreError> {
        open_effects(&self.place, &self.conn)
    }

    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, StoreError> {
        armed_timers(&self.place, &self.conn)
    }

    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        blob(&self.place, &self.conn, digest)
    }

    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, StoreError> {
        rows(&self.place, &self.conn, from, most)
    }

    fn rows_of(&mut self, entity: &Entity, before: Option<Seq>, most: usize) -> Result<Vec<Row>, StoreError> {
        rows_of(&self.place, &self.conn, entity, before, most)
    }
}

/// A batch on its way into the file.
struct Writing<'a> {
    place: &'a Path,
    tx: &'a Transaction<'a>,
}

impl Writing<'_> {
    fn failed(&self, e: rusqlite::Error) -> StoreError {
        StoreError::sqlite(self.place, "write a batch", e)
    }

    fn json<T: serde::Serialize>(&self, what: impl Fn() -> String, value: &T) -> Result<String, StoreError> {
        serde_json::to_string(value).map_err(|source| StoreError::Unwritable {
            place: self.place.to_owned(),
            what: what(),
            source,
        })
    }

    fn rows(&self, rows: &[Sealed], bodies: &[&str]) -> Result<(), StoreError> {
        let mut add = self.tx.prepare_cached(sql::ADD_ROW).map_err(|e| self.failed(e))?;
        for (row, body) in rows.iter().zip(bodies) {
            let entity = row.entity.to_string();
            let values = params![decode::number(row.seq), row.at.0, entity, row.key, row.hash.0, body];
            add.execute(values).map_err(|e| match e.sqlite_error_code() {
                Some(rusqlite::ErrorCode::ConstraintViolation) => {
                    StoreError::KeyTaken { place: self.place.to_owned(), key: row.key.clone() }
                }
                Some(_) | None => self.failed(e),
            })?;
        }
        Ok(())
    }

    fn effects(&self, rows: &[Sealed], settled: &[EffectId]) -> Result<(), StoreError> {
        let done: BTreeSet<&EffectId> = settled.iter().collect();
        let mut open = self.tx.prepare_cached(sql::OPEN_EFFECT).map_err(|e| self.failed(e))?;
        for effect in rows.iter().flat_map(|row| &row.effects).filter(|effect| !done.contains(&effect.id)) {
            let body = self.json(|| format!("effect {}", effect.id), effect)?;
            open.execute(params![decode::number(effect.id.seq), effect.id.n, body])
                .map_err(|e| self.failed(e))?;
        }
        let mut settle = self.tx.prepare_cached(sql::SETTLE).map_err(|e| self.failed(e))?;
        for id in settled {
            settle.execute(params![decode::number(id.seq), id.n]).map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    fn touched(&self, touched: &[(Entity, Seq)]) -> Result<(), StoreError> {
        for (entity, seq) in touched {
            self.tx
                .prepare_cached(sql::TOUCH_STATE)
                .and_then(|mut s| s.execute(params![entity.to_string(), decode::number(*seq)]))
                .map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    fn states(&self, states: &[(Entity, Kept)]) -> Result<(), StoreError> {
        for (entity, kept) in states {
            let name = entity.to_string();
            let body = self.json(|| format!("the state of {entity}"), &kept.state)?;
            let Columns { open, task } = Columns::of(&kept.state);
            let t = task.as_ref();
            let values = params![
                name,
                decode::number(kept.seq),
                body,
                open,
                t.map(|t| t.project),
                t.map(|t| t.issue),
                t.map(|t| t.life),
                t.map(|t| t.number),
                t.map(|t| t.stage),
                t.map(|t: &TaskColumns<'_>| t.item),
                t.map(|t| t.slug),
                t.and_then(|t| t.line.as_deref()),
            ];
            for text in [sql::NEW_BODY, sql::NEW_LINE, sql::NEW_STATE] {
                let moved = self.tx.prepare_cached(text).and_then(|mut s| s.execute(values));
                if moved.map_err(|e| self.failed(e))? > 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn timers(&self, timers: &[(Entity, Option<Timer>)]) -> Result<(), StoreError> {
        for (entity, timer) in timers {
            let name = entity.to_string();
            let done = match timer {
                Some(timer) => {
                    let body = self.json(|| format!("timer {}", timer.id), timer)?;
                    self.tx.prepare_cached(sql::ARM).and_then(|mut s| s.execute([&name, &body]))
                }
                None => self.tx.prepare_cached(sql::DISARM).and_then(|mut s| s.execute([&name])),
            };
            done.map_err(|e| self.failed(e))?;
        }
        Ok(())
    }

    fn blobs(&self, batch: &Batch) -> Result<(), StoreError> {
        for blob in &batch.blobs {
            self.tx
                .prepare_cached(sql::ADD_BLOB)
                .and_then(|mut s| s.execute(params![blob.digest.0, blob.bytes]))
                .map_err(|e| self.failed(e))?;
        }
        Ok(())
    }
}

/// A state cannot be true for a row that does not exist.
fn not_ahead(place: &Path, entity: &Entity, kept: &Kept, head: Seq) -> Result<(), StoreError> {
    if kept.seq <= head {
        return Ok(());
    }
    let cause = format!("it is true for row {} and the journal ends at {head}", kept.seq);
    Err(StoreError::damaged(place, Damaged::State(entity.to_string()), cause))
}

// What both the writer and a reader ask.

pub(crate) fn head(place: &Path, conn: &Connection) -> Result<Head, StoreError> {
    let failed = |e| StoreError::sqlite(place, "find the end of the journal", e);
    let last: Option<(i64, String)> = conn
        .prepare_cached(sql::HEAD)
        .and_then(|mut s| s.query_row([], |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .map_err(failed)?;
    match last {
        Some((seq, hash)) => Ok(Head { seq: decode::seq(place, seq)?, hash: Digest(hash) }),
        None => Ok(Head { seq: Seq(0), hash: Row::genesis() }),
    }
}

pub(crate) fn state(place: &Path, conn: &Connection, entity: &Entity) -> Result<Option<Kept>, StoreError> {
    let failed = |e| StoreError::sqlite(place, "read a state", e);
    let mut statement = conn.prepare_cached(sql::STATE).map_err(failed)?;
    let mut found = statement.query([entity.to_string()]).map_err(failed)?;
    match found.next().map_err(failed)? {
        Some(row) => Ok(Some(decode::kept(place, row, 0)?.1)),
        None => Ok(None),
    }
}

/// All that a statement finds, each read by `read`.
pub(crate) fn all<T>(
    place: &Path,
    conn: &Connection,
    text: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Path, &rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let failed = |e| StoreError::sqlite(place, "read", e);
    let mut statement = conn.prepare_cached(text).map_err(failed)?;
    let mut found = statement.query(values).map_err(failed)?;
    let mut list = Vec::new();
    while let Some(row) = found.next().map_err(failed)? {
        list.push(read(place, row)?);
    }
    Ok(list)
}

pub(crate) fn open_effects(place: &Path, conn: &Connection) -> Result<Vec<Effect>, StoreError> {
    all(place, conn, sql::OPEN_EFFECTS, [], decode::effect)
}

pub(crate) fn armed_timers(place: &Path, conn: &Connection) -> Result<Vec<(Entity, Timer)>, StoreError> {
    all(place, conn, sql::TIMERS, [], decode::timer)
}

pub(crate) fn blob(place: &Path, conn: &Connection, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let read = |place: &Path, row: &rusqlite::Row<'_>| decode::blob(place, digest, row, 0);
    Ok(all(place, conn, sql::BLOB, [&digest.0], read)?.pop())
}

/// A number of rows as SQLite counts.
fn most(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn rows(place: &Path, conn: &Connection, from: Seq, n: usize) -> Result<Vec<Row>, StoreError> {
    all(place, conn, sql::ROWS_FROM, params![decode::number(from), most(n)], decode::row)
}

pub(crate) fn rows_of(
    place: &Path,
    conn: &Connection,
    entity: &Entity,
    before: Option<Seq>,
    n: usize,
) -> Result<Vec<Row>, StoreError> {
    let before = before.map_or(i64::MAX, decode::number);
    all(place, conn, sql::ROWS_OF, params![entity.to_string(), before, most(n)], decode::row)
}

/// The newest life of an issue's task.
pub(crate) fn task_of_issue(
    place: &Path,
    conn: &Connection,
    project: &ProjectId,
    issue: &IssueKey,
) -> Result<Option<TaskId>, StoreError> {
    let found: Option<String> = conn
        .prepare_cached(sql::TASK_OF_ISSUE)
        .and_then(|mut s| s.query_row([project.as_str(), issue.as_str()], |r| r.get(0)).optional())
        .map_err(|e| StoreError::sqlite(place, "look an issue's task up", e))?;
    let Some(name) = found else { return Ok(None) };
    match name.parse() {
        Ok(Entity::Task(task)) => Ok(Some(task)),
        Ok(Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation)
        | Err(_) => Err(StoreError::damaged(place, Damaged::State(name), "it has an issue and is no task")),
    }
}
