//! When is something asked again? Doubling, bounded, without chance: the same journal waits the same time.

use crate::time::Span;

/// The wait before try number `tries` (from 1): 1, 2, 4 ... seconds, at most a minute. As long as a sweep's: whoever was away
/// for hours finds everything caught up within a minute of being back.
pub const fn outage(tries: u32) -> Span {
    let doubled = 1u64 << if tries > 6 { 6 } else { tries.saturating_sub(1) };
    Span::seconds(if doubled > 60 { 60 } else { doubled })
}

/// The wait before the deployed service is asked again who it is.
pub const fn probe(tries: u32) -> Span {
    Span(if tries < 10 { 500 } else { 3000 })
}

/// How often a deployed service is asked before its answer stands.
pub const PROBES: u32 = 40;

/// The wait before a closed provider is tried again when it named no time: one minute doubling to an hour.
pub const fn provider(refusals: u32) -> Span {
    let doubled = 1u64 << if refusals > 6 { 6 } else { refusals };
    Span::minutes(if doubled > 60 { 60 } else { doubled })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that waits double and are bounded, so that a retry loop neither spins nor sleeps for ever.
    #[test]
    fn waits_double_and_are_bounded() {
        let waits: Vec<u64> = [1, 2, 3, 6, 7, 4_000_000].map(|n| outage(n).as_seconds()).to_vec();
        assert_eq!(waits, [1, 2, 4, 32, 60, 60]);
        assert_eq!(provider(100), Span::minutes(60));
    }
}
