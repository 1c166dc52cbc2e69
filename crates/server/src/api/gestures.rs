//! What may people do to a task? One path a gesture, answered after its commit with what it did.

use axum::Json;
use axum::extract::State;
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::Entity;
use orch_core::journal::Blob;
use orch_core::message::Lang;
use orch_core::reason::Reason;

use super::wire;
use crate::ask::{Body, MayBody, Path, RequestId, Tongue, Writer, digest, task_id};
use crate::error::{Both, Failure, Problem, both};
use crate::routes::Rooms;
use crate::source::{Pressed, Taken};
use crate::words;

/// Most bytes of a reason, a comment or a description.
pub(crate) const MOST_TEXT: usize = 256 * 1024;

/// Who presses, through which door, in which request.
pub(crate) struct Hand {
    pub(crate) request: String,
    pub(crate) by: String,
    pub(crate) via: Door,
}

/// A text within its limit, without the characters that no text has.
pub(crate) fn bounded(name: &str, text: &str) -> Result<String, Problem> {
    if text.len() > MOST_TEXT {
        return Err(Problem::malformed(
            both!("`{name}` is over 256 KiB", "`{name}` больше 256 КиБ"),
            both!(
                "shorten it, or name a file of the repository",
                "сократите его или укажите файл репозитория"
            ),
        ));
    }
    Ok(text.replace('\0', "\u{fffd}").replace("\r\n", "\n"))
}

/// Hands a gesture in and says what came of it.
pub(crate) async fn press(
    rooms: &Rooms,
    entity: Entity,
    hand: Hand,
    what: Press,
    blobs: Vec<Blob>,
    lang: Lang,
) -> Result<wire::Taken, Problem> {
    let gesture = Gesture { request: hand.request, by: hand.by, via: hand.via, what };
    let (seq, reasons, duplicate) =
        match rooms.source.submit(Pressed { entity: entity.clone(), gesture, blobs }).await? {
            Taken::Accepted { seq, reasons } => (seq, reasons, false),
            Taken::Duplicate { seq, reasons } => (seq, reasons, true),
            Taken::Unknown => return Err(Problem::not_found(unknown(&entity))),
            Taken::Refused { cause } => {
                return Err(Problem::refused(cause));
            }
        };
    let lost = |reason: &Reason| matches!(reason, Reason::GestureWithoutEffect { .. } | Reason::Ignored(_));
    Ok(wire::Taken {
        seq: seq.0,
        duplicate,
        effective: !reasons.iter().any(lost),
        reasons: words::reasons(&reasons, lang),
    })
}

/// That there is no such thing to press a button of.
fn unknown(entity: &Entity) -> Both {
    match entity {
        Entity::Task(id) => both!("there is no task {id}", "нет задачи {id}"),
        Entity::Repository(id) => both!("there is no repository {id}", "нет репозитория {id}"),
        Entity::Project(id) => both!("there is no project {id}", "нет проекта {id}"),
        Entity::Provider(id) => both!("there is no provider {id}", "нет поставщика {id}"),
        Entity::Installation => both!("there is no installation", "установки нет"),
    }
}

async fn to_task(
    rooms: &Rooms,
    (id, lang): (&str, Lang),
    (writer, request): (Writer, RequestId),
    what: Press,
    blobs: Vec<Blob>,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request: request.0, by: writer.by, via: writer.via };
    Ok(Json(press(rooms, Entity::Task(task_id(id)?), hand, what, blobs, lang).await?))
}

macro_rules! gesture_path {
    ($(#[$doc:meta])* $name:ident, $path:literal, $press:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "gestures", security(("token" = [])),
            params(("id" = String, Path, description = "The task."),
                ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
            responses((status = 200, description = "What it did.", body = wire::Taken),
                (status = 401, description = "No credential.", body = Failure),
                (status = 404, description = "No such task.", body = Failure),
                (status = 503, description = "Too much at once; nothing was written.", body = Failure)))]
        pub(crate) async fn $name(
            State(rooms): State<Rooms>,
            writer: Writer,
            request: RequestId,
            Tongue(lang): Tongue,
            Path(id): Path<String>,
        ) -> Result<Json<wire::Taken>, Problem> {
            to_task(&rooms, (&id, lang), (writer, request), $press, Vec::new()).await
        }
    };
}

