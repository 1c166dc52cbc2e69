//! What will be merged, and was it? The candidate is built on the bare hub, never in a tree that a crash could leave
//! dirty (decision 35); the proof is taken from a fresh main (decision 19).

use std::collections::{BTreeMap, BTreeSet};

use orch_core::artefact;
use orch_core::call::git::{Candidate, Proof};
use orch_core::call::{Failure, GitReply};
use orch_core::id::{Commit, TaskId, Tree, WorkItem};
use orch_core::refusal::Refusal;

use super::branch::index_line;
use super::hub::{Hub, RefMove, ref_part};
use super::program::Signature;
use super::read::Entry;
use super::scope::globs;

/// Files of a conflict that people are shown.
const MOST_PATHS: usize = 50;

/// How `merge-tree` opens a contradiction of two commits, whose name follows: nobody writes such a line by hand.
const MARK: &str = "<<<<<<< ";
/// Digits of the name.
const DIGITS: usize = 40;

impl Hub {
    /// The branch's head merged with current main, on the task branch.
    pub(super) fn build_candidate(
        &self,
        branch: &str,
        head: &Commit,
        task: &TaskId,
        item: &WorkItem,
        tests: &[String],
    ) -> Result<GitReply, Failure> {
        let tests = globs(tests)?;
        let main = self.fetch_main()?;
        let mark = format!("refs/orch/candidates/{}", ref_part(task));
        let earlier = self.value_of(&mark)?.map(Commit::from);
        let gone = || Failure::permanent(Refusal::BranchGone { branch: branch.to_owned() });
        let current = self.head_of(branch)?.ok_or_else(gone)?;
        // A candidate of an earlier performance of this call may stand there already, built on an older main.
        let own = earlier.as_ref() == Some(&current) && self.is_of_same_work(&current, head)?;
        if current != *head && !own {
            return Ok(GitReply::BranchMoved { head: current });
        }
        // Main has it already: by a hand that came late, or by people. Nothing is built on top of it.
        if self.is_ancestor(&current, &main)? {
            return Ok(GitReply::InMain(self.brought_by(&current, &main, &self.line_of(&main)?)?));
        }
        let documents = format!("{}/", artefact::folder(item));
        let unresolved = self.marked(head, &main, &documents)?;
        let (commit, paths) = if self.is_ancestor(&main, head)? || !unresolved.is_empty() {
            (head.clone(), unresolved)
        } else {
            let (tree, paths) = self.merged(head, &main, &documents)?;
            let seconds = self.date_of(head)?.max(self.date_of(&main)?);
            let by = Signature { author: "orch".to_owned(), seconds };
            // Main first: it will be main, and main's own line goes on from there.
            let message = format!("Merge {branch} into {}", self.main());
            (self.commit(&tree, &[&main, head], &message, &by)?, paths)
        };
        if current != commit {
            let moves = [
                RefMove { name: mark, old: earlier.as_ref().map(Commit::as_str), new: Some(commit.as_str()) },
                RefMove {
                    name: format!("refs/heads/{branch}"),
                    old: Some(current.as_str()),
                    new: Some(commit.as_str()),
                },
            ];
            if let Err(error) = self.move_refs(&moves) {
                let now = self.head_of(branch)?.ok_or_else(gone)?;
                if now == current {
                    return Err(error.into());
                }
                if now != commit {
                    return Ok(GitReply::BranchMoved { head: now });
                }
            }
        }
        if let Some(there) = self.published_elsewhere(branch, &commit, &[head, &current])? {
            return Ok(GitReply::BranchMoved { head: there });
        }
        if !paths.is_empty() {
            return Ok(GitReply::Conflict { paths, head: Some(commit) });
        }
        let change = self.change(&self.merge_base(&commit, &main)?, &commit, item, &tests)?;
        let tree = self.tree_of(&commit)?;
        Ok(GitReply::Candidate(Candidate { commit, tree, main, change: change.digest }))
    }

