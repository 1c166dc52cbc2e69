//! Does anybody wait for the brain who should not?

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use orch_core::board::Entry;
use orch_core::call::{Call, Failure, GitCall};
use orch_core::effect::{Effect, Timer};
use orch_core::event::{EffectReply, Event, Outcome, Start};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::{Batch, Head, Journal, Kept, Row};
use orch_core::policy::Limits;
use orch_core::stage::Preset;
use orch_core::time::{Boot, Moment, Span};
use orch_engine::clock;
use orch_engine::handle::NotTaken;
use orch_engine::run::Brain;
use orch_engine::{Ack, Engine, Incoming, Target};
use orch_sim::MemoryJournal;
use orch_sim::memory::MemoryError;

use crate::{issue, policy, started};

/// So long nothing here takes; who waits longer waits for ever.
const LONG: Duration = Duration::from_secs(60);

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
        self.go.recv_timeout(LONG).expect("the test lets it through");
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

/// A brain on such a journal, and what the test has of it.
struct Held {
    brain: Brain,
    committing: Receiver<()>,
    let_through: Sender<()>,
    /// The journal, when it was closed in order.
    closed: Receiver<MemoryJournal>,
}

impl Held {
    fn on(inner: MemoryJournal) -> Self {
        let (begins, committing) = channel();
        let (let_through, go) = channel();
        let (engine, _) = Engine::take_over(Slow { inner, committing: begins, go }).expect("a sound journal");
        let (closes, closed) = channel();
        let close = move |journal: Slow| closes.send(journal.inner).expect("the test listens");
        let (brain, _effects) = Brain::start(engine, close).expect("a thread");
        Self { brain, committing, let_through, closed }
    }
}

/// What comes from another thread, without standing in the way of this one's runtime.
async fn received<T: Send + 'static>(from: Receiver<T>) -> (T, Receiver<T>) {
    let waits = tokio::task::spawn_blocking(move || from.recv_timeout(LONG).map(|it| (it, from)));
    waits.await.expect("joined").expect("it comes")
}

/// What this comes to; it does not take for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, what).await.expect("it does not take for ever")
}

async fn stopped(brain: Brain) {
    soon(tokio::task::spawn_blocking(move || brain.stop())).await.expect("joined");
}

fn pause(request: &str) -> Incoming {
    let what = Press::Pause { drain: false };
    let gesture = Gesture { request: request.to_owned(), by: "ann".to_owned(), via: Door::Api, what };
    Incoming::of(Target::Entity(Entity::Installation), Event::Gesture(gesture))
}

/// row 8: Webhook calls to the engine run off the event loop.
/// Proves also that nobody is answered before the commit, and that the same request is answered as done.
#[tokio::test]
async fn the_event_loop_never_waits_for_the_brain() {
    let Held { brain, committing, let_through, closed } = Held::on(MemoryJournal::default());
    let handle = brain.handle();
    let serves = handle.report(started());
    let ((), committing) = received(committing).await;
    let_through.send(()).expect("the brain waits");
    assert!(matches!(soon(serves).await, Ok(Ack::Accepted { seq: Seq(1), .. })));
    let asked = tokio::spawn({
        let handle = handle.clone();
        async move { handle.submit(pause("one")).await }
    });
    // This runtime has one thread: it would stand still here if the engine ran on it.
    let ((), _committing) = received(committing).await;
    assert!(!asked.is_finished(), "nobody is answered before the commit");
    let_through.send(()).expect("the brain waits");
    assert!(matches!(soon(asked).await.expect("joined"), Ok(Ack::Accepted { seq: Seq(2), .. })));
    assert_eq!(soon(handle.submit(pause("one"))).await, Ok(Ack::Duplicate));
    stopped(brain).await;
    assert_eq!(received(closed).await.0.all().len(), 2);
    assert!(handle.submit(pause("three")).await.is_err());
}

/// Proves that all that waits at a stop is committed and answered, from inside and from outside, however many commits it
/// takes, and that nothing is taken after it.
#[tokio::test]
async fn what_waits_at_a_stop_is_committed() {
    /// More than one commit takes, by far.
    const MANY: usize = 300;
    let Held { brain, committing, let_through, closed } = Held::on(MemoryJournal::default());
    let handle = brain.handle();
    let serves = handle.report(started());
    let ((), committing) = received(committing).await;
    let_through.send(()).expect("the brain waits");
    assert!(matches!(soon(serves).await, Ok(Ack::Accepted { .. })));
    // While this one is committed, everything else waits.
    let held = handle.report(pause("held"));
    let ((), _committing) = received(committing).await;
    let inside: Vec<_> = (0..MANY).map(|n| handle.report(pause(&format!("inside {n}")))).collect();
    let mut outside = Vec::new();
    while !handle.is_full() {
        let (handle, request) = (handle.clone(), format!("outside {}", outside.len()));
        outside.push(tokio::spawn(async move { handle.submit(pause(&request)).await }));
        tokio::task::yield_now().await;
    }
    let stops = tokio::task::spawn_blocking(move || brain.stop());
    // The queue is full, so this one is refused, and at last because of the stop.
    let refused = async {
        while handle.submit(pause("late")).await == Err(NotTaken::Overloaded) {
            tokio::task::yield_now().await;
        }
        handle.report(pause("later")).await
    };
    assert_eq!(soon(refused).await, Err(NotTaken::Stopped));
    for _ in 0..MANY {
        let_through.send(()).expect("the brain waits");
    }
    soon(stops).await.expect("joined");
    let rows = 2 + inside.len() + outside.len();
    assert_eq!(received(closed).await.0.all().len(), rows);
    assert!(matches!(soon(held).await, Ok(Ack::Accepted { .. })));
    for waits in inside {
        let told = soon(waits).await;
        assert!(matches!(told, Ok(Ack::Accepted { .. })), "{told:?}");
    }
    for waits in outside {
        let told = soon(waits).await.expect("joined");
        assert!(matches!(told, Ok(Ack::Accepted { .. })), "{told:?}");
    }
}