gesture_path!(/// Stops a task for good.
    stop, "/api/v1/tasks/{id}/stop", Press::Stop);
gesture_path!(/// Begins an escalated task afresh at the stage where it stopped, or tries now what a task waits to try again.
    retry, "/api/v1/tasks/{id}/retry", Press::Retry);
gesture_path!(/// Starts a task, or lets the analyst go on after questions.
    start, "/api/v1/tasks/{id}/start", Press::Start);
gesture_path!(/// Allows one more run of an agent, whatever the budgets say.
    allow, "/api/v1/tasks/{id}/allow", Press::Allow);
gesture_path!(/// Goes on although the request was edited after its approval, or the branch was taken away.
    go_on, "/api/v1/tasks/{id}/continue", Press::Continue);

/// A gesture that may name the thing it is meant for.
macro_rules! bound_path {
    ($(#[$doc:meta])* $name:ident, $path:literal, $press:ident, $said:literal) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "gestures", security(("token" = [])),
            params(("id" = String, Path, description = "The task."),
                ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
            request_body(content = wire::Bound, description = $said),
            responses((status = 200, description = "What it did.", body = wire::Taken),
                (status = 400, description = "The body is wrong.", body = Failure),
                (status = 401, description = "No credential.", body = Failure),
                (status = 404, description = "No such task.", body = Failure)))]
        pub(crate) async fn $name(
            State(rooms): State<Rooms>,
            writer: Writer,
            request: RequestId,
            Tongue(lang): Tongue,
            Path(id): Path<String>,
            MayBody(bound): MayBody<wire::Bound>,
        ) -> Result<Json<wire::Taken>, Problem> {
            let what = bound.what.as_deref().map(digest).transpose()?;
            to_task(&rooms, (&id, lang), (writer, request), Press::$press { what }, Vec::new()).await
        }
    };
}

bound_path!(/// Approves the requirements, or a diff of protected paths.
    approve, "/api/v1/tasks/{id}/approve", Approve, "May be left out.");
bound_path!(/// Confirms the deploy (or merge) of the change that waits.
    confirm, "/api/v1/tasks/{id}/confirm", Confirm, "May be left out; `what` names the change (decision 37).");
bound_path!(/// Accepts what somebody merged past the gates.
    accept, "/api/v1/tasks/{id}/accept", Accept, "May be left out; `what` names the commit (decision 45).");

/// Rejects what there is, with a reason.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/reject", tag = "gestures", security(("token" = [])),
    params(("id" = String, Path, description = "The task."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    request_body(content = wire::Rejection, description = "May be left out."),
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn reject(
    State(rooms): State<Rooms>,
    writer: Writer,
    request: RequestId,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
    MayBody(rejection): MayBody<wire::Rejection>,
) -> Result<Json<wire::Taken>, Problem> {
    let (what, blobs) = rejection_of(rejection.reason.as_deref())?;
    to_task(&rooms, (&id, lang), (writer, request), what, blobs).await
}

/// A rejection with its reason kept as a text; an empty one is none.
pub(crate) fn rejection_of(reason: Option<&str>) -> Result<(Press, Vec<Blob>), Problem> {
    let text = bounded("reason", reason.unwrap_or_default())?;
    if text.trim().is_empty() {
        return Ok((Press::Reject { reason: None }, Vec::new()));
    }
    let named = orch_core::call::Text::of(&text);
    Ok((Press::Reject { reason: Some(named) }, vec![Blob::of(text)]))
}

/// Makes a task more or less urgent.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/priority", tag = "gestures", security(("token" = [])),
    params(("id" = String, Path, description = "The task."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    request_body = wire::Urgency,
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such task.", body = Failure)))]
pub(crate) async fn priority(
    State(rooms): State<Rooms>,
    writer: Writer,
    request: RequestId,
    Tongue(lang): Tongue,
    Path(id): Path<String>,
    Body(urgency): Body<wire::Urgency>,
) -> Result<Json<wire::Taken>, Problem> {
    to_task(&rooms, (&id, lang), (writer, request), Press::Priority(urgency.priority.into()), Vec::new())
        .await
}
