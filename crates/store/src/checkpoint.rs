//! Who moves the log into the file, and when? Another connection than the writer's, so that no commit waits for it
//! (decision 33, goal 2).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use crate::error::{OpenError, StoreError};
use crate::schema;

/// A log this long, in pages of 4 KiB, is moved into the file while commits go on.
const WORTH_IT: u32 = 1_000;

/// A log this long is moved to its end: commits wait for the short rest, so that the next one begins the log afresh.
/// Without it a writer that never rests would let the log grow for ever, and the start after a kill reads all of it.
const TOO_LONG: u32 = 8_000;

/// How long the log is, told by the writer after each commit.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    log: Mutex<Log>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    /// Pages that are not in the file yet.
    unmoved: u32,
    /// How many of them the last checkpoint had to leave, because somebody still reads the file as it was.
    left: u32,
    closed: bool,
}

impl Log {
    const fn is_worth_it(&self) -> bool {
        self.unmoved >= self.left.saturating_add(WORTH_IT)
    }
}

impl Gauge {
    fn log(&self) -> MutexGuard<'_, Log> {
        // Two numbers and a flag are whole whatever happened to the thread that held them.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a commit: this many pages of the log are not in the file.
    pub(crate) fn unmoved(&self, pages: u32) {
        let mut log = self.log();
        log.unmoved = pages;
        if log.is_worth_it() {
            self.news.notify_one();
        }
    }

    /// After a checkpoint: this many pages stayed.
    fn left(&self, pages: u32) {
        let mut log = self.log();
        log.left = pages;
        log.unmoved = pages;
    }

    /// No commit will come any more.
    pub(crate) fn close(&self) {
        self.log().closed = true;
        self.news.notify_all();
    }

    /// Waits until the log is worth moving; `false` when the journal was closed.
    fn wait(&self) -> bool {
        let mut log = self.log();
        while !log.is_worth_it() && !log.closed {
            log = self.news.wait(log).unwrap_or_else(PoisonError::into_inner);
        }
        // Not again before it has grown further, also if the checkpoint fails.
        log.left = log.unmoved;
        !log.closed
    }
}

/// What a checkpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpointed {
    /// Pages in the log.
    pub pages: u32,
    /// How many of them are in the file now.
    pub moved: u32,
}

/// Moves the log into the file. Made by [`crate::SqliteJournal::checkpointer`]; the composition gives it a thread.
#[derive(Debug)]
pub struct Checkpointer {
    conn: Connection,
    place: PathBuf,
    gauge: Arc<Gauge>,
}

impl Checkpointer {
    pub(crate) fn open(place: &Path, gauge: Arc<Gauge>) -> Result<Self, OpenError> {
        Ok(Self { conn: schema::second(place)?, place: place.to_owned(), gauge })
    }

    /// Works until the journal is closed or dropped; sleeps while there is nothing to do. A failure is logged and tried
    /// again when the log has grown further: the log itself is safe as it is.
    pub fn run(mut self) {
        while self.gauge.wait() {
            if let Err(error) = self.step() {
                tracing::warn!(%error, "the log stays as long as it is for now");
            }
        }
    }

    /// Moves what can be moved without a commit waiting for it; the rest too when the log is far too long.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written; the log keeps everything.
    pub fn step(&mut self) -> Result<Checkpointed, StoreError> {
        let mut done = self.checkpoint(CheckpointMode::PASSIVE)?;
        if done.pages >= TOO_LONG && done.moved < done.pages {
            // What came during the first is moved too before commits have to wait: what is left then is little, and the
            // file's own sync is done but for that.
            done = self.checkpoint(CheckpointMode::PASSIVE)?;
        }
        if done.pages >= TOO_LONG && done.moved < done.pages {
            match self.checkpoint(CheckpointMode::FULL) {
                Ok(all) => done = all,
                // Somebody reads the file as it was, a backup for example: next time.
                Err(StoreError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.gauge.left(done.pages.saturating_sub(done.moved));
        Ok(done)
    }

    fn checkpoint(&mut self, mode: CheckpointMode) -> Result<Checkpointed, StoreError> {
        let (pages, moved) = self
            .conn
            .wal_checkpoint_v2(DEFAULT_NAME, mode)
            .map_err(|e| StoreError::sqlite(&self.place, "move the log into the file", e))?;
        let count = |n| u32::try_from(n).unwrap_or(0);
        Ok(Checkpointed { pages: count(pages), moved: count(moved) })
    }
}
