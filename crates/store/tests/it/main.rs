//! Does the store keep its promises? One binary, a module a question.

mod contract;
mod kill;
mod opening;
mod reading;

use std::path::PathBuf;

/// A folder for a store, gone when dropped.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("orch.db")
    }
}
