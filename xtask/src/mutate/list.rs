//! Which ways of breaking Orch are listed, and what does the tree look like with one of them?
//!
//! A mutant begins with `== name: what it breaks`. `incident: I-01 I-02` names the incidents whose story it must turn red,
//! `test: package target filter` the tests that must catch it where the bench cannot. Then `@ file`, the exact text that
//! is there once (lines that begin with `-`), and the text instead (`+`); as often as needed.

use std::path::Path;

use anyhow::{Result, bail};
use sha2::{Digest as _, Sha256};

use super::trial::Trial;
use crate::workspace;

const FOLDER: &str = "crates/sim/mutants/";

/// One way to break something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// Its name, unique.
    pub(crate) name: String,
    /// What it breaks.
    pub(crate) breaks: String,
    /// The incidents whose stories must be red.
    pub(crate) incidents: Vec<String>,
    /// The tests that must catch it, if the bench cannot.
    pub(super) trial: Option<Trial>,
    hunks: Vec<Hunk>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    file: String,
    old: Vec<String>,
    new: Vec<String>,
}

/// All mutants, in the order of their files.
pub(crate) fn read(root: &Path) -> Result<Vec<Mutant>> {
    let mut all: Vec<Mutant> = Vec::new();
    for file in workspace::files(root)?.iter().filter(|file| file.starts_with(FOLDER)) {
        for mutant in parse(file, &workspace::read(root, file)?)? {
            if all.iter().any(|other| other.name == mutant.name) {
                bail!("{file}: there are two mutants called {}", mutant.name);
            }
            all.push(mutant);
        }
    }
    Ok(all)
}

impl Mutant {
    /// Whether its name contains this, or an incident that it names is this.
    pub(super) fn is_called(&self, word: &str) -> bool {
        self.name.contains(word) || self.incidents.iter().any(|incident| incident == word)
    }

    /// Eight digits for what is run: the texts before and after, the incidents that must be red, the tests it names. Whoever
    /// adapts one of them has another mutant, and what became of the old one says nothing of it.
    pub(super) fn digest(&self) -> String {
        let mut all = Sha256::new();
        let mut take = |text: &str| {
            all.update(text.as_bytes());
            all.update([0]);
        };
        for hunk in &self.hunks {
            take(&hunk.file);
            take(&hunk.old.join("\n"));
            take(&hunk.new.join("\n"));
        }
        self.incidents.iter().for_each(|incident| take(incident));
        if let Some(trial) = &self.trial {
            take(trial.package);
            trial.target.iter().chain(trial.filter).for_each(|word| take(word));
        }
        all.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The files that are different, as they are with this mutant; `read` gives them as they are without.
    pub(super) fn applied(&self, read: &dyn Fn(&str) -> Result<String>) -> Result<Vec<(String, String)>> {
        let mut changed: Vec<(String, String)> = Vec::new();
        for hunk in &self.hunks {
            let at = match changed.iter().position(|(file, _)| *file == hunk.file) {
                Some(at) => at,
                None => {
                    changed.push((hunk.file.clone(), read(&hunk.file)?));
                    changed.len() - 1
                }
            };
            let (old, new) = (hunk.old.join("\n"), hunk.new.join("\n"));
            let text = &mut changed[at].1;
            match text.matches(&old).count() {
                1 => *text = text.replacen(&old, &new, 1),
                times => bail!(
                    "{}: its text is {times} times in {}, not once; adapt the mutant to the code:\n{old}",
                    self.name,
                    hunk.file
                ),
            }
        }
        Ok(changed)
    }
}

pub(super) fn parse(path: &str, text: &str) -> Result<Vec<Mutant>> {
    let mut mutants: Vec<Mutant> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", at + 1);
        if let Some(head) = line.strip_prefix("== ") {
            let Some((name, breaks)) = head.split_once(": ") else {
                bail!("{place}: write `== name: what it breaks`");
            };
            mutants.push(Mutant {
                name: name.to_owned(),
                breaks: breaks.to_owned(),
                incidents: Vec::new(),
                trial: None,
                hunks: Vec::new(),
            });
            continue;
        }
        let comment = line.is_empty() || line.starts_with('#');
        let Some(mutant) = mutants.last_mut() else {
            if comment {
                continue;
            }
            bail!("{place}: a mutant begins with `== name: what it breaks`");
        };
        if let Some(incidents) = line.strip_prefix("incident: ") {
            mutant.incidents = incidents.split_whitespace().map(str::to_owned).collect();
        } else if let Some(test) = line.strip_prefix("test: ") {
            let words: Vec<&str> = test.split_whitespace().collect();
            let &[package, target, filter] = words.as_slice() else {
                bail!(
                    "{place}: write `test: package target filter`, the target as lib or the name of a test"
                );
            };
            mutant.trial = Some(Trial::own(package, target, filter));
        } else if let Some(file) = line.strip_prefix("@ ") {
            mutant.hunks.push(Hunk { file: file.to_owned(), old: Vec::new(), new: Vec::new() });
        } else if !comment {
            let Some(hunk) = mutant.hunks.last_mut() else {
                bail!("{place}: before the text comes `@ file`");
            };
            let (sign, rest) = line.split_at(1);
            let text = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
            match sign {
                "-" if hunk.new.is_empty() => hunk.old.push(text),
                "+" if !hunk.old.is_empty() => hunk.new.push(text),
                _ => bail!("{place}: first the lines that are there (`-`), then those instead (`+`)"),
            }
        }
    }
    for mutant in &mutants {
        if mutant.hunks.is_empty() || mutant.hunks.iter().any(|hunk| hunk.old.is_empty()) {
            bail!("{path}: {} changes nothing", mutant.name);
        }
    }
    Ok(mutants)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# For people\n\n== one: it breaks\nincident: I-01 I-02\n@ a.rs\n- if a &&\n-     b {\n+ if a {\n\
                        @ a.rs\n- c\n+ d\n\n== two: so does this\ntest: orch-core lib message::\n@ b.rs\n- x\n";

