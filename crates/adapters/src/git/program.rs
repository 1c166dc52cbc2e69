//! How is the git program asked? Always with the same environment, a deadline, and bounded output.
//!
//! Nothing of the machine's or a person's configuration, no hook, no prompt and no credential helper takes part: what
//! git does depends on its arguments alone.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use orch_core::time::Moment;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};

/// The oldest git that can build a candidate on a bare repository (`merge-tree --write-tree`, decision 35).
pub const OLDEST: Version = Version { major: 2, minor: 38 };

/// How long a call that stays on this machine may take.
const LOCAL_LIMIT: Duration = Duration::from_secs(300);
/// How long a call that may cross a network may take.
pub(crate) const REMOTE_LIMIT: Duration = Duration::from_secs(600);
/// How much of standard output is taken.
pub(crate) const MOST_OUTPUT: usize = 64 << 20;
/// How much of standard error is kept, for people.
const MOST_COMPLAINT: usize = 4 << 10;

/// A version of git; newer features are used only after asking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second one.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The git program: where it is and which one.
#[derive(Debug, Clone)]
pub struct Git {
    program: PathBuf,
    version: Version,
    /// The search path that git's own helpers (ssh, sh) are found on.
    path: OsString,
}

/// Why a program cannot serve as git.
#[derive(Debug, thiserror::Error)]
pub enum GitUnusable {
    /// It could not be asked for its version.
    #[error("`{program}` does not answer `git version`; install git {OLDEST} or newer, or name its program")]
    NoAnswer {
        /// What was started.
        program: String,
        /// What came of it.
        #[source]
        source: GitError,
    },
    /// Its answer has no version in it.
    #[error("`{program} version` says `{said}`, which names no version; is this program git?")]
    NotGit {
        /// What was started.
        program: String,
        /// What it said.
        said: String,
    },
    /// It is too old.
    #[error("`{program}` is git {version}; Orch needs {OLDEST} or newer")]
    TooOld {
        /// What was started.
        program: String,
        /// Its version.
        version: Version,
    },
}

impl Git {
    /// The git at `program`, asked for its version; `path` is the search path for what git itself starts.
    pub fn at(program: impl Into<PathBuf>, path: impl Into<OsString>) -> Result<Self, GitUnusable> {
        let mut git =
            Self { program: program.into(), version: Version { major: 0, minor: 0 }, path: path.into() };
        let shown = git.program.display().to_string();
        let said = git
            .ask(["version"])
            .run()
            .map_err(|source| GitUnusable::NoAnswer { program: shown.clone(), source })?
            .text();
        git.version = read_version(&said).ok_or(GitUnusable::NotGit { program: shown.clone(), said })?;
        if git.version < OLDEST {
            return Err(GitUnusable::TooOld { program: shown, version: git.version });
        }
        Ok(git)
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Which one it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Begins a call with these arguments.
    pub(crate) fn ask<I, A>(&self, args: I) -> Ask<'_>
    where
        I: IntoIterator<Item = A>,
        A: Into<OsString>,
    {
        Ask {
            git: self,
            args: args.into_iter().map(Into::into).collect(),
            configs: Vec::new(),
            env: Vec::new(),
            input: Input::Nothing,
            limit: LOCAL_LIMIT,
            most: MOST_OUTPUT,
            changes_elsewhere: false,
            folder: None,
        }
    }
}

fn read_version(said: &str) -> Option<Version> {
    let mut numbers = said.strip_prefix("git version ")?.split(|c: char| !c.is_ascii_digit());
    Some(Version { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
}

/// What did not work in a call of git.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It could not be started or watched.
    #[error("git {command}: {source}")]
    Io {
        /// Which call.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended with another code than 0.
    #[error("git {command}: {}", if .complaint.is_empty() { "ended without a word" } else { .complaint })]
    Refused {
        /// Which call.
        command: String,
        /// Its exit code; `None` if a signal ended it.
        code: Option<i32>,
        /// What it wrote to standard error, bounded.
        complaint: String,
    },
    /// It took too long and was ended.
    #[error("git {command}: no answer within {} s, ended", .after.as_secs())]
    TimedOut {
        /// Which call.
        command: String,
        /// The limit.
        after: Duration,
        /// Whether it may have changed another repository already.
        may_have_happened: bool,
    },
    /// It said more than is taken.
    #[error("git {command}: more than {most} bytes of output")]
    TooMuch {
        /// Which call.
        command: String,
        /// The limit.
        most: usize,
    },
    /// It said something else than its manual promises.
    #[error("git {command}: unexpected answer `{said}`")]
    Odd {
        /// Which call.
        command: String,
        /// What it said, shortened.
        said: String,
    },
}

/// Under which name and date a commit is made.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    /// The author's name; the address is made of it.
    pub(crate) author: String,
    /// For author and committer.
    pub(crate) seconds: i64,
}

impl Signature {
    pub(crate) fn of(author: &str, at: Moment) -> Self {
        Self { author: author.to_owned(), seconds: at.0.div_euclid(1000) }
    }
}

/// What a call reads on standard input.
enum Input {
    Nothing,
    Bytes(Vec<u8>),
}

/// A call of git that is being put together.
pub(crate) struct Ask<'a> {
    git: &'a Git,
    args: Vec<OsString>,
    configs: Vec<String>,
    env: Vec<(&'static str, OsString)>,
    input: Input,
    limit: Duration,
    most: usize,
    changes_elsewhere: bool,
    folder: Option<PathBuf>,
}

/// What git said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: Vec<u8>,
    pub(crate) complaint: String,
    command: String,
}

impl Said {
    /// Standard output as text, without white space at the end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end().to_owned()
    }

