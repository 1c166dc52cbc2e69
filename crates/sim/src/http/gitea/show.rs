//! How does everything look as Gitea's JSON? The shapes of 1.22 (facts/gitea.md sections 2 to 7).

use serde_json::{Value, json};

use super::issue::{Comment, Issue, Label};
use super::pull::{Ability, Pull};
use super::status::Status;
use super::{Gitea, Repo, Right};
use crate::http::clock::{SECOND, seconds};
use crate::http::trees::Commit;
use crate::http::wire::both;

/// The zero of Gitea's times (section 1).
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn when(moment: Option<i64>) -> Value {
    moment.map_or(Value::Null, |moment| json!(seconds(moment)))
}

impl Gitea {
    /// A user; only who asks about themselves sees the real address.
    pub(super) fn show_user(&self, login: &str, real: bool) -> Value {
        let id = self.users.iter().position(|user| user == login).map_or(0, |at| at + 1);
        let host = if real { "example.test" } else { "noreply.example.test" };
        json!({
            "id": id, "login": login, "login_name": "", "full_name": "", "email": format!("{login}@{host}"),
            "avatar_url": format!("{}/avatars/{id}", self.url), "language": "", "is_admin": false,
            "last_login": NEVER, "created": seconds(1_767_571_200 * SECOND), "restricted": false, "active": false,
            "prohibit_login": false, "location": "", "website": "", "description": "", "visibility": "public",
            "followers_count": 0, "following_count": 0, "starred_repos_count": 0, "username": login,
        })
    }

    pub(super) fn web(&self, repo: &Repo) -> String {
        format!("{}/{}/{}", self.url, repo.owner, repo.name)
    }

    pub(super) fn api(&self, repo: &Repo) -> String {
        format!("{}/api/v1/repos/{}/{}", self.url, repo.owner, repo.name)
    }

    pub(super) fn show_repo(&self, at: usize, right: Right) -> Value {
        let repo = &self.repos[at];
        let open = |pulls: bool| {
            repo.issues.values().filter(|issue| !issue.closed() && issue.pull.is_some() == pulls).count()
        };
        let first = json!({
            "id": repo.id, "owner": self.show_user(&repo.owner, true), "name": repo.name,
            "full_name": format!("{}/{}", repo.owner, repo.name), "description": "", "empty": false,
            "private": repo.private, "fork": false, "template": false, "parent": null, "mirror": false, "size": 31,
            "language": "", "languages_url": format!("{}/languages", self.api(repo)),
            "html_url": self.web(repo), "url": self.api(repo), "link": "",
            "ssh_url": format!("git@localhost:{}/{}.git", repo.owner, repo.name),
            "clone_url": format!("{}.git", self.web(repo)), "original_url": "", "website": "", "stars_count": 0,
            "forks_count": 0, "watchers_count": 1, "open_issues_count": open(false),
        });
        let middle = json!({
            "open_pr_counter": open(true), "release_counter": 0, "default_branch": "main",
            "archived": repo.archived, "created_at": seconds(repo.made), "updated_at": seconds(repo.made),
            "archived_at": "1970-01-01T00:00:00Z",
            "permissions": {"admin": right == Right::Admin, "push": right >= Right::Write, "pull": true},
            "has_issues": true,
            "internal_tracker": {
                "enable_time_tracker": true, "allow_only_contributors_to_track_time": true,
                "enable_issue_dependencies": true,
            },
            "has_wiki": true, "has_pull_requests": true, "has_projects": true, "has_releases": true,
            "has_packages": false, "has_actions": false, "ignore_whitespace_conflicts": false,
        });
        let rest = json!({
            "allow_merge_commits": repo.styles.contains("merge"), "allow_rebase": repo.styles.contains("rebase"),
            "allow_rebase_explicit": repo.styles.contains("rebase-merge"),
            "allow_squash_merge": repo.styles.contains("squash"), "allow_rebase_update": true,
            "default_delete_branch_after_merge": repo.deletes, "default_merge_style": "merge",
            "default_allow_maintainer_edit": false, "avatar_url": "", "internal": false, "mirror_interval": "",
            "mirror_updated": NEVER, "repo_transfer": null,
        });
        both(both(first, middle), rest)
    }

    fn person(author: &str) -> Value {
        json!({"name": author, "email": format!("{author}@example.test"), "username": author})
    }

