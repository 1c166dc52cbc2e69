//! What must every implementation of a contract do? The real ones and the simulator's run the same suites.

pub mod journal;
pub mod sample;
