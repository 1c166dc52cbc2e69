//! How do the parts become one running Orch? Settings, store, brain, hands, sweeps and front door, put together once.
//!
//! Read in this order: [`project`] (what a project is made of), [`perform`] (a call becomes an adapter's work), [`sweep`]
//! (what is true outside becomes events), [`branches`] and [`edited`] (what people do meanwhile), [`source`] (what the front door sees).

pub mod access;
pub mod project;
pub mod perform;
pub mod sweep;
pub mod branches;
pub mod edited;
pub mod refs;
pub mod check;
pub mod room;
pub mod user;
pub mod secrets;
pub mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_adapters::Log;
use orch_adapters::forge::local::LocalForge;
use orch_adapters::process::RunAs;
use orch_adapters::run::{Finished, Watched};
use orch_adapters::tracker::builtin::BuiltinTracker;
use orch_core::call::Failure;
use orch_core::event::{Event, RunEnd, RunHow, Start, Usage};
use orch_core::id::{Digest, Entity, ProjectId, RunId, TaskId};
use orch_core::message::Lang;
use orch_core::refusal::Refusal;
use orch_core::time::{Moment, Span};
use orch_engine::hands::{Hands, report};
use orch_engine::run::{Asker, Brain};
use orch_engine::{Engine, Handle, Incoming, Target, clock};
use orch_server::auth::Keeper;
use orch_server::{Front, Listener, Patience, Setup, serve};
use orch_store::{Reader, SqliteJournal};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::{Error, Kind};
use crate::home::Home;
use crate::refusals::{told, unread, worded};
use crate::reload::Kept;
use crate::settings::{Loaded, Settings};
use crate::words::{Told, say};
use project::Project;
use secrets::private;

/// The outside and the door to the brain: what hands, sweeps and the front door share.
pub struct Outside {
    /// Where the installation lives.
    pub home: Home,
    /// Its settings: the last good ones of the file.
    pub settings: Mutex<Kept<Settings>>,
    /// The environment over them.
    pub env: Vec<(String, String)>,
    /// What is known of its settings' file.
    pub edited: tokio::sync::Mutex<edited::Edited>,
    all_projects: Mutex<Arc<Projects>>,
    /// With what projects are made.
    wishes: Wishes,
    user: Option<RunAs>,
    texts: Arc<project::Texts>,
    /// The built-in tracker.
    pub tracker: Arc<BuiltinTracker>,
    /// The local forge.
    pub forge: LocalForge,
    /// The door to the brain.
    pub handle: Handle,
    /// Asks the board.
    pub asker: Asker,
    /// Tells how full the disk is.
    pub meter: room::Meter,
    /// Where the journal ends.
    pub head: tokio::sync::watch::Receiver<orch_core::id::Seq>,
    /// When it began to serve.
    pub started: Moment,
    /// What the sweeps did.
    pub swept: Mutex<orch_server::source::Sweep>,
    /// Tasks that wait for a turn.
    pub waiting: Arc<AtomicU64>,
    /// What was done since the start.
    pub counts: Counts,
    /// Held by a sweep.
    sweeping: tokio::sync::Mutex<()>,
    /// There was room on the disk at the last look, and the brain knows it.
    roomy: AtomicBool,
    readers: Mutex<Vec<Reader>>,
    watched: Mutex<BTreeSet<RunId>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Projects by their names.
pub type Projects = BTreeMap<ProjectId, Arc<Project>>;

/// What is done, and what was since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Effects in hand.
    pub effects: AtomicU64,
    /// Runs that ended well.
    pub done: AtomicU64,
    /// Runs that did not.
    pub failed: AtomicU64,
}

/// A running Orch.
pub struct Running {
    /// What it is made of.
    pub outside: Arc<Outside>,
    /// The address of the dashboard.
    pub address: std::net::SocketAddr,
    /// Makes one-time links.
    pub keeper: Arc<Keeper>,
    brain: Brain,
    served: tokio::task::JoinHandle<()>,
}

/// What the composition is told besides the settings.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// As root, git may work in repositories of other users.
    pub allow_root: bool,
    /// A line on every page, in the reader's language.
    pub notice: Option<fn(Lang) -> &'static str>,
    /// This binary; agents' supervisors are started from it.
    pub exe: std::path::PathBuf,
    /// `PATH` for runs.
    pub path: String,
    /// Variables that say where toolchains are.
    pub variables: BTreeMap<String, String>,
    /// The home folder of the person, for toolchains.
    pub person: std::path::PathBuf,
    /// For drills and tests: the process kills itself at this boundary of an effect.
    pub die_at: Option<perform::Boundary>,
    /// Tells how full the disk is.
    pub meter: room::Meter,
    /// What lets trees be overlays, where the machine does.
    pub mounts: Option<orch_adapters::git::Mounts>,
    /// For drills of a full disk: the store takes no more pages than these.
    pub store_pages: Option<u32>,
}

