//! Is the store what it says? All of it is checked on a connection of its own while Orch serves: at once after a stop
//! that was not in order, and once a week; a finding pauses the installation and freezes writes.

use std::sync::Arc;
use std::time::Duration;

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

/// A sound store is looked at again after this.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Findings that are named one by one.
const SHOWN: usize = 3;

/// Checks the store in the background: at once after a stop that was not in order, and every week. It begins when the log
/// that the brain before left is in the file: a look that takes long keeps the log from being begun afresh, and the next
/// start reads all of it.
pub fn begin(outside: &Arc<Outside>, at_once: bool, log_moved: tokio::sync::oneshot::Receiver<()>) {
    let outside = Arc::clone(outside);
    outside.clone().tasks.spawn(async move {
        let mut wait = if at_once { Duration::ZERO } else { WEEK };
        let mut depth = if at_once { Depth::Quick } else { Depth::Thorough };
        tokio::select! {
            () = outside.stop.cancelled() => return,
            _ = log_moved => {}
        }
        loop {
            tokio::select! {
                () = outside.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if let Some(findings) = findings(&outside, depth).await {
                return freeze(&outside, &findings).await;
            }
            (wait, depth) = (WEEK, Depth::Thorough);
        }
    });
}

/// What the check finds; `None`: sound.
async fn findings(outside: &Outside, depth: Depth) -> Option<String> {
    let place = outside.home.store();
    let over = std::panic::AssertUnwindSafe(outside.stop.clone());
    let stopped = move || over.is_cancelled();
    let checked =
        tokio::task::spawn_blocking(move || check::full_until(&place, depth, Some(&fold), stopped)).await;
    // A look that nobody waits for any more says nothing of the store, and lets go of the log.
    if outside.stop.is_cancelled() {
        return None;
    }
    match checked {
        Ok(Ok(report)) if report.is_sound() => {
            tracing::info!(rows = report.rows, "the store was checked and is sound");
            None
        }
        Ok(Ok(report)) => {
            let told = |found: &check::Finding| format!("{}: {}", found.what, found.cause);
            let more = report.findings.len().saturating_sub(SHOWN);
            let mut said: Vec<String> = report.findings.iter().take(SHOWN).map(told).collect();
            said.extend((more > 0).then(|| format!("and {more} more")));
            Some(said.join("; "))
        }
        Ok(Err(error)) => Some(super::chain(&error)),
        Err(panic) => Some(panic.to_string()),
    }
}

/// Pauses, so that every task says why it waits, and then takes no more writes.
async fn freeze(outside: &Outside, findings: &str) {
    let cause =
        format!("the store is damaged ({findings}); stop Orch and restore a backup with `orch restore`");
    tracing::error!(cause, "nothing is written any more");
    let gesture = Gesture {
        request: format!("store-check/{}", clock::now().0),
        by: format!("the check of the store: {cause}"),
        via: Door::CommandLine,
        what: Press::Pause { drain: false },
    };
    let incoming = Incoming::of(Target::Entity(Entity::Installation), Event::Gesture(gesture));
    if let Err(error) = outside.handle.report(incoming).await {
        tracing::error!(%error, "and it could not be paused");
    }
    outside.handle.freeze(cause);
}
