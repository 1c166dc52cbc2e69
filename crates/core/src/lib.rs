//! What should happen next? The pipeline as a pure state machine: no clock, no I/O, no environment, no randomness.
//!
//! Read in this order: [`stage`] and [`event`] (what there is), [`decide`] (the table), [`apply`] (the only way state is
//! made), [`board`] (whose turn it is), [`hold`] (what a task waits for).

pub mod id;
pub mod time;
pub mod event;
pub mod call;
pub mod effect;
pub mod reason;
pub mod task;
pub mod state;
pub mod change;
pub mod decide;
pub mod stage;
pub mod gate;
pub mod gesture;
pub mod news;
mod press;
pub mod outside;
pub mod edited;
mod runs;
pub mod others;
pub mod desk;
pub mod rework;
pub mod board;
pub mod hold;
pub mod surface;
pub mod apply;
pub mod backoff;
pub mod policy;
pub mod artefact;
pub mod record;
pub mod frontmatter;
pub mod journal;
pub mod replay;
pub mod note;
pub mod refusal;
pub mod hindrance;
pub mod undone;
pub mod said;
pub mod message;
