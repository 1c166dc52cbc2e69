//! Which gates run something, and how?

pub mod ci;
mod fragment;
pub mod steps;
