//! Is a commit green? Statuses as rows, and what Gitea says of all of them together (facts/gitea.md section 5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Asks, Gitea, Release, Right, in_seconds, text, window};
use crate::http::wire::Response;

#[derive(Debug, Clone)]
pub(super) struct Status {
    /// The row's number on the whole server.
    row: u64,
    /// Its number on its commit.
    pub(super) index: u64,
    pub(super) sha: String,
    pub(super) state: String,
    pub(super) context: String,
    pub(super) description: String,
    pub(super) target: String,
    pub(super) by: String,
    pub(super) at: i64,
}

impl Gitea {
    /// A full sha from a sha, the beginning of one, or a branch.
    pub(super) fn resolve(&self, at: usize, name: &str) -> Option<String> {
        let git = &self.repos[at].git;
        let digits = name.len() >= 7 && name.chars().all(|one| one.is_ascii_hexdigit());
        git.tip(name).or_else(|| git.commit(name).map(|commit| commit.sha)).or_else(|| {
            let tips = git.branches().into_iter().filter_map(|branch| git.tip(&branch));
            let all = tips.flat_map(|tip| git.log(&tip));
            all.map(|commit| commit.sha).find(|sha| digits && sha.starts_with(name))
        })
    }

    /// The newest row of each context, in the order in which the contexts came.
    pub(super) fn latest(&self, at: usize, sha: &str) -> Vec<&Status> {
        let mut newest: BTreeMap<&str, &Status> = BTreeMap::new();
        for status in self.repos[at].statuses.iter().filter(|status| status.sha == sha) {
            newest.insert(&status.context, status);
        }
        let mut latest: Vec<&Status> = newest.into_values().collect();
        latest.sort_by_key(|status| status.index);
        latest
    }

    pub(super) fn on_statuses(&mut self, asks: &Asks, name: &str) -> Answer {
        if asks.method() == "GET" {
            let sha = self.resolve(asks.at, name).unwrap_or_default();
            let wanted = asks.request.asks("state").filter(|state| !state.is_empty());
            // Newest first by whole seconds.
            let mut rows: Vec<&Status> = self.repos[asks.at].statuses.iter().collect();
            rows.retain(|row| row.sha == sha && wanted.is_none_or(|state| row.state == state));
            rows.sort_by_key(|row| std::cmp::Reverse(in_seconds(row.at)));
            let shown = rows.into_iter().map(|row| self.show_status(asks.at, row)).collect();
            return Ok(self.page(asks.request, shown));
        }
        if asks.right < Right::Write {
            return Err(self.refuse(403, "user should have a permission to write to a repo"));
        }
        let Some(sha) = self.resolve(asks.at, name) else {
            let words = format!("GetCommit[{name}]: object does not exist [id: {name}, rel_path: ]");
            return Err(self.refuse(500, &words));
        };
        let body = asks.request.value().map_err(|_| self.refuse(422, "[]: invalid JSON"))?;
        let field = |key: &str| text(&body, key).unwrap_or_default().to_owned();
        let of_sha = self.repos[asks.at].statuses.iter().filter(|status| status.sha == sha);
        let status = Status {
            index: of_sha.count() as u64 + 1,
            row: self.next("status"),
            // Trap 6: whatever was sent.
            state: field("state"),
            context: field("context"),
            description: field("description"),
            target: field("target_url"),
            by: asks.user.clone(),
            at: self.now(),
            sha: sha.clone(),
        };
        let shown = self.show_status(asks.at, &status);
        if self.release >= Release::R1_26 {
            self.tell_status(asks, &status);
        }
        self.repos[asks.at].statuses.push(status);
        self.merge_scheduled(asks.at, &sha);
        Ok(Response::json(201, &shown))
    }

    /// Section 9, status: only newer servers post it.
    fn tell_status(&mut self, asks: &Asks, status: &Status) {
        let commit = self.repos[asks.at].git.commit(&status.sha);
        let commit = commit.map(|commit| self.show_push_commit(asks.at, &commit, false));
        let mut payload = self.show_status(asks.at, status);
        payload["id"] = json!(status.row);
        payload["state"] = json!(status.state);
        payload["sha"] = json!(status.sha);
        payload["commit"] = commit.unwrap_or_default();
        if let Some(payload) = payload.as_object_mut() {
            payload.retain(|key, _| !["status", "url", "creator"].contains(&key.as_str()));
        }
        self.notify(asks.at, "status", None, 300, &asks.user, payload);
    }

    /// All contexts of a page together: state and count are of that page alone (section 5); `""` is no success (trap 5).
    pub(super) fn combined(&self, asks: &Asks, name: &str) -> Answer {
        let Some(sha) = self.resolve(asks.at, name) else {
            return match self.release {
                Release::R1_22 => Ok(Response::json(200, &Self::nothing())),
                Release::R1_26 => Err(self.missing(Value::Null)),
            };
        };
        let latest = self.latest(asks.at, &sha);
        let (from, limit, _) = window(asks.request);
        let shown: Vec<&Status> = latest.iter().skip(from).take(limit).copied().collect();
        if shown.is_empty() {
            let mut none = Self::nothing();
            if self.release >= Release::R1_26 {
                (none["state"], none["sha"]) = (json!("pending"), json!(sha));
            }
            return Ok(Response::json(200, &none));
        }
        let states: Vec<&str> = shown.iter().map(|status| status.state.as_str()).collect();
        let rows: Vec<Value> = shown.iter().map(|status| self.show_status(asks.at, status)).collect();
        let body = json!({
            "state": self.together(&states), "sha": sha, "total_count": shown.len(), "statuses": rows,
            "repository": self.show_repo(asks.at, asks.right), "commit_url": "", "url": "",
        });
        Ok(Response::json(200, &body).with("X-Total-Count", &latest.len().to_string()))
    }

    fn nothing() -> Value {
        json!({
            "state": "", "sha": "", "total_count": 0, "statuses": null, "repository": null, "commit_url": "",
            "url": "",
        })
    }

    /// The table of section 5.
    fn together(&self, states: &[&str]) -> &'static str {
        let has = |wanted: &str| states.contains(&wanted);
        let newer = self.release >= Release::R1_26;
        match () {
            () if has("error") || has("failure") || (newer && has("warning")) => "failure",
            () if has("warning") => "warning",
            () if has("pending") => "pending",
            () => "success",
        }
    }
}
