//! Do the house rules of `STYLE.md` hold, as far as a machine can see?

mod crates;
mod layout;
mod lines;
mod settings;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::metadata::Metadata;
use crate::source::Source;
use crate::workspace;

/// A rule that does not hold somewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    line: Option<usize>,
    problem: String,
}

impl Finding {
    fn of_file(place: &str, problem: impl Into<String>) -> Finding {
        Finding { place: place.to_owned(), line: None, problem: problem.into() }
    }

    fn at(place: &str, line: usize, problem: impl Into<String>) -> Finding {
        Finding { place: place.to_owned(), line: Some(line), problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.problem),
            None => write!(f, "{}: {}", self.place, self.problem),
        }
    }
}

/// Checks all rules and prints every finding.
pub(crate) fn run(root: &Path) -> Result<()> {
    let files = workspace::files(root)?;
    let mut findings = crates::findings(&Metadata::ask(root)?);
    let mut sources = BTreeMap::new();
    for file in &files {
        let bytes = std::fs::read(root.join(file)).with_context(|| format!("could not read {file}"))?;
        if bytes.contains(&0) {
            continue;
        }
        let Ok(text) = String::from_utf8(bytes) else { continue };
        findings.extend(text::findings(file, &text));
        if file.ends_with(".rs") {
            sources.insert(file.clone(), Source::new(file, &text));
        }
    }
    for source in sources.values() {
        findings.extend(lines::findings(source));
    }
    findings.extend(lines::stale(&sources));
    findings.extend(layout::findings(&sources));
    findings.extend(settings::findings(&sources));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{} files, {} of them Rust: nothing to say", files.len(), sources.len());
        return Ok(());
    }
    bail!("{} findings; STYLE.md has the rules with their reasons", findings.len())
}
