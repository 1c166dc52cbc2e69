//! Which numbered files does a work item have, who writes which, and what does the machine read from them?
//! (predecessor section 4, rows 14-28)

use serde::{Deserialize, Serialize};

use crate::call::Text;
use crate::id::{Digest, WorkItem};
use crate::stage::Role;

/// A numbered file on the task branch, as read by the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Its path below `docs/work-items/<WI>/`, such as `12-review.md` or `06-adr/ADR-001-x.md`.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether the run just collected wrote it (decision 8: only then can its verdict count).
    pub fresh: bool,
    /// The machine verdict, for files that have one.
    pub verdict: Option<FileVerdict>,
    /// What the next developer must read of it: findings or the failing fragment (rows 100, 101).
    pub excerpt: Option<Text>,
}

/// What the machine reads from a verdict file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileVerdict {
    /// A positive token and no negative one.
    Positive,
    /// A negative token.
    Negative,
    /// Nothing that counts, and why (row 20).
    Unreadable(String),
}

/// The folder of a work item's artefacts.
pub fn folder(item: &WorkItem) -> String {
    format!("docs/work-items/{item}")
}

/// The file in which the analyst asks (decision 29).
pub const QUESTIONS: &str = "05-questions.md";
/// The reviewer's verdict.
pub const REVIEW: &str = "12-review.md";
/// The tester's verdict.
pub const TEST_REPORT: &str = "13-test-report.md";

/// The files that an approval of the requirements binds to (decision 40).
pub const REQUIREMENTS: [&str; 4] =
    ["01-brd.md", "02-trz.md", "03-acceptance-criteria.md", "04-test-plan.yaml"];

/// What must be there when a role is through; an entry that ends in `/` is a folder with at least one file.
pub const fn required(role: Role) -> &'static [&'static str] {
    match role {
        Role::Analyst => &[
            "00-business-request.md",
            "01-brd.md",
            "02-trz.md",
            "03-acceptance-criteria.md",
            "04-test-plan.yaml",
        ],
        Role::Architect => {
            &["06-adr/", "07-infra-requirements.md", "08-data-requirements.md", "10-tech-risks.md"]
        }
        Role::Developer => &[],
        Role::Reviewer => &[REVIEW],
        Role::Tester => &[TEST_REPORT],
    }
}

/// Which of the required files of a role are missing.
pub fn missing(role: Role, present: &[Artefact]) -> Vec<&'static str> {
    let there = |want: &str| {
        present.iter().any(|a| if want.ends_with('/') { a.name.starts_with(want) } else { a.name == want })
    };
    required(role).iter().copied().filter(|want| !there(want)).collect()
}

/// The digest that an approval of the requirements binds to (decision 40).
pub fn requirements_digest(present: &[Artefact]) -> Digest {
    let mut all = String::new();
    for name in REQUIREMENTS {
        if let Some(a) = present.iter().find(|a| a.name == name) {
            all.push_str(name);
            all.push(' ');
            all.push_str(a.digest.as_str());
            all.push('\n');
        }
    }
    Digest::of(all.as_bytes())
}
