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
    /// The clock by which what is stored is told: the boot that was stored, when the `newest` row was written, and the boot
    /// that is seen now.
    pub(crate) fn of(stored: Option<&Boot>, newest: Option<Moment>, seen: &Boot) -> Self {
        Self::at_start(stored, newest, seen, up())
    }

    fn at_start(stored: Option<&Boot>, newest: Option<Moment>, seen: &Boot, up: Span) -> Self {
        Self { boot: Boot::by_which(stored, newest, seen, seen.began.after(up)) }
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
        self.boot = self.boot(Some(by));
    }

    /// The boot by which moments are told, after this step.
    pub(crate) fn boot(&self, step: Option<i64>) -> Boot {
        self.boot.stepped_by(step.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &str, wall: i64, up: u64) -> Boot {
        Boot { id: id.to_owned(), began: began_at(Moment(wall), Span(up)) }
    }

    /// Proves that the brain's clock goes on evenly while the wall clock is set, that the step is told once and exactly,
    /// and that it is told after a restart too.
    #[test]
    fn a_step_is_told_once_and_no_wait_gets_longer() {
        let mut clock = Steady::at_start(None, None, &seen("a", 1_000_000, 5_000), Span(5_000));
        assert_eq!(clock.at(Span(5_000)), Moment(1_000_000));
        // A minute later somebody has set the wall clock an hour back.
        let set = seen("a", 1_060_000 - 3_600_000, 65_000);
        assert_eq!(clock.at(Span(65_000)), Moment(1_060_000));
        assert_eq!(clock.stepped(&set), Some(-3_600_000));
        // A brain that died before it could tell is followed by one that tells it.
        let later = seen("a", 1_070_000 - 3_600_000, 75_000);
        let next = Steady::at_start(Some(&clock.boot), Some(Moment(1_060_000)), &later, Span(75_000));
        assert_eq!(next.stepped(&later), Some(-3_600_000));
        clock.follow(-3_600_000);
        assert_eq!(clock.stepped(&set), None);
        assert_eq!(clock.at(Span(65_000)), Moment(1_060_000 - 3_600_000));
    }

    /// Proves that of the time while the machine was off only the wall clock knows, and that one which went back meanwhile, or
    /// which nobody set yet, is a step that is told once, like any other.
    #[test]
    fn a_machine_that_is_started_again_goes_on_from_the_newest_row() {
        let (stored, newest) = (seen("a", 1_000_000, 5_000), Some(Moment(8_000_000)));
        let start = |seen: &Boot| Steady::at_start(Some(&stored), newest, seen, Span(1_000));
        let off = seen("b", 9_000_000, 1_000);
        let after = start(&off);
        assert_eq!((after.stepped(&off), after.at(Span(1_000))), (None, Moment(9_000_000)));
        let unset = seen("b", 7_000, 1_000);
        let mut after = start(&unset);
        assert_eq!((after.stepped(&unset), after.at(Span(1_000))), (Some(-7_993_000), Moment(8_000_000)));
        after.follow(-7_993_000);
        assert_eq!((after.stepped(&unset), after.at(Span(2_000))), (None, Moment(8_000)));
        assert_eq!(after.stepped(&seen("b", 9_000_000, 2_000)), Some(8_992_000));
    }

    /// Proves that a look at this machine's clocks is no step.
    #[test]
    fn looks_at_the_real_clocks_agree() {
        let agree = || {
            let clock = Steady::of(None, None, &boot());
            let near = |a: Moment, b: Moment| a.since(b) <= Boot::SLACK;
            clock.stepped(&boot()).is_none() && near(clock.now(), now()) && near(now(), clock.now())
        };
        // Between two looks somebody else may have the processor for long, or the machine's clock be set; not each time.
        assert!((0..20).any(|_| agree()));
    }
}