impl Outside {
    /// A text by its digest; `None`: it was erased (decision 39).
    ///
    /// # Errors
    /// It cannot be read now: whatever needs it is tried again.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Failure> {
        self.read(|reader| reader.blob(digest)).map_err(Failure::transient)
    }

    /// Reads the store with one of the readers.
    ///
    /// # Errors
    /// The store cannot be opened or read.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&mut Reader) -> Result<T, orch_store::StoreError>,
    ) -> Result<T, String> {
        let idle = lock(&self.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.home.store()).map_err(|e| worded(&e))?,
        };
        let seen = look(&mut reader).map_err(|e| self.texts.in_words(&e).into());
        let mut idle = lock(&self.readers);
        if idle.len() < 3 {
            idle.push(reader);
        }
        seen
    }

    /// What runs and waits, without waiting for anything.
    pub fn work(&self) -> orch_server::source::Work {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        orch_server::source::Work {
            running: lock(&self.watched).len() as u64,
            queued: read(&self.waiting),
            effects: read(&self.counts.effects),
            done: read(&self.counts.done),
            failed: read(&self.counts.failed),
        }
    }

    /// Its projects: also those that no longer stand in the settings, whose work under way comes to its end.
    pub fn projects(&self) -> Arc<Projects> {
        Arc::clone(&lock(&self.all_projects))
    }

    /// A project.
    pub fn project(&self, id: &ProjectId) -> Option<Arc<Project>> {
        self.projects().get(id).cloned()
    }

    /// The projects that stand in the settings.
    pub fn in_settings(&self) -> Vec<Arc<Project>> {
        let settings = lock(&self.settings);
        let named = |id: &ProjectId| settings.get().projects.contains_key(id.as_str());
        self.projects().values().filter(|project| named(&project.id)).cloned().collect()
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        lock(&self.settings).get().clone()
    }

    /// Watches a run until its end is in the journal; once a run.
    pub fn watch(self: &Arc<Self>, project: &ProjectId, task: TaskId, run: RunId) {
        let Some(project) = self.project(project) else { return };
        if !lock(&self.watched).insert(run) {
            return;
        }
        let outside = Arc::clone(self);
        self.tasks.spawn(async move {
            let told = tokio::select! {
                () = outside.stop.cancelled() => return,
                told = outside.watch_to_its_end(&project, run) => told,
            };
            let count = match &told.end.how {
                RunHow::Exited { code: 0 } => &outside.counts.done,
                RunHow::Exited { .. }
                | RunHow::Signalled { .. }
                | RunHow::TimedOut
                | RunHow::TooMuchOutput
                | RunHow::Stopped
                | RunHow::OverTokens { .. }
                | RunHow::CouldNotStart { .. }
                | RunHow::Lost { .. }
                | RunHow::ProviderLimited { .. } => &outside.counts.failed,
            };
            count.fetch_add(1, Ordering::Relaxed);
            let target = Target::Entity(Entity::Task(task));
            let incoming = Incoming::of(target, Event::RunEnded(Box::new(told.end))).with(told.blobs);
            report(&outside.handle, incoming).await;
            if let Some(Err(failure)) = blocking(move || project.runs.settle(run)).await {
                tracing::warn!(%run, cause = %failure.cause, "a run's folder could not be marked");
            }
            lock(&outside.watched).remove(&run);
        });
    }

    async fn watch_to_its_end(&self, project: &Project, run: RunId) -> Finished {
        loop {
            match project.runs.watch(run).await {
                Watched::Ended(finished) => return *finished,
                Watched::NotStarted => {
                    let how = RunHow::Lost { cause: Refusal::FolderGone.into() };
                    let end =
                        RunEnd { run, how, wall: Span(0), usage: Usage::default(), tail: None, left_out: 0 };
                    return Finished { end, blobs: Vec::new(), notes: Vec::new() };
                }
                Watched::CannotTell { why } => {
                    tracing::warn!(%run, why, "whether a run lives cannot be told yet")
                }
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
}

/// Puts an installation together and serves until [`Running::stop`]. What the file says after it was `loaded` is an edit.
///
/// # Errors
/// What stands in the way, with place, cause and remedy.
pub async fn start(home: Home, loaded: Loaded, wishes: Wishes) -> Result<Running, Error> {
    let Loaded { settings, text, remarks: _ } = loaded;
    let own = rustix::process::geteuid().as_raw();
    let user = settings.run_as.as_deref().map(|name| user::resolve(name, own)).transpose()?.flatten();
    make_folders(&home, user)?;
    let journal = SqliteJournal::open(&home.store()).map_err(|e| store_error(&e))?;
    if let Some(pages) = wishes.store_pages {
        journal.hold_to(pages).map_err(unread)?;
    }
    let clean = journal.was_clean();
    let close = |journal: SqliteJournal| {
        if let Err(error) = journal.close() {
            tracing::warn!(error = %chain(&error), "the store was not closed in order; it is checked at the next start");
        }
    };
    let mut checkpointer = journal.checkpointer().map_err(|e| store_error(&e))?;
    let (moved, log_moved) = tokio::sync::oneshot::channel();
    // The board is read while the projects' hubs are opened: both take their time at a start (goal 5).
    let taking = std::thread::spawn(move || Engine::take_over(journal));
    let parts = parts(&home, &settings, &wishes, user).await;
    let taken = taking.join().map_err(|_| Error::failed(defect_taking_over()))?;
    let (engine, live) = taken.map_err(|e| Error::failed(Told::quoted(chain(&e))))?;
    // Whatever can be refused is refused before anything works: a brain that began is not easily undone.
    let parts = match parts {
        Ok(parts) => parts,
        Err(refused) => {
            close(engine.into_journal());
            return Err(refused);
        }
    };
    std::thread::Builder::new()
        .name("checkpoints".to_owned())
        .spawn(move || {
            if let Err(error) = checkpointer.step() {
                tracing::warn!(error = %chain(&error), "the log of the brain before stays as long as it is for now");
            }
            // Who checks would have to be waited for with a log that a killed brain left: it begins after this.
            let _ = moved.send(());
            checkpointer.run();
        })
        .map_err(|e| Error::failed(say!(
                "the checkpoint thread did not start: {e}",
                "поток контрольных точек не запустился: {e}"
            )))?;
    let limits = settings.core_limits(clock::now());
    // Policies as the journal has them hold until main was read: who asks before that is answered.
    for (id, project) in &parts.projects {
        if let Some(policy) = engine.policies().get(id) {
            *lock(&project.policy) = policy.clone();
        }
    }
    let all_known = parts.projects.keys().all(|id| engine.policies().contains_key(id));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let start = Start { version, clean, limits, boot: None };
    let start = Incoming::of(Target::Entity(Entity::Installation), Event::Started(start));
    let (brain, mut effects) = Brain::start(engine, close)
        .map_err(|e| Error::failed(say!("the brain did not start: {e}", "Orch не запустился: {e}")))?;
    let Parts { tracker, forge, projects, texts, token, tcp, address, unix } = parts;
    let stop = CancellationToken::new();
    let outside = Arc::new(Outside {
        edited: tokio::sync::Mutex::new(edited::Edited::new(&home)),
        home,
        env: wishes.variables.clone().into_iter().collect(),
        settings: Mutex::new(Kept::new(settings, &text)),
        waiting: brain.waiting(),
        counts: Counts::default(),
        all_projects: Mutex::new(Arc::new(projects)),
        wishes: wishes.clone(),
        user,
        texts,
        tracker,
        forge,
        handle: brain.handle(),
        asker: brain.asker(),
        meter: wishes.meter.clone(),
        head: brain.head(),
        started: clock::now(),
        swept: Mutex::default(),
        sweeping: tokio::sync::Mutex::default(),
        roomy: AtomicBool::new(false),
        readers: Mutex::default(),
        watched: Mutex::default(),
        tasks: TaskTracker::new(),
        stop: stop.clone(),
    });
    let open = |outside: &Arc<Outside>| {
        open_door(outside, &wishes, token, address, vec![Listener::Tcp(tcp), Listener::Unix(unix)])
    };
    // The front door is open before git is asked: who only looks is answered. What is to be decided waits in the queue until
    // the brain serves, which it does when it knows the policies and the limits of this start.
    let door = if all_known { Ok(open(&outside)) } else { Err(open) };
    sweep::policies(&outside).await;
    if let Err(refused) = outside.handle.report(start).await {
        stop.cancel();
        return Err(Error::failed(Told::quoted(refused.to_string())));
    }
    room::look(&outside).await;
    let (keeper, served) = door.unwrap_or_else(|open| open(&outside));

    let hands = Hands::new(perform::function(&outside, wishes.die_at.clone()), outside.handle.clone());
    let (over, theirs) = (stop.clone(), Arc::clone(&outside));
    let needed: Vec<RunId> = live.iter().map(|live| live.run).collect();
    outside.tasks.spawn(async move {
        // Before the first effect: what looks like a leftover could be a tree that a hand is just making.
        tidy(&theirs, needed).await;
        for project in theirs.projects().values() {
            ready_trees(&theirs, project);
        }
        loop {
            let effect = tokio::select! {
                () = over.cancelled() => return,
                effect = effects.recv() => effect,
            };
            match effect {
                Some(effect) => hands.take(effect),
                None => return,
            }
        }
    });
    for run in live.into_iter().filter(|live| live.began) {
        if let Some(project) = project_of(&outside, &run.task).await {
            outside.watch(&project, run.task, run.run);
        }
    }
    adopt(&outside, None).await;
    check::begin(&outside, !clean, log_moved);
    outside.tasks.spawn(sweep::forever(Arc::clone(&outside)));
    Ok(Running { outside, address, keeper, brain, served })
}

/// Takes away the trees, homes and ports that a crash left, apart from those of runs that a task waits for or whose end is
/// not settled.
async fn tidy(outside: &Arc<Outside>, needed: Vec<RunId>) {
    let theirs = Arc::clone(outside);
    let tidied = tokio::task::spawn_blocking(move || {
        let projects = theirs.projects();
        let (mut live, mut all_told) = (needed.clone(), true);
        for project in projects.values() {
            let tidied = project.runs.unsettled().inspect_err(|_| all_told = false).and_then(|unsettled| {
                live.extend(&unsettled);
                project.hub.tidy_trees(&[needed.as_slice(), &unsettled].concat())
            });
            if let Err(failure) = tidied {
                tracing::warn!(project = %project.id, cause = %failure.cause, "old trees stay for now");
            }
        }
        // Homes and ports are the installation's: who cannot tell which runs of a project live takes none away.
        let Some(project) = projects.values().next().filter(|_| all_told) else { return };
        if let Err(failure) = orch_adapters::run::tidy(&project.runs.places, &project.runs.ports, &live) {
            tracing::warn!(cause = %failure.cause, "what old runs left stays for now");
        }
    });
    if let Err(error) = tidied.await {
        tracing::error!(%error, "taking away old trees ended in a defect");
    }
}

/// Makes what the next trees of a project need, while nobody waits for it.
fn ready_trees(outside: &Outside, project: &Arc<Project>) {
    let theirs = Arc::clone(project);
    outside.tasks.spawn_blocking(move || {
        if let Err(failure) = theirs.hub.ready_trees() {
            tracing::warn!(project = %theirs.id, cause = %failure.cause, "trees cannot be made ahead");
        }
    });
}

/// Watches every run whose end is not in the journal yet, of one project or of all.
async fn adopt(outside: &Arc<Outside>, only: Option<&ProjectId>) {
    let (theirs, only) = (Arc::clone(outside), only.cloned());
    let found = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        let wanted = |project: &&Arc<Project>| only.as_ref().is_none_or(|only| project.id == *only);
        for project in theirs.projects().values().filter(wanted) {
            for run in project.runs.unsettled().unwrap_or_default() {
                let record = project.runs.places.of(run).record;
                if let Ok(Some(about)) = orch_adapters::run::About::read(&record) {
                    found.push((project.id.clone(), about.task, run));
                }
            }
        }
        found
    });
    for (project, task, run) in found.await.unwrap_or_default() {
        outside.watch(&project, task, run);
    }
}

