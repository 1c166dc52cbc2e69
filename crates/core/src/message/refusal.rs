//! How does what the hands refuse read?

use super::said::cause;
use super::{Arg, Lang, clause, say};
use crate::refusal::Refusal;

/// A refusal, as a part of a sentence.
pub(super) fn refusal(fact: &Refusal, lang: Lang) -> String {
    let text = |name: &'static str, text: &str| (name, Arg::Text(text.to_owned()));
    let shown = |name: &'static str, what: &dyn std::fmt::Display| (name, Arg::Text(what.to_string()));
    let plain = |key: &'static str| say(lang, key, []);
    match fact {
        Refusal::NoTestCommand => plain("refusal-no-test-command"),
        Refusal::ProgramNotInPath { program, step } => {
            say(lang, "refusal-program-not-in-path", [text("program", program), text("step", step)])
        }
        Refusal::NoHook => plain("refusal-no-hook"),
        Refusal::NoProbe => plain("refusal-no-probe"),
        Refusal::HookNotAbsolute { program } => {
            let inside = format!("{{checkout}}/{program}");
            say(lang, "refusal-hook-not-absolute", [text("program", program), text("inside", &inside)])
        }
        Refusal::NoCommit { name } => say(lang, "refusal-no-commit", [text("name", name)]),
        Refusal::NoAgent { agent } => say(lang, "refusal-no-agent", [text("agent", agent)]),
        Refusal::AgentProgramGone { program, agent } => {
            say(lang, "refusal-agent-program-gone", [text("program", program), text("agent", agent)])
        }
        Refusal::LoginUnreadable { agent, path, cause } => {
            let args = [text("agent", agent), text("path", path), text("cause", cause)];
            say(lang, "refusal-login-unreadable", args)
        }
        Refusal::NoChangeRequest { project, number } => {
            say(lang, "refusal-no-change-request", [shown("project", project), shown("number", number)])
        }
        Refusal::ChangeRequestClosed { number } => {
            say(lang, "refusal-change-request-closed", [shown("number", number)])
        }
        Refusal::WithoutMain { candidate, main } => {
            let args = [text("candidate", candidate.short()), text("main", main.short())];
            say(lang, "refusal-without-main", args)
        }
        Refusal::AfterPush { cause: because } => {
            say(lang, "refusal-after-push", [text("cause", &cause(because, lang))])
        }
        Refusal::SomebodyWorks { origin, words } => {
            say(lang, "refusal-somebody-works", [text("origin", origin), text("words", words)])
        }
        Refusal::MainNotDeleted { branch } => say(lang, "refusal-main-not-deleted", [text("branch", branch)]),
        Refusal::MainNotPushed { branch } => say(lang, "refusal-main-not-pushed", [text("branch", branch)]),
        Refusal::MainNotTasks { branch } => say(lang, "refusal-main-not-tasks", [text("branch", branch)]),
        Refusal::OriginMoved { branch } => say(lang, "refusal-origin-moved", [text("branch", branch)]),
        Refusal::BranchGone { branch } => say(lang, "refusal-branch-gone", [text("branch", branch)]),
        Refusal::NoMain { origin, main } => {
            say(lang, "refusal-no-main", [text("origin", origin), text("main", main)])
        }
        Refusal::AncestorUntold { old, new, cause } => {
            let args = [text("old", old.as_str()), text("new", new.as_str()), text("cause", cause)];
            say(lang, "refusal-ancestor-untold", args)
        }
        Refusal::NoCommonHistory { a, b } => {
            say(lang, "refusal-no-common-history", [text("a", a.as_str()), text("b", b.as_str())])
        }
        Refusal::NoFolder { path } => say(lang, "refusal-no-folder", [text("path", path)]),
        Refusal::CommitLost { commit } => say(lang, "refusal-commit-lost", [text("commit", commit.as_str())]),
        Refusal::NoParent { head, branch } => {
            say(lang, "refusal-no-parent", [text("head", head.as_str()), text("branch", branch)])
        }
        Refusal::RecordsAreMain { branch, origin } => {
            say(lang, "refusal-records-are-main", [text("branch", branch), text("origin", origin)])
        }
        Refusal::OthersPush { branch, origin } => {
            say(lang, "refusal-others-push", [text("branch", branch), text("origin", origin)])
        }
        Refusal::TextErased { digest } => say(lang, "refusal-text-erased", [text("digest", digest)]),
        Refusal::NotAGlob { pattern, cause } => {
            say(lang, "refusal-not-a-glob", [text("pattern", pattern), text("cause", cause)])
        }
        Refusal::PathOutside { path } => say(lang, "refusal-path-outside", [text("path", path)]),
        Refusal::NoMounts { run } => say(lang, "refusal-no-mounts", [shown("run", run)]),
        Refusal::SharedFilesGone { name } => say(lang, "refusal-shared-files-gone", [text("name", name)]),
        Refusal::TreeGone { run } => say(lang, "refusal-tree-gone", [shown("run", run)]),
        Refusal::StartedAgain { run } => say(lang, "refusal-started-again", [shown("run", run)]),
        Refusal::OtherCommit { run, worked_on, wanted } => {
            let args = [shown("run", run), text("worked", worked_on.short()), text("wanted", wanted.short())];
            say(lang, "refusal-other-commit", args)
        }
        Refusal::MarkOfAnotherRun { run } => say(lang, "refusal-mark-of-another-run", [shown("run", run)]),
        Refusal::MarkVanished { run } => say(lang, "refusal-mark-vanished", [shown("run", run)]),
        Refusal::RecordOfAnotherRun { path, of } => {
            say(lang, "refusal-record-of-another-run", [text("path", path), text("of", of)])
        }
        Refusal::StoppedBefore { run } => say(lang, "refusal-stopped-before", [shown("run", run)]),
        Refusal::FolderGone => plain("refusal-folder-gone"),
        Refusal::LeftIncomplete => plain("refusal-left-incomplete"),
        Refusal::KeptBack => plain("refusal-kept-back"),
        Refusal::Closing => plain("refusal-closing"),
        Refusal::NoProject { project } => say(lang, "refusal-no-project", [shown("project", project)]),
        Refusal::Defect { cause } => say(lang, "refusal-defect", [("cause", Arg::Text(clause(cause)))]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::{Commit, ProjectId, RunId, Seq};
    use crate::said::{Cause, Said};

    /// One of each.
    pub(in super::super) fn everything() -> Vec<Refusal> {
        let text = |text: &str| text.to_owned();
        let branch = || "feature/A-001".to_owned();
        let commit = |text: &str| Commit::from(text);
        let (run, project) = (RunId::new(Seq(12), 0), ProjectId::from("demo"));
        let origin = || "/home/a/b".to_owned();
        let cause = || "connection refused".to_owned();
        vec![
            Refusal::NoTestCommand,
            Refusal::ProgramNotInPath { program: text("npm"), step: text("test") },
            Refusal::NoHook,
            Refusal::NoProbe,
            Refusal::HookNotAbsolute { program: text("deploy.sh") },
            Refusal::NoCommit { name: text("head") },
            Refusal::NoAgent { agent: text("claude") },
            Refusal::AgentProgramGone { program: text("claude"), agent: text("claude") },
            Refusal::LoginUnreadable { agent: text("claude"), path: text("/home/a/key"), cause: cause() },
            Refusal::NoChangeRequest { project: project.clone(), number: 7 },
            Refusal::ChangeRequestClosed { number: 7 },
            Refusal::WithoutMain { candidate: commit("c0ffee"), main: commit("0123456789") },
            Refusal::AfterPush { cause: Box::new(Cause::from(Said::FileNotFound)) },
            Refusal::SomebodyWorks { origin: origin(), words: cause() },
            Refusal::MainNotDeleted { branch: branch() },
            Refusal::MainNotPushed { branch: branch() },
            Refusal::MainNotTasks { branch: branch() },
            Refusal::OriginMoved { branch: branch() },
            Refusal::BranchGone { branch: branch() },
            Refusal::CommitLost { commit: commit("c0ffee") },
            Refusal::NoMain { origin: origin(), main: text("main") },
            Refusal::AncestorUntold { old: commit("c0ffee"), new: commit("0123456789"), cause: cause() },
            Refusal::NoCommonHistory { a: commit("c0ffee"), b: commit("0123456789") },
            Refusal::NoFolder { path: "docs".to_owned() },
            Refusal::NoParent { head: commit("c0ffee"), branch: branch() },
            Refusal::RecordsAreMain { branch: branch(), origin: origin() },
            Refusal::OthersPush { branch: branch(), origin: origin() },
            Refusal::TextErased { digest: text("c0ffee") },
            Refusal::NotAGlob { pattern: text("["), cause: cause() },
            Refusal::PathOutside { path: text("/x") },
            Refusal::NoMounts { run },
            Refusal::SharedFilesGone { name: text("c0ffee") },
            Refusal::TreeGone { run },
            Refusal::StartedAgain { run },
            Refusal::OtherCommit { run, worked_on: commit("c0ffee"), wanted: commit("0123456789") },
            Refusal::MarkOfAnotherRun { run },
            Refusal::MarkVanished { run },
            Refusal::RecordOfAnotherRun { path: origin(), of: text("A-001") },
            Refusal::StoppedBefore { run },
            Refusal::FolderGone,
            Refusal::LeftIncomplete,
            Refusal::KeptBack,
            Refusal::Closing,
            Refusal::NoProject { project },
            Refusal::Defect { cause: cause() },
        ]
    }
}
