//! What goes wrong on the way, over real HTTP: each trouble by its name, and what had happened all the same.

use std::collections::BTreeSet;

use orch_sim::http::Door;
use orch_sim::http::plane::{MEMBER, Plane};
use orch_sim::http::server::Server;
use orch_sim::http::trouble::Trouble;
use orch_sim::http::wire::Request;
use serde_json::json;

use super::{Inbox, call};

fn plane(seed: u64) -> (Plane, String, String) {
    let mut plane = Plane::new(seed, "acme");
    let bot = plane.user("bot", MEMBER);
    let project = plane.project(&bot, "Delivery", "DLV");
    let key = plane.key(&bot);
    (plane, project, key)
}

fn asks(method: &str, project: &str, key: &str, rest: &str) -> Request {
    Request::new(method, &format!("/api/v1/workspaces/acme/projects/{project}/{rest}")).with("X-API-Key", key)
}

/// Before the effect nothing is there afterwards, after the effect it is, whatever the client was told.
#[tokio::test]
async fn each_trouble_is_what_its_name_says() {
    let (world, project, key) = plane(1);
    let server = Server::listen(|_| world).await.unwrap();
    let url = server.url();
    let cases = [
        (Trouble::Throttled, Some(429), false),
        (Trouble::ThrottledMute, Some(429), false),
        (Trouble::ErrorBefore, Some(502), false),
        (Trouble::ErrorAfter, Some(500), true),
        (Trouble::TimeOutBefore, None, false),
        (Trouble::TimeOutAfter, None, true),
        (Trouble::BreakBefore, None, false),
        (Trouble::BreakAfter, None, true),
        (Trouble::Garbage, Some(200), true),
        (Trouble::CutShort, Some(201), true),
    ];
    let mut there = 0;
    for (trouble, status, happened) in cases {
        server.world().troubles().say(trouble);
        let create = asks("POST", &project, &key, "work-items/").json(&json!({"name": trouble.name()}));
        let address = url.clone();
        let calls = tokio::spawn(async move { call(&address, create).await });
        let got = if matches!(trouble, Trouble::TimeOutBefore | Trouble::TimeOutAfter) {
            // No answer will come: it is enough that the server has had the request.
            while server.world().troubles().of(trouble) == 0 {
                tokio::task::yield_now().await;
            }
            calls.abort();
            None
        } else {
            calls.await.unwrap()
        };
        assert_eq!(got.as_ref().map(|answer| answer.status), status, "{}", trouble.name());
        if let Some(answer) = got {
            assert_eq!(
                answer.header("retry-after").is_some(),
                trouble == Trouble::Throttled,
                "{}",
                trouble.name()
            );
            assert!(answer.value().get("id").is_none(), "{}", trouble.name());
        }
        there += u64::from(happened);
        let list = call(&url, asks("GET", &project, &key, "work-items/")).await.unwrap().value();
        assert_eq!(list["total_count"], json!(there), "{}", trouble.name());
    }
    // A stale reading: what the same question was answered the last time.
    let create = asks("POST", &project, &key, "work-items/").json(&json!({"name": "new"}));
    call(&url, create).await.unwrap();
    server.world().troubles().say(Trouble::StaleRead);
    let stale = call(&url, asks("GET", &project, &key, "work-items/")).await.unwrap().value();
    assert_eq!(stale["total_count"], json!(there));
    let fresh = call(&url, asks("GET", &project, &key, "work-items/")).await.unwrap().value();
    assert_eq!(fresh["total_count"], json!(there + 1));
}

/// Webhooks are lost, come ten times, late, and behind those that were sent after them.
#[tokio::test]
async fn webhooks_go_astray() {
    let (mut world, project, key) = plane(1);
    let inbox = Server::listen(|_| Inbox::new(200)).await.unwrap();
    world.hook(&format!("{}/hook", inbox.url()));
    for trouble in [Trouble::HookLost, Trouble::HookDoubled, Trouble::HookReordered, Trouble::HookLate] {
        world.troubles().say(trouble);
    }
    let server = Server::listen(|_| world).await.unwrap();
    for name in ["lost", "doubled", "reordered", "late", "well"] {
        let create = asks("POST", &project, &key, "work-items/").json(&json!({"name": name}));
        assert_eq!(call(&server.url(), create).await.unwrap().status, 201);
        server.pass(2).await;
    }
    let names = || -> Vec<String> {
        let got = inbox.world().got.clone();
        got.iter()
            .map(|request| request.value().unwrap()["data"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let got = inbox.world().got.clone();
    let ids: BTreeSet<_> =
        got.iter().map(|request| request.header("X-Plane-Delivery").unwrap().to_owned()).collect();
    assert_eq!(ids.len(), got.len(), "each under an id of its own (section 0, fact 3)");
    let mut expected = vec!["doubled"; 10];
    expected.push("well");
    assert_eq!(names(), expected);
    server.pass(60).await;
    expected.push("reordered");
    assert_eq!(names(), expected);
    server.pass(4 * 3600).await;
    expected.push("late");
    assert_eq!(names(), expected);
}

/// The same seed and the same requests: the same answers and webhooks, to the byte, troubles of the dice included.
#[test]
fn the_same_seed_gives_the_same_bytes() {
    let live = |seed: u64| {
        let (mut world, project, key) = plane(seed);
        world.hook("http://127.0.0.1:9/hook");
        for trouble in Trouble::ALL {
            world.troubles().set(trouble, 60);
        }
        let mut all = Vec::new();
        let mut came = 0;
        for n in 0..40 {
            let create =
                asks("POST", &project, &key, "work-items/").json(&json!({"name": format!("item {n}")}));
            all.push(format!("{:?}", world.answer(&create)));
            all.push(format!("{:?}", world.answer(&asks("GET", &project, &key, "work-items/?per_page=3"))));
            world.clock().pass(5_000_000);
            all.extend(world.post().iter().map(|delivery| format!("{delivery:?}")));
        }
        for trouble in Trouble::ALL {
            came += world.troubles().of(trouble);
        }
        (all, came)
    };
    let (first, came) = live(7);
    assert!(came > 5, "{came} troubles came");
    assert_eq!((first.clone(), came), live(7));
    assert_ne!(first, live(8).0);
}
