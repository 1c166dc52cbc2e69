//! Who turns the engine? One thread that owns the journal: it sleeps until something comes or is due, takes what is there,
//! and commits it together (decision 33).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use orch_core::board::{Board, Policies};
use orch_core::effect::Effect;
use orch_core::event::Event;
use orch_core::id::{Entity, Seq};
use orch_core::journal::Journal;
use orch_core::time::Moment;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::{self, Steady};
use crate::handle::{Ack, Handle, Incoming, NotTaken, Target};
use crate::step::Engine;

/// How many events one commit takes at most. More would cost memory and the patience of those who wait, and save little: an
/// event costs far more than its share of a commit by then.
const BATCH: usize = 128;
/// How many events from outside may wait before new ones are shed: two commits' worth, so that who is let in is
/// answered soon, and fewer than the front door has connections, so that a refusal is said and not only waited for.
const QUEUE: usize = 2 * BATCH;
/// The longest sleep while something is due later: the clock that a thread sleeps by stands still while the machine does,
/// and a clock that was set is noticed.
const NAP: Duration = Duration::from_secs(60);

type Told = oneshot::Sender<Result<Ack, NotTaken>>;

/// What waits to be taken by the engine's thread.
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    inside: VecDeque<(Incoming, Told)>,
    outside: VecDeque<(Incoming, Told)>,
    questions: VecDeque<Question>,
    stop: bool,
    /// Why nothing is written any more, if so.
    frozen: Option<String>,
}

type Question = Box<dyn FnOnce(&Board, &Policies) + Send>;

impl Inbox {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes nothing more: what would be written would be written into a damaged store.
    pub(crate) fn freeze(&self, cause: String) {
        self.lock().frozen = Some(cause);
        self.bell.notify_one();
    }

    /// Why nothing is taken any more, if so.
    pub(crate) fn frozen(&self) -> Option<String> {
        self.lock().frozen.clone()
    }

    pub(crate) fn push_outside(&self, incoming: Incoming, tell: Told) -> Result<(), NotTaken> {
        let mut waiting = self.lock();
        if waiting.stop {
            return Err(NotTaken::Stopped);
        }
        if let Some(cause) = &waiting.frozen {
            return Err(NotTaken::Store(cause.clone()));
        }
        if waiting.outside.len() >= QUEUE {
            return Err(NotTaken::Overloaded);
        }
        waiting.outside.push_back((incoming, tell));
        self.bell.notify_one();
        Ok(())
    }

    /// Whether something from outside would be shed now.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().outside.len() >= QUEUE
    }

    pub(crate) fn push_inside(&self, incoming: Incoming, tell: Told) -> Result<(), NotTaken> {
        let mut waiting = self.lock();
        if waiting.stop {
            return Err(NotTaken::Stopped);
        }
        if let Some(cause) = &waiting.frozen {
            return Err(NotTaken::Store(cause.clone()));
        }
        waiting.inside.push_back((incoming, tell));
        self.bell.notify_one();
        Ok(())
    }
}

/// A running brain.
pub struct Brain {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
    handle: Handle,
    head: watch::Receiver<Seq>,
    waiting: Arc<AtomicU64>,
}

impl Brain {
    /// Starts the engine's thread. Until it is told [`Event::Started`] it takes only what is reported from inside: nothing
    /// from outside is decided by limits or policies that are older than the start. Effects that may start come out of the
    /// receiver; `close` gets the journal when the brain has stopped in order; a frozen one has not.
    pub fn start<J>(
        mut engine: Engine<J>,
        close: impl FnOnce(J) + Send + 'static,
    ) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Effect>)>
    where
        J: Journal + Send + 'static,
    {
        let inbox = Arc::new(Inbox { waiting: Mutex::default(), bell: Condvar::new() });
        let (effects, to_perform) = mpsc::unbounded_channel();
        let (head_is, head) = watch::channel(engine.head());
        let mine = Arc::clone(&inbox);
        let term = engine.term();
        let waiting = Arc::new(AtomicU64::new(engine.board().waiting() as u64));
        let waits = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("brain".to_owned()).spawn(move || {
            let _end = DiesWithTheBrain;
            turn(&mut engine, &mine, &effects, &head_is, &waits);
            // One that was frozen did not stop in order: the next start looks at all of the store.
            if mine.lock().frozen.is_none() {
                close(engine.into_journal());
            }
        })?;
        let handle = Handle::new(Arc::clone(&inbox), term);
        Ok((Self { inbox, thread: Some(thread), handle, head, waiting }, to_perform))
    }

    /// The door to it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where the journal ends; changes with every commit.
    pub fn head(&self) -> watch::Receiver<Seq> {
        self.head.clone()
    }

    /// How many tasks wait for a turn, as of the last commit; read without waiting for the brain.
    pub fn waiting(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.waiting)
    }

    /// A way to ask the board something, between two commits.
    pub fn asker(&self) -> Asker {
        Asker { inbox: Arc::clone(&self.inbox) }
    }

    /// Lets what waits be committed, and ends the thread.
    pub fn stop(mut self) {
        self.inbox.lock().stop = true;
        self.inbox.bell.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the brain's thread ended by a panic");
        }
    }
}

/// A brain that panicked must not leave a process that takes what nobody decides: dying is what everything here survives.
struct DiesWithTheBrain;

