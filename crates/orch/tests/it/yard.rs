//! Where is the real composition tried with bad input? An installation in a temporary folder, put together as `orch up`
//! does it, in this process; the runs are real processes of the real binary.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use orch::client::Client;
use orch::compose::{self, Outside, Running, Wishes, sweep};
use orch::error::Error;
use orch::home::Home;
use orch::settings::{Loaded, Settings};
use orch_core::hold::{HoldKind, Standing, standing};
use orch_core::id::{Digest, Entity, ProjectId, TaskId};
use orch_core::journal::Row;
use orch_core::state::State;
use orch_core::task::{Rest, Step, Task};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scene;

/// The name of the project.
pub(crate) const PROJECT: &str = "yard";

/// Far above what any of these takes on a busy machine: three builds of a published crate are among them.
const PATIENCE: Duration = Duration::from_secs(300);

/// A policy whose tests are always green.
pub(crate) const GREEN: &str = "preset = \"library\"\ntest = [\"true\"]\n";

/// An installation for one test.
pub(crate) struct Yard {
    dir: TempDir,
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    /// What the composition is told.
    pub(crate) wishes: Wishes,
    /// Where the dashboard listens.
    pub(crate) address: String,
    /// What stands in the settings before the agent's table.
    pub(crate) top: String,
    /// The table of the agent `worker`, without its head.
    pub(crate) agent: String,
    /// Further keys of the project.
    pub(crate) project: String,
}

impl Yard {
    /// A folder with nothing but a scenario in which everybody does well.
    pub(crate) fn new() -> Self {
        Self::below(".tmp")
    }

    /// The same in a folder whose name begins so.
    pub(crate) fn below(name: &str) -> Self {
        let dir = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        // Another user, if agents run as one, must be able to walk in.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let mut wishes = Wishes {
            exe: env!("CARGO_BIN_EXE_orch").into(),
            path: text("PATH"),
            person: text("HOME").into(),
            ..Wishes::default()
        };
        for name in ["RUSTUP_HOME", "CARGO_HOME"] {
            if let Ok(value) = std::env::var(name) {
                wishes.variables.insert(name.to_owned(), value);
            }
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let script = dir.path().join("scenario.toml");
        let agent = format!("kind = \"scripted\"\nscript = \"{}\"\n", script.display());
        let yard = Self {
            dir,
            runtime,
            running: None,
            wishes,
            address: "127.0.0.1:0".to_owned(),
            top: String::new(),
            agent,
            project: String::new(),
        };
        yard.play(&[]);
        yard
    }

    /// With a repository in which these files and this policy are committed on main.
    pub(crate) fn with(files: &[(&str, &str)], policy: &str) -> Self {
        Self::new().holding(files, policy)
    }

    /// The same in the folder that it has.
    pub(crate) fn holding(self, files: &[(&str, &str)], policy: &str) -> Self {
        self.git(["init", "--quiet", "--initial-branch=main"]);
        for (name, text) in files {
            self.write(&format!("repository/{name}"), text);
        }
        self.write("repository/README.md", "# yard\n");
        self.write("repository/.orch/policy.toml", policy);
        self.commit("first");
        self
    }

