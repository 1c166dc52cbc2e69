//! Does the bench notice when a promise is broken on purpose? (decision 60)
//!
//! Each mutant of `crates/sim/mutants/` breaks one mechanism in a copy of the tree, and the stories and
//! histories of the bench must go red. An incident that a mutant names must be red in the story of that incident.

mod copy;
pub(crate) mod every;
mod known;
pub(crate) mod list;
mod report;
mod side_by_side;
mod switch;
mod trial;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::workspace;
use copy::Copy;
use list::Mutant;
use report::{REPORT, Report, Row, Standing};
use trial::{End, Trial};

/// Which mutants are run?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// All.
    All,
    /// Those whose name contains one of these words (joined by commas) or whose incident is one.
    Called(&'a str),
    /// Those of which the report has no verdict, or that of another text.
    Stale,
}

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

/// Says whether every mutant can still be made of the tree, and stands in the report as caught with the text that it has;
/// builds nothing. A row of which nobody wrote down the text is counted.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mutants = list::read(root)?;
    let report = Report::read(root);
    let mut problems = Vec::new();
    let mut untold = 0;
    for mutant in &mutants {
        if let Err(error) = mutant.applied(&|file| workspace::read(root, file)) {
            problems.push(format!("{error:#}"));
        }
        let name = &mutant.name;
        match report.standing(mutant) {
            Standing::Fresh => {}
            Standing::Untold => untold += 1,
            Standing::Adapted => problems.push(format!("{name} was run with another text than it has now")),
            Standing::Missing => problems.push(format!("{name} does not stand in {REPORT}")),
        }
    }
    if !problems.is_empty() {
        bail!(
            "mutants cannot be made, or were not run as they are (`cargo xtask mutate --stale` runs those):\n  {}",
            problems.join("\n  ")
        );
    }
    println!("{} mutants can be made", mutants.len());
    if untold > 0 {
        println!(
            "{untold} of them are to be run again, nobody wrote down with which text: `cargo xtask mutate --stale`"
        );
    }
    Ok(())
}

/// Runs mutants; fails if one lives.
pub(crate) fn run(root: &Path, which: Which<'_>) -> Result<()> {
    let mutants = list::read(root)?;
    let (known, tree) = (Report::read(root), report::tree(root)?);
    let wanted = |mutant: &&Mutant| match which {
        Which::All => true,
        Which::Called(words) => words.split(',').any(|word| mutant.is_called(word)),
        Which::Stale => known.standing(mutant) != Standing::Fresh,
    };
    let mut chosen: Vec<&Mutant> = mutants.iter().filter(wanted).collect();
    // Those of incidents first: they say most.
    chosen.sort_by_key(|mutant| mutant.incidents.is_empty());
    match which {
        Which::Called(words) if chosen.is_empty() => {
            bail!("no mutant has \"{words}\" in its name or among its incidents")
        }
        Which::Stale if chosen.is_empty() => {
            println!("every mutant was run with the text that it has");
            return Ok(());
        }
        Which::All | Which::Called(_) | Which::Stale => {}
    }
    // A text that the code has lost is found now and not after an hour.
    for mutant in &chosen {
        mutant.applied(&|file| workspace::read(root, file))?;
    }
    let mut trials: Vec<&Trial> = Vec::new();
    for trial in chosen.iter().flat_map(|mutant| trials_of(mutant)) {
        if !trials.contains(&trial) {
            trials.push(trial);
        }
    }
    let (next, alive) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // A build is mostly one crate after the other.
    side_by_side::run(chosen.len(), |place| {
        let copy = Copy::make(root, &format!("mutants-{place}"))?;
        for trial in &trials {
            match trial.run(&copy)? {
                End::Green => println!("{}: green on the tree as it is", trial.name),
                End::Red { by, .. } => bail!("{} is red on the tree as it is: {}", trial.name, by.join(", ")),
                End::Unfinished { .. } => bail!("{} does not end on the tree as it is", trial.name),
                End::DoesNotBuild(said) => bail!("the tree as it is does not build:\n{said}"),
            }
        }
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = chosen.get(at) else { return Ok(()) };
            let (end, took) = copy.timed(|| judge(&copy, mutant))?;
            let Ok(mut alive) = alive.lock() else { bail!("another thread has failed") };
            let (verdict, missed) = verdict(mutant, &end);
            println!("{}/{} {} ({} s): {verdict}", at + 1, chosen.len(), mutant.name, took.as_secs());
            let row = Row { by: verdict, text: Some(mutant.digest()), tree: Some(tree.clone()) };
            // At once: a run takes an hour and may be ended; and read again, for another may be under way.
            let mut report = Report::read(root);
            report.note(mutant, missed.is_empty().then_some(row));
            report.write(root, &mutants)?;
            alive.extend(missed);
        }
    })?;
    let alive = alive.into_inner().ok().context("a thread has failed")?;
    println!("{} mutants, {} caught", chosen.len(), chosen.len() - alive.len().min(chosen.len()));
    if !alive.is_empty() {
        bail!("the bench does not notice: {}", alive.join(", "));
    }
    Ok(())
}

/// What became of a mutant in one line, and what of it was not noticed.
fn verdict(mutant: &Mutant, end: &End) -> (String, Vec<String>) {
    match end {
        End::Green => ("LIVES".to_owned(), vec![mutant.name.clone()]),
        End::DoesNotBuild(said) => {
            let why = said.lines().next().unwrap_or_default();
            (format!("DOES NOT BUILD: {why}"), vec![mutant.name.clone()])
        }
        End::Red { by, .. } | End::Unfinished { by, .. } => {
            let green = mutant.incidents.iter().filter(|incident| !end.is_red_for(incident));
            let missed = green.map(|incident| format!("{} ({incident} stays green)", mutant.name)).collect();
            let by = shortened(by, &mutant.incidents);
            let verdict = match end {
                End::Unfinished { after, .. } if by.is_empty() => {
                    format!("no end after {} s", after.as_secs())
                }
                End::Unfinished { after, .. } => format!("no end after {} s; before: {by}", after.as_secs()),
                End::Green | End::Red { .. } | End::DoesNotBuild(_) => by,
            };
            (verdict, missed)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What caught a mutant is told in one line, the story of its own incident first.
    #[test]
    fn a_verdict_is_short() {
        let by = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(shortened(&by[..3], &[]), "a, b, c");
        assert_eq!(shortened(&by, &[]), "a, b, c and 1 more");
        let by = ["a", "I-01-x", "b", "I-02-y"].map(str::to_owned);
        assert_eq!(shortened(&by, &["I-02".to_owned()]), "I-02-y, a, I-01-x and 1 more");

        let mutant = &list::parse("m", "== one: it breaks\n@ a.rs\n- a\n+ b\n").expect("it is right")[0];
        let no_end = |by: &[String]| {
            verdict(
                mutant,
                &End::Unfinished { by: by.to_vec(), own: false, after: std::time::Duration::from_secs(120) },
            )
        };
        assert_eq!(no_end(&[]), ("no end after 120 s".to_owned(), vec![]));
        assert_eq!(no_end(&by).0, "no end after 120 s; before: a, I-01-x, b and 1 more");
    }
}
