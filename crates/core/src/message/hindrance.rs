//! How does what stands in the way read?

use super::said::cause;
use super::{Arg, Lang, say};
use crate::hindrance::{Hindrance, Preparing};

/// A hindrance, as a part of a sentence.
pub fn hindrance(fact: &Hindrance, lang: Lang) -> String {
    let text = |name: &'static str, text: &str| (name, Arg::Text(text.to_owned()));
    let shown = |name: &'static str, what: &dyn std::fmt::Display| (name, Arg::Text(what.to_string()));
    let plain = |key: &'static str| say(lang, key, []);
    match fact {
        Hindrance::FileUnread { path, words } => {
            say(lang, "hindrance-file-unread", [text("path", path), text("words", words)])
        }
        Hindrance::FileDamaged { path, words } => {
            say(lang, "hindrance-file-damaged", [text("path", path), text("words", words)])
        }
        Hindrance::FileNewer { path, found, known } => say(
            lang,
            "hindrance-file-newer",
            [text("path", path), shown("found", found), shown("known", known)],
        ),
        Hindrance::FileUnwritten { path, words } => {
            say(lang, "hindrance-file-unwritten", [text("path", path), text("words", words)])
        }
        Hindrance::FileMissing { path } => say(lang, "hindrance-file-missing", [text("path", path)]),
        Hindrance::Tables { words } => say(lang, "hindrance-tables", [text("words", words)]),
        Hindrance::NoIssue { key } => say(lang, "hindrance-no-issue", [shown("key", key)]),
        Hindrance::TextTooLong { bytes, most } => {
            say(lang, "hindrance-text-too-long", [shown("bytes", bytes), shown("most", most)])
        }
        Hindrance::IssueEdited { key } => say(lang, "hindrance-issue-edited", [shown("key", key)]),
        Hindrance::Restarted => plain("hindrance-restarted"),
        Hindrance::NoProcess { pid } => say(lang, "hindrance-no-process", [shown("pid", pid)]),
        Hindrance::OtherProcess { pid } => say(lang, "hindrance-other-process", [shown("pid", pid)]),
        Hindrance::ProcessEnded { pid } => say(lang, "hindrance-process-ended", [shown("pid", pid)]),
        Hindrance::Unlocked { doubt } => {
            say(lang, "hindrance-unlocked", [text("doubt", &hindrance(doubt, lang))])
        }
        Hindrance::OtherNamespace => plain("hindrance-other-namespace"),
        Hindrance::NotAPid { pid } => say(lang, "hindrance-not-a-pid", [shown("pid", pid)]),
        Hindrance::NotHeld { pid, words } => {
            say(lang, "hindrance-not-held", [shown("pid", pid), text("words", words)])
        }
        Hindrance::NotWaitedFor { words } => say(lang, "hindrance-not-waited-for", [text("words", words)]),
        Hindrance::NotSignalled { words } => say(lang, "hindrance-not-signalled", [text("words", words)]),
        Hindrance::FolderUnprepared { path, words } => {
            say(lang, "hindrance-folder-unprepared", [text("path", path), text("words", words)])
        }
        Hindrance::NoSupervisor { program, words } => {
            say(lang, "hindrance-no-supervisor", [text("program", program), text("words", words)])
        }
        Hindrance::GaveUp { path, cause: None } => {
            say(lang, "hindrance-gave-up-silent", [text("path", path)])
        }
        Hindrance::GaveUp { path, cause: Some(because) } => {
            say(lang, "hindrance-gave-up", [text("path", path), text("cause", &cause(because, lang))])
        }
        Hindrance::Unnamed { path, seconds } => {
            say(lang, "hindrance-unnamed", [text("path", path), shown("seconds", seconds)])
        }
        Hindrance::SupervisorGone => plain("hindrance-supervisor-gone"),
        Hindrance::Unprepared { at, words } => {
            say(lang, "hindrance-unprepared", [text("at", &preparing(*at, lang)), text("words", words)])
        }
        Hindrance::NoNewProcess { words } => say(lang, "hindrance-no-new-process", [text("words", words)]),
        Hindrance::ReportDamaged { words } => say(lang, "hindrance-report-damaged", [text("words", words)]),
        Hindrance::EndedEarly { code: Some(code), signal: _ } => {
            say(lang, "hindrance-ended-early-exited", [shown("code", code)])
        }
        Hindrance::EndedEarly { code: None, signal: Some(signal) } => {
            say(lang, "hindrance-ended-early-signalled", [shown("signal", signal)])
        }
        Hindrance::EndedEarly { code: None, signal: None } => plain("hindrance-ended-early"),
        Hindrance::ProgramNotStarted { program, words } => {
            say(lang, "hindrance-program-not-started", [text("program", program), text("words", words)])
        }
        Hindrance::FolderNotEntered { path, words } => {
            say(lang, "hindrance-folder-not-entered", [text("path", path), text("words", words)])
        }
        Hindrance::InputNotOpened { path, words } => {
            say(lang, "hindrance-input-not-opened", [text("path", path), text("words", words)])
        }
        Hindrance::NoSandbox { words } => say(lang, "hindrance-no-sandbox", [text("words", words)]),
        Hindrance::SandboxTooWeak { partly: true } => plain("hindrance-sandbox-partly"),
        Hindrance::SandboxTooWeak { partly: false } => plain("hindrance-sandbox-nothing"),
        Hindrance::UserNotTaken { uid, gid, words } => say(
            lang,
            "hindrance-user-not-taken",
            [shown("uid", uid), shown("gid", gid), text("words", words)],
        ),
        Hindrance::LimitNotSet { limit, value, words } => say(
            lang,
            "hindrance-limit-not-set",
            [text("limit", limit), shown("value", value), text("words", words)],
        ),
        Hindrance::BadRunId => plain("hindrance-bad-run-id"),
        Hindrance::NoProgram => plain("hindrance-no-program"),
        Hindrance::NulByte => plain("hindrance-nul-byte"),
        Hindrance::BadVariable { name } => say(lang, "hindrance-bad-variable", [text("name", name)]),
        Hindrance::FolderNotAbsolute { path } => {
            say(lang, "hindrance-folder-not-absolute", [text("path", path)])
        }
        Hindrance::SandboxNotAbsolute { path } => {
            say(lang, "hindrance-sandbox-not-absolute", [text("path", path)])
        }
        Hindrance::SandboxOpensRecord { path } => {
            say(lang, "hindrance-sandbox-opens-record", [text("path", path)])
        }
        Hindrance::PortsUnread { path, words } => {
            say(lang, "hindrance-ports-unread", [text("path", path), text("words", words)])
        }
        Hindrance::NoPorts { block, from, to } => {
            say(lang, "hindrance-no-ports", [shown("block", block), shown("from", from), shown("to", to)])
        }
        Hindrance::BadAddress { url } => say(lang, "hindrance-bad-address", [text("url", url)]),
        Hindrance::Unreachable { host, words } => {
            say(lang, "hindrance-unreachable", [text("host", host), text("words", words)])
        }
        Hindrance::NoAnswer { host, seconds } => {
            say(lang, "hindrance-no-answer", [text("host", host), shown("seconds", seconds)])
        }
        Hindrance::BrokeOff { host, words } => {
            say(lang, "hindrance-broke-off", [text("host", host), text("words", words)])
        }
        Hindrance::NoPortGiven { url, commit } => {
            say(lang, "hindrance-no-port-given", [text("url", url), text("commit", commit.short())])
        }
        Hindrance::Redirects { status } => say(lang, "hindrance-redirects", [shown("status", status)]),
        Hindrance::AnswerTooLong { kib } => say(lang, "hindrance-answer-too-long", [shown("kib", kib)]),
        Hindrance::NamesNoCommit { status, field } => {
            say(lang, "hindrance-names-no-commit", [shown("status", status), text("field", field)])
        }
        Hindrance::AnswersWith { status } => say(lang, "hindrance-answers-with", [shown("status", status)]),
        Hindrance::FieldSays { field, words } => {
            say(lang, "hindrance-field-says", [text("field", field), text("words", words)])
        }
        Hindrance::FieldNoText { field } => say(lang, "hindrance-field-no-text", [text("field", field)]),
        Hindrance::ProviderSilent => plain("hindrance-provider-silent"),
        Hindrance::GitSilent { command } => say(lang, "hindrance-git-silent", [text("command", command)]),
        Hindrance::GitTimedOut { command, seconds } => {
            say(lang, "hindrance-git-timed-out", [text("command", command), shown("seconds", seconds)])
        }
        Hindrance::GitTooMuch { command, most } => {
            say(lang, "hindrance-git-too-much", [text("command", command), shown("most", most)])
        }
        Hindrance::GitOdd { command, words } => {
            say(lang, "hindrance-git-odd", [text("command", command), text("words", words)])
        }
        Hindrance::TreeTaken { path } => say(lang, "hindrance-tree-taken", [text("path", path)]),
    }
}

