//! What did the built-in tracker say? Its signed hook: answered only after the commit, and never with a success for
//! something that was not written.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::FromRequest};
use orch_core::id::ProjectId;
use serde_json::{Value, json};

use crate::ask::Path;
use crate::error::{Failure, Kind, Problem};
use crate::routes::Rooms;
use crate::source::{Delivery, HookAnswer};

/// The raw bytes: the signature is over exactly these.
pub(crate) struct Raw(Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;
    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(crate::error::too_large())
            }
            Err(rejection) => Err(Problem::malformed(rejection.body_text(), "send the delivery again")),
        }
    }
}

/// A signed delivery of the built-in tracker.
#[utoipa::path(post, path = "/webhook/orch/{project}", tag = "hooks",
    params(("project" = String, Path, description = "The project.")),
    request_body(content = Value, description = "What the tracker sends; signed."),
    responses((status = 200, description = "Known already, or nothing that matters."),
        (status = 202, description = "Committed."),
        (status = 400, description = "Malformed: place and remedy.", body = Failure),
        (status = 401, description = "The signature is missing or wrong.", body = Failure),
        (status = 404, description = "No such project.", body = Failure),
        (status = 413, description = "Over 1 MiB.", body = Failure),
        (status = 503, description = "Too much at once; nothing was written.", body = Failure)))]
pub(crate) async fn deliver(
    State(rooms): State<Rooms>,
    Path(project): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let delivery = Delivery { project: ProjectId(project.clone()), headers, body: body.to_vec() };
    match rooms.source.hook(delivery).await? {
        HookAnswer::Accepted { seq } => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "seq": seq.0 }))).into_response())
        }
        HookAnswer::NothingNew => Ok(Json(json!({ "seq": Value::Null })).into_response()),
        HookAnswer::BadSignature => Err(Problem::new(
            Kind::NoCredential,
            "the signature is missing or not made with this project's secret",
            "sign the raw body with HMAC-SHA-256 and the secret that the project's hook has",
        )),
        HookAnswer::Malformed { place, remedy } => {
            Err(Problem::malformed(format!("the delivery is malformed at {place}"), remedy))
        }
        HookAnswer::Unknown => Err(Problem::not_found(format!("hook of a project `{project}`"))),
    }
}
