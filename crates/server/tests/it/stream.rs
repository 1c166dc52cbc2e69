//! Does a client hear everything once, also after a break?

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use orch_core::id::TaskId;
use orch_core::reason::Reason;

use crate::house::{House, TOKEN};
use crate::sample::sample;

/// An open stream.
struct Stream(Body, String);

impl Stream {
    async fn open(house: &House, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::builder().uri(path).header("host", "localhost");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = house.front.clone().answer(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body(), String::new())
    }

    /// The next event whole; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.1 = rest;
                return Some(event);
            }
            let frame = self.0.frame().await?.unwrap();
            self.1.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn id(&mut self) -> u64 {
        let event = self.next().await.unwrap();
        event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap()
    }
}

fn note(house: &House, task: &str) -> u64 {
    house.memory.force(&TaskId::from(task), vec![], vec![Reason::Noted]).0
}

/// Proves that a client that comes back with the last id it saw hears every row since, once and in order, and then goes
/// on with what happens.
#[tokio::test]
async fn streams_resume_from_the_journal() {
    let house = House::open(sample());
    let mut stream = Stream::open(&house, "/api/v1/events", None).await;
    let begin = stream.id().await;
    assert_eq!(note(&house, "SITE-004"), begin + 1);
    assert_eq!(stream.id().await, begin + 1);
    drop(stream);
    for _ in 0..500 {
        note(&house, "SITE-005");
    }
    let mut stream = Stream::open(&house, "/api/v1/events", Some(&(begin + 1).to_string())).await;
    stream.id().await;
    for n in 0..500 {
        assert_eq!(stream.id().await, begin + 2 + n);
    }
    note(&house, "SITE-004");
    let event = stream.next().await.unwrap();
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["entity"], &data["raw_reasons"][0]), (&"task/SITE-004".into(), &"noted".into()));
}

/// Proves that one entity can be listened to alone, that pages get ticks without rows, and that a bad place is named.
#[tokio::test]
async fn streams_can_be_narrowed() {
    let house = House::open(sample());
    let mut one = Stream::open(&house, "/api/v1/events?entity=task/SITE-005", None).await;
    let mut ticks = Stream::open(&house, "/api/v1/events?ticks=true&entity=task/SITE-005", None).await;
    one.id().await;
    ticks.id().await;
    note(&house, "SITE-004");
    let seq = note(&house, "SITE-005");
    assert_eq!(one.id().await, seq);
    assert_eq!(ticks.next().await.unwrap(), format!("id: {seq}\nevent: tick\ndata: {seq}"));
    for (path, headers) in [
        ("/api/v1/events?entity=nobody", &[][..]),
        ("/api/v1/events", &[("last-event-id", "x")][..]),
        ("/api/v1/events?after=-1", &[][..]),
    ] {
        assert_eq!(house.ask("GET", path, headers, "").await.status.as_u16(), 400, "{path}");
    }
}

/// Proves that a log is followed as it grows, in whole characters, and that the stream says when the run is over.
#[tokio::test]
async fn logs_are_followed() {
    let house = House::open(sample());
    let task = TaskId::from("SITE-007");
    let mut stream = Stream::open(&house, "/api/v1/tasks/SITE-007/log/follow?run=r702.0", None).await;
    assert!(stream.next().await.unwrap().contains("Reading docs/work-items"));
    let word = "слово\n".as_bytes();
    house.memory.write_log(&task, "r702.0", &word[..3], true);
    let first = stream.next().await.unwrap();
    house.memory.write_log(&task, "r702.0", &word[3..], false);
    let mut text = first + "\n";
    while let Some(event) = stream.next().await {
        text.push_str(&event);
        text.push('\n');
        if event.contains("event: end") {
            break;
        }
    }
    let said: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .map(|rest| serde_json::from_str::<serde_json::Value>(&format!("{{{rest}")).unwrap())
        .map(|data| data["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said, "слово\n");
    assert!(stream.next().await.is_none());
}

/// Proves that streams end when the server stops.
#[tokio::test]
async fn streams_end_with_the_server() {
    let house = House::open(sample());
    let mut stream = Stream::open(&house, "/api/v1/events", None).await;
    stream.id().await;
    house.stop.cancel();
    assert!(stream.next().await.is_none());
}

/// Proves that a client which saw more than the journal has, as after a restore, begins at its end and hears so.
#[tokio::test]
async fn a_journal_that_is_shorter_is_told() {
    let house = House::open(sample());
    let begin = Stream::open(&house, "/api/v1/events", None).await.id().await;
    let later = (begin + 1_000).to_string();
    for entity in ["", "&entity=task/SITE-004"] {
        let mut ticks =
            Stream::open(&house, &format!("/api/v1/events?ticks=true{entity}"), Some(&later)).await;
        assert_eq!(ticks.id().await, begin);
        assert_eq!(ticks.next().await.unwrap(), format!("id: {begin}\nevent: tick\ndata: {begin}"));
    }
    let mut rows = Stream::open(&house, "/api/v1/events", Some(&later)).await;
    assert_eq!(rows.id().await, begin);
    assert_eq!(note(&house, "SITE-004"), begin + 1);
    assert_eq!(rows.id().await, begin + 1);
}

/// Proves that readers without a login cannot listen in any number, that who is known still can, and that a place which
/// was left is given again.
#[tokio::test]
async fn strangers_have_so_much_room() {
    let house = House::open(sample());
    let mut open = Vec::new();
    loop {
        let request = Request::builder().uri("/api/v1/events").header("host", "localhost");
        let response = house.front.clone().answer(request.body(Body::empty()).unwrap()).await;
        if response.status() == 503 {
            break;
        }
        open.push(response);
        assert!(open.len() <= 1_000);
    }
    assert_eq!(open.len(), 256);
    let bearer = format!("Bearer {TOKEN}");
    let request =
        Request::builder().uri("/api/v1/events").header("host", "localhost").header("authorization", bearer);
    assert_eq!(house.front.clone().answer(request.body(Body::empty()).unwrap()).await.status(), 200);
    open.clear();
    // The tasks behind them see that their clients are gone.
    let given_again = async {
        loop {
            tokio::task::yield_now().await;
            let request = Request::builder().uri("/api/v1/events").header("host", "localhost");
            if house.front.clone().answer(request.body(Body::empty()).unwrap()).await.status() == 200 {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), given_again).await.expect("a place is given again");
}
