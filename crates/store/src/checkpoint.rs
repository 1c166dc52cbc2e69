//! Who moves the log into the file, and when? Another connection than the writer's, so that no commit waits for it; the
//! writer moves only the last few pages, for nobody else can keep new ones from coming meanwhile (decision 33, goal 2).

use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, DEFAULT_NAME};

use crate::error::{OpenError, StoreError};
use crate::schema;

/// So many new pages of 4 KiB in the log are moved into the file while commits go on.
const WORTH_IT: u32 = 1_000;

/// A log this long is to begin afresh: in place of an old page a commit has nothing to wait for but its own bytes, while a
/// log that grows makes it wait for whatever else the file system has to write.
const LONG: u32 = 4_000;

/// The writer can move so many pages itself without a commit that waits noticeably: only it can end a log, for only then
/// nothing is added meanwhile.
const LITTLE: u32 = 128;

/// In a log this long the writer moves more, an eighth of it: one that is faster than the disk would let it grow for ever,
/// and the start after a kill reads all of it.
const TOO_LONG: u32 = 16_000;

/// A log that somebody who read for long kept from ending is cut to this when it begins afresh, in bytes. What it becomes
/// otherwise stays: a log that is cut and grown again costs each commit more.
pub(crate) const KEPT: u32 = (TOO_LONG + 2_000) * (4096 + 24);

/// How long the log is, told by the writer after each commit.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    log: Mutex<Log>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    /// Its pages.
    pages: u32,
    /// How many of them are not in the file yet.
    unmoved: u32,
    /// How many of these the last checkpoint had to leave, because somebody still reads the file as it was.
    left: u32,
    /// How many of its pages are in the file for good.
    lasting: u32,
    /// The writer could not end it: not again before it is this long.
    not_before: u32,
    closed: bool,
}

impl Log {
    const fn is_worth_it(&self) -> bool {
        // A long one is followed closely, so that little is left for the writer; one that cannot be moved is not.
        let more = if self.pages >= LONG && self.left <= LITTLE { LITTLE } else { WORTH_IT };
        self.unmoved >= self.left.saturating_add(more)
    }

    const fn is_to_be_ended(&self) -> bool {
        let rest = self.pages.saturating_sub(self.lasting);
        let most = if self.pages >= TOO_LONG { self.pages / 8 } else { LITTLE };
        self.pages >= LONG && self.pages >= self.not_before && rest <= most
    }
}

impl Gauge {
    fn log(&self) -> MutexGuard<'_, Log> {
        // A few numbers and a flag are whole whatever happened to the thread that held them.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a commit: what the log is now. Says whether the writer should move the rest and so end it.
    pub(crate) fn committed(&self, now: Checkpointed) -> bool {
        let mut log = self.log();
        if now.pages < log.pages {
            // It began afresh.
            *log = Log { closed: log.closed, ..Log::default() };
        }
        log.pages = now.pages;
        log.unmoved = now.pages.saturating_sub(now.moved);
        if log.is_to_be_ended() {
            log.not_before = log.pages.saturating_add(WORTH_IT);
            return true;
        }
        if log.is_worth_it() {
            self.news.notify_one();
        }
        false
    }

