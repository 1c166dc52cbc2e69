//! What becomes of a full disk, and of a store that takes no more?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orch::compose::room::{ENOUGH, FLOOR, Meter};
use orch_adapters::tracker::builtin::Edit;
use orch_core::call::tracker::Status;
use orch_core::hold::HoldKind;
use orch_core::id::{ProjectId, TaskId};
use orch_core::stage::Stage;
use orch_core::task::{Rest, Step, Task};
use serde_json::json;

use crate::yard::{GREEN, PROJECT, Yard};

/// Proves that work pauses with a hold when the disk is nearly full, before anything is lost, goes on when there is room
/// again, and that a disk at the floor does not write a row with every look.
#[test]
fn a_full_disk_pauses_work() {
    let mut yard = Yard::with(&[], GREEN);
    let free = Arc::new(AtomicU64::new(FLOOR));
    let read = Arc::clone(&free);
    yard.wishes.meter = Meter::of(move |_| Ok(read.load(Ordering::SeqCst)));
    yard.up();
    free.store(FLOOR - 1, Ordering::SeqCst);
    yard.sweep();
    let id = yard.ask("A change");
    assert_eq!(yard.holds(&id).first(), Some(&HoldKind::DiskFull), "{:?}", yard.task(&id).step);
    let (why, _) = yard.typed(&["why", id.as_str()]);
    assert!(why.contains("when 1.25 GiB is free where the data folder lies"), "{why}");
    let rows = yard.rows().len();
    free.store(FLOOR, Ordering::SeqCst);
    for _ in 0..3 {
        yard.sweep();
    }
    assert_eq!(yard.rows().len(), rows, "a little room is no news");
    assert_eq!(yard.holds(&id).first(), Some(&HoldKind::DiskFull));
    free.store(ENOUGH, Ordering::SeqCst);
    yard.sweep();
    let task = yard.travel(&id);
    assert_eq!(task.stage, Stage::Done);
}

