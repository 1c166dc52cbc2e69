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

/// A time zone as far as days need it: where it stands against UTC, and when that changes (decision 46). Made outside of
/// this crate, which has no table of time zones; without an entry it is UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calendar(Vec<(Moment, i32)>);

const DAY: i64 = 86_400_000;

impl Calendar {
    /// From each moment on so many seconds east of UTC; before the first moment as from it on.
    pub fn new(mut offsets: Vec<(Moment, i32)>) -> Self {
        offsets.sort_unstable();
        if offsets.iter().all(|(_, seconds)| *seconds == 0) {
            offsets.clear();
        }
        Self(offsets)
    }

    /// Whether a day is a day in UTC.
    pub fn is_utc(&self) -> bool {
        self.0.is_empty()
    }

    /// The stretches of time that have one offset each: until when, and its milliseconds.
    fn stretches(&self) -> impl Iterator<Item = (Moment, i64)> {
        let ends = self.0.iter().skip(1).map(|(from, _)| *from).chain([Moment(i64::MAX)]);
        let utc = self.is_utc().then_some((Moment(i64::MAX), 0));
        let own = self.0.iter().zip(ends).map(|((_, seconds), until)| (until, i64::from(*seconds) * 1000));
        own.chain(utc)
    }

    /// The day of a moment, as days since 1970.
    pub fn day_of(&self, at: Moment) -> i64 {
        let offset = self.stretches().find(|(until, _)| at < *until).map_or(0, |(_, offset)| offset);
        at.0.saturating_add(offset).div_euclid(DAY)
    }

    /// When the day after that of a moment begins.
    pub fn next_day(&self, at: Moment) -> Moment {
        let begins = self.day_of(at).saturating_add(1).saturating_mul(DAY);
        let mut from = at;
        for (until, offset) in self.stretches().filter(|(until, _)| at < *until) {
            let midnight = Moment(begins.saturating_sub(offset)).max(from);
            if midnight < until {
                return midnight;
            }
            from = until;
        }
        Moment(i64::MAX)
    }
}

/// A boot of the machine: which, and when it began, by the wall clock of when that was looked at (decision 46).
///
/// The boot clock goes on whatever happens to the wall clock, so the same boot that began at another moment is a wall
/// clock that stepped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The kernel's name for it; empty where it has none.
    pub id: String,
    /// When it began, in UTC milliseconds.
    pub began: Moment,
}

impl Boot {
    /// What is less than this is no step: both clocks are read one after the other. Small steps add up, for the first look
    /// stays what the later ones are compared with.
    pub const SLACK: Span = Span(500);

    /// The boot by whose clock what is stored is told, for who looks at the clocks `now` and has `seen` this boot: the stored
    /// one, if it is the same. If the machine was started again meanwhile, it is the one that is seen, and only its wall clock
    /// knows for how long the machine was off. But time did not go back: if the `newest` row is still to come by that
    /// clock, it was set, or nobody set it yet, and what is stored is told by one that is ahead by so much (decision 62).
    #[must_use]
    pub fn by_which(stored: Option<&Boot>, newest: Option<Moment>, seen: &Boot, now: Moment) -> Boot {
        let named = !seen.id.is_empty();
        match stored.filter(|stored| named && stored.id == seen.id) {
            Some(same) => same.clone(),
            None if !named => seen.clone(),
            None => {
                let ahead = newest.map_or(Span(0), |newest| newest.since(now));
                Boot { id: seen.id.clone(), began: seen.began.after(ahead) }
            }
        }
    }

    /// By how many milliseconds the wall clock stepped between this look and a later one, forward positive. `None`: it did
    /// not; or they are not of one boot, and say nothing of one another.
    pub fn stepped_to(&self, later: &Boot) -> Option<i64> {
        let by = later.began.0.saturating_sub(self.began.0);
        let same = self.id == later.id && !self.id.is_empty();
        (same && by.unsigned_abs() > Self::SLACK.0).then_some(by)
    }

    /// This moment and `by` milliseconds later, or earlier.
    #[must_use]
    pub fn stepped_by(&self, by: i64) -> Boot {
        Boot { id: self.id.clone(), began: self.began.stepped_by(by) }
    }
}

impl Moment {
    /// This moment and `span` later; stays at the end of time instead of overflowing.
    pub fn after(self, span: Span) -> Moment {
        Moment(self.0.saturating_add_unsigned(span.0))
    }