async fn project_of(outside: &Arc<Outside>, task: &TaskId) -> Option<ProjectId> {
    let task = task.clone();
    outside.asker.ask(move |board, _| board.row(&task).map(|row| row.project.clone())).await.flatten()
}

/// What the composition is made of, besides the brain.
struct Parts {
    tracker: Arc<BuiltinTracker>,
    forge: LocalForge,
    projects: Projects,
    texts: Arc<project::Texts>,
    token: String,
    tcp: TcpListener,
    address: std::net::SocketAddr,
    unix: UnixListener,
}

/// Makes the parts. The store's lock is held: no other brain has the socket.
async fn parts(
    home: &Home,
    settings: &Settings,
    wishes: &Wishes,
    user: Option<RunAs>,
) -> Result<Parts, Error> {
    let tracker =
        Arc::new(BuiltinTracker::open(&home.store(), Log::OfStore).map_err(|e| told(Kind::Failed, &e))?);
    let forge = LocalForge::open(&home.store(), Log::OfStore).map_err(|e| told(Kind::Failed, &e))?;
    let texts = Arc::new(project::Texts::new(home.store()));
    let maker = project::Maker { home, settings, wishes, user, texts: &texts, tracker: &tracker };
    let projects = maker.all()?;
    let token = secrets::secret(&home.token())?;
    let tcp = TcpListener::bind(settings.listen).await.map_err(|e| {
        Error::failed(say!("nothing can listen there: {e}", "этот адрес занять нельзя: {e}"))
            .at(settings.listen)
            .remedy(say!(
                "stop the other program, or set `listen` in orch.toml to another port (0: any)",
                "остановите другую программу или задайте в orch.toml другой порт в `listen` (0: любой)"
            ))
    })?;
    let address = tcp.local_addr().map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
    let unix = secrets::socket(home)?;
    Ok(Parts { tracker, forge, projects, texts, token, tcp, address, unix })
}

