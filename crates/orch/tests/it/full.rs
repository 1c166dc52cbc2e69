//! What becomes of a full disk, and of a store that takes no more?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use orch::compose::room::{ENOUGH, FLOOR, Meter};
use orch_core::hold::HoldKind;
use orch_core::stage::Stage;
use orch_core::task::{Rest, Step};
use serde_json::json;

use crate::yard::{GREEN, Yard};

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
