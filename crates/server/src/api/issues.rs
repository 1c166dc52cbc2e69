//! How does a task begin, and how do people talk under it? Issues and comments of the built-in tracker.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orch_core::id::ProjectId;

use super::{listed, wire};
use crate::api::gestures::bounded;
use crate::ask::{Body, Path, RequestId, Writer, task_id};
use crate::error::{Failure, Problem, both};
use crate::routes::Rooms;
use crate::show::rfc3339;
use crate::source::{Commented, Created, NewComment, NewIssue};

/// Most characters of a title.
const MOST_TITLE: usize = 500;

/// Hands an issue in; the same for API and page.
pub(crate) async fn make(
    rooms: &Rooms,
    request: String,
    by: String,
    wanted: &wire::NewIssue,
) -> Result<wire::Made, Problem> {
    let title: String = wanted.title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() {
        return Err(Problem::malformed(
            both!("`title` is empty", "`title` пустой"),
            both!(
                "say in one sentence what should be different afterwards",
                "скажите одной фразой, что должно измениться"
            ),
        ));
    }
    if title.chars().count() > MOST_TITLE {
        return Err(Problem::malformed(
            both!("`title` is over 500 characters", "`title` длиннее 500 символов"),
            both!("put the rest into `text`", "остальное напишите в `text`"),
        ));
    }
    let issue = NewIssue {
        request,
        project: ProjectId(wanted.project.clone()),
        title: bounded("title", &title)?,
        text: bounded("text", &wanted.text)?,
        start: wanted.start,
        by,
    };
    match rooms.source.create_issue(issue).await? {
        Created::Made { issue, task } => Ok(wire::Made { issue: issue.0, task: task.0 }),
        Created::UnknownProject => {
            Err(Problem::not_found(both!("there is no project `{}`", "нет проекта `{}`", wanted.project)))
        }
        Created::Refused { cause } => Err(Problem::refused(cause)),
    }
}

/// Makes an issue in the built-in tracker.
#[utoipa::path(post, path = "/api/v1/issues", tag = "issues", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key twice makes one issue.")),
    request_body = wire::NewIssue,
    responses((status = 201, description = "It stands.", body = wire::Made),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such project.", body = Failure),
        (status = 409, description = "Its issues are made elsewhere.", body = Failure)))]
pub(crate) async fn create(
    State(rooms): State<Rooms>,
    writer: Writer,
    request: RequestId,
    Body(wanted): Body<wire::NewIssue>,
) -> Result<(StatusCode, Json<wire::Made>), Problem> {
    Ok((StatusCode::CREATED, Json(make(&rooms, request.0, writer.by, &wanted).await?)))
}

/// What was said under a task's issue, oldest first.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/comments", tag = "issues", params(("id" = String, Path, description = "The task.")),
    responses((status = 200, description = "At most the last hundred.", body = Vec<wire::Comment>),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn comments(
    State(rooms): State<Rooms>,
    Path(id): Path<String>,
) -> Result<Json<Vec<wire::Comment>>, Problem> {
    let task = task_id(&id)?;
    listed(&rooms, &task).await?;
    let said = rooms.source.comments(task).await?;
    let comment = |said: crate::source::Said| wire::Comment {
        by: said.by,
        own: said.own,
        at: rfc3339(said.at),
        text: said.text,
    };
    Ok(Json(said.into_iter().map(comment).collect()))
}

/// Hands a comment in; the same for API and page.
pub(crate) async fn say(
    rooms: &Rooms,
    id: &str,
    request: String,
    by: String,
    text: &str,
) -> Result<(), Problem> {
    let task = task_id(id)?;
    let text = bounded("text", text)?;
    if text.trim().is_empty() {
        return Err(Problem::malformed(
            both!("`text` is empty", "`text` пустой"),
            both!("say something", "напишите что-нибудь"),
        ));
    }
    match rooms.source.comment(NewComment { request, task: task.clone(), text, by }).await? {
        Commented::Said => Ok(()),
        Commented::Unknown => Err(Problem::no_task(&task)),
        Commented::Refused { cause } => Err(Problem::refused(cause)),
    }
}

/// Says something under a task's issue. Comments never control (decision 29).
#[utoipa::path(post, path = "/api/v1/tasks/{id}/comments", tag = "issues", security(("token" = [])),
    params(("id" = String, Path, description = "The task."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice makes one comment.")),
    request_body = wire::NewComment,
    responses((status = 201, description = "It stands."),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn comment(
    State(rooms): State<Rooms>,
    writer: Writer,
    request: RequestId,
    Path(id): Path<String>,
    Body(wanted): Body<wire::NewComment>,
) -> Result<StatusCode, Problem> {
    say(&rooms, &id, request.0, writer.by, &wanted.text).await?;
    Ok(StatusCode::CREATED)
}
