//! What does the real program do when a person types? Settings, repositories, exit codes, JSON; no network.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up fails the test")]

mod stage;
mod reference;
mod settings;
mod policy;
mod environment;
mod init;
mod commands;
mod doctor;
mod yard;
mod bad_input;
mod containment;
