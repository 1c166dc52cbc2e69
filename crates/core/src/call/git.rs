//! What may be asked of git, and what does it answer? The adapter works on the bare hub alone (decisions 32, 35).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::artefact::Artefact;
use crate::event::InMain;
use crate::id::{Commit, Digest, RunId, TaskId, Tree, WorkItem};
use crate::record::Record;
use crate::stage::Role;
use crate::undone::Undone;

/// Which paths a role may write, and which need a person (decision 8). Data, so that the rule lives in `core`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Globs of what the role may write.
    pub allowed: Vec<String>,
    /// Globs of what it may not write although `allowed` covers it.
    pub denied: Vec<String>,
    /// Globs of what is kept but holds the task until a person approves exactly that diff.
    pub protected: Vec<String>,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GitCall {
    /// Cut the task branch from a fresh main, with one commit that adds `00-business-request.md` (rows 124, 144).
    CutBranch {
        /// The branch; a branch of that name with another task's commit is answered with `NameTaken`.
        branch: String,
        /// Whose.
        task: TaskId,
        /// The work item, for the folder of its artefacts.
        item: WorkItem,
        /// The title.
        title: Text,
        /// The description.
        text: Text,
        /// Carry the artefacts 00-10 of an earlier round over from this commit (decision 41).
        carry: Option<Commit>,
    },
    /// Make one commit from the tree that a run left, undo what is outside its scope, push the task branch with lease,
    /// and read the artefacts (decisions 8, 32; row 166).
    Collect {
        /// The task branch.
        branch: String,
        /// The commit that the run started from, the new commit's parent.
        parent: Commit,
        /// The run.
        run: RunId,
        /// Its role, the commit's author.
        role: Role,
        /// Whose.
        task: TaskId,
        /// The work item.
        item: WorkItem,
        /// What the role may write.
        scope: Arc<Scope>,
        /// The policy's `tests` globs: not part of the change's digest (decision 40).
        tests: Vec<String>,
    },
    /// Merge main into the branch's head on the hub and push the result to the task branch (decision 35). Main may have the
    /// branch already: then it is told so.
    BuildCandidate {
        /// The task branch.
        branch: String,
        /// Its head.
        head: Commit,
        /// Whose.
        task: TaskId,
        /// The work item.
        item: WorkItem,
        /// The policy's `tests` globs.
        tests: Vec<String>,
    },
    /// Prove a merge: what is main now, is the commit its ancestor, which tree has it (decision 19)? And is it out
    /// already, with what others deployed (decision 75)?
    Prove {
        /// The merged commit.
        commit: Commit,
        /// What is deployed, where that matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deployed: Option<Commit>,
    },
    /// Write a record of Orch's own to the branch `orch/records`, here and at the origin, as a commit on top of what is
    /// there; one that stands there already is found (decision 18). Never waited for by the task.
    WriteRecord {
        /// Which: file and author.
        record: Record,
        /// The work item, for the folder.
        item: WorkItem,
        /// The text.
        text: Text,
        /// The run that it tells of, for the subject (row 166).
        run: Option<RunId>,
    },
    /// Remove a run's tree. Never waited for by the task.
    DropTree {
        /// The run.
        run: RunId,
    },
}

/// What a run left behind, as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// The commit on the task branch now: the parent if the run changed nothing that counts.
    pub head: Commit,
    /// Its tree.
    pub tree: Tree,
    /// The change (decision 40): digest of the diff from the merge base, without artefacts and tests.
    pub change: Digest,
    /// Whether nothing but artefacts differs: a change of tests alone is none of the digest, and a change all the same.
    pub empty: bool,
    /// The artefacts on the branch, read by the contract; `fresh` says which this run wrote.
    pub artefacts: Arc<[Artefact]>,
    /// Writes outside the scope, undone, and other findings (gitlinks, links that leave the tree).
    pub outside: Vec<Undone>,
    /// Changes to protected paths since main, if there are any.
    pub protected: Option<Protected>,
}

/// A change to protected paths: a person approves exactly this diff (decision 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Digest of the diff of those paths.
    pub diff: Digest,
    /// The paths, at most fifty.
    pub paths: Vec<String>,
}

/// A candidate: the task's head merged with current main (decision 40).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The commit that will be merged.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
    /// The main it contains.
    pub main: Commit,
    /// The change it carries.
    pub change: Digest,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GitReply {
    /// The branch stands.
    BranchCut {
        /// Its name.
        branch: String,
        /// Its head.
        head: Commit,
        /// The main it was cut from.
        base: Commit,
    },
    /// Another task owns a branch of that name.
    NameTaken,
    /// The run is collected.
    Collected(Box<Collected>),
    /// Someone pushed to the task branch meanwhile; nothing was overwritten (decision 45).
    BranchMoved {
        /// The head it has.
        head: Commit,
    },
    /// The candidate stands on the task branch.
    Candidate(Candidate),
    /// Main has the branch as it stands: there is nothing to build. A hand that came late merged it, or people did.
    InMain(InMain),
    /// Main and the change contradict each other.
    Conflict {
        /// In these files, at most fifty.
        paths: Vec<String>,
        /// What the task branch stands at: the two merged, both sides of each contradiction between marks in its file. Who
        /// goes on from here resolves it, and main is an ancestor. `None` in journals older than that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<Commit>,
    },
    /// What main says of a merge.
    Proof(Proof),
    /// The record stands on its branch.
    RecordWritten {
        /// At this commit or below it.
        commit: Commit,
    },
    /// The tree is gone.
    TreeDropped,
}

/// What main says of a merge (decision 19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Where main is.
    pub main: Commit,
    /// Whether the merged commit is main or an ancestor of it.
    pub ancestor: bool,
    /// The tree of the merged commit.
    pub tree: Tree,
    /// Whether what is deployed contains the merged commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken_along: bool,
}
