//! The front door from outside: who gets in, what is answered, what is shown.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

mod memory;
mod sample;
mod house;
mod auth;
mod gestures;
mod edits;
mod reading;
mod stream;
mod hooks;
mod pages;
mod wire;
