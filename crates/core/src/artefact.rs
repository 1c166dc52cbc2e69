//! Which numbered files does a work item have, who writes which, and what does the machine read from them?
//! (rows 14-28)

use serde::{Deserialize, Serialize};

use crate::call::Text;
use crate::frontmatter;
use crate::gate::verdict;
use crate::id::{Digest, WorkItem};
use crate::journal::Blob;
use crate::said::Cause;
use crate::stage::Role;

pub mod excerpt;

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
    Unreadable(Cause),
}

/// A file read by the contract, and the texts to keep with the event that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What the machine read.
    pub artefact: Artefact,
    /// The excerpt, if there is one.
    pub blobs: Vec<Blob>,
}

/// Reads a numbered file. `name` is its path below the work item's folder, `fresh` whether the run just collected wrote it.
/// A file that is broken or says nothing useful has no excerpt: the next run gets the link alone (row 102).
pub fn read(name: &str, bytes: &[u8], fresh: bool) -> Read {
    let verdict = verdict::of_file(name, Some(bytes));
    let judged_badly = verdict == Some(FileVerdict::Negative);
    let text = || frontmatter::strip(&String::from_utf8_lossy(bytes)).to_owned();
    let found = match name {
        REVIEW if judged_badly => excerpt::of_review(&text()),
        TEST_REPORT if judged_badly => excerpt::of_test_report(&text()),
        QUESTIONS => excerpt::of_questions(&text()),
        _ => None, // not a domain enum
    };
    let blobs: Vec<Blob> = found.iter().map(|text| Blob::of(text.as_bytes())).collect();
    let excerpt = found.as_deref().map(Text::of);
    Read {
        artefact: Artefact { name: name.to_owned(), digest: Digest::of(bytes), fresh, verdict, excerpt },
        blobs,
    }
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

/// Which of the required files of a role are missing (row 14). An empty file is missing too (decision 36).
pub fn missing(role: Role, present: &[Artefact]) -> Vec<&'static str> {
    let nothing = Digest::of(b"");
    let there = |want: &str| {
        let is = |name: &str| if want.ends_with('/') { name.starts_with(want) } else { name == want };
        present.iter().any(|a| is(&a.name) && a.digest != nothing)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> Artefact {
        read(name, text.as_bytes(), true).artefact
    }

    /// row 14: Analysis completeness gate checks the required files before asking for approval.
    #[test]
    fn analysis_needs_all_its_files() {
        let mut present: Vec<Artefact> = required(Role::Analyst).iter().map(|n| file(n, "text")).collect();
        assert_eq!(missing(Role::Analyst, &present), Vec::<&str>::new());
        present[2] = file("02-trz.md", "");
        present.pop();
        assert_eq!(missing(Role::Analyst, &present), ["02-trz.md", "04-test-plan.yaml"]);
        let mut present: Vec<Artefact> =
            required(Role::Architect)[1..].iter().map(|n| file(n, "x")).collect();
        assert_eq!(missing(Role::Architect, &present), ["06-adr/"]);
        present.push(file("06-adr/ADR-001-store.md", "x"));
        assert!(missing(Role::Architect, &present).is_empty());
        assert!(missing(Role::Developer, &[]).is_empty());
    }

    /// Proves that an approval of the requirements binds to the files 01-04 and to nothing else (decision 40).
    #[test]
    fn approval_binds_to_the_requirements() {
        let mut files: Vec<Artefact> = required(Role::Analyst).iter().map(|n| file(n, "text")).collect();
        let before = requirements_digest(&files);
        files[0] = file("00-business-request.md", "other");
        files.push(file(REVIEW, "x"));
        files.reverse();
        assert_eq!(requirements_digest(&files), before);
        files.iter_mut().find(|f| f.name == "01-brd.md").unwrap().digest = Digest::of(b"other");
        assert_ne!(requirements_digest(&files), before);
    }

    /// row 102: Broken artefact → link-only text.
    #[test]
    fn broken_files_have_no_excerpt() {
        let findings = "# Review\n## Findings\n### P0 Blocker\n- crash\n";
        let front = "---\nverdict: REQUEST_CHANGES\n---\n";
        assert!(read(REVIEW, format!("{front}{findings}").as_bytes(), true).artefact.excerpt.is_some());
        let broken: [Vec<u8>; 6] = [
            vec![],
            findings.into(),
            b"---\nverdict: REQUEST_CHANGES\n".to_vec(),
            b"---\nverdict: REQUEST_CHANGES\n---\n# Review\nall wrong\n".to_vec(),
            b"---\nverdict: REQUEST_CHANGES\n---\n## Findings\n\n### P0 Blocker\nNone.\n".to_vec(),
            vec![0xff; 1 << 20],
        ];
        for bytes in broken {
            for name in [REVIEW, TEST_REPORT] {
                let got = read(name, &bytes, true);
                assert_eq!(
                    (got.artefact.excerpt, got.blobs.len()),
                    (None, 0),
                    "{name} {:?}",
                    bytes.get(..60)
                );
            }
        }
    }

    /// Proves that an excerpt is kept as a blob under the name that the artefact carries, and only where it will be read.
    #[test]
    fn excerpts_are_kept_as_blobs() {
        let text = "---\nresult: FAIL\n---\n## Conclusion\nTC-03 is wrong.\n";
        let got = read(TEST_REPORT, text.as_bytes(), false);
        assert_eq!(got.artefact.verdict, Some(FileVerdict::Negative));
        assert_eq!(got.blobs, [Blob::of("TC-03 is wrong.")]);
        assert_eq!(got.artefact.excerpt.unwrap().blob, got.blobs[0].digest);
        assert!(!got.artefact.fresh);
        assert_eq!(read(TEST_REPORT, text.replace("FAIL", "PASS").as_bytes(), true).blobs, []);
        assert_eq!(read("01-brd.md", b"## Findings\n- P0: x", true).blobs, []);
        assert_eq!(read(QUESTIONS, b"1. Which port?", true).blobs, [Blob::of("1. Which port?")]);
    }
}
