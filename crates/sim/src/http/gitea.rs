//! What does a Gitea server say? Branches, protection, statuses, change requests that race, issues, webhooks.
//!
//! Observed of Gitea 1.22 and read in the source of later ones (facts/gitea.md; "section n" and "trap n" below are of
//! that file). [`Release`] chooses. Not here: contents, forks, Actions (404, as where it is off), organisations, tokens
//! made over HTTP, basic authentication; `X-Hub-Signature`, which signs with SHA-1; webhooks that are led elsewhere, or that nobody
//! takes within five seconds.

mod show;
mod branch;
mod status;
mod pull;
mod merge;
mod issue;
mod hook;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::clock::{Clock, SECOND};
use super::trees::Git;
use super::trouble::{Troubles, troubled};
use super::wire::{Request, Response, encode};
use super::{Delivery, Door, Posted};
use hook::{Hook, Queued};
use issue::{Comment, Issue, Label};
use status::Status;

/// Which Gitea answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 1.22, as it was observed.
    R1_22,
    /// 1.26, as its source says: a webhook for statuses, other messages.
    R1_26,
}

/// What a user may do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Look.
    Read,
    /// Push and merge.
    Write,
    /// Everything.
    Admin,
}

/// An answer, or the refusal that ends the work on a request.
type Answer = Result<Response, Response>;

#[derive(Debug, Clone)]
struct Token {
    user: String,
    /// `all`, `read:repository`, `write:issue` ...
    scopes: Vec<String>,
}

#[derive(Debug)]
struct Repo {
    id: u64,
    owner: String,
    name: String,
    git: Box<dyn Git>,
    private: bool,
    archived: bool,
    made: i64,
    rights: BTreeMap<String, Right>,
    styles: BTreeSet<&'static str>,
    /// Whether a branch goes with its merge where nobody says.
    deletes: bool,
    protections: Vec<Value>,
    issues: BTreeMap<u64, Issue>,
    labels: Vec<Label>,
    comments: Vec<Comment>,
    statuses: Vec<Status>,
    hooks: Vec<Hook>,
    pushed: BTreeMap<String, i64>,
    /// The change request that is merged while the next merge is under way.
    race: Option<u64>,
    /// What a hook of the server says to the next push of a merge.
    declines: Option<String>,
}

/// A Gitea server.
#[derive(Debug)]
pub struct Gitea {
    clock: Clock,
    troubles: Troubles,
    url: String,
    release: Release,
    users: Vec<String>,
    tokens: BTreeMap<String, Token>,
    repos: Vec<Repo>,
    last: BTreeMap<&'static str, u64>,
    queue: Vec<Queued>,
}

impl Gitea {
    /// A server that calls itself by this address (`http://host`), with nobody on it.
    pub fn new(seed: u64, url: &str, release: Release) -> Self {
        Self {
            clock: Clock::new(seed),
            troubles: Troubles::default(),
            url: url.to_owned(),
            release,
            users: Vec::new(),
            tokens: BTreeMap::new(),
            repos: Vec::new(),
            last: BTreeMap::new(),
            queue: Vec::new(),
        }
    }

    /// A new account.
    pub fn user(&mut self, login: &str) {
        self.users.push(login.to_owned());
    }

    /// A token of a user, with scopes like `write:repository` (section 1); 40 digits.
    pub fn token(&mut self, login: &str, scopes: &[&str]) -> String {
        let token = self.clock.hex(40);
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.tokens.insert(token.clone(), Token { user: login.to_owned(), scopes });
        token
    }

