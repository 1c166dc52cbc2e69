//! `orch why`: what does a task wait for, since when, and what would move it? One sentence, at three in the morning.

use std::process::ExitCode;

use serde_json::Value;

use super::Here;
use crate::client::{segment, talk};
use crate::error::Error;
use crate::ids;
use crate::screen::{self, BOLD, DIM, paint};
use crate::words::words;

/// What a task waits for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as ORCH-042 or orch-42
    task: String,
}

/// Says it.
///
/// # Errors
/// There is no such task, or it cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let path = format!("/api/v1/tasks/{}/why", segment(&ids::read(&args.task)));
    let why = talk(async { here.reading().await?.get(&path).await })?;
    if here.json {
        screen::json(&why);
        return Ok(ExitCode::SUCCESS);
    }
    let word = |path: &str| why.pointer(path).and_then(Value::as_str).unwrap_or_default();
    screen::line(&format!("{}  {}", paint(BOLD, word("/id")), screen::safe(word("/sentence"))));
    for also in why.pointer("/standing/also").and_then(Value::as_array).into_iter().flatten() {
        screen::line(&paint(DIM, &format!("{}: {}", words().also, also.as_str().unwrap_or_default())));
    }
    Ok(ExitCode::SUCCESS)
}
