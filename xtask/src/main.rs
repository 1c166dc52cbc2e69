//! The project's own tools: which one was asked for?
//!
//! They check and write; they do nothing that a person could not do by hand with cargo and git.

mod behind;
mod bench;
mod ci;
mod contracts;
mod dependencies;
mod histories;
mod incidents;
mod invariants;
mod journeys;
mod long;
mod metadata;
mod mutate;
mod parts;
mod regen;
mod reliability;
mod rows;
mod source;
mod step;
mod tidy;
mod workspace;

use std::process::ExitCode;

use mutate::Which;

const USAGE: &str = "\
Usage: cargo xtask <command>

  ci [--install]    everything that must hold before a change lands; --install gets missing programs
  long [--install] [--only NAME]
                    the same with more seeds and on the release build, and the real programs; takes hours.
                    --only runs the steps with NAME in their name, and not the gate
  bench [figure]    the figures of docs/figures.md, on the release build; `bench smoke` only proves that they run
  tidy              the house rules (STYLE.md) that a machine can check
  deps              licences, sources and banned crates of all dependencies
  histories         random histories: fixed seeds, and fresh ones that follow from the commit
  rows              which of the 216 rows have a test behind them
  mutate [--only NAME | --stale | --list | --check | --every [--only NAME]]
                    breaks one mechanism at a time and says what notices: the bench, or its own tests; takes long.
                    --only runs those with NAME in their name or incident (several: joined by commas); --stale those of
                    which docs/mutants.md has no verdict, or that of another text; --check only says whether all can be
                    made and have the text that they were run with; --every makes every mutant that `cargo mutants` knows of core, or
                    those with NAME in their file or name
  regen [--check]   writes the generated files; --check only says whether they would change";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace::root();
    let outcome = match arguments.as_slice() {
        ["ci"] => ci::run(&root, false),
        ["ci", "--install"] => ci::run(&root, true),
        ["long"] => long::run(&root, false, None),
        ["long", "--install"] => long::run(&root, true, None),
        ["long", "--only", name] => long::run(&root, false, Some(name)),
        ["long", "--install", "--only", name] => long::run(&root, true, Some(name)),
        ["bench", "smoke"] => bench::smoke(&root),
        ["bench", words @ ..] => bench::run(&root, if words.is_empty() { &["all"] } else { words }),
        ["tidy"] => tidy::run(&root),
        ["deps"] => dependencies::run(&root),
        ["histories"] => histories::run(&root),
        ["rows"] => rows::run(&root),
        ["mutate"] => mutate::run(&root, Which::All),
        ["mutate", "--only", name] => mutate::run(&root, Which::Called(name)),
        ["mutate", "--stale"] => mutate::run(&root, Which::Stale),
        ["mutate", "--list"] => mutate::list(&root),
        ["mutate", "--every"] => mutate::every::run(&root, None),
        ["mutate", "--every", "--only", name] => mutate::every::run(&root, Some(name)),
        ["mutate", "--check"] => mutate::check(&root),
        ["regen"] => regen::run(&root),
        ["regen", "--check"] => regen::check(&root),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
