//! How is the table of the drills told: to a person, to a program, in a file?

use orch_core::time::Span;
use serde_json::{Value, json};

use super::{Drill, Outcome, Row, both};
use crate::screen::{ASKS, BAD, DIM, GOOD, paint, wrapped};

/// Seconds, as people read them.
fn seconds(span: Span) -> String {
    let seconds = span.0 as f64 / 1000.0;
    both!("{seconds:.2} s", "{seconds:.2} с")
}

fn recovery(row: &Row) -> String {
    row.recovery.map_or_else(|| "-".to_owned(), seconds)
}

/// The lines of a drill, as it is known; which of how many it is.
pub fn told(row: &Row, at: usize, of: usize) -> String {
    let style = match row.outcome {
        Outcome::Held => GOOD,
        Outcome::Broken => BAD,
        Outcome::NotTried => ASKS,
    };
    let (recovered, took) = (recovery(row), seconds(row.took));
    let beside = both!("recovered in {recovered}, {took} in all", "восстановление {recovered}, всего {took}");
    let which = paint(DIM, &format!("{at}/{of}"));
    let beside = paint(DIM, &beside);
    let mut text = format!("{which}  {}  {}  {beside}\n", paint(style, row.outcome.said()), row.drill.name());
    let labels = [
        (both!("fault", "сбой"), row.drill.fault()),
        (both!("expected", "ожидалось"), row.drill.expected()),
        (both!("happened", "произошло"), row.happened.clone()),
    ];
    let width = labels.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    for (label, said) in labels {
        for (at, line) in wrapped(&said, 96).iter().enumerate() {
            let label = if at == 0 { label.as_str() } else { "" };
            text.push_str(&format!("  {}  {line}\n", paint(DIM, &format!("{label:<width$}"))));
        }
    }
    text
}

/// How many came out how.
pub fn summary(rows: &[Row]) -> String {
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let (held, broken, not) = (count(Outcome::Held), count(Outcome::Broken), count(Outcome::NotTried));
    both!(
        "{held} held, {broken} broken, {not} not tried",
        "выдержано: {held}, не выдержано: {broken}, не проверено: {not}"
    )
}

/// The same for programs.
pub fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "drill": row.drill.name(),
            "outcome": row.outcome.name(),
            "fault": row.drill.fault(),
            "expected": row.drill.expected(),
            "happened": row.happened,
            "recovery_ms": row.recovery.map(|span| span.0),
            "took_ms": row.took.0,
        })
    };
    json!({ "drills": rows.iter().map(row).collect::<Vec<_>>() })
}

/// A table in Markdown.
pub fn markdown(rows: &[Row]) -> String {
    // Words of the system stand in a cell: they are neither markup nor the end of it.
    let cell = |text: &str| {
        let mut out = String::new();
        for c in text.chars() {
            match c {
                '\n' | '\r' => out.push(' '),
                '|' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '\\' => out.extend(['\\', c]),
                _ => out.push(c), // not a domain enum
            }
        }
        out
    };
    let mut text = both!(
        "| drill | outcome | fault | expected | happened | recovery |",
        "| учение | итог | сбой | ожидалось | произошло | восстановление |"
    );
    text.push_str("\n|---|---|---|---|---|---|\n");
    for row in rows {
        let cells = [
            row.drill.name().to_owned(),
            row.outcome.said().to_owned(),
            row.drill.fault(),
            row.drill.expected(),
            row.happened.clone(),
            recovery(row),
        ];
        text.push_str(&format!("| {} |\n", cells.map(|text| cell(&text)).join(" | ")));
    }
    let (version, summary) = (env!("CARGO_PKG_VERSION"), summary(rows));
    text.push_str(&format!("\nOrch {version}. {summary}.\n"));
    text
}

/// What there is to try.
pub fn list() -> String {
    let width = Drill::ALL.map(|drill| drill.name().len()).into_iter().max().unwrap_or(0);
    let line = |drill: Drill| format!("{:<width$}  {}\n", drill.name(), drill.fault());
    Drill::ALL.map(line).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that words of the system cannot end a cell of the report or become markup in it (decision 10), and that a
    /// drill that was not tried has a row with its reason.
    #[test]
    fn a_report_is_a_table() {
        let row = Row {
            drill: Drill::DiskFull,
            outcome: Outcome::NotTried,
            happened: "a | b\n<b>".to_owned(),
            recovery: None,
            took: Span(0),
        };
        let text = markdown(std::slice::from_ref(&row));
        let line = text.lines().find(|line| line.starts_with("| disk-full |")).unwrap();
        assert!(line.ends_with("| a \\| b \\<b\\> | - |"), "{line}");
        assert!(line.contains("| not tried |"), "{line}");
        assert!(text.contains("0 held, 0 broken, 1 not tried"), "{text}");
        assert_eq!(json(&[row])["drills"][0]["recovery_ms"], Value::Null);
    }

    /// Proves that each drill says what it breaks and what must come of it.
    #[test]
    fn each_drill_says_what_it_is() {
        assert_eq!(list().lines().count(), Drill::ALL.len());
        for drill in Drill::ALL {
            assert!(drill.fault().len() > 20 && drill.expected().len() > 20, "{}", drill.name());
        }
    }
}