    /// After a checkpoint whose pages are in the file for good.
    fn moved(&self, done: Checkpointed) {
        let mut log = self.log();
        log.left = done.pages.saturating_sub(done.moved);
        log.unmoved = log.pages.saturating_sub(done.moved);
        log.lasting = done.moved;
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

/// Moves as much of the log as `mode` says.
pub(crate) fn checkpoint(
    place: &Path,
    conn: &Connection,
    mode: CheckpointMode,
) -> Result<Checkpointed, StoreError> {
    let (pages, moved) = conn
        .wal_checkpoint_v2(DEFAULT_NAME, mode)
        .map_err(|e| StoreError::sqlite(place, "move the log into the file", e))?;
    let count = |n| u32::try_from(n).unwrap_or(0);
    Ok(Checkpointed { pages: count(pages), moved: count(moved) })
}

/// Moves the log into the file. Made by [`crate::SqliteJournal::checkpointer`]; the composition gives it a thread.
#[derive(Debug)]
pub struct Checkpointer {
    conn: Connection,
    place: PathBuf,
    /// The data file, to force it to the disk. Never closed: closing any descriptor of a file lets go of all locks that the
    /// process has on it, SQLite's too (POSIX).
    file: ManuallyDrop<File>,
    gauge: Arc<Gauge>,
}

impl Checkpointer {
    pub(crate) fn open(place: &Path, gauge: Arc<Gauge>) -> Result<Self, OpenError> {
        let conn = schema::second(place)?;
        let file = File::open(place).map_err(|source| OpenError::Files {
            place: place.to_owned(),
            doing: "open it a second time",
            source,
        })?;
        Ok(Self { conn, place: place.to_owned(), file: ManuallyDrop::new(file), gauge })
    }

    /// Works until the journal is closed or dropped; sleeps while there is nothing to do. A failure is logged and tried
    /// again when the log has grown further: the log itself is safe as it is.
    pub fn run(mut self) {
        while self.gauge.wait() {
            match self.step() {
                // Busy: another connection moves it just now.
                Ok(_) | Err(StoreError::Busy { .. }) => {}
                Err(error) => tracing::warn!(%error, "the log stays as long as it is for now"),
            }
        }
    }

    /// Moves what can be moved without a commit waiting for it, and forces it to the disk: SQLite does that only for a
    /// checkpoint during which nothing was committed, and then, or for the writer, too much would have piled up.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written; the log keeps everything.
    pub fn step(&mut self) -> Result<Checkpointed, StoreError> {
        let done = checkpoint(&self.place, &self.conn, CheckpointMode::PASSIVE)?;
        self.file
            .sync_data()
            .map_err(|source| StoreError::NotLasting { place: self.place.clone(), source })?;
        self.gauge.moved(done);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use orch_core::journal::{Blob, Journal};
    use orch_core::stage::Stage;
    use orch_sim::contract::sample::{self, Pen};

    use super::*;
    use crate::SqliteJournal;

    /// A store with its checkpointer, and who writes into it.
    struct Bench {
        _dir: tempfile::TempDir,
        store: PathBuf,
        journal: SqliteJournal,
        pen: Pen,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = dir.path().join("orch.db");
            let mut journal = SqliteJournal::open(&store).unwrap();
            let pen = Pen::new(journal.head().unwrap());
            Self { _dir: dir, store, journal, pen }
        }

        /// Commits a row with a text of about so many pages; what the log is then.
        fn commit(&mut self, pages: usize) -> Checkpointed {
            let number = self.pen.next().0;
            let task = sample::task("a", number, 1, Stage::Review);
            let mut batch = self.pen.batch_about(&task, &number.to_string());
            batch.blobs.push(Blob::of(format!("{number}{}", "x".repeat(pages * 4096))));
            self.journal.commit(&batch).unwrap();
            self.log()
        }

        fn log(&self) -> Checkpointed {
            checkpoint(&self.store, self.journal.connection(), CheckpointMode::NOOP).unwrap()
        }
    }

    /// Proves that the log ends although a commit comes during each checkpoint, that the writer is asked to move only
    /// little for it, and that nothing is lost.
    #[test]
    fn the_log_ends_under_a_writer_that_never_rests() {
        let mut bench = Bench::new();
        let mut checkpointer = bench.journal.checkpointer().unwrap();
        let (mut longest, mut ended) = (0, 0);
        for _ in 0..90 {
            let before = bench.log().pages;
            let begun = bench.commit(100);
            ended += u32::from(begun.pages < before);
            // Who reads from here on stands for a commit that comes while the checkpoint works: neither can be moved.
            let reader = schema::reader(&bench.store).unwrap();
            let reading = reader.unchecked_transaction().unwrap();
            reading.query_row("SELECT count(*) FROM state", [], |r| r.get::<_, i64>(0)).unwrap();
            bench.commit(0);
            let done = checkpointer.step().unwrap();
            assert!(done.moved < done.pages, "{done:?}");
            drop(reading);
            let unmoved = bench.log();
            let after = bench.commit(0);
            longest = longest.max(after.pages);
            if after.moved == after.pages {
                assert!(after.pages >= LONG, "{after:?}: ended before that was worth it");
                assert!(after.pages - unmoved.moved <= LITTLE, "the writer moved {unmoved:?} to {after:?}");
            }
        }
        assert!(ended >= 2, "it never began afresh, and has {longest} pages");
        assert!(longest < LONG + 200, "{longest}");
        let store = bench.store.clone();
        bench.journal.close().unwrap();
        let report = crate::check::full(&store, crate::check::Depth::Thorough, None).unwrap();
        assert!(report.is_sound(), "{report:?}");
    }

    /// Proves that the writer moves nothing while somebody keeps most of it from being moved, however long the log becomes,
    /// and ends a log that is far too long although more than a little is left.
    #[test]
    fn the_writer_ends_a_log_that_is_far_too_long() {
        let mut bench = Bench::new();
        let mut checkpointer = bench.journal.checkpointer().unwrap();
        let reader = schema::reader(&bench.store).unwrap();
        let begun = bench.commit(0);
        let look = || {
            let reading = reader.unchecked_transaction().unwrap();
            reading.query_row("SELECT count(*) FROM state", [], |r| r.get::<_, i64>(0)).unwrap();
            reading
        };
        let reading = look();
        while bench.log().pages < TOO_LONG {
            let after = bench.commit(1_500);
            assert!(after.moved <= begun.pages, "{after:?}");
            assert!(checkpointer.step().unwrap().moved <= begun.pages);
        }
        drop(reading);
        // Stands for a commit that comes while the checkpoint works.
        let reading = look();
        bench.commit(0);
        let done = checkpointer.step().unwrap();
        assert!(done.pages > TOO_LONG && done.moved < done.pages, "{done:?}");
        drop(reading);
        let ended = bench.commit(1_500);
        assert_eq!(ended.moved, ended.pages, "{ended:?}");
        assert!(bench.commit(0).pages < 100, "it began afresh");
    }

    /// Proves that a log which could not be ended, because somebody reads its last page, is not tried at each commit.
    #[test]
    fn a_log_that_is_still_read_is_not_tried_each_time() {
        let gauge = Gauge::default();
        let at = |pages, moved| Checkpointed { pages, moved };
        gauge.committed(at(LONG - 10, 0));
        gauge.moved(at(LONG - 10, LONG - 10));
        assert!(!gauge.committed(at(LONG - 1, LONG - 10)));
        assert!(gauge.committed(at(LONG, LONG - 10)));
        assert!(!gauge.committed(at(LONG + 10, LONG - 10)));
        gauge.moved(at(LONG + WORTH_IT, LONG + WORTH_IT));
        assert!(gauge.committed(at(LONG + WORTH_IT, LONG + WORTH_IT)));
        assert!(!gauge.committed(at(5, 0)), "it began afresh");
        let log = gauge.log();
        assert_eq!((log.not_before, log.lasting), (0, 0));
    }

    /// Proves that a log which cannot be moved because somebody reads is looked at rarely, and a long one that can be is
    /// followed closely.
    #[test]
    fn a_long_log_is_followed_closely() {
        let log = |pages, unmoved, left| Log { pages, unmoved, left, ..Log::default() };
        assert!(!log(900, 900, 0).is_worth_it() && log(1_000, 1_000, 0).is_worth_it());
        assert!(log(LONG, LITTLE, 0).is_worth_it() && !log(LONG, LITTLE - 1, 0).is_worth_it());
        assert!(!log(LONG, 2_000 + LITTLE, 2_000).is_worth_it());
        assert!(log(LONG, 2_000 + WORTH_IT, 2_000).is_worth_it());
    }

    /// Proves that SQLite is built to wait for the bytes of the log alone: with `fsync` each commit would also wait for the
    /// file system's own journal, and so for what others have written.
    #[test]
    fn a_commit_waits_for_its_bytes_alone() {
        assert!(env!("LIBSQLITE3_FLAGS").contains("-DHAVE_FDATASYNC=1"));
    }
}
