//! How does what Orch itself says read: a finding, a cause, a record?

use super::hindrance::hindrance;
use super::markdown::{md_block, md_escape};
use super::refusal::refusal;
use super::{Arg, Lang, ask, clause, figure, say};
use crate::frontmatter::{MAX_BYTES, Unreadable};
use crate::id::Digest;
use crate::record::{Came, DeployLog, WatchLog};
use crate::said::{Cause, Found, Said, Unknown};
use crate::task::WatchEnd;

/// A cause, as a part of a sentence.
pub fn cause(cause: &Cause, lang: Lang) -> String {
    match cause {
        Cause::Quoted(words) => words.clone(),
        Cause::Said { said: fact } => said(fact, lang),
    }
}

/// The same as an argument: one line without a full stop of its own.
pub(super) fn cause_arg(of: &Cause, lang: Lang) -> (&'static str, Arg) {
    ("cause", Arg::Text(clause(&cause(of, lang))))
}

/// What was found. `text` gives the text of a blob; `None`: it was erased (decision 39).
pub fn found(found: &Found, text: &dyn Fn(&Digest) -> Option<String>, lang: Lang) -> Option<String> {
    match found {
        Found::Kept(kept) => text(&kept.blob),
        Found::Said { said: fact } => Some(said(fact, lang)),
    }
}

/// What Orch itself says: a finding is a sentence, a cause a part of one.
pub fn said(fact: &Said, lang: Lang) -> String {
    let text = |name: &'static str, text: &str| (name, Arg::Text(text.to_owned()));
    let number = |name: &'static str, n: i32| (name, Arg::Text(n.to_string()));
    let plain = |key: &'static str| say(lang, key, []);
    match fact {
        Said::AgentExited { code } => say(lang, "said-agent-exited", [number("code", *code)]),
        Said::AgentSignalled { signal } => say(lang, "said-agent-signalled", [number("signal", *signal)]),
        Said::AgentTimedOut => plain("said-agent-timed-out"),
        Said::AgentTooLoud => plain("said-agent-too-loud"),
        Said::AgentStopped => plain("said-agent-stopped"),
        Said::AgentOverTokens { tokens, limit } => {
            say(lang, "said-agent-over-tokens", super::tokens_args(*tokens, *limit))
        }
        Said::OutsideScope { paths } => {
            let named: Vec<String> = paths.iter().map(|path| super::undone(path, lang)).collect();
            say(lang, "said-outside-scope", [text("paths", &named.join(", "))])
        }
        Said::FilesMissing { files } => say(lang, "said-files-missing", [text("files", &files.join(", "))]),
        Said::CheckoutDirty { path, branch } => {
            say(lang, "said-checkout-dirty", [text("path", path), super::main_arg(branch.as_deref())])
        }
        Said::ChangeEmpty => plain("said-change-empty"),
        Said::NothingChanged => plain("said-nothing-changed"),
        Said::FileOfAnotherRun { file } => say(lang, "said-file-of-another-run", [text("file", file)]),
        Said::NoVerdict { file, cause: None } => say(lang, "said-no-verdict", [text("file", file)]),
        Said::NoVerdict { file, cause: Some(cause) } => {
            say(lang, "said-no-verdict-because", [text("file", file), cause_arg(cause, lang)])
        }
        Said::FileNotFound => plain("said-file-not-found"),
        Said::Frontmatter(why) => frontmatter(why, lang),
        Said::FieldsEmpty { fields } => {
            say(lang, "said-fields-empty", [text("fields", &format!("`{}`", fields.join("`, `")))])
        }
        Said::WordUnknown { field, positive, negative } => {
            let args = [text("field", field), text("positive", positive), text("negative", negative)];
            say(lang, "said-word-unknown", args)
        }
        Said::TestWordUnknown => plain("said-test-word-unknown"),
        Said::PassOrFail { field } => say(lang, "said-pass-or-fail", [text("field", field)]),
        Said::DidNotCount { cause } => say(lang, "said-did-not-count", [cause_arg(cause, lang)]),
        Said::TokensUsedUp => plain("said-tokens-used-up"),
        Said::BranchPushedTo => plain("said-branch-pushed-to"),
        Said::SeeFile { path } => say(lang, "said-see-file", [text("path", path)]),
        Said::RequirementsChanged => plain("said-requirements-changed"),
        Said::RejectedWithoutReason => plain("said-rejected-without-reason"),
        Said::Conflict { paths } => {
            let paths: Vec<String> = paths.iter().map(|path| format!("- {path}")).collect();
            say(lang, "said-conflict", [text("paths", &paths.join("\n"))])
        }
        Said::BranchNameTaken { branch } => say(lang, "said-branch-name-taken", [text("branch", branch)]),
        Said::TestsExited { code } => say(lang, "said-tests-exited", [number("code", *code)]),
        Said::TestsSignalled { signal } => say(lang, "said-tests-signalled", [number("signal", *signal)]),
        Said::TestsTimedOut { limit } => {
            say(lang, "said-tests-timed-out", [("limit", Arg::Text(figure::span(*limit, lang)))])
        }
        Said::TestsTooLoud => plain("said-tests-too-loud"),
        Said::TestsStopped => plain("said-tests-stopped"),
        Said::HookFailed => plain("said-hook-failed"),
        Said::HookRollbackFailed => plain("said-hook-rollback-failed"),
        Said::HookSilent => plain("said-hook-silent"),
        Said::HookUnasked => plain("said-hook-unasked"),
        Said::SeenWell { by } => say(lang, "said-seen-well", [text("by", by)]),
        Said::SeenBad { by } => say(lang, "said-seen-bad", [text("by", by)]),
        Said::ServiceWell => plain("said-service-well"),
        Said::ServiceOther { commit } => say(lang, "said-service-other", [text("commit", commit)]),
        Said::ServiceUnwell { cause: why } => {
            say(lang, "said-service-unwell", [text("cause", &cause(why, lang))])
        }
        Said::ServiceUntold { cause: why } => {
            say(lang, "said-service-untold", [text("cause", &cause(why, lang))])
        }
        Said::ServiceStayedWell => plain("said-service-stayed-well"),
        Said::LaterDeployRuns { commit } => {
            say(lang, "said-later-deploy-runs", [text("commit", commit.as_str())])
        }
        Said::RecordUnreadable { record, cause } => {
            say(lang, "said-record-unreadable", [text("file", record.file()), cause_arg(cause, lang)])
        }
        Said::OtherTree { tree } => say(lang, "said-other-tree", [text("tree", tree.as_str())]),
        Said::NotInMain { main } => say(lang, "said-not-in-main", [text("main", main.as_str())]),
        Said::NotKnown(what) => plain(match what {
            Unknown::Branch => "said-not-known-branch",
            Unknown::Candidate => "said-not-known-candidate",
            Unknown::Change => "said-not-known-change",
            Unknown::ChangeRequest => "said-not-known-change-request",
            Unknown::Commit => "said-not-known-commit",
            Unknown::Merge => "said-not-known-merge",
            Unknown::Run => "said-not-known-run",
        }),
        Said::OddAnswer { ask: asked } => say(lang, "said-odd-answer", [text("ask", &ask(asked, lang))]),
        Said::OddRecordAnswer => plain("said-odd-record-answer"),
        Said::Refused(fact) => refusal(fact, lang),
        Said::Hindrance(fact) => hindrance(fact, lang),
    }
}

