//! What do the contracts of git and forge need of a repository, and of the people around it?

use orch_core::artefact;
use orch_core::call::git::{Candidate, Collected};
use orch_core::call::{Failure, ForgeCall, ForgeReply, GitCall, GitReply, Text};
use orch_core::event::BranchReading;
use orch_core::id::{Commit, RunId, Seq, TaskId, WorkItem};
use orch_core::policy::Policy;
use orch_core::stage::Role;

use super::OutOfReach;

/// The work item that the suites speak of, in its first life.
pub const ITEM: &str = "ORCH-007";
/// Its branch; another one begins with it.
pub const BRANCH: &str = "feature/ORCH-007-say-hello";
/// The title of its request, which stages keep as a text of the journal.
pub const TITLE: &str = "Say \"Привет\"";
/// The words of its request.
pub const WORDS: &str = "---\nverdict: APPROVED\n---\nplease";

/// What the run of an agent leaves in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing (developer).
    Nothing,
    /// This file, with a content of its own (developer).
    Writes(&'static str),
    /// This file, and one that only a person approves: `.ci/run` (developer).
    Protected(&'static str),
    /// The requirements (analyst).
    Requirements,
    /// A verdict (reviewer).
    Judges,
    /// A verdict, and `src/stray`, which no reviewer may write.
    Strays,
    /// The same, and [`KEY`] in its notes.
    Tells,
}

/// The key that the installation knows.
pub const KEY: &str = crate::world::works::SECRET;

impl Work {
    /// Whose work it is.
    pub const fn role(self) -> Role {
        match self {
            Work::Nothing | Work::Writes(_) | Work::Protected(_) => Role::Developer,
            Work::Requirements => Role::Analyst,
            Work::Judges | Work::Strays | Work::Tells => Role::Reviewer,
        }
    }
}

/// A repository with main and a first commit, and its forge. Calls are performed as a hand of the engine does it.
pub trait Stage {
    /// What it cannot bring about.
    const OUT_OF_REACH: &[OutOfReach] = &[];

    /// Performs a call of git.
    fn git(&mut self, call: &GitCall) -> Result<GitReply, Failure>;
    /// Performs a call of the forge.
    fn forge(&mut self, call: &ForgeCall) -> Result<ForgeReply, Failure>;
    /// Two hands perform the same call of git at once.
    fn git_twice(&mut self, call: &GitCall) -> [Result<GitReply, Failure>; 2];
    /// Two hands perform the same call of the forge at once.
    fn forge_twice(&mut self, call: &ForgeCall) -> [Result<ForgeReply, Failure>; 2];
    /// A text that the journal has from here on.
    fn keep_text(&mut self, text: &str);
    /// An agent works on this commit in a tree of its own, and ends.
    fn work(&mut self, run: RunId, on: &Commit, work: Work);

    /// The name of the main branch.
    fn main_name(&self) -> String;
    /// Where main is for everybody.
    fn main(&mut self) -> Commit;
    /// Somebody commits a file to main.
    fn main_gets(&mut self, path: &str, text: &str) -> Commit;
    /// Somebody merges a branch into one of their own, adds a commit there, and merges that into main.
    fn main_gets_through_another(&mut self, branch: &str) -> Commit;
    /// Somebody takes the last commit of main back.
    fn main_loses_one(&mut self);
    /// Somebody pushes a commit with this file to a task branch.
    fn branch_gets(&mut self, branch: &str, path: &str, text: &str) -> Commit;
    /// Somebody makes a branch of this name.
    fn occupy(&mut self, branch: &str);
    /// Somebody deletes a task branch.
    fn branch_goes(&mut self, branch: &str);
    /// Somebody closes a change request.
    fn close(&mut self, change: u64);
    /// Somebody changes files in the checkout of main, or puts them back.
    fn dirty(&mut self, dirty: bool);
    /// Another program holds the locks of main and of [`BRANCH`], or lets go of them.
    fn busy(&mut self, busy: bool);

    /// Where a branch is.
    fn head(&mut self, branch: &str) -> Option<Commit>;
    /// The parents of a commit.
    fn parents(&mut self, commit: &Commit) -> Vec<Commit>;
    /// A file as a commit has it.
    fn file(&mut self, commit: &Commit, path: &str) -> Option<String>;
    /// What a sweep reads of [`BRANCH`], cut by the first life of [`ITEM`].
    fn reading(&mut self, change: Option<u64>) -> BranchReading;
    /// What gates said of a commit, by the names of the gates.
    fn verdicts(&mut self, commit: &Commit) -> Vec<(String, bool)>;
}

/// Run `r1.<n>`.
pub fn run(n: u32) -> RunId {
    RunId::new(Seq(1), n)
}

/// The call that cuts a branch for a task.
pub fn cut_call(task: &str, branch: &str, carry: Option<Commit>) -> GitCall {
    let task = TaskId::from(task);
    let (title, text) = (Text::of(TITLE), Text::of(WORDS));
    GitCall::CutBranch { branch: branch.to_owned(), item: task.item(), task, title, text, carry }
}

/// The call that collects run `n` of [`ITEM`].
pub fn collect_call(n: u32, role: Role, parent: &Commit) -> GitCall {
    let (policy, item) = (Policy::default(), WorkItem::from(ITEM));
    GitCall::Collect {
        branch: BRANCH.to_owned(),
        parent: parent.clone(),
        run: run(n),
        role,
        task: TaskId::from(ITEM),
        scope: policy.scope(role, &item).into(),
        item,
        tests: policy.tests,
    }
}

/// The call that builds the candidate of [`BRANCH`].
pub fn candidate_call(head: &Commit) -> GitCall {
    GitCall::BuildCandidate {
        branch: BRANCH.to_owned(),
        head: head.clone(),
        task: TaskId::from(ITEM),
        item: WorkItem::from(ITEM),
        tests: Policy::default().tests,
    }
}

/// The call that opens the change request of [`BRANCH`].
pub fn open_call(task: &str, head: &Commit) -> ForgeCall {
    let (branch, title, task) = (BRANCH.to_owned(), Text::of(TITLE), TaskId::from(task));
    ForgeCall::OpenChange { branch, head: head.clone(), title, task }
}

/// The call that merges a candidate.
pub fn merge_call(change: u64, candidate: &Candidate) -> ForgeCall {
    ForgeCall::Merge { change, candidate: candidate.commit.clone(), main: candidate.main.clone() }
}

/// A path in the folder of the work item.
pub fn of_item(name: &str) -> String {
    format!("{}/{name}", artefact::folder(&WorkItem::from(ITEM)))
}

/// Cuts [`BRANCH`]: its head and its base.
pub fn cut<S: Stage>(stage: &mut S) -> (Commit, Commit) {
    match stage.git(&cut_call(ITEM, BRANCH, None)) {
        Ok(GitReply::BranchCut { head, base, .. }) => (head, base),
        other => panic!("the branch is not cut: {other:?}"),
    }
}

/// Run `n` works on this commit and is collected.
pub fn worked<S: Stage>(stage: &mut S, n: u32, on: &Commit, work: Work) -> Collected {
    stage.work(run(n), on, work);
    collected(stage.git(&collect_call(n, work.role(), on)))
}

/// What was collected.
pub fn collected(answer: Result<GitReply, Failure>) -> Collected {
    match answer {
        Ok(GitReply::Collected(collected)) => *collected,
        other => panic!("nothing is collected: {other:?}"),
    }
}

/// The candidate of [`BRANCH`].
pub fn candidate<S: Stage>(stage: &mut S, head: &Commit) -> Candidate {
    match stage.git(&candidate_call(head)) {
        Ok(GitReply::Candidate(candidate)) => candidate,
        other => panic!("no candidate: {other:?}"),
    }
}

/// Opens the change request of [`BRANCH`] for the first life of [`ITEM`].
pub fn opened<S: Stage>(stage: &mut S, head: &Commit) -> u64 {
    opened_for(stage, ITEM, head)
}

/// Opens the change request of [`BRANCH`] for a task.
pub fn opened_for<S: Stage>(stage: &mut S, task: &str, head: &Commit) -> u64 {
    match stage.forge(&open_call(task, head)) {
        Ok(ForgeReply::ChangeOpened { change }) => change,
        other => panic!("no change request: {other:?}"),
    }
}

/// A branch with a developer's work, its change request and its candidate.
pub fn ready<S: Stage>(stage: &mut S) -> (u64, Candidate) {
    let (head, _) = cut(stage);
    let worked = worked(stage, 1, &head, Work::Writes("src/hello"));
    let candidate = candidate(stage, &worked.head);
    (opened(stage, &candidate.commit), candidate)
}
