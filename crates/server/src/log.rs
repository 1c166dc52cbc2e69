//! What does a run write? A part of its log, or the log as it grows.

use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orch_core::id::{RunId, TaskId};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::api::listed;
use crate::ask::{Path, Query, task_id};
use crate::auth::Who;
use crate::error::{Both, Failure, Kind, Problem, both};
use crate::routes::Rooms;
use crate::show::{log_text, whole_chars};
use crate::source::{LogChunk, LogPart, LogStream};
use crate::stream::{channel, place};

/// What a page shows of a log: its end.
pub(crate) const TAIL: usize = 64 * 1024;
/// Most that one answer holds.
const MOST: usize = 1024 * 1024;
/// How often a log is looked at while somebody watches it; nobody looks while nobody watches.
const LOOK: Duration = Duration::from_millis(200);

/// Which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The run; without it the newest.
    run: Option<String>,
    /// `out` (default) or `err`.
    stream: Option<String>,
    /// From which byte; without it the end of the log.
    from: Option<u64>,
    /// At most so many bytes, up to 1 MiB.
    most: Option<usize>,
}

/// A part of a run's log, as it is: the bytes that the program wrote, secrets masked.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/log", tag = "tasks",
    params(("id" = String, Path, description = "The task."), Wanted),
    responses((status = 200, description = "Bytes; `Log-From`, `Log-Next`, `Log-Size` and `Log-Live` say where they stand, `Log-Left-Out` how many bytes of too much output were not kept.", content_type = "application/octet-stream"),
        (status = 404, description = "No such task or run.", body = Failure)))]
pub(crate) async fn read(
    State(rooms): State<Rooms>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let part = part(&rooms, &id, &wanted).await?;
    let chunk = chunk(&rooms, part).await?;
    let next = chunk.from + chunk.bytes.len() as u64;
    let mut response = chunk.bytes.into_response();
    let headers = response.headers_mut();
    // A browser must never take a program's output for a page.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert("log-from", HeaderValue::from(chunk.from));
    headers.insert("log-next", HeaderValue::from(next));
    headers.insert("log-size", HeaderValue::from(chunk.size));
    headers.insert("log-left-out", HeaderValue::from(chunk.left_out));
    headers.insert("log-live", HeaderValue::from_static(if chunk.live { "true" } else { "false" }));
    Ok(response)
}

/// A run's log as it grows: `text` events for people (control characters made visible), and `end` when the run is over.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/log/follow", tag = "tasks",
    params(("id" = String, Path, description = "The task."), Wanted,
        ("Last-Event-ID" = Option<u64>, Header, description = "The byte to go on from.")),
    responses((status = 200, description = "`{\"text\": ...}`; the id is the next byte.", content_type = "text/event-stream"),
        (status = 404, description = "No such task or run.", body = Failure),
        (status = 503, description = "Too many readers without a login listen already.", body = Failure)))]
pub(crate) async fn follow(
    State(rooms): State<Rooms>,
    Extension(who): Extension<Who>,
    headers: axum::http::HeaderMap,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let mut part = part(&rooms, &id, &wanted).await?;
    part.most = part.most.min(TAIL);
    if let Some(seen) =
        headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok())
    {
        part.from = Some(seen);
    }
    let first = chunk(&rooms, part.clone()).await?;
    let place = place(&rooms, &who)?;
    let (events, response) = channel();
    tokio::spawn(async move {
        let _place = place;
        let stop = rooms.stop.clone();
        let telling = async {
            let mut chunk = first;
            loop {
                let whole = if chunk.live { whole_chars(&chunk.bytes) } else { chunk.bytes.len() };
                let next = chunk.from + whole as u64;
                let ended = !chunk.live && next >= chunk.size;
                if whole > 0 {
                    let text = json!({ "text": log_text(&chunk.bytes[..whole]) });
                    if events.send(format!("id: {next}\nevent: text\ndata: {text}\n\n")).await.is_err() {
                        return;
                    }
                }
                if ended {
                    let _ = events.send(format!("id: {next}\nevent: end\ndata: {next}\n\n")).await;
                    return;
                }
                // At the end, or inside a character whose rest is not written yet.
                if chunk.live && (next >= chunk.size || whole == 0) {
                    tokio::select! {
                        () = tokio::time::sleep(LOOK) => {}
                        () = events.closed() => return,
                    }
                }
                part.from = Some(next);
                chunk = match rooms.source.log(part.clone()).await {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) | Err(_) => return,
                };
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = telling => {}
        }
    });
    Ok(response)
}

async fn part(rooms: &Rooms, id: &str, wanted: &Wanted) -> Result<LogPart, Problem> {
    let task = task_id(id)?;
    let stream = match wanted.stream.as_deref() {
        None | Some("out") => LogStream::Out,
        Some("err") => LogStream::Err,
        Some(_) => {
            return Err(Problem::malformed(
                both!("`stream` is neither `out` nor `err`", "`stream` может быть только `out` или `err`"),
                both!("leave it out for `out`", "без него берётся `out`"),
            ));
        }
    };
    let run = match &wanted.run {
        Some(run) => run.parse().map_err(|bad: orch_core::id::BadId| {
            Problem::malformed(
                Both::new(bad.to_string(), bad_run(run)),
                both!("the task lists its runs", "запуски перечислены в задаче"),
            )
        })?,
        None => newest(rooms, &task).await?,
    };
    Ok(LogPart { task, run, stream, from: wanted.from, most: wanted.most.unwrap_or(TAIL).clamp(1, MOST) })
}

fn bad_run(read: &str) -> String {
    format!("`{read}` — не запуск, пример: `r12.0`")
}

async fn newest(rooms: &Rooms, task: &TaskId) -> Result<RunId, Problem> {
    let newest = listed(rooms, task).await?.task.runs.last().map(|row| row.run);
    newest.ok_or_else(|| {
        Problem::not_yet(both!("{task} has no run yet", "у {task} ещё не было запусков"), task)
    })
}

async fn chunk(rooms: &Rooms, part: LogPart) -> Result<LogChunk, Problem> {
    let (run, task) = (part.run, part.task.clone());
    if let Some(chunk) = rooms.source.log(part).await? {
        return Ok(chunk);
    }
    listed(rooms, &task).await?;
    Err(Problem::new(
        Kind::NotFound,
        both!("{task} has no run {run}", "у {task} нет запуска {run}"),
        both!("`orch show {task}` lists its runs", "её запуски покажет `orch show {task}`"),
    ))
}
