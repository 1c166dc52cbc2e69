//! Who may change what was asked for, and what do they hear?

use axum::http::StatusCode;
use orch_core::change::Change;
use orch_core::id::{Digest, TaskId};
use orch_core::policy::Policy;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::{Consent, Rest, Step, Want};
use orch_core::time::Moment;
use serde_json::{Value, json};

use crate::house::{Answer, House, TOKEN};
use crate::memory::Memory;
use crate::sample::{HOSTILE, policy, rest, sample, step};

const PATH: &str = "/api/v1/tasks/SITE-005/issue";

async fn patch(house: &House, more: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let own = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    house.ask("PATCH", PATH, &[&own[..], more].concat(), body).await
}

fn approved(memory: &Memory, task: &TaskId) {
    let what = Digest::of(b"requirements");
    let consent = Consent { what, by: "ann".to_owned(), at: Moment(1), standing: false };
    memory.force(task, vec![Change::Approved(Some(consent))], vec![]);
}

async fn text(house: &House) -> (Value, Value, Value) {
    let shown = house.get("/api/v1/tasks/SITE-005").await.json();
    (shown["title"].clone(), shown["text"].clone(), shown["labels"].clone())
}

/// Proves that an edit changes what it names and nothing else, that the same request counts once, and that one which
/// changes nothing says so.
#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let house = House::open(sample());
    let (_, before, labels) = text(&house).await;
    assert_eq!(labels, json!([]));
    let key = [("idempotency-key", "k-1")];
    let edited = patch(&house, &key, r#"{"title":"  Another\n title ","add_labels":["autoDeploy"]}"#).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.body);
    assert_eq!(edited.json()["changed"], json!(["title", "labels"]));
    assert_eq!(text(&house).await, (json!("Another title"), before.clone(), json!(["autoDeploy"])));
    let again = patch(&house, &key, r#"{"title":"Yet another","add_labels":["autoApprove"]}"#).await.json();
    assert_eq!((&again["duplicate"], &again["changed"]), (&json!(true), &json!([])));
    let same =
        patch(&house, &[], r#"{"title":"Another title","remove_labels":["autoApprove"]}"#).await.json();
    assert_eq!((&same["changed"], &same["follows"]), (&json!([]), &Value::Null));
    let edited = patch(&house, &[], r#"{"text":"","remove_labels":["autoDeploy"]}"#).await;
    assert_eq!(edited.json()["changed"], json!(["text", "labels"]));
    assert_eq!(text(&house).await, (json!("Another title"), json!(""), json!([])));
}

/// Proves decision 45 as people hear it: whoever edits is told what follows for the approval, the analyst at work, the
/// requirements that wait, and what is in main already.
#[tokio::test]
async fn the_editor_hears_what_follows() {
    let house = House::open(sample());
    let (memory, id) = (house.memory.clone(), TaskId::from("SITE-005"));
    let mut said = 0;
    let mut follows = async |text: &str| {
        said += 1;
        let body = json!({ "text": format!("{text} {said}") }).to_string();
        let edited = patch(&house, &[], &body).await.json();
        edited["follows"].as_str().unwrap_or_else(|| panic!("{edited}")).to_owned()
    };
    assert!(follows("waits for approval").await.contains("were written for the text as it was"));
    let run = orch_core::id::RunId::new(orch_core::id::Seq(7), 0);
    let job = orch_core::task::Job::Agent(Role::Analyst);
    step(&memory, &id, Stage::Analysis, Step::Running { run, job });
    assert!(follows("is analysed").await.starts_with("The analyst works by the text as it was"));
    rest(&memory, &id, Stage::Analysis, Rest::Questions);
    assert!(follows("has questions").await.contains("the next run reads it"));
    approved(&memory, &id);
    step(&memory, &id, Stage::Development, Step::Running { run, job });
    assert!(follows("is developed").await.contains("before SITE-005 goes on from here, it waits"));
    step(&memory, &id, Stage::Development, Step::Queued(Want::Agent(Role::Developer)));
    assert!(
        follows("waits for a turn")
            .await
            .contains("SITE-005 goes no further until somebody presses Continue")
    );
    assert_eq!(memory.task_now(&id).unwrap().step, Step::Rest(Rest::RequestChanged), "and it is so");
    rest(&memory, &id, Stage::Cancelled, Rest::Over);
    assert!(follows("is stopped").await.contains("is stopped"));
}

/// Proves that nobody overwrites an edit that they have not seen.
#[tokio::test]
async fn an_edit_between_is_not_overwritten() {
    let house = House::open(sample());
    let shown = house.get("/api/v1/tasks/SITE-005").await.json()["shown"].clone();
    let first = patch(&house, &[], &json!({ "was": shown, "text": "mine" }).to_string()).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let second = patch(&house, &[], &json!({ "was": shown, "text": "yours" }).to_string()).await;
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.body);
    assert!(second.body.contains("edited meanwhile"), "{}", second.body);
    assert_eq!(text(&house).await.1, "mine");
}

/// Proves that a wish which cannot be met is refused with its remedy before anything is written: an empty title, texts of a
/// megabyte, unknown labels and fields, nothing at all.
#[tokio::test]
async fn bad_edits_change_nothing() {
    let house = House::open(sample());
    let rows = house.memory.world().rows.len();
    let long = |bytes: usize| json!({ "text": "x".repeat(bytes) }).to_string();
    let cases = [
        (r#"{"title":" \n "}"#.to_owned(), 400, "`title` is empty"),
        (json!({ "title": "x".repeat(501) }).to_string(), 400, "over 500 characters"),
        (long(300_000), 400, "over 256 KiB"),
        (long(1 << 20), 413, "over 1 MiB"),
        ("{}".to_owned(), 400, "nothing is named"),
        (r#"{"add_labels":["admin"]}"#.to_owned(), 400, "autoApprove"),
        (r#"{"add_labels":["autoDeploy"],"remove_labels":["autoDeploy"]}"#.to_owned(), 400, "at once"),
        (r#"{"status":"Done"}"#.to_owned(), 400, "status"),
        (r#"{"text":"x","was":"1"}"#.to_owned(), 400, "64 hexadecimal digits"),
        ("[".to_owned(), 400, "JSON"),
    ];
    for (body, status, said) in cases {
        let answer = patch(&house, &[], &body).await;
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.status.as_u16(), status, "{start}: {}", answer.body);
        assert!(answer.body.contains(said), "{start}: {}", answer.body);
    }
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let nobody = house.ask("PATCH", "/api/v1/tasks/SITE-999/issue", &headers, r#"{"text":"x"}"#).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND, "{}", nobody.body);
    assert_eq!(house.memory.world().rows.len(), rows, "something was written");
}

/// Proves that an attacker's page edits nothing: without a credential, with a foreign one, from another origin, without the
/// page's token; and that markup in a title stays text.
#[tokio::test]
async fn an_attacker_edits_nothing() {
    let house = House::open(sample());
    let rows = house.memory.world().rows.len();
    let json = ("content-type", "application/json");
    for credential in ["", "Bearer ", "Bearer the-token-of-another-folder", "Basic dXNlcjpwYXNz"] {
        let answer =
            house.ask("PATCH", PATH, &[json, ("authorization", credential)], r#"{"title":"x"}"#).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{credential}: {}", answer.body);
    }
    let browser = house.browser().await;
    let cookie = ("cookie", browser.cookie.as_str());
    let token = ("orch-csrf", browser.csrf.as_str());
    let own = ("origin", "http://localhost:7070");
    let foreign: [&[(&str, &str)]; 4] = [
        &[cookie, json, token, ("origin", "http://evil.example")],
        &[cookie, json, token, ("origin", "null")],
        &[cookie, json, token, ("sec-fetch-site", "cross-site")],
        &[cookie, json, own],
    ];
    for headers in foreign {
        let answer = house.ask("PATCH", PATH, headers, r#"{"title":"x"}"#).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}: {}", answer.body);
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    let shown = house.get("/api/v1/tasks/SITE-005").await.json()["shown"].as_str().unwrap().to_owned();
    let sent = format!("csrf={}&seq=1&was={shown}&title=x", browser.csrf);
    let evil = [cookie, form, ("origin", "http://evil.example")];
    let answer = house.ask("POST", "/tasks/SITE-005/edit", &evil, &sent).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    let unsigned = crate::house::Browser { cookie: browser.cookie.clone(), csrf: "guess".to_owned() };
    let answer = house.form(&unsigned, "/tasks/SITE-005/edit", &format!("seq=1&was={shown}&title=x")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert_eq!(house.memory.world().rows.len(), rows, "something was written");

    let body = json!({ "title": HOSTILE, "text": HOSTILE }).to_string();
    assert_eq!(patch(&house, &[], &body).await.status, StatusCode::OK);
    let page = house.ask("GET", "/tasks/SITE-005", &[cookie, ("accept", "text/html")], "").await.body;
    assert!(page.contains("&#60;script&#62;alert(&#39;x&#39;)"), "{page}");
    let lower = page.to_lowercase();
    assert!(!lower.contains("<script>") && !lower.contains("<img src=x") && !lower.contains("</textarea>x"));
}

/// Proves the form of the dashboard: it shows what follows before and after, keeps lines as they were typed, and is not there
/// for who may only look.
#[tokio::test]
async fn the_form_edits() {
    let house = House::open(sample());
    assert!(!house.page("/tasks/SITE-005").await.body.contains("id=\"edit\""));
    let browser = house.browser().await;
    let page = house.ask("GET", "/tasks/SITE-005", &[("cookie", &browser.cookie)], "").await.body;
    assert!(page.contains("id=\"edit\"") && page.contains("were written for the text as it was"), "{page}");
    let was = page.split("name=\"was\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let sent =
        format!("seq=1&was={was}&title=Sort+by+date&text=One%0D%0Atwo+%3C%2Ftextarea%3E&auto_approve=yes");
    let answer = house.form(&browser, "/tasks/SITE-005/edit", &sent).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let edited = text(&house).await;
    assert_eq!(edited, (json!("Sort by date"), json!("One\ntwo </textarea>"), json!(["autoApprove"])));
    let page = house.ask("GET", "/tasks/SITE-005", &[("cookie", &browser.cookie)], "").await.body;
    assert!(page.contains("\nOne\ntwo &#60;/textarea&#62;</textarea>"), "{page}");
    let late = house.form(&browser, "/tasks/SITE-005/edit", &format!("seq=2&was={was}&title=Late")).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
}

/// Proves that the label autoDeploy is offered where somebody is asked before a deploy, and elsewhere only to take it off.
#[tokio::test]
async fn a_label_without_a_meaning_is_not_offered() {
    let house = House::open(sample());
    let browser = house.browser().await;
    let offers = async |task: &str| {
        let page = house.ask("GET", &format!("/tasks/{task}"), &[("cookie", &browser.cookie)], "").await.body;
        assert!(page.contains("name=\"auto_approve\""), "{page}");
        page.contains("name=\"auto_deploy\"")
    };
    assert!(offers("SITE-005").await && !offers("TOOLS-002").await);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let put = r#"{"add_labels":["autoDeploy"]}"#;
    assert_eq!(
        house.ask("PATCH", "/api/v1/tasks/TOOLS-002/issue", &headers, put).await.status,
        StatusCode::OK
    );
    assert!(offers("TOOLS-002").await, "what is on it can be taken off");
    let page = async || house.ask("GET", "/tasks/TOOLS-002", &[("cookie", &browser.cookie)], "").await.body;
    assert!(page().await.contains("</code> no confirmation is asked for in this project"));
    // Where the merge is asked about, it is the merge that the label confirms.
    let tools = Policy { confirm_merge: true, ..policy("TOOLS", Preset::Library) };
    house.memory.project("tools", tools);
    assert!(page().await.contains("</code> the merge needs no confirmation"));
}

/// Proves that an edit which was undone can be made again: only the same form sent twice is one edit.
#[tokio::test]
async fn an_edit_can_be_made_again() {
    let house = House::open(sample());
    let browser = house.browser().await;
    let hidden = |page: &str, name: &str| {
        let start = page.split("action=\"/tasks/SITE-005/edit\"").nth(1).unwrap();
        let value = start.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        value.split('"').next().unwrap().to_owned()
    };
    for title in ["One", "Two", "One", "Two"] {
        let page = house.ask("GET", "/tasks/SITE-005", &[("cookie", &browser.cookie)], "").await.body;
        let sent = format!("seq={}&was={}&title={title}&text=", hidden(&page, "seq"), hidden(&page, "was"));
        for _ in 0..2 {
            let answer = house.form(&browser, "/tasks/SITE-005/edit", &sent).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        }
        assert_eq!(text(&house).await.0, title);
    }
}
