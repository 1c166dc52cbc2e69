//! When does a change come into main, and what else is said instead? The table of facts/gitea.md section 6, merge.

use serde_json::{Value, json};

use super::branch::matches;
use super::pull::{Ability, Check, Merged};
use super::{Answer, Asks, Gitea, Release, Right, in_seconds, text};
use crate::http::clock::SECOND;
use crate::http::trees::{Conflict, Signed, Style};
use crate::http::wire::Response;

const STYLES: &[&str] =
    &["merge", "rebase", "rebase-merge", "squash", "fast-forward-only", "manually-merged"];

/// What a merge was asked to do.
struct Wanted {
    /// A name of [`STYLES`].
    style: String,
    /// What the head must be.
    head: Option<String>,
    delete: bool,
    title: Option<String>,
    message: Option<String>,
}

impl Gitea {
    pub(super) fn on_merge(&mut self, asks: &Asks, number: u64) -> Answer {
        let at = asks.at;
        self.look(at);
        match asks.method() {
            "GET" => match self.pull_of(at, number)?.1.merged {
                Some(_) => Ok(Response::empty(204)),
                None => Err(self.missing(Value::Null)),
            },
            "DELETE" => {
                let issue = self.repos[at].issues.get_mut(&number);
                let taken = issue.and_then(|issue| issue.pull.as_mut()?.scheduled.take());
                taken.map(|_| Response::empty(204)).ok_or_else(|| self.missing(Value::Null))
            }
            "POST" => self.merge(asks, number),
            _ => Err(super::not_allowed()),
        }
    }

    /// In the order of section 6: merged, closed, right, draft, ability, protection, dependencies, and only then the head.
    fn merge(&mut self, asks: &Asks, number: u64) -> Answer {
        let at = asks.at;
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let wanted = self.wanted(at, &body)?;
        if self.repos[at].race == Some(number) {
            // The other one is faster, with the same change request: it is merged once, and this one hears so.
            self.repos[at].race = None;
            self.merge(asks, number)?;
            let words = "git commit <PullRequest>: exit status 1\nno changes added to commit\n";
            return Err(self.refuse(500, words));
        }
        let (issue, pull) = self.pull_of(at, number)?;
        let refused = |words: &str| Err(self.refuse(405, words));
        if pull.merged.is_some() {
            return refused(match self.release {
                Release::R1_22 => "",
                Release::R1_26 => "The PR is already merged",
            });
        }
        if issue.closed() {
            return Err(self.missing(Value::Null));
        }
        if asks.right < Right::Write {
            return refused("User not allowed to merge PR");
        }
        if issue.is_draft() {
            return refused("Work in progress PRs cannot be merged");
        }
        // Trap 13: the same words for two things; `force_merge` does not help.
        if pull.ability(self.now()) != Ability::Clean {
            return refused("Please try again later");
        }
        if body["merge_when_checks_succeed"] == json!(true) && self.blocks(at, number).is_some() {
            return self.schedule(asks, number, &wanted);
        }
        let forced = body["force_merge"] == json!(true) && asks.right == Right::Admin;
        if let Some(reason) = self.blocks(at, number).filter(|_| !forced) {
            return match self.release {
                Release::R1_22 => refused(&format!("not allowed to merge [reason: {reason}]")),
                Release::R1_26 => refused(reason),
            };
        }
        if pull.blocked {
            return Err(self.refuse(500, "is blocked by an open dependency"));
        }
        if !self.repos[at].styles.contains(wanted.style.as_str()) {
            let style = &wanted.style;
            return refused(&format!("{style} is not allowed an allowed merge style for this repository"));
        }
        if wanted.head.as_ref().is_some_and(|head| *head != pull.head_sha) {
            // Section 6: after that it looks again.
            self.check_again(at, number);
            return Err(self.refuse(409, "head out of date"));
        }
        self.carry_out(at, number, &asks.user, &wanted)
    }

