//! What does the API promise? One document, made from the code that answers.

use std::sync::LazyLock;

use axum::Json;
use serde_json::Value;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{gestures, issues, login_links, repositories, tasks};
use crate::{hooks, log, status, stream};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Orch",
        description = "Delivers software from issues. Reading needs a login where it is not bound to loopback; every \
                       write needs the token of the data folder or a browser session.",
        license(name = "Apache-2.0")
    ),
    modifiers(&Token),
    paths(
        status::health, status::status, status::queue,
        repositories::unfreeze_gate, hooks::deliver, document,
        repositories::projects, repositories::freeze, repositories::unfreeze,
        repositories::pause, repositories::unpause, repositories::effects, login_links::create,
        issues::create, issues::edit, issues::comments, issues::comment,
        tasks::list, tasks::show, tasks::why, tasks::history, tasks::diff, tasks::artefact,
        log::read, log::follow, stream::events,
        gestures::approve, gestures::reject, gestures::confirm, gestures::stop, gestures::retry, gestures::start,
        gestures::go_on, gestures::accept, gestures::allow, gestures::priority,
    )
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let parts = document.components.get_or_insert_with(Default::default);
        parts.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(Document::openapi()).unwrap_or_default());

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "state",
    responses((status = 200, description = "OpenAPI.", body = Value)))]
pub(crate) async fn document() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// Every route in the document: method and path, with the router's spelling of a rest of the path.
pub(crate) fn described() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let paths = DOCUMENT.get("paths").and_then(Value::as_object);
    for (path, methods) in paths.into_iter().flatten() {
        for method in methods.as_object().into_iter().flatten().map(|(method, _)| method) {
            all.push((method.clone(), path.replace("/artefacts/{name}", "/artefacts/{*name}")));
        }
    }
    all.sort_unstable();
    all
}
