//! Where do branches stand, who may move them, and what happens when they move? (facts/gitea.md sections 3 and 4)

use serde_json::{Value, json};

use super::pull::Check;
use super::{Answer, Asks, Gitea, Right, in_seconds, text};
use crate::http::clock::SECOND;
use crate::http::trees::{Commit, Signed};
use crate::http::wire::Response;

const ZEROS: &str = "0000000000000000000000000000000000000000";
/// As many commits a push names (section 9, push).
const MOST_COMMITS: usize = 5;

impl Gitea {
    /// Somebody pushes one commit to a branch, with git: a new branch begins where main stands. The new commit; `None` if
    /// the branch is protected or there is no such repository.
    pub fn push(
        &mut self,
        repository: &str,
        user: &str,
        branch: &str,
        path: &str,
        content: &str,
    ) -> Option<String> {
        let at = self.at_name(repository)?;
        if self.rule(at, branch).is_some() {
            return None;
        }
        let before = self.repos[at].git.tip(branch);
        if before.is_none() {
            let main = self.repos[at].git.tip("main")?;
            self.repos[at].git.point(branch, Some(&main));
        }
        let message = format!("change {path}\n");
        let signed = Signed { author: user, message: &message, at: in_seconds(self.now()) };
        let sha = self.repos[at].git.write(branch, path, content, signed)?;
        self.moved(at, user, branch, before.as_deref(), &sha);
        Some(sha)
    }

    /// The rule that protects a branch.
    pub(super) fn rule(&self, at: usize, branch: &str) -> Option<&Value> {
        let rules = &self.repos[at].protections;
        rules.iter().find(|rule| text(rule, "rule_name").is_some_and(|glob| matches(glob, branch)))
    }

    pub(super) fn show_branch(&self, at: usize, branch: &str) -> Option<Value> {
        let repo = &self.repos[at];
        let commit = repo.git.commit(&repo.git.tip(branch)?)?;
        let rule = self.rule(at, branch);
        let field = |key: &str, none: Value| rule.map_or(none, |rule| rule[key].clone());
        Some(json!({
            "name": branch, "commit": self.show_push_commit(at, &commit, false), "protected": rule.is_some(),
            "required_approvals": field("required_approvals", json!(0)),
            "enable_status_check": field("enable_status_check", json!(false)),
            "status_check_contexts": field("status_check_contexts", json!([])),
            "user_can_push": field("enable_push", json!(true)), "user_can_merge": true,
            "effective_branch_protection_name": field("rule_name", json!("")),
        }))
    }

    pub(super) fn on_branches(&mut self, asks: &Asks, name: &str) -> Answer {
        let at = asks.at;
        match (asks.method(), name) {
            ("GET", "") => {
                let names = self.repos[at].git.branches();
                let shown = names.iter().filter_map(|name| self.show_branch(at, name)).collect();
                Ok(self.page(asks.request, shown))
            }
            ("GET", name) => match self.show_branch(at, name) {
                Some(shown) => Ok(Response::json(200, &shown)),
                None => Err(self.missing(json!([format!("branch does not exist [name: {name}]")]))),
            },
            ("POST", "") => self.create_branch(asks),
            ("DELETE", name) if !name.is_empty() => {
                if name == "main" {
                    return Err(self.refuse(403, "can not delete default branch"));
                }
                if self.rule(at, name).is_some() {
                    return Err(self.refuse(403, "branch protected"));
                }
                // Section 3: deleting what is gone is 204 too.
                if self.repos[at].git.tip(name).is_some() {
                    self.drop_branch(at, &asks.user, name);
                }
                Ok(Response::empty(204))
            }
            _ => Err(super::not_allowed()),
        }
    }

