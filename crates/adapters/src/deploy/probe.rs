//! What does the deployed service say of itself: which commit is it, and is it well?
//!
//! What it does not say is never taken for good news (decision 36).

use std::time::Duration;

use orch_core::call::deploy::Health;
use orch_core::id::Commit;
use serde_json::Value;

use crate::http::{Answer, Client, ClientError, Limits};

/// Commits are named by at least this many characters.
const SHORTEST: usize = 7;

/// Asks a service.
#[derive(Debug, Clone)]
pub struct Probe {
    url: String,
    names: Names,
    well: Well,
    client: Client,
}

/// Where the service names its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// In a field of the JSON that it answers; dots lead into objects: `build.commit`.
    Json(String),
    /// In a header of its answer.
    Header(String),
    /// Somewhere in its answer.
    Body,
}

/// How the service says that it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Well {
    /// A field of its JSON has this value.
    Json {
        /// Which field.
        field: String,
        /// Its value.
        value: String,
    },
    /// By an answer with a status between 200 and 299.
    Status,
}

impl Default for Names {
    fn default() -> Self {
        Names::Json("commit".to_owned())
    }
}

impl Default for Well {
    fn default() -> Self {
        Well::Json { field: "status".to_owned(), value: "ok".to_owned() }
    }
}

impl Probe {
    /// A probe of `url`. `{port}` in it is replaced by the first port that the hook was given, `{commit}` by the expected
    /// commit.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(url: impl Into<String>, names: Names, well: Well) -> Result<Self, ClientError> {
        let limits =
            Limits { connect: Duration::from_secs(2), total: Duration::from_secs(2), body: 64 << 10 };
        Ok(Self { url: url.into(), names, well, client: Client::new(limits)? })
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
            cause: format!("{url}: no deploy of {} was given a port", commit.short()),
        })
    }

    async fn ask_at(&self, url: &str, commit: &Commit) -> Health {
        match self.client.get(url).await {
            Ok(answer) => self.judge(&answer, commit),
            Err(e) => Health::CannotTell { cause: e.to_string() },
        }
    }

    fn judge(&self, answer: &Answer, commit: &Commit) -> Health {
        let cannot_tell = |cause: String| Health::CannotTell { cause };
        if (300..400).contains(&answer.status) {
            return cannot_tell(format!(
                "it redirects with status {}: name the final address",
                answer.status
            ));
        }
        if answer.cut {
            return cannot_tell("its answer is longer than 64 KiB: name a health address".to_owned());
        }
        let json = || serde_json::from_slice::<Value>(&answer.body).ok();
        let named = match &self.names {
            Names::Json(field) => json().as_ref().and_then(|json| text_of(json, field)),
            Names::Header(name) => answer.header(name).map(str::to_owned),
            Names::Body => commit_in(&String::from_utf8_lossy(&answer.body), commit),
        };
        let Some(named) = named.map(|named| named.trim().to_owned()).filter(|named| !named.is_empty()) else {
            return cannot_tell(format!(
                "it answers with status {} and names no commit in {}",
                answer.status,
                self.names.place()
            ));
        };
        if !is_named(&named, commit) {
            return Health::Other { commit: shown(&named) };
        }
        if !(200..300).contains(&answer.status) {
            return Health::Unwell { cause: format!("it answers with status {}", answer.status) };
        }
        match &self.well {
            Well::Status => Health::Expected,
            Well::Json { field, value } => match json().as_ref().and_then(|json| text_of(json, field)) {
                Some(said) if said.eq_ignore_ascii_case(value) => Health::Expected,
                Some(said) => Health::Unwell { cause: format!("`{field}` is {}", shown(&said)) },
                None => cannot_tell(format!("it names the commit, but has no `{field}`")),
            },
        }
    }
}

impl Names {
    fn place(&self) -> String {
        match self {
            Names::Json(field) => format!("the JSON field `{field}`"),
            Names::Header(name) => format!("the header `{name}`"),
            Names::Body => "its text".to_owned(),
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

/// The expected commit if a text has it, else the first thing in it that looks like a commit.
fn commit_in(text: &str, commit: &Commit) -> Option<String> {
    let words = || text.split(|one: char| !one.is_ascii_alphanumeric());
    let is_whole =
        |word: &&str| (40..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit());
    words().find(|word| is_named(word, commit)).or_else(|| words().find(is_whole)).map(str::to_owned)
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

    fn judge(names: Names, well: Well, status: u16, body: &str) -> Health {
        let probe = Probe::new("http://localhost/", names, well).unwrap();
        let headers = vec![("x-commit".to_owned(), COMMIT.to_owned())];
        let answer = Answer { status, headers, body: body.as_bytes().to_vec(), cut: false };
        probe.judge(&answer, &Commit(COMMIT.to_owned()))
    }

    fn json(status: u16, body: &str) -> Health {
        judge(Names::default(), Well::default(), status, body)
    }

    /// Well is only who names the commit and says so; another commit is another; the rest cannot be told.
    #[test]
    fn services_are_understood() {
        let named = format!(r#"{{"commit":"{COMMIT}","status":"ok"}}"#);
        assert_eq!(json(200, &named), Health::Expected);
        assert_eq!(json(200, r#"{"commit":"0123456789","status":"OK"}"#), Health::Expected);
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
            &named.replace("status", "state"),
        ] {
            assert!(matches!(json(200, silent), Health::CannotTell { .. }), "{silent}");
        }
        assert!(matches!(json(302, &named), Health::CannotTell { .. }));
    }

    /// Services that name their commit elsewhere are understood as well.
    #[test]
    fn other_places() {
        let nested = Names::Json("build.sha".to_owned());
        let body = format!(r#"{{"build":{{"sha":"{COMMIT}"}}}}"#);
        assert_eq!(judge(nested, Well::Status, 200, &body), Health::Expected);
        assert_eq!(judge(Names::Header("X-Commit".to_owned()), Well::Status, 204, ""), Health::Expected);
        let page = |body: &str| judge(Names::Body, Well::Status, 200, body);
        assert_eq!(page(&format!("<p>running {COMMIT}</p>")), Health::Expected);
        assert_eq!(page(&format!("running {OTHER}.")), Health::Other { commit: OTHER.to_owned() });
        assert!(matches!(page("running fine"), Health::CannotTell { .. }));
    }
}