    /// Whether Orch put a commit there itself after it was told of another one: it collected a run on top, and the answer was
    /// lost, or a hand that came late built the candidate once more, on a main that had moved. Not so where a later life of the
    /// task began on a main that is the earlier one's last commit: that branch has the name again and is another one.
    pub(crate) fn is_ours_since(&self, commit: &Commit, told: &Commit) -> Result<bool, Failure> {
        let (made, begun) = (["refs/orch/candidates/", "refs/orch/runs/"], "refs/orch/cut/");
        let marks = ["for-each-ref", "--format=%(refname)"];
        let marked = self.ask(marks).arg(format!("--points-at={commit}")).args(made).arg(begun).run()?.text();
        let (mut is_made, mut is_begun) = (false, false);
        for name in marked.lines() {
            is_begun |= name.starts_with(begun);
            is_made |= !name.starts_with(begun);
        }
        Ok(is_made && !is_begun && self.is_of_same_work(commit, told)?)
    }

    /// Whether a commit was made on top of `told`, or is another candidate of the same work.
    fn is_of_same_work(&self, candidate: &Commit, told: &Commit) -> Result<bool, Failure> {
        let parents = self.parents_of(candidate)?;
        let work = parents.get(1);
        // A candidate's first parent is main.
        Ok(parents.last() == Some(told) || (work.is_some() && work == self.parents_of(told)?.get(1)))
    }

    /// Publishes a branch that should stand at one of `expected` at the origin. Where it stands instead, if somebody else
    /// pushed there: the hub takes that over and overwrites nothing. One that somebody deleted there is not made again:
    /// the next reading says that it is gone (decision 45).
    pub(super) fn published_elsewhere(
        &self,
        branch: &str,
        head: &Commit,
        expected: &[&Commit],
    ) -> Result<Option<Commit>, Failure> {
        if !self.publishes() {
            return Ok(None);
        }
        let Some(there) = self.origin_head_of(branch)? else { return Ok(None) };
        let known = there == *head || expected.contains(&&there);
        if known && self.publish_branch(branch, Some(head), Some(&there))? {
            return Ok(None);
        }
        self.fetch_branch(branch)?;
        self.head_of(branch)
    }

    /// The files in which this work left marks of an earlier contradiction; not those that somebody put into main, and that
    /// it has as they are, as they were when it began, or takes away; nor what its documents quote.
    fn marked(&self, head: &Commit, main: &Commit, documents: &str) -> Result<Vec<String>, Failure> {
        let said = self
            .ask([
                "diff",
                "-z",
                "--name-only",
                "--no-renames",
                "--no-ext-diff",
                "--no-textconv",
                "--diff-filter=AM",
            ])
            .arg(format!("-G^{MARK}[0-9a-f]{{{DIGITS}}}"))
            .args(["--end-of-options", main.as_str(), head.as_str()])
            .run()?;
        let names: Vec<_> = said.names().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if names.is_empty() {
            return Ok(names);
        }
        let base = self.merge_base(head, main)?;
        let mut left = Vec::new();
        for name in names.into_iter().filter(|name| !name.starts_with(documents)) {
            let of_main = [self.read_file(main, &name)?, self.read_file(&base, &name)?];
            let of_main: Vec<_> = of_main.iter().flatten().map(|text| marks(text)).collect();
            let adds =
                |(line, times): (&[u8], usize)| of_main.iter().all(|there| there.get(line) < Some(&times));
            // Of a name that is no text nothing can be read: what was said of it counts.
            if self.read_file(head, &name)?.is_none_or(|text| marks(&text).into_iter().any(adds)) {
                left.push(name);
            }
        }
        left.truncate(MOST_PATHS);
        Ok(left)
    }

