//! `orch sim`: does this program keep its promises in a simulated world, and how did one come to be broken?

mod disk;
mod under_way;
mod sum;
mod many;
mod ledger;
mod report;
mod run;
mod step;

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use orch_sim::history::in_memory;
use orch_sim::twin::{Trouble, Twin};

use super::Here;
use crate::error::Error;

/// A simulated world: random histories, and one of them step by step.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Live through random histories; the first that breaks a promise is made short and kept as a file
    Run(run::Args),
    /// Go through a history or a scenario, line by line
    Step(step::Args),
}

/// Where the journal of a history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    /// In memory
    Memory,
    /// In the real store, on the disk; each crash drops it and opens it again
    Sqlite,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Store::Memory => "memory",
            Store::Sqlite => "sqlite",
        }
    }

    /// Makes an empty journal each time; of real ones there is one at a time.
    fn journals(self) -> Result<Box<dyn FnMut() -> Result<Twin, Trouble>>, Error> {
        Ok(match self {
            Store::Memory => Box::new(in_memory),
            Store::Sqlite => {
                let mut folder = disk::Folder::new()?;
                Box::new(move || folder.journal())
            }
        })
    }
}

/// Runs or steps.
///
/// # Errors
/// A promise was broken, or a file cannot be read or written.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    match &args.what {
        What::Run(args) => run::run(here, args),
        What::Step(args) => step::run(here, args),
    }
}
