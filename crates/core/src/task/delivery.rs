//! What is known of a task's way out: its merge and its deploy?

use serde::{Deserialize, Serialize};

use crate::id::{Commit, Tree};
use crate::task::{Ask, Step, Task};
use crate::time::Moment;

/// A merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The commit on main.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
    /// When.
    pub at: Moment,
    /// Whether it is proven (decision 19).
    pub proven: bool,
    /// The change request.
    pub change_request: Option<u64>,
    /// The task branch that it took in, and its head: a stop in a later round deletes that one too (row 146).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<(String, Commit)>,
}

impl Merged {
    /// The task's own work: who merged by hand may have taken in less of it than was approved by then.
    pub(crate) fn work(&self) -> &Commit {
        self.branch.as_ref().map_or(&self.commit, |(_, head)| head)
    }
}

/// A deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// Which commit.
    pub commit: Commit,
    /// The hook's exit code, if there is one.
    pub hook: Option<i32>,
    /// Whether the service named the commit and is well; `None`: it could not be asked (decision 64).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// Who looked where no service could be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<String>,
    /// With which later deploy it went out, that came out well before its own turn (decision 75).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Commit>,
    /// When it was decided.
    pub at: Moment,
}

impl Deployed {
    /// Whether the commit is out: the service says so, or somebody who looked, or it went with another that is.
    pub fn is_out(&self) -> bool {
        self.healthy.unwrap_or(self.seen_by.is_some() || self.with.is_some())
    }
}

impl Task {
    /// Whether what nobody can undo is under way, from the merge's request to the deploy's verdict; no lane alone (row 150, I-27).
    pub fn is_critical(&self) -> bool {
        // What was proven before is looked at once more, and nothing runs (decision 75).
        let proven = self.merged.as_ref().is_some_and(|merged| merged.proven);
        if proven && self.open_question() == Some(&Ask::Prove) {
            return false;
        }
        let merging = matches!(self.open_question(), Some(Ask::Merge | Ask::Prove));
        let untold = self.merge_untold && !self.stage.is_terminal();
        // What is watched is out already: a stop ends the watch at once (decision 69).
        let delivering = self.merged.is_some()
            && !self.stage.is_terminal()
            && self.escalated.is_none()
            && !self.is_watched();
        merging || untold || (delivering && !matches!(self.step, Step::Rest(_) | Step::Queued(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a deploy of an older journal loads, and that it is written as it was.
    #[test]
    fn older_deploys_load() {
        let old = r#"{"commit":"0123456789abcdef","hook":0,"healthy":true,"at":7}"#;
        let deployed: Deployed = serde_json::from_str(old).unwrap();
        assert!(deployed.is_out() && deployed.healthy == Some(true));
        assert_eq!(serde_json::to_string(&deployed).unwrap(), old);
    }
}
