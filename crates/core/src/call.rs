//! What may be asked of the outside, and what may it answer? One file a port; plain data both ways.
//!
//! An adapter offers `perform(call) -> reply`. A call is performed at least once and carries the id of its effect:
//! the adapter looks whether it already happened before it acts (decision 1).

pub mod agent;
pub mod deploy;
pub mod forge;
pub mod gate;
pub mod git;
pub mod tracker;

use serde::{Deserialize, Serialize};

pub use agent::{AgentCall, AgentReply};
pub use deploy::{DeployCall, DeployReply};
pub use forge::{ForgeCall, ForgeReply};
pub use gate::{GateCall, GateReply};
pub use git::{GitCall, GitReply};
pub use tracker::{TrackerCall, TrackerReply};

use crate::id::Digest;
use crate::journal::Blob;
use crate::said::Cause;

/// A text from outside or a long one: kept as a blob, named here. Erasing the blob leaves the journal valid
/// (decision 39).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The blob's name.
    pub blob: Digest,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its length in characters, where that is another number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<u64>,
}

impl Text {
    /// The name of these bytes; whoever calls this stores the blob with the event that carries the name.
    pub fn of(text: &str) -> Self {
        Self::measured(Digest::of(text.as_bytes()), text.as_bytes())
    }

    /// The name of a blob that holds a text of UTF-8.
    pub fn in_blob(blob: &Blob) -> Self {
        Self::measured(blob.digest.clone(), &blob.bytes)
    }

    fn measured(blob: Digest, text: &[u8]) -> Self {
        let continues = |byte: &u8| u8::from(*byte & 0b1100_0000 == 0b1000_0000);
        // So many at a time fit a byte: sixteen are counted at once.
        let few = |some: &[u8]| u64::from(some.iter().map(continues).sum::<u8>());
        let (bytes, more) = (text.len() as u64, text.chunks(255).map(few).sum::<u64>());
        Self { blob, bytes, characters: (more > 0).then_some(bytes - more) }
    }

    /// How many characters (Unicode scalar values) it has.
    pub fn characters(&self) -> u64 {
        self.characters.unwrap_or(self.bytes)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

/// Everything that can be asked of the outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Of the tracker.
    Tracker(TrackerCall),
    /// Of the forge.
    Forge(ForgeCall),
    /// Of git.
    Git(GitCall),
    /// Of an agent.
    Agent(AgentCall),
    /// Of a gate.
    Gate(GateCall),
    /// Of a deploy target.
    Deploy(DeployCall),
}

impl Call {
    /// Port and verb, for logs, drills and tests: `forge/merge`.
    pub const fn name(&self) -> &'static str {
        match self {
            Call::Tracker(TrackerCall::SetStatus { .. }) => "tracker/set_status",
            Call::Tracker(TrackerCall::Comment { .. }) => "tracker/comment",
            Call::Tracker(TrackerCall::ReadComments { .. }) => "tracker/read_comments",
            Call::Forge(ForgeCall::OpenChange { .. }) => "forge/open_change",
            Call::Forge(ForgeCall::SetCommitStatus { .. }) => "forge/set_commit_status",
            Call::Forge(ForgeCall::Merge { .. }) => "forge/merge",
            Call::Forge(ForgeCall::CloseChange { .. }) => "forge/close_change",
            Call::Forge(ForgeCall::Restore { .. }) => "forge/restore",
            Call::Forge(ForgeCall::DeleteBranch { .. }) => "forge/delete_branch",
            Call::Git(GitCall::CutBranch { .. }) => "git/cut_branch",
            Call::Git(GitCall::Collect { .. }) => "git/collect",
            Call::Git(GitCall::BuildCandidate { .. }) => "git/build_candidate",
            Call::Git(GitCall::Prove { .. }) => "git/prove",
            Call::Git(GitCall::WriteRecord { .. }) => "git/write_record",
            Call::Git(GitCall::DropTree { .. }) => "git/drop_tree",
            Call::Agent(AgentCall::Launch(_)) => "agent/launch",
            Call::Agent(AgentCall::Stop { .. }) => "agent/stop",
            Call::Gate(GateCall::Ci { .. }) => "gate/ci",
            Call::Deploy(DeployCall::Hook { .. }) => "deploy/hook",
            Call::Deploy(DeployCall::Probe { .. }) => "deploy/probe",
        }
    }
}

/// Everything that can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// By the tracker.
    Tracker(TrackerReply),
    /// By the forge.
    Forge(ForgeReply),
    /// By git.
    Git(GitReply),
    /// By the starter of an agent.
    Agent(AgentReply),
    /// By the starter of a gate.
    Gate(GateReply),
    /// By a deploy target.
    Deploy(DeployReply),
}

/// A call that did not answer. Recorded, so it is data and not an error type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What may be done about it.
    pub kind: FailureKind,
    /// Place and cause, for people; bounded by the adapter, secrets removed.
    pub cause: Cause,
}

/// The three ways of failing; each adapter's `failure.rs` alone decides which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It did not happen and may work later: retried with backoff, charged to nobody (decision 14).
    Transient,
    /// It did not happen and will not without a person.
    Permanent,
    /// It may have happened: looked up, never repeated blindly (decision 19).
    Unknown,
}

impl Failure {
    /// It did not happen and may work later.
    pub fn transient(cause: impl Into<Cause>) -> Self {
        Self { kind: FailureKind::Transient, cause: cause.into() }
    }
    /// It did not happen and will not without a person.
    pub fn permanent(cause: impl Into<Cause>) -> Self {
        Self { kind: FailureKind::Permanent, cause: cause.into() }
    }
    /// It may have happened.
    pub fn unknown(cause: impl Into<Cause>) -> Self {
        Self { kind: FailureKind::Unknown, cause: cause.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a request in any script is measured in characters, also where it is long: its least length is a number
    /// of characters (row 122).
    #[test]
    fn a_text_is_measured_in_characters() {
        for (part, times) in [("", 1), ("flag", 1), ("флаг", 1), ("ж🙂e", 1_000), ("旗", 255)] {
            let text = part.repeat(times);
            let of = Text::of(&text);
            assert_eq!(of, Text::in_blob(&Blob::of(text.as_bytes())), "{part}");
            let counted = (text.len() as u64, text.chars().count() as u64);
            assert_eq!((of.bytes, of.characters()), counted, "{part}");
            // Said only where it is another number: in most texts it is not, and older journals have no such field.
            assert_eq!(of.characters.is_none(), text.is_ascii(), "{part}");
        }
    }

    /// Proves that a text without a byte is empty, and one with a byte is not.
    #[test]
    fn empty_is_without_a_byte() {
        assert!(Text::of("").is_empty());
        assert!(!Text::of(" ").is_empty());
    }
}
