//! Gitea: change requests on a protected branch, merges that race, webhooks in their order.

#![expect(clippy::unwrap_used, reason = "what the tests need must be there")]

use orch_sim::http::Door as _;
use orch_sim::http::gitea::{Gitea, Release, Right};
use orch_sim::http::server::Server;
use orch_sim::http::sign::sign;
use orch_sim::http::trees::Trees;
use orch_sim::http::wire::Request;
use serde_json::{Value, json};

use super::{Inbox, ask, call};

const REPO: &str = "ann/demo";

struct Forge {
    server: Server<Gitea>,
    token: String,
}

impl Forge {
    async fn new(release: Release) -> Self {
        let server = Server::listen(|address| {
            let mut gitea = Gitea::new(1, &format!("http://{address}"), release);
            for login in ["ann", "bob", "eve"] {
                gitea.user(login);
            }
            gitea.repository("ann", "demo", Box::new(Trees::new()));
            gitea.collaborator(REPO, "bob", Right::Write);
            gitea.collaborator(REPO, "eve", Right::Read);
            gitea
        });
        let server = server.await.unwrap();
        let token = server.world().token("ann", &["write:repository", "write:issue", "read:user"]);
        Self { server, token }
    }

    fn asks(&self, method: &str, path: &str, body: &Value) -> Request {
        let asked = Request::new(method, &format!("/api/v1/repos/{REPO}{path}"));
        let asked = asked.with("Authorization", &format!("token {}", self.token));
        if body.is_null() { asked } else { asked.json(body) }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        ask(&self.server.url(), self.asks(method, path, &body)).await
    }

    async fn ask_as(&self, user: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let token = self.server.world().token(user, &["all"]);
        let mut asked = self.asks(method, path, &body);
        asked.headers[0].1 = format!("Bearer {token}");
        ask(&self.server.url(), asked).await
    }

    /// A branch with one file and its change request: its number and head.
    async fn change(&self, branch: &str, path: &str, content: &str) -> (u64, String) {
        let sha = self.server.world().push(REPO, "ann", branch, path, content).unwrap();
        self.server.pass(5).await;
        let (status, made) =
            self.ask("POST", "/pulls", json!({"title": branch, "head": branch, "base": "main"})).await;
        assert_eq!((status, &made["head"]["sha"]), (201, &json!(sha)), "{made}");
        (made["number"].as_u64().unwrap(), sha)
    }

    async fn status(&self, sha: &str, context: &str, state: &str) {
        let (status, made) =
            self.ask("POST", &format!("/statuses/{sha}"), json!({"context": context, "state": state})).await;
        assert_eq!((status, &made["status"]), (201, &json!(state)));
    }

    async fn merge(&self, number: u64, more: Value) -> (u16, Value) {
        let mut body = json!({"Do": "merge"});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.ask("POST", &format!("/pulls/{number}/merge"), body).await
    }

    async fn pull(&self, number: u64) -> Value {
        self.ask("GET", &format!("/pulls/{number}"), Value::Null).await.1
    }

    fn tip(&self, branch: &str) -> String {
        self.server.world().tip(REPO, branch).unwrap()
    }
}

