//! What stands on a board: projects, their states with ids of their own, their labels.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ADMIN, Answer, Plane, Route, error, exists, fields, invalid, missing, page, text_of};
use crate::http::clock::precise;
use crate::http::wire::{Request, Response, both};

/// The groups that a state can be made in (section 2, state); `triage` cannot.
const GROUPS: &[&str] = &["backlog", "unstarted", "started", "completed", "cancelled"];

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// What the keys of its items begin with.
    pub identifier: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) members: BTreeMap<String, i64>,
    pub(super) made: i64,
    pub(super) by: String,
    pub(super) last_sequence: u64,
}

/// A state of a project.
#[derive(Debug, Clone)]
pub struct State {
    /// Its id: another in each project, whatever its name.
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// Its name, unique in the project, with case.
    pub name: String,
    /// `backlog`, `unstarted`, `started`, `completed` or `cancelled`.
    pub group: String,
    pub(super) color: String,
    description: String,
    slug: String,
    sequence: f64,
    pub(super) default: bool,
    made: i64,
    changed: i64,
    by: String,
    changed_by: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) project: String,
    pub(super) name: String,
    pub(super) color: String,
    description: String,
    parent: Value,
    made: i64,
    changed: i64,
    by: String,
}

impl Plane {
    /// A new project with the five states that each begins with (section 2, project), made by this user: its id.
    pub fn project(&mut self, by: &str, name: &str, identifier: &str) -> String {
        let (id, now) = (self.clock.uuid(), self.clock.now());
        self.projects.push(Project {
            id: id.clone(),
            identifier: identifier.to_uppercase(),
            name: name.to_owned(),
            description: String::new(),
            members: BTreeMap::from([(by.to_owned(), ADMIN)]),
            made: now,
            by: by.to_owned(),
            last_sequence: 0,
        });
        let first = [
            ("Backlog", "backlog"),
            ("Todo", "unstarted"),
            ("In Progress", "started"),
            ("Done", "completed"),
            ("Cancelled", "cancelled"),
        ];
        for (name, group) in first {
            self.put_state(by, &id, name, group, "#60646C", "", group == "backlog");
        }
        id
    }

    /// A user may do so much in a project.
    pub fn member(&mut self, project: &str, user: &str, role: i64) {
        if let Some(project) = self.projects.iter_mut().find(|known| known.id == project) {
            project.members.insert(user.to_owned(), role);
        }
    }

    /// A person adds a state to a board: its id.
    pub fn state(&mut self, project: &str, name: &str, group: &str) -> String {
        let by = self.maker(project);
        self.put_state(&by, project, name, group, "#60646C", &slug(name), false)
    }

    /// The id of a state of a project by its name.
    pub fn state_id(&self, project: &str, name: &str) -> Option<String> {
        let mut states = self.states.iter().filter(|state| state.project == project);
        states.find(|state| state.name == name).map(|state| state.id.clone())
    }

    /// A person renames a state: its id stays.
    pub fn rename_state(&mut self, state: &str, name: &str) {
        let now = self.clock.now();
        if let Some(state) = self.states.iter_mut().find(|known| known.id == state) {
            name.clone_into(&mut state.name);
            state.changed = now;
        }
    }

    /// A person takes a state off the board; refused while items are in it, or if it is the default.
    pub fn remove_state(&mut self, state: &str) -> bool {
        let used = self.issues.iter().any(|issue| issue.is_there() && issue.state == state);
        let removable = self.states.iter().any(|known| known.id == state && !known.default) && !used;
        if removable {
            self.states.retain(|known| known.id != state);
        }
        removable
    }

    fn maker(&self, project: &str) -> String {
        let project = self.projects.iter().find(|known| known.id == project);
        project.map(|project| project.by.clone()).unwrap_or_default()
    }

    #[expect(clippy::too_many_arguments, reason = "a row with all its columns")]
    fn put_state(
        &mut self,
        by: &str,
        project: &str,
        name: &str,
        group: &str,
        color: &str,
        slug: &str,
        default: bool,
    ) -> String {
        let (id, now) = (self.clock.uuid(), self.clock.now());
        let of_project = self.states.iter().filter(|state| state.project == project);
        let last = of_project.map(|state| state.sequence).fold(0.0, f64::max);
        self.states.push(State {
            id: id.clone(),
            project: project.to_owned(),
            name: name.to_owned(),
            group: group.to_owned(),
            color: color.to_owned(),
            description: String::new(),
            slug: slug.to_owned(),
            sequence: last + 15_000.0,
            default,
            made: now,
            changed: now,
            by: by.to_owned(),
            changed_by: None,
        });
        id
    }

