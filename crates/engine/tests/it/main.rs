//! The brain as it runs: a thread of its own around the step that the simulator proves.

mod brain;
mod start;
