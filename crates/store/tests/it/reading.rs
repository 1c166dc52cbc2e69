//! Does everybody else see what there is, while the brain runs and while it is down?

use orch_core::id::{Digest, Entity, ProjectId, Seq};
use orch_core::journal::Journal;
use orch_core::stage::Stage;
use orch_sim::contract::sample;
use orch_store::{Page, Reader, TaskFilter};

use super::Home;

fn names(page: &Page) -> Vec<String> {
    page.tasks.iter().map(|task| task.entity.to_string().replace("task/", "")).collect()
}

/// Proves that each filter finds what it names, newest born first.
#[test]
fn tasks_are_listed_by_filter() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(4);
    journal.commit(&pen.batch_about(&sample::task("b", 1, 1, Stage::Review), "b1")).unwrap();
    journal.commit(&pen.batch_about(&sample::task("a", 2, 2, Stage::Created), "a2~2")).unwrap();
    let mut reader = Reader::open(&home.store()).unwrap();
    let mut list = |filter: TaskFilter| names(&reader.tasks(&filter, 10).unwrap());
    let all = TaskFilter::default;
    let a = || Some(ProjectId::from("a"));
    assert_eq!(list(all()), ["A-002~2", "B-001", "A-004", "A-003", "A-002", "A-001"]);
    assert_eq!(list(TaskFilter { open: true, ..all() }), ["A-002~2", "B-001", "A-003", "A-001"]);
    assert_eq!(list(TaskFilter { project: a(), ..all() }), ["A-002~2", "A-004", "A-003", "A-002", "A-001"]);
    assert_eq!(list(TaskFilter { stage: Some(Stage::Review), ..all() }), ["B-001", "A-003", "A-001"]);
    let both = TaskFilter { stage: Some(Stage::Review), project: a(), ..all() };
    assert_eq!(list(both.clone()), ["A-003", "A-001"]);
    assert_eq!(list(TaskFilter { open: true, ..both.clone() }), ["A-003", "A-001"]);
    let prefix = |s: &str| Some(s.to_owned());
    assert_eq!(list(TaskFilter { prefix: prefix("a-002"), ..all() }), ["A-002~2", "A-002"]);
    assert_eq!(list(TaskFilter { prefix: prefix("Make-3"), ..all() }), ["A-003"]);
    assert_eq!(list(TaskFilter { prefix: prefix("a-002"), open: true, ..all() }), ["A-002~2"]);
    assert_eq!(list(TaskFilter { prefix: prefix("make-1"), ..both }), ["A-001"]);
    for odd in ["%", "_", "a%", "' OR 1=1 --", "\u{10ffff}"] {
        assert_eq!(list(TaskFilter { prefix: prefix(odd), ..all() }), [""; 0], "{odd} is only a text");
    }
    assert_eq!(list(TaskFilter { project: Some(ProjectId::from("c")), ..all() }), [""; 0]);
}

/// Proves that pages join without a gap or a repetition, also while tasks are born.
#[test]
fn pages_join() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(10);
    let mut reader = Reader::open(&home.store()).unwrap();
    let mut seen = Vec::new();
    let mut filter = TaskFilter::default();
    for born in 11.. {
        let page = reader.tasks(&filter, 4).unwrap();
        seen.extend(names(&page));
        journal
            .commit(&pen.batch_about(&sample::task("a", born, 1, Stage::Created), &born.to_string()))
            .unwrap();
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    let expected: Vec<String> = (1..=10).rev().map(|n| format!("A-{n:03}")).collect();
    assert_eq!(seen, expected);
}

/// Proves that the counts follow tasks as they move.
#[test]
fn stages_are_counted() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(4);
    journal.commit(&pen.batch_about(&sample::task("b", 1, 1, Stage::Review), "b1")).unwrap();
    let mut reader = Reader::open(&home.store()).unwrap();
    assert_eq!(reader.stages(None).unwrap(), [(Stage::Review, 3), (Stage::Done, 2)]);
    journal.commit(&pen.batch_about(&sample::task("a", 1, 1, Stage::Testing), "moved")).unwrap();
    journal.commit(&pen.batch_about(&sample::task("a", 1, 1, Stage::Testing), "stayed")).unwrap();
    let a = reader.stages(Some(&ProjectId::from("a"))).unwrap();
    assert_eq!(a, [(Stage::Review, 1), (Stage::Testing, 1), (Stage::Done, 2)]);
}

/// Proves that a reader sees commits while the brain runs, and everything after it stopped in order.
#[test]
fn a_reader_needs_no_brain() {
    let home = Home::new();
    let (mut journal, mut pen) = home.filled(2);
    let mut reader = Reader::open(&home.store()).unwrap();
    let head = reader.head().unwrap();
    assert_eq!(head, journal.head().unwrap());
    let task = sample::task("a", 9, 1, Stage::Review);
    journal.commit(&pen.batch_about(&task, "k9")).unwrap();
    assert_eq!(reader.head().unwrap().seq, Seq(head.seq.0 + 1), "what is committed is seen");
    let rows = reader.rows(head.seq, 10).unwrap();
    assert_eq!(rows, journal.rows(head.seq, 10).unwrap());
    drop(reader);
    journal.close().unwrap();

    let mut reader = Reader::open(&home.store()).unwrap();
    let who = sample::entity(&task);
    assert_eq!(reader.state(&who).unwrap().unwrap().seq, Seq(head.seq.0 + 1));
    assert_eq!(reader.rows_of(&who, None, 5).unwrap().len(), 1);
    assert_eq!(reader.blob(&Digest::of(b"text of k9")).unwrap().unwrap(), b"text of k9");
    assert_eq!(reader.open_effects().unwrap().len(), 1);
    let armed = reader.armed_timers().unwrap();
    assert_eq!(armed.first().map(|(entity, _)| entity), Some(&Entity::Installation));
}
