//! What does a Plane server say? Boards, states of each project with ids of their own, work items, comments, webhooks.
//!
//! Observed of Plane 1.3.1 (facts/plane.md; "section n" below is of that file). Not here: relations, attachments, cycles,
//! modules, intake, and the session endpoints under which a person makes webhooks ([`Plane::hook`] makes one); of webhooks those that are led
//! elsewhere, that nobody takes within half a minute, or whose host has no address; the seconds that pass before a 500 while the broker
//! is away.

mod board;
mod issue;
mod field;
mod comment;
mod hook;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::clock::{Clock, SECOND, precise};
use super::trouble::{Troubles, troubled};
use super::wire::{Request, Response};
use super::{Delivery, Door, Posted};
use board::Label;
pub use board::{Project, State};
use comment::{Comment, Link};
pub use hook::Hook;
use hook::{Job, Queued};
use issue::{Activity, Issue};

/// May do everything.
pub const ADMIN: i64 = 20;
/// May write.
pub const MEMBER: i64 = 15;
/// May read and comment.
pub const GUEST: i64 = 5;

/// An answer, or the refusal that ends the work on a request.
type Answer = Result<Response, Response>;

/// Somebody with an account.
#[derive(Debug, Clone)]
pub struct User {
    /// Their id.
    pub id: String,
    /// Their shown name.
    pub name: String,
    role: i64,
}

impl User {
    /// What others see of them (section 2, `me`).
    fn lite(&self) -> Value {
        json!({
            "id": self.id, "first_name": self.name, "last_name": "", "email": format!("{}@example.test", self.name),
            "avatar": "", "avatar_url": null, "display_name": self.name,
        })
    }
}

#[derive(Debug, Clone)]
struct Key {
    user: String,
    active: bool,
    /// When it was used in the last minute, for the limit.
    used: VecDeque<i64>,
}

/// A Plane server with one workspace.
#[derive(Debug, Clone)]
pub struct Plane {
    clock: Clock,
    troubles: Troubles,
    slug: String,
    workspace: String,
    users: Vec<User>,
    keys: BTreeMap<String, Key>,
    projects: Vec<Project>,
    states: Vec<State>,
    labels: Vec<Label>,
    issues: Vec<Issue>,
    comments: Vec<Comment>,
    links: Vec<Link>,
    activities: Vec<Activity>,
    hooks: Vec<Hook>,
    jobs: Vec<(i64, Job)>,
    queue: Vec<Queued>,
    /// Calls a minute and key (section 1, rate limit): 60 unless the server is set otherwise.
    pub limit: usize,
    /// Whether the worker's queue is out of reach: writes answer 500 and are kept, without activity and webhook
    /// (section 0, fact 10).
    pub broker_down: bool,
}

impl Plane {
    /// A server with this workspace and nobody in it.
    pub fn new(seed: u64, slug: &str) -> Self {
        let mut clock = Clock::new(seed);
        let workspace = clock.uuid();
        Self {
            clock,
            troubles: Troubles::default(),
            slug: slug.to_owned(),
            workspace,
            users: Vec::new(),
            keys: BTreeMap::new(),
            projects: Vec::new(),
            states: Vec::new(),
            labels: Vec::new(),
            issues: Vec::new(),
            comments: Vec::new(),
            links: Vec::new(),
            activities: Vec::new(),
            hooks: Vec::new(),
            jobs: Vec::new(),
            queue: Vec::new(),
            limit: 60,
            broker_down: false,
        }
    }

    /// A new account in the workspace: its id.
    pub fn user(&mut self, name: &str, role: i64) -> String {
        let id = self.clock.uuid();
        self.users.push(User { id: id.clone(), name: name.to_owned(), role });
        id
    }

    /// A new API key of a user (section 1): it may do what they may.
    pub fn key(&mut self, user: &str) -> String {
        let key = format!("plane_api_{}", self.clock.hex(32));
        let held = Key { user: user.to_owned(), active: true, used: VecDeque::new() };
        self.keys.insert(key.clone(), held);
        key
    }

    /// A key is taken back: from now on it is answered 403 (section 1).
    pub fn revoke(&mut self, key: &str) {
        if let Some(key) = self.keys.get_mut(key) {
            key.active = false;
        }
    }

