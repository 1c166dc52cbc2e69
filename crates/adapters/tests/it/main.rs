//! The integration tests of the adapters, one module a room.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its own functions")]

mod process;
