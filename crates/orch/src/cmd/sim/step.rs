//! `orch sim step`: one line after the other, forward and back, and why everything stands where it stands.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use orch_sim::twin::Trouble;
use orch_sim::walk::{Done, End, Place, Walk};
use serde_json::{Value, json};

use super::{Here, Store};
use crate::error::{Error, Kind};
use crate::screen::{self, ASKS, BAD, BOLD, DIM};

/// Which file.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A history or a scenario
    file: PathBuf,
    /// Begin after so many lines
    #[arg(long, default_value_t = 0, value_name = "LINES")]
    at: usize,
    /// Where the journal is
    #[arg(long, value_enum, default_value_t = Store::Memory)]
    store: Store,
    /// Print every step, also on a terminal
    #[arg(long)]
    all: bool,
}

const KEYS: &str = "enter or n: forward   b: back   a number: after so many lines   e: to the end\n\
                    w: why   s: all that stands   q: leave";

/// Goes through it.
pub(super) fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let text = std::fs::read_to_string(&args.file).map_err(|e| {
        let kind = if e.kind() == io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        Error::new(kind, format!("the history cannot be read: {e}"))
            .at(args.file.display())
            .remedy("histories are in crates/sim/histories, scenarios in crates/sim/scenarios")
    })?;
    let mut walk = Walk::begin(&text, args.store.journals()?);
    if walk.is_empty() {
        return Err(Error::new(Kind::Usage, "no line of it begins with `>`")
            .at(args.file.display())
            .remedy("name a history or a scenario"));
    }
    let last = walk.go_to(args.at).map_err(failed)?;
    let by_hand = !here.json && !args.all && io::stdin().is_terminal() && io::stdout().is_terminal();
    let end = if by_hand { by_keys(&mut walk, last)? } else { to_the_end(here, &mut walk)? };
    match end {
        None => Ok(ExitCode::SUCCESS),
        Some(end) => {
            let cause = match end {
                End::Broken(broken) => format!("broke {broken}"),
                End::Undone(why) => format!("cannot be done: {why}"),
            };
            Err(Error::failed(format!("line {} {cause}", walk.at())).at(args.file.display()))
        }
    }
}

fn failed(trouble: Trouble) -> Error {
    Error::failed(format!("a simulated store cannot be made: {trouble}"))
}

/// Every step, for a pipe or a script.
fn to_the_end(here: &Here, walk: &mut Walk) -> Result<Option<End>, Error> {
    let mut steps = Vec::new();
    let mut end = None;
    while let Some(done) = walk.forward().map_err(failed)? {
        if here.json {
            let place = walk.place();
            steps.push(step(&done, &place));
        } else {
            show(walk, &done);
        }
        end = done.end;
    }
    if here.json {
        screen::json(&json!({ "steps": steps }));
    } else {
        why(&walk.place());
    }
    Ok(end)
}

fn step(done: &Done, place: &Place) -> Value {
    let tasks: Vec<Value> =
        place.tasks.iter().map(|(task, stands)| json!({ "task": task, "why": stands })).collect();
    let (broken, undone) = match &done.end {
        Some(End::Broken(broken)) => (Some(json!({ "name": broken.name, "what": broken.what })), None),
        Some(End::Undone(why)) => (None, Some(why)),
        None => (None, None),
    };
    json!({
        "number": done.number, "line": done.line, "seen": done.seen, "tasks": tasks, "next": place.next,
        "board": place.board, "time": place.time, "rows": place.rows, "broken": broken, "undone": undone,
    })
}

/// As a person says, until they leave.
fn by_keys(walk: &mut Walk, last: Option<Done>) -> Result<Option<End>, Error> {
    screen::line(KEYS);
    let mut end = None;
    if let Some(done) = last {
        show(walk, &done);
        end = done.end;
    }
    let mut typed = String::new();
    loop {
        screen::out(&format!("{} ", screen::paint(DIM, &format!("{}/{}", walk.at(), walk.len()))));
        typed.clear();
        let read = io::stdin().lock().read_line(&mut typed);
        let read = read.map_err(|e| Error::failed(format!("the terminal cannot be read: {e}")))?;
        let done = match typed.trim() {
            _ if read == 0 => return Ok(end),
            "q" => return Ok(end),
            "" | "n" => walk.forward(),
            "b" => walk.go_to(walk.at().saturating_sub(1)),
            "e" => walk.go_to(walk.len()),
            "w" => {
                why(&walk.place());
                continue;
            }
            "s" => {
                stands(&walk.place());
                continue;
            }
            other => match other.parse() {
                Ok(at) => walk.go_to(at),
                Err(_) => {
                    screen::line(KEYS);
                    continue;
                }
            },
        };
        if let Some(done) = done.map_err(failed)? {
            show(walk, &done);
            end = done.end;
        } else {
            screen::line(&screen::paint(DIM, if walk.at() == 0 { "the beginning" } else { "the end" }));
        }
    }
}

fn show(walk: &Walk, done: &Done) {
    let number = format!("{:>width$}", done.number, width = walk.len().to_string().len());
    screen::line(&format!("{} {}", screen::paint(DIM, &number), screen::paint(BOLD, &done.line)));
    for line in &done.seen {
        screen::line(&format!("  {}", screen::safe(line)));
    }
    match &done.end {
        Some(End::Broken(broken)) => {
            screen::line(&format!("  {}", screen::paint(BAD, &format!("broke {broken}"))));
        }
        Some(End::Undone(why)) => screen::line(&format!("  {}", screen::paint(BAD, why))),
        None => {}
    }
}

fn why(place: &Place) {
    for (task, stands) in &place.tasks {
        screen::line(&format!("{} {}", screen::paint(BOLD, task), screen::safe(stands)));
    }
}

fn stands(place: &Place) {
    why(place);
    for line in &place.board {
        screen::line(&format!("board: {}", screen::safe(line)));
    }
    for line in &place.next {
        screen::line(&format!("next: {}", screen::paint(ASKS, line)));
    }
    screen::line(&format!("{} rows, {} ms", place.rows, place.time));
}
