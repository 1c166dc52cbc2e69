//! What does Orch itself say: to the next run, and as the cause of something? Facts only; the words are made by
//! [`crate::message`] where they are shown or sent, in the language of whoever reads them (decisions 28, 47).
//!
//! What an agent, git, a test or a service says is quoted as it came. So are the English words of Orch in rows that are
//! older than this.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::call::Text;
use crate::frontmatter::Unreadable;
use crate::hindrance::Hindrance;
use crate::id::{Commit, Tree};
use crate::message::{self, Lang};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::task::Ask;
use crate::time::Span;
use crate::undone::Undone;

/// Why something is so, as a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cause {
    /// In words from outside.
    Quoted(String),
    /// As Orch says it.
    Said {
        /// What.
        said: Said,
    },
}

/// What the next run is to know of a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Found {
    /// A kept text: the judge's words, verbatim (decision 16).
    Kept(Text),
    /// As Orch says it.
    Said {
        /// What.
        said: Said,
    },
}

/// All that Orch says by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The agent ended with another code than 0.
    AgentExited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended the agent.
    AgentSignalled {
        /// Which.
        signal: i32,
    },
    /// The agent was killed at its time limit.
    AgentTimedOut,
    /// The agent was killed at its output limit.
    AgentTooLoud,
    /// The agent was stopped.
    AgentStopped,
    /// The agent was stopped at the end of its tokens (decision 12).
    AgentOverTokens {
        /// How many it had used.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// A run wrote where its role may not (decision 8).
    OutsideScope {
        /// Which paths, each with what is wrong with it.
        paths: Vec<Undone>,
    },
    /// Files that the role must write are not there (row 14).
    FilesMissing {
        /// Which.
        files: Vec<String>,
    },
    /// The person's checkout of main has changes (decision 43).
    CheckoutDirty {
        /// Where.
        path: String,
        /// The branch that is checked out there and was to follow; `None` in rows that are older than this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// The developer changed nothing.
    ChangeEmpty,
    /// A person rejected this work, and the run left it as it was.
    NothingChanged,
    /// A verdict file is that of an earlier run (decision 8).
    FileOfAnotherRun {
        /// Which.
        file: String,
    },
    /// A verdict file has no verdict (row 20).
    NoVerdict {
        /// Which.
        file: String,
        /// Why not, if that is known.
        cause: Option<Box<Cause>>,
    },

    /// A verdict file is not there.
    FileNotFound,
    /// The frontmatter of a verdict file cannot be read.
    Frontmatter(Unreadable),
    /// None of these fields has a value.
    FieldsEmpty {
        /// Which.
        fields: Vec<String>,
    },
    /// A field has another word than the two that count.
    WordUnknown {
        /// Which.
        field: String,
        /// The word that passes.
        positive: String,
        /// The word that does not.
        negative: String,
    },
    /// A test report has another word than those that count.
    TestWordUnknown,
    /// A security report says neither PASS alone nor FAIL.
    PassOrFail {
        /// In which field.
        field: String,
    },

    /// A run did not count, and is repeated (decision 15).
    DidNotCount {
        /// What it lacked.
        cause: Box<Cause>,
    },
    /// A run was stopped at the end of its tokens; what it left is on the branch (decision 12).
    TokensUsedUp,
    /// Somebody pushed to the task branch (decision 45).
    BranchPushedTo,
    /// All that was found is in a file.
    SeeFile {
        /// Its path in the repository.
        path: String,
    },
    /// The requirements changed after the change was written (decision 45).
    RequirementsChanged,
    /// A person rejected without a word (row 103: the fixed fallback).
    RejectedWithoutReason,
    /// The change conflicts with main.
    Conflict {
        /// In which files.
        paths: Vec<String>,
    },
    /// The task's branch cannot be cut: the name is taken, and so is the one beside it.
    BranchNameTaken {
        /// Which.
        branch: String,
    },

    /// The tests failed without a word.
    TestsExited {
        /// Their exit code.
        code: i32,
    },
    /// A signal ended the tests.
    TestsSignalled {
        /// Which.
        signal: i32,
    },
    /// The tests were killed at their time limit.
    TestsTimedOut {
        /// What it was.
        limit: Span,
    },
    /// The tests were killed at their output limit.
    TestsTooLoud,
    /// The run of the tests was stopped.
    TestsStopped,

    /// The deploy hook says: failed, and rolled back or untouched.
    HookFailed,
    /// The deploy hook says: failed, and so did the rollback.
    HookRollbackFailed,
    /// The deploy hook left no result, and there is nothing to ask.
    HookSilent,
    /// The deploy hook says that it is deployed, and there is no service to ask (decision 64).
    HookUnasked,
    /// Somebody looked: it is deployed and well.
    SeenWell {
        /// Who.
        by: String,
    },
    /// Somebody looked: it is not right.
    SeenBad {
        /// Who.
        by: String,
    },
    /// The service names the commit and is well.
    ServiceWell,
    /// The service names another commit.
    ServiceOther {
        /// In its words.
        commit: String,
    },
    /// The service names the commit and is not well.
    ServiceUnwell {
        /// What it says.
        cause: Box<Cause>,
    },
    /// The service does not say who it is.
    ServiceUntold {
        /// What came of asking.
        cause: Box<Cause>,
    },
    /// The service stayed well while it was watched.
    ServiceStayedWell,
    /// A later deploy of the repository runs.
    LaterDeployRuns {
        /// Which commit.
        commit: Commit,
    },
    /// A record cannot be read back (decision 36).
    RecordUnreadable {
        /// Which.
        record: Record,
        /// Why not.
        cause: Box<Cause>,
    },

    /// Main got another tree than the one that was tested (decision 19).
    OtherTree {
        /// Which.
        tree: Tree,
    },
    /// The merged commit is not in main.
    NotInMain {
        /// Where main is.
        main: Commit,
    },

    /// Something that the next step needs is not known.
    NotKnown(Unknown),
    /// An adapter answered another question than it was asked.
    OddAnswer {
        /// What was asked.
        ask: Box<Ask>,
    },
    /// An adapter that was to write a record answered something else.
    OddRecordAnswer,

    /// A hand refuses something by itself.
    Refused(Refusal),
    /// A hand saw what stands in the way.
    Hindrance(Hindrance),
}

/// What can be unknown where it is needed. None of it should happen: a person looks, and nothing is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The task branch.
    Branch,
    /// The candidate.
    Candidate,
    /// The change.
    Change,
    /// The change request.
    ChangeRequest,
    /// The commit to work on.
    Commit,
    /// The merge.
    Merge,
    /// The run.
    Run,
}

