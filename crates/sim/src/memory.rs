//! A journal in memory: the same contract as the store's, without a disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orch_core::board::Entry;
use orch_core::effect::{Effect, Timer};
use orch_core::id::{Digest, EffectId, Entity, IssueKey, ProjectId, Seq, TaskId, TimerId};
use orch_core::journal::{Batch, Head, Journal, Kept, Row, Sealed};
use orch_core::policy::Policy;
use orch_core::state::State;

/// Why the journal in memory refuses: as the store does, or because it is told to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// A disk that is full, as a fault.
    #[error("no space left (injected)")]
    Full,
    /// The batch does not stand on what is written: a defect of who made it.
    #[error("row {seq} is refused: {why}")]
    Unsound {
        /// The first row that does not.
        seq: Seq,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A journal in memory.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    rows: Vec<Sealed>,
    keys: HashMap<String, Seq>,
    states: BTreeMap<Entity, Kept>,
    /// Each with the place of its row.
    effects: BTreeMap<EffectId, usize>,
    timers: BTreeMap<Entity, Timer>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    issues: BTreeMap<(ProjectId, IssueKey), TaskId>,
    /// Refuses commits while set.
    pub full: bool,
    /// How many rows lie on the disk, by whomever of those who have it open.
    disk: Arc<AtomicU64>,
}

impl MemoryJournal {
    /// Another brain opens the same disk, as where no lock keeps it from that: it finds all that is written.
    #[must_use = "whoever took over must go on"]
    pub fn overtaken(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            keys: self.keys.clone(),
            states: self.states.clone(),
            effects: self.effects.clone(),
            timers: self.timers.clone(),
            blobs: self.blobs.clone(),
            issues: self.issues.clone(),
            full: self.full,
            disk: Arc::clone(&self.disk),
        }
    }

    /// What the store would refuse is refused: a key that is taken, a row that does not follow, one whose place on the disk
    /// another brain has taken, a state ahead of its row.
    fn stands(&self, batch: &Batch) -> Result<(), MemoryError> {
        let mut last = self.rows.last();
        let disk = self.disk.load(Ordering::SeqCst);
        for (at, row) in batch.rows.iter().enumerate() {
            let refused = |why| Err(MemoryError::Unsound { seq: row.seq, why });
            if row.seq.0 != last.map_or(1, |last| last.seq.0 + 1) {
                return refused("it is not the next one");
            }
            if row.seq.0 <= disk {
                return refused("another brain wrote one there");
            }
            if last.map_or_else(|| row.prev != Row::genesis(), |last| row.prev != last.hash) {
                return refused("it follows another one");
            }
            if self.keys.contains_key(&row.key) || batch.rows[..at].iter().any(|other| other.key == row.key) {
                return refused("its key is taken");
            }
            last = Some(row);
        }
        let newest = last.map_or(Seq(0), |last| last.seq);
        let states = batch.states.iter().map(|(_, kept)| kept.seq);
        match states.chain(batch.touched.iter().map(|(_, seq)| *seq)).find(|seq| *seq > newest) {
            Some(seq) => {
                Err(MemoryError::Unsound { seq, why: "a state is true for a row that is not there" })
            }
            None => Ok(()),
        }
    }

    /// All rows, for checks.
    pub fn all(&self) -> &[Sealed] {
        &self.rows
    }

    /// A kept text, for checks.
    pub fn kept(&self, digest: &Digest) -> Option<&[u8]> {
        self.blobs.get(digest).map(Vec::as_slice)
    }

    /// The policy by which a row was decided, for checks.
    pub fn policy_of(&self, row: &Row) -> Policy {
        let kept = row.policy.as_ref().and_then(|digest| self.kept(digest));
        kept.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
    }

    /// All kept texts, for checks.
    pub fn texts(&self) -> impl Iterator<Item = (&Digest, &[u8])> {
        self.blobs.iter().map(|(digest, bytes)| (digest, bytes.as_slice()))
    }

    /// Whether an effect waits for its reply still.
    pub fn is_open(&self, effect: EffectId) -> bool {
        self.effects.contains_key(&effect)
    }

    /// The timer that an entity has armed.
    pub fn timer_of(&self, entity: &Entity) -> Option<TimerId> {
        self.timers.get(entity).map(|timer| timer.id)
    }

    /// All states, for checks.
    pub fn states(&self) -> &BTreeMap<Entity, Kept> {
        &self.states
    }
}

