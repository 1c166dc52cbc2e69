//! Whom does Gitea tell what, in what form and order? (facts/gitea.md section 9)

use serde_json::{Value, json};

use super::branch::matches;
use super::{Answer, Asks, Comment, Gitea, Release, Right, text};
use crate::http::Delivery;
use crate::http::clock::{SECOND, seconds};
use crate::http::sign::sign;
use crate::http::wire::{Response, both, encode};

/// The events that there are, in the order in which a hook shows them.
const EVENTS: &[&str] = &[
    "create",
    "delete",
    "push",
    "issues",
    "issue_assign",
    "issue_label",
    "issue_milestone",
    "issue_comment",
    "pull_request",
    "pull_request_assign",
    "pull_request_label",
    "pull_request_milestone",
    "pull_request_comment",
    "pull_request_review_approved",
    "pull_request_review_rejected",
    "pull_request_review_comment",
    "pull_request_sync",
    "repository",
    "release",
    "pull_request_review_request",
];

/// A webhook of a repository.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    id: u64,
    kind: String,
    url: String,
    content_type: String,
    /// Never shown, never changed (trap 2).
    secret: String,
    events: Vec<&'static str>,
    active: bool,
    branch_filter: String,
    authorization: String,
    made: i64,
    changed: i64,
}

/// A webhook that waits to leave.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) due: i64,
    url: String,
    hook: u64,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Hook {
    fn show(&self) -> Value {
        json!({
            "id": self.id, "type": self.kind, "branch_filter": self.branch_filter,
            "config": {"content_type": self.content_type, "url": self.url}, "events": self.events,
            "authorization_header": self.authorization, "active": self.active,
            "updated_at": seconds(self.changed), "created_at": seconds(self.made),
        })
    }
}

