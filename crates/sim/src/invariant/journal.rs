//! What can only be seen in the whole journal?

use std::collections::HashMap;

use orch_core::journal::{Journal, Sealed};
use orch_core::replay::Fold;

use super::{Broken, broken};
use crate::memory::MemoryJournal;

/// Checks what can only be seen at the end: the journal folds to the states, decides the same again, and nothing is left
/// to do.
pub fn check_journal(journal: &mut MemoryJournal) -> Result<(), Broken> {
    check_replay(journal)?;
    match journal.open_effects().ok().and_then(|open| open.first().cloned()) {
        Some(effect) => broken("no-effect-is-lost", format!("{} was never settled", effect.id)),
        None => Ok(()),
    }
}

/// Checks that the journal folds to the states, and decides the same again.
pub fn check_replay(journal: &MemoryJournal) -> Result<(), Broken> {
    let mut fold = Fold::default();
    for row in journal.all() {
        if let Err(illegal) = fold.take_sealed(row) {
            return broken("the-journal-replays", illegal.to_string());
        }
    }
    for (entity, kept) in journal.states() {
        match fold.states().get(entity) {
            Some((seq, state)) if *seq == kept.seq && *state == kept.state => {}
            Some(_) | None => {
                return broken("the-journal-replays", format!("{entity} folds to another state"));
            }
        }
    }
    keys_once(journal.all())
}

fn keys_once(rows: &[Sealed]) -> Result<(), Broken> {
    let mut seen = HashMap::with_capacity(rows.len());
    for row in rows {
        if let Some(other) = seen.insert(&row.key, row.seq) {
            return broken(
                "events-count-once",
                format!("{} stands in rows {other} and {}", row.key, row.seq),
            );
        }
    }
    Ok(())
}
