//! Which of the 216 rows is behind us: what shows that each of them holds?
//!
//! The rows are in `docs/rows.src`, the tests that prove them say so in their doc comments, and this puts both
//! side by side in `docs/rows.md`.

mod list;
pub(crate) mod quotes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

use crate::source::Source;
use crate::workspace;
use list::{List, Row};
use quotes::Quote;

const LIST: &str = "docs/rows.src";

/// Says how many rows are shown, and fails for missing ones.
pub(crate) fn run(root: &Path) -> Result<()> {
    let (list, shown) = gather(root)?;
    println!("{}", Counts::of(&list, &shown));
    let missing: Vec<String> = missing(&list, &shown).map(|row| row.number.to_string()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing: {}", missing.join(", "));
    bail!("{} rows have nothing behind them; see docs/rows.md", missing.len())
}

/// The text of `docs/rows.md`.
pub(crate) fn table(root: &Path) -> Result<String> {
    let (list, shown) = gather(root)?;
    Ok(render(&list, &shown))
}

type Shown = BTreeMap<u32, Vec<Quote>>;

fn gather(root: &Path) -> Result<(List, Shown)> {
    let list = list::parse(LIST, &workspace::read(root, LIST)?)?;
    list::require_all(LIST, &list)?;
    let mut found = Vec::new();
    for file in workspace::files(root)? {
        let ours = file.starts_with("crates/") || file.starts_with("xtask/src/tidy");
        if ours && file.ends_with(".rs") {
            found.extend(quotes::of(&Source::new(&file, &workspace::read(root, &file)?)));
        }
    }
    let (shown, problems) = compare(&list, found);
    if problems.is_empty() {
        return Ok((list, shown));
    }
    bail!("tests quote rows that do not exist like that:\n  {}", problems.join("\n  "))
}

/// Puts each quote under its row, or says what is wrong with it.
fn compare(list: &List, found: Vec<Quote>) -> (Shown, Vec<String>) {
    let (mut shown, mut problems) = (Shown::new(), Vec::new());
    for mut quote in found {
        let place = format!("{}:{}", quote.path, quote.line);
        let Some(row) = list.rows.iter().find(|row| row.number == quote.row) else {
            problems.push(format!("{place}: there is no row {} in {LIST}", quote.row));
            continue;
        };
        match quote.sentence(&row.sentence) {
            Some(sentence) => {
                quote.sentences = vec![sentence];
                shown.entry(row.number).or_default().push(quote);
            }
            None => problems.push(format!(
                "{place}: row {} is not \"{}\" but \"{}\"",
                row.number,
                quote.sentences.last().map_or("", String::as_str),
                row.sentence
            )),
        }
    }
    (shown, problems)
}

fn missing<'a>(list: &'a List, shown: &'a Shown) -> impl Iterator<Item = &'a Row> {
    list.rows.iter().filter(|row| row.is_owed() && !shown.contains_key(&row.number))
}

/// How many rows stand where. A row with a test counts as tested, whatever else is said of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    all: usize,
    tested: usize,
    /// Of the tested ones: those of which a part is not proved.
    half: usize,
    changed: usize,
    later: usize,
    missing: usize,
}

impl Counts {
    fn of(list: &List, shown: &Shown) -> Counts {
        let mut counts = Counts { all: list.rows.len(), ..Counts::default() };
        for row in &list.rows {
            let place = if shown.contains_key(&row.number) {
                &mut counts.tested
            } else if row.later.is_some() {
                &mut counts.later
            } else if row.changed.is_some() {
                &mut counts.changed
            } else {
                &mut counts.missing
            };
            *place += 1;
            counts.half += usize::from(row.half.is_some());
        }
        counts
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { all, tested, half, changed, later, missing } = self;
        write!(
            f,
            "{all} rows: {tested} with a test ({half} of them by half), {changed} changed by a decision, {later} later, {missing} missing"
        )
    }
}

fn render(list: &List, shown: &Shown) -> String {
    let mut text = String::from(
        "# The 216 rows\n\n\
         Made by `cargo xtask regen` from `docs/rows.src` and the doc comments of the tests; not written by hand.\n\n\
         Each row is a promise of the orchestrator that came before this one. Behind it stands the test that proves it\n\
         (with the sentence that the test says it proves), the decision that changes it with what holds instead, or\n\
         the area of the issue that will bring it.\n\n",
    );
    let _ = writeln!(text, "{}.\n", Counts::of(list, shown));
    text.push_str("| row | what holds | shown by |\n|---:|---|---|\n");
    for row in &list.rows {
        let mut behind: Vec<String> = Vec::new();
        for quote in shown.get(&row.number).into_iter().flatten() {
            let sentence = quote.sentences.first().map_or("", String::as_str);
            behind.push(format!("`{}::{}`: \"{sentence}\"", quote.path, quote.test));
        }
        behind.extend(row.changed.as_ref().map(|change| format!("changed: {change}")));
        behind.extend(row.later.as_ref().map(|area| format!("later: {area}")));
        behind.extend(row.half.as_ref().map(|rest| format!("by half: {rest}")));
        if behind.is_empty() {
            behind.push("**missing**".to_owned());
        }
        let _ =
            writeln!(text, "| {} | {} | {} |", row.number, cell(&row.sentence), cell(&behind.join("<br>")));
    }
    text
}

/// Text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "1 | One is so. [A-1] | half: the other half\n2 | Two a|b is so.\n3 | Three. | changed: decision 7 — it is four\n\
                        4 | Four. | later: Plane\n5 | Five.\n";

    fn outcome(rust: &str) -> (List, Shown, Vec<String>) {
        let list = list::parse(LIST, ROWS).expect("the list is right");
        let (shown, problems) = compare(&list, quotes::of(&Source::new("crates/x/src/a.rs", rust)));
        (list, shown, problems)
    }

    /// Tests, decisions and issues to come stand in the table, with what is missing.
    #[test]
    fn the_table_shows_what_is_behind_each_row() {
        let rust = "/// row 1: One is so.\n#[test]\nfn one() {}\n\n/// Row 2: Two a|b\n/// is so.\n#[test]\nfn two() {}\n";
        let (list, shown, problems) = outcome(rust);
        assert_eq!(problems, [""; 0]);
        assert_eq!(
            Counts::of(&list, &shown),
            Counts { all: 5, tested: 2, half: 1, changed: 1, later: 1, missing: 1 }
        );
        let text = render(&list, &shown);
        let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        assert_eq!(
            table,
            [
                "| 1 | One is so. [A-1] | `crates/x/src/a.rs::one`: \"One is so.\"<br>by half: the other half |",
                "| 2 | Two a\\|b is so. | `crates/x/src/a.rs::two`: \"Two a\\|b is so.\" |",
                "| 3 | Three. | changed: decision 7 — it is four |",
                "| 4 | Four. | later: Plane |",
                "| 5 | Five. | **missing** |",
            ]
        );
    }

    /// A row that is quoted wrongly, or does not exist, is named with its place.
    #[test]
    fn wrong_quotes_are_named() {
        let (_, shown, problems) =
            outcome("/// row 1: One was so.\n/// row 9: Nine.\n#[test]\nfn one() {}\n");
        assert!(shown.is_empty());
        assert_eq!(
            problems,
            [
                "crates/x/src/a.rs:1: row 1 is not \"One was so.\" but \"One is so. [A-1]\"",
                "crates/x/src/a.rs:2: there is no row 9 in docs/rows.src",
            ]
        );
    }
}
