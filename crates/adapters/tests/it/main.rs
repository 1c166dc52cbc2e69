//! The adapters against the real programs, in temporary folders.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod bench;
mod git_calls;
mod git_forge;
mod git_hub;
mod git_trees;
mod process;
mod tracker;
