//! A repository and its forge as plain state: commits with whole trees, branches, change requests, merges.

mod rules;
mod work;
mod green;

use std::collections::{BTreeMap, BTreeSet};

use orch_core::artefact::{self, Artefact};
use orch_core::call::git::{Collected, Proof};
use orch_core::call::{Failure, ForgeCall, ForgeReply, GitCall, GitReply, Text};
use orch_core::event::{BranchReading, InMain};
use orch_core::id::{Commit, Digest, RunId, TaskId, Tree, WorkItem};
use orch_core::record::{self, Record};

pub use rules::MAIN;
use rules::{Left, Request};

use super::Run;
use super::works::Works;

type Files = BTreeMap<String, String>;

/// Begins a file in which both sides of a contradiction stand.
const MARK: &str = "<<<<<<< ";

#[derive(Debug, Clone)]
struct Object {
    files: Files,
    tree: Tree,
    parents: Vec<Commit>,
    /// Higher than that of every commit it contains.
    height: u32,
}

/// How somebody merges a branch by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// Main moves to it where it can, else a merge.
    Plainly,
    /// As one new commit with the same content.
    Squashed,
    /// With something besides that no gate saw.
    WithMore,
    /// Into a branch of their own, which gets another commit and is merged then.
    Through,
}

/// What a forge that says it merged has done instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddly {
    /// Nothing: main stays where it was, and the change request is shown as merged.
    Nothing,
    /// Something besides.
    WithMore,
    /// The change on top of an older main: what main got last is gone.
    OnOldBase,
}

/// A repository.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    objects: BTreeMap<Commit, Object>,
    branches: BTreeMap<String, Commit>,
    /// Which task cut which branch.
    pub cut: BTreeMap<String, String>,
    /// The first commit of each branch that a task cut, or `None` where its name was taken; it stays when the branch goes.
    marks: BTreeMap<(TaskId, String), Option<Commit>>,
    collected: BTreeMap<RunId, Left>,
    dropped: BTreeSet<RunId>,
    changes: BTreeMap<u64, Request>,
    statuses: BTreeMap<(Commit, String), bool>,
    /// Whether somebody's checkout of main has changes.
    pub dirty: bool,
    /// Every commit that main was, oldest first.
    pub main_was: Vec<Commit>,
    /// Trees on which the tests ran and were green.
    pub tested: BTreeSet<Tree>,
    writes: usize,
    /// Texts that answers name and that go with them.
    pub(super) texts: Vec<String>,
    /// Texts of the journal that calls name: what a hand reads before it performs one.
    pub(crate) kept: BTreeMap<Digest, String>,
    /// Each commit of the branch of records: path and text.
    pub records: Vec<(String, Digest)>,
    /// What the forge makes of the next merge instead of what it was asked for.
    pub merges_oddly: Option<Oddly>,
    /// Whether the origin takes no branch of records.
    pub refuses_records: bool,
    /// Branches that somebody deleted where they were published.
    gone: BTreeSet<String>,
    /// What Orch deleted, and where it last saw it: nobody brings that back.
    deleted: BTreeSet<(String, Commit)>,
    /// What Orch itself put on branches: commits of runs, and candidates.
    ours: BTreeSet<Commit>,
    /// The first commit of each branch that was cut.
    first: BTreeMap<String, Commit>,
    /// How often a branch was cut, by name.
    pub cuts: BTreeMap<String, u32>,
    /// Branches of tasks to which somebody else pushed: what is theirs is not deleted.
    pub pushed: BTreeSet<String>,
    /// Whether somebody took from main what was on it.
    pub rewritten: bool,
}

impl Repository {
    /// A repository with a first commit on main.
    pub fn begin(&mut self) {
        let files = Files::from([("src/main".to_owned(), "first".to_owned())]);
        let commit = self.put(files, Vec::new());
        self.main_was.push(commit);
    }

