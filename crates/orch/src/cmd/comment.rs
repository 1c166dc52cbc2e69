//! `orch comments`, `orch comment`: what was said under a task, and how does a person answer? Comments never control
//! (decision 29): what goes on by an answer is started by a gesture, which is named here.

use std::process::ExitCode;

use orch_core::message::figure;
use serde_json::{Value, json};

use super::{Here, new};
use crate::client::{segment, talk};
use crate::error::{Error, Kind};
use crate::ids;
use crate::screen::{self, BOLD, DIM, paint};
use crate::words::{say, words};

/// How many comments `orch show` has.
const SHOWN: usize = 3;
/// How many lines it has of one.
const LINES: usize = 4;

/// What was said under a task.
#[derive(Debug, clap::Args)]
pub struct Read {
    /// The task, such as ORCH-042 or orch-42
    task: String,
}

/// Something to say.
#[derive(Debug, clap::Args)]
pub struct Say {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// What to say, in Markdown; `-` reads standard input
    text: String,
}

/// Where a task's comments are.
pub(super) fn path(id: &str) -> String {
    format!("/api/v1/tasks/{}/comments", segment(id))
}

/// Shows them, oldest first.
///
/// # Errors
/// There is no such task, or they cannot be read.
pub fn read(here: &Here, args: &Read) -> Result<ExitCode, Error> {
    let id = ids::read(&args.task);
    let said = talk(async { here.reading().await?.get(&path(&id)).await })?;
    if here.json {
        screen::json(&said);
        return Ok(ExitCode::SUCCESS);
    }
    let said = said.as_array().map(Vec::as_slice).unwrap_or_default();
    if said.is_empty() {
        let hint = paint(DIM, &format!("orch comment {id} \"TEXT\""));
        screen::line(&format!("{}   {hint}", words().no_comments));
        return Ok(ExitCode::SUCCESS);
    }
    let whole: Vec<String> = said.iter().map(|one| text(one, usize::MAX)).collect();
    screen::out(&whole.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// Says something.
///
/// # Errors
/// The text is empty, the brain is not running, or there is no such task.
pub fn say(here: &Here, args: &Say) -> Result<ExitCode, Error> {
    let text = new::text_of(Some(&args.text))?.unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Error::new(Kind::Usage, say!("the comment is empty", "комментарий пустой"))
            .remedy(say!("say something", "напишите что-нибудь")));
    }
    let id = ids::read(&args.task);
    let task = talk(async {
        let brain = here.brain().await?;
        brain.post(&path(&id), &json!({ "text": text })).await?;
        brain.get(&format!("/api/v1/tasks/{}", segment(&id))).await
    })?;
    if here.json {
        screen::json(&json!({ "task": id }));
        return Ok(ExitCode::SUCCESS);
    }
    let next = if awaits_answers(&task) { format!("   orch start {id}") } else { String::new() };
    screen::line(&format!("{}  {}{}", paint(BOLD, &id), words().comment_stands, paint(DIM, &next)));
    Ok(ExitCode::SUCCESS)
}

/// Whether the analyst waits for answers, as far as the API tells: nothing else of the analysis can be started.
pub(super) fn awaits_answers(task: &Value) -> bool {
    let mut offered = task.get("gestures").and_then(Value::as_array).into_iter().flatten();
    let starts = offered.any(|one| one.get("name").and_then(Value::as_str) == Some("start"));
    let can_continue = |one: &Value| one.get("name").and_then(Value::as_str) == Some("continue");
    let edited = task.get("gestures").and_then(Value::as_array).into_iter().flatten().any(can_continue);
    starts && !edited && task.get("stage").and_then(Value::as_str) == Some("analysis")
}

/// The newest comments, for `orch show`: their beginnings, and the last one whole where it is asked about.
pub(super) fn newest(said: &[Value], id: &str, asks: bool) -> String {
    let from = said.len().saturating_sub(SHOWN);
    let mut out = String::new();
    let mut cut = from > 0;
    for (at, one) in said.iter().enumerate().skip(from) {
        let most = if asks && at + 1 == said.len() { usize::MAX } else { LINES };
        cut |= body(one).lines().count() > most;
        out.push_str(&text(one, most));
    }
    if cut {
        out.push_str(&format!(
            "{}\n",
            paint(DIM, &say!("all of it: orch comments {id}", "всё: orch comments {id}"))
        ));
    }
    out
}

fn body(one: &Value) -> &str {
    one.get("text").and_then(Value::as_str).unwrap_or_default().trim_end()
}

/// A comment: who and when, and below it, set in, what.
fn text(one: &Value, most: usize) -> String {
    let word = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
    let at = screen::moment(word("at")).map(figure::moment).unwrap_or_default();
    let mut out = format!("{}  {}\n", paint(BOLD, word("by")), paint(DIM, &at));
    let lines = body(one).lines().count();
    for line in body(one).lines().take(most) {
        let line = screen::safe_lines(line);
        out.push_str(if line.is_empty() { "\n" } else { "  " });
        if !line.is_empty() {
            out.push_str(&format!("{line}\n"));
        }
    }
    if lines > most {
        out.push_str("  …\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that of a long conversation `orch show` has the end, the questions of it whole, and says where the rest is; and
    /// that what others wrote cannot steer the terminal (decision 10).
    #[test]
    fn the_end_is_shown() {
        let comment =
            |n: u32, text: &str| json!({ "by": format!("a{n}"), "at": "2026-01-02T15:04:05Z", "text": text });
        let said: Vec<Value> = (1..=4).map(|n| comment(n, "1\n2\n3\n4\n5\u{1b}[2J\n\n6")).collect();
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        let head = |n: u32| format!("a{n}  2026-01-02 15:04 UTC\n");
        let cut = "  1\n  2\n  3\n  4\n  …\n";
        let shown = plain(newest(&said, "D-001", false));
        let rest = "all of it: orch comments D-001\n";
        assert_eq!(shown, [2, 3, 4].map(|n| head(n) + cut).concat() + rest);
        let asks = plain(newest(&said, "D-001", true));
        let whole = "  1\n  2\n  3\n  4\n  5\u{fffd}[2J\n\n  6\n";
        assert_eq!(asks, [2, 3].map(|n| head(n) + cut).concat() + &head(4) + whole + rest);
        let short = [comment(1, "yes")];
        assert_eq!(plain(newest(&short, "D-001", false)), head(1) + "  yes\n");
    }
}
