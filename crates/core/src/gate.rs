//! What can judge a change, what is each verdict about, and how does a verdict go stale? (decisions 14, 40)

pub mod verdict;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{Commit, Digest, RunId, Tree};
use crate::said::Found;
use crate::time::Moment;

/// The gates, by the predecessor's names wherever people or the API see them (decision 31, row 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateId {
    /// A person approved the requirements.
    CheckAnalysisApproved,
    /// Files 00-04 are there.
    CheckAnalysisComplete,
    /// Files 06-10 are there.
    CheckArchitectureDone,
    /// The project's tests pass on exactly this tree.
    CheckCiGreen,
    /// A person's review on the forge.
    CheckReviewApproved,
    /// The tester's verdict.
    CheckTestsPassed,
    /// The reviewer's verdict.
    CheckReviewerVerdict,
    /// The project's tests, run by Orch itself.
    CheckTestsLocal,
    /// The deploy's verdict.
    CheckDeployStatus,
    /// The staging suite's verdict.
    CheckStagingStatus,
    /// The change merges cleanly into current main and is green there.
    CheckBranchMergeable,
    /// The staged image is the validated commit.
    CheckStagingImageFresh,
    /// Secrets and dependencies.
    CheckSecurityGate,
}

impl GateId {
    /// All thirteen (row 10).
    pub const ALL: [GateId; 13] = [
        GateId::CheckAnalysisApproved,
        GateId::CheckAnalysisComplete,
        GateId::CheckArchitectureDone,
        GateId::CheckCiGreen,
        GateId::CheckReviewApproved,
        GateId::CheckTestsPassed,
        GateId::CheckReviewerVerdict,
        GateId::CheckTestsLocal,
        GateId::CheckDeployStatus,
        GateId::CheckStagingStatus,
        GateId::CheckBranchMergeable,
        GateId::CheckStagingImageFresh,
        GateId::CheckSecurityGate,
    ];

    /// The machine name.
    pub const fn name(self) -> &'static str {
        match self {
            GateId::CheckAnalysisApproved => "check_analysis_approved",
            GateId::CheckAnalysisComplete => "check_analysis_complete",
            GateId::CheckArchitectureDone => "check_architecture_done",
            GateId::CheckCiGreen => "check_ci_green",
            GateId::CheckReviewApproved => "check_review_approved",
            GateId::CheckTestsPassed => "check_tests_passed",
            GateId::CheckReviewerVerdict => "check_reviewer_verdict",
            GateId::CheckTestsLocal => "check_tests_local",
            GateId::CheckDeployStatus => "check_deploy_status",
            GateId::CheckStagingStatus => "check_staging_status",
            GateId::CheckBranchMergeable => "check_branch_mergeable",
            GateId::CheckStagingImageFresh => "check_staging_image_fresh",
            GateId::CheckSecurityGate => "check_security_gate",
        }
    }
}

impl fmt::Display for GateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The three outcomes (decision 14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It passed.
    Pass,
    /// It failed, with what it found.
    Fail {
        /// The words of tests and judges are verbatim and bounded.
        findings: Found,
    },
    /// It could not judge: never a pass, never the developer's fault.
    Unavailable {
        /// Why.
        cause: String,
    },
}

/// What a verdict binds to (decision 40).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The requirements 01-04.
    Requirements(Digest),
    /// The change, without artefacts and tests.
    Change(Digest),
    /// A tree.
    Tree(Tree),
    /// A commit of main.
    Main(Commit),
}

/// A verdict with what it is about, stored under (subject, gate, definition) and looked up there: an equal tree needs
/// no second run, any other input makes it stale by itself (decision 40).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which gate.
    pub gate: GateId,
    /// About what.
    pub subject: Subject,
    /// The digest of the gate's definition: command, environment, policy.
    pub definition: Digest,
    /// What it said.
    pub verdict: Verdict,
    /// The run that gave it, if one did.
    pub run: Option<RunId>,
    /// The commit it ran on.
    pub commit: Option<Commit>,
    /// In which of the attempts that a change has, from 1; `None` in rows that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When.
    pub at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// row 10: Registry holds exactly the 13 known names (snapshot test).
    #[test]
    fn the_gates() {
        assert_eq!(
            GateId::ALL.map(GateId::name),
            [
                "check_analysis_approved",
                "check_analysis_complete",
                "check_architecture_done",
                "check_ci_green",
                "check_review_approved",
                "check_tests_passed",
                "check_reviewer_verdict",
                "check_tests_local",
                "check_deploy_status",
                "check_staging_status",
                "check_branch_mergeable",
                "check_staging_image_fresh",
                "check_security_gate",
            ]
        );
    }

    /// Proves that a gate is shown by its name of old (row 10).
    #[test]
    fn a_gate_is_shown_by_its_name() {
        assert_eq!(GateId::CheckCiGreen.to_string(), "check_ci_green");
    }
}
