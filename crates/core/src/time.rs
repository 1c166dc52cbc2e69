//! What is a moment, what is a span? Values only: this crate has no clock, so it has no `now()` (decision 46).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point in time: UTC milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// A length of time in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Moment {
    /// This moment and `span` later; stays at the end of time instead of overflowing.
    pub fn after(self, span: Span) -> Moment {
        Moment(self.0.saturating_add_unsigned(span.0))
    }

    /// How long since `earlier`; zero if the clock went back meanwhile.
    pub fn since(self, earlier: Moment) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Span {
    /// `n` seconds.
    pub const fn seconds(n: u64) -> Span {
        Span(n * 1000)
    }

    /// `n` minutes.
    pub const fn minutes(n: u64) -> Span {
        Span(n * 60_000)
    }

    /// Whole seconds in it.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }
}

impl fmt::Display for Span {
    /// Two units at most, as people say it: `840 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.as_seconds();
        let pair = |f: &mut fmt::Formatter<'_>, a: u64, x: &str, b: u64, y: &str| {
            if b == 0 { write!(f, "{a} {x}") } else { write!(f, "{a} {x} {b} {y}") }
        };
        match s {
            0 => write!(f, "{} ms", self.0),
            1..60 => write!(f, "{s} s"),
            60..3600 => pair(f, s / 60, "min", s % 60, "s"),
            3600..86_400 => pair(f, s / 3600, "h", s % 3600 / 60, "min"),
            86_400.. => pair(f, s / 86_400, "d", s % 86_400 / 3600, "h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that spans read as people say them, and that a clock that went back gives zero, not a wrap.
    #[test]
    fn spans_read_well() {
        let say = |ms| Span(ms).to_string();
        assert_eq!(
            [say(840), say(12_000), say(200_000), say(7_500_000), say(4 * 86_400_000 + 3_600_000)],
            ["840 ms", "12 s", "3 min 20 s", "2 h 5 min", "4 d 1 h"]
        );
        assert_eq!(Moment(5).since(Moment(9)), Span(0));
    }
}