impl Gitea {
    /// What is asked for, as far as it is known: a family by its name, one of it with `_only`; the rest is dropped without
    /// a word (section 9, create). None at all means push (trap 2).
    fn events(&self, body: &Value) -> Vec<&'static str> {
        let Some(asked) = body["events"].as_array() else { return vec!["push"] };
        let asked: Vec<&str> = asked.iter().filter_map(Value::as_str).collect();
        let has = |name: &str| asked.contains(&name);
        let meant = |event: &str| {
            let reviews = event.starts_with("pull_request_review_") && event != "pull_request_review_request";
            has(event)
                || (has("issues") && event.starts_with("issue"))
                || (has("issues_only") && event == "issues")
                || (has("pull_request") && event.starts_with("pull_request"))
                || (has("pull_request_only") && event == "pull_request")
                || (has("pull_request_review") && reviews)
        };
        let mut events: Vec<&'static str> = EVENTS.iter().copied().filter(|event| meant(event)).collect();
        // Trap 7: older servers take the name and forget it.
        if has("status") && self.release >= Release::R1_26 {
            events.push("status");
        }
        events
    }

    pub(super) fn on_hooks(&mut self, asks: &Asks, rest: &[&str]) -> Answer {
        let (at, now) = (asks.at, self.now());
        if asks.right < Right::Admin {
            return Err(self
                .refuse(403, "user should be an owner or a collaborator with admin write of a repository"));
        }
        let id = rest.first().and_then(|id| id.parse::<u64>().ok());
        let place = self.repos[at].hooks.iter().position(|hook| Some(hook.id) == id);
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        match (asks.method(), rest, place) {
            ("GET", [], _) => {
                let shown = self.repos[at].hooks.iter().map(Hook::show).collect();
                Ok(self.page(asks.request, shown))
            }
            ("POST", [], _) => {
                let kind = text(&body, "type").unwrap_or_default();
                if !["gitea", "gogs", "slack", "discord"].contains(&kind) {
                    return Err(self.refuse(422, &format!("Invalid hook type: {kind}")));
                }
                let config = &body["config"];
                for key in ["url", "content_type"] {
                    if text(config, key).is_none() {
                        return Err(self.refuse(422, &format!("Missing config option: {key}")));
                    }
                }
                let hook = Hook {
                    id: self.next("hook"),
                    kind: kind.to_owned(),
                    url: text(config, "url").unwrap_or_default().to_owned(),
                    content_type: text(config, "content_type").unwrap_or_default().to_owned(),
                    secret: text(config, "secret").unwrap_or_default().to_owned(),
                    events: self.events(&body),
                    // Trap 3.
                    active: body["active"] == json!(true),
                    branch_filter: text(&body, "branch_filter").unwrap_or_default().to_owned(),
                    authorization: text(&body, "authorization_header").unwrap_or_default().to_owned(),
                    made: now,
                    changed: now,
                };
                let shown = hook.show();
                self.repos[at].hooks.push(hook);
                Ok(Response::json(201, &shown))
            }
            (_, _, None) => Err(self.missing(Value::Null)),
            ("GET", [_], Some(place)) => Ok(Response::json(200, &self.repos[at].hooks[place].show())),
            ("PATCH", [_], Some(place)) => {
                let events = self.events(&body);
                let hook = &mut self.repos[at].hooks[place];
                // Trap 2: what is left out is taken away, but for address, form and secret.
                hook.events = events;
                text(&body, "branch_filter").unwrap_or_default().clone_into(&mut hook.branch_filter);
                text(&body, "authorization_header").unwrap_or_default().clone_into(&mut hook.authorization);
                hook.active = body["active"].as_bool().unwrap_or(hook.active);
                if let Some(url) = text(&body["config"], "url") {
                    url.clone_into(&mut hook.url);
                }
                hook.changed = now;
                Ok(Response::json(200, &hook.show()))
            }
            ("DELETE", [_], Some(place)) => {
                self.repos[at].hooks.remove(place);
                Ok(Response::empty(204))
            }
            _ => Err(super::lost()),
        }
    }

    /// A change request told of: as it is now, which may be newer than the event.
    #[expect(
        clippy::too_many_arguments,
        reason = "which, what happened, how it is called, whose, when, what else"
    )]
    pub(super) fn tell_pull(
        &mut self,
        at: usize,
        number: u64,
        action: &str,
        event: &'static str,
        user: &str,
        delay: i64,
        more: Value,
    ) {
        let Ok((issue, pull)) = self.pull_of(at, number) else { return };
        let shown = json!({
            "action": action, "number": number, "pull_request": self.show_pull(at, issue, pull),
            "requested_reviewer": null, "commit_id": "", "review": null,
        });
        self.notify(at, event, None, delay, user, both(shown, more));
    }

    pub(super) fn tell_issue(
        &mut self,
        at: usize,
        number: u64,
        action: &str,
        event: &'static str,
        user: &str,
        more: Value,
    ) {
        let Some(issue) = self.repos[at].issues.get(&number) else { return };
        let shown =
            json!({"action": action, "number": number, "issue": self.show_issue(at, issue), "commit_id": ""});
        self.notify(at, event, None, 300, user, both(shown, more));
    }

    /// The comment as it is shown, told of on the way.
    pub(super) fn tell_comment(&mut self, asks: &Asks, id: u64, action: &str, more: Value) -> Value {
        let at = asks.at;
        let found = self.repos[at].comments.iter().find(|comment: &&Comment| comment.id == id);
        let Some(comment) = found else { return Value::Null };
        let shown = self.show_comment(at, comment);
        let Some(issue) = self.repos[at].issues.get(&comment.issue) else { return shown };
        let is_pull = issue.pull.is_some();
        let event = if is_pull { "pull_request_comment" } else { "issue_comment" };
        let payload = json!({
            "action": action, "issue": self.show_issue(at, issue), "comment": shown, "is_pull": is_pull,
        });
        self.notify(at, event, None, 300, &asks.user, both(payload, more));
        shown
    }

    /// So many milliseconds later each hook that wants it is told.
    pub(super) fn notify(
        &mut self,
        at: usize,
        event: &'static str,
        branch: Option<&str>,
        delay: i64,
        user: &str,
        payload: Value,
    ) {
        let repository = self.show_repo(at, Right::Admin);
        let payload = both(payload, json!({"repository": repository, "sender": self.show_user(user, false)}));
        // Section 9, request: pretty-printed, and signed as it is.
        let Ok(pretty) = serde_json::to_vec_pretty(&payload) else { return };
        let due = self.now() + delay * SECOND / 1000;
        for hook in self.repos[at].hooks.clone() {
            let filter = branch.filter(|_| !hook.branch_filter.is_empty());
            let passes = filter.is_none_or(|branch| matches(&hook.branch_filter, branch));
            if !hook.active || !hook.events.contains(&event) || !passes {
                continue;
            }
            let form = hook.content_type == "form";
            // Section 9: with no secret the headers are there and empty; of a form the JSON is signed, not the body.
            let signature = match hook.secret.is_empty() {
                true => String::new(),
                false => sign(&hook.secret, &pretty).unwrap_or_default(),
            };
            let body = match form {
                true => format!("payload={}", encode(&String::from_utf8_lossy(&pretty))).into_bytes(),
                false => pretty.clone(),
            };
            let (id, coarse) = (self.clock.uuid(), coarse(event));
            let mut headers = vec![("User-Agent".to_owned(), "Go-http-client/1.1".to_owned())];
            let mut put = |name: String, value: &str| headers.push((name, value.to_owned()));
            if !hook.authorization.is_empty() {
                put("Authorization".to_owned(), &hook.authorization);
            }
            let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
            put("Content-Type".to_owned(), kind);
            for vendor in ["GitHub", "Gitea", "Gogs"] {
                put(format!("X-{vendor}-Delivery"), &id);
                put(format!("X-{vendor}-Event"), coarse);
                put(format!("X-{vendor}-Event-Type"), event);
                if vendor != "GitHub" {
                    put(format!("X-{vendor}-Signature"), &signature);
                }
            }
            put("X-Hub-Signature-256".to_owned(), &format!("sha256={signature}"));
            self.queue.push(Queued { due, url: hook.url, hook: hook.id, headers, body });
        }
    }

    /// What leaves now: by one worker, so in order (section 9, delivery rules).
    pub(super) fn leave(&mut self) -> Vec<Delivery> {
        let now = self.now();
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|queued| queued.due <= now);
        self.queue = later;
        due.sort_by_key(|queued| queued.due);
        let leaving = due.into_iter().map(|queued| Delivery {
            hook: queued.hook.to_string(),
            tried: 0,
            url: queued.url,
            headers: queued.headers,
            body: queued.body,
        });
        let mut troubles = std::mem::take(&mut self.troubles);
        let sent = troubles.on_the_way(leaving.collect(), &mut self.clock);
        self.troubles = troubles;
        sent
    }
}

/// The coarse name of an event (section 9, request).
fn coarse(event: &'static str) -> &'static str {
    match event {
        "issue_comment" | "pull_request_comment" => "issue_comment",
        "pull_request_review_approved" => "pull_request_approved",
        "pull_request_review_rejected" => "pull_request_rejected",
        "pull_request_review_comment" => "pull_request_comment",
        _ if event.starts_with("issue") => "issues",
        _ if event.starts_with("pull_request") => "pull_request",
        _ => event,
    }
}
