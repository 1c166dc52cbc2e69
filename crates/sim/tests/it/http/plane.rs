//! Plane: boards whose states alias, go missing and are renamed; webhooks that are hints.

#![expect(clippy::unwrap_used, reason = "what the tests need must be there")]

use orch_sim::http::plane::{GUEST, MEMBER, Plane};
use orch_sim::http::server::Server;
use orch_sim::http::sign::sign;
use orch_sim::http::wire::Request;
use orch_sim::http::{Door as _, Posted};
use serde_json::{Value, json};

use super::{Inbox, ask, call};

struct Board {
    server: Server<Plane>,
    key: String,
    ann: String,
    bot: String,
    project: String,
}

impl Board {
    /// A server with a person, a bot and one project.
    async fn new() -> Self {
        let mut plane = Plane::new(1, "acme");
        let ann = plane.user("ann", 20);
        let bot = plane.user("bot", MEMBER);
        let project = plane.project(&ann, "Delivery", "dlv");
        plane.member(&project, &bot, MEMBER);
        plane.state(&project, "To Analyse", "unstarted");
        let key = plane.key(&bot);
        let server = Server::listen(|_| plane).await.unwrap();
        Self { server, key, ann, bot, project }
    }

    fn asks(&self, method: &str, path: &str) -> Request {
        let path = format!("/api/v1/workspaces/acme/projects/{}/{path}", self.project);
        Request::new(method, &path).with("X-API-Key", &self.key)
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let asked = self.asks(method, path);
        ask(&self.server.url(), if body.is_null() { asked } else { asked.json(&body) }).await
    }

    fn state(&self, name: &str) -> String {
        self.server.world().state_id(&self.project, name).unwrap()
    }

    async fn item(&self, name: &str) -> String {
        let (status, made) = self.ask("POST", "work-items/", json!({"name": name})).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }
}

/// An item goes over a board: states by ids of its own project, one webhook a changed field, signed, our own writes echoed,
/// a person's press under another field's name (facts/plane.md sections 0, 2 and 3).
#[tokio::test]
async fn an_item_goes_over_its_board() {
    let board = Board::new().await;
    let inbox = Server::listen(|_| Inbox::new(500)).await.unwrap();
    let hook = board.server.world().hook(&format!("{}/hook", inbox.url()));
    let secret = board.server.world().hooks()[0].secret.clone();

    let (todo, doing) = (board.state("To Analyse"), board.state("In Progress"));
    let body = json!({
        "name": "Z\u{fc}ge", "description_html": "<p>one</p><!-- m --><script>x()</script>", "state": todo,
        "external_id": "e-1", "external_source": "orch",
    });
    let (status, made) = board.ask("POST", "work-items/", body.clone()).await;
    assert_eq!((status, &made["sequence_id"], &made["state"]), (201, &json!(1), &json!(todo)));
    assert_eq!(made["description_html"], "<div><p>one</p></div>");
    // The same once more is refused and says which it is.
    let (status, again) = board.ask("POST", "work-items/", body).await;
    assert_eq!((status, &again["id"]), (409, &made["id"]));
    let item = format!("work-items/{}/", made["id"].as_str().unwrap());

    // The order of the keys is that of the webhooks.
    let mut patch = board.asks("PATCH", &item).with("Content-Type", "application/json");
    patch.body = format!("{{\"state\": \"{doing}\", \"priority\": \"high\"}}").into_bytes();
    let (status, moved) = ask(&board.server.url(), patch).await;
    assert_eq!((status, &moved["state"]), (200, &json!(doing)));
    // What is already so is told to nobody; what a browser would send is not understood here.
    board.ask("PATCH", &item, json!({"state": doing})).await;
    let (status, same) = board.ask("PATCH", &item, json!({"state_id": todo})).await;
    assert_eq!((status, &same["state"]), (200, &json!(doing)));
    let done = board.state("Done");
    let id = board.server.world().issue_id("DLV-1").unwrap();
    board.server.world().press(&board.ann, &id, &done);

    let posted = board.server.pass(5).await;
    assert!(posted.iter().all(|(_, posted)| *posted == Posted::Answered(500)), "an answer is an answer");
    let got = inbox.world().got.clone();
    let bodies: Vec<Value> = got.iter().map(|request| request.value().unwrap()).collect();
    let fields: Vec<&str> =
        bodies.iter().map(|body| body["activity"]["field"].as_str().unwrap_or("created")).collect();
    assert_eq!(fields, ["created", "state", "priority", "state_id"]);
    for (request, body) in got.iter().zip(&bodies) {
        assert!(request.body.is_ascii());
        assert_eq!(request.header("X-Plane-Signature"), sign(&secret, &request.body).as_deref());
        assert_eq!(request.header("X-Plane-Event"), Some("issue"));
        assert_eq!(body["webhook_id"], json!(hook));
        let who = if body["activity"]["field"] == "state_id" { &board.ann } else { &board.bot };
        assert_eq!(body["activity"]["actor"]["id"], json!(who));
    }
    // The change itself is exact; the item beside it may be newer than the change (section 0, fact 1).
    let told = bodies.iter().find(|body| body["activity"]["field"] == "state").unwrap();
    assert_eq!(told["activity"]["old_value"], json!(todo));
    assert_eq!(told["activity"]["new_value"], json!(doing));
    assert_eq!(told["data"]["state"]["id"], json!(done));
    assert_eq!(board.server.pass(3600).await, [], "an answer is never followed by another try");
    let (_, read) = board.ask("GET", &item, Value::Null).await;
    assert!(read["completed_at"].is_string());
    let (_, rows) = board.ask("GET", &format!("{item}activities/"), Value::Null).await;
    assert_eq!(rows["results"][0]["verb"], "created");
    assert_eq!(rows["count"], 4);
}