    /// Section 6: 422 for what is no style; older servers know one style less.
    fn wanted(&self, at: usize, body: &Value) -> Result<Wanted, Response> {
        let style = text(body, "Do").or(text(body, "do")).unwrap_or_default();
        let older = self.release < Release::R1_26 && style == "fast-forward-only";
        if style.is_empty() {
            return Err(self.refuse(422, "[Do]: Required"));
        }
        if !STYLES.contains(&style) || older {
            return Err(self.refuse(422, "[Do]: In"));
        }
        Ok(Wanted {
            style: style.to_owned(),
            head: text(body, "head_commit_id").filter(|head| !head.is_empty()).map(str::to_owned),
            delete: match &body["delete_branch_after_merge"] {
                // Trap 20.
                Value::Null if self.release >= Release::R1_26 => self.repos[at].deletes,
                said => *said == json!(true),
            },
            title: text(body, "MergeTitleField").map(str::to_owned),
            message: text(body, "MergeMessageField").map(str::to_owned),
        })
    }

    /// Why the protection of the base says no.
    fn blocks(&self, at: usize, number: u64) -> Option<&'static str> {
        let (_, pull) = self.pull_of(at, number).ok()?;
        let rule = self.rule(at, &pull.base)?;
        let on = |key: &str| rule[key] == json!(true);
        if on("enable_status_check") {
            let latest = self.latest(at, &pull.head_sha);
            let contexts: Vec<&str> = rule["status_check_contexts"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let green = match contexts.is_empty() {
                // Section 3: with none named, all that there are, and none is not enough.
                true => !latest.is_empty() && latest.iter().all(|status| status.state == "success"),
                // Section 3: of the contexts that a glob means, older servers look at the first alone.
                false => contexts.iter().all(|glob| {
                    let mut meant = latest.iter().filter(|status| matches(glob, &status.context)).peekable();
                    let most = if self.release < Release::R1_26 { 1 } else { usize::MAX };
                    meant.peek().is_some() && meant.take(most).all(|status| status.state == "success")
                }),
            };
            if !green {
                return Some("Not all required status checks successful");
            }
        }
        let newest = |state: &str| {
            let mut last = std::collections::BTreeMap::new();
            for review in pull.reviews.iter().filter(|review| review.official && review.state != "COMMENT") {
                last.insert(&review.user, review);
            }
            last.into_values().filter(|review| review.state == state).collect::<Vec<_>>()
        };
        let stale_counts = !on("dismiss_stale_approvals");
        let approvals = newest("APPROVED")
            .into_iter()
            .filter(|review| stale_counts || review.commit == pull.head_sha)
            .count();
        if (approvals as u64) < rule["required_approvals"].as_u64().unwrap_or_default() {
            return Some("Does not have enough approvals");
        }
        if on("block_on_rejected_reviews") && !newest("REQUEST_CHANGES").is_empty() {
            return Some("There are requested changes");
        }
        let base = self.repos[at].git.tip(&pull.base)?;
        if on("block_on_outdated_branch") && !self.repos[at].git.contains(&pull.head_sha, &base) {
            return Some("The head branch is behind the base branch");
        }
        None
    }

    /// It merges when its checks are green, whatever its head is by then (trap 19).
    fn schedule(&mut self, asks: &Asks, number: u64, wanted: &Wanted) -> Answer {
        let (_, pull) = self.pull_of(asks.at, number)?;
        if pull.scheduled.is_some() {
            let id = pull.id;
            let words = format!(
                "pull request is already scheduled to auto merge when checks succeed [pull_id: {id}]"
            );
            return Err(self.refuse(409, &words));
        }
        if let Some(issue) = self.repos[asks.at].issues.get_mut(&number)
            && let Some(pull) = issue.pull.as_mut()
        {
            pull.scheduled = Some((asks.user.clone(), wanted.style.clone(), wanted.delete));
        }
        Ok(Response::empty(201))
    }