    /// Somebody else pushes to main.
    pub fn push_main(&mut self, path: &str, content: &str) {
        let main = self.main();
        let mut files = self.files(&main).clone();
        files.insert(path.to_owned(), content.to_owned());
        let commit = self.put(files, vec![main]);
        self.main_was.push(commit);
    }

    /// Somebody rewrites main: its first commit again, with something else in it.
    pub fn rewrite_main(&mut self) {
        self.rewritten = true;
        let files = Files::from([("src/main".to_owned(), "rewritten".to_owned())]);
        let commit = self.put(files, Vec::new());
        self.main_was.push(commit);
    }

    /// Somebody takes main's last commit back.
    pub fn take_back(&mut self) {
        self.rewritten = true;
        let before = self.main_was.len().checked_sub(2).and_then(|at| self.main_was.get(at)).cloned();
        self.main_was.extend(before);
    }

    /// Somebody pushes a commit of their own to a task branch.
    pub fn push_branch(&mut self, branch: &str, path: &str, content: &str) {
        let Some(head) = self.branches.get(branch).cloned() else { return };
        let mut files = self.files(&head).clone();
        files.insert(path.to_owned(), content.to_owned());
        let commit = self.put(files, vec![head]);
        self.branches.insert(branch.to_owned(), commit);
        self.pushed.insert(branch.to_owned());
    }

    /// Somebody merges a task branch into main with their own hands, as one commit of their own if they squash it.
    pub fn merge_by_hand(&mut self, branch: &str, how: ByHand) {
        let Some(head) = self.branches.get(branch).cloned() else { return };
        let main = self.main();
        let base = self.base(&head, &main);
        let (old, theirs) = (self.files(&base), self.files(&head));
        let mut files = self.files(&main).clone();
        for (path, content) in theirs {
            if old.get(path) != Some(content) {
                files.insert(path.clone(), content.clone());
            }
        }
        if matches!(how, ByHand::WithMore | ByHand::Through) {
            files.insert("src/more".to_owned(), "by ann".to_owned());
        }
        let commit = match how {
            ByHand::Squashed => self.put(files, vec![main]),
            ByHand::Plainly if base == main => head,
            ByHand::Plainly | ByHand::WithMore => self.put(files, vec![main, head]),
            ByHand::Through => {
                let mut through = self.files(&head).clone();
                through.insert("src/more".to_owned(), "by ann".to_owned());
                let through = self.put(through, vec![head]);
                self.put(files, vec![main, through])
            }
        };
        self.main_was.push(commit);
    }

    /// Somebody puts a commit into main that is not in it: as it is, or joined with what main got since.
    pub fn put_into_main(&mut self, commit: &Commit) {
        let main = self.main();
        if !self.objects.contains_key(commit) || self.contains(&main, commit) {
            return;
        }
        let joined = if self.contains(commit, &main) {
            commit.clone()
        } else {
            let (mut files, conflicts) = self.merged(commit, &main);
            // Where both contradict each other, what is put there wins.
            for path in conflicts {
                match self.files(commit).get(&path) {
                    Some(content) => files.insert(path, content.clone()),
                    None => files.remove(&path),
                };
            }
            self.put(files, vec![main, commit.clone()])
        };
        self.main_was.push(joined);
    }

    /// Somebody deletes a task branch where it is published: Orch's own copy stays.
    pub fn delete_branch(&mut self, branch: &str) {
        self.gone.insert(branch.to_owned());
    }

    /// Somebody closes a change request.
    pub fn close_change(&mut self, number: u64) {
        self.set_open(number, false);
    }

