//! What can be done with a change request, short of merging it? (facts/gitea.md section 6)

use serde_json::{Value, json};

use super::issue::Issue;
use super::{Answer, Asks, Gitea, Right, in_seconds, text};
use crate::http::clock::{SECOND, seconds};
use crate::http::trees::{Signed, Style};
use crate::http::wire::Response;

/// What is special about an issue that is a change request.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    /// Its number among change requests: not the issue's.
    pub(super) id: u64,
    pub(super) base: String,
    pub(super) head: String,
    /// Where the head stands, or stood last.
    pub(super) head_sha: String,
    pub(super) merge_base: String,
    pub(super) merged: Option<Merged>,
    pub(super) check: Check,
    pub(super) reviews: Vec<Review>,
    /// Merges by itself when its checks are green: by whom, how, and whether the branch goes.
    pub(super) scheduled: Option<(String, String, bool)>,
    /// An open issue that it waits for.
    pub(super) blocked: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) at: i64,
    pub(super) by: String,
    pub(super) sha: String,
}

#[derive(Debug, Clone)]
pub(super) struct Review {
    id: u64,
    pub(super) user: String,
    /// `APPROVED`, `REQUEST_CHANGES` or `COMMENT`.
    pub(super) state: String,
    body: String,
    pub(super) commit: String,
    /// Whether the reviewer may write.
    pub(super) official: bool,
    at: i64,
}

/// Whether it could be merged, as far as the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ability {
    /// It could.
    Clean,
    /// Head and base do not go together.
    Conflict,
    /// The server is looking.
    Checking,
}

/// What the server knows of it, in microseconds of its clock.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// This.
    Done(Ability),
    /// It looks until then.
    Runs { until: i64 },
    /// It has not noticed yet, and looks between these.
    Stale { knew: Ability, from: i64, until: i64 },
}

impl Pull {
    /// What the server would say at a moment; who looks after the check has ended must have called `look`.
    pub(super) fn ability(&self, now: i64) -> Ability {
        match self.check {
            Check::Done(ability) => ability,
            Check::Stale { knew, from, .. } if now < from => knew,
            Check::Runs { .. } | Check::Stale { .. } => Ability::Checking,
        }
    }
}

impl Gitea {
    /// The checks that have ended by now are done.
    pub(super) fn look(&mut self, at: usize) {
        let now = self.now();
        let repo = &mut self.repos[at];
        for issue in repo.issues.values_mut() {
            let Some(pull) = issue.pull.as_mut() else { continue };
            let until = match pull.check {
                Check::Done(_) => continue,
                Check::Runs { until } | Check::Stale { until, .. } => until,
            };
            let Some(base) = repo.git.tip(&pull.base).filter(|_| now >= until) else { continue };
            let signed = Signed { author: "check", message: "check", at: 0 };
            let ability = match repo.git.merge(Style::Merge, &base, &pull.head_sha, signed) {
                Ok(_) => Ability::Clean,
                Err(_) => Ability::Conflict,
            };
            pull.check = Check::Done(ability);
        }
    }

    pub(super) fn pull_of(&self, at: usize, number: u64) -> Result<(&Issue, &Pull), Response> {
        let issue = self.repos[at].issues.get(&number);
        let found = issue.and_then(|issue| issue.pull.as_ref().map(|pull| (issue, pull)));
        found.ok_or_else(|| self.missing(Value::Null))
    }

    fn show_number(&self, at: usize, number: u64) -> Answer {
        let (issue, pull) = self.pull_of(at, number)?;
        Ok(Response::json(200, &self.show_pull(at, issue, pull)))
    }

    /// A person marks a change request as waiting for an open issue: merging is then answered 500 (trap 14).
    pub fn block(&mut self, repository: &str, number: u64, blocked: bool) {
        if let Some(repo) = self.repo_mut(repository)
            && let Some(pull) = repo.issues.get_mut(&number).and_then(|issue| issue.pull.as_mut())
        {
            pull.blocked = blocked;
        }
    }

    /// No filter by head or base (trap 15); "closed" includes what was merged.
    pub(super) fn list_pulls(&mut self, asks: &Asks) -> Answer {
        self.look(asks.at);
        let state = asks.request.asks("state").unwrap_or("open");
        let pulls = self.repos[asks.at].issues.values().rev();
        let shown = pulls
            .filter(|issue| state == "all" || issue.state() == state)
            .filter_map(|issue| issue.pull.as_ref().map(|pull| self.show_pull(asks.at, issue, pull)))
            .collect();
        Ok(self.page(asks.request, shown))
    }

