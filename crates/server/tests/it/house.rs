//! A front door over a world in memory, asked without a socket.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use orch_server::auth::{Access, Keeper};
use orch_server::source::Source;
use orch_server::{Front, Setup};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::memory::Memory;

pub(crate) const TOKEN: &str = "the-token-of-the-data-folder";

/// A front door.
pub(crate) struct House {
    pub(crate) memory: Arc<Memory>,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) front: Front,
    pub(crate) stop: CancellationToken,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|cause| panic!("{cause}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A browser that is signed in.
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl House {
    pub(crate) fn open(memory: Arc<Memory>) -> Self {
        Self::with(memory, Access::loopback(TOKEN))
    }

    pub(crate) fn with(memory: Arc<Memory>, access: Access) -> Self {
        Self::speaking(memory, access, orch_core::message::Lang::En)
    }

    /// In an installation of this language.
    pub(crate) fn speaking(memory: Arc<Memory>, access: Access, lang: orch_core::message::Lang) -> Self {
        let keeper = Arc::new(Keeper::new(access, Vec::new(), None));
        let stop = CancellationToken::new();
        let source: Arc<dyn Source> = memory.clone();
        let front = Front::new(Setup {
            source,
            keeper: keeper.clone(),
            lang,
            notice: None,
            answer_within: Duration::from_secs(20),
            stop: stop.clone(),
        });
        Self { memory, keeper, front, stop }
    }

    /// Asks, with a right `Host` unless another is given.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:7070");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.header("content-length", body.len());
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.front.clone().answer(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// A page, as a browser asks for it.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.ask("GET", path, &[("accept", "text/html")], "").await
    }

    /// Posts JSON with the token.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.ask("POST", path, &headers, body).await
    }

    /// Posts a form as a browser does.
    pub(crate) async fn form(&self, browser: &Browser, path: &str, form: &str) -> Answer {
        let headers = [
            ("cookie", browser.cookie.as_str()),
            ("origin", "http://localhost:7070"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "text/html"),
        ];
        self.ask("POST", path, &headers, &format!("csrf={}&{form}", browser.csrf)).await
    }

    /// Signs a browser in by a link.
    pub(crate) async fn browser(&self) -> Browser {
        let ticket = self.keeper.issue("ada", self.memory.now()).unwrap();
        let signed = self.sign_in(&ticket).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.body);
        let cookie = signed.header("set-cookie").split(';').next().unwrap().to_owned();
        let page = self.ask("GET", "/new", &[("cookie", &cookie)], "").await;
        let csrf =
            page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Browser { cookie, csrf }
    }

    pub(crate) async fn sign_in(&self, ticket: &str) -> Answer {
        let headers =
            [("origin", "http://localhost:7070"), ("content-type", "application/x-www-form-urlencoded")];
        self.ask("POST", "/login", &headers, &format!("ticket={ticket}")).await
    }
}
