//! Is a backup the store of one moment, and does it come back as it was?

use std::path::Path;

use orch_core::id::Seq;
use orch_core::journal::{Blob, Journal};
use orch_core::stage::Stage;
use orch_sim::contract::sample;
use orch_store::backup::{BackupError, online, restore};
use orch_store::check::{Depth, full};
use orch_store::{Reader, SqliteJournal};

use super::Home;

/// All rows as they lie in the file.
fn stored(store: &Path) -> Vec<(i64, String, Vec<u8>)> {
    let conn = rusqlite::Connection::open(store).unwrap();
    let mut all = conn.prepare("SELECT seq, hash, CAST(body AS BLOB) FROM journal ORDER BY seq").unwrap();
    let rows = all.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Proves that a backup which takes several steps while the brain commits is whole and sound, and that its rows are byte for
/// byte the store's: nothing acknowledged before it began is missing, and nothing came in after its moment.
#[test]
fn a_backup_is_one_moment_of_a_busy_store() {
    /// Somebody whose copies would begin afresh with each commit would never end; then the writer ends.
    const ENOUGH: u64 = 3_000;
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(500);
    // More pages than a copy takes in one step: only between two steps can a commit come in.
    let mut large = pen.batch_about(&sample::task("a", 999, 1, Stage::Review), "large");
    large.blobs.extend((0..24_u8).map(|n| Blob::of(vec![n; 1 << 20])));
    journal.commit(&large).unwrap();
    let before = journal.head().unwrap();
    let (began, begin) = std::sync::mpsc::channel();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        for number in 1_000..1_000 + ENOUGH {
            if stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Empty) {
                break;
            }
            let task = sample::task("a", number, 1, Stage::Review);
            journal.commit(&pen.batch_about(&task, &number.to_string())).unwrap();
            let _ = began.send(());
        }
        journal
    });
    begin.recv().unwrap();
    let backup = home.file("backup.db");
    let copied = online(&home.store(), &backup).unwrap();
    let after = Reader::open(&home.store()).unwrap().head().unwrap();
    drop(stop);
    let journal = writer.join().unwrap();
    assert!(before.seq < copied.head.seq && copied.head.seq < after.seq, "the writer was writing");
    assert!(copied.bytes > 24 << 20, "{} bytes are one step", copied.bytes);
    assert_eq!(copied.bytes, std::fs::metadata(&backup).unwrap().len());
    assert!(full(&backup, Depth::Thorough, None).unwrap().is_sound());
    drop(journal);
    let (copy, store) = (stored(&backup), stored(&home.store()));
    assert_eq!(copy.len() as u64, copied.head.seq.0);
    assert_eq!(copy, store.get(..copy.len()).unwrap());
    assert!(!home.file("backup.db.part").exists() && !home.file("backup.db-wal").exists());
}

/// Proves that a restored store is the backup's, byte for byte, that the replaced one is kept with its log, and that the
/// brain knows it did not stop in order: it looks at everything.
#[test]
fn a_backup_comes_back() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(50);
    let backup = home.file("backup.db");
    let copied = online(&home.store(), &backup).unwrap();
    journal.commit(&pen.batch_about(&sample::task("a", 99, 1, Stage::Review), "later")).unwrap();
    let later = journal.head().unwrap();
    drop(journal);
    let rows = stored(&backup);

    let restored = restore(&backup, &home.store(), || Ok(())).unwrap();
    assert_eq!(restored.head, copied.head);
    assert_eq!(stored(&home.store()), rows);
    let mut journal = SqliteJournal::open(&home.store()).unwrap();
    assert_eq!(journal.head().unwrap(), copied.head);
    assert!(!journal.was_clean());
    assert_eq!(journal.open_effects().unwrap().len(), 1);
    drop(journal);
    assert!(full(&home.store(), Depth::Thorough, None).unwrap().is_sound());
    let aside = SqliteJournal::open(&restored.aside.unwrap()).unwrap().head().unwrap();
    assert_eq!(aside, later, "the replaced store has lost nothing");
}

/// Proves that a backup comes back where nothing is left, and where only a log is left.
#[test]
fn a_backup_comes_back_to_an_empty_place() {
    let home = Home::new();
    home.filled(5).0.close().unwrap();
    let other = Home::new();
    std::fs::write(other.file("orch.db-wal"), "the log of a store that is gone").unwrap();
    let restored = restore(&home.store(), &other.store(), || Ok(())).unwrap();
    assert_eq!(restored.aside, None);
    assert_eq!(stored(&other.store()), stored(&home.store()));
    assert_eq!(SqliteJournal::open(&other.store()).unwrap().head().unwrap().seq, Seq(6));
}

