//! What are the rows, which of them did a decision change, and which come later?
//!
//! One row a line: `number | sentence`, then, where it applies, `| changed: decision N — what holds instead`,
//! `| later: area` and `| half: what no test proves`. Empty lines and lines that begin with `#` are for people.

use anyhow::{Result, bail};

/// The number of rows there are.
const ROWS: usize = 216;

/// The areas whose rows later issues bring.
const AREAS: &[&str] =
    &["Plane", "Gitea", "Telegram", "security gate", "staging", "self-deploy", "post-deploy monitor"];

/// The file, read.
#[derive(Debug)]
pub(super) struct List {
    pub(super) rows: Vec<Row>,
}

/// One promise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) number: u32,
    pub(super) sentence: String,
    /// The decision that changes it, and what holds instead.
    pub(super) changed: Option<String>,
    /// The area of the issue that brings it.
    pub(super) later: Option<String>,
    /// What the tests behind it do not prove.
    pub(super) half: Option<String>,
}

impl Row {
    /// Whether a test must stand behind it.
    pub(super) fn is_owed(&self) -> bool {
        self.changed.is_none() && self.later.is_none()
    }
}

/// Reads the list; `path` is for the messages.
pub(super) fn parse(path: &str, text: &str) -> Result<List> {
    let mut list = List { rows: Vec::new() };
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match row(line) {
            Ok(row) if row.number as usize == list.rows.len() + 1 => list.rows.push(row),
            Ok(row) => {
                bail!("{path}:{}: row {} where row {} should be", at + 1, row.number, list.rows.len() + 1)
            }
            Err(problem) => bail!("{path}:{}: {problem}", at + 1),
        }
    }
    Ok(list)
}

/// Fails if rows are not there at all.
pub(super) fn require_all(path: &str, list: &List) -> Result<()> {
    if list.rows.len() == ROWS {
        return Ok(());
    }
    bail!("{path} has {} of the {ROWS} rows", list.rows.len())
}

fn row(line: &str) -> Result<Row> {
    let mut fields = line.split(" | ").map(str::trim);
    let Some(number) = fields.next().and_then(|field| field.parse().ok()) else {
        bail!("a line is `number | sentence`, and then `| changed: ...` or `| later: ...`");
    };
    let Some(sentence) = fields.next().filter(|sentence| !sentence.is_empty()) else {
        bail!("row {number} has no sentence");
    };
    let mut row = Row { number, sentence: sentence.to_owned(), changed: None, later: None, half: None };
    for field in fields {
        if let Some(change) = field.strip_prefix("changed: ") {
            if !is_change(change) {
                bail!("row {number}: write `changed: decision N — what holds instead`");
            }
            row.changed = Some(change.to_owned());
        } else if let Some(area) = field.strip_prefix("later: ") {
            if !AREAS.contains(&area) {
                bail!("row {number}: \"{area}\" is none of the areas: {}", AREAS.join(", "));
            }
            row.later = Some(area.to_owned());
        } else if let Some(rest) = field.strip_prefix("half: ") {
            row.half = Some(rest.to_owned());
        } else {
            bail!("row {number}: \"{field}\" is neither `changed: ...`, `later: ...` nor `half: ...`");
        }
    }
    Ok(row)
}

fn is_change(change: &str) -> bool {
    let Some((decision, instead)) = change.split_once(" — ") else { return false };
    let numbers = decision.strip_prefix("decisions ").or_else(|| decision.strip_prefix("decision "));
    let numbered =
        numbers.is_some_and(|numbers| numbers.split(", ").all(|number| number.parse::<u32>().is_ok()));
    numbered && !instead.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse("rows", text).expect_err(text).to_string()
    }

    /// A row says what it is, what changed it and when it comes.
    #[test]
    fn rows_are_read() {
        let text = "# For people\n\n1 | One.\n2 | Two. | changed: decisions 2, 3 — three | later: Plane\n";
        let list = parse("rows", text).expect("it is right");
        assert_eq!(
            list.rows[0],
            Row { number: 1, sentence: "One.".into(), changed: None, later: None, half: None }
        );
        assert!(list.rows[0].is_owed());
        assert_eq!(list.rows[1].changed.as_deref(), Some("decisions 2, 3 — three"));
        assert_eq!(list.rows[1].later.as_deref(), Some("Plane"));
        assert!(!list.rows[1].is_owed());
    }

    /// What cannot be read is named with its line.
    #[test]
    fn wrong_lines_are_named() {
        assert_eq!(problem("1 | One.\n3 | Three."), "rows:2: row 3 where row 2 should be");
        assert!(problem("one").starts_with("rows:1: a line is"));
        assert_eq!(
            problem("1 | "),
            "rows:1: a line is `number | sentence`, and then `| changed: ...` or `| later: ...`"
        );
        assert!(problem("1 | One. | some day").contains("neither"));
        assert!(problem("1 | One. | later: some day").contains("none of the areas"));
        assert!(problem("1 | One. | changed: decision 7").contains("what holds instead"));
        assert!(problem("1 | One. | changed: decision x — y").contains("what holds instead"));
    }

    /// No row gets lost.
    #[test]
    fn all_rows_must_be_there() {
        let list = parse("rows", "1 | One.").expect("it is right");
        assert_eq!(
            require_all("rows", &list).expect_err("215 are lost").to_string(),
            "rows has 1 of the 216 rows"
        );
    }
}
