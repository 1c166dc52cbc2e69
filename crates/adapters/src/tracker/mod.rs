//! Where do people say what they want?

pub mod builtin;

pub mod slug;

pub use slug::slug;
