//! What time is it in the world, and how do its servers write it? A number that requests and tests move on.

use crate::schedule::Dice;

/// The time of a fake server, and its dice: ids, order and how long things take come from one seed.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Microseconds since 1970.
    now: i64,
    dice: Dice,
}

/// A second, in microseconds.
pub const SECOND: i64 = 1_000_000;

impl Clock {
    /// The clock of a world: it begins at noon of 5 January 2026.
    pub fn new(seed: u64) -> Self {
        Self { now: 1_767_614_400 * SECOND, dice: Dice::new(seed) }
    }

    /// Now, in microseconds since 1970.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// So many microseconds pass.
    pub fn pass(&mut self, microseconds: i64) {
        self.now = self.now.saturating_add(microseconds);
    }

    /// It becomes at least this late.
    pub fn reach(&mut self, moment: i64) {
        self.now = self.now.max(moment);
    }

    /// As long as the work on a request takes: 2 to 40 milliseconds.
    pub(super) fn work(&mut self) {
        let spent = self.between(2_000, 40_000);
        self.pass(spent);
    }

    /// A number from `least` to below `most`.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let wide = most.saturating_sub(least).max(1).unsigned_abs();
        least.saturating_add((self.dice.roll() % wide) as i64)
    }

    /// A random id (version 4).
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.dice.roll(), self.dice.roll());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 50),
            low & 0xffff_ffff_ffff
        )
    }

    /// So many random hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.dice.roll()));
        }
        text.truncate(digits);
        text
    }

    /// The dice.
    pub(super) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }
}

/// A moment with microseconds, in UTC: `2026-01-05T12:00:00.000000Z`.
pub fn precise(moment: i64) -> String {
    let whole = seconds(moment);
    format!("{}.{:06}Z", whole.trim_end_matches('Z'), moment.rem_euclid(SECOND))
}

/// A moment in whole seconds, in UTC: `2026-01-05T12:00:00Z`.
pub fn seconds(moment: i64) -> String {
    let seconds = moment.div_euclid(SECOND);
    let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The civil date of a day since 1970, in the proleptic Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments are civil dates, on leap days and before 1970 too.
    #[test]
    fn moments_are_dates() {
        assert_eq!(seconds(1_767_614_400 * SECOND), "2026-01-05T12:00:00Z");
        assert_eq!(precise(951_782_400 * SECOND + 7), "2000-02-29T00:00:00.000007Z");
        assert_eq!(seconds(-1), "1969-12-31T23:59:59Z");
    }

    /// The same seed makes the same ids, and they look like version 4.
    #[test]
    fn ids_come_from_the_seed() {
        let (mut one, mut other) = (Clock::new(7), Clock::new(7));
        let id = one.uuid();
        assert_eq!(id, other.uuid());
        assert_eq!(id.len(), 36);
        assert!(id.split('-').nth(2).is_some_and(|part| part.starts_with('4')), "{id}");
        assert_eq!(one.hex(40).len(), 40);
    }
}
