//! How does a program run for hours, watched and bounded, although Orch may die at any moment?
//!
//! Every agent, gate and deploy hook runs under a small detached supervisor, the *shim* (decision 7), which is
//! this binary started as `orch shim <run folder>`. Orch and the shim share nothing but the run folder:
//!
//! | file | written by | says |
//! |---|---|---|
//! | `spec.json` | [`Launcher`] | what to run; never changed once the shim has begun |
//! | `lock` | shim | held as long as the shim lives |
//! | `shim.json` | shim | who the shim is; from here on the run counts as started, once and for all |
//! | `program.json` | program | who it is, before it begins, where it may outlive the shim (a deploy hook) |
//! | `stdout.log`, `stderr.log` | shim | the output, byte for byte; of too much its begin and, once it has ended, its end |
//! | `exit.json` | shim | how it ended |
//! | `shim.log` | shim | why it could not even begin |
//!
//! Each is complete or absent, so that Orch may look at any moment, also after `kill -9` of either.

mod capture;
mod enter;
mod identity;
mod orphan;
mod record;
mod shim;
mod spec;
mod sweep;
mod way;

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use orch_core::hindrance::Hindrance;
use orch_core::said::Cause;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub use enter::{closes_sockets, enter};
pub use identity::{Identity, Life};
pub(crate) use record::write_lasting;
pub use record::{Ending, Enforcement, ExitRecord, ProgramEnd, RECORD_VERSION, RecordError, Tally};
pub use shim::supervise;
pub use spec::{
    Beyond, Landlock, Limits, Output, RunAs, RunSpec, SPEC_VERSION, Sandbox, SpecError, StopSignal, StopWay,
    Tcp,
};
pub use sweep::Swept;

use identity::{Held, ready};
use orphan::ProgramRecord;
use record::ShimRecord;

const LOCK: &str = "lock";
/// Says that a run is not to begin, or to end: whoever stops it writes it before the shim is asked.
pub(crate) const STOP: &str = "stop";
const SHIM_LOG: &str = "shim.log";

/// How long a shim may take to name itself. Far above what a busy machine needs, for giving up early would
/// only mean to look again.
const NAMING: Duration = Duration::from_secs(30);

/// Shims started by this process that may have to be collected when they end.
static SHIMS: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// What stands after `orch shim`: dispatches to the supervisor, or to the two things that it starts itself
/// from the same binary.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    match arguments.as_slice() {
        [flag, run_dir] if *flag == "--enter" => enter(Path::new(run_dir)),
        [flag, _] if *flag == "--discard" => shim::discard(),
        [run_dir] if !run_dir.as_encoded_bytes().starts_with(b"-") => supervise(Path::new(run_dir)),
        _ => {
            eprintln!("usage: orch shim <run folder>   (Orch itself starts it)");
            ExitCode::from(2)
        }
    }
}

/// The arguments under which [`main`] is reached again: `main` of the binary passes on what follows `shim`.
fn arguments<'a>(flag: &'a str, run_dir: &'a Path) -> [&'a OsStr; 3] {
    [OsStr::new("shim"), OsStr::new(flag), run_dir.as_os_str()]
}

/// Starts runs.
#[derive(Debug, Clone)]
pub struct Launcher {
    /// A binary whose `shim` subcommand is [`main`]; usually this very program.
    pub exe: PathBuf,
}