fn frontmatter(why: &Unreadable, lang: Lang) -> String {
    let line = |n: &usize| ("line", Arg::Text(n.to_string()));
    let key = |key: &String| ("key", Arg::Text(key.clone()));
    match why {
        Unreadable::Missing => say(lang, "said-front-missing", []),
        Unreadable::Unterminated { line: n } => {
            let most = ("most", Arg::Text((MAX_BYTES / 1024).to_string()));
            say(lang, "said-front-unterminated", [line(n), most])
        }
        Unreadable::NotUtf8 { line: n } => say(lang, "said-front-not-utf8", [line(n)]),
        Unreadable::NotPlain { line: n, cause } => {
            say(lang, "said-front-not-plain", [line(n), ("cause", Arg::Text(cause.clone()))])
        }
        Unreadable::Control { line: n, key: of } => say(lang, "said-front-control", [line(n), key(of)]),
    }
}

/// The prose of a deploy log, below its frontmatter.
pub fn deploy_log(log: &DeployLog<'_>, lang: Lang) -> String {
    let plain = |key: &'static str| say(lang, key, []);
    let verdict = plain(match log.came {
        Came::Out => "record-deploy-out",
        Came::Failed => "record-deploy-failed",
        Came::NotRolledBack => "record-deploy-not-rolled-back",
        Came::Seen { .. } => "record-deploy-seen",
        Came::Along { .. } => "record-deploy-along",
        Came::TurnedDown { .. } => "record-deploy-turned-down",
    });
    let because = md_block(&said(log.said, lang)).map(|said| format!("\n{said}\n")).unwrap_or_default();
    let row = |key: &'static str, value: String| format!("| {} | {value} |\n", plain(key));
    let facts = [
        row("record-deploy-commit", format!("`{}`", log.commit)),
        row("record-deploy-run", log.run.map_or_else(|| plain("record-none"), |run| run.to_string())),
        row("record-deploy-code", log.hook.map_or_else(|| plain("record-unknown"), |code| code.to_string())),
        row("record-deploy-round", log.round.to_string()),
        row("record-deploy-at", figure::moment(log.at)),
        row("record-row", log.row.to_string()),
    ];
    let title = say(lang, "record-deploy-title", [("item", Arg::Text(md_escape(log.item.as_str())))]);
    let (about, known) = (plain("record-verdict"), plain("record-facts"));
    format!(
        "# {title}\n\n## {about}\n\n{verdict}\n{because}\n## {known}\n\n| | |\n|---|---|\n{}",
        facts.concat()
    )
}

