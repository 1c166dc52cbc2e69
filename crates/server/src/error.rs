//! What does a person or a program read when something went wrong? Kind, message and hint: the only place of this crate
//! that makes statuses of them.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_core::event::DiskReading;
use orch_core::message::{Lang, figure};
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

/// A sentence in both languages: [`both!`] makes it, and who reads it chooses.
#[derive(Debug, Clone)]
pub(crate) struct Both {
    en: String,
    ru: String,
}

impl Both {
    pub(crate) const fn new(en: String, ru: String) -> Self {
        Self { en, ru }
    }

    /// Words from elsewhere.
    pub(crate) fn quoted(words: impl Into<String>) -> Self {
        let en = words.into();
        Self { ru: en.clone(), en }
    }

    /// In a language.
    pub(crate) fn said(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Ru => &self.ru,
        }
    }
}

/// A sentence in English and in Russian; arguments are those of `format!`, and each language must use all of them.
macro_rules! both {
    ($en:literal, $ru:literal $(, $($more:tt)*)?) => {
        $crate::error::Both::new(format!($en $(, $($more)*)?), format!($ru $(, $($more)*)?))
    };
}

pub(crate) use both;

/// A problem: what is wrong and what to do about it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// What kind.
    pub(crate) kind: Kind,
    /// Place and cause.
    pub(crate) message: Both,
    /// What to do.
    pub(crate) hint: Both,
    /// Seconds until it is worth asking again.
    pub(crate) retry_after: Option<u64>,
}

/// A problem: what is wrong and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Worded<'a> {
    /// What kind.
    kind: Kind,
    /// Place and cause.
    message: &'a str,
    /// What to do.
    hint: &'a str,
}

/// A problem as the API answers it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure<'a> {
    /// The problem.
    pub(crate) error: Worded<'a>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, message: Both, hint: Both) -> Self {
        Self { kind, message, hint, retry_after: None }
    }

    pub(crate) fn malformed(message: Both, hint: Both) -> Self {
        Self::new(Kind::Malformed, message, hint)
    }

    /// Orch itself is wrong.
    pub(crate) fn defect() -> Self {
        Self::new(
            Kind::Failed,
            both!("this request ended in a defect of Orch", "этот запрос оборвался из-за ошибки в Orch"),
            both!("please report it", "пожалуйста, сообщите о ней"),
        )
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: Both) -> Self {
        let hint = both!(
            "check the name; `orch list --all` or `GET /api/v1/tasks` lists the tasks",
            "проверьте имя; задачи покажет `orch list --all` или `GET /api/v1/tasks`"
        );
        Self::new(Kind::NotFound, message, hint)
    }

    /// There is no such task.
    pub(crate) fn no_task(task: &orch_core::id::TaskId) -> Self {
        Self::not_found(both!("there is no task {task}", "нет задачи {task}"))
    }

    /// Something of the installation refused.
    pub(crate) fn refused(cause: String) -> Self {
        Self::new(Kind::Conflict, Both::quoted(cause), both!("nothing was written", "ничего не записано"))
    }

    /// A task that has not come so far.
    pub(crate) fn not_yet(message: Both, task: &orch_core::id::TaskId) -> Self {
        let hint = both!(
            "it comes with the work; `orch why {task}` says what the task waits for",
            "это появится по ходу работы; чего ждёт задача, скажет `orch why {task}`"
        );
        Self::new(Kind::NotFound, message, hint)
    }

    /// In a language, as the API answers it.
    pub(crate) fn worded(&self, lang: Lang) -> Failure<'_> {
        let (message, hint) = (self.message.said(lang), self.hint.said(lang));
        Failure { error: Worded { kind: self.kind, message, hint } }
    }

    pub(crate) fn no_credential() -> Self {
        Self::new(
            Kind::NoCredential,
            both!("this needs a credential", "для этого нужно войти"),
            both!(
                "send `Authorization: Bearer <token>` with the token of the data folder, or sign in with the link that \
                 `orch login` prints",
                "пришлите `Authorization: Bearer <token>` с токеном из папки данных или войдите по ссылке, которую печатает \
                 `orch login`"
            ),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), Json(self.worded(Lang::En))).into_response();
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
                    both!("too much is asked for at once", "слишком много запросов сразу"),
                    both!(
                        "nothing was written; try again in a moment",
                        "ничего не записано; попробуйте снова через мгновение"
                    ),
                )
            },
            Trouble::DiskFull { retry_after } => {
                tracing::error!("a request was not written down: the disk is full");
                let room = |lang| figure::bytes(DiskReading::ENOUGH, lang);
                Problem {
                    retry_after: Some(retry_after.as_seconds().max(1)),
                    ..Problem::new(
                        Kind::Unavailable,
                        both!(
                            "the disk is full, and nothing was written",
                            "диск заполнен, ничего не записано"
                        ),
                        Both::new(
                            format!(
                                "free some space and try again; work goes on when {} is free where the data folder lies",
                                room(Lang::En)
                            ),
                            format!(
                                "освободите место и попробуйте снова; работа продолжится, когда на диске с папкой данных \
                                 будет свободно {}",
                                room(Lang::Ru)
                            ),
                        ),
                    )
                }
            }
            Trouble::Later { retry_after } => Problem {
                retry_after: Some(retry_after.as_seconds().max(1)),
                ..Problem::new(
                    Kind::Unavailable,
                    both!(
                        "it is written down, but Orch could not act on it yet",
                        "это записано, но Orch ещё не смог этим заняться"
                    ),
                    both!(
                        "do not ask for it again: it goes on by itself; `orch doctor` says what is in the way",
                        "не просите об этом снова: работа пойдёт сама; что мешает, скажет `orch doctor`"
                    ),
                )
            },
            Trouble::Unwritten { cause, retry_after } => {
                tracing::error!(cause, "a request was not written down");
                Problem {
                    retry_after: Some(retry_after.as_seconds().max(1)),
                    ..Problem::new(
                        Kind::Unavailable,
                        Both::new(cause.clone(), cause),
                        both!(
                            "nothing was written; try again in a moment; `orch doctor` looks for the cause",
                            "ничего не записано; попробуйте чуть позже; причину поищет `orch doctor`"
                        ),
                    )
                }
            }
            Trouble::Failed { doing, ref cause } => {
                tracing::error!(error = %trouble, "a request failed");
                let message =
                    Both::new(trouble.to_string(), format!("не удалось {}: {cause}", doing.said(Lang::Ru)));
                Problem::new(
                    Kind::Failed,
                    message,
                    both!("`orch doctor` looks for the cause", "причину поищет `orch doctor`"),
                )
            }
        }
    }
}