    /// A repository of a user.
    pub fn repository(&mut self, owner: &str, name: &str, git: Box<dyn Git>) {
        let (id, made) = (self.next("repository"), self.clock.now());
        self.repos.push(Repo {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            git,
            private: false,
            archived: false,
            made,
            rights: BTreeMap::from([(owner.to_owned(), Right::Admin)]),
            styles: BTreeSet::from(["merge", "rebase", "rebase-merge", "squash"]),
            deletes: false,
            protections: Vec::new(),
            issues: BTreeMap::new(),
            labels: Vec::new(),
            comments: Vec::new(),
            statuses: Vec::new(),
            hooks: Vec::new(),
            pushed: BTreeMap::new(),
            race: None,
            declines: None,
        });
        if self.release >= Release::R1_26
            && let Some(repo) = self.repos.last_mut()
        {
            repo.styles.insert("fast-forward-only");
        }
    }

    /// Branches of a repository (`owner/name`) go with their merge where nobody says.
    pub fn deletes_branches(&mut self, repository: &str) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.deletes = true;
        }
    }

    /// A user may do so much in a repository (`owner/name`).
    pub fn collaborator(&mut self, repository: &str, login: &str, right: Right) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.rights.insert(login.to_owned(), right);
        }
    }

    /// Only who has a right sees it; others are told that it does not exist (section 1).
    pub fn hide(&mut self, repository: &str) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.private = true;
        }
    }

    /// An admin archives a repository, or brings it back: writes are answered 423 (section 1).
    pub fn archive(&mut self, repository: &str, archived: bool) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.archived = archived;
        }
    }

    /// While the next merge of this repository is under way, this change request is merged by somebody else: another one
    /// takes the ref away (409), the same one is merged twice at once (500); each is merged once (Observed, the end).
    pub fn race(&mut self, repository: &str, number: u64) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.race = Some(number);
        }
    }

    /// A hook of the server declines the push of the next merge with these words (section 6, merge).
    pub fn decline(&mut self, repository: &str, words: &str) {
        if let Some(repo) = self.repo_mut(repository) {
            repo.declines = Some(words.to_owned());
        }
    }

    /// Where a branch stands.
    pub fn tip(&self, repository: &str, branch: &str) -> Option<String> {
        self.at_name(repository).and_then(|at| self.repos[at].git.tip(branch))
    }

    /// Whether a commit contains another.
    pub fn contains(&self, repository: &str, commit: &str, other: &str) -> bool {
        self.at_name(repository).is_some_and(|at| self.repos[at].git.contains(commit, other))
    }

    fn at_name(&self, repository: &str) -> Option<usize> {
        self.repos.iter().position(|repo| repository == format!("{}/{}", repo.owner, repo.name))
    }

    fn repo_mut(&mut self, repository: &str) -> Option<&mut Repo> {
        self.at_name(repository).and_then(|at| self.repos.get_mut(at))
    }

    /// The next number of a kind, from 1.
    fn next(&mut self, kind: &'static str) -> u64 {
        let last = self.last.entry(kind).or_default();
        *last += 1;
        *last
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.clock.work();
        let user = match self.who(request) {
            Ok(user) => user,
            Err(refused) => return refused,
        };
        let parts = request.segments();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let Some(rest) = parts.strip_prefix(&["api", "v1"]) else { return lost() };
        let done = match rest {
            ["version"] => {
                let version = match self.release {
                    Release::R1_22 => "1.22.0",
                    Release::R1_26 => "1.26.0",
                };
                Ok(Response::json(200, &json!({"version": version})))
            }
            ["settings", "api"] => Ok(Response::json(
                200,
                &json!({
                    "max_response_items": 50, "default_paging_num": 30, "default_git_trees_per_page": 1000,
                    "default_max_blob_size": 10_485_760,
                }),
            )),
            ["user"] => match &user {
                Some(user) => Ok(Response::json(200, &self.show_user(user, true))),
                None => Err(self.refuse(401, "token is required")),
            },
            ["repos", owner, name, rest @ ..] => self.of_repository(user, owner, name, rest, request),
            _ => return lost(),
        };
        done.unwrap_or_else(|refused| refused)
    }

    /// Who asks: a token in the header, under either name (section 1). A wrong one is refused, none is a stranger.
    fn who(&self, request: &Request) -> Result<Option<String>, Response> {
        let Some(value) = request.header("Authorization") else { return Ok(None) };
        let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
        let known = ["token", "bearer"].contains(&scheme.to_lowercase().as_str());
        match self.tokens.get(token.trim()).filter(|_| known) {
            Some(token) => Ok(Some(token.user.clone())),
            None => Err(self.refuse(401, "user does not exist [uid: 0, name: , keyid: 0]")),
        }
    }

    /// The scope that a request needs must be among the token's (section 1).
    fn scope(&self, request: &Request, kind: &str) -> Result<(), Response> {
        let token = request.header("Authorization").and_then(|value| value.split_once(' '));
        let Some(token) = token.and_then(|(_, token)| self.tokens.get(token.trim())) else { return Ok(()) };
        let writes = request.method != "GET";
        let wanted = format!("{}:{kind}", if writes { "write" } else { "read" });
        let enough = token.scopes.iter().any(|scope| {
            scope == "all" || *scope == wanted || (!writes && *scope == format!("write:{kind}"))
        });
        match enough {
            true => Ok(()),
            false => {
                let words = format!("token does not have at least one of required scope(s): [{wanted}]");
                Err(self.refuse(403, &words))
            }
        }
    }

    fn of_repository(
        &mut self,
        user: Option<String>,
        owner: &str,
        name: &str,
        rest: &[&str],
        request: &Request,
    ) -> Answer {
        let here = |repo: &Repo| repo.owner == owner && repo.name == name;
        let at = self.repos.iter().position(here).ok_or_else(|| self.missing(Value::Null))?;
        let right = user.as_ref().and_then(|user| self.repos[at].rights.get(user)).copied();
        // Section 1: who may not see it is told that it is not there.
        if self.repos[at].private && right.is_none() {
            return Err(self.missing(Value::Null));
        }
        let writes = request.method != "GET";
        if writes && user.is_none() {
            return Err(self.refuse(401, "token is required"));
        }
        let of_issues = matches!(rest, ["issues" | "labels", ..]);
        self.scope(request, if of_issues { "issue" } else { "repository" })?;
        // Section 1: a status can be posted on an archived repository, nothing else.
        if writes && self.repos[at].archived && !matches!(rest, ["statuses", _]) {
            let words = format!("<Repository {}:{owner}/{name}> is archived", self.repos[at].id);
            return Err(self.refuse(423, &words));
        }
        let asks = Asks { at, user: user.unwrap_or_default(), right: right.unwrap_or(Right::Read), request };
        match rest {
            [] => match request.method.as_str() {
                "GET" => Ok(Response::json(200, &self.show_repo(at, asks.right))),
                _ => Err(not_allowed()),
            },
            ["branches", rest @ ..] => self.on_branches(&asks, &rest.join("/")),
            ["branch_protections", rest @ ..] => self.on_protections(&asks, &rest.join("/")),
            ["git", "refs", rest @ ..] if !writes => self.read_refs(&asks, &rest.join("/")),
            ["git", "commits", sha] if !writes => self.read_commit(&asks, sha),
            ["commits"] if !writes => self.list_commits(&asks),
            ["commits", sha, "status"] if !writes => self.combined(&asks, sha),
            ["commits", sha, "statuses"] | ["statuses", sha] => self.on_statuses(&asks, sha),
            ["pulls"] => match request.method.as_str() {
                "GET" => self.list_pulls(&asks),
                "POST" => self.create_pull(&asks),
                _ => Err(not_allowed()),
            },
            ["pulls", number, rest @ ..] => match (number.parse(), rest) {
                (Ok(number), ["merge"]) => self.on_merge(&asks, number),
                (Ok(number), rest) => self.on_pull(&asks, number, rest),
                (Err(_), _) => Err(lost()),
            },
            ["issues", rest @ ..] => self.on_issues(&asks, rest),
            ["labels"] => self.on_labels(&asks),
            ["hooks", rest @ ..] => self.on_hooks(&asks, rest),
            // Section 8: Actions is off here; and whatever is not told of above.
            _ => Err(lost()),
        }
    }

    /// Errors as section 1 has them.
    fn refuse(&self, status: u16, message: &str) -> Response {
        let body = json!({"message": message, "url": format!("{}/api/swagger", self.url)});
        Response::json(status, &body)
    }

    fn missing(&self, errors: Value) -> Response {
        let message = "The target couldn't be found.";
        let body = json!({"errors": errors, "message": message, "url": format!("{}/api/swagger", self.url)});
        Response::json(404, &body)
    }

    /// A page of a list: 30 unless said, never more than 50; pages begin at 1; past the end is empty (section 1).
    fn page(&self, request: &Request, rows: Vec<Value>) -> Response {
        let (total, (from, limit, page)) = (rows.len(), window(request));
        let shown: Vec<Value> = rows.into_iter().skip(from).take(limit).collect();
        let answer = Response::json(200, &Value::Array(shown)).with("X-Total-Count", &total.to_string());
        let last = total.div_ceil(limit).max(1);
        let others = request.query.iter().filter(|(key, _)| key != "page" && key != "limit");
        let others: String = others.map(|(key, value)| format!("&{key}={}", encode(value))).collect();
        let link = |page: usize, rel: &str| {
            format!("<{}{}?limit={limit}&page={page}{others}>; rel=\"{rel}\"", self.url, request.path)
        };
        let mut links = Vec::new();
        if page < last {
            links.extend([link(page + 1, "next"), link(last, "last")]);
        }
        if page > 1 {
            links.extend([link(1, "first"), link(page - 1, "prev")]);
        }
        match links.is_empty() {
            true => answer,
            false => answer.with("Link", &links.join(",")),
        }
    }

    fn now(&self) -> i64 {
        self.clock.now()
    }
}

