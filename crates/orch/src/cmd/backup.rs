//! `orch backup`, `orch restore`: how is the store copied, and how does it come back?

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_adapters::git::{Git, Hub};
use orch_adapters::process::{self, Observed, StopAnswer};
use orch_store::backup as copies;
use serde_json::json;

use super::Here;
use crate::client::talk;
use crate::error::{Error, Kind, told};
use crate::home::Home;
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
    let path = here.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let make_way = || make_way(&here.home, std::ffi::OsStr::new(&path.unwrap_or_default()));
    let copied = copies::restore(&from, &here.home.store(), make_way).map_err(|e| failed(&e))?;
    say(here, &copied, "restored to", &here.home.store())
}

type Refused = Box<dyn std::error::Error + Send + Sync>;

/// Takes away what is named after rows that the restored journal does not have: it will give the same names to other
/// runs, and what lies under them must not be taken for theirs. Each step may be repeated after a crash.
fn make_way(home: &Home, path: &std::ffi::OsStr) -> Result<(), Refused> {
    end_runs(&home.runs())?;
    let git = Git::at("git", path)?;
    for project in names_in(&home.hubs())? {
        if project.join("hub.git").is_dir() {
            Hub::open(git.clone(), &project)?.forget_runs().map_err(|failure| failure.cause)?;
        }
    }
    for folder in [home.runs(), home.trees(), home.homes()] {
        move_aside(&folder)?;
    }
    Ok(())
}

/// Ends what still runs: nobody would see its end.
fn end_runs(runs: &Path) -> Result<(), Refused> {
    let records = names_in(runs)?;
    for record in &records {
        if let StopAnswer::Unknown { why } = process::request_stop(record) {
            return Err(format!("{}: {why}", record.display()).into());
        }
    }
    talk(async {
        for record in &records {
            if let Observed::Running(_) = process::observe(record) {
                process::wait(record).await;
            }
        }
        Ok(())
    })
    .map_err(|e| e.to_string())?;
    for record in &records {
        process::sweep_lost(record)?;
    }
    Ok(())
}

/// What lies in a folder; nothing, if it is not there.
fn names_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Gives a folder with something in it a name that nothing has.
fn move_aside(folder: &Path) -> io::Result<()> {
    if names_in(folder)?.is_empty() {
        return Ok(());
    }
    let mut n = 1_u32;
    loop {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!(".replaced-{n}"));
        if Path::new(&name).symlink_metadata().is_err() {
            return std::fs::rename(folder, name);
        }
        n += 1;
    }
}

fn say(here: &Here, copied: &copies::Copied, what: &str, place: &std::path::Path) -> Result<ExitCode, Error> {
    if here.json {
        screen::json(&json!({ "place": place, "seq": copied.head.seq, "aside": copied.aside }));
    } else {
        let rows = usize::try_from(copied.head.seq.0).unwrap_or(usize::MAX);
        screen::line(&format!("{} {what} {}", screen::count(rows, "row"), place.display()));
        if let Some(aside) = &copied.aside {
            screen::line(&format!("the store that was there is now {}", aside.display()));
            screen::line("what its runs left lies beside it, in folders whose names end in `.replaced-` too");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &copies::BackupError) -> Error {
    let kind = match error {
        copies::BackupError::Exists { .. } => Kind::Refused,
        copies::BackupError::Unsound { .. } => Kind::Damaged,
        copies::BackupError::Files { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Kind::NotFound
        }
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
