//! How does a task get its branch? Cut from a fresh main, with one commit that says what is asked for.

use orch_core::artefact;
use orch_core::call::{Failure, GitReply, Text};
use orch_core::id::{Commit, TaskId, Tree, WorkItem};
use orch_core::refusal::Refusal;

use super::Means;
use super::hub::{Hub, RefMove, ref_part};
use super::program::Signature;

/// What a task asks for (row 124).
const REQUEST: &str = "00-business-request.md";

/// Which branch to cut.
pub(super) struct Cut<'a> {
    pub(super) branch: &'a str,
    pub(super) task: &'a TaskId,
    pub(super) item: &'a WorkItem,
    pub(super) title: &'a Text,
    pub(super) text: &'a Text,
    pub(super) carry: Option<&'a Commit>,
}

/// A line of `update-index --index-info`.
pub(super) fn index_line(mode: &str, id: &str, path: &[u8]) -> Vec<u8> {
    let mut line = format!("{mode} {id}\t").into_bytes();
    line.extend_from_slice(path);
    line.push(0);
    line
}

impl Hub {
    /// Cuts a task's branch, or finds the one it cut before.
    pub(super) fn cut_branch(&self, cut: &Cut<'_>, means: &Means<'_>) -> Result<GitReply, Failure> {
        let Cut { branch, .. } = *cut;
        if branch == self.main() {
            return Ok(GitReply::NameTaken);
        }
        self.ask(["check-ref-format", "--branch", branch]).run()?;
        let mark = format!("refs/orch/cut/{}/{branch}", ref_part(cut.task));
        if let Some(head) = self.value_of(&mark)?.map(Commit::from) {
            // Work stands on it that this task knows nothing of: of rows that a restored journal does not have.
            return match self.head_of(branch)? {
                Some(now) if now == head => self.cut_before(branch, head),
                Some(_) | None => Ok(GitReply::NameTaken),
            };
        }
        let base = self.fetch_main()?;
        let taken = self.head_of(branch)?.is_some() || self.origin_head_of(branch)?.is_some();
        let head = self.first_commit(cut, &base, means)?;
        if taken {
            return self.name_taken(cut, means, &mark, &head);
        }
        let made = self.move_refs(&[
            RefMove { name: mark.clone(), old: None, new: Some(head.as_str()) },
            RefMove { name: format!("refs/heads/{branch}"), old: None, new: Some(head.as_str()) },
        ]);
        if let Err(error) = made {
            // Somebody was faster: this task itself, or another one.
            return match (self.value_of(&mark)?, self.head_of(branch)?) {
                (Some(head), _) => self.cut_before(branch, Commit::from(head)),
                (None, Some(_)) => self.name_taken(cut, means, &mark, &head),
                (None, None) => Err(error.into()),
            };
        }
        self.publish_cut(branch, head, base)
    }

    /// Whose name was taken takes another one, for good: a hand of a dead brain that comes late with this one finds the mark,
    /// also where the name is free by then (decision 74).
    fn name_taken(
        &self,
        cut: &Cut<'_>,
        means: &Means<'_>,
        mark: &str,
        head: &Commit,
    ) -> Result<GitReply, Failure> {
        let kept = RefMove { name: mark.to_owned(), old: None, new: Some(head.as_str()) };
        match self.move_refs(&[kept]) {
            Ok(()) => Ok(GitReply::NameTaken),
            // Another hand of this task was faster: what it did holds.
            Err(_) if self.value_of(mark)?.is_some() => self.cut_branch(cut, means),
            Err(error) => Err(error.into()),
        }
    }

    fn cut_before(&self, branch: &str, head: Commit) -> Result<GitReply, Failure> {
        let parents = self.parents_of(&head)?;
        let base = parents.into_iter().next().ok_or_else(|| {
            Failure::permanent(Refusal::NoParent { head: head.clone(), branch: branch.to_owned() })
        })?;
        self.publish_cut(branch, head, base)
    }

    fn publish_cut(&self, branch: &str, head: Commit, base: Commit) -> Result<GitReply, Failure> {
        if self.publishes() && self.origin_head_of(branch)?.is_none() {
            self.publish_branch(branch, Some(&head), None)?;
        }
        Ok(GitReply::BranchCut { branch: branch.to_owned(), head, base })
    }

