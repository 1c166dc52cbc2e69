//! How is a store copied while it is written, and how does a copy take its place again?

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::journal::Head;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::check::{self, Finding};
use crate::error::{OpenError, StoreError};
use crate::place::{self, Lock, beside, folder};
use crate::{journal, schema};

/// Pages copied at a time.
const STEP: i32 = 4096;

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Where the copy's journal ends.
    pub head: Head,
    /// How many bytes it has.
    pub bytes: u64,
    /// Where the store is that it replaced, if there was one.
    pub aside: Option<PathBuf>,
}

/// Why a store could not be copied or brought back. Nothing that was there before is changed then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something at the target already.
    #[error("{place}: there is a file of that name; name another one, backups are never overwritten")]
    Exists {
        /// The target.
        place: PathBuf,
    },
    /// The target is not a place for a store, or a brain is using it.
    #[error("cannot restore: {0}")]
    Target(#[source] OpenError),
    /// The source cannot be opened or read.
    #[error("cannot read the store to copy: {0}")]
    Source(#[source] OpenError),
    /// The backup is not sound.
    #[error("{place}: this backup is not sound ({first}, {more} more findings); take an older one")]
    Unsound {
        /// The backup.
        place: PathBuf,
        /// The first finding.
        first: Box<Finding>,
        /// How many more there are.
        more: u64,
    },
    /// What the store's rows left outside it could not be taken out of the way.
    #[error(
        "cannot take what later rows left out of the way of the restored store; the store is as it was: try again"
    )]
    Outside(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The copy could not be written; a half-written one was removed.
    #[error("cannot write the copy: {0}")]
    Write(#[source] StoreError),
    /// The file system refused.
    #[error("{place}: cannot {doing}; check that its folder is there, whose it is, and the space left")]
    Files {
        /// The file or folder.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

fn files(place: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> BackupError {
    let place = place.to_owned();
    move |source| BackupError::Files { place, doing, source }
}

/// Copies the store at `source` to a new file `target`, also while a brain writes: the copy is the store of one moment.
/// It appears under its name when it is whole and on the disk, never before.
///
/// # Errors
/// [`BackupError`]; the source is only read.
pub fn online(source: &Path, target: &Path) -> Result<Copied, BackupError> {
    refuse_existing(target)?;
    let from = schema::reader(source).map_err(BackupError::Source)?;
    let part = beside(target, ".part");
    let head = copy(&from, source, &part)?;
    // Looked at again, because copying took its time. Not by a hard link, which many disks for backups do not know.
    refuse_existing(target)?;
    std::fs::rename(&part, target).map_err(files(target, "give the copy its name"))?;
    finish(target, head, None)
}

/// Puts a copy of `backup` where the store is, or will be. A store that is there is moved aside, never removed; one that
/// a brain uses is refused. The copy gets the newest schema, and its chain is compared row by row before anything is
/// touched.
///
/// A restored journal gives the numbers of lost rows again, and with them the names of runs. `make_way` is called while
/// no brain can begin and before the store is exchanged: it takes away what lies outside under such names. It may be
/// called again after a crash.
///
/// # Errors
/// [`BackupError`]; the store is as it was then.
pub fn restore(
    backup: &Path,
    target: &Path,
    make_way: impl FnOnce() -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<Copied, BackupError> {
    place::refuse_network(target).map_err(BackupError::Target)?;
    let _lock = Lock::take(target).map_err(BackupError::Target)?;
    let (from, _) = schema::reader_of_any(backup).map_err(BackupError::Source)?;
    let part = beside(target, ".part");
    let head = copy(&from, backup, &part)?;
    if let Err(refused) = sound(backup, &part).and_then(|()| make_way().map_err(BackupError::Outside)) {
        remove_if_there(&part)?;
        return Err(refused);
    }
    let aside = move_aside(target)?;
    std::fs::rename(&part, target).map_err(files(target, "give the restored store its name"))?;
    finish(target, head, aside)
}

/// Brings the copy's schema up to date and looks at all its rows.
fn sound(backup: &Path, part: &Path) -> Result<(), BackupError> {
    schema::bring_up(part).map_err(BackupError::Source)?;
    let report = check::chain(part).map_err(BackupError::Source)?;
    let Some(first) = report.findings.first() else { return Ok(()) };
    let more = report.findings.len() as u64 - 1 + report.more;
    Err(BackupError::Unsound { place: backup.to_owned(), first: Box::new(first.clone()), more })
}

fn refuse_existing(target: &Path) -> Result<(), BackupError> {
    match target.symlink_metadata() {
        Ok(_) => Err(BackupError::Exists { place: target.to_owned() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(files(target, "look at the target")(e)),
    }
}

/// Copies one moment of a store to `part`, durably.
fn copy(from: &Connection, source: &Path, part: &Path) -> Result<Head, BackupError> {
    remove_if_there(part)?;
    // What a store that cannot be made asks for is no help to who names a place for a copy.
    place::make(part).map_err(|refused| match refused {
        OpenError::Files { source, .. } => files(part, "create the copy")(source),
        other => BackupError::Target(other), // not a domain enum
    })?;
    let done = copy_pages(from, source, part).and_then(|head| {
        let file = File::open(part).map_err(files(part, "open the copy"))?;
        file.sync_all().map_err(files(part, "bring the copy to the disk"))?;
        Ok(head)
    });
    if done.is_err() {
        remove_if_there(part)?;
    }
    done
}

fn copy_pages(from: &Connection, source: &Path, part: &Path) -> Result<Head, BackupError> {
    let reading = |e| BackupError::Source(StoreError::sqlite(source, "read the store to copy", e).into());
    let writing = |e| BackupError::Write(StoreError::sqlite(part, "write the copy", e));
    // A transaction over all steps: without it each commit of the brain would make the copy begin afresh.
    let moment = from.unchecked_transaction().map_err(reading)?;
    let head = journal::head(source, &moment).map_err(|e| BackupError::Source(e.into()))?;
    let mut to = Connection::open(part).map_err(writing)?;
    // The file is brought to the disk once, when it is whole.
    to.pragma_update(None, "synchronous", "OFF").map_err(writing)?;
    let copying = Backup::new(&moment, &mut to).map_err(writing)?;
    copying.run_to_completion(STEP, Duration::ZERO, None).map_err(writing)?;
    drop(copying);
    // One file, with no log beside it; the first brain that opens it makes its log again.
    let _mode: String =
        to.pragma_update_and_check(None, "journal_mode", "DELETE", |r| r.get(0)).map_err(writing)?;
    to.close().map_err(|(_, e)| writing(e))?;
    Ok(head)
}

/// Gives the store at `target` and its log another name, if there is one.
fn move_aside(target: &Path) -> Result<Option<PathBuf>, BackupError> {
    let there = |path: &Path| path.symlink_metadata().is_ok();
    let found = there(target);
    let mut n = 1_u32;
    let aside = loop {
        let name = beside(target, &format!(".replaced-{n}"));
        // A log alone is what a crash left between the two steps below: it goes where its store went.
        let follows = !found && !there(&beside(target, &format!(".replaced-{}", n + 1)));
        if !there(&beside(&name, "-wal")) && (follows || !there(&name)) {
            break name;
        }
        n += 1;
    };
    for suffix in ["", "-wal"] {
        let from = beside(target, suffix);
        if there(&from) {
            std::fs::rename(&from, beside(&aside, suffix)).map_err(files(&from, "move it aside"))?;
        }
    }
    // It says nothing that the log does not say, and must not be read with another file.
    remove_if_there(&beside(target, "-shm"))?;
    Ok(found.then_some(aside))
}

fn remove_if_there(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(files(path, "remove it")(e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn finish(target: &Path, head: Head, aside: Option<PathBuf>) -> Result<Copied, BackupError> {
    let folder = folder(target);
    File::open(folder).and_then(|f| f.sync_all()).map_err(files(folder, "make the new name last"))?;
    let bytes = std::fs::metadata(target).map_err(files(target, "look at the copy"))?.len();
    Ok(Copied { head, bytes, aside })
}
