//! How is any program made an agent?
//!
//! It starts in the tree with the prompt on standard input and changes files; its exit code says whether it did what it
//! could. In its arguments these are replaced: `{prompt}` (a file with the prompt), `{model}`, `{effort}`, `{role}`,
//! `{attempt}`. Nothing that a person or a page wrote is ever in an argument.
//!
//! If it knows what it used, it says so in the last JSON object of its standard output:
//! `{"usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4},
//! "total_cost_usd": 0.5}`, each part optional. A program that counts its cached input within the input says
//! `cached_input_tokens` instead of `cache_read_input_tokens`.

use std::collections::BTreeMap;
use std::path::Path;

use orch_core::call::agent::Assignment;
use orch_core::event::Usage;
use serde_json::Value;

use super::{AgentProgram, Calling, model};

/// How far back the last object is looked for, in bytes.
pub(super) const WINDOW: usize = 256 << 10;

pub(super) fn calling(agent: &AgentProgram, assignment: &Assignment, prompt: &Path) -> Calling {
    let attempt = assignment.attempt.0.to_string();
    let prompt = prompt.to_string_lossy();
    let parts = [
        ("{prompt}", &*prompt),
        ("{model}", model::valid_model(agent).unwrap_or_default()),
        ("{effort}", model::valid_effort(agent).unwrap_or_default()),
        ("{role}", assignment.role.name()),
        ("{attempt}", &attempt),
    ];
    let fill = |arg: &String| parts.iter().fold(arg.clone(), |arg, (name, value)| arg.replace(name, value));
    Calling { args: agent.args.iter().map(fill).collect(), env: BTreeMap::new(), read_only: Vec::new() }
}

/// What the end of an output says of usage; nothing is known of what is not there or makes no sense.
pub fn usage(output: &[u8]) -> Usage {
    last_object(output).map_or_else(Usage::default, |said| usage_of(&said))
}

pub(super) fn usage_of(said: &Value) -> Usage {
    let used = said.get("usage").unwrap_or(said);
    let count = |name: &str| used.get(name).and_then(Value::as_u64);
    let within = count("cached_input_tokens");
    let input = count("input_tokens").map(|all| all.saturating_sub(within.unwrap_or(0)));
    Usage {
        input,
        output: count("output_tokens"),
        cache_read: count("cache_read_input_tokens").or(within),
        cache_write: count("cache_creation_input_tokens").or_else(|| count("cache_write_input_tokens")),
        microdollars: said.get("total_cost_usd").and_then(microdollars),
    }
}

/// Dollars as a program prints them; a negative or absurd number is none.
pub(super) fn microdollars(dollars: &Value) -> Option<u64> {
    let dollars = dollars.as_f64().filter(|dollars| (0.0..1e9).contains(dollars))?;
    // Within 0 and 1e15: the conversion is exact enough and cannot wrap.
    Some((dollars * 1e6).round() as u64)
}

/// The last JSON object that begins at the start of a line and reaches to the end of a line.
fn last_object(output: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(output);
    let starts = text
        .match_indices('{')
        .map(|(at, _)| at)
        .filter(|at| text[..*at].rsplit('\n').next().is_none_or(|before| before.trim().is_empty()));
    // The last lines of a pretty-printed object begin with `{` as well: the first start whose object is not inside an
    // earlier one is wanted, so each is tried from where the one before ended.
    let (mut last, mut from) = (None, 0);
    for at in starts {
        if at < from {
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        if let Some(Ok(value @ Value::Object(_))) = values.next() {
            from = at + values.byte_offset();
            last = Some(value);
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    /// row 191: Usage parsed from CLI JSON; garbage → NULL.
    #[test]
    fn usage_is_read_defensively() {
        let read = |text: &str| usage(text.as_bytes());
        let all = Usage {
            input: Some(1),
            output: Some(2),
            cache_read: Some(3),
            cache_write: Some(4),
            microdollars: Some(500_000),
        };
        let line = r#"{"usage":{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":3,
            "cache_creation_input_tokens":4},"total_cost_usd":0.5}"#;
        assert_eq!(read(line), all);
        assert_eq!(read(&format!("working...\n{{\"usage\":{{\"input_tokens\":9}}}}\n{line}\nbye\n")), all);
        assert_eq!(read(&format!("{}\n", line.replace(',', ",\n"))), all);
        let none = Usage::default();
        for garbage in [
            "",
            "no json",
            "{\"usage\":",
            "[1,2]",
            "{\"usage\":\"many\"}",
            "{\"usage\":{\"input_tokens\":-1,\"output_tokens\":\"2\"},\"total_cost_usd\":-3}",
            "{\"usage\":{\"input_tokens\":1.5},\"total_cost_usd\":1e300}",
            "{{{{{{{{",
        ] {
            assert_eq!(read(garbage), none, "{garbage}");
        }
        assert_eq!(usage(b"\xff\xfe{\x00"), none);
    }

    /// Input that counts its cached part is taken apart: the four classes never overlap.
    #[test]
    fn cached_input_is_counted_once() {
        let said = r#"{"usage":{"input_tokens":1200,"cached_input_tokens":900,"output_tokens":120}}"#;
        let used = usage(said.as_bytes());
        assert_eq!((used.input, used.cache_read, used.full_input()), (Some(300), Some(900), 1200));
        assert_eq!(used.microdollars, None);
    }
}
