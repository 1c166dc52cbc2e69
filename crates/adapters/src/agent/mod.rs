//! How is an agent told what to do, started and stopped?

pub mod prompt;
