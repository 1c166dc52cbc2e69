//! `orch completions`: how does a shell complete what a person types?

use std::process::ExitCode;

use super::help;
use crate::error::Error;
use crate::screen;

/// Completions for a shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints them.
///
/// # Errors
/// None so far.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "orch", &mut script);
    screen::out(&String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
