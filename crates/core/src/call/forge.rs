//! What may be asked of a forge, and what does it answer?

use serde::{Deserialize, Serialize};

use super::Text;
use crate::id::{Commit, TaskId, Tree};

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForgeCall {
    /// Open the change request of a branch into main, or find it: one a branch.
    OpenChange {
        /// The task branch.
        branch: String,
        /// Its head.
        head: Commit,
        /// The title.
        title: Text,
        /// Whose.
        task: TaskId,
    },
    /// Say a gate's verdict on a commit.
    SetCommitStatus {
        /// The commit.
        commit: Commit,
        /// The gate's name.
        context: String,
        /// Whether it passed.
        passed: bool,
    },
    /// Move main to the tested commit, once, if main still is where it was tested (decisions 19, 35).
    Merge {
        /// The change request.
        change: u64,
        /// The tested candidate.
        candidate: Commit,
        /// Where main stood when the candidate was built.
        main: Commit,
    },
    /// Close the change request of a cancelled or superseded round.
    CloseChange {
        /// The change request.
        change: u64,
    },
    /// Bring back what somebody took away: the branch where it is missing, the change request where it was closed.
    Restore {
        /// The task branch.
        branch: String,
        /// Its last known head.
        head: Commit,
        /// The change request, if there is one.
        change: Option<u64>,
    },
    /// Delete a task branch, for good: nothing is opened for it or brought back after that, and what was open of it is closed.
    /// The last head is kept in a hidden ref.
    DeleteBranch {
        /// The task branch; never main.
        branch: String,
        /// Its head as last known: a branch that somebody else moved since is left alone.
        head: Commit,
    },
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForgeReply {
    /// The change request is open.
    ChangeOpened {
        /// Its number.
        change: u64,
    },
    /// The status is said.
    CommitStatusSet,
    /// Main is the candidate.
    Merged {
        /// The commit on main.
        commit: Commit,
        /// Its tree.
        tree: Tree,
    },
    /// Main moved before the merge: nothing happened.
    MainMoved {
        /// Where it is now.
        main: Commit,
    },
    /// The person's checkout of main has changes: nothing happened (decision 43).
    CheckoutDirty {
        /// Where.
        path: String,
        /// The branch that is checked out there and was to follow; `None` in rows that are older than this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// The change request is closed; a merge of it did not happen.
    ChangeClosed,
    /// Branch and change request are there.
    Restored,
    /// The branch is gone.
    BranchDeleted,
    /// The branch has another head than expected: left alone.
    BranchMoved {
        /// The head it has.
        head: Commit,
    },
}
