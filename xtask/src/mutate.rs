//! Does the bench notice when a promise is broken on purpose? (decision 60)
//!
//! Each mutant of `crates/sim/mutants/` breaks one mechanism of core or engine in a copy of the tree, and the stories and
//! histories of the bench must go red. An incident that a mutant names must be red in the story of that incident.

mod copy;
pub(crate) mod every;
pub(crate) mod list;
mod switch;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace;
use copy::Copy;
use list::Mutant;
use trial::{End, Trial};

/// What became of each mutant when it was last run.
const REPORT: &str = "docs/mutants.md";

/// What is run against each mutant, the cheap and telling first.
const BENCH: &[Trial] = &[
    Trial {
        name: "stories",
        package: "orch-sim",
        target: &["--test", "it"],
        // The name of the histories contains that of the stories; they come next.
        filter: &["stories::", "twice::", "--skip=histories::"],
        seeds: 0,
    },
    Trial {
        name: "histories",
        package: "orch-sim",
        target: &["--test", "it"],
        filter: &["pipeline::people_may_do_anything", "records::", "full_disk::", "histories::kept"],
        seeds: 16,
    },
];

/// Prints the mutants.
pub(crate) fn list(root: &Path) -> Result<()> {
    let mutants = list::read(root)?;
    for mutant in &mutants {
        let incidents: Vec<&str> = mutant.incidents.iter().map(String::as_str).collect();
        println!("{}: {} {}", mutant.name, mutant.breaks, incidents.join(" "));
    }
    println!("{} mutants", mutants.len());
    Ok(())
}

/// Says whether every mutant can still be made of the tree, and stands in the report as caught; builds nothing.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mutants = list::read(root)?;
    let mut problems = Vec::new();
    for mutant in &mutants {
        if let Err(error) = mutant.applied(&|file| workspace::read(root, file)) {
            problems.push(format!("{error:#}"));
        }
    }
    let report = workspace::read(root, REPORT)?;
    let rows: BTreeSet<&str> = report.lines().filter_map(row_of).collect();
    for mutant in mutants.iter().filter(|mutant| !rows.contains(mutant.name.as_str())) {
        problems.push(format!("{} does not stand in {REPORT}: run `cargo xtask mutate`", mutant.name));
    }
    if !problems.is_empty() {
        bail!("{} mutants cannot be made or were never run:\n  {}", problems.len(), problems.join("\n  "));
    }
    println!("{} mutants can be made", mutants.len());
    Ok(())
}

/// The name in a line of the report's table.
fn row_of(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split('`').next()
}

/// Runs the mutants whose name contains one of the words of `only` (joined by commas) or whose incident is one, or all of
/// them; fails if one lives.
pub(crate) fn run(root: &Path, only: Option<&str>) -> Result<()> {
    let mutants = list::read(root)?;
    let wanted =
        |mutant: &&Mutant| only.is_none_or(|only| only.split(',').any(|word| mutant.is_called(word)));
    let mut chosen: Vec<&Mutant> = mutants.iter().filter(wanted).collect();
    // Those of incidents first: they say most.
    chosen.sort_by_key(|mutant| mutant.incidents.is_empty());
    if chosen.is_empty() {
        bail!("no mutant has \"{}\" in its name or among its incidents", only.unwrap_or_default());
    }
    // A text that the code has lost is found now and not after an hour.
    for mutant in &chosen {
        mutant.applied(&|file| workspace::read(root, file))?;
    }
    let copy = Copy::make(root, "mutants")?;
    let mut trials: Vec<&Trial> = Vec::new();
    for trial in chosen.iter().flat_map(|mutant| trials_of(mutant)) {
        if !trials.contains(&trial) {
            trials.push(trial);
        }
    }
    for trial in trials {
        match trial.run(&copy)? {
            End::Green => println!("{}: green on the tree as it is", trial.name),
            End::Red { by, .. } => bail!("{} is red on the tree as it is: {}", trial.name, by.join(", ")),
            End::DoesNotBuild(said) => bail!("the tree as it is does not build:\n{said}"),
        }
    }
    let mut alive = Vec::new();
    for (at, mutant) in chosen.iter().enumerate() {
        let (end, took) = copy.timed(|| judge(&copy, mutant))?;
        let verdict = match &end {
            End::Green => "LIVES".to_owned(),
            End::DoesNotBuild(said) => format!("DOES NOT BUILD: {}", said.lines().next().unwrap_or_default()),
            End::Red { by, .. } => shortened(by, &mutant.incidents),
        };
        println!("{}/{} {} ({took}): {verdict}", at + 1, chosen.len(), mutant.name);
        match &end {
            End::Green | End::DoesNotBuild(_) => alive.push(mutant.name.clone()),
            End::Red { .. } => {
                for incident in mutant.incidents.iter().filter(|incident| !end.is_red_for(incident)) {
                    println!("   {incident} stays green");
                    alive.push(format!("{} ({incident} stays green)", mutant.name));
                }
            }
        }
        let red = |incident: &String| end.is_red_for(incident);
        let caught = matches!(end, End::Red { .. }) && mutant.incidents.iter().all(red);
        note(root, &mutants, mutant, caught.then_some(verdict.as_str()))?;
    }
    println!("{} mutants, {} caught", chosen.len(), chosen.len() - alive.len().min(chosen.len()));
    if !alive.is_empty() {
        bail!("the bench does not notice: {}", alive.join(", "));
    }
    Ok(())
}

