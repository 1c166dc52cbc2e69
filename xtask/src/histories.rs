//! Which random histories does a change have to live through?
//!
//! A fixed set of seeds, the same for every change, and fresh ones: they follow from the tree of the commit, so one commit
//! has the same ones everywhere. Some of both are on the real store: a tenth at least of all histories that a change lives
//! through, those of the tests in memory included.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// What goes wrong, and on which journal, and how many of the fixed and of the fresh seeds.
const GATE: &[(&str, &str, u32)] = &[
    ("some", "memory", 40),
    ("people", "memory", 40),
    ("all", "memory", 30),
    ("some", "sqlite", 25),
    ("people", "sqlite", 25),
    ("all", "sqlite", 25),
];

/// The histories of a change shall take no longer than this, the build not counted.
const PATIENCE: Duration = Duration::from_secs(300);

/// The fixed seeds and the fresh ones, in a debug build: part of the gate. That they took too long is said and is no
/// failure: a busy machine is no fault of the change.
pub(crate) fn run(root: &Path) -> Result<()> {
    let took = lived(root, &[], 1)?;
    if let Some(warning) = too_long(took) {
        println!("{warning}");
    }
    Ok(())
}

/// Many more, in a release build.
pub(crate) fn long(root: &Path) -> Result<()> {
    lived(root, &["--release"], 100).map(drop)
}

/// What is said of histories that took so long, if anything.
fn too_long(took: Duration) -> Option<String> {
    (took > PATIENCE).then(|| {
        format!(
            "warning: xtask/src/histories.rs: the histories took {} s, and a change shall wait {} s for them at most: the \
             machine is busy, or a history became slower; run `cargo xtask histories` on a quiet machine, and if it is as \
             slow there, find what became slow, or take seeds out of GATE",
            took.as_secs(),
            PATIENCE.as_secs()
        )
    })
}

/// Lives through them; how long that took without the build.
fn lived(root: &Path, build: &[&str], times: u32) -> Result<Duration> {
    let began = Instant::now();
    let mut command = workspace::cargo(root);
    command.args(["build", "--locked", "--quiet", "-p", "orch"]).args(build);
    println!("{}", workspace::shown(&command));
    if !command.status().context("could not start cargo")?.success() {
        bail!("orch does not build; what the compiler said stands above");
    }
    println!("the build took {} s", began.elapsed().as_secs());
    let began = Instant::now();
    let firsts = [0, fresh(root)?];
    let all = firsts.len() * GATE.len();
    for (half, from) in firsts.into_iter().enumerate() {
        for (at, (faults, store, seeds)) in GATE.iter().enumerate() {
            let mut command = workspace::cargo(root);
            command.args(["run", "--locked", "--quiet", "-p", "orch"]).args(build);
            command.args(["--", "sim", "run", "--faults", faults, "--store", store]);
            command.args(["--from", &from.to_string(), "--seeds", &(seeds * times).to_string()]);
            println!("{}/{all} {}", half * GATE.len() + at + 1, workspace::shown(&command));
            let status = command.status().context("could not start cargo")?;
            if !status.success() {
                bail!("a history broke a promise; the file named above is its short form");
            }
        }
    }
    let took = began.elapsed();
    let seeds = GATE.iter().map(|(_, _, seeds)| seeds * times * 2).sum::<u32>();
    println!("{seeds} histories took {} s", took.as_secs());
    Ok(took)
}

/// The first of the fresh seeds: from the tree of the newest commit.
fn fresh(root: &Path) -> Result<u64> {
    let mut command = Command::new("git");
    command.current_dir(root).args(["rev-parse", "HEAD^{tree}"]);
    let tree = workspace::stdout_of(&mut command)?;
    let part = tree.get(..12).context("git names no tree")?;
    u64::from_str_radix(part, 16).context("git names a tree that is no number")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Histories that take longer than a change shall wait are told of with place, cause and remedy; others are not.
    #[test]
    fn slow_histories_are_told_of() {
        assert_eq!(too_long(PATIENCE), None);
        let said = too_long(PATIENCE + Duration::from_secs(2)).unwrap();
        for part in ["warning: xtask/src/histories.rs", "302 s", "300 s", "busy", "cargo xtask histories"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    /// The seeds that the tests of `orch sim` have in memory, at most: those that look for a failing one among them.
    const OF_ORCH_SIM: u32 = 80;

    /// What is looked for in the same seeds again: each fault alone until it strikes, mostly in the first one, and 66 seeds
    /// once more without faults.
    const AGAIN: u32 = 150;

    /// The seeds of the simulator's tests, which are all in memory: `for seed in seeds(40)`, `for n in 0..125u64`, `for seed in
    /// 0..12`, `(0..200).find_map(|seed| ..)`.
    fn seeds_of_tests(root: &Path) -> u32 {
        let files = workspace::files(root).unwrap();
        let files = files.iter().filter(|file| file.starts_with("crates/sim/tests/it/"));
        let texts: Vec<String> = files.map(|file| workspace::read(root, file).unwrap()).collect();
        let numbers = texts.iter().flat_map(|text| text.lines()).filter_map(|line| {
            if let Some((range, _)) = line.split_once(").find_map(|seed|") {
                return range.split_once("(0..")?.1.parse::<u32>().ok();
            }
            let (what, range) = line.trim().strip_prefix("for ")?.split_once(" in ")?;
            let range = range.trim_end_matches([' ', '{']);
            let of_seeds = range.strip_prefix("seeds(").and_then(|rest| rest.strip_suffix(')'));
            let counted = |range: &'_ str| range.strip_prefix("0..").map(str::to_owned);
            let number = of_seeds
                .map(str::to_owned)
                .or_else(|| counted(range)?.strip_suffix("u64").map(str::to_owned))
                .or_else(|| counted(range).filter(|_| what == "seed"))?;
            number.parse::<u32>().ok()
        });
        numbers.sum::<u32>() + OF_ORCH_SIM + AGAIN
    }

    /// Proves that of all seeds that a change lives through, those of the tests among them, a tenth at least lives on the real
    /// store, and that no mix of faults has it spared.
    #[test]
    fn a_tenth_is_on_the_real_store() {
        let of = |wanted: &dyn Fn(&str) -> bool| {
            2 * GATE.iter().filter(|(_, store, _)| wanted(store)).map(|(_, _, seeds)| seeds).sum::<u32>()
        };
        let tests = seeds_of_tests(&workspace::root());
        assert!(tests > 400, "the tests' seeds are not found: {tests}");
        let (real, all) = (of(&|store| store == "sqlite"), of(&|_| true) + tests);
        assert!(real * 10 >= all, "{real} of {all} are on the real store");
        for (faults, _, _) in GATE {
            assert!(GATE.iter().any(|(other, store, _)| other == faults && *store == "sqlite"), "{faults}");
        }
    }
}
