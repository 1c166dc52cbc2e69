//! What sort of repository does a person stand in, and can Orch work with it? Asked of git, which changes nothing here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Kind};
use crate::words::{Told, say};

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
    pub warnings: Vec<Told>,
}

impl Repository {
    /// Looks at the repository around a folder.
    ///
    /// # Errors
    /// It cannot be worked with, and why.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let refused = |cause: Told, remedy: Told| Error::refused(cause).at(folder.display()).remedy(remedy);
        let bare = ask(folder, &["rev-parse", "--is-bare-repository"])?;
        match bare.as_deref() {
            None => {
                return Err(refused(
                    say!("this folder is not in a git repository", "эта папка не в репозитории git"),
                    say!(
                        "go into one, or make one: git init && git add . && git commit",
                        "перейдите в репозиторий или создайте его: git init && git add . && git commit"
                    ),
                ));
            }
            Some("true") => {
                return Err(refused(
                    say!(
                        "this repository is bare: there are no files here to write `.orch/` to",
                        "это bare-репозиторий: в нём нет файлов, и `.orch/` записать некуда"
                    ),
                    say!("run `orch init` in a clone of it", "выполните `orch init` в его клоне"),
                ));
            }
            Some(_) => {}
        }
        let Some(top) = ask(folder, &["rev-parse", "--show-toplevel"])?.map(PathBuf::from) else {
            return Err(refused(
                say!("this folder is inside a `.git` folder", "эта папка внутри `.git`"),
                say!("go up into the repository itself", "поднимитесь в сам репозиторий"),
            ));
        };
        let Some(head) = ask(&top, &["symbolic-ref", "--quiet", "--short", "HEAD"])? else {
            return Err(refused(
                say!("HEAD is detached: no branch is checked out", "ветка не выбрана (detached HEAD)"),
                say!(
                    "check out the main branch first: git switch main",
                    "сначала переключитесь на основную ветку: git switch main"
                ),
            ));
        };
        if ask(&top, &["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])?.is_none() {
            return Err(refused(
                say!(
                    "this repository has no commits yet, so there is nothing to start from",
                    "в этом репозитории ещё нет коммитов, начинать не с чего"
                ),
                say!(
                    "make a first commit: git add . && git commit",
                    "сделайте первый коммит: git add . && git commit"
                ),
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

fn warnings(top: &Path, branch: &str, head: &str) -> Result<Vec<Told>, Error> {
    let mut warnings = Vec::new();
    if head != branch {
        warnings.push(say!(
            "you are on `{head}`; Orch reads its policy from `{branch}`, so that is where to commit it",
            "вы на ветке `{head}`, а политику Orch читает из `{branch}`: коммитить её нужно туда"
        ));
    }
    if ask(top, &["status", "--porcelain", "--untracked-files=no"])?.is_some_and(|out| !out.is_empty()) {
        warnings.push(say!(
            "there are uncommitted changes here; while `{branch}` is checked out with changes, nothing is merged into it",
            "здесь есть незакоммиченные изменения; пока они есть в рабочей копии `{branch}`, в неё ничего не сливается"
        ));
    }
    let tracked = ask(top, &["ls-files", "--stage"])?.unwrap_or_default();
    if tracked.lines().any(|line| line.starts_with("160000 ")) {
        warnings.push(say!(
            "submodules are not fetched in the trees of agents; a change to one is a finding",
            "подмодули в деревья агентов не загружаются; изменение подмодуля считается замечанием"
        ));
    }
    let attributes = ask(top, &["grep", "--quiet", "filter=lfs", "--", "*.gitattributes"])?;
    if attributes.is_some() {
        warnings.push(say!(
            "files in Git LFS are seen by agents and tests as pointers, not as their content",
            "вместо файлов из Git LFS агенты и тесты видят указатели, а не содержимое"
        ));
    }
    if ask(top, &["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true") {
        warnings.push(say!(
            "this clone is shallow; run `git fetch --unshallow`, so that Orch sees the history",
            "это неполный клон; выполните `git fetch --unshallow`, чтобы Orch видел историю"
        ));
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
        Error::new(Kind::Failed, say!("git cannot be started: {e}", "git не запускается: {e}")).remedy(say!(
            "install git 2.38 or newer and put it on PATH",
            "установите git 2.38 или новее и добавьте его в PATH"
        ))
    })?;
    let said = String::from_utf8_lossy(&out.stderr);
    if said.contains("dubious ownership") {
        return Err(Error::refused(say!(
            "git refuses this repository: it belongs to another user",
            "git отказывается работать с этим репозиторием: он принадлежит другому пользователю"
        ))
        .at(folder.display())
        .remedy(say!(
            "run `git config --global --add safe.directory <folder>`, or change the owner",
            "выполните `git config --global --add safe.directory <папка>` или смените владельца"
        )));
    }
    Ok(out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned()))
}
