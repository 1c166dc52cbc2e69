//! What do programs read?

use std::collections::BTreeSet;

use axum::http::StatusCode;
use orch_core::artefact::FileVerdict;
use orch_core::change::Change;
use orch_core::hold::{Standing, standing};
use orch_core::id::{EffectId, Seq, TaskId};
use orch_core::record::{Record, Trouble};
use orch_core::time::Moment;
use serde_json::Value;

use crate::house::House;
use crate::memory::Memory;
use crate::sample::{commit, files, sample};

/// Proves that the document and the router have exactly the same routes, and that every type it names is described.
#[tokio::test]
async fn the_document_describes_every_route() {
    let there: Vec<(String, String)> = orch_server::routed()
        .into_iter()
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(there, orch_server::documented());
    assert!(there.len() > 25);
    let house = House::open(Memory::new());
    let document = house.get("/openapi.json").await.json();
    let text = document.to_string();
    let named: BTreeSet<&str> =
        text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{name} is not described");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(!summary.is_empty(), "{method} {path} says nothing of itself");
        }
    }
}

/// row 201: /health, /status, /queue shapes; all listed blocks present.
#[tokio::test]
async fn health_status_and_queue_have_their_shapes() {
    let house = House::open(sample());
    let health = house.get("/health").await.json();
    assert_eq!((&health["status"], &health["service"]), (&"ok".into(), &"orchestrator".into()));
    assert_eq!((&health["version"], &health["commit"]), (&"0.1.0".into(), &"1f0c2ab".into()));
    let status = house.get("/status").await.json();
    assert_eq!(status["active"], 32);
    assert_eq!(status["stages"]["done"], 3);
    assert_eq!(status["tasks"].as_array().unwrap().len(), 32);
    assert_eq!(status["tasks"][0]["stage"], "created");
    let queue = house.get("/queue").await.json();
    let blocks =
        ["counts", "resilience", "reconcile", "reaper", "post_deploy", "serial_gate", "auto_labels", "stop"];
    for block in blocks {
        assert!(queue[block].is_object(), "{block} is missing");
    }
    for block in blocks.iter().skip(1) {
        assert!(queue[block]["enabled"].is_boolean(), "{block} does not say whether it is there");
    }
    for count in ["queued", "running", "done", "failed"] {
        assert!(queue["counts"][count].is_u64(), "{count}");
    }
    let keys = [
        "enabled",
        "plane_enabled",
        "last_run_ts",
        "unblocked_total",
        "last_unblocked",
        "skipped_terminal_total",
        "deduped_total",
    ];
    for key in keys {
        assert!(queue["reconcile"].get(key).is_some(), "reconcile.{key}");
    }
    assert_eq!(queue["post_deploy"]["enabled"], false);
    assert!(queue["serial_gate"]["frozen"]["tools"].is_array());
}