    fn create_branch(&mut self, asks: &Asks) -> Answer {
        let at = asks.at;
        if asks.right < Right::Write {
            return Err(self.refuse(403, "user should have a permission to write to a repo"));
        }
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let name = text(&body, "new_branch_name").unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(self.refuse(422, "[BranchName]: Required"));
        }
        if name.contains("..") || name.contains([' ', '~', '^', ':', '?', '*', '[', '\\']) {
            return Err(self.refuse(422, "[BranchName]: GitRefName"));
        }
        let old = text(&body, "old_ref_name").or(text(&body, "old_branch_name")).unwrap_or("main");
        let Some(from) = self.resolve(at, old) else {
            return Err(self.refuse(404, "The old branch does not exist"));
        };
        if self.repos[at].git.tip(&name).is_some() {
            return Err(self.refuse(409, "The branch already exists."));
        }
        self.repos[at].git.point(&name, Some(&from));
        self.moved(at, &asks.user, &name, None, &from);
        let shown = self.show_branch(at, &name).unwrap_or_default();
        Ok(Response::json(201, &shown))
    }

    /// Deleting the head of an open change request closes it; there is no push of it (sections 3 and 9).
    pub(super) fn drop_branch(&mut self, at: usize, user: &str, branch: &str) {
        self.repos[at].git.point(branch, None);
        let payload = json!({"ref": branch, "ref_type": "branch", "pusher_type": "user"});
        self.notify(at, "delete", Some(branch), 900, user, payload);
        let now = self.now();
        let mut closed = Vec::new();
        for issue in self.repos[at].issues.values_mut().filter(|issue| !issue.closed()) {
            if issue.pull.as_ref().is_some_and(|pull| pull.head == branch) {
                (issue.closed, issue.changed) = (Some(now), now);
                closed.push(issue.number);
            }
        }
        for number in closed {
            self.tell_pull(at, number, "closed", "pull_request", user, 300, json!({}));
        }
    }

    /// What follows from a branch that moved: create and push, then what it means for change requests (section 9).
    pub(super) fn moved(&mut self, at: usize, user: &str, branch: &str, before: Option<&str>, after: &str) {
        let now = self.now();
        self.repos[at].pushed.insert(branch.to_owned(), now);
        if before.is_none() {
            let payload = json!({"sha": after, "ref": branch, "ref_type": "branch"});
            self.notify(at, "create", Some(branch), 400, user, payload);
        }
        self.tell_push(at, user, branch, before, after);
        let mut told = Vec::new();
        let repo = &mut self.repos[at];
        let git = &repo.git;
        for issue in repo.issues.values_mut().filter(|issue| !issue.closed()) {
            let Some(pull) = issue.pull.as_mut() else { continue };
            if pull.head == branch {
                after.clone_into(&mut pull.head_sha);
                // Section 6: false for a moment after a push to the head ...
                pull.check = Check::Runs { until: now + SECOND / 2 };
                issue.changed = now;
                told.push(issue.number);
            } else if pull.base == branch {
                // ... and to the base; but until the server comes to it, it says what it knew (capture of two that conflict).
                let knew = pull.ability(now);
                pull.check = Check::Stale { knew, from: now + SECOND / 2, until: now + SECOND };
            } else {
                continue;
            }
            if let Some(base) = git.tip(&pull.base)
                && let Some(common) = git.base(&base, &pull.head_sha)
            {
                pull.merge_base = common;
            }
        }
        for number in told {
            self.tell_pull(at, number, "synchronized", "pull_request_sync", user, 700, json!({}));
        }
    }

    fn tell_push(&mut self, at: usize, user: &str, branch: &str, before: Option<&str>, after: &str) {
        let git = &self.repos[at].git;
        let mut commits = git.log(after);
        commits.retain(|commit| before.is_some_and(|before| !git.contains(before, &commit.sha)));
        let total = commits.len();
        let shown: Vec<Value> =
            commits.iter().take(MOST_COMMITS).map(|commit| self.show_push_commit(at, commit, true)).collect();
        let head = git.commit(after).map(|commit| self.show_push_commit(at, &commit, true));
        let before = before.unwrap_or(ZEROS);
        let payload = json!({
            "ref": format!("refs/heads/{branch}"), "before": before, "after": after,
            "compare_url": format!("{}/compare/{before}...{after}", self.web(&self.repos[at])),
            "commits": shown, "total_commits": total, "head_commit": head, "pusher": self.show_user(user, false),
        });
        self.notify(at, "push", Some(branch), 600, user, payload);
    }

    pub(super) fn read_refs(&self, asks: &Asks, name: &str) -> Answer {
        let repo = &self.repos[asks.at];
        let wanted = name.strip_prefix("heads/").unwrap_or(name);
        let refs = repo.git.branches().into_iter().filter(|branch| branch.starts_with(wanted));
        let shown: Vec<Value> = refs
            .filter_map(|branch| {
                let sha = repo.git.tip(&branch)?;
                let url = format!("{}/git/refs/heads/{branch}", self.api(repo));
                let commit = format!("{}/git/commits/{sha}", self.api(repo));
                let object = json!({"type": "commit", "sha": sha, "url": commit});
                Some(json!({"ref": format!("refs/heads/{branch}"), "url": url, "object": object}))
            })
            .collect();
        match shown.is_empty() {
            true => Err(self.missing(Value::Null)),
            false => Ok(Response::json(200, &Value::Array(shown))),
        }
    }

    /// A commit by its digits or a branch's name (section 4).
    pub(super) fn read_commit(&self, asks: &Asks, name: &str) -> Answer {
        let commit = self.resolve(asks.at, name).and_then(|sha| self.repos[asks.at].git.commit(&sha));
        match commit {
            Some(commit) => Ok(Response::json(200, &self.show_commit(asks.at, &commit))),
            None => {
                let url = format!("{}/api/swagger", self.url);
                Err(Response::json(404, &json!({"errors": null, "message": name, "url": url})))
            }
        }
    }

    /// This list has headers of its own beside the others (section 1).
    pub(super) fn list_commits(&self, asks: &Asks) -> Answer {
        let from = self.resolve(asks.at, asks.request.asks("sha").unwrap_or("main"));
        let from = from.ok_or_else(|| self.missing(Value::Null))?;
        let log = self.repos[asks.at].git.log(&from);
        let answer = self.page_of_commits(asks, &log);
        Ok(answer.with("X-Total", &log.len().to_string()))
    }

    pub(super) fn page_of_commits(&self, asks: &Asks, log: &[Commit]) -> Response {
        let shown = log.iter().map(|commit| self.show_commit(asks.at, commit)).collect();
        let (first, limit, page) = super::window(asks.request);
        self.page(asks.request, shown)
            .with("X-Page", &page.to_string())
            .with("X-PerPage", &limit.to_string())
            .with("X-PageCount", &log.len().div_ceil(limit).to_string())
            .with("X-HasMore", if first + limit < log.len() { "true" } else { "false" })
    }

    /// Rules are kept as they are shown; changing one changes what is named and nothing else (section 3).
    pub(super) fn on_protections(&mut self, asks: &Asks, name: &str) -> Answer {
        let at = asks.at;
        if asks.right < Right::Admin && asks.method() != "GET" {
            return Err(self
                .refuse(403, "user should be an owner or a collaborator with admin write of a repository"));
        }
        let here = |rule: &Value| text(rule, "rule_name") == Some(name);
        let found = self.repos[at].protections.iter().position(here);
        let now = crate::http::clock::seconds(self.now());
        match (asks.method(), name, found) {
            ("GET", "", _) => Ok(Response::json(200, &Value::Array(self.repos[at].protections.clone()))),
            ("POST", "", _) => {
                let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
                let name = text(&body, "rule_name").or(text(&body, "branch_name")).unwrap_or_default();
                if self.repos[at].protections.iter().any(|rule| text(rule, "rule_name") == Some(name)) {
                    return Err(self.refuse(403, "Branch protection already exist"));
                }
                let mut rule = unprotected(name, &now);
                change(&mut rule, &body);
                self.repos[at].protections.push(rule.clone());
                Ok(Response::json(201, &rule))
            }
            (_, _, None) => Err(self.missing(Value::Null)),
            ("GET", _, Some(place)) => Ok(Response::json(200, &self.repos[at].protections[place])),
            ("PATCH", _, Some(place)) => {
                let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
                let rule = &mut self.repos[at].protections[place];
                change(rule, &body);
                rule["updated_at"] = json!(now);
                Ok(Response::json(200, rule))
            }
            ("DELETE", _, Some(place)) => {
                self.repos[at].protections.remove(place);
                Ok(Response::empty(204))
            }
            _ => Err(super::not_allowed()),
        }
    }
}