/// A change goes through protection into main: red checks, a stale head, the merge, what is said afterwards, and the
/// webhooks of it signed and in their order (facts/gitea.md sections 6 and 9).
#[tokio::test]
async fn a_change_comes_into_a_protected_main() {
    let forge = Forge::new(Release::R1_22).await;
    let inbox = Server::listen(|_| Inbox::new(500)).await.unwrap();
    let rule = json!({"rule_name": "main", "enable_status_check": true, "status_check_contexts": ["ci/*"]});
    assert_eq!(forge.ask("POST", "/branch_protections", rule.clone()).await.0, 201);
    assert_eq!(forge.ask("POST", "/branch_protections", rule).await.0, 403, "twice is 403");
    assert_eq!(forge.server.world().push(REPO, "ann", "main", "x", "x"), None, "main is protected");
    let config = json!({"url": format!("{}/hook", inbox.url()), "content_type": "json", "secret": "s3"});
    let events = json!(["push", "delete", "pull_request", "status"]);
    let hook = json!({"type": "gitea", "active": true, "config": config, "events": events});
    let (status, made) = forge.ask("POST", "/hooks", hook).await;
    assert_eq!(status, 201);
    assert!(!made["events"].as_array().unwrap().contains(&json!("status")), "read back what is supported");
    assert!(made["config"].get("secret").is_none());

    let (number, old) = forge.change("work/one", "a", "1").await;
    let (status, refused) = forge.merge(number, json!({})).await;
    assert_eq!(status, 405);
    assert_eq!(
        refused["message"],
        "not allowed to merge [reason: Not all required status checks successful]"
    );
    forge.status(&old, "ci/test", "pending").await;
    assert_eq!(forge.merge(number, json!({})).await.0, 405);
    let head = forge.server.world().push(REPO, "ann", "work/one", "b", "2").unwrap();
    assert_eq!(forge.pull(number).await["mergeable"], json!(false), "false while it is looked at");
    assert_eq!(forge.merge(number, json!({})).await.1["message"], "Please try again later");
    forge.server.pass(5).await;
    forge.status(&head, "ci/test", "success").await;
    let (status, refused) = forge.merge(number, json!({"head_commit_id": old})).await;
    assert_eq!((status, &refused["message"]), (409, &json!("head out of date")));
    forge.server.pass(5).await;
    inbox.world().got.clear();
    let before = forge.tip("main");
    let (status, _) =
        forge.merge(number, json!({"head_commit_id": head, "delete_branch_after_merge": true})).await;
    assert_eq!(status, 200);

    let pull = forge.pull(number).await;
    assert_eq!(
        (&pull["state"], &pull["merged"], &pull["mergeable"]),
        (&json!("closed"), &json!(true), &json!(true))
    );
    assert_eq!(pull["merge_commit_sha"], json!(forge.tip("main")));
    assert_eq!(
        (&pull["head"]["ref"], &pull["head"]["label"]),
        (&json!("refs/pull/1/head"), &json!("work/one"))
    );
    let main = forge.tip("main");
    assert!(forge.server.world().contains(REPO, &main, &head));
    assert_eq!(forge.ask("GET", &format!("/pulls/{number}/merge"), Value::Null).await.0, 204);
    let (status, again) = forge.merge(number, json!({})).await;
    assert_eq!((status, &again["message"]), (405, &json!("")));
    assert_eq!(forge.ask("PATCH", &format!("/pulls/{number}"), json!({"state": "open"})).await.0, 412);

    forge.server.pass(5).await;
    assert_eq!(forge.server.pass(3600).await, [], "a 500 is never tried again");
    let got = inbox.world().got.clone();
    let kinds: Vec<&str> = got.iter().map(|request| request.header("X-Gitea-Event").unwrap()).collect();
    assert_eq!(kinds, ["pull_request", "push", "delete"]);
    let bodies: Vec<Value> = got.iter().map(|request| request.value().unwrap()).collect();
    assert_eq!(
        (&bodies[0]["action"], &bodies[0]["pull_request"]["merged"]),
        (&json!("closed"), &json!(true))
    );
    assert_eq!((&bodies[1]["ref"], &bodies[1]["before"]), (&json!("refs/heads/main"), &json!(before)));
    assert_eq!((&bodies[2]["ref"], &bodies[2]["ref_type"]), (&json!("work/one"), &json!("branch")));
    for request in &got {
        let signature = sign("s3", &request.body).unwrap();
        assert_eq!(request.header("X-Gitea-Signature"), Some(signature.as_str()));
        assert_eq!(request.header("X-Hub-Signature-256"), Some(format!("sha256={signature}").as_str()));
    }
}

