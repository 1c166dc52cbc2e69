//! When is something asked again? Doubling, bounded, without chance: the same journal waits the same time.

use crate::time::Span;

/// The wait before try number `tries` (from 1): 1, 2, 4 ... seconds, at most a minute. As long as a sweep's: whoever was away
/// for hours finds everything caught up within a minute of being back.
pub fn outage(tries: u32) -> Span {
    Span::seconds(doubled(tries.saturating_sub(1)))
}

/// The wait before the deployed service is asked again who it is.
pub const fn probe(tries: u32) -> Span {
    Span(if tries < 10 { 500 } else { 3000 })
}

/// How often a deployed service is asked before its answer stands.
pub const PROBES: u32 = 40;

/// The wait before a closed provider is tried again when it named no time: one minute doubling to an hour.
pub fn provider(refusals: u32) -> Span {
    Span::minutes(doubled(refusals))
}

/// 1, 2, 4 ... and never more than 60.
fn doubled(times: u32) -> u64 {
    (1 << times.min(6)).min(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that waits double and are bounded, so that a retry loop neither spins nor sleeps for ever.
    #[test]
    fn waits_double_and_are_bounded() {
        let waits: Vec<u64> = [1, 2, 3, 6, 7, 4_000_000].map(|n| outage(n).as_seconds()).to_vec();
        assert_eq!(waits, [1, 2, 4, 32, 60, 60]);
        let waits: Vec<u64> = [0, 1, 5, 6, 100].map(|n| provider(n).as_seconds()).to_vec();
        assert_eq!(waits, [60, 120, 32 * 60, 3600, 3600]);
    }

    /// A service that was just deployed is asked twice a second at first, and every three seconds when it takes longer.
    #[test]
    fn a_deployed_service_is_asked_often_at_first() {
        assert_eq!([1, 9, 10, PROBES].map(probe), [500, 500, 3000, 3000].map(Span));
    }
}
