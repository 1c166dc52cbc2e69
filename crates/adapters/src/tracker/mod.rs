//! Where do people say what they want?

pub mod builtin;

mod slug;

pub use slug::slug;
