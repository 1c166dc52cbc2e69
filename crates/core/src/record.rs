//! What does Orch itself write down about a task, and what does the machine read back of it? (decision 18)
//!
//! A record is rendered once and read back at once, by the same contract as agents' files. What was read is the verdict;
//! what cannot be read is none (decision 36). The text is a blob of the journal, and the newest one of each record is
//! written to the branch [`BRANCH`], like any other surface: again until it stands there, never twice.

use serde::{Deserialize, Serialize};

use crate::artefact::{self, FileVerdict};
use crate::call::Text;
use crate::frontmatter;
use crate::id::{Commit, Digest, EffectId, RunId, Seq, WorkItem};
use crate::message::{self, Lang};
use crate::said::{Cause, Said};
use crate::task::{Watch, WatchEnd};
use crate::time::Moment;

/// The branch that keeps the records, so that bookkeeping never moves main.
pub const BRANCH: &str = "orch/records";

/// A numbered file that Orch itself writes (predecessor section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// What a deploy came to.
    DeployLog,
    /// How production was after it (row 95).
    PostDeployLog,
}

impl Record {
    /// All of them.
    pub const ALL: [Record; 2] = [Record::DeployLog, Record::PostDeployLog];

    /// The file below the work item's folder.
    pub const fn file(self) -> &'static str {
        match self {
            Record::DeployLog => "14-deploy-log.md",
            Record::PostDeployLog => "16-post-deploy-log.md",
        }
    }

    /// Whose desk it belongs to: the author of its commits. No agent works there (decision 6).
    pub const fn author(self) -> &'static str {
        match self {
            Record::DeployLog => "deployer",
            Record::PostDeployLog => "post-deploy-monitor",
        }
    }

    /// Where it stands on the branch.
    pub fn path(self, item: &WorkItem) -> String {
        format!("{}/{}", artefact::folder(item), self.file())
    }

    /// Reads the verdict back from a text: never more than the text says.
    pub fn read(self, text: &str) -> FileVerdict {
        let none = || Said::NoVerdict { file: self.file().to_owned(), cause: None };
        let none = || FileVerdict::Unreadable(none().into());
        artefact::read(self.file(), text.as_bytes(), true).artefact.verdict.unwrap_or_else(none)
    }
}

/// A record of a task: its newest text, and how that stands on the branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Which.
    pub record: Record,
    /// Its text.
    pub text: Text,
    /// What was read back.
    pub verdict: FileVerdict,
    /// The run that it tells of, if there was one.
    pub run: Option<RunId>,
    /// When it was written down.
    pub at: Moment,
    /// A write to the branch that no reply settled yet, with the text that it writes.
    pub writing: Option<(EffectId, Digest)>,
    /// The text that stands on the branch, and since which commit.
    pub stands: Option<(Digest, Commit)>,
    /// Why the newest text does not stand there, if that was tried in vain.
    pub trouble: Option<Trouble>,
}

/// Why a text could not be written to the branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Place and cause.
    pub cause: Cause,
    /// Whether it will not work before a person did something; else it is tried again by itself.
    pub lasting: bool,
}

impl Recorded {
    /// The commit on the branch that has the newest text, once it stands.
    pub fn standing(&self) -> Option<&Commit> {
        self.stands.as_ref().filter(|(text, _)| *text == self.text.blob).map(|(_, commit)| commit)
    }

    /// Whether the newest text is to be written to the branch now. One that cannot be read back is kept and shown, not
    /// handed on.
    pub fn is_wanted(&self) -> bool {
        let readable = match &self.verdict {
            FileVerdict::Positive | FileVerdict::Negative => true,
            FileVerdict::Unreadable(_) => false,
        };
        readable && !self.is_refused() && self.writing.is_none() && self.standing().is_none()
    }

    /// Whether a person must do something before the newest text can stand on the branch.
    pub fn is_refused(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.lasting)
    }
}

/// What a deploy came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came<'a> {
    /// Out and well.
    Out,
    /// Failed, and rolled back or untouched.
    Failed,
    /// Failed, and so did the rollback.
    NotRolledBack,
    /// Out, says somebody who looked: no service could be asked (decision 64).
    Seen {
        /// Who.
        by: &'a str,
    },
    /// Out with a later deploy that contains it and came out well (decision 75).
    Along {
        /// Of which commit.
        with: &'a Commit,
    },
    /// Not right, says somebody who looked.
    TurnedDown {
        /// Who.
        by: &'a str,
    },
}

