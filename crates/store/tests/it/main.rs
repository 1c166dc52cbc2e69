//! Does the store keep its promises? One binary, a module a question.
#![cfg(test)]

mod backup;
mod check;
mod contract;
mod kill;
mod opening;
mod power;
mod reading;

use std::path::PathBuf;

use orch_core::id::Entity;
use orch_core::journal::{Batch, Journal};
use orch_core::stage::Stage;
use orch_sim::contract::sample::{self, Pen};
use orch_store::SqliteJournal;

/// A folder for a store, gone when dropped.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("orch.db")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An open store with `n` rows about as many tasks; the last one has a timer and an open effect.
    fn filled(&self, n: u64) -> (SqliteJournal, Pen) {
        let mut journal = SqliteJournal::open(&self.store()).unwrap();
        let mut pen = Pen::new(journal.head().unwrap());
        for number in 1..=n {
            let stage = if number % 2 == 0 { Stage::Done } else { Stage::Review };
            let task = sample::task("a", number, 1, stage);
            journal.commit(&pen.batch_about(&task, &format!("k{number}"))).unwrap();
        }
        let who = Entity::Installation;
        let effect = pen.effect(&who, 0);
        let timers = vec![(who.clone(), Some(pen.timer(9)))];
        let rows = vec![pen.row_with(&who, "last", Vec::new(), vec![effect])];
        journal.commit(&Batch { rows, timers, ..Batch::default() }).unwrap();
        (journal, pen)
    }

    /// Spoils the head of the first page of this table or index, as a disk would; nobody has the store open.
    fn spoil_first_page_of(&self, name: &str) {
        let conn = rusqlite::Connection::open(self.store()).unwrap();
        let asked = ["PRAGMA page_size", "SELECT rootpage FROM sqlite_schema WHERE name = ?1"];
        let size: u32 = conn.query_row(asked[0], [], |row| row.get(0)).unwrap();
        let page: u32 = conn.query_row(asked[1], [name], |row| row.get(0)).unwrap();
        conn.close().unwrap();
        let mut bytes = std::fs::read(self.store()).unwrap();
        bytes.get_mut(((page - 1) * size) as usize..).unwrap().get_mut(..100).unwrap().fill(0xa5);
        std::fs::write(self.store(), bytes).unwrap();
    }

    /// Does something to the file that no brain would.
    fn spoil(&self, sql: &str) {
        let conn = rusqlite::Connection::open(self.store()).unwrap();
        conn.execute_batch(sql).unwrap();
    }
}
