//! Does anybody wait for the brain who should not?

use std::sync::mpsc::{Receiver, Sender, channel};

use orch_core::board::Entry;
use orch_core::effect::{Effect, Timer};
use orch_core::event::{Event, Start};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::{Batch, Head, Journal, Kept, Row};
use orch_core::policy::Limits;
use orch_core::time::{Boot, Moment, Span};
use orch_engine::clock;
use orch_engine::handle::NotTaken;
use orch_engine::run::Brain;
use orch_engine::{Ack, Engine, Incoming, Target};
use orch_sim::MemoryJournal;
use orch_sim::memory::MemoryError;

use crate::started;

/// A journal whose commits wait until somebody lets them through.
struct Slow {
    inner: MemoryJournal,
    committing: Sender<()>,
    go: Receiver<()>,
}

impl Journal for Slow {
    type Error = MemoryError;

    fn is_full(&self, error: &MemoryError) -> bool {
        self.inner.is_full(error)
    }
    fn head(&mut self) -> Result<Head, MemoryError> {
        self.inner.head()
    }
    fn taken(&mut self, key: &str) -> Result<Option<Seq>, MemoryError> {
        self.inner.taken(key)
    }
    fn state(&mut self, entity: &Entity) -> Result<Option<Kept>, MemoryError> {
        self.inner.state(entity)
    }
    fn task_of_issue(
        &mut self,
        project: &ProjectId,
        issue: &IssueKey,
    ) -> Result<Option<TaskId>, MemoryError> {
        self.inner.task_of_issue(project, issue)
    }
    fn commit(&mut self, batch: &Batch) -> Result<(), MemoryError> {
        self.committing.send(()).expect("the test listens");
        self.go.recv().expect("the test lets it through");
        self.inner.commit(batch)
    }
    fn each_open(&mut self, visit: &mut dyn FnMut(Entry)) -> Result<(), MemoryError> {
        self.inner.each_open(visit)
    }
    fn open_effects(&mut self) -> Result<Vec<Effect>, MemoryError> {
        self.inner.open_effects()
    }
    fn armed_timers(&mut self) -> Result<Vec<(Entity, Timer)>, MemoryError> {
        self.inner.armed_timers()
    }
    fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, MemoryError> {
        self.inner.blob(digest)
    }
    fn rows(&mut self, from: Seq, most: usize) -> Result<Vec<Row>, MemoryError> {
        self.inner.rows(from, most)
    }
    fn rows_of(
        &mut self,
        entity: &Entity,
        before: Option<Seq>,
        most: usize,
    ) -> Result<Vec<Row>, MemoryError> {
        self.inner.rows_of(entity, before, most)
    }
}

fn pause(request: &str) -> Incoming {
    let what = Press::Pause { drain: false };
    let gesture = Gesture { request: request.to_owned(), by: "ann".to_owned(), via: Door::Api, what };
    Incoming::of(Target::Entity(Entity::Installation), Event::Gesture(gesture))
}

/// row 8: Webhook calls to the engine run off the event loop.
/// Proves also that nobody is answered before the commit, that the same request is answered as done, and that what waits
/// at a stop is committed.
#[tokio::test]
async fn the_event_loop_never_waits_for_the_brain() {
    let (committing, commits) = channel();
    let (let_through, go) = channel();
    let journal = Slow { inner: MemoryJournal::default(), committing, go };
    let (engine, _) = Engine::take_over(journal).expect("an empty journal");
    let (closed, journal_back) = channel();
    let close = move |journal: Slow| closed.send(journal.inner).expect("the test listens");
    let (brain, _effects) = Brain::start(engine, close).expect("a thread");
    let handle = brain.handle();
    let serves = handle.report(started());
    let commits = tokio::task::spawn_blocking(move || commits.recv().map(|()| commits)).await;
    let commits = commits.expect("joined").expect("a commit begins");
    let_through.send(()).expect("the brain waits");
    assert!(matches!(serves.await, Ok(Ack::Accepted { seq: Seq(1), .. })));
    let asked = tokio::spawn({
        let handle = handle.clone();
        async move { handle.submit(pause("one")).await }
    });
    // This runtime has one thread: it would stand still here if the engine ran on it.
    let commit_begun = tokio::task::spawn_blocking(move || commits.recv().map(|()| commits));
    let commits = commit_begun.await.expect("joined").expect("a commit begins");
    assert!(!asked.is_finished(), "nobody is answered before the commit");
    let_through.send(()).expect("the brain waits");
    assert!(matches!(asked.await.expect("joined"), Ok(Ack::Accepted { seq: Seq(2), .. })));
    assert_eq!(handle.submit(pause("one")).await, Ok(Ack::Duplicate));
    let last = tokio::spawn({
        let handle = handle.clone();
        async move { handle.submit(pause("two")).await }
    });
    tokio::task::spawn_blocking(move || commits.recv().map(|()| commits))
        .await
        .expect("joined")
        .expect("a commit");
    let_through.send(()).expect("the brain waits");
    tokio::task::spawn_blocking(move || brain.stop()).await.expect("joined");
    assert!(matches!(last.await.expect("joined"), Ok(Ack::Accepted { .. })));
    assert_eq!(journal_back.recv().expect("the journal is closed").all().len(), 3);
    assert!(handle.submit(pause("three")).await.is_err());
}

