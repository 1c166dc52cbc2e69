//! Does the full check find what is wrong, name it, and stay silent otherwise?

use std::path::Path;

use orch_core::id::{Entity, Seq};
use orch_core::journal::{Journal as _, Row};
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_sim::contract::sample;
use orch_store::SqliteJournal;
use orch_store::check::{Depth, MOST_FINDINGS, Report, full, full_until};

use super::Home;

fn checked(store: &Path) -> Report {
    full(store, Depth::Thorough, None).unwrap()
}

/// Proves that a sound store has no findings, while its brain runs and after.
#[test]
fn a_sound_store_has_no_findings() {
    let home = Home::new();
    let (journal, _) = home.filled(300);
    let report = checked(&home.store());
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.rows, report.entities), (301, 301));
    journal.close().unwrap();
    assert!(full(&home.store(), Depth::Quick, None).unwrap().is_sound());
}

/// Proves that a check that is told to stop ends with an error, and not with a report of a sound store.
#[test]
fn a_check_can_be_stopped() {
    let home = Home::new();
    home.filled(300).0.close().unwrap();
    let error = full_until(&home.store(), Depth::Thorough, None, || true).unwrap_err();
    assert!(error.to_string().contains("check the store"), "{error}");
}

/// Proves that each kind of damage is named with its place and the remedy, once, and that nothing sound is named beside it: a row
/// whose damage hides whom it is about leaves a state without its row besides.
#[test]
fn damage_is_named() {
    for (spoil, named) in [
        ("UPDATE journal SET body = replace(body, 'k5', 'k6') WHERE seq = 5", &["journal row 5 "][..]),
        ("UPDATE journal SET key = 'x' WHERE seq = 5", &["journal row 5 "]),
        (
            "UPDATE journal SET entity = 'task/X-1' WHERE seq = 11",
            &["journal row 11 ", "the state of task/A-011 "],
        ),
        ("UPDATE journal SET at = 0 WHERE seq = 5", &["journal row 5 "]),
        ("DELETE FROM journal WHERE seq = 11", &["journal row 11 ", "the state of task/A-011 "]),
        ("UPDATE state SET body = 'null' WHERE entity = 'task/A-003'", &["the state of task/A-003 "]),
        ("UPDATE state SET seq = 4 WHERE entity = 'task/A-003'", &["the state of task/A-003 "]),
        ("UPDATE state SET open = 0 WHERE entity = 'task/A-003'", &["the state of task/A-003 "]),
        ("UPDATE state SET slug = 'x' WHERE entity = 'task/A-003'", &["the state of task/A-003 "]),
        ("UPDATE state SET line = NULL WHERE entity = 'task/A-003'", &["the state of task/A-003 "]),
        (
            "UPDATE state SET line = replace(line, '3', '4') WHERE entity = 'task/A-003'",
            &["the state of task/A-003 "],
        ),
        ("UPDATE tally SET tasks = 7 WHERE stage = 'done'", &["the count of tasks in a/done "]),
        ("UPDATE effect SET body = replace(body, 'c0ffee', 'decaff')", &["open effect e21.0 "]),
        ("UPDATE timer SET body = replace(body, 'w21', 'w99')", &["the timer of installation "]),
        ("UPDATE blob SET bytes = x'00' WHERE id = 3", &["blob "]),
    ] {
        let home = Home::new();
        home.filled(20).0.close().unwrap();
        home.spoil(spoil);
        let report = checked(&home.store());
        let said: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), named.len(), "{spoil}: {said:#?}");
        for (one, named) in said.iter().zip(named) {
            assert!(one.starts_with(named), "{spoil}: {said:#?}");
            assert!(one.contains("`orch restore`"), "{one}");
        }
    }
}

/// Proves that rows from before chains stay in a task's history, and that a row to which nothing leads is found.
#[test]
fn every_row_stands_in_a_history() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(1);
    let task = sample::task("a", 1, 1, Stage::Review);
    let who = sample::entity(&task);
    for key in ["old", "older"] {
        journal.commit(&pen.batch_about(&task, key)).unwrap();
    }
    journal.close().unwrap();
    home.spoil("UPDATE journal SET earlier = NULL");
    let mut journal = SqliteJournal::open(&home.store()).unwrap();
    for key in ["new", "newer"] {
        journal.commit(&pen.batch_about(&task, key)).unwrap();
    }
    let mut seqs = |before: Option<Seq>, most| {
        journal.rows_of(&who, before, most).unwrap().iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(seqs(None, 9), [6, 5, 4, 3, 1]);
    assert_eq!(seqs(Some(Seq(5)), 2), [4, 3]);
    journal.close().unwrap();
    assert!(checked(&home.store()).is_sound());
    for (spoil, said) in [
        ("UPDATE journal SET earlier = NULL WHERE seq = 6", "lead to 5 of 6 rows"),
        ("UPDATE journal SET earlier = 2 WHERE seq = 6", "it names row 2, which is not about it"),
        ("UPDATE journal SET earlier = 6 WHERE seq = 5", "it names row 6 as one before it"),
    ] {
        home.spoil(spoil);
        let report = checked(&home.store());
        let first = report.findings.first().map(ToString::to_string).unwrap_or_default();
        assert!(first.contains(said), "{spoil}: {first}");
        home.spoil(
            "UPDATE journal SET earlier = 5 WHERE seq = 6; UPDATE journal SET earlier = 4 WHERE seq = 5",
        );
    }
}

