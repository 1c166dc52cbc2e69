//! What can be done with a work item: make, read, list, change, delete; and what its history says afterwards.

use serde_json::{Value, json};

use super::board::REQUIRED;
use super::field::{self, Expand};
use super::hook::Job;
use super::{
    ADMIN, Answer, Plane, error, exists, fields, invalid, missing, page, refuse, text_of, when, wrong,
};
use crate::http::clock::{SECOND, precise};
use crate::http::wire::{Request, Response};

#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) sequence: u64,
    pub(super) name: String,
    pub(super) html: String,
    pub(super) priority: String,
    pub(super) state: String,
    pub(super) labels: Vec<String>,
    pub(super) assignees: Vec<String>,
    pub(super) parent: Option<String>,
    pub(super) external: (Option<String>, Option<String>),
    pub(super) dates: (Value, Value),
    pub(super) made: i64,
    pub(super) changed: i64,
    pub(super) by: String,
    pub(super) changed_by: Option<String>,
    pub(super) completed: Option<i64>,
    pub(super) archived: bool,
    pub(super) deleted: bool,
}

impl Issue {
    pub(super) fn is_there(&self) -> bool {
        !self.archived && !self.deleted
    }
}

#[derive(Debug, Clone)]
pub(super) struct Activity {
    id: String,
    issue: String,
    verb: &'static str,
    field: Option<String>,
    old: Value,
    new: Value,
    old_id: Value,
    new_id: Value,
    actor: String,
    at: i64,
}

/// A changed field: its name, what it was, what it is. Ids and texts as the request had them.
pub(super) type Changed = (String, Value, Value);

impl Plane {
    /// The id of an item by its key, `DLV-42`.
    pub fn issue_id(&self, key: &str) -> Option<String> {
        self.of_key(key).map(|issue| issue.id.clone())
    }

    /// A person moves an item to another state in the browser: the webhook says `state_id` (section 0, fact 5).
    pub fn press(&mut self, user: &str, issue: &str, state: &str) {
        self.change_by_hand(user, issue, "state_id", json!(state));
    }

    /// A person changes labels in the browser: the webhook says `label_ids`.
    pub fn mark(&mut self, user: &str, issue: &str, labels: &[&str]) {
        self.change_by_hand(user, issue, "label_ids", json!(labels));
    }

    /// The server closes an item by itself after months: no webhook says so (section 3).
    pub fn close_silently(&mut self, issue: &str, state: &str) {
        if let Some(at) = self.issues.iter().position(|known| known.id == issue) {
            self.set(at, "state", &json!(state));
        }
    }

    /// A person archives an item: reading it is answered 404, changing it still works, no webhook (section 2).
    pub fn archive(&mut self, issue: &str) {
        if let Some(issue) = self.issues.iter_mut().find(|known| known.id == issue) {
            issue.archived = true;
        }
    }

    /// A person deletes an item: no webhook (section 0, fact 6).
    pub fn delete(&mut self, issue: &str) {
        if let Some(issue) = self.issues.iter_mut().find(|known| known.id == issue) {
            issue.deleted = true;
        }
    }

    fn change_by_hand(&mut self, user: &str, issue: &str, name: &str, value: Value) {
        let Some(at) = self.issues.iter().position(|known| known.id == issue) else { return };
        let field = name.trim_end_matches("_id").trim_end_matches("_ids").to_owned();
        let field = if name.ends_with("_ids") { format!("{field}s") } else { field };
        let Some((_, old, new)) = self.set(at, &field, &value) else { return };
        self.wrote(user, at, vec![(name.to_owned(), old, new)]);
    }

    fn of_key(&self, key: &str) -> Option<&Issue> {
        let (identifier, number) = key.rsplit_once('-')?;
        let number: u64 = number.parse().ok()?;
        let project = self.projects.iter().find(|project| project.identifier == identifier)?;
        let mut of_project = self.issues.iter().filter(|issue| issue.project == project.id);
        of_project.find(|issue| issue.sequence == number && issue.is_there())
    }

