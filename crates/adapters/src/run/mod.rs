//! What do the runs of agents, gates and deploy hooks have in common? Where they live, how they are started once,
//! stopped, and read when they have ended.
//!
//! A run has three places, none inside another: its *record* (`<runs>/<run>`, owned by [`crate::process`], which also
//! holds what this module knows of it), its *tree* (`<trees>/<run>`, made by git) and its *home* (`<homes>/<run>`,
//! thrown away at the end: a credential may lie in it). The sandbox opens the last two and never the first.

pub mod about;
pub mod said;
pub mod shelter;
pub mod watch;

mod meter;
mod secrets;
mod failure;

use std::cell::RefCell;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orch_core::call::Failure;
use orch_core::hindrance::Hindrance;
use orch_core::id::{Commit, ProjectId, RunId};
use orch_core::refusal::Refusal;

pub use about::{About, RunKind};
pub(crate) use about::{Of, Wanted};
pub use said::{Masker, Secret};
pub use shelter::{Machine, Protection};
pub use watch::{Finished, Watched};

use crate::git::remove;
use crate::lease::{Ports, Registry};
use crate::process::{self, Launcher, Observed, RunAs, RunSpec, STOP, StopAnswer};

pub(crate) use failure::io;
pub(crate) use meter::Over;
pub(crate) use secrets::{given, given_keys};

/// Says that the end of a run is in the journal.
const SETTLED: &str = "settled";
/// The lock that a shim holds as long as it lives (see [`crate::process`]).
const LOCK: &str = "lock";
/// The specification that a shim was given (see [`crate::process`]).
const SPEC: &str = "spec.json";

/// Where runs live. All three on one file system; with another user for the runs (`run_as`), that user must be able to
/// walk to `trees` and `homes`.
#[derive(Debug, Clone)]
pub struct Places {
    /// Records: specification, logs, exit record.
    pub runs: PathBuf,
    /// Trees.
    pub trees: PathBuf,
    /// Home and temporary folders.
    pub homes: PathBuf,
}

/// The places of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// Which.
    pub run: RunId,
    /// Its record: the folder that [`crate::process`] speaks of.
    pub record: PathBuf,
    /// Its tree.
    pub tree: PathBuf,
    /// What is thrown away when it has ended.
    pub shed: PathBuf,
    /// Its `HOME`.
    pub home: PathBuf,
    /// Its `TMPDIR`.
    pub temp: PathBuf,
}

impl Places {
    /// The places of a run.
    pub fn of(&self, run: RunId) -> RunFolder {
        let name = run.to_string();
        let shed = self.homes.join(&name);
        RunFolder {
            run,
            record: self.runs.join(&name),
            tree: self.trees.join(&name),
            home: shed.join("home"),
            temp: shed.join("tmp"),
            shed,
        }
    }
}

/// Which tree a run wants.
#[derive(Debug, Clone)]
pub struct TreeWish<'a> {
    /// The run.
    pub run: RunId,
    /// The commit.
    pub commit: &'a Commit,
    /// Where it shall be.
    pub folder: &'a Path,
    /// What is kept between runs: whose (such as `ORCH-042/ci`), and the policy's paths.
    pub cache: Option<(String, &'a [String])>,
    /// Files that are taken away first: the role's old verdict.
    pub remove: Vec<String>,
    /// Whose it shall be; without one, Orch's own user's.
    pub owner: Option<RunAs>,
}

/// A tree that is ready.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Where it is.
    pub folder: PathBuf,
    /// What must be readable besides: the objects that its git directory borrows.
    pub borrows: Vec<PathBuf>,
}

