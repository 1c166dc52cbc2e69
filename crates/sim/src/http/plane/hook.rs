//! What does the worker do after a write: the history, a second `updated_at`, and the webhooks, each a while later.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Plane;
use super::field::{Expand, stripped};
use super::issue::Changed;
use crate::http::clock::SECOND;
use crate::http::sign::{sign, spaced};
use crate::http::{Delivery, Posted};

/// After so many tries that nobody answered a webhook is switched off (section 3, retries).
const MOST_RETRIES: u32 = 5;

/// A webhook of the workspace (section 3).
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// Where it posts to.
    pub url: String,
    /// `plane_wh_` and 32 digits; the whole of it is the key of the signature.
    pub secret: String,
    /// Whether it posts.
    pub active: bool,
}

/// What waits for the worker.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// An item was made (no changes), or so many fields of it were changed.
    Issue { issue: String, actor: String, changes: Option<Vec<Changed>> },
    /// A comment was made (no change) or edited.
    Comment { comment: String, actor: String, change: Option<Changed> },
}

/// A webhook that waits to leave.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) due: i64,
    hook: String,
    event: &'static str,
    tried: u32,
    body: String,
}

impl Plane {
    /// An admin of the workspace makes a webhook for all its events, with their session (section 3): its id.
    pub fn hook(&mut self, url: &str) -> String {
        let id = self.clock.uuid();
        let secret = format!("plane_wh_{}", self.clock.hex(32));
        self.hooks.push(Hook { id: id.clone(), url: url.to_owned(), secret, active: true });
        id
    }

    /// The webhooks as they are now.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// An admin switches a webhook on again; what happened meanwhile is not told (section 3, retries).
    pub fn switch_on(&mut self, hook: &str) {
        if let Some(hook) = self.hooks.iter_mut().find(|known| known.id == hook) {
            hook.active = true;
        }
    }

    /// The worker gets it; with the broker down nobody ever does.
    pub(super) fn later(&mut self, job: Job) {
        if !self.broker_down {
            let due = self.clock.now() + self.clock.between(3, 10) * SECOND / 10;
            // Section 3, order: promised by nobody, and yet kept while nothing is tried again.
            let last = self.jobs.last().map_or(due, |(last, _)| *last);
            self.jobs.push((due.max(last), job));
        }
    }

