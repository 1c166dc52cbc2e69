//! How are numbers shown to people? Tokens, money, moments, spans and models' names, the same everywhere.

use super::{Lang, say};
use crate::event::Usage;
use crate::time::{Moment, Span};

/// Tokens in three digits or so: `999`, `12.3k`, `4.5M`.
pub fn tokens(n: u64) -> String {
    let scaled = |unit: u64, letter: char| {
        let tenths = n.saturating_add(unit / 20) / (unit / 10);
        if tenths.is_multiple_of(10) {
            format!("{}{letter}", tenths / 10)
        } else {
            format!("{}.{}{letter}", tenths / 10, tenths % 10)
        }
    };
    match n {
        0..1_000 => n.to_string(),
        1_000..999_950 => scaled(1_000, 'k'),
        999_950.. => scaled(1_000_000, 'M'),
    }
}

/// Bytes in the unit that fits, to two digits after the point: `1.25 GiB`, `512 MiB`.
pub fn bytes(n: u64, lang: Lang) -> String {
    let units = match lang {
        Lang::En => ["KiB", "MiB", "GiB", "TiB"],
        Lang::Ru => ["КиБ", "МиБ", "ГиБ", "ТиБ"],
    };
    let mut at = 0;
    while at + 1 < units.len() && n >> (10 * (at + 2)) > 0 {
        at += 1;
    }
    let shift = 10 * (at + 1);
    let hundredths = (u128::from(n) * 100) >> shift;
    let point = match lang {
        Lang::En => '.',
        Lang::Ru => ',',
    };
    let whole = hundredths / 100;
    match hundredths % 100 {
        0 => format!("{whole} {}", units[at]),
        part if part % 10 == 0 => format!("{whole}{point}{} {}", part / 10, units[at]),
        part => format!("{whole}{point}{part:02} {}", units[at]),
    }
}

/// Millionths of a US dollar: `$0.42`; what rounds to nothing is shown as `<$0.01`, not as 0.
pub fn money(microdollars: u64) -> String {
    let cents = microdollars.saturating_add(5_000) / 10_000;
    if microdollars > 0 && cents == 0 {
        return "<$0.01".to_owned();
    }
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// The price of some work, or that it is unknown: never 0 for unknown (decision 12).
pub fn cost(usage: Usage, lang: Lang) -> String {
    usage.microdollars.map_or_else(|| say(lang, "cost-unknown", []), money)
}

/// A moment in UTC: `2026-01-02 15:04 UTC`.
pub fn moment(at: Moment) -> String {
    let (day, minute) = day_and_minute(at);
    format!("{day} {minute} UTC")
}

/// A moment in UTC to the second, for what comes soon: `2026-01-02 15:04:05 UTC`. Never earlier than the moment itself.
pub fn instant(at: Moment) -> String {
    let second = Moment(at.0.saturating_add(999).div_euclid(1000).saturating_mul(1000));
    let (day, minute) = day_and_minute(second);
    format!("{day} {minute}:{:02} UTC", second.0.rem_euclid(60_000) / 1000)
}

fn day_and_minute(at: Moment) -> (String, String) {
    let minutes = at.0.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Days since 0000-03-01, so that the leap day is the last of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (format!("{year:04}-{month:02}-{day:02}"), format!("{:02}:{:02}", minute / 60, minute % 60))
}

/// A span with its units in the language.
pub fn span(span: Span, lang: Lang) -> String {
    let english = span.to_string();
    match lang {
        Lang::En => english,
        Lang::Ru => english
            .split(' ')
            .map(|word| match word {
                "ms" => "мс",
                "s" => "с",
                "min" => "мин",
                "h" => "ч",
                "d" => "д",
                number => number,
            })
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that tokens and money are shown short, rounded, and never as nothing when they are something.
    #[test]
    fn figures_are_short() {
        let shown = [0, 999, 1_000, 12_345, 99_950, 999_949, 999_950, 1_500_000, 12_340_000].map(tokens);
        assert_eq!(shown, ["0", "999", "1k", "12.3k", "100k", "999.9k", "1M", "1.5M", "12.3M"]);
        let shown = [0, 1, 4_999, 5_000, 420_000, 1_999_999, 123_456_789].map(money);
        assert_eq!(shown, ["$0.00", "<$0.01", "<$0.01", "$0.01", "$0.42", "$2.00", "$123.46"]);
        assert_eq!(tokens(u64::MAX), "18446744073709.5M");
        let sizes = [0, 1023, 1024, 1536, 1 << 20, (1 << 30) + (1 << 28), (3 << 40) + (1 << 39)];
        let shown = sizes.map(|n| bytes(n, Lang::En));
        assert_eq!(shown, ["0 KiB", "0.99 KiB", "1 KiB", "1.5 KiB", "1 MiB", "1.25 GiB", "3.5 TiB"]);
        assert_eq!(bytes((1 << 30) + (1 << 28), Lang::Ru), "1,25 ГиБ");
        assert_eq!(bytes(u64::MAX, Lang::En), "16777215.99 TiB");
        assert_eq!(money(u64::MAX).len(), 18);
        assert_eq!(cost(Usage::default(), Lang::En), "price unknown");
        assert_eq!(cost(Usage { microdollars: Some(0), ..Usage::default() }, Lang::Ru), "$0.00");
    }

    /// Proves that moments are civil dates, also before 1970 and on leap days.
    #[test]
    fn moments_are_dates() {
        let shown =
            [0, 951_825_600_000, 1_767_366_299_999, -60_000, 4_107_542_400_000].map(|ms| moment(Moment(ms)));
        assert_eq!(
            shown,
            [
                "1970-01-01 00:00 UTC",
                "2000-02-29 12:00 UTC",
                "2026-01-02 15:04 UTC",
                "1969-12-31 23:59 UTC",
                "2100-03-01 00:00 UTC"
            ]
        );
        assert!(!moment(Moment(i64::MIN)).is_empty() && !moment(Moment(i64::MAX)).is_empty());
        let soon = [1_767_366_299_001, 1_767_366_240_000, -1].map(|ms| instant(Moment(ms)));
        assert_eq!(soon, ["2026-01-02 15:05:00 UTC", "2026-01-02 15:04:00 UTC", "1970-01-01 00:00:00 UTC"]);
        assert!(!instant(Moment(i64::MIN)).is_empty() && !instant(Moment(i64::MAX)).is_empty());
        assert_eq!(span(Span(7_500_000), Lang::Ru), "2 ч 5 мин");
    }
}
