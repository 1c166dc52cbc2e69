//! Where does a drill happen? A folder with a repository, an installation and its brain; all of it is made for the drill and
//! goes with it.

use std::cell::RefCell;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use orch_adapters::Log;
use orch_adapters::forge::local::{ChangeState, LocalForge};
use orch_adapters::git::Mounts;
use orch_adapters::process::{self, Identity, Observed};
use orch_core::id::{Entity, ProjectId, RunId, Seq, TaskId};
use orch_core::journal::Row;
use orch_core::stage::{Role, Stage};
use orch_core::state::State;
use orch_core::task::{Job, Rest, Step, Task};
use orch_core::time::Span;
use orch_engine::clock;
use orch_store::Reader;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::brain::Brain;
use super::ground::{FAREWELL, Ground, LOOK, failed, stop_runs};
use super::sender::Target;
use super::{Unmet, both, look};
use crate::client::{Client, talk};
use crate::error::Error;
use crate::home::Home;
use crate::settings::value::toml_string;
use crate::words::{Told, say, words};

/// The name of the project.
pub(super) const PROJECT: &str = "drill";

/// Far above what any step takes on a busy machine, and above the longest wait of Orch that a drill meets.
const PATIENCE: Span = Span::seconds(120);

/// What the brains said.
const LOG: &str = "brain.log";

const AGENT: &str = include_str!("../../drill/agent.sh");

const POLICY: &str = "preset = \"library\"\ntest = [\"sh\", \"test.sh\"]\n";

const FILES: [(&str, &str); 3] = [
    ("README.md", "# A scratch project of `orch drill`\n"),
    ("lines.txt", "the first line\n"),
    ("test.sh", "grep -q '^a line for ' lines.txt\n"),
];

/// A run with its processes.
#[derive(Debug, Clone)]
pub(super) struct AtWork {
    /// Which run.
    pub(super) run: RunId,
    /// Its supervisor.
    pub(super) shim: Identity,
    /// The agent, or the tests.
    pub(super) agent: Identity,
}

/// A scratch installation. Dropped, its folder goes unless it is kept.
#[derive(Debug)]
pub(super) struct Yard<'a> {
    ground: &'a Ground,
    folder: PathBuf,
    home: Home,
    brain: Option<Brain>,
    reader: RefCell<Option<Reader>>,
    /// Where the brain is told to listen.
    listen: SocketAddr,
    /// Where programs of the brain are looked for first.
    first: Option<PathBuf>,
    /// Processes that end with the drill, whatever becomes of it.
    owned: Vec<Identity>,
    /// How often main had moved when the drill began.
    moves: usize,
    kept: bool,
    over: bool,
}

impl<'a> Yard<'a> {
    /// Makes it: a repository with a policy, an agent, settings. Nothing runs yet.
    pub(super) fn make(ground: &'a Ground, name: &str) -> Result<Self, Unmet> {
        let folder = ground.folder.join(name);
        let home = Home::at(folder.join("home"));
        let mut yard = Self {
            ground,
            folder,
            home,
            brain: None,
            reader: RefCell::new(None),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            first: None,
            owned: Vec::new(),
            moves: 0,
            kept: false,
            over: false,
        };
        for (name, text) in FILES {
            yard.write(&yard.repository().join(name), text)?;
        }
        yard.git(&["init", "--quiet", "--initial-branch=main"])?;
        yard.policy("")?;
        yard.script("agent", AGENT)?;
        let home = yard.home.folder().to_owned();
        fs::create_dir_all(&home).map_err(failed(&home))?;
        yard.settings("")?;
        Ok(yard)
    }

