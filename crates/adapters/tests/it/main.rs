//! The adapters against the real programs, in temporary folders.

mod bench;
mod git_calls;
