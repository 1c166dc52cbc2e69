//! Does the real store say the same as the journal in memory? Every answer of one is held against the other's.
//!
//! The bench reads the journal in memory, so its checks cost the same on both. With a store behind it the brain lives on
//! the store: what is committed is on its disk first, and a crash opens it again.

use std::fmt;
use std::ops::{Deref, DerefMut};

use orch_core::board::Entry;
use orch_core::effect::{Effect, Timer};
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::{Batch, Head, Journal, Kept, Row};
use orch_core::state::State;

use crate::memory::MemoryJournal;

/// Why a journal of the bench refused: as its store says it, with all causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// An error with all its causes.
    pub fn of(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        Self(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

/// A real store, and what becomes of a commit when its disk is full.
pub trait Real: Journal<Error = Trouble> {
    /// Is asked for a commit with a full disk: it must refuse for that, and have nothing of it.
    ///
    /// # Errors
    /// It did something else.
    fn refuses_when_full(&mut self, batch: &Batch) -> Result<(), Trouble>;
}

/// A real store.
pub type Store = Box<dyn Real>;

/// Opens the store: at the beginning, after each death of the brain, and for one that takes over from a paused one.
pub type Opener = Box<dyn FnMut(Open) -> Result<Store, Trouble>>;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// As every brain does.
    InOrder,
    /// Past the lock of whoever has it open, as where locks do not hold.
    PastTheLock,
}

/// A journal in memory, and a real store behind it or none.
#[derive(Default)]
pub struct Twin {
    memory: MemoryJournal,
    behind: Option<Behind>,
    /// The store that another brain opened meanwhile: this one has it still, and must not be able to write there.
    overtaken: Option<Store>,
}

struct Behind {
    /// `None` once it could not be opened again.
    store: Option<Store>,
    open: Opener,
    trouble: Option<String>,
}

impl fmt::Debug for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twin").field("memory", &self.memory).field("real", &self.behind.is_some()).finish()
    }
}

impl Deref for Twin {
    type Target = MemoryJournal;

    fn deref(&self) -> &MemoryJournal {
        &self.memory
    }
}

impl DerefMut for Twin {
    fn deref_mut(&mut self) -> &mut MemoryJournal {
        &mut self.memory
    }
}

impl Twin {
    /// An empty store, opened by this.
    ///
    /// # Errors
    /// It does not open.
    pub fn on(mut open: Opener) -> Result<Self, Trouble> {
        let store = Some(open(Open::InOrder)?);
        let behind = Some(Behind { store, open, trouble: None });
        Ok(Self { memory: MemoryJournal::default(), behind, overtaken: None })
    }

    /// What a brain finds that takes over from one that died: the store is dropped as it is, and opened again.
    #[must_use]
    pub fn after_crash(mut self) -> Self {
        if let Some(behind) = &mut self.behind {
            behind.store = None;
            match (behind.open)(Open::InOrder) {
                Ok(store) => behind.store = Some(store),
                Err(trouble) => behind.note(|| format!("it does not open again: {trouble}")),
            }
        }
        self
    }

    /// Another brain takes over while this one is paused and has the store open: its lock must keep the other out; where no
    /// lock holds, what the store refuses must keep them apart.
    #[must_use = "whoever took over must go on"]
    pub fn hand_over(&mut self) -> Self {
        let mut behind = self.behind.take();
        if let Some(behind) = &mut behind {
            if (behind.open)(Open::InOrder).is_ok() {
                behind.note(|| "a second brain could open it".to_owned());
            }
            self.overtaken = behind.store.take();
            match (behind.open)(Open::PastTheLock) {
                Ok(store) => behind.store = Some(store),
                Err(trouble) => behind.note(|| format!("it does not open past the lock: {trouble}")),
            }
        }
        Self { memory: self.memory.overtaken(), behind, overtaken: None }
    }

    /// Whether there is a store whose answers are compared.
    pub fn is_real(&self) -> bool {
        self.behind.is_some()
    }

    /// What the store said that the journal in memory did not, if it ever did.
    pub fn trouble(&self) -> Option<&str> {
        self.behind.as_ref()?.trouble.as_deref()
    }

    /// The state of an entity as the journal in memory has it; a store behind it must say the same.
    pub fn known(&mut self, entity: &Entity) -> Option<&State> {
        if self.behind.is_some() {
            // What differs is noted.
            let _ = self.state(entity);
        }
        self.memory.states().get(entity).map(|kept| &kept.state)
    }

    /// Asks both; the store's answer counts.
    fn both<T: PartialEq + fmt::Debug>(
        &mut self,
        what: &str,
        ask: impl Fn(&mut dyn Journal<Error = Trouble>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let known = ask(&mut Plain::new(&mut self.memory));
        let Some(behind) = &mut self.behind else { return known };
        let said = match &mut behind.store {
            Some(store) => ask(store.as_mut()),
            None => Err(Trouble("it is closed".to_owned())),
        };
        if said != known {
            behind.note(|| format!("asked for {what} it says {said:?}, not {known:?}"));
        }
        said
    }
}

impl Behind {
    fn note(&mut self, what: impl FnOnce() -> String) {
        self.trouble.get_or_insert_with(what);
    }
}

/// A journal with its errors in words.
pub struct Plain<J> {
    journal: J,
    full: Option<Full<J>>,
}

/// Asks a journal for a commit while its disk has no room. `Err`: it did not refuse for that.
pub type Full<J> = fn(&mut J, &Batch) -> Result<(), Trouble>;

impl<J> Plain<J> {
    /// This journal, whose disk is never full.
    pub fn new(journal: J) -> Self {
        Self { journal, full: None }
    }

