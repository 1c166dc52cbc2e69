//! Why could the store not? Every error names the place, the cause and the remedy.
//!
//! [`OpenError`] is for opening a data file, [`StoreError`] for everything done with an open one.

use std::fmt;
use std::path::{Path, PathBuf};

use orch_core::id::{Digest, EffectId, Entity, Seq};
use rusqlite::ErrorCode;

/// SQLite's extended code for "no room to grow the shared memory file", which is a full disk too.
const IOERR_SHMSIZE: i32 = 4874;

/// Who has a data file: its process id, as far as it wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("it did not say which process it is"),
        }
    }
}

/// Why a data file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another brain has it.
    #[error(
        "{place}: another Orch works with this store ({holder}); stop that one first, or use another data folder"
    )]
    Taken {
        /// The lock file.
        place: PathBuf,
        /// Which process.
        holder: Holder,
    },
    /// Locks and shared memory do not work there.
    #[error(
        "{place}: this is on {kind}, where SQLite cannot keep its promises; move the data folder to a local disk"
    )]
    NetworkFileSystem {
        /// The folder.
        place: PathBuf,
        /// Which kind of file system.
        kind: &'static str,
    },
    /// The SQLite in this binary is too old.
    #[error(
        "SQLite {found} is linked, 3.51.3 or newer is needed (older ones can lose a checkpoint); build with the bundled one"
    )]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// The file is something else.
    #[error(
        "{place}: this is not a store of Orch ({cause}); name another file, or restore one with `orch restore`"
    )]
    NotAStore {
        /// The file.
        place: PathBuf,
        /// How that shows.
        cause: String,
    },
    /// A newer binary wrote it.
    #[error(
        "{place}: the store has schema {found}, this binary knows {known}; use the newer binary that wrote it"
    )]
    Newer {
        /// The file.
        place: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// An older binary wrote it, and a reader may not bring it up to date.
    #[error(
        "{place}: the store has schema {found}, {known} is needed to read it; start Orch once, it brings it up to date"
    )]
    Older {
        /// The file.
        place: PathBuf,
        /// Its schema.
        found: u32,
        /// The schema of this binary.
        known: u32,
    },
    /// A migration that was applied is not the one in this binary.
    #[error(
        "{place}: migration {number} in the store differs from the one in this binary; use the binary that applied it"
    )]
    OtherMigration {
        /// The file.
        place: PathBuf,
        /// Which.
        number: u32,
    },
    /// A migration failed; nothing of it was kept.
    #[error(
        "{place}: migration {number} failed and nothing of it was kept; run the former binary and report this"
    )]
    Migration {
        /// The file.
        place: PathBuf,
        /// Which.
        number: u32,
        /// Why.
        source: rusqlite::Error,
    },
    /// A restore was interrupted before its last step; an empty store would hide that.
    #[error(
        "{place}: there is no store, and {found} lies beside it: a restore was interrupted; run `orch restore` again, or move {found} away to begin with an empty store"
    )]
    HalfRestored {
        /// Where the store would be.
        place: PathBuf,
        /// What the restore left.
        found: PathBuf,
    },
    /// The file system refused.
    #[error("{place}: cannot {doing}; check that the data folder exists and belongs to this user")]
    Files {
        /// The file or folder.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The first look at the opened file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What in a store cannot be read, or contradicts the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damaged {
    /// A row of the journal.
    Row(Seq),
    /// The state of an entity.
    State(String),
    /// An open effect.
    Effect(EffectId),
    /// The timer of an entity.
    Timer(String),
    /// A blob.
    Blob(Digest),
    /// A count of tasks.
    Tally(String),
    /// The file itself.
    File,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damaged::Row(seq) => write!(f, "journal row {seq}"),
            Damaged::State(entity) => write!(f, "the state of {entity}"),
            Damaged::Effect(id) => write!(f, "open effect {id}"),
            Damaged::Timer(entity) => write!(f, "the timer of {entity}"),
            Damaged::Blob(digest) => write!(f, "blob {digest}"),
            Damaged::Tally(place) => write!(f, "the count of tasks in {place}"),
            Damaged::File => f.write_str("the file"),
        }
    }
}