impl Door for Gitea {
    fn answer(&mut self, request: &Request) -> Response {
        troubled(self, request, too_many, Self::respond)
    }

    fn post(&mut self) -> Vec<Delivery> {
        self.leave()
    }

    /// Never tried again, whatever came of it (trap 8).
    fn posted(&mut self, _: &Delivery, _: Posted) {}

    fn next_due(&self) -> Option<i64> {
        self.queue.iter().map(|queued| queued.due).chain(self.troubles.next_due()).min()
    }

    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn troubles(&mut self) -> &mut Troubles {
        &mut self.troubles
    }
}

/// What is asked of which repository, by whom.
struct Asks<'a> {
    at: usize,
    user: String,
    right: Right,
    request: &'a Request,
}

impl Asks<'_> {
    fn method(&self) -> &str {
        &self.request.method
    }
}

/// From which row how many, and the page's number.
fn window(request: &Request) -> (usize, usize, usize) {
    let number = |key: &str| request.asks(key).and_then(|text| text.parse::<usize>().ok());
    let page = number("page").filter(|page| *page > 0).unwrap_or(1);
    let limit = number("limit").filter(|limit| *limit > 0).unwrap_or(30).min(50);
    ((page - 1) * limit, limit, page)
}

/// No such route: not JSON (section 1).
fn lost() -> Response {
    Response::text(404, "404 page not found\n")
}

fn not_allowed() -> Response {
    Response::text(405, "405 method not allowed\n")
}

/// What a proxy in front says: Gitea itself limits nothing (section 1).
fn too_many(wait: Option<i64>) -> Response {
    let refused = Response::text(429, "Too Many Requests\n");
    match wait {
        Some(wait) => refused.with("Retry-After", &wait.to_string()),
        None => refused,
    }
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn in_seconds(moment: i64) -> i64 {
    moment.div_euclid(SECOND)
}
