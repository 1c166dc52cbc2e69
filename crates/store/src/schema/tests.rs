//! Proves that each migration keeps the data that was there before it: each is applied to data inserted before it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use crate::OpenError;
use crate::schema::{self, MIGRATIONS, Migration};

/// A migration and the data it is tested with.
struct Proof {
    before: String,
    after: String,
}

/// Why a list of migrations is not proved.
fn refuse(migrations: &[Migration], proofs: &BTreeMap<u32, Proof>) -> Result<(), String> {
    for (index, migration) in migrations.iter().enumerate() {
        let number = migration.number;
        if number as usize != index + 1 {
            return Err(format!("migration {number} stands in place {}", index + 1));
        }
        if number == 1 {
            continue;
        }
        let Some(proof) = proofs.get(&number) else {
            return Err(format!("migration {number} comes without .before.sql and .after.sql"));
        };
        let mut conn = Connection::open_in_memory().map_err(|e| e.to_string())?;
        let memory = Path::new(":memory:");
        let (older, this) = (migrations.get(..index), migrations.get(..=index));
        schema::migrate(memory, &mut conn, older.unwrap_or_default()).map_err(|e| e.to_string())?;
        conn.execute_batch(&proof.before).map_err(|e| format!("{number}.before.sql: {e}"))?;
        schema::migrate(memory, &mut conn, this.unwrap_or_default()).map_err(|e| e.to_string())?;
        let queries: Vec<&str> = proof.after.lines().filter(|l| !l.trim().is_empty()).collect();
        if queries.is_empty() {
            return Err(format!("{number}.after.sql asks nothing"));
        }
        for query in queries {
            let answer: Result<i64, _> = conn.query_row(query, [], |r| r.get(0));
            if answer != Ok(1) {
                return Err(format!("{number}.after.sql: {query}: {answer:?}"));
            }
        }
        let sound: String =
            conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).map_err(|e| e.to_string())?;
        if sound != "ok" {
            return Err(format!("after migration {number}: {sound}"));
        }
    }
    Ok(())
}

/// The proofs that lie beside the migrations.
fn proofs() -> BTreeMap<u32, Proof> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut proofs = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".before.sql") else { continue };
        let number = stem.split('_').next().unwrap().parse().unwrap();
        let after = path.with_file_name(format!("{stem}.after.sql"));
        let proof = Proof {
            before: std::fs::read_to_string(&path).unwrap(),
            after: std::fs::read_to_string(after).unwrap(),
        };
        proofs.insert(number, proof);
    }
    proofs
}

/// Proves that each migration keeps what was stored before it, and that none comes without such data.
#[test]
fn migrations_keep_what_was_there() {
    refuse(MIGRATIONS, &proofs()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().to_string_lossy().into_owned();
        name.ends_with(".sql") && !name.ends_with(".before.sql") && !name.ends_with(".after.sql")
    });
    assert_eq!(files.count(), MIGRATIONS.len(), "each file is in the list");
}

/// row 204: Schema changes are idempotent on an existing database.
#[test]
fn a_store_is_opened_as_often_as_one_likes() {
    use orch_core::journal::Journal as _;
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("orch.db");
    for _ in 0..3 {
        let mut journal = crate::SqliteJournal::open(&place).expect("it opens");
        assert_eq!(journal.head().expect("it reads").seq, orch_core::id::Seq(0));
        journal.close().expect("it closes");
    }
}

/// Proves the harness itself: a migration without data, and one that loses some, are refused.
#[test]
fn a_migration_that_loses_data_is_refused() {
    let first = MIGRATIONS.first().unwrap();
    let second = |sql| [*first, Migration { number: 2, sql }];
    let proof = |after: &str| {
        let before = "INSERT INTO meta VALUES ('colour', 'green')".to_owned();
        BTreeMap::from([(2, Proof { before, after: after.to_owned() })])
    };
    let kept = "SELECT count(*) FROM meta WHERE name = 'colour' AND value = 'green'";
    let good = second("ALTER TABLE meta RENAME TO marks; CREATE VIEW meta AS SELECT * FROM marks;");
    assert_eq!(refuse(&good, &proof(kept)), Ok(()));
    assert!(refuse(&good, &BTreeMap::new()).unwrap_err().contains("comes without"));
    assert!(refuse(&good, &proof("")).unwrap_err().contains("asks nothing"));
    let bad = second("DELETE FROM meta");
    assert!(refuse(&bad, &proof(kept)).unwrap_err().contains("Ok(0)"));
}

/// Proves that a migration that fails in the middle leaves the store as it was.
#[test]
fn a_failed_migration_leaves_nothing() {
    let mut conn = Connection::open_in_memory().unwrap();
    let place = Path::new(":memory:");
    schema::migrate(place, &mut conn, MIGRATIONS).unwrap();
    let mut more = MIGRATIONS.to_vec();
    let number = schema::newest(MIGRATIONS) + 1;
    more.push(Migration { number, sql: "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);" });
    let error = schema::migrate(place, &mut conn, &more).unwrap_err();
    assert!(matches!(error, OpenError::Migration { number: n, .. } if n == number), "{error}");
    let half: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", [], |r| r.get(0)).unwrap();
    let version: u32 = conn.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    assert_eq!((half, version), (0, number - 1));
    schema::migrate(place, &mut conn, MIGRATIONS).unwrap();
}
