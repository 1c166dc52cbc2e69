//! Where is the index of one piece of work, and what becomes of it?

use std::fs::{self, Metadata};
use std::ops::Deref;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use orch_core::call::Failure;

use super::hub::{Hub, is_left, remove_index};
use super::paths;
use crate::failure;

/// Tells apart two pieces of work of one process.
static SCRATCH: AtomicU64 = AtomicU64::new(0);

/// The place of an index; what is there goes with the work, also where that fails.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A second one beside it, for a part of the work.
    pub(super) fn few(&self) -> PathBuf {
        self.0.with_added_extension("few")
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for index in [self.few(), self.0.clone()] {
            // What stays is removed at the next start.
            let _ = remove_index(&index);
        }
    }
}

impl Hub {
    /// The place of an index for one piece of work, for this hand alone: an old hand that goes on beside its successor would
    /// else take files from what the other one commits.
    pub(crate) fn scratch_index(&self, name: &str) -> Result<Scratch, Failure> {
        let (process, n) = (std::process::id(), SCRATCH.fetch_add(1, Ordering::Relaxed));
        let index = self.room("tmp")?.join(format!("{name}.{process}-{n}.index"));
        // A process of the same number may have left one before.
        remove_index(&index)?;
        Ok(Scratch(index))
    }

    /// Removes the indices that crashes left behind.
    pub(super) fn tidy_scratch(&self) -> Result<(), Failure> {
        let folder = self.room("tmp")?;
        for entry in fs::read_dir(&folder).map_err(failure::io(&folder))?.flatten() {
            if entry.metadata().is_ok_and(|meta| is_left(touched(&meta))) {
                paths::remove(&entry.path()).map_err(failure::io(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// When a file was last made, written or renamed. Its own date does not say so: the copy of an index keeps that of the index.
fn touched(meta: &Metadata) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that an index which a hand is just using is not taken for a leftover, although it has the date of the index that it
    /// is a copy of.
    #[test]
    fn what_is_in_use_is_no_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let copy = fs::File::create(folder.path().join("r1.1.index")).unwrap();
        copy.set_modified(UNIX_EPOCH).unwrap();
        assert!(!is_left(touched(&copy.metadata().unwrap())));
        assert!(is_left(UNIX_EPOCH));
    }
}
