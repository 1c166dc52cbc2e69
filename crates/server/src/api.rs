//! What may programs ask and do? `/api/v1`, one file a subject; every route and type stands in the OpenAPI document.

pub(crate) mod tasks;
pub(crate) mod gestures;
pub(crate) mod issues;
pub(crate) mod repositories;
pub(crate) mod login_links;
pub(crate) mod wire;
pub(crate) mod openapi;

use orch_core::id::TaskId;
use orch_core::message::{self, Lang};
use orch_core::said::Found;

use crate::error::Problem;
use crate::routes::Rooms;
use crate::source::{Listed, Seen};
use crate::view::{self, Full};

/// A task, or that there is none.
pub(crate) async fn listed(rooms: &Rooms, id: &TaskId) -> Result<Listed, Problem> {
    let found = rooms.source.task(id.clone()).await?;
    found.ok_or_else(|| Problem::no_task(id))
}

/// A kept text.
pub(crate) async fn text(rooms: &Rooms, text: &orch_core::call::Text) -> Result<Option<String>, Problem> {
    let bytes = rooms.source.blob(text.blob.clone()).await?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// All of a task with its texts.
pub(crate) async fn full(rooms: &Rooms, listed: &Listed, seen: &Seen, lang: Lang) -> Result<Full, Problem> {
    use orch_core::gate::Verdict;
    let described = text(rooms, &listed.task.request.text).await?;
    let mut findings = Vec::with_capacity(listed.task.evidence.len());
    for evidence in &listed.task.evidence {
        findings.push(match &evidence.verdict {
            Verdict::Fail { findings: Found::Kept(kept) } => text(rooms, kept).await?,
            Verdict::Fail { findings: Found::Said { said } } => Some(message::said(said, lang)),
            Verdict::Pass | Verdict::Unavailable { .. } => None,
        });
    }
    Ok(view::full(listed, (described, findings), seen, rooms.source.now(), lang))
}
