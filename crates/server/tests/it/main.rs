//! The front door from outside: who gets in, what is answered, what is shown.

mod memory;
mod sample;
mod house;
mod auth;
mod gestures;
mod reading;
mod stream;
mod hooks;
mod pages;
mod wire;
