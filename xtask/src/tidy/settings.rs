//! Which key of the settings or of a policy is read by nothing? Who sets it would be told nothing, and get nothing.
//!
//! Types are not known here: a key passes too if another type has a field of its name, and that one is read.

use std::collections::BTreeMap;

use super::Finding;
use crate::source::Source;

/// Where the keys are: fields of types that are read from a file, and of what the environment says besides.
const KEYS: &[&str] = &[
    "crates/orch/src/settings.rs",
    "crates/orch/src/settings/environment.rs",
    "crates/orch/src/policy_file.rs",
];
const OF_ENVIRONMENT: &str = "pub struct Overrides {";

/// Where they must be read, and where not: to set, check, show, write or rehearse one is not to ask for it.
const READERS: &str = "crates/orch/src/";
const NO_READERS: &[&str] = &["settings/environment.rs", "settings/check.rs", "cmd", "demo", "drill"];

pub(super) fn findings(sources: &BTreeMap<String, Source>) -> Vec<Finding> {
    let asks = |path: &str| {
        path.strip_prefix(READERS).is_some_and(|rest| !NO_READERS.iter().any(|no| rest.starts_with(no)))
    };
    let readers: Vec<&Source> = sources.values().filter(|source| asks(&source.path)).collect();
    let mut findings = Vec::new();
    for path in KEYS {
        let keys = sources.get(*path).map(keys).unwrap_or_default();
        if keys.is_empty() {
            findings.push(Finding::of_file(path, "has no keys: name the files in which they are now"));
        }
        for (number, key) in keys {
            let is_read = readers
                .iter()
                .any(|reader| reader.numbered().any(|(_, line, test)| !test && reads(line, key)));
            if !is_read {
                let problem = format!(
                    "`{key}` is a key that nothing reads: read it where it is to hold, or take it out"
                );
                findings.push(Finding::at(path, number, problem));
            }
        }
    }
    findings
}

/// The public fields of types that are read from a file, each with its line.
fn keys(source: &Source) -> Vec<(usize, &str)> {
    let (mut from_file, mut inside, mut keys) = (false, false, Vec::new());
    for (number, line, _) in source.numbered().filter(|(.., test)| !test) {
        if line.starts_with("#[derive(") {
            from_file = line.contains("Deserialize");
        } else if line.starts_with("pub struct ") {
            inside = from_file || line == OF_ENVIRONMENT;
        } else if line.starts_with('}') {
            inside = false;
        } else if let Some((key, _)) = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(": "))
            && inside
        {
            keys.push((number, key));
        }
    }
    keys
}

/// Whether a line has the field's value from something, and not only a call of that name or a new value for it.
fn reads(line: &str, key: &str) -> bool {
    line.match_indices(key).any(|(at, _)| {
        let of_something = line[..at].ends_with('.') && !line[..at].ends_with("..");
        let rest = &line[at + key.len()..];
        let is_whole = !rest.starts_with(|one: char| one.is_alphanumeric() || one == '_' || one == '(');
        of_something && is_whole && !rest.starts_with(" = ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "#[derive(Debug, Deserialize)]\npub struct Watch {\n    /// How long.\n    pub seconds: u32,\n}\n\
                          #[derive(Debug)]\npub struct Chosen {\n    pub agent: String,\n}\n";

    fn check(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| ((*path).to_owned(), Source::new(path, text)));
        findings(&sources.collect()).iter().map(Finding::to_string).collect()
    }

    fn found(reader: &str, line: &str) -> Vec<String> {
        let overrides = format!("{OF_ENVIRONMENT}\n    pub serial: bool,\n}}\n");
        let files = [(KEYS[0], FIELDS), (KEYS[1], overrides.as_str()), (KEYS[2], FIELDS)];
        let others = [("crates/orch/src/left.rs", "over.serial"), (reader, line)];
        check(&[&files[..], &others[..]].concat())
    }

    /// A key is read where it holds: not where it is set, checked or shown, not by a test, and not by another's name.
    #[test]
    fn a_key_that_nothing_reads_is_found() {
        let compose = "crates/orch/src/compose.rs";
        for line in ["let a = watch.seconds;", "x(\n    settings\n        .seconds\n)", "if a.seconds == b {"]
        {
            assert_eq!(found(compose, line), [""; 0], "{line}");
        }
        let says = "`seconds` is a key that nothing reads: read it where it is to hold, or take it out";
        let named = [KEYS[0], KEYS[2]].map(|path| format!("{path}:4: {says}"));
        for line in [
            "watch.seconds = 3;",
            "Span::seconds(3)",
            "span.seconds()",
            "let x = ..seconds;",
            "a.seconds_ago",
            "// watch.seconds",
            "#[cfg(test)]\nmod tests {\n    fn a() { watch.seconds; }\n}",
        ] {
            assert_eq!(found(compose, line), named, "{line}");
        }
        for elsewhere in ["settings/check.rs", "cmd/settings.rs", "demo.rs", "drill/yard.rs"] {
            assert_eq!(found(&format!("crates/orch/src/{elsewhere}"), "watch.seconds"), named, "{elsewhere}");
        }
    }

    /// Keys that have gone elsewhere are looked for there, or the rule would look at nothing.
    #[test]
    fn files_without_keys_are_found() {
        let found = check(&[(KEYS[0], "pub struct Watch {\n    pub seconds: u32,\n}\n")]);
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
