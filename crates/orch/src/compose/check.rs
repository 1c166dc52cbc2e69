//! Is the store what it says? All of it is checked on a connection of its own while Orch serves: at once after a stop
//! that was not in order, where something that was read is damaged, and once a week; a finding keeps every turn back and freezes writes.

use std::sync::Arc;
use std::time::Duration;

use orch_core::apply::apply;
use orch_core::event::{Event, StoreReading};
use orch_core::id::Entity;
use orch_core::journal::Row;
use orch_core::state::State;
use orch_engine::{Incoming, Target, clock};
use orch_store::check::{self, Depth};

use super::Outside;
use crate::refusals::{what_is_damaged, worded};
use crate::words::say;

/// The fold of one row, as the check wants it.
fn fold(entity: &Entity, before: Option<State>, row: &Row) -> Result<Option<State>, String> {
    Ok(apply(before, entity, (row.seq, row.at), &row.changes))
}

/// A sound store is looked at again after this.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a look that failed by itself is waited for, at first and at last.
const AT_FIRST: Duration = Duration::from_secs(60);
const AT_LAST: Duration = Duration::from_secs(3600);

/// Findings that are named one by one.
const SHOWN: usize = 3;

/// Checks the store in the background: at once after a stop that was not in order, as soon as something that was read is
/// damaged, and every week. It begins when the log
/// that the brain before left is in the file: a look that takes long keeps the log from being begun afresh, and the next
/// start reads all of it.
pub fn begin(outside: &Arc<Outside>, at_once: bool, log_moved: tokio::sync::oneshot::Receiver<()>) {
    let outside = Arc::clone(outside);
    outside.clone().tasks.spawn(async move {
        // What was found once is looked for again: only a thorough look that finds nothing takes it back.
        let found = outside.asker.ask(|board, _| board.installation().damaged.is_some()).await;
        let found = found.unwrap_or(false);
        let mut depth = if at_once && !found { Depth::Quick } else { Depth::Thorough };
        tokio::select! {
            () = outside.stop.cancelled() => return,
            _ = log_moved => {}
        }
        let mut failed = 0_u32;
        let mut wait = if at_once || found { Duration::ZERO } else { left(&outside).await };
        loop {
            tokio::select! {
                () = outside.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = outside.texts.doubted(), if failed == 0 => depth = Depth::Thorough,
            }
            match look(&outside, depth).await {
                Looked::Sound => {
                    if depth == Depth::Thorough {
                        // The next look is a week off: what this one came to is told until it is written down.
                        orch_engine::hands::report(&outside.handle, came_to(None)).await;
                        found_sound(&outside).await;
                    }
                    (failed, depth) = (0, Depth::Thorough);
                    wait = left(&outside).await;
                }
                Looked::Damaged(findings) => return freeze(&outside, &findings).await,
                Looked::Over => return,
                Looked::Not(cause) => {
                    if failed == 0 {
                        tracing::warn!(cause, "the store could not be checked; this is tried again");
                    }
                    failed = failed.saturating_add(1);
                    wait = again_after(failed);
                }
            }
        }
    });
}

/// How long to wait after so many looks that failed by themselves.
fn again_after(failed: u32) -> Duration {
    (AT_FIRST * 2_u32.saturating_pow(failed.saturating_sub(1).min(10))).min(AT_LAST)
}

/// What is left of the wait for the next thorough check: a week from the last one, however often Orch was started since.
async fn left(outside: &Outside) -> Duration {
    let (place, now) = (outside.home.store(), clock::now());
    let from = tokio::task::spawn_blocking(move || check::counts_from(&place, now.0)).await;
    match from {
        Ok(Ok(from)) => rest(from, now.0),
        Ok(Err(error)) => {
            tracing::warn!(error = %super::chain(&error), "when the store was last checked is not known");
            WEEK
        }
        Err(panic) => {
            tracing::error!(%panic, "when the store was last checked is not known");
            WEEK
        }
    }
}