    pub(super) fn create_pull(&mut self, asks: &Asks) -> Answer {
        let at = asks.at;
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let field = |key: &str| text(&body, key).unwrap_or_default().to_owned();
        let (title, base) = (field("title"), field("base"));
        let own = format!("{}:", self.repos[at].owner);
        let head = field("head").trim_start_matches(&own).to_owned();
        if title.is_empty() {
            return Err(self.refuse(422, "[Title]: Required"));
        }
        if head == base {
            let words = "Invalid PullRequest: There are no changes between the head and the base";
            return Err(self.refuse(422, words));
        }
        let git = &self.repos[at].git;
        let Some(base_sha) = git.tip(&base) else {
            let url = format!("{}/api/swagger", self.url);
            let body = json!({"errors": null, "message": "IsBranchExist", "url": url});
            return Err(Response::json(404, &body));
        };
        let head_sha = git.tip(&head).ok_or_else(|| self.missing(Value::Null))?;
        let merge_base = git.base(&base_sha, &head_sha).unwrap_or_default();
        let mut open = self.repos[at].issues.values().filter(|issue| !issue.closed());
        let same = open.find_map(|issue| {
            issue
                .pull
                .as_ref()
                .filter(|pull| pull.head == head && pull.base == base)
                .map(|pull| (issue, pull))
        });
        if let Some((issue, pull)) = same {
            let (id, number, repo) = (pull.id, issue.number, self.repos[at].id);
            return Err(self.refuse(
                409,
                &format!(
                    "pull request already exists for these targets [id: {id}, issue_id: {number}, head_repo_id: \
                     {repo}, base_repo_id: {repo}, head_branch: {head}, base_branch: {base}]"
                ),
            ));
        }
        let pull = Pull {
            id: self.next("pull"),
            base,
            head_sha,
            merge_base,
            merged: None,
            // Section 6: it was looked at before the answer.
            check: Check::Runs { until: 0 },
            reviews: Vec::new(),
            scheduled: None,
            blocked: false,
            head,
        };
        let just_pushed =
            self.repos[at].pushed.get(&pull.head).is_some_and(|pushed| self.now() - pushed < 2 * SECOND);
        let number = self.new_issue(asks, &title, &field("body"), &body, Some(pull))?;
        self.look(at);
        self.tell_pull(at, number, "opened", "pull_request", &asks.user, 300, json!({}));
        // Section 9: a head pushed just before is told again as new.
        if just_pushed {
            self.tell_pull(at, number, "synchronized", "pull_request_sync", &asks.user, 900, json!({}));
        }
        let shown = self.show_number(at, number)?;
        Ok(Response { status: 201, ..shown })
    }

    pub(super) fn on_pull(&mut self, asks: &Asks, number: u64, rest: &[&str]) -> Answer {
        self.look(asks.at);
        match (asks.method(), rest) {
            ("GET", []) => self.show_number(asks.at, number),
            ("PATCH", []) => self.patch_pull(asks, number),
            ("GET", ["commits"]) => {
                let (_, pull) = self.pull_of(asks.at, number)?;
                let git = &self.repos[asks.at].git;
                let mut log = git.log(&pull.head_sha);
                log.retain(|commit| !git.contains(&pull.merge_base, &commit.sha));
                Ok(self.page_of_commits(asks, &log))
            }
            ("POST", ["update"]) => self.update_pull(asks, number),
            ("GET", ["reviews"]) => {
                let (_, pull) = self.pull_of(asks.at, number)?;
                let shown =
                    pull.reviews.iter().map(|one| self.show_review(asks.at, number, pull, one)).collect();
                Ok(self.page(asks.request, shown))
            }
            ("POST", ["reviews"]) => self.review(asks, number),
            _ => Err(super::lost()),
        }
    }

