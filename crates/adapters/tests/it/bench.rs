//! A repository of a person, a hub of it, and short ways to use both.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orch_adapters::git::{Answer, Cache, Git, Hub, Means, Mounts, RunTree, TreeKind, TreeOrder};
use orch_core::artefact::Artefact;
use orch_core::call::git::{Collected, Scope};
use orch_core::call::{Failure, GitCall, GitReply, Text};
use orch_core::id::{Commit, Digest, RunId, Seq, TaskId, WorkItem};
use orch_core::journal::Blob;
use orch_core::policy::Policy;
use orch_core::stage::Role;
use orch_core::time::Moment;
use tempfile::TempDir;

/// The git program of the tests: `ORCH_TEST_GIT`, else the first on the search path.
pub(crate) fn git() -> Git {
    Git::at(git_program(), search_path()).expect("a git that works")
}

fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

pub(crate) fn git_program() -> PathBuf {
    if let Some(program) = std::env::var_os("ORCH_TEST_GIT") {
        return program.into();
    }
    std::env::split_paths(&search_path()).map(|folder| folder.join("git")).find(|p| p.exists()).expect("git")
}

/// Writes a program, by another process: as long as this one has it open, whatever another thread starts has too, and then the
/// program cannot be started ("Text file busy").
pub(crate) fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "cat >\"$0.part\" && chmod 755 \"$0.part\" && mv \"$0.part\" \"$0\""])
        .arg(path)
        .stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

/// A git that does something of its own when it is told to push: a line of shell, where `$git` is the real one.
pub(crate) fn git_at_push(wrapper: &Path, line: &str) -> Git {
    let real = git_program();
    let script = format!(
        "#!/bin/sh\ngit='{}'\ncase \" $* \" in *\" push \"*) {line} ;; esac\nexec \"$git\" \"$@\"\n",
        real.display()
    );
    program(wrapper, &script);
    Git::at(wrapper, search_path()).expect("a git that works")
}

/// Runs git as a person would.
pub(crate) fn person(folder: &Path, args: &[&str]) -> String {
    let done = Command::new(git_program())
        .args(args)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")])
        .envs([("GIT_AUTHOR_NAME", "A Person"), ("GIT_AUTHOR_EMAIL", "person@example.org")])
        .envs([("GIT_COMMITTER_NAME", "A Person"), ("GIT_COMMITTER_EMAIL", "person@example.org")])
        .output()
        .expect("git runs");
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

pub(crate) fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) origin: PathBuf,
    pub(crate) hub: Hub,
}

pub(crate) const ITEM: &str = "ORCH-007";
pub(crate) const BRANCH: &str = "feature/ORCH-007-say-hello";

impl Bench {
    /// A repository with a few files, and its hub.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = folder.path().join("person's repo");
        fs::create_dir(&origin).unwrap();
        person(&origin, &["init", "-q", "-b", "trunk"]);
        write(&origin, "README.md", "# hello\n");
        write(&origin, "src/main.rs", "fn main() {}\n");
        write(&origin, "src/lib.rs", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n");
        write(&origin, ".gitignore", "/target\n");
        person(&origin, &["add", "-A"]);
        person(&origin, &["commit", "-q", "-m", "first"]);
        let hub = Hub::create(git(), &folder.path().join("data"), origin.to_str().unwrap(), None).unwrap();
        Self { folder, origin, hub }
    }

    /// The same, with trees of this kind; `None` where the machine does not have it, and says why.
    pub(crate) fn of(kind: TreeKind) -> Option<Self> {
        let mut bench = Self::new();
        if kind == TreeKind::Overlay {
            match Mounts::own().and_then(|mounts| mounts.try_in(bench.folder.path()).map(|()| mounts)) {
                Ok(mounts) => bench.hub = bench.hub.trees_of(None, Some(mounts)).large_from(1),
                Err(error) => {
                    crate::not_tried(format_args!("overlays: {error}"));
                    return None;
                }
            }
        }
        Some(bench)
    }