    /// Standard output cut at its NUL bytes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.out.split(|byte| *byte == 0).filter(|name| !name.is_empty())
    }

    /// An answer that the manual does not promise.
    pub(crate) fn odd(&self) -> GitError {
        GitError::Odd { command: self.command.clone(), said: self.text().chars().take(200).collect() }
    }

    /// The refusal that this is, where standard output says more.
    pub(crate) fn refused_saying(self, words: &str) -> GitError {
        let complaint = shorten(words.as_bytes());
        GitError::Refused { command: self.command, code: self.status.code(), complaint }
    }

    /// The refusal that this is.
    pub(crate) fn refused(self) -> GitError {
        GitError::Refused { command: self.command, code: self.status.code(), complaint: self.complaint }
    }
}

impl Ask<'_> {
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn config(mut self, setting: impl Into<String>) -> Self {
        self.configs.push(setting.into());
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    /// The call works on this tree, with the index that the host keeps of it; a `.git` in it is not looked at.
    pub(crate) fn on_tree(mut self, tree: &Path, index: &Path) -> Self {
        self.folder = Some(tree.to_owned());
        self.env("GIT_WORK_TREE", tree).env("GIT_INDEX_FILE", index)
    }

    /// The call works in a repository of a person.
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    pub(crate) fn signed(self, by: &Signature) -> Self {
        let date = format!("@{} +0000", by.seconds);
        self.env("GIT_AUTHOR_NAME", &by.author)
            .env("GIT_AUTHOR_EMAIL", format!("{}@orch.invalid", by.author))
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", "Orch")
            .env("GIT_COMMITTER_EMAIL", "orch@orch.invalid")
            .env("GIT_COMMITTER_DATE", &date)
    }

    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    pub(crate) fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// The call may cross a network.
    pub(crate) fn remote(mut self) -> Self {
        self.limit = REMOTE_LIMIT;
        self
    }

    /// The call changes a repository that is not the hub: after a time-out it may have happened.
    pub(crate) fn changes_elsewhere(mut self) -> Self {
        self.changes_elsewhere = true;
        self.remote()
    }

    /// The call's answer; any exit code but 0 is an error.
    pub(crate) fn run(self) -> Result<Said, GitError> {
        let said = self.answer()?;
        if said.status.success() { Ok(said) } else { Err(said.refused()) }
    }

    /// Yes by exit code 0, no by 1; everything else is an error and never a no.
    pub(crate) fn yes(self) -> Result<bool, GitError> {
        let said = self.answer()?;
        match said.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            Some(_) | None => Err(said.refused()),
        }
    }

    /// The first `most` bytes of what it says, and whether there is more.
    pub(crate) fn beginning(self, most: usize) -> Result<(Vec<u8>, bool), GitError> {
        match self.most(most).end()? {
            (End::Ended { status, out, .. }, _) if status.success() => Ok((out, false)),
            (End::TooMuch { mut out }, _) => {
                out.truncate(most);
                Ok((out, true))
            }
            (End::Ended { status, out, complaint }, command) => {
                Err(Said { status, out, complaint: shorten(&complaint), command }.refused())
            }
            (End::TimedOut, command) => {
                Err(GitError::TimedOut { command, after: LOCAL_LIMIT, may_have_happened: false })
            }
        }
    }

    /// The call's answer, whatever its exit code.
    pub(crate) fn answer(self) -> Result<Said, GitError> {
        let (limit, most, may_have_happened) = (self.limit, self.most, self.changes_elsewhere);
        match self.end()? {
            (End::Ended { status, out, complaint }, command) => {
                Ok(Said { status, out, complaint: shorten(&complaint), command })
            }
            (End::TimedOut, command) => Err(GitError::TimedOut { command, after: limit, may_have_happened }),
            (End::TooMuch { .. }, command) => Err(GitError::TooMuch { command, most }),
        }
    }

    /// How it ended, and its name.
    fn end(self) -> Result<(End, String), GitError> {
        let command = self.args.first().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
        let broken = |source| GitError::Io { command: command.clone(), source };
        let mut child = self.start().map_err(broken)?;
        let deadline = Instant::now() + self.limit;
        let end = watch(&mut child, deadline, self.most);
        if !matches!(end, Ok(End::Ended { .. })) {
            // Its helpers live in its process group; they end with it.
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            }
            let _ = child.wait();
        }
        Ok((end.map_err(broken)?, command))
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.git.program);
        command.env_clear().env("PATH", &self.git.path).process_group(0);
        for (name, value) in [
            ("LC_ALL", "C"),
            ("HOME", "/nonexistent"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", ""),
            ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
        ] {
            command.env(name, value);
        }
        for setting in FIXED.into_iter().chain(self.configs.iter().map(String::as_str)) {
            command.arg("-c").arg(setting);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.args(&self.args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(match &self.input {
            Input::Nothing => Stdio::null(),
            Input::Bytes(bytes) => Stdio::from(in_memory(bytes)?),
        });
        command.spawn()
    }
}

/// Settings of every call; the command line overrules any file, a repository's own too.
const FIXED: [&str; 17] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.autocrlf=false",
    "core.quotePath=false",
    "core.fsync=committed",
    "core.fsyncMethod=batch",
    "core.logAllRefUpdates=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.helper=",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "safe.directory=*",
];

