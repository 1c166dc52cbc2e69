//! Does the SQLite journal do what every journal must?

use std::cell::RefCell;

use orch_store::SqliteJournal;

use super::Home;

/// Stores in folders that last as long as this.
#[derive(Default)]
struct Stores(RefCell<Vec<Home>>);

impl Stores {
    fn another(&self) -> SqliteJournal {
        let home = Home::new();
        let journal = SqliteJournal::open(&home.store()).unwrap();
        self.0.borrow_mut().push(home);
        journal
    }
}

/// Proves the whole contract of journals on the real store.
#[test]
fn the_contract_of_journals() {
    let stores = Stores::default();
    let make = || stores.another();
    orch_sim::contract::journal::journal(make);
}

/// Proves that everything committed is there after a stop in order, and after one without.
#[test]
fn the_contract_of_reopening() {
    let stores = Stores::default();
    let make = || stores.another();
    orch_sim::contract::journal::reopened(make, |journal| {
        let place = journal.place().to_owned();
        journal.close().unwrap();
        let journal = SqliteJournal::open(&place).unwrap();
        assert!(journal.was_clean());
        journal
    });
    orch_sim::contract::journal::reopened(make, |journal| {
        let place = journal.place().to_owned();
        drop(journal);
        let journal = SqliteJournal::open(&place).unwrap();
        assert!(!journal.was_clean());
        journal
    });
}

/// Proves that a brain whose lock did not hold writes nothing after another one wrote, as on a disk without locks.
#[test]
fn the_contract_of_two_brains() {
    let stores = Stores::default();
    let make = || stores.another();
    orch_sim::contract::journal::overtaken(make, |journal| {
        std::fs::remove_file(journal.place().with_extension("db.lock")).unwrap();
        SqliteJournal::open(journal.place()).unwrap()
    });
}
