//! How does the brain write down what happened? One writer, one durable transaction a batch (decisions 1, 33).

use std::collections::{BTreeMap, BTreeSet};
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
    /// Where the states are that were read for what is committed next.
    places: Places,
    _lock: Lock,
}

/// The row in which an entity's state lies, and which row of the journal it is true for.
type Places = BTreeMap<Entity, (i64, i64)>;

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
        let places = Places::new();
        let mut journal = Self { conn, place, clean, marked, head, gauge, places, _lock: lock };
        journal.look_at_last_rows()?;
        Ok(journal)
    }

    /// Whether the brain before this one stopped in order. If not, the full check runs at once.
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
        let values = params![decode::number(first), most(LAST_ROWS)];
        let rows = all(&self.place, &self.conn, sql::ROWS_FROM, values, decode::link)?;
        let mut before: Option<&decode::Link> = None;
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

    /// Refuses a batch whose rows do not continue the journal.
    fn continues(&self, batch: &Batch) -> Result<(), StoreError> {
        let (mut head, mut hash) = (self.head.seq, &self.head.hash);
        for row in &batch.rows {
            let cause = if row.seq.0 != head.0 + 1 {
                Some("its number is not the next one")
            } else if row.prev != *hash {
                Some("it names another row before it")
            } else {
                None
            };
            if let Some(cause) = cause {
                return Err(StoreError::NotNext { place: self.place.clone(), row: row.seq, head, cause });
            }
            (head, hash) = (row.seq, &row.hash);
        }
        let states = batch.states.iter().map(|(entity, kept)| (entity, kept.seq));
        let touched = batch.touched.iter().map(|(entity, seq)| (entity, *seq));
        if let Some((entity, row)) = states.chain(touched).find(|(_, seq)| *seq > head) {
            let (place, entity) = (self.place.clone(), entity.clone());
            return Err(StoreError::AheadOfJournal { place, entity, row, head });
        }
        Ok(())
    }

    /// Ends the looking, if there is any: what is written is written on what is there then.
    fn let_go(&mut self) -> Result<(), StoreError> {
        self.places.clear();
        if self.conn.is_autocommit() {
            return Ok(());
        }
        let failed = |e| StoreError::sqlite(&self.place, "end reading", e);
        self.conn.prepare_cached(sql::LOOK_AWAY).and_then(|mut s| s.execute([])).map_err(failed)?;
        Ok(())
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        self.gauge.close();
    }
}

impl Journal for SqliteJournal {
    type Error = StoreError;

    fn is_full(&self, error: &StoreError) -> bool {
        error.is_disk_full()
    }

    /// One transaction for all reads of a step: each by itself takes two locks of the system.
    fn look(&mut self) -> Result<(), StoreError> {
        if self.conn.is_autocommit() {
            let failed = |e| StoreError::sqlite(&self.place, "begin to read", e);
            self.conn.prepare_cached(sql::LOOK).and_then(|mut s| s.execute([])).map_err(failed)?;
        }
        Ok(())
    }

