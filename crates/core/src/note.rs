//! What does Orch say under an issue? Facts only; the sentence is made by [`crate::message`] when it is said.

use serde::{Deserialize, Serialize};

use crate::call::Text;
use crate::event::Usage;
use crate::gate::GateId;
use crate::id::{Commit, Digest};
use crate::rework::Judge;
use crate::said::{Cause, Found};
use crate::stage::{Role, Stage};
use crate::task::{Why, Withdrawn};
use crate::time::Span;

/// One thing that people are told, once (invariant F3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The requirements wait for approval (row 117).
    RequirementsReady {
        /// The files that exist, as paths in the repository.
        files: Vec<String>,
        /// On which branch.
        branch: String,
    },
    /// The analyst has questions (decision 29).
    Questions {
        /// Their text.
        text: Option<Text>,
    },
    /// A label gave what a person would have (rows 134, 135).
    ByLabel {
        /// To which end: the requirements' approval, or the word to deploy or to merge.
        deploy: bool,
        /// Whether that word is to merge alone, where nothing is deployed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        merges: bool,
    },
    /// An agent's run is through (row 116).
    RunFinished {
        /// Which role.
        role: Role,
        /// What it used.
        usage: Usage,
        /// How long it ran.
        wall: Span,
        /// The files it wrote, as paths in the repository.
        files: Vec<String>,
    },
    /// A change to protected paths waits for a person (decision 8).
    ProtectedTouched {
        /// Which.
        paths: Vec<String>,
    },
    /// The task goes back (rows 48, 100).
    SentBack {
        /// From where.
        from: Stage,
        /// To where.
        to: Stage,
        /// Who judged.
        judge: Judge,
        /// What was found.
        text: Option<Found>,
        /// The judgement's number.
        attempt: u32,
        /// How many there are.
        of: u32,
    },
    /// A person is needed (row 99).
    Escalated {
        /// Why.
        why: Why,
        /// At which stage.
        stage: Stage,
    },
    /// Waits for Confirm Deploy; Approved does not deploy (row 76).
    AwaitingConfirmation {
        /// The change.
        change: Digest,
        /// Whether something will be deployed, or only merged.
        deploys: bool,
        /// Whether it was merged past the gates, and a person accepted it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accepted: bool,
    },
    /// Merged, and proven.
    Merged {
        /// What main is.
        commit: Commit,
    },
    /// Somebody merged the branch past the gates (decision 45).
    MergedOutside {
        /// What main is.
        commit: Commit,
    },
    /// Somebody took the branch or its change request away (decision 45).
    Withdrawn {
        /// What.
        what: Withdrawn,
    },
    /// A run was stopped at the end of its tokens (decision 12).
    RunOverTokens {
        /// Which role.
        role: Role,
        /// How many it had used.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// The deploy failed after the merge (decision 41).
    DeployFailed {
        /// How.
        cause: Cause,
        /// What stays in main.
        commit: Commit,
    },
    /// The hook says that it is deployed, and there is no service to ask: a person looks (decision 64).
    DeployUnseen {
        /// What main is.
        commit: Commit,
    },
    /// The task is stopped, and what its deploy came to cannot be told (decision 36).
    DeployUntold {
        /// What was seen.
        cause: Cause,
        /// What stays in main.
        commit: Commit,
    },
    /// Production went bad after a deploy that was well (row 97).
    WentBad {
        /// What was seen.
        cause: Cause,
        /// What stays in main.
        commit: Commit,
    },
    /// Production says nothing any more after a deploy that was well (decision 36).
    WentSilent {
        /// What was seen.
        cause: Cause,
        /// What stays in main.
        commit: Commit,
    },
    /// Delivered (row 193).
    Done {
        /// What main is.
        commit: Commit,
        /// Whether it was deployed: the service says so, or a person who looked.
        deployed: bool,
        /// A role, its runs and what they used.
        roles: Vec<(Role, u32, Usage)>,
        /// Agents' time.
        agents: Span,
        /// People's time (row 211).
        people: Span,
        /// From the start to now.
        wall: Span,
    },
    /// A stop waits for an irreversible step to end (row 150).
    StopDeferred,
    /// Stopped.
    Stopped {
        /// What stays in main, if something was merged.
        stays: Option<Commit>,
        /// Whether the repository is frozen because nobody proved what main holds of it (decision 19).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        frozen: bool,
    },
    /// A gate could not judge, once a cause (decision 14).
    Unavailable {
        /// Which.
        gate: GateId,
        /// Why.
        cause: Cause,
    },
}