/// The prose of a post-deploy log, below its frontmatter.
pub fn watch_log(log: &WatchLog<'_>, lang: Lang) -> String {
    let plain = |key: &'static str| say(lang, key, []);
    let verdict = plain(match log.end {
        WatchEnd::Well => "record-watch-well",
        WatchEnd::Bad => "record-watch-bad",
    });
    let because = md_block(&said(log.said, lang)).map(|said| format!("\n{said}\n")).unwrap_or_default();
    let row = |key: &'static str, value: String| format!("| {} | {value} |\n", plain(key));
    let watch = log.watch;
    let facts = [
        row("record-deploy-commit", format!("`{}`", log.commit)),
        row("record-watch-looks", format!("{} / {}", watch.looks, watch.rules.looks())),
        row("record-watch-failed", watch.failed.to_string()),
        row("record-watch-untold", watch.untold.to_string()),
        row("record-watch-flaps", watch.flaps.to_string()),
        row("record-deploy-at", figure::moment(log.at)),
        row("record-row", log.row.to_string()),
    ];
    let title = say(lang, "record-watch-title", [("item", Arg::Text(md_escape(log.item.as_str())))]);
    let (about, known) = (plain("record-verdict"), plain("record-facts"));
    format!(
        "# {title}\n\n## {about}\n\n{verdict}\n{because}\n## {known}\n\n| | |\n|---|---|\n{}",
        facts.concat()
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::call::Text;
    use crate::hindrance::Hindrance;
    use crate::id::{Commit, RunId, Seq, Tree, WorkItem};
    use crate::record::Record;
    use crate::task::Ask;
    use crate::time::{Moment, Span};

    fn front() -> [Unreadable; 5] {
        [
            Unreadable::Missing,
            Unreadable::Unterminated { line: 9 },
            Unreadable::NotUtf8 { line: 3 },
            Unreadable::NotPlain { line: 4, cause: "`verdict` stands here a second time".to_owned() },
            Unreadable::Control { line: 2, key: "verdict".to_owned() },
        ]
    }

    /// One of each: a key that none of them says is a finding of the test that looks at all sentences.
    pub(in super::super) fn everything() -> Vec<Said> {
        let file = || "12-review.md".to_owned();
        let paths = || vec!["src/lib.rs".to_owned(), "README.md".to_owned()];
        let words = || "connection refused".to_owned();
        let boxed = |said: Said| Box::new(Cause::from(said));
        let mut all = vec![
            Said::AgentExited { code: 2 },
            Said::AgentSignalled { signal: 9 },
            Said::AgentTimedOut,
            Said::AgentTooLoud,
            Said::AgentStopped,
            Said::AgentOverTokens { tokens: 5_200_000, limit: 5_000_000 },
            Said::OutsideScope { paths: super::super::undone::tests::everything() },
            Said::FilesMissing { files: paths() },
            Said::CheckoutDirty { path: "/home/a/b".to_owned(), branch: Some("trunk".to_owned()) },
            Said::ChangeEmpty,
            Said::NothingChanged,
            Said::FileOfAnotherRun { file: file() },
            Said::NoVerdict { file: file(), cause: None },
            Said::NoVerdict { file: file(), cause: Some(boxed(Said::TestWordUnknown)) },
            Said::FileNotFound,
            Said::FieldsEmpty { fields: vec!["result".to_owned(), "verdict".to_owned()] },
            Said::WordUnknown {
                field: "verdict".to_owned(),
                positive: "APPROVED".to_owned(),
                negative: "REQUEST_CHANGES".to_owned(),
            },
            Said::TestWordUnknown,
            Said::PassOrFail { field: "security_status".to_owned() },
            Said::DidNotCount { cause: boxed(Said::FilesMissing { files: paths() }) },
            Said::TokensUsedUp,
            Said::BranchPushedTo,
            Said::SeeFile { path: file() },
            Said::RequirementsChanged,
            Said::RejectedWithoutReason,
            Said::Conflict { paths: paths() },
            Said::BranchNameTaken { branch: "feature/A-001".to_owned() },
            Said::TestsExited { code: 101 },
            Said::TestsSignalled { signal: 11 },
            Said::TestsTimedOut { limit: Span::minutes(30) },
            Said::TestsTooLoud,
            Said::TestsStopped,
            Said::HookFailed,
            Said::HookRollbackFailed,
            Said::HookSilent,
            Said::HookUnasked,
            Said::SeenWell { by: "ann".to_owned() },
            Said::SeenBad { by: "ann".to_owned() },
            Said::ServiceWell,
            Said::ServiceOther { commit: "c0ffee".to_owned() },
            Said::ServiceUnwell { cause: Box::new(Hindrance::AnswersWith { status: 503 }.into()) },
            Said::ServiceUntold { cause: Box::new(words().into()) },
            Said::ServiceStayedWell,
            Said::LaterDeployRuns { commit: Commit::from("c0ffee") },
            Said::RecordUnreadable { record: Record::DeployLog, cause: boxed(Said::FileNotFound) },
            Said::OtherTree { tree: Tree::from("c0ffee") },
            Said::NotInMain { main: Commit::from("c0ffee") },
            Said::OddAnswer { ask: Box::new(Ask::Merge) },
            Said::OddRecordAnswer,
        ];
        all.extend(super::super::refusal::tests::everything().into_iter().map(Said::Refused));
        all.extend(super::super::hindrance::tests::everything().into_iter().map(Said::Hindrance));
        all.extend(front().map(Said::Frontmatter));
        let unknown = [
            Unknown::Branch,
            Unknown::Candidate,
            Unknown::Change,
            Unknown::ChangeRequest,
            Unknown::Commit,
            Unknown::Merge,
            Unknown::Run,
        ];
        all.extend(unknown.map(Said::NotKnown));
        all
    }

    /// Proves that all that Orch says is said in both languages, never in the other one, and loads as what it was.
    #[test]
    fn facts_are_said_in_both_languages() {
        for fact in everything() {
            let [en, ru] = Lang::ALL.map(|lang| said(&fact, lang));
            let russian = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
            assert!(!russian(&en) && russian(&ru), "{en} / {ru}");
            let stored = serde_json::to_string(&fact).unwrap();
            assert_eq!(serde_json::from_str::<Said>(&stored).unwrap(), fact, "{stored}");
        }
        let read = |lang| said(&Said::DidNotCount { cause: Box::new(Said::AgentTimedOut.into()) }, lang);
        assert_eq!(read(Lang::En), "Your last run did not count: the agent was killed at its time limit.");
        assert_eq!(read(Lang::Ru), "Прошлый запуск не засчитан: агент не уложился в своё время.");
    }

    /// Proves that the words of `frontmatter` and those of its errors are the same.
    #[test]
    fn frontmatter_is_described_alike() {
        for why in front() {
            assert_eq!(said(&Said::Frontmatter(why.clone()), Lang::En), why.to_string());
        }
    }

    /// Proves that a finding is read from its text, or made, and that an erased text is none.
    #[test]
    fn findings_are_read_or_made() {
        let text = |digest: &Digest| (*digest == Digest::of(b"here")).then(|| "here".to_owned());
        assert_eq!(found(&Text::of("here").into(), &text, Lang::Ru).as_deref(), Some("here"));
        assert_eq!(found(&Text::of("erased").into(), &text, Lang::Ru), None);
        let made = found(&Said::ChangeEmpty.into(), &text, Lang::Ru);
        assert_eq!(made.as_deref(), Some("ничего не изменено"));
    }

    /// Proves that a deploy log in Russian says the same to the machine, and its prose to people.
    #[test]
    fn a_record_speaks_the_language_of_its_project() {
        let (item, commit) = (WorkItem::from("ORCH-042"), Commit::from("0123456789abcdef"));
        let run = Some(RunId::new(Seq(41), 0));
        let log = DeployLog {
            item: &item,
            came: Came::Failed,
            hook: None,
            commit: &commit,
            run,
            round: 2,
            said: &Said::ServiceOther { commit: "c0ffee".to_owned() },
            at: Moment(1_767_366_240_000),
            row: Seq(58),
        };
        let text = log.render(Lang::Ru);
        expect_test::expect![[r#"
            ---
            deploy_status: FAILED
            work_item: ORCH-042
            hook_exit_code: unknown
            deployed_by: deployer
            commit: 0123456789abcdef
            ---
            # Журнал выкатки ORCH-042

            ## Итог

            Выкатка не удалась.

            ```text
            сервис называет другой коммит: c0ffee
            ```

            ## Сведения

            | | |
            |---|---|
            | коммит main | `0123456789abcdef` |
            | запуск команды выкатки | r41.0 |
            | код завершения команды | неизвестен |
            | круг | 2 |
            | решено | 2026-01-02 15:04 UTC |
            | строка журнала | 58 |
        "#]]
        .assert_eq(&text);
        let read = Record::DeployLog.read(&text);
        assert_eq!(read, Record::DeployLog.read(&log.render(Lang::En)));
        assert_eq!(read, crate::artefact::FileVerdict::Negative);
    }
}
