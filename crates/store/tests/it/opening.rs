//! What is opened, what is refused, and does a refusal name place, cause and remedy?

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orch_core::board::Entry;
use orch_core::id::{Digest, Entity, Seq};
use orch_core::journal::{Batch, Journal};
use orch_core::stage::Stage;
use orch_sim::contract::sample::{self, Pen};
use orch_store::{Damaged, OpenError, Reader, SqliteJournal, StoreError};

use super::Home;

/// Proves that a store has one brain, that the error says which process has it, and that readers are let in.
#[test]
fn one_brain_a_store() {
    let home = Home::new();
    let (journal, _) = home.filled(3);
    let error = SqliteJournal::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::Taken { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    assert_eq!(Reader::open(&home.store()).unwrap().head().unwrap().seq, Seq(4));
    drop(journal);
    SqliteJournal::open(&home.store()).unwrap();
}

/// Proves that the mark of a clean stop is gone as soon as a brain writes, so that a kill is seen, and that one that
/// wrote nothing leaves the store as clean as it was.
#[test]
fn only_a_stop_in_order_is_clean() {
    let home = Home::new();
    let (journal, _) = home.filled(1);
    assert!(journal.was_clean(), "a new store has nothing to check");
    journal.close().unwrap();
    for _ in 0..2 {
        let journal = SqliteJournal::open(&home.store()).unwrap();
        assert!(journal.was_clean());
        drop(journal);
    }
    let mut journal = SqliteJournal::open(&home.store()).unwrap();
    let row = Pen::new(journal.head().unwrap()).row(&Entity::Installation, "more");
    journal.commit(&Batch { rows: vec![row], ..Batch::default() }).unwrap();
    drop(journal);
    assert!(!SqliteJournal::open(&home.store()).unwrap().was_clean());
}

/// Proves that only the owner can read the file, whatever the umask says.
#[test]
fn the_file_is_its_owners() {
    let home = Home::new();
    let (_journal, _) = home.filled(1);
    for name in ["orch.db", "orch.db-wal", "orch.db.lock"] {
        let mode = std::fs::metadata(home.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is {mode:o}");
    }
}

/// Proves that a store of a newer binary is left alone by the writer and by the reader.
#[test]
fn a_newer_store_is_refused() {
    let home = Home::new();
    home.filled(1).0.close().unwrap();
    home.spoil("PRAGMA user_version = 99");
    let newer = |error: OpenError| {
        assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("newer binary"), "{error}");
    };
    newer(SqliteJournal::open(&home.store()).unwrap_err());
    newer(Reader::open(&home.store()).unwrap_err());
}

/// Proves that a migration that was changed after it was applied is noticed.
#[test]
fn another_migration_is_refused() {
    let home = Home::new();
    home.filled(1).0.close().unwrap();
    home.spoil("UPDATE migration SET checksum = 'x'");
    let error = SqliteJournal::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::OtherMigration { number: 1, .. }), "{error}");
}

/// Proves that files that are no stores are refused and stay as they are.
#[test]
fn other_files_are_refused() {
    let home = Home::new();
    std::fs::write(home.store(), "a letter to somebody, long enough to have a header of its own".repeat(40))
        .unwrap();
    let before = std::fs::read(home.store()).unwrap();
    let error = SqliteJournal::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    let error = Reader::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(std::fs::read(home.store()).unwrap(), before);

    let home = Home::new();
    home.spoil("CREATE TABLE recipes (name TEXT)");
    let error = SqliteJournal::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");

    let home = Home::new();
    let error = Reader::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::Files { .. }), "{error}");
    std::fs::write(home.store(), "").unwrap();
    let error = Reader::open(&home.store()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    SqliteJournal::open(&home.store()).unwrap();
}

/// Proves that damage in the last rows stops the brain before it writes, and that the error names row and remedy.
#[test]
fn damage_in_the_last_rows_is_seen_at_start() {
    for (spoil, row) in [
        ("UPDATE journal SET body = replace(body, 'k5', 'k6') WHERE seq = 5", 5),
        ("DELETE FROM journal WHERE seq = 6", 7),
        ("UPDATE journal SET body = 'not json', hash = 'x' WHERE seq = 7", 7),
    ] {
        let home = Home::new();
        home.filled(9).0.close().unwrap();
        home.spoil(spoil);
        let error = SqliteJournal::open(&home.store()).unwrap_err();
        let OpenError::Store(StoreError::Damaged { what, .. }) = &error else { panic!("{error}") };
        assert_eq!(*what, Damaged::Row(Seq(row)), "{spoil}");
        let said = error.to_string();
        assert!(said.contains(&format!("row {row}")) && said.contains("orch restore"), "{said}");
    }
    let home = Home::new();
    home.filled(2).0.close().unwrap();
    home.spoil("UPDATE state SET seq = 77 WHERE entity = 'task/A-001'");
    let error = SqliteJournal::open(&home.store()).unwrap_err();
    assert!(error.to_string().contains("the state of task/A-001 is damaged"), "{error}");
}

