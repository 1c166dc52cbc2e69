//! `orch backup`, `orch restore`: how is the store copied, and how does it come back?

use std::path::PathBuf;
use std::process::ExitCode;

use orch_store::backup as copies;
use serde_json::json;

use super::Here;
use crate::error::{Error, Kind, told};
use crate::screen;

/// Copy the store.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The new file
    to: PathBuf,
}

/// Bring a copy back.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The copy
    from: PathBuf,
}

/// Copies, also while Orch runs.
///
/// # Errors
/// The store cannot be read or the copy cannot be written.
pub fn backup(here: &Here, args: &Backup) -> Result<ExitCode, Error> {
    let to = here.folder.join(&args.to);
    let copied = copies::online(&here.home.store(), &to).map_err(|e| failed(&e))?;
    say(here, &copied, "copied to", &to)
}

/// Puts a copy in the store's place; the old one is moved aside. Refused while Orch runs.
///
/// # Errors
/// A brain has the store, or the copy is damaged.
pub fn restore(here: &Here, args: &Restore) -> Result<ExitCode, Error> {
    let from = here.folder.join(&args.from);
    if !from.is_file() {
        let error = Error::new(Kind::NotFound, "there is no copy of that name").at(from.display());
        return Err(error.remedy("name a file that `orch backup` made"));
    }
    let copied = copies::restore(&from, &here.home.store()).map_err(|e| failed(&e))?;
    say(here, &copied, "restored to", &here.home.store())
}

fn say(here: &Here, copied: &copies::Copied, what: &str, place: &std::path::Path) -> Result<ExitCode, Error> {
    if here.json {
        screen::json(&json!({ "place": place, "seq": copied.head.seq, "aside": copied.aside }));
    } else {
        let rows = usize::try_from(copied.head.seq.0).unwrap_or(usize::MAX);
        screen::line(&format!("{} {what} {}", screen::count(rows, "row"), place.display()));
        if let Some(aside) = &copied.aside {
            screen::line(&format!("the store that was there is now {}", aside.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &copies::BackupError) -> Error {
    let kind = match error {
        copies::BackupError::Exists { .. } => Kind::Refused,
        copies::BackupError::Unsound { .. } => Kind::Damaged,
        copies::BackupError::Source(cause) | copies::BackupError::Target(cause) => match cause {
            orch_store::OpenError::Taken { .. } => Kind::Refused,
            orch_store::OpenError::Files { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Kind::NotFound
            }
            _ => Kind::Failed, // not a domain enum
        },
        _ => Kind::Failed, // not a domain enum
    };
    told(kind, error)
}
