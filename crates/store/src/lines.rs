//! What must a start know of each open task? One small line a task, beside its state and in an index of its own, so that
//! no state is read for it (architecture "one event's life", 8).
//!
//! A line is derived from the state, so nothing is lost with it: lines of another form, and lines that are missing, are
//! made again.

use std::path::Path;

use orch_core::board::{Entry, ROWS, Row};
use orch_core::id::Entity;
use orch_core::journal::RULES;
use orch_core::state::State;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::error::{Damaged, StoreError};
use crate::{decode, journal, sql};

/// The mark in `meta` that says which binary's lines there are.
const LINES: &str = "lines";

/// What the mark says of lines as this binary makes them.
fn form() -> String {
    format!("{ROWS}/{RULES}/{}", env!("CARGO_PKG_VERSION"))
}

/// Makes all lines again unless each open task has one of this binary's form.
pub(crate) fn mend(place: &Path, conn: &mut Connection) -> Result<(), StoreError> {
    let failed = |e| StoreError::sqlite(place, "look at the lines of open tasks", e);
    let form = form();
    let mark: Option<String> = conn.query_row(sql::META, [LINES], |r| r.get(0)).optional().map_err(failed)?;
    let whole: bool = conn.query_row(sql::LINES_WHOLE, [], |r| r.get(0)).map_err(failed)?;
    if whole && mark.as_ref() == Some(&form) {
        return Ok(());
    }
    let failed = |e| StoreError::sqlite(place, "write the lines of open tasks", e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let mut last = 0_i64;
    loop {
        let read = |place: &Path, row: &rusqlite::Row<'_>| {
            let id: i64 = decode::column(place, || Damaged::File, row, 0)?;
            Ok((id, decode::kept(place, row, 1)?.1))
        };
        let some = journal::all(place, &tx, sql::OPEN_FROM, [last], read)?;
        let Some((id, _)) = some.last() else { break };
        last = *id;
        let mut write = tx.prepare_cached(sql::MEND_LINE).map_err(failed)?;
        for (id, kept) in &some {
            let line = of_state(&kept.state).map(|row| row.to_text());
            write.execute(params![id, line]).map_err(failed)?;
        }
    }
    tx.execute(sql::MARK, [LINES, form.as_str()]).map_err(failed)?;
    tx.commit().map_err(failed)
}

fn of_state(state: &State) -> Option<Row> {
    match state {
        State::Task(task) => Row::of(task),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
    }
}

/// Each open task, as its line says; a line that cannot be read is made again from the task's state.
pub(crate) fn each(place: &Path, conn: &Connection, visit: &mut dyn FnMut(Entry)) -> Result<(), StoreError> {
    let failed = |e| StoreError::sqlite(place, "read the lines of open tasks", e);
    let mut statement = conn.prepare_cached(sql::EACH_LINE).map_err(failed)?;
    let mut found = statement.query([]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        let name = decode::text(place, || Damaged::File, row, 0)?;
        let what = || Damaged::State(name.to_owned());
        let entity: Entity = name.parse().map_err(|e| StoreError::damaged(place, what(), e))?;
        let mut known = Row::from_text(decode::text(place, what, row, 1)?);
        if known.is_none() {
            let kept = journal::state(place, conn, &entity)?;
            known = kept.and_then(|kept| of_state(&kept.state));
        }
        match (entity, known) {
            (Entity::Task(task), Some(row)) => visit(Entry::Task(task, row)),
            (_, _) => {
                return Err(StoreError::damaged(place, what(), "it is no open task and has the line of one"));
            }
        }
    }
    Ok(())
}
