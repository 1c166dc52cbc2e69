//! What do presses do?

use axum::http::StatusCode;
use orch_core::event::Event;
use orch_core::gesture::{Door, Press};
use orch_core::task::{Rest, Step};

use crate::house::{House, TOKEN};
use crate::sample::sample;

/// Proves that an approval by the API acts at once, names who and from where, and says what it did.
#[tokio::test]
async fn approve_acts_at_once() {
    let house = House::open(sample());
    let shown = house.get("/api/v1/tasks/site-5").await.json();
    assert_eq!(shown["id"], "SITE-005");
    assert_eq!(shown["gestures"][0]["name"], "approve");
    let what = shown["gestures"][0]["what"].as_str().unwrap();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("orch-by", "ada"),
        ("orch-door", "command-line"),
    ];
    let body = format!(r#"{{"what":"{what}"}}"#);
    let answer = house.ask("POST", "/api/v1/tasks/SITE-005/approve", &headers, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let said = answer.json();
    assert_eq!((&said["effective"], &said["duplicate"]), (&true.into(), &false.into()));
    let world = house.memory.world();
    let Event::Gesture(gesture) = &world.rows.last().unwrap().event else { panic!("no gesture") };
    assert_eq!((gesture.by.as_str(), gesture.via), ("ada", Door::CommandLine));
    assert!(matches!(&gesture.what, Press::Approve { what: Some(it) } if it.as_str() == what));
    drop(world);
    assert_ne!(house.memory.task_now(&"SITE-005".into()).unwrap().step, Step::Rest(Rest::Approval));
}

/// Proves that the same request is one press, and that its second answer says so and what the first did.
#[tokio::test]
async fn the_same_key_is_one_press() {
    let house = House::open(sample());
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    let first = house.ask("POST", "/api/v1/tasks/SITE-005/stop", &headers, "").await.json();
    let rows = house.memory.world().rows.len();
    let second = house.ask("POST", "/api/v1/tasks/SITE-005/stop", &headers, "").await.json();
    assert_eq!((&first["duplicate"], &second["duplicate"]), (&false.into(), &true.into()));
    assert_eq!((&first["seq"], &first["reasons"]), (&second["seq"], &second["reasons"]));
    assert_eq!(house.memory.world().rows.len(), rows);
    for bad in ["", "two words", "ж"] {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", bad)];
        let answer = house.ask("POST", "/api/v1/tasks/SITE-005/stop", &headers, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

/// Proves that a gesture for another thing than the one that waits has no effect and says why (decision 37).
#[tokio::test]
async fn consent_names_the_thing() {
    let house = House::open(sample());
    let other = "0".repeat(64);
    let answer = house.post("/api/v1/tasks/SITE-004/confirm", &format!(r#"{{"what":"{other}"}}"#)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["effective"], false);
    assert_eq!(house.memory.task_now(&"SITE-004".into()).unwrap().step, Step::Rest(Rest::Confirmation));
    let bad = house.post("/api/v1/tasks/SITE-004/confirm", r#"{"what":"not a digest"}"#).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

/// Proves that a rejection carries its reason word for word as a kept text (decision 17).
#[tokio::test]
async fn a_rejection_keeps_its_reason() {
    let house = House::open(sample());
    let reason = "Not the report, the export.\n<b>Really</b>";
    let body = serde_json::json!({ "reason": reason }).to_string();
    let answer = house.post("/api/v1/tasks/SITE-005/reject", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let world = house.memory.world();
    let Event::Gesture(gesture) = &world.rows.last().unwrap().event else { panic!("no gesture") };
    let Press::Reject { reason: Some(text) } = &gesture.what else { panic!("no reason") };
    assert_eq!(world.blobs[&text.blob], reason.as_bytes());
}

/// Proves every other gesture's path: each reaches `core` as itself.
#[tokio::test]
async fn each_path_is_its_gesture() {
    let house = House::open(sample());
    let cases = [
        ("/api/v1/tasks/SITE-008/retry", "", "retry"),
        ("/api/v1/tasks/TOOLS-001/start", "", "start"),
        ("/api/v1/tasks/SITE-005/continue", "", "continue"),
        ("/api/v1/tasks/SITE-005/priority", r#"{"priority":"urgent"}"#, "priority"),
        ("/api/v1/tasks/SITE-009/stop", "", "stop"),
        ("/api/v1/projects/tools/unfreeze", "", "unfreeze"),
        ("/api/v1/projects/tools/freeze", "", "freeze"),
        ("/serial-gate/unfreeze", r#"{"repo":"tools"}"#, "unfreeze"),
        ("/api/v1/installation/pause", r#"{"drain":true}"#, "pause"),
        ("/api/v1/installation/unpause", "", "unpause"),
    ];
    for (path, body, name) in cases {
        let answer = house.post(path, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        let world = house.memory.world();
        let Event::Gesture(gesture) = &world.rows.last().unwrap().event else { panic!("{path}: no gesture") };
        assert_eq!((gesture.what.name(), gesture.via), (name, Door::Api), "{path}");
    }
    assert_eq!(house.post("/api/v1/tasks/NONE-001/stop", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.post("/api/v1/projects/none/freeze", "").await.status, StatusCode::NOT_FOUND);
}

/// Proves that a button of the page is the same gesture, once a page however often it is pressed.
#[tokio::test]
async fn buttons_press() {
    let house = House::open(sample());
    let browser = house.browser().await;
    let page = house.ask("GET", "/tasks/SITE-005", &[("cookie", &browser.cookie)], "").await.body;
    assert!(page.contains("value=\"approve\"") && page.contains("value=\"reject\""), "{page}");
    let seq = page.split("name=\"seq\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = format!("press=priority&priority=high&seq={seq}");
    for _ in 0..2 {
        let answer = house.form(&browser, "/tasks/SITE-005/act", &form).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/tasks/SITE-005"));
    }
    let world = house.memory.world();
    let presses = world.rows.iter().filter(|row| matches!(row.event, Event::Gesture(_))).count();
    assert_eq!(presses, 1);
    let Event::Gesture(gesture) = &world.rows.last().unwrap().event else { panic!("no gesture") };
    assert_eq!((gesture.by.as_str(), gesture.via), ("ada", Door::Dashboard));
}

/// Proves that an issue and a comment are made once a request, and that a bad one names the place and the remedy.
#[tokio::test]
async fn issues_and_comments() {
    let house = House::open(sample());
    let made =
        house.post("/api/v1/issues", r#"{"project":"tools","title":" A  new\nthing ","start":true}"#).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let task = made.json()["task"].as_str().unwrap().to_owned();
    let shown = house.get(&format!("/api/v1/tasks/{task}")).await.json();
    assert_eq!((&shown["title"], &shown["text"]), (&"A new thing".into(), &"".into()));
    let comments = format!("/api/v1/tasks/{task}/comments");
    assert_eq!(house.post(&comments, r#"{"text":"An answer"}"#).await.status, StatusCode::CREATED);
    assert_eq!(house.get(&comments).await.json()[0]["text"], "An answer");

    let cases = [
        (r#"{"project":"tools","title":"  "}"#, "title"),
        (r#"{"project":"tools"}"#, "title"),
        (r#"{"project":"tools","title":"x","start":"yes"}"#, "start"),
        (r#"{"project":"tools","title":"x","colour":1}"#, "colour"),
        ("{", "line 1 column 1"),
    ];
    for (body, place) in cases {
        let answer = house.post("/api/v1/issues", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        let error = &answer.json()["error"];
        assert!(error["message"].as_str().unwrap().contains(place), "{body}: {error}");
        assert!(!error["hint"].as_str().unwrap().is_empty(), "{body}");
    }
    let none = house.post("/api/v1/issues", r#"{"project":"none","title":"x"}"#).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

/// Proves that a full queue sheds with 503 and says when to come back (decision 33).
#[tokio::test]
async fn a_full_queue_sheds() {
    let house = House::open(sample());
    house.memory.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let cases =
        [("/api/v1/tasks/SITE-005/stop", ""), ("/api/v1/issues", r#"{"project":"tools","title":"x"}"#)];
    for (path, body) in cases {
        let answer = house.post(path, body).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, "2"),
            "{path}"
        );
        assert_eq!(answer.json()["error"]["kind"], "overloaded");
    }
}
