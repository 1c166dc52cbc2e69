//! What does a person or a program read when something went wrong? Kind, message and hint: the only place of this crate
//! that makes statuses of them.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::source::Trouble;

/// What kind of problem, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The request cannot be read.
    Malformed,
    /// No credential, or a wrong one.
    NoCredential,
    /// The credential is fine, the way it came is not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path exists, the method does not.
    WrongMethod,
    /// Not in this state.
    Conflict,
    /// The body is over the limit.
    TooLarge,
    /// The request took too long.
    Timeout,
    /// The `Host` is not one that this server answers to.
    WrongHost,
    /// Too much at once: ask again later.
    Overloaded,
    /// Nothing can be written now: ask again later.
    Unavailable,
    /// Something failed inside.
    Failed,
}

impl Kind {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Kind::Malformed => StatusCode::BAD_REQUEST,
            Kind::NoCredential => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
            Kind::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Kind::Overloaded | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A problem: what is wrong and what to do about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind.
    pub(crate) kind: Kind,
    /// Place and cause.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: String,
    /// Seconds until it is worth asking again.
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

/// A problem as the API answers it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure<'a> {
    /// The problem.
    pub(crate) error: &'a Problem,
}

impl Problem {
    pub(crate) fn new(kind: Kind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), retry_after: None }
    }

    pub(crate) fn malformed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, message, hint)
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        let what = what.into();
        Self::new(
            Kind::NotFound,
            format!("there is no {what}"),
            "check the name; `orch list --all` or `GET /api/v1/tasks` lists the tasks",
        )
    }

    /// A task that has not come so far.
    pub(crate) fn not_yet(what: &str, task: &orch_core::id::TaskId) -> Self {
        let hint = format!("it comes with the work; `orch why {task}` says what the task waits for");
        Self::new(Kind::NotFound, format!("{task} has no {what} yet"), hint)
    }

    pub(crate) fn no_credential() -> Self {
        Self::new(
            Kind::NoCredential,
            "this needs a credential",
            "send `Authorization: Bearer <token>` with the token of the data folder, or sign in with the link that \
             `orch login` prints",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), Json(Failure { error: &self })).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::NoCredential {
            let challenge = HeaderValue::from_static("Bearer realm=\"orch\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Overloaded { retry_after } => Problem {
                retry_after: Some(retry_after.as_seconds().max(1)),
                ..Problem::new(
                    Kind::Overloaded,
                    trouble.to_string(),
                    "nothing was written; ask again after `Retry-After`",
                )
            },
            Trouble::Unwritten { cause, retry_after } => {
                tracing::error!(cause, "a request was not written down");
                Problem {
                    retry_after: Some(retry_after.as_seconds().max(1)),
                    ..Problem::new(
                        Kind::Unavailable,
                        cause,
                        "nothing was written; ask again after `Retry-After`, and see `orch doctor`",
                    )
                }
            }
            Trouble::Failed { .. } => {
                tracing::error!(error = %trouble, "a request failed");
                Problem::new(Kind::Failed, trouble.to_string(), "`orch doctor` looks for the cause")
            }
        }
    }
}

/// Too large has its own status; all else is malformed. The text names the place in the body.
fn rejected(status: StatusCode, text: String, hint: &str) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::malformed(text, hint)
}

/// The path exists, the method does not.
pub(crate) fn wrong_method() -> Problem {
    Problem::new(Kind::WrongMethod, "this path has no such method", "`/openapi.json` lists what there is")
}

/// The body is over the limit.
pub(crate) fn too_large() -> Problem {
    Problem::new(
        Kind::TooLarge,
        "the body is over 1 MiB",
        "send less; texts of issues and comments have room for 256 KiB",
    )
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let hint = "send JSON with `Content-Type: application/json` as `/openapi.json` describes it";
        rejected(rejection.status(), rejection.body_text(), hint)
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        rejected(rejection.status(), rejection.body_text(), "load the page again and send its form")
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        rejected(rejection.status(), rejection.body_text(), "the parameters are described in `/openapi.json`")
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        rejected(rejection.status(), rejection.body_text(), "the paths are described in `/openapi.json`")
    }
}
