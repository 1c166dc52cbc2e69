//! Which commits made main what it is?

use std::collections::BTreeMap;

use orch_core::call::Failure;
use orch_core::id::{Commit, Tree};

use super::hub::Hub;

/// A commit in main's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its tree.
    pub tree: Tree,
    /// What it came after, the first parent first.
    pub parents: Vec<Commit>,
}

impl Hub {
    /// All commits that main contains, as it was last fetched.
    pub fn past(&self) -> Result<BTreeMap<Commit, Past>, Failure> {
        let main = self.main_head()?;
        let said =
            self.ask(["log", "--format=%H%x09%T%x09%P", "--end-of-options"]).arg(main.as_str()).run()?;
        let one = |line: &str| {
            let mut parts = line.split('\t');
            let (commit, tree) = (Commit::from(parts.next()?), Tree::from(parts.next()?.to_owned()));
            let parents = parts.next()?.split_whitespace().map(Commit::from).collect();
            Some((commit, Past { tree, parents }))
        };
        Ok(said.text().lines().filter_map(one).collect())
    }
}