    /// Who does what; roles that are not named do well.
    pub(crate) fn play(&self, parts: &[(&str, &str)]) {
        let mut text = "version = 1\n".to_owned();
        for (role, steps) in WELL {
            if !parts.iter().any(|(other, _)| *other == role) {
                text.push_str(&format!("[[part]]\nrole = \"{role}\"\n{steps}\n"));
            }
        }
        for (role, steps) in parts {
            text.push_str(&format!("[[part]]\nrole = \"{role}\"\n{steps}\n"));
        }
        self.write("scenario.toml", &text);
    }

    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.dir.path().join("home"))
    }

    pub(crate) fn repository(&self) -> PathBuf {
        let path = self.dir.path().join("repository");
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        // Whole or not at all, as a careful editor does it: somebody may be reading.
        let part = file.with_extension("part");
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, &file).unwrap();
        file
    }

    /// A script that anyone may run.
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let file = self.dir.path().join(name);
        crate::stage::program(&file, text);
        file
    }

    #[track_caller]
    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        self.git_in(&self.repository(), arguments)
    }

    /// A second repository, with a policy and a commit, that no project has yet.
    pub(crate) fn another_repository(&self) -> PathBuf {
        let other = self.folder().join("other");
        std::fs::create_dir_all(other.join(".orch")).unwrap();
        self.git_in(&other, ["init", "--quiet", "--initial-branch=main"]);
        std::fs::write(other.join(".orch/policy.toml"), GREEN).unwrap();
        self.git_in(&other, ["add", "--all"]);
        self.git_in(&other, ["commit", "--quiet", "--message", "first"]);
        other
    }

    #[track_caller]
    pub(crate) fn git_in<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> String {
        let who = ["AUTHOR", "COMMITTER"];
        let out = Command::new("git")
            .env_clear()
            .envs([("PATH", self.wishes.path.as_str()), ("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs(who.map(|who| (format!("GIT_{who}_NAME"), "A Person")))
            .envs(who.map(|who| (format!("GIT_{who}_EMAIL"), "person@example.org")))
            .env("HOME", self.dir.path())
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    pub(crate) fn commit(&self, title: &str) {
        self.git(["add", "--all", "--force"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", title]);
    }

    /// Puts a policy on main.
    pub(crate) fn policy(&self, text: impl AsRef<[u8]>) {
        self.write("repository/.orch/policy.toml", text);
        self.commit("policy");
    }

    /// What its orch.toml would say.
    pub(crate) fn settings_text(&self) -> String {
        format!(
            "listen = \"{address}\"\nagent = \"worker\"\n{top}\n[agents.worker]\n{agent}\n\
             [projects.{PROJECT}]\nprefix = \"YARD\"\nrepository = \"{repository}\"\n{project}\n",
            address = self.address,
            top = self.top,
            agent = self.agent,
            repository = self.repository().display(),
            project = self.project,
        )
    }

    pub(crate) fn settings(&self) -> Settings {
        let text = self.settings_text();
        Settings::of_text(&self.home().settings(), &text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}")).0
    }

    /// Its settings, and the file that stands for them if there is one.
    pub(crate) fn loaded(&self) -> Loaded {
        let text = std::fs::read_to_string(self.home().settings()).unwrap_or_default();
        Loaded { settings: self.settings(), remarks: Vec::new(), text }
    }

    /// Starts it, or says why not.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        let loaded = self.loaded();
        self.start_with(loaded)
    }

    /// Starts it with what was read of its settings.
    pub(crate) fn start_with(&mut self, loaded: Loaded) -> Result<(), Error> {
        let started = compose::start(self.home(), loaded, self.wishes.clone());
        self.running = Some(self.runtime.block_on(started)?);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn up(&mut self) -> &mut Self {
        self.start().unwrap_or_else(|e| panic!("{e}"));
        self
    }

    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("started")
    }

    pub(crate) fn outside(&self) -> &std::sync::Arc<Outside> {
        &self.running().outside
    }

    /// Types a command for this installation: what it prints, and what it notes.
    #[track_caller]
    pub(crate) fn typed(&self, arguments: &[&str]) -> (String, String) {
        let (well, said, noted) = self.tried(arguments);
        assert!(well, "{arguments:?}: {noted}");
        (said, noted)
    }

    /// As `typed`, and whether it went well.
    pub(crate) fn tried(&self, arguments: &[&str]) -> (bool, String, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_orch"))
            .env_clear()
            .envs([("PATH", self.wishes.path.as_str()), ("LC_ALL", "C"), ("USER", "me")])
            .env("HOME", self.dir.path())
            .env("ORCH_HOME", self.home().folder())
            .args(arguments)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.success(), text(&out.stdout), text(&out.stderr))
    }

    pub(crate) fn sweep(&self) {
        self.runtime.block_on(sweep::once(self.outside()));
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.runtime.block_on(async { Client::open(&self.home(), Some("me")).await?.post(path, body).await })
    }

    /// Asks for a change and starts it.
    #[track_caller]
    pub(crate) fn ask(&self, title: &str) -> TaskId {
        let body = json!({ "project": PROJECT, "title": title, "text": "", "start": true });
        let made = self.post("/api/v1/issues", &body).unwrap_or_else(|e| panic!("{e}"));
        TaskId::from(made["task"].as_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn press(&self, task: &TaskId, what: &str) {
        self.post(&format!("/api/v1/tasks/{task}/{what}"), &json!({})).unwrap_or_else(|e| panic!("{e}"));
    }

    pub(crate) fn task(&self, id: &TaskId) -> Task {
        let kept = self.outside().read(|reader| reader.state(&Entity::Task(id.clone()))).unwrap();
        match kept.map(|kept| kept.state) {
            Some(State::Task(task)) => *task,
            other => panic!("{id}: {other:?}"),
        }
    }

    pub(crate) fn text(&self, digest: &Digest) -> String {
        String::from_utf8_lossy(&self.outside().blob(digest).unwrap().unwrap_or_default()).into_owned()
    }

    /// All rows of the journal.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.outside().read(|reader| reader.rows(orch_core::id::Seq(1), 100_000)).unwrap()
    }

    /// Waits for commits until the task is as it should be.
    #[track_caller]
    pub(crate) fn until<T>(&self, id: &TaskId, what: &str, look: impl Fn(&Task) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut head = self.outside().head.clone();
        loop {
            head.borrow_and_update();
            let task = self.task(id);
            if let Some(seen) = look(&task) {
                return seen;
            }
            let left = until.saturating_duration_since(Instant::now());
            let news = self.runtime.block_on(async { tokio::time::timeout(left, head.changed()).await });
            assert!(news.is_ok(), "{what}: it did not come; {:?} {:?}", self.holds(id), self.task(id));
        }
    }

    /// Lets a task travel to its end or to where a person is needed; the requirements are approved.
    #[track_caller]
    pub(crate) fn travel(&self, id: &TaskId) -> Task {
        loop {
            let task = self.until(id, "the end of the travel", |task| match &task.step {
                Step::Rest(_) => Some(task.clone()),
                Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => None,
            });
            if task.step != Step::Rest(Rest::Approval) {
                return task;
            }
            self.press(id, "approve");
        }
    }

    /// Waits for commits until the store is known to be damaged.
    #[track_caller]
    pub(crate) fn until_damaged(&self) {
        let mut head = self.outside().head.clone();
        let damaged = |yard: &Self| {
            let look = yard.outside().asker.ask(|board, _| board.installation().damaged.is_some());
            yard.runtime.block_on(look).unwrap_or_default()
        };
        while !damaged(self) {
            let news = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, head.changed()).await });
            assert!(news.is_ok(), "nothing is found");
        }
    }

    /// Waits for commits until nothing is on its way to the outside.
    #[track_caller]
    pub(crate) fn settle(&self) {
        let mut head = self.outside().head.clone();
        while !self.outside().read(|reader| reader.open_effects()).unwrap().is_empty() {
            let news = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, head.changed()).await });
            assert!(news.is_ok(), "effects do not end");
        }
    }

    /// What keeps a task, in order.
    pub(crate) fn holds(&self, id: &TaskId) -> Vec<HoldKind> {
        let task = self.task(id);
        let now = orch_engine::clock::now();
        let looked = self.outside().asker.ask(move |board, policies| standing(&task, board, policies, now));
        match self.runtime.block_on(looked) {
            Some(Standing::Held(holds)) => holds.into_iter().map(|hold| hold.kind).collect(),
            Some(Standing::Working { .. } | Standing::Over { .. }) | None => Vec::new(),
        }
    }

    /// What the board knows of the project's policy: the digest in force, and why a newer one is refused.
    pub(crate) fn refused(&self) -> Option<String> {
        let id = ProjectId::from(PROJECT);
        let look = self.outside().asker.ask(move |board, _| {
            board.project(&id).and_then(|known| known.refused.as_ref()).map(|refused| refused.cause.clone())
        });
        self.runtime.block_on(look).flatten()
    }

    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.home().token()).unwrap().trim().to_owned()
    }

    /// A raw request: status and body.
    pub(crate) fn http(&self, head: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let answer = self.http_whole(head, headers, body);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status.unwrap_or_else(|| panic!("{answer}")), body)
    }

    /// The same: the answer as it comes.
    pub(crate) fn http_whole(&self, head: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut stream = std::net::TcpStream::connect(self.running().address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut request = format!("{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        stream.write_all(request.as_bytes()).unwrap();
        // A server that refuses early need not read the rest.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        self.stop();
        // A run that is just being started is started to the end: the runtime waits for that when it goes.
        let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
        drop(std::mem::replace(&mut self.runtime, bare));
        scene::end_runs(&self.home().runs());
    }
}

/// Proves that an installation of a test leaves nothing that runs or lies about, though runs outlive their brain.
#[test]
fn nothing_of_a_yard_outlives_it() {
    let mut yard = Yard::with(&[], GREEN);
    yard.play(&[("analyst", "[[part.step]]\ndo = \"hang\"\n")]);
    yard.up();
    let id = yard.ask("A change");
    yard.until(&id, "an agent works", |task| matches!(task.step, Step::Running { .. }).then_some(()));
    yard.stop();
    let folder = yard.folder().to_owned();
    assert_ne!(scene::processes(&folder), [""; 0], "its agent works on");
    drop(yard);
    assert!(!folder.exists());
    // A supervisor has written its last word before it is gone.
    let until = Instant::now() + PATIENCE;
    while !scene::processes(&folder).is_empty() {
        assert!(Instant::now() < until, "{:?}", scene::processes(&folder));
        std::thread::yield_now();
    }
}

/// What each role does well, as steps of a scenario.
const WELL: [(&str, &str); 5] = [
    ("analyst", ANALYST),
    ("architect", ARCHITECT),
    ("developer", "[[part.step]]\ndo = \"write\"\npath = \"src/{item}.txt\"\ntext = \"done by {role}\\n\"\n"),
    ("reviewer", REVIEWER),
    ("tester", TESTER),
];

pub(crate) const ANALYST: &str = r#"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/01-brd.md"
text = "BR-1: it is there.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/02-trz.md"
text = "Write it.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/03-acceptance-criteria.md"
text = "AC-1: it is there.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/04-test-plan.yaml"
text = "- id: TC-01\n  type: unit\n  description: it is there\n  module: src\n  expected: there\n"
"#;

const ARCHITECT: &str = r#"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/06-adr/ADR-001.md"
text = "A file.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/07-infra-requirements.md"
text = "None.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/08-data-requirements.md"
text = "None.\n"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/10-tech-risks.md"
text = "None.\n"
"#;

pub(crate) const REVIEWER: &str = r#"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/12-review.md"
text = "---\ntype: review\nwork_item_id: {item}\nverdict: APPROVED\nversion: 1\n---\n\n## Summary\n\nGood.\n\n## Findings\n\nNone.\n"
"#;

pub(crate) const TESTER: &str = r#"
[[part.step]]
do = "write"
path = "docs/work-items/{item}/13-test-report.md"
text = "---\ntype: test-report\nwork_item_id: {item}\nresult: PASS\n---\n\n## Conclusion\n\nIt is there.\n"
"#;
