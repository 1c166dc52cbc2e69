//! Which tasks are there, what do they wait for, what did they do?

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orch_core::id::{Entity, ProjectId, Seq};
use orch_core::stage::Stage;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{full, listed, wire};
use crate::ask::{Path, Query, Tongue, task_id};
use crate::error::{Failure, Problem, both};
use crate::routes::Rooms;
use crate::source::{Cursor, Filter};
use crate::view::{self, Full};
use crate::words;

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only those of a project.
    project: Option<String>,
    /// Only those in a stage.
    stage: Option<String>,
    /// `true`: only those that are not over.
    #[serde(default)]
    open: bool,
    /// Only those whose work item or title's slug begins so.
    prefix: Option<String>,
    /// `next` of the page before.
    before: Option<i64>,
    /// At most so many, up to 200; 50 without it.
    most: Option<usize>,
}

/// A stage by its machine name.
pub(crate) fn stage(read: &str) -> Result<Stage, Problem> {
    let known = || Stage::ALL.map(Stage::name).join(", ");
    Stage::ALL.into_iter().find(|stage| stage.name() == read).ok_or_else(|| {
        let shown: String = read.chars().take(40).collect();
        Problem::malformed(
            both!("`{shown}` is no stage", "нет этапа `{shown}`"),
            both!("stages are {}", "этапы: {}", known()),
        )
    })
}

/// Tasks, newest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(Wanted),
    responses((status = 200, description = "A page of tasks.", body = wire::Tasks),
        (status = 400, description = "A parameter is wrong.", body = Failure)))]
pub(crate) async fn list(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    Query(wanted): Query<Wanted>,
) -> Result<Json<wire::Tasks>, Problem> {
    let filter = Filter {
        project: wanted.project.map(ProjectId::from),
        stage: wanted.stage.as_deref().map(stage).transpose()?,
        open: wanted.open,
        prefix: wanted.prefix,
        before: wanted.before.map(Cursor),
    };
    let seen = rooms.source.seen().await?;
    let page = rooms.source.tasks(filter, wanted.most.unwrap_or(50).clamp(1, 200)).await?;
    let now = rooms.source.now();
    Ok(Json(wire::Tasks {
        tasks: page.tasks.iter().map(|task| view::brief(task, &seen, now, lang)).collect(),
        next: page.next.map(|cursor| cursor.0),
    }))
}

/// All of a task.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path, description = "The task.")),
    responses((status = 200, description = "The task.", body = Full),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn show(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
) -> Result<Json<Full>, Problem> {
    let found = listed(&rooms, &task_id(&id)?).await?;
    let seen = rooms.source.seen().await?;
    Ok(Json(full(&rooms, &found, &seen, lang).await?))
}

/// What a task does or waits for, since when, and what would move it.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/why", tag = "tasks", params(("id" = String, Path, description = "The task.")),
    responses((status = 200, description = "One sentence and its parts.", body = wire::Why),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn why(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
) -> Result<Json<wire::Why>, Problem> {
    let found = listed(&rooms, &task_id(&id)?).await?;
    let seen = rooms.source.seen().await?;
    let now = rooms.source.now();
    let standing = view::stand(&found.task, &seen, now, lang);
    let since = words::since(standing.since_at, now, lang);
    let stage = words::stage_label(found.task.stage, lang);
    let sentence = match standing.state {
        "over" => format!("{stage}, {since}."),
        _ => format!("{stage}: {}, {since}. {}", standing.text, standing.lifts), // not a domain enum
    };
    Ok(Json(wire::Why { id: found.task.id.to_string(), sentence: sentence.trim_end().to_owned(), standing }))
}

/// Which part of a history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Only rows before this one.
    before: Option<u64>,
    /// At most so many, up to 500; 50 without it.
    most: Option<usize>,
}

/// What happened to a task, newest first, with the reasons.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/history", tag = "tasks",
    params(("id" = String, Path, description = "The task."), Part),
    responses((status = 200, description = "A page of history.", body = wire::History),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn history(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Result<Json<wire::History>, Problem> {
    let task = task_id(&id)?;
    listed(&rooms, &task).await?;
    let most = part.most.unwrap_or(50).clamp(1, 500);
    let rows = rooms.source.history(Entity::Task(task), part.before.map(Seq), most).await?;
    let next = rows.last().filter(|_| rows.len() == most).map(|row| row.seq.0);
    Ok(Json(wire::History { events: rows.iter().map(|row| wire::event(row, lang)).collect(), next }))
}

/// A task's change as a diff.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/diff", tag = "tasks", params(("id" = String, Path, description = "The task.")),
    responses((status = 200, description = "The diff.", body = wire::Diff),
        (status = 404, description = "No such task, or no branch yet.", body = Failure)))]
pub(crate) async fn diff(
    State(rooms): State<Rooms>,
    Path(id): Path<String>,
) -> Result<Json<wire::Diff>, Problem> {
    let task = task_id(&id)?;
    listed(&rooms, &task).await?;
    let diff = rooms.source.diff(task.clone()).await?;
    let diff = diff.ok_or_else(|| {
        Problem::not_yet(both!("{task} has no branch yet", "у {task} ещё нет ветки"), &task)
    })?;
    Ok(Json(wire::Diff { base: diff.base, head: diff.head, text: diff.text, cut: diff.cut }))
}

/// An artefact's bytes.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/artefacts/{name}", tag = "tasks",
    params(("id" = String, Path, description = "The task."),
        ("name" = String, Path, description = "The name below the work item's folder, `12-review.md` for example.")),
    responses((status = 200, description = "The bytes.", content_type = "text/plain"),
        (status = 404, description = "No such artefact.", body = Failure)))]
pub(crate) async fn artefact(
    State(rooms): State<Rooms>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let bytes = artefact_bytes(&rooms, &id, &name).await?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

/// Only names that the task itself lists are asked for: a name from outside never becomes a path.
pub(crate) async fn artefact_bytes(rooms: &Rooms, id: &str, name: &str) -> Result<Vec<u8>, Problem> {
    let found = listed(rooms, &task_id(id)?).await?;
    let missing = || {
        Problem::not_found(both!(
            "there is no artefact of that name in {}",
            "в {} нет такого артефакта",
            found.task.id
        ))
    };
    // What Orch itself wrote is in the journal, and comes before a file of the same name.
    if let Some(own) = found.task.records.iter().find(|own| own.record.file() == name) {
        return rooms.source.blob(own.text.blob.clone()).await?.ok_or_else(missing);
    }
    let known = found.task.artefacts.iter().find(|file| file.name == name).ok_or_else(missing)?;
    rooms.source.artefact(found.task.id.clone(), known.name.clone()).await?.ok_or_else(missing)
}