/// Proves that lists are filtered and paged to their end without doubles, and that bad parameters are named.
#[tokio::test]
async fn lists_are_paged() {
    let house = House::open(sample());
    let mut seen = BTreeSet::new();
    let mut next = String::new();
    for _ in 0..10 {
        let page = house.get(&format!("/api/v1/tasks?project=tools&open=true&most=10{next}")).await.json();
        for task in page["tasks"].as_array().unwrap() {
            assert_eq!(task["project"], "tools");
            assert!(seen.insert(task["id"].as_str().unwrap().to_owned()));
        }
        match page["next"].as_i64() {
            Some(place) => next = format!("&before={place}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 24);
    for (path, place) in [
        ("/api/v1/tasks?stage=nowhere", "nowhere"),
        ("/api/v1/tasks?most=many", "most"),
        ("/api/v1/tasks?colour=red", "colour"),
        ("/api/v1/tasks/..%2f..%2fetc", "no task id"),
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.body.contains(place), "{path}: {}", answer.body);
    }
}

/// Proves that every task that waits says what for, since when, and what lifts it (decision 4).
#[tokio::test]
async fn no_task_waits_without_a_reason() {
    let house = House::open(sample());
    let all = house.get("/api/v1/tasks?most=200").await.json();
    assert_eq!(all["tasks"].as_array().unwrap().len(), 35);
    for task in all["tasks"].as_array().unwrap() {
        let id = task["id"].as_str().unwrap();
        let why = house.get(&format!("/api/v1/tasks/{id}/why")).await.json();
        let stand = &why["standing"];
        assert!(!stand["text"].as_str().unwrap().is_empty(), "{id}: {stand}");
        assert!(why["sentence"].as_str().unwrap().len() > 10, "{id}");
        let state = house.memory.task_now(&id.into()).unwrap();
        let world = house.memory.world();
        if let Standing::Held(holds) = standing(&state, &world.board, &world.policies, Moment(0)) {
            assert!(!stand["lifts"].as_str().unwrap().is_empty(), "{id}: nothing lifts {:?}", holds[0]);
        }
    }
}

/// Proves that an unknown price is null and in words, never 0, and that a sum which leaves one out says so (decision 12).
#[tokio::test]
async fn an_unknown_price_is_never_nothing() {
    let house = House::open(sample());
    let task = house.get("/api/v1/tasks/SITE-004").await.json();
    let unpriced = task["runs"].as_array().unwrap().iter().find(|run| run["id"] == "r405.0").unwrap();
    assert!(unpriced["usage"]["microdollars"].is_null());
    assert_eq!(unpriced["usage"]["cost"], "price unknown");
    assert_eq!(task["usage"]["partial"], true);
    assert_eq!(task["usage"]["cost"], "≥ $3.54");
}

/// Proves that only artefacts which the task lists are read: a name from outside never becomes a path.
#[tokio::test]
async fn artefacts_by_listed_names_only() {
    let house = House::open(sample());
    let file = house.get("/api/v1/tasks/SITE-004/artefacts/06-adr/ADR-001-index.md").await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.header("content-type").starts_with("text/plain"));
    for (asked, name) in [
        ("../../../etc/passwd", "../../../etc/passwd"),
        ("%2e%2e%2fsecret", "../secret"),
        ("99-none.md", "99-none.md"),
    ] {
        // It is there for who asks the source, and the task does not list it.
        house.memory.world().files.insert(("SITE-004".into(), name.to_owned()), b"a secret".to_vec());
        let answer = house.get(&format!("/api/v1/tasks/SITE-004/artefacts/{asked}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{asked}");
        assert!(!answer.body.contains("a secret"), "{asked}");
    }
}

/// Proves that what Orch itself wrote is served from the journal, before a file of that name on the task branch, with how it
/// stands on its branch; and that `retry` is offered where the branch was refused, on a task that is done too (decision 18).
#[tokio::test]
async fn records_are_read_from_the_journal() {
    let memory = sample();
    let task = TaskId::from("SITE-001");
    files(&memory, &task, &[("12-review.md", None), ("14-deploy-log.md", Some(FileVerdict::Negative))]);
    let log = "---\ndeploy_status: SUCCESS\n---\n# Deploy log of SITE-001\n";
    let text = memory.keep(log);
    let (record, effect) = (Record::DeployLog, EffectId::new(Seq(900), 0));
    let recorded = Change::Recorded { record, text, verdict: FileVerdict::Positive, run: None };
    memory.force(&task, vec![recorded, Change::RecordWriting { record, effect }], vec![]);
    let house = House::open(memory);
    let own = async |house: &House| {
        let task = house.get("/api/v1/tasks/SITE-001").await.json();
        let files = task["artefacts"].as_array().unwrap().clone();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files[0]["record"].is_null(), "{files:?}");
        (files[1].clone(), task["gestures"].clone())
    };
    let (file, gestures) = own(&house).await;
    assert_eq!((&file["name"], &file["verdict"]), (&"14-deploy-log.md".into(), &"positive".into()));
    assert_eq!((&file["record"]["commit"], &file["record"]["refused"]), (&Value::Null, &false.into()));
    assert_eq!(gestures.as_array().unwrap().len(), 0, "{gestures}");
    assert_eq!(house.get("/api/v1/tasks/SITE-001/artefacts/14-deploy-log.md").await.body, log);
    let page = house.page("/tasks/SITE-001").await.body;
    assert!(page.contains("On its way to <code>orch/records</code>"), "{page}");
    assert!(
        house.page("/tasks/SITE-001/files/14-deploy-log.md").await.body.contains("Deploy log of SITE-001")
    );

    let trouble = Some(Trouble { cause: "<b>hook declined</b>".into(), lasting: true });
    house.memory.force(&task, vec![Change::RecordTroubled { record, trouble }], vec![]);
    let (file, gestures) = own(&house).await;
    assert_eq!((&file["record"]["refused"], &gestures[0]["name"]), (&true.into(), &"retry".into()));
    let page = house.page("/tasks/SITE-001").await.body;
    assert!(page.contains("Retry pushes it again: &#60;b&#62;hook declined"), "{page}");

    let commit = commit(7);
    house.memory.force(
        &task,
        vec![
            Change::RecordWriting { record, effect },
            Change::RecordStands { record, commit: commit.clone() },
        ],
        vec![],
    );
    let (file, gestures) = own(&house).await;
    assert_eq!(
        (&file["record"]["commit"], &file["record"]["trouble"]),
        (&commit.to_string().into(), &Value::Null)
    );
    assert_eq!(gestures.as_array().unwrap().len(), 0, "{gestures}");
    let page = house.page("/tasks/SITE-001").await.body;
    assert!(
        page.contains(&format!("Pushed to <code>orch/records</code> <code>{}</code>", &commit.0[..10])),
        "{page}"
    );
}

/// Proves that a log is read from any byte, its end by default, and never as a page of its own.
#[tokio::test]
async fn logs_are_read_by_bytes() {
    let house = House::open(sample());
    house.memory.write_log(&"SITE-007".into(), "r702.0", &b"x".repeat(1_000_000), true);
    let tail = house.get("/api/v1/tasks/SITE-007/log").await;
    assert_eq!(tail.body.len(), 64 * 1024);
    assert_eq!((tail.header("log-live"), tail.header("content-type")), ("true", "application/octet-stream"));
    let size: u64 = tail.header("log-size").parse().unwrap();
    assert_eq!(tail.header("log-next"), size.to_string());
    let part = house.get("/api/v1/tasks/SITE-007/log?run=r702.0&from=4&most=7").await;
    assert_eq!((part.body.as_str(), part.header("log-next")), ("Reading", "11"));
    for path in ["log?run=r1.0", "log?run=r404.0"] {
        assert_eq!(house.get(&format!("/api/v1/tasks/SITE-007/{path}")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(house.get("/api/v1/tasks/SITE-007/log?run=x").await.status, StatusCode::BAD_REQUEST);
}

/// Proves history with its reasons and its pages.
#[tokio::test]
async fn history_has_reasons() {
    let house = House::open(sample());
    let page = house.get("/api/v1/tasks/SITE-004/history?most=5").await.json();
    assert_eq!(page["events"].as_array().unwrap().len(), 5);
    let before = page["next"].as_u64().unwrap();
    let older = house.get(&format!("/api/v1/tasks/SITE-004/history?before={before}")).await.json();
    assert!(older["events"][0]["seq"].as_u64().unwrap() < before);
    assert!(older["next"].is_null());
    let first = older["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["kind"], &first["raw_reasons"][0]), (&"issue".into(), &"known".into()));
}
