//! What does a forge need of a repository? Branches, histories and merges: a trait, and commits with whole trees in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::sign::name_of;

/// How a change comes into its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A commit with two parents.
    Merge,
    /// Its commits again on top of the base; where nothing stands between, the base moves to them.
    Rebase,
    /// Its commits again on top of the base, and a commit with two parents.
    RebaseMerge,
    /// One commit with its content.
    Squash,
    /// The base moves to it, or nothing happens.
    FastForward,
}

/// Who writes a commit, what they say, when (seconds since 1970).
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The author's name.
    pub author: &'a str,
    /// The message.
    pub message: &'a str,
    /// When.
    pub at: i64,
}

/// What is known of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its 40 digits.
    pub sha: String,
    /// The commits it stands on.
    pub parents: Vec<String>,
    /// Its tree.
    pub tree: String,
    /// Its message.
    pub message: String,
    /// Its author's name.
    pub author: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Paths against its first parent.
    pub added: Vec<String>,
    /// The same.
    pub removed: Vec<String>,
    /// The same.
    pub modified: Vec<String>,
}

/// Two changes that do not go together, and what git said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The commit that could not be put on top, of a rebase.
    pub commit: Option<String>,
    /// The path.
    pub path: String,
}

/// A repository as its forge sees it.
pub trait Git: Send + Debug {
    /// The names of the branches, in order.
    fn branches(&self) -> Vec<String>;

    /// Where a branch stands.
    fn tip(&self, branch: &str) -> Option<String>;

    /// A commit by its 40 digits.
    fn commit(&self, sha: &str) -> Option<Commit>;

    /// A branch stands there from now on, or is gone.
    fn point(&mut self, branch: &str, to: Option<&str>);

    /// Somebody writes a file to a branch that exists: the new commit.
    fn write(&mut self, branch: &str, path: &str, content: &str, signed: Signed) -> Option<String>;

    /// The commit that has both, by this style; no branch moves.
    fn merge(&mut self, style: Style, base: &str, head: &str, signed: Signed) -> Result<String, Conflict>;

    /// A commit with everything that it contains, newest first.
    fn log(&self, from: &str) -> Vec<Commit>;

    /// Whether a commit contains another.
    fn contains(&self, commit: &str, other: &str) -> bool {
        self.log(commit).iter().any(|known| known.sha == other)
    }

    /// The newest commit that both contain.
    fn base(&self, one: &str, other: &str) -> Option<String> {
        let of_one: BTreeSet<String> = self.log(one).into_iter().map(|commit| commit.sha).collect();
        self.log(other).into_iter().map(|commit| commit.sha).find(|sha| of_one.contains(sha))
    }
}

type Files = BTreeMap<String, String>;

#[derive(Debug, Clone)]
struct Object {
    files: Files,
    parents: Vec<String>,
    message: String,
    author: String,
    at: i64,
    /// Higher than that of all it contains.
    height: u64,
}

/// A repository in memory: each commit has its whole tree, files merge as wholes.
#[derive(Debug, Clone, Default)]
pub struct Trees {
    objects: BTreeMap<String, Object>,
    branches: BTreeMap<String, String>,
}

impl Trees {
    /// A repository with one commit on `main`.
    pub fn new() -> Self {
        let mut trees = Self::default();
        let files = Files::from([("README.md".to_owned(), "first\n".to_owned())]);
        let signed = Signed { author: "ann", message: "Initial commit\n", at: 0 };
        let first = trees.put(files, Vec::new(), signed);
        trees.branches.insert("main".to_owned(), first);
        trees
    }

    fn put(&mut self, files: Files, parents: Vec<String>, signed: Signed) -> String {
        let Signed { author, message, at } = signed;
        let sha = name_of(format!("{files:?}{parents:?}{author}{message}{at}").as_bytes());
        let below = parents.iter().filter_map(|parent| self.objects.get(parent));
        let height = below.map(|parent| parent.height + 1).max().unwrap_or_default();
        let (message, author) = (message.to_owned(), author.to_owned());
        self.objects.insert(sha.clone(), Object { files, parents, message, author, at, height });
        sha
    }

    fn files(&self, sha: &str) -> Files {
        self.objects.get(sha).map(|object| object.files.clone()).unwrap_or_default()
    }

    /// What `theirs` changed since `base`, put into `ours`: whole files.
    fn join(base: &Files, ours: &Files, theirs: &Files) -> Result<Files, String> {
        let mut joined = ours.clone();
        for path in base.keys().chain(theirs.keys()) {
            let (was, mine, new) = (base.get(path), ours.get(path), theirs.get(path));
            if was == new || mine == new {
                continue;
            }
            if mine != was {
                return Err(path.clone());
            }
            match new {
                Some(content) => joined.insert(path.clone(), content.clone()),
                None => joined.remove(path),
            };
        }
        Ok(joined)
    }

    /// The commits of the first parents above a commit, oldest first.
    fn above(&self, from: &str, head: &str) -> Vec<String> {
        let mut line = Vec::new();
        let mut at = Some(head.to_owned());
        while let Some(sha) = at.filter(|sha| !self.contains(from, sha)) {
            at = self.objects.get(&sha).and_then(|object| object.parents.first().cloned());
            line.push(sha);
        }
        line.reverse();
        line
    }

