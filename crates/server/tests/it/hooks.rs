//! Is a delivery answered as what came of it?

use axum::http::StatusCode;

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
    house.memory.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let shed = house.ask("POST", path, &signed, "{}").await;
    assert_eq!((shed.status, shed.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
}
