//! What stands in the way outside, as a hand saw it where a run is started or watched, a service is asked, git is called?
//! Facts, as in [`crate::said`]; the words of the system, of git or of a service stand in them as they came.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{Commit, IssueKey};
use crate::message::{self, Lang};
use crate::said::{Cause, Said};

/// What a hand saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// A file cannot be read.
    FileUnread {
        /// Which.
        path: String,
        /// The system's words.
        words: String,
    },
    /// A file is not what Orch wrote.
    FileDamaged {
        /// Which.
        path: String,
        /// Where and what.
        words: String,
    },
    /// A later Orch wrote a file.
    FileNewer {
        /// Which.
        path: String,
        /// Its format.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// A file cannot be written.
    FileUnwritten {
        /// Which.
        path: String,
        /// The system's words.
        words: String,
    },
    /// A file is not there.
    FileMissing {
        /// Which.
        path: String,
    },
    /// The tables of the built-in tracker and the local forge do not work.
    Tables {
        /// What SQLite says.
        words: String,
    },
    /// The tracker has no such issue.
    NoIssue {
        /// Which.
        key: IssueKey,
    },
    /// A text is longer than is kept.
    TextTooLong {
        /// Its length in bytes.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// An issue is another one than it was.
    IssueEdited {
        /// Which.
        key: IssueKey,
    },

    /// The machine was started again since a process began.
    Restarted,
    /// There is no such process.
    NoProcess {
        /// Its pid.
        pid: i32,
    },
    /// The pid is another process's by now.
    OtherProcess {
        /// The pid.
        pid: i32,
    },
    /// The process has ended.
    ProcessEnded {
        /// Its pid.
        pid: i32,
    },
    /// A process has let go of its lock, whatever else stands in the way of a look.
    Unlocked {
        /// What.
        doubt: Box<Hindrance>,
    },
    /// A process lives in another pid namespace.
    OtherNamespace,
    /// A number is no pid.
    NotAPid {
        /// The number.
        pid: i32,
    },
    /// A process cannot be held.
    NotHeld {
        /// Its pid.
        pid: i32,
        /// The system's words.
        words: String,
    },
    /// The end of a process cannot be waited for.
    NotWaitedFor {
        /// The system's words.
        words: String,
    },
    /// A supervisor cannot be signalled.
    NotSignalled {
        /// The system's words.
        words: String,
    },

    /// The folder of a run cannot be prepared.
    FolderUnprepared {
        /// Which.
        path: String,
        /// The system's words.
        words: String,
    },
    /// The supervisor cannot be started.
    NoSupervisor {
        /// Its program.
        program: String,
        /// The system's words.
        words: String,
    },
    /// The supervisor ended before it began.
    GaveUp {
        /// Of which folder.
        path: String,
        /// Why; `None` if it did not say it.
        cause: Option<Box<Cause>>,
    },
    /// The supervisor has not named itself in time.
    Unnamed {
        /// Of which folder.
        path: String,
        /// After so many seconds.
        seconds: u64,
    },
    /// The supervisor is gone.
    SupervisorGone,
    /// The supervisor could not prepare a run, or what was to become its program could not.
    Unprepared {
        /// At what.
        at: Preparing,
        /// The system's words.
        words: String,
    },
    /// No process could be made.
    NoNewProcess {
        /// The system's words.
        words: String,
    },
    /// What a run's program said before it began is damaged.
    ReportDamaged {
        /// In which way.
        words: String,
    },
    /// It ended before it became the program.
    EndedEarly {
        /// Its exit code, if it had one.
        code: Option<i32>,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// The program cannot be started.
    ProgramNotStarted {
        /// Which.
        program: String,
        /// The system's words.
        words: String,
    },
    /// The working folder cannot be entered.
    FolderNotEntered {
        /// Which.
        path: String,
        /// The system's words.
        words: String,
    },
    /// The standard input cannot be opened.
    InputNotOpened {
        /// Which file.
        path: String,
        /// The system's words.
        words: String,
    },
    /// The sandbox cannot be closed.
    NoSandbox {
        /// The system's words.
        words: String,
    },
    /// The kernel enforces less of the sandbox than the run demands.
    SandboxTooWeak {
        /// Whether it enforces anything.
        partly: bool,
    },
    /// Orch may not become that user.
    UserNotTaken {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
        /// The system's words.
        words: String,
    },
    /// A limit cannot be set.
    LimitNotSet {
        /// Which, as the system calls it.
        limit: String,
        /// To what.
        value: u64,
        /// The system's words.
        words: String,
    },

    /// The id of a run is none.
    BadRunId,
    /// A run has no program.
    NoProgram,
    /// Program or arguments have a NUL byte.
    NulByte,
    /// No program can be given this variable.
    BadVariable {
        /// Its name.
        name: String,
    },
    /// A working folder is no absolute path.
    FolderNotAbsolute {
        /// Which.
        path: String,
    },
    /// A path of the sandbox is not absolute.
    SandboxNotAbsolute {
        /// Which.
        path: String,
    },
    /// A path of the sandbox would open the record of the run itself.
    SandboxOpensRecord {
        /// Which.
        path: String,
    },

    /// The registry of ports does not work.
    PortsUnread {
        /// Where.
        path: String,
        /// The system's words.
        words: String,
    },
    /// All blocks of ports are taken.
    NoPorts {
        /// How many a block has.
        block: u16,
        /// From this port on.
        from: u16,
        /// Up to this one.
        to: u16,
    },

    /// An address is none.
    BadAddress {
        /// Which.
        url: String,
    },
    /// A host cannot be reached.
    Unreachable {
        /// Which.
        host: String,
        /// The system's words.
        words: String,
    },
    /// A host did not answer in time.
    NoAnswer {
        /// Which.
        host: String,
        /// Within so many seconds.
        seconds: u64,
    },
    /// A host broke off.
    BrokeOff {
        /// Which.
        host: String,
        /// How.
        words: String,
    },
    /// Nobody was told on which port a commit is to live.
    NoPortGiven {
        /// What would be asked.
        url: String,
        /// The commit.
        commit: Commit,
    },
    /// A service redirects.
    Redirects {
        /// The status of its answer.
        status: u16,
    },
    /// The answer of a service is too long.
    AnswerTooLong {
        /// More than so many KiB.
        kib: u64,
    },
    /// A service names no commit.
    NamesNoCommit {
        /// The status of its answer.
        status: u16,
        /// Where the commit should stand.
        field: String,
    },
    /// A service answers with a status that is not good.
    AnswersWith {
        /// Which.
        status: u16,
    },
    /// A service says something else than that it is well.
    FieldSays {
        /// Where.
        field: String,
        /// What.
        words: String,
    },
    /// A service says how it is in something that is no text.
    FieldNoText {
        /// Where.
        field: String,
    },
    /// A provider of a model refused without a word.
    ProviderSilent,

    /// Git ended without a word.
    GitSilent {
        /// Which command of it.
        command: String,
    },
    /// Git did not answer in time.
    GitTimedOut {
        /// Which command of it.
        command: String,
        /// Within so many seconds.
        seconds: u64,
    },
    /// Git said more than is taken.
    GitTooMuch {
        /// Which command of it.
        command: String,
        /// More bytes than these.
        most: u64,
    },
    /// Git said something that its manual does not promise.
    GitOdd {
        /// Which command of it.
        command: String,
        /// Its words.
        words: String,
    },
    /// Mode or rights of a tree are those of a run, not Orch's.
    TreeTaken {
        /// Which.
        path: String,
    },
}

/// What the start of a run was at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preparing {
    /// The lock of the run.
    Lock,
    /// Room on the disk for the exit record.
    Room,
    /// To take in what the run leaves behind.
    Orphans,
    /// To name itself.
    Name,
    /// To wait for events.
    Events,
    /// To catch signals.
    Signals,
    /// The files and pipes of the output.
    Output,
    /// The exit record.
    ExitRecord,
    /// A session of its own.
    Session,
    /// The signal that ends it with its supervisor.
    DeathSignal,
    /// To give up root's rights.
    Rights,
    /// To gain no rights.
    NoNewRights,
    /// To tell the supervisor.
    Report,
}

impl From<Hindrance> for Cause {
    fn from(hindrance: Hindrance) -> Self {
        Said::Hindrance(hindrance).into()
    }
}

/// In English: for logs, which have no reader's language.
impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&message::hindrance(self, Lang::En))
    }
}
