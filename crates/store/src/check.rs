//! Is everything in a store what it should be? The full check, on a connection of its own, while the brain serves.
//!
//! What it finds is data: the caller freezes writes and shows it. It keeps no more in memory than
//! one entity's state, a row and the places of its rows, and holds no transaction longer than the look at one entity or at
//! 256 rows, so that the log can be moved into the file meanwhile; only SQLite's own look takes a longer breath, at a table
//! or at the file.

use std::path::{Path, PathBuf};

use orch_core::id::{Digest, Entity, Seq};
use orch_core::journal::{Kept, Row};
use orch_core::state::State;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::columns::Columns;
use crate::error::{Damaged, OpenError, StoreError};
use crate::{decode, journal, schema, sql};

/// Makes the state after a row from the state before it: the fold of decision 39, given by the caller.
///
/// # Errors
/// Why the row cannot follow, for people.
pub type Fold<'a> = &'a dyn Fn(&Entity, Option<State>, &Row) -> Result<Option<State>, String>;

/// How thorough SQLite's own look at the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Pages of tables (`quick_check`), one table after the other: after an unclean stop, while the brain works.
    Quick,
    /// All pages, and each index against its table too (`integrity_check`): weekly. The log cannot be moved meanwhile and
    /// grows with what is written.
    Thorough,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: Damaged,
    /// How that shows.
    pub cause: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is damaged: {}; {}", self.what, self.cause, self.what.remedy())
    }
}

/// What a full check saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows whose hash and chain were compared.
    pub rows: u64,
    /// Entities whose state was compared.
    pub entities: u64,
    /// The first findings, at most [`MOST_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many more there were.
    pub more: u64,
}

/// No more findings are kept than these; a report stays small whatever happened to the disk.
pub const MOST_FINDINGS: usize = 100;

