//! What is the change, and has it become another one? (decision 40)
//!
//! The digest is taken of the diff from the merge base to the head, without the work item's artefacts and the tests. It
//! leaves out what a clean update from main moves although the change stays the same: blob ids, line numbers and the
//! name of the function around a hunk. It depends on no attribute, configuration or version of git.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use globset::GlobSet;
use orch_core::artefact;
use orch_core::call::Failure;
use orch_core::call::git::Protected;
use orch_core::id::{Commit, Digest, WorkItem};
use sha2::{Digest as _, Sha256};

use super::hub::Hub;
use super::program::GitError;
use super::scope::Rules;

/// Paths a call: far below what one command line takes.
const PATHS_A_CALL: usize = 200;
/// Paths that people are shown.
const MOST_PATHS: usize = 50;

/// The change of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Of the diff without artefacts and tests (decision 40).
    pub(super) digest: Digest,
    /// Whether nothing but artefacts differs.
    pub(super) empty: bool,
}

/// The file names of a diff, as git has them.
pub(super) type Names = Vec<Vec<u8>>;

impl Hub {
    /// The change from `base` to `head`.
    pub(super) fn change(
        &self,
        base: &Commit,
        head: &Commit,
        item: &WorkItem,
        tests: &GlobSet,
    ) -> Result<Change, Failure> {
        let own = format!("{}/", artefact::folder(item));
        let mut names = self.changed_names(base.as_str(), head.as_str())?;
        names.retain(|name| !name.starts_with(own.as_bytes()));
        // Tests alone are work too; only no verdict is bound to them.
        let empty = names.is_empty();
        names.retain(|name| !std::str::from_utf8(name).is_ok_and(|name| tests.is_match(name)));
        Ok(Change { digest: self.diff_digest(base, head, &names)?, empty })
    }

    /// The change to protected paths, if there is one.
    pub(super) fn protected(
        &self,
        base: &Commit,
        head: &Commit,
        rules: &Rules,
    ) -> Result<Option<Protected>, Failure> {
        let mut names = self.changed_names(base.as_str(), head.as_str())?;
        names.retain(|name| rules.is_protected(&String::from_utf8_lossy(name)));
        if names.is_empty() {
            return Ok(None);
        }
        let diff = self.diff_digest(base, head, &names)?;
        let paths =
            names.iter().take(MOST_PATHS).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        Ok(Some(Protected { diff, paths }))
    }

    /// Which files differ, sorted as git sorts them; a renamed one is one gone and one new.
    pub(super) fn changed_names(&self, base: &str, head: &str) -> Result<Names, Failure> {
        let said = self
            .ask(["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options"])
            .args([base, head])
            .run()?;
        Ok(said.names().map(<[u8]>::to_vec).collect())
    }

    fn diff_digest(&self, base: &Commit, head: &Commit, names: &[Vec<u8>]) -> Result<Digest, Failure> {
        let mut hash = Sha256::new();
        for names in names.chunks(PATHS_A_CALL) {
            self.hash_diff(base, head, names, &mut hash)?;
        }
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            use std::fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
        }
        Ok(Digest::from(hex))
    }

    fn hash_diff(
        &self,
        base: &Commit,
        head: &Commit,
        names: &[Vec<u8>],
        hash: &mut Sha256,
    ) -> Result<(), Failure> {
        let patch = self
            .ask(["diff-tree", "-r", "-p", "--text", "--no-renames", "--no-ext-diff", "--no-textconv"])
            .args(["--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--full-index"])
            .args(["--diff-algorithm=myers", "--no-indent-heuristic", "--submodule=short"])
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args([base.as_str(), head.as_str(), "--"])
            .args(names.iter().map(|name| OsStr::from_bytes(name)));
        match patch.run() {
            Ok(said) => {
                for line in said.out.split_inclusive(|byte| *byte == b'\n') {
                    if line.starts_with(b"@@ ") {
                        hash.update(b"@@\n");
                    } else if !line.starts_with(b"index ") {
                        hash.update(line);
                    }
                }
                Ok(())
            }
            // More than is taken at once: in smaller parts the same bytes.
            Err(GitError::TooMuch { .. }) if names.len() > 1 => {
                let (left, right) = names.split_at(names.len() / 2);
                self.hash_diff(base, head, left, hash)?;
                self.hash_diff(base, head, right, hash)
            }
            // Nor is one file: then what it was and is, by name.
            Err(GitError::TooMuch { .. }) => {
                let ids = self
                    .ask(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"])
                    .env("GIT_LITERAL_PATHSPECS", "1")
                    .args([base.as_str(), head.as_str(), "--"])
                    .args(names.iter().map(|name| OsStr::from_bytes(name)));
                hash.update(&ids.run()?.out);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The diff for people, at most `most` bytes; whether something is missing at its end.
    pub fn diff_text(&self, base: &Commit, head: &Commit, most: usize) -> Result<(String, bool), Failure> {
        let ask = self
            .ask(["diff-tree", "-r", "-p", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color"])
            .args(["--end-of-options", base.as_str(), head.as_str()]);
        let (out, cut) = ask.beginning(most)?;
        let mut text = String::from_utf8_lossy(&out).into_owned();
        if cut {
            text.truncate(text.rfind('\n').map_or(0, |at| at + 1));
        }
        Ok((text, cut))
    }
}
