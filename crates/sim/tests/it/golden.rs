//! Do journals of every age load for ever, and is a change of what is decided or kept noticed? Files that were written once
//! and are never written again: a field that a type gains later must be left out while it is empty, or the rows here would
//! no longer be what their hashes say (decision 39).
//!
//! `ORCH_WRITE_GOLDEN=1` writes the file of a new number; one that is there stays as it is.

use std::collections::BTreeSet;
use std::path::Path;

use orch_core::board::{self, ROWS};
use orch_core::call::tracker::Status;
use orch_core::change::Change;
use orch_core::event::Event;
use orch_core::journal::{RULES, Row};
use orch_core::replay::{Fold, Illegal};
use orch_core::stage::{Preset, Stage};
use orch_core::state::State;
use orch_sim::bench::{Bench, Faults, policy};

/// The file's text; written first if it is not there and may be.
fn golden(name: &str, made: impl FnOnce() -> Vec<String>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("ORCH_WRITE_GOLDEN").is_some() && !path.exists() {
        std::fs::write(&path, made().join("\n") + "\n").expect("the file is written once");
    }
    std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{}: {e}; a new number has a new file: write it with ORCH_WRITE_GOLDEN=1", path.display())
    })
}

/// A life with rework and faults, and people who meddle, as the rules of today have it: the first that ends delivered and in which
/// the answer to a column told of an edit or of a label.
fn lived() -> Vec<String> {
    let delivered = |seed| {
        let mut bench = Bench::new(seed, &policy(Preset::Full), Faults::with_people());
        bench.issue("Add a flag", Status::ToAnalyse);
        bench.run_with_people(60).unwrap_or_else(|broken| panic!("{broken}"));
        let told = |row: &Row| {
            let news = |change: &Change| matches!(change, Change::Requested(_) | Change::Labelled(_));
            matches!(row.event, Event::Reply(_)) && row.changes.iter().any(news)
        };
        let answered = bench.engine().journal_ref().all().iter().any(|row| told(row));
        let done = bench.tasks().iter().any(|task| task.stage == Stage::Done);
        (answered && done).then_some(bench)
    };
    let mut bench = (7..).find_map(delivered).expect("some life ends delivered");
    let rows = bench.engine().journal().all().iter();
    rows.map(|row| serde_json::to_string(&**row).expect("a row is JSON")).collect()
}

fn rows(rules: u32) -> Vec<Row> {
    let text = golden(&format!("journal-{rules}.jsonl"), lived);
    text.lines().map(|line| serde_json::from_str(line).expect("a row of that age")).collect()
}

/// Proves that journals of all rules until today's load, are sound and end delivered, and that those of today's rules are
/// decided as they were: whoever changes what `decide` answers raises [`RULES`].
#[test]
fn journals_of_every_age_load() {
    for rules in 1..=RULES {
        let rows = rows(rules);
        assert!(
            rows.len() > 60 && rows.iter().all(|row| row.rules == rules),
            "a whole life by rules {rules}"
        );
        let mut fold = Fold::default();
        for row in &rows {
            fold.take(row).unwrap_or_else(|illegal| match illegal {
                Illegal::Decision { .. } => panic!(
                    "{illegal}\nIf it is meant, raise `journal::RULES` and write a new golden journal \
                     with ORCH_WRITE_GOLDEN=1; the old ones stay."
                ),
                Illegal::Gap { .. } | Illegal::Chain(_) | Illegal::Hash(_) => {
                    panic!("rules {rules}: {illegal}")
                }
            });
        }
        let done = fold.states().values().any(|(_, state)| match state {
            State::Task(task) => task.stage == Stage::Done,
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => false,
        });
        assert!(done, "rules {rules}: it ends delivered");
    }
}

/// The rows of the board that the tasks of these journals have, each form once, in their order.
fn lines() -> Vec<String> {
    let (mut seen, mut lines) = (BTreeSet::new(), Vec::new());
    for rules in [1, 2] {
        let mut fold = Fold::default();
        for row in rows(rules) {
            fold.take(&row).unwrap_or_else(|illegal| panic!("rules {rules}: {illegal}"));
            let Some((_, State::Task(task))) = fold.states().get(&row.entity) else { continue };
            let mut allowed = task.clone();
            allowed.allowed = Some("ann".to_owned());
            for (what, task) in [("", task), (" if a run is allowed", &allowed)] {
                let line = board::Row::of(task).map_or_else(|| "none".to_owned(), |row| row.to_text());
                if seen.insert(line.clone()) {
                    lines.push(format!("journal-{rules} row {}{what}: {line}", row.seq));
                }
            }
        }
    }
    lines
}

/// Proves that the row of the board which a known task has is the one that it had: stores keep those rows, and make them
/// anew only when [`ROWS`] is another number.
#[test]
fn a_row_of_the_board_changes_with_its_number() {
    let known = golden(&format!("board-{ROWS}.txt"), lines);
    let today = lines();
    let differs = known.lines().zip(&today).find(|(known, today)| known != today);
    assert!(
        differs.is_none() && known.lines().count() == today.len(),
        "a known task has another row of the board today: {differs:?}\nIf it is meant, raise `board::ROWS`, and write \
         the new rows with ORCH_WRITE_GOLDEN=1; the old file can go."
    );
}
