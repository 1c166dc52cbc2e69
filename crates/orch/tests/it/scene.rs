//! How does a whole story play in a test? A folder with a repository and an installation, the real program that serves it,
//! and every process of it known by pid and start time.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use orch::home::Home;
use orch_adapters::lease::Registry;
use orch_adapters::process::{self, Identity, Life, Observed};
use orch_core::id::{Entity, RunId, TaskId};
use orch_core::state::State;
use orch_core::task::Task;
use orch_store::Reader;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::stage::Done;

/// Far above what any step takes on a busy machine: only a defect reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Stories are dear: two at once, whatever the number of test threads.
const AT_ONCE: usize = 2;

static PLAYING: (Mutex<[bool; AT_ONCE]>, Condvar) = (Mutex::new([false; AT_ONCE]), Condvar::new());

/// The right to play a story: one of a few places.
struct Turn(usize);

impl Turn {
    fn take() -> Self {
        let mut playing = PLAYING.0.lock().unwrap();
        loop {
            if let Some(place) = playing.iter().position(|taken| !taken) {
                playing[place] = true;
                return Self(place);
            }
            playing = PLAYING.1.wait(playing).unwrap();
        }
    }

    /// A folder whose installation leases its ports far from those of the other places: two that do not know each other
    /// could give away the same one at the same moment.
    fn folder(&self, home: &str) -> TempDir {
        loop {
            let dir = tempfile::tempdir().unwrap();
            let ports = Registry::new(dir.path().canonicalize().unwrap().join(home).join("ports"));
            if usize::from(ports.begin() - 20_000) * AT_ONCE / 10_000 == self.0 {
                return dir;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        PLAYING.0.lock().unwrap_or_else(PoisonError::into_inner)[self.0] = false;
        PLAYING.1.notify_one();
    }
}

/// Where a story plays. Dropped, it ends what the story left running.
pub(crate) struct Scene {
    dir: TempDir,
    home: Home,
    repository: PathBuf,
    /// What `LANG` is; no other variable of the locale says anything.
    locale: &'static str,
    _turn: Turn,
}

impl Scene {
    /// An empty place; `home` and `repository` are below it.
    pub(crate) fn new(home: &str, repository: &str) -> Self {
        let turn = Turn::take();
        let dir = turn.folder(home);
        let folder = dir.path().canonicalize().unwrap();
        Self {
            home: Home::at(folder.join(home)),
            repository: folder.join(repository),
            dir,
            locale: "C",
            _turn: turn,
        }
    }

    /// The same place, for a person with this locale.
    pub(crate) fn speaking(mut self, locale: &'static str) -> Self {
        self.locale = locale;
        self
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Writes a file below the scene's folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    /// A command in the person's repository, with the person's toolchain and nothing of the test's own environment.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let own =
            |name: &str| name.starts_with("ORCH_") || (name.starts_with("CARGO") && name != "CARGO_HOME");
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_none_or(own) {
                command.env_remove(name);
            }
        }
        // The demo makes its repository itself.
        let folder = if self.repository.is_dir() { self.repository.clone() } else { self.folder() };
        command
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A Person")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "person@example.org")))
            .env("ORCH_HOME", self.home.folder())
            .envs([("LC_ALL", ""), ("LC_MESSAGES", ""), ("LANG", self.locale)])
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }

    /// Types a command and waits for its end.
    pub(crate) fn orch<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        let ran = self.command(env!("CARGO_BIN_EXE_orch")).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Done { code: ran.status.code().unwrap_or(-1), out: text(ran.stdout), err: text(ran.stderr) }
    }

    /// What git says in a folder, without the last line's end.
    pub(crate) fn git_in<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> String {
        let ran = self.command("git").args(arguments).current_dir(folder).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    /// What git says in the person's repository.
    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        self.git_in(&self.repository, arguments)
    }

