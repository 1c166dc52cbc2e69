//! How is a request read? Each part by an extractor whose refusal names the place and the remedy.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use orch_core::gesture::Door;
use orch_core::id::{Digest, TaskId, WorkItem};
use orch_core::message::Lang;
use serde::de::DeserializeOwned;

use crate::auth::Who;
use crate::error::{Kind, Problem, both};
use crate::routes::Rooms;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(value) = axum::Json::<T>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// A JSON body that may be missing altogether.
pub(crate) struct MayBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MayBody<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
        if empty && !headers.contains_key(TRANSFER_ENCODING) {
            return Ok(Self(T::default()));
        }
        let axum::Json(value) = axum::Json::<T>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// Parameters after the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Query(value) = axum::extract::Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// Parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(value) = axum::extract::Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// A task id in any case and padding: `orch-7` is `ORCH-007`, `orch-7~2` its second life (decision 46).
pub(crate) fn task_id(read: &str) -> Result<TaskId, Problem> {
    let (item, life) = match read.split_once('~') {
        Some((item, life)) => (item, life.parse::<u32>().ok()),
        None => (read, Some(1)),
    };
    match (WorkItem::read(item), life) {
        (Some(item), Some(life)) => Ok(TaskId::of(&item, life)),
        (_, None) | (None, _) => {
            let shown: String = read.chars().take(60).collect();
            Err(Problem::malformed(
                both!("`{shown}` is no task id", "`{shown}` — не номер задачи"),
                both!("a task id looks like `ORCH-042`", "номер задачи выглядит так: `ORCH-042`"),
            ))
        }
    }
}

/// The language of a request: what it prefers, else the installation's.
pub(crate) struct Tongue(pub(crate) Lang);

impl FromRequestParts<Rooms> for Tongue {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, rooms: &Rooms) -> Result<Self, Self::Rejection> {
        Ok(Self(tongue(&parts.headers, rooms.lang)))
    }
}

/// The first language of `Accept-Language` that there is, else `own`.
pub(crate) fn tongue(headers: &HeaderMap, own: Lang) -> Lang {
    let wanted = headers.get(axum::http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let known = |tag: &str| match tag.split([';', '-']).next().unwrap_or_default().trim() {
        "ru" => Some(Lang::Ru),
        "en" => Some(Lang::En),
        _ => None, // not a domain enum
    };
    wanted.and_then(|list| list.split(',').find_map(known)).unwrap_or(own)
}

/// Somebody who may write, and how they came: the refusal is 401 or 403.
pub(crate) struct Writer {
    pub(crate) by: String,
    pub(crate) via: Door,
}

impl FromRequestParts<Rooms> for Writer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, rooms: &Rooms) -> Result<Self, Problem> {
        match who(parts) {
            Who::Token { by, via } => Ok(Self { by, via }),
            Who::Session(session) => {
                let said = parts.headers.get("orch-csrf").and_then(|value| value.to_str().ok());
                rooms.keeper.check_form(&session, said.unwrap_or_default())?;
                Ok(Self { by: session.by.clone(), via: Door::Dashboard })
            }
            Who::Nobody => Err(Problem::no_credential()),
        }
    }
}

/// Who asks, as the door found out.
pub(crate) fn who(parts: &Parts) -> Who {
    parts.extensions.get::<Who>().cloned().unwrap_or(Who::Nobody)
}

impl FromRequestParts<Rooms> for Who {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _rooms: &Rooms) -> Result<Self, Self::Rejection> {
        Ok(who(parts))
    }
}

/// A form of a page: it carries the token that only the page knows.
pub(crate) struct Signed<T> {
    pub(crate) by: String,
    pub(crate) form: T,
}

/// A form with the page's token.
pub(crate) trait Form: DeserializeOwned {
    fn csrf(&self) -> &str;
}

impl<T: Form> FromRequest<Rooms> for Signed<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, rooms: &Rooms) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let Who::Session(session) = who(&parts) else { return Err(Problem::no_credential()) };
        let axum::Form(form) = axum::Form::<T>::from_request(Request::from_parts(parts, body), rooms).await?;
        rooms.keeper.check_form(&session, form.csrf())?;
        Ok(Self { by: session.by.clone(), form })
    }
}

/// The `Idempotency-Key`, or a number that nobody had before: the request id of a gesture.
pub(crate) struct RequestId(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Ok(Self(format!("api/{}", crate::auth::random()?)));
        };
        let fits = |key: &&str| (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        match value.to_str().ok().filter(fits) {
            Some(key) => Ok(Self(format!("api/{key}"))),
            None => Err(Problem::malformed(
                both!(
                    "the header `Idempotency-Key` is empty, over 128 characters or not plain ASCII",
                    "заголовок `Idempotency-Key` пустой, длиннее 128 символов или не из простых символов ASCII"
                ),
                both!("send a UUID, for example", "пришлите, например, UUID"),
            )),
        }
    }
}

/// A digest in hexadecimal.
pub(crate) fn digest(read: &str) -> Result<Digest, Problem> {
    if read.len() == 64 && read.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Digest::from(read.to_ascii_lowercase()));
    }
    Err(Problem::new(
        Kind::Malformed,
        both!("`what` is no digest", "`what` — не отпечаток"),
        both!(
            "send the 64 hexadecimal digits that the task shows",
            "пришлите 64 шестнадцатеричные цифры, которые показывает задача"
        ),
    ))
}
