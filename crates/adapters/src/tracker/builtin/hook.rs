//! Is this webhook from somebody who knows the secret, and what does it say? (row 131)
//!
//! The body is JSON: `{"delivery": "…", "project": "…", "issue": {"key", "number", "title", "text", "status", "labels",
//! "present", "revision"}}`. `status` is a column's name or null, `labels` a list of names, `present` is true if left out.
//! A delivery is a reading (decision 2), so it has the whole issue: one without its text, its column or its labels is refused.
//! `revision` is a number that rises with each change of the issue: a delivery that was overtaken is known by it. Without one
//! each delivery counts as if it were the newest (decision 67).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use orch_core::call::tracker::Labels;
use orch_core::id::{IssueKey, ProjectId};
use serde::Deserialize;
use sha2::Sha256;

use super::{Issue, MOST_TEXT, MOST_TITLE, status_of};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-orch-signature";

const SCHEME: &str = "sha256=";
/// A delivery's id is a key in the journal.
const MOST_DELIVERY: usize = 200;

/// A delivery that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The sender's name of it: the same name is the same delivery.
    pub delivery: String,
    /// What it says.
    pub issue: Issue,
}

/// Why a delivery does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// There is no signature that can be read.
    #[error("the header {SIGNATURE_HEADER} must be `{SCHEME}` and 64 hexadecimal digits")]
    NoSignature,
    /// The signature is not that of this body.
    #[error("the signature is not that of this body; sign the raw bytes with the secret of this hook")]
    WrongSignature,
    /// The body is not what it should be.
    #[error("{place}: {cause}")]
    Body {
        /// Where in the body.
        place: String,
        /// What is wrong there, and what should be there.
        cause: String,
    },
}

/// The value of the header for a body: HMAC-SHA-256 of the raw bytes.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    let mut value = SCHEME.to_owned();
    if let Some(mac) = mac(secret, body) {
        for byte in mac.finalize().into_bytes() {
            let _ = write!(value, "{byte:02x}");
        }
    }
    value
}

/// Whether the header signs the body; compared in constant time.
pub fn verify(secret: &[u8], body: &[u8], header: &str) -> Result<(), HookError> {
    let signature = header.strip_prefix(SCHEME).and_then(unhex).ok_or(HookError::NoSignature)?;
    let mac = mac(secret, body).ok_or(HookError::WrongSignature)?;
    mac.verify_slice(&signature).map_err(|_| HookError::WrongSignature)
}

/// An empty secret signs nothing: anybody could.
fn mac(secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(body);
    Some(mac)
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

/// Reads a body; an error names the place in it and what belongs there.
pub fn parse(body: &[u8]) -> Result<Hook, HookError> {
    // The place of an error costs bookkeeping at every field: it is looked for when there is one.
    let wire: Wire = serde_json::from_slice(body).or_else(|_| find_place(body))?;
    let long = |place: &str, text: &str, most: usize| {
        if text.len() > most { Err(bad(place, format!("longer than {most} bytes"))) } else { Ok(()) }
    };
    if wire.delivery.is_empty() {
        return Err(bad("delivery", "empty; give every delivery a name of its own"));
    }
    long("delivery", &wire.delivery, MOST_DELIVERY)?;
    long("issue.key", &wire.issue.key, MOST_DELIVERY)?;
    long("issue.title", &wire.issue.title, MOST_TITLE)?;
    long("issue.text", &wire.issue.text, MOST_TEXT)?;
    if wire.project.is_empty() {
        return Err(bad("project", "empty; name a project of the installation"));
    }
    if wire.issue.key.is_empty() {
        return Err(bad("issue.key", "empty; name the issue"));
    }
    let has = |name: &str| wire.issue.labels.iter().any(|label| label == name);
    Ok(Hook {
        delivery: wire.delivery,
        issue: Issue {
            key: IssueKey::from(wire.issue.key),
            project: ProjectId::from(wire.project),
            number: wire.issue.number,
            status: wire.issue.status.as_deref().and_then(status_of),
            labels: Labels { auto_approve: has("autoApprove"), auto_deploy: has("autoDeploy") },
            title: wire.issue.title,
            text: wire.issue.text,
            present: wire.issue.present,
            changed: wire.issue.revision,
        },
    })
}

/// Reads a body again that is bad, to say where.
fn find_place(body: &[u8]) -> Result<Wire, HookError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let wire = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = match error.path().to_string() {
            // A body that breaks off before a key is read has a place without a name.
            path if path == "." || path == "?" => "the body".to_owned(),
            path => path,
        };
        HookError::Body { place, cause: error.into_inner().to_string() }
    })?;
    json.end().map_err(|error| bad("the body", error.to_string()))?;
    Ok(wire)
}

fn bad(place: &str, cause: impl Into<String>) -> HookError {
    HookError::Body { place: place.to_owned(), cause: cause.into() }
}

