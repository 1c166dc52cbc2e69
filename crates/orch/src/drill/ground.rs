//! In which folder are drills done, and who cleans up after one that was killed?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use orch_adapters::git::Mounts;
use orch_adapters::process::{self, Identity};
use orch_core::time::Span;
use orch_engine::clock;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::{Plan, look};
use crate::error::Error;
use crate::home::Home;
use crate::words::{Told, say};

/// How long what is asked to end may take.
pub(super) const FAREWELL: Span = Span::seconds(20);

/// How often is looked.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Says that a folder may be emptied: nothing of anybody's own is in it. Holds who works there.
const MARK: &str = ".orch-drill";

/// Which processes work in a workspace.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    drill: Identity,
    brain: Option<Identity>,
}

/// The folder of all drills of one call. Dropped, it goes, unless something in it is kept.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) folder: PathBuf,
    pub(super) exe: PathBuf,
    pub(super) env: Vec<(String, String)>,
    /// Whether a small file system can be mounted for a drill; `None` if none needs one.
    pub(super) mounts: Option<Result<Mounts, String>>,
    pub(super) asked: Arc<AtomicBool>,
}

/// What cannot be done with a file.
pub(super) fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |e| Error::failed(Told::quoted(e.to_string())).at(path.display())
}

impl Ground {
    /// Makes the folder. What drills that were killed left there is ended and removed first.
    ///
    /// # Errors
    /// Drills are done there now, or the folder is somebody's.
    pub(super) fn make(
        plan: &Plan,
        mounts: Option<Result<Mounts, String>>,
        asked: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let folder = plan.workspace.clone();
        let mark = folder.join(MARK);
        if mark.is_file() {
            let noted: Option<Noted> = serde_json::from_slice(&fs::read(&mark).map_err(failed(&mark))?).ok();
            if let Some(noted) = noted {
                if look::lives(&noted.drill) {
                    return Err(Error::refused(say!("drills are done there already", "там уже идут учения"))
                        .at(folder.display())
                        .remedy(say!(
                            "wait for their end, or name another folder with --workspace",
                            "дождитесь их конца или укажите другую папку в --workspace"
                        )));
                }
                end_left(&folder, noted.brain.as_ref());
            }
            fs::remove_dir_all(&folder).map_err(failed(&folder))?;
        } else if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::refused(say!(
                "the folder is not empty, and not of drills",
                "папка не пуста, и она не от учений"
            ))
            .at(folder.display())
            .remedy(say!("name another with --workspace", "укажите другую в --workspace")));
        }
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).map_err(failed(&folder))?;
        let folder = folder.canonicalize().map_err(failed(&folder))?;
        let ground = Self { folder, exe: plan.exe.clone(), env: plan.env.clone(), mounts, asked };
        ground.note(None)?;
        Ok(ground)
    }

    /// Writes down who works here, for the next call if this one is killed.
    pub(super) fn note(&self, brain: Option<&Identity>) -> Result<(), Error> {
        let mark = self.folder.join(MARK);
        let drill = Identity::of_self().map_err(failed(&mark))?;
        let text = serde_json::to_string(&Noted { drill, brain: brain.cloned() });
        let text = text.map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
        fs::write(&mark, text).map_err(failed(&mark))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let others = |entry: &fs::DirEntry| entry.file_name() != MARK;
        if fs::read_dir(&self.folder).is_ok_and(|entries| entries.flatten().any(|entry| others(&entry))) {
            return; // A broken drill is kept, and the mark with it: the next call may clear it away.
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends what drills left that were killed themselves: their brain, and the supervisors of its runs.
fn end_left(folder: &Path, brain: Option<&Identity>) {
    if let Some(brain) = brain {
        look::signal(brain, Signal::KILL);
    }
    for drill in fs::read_dir(folder).into_iter().flatten().flatten() {
        stop_runs(&Home::at(drill.path().join("home")));
    }
    let until = clock::now().after(FAREWELL);
    while !look::living(folder).is_empty() && clock::now() < until {
        std::thread::sleep(LOOK);
    }
}

/// The folders of all runs that left a record.
fn records(home: &Home) -> Vec<PathBuf> {
    fs::read_dir(home.runs()).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Asks every run of an installation to end.
pub(super) fn stop_runs(home: &Home) {
    for record in records(home) {
        process::request_stop(&record);
    }
}
