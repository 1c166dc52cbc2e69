//! Where is each invariant and each fault that was asked of the bench, and what is not shown?
//!
//! `docs/reliability.src` says so; this makes `docs/reliability.md` of it, and fails where it names what does not exist.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::behind::{Behind, Known, Line, parse};
use crate::workspace;

const LIST: &str = "docs/reliability.src";

/// How many invariants were asked for: I1 to I14.
const INVARIANTS: u32 = 14;

/// The text of `docs/reliability.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let list = parse(LIST, &workspace::read(root, LIST)?)?;
    let known = Known::look(root)?;
    let problems = problems(&list, &known);
    if problems.is_empty() {
        return Ok(render(&list, &known));
    }
    bail!("{LIST} is not so:\n  {}", problems.join("\n  "))
}

fn problems(list: &[Line], known: &Known) -> Vec<String> {
    let mut problems = known.problems(list);
    for n in 1..=INVARIANTS {
        let is_it = |line: &&Line| matches!(line, Line::Entry { label, .. } if *label == format!("I{n}"));
        let times = list.iter().filter(is_it).count();
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
    text.push_str(&known.tables(list));
    let mut named = BTreeSet::new();
    for line in list {
        let Line::Entry { behind, .. } = line else { continue };
        named.extend(behind.iter().filter_map(|one| match one {
            Behind::Fault(name) => Some(name.as_str()),
            _ => None, // not a domain enum
        }));
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

    /// Each invariant stands there once, and faults that nobody asked for are told.
    #[test]
    fn what_was_asked_for_stands_there() {
        let known = Known {
            faults: vec!["brain dies".to_owned(), "disk full".to_owned()],
            drills: BTreeSet::from(["disk-full".to_owned()]),
            held: BTreeSet::from(["disk-full".to_owned()]),
            ..Known::default()
        };
        let text: String =
            (1..=13).map(|n| format!("I{n} | one | fault disk full; drill disk-full\n")).collect();
        let list = parse("l", &text).expect("it is right");
        assert_eq!(problems(&list, &known), ["I14 stands there 0 times, not once"]);
        let page = render(&list, &known);
        assert!(page.ends_with("the simulator injects: brain dies.\n"), "{page}");
    }
}
