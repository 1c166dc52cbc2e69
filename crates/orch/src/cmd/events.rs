//! `orch events`: what happens, and why?

use std::process::ExitCode;

use orch_core::id::Seq;
use orch_core::journal::Row;
use orch_core::reason::Reason;
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
            let rows: Vec<_> = events.iter().rev().filter_map(|event| row(event, &timezone)).collect();
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
                    (true, false) => screen::out(&screen::table(&Vec::from_iter(row(&event, &timezone)))),
                    (false, _) => {}
                }
                Ok(Next::More)
            };
            here.brain().await?.follow(&path, each).await
        })?,
        // The journal can be read beside the brain: nobody need be asked.
        None => {
            let mut reader = Reader::open(&here.home.store()).map_err(unopened)?;
            let lang = words().lang;
            let event = |row: &Row| orch_server::event(row, lang);
            if here.json {
                let last = reader.head().map_err(unread)?.seq.0;
                let from = args.after.unwrap_or_else(|| last.saturating_sub(u64::from(args.most))) + 1;
                let rows = reader.rows(Seq(from), usize::from(args.most)).map_err(unread)?;
                let events: Vec<Value> = rows.iter().map(event).collect();
                screen::json(&serde_json::json!({ "events": events }));
            } else {
                let events = telling(&mut reader, args)?;
                let rows: Vec<_> = events.iter().filter_map(|said| row(&event(said), &timezone)).collect();
                screen::out(&screen::table(&rows));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows that people read something in: the newest, or those after a place.
fn telling(reader: &mut Reader, args: &Args) -> Result<Vec<Row>, Error> {
    const PART: u16 = 500;
    let most = usize::from(args.most);
    let head = reader.head().map_err(unread)?.seq.0;
    let mut found = Vec::new();
    let mut part = |begin: u64| -> Result<_, Error> {
        let rows = reader.rows(Seq(begin + 1), usize::from(PART)).map_err(unread)?;
        let end = rows.last().map_or(head, |row| row.seq.0);
        Ok((rows.into_iter().filter(|row| row.reasons.iter().any(|reason| *reason != Reason::Noted)), end))
    };
    if let Some(mut end) = args.after {
        while found.len() < most && end < head {
            let (rows, last) = part(end)?;
            found.extend(rows);
            end = last;
        }
        found.truncate(most);
        return Ok(found);
    }
    let mut end = head;
    while found.len() < most && end > 0 {
        let begin = end.saturating_sub(u64::from(PART));
        let (rows, _) = part(begin)?;
        found.splice(..0, rows.filter(|row| row.seq.0 <= end));
        end = begin;
    }
    found.drain(..found.len().saturating_sub(most));
    Ok(found)
}

/// An event as a row; its columns have a least width, so that rows that come one by one stand under each other.
/// What only confirms something is for the machine, and for `--json`.
fn row(event: &Value, timezone: &str) -> Option<Vec<Cell>> {
    let word = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = screen::moment(word("at")).map(|at| screen::clock(at, timezone)).unwrap_or_default();
    let entity = word("entity");
    let entity = entity.strip_prefix("task/").unwrap_or(entity);
    let listed = |name: &str| event.get(name).and_then(Value::as_array).into_iter().flatten();
    let tells = listed("raw_reasons").map(|reason| *reason != serde_json::json!(Reason::Noted));
    // A brain that does not say which is which is believed.
    let told = listed("reasons").zip(tells.chain(std::iter::repeat(true))).filter(|(_, tells)| *tells);
    let reasons: Vec<&str> = told.filter_map(|(said, _)| said.as_str()).collect();
    if reasons.is_empty() {
        return None;
    }
    let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
    Some(vec![
        cell(DIM, format!("{seq:>6}")),
        cell(DIM, at),
        cell(BOLD, format!("{entity:<15}")),
        cell(PLAIN, format!("{:<12}", word("kind"))),
        cell(PLAIN, reasons.join(" ")),
    ])
}