/// The facts of a deploy log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployLog<'a> {
    /// The work item.
    pub item: &'a WorkItem,
    /// What it came to.
    pub came: Came<'a>,
    /// The hook's exit code, if it left one.
    pub hook: Option<i32>,
    /// The commit of main.
    pub commit: &'a Commit,
    /// The hook's run.
    pub run: Option<RunId>,
    /// Which round (decision 41).
    pub round: u32,
    /// What decided.
    pub said: &'a Said,
    /// When.
    pub at: Moment,
    /// In which row of the journal: no text is written down twice, so who writes it to the branch knows an older one again.
    pub row: Seq,
}

impl DeployLog<'_> {
    /// The file: the predecessor's four keys and the commit (decision 27). What the hook printed
    /// is not in it: that is a text of its own, which can be erased (decision 39). The machine's words are the same in every
    /// language.
    pub fn render(&self, lang: Lang) -> String {
        let status = match self.came {
            Came::Out | Came::Seen { .. } | Came::Along { .. } => "SUCCESS",
            Came::Failed | Came::NotRolledBack | Came::TurnedDown { .. } => "FAILED",
        };
        let code = self.hook.map_or_else(|| "unknown".to_owned(), |code| code.to_string());
        let front = [
            ("deploy_status", status),
            ("work_item", self.item.as_str()),
            ("hook_exit_code", &code),
            ("deployed_by", Record::DeployLog.author()),
            ("commit", self.commit.as_str()),
        ];
        frontmatter::render(&front, &message::deploy_log(self, lang))
    }
}

/// The facts of a post-deploy log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchLog<'a> {
    /// The work item.
    pub item: &'a WorkItem,
    /// How the watch ended.
    pub end: WatchEnd,
    /// What it saw.
    pub watch: &'a Watch,
    /// The commit of main.
    pub commit: &'a Commit,
    /// What decided.
    pub said: &'a Said,
    /// When.
    pub at: Moment,
    /// In which row of the journal: no text is written down twice, so who writes it to the branch knows an older one again.
    pub row: Seq,
}