fn open_door(
    outside: &Arc<Outside>,
    wishes: &Wishes,
    token: String,
    address: std::net::SocketAddr,
    listeners: Vec<Listener>,
) -> (Arc<Keeper>, tokio::task::JoinHandle<()>) {
    let access = access::access(&outside.settings(), address, token);
    let keeper = Arc::new(Keeper::new(
        access,
        secrets::sessions(&outside.home, clock::now()),
        Some(secrets::keep_sessions(&outside.home)),
    ));
    let setup = Setup {
        source: Arc::new(source::Answers::new(Arc::clone(outside))),
        keeper: Arc::clone(&keeper),
        lang: outside.settings().language,
        notice: wishes.notice,
        answer_within: Duration::from_secs(15),
        stop: outside.stop.clone(),
    };
    let served = tokio::spawn(serve(listeners, Front::new(setup), Patience::default(), outside.stop.clone()));
    (keeper, served)
}

impl Running {
    /// A link that signs a browser in, once, as the user who runs Orch.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn link(&self) -> Result<String, Error> {
        let by = user::own_name().unwrap_or_else(|| "owner".to_owned());
        self.keeper.link(&by, clock::now()).map_err(|e| Error::failed(Told::quoted(e.to_string())))
    }

    /// Ends the front door, lets the hands finish nothing new, and closes the brain. Runs go on under their supervisors
    /// (decision 7).
    pub async fn stop(self) {
        self.outside.stop.cancel();
        let _ = self.served.await;
        self.outside.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(5), self.outside.tasks.wait()).await;
        let _ = std::fs::remove_file(self.outside.home.socket());
        let ended = tokio::task::spawn_blocking(move || self.brain.stop()).await;
        if ended.is_err() {
            tracing::error!("the brain's thread did not end in order");
        }
    }
}