    pub(super) fn place_of(&self, project: &str, issue: &str) -> Result<usize, Response> {
        let here = |known: &Issue| known.id == issue && known.project == project && !known.deleted;
        self.issues.iter().position(here).ok_or_else(missing)
    }

    /// The 29 keys of section 2, issue.
    pub(super) fn show_issue(&self, issue: &Issue, expand: &Expand) -> Value {
        let mut shown = json!({
            "id": issue.id, "type_id": null, "created_at": precise(issue.made),
            "updated_at": precise(issue.changed), "deleted_at": null, "point": null, "name": issue.name,
            "description_html": issue.html, "description_binary": null, "priority": issue.priority,
            "start_date": issue.dates.0, "target_date": issue.dates.1, "sequence_id": issue.sequence,
            "sort_order": 55_535.0 + 10_000.0 * issue.sequence as f64, "completed_at": when(issue.completed),
            "archived_at": null, "is_draft": false, "external_source": issue.external.1,
            "external_id": issue.external.0, "created_by": issue.by, "updated_by": issue.changed_by,
            "project": issue.project, "workspace": self.workspace, "parent": issue.parent, "state": issue.state,
            "estimate_point": null, "type": null, "assignees": issue.assignees, "labels": issue.labels,
        });
        if expand.wants("state") {
            shown["state"] = self.lite_state(&issue.state);
        }
        if expand.wants("project") {
            shown["project"] = self.lite_project(&issue.project);
        }
        if expand.wants("created_by") {
            shown["created_by"] = self.user_of(&issue.by);
        }
        if expand.wants("assignees") {
            shown["assignees"] = issue.assignees.iter().map(|user| self.user_of(user)).collect();
        }
        if expand.wants("labels") {
            let of_issue = self.labels.iter().filter(|label| issue.labels.contains(&label.id));
            shown["labels"] = of_issue.map(|label| self.show_label(label)).collect();
        }
        if expand.wants("parent") && issue.parent.is_none() {
            shown["parent"] = json!({});
        }
        expand.trim(&mut shown);
        shown
    }

    pub(super) fn lite_state(&self, id: &str) -> Value {
        let state = self.states.iter().find(|state| state.id == id);
        state.map_or(
            Value::Null,
            |state| json!({"id": state.id, "name": state.name, "color": state.color, "group": state.group}),
        )
    }

    fn lite_project(&self, id: &str) -> Value {
        let project = self.projects.iter().find(|project| project.id == id);
        project.map_or(Value::Null, |project| {
            json!({
                "id": project.id, "identifier": project.identifier, "name": project.name, "cover_image": null,
                "icon_prop": null, "emoji": null, "description": project.description, "cover_image_url": null,
            })
        })
    }

    /// No filter but `external_id` with `external_source`, which gives one object (section 2, issue).
    pub(super) fn list_issues(&self, project: &str, request: &Request) -> Answer {
        let expand = Expand::of(request);
        let mut of_project: Vec<&Issue> =
            self.issues.iter().filter(|issue| issue.project == project && issue.is_there()).collect();
        if let (Some(id), Some(source)) = (request.asks("external_id"), request.asks("external_source")) {
            let external = (Some(id.to_owned()), Some(source.to_owned()));
            let found =
                of_project.into_iter().find(|issue| issue.external == external).ok_or_else(missing)?;
            return Ok(Response::json(200, &self.show_issue(found, &expand)));
        }
        let order = request.asks("order_by").unwrap_or("-created_at");
        let (key, back) = order.strip_prefix('-').map_or((order, false), |key| (key, true));
        match key {
            "created_at" => of_project.sort_by_key(|issue| (issue.made, issue.sequence)),
            "updated_at" => of_project.sort_by_key(|issue| (issue.changed, issue.sequence)),
            "sequence_id" | "sort_order" => of_project.sort_by_key(|issue| issue.sequence),
            "name" => of_project.sort_by(|one, other| one.name.cmp(&other.name)),
            "completed_at" => of_project.sort_by_key(|issue| (issue.completed, issue.sequence)),
            "state__group" => of_project.sort_by_key(|issue| {
                let state = self.states.iter().find(|state| state.id == issue.state);
                (state.map(|state| &state.group), issue.sequence)
            }),
            "priority" => of_project.sort_by_key(|issue| field::rank(&issue.priority)),
            // Section 1, errors: an order that nobody knows is answered 500.
            _ => return Err(wrong()),
        }
        if back {
            of_project.reverse();
        }
        let shown: Vec<Value> = of_project.into_iter().map(|issue| self.show_issue(issue, &expand)).collect();
        page(request, &shown)
    }

