//! Where are mutants made? In a copy of the tree with a target folder of its own, both kept for the next time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::workspace;

/// A copy of the tree.
pub(super) struct Copy {
    of: PathBuf,
    pub(super) tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// Makes the copy equal to the tree; files that are equal already are left alone, so that they need not be built again.
    pub(super) fn make(root: &Path, called: &str) -> Result<Copy> {
        let folder = root.join("target").join(called);
        let copy = Copy { of: root.to_path_buf(), tree: folder.join("tree"), target: folder.join("target") };
        let files = workspace::files(root)?;
        for file in &files {
            copy.restore(file)?;
        }
        let files: BTreeSet<PathBuf> = files.iter().map(|file| copy.tree.join(file)).collect();
        remove_others(&copy.tree, &files)?;
        Ok(copy)
    }

    /// A file of the copy.
    pub(super) fn read(&self, file: &str) -> Result<String> {
        workspace::read(&self.tree, file)
    }

    /// Writes a file of the copy.
    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.tree.join(file), text).with_context(|| format!("could not write {file}"))
    }

    /// Makes a file as it is in the tree.
    pub(super) fn restore(&self, file: &str) -> Result<()> {
        let (from, to) = (self.of.join(file), self.tree.join(file));
        let bytes = fs::read(&from).with_context(|| format!("could not read {file}"))?;
        if fs::read(&to).ok().as_ref() == Some(&bytes) {
            return Ok(());
        }
        let folder = to.parent().unwrap_or(&self.tree);
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        // The mode comes with it: a test may run a program of the tree.
        fs::write(&to, bytes).with_context(|| format!("could not write {}", to.display()))?;
        let mode = fs::metadata(&from).with_context(|| format!("could not look at {file}"))?.permissions();
        fs::set_permissions(&to, mode).with_context(|| format!("could not set the mode of {file}"))
    }

    /// A call of cargo in the copy: without debug information, which nobody reads and which takes half of the linker's time.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo(&self.tree);
        cargo.env("CARGO_TARGET_DIR", &self.target).env("CARGO_PROFILE_DEV_DEBUG", "0");
        cargo
    }

    /// Does something and says how long it took.
    pub(super) fn timed<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
        let start = Instant::now();
        let done = work()?;
        Ok((done, start.elapsed()))
    }
}

/// Removes files that the tree no longer has: a source file that lies about would be built.
fn remove_others(folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))? {
        let path = entry.with_context(|| format!("could not read {}", folder.display()))?.path();
        if path.is_dir() {
            remove_others(&path, keep)?;
        } else if !keep.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    Ok(())
}