fn preparing(at: Preparing, lang: Lang) -> String {
    let key = match at {
        Preparing::Lock => "hindrance-at-lock",
        Preparing::Room => "hindrance-at-room",
        Preparing::Orphans => "hindrance-at-orphans",
        Preparing::Name => "hindrance-at-name",
        Preparing::Events => "hindrance-at-events",
        Preparing::Signals => "hindrance-at-signals",
        Preparing::Output => "hindrance-at-output",
        Preparing::ExitRecord => "hindrance-at-exit-record",
        Preparing::Session => "hindrance-at-session",
        Preparing::DeathSignal => "hindrance-at-death-signal",
        Preparing::Rights => "hindrance-at-rights",
        Preparing::NoNewRights => "hindrance-at-no-new-rights",
        Preparing::Report => "hindrance-at-report",
    };
    say(lang, key, [])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::{Commit, IssueKey};
    use crate::said::{Cause, Said};

    /// One of each.
    pub(in super::super) fn everything() -> Vec<Hindrance> {
        let text = |text: &str| text.to_owned();
        let path = || "/home/a/b".to_owned();
        let words = || "connection refused".to_owned();
        let mut all = vec![
            Hindrance::FileUnread { path: path(), words: words() },
            Hindrance::FileDamaged { path: path(), words: words() },
            Hindrance::FileNewer { path: path(), found: 2, known: 1 },
            Hindrance::FileUnwritten { path: path(), words: words() },
            Hindrance::FileMissing { path: path() },
            Hindrance::Tables { words: words() },
            Hindrance::NoIssue { key: IssueKey::from("A-1") },
            Hindrance::TextTooLong { bytes: 2000, most: 1000 },
            Hindrance::IssueEdited { key: IssueKey::from("A-1") },
            Hindrance::Restarted,
            Hindrance::NoProcess { pid: 41 },
            Hindrance::OtherProcess { pid: 41 },
            Hindrance::ProcessEnded { pid: 41 },
            Hindrance::Unlocked { doubt: Box::new(Hindrance::OtherNamespace) },
            Hindrance::OtherNamespace,
            Hindrance::NotAPid { pid: 41 },
            Hindrance::NotHeld { pid: 41, words: words() },
            Hindrance::NotWaitedFor { words: words() },
            Hindrance::NotSignalled { words: words() },
            Hindrance::FolderUnprepared { path: path(), words: words() },
            Hindrance::NoSupervisor { program: text("npm"), words: words() },
            Hindrance::GaveUp { path: path(), cause: None },
            Hindrance::GaveUp { path: path(), cause: Some(Box::new(Cause::from(Said::FileNotFound))) },
            Hindrance::Unnamed { path: path(), seconds: 30 },
            Hindrance::SupervisorGone,
            Hindrance::Unprepared { at: Preparing::Room, words: words() },
            Hindrance::NoNewProcess { words: words() },
            Hindrance::ReportDamaged { words: words() },
            Hindrance::EndedEarly { code: Some(1), signal: None },
            Hindrance::EndedEarly { code: None, signal: Some(9) },
            Hindrance::EndedEarly { code: None, signal: None },
            Hindrance::ProgramNotStarted { program: text("npm"), words: words() },
            Hindrance::FolderNotEntered { path: path(), words: words() },
            Hindrance::InputNotOpened { path: path(), words: words() },
            Hindrance::NoSandbox { words: words() },
            Hindrance::SandboxTooWeak { partly: true },
            Hindrance::SandboxTooWeak { partly: false },
            Hindrance::UserNotTaken { uid: 1000, gid: 1000, words: words() },
            Hindrance::LimitNotSet { limit: text("Nofile"), value: 1024, words: words() },
            Hindrance::BadRunId,
            Hindrance::NoProgram,
            Hindrance::NulByte,
            Hindrance::BadVariable { name: text("A=B") },
            Hindrance::FolderNotAbsolute { path: path() },
            Hindrance::SandboxNotAbsolute { path: path() },
            Hindrance::SandboxOpensRecord { path: path() },
            Hindrance::PortsUnread { path: path(), words: words() },
            Hindrance::NoPorts { block: 10, from: 20_000, to: 29_999 },
            Hindrance::BadAddress { url: text("http://127.0.0.1:8080/") },
            Hindrance::Unreachable { host: text("127.0.0.1:8080"), words: words() },
            Hindrance::NoAnswer { host: text("127.0.0.1:8080"), seconds: 30 },
            Hindrance::BrokeOff { host: text("127.0.0.1:8080"), words: words() },
            Hindrance::NoPortGiven {
                url: text("http://127.0.0.1:8080/"),
                commit: Commit::from("0123456789abcdef"),
            },
            Hindrance::Redirects { status: 503 },
            Hindrance::AnswerTooLong { kib: 64 },
            Hindrance::NamesNoCommit { status: 503, field: text("status") },
            Hindrance::AnswersWith { status: 503 },
            Hindrance::FieldSays { field: text("status"), words: words() },
            Hindrance::FieldNoText { field: text("status") },
            Hindrance::ProviderSilent,
            Hindrance::GitSilent { command: text("push") },
            Hindrance::GitTimedOut { command: text("push"), seconds: 30 },
            Hindrance::GitTooMuch { command: text("push"), most: 1000 },
            Hindrance::GitOdd { command: text("push"), words: words() },
            Hindrance::TreeTaken { path: path() },
        ];
        let at = [
            Preparing::Lock,
            Preparing::Room,
            Preparing::Orphans,
            Preparing::Name,
            Preparing::Events,
            Preparing::Signals,
            Preparing::Output,
            Preparing::ExitRecord,
            Preparing::Session,
            Preparing::DeathSignal,
            Preparing::Rights,
            Preparing::NoNewRights,
            Preparing::Report,
        ];
        all.extend(at.map(|at| Hindrance::Unprepared { at, words: words() }));
        all
    }
}
