//! What sort of repository does a person stand in, and can Orch work with it? Asked of git, which changes nothing here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Kind};

/// A repository that Orch can work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its top folder.
    pub top: PathBuf,
    /// Its main branch.
    pub branch: String,
    /// The branch that is checked out.
    pub head: String,
    /// What a person should know.
    pub warnings: Vec<String>,
}

impl Repository {
    /// Looks at the repository around a folder.
    ///
    /// # Errors
    /// It cannot be worked with, and why.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let refused = |cause: &str, remedy: &str| Error::refused(cause).at(folder.display()).remedy(remedy);
        let bare = ask(folder, &["rev-parse", "--is-bare-repository"])?;
        match bare.as_deref() {
            None => {
                return Err(refused(
                    "this folder is not in a git repository",
                    "go into one, or make one: git init && git add . && git commit",
                ));
            }
            Some("true") => {
                return Err(refused(
                    "this repository is bare: there are no files here to write `.orch/` to",
                    "run `orch init` in a clone of it",
                ));
            }
            Some(_) => {}
        }
        let Some(top) = ask(folder, &["rev-parse", "--show-toplevel"])?.map(PathBuf::from) else {
            return Err(refused("this folder is inside a `.git` folder", "go up into the repository itself"));
        };
        let Some(head) = ask(&top, &["symbolic-ref", "--quiet", "--short", "HEAD"])? else {
            return Err(refused(
                "HEAD is detached: no branch is checked out",
                "check out the main branch first: git switch main",
            ));
        };
        if ask(&top, &["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])?.is_none() {
            return Err(refused(
                "this repository has no commits yet, so there is nothing to start from",
                "make a first commit: git add . && git commit",
            ));
        }
        let branch = main_branch(&top, &head)?;
        let warnings = warnings(&top, &branch, &head)?;
        Ok(Self { top, branch, head, warnings })
    }
}

/// The branch that the remote calls its main one, else `main` or `master`, else the one checked out.
fn main_branch(top: &Path, head: &str) -> Result<String, Error> {
    let remote = ask(top, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
    let remote = remote.and_then(|name| name.strip_prefix("origin/").map(str::to_owned));
    for name in remote.into_iter().chain(["main".to_owned(), "master".to_owned()]) {
        let full = format!("refs/heads/{name}");
        if ask(top, &["rev-parse", "--quiet", "--verify", &full])?.is_some() {
            return Ok(name);
        }
    }
    Ok(head.to_owned())
}

fn warnings(top: &Path, branch: &str, head: &str) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    if head != branch {
        warnings.push(format!(
            "you are on `{head}`; Orch reads its policy from `{branch}`, so that is where to commit it"
        ));
    }
    if ask(top, &["status", "--porcelain", "--untracked-files=no"])?.is_some_and(|out| !out.is_empty()) {
        warnings.push(format!(
            "there are uncommitted changes here; while `{branch}` is checked out with changes, nothing is merged into it"
        ));
    }
    let tracked = ask(top, &["ls-files", "--stage"])?.unwrap_or_default();
    if tracked.lines().any(|line| line.starts_with("160000 ")) {
        warnings.push(
            "submodules are not fetched in the trees of agents; a change to one is a finding".to_owned(),
        );
    }
    let attributes = ask(top, &["grep", "--quiet", "filter=lfs", "--", "*.gitattributes"])?;
    if attributes.is_some() {
        warnings.push(
            "files in Git LFS are seen by agents and tests as pointers, not as their content".to_owned(),
        );
    }
    if ask(top, &["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true") {
        warnings.push(
            "this clone is shallow; run `git fetch --unshallow`, so that Orch sees the history".to_owned(),
        );
    }
    Ok(warnings)
}

/// Asks git; `None` if it answers no.
fn ask(folder: &Path, arguments: &[&str]) -> Result<Option<String>, Error> {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0");
    // A hook or an alias that calls us must not decide which repository is meant.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"] {
        git.env_remove(name);
    }
    let out = git.output().map_err(|e| {
        Error::new(Kind::Failed, format!("git cannot be started: {e}"))
            .remedy("install git 2.38 or newer and put it on PATH")
    })?;
    let said = String::from_utf8_lossy(&out.stderr);
    if said.contains("dubious ownership") {
        return Err(Error::refused("git refuses this repository: it belongs to another user")
            .at(folder.display())
            .remedy("run `git config --global --add safe.directory <folder>`, or change the owner"));
    }
    Ok(out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned()))
}