/// What our write covered is told by the item's own history, exactly and with whose hand: an answer to a `PATCH` says only what
/// is there now, and an item read a moment before may have been changed since (decision 68; facts/plane.md section 2).
#[tokio::test]
async fn the_history_tells_what_a_write_covered() {
    let board = Board::new().await;
    let item = board.item("One").await;
    let path = format!("work-items/{item}/");
    let (todo, doing) = (board.state("To Analyse"), board.state("In Progress"));
    board.server.pass(2).await;
    let (_, read) = board.ask("GET", &path, Value::Null).await;
    board.server.world().press(&board.ann, &item, &todo);
    let (status, moved) = board.ask("PATCH", &path, json!({"state": doing})).await;
    assert_eq!((status, &moved["state"]), (200, &json!(doing)));
    assert_ne!(read["state"], json!(todo), "what was read before the write did not have the press yet");
    assert!(moved["updated_at"].as_str() > read["updated_at"].as_str());
    board.server.pass(5).await;
    let (_, rows) = board.ask("GET", &format!("{path}activities/"), Value::Null).await;
    let moves: Vec<&Value> =
        rows["results"].as_array().unwrap().iter().filter(|row| row["old_identifier"].is_string()).collect();
    let ours = moves.iter().find(|row| row["actor"] == json!(board.bot)).unwrap();
    assert_eq!((&ours["old_identifier"], &ours["new_identifier"]), (&json!(todo), &json!(doing)));
    let theirs = moves.iter().find(|row| row["actor"] == json!(board.ann)).unwrap();
    assert_eq!(theirs["new_identifier"], json!(todo));
}

