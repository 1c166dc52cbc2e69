//! What happens when two do the same at the same time? One of them did it, and the other is told.

use std::collections::BTreeSet;
use std::thread;

use orch::compose;
use orch::error::{Error, Kind};
use orch_adapters::tracker::builtin::{SIGNATURE_HEADER, sign};
use orch_core::call::tracker::Status;
use orch_core::event::Event;
use orch_core::id::ProjectId;
use orch_core::stage::Stage;
use orch_core::task::{Rest, Step};
use serde_json::{Value, json};

use crate::yard::{GREEN, PROJECT, Yard};

/// Does the same several times at once.
fn at_once<T: Send>(times: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(times);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..times)
            .map(|n| {
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Proves that changes asked for at the same moment are as many tasks with ids of their own, and that all are delivered,
/// one merge each.
#[test]
fn two_new_issues_at_once_are_two_tasks() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let asked = at_once(4, |n| yard.ask(&format!("Change {n}")));
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), 4, "{asked:?}");
    let mut merges = BTreeSet::new();
    for id in &asked {
        let task = yard.travel(id);
        assert_eq!(task.stage, Stage::Done, "{:?} {:?}", task.step, task.escalated);
        merges.insert(task.merged.unwrap().commit);
    }
    assert_eq!(merges.len(), 4);
    for commit in &merges {
        // git fails, and with it the test, where it is not.
        yard.git(["merge-base", "--is-ancestor", commit.as_str(), "main"]);
    }
}

/// Proves that of two approvals at the same moment one moves the task and the other is told that it had nothing to do; the
/// next stage begins once.
#[test]
fn two_approvals_at_once_are_one() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    let path = format!("/api/v1/tasks/{id}/approve");
    let told: Vec<Value> = at_once(4, |_| yard.post(&path, &json!({})).unwrap_or_else(|e| panic!("{e}")));
    let effective = told.iter().filter(|said| said["effective"] == true).count();
    assert_eq!(effective, 1, "{told:?}");
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done);
    assert_eq!(
        task.runs
            .iter()
            .filter(|row| row.job == orch_core::task::Job::Agent(orch_core::stage::Role::Architect))
            .count(),
        1
    );
}

/// Proves that an issue which a delivery and sweeps bring at the same moment is one task and one row of the journal
/// (decision 2), also when the same delivery comes twice.
/// row 131: Webhook signatures are verified and duplicate deliveries ignored (inferred from test-group names only).
#[test]
fn a_delivery_and_a_sweep_at_once_are_one_reading() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let secret = std::fs::read_to_string(yard.home().folder().join("hooks").join(PROJECT)).unwrap();
    let project = ProjectId::from(PROJECT);
    for n in 0..5 {
        let title = format!("Change {n}");
        let made = yard
            .outside()
            .tracker
            .create_once(&project, &format!("r-{n}"), &title, "", Status::Backlog)
            .unwrap();
        let body = json!({ "delivery": format!("d-{n}"), "project": PROJECT, "issue": { "key": made.key.0,
            "number": made.number, "title": title, "text": "", "status": "Backlog", "labels": [] } })
        .to_string();
        let signature = sign(secret.trim().as_bytes(), body.as_bytes());
        at_once(4, |n| match n % 2 {
            0 => yard.sweep(),
            _ => {
                let answer = yard.http(
                    &format!("POST /webhook/orch/{PROJECT}"),
                    &[(SIGNATURE_HEADER, &signature)],
                    body.as_bytes(),
                );
                assert!(matches!(answer.0, 200 | 202), "{answer:?}");
            }
        });
        let rows = yard.rows();
        let readings = rows
            .iter()
            .filter(|row| matches!(&row.event, Event::Issue(seen) if seen.reading.issue == made.key))
            .count();
        assert_eq!(readings, 1);
    }
    let tasks = yard.wait(orch::client::Client::open(&yard.home(), None)).unwrap();
    let listed = yard.wait(tasks.get("/api/v1/tasks")).unwrap();
    assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(5), "{listed}");
}

/// Proves that a delivery which comes again is known by its name, whatever was read since: what it said then is written no
/// second time, and does not take the issue back to where it was.
/// row 131: Webhook signatures are verified and duplicate deliveries ignored (inferred from test-group names only).
#[test]
fn a_delivery_that_comes_again_takes_nothing_back() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let secret = std::fs::read_to_string(yard.home().folder().join("hooks").join(PROJECT)).unwrap();
    // The tracker has no such issue: no sweep reads it, and only deliveries tell of it.
    let deliver = |delivery: &str, status: &str| {
        let issue =
            json!({ "key": "k-1", "number": 7, "title": "T", "text": "", "status": status, "labels": [] });
        let body = json!({ "delivery": delivery, "project": PROJECT, "issue": issue }).to_string();
        let signature = sign(secret.trim().as_bytes(), body.as_bytes());
        let call = format!("POST /webhook/orch/{PROJECT}");
        yard.http(&call, &[(SIGNATURE_HEADER, &signature)], body.as_bytes()).0
    };
    let statuses = || -> Vec<Option<Status>> {
        let rows = yard.rows().into_iter();
        rows.filter_map(|row| match row.event {
            Event::Issue(seen) => Some(seen.reading.status),
            _ => None, // other events of a task, whose agent may work by now
        })
        .collect()
    };
    let told = [Some(Status::Backlog), Some(Status::ToAnalyse)];
    assert_eq!((deliver("d-1", "Backlog"), deliver("d-2", "To Analyse")), (202, 202));
    assert_eq!(statuses(), told);
    assert_eq!((deliver("d-1", "Backlog"), deliver("d-2", "To Analyse")), (200, 200));
    assert_eq!(statuses(), told, "nothing is read a second time");
    assert_eq!(deliver("d-3", "Backlog"), 202, "another delivery may say the same");
}

/// Proves that a second brain for the same data folder is refused, with the first one's process and what to do, and that
/// the first goes on: its socket is not taken away.
#[test]
fn the_second_brain_is_refused() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let second: Result<(), Error> =
        yard.wait(async { compose::start(yard.home(), yard.loaded(), yard.wishes.clone()).await.map(drop) });
    let refused = second.unwrap_err();
    assert_eq!(refused.kind, Kind::Refused, "{refused}");
    let said = refused.to_string();
    assert!(
        said.contains(&format!("process {}", std::process::id())) && said.contains("stop that one"),
        "{said}"
    );
    let id = yard.ask("A change");
    assert_eq!(yard.travel(&id).stage, Stage::Done);
}