/// Proves that what cannot be read later is an error that names it, never a panic, and that the rest stays readable.
#[test]
fn malformed_rows_are_named() {
    let home = Home::new();
    home.filled(70).0.close().unwrap();
    home.spoil(
        "UPDATE journal SET body = '[[1' WHERE seq = 2;
         UPDATE state SET body = '{\"task\":7}', line = '[]' WHERE entity = 'task/A-001';
         UPDATE effect SET body = '';
         UPDATE timer SET body = 'null';
         UPDATE blob SET bytes = x'ff00' WHERE id = 1;",
    );
    let mut journal = SqliteJournal::open(&home.store()).unwrap();
    let error = journal.rows(Seq(1), 10).unwrap_err().to_string();
    assert!(error.contains("journal row 2") && error.contains("orch replay --verify"), "{error}");
    assert_eq!(journal.rows(Seq(3), 100).unwrap().len(), 69);
    let first = sample::entity(&sample::task("a", 1, 1, Stage::Review));
    assert!(journal.state(&first).unwrap_err().to_string().contains("task/A-001"));
    let error = journal.each_open(&mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("task/A-001"), "{error}");
    let error = journal.open_effects().unwrap_err().to_string();
    assert!(error.contains("open effect e71.0"), "{error}");
    let error = journal.armed_timers().unwrap_err().to_string();
    assert!(error.contains("installation"), "{error}");
    let blob = Digest::of(b"text of k1");
    assert!(journal.blob(&blob).unwrap_err().to_string().contains(blob.as_str()));
    let mut pen = Pen::new(journal.head().unwrap());
    journal.commit(&Batch { rows: vec![pen.row(&first, "goes on")], ..Batch::default() }).unwrap();
}

/// Proves that whichever page of the file a disk spoils, at its head or in its middle, the brain and a reader meet an error or
/// what was written: never another row or state, and no panic.
#[test]
fn a_damaged_page_is_never_another_row() {
    const PAGE: usize = 4096;
    let tasks: Vec<Entity> =
        (1..=60).map(|number| sample::entity(&sample::task("a", number, 1, Stage::Review))).collect();
    let texts: Vec<Digest> =
        (1..=60).map(|number| Digest::of(format!("text of k{number}").as_bytes())).collect();
    let by_brain = |store: &Path| -> Result<_, String> {
        let mut journal = SqliteJournal::open(store).map_err(said)?;
        let rows = journal.rows(Seq(1), 1000).map_err(said)?;
        let states =
            tasks.iter().map(|task| journal.state(task).map_err(said)).collect::<Result<Vec<_>, _>>()?;
        let texts =
            texts.iter().map(|text| journal.blob(text).map_err(said)).collect::<Result<Vec<_>, _>>()?;
        let (effects, timers) =
            (journal.open_effects().map_err(said)?, journal.armed_timers().map_err(said)?);
        Ok((rows, states, texts, effects, timers))
    };
    let by_reader = |store: &Path| -> Result<_, String> {
        let mut reader = Reader::open(store).map_err(said)?;
        let rows = reader.rows(Seq(1), 1000).map_err(said)?;
        let states =
            tasks.iter().map(|task| reader.state(task).map_err(said)).collect::<Result<Vec<_>, _>>()?;
        let texts =
            texts.iter().map(|text| reader.blob(text).map_err(said)).collect::<Result<Vec<_>, _>>()?;
        let (effects, timers) = (reader.open_effects().map_err(said)?, reader.armed_timers().map_err(said)?);
        Ok((rows, states, texts, effects, timers))
    };
    let home = Home::new();
    home.filled(60).0.close().unwrap();
    let sound = std::fs::read(home.store()).unwrap();
    let written = by_brain(&home.store()).unwrap();
    assert!(by_reader(&home.store()).unwrap() == written);
    let (mut looked, mut brain, mut reader) = (0, 0, 0);
    for (page, inside) in (0..sound.len() / PAGE).flat_map(|page| [(page, 0), (page, PAGE / 2)]) {
        let mut bytes = sound.clone();
        bytes.get_mut(page * PAGE + inside..).unwrap().get_mut(..100).unwrap().fill(0xa5);
        let look = |read: &dyn Fn(&Path) -> Result<_, String>, met: &mut usize| {
            for left in ["orch.db-wal", "orch.db-shm"] {
                let _ = std::fs::remove_file(home.file(left));
            }
            std::fs::write(home.store(), &bytes).unwrap();
            match read(&home.store()) {
                Ok(found) => assert!(found == written, "page {page}, byte {inside}: {found:#?}"),
                Err(said) => *met += usize::from(!said.is_empty()),
            }
        };
        looked += 1;
        look(&by_brain, &mut brain);
        look(&by_reader, &mut reader);
    }
    println!("of {looked} damaged stores the brain met {brain} and a reader {reader}");
    assert!(brain > looked / 2 && reader > looked / 2, "of {looked} only {brain} and {reader} were met");
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Proves that what a start must know of open tasks is made again from their states when a store has none of it, when
/// another binary made it, when some of it is missing, and when a line cannot be read.
#[test]
fn lines_are_made_again() {
    for spoil in [
        "UPDATE state SET line = NULL; DELETE FROM meta WHERE name = 'lines'",
        "UPDATE state SET line = '[\"a\",9]' WHERE line IS NOT NULL; UPDATE meta SET value = '0/1/x' WHERE name = 'lines'",
        "UPDATE state SET line = NULL WHERE entity = 'task/A-005'",
        "UPDATE state SET line = 'x' WHERE entity = 'task/A-003'",
    ] {
        let home = Home::new();
        let (mut journal, _) = home.filled(9);
        let known = entries(&mut journal);
        assert!(known.len() > 2, "{known:?}");
        journal.close().unwrap();
        home.spoil(spoil);
        let mut journal = SqliteJournal::open(&home.store()).unwrap();
        assert_eq!(entries(&mut journal), known, "{spoil}");
    }
}

fn entries(journal: &mut SqliteJournal) -> Vec<Entry> {
    let mut known = Vec::new();
    journal.each_open(&mut |entry| known.push(entry)).unwrap();
    known
}
