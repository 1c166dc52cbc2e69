//! What do stored bytes say? The only place that reads them; bytes that cannot be what was written are named.

use std::path::Path;

use orch_core::change::Change;
use orch_core::effect::{Effect, Timer};
use orch_core::event::Event;
use orch_core::id::{Digest, EffectId, Entity, Seq};
use orch_core::journal::{Kept, Row};
use orch_core::reason::Reason;
use orch_core::time::Moment;
use rusqlite::types::FromSql;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::{Damaged, StoreError};

/// A place in the journal as SQLite counts.
pub(crate) fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// A place in the journal as SQLite gave it; a negative one can only be damage.
pub(crate) fn seq(place: &Path, n: i64) -> Result<Seq, StoreError> {
    u64::try_from(n)
        .map(Seq)
        .map_err(|_| StoreError::damaged(place, Damaged::File, format!("the row number {n} is negative")))
}

/// A column; a value of the wrong type can only be damage.
pub(crate) fn column<T: FromSql>(
    place: &Path,
    what: impl Fn() -> Damaged,
    row: &rusqlite::Row<'_>,
    at: usize,
) -> Result<T, StoreError> {
    row.get(at).map_err(|e| StoreError::damaged(place, what(), e))
}

fn bytes<'r>(
    place: &Path,
    what: impl Fn() -> Damaged,
    row: &'r rusqlite::Row<'_>,
    at: usize,
) -> Result<&'r [u8], StoreError> {
    let value = row.get_ref(at).map_err(|e| StoreError::damaged(place, what(), e))?;
    value.as_bytes().map_err(|e| StoreError::damaged(place, what(), e))
}

/// A text column, as it lies there.
pub(crate) fn text<'r>(
    place: &Path,
    what: impl Fn() -> Damaged,
    row: &'r rusqlite::Row<'_>,
    at: usize,
) -> Result<&'r str, StoreError> {
    let value = row.get_ref(at).map_err(|e| StoreError::damaged(place, what(), e))?;
    value.as_str().map_err(|e| StoreError::damaged(place, what(), e))
}

fn json<T: DeserializeOwned>(
    place: &Path,
    what: impl Fn() -> Damaged,
    bytes: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::damaged(place, what(), e))
}

/// A journal row from `seq, hash, body`. Its bytes are compared with its hash before they are read, so that a flipped
/// bit is never taken for something that happened.
pub(crate) fn row(place: &Path, sql: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    read(place, sql, |body, hash| {
        let row = body_of(body, hash)?;
        Ok((row.seq, row))
    })
}

/// What the chain is made of: a row whose bytes have its hash, without what happened in it.
pub(crate) struct Link {
    pub(crate) seq: Seq,
    pub(crate) entity: Entity,
    pub(crate) prev: Digest,
    pub(crate) hash: Digest,
}

/// A link from the same columns, looked at as closely: only what happened is passed over, not taken apart.
pub(crate) fn link(place: &Path, sql: &rusqlite::Row<'_>) -> Result<Link, StoreError> {
    type Front = (Seq, IgnoredAny, Entity, IgnoredAny, IgnoredAny, IgnoredAny);
    type Back = (IgnoredAny, IgnoredAny, IgnoredAny, IgnoredAny, IgnoredAny, Digest);
    read(place, sql, |body, hash| {
        let ((seq, _, entity, ..), (.., prev)) = serde_json::from_slice::<(Front, Back)>(body)?;
        Ok((seq, Link { seq, entity, prev, hash }))
    })
}

fn read<T>(
    place: &Path,
    sql: &rusqlite::Row<'_>,
    made: impl FnOnce(&[u8], Digest) -> Result<(Seq, T), serde_json::Error>,
) -> Result<T, StoreError> {
    let at = seq(place, column(place, || Damaged::File, sql, 0)?)?;
    let what = || Damaged::Row(at);
    let hash = Digest::from(text(place, what, sql, 1)?);
    let body = bytes(place, what, sql, 2)?;
    if Digest::of(body) != hash {
        return Err(StoreError::damaged(place, what(), "its bytes do not have its hash"));
    }
    let (says, made) = made(body, hash).map_err(|e| StoreError::damaged(place, what(), e))?;
    if says != at {
        return Err(StoreError::damaged(place, what(), format!("it says that it is row {says}")));
    }
    Ok(made)
}

/// The row whose [`Row::canonical`] bytes these are.
fn body_of(body: &[u8], hash: Digest) -> Result<Row, serde_json::Error> {
    type Front = (Seq, Moment, Entity, String, Event, Vec<Change>);
    type Back = (Vec<Effect>, Vec<Timer>, Vec<Reason>, Option<Digest>, u32, Digest);
    let ((seq, at, entity, key, event, changes), (effects, timers, reasons, policy, rules, prev)) =
        serde_json::from_slice::<(Front, Back)>(body)?;
    Ok(Row { seq, at, entity, key, event, changes, effects, timers, reasons, policy, rules, prev, hash })
}

/// An entity and its state from `entity, seq, body`, starting at column `first`.
pub(crate) fn kept(
    place: &Path,
    sql: &rusqlite::Row<'_>,
    first: usize,
) -> Result<(Entity, Kept), StoreError> {
    let name: String = column(place, || Damaged::File, sql, first)?;
    let what = || Damaged::State(name.clone());
    let entity = name.parse().map_err(|e| StoreError::damaged(place, what(), e))?;
    let seq = seq(place, column(place, what, sql, first + 1)?)?;
    // As one text: its strings need not be looked at one by one.
    let body = text(place, what, sql, first + 2)?;
    let state = serde_json::from_str(body).map_err(|e| StoreError::damaged(place, what(), e))?;
    Ok((entity, Kept { seq, state }))
}

/// An open effect from `seq, n, body`.
pub(crate) fn effect(place: &Path, sql: &rusqlite::Row<'_>) -> Result<Effect, StoreError> {
    let born = seq(place, column(place, || Damaged::File, sql, 0)?)?;
    let n: u32 = column(place, || Damaged::Effect(EffectId::new(born, 0)), sql, 1)?;
    let what = || Damaged::Effect(EffectId::new(born, n));
    let effect: Effect = json(place, what, bytes(place, what, sql, 2)?)?;
    if effect.id != EffectId::new(born, n) {
        return Err(StoreError::damaged(place, what(), format!("it says that it is {}", effect.id)));
    }
    Ok(effect)
}

/// A timer from `entity, body`.
pub(crate) fn timer(place: &Path, sql: &rusqlite::Row<'_>) -> Result<(Entity, Timer), StoreError> {
    let name: String = column(place, || Damaged::File, sql, 0)?;
    let what = || Damaged::Timer(name.clone());
    let entity = name.parse().map_err(|e| StoreError::damaged(place, what(), e))?;
    Ok((entity, json(place, what, bytes(place, what, sql, 1)?)?))
}

/// A blob's bytes from column `at`, compared with their name.
pub(crate) fn blob(
    place: &Path,
    digest: &Digest,
    sql: &rusqlite::Row<'_>,
    at: usize,
) -> Result<Vec<u8>, StoreError> {
    let what = || Damaged::Blob(digest.clone());
    let bytes = bytes(place, what, sql, at)?;
    if Digest::of(bytes) != *digest {
        return Err(StoreError::damaged(place, what(), "its bytes do not have its digest"));
    }
    Ok(bytes.to_owned())
}
