//! How does a browser sign in? With a one-time link. Opening it shows a form that is sent at once: whoever only looks at
//! links (a chat's preview, a prefetch) does not use it up.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use orch_core::message::Lang;
use serde::Deserialize;

use super::{Frame, page as rendered};
use crate::ask::{Form, Query, Signed, Tongue};
use crate::auth::Who;
use crate::error::Problem;
use crate::routes::Rooms;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    ticket: String,
}

/// A link's ticket.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    ticket: Option<String>,
}

/// The form, or how to get a link.
pub(crate) async fn page(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let f = Frame::new(&rooms, &who, lang, "login", crate::texts::texts(lang).sign_in);
    rendered(&LoginPage { f, ticket: wanted.ticket.unwrap_or_default() })
}

/// What is shown instead of a page that needs a login.
pub(crate) fn wanted(rooms: &Rooms, lang: Lang) -> Response {
    let f = Frame::new(rooms, &Who::Nobody, lang, "login", crate::texts::texts(lang).sign_in);
    match rendered(&LoginPage { f, ticket: String::new() }) {
        Ok(mut page) => {
            *page.status_mut() = StatusCode::UNAUTHORIZED;
            page
        }
        Err(problem) => problem.into_response(),
    }
}

/// A ticket to be used.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    ticket: String,
}

/// Uses a ticket and begins a session.
pub(crate) async fn sign_in(
    State(rooms): State<Rooms>,
    form: Result<axum::Form<Shown>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let axum::Form(shown) = form?;
    let now = rooms.source.now();
    let cookie = written_down(move || rooms.keeper.sign_in(shown.ticket.trim(), now)).await??;
    Ok(with_cookie(cookie))
}

/// Ends the session.
#[derive(Debug, Deserialize)]
pub(crate) struct Leaving {
    csrf: String,
}

impl Form for Leaving {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// Signs out.
pub(crate) async fn sign_out(
    State(rooms): State<Rooms>,
    who: Who,
    _form: Signed<Leaving>,
) -> Result<Response, Problem> {
    let Who::Session(session) = who else { return Err(Problem::no_credential()) };
    Ok(with_cookie(written_down(move || rooms.keeper.sign_out(&session)).await?))
}

/// Sessions last, and that takes the disk its time: nobody else waits for it.
async fn written_down<T: Send + 'static>(change: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(change).await.map_err(|_| Problem::defect())
}

fn with_cookie(cookie: HeaderValue) -> Response {
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
