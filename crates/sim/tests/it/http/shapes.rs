//! Which keys of which types do the fake servers answer with? One line a shape; each was compared by hand with what real servers said
//! (Plane 1.3.1, Gitea 1.22): no test does it again.
//!
//! A change here is a change of what clients see: look at it beside the facts, not only at the diff.
#![expect(clippy::unwrap_used, reason = "what the tests need must be there")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use orch_sim::http::gitea::{Gitea, Release, Right};
use orch_sim::http::plane::{MEMBER, Plane};
use orch_sim::http::trees::Trees;
use orch_sim::http::wire::Request;
use orch_sim::http::{Delivery, Door};
use serde_json::{Value, json};

/// The shapes that a tour of a server met, those that occur in others by a name.
struct Tour<D> {
    door: D,
    prefix: String,
    header: (&'static str, String),
    named: BTreeMap<String, &'static str>,
    lines: String,
}

impl<D: Door> Tour<D> {
    fn new(door: D, prefix: String, header: (&'static str, String)) -> Self {
        Self { door, prefix, header, named: BTreeMap::new(), lines: String::new() }
    }

    /// A shape that has a name from here on.
    fn name(&mut self, name: &'static str, path: &str) {
        let shape = self.ask(name, "GET", path, Value::Null);
        let shape = self.shape(&shape);
        self.named.insert(shape, name);
    }

    fn ask(&mut self, what: &str, method: &str, path: &str, body: Value) -> Value {
        let asked =
            Request::new(method, &format!("{}{path}", self.prefix)).with(self.header.0, &self.header.1);
        let asked = if body.is_null() { asked } else { asked.json(&body) };
        let answer = self.door.answer(&asked);
        self.door.clock().pass(1_500_000);
        let headers = answer.headers.iter().map(|(name, _)| name.to_lowercase());
        let mut headers: Vec<String> = headers.filter(|name| name != "content-type").collect();
        headers.sort();
        let shape = self.shape(&answer.value());
        writeln!(self.lines, "{what}: {} {headers:?} {shape}", answer.status).unwrap();
        answer.value()
    }

    /// What was posted by now.
    fn posted(&mut self, kind: &str) {
        for Delivery { headers, body, .. } in self.door.post() {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let find =
                |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let what = [find(kind), body["action"].as_str(), body["activity"]["field"].as_str()];
            let what: Vec<&str> = what.into_iter().flatten().collect();
            let shape = self.shape(&body);
            writeln!(self.lines, "webhook {}: {shape}", what.join(" ")).unwrap();
        }
    }

    fn shape(&self, value: &Value) -> String {
        let whole = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "text".to_owned(),
            Value::Array(items) => {
                format!("[{}]", items.first().map(|item| self.shape(item)).unwrap_or_default())
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| format!("{key}: {}", self.shape(value)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        };
        self.named.get(&whole).map_or(whole, |name| format!("<{name}>"))
    }
}

/// Plane's shapes, as facts/plane.md section 2 and 3 have them.
#[test]
fn plane_s() {
    let mut plane = Plane::new(1, "acme");
    let ann = plane.user("ann", 20);
    let bot = plane.user("bot", MEMBER);
    plane.hook("http://127.0.0.1:9/hook");
    let key = plane.key(&ann);
    let mut tour = Tour::new(plane, "/api/v1".to_owned(), ("X-API-Key", key));
    tour.name("user", "/users/me/");
    tour.prefix.push_str("/workspaces/acme");
    tour.ask("members", "GET", "/members/", Value::Null);
    let made =
        tour.ask("project created", "POST", "/projects/", json!({"name": "Delivery", "identifier": "DLV"}));
    tour.ask("projects", "GET", "/projects/", Value::Null);
    tour.ask("search", "GET", "/work-items/search/?search=one", Value::Null);
    let project = made["id"].as_str().unwrap().to_owned();
    tour.door.member(&project, &bot, MEMBER);
    write!(tour.prefix, "/projects/{project}").unwrap();
    let state = json!({"name": "To Analyse", "color": "#111", "group": "unstarted"});
    let state = tour.ask("state created", "POST", "/states/", state);
    tour.ask("state refused", "POST", "/states/", json!({"group": "nope"}));
    tour.ask("state there", "POST", "/states/", json!({"name": "Done", "color": "#111"}));
    tour.ask("states", "GET", "/states/", Value::Null);
    let label = tour.ask("label created", "POST", "/labels/", json!({"name": "agent", "color": "#f00"}));
    tour.ask("labels", "GET", "/labels/", Value::Null);
    let body = json!({
        "name": "one", "state": state["id"], "labels": [label["id"]], "assignees": [bot], "external_id": "e",
        "external_source": "orch",
    });
    let item = tour.ask("item created", "POST", "/work-items/", body.clone());
    tour.ask("item there", "POST", "/work-items/", body);
    tour.posted("X-Plane-Event");
    let item = format!("/work-items/{}/", item["id"].as_str().unwrap());
    tour.ask("item changed", "PATCH", &item, json!({"name": "two", "labels": []}));
    tour.ask("item refused", "PATCH", &item, json!({"state": "Done"}));
    let expand = "?expand=state,project,labels,assignees,created_by,parent";
    tour.ask("item", "GET", &format!("{item}{expand}"), Value::Null);
    tour.ask("items", "GET", "/work-items/", Value::Null);
    tour.ask("item missing", "GET", "/work-items/00000000-0000-4000-8000-000000000000/", Value::Null);
    let said =
        tour.ask("comment created", "POST", &format!("{item}comments/"), json!({"comment_html": "<p>a</p>"}));
    let comment = format!("{item}comments/{}/", said["id"].as_str().unwrap());
    tour.ask("comment changed", "PATCH", &comment, json!({"comment_html": "<p>b</p>"}));
    tour.ask("comments", "GET", &format!("{item}comments/"), Value::Null);
    tour.ask("link created", "POST", &format!("{item}links/"), json!({"url": "https://x", "title": "x"}));
    tour.ask("activities", "GET", &format!("{item}activities/"), Value::Null);
    tour.posted("X-Plane-Event");
    tour.door.limit = 0;
    tour.ask("too many", "GET", "/labels/", Value::Null);
    tour.door.limit = 60;
    tour.ask("project deleted", "DELETE", "/", Value::Null);
    tour.posted("X-Plane-Event");
    expect_file!["../../golden/shapes-plane.txt"].assert_eq(&tour.lines);
}

/// Gitea's shapes, as facts/gitea.md sections 2 to 9 have them.
#[test]
fn gitea_s() {
    let mut gitea = Gitea::new(1, "http://127.0.0.1:1", Release::R1_22);
    gitea.user("ann");
    gitea.user("bob");
    gitea.repository("ann", "demo", Box::new(Trees::new()));
    gitea.collaborator("ann/demo", "bob", Right::Write);
    let token = format!("token {}", gitea.token("ann", &["all"]));
    let bob = format!("token {}", gitea.token("bob", &["all"]));
    let ann = token.clone();
    let mut tour = Tour::new(gitea, "/api/v1".to_owned(), ("Authorization", token));
    tour.name("user", "/user");
    tour.ask("version", "GET", "/version", Value::Null);
    tour.ask("settings", "GET", "/settings/api", Value::Null);
    tour.ask("repository missing", "GET", "/repos/ann/nope", Value::Null);
    tour.prefix.push_str("/repos/ann/demo");
    tour.name("repository", "");
    let config = json!({"url": "http://127.0.0.1:9/hook", "content_type": "json", "secret": "s"});
    let events = ["create", "delete", "push", "issues", "pull_request"];
    let hook = json!({"type": "gitea", "active": true, "config": config, "events": events});
    tour.ask("hook created", "POST", "/hooks", hook);
    tour.ask("branch created", "POST", "/branches", json!({"new_branch_name": "work"}));
    tour.ask("branch missing", "GET", "/branches/nope", Value::Null);
    let sha = tour.door.push("ann/demo", "ann", "work", "a", "1").unwrap();
    tour.ask("commits", "GET", "/commits?sha=work&limit=1", Value::Null);
    tour.ask("refs", "GET", "/git/refs/heads/main", Value::Null);
    let green = json!({"state": "success", "context": "ci", "description": "d", "target_url": "http://x"});
    tour.ask("status created", "POST", &format!("/statuses/{sha}"), green);
    tour.ask(
        "status of nothing",
        "POST",
        &format!("/statuses/{}", "1".repeat(40)),
        json!({"state": "success"}),
    );
    tour.ask("combined", "GET", &format!("/commits/{sha}/status"), Value::Null);
    tour.ask("combined of nothing", "GET", "/commits/nope/status", Value::Null);
    tour.ask(
        "protection created",
        "POST",
        "/branch_protections",
        json!({"rule_name": "rel", "enable_push": true}),
    );
    let change = json!({"title": "one", "head": "work", "base": "main", "body": "b"});
    tour.ask("pull created", "POST", "/pulls", change.clone());
    tour.ask("pull there", "POST", "/pulls", change);
    tour.ask("pull without base", "POST", "/pulls", json!({"title": "x", "head": "work", "base": "nope"}));
    tour.ask("pull of main", "POST", "/pulls", json!({"title": "x", "head": "main", "base": "main"}));
    tour.ask("pull patched", "PATCH", "/pulls/1", json!({"title": "two"}));
    tour.header.1 = bob;
    tour.ask("review created", "POST", "/pulls/1/reviews", json!({"event": "APPROVED", "body": "well"}));
    tour.header.1 = ann;
    tour.ask(
        "merge of another head",
        "POST",
        "/pulls/1/merge",
        json!({"Do": "merge", "head_commit_id": "1"}),
    );
    tour.ask("merged", "POST", "/pulls/1/merge", json!({"Do": "merge", "delete_branch_after_merge": true}));
    tour.ask("merged again", "POST", "/pulls/1/merge", json!({"Do": "merge"}));
    tour.ask("pull merged", "GET", "/pulls/1", Value::Null);
    tour.posted("X-Gitea-Event-Type");
    tour.ask("label created", "POST", "/labels", json!({"name": "ready", "color": "#00aabb"}));
    tour.ask("issue created", "POST", "/issues", json!({"title": "x", "labels": [1], "assignees": ["bob"]}));
    tour.ask("issue refused", "POST", "/issues", json!({}));
    tour.ask("issue of a pull", "GET", "/issues/1", Value::Null);
    tour.ask("comment created", "POST", "/issues/2/comments", json!({"body": "c"}));
    tour.ask("issue patched", "PATCH", "/issues/2", json!({"title": "y"}));
    tour.ask("issue labels", "PUT", "/issues/2/labels", json!({"labels": [1]}));
    tour.posted("X-Gitea-Event-Type");
    expect_file!["../../golden/shapes-gitea.txt"].assert_eq(&tour.lines);
}
