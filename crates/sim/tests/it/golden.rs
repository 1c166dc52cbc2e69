//! Do journals of every age load for ever? Files that were written once and are never written again: a field that a type
//! gains later must be left out while it is empty, or the rows here would no longer be what their hashes say (decision 39).

use std::path::Path;

use orch_core::call::tracker::Status;
use orch_core::journal::Row;
use orch_core::replay::Fold;
use orch_core::stage::{Preset, Stage};
use orch_core::state::State;
use orch_sim::bench::{Bench, Faults, policy};

fn golden(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Proves that the first format's journal, with rework by a fault-ridden history, loads, is sound, is decided the same by
/// the same rules, and ends delivered. Rows of older rules than `RULES` are folded, not decided again: the number rises with
/// every change of what `decide` answers, once a landing, and no row here is written anew for it.
#[test]
fn the_first_format_loads() {
    let path = golden("journal-1.jsonl");
    if std::env::var_os("ORCH_WRITE_GOLDEN").is_some() && !path.exists() {
        let mut bench = Bench::new(7, &policy(Preset::Full), Faults::some());
        bench.issue("Add a flag", Status::ToAnalyse);
        bench.run_with_people(60).unwrap_or_else(|broken| panic!("{broken}"));
        let rows = bench.engine().journal().all().iter();
        let lines: Vec<String> = rows.map(|row| serde_json::to_string(row).expect("a row is JSON")).collect();
        std::fs::write(&path, lines.join("\n") + "\n").expect("the file is written once");
    }
    let text = std::fs::read_to_string(&path).expect("the golden journal is there");
    let mut fold = Fold::default();
    for line in text.lines() {
        let row: Row = serde_json::from_str(line).expect("a row of the first format");
        fold.take(&row).unwrap_or_else(|illegal| panic!("{illegal}"));
    }
    assert!(fold.last().0 > 60, "a whole life");
    let done = fold.states().values().any(|(_, state)| match state {
        State::Task(task) => task.stage == Stage::Done,
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => false,
    });
    assert!(done, "it ends delivered");
}