    /// The merged tree, and the files that contradict each other: in it they have both sides, between marks.
    fn merge_trees(&self, head: &Commit, main: &Commit) -> Result<(Tree, Vec<String>), Failure> {
        let said = self
            .ask(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"])
            .args([head.as_str(), main.as_str()])
            .answer()?;
        let names: Vec<String> =
            said.names().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        match (said.status.code(), names.split_first()) {
            (Some(0), Some((tree, _))) => Ok((Tree::from(tree.clone()), Vec::new())),
            (Some(1), Some((tree, paths))) if !paths.is_empty() => {
                Ok((Tree::from(tree.clone()), paths.iter().take(MOST_PATHS).cloned().collect()))
            }
            (Some(0 | 1), _) => Err(said.odd().into()),
            (Some(_) | None, _) => Err(said.refused().into()),
        }
    }

    /// The merged tree, and the files that contradict each other. The documents of the work item are not among them: where both
    /// sides changed one, the branch's counts, for it was judged and approved there, and no run may write all of them (decision
    /// 65).
    fn merged(&self, head: &Commit, main: &Commit, documents: &str) -> Result<(Tree, Vec<String>), Failure> {
        let base = self.merge_base(head, main)?;
        let of = |tree: &str| self.entries(tree, documents);
        let (ours, theirs) = (of(head.as_str())?, of(main.as_str())?);
        let settled = settled(&of(base.as_str())?, &ours, &theirs);
        let (tree, paths) = self.merge_trees(head, main)?;
        if of(tree.as_str())? == settled && !paths.iter().any(|path| path.starts_with(documents)) {
            return Ok((tree, paths));
        }
        // With main's documents in their place the rest is merged as if there were none: no rename leads into them.
        let beside = self.tree_with(head.as_str(), placed(&ours, &theirs), &format!("beside-{head}"))?;
        let by = Signature { author: "orch".to_owned(), seconds: self.date_of(head)? };
        let beside = self.commit(&beside, &[head], "beside its documents", &by)?;
        let (tree, paths) = self.merge_trees(&beside, main)?;
        let merged = of(tree.as_str())?;
        Ok((self.tree_with(tree.as_str(), placed(&merged, &settled), &format!("merged-{head}"))?, paths))
    }

    /// When a commit was made, in seconds since 1970.
    fn date_of(&self, commit: &Commit) -> Result<i64, Failure> {
        let said = self.ask(["show", "-s", "--format=%ct", "--end-of-options", commit.as_str()]).run()?;
        said.text().parse().map_err(|_| said.odd().into())
    }

    /// Whether a merged commit is in main as it is now, and in what is deployed.
    pub(super) fn prove(&self, commit: &Commit, deployed: Option<&Commit>) -> Result<Proof, Failure> {
        let main = self.fetch_main()?;
        let ancestor = self.is_ancestor(commit, &main)?;
        let taken_along = match deployed {
            // A repository that was made anew may lack what an older one deployed: then nothing took it along.
            Some(deployed) => self.has_commit(deployed)? && self.is_ancestor(commit, deployed)?,
            None => false,
        };
        Ok(Proof { main, ancestor, tree: self.tree_of(commit)?, taken_along })
    }
}

/// The lines that open a contradiction, and how often each is there.
fn marks(text: &[u8]) -> BTreeMap<&[u8], usize> {
    let opens = |line: &&[u8]| {
        let named = line.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.get(..DIGITS));
        named.is_some_and(|name| name.iter().all(u8::is_ascii_hexdigit))
    };
    let mut marks = BTreeMap::new();
    for line in text.split(|byte| *byte == b'\n').filter(opens) {
        *marks.entry(line).or_default() += 1;
    }
    marks
}

/// The lines of an index that put these files in the place of those. Names that are no text stay as they are.
fn placed(gone: &[Entry], there: &[Entry]) -> Vec<u8> {
    let named = |entry: &&Entry| !entry.name.contains(char::REPLACEMENT_CHARACTER);
    let line = |mode: &str, id: &str, entry: &Entry| index_line(mode, id, entry.name.as_bytes());
    let gone = gone.iter().filter(named).map(|entry| line("0", &"0".repeat(entry.id.len()), entry));
    let there = there.iter().filter(named).map(|entry| line(&entry.mode, &entry.id, entry));
    gone.chain(there).flatten().collect()
}

/// What two sides made of the same files: what one of them changed, and ours where both did.
fn settled(before: &[Entry], ours: &[Entry], theirs: &[Entry]) -> Vec<Entry> {
    fn by_name(entries: &[Entry]) -> BTreeMap<&str, &Entry> {
        entries.iter().map(|entry| (entry.name.as_str(), entry)).collect()
    }
    let (before, ours, theirs) = (by_name(before), by_name(ours), by_name(theirs));
    let names: BTreeSet<&str> = ours.keys().chain(theirs.keys()).copied().collect();
    let pick =
        |name: &str| if ours.get(name) == before.get(name) { theirs.get(name) } else { ours.get(name) };
    names.into_iter().filter_map(|name| pick(name).map(|entry| (**entry).clone())).collect()
}