    /// The same moment by a wall clock that stepped by so many milliseconds, forward positive.
    #[must_use]
    pub fn stepped_by(self, by: i64) -> Moment {
        Moment(self.0.saturating_add(by))
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

    /// Proves that days are days of the time zone: also where one has 23 or 25 hours, or its midnight is left out.
    #[test]
    fn days_follow_the_time_zone() {
        const HOUR: i64 = 3_600_000;
        assert_eq!(Calendar::default().day_of(Moment(-1)), -1);
        assert_eq!(Calendar::default().next_day(Moment(5)), Moment(DAY));
        // Two hours east; from hour 73 on, which is 03:00 of day 3 there, three.
        let berlin = Calendar::new(vec![(Moment(0), 7200), (Moment(73 * HOUR), 10_800)]);
        let begins = |day: i64| berlin.next_day(Moment((day - 1) * DAY + 12 * HOUR)).0;
        assert_eq!((begins(3), begins(4)), (3 * DAY - 2 * HOUR, 4 * DAY - 3 * HOUR));
        assert_eq!(begins(4) - begins(3), 23 * HOUR);
        assert_eq!(berlin.day_of(Moment(begins(4) - 1)), 3);
        assert_eq!(berlin.day_of(Moment(begins(4))), 4);
        // West, and back by an hour at 02:00 of day 3: 25 hours.
        let west = Calendar::new(vec![(Moment(0), -4 * 3600), (Moment(3 * DAY + 6 * HOUR), -5 * 3600)]);
        let (three, four) = (west.next_day(Moment(3 * DAY)), west.next_day(Moment(3 * DAY + 12 * HOUR)));
        assert_eq!(four.since(three), Span(25 * HOUR.cast_unsigned()));
        // The clock is put on by an hour at midnight itself: the day begins at 01:00.
        let gap = Calendar::new(vec![(Moment(0), 3600), (Moment(2 * DAY - HOUR), 7200)]);
        assert_eq!(gap.next_day(Moment(2 * DAY - 2 * HOUR)), Moment(2 * DAY - HOUR));
        assert_eq!(gap.day_of(Moment(2 * DAY - HOUR)), 2);
        assert!(Calendar::new(vec![(Moment(0), 0)]).is_utc());
    }

    /// Proves that only a wall clock that stepped within one boot is a step: not a look that was a little late, not a
    /// machine that was started again, and not one whose boots have no name. Small steps add up.
    #[test]
    fn a_step_is_known_by_the_boot_clock() {
        let boot = |id: &str, began| Boot { id: id.to_owned(), began: Moment(began) };
        let first = boot("a", 1_000_000);
        assert_eq!(first.stepped_to(&boot("a", 1_000_500)), None);
        assert_eq!(first.stepped_to(&boot("a", 999_500)), None);
        assert_eq!(first.stepped_to(&boot("a", 1_000_501)), Some(501));
        assert_eq!(first.stepped_to(&boot("a", 1_000_000 - 3_600_000)), Some(-3_600_000));
        assert_eq!(first.stepped_to(&boot("b", 9_000_000)), None);
        assert_eq!(boot("", 1).stepped_to(&boot("", 9_000_000)), None);
        assert_eq!(first.stepped_by(501).stepped_to(&boot("a", 1_000_501)), None);
        assert_eq!(boot("a", 1).stepped_to(&boot("a", i64::MAX)), Some(i64::MAX - 1));
    }

    /// Proves decision 62 for a machine that was started again: that it was off is no step, and a wall clock by which the
    /// newest row is still to come went back, by at least that; half a second is none, and without a name nothing is compared.
    #[test]
    fn time_does_not_go_back_while_a_machine_is_off() {
        let boot = |id: &str, began| Boot { id: id.to_owned(), began: Moment(began) };
        let (stored, newest, seen) = (boot("a", 1_000_000), Some(Moment(5_000_000)), boot("b", 2_000_000));
        let stepped =
            |stored: Option<&Boot>, now| Boot::by_which(stored, newest, &seen, Moment(now)).stepped_to(&seen);
        assert_eq!(Boot::by_which(Some(&stored), newest, &boot("a", 7), Moment(8)), stored);
        assert_eq!(Boot::by_which(Some(&stored), newest, &seen, Moment(9_000_000)), seen);
        assert_eq!([9_000_000, 5_000_000, 4_999_500].map(|now| stepped(Some(&stored), now)), [None; 3]);
        assert_eq!(stepped(Some(&stored), 4_999_499), Some(-501));
        assert_eq!(stepped(None, 2_001_000), Some(-2_999_000));
        assert_eq!(Boot::by_which(None, None, &seen, Moment(1)), seen);
        let nameless = boot("", 2_000_000);
        assert_eq!(Boot::by_which(Some(&boot("", 1)), newest, &nameless, Moment(1)), nameless);
    }

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

    /// Proves that at the very moment at which the clocks change the new time holds, and that a day which begins twice, because
    /// the clocks go back at midnight, begins the second time.
    #[test]
    fn clocks_change_at_a_moment() {
        let eleven = Moment(DAY - 3_600_000);
        let forward = Calendar::new(vec![(Moment(0), 0), (eleven, 3600)]);
        assert_eq!([eleven.stepped_by(-1), eleven].map(|at| forward.day_of(at)), [0, 1]);
        assert_eq!(forward.next_day(eleven.stepped_by(-1)), eleven);
        let back = Calendar::new(vec![(Moment(0), 3600), (eleven, 0)]);
        assert_eq!(back.next_day(Moment(0)), Moment(DAY));
        assert_eq!([eleven, Moment(DAY)].map(|at| back.day_of(at)), [0, 1]);
    }
}
