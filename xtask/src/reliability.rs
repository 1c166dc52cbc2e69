//! Where is each invariant and each fault that was asked of the bench, and what is not shown?
//!
//! `docs/reliability.src` says so; this makes `docs/reliability.md` of it, and fails where it names what does not exist.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::invariants::{Shown, There};
use crate::mutate::list as mutants;
use crate::workspace;

const LIST: &str = "docs/reliability.src";
const FAULTS: &str = "crates/sim/src/fault.rs";

/// How many invariants were asked for: I1 to I14.
const INVARIANTS: u32 = 14;

/// What stands behind a line.
#[derive(Debug, PartialEq, Eq)]
enum Behind {
    /// As behind the promises of `docs/invariants.md`.
    Shown(Shown),
    /// A fault of the simulator.
    Fault(String),
    /// A drill on a real installation.
    Drill(String),
    /// A mutant that is caught.
    Mutant(String),
    /// What is missing, in words.
    NotShown(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// A title and the heads of three columns.
    Section(String),
    Entry {
        label: String,
        what: String,
        behind: Vec<Behind>,
    },
}

/// What there is to name.
#[derive(Debug, Default)]
struct Known {
    there: There,
    faults: Vec<String>,
    drills: BTreeSet<String>,
    mutants: BTreeSet<String>,
}

/// The text of `docs/reliability.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let list = parse(&workspace::read(root, LIST)?)?;
    let drills = workspace::files(root)?;
    let drill = |file: &String| {
        Some(file.strip_prefix("crates/orch/src/drill/")?.strip_suffix(".rs")?.replace('_', "-"))
    };
    let known = Known {
        there: There::look(root)?,
        faults: faults_of(&workspace::read(root, FAULTS)?).map(str::to_owned).collect(),
        drills: drills.iter().filter_map(drill).collect(),
        mutants: mutants::read(root)?.into_iter().map(|mutant| mutant.name).collect(),
    };
    let problems = problems(&list, &known);
    if problems.is_empty() {
        return Ok(render(&list, &known));
    }
    bail!("{LIST} is not so:\n  {}", problems.join("\n  "))
}

fn parse(text: &str) -> Result<Vec<Line>> {
    let mut list = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            list.push(Line::Section(title.to_owned()));
            continue;
        }
        let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [label, what, behind] = fields[..] else {
            bail!("{LIST}:{}: a line is `label | what | what shows it`", at + 1);
        };
        let behind = behind.split("; ").map(|one| {
            Behind::of(one).with_context(|| {
                format!(
                    "{LIST}:{}: `{one}` is none of fault, drill, mutant, step, test, rule, story, later:, not shown:",
                    at + 1
                )
            })
        });
        let behind = behind.collect::<Result<Vec<_>>>()?;
        list.push(Line::Entry { label: label.to_owned(), what: what.to_owned(), behind });
    }
    Ok(list)
}

/// The names of `Variant = "name",`.
fn faults_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (variant, name) = line.trim().split_once(" = \"")?;
        variant.chars().all(char::is_alphanumeric).then_some(name.strip_suffix("\",")?)
    })
}

impl Behind {
    fn of(text: &str) -> Option<Behind> {
        if let Some(missing) = text.strip_prefix("not shown: ") {
            return Some(Behind::NotShown(missing.to_owned()));
        }
        let (kind, name) = text.split_once(' ')?;
        Some(match kind {
            "fault" => Behind::Fault(name.to_owned()),
            "drill" => Behind::Drill(name.to_owned()),
            "mutant" => Behind::Mutant(name.to_owned()),
            _ => Behind::Shown(Shown::of(kind, name)?),
        })
    }
}

impl Known {
    fn lacks(&self, behind: &Behind) -> Option<String> {
        let (is, what) = match behind {
            Behind::Shown(shown) => return self.there.lacks(shown),
            Behind::Fault(name) => {
                (self.faults.contains(name), format!("the simulator has no fault `{name}`"))
            }
            Behind::Drill(name) => (self.drills.contains(name), format!("there is no drill {name}")),
            Behind::Mutant(name) => (self.mutants.contains(name), format!("there is no mutant {name}")),
            Behind::NotShown(missing) => (!missing.is_empty(), "not shown, and not said what".to_owned()),
        };
        (!is).then_some(what)
    }