/// Who makes trees: git, or a test.
pub trait Trees: Send + Sync {
    /// Makes a clean tree. One that the same run has already is replaced: whoever asks knows that the run did not begin.
    ///
    /// # Errors
    /// As [`Failure`] says; asking again is safe.
    fn prepare(&self, wish: &TreeWish<'_>) -> Result<Tree, Failure>;

    /// Takes a tree back; one that is gone is no failure.
    ///
    /// # Errors
    /// As [`Failure`] says; asking again is safe.
    fn give_back(&self, run: RunId) -> Result<(), Failure>;
}

/// Called before each step of a start with the step's name; tests end the process there.
pub type OnStep = Arc<dyn Fn(&'static str) + Send + Sync>;

/// The runs of one project.
#[derive(Clone)]
pub struct Runs {
    /// The project.
    pub project: ProjectId,
    /// Where they live.
    pub places: Places,
    /// What of the machine they see.
    pub machine: Machine,
    /// Starts them.
    pub launcher: Launcher,
    /// Ports, the same registry for all projects.
    pub ports: Registry,
    /// Makes their trees.
    pub trees: Arc<dyn Trees>,
    /// What must never be shown.
    pub mask: Masker,
    /// See [`OnStep`].
    pub on_step: Option<OnStep>,
}

/// What a start finds.
pub(crate) enum Look<'a> {
    /// It began, or has ended: the pid of its supervisor.
    Begun(u32),
    /// Nothing began, and nothing begins while this is held.
    Fresh(Preparing<'a>),
}

/// A run being prepared. Holds the run's lock, so that a supervisor which a killed Orch still started cannot begin in a
/// half-made tree.
pub(crate) struct Preparing<'a> {
    runs: &'a Runs,
    pub(crate) folder: RunFolder,
    lock: Option<File>,
    /// Whose ports were taken.
    owner: RefCell<Option<String>>,
    /// Whether anything may run from here on.
    begins: bool,
}

impl Runs {
    /// Whether a run began; if not, keeps it from beginning until it is prepared. A folder of that name which is another
    /// run's is left as it is.
    pub(crate) fn look(&self, wanted: &Wanted<'_>) -> Result<Look<'_>, Failure> {
        let run = wanted.run;
        let folder = self.places.of(run);
        self.step("look");
        if let Some(found) = About::read(&folder.record)?
            && (found.project != self.project || !found.is_of(wanted))
        {
            let (path, of) = (folder.record.display().to_string(), found.task.to_string());
            return Err(Failure::permanent(Refusal::RecordOfAnotherRun { path, of }));
        }
        match process::observe(&folder.record) {
            Observed::Running(_) | Observed::Ended(_) | Observed::Lost { .. } => {
                return self.begun(&folder).map(Look::Begun);
            }
            Observed::Unknown { why } => return Err(Failure::unknown(why)),
            Observed::NotStarted => {}
        }
        private_folder(&folder.record)?;
        let path = folder.record.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.map_err(io(&path))?;
        if lock.try_lock().is_err() {
            // A supervisor is about to name itself: the start that a killed Orch had reached.
            return self.begun(&folder).map(Look::Begun);
        }
        match process::observe(&folder.record) {
            Observed::NotStarted => Ok(Look::Fresh(Preparing {
                runs: self,
                folder,
                lock: Some(lock),
                owner: RefCell::default(),
                begins: false,
            })),
            Observed::Unknown { why } => Err(Failure::unknown(why)),
            Observed::Running(_) | Observed::Ended(_) | Observed::Lost { .. } => {
                self.begun(&folder).map(Look::Begun)
            }
        }
    }

    /// Starts what was started: with the specification that lies there, this only asks who its supervisor is.
    fn begun(&self, folder: &RunFolder) -> Result<u32, Failure> {
        let spec = read_spec(&folder.record.join(SPEC))?;
        self.start(folder, &spec)
    }

    fn start(&self, folder: &RunFolder, spec: &RunSpec) -> Result<u32, Failure> {
        let identity = self.launcher.start(&folder.record, spec).map_err(failure::start)?;
        if folder.record.join(STOP).exists() {
            process::request_stop(&folder.record);
        }
        Ok(identity.pid.cast_unsigned())
    }

    /// Stops a run: gently, then for good. One that has not begun does not begin any more. Returns at once; the end is
    /// seen by [`Runs::watch`].
    ///
    /// # Errors
    /// It cannot be told whether something runs, or the folder cannot be written.
    pub fn stop(&self, run: RunId) -> Result<(), Failure> {
        let folder = self.places.of(run);
        private_folder(&folder.record)?;
        // The mark comes first: a start that does not see it is seen by the request.
        let mark = folder.record.join(STOP);
        File::create(&mark).map_err(io(&mark))?;
        match process::request_stop(&folder.record) {
            StopAnswer::Asked | StopAnswer::NotRunning => Ok(()),
            StopAnswer::Unknown { why } => Err(Failure::unknown(why)),
        }
    }

    /// The runs of this project that began and whose end nobody called [`Runs::settle`] for: after a start of Orch each
    /// is to be watched again.
    ///
    /// # Errors
    /// The folder of runs cannot be read.
    pub fn unsettled(&self) -> Result<Vec<RunId>, Failure> {
        let mut runs = Vec::new();
        let entries = match fs::read_dir(&self.places.runs) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(runs),
            Err(e) => return Err(io(&self.places.runs)(e)),
        };
        for entry in entries {
            let entry = entry.map_err(io(&self.places.runs))?;
            let Some(run) = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()) else {
                continue;
            };
            let record = entry.path();
            if record.join(SETTLED).exists() {
                continue;
            }
            match About::read(&record) {
                Ok(Some(about)) if about.project == self.project => {}
                Ok(_) => continue,
                // Watching it says what is wrong; leaving it out would take it for dead.
                Err(_) => {}
            }
            if process::observe(&record) != Observed::NotStarted {
                runs.push(run);
            }
        }
        runs.sort_unstable();
        Ok(runs)
    }

