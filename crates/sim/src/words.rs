//! How does a story say what was decided? In the names of the types themselves, as words: nothing to keep in step.

use orch_core::event::Event;
use orch_core::id::Digest;
use orch_core::journal::Row;
use orch_core::message::{self, Lang};
use serde::Serialize;
use serde_json::Value;

use crate::memory::MemoryJournal;

/// Ids, places and times: they say nothing to the reader of a story.
const UNSAID: [&str; 23] = [
    "roles", "run", "effect", "commit", "change", "due", "until", "diff", "main", "tree", "usage", "wall",
    "people", "agents", "request", "digest", "timer", "author", "language", "issue", "link", "limit", "at",
];

/// Anything that can be serialised, as words.
pub fn words<T: Serialize>(what: &T, journal: &MemoryJournal) -> String {
    said(&serde_json::to_value(what).unwrap_or_default(), journal)
}

fn said(value: &Value, journal: &MemoryJournal) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => plain(s),
        Value::Array(all) => all.iter().map(|one| said(one, journal)).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            if let (Some(Value::String(blob)), true) = (map.get("blob"), map.contains_key("bytes")) {
                let text = journal.kept(&Digest::from(blob.clone())).map(String::from_utf8_lossy);
                return text
                    .map_or_else(|| "a text".to_owned(), |text| format!("\"{}\"", plain(text.trim())));
            }
            if let (Some(fact), 1) = (map.get("said"), map.len()) {
                let fact = serde_json::from_value(fact.clone());
                return fact
                    .map_or_else(|_| "a fact".to_owned(), |fact| plain(&message::said(&fact, Lang::En)));
            }
            let one = map.len() == 1;
            let parts = map.iter().filter(|(key, _)| !UNSAID.contains(&key.as_str())).map(|(key, value)| {
                // A finding in Orch's words stands where a judge's would.
                let value = match key == "text" && value.get("said").is_some() {
                    true => format!("\"{}\"", said(value, journal)),
                    false => said(value, journal),
                };
                let key = key.replace('_', " ");
                match (value.is_empty(), one) {
                    (true, _) => key,
                    (false, true) => format!("{key}: {value}"),
                    (false, false) => format!("{key} {value}"),
                }
            });
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A text without the names of commits and runs, which differ from story to story; on one line.
fn plain(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
    let named = words.map(|word| {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let end = word.get(bare.len()..).unwrap_or_default();
        let hex = bare.len() >= 12 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        let run = bare.strip_prefix('r').and_then(|rest| rest.split_once('.')).is_some_and(|(a, b)| {
            !a.is_empty() && !b.is_empty() && a.bytes().chain(b.bytes()).all(|b| b.is_ascii_digit())
        });
        match (hex, run) {
            (true, _) => format!("<id>{end}"),
            (_, true) => format!("<run>{end}"),
            (false, false) => word.replace('\n', " / "),
        }
    });
    let text = named.collect::<String>();
    let text = match text.strip_prefix("docs/work-items/").and_then(|rest| rest.split_once('/')) {
        Some((_, name)) => name.to_owned(),
        None => text,
    };
    match text.contains(' ') || text.contains('/') {
        true => text,
        false => text.replace('_', " "),
    }
}

/// The name of an event's kind.
fn kind(event: &Event) -> String {
    match serde_json::to_value(event).unwrap_or_default() {
        Value::Object(map) => {
            let inner = map.into_iter().next();
            inner.map_or_else(String::new, |(key, value)| match key.as_str() {
                "reply" => format!("reply {}", value["effect"].as_str().unwrap_or_default()),
                "run_ended" => {
                    format!("run {} ended {}", value["run"].as_str().unwrap_or_default(), value["how"])
                }
                "gesture" => format!("gesture {}", value["what"]),
                _ => key,
            })
        }
        Value::String(name) => name,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => String::new(),
    }
}

/// A journal, a line a row, for whoever looks for the cause of a broken promise.
pub fn history(journal: &MemoryJournal) -> String {
    let line = |row: &Row| {
        let because: Vec<String> = row.reasons.iter().map(|reason| words(reason, journal)).collect();
        let effects: Vec<String> = row
            .effects
            .iter()
            .map(|e| format!("{}={}", e.id, serde_json::to_string(&e.call).unwrap_or_default()))
            .map(|text| text.chars().take(160).collect())
            .collect();
        let steps: Vec<String> = row
            .changes
            .iter()
            .filter_map(|change| {
                let orch_core::change::Change::Stepped(step) = change else { return None };
                serde_json::to_string(step).ok()
            })
            .collect();
        format!(
            "{} {} {} | {} | {} | {}\n",
            row.seq,
            row.entity,
            kind(&row.event),
            because.join("; "),
            effects.join(" "),
            steps.join(" ")
        )
    };
    journal.all().iter().map(|row| line(row)).collect()
}
