//! `orch show`: what is there to know of a task?

use std::process::ExitCode;

use serde_json::Value;

use super::{Here, comment, list};
use crate::client::{segment, talk};
use crate::error::Error;
use crate::ids;
use crate::screen::{self, BAD, BOLD, DIM, GOOD, PLAIN, cell, paint};
use crate::words::words;

/// All of a task.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as ORCH-042 or orch-42
    task: String,
}

/// Shows it.
///
/// # Errors
/// There is no such task, or it cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let id = ids::read(&args.task);
    let (task, comments) = talk(async {
        let reading = here.reading().await?;
        let task = reading.get(&format!("/api/v1/tasks/{}", segment(&id))).await?;
        // What is known of the task is shown also where nobody can tell what was said.
        let comments = match here.json {
            true => Value::Null,
            false => reading.get(&comment::path(&id)).await.unwrap_or_default(),
        };
        Ok((task, comments))
    })?;
    if here.json {
        screen::json(&task);
    } else {
        screen::out(&text(&task, comments.as_array().map(Vec::as_slice).unwrap_or_default()));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(task: &Value, comments: &[Value]) -> String {
    let words = words();
    let word = |path: &str| task.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let mut out = format!("{}  {}\n", paint(BOLD, word("/id")), paint(BOLD, word("/title")));
    let stand = paint(list::style_of(word("/standing/state")), word("/standing/text"));
    match word("/standing/state") {
        "over" => out.push_str(&format!("{stand}\n")),
        _ => out.push_str(&format!("{}: {stand}\n", screen::safe(&list::stage(word("/stage"))))), // not a domain enum
    }
    if !word("/standing/lifts").is_empty() {
        out.push_str(&format!("{}\n", paint(DIM, word("/standing/lifts"))));
    }
    for also in task.pointer("/standing/also").and_then(Value::as_array).into_iter().flatten() {
        out.push_str(&format!(
            "{}\n",
            paint(DIM, &format!("{}: {}", words.also, also.as_str().unwrap_or_default()))
        ));
    }
    let number = |path: &str| task.pointer(path).and_then(Value::as_u64).map(|n| n.to_string());
    let attempt = match (number("/attempt"), number("/attempts")) {
        (Some(n), Some(of)) => Some(format!("{n}/{of}")),
        (n, _) => n,
    };
    let labels = task.get("labels").and_then(Value::as_array).into_iter().flatten();
    let labels = labels.filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    let known = |path: &str| Some(word(path).to_owned()).filter(|text| !text.is_empty());
    let facts = [
        (words.project, known("/project")),
        (words.priority, known("/priority").map(|level| words.named(&level).to_owned())),
        (words.labels, Some(labels).filter(|labels| !labels.is_empty())),
        (words.attempt, attempt),
        (words.cost, known("/usage/cost")),
        (words.branch, known("/branch")),
        (words.head, known("/head")),
        (words.change_request, number("/change_request")),
        (words.merged, known("/merged")),
        (words.deployed, known("/deployed")),
    ];
    let facts =
        facts.into_iter().filter_map(|(label, value)| Some(vec![cell(DIM, label), cell(PLAIN, value?)]));
    out.push_str(&screen::table(&facts.collect::<Vec<_>>()));
    section(&mut out, words.runs, task, "/runs", |run| {
        let (style, end) = match (of(run, "end"), run.get("well").and_then(Value::as_bool)) {
            ("", _) => (screen::BUSY, words.is_running),
            (end, Some(true)) => (GOOD, end),
            (end, _) => (BAD, end),
        };
        vec![
            cell(DIM, of(run, "id")),
            cell(PLAIN, of(run, "label")),
            cell(PLAIN, of(run, "wall")),
            cell(style, end),
        ]
    });
    section(&mut out, words.gates, task, "/gates", |gate| {
        let verdict = of(gate, "verdict");
        let style = if verdict == "pass" { GOOD } else { BAD };
        let findings = of(gate, "findings").lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        vec![
            cell(PLAIN, of(gate, "label")),
            cell(style, words.named(verdict)),
            cell(DIM, attempt_of(gate)),
            // Which of the runs above it was: the tests of a change and those of its candidate are the same gate.
            cell(DIM, of(gate, "run")),
            cell(DIM, findings),
        ]
    });
    section(&mut out, words.files, task, "/artefacts", |file| {
        let (style, filed) = filed(file);
        vec![cell(PLAIN, of(file, "name")), cell(DIM, words.named(of(file, "verdict"))), cell(style, filed)]
    });
    if !comments.is_empty() {
        let newest = comment::newest(comments, word("/id"), comment::awaits_answers(task));
        out.push_str(&format!("\n{}\n{newest}", paint(DIM, words.comments)));
    }
    let gestures = task.get("gestures").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !gestures.is_empty() {
        // Who asked is answered first, and an answer is no gesture.
        let answer = format!("orch comment {} \"TEXT\"", word("/id"));
        let answer = comment::awaits_answers(task).then(|| vec![cell(BOLD, answer)]);
        let gesture = |gesture: &Value| {
            let name = of(gesture, "name");
            let more = match name {
                "reject" => " \"TEXT\"",
                "priority" => " urgent|high|normal|low",
                _ => "", // not a domain enum
            };
            let what = of(gesture, "what");
            let command = format!("orch {name} {}{more}", word("/id"));
            vec![cell(BOLD, command), cell(DIM, what.get(..12).unwrap_or(what))]
        };
        let rows: Vec<_> = answer.into_iter().chain(gestures.iter().map(gesture)).collect();
        out.push_str(&format!("\n{}\n{}", paint(DIM, words.can_do), screen::table(&rows)));
    }
    if let Some(text) = known("/text") {
        out.push_str(&format!("\n{}\n", screen::safe_lines(text.trim_end())));
    }
    out
}

/// In which attempt a gate spoke, and in which round if there were more; nothing of what is about no attempt.
fn attempt_of(gate: &Value) -> String {
    let number = |name: &str| gate.get(name).and_then(Value::as_u64);
    let Some(attempt) = number("attempt") else { return String::new() };
    let words = words();
    match number("round").filter(|round| *round > 1) {
        Some(round) => format!("{} {round}, {} {attempt}", words.round, words.attempt),
        None => format!("{} {attempt}", words.attempt),
    }
}

/// How a file that Orch itself wrote stands on its branch; nothing of the others.
fn filed(file: &Value) -> (anstyle::Style, String) {
    let Some(record) = file.get("record").filter(|record| record.is_object()) else {
        return (PLAIN, String::new());
    };
    let (words, branch) = (words(), of(record, "branch"));
    let again = if record.get("refused").and_then(Value::as_bool) == Some(true) {
        words.retry_pushes
    } else {
        words.tried_again
    };
    match (of(record, "commit"), of(record, "trouble")) {
        ("", "") => (screen::BUSY, format!("{} {branch}", words.on_its_way)),
        ("", cause) => (BAD, format!("{} {branch} ({again}): {cause}", words.not_on)),
        (commit, _) => (DIM, format!("{} {branch} {}", words.stands_on, commit.get(..10).unwrap_or(commit))),
    }
}

fn of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn section(
    out: &mut String,
    title: &str,
    task: &Value,
    path: &str,
    row: impl Fn(&Value) -> Vec<screen::Cell>,
) {
    let items = task.pointer(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !items.is_empty() {
        let rows: Vec<_> = items.iter().map(row).collect();
        out.push_str(&format!("\n{}\n{}", paint(DIM, title), screen::table(&rows)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Proves that the same gate twice is told apart by its attempt, and by its round where there were more; that what is about
    /// no attempt names none.
    #[test]
    fn gates_name_their_attempt() {
        let said = |gate| attempt_of(&gate);
        assert_eq!(said(json!({ "attempt": 2, "round": 1 })), "attempt 2");
        assert_eq!(said(json!({ "attempt": 1, "round": 2 })), "round 2, attempt 1");
        assert_eq!(said(json!({ "attempt": null, "round": 1 })), "");
    }
}
