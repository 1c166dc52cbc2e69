//! Does the whole of Orch keep its promises? The real core and engine against a fake world, deterministic from a seed.
//!
//! [`bench`] drives it: it chooses what happens next, injects crashes and lost answers, and checks the named
//! [`invariant`]s after each step. [`script`] tells stories as text, [`history`] invents them, and [`shrink`] makes
//! one shorter that breaks a promise. [`power`] is the disk under a real program, after a power cut.

pub mod memory;
pub mod twin;
pub mod schedule;
pub mod fault;
pub mod world;
pub mod http;
pub mod bench;
mod people;
pub mod invariant;
pub mod script;
pub mod history;
pub mod shrink;
pub mod walk;
pub mod words;
pub mod contract;
pub mod power;

pub use memory::MemoryJournal;
