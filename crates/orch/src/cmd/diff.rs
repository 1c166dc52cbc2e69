//! `orch diff`: what does a task change?

use std::process::ExitCode;

use serde_json::Value;

use super::{Here, note};
use crate::client::{segment, talk};
use crate::error::Error;
use crate::ids;
use crate::screen::{self, BAD, BOLD, BUSY, GOOD, PLAIN};
use crate::words::say;

/// What a task changes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as ORCH-042 or orch-42
    task: String,
}

/// Prints it as git would.
///
/// # Errors
/// There is no such task, it has no change yet, or it cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let path = format!("/api/v1/tasks/{}/diff", segment(&ids::read(&args.task)));
    let diff = talk(async { here.reading().await?.get(&path).await })?;
    if here.json {
        screen::json(&diff);
        return Ok(ExitCode::SUCCESS);
    }
    let text = diff.get("text").and_then(Value::as_str).unwrap_or_default();
    for line in screen::safe_lines(text).lines() {
        let style = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', b'i', b'f', b'f', ..] => BOLD,
            [b'+', ..] => GOOD,
            [b'-', ..] => BAD,
            [b'@', b'@', ..] => BUSY,
            _ => PLAIN, // not a domain enum
        };
        screen::line(&format!("{style}{line}{style:#}"));
    }
    if diff.get("cut").and_then(Value::as_bool) == Some(true) {
        note(&say!(
            "the diff is longer than this; the branch has all of it",
            "diff длиннее; целиком он есть в ветке"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
