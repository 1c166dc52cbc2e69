//! `orch edit`: how does a person change what was asked for? What follows for work under way is said at once (decision 45).

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Here, new};
use crate::client::{segment, talk};
use crate::error::{Error, Kind};
use crate::ids;
use crate::screen::{self, ASKS, BOLD, DIM, paint};
use crate::words::{say, words};

/// The labels that mean something, put on and taken off.
const LABELS: [&str; 4] = ["+autoApprove", "-autoApprove", "+autoDeploy", "-autoDeploy"];

/// Change what was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// Another title: what should be different afterwards, in one sentence
    #[arg(long)]
    title: Option<String>,
    /// Another description; `-` reads standard input, an empty one takes it away
    #[arg(short = 'd', long = "text", visible_alias = "description", value_name = "TEXT")]
    text: Option<String>,
    /// Put a label on it (+) or take it off (-); may be given twice
    #[arg(long, value_name = "LABEL", value_parser = LABELS, ignore_case = true, allow_hyphen_values = true)]
    label: Vec<String>,
}

/// Changes it.
///
/// # Errors
/// Nothing to change is named, the brain is not running, or it refuses.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    if args.title.is_none() && args.text.is_none() && args.label.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            say!("nothing is named that should change", "не сказано, что изменить"),
        )
        .remedy(say!("name --title, --text or --label", "укажите --title, --text или --label")));
    }
    if args.title.as_deref().is_some_and(|title| title.trim().is_empty()) {
        return Err(Error::new(Kind::Usage, say!("the title is empty", "название пустое")).remedy(say!(
            "say in one sentence what should be different",
            "скажите одной фразой, что должно измениться"
        )));
    }
    let mut body =
        json!({ "add_labels": labels(&args.label, '+'), "remove_labels": labels(&args.label, '-') });
    let text = new::text_of(args.text.as_deref())?;
    for (name, value) in [("title", args.title.clone()), ("text", text)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    let path = format!("/api/v1/tasks/{}/issue", segment(&ids::read(&args.task)));
    let edited = talk(async { here.brain().await?.patch(&path, &body).await })?;
    if here.json {
        screen::json(&edited);
    } else {
        tell(&edited);
    }
    Ok(ExitCode::SUCCESS)
}

/// The labels with this sign, as the API calls them.
fn labels(typed: &[String], sign: char) -> Vec<&'static str> {
    let wanted = |label: &&&str| typed.iter().any(|typed| typed.eq_ignore_ascii_case(label));
    let signed = LABELS.iter().filter(wanted);
    signed.filter_map(|label| label.strip_prefix(sign)).collect()
}

fn tell(edited: &Value) {
    let words = words();
    let word = |name: &str| edited.get(name).and_then(Value::as_str).unwrap_or_default();
    let listed = |name: &str| edited.get(name).and_then(Value::as_array).into_iter().flatten();
    let changed: Vec<&str> =
        listed("changed").filter_map(Value::as_str).map(|part| words.named(part)).collect();
    let said = if changed.is_empty() {
        words.edit_same.to_owned()
    } else {
        format!("{}: {}", words.edit_changed, changed.join(", "))
    };
    screen::line(&format!("{}  {}", paint(BOLD, word("task")), screen::safe(&said)));
    // That it was edited stands in the line above already.
    let more = listed("reasons").filter_map(Value::as_str).skip(usize::from(!word("follows").is_empty()));
    for reason in more {
        screen::line(&paint(DIM, reason));
    }
    if !word("follows").is_empty() {
        screen::line(&paint(ASKS, word("follows")));
    }
}
