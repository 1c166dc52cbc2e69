//! Who gets in?

use axum::http::StatusCode;
use orch_server::auth::{Access, TICKET_LIFE};
use orch_server::source::Source;

use crate::house::{House, TOKEN};
use crate::memory::Memory;
use crate::sample::sample;

const JSON: (&str, &str) = ("content-type", "application/json");

/// Proves that no write is taken without a credential, on loopback too, whatever the route; and that reading is free
/// there.
#[tokio::test]
async fn every_write_needs_a_credential() {
    let house = House::open(sample());
    let rows = house.memory.world().rows.len();
    for (method, path) in orch_server::routed() {
        if method == "get" || path.starts_with("/webhook/") {
            continue;
        }
        let method = method.to_uppercase();
        let path = path.replace("{id}", "SITE-005").replace("{project}", "site");
        let answer = house.ask(&method, &path, &[JSON], r#"{"repo":"site"}"#).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.body);
        assert_eq!(answer.json()["error"]["kind"], "no_credential", "{path}");
        let wrong = house.ask(&method, &path, &[JSON, ("authorization", "Bearer wrong")], "{}").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in
        ["/act", "/new", "/tasks/SITE-005/act", "/tasks/SITE-005/say", "/tasks/SITE-005/edit", "/logout"]
    {
        let answer = house.ask("POST", path, &[], "press=stop").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(house.memory.world().rows.len(), rows, "something was written");
    assert_eq!(house.get("/api/v1/tasks").await.status, StatusCode::OK);
}

/// Proves that where reading needs a login, nothing but health, login and assets is given away, and that the token and a
/// session open all of it.
#[tokio::test]
async fn reading_needs_a_login_beyond_loopback() {
    let access = Access {
        reading_needs_login: true,
        hosts: vec!["orch.example".to_owned()],
        ..Access::loopback(TOKEN)
    };
    let house = House::with(sample(), access);
    let host = ("host", "orch.example");
    for path in
        ["/", "/tasks/SITE-005", "/api/v1/tasks", "/api/v1/events", "/openapi.json", "/queue", "/status"]
    {
        let answer = house.ask("GET", path, &[host], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!answer.body.contains("--json flag"), "{path}");
    }
    let page = house.ask("GET", "/", &[host, ("accept", "text/html")], "").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.body.contains("orch login"), "{}", page.body);
    assert_eq!(house.ask("GET", "/health", &[host], "").await.status, StatusCode::OK);
    let bearer = format!("Bearer {TOKEN}");
    let answer = house.ask("GET", "/api/v1/tasks", &[host, ("authorization", &bearer)], "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// Proves that a name that is not ours is refused, so that a page of another site cannot reach us by a name of its own.
#[tokio::test]
async fn only_our_names_are_answered_to() {
    let house = House::open(Memory::new());
    for host in
        ["evil.example", "localhost.evil.example:7070", "", "127.0.0.1.evil.example", "LOCALHOST@evil"]
    {
        let answer = house.ask("GET", "/api/v1/tasks", &[("host", host)], "").await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert_eq!(answer.json()["error"]["kind"], "wrong_host");
    }
    for host in ["localhost", "LOCALHOST:7070", "127.0.0.1:1", "[::1]:7070", "[::1]"] {
        assert_eq!(house.ask("GET", "/health", &[("host", host)], "").await.status, StatusCode::OK, "{host}");
    }
}

/// Proves that a write from another origin's page is refused even with our cookie, and that a session without any sign
/// of where it comes from is refused too.
#[tokio::test]
async fn other_origins_cannot_write() {
    let house = House::open(sample());
    let browser = house.browser().await;
    let form = format!("csrf={}&press=stop&seq=1", browser.csrf);
    let base = [("cookie", browser.cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let cases: [&[(&str, &str)]; 6] = [
        &[("origin", "http://evil.example")],
        &[("origin", "http://localhost:9999")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[],
    ];
    for more in cases {
        let headers = [&base[..], more].concat();
        let answer = house.ask("POST", "/tasks/SITE-005/act", &headers, &form).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{more:?}: {}", answer.body);
    }
    let wrong = crate::house::Browser { cookie: browser.cookie.clone(), csrf: "guess".to_owned() };
    let answer = house.form(&wrong, "/tasks/SITE-005/act", "press=stop&seq=1").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let own = [&base[..], &[("origin", "http://localhost:7070"), JSON, ("orch-csrf", "guess")]].concat();
    let answer = house.ask("POST", "/api/v1/tasks/SITE-005/stop", &own, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the API takes a cookie only with the page's token");
    assert!(house.memory.task_now(&"SITE-005".into()).unwrap().cancel.is_none());
}

/// Proves that a link works once, not after ten minutes, and not for looking at it; and that signing out ends it.
#[tokio::test]
async fn a_link_works_once() {
    let house = House::open(sample());
    let ticket = house.keeper.issue("ada", house.memory.now()).unwrap();
    for _ in 0..2 {
        let looked = house.page(&format!("/login?ticket={ticket}")).await;
        assert_eq!(looked.status, StatusCode::OK);
        assert!(looked.headers.get("set-cookie").is_none());
    }
    let first = house.sign_in(&ticket).await;
    let cookie = first.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.starts_with("orch-"), "{cookie}");
    assert_eq!(house.sign_in(&ticket).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.sign_in("").await.status, StatusCode::UNAUTHORIZED);
    let late = house.keeper.issue("ada", house.memory.now()).unwrap();
    house.memory.pass(TICKET_LIFE);
    assert_eq!(house.sign_in(&late).await.status, StatusCode::UNAUTHORIZED);

    let browser = house.browser().await;
    let out = house.form(&browser, "/logout", "").await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let after = house.form(&browser, "/tasks/SITE-005/act", "press=stop&seq=1").await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
}

/// Proves that what is kept of sessions has no token in it, and that a restart keeps people signed in.
#[tokio::test]
async fn sessions_outlive_a_restart() {
    use orch_server::auth::{Keeper, KeptSession};
    use std::sync::{Arc, Mutex};
    let kept: Arc<Mutex<Vec<KeptSession>>> = Arc::default();
    let writes = kept.clone();
    let keep = Box::new(move |all: &[KeptSession]| all.clone_into(&mut writes.lock().unwrap()));
    let mut house = House::open(sample());
    let restart = |house: &mut House, keeper: Keeper| {
        house.keeper = Arc::new(keeper);
        let source: Arc<dyn Source> = house.memory.clone();
        house.front = orch_server::Front::new(orch_server::Setup {
            source,
            keeper: house.keeper.clone(),
            lang: orch_core::message::Lang::En,
            notice: None,
            answer_within: std::time::Duration::from_secs(20),
            stop: house.stop.clone(),
        });
    };
    restart(&mut house, Keeper::new(Access::loopback(TOKEN), Vec::new(), Some(keep)));
    let browser = house.browser().await;
    let all = kept.lock().unwrap().clone();
    let token = browser.cookie.split_once('=').unwrap().1;
    assert_eq!(all.len(), 1);
    assert!(!serde_json::to_string(&all).unwrap().contains(token));
    restart(&mut house, Keeper::new(Access::loopback(TOKEN), all, None));
    let answer = house.form(&browser, "/tasks/SITE-005/act", "press=stop&seq=1").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
}

/// Proves what browsers are told with every answer: no inline script or style, no frame, no guessing of types.
#[tokio::test]
async fn browsers_are_kept_tight() {
    let house = House::open(sample());
    for path in
        ["/", "/tasks/SITE-004", "/new", "/journal", "/login", "/api/v1/tasks", "/nothing", "/tasks/X-1"]
    {
        let answer = house.page(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        assert!(!answer.body.contains(" style=") && !answer.body.contains("<script>"), "{path}");
        assert!(!answer.body.contains("onclick") && !answer.body.contains("http://"), "{path}");
    }
}

/// Proves that the token makes links that sign one browser in, once, as whom the caller names; and that a session does not.
#[tokio::test]
async fn links_come_from_the_token_alone() {
    let house = House::open(sample());
    let bearer = format!("Bearer {TOKEN}");
    let headers =
        [("authorization", bearer.as_str()), ("orch-by", "ada"), ("orch-door", "command-line"), JSON];
    let made = house.ask("POST", "/api/v1/login-links", &headers, "{}").await.json();
    assert_eq!(made["by"], "ada");
    let ticket = made["url"].as_str().unwrap().strip_prefix("http://localhost/login?ticket=").unwrap();
    let signed = house.sign_in(ticket).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.body);
    assert_eq!(house.sign_in(ticket).await.status, StatusCode::UNAUTHORIZED);

    let browser = house.browser().await;
    let headers = [
        ("cookie", browser.cookie.as_str()),
        ("origin", "http://localhost:7070"),
        ("orch-csrf", browser.csrf.as_str()),
        JSON,
    ];
    let refused = house.ask("POST", "/api/v1/login-links", &headers, "{}").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert!(!refused.body.contains("ticket="), "{}", refused.body);
}
