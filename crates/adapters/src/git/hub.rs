//! Where do a project's commits live? In a bare repository of Orch's own, the hub; the person's repository is its
//! remote and never used as a tree (decision 43).
//!
//! The hub never prunes: run trees borrow its objects. Its refs: `refs/heads/<main>` as last fetched, task branches,
//! and under `refs/orch/` what makes calls repeatable: `runs/`, `left/` (what a run left behind), `cut/`,
//! `candidates/`, `published/` (task branches that stand at the origin), `kept/` (heads of branches
//! that others deleted), `deleted/` (of those that Orch deleted).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use orch_core::call::Failure;
use orch_core::id::{Commit, TaskId, Tree};
use orch_core::refusal::Refusal;

use super::base::{self, Shared};
use super::lasting::{FORCED, keep_refs};
use super::overlay::Mounts;
use super::plain;
use super::program::{Ask, Git, GitError};
use crate::failure;
use crate::process::RunAs;

/// No step of git holds a lock file longer than this; an older one was left by a crash.
const LOCK_AGE: Duration = Duration::from_secs(60);
/// As what the repository was named last, while it was there.
const NAMED: &str = "named";

/// A project's bare repository, with the folders that belong to it.
#[derive(Debug)]
pub struct Hub {
    git: Git,
    /// The project's folder: `hub.git`, `runs`, `pool`, `bases`, `trash`, `cache`, `tmp`.
    root: PathBuf,
    main: String,
    origin: String,
    publish: bool,
    /// One fetch at a time: two would race for the same ref's lock.
    fetching: Mutex<()>,
    /// One push to main at a time: a checkout's files and its ref do not move in one step.
    pushing: Mutex<()>,
    /// What lets trees be overlays.
    pub(super) mounts: Option<Mounts>,
    /// Whose the trees are that are made ahead.
    pub(super) owner: Option<RunAs>,
    /// A repository of as many files is worth sharing them.
    pub(super) worth: usize,
    /// The shared files in use.
    pub(super) shared: Mutex<Shared>,
}

/// Why a project's repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// It cannot be read.
    #[error("the repository `{origin}` cannot be read; check its path or address and your rights")]
    Unreachable {
        /// Where.
        origin: String,
        /// What git said.
        #[source]
        source: GitError,
    },
    /// It has no commits.
    #[error("the repository `{origin}` has no commits yet; make a first commit, then try again")]
    NoCommits {
        /// Where.
        origin: String,
    },
    /// It does not say which branch is main.
    #[error("the HEAD of `{origin}` is detached; check out its main branch there, or name the branch")]
    DetachedHead {
        /// Where.
        origin: String,
    },
    /// The named main does not exist.
    #[error("the repository `{origin}` has no branch `{main}`; name one of: {branches}")]
    NoSuchBranch {
        /// Where.
        origin: String,
        /// What was named.
        main: String,
        /// What there is, at most ten.
        branches: String,
    },
    /// Its history was cut off.
    #[error("the repository `{origin}` is a shallow clone; run `git fetch --unshallow` in it")]
    Shallow {
        /// Where.
        origin: String,
    },
    /// The folder holds the hub of another repository.
    #[error("`{folder}` is the hub of `{has}`, not of `{wanted}`; give the project another name")]
    OtherOrigin {
        /// The folder.
        folder: String,
        /// Whose hub it is.
        has: String,
        /// Whose it should be.
        wanted: String,
    },
    /// The hub itself cannot be made or read.
    #[error("the hub in `{folder}`")]
    Broken {
        /// The folder.
        folder: String,
        /// What git said.
        #[source]
        source: GitError,
    },
    /// The folder cannot be written.
    #[error("the folder `{folder}`")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A ref that is to move, together with others or not at all.
pub(crate) struct RefMove<'a> {
    pub(crate) name: String,
    /// Where it must be; `None`: it must not exist.
    pub(crate) old: Option<&'a str>,
    /// Where it shall be; `None`: it is deleted.
    pub(crate) new: Option<&'a str>,
}