/// Proves that a frozen brain writes nothing more, not even what waited already or is due, says why to all who wait, and
/// is not closed in order.
#[tokio::test]
async fn a_frozen_brain_writes_nothing() {
    let (committing, commits) = channel();
    let (let_through, go) = channel();
    let journal = Slow { inner: MemoryJournal::default(), committing, go };
    let (engine, _) = Engine::take_over(journal).expect("an empty journal");
    let (closed, journal_back) = channel();
    let close = move |journal: Slow| closed.send(journal.inner).expect("the test listens");
    let (brain, _effects) = Brain::start(engine, close).expect("a thread");
    let handle = brain.handle();
    let first = handle.report(pause("first"));
    let commits = tokio::task::spawn_blocking(move || commits.recv().map(|()| commits));
    let commits = commits.await.expect("joined").expect("a commit begins");
    // It waits in the queue when the brain is frozen.
    let waits = handle.report(pause("second"));
    handle.freeze("a page is torn".to_owned());
    let_through.send(()).expect("the brain waits");
    assert!(matches!(first.await, Ok(Ack::Accepted { seq: Seq(1), .. })));
    let refused = NotTaken::Store("a page is torn".to_owned());
    assert_eq!(waits.await, Err(refused.clone()));
    assert_eq!(handle.report(pause("third")).await, Err(refused));
    tokio::task::spawn_blocking(move || brain.stop()).await.expect("joined");
    assert!(commits.try_recv().is_err(), "nothing was committed");
    assert!(journal_back.recv().is_err(), "it was not closed in order");
}

/// A journal in which the newest row is an hour ahead, of another boot of the machine; and by how much.
fn of_another_boot() -> (Engine<MemoryJournal>, Span) {
    let (mut engine, _) = Engine::take_over(MemoryJournal::default()).expect("an empty journal");
    let boot = Boot { id: "another boot".to_owned(), began: Moment(0) };
    let _ = engine.step(clock::now().after(Span::minutes(60)), vec![start_of(boot)]).expect("a step");
    let (engine, _) = Engine::take_over(engine.into_journal()).expect("a journal");
    (engine, Span::minutes(60))
}

fn start_of(boot: Boot) -> Incoming {
    let start =
        Start { version: "test".to_owned(), clean: true, limits: Limits::default(), boot: Some(boot.into()) };
    Incoming::of(Target::Entity(Entity::Installation), Event::Started(start))
}

/// Proves decision 62 for the brain as it runs: if the newest row, written before the machine was started again, is still to
/// come by the wall clock, the step back is told first, and rows are written by the wall clock from then on. What the
/// start says of the boot is what the brain knows, not what somebody saw before the clock was set; so the next start tells
/// nothing.
#[tokio::test]
async fn a_clock_that_went_back_while_the_machine_was_off_is_told_first() {
    let (engine, ahead) = of_another_boot();
    let (closed, journal_back) = channel();
    let close = move |journal| closed.send(journal).expect("the test listens");
    let (brain, _effects) = Brain::start(engine, close).expect("a thread");
    let seen_before = Boot { id: clock::boot().id, began: Moment(0) };
    let told = brain.handle().report(start_of(seen_before)).await;
    tokio::task::spawn_blocking(move || brain.stop()).await.expect("joined");
    assert!(matches!(told, Ok(Ack::Accepted { seq: Seq(3), .. })));
    let journal: MemoryJournal = journal_back.recv().expect("the journal is closed");
    let rows = journal.all();
    let back = rows.iter().find_map(|row| match row.event {
        Event::ClockStepped { by } => Some((row.seq, by.unsigned_abs())),
        _ => None, // not a domain enum
    });
    let (seq, by) = back.expect("the step is told");
    assert!(seq == Seq(2) && by <= ahead.0 && rows[2].at <= clock::now().after(Boot::SLACK), "{seq} {by}");
    let (engine, _) = Engine::take_over(journal).expect("a journal");
    let stored = engine.board().installation().boot.clone().expect("a boot");
    assert_eq!((stored.id.as_str(), stored.stepped_to(&clock::boot())), (clock::boot().id.as_str(), None));
}

/// Proves decision 62: a step is told with the start, which names the boot by which it is told. A brain that ends before its
/// start leaves the journal as it was, for the next one to compare with.
#[tokio::test]
async fn a_brain_that_never_started_tells_no_step() {
    let (engine, _) = of_another_boot();
    let (closed, journal_back) = channel();
    let close = move |journal: MemoryJournal| closed.send(journal).expect("the test listens");
    let (brain, _effects) = Brain::start(engine, close).expect("a thread");
    assert_eq!(brain.asker().ask(|board, _| board.waiting()).await, Some(0));
    tokio::task::spawn_blocking(move || brain.stop()).await.expect("joined");
    assert_eq!(journal_back.recv().expect("the journal is closed").all().len(), 1);
}
