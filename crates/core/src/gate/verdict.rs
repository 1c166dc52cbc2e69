//! What does a verdict file say? Six readers over one primitive (row 26); a verdict comes only from the frontmatter, never
//! from prose.
//!
//! Tokens are compared without regard to case after trimming, and words may follow a token (row 21). Whatever cannot be
//! read is [`FileVerdict::Unreadable`] with the reason: it never passes.

use crate::artefact::FileVerdict;
use crate::frontmatter::{self, Frontmatter};
use crate::said::Said;

/// The fields of a test report, of equal rank (row 17).
pub const TEST_FIELDS: [&str; 3] = ["result", "verdict", "status"];
/// The words that let a test report pass: a closed set.
pub const TEST_POSITIVE: [&str; 5] = ["PASS", "PASSED", "READY-TO-DEPLOY", "GREEN", "APPROVED"];
/// The words that make a test report fail, whatever else it says: a closed set (row 18).
pub const TEST_NEGATIVE: [&str; 9] =
    ["FAIL", "FAILED", "BLOCKED", "RED", "REJECTED", "REQUEST_CHANGES", "NOT-READY", "ERROR", "NO-GO"];

/// Reads the verdict of a numbered file; `None` for files that have none.
pub fn of_file(name: &str, file: Option<&[u8]>) -> Option<FileVerdict> {
    match name {
        crate::artefact::REVIEW => Some(review(file)),
        crate::artefact::TEST_REPORT => Some(test_report(file)),
        "14-deploy-log.md" => Some(deploy(file)),
        "15-staging-log.md" => Some(staging(file)),
        "16-post-deploy-log.md" => Some(post_deploy(file)),
        "17-security-report.md" => Some(security(file)),
        _ => None, // not a domain enum
    }
}

/// `12-review.md`: APPROVED or REQUEST_CHANGES in `verdict` (row 16).
pub fn review(file: Option<&[u8]>) -> FileVerdict {
    one_field(file, "verdict", "APPROVED", "REQUEST_CHANGES")
}

/// `15-staging-log.md`: SUCCESS or FAILED in `staging_status` (row 22).
pub fn staging(file: Option<&[u8]>) -> FileVerdict {
    one_field(file, "staging_status", "SUCCESS", "FAILED")
}

/// `14-deploy-log.md`: SUCCESS or FAILED in `deploy_status` (row 23).
pub fn deploy(file: Option<&[u8]>) -> FileVerdict {
    one_field(file, "deploy_status", "SUCCESS", "FAILED")
}

/// `16-post-deploy-log.md`: HEALTHY or DEGRADED in `post_deploy_status` (row 95).
pub fn post_deploy(file: Option<&[u8]>) -> FileVerdict {
    one_field(file, "post_deploy_status", "HEALTHY", "DEGRADED")
}

/// `17-security-report.md`: FAIL in `security_status` is looked for first, and only PASS alone passes.
pub fn security(file: Option<&[u8]>) -> FileVerdict {
    const FIELD: &str = "security_status";
    with_front(file, |front| {
        let Some(value) = present(front, FIELD) else { return empty(&[FIELD]) };
        if token(value).is_some_and(|t| is_one_of(t, &["FAIL"])) {
            FileVerdict::Negative
        } else if value.eq_ignore_ascii_case("PASS") {
            FileVerdict::Positive
        } else {
            unreadable(Said::PassOrFail { field: FIELD.to_owned() })
        }
    })
}

/// `13-test-report.md`: one negative word in any of [`TEST_FIELDS`] decides; else one positive word is enough (rows 17, 18).
pub fn test_report(file: Option<&[u8]>) -> FileVerdict {
    with_front(file, |front| {
        let said: Vec<&str> = TEST_FIELDS.iter().filter_map(|field| present(front, field)).collect();
        let any = |words: &[&str]| said.iter().filter_map(|v| token(v)).any(|t| is_one_of(t, words));
        if any(&TEST_NEGATIVE) {
            FileVerdict::Negative
        } else if any(&TEST_POSITIVE) {
            FileVerdict::Positive
        } else if said.is_empty() {
            empty(&TEST_FIELDS)
        } else {
            unreadable(Said::TestWordUnknown)
        }
    })
}