impl Damaged {
    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Damaged::Row(_) | Damaged::File => {
                "see how far it goes with `orch replay --verify`, then bring back a backup with `orch restore`"
            }
            Damaged::State(_) | Damaged::Effect(_) | Damaged::Timer(_) | Damaged::Tally(_) => {
                "run `orch replay --verify`: the journal is the truth; if it is sound too, bring back a backup with `orch restore`"
            }
            Damaged::Blob(_) => {
                "bring back a backup with `orch restore`; the journal itself stays valid without it"
            }
        }
    }
}

/// Why something could not be done with an open store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room; nothing of the batch was written, and the store works again when there is.
    #[error("{place}: the disk is full, nothing was written; {remedy}")]
    DiskFull {
        /// The data file.
        place: PathBuf,
        /// What to do.
        remedy: &'static str,
    },
    /// Something stored cannot be read, or contradicts the rest.
    #[error("{place}: {what} is damaged: {cause}; {}", what.remedy())]
    Damaged {
        /// The data file.
        place: PathBuf,
        /// What.
        what: Damaged,
        /// How that shows.
        cause: String,
    },
    /// An event with this key was written before: the caller should have asked [`orch_core::journal::Journal::taken`].
    #[error("{place}: the key `{key}` counts once and was written before; nothing was written")]
    KeyTaken {
        /// The data file.
        place: PathBuf,
        /// The key.
        key: String,
    },
    /// The batch does not continue the journal; nothing was written.
    #[error(
        "{place}: row {row} does not follow row {head}: {cause}; nothing was written, restart Orch and report this"
    )]
    NotNext {
        /// The data file.
        place: PathBuf,
        /// The row that was to be written.
        row: Seq,
        /// Where the journal ends.
        head: Seq,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A state names a row that the journal does not have; nothing was written.
    #[error(
        "{place}: the state of {entity} names row {row} and the journal ends at {head}; nothing was written, report this"
    )]
    AheadOfJournal {
        /// The data file.
        place: PathBuf,
        /// Whose state.
        entity: Entity,
        /// The row it names.
        row: Seq,
        /// Where the journal ends.
        head: Seq,
    },
    /// A value has no JSON; nothing was written.
    #[error("{place}: {what} cannot be written as JSON; nothing was written, report this")]
    Unwritable {
        /// The data file.
        place: PathBuf,
        /// What.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// Another process holds the file for longer than the patience of this one.
    #[error(
        "{place}: another process holds the file (cannot {doing}); end the program that has it open and try again"
    )]
    Busy {
        /// The data file.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
    },
    /// What was moved from the log into the file cannot be forced to the disk; the log still has it.
    #[error("{place}: the file cannot be forced to the disk; check the disk, then run `orch doctor`")]
    NotLasting {
        /// The data file.
        place: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("{place}: cannot {doing}; check the disk, then run `orch doctor`")]
    Sqlite {
        /// The data file.
        place: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// Sorts an error of SQLite.
    pub(crate) fn sqlite(place: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let place = place.to_owned();
        let code = source.sqlite_error();
        let full =
            |e: &rusqlite::ffi::Error| e.code == ErrorCode::DiskFull || e.extended_code == IOERR_SHMSIZE;
        match code {
            Some(e) if full(e) => {
                Self::DiskFull { place, remedy: "free some space: work goes on by itself, nothing is lost" }
            }
            Some(e) if matches!(e.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { place, doing }
            }
            Some(e) if matches!(e.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { place, what: Damaged::File, cause: source.to_string() }
            }
            Some(_) | None => Self::Sqlite { place, doing, source },
        }
    }

    /// Something stored that cannot be what was written.
    pub(crate) fn damaged(place: &Path, what: Damaged, cause: impl fmt::Display) -> Self {
        Self::Damaged { place: place.to_owned(), what, cause: cause.to_string() }
    }

    /// Whether there is no room: work pauses and goes on by itself later.
    pub const fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }
}