    /// What waited for the statuses of this commit, and may now.
    pub(super) fn merge_scheduled(&mut self, at: usize, sha: &str) {
        let waits = |pull: &super::pull::Pull| pull.head_sha == sha && pull.merged.is_none();
        let ready: Vec<_> = self.repos[at]
            .issues
            .values()
            .filter_map(|issue| {
                let pull = issue.pull.as_ref().filter(|pull| waits(pull) && !issue.closed())?;
                pull.scheduled.clone().map(|scheduled| (issue.number, scheduled))
            })
            .collect();
        for (number, (user, style, delete)) in ready {
            if self.blocks(at, number).is_none() {
                let wanted = Wanted { style, head: None, delete, title: None, message: None };
                // What cannot be merged stays open; nobody waits for an answer here.
                let _ = self.carry_out(at, number, &user, &wanted);
            }
        }
    }

    fn carry_out(&mut self, at: usize, number: u64, user: &str, wanted: &Wanted) -> Answer {
        let (issue, pull) = self.pull_of(at, number)?;
        let (base, head, head_sha) = (pull.base.clone(), pull.head.clone(), pull.head_sha.clone());
        let title = wanted.title.clone().unwrap_or_else(|| match wanted.style.as_str() {
            "squash" => format!("{} (#{number})", issue.title),
            _ => format!("Merge pull request '{}' (#{number}) from {head} into {base}", issue.title),
        });
        let message = format!("{title}\n\n{}\n", wanted.message.clone().unwrap_or_default());
        let body = issue.body.clone();
        let expected = self.repos[at].git.tip(&base).ok_or_else(|| self.missing(Value::Null))?;
        let signed = Signed { author: user, message: &message, at: in_seconds(self.now()) };
        let style = match wanted.style.as_str() {
            "rebase" => Style::Rebase,
            "rebase-merge" => Style::RebaseMerge,
            "squash" => Style::Squash,
            "fast-forward-only" => Style::FastForward,
            _ => Style::Merge,
        };
        let made = match self.repos[at].git.merge(style, &expected, &head_sha, signed) {
            Ok(made) => made,
            Err(conflict) => {
                self.check_again(at, number);
                return Err(clash(&wanted.style, &conflict));
            }
        };
        if let Some(words) = self.repos[at].declines.take() {
            return Err(self.refuse(409, &format!("PushRejected with remote message: {words}")));
        }
        if let Some(other) = self.repos[at].race.take() {
            let first =
                Wanted { style: "merge".to_owned(), head: None, delete: false, title: None, message: None };
            self.carry_out(at, other, user, &first)?;
            let is = self.repos[at].git.tip(&base).unwrap_or_default();
            let words =
                format!("error: cannot lock ref 'refs/heads/{base}': is at {is} but expected {expected}");
            return Err(self.refuse(409, &format!("PushRejected with remote message: {words}")));
        }
        self.repos[at].git.point(&base, Some(&made));
        self.clock.pass(SECOND / 5);
        let now = self.now();
        if let Some(issue) = self.repos[at].issues.get_mut(&number) {
            (issue.closed, issue.changed) = (Some(now), now);
            if let Some(pull) = issue.pull.as_mut() {
                pull.merged = Some(Merged { at: now, by: user.to_owned(), sha: made.clone() });
                pull.scheduled = None;
            }
        }
        // Section 9: the change request says that it is closed before main says that it moved.
        self.tell_pull(at, number, "closed", "pull_request", user, 100, json!({}));
        self.close_named(at, user, &body, &made);
        self.moved(at, user, &base, Some(&expected), &made);
        if wanted.delete {
            self.drop_branch(at, user, &head);
        }
        Ok(Response::empty(200))
    }

    fn check_again(&mut self, at: usize, number: u64) {
        let until = self.now() + SECOND / 2;
        if let Some(pull) = self.repos[at].issues.get_mut(&number).and_then(|issue| issue.pull.as_mut()) {
            pull.check = Check::Runs { until };
        }
    }
}

/// A conflict that was found while merging: another body than all other errors (trap 12).
fn clash(style: &str, conflict: &Conflict) -> Response {
    let mut body = json!({
        "Style": style, "StdOut": format!("CONFLICT (content): Merge conflict in {}\n", conflict.path),
        "StdErr": "", "Err": {"Stderr": null},
    });
    if let Some(commit) = &conflict.commit {
        body["CommitSHA"] = json!(commit);
    }
    Response::json(409, &body)
}
