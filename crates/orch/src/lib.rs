//! What does a person type, and what does an installation say? Settings, subcommands and the only place of exit codes.
//!
//! Only this crate reads arguments, environment and configuration files (`ARCHITECTURE.md`).

pub mod error;
pub mod refusals;
pub mod home;
pub mod log;
pub mod settings;
pub mod policy_file;
pub mod reload;
pub mod reference;
pub mod repository;
pub mod detect;
pub mod client;
pub mod left;
pub mod words;
pub mod language;
pub mod screen;
pub mod ids;
pub mod compose;
pub mod demo;
pub mod drill;
pub mod cmd;

pub use cmd::run;