    /// The end of a run is in the journal: it need not be watched any more. Its logs stay, and what
    /// masks them; its specification stays without the secrets. A run without a folder has neither.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn settle(&self, run: RunId) -> Result<(), Failure> {
        let record = self.places.of(run).record;
        // A restored journal may know a run whose folder was moved aside: there is nothing to watch.
        if record.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Ok(());
        }
        let path = record.join(SPEC);
        let noted = secrets::noted(&self.places.of(run)).map_err(io(&record))?;
        let (mut spec, mask) = (read_spec(&path)?, self.mask.with(noted));
        for value in spec.env.values_mut() {
            *value = mask.mask(value);
        }
        let bytes = serde_json::to_vec(&spec)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        process::write_lasting(&record, SPEC, &bytes).map_err(io(&path))?;
        let mark = record.join(SETTLED);
        File::create(&mark).map(drop).map_err(io(&mark))
    }

    /// What is masked of a run, and kept out of its commit. As [`mask_of`].
    ///
    /// # Errors
    /// What its program had cannot be read now.
    pub fn mask_of(&self, run: RunId) -> Result<Masker, Failure> {
        mask_of(&self.places.of(run), &self.mask)
    }

    pub(crate) fn step(&self, name: &'static str) {
        if let Some(on_step) = &self.on_step {
            on_step(name);
        }
    }
}