    fn told(&self, behind: &Behind) -> String {
        match behind {
            Behind::Shown(shown) => self.there.told(shown),
            Behind::Fault(name) => format!("fault *{name}*"),
            Behind::Drill(name) => format!("drill [{name}](drills.md)"),
            Behind::Mutant(name) => format!("mutant `{name}`"),
            Behind::NotShown(missing) => format!("**not shown**: {missing}"),
        }
    }
}

fn problems(list: &[Line], known: &Known) -> Vec<String> {
    let mut problems = Vec::new();
    let mut labels = Vec::new();
    for line in list {
        let Line::Entry { label, what, behind } = line else { continue };
        labels.push(label.as_str());
        for one in behind {
            problems.extend(known.lacks(one).map(|lack| format!("{label}, {what}: {lack}")));
        }
    }
    for n in 1..=INVARIANTS {
        let times = labels.iter().filter(|label| **label == format!("I{n}")).count();
        if times != 1 {
            problems.push(format!("I{n} stands there {times} times, not once"));
        }
    }
    problems
}

fn render(list: &[Line], known: &Known) -> String {
    let mut text = String::from(
        "# What was asked of the bench, and where it is\n\n\
         Made by `cargo xtask regen` from `docs/reliability.src`; not written by hand. Each name in it was looked up.\n\n\
         A *fault* is one that the simulator injects into random histories and counts, a *drill* is done on a real\n\
         installation ([drills](drills.md)), a *mutant* is caught ([mutants](mutants.md)), a *step* is a promise that the\n\
         simulator looks at ([what never happens](invariants.md)); a *test* and a *story* play one case. How often all of it\n\
         was lived through stands in [figures](figures.md).\n",
    );
    let mut named = BTreeSet::new();
    for line in list {
        match line {
            Line::Section(title) => {
                let _ = write!(text, "\n## {title}\n\n| | what | where |\n|---|---|---|\n");
            }
            Line::Entry { label, what, behind } => {
                named.extend(behind.iter().filter_map(|one| match one {
                    Behind::Fault(name) => Some(name.as_str()),
                    _ => None,
                }));
                let told: Vec<String> = behind.iter().map(|one| known.told(one)).collect();
                let _ = writeln!(text, "| {label} | {what} | {} |", told.join("<br>"));
            }
        }
    }
    let others: Vec<&str> =
        known.faults.iter().map(String::as_str).filter(|fault| !named.contains(fault)).collect();
    if !others.is_empty() {
        let _ = writeln!(text, "\nBesides what was asked for, the simulator injects: {}.", others.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is named must exist, each invariant stands there once, and faults that nobody asked for are told.
    #[test]
    fn names_are_looked_up() {
        let rust =
            "    CrashBefore = \"brain dies\",\n    DiskFull = \"disk full\",\n    let name = \"no\";\n";
        let known = Known {
            faults: faults_of(rust).map(str::to_owned).collect(),
            drills: BTreeSet::from(["disk-full".to_owned()]),
            ..Known::default()
        };
        assert_eq!(known.faults, ["brain dies", "disk full"]);
        let mut text: String =
            (1..=13).map(|n| format!("I{n} | one | fault disk full; drill disk-full\n")).collect();
        text.push_str(
            "== Faults\ndisk | full | fault disc full; mutant m; test t; not shown: a disk that lies\n",
        );
        let list = parse(&text).expect("it is right");
        assert_eq!(
            problems(&list, &known),
            [
                "disk, full: the simulator has no fault `disc full`",
                "disk, full: there is no mutant m",
                "disk, full: there is no test t",
                "I14 stands there 0 times, not once"
            ]
        );
        let page = render(&list, &known);
        assert!(page.contains("**not shown**: a disk that lies |"), "{page}");
        assert!(page.ends_with("the simulator injects: brain dies.\n"), "{page}");
    }

    /// A line that cannot be read is named.
    #[test]
    fn wrong_lines_are_named() {
        for (line, said) in [("I1 | one", "a line is"), ("I1 | one | some day", "`some day` is none of")] {
            assert!(parse(line).expect_err(line).to_string().contains(said), "{line}");
        }
    }
}
