//! What holds for a whole project or for the installation? Projects, freezes, the pause, and what is under way.

use axum::Json;
use axum::extract::State;
use orch_core::gesture::Press;
use orch_core::id::{Entity, ProjectId};

use super::gestures::{Hand, press};
use super::wire;
use crate::ask::{Body, MayBody, Path, RequestId, Tongue, Writer};
use crate::error::{Failure, Problem};
use crate::routes::Rooms;

/// The projects.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects",
    responses((status = 200, description = "All of them.", body = Vec<wire::Project>)))]
pub(crate) async fn projects(State(rooms): State<Rooms>) -> Result<Json<Vec<wire::Project>>, Problem> {
    let seen = rooms.source.seen().await?;
    let project = |id: ProjectId| {
        let repository = seen.board.repository(&id);
        wire::Project {
            main: repository.and_then(|repository| repository.main.as_ref()).map(|main| main.to_string()),
            freezes: repository.map(|repository| repository.freezes.clone()).unwrap_or_default(),
            policy: seen.policies.get(&id).and_then(|policy| serde_json::to_value(policy).ok()),
            refused: seen.board.project(&id).and_then(|p| p.refused.as_ref()).map(|r| r.cause.clone()),
            id: id.to_string(),
        }
    };
    Ok(Json(rooms.source.projects().await?.into_iter().map(project).collect()))
}

/// What is to be done outside and was not settled yet.
#[utoipa::path(get, path = "/api/v1/effects", tag = "state",
    responses((status = 200, description = "Open effects, oldest first.", body = Vec<wire::OpenEffect>)))]
pub(crate) async fn effects(State(rooms): State<Rooms>) -> Result<Json<Vec<wire::OpenEffect>>, Problem> {
    let open = rooms.source.open_effects().await?;
    Ok(Json(open.iter().map(wire::effect).collect()))
}

/// Freezes a repository: nothing merges.
#[utoipa::path(post, path = "/api/v1/projects/{project}/freeze", tag = "projects", security(("token" = [])),
    params(("project" = String, Path, description = "The project."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such project.", body = Failure)))]
pub(crate) async fn freeze(
    State(rooms): State<Rooms>,
    writer: Writer,
    RequestId(request): RequestId,
    Tongue(lang): Tongue,
    Path(project): Path<String>,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request, by: writer.by, via: writer.via };
    let entity = Entity::Repository(ProjectId::from(project));
    Ok(Json(press(&rooms, entity, hand, Press::Freeze, Vec::new(), lang).await?))
}

/// Lifts the freeze of a repository.
#[utoipa::path(post, path = "/api/v1/projects/{project}/unfreeze", tag = "projects", security(("token" = [])),
    params(("project" = String, Path, description = "The project."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such project.", body = Failure)))]
pub(crate) async fn unfreeze(
    State(rooms): State<Rooms>,
    writer: Writer,
    RequestId(request): RequestId,
    Tongue(lang): Tongue,
    Path(project): Path<String>,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request, by: writer.by, via: writer.via };
    let entity = Entity::Repository(ProjectId::from(project));
    Ok(Json(press(&rooms, entity, hand, Press::Unfreeze, Vec::new(), lang).await?))
}

/// Lifts the freeze of a repository, as the predecessor called it.
#[utoipa::path(post, path = "/serial-gate/unfreeze", tag = "projects", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    request_body = wire::Unfreezing,
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure),
        (status = 404, description = "No such project.", body = Failure)))]
pub(crate) async fn unfreeze_gate(
    State(rooms): State<Rooms>,
    writer: Writer,
    RequestId(request): RequestId,
    Tongue(lang): Tongue,
    Body(wanted): Body<wire::Unfreezing>,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request, by: writer.by, via: writer.via };
    let entity = Entity::Repository(ProjectId::from(wanted.repo));
    Ok(Json(press(&rooms, entity, hand, Press::Unfreeze, Vec::new(), lang).await?))
}

/// Pauses the installation: no new turns are given; what runs ends its run.
#[utoipa::path(post, path = "/api/v1/installation/pause", tag = "state", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    request_body(content = wire::Pausing, description = "May be left out."),
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 400, description = "The body is wrong.", body = Failure),
        (status = 401, description = "No credential.", body = Failure)))]
pub(crate) async fn pause(
    State(rooms): State<Rooms>,
    writer: Writer,
    RequestId(request): RequestId,
    Tongue(lang): Tongue,
    MayBody(pausing): MayBody<wire::Pausing>,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request, by: writer.by, via: writer.via };
    let what = Press::Pause { drain: pausing.drain };
    Ok(Json(press(&rooms, Entity::Installation, hand, what, Vec::new(), lang).await?))
}

/// Gives turns again.
#[utoipa::path(post, path = "/api/v1/installation/unpause", tag = "state", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key twice is one press.")),
    responses((status = 200, description = "What it did.", body = wire::Taken),
        (status = 401, description = "No credential.", body = Failure)))]
pub(crate) async fn unpause(
    State(rooms): State<Rooms>,
    writer: Writer,
    RequestId(request): RequestId,
    Tongue(lang): Tongue,
) -> Result<Json<wire::Taken>, Problem> {
    let hand = Hand { request, by: writer.by, via: writer.via };
    Ok(Json(press(&rooms, Entity::Installation, hand, Press::Unpause, Vec::new(), lang).await?))
}