/// Proves that a store that takes no more answers every write with 503, the cause and its remedy, that what was acknowledged
/// before is all there, and that the task goes on from where it was when there is room.
#[test]
fn a_full_store_loses_nothing_acknowledged() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "the approval", |task| (task.step == Step::Rest(Rest::Approval)).then_some(()));
    yard.stop();
    let pages = std::fs::metadata(yard.home().store()).unwrap().len() / 4096;
    yard.wishes.store_pages = Some(u32::try_from(pages).unwrap() + 4);
    yard.up();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let number = acknowledged.len();
        assert!(number < 500, "the store is never full");
        let wanted = if number % 2 == 0 { "high" } else { "low" };
        match yard.post(&format!("/api/v1/tasks/{id}/priority"), &json!({ "priority": wanted })) {
            Ok(said) => acknowledged.push(said["seq"].as_u64().unwrap()),
            Err(error) => break error,
        }
    };
    assert!(!acknowledged.is_empty(), "nothing could be lost: {refused}");
    let said = refused.to_string();
    assert!(said.contains("free some space") && said.contains("1.25 GiB"), "{said}");
    assert!(said.matches("full").count() == 1 && !said.contains("Retry-After"), "{said}");
    // What stands in the tracker is not lost, and whoever asked for it is not told to ask again.
    yard.write("home/orch.toml", yard.settings_text());
    let (well, _, said) = yard.tried(&["new", "Another change", "--text", &"long ".repeat(9000)]);
    assert!(
        !well && said.contains("it is written down") && said.contains("do not ask for it again"),
        "{said}"
    );
    // A tracker that delivers now shall come back, and is not told that it is wrong.
    let bearer = format!("Bearer {}", yard.token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let press = format!("POST /api/v1/tasks/{id}/priority");
    let (status, body) = yard.http(&press, &headers, br#"{"priority": "urgent"}"#);
    assert_eq!(status, 503, "{body}");
    yard.stop();
    yard.wishes.store_pages = None;
    yard.up();
    yard.sweep();
    let (list, _) = yard.typed(&["list", "--all"]);
    assert_eq!(list.matches("Another change").count(), 1, "{list}");
    let rows = yard.rows();
    for seq in acknowledged {
        assert!(rows.iter().any(|row| row.seq.0 == seq), "row {seq} was acknowledged");
    }
    assert_eq!(yard.travel(&id).stage, Stage::Done);
}

/// Fills the store until it takes nothing more.
fn fill(yard: &Yard, id: &TaskId) {
    let refused = |number: u32| {
        let wanted = if number.is_multiple_of(2) { "high" } else { "low" };
        yard.post(&format!("/api/v1/tasks/{id}/priority"), &json!({ "priority": wanted })).is_err()
    };
    assert!((0..500).any(refused), "the store is never full");
}

/// Proves that what a full store did not take of an edited orch.toml (limits, a project that is gone, a refusal) and of a
/// branch that came back is told again when there is room, and then no more.
#[test]
fn what_a_full_store_did_not_take_is_told_again() {
    let mut yard = Yard::with(&[], GREEN);
    let other = yard.another_repository();
    let good = yard.settings_text();
    yard.project = format!("[projects.other]\nprefix = \"OTHER\"\nrepository = \"{}\"\n", other.display());
    yard.write("home/orch.toml", yard.settings_text());
    yard.up();
    let id = yard.ask("A change");
    let asked = |task: &Task| (task.step == Step::Rest(Rest::Approval)).then(|| task.branch.clone());
    let branch = yard.until(&id, "the approval", asked).unwrap();
    // What is taken away later makes room.
    let project = ProjectId::from(PROJECT);
    let [first, second] = ["first", "second"].map(|request| {
        let text = "long ".repeat(20_000);
        let tracker = &yard.outside().tracker;
        tracker.create_once(&project, request, "Ballast", &text, Status::Backlog).unwrap().key
    });
    yard.sweep();
    yard.stop();
    // Room for what a start and one sweep write, and for little more: how much that is depends on how full the last pages
    // are, so the rest is filled until a write is refused. What is tried then wants no less room than that write.
    let pages = std::fs::metadata(yard.home().store()).unwrap().len() / 4096;
    yard.wishes.store_pages = Some(u32::try_from(pages).unwrap() + 4);
    yard.up();
    let make_room = |yard: &Yard, ballast| {
        let nothing = Edit { text: Some(String::new()), ..Edit::default() };
        yard.outside().tracker.edit(ballast, &nothing).unwrap();
    };
    let known = |yard: &Yard| {
        let look = yard.outside().asker.ask(|board, _| {
            let retired = board.project(&"other".into()).is_some_and(|project| project.retired.is_some());
            (board.installation().limits.gates, retired, board.installation().refused.is_some())
        });
        yard.wait(look).unwrap()
    };
    let hub = yard.home().hubs().join(PROJECT).join("hub.git");
    let name = format!("refs/heads/{}", branch.name);
    yard.git_in(&hub, ["update-ref", "-d", &name]);
    yard.sweep();
    assert!(yard.task(&id).outside.is_some(), "the branch is gone");
    let before = known(&yard);
    assert!(before.0 != 7 && !before.1 && !before.2, "{before:?}");

    fill(&yard, &id);
    yard.git_in(&hub, ["update-ref", &name, branch.head.as_str()]);
    yard.write("home/orch.toml", format!("{good}\n[limits]\ngates = 7\n"));
    yard.sweep();
    assert_eq!(known(&yard), before, "nothing was taken");
    assert!(yard.task(&id).outside.is_some(), "nor that the branch is back");
    make_room(&yard, &first);
    yard.sweep();
    assert_eq!(known(&yard), (7, true, false));
    assert_eq!(yard.task(&id).outside, None, "the branch is back");

    fill(&yard, &id);
    yard.write("home/orch.toml", format!("lisen = 1\n{good}"));
    yard.sweep();
    assert_eq!(known(&yard), (7, true, false), "nothing was taken");
    make_room(&yard, &second);
    yard.sweep();
    assert_eq!(known(&yard), (7, true, true));

    let rows = yard.rows().len();
    yard.sweep();
    assert_eq!(yard.rows().len(), rows, "all of it is known");
}
