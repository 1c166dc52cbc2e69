//! What do the tests of agents, gates and hooks share? A temporary installation with real processes, and trees that are
//! copied from folders named by commits. The test binary uses it as well, to be killed in the middle of a start.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in its own functions")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use orch_adapters::agent::{AgentKind, AgentProgram, Agents, Login};
use orch_adapters::lease::Registry;
use orch_adapters::process::{Launcher, RunAs};
use orch_adapters::run::{Machine, Masker, OnStep, Places, Runs, Tree, TreeWish, Trees};
use orch_core::call::agent::Assignment;
use orch_core::call::{Failure, Text};
use orch_core::id::{Commit, RunId, Seq};
use orch_core::stage::Role;
use orch_core::time::Span;

/// A commit of the temporary world.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Trees copied from `<root>/commits/<commit>`.
pub(crate) struct Copies {
    commits: PathBuf,
    trees: PathBuf,
    /// The caches that were wished for.
    pub(crate) caches: Mutex<Vec<(String, Vec<String>)>>,
}

impl Trees for Copies {
    fn prepare(&self, wish: &TreeWish<'_>) -> Result<Tree, Failure> {
        let _ = fs::remove_dir_all(wish.folder);
        copy(&self.commits.join(wish.commit.as_str()), wish.folder);
        for path in &wish.remove {
            let _ = fs::remove_file(wish.folder.join(path));
        }
        if let Some((key, paths)) = &wish.cache {
            self.caches.lock().unwrap().push((key.clone(), paths.to_vec()));
        }
        if let Some(user) = wish.owner {
            give(wish.folder, user);
        }
        Ok(Tree { folder: wish.folder.to_path_buf(), borrows: Vec::new() })
    }

    fn give_back(&self, run: RunId) -> Result<(), Failure> {
        let _ = fs::remove_dir_all(self.trees.join(run.to_string()));
        Ok(())
    }
}

fn give(path: &Path, user: RunAs) {
    std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid)).unwrap();
    for entry in fs::read_dir(path).into_iter().flatten() {
        give(&entry.unwrap().path(), user);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &there);
        } else {
            fs::copy(entry.path(), there).unwrap();
        }
    }
}

/// The runs of the project `demo` below `root`, started by `exe`.
pub(crate) fn runs(root: &Path, exe: &Path) -> (Runs, Arc<Copies>) {
    fs::create_dir_all(root.join("commits").join(COMMIT)).unwrap();
    let trees = Arc::new(Copies {
        commits: root.join("commits"),
        trees: root.join("trees"),
        caches: Mutex::default(),
    });
    let runs = Runs {
        project: "demo".into(),
        places: Places { runs: root.join("runs"), trees: root.join("trees"), homes: root.join("homes") },
        machine: Machine::of("/usr/local/bin:/usr/bin:/bin", Path::new("/nonexistent"), |_| None),
        launcher: Launcher { exe: exe.to_path_buf() },
        ports: Registry::within(root.join("leases"), 20_000, 28_999, 10),
        trees: trees.clone(),
        mask: Masker::default(),
        on_step: None,
    };
    (runs, trees)
}

/// An agent that plays `<root>/scenario.toml`.
pub(crate) fn agents(root: &Path, exe: &Path, on_step: Option<OnStep>) -> Agents {
    let (mut runs, _) = runs(root, exe);
    runs.on_step = on_step;
    let scenario = root.join("scenario.toml");
    let scripted = AgentProgram {
        name: "scripted".to_owned(),
        kind: AgentKind::Scripted { scenario },
        program: exe.to_string_lossy().into_owned(),
        args: Vec::new(),
        env: BTreeMap::new(),
        read_only: Vec::new(),
        login: Login::default(),
        provider: "none".into(),
        model: None,
        effort: None,
        price: None,
    };
    Agents {
        runs,
        programs: BTreeMap::from([(scripted.name.clone(), scripted)]),
        prompt: Arc::new(|assignment| Ok(format!("Be the {}.\n", assignment.role))),
        cache: Vec::new(),
    }
}

/// Run `r<n>.0`, of the developer, by the agent `scripted`.
pub(crate) fn assignment(n: u64) -> Assignment {
    Assignment {
        run: RunId::new(Seq(n), 0),
        task: "DEMO-001".into(),
        item: "DEMO-001".into(),
        issue: "1".into(),
        role: Role::Developer,
        agent: "scripted".to_owned(),
        commit: Commit::from(COMMIT),
        title: Text::of("title"),
        text: Text::of("text"),
        base: Commit::from(COMMIT),
        attempt: (1, 3),
        findings: None,
        answers: false,
        limit: Span::minutes(5),
        tokens: 0,
    }
}
