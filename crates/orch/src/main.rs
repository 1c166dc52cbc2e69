//! Orch
fn main() {}