/// Boards of two projects have the same names and other ids; a renamed state keeps its id, a removed one is no state.
#[tokio::test]
async fn boards_are_each_their_own() {
    let board = Board::new().await;
    let (here, there, analyse) = {
        let mut world = board.server.world();
        let other = world.project(&board.ann, "Other", "OTH");
        let here = world.state_id(&board.project, "Done").unwrap();
        let there = world.state_id(&other, "Done").unwrap();
        let analyse = world.state_id(&board.project, "To Analyse").unwrap();
        world.rename_state(&analyse, "Analyse this");
        assert_eq!(world.state_id(&board.project, "To Analyse"), None);
        (here, there, analyse)
    };
    assert_ne!(here, there);

    let item = format!("work-items/{}/", board.item("one").await);
    let (status, refused) = board.ask("PATCH", &item, json!({"state": there})).await;
    assert_eq!(status, 400);
    assert!(refused["state"][0].as_str().unwrap().starts_with("Invalid pk"), "{refused}");
    let (status, _) = board.ask("PATCH", &item, json!({"state": "Done"})).await;
    assert_eq!(status, 400, "a name is no id");
    let (status, _) = board.ask("PATCH", &item, json!({"state": analyse})).await;
    assert_eq!(status, 200, "a renamed state is the same state");
    assert!(!board.server.world().remove_state(&analyse), "one with an item in it stays");
    board.ask("PATCH", &item, json!({"state": here})).await;
    assert!(board.server.world().remove_state(&analyse));
    let (status, _) = board.ask("PATCH", &item, json!({"state": analyse})).await;
    assert_eq!(status, 400, "a removed one is none");

    let (status, made) =
        board.ask("POST", "states/", json!({"name": "New", "color": "#000", "group": "started"})).await;
    assert_eq!((status, &made["group"]), (200, &json!("started")), "a state is made with 200");
    let (status, _) = board.ask("POST", "states/", json!({"name": "New", "color": "#000"})).await;
    assert_eq!(status, 409);
    let (_, states) = board.ask("GET", "states/", Value::Null).await;
    let names: Vec<&str> =
        states["results"].as_array().unwrap().iter().map(|state| state["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Backlog", "Todo", "In Progress", "Done", "Cancelled", "New"]);
}

/// A status that is given another meaning is an alias: who kept its id under the old name holds the new one, and is told by
/// nothing but the items themselves. Renamed, and in another group, it keeps its id and its items; there is no webhook for it
/// (facts/plane.md sections 2, state, and 3).
///
/// So began what I-05 tells: a finished item stood under an id that was still kept as `Approved`. Who must see it comes with the
/// client.
#[tokio::test]
async fn a_renamed_status_is_an_alias_of_what_it_was() {
    let board = Board::new().await;
    let inbox = Server::listen(|_| Inbox::new(200)).await.unwrap();
    board.server.world().hook(&format!("{}/hook", inbox.url()));
    let body = json!({"name": "Approved", "color": "#000", "group": "started"});
    let (_, made) = board.ask("POST", "states/", body).await;
    let approved = made["id"].as_str().unwrap().to_owned();
    let items = [board.item("one").await, board.item("two").await];
    for item in &items {
        board.ask("PATCH", &format!("work-items/{item}/"), json!({"state": approved})).await;
    }
    board.server.pass(5).await;
    inbox.world().got.clear();

    // The name is another's until that one goes.
    let (state, done) = (format!("states/{approved}/"), board.state("Done"));
    let renamed = json!({"name": "Done", "group": "completed"});
    let (status, taken) = board.ask("PATCH", &state, renamed.clone()).await;
    assert_eq!((status, &taken["id"]), (409, &json!(done)));
    assert_eq!(board.ask("DELETE", &format!("states/{done}/"), Value::Null).await.0, 204);
    let (status, now) = board.ask("PATCH", &state, renamed).await;
    assert_eq!((status, &now["id"], &now["group"]), (200, &json!(approved), &json!("completed")));

    let (_, states) = board.ask("GET", "states/", Value::Null).await;
    let of_board = states["results"].as_array().unwrap();
    let named = |name: &str| of_board.iter().filter(|state| state["name"] == name).collect::<Vec<_>>();
    assert_eq!(named("Approved"), [&Value::Null; 0]);
    assert_eq!(named("Done"), [&now], "one id, under the new name");
    let (_, list) = board.ask("GET", "work-items/?expand=state&order_by=sequence_id", Value::Null).await;
    let meant = json!({"id": approved, "name": "Done", "color": "#000", "group": "completed"});
    let read =
        list["results"].as_array().unwrap().iter().map(|read| (read["id"].clone(), read["state"].clone()));
    assert_eq!(read.collect::<Vec<_>>(), items.each_ref().map(|item| (json!(item), meant.clone())));
    assert_eq!(board.server.pass(3600).await, [], "no webhook tells of states");

    // The next one about an item has the new meaning beside a change that is not about it.
    board.ask("PATCH", &format!("work-items/{}/", items[0]), json!({"name": "uno"})).await;
    board.server.pass(5).await;
    let told = inbox.world().got[0].value().unwrap();
    assert_eq!((&told["activity"]["field"], &told["data"]["state"]), (&json!("name"), &meant));
}

