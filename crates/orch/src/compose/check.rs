//! Is the store what it says? All of it is checked on a connection of its own while Orch serves: at once after a stop
//! that was not in order, else once a week; a finding pauses the installation (issue item `store`).

use std::sync::Arc;

use orch_core::apply::apply;
use orch_core::event::Event;
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::Entity;
use orch_core::journal::Row;
use orch_core::state::State;
use orch_engine::{Incoming, Target, clock};
use orch_store::check::{self, Depth};

use super::Outside;

/// The fold of one row, as the check wants it.
fn fold(entity: &Entity, before: Option<State>, row: &Row) -> Result<Option<State>, String> {
    Ok(apply(before, entity, (row.seq, row.at), &row.changes))
}

/// Checks the store in the background.
pub fn soon(outside: &Arc<Outside>) {
    let outside = Arc::clone(outside);
    let place = outside.home.store();
    outside.clone().tasks.spawn(async move {
        let checked =
            tokio::task::spawn_blocking(move || check::full(&place, Depth::Thorough, Some(&fold))).await;
        let findings = match checked {
            Ok(Ok(report)) if report.is_sound() => {
                tracing::info!(rows = report.rows, "the store was checked and is sound");
                return;
            }
            Ok(Ok(report)) => report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Ok(Err(error)) => super::chain(&error),
            Err(panic) => panic.to_string(),
        };
        tracing::error!(findings, "the store is damaged; work pauses: restore a backup with `orch restore`");
        let gesture = Gesture {
            request: format!("store-check/{}", clock::now().0),
            by: "the check of the store".to_owned(),
            via: Door::CommandLine,
            what: Press::Pause { drain: false },
        };
        let incoming = Incoming::of(Target::Entity(Entity::Installation), Event::Gesture(gesture));
        if let Err(error) = outside.handle.report(incoming).await {
            tracing::error!(%error, "and it could not be paused");
        }
    });
}
