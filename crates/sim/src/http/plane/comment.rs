//! What is said about a work item, and what it points to: comments and links.

use serde_json::{Value, json};

use super::board::REQUIRED;
use super::hook::Job;
use super::{Answer, Plane, error, exists, fields, invalid, missing, page, text_of, when};
use crate::http::clock::precise;
use crate::http::wire::{Request, Response};

#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: String,
    project: String,
    pub(super) issue: String,
    html: String,
    access: String,
    external: (Option<String>, Option<String>),
    description: String,
    actor: String,
    by: String,
    changed_by: Option<String>,
    made: i64,
    changed: i64,
    edited: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct Link {
    id: String,
    project: String,
    issue: String,
    title: Value,
    url: String,
    by: String,
    made: i64,
    changed: i64,
}

impl Plane {
    /// A person says something in the browser: the comment's id.
    pub fn say(&mut self, user: &str, issue: &str, html: &str) -> Option<String> {
        let of_issue = self.issues.iter().find(|known| known.id == issue)?;
        let project = of_issue.project.clone();
        let comment = self.new_comment(user, &project, issue, html);
        let id = comment.id.clone();
        self.comments.push(comment);
        self.touch(issue);
        self.later(Job::Comment { comment: id.clone(), actor: user.to_owned(), change: None });
        Some(id)
    }

    fn new_comment(&mut self, user: &str, project: &str, issue: &str, html: &str) -> Comment {
        let (id, description, now) = (self.clock.uuid(), self.clock.uuid(), self.clock.now());
        Comment {
            id,
            project: project.to_owned(),
            issue: issue.to_owned(),
            // Section 2, comment: stored as it came, scripts and all.
            html: html.to_owned(),
            access: "INTERNAL".to_owned(),
            external: (None, None),
            description,
            actor: user.to_owned(),
            by: user.to_owned(),
            changed_by: None,
            made: now,
            changed: now,
            edited: None,
        }
    }

    pub(super) fn show_comment(&self, comment: &Comment) -> Value {
        json!({
            "id": comment.id, "created_at": precise(comment.made), "updated_at": precise(comment.changed),
            "deleted_at": null, "comment_html": comment.html, "attachments": [], "access": comment.access,
            "external_source": comment.external.1, "external_id": comment.external.0,
            "edited_at": when(comment.edited), "created_by": comment.by, "updated_by": comment.changed_by,
            "project": comment.project, "workspace": self.workspace, "description": comment.description,
            "issue": comment.issue, "actor": comment.actor, "parent": null,
        })
    }

    /// Section 2, comment: only readings say `is_member`.
    fn read_comment(&self, comment: &Comment) -> Value {
        let mut shown = self.show_comment(comment);
        shown["is_member"] = json!(self.role_in(&comment.project, &comment.actor) > 0);
        shown
    }

    pub(super) fn on_comments(
        &mut self,
        user: &str,
        project: &str,
        issue: &str,
        request: &Request,
    ) -> Answer {
        self.place_of(project, issue)?;
        if request.method == "GET" {
            let of_issue = self.comments.iter().rev().filter(|comment| comment.issue == issue);
            let shown: Vec<Value> = of_issue.map(|comment| self.read_comment(comment)).collect();
            return page(request, &shown);
        }
        let fields = fields(request)?;
        let html = text_of(&fields, "comment_html").unwrap_or("<p></p>").to_owned();
        let external = (text_of(&fields, "external_id"), text_of(&fields, "external_source"));
        let external = (external.0.map(str::to_owned), external.1.map(str::to_owned));
        if external.0.is_some() && external.1.is_some() {
            let mut of_project = self.comments.iter().filter(|comment| comment.project == project);
            if let Some(other) = of_project.find(|comment| comment.external == external) {
                let what = "Work item comment with the same external id and external source already exists";
                return Err(exists(what, &other.id));
            }
        }
        let mut comment = self.new_comment(user, project, issue, &html);
        comment.external = external;
        text_of(&fields, "access").unwrap_or("INTERNAL").clone_into(&mut comment.access);
        let mut shown = self.show_comment(&comment);
        shown["updated_by"] = json!(user);
        if let Some(other) = text_of(&fields, "created_by") {
            // Section 2, comment: the answer names the other as its actor, the row does not.
            (shown["created_by"], shown["actor"]) = (json!(other), json!(other));
            other.clone_into(&mut comment.by);
        }
        let job = Job::Comment { comment: comment.id.clone(), actor: user.to_owned(), change: None };
        self.comments.push(comment);
        self.touch(issue);
        self.later(job);
        Ok(Response::json(201, &shown))
    }

