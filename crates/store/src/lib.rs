//! What has happened? The journal and what follows from it, in one SQLite file with one writer (decisions 33, 39).
//!
//! [`SqliteJournal`] is the one writer, for the brain. [`Checkpointer`] moves the log into the file beside it.
//! [`Reader`] is for everybody who only looks, also while the brain is down. [`check`] looks at everything, [`backup`]
//! copies it and brings it back.

#[cfg(not(target_os = "linux"))]
compile_error!("orch-store knows network file systems by Linux's numbers: teach `place` yours first");

pub mod backup;
pub mod check;

mod checkpoint;
mod columns;
mod decode;
mod error;
mod journal;
mod lines;
mod place;
mod reader;
mod schema;
mod sql;

pub use checkpoint::{Checkpointed, Checkpointer};
pub use error::{Damaged, Holder, OpenError, StoreError};
pub use journal::SqliteJournal;
pub use reader::{Listed, Page, Place, Reader, TaskFilter};

#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod plans;
