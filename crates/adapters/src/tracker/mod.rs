//! Where do people say what they want?

pub mod builtin;
