//! What does the real program do when a person types? Settings, repositories, exit codes, JSON; and whole
//! stories, from an issue to a deployed change, with every way of dying on the way. No network but loopback,
//! except in `real_input`, which fetches a published crate.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what cannot be set up fails the test")]

mod stage;
mod reference;
mod replay;
mod settings;
mod policy;
mod environment;
mod init;
mod commands;
mod doctor;
mod scene;
mod facts;
mod demo;
mod drill;
mod own;
mod end_to_end;
mod kills;
mod yard;
mod sessions;
mod down;
mod bad_input;
mod full;
mod untestable;
mod unread;
mod containment;
mod real_input;
mod at_once;
mod claude;
mod people;
mod russian;
mod sim;