/// Writes into the report what became of a mutant: nothing, if it lives.
fn note(root: &Path, all: &[Mutant], of: &Mutant, by: Option<&str>) -> Result<()> {
    let before = std::fs::read_to_string(root.join(REPORT)).unwrap_or_default();
    let known: BTreeMap<&str, &str> = before.lines().filter_map(|line| Some((row_of(line)?, line))).collect();
    let rows = all.iter().filter_map(|mutant| {
        if mutant != of {
            return known.get(mutant.name.as_str()).map(|row| (*row).to_owned());
        }
        let incidents: Vec<&str> = mutant.incidents.iter().map(String::as_str).collect();
        by.map(|by| format!("| `{}` | {} | {} | {by} |", mutant.name, mutant.breaks, incidents.join(" ")))
    });
    let report = report(all.len(), &rows.collect::<Vec<_>>());
    std::fs::write(root.join(REPORT), report).with_context(|| format!("could not write {REPORT}"))
}

fn trials_of(mutant: &Mutant) -> &[Trial] {
    match &mutant.trial {
        Some(own) => std::slice::from_ref(own),
        None => BENCH,
    }
}

/// What becomes of a mutant: the first trial that goes red ends it.
fn judge(copy: &Copy, mutant: &Mutant) -> Result<End> {
    let changed = mutant.applied(&|file| copy.read(file))?;
    for (file, text) in &changed {
        copy.write(file, text)?;
    }
    let mut end = Ok(End::Green);
    for trial in trials_of(mutant) {
        end = trial.run(copy);
        if !matches!(end, Ok(End::Green)) {
            break;
        }
    }
    for (file, _) in &changed {
        copy.restore(file)?;
    }
    end
}

/// The first of those that caught a mutant, the stories of its own incidents before others, and how many more there were.
fn shortened(by: &[String], incidents: &[String]) -> String {
    const SHOWN: usize = 3;
    let own = |name: &&String| incidents.iter().any(|incident| name.starts_with(&format!("{incident}-")));
    let (mut first, others): (Vec<&String>, Vec<&String>) = by.iter().partition(own);
    first.extend(others);
    first.truncate(SHOWN);
    let first = first.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    match by.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn report(all: usize, rows: &[String]) -> String {
    format!(
        "# Mutants\n\n\
         Written by `cargo xtask mutate`, which breaks one mechanism at a time and runs the bench against it.\n\
         {} of {all} mutants were caught when they were last run; by which story, test or invariant, says the last column.\n\n\
         | mutant | what it breaks | incident | caught by |\n|---|---|---|---|\n{}\n",
        rows.len(),
        rows.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What caught a mutant is told in one line, and a row of the report is found by its name.
    #[test]
    fn a_row_is_short_and_found() {
        let by = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(shortened(&by[..3], &[]), "a, b, c");
        assert_eq!(shortened(&by, &[]), "a, b, c and 1 more");
        let by = ["a", "I-01-x", "b", "I-02-y"].map(str::to_owned);
        assert_eq!(shortened(&by, &["I-02".to_owned()]), "I-02-y, a, I-01-x and 1 more");
        let report = report(1, &["| `one` | it breaks | I-01 | a |".to_owned()]);
        assert_eq!(report.lines().filter_map(row_of).collect::<Vec<_>>(), ["one"]);
    }
}
