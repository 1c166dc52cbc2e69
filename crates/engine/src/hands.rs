//! Who performs the effects? Lanes of their own for short work and for work that starts something, so that control work
//! never queues behind agents' runs.

use std::sync::Arc;

use orch_core::call::Failure;
use orch_core::effect::{Effect, Line};
use orch_core::event::{EffectReply, Outcome};
use orch_core::refusal::Refusal;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::handle::{Handle, Incoming, NotTaken};
use crate::ports::{Perform, Performed};

/// The hands of a brain.
pub struct Hands {
    perform: Perform,
    handle: Handle,
    /// A tracker that hangs takes no place from a merge or a deploy.
    tracker: Arc<Semaphore>,
    control: Arc<Semaphore>,
    runs: Arc<Semaphore>,
    cleanup: Arc<Semaphore>,
    /// A push may hang until its deadline: it takes no place from what moves a task.
    records: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Hands {
    /// Hands that perform with this function and report to this brain.
    pub fn new(perform: Perform, handle: Handle) -> Self {
        Self {
            perform,
            handle,
            tracker: Arc::new(Semaphore::new(8)),
            control: Arc::new(Semaphore::new(16)),
            runs: Arc::new(Semaphore::new(8)),
            cleanup: Arc::new(Semaphore::new(1)),
            records: Arc::new(Semaphore::new(2)),
            tasks: TaskTracker::new(),
        }
    }

    /// Performs an effect in the background and reports what came of it until the journal has it.
    pub fn take(&self, effect: Effect) {
        let lane = match &effect.line {
            Line::Tracker(_) => Arc::clone(&self.tracker),
            Line::Git(_) | Line::Deploy(_) => Arc::clone(&self.control),
            Line::Run(_) => Arc::clone(&self.runs),
            Line::Cleanup(_) => Arc::clone(&self.cleanup),
            Line::Records(_) => Arc::clone(&self.records),
        };
        let (perform, handle) = (Arc::clone(&self.perform), self.handle.clone());
        self.tasks.spawn(async move {
            let Ok(_place) = lane.acquire_owned().await else { return };
            let (id, entity) = (effect.id, effect.entity.clone());
            // An adapter that ends in a defect may have done its work: looked up, never taken for undone.
            let performed = tokio::spawn(perform(effect)).await.unwrap_or_else(|defect| Performed {
                outcome: Outcome::Failed(Failure::unknown(Refusal::Defect { cause: defect.to_string() })),
                blobs: Vec::new(),
            });
            let reply = EffectReply { effect: id, outcome: performed.outcome };
            let incoming = Incoming::reply(handle.term(), entity, reply);
            report(&handle, incoming.with(performed.blobs)).await;
        });
    }

    /// Waits until nothing is in hand.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Reports until it is in the journal: a full disk delays it, a stop ends it (the effect is then driven again).
pub async fn report(handle: &Handle, incoming: Incoming) {
    let mut tries = 0;
    loop {
        match handle.report(incoming.clone()).await {
            Ok(_) | Err(NotTaken::Stopped) => return,
            Err(error @ (NotTaken::Overloaded | NotTaken::Full | NotTaken::Store(_))) => {
                tries += 1;
                tracing::warn!(%error, tries, "a reply waits for the journal");
                let wait = orch_core::backoff::outage(tries);
                tokio::time::sleep(std::time::Duration::from_millis(wait.0)).await;
            }
        }
    }
}
