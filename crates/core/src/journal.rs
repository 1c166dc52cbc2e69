//! What is written down, and what must a store be able to do? The record is the truth; state is its fold (decision 39).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::board::Entry;
use crate::change::Change;
use crate::effect::{Effect, Timer};
use crate::event::Event;
use crate::id::{Digest, EffectId, Entity, IssueKey, ProjectId, Seq, TaskId};
use crate::reason::Reason;
use crate::state::State;
use crate::time::Moment;

/// The version of the decision rules. It rises when what `decide` answers changes, once for all that lands together, so
/// that `replay --verify` decides again only rows of its own rules (decision 39).
pub const RULES: u32 = 18;

/// One row of the journal: what happened and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its place, without gaps from 1.
    pub seq: Seq,
    /// When it was written.
    pub at: Moment,
    /// Whom it is about.
    pub entity: Entity,
    /// The key under which the event counts once.
    pub key: String,
    /// What happened.
    pub event: Event,
    /// What is different now.
    pub changes: Vec<Change>,
    /// What is to be done outside.
    pub effects: Vec<Effect>,
    /// The timer armed by it, if any.
    pub timers: Vec<Timer>,
    /// Why, also when nothing was done.
    pub reasons: Vec<Reason>,
    /// The policy that held.
    pub policy: Option<Digest>,
    /// The rules that decided.
    pub rules: u32,
    /// The hash of the row before; 64 zeros before the first.
    pub prev: Digest,
    /// SHA-256 over the canonical bytes of all of the above.
    pub hash: Digest,
}

impl Row {
    /// The hash that the first row follows.
    pub fn genesis() -> Digest {
        Digest::from("0".repeat(64))
    }

    /// The bytes that the hash covers: the row as JSON in the order of its fields with an empty `hash`.
    pub fn canonical(&self) -> Vec<u8> {
        self.text().into_bytes()
    }

    fn text(&self) -> String {
        let bare = (
            (&self.seq, &self.at, &self.entity, &self.key, &self.event, &self.changes),
            (&self.effects, &self.timers, &self.reasons, &self.policy, &self.rules, &self.prev),
        );
        // Most rows are shorter than this: what grows is copied.
        let mut text = Vec::with_capacity(2048);
        match serde_json::to_writer(&mut text, &bare) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Follows `prev` and seals the row.
    #[must_use]
    pub fn sealed(mut self, prev: Digest) -> Sealed {
        self.prev = prev;
        let text = self.text();
        self.hash = Digest::of(text.as_bytes());
        Sealed(Arc::new(Written { row: self, text }))
    }

    /// Whether the row is what its hash says.
    pub fn is_sound(&self) -> bool {
        self.hash == Digest::of(&self.canonical())
    }
}

/// A row that nobody can change any more, with the text that its hash covers: it is made once, and stored as it is. A
/// clone is the same row, not a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(Arc<Written>);

#[derive(Debug, PartialEq, Eq)]
struct Written {
    row: Row,
    text: String,
}

impl Sealed {
    /// Its [`Row::canonical`] bytes, as the text that they are.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether the hash is that of the text which was made when the row was sealed.
    pub fn covers_its_text(&self) -> bool {
        self.0.row.hash == Digest::of(self.0.text.as_bytes())
    }

    /// The row, to be taken apart.
    pub fn into_row(self) -> Row {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.row.clone(), |written| written.row)
    }

    /// Its effects alone: of a row that somebody else keeps nothing more is copied.
    pub fn into_effects(self) -> Vec<Effect> {
        Arc::try_unwrap(self.0)
            .map_or_else(|shared| shared.row.effects.clone(), |written| written.row.effects)
    }
}

impl std::ops::Deref for Sealed {
    type Target = Row;

    fn deref(&self) -> &Row {
        &self.0.row
    }
}

/// A text or artefact kept under its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub digest: Digest,
    /// What it is.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// A blob of these bytes.
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { digest: Digest::of(&bytes), bytes }
    }
}

/// Where the journal ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last row's place; 0 in an empty journal.
    pub seq: Seq,
    /// The last row's hash.
    pub hash: Digest,
}

