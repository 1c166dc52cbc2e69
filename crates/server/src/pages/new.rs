//! How does a person ask for something? A title, perhaps a text, and go.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{Frame, in_link, page as rendered};
use crate::api::issues::make;
use crate::api::wire;
use crate::ask::{Form, Query, Signed, Tongue};
use crate::auth::Who;
use crate::error::Problem;
use crate::routes::Rooms;

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage {
    f: Frame,
    projects: Vec<(String, bool)>,
    request: String,
}

/// Where the person came from.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    project: Option<String>,
}

/// The form.
pub(crate) async fn page(
    State(rooms): State<Rooms>,
    who: Who,
    Tongue(lang): Tongue,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let projects = rooms.source.projects().await?;
    let projects =
        projects.into_iter().map(|id| (wanted.project.as_deref() == Some(id.as_str()), id.to_string()));
    let f = Frame::new(&rooms, &who, lang, "new", crate::texts::texts(lang).new_task);
    rendered(&NewPage {
        f,
        projects: projects.map(|(here, id)| (id, here)).collect(),
        request: crate::auth::random()?,
    })
}

/// What was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    csrf: String,
    request: String,
    project: String,
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    start: Option<String>,
}

impl Form for Asked {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// Makes the issue and shows its task.
pub(crate) async fn create(
    State(rooms): State<Rooms>,
    Signed { by, form }: Signed<Asked>,
) -> Result<Response, Problem> {
    let wanted = wire::NewIssue {
        project: form.project,
        title: form.title,
        text: form.text,
        start: form.start.is_some(),
    };
    let request: String = form.request.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let made = make(&rooms, format!("dashboard/new/{request}"), by, &wanted).await?;
    Ok(Redirect::to(&format!("/tasks/{}", in_link(&made.task))).into_response())
}
