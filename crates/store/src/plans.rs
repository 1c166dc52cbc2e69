//! Are all plans flat? Every statement is explained on the real schema, and none may walk a large table (decision 33).

use crate::{schema, sql};
use rusqlite::Connection;

/// Tables that stay small: a few rows a project, an open effect or an armed timer.
const SMALL: &[&str] = &["tally", "effect", "timer", "meta"];

fn migrated() -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    schema::migrate(std::path::Path::new(":memory:"), &mut conn, schema::MIGRATIONS).unwrap();
    conn
}

/// The steps of a plan. A statement that names a column or an index that is gone fails here too.
fn plan(conn: &Connection, text: &str) -> Vec<String> {
    let mut explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let mut rows = explained.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

fn refuse_walks(name: &str, text: &str, steps: &[String]) {
    for step in steps {
        let mut words = step.split_whitespace();
        let (verb, table) = (words.next(), words.next().unwrap_or_default());
        // The last row by the primary key is a walk of one step.
        let last = name == "HEAD" && table == "journal";
        let inner = table.starts_with('(') || table == "CONSTANT";
        assert!(
            verb != Some("SCAN") || SMALL.contains(&table) || last || inner,
            "{name} walks {table}: {step}\n{text}"
        );
        assert!(!step.contains("AUTOMATIC"), "{name} builds an index each time: {step}\n{text}");
    }
}

/// Proves that no statement walks a large table, so that the cost stays flat with a million finished rows. Only the full
/// check counts anew.
#[test]
fn every_statement_has_a_flat_plan() {
    let conn = migrated();
    for (name, text) in sql::ALL.iter().filter(|(name, _)| *name != "WRONG_TALLY") {
        refuse_walks(name, text, &plan(&conn, text));
    }
}

/// Proves that each shape of the list of tasks walks one index in its order, with no sorting.
#[test]
fn every_list_of_tasks_has_a_flat_plan() {
    let conn = migrated();
    let both = [false, true];
    for (project, stage) in both.iter().flat_map(|p| both.map(|s| (*p, s))) {
        for (prefix, open) in both.iter().flat_map(|p| both.map(|o| (*p, o))) {
            let text = sql::tasks(project, stage, prefix, open);
            let steps = plan(&conn, &text);
            let name = format!("list(project {project}, stage {stage}, prefix {prefix}, open {open})");
            refuse_walks(&name, &text, &steps);
            let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
            assert!(!sorted || (prefix && !open), "{name} sorts: {steps:?}");
        }
    }
}
