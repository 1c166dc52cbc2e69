//! `orch sim step`: why does everything stand where it stands? One line after the other, forward and back.

use std::io::{self, BufRead, IsTerminal as _};
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
        let (kind, cause) = match e.kind() {
            io::ErrorKind::NotFound => (Kind::NotFound, say!("there is no such file", "такого файла нет")),
            io::ErrorKind::IsADirectory => (Kind::Usage, say!("this is a folder", "это папка")),
            io::ErrorKind::InvalidData => (Kind::Usage, say!("this file is no text", "этот файл не текст")),
            _ => (Kind::Failed, say!("the history cannot be read: {e}", "история не читается: {e}")), // not a domain enum
        };
        Error::new(kind, cause).at(args.file.display()).remedy(say!(
            "name a file of crates/sim/histories or crates/sim/scenarios",
            "укажите файл из crates/sim/histories или crates/sim/scenarios"
        ))
    })?;
    let mut walk = Walk::begin(&text, args.store.journals()?);
    if walk.is_empty() {
        let cause = say!(
            "this is no history: no line of it begins with `>`",
            "это не история: ни одна строка не начинается с `>`"
        );
        return Err(Error::new(Kind::Usage, cause)
            .at(args.file.display())
            .remedy(say!("name a history or a scenario", "укажите историю или сценарий")));
    }
    let last = walk.go_to(args.at).map_err(failed)?;
    let by_hand = !here.json && !args.all && io::stdin().is_terminal() && io::stdout().is_terminal();
    let end = if by_hand {
        by_keys(&mut walk, last, &mut io::stdin().lock(), &mut screen::out)?
    } else {
        to_the_end(here, &mut walk)?
    };
    match end {
        None => Ok(ExitCode::SUCCESS),
        Some(end) => {
            let before = walk.at().saturating_sub(1);
            let (cause, remedy) = match end {
                End::Broken(broken) => (
                    say!("this line broke {broken}", "эта строка нарушает {broken}"),
                    say!(
                        "look at what was before: --at {before}",
                        "посмотрите, что было до неё: --at {before}"
                    ),
                ),
                End::Undone(why) => (
                    say!("this line cannot be done: {why}", "эту строку выполнить нельзя: {why}"),
                    say!(
                        "look at what can be done there: --at {before}",
                        "посмотрите, что там можно сделать: --at {before}"
                    ),
                ),
                End::Unknown(why) => (
                    Told::quoted(why),
                    say!(
                        "mend the line; crates/sim/README.md says which there are",
                        "исправьте строку; какие бывают, сказано в crates/sim/README.md"
                    ),
                ),
            };
            let place = format!("{}:{}", args.file.display(), walk.file_line());
            Err(Error::failed(cause).at(place).remedy(remedy))
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
            screen::out(&show(walk, &done));
        }
        end = done.end;
    }
    if here.json {
        screen::json(&json!({ "steps": steps }));
    } else {
        screen::out(&why(&walk.place()));
    }
    Ok(end)
}

fn step(done: &Done, place: &Place) -> Value {
    let tasks: Vec<Value> =
        place.tasks.iter().map(|(task, stands)| json!({ "task": task, "why": stands })).collect();
    let (broken, undone) = match &done.end {
        Some(End::Broken(broken)) => (Some(json!({ "name": broken.name, "what": broken.what })), None),
        Some(End::Undone(why) | End::Unknown(why)) => (None, Some(why)),
        None => (None, None),
    };
    json!({
        "number": done.number, "line": done.line, "seen": done.seen, "tasks": tasks, "next": place.next,
        "told": done.told, "board": place.board, "time": place.time, "rows": place.rows, "broken": broken, "undone": undone,
    })
}

/// As a person says, until they leave or have nothing more to say.
fn by_keys(
    walk: &mut Walk,
    last: Option<Done>,
    typed: &mut dyn BufRead,
    out: &mut dyn FnMut(&str),
) -> Result<Option<End>, Error> {
    out(&format!("{}\n", keys()));
    let mut end = None;
    if let Some(done) = last {
        out(&show(walk, &done));
        end = done.end;
    }
    let mut line = String::new();
    loop {
        out(&format!("{} ", screen::paint(DIM, &format!("{}/{}", walk.at(), walk.len()))));
        line.clear();
        let read = typed.read_line(&mut line);
        let read = read.map_err(|e| {
            Error::failed(say!("the terminal cannot be read: {e}", "терминал не читается: {e}"))
        })?;
        let done = match line.trim() {
            _ if read == 0 => return Ok(end),
            "q" => return Ok(end),
            "" | "n" => walk.forward(),
            "b" => walk.go_to(walk.at().saturating_sub(1)),
            "e" => walk.go_to(walk.len()),
            "w" => {
                out(&why(&walk.place()));
                continue;
            }
            "s" => {
                out(&stands(&walk.place()));
                continue;
            }
            other => match other.parse() {
                Ok(at) => walk.go_to(at),
                Err(_) => {
                    out(&format!("{}\n", keys()));
                    continue;
                }
            },
        };
        if let Some(done) = done.map_err(failed)? {
            out(&show(walk, &done));
            end = done.end;
        } else {
            let side = match walk.at() {
                0 => {
                    // Nothing is done any more, so nothing is broken.
                    end = None;
                    say!("the beginning", "начало")
                }
                _ => say!("the end", "конец"), // not a domain enum
            };
            out(&format!("{}\n", screen::paint(DIM, &side)));
        }
    }
}