    pub(super) fn show_project(&self, project: &Project, user: &str) -> Value {
        let role = project.members.get(user);
        let first = json!({
            "id": project.id, "total_members": project.members.len(), "total_cycles": 0, "total_modules": 0,
            "is_member": role.is_some(), "member_role": role, "sort_order": 65535.0, "is_deployed": false,
            "cover_image_url": null, "created_at": precise(project.made), "updated_at": precise(project.made),
            "deleted_at": null, "name": project.name, "description": project.description,
            "description_text": null, "description_html": null, "network": 2, "identifier": project.identifier,
        });
        let rest = json!({
            "emoji": null, "icon_prop": null, "module_view": false, "cycle_view": false,
            "issue_views_view": false, "page_view": true, "intake_view": false,
            "is_time_tracking_enabled": false, "is_issue_type_enabled": false, "guest_view_all_features": false,
            "cover_image": null, "archive_in": 0, "close_in": 0, "logo_props": {}, "archived_at": null,
            "timezone": "UTC", "external_source": null, "external_id": null, "created_by": project.by,
            "updated_by": null, "workspace": self.workspace, "default_assignee": null, "project_lead": null,
            "cover_image_asset": null, "estimate": null, "default_state": null,
        });
        both(first, rest)
    }

    fn show_state(&self, state: &State) -> Value {
        json!({
            "id": state.id, "created_at": precise(state.made), "updated_at": precise(state.changed),
            "deleted_at": null, "name": state.name, "description": state.description, "color": state.color,
            "slug": state.slug, "sequence": state.sequence, "group": state.group, "is_triage": false,
            "default": state.default, "external_source": null, "external_id": null, "created_by": state.by,
            "updated_by": state.changed_by, "project": state.project, "workspace": self.workspace,
        })
    }

    pub(super) fn show_label(&self, label: &Label) -> Value {
        json!({
            "id": label.id, "created_at": precise(label.made), "updated_at": precise(label.changed),
            "deleted_at": null, "name": label.name, "description": label.description, "color": label.color,
            "sort_order": 65535.0, "external_source": null, "external_id": null, "created_by": label.by,
            "updated_by": null, "workspace": self.workspace, "project": label.project, "parent": label.parent,
        })
    }

    pub(super) fn on_project(&mut self, user: &str, route: &Route, request: &Request) -> Answer {
        let of_path = |id: &String| self.projects.iter().position(|project| project.id == *id);
        match (route, request.method.as_str()) {
            (Route::ProjectMembers(id), _) => {
                let members = of_path(id).map(|at| &self.projects[at].members).ok_or_else(missing)?;
                let lite = members.keys().map(|user| self.user_of(user));
                Ok(Response::json(200, &lite.collect()))
            }
            (Route::Project(id), "GET") => {
                let at = of_path(id).ok_or_else(missing)?;
                Ok(Response::json(200, &self.show_project(&self.projects[at], user)))
            }
            (Route::Project(id), "DELETE") => {
                self.projects.retain(|project| project.id != *id);
                self.deleted_project(user, id);
                Ok(Response::empty(204))
            }
            (Route::Project(id), _) => {
                let at = of_path(id).ok_or_else(missing)?;
                let fields = fields(request)?;
                if let Some(name) = text_of(&fields, "name") {
                    name.clone_into(&mut self.projects[at].name);
                }
                if let Some(description) = text_of(&fields, "description") {
                    description.clone_into(&mut self.projects[at].description);
                }
                Ok(Response::json(200, &self.show_project(&self.projects[at], user)))
            }
            (_, "GET") => {
                let shown: Vec<Value> =
                    self.projects.iter().map(|project| self.show_project(project, user)).collect();
                page(request, &shown)
            }
            _ => {
                let fields = fields(request)?;
                let name = text_of(&fields, "name").ok_or_else(|| invalid("name", REQUIRED))?;
                let identifier =
                    text_of(&fields, "identifier").ok_or_else(|| invalid("identifier", REQUIRED))?;
                let id = self.project(user, name, identifier);
                if let Some(project) = self.projects.iter_mut().find(|project| project.id == id) {
                    text_of(&fields, "description").unwrap_or_default().clone_into(&mut project.description);
                }
                let project = self.projects.iter().find(|project| project.id == id).ok_or_else(missing)?;
                let mut shown = self.show_project(project, user);
                if let Some(shown) = shown.as_object_mut() {
                    shown.remove("sort_order");
                }
                self.created_project(user, &id);
                Ok(Response::json(201, &shown))
            }
        }
    }