/// Proves that a frozen brain writes nothing more, not even what waited already, says why to all who wait, and is not
/// closed in order.
#[tokio::test]
async fn a_frozen_brain_writes_nothing() {
    let Held { brain, committing, let_through, closed } = Held::on(MemoryJournal::default());
    let handle = brain.handle();
    let first = handle.report(pause("first"));
    let ((), committing) = received(committing).await;
    // It waits in the queue when the brain is frozen.
    let waits = handle.report(pause("second"));
    handle.freeze("a page is torn".to_owned());
    // One more than it may need.
    for _ in 0..2 {
        let_through.send(()).expect("the brain waits");
    }
    assert!(matches!(soon(first).await, Ok(Ack::Accepted { seq: Seq(1), .. })));
    let refused = NotTaken::Store("a page is torn".to_owned());
    assert_eq!(soon(waits).await, Err(refused.clone()));
    assert_eq!(soon(handle.report(pause("third"))).await, Err(refused));
    stopped(brain).await;
    assert!(committing.try_recv().is_err(), "nothing was committed");
    assert!(closed.try_recv().is_err(), "it was not closed in order");
}

/// A journal of an hour ago, and as many tasks in it as timers, each of which was due soon after.
fn of_timers(many: u64) -> MemoryJournal {
    let (mut engine, _) = Engine::take_over(MemoryJournal::default()).expect("an empty journal");
    let then = Moment(clock::now().0 - 3_600_000);
    let known = orch_sim::bench::policy(Preset::Library);
    let begin = [policy(&known, "policy"), started()].into_iter().chain((1..=many).map(issue));
    let mut stepped = engine.step(then, begin.collect()).expect("a step");
    loop {
        let term = engine.term();
        let cuts =
            stepped.perform.iter().filter(|it| matches!(it.call, Call::Git(GitCall::CutBranch { .. })));
        let failed = cuts.map(|cut| {
            let outcome = Outcome::Failed(Failure::transient("nobody answers"));
            Incoming::reply(term, cut.entity.clone(), EffectReply { effect: cut.id, outcome })
        });
        let failed: Vec<_> = failed.collect();
        if failed.is_empty() {
            break;
        }
        stepped = engine.step(then, failed).expect("a step");
    }
    assert_eq!(engine.journal().armed_timers().expect("timers").len() as u64, many);
    engine.into_journal()
}

/// Proves that a frozen brain does not write what is due either: more timers were due than one step decides, so that some
/// still are when the step is committed during which it was frozen. One that is not frozen goes on with them by itself.
#[tokio::test]
async fn a_frozen_brain_does_nothing_that_is_due() {
    for frozen in [false, true] {
        let Held { brain, committing, let_through, closed } = Held::on(of_timers(300));
        let (handle, asker) = (brain.handle(), brain.asker());
        let serves = handle.report(started());
        let ((), committing) = received(committing).await;
        if frozen {
            handle.freeze("a page is torn".to_owned());
        }
        for _ in 0..2 {
            let_through.send(()).expect("the brain waits");
        }
        assert!(matches!(soon(serves).await, Ok(Ack::Accepted { .. })));
        // Who is answered twice was answered after a whole turn.
        for _ in 0..2 {
            assert!(soon(asker.ask(|_, _| ())).await.is_some());
        }
        assert_eq!(committing.try_recv().is_err(), frozen, "the rest is due");
        stopped(brain).await;
        assert!(committing.try_recv().is_err(), "nothing more was committed");
        assert_eq!(closed.try_recv().is_err(), frozen, "only one that is not frozen is closed in order");
    }
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
    let told = soon(brain.handle().report(start_of(seen_before))).await;
    stopped(brain).await;
    assert!(matches!(told, Ok(Ack::Accepted { seq: Seq(3), .. })));
    let (journal, _): (MemoryJournal, _) = received(journal_back).await;
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
    assert_eq!(soon(brain.asker().ask(|board, _| board.waiting())).await, Some(0));
    stopped(brain).await;
    assert_eq!(received(journal_back).await.0.all().len(), 1);
}
