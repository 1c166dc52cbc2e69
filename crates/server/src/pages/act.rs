//! What happens when a button is pressed? The same gestures as the API's, from a form that carries the page's token.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use orch_core::gesture::{Door, Press};
use orch_core::id::{Entity, ProjectId};
use serde::Deserialize;

use super::in_link;
use crate::api::gestures::{Hand, press, rejection_of};
use crate::api::issues::{change, say as say_it};
use crate::api::wire::{IssueEdit, Label, Taken, UrgencyLevel};
use crate::ask::{Form, Path, Signed, Tongue, digest, task_id};
use crate::error::{Problem, both};
use crate::offer::Offer;
use crate::routes::Rooms;
use crate::texts::texts;

/// A pressed button of a task.
#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {
    csrf: String,
    press: String,
    /// The row that the page showed: the same press on the same page is one press.
    seq: u64,
    #[serde(default)]
    what: String,
    #[serde(default)]
    reason: String,
    priority: Option<UrgencyLevel>,
}

impl Form for Pressed {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

fn unknown(press: &str) -> Problem {
    let shown: String = press.chars().take(40).collect();
    Problem::malformed(
        both!("`{shown}` is no gesture", "нет действия `{shown}`"),
        both!("load the page again", "загрузите страницу заново"),
    )
}

/// A gesture to a task.
pub(crate) async fn act(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    headers: HeaderMap,
    Path(id): Path<String>,
    Signed { by, form }: Signed<Pressed>,
) -> Result<Response, Problem> {
    let task = task_id(&id)?;
    let what = Some(form.what.as_str()).filter(|what| !what.is_empty()).map(digest).transpose()?;
    let (gesture, blobs) = match (form.press.as_str(), form.priority) {
        ("reject", _) => rejection_of(Some(&form.reason))?,
        ("priority", Some(level)) => (Press::Priority(level.into()), Vec::new()),
        (name, _) => (Offer::press(name, what).ok_or_else(|| unknown(name))?, Vec::new()),
    };
    let request = format!("dashboard/{task}/{}/{}", gesture.name(), form.seq);
    let hand = Hand { request, by, via: Door::Dashboard };
    let taken = press(&rooms, Entity::Task(task.clone()), hand, gesture, blobs, lang).await?;
    Ok(answered(&headers, taken, &format!("/tasks/{}", in_link(task.as_str()))))
}

/// A pressed button of the installation or of a repository.
#[derive(Debug, Deserialize)]
pub(crate) struct AtLarge {
    csrf: String,
    press: String,
    seq: u64,
    #[serde(default)]
    project: String,
}

impl Form for AtLarge {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// A gesture to a repository or the installation.
pub(crate) async fn act_at_large(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    headers: HeaderMap,
    Signed { by, form }: Signed<AtLarge>,
) -> Result<Response, Problem> {
    let repository = || Entity::Repository(ProjectId::from(form.project.clone()));
    let (entity, gesture) = match form.press.as_str() {
        "pause" => (Entity::Installation, Press::Pause { drain: false }),
        "unpause" => (Entity::Installation, Press::Unpause),
        "freeze" => (repository(), Press::Freeze),
        "unfreeze" => (repository(), Press::Unfreeze),
        name => return Err(unknown(name)),
    };
    let request = format!("dashboard/{entity}/{}/{}", gesture.name(), form.seq);
    let hand = Hand { request, by, via: Door::Dashboard };
    let taken = press(&rooms, entity, hand, gesture, Vec::new(), lang).await?;
    Ok(answered(&headers, taken, "/"))
}

/// Something said under a task's issue.
#[derive(Debug, Deserialize)]
pub(crate) struct Words {
    csrf: String,
    seq: u64,
    text: String,
}

impl Form for Words {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// A comment.
pub(crate) async fn say(
    State(rooms): State<Rooms>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Signed { by, form }: Signed<Words>,
) -> Result<Response, Problem> {
    let task = task_id(&id)?;
    let text = orch_core::id::Digest::of(form.text.as_bytes());
    let request = format!("dashboard/{task}/comment/{}/{}", form.seq, text.short());
    say_it(&rooms, &id, request, by, &form.text).await?;
    let taken = Taken { seq: form.seq, duplicate: false, effective: true, reasons: Vec::new() };
    Ok(answered(&headers, taken, &format!("/tasks/{}", in_link(task.as_str()))))
}

/// An edited issue.
#[derive(Debug, Deserialize)]
pub(crate) struct Edit {
    csrf: String,
    /// When it showed it: the same edit again, after another one, is an edit of its own.
    seq: u64,
    /// What the page showed.
    was: String,
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    auto_approve: Option<String>,
    #[serde(default)]
    auto_deploy: Option<String>,
}

impl Form for Edit {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// Another title, description or labels.
pub(crate) async fn edit(
    State(rooms): State<Rooms>,
    Tongue(lang): Tongue,
    headers: HeaderMap,
    Path(id): Path<String>,
    Signed { by, form }: Signed<Edit>,
) -> Result<Response, Problem> {
    let task = task_id(&id)?;
    let labels = [(Label::AutoApprove, &form.auto_approve), (Label::AutoDeploy, &form.auto_deploy)];
    let (on, off): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(_, checked)| checked.is_some());
    let names = |labels: Vec<(Label, _)>| labels.into_iter().map(|(label, _)| label).collect();
    // The same form sent twice is one edit; another text on the same page is another.
    let said = format!("{}\n{}\n{on:?}", form.title, form.text);
    let said = orch_core::id::Digest::of(said.as_bytes());
    let request = format!("dashboard/{task}/edit/{}/{}", form.seq, said.short());
    let wanted = IssueEdit {
        title: Some(form.title),
        text: Some(form.text),
        add_labels: names(on),
        remove_labels: names(off),
        was: Some(form.was),
    };
    let edited = change(&rooms, &id, (request, by), &wanted, lang).await?;
    let unchanged = edited.changed.is_empty() && !edited.duplicate;
    let unchanged = unchanged.then(|| texts(lang).unchanged.to_owned());
    let reasons = edited.reasons.into_iter().chain(edited.follows).chain(unchanged).collect();
    let taken = Taken { seq: edited.seq, duplicate: edited.duplicate, effective: true, reasons };
    Ok(answered(&headers, taken, &format!("/tasks/{}", in_link(task.as_str()))))
}

/// The script reads what came of it; without a script the page is shown again.
fn answered(headers: &HeaderMap, taken: Taken, page: &str) -> Response {
    let script = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    if script { Json(taken).into_response() } else { Redirect::to(page).into_response() }
}
