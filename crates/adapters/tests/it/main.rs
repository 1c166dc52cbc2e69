//! The integration tests of the adapters, one module a room.

mod process;
