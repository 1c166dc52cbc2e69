//! What is true of the repository now? Asked by sweeps (decision 2), for policies on main, and for pages.

use orch_core::call::Failure;
use orch_core::event::MainReading;
use orch_core::id::Commit;

use super::hub::Hub;

/// A file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its mode as git writes it: `100644`, `100755`, `120000` (a link), `160000` (a submodule).
    pub(super) mode: String,
    /// Its object.
    pub(super) id: String,
    /// Its path from the repository's root; bytes that are not UTF-8 are replaced.
    pub(super) name: String,
}

impl Hub {
    /// Fetches main and says where it is and whether it contains `last`.
    pub fn read_main(&self, last: Option<&Commit>) -> Result<MainReading, Failure> {
        let head = self.fetch_main()?;
        let descends = match last {
            Some(last) if *last != head => self.is_ancestor(last, &head)?,
            Some(_) | None => true,
        };
        Ok(MainReading { head, descends })
    }

    /// A file on main as last fetched; `None` if there is none of that name.
    pub fn read_file_at_main(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.read_file(&self.main_head()?, path)
    }

    /// A file of a commit; `None` if there is none of that name. A link is not followed: it is no file.
    pub fn read_file(&self, commit: &Commit, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let found = self.entries(commit.as_str(), path)?;
        let Some(entry) = found.into_iter().find(|e| e.name == path && e.mode.starts_with("100")) else {
            return Ok(None);
        };
        Ok(Some(self.ask(["cat-file", "blob", &entry.id]).run()?.out))
    }

    /// The entries of a commit or a tree at a path, or below it where it ends in `/`.
    pub(super) fn entries(&self, tree: &str, path: &str) -> Result<Vec<Entry>, Failure> {
        let ask = self.ask(["ls-tree", "-r", "-z", "--full-tree", tree, "--", path]);
        let said = ask.env("GIT_LITERAL_PATHSPECS", "1").run()?;
        said.names()
            .map(|line| {
                let line = String::from_utf8_lossy(line);
                let (left, name) = line.split_once('\t')?;
                let mut parts = left.split(' ');
                let (mode, id) = (parts.next()?.to_owned(), parts.nth(1)?.to_owned());
                Some(Entry { mode, id, name: name.to_owned() })
            })
            .collect::<Option<_>>()
            .ok_or_else(|| said.odd().into())
    }
}
