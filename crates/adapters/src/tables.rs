//! Where do the built-in tracker and the local forge keep their rows? In tables of their own, written through their port
//! alone; the file may be the store's (decision 2).

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

/// The store's writer holds its lock for a commit only; a longer wait is a failure to be retried.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the tables in `{file}` cannot be opened; check the file, its folder's rights and the space left")]
pub struct TablesError {
    file: String,
    #[source]
    source: rusqlite::Error,
}

/// Who moves the file's log into the file?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// SQLite itself, with a commit now and then: the file is the tables' own.
    Own,
    /// The store, whose file it is, off everybody's way (decision 33).
    OfStore,
}

impl TablesError {
    /// Which file it is.
    pub fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn at(file: &Path, source: rusqlite::Error) -> Self {
        Self { file: file.display().to_string(), source }
    }
}

/// A connection of one built-in part.
#[derive(Debug)]
pub(crate) struct Tables {
    connection: Mutex<Connection>,
}

impl Tables {
    /// Opens the file and makes the tables that are missing.
    pub(crate) fn open(file: &Path, schema: &str, log: Log) -> Result<Self, TablesError> {
        let opened = || {
            let connection = Connection::open(file)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            if log == Log::OfStore {
                connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            }
            // Little memory: the operating system caches the file anyway.
            connection.pragma_update(None, "cache_size", -256)?;
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT;"))?;
            Ok(connection)
        };
        let connection = opened().map_err(|source| TablesError::at(file, source))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// For who only reads.
    pub(crate) fn read_only(file: &Path) -> Result<Self, TablesError> {
        let opened = || {
            let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection.busy_timeout(PATIENCE)?;
            Ok(connection)
        };
        let connection = opened().map_err(|source| TablesError::at(file, source))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Reads, and writes of one statement.
    pub(crate) fn rows(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all of it or nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = self.rows();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}