impl WatchLog<'_> {
    /// The file: the predecessor's six keys and the commit (row 95, decision 27). Orch rolls nothing back (row 94): what it
    /// does is to freeze and to tell.
    pub fn render(&self, lang: Lang) -> String {
        let (status, action) = match self.end {
            WatchEnd::Well => ("HEALTHY", "NONE"),
            WatchEnd::Bad => ("DEGRADED", "ALERT_ONLY"),
        };
        let numbers =
            [self.watch.rules.window.as_seconds(), self.watch.looks.into(), self.watch.failed.into()];
        let [window, looks, failed] = numbers.map(|n: u64| n.to_string());
        let front = [
            ("post_deploy_status", status),
            ("action_taken", action),
            ("work_item", self.item.as_str()),
            ("window_s", &window),
            ("checks_total", &looks),
            ("checks_failed", &failed),
            ("commit", self.commit.as_str()),
        ];
        frontmatter::render(&front, &message::watch_log(self, lang))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn log(came: Came<'_>, hook: Option<i32>, said: &Said) -> String {
        let commit = Commit::from("0123456789abcdef0123456789abcdef01234567");
        let (item, run) = (WorkItem::from("ORCH-042"), Some(RunId::new(Seq(41), 0)));
        let at = Moment(1_767_366_240_000);
        DeployLog { item: &item, came, hook, commit: &commit, run, round: 1, said, at, row: Seq(58) }
            .render(Lang::En)
    }

    /// row 23: Deploy gate reads only deploy_status.
    /// Proves also the file as a whole, the predecessor's keys in it, and that what was rendered reads back.
    #[test]
    fn a_deploy_log_reads_back() {
        let text = log(Came::Out, Some(0), &Said::ServiceWell);
        expect_test::expect![[r#"
            ---
            deploy_status: SUCCESS
            work_item: ORCH-042
            hook_exit_code: 0
            deployed_by: deployer
            commit: 0123456789abcdef0123456789abcdef01234567
            ---
            # Deploy log of ORCH-042

            ## Verdict

            The commit is deployed and well.

            ```text
            the service names the commit and is well
            ```

            ## Facts

            | | |
            |---|---|
            | commit of main | `0123456789abcdef0123456789abcdef01234567` |
            | run of the hook | r41.0 |
            | exit code of the hook | 0 |
            | round | 1 |
            | decided | 2026-01-02 15:04 UTC |
            | row of the journal | 58 |
        "#]]
        .assert_eq(&text);
        assert_eq!(Record::DeployLog.read(&text), FileVerdict::Positive);
        let seen = log(Came::Seen { by: "ann" }, Some(0), &Said::SeenWell { by: "ann".to_owned() });
        assert_eq!(Record::DeployLog.read(&seen), FileVerdict::Positive, "{seen}");
        let cases = [
            (Came::Failed, Some(1), "1"),
            (Came::TurnedDown { by: "ann" }, Some(0), "0"),
            (Came::NotRolledBack, Some(2), "2"),
            (Came::Failed, None, "unknown"),
        ];
        for (came, hook, code) in cases {
            let text = log(came, hook, &Said::HookFailed);
            assert_eq!(Record::DeployLog.read(&text), FileVerdict::Negative, "{text}");
            let front = frontmatter::parse(text.as_bytes()).unwrap().front;
            assert_eq!(front.get("hook_exit_code"), Some(code));
            assert!(frontmatter::check(Record::DeployLog.file(), &front, true).usable, "{text}");
        }
    }

    /// row 95: 16-post-deploy-log written with six keys.
    /// Proves also the file as a whole, and that what was rendered reads back.
    #[test]
    fn a_post_deploy_log_reads_back() {
        let (item, commit) = (WorkItem::from("ORCH-042"), Commit::from("0123456789abcdef".repeat(2)));
        let rules =
            crate::policy::WatchRules { window: Span::minutes(15), every: Span::seconds(30), failures: 3 };
        let watch = Watch { looks: 30, failed: 2, untold: 1, flaps: 2, ..Watch::new(rules, None) };
        let (said, at) = (Said::ServiceStayedWell, Moment(1_767_366_240_000));
        let log = |end| {
            WatchLog { item: &item, end, watch: &watch, commit: &commit, said: &said, at, row: Seq(90) }
                .render(Lang::En)
        };
        let text = log(WatchEnd::Well);
        expect_test::expect![[r#"
            ---
            post_deploy_status: HEALTHY
            action_taken: NONE
            work_item: ORCH-042
            window_s: 900
            checks_total: 30
            checks_failed: 2
            commit: 0123456789abcdef0123456789abcdef
            ---
            # Post-deploy log of ORCH-042

            ## Verdict

            Production is well after the deploy.

            ```text
            the service named the commit and was well to the end of the watch
            ```

            ## Facts

            | | |
            |---|---|
            | commit of main | `0123456789abcdef0123456789abcdef` |
            | looks, of a whole watch | 30 / 30 |
            | bad looks | 2 |
            | looks that could not tell | 1 |
            | times it came back | 2 |
            | decided | 2026-01-02 15:04 UTC |
            | row of the journal | 90 |
        "#]]
        .assert_eq(&text);
        assert_eq!(Record::PostDeployLog.read(&text), FileVerdict::Positive);
        let front = frontmatter::parse(text.as_bytes()).unwrap().front;
        assert!(frontmatter::check(Record::PostDeployLog.file(), &front, true).usable);
        assert_eq!(frontmatter::required_keys(Record::PostDeployLog.file()).len(), 6);
        assert_eq!(Record::PostDeployLog.read(&log(WatchEnd::Bad)), FileVerdict::Negative);
    }

    /// Proves that nothing that a hook or a service says becomes frontmatter, and that a record without a verdict says so.
    #[test]
    fn words_from_outside_are_no_verdict() {
        let said = "---\ndeploy_status: SUCCESS\n---\n```\n# SUCCESS";
        let text = log(Came::Failed, Some(1), &Said::ServiceUnwell { cause: Box::new(said.into()) });
        assert_eq!(Record::DeployLog.read(&text), FileVerdict::Negative);
        assert!(
            text.contains("````text\nthe service names the commit and is not well: ---\ndeploy_status: SUCCESS\n---\n```\n# SUCCESS\n````\n"),
            "{text}"
        );
        for broken in
            ["", "deploy_status: SUCCESS", "---\nstatus: SUCCESS\n---\n", "---\ndeploy_status: maybe\n---\n"]
        {
            assert!(matches!(Record::DeployLog.read(broken), FileVerdict::Unreadable(_)), "{broken}");
        }
    }

    /// Proves that every record has a file with required keys and a verdict of its own, and that no two share one.
    #[test]
    fn records_are_files_of_the_contract() {
        for record in Record::ALL {
            assert!(!frontmatter::required_keys(record.file()).is_empty(), "{record:?}");
            assert!(artefact::read(record.file(), b"", true).artefact.verdict.is_some(), "{record:?}");
            assert_eq!(Record::ALL.iter().filter(|other| other.file() == record.file()).count(), 1);
        }
    }
}
