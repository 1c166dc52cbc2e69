//! How did the run end, and how is that written so that neither a crash nor a full disk loses it?

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use orch_core::hindrance::Hindrance;
use orch_core::said::Cause;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::identity::Identity;

/// The format written by this binary. A newer binary reads this one and every older one (decision 7).
pub const RECORD_VERSION: u32 = 1;

const EXIT: &str = "exit.json";
const EXIT_TEMP: &str = "exit.tmp";
pub(super) const SHIM: &str = "shim.json";
pub(super) const PROGRAM: &str = "program.json";
pub(super) const SPEC: &str = "spec.json";
/// More than any record takes: its texts are bounded by [`bounded`].
const RESERVE: u64 = 16 << 10;
/// The bytes of the longest cause that is written as a fact.
const LONGEST_CAUSE: usize = 6 << 10;

/// What is known of a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// [`RECORD_VERSION`] of the writer.
    pub version: u32,
    /// The run's id.
    pub run: String,
    /// Why it ended.
    pub ending: Ending,
    /// How the program itself went; `None` if it was never started or would not die.
    pub program: Option<ProgramEnd>,
    /// UTC milliseconds when the program was started.
    pub started_ms: u64,
    /// UTC milliseconds when this was written.
    pub ended_ms: u64,
    /// Milliseconds between the two on the boot clock, which no one sets.
    pub wall_ms: u64,
    /// Processor milliseconds, user and system, of the program and all it left to the shim.
    pub cpu_ms: u64,
    /// Largest resident size of one process in KiB.
    pub max_rss_kib: u64,
    /// What came on standard output.
    pub stdout: Tally,
    /// What came on standard error.
    pub stderr: Tally,
    /// What the kernel enforced of the sandbox; `None` if none was asked for or the start failed before it.
    pub sandbox: Option<Enforcement>,
    /// Whether the run had a cgroup of its own.
    #[serde(default)]
    pub cgroup: bool,
    /// Processes that had to be killed at the end.
    pub killed: u32,
    /// Processes that could not be killed within the shim's patience (stuck in the kernel).
    #[serde(default)]
    pub left_alive: u32,
    /// What a person should know besides, for example that the disk was full for the output.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Why a run ended; the first cause counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ending {
    /// The program ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal that was not ours ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// It reached its time limit and was stopped.
    TimeLimit,
    /// It reached its output limit and was stopped.
    OutputLimit,
    /// It was stopped on request.
    Stopped,
    /// It never ran.
    CouldNotStart {
        /// Why not; records of older shims have English words.
        cause: Cause,
    },
}

/// How a program went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum ProgramEnd {
    /// It returned.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
}

/// What came of one output stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Bytes kept in the log.
    pub bytes: u64,
    /// Bytes read and thrown away.
    pub dropped: u64,
}

/// How much of a sandbox the kernel enforces, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Nothing.
    NotEnforced,
    /// A part: the kernel is older than the rules.
    PartiallyEnforced,
    /// All.
    FullyEnforced,
}

/// Why a file of the run folder tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{path} is damaged: {source}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// A later binary wrote it.
    #[error("{path} has format {found}, this binary reads up to {known}: use the newer binary", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
}

impl From<RecordError> for Hindrance {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Read { path, source } => {
                Hindrance::FileUnread { path: path.display().to_string(), words: source.to_string() }
            }
            RecordError::Damaged { path, source } => {
                Hindrance::FileDamaged { path: path.display().to_string(), words: source.to_string() }
            }
            RecordError::Newer { path, found, known } => {
                Hindrance::FileNewer { path: path.display().to_string(), found, known }
            }
        }
    }
}

impl ExitRecord {
    /// The exit record of a run folder; `None` while there is none.
    ///
    /// # Errors
    /// It exists and cannot be understood.
    pub fn read(run_dir: &Path) -> Result<Option<Self>, RecordError> {
        read_versioned(&run_dir.join(EXIT), RECORD_VERSION)
    }
}

/// What the shim says of itself before it starts anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShimRecord {
    pub(super) version: u32,
    pub(super) identity: Identity,
    /// The value of `ORCH_RUN_MARK` in every process of the run.
    pub(super) mark: String,
    pub(super) cgroup: Option<PathBuf>,
    /// Copied from the specification: a sweep must not need it.
    pub(super) keep_children: bool,
}

impl ShimRecord {
    pub(super) fn read(run_dir: &Path) -> Result<Option<Self>, RecordError> {
        read_versioned(&run_dir.join(SHIM), RECORD_VERSION)
    }

    pub(super) fn write(&self, run_dir: &Path) -> io::Result<()> {
        write_lasting(run_dir, SHIM, &serde_json::to_vec(self)?)
    }
}

pub(super) fn read_spec(run_dir: &Path) -> Result<Option<super::RunSpec>, RecordError> {
    read_versioned(&run_dir.join(SPEC), super::spec::SPEC_VERSION)
}