/// Runs of another user must be able to walk to their tree, their home and the objects they borrow, and see nothing else
/// on the way (decision 9).
fn make_folders(home: &Home, user: Option<RunAs>) -> Result<(), Error> {
    let way = if user.is_some() { 0o711 } else { 0o700 };
    for folder in [home.folder().to_owned(), home.hubs()] {
        private(&folder, way)?;
    }
    for folder in [home.runs(), home.caches()] {
        private(&folder, 0o700)?;
    }
    for folder in [home.trees(), home.homes()] {
        private(&folder, 0o711)?;
    }
    let Some(user) = user else { return Ok(()) };
    // What root's umask may have closed.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    for folder in [home.trees(), home.homes()] {
        user::reaches_into(user, &folder)?;
    }
    Ok(())
}

fn defect_taking_over() -> Told {
    say!("the take-over of the journal ended in a defect", "приём журнала оборвался из-за ошибки в Orch")
}

fn store_error(error: &orch_store::OpenError) -> Error {
    match error {
        orch_store::OpenError::Taken { place, holder } => {
            let holder = crate::refusals::holder(*holder);
            let cause = say!(
                "another Orch works with this store ({holder})",
                "с этим хранилищем уже работает другой Orch ({holder})"
            );
            Error::new(Kind::Refused, cause).at(place.display()).remedy(say!(
                "stop that one first, or use another data folder (`--home`)",
                "остановите его или укажите другую папку данных (`--home`)"
            ))
        }
        other => Error::new(Kind::Damaged, worded(other)),
    }
}

pub(crate) async fn blocking<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(look).await.ok()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some sentences have their cause inside already.
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}
