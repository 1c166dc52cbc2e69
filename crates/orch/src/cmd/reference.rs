//! `orch reference`: what can be set at all? Also the source of the generated files.

use std::process::ExitCode;

use crate::error::Error;
use crate::{reference, screen};

/// Print a reference.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of what
    #[arg(value_enum)]
    what: What,
}

/// The references.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum What {
    /// orch.toml
    Settings,
    /// .orch/policy.toml
    Policy,
    /// The environment
    Env,
    /// orch.toml with an example of everything
    Example,
}

/// Prints it.
///
/// # Errors
/// None so far.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    screen::out(&match args.what {
        What::Settings => reference::settings().to_owned(),
        What::Policy => reference::policy().to_owned(),
        What::Env => reference::environment(),
        What::Example => reference::example(),
    });
    Ok(ExitCode::SUCCESS)
}