    fn user_of(&self, id: &str) -> Value {
        self.users.iter().find(|user| user.id == id).map_or(Value::Null, User::lite)
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.clock.work();
        self.work();
        // Section 1: the slash is required, for writes too.
        if !request.path.ends_with('/') {
            return Response::empty(301).with("Location", &format!("{}/", request.path));
        }
        let parts = request.segments();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (["api", "v1", rest @ ..], Some(route)) =
            (parts.as_slice(), route(parts.get(2..).unwrap_or(&[])))
        else {
            return match parts.as_slice() {
                // Section 1: what is not v1 takes a session only.
                ["api", next, ..] if *next != "v1" => {
                    refuse(401, "Authentication credentials were not provided.")
                }
                _ => error(404, "Page not found."),
            };
        };
        let answer = self.of_route(rest, &route, request).unwrap_or_else(|refused| refused);
        answer.with("Allow", &route.methods().join(", "))
    }

    fn of_route(&mut self, rest: &[&str], route: &Route, request: &Request) -> Answer {
        if request.body.len() > 5 * 1024 * 1024 {
            let body = json!({"error": "REQUEST_BODY_TOO_LARGE", "detail": "over the limit"});
            return Err(Response::json(413, &body));
        }
        let Some(key) = request.header("X-API-Key").map(str::to_owned) else {
            return Err(refuse(401, "Authentication credentials were not provided."));
        };
        let Some(user) = self.keys.get(&key).filter(|key| key.active).map(|key| key.user.clone()) else {
            return Err(refuse(403, "Given API token is not valid"));
        };
        if !route.methods().contains(&request.method.as_str()) {
            return Err(refuse(405, &format!("Method \"{}\" not allowed.", request.method)));
        }
        let writes = matches!(request.method.as_str(), "POST" | "PATCH");
        let json = request.header("Content-Type").is_some_and(|kind| kind.starts_with("application/json"));
        if writes && !json {
            return Err(refuse(415, "Unsupported media type in request."));
        }
        if request.header("Accept").is_some_and(|accept| accept.starts_with("text/html")) {
            return Err(refuse(406, "Could not satisfy the request Accept header."));
        }
        self.may(&user, rest, route, &request.method)?;
        let remaining = self.throttle(&key)?;
        let response = match self.perform(&user, route, request) {
            // The row is kept: only who asked does not hear of it.
            Ok(done) if writes && self.broker_down && done.status < 300 => wrong(),
            Ok(done) | Err(done) => done,
        };
        // Section 1, rate limit: always a whole window from now.
        let reset = self.clock.now() / SECOND + 60;
        let response = response.with("X-RateLimit-Remaining", &remaining.to_string());
        Ok(response.with("X-RateLimit-Reset", &reset.to_string()))
    }

    /// A sliding minute for each key; what is refused does not count (section 1, rate limit).
    fn throttle(&mut self, key: &str) -> Result<usize, Response> {
        let (now, limit) = (self.clock.now(), self.limit);
        let Some(key) = self.keys.get_mut(key) else { return Ok(0) };
        while key.used.front().is_some_and(|used| *used <= now - 60 * SECOND) {
            key.used.pop_front();
        }
        if key.used.len() >= limit {
            let oldest = key.used.front().copied().unwrap_or(now);
            return Err(too_many(Some((oldest + 60 * SECOND - now).div_euclid(SECOND) + 1)));
        }
        key.used.push_back(now);
        Ok(limit - key.used.len())
    }

    /// Who may do this; unknown workspaces and projects are refused in the same words (section 1, errors).
    fn may(&self, user: &str, parts: &[&str], route: &Route, method: &str) -> Result<(), Response> {
        let denied = || refuse(403, "You do not have permission to perform this action.");
        let Some(user) = self.users.iter().find(|known| known.id == user) else { return Err(denied()) };
        if matches!(route, Route::Me) {
            return Ok(());
        }
        if parts.get(1).is_none_or(|slug| *slug != self.slug) {
            return Err(denied());
        }
        let project = match parts.get(2..4) {
            Some(["projects", project]) => self.projects.iter().find(|known| known.id == **project),
            _ => None,
        };
        let of_project = project.and_then(|project| project.members.get(&user.id)).copied();
        let reads = method == "GET";
        let enough = match route {
            Route::Me | Route::Members | Route::Search | Route::ByKey(_) => true,
            Route::Projects => reads || user.role >= MEMBER,
            Route::Project(_) if reads => project.is_some(),
            Route::Project(_) => of_project == Some(ADMIN),
            // Section 1: a guest's comment is taken, their change of an item is not.
            Route::Comments(..) | Route::Comment(..) => of_project.is_some(),
            Route::Labels(_) if !reads => of_project.is_some() && user.role >= MEMBER,
            Route::ProjectMembers(_)
            | Route::States(_)
            | Route::State(..)
            | Route::Labels(_)
            | Route::Label(..)
            | Route::Issues(_)
            | Route::Issue(..)
            | Route::Links(..)
            | Route::Link(..)
            | Route::Activities(..) => of_project.is_some_and(|role| reads || role >= MEMBER),
        };
        if enough { Ok(()) } else { Err(denied()) }
    }