fn show(walk: &Walk, done: &Done) -> String {
    let number = format!("{:>width$}", done.number, width = walk.len().to_string().len());
    let mut text = format!("{} {}\n", screen::paint(DIM, &number), screen::paint(BOLD, &done.line));
    for line in &done.seen {
        text.push_str(&format!("  {}\n", screen::safe(line)));
    }
    match &done.end {
        Some(End::Broken(broken)) => {
            let said = say!("broke {broken}", "нарушено: {broken}");
            text.push_str(&format!("  {}\n", screen::paint(BAD, &said)));
        }
        Some(End::Undone(why) | End::Unknown(why)) => {
            text.push_str(&format!("  {}\n", screen::paint(BAD, why)));
        }
        None => {}
    }
    if let Some(told) = &done.told {
        let said = say!("the file says otherwise:", "в файле сказано другое:");
        text.push_str(&format!("  {}\n", screen::paint(BAD, &said)));
        for line in told {
            text.push_str(&format!("  {}\n", screen::paint(DIM, &screen::safe(line))));
        }
        if told.is_empty() {
            let nothing = say!("nothing was seen", "ничего не видно");
            text.push_str(&format!("  {}\n", screen::paint(DIM, &nothing)));
        }
    }
    text
}

fn why(place: &Place) -> String {
    if place.tasks.is_empty() {
        return format!("{}\n", screen::paint(DIM, &say!("no task yet", "задач пока нет")));
    }
    let of = |(task, stands): &(String, String)| {
        format!("{} {}\n", screen::paint(BOLD, task), screen::safe(stands))
    };
    place.tasks.iter().map(of).collect()
}

fn stands(place: &Place) -> String {
    let mut text = why(place);
    for line in &place.board {
        text.push_str(&format!("{}\n", say!("board: {}", "доска: {}", screen::safe(line))));
    }
    for line in &place.next {
        text.push_str(&format!("{}\n", say!("next: {}", "дальше: {}", screen::paint(ASKS, line))));
    }
    text.push_str(&format!("{}\n", say!("{} rows, {} ms", "строк {}, {} мс", place.rows, place.time)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "> project preset=library\n> issue 1 \"Add a flag\" in \"To Analyse\"\n> run\n";

    /// What a person sees who types this, without colours, what asks for the next key in a line of its own, and the end.
    fn seen(text: &str, typed: &str) -> (Vec<String>, Option<End>) {
        let mut walk = Walk::begin(text, Store::Memory.journals().unwrap());
        let mut shown = String::new();
        let mut out = |text: &str| {
            shown.push_str(text);
            if !text.ends_with('\n') {
                shown.push('\n');
            }
        };
        let end = by_keys(&mut walk, None, &mut typed.as_bytes(), &mut out).unwrap();
        let plain = anstream::adapter::strip_str(&shown).to_string();
        // What the keys are stands first, and is left out.
        let keys = keys().lines().count();
        (plain.lines().skip(keys).map(|line| line.trim_end().to_owned()).collect(), end)
    }

    /// Proves that one goes forward with enter and `n`, back with `b`, to a number and to the end, that both sides are told,
    /// and that what was seen at a line is seen again when one comes back to it.
    #[test]
    fn one_goes_forward_and_back_by_keys() {
        let (lines, end) = seen(STORY, "b\n\nn\nb\n2\ne\nn\n0\nq\nn\n");
        let first = "1 project preset=library";
        let second = [
            "2 issue 1 \"Add a flag\" in \"To Analyse\"",
            "  1: gesture taken: by board, press start",
            "  1: created > analysis",
            "  1 in analysis, asks to cut the branch",
        ];
        let third = ["3 run", "  1 in analysis, waits: approval"];
        let expected = [
            &["0/3", "the beginning", "0/3", first, "1/3"][..],
            &second,
            &["2/3", first, "1/3"],
            &second,
            &["2/3"],
            &third,
            &["3/3", "the end", "3/3", "the beginning", "0/3"],
        ];
        assert_eq!(lines, expected.concat());
        assert_eq!(end, None);
    }

    /// Proves that `w` says why each task stands where it stands, `s` all that stands, and that another key is answered with
    /// the keys; none of them goes anywhere.
    #[test]
    fn one_asks_why_by_keys() {
        let (lines, _) = seen(STORY, "w\n3\nw\ns\nwhat\n");
        assert_eq!(lines[..2], ["0/3", "no task yet"]);
        let at = lines.iter().position(|line| line == "3/3").unwrap();
        assert_eq!(lines[at + 1], "1 in analysis, waits: approval");
        assert_eq!(lines[at + 2..at + 4], ["3/3", "1 in analysis, waits: approval"]);
        assert!(lines[at + 4].starts_with("board: "), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains(" rows, ")), "{lines:?}");
        let keys: Vec<String> = keys().lines().map(str::to_owned).collect();
        assert!(
            lines.ends_with(&[&["3/3".to_owned()], &keys[..], &["3/3".to_owned()]].concat()),
            "{lines:?}"
        );
    }

    /// Proves that a line which cannot be done is the end for whoever stands at it, and not for who has gone back.
    #[test]
    fn the_end_is_where_one_stands() {
        let text = "> project preset=library\n> press 9 \"Approved\"\n> run\n";
        let (lines, end) = seen(text, "e\nn\n");
        assert!(
            matches!(&end, Some(End::Undone(why)) if lines.contains(&format!("  {why}"))),
            "{end:?} {lines:?}"
        );
        assert_eq!(lines[lines.len() - 3..], ["2/3", "the end", "2/3"]);
        for back in ["e\nb\n", "e\n0\n"] {
            assert_eq!(seen(text, back).1, None);
        }
    }
}
