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
use crate::words::{Told, say};

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

fn keys() -> Told {
    say!(
        "enter or n: forward   b: back   a number: after so many lines   e: to the end\n\
         w: why   s: all that stands   q: leave",
        "enter или n: вперёд   b: назад   число: после стольких строк   e: в конец\n\
         w: почему   s: всё как есть   q: выйти"
    )
}

/// Goes through it.
pub(super) fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let text = std::fs::read_to_string(&args.file).map_err(|e| {
        let kind = if e.kind() == io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        Error::new(kind, say!("the history cannot be read: {e}", "история не читается: {e}"))
            .at(args.file.display())
            .remedy(say!(
                "histories are in crates/sim/histories, scenarios in crates/sim/scenarios",
                "истории лежат в crates/sim/histories, сценарии в crates/sim/scenarios"
            ))
    })?;
    let mut walk = Walk::begin(&text, args.store.journals()?);
    if walk.is_empty() {
        let cause = say!("no line of it begins with `>`", "ни одна строка в нём не начинается с `>`");
        return Err(Error::new(Kind::Usage, cause)
            .at(args.file.display())
            .remedy(say!("name a history or a scenario", "укажите историю или сценарий")));
    }
    let last = walk.go_to(args.at).map_err(failed)?;
    let by_hand = !here.json && !args.all && io::stdin().is_terminal() && io::stdout().is_terminal();
    let end = if by_hand { by_keys(&mut walk, last)? } else { to_the_end(here, &mut walk)? };
    match end {
        None => Ok(ExitCode::SUCCESS),
        Some(end) => {
            let at = walk.at();
            let cause = match end {
                End::Broken(broken) => say!("line {at} broke {broken}", "строка {at} нарушает {broken}"),
                End::Undone(why) => {
                    say!("line {at} cannot be done: {why}", "строку {at} выполнить нельзя: {why}")
                }
            };
            Err(Error::failed(cause).at(args.file.display()))
        }
    }
}

fn failed(trouble: Trouble) -> Error {
    Error::failed(say!(
        "a simulated store cannot be made: {trouble}",
        "хранилище для симуляции создать не удалось: {trouble}"
    ))
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
    screen::line(&keys());
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
        let read = read.map_err(|e| {
            Error::failed(say!("the terminal cannot be read: {e}", "терминал не читается: {e}"))
        })?;
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
                    screen::line(&keys());
                    continue;
                }
            },
        };
        if let Some(done) = done.map_err(failed)? {
            show(walk, &done);
            end = done.end;
        } else {
            let side = match walk.at() {
                0 => say!("the beginning", "начало"),
                _ => say!("the end", "конец"), // not a domain enum
            };
            screen::line(&screen::paint(DIM, &side));
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
            screen::line(&format!("  {}", screen::paint(BAD, &say!("broke {broken}", "нарушено: {broken}"))));
        }
        Some(End::Undone(why)) => screen::line(&format!("  {}", screen::paint(BAD, why))),
        None => {}
    }
}

fn why(place: &Place) {
    if place.tasks.is_empty() {
        screen::line(&screen::paint(DIM, &say!("no task yet", "задач пока нет")));
    }
    for (task, stands) in &place.tasks {
        screen::line(&format!("{} {}", screen::paint(BOLD, task), screen::safe(stands)));
    }
}

fn stands(place: &Place) {
    why(place);
    for line in &place.board {
        screen::line(&say!("board: {}", "доска: {}", screen::safe(line)));
    }
    for line in &place.next {
        screen::line(&say!("next: {}", "дальше: {}", screen::paint(ASKS, line)));
    }
    screen::line(&say!("{} rows, {} ms", "строк {}, {} мс", place.rows, place.time));
}
