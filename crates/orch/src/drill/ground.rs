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
use crate::compose::secrets::put;
use crate::error::Error;
use crate::home::Home;
use crate::words::{Told, say};

/// How long what is asked to end may take.
pub(super) const FAREWELL: Span = Span::seconds(20);

/// How often is looked.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Says that a folder may be emptied: nothing of anybody's own is in it. Holds who works there.
const MARK: &str = ".orch-drill";

/// The mark while it is written: one that a crash left is nobody's own either.
const PART: &str = ".orch-drill.part";

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
    move |e| {
        let cause = say!("the drills' folder cannot be used: {e}", "папкой учений нельзя пользоваться: {e}");
        Error::failed(cause).at(path.display()).remedy(say!(
            "check owner, rights and space there, or name another folder with --workspace",
            "проверьте там владельца, права и место или укажите другую папку в --workspace"
        ))
    }
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
        } else if holds_anything(&folder) {
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
        // Whole or not at all: half of a mark names nobody, and what still lives would be left alone.
        put(&mark, text.as_bytes()).map_err(failed(&mark))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if holds_anything(&self.folder) {
            return; // A broken drill is kept, and the mark with it: the next call may clear it away.
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether there is anything in a folder besides the mark.
fn holds_anything(folder: &Path) -> bool {
    let own = |entry: &fs::DirEntry| entry.file_name() == MARK || entry.file_name() == PART;
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| !own(&entry)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a mark is whole or not there, and that one which a crash cut off keeps nobody from the folder.
    #[test]
    fn half_a_mark_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("drills");
        let plan = Plan { drills: Vec::new(), workspace, exe: PathBuf::new(), env: Vec::new() };
        let make = || Ground::make(&plan, None, Arc::default());
        fs::create_dir(&plan.workspace).unwrap();
        fs::write(plan.workspace.join(PART), "{\"dri").unwrap();
        let ground = make().unwrap();
        let left: Vec<_> = fs::read_dir(&ground.folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, [MARK], "the part took its place");
        assert!(make().is_err(), "drills are done there");
        drop(ground);
        assert!(!plan.workspace.exists());
        fs::create_dir(&plan.workspace).unwrap();
        fs::write(plan.workspace.join("thesis"), "").unwrap();
        assert!(make().is_err(), "it is somebody's");
    }
}