/// Proves that a living store, an existing file and an unsound backup are refused, and that nothing is changed then.
#[test]
fn what_would_lose_something_is_refused() {
    let home = Home::new();
    let (journal, _) = home.filled(100);
    let backup = home.file("backup.db");
    online(&home.store(), &backup).unwrap();
    let error = restore(&backup, &home.store(), || Ok(())).unwrap_err();
    assert!(matches!(error, BackupError::Target(_)), "{error}");
    assert!(error.to_string().contains("another Orch works with this store"), "{error}");
    let error = online(&home.store(), &backup).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    journal.close().unwrap();

    let conn = rusqlite::Connection::open(&backup).unwrap();
    conn.execute_batch("UPDATE journal SET body = replace(body, 'k5', 'k6') WHERE seq = 5").unwrap();
    drop(conn);
    let before = std::fs::read(home.store()).unwrap();
    let error = restore(&backup, &home.store(), || Ok(())).unwrap_err();
    assert!(matches!(error, BackupError::Unsound { .. }), "{error}");
    assert!(error.to_string().contains("journal row 5"), "{error}");
    assert_eq!(std::fs::read(home.store()).unwrap(), before);
    let error = restore(&home.file("missing.db"), &home.store(), || Ok(())).unwrap_err();
    assert!(matches!(error, BackupError::Source(_)), "{error}");
    assert_eq!(std::fs::read(home.store()).unwrap(), before);

    // Nobody reads it while the rows are compared: SQLite's own look finds it.
    let spoiled = Home::new();
    spoiled.filled(100).0.close().unwrap();
    spoiled.spoil_first_page_of("state_slug");
    let error = restore(&spoiled.store(), &home.store(), || Ok(())).unwrap_err();
    assert!(matches!(error, BackupError::Unsound { .. }), "{error}");
    assert!(error.to_string().contains("the file is damaged"), "{error}");
    assert_eq!(std::fs::read(home.store()).unwrap(), before);
}

/// Proves that a backup to a place that is not there speaks of the copy and its folder, and of no restore.
#[test]
fn a_copy_that_cannot_be_written_says_so() {
    let home = Home::new();
    home.filled(5).0.close().unwrap();
    let error = online(&home.store(), &home.file("nowhere/backup.db")).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("cannot create the copy; check that its folder is there"), "{said}");
    assert!(!said.contains("restore") && !said.contains("data folder"), "{said}");
}

/// Proves that the way is made before the store is exchanged, and that the store is as it was if it cannot be made.
#[test]
fn the_way_is_made_first() {
    let home = Home::new();
    home.filled(5).0.close().unwrap();
    let backup = home.file("backup.db");
    online(&home.store(), &backup).unwrap();
    let before = std::fs::read(home.store()).unwrap();
    let error = restore(&backup, &home.store(), || Err("a hub is locked".into())).unwrap_err();
    assert!(matches!(error, BackupError::Outside(_)), "{error}");
    assert_eq!(std::fs::read(home.store()).unwrap(), before);
    assert!(!home.file("orch.db.part").exists() && !home.file("orch.db.replaced-1").exists());
}

/// Proves that a backup of the first schema comes back with the newest one.
#[test]
fn an_old_backup_comes_back() {
    let home = Home::new();
    let backup = home.file("old.db");
    let conn = rusqlite::Connection::open(&backup).unwrap();
    let first = include_str!("../../migrations/0001_journal.sql");
    conn.execute_batch("CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT")
        .unwrap();
    conn.execute_batch(first).unwrap();
    let sum = orch_core::id::Digest::of(first.as_bytes()).0;
    conn.execute("INSERT INTO migration VALUES (1, ?1)", [sum]).unwrap();
    conn.execute_batch("PRAGMA application_id = 0x4f726368; PRAGMA user_version = 1").unwrap();
    conn.close().unwrap();
    let before = std::fs::read(&backup).unwrap();
    restore(&backup, &home.store(), || Ok(())).unwrap();
    assert_eq!(std::fs::read(&backup).unwrap(), before, "a backup is only read");
    assert!(full(&home.store(), Depth::Thorough, None).unwrap().is_sound());
}

/// Proves that a restore interrupted where there is no store is not followed by an empty one, and that restoring again
/// ends it, with the log beside its store.
#[test]
fn an_interrupted_restore_is_no_empty_store() {
    let home = Home::new();
    home.filled(5).0.close().unwrap();
    let backup = home.file("backup.db");
    online(&home.store(), &backup).unwrap();
    std::fs::rename(home.store(), home.file("orch.db.replaced-1")).unwrap();
    std::fs::write(home.file("orch.db-wal"), "its log").unwrap();
    let refused = SqliteJournal::open(&home.store()).unwrap_err().to_string();
    assert!(refused.contains("a restore was interrupted") && refused.contains("orch restore"), "{refused}");
    assert!(!home.store().exists());
    restore(&backup, &home.store(), || Ok(())).unwrap();
    assert!(home.file("orch.db.replaced-1-wal").exists());
    assert_eq!(SqliteJournal::open(&home.store()).unwrap().head().unwrap().seq, Seq(6));
}