    fn unsigned() -> Value {
        let reason = "gpg.error.not_signed_commit";
        json!({"verified": false, "reason": reason, "signature": "", "signer": null, "payload": ""})
    }

    /// A commit as branches and pushes show it; only pushes name its files.
    pub(super) fn show_push_commit(&self, at: usize, commit: &Commit, files: bool) -> Value {
        let url = format!("{}/commit/{}", self.web(&self.repos[at]), commit.sha);
        let person = Self::person(&commit.author);
        let mut shown = json!({
            "id": commit.sha, "message": commit.message, "url": url, "author": person, "committer": person,
            "verification": Self::unsigned(), "timestamp": seconds(commit.at * SECOND),
            "added": null, "removed": null, "modified": null,
        });
        if files {
            shown["verification"] = Value::Null;
            shown["added"] = json!(commit.added);
            shown["removed"] = json!(commit.removed);
            shown["modified"] = json!(commit.modified);
        }
        shown
    }

    /// A commit as the list and the reading of one show it.
    pub(super) fn show_commit(&self, at: usize, commit: &Commit) -> Value {
        let repo = &self.repos[at];
        let time = seconds(commit.at * SECOND);
        let url = |kind: &str, sha: &str| format!("{}/git/{kind}/{sha}", self.api(repo));
        let person = json!({
            "name": commit.author, "email": format!("{}@example.test", commit.author), "date": time,
        });
        let parents: Vec<Value> = commit
            .parents
            .iter()
            .map(|sha| json!({"url": url("commits", sha), "sha": sha, "created": NEVER}))
            .collect();
        let kinds = [(&commit.added, "added"), (&commit.removed, "removed"), (&commit.modified, "modified")];
        let files: Vec<Value> = kinds
            .into_iter()
            .flat_map(|(paths, status)| {
                paths.iter().map(move |path| json!({"filename": path, "status": status}))
            })
            .collect();
        let changed = files.len();
        let user = self.users.contains(&commit.author).then(|| self.show_user(&commit.author, false));
        json!({
            "url": url("commits", &commit.sha), "sha": commit.sha, "created": time,
            "html_url": format!("{}/commit/{}", self.web(repo), commit.sha),
            "commit": {
                "url": url("commits", &commit.sha), "author": person, "committer": person,
                "message": commit.message,
                "tree": {"url": url("trees", &commit.tree), "sha": commit.tree, "created": time},
                "verification": Self::unsigned(),
            },
            "author": user, "committer": user, "parents": parents, "files": files,
            "stats": {"total": changed, "additions": changed, "deletions": 0},
        })
    }

    pub(super) fn show_label(&self, at: usize, label: &Label) -> Value {
        json!({
            "id": label.id, "name": label.name, "exclusive": label.exclusive, "is_archived": false,
            "color": label.color, "description": label.description,
            "url": format!("{}/labels/{}", self.api(&self.repos[at]), label.id),
        })
    }

    fn show_labels(&self, at: usize, issue: &Issue) -> Value {
        let of_issue = self.repos[at].labels.iter().filter(|label| issue.labels.contains(&label.id));
        of_issue.map(|label| self.show_label(at, label)).collect()
    }

    fn show_assignees(&self, issue: &Issue) -> (Value, Value) {
        let all: Vec<Value> = issue.assignees.iter().map(|login| self.show_user(login, false)).collect();
        match all.first().cloned() {
            None => (Value::Null, Value::Null),
            Some(first) => (first, Value::Array(all)),
        }
    }

    fn count_comments(&self, at: usize, issue: &Issue) -> usize {
        self.repos[at].comments.iter().filter(|comment| comment.issue == issue.number).count()
    }