/// Each refusal with the status and the key that were seen (facts/plane.md section 1, errors).
#[tokio::test]
async fn refusals_are_plane_s() {
    let board = Board::new().await;
    let url = board.server.url();
    let get = board.asks("GET", "work-items/");
    let mut stranger = get.clone();
    stranger.headers.clear();
    assert_eq!(ask(&url, stranger.clone()).await.0, 401);
    let (status, body) = ask(&url, stranger.with("X-API-Key", "plane_api_0")).await;
    assert_eq!((status, body), (403, json!({"detail": "Given API token is not valid"})));
    let slashless = Request::new("POST", get.path.trim_end_matches('/')).json(&json!({}));
    let moved = call(&url, slashless).await.unwrap();
    assert_eq!((moved.status, moved.header("location")), (301, Some(get.path.as_str())));
    let unknown =
        Request::new("GET", "/api/v1/workspaces/acme/projects/nope/states/").with("X-API-Key", &board.key);
    assert_eq!(ask(&url, unknown).await, (404, json!({"error": "Page not found."})));
    let elsewhere = Request::new("GET", "/api/v1/workspaces/nope/projects/").with("X-API-Key", &board.key);
    assert_eq!(ask(&url, elsewhere).await.0, 403, "what is unknown is forbidden");
    for (query, status) in [
        ("order_by=nope", 500),
        ("order_by=-state__group", 200),
        ("order_by=completed_at", 200),
        ("per_page=0", 500),
        ("per_page=1001", 400),
        ("cursor=x", 400),
        ("state=x", 200),
    ] {
        let (got, body) = board.ask("GET", &format!("work-items/?{query}"), Value::Null).await;
        assert_eq!(got, status, "{query}: {body}");
    }
    assert_eq!(board.ask("PUT", "work-items/", json!({})).await.0, 405);
    assert_eq!(
        board.ask("POST", "work-items/", json!({})).await,
        (400, json!({"name": ["This field is required."]}))
    );
    assert_eq!(board.ask("POST", "work-items/", json!({"name": "x", "priority": "p1"})).await.0, 400);
    let hers = {
        let mut world = board.server.world();
        let guest = world.user("guest", GUEST);
        world.member(&board.project, &guest, GUEST);
        world.key(&guest)
    };
    let item = format!("work-items/{}/", board.item("one").await);
    let as_guest = |method: &str, path: &str, body: Value| {
        let mut asked = board.asks(method, path).json(&body);
        asked.headers[0].1.clone_from(&hers);
        asked
    };
    assert_eq!(ask(&url, as_guest("PATCH", &item, json!({"name": "no"}))).await.0, 403);
    let comment =
        as_guest("POST", &format!("{item}comments/"), json!({"comment_html": "<script>x()</script>"}));
    let (status, said) = ask(&url, comment).await;
    assert_eq!(
        (status, &said["comment_html"]),
        (201, &json!("<script>x()</script>")),
        "comments are not cleaned"
    );
    assert!(said.get("is_member").is_none());
    let id = board.server.world().issue_id("DLV-1").unwrap();
    board.server.world().archive(&id);
    assert_eq!(board.ask("GET", &item, Value::Null).await.0, 404);
    assert_eq!(board.ask("PATCH", &item, json!({"name": "still"})).await.0, 200);
    board.server.world().revoke(&board.key);
    assert_eq!(board.ask("GET", &item, Value::Null).await.0, 403);
}