impl Hub {
    /// The hub of the repository at `origin` (a path or an address), made in `root` if it is not there yet. Without
    /// `main` the repository's own default branch is main.
    pub fn create(git: Git, root: &Path, origin: &str, main: Option<&str>) -> Result<Self, HubError> {
        let folder = |source| HubError::Folder { folder: root.display().to_string(), source };
        let named = origin;
        let origin = absolute(origin);
        let bare = root.join("hub.git");
        if bare.join("HEAD").exists() {
            let hub = Self::open(git, root)?;
            // Of one that is away nobody can tell where a link in its path leads: it is waited for, as any other, if this was
            // its name when it was there.
            let was = fs::read_to_string(root.join(NAMED)).is_ok_and(|was| was == named);
            if hub.origin == origin && !was {
                fs::write(root.join(NAMED), named).map_err(folder)?;
            }
            let is_away = was && is_path(named) && fs::metadata(named).is_err();
            if hub.origin != origin && !is_away {
                return Err(HubError::OtherOrigin {
                    folder: root.display().to_string(),
                    has: hub.origin,
                    wanted: origin,
                });
            }
            return Ok(hub);
        }
        let (main, sha256) = default_branch(&git, &origin, main)?;
        let half = root.join("hub.half");
        fs::create_dir_all(root).map_err(folder)?;
        if half.exists() {
            fs::remove_dir_all(&half).map_err(folder)?;
        }
        let broken = |source| HubError::Broken { folder: root.display().to_string(), source };
        git.ask(["init", "--quiet", "--bare", "--template="])
            .arg(if sha256 { "--object-format=sha256" } else { "--object-format=sha1" })
            .arg(format!("--initial-branch={main}"))
            .arg("--")
            .arg(&half)
            .run()
            .map_err(broken)?;
        git.ask(["config", "remote.origin.url"]).arg(&origin).env("GIT_DIR", &half).run().map_err(broken)?;
        let hub = Self::at(git, root, main, origin);
        hub.fetch_into(&half)
            .map_err(|source| HubError::Unreachable { origin: hub.origin.clone(), source })?;
        // Git warns and takes nothing from a repository whose history was cut off.
        let main = format!("refs/heads/{}", hub.main);
        let there = hub.git.ask(["rev-parse", "--verify", "--quiet", &main]).env("GIT_DIR", &half).yes();
        if !there.map_err(broken)? {
            return Err(HubError::Shallow { origin: hub.origin });
        }
        fs::write(root.join(NAMED), named).map_err(folder)?;
        fs::rename(&half, &bare).map_err(folder)?;
        Ok(hub)
    }

    /// The hub that [`Hub::create`] made in `root`.
    pub fn open(git: Git, root: &Path) -> Result<Self, HubError> {
        let bare = root.join("hub.git");
        let broken = |source| HubError::Broken { folder: root.display().to_string(), source };
        let read = |name: &str| fs::read_to_string(bare.join(name)).unwrap_or_default();
        let main = match plain::head(&read("HEAD")) {
            Some(main) => main.to_owned(),
            None => {
                let ask = git.ask(["symbolic-ref", "--short", "HEAD"]).env("GIT_DIR", &bare);
                ask.run().map_err(broken)?.text()
            }
        };
        let origin = match plain::origin(&read("config")) {
            Some(origin) => origin.to_owned(),
            None => {
                let ask = git.ask(["config", "remote.origin.url"]).env("GIT_DIR", &bare);
                ask.run().map_err(broken)?.text()
            }
        };
        Ok(Self::at(git, root, main, origin))
    }

    fn at(git: Git, root: &Path, main: String, origin: String) -> Self {
        Self {
            git,
            root: root.to_owned(),
            main,
            origin,
            publish: false,
            fetching: Mutex::new(()),
            pushing: Mutex::new(()),
            mounts: None,
            owner: None,
            worth: base::WORTH,
            shared: Mutex::default(),
        }
    }

    /// Trees are made ahead for this user; only theirs are overlays, where `mounts` allows any.
    #[must_use]
    pub fn trees_of(mut self, owner: Option<RunAs>, mounts: Option<Mounts>) -> Self {
        (self.owner, self.mounts) = (owner, mounts);
        self
    }

    /// From how many files on a repository is worth trees made ahead, and shared files; for tests and measurements.
    #[must_use]
    pub fn large_from(mut self, files: usize) -> Self {
        self.worth = files;
        self
    }

    /// Pushes task branches to the origin too. Off for a person's own repository: there Orch pushes main and the branch of
    /// records, and nothing else (decisions 18, 43).
    #[must_use]
    pub fn publishing(mut self, publish: bool) -> Self {
        self.publish = publish;
        self
    }