impl Preparing<'_> {
    /// Refuses a run that was stopped before it began.
    pub(crate) fn not_stopped(&self) -> Result<(), Failure> {
        if self.folder.record.join(STOP).exists() {
            return Err(Failure::permanent(Refusal::StoppedBefore { run: self.folder.run }));
        }
        Ok(())
    }

    pub(crate) fn tree(
        &self,
        commit: &Commit,
        cache: Option<(String, &[String])>,
        remove: Vec<String>,
        owner: Option<RunAs>,
    ) -> Result<Tree, Failure> {
        self.runs.step("tree");
        let wish = TreeWish { run: self.folder.run, commit, folder: &self.folder.tree, cache, remove, owner };
        self.runs.trees.prepare(&wish)
    }

    pub(crate) fn ports(&self, owner: &str) -> Result<Ports, Failure> {
        self.runs.step("ports");
        self.owner.replace(Some(owner.to_owned()));
        self.runs.ports.take(owner).map_err(Into::into)
    }

    /// Makes home and temporary folder anew.
    pub(crate) fn home(&self) -> Result<(), Failure> {
        self.runs.step("home");
        let RunFolder { shed, home, temp, .. } = &self.folder;
        remove(shed).map_err(io(shed))?;
        DirBuilder::new().recursive(true).mode(0o711).create(shed).map_err(io(shed))?;
        for folder in [home, temp] {
            DirBuilder::new().mode(0o700).create(folder).map_err(io(folder))?;
        }
        Ok(())
    }

    /// Writes a file of the record that only Orch reads.
    pub(crate) fn note(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.record.join(name);
        private_file(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Writes a file beside the home that the run can read, and nobody else but Orch.
    pub(crate) fn show(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.shed.join(name);
        private_file(&path, text.as_bytes())?;
        if let Some(user) = self.runs.machine.run_as {
            shelter::give_to(&path, user).map_err(io(&path))?;
        }
        Ok(path)
    }

    /// Hands the run's home to the user that it runs as; the tree is theirs already.
    fn hand_over(&self) -> Result<(), Failure> {
        let Some(user) = self.runs.machine.run_as else { return Ok(()) };
        for folder in [&self.folder.home, &self.folder.temp] {
            shelter::give_to(folder, user).map_err(io(folder))?;
        }
        Ok(())
    }

    /// Starts the run and returns its supervisor's pid.
    pub(crate) fn start(mut self, about: &About, spec: &RunSpec) -> Result<u32, Failure> {
        self.runs.step("hand over");
        if spec.run_as.is_some() {
            self.hand_over()?;
        }
        self.runs.step("about");
        about.write(&self.folder.record)?;
        self.not_stopped()?;
        self.runs.step("start");
        self.begins = true;
        self.lock = None;
        let pid = self.runs.start(&self.folder, spec)?;
        self.runs.step("started");
        Ok(pid)
    }
}

/// A run that does not begin leaves nothing behind; asked for again, it is prepared anew.
impl Drop for Preparing<'_> {
    fn drop(&mut self) {
        let Some(owner) = self.owner.take().filter(|_| !self.begins) else { return };
        let run = self.folder.run;
        if let Err(error) = self.runs.ports.give_back(&owner) {
            tracing::warn!(%run, %error, "the ports of a run that did not begin cannot be given back");
        }
        if let Err(failure) = self.runs.trees.give_back(run) {
            tracing::warn!(%run, cause = %failure.cause, "the tree of a run that did not begin cannot be given back");
        }
        if let Err(error) = remove(&self.folder.shed) {
            tracing::warn!(%run, %error, "the home of a run that did not begin cannot be removed");
        }
    }
}

/// Takes away what runs left that are neither `live` nor running: homes (a credential may lie there), trees that no hub
/// knows any more, and ports. One that cannot be removed does not keep the others. For the start of Orch, when the hubs
/// have tidied their own; `live` are the runs that any task of the installation waits for.
///
/// # Errors
/// A folder cannot be read or written: the first that was met.
pub fn tidy(places: &Places, ports: &Registry, live: &[RunId]) -> Result<(), Failure> {
    let over = |name: &str| {
        let run = name.parse::<RunId>().ok()?;
        let idle = match process::observe(&places.of(run).record) {
            Observed::NotStarted | Observed::Ended(_) => true,
            Observed::Running(_) | Observed::Lost { .. } | Observed::Unknown { .. } => false,
        };
        (idle && !live.contains(&run)).then_some(run)
    };
    let ports =
        ports.give_back_where(|owner| owner.strip_prefix("run/").is_some_and(|name| over(name).is_some()));
    let mut met = ports.map_err(Failure::from);
    for folder in [&places.homes, &places.trees] {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => {
                met = met.and(Err(io(folder)(e)));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(io(folder))?;
            if entry.file_name().to_str().and_then(over).is_some() {
                met = met.and(remove(&entry.path()).map_err(io(&entry.path())));
            }
        }
    }
    met
}

/// What is masked of a run: all that `mask` knows, and the tokens that its program was given and renewed in its own copy of a
/// login. For this run alone, as nothing that an agent writes is a secret of others.
///
/// # Errors
/// They cannot be read now.
pub fn mask_of(folder: &RunFolder, mask: &Masker) -> Result<Masker, Failure> {
    secrets::of(folder).map(|tokens| mask.with(tokens)).map_err(io(&folder.record))
}

/// Whose a run's ports are.
pub(crate) fn owner(run: RunId) -> String {
    format!("run/{run}")
}

fn read_spec(path: &Path) -> Result<RunSpec, Failure> {
    let bytes = fs::read(path).map_err(io(path))?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let (path, words) = (path.display().to_string(), e.to_string());
        Failure::unknown(Hindrance::FileDamaged { path, words })
    })
}

fn private_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))
}

/// Writes a file that is complete or absent.
pub(crate) fn private_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let half = path.with_extension("half");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)
        .map_err(io(&half))?;
    file.write_all(bytes).map_err(io(&half))?;
    fs::rename(&half, path).map_err(io(path))
}
