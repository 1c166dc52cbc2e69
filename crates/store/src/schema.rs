//! Which shape has the data file, and how does an old one get it? Numbered migrations, each in one transaction.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use orch_core::id::Digest;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::checkpoint;
use crate::error::{OpenError, StoreError};

/// `Orch` in the file's header: how `file(1)` and we know a store.
pub(crate) const APPLICATION: i32 = 0x4f72_6368;

/// The oldest SQLite that may write a store: older ones can lose a checkpoint that meets a reset of the log.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a statement waits for another process's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// A step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    /// Its number, without gaps from 1.
    pub(crate) number: u32,
    /// Its text.
    pub(crate) sql: &'static str,
}

/// All of them. A new one comes with two files of tests beside it: see `migrations/README.md`.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, sql: include_str!("../migrations/0001_journal.sql") },
    Migration { number: 2, sql: include_str!("../migrations/0002_lines.sql") },
    Migration { number: 3, sql: include_str!("../migrations/0003_chains.sql") },
];

/// The schema that this binary writes.
pub(crate) fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |m| m.number)
}

/// The connection that writes: WAL, durable commits, and checkpoints left to another connection (decision 33).
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    refuse_old_sqlite()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open(path, flags)?;
    known(path, &conn, true)?;
    let set = || -> rusqlite::Result<String> {
        conn.busy_timeout(PATIENCE)?;
        let mode = conn.pragma_update_and_check(None, "journal_mode", "WAL", |r| r.get(0))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "journal_size_limit", checkpoint::KEPT)?;
        frugal(&conn, 2048)?;
        Ok(mode)
    };
    match set().map_err(|e| StoreError::sqlite(path, "set up the writing connection", e))?.as_str() {
        "wal" => Ok(conn),
        other => Err(OpenError::NotAStore {
            place: path.to_owned(),
            cause: format!("it cannot keep a write-ahead log and stays in mode `{other}`"),
        }),
    }
}

/// A connection beside the writer, for checkpoints and for what is written once in a while.
pub(crate) fn second(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open(path, flags)?;
    let set = || -> rusqlite::Result<()> {
        conn.busy_timeout(PATIENCE)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        frugal(&conn, 64)
    };
    set().map_err(|e| StoreError::sqlite(path, "set up the checkpointing connection", e))?;
    Ok(conn)
}

/// A connection that can only read, of a store with exactly this binary's schema.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let (conn, found) = reader_of_any(path)?;
    let known = newest(MIGRATIONS);
    if found < known {
        return Err(OpenError::Older { place: path.to_owned(), found, known });
    }
    Ok(conn)
}

/// A connection that can only read, also of a store with an older schema, and which schema that is.
pub(crate) fn reader_of_any(path: &Path) -> Result<(Connection, u32), OpenError> {
    refuse_old_sqlite()?;
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let found = known(path, &conn, false)?;
    let set = || -> rusqlite::Result<()> {
        conn.busy_timeout(PATIENCE)?;
        conn.pragma_update(None, "query_only", true)?;
        frugal(&conn, 512)
    };
    set().map_err(|e| StoreError::sqlite(path, "set up the reading connection", e))?;
    Ok((conn, found))
}

/// Gives a copy of a store that nobody uses yet the newest schema. It stays one file, without a log beside it.
pub(crate) fn bring_up(path: &Path) -> Result<(), OpenError> {
    let mut conn = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    migrate(path, &mut conn, MIGRATIONS)?;
    conn.close().map_err(|(_, e)| StoreError::sqlite(path, "close the copy", e).into())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let conn =
        Connection::open_with_flags(path, flags).map_err(|e| StoreError::sqlite(path, "open the file", e))?;
    conn.set_prepared_statement_cache_capacity(64);
    // Else SQLite may make a plan anew whenever another value is bound: half of what a small statement costs.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|e| StoreError::sqlite(path, "keep the plans", e))?;
    Ok(conn)
}

/// Little memory: the operating system caches the file anyway (goal 4).
fn frugal(conn: &Connection, cache_kib: i32) -> rusqlite::Result<()> {
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "mmap_size", 0)
}

/// Refuses an SQLite that is too old to be trusted with a store.
pub(crate) fn refuse_old_sqlite() -> Result<(), OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    Ok(())
}

/// The schema of the file; refuses what is not a store, or newer. An empty file is a store to be, for a writer.
fn known(path: &Path, conn: &Connection, may_be_empty: bool) -> Result<u32, OpenError> {
    let ask = |name| conn.pragma_query_value(None, name, |r| r.get::<_, i32>(0));
    let header = || -> rusqlite::Result<(i32, i32, i64)> {
        let things = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        Ok((ask("application_id")?, ask("user_version")?, things))
    };
    let not = |cause: String| OpenError::NotAStore { place: path.to_owned(), cause };
    let (application, version, things) = header().map_err(|e| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => not("it is not an SQLite file".to_owned()),
        Some(_) | None => StoreError::sqlite(path, "read the header", e).into(),
    })?;
    let newest = newest(MIGRATIONS);
    match (application, u32::try_from(version)) {
        (0, Ok(0)) if things == 0 && may_be_empty => Ok(0),
        (0, Ok(0)) if things == 0 => Err(not("it is empty".to_owned())),
        (APPLICATION, Ok(found)) if found > newest => {
            Err(OpenError::Newer { place: path.to_owned(), found, known: newest })
        }
        (APPLICATION, Ok(found)) => Ok(found),
        (other, _) => Err(not(format!("its application id is {other:#x}"))),
    }
}

/// Brings the schema up to date: each missing migration in one transaction, each known one compared.
pub(crate) fn migrate(path: &Path, conn: &mut Connection, all: &[Migration]) -> Result<(), OpenError> {
    let refused = |e| StoreError::sqlite(path, "read which migrations were applied", e);
    let found: u32 = conn.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(refused)?;
    // One statement for all of them, for it is made anew at each start.
    let applied = |conn: &Connection| -> rusqlite::Result<BTreeMap<u32, String>> {
        let mut statement = conn.prepare("SELECT number, checksum FROM migration")?;
        statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect()
    };
    let applied = if found == 0 { BTreeMap::new() } else { applied(conn).map_err(refused)? };
    for migration in all {
        let checksum = Digest::of(migration.sql.as_bytes());
        if migration.number <= found {
            if applied.get(&migration.number).map(String::as_str) != Some(checksum.as_str()) {
                return Err(OpenError::OtherMigration { place: path.to_owned(), number: migration.number });
            }
            continue;
        }
        let mut apply = || -> rusqlite::Result<()> {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(
                "CREATE TABLE IF NOT EXISTS migration \
                 (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
            )?;
            tx.execute_batch(migration.sql)?;
            tx.execute(
                "INSERT INTO migration VALUES (?1, ?2)",
                params![migration.number, checksum.as_str()],
            )?;
            tx.pragma_update(None, "application_id", APPLICATION)?;
            tx.pragma_update(None, "user_version", migration.number)?;
            tx.commit()
        };
        apply().map_err(|source| match StoreError::sqlite(path, "migrate", source) {
            StoreError::Sqlite { source, .. } => {
                OpenError::Migration { place: path.to_owned(), number: migration.number, source }
            }
            other => other.into(),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
