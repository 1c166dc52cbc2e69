//! The world on a bench.

pub mod contract;
