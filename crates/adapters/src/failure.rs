//! Is an error of git, the file system or SQLite transient, permanent or unknown? `run/failure.rs` says it of runs; a refusal
//! that an adapter itself utters says it where it stands.
//!
//! Every call of these adapters looks whether it happened before it acts, so a failure of a local step is safe to
//! repeat; only what leaves this machine's hub can be in doubt.

use std::io::{self, ErrorKind};
use std::path::Path;

use orch_core::call::{Failure, FailureKind};
use orch_core::hindrance::Hindrance;
use orch_core::said::Cause;

use crate::git::GitError;
use crate::tracker::builtin::IssueError;

/// Longer causes are cut: they are kept in the journal.
const MOST_CAUSE: usize = 2_000;

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let kind = match &error {
            GitError::Io { source, .. } => kind_of_io(source),
            GitError::Refused { code: None, .. } => FailureKind::Transient,
            GitError::Refused { complaint, .. } => kind_of_complaint(complaint),
            GitError::TimedOut { may_have_happened: true, .. } => FailureKind::Unknown,
            GitError::TimedOut { .. } => FailureKind::Transient,
            GitError::TooMuch { .. } | GitError::Odd { .. } => FailureKind::Permanent,
        };
        Failure { kind, cause: cause_of(error) }
    }
}

/// What git says is quoted; the rest are facts.
fn cause_of(error: GitError) -> Cause {
    match error {
        GitError::Io { .. } => hide_password(&cut(error.to_string())).into(),
        GitError::Refused { command, code: _, complaint } if complaint.is_empty() => {
            Hindrance::GitSilent { command }.into()
        }
        GitError::Refused { command, code: _, complaint } => {
            hide_password(&cut(format!("git {command}: {complaint}"))).into()
        }
        GitError::TimedOut { command, after, may_have_happened: _ } => {
            Hindrance::GitTimedOut { command, seconds: after.as_secs() }.into()
        }
        GitError::TooMuch { command, most } => Hindrance::GitTooMuch { command, most: most as u64 }.into(),
        GitError::Odd { command, said } => Hindrance::GitOdd { command, words: hide_password(&said) }.into(),
    }
}

/// What an error of the file system at `place` means.
pub(crate) fn io(place: &Path) -> impl FnOnce(io::Error) -> Failure {
    let place = place.display().to_string();
    move |error| Failure { kind: kind_of_io(&error), cause: cut(format!("{place}: {error}")).into() }
}

/// What an error of SQLite in the tables of tracker and forge means.
pub(crate) fn sqlite(error: rusqlite::Error) -> Failure {
    of_sqlite(&error)
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match &error {
            IssueError::NoSuchIssue { key } => Failure::permanent(Hindrance::NoIssue { key: key.clone() }),
            IssueError::Edited { key } => Failure::permanent(Hindrance::IssueEdited { key: key.clone() }),
            IssueError::TooLong { what: _, bytes, most } => {
                Failure::permanent(Hindrance::TextTooLong { bytes: *bytes as u64, most: *most as u64 })
            }
            IssueError::Tables(source) => of_sqlite(source),
        }
    }
}

fn of_sqlite(error: &rusqlite::Error) -> Failure {
    {
        use rusqlite::ErrorCode as Code;
        let kind = match error.sqlite_error_code() {
            Some(
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::DiskFull
                | Code::SystemIoFailure
                | Code::OutOfMemory
                | Code::OperationInterrupted
                | Code::CannotOpen,
            ) => FailureKind::Transient,
            Some(_) | None => FailureKind::Permanent,
        };
        Failure { kind, cause: Hindrance::Tables { words: cut(error.to_string()) }.into() }
    }
}

fn kind_of_io(error: &io::Error) -> FailureKind {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::PermissionDenied
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::ReadOnlyFilesystem => FailureKind::Permanent,
        // A full disk, too many open files, a busy file: time or a person's broom helps without a change of the task.
        _ => FailureKind::Transient,
    }
}

