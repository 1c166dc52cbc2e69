//! What time is it? The only place in the workspace that asks.

use std::time::{SystemTime, UNIX_EPOCH};

use orch_core::time::Moment;

/// Now, in UTC milliseconds.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