/// Too large has its own status; all else is malformed. The text names the place in the body.
fn rejected(status: StatusCode, text: String, hint: Both) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::malformed(Both::quoted(text), hint)
}

/// The path exists, the method does not.
pub(crate) fn wrong_method() -> Problem {
    Problem::new(
        Kind::WrongMethod,
        both!("this path has no such method", "у этого пути нет такого метода"),
        both!("`/openapi.json` lists what there is", "что есть, перечислено в `/openapi.json`"),
    )
}

/// The body is over the limit.
pub(crate) fn too_large() -> Problem {
    Problem::new(
        Kind::TooLarge,
        both!("the body is over 1 MiB", "тело запроса больше 1 МиБ"),
        both!(
            "send less; texts of issues and comments have room for 256 KiB",
            "пришлите меньше; тексты задач и комментариев могут занимать до 256 КиБ"
        ),
    )
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let hint = both!(
            "send JSON with `Content-Type: application/json` as `/openapi.json` describes it",
            "пришлите JSON с `Content-Type: application/json`, как описано в `/openapi.json`"
        );
        rejected(rejection.status(), rejection.body_text(), hint)
    }
}

impl From<FormRejection> for Problem {
    fn from(rejection: FormRejection) -> Self {
        rejected(
            rejection.status(),
            rejection.body_text(),
            both!("load the page again and send its form", "загрузите страницу заново и отправьте её форму"),
        )
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        rejected(
            rejection.status(),
            rejection.body_text(),
            both!("the parameters are described in `/openapi.json`", "параметры описаны в `/openapi.json`"),
        )
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        rejected(
            rejection.status(),
            rejection.body_text(),
            both!("the paths are described in `/openapi.json`", "пути описаны в `/openapi.json`"),
        )
    }
}