/// A file with one field of two words.
fn one_field(
    file: Option<&[u8]>,
    field: &'static str,
    positive: &'static str,
    negative: &'static str,
) -> FileVerdict {
    with_front(file, |front| {
        let Some(value) = present(front, field) else { return empty(&[field]) };
        match token(value) {
            Some(t) if is_one_of(t, &[negative]) => FileVerdict::Negative,
            Some(t) if is_one_of(t, &[positive]) => FileVerdict::Positive,
            Some(_) | None => {
                let [field, positive, negative] = [field, positive, negative].map(str::to_owned);
                unreadable(Said::WordUnknown { field, positive, negative })
            }
        }
    })
}

/// Row 20 in one place: no file, no frontmatter, bad YAML are reasons, not failures of the program.
fn with_front(file: Option<&[u8]>, judge: impl FnOnce(&Frontmatter) -> FileVerdict) -> FileVerdict {
    match file.map(frontmatter::parse) {
        None => unreadable(Said::FileNotFound),
        Some(Err(why)) => unreadable(Said::Frontmatter(why)),
        Some(Ok(document)) => judge(&document.front),
    }
}

/// The trimmed text of a field that has some.
fn present<'a>(front: &'a Frontmatter, field: &str) -> Option<&'a str> {
    front.get(field).map(str::trim).filter(|v| !v.is_empty())
}

fn empty(fields: &[&str]) -> FileVerdict {
    unreadable(Said::FieldsEmpty { fields: fields.iter().map(|field| (*field).to_owned()).collect() })
}

fn unreadable(why: Said) -> FileVerdict {
    FileVerdict::Unreadable(why.into())
}

