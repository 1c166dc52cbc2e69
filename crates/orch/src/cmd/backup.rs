//! `orch backup`, `orch restore`: how is the store copied, and how does it come back?

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_adapters::git::{Git, Hub};
use orch_adapters::process::{self, Observed, StopAnswer};
use orch_core::message;
use orch_store::backup as copies;
use serde_json::json;

use super::Here;
use crate::client::talk;
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::refusals::{told, worded};
use crate::screen;
use crate::words::{Told, counted, say, words};

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
    let place = to.display();
    tell(here, &copied, &to, |rows| say!("{rows} copied to {place}", "скопировано в {place}: {rows}"))
}

/// Puts a copy in the store's place; the old one is moved aside. Refused while Orch runs.
///
/// # Errors
/// A brain has the store, or the copy is damaged.
pub fn restore(here: &Here, args: &Restore) -> Result<ExitCode, Error> {
    let from = here.folder.join(&args.from);
    if !from.is_file() {
        let error = Error::new(Kind::NotFound, say!("there is no copy of that name", "такой копии нет"));
        return Err(error.at(from.display()).remedy(say!(
            "name a file that `orch backup` made",
            "укажите файл, который сделала команда `orch backup`"
        )));
    }
    let path = here.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let make_way = || make_way(&here.home, std::ffi::OsStr::new(&path.unwrap_or_default()));
    let copied = copies::restore(&from, &here.home.store(), make_way).map_err(|e| failed(&e))?;
    let store = here.home.store();
    let place = store.display();
    tell(here, &copied, &store, |rows| say!("{rows} restored to {place}", "восстановлено в {place}: {rows}"))
}

type Refused = Box<dyn std::error::Error + Send + Sync>;

/// Takes away what is named after rows that the restored journal does not have: it will give the same names to other
/// runs, and what lies under them must not be taken for theirs. Each step may be repeated after a crash.
fn make_way(home: &Home, path: &std::ffi::OsStr) -> Result<(), Refused> {
    end_runs(&home.runs())?;
    let git = Git::at("git", path).map_err(|e| String::from(worded(&e)))?;
    for project in names_in(&home.hubs())? {
        if project.join("hub.git").is_dir() {
            let hub = Hub::open(git.clone(), &project).map_err(|e| String::from(worded(&e)))?;
            hub.forget_runs().map_err(|failure| message::cause(&failure.cause, words().lang))?;
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
            let why = message::hindrance(&why, words().lang);
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

fn tell(
    here: &Here,
    copied: &copies::Copied,
    place: &Path,
    done: impl FnOnce(String) -> Told,
) -> Result<ExitCode, Error> {
    if here.json {
        screen::json(&json!({ "place": place, "seq": copied.head.seq, "aside": copied.aside }));
    } else {
        screen::line(&done(counted(copied.head.seq.0, ["row", "rows"], ["строка", "строки", "строк"])));
        if let Some(aside) = &copied.aside {
            let aside = aside.display();
            screen::line(&say!(
                "the store that was there is now {aside}",
                "прежнее хранилище теперь здесь: {aside}"
            ));
            screen::line(&say!(
                "what its runs left lies beside it, in folders whose names end in `.replaced-` too",
                "то, что оставили его запуски, лежит рядом, в папках с таким же окончанием `.replaced-`"
            ));
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