#[derive(Deserialize)]
struct Wire {
    delivery: String,
    project: String,
    issue: WireIssue,
}

#[derive(Deserialize)]
struct WireIssue {
    key: String,
    number: u64,
    title: String,
    text: String,
    // Null is a column that means nothing; nothing at all is a part that was left out.
    #[serde(deserialize_with = "Option::deserialize")]
    status: Option<String>,
    labels: Vec<String>,
    #[serde(default = "yes")]
    present: bool,
    #[serde(default)]
    revision: u64,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_core::call::tracker::Status;

    /// row 131: Webhook signatures are verified and duplicate deliveries ignored (inferred from test-group names only).
    /// Proves the signature's half; the vector is RFC 4231's second. `at_once` proves the other in the binary.
    #[test]
    fn signatures_are_verified() {
        let header = sign(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(header, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(verify(b"Jefe", b"what do ya want for nothing?", &header), Ok(()));
        assert_eq!(verify(b"Jefe", b"another body", &header), Err(HookError::WrongSignature));
        assert_eq!(
            verify(b"other", b"what do ya want for nothing?", &header),
            Err(HookError::WrongSignature)
        );
        for header in ["", "sha256=", "sha256=5bdc", &header[7..], &format!("sha256={}", "ж".repeat(32))] {
            assert_eq!(verify(b"Jefe", b"x", header), Err(HookError::NoSignature), "{header}");
        }
        let unsigned = format!("sha256={}", "0".repeat(64));
        assert_eq!(verify(b"", b"x", &unsigned), Err(HookError::WrongSignature));
    }

    /// Proves that a body is read, and that an unknown column means nothing instead of failing.
    #[test]
    fn bodies_are_read() {
        let body = r#"{"delivery":"d1","project":"demo","extra":1,"issue":{"key":"demo#7","number":7,
            "title":"Say hello","text":"please","status":"To Analyse","labels":["autoDeploy","x"]}}"#;
        let hook = parse(body.as_bytes()).unwrap();
        assert_eq!((hook.delivery.as_str(), hook.issue.status), ("d1", Some(Status::ToAnalyse)));
        assert_eq!(hook.issue.labels, Labels { auto_approve: false, auto_deploy: true });
        assert!(hook.issue.present);
        let (reading, blobs) = hook.issue.into_reading();
        assert_eq!((reading.slug.as_str(), blobs.len(), reading.revision), ("say-hello", 2, None));
        let numbered =
            parse(body.replace("\"number\":7", "\"number\":7,\"revision\":12").as_bytes()).unwrap();
        assert_eq!(numbered.issue.into_reading().0.revision, Some(12));
        let odd = body.replace("To Analyse", "Someday");
        assert_eq!(parse(odd.as_bytes()).unwrap().issue.status, None);
    }

    /// incident I-22: webhooks brought parts of an issue, and what they left out was taken for empty; here a delivery that
    /// leaves out a part of the issue is refused, and names it.
    #[test]
    fn parts_of_an_issue_are_refused() {
        let whole = r#"{"delivery":"d","project":"p","issue":{"key":"k","number":7,"title":"t","text":"please",
            "status":null,"labels":[]}}"#;
        assert!(parse(whole.as_bytes()).is_ok());
        for (part, name) in [
            (r#""title":"t","#, "title"),
            (r#""text":"please","#, "text"),
            (r#""status":null,"#, "status"),
            (r#","labels":[]"#, "labels"),
        ] {
            let body: String = whole.split_whitespace().collect::<String>().replace(part, "");
            let said = parse(body.as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with(&format!("issue: missing field `{name}`")), "{said}");
        }
    }

    /// Proves that an error names the place and what belongs there.
    #[test]
    fn bad_bodies_name_the_place() {
        let error = |body: &str| parse(body.as_bytes()).unwrap_err().to_string();
        let of = |issue: &str| format!(r#"{{"delivery":"d","project":"p","issue":{issue}}}"#);
        let said = error(&of(r#"{"key":"k","number":"seven","title":"t"}"#));
        assert!(said.starts_with("issue.number: invalid type: string \"seven\", expected u64"), "{said}");
        let said = error(&of(r#"{"key":"k","number":7}"#));
        assert!(said.starts_with("issue: missing field `title`"), "{said}");
        assert!(error("").starts_with("the body: EOF"), "{}", error(""));
        assert!(error("[]x").starts_with("the body: "), "{}", error("[]x"));
        let whole = |title: &str| {
            format!(r#"{{"key":"k","number":7,"title":"{title}","text":"","status":null,"labels":[]}}"#)
        };
        let long = whole(&"x".repeat(1001));
        assert_eq!(error(&of(&long)), "issue.title: longer than 1000 bytes");
        let nameless = of(&whole("t")).replace("\"d\"", "\"\"");
        assert_eq!(error(&nameless), "delivery: empty; give every delivery a name of its own");
    }
}