/// Why a run could not be started, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It could never run.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The run folder could not be prepared. Nothing was started.
    #[error("the run folder {path} cannot be prepared ({step}): {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What was being done.
        step: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A file of the run folder cannot be understood; whether something runs is not known.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The binary could not be executed. Nothing was started.
    #[error("the supervisor {exe} cannot be started: {source}", exe = exe.display())]
    Spawn {
        /// The binary.
        exe: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The shim gave up before it started anything.
    #[error("the supervisor of {path} gave up before the start{}", .cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default(), path = path.display())]
    GaveUp {
        /// The run folder.
        path: PathBuf,
        /// What it said, if it said something.
        cause: Option<Cause>,
    },
    /// Nothing was heard in time. It may start yet: starting again is safe.
    #[error("the supervisor of {path} has not named itself within {seconds} s: start it again", path = path.display())]
    Silent {
        /// The run folder.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
}

/// What can be seen of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// No shim has named itself: nothing of it ran.
    NotStarted,
    /// Its shim lives; or that was killed, and this is the program, which outlives it (a deploy hook).
    Running(Identity),
    /// It has ended, and how.
    Ended(Box<ExitRecord>),
    /// The shim is proven dead and left no record. See [`sweep_lost`].
    Lost {
        /// The proof.
        why: Hindrance,
    },
    /// None of these can be shown.
    Unknown {
        /// What stands in the way.
        why: Hindrance,
    },
}

/// What became of a stop request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopAnswer {
    /// The shim was asked; [`wait`] tells when it is done.
    Asked,
    /// There is nothing to stop: not started, ended, or lost.
    NotRunning,
    /// It could not be told whether there is something to stop.
    Unknown {
        /// What stands in the way.
        why: Hindrance,
    },
}

/// The two output streams of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The name of its log in the run folder.
    pub fn file(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout.log",
            Stream::Stderr => "stderr.log",
        }
    }
}

impl Launcher {
    /// Starts the run of `run_dir`, unless it was started before, and returns its shim's identity.
    ///
    /// May be called any number of times, at the same time, and after a caller was killed anywhere inside:
    /// the run starts once. The specification given last before the shim begins is the one that counts; so
    /// a token in it may be renewed by whoever starts again.
    ///
    /// Blocks until the shim has named itself (a few milliseconds); call it where blocking is allowed.
    ///
    /// # Errors
    /// See [`StartError`]. After every one of them, starting again is safe.
    pub fn start(&self, run_dir: &Path, spec: &RunSpec) -> Result<Identity, StartError> {
        bury();
        let folder = |step| move |source| StartError::Folder { path: run_dir.to_path_buf(), step, source };
        DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(folder("making it"))?;
        fs::set_permissions(run_dir, Permissions::from_mode(0o700))
            .map_err(folder("closing it to others"))?;
        // One folder, one name: the mark in the run's environment is made from it.
        let run_dir = &run_dir.canonicalize().map_err(folder("resolving its path"))?;
        spec.check(run_dir)?;
        let until = Instant::now() + NAMING;
        loop {
            if let Some(shim) = ShimRecord::read(run_dir)? {
                return Ok(shim.identity);
            }
            let lock = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(run_dir.join(LOCK));
            let lock = lock.map_err(folder("opening its lock"))?;
            // With the lock in hand no shim has begun, and none begins while we write.
            if lock.try_lock().is_ok() {
                if let Some(shim) = ShimRecord::read(run_dir)? {
                    return Ok(shim.identity);
                }
                record::write_spec(run_dir, spec).map_err(folder("writing spec.json"))?;
                drop(lock);
                self.spawn(run_dir, until)?;
            } else {
                // Another start is under way; it takes a moment.
                drop(lock);
                std::thread::sleep(Duration::from_millis(2));
            }
            if Instant::now() > until {
                return Err(StartError::Silent { path: run_dir.clone(), seconds: NAMING.as_secs() });
            }
        }
    }