/// Two merges into one branch at once: one loses and stays open; the same one twice: merged once (facts/gitea.md, the end).
#[tokio::test]
async fn merges_race() {
    let forge = Forge::new(Release::R1_22).await;
    let (a, head_a) = forge.change("race/a", "a", "1").await;
    let (b, head_b) = forge.change("race/b", "b", "1").await;
    forge.server.world().race(REPO, a);
    let (status, lost) = forge.merge(b, json!({"head_commit_id": head_b})).await;
    assert_eq!(status, 409);
    assert!(lost["message"].as_str().unwrap().contains("cannot lock ref 'refs/heads/main'"), "{lost}");
    assert_eq!(forge.pull(a).await["merged"], json!(true));
    assert_eq!(forge.pull(b).await["state"], json!("open"));
    forge.server.pass(5).await;
    assert_eq!(forge.pull(b).await["mergeable"], json!(true));
    forge.server.world().race(REPO, b);
    assert_eq!(forge.merge(b, json!({})).await.0, 500);
    assert_eq!(forge.pull(b).await["merged"], json!(true), "ask before you try again");
    let main = forge.tip("main");
    assert!([head_a, head_b].iter().all(|head| forge.server.world().contains(REPO, &main, head)));
    assert_eq!(
        forge.ask("GET", "/commits", Value::Null).await.1.as_array().unwrap().len(),
        5,
        "each merged once"
    );
    let (c, _) = forge.change("c", "c", "1").await;
    forge.server.world().decline(REPO, "pre-receive hook declined");
    assert_eq!(forge.merge(c, json!({})).await.0, 409);
    assert_eq!(forge.merge(c, json!({})).await.0, 200);
}

/// A conflict is 409 with a body of its own while the server has not looked, and 405 when it has (facts/gitea.md section 6).
#[tokio::test]
async fn conflicts_have_two_answers() {
    let forge = Forge::new(Release::R1_22).await;
    let (a, _) = forge.change("conf/a", "same", "a").await;
    let (b, _) = forge.change("conf/b", "same", "b").await;
    assert_eq!(forge.merge(a, json!({})).await.0, 200);
    let (status, clash) = forge.merge(b, json!({})).await;
    assert_eq!((status, &clash["Style"]), (409, &json!("merge")));
    assert!(clash.get("message").is_none());
    forge.server.pass(5).await;
    assert_eq!(forge.pull(b).await["mergeable"], json!(false));
    for more in [json!({}), json!({"force_merge": true})] {
        let (status, later) = forge.merge(b, more).await;
        assert_eq!((status, &later["message"]), (405, &json!("Please try again later")));
    }
    assert_eq!(forge.ask("POST", &format!("/pulls/{b}/update"), Value::Null).await.0, 409);
    assert_eq!(forge.ask("DELETE", "/branches/conf%2Fb", Value::Null).await.0, 204);
    assert_eq!(forge.pull(b).await["state"], json!("closed"), "without its head it is closed");
    assert_eq!(forge.merge(b, json!({})).await.0, 404);
    assert_eq!(forge.ask("DELETE", "/branches/conf/b", Value::Null).await.0, 204, "gone is gone");
}

/// Each style leaves its own commit; drafts, readers, bad styles, dependencies and archives are refused in their own way.
#[tokio::test]
async fn styles_and_refusals() {
    let forge = Forge::new(Release::R1_22).await;
    let (rebase, head) = forge.change("r", "r", "1").await;
    assert_eq!(forge.merge(rebase, json!({"Do": "rebase"})).await.0, 200);
    assert_eq!(forge.pull(rebase).await["merge_commit_sha"], json!(head), "main moved to it");
    let (squash, head) = forge.change("s", "s", "1").await;
    assert_eq!(forge.merge(squash, json!({"Do": "squash"})).await.0, 200);
    let main = forge.tip("main");
    assert!(!forge.server.world().contains(REPO, &main, &head));
    assert_eq!(forge.pull(squash).await["head"]["ref"], "s", "the branch stays unless it was said");

    let (n, _) = forge.change("n", "n", "1").await;
    assert_eq!(forge.merge(n, json!({"Do": "fast-forward-only"})).await.1["message"], "[Do]: In");
    assert_eq!(
        forge.ask("POST", &format!("/pulls/{n}/merge"), json!({})).await.1["message"],
        "[Do]: Required"
    );
    assert_eq!(forge.merge(n, json!({"Do": "manually-merged"})).await.0, 405);
    let (status, by_reader) =
        forge.ask_as("eve", "POST", &format!("/pulls/{n}/merge"), json!({"Do": "merge"})).await;
    assert_eq!((status, &by_reader["message"]), (405, &json!("User not allowed to merge PR")));
    forge.ask("PATCH", &format!("/pulls/{n}"), json!({"title": "WIP: n"})).await;
    assert_eq!(forge.merge(n, json!({})).await.1["message"], "Work in progress PRs cannot be merged");
    let (status, _) = forge.ask("PATCH", &format!("/pulls/{n}"), json!({"title": "n"})).await;
    assert_eq!(status, 201);
    forge.server.world().block(REPO, n, true);
    assert_eq!(forge.merge(n, json!({})).await.0, 500, "a dependency is a 500");
    forge.server.world().block(REPO, n, false);
    let rule = json!({"rule_name": "main", "required_approvals": 1});
    forge.ask("POST", "/branch_protections", rule).await;
    let reviews = format!("/pulls/{n}/reviews");
    assert_eq!(forge.ask("POST", &reviews, json!({"event": "APPROVED"})).await.0, 422);
    assert!(forge.merge(n, json!({})).await.1["message"].as_str().unwrap().contains("enough approvals"));
    assert_eq!(forge.ask_as("bob", "POST", &reviews, json!({"event": "APPROVED"})).await.0, 200);
    forge.server.world().archive(REPO, true);
    assert_eq!(forge.merge(n, json!({})).await.0, 423);
    forge.status(&forge.tip("n"), "late", "success").await;
    forge.server.world().archive(REPO, false);
    assert_eq!(forge.merge(n, json!({})).await.0, 200);
    let (status, duplicate) = {
        forge.change("d", "d", "1").await;
        forge.ask("POST", "/pulls", json!({"title": "d", "head": "d", "base": "main"})).await
    };
    assert_eq!(status, 409);
    assert!(duplicate["message"].as_str().unwrap().contains("issue_id: "), "{duplicate}");
}

