//! What does the engine ask of the outside? Plain data through one boxed function: it names no adapter (architecture).

use std::pin::Pin;
use std::sync::Arc;

use orch_core::effect::Effect;
use orch_core::event::Outcome;
use orch_core::journal::Blob;

/// What came of a call, and the texts that the answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performed {
    /// The answer or the failure.
    pub outcome: Outcome,
    /// To be kept with it.
    pub blobs: Vec<Blob>,
}

/// A call on its way.
pub type Performing = Pin<Box<dyn Future<Output = Performed> + Send>>;

/// Performs an effect: looks first whether it already happened, then acts, then answers.
pub type Perform = Arc<dyn Fn(Effect) -> Performing + Send + Sync>;