impl Report {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// What is met again, as a row in the history of whom it is about, is found once.
    fn add(&mut self, what: Damaged, cause: impl std::fmt::Display) {
        let finding = Finding { what, cause: cause.to_string() };
        if self.findings.contains(&finding) {
            return;
        }
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Keeps damage as a finding; `None` then. Other failures end the check.
    fn take<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged { what, cause, .. }) => {
                self.add(what, cause);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Looks at the whole store: the file, the chain of all rows, each state against the rows it comes from, open effects,
/// timers, blobs and counts. Without `fold` states are only compared with the places of their rows.
///
/// # Errors
/// [`OpenError`] if the store cannot be opened or read at all; damage is in the report.
pub fn full(path: &Path, depth: Depth, fold: Option<Fold<'_>>) -> Result<Report, OpenError> {
    full_until(path, depth, fold, || false)
}

/// The same, ended early by an error when `stop` says so: asked while SQLite works, so that nobody waits for a long look.
///
/// # Errors
/// As [`full`], and when it was stopped.
pub fn full_until(
    path: &Path,
    depth: Depth,
    fold: Option<Fold<'_>>,
    stop: impl FnMut() -> bool + Send + std::panic::RefUnwindSafe + 'static,
) -> Result<Report, OpenError> {
    let mut conn = schema::reader(path)?;
    conn.progress_handler(20_000, Some(stop)).map_err(|e| StoreError::sqlite(path, "check the store", e))?;
    let mut check = Check { conn, place: path.to_owned(), report: Report::default() };
    // Damage that ends one part leaves the others to be looked at.
    let parts = [
        check.file(depth),
        check.chain(),
        check.entities(fold),
        check.effects_and_timers(),
        check.blobs(),
        check.tally(),
    ];
    let mut failed = None;
    for part in parts {
        failed = failed.or(check.report.take(part).err());
    }
    match failed {
        // What was found is so, whatever else could not be looked at.
        Some(error) if check.report.is_sound() => Err(error.into()),
        Some(_) | None => Ok(check.report),
    }
}

/// The name in `meta` of the moment from which the wait for the next thorough check counts.
const COUNTS_FROM: &str = "thorough-check-counts-from";

/// From when on, in UTC milliseconds, the wait for the next thorough check counts: the last one that found nothing. A
/// store that has no such moment yet begins with `now`.
///
/// # Errors
/// [`OpenError`] if the store cannot be read, or the moment not be kept.
pub fn counts_from(path: &Path, now: i64) -> Result<i64, OpenError> {
    let found: Option<String> = schema::reader(path)?
        .query_row(sql::META, [COUNTS_FROM], |r| r.get(0))
        .optional()
        .map_err(|e| StoreError::sqlite(path, "read when the store was checked", e))?;
    match found.and_then(|text| text.parse().ok()) {
        Some(at) => Ok(at),
        None => found_sound(path, now).map(|()| now),
    }
}

/// Keeps that a thorough check at `now` found nothing; may be called while a brain writes.
///
/// # Errors
/// [`OpenError`] if it cannot be kept.
pub fn found_sound(path: &Path, now: i64) -> Result<(), OpenError> {
    let conn = schema::second(path)?;
    let kept = conn.execute(sql::MARK, [COUNTS_FROM, &now.to_string()]);
    kept.map(drop).map_err(|e| StoreError::sqlite(path, "keep when the store was checked", e).into())
}

/// The chain of all rows alone: what a backup must have before it takes a store's place.
pub(crate) fn chain(path: &Path) -> Result<Report, OpenError> {
    let mut check = Check { conn: schema::reader(path)?, place: path.to_owned(), report: Report::default() };
    // Nobody works on it: one long look at all pages costs nothing.
    for done in [check.looks(&["PRAGMA quick_check(20)".to_owned()]), check.chain()] {
        check.report.take(done)?;
    }
    Ok(check.report)
}

struct Check {
    conn: Connection,
    place: PathBuf,
    report: Report,
}

impl Check {
    fn failed(&self) -> impl Fn(rusqlite::Error) -> StoreError {
        let place = self.place.clone();
        move |e| StoreError::sqlite(&place, "check the store", e)
    }

    fn file(&mut self, depth: Depth) -> Result<(), StoreError> {
        match depth {
            Depth::Thorough => self.looks(&["PRAGMA integrity_check(20)".to_owned()]),
            Depth::Quick => {
                let tables = self.lines("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
                let tables = self.report.take(tables)?.unwrap_or_default();
                let looks: Vec<_> =
                    tables.iter().map(|table| format!("PRAGMA quick_check(\"{table}\")")).collect();
                self.looks(&looks)
            }
        }
    }

    fn looks(&mut self, looks: &[String]) -> Result<(), StoreError> {
        for look in looks {
            let said = self.lines(look);
            for line in self.report.take(said)?.unwrap_or_default() {
                if line != "ok" {
                    self.report.add(Damaged::File, line);
                }
            }
        }
        Ok(())
    }

    fn lines(&self, text: &str) -> Result<Vec<String>, StoreError> {
        self.conn
            .prepare(text)
            .and_then(|mut s| s.query_map([], |r| r.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>())
            .map_err(self.failed())
    }

    /// Each row follows the one before it and is what its hash says; the columns beside it say the same.
    fn chain(&mut self) -> Result<(), StoreError> {
        let end = journal::head(&self.place, &self.conn)?.seq;
        let (mut next, mut hash) = (Seq(1), Some(Row::genesis()));
        while next <= end {
            let tx = self.conn.unchecked_transaction().map_err(self.failed())?;
            let mut last = next;
            for seq in next.0..=end.0.min(next.0 + 255) {
                let seq = Seq(seq);
                last = seq;
                self.report.rows += 1;
                let (wrong, seen) = one_row(&self.place, &tx, seq, hash.as_ref())?;
                hash = seen;
                if let Some((what, cause)) = wrong {
                    self.report.add(what, cause);
                }
            }
            next = Seq(last.0 + 1);
        }
        Ok(())
    }

    fn entities(&mut self, fold: Option<Fold<'_>>) -> Result<(), StoreError> {
        let (mut name, mut led_to) = (String::new(), 0_u64);
        loop {
            let tx = self.conn.unchecked_transaction().map_err(self.failed())?;
            let after = |text| -> Result<Option<String>, StoreError> {
                tx.prepare_cached(text)
                    .and_then(|mut s| s.query_row([&name], |r| r.get(0)).optional())
                    .map_err(self.failed())
            };
            let next = match (after(sql::NEXT_ENTITY)?, after(sql::NEXT_STATE)?) {
                (Some(a), Some(b)) => a.min(b),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => break,
            };
            self.report.entities += 1;
            match next.parse() {
                Ok(entity) => {
                    let found = one_entity(&self.place, &tx, &entity, fold);
                    let (wrong, places) = self.report.take(found)?.unwrap_or_default();
                    led_to += places.iter().filter(|seq| seq.0 <= self.report.rows).count() as u64;
                    for (what, cause) in wrong {
                        self.report.add(what, cause);
                    }
                }
                Err(e) => self.report.add(Damaged::State(next.clone()), e),
            }
            drop(tx);
            name = next;
        }
        // Whatever is damaged leads to fewer rows too.
        if self.report.is_sound() && led_to != self.report.rows {
            let cause = format!("its entities lead to {led_to} of {} rows", self.report.rows);
            self.report.add(Damaged::File, cause);
        }
        Ok(())
    }

    fn effects_and_timers(&mut self) -> Result<(), StoreError> {
        let tx = self.conn.unchecked_transaction().map_err(self.failed())?;
        let place = &self.place;
        let effects = journal::open_effects(place, &tx);
        for effect in self.report.take(effects)?.unwrap_or_default() {
            let what = Damaged::Effect(effect.id);
            let row = self.report.take(journal::rows(place, &tx, effect.id.seq, 1))?;
            // A row that cannot be read is a finding already.
            match row.map(|mut rows| rows.pop().filter(|row| row.seq == effect.id.seq)) {
                Some(None) => self.report.add(what.clone(), "the row it names is not there"),
                Some(Some(row)) if !row.effects.contains(&effect) => {
                    self.report.add(what.clone(), "the row it names did not want it");
                }
                Some(Some(_)) | None => {}
            }
            let settled: Option<i64> = tx
                .query_row(sql::TAKEN, [format!("effect/{}", effect.id)], |r| r.get(0))
                .optional()
                .map_err(self.failed())?;
            if let Some(seq) = settled {
                self.report.add(what, format!("it is open, and row {seq} settled it"));
            }
        }
        let timers = journal::armed_timers(place, &tx);
        let end = journal::head(place, &tx)?.seq;
        for (entity, timer) in self.report.take(timers)?.unwrap_or_default() {
            if timer.id.seq > end {
                let cause = format!("timer {} names a row after the end of the journal, {end}", timer.id);
                self.report.add(Damaged::Timer(entity.to_string()), cause);
            }
        }
        Ok(())
    }

    fn blobs(&mut self) -> Result<(), StoreError> {
        let mut last = 0_i64;
        loop {
            let mut statement = self.conn.prepare_cached(sql::BLOBS_FROM).map_err(self.failed())?;
            let mut found = statement.query([last]).map_err(self.failed())?;
            let before = last;
            while let Some(row) = found.next().map_err(self.failed())? {
                last = row.get(0).map_err(self.failed())?;
                let digest = Digest(row.get(1).map_err(self.failed())?);
                let blob = decode::blob(&self.place, &digest, row, 2);
                self.report.take(blob)?;
            }
            if last == before {
                return Ok(());
            }
        }
    }

    fn tally(&mut self) -> Result<(), StoreError> {
        let tx = self.conn.unchecked_transaction().map_err(self.failed())?;
        let wrong = tx
            .prepare(sql::WRONG_TALLY)
            .and_then(|mut s| {
                s.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
                    .collect::<Result<Vec<(String, String, i64, i64)>, _>>()
            })
            .map_err(self.failed())?;
        for (project, stage, says, are) in wrong {
            let cause = format!("it says {says} and there are {are}");
            self.report.add(Damaged::Tally(format!("{project}/{stage}")), cause);
        }
        Ok(())
    }
}

type Wrong = (Damaged, String);

/// What is wrong with a row, and its hash, if that can be known, for the next row.
fn one_row(
    place: &Path,
    tx: &Transaction<'_>,
    seq: Seq,
    before: Option<&Digest>,
) -> Result<(Option<Wrong>, Option<Digest>), StoreError> {
    let wrong = |cause: &str| Some((Damaged::Row(seq), cause.to_owned()));
    let row = match journal::rows(place, tx, seq, 1) {
        Ok(mut rows) => rows.pop().filter(|row| row.seq == seq),
        Err(StoreError::Damaged { what, cause, .. }) => return Ok((Some((what, cause)), None)),
        Err(error) => return Err(error),
    };
    let Some(row) = row else { return Ok((wrong("it is missing"), None)) };
    let hash = Some(row.hash.clone());
    if before.is_some_and(|before| *before != row.prev) {
        return Ok((wrong("it does not follow the row before it"), hash));
    }
    let columns: (i64, String, String) = tx
        .prepare_cached(sql::ROW_COLUMNS)
        .and_then(|mut s| s.query_row([decode::number(seq)], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))))
        .map_err(|e| StoreError::damaged(place, Damaged::Row(seq), e))?;
    if columns != (row.at.0, row.entity.to_string(), row.key.clone()) {
        return Ok((wrong("the columns beside it say something else"), hash));
    }
    Ok((None, hash))
}

/// What is wrong with an entity's state, and where its rows are.
fn one_entity(
    place: &Path,
    tx: &Transaction<'_>,
    entity: &Entity,
    fold: Option<Fold<'_>>,
) -> Result<(Vec<Wrong>, Vec<Seq>), StoreError> {
    let mut wrong = Vec::new();
    let mut add = |cause: String| wrong.push((Damaged::State(entity.to_string()), cause));
    let kept = journal::state(place, tx, entity)?;
    let mut folded: Option<State> = None;
    let (mut its_row, mut changed_at) = (false, Seq(0));
    let places = journal::places_of(place, tx, &entity.to_string(), None, usize::MAX)?;
    for seq in places.iter().rev() {
        let row = journal::row(place, tx, *seq)?;
        its_row |= kept.as_ref().is_some_and(|kept| kept.seq == row.seq);
        if !row.changes.is_empty() {
            changed_at = row.seq;
        }
        if let Some(fold) = fold {
            match fold(entity, folded.take(), &row) {
                Ok(state) => folded = state,
                Err(cause) => {
                    add(format!("row {} cannot follow: {cause}", row.seq));
                    return Ok((wrong, places));
                }
            }
        }
    }
    match &kept {
        Some(kept) if !its_row => add(format!("it names row {}, which is not about it", kept.seq)),
        Some(kept) if kept.seq < changed_at => {
            add(format!("it is true for row {} and row {changed_at} changed it", kept.seq));
        }
        Some(_) | None => {}
    }
    if fold.is_some() && folded.as_ref() != kept.as_ref().map(|kept| &kept.state) {
        add("it is not what its rows come to".to_owned());
    }
    if let Some(kept) = &kept
        && !columns_agree(tx, entity, kept).map_err(|e| StoreError::sqlite(place, "check the store", e))?
    {
        add("the columns beside it say something else".to_owned());
    }
    Ok((wrong, places))
}

fn columns_agree(tx: &Transaction<'_>, entity: &Entity, kept: &Kept) -> rusqlite::Result<bool> {
    let Columns { open, task } = Columns::of(&kept.state);
    let t = task.as_ref();
    let values = params![
        entity.to_string(),
        open,
        t.map(|t| t.project),
        t.map(|t| t.issue),
        t.map(|t| t.life),
        t.map(|t| t.number),
        t.map(|t| t.stage),
        t.map(|t| t.item),
        t.map(|t| t.slug),
        t.and_then(|t| t.line.as_deref()),
    ];
    tx.prepare_cached(sql::COLUMNS_AGREE)?.query_row(values, |r| r.get(0))
}