/// What is left of a week that began then, both in milliseconds; a moment that has not come yet counts as now.
fn rest(from: i64, now: i64) -> Duration {
    WEEK.saturating_sub(Duration::from_millis(u64::try_from(now.saturating_sub(from)).unwrap_or(0)))
}

/// Keeps when the store was found sound; if that fails the next start only checks earlier.
async fn found_sound(outside: &Outside) {
    let (place, now) = (outside.home.store(), clock::now());
    match tokio::task::spawn_blocking(move || check::found_sound(&place, now.0)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(error = %super::chain(&error), "that the store is sound was not kept")
        }
        Err(panic) => tracing::error!(%panic, "that the store is sound was not kept"),
    }
}

/// What came of a look.
enum Looked {
    Sound,
    /// What was found.
    Damaged(String),
    /// It could not be done, and says nothing of the store.
    Not(String),
    /// Nobody waits for it any more.
    Over,
}

/// Looks at all of it.
async fn look(outside: &Outside, depth: Depth) -> Looked {
    let place = outside.home.store();
    let over = std::panic::AssertUnwindSafe(outside.stop.clone());
    let stopped = move || over.is_cancelled();
    let checked =
        tokio::task::spawn_blocking(move || check::full_until(&place, depth, Some(&fold), stopped)).await;
    // A look that nobody waits for any more says nothing of the store, and lets go of the log.
    if outside.stop.is_cancelled() {
        return Looked::Over;
    }
    match checked {
        Ok(Ok(report)) if report.is_sound() => {
            tracing::info!(rows = report.rows, "the store was checked and is sound");
            Looked::Sound
        }
        Ok(Ok(report)) => {
            let told = |found: &check::Finding| format!("{}: {}", what_is_damaged(&found.what), found.cause);
            let more = report.findings.len().saturating_sub(SHOWN);
            let mut said: Vec<String> = report.findings.iter().take(SHOWN).map(told).collect();
            said.extend((more > 0).then(|| say!("and {more} more", "и ещё {more}").into()));
            Looked::Damaged(said.join("; "))
        }
        Ok(Err(orch_store::OpenError::Store(error @ orch_store::StoreError::Damaged { .. }))) => {
            Looked::Damaged(worded(&error).into())
        }
        Ok(Err(error)) => Looked::Not(super::chain(&error)),
        Err(panic) => Looked::Not(panic.to_string()),
    }
}

/// Tells it first, so that every task says why it waits, and then takes no more writes.
async fn freeze(outside: &Outside, findings: &str) {
    let cause = say!(
        "the store is damaged ({findings}); stop Orch and restore a backup with `orch restore`",
        "хранилище повреждено ({findings}); остановите Orch и восстановите резервную копию командой `orch restore`"
    );
    tracing::error!(%cause, "nothing is written any more");
    if let Err(error) = outside.handle.report(came_to(Some(findings.to_owned()))).await {
        tracing::error!(%error, "what the check of the store came to could not be written down");
    }
    outside.handle.freeze(cause.into());
}

/// What the look came to, for the brain; what it knows already is no news.
fn came_to(damage: Option<String>) -> Incoming {
    Incoming::of(Target::Entity(Entity::Installation), Event::Store(StoreReading { damage }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the week goes on over restarts, and that a clock which went back does not make it longer.
    #[test]
    fn the_week_goes_on_over_restarts() {
        let day = 24 * 3600 * 1000;
        assert_eq!(rest(0, 6 * day), WEEK - Duration::from_secs(6 * 24 * 3600));
        assert_eq!(rest(0, 8 * day), Duration::ZERO);
        assert_eq!(rest(day, 0), WEEK);
    }

    /// Proves that a look which fails by itself is tried again, ever more rarely, and at least once an hour.
    #[test]
    fn a_failed_look_is_tried_again() {
        assert_eq!(again_after(1), AT_FIRST);
        assert_eq!(again_after(2), AT_FIRST * 2);
        assert_eq!(again_after(u32::MAX), Duration::from_secs(3600));
    }
}