pub(super) fn write_spec(run_dir: &Path, spec: &super::RunSpec) -> io::Result<()> {
    write_lasting(run_dir, SPEC, &serde_json::to_vec(spec)?)
}

/// Writes a file of a run folder that is complete or absent, also after a power cut: what the shim's name stands beside is
/// read for ever.
pub(crate) fn write_lasting(run_dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temp = Path::new(name).with_extension("tmp");
    let mut file = private(&run_dir.join(&temp))?;
    file.write_all(bytes)?;
    publish(run_dir, &file, &temp, name)
}

/// Room on the disk for the exit record, taken while there is some.
pub(super) struct Reserved {
    file: File,
    run_dir: PathBuf,
}

impl Reserved {
    pub(super) fn take(run_dir: &Path) -> io::Result<Self> {
        let mut file = private(&run_dir.join(EXIT_TEMP))?;
        match fallocate(&file, FallocateFlags::empty(), 0, RESERVE) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                file.write_all(&vec![b' '; usize::try_from(RESERVE).unwrap_or(0)])?;
                file.sync_all()?;
            }
            Err(e) => return Err(e.into()),
        }
        Ok(Reserved { file, run_dir: run_dir.to_path_buf() })
    }

    /// Writes the record into the reserved room and gives it its name.
    pub(super) fn fill(mut self, record: &ExitRecord) -> io::Result<()> {
        let bytes = serde_json::to_vec(record)?;
        self.file.rewind()?;
        self.file.write_all(&bytes)?;
        self.file.set_len(bytes.len() as u64)?;
        publish(&self.run_dir, &self.file, EXIT_TEMP.as_ref(), EXIT)
    }
}

/// A text short enough for the reserved room.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(1000).collect()
}

/// A cause short enough for the reserved room: one that is not is kept in words.
pub(super) fn bounded_cause(cause: Cause) -> Cause {
    match serde_json::to_vec(&cause) {
        Ok(bytes) if bytes.len() <= LONGEST_CAUSE => cause,
        Ok(_) | Err(_) => Cause::Quoted(bounded(&cause.to_string())),
    }
}

fn private(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn publish(run_dir: &Path, file: &File, temp: &Path, name: &str) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(run_dir.join(temp), run_dir.join(name))?;
    File::open(run_dir)?.sync_all()
}

pub(super) fn read_versioned<T: DeserializeOwned>(path: &Path, known: u32) -> Result<Option<T>, RecordError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecordError::Read { path: path.to_path_buf(), source }),
    };
    let damaged = |source| RecordError::Damaged { path: path.to_path_buf(), source };
    let head: Head = serde_json::from_slice(&bytes).map_err(damaged)?;
    if head.version > known {
        return Err(RecordError::Newer { path: path.to_path_buf(), found: head.version, known });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden: a record as version 1 wrote it is read for ever, and a later one is refused by name.
    #[test]
    fn version_1_is_read_and_a_newer_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let old = r#"{"version":1,"run":"7.2","ending":{"how":"exited","code":3},"program":{"how":"exited","code":3},
            "started_ms":1,"ended_ms":2,"wall_ms":1,"cpu_ms":0,"max_rss_kib":5,"stdout":{"bytes":1,"dropped":0},
            "stderr":{"bytes":0,"dropped":0},"sandbox":"fully_enforced","killed":0}"#;
        assert_eq!(ExitRecord::read(dir.path()).unwrap(), None);
        fs::write(dir.path().join(EXIT), old).unwrap();
        let record = ExitRecord::read(dir.path()).unwrap().unwrap();
        assert_eq!(record.ending, Ending::Exited { code: 3 });
        assert_eq!(record.sandbox, Some(Enforcement::FullyEnforced));
        fs::write(dir.path().join(EXIT), r#"{"version":9}"#).unwrap();
        assert!(matches!(ExitRecord::read(dir.path()), Err(RecordError::Newer { found: 9, .. })));
        fs::write(dir.path().join(EXIT), "garbage").unwrap();
        assert!(matches!(ExitRecord::read(dir.path()), Err(RecordError::Damaged { .. })));
    }

    /// The longest record fits into the room reserved for it.
    #[test]
    fn the_reserve_is_large_enough() {
        let endless = "\u{1}".repeat(5000);
        let cause = bounded_cause(Hindrance::NoSandbox { words: endless.clone() }.into());
        let long = bounded(&endless);
        let record = ExitRecord {
            version: RECORD_VERSION,
            run: long[..200].to_string(),
            ending: Ending::CouldNotStart { cause },
            program: None,
            started_ms: u64::MAX,
            ended_ms: u64::MAX,
            wall_ms: u64::MAX,
            cpu_ms: u64::MAX,
            max_rss_kib: u64::MAX,
            stdout: Tally::default(),
            stderr: Tally::default(),
            sandbox: None,
            cgroup: false,
            killed: u32::MAX,
            left_alive: u32::MAX,
            notes: vec![],
        };
        assert!(serde_json::to_vec(&record).unwrap().len() as u64 + 6000 < RESERVE);
    }
}
