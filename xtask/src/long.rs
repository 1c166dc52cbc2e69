//! What else is checked, where time does not matter?
//!
//! The gate first, then the same tests on the release build with more seeds, and whatever only makes sense
//! there. Tests with a random history read from `ORCH_SEEDS` how many seeds they have at least.

use std::path::Path;

use anyhow::{Result, bail};

use crate::mutate::Which;
use crate::step::{self, Step, Work};
use crate::{bench, ci, histories, mutate, parts};

/// Runs the gate and every long step, or without the gate the steps with `only` in their name; `install` gets missing
/// programs first.
pub(crate) fn run(root: &Path, install: bool, only: Option<&str>) -> Result<()> {
    let mut steps = list();
    if let Some(only) = only {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        let names = names.join("\", \"");
        steps.retain(|step| step.name.to_lowercase().contains(&only.to_lowercase()));
        if steps.is_empty() {
            bail!("no step has \"{only}\" in its name; there are \"{names}\"");
        }
    }
    // Before anything that takes an hour. A step alone says itself what it lacks.
    if only.is_none() || install {
        parts::require(root, install, parts::LONG)?;
    }
    if only.is_none() {
        ci::run(root, install)?;
    }
    step::run(root, &steps)
}

fn list() -> Vec<Step> {
    vec![
        Step {
            name: "60 seeds",
            proves: "random histories end well under 60 seeds at least (a test that has more by itself keeps them) in the release build, and so does every other test, but for the kills, which come next",
            work: Work::Tests(
                &[("ORCH_SEEDS", "60")],
                &["test", "--locked", "--workspace", "--release", "--", "--skip=kill::", "--skip=kills::"],
            ),
        },
        Step {
            name: "kills",
            proves: "after a thousand kill -9 and more, of the program at every boundary of an effect three times and at 500 random moments, and 500 of the store, nothing is lost or there twice",
            work: Work::Tests(
                &[("ORCH_SEEDS", "500")],
                &[
                    "test",
                    "--locked",
                    "--release",
                    "--package=orch-store",
                    "--package=orch",
                    "--test=it",
                    "kill",
                    "--",
                    "--nocapture",
                ],
            ),
        },
        Step {
            name: "power cuts",
            proves: "after 1,000 power cuts under the real store, and as many under the real git, nothing acknowledged is lost or there twice",
            work: Work::Tests(
                &[("ORCH_SEEDS", "1000")],
                &[
                    "test",
                    "--locked",
                    "--release",
                    "--package=orch-store",
                    "--package=orch-adapters",
                    "--test=it",
                    "power::",
                    "--",
                    "--nocapture",
                ],
            ),
        },
        Step {
            name: "mutants",
            proves: "the bench, or the tests that are named for it, go red for every listed way to break a mechanism, and each incident for its own",
            work: Work::Own("mutate", Box::new(|root| mutate::run(root, Which::All))),
        },
        Step {
            name: "every mutant of core",
            proves: "the tests of core and the bench catch at least 95 of 100 mutants of every expression of core, and the others have a reason",
            work: Work::Own("mutate --every", Box::new(|root| mutate::every::run(root, None))),
        },
        Step {
            name: "long histories",
            proves: "a hundred times as many random histories break no promise",
            work: Work::Own("long --only histories", Box::new(histories::long)),
        },
        Step {
            name: "drills",
            proves: "the real program holds on this machine while one thing after the other is broken; the report is in target/drills.md",
            work: Work::Cargo(
                &[],
                &[
                    "run",
                    "--locked",
                    "--quiet",
                    "--release",
                    "--package=orch",
                    "--",
                    "drill",
                    "--strict",
                    "--workspace=target/drill",
                    "--report=target/drills.md",
                ],
            ),
        },
        Step {
            name: "get Claude Code",
            proves: "the real program can be had from its package, in the version that was observed",
            work: Work::Program(&[
                "npm",
                "install",
                "--prefix=target/tools/claude",
                "--no-save",
                "--no-fund",
                "--no-audit",
                "--ignore-scripts",
                "@anthropic-ai/claude-code@2.1.329",
            ]),
        },
        Step {
            name: "Claude Code",
            proves: "the real program keeps the contract of agents and works as one, unattended in the sandbox, against a model server on loopback",
            work: Work::Tests(
                &[],
                &[
                    "test",
                    "--locked",
                    "--package=orch",
                    "--package=orch-adapters",
                    "--test=it",
                    "claude",
                    "--",
                    "--ignored",
                    "--test-threads=1",
                ],
            ),
        },
        Step {
            name: "figures",
            proves: "each figure of docs/figures.md can be measured in full size, and nothing is lost meanwhile",
            work: Work::Own("bench all", Box::new(|root| bench::run(root, &["all"]))),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step that no name fits ends the call before anything runs, and each that is shown as one of this command's own can be
    /// run by that.
    #[test]
    fn a_step_can_be_run_alone() {
        let refused =
            run(Path::new("."), false, Some("nonsense")).expect_err("there is no such step").to_string();
        assert!(list().iter().all(|step| refused.contains(step.name)), "{refused}");
        for step in list() {
            let Work::Own(alone, _) = step.work else { continue };
            if let Some(only) = alone.strip_prefix("long --only ") {
                assert!(step.name.contains(only), "{alone}");
            }
        }
    }
}