/// A state and the row it is true for (decision 39).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The row.
    pub seq: Seq,
    /// The state.
    pub state: State,
}

/// All that one transaction writes: many events share one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// New rows, in order.
    pub rows: Vec<Sealed>,
    /// New states of the entities in those rows, one each, with the row they are true for.
    pub states: Vec<(Entity, Kept)>,
    /// Entities whose rows left their state as it was, with the last of those rows: it is true for that one now.
    pub touched: Vec<(Entity, Seq)>,
    /// Effects that are settled by a reply in this batch.
    pub settled: Vec<EffectId>,
    /// Effects in `rows` that are not settled yet are stored as open by the store itself.
    /// Timers: the one timer of an entity from now on; `None` disarms it.
    pub timers: Vec<(Entity, Option<Timer>)>,
    /// Texts to keep.
    pub blobs: Vec<Blob>,
}

/// What a store must be able to do for the brain. One writer; all calls are synchronous; nothing is visible before
/// `commit` returned, and after it nothing is lost (decision 33).
pub trait Journal {
    /// Why a store could not; it names place, cause and remedy.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether it could not because the disk is full: room helps, and whoever asked is told so.
    fn is_full(&self, error: &Self::Error) -> bool;

    /// From here to [`Journal::commit`] or [`Journal::look_away`] the brain reads again and again, and nobody else writes
    /// what it reads: a store may go in once for all of it.
    fn look(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
    /// The looking ends without a commit.
    fn look_away(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Where the journal ends.
    fn head(&mut self) -> Result<Head, Self::Error>;
    /// The row that took this key, if one did.
    fn taken(&mut self, key: &str) -> Result<Option<Seq>, Self::Error>;
    /// The state of an entity.
    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, Self::Error>;
    /// The newest life of an issue's task.
    fn task_of_issue(&mut self, project: &ProjectId, issue: &IssueKey)
    -> Result<Option<TaskId>, Self::Error>;
    /// Writes it all, durably, or nothing.
    fn commit(&mut self, batch: &Batch) -> Result<(), Self::Error>;

    /// What the board must know of each open entity, one at a time, at start: it costs no look at the tasks' states.
    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), Self::Error>;
    /// The effects that no reply settled yet, in order of their ids.
    fn open_effects(&mut self) -> Result<Vec<Effect>, Self::Error>;
    /// All armed timers.
    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, Self::Error>;
    /// A kept text.
    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, Self::Error>;
    /// Rows from `from` on, at most `most`, in order.
    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, Self::Error>;
    /// Rows of one entity, newest first, at most `most`, older than `before` if given.
    fn rows_of(&mut self, entity: &Entity, before: Option<Seq>, most: usize)
    -> Result<Vec<Row>, Self::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            seq: Seq(1),
            at: Moment(5),
            entity: Entity::Installation,
            key: "disk/1".to_owned(),
            event: Event::Disk(crate::event::DiskReading { enough: true, free: 7 }),
            changes: Vec::new(),
            effects: Vec::new(),
            timers: Vec::new(),
            reasons: Vec::new(),
            policy: None,
            rules: RULES,
            prev: Digest::from(""),
            hash: Digest::from(""),
        }
    }

    /// Proves that a sealed row is stored as the text that its hash covers, and that neither the row nor the text can be
    /// another one unnoticed (decision 39).
    #[test]
    fn a_seal_covers_all_of_a_row() {
        let sealed = row().sealed(Row::genesis());
        assert!(sealed.text().starts_with("[[1,5,\"installation\",\"disk/1\","), "{}", sealed.text());
        assert_eq!(sealed.text().as_bytes(), sealed.canonical());
        assert!(sealed.is_sound() && sealed.covers_its_text());
        let altered = Row { at: Moment(6), ..sealed.clone().into_row() };
        assert!(!altered.is_sound());
        let hash = sealed.hash.clone();
        let other = Written { row: Row { hash, ..row() }, text: sealed.text().replace('5', "6") };
        assert!(!Sealed(Arc::new(other)).covers_its_text());
    }
}