/// The first word of a value. A template that nobody filled in (`PASS | FAIL`, `PASS/FAIL`) has none.
fn token(value: &str) -> Option<&str> {
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let (word, rest) = value.split_at(end.unwrap_or(value.len()));
    let filled_in = !rest.trim_start().starts_with(['|', '/']);
    let cut_in_a_word = rest.starts_with(char::is_alphanumeric);
    (!word.is_empty() && filled_in && !cut_in_a_word).then_some(word)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::said::Cause;

    use FileVerdict::{Negative, Positive, Unreadable};

    fn file(front: &str) -> Vec<u8> {
        format!("---\n{front}\n---\n# Report\n\nverdict: APPROVED, result: PASS, all tests PASS\n")
            .into_bytes()
    }

    fn test_says(front: &str) -> FileVerdict {
        test_report(Some(&file(front)))
    }

    /// row 16: Reviewer gate: APPROVED passes; REQUEST_CHANGES rolls back; prose ignored [S-5].
    #[test]
    fn review_is_its_verdict() {
        let says = |front: &str| review(Some(&file(front)));
        assert_eq!(says("verdict: APPROVED"), Positive);
        assert_eq!(says("verdict: REQUEST_CHANGES"), Negative);
        assert!(matches!(says("type: review"), Unreadable(_)));
        assert!(matches!(says("verdict: CHANGES\nresult: PASS"), Unreadable(_)));
    }

    /// row 17: Test gate: any of result/verdict/status positive passes [047/017].
    #[test]
    fn one_positive_field_passes() {
        for field in TEST_FIELDS {
            for word in TEST_POSITIVE {
                assert_eq!(test_says(&format!("{field}: {word}")), Positive, "{field}: {word}");
            }
        }
        assert_eq!(test_says("result:\nverdict: later\nstatus: GREEN"), Positive);
    }

    /// row 18: Test gate: one negative token among the three fields fails regardless of others.
    #[test]
    fn one_negative_field_fails() {
        for field in TEST_FIELDS {
            for word in TEST_NEGATIVE {
                let others = TEST_FIELDS.iter().filter(|f| **f != field).map(|f| format!("\n{f}: PASS"));
                let front = format!("{field}: {word}{}", others.collect::<String>());
                assert_eq!(test_says(&front), Negative, "{front}");
            }
        }
    }

    /// row 19: Test gate: body text containing PASS does not pass a blocked report [ET-013].
    #[test]
    fn prose_passes_nothing() {
        assert_eq!(test_says("type: test-report\nresult: BLOCKED"), Negative);
        assert!(matches!(test_says("type: test-report"), Unreadable(_)));
    }

    /// row 20: Test gate: missing file, no frontmatter, bad YAML, empty field each fail with a reason and no exception.
    #[test]
    fn unreadable_files_say_why() {
        let why = |file: Option<&[u8]>| match test_report(file) {
            Unreadable(why) => crate::message::cause(&why, crate::message::Lang::En),
            read => panic!("{read:?}"),
        };
        assert_eq!(why(None), "not found");
        assert!(why(Some(b"# Report\nresult: PASS\n")).starts_with("line 1: no frontmatter"));
        assert!(why(Some(&file("result: [PASS"))).starts_with("line "));
        let empty = "`result`, `verdict`, `status` is missing or empty in the frontmatter";
        assert_eq!(why(Some(&file("result:"))), empty);
        assert_eq!(why(Some(&file("result: '  '"))), empty);
        assert_eq!(why(Some(&file("result: [PASS]"))), empty);
        assert!(why(Some(&file("result: maybe"))).contains("no known word"));
    }

    /// row 21: Test gate accepts case variants and trailing text after the token.
    #[test]
    fn words_may_follow() {
        for value in
            ["pass", "Passed", "PASS (ready to deploy)", "PASS — 12 of 12", "'  green  '", "PASS, no FAIL"]
        {
            assert_eq!(test_says(&format!("result: {value}")), Positive, "{value}");
        }
        for value in ["failed", "FAIL: TC-03", "Blocked by the build"] {
            assert_eq!(test_says(&format!("result: '{value}'")), Negative, "{value}");
        }
        for value in ["PASS | FAIL", "PASS/FAIL", "PASSABLE", "PASSé", "PASS-WITH-RISKS", "not PASS"] {
            assert!(matches!(test_says(&format!("result: {value}")), Unreadable(_)), "{value}");
        }
    }

    /// row 22: Staging gate reads only staging_status.
    #[test]
    fn staging_reads_one_key() {
        let says = |front: &str| staging(Some(&file(front)));
        assert_eq!(says("staging_status: SUCCESS\ndeploy_status: FAILED\nverdict: FAIL"), Positive);
        assert_eq!(says("staging_status: failed\nstatus: SUCCESS"), Negative);
        assert!(matches!(says("deploy_status: SUCCESS\nstatus: SUCCESS"), Unreadable(_)));
    }

    /// row 23: Deploy gate reads only deploy_status.
    #[test]
    fn deploy_reads_one_key() {
        let says = |front: &str| deploy(Some(&file(front)));
        assert_eq!(says("deploy_status: SUCCESS\nstaging_status: FAILED"), Positive);
        assert_eq!(says("deploy_status: FAILED\nstatus: SUCCESS"), Negative);
        assert!(matches!(says("staging_status: SUCCESS"), Unreadable(_)));
    }

    /// Proves that a security report passes only by PASS alone, and that FAIL is looked for first.
    #[test]
    fn security_fails_closed() {
        let says = |front: &str| security(Some(&file(front)));
        assert_eq!(says("security_status: PASS"), Positive);
        assert_eq!(says("security_status: FAIL, but PASS later"), Negative);
        for value in ["PASSED", "PASS with warnings", "OK", ""] {
            assert!(matches!(says(&format!("security_status: {value}")), Unreadable(_)), "{value}");
        }
    }

    /// row 12: Every gate returns (bool, reason) and never raises.
    #[test]
    fn whatever_comes_gets_a_verdict_or_a_reason() {
        let hostile: [&[u8]; 6] =
            [b"", b"---", b"---\n\0\n---\n", b"\xff\xfe", &[b'-'; 100_000], b"---\nverdict: [1, 2]\n---\n"];
        for bytes in hostile {
            for read in [review, test_report, deploy, staging, security] {
                match read(Some(bytes)) {
                    Unreadable(Cause::Said { .. }) => {}
                    said => panic!("{said:?} of {bytes:?}"),
                }
            }
        }
    }

    /// row 26: All five verdict gates use one frontmatter parse primitive [076].
    #[test]
    fn all_five_refuse_alike() {
        for broken in [&b"no frontmatter"[..], b"---\na: &x 1\n---\n", b"---\nopen", b"---\na: \xff\n---\n"] {
            let why: Cause = Said::Frontmatter(frontmatter::parse(broken).unwrap_err()).into();
            let file = Some(broken);
            for read in [review(file), test_report(file), deploy(file), staging(file), security(file)] {
                assert_eq!(read, Unreadable(why.clone()));
            }
        }
        let names = [
            "12-review.md",
            "13-test-report.md",
            "14-deploy-log.md",
            "15-staging-log.md",
            "17-security-report.md",
        ];
        for name in names {
            assert_eq!(of_file(name, None), Some(unreadable(Said::FileNotFound)));
        }
        assert_eq!(of_file("01-brd.md", None), None);
    }
}
