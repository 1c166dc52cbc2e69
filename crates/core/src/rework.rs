//! What does a developer get back, and when is it enough? One budget for every cause (decisions 15, 16; row 98).

use serde::{Deserialize, Serialize};

use crate::gate::GateId;
use crate::id::Digest;
use crate::said::Found;

/// The third negative judgement escalates, whatever gate gave it: three developer runs in all (row 98, invariant C8).
pub const MAX_DEVELOPER_RUNS: u32 = 3;

/// A run without its artefact, or killed at a limit, is repeated twice, then escalates (decision 15).
pub const MAX_FRUITLESS: u32 = 2;

/// Conflicts with main and candidates that are red only together with main cost no round; five in a row escalate.
pub const MAX_CONFLICTS: u32 = 5;

/// Runs that the machine could not start or lost, in a row, before a person is asked.
pub const MAX_MACHINE: u32 = 5;

/// What a judgement found: goes to the next run verbatim, and as a link (decision 16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Who judged.
    pub from: Judge,
    /// A judge's words are verbatim and bounded.
    pub text: Found,
    /// Where the whole of it is: a path on the task branch or a run's log.
    pub link: String,
    /// The work that a person rejected: a run that leaves it as it is does not count (decision 71).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Digest>,
}

/// Who judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// A gate.
    Gate(GateId),
    /// A person.
    Person(String),
    /// Main: a conflict, or a candidate that is red only together with it.
    Main,
    /// The host: a run without fruit or outside its scope.
    Host,
}

impl Judge {
    /// Whether its judgement uses up an attempt (decision 15).
    pub const fn counts(&self) -> bool {
        match self {
            Judge::Gate(_) | Judge::Person(_) => true,
            Judge::Main | Judge::Host => false,
        }
    }
}

/// How much of the budgets is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attempts {
    /// Negative judgements of developer runs since the start or the last retry.
    pub negative: u32,
    /// Fruitless runs in a row in this stage.
    pub fruitless: u32,
    /// Conflicts in a row.
    pub conflicts: u32,
    /// Runs in a row that the machine could not start or lost: nobody's fault, but not for ever.
    pub machine: u32,
    /// Negative answers to the analyst or architect by a person, in this stage.
    pub rejections: u32,
}
