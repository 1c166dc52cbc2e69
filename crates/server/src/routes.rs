//! Which paths are there, and through which layers does a request come to them? Every route of the API is registered
//! here by name, so that a test can compare them with the OpenAPI document.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, patch, post};
use axum::{BoxError, Router};
use orch_core::message::Lang;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::auth::{Keeper, door};
use crate::error::{Kind, Problem, both};
use crate::serve::Peer;
use crate::source::Source;
use crate::{api, assets, hooks, log, pages, status, stream};

/// No body is larger (before anything parses it).
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// What the front door is given.
pub struct Setup {
    /// Who answers.
    pub source: Arc<dyn Source>,
    /// Who keeps the door.
    pub keeper: Arc<Keeper>,
    /// The language for those who prefer none that there is.
    pub lang: Lang,
    /// A line on every page, in the reader's language: that agents are scripted, for example.
    pub notice: Option<fn(Lang) -> &'static str>,
    /// A request that is not answered by then is given up (streams have no such limit).
    pub answer_within: Duration,
    /// Streams end when this is cancelled.
    pub stop: CancellationToken,
}

/// What every route sees.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) lang: Lang,
    pub(crate) notice: Option<fn(Lang) -> &'static str>,
    pub(crate) stop: CancellationToken,
    /// Room for event streams of readers without a login.
    pub(crate) strangers: Arc<Semaphore>,
}

/// A route by method and path.
pub type Route = (&'static str, &'static str);

/// Routes with their names.
struct Routes {
    router: Router<Rooms>,
    named: Vec<Route>,
}

impl Routes {
    fn new() -> Self {
        Self { router: Router::new(), named: Vec::new() }
    }

    fn get<T: 'static>(self, path: &'static str, handler: impl Handler<T, Rooms>) -> Self {
        self.add("get", path, get(handler))
    }

    fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, Rooms>) -> Self {
        self.add("post", path, post(handler))
    }

    fn patch<T: 'static>(self, path: &'static str, handler: impl Handler<T, Rooms>) -> Self {
        self.add("patch", path, patch(handler))
    }

    fn add(mut self, method: &'static str, path: &'static str, handler: MethodRouter<Rooms>) -> Self {
        self.named.push((method, path));
        self.router = self.router.route(path, handler);
        self
    }
}

/// The documented part: answered within a time.
fn api_routes() -> Routes {
    Routes::new()
        .get("/health", status::health)
        .get("/status", status::status)
        .get("/queue", status::queue)
        .post("/serial-gate/unfreeze", api::repositories::unfreeze_gate)
        .get("/openapi.json", api::openapi::document)
        .get("/api/v1/projects", api::repositories::projects)
        .post("/api/v1/projects/{project}/freeze", api::repositories::freeze)
        .post("/api/v1/projects/{project}/unfreeze", api::repositories::unfreeze)
        .post("/api/v1/installation/pause", api::repositories::pause)
        .post("/api/v1/installation/unpause", api::repositories::unpause)
        .get("/api/v1/effects", api::repositories::effects)
        .post("/api/v1/login-links", api::login_links::create)
        .post("/api/v1/issues", api::issues::create)
        .get("/api/v1/tasks", api::tasks::list)
        .get("/api/v1/tasks/{id}", api::tasks::show)
        .get("/api/v1/tasks/{id}/why", api::tasks::why)
        .get("/api/v1/tasks/{id}/history", api::tasks::history)
        .get("/api/v1/tasks/{id}/diff", api::tasks::diff)
        .get("/api/v1/tasks/{id}/log", log::read)
        .get("/api/v1/tasks/{id}/artefacts/{*name}", api::tasks::artefact)
        .patch("/api/v1/tasks/{id}/issue", api::issues::edit)
        .get("/api/v1/tasks/{id}/comments", api::issues::comments)
        .post("/api/v1/tasks/{id}/comments", api::issues::comment)
        .post("/api/v1/tasks/{id}/approve", api::gestures::approve)
        .post("/api/v1/tasks/{id}/reject", api::gestures::reject)
        .post("/api/v1/tasks/{id}/confirm", api::gestures::confirm)
        .post("/api/v1/tasks/{id}/stop", api::gestures::stop)
        .post("/api/v1/tasks/{id}/retry", api::gestures::retry)
        .post("/api/v1/tasks/{id}/start", api::gestures::start)
        .post("/api/v1/tasks/{id}/continue", api::gestures::go_on)
        .post("/api/v1/tasks/{id}/accept", api::gestures::accept)
        .post("/api/v1/tasks/{id}/allow", api::gestures::allow)
        .post("/api/v1/tasks/{id}/priority", api::gestures::priority)
}

/// The documented streams: no time limit.
fn stream_routes() -> Routes {
    Routes::new().get("/api/v1/events", stream::events).get("/api/v1/tasks/{id}/log/follow", log::follow)
}

