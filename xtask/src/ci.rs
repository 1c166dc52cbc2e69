//! What must hold before a change lands?
//!
//! This is the whole gate: `.ci/run` calls it and nothing else does more. To add a group of tests, add a line
//! to `list`; what it needs installed goes into `parts.rs`.

use std::path::Path;

use anyhow::Result;

use crate::step::{self, Step, Work};
use crate::{bench, dependencies, histories, mutate, parts, regen, rows, tidy};

/// Runs every step; `install` gets missing programs first.
pub(crate) fn run(root: &Path, install: bool) -> Result<()> {
    step::run(root, &list(install))
}

fn list(install: bool) -> Vec<Step> {
    vec![
        Step {
            name: "programs",
            proves: "every program that a later step needs is here, so none has a reason to be skipped",
            work: Work::Own("ci --install", Box::new(move |root| parts::require(root, install, parts::GATE))),
        },
        Step {
            name: "format",
            proves: "the code is formatted as rustfmt.toml says",
            work: Work::Cargo(&[], &["fmt", "--all", "--check"]),
        },
        Step {
            name: "lints",
            proves: "rustc and clippy have nothing to say about any target",
            work: Work::Cargo(
                &[],
                &["clippy", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
            ),
        },
        Step {
            name: "tidy",
            proves: "the house rules of STYLE.md hold",
            work: Work::Own("tidy", Box::new(tidy::run)),
        },
        Step {
            name: "tests",
            proves: "all unit, integration and documentation tests pass",
            work: Work::Tests(&[], &["test", "--locked", "--workspace"]),
        },
        Step {
            name: "histories",
            proves: "random histories, of fixed seeds and of seeds that follow from the commit, break no promise",
            work: Work::Own("histories", Box::new(histories::run)),
        },
        Step {
            name: "generated files",
            proves: "what is generated from the code is what the code generates",
            work: Work::Own("regen --check", Box::new(regen::check)),
        },
        Step {
            name: "rows",
            proves: "each of the 216 rows has a test, a decision that changes it, or an issue to come",
            work: Work::Own("rows", Box::new(rows::run)),
        },
        Step {
            name: "mutants",
            proves: "every listed way to break a mechanism can still be made, and was caught when all were run last",
            work: Work::Own("mutate --check", Box::new(mutate::check)),
        },
        Step {
            name: "dependencies",
            proves: "all dependencies come from crates.io under a licence we accept, and none is banned",
            work: Work::Own("deps", Box::new(dependencies::run)),
        },
        Step {
            name: "bench smoke",
            proves: "the figures of docs/figures.md can be measured, and what was acknowledged meanwhile is stored once",
            work: Work::Own("bench smoke", Box::new(bench::smoke)),
        },
        Step {
            name: "oldest git",
            proves: "whatever asks git of the tests passes with the distribution's git too, not only with the newest",
            work: Work::Tests(&[("ORCH_TEST_GIT", parts::SYSTEM_GIT)], WITH_GIT),
        },
    ]
}

/// The tests that play with git, by their modules: those that have the bench of git.
const WITH_GIT: &[&str] = &[
    "test",
    "--locked",
    "--package=orch-adapters",
    "--test=it",
    "--",
    "contracts::",
    "git_calls::",
    "git_conflicts::",
    "git_forge::",
    "git_hub::",
    "git_records::",
    "git_trees::",
    "power::",
    "tree_kinds::",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    /// Each module that uses the bench of git is put to the oldest git, with tests of its own, and no other is named.
    #[test]
    fn the_oldest_git_is_put_to_every_test_of_git() {
        const TESTS: &str = "crates/adapters/tests/it/";
        let root = workspace::root();
        let mut with_git = Vec::new();
        for file in workspace::files(&root).expect("the files are listed") {
            let Some(module) = file.strip_prefix(TESTS).and_then(|name| name.strip_suffix(".rs")) else {
                continue;
            };
            let text = workspace::read(&root, &file).expect("it is there");
            if text.contains("\nuse crate::bench::") {
                assert!(text.contains("#[test]"), "{file} has no test");
                with_git.push(format!("{module}::"));
            }
        }
        with_git.sort();
        let named: Vec<&str> = WITH_GIT.iter().skip_while(|word| **word != "--").skip(1).copied().collect();
        assert_eq!(named, with_git);
    }
}