    pub(super) fn create_issue(&mut self, user: &str, project: &str, request: &Request) -> Answer {
        let fields = fields(request)?;
        let name = text_of(&fields, "name").ok_or_else(|| invalid("name", REQUIRED))?.to_owned();
        self.check_fields(project, &fields)?;
        let external = (text_of(&fields, "external_id"), text_of(&fields, "external_source"));
        let external = (external.0.map(str::to_owned), external.1.map(str::to_owned));
        if external.0.is_some() && external.1.is_some() {
            let mut of_project =
                self.issues.iter().filter(|issue| issue.project == project && !issue.deleted);
            if let Some(other) = of_project.find(|issue| issue.external == external) {
                let what = "Issue with the same external id and external source already exists";
                return Err(exists(what, &other.id));
            }
        }
        let first = self.states.iter().find(|state| state.project == project && state.default);
        let state = first.map(|state| state.id.clone()).unwrap_or_default();
        let of_path = self.projects.iter_mut().find(|known| known.id == project).ok_or_else(missing)?;
        of_path.last_sequence += 1;
        let (sequence, now) = (of_path.last_sequence, self.clock.now());
        // Section 2: a member can write as somebody else.
        let by = text_of(&fields, "created_by").unwrap_or(user).to_owned();
        self.issues.push(Issue {
            id: self.clock.uuid(),
            project: project.to_owned(),
            sequence,
            name,
            html: "<p></p>".to_owned(),
            priority: "none".to_owned(),
            state,
            labels: Vec::new(),
            assignees: Vec::new(),
            parent: None,
            external,
            dates: (Value::Null, Value::Null),
            made: now,
            changed: now,
            by,
            changed_by: None,
            completed: None,
            archived: false,
            deleted: false,
        });
        let at = self.issues.len() - 1;
        for (field, value) in &fields {
            self.set(at, field, value);
        }
        let shown = self.show_issue(&self.issues[at], &Expand::default());
        // Section 2: what is stored is about a tenth of a second later than what is answered.
        self.issues[at].made += SECOND / 10;
        self.issues[at].changed += SECOND / 10;
        self.later(Job::Issue { issue: shown_id(&shown), actor: user.to_owned(), changes: None });
        Ok(Response::json(201, &shown))
    }

    pub(super) fn on_issue(&mut self, user: &str, project: &str, issue: &str, request: &Request) -> Answer {
        let at = self.place_of(project, issue)?;
        match request.method.as_str() {
            "GET" if self.issues[at].archived => Err(missing()),
            "GET" => Ok(Response::json(200, &self.show_issue(&self.issues[at], &Expand::of(request)))),
            "DELETE" => {
                if self.issues[at].by != user && self.role_in(project, user) < ADMIN {
                    return Err(error(403, "Only admin or creator can delete the work item"));
                }
                self.issues[at].deleted = true;
                Ok(Response::empty(204))
            }
            _ => {
                let fields = fields(request)?;
                self.check_fields(project, &fields)?;
                let changes = fields.iter().filter_map(|(field, value)| self.set(at, field, value)).collect();
                self.wrote(user, at, changes);
                Ok(Response::json(200, &self.show_issue(&self.issues[at], &Expand::default())))
            }
        }
    }

    fn wrote(&mut self, user: &str, at: usize, changes: Vec<Changed>) {
        let now = self.clock.now();
        let issue = &mut self.issues[at];
        (issue.changed, issue.changed_by) = (now, Some(user.to_owned()));
        let issue = issue.id.clone();
        if !changes.is_empty() {
            self.later(Job::Issue { issue, actor: user.to_owned(), changes: Some(changes) });
        }
    }