    /// Starts a shim and waits until it has named itself, or has ended because another one did.
    fn spawn(&self, run_dir: &Path, until: Instant) -> Result<(), StartError> {
        let log = OpenOptions::new().append(true).create(true).mode(0o600).open(run_dir.join(SHIM_LOG));
        let log = log.map_err(|source| StartError::Folder {
            path: run_dir.to_path_buf(),
            step: "opening shim.log",
            source,
        })?;
        let mut child = Command::new(&self.exe)
            .args([OsStr::new("shim"), run_dir.as_os_str()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(|source| StartError::Spawn { exe: self.exe.clone(), source })?;
        let Some(pipe) = child.stdout.take().map(OwnedFd::from) else {
            keep(child);
            return Ok(());
        };
        if !ready(&pipe, until) {
            keep(child);
            return Ok(());
        }
        // Its name, or why it has none; either is written at once.
        let mut said = vec![0; 8 << 10];
        let n = File::from(pipe).read(&mut said).unwrap_or(0);
        if said[..n].starts_with(shim::NAMED) {
            keep(child);
            return Ok(());
        }
        // It is ending.
        match end_of(&mut child, until) {
            Some(status) if status.code() == Some(i32::from(shim::NOT_MINE)) => Ok(()),
            Some(_) => {
                let fact = serde_json::from_slice(&said[..n]).ok();
                let words = || Some(last_words(&run_dir.join(SHIM_LOG))).filter(|words| !words.is_empty());
                let cause = fact.or_else(|| words().map(Cause::Quoted));
                Err(StartError::GaveUp { path: run_dir.to_path_buf(), cause })
            }
            None => {
                keep(child);
                Ok(())
            }
        }
    }
}

/// What is to be seen of the run in `run_dir` now. Reads only.
pub fn observe(run_dir: &Path) -> Observed {
    match look(run_dir) {
        Ok(seen) => seen,
        Err(e) => Observed::Unknown { why: e.into() },
    }
}

fn look(run_dir: &Path) -> Result<Observed, RecordError> {
    if let Some(exit) = ExitRecord::read(run_dir)? {
        return Ok(Observed::Ended(Box::new(exit)));
    }
    let Some(shim) = ShimRecord::read(run_dir)? else { return Ok(Observed::NotStarted) };
    let death = match shim.identity.life() {
        Life::Alive => return Ok(Observed::Running(shim.identity)),
        Life::Dead { why } => why,
        // The lock is let go by the kernel alone, and no shim begins where one has named itself.
        Life::Unknown { why } => {
            match File::open(run_dir.join(LOCK)).map(|lock| lock.try_lock_shared().is_ok()) {
                Ok(true) => Hindrance::Unlocked { doubt: Box::new(why) },
                Ok(false) | Err(_) => return Ok(Observed::Unknown { why }),
            }
        }
    };
    // It may have ended in order between the two looks.
    if let Some(exit) = ExitRecord::read(run_dir)? {
        return Ok(Observed::Ended(Box::new(exit)));
    }
    let Some(program) = ProgramRecord::read(run_dir)? else { return Ok(Observed::Lost { why: death }) };
    Ok(match program.identity.life() {
        Life::Alive => Observed::Running(program.identity),
        // Its number says nothing here: the lock, which the shim has let go, told all there is to tell.
        Life::Dead { .. } | Life::Unknown { why: Hindrance::OtherNamespace } => Observed::Lost { why: death },
        Life::Unknown { why } => Observed::Unknown { why },
    })
}

/// Waits, without polling, until the run of `run_dir` is no longer running, and says what it is then.
/// Needs a tokio runtime with I/O.
pub async fn wait(run_dir: &Path) -> Observed {
    // Once more where the shim was killed and its program lives on.
    loop {
        let seen = observe(run_dir);
        let Observed::Running(identity) = &seen else { return seen };
        let orphan = match orphan(run_dir, identity) {
            Ok(orphan) => orphan,
            Err(e) => return Observed::Unknown { why: e.into() },
        };
        // Its shim was asked, perhaps, while it was dying.
        if let Some(program) = &orphan
            && run_dir.join(STOP).exists()
        {
            program.ask();
        }
        let handle = match identity.hold() {
            Held::Alive(handle) => handle,
            Held::Dead(_) => continue,
            Held::Unknown(why) => return Observed::Unknown { why },
        };
        let ended = async {
            let process = watch(handle)?;
            match orphan {
                Some(program) => program.until_its_end(&process).await,
                None => process.readable().await.map(drop),
            }
        };
        if let Err(e) = ended.await {
            return Observed::Unknown { why: Hindrance::NotWaitedFor { words: e.to_string() } };
        }
        bury();
    }
}

/// The program of a run, if it is what runs, and not its shim.
fn orphan(run_dir: &Path, running: &Identity) -> Result<Option<ProgramRecord>, RecordError> {
    Ok(ProgramRecord::read(run_dir)?.filter(|program| program.identity == *running))
}

/// Whether the machine was started again since a run began: what it wrote was never forced to the disk, and a power cut may
/// have taken a part of it. Where that cannot be told it counts as no.
pub fn outlived_its_boot(run_dir: &Path) -> bool {
    let Ok(Some(shim)) = ShimRecord::read(run_dir) else { return false };
    identity::boot_id().is_ok_and(|boot| boot != shim.identity.boot)
}

/// Asks the run of `run_dir` to end: its own gentle signal, its grace, then SIGKILL to all of it. Returns at
/// once; [`wait`] tells when it is done. Asking again changes nothing. A program that outlived its shim is asked gently, each
/// time; for good it is ended at its time limit.
pub fn request_stop(run_dir: &Path) -> StopAnswer {
    // Once more where the shim died meanwhile and its program lives on.
    loop {
        let identity = match observe(run_dir) {
            Observed::Running(identity) => identity,
            Observed::NotStarted | Observed::Ended(_) | Observed::Lost { .. } => {
                return StopAnswer::NotRunning;
            }
            Observed::Unknown { why } => return StopAnswer::Unknown { why },
        };
        match orphan(run_dir, &identity) {
            Ok(None) => {}
            Ok(Some(program)) => {
                program.ask();
                return StopAnswer::Asked;
            }
            Err(e) => return StopAnswer::Unknown { why: e.into() },
        }
        match identity.hold() {
            Held::Alive(handle) => match pidfd_send_signal(&handle, Signal::TERM) {
                Ok(()) => return StopAnswer::Asked,
                Err(rustix::io::Errno::SRCH) => {}
                Err(e) => {
                    return StopAnswer::Unknown { why: Hindrance::NotSignalled { words: e.to_string() } };
                }
            },
            Held::Dead(_) => {}
            Held::Unknown(why) => return StopAnswer::Unknown { why },
        }
    }
}

/// Kills what a lost run left behind: the death signal reached its program only, not what that had started.
/// Does nothing unless the run is [`Observed::Lost`]. Blocks until none is left; call it before the run's
/// tree is touched again.
///
/// # Errors
/// `/proc` or the run folder cannot be read.
pub fn sweep_lost(run_dir: &Path) -> io::Result<Swept> {
    let Observed::Lost { .. } = observe(run_dir) else { return Ok(Swept::default()) };
    let Some(shim) = ShimRecord::read(run_dir).map_err(io::Error::other)? else {
        return Ok(Swept::default());
    };
    if shim.keep_children {
        return Ok(Swept::default());
    }
    // What is older is of another run that had this name: one of a data folder that was made anew.
    let since = shim.identity.start;
    let signs = sweep::Signs { cgroup: shim.cgroup.as_deref(), ancestor: None, mark: &shim.mark, since };
    let swept = sweep::sweep(&signs, || {})?;
    if let Some(cgroup) = &shim.cgroup {
        sweep::remove_cgroup(cgroup);
    }
    Ok(swept)
}

/// A file descriptor in the event loop.
#[expect(
    deprecated,
    reason = "sound for an OwnedFd, whose number cannot change; the successor is an unsafe fn"
)]
fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

fn end_of(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    let handle = pidfd_open(Pid::from_raw(child.id().cast_signed())?, PidfdFlags::empty()).ok()?;
    ready(&handle, until);
    child.try_wait().ok().flatten()
}

fn keep(child: Child) {
    if let Ok(mut shims) = SHIMS.lock() {
        shims.push(child);
    }
}

/// Collects the shims of this process that have ended, so that none stays a zombie.
fn bury() {
    if let Ok(mut shims) = SHIMS.lock() {
        shims.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

fn last_words(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(2000)..]).trim().to_string()
}
