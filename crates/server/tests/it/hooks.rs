//! Is a delivery answered as what came of it?

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use axum::http::{Request, StatusCode};
use hyper::body::Frame;

use crate::house::House;
use crate::sample::sample;

/// Proves that the hook's route answers 202 and 200 only for what the source says, refuses a bad signature with 401, a
/// malformed body with its place, an unknown project, too much, and sheds with 503; and that it needs no other
/// credential and no origin.
/// row 130: Events of unregistered projects are ignored.
#[tokio::test]
async fn deliveries_are_answered_as_what_came_of_them() {
    let house = House::open(sample());
    let signed = [("orch-signature", "right")];
    let path = "/webhook/orch/site";
    assert_eq!(house.ask("POST", path, &signed, r#"{"issue":1}"#).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.ask("POST", path, &signed, "{}").await.status, StatusCode::OK);
    let unsigned = house.ask("POST", path, &[], "{}").await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    assert!(unsigned.json()["error"]["message"].as_str().unwrap().contains("signature"));
    let malformed = house.ask("POST", path, &signed, "{").await;
    assert_eq!(malformed.status, StatusCode::BAD_REQUEST);
    let error = malformed.json()["error"].clone();
    assert!(error["message"].as_str().unwrap().contains("line 1"), "{error}");
    assert_eq!(error["hint"], "send JSON");
    assert_eq!(house.ask("POST", "/webhook/orch/none", &signed, "{}").await.status, StatusCode::NOT_FOUND);
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(house.ask("POST", path, &signed, &large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    house.memory.full.store(true, Ordering::Relaxed);
    let shed = house.ask("POST", path, &signed, "{}").await;
    assert_eq!((shed.status, shed.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
}

/// Proves that a hook asks for no name of ours, has no method but POST, and takes a body in pieces and of unknown length
/// as one.
#[tokio::test]
async fn a_hook_needs_nothing_but_its_signature() {
    let house = House::open(sample());
    let path = "/webhook/orch/site";
    let signed = [("orch-signature", "right"), ("host", "tracker.example")];
    assert_eq!(house.ask("POST", path, &signed, r#"{"issue":1}"#).await.status, StatusCode::ACCEPTED);
    let read = house.ask("GET", path, &signed, "").await;
    assert_eq!(
        (read.status, read.json()["error"]["kind"].clone()),
        (StatusCode::METHOD_NOT_ALLOWED, "wrong_method".into())
    );
    let pieces = |size: usize, pieces: Vec<String>| {
        let request = Request::post(path).header("orch-signature", "right");
        let body = Pieces(pieces.into_iter());
        let request = match size {
            0 => request,
            size => request.header("content-length", size),
        };
        house.front.clone().answer(request.body(body).unwrap())
    };
    let issue = [r#"{"issue""#, ":", "1}"].map(str::to_owned);
    assert_eq!(pieces(11, issue.to_vec()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(pieces(0, issue.to_vec()).await.status(), StatusCode::ACCEPTED);
    let large = vec![" ".repeat(1 << 16); 17];
    assert_eq!(pieces(0, large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

/// Proves that what is to be refused is refused before it is judged: an announced length before a byte of it is read, and
/// a full queue before the signature is looked at, but with the body read to its end, so that the sender sees the answer.
#[tokio::test]
async fn who_is_refused_costs_little() {
    let house = House::open(sample());
    let left = Arc::new(AtomicUsize::new(3));
    let count = Arc::clone(&left);
    let pieces = std::iter::repeat_n("x".to_owned(), 3).inspect(move |_| {
        count.fetch_sub(1, Ordering::Relaxed);
    });
    let request = |length: &str| Request::post("/webhook/orch/site").header("content-length", length);
    let far = request("1048577").body(Pieces(pieces.clone())).unwrap();
    assert_eq!(house.front.clone().answer(far).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(left.load(Ordering::Relaxed), 3);
    house.memory.full.store(true, Ordering::Relaxed);
    let near = request("3").body(Pieces(pieces)).unwrap();
    let shed = house.front.clone().answer(near).await;
    assert_eq!((shed.status(), left.load(Ordering::Relaxed)), (StatusCode::SERVICE_UNAVAILABLE, 0));
    assert_eq!(shed.headers()["retry-after"], "2");
}

/// The pieces of a body, there at once.
struct Pieces<I>(I);

impl<I: Iterator<Item = String> + Unpin> HttpBody for Pieces<I> {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece.into()))))
    }
}