    /// A mutant says what it breaks, which incidents, and how; its text must be there once.
    #[test]
    fn mutants_are_read_and_made() {
        let mutants = parse("m", TEXT).expect("it is right");
        assert_eq!((mutants.len(), mutants[0].incidents.len()), (2, 2));
        assert_eq!(mutants[1].trial, Some(Trial::own("orch-core", "lib", "message::")));
        let tree = |text: &'static str| move |_: &str| Ok(text.to_owned());
        let made = mutants[0].applied(&tree("if a &&\n    b {\n  c\n}")).expect("once");
        assert_eq!(made, [("a.rs".to_owned(), "if a {\n  d\n}".to_owned())]);
        assert_eq!(mutants[1].applied(&tree("1 x 2")).expect("once")[0].1, "1  2");
        let error = mutants[1].applied(&tree("x x")).expect_err("twice").to_string();
        assert!(error.starts_with("two: its text is 2 times in b.rs"), "{error}");
    }

    /// The digest follows from what is run, not from what is said of it.
    #[test]
    fn an_adapted_mutant_is_another_one() {
        let digests = |text: &str| {
            parse("m", text).expect("it is right").iter().map(Mutant::digest).collect::<Vec<_>>()
        };
        let before = digests(TEXT);
        assert!(before.iter().all(|digest| digest.len() == 8), "{before:?}");
        assert_eq!(before, digests(&TEXT.replace("it breaks", "it is said otherwise")));
        for (old, new) in [("+ if a {", "+ if b {"), ("I-01 I-02", "I-01"), ("@ a.rs\n- if", "@ c.rs\n- if")]
        {
            let after = digests(&TEXT.replace(old, new));
            assert!(after[0] != before[0] && after[1] == before[1], "{old}");
        }
        assert_ne!(before[1], digests(&TEXT.replace("message::", "reason::"))[1]);
    }

    /// What cannot be read is named with its line.
    #[test]
    fn wrong_lines_are_named() {
        for (text, said) in [
            ("== one", "m:1: write"),
            ("- a", "m:1: a mutant begins"),
            ("== one: b\n- a", "m:2: before the text"),
            ("== one: b\n@ a.rs\n+ a", "m:3: first the lines"),
            ("== one: b\n@ a.rs\n- a\n+ b\n- c", "m:5: first the lines"),
            ("== one: b\ntest: lib", "m:2: write `test:"),
            ("== one: b", "m: one changes nothing"),
        ] {
            let error = parse("m", text).expect_err(text).to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