    fn look_away(&mut self) -> Result<(), StoreError> {
        self.let_go()
    }

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
        let Some((kept, id)) = placed(&self.place, &self.conn, entity)? else { return Ok(None) };
        // Outside of a look it may lie elsewhere by the time it is written.
        if !self.conn.is_autocommit() {
            self.places.insert(entity.clone(), (id, decode::number(kept.seq)));
        }
        Ok(Some(kept))
    }

    fn task_of_issue(&mut self, project: &ProjectId, issue: &IssueKey) -> Result<Option<TaskId>, StoreError> {
        task_of_issue(&self.place, &self.conn, project, issue)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.continues(batch)?;
        let mut places = std::mem::take(&mut self.places);
        self.let_go()?;
        let failed = |e| StoreError::sqlite(&self.place, "commit", e);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if self.marked {
            tx.execute(sql::UNMARK, [CLEAN]).map_err(failed)?;
        }
        let writing = Writing { place: &self.place, tx: &tx };
        writing.rows(batch, &mut places)?;
        writing.effects(&batch.rows, &batch.settled)?;
        writing.touched(&batch.touched)?;
        writing.states(&batch.states, &mut places)?;
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

    /// Where an entity's state lies, if it has one: as it was read for this batch, or looked up.
    fn place(&self, entity: &Entity, places: &mut Places) -> Result<Option<(i64, i64)>, StoreError> {
        if let Some(place) = places.get(entity) {
            return Ok(Some(*place));
        }
        let look = self.tx.prepare_cached(sql::STATE_PLACE);
        let found = look
            .and_then(|mut s| s.query_row([entity.to_string()], |r| Ok((r.get(0)?, r.get(1)?))).optional());
        let found = found.map_err(|e| self.failed(e))?;
        places.extend(found.map(|place| (entity.clone(), place)));
        Ok(found)
    }

    fn rows(&self, batch: &Batch, places: &mut Places) -> Result<(), StoreError> {
        let mut add = self.tx.prepare_cached(sql::ADD_ROW).map_err(|e| self.failed(e))?;
        let states = batch.states.iter().map(|(entity, kept)| (entity, kept.seq));
        let touched = batch.touched.iter().map(|(entity, seq)| (entity, *seq));
        // Rows are followed backwards from the state: one that the state will not lead to stands in the index.
        let ends: BTreeMap<&Entity, Seq> = states.chain(touched).collect();
        let mut last: BTreeMap<&Entity, Seq> = BTreeMap::new();
        for row in &batch.rows {
            let entity = row.entity.to_string();
            let led_to = ends.get(&row.entity).is_some_and(|end| *end >= row.seq);
            let earlier = match last.insert(&row.entity, row.seq) {
                _ if !led_to => None,
                Some(seq) => Some(decode::number(seq)),
                None => self.place(&row.entity, places)?.map(|(_, true_for)| true_for),
            };
            let (seq, text) = (decode::number(row.seq), row.text());
            let values = params![seq, row.at.0, entity, row.key, row.hash.0, text, earlier];
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
        for effect in rows.iter().flat_map(|row| &row.effects).filter(|effect| !done.contains(&effect.id)) {
            let body = self.json(|| format!("effect {}", effect.id), effect)?;
            self.tx
                .prepare_cached(sql::OPEN_EFFECT)
                .and_then(|mut s| s.execute(params![decode::number(effect.id.seq), effect.id.n, body]))
                .map_err(|e| self.failed(e))?;
        }
        for id in settled {
            self.tx
                .prepare_cached(sql::SETTLE)
                .and_then(|mut s| s.execute(params![decode::number(id.seq), id.n]))
                .map_err(|e| self.failed(e))?;
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

    fn states(&self, states: &[(Entity, Kept)], places: &mut Places) -> Result<(), StoreError> {
        let mut new_body = self.tx.prepare_cached(sql::NEW_BODY).map_err(|e| self.failed(e))?;
        for (entity, kept) in states {
            let name = entity.to_string();
            let lies = self.place(entity, places)?.map(|(id, _)| id);
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
                lies,
            ];
            if lies.is_some() {
                if new_body.execute(values).map_err(|e| self.failed(e))? > 0 {
                    continue;
                }
                let moved = self.tx.prepare_cached(sql::NEW_LINE).and_then(|mut s| s.execute(values));
                if moved.map_err(|e| self.failed(e))? > 0 {
                    continue;
                }
            }
            // All but where it lies, which it says itself.
            let values = &values[..values.len() - 1];
            self.tx
                .prepare_cached(sql::NEW_STATE)
                .and_then(|mut s| s.execute(values))
                .map_err(|e| self.failed(e))?;
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
            let has = self.tx.prepare_cached(sql::HAS_BLOB).and_then(|mut s| s.exists([&blob.digest.0]));
            if !has.map_err(|e| self.failed(e))? {
                let add = self.tx.prepare_cached(sql::ADD_BLOB);
                add.and_then(|mut s| s.execute(params![blob.digest.0, blob.bytes]))
                    .map_err(|e| self.failed(e))?;
            }
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
        Some((seq, hash)) => Ok(Head { seq: decode::seq(place, seq)?, hash: Digest::from(hash) }),
        None => Ok(Head { seq: Seq(0), hash: Row::genesis() }),
    }
}

pub(crate) fn state(place: &Path, conn: &Connection, entity: &Entity) -> Result<Option<Kept>, StoreError> {
    Ok(placed(place, conn, entity)?.map(|(kept, _)| kept))
}

/// A state, and the row in which it lies.
fn placed(place: &Path, conn: &Connection, entity: &Entity) -> Result<Option<(Kept, i64)>, StoreError> {
    let failed = |e| StoreError::sqlite(place, "read a state", e);
    let mut statement = conn.prepare_cached(sql::STATE).map_err(failed)?;
    let mut found = statement.query([entity.to_string()]).map_err(failed)?;
    match found.next().map_err(failed)? {
        Some(row) => {
            let id = decode::column(place, || Damaged::State(entity.to_string()), row, 3)?;
            Ok(Some((decode::kept(place, row, 0)?.1, id)))
        }
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
    let places = places_of(place, conn, &entity.to_string(), before, n)?;
    places.into_iter().map(|seq| row(place, conn, seq)).collect()
}

/// A row that must be there.
pub(crate) fn row(place: &Path, conn: &Connection, seq: Seq) -> Result<Row, StoreError> {
    let found = all(place, conn, sql::ROW, [decode::number(seq)], decode::row)?.pop();
    found.ok_or_else(|| StoreError::damaged(place, Damaged::Row(seq), "it is missing"))
}

/// Where the rows about an entity are, newest first, at most `n`, older than `before` if given: backwards from its state,
/// each row names the one before it, and the rest stands in an index.
pub(crate) fn places_of(
    place: &Path,
    conn: &Connection,
    entity: &str,
    before: Option<Seq>,
    n: usize,
) -> Result<Vec<Seq>, StoreError> {
    let failed = |e| StoreError::sqlite(place, "find the rows of an entity", e);
    let mut look = conn.prepare_cached(sql::EARLIER).map_err(failed)?;
    let mut earlier = |seq: i64| -> Result<Option<(String, Option<i64>)>, StoreError> {
        look.query_row([seq], |r| Ok((r.get(0)?, r.get(1)?))).optional().map_err(failed)
    };
    let mut end = before.map_or(i64::MAX, decode::number);
    // A page goes on where the one before it ended: at a row of its own.
    let (mut namer, mut next) = match before.map(|_| earlier(end)).transpose()?.flatten() {
        Some((of, next)) if of == entity => (Damaged::Row(decode::seq(place, end)?), next),
        Some(_) | None => {
            let found = conn
                .prepare_cached(sql::STATE_SEQ)
                .and_then(|mut s| s.query_row([entity], |r| r.get(0)).optional());
            (Damaged::State(entity.to_owned()), found.map_err(failed)?)
        }
    };
    let mut places = Vec::new();
    while let Some(at) = next
        && places.len() < n
    {
        let seq = decode::seq(place, at)?;
        let Some((_, older)) = earlier(at)?.filter(|(of, _)| of == entity) else {
            return Err(StoreError::damaged(
                place,
                namer,
                format!("it names row {at}, which is not about it"),
            ));
        };
        namer = Damaged::Row(seq);
        if let Some(older) = older.filter(|older| *older >= at) {
            return Err(StoreError::damaged(place, namer, format!("it names row {older} as one before it")));
        }
        if at < end {
            places.push(seq);
            end = at;
        }
        next = older;
    }
    let rest = params![entity, end, most(n - places.len())];
    let read = |place: &Path, row: &rusqlite::Row<'_>| {
        decode::seq(place, decode::column(place, || Damaged::File, row, 0)?)
    };
    places.extend(all(place, conn, sql::FIRST_ROWS, rest, read)?);
    Ok(places)
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
