//! How is it done outside? One folder a vendor; each takes a call of `orch_core::call` and gives its reply.
//!
//! Everything here blocks: call it from a thread that may.

pub mod failure;
pub mod forge;
pub mod git;
pub mod tracker;

mod tables;

pub use tables::TablesError;