    /// Writes the installation's settings, with these lines more for the project.
    pub(super) fn settings(&self, project: &str) -> Result<(), Unmet> {
        let quoted = |path: &Path| toml_string(&path.to_string_lossy());
        let settings = format!(
            "listen = \"{listen}\"\nlanguage = \"{language}\"\nagent = \"drill\"\n\n\
             [agents.drill]\nkind = \"command\"\nprogram = {agent}\n\n\
             [projects.{PROJECT}]\nprefix = \"DRILL\"\nrepository = {repository}\n{project}",
            listen = self.listen,
            language = words().lang.code(),
            agent = quoted(&self.folder.join("agent")),
            repository = quoted(&self.repository()),
        );
        self.write(&self.home.settings(), &settings)
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The installation.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// Whether, and why not, a file system can be mounted here.
    pub(super) fn mounts(&self) -> Result<&Mounts, String> {
        match &self.ground.mounts {
            Some(Ok(mounts)) => Ok(mounts),
            Some(Err(why)) => Err(why.clone()),
            None => Err(String::new()),
        }
    }

    /// The person's repository.
    pub(super) fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// Writes a file.
    pub(super) fn write(&self, file: &Path, text: &str) -> Result<(), Unmet> {
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        Ok(fs::write(file, text).map_err(failed(file))?)
    }

    /// A program of the drill's own.
    pub(super) fn script(&self, name: &str, text: &str) -> Result<PathBuf, Unmet> {
        let file = self.folder.join(name);
        self.write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(failed(&file))?;
        Ok(file)
    }

    /// Programs in this folder come before all others, for the brain.
    pub(super) fn first_in_path(&mut self, folder: PathBuf) {
        self.first = Some(folder);
    }

    /// What git says in the person's repository, of one who has no settings of their own.
    pub(super) fn git(&self, args: &[&str]) -> Result<String, Unmet> {
        self.git_in(&self.repository(), args)
    }

    fn git_in(&self, folder: &Path, args: &[&str]) -> Result<String, Unmet> {
        let ran = Command::new("git")
            .args([
                "-c",
                "user.name=Drill",
                "-c",
                "user.email=drill@orch.invalid",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|e| Error::failed(say!("git cannot be started: {e}", "git не запускается: {e}")))?;
        if !ran.status.success() {
            let cause = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            return Err(Error::failed(Told::quoted(cause)).at(format!("git {}", args.join(" "))).into());
        }
        Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
    }

    /// Commits a policy with these lines more on main.
    pub(super) fn policy(&mut self, more: &str) -> Result<(), Unmet> {
        self.on_main(".orch/policy.toml", &format!("{POLICY}{more}"))
    }

    /// Commits a file on main, as a person does.
    pub(super) fn on_main(&mut self, file: &str, text: &str) -> Result<(), Unmet> {
        self.write(&self.repository().join(file), text)?;
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message=a scratch project"])?;
        self.moves = self.main_moves()?;
        Ok(())
    }

    fn main_moves(&self) -> Result<usize, Unmet> {
        Ok(self.git(&["reflog", "show", "--format=%H", "refs/heads/main"])?.lines().count())
    }

    /// The program of the drill, with nothing of the environment that would change the installation.
    pub(super) fn command(&self, wrapper: &[&str]) -> Command {
        let mut words = wrapper.iter().map(std::ffi::OsStr::new).chain([self.ground.exe.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or(self.ground.exe.as_os_str()));
        command.args(words).arg("--home").arg(self.home.folder()).current_dir(&self.folder);
        for (name, _) in self.ground.env.iter().filter(|(name, _)| name.starts_with("ORCH_")) {
            command.env_remove(name);
        }
        command.env("ORCH_LOG", "warn");
        if let Some(first) = &self.first {
            let path = self.ground.env.iter().find(|(name, _)| name == "PATH");
            let path = path.map(|(_, path)| path.as_str()).unwrap_or_default();
            command.env("PATH", format!("{}:{path}", first.display()));
        }
        command
    }

    /// Starts a brain and waits until it answers; how long that took.
    pub(super) fn up(&mut self) -> Result<Span, Unmet> {
        self.up_in(&[])
    }

    /// The same under another program, which must become the brain.
    pub(super) fn up_in(&mut self, wrapper: &[&str]) -> Result<Span, Unmet> {
        let began = clock::now();
        let mut command = self.command(wrapper);
        command.arg("up");
        if rustix::process::geteuid().is_root() {
            command.arg("--allow-root");
        }
        let said = self.folder.join(LOG);
        let brain = Brain::start(command, &said).map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
        self.ground.note(Some(brain.identity()))?;
        self.brain = Some(brain);
        let what = both!("the brain answers", "мозг отвечает");
        self.until(&what, |yard| Ok(yard.get("/api/v1/tasks?most=1").ok().map(drop)))?;
        Ok(clock::now().since(began))
    }

    /// Kills the brain with SIGKILL.
    pub(super) fn kill_brain(&mut self) {
        if let Some(mut brain) = self.brain.take() {
            brain.kill();
        }
    }

    /// Sends the brain a signal.
    pub(super) fn signal_brain(&self, signal: Signal) {
        if let Some(brain) = &self.brain {
            brain.signal(signal);
        }
    }

    /// The brain's pid.
    pub(super) fn brain_pid(&self) -> Option<i32> {
        self.brain.as_ref().map(|brain| brain.identity().pid)
    }

    /// The hook of the project's tracker, with its secret.
    pub(super) fn target(&self) -> Result<Target, Unmet> {
        let file = self.home.folder().join("hooks").join(PROJECT);
        let secret = fs::read_to_string(&file).map_err(failed(&file))?;
        Ok(Target { address: self.address()?, project: PROJECT, secret: secret.trim().into() })
    }

    /// The next brain listens where this one does. It can be reached there before it serves and says so.
    pub(super) fn keep_address(&mut self) -> Result<(), Unmet> {
        self.listen = self.address()?;
        self.settings("")
    }

    /// Where the brain listens: it says so when it serves.
    fn address(&self) -> Result<SocketAddr, Unmet> {
        let said = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        let address =
            said.rsplit_once("http://").and_then(|(_, rest)| rest.split('/').next()?.trim().parse().ok());
        address.ok_or_else(|| {
            Unmet::Broken(both!("the brain does not say where it listens", "мозг не говорит, где он слушает"))
        })
    }

    /// Ends the brain in order.
    pub(super) fn stop_brain(&mut self) -> Result<(), Unmet> {
        let Some(mut brain) = self.brain.take() else { return Ok(()) };
        brain.signal(Signal::CONT);
        brain.signal(Signal::TERM);
        let until = clock::now().after(FAREWELL);
        while brain.ended().is_none() {
            if clock::now() > until {
                let why =
                    both!("the brain does not end when it is asked to", "мозг не завершается по просьбе");
                return Err(Unmet::Broken(why));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// This process ends with the drill.
    pub(super) fn own(&mut self, process: Identity) {
        self.owned.push(process);
    }

    /// Asks the brain.
    pub(super) fn get(&self, path: &str) -> Result<Value, Error> {
        talk(async { Client::open(&self.home, Some("drill")).await?.speaking(words().lang).get(path).await })
    }

    /// Tells the brain.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        talk(async {
            Client::open(&self.home, Some("drill")).await?.speaking(words().lang).post(path, body).await
        })
    }

    /// Asks for a change.
    pub(super) fn ask(&self, title: &str, start: bool) -> Result<TaskId, Unmet> {
        let body = json!({ "project": PROJECT, "title": title, "text": "", "start": start });
        let made = self.post("/api/v1/issues", &body)?;
        match made.get("task").and_then(Value::as_str) {
            Some(task) => Ok(TaskId::from(task)),
            None => Err(Unmet::Broken(made.to_string())),
        }
    }

    /// Asks for a change, approves what the analyst makes of it, and waits until the developer works.
    pub(super) fn begin(&mut self, title: &str) -> Result<(TaskId, AtWork), Unmet> {
        let id = self.ask(title, true)?;
        self.approve(&id)?;
        let works = self.developer(&id, 1)?;
        Ok((id, works))
    }

    /// Approves the requirements when they are there.
    pub(super) fn approve(&mut self, id: &TaskId) -> Result<(), Unmet> {
        let what = both!("the analyst is done", "аналитик закончил");
        self.until_task(id, &what, |task| (task.step == Step::Rest(Rest::Approval)).then_some(()))?;
        self.post(&format!("/api/v1/tasks/{id}/approve"), &json!({}))?;
        Ok(())
    }

    /// What a task waits for, as a person reads it.
    pub(super) fn why(&self, id: &TaskId) -> Result<String, Unmet> {
        let said = self.get(&format!("/api/v1/tasks/{id}/why"))?;
        match said.get("sentence").and_then(Value::as_str).filter(|sentence| !sentence.trim().is_empty()) {
            Some(sentence) => Ok(sentence.to_owned()),
            None => {
                Err(Unmet::Broken(both!("{id} does not say why: {said}", "{id} не говорит почему: {said}")))
            }
        }
    }

    fn read<T>(
        &self,
        look: impl FnOnce(&mut Reader) -> Result<T, orch_store::StoreError>,
    ) -> Result<T, Unmet> {
        let mut kept = self.reader.borrow_mut();
        let reader = match kept.take() {
            Some(reader) => kept.insert(reader),
            None => kept.insert(Reader::open(&self.home.store()).map_err(crate::refusals::unopened)?),
        };
        Ok(look(reader).map_err(crate::refusals::unread)?)
    }

    /// A task as the store has it.
    pub(super) fn task(&self, id: &TaskId) -> Result<Option<Task>, Unmet> {
        let kept = self.read(|reader| reader.state(&Entity::Task(id.clone())))?;
        Ok(kept.and_then(|kept| match kept.state {
            State::Task(task) => Some(*task),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        }))
    }

    /// Whether the brain knows that the disk is too full to work.
    pub(super) fn disk_is_full(&self) -> Result<bool, Unmet> {
        let kept = self.read(|reader| reader.state(&Entity::Installation))?;
        Ok(match kept.map(|kept| kept.state) {
            Some(State::Installation(installation)) => installation.disk_full.is_some(),
            Some(State::Task(_) | State::Repository(_) | State::Project(_) | State::Provider(_)) | None => {
                false
            }
        })
    }

    /// Where the journal ends.
    pub(super) fn head(&self) -> Result<Seq, Unmet> {
        Ok(self.read(Reader::head)?.seq)
    }

    /// All rows of the journal after one.
    pub(super) fn rows(&self, after: Seq) -> Result<Vec<Row>, Unmet> {
        let (mut found, mut from) = (Vec::new(), Seq(after.0 + 1));
        loop {
            let rows = self.read(|reader| reader.rows(from, 1000))?;
            let Some(last) = rows.last() else { return Ok(found) };
            from = Seq(last.seq.0 + 1);
            found.extend(rows);
        }
    }

    /// Looks again and again until there is something to see. Ends early when somebody asks for it, or when the brain is no
    /// more although nobody killed it.
    pub(super) fn until<T>(
        &mut self,
        what: &str,
        look: impl FnMut(&Self) -> Result<Option<T>, Unmet>,
    ) -> Result<T, Unmet> {
        self.until_within(PATIENCE, what, look)
    }

    /// The same with another patience.
    pub(super) fn until_within<T>(
        &mut self,
        patience: Span,
        what: &str,
        mut look: impl FnMut(&Self) -> Result<Option<T>, Unmet>,
    ) -> Result<T, Unmet> {
        let until = clock::now().after(patience);
        loop {
            if self.ground.asked.load(Ordering::Relaxed) {
                return Err(Unmet::Ended);
            }
            if let Some(seen) = look(self)? {
                return Ok(seen);
            }
            if let Some(brain) = &mut self.brain
                && brain.ended().is_some()
            {
                let words = brain.last_words();
                return Err(Unmet::Broken(both!(
                    "the brain ended by itself: {words}",
                    "мозг завершился сам: {words}"
                )));
            }
            if clock::now() > until {
                let seconds = patience.as_seconds();
                return Err(Unmet::Broken(both!(
                    "not within {seconds} s: {what}",
                    "не дождались за {seconds} с: {what}"
                )));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Looks at a task until there is something to see; one that is escalated has nothing more to show.
    pub(super) fn until_task<T>(
        &mut self,
        id: &TaskId,
        what: &str,
        mut look: impl FnMut(&Task) -> Option<T>,
    ) -> Result<T, Unmet> {
        self.until(what, |yard| {
            let Some(task) = yard.task(id)? else { return Ok(None) };
            match &task.escalated {
                None => Ok(look(&task)),
                Some(escalated) => {
                    let why = yard.why(id).unwrap_or_else(|_| format!("{:?}", escalated.why));
                    Err(Unmet::Broken(format!("{what}: {why}")))
                }
            }
        })
    }

    /// Waits until the developer works in its so-many-th run (from 1).
    pub(super) fn developer(&mut self, id: &TaskId, nth: usize) -> Result<AtWork, Unmet> {
        let what = both!("the developer works, run {nth}", "разработчик работает, запуск {nth}");
        let works = self.at_work(id, &what, |job| job == Job::Agent(Role::Developer), nth)?;
        // Not what it started to read its prompt, which is over soon: what has to end with it.
        self.until(&what, |_| Ok(look::children(works.agent.pid).iter().any(look::stays).then_some(())))?;
        Ok(works)
    }

    /// Waits until the tests run for the so-many-th time (from 1).
    pub(super) fn tests(&mut self, id: &TaskId, nth: usize) -> Result<AtWork, Unmet> {
        let what = both!("the tests run, run {nth}", "тесты идут, запуск {nth}");
        self.at_work(id, &what, |job| matches!(job, Job::Ci(_)), nth)
    }

    fn at_work(
        &mut self,
        id: &TaskId,
        what: &str,
        of: impl Fn(Job) -> bool,
        nth: usize,
    ) -> Result<AtWork, Unmet> {
        let run = self.until_task(id, what, |task| match &task.step {
            Step::Running { run, job } if of(*job) => {
                (task.runs.iter().filter(|row| of(row.job)).count() == nth).then_some(*run)
            }
            Step::Running { .. }
            | Step::Rest(_)
            | Step::Queued(_)
            | Step::Asked { .. }
            | Step::Backoff { .. } => None,
        })?;
        let record = self.home.runs().join(run.to_string());
        self.until(what, |_| {
            let Observed::Running(shim) = process::observe(&record) else { return Ok(None) };
            // It is the program when it stands in its tree, and works when it has a child of its own.
            let mut programs = look::children(shim.pid);
            let Some(agent) = programs.pop().filter(|_| programs.is_empty()) else { return Ok(None) };
            let works = tree_of(&agent).is_some_and(|tree| tree.ends_with(run.to_string()));
            let works = works && !look::children(agent.pid).is_empty();
            Ok(works.then_some(AtWork { run, shim, agent }))
        })
    }

    /// Lets who waits for it go on. Its tree may be mounted where only it can see it.
    pub(super) fn go(&self, works: &AtWork) -> Result<(), Unmet> {
        let file = PathBuf::from(format!("/proc/{}/cwd/go", works.agent.pid));
        Ok(fs::write(&file, "").map_err(failed(&file))?)
    }

    /// Waits for the end of a task and of all that follows from it.
    pub(super) fn delivered(&mut self, id: &TaskId) -> Result<Task, Unmet> {
        let what = both!("{id} is delivered", "{id} доставлена");
        let task = self.until_task(id, &what, |task| (task.stage == Stage::Done).then(|| task.clone()))?;
        let what = both!("all has followed", "всё завершено");
        self.until(&what, |yard| Ok(yard.read(Reader::open_effects)?.is_empty().then_some(())))?;
        Ok(task)
    }

    /// Waits until a task is delivered, by the one run of the developer that was ever begun, and looks at it outside.
    pub(super) fn delivered_in_one_run(&mut self, id: &TaskId) -> Result<(), Unmet> {
        let runs = developers(&self.delivered(id)?).count();
        if runs != 1 {
            return Err(Unmet::Broken(both!(
                "the developer ran {runs} times",
                "разработчик запускался раз: {runs}"
            )));
        }
        self.once(id)
    }

    /// Ends the brain in order and looks at what a delivered task shows outside: one branch, one change request, one merge,
    /// which is what stands on main; a journal that folds to what is kept; and no process left.
    pub(super) fn once(&mut self, id: &TaskId) -> Result<(), Unmet> {
        self.stop_brain()?;
        let Some(task) = self.task(id)? else { return Err(Unmet::Broken(format!("{id}: -"))) };
        let merged = task.merged.filter(|merged| merged.proven);
        let Some(merged) = merged else {
            return Err(Unmet::Broken(both!("{id}: the merge is not proven", "{id}: слияние не доказано")));
        };
        let main = self.git(&["rev-parse", "main"])?;
        let moved = self.main_moves()? - self.moves;
        if main != merged.commit.as_str() || moved != 1 {
            return Err(Unmet::Broken(both!(
                "main is {main} after {moved} moves; the merge was another",
                "main сейчас {main}, сдвигов {moved}; слияние было другим"
            )));
        }
        let project = ProjectId::from(PROJECT);
        let forge = LocalForge::open(&self.home.store(), Log::OfStore)
            .map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
        let mut changes = Vec::new();
        while let Some(change) = forge
            .change(&project, changes.len() as u64 + 1)
            .map_err(|e| Error::failed(Told::quoted(format!("{e:?}"))))?
        {
            changes.push(change);
        }
        let merges =
            changes.iter().filter(|change| change.state == ChangeState::Merged(merged.commit.clone()));
        let (count, merged) = (changes.len(), merges.count());
        if (count, merged) != (1, 1) {
            return Err(Unmet::Broken(both!(
                "{count} change requests, {merged} of them merged, and should be one that is",
                "запросов на изменение: {count}, из них слито: {merged}, а должен быть один и слитый"
            )));
        }
        let hub = self.home.hubs().join(PROJECT).join("hub.git");
        let branches = self.git_in(&hub, &["for-each-ref", "--format=%(refname:short)", "refs/heads"])?;
        let of_tasks = |name: &&str| !["main", "orch/records"].contains(name);
        let branches: Vec<&str> = branches.lines().filter(of_tasks).collect();
        let own = task.branch.as_ref().map(|branch| branch.name.as_str());
        if branches.len() != 1 || branches.first().copied() != own {
            let branches = branches.join(", ");
            return Err(Unmet::Broken(both!(
                "the branches of tasks are {branches}, and should be one",
                "ветки задач: {branches}, а должна быть одна"
            )));
        }
        self.verified()?;
        self.nothing_left()
    }

    /// Folds the journal again, in another process.
    pub(super) fn verified(&self) -> Result<(), Unmet> {
        let ran = self.command(&[]).args(["replay", "--verify"]).stdin(Stdio::null()).output();
        let ran = ran.map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
        if ran.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
        Err(Unmet::Broken(both!("the journal does not fold: {said}", "журнал не сворачивается: {said}")))
    }

    /// Waits until no process of the yard lives.
    fn nothing_left(&mut self) -> Result<(), Unmet> {
        let mut left = Vec::new();
        let until = clock::now().after(FAREWELL);
        while clock::now() < until {
            left = look::living(&self.folder);
            if left.is_empty() {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        let left = left.join("; ");
        Err(Unmet::Broken(both!("processes are left: {left}", "остались процессы: {left}")))
    }

    /// Ends all that the drill started: its brain, the runs, what it owns. An error names what is left.
    pub(super) fn end(&mut self) -> Result<(), Unmet> {
        self.over = true;
        if self.stop_brain().is_err() {
            self.kill_brain();
        }
        stop_runs(&self.home);
        for process in self.owned.drain(..) {
            look::signal(&process, Signal::KILL);
        }
        self.reader.take();
        let left = self.nothing_left();
        self.ground.note(None)?;
        left
    }

    /// Leaves the folder where it is, and says where.
    pub(super) fn keep(&mut self) -> PathBuf {
        self.kept = true;
        self.folder.clone()
    }
}

impl Drop for Yard<'_> {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.end();
        }
        if !self.kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The developer's runs of a task.
pub(super) fn developers(task: &Task) -> impl Iterator<Item = &orch_core::task::RunRow> {
    task.runs.iter().map(AsRef::as_ref).filter(|row| row.job == Job::Agent(Role::Developer))
}

/// Where a process stands.
fn tree_of(process: &Identity) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{}/cwd", process.pid)).ok()
}
