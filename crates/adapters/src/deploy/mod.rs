//! How is a commit of main brought out, and what does the deployed service say of itself?

pub mod hook;
pub mod probe;