    /// The name of the main branch.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// The person's repository: a path or an address.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The bare repository.
    pub fn bare(&self) -> PathBuf {
        self.root.join("hub.git")
    }

    /// The hub's objects: what a run must be able to read besides its tree.
    pub fn objects(&self) -> PathBuf {
        self.bare().join("objects")
    }

    /// The program that this hub is asked by.
    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    /// Holds back other pushes to main.
    pub(crate) fn pushing(&self) -> MutexGuard<'_, ()> {
        self.pushing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether task branches are pushed to the origin.
    pub fn publishes(&self) -> bool {
        self.publish
    }

    /// A folder of this project, made if it is not there.
    pub(crate) fn room(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.root.join(name);
        fs::create_dir_all(&folder).map_err(failure::io(&folder))?;
        Ok(folder)
    }

    /// A call of git on the hub.
    pub(crate) fn ask<I, A>(&self, args: I) -> Ask<'_>
    where
        I: IntoIterator<Item = A>,
        A: Into<OsString>,
    {
        self.git.ask(args).env("GIT_DIR", self.bare())
    }

    /// Fetches main from the origin and says where it is now.
    pub fn fetch_main(&self) -> Result<Commit, Failure> {
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        self.past_locks(|| self.fetch_into(&self.bare()))?;
        self.main_head()
    }

    /// Where main was when it was last fetched.
    pub fn main_head(&self) -> Result<Commit, Failure> {
        self.head_of(&self.main)?.ok_or_else(|| {
            Failure::permanent(Refusal::NoMain { origin: self.origin.clone(), main: self.main.clone() })
        })
    }

    fn fetch_into(&self, bare: &Path) -> Result<(), GitError> {
        self.fetch(bare, &self.main)
    }

    /// Takes a branch of the origin over as it is there.
    pub(crate) fn fetch_branch(&self, branch: &str) -> Result<(), GitError> {
        let _one = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        self.fetch(&self.bare(), branch)
    }