    /// Starts the program and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Started {
        let said = self.folder().join(format!("said-{}", arguments.first().unwrap_or(&"")));
        let log = File::options().create(true).append(true).open(&said).unwrap();
        let child = self
            .command(env!("CARGO_BIN_EXE_orch"))
            .args(arguments)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Started { child, said, ended: None }
    }

    /// Serves the installation; returns when it answers, or when it is no more.
    pub(crate) fn up(&self, more: &[&str]) -> Started {
        let mut up = vec!["up", "--allow-root"];
        up.extend(more);
        let mut brain = self.start(&up);
        self.until("the brain answers", || {
            (brain.ended().is_some() || UnixStream::connect(self.home.socket()).is_ok()).then_some(())
        });
        brain
    }

    /// Reads the store.
    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.home.store()).unwrap()
    }

    /// A task as the store has it; `None` before there is one.
    pub(crate) fn task(&self, id: &str) -> Option<Task> {
        let mut reader = Reader::open(&self.home.store()).ok()?;
        let kept = reader.state(&Entity::Task(TaskId::from(id))).unwrap()?;
        match kept.state {
            State::Task(task) => Some(*task),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        }
    }

    /// Looks again and again until there is something to see.
    #[track_caller]
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Looks at a task until there is something to see; one that is escalated has nothing more to show.
    #[track_caller]
    pub(crate) fn until_task<T>(&self, id: &str, what: &str, look: impl Fn(&Task) -> Option<T>) -> T {
        self.until(what, || {
            let task = self.task(id)?;
            assert!(task.escalated.is_none(), "{what}: {:?}\n{}", task.escalated, self.said());
            look(&task)
        })
    }

    /// All that the started programs said, and what the tasks wait for: for a person who reads why a test failed.
    pub(crate) fn said(&self) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(self.folder()).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("said-") {
                all.push_str(&fs::read_to_string(entry.path()).unwrap_or_default());
            }
        }
        let Done { out, err, .. } = self.orch(["list"]);
        format!("{all}\n{out}{err}")
    }

    /// The folders of all runs that left a record.
    pub(crate) fn records(&self) -> Vec<(RunId, PathBuf)> {
        records(&self.home.runs())
    }

    /// Every living process that was started from or for this scene.
    pub(crate) fn processes(&self) -> Vec<String> {
        processes(&self.folder())
    }

    /// What a demo deployed, a folder a commit.
    pub(crate) fn run(&self) -> PathBuf {
        self.home.folder().with_file_name("run")
    }

    /// The services that were deployed and live.
    pub(crate) fn services(&self) -> Vec<orch::demo::hook::Greeter> {
        let mut services = orch::demo::hook::services(&self.run());
        services.retain(|service| service.identity.life() == Life::Alive);
        services
    }

    fn end_what_runs(&self) {
        let end_services = || self.services().iter().for_each(|service| kill(&service.identity));
        end_services();
        end_runs(&self.home.runs());
        // A deploy that still ran may have begun one.
        end_services();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.end_what_runs();
        // Whoever reads why it failed wants to look.
        self.dir.disable_cleanup(std::thread::panicking());
    }
}

/// The runs that left a record in an installation's folder of runs, each with its own.
fn records(runs: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let mut records: Vec<(RunId, PathBuf)> =
        entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path()))).collect();
    records.sort();
    records
}

/// Asks all runs of an installation to stop, and waits for their end: they outlive its brain, and would write on in a folder
/// that goes.
pub(crate) fn end_runs(runs: &Path) {
    let records = records(runs);
    for (_, record) in &records {
        process::request_stop(record);
    }
    let until = Instant::now() + PATIENCE;
    let run = || records.iter().any(|(_, record)| matches!(process::observe(record), Observed::Running(_)));
    while run() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every living process that was started from a folder or works in it.
pub(crate) fn processes(folder: &Path) -> Vec<String> {
    let named = folder.to_string_lossy();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let typed = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let typed = String::from_utf8_lossy(&typed).replace('\0', " ");
        let works = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let ours = typed.contains(&*named) || works.starts_with(folder);
        let alive = || Identity::of(pid).is_ok_and(|identity| identity.life() == Life::Alive);
        if ours && alive() {
            found.push(format!("{pid} {typed}"));
        }
    }
    found
}

/// Ends exactly that process, at once.
pub(crate) fn kill(identity: &Identity) {
    if identity.life() == Life::Alive
        && let Some(pid) = Pid::from_raw(identity.pid)
    {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The children of a process.
pub(crate) fn children(parent: i32) -> Vec<Identity> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The program's name stands in brackets and may hold anything; the parent is the second field after it.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect::<Vec<_>>());
        if fields.is_some_and(|fields| fields.get(1) == Some(&parent.to_string().as_str())) {
            found.extend(Identity::of(pid).ok());
        }
    }
    found
}

/// A program that was started. Dropped, it is killed: its pid is its own until it was waited for.
pub(crate) struct Started {
    child: Child,
    said: PathBuf,
    ended: Option<ExitStatus>,
}

impl Started {
    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        self.ended
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As a power cut would: SIGKILL.
    pub(crate) fn kill(&mut self) {
        if self.ended().is_none() {
            self.child.kill().unwrap();
            self.ended = Some(self.child.wait().unwrap());
        }
    }

    /// Whether SIGKILL ended it.
    pub(crate) fn was_killed(&mut self) -> bool {
        self.ended().is_some_and(|status| status.signal() == Some(Signal::KILL.as_raw()))
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self, scene: &Scene) -> (Option<i32>, String) {
        let status = scene.until("the program ends", || self.ended());
        (status.code(), fs::read_to_string(&self.said).unwrap())
    }

    /// Ends it in order and says what it said.
    #[track_caller]
    pub(crate) fn stop(self, scene: &Scene) -> String {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let (code, said) = self.wait(scene);
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