    /// An issue, or a change request as one (section 7).
    pub(super) fn show_issue(&self, at: usize, issue: &Issue) -> Value {
        let repo = &self.repos[at];
        let (assignee, assignees) = self.show_assignees(issue);
        let kind = if issue.pull.is_some() { "pulls" } else { "issues" };
        let pull = issue.pull.as_ref().map(|pull| {
            json!({"merged": pull.merged.is_some(), "merged_at": when(pull.merged.as_ref().map(|done| done.at))})
        });
        json!({
            "id": issue.id, "url": format!("{}/issues/{}", self.api(repo), issue.number),
            "html_url": format!("{}/{kind}/{}", self.web(repo), issue.number), "number": issue.number,
            "user": self.show_user(&issue.user, false), "original_author": "", "original_author_id": 0,
            "title": issue.title, "body": issue.body, "ref": "", "assets": [],
            "labels": self.show_labels(at, issue), "milestone": null, "assignee": assignee,
            "assignees": assignees, "state": issue.state(), "is_locked": false,
            "comments": self.count_comments(at, issue), "created_at": seconds(issue.made),
            "updated_at": seconds(issue.changed), "closed_at": when(issue.closed), "due_date": null,
            "pull_request": pull,
            "repository": {
                "id": repo.id, "name": repo.name, "owner": repo.owner,
                "full_name": format!("{}/{}", repo.owner, repo.name),
            },
            "pin_order": 0,
        })
    }

    /// A change request (section 6): `url` is no address of the API, `base.sha` is where the base stands now.
    pub(super) fn show_pull(&self, at: usize, issue: &Issue, pull: &Pull) -> Value {
        let repo = &self.repos[at];
        let web = format!("{}/pulls/{}", self.web(repo), issue.number);
        let shown_repo = self.show_repo(at, Right::Admin);
        let (assignee, assignees) = self.show_assignees(issue);
        let base = repo.git.tip(&pull.base).unwrap_or_default();
        let side = |label: &str, name: &str, sha: &str| json!({"label": label, "ref": name, "sha": sha, "repo_id": repo.id, "repo": shown_repo});
        let gone = format!("refs/pull/{}/head", issue.number);
        let there = repo.git.tip(&pull.head).is_some();
        let done = pull.merged.as_ref();
        let first = json!({
            "id": pull.id, "url": web, "number": issue.number, "user": self.show_user(&issue.user, false),
            "title": issue.title, "body": issue.body, "labels": self.show_labels(at, issue), "milestone": null,
            "assignee": assignee, "assignees": assignees, "requested_reviewers": null, "state": issue.state(),
            "is_locked": false, "comments": self.count_comments(at, issue), "html_url": web,
            "diff_url": format!("{web}.diff"), "patch_url": format!("{web}.patch"),
        });
        let rest = json!({
            "mergeable": issue.closed() || (!issue.is_draft() && pull.ability(self.now()) == Ability::Clean),
            "merged": done.is_some(), "merged_at": when(done.map(|done| done.at)),
            "merge_commit_sha": done.map(|done| done.sha.clone()),
            "merged_by": done.map(|done| self.show_user(&done.by, false)), "allow_maintainer_edit": false,
            "base": side(&pull.base, &pull.base, &base),
            "head": side(&pull.head, if there { &pull.head } else { &gone }, &pull.head_sha),
            "merge_base": pull.merge_base, "due_date": null, "created_at": seconds(issue.made),
            "updated_at": seconds(issue.changed), "closed_at": when(issue.closed), "pin_order": 0,
        });
        both(first, rest)
    }

    /// A comment: which address is empty tells what it is of (section 7).
    pub(super) fn show_comment(&self, at: usize, comment: &Comment) -> Value {
        let repo = &self.repos[at];
        let is_pull = repo.issues.get(&comment.issue).is_some_and(|issue| issue.pull.is_some());
        let kind = if is_pull { "pulls" } else { "issues" };
        let of = format!("{}/{kind}/{}", self.web(repo), comment.issue);
        json!({
            "id": comment.id, "html_url": format!("{of}#issuecomment-{}", comment.id),
            "pull_request_url": if is_pull { &of } else { "" }, "issue_url": if is_pull { "" } else { &of },
            "user": self.show_user(&comment.user, false), "original_author": "", "original_author_id": 0,
            "body": comment.body, "assets": [], "created_at": seconds(comment.made),
            "updated_at": seconds(comment.changed),
        })
    }

    /// A status: posted as `state`, shown as `status` (trap 4).
    pub(super) fn show_status(&self, at: usize, status: &Status) -> Value {
        json!({
            "id": status.index, "status": status.state, "target_url": status.target,
            "description": status.description,
            "url": format!("{}/statuses/{}", self.api(&self.repos[at]), status.sha), "context": status.context,
            "creator": self.show_user(&status.by, false), "created_at": seconds(status.at),
            "updated_at": seconds(status.at),
        })
    }
}
