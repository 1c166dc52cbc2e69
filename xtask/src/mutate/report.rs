//! What became of each mutant when it was last run, with which text of it, and on which tree? `docs/mutants.md`
//!
//! A row is written when its mutant was run, so rows may be of different trees: each names its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::list::Mutant;
use crate::workspace;

/// Where it stands.
pub(super) const REPORT: &str = "docs/mutants.md";

/// A mutant that was caught.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// By what.
    pub(super) by: String,
    /// The digest of the text that was run; nothing if nobody wrote it down.
    pub(super) text: Option<String>,
    /// The commit that it was made of, after that commit's time; `+` if there were changes besides. Nothing, as above.
    pub(super) tree: Option<String>,
}

/// How a row stands to its mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// This text was run.
    Fresh,
    /// There is a verdict, and nobody wrote down of which text.
    Untold,
    /// The text was another one.
    Adapted,
    /// There is no row.
    Missing,
}

/// The rows of a report, by the name of their mutant.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report(BTreeMap<String, Row>);

impl Report {
    /// Reads the one that there is; there may be none.
    pub(super) fn read(root: &Path) -> Report {
        Report::parse(&std::fs::read_to_string(root.join(REPORT)).unwrap_or_default())
    }

    /// Writes it, with what the list says of its mutants.
    pub(super) fn write(&self, root: &Path, all: &[Mutant]) -> Result<()> {
        std::fs::write(root.join(REPORT), self.render(all))
            .with_context(|| format!("could not write {REPORT}"))
    }

    fn parse(text: &str) -> Report {
        Report(text.lines().filter_map(row).collect())
    }

    /// A mutant was run: what caught it, or nothing, and then it has no row.
    pub(super) fn note(&mut self, mutant: &Mutant, row: Option<Row>) {
        match row {
            Some(row) => self.0.insert(mutant.name.clone(), row),
            None => self.0.remove(&mutant.name),
        };
    }

    /// How the row of a mutant stands to its text.
    pub(super) fn standing(&self, mutant: &Mutant) -> Standing {
        match self.0.get(&mutant.name).map(|row| row.text.as_deref()) {
            None => Standing::Missing,
            Some(None) => Standing::Untold,
            Some(Some(text)) if text == mutant.digest() => Standing::Fresh,
            Some(Some(_)) => Standing::Adapted,
        }
    }

    fn render(&self, all: &[Mutant]) -> String {
        let rows: Vec<(&Mutant, &Row)> =
            all.iter().filter_map(|mutant| Some((mutant, self.0.get(&mutant.name)?))).collect();
        let fresh = rows.iter().filter(|(mutant, _)| self.standing(mutant) == Standing::Fresh).count();
        let trees = || rows.iter().filter_map(|(_, row)| row.tree.as_deref());
        let span = match (trees().min(), trees().max()) {
            (Some(first), Some(last)) if first != last => format!(", on trees from {first} to {last}"),
            (Some(only), _) => format!(", on {only}"),
            (None, _) => String::new(),
        };
        let mut text = format!(
            "# Mutants\n\n\
             Written by `cargo xtask mutate`, which breaks one mechanism at a time and runs the bench against it.\n\
             {} of {} mutants were caught when they were last run{span}.\n\n\
             *text* is a digest of the mutant as it was run, nothing if nobody wrote it down: {fresh} were run with the text that\n\
             they have now, the others are run again by `cargo xtask mutate --stale`. *tree* is the commit that it was made of,\n\
             with that commit's time (UTC), and a `+` if there were changes besides. A whole run writes all rows on one tree.\n\n\
             | mutant | what it breaks | incident | caught by | text | tree |\n|---|---|---|---|---|---|\n",
            rows.len(),
            all.len(),
        );
        for (mutant, row) in rows {
            let digest = row.text.as_ref().map_or(String::new(), |text| format!("`{text}`"));
            let cells = [
                &format!("`{}`", mutant.name),
                &mutant.breaks,
                &mutant.incidents.join(" "),
                &row.by,
                &digest,
                row.tree.as_deref().unwrap_or_default(),
            ];
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }
}

/// A line of the table; one from before texts and trees were written down has only what caught it.
fn row(line: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = line.strip_prefix("| ")?.strip_suffix('|')?.split(" | ").map(str::trim).collect();
    let (&name, by) = (cells.first()?, cells.get(3)?);
    let name = name.strip_prefix('`')?.strip_suffix('`')?;
    let cell = |at: usize| {
        cells.get(at).map(|cell| cell.trim_matches('`').to_owned()).filter(|cell| !cell.is_empty())
    };
    Some((name.to_owned(), Row { by: (*by).to_owned(), text: cell(4), tree: cell(5) }))
}

/// The commit that a run is made of, after that commit's time (UTC), so that they sort; `+` if the tree has changes besides.
/// The report itself is none.
pub(super) fn tree(root: &Path) -> Result<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(root).env("TZ", "UTC").args(arguments);
        workspace::stdout_of(&mut git)
    };
    let commit = git(&["log", "-1", "--date=format-local:%Y-%m-%d %H:%M", "--abbrev=8", "--format=%cd %h"])?;
    let changed = git(&["status", "--porcelain", "--", ".", &format!(":!{REPORT}")])?;
    Ok(format!("{}{}", commit.trim(), if changed.is_empty() { "" } else { "+" }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::list::parse;

    /// What was written is read again, and an adapted mutant is not taken for the one that was run.
    #[test]
    fn rows_stand_with_their_text() {
        let list = |new: &str| {
            parse("m", &format!("== one: it breaks\nincident: I-01\n@ a.rs\n- a\n+ {new}\n"))
                .expect("it is right")
        };
        let (before, after) = (list("b"), list("c"));
        let mut report = Report::default();
        assert_eq!(report.standing(&before[0]), Standing::Missing);
        let row = Row {
            by: "I-01-x, a and 1 more".to_owned(),
            text: Some(before[0].digest()),
            tree: Some("2026-11-21 18:59 8f60f73f+".to_owned()),
        };
        report.note(&before[0], Some(row));
        let text = report.render(&before);
        assert!(text.contains("1 of 1 mutants were caught when they were last run, on 2026-11-21"), "{text}");
        assert_eq!(Report::parse(&text), report);
        assert_eq!(report.standing(&before[0]), Standing::Fresh);
        assert_eq!(report.standing(&after[0]), Standing::Adapted);
        report.note(&before[0], None);
        assert_eq!(report, Report::default());
    }

    /// A row from before texts were written down keeps what caught its mutant.
    #[test]
    fn old_rows_are_untold() {
        let old = "| `one` | it breaks | I-01 | a and 1 more |\n| `two` | so does this |  | b |\n";
        let report = Report::parse(old);
        let bare = |by: &str| Row { by: by.to_owned(), text: None, tree: None };
        let rows = [("one".to_owned(), bare("a and 1 more")), ("two".to_owned(), bare("b"))];
        assert_eq!(report, Report(rows.into()));
        let list = parse("m", "== two: so does this\n@ a.rs\n- a\n").expect("it is right");
        assert_eq!(report.standing(&list[0]), Standing::Untold);
        assert!(report.render(&list).contains("| `two` | so does this |  | b |  |  |"));
        assert_eq!(Report::parse(&report.render(&list)).0.get("two"), Some(&bare("b")));
    }
}
