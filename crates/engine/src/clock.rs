//! What time is it for the brain? The only place that it asks; who watches runs, and hubs, ask for themselves.
//!
//! The brain goes by the boot clock, laid on the wall clock once: what waits is not hurried or kept back by somebody who
//! sets the time. A step of the wall clock is noticed at each turn and after a restart, and is an event (decision 46).

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use orch_core::time::{Boot, Moment, Span};
use rustix::time::{ClockId, clock_gettime};

/// Where the kernel names its boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Two looks that are further apart say nothing of one another: somebody else had the processor in between.
const APART: Span = Span(20);

/// Now, in UTC milliseconds.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The boot of the machine as it is seen now.
pub fn boot() -> Boot {
    static ID: OnceLock<String> = OnceLock::new();
    let id = ID.get_or_init(|| std::fs::read_to_string(BOOT_ID).unwrap_or_default().trim().to_owned());
    let mut best: Option<(u64, Moment)> = None;
    for _ in 0..5 {
        let before = up();
        let began = began_at(now(), before);
        let apart = up().0.saturating_sub(before.0);
        if best.is_none_or(|(least, _)| apart < least) {
            best = Some((apart, began));
        }
        if apart <= APART.0 {
            break;
        }
    }
    Boot { id: id.clone(), began: best.map_or(Moment(0), |(_, began)| began) }
}

/// How long the machine has been running, asleep too.
fn up() -> Span {
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    Span(seconds.unwrap_or(0).saturating_mul(1000).saturating_add(nanos.unwrap_or(0) / 1_000_000))
}

fn began_at(wall: Moment, up: Span) -> Moment {
    Moment(wall.0.saturating_sub_unsigned(up.0))
}

/// The brain's clock: the boot clock, counted from when this boot began.
#[derive(Debug)]
pub(crate) struct Steady {
    boot: Boot,
}

impl Steady {
    /// The clock by which `stored` moments are told if they are of the boot that is seen now; a new one after another boot.
    pub(crate) fn of(stored: Option<&Boot>, seen: Boot) -> Self {
        let same = stored.filter(|stored| stored.id == seen.id && !seen.id.is_empty());
        Self { boot: same.cloned().unwrap_or(seen) }
    }

    /// Now, whatever was done to the wall clock since.
    pub(crate) fn now(&self) -> Moment {
        self.at(up())
    }

    fn at(&self, up: Span) -> Moment {
        self.boot.began.after(up)
    }

    /// By how much the wall clock stepped, if it did.
    pub(crate) fn stepped(&self, seen: &Boot) -> Option<i64> {
        self.boot.stepped_to(seen)
    }

    /// All moments were moved by so much.
    pub(crate) fn follow(&mut self, by: i64) {
        self.boot = self.boot.stepped_by(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, wall: i64, up: u64) -> Boot {
        Boot { id: id.to_owned(), began: began_at(Moment(wall), Span(up)) }
    }

    /// Proves that the brain's clock goes on evenly while the wall clock is set, that the step is told once and exactly,
    /// and that it is told after a restart too, but not after another boot.
    #[test]
    fn a_step_is_told_once_and_no_wait_gets_longer() {
        let mut clock = Steady::of(None, seen("a", 1_000_000, 5_000));
        assert_eq!(clock.at(Span(5_000)), Moment(1_000_000));
        // A minute later somebody has set the wall clock an hour back.
        let set = seen("a", 1_060_000 - 3_600_000, 65_000);
        assert_eq!(clock.at(Span(65_000)), Moment(1_060_000));
        assert_eq!(clock.stepped(&set), Some(-3_600_000));
        // A brain that died before it could tell is followed by one that tells it.
        let next = Steady::of(Some(&clock.boot), seen("a", 1_070_000 - 3_600_000, 75_000));
        assert_eq!(next.stepped(&seen("a", 1_070_000 - 3_600_000, 75_000)), Some(-3_600_000));
        clock.follow(-3_600_000);
        assert_eq!(clock.stepped(&set), None);
        assert_eq!(clock.at(Span(65_000)), Moment(1_060_000 - 3_600_000));
        // Of the time while the machine was off only the wall clock knows.
        let after = Steady::of(Some(&clock.boot), seen("b", 9_000_000, 1_000));
        assert_eq!(after.stepped(&seen("b", 9_000_000, 1_000)), None);
        assert_eq!(after.at(Span(1_000)), Moment(9_000_000));
        let nameless = Steady::of(Some(&seen("", 1, 1)), seen("", 9_000_000, 1_000));
        assert_eq!(nameless.stepped(&seen("", 9_000_000, 1_000)), None);
    }

    /// Proves that a look at this machine's clocks is no step.
    #[test]
    fn looks_at_the_real_clocks_agree() {
        let clock = Steady::of(None, boot());
        assert_eq!(clock.stepped(&boot()), None);
        assert!(clock.now().since(now()) <= Boot::SLACK && now().since(clock.now()) <= Boot::SLACK);
    }
}
