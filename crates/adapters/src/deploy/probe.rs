//! What does the deployed service say of itself: which commit is it, and is it well?
//!
//! What it does not say is never taken for good news (decision 36).

use std::time::Duration;

use orch_core::call::deploy::Health;
use orch_core::hindrance::Hindrance;
use orch_core::id::Commit;
use serde_json::Value;

use crate::http::{Answer, Client, ClientError, Limits};

/// Commits are named by at least this many characters.
const SHORTEST: usize = 7;

/// No answer is longer, in KiB.
const MOST_KIB: usize = 64;

/// The field in which a service says how it is; one that has no such field says it by the status of its answer.
const STATUS: &str = "status";
/// What stands in that field when it is well.
const WELL: &str = "ok";

/// Asks a service.
#[derive(Debug, Clone)]
pub struct Probe {
    url: String,
    field: String,
    client: Client,
}

impl Probe {
    /// A probe of `url`. `{port}` in it is replaced by the first port that the hook was given, `{commit}` by the expected
    /// commit. `field` of the JSON that it answers names its commit; dots lead into objects: `build.commit`.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(url: impl Into<String>, field: impl Into<String>) -> Result<Self, ClientError> {
        let limits =
            Limits { connect: Duration::from_secs(2), total: Duration::from_secs(2), body: MOST_KIB << 10 };
        Ok(Self { url: url.into(), field: field.into(), client: Client::new(limits)? })
    }

    /// Asks, once. `ports` are those on which the expected commit and the one before it were told to live.
    pub(crate) async fn ask(&self, commit: &Commit, ports: &[u16]) -> Health {
        let url = self.url.replace("{commit}", commit.as_str());
        if !url.contains("{port}") {
            return self.ask_at(&url, commit).await;
        }
        let mut seen = None;
        for port in ports {
            let health = self.ask_at(&url.replace("{port}", &port.to_string()), commit).await;
            // Where the expected one does not answer, the old one may.
            match health {
                Health::CannotTell { .. } => seen = seen.or(Some(health)),
                Health::Expected | Health::Unwell { .. } | Health::Other { .. } => return health,
            }
        }
        seen.unwrap_or_else(|| Health::CannotTell {
            cause: Hindrance::NoPortGiven { url, commit: commit.clone() }.into(),
        })
    }

    async fn ask_at(&self, url: &str, commit: &Commit) -> Health {
        match self.client.get(url).await {
            Ok(answer) => self.judge(&answer, commit),
            Err(e) => Health::CannotTell { cause: Hindrance::from(e).into() },
        }
    }

    fn judge(&self, answer: &Answer, commit: &Commit) -> Health {
        let status = answer.status;
        let cannot_tell = |what: Hindrance| Health::CannotTell { cause: what.into() };
        if (300..400).contains(&answer.status) {
            return cannot_tell(Hindrance::Redirects { status });
        }
        if answer.cut {
            return cannot_tell(Hindrance::AnswerTooLong { kib: MOST_KIB as u64 });
        }
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let named = text_of(&json, &self.field);
        let Some(named) = named.map(|named| named.trim().to_owned()).filter(|named| !named.is_empty()) else {
            return cannot_tell(Hindrance::NamesNoCommit { status, field: self.field.clone() });
        };
        if !is_named(&named, commit) {
            return Health::Other { commit: shown(&named) };
        }
        if !(200..300).contains(&answer.status) {
            return Health::Unwell { cause: Hindrance::AnswersWith { status }.into() };
        }
        match (json.get(STATUS), text_of(&json, STATUS)) {
            (None, _) => Health::Expected,
            (Some(_), Some(said)) if said.eq_ignore_ascii_case(WELL) => Health::Expected,
            (Some(_), Some(said)) => {
                let (field, words) = (STATUS.to_owned(), shown(&said));
                Health::Unwell { cause: Hindrance::FieldSays { field, words }.into() }
            }
            (Some(_), None) => cannot_tell(Hindrance::FieldNoText { field: STATUS.to_owned() }),
        }
    }
}

fn text_of(json: &Value, field: &str) -> Option<String> {
    match field.split('.').try_fold(json, |json, name| json.get(name))? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a service means this commit: by its whole name, or by the beginning of it.
fn is_named(named: &str, commit: &Commit) -> bool {
    named.len() >= SHORTEST
        && named.is_ascii()
        && commit.as_str().to_ascii_lowercase().starts_with(&named.to_ascii_lowercase())
}

/// What a service said, short enough for a page.
fn shown(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
    const OTHER: &str = "ffffffffffffffffffffffffffffffffffffffff";

    fn judge(field: &str, status: u16, body: &str) -> Health {
        let probe = Probe::new("http://localhost/", field).unwrap();
        let answer = Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec(), cut: false };
        probe.judge(&answer, &Commit::from(COMMIT))
    }

    fn json(status: u16, body: &str) -> Health {
        judge("commit", status, body)
    }

    /// Well is only who names the commit and says so; another commit is another; the rest cannot be told.
    #[test]
    fn services_are_understood() {
        let named = format!(r#"{{"commit":"{COMMIT}","status":"ok"}}"#);
        assert_eq!(json(200, &named), Health::Expected);
        assert_eq!(json(200, r#"{"commit":"0123456789","status":"OK"}"#), Health::Expected);
        // Who says nothing of how it is says it by the status of its answer.
        let bare = named.replace("status", "state");
        assert_eq!(json(204, &bare), Health::Expected);
        assert!(matches!(json(500, &bare), Health::Unwell { .. }));
        assert!(matches!(json(503, &named), Health::Unwell { .. }));
        assert!(matches!(json(200, &named.replace("ok", "starting")), Health::Unwell { .. }));
        let other = format!(r#"{{"commit":"{OTHER}","status":"ok"}}"#);
        assert_eq!(json(200, &other), Health::Other { commit: OTHER.to_owned() });
        // A few characters could be anyone's.
        assert_eq!(
            json(200, r#"{"commit":"012","status":"ok"}"#),
            Health::Other { commit: "012".to_owned() }
        );
        for silent in [
            "",
            "<html>",
            "[]",
            r#"{"commit":null}"#,
            r#"{"commit":{"a":1}}"#,
            r#"{"status":"ok"}"#,
            &named.replace("\"ok\"", "{}"),
        ] {
            assert!(matches!(json(200, silent), Health::CannotTell { .. }), "{silent}");
        }
        assert!(matches!(json(302, &named), Health::CannotTell { .. }));
    }

    /// Dots lead into objects.
    #[test]
    fn a_field_may_lie_deeper() {
        let body = format!(r#"{{"build":{{"sha":"{COMMIT}"}}}}"#);
        assert_eq!(judge("build.sha", 200, &body), Health::Expected);
        assert!(matches!(judge("build", 200, &body), Health::CannotTell { .. }));
    }
}