impl Drop for DiesWithTheBrain {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the brain ended in a defect; the process ends with it and can be started again");
            std::process::abort();
        }
    }
}

/// Asks the board.
#[derive(Clone)]
pub struct Asker {
    inbox: Arc<Inbox>,
}

impl Asker {
    /// What `look` sees on the board; `None` if the brain stopped.
    pub async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Board, &Policies) -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        {
            let mut waiting = self.inbox.lock();
            if waiting.stop {
                return None;
            }
            waiting.questions.push_back(Box::new(move |board, policies| {
                let _ = tell.send(look(board, policies));
            }));
        }
        self.inbox.bell.notify_one();
        told.await.ok()
    }
}

fn turn<J: Journal>(
    engine: &mut Engine<J>,
    inbox: &Inbox,
    effects: &mpsc::UnboundedSender<Effect>,
    head: &watch::Sender<Seq>,
    waits: &AtomicU64,
) {
    // What lies in the journal is told by the clock of the brain that wrote it: if that was set meanwhile, it is told first.
    let stored = engine.board().installation().boot.as_deref();
    let mut clock = Steady::of(stored, engine.left_at(), &clock::boot());
    let mut wake = None;
    loop {
        let Next { taken, questions, stop, frozen } = next(inbox, engine.serves(), wake, &clock);
        for question in questions {
            question(engine.board(), engine.policies());
        }
        let (mut incoming, told): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
        if let Some(cause) = frozen {
            for tell in told {
                let _ = tell.send(Err(NotTaken::Store(cause.clone())));
            }
            // Nor is anything due any more.
            wake = None;
            if stop {
                return;
            }
            continue;
        }
        let starts = |incoming: &&mut Incoming| matches!(incoming.event, Event::Started(_));
        let start = incoming.iter_mut().find(starts);
        // Until the brain serves it goes by the clock of the one before it: a step that came meanwhile is told with the start,
        // and with it the boot by which everything is told from then on.
        let step = clock.stepped(&clock::boot()).filter(|_| start.is_some() || engine.serves());
        if let Some(Incoming { event: Event::Started(start), .. }) = start {
            start.boot = Some(Box::new(clock.boot(step)));
        }
        if let Some(by) = step {
            tracing::warn!(
                by,
                "the wall clock was set by so many milliseconds; waits stay as long as they were"
            );
            let target = Target::Entity(Entity::Installation);
            incoming.insert(0, Incoming::of(target, Event::ClockStepped { by }));
        }
        let due = wake.is_some_and(|at| at <= clock.now());
        let now = clock.now().stepped_by(step.unwrap_or(0));
        if !incoming.is_empty() || due {
            match engine.step(now, incoming) {
                Ok(mut stepped) => {
                    if let Some(by) = step {
                        clock.follow(by);
                        stepped.acks.remove(0);
                    }
                    wake = stepped.wake;
                    waits.store(engine.board().waiting() as u64, Ordering::Relaxed);
                    head.send_if_modified(|seq| std::mem::replace(seq, stepped.head) != stepped.head);
                    for (tell, ack) in told.into_iter().zip(stepped.acks) {
                        let _ = tell.send(Ok(ack));
                    }
                    for effect in stepped.perform {
                        let _ = effects.send(effect);
                    }
                }
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the journal could not be written; work waits");
                    let refused = match engine.journal().is_full(&error) {
                        true => NotTaken::Full,
                        false => NotTaken::Store(chain(&error)),
                    };
                    for tell in told {
                        let _ = tell.send(Err(refused.clone()));
                    }
                    // By the clock that was not followed yet.
                    wake = Some(clock.now().after(orch_core::time::Span::seconds(1)));
                }
            }
        }
        if stop {
            return;
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What there is to do.
struct Next {
    taken: Vec<(Incoming, Told)>,
    questions: Vec<Question>,
    /// Nothing comes after this.
    stop: bool,
    /// Nothing of it may be written, for this cause.
    frozen: Option<String>,
}

/// Sleeps until there is something to do, and takes up to a batch of it: what comes from inside goes first, and what comes
/// from outside waits until the brain serves.
fn next(inbox: &Inbox, serves: bool, wake: Option<Moment>, clock: &Steady) -> Next {
    let mut waiting = inbox.lock();
    loop {
        let nothing = waiting.inside.is_empty()
            && (!serves || waiting.outside.is_empty())
            && waiting.questions.is_empty()
            && !waiting.stop;
        let left = wake.map(|at| at.since(clock.now()));
        if !nothing || left.is_some_and(|left| left.0 == 0) {
            break;
        }
        waiting = match left {
            Some(left) => {
                let nap = Duration::from_millis(left.0).min(NAP);
                let (guard, slept) =
                    inbox.bell.wait_timeout(waiting, nap).unwrap_or_else(PoisonError::into_inner);
                waiting = guard;
                if slept.timed_out() && nap == NAP {
                    break;
                }
                waiting
            }
            None => inbox.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner),
        };
    }
    let mut taken = Vec::new();
    while taken.len() < BATCH {
        match waiting.inside.pop_front().or_else(|| if serves { waiting.outside.pop_front() } else { None }) {
            Some(one) => taken.push(one),
            None => break,
        }
    }
    let questions = waiting.questions.drain(..).collect();
    let stop = waiting.stop && waiting.inside.is_empty() && (!serves || waiting.outside.is_empty());
    Next { taken, questions, stop, frozen: waiting.frozen.clone() }
}