    /// 201, and what was merged stays so (section 6).
    fn patch_pull(&mut self, asks: &Asks, number: u64) -> Answer {
        let (at, now) = (asks.at, self.now());
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let (_, pull) = self.pull_of(at, number)?;
        if pull.merged.is_some() && text(&body, "state").is_some() {
            return Err(self.refuse(412, "cannot change state of this pull request, it was already merged"));
        }
        if let Some(base) = text(&body, "base")
            && self.repos[at].git.tip(base).is_none()
        {
            return Err(self.refuse(404, &format!("new base '{base}' not exist")));
        }
        if let Some(base) = text(&body, "base")
            && let Some(pull) = self.repos[at].issues.get_mut(&number).and_then(|issue| issue.pull.as_mut())
        {
            let old = std::mem::replace(&mut pull.base, base.to_owned());
            pull.check = Check::Runs { until: now };
            if old != base {
                let changes = json!({"changes": {"ref": {"from": old}}});
                self.tell_pull(at, number, "edited", "pull_request", &asks.user, 300, changes);
            }
        }
        self.patch_issue(asks, number, &body)?;
        self.look(at);
        let shown = self.show_number(at, number)?;
        Ok(Response { status: 201, ..shown })
    }

    /// The base comes into the head (section 6, update).
    fn update_pull(&mut self, asks: &Asks, number: u64) -> Answer {
        let (_, pull) = self.pull_of(asks.at, number)?;
        let (head, base, before) = (pull.head.clone(), pull.base.clone(), pull.head_sha.clone());
        let base_sha = self.repos[asks.at].git.tip(&base).ok_or_else(|| self.missing(Value::Null))?;
        let message = format!("Merge branch '{base}' into {head}\n");
        let signed = Signed { author: &asks.user, message: &message, at: in_seconds(self.now()) };
        let rebases = asks.request.asks("style") == Some("rebase");
        let git = &mut self.repos[asks.at].git;
        let done = match rebases {
            true => git.merge(Style::Rebase, &base_sha, &before, signed),
            false => git.merge(Style::Merge, &before, &base_sha, signed),
        };
        let Ok(after) = done else {
            return Err(self.refuse(409, "merge failed because of conflict"));
        };
        git.point(&head, Some(&after));
        self.moved(asks.at, &asks.user, &head, Some(&before), &after);
        Ok(Response::empty(200))
    }

    fn show_review(&self, at: usize, number: u64, pull: &Pull, review: &Review) -> Value {
        let web = format!("{}/pulls/{number}", self.web(&self.repos[at]));
        json!({
            "id": review.id, "user": self.show_user(&review.user, false), "team": null, "state": review.state,
            "body": review.body, "commit_id": review.commit, "stale": review.commit != pull.head_sha,
            "official": review.official, "dismissed": false, "comments_count": 0,
            "submitted_at": seconds(review.at), "updated_at": seconds(review.at),
            "html_url": format!("{web}#issuecomment-{}", review.id), "pull_request_url": web,
        })
    }

    fn review(&mut self, asks: &Asks, number: u64) -> Answer {
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let (issue, pull) = self.pull_of(asks.at, number)?;
        let state = text(&body, "event").unwrap_or("COMMENT").to_owned();
        let head = pull.head_sha.clone();
        if issue.user == asks.user && state != "COMMENT" {
            let what = if state == "APPROVED" { "approve" } else { "reject" };
            return Err(self.refuse(422, &format!("{what} your own pull is not allowed")));
        }
        let review = Review {
            id: self.next("review"),
            user: asks.user.clone(),
            body: text(&body, "body").unwrap_or_default().to_owned(),
            commit: text(&body, "commit_id").unwrap_or(&head).to_owned(),
            official: asks.right >= Right::Write,
            at: self.now(),
            state,
        };
        let (kind, content) = match review.state.as_str() {
            "APPROVED" => ("pull_request_review_approved", review.body.clone()),
            "REQUEST_CHANGES" => ("pull_request_review_rejected", review.body.clone()),
            _ => ("pull_request_review_comment", review.body.clone()),
        };
        let (_, pull) = self.pull_of(asks.at, number)?;
        let shown = self.show_review(asks.at, number, pull, &review);
        if let Some(issue) = self.repos[asks.at].issues.get_mut(&number)
            && let Some(pull) = issue.pull.as_mut()
        {
            pull.reviews.push(review);
        }
        let more = json!({"review": {"type": kind, "content": content}});
        self.tell_pull(asks.at, number, "reviewed", kind, &asks.user, 300, more);
        Ok(Response::json(200, &shown))
    }
}
