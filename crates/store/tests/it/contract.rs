//! Does the SQLite journal do what every journal must?

use orch_sim::contract;
use orch_sim::contract::journal::{self, Close};
use orch_store::SqliteJournal;

use super::Home;

/// A store in a folder that lasts as long as this.
struct Store {
    home: Home,
    /// `None` while nobody has it open.
    journal: Option<SqliteJournal>,
}

impl Store {
    fn new() -> Self {
        let home = Home::new();
        let journal = Some(SqliteJournal::open(&home.store()).unwrap());
        Self { home, journal }
    }
}

impl journal::Stage for Store {
    type Journal = SqliteJournal;

    fn journal(&mut self) -> &mut SqliteJournal {
        self.journal.as_mut().unwrap()
    }

    fn reopen(&mut self, close: Close) {
        let journal = self.journal.take().unwrap();
        match close {
            Close::InOrder => journal.close().unwrap(),
            Close::Without => drop(journal),
        }
        let journal = SqliteJournal::open(&self.home.store()).unwrap();
        assert_eq!(journal.was_clean(), close == Close::InOrder);
        self.journal = Some(journal);
    }

    fn again(&mut self) -> SqliteJournal {
        let store = self.home.store();
        // A disk without locks.
        std::fs::remove_file(store.with_extension("db.lock")).unwrap();
        SqliteJournal::open(&store).unwrap()
    }
}

/// Proves the whole contract of journals on the real store.
#[test]
fn the_contract_of_journals() {
    contract::journal::journal(Store::new);
}
