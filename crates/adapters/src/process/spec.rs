//! What exactly is to be run, in which sandbox and within which limits?

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use orch_core::hindrance::Hindrance;
use serde::{Deserialize, Serialize};

use super::record::Enforcement;

/// The format written by this binary. A newer binary reads this one and every older one (decision 7).
pub const SPEC_VERSION: u32 = 1;

/// One run as plain data: everything the shim needs, nothing it would have to ask for.
///
/// Paths and texts are UTF-8, so that the specification can be read by people. The values of `env` may
/// hold a token that is good for this run only; `Debug` therefore prints the names alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// [`SPEC_VERSION`] of the writer.
    pub version: u32,
    /// The run's id; the program finds it in its environment as `ORCH_RUN`.
    pub run: String,
    /// A path, or a name that is looked up in the `PATH` of `env`.
    pub program: String,
    /// Arguments, the program's own name not included.
    #[serde(default)]
    pub args: Vec<String>,
    /// The complete environment (decision 9: an allow-list made by the caller). Nothing is inherited;
    /// `ORCH_RUN` and `ORCH_RUN_MARK` are added.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Where the program starts; absolute.
    pub cwd: PathBuf,
    /// A file given as standard input; without one the program reads an empty input.
    #[serde(default)]
    pub stdin: Option<PathBuf>,
    /// How much output is kept.
    #[serde(default)]
    pub output: Output,
    /// Longest life of the program in milliseconds of the boot clock (time asleep counts).
    #[serde(default)]
    pub time_limit_ms: Option<u64>,
    /// How the program is asked to end.
    #[serde(default)]
    pub stop: StopWay,
    /// Kernel resource limits.
    #[serde(default)]
    pub limits: Limits,
    /// What the program may touch.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// Forbid gaining rights through set-user-id programs. Off only for a hook that needs `sudo`;
    /// a Landlock sandbox always forbids it.
    #[serde(default = "yes")]
    pub no_new_privs: bool,
    /// The user to become; needs a shim that runs as root.
    #[serde(default)]
    pub run_as: Option<RunAs>,
    /// Leave alone what the program leaves behind: a deploy hook starts services that must stay. Then
    /// nothing is swept, no cgroup is made, the program survives the shim, and nothing of it gives way
    /// to Orch, for the services would do so ever after (decision 58).
    #[serde(default)]
    pub keep_children: bool,
}

/// How much of each stream is kept, and what happens beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Bytes kept of each stream. More is read, counted and dropped, so that the program never blocks.
    pub bytes: u64,
    /// What reaching the limit does to the run.
    pub beyond: Beyond,
}

impl Default for Output {
    fn default() -> Self {
        Output { bytes: 64 << 20, beyond: Beyond::Drop }
    }
}

/// What happens to a run whose output passes the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// It goes on; its begin and its end (a quarter of the limit) are kept, what is between them is counted.
    Drop,
    /// It is stopped, as at the time limit.
    End,
}

/// How a program is asked to end, and how long it may take before it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopWay {
    /// The gentle signal, sent to the run's process group.
    pub signal: StopSignal,
    /// Milliseconds between the gentle signal and SIGKILL.
    pub grace_ms: u64,
}

impl Default for StopWay {
    fn default() -> Self {
        StopWay { signal: StopSignal::Term, grace_ms: 5_000 }
    }
}

/// The gentle signals that agents understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSignal {
    /// SIGINT.
    Int,
    /// SIGTERM.
    Term,
}

/// Kernel resource limits; `None` leaves what the machine gives. A limit above the machine's own hard
/// limit is lowered to it. Core files are never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Open files a process.
    pub nofile: u64,
    /// Processes of the user (does not bind root).
    #[serde(default)]
    pub nproc: Option<u64>,
    /// Bytes of the largest file written.
    #[serde(default)]
    pub fsize: Option<u64>,
    /// Bytes of address space a process. Programs with a garbage collector reserve far more than they use.
    #[serde(default)]
    pub address_space: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { nofile: 4096, nproc: None, fsize: None, address_space: None }
    }
}

/// What a program may touch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Sandbox {
    /// Everything its user may.
    #[default]
    None,
    /// Only what is listed.
    Landlock(Landlock),
}

