//! How does a simulated history live on the real store? In a temporary folder; a crash drops it without a close.

use std::path::PathBuf;

use orch_core::journal::{Batch, Blob, Journal as _};
use orch_sim::twin::{Open, Opener, Plain, Store, Trouble, Twin};
use orch_store::SqliteJournal;

use crate::error::Error;
use crate::words::say;

/// A temporary folder for one store after the other; it goes with this value.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    stores: u64,
}

impl Folder {
    pub(super) fn new() -> Result<Self, Error> {
        // One that was killed may have had the same number and left its folder; another thread may just have made its own.
        let name = |n: u32| std::env::temp_dir().join(format!("orch-sim-{}-{n}", std::process::id()));
        let mut n = 0;
        loop {
            let path = name(n);
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, stores: 0 }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && n < 1000 => n += 1,
                Err(e) => {
                    let cause = say!(
                        "the folder for simulated stores cannot be made: {e}",
                        "папку для хранилищ симуляции создать не удалось: {e}"
                    );
                    return Err(Error::failed(cause).at(path.display()).remedy(say!(
                        "make room there, or set TMPDIR to another folder",
                        "освободите там место или укажите другую папку в TMPDIR"
                    )));
                }
            }
        }
    }

    /// An empty journal on a new store. The one before must not be used any more: its files go.
    pub(super) fn journal(&mut self) -> Result<Twin, Trouble> {
        let before = self.path.join(self.stores.to_string());
        if before.exists() {
            std::fs::remove_dir_all(&before).map_err(|e| Trouble::of(&e))?;
        }
        self.stores += 1;
        let folder = self.path.join(self.stores.to_string());
        std::fs::create_dir(&folder).map_err(|e| Trouble::of(&e))?;
        let (place, lock) = (folder.join("orch.db"), folder.join("orch.db.lock"));
        let open: Opener = Box::new(move |open| {
            if open == Open::PastTheLock {
                std::fs::remove_file(&lock).map_err(|e| Trouble::of(&e))?;
            }
            let journal = SqliteJournal::open(&place).map_err(|e| Trouble::of(&e))?;
            Ok(Box::new(Plain::with_full_disk(Box::new(journal), full)) as Store)
        });
        Twin::on(open)
    }
}

/// As many pages as there may be.
const ROOM: u32 = u32::MAX - 1;
/// So many bytes fit into no page that is free by chance.
const MORE: usize = 4 << 20;

/// The file may not grow for this commit, which brings more than fits: SQLite finds that out in its middle.
fn full(journal: &mut Box<SqliteJournal>, batch: &Batch) -> Result<(), Trouble> {
    let mut larger = batch.clone();
    larger.blobs.push(Blob::of("x".repeat(MORE)));
    journal.hold_to(1).map_err(|e| Trouble::of(&e))?;
    let came = journal.commit(&larger);
    journal.hold_to(ROOM).map_err(|e| Trouble::of(&e))?;
    match came {
        Err(e) if e.is_disk_full() => Ok(()),
        Err(e) => Err(Trouble::of(&e)),
        Ok(()) => Err(Trouble("it took what there is no room for".to_owned())),
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder for temporary files that stays is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
