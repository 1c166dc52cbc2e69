//! `orch events`: what happens, and why?

use std::process::ExitCode;

use orch_core::id::Seq;
use orch_store::Reader;
use serde_json::Value;

use super::Here;
use crate::client::{self, Next, segment, talk};
use crate::error::Error;
use crate::ids;
use crate::refusals::{unopened, unread};
use crate::screen::{self, BOLD, Cell, DIM, PLAIN, cell};
use crate::words::words;

/// What happens, and why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What happened to this task
    task: Option<String>,
    /// Stay and print what comes
    #[arg(short, long, conflicts_with = "task")]
    follow: bool,
    /// Only what came after this place in the journal
    #[arg(long, conflicts_with = "task")]
    after: Option<u64>,
    /// At most so many
    #[arg(short = 'n', long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    most: u16,
}

/// Prints it: the oldest first.
///
/// # Errors
/// There is no such task, or it cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let timezone = here.settings().map_or_else(|_| "UTC".to_owned(), |settings| settings.timezone);
    match &args.task {
        Some(task) => talk(async {
            let path = format!("/api/v1/tasks/{}/history", segment(&ids::read(task)));
            let asked = [("most", Some(args.most.to_string()))];
            let page = here.reading().await?.get(&client::query(&path, &asked)).await?;
            if here.json {
                screen::json(&page);
                return Ok(());
            }
            let events = page.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let rows: Vec<_> = events.iter().rev().map(|event| row(event, &timezone)).collect();
            screen::out(&screen::table(&rows));
            Ok(())
        })?,
        None if args.follow => talk(async {
            let asked = [("after", args.after.map(|after| after.to_string()))];
            let path = client::query("/api/v1/events", &asked);
            let each = |frame: client::Frame| {
                let event: Value = serde_json::from_str(&frame.data).unwrap_or_default();
                match (event.get("seq").is_some(), here.json) {
                    (true, true) => screen::line(&frame.data),
                    (true, false) => screen::out(&screen::table(&[row(&event, &timezone)])),
                    (false, _) => {}
                }
                Ok(Next::More)
            };
            here.brain().await?.follow(&path, each).await
        })?,
        // The journal can be read beside the brain: nobody need be asked.
        None => {
            let mut reader = Reader::open(&here.home.store()).map_err(unopened)?;
            let last = reader.head().map_err(unread)?.seq.0;
            let most = u64::from(args.most);
            let from = args.after.map_or(last.saturating_sub(most), |after| after) + 1;
            let rows = reader.rows(Seq(from), usize::from(args.most)).map_err(unread)?;
            let lang = words().lang;
            let events: Vec<Value> = rows.iter().map(|row| orch_server::event(row, lang)).collect();
            if here.json {
                screen::json(&serde_json::json!({ "events": events }));
            } else {
                let rows: Vec<_> = events.iter().map(|event| row(event, &timezone)).collect();
                screen::out(&screen::table(&rows));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An event as a row; its columns have a least width, so that rows that come one by one stand under each other.
fn row(event: &Value, timezone: &str) -> Vec<Cell> {
    let word = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = screen::moment(word("at")).map(|at| screen::clock(at, timezone)).unwrap_or_default();
    let entity = word("entity");
    let entity = entity.strip_prefix("task/").unwrap_or(entity);
    let reasons = event.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
    vec![
        cell(DIM, format!("{seq:>6}")),
        cell(DIM, at),
        cell(BOLD, format!("{entity:<15}")),
        cell(PLAIN, format!("{:<12}", word("kind"))),
        cell(PLAIN, reasons.join(" ")),
    ]
}
