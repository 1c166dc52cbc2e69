//! How does a task begin, and how do people talk under it? Issues and comments of the built-in tracker.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orch_core::id::ProjectId;
use orch_core::message::Lang;

use super::{listed, wire};
use crate::api::gestures::bounded;
use crate::ask::{Body, Path, RequestId, Tongue, Writer, digest, task_id};
use crate::error::{Both, Failure, Kind, Problem, both};
use crate::routes::Rooms;
use crate::show::rfc3339;
use crate::source::{Commented, Created, Edited, IssueEdit, NewComment, NewIssue};
use crate::words;

/// Most characters of a title.
const MOST_TITLE: usize = 500;

/// A title in one line, within its limit.
fn title_of(wanted: &str) -> Result<String, Problem> {
    let title: String = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
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
    bounded("title", &title)
}

/// Hands an issue in; the same for API and page.
pub(crate) async fn make(
    rooms: &Rooms,
    request: String,
    by: String,
    wanted: &wire::NewIssue,
) -> Result<wire::Made, Problem> {
    let issue = NewIssue {
        request,
        project: ProjectId::from(wanted.project.clone()),
        title: title_of(&wanted.title)?,
        text: bounded("text", &wanted.text)?,
        start: wanted.start,
        by,
    };
    match rooms.source.create_issue(issue).await? {
        Created::Made { issue, task } => Ok(wire::Made { issue: issue.to_string(), task: task.to_string() }),
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

/// Hands an edit in; the same for API and page.
pub(crate) async fn change(
    rooms: &Rooms,
    id: &str,
    (request, by): (String, String),
    wanted: &wire::IssueEdit,
    lang: Lang,
) -> Result<wire::Edited, Problem> {
    let task = task_id(id)?;
    let edit = IssueEdit {
        request,
        task: task.clone(),
        was: wanted.was.as_deref().map(digest).transpose()?,
        title: wanted.title.as_deref().map(title_of).transpose()?,
        text: wanted.text.as_deref().map(|text| bounded("text", text)).transpose()?,
        auto_approve: labelled(wanted, wire::Label::AutoApprove)?,
        auto_deploy: labelled(wanted, wire::Label::AutoDeploy)?,
        by,
    };
    if let IssueEdit { title: None, text: None, auto_approve: None, auto_deploy: None, .. } = edit {
        return Err(Problem::malformed(
            both!("nothing is named that should change", "не сказано, что изменить"),
            both!(
                "name `title`, `text`, `add_labels` or `remove_labels`",
                "укажите `title`, `text`, `add_labels` или `remove_labels`"
            ),
        ));
    }
    let (task, seq, changed, reasons) = match rooms.source.edit_issue(edit).await? {
        Edited::Done { task, seq, changed, reasons } => (task, seq, changed, reasons),
        Edited::Unknown => return Err(Problem::not_found(both!("task {task}", "задача {task}"))),
        Edited::Meanwhile => {
            return Err(Problem::new(
                Kind::Conflict,
                both!(
                    "the issue of {task} was edited meanwhile; nothing was written",
                    "задачу {task} тем временем изменили; ничего не записано"
                ),
                both!(
                    "look at it again, and edit what it is now",
                    "посмотрите на неё ещё раз и измените то, что есть сейчас"
                ),
            ));
        }
        Edited::Refused { cause } => {
            return Err(Problem::new(
                Kind::Conflict,
                Both::new(cause.clone(), cause),
                both!("nothing was written", "ничего не записано"),
            ));
        }
    };
    let now = listed(rooms, &task).await?.task;
    let differs = changed.unwrap_or_default();
    let parts = [("title", differs.title), ("text", differs.text), ("labels", differs.labels)];
    Ok(wire::Edited {
        follows: (differs.title || differs.text).then(|| words::edited(&now, lang)),
        task: task.to_string(),
        seq: seq.0,
        duplicate: changed.is_none(),
        changed: parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect(),
        reasons: words::reasons(&reasons, lang),
    })
}

/// Whether a label is to be on the issue; `None`: as it is.
fn labelled(wanted: &wire::IssueEdit, label: wire::Label) -> Result<Option<bool>, Problem> {
    match (wanted.add_labels.contains(&label), wanted.remove_labels.contains(&label)) {
        (true, true) => Err(Problem::malformed(
            both!("a label is added and removed at once", "метка и добавляется, и снимается"),
            both!("name it in one of the two lists", "укажите её только в одном из двух списков"),
        )),
        (true, false) => Ok(Some(true)),
        (false, true) => Ok(Some(false)),
        (false, false) => Ok(None),
    }
}

/// Changes title, text or labels of a task's issue in the built-in tracker. An approval given before another title or text
/// is no approval of it (decision 45): the answer says what follows.
#[utoipa::path(patch, path = "/api/v1/tasks/{id}/issue", tag = "issues", security(("token" = [])),
    params(("id" = String, Path, description = "The task."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one edit.")),
    request_body = wire::IssueEdit,
    responses((status = 200, description = "It stands.", body = wire::Edited),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such task.", body = Failure),
        (status = 409, description = "It was edited meanwhile, or is edited elsewhere.", body = Failure)))]
pub(crate) async fn edit(
    State(rooms): State<Rooms>,
    writer: Writer,
    request: RequestId,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
    Body(wanted): Body<wire::IssueEdit>,
) -> Result<Json<wire::Edited>, Problem> {
    Ok(Json(change(&rooms, &id, (request.0, writer.by), &wanted, lang).await?))
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