/// Nothing is no success, a page is no whole, any word is a state (facts/gitea.md traps 4 to 6, section 5).
#[tokio::test]
async fn statuses_are_to_be_read_with_care() {
    let forge = Forge::new(Release::R1_22).await;
    let main = forge.tip("main");
    let combined = |query: &str| format!("/commits/{main}/status{query}");
    let (status, none) = forge.ask("GET", &combined(""), Value::Null).await;
    assert_eq!((status, &none["state"], &none["statuses"]), (200, &json!(""), &Value::Null));
    forge.status(&main, "ci/a", "success").await;
    forge.status(&main, "ci/b", "failure").await;
    forge.status(&main, "ci/c", "banana").await;
    assert_eq!(forge.ask("GET", &combined(""), Value::Null).await.1["state"], "failure");
    let answer =
        call(&forge.server.url(), forge.asks("GET", &combined("?limit=1"), &Value::Null)).await.unwrap();
    assert_eq!((&answer.value()["state"], &answer.value()["total_count"]), (&json!("success"), &json!(1)));
    assert_eq!(answer.header("x-total-count"), Some("3"));
    forge.status(&main, "ci/b", "success").await;
    forge.status(&main, "ci/c", "warning").await;
    assert_eq!(forge.ask("GET", &combined(""), Value::Null).await.1["state"], "warning");
    let rows = forge.ask("GET", &format!("/statuses/{main}"), Value::Null).await.1;
    assert_eq!(rows.as_array().unwrap().len(), 5, "each posting is a row");
    assert_eq!(
        forge.ask("POST", &format!("/statuses/{}", "1".repeat(40)), json!({"state": "success"})).await.0,
        500
    );
    assert_eq!(
        forge.ask_as("eve", "POST", &format!("/statuses/{main}"), json!({"state": "success"})).await.0,
        403
    );
    // A slash in the ref must be written as %2F (trap 17).
    forge.server.world().push(REPO, "ann", "feat/x", "x", "1");
    assert_eq!(forge.ask("GET", "/commits/feat/x/status", Value::Null).await.0, 404);
    assert_eq!(forge.ask("GET", "/commits/feat%2Fx/status", Value::Null).await.0, 200);
    let newer = Forge::new(Release::R1_26).await;
    let (_, none) = newer.ask("GET", &format!("/commits/{main}/status"), Value::Null).await;
    assert_eq!(none["state"], "pending");
    assert_eq!(newer.ask("GET", "/commits/nope/status", Value::Null).await.0, 404);
}

