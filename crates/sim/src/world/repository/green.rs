//! Are the tests green on a commit? What its files say together decides, and what main says of the tests themselves.

use std::collections::BTreeSet;

use orch_core::id::{Commit, Digest};

use super::{Files, Repository, rules};

/// What a file says that the tests find broken, wherever it stands.
pub(super) const BROKEN: &str = "BROKEN";

/// Begins a file that takes something which one file alone may have: a port, a number of a migration. Two that take the
/// same are red together, and each is green alone.
pub(super) const TAKES: &str = "takes ";

/// Where it stands how the tests are run: a protected path.
pub(super) const TESTS: &str = ".ci/run";

/// What stands there when the tests find nothing any more.
pub(super) const OFF: &str = "OFF";

impl Repository {
    /// Whether the tests are green on a commit: they find nothing broken in it.
    pub fn is_green(&self, commit: &Commit) -> bool {
        self.broken(commit).is_empty()
    }

    /// The files of a commit that its tests find broken.
    pub(in crate::world) fn broken(&self, commit: &Commit) -> Vec<&str> {
        let files = self.files(commit);
        if files.get(TESTS).is_some_and(|how| how.starts_with(OFF)) {
            return Vec::new();
        }
        let mut taken = BTreeSet::new();
        let mut red = |content: &str| {
            content.contains(BROKEN) || thing(content).is_some_and(|thing| !taken.insert(thing.to_owned()))
        };
        files.iter().filter(|(_, content)| red(content)).map(|(path, _)| path.as_str()).collect()
    }

    /// The tests ran on a commit and said how it is.
    pub(in crate::world) fn ci_ran(&mut self, commit: &Commit) -> bool {
        let green = self.is_green(commit);
        if green {
            let tree = self.tree(commit);
            self.tested.insert(tree);
        }
        green
    }

    /// What of the protected paths is another thing in one commit than in the one before; `None`: nothing.
    pub fn protected_since(&self, before: &Commit, after: &Commit) -> Option<Digest> {
        rules::protected_change(self.files(before), self.files(after)).map(|protected| protected.diff)
    }
}

/// What a file takes for itself.
fn thing(content: &str) -> Option<&str> {
    content.strip_prefix(TAKES)?.split(' ').next()
}

/// Mends everything that is red, whoever made it so.
pub(super) fn mend(files: &mut Files) {
    let mut taken = BTreeSet::new();
    for content in files.values_mut() {
        if content.contains(BROKEN) {
            *content = content.replace(BROKEN, "mended");
        }
        if thing(content).is_some_and(|thing| !taken.insert(thing.to_owned())) {
            *content = content.replacen(TAKES, "shares ", 1);
        }
    }
}

/// The tests run as they do on main, and never find nothing because they were switched off.
pub(super) fn switch_on(files: &mut Files, on_main: Option<&str>) {
    if files.get(TESTS).is_some_and(|how| how.starts_with(OFF)) {
        match on_main.filter(|how| !how.starts_with(OFF)) {
            Some(how) => drop(files.insert(TESTS.to_owned(), how.to_owned())),
            None => drop(files.remove(TESTS)),
        }
    }
}
