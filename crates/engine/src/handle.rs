//! How does anybody tell the brain something, and when is it true? After the commit, and not before.

use orch_core::event::{EffectReply, Event};
use orch_core::id::{Entity, Seq};
use orch_core::journal::Blob;
use orch_core::reason::Reason;

use crate::run::Inbox;

/// Something that happened, on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Whom it is about.
    pub target: Target,
    /// The key under which it counts once, if the caller has a better one than the event itself (a delivery's id).
    pub key: Option<String>,
    /// What happened.
    pub event: Event,
    /// The texts it names.
    pub blobs: Vec<Blob>,
    /// Of a reply: which brain asked.
    pub asked_by: Option<Term>,
}

/// Which brain? Each that leads has another, for it writes before it asks anything. A reply counts only for the brain that
/// asked: its successor asks again itself, and whoever performs that looks first whether it happened (decision 74).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term(pub(crate) Seq);

/// Whom an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This entity.
    Entity(Entity),
    /// The task of the issue that the reading names; a new one gets its id from this prefix.
    Issue {
        /// The project's prefix.
        prefix: String,
    },
}

impl Incoming {
    /// An event with its own key and no texts.
    pub fn of(target: Target, event: Event) -> Self {
        Self { target, key: None, event, blobs: Vec::new(), asked_by: None }
    }

    /// The same with texts.
    #[must_use]
    pub fn with(mut self, blobs: Vec<Blob>) -> Self {
        self.blobs.extend(blobs);
        self
    }

    /// What came of an effect that this brain asked for.
    pub fn reply(asked_by: Term, entity: Entity, reply: EffectReply) -> Self {
        let told = Self::of(Target::Entity(entity), Event::Reply(Box::new(reply)));
        Self { asked_by: Some(asked_by), ..told }
    }

    /// The same under this key.
    #[must_use]
    pub fn keyed(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ack {
    /// It is in the journal.
    Accepted {
        /// Where.
        seq: Seq,
        /// Why it did what it did.
        reasons: Vec<Reason>,
    },
    /// Its key was taken before: done already.
    Duplicate,
    /// It says what is known, or answers another brain: nothing was written (decisions 2, 74).
    Unchanged,
}

/// Why an event was not taken. It may be handed in again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The queue is full: try again in a moment (decision 33).
    #[error("the queue of events is full; try again in a moment")]
    Overloaded,
    /// The store refused the commit.
    #[error("the journal could not be written: {0}")]
    Store(String),
    /// The disk has no room for the commit.
    #[error("the disk is full, and nothing was written")]
    Full,
    /// The brain stopped.
    #[error("the brain is stopping; try again when it serves")]
    Stopped,
}

/// The door to the brain.
#[derive(Clone)]
pub struct Handle {
    inbox: std::sync::Arc<Inbox>,
    term: Term,
}

impl Handle {
    pub(crate) fn new(inbox: std::sync::Arc<Inbox>, term: Term) -> Self {
        Self { inbox, term }
    }

    /// Which brain it is the door to.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Hands in an event from outside and waits for its commit. Sheds when the queue is full.
    pub async fn submit(&self, incoming: Incoming) -> Result<Ack, NotTaken> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.inbox.push_outside(incoming, tell)?;
        told.await.map_err(|_| NotTaken::Stopped)?
    }

    /// Whether [`Handle::submit`] would shed now: who is to be refused can be refused before any work is spent on it.
    pub fn is_full(&self) -> bool {
        self.inbox.is_full()
    }

    /// Whether nothing is written any more: who would write into the same store beside the brain asks first.
    ///
    /// # Errors
    /// Nothing is written, and why.
    pub fn may_write(&self) -> Result<(), NotTaken> {
        self.inbox.frozen().map_or(Ok(()), |cause| Err(NotTaken::Store(cause)))
    }

    /// Nothing is written any more, for this cause: a check found the store damaged. Ends with the process.
    pub fn freeze(&self, cause: String) {
        self.inbox.freeze(cause);
    }

    /// Hands in an event that must not be lost: replies, ends of runs. Never sheds. It is handed in at once, before what
    /// comes from outside later; the commit is waited for by who awaits it.
    pub fn report(&self, incoming: Incoming) -> impl Future<Output = Result<Ack, NotTaken>> + Send + use<> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let pushed = self.inbox.push_inside(incoming, tell);
        async move {
            pushed?;
            told.await.map_err(|_| NotTaken::Stopped)?
        }
    }
}
