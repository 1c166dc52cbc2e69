//! What do people see? Pages rendered on the server; a small script keeps them fresh.

pub(crate) mod board;
pub(crate) mod task;
pub(crate) mod act;
pub(crate) mod new;
pub(crate) mod journal;
pub(crate) mod login;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orch_core::message::Lang;

use crate::assets;
use crate::auth::Who;
use crate::error::{Kind, Problem, both};
use crate::routes::Rooms;
use crate::texts::{Texts, texts};

/// What every page has around it.
pub(crate) struct Frame {
    pub(crate) t: &'static Texts,
    pub(crate) title: String,
    pub(crate) here: &'static str,
    /// The stream that says when this page is out of date; empty for pages that stay as they are.
    pub(crate) events: String,
    pub(crate) notice: Option<&'static str>,
    /// Who is signed in, if somebody is.
    pub(crate) by: Option<String>,
    /// The token for this session's forms.
    pub(crate) csrf: String,
    css: String,
    js: String,
    icon: String,
}

impl Frame {
    pub(crate) fn new(
        rooms: &Rooms,
        who: &Who,
        lang: Lang,
        here: &'static str,
        title: impl Into<String>,
    ) -> Self {
        let (by, csrf) = match who {
            Who::Session(session) => (Some(session.by.clone()), session.csrf.clone()),
            Who::Token { .. } | Who::Nobody => (None, String::new()),
        };
        Self {
            t: texts(lang),
            title: title.into(),
            here,
            events: String::new(),
            notice: rooms.notice.map(|said| said(lang)),
            by,
            csrf,
            css: assets::css(),
            js: assets::js(),
            icon: assets::icon(),
        }
    }

    #[must_use]
    pub(crate) fn fresh_by(mut self, events: impl Into<String>) -> Self {
        self.events = events.into();
        self
    }
}

/// A rendered template.
pub(crate) fn page(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => {
            let mut response = html.into_response();
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            Ok(response)
        }
        Err(cause) => {
            tracing::error!(%cause, "a page was not rendered");
            Err(Problem::new(
                Kind::Failed,
                both!("the page could not be made", "страница не получилась"),
                both!("please report this as a defect", "пожалуйста, сообщите об этой ошибке"),
            ))
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    f: Frame,
    message: &'a str,
    hint: &'a str,
}

/// A problem as a page.
pub(crate) fn problem(rooms: &Rooms, problem: &Problem, lang: Lang) -> Response {
    let f = Frame::new(rooms, &Who::Nobody, lang, "", texts(lang).problem);
    let made = page(&ProblemPage { f, message: problem.message.said(lang), hint: problem.hint.said(lang) });
    made.unwrap_or_else(|_| problem.kind.status().into_response())
}

/// A value for a link: nothing in it can end the value.
pub(crate) fn in_link(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")), // not a domain enum
        }
    }
    out
}
