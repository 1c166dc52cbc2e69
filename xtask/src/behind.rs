//! What stands behind a line of a list in `docs/`, and is it there?
//!
//! Lists of this form are `label | what | what shows it`, in sections that begin with `== `.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::invariants::{Shown, There};
use crate::mutate::list as mutants;
use crate::workspace;

const FAULTS: &str = "crates/sim/src/fault.rs";
const DRILLS: &str = "crates/orch/src/drill.rs";
/// What was run.
const DRILLED: &str = "docs/drills.md";

/// What stands behind a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// As behind the promises of `docs/invariants.md`.
    Shown(Shown),
    /// A fault of the simulator.
    Fault(String),
    /// A drill on a real installation.
    Drill(String),
    /// A mutant that is caught.
    Mutant(String),
}

/// A line of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The title of what follows.
    Section(String),
    /// Something, and what shows it.
    Entry { label: String, what: String, behind: Vec<Behind> },
}

/// What there is to name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) there: There,
    pub(crate) faults: Vec<String>,
    /// The drills that there are.
    pub(crate) drills: BTreeSet<String>,
    /// Those that held when they were last run.
    pub(crate) held: BTreeSet<String>,
    pub(crate) mutants: BTreeSet<String>,
}

/// Reads a list; `list` is where it is.
pub(crate) fn parse(list: &str, text: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            lines.push(Line::Section(title.to_owned()));
            continue;
        }
        let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [label, what, behind] = fields[..] else {
            bail!("{list}:{}: a line is `label | what | what shows it`", at + 1);
        };
        let behind = behind.split("; ").map(|one| {
            Behind::of(one).with_context(|| {
                format!(
                    "{list}:{}: `{one}` is none of fault, drill, mutant, step, test, rule, story, later:, not shown:",
                    at + 1
                )
            })
        });
        let behind = behind.collect::<Result<Vec<_>>>()?;
        lines.push(Line::Entry { label: label.to_owned(), what: what.to_owned(), behind });
    }
    Ok(lines)
}

/// The names of `Variant = "name",`, without the variants in the line `!matches!(self, ...)` of what is not wrong.
fn faults_of(text: &str) -> impl Iterator<Item = &str> {
    let well = text.lines().find_map(|line| line.trim().strip_prefix("!matches!(self, "));
    let well: Vec<&str> = well.unwrap_or_default().split(['|', ')']).map(str::trim).collect();
    text.lines().filter_map(move |line| {
        let (variant, name) = line.trim().split_once(" = \"")?;
        let wrong = !well.iter().any(|one| one.strip_prefix("Fault::") == Some(variant));
        (wrong && variant.chars().all(char::is_alphanumeric)).then_some(name.strip_suffix("\",")?)
    })
}

/// The names in the arms `Drill::Variant => "name",`.
fn drills_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (_, name) = line.trim().strip_prefix("Drill::")?.split_once(" => \"")?;
        name.strip_suffix("\",")
    })
}

/// The names in the rows `| name | held | ...`.
fn held_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" | held |")?.0))
}

impl Behind {
    fn of(text: &str) -> Option<Behind> {
        let (kind, name) = text.split_once(' ')?;
        Some(match kind {
            "fault" => Behind::Fault(name.to_owned()),
            "drill" => Behind::Drill(name.to_owned()),
            "mutant" => Behind::Mutant(name.to_owned()),
            _ => Behind::Shown(Shown::of(text)?),
        })
    }
}

impl Known {
    /// Looks for it in the tree.
    pub(crate) fn look(root: &Path) -> Result<Known> {
        Ok(Known {
            there: There::look(root)?,
            faults: faults_of(&workspace::read(root, FAULTS)?).map(str::to_owned).collect(),
            drills: drills_of(&workspace::read(root, DRILLS)?).map(str::to_owned).collect(),
            held: held_in(&workspace::read(root, DRILLED)?).map(str::to_owned).collect(),
            mutants: mutants::read(root)?.into_iter().map(|mutant| mutant.name).collect(),
        })
    }

