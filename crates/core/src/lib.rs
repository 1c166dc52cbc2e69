//! What should happen next? The pipeline as a pure state machine: no clock, no I/O, no environment, no randomness.
//!
//! Read in this order: [`stage`] and [`event`] (what there is), [`decide`] (the table), [`apply`] (the only way state is
//! made), [`board`] (whose turn it is), [`hold`] (what a task waits for).

pub mod artefact;
pub mod call;
pub mod change;
pub mod effect;
pub mod event;
pub mod frontmatter;
pub mod gate;
pub mod gesture;
pub mod id;
pub mod journal;
pub mod message;
pub mod policy;
pub mod reason;
pub mod rework;
pub mod stage;
pub mod state;
pub mod task;
pub mod time;