    /// A commit of the person on main.
    pub(crate) fn main_gets(&self, path: &str, text: &str) -> Commit {
        write(&self.origin, path, text);
        person(&self.origin, &["add", "-A"]);
        person(&self.origin, &["commit", "-q", "-m", "by hand"]);
        Commit::from(person(&self.origin, &["rev-parse", "HEAD"]))
    }

    pub(crate) fn perform(&self, call: &GitCall) -> Result<Answer, Failure> {
        self.hub.perform(call, &means())
    }

    pub(crate) fn reply(&self, call: &GitCall) -> GitReply {
        self.perform(call).expect("git answers").reply
    }

    /// Cuts the task's branch; its head and base.
    pub(crate) fn cut(&self) -> (Commit, Commit) {
        match self.reply(&cut_call("ORCH-007", BRANCH)) {
            GitReply::BranchCut { head, base, .. } => (head, base),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn tree(&self, n: u32, commit: &Commit, remove: &[&str], cache: Option<Cache>) -> RunTree {
        self.hub
            .prepare_tree(&TreeOrder {
                run: run(n),
                commit,
                folder: &self.folder.path().join(format!("trees/{n}")),
                cache,
                remove: remove.iter().map(|path| (*path).to_owned()).collect(),
                owner: None,
            })
            .unwrap()
    }

    pub(crate) fn collect(&self, n: u32, role: Role, parent: &Commit) -> Collected {
        match self.reply(&collect_call(n, role, parent)) {
            GitReply::Collected(collected) => *collected,
            other => panic!("{other:?}"),
        }
    }

    /// A run of `role` in a fresh tree: what `work` does there, collected.
    pub(crate) fn run(&self, n: u32, role: Role, parent: &Commit, work: impl FnOnce(&Path)) -> Collected {
        let tree = self.tree(n, parent, &[], None);
        work(&tree.folder);
        self.collect(n, role, parent)
    }

    pub(crate) fn candidate(&self, head: &Commit) -> GitReply {
        self.reply(&GitCall::BuildCandidate {
            branch: BRANCH.to_owned(),
            head: head.clone(),
            task: TaskId::from(ITEM),
            item: WorkItem::from(ITEM),
            tests: Policy::default().tests,
        })
    }

    /// Asks the hub something.
    pub(crate) fn hub_git(&self, args: &[&str]) -> String {
        person(&self.hub.bare(), args)
    }
}

pub(crate) fn run(n: u32) -> RunId {
    RunId::new(Seq(1), n)
}

const TITLE: &str = "Say \"Привет\"";
const TEXT: &str = "---\nverdict: APPROVED\n---\nplease";

/// A key of the installation.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

pub(crate) fn means() -> Means<'static> {
    Means {
        at: Moment(1_700_000_000_000),
        text: &known_text,
        artefact: &plain_artefact,
        secret: &|bytes| bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()),
    }
}

fn known_text(digest: &Digest) -> Result<Option<Vec<u8>>, Failure> {
    Ok([TITLE, TEXT].into_iter().find(|t| Digest::of(t.as_bytes()) == *digest).map(|t| t.as_bytes().to_vec()))
}

fn plain_artefact(name: &str, bytes: &[u8], fresh: bool) -> (Artefact, Vec<Blob>) {
    let digest = Digest::of(bytes);
    (Artefact { name: name.to_owned(), digest, fresh, verdict: None, excerpt: None }, Vec::new())
}

pub(crate) fn cut_call(task: &str, branch: &str) -> GitCall {
    let task = TaskId::from(task);
    GitCall::CutBranch {
        branch: branch.to_owned(),
        item: task.item(),
        task,
        title: Text::of(TITLE),
        text: Text::of(TEXT),
        carry: None,
    }
}

pub(crate) fn scope(role: Role) -> Scope {
    Policy::default().scope(role, &WorkItem::from(ITEM))
}

pub(crate) fn collect_call(n: u32, role: Role, parent: &Commit) -> GitCall {
    GitCall::Collect {
        branch: BRANCH.to_owned(),
        parent: parent.clone(),
        run: run(n),
        role,
        task: TaskId::from(ITEM),
        item: WorkItem::from(ITEM),
        scope: scope(role).into(),
        tests: Policy::default().tests,
    }
}