/// No words: nothing was said.
impl Default for Cause {
    fn default() -> Self {
        Cause::Quoted(String::new())
    }
}

/// In English: for logs, which have no reader's language. People are told by [`message::cause`].
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&message::cause(self, Lang::En))
    }
}

impl From<Refusal> for Cause {
    fn from(refusal: Refusal) -> Self {
        Said::Refused(refusal).into()
    }
}

impl From<Said> for Cause {
    fn from(said: Said) -> Self {
        Cause::Said { said }
    }
}

impl From<String> for Cause {
    fn from(words: String) -> Self {
        Cause::Quoted(words)
    }
}

impl From<&str> for Cause {
    fn from(words: &str) -> Self {
        Cause::Quoted(words.to_owned())
    }
}

impl From<Said> for Found {
    fn from(said: Said) -> Self {
        Found::Said { said }
    }
}

impl From<Text> for Found {
    fn from(text: Text) -> Self {
        Found::Kept(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Serialize>(what: &T) -> String {
        serde_json::to_string(what).unwrap()
    }

    /// Proves that causes and findings of older rows, which are words and texts, load and stay the bytes that they were
    /// (decision 39), and that facts load as facts.
    #[test]
    fn older_words_load() {
        let quoted = r#""exit code 2""#;
        let cause: Cause = serde_json::from_str(quoted).unwrap();
        assert_eq!((&cause, written(&cause).as_str()), (&Cause::from("exit code 2"), quoted));
        let text = Text::of("смотри");
        let found: Found = serde_json::from_str(&written(&text)).unwrap();
        assert_eq!((&found, written(&found)), (&Found::Kept(text.clone()), written(&text)));
        // What a probe saw and a provider said was words.
        let probed: Said = serde_json::from_str(r#"{"service_unwell":{"cause":"down"}}"#).unwrap();
        assert_eq!(probed, Said::ServiceUnwell { cause: Box::new("down".into()) });
        let limited = r#"{"provider_limited":{"until":null,"cause":"429"}}"#;
        let how: crate::event::RunHow = serde_json::from_str(limited).unwrap();
        assert_eq!(written(&how), limited);
        let said = Said::DidNotCount { cause: Box::new(Said::AgentTimedOut.into()) };
        let json = r#"{"said":{"did_not_count":{"cause":{"said":"agent_timed_out"}}}}"#;
        assert_eq!(written(&Cause::from(said.clone())), json);
        assert_eq!(serde_json::from_str::<Cause>(json).unwrap(), said.clone().into());
        assert_eq!(serde_json::from_str::<Found>(json).unwrap(), said.into());
    }

    /// Proves that a log, which has no reader's language, has the sentence in English, and that nothing said is no words.
    #[test]
    fn a_log_has_the_sentence() {
        let hindrance =
            || crate::hindrance::Hindrance::FileUnread { path: "a".to_owned(), words: "gone".to_owned() };
        let sentence = message::hindrance(&hindrance(), Lang::En);
        assert!(sentence.contains("gone"), "{sentence}");
        assert_eq!(hindrance().to_string(), sentence);
        assert_eq!(Cause::from(hindrance()).to_string(), message::cause(&Cause::from(hindrance()), Lang::En));
        assert!(Cause::from(hindrance()).to_string().contains("gone"));
        assert_eq!(Cause::default().to_string(), "");
        let refused = Cause::from(crate::refusal::Refusal::NoFolder { path: "docs".to_owned() });
        assert!(matches!(&refused, Cause::Said { said: Said::Refused(_) }), "{refused}");
    }
}