    pub(super) fn on_comment(
        &mut self,
        user: &str,
        project: &str,
        issue: &str,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.place_of(project, issue)?;
        let here = |comment: &Comment| comment.id == id && comment.issue == issue;
        let at = self.comments.iter().position(here).ok_or_else(missing)?;
        match request.method.as_str() {
            "GET" => Ok(Response::json(200, &self.read_comment(&self.comments[at]))),
            "DELETE" => {
                self.comments.remove(at);
                Ok(Response::empty(204))
            }
            _ => {
                let fields = fields(request)?;
                let now = self.clock.now();
                let comment = &mut self.comments[at];
                if let Some(html) = text_of(&fields, "comment_html") {
                    let old = std::mem::replace(&mut comment.html, html.to_owned());
                    // Section 2, comment: an edit by the API leaves `edited_at` as it is.
                    (comment.changed, comment.changed_by) = (now, Some(user.to_owned()));
                    if old != html {
                        let change = ("comment_html".to_owned(), json!(old), json!(html));
                        let (comment, actor) = (id.to_owned(), user.to_owned());
                        self.later(Job::Comment { comment, actor, change: Some(change) });
                    }
                }
                Ok(Response::json(200, &self.show_comment(&self.comments[at])))
            }
        }
    }

    /// Comments and links move the item's `updated_at` too (section 2, issue).
    fn touch(&mut self, issue: &str) {
        let now = self.clock.now();
        if let Some(issue) = self.issues.iter_mut().find(|known| known.id == issue) {
            issue.changed = now;
        }
    }

    fn show_link(&self, link: &Link) -> Value {
        json!({
            "id": link.id, "created_at": precise(link.made), "updated_at": precise(link.changed),
            "deleted_at": null, "title": link.title, "url": link.url, "metadata": {}, "created_by": link.by,
            "updated_by": link.by, "project": link.project, "workspace": self.workspace, "issue": link.issue,
        })
    }

    pub(super) fn on_links(&mut self, user: &str, project: &str, issue: &str, request: &Request) -> Answer {
        self.place_of(project, issue)?;
        if request.method == "GET" {
            let of_issue = self.links.iter().rev().filter(|link| link.issue == issue);
            let shown: Vec<Value> = of_issue.map(|link| self.show_link(link)).collect();
            return page(request, &shown);
        }
        let fields = fields(request)?;
        let url = text_of(&fields, "url").ok_or_else(|| invalid("url", REQUIRED))?;
        if self.links.iter().any(|link| link.issue == issue && link.url == url) {
            return Err(error(400, "URL already exists for this Issue"));
        }
        let now = self.clock.now();
        let link = Link {
            id: self.clock.uuid(),
            project: project.to_owned(),
            issue: issue.to_owned(),
            title: text_of(&fields, "title").map_or(Value::Null, |title| json!(title)),
            url: url.to_owned(),
            by: user.to_owned(),
            made: now,
            changed: now,
        };
        let shown = self.show_link(&link);
        self.links.push(link);
        self.touch(issue);
        Ok(Response::json(201, &shown))
    }

    pub(super) fn on_link(
        &mut self,
        user: &str,
        project: &str,
        issue: &str,
        id: &str,
        request: &Request,
    ) -> Answer {
        self.place_of(project, issue)?;
        let here = |link: &Link| link.id == id && link.issue == issue;
        let at = self.links.iter().position(here).ok_or_else(missing)?;
        match request.method.as_str() {
            "GET" => {}
            "DELETE" => {
                self.links.remove(at);
                return Ok(Response::empty(204));
            }
            _ => {
                let fields = fields(request)?;
                let now = self.clock.now();
                let link = &mut self.links[at];
                text_of(&fields, "url").unwrap_or(&link.url.clone()).clone_into(&mut link.url);
                if let Some(title) = text_of(&fields, "title") {
                    link.title = json!(title);
                }
                (link.changed, link.by) = (now, user.to_owned());
            }
        }
        Ok(Response::json(200, &self.show_link(&self.links[at])))
    }
}
