//! What did the built-in tracker say? Its signed hook: answered only after the commit, and never with a success for
//! something that was not written.
//!
//! It has none of the layers of the other routes (decision 52): whoever signed needs no name, no origin and no face.

use std::pin::pin;

use axum::Json;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_core::id::ProjectId;

use crate::error::{Both, Failure, Kind, Problem, both, too_large, wrong_method};
use crate::routes::BODY_LIMIT;
use crate::source::{Delivery, HookAnswer, Source};

/// Whose hook has this path; `None`: it is no hook's.
pub(crate) fn project_of(path: &str) -> Option<ProjectId> {
    let name = path.strip_prefix("/webhook/orch/")?;
    (!name.is_empty() && !name.contains('/')).then(|| ProjectId::from(name))
}

/// A signed delivery of the built-in tracker.
#[utoipa::path(post, path = "/webhook/orch/{project}", tag = "hooks",
    params(("project" = String, Path, description = "The project.")),
    request_body(content = serde_json::Value, description = "What the tracker sends; signed."),
    responses((status = 200, description = "Known already, or nothing that matters."),
        (status = 202, description = "Committed."),
        (status = 400, description = "Malformed: place and remedy.", body = Failure),
        (status = 401, description = "The signature is missing or wrong.", body = Failure),
        (status = 404, description = "No such project.", body = Failure),
        (status = 413, description = "Over 1 MiB.", body = Failure),
        (status = 503, description = "Too much at once, or the disk is full; nothing was written.", body = Failure)))]
pub(crate) async fn deliver<B>(
    source: &dyn Source,
    project: ProjectId,
    request: Request<B>,
) -> Result<Response, Problem>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Err(wrong_method());
    }
    let announced = announced(&parts.headers);
    if announced > BODY_LIMIT {
        return Err(too_large());
    }
    if let Some(trouble) = source.sheds() {
        // Nothing is kept or judged of it; but it is read, or a sender that still sends would never see the answer.
        let _ = read(body, announced, |_| {}).await;
        return Err(trouble.into());
    }
    let body = whole(body, announced).await?;
    let named = project.clone();
    match source.hook(Delivery { project, headers: parts.headers, body }).await? {
        HookAnswer::Accepted { seq } => {
            let json = HeaderValue::from_static("application/json");
            let said = format!("{{\"seq\":{}}}", seq.0);
            Ok((StatusCode::ACCEPTED, [(header::CONTENT_TYPE, json)], said).into_response())
        }
        HookAnswer::NothingNew => Ok(Json(serde_json::json!({ "seq": null })).into_response()),
        HookAnswer::BadSignature => Err(Problem::new(
            Kind::NoCredential,
            both!(
                "the signature is missing or not made with this project's secret",
                "подписи нет, или она сделана не секретом этого проекта"
            ),
            both!(
                "sign the raw body with HMAC-SHA-256 and the secret that the project's hook has",
                "подпишите тело как есть с помощью HMAC-SHA-256 и секрета хука этого проекта"
            ),
        )),
        HookAnswer::Malformed { place, remedy } => Err(Problem::malformed(
            both!("the delivery is malformed at {place}", "доставка составлена неверно, место: {place}"),
            Both::quoted(remedy),
        )),
        HookAnswer::Unknown => Err(Problem::not_found(both!(
            "there is no hook of a project `{named}`",
            "у проекта `{named}` нет хука"
        ))),
    }
}

/// How long the body says it is; 0 if it does not say.
pub(crate) fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The whole body: what came in one piece is not copied.
async fn whole<B>(body: B, announced: usize) -> Result<Bytes, Problem>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let (mut one, mut many) = (None, Vec::new());
    read(body, announced, |piece| {
        if one.is_none() && many.is_empty() {
            one = Some(piece);
            return;
        }
        if let Some(first) = one.take() {
            many.reserve(announced.max(first.len() + piece.len()));
            many.extend_from_slice(&first);
        }
        many.extend_from_slice(&piece);
    })
    .await?;
    Ok(one.unwrap_or_else(|| many.into()))
}

/// Reads a body piece by piece, and never more than the limit.
async fn read<B>(body: B, announced: usize, mut each: impl FnMut(Bytes)) -> Result<(), Problem>
where
    B: HttpBody<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let (mut body, mut came) = (pin!(body), 0);
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let broken = |cause: B::Error| {
            Problem::malformed(
                both!("the body broke off: {cause}", "тело запроса оборвалось: {cause}"),
                both!("send the delivery again", "пришлите доставку ещё раз"),
            )
        };
        let Ok(piece) = frame.map_err(broken)?.into_data() else { continue };
        came += piece.len();
        if came > BODY_LIMIT {
            return Err(too_large());
        }
        each(piece);
        if announced > 0 && came >= announced {
            break;
        }
    }
    Ok(())
}