    /// By key; the identifier's case counts, and a wrong one is a project that nobody may see (section 2).
    pub(super) fn by_key(&self, user: &str, key: &str, request: &Request) -> Answer {
        let (identifier, number) = key.rsplit_once('-').ok_or_else(missing)?;
        if number.parse::<u64>().is_err() {
            return Err(wrong());
        }
        let project = self.projects.iter().find(|project| project.identifier == identifier);
        if project.is_none_or(|project| !project.members.contains_key(user)) {
            return Err(refuse(403, "You do not have permission to perform this action."));
        }
        let issue = self.of_key(key).ok_or_else(missing)?;
        Ok(Response::json(200, &self.show_issue(issue, &Expand::of(request))))
    }

    pub(super) fn search(&self, request: &Request) -> Response {
        let wanted = request.asks("search").unwrap_or_default().to_lowercase();
        let most = request.asks("limit").and_then(|most| most.parse().ok()).unwrap_or(10);
        let found = self.issues.iter().filter(|issue| {
            let by_name = issue.name.to_lowercase().contains(&wanted);
            issue.is_there() && !wanted.is_empty() && (by_name || issue.sequence.to_string() == wanted)
        });
        let shown: Vec<Value> = found
            .take(most)
            .map(|issue| {
                let project = self.lite_project(&issue.project);
                json!({
                    "name": issue.name, "id": issue.id, "sequence_id": issue.sequence,
                    "project__identifier": project["identifier"], "project_id": issue.project,
                    "workspace__slug": self.slug,
                })
            })
            .collect();
        Response::json(200, &json!({"issues": shown}))
    }

    /// Writes the history's row of a change: names where the change has ids (section 2, activities).
    pub(super) fn remember(&mut self, issue: &str, actor: &str, change: Option<&Changed>) {
        let named = |value: &Value| match value.as_str().map(|id| self.lite_state(id)) {
            Some(state) if !state.is_null() => (state["name"].clone(), value.clone()),
            _ => (value.clone(), Value::Null),
        };
        let ((old, old_id), (new, new_id)) = match change {
            None => ((Value::Null, Value::Null), (Value::Null, Value::Null)),
            Some((_, old, new)) => (named(old), named(new)),
        };
        let field = change.map(|(field, ..)| match field.as_str() {
            "state_id" => "state".to_owned(),
            "label_ids" => "labels".to_owned(),
            "assignee_ids" => "assignees".to_owned(),
            "description_html" => "description".to_owned(),
            other => other.to_owned(),
        });
        let verb = if change.is_some() { "updated" } else { "created" };
        let (id, at) = (self.clock.uuid(), self.clock.now());
        let (issue, actor) = (issue.to_owned(), actor.to_owned());
        self.activities.push(Activity { id, issue, verb, field, old, new, old_id, new_id, actor, at });
    }

    pub(super) fn list_activities(&self, project: &str, issue: &str, request: &Request) -> Answer {
        let place = self.place_of(project, issue)?;
        let mut rows: Vec<&Activity> = self.activities.iter().filter(|row| row.issue == issue).collect();
        if request.asks("order_by") == Some("-created_at") {
            rows.reverse();
        }
        let show = |row: &&Activity| {
            let comment = match &row.field {
                None => "created the issue".to_owned(),
                Some(field) => format!("updated the {field}"),
            };
            json!({
                "id": row.id, "created_at": precise(row.at), "updated_at": precise(row.at), "deleted_at": null,
                "verb": row.verb, "field": row.field, "old_value": row.old, "new_value": row.new,
                "comment": comment, "attachments": [], "old_identifier": row.old_id,
                "new_identifier": row.new_id, "epoch": (row.at / SECOND) as f64,
                "project": self.issues[place].project, "workspace": self.workspace, "issue": row.issue,
                "issue_comment": null, "actor": row.actor,
            })
        };
        page(request, &rows.iter().map(show).collect::<Vec<Value>>())
    }
}

fn shown_id(shown: &Value) -> String {
    shown["id"].as_str().unwrap_or_default().to_owned()
}