/// What browsers load.
fn page_routes() -> Router<Rooms> {
    Router::new()
        .route("/", get(pages::board::page))
        .route("/tasks/{id}", get(pages::task::page))
        .route("/tasks/{id}/diff", get(pages::task::diff))
        .route("/tasks/{id}/act", post(pages::act::act))
        .route("/tasks/{id}/say", post(pages::act::say))
        .route("/tasks/{id}/edit", post(pages::act::edit))
        .route("/tasks/{id}/files/{*name}", get(pages::task::file))
        .route("/act", post(pages::act::act_at_large))
        .route("/new", get(pages::new::page).post(pages::new::create))
        .route("/journal", get(pages::journal::page))
        .route("/login", get(pages::login::page).post(pages::login::sign_in))
        .route("/logout", post(pages::login::sign_out))
        .route("/assets/{name}", get(assets::asset))
}

/// Every documented route that is really there.
pub fn routed() -> Vec<Route> {
    let mut all = api_routes().named;
    all.extend(stream_routes().named);
    all.push(("post", "/webhook/orch/{project}"));
    all.sort_unstable();
    all
}

/// Every route that the OpenAPI document describes.
pub fn documented() -> Vec<(String, String)> {
    api::openapi::described()
}

/// The whole front door.
#[derive(Clone)]
pub struct Front {
    source: Arc<dyn Source>,
    within: Duration,
    rest: Router,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Front {
    /// A front door.
    pub fn new(setup: Setup) -> Self {
        let (source, within) = (Arc::clone(&setup.source), setup.answer_within);
        Self { source, within, rest: router(setup) }
    }

    /// Answers one request, as if it came by TCP.
    pub async fn answer<B>(self, request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError> + std::fmt::Display,
    {
        self.answer_to(Peer::Tcp, request).await
    }

    /// Answers one request. A hook goes past all the layers of the others (decision 52).
    pub(crate) async fn answer_to<B>(self, peer: Peer, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError> + std::fmt::Display,
    {
        if let Some(project) = hooks::project_of(request.uri().path()) {
            let answered = hooks::deliver(&*self.source, project, request);
            return in_time(self.within, answered).await.into_response();
        }
        request.extensions_mut().insert(peer);
        match self.rest.oneshot(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn router(setup: Setup) -> Router {
    let rooms = Rooms {
        source: setup.source,
        keeper: setup.keeper,
        lang: setup.lang,
        notice: setup.notice,
        stop: setup.stop,
        strangers: Arc::new(Semaphore::new(crate::stream::STRANGERS)),
    };
    let within = setup.answer_within;
    let timed = api_routes()
        .router
        .merge(page_routes())
        .layer(from_fn(move |request, next| timed(within, request, next)));
    timed
        .merge(stream_routes().router)
        .fallback(async || Problem::not_found(both!("there is no such page", "такой страницы нет")))
        .method_not_allowed_fallback(async || crate::error::wrong_method())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(rooms.clone(), door))
        .layer(from_fn(announced_size))
        .layer(from_fn_with_state(rooms.clone(), faces))
        .layer(from_fn(safe_headers))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("a request ended in a panic");
            Problem::defect().into_response()
        }))
        .with_state(rooms)
}

async fn timed(within: Duration, request: Request, next: Next) -> Response {
    in_time(within, async { Ok(next.run(request).await) }).await.into_response()
}

async fn in_time(
    within: Duration,
    answer: impl Future<Output = Result<Response, Problem>>,
) -> Result<Response, Problem> {
    tokio::time::timeout(within, answer).await.unwrap_or_else(|_| {
        Err(Problem::new(
            Kind::Timeout,
            both!("there was no answer within {} s", "ответа не было {} с", within.as_secs_f32()),
            both!(
                "ask again; what was pressed counts once if you send the same `Idempotency-Key`",
                "повторите; нажатое засчитается один раз, если прислать тот же `Idempotency-Key`"
            ),
        ))
    })
}

/// A body that announces itself as too large is refused before a byte of it is read.
async fn announced_size(request: Request, next: Next) -> Response {
    if hooks::announced(request.headers()) > BODY_LIMIT {
        return crate::error::too_large().into_response();
    }
    next.run(request).await
}

/// A problem has two faces: JSON for programs, a page for people.
async fn faces(State(rooms): State<Rooms>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let person = accepts.is_some_and(|accept| accept.contains("text/html")) && !path.starts_with("/api/");
    let lang = crate::ask::tongue(request.headers(), rooms.lang);
    let wanted = path.to_owned();
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if person => {
            let status = if problem.kind == Kind::NoCredential && wanted != "/login" {
                return pages::login::wanted(&rooms, lang).into_response();
            } else {
                response.status()
            };
            let mut page = pages::problem(&rooms, problem, lang);
            *page.status_mut() = status;
            page
        }
        Some(problem) if lang != Lang::En => {
            let worded = Json(problem.worded(lang)).into_response();
            let (mut parts, _) = response.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, worded.into_body())
        }
        Some(_) | None => response,
    }
}

/// What browsers may do with anything that comes from here: nothing from elsewhere, nothing inline, no frame.
async fn safe_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would turn the `Origin` of our own forms into `null`; other hosts learn nothing of this either.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("cookie, authorization"));
    }
    response
}