    /// This journal, and how its disk is full for one commit.
    pub fn with_full_disk(journal: J, full: Full<J>) -> Self {
        Self { journal, full: Some(full) }
    }
}

impl<J: DerefMut<Target: Journal>> Real for Plain<J> {
    fn refuses_when_full(&mut self, batch: &Batch) -> Result<(), Trouble> {
        self.full.map_or(Ok(()), |full| full(&mut self.journal, batch))
    }
}

impl<J: DerefMut<Target: Journal>> Journal for Plain<J> {
    type Error = Trouble;

    /// Its twin in memory knows.
    fn is_full(&self, _: &Trouble) -> bool {
        false
    }

    fn head(&mut self) -> Result<Head, Trouble> {
        self.journal.head().map_err(|e| Trouble::of(&e))
    }

    fn taken(&mut self, key: &str) -> Result<Option<Seq>, Trouble> {
        self.journal.taken(key).map_err(|e| Trouble::of(&e))
    }

    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, Trouble> {
        self.journal.state(entity).map_err(|e| Trouble::of(&e))
    }

    fn task_of_issue(&mut self, project: &ProjectId, issue: &IssueKey) -> Result<Option<TaskId>, Trouble> {
        self.journal.task_of_issue(project, issue).map_err(|e| Trouble::of(&e))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), Trouble> {
        self.journal.commit(batch).map_err(|e| Trouble::of(&e))
    }

    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
        self.journal.each_open(visit).map_err(|e| Trouble::of(&e))
    }

    fn open_effects(&mut self) -> Result<Vec<Effect>, Trouble> {
        self.journal.open_effects().map_err(|e| Trouble::of(&e))
    }

    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, Trouble> {
        self.journal.armed_timers().map_err(|e| Trouble::of(&e))
    }

    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, Trouble> {
        self.journal.blob(digest).map_err(|e| Trouble::of(&e))
    }

    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, Trouble> {
        self.journal.rows(from, most).map_err(|e| Trouble::of(&e))
    }

    fn rows_of(&mut self, entity: &Entity, before: Option<Seq>, most: usize) -> Result<Vec<Row>, Trouble> {
        self.journal.rows_of(entity, before, most).map_err(|e| Trouble::of(&e))
    }
}

impl Journal for Twin {
    type Error = Trouble;

    /// As long as the disk is full, it refuses for nothing else.
    fn is_full(&self, _: &Trouble) -> bool {
        self.memory.full
    }

    fn head(&mut self) -> Result<Head, Trouble> {
        self.both("the head", |journal| journal.head())
    }

    fn taken(&mut self, key: &str) -> Result<Option<Seq>, Trouble> {
        self.both("a key", |journal| journal.taken(key))
    }

    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, Trouble> {
        self.both("a state", |journal| journal.state(entity))
    }

    fn task_of_issue(&mut self, project: &ProjectId, issue: &IssueKey) -> Result<Option<TaskId>, Trouble> {
        self.both("a task", |journal| journal.task_of_issue(project, issue))
    }

    /// The store first: what it does not have never was.
    fn commit(&mut self, batch: &Batch) -> Result<(), Trouble> {
        if let Some(store) = &mut self.overtaken
            && store.commit(batch).is_ok()
        {
            return Ok(());
        }
        if let Some(Behind { store: Some(store), trouble, .. }) = &mut self.behind {
            // A full disk is the store's own: it refuses by itself, and is asked for all that it has afterwards.
            if self.memory.full {
                if let Err(e) = store.refuses_when_full(batch) {
                    trouble.get_or_insert_with(|| format!("on a full disk: {e}"));
                }
            } else if let Err(e) = store.commit(batch) {
                trouble.get_or_insert_with(|| format!("it takes no commit: {e}"));
                return Err(e);
            }
        }
        self.memory.commit(batch).map_err(|e| Trouble::of(&e))
    }

    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), Trouble> {
        if self.behind.is_none() {
            return Plain::new(&mut self.memory).each_open(visit);
        }
        let entries = self.both("what is open", |journal| {
            let mut entries = Vec::new();
            journal.each_open(&mut |entry| entries.push(entry))?;
            // No store promises an order.
            entries.sort_by_cached_key(|entry| match entry {
                Entry::Other(entity, _) => (false, entity.to_string()),
                Entry::Task(task, _) => (true, task.to_string()),
            });
            Ok(entries)
        })?;
        entries.into_iter().for_each(visit);
        Ok(())
    }

    fn open_effects(&mut self) -> Result<Vec<Effect>, Trouble> {
        self.both("open effects", |journal| journal.open_effects())
    }

    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, Trouble> {
        self.both("timers", |journal| {
            let mut timers = journal.armed_timers()?;
            timers.sort_by(|(a, _), (b, _)| a.cmp(b));
            Ok(timers)
        })
    }

    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, Trouble> {
        self.both("a text", |journal| journal.blob(digest))
    }

    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, Trouble> {
        self.both("rows", |journal| journal.rows(from, most))
    }

    fn rows_of(&mut self, entity: &Entity, before: Option<Seq>, most: usize) -> Result<Vec<Row>, Trouble> {
        self.both("rows of one", |journal| journal.rows_of(entity, before, most))
    }
}
