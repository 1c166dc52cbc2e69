//! `orch logs`: what does a run write, and what does it write now?

use std::process::ExitCode;

use serde_json::Value;

use super::{Here, note};
use crate::client::{self, Next, segment, talk};
use crate::error::Error;
use crate::ids;
use crate::screen;
use crate::words::say;

/// What a run writes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as ORCH-042 or orch-42
    task: String,
    /// Stay and print what comes
    #[arg(short, long)]
    follow: bool,
    /// Which run, such as r12.0 [default: the newest]
    #[arg(long)]
    run: Option<String>,
    /// Standard error instead of standard output
    #[arg(long)]
    err: bool,
    /// From the beginning instead of the end
    #[arg(long)]
    whole: bool,
}

/// Prints it.
///
/// # Errors
/// There is no such task or run, or it cannot be read.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let base = format!("/api/v1/tasks/{}/log", segment(&ids::read(&args.task)));
    let asked = |from: Option<u64>| {
        let stream = args.err.then(|| "err".to_owned());
        let from = from.map(|from| from.to_string());
        [("run", args.run.clone()), ("stream", stream), ("from", from)]
    };
    let first = args.whole.then_some(0);
    talk(async {
        let brain = here.reading().await?;
        if args.follow {
            let path = client::query(&format!("{base}/follow"), &asked(first));
            return brain
                .follow(&path, |frame| {
                    if frame.event.as_deref() == Some("end") {
                        return Ok(Next::Stop);
                    }
                    if here.json {
                        screen::line(&frame.data);
                    } else {
                        let said: Value = serde_json::from_str(&frame.data).unwrap_or_default();
                        let text = said.get("text").and_then(Value::as_str).unwrap_or_default();
                        screen::out(&screen::safe_lines(text));
                    }
                    Ok(Next::More)
                })
                .await;
        }
        let mut from = first;
        loop {
            let part = brain.part(&client::query(&base, &asked(from))).await?;
            let text = String::from_utf8_lossy(&part.bytes);
            if here.json {
                screen::json(&serde_json::json!({
                    "text": text, "from": part.from, "next": part.next, "size": part.size, "live": part.live,
                    "left_out": part.left_out,
                }));
            } else {
                screen::out(&screen::safe_lines(&text));
            }
            if part.size == 0 && !part.live && !here.json {
                note(&match args.err {
                    true => say!(
                        "nothing of its standard error is here: it wrote none, or it is no longer kept",
                        "потока ошибок здесь нет: запуск туда ничего не написал, или он больше не хранится"
                    ),
                    false => say!(
                        "nothing of its standard output is here: it wrote none, or it is no longer kept; `--err` shows \
                         standard error",
                        "стандартного вывода здесь нет: запуск туда ничего не написал, или он больше не хранится; поток \
                         ошибок покажет `--err`"
                    ),
                });
            }
            // Only the whole log is worth asking on for; the end of one is what was asked for.
            if !args.whole || part.next >= part.size || part.bytes.is_empty() {
                if part.left_out > 0 && !here.json {
                    note(&say!(
                        "{} bytes of the output were too many and are left out: this log is its begin and its end",
                        "вывод слишком велик, не сохранено байт: {}; здесь его начало и конец",
                        part.left_out
                    ));
                }
                return Ok(());
            }
            from = Some(part.next);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