/// Changing a hook takes away what is not named, a new one is off, a filter is for branches alone
/// (facts/gitea.md traps 2 and 3, section 9).
#[tokio::test]
async fn hooks_are_easily_broken() {
    let forge = Forge::new(Release::R1_22).await;
    let inbox = Server::listen(|_| Inbox::new(200)).await.unwrap();
    let config = json!({"url": format!("{}/hook", inbox.url()), "content_type": "json"});
    assert_eq!(forge.ask("POST", "/hooks", json!({"type": "nope", "config": config})).await.0, 422);
    assert_eq!(forge.ask("POST", "/hooks", json!({"type": "gitea", "config": {}})).await.0, 422);
    let hook = json!({
        "type": "gitea", "config": config, "events": ["push", "issues", "nonsense"], "branch_filter": "release/*",
        "authorization_header": "Bearer x",
    });
    let (_, made) = forge.ask("POST", "/hooks", hook).await;
    assert_eq!(made["active"], json!(false));
    let path = format!("/hooks/{}", made["id"]);
    let all = json!({"active": true, "events": ["push", "issues"], "branch_filter": "release/*"});
    forge.ask("PATCH", &path, all).await;
    forge.server.world().push(REPO, "ann", "work", "x", "1");
    forge.server.world().push(REPO, "ann", "release/1", "x", "1");
    let issue = json!({"title": "one", "body": "b", "assignees": ["bob"]});
    forge.ask("POST", "/issues", issue).await;
    forge.server.pass(5).await;
    let got = inbox.world().got.clone();
    let told = |request: &Request| {
        let body = request.value().unwrap();
        let what = body["ref"].as_str().or(body["action"].as_str()).unwrap().to_owned();
        (request.header("X-Gitea-Event").unwrap().to_owned(), what)
    };
    let told: Vec<(String, String)> = got.iter().map(told).collect();
    let expected = [("issues", "assigned"), ("issues", "opened"), ("push", "refs/heads/release/1")];
    for (event, what) in expected {
        assert!(told.contains(&(event.to_owned(), what.to_owned())), "{told:?}");
    }
    assert_eq!(told.len(), 3, "{told:?}");
    // No secret: the headers are there and empty.
    assert_eq!(got[0].header("X-Gitea-Signature"), Some(""));
    assert_eq!(got[0].header("X-Hub-Signature-256"), Some("sha256="));
    let (_, patched) = forge.ask("PATCH", &path, json!({"active": true})).await;
    assert_eq!(patched["events"], json!(["push"]));
    assert_eq!((&patched["branch_filter"], &patched["authorization_header"]), (&json!(""), &json!("")));
}

/// A merge that waits for green checks merges whatever is there then, and closes the issue that it names (trap 19).
#[tokio::test]
async fn a_merge_waits_for_its_checks() {
    let forge = Forge::new(Release::R1_26).await;
    let (_, issue) = forge.ask("POST", "/issues", json!({"title": "one"})).await;
    let rule = json!({"rule_name": "main", "enable_status_check": true});
    forge.ask("POST", "/branch_protections", rule).await;
    let (number, _) = forge.change("auto", "a", "1").await;
    let body = json!({"body": format!("Closes #{}", issue["number"])});
    assert_eq!(forge.ask("PATCH", &format!("/pulls/{number}"), body).await.0, 201);
    let waits = json!({"merge_when_checks_succeed": true});
    assert_eq!(forge.merge(number, waits.clone()).await.0, 201);
    assert_eq!(forge.merge(number, waits).await.0, 409);
    let newer = forge.server.world().push(REPO, "ann", "auto", "b", "1").unwrap();
    forge.status(&newer, "ci", "success").await;
    assert_eq!(forge.pull(number).await["merged"], json!(true), "the head that was there then");
    let issues = forge.ask("GET", "/issues?state=closed&type=issues", Value::Null).await.1;
    assert_eq!(issues[0]["number"], issue["number"]);
    assert_eq!(forge.merge(number, json!({})).await.1["message"], "The PR is already merged");
}

/// Who does not say whether the branch goes gets what the repository does by itself, since 1.25 (trap 20).
#[tokio::test]
async fn branches_go_where_nobody_says() {
    for (release, body, stays) in [
        (Release::R1_22, json!({}), true),
        (Release::R1_26, json!({}), false),
        (Release::R1_26, json!({"delete_branch_after_merge": false}), true),
    ] {
        let forge = Forge::new(release).await;
        forge.server.world().deletes_branches(REPO);
        let (number, _) = forge.change("goes", "a", "1").await;
        assert_eq!(forge.merge(number, body.clone()).await.0, 200);
        let (status, _) = forge.ask("GET", "/branches/goes", Value::Null).await;
        assert_eq!(status == 200, stays, "{release:?} {body}");
    }
}

