//! `orch new`: how does a person ask for a change?

use std::io::Read as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::Here;
use crate::client::talk;
use crate::error::{Error, Kind};
use crate::screen::{self, BOLD, DIM, paint};
use crate::words::{say, words};

/// Ask for a change.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What should be different afterwards, in one sentence
    title: String,
    /// More about it; `-` reads standard input
    #[arg(short = 'd', long = "text", visible_alias = "description", value_name = "TEXT")]
    text: Option<String>,
    /// In which project [default: the one you are in, or the only one]
    #[arg(short, long)]
    project: Option<String>,
    /// Only write it down; `orch start` begins it
    #[arg(long)]
    backlog: bool,
}

/// Asks.
///
/// # Errors
/// The brain is not running or refuses.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    if args.title.trim().is_empty() {
        return Err(Error::new(Kind::Usage, say!("the title is empty", "название пустое")).remedy(say!(
            "say in one sentence what should be different",
            "скажите одной фразой, что должно измениться"
        )));
    }
    let project = here.project(args.project.as_deref())?;
    let text = text_of(args.text.as_deref())?.unwrap_or_default();
    let body = json!({ "project": project, "title": args.title, "text": text, "start": !args.backlog });
    let made = talk(async { here.brain().await?.post("/api/v1/issues", &body).await })?;
    if here.json {
        screen::json(&made);
        return Ok(ExitCode::SUCCESS);
    }
    let task = made.get("task").and_then(Value::as_str).unwrap_or("?");
    let next = if args.backlog { format!("orch start {task}") } else { format!("orch why {task}") };
    let what = if args.backlog { words().written_down } else { words().asked_for };
    screen::line(&format!("{} {what}   {}", paint(BOLD, task), paint(DIM, &next)));
    Ok(ExitCode::SUCCESS)
}

/// A text as it was typed; `-` is standard input.
///
/// # Errors
/// Standard input is no text.
pub fn text_of(typed: Option<&str>) -> Result<Option<String>, Error> {
    if typed != Some("-") {
        return Ok(typed.map(str::to_owned));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|e| {
        Error::failed(say!(
            "standard input cannot be read as UTF-8 text: {e}",
            "стандартный ввод не читается как текст UTF-8: {e}"
        ))
    })?;
    Ok(Some(text))
}