    fn perform(&mut self, user: &str, route: &Route, request: &Request) -> Answer {
        match route {
            Route::Me => Ok(Response::json(200, &self.user_of(user))),
            Route::Members => {
                let with_role = |user: &User| {
                    let mut shown = user.lite();
                    shown["role"] = json!(user.role);
                    shown
                };
                Ok(Response::json(200, &self.users.iter().map(with_role).collect()))
            }
            Route::Projects | Route::Project(_) | Route::ProjectMembers(_) => {
                self.on_project(user, route, request)
            }
            Route::States(project) | Route::State(project, _) => self.on_state(user, project, route, request),
            Route::Labels(project) | Route::Label(project, _) => self.on_label(user, project, route, request),
            Route::ByKey(key) => self.by_key(user, key, request),
            Route::Search => Ok(self.search(request)),
            Route::Issues(project) => match request.method.as_str() {
                "GET" => self.list_issues(project, request),
                _ => self.create_issue(user, project, request),
            },
            Route::Issue(project, issue) => self.on_issue(user, project, issue, request),
            Route::Comments(project, issue) => self.on_comments(user, project, issue, request),
            Route::Comment(project, issue, comment) => {
                self.on_comment(user, project, issue, comment, request)
            }
            Route::Links(project, issue) => self.on_links(user, project, issue, request),
            Route::Link(project, issue, link) => self.on_link(user, project, issue, link, request),
            Route::Activities(project, issue) => self.list_activities(project, issue, request),
        }
    }
}

impl Door for Plane {
    fn answer(&mut self, request: &Request) -> Response {
        troubled(self, request, too_many, Self::respond)
    }

    fn post(&mut self) -> Vec<Delivery> {
        self.leave()
    }

    fn posted(&mut self, delivery: &Delivery, posted: Posted) {
        self.was_posted(delivery, posted);
    }

    fn next_due(&self) -> Option<i64> {
        let jobs = self.jobs.iter().map(|(due, _)| *due);
        jobs.chain(self.queue.iter().map(|queued| queued.due)).chain(self.troubles.next_due()).min()
    }

    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn troubles(&mut self) -> &mut Troubles {
        &mut self.troubles
    }
}

/// What is asked for: ids as they stand in the path.
enum Route {
    Me,
    Members,
    Projects,
    Project(String),
    ProjectMembers(String),
    States(String),
    State(String, String),
    Labels(String),
    Label(String, String),
    Issues(String),
    Issue(String, String),
    ByKey(String),
    Search,
    Comments(String, String),
    Comment(String, String, String),
    Links(String, String),
    Link(String, String, String),
    Activities(String, String),
}

impl Route {
    fn methods(&self) -> &'static [&'static str] {
        match self {
            Route::Me
            | Route::Members
            | Route::ProjectMembers(_)
            | Route::ByKey(_)
            | Route::Search
            | Route::Activities(..) => &["GET"],
            Route::Projects
            | Route::States(_)
            | Route::Labels(_)
            | Route::Issues(_)
            | Route::Comments(..)
            | Route::Links(..) => &["GET", "POST"],
            Route::Project(_)
            | Route::State(..)
            | Route::Label(..)
            | Route::Issue(..)
            | Route::Comment(..)
            | Route::Link(..) => &["GET", "PATCH", "DELETE"],
        }
    }
}