/// Sixty calls a minute; the next one hears when the oldest leaves the window (facts/plane.md section 1, rate limit).
#[tokio::test]
async fn a_minute_has_sixty_calls() {
    let board = Board::new().await;
    for left in (0..60).rev() {
        let answer = call(&board.server.url(), board.asks("GET", "labels/")).await.unwrap();
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
    }
    let refused = call(&board.server.url(), board.asks("GET", "labels/")).await.unwrap();
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (429, None));
    assert_eq!(refused.value(), json!({"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED"}));
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((50..=60).contains(&wait), "{wait}");
    board.server.pass(wait).await;
    assert_eq!(board.ask("GET", "labels/", Value::Null).await.0, 200);
}

/// Pages are places in a list that moves; a cursor without `per_page` means another size (facts/plane.md section 0, fact 9).
#[tokio::test]
async fn pages_are_offsets() {
    let board = Board::new().await;
    for n in 0..5 {
        board.item(&format!("item {n}")).await;
    }
    let (_, first) = board.ask("GET", "work-items/?per_page=2&order_by=sequence_id", Value::Null).await;
    assert_eq!(
        (&first["count"], &first["total_pages"], &first["next_page_results"]),
        (&json!(2), &json!(3), &json!(true))
    );
    assert_eq!((&first["next_cursor"], &first["prev_cursor"]), (&json!("2:1:0"), &json!("2:-1:1")));
    let (_, last) = board
        .ask("GET", "work-items/?per_page=2&order_by=sequence_id&cursor=2:2:0&fields=id,name", Value::Null)
        .await;
    assert_eq!((&last["count"], &last["next_page_results"]), (&json!(1), &json!(false)));
    assert_eq!(last["results"][0].as_object().unwrap().len(), 2);
    assert_eq!(last["next_cursor"], "2:3:0", "there is always a next cursor");
    let (_, past) = board.ask("GET", "work-items/?cursor=2:1:0", Value::Null).await;
    assert_eq!(past["results"], json!([]));
}

/// Nobody there: the same body again up to five times, under new delivery ids, then the webhook is off (section 3, retries).
#[tokio::test]
async fn silence_switches_a_webhook_off() {
    let board = Board::new().await;
    // A port that nobody listens on any more.
    let gone = Server::listen(|_| Inbox::new(200)).await.unwrap().url();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}/hook", listener.local_addr().unwrap());
    drop(listener);
    assert_ne!(gone, dead);
    let hook = board.server.world().hook(&dead);
    board.item("one").await;
    let tries = board.server.pass(5 * 600 + 60).await;
    assert_eq!(tries.len(), 6);
    assert!(
        tries
            .iter()
            .all(|(delivery, posted)| { *posted == Posted::Unreachable && delivery.body == tries[0].0.body })
    );
    let mut ids: Vec<_> = tries.iter().map(|(delivery, _)| delivery.header("X-Plane-Delivery")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    assert!(!board.server.world().hooks()[0].active);
    board.item("two").await;
    assert_eq!(board.server.pass(3600).await, []);
    board.server.world().switch_on(&hook);
    assert_eq!(board.server.pass(3600).await, [], "what happened meanwhile is told to nobody");
}

/// A write can be answered 500 and be there all the same, and nobody hears of it (facts/plane.md section 0, fact 10).
#[tokio::test]
async fn a_refused_write_may_have_happened() {
    let board = Board::new().await;
    board.server.world().hook("http://127.0.0.1:9/hook");
    board.server.world().broker_down = true;
    let body = json!({"name": "one", "external_id": "e-1", "external_source": "orch"});
    assert_eq!(board.ask("POST", "work-items/", body.clone()).await.0, 500);
    assert_eq!(board.ask("POST", "work-items/", body).await.0, 409);
    board.server.world().broker_down = false;
    assert_eq!(board.server.pass(60).await, []);
    let (status, found) =
        board.ask("GET", "work-items/?external_id=e-1&external_source=orch", Value::Null).await;
    assert_eq!((status, &found["name"]), (200, &json!("one")));
    // Deleting, archiving and closing by the server itself are told to nobody either (section 3).
    let id = found["id"].as_str().unwrap();
    let cancelled = board.state("Cancelled");
    board.server.world().close_silently(id, &cancelled);
    board.server.world().delete(id);
    assert_eq!(board.server.world().next_due(), None);
}