    /// What people did with a branch, as a sweep reads it.
    pub fn read_branch(&self, branch: &str, change: Option<u64>) -> BranchReading {
        let main = self.main();
        let head = self.branches.get(branch);
        // Main has the branch if it has its first commit; what it has of it is where the rest of the branch begins.
        let first = self.first.get(branch).filter(|first| self.contains(&main, first));
        let had =
            first.map(|first| head.map_or_else(|| vec![first.clone()], |head| self.begins(head, first)));
        // Squashed, it has the tree of one that the branch was: of the newest of those.
        let mut was: Vec<Tree> = Vec::new();
        let mut left: Vec<&Commit> = head.filter(|_| had.is_none()).into_iter().collect();
        while let Some(commit) = left.pop().filter(|commit| self.first.get(branch) != Some(*commit)) {
            was.push(self.tree(commit));
            left.extend(self.parents(commit).iter().filter(|parent| !self.contains(&main, parent)));
        }
        let squashed = was.into_iter().find(|tree| {
            self.main_was.iter().any(|commit| self.tree(commit) == *tree && self.contains(&main, commit))
        });
        let in_main = self.brought_by(|commit| match &had {
            Some(had) => had.iter().any(|had| self.contains(commit, had)),
            None => squashed.as_ref().is_some_and(|tree| self.tree(commit) == *tree),
        });
        BranchReading {
            branch: branch.to_owned(),
            there: head.is_some() && !self.gone.contains(branch),
            open: change.is_none_or(|number| !self.is_withdrawn(number)),
            in_main,
        }
    }

    /// The commits of main on which what main lacks of a branch was made, itself if it lacks nothing; of those that
    /// have its first commit: what else it was made on is main as the branch took it in.
    fn begins(&self, head: &Commit, first: &Commit) -> Vec<Commit> {
        let main = self.main();
        let (mut begins, mut left, mut seen) = (Vec::new(), vec![head.clone()], BTreeSet::new());
        while let Some(commit) = left.pop() {
            if self.contains(&main, &commit) {
                begins.push(commit);
            } else if seen.insert(commit.clone()) {
                left.extend(self.parents(&commit).iter().cloned());
            }
        }
        begins.retain(|commit| self.contains(commit, first));
        // Somebody put the branch elsewhere.
        if begins.is_empty() {
            begins.push(first.clone());
        }
        begins
    }

    /// The oldest commit of main that brought it, of those that main still contains.
    fn brought_by(&self, brought: impl Fn(&Commit) -> bool) -> Option<InMain> {
        let main = self.main();
        let by = self.main_was.iter().find(|commit| brought(commit) && self.contains(&main, commit))?;
        Some(InMain { tree: self.tree(by), commit: by.clone() })
    }

    /// Somebody else has a branch of this name.
    pub fn occupy(&mut self, branch: &str) {
        let main = self.main();
        self.branches.insert(branch.to_owned(), main);
    }

    /// The branches there are.
    pub fn branches(&self) -> impl Iterator<Item = (&str, &Commit)> {
        self.branches.iter().map(|(name, head)| (name.as_str(), head))
    }

    /// Where main is.
    pub fn main(&self) -> Commit {
        self.main_was.last().cloned().unwrap_or_else(|| Commit::from("none"))
    }

    pub(super) fn writes(&self) -> usize {
        self.writes
    }

    fn put(&mut self, files: Files, parents: Vec<Commit>) -> Commit {
        let tree = tree_of(&files);
        let text = format!("{tree:?}{parents:?}");
        let commit = Commit::from(&Digest::of(text.as_bytes()).0[..40]);
        if !self.objects.contains_key(&commit) {
            let height = parents.iter().map(|parent| self.height(parent) + 1).max().unwrap_or(0);
            self.objects.insert(commit.clone(), Object { files, tree, parents, height });
            self.writes += 1;
        }
        commit
    }

    fn height(&self, commit: &Commit) -> u32 {
        self.objects.get(commit).map_or(0, |object| object.height)
    }

    fn files(&self, commit: &Commit) -> &Files {
        static NONE: Files = Files::new();
        self.objects.get(commit).map_or(&NONE, |object| &object.files)
    }

    /// The tree of a commit.
    pub fn tree(&self, commit: &Commit) -> Tree {
        self.objects.get(commit).map_or_else(|| tree_of(&Files::new()), |object| object.tree.clone())
    }