/// A Landlock domain: files by path, TCP by port. Signals and abstract sockets reach nothing outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landlock {
    /// Files and folders that may be read and executed. One that does not exist is skipped.
    pub read_only: Vec<PathBuf>,
    /// Files and folders that may be changed. Each must exist.
    pub writable: Vec<PathBuf>,
    /// Which TCP ports may be used. Landlock knows ports, not hosts.
    pub tcp: Tcp,
    /// Less than this from the kernel, and the program is not started.
    #[serde(default = "nothing")]
    pub at_least: Enforcement,
}

impl Landlock {
    /// Where programs, libraries and their settings usually lie: a fair start for `read_only`.
    pub const SYSTEM: [&'static str; 9] =
        ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/proc"];

    /// A sandbox that reads the system's programs, writes only `tree`, and uses TCP freely.
    pub fn for_tree(tree: &Path) -> Self {
        Landlock {
            read_only: Self::SYSTEM.iter().map(PathBuf::from).collect(),
            writable: vec![tree.to_path_buf()],
            tcp: Tcp::All,
            at_least: Enforcement::NotEnforced,
        }
    }
}

/// Which TCP ports a sandboxed program may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// Any.
    All,
    /// None: neither connect nor listen.
    None,
    /// Only these.
    Ports {
        /// Ports it may connect to, on any host.
        connect: Vec<u16>,
        /// Ports it may listen on; 0 allows the kernel's own choice.
        bind: Vec<u16>,
    },
}

/// The user a program runs as; supplementary groups are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAs {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl RunAs {
    /// Whether the bits of a file's mode let this user do what is `wanted` (4 read, 2 write, 1 execute or walk through).
    pub fn may(self, meta: &Metadata, wanted: u32) -> bool {
        let mode = meta.mode();
        let bits = match () {
            () if meta.uid() == self.uid => mode >> 6,
            () if meta.gid() == self.gid => mode >> 3,
            () => mode,
        };
        bits & wanted == wanted
    }
}

/// A specification that cannot be run, with the place and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(pub Hindrance);

impl RunSpec {
    /// A run of `program` in `cwd` with an empty environment, no sandbox and the default limits.
    pub fn new(run: impl Into<String>, program: impl Into<String>, cwd: impl Into<PathBuf>) -> Self {
        RunSpec {
            version: SPEC_VERSION,
            run: run.into(),
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: cwd.into(),
            stdin: None,
            output: Output::default(),
            time_limit_ms: None,
            stop: StopWay::default(),
            limits: Limits::default(),
            sandbox: Sandbox::None,
            no_new_privs: true,
            run_as: None,
            keep_children: false,
        }
    }

    /// Refuses what could never be run, and a sandbox that would open `run_dir` (which holds this very
    /// specification and the run's record) to the program.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self, run_dir: &Path) -> Result<(), SpecError> {
        let wrong = |what: Hindrance| Err(SpecError(what));
        let shown = |path: &Path| path.display().to_string();
        if self.version == 0 || self.version > SPEC_VERSION {
            let path = shown(&run_dir.join(super::record::SPEC));
            return wrong(Hindrance::FileNewer { path, found: self.version, known: SPEC_VERSION });
        }
        if self.run.is_empty() || self.run.len() > 200 || self.run.contains(char::is_control) {
            return wrong(Hindrance::BadRunId);
        }
        if self.program.is_empty() {
            return wrong(Hindrance::NoProgram);
        }
        for text in std::iter::once(&self.program).chain(&self.args) {
            if text.contains('\0') {
                return wrong(Hindrance::NulByte);
            }
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return wrong(Hindrance::BadVariable { name: name.escape_debug().to_string() });
            }
        }
        if !self.cwd.is_absolute() {
            return wrong(Hindrance::FolderNotAbsolute { path: shown(&self.cwd) });
        }
        let Sandbox::Landlock(landlock) = &self.sandbox else { return Ok(()) };
        let run_dir = resolved(run_dir);
        for path in landlock.read_only.iter().chain(&landlock.writable) {
            if !path.is_absolute() {
                return wrong(Hindrance::SandboxNotAbsolute { path: shown(path) });
            }
            let open = resolved(path);
            if run_dir.starts_with(&open) || open.starts_with(&run_dir) {
                return wrong(Hindrance::SandboxOpensRecord { path: shown(path) });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RunSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSpec")
            .field("run", &self.run)
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .field("sandbox", &self.sandbox)
            .finish_non_exhaustive()
    }
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn yes() -> bool {
    true
}

fn nothing() -> Enforcement {
    Enforcement::NotEnforced
}
