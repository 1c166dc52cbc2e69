//! What do people do with Orch, and what shows that they can?
//!
//! `docs/journeys.src` says so; this makes `docs/journeys.md` of it, and fails where it names what does not exist.

use std::path::Path;

use anyhow::{Result, bail};

use crate::behind::{Behind, Known, Line, parse};
use crate::invariants::Shown;
use crate::workspace;

const LIST: &str = "docs/journeys.src";

/// How many journeys there are.
const JOURNEYS: usize = 7;

/// The text of `docs/journeys.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let list = parse(LIST, &workspace::read(root, LIST)?)?;
    let known = Known::look(root)?;
    let mut problems = known.problems(&list);
    problems.extend(untold(&list));
    if problems.is_empty() {
        return Ok(render(&list, &known));
    }
    bail!("{LIST} is not so:\n  {}", problems.join("\n  "))
}

/// Which journeys are missing or have nothing under their title.
fn untold(list: &[Line]) -> Vec<String> {
    let mut problems = Vec::new();
    let titles: Vec<(usize, &str)> = list
        .iter()
        .enumerate()
        .filter_map(|(at, line)| match line {
            Line::Section(title) => Some((at, title.as_str())),
            Line::Entry { .. } => None,
        })
        .collect();
    for n in 1..=JOURNEYS {
        match titles.get(n - 1) {
            Some((at, title)) if title.starts_with(&format!("{n}. ")) => {
                if !matches!(list.get(at + 1), Some(Line::Entry { .. })) {
                    problems.push(format!("nothing stands under `{title}`"));
                }
            }
            Some(_) | None => problems.push(format!("journey {n} should stand there as `== {n}. who`")),
        }
    }
    if titles.len() > JOURNEYS {
        problems.push(format!("there are {JOURNEYS} journeys, not {}", titles.len()));
    }
    problems
}

fn render(list: &[Line], known: &Known) -> String {
    let is_later = |one: &Behind| matches!(one, Behind::Shown(Shown::Later(_) | Shown::Missing(_)));
    let (mut all, mut later) = (0, 0);
    for line in list {
        let Line::Entry { behind, .. } = line else { continue };
        all += 1;
        later += usize::from(behind.iter().all(is_later));
    }
    format!(
        "# What people do with Orch\n\n\
         Made by `cargo xtask regen` from `docs/journeys.src`; not written by hand. Each name in it was looked up.\n\n\
         Behind each thing stands what plays it: a *test* the part of it that it names, mostly with the real program, a *story*\n\
         in the simulated world, a *drill* on a real installation ([drills](drills.md)); a *step* is a promise that the simulator\n\
         looks at ([what never happens](invariants.md)). What comes with a later issue says which part it waits for.\n\n\
         {all} things that people do; of {later} of them nothing is there yet.\n{}",
        known.tables(list)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each journey stands there in its order with something under it, and what is not there yet is counted.
    #[test]
    fn every_journey_is_told() {
        let line = "ask | for it | later: Plane\n";
        let text: String = (1..=JOURNEYS).map(|n| format!("== {n}. who\n{line}")).collect();
        let list = parse("l", &text).expect("it is right");
        assert_eq!(untold(&list), [""; 0]);
        assert!(
            render(&list, &Known::default())
                .contains("7 things that people do; of 7 of them nothing is there yet.\n\n## 1. who\n")
        );

        let list = parse("l", &text.replacen(&format!("== 2. who\n{line}"), "", 1)).expect("it is right");
        assert_eq!(untold(&list).len(), 6);
        let list = parse("l", &text.replacen(line, "", 1)).expect("it is right");
        assert_eq!(untold(&list), ["nothing stands under `1. who`"]);
        let list = parse("l", &format!("{text}== 8. who\n")).expect("it is right");
        assert_eq!(untold(&list), ["there are 7 journeys, not 8"]);
    }
}
