//! How is it made to happen, once? One synchronous step over a journal; a writer thread and hands around it.
//!
//! [`step::Engine`] has no thread, lock, clock or random number inside: the simulator runs it byte-identical from a seed.
//! [`run`] wraps it in a thread with an inbox, [`hands`] performs effects on tokio.

pub mod step;
mod recent;
pub mod dispatch;
pub mod handle;
pub mod run;
pub mod hands;
pub mod ports;
pub mod clock;

pub use handle::{Ack, Handle, Incoming, Target, Term};
pub use step::{Engine, Stepped};