/// Words of git after which the same call cannot work until somebody changes something. A repository that is not there is
/// none of them: a disk that was not mounted, a folder that is moved for a moment come back, and the task waits with these
/// words as its reason (decision 14).
const HOPELESS: [&str; 12] = [
    "Authentication failed",
    "Permission denied",
    "access denied",
    "not a git repository",
    "couldn't find remote ref",
    "bad object",
    "not a valid object",
    "invalid object",
    "unknown option",
    "not allowed",
    "is corrupt",
    // A branch `a` is in the way of a branch `a/b`.
    "exists; cannot create",
];

/// Git has one exit code for nearly everything; its words in the C locale say more. Unknown words: try again, the
/// number of tries is bounded by whoever asked.
fn kind_of_complaint(complaint: &str) -> FailureKind {
    if HOPELESS.iter().any(|words| complaint.contains(words)) {
        FailureKind::Permanent
    } else {
        FailureKind::Transient
    }
}

fn cut(mut cause: String) -> String {
    if let Some((at, _)) = cause.char_indices().nth(MOST_CAUSE) {
        cause.truncate(at);
        cause.push('…');
    }
    cause
}

/// Removes `user:password@` from addresses: a remote's URL may carry one, and causes are shown to people.
fn hide_password(cause: &str) -> String {
    let mut shown = String::with_capacity(cause.len());
    let mut rest = cause;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(sign) => {
                shown.push_str("***");
                &after[sign..]
            }
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(complaint: &str) -> Failure {
        GitError::Refused { command: "push".to_owned(), code: Some(128), complaint: complaint.to_owned() }
            .into()
    }

    /// Proves that a full disk, a lock or a repository that is away may be tried again, that a missing right may not, and
    /// that a push without an answer is in doubt.
    #[test]
    fn failures_have_the_right_kind() {
        assert_eq!(refused("fatal: write error: No space left on device").kind, FailureKind::Transient);
        assert_eq!(refused("Unable to create 'x.lock': File exists.").kind, FailureKind::Transient);
        let away = "fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not read from remote repository.";
        assert_eq!(refused(away).kind, FailureKind::Transient);
        assert_eq!(refused("fatal: Authentication failed for x").kind, FailureKind::Permanent);
        let late = GitError::TimedOut {
            command: "push".to_owned(),
            after: std::time::Duration::from_secs(1),
            may_have_happened: true,
        };
        assert_eq!(Failure::from(late).kind, FailureKind::Unknown);
    }

    /// Proves which errors of SQLite pass with time (another hand at the file, no room, a device that does not answer now) and
    /// which do not: a call is tried again where that can help, and a person is asked where it cannot (decision 14).
    #[test]
    fn errors_of_the_tables_have_the_right_kind() {
        use rusqlite::ffi;
        for (code, kind) in [
            (ffi::SQLITE_BUSY, FailureKind::Transient),
            (ffi::SQLITE_BUSY_SNAPSHOT, FailureKind::Transient),
            (ffi::SQLITE_LOCKED, FailureKind::Transient),
            (ffi::SQLITE_FULL, FailureKind::Transient),
            (ffi::SQLITE_IOERR_WRITE, FailureKind::Transient),
            (ffi::SQLITE_NOMEM, FailureKind::Transient),
            (ffi::SQLITE_INTERRUPT, FailureKind::Transient),
            (ffi::SQLITE_CANTOPEN, FailureKind::Transient),
            (ffi::SQLITE_CORRUPT, FailureKind::Permanent),
            (ffi::SQLITE_NOTADB, FailureKind::Permanent),
            (ffi::SQLITE_READONLY, FailureKind::Permanent),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, FailureKind::Permanent),
            (ffi::SQLITE_ERROR, FailureKind::Permanent),
        ] {
            let error = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("words".to_owned()));
            for failure in [sqlite(error()), IssueError::Tables(error()).into()] {
                assert_eq!(failure.kind, kind, "{code}: {}", failure.cause);
                assert!(failure.cause.to_string().contains("words"), "{code}: {}", failure.cause);
            }
        }
        assert_eq!(sqlite(rusqlite::Error::QueryReturnedNoRows).kind, FailureKind::Permanent);
    }

    /// Proves that a password in an address never reaches a cause.
    #[test]
    fn passwords_are_hidden() {
        let shown =
            refused("unable to access 'https://me:secret@host/x': no, https://host/y").cause.to_string();
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("https://***@host/x") && shown.contains("https://host/y"), "{shown}");
    }
}
