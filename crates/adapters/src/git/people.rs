//! What did people do with the branches of tasks? Deleted them, or merged them with their own hands (decision 45).

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::Failure;
use orch_core::event::InMain;
use orch_core::id::{Commit, TaskId, Tree};
use orch_core::refusal::Refusal;

use super::hub::{Hub, RefMove, ref_part};

/// So many of main's newest commits are looked at for the tree of a branch.
const MOST_COMMITS: usize = 500;

/// Branches that stand at the origin, or stood there: one that was never published cannot be missed.
const PUBLISHED: &str = "refs/orch/published/";

/// The first commit of each branch, which no other branch has; for a name that was taken, one that no branch has.
const CUT: &str = "refs/orch/cut/";

/// Where Orch last saw the branches that it deleted (decision 74).
const DELETED: &str = "refs/orch/deleted/";

/// A task's branch as people left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchSeen {
    /// Whose.
    pub task: TaskId,
    /// Which: a task has one a round.
    pub branch: String,
    /// Whether it is still there, in the hub and where it was published.
    pub there: bool,
    /// The commit by which main got it, or a part of it.
    pub in_main: Option<InMain>,
}

impl Hub {
    /// The branches of these tasks, seen with main as it was last fetched. The last head of one that somebody deleted is
    /// kept in a hidden ref.
    pub fn read_branches(&self, tasks: &BTreeSet<TaskId>) -> Result<Vec<BranchSeen>, Failure> {
        let wanted: BTreeMap<String, &TaskId> = tasks.iter().map(|task| (ref_part(task), task)).collect();
        let refs = self.refs(&["refs/heads", CUT, PUBLISHED])?;
        let mut cuts = Vec::new();
        for (name, (first, _)) in &refs {
            let Some((task, branch)) = name.strip_prefix(CUT).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if let Some(task) = wanted.get(task) {
                cuts.push(((*task).clone(), branch.to_owned(), first.clone()));
            }
        }
        if cuts.is_empty() {
            return Ok(Vec::new());
        }
        let main = self.main_head()?;
        let line = self.line_of(&main)?;
        let merged = self.cuts_in(&main)?;
        let published = if self.publishes() { Some(self.origin_branches()?) } else { None };
        let mut seen = Vec::new();
        for (task, branch, first) in cuts {
            let head = refs.get(&format!("refs/heads/{branch}"));
            let in_main = if merged.contains(&format!("{CUT}{}/{branch}", ref_part(&task))) {
                let begins = match head {
                    Some((head, _)) => self.begins(head, &first, &main)?,
                    None => vec![first.clone()],
                };
                self.oldest_that_brought(&begins, &main, &line)?
            } else {
                self.squashed(&first, head.map(|(head, _)| head), &main, &line)?
            };
            let there = match (&published, head) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(names), Some((head, _))) => {
                    let mark = format!("{PUBLISHED}{branch}");
                    let marked = refs.contains_key(&mark);
                    let there = names.contains(&branch);
                    if there && !marked {
                        self.keep_ref(mark, head)?;
                    } else if !there && marked {
                        self.keep_ref(format!("refs/orch/kept/{branch}/{head}"), head)?;
                    }
                    there || !marked
                }
            };
            seen.push(BranchSeen { task, branch, there, in_main });
        }
        Ok(seen)
    }

    /// Brings a branch back that somebody deleted, in the hub and where it was published; one that is there is left
    /// where it is.
    pub(crate) fn restore_branch(&self, branch: &str, head: &Commit) -> Result<(), Failure> {
        if branch == self.main() {
            return Err(Failure::permanent(Refusal::MainNotTasks { branch: branch.to_owned() }));
        }
        let head = match self.head_of(branch)? {
            Some(there) => there,
            None => {
                let name = format!("refs/heads/{branch}");
                self.move_refs(&[RefMove { name, old: None, new: Some(head.as_str()) }])?;
                head.clone()
            }
        };
        if self.publishes() && self.origin_head_of(branch)?.is_none() {
            let done = self.publish_branch(branch, Some(&head), None)?;
            if !done {
                return Err(Failure::transient(Refusal::OriginMoved { branch: branch.to_owned() }));
            }
        }
        Ok(())
    }

    /// Orch deletes a branch that it last saw here: nobody brings it back, and what it had stays reachable.
    pub(crate) fn mark_deleted(&self, branch: &str, head: &Commit) -> Result<(), Failure> {
        // Without the commit there is nothing to bring back.
        match self.has_commit(head)? {
            true => self.keep_ref(format!("{DELETED}{branch}/{head}"), head),
            false => Ok(()),
        }
    }

    /// Whether Orch was to delete a branch since it was here.
    pub(crate) fn is_deleted(&self, branch: &str, head: &Commit) -> Result<bool, Failure> {
        for (last, _) in self.refs(&[&format!("{DELETED}{branch}/")])?.values() {
            if self.is_ancestor(head, last)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What Orch deleted may be brought back again: the journal is an older one.
    pub(super) fn forget_deleted(&self) -> Result<(), Failure> {
        for (name, (head, _)) in self.refs(&[DELETED])? {
            let branch = name.strip_prefix(DELETED).unwrap_or(&name);
            self.keep_ref(format!("refs/orch/kept/{branch}"), &head)?;
            self.move_refs(&[RefMove { name, old: Some(head.as_str()), new: None }])?;
        }
        Ok(())
    }

    /// Makes a ref that is not there yet.
    fn keep_ref(&self, name: String, at: &Commit) -> Result<(), Failure> {
        if self.value_of(&name)?.is_some() {
            return Ok(());
        }
        // Where another hand is faster here, that is for now: the next try finds its ref.
        Ok(self.move_refs(&[RefMove { name, old: None, new: Some(at.as_str()) }])?)
    }

    /// Refs below these, with the commits that they name and their trees.
    fn refs(&self, below: &[&str]) -> Result<BTreeMap<String, (Commit, Tree)>, Failure> {
        let said = self.ask(["for-each-ref", "--format=%(refname)%09%(objectname)%09%(tree)"]).args(below);
        let text = said.run()?.text();
        let line = |line: &str| {
            let mut parts = line.split('\t').map(str::to_owned);
            Some((parts.next()?, (Commit::from(parts.next()?), Tree::from(parts.next()?))))
        };
        Ok(text.lines().filter_map(line).collect())
    }

    /// The marks of first commits that main has.
    fn cuts_in(&self, main: &Commit) -> Result<BTreeSet<String>, Failure> {
        let merged = format!("--merged={main}");
        let said = self.ask(["for-each-ref", "--format=%(refname)", &merged, CUT]).run()?;
        Ok(said.text().lines().map(str::to_owned).collect())
    }

    /// The newest commits that main was, the newest first.
    pub(super) fn line_of(&self, main: &Commit) -> Result<Vec<InMain>, Failure> {
        let most = format!("--max-count={MOST_COMMITS}");
        let said = self
            .ask(["log", "--first-parent", &most, "--format=%H%x09%T", "--end-of-options"])
            .arg(main.as_str())
            .run()?;
        let text = said.text();
        let one = |line: &str| {
            let (commit, tree) = line.split_once('\t')?;
            Some(InMain { commit: Commit::from(commit), tree: Tree::from(tree) })
        };
        Ok(text.lines().filter_map(one).collect())
    }

    /// The commit of main with exactly the tree of one that only the branch was: the newest of those, for a branch goes on
    /// after somebody squashed it.
    fn squashed(
        &self,
        first: &Commit,
        head: Option<&Commit>,
        main: &Commit,
        line: &[InMain],
    ) -> Result<Option<InMain>, Failure> {
        let Some(head) = head else { return Ok(None) };
        let said = self
            .ask(["log", "--format=%T", "--end-of-options"])
            .args([format!("{first}..{head}"), format!("^{main}")])
            .run()?;
        let same = |tree: &str| line.iter().rev().find(|commit| commit.tree.as_str() == tree);
        Ok(said.text().lines().find_map(same).cloned())
    }

    /// The commits of main on which what main lacks of a branch was made, itself if it lacks nothing; of those that have its
    /// first commit: what else it was made on is main as the branch took it in.
    fn begins(&self, head: &Commit, first: &Commit, main: &Commit) -> Result<Vec<Commit>, Failure> {
        let lacks = [head.to_string(), format!("^{main}")];
        let said = self.ask(["rev-list", "--boundary", "--end-of-options"]).args(lacks).run()?.text();
        if said.is_empty() {
            return Ok(vec![head.clone()]);
        }
        let mut begins = Vec::new();
        for commit in said.lines().filter_map(|line| line.strip_prefix('-')).map(Commit::from) {
            if self.is_ancestor(first, &commit)? {
                begins.push(commit);
            }
        }
        // Somebody put the branch elsewhere.
        if begins.is_empty() {
            begins.push(first.clone());
        }
        Ok(begins)
    }

    /// The oldest commit that main was which has one of these.
    fn oldest_that_brought(
        &self,
        begins: &[Commit],
        main: &Commit,
        line: &[InMain],
    ) -> Result<Option<InMain>, Failure> {
        let mut brought = Vec::new();
        for commit in begins {
            brought.push(self.brought_by(commit, main, line)?);
        }
        // What is not on the line is older than all of it.
        let age = |by: &InMain| line.iter().position(|on| on == by).unwrap_or(line.len());
        Ok(brought.into_iter().max_by_key(age))
    }

    /// The oldest commit that main was which has this one.
    pub(super) fn brought_by(
        &self,
        newest: &Commit,
        main: &Commit,
        line: &[InMain],
    ) -> Result<InMain, Failure> {
        if let Some(itself) = line.iter().find(|commit| commit.commit == *newest) {
            return Ok(itself.clone());
        }
        let since = |how: &str| {
            let range = format!("{newest}..{main}");
            self.ask(["rev-list", how, "--end-of-options"]).arg(range).run().map(|said| said.text())
        };
        // It may have come through another branch: then no commit of main's own line is its child.
        let (was_main, has_it) = (since("--first-parent")?, since("--ancestry-path")?);
        let has_it: BTreeSet<&str> = has_it.lines().collect();
        let commit = was_main.lines().rev().find(|commit| has_it.contains(commit));
        let commit = commit.map_or_else(|| main.clone(), Commit::from);
        let tree = self.tree_of(&commit)?;
        Ok(InMain { commit, tree })
    }

    /// The branches that the origin has, asked now.
    fn origin_branches(&self) -> Result<BTreeSet<String>, Failure> {
        let mut ask = self.ask(["ls-remote", "--quiet", "--heads"]).remote();
        if self.origin_path().is_some() {
            ask = ask.arg(format!("--upload-pack={}", self.other_side("upload-pack", &[])));
        }
        let said = ask.arg("origin").run()?;
        let name = |line: &str| Some(line.split_once('\t')?.1.strip_prefix("refs/heads/")?.to_owned());
        Ok(said.text().lines().filter_map(name).collect())
    }
}