    /// Does what is due by now.
    pub(super) fn work(&mut self) {
        let now = self.clock.now();
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.jobs).into_iter().partition(|(due, _)| *due <= now);
        self.jobs = later;
        due.sort_by_key(|(due, _)| *due);
        for (at, job) in due {
            match job {
                Job::Issue { issue, actor, changes } => self.after_issue(at, &issue, &actor, changes),
                Job::Comment { comment, actor, change } => {
                    let Some(comment) = self.comments.iter().find(|known| known.id == comment) else {
                        continue;
                    };
                    let shown = self.show_comment(comment);
                    self.tell(at, "issue_comment", change.as_ref(), &shown, &actor);
                }
            }
        }
    }

    fn after_issue(&mut self, at: i64, issue: &str, actor: &str, changes: Option<Vec<Changed>>) {
        // Section 3: what is gone when the worker comes to it is told to nobody.
        let Some(place) = self.issues.iter().position(|known| known.id == issue && !known.deleted) else {
            return;
        };
        self.issues[place].changed = self.issues[place].changed.max(at);
        match changes {
            None => {
                self.remember(issue, actor, None);
                let shown = self.hook_issue(place);
                self.tell(at, "issue", None, &shown, actor);
            }
            // Section 0, fact 4: one webhook for each changed field, all with the item as it is by now.
            Some(changes) => {
                for change in &changes {
                    self.remember(issue, actor, Some(change));
                    let shown = self.hook_issue(place);
                    self.tell(at, "issue", Some(change), &shown, actor);
                }
            }
        }
    }

    /// The item as webhooks show it: not the shape of readings (section 3, issue `data`).
    fn hook_issue(&self, place: usize) -> Value {
        let issue = &self.issues[place];
        let mut shown = self.show_issue(issue, &Expand::default());
        let labels = self.labels.iter().filter(|label| issue.labels.contains(&label.id));
        shown["labels"] =
            labels.map(|label| json!({"id": label.id, "name": label.name, "color": label.color})).collect();
        shown["assignees"] = issue.assignees.iter().map(|user| self.user_of(user)).collect();
        shown["state"] = self.lite_state(&issue.state);
        (shown["description"], shown["description_json"]) = (json!({}), json!({}));
        shown["description_stripped"] = json!(stripped(&issue.html));
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("type_id");
        }
        shown
    }

    pub(super) fn created_project(&mut self, actor: &str, id: &str) {
        let now = self.clock.now();
        let Some(project) = self.projects.iter().find(|project| project.id == id) else { return };
        let shown = self.show_project(project, actor);
        self.tell(now, "project", None, &shown, actor);
    }

    /// Only projects say that they were deleted, with nothing but their id (section 3).
    pub(super) fn deleted_project(&mut self, actor: &str, id: &str) {
        let now = self.clock.now();
        self.envelope(now, "project", "deleted", None, &json!({"id": id}), actor);
    }

    fn tell(&mut self, at: i64, event: &'static str, change: Option<&Changed>, shown: &Value, actor: &str) {
        let action = if change.is_some() { "updated" } else { "created" };
        self.envelope(at, event, action, change, shown, actor);
    }

    fn envelope(
        &mut self,
        at: i64,
        event: &'static str,
        action: &str,
        change: Option<&Changed>,
        shown: &Value,
        actor: &str,
    ) {
        let (field, old, new) = match change {
            None => (Value::Null, Value::Null, Value::Null),
            Some((field, old, new)) => (json!(field), old.clone(), new.clone()),
        };
        let actor = self.user_of(actor);
        for hook in self.hooks.iter().filter(|hook| hook.active) {
            let body = spaced(&json!({
                "event": event, "action": action, "webhook_id": hook.id, "workspace_id": self.workspace,
                "data": shown,
                "activity": {
                    "field": field, "new_value": new, "old_value": old, "actor": actor,
                    "old_identifier": null, "new_identifier": null,
                },
            }));
            self.queue.push(Queued { due: at, hook: hook.id.clone(), event, tried: 0, body });
        }
    }

    /// What leaves now: a new delivery id for each try, the same body and signature (section 0, fact 3).
    pub(super) fn leave(&mut self) -> Vec<Delivery> {
        self.work();
        let now = self.clock.now();
        let (mut due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|queued| queued.due <= now);
        self.queue = later;
        due.sort_by_key(|queued| queued.due);
        let mut leaving = Vec::new();
        for queued in due {
            let Some(hook) = self.hooks.iter().find(|hook| hook.id == queued.hook) else { continue };
            let body = queued.body.into_bytes();
            let signature = sign(&hook.secret, &body).unwrap_or_default();
            let (id, url) = (self.clock.uuid(), hook.url.clone());
            let headers = [
                ("User-Agent", "Autopilot"),
                ("Accept-Encoding", "gzip, deflate"),
                ("Accept", "*/*"),
                ("Content-Type", "application/json"),
                ("X-Plane-Delivery", &id),
                ("X-Plane-Event", queued.event),
                ("X-Plane-Signature", &signature),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            leaving.push(Delivery { hook: queued.hook, tried: queued.tried, url, headers, body });
        }
        let mut troubles = std::mem::take(&mut self.troubles);
        let mut sent = troubles.on_the_way(leaving, &mut self.clock);
        self.troubles = troubles;
        // Who sends it again sends it under another id.
        let mut ids = BTreeSet::new();
        for (name, id) in sent.iter_mut().flat_map(|delivery| &mut delivery.headers) {
            if name == "X-Plane-Delivery" && !ids.insert(id.clone()) {
                *id = self.clock.uuid();
            }
        }
        sent
    }

    /// Section 3, retries: only silence is tried again, up to five times, each after 0 to 600 seconds; then the hook is off.
    pub(super) fn was_posted(&mut self, delivery: &Delivery, posted: Posted) {
        match posted {
            // Section 0, fact 2: an answer is an answer, whatever its status.
            Posted::Answered(_) => {}
            Posted::Unreachable if delivery.tried < MOST_RETRIES => {
                let due = self.clock.now() + self.clock.between(0, 600) * SECOND;
                let event = match delivery.header("X-Plane-Event") {
                    Some("issue_comment") => "issue_comment",
                    Some("project") => "project",
                    _ => "issue",
                };
                let body = String::from_utf8_lossy(&delivery.body).into_owned();
                let (hook, tried) = (delivery.hook.clone(), delivery.tried + 1);
                self.queue.push(Queued { due, hook, event, tried, body });
            }
            Posted::Unreachable => {
                if let Some(hook) = self.hooks.iter_mut().find(|hook| hook.id == delivery.hook) {
                    hook.active = false;
                }
            }
        }
    }
}