fn unprotected(name: &str, now: &str) -> Value {
    json!({
        "branch_name": name, "rule_name": name, "enable_push": false, "enable_push_whitelist": false,
        "push_whitelist_usernames": [], "push_whitelist_teams": [], "push_whitelist_deploy_keys": false,
        "enable_merge_whitelist": false, "merge_whitelist_usernames": [], "merge_whitelist_teams": [],
        "enable_status_check": false, "status_check_contexts": [], "required_approvals": 0,
        "enable_approvals_whitelist": false, "approvals_whitelist_username": [],
        "approvals_whitelist_teams": [], "block_on_rejected_reviews": false,
        "block_on_official_review_requests": false, "block_on_outdated_branch": false,
        "dismiss_stale_approvals": false, "require_signed_commits": false, "protected_file_patterns": "",
        "unprotected_file_patterns": "", "created_at": now, "updated_at": now,
    })
}

/// Only what a rule has, and not its name.
fn change(rule: &mut Value, body: &Value) {
    let (Some(rule), Some(body)) = (rule.as_object_mut(), body.as_object()) else { return };
    for (key, value) in body {
        if let Some(known) = rule.get_mut(key).filter(|_| key != "branch_name" && key != "rule_name") {
            known.clone_from(value);
        }
    }
}

/// Whether a glob with `*` and `{a,b}` means this name.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    if let Some((before, rest)) = glob.split_once('{')
        && let Some((any, after)) = rest.split_once('}')
    {
        return any.split(',').any(|one| matches(&format!("{before}{one}{after}"), name));
    }
    match glob.split_once('*') {
        None => glob == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            left.char_indices()
                .map(|(at, _)| &left[at..])
                .chain([""])
                .any(|left| matches(rest.trim_start_matches('*'), left))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    /// Rules, required checks and filters of hooks are globs.
    #[test]
    fn globs_match() {
        assert!(
            matches("ci/*", "ci/test/a") && matches("*", "x") && matches("{main,release/*}", "release/1")
        );
        assert!(!matches("ci/*", "lint") && !matches("main", "main2") && !matches("{main,release/*}", "dev"));
    }
}