    pub(super) fn on_state(&mut self, user: &str, project: &str, route: &Route, request: &Request) -> Answer {
        if let Route::State(_, id) = route {
            let here = |state: &State| state.id == *id && state.project == project;
            let at = self.states.iter().position(here).ok_or_else(missing)?;
            return match request.method.as_str() {
                "GET" => Ok(Response::json(200, &self.show_state(&self.states[at]))),
                "DELETE" if self.states[at].default => Err(error(400, "Default state cannot be deleted")),
                "DELETE" if self.remove_state(id) => Ok(Response::empty(204)),
                "DELETE" => Err(error(400, "The state is not empty, only empty states can be deleted")),
                _ => {
                    let fields = fields(request)?;
                    self.check_state_name(project, text_of(&fields, "name"), Some(id))?;
                    let now = self.clock.now();
                    let state = &mut self.states[at];
                    for (field, value) in &fields {
                        match (field.as_str(), value.as_str()) {
                            ("name", Some(name)) => name.clone_into(&mut state.name),
                            ("color", Some(color)) => color.clone_into(&mut state.color),
                            ("group", Some(group)) if GROUPS.contains(&group) => {
                                group.clone_into(&mut state.group);
                            }
                            // Section 2: here, and only here, the others keep theirs.
                            ("default", _) => state.default = value.as_bool().unwrap_or(state.default),
                            _ => {}
                        }
                    }
                    (state.changed, state.changed_by) = (now, Some(user.to_owned()));
                    Ok(Response::json(200, &self.show_state(&self.states[at])))
                }
            };
        }
        if request.method == "GET" {
            let mut states: Vec<&State> =
                self.states.iter().filter(|state| state.project == project).collect();
            states.sort_by(|one, other| one.sequence.total_cmp(&other.sequence));
            let shown: Vec<Value> = states.into_iter().map(|state| self.show_state(state)).collect();
            return page(request, &shown);
        }
        let fields = fields(request)?;
        let (name, color) = (text_of(&fields, "name"), text_of(&fields, "color"));
        let group = text_of(&fields, "group").unwrap_or("backlog");
        let mut wrong = serde_json::Map::new();
        if name.is_none() {
            wrong.insert("name".to_owned(), json!([REQUIRED]));
        }
        if color.is_none() {
            wrong.insert("color".to_owned(), json!([REQUIRED]));
        }
        if !GROUPS.contains(&group) {
            wrong.insert("group".to_owned(), json!([format!("\"{group}\" is not a valid choice.")]));
        }
        let (Some(name), Some(color), true) = (name, color, wrong.is_empty()) else {
            return Err(Response::json(400, &Value::Object(wrong)));
        };
        self.check_state_name(project, Some(name), None)?;
        let default = fields.iter().any(|(field, value)| field == "default" && *value == json!(true));
        if default {
            for state in self.states.iter_mut().filter(|state| state.project == project) {
                state.default = false;
            }
        }
        let id = self.put_state(user, project, name, group, color, &slug(name), default);
        let made = self.states.iter().find(|state| state.id == id).ok_or_else(missing)?;
        // Section 2: 200, where others say 201.
        Ok(Response::json(200, &self.show_state(made)))
    }

    fn check_state_name(&self, project: &str, name: Option<&str>, but: Option<&str>) -> Result<(), Response> {
        let mut others = self.states.iter().filter(|state| state.project == project);
        match others.find(|state| Some(state.name.as_str()) == name && Some(state.id.as_str()) != but) {
            None => Ok(()),
            Some(other) => Err(exists("State with the same name already exists in the project", &other.id)),
        }
    }

    pub(super) fn on_label(&mut self, user: &str, project: &str, route: &Route, request: &Request) -> Answer {
        let now = self.clock.now();
        if let Route::Label(_, id) = route {
            let here = |label: &Label| label.id == *id && label.project == project;
            let at = self.labels.iter().position(here).ok_or_else(missing)?;
            match request.method.as_str() {
                "GET" => {}
                "DELETE" => {
                    self.labels.remove(at);
                    for issue in &mut self.issues {
                        issue.labels.retain(|label| label != id);
                    }
                    return Ok(Response::empty(204));
                }
                _ => {
                    let fields = fields(request)?;
                    let label = &mut self.labels[at];
                    text_of(&fields, "name").unwrap_or(&label.name.clone()).clone_into(&mut label.name);
                    text_of(&fields, "color").unwrap_or(&label.color.clone()).clone_into(&mut label.color);
                    label.changed = now;
                }
            }
            return Ok(Response::json(200, &self.show_label(&self.labels[at])));
        }
        if request.method == "GET" {
            let of_project = self.labels.iter().rev().filter(|label| label.project == project);
            let shown: Vec<Value> = of_project.map(|label| self.show_label(label)).collect();
            return page(request, &shown);
        }
        let fields = fields(request)?;
        let name = text_of(&fields, "name").ok_or_else(|| invalid("name", REQUIRED))?;
        let mut others = self.labels.iter().filter(|label| label.project == project);
        if let Some(other) = others.find(|label| label.name == name) {
            return Err(exists("Label with the same name already exists in the project", &other.id));
        }
        let parent = fields.iter().find(|(field, _)| field == "parent");
        let label = Label {
            id: self.clock.uuid(),
            project: project.to_owned(),
            name: name.to_owned(),
            color: text_of(&fields, "color").unwrap_or_default().to_owned(),
            description: text_of(&fields, "description").unwrap_or_default().to_owned(),
            parent: parent.map_or(Value::Null, |(_, parent)| parent.clone()),
            made: now,
            changed: now,
            by: user.to_owned(),
        };
        let shown = self.show_label(&label);
        self.labels.push(label);
        Ok(Response::json(201, &shown))
    }

    pub(super) fn role_in(&self, project: &str, user: &str) -> i64 {
        let project = self.projects.iter().find(|known| known.id == project);
        project.and_then(|project| project.members.get(user)).copied().unwrap_or_default()
    }
}

pub(super) const REQUIRED: &str = "This field is required.";

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}
