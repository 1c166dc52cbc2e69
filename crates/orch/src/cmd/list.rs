//! `orch list`: which tasks are there, and what does each wait for?

use std::process::ExitCode;

use orch_core::message::{self, Lang, figure};
use serde_json::Value;

use super::Here;
use crate::client::{self, talk};
use crate::error::Error;
use crate::screen::{self, ASKS, BAD, BOLD, BUSY, DIM, GOOD, PLAIN, cell, paint};
use crate::words::{say, words};

/// The tasks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also those that are over
    #[arg(short, long)]
    all: bool,
    /// Only those of a project
    #[arg(short, long)]
    project: Option<String>,
    /// Only those in a stage
    #[arg(long)]
    stage: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    most: u16,
}

/// Lists.
///
/// # Errors
/// The tasks cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let project = args.project.as_deref().map(|name| here.project(Some(name))).transpose()?;
    let open = (!args.all).then(|| "true".to_owned());
    let asked = [
        ("open", open),
        ("project", project),
        ("stage", args.stage.clone()),
        ("most", Some(args.most.to_string())),
    ];
    let page = talk(async { here.reading().await?.get(&client::query("/api/v1/tasks", &asked)).await })?;
    if here.json {
        screen::json(&page);
        return Ok(ExitCode::SUCCESS);
    }
    let tasks = page.get("tasks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if tasks.is_empty() {
        let hint = if args.all { "orch new \"title\"" } else { "orch list --all" };
        screen::line(&format!("{}   {}", words().no_tasks, paint(DIM, hint)));
        return Ok(ExitCode::SUCCESS);
    }
    let now = orch_engine::clock::now();
    let word =
        |task: &Value, path: &str| task.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let row = |task: &Value| {
        let style = style_of(&word(task, "/standing/state"));
        let since = screen::moment(&word(task, "/standing/since"))
            .map(|at| figure::span(now.since(at), words().lang));
        vec![
            cell(BOLD, word(task, "/id")),
            cell(PLAIN, stage(&word(task, "/stage"))),
            cell(style, word(task, "/standing/text")),
            cell(DIM, since.unwrap_or_default()),
            cell(PLAIN, word(task, "/title")),
        ]
    };
    let rows: Vec<_> = tasks.iter().map(row).collect();
    // Another program gets all of it; a person has `orch show` for the rest.
    screen::out(&match screen::width() {
        Some(width) => screen::table(&screen::fitted(rows, width, &[2, 4])),
        None => screen::loose_table(&rows),
    });
    if !page["next"].is_null() {
        super::note(&say!("there are more; -n 200 shows up to 200", "есть ещё; -n 200 покажет до 200"));
    }
    Ok(ExitCode::SUCCESS)
}

/// A stage: in English by the name that `--stage` takes, else as it is called.
pub fn stage(name: &str) -> String {
    match words().lang {
        Lang::En => name.to_owned(),
        lang @ Lang::Ru => message::stage_label_of(Some(name), lang),
    }
}

/// How a standing looks.
pub fn style_of(state: &str) -> anstyle::Style {
    match state {
        "working" => BUSY,
        "person" => ASKS,
        "trouble" => BAD,
        "over" => GOOD,
        _ => PLAIN, // not a domain enum
    }
}