    /// Whether one commit contains another.
    pub fn contains(&self, descendant: &Commit, ancestor: &Commit) -> bool {
        let least = self.height(ancestor);
        let mut queue = vec![descendant];
        let mut seen = BTreeSet::new();
        while let Some(commit) = queue.pop() {
            if commit == ancestor {
                return true;
            }
            if let Some(object) = self.objects.get(commit)
                && object.height > least
                && seen.insert(commit)
            {
                queue.extend(&object.parents);
            }
        }
        false
    }

    /// The newest commit that both contain.
    fn base(&self, a: &Commit, main: &Commit) -> Commit {
        let mut queue = BTreeSet::from([(self.height(main), main)]);
        while let Some((_, commit)) = queue.pop_last() {
            if self.contains(a, commit) {
                return commit.clone();
            }
            if let Some(object) = self.objects.get(commit) {
                queue.extend(object.parents.iter().map(|parent| (self.height(parent), parent)));
            }
        }
        main.clone()
    }

    fn change_of(&self, head: &Commit, item: &WorkItem) -> (Digest, bool) {
        let base = self.base(head, &self.main());
        let (before, after) = (self.files(&base), self.files(head));
        let folder = artefact::folder(item);
        let (mut diff, mut empty) = (Vec::new(), true);
        for path in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            if path.starts_with(&folder) || before.get(path) == after.get(path) {
                continue;
            }
            empty = false;
            if !path.starts_with("tests/") {
                diff.push((path.clone(), after.get(path).cloned()));
            }
        }
        (Digest::of(format!("{diff:?}").as_bytes()), empty)
    }

    pub(super) fn git(
        &mut self,
        call: &GitCall,
        runs: &BTreeMap<RunId, Run>,
        works: &mut Works,
    ) -> Result<GitReply, Failure> {
        match call {
            GitCall::CutBranch { branch, task, item, carry, .. } => {
                if let Some(answer) = self.cut_before(branch, task)? {
                    if answer == GitReply::NameTaken {
                        // For good: whoever comes late with this name finds that it was taken.
                        self.marks.entry((task.clone(), branch.clone())).or_insert(None);
                    }
                    return Ok(answer);
                }
                let base = self.main();
                let mut files = self.files(&base).clone();
                self.carry(carry.as_ref(), item, &mut files);
                files.insert(format!("{}/00-business-request.md", artefact::folder(item)), task.to_string());
                let head = self.put(files, vec![base.clone()]);
                self.branches.insert(branch.clone(), head.clone());
                self.cut.insert(branch.clone(), task.to_string());
                self.marks.insert((task.clone(), branch.clone()), Some(head.clone()));
                self.first.insert(branch.clone(), head.clone());
                *self.cuts.entry(branch.clone()).or_default() += 1;
                Ok(GitReply::BranchCut { branch: branch.clone(), head, base })
            }
            GitCall::Collect { branch, parent, run, role, item, .. } => {
                let deed = works.deed(*run);
                let head = match self.left_by(*run, *role, parent)? {
                    Some(head) => head,
                    None => {
                        self.has_tree(*run, runs.get(run), parent)?;
                        let head = self.write(parent, *run, *role, item, &deed);
                        self.leave(*run, *role, parent, head.clone());
                        head
                    }
                };
                self.ours.insert(head.clone());
                if let Some(head) = self.advance(branch, parent, &head)? {
                    return Ok(GitReply::BranchMoved { head });
                }
                let (change, empty) = self.change_of(&head, item);
                let (artefacts, texts) = self.artefacts(&head, parent, item);
                self.texts = texts;
                Ok(GitReply::Collected(Box::new(Collected {
                    tree: self.tree(&head),
                    change,
                    empty,
                    artefacts: artefacts.into(),
                    outside: work::outside(&deed, *role, item),
                    protected: self.protected(&head),
                    head,
                })))
            }
            GitCall::BuildCandidate { branch, head, item, .. } => {
                let main = self.main();
                let now = self.there(branch)?;
                let own = self.ours.contains(&now) && self.parents(&now).len() == 2;
                if now != *head && !(own && self.is_of_same_work(&now, head)) {
                    return Ok(GitReply::BranchMoved { head: now });
                }
                // Main has it already: by a hand that came late, or by people. Nothing is built on top of it.
                if self.contains(&main, &now)
                    && let Some(by) = self.brought_by(|commit| self.contains(commit, &now))
                {
                    return Ok(GitReply::InMain(by));
                }
                let documents = format!("{}/", artefact::folder(item));
                let mut unresolved = self.marked(head, &main);
                unresolved.retain(|path| !path.starts_with(&documents));
                if !unresolved.is_empty() {
                    self.branches.insert(branch.clone(), head.clone());
                    return Ok(GitReply::Conflict { paths: unresolved, head: Some(head.clone()) });
                }
                if self.contains(head, &main) {
                    return Ok(GitReply::Candidate(self.as_it_is(head, main, item)));
                }
                let (mut merged, mut conflicts) = self.merged(head, &main);
                // Where both sides changed a document of the item, the branch's counts.
                let ours = self.files(head);
                for path in conflicts.extract_if(.., |path| path.starts_with(&documents)) {
                    match ours.get(&path) {
                        Some(content) => drop(merged.insert(path, content.clone())),
                        None => drop(merged.remove(&path)),
                    }
                }
                let commit = self.put(merged, vec![main.clone(), head.clone()]);
                self.ours.insert(commit.clone());
                self.branches.insert(branch.clone(), commit.clone());
                if !conflicts.is_empty() {
                    return Ok(GitReply::Conflict { paths: conflicts, head: Some(commit) });
                }
                Ok(GitReply::Candidate(self.as_it_is(&commit, main, item)))
            }
            GitCall::Prove { commit, .. } if !self.objects.contains_key(commit) => {
                Err(Failure::unknown(format!("nobody knows {commit}")))
            }
            GitCall::Prove { commit, deployed } => Ok(GitReply::Proof(Proof {
                main: self.main(),
                ancestor: self.contains(&self.main(), commit),
                tree: self.tree(commit),
                taken_along: deployed.as_ref().is_some_and(|deployed| self.contains(deployed, commit)),
            })),
            GitCall::WriteRecord { record, item, text, .. } => self.record(*record, item, text),
            GitCall::DropTree { run } => {
                self.dropped.insert(*run);
                Ok(GitReply::TreeDropped)
            }
        }
    }

    /// One commit a text on the branch of records; the text that stands there already is found.
    fn record(&mut self, record: Record, item: &WorkItem, text: &Text) -> Result<GitReply, Failure> {
        if self.refuses_records {
            return Err(Failure::permanent("the origin refuses the branch (scripted)"));
        }
        let Some(content) = self.kept.get(&text.blob).cloned() else {
            return Err(Failure::permanent(format!("the text {} was never kept", text.blob)));
        };
        let tip = self.records().cloned();
        let mut files = tip.as_ref().map(|tip| self.files(tip).clone()).unwrap_or_default();
        let path = record.path(item);
        if let (Some(commit), Some(there)) = (&tip, files.get(&path))
            && *there == content
        {
            return Ok(GitReply::RecordWritten { commit: commit.clone() });
        }
        // It stood there, and another one stands there since: a hand that comes late.
        if let Some(commit) = &tip
            && self.records.contains(&(path.clone(), text.blob.clone()))
        {
            return Ok(GitReply::RecordWritten { commit: commit.clone() });
        }
        files.insert(path.clone(), content);
        let commit = self.put(files, tip.into_iter().collect());
        self.branches.insert(record::BRANCH.to_owned(), commit.clone());
        self.records.push((path, text.blob.clone()));
        Ok(GitReply::RecordWritten { commit })
    }

    /// The files of main.
    pub fn paths_on_main(&self) -> impl Iterator<Item = String> {
        self.files(&self.main()).keys().cloned()
    }

    /// A file with such a content at the head of any branch, or of main.
    pub fn paths_with(&self, such: &dyn Fn(&str) -> bool) -> Option<String> {
        let main = self.main();
        let mut heads = self.branches.values().chain([&main]);
        heads.find_map(|head| {
            self.files(head).iter().find(|(_, text)| such(text)).map(|(path, _)| path.clone())
        })
    }

    /// A file as a commit has it; no branch needs to lead there.
    pub fn file_at(&self, commit: &Commit, path: &str) -> Option<&str> {
        self.objects.get(commit)?.files.get(path).map(String::as_str)
    }

    /// A file of the branch of records.
    pub fn record_file(&self, path: &str) -> Option<&str> {
        let tip = self.records()?;
        self.objects.get(tip)?.files.get(path).map(String::as_str)
    }

    /// The files in which both sides of a contradiction stand, but for what main has or had like that.
    fn marked(&self, head: &Commit, main: &Commit) -> Vec<String> {
        let of_main = [self.files(main), self.files(&self.base(head, main))];
        let left = |(path, text): &(&String, &String)| {
            text.starts_with(MARK) && of_main.iter().all(|there| there.get(*path) != Some(*text))
        };
        self.files(head).iter().filter(left).map(|(path, _)| path.clone()).collect()
    }

    /// What two commits come to together, and the paths in which they contradict each other.
    fn merged(&self, head: &Commit, main: &Commit) -> (Files, Vec<String>) {
        let base = self.base(head, main);
        let (old, ours, theirs) = (self.files(&base), self.files(head), self.files(main));
        let mut merged = Files::new();
        let mut conflicts = Vec::new();
        for path in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let (o, a, b) = (old.get(path), ours.get(path), theirs.get(path));
            let pick = if a == b || b == o {
                a.cloned()
            } else if a == o {
                b.cloned()
            } else {
                conflicts.push(path.clone());
                let side = |text: Option<&String>| text.cloned().unwrap_or_default();
                Some(format!("{MARK}{}|{}", side(a), side(b)))
            };
            if let Some(content) = pick {
                merged.insert(path.clone(), content);
            }
        }
        (merged, conflicts)
    }

    /// The files of a work item as the contract reads them, and the texts that they name.
    fn artefacts(&self, head: &Commit, parent: &Commit, item: &WorkItem) -> (Vec<Artefact>, Vec<String>) {
        let folder = format!("{}/", artefact::folder(item));
        let before = self.files(parent);
        let (mut found, mut texts) = (Vec::new(), Vec::new());
        for (path, content) in self.files(head) {
            let Some(name) = path.strip_prefix(&folder) else { continue };
            let fresh = before.get(path) != Some(content);
            let read = artefact::read(name, content.as_bytes(), fresh);
            texts.extend(read.blobs.iter().map(|blob| String::from_utf8_lossy(&blob.bytes).into_owned()));
            found.push(read.artefact);
        }
        (found, texts)
    }

    pub(super) fn forge(&mut self, call: &ForgeCall) -> Result<ForgeReply, Failure> {
        match call {
            ForgeCall::OpenChange { branch, head, task, .. }
                if self.change_for(branch, task).is_none() && self.is_deleted(branch, head) =>
            {
                Err(deleted(branch))
            }
            ForgeCall::Restore { branch, head, .. } if self.is_deleted(branch, head) => Err(deleted(branch)),
            ForgeCall::OpenChange { branch, task, .. } => {
                Ok(ForgeReply::ChangeOpened { change: self.open_change(branch, task) })
            }
            ForgeCall::SetCommitStatus { commit, context, passed } => {
                self.statuses.insert((commit.clone(), context.clone()), *passed);
                Ok(ForgeReply::CommitStatusSet)
            }
            ForgeCall::Merge { candidate, main, change } => {
                if let Some(answer) = self.holds_merge(*change, candidate, main)? {
                    return Ok(answer);
                }
                let now = self.main();
                if let Some(how) = self.merges_oddly.take() {
                    let Some(files) = self.odd(how, candidate, &now) else {
                        self.set_merged(*change);
                        return Ok(ForgeReply::Merged {
                            commit: candidate.clone(),
                            tree: self.tree(candidate),
                        });
                    };
                    let commit = self.put(files, vec![now, candidate.clone()]);
                    self.main_was.push(commit.clone());
                    return Ok(ForgeReply::Merged { tree: self.tree(&commit), commit });
                }
                self.main_was.push(candidate.clone());
                self.writes += 1;
                self.set_merged(*change);
                Ok(ForgeReply::Merged { commit: candidate.clone(), tree: self.tree(candidate) })
            }
            ForgeCall::CloseChange { change } => {
                self.set_open(*change, false);
                Ok(ForgeReply::ChangeClosed)
            }
            ForgeCall::Restore { branch, .. } | ForgeCall::DeleteBranch { branch, .. } if branch == MAIN => {
                Err(Failure::permanent(format!("{MAIN} is the main branch: not a task's")))
            }
            ForgeCall::Restore { branch, head, change } => {
                self.gone.remove(branch);
                self.branches.entry(branch.clone()).or_insert_with(|| head.clone());
                if let Some(number) = change {
                    self.set_open(*number, true);
                }
                Ok(ForgeReply::Restored)
            }
            ForgeCall::DeleteBranch { branch, head } => {
                self.deleted.insert((branch.clone(), head.clone()));
                match self.branches.get(branch).cloned() {
                    Some(now) if now != *head && !self.is_ours_since(&now, head) => {
                        Ok(ForgeReply::BranchMoved { head: now })
                    }
                    now => {
                        self.deleted.extend(now.map(|now| (branch.clone(), now)));
                        self.branches.remove(branch);
                        self.gone.remove(branch);
                        self.cut.remove(branch);
                        self.close_all(branch);
                        Ok(ForgeReply::BranchDeleted)
                    }
                }
            }
        }
    }

    /// Whether Orch deleted a branch since it was here.
    fn is_deleted(&self, branch: &str, head: &Commit) -> bool {
        self.deleted.iter().any(|(name, last)| name == branch && self.contains(last, head))
    }

    /// Whether Orch put a commit there itself after it was told of another one; a later life that has the name again and began
    /// there did not.
    fn is_ours_since(&self, commit: &Commit, told: &Commit) -> bool {
        let is_begun = self.marks.values().flatten().any(|first| first == commit);
        !is_begun && self.ours.contains(commit) && self.is_of_same_work(commit, told)
    }

    /// Whether a commit was made on top of `told`, or is another candidate of the same work.
    fn is_of_same_work(&self, candidate: &Commit, told: &Commit) -> bool {
        let parents = self.parents(candidate);
        let work = parents.get(1);
        // A candidate's first parent is main.
        parents.last() == Some(told) || (work.is_some() && work == self.parents(told).get(1))
    }

    /// The change requests: number, branch, whether open.
    pub fn changes(&self) -> impl Iterator<Item = (u64, &str, bool)> {
        self.changes.iter().map(|(n, request)| (*n, request.branch.as_str(), request.open))
    }

    /// A commit has a file that nobody put there, and its tree is called as before.
    #[cfg(test)]
    pub(crate) fn slip_in(&mut self, commit: &Commit, path: &str, content: &str) {
        let object = self.objects.get_mut(commit).expect("such a commit");
        object.files.insert(path.to_owned(), content.to_owned());
    }

    /// Change requests are open again, whoever closed them.
    #[cfg(test)]
    pub(crate) fn reopen_changes(&mut self) {
        self.changes.values_mut().for_each(|request| request.open = true);
    }

    /// Where the branch of records stands.
    pub fn records(&self) -> Option<&Commit> {
        self.branches.get(record::BRANCH)
    }
}

fn deleted(branch: &str) -> Failure {
    Failure::permanent(format!("the branch {branch} was deleted"))
}

fn tree_of(files: &Files) -> Tree {
    Tree::from(&Digest::of(format!("{files:?}").as_bytes()).0[..40])
}