    /// Main and the business request on top of it.
    fn first_commit(&self, cut: &Cut<'_>, base: &Commit, means: &Means<'_>) -> Result<Commit, Failure> {
        let folder = artefact::folder(cut.item);
        self.is_free_for(&folder, base)?;
        let mut lines = Vec::new();
        let mut has_request = false;
        if let Some(earlier) = cut.carry {
            if !self.has_commit(earlier)? {
                return Err(Failure::permanent(Refusal::CommitLost { commit: earlier.clone() }));
            }
            for entry in self.entries(earlier.as_str(), &format!("{folder}/"))? {
                let name = &entry.name[folder.len() + 1..];
                if is_carried(name) {
                    has_request |= name == REQUEST;
                    lines.extend(index_line(&entry.mode, &entry.id, entry.name.as_bytes()));
                }
            }
        }
        if !has_request {
            let request = business_request(cut.item, &words(cut.title, means)?, &words(cut.text, means)?);
            let id = self.ask(["hash-object", "-w", "--stdin"]).input(request).run()?.text();
            lines.extend(index_line("100644", &id, format!("{folder}/{REQUEST}").as_bytes()));
        }
        let tree = self.tree_with(base.as_str(), lines, &format!("cut-{}", ref_part(cut.task)))?;
        let subject = format!("{}: business request", cut.item);
        self.commit(&tree, &[base], &subject, &Signature::of("orch", means.at))
    }

    /// A tree with these lines of an index put over it, made in an index of this name.
    pub(super) fn tree_with<'a>(
        &self,
        tree: impl Into<Option<&'a str>>,
        lines: Vec<u8>,
        name: &str,
    ) -> Result<Tree, Failure> {
        let index = self.scratch_index(name)?;
        if let Some(tree) = tree.into() {
            self.ask(["read-tree", tree]).env("GIT_INDEX_FILE", &*index).run()?;
        }
        self.ask(["update-index", "--add", "--replace", "-z", "--index-info"])
            .env("GIT_INDEX_FILE", &*index)
            .input(lines)
            .run()?;
        Ok(Tree::from(self.ask(["write-tree"]).env("GIT_INDEX_FILE", &*index).run()?.text()))
    }

    /// Refuses a commit in which something else stands in the place of a folder: git would throw it out without a word.
    fn is_free_for(&self, folder: &str, base: &Commit) -> Result<(), Failure> {
        let above = folder.match_indices('/').map(|(at, _)| &folder[..at]).chain([folder]);
        let said = self
            .ask(["ls-tree", "-z", "--full-tree", base.as_str(), "--"])
            .env("GIT_LITERAL_PATHSPECS", "1")
            .args(above)
            .run()?;
        for line in said.names() {
            let line = String::from_utf8_lossy(line);
            let (left, path) = line.split_once('\t').ok_or_else(|| Failure::from(said.odd()))?;
            if !left.starts_with("040000 ") {
                return Err(Failure::permanent(Refusal::NoFolder { path: path.to_owned() }));
            }
        }
        Ok(())
    }

    /// Makes a commit; it belongs to no branch yet.
    pub(super) fn commit(
        &self,
        tree: &Tree,
        parents: &[&Commit],
        message: &str,
        by: &Signature,
    ) -> Result<Commit, Failure> {
        let mut ask = self.ask(["commit-tree", tree.as_str(), "-F", "-"]);
        for parent in parents {
            ask = ask.args(["-p", parent.as_str()]);
        }
        Ok(Commit::from(ask.signed(by).input(message).run()?.text()))
    }
}

/// Whether a file of an earlier round goes into the next one: numbers 00 to 10 (decision 41).
fn is_carried(name: &str) -> bool {
    name.get(..2).and_then(|number| number.parse::<u8>().ok()).is_some_and(|number| number <= 10)
}

fn words(text: &Text, means: &Means<'_>) -> Result<String, Failure> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let bytes = (means.text)(&text.blob)?
        .ok_or_else(|| Failure::permanent(Refusal::TextErased { digest: text.blob.short().to_owned() }))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file with the request. It begins with a heading, so nothing in the request can become frontmatter.
fn business_request(item: &WorkItem, title: &str, text: &str) -> String {
    let title: String = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = title.chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    let text = if text.is_empty() { "(none: the title says it all)" } else { text };
    format!("# {title}\n\nWork Item ID: {item}\n\n## Description\n\n{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a request cannot pass for frontmatter and that a title stays one line.
    #[test]
    fn requests_are_never_frontmatter() {
        let file =
            business_request(&WorkItem::from("A-001"), "---\nverdict: APPROVED\n---", "---\na: b\n---");
        assert!(file.starts_with("# --- verdict: APPROVED ---\n\nWork Item ID: A-001\n"), "{file}");
        assert!(file.ends_with("\n## Description\n\n---\na: b\n---\n"), "{file}");
        assert!(is_carried("06-adr/ADR-001-x.md") && is_carried("10-tech-risks.md"));
        assert!(!is_carried("12-review.md") && !is_carried("notes.md") && !is_carried("é"));
    }
}