/// Bytes as a file without a name: git can read as slowly as it likes and nobody has to feed it.
fn in_memory(bytes: &[u8]) -> io::Result<std::fs::File> {
    use std::io::Seek as _;
    let fd = rustix::fs::memfd_create("git-input", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

enum End {
    Ended { status: ExitStatus, out: Vec<u8>, complaint: Vec<u8> },
    TimedOut,
    TooMuch { out: Vec<u8> },
}

/// Takes the child's output until it ends. Ended means the process itself: a grandchild that keeps the pipes open is
/// not waited for.
fn watch(child: &mut Child, deadline: Instant, most: usize) -> io::Result<End> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let ended = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    for fd in [stdout.as_fd(), stderr.as_fd()] {
        rustix::io::ioctl_fionbio(fd, true)?;
    }
    let (mut out, mut complaint) = (Vec::new(), Vec::new());
    let (mut out_open, mut err_open) = (true, true);
    loop {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Ok(End::TimedOut) };
        let mut fds: Vec<PollFd<'_>> = vec![PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN)];
        let mut also = |open: bool, fd| {
            if open {
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
            }
        };
        also(out_open, borrowed(&stdout));
        also(err_open, borrowed(&stderr));
        let wait = rustix::event::Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        match rustix::event::poll(&mut fds, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let gone = !fds[0].revents().is_empty();
        drop(fds);
        if out_open {
            out_open = drain(&mut stdout, &mut out, most)?;
        }
        if err_open {
            err_open = drain(&mut stderr, &mut complaint, 1 << 20)?;
            if complaint.len() > 2 * MOST_COMPLAINT {
                complaint.drain(..complaint.len() - MOST_COMPLAINT);
            }
        }
        if out.len() > most {
            return Ok(End::TooMuch { out });
        }
        if gone {
            return Ok(End::Ended { status: child.wait()?, out, complaint });
        }
    }
}

fn borrowed(fd: &impl std::os::fd::AsFd) -> BorrowedFd<'_> {
    fd.as_fd()
}

/// Reads what is there; false when the other end is closed.
fn drain(from: &mut impl io::Read, into: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut part = [0_u8; 64 << 10];
    loop {
        match from.read(&mut part) {
            Ok(0) => return Ok(false),
            Ok(n) => into.extend_from_slice(&part[..n]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        if into.len() > most {
            return Ok(true);
        }
    }
}

/// The end of a complaint as one bounded text; the end is where git says why.
fn shorten(complaint: &[u8]) -> String {
    let start = complaint.len().saturating_sub(MOST_COMPLAINT);
    String::from_utf8_lossy(&complaint[start..]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that versions of several builds are read, and that something else is not taken for git.
    #[test]
    fn git_versions_are_read() {
        assert_eq!(read_version("git version 2.39.5"), Some(Version { major: 2, minor: 39 }));
        assert_eq!(read_version("git version 2.47.3 (Apple Git-1)"), Some(Version { major: 2, minor: 47 }));
        assert_eq!(read_version("git version 3.0-rc1"), Some(Version { major: 3, minor: 0 }));
        assert_eq!(read_version("hello"), None);
        assert!(Version { major: 2, minor: 37 } < OLDEST);
    }
}
