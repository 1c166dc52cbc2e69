//! How is it done outside? One folder a kind, in it a folder or file a vendor; each takes a call of `orch_core::call` and gives its reply.
//!
//! Everything here blocks, where it does not say `async`: call it from a thread that may.

pub mod tracker;
pub mod forge;
pub mod git;
pub mod agent;
pub mod gate;
pub mod deploy;
pub mod run;
pub mod process;
pub mod lease;
pub mod http;
pub mod failure;

mod tables;

pub use tables::{Log, TablesError};