/// Proves that each state is compared with what its rows come to, by the fold that the caller gives.
#[test]
fn states_are_compared_with_their_fold() {
    let home = Home::new();
    let (_journal, _) = home.filled(4);
    // The sample's rows say only in which stage the task is, so that is what this fold knows.
    let fold = |stored: bool| {
        move |entity: &Entity, _: Option<State>, row: &Row| -> Result<Option<State>, String> {
            let Some(orch_core::change::Change::Staged(stage)) = row.changes.first() else { return Ok(None) };
            let Entity::Task(id) = entity else { return Err("not a task".to_owned()) };
            let number: u64 = id.as_str().trim_start_matches("A-").parse().map_err(|_| "a number")?;
            let mut task = orch_sim::contract::sample::task("a", number, 1, *stage);
            if !stored && row.seq == Seq(2) {
                task.round = 9;
            }
            Ok(Some(State::Task(Box::new(task))))
        }
    };
    let report = full(&home.store(), Depth::Quick, Some(&fold(true))).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let report = full(&home.store(), Depth::Quick, Some(&fold(false))).unwrap();
    let said: Vec<String> = report.findings.iter().map(|f| f.what.to_string()).collect();
    assert_eq!(said, ["the state of task/A-002"]);
    let illegal = |_: &Entity, _: Option<State>, _: &Row| Err("illegal here".to_owned());
    let report = full(&home.store(), Depth::Quick, Some(&illegal)).unwrap();
    assert_eq!(report.findings.len(), 5);
    assert!(report.findings.iter().all(|f| f.cause.ends_with("cannot follow: illegal here")));
}

/// Proves that a report stays small whatever happened, and that a broken file is a finding too.
#[test]
fn much_damage_is_a_small_report() {
    let home = Home::new();
    home.filled(300).0.close().unwrap();
    home.spoil("UPDATE journal SET key = key || '!'; UPDATE state SET slug = 'x'");
    let report = checked(&home.store());
    assert_eq!(report.findings.len(), MOST_FINDINGS);
    assert_eq!(report.more, 301 + 300 - MOST_FINDINGS as u64);

    let home = Home::new();
    home.filled(300).0.close().unwrap();
    let sound = std::fs::read(home.store()).unwrap();
    for first in 3..13 {
        let mut bytes = sound.clone();
        for page in (first..bytes.len() / 4096).step_by(10) {
            bytes.get_mut(page * 4096..page * 4096 + 100).unwrap().fill(0xa5);
        }
        std::fs::write(home.store(), bytes).unwrap();
        match full(&home.store(), Depth::Thorough, None) {
            Ok(report) => {
                let file = report.findings.iter().any(|f| f.to_string().starts_with("the file is damaged"));
                assert!(file, "pages from {first}: {report:?}");
            }
            // The very first look at the file met it.
            Err(error) => assert!(error.to_string().contains("the file is damaged"), "{first}: {error}"),
        }
    }
}

/// Proves that SQLite itself looks at the file too: a spoiled page of an index that nothing else here walks is found by a
/// thorough check, and one of a table that nothing else here reads by a quick one.
#[test]
fn what_nothing_else_reads_is_looked_at() {
    for (name, depth) in [
        ("state_slug", Depth::Thorough),
        ("meta", Depth::Thorough),
        ("migration", Depth::Quick),
        ("meta", Depth::Quick),
    ] {
        let home = Home::new();
        home.filled(20).0.close().unwrap();
        home.spoil_first_page_of(name);
        let report = full(&home.store(), depth, None).unwrap();
        let said: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        assert!(!said.is_empty(), "{name}, {depth:?}: nothing was seen");
        assert!(
            said.iter().all(|one| one.starts_with("the file is damaged")),
            "{name}, {depth:?}: {said:#?}"
        );
        assert_eq!((report.rows, report.entities), (21, 21), "{name}, {depth:?}: the rest is looked at");
    }
}
