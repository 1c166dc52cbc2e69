//! The brain as it runs: a thread of its own around the step that the simulator proves.

mod brain;
mod start;

use orch_core::event::{Event, Start};
use orch_core::id::Entity;
use orch_core::policy::Limits;
use orch_engine::{Incoming, Target};

/// The brain is told that it serves.
fn started() -> Incoming {
    let start = Start { version: "test".to_owned(), clean: true, limits: Limits::default(), boot: None };
    Incoming::of(Target::Entity(Entity::Installation), Event::Started(start))
}
