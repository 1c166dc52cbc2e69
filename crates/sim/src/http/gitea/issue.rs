//! What can be done with issues, their labels and comments? (facts/gitea.md section 7)

use serde_json::{Value, json};

use super::pull::Pull;
use super::{Answer, Asks, Gitea, Right, text};
use crate::http::wire::Response;

/// An issue, or a change request: they share their numbers.
#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) user: String,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) labels: Vec<u64>,
    pub(super) assignees: Vec<String>,
    pub(super) made: i64,
    pub(super) changed: i64,
    pub(super) closed: Option<i64>,
    pub(super) pull: Option<Pull>,
}

impl Issue {
    pub(super) fn closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(super) fn state(&self) -> &'static str {
        if self.closed() { "closed" } else { "open" }
    }

    /// By its title alone (section 6).
    pub(super) fn is_draft(&self) -> bool {
        self.pull.is_some() && (self.title.starts_with("WIP:") || self.title.starts_with("[WIP]"))
    }
}

#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) color: String,
    pub(super) description: String,
    pub(super) exclusive: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) issue: u64,
    pub(super) user: String,
    pub(super) body: String,
    pub(super) made: i64,
    pub(super) changed: i64,
}

impl Gitea {
    pub(super) fn new_issue(
        &mut self,
        asks: &Asks,
        title: &str,
        text: &str,
        body: &Value,
        pull: Option<Pull>,
    ) -> Result<u64, Response> {
        let names = body["assignees"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let assignees: Vec<String> = names.map(str::to_owned).collect();
        if let Some(name) = assignees.iter().find(|name| !self.users.contains(name)) {
            let words = format!(
                "Assignee does not exist: [name: user does not exist [uid: 0, name: {name}, keyid: 0]]"
            );
            return Err(self.refuse(422, &words));
        }
        let ids = body["labels"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        let labels =
            ids.filter(|id| self.repos[asks.at].labels.iter().any(|label| label.id == *id)).collect();
        let number = self.repos[asks.at].issues.last_key_value().map_or(1, |(last, _)| last + 1);
        let (id, now) = (self.next("issue"), self.now());
        let issue = Issue {
            id,
            number,
            user: asks.user.clone(),
            title: title.to_owned(),
            body: text.to_owned(),
            labels,
            assignees,
            made: now,
            changed: now,
            closed: None,
            pull,
        };
        self.repos[asks.at].issues.insert(number, issue);
        Ok(number)
    }

    fn issue_of(&self, at: usize, number: u64) -> Result<&Issue, Response> {
        self.repos[at].issues.get(&number).ok_or_else(|| self.missing(Value::Null))
    }

    pub(super) fn on_issues(&mut self, asks: &Asks, rest: &[&str]) -> Answer {
        let at = asks.at;
        let number = rest.first().and_then(|number| number.parse::<u64>().ok());
        match (asks.method(), rest, number) {
            ("GET", [], _) => self.list_issues(asks),
            ("POST", [], _) => {
                let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
                let title = text(&body, "title").filter(|title| !title.is_empty());
                let title = title.ok_or_else(|| self.refuse(422, "[Title]: Required"))?;
                let words = text(&body, "body").unwrap_or_default();
                let number = self.new_issue(asks, title, words, &body, None)?;
                let issue = self.issue_of(at, number)?;
                let (assigned, labelled) = (!issue.assignees.is_empty(), !issue.labels.is_empty());
                let shown = self.show_issue(at, issue);
                // Section 9: one creation, up to three events, and `opened` is not the first.
                if assigned {
                    self.tell_issue(at, number, "assigned", "issue_assign", &asks.user, json!({}));
                }
                self.tell_issue(at, number, "opened", "issues", &asks.user, json!({}));
                if labelled {
                    self.tell_issue(at, number, "label_updated", "issue_label", &asks.user, json!({}));
                }
                Ok(Response::json(201, &shown))
            }
            ("PATCH" | "DELETE", ["comments", id], _) => {
                self.on_comment(asks, id.parse().unwrap_or_default())
            }
            (_, _, None) => Err(super::lost()),
            ("GET", [_], Some(number)) => {
                Ok(Response::json(200, &self.show_issue(at, self.issue_of(at, number)?)))
            }
            ("PATCH", [_], Some(number)) => {
                let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
                self.patch_issue(asks, number, &body)?;
                Ok(Response::json(201, &self.show_issue(at, self.issue_of(at, number)?)))
            }
            (_, [_, "comments"], Some(number)) => self.on_comments(asks, number),
            (_, [_, "labels", rest @ ..], Some(number)) => {
                self.on_issue_labels(asks, number, rest.first().copied())
            }
            _ => Err(super::lost()),
        }
    }

    /// Without `type=issues` change requests are in it; a label that nobody knows filters nothing (trap 16).
    fn list_issues(&self, asks: &Asks) -> Answer {
        let repo = &self.repos[asks.at];
        let state = asks.request.asks("state").unwrap_or("open");
        let kind = asks.request.asks("type").unwrap_or_default();
        let names: Vec<&str> =
            asks.request.asks("labels").map(|names| names.split(',').collect()).unwrap_or_default();
        let wanted: Vec<u64> = repo
            .labels
            .iter()
            .filter(|label| names.contains(&label.name.as_str()))
            .map(|label| label.id)
            .collect();
        let shown = repo
            .issues
            .values()
            .rev()
            .filter(|issue| state == "all" || issue.state() == state)
            .filter(|issue| match kind {
                "issues" => issue.pull.is_none(),
                "pulls" => issue.pull.is_some(),
                _ => true,
            })
            .filter(|issue| wanted.is_empty() || issue.labels.iter().any(|label| wanted.contains(label)))
            .map(|issue| self.show_issue(asks.at, issue))
            .collect();
        Ok(self.page(asks.request, shown))
    }

    /// Title, text, state; closing what is closed tells nobody (section 7).
    pub(super) fn patch_issue(&mut self, asks: &Asks, number: u64, body: &Value) -> Result<(), Response> {
        let (at, now) = (asks.at, self.now());
        let missing = self.missing(Value::Null);
        let issue = self.repos[at].issues.get_mut(&number).ok_or(missing)?;
        if issue.user != asks.user && asks.right < Right::Write {
            return Err(self.refuse(403, "user should have a permission to write to a repo"));
        }
        let mut told: Vec<(&str, Value)> = Vec::new();
        if let Some(title) = text(body, "title").filter(|title| *title != issue.title) {
            let old = std::mem::replace(&mut issue.title, title.to_owned());
            told.push(("edited", json!({"changes": {"title": {"from": old}}})));
        }
        if let Some(words) = text(body, "body").filter(|words| *words != issue.body) {
            let old = std::mem::replace(&mut issue.body, words.to_owned());
            told.push(("edited", json!({"changes": {"body": {"from": old}}})));
        }
        match (text(body, "state"), issue.closed()) {
            (Some("closed"), false) => {
                issue.closed = Some(now);
                told.push(("closed", json!({})));
            }
            (Some("open"), true) => {
                issue.closed = None;
                told.push(("reopened", json!({})));
            }
            _ => {}
        }
        if let Some(names) = body["assignees"].as_array() {
            issue.assignees = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        issue.changed = now;
        let is_pull = issue.pull.is_some();
        for (action, more) in told {
            match is_pull {
                true => self.tell_pull(at, number, action, "pull_request", &asks.user, 300, more),
                false => self.tell_issue(at, number, action, "issues", &asks.user, more),
            }
        }
        Ok(())
    }

    /// `Closes #5` in the text of a merged change request closes the issue; the event names the commit (section 7).
    pub(super) fn close_named(&mut self, at: usize, user: &str, words: &str, commit: &str) {
        let now = self.now();
        let words: Vec<&str> = words.split_whitespace().collect();
        for pair in words.windows(2) {
            let [verb, number] = pair else { continue };
            let closes = ["closes", "fixes", "resolves"].contains(&verb.to_lowercase().as_str());
            let number =
                number.trim_end_matches(['.', ',']).strip_prefix('#').and_then(|text| text.parse().ok());
            let (Some(number), true) = (number, closes) else { continue };
            if let Some(issue) = self.repos[at].issues.get_mut(&number).filter(|issue| !issue.closed()) {
                (issue.closed, issue.changed) = (Some(now), now);
                self.tell_issue(at, number, "closed", "issues", user, json!({"commit_id": commit}));
            }
        }
    }

    fn on_comments(&mut self, asks: &Asks, number: u64) -> Answer {
        let (at, now) = (asks.at, self.now());
        self.issue_of(at, number)?;
        if asks.method() == "GET" {
            // Not paged (section 7).
            let of_issue = self.repos[at].comments.iter().filter(|comment| comment.issue == number);
            let shown: Vec<Value> = of_issue.map(|comment| self.show_comment(at, comment)).collect();
            let total = shown.len().to_string();
            return Ok(Response::json(200, &Value::Array(shown)).with("X-Total-Count", &total));
        }
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let words = text(&body, "body").filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| self.refuse(422, "[Body]: Required"))?.to_owned();
        let (id, user) = (self.next("comment"), asks.user.clone());
        self.repos[at].comments.push(Comment {
            id,
            issue: number,
            user,
            body: words,
            made: now,
            changed: now,
        });
        if let Some(issue) = self.repos[at].issues.get_mut(&number) {
            issue.changed = now;
        }
        let shown = self.tell_comment(asks, id, "created", json!({}));
        Ok(Response::json(201, &shown))
    }

    fn on_comment(&mut self, asks: &Asks, id: u64) -> Answer {
        let (at, now) = (asks.at, self.now());
        let place = self.repos[at].comments.iter().position(|comment| comment.id == id);
        let place = place.ok_or_else(|| self.missing(Value::Null))?;
        if asks.method() == "DELETE" {
            self.tell_comment(asks, id, "deleted", json!({}));
            self.repos[at].comments.remove(place);
            return Ok(Response::empty(204));
        }
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let comment = &mut self.repos[at].comments[place];
        let old = std::mem::replace(&mut comment.body, text(&body, "body").unwrap_or_default().to_owned());
        comment.changed = now;
        let shown = self.tell_comment(asks, id, "edited", json!({"changes": {"body": {"from": old}}}));
        Ok(Response::json(200, &shown))
    }

    /// Labels by their ids; by name is 422 here (section 7).
    fn on_issue_labels(&mut self, asks: &Asks, number: u64, one: Option<&str>) -> Answer {
        let (at, now) = (asks.at, self.now());
        self.issue_of(at, number)?;
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let named = body["labels"].as_array().cloned().unwrap_or_default();
        if named.iter().any(|label| !label.is_u64()) {
            return Err(
                self.refuse(422, "[]: json: cannot unmarshal string into Go struct field of type int64")
            );
        }
        let known = |id: &u64| self.repos[at].labels.iter().any(|label| label.id == *id);
        let ids: Vec<u64> = named.iter().filter_map(Value::as_u64).filter(known).collect();
        let issue = self.repos[at].issues.get_mut(&number);
        let Some(issue) = issue else { return Err(super::lost()) };
        let old = issue.labels.clone();
        match (asks.request.method.as_str(), one) {
            ("GET", None) => {}
            ("POST", None) => issue.labels.extend(ids),
            ("PUT", None) => issue.labels = ids,
            ("DELETE", None) => issue.labels.clear(),
            ("DELETE", Some(id)) => issue.labels.retain(|label| label.to_string() != id),
            _ => return Err(super::not_allowed()),
        }
        issue.labels.sort_unstable();
        issue.labels.dedup();
        if issue.labels != old {
            issue.changed = now;
            let cleared = issue.labels.is_empty() && one.is_none();
            let action = if cleared { "label_cleared" } else { "label_updated" };
            match issue.pull.is_some() {
                true => self.tell_pull(at, number, action, "pull_request_label", &asks.user, 300, json!({})),
                false => self.tell_issue(at, number, action, "issue_label", &asks.user, json!({})),
            }
        }
        if asks.method() == "DELETE" {
            return Ok(Response::empty(204));
        }
        let set = &self.issue_of(at, number)?.labels;
        let shown = self.repos[at].labels.iter().filter(|label| set.contains(&label.id));
        Ok(Response::json(200, &shown.map(|label| self.show_label(at, label)).collect()))
    }

    pub(super) fn on_labels(&mut self, asks: &Asks) -> Answer {
        let at = asks.at;
        match asks.method() {
            "GET" => {
                let shown = self.repos[at].labels.iter().map(|label| self.show_label(at, label)).collect();
                Ok(self.page(asks.request, shown))
            }
            "POST" => {
                let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
                let field = |key: &str| text(&body, key).unwrap_or_default().to_owned();
                let label = Label {
                    id: self.next("label"),
                    name: field("name"),
                    // Section 7: with or without a hash, shown without.
                    color: field("color").trim_start_matches('#').to_owned(),
                    description: field("description"),
                    exclusive: body["exclusive"] == json!(true),
                };
                let shown = self.show_label(at, &label);
                self.repos[at].labels.push(label);
                Ok(Response::json(201, &shown))
            }
            _ => Err(super::not_allowed()),
        }
    }
}