/// The routes of section 2; `work-items` and `issues` are the same. An id that is no UUID is no route (section 1).
fn route(parts: &[&str]) -> Option<Route> {
    let route = match parts {
        ["users", "me"] => Route::Me,
        ["workspaces", _, "members"] => Route::Members,
        ["workspaces", _, "projects"] => Route::Projects,
        ["workspaces", _, "work-items" | "issues", "search"] => Route::Search,
        ["workspaces", _, "work-items" | "issues", key] => Route::ByKey((*key).to_owned()),
        ["workspaces", _, "projects", project, rest @ ..] => {
            let project = uuid(project)?;
            match rest {
                [] => Route::Project(project),
                ["members" | "project-members"] => Route::ProjectMembers(project),
                ["states"] => Route::States(project),
                ["states", state] => Route::State(project, uuid(state)?),
                ["labels"] => Route::Labels(project),
                ["labels", label] => Route::Label(project, uuid(label)?),
                ["work-items" | "issues"] => Route::Issues(project),
                ["work-items" | "issues", issue, rest @ ..] => {
                    let issue = uuid(issue)?;
                    match rest {
                        [] => Route::Issue(project, issue),
                        ["comments"] => Route::Comments(project, issue),
                        ["comments", comment] => Route::Comment(project, issue, uuid(comment)?),
                        ["links"] => Route::Links(project, issue),
                        ["links", link] => Route::Link(project, issue, uuid(link)?),
                        ["activities"] => Route::Activities(project, issue),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(route)
}

fn uuid(text: &str) -> Option<String> {
    is_uuid(text).then(|| text.to_owned())
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|one| one == '-' || one.is_ascii_hexdigit())
}

/// Refusals before the work (section 1, errors).
fn refuse(status: u16, detail: &str) -> Response {
    Response::json(status, &json!({"detail": detail}))
}

/// Refusals of the work (section 1, errors).
fn error(status: u16, error: &str) -> Response {
    Response::json(status, &json!({"error": error}))
}

/// A refusal of one field (section 1, errors).
fn invalid(field: &str, why: &str) -> Response {
    Response::json(400, &json!({field: [why]}))
}

fn missing() -> Response {
    error(404, "The requested resource does not exist.")
}

fn exists(what: &str, id: &str) -> Response {
    Response::json(409, &json!({"error": what, "id": id}))
}

/// Also for mistakes of the client (section 1, errors).
fn wrong() -> Response {
    error(500, "Something went wrong please try again later")
}

/// 429 (section 1, rate limit): without the headers of an allowed call.
fn too_many(wait: Option<i64>) -> Response {
    let refused = Response::json(429, &json!({"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED"}));
    match wait {
        Some(wait) => refused.with("Retry-After", &wait.to_string()),
        None => refused,
    }
}

/// One page, as section 1 tells: only the page of the cursor counts, and `per_page` must be said again with it.
fn page(request: &Request, rows: &[Value]) -> Answer {
    let per = match request.asks("per_page").map(str::parse::<i64>) {
        None => 1000,
        Some(Err(_)) => return Err(refuse(400, "Invalid per_page parameter.")),
        Some(Ok(per)) if per > 1000 => {
            return Err(refuse(400, "Invalid per_page value. Cannot exceed 1000."));
        }
        Some(Ok(per)) if per < 1 => return Err(wrong()),
        Some(Ok(per)) => per,
    };
    let at = match request.asks("cursor").map(|cursor| cursor.split(':').collect::<Vec<_>>()) {
        None => 0,
        Some(parts) => match parts.as_slice() {
            [_, page, _] => page.parse::<i64>().map_err(|_| refuse(400, "Invalid cursor parameter."))?,
            _ => return Err(refuse(400, "Invalid cursor parameter.")),
        },
    };
    let (total, per_page) = (rows.len(), usize::try_from(per).unwrap_or_default());
    let from = usize::try_from(at.max(0)).unwrap_or_default().saturating_mul(per_page).min(total);
    let results = &rows[from..total.min(from + per_page)];
    Ok(Response::json(
        200,
        &json!({
            "grouped_by": null, "sub_grouped_by": null, "total_count": total,
            "next_cursor": format!("{per}:{}:0", at + 1), "prev_cursor": format!("{per}:{}:1", at - 1),
            "next_page_results": from + per_page < total, "prev_page_results": at > 0,
            "count": results.len(), "total_pages": total.div_ceil(per_page), "total_results": total,
            "extra_stats": null, "results": results,
        }),
    ))
}

/// The fields of a JSON body, in their order.
fn fields(request: &Request) -> Result<Vec<(String, Value)>, Response> {
    request.fields().map_err(|cause| refuse(400, &format!("JSON parse error - {cause}")))
}

/// A text of the body, if there is one.
fn text_of<'a>(fields: &'a [(String, Value)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.as_str())
}

fn when(moment: Option<i64>) -> Value {
    moment.map_or(Value::Null, |moment| json!(precise(moment)))
}
