//! `orch login`: how does a browser get in? With a link that is good once.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Here;
use crate::client::talk;
use crate::error::Error;
use crate::screen::{self, BOLD, DIM, paint};
use crate::words::say;

/// Prints a link that signs one browser in.
///
/// # Errors
/// The brain is not running.
pub fn run(here: &Here) -> Result<ExitCode, Error> {
    let made = talk(async { here.brain().await?.post("/api/v1/login-links", &json!({})).await })?;
    if here.json {
        screen::json(&made);
        return Ok(ExitCode::SUCCESS);
    }
    let word = |name: &str| screen::safe(made.get(name).and_then(Value::as_str).unwrap_or_default());
    screen::line(&paint(BOLD, &word("url")));
    let how = say!(
        "signs one browser in as {}, once, within ten minutes",
        "по ней войдёт один браузер под именем {}, один раз, в течение десяти минут",
        word("by")
    );
    screen::line(&paint(DIM, &how));
    Ok(ExitCode::SUCCESS)
}