/// Who may not see it hears that it is not there; scopes, strangers and wrong tokens as section 1 of facts/gitea.md tells.
#[tokio::test]
async fn doors_are_closed_as_gitea_closes_them() {
    let forge = Forge::new(Release::R1_22).await;
    let url = forge.server.url();
    let repo = format!("/api/v1/repos/{REPO}");
    assert_eq!(ask(&url, Request::new("GET", &repo)).await.0, 200, "public");
    let (status, said) = ask(&url, Request::new("GET", "/api/v1/user")).await;
    assert_eq!((status, &said["message"]), (401, &json!("token is required")));
    let wrong = Request::new("GET", &repo).with("Authorization", "token 0");
    assert_eq!(ask(&url, wrong).await.0, 401);
    let reads = forge.server.world().token("ann", &["read:repository"]);
    let scoped =
        Request::new("POST", &format!("{repo}/issues")).with("Authorization", &format!("token {reads}"));
    let (status, said) = ask(&url, scoped.json(&json!({"title": "x"}))).await;
    let words = "token does not have at least one of required scope(s): [write:issue]";
    assert_eq!((status, &said["message"]), (403, &json!(words)));
    forge.server.world().hide(REPO);
    assert_eq!(ask(&url, Request::new("GET", &repo)).await.0, 404);
    assert_eq!(forge.ask("GET", "", Value::Null).await.0, 200);
    let lost = call(&url, Request::new("GET", "/api/v1/no/such")).await.unwrap();
    assert_eq!((lost.status, lost.header("content-type")), (404, Some("text/plain; charset=utf-8")));
    assert_eq!(forge.ask("GET", "/actions/runs", Value::Null).await.0, 404);
}

/// Issues as a tracker: labels by id, unknown labels filter nothing, closing twice tells once, pages end where they say
/// (facts/gitea.md sections 1 and 7, trap 16).
#[tokio::test]
async fn issues_and_pages() {
    let forge = Forge::new(Release::R1_22).await;
    let (_, label) = forge.ask("POST", "/labels", json!({"name": "ready", "color": "#00aabb"})).await;
    assert_eq!(label["color"], "00aabb");
    for n in 0..5 {
        let (status, _) =
            forge.ask("POST", "/issues", json!({"title": n.to_string(), "labels": [label["id"]]})).await;
        assert_eq!(status, 201);
    }
    let one = forge.asks("GET", "/issues?limit=2&page=1&type=issues", &Value::Null);
    let answer = call(&forge.server.url(), one).await.unwrap();
    assert_eq!(answer.header("x-total-count"), Some("5"));
    let link = answer.header("link").unwrap();
    assert!(link.contains("page=2") && link.contains("rel=\"next\"") && link.contains("page=3"), "{link}");
    let (_, past) = forge.ask("GET", "/issues?limit=2&page=99", Value::Null).await;
    assert_eq!(past, json!([]));
    assert_eq!(forge.ask("GET", "/issues?labels=nobody", Value::Null).await.1.as_array().unwrap().len(), 5);
    let labels = "/issues/1/labels";
    assert_eq!(forge.ask("POST", labels, json!({"labels": ["ready"]})).await.0, 422);
    assert_eq!(forge.ask("PUT", labels, json!({"labels": []})).await.1, json!([]));
    assert_eq!(forge.ask("GET", "/issues?labels=ready", Value::Null).await.1.as_array().unwrap().len(), 4);
    for _ in 0..2 {
        assert_eq!(forge.ask("PATCH", "/issues/1", json!({"state": "closed"})).await.0, 201);
    }
    let (status, said) = forge.ask("POST", "/issues/2/comments", json!({"body": "hello"})).await;
    assert_eq!((status, &said["pull_request_url"]), (201, &json!("")));
    assert_eq!(forge.ask("DELETE", &format!("/issues/comments/{}", said["id"]), Value::Null).await.0, 204);
    assert_eq!(forge.server.world().next_due(), None, "nobody listens");
}
