//! The world on a bench: stories and random histories.

mod pipeline;
mod rows;
mod stories;
mod full_disk;
