//! Where do Orch's own records go? To a branch of their own, a commit a record, built on the bare hub and pushed to the
//! origin by compare-and-swap (decision 18). Main is not touched, and neither is any checkout but one of that branch.
//!
//! The origin says what is there; the hub's branch is a copy of it. So a crash at any point leaves either a commit that
//! nothing names or a record that stands, and a second try finds the one that stands by its content.

use orch_core::call::{Failure, GitReply, Text};
use orch_core::id::{Commit, RunId, WorkItem};
use orch_core::record::{BRANCH, Record};
use orch_core::refusal::Refusal;

use super::Means;
use super::branch::index_line;
use super::hub::{Hub, RefMove};
use super::program::Signature;

/// How often somebody may be faster before the record waits for its next turn.
const RACES: u32 = 5;

/// Which record to write.
pub(super) struct Entry<'a> {
    pub(super) record: Record,
    pub(super) item: &'a WorkItem,
    pub(super) text: &'a Text,
    pub(super) run: Option<RunId>,
}

impl Hub {
    /// Writes a record to its branch, or finds it there.
    pub(super) fn write_record(&self, entry: &Entry<'_>, means: &Means<'_>) -> Result<GitReply, Failure> {
        if self.main() == BRANCH {
            let (branch, origin) = (BRANCH.to_owned(), self.origin().to_owned());
            return Err(Failure::permanent(Refusal::RecordsAreMain { branch, origin }));
        }
        let bytes = (means.text)(&entry.text.blob)?.ok_or_else(|| {
            Failure::permanent(Refusal::TextErased { digest: entry.text.blob.short().to_owned() })
        })?;
        let blob = self.ask(["hash-object", "-w", "--stdin"]).input(bytes).run()?.text();
        let path = entry.record.path(entry.item);
        let mut first = None;
        for _ in 0..RACES {
            let tip = self.records_of_origin()?;
            if let Some(tip) = &tip
                && self.stood(tip, &path, &blob)?
            {
                return Ok(GitReply::RecordWritten { commit: tip.clone() });
            }
            // Somebody wrote this very record meanwhile, and may have a newer text: that is looked at afresh.
            let there = match &tip {
                Some(tip) => self.entries(tip.as_str(), &path)?.into_iter().next().map(|entry| entry.id),
                None => None,
            };
            if *first.get_or_insert_with(|| there.clone()) != there {
                break;
            }
            let commit = self.record_commit(entry, tip.as_ref(), &blob, means)?;
            if self.push_records(&commit, tip.as_ref())? {
                self.follow_records(Some(&commit))?;
                return Ok(GitReply::RecordWritten { commit });
            }
        }
        let (branch, origin) = (BRANCH.to_owned(), self.origin().to_owned());
        Err(Failure::transient(Refusal::OthersPush { branch, origin }))
    }

    /// Where the branch of records stands at the origin, fetched; `None` if it is not there (any more).
    fn records_of_origin(&self) -> Result<Option<Commit>, Failure> {
        match self.origin_head_of(BRANCH)? {
            Some(there) if self.head_of(BRANCH)?.as_ref() == Some(&there) => Ok(Some(there)),
            Some(_) => {
                self.fetch_branch(BRANCH)?;
                self.head_of(BRANCH)
            }
            None => {
                self.follow_records(None)?;
                Ok(None)
            }
        }
    }

    /// The hub's copy of the branch follows the origin's.
    fn follow_records(&self, to: Option<&Commit>) -> Result<(), Failure> {
        let from = self.head_of(BRANCH)?;
        if from.as_ref() == to {
            return Ok(());
        }
        let step = RefMove {
            name: format!("refs/heads/{BRANCH}"),
            old: from.as_ref().map(Commit::as_str),
            new: to.map(Commit::as_str),
        };
        Ok(self.move_refs(&[step])?)
    }

    /// Whether a text stands there, or stood there before the one that does: a hand that comes late puts back nothing.
    fn stood(&self, tip: &Commit, path: &str, blob: &str) -> Result<bool, Failure> {
        if self.entries(tip.as_str(), path)?.iter().any(|entry| entry.name == path && entry.id == blob) {
            return Ok(true);
        }
        let object = format!("--find-object={blob}");
        let with = self.ask(["log", "-1", "--format=%H", &object, tip.as_str(), "--", path]).run()?;
        Ok(!with.text().is_empty())
    }

    /// What stands there and the record on top; the subject says whose it is and which run it tells of (row 166).
    fn record_commit(
        &self,
        entry: &Entry<'_>,
        tip: Option<&Commit>,
        blob: &str,
        means: &Means<'_>,
    ) -> Result<Commit, Failure> {
        let Entry { record, item, run, .. } = *entry;
        let line = index_line("100644", blob, record.path(item).as_bytes());
        let tree = self.tree_with(tip.map(Commit::as_str), line, &format!("record-{item}"))?;
        let author = record.author();
        let about = run.map_or_else(|| record.file().to_owned(), |run| format!("run {run}"));
        let subject = format!("{author}({item}): {about}");
        let parents: Vec<&Commit> = tip.into_iter().collect();
        self.commit(&tree, &parents, &subject, &Signature::of(author, means.at))
    }

    /// Moves the origin's branch from `tip` to `commit`; false: somebody was faster.
    fn push_records(&self, commit: &Commit, tip: Option<&Commit>) -> Result<bool, Failure> {
        let mut push = self.push();
        if self.origin_path().is_some() {
            // Who has the branch checked out sees the file, as with main; never over changes of theirs (decision 43).
            let settings = ["receive.denyCurrentBranch=updateInstead", "receive.denyNonFastForwards=true"];
            push = push.arg(format!("--receive-pack={}", self.other_side("receive-pack", &settings)));
        }
        let said = push
            .arg(format!("--force-with-lease=refs/heads/{BRANCH}:{}", tip.map_or("", Commit::as_str)))
            .arg("origin")
            .arg(format!("{commit}:refs/heads/{BRANCH}"))
            .answer()?;
        if said.status.success() {
            self.keep_at_origin(BRANCH)?;
            return Ok(true);
        }
        let words = format!("{}\n{}", said.text(), said.complaint);
        if MOVED.iter().any(|part| words.contains(part)) && self.origin_head_of(BRANCH)?.as_ref() != tip {
            return Ok(false);
        }
        Err(said.refused_saying(&words).into())
    }
}

/// What git says where a branch is not where it was expected.
const MOVED: [&str; 5] =
    ["stale info", "fetch first", "non-fast-forward", "failed to update ref", "incorrect old value"];
