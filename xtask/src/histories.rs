//! Which random histories does a change have to live through?
//!
//! A fixed set of seeds, the same for every change, and fresh ones: they follow from the tree of the commit, so one commit
//! has the same ones everywhere. Some of both are on the real store.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// What goes wrong, and on which journal, and how many of the fixed and of the fresh seeds. At least a tenth is on the real
/// store, with everything that there is among them.
const GATE: &[(&str, &str, u32)] = &[
    ("some", "memory", 40),
    ("people", "memory", 40),
    ("all", "memory", 30),
    ("some", "sqlite", 6),
    ("people", "sqlite", 6),
    ("all", "sqlite", 6),
];

/// The fixed seeds and the fresh ones, in a debug build: part of the gate.
pub(crate) fn run(root: &Path) -> Result<()> {
    lived(root, &[], 1)
}

/// Many more, in a release build.
pub(crate) fn long(root: &Path) -> Result<()> {
    lived(root, &["--release"], 100)
}

fn lived(root: &Path, build: &[&str], times: u32) -> Result<()> {
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
    Ok(())
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

    /// Proves that a tenth of the seeds at least live on the real store, and that no mix of faults has it spared.
    #[test]
    fn a_tenth_is_on_the_real_store() {
        let of = |wanted: &dyn Fn(&str) -> bool| {
            GATE.iter().filter(|(_, store, _)| wanted(store)).map(|(_, _, seeds)| seeds).sum::<u32>()
        };
        assert!(of(&|store| store == "sqlite") * 10 >= of(&|_| true));
        for (faults, _, _) in GATE {
            assert!(GATE.iter().any(|(other, store, _)| other == faults && *store == "sqlite"), "{faults}");
        }
    }
}