    fn fetch(&self, bare: &Path, branch: &str) -> Result<(), GitError> {
        let mut ask = self
            .git
            .ask(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"])
            .env("GIT_DIR", bare)
            .remote();
        if is_path(&self.origin) {
            ask = ask.arg(format!("--upload-pack={}", self.other_side("upload-pack", &[])));
        }
        ask.args(["origin".to_owned(), format!("+refs/heads/{branch}:refs/heads/{branch}")]).run().map(drop)
    }

    /// The command that serves a repository on this machine: our git with these settings, whatever PATH and the
    /// owner of the repository are.
    pub(crate) fn other_side(&self, service: &str, settings: &[&str]) -> String {
        let quoted = self.git.program().display().to_string().replace('\'', "'\\''");
        let settings: String = FORCED.iter().chain(settings).map(|s| format!(" -c {s}")).collect();
        format!(
            "'{quoted}' -c safe.directory='*' -c core.hooksPath=/dev/null -c gc.auto=0{settings} {service}"
        )
    }

    /// Whether the origin is a repository on this machine.
    pub(crate) fn origin_path(&self) -> Option<&Path> {
        is_path(&self.origin).then(|| Path::new(&self.origin))
    }

    /// Where the origin has a branch, asked now.
    pub(crate) fn origin_head_of(&self, branch: &str) -> Result<Option<Commit>, Failure> {
        let mut ask = self.ask(["ls-remote", "--quiet"]).remote();
        if is_path(&self.origin) {
            ask = ask.arg(format!("--upload-pack={}", self.other_side("upload-pack", &[])));
        }
        let said = ask.args(["origin".to_owned(), format!("refs/heads/{branch}")]).run()?;
        let text = said.text();
        Ok(text.lines().find_map(|line| {
            let (id, name) = line.split_once('\t')?;
            (name.strip_prefix("refs/heads/") == Some(branch)).then(|| Commit::from(id))
        }))
    }

    /// Where a branch of the hub is.
    pub(crate) fn head_of(&self, branch: &str) -> Result<Option<Commit>, Failure> {
        Ok(self.value_of(&format!("refs/heads/{branch}"))?.map(Commit::from))
    }

    /// What a ref names; `None` if there is no such ref.
    pub(crate) fn value_of(&self, name: &str) -> Result<Option<String>, Failure> {
        let said = self.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", name]).answer()?;
        match said.status.code() {
            Some(0) => Ok(Some(said.text())),
            Some(1) => Ok(None),
            Some(_) | None => Err(said.refused().into()),
        }
    }

    /// Whether a commit is there.
    pub(crate) fn has_commit(&self, commit: &Commit) -> Result<bool, Failure> {
        Ok(self.value_of(&format!("{commit}^{{commit}}"))?.is_some())
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&self, commit: &Commit) -> Result<Tree, Failure> {
        let said = self
            .ask(["rev-parse", "--verify", "--end-of-options"])
            .arg(format!("{commit}^{{tree}}"))
            .run()?;
        Ok(Tree::from(said.text()))
    }

    /// The parents of a commit.
    pub(crate) fn parents_of(&self, commit: &Commit) -> Result<Vec<Commit>, Failure> {
        let said = self
            .ask(["rev-list", "--parents", "--max-count=1", "--end-of-options"])
            .arg(commit.as_str())
            .run()?;
        Ok(said.text().split(' ').skip(1).map(Commit::from).collect())
    }

    /// Whether `old` is `new` or an ancestor of it; an error is never a no (decision 36).
    pub(crate) fn is_ancestor(&self, old: &Commit, new: &Commit) -> Result<bool, Failure> {
        let asked = self.ask(["merge-base", "--is-ancestor"]).args([old.as_str(), new.as_str()]).yes();
        asked.map_err(|error| {
            let (old, new) = (old.clone(), new.clone());
            Failure::unknown(Refusal::AncestorUntold { old, new, cause: error.to_string() })
        })
    }

    /// The newest commit that both have.
    pub(crate) fn merge_base(&self, a: &Commit, b: &Commit) -> Result<Commit, Failure> {
        let said = self.ask(["merge-base"]).args([a.as_str(), b.as_str()]).answer()?;
        match said.status.code() {
            Some(0) => Ok(Commit::from(said.text())),
            Some(1) => Err(Failure::permanent(Refusal::NoCommonHistory { a: a.clone(), b: b.clone() })),
            Some(_) | None => Err(said.refused().into()),
        }
    }

    /// Moves refs for good, all or none; whoever gets an error looks where they are.
    pub(crate) fn move_refs(&self, moves: &[RefMove<'_>]) -> Result<(), GitError> {
        let mut input = Vec::new();
        for step in moves {
            let zero = "";
            let line = match (step.new, step.old) {
                (Some(new), Some(old)) => format!("update {}\0{new}\0{old}\0", step.name),
                (Some(new), None) => format!("create {}\0{new}\0", step.name),
                (None, old) => format!("delete {}\0{}\0", step.name, old.unwrap_or(zero)),
            };
            input.extend_from_slice(line.as_bytes());
        }
        self.past_locks(|| self.ask(["update-ref", "--stdin", "-z"]).input(input.clone()).run().map(drop))?;
        let kept = keep_refs(&self.bare(), moves.iter().map(|step| &*step.name));
        kept.map_err(|source| GitError::Io { command: "update-ref".to_owned(), source })
    }

    /// Pushes a task branch to the origin if task branches are published: with lease, never main. False: somebody
    /// else pushed there meanwhile.
    pub(crate) fn publish_branch(
        &self,
        branch: &str,
        head: Option<&Commit>,
        expected: Option<&Commit>,
    ) -> Result<bool, Failure> {
        if !self.publish {
            return Ok(true);
        }
        if branch == self.main {
            return Err(Failure::permanent(Refusal::MainNotPushed { branch: branch.to_owned() }));
        }
        let there = self.origin_head_of(branch)?;
        if there.as_ref() == head {
            return Ok(true);
        }
        if there.as_ref() != expected {
            return Ok(false);
        }
        let lease = expected.map_or("", Commit::as_str);
        let mut push = self.push();
        if self.origin_path().is_some() {
            push = push.arg(format!("--receive-pack={}", self.other_side("receive-pack", &[])));
        }
        let said = push
            .arg(format!("--force-with-lease=refs/heads/{branch}:{lease}"))
            .arg("origin")
            .arg(format!("{}:refs/heads/{branch}", head.map_or("", Commit::as_str)))
            .answer()?;
        if said.status.success() {
            self.keep_at_origin(branch)?;
            return Ok(true);
        }
        if said.text().contains("stale info") {
            return Ok(false);
        }
        Err(said.refused().into())
    }

    /// A push, without its refs yet.
    pub(crate) fn push(&self) -> Ask<'_> {
        self.ask(["push", "--quiet", "--porcelain", "--no-verify"]).changes_elsewhere()
    }

    /// Asks git, and once more if a lock that a crash left was in the way and is gone.
    fn past_locks(&self, ask: impl Fn() -> Result<(), GitError>) -> Result<(), GitError> {
        match ask() {
            Err(error) if self.clear_stale_locks(&error) => ask(),
            done => done,
        }
    }

    /// Removes lock files that a crash left, if one was in the way. Whether there was any.
    fn clear_stale_locks(&self, error: &GitError) -> bool {
        if !error.to_string().contains(".lock': File exists") {
            return false;
        }
        let bare = self.bare();
        let mut folders = vec![bare.join("refs")];
        let mut files = vec![bare.join("packed-refs.lock"), bare.join("HEAD.lock"), bare.join("config.lock")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(_) | Err(_) => files.push(entry.path()),
                }
            }
        }
        let mut removed = false;
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "lock")) {
            if fs::metadata(&file).and_then(|meta| meta.modified()).is_ok_and(is_left) {
                tracing::warn!(file = %file.display(), "removed a lock that a crash left behind");
                removed |= fs::remove_file(&file).is_ok();
            }
        }
        removed
    }
}