    /// What is wrong with the names in a list.
    pub(crate) fn problems(&self, list: &[Line]) -> Vec<String> {
        let mut problems = Vec::new();
        for line in list {
            let Line::Entry { label, what, behind } = line else { continue };
            let lacks = behind.iter().filter_map(|one| self.lacks(one));
            problems.extend(lacks.map(|lack| format!("{label}, {what}: {lack}")));
        }
        problems
    }

    /// A list as tables, one a section.
    pub(crate) fn tables(&self, list: &[Line]) -> String {
        let mut text = String::new();
        for line in list {
            match line {
                Line::Section(title) => {
                    let _ = write!(text, "\n## {title}\n\n| | what | where |\n|---|---|---|\n");
                }
                Line::Entry { label, what, behind } => {
                    let told: Vec<String> = behind.iter().map(|one| self.told(one)).collect();
                    let _ = writeln!(text, "| {label} | {what} | {} |", told.join("<br>"));
                }
            }
        }
        text
    }

    fn lacks(&self, behind: &Behind) -> Option<String> {
        let (is, what) = match behind {
            Behind::Shown(shown) => return self.there.lacks(shown),
            Behind::Fault(name) => {
                (self.faults.contains(name), format!("the simulator has no fault `{name}`"))
            }
            Behind::Drill(name) if self.drills.contains(name) => {
                (self.held.contains(name), format!("{DRILLED} does not say that the drill {name} held"))
            }
            Behind::Drill(name) => (false, format!("there is no drill {name}")),
            Behind::Mutant(name) => (self.mutants.contains(name), format!("there is no mutant {name}")),
        };
        (!is).then_some(what)
    }

    fn told(&self, behind: &Behind) -> String {
        match behind {
            Behind::Shown(shown) => self.there.told(shown),
            Behind::Fault(name) => format!("fault *{name}*"),
            Behind::Drill(name) => format!("drill [{name}](drills.md)"),
            Behind::Mutant(name) => format!("mutant `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is named must exist, and is told with what is not shown.
    #[test]
    fn names_are_looked_up() {
        let rust = "    CrashBefore = \"brain dies\",\n    DiskFull = \"disk full\",\n    let name = \"no\";\n    \
                    Rain = \"it rains\",\n    Snow = \"it snows\",\n    !matches!(self, Fault::Rain | Fault::Snow)\n";
        let drills = "    DiskFull,\n    Drill::DiskFull => \"disk-full\",\n    Drill::AllHung => \"all-hung\",\n    \
                      Drill::DiskFull => disk_full::fault(),\n    Outcome::Held => \"held\",\n";
        let report =
            "| drill | outcome |\n|---|---|\n| disk-full | held | a |\n| all-hung | broken | it held |\n";
        let known = Known {
            faults: faults_of(rust).map(str::to_owned).collect(),
            drills: drills_of(drills).map(str::to_owned).collect(),
            held: held_in(report).map(str::to_owned).collect(),
            ..Known::default()
        };
        assert_eq!(known.faults, ["brain dies", "disk full"]);
        assert_eq!(known.drills.iter().collect::<Vec<_>>(), ["all-hung", "disk-full"]);
        let text = "== Faults\nfull | at once | fault disk full; drill disk-full\n\
                    disk | full | fault disc full; drill all-hung; drill yard; mutant m; test t; not shown: a disk that lies\n";
        let list = parse("l", text).expect("it is right");
        assert_eq!(
            known.problems(&list),
            [
                "disk, full: the simulator has no fault `disc full`",
                "disk, full: docs/drills.md does not say that the drill all-hung held",
                "disk, full: there is no drill yard",
                "disk, full: there is no mutant m",
                "disk, full: there is no test t",
            ]
        );
        let page = known.tables(&list);
        assert!(page.starts_with("\n## Faults\n\n| | what | where |\n"), "{page}");
        assert!(
            page.contains("| full | at once | fault *disk full*<br>drill [disk-full](drills.md) |"),
            "{page}"
        );
        assert!(page.contains("**not shown**: a disk that lies |"), "{page}");
    }

    /// A line that cannot be read is named.
    #[test]
    fn wrong_lines_are_named() {
        for (line, said) in [("I1 | one", "l:1: a line is"), ("I1 | one | some day", "`some day` is none of")]
        {
            assert!(parse("l", line).expect_err(line).to_string().contains(said), "{line}");
        }
    }
}