#[cfg(test)]
impl MemoryJournal {
    /// Rows and states, for a hand that writes what no brain would: whether anybody notices is another question.
    pub(crate) fn forge(&mut self) -> (&mut Vec<Sealed>, &mut BTreeMap<Entity, Kept>) {
        (&mut self.rows, &mut self.states)
    }

    /// Every row on the disk looks free to whoever has it open.
    pub(crate) fn forget_the_disk(&self) {
        self.disk.store(0, Ordering::SeqCst);
    }
}

impl Journal for MemoryJournal {
    type Error = MemoryError;

    fn is_full(&self, error: &MemoryError) -> bool {
        *error == MemoryError::Full
    }

    fn head(&mut self) -> Result<Head, MemoryError> {
        let last = self.rows.last();
        Ok(Head {
            seq: last.map_or(Seq(0), |row| row.seq),
            hash: last.map_or_else(Row::genesis, |row| row.hash.clone()),
        })
    }

    fn taken(&mut self, key: &str) -> Result<Option<Seq>, MemoryError> {
        Ok(self.keys.get(key).copied())
    }

    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, MemoryError> {
        Ok(self.states.get(entity).cloned())
    }

    fn task_of_issue(
        &mut self,
        project: &ProjectId,
        issue: &IssueKey,
    ) -> Result<Option<TaskId>, MemoryError> {
        Ok(self.issues.get(&(project.clone(), issue.clone())).cloned())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), MemoryError> {
        if self.full {
            return Err(MemoryError::Full);
        }
        self.stands(batch)?;
        for row in &batch.rows {
            self.keys.insert(row.key.clone(), row.seq);
            for effect in &row.effects {
                self.effects.insert(effect.id, self.rows.len());
            }
            self.rows.push(row.clone());
            self.disk.store(row.seq.0, Ordering::SeqCst);
        }
        for (entity, seq) in &batch.touched {
            if let Some(kept) = self.states.get_mut(entity) {
                kept.seq = *seq;
            }
        }
        for (entity, kept) in &batch.states {
            if let State::Task(task) = &kept.state {
                let key = (task.project.clone(), task.issue.clone());
                let newer = self.issues.get(&key).is_none_or(|known| known.life() <= task.id.life());
                if newer {
                    self.issues.insert(key, task.id.clone());
                }
            }
            self.states.insert(entity.clone(), kept.clone());
        }
        for id in &batch.settled {
            self.effects.remove(id);
        }
        for (entity, timer) in &batch.timers {
            match timer {
                Some(timer) => self.timers.insert(entity.clone(), timer.clone()),
                None => self.timers.remove(entity),
            };
        }
        for blob in &batch.blobs {
            self.blobs.insert(blob.digest.clone(), blob.bytes.clone());
        }
        Ok(())
    }

    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), MemoryError> {
        self.states.iter().filter_map(|(entity, kept)| Entry::of(entity, &kept.state)).for_each(visit);
        Ok(())
    }

    fn open_effects(&mut self) -> Result<Vec<Effect>, MemoryError> {
        let effect = |(id, at): (&EffectId, &usize)| {
            self.rows.get(*at)?.effects.iter().find(|effect| effect.id == *id).cloned()
        };
        Ok(self.effects.iter().filter_map(effect).collect())
    }

    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, MemoryError> {
        Ok(self.timers.iter().map(|(entity, timer)| (entity.clone(), timer.clone())).collect())
    }

    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, MemoryError> {
        Ok(self.blobs.get(digest).cloned())
    }

    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, MemoryError> {
        let start = usize::try_from(from.0.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(self.rows.iter().skip(start).take(most).map(|row| Row::clone(row)).collect())
    }

    fn rows_of(
        &mut self,
        entity: &Entity,
        before: Option<Seq>,
        most: usize,
    ) -> Result<Vec<Row>, MemoryError> {
        let older = |row: &&Sealed| row.entity == *entity && before.is_none_or(|before| row.seq < before);
        Ok(self.rows.iter().rev().filter(older).take(most).map(|row| Row::clone(row)).collect())
    }
}
