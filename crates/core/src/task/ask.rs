//! What is a question to the outside about, and what does it move?

use super::Ask;
use crate::id::RunId;

impl Ask {
    /// The run that it is about.
    pub const fn run(&self) -> Option<RunId> {
        match self {
            Ask::Launch { run, .. } | Ask::Collect { run, .. } => Some(*run),
            Ask::CutBranch { .. }
            | Ask::OpenChange
            | Ask::Restore
            | Ask::Candidate
            | Ask::Merge
            | Ask::Prove
            | Ask::Probe
            | Ask::Watch
            | Ask::Reason { .. } => None,
        }
    }

    /// The word for it, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Ask::CutBranch { .. } => "cut the branch",
            Ask::Launch { .. } => "start a run",
            Ask::Collect { .. } => "collect a run",
            Ask::OpenChange => "open the change request",
            Ask::Restore => "bring the branch back",
            Ask::Candidate => "build the candidate",
            Ask::Merge => "merge",
            Ask::Prove => "prove the merge",
            Ask::Probe => "probe the deployed service",
            Ask::Watch => "watch the deployed service",
            Ask::Reason { .. } => "read the reason",
        }
    }

    /// Whether it moves the task branch, or opens or closes its change request.
    pub fn moves_branch(&self) -> bool {
        let forge = matches!(self, Ask::OpenChange | Ask::Restore);
        forge || matches!(self, Ask::CutBranch { .. } | Ask::Collect { .. } | Ask::Candidate)
    }
}
