//! `orch approve`, `reject`, `confirm`, `accept`, `stop`, `retry`, `start`, `continue`, `allow`, `priority`: what does a person want of a
//! task? Consent names what the person was shown (decision 37).

use std::process::ExitCode;

use orch_core::id::WorkItem;
use serde_json::{Value, json};

use super::Here;
use crate::client::{segment, talk};
use crate::error::{Error, Kind};
use crate::ids;
use crate::screen::{self, ASKS, BOLD, paint};
use crate::words::{Told, say, words};

/// A task.
#[derive(Debug, clap::Args)]
pub struct OfTask {
    /// The task, such as ORCH-042 or orch-42
    pub task: String,
}

/// Something to consent to.
#[derive(Debug, clap::Args)]
pub struct Bound {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// Only if this is still what waits: the digest that `orch show` prints, or its beginning
    #[arg(long, value_name = "DIGEST")]
    what: Option<String>,
}

/// Not like this.
#[derive(Debug, clap::Args)]
pub struct Reject {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// Why: goes to the next run word for word [default: the newest comment of a person]
    #[arg(value_name = "WHY")]
    why: Option<String>,
    /// The same by name
    #[arg(short, long, value_name = "TEXT", conflicts_with = "why")]
    reason: Option<String>,
}

/// How urgent.
#[derive(Debug, clap::Args)]
pub struct Priority {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// urgent, high, normal or low
    #[arg(value_parser = ["urgent", "high", "normal", "low"])]
    level: String,
}

/// A gesture that needs nothing more.
///
/// # Errors
/// The brain is not running, or there is no such task.
pub fn plain(here: &Here, gesture: &str, task: &str) -> Result<ExitCode, Error> {
    press(here, gesture, task, &json!({}))
}

/// A consent: asks what waits, and names it.
///
/// # Errors
/// Nothing of the kind waits, the brain is not running, or there is no such task.
pub fn bound(here: &Here, gesture: &str, args: &Bound) -> Result<ExitCode, Error> {
    let id = ids::read(&args.task);
    let path = format!("/api/v1/tasks/{}", segment(&id));
    let task = talk(async { here.brain().await?.get(&path).await })?;
    let what = waiting(&task, gesture).ok_or_else(|| nothing_waits(&id, gesture, &task))?;
    if let Some(meant) = args.what.as_deref().filter(|meant| !what.starts_with(*meant)) {
        let now = what.get(..12).unwrap_or(&what);
        let cause = say!(
            "what waits in {id} is {now} by now, not {meant}",
            "в {id} решения ждёт уже {now}, а не {meant}"
        );
        return Err(Error::refused(cause).remedy(say!(
            "look again with `orch show {id}` and `orch diff {id}`",
            "посмотрите ещё раз: `orch show {id}` и `orch diff {id}`"
        )));
    }
    press(here, gesture, &id, &json!({ "what": what }))
}

/// What waits for a consent.
fn waiting(task: &Value, gesture: &str) -> Option<String> {
    let mut offered = task.get("gestures")?.as_array()?.iter();
    let one = offered.find(|one| one.get("name").and_then(Value::as_str) == Some(gesture))?;
    one.get("what")?.as_str().map(str::to_owned)
}

fn nothing_waits(id: &str, gesture: &str, task: &Value) -> Error {
    let waits = task.pointer("/standing/text").and_then(Value::as_str).unwrap_or(words().waits_else);
    let offered = task.get("gestures").and_then(Value::as_array).into_iter().flatten();
    let offered: Vec<&str> = offered.filter_map(|one| one.get("name")?.as_str()).collect();
    let remedy = match offered.as_slice() {
        [] => say!("`orch why {id}` says what would move it", "`orch why {id}` скажет, что её сдвинет"),
        names => say!("what you can do now: {}", "что можно сделать сейчас: {}", names.join(", ")),
    };
    let cause = say!(
        "there is nothing to {gesture} in {id}: {waits}",
        "{id}: для `{gesture}` здесь ничего нет: {waits}"
    );
    Error::refused(cause).remedy(remedy)
}

/// A rejection.
///
/// # Errors
/// The brain is not running, or there is no such task.
pub fn reject(here: &Here, args: &Reject) -> Result<ExitCode, Error> {
    let why = args.why.as_ref().or(args.reason.as_ref());
    if why.is_some_and(|why| why.trim().is_empty()) {
        return Err(Error::new(Kind::Usage, say!("the reason is empty", "причина пустая"))
            .remedy(say!("say why, or leave it out", "скажите почему или уберите её")));
    }
    let body = why.map_or(json!({}), |reason| json!({ "reason": reason }));
    press(here, "reject", &args.task, &body)
}

/// Another urgency.
///
/// # Errors
/// The brain is not running, or there is no such task.
pub fn priority(here: &Here, args: &Priority) -> Result<ExitCode, Error> {
    let (id, mut taken) = told(here, "priority", &args.task, &json!({ "priority": args.level }))?;
    if let Some(taken) = taken.as_object_mut() {
        taken.insert("priority".to_owned(), json!(args.level));
    }
    let done = taken_as(here, &id, "priority", &taken)?;
    if !here.json {
        screen::line(&format!("{} {}", words().its_priority_is, words().named(&args.level)));
    }
    Ok(done)
}

fn press(here: &Here, gesture: &str, task: &str, body: &Value) -> Result<ExitCode, Error> {
    let (id, taken) = told(here, gesture, task, body)?;
    taken_as(here, &id, gesture, &taken)
}

fn told(here: &Here, gesture: &str, task: &str, body: &Value) -> Result<(String, Value), Error> {
    let id = ids::read(task);
    let path = format!("/api/v1/tasks/{}/{gesture}", segment(&id));
    let taken = talk(async { here.brain().await?.post(&path, body).await })?;
    Ok((id, taken))
}

/// Says what a gesture did. One without effect is refused, so that a script notices.
///
/// # Errors
/// It had no effect.
pub fn taken_as(here: &Here, whom: &str, gesture: &str, taken: &Value) -> Result<ExitCode, Error> {
    let reasons = taken.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    let effective = taken.get("effective").and_then(Value::as_bool).unwrap_or(true);
    if !effective {
        let cause = match reasons.is_empty() {
            true => say!("`{gesture}` had no effect", "`{gesture}` ничего не меняет"),
            false => Told::quoted(reasons.join(" ")),
        };
        let refused = Error::refused(cause).at(whom);
        return Err(match WorkItem::read(whom) {
            Some(_) => refused.remedy(say!(
                "`orch show {whom}` shows how it stands and what you can do now",
                "`orch show {whom}` показывает, где сейчас задача и что можно сделать"
            )),
            None => refused,
        });
    }
    if here.json {
        screen::json(taken);
        return Ok(ExitCode::SUCCESS);
    }
    let said = if reasons.is_empty() { format!("{gesture}: {}", words().done) } else { reasons.join(" ") };
    screen::line(&format!("{}  {}", paint(BOLD, whom), screen::safe(&said)));
    if taken.get("duplicate").and_then(Value::as_bool) == Some(true) {
        screen::line(&paint(ASKS, words().said_before));
    }
    Ok(ExitCode::SUCCESS)
}