    fn rebase(&mut self, base: &str, head: &str) -> Result<String, Conflict> {
        if self.contains(head, base) {
            return Ok(head.to_owned());
        }
        let mut on = base.to_owned();
        for sha in self.above(base, head) {
            let Some(object) = self.objects.get(&sha).cloned() else { continue };
            let before = object.parents.first().map(|parent| self.files(parent)).unwrap_or_default();
            let files = Self::join(&before, &self.files(&on), &object.files)
                .map_err(|path| Conflict { commit: Some(sha), path })?;
            let signed = Signed { author: &object.author, message: &object.message, at: object.at };
            on = self.put(files, vec![on], signed);
        }
        Ok(on)
    }
}

impl Git for Trees {
    fn branches(&self) -> Vec<String> {
        self.branches.keys().cloned().collect()
    }

    fn tip(&self, branch: &str) -> Option<String> {
        self.branches.get(branch).cloned()
    }

    fn commit(&self, sha: &str) -> Option<Commit> {
        let object = self.objects.get(sha)?;
        let before = object.parents.first().map(|parent| self.files(parent)).unwrap_or_default();
        let new = |path: &&String| !before.contains_key(*path);
        let other =
            |path: &&String| before.get(*path).is_some_and(|was| object.files.get(*path) != Some(was));
        Some(Commit {
            sha: sha.to_owned(),
            parents: object.parents.clone(),
            tree: name_of(format!("{:?}", object.files).as_bytes()),
            message: object.message.clone(),
            author: object.author.clone(),
            at: object.at,
            added: object.files.keys().filter(new).cloned().collect(),
            removed: before.keys().filter(|path| !object.files.contains_key(*path)).cloned().collect(),
            modified: object.files.keys().filter(other).cloned().collect(),
        })
    }

    fn point(&mut self, branch: &str, to: Option<&str>) {
        match to {
            Some(sha) => self.branches.insert(branch.to_owned(), sha.to_owned()),
            None => self.branches.remove(branch),
        };
    }

    fn write(&mut self, branch: &str, path: &str, content: &str, signed: Signed) -> Option<String> {
        let tip = self.tip(branch)?;
        let mut files = self.files(&tip);
        files.insert(path.to_owned(), content.to_owned());
        let sha = self.put(files, vec![tip], signed);
        self.branches.insert(branch.to_owned(), sha.clone());
        Some(sha)
    }

    fn merge(&mut self, style: Style, base: &str, head: &str, signed: Signed) -> Result<String, Conflict> {
        let common = self.base(base, head).map(|sha| self.files(&sha)).unwrap_or_default();
        match style {
            Style::Rebase => self.rebase(base, head),
            Style::RebaseMerge => {
                let rebased = self.rebase(base, head)?;
                let files = self.files(&rebased);
                Ok(self.put(files, vec![base.to_owned(), rebased], signed))
            }
            Style::FastForward if self.contains(head, base) => Ok(head.to_owned()),
            Style::FastForward => Err(Conflict { commit: None, path: String::new() }),
            Style::Merge | Style::Squash => {
                let files = Self::join(&common, &self.files(base), &self.files(head))
                    .map_err(|path| Conflict { commit: None, path })?;
                let parents = match style {
                    Style::Merge => vec![base.to_owned(), head.to_owned()],
                    _ => vec![base.to_owned()],
                };
                Ok(self.put(files, parents, signed))
            }
        }
    }

    fn log(&self, from: &str) -> Vec<Commit> {
        let mut seen = BTreeSet::new();
        let mut ahead = vec![from.to_owned()];
        while let Some(sha) = ahead.pop() {
            if let Some(object) = self.objects.get(&sha).filter(|_| !seen.contains(&sha)) {
                ahead.extend(object.parents.iter().cloned());
                seen.insert(sha);
            }
        }
        let mut shas: Vec<String> = seen.into_iter().collect();
        shas.sort_by_key(|sha| std::cmp::Reverse(self.objects.get(sha).map(|object| object.height)));
        shas.iter().filter_map(|sha| self.commit(sha)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(message: &str) -> Signed<'_> {
        Signed { author: "ann", message, at: 1 }
    }

    /// Changes of different files go together in every style, of the same file in none.
    #[test]
    fn files_merge_as_wholes() {
        let mut trees = Trees::new();
        let first = trees.tip("main").unwrap();
        for branch in ["a", "b", "c"] {
            trees.point(branch, Some(&first));
        }
        let a = trees.write("a", "a", "1", signed("a")).unwrap();
        let b = trees.write("b", "b", "1", signed("b")).unwrap();
        let c = trees.write("c", "b", "2", signed("c")).unwrap();
        assert_eq!(trees.merge(Style::Rebase, &first, &a, signed("")), Ok(a.clone()));
        assert_eq!(trees.base(&a, &b), Some(first));
        let both = trees.merge(Style::Merge, &a, &b, signed("both")).unwrap();
        assert!(trees.contains(&both, &a) && trees.contains(&both, &b));
        let squashed = trees.merge(Style::Squash, &a, &b, signed("one")).unwrap();
        assert!(!trees.contains(&squashed, &b));
        assert_eq!(trees.commit(&both).unwrap().tree, trees.commit(&squashed).unwrap().tree);
        let clash = trees.merge(Style::Rebase, &both, &c, signed("")).unwrap_err();
        assert_eq!(clash, Conflict { commit: Some(c.clone()), path: "b".to_owned() });
        assert!(trees.merge(Style::FastForward, &both, &c, signed("")).is_err());
    }
}