/// Whether a crash left what was touched at that time: no step of git takes so long.
pub(super) fn is_left(touched: SystemTime) -> bool {
    SystemTime::now().duration_since(touched).is_ok_and(|age| age > LOCK_AGE)
}

/// Removes an index and the lock that a crash may have left beside it.
pub(crate) fn remove_index(index: &Path) -> Result<(), Failure> {
    for file in [index, &index.with_added_extension("lock")] {
        super::paths::remove(file).map_err(failure::io(file))?;
    }
    Ok(())
}

/// A task's id as a part of a ref's name: `~` may not stand in one.
pub(crate) fn ref_part(task: &TaskId) -> String {
    task.as_str().replace('~', ".")
}

/// The main branch of a repository, and whether it names objects by SHA-256.
fn default_branch(git: &Git, origin: &str, main: Option<&str>) -> Result<(String, bool), HubError> {
    let unreachable = |source| HubError::Unreachable { origin: origin.to_owned(), source };
    let said =
        git.ask(["ls-remote", "--symref", "--quiet", "--", origin]).remote().run().map_err(unreachable)?;
    let text = said.text();
    let mut branches = Vec::new();
    let (mut symbolic, mut head) = (None, None);
    for (left, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        if name == "HEAD" {
            match left.strip_prefix("ref: refs/heads/") {
                Some(branch) => symbolic = Some(branch.to_owned()),
                None => head = Some(left),
            }
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            branches.push((branch, left));
        }
    }
    let Some((_, any)) = branches.first() else {
        return Err(HubError::NoCommits { origin: origin.to_owned() });
    };
    let sha256 = any.len() == 64;
    let wanted = match (main, symbolic) {
        (Some(main), _) => main.to_owned(),
        (None, Some(branch)) => branch,
        (None, None) if head.is_some() => {
            return Err(HubError::DetachedHead { origin: origin.to_owned() });
        }
        // HEAD names a branch without commits, others have some.
        (None, None) => return Err(HubError::NoCommits { origin: origin.to_owned() }),
    };
    if !branches.iter().any(|(branch, _)| *branch == wanted) {
        let branches: Vec<&str> = branches.iter().map(|(branch, _)| *branch).take(10).collect();
        return Err(HubError::NoSuchBranch {
            origin: origin.to_owned(),
            main: wanted,
            branches: branches.join(", "),
        });
    }
    Ok((wanted, sha256))
}

/// A path as an absolute one: git would look for a relative one below the hub.
fn absolute(origin: &str) -> String {
    if !is_path(origin) {
        return origin.to_owned();
    }
    fs::canonicalize(origin).map_or_else(|_| origin.to_owned(), |path| path.display().to_string())
}

/// Whether git would take it for a path on this machine: neither `scheme://` nor `host:path`.
fn is_path(origin: &str) -> bool {
    match origin.split_once(':') {
        None => true,
        Some((before, _)) => before.contains('/'),
    }
}
