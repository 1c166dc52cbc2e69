//! What does a repository refuse, find again or leave alone, as the real ones do? The contracts of git and of the forge say
//! so to both.

use orch_core::artefact;
use orch_core::call::git::{Candidate, Protected};
use orch_core::call::{Failure, ForgeReply, GitReply};
use orch_core::id::{Commit, Digest, RunId, TaskId, WorkItem};
use orch_core::stage::Role;

use super::{Files, Oddly, Repository};
use crate::world::Run;

/// The name of the main branch.
pub const MAIN: &str = "main";

/// A change request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) branch: String,
    task: TaskId,
    pub(super) open: bool,
    merged: bool,
}

/// The protected path that a role may write: the tester's is one of the tests.
pub(super) fn protected_of(role: Role) -> Option<&'static str> {
    match role {
        Role::Developer => Some(super::green::TESTS),
        Role::Tester => Some("tests/CODEOWNERS"),
        Role::Analyst | Role::Architect | Role::Reviewer => None,
    }
}

/// What of the protected paths differs.
pub(super) fn protected_change(before: &Files, after: &Files) -> Option<Protected> {
    let changed = |path: &&str| before.get(*path) != after.get(*path);
    let paths: Vec<&str> = Role::ALL.into_iter().filter_map(protected_of).filter(changed).collect();
    let now: Vec<_> = paths.iter().map(|path| after.get(*path)).collect();
    let diff = Digest::of(format!("{now:?}").as_bytes());
    (!paths.is_empty())
        .then(|| Protected { diff, paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

/// What a run left: its commit, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct Left {
    head: Commit,
    role: Role,
    parent: Commit,
}

impl Repository {
    /// The answer to a wish for a branch whose name is not free; `None`: it is.
    pub(super) fn cut_before(&self, branch: &str, task: &TaskId) -> Result<Option<GitReply>, Failure> {
        if branch.contains("..") || branch.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Failure::permanent(format!("no branch can be called {branch}")));
        }
        let mark = self.marks.get(&(task.clone(), branch.to_owned()));
        Ok(match (mark, self.branches.get(branch)) {
            (Some(Some(first)), Some(now)) if first == now => {
                let base = self.parents(first).first().cloned().unwrap_or_else(|| self.main());
                Some(GitReply::BranchCut { branch: branch.to_owned(), head: first.clone(), base })
            }
            (None, None) if branch != MAIN => None,
            (Some(_) | None, Some(_) | None) => Some(GitReply::NameTaken),
        })
    }

    /// The files of an earlier round that go into the next one: numbers 00 to 10.
    pub(super) fn carry(&self, from: Option<&Commit>, item: &WorkItem, files: &mut Files) {
        let folder = format!("{}/", artefact::folder(item));
        let carried = |path: &str| {
            let number = path.strip_prefix(&folder).and_then(|name| name.get(..2));
            number.and_then(|number| number.parse::<u8>().ok()).is_some_and(|number| number <= 10)
        };
        let earlier = from.map(|commit| self.files(commit)).into_iter().flatten();
        files.extend(
            earlier.filter(|(path, _)| carried(path)).map(|(path, text)| (path.clone(), text.clone())),
        );
    }

    /// What was collected of a run before; a name that another run has counts for nothing.
    pub(super) fn left_by(&self, run: RunId, role: Role, parent: &Commit) -> Result<Option<Commit>, Failure> {
        match self.collected.get(&run) {
            None => Ok(None),
            Some(left) if left.role == role && left.parent == *parent => Ok(Some(left.head.clone())),
            Some(_) => {
                Err(Failure::permanent(format!("what is there of {run} is of another run of that name")))
            }
        }
    }

    /// A tree is read only where it is still there, and only as the tree of its commit.
    pub(super) fn has_tree(&self, id: RunId, run: Option<&Run>, parent: &Commit) -> Result<(), Failure> {
        match run {
            Some(run) if run.ended.is_none() => Err(Failure::permanent("the run still lives")),
            Some(run) if run.commit != *parent => {
                Err(Failure::permanent(format!("{id} worked on {}, not on {parent}", run.commit)))
            }
            Some(_) if !self.dropped.contains(&id) => Ok(()),
            Some(_) | None => Err(Failure::permanent(format!("the tree of {id} is gone; it cannot count"))),
        }
    }

    /// The change to protected paths since main, if there is one.
    pub(super) fn protected(&self, head: &Commit) -> Option<Protected> {
        protected_change(self.files(&self.base(head, &self.main())), self.files(head))
    }

    /// Whether the tree of a run was taken back.
    pub fn is_dropped(&self, run: RunId) -> bool {
        self.dropped.contains(&run)
    }

    /// Remembers what a run left.
    pub(super) fn leave(&mut self, run: RunId, role: Role, parent: &Commit, head: Commit) {
        self.collected.insert(run, Left { head, role, parent: parent.clone() });
    }

    /// Moves a task branch from the run's parent to its commit; where it stands instead, if somebody moved it.
    pub(super) fn advance(
        &mut self,
        branch: &str,
        parent: &Commit,
        head: &Commit,
    ) -> Result<Option<Commit>, Failure> {
        let current = self.there(branch)?;
        if current != *head && current != *parent {
            return Ok(Some(current));
        }
        self.branches.insert(branch.to_owned(), head.clone());
        Ok(None)
    }

    /// Where a branch stands; one that was deleted is not made again by who only adds to it.
    pub(super) fn there(&self, branch: &str) -> Result<Commit, Failure> {
        let gone = || Failure::permanent(format!("the branch {branch} is gone"));
        self.branches.get(branch).cloned().ok_or_else(gone)
    }

    /// The candidate that a head with main in it is already.
    pub(super) fn as_it_is(&self, head: &Commit, main: Commit, item: &WorkItem) -> Candidate {
        let (change, _) = self.change_of(head, item);
        Candidate { commit: head.clone(), tree: self.tree(head), main, change }
    }

    /// The change request that a task has for a branch.
    pub(super) fn change_for(&self, branch: &str, task: &TaskId) -> Option<u64> {
        let mine = |request: &Request| request.branch == branch && request.task == *task;
        self.changes.iter().find(|(_, request)| mine(request)).map(|(number, _)| *number)
    }

    /// Opens a change request, or finds the one that this task has for the branch.
    pub(super) fn open_change(&mut self, branch: &str, task: &TaskId) -> u64 {
        if let Some(number) = self.change_for(branch, task) {
            return number;
        }
        let number = self.changes.len() as u64 + 1;
        let request = Request { branch: branch.to_owned(), task: task.clone(), open: true, merged: false };
        self.changes.insert(number, request);
        self.writes += 1;
        number
    }

    /// Which task opened a change request.
    pub fn opener(&self, number: u64) -> Option<&TaskId> {
        self.changes.get(&number).map(|request| &request.task)
    }

    /// Closes a change request or opens it again; a merged one stays merged.
    pub(super) fn set_open(&mut self, number: u64, open: bool) {
        if let Some(request) = self.changes.get_mut(&number).filter(|request| !request.merged) {
            request.open = open;
        }
    }

    /// No branch, no change request: as forges have it.
    pub(super) fn close_all(&mut self, branch: &str) {
        for request in self.changes.values_mut().filter(|request| request.branch == branch && !request.merged)
        {
            request.open = false;
        }
    }

    /// Main has what it asked for.
    pub(super) fn set_merged(&mut self, number: u64) {
        if let Some(request) = self.changes.get_mut(&number) {
            (request.open, request.merged) = (false, true);
        }
    }

    /// Whether somebody closed it without a merge.
    pub(super) fn is_withdrawn(&self, number: u64) -> bool {
        self.changes.get(&number).is_some_and(|request| !request.open && !request.merged)
    }

    /// What a forge that errs makes of a candidate; `None`: nothing.
    pub(super) fn odd(&self, how: Oddly, candidate: &Commit, main: &Commit) -> Option<Files> {
        let asked = self.files(candidate);
        match how {
            Oddly::Nothing => None,
            Oddly::WithMore => {
                let mut files = asked.clone();
                files.insert("src/more".to_owned(), "by the forge".to_owned());
                Some(files)
            }
            Oddly::OnOldBase => {
                let old = self.main_was.iter().rev().find(|old| *old != main).unwrap_or(main);
                let now = self.files(main);
                let theirs = asked.iter().filter(|(path, content)| now.get(*path) != Some(*content));
                let mut files = self.files(old).clone();
                files.extend(theirs.map(|(path, content)| (path.clone(), content.clone())));
                Some(files)
            }
        }
    }

    /// Why a candidate cannot be merged into main as it is, if it cannot.
    pub(super) fn holds_merge(
        &mut self,
        number: u64,
        candidate: &Commit,
        expected: &Commit,
    ) -> Result<Option<ForgeReply>, Failure> {
        let now = self.main();
        if !self.changes.contains_key(&number) {
            return Err(Failure::permanent(format!("there is no change request {number}")));
        }
        if self.contains(&now, candidate) {
            self.set_merged(number);
            return Ok(Some(ForgeReply::Merged { commit: candidate.clone(), tree: self.tree(candidate) }));
        }
        if self.is_withdrawn(number) {
            return Ok(Some(ForgeReply::ChangeClosed));
        }
        if now != *expected {
            return Ok(Some(ForgeReply::MainMoved { main: now }));
        }
        if !self.contains(candidate, &now) {
            return Err(Failure::permanent(format!("{candidate} does not contain main")));
        }
        Ok(self.dirty.then(|| ForgeReply::CheckoutDirty {
            path: "/home/ann/work".to_owned(),
            branch: Some("main".to_owned()),
        }))
    }

    /// The parents of a commit.
    pub fn parents(&self, commit: &Commit) -> &[Commit] {
        self.objects.get(commit).map_or(&[], |object| &object.parents)
    }

    /// What gates said of a commit, by the names of the gates.
    pub fn verdicts<'a>(&'a self, commit: &'a Commit) -> impl Iterator<Item = (&'a str, bool)> {
        let said = self.statuses.iter().filter(move |((of, _), _)| of == commit);
        said.map(|((_, context), passed)| (context.as_str(), *passed))
    }
}
