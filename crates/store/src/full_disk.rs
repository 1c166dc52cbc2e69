//! Proves what happens when the disk is full. The page limit of SQLite gives the same error as a disk without room.

use orch_core::journal::Journal;
use orch_core::stage::Stage;
use orch_sim::contract::sample::{self, Pen};

use crate::check::{Depth, full};
use crate::{SqliteJournal, StoreError};

/// Proves that a full disk is its own error with a remedy, that nothing of the batch is there, that reading goes on, and
/// that the same batch is taken when there is room again.
#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("orch.db");
    let mut journal = SqliteJournal::open(&store).unwrap();
    let mut pen = Pen::new(journal.head().unwrap());
    let limit = |journal: &SqliteJournal, pages: u32| {
        journal.connection().pragma_update(None, "max_page_count", pages).unwrap();
    };
    limit(&journal, 60);
    let refused = loop {
        let number = pen.next().0;
        let task = sample::with_runs(sample::task("a", number, 1, Stage::Review), 6);
        let batch = pen.batch_about(&task, &number.to_string());
        let before = journal.head().unwrap();
        let Err(error) = journal.commit(&batch) else { continue };
        assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_disk_full(), "{error}");
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(journal.head().unwrap(), before);
        assert_eq!(journal.taken(&number.to_string()).unwrap(), None, "nothing of it was written");
        assert_eq!(journal.state(&sample::entity(&task)).unwrap(), None);
        assert_eq!(journal.rows(before.seq, 5).unwrap().len(), 1, "reading goes on");
        assert!(journal.commit(&batch).unwrap_err().is_disk_full(), "still full");
        break batch;
    };
    limit(&journal, 1_000_000);
    journal.commit(&refused).unwrap();
    assert_eq!(journal.head().unwrap(), *pen.head());
    journal.close().unwrap();
    assert!(full(&store, Depth::Thorough, None).unwrap().is_sound());
}

/// Proves that the log is moved into the file by the other connection, and that it begins afresh then.
#[test]
fn the_log_is_moved_by_another_connection() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("orch.db");
    let mut journal = SqliteJournal::open(&store).unwrap();
    let mut checkpointer = journal.checkpointer().unwrap();
    let mut pen = Pen::new(journal.head().unwrap());
    let mut grow = |journal: &mut SqliteJournal| {
        for _ in 0..20 {
            let number = pen.next().0;
            let task = sample::task("a", number, 1, Stage::Review);
            journal.commit(&pen.batch_about(&task, &number.to_string())).unwrap();
        }
    };
    grow(&mut journal);
    let first = checkpointer.step().unwrap();
    assert!(first.pages > 20 && first.moved == first.pages, "{first:?}");
    grow(&mut journal);
    let second = checkpointer.step().unwrap();
    assert!(second.pages < first.pages * 2 && second.moved == second.pages, "{second:?} after {first:?}");
    let thread = std::thread::spawn(move || checkpointer.run());
    drop(journal);
    thread.join().unwrap();
}
