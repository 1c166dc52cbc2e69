//! What does Orch say while it is down? The store as it was left, the logs and the hubs, read-only, behind the same front
//! door: whoever asks gets the words that the brain would give (decision 44).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orch_adapters::git::{Git, Hub};
use orch_adapters::process::{Observed, observe};
use orch_adapters::run::{Masker, Places, mask_of};
use orch_adapters::tracker::builtin::BuiltinTracker;
use orch_core::board::{Board, Policies};
use orch_core::effect::Effect;
use orch_core::id::{Digest, Entity, ProjectId, Seq, TaskId};
use orch_core::journal::Row;
use orch_core::message::Lang;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::Moment;
use orch_engine::clock;
use orch_server::auth::{Access, Keeper};
use orch_server::source::{
    Commented, Created, Delivery, DiffText, Doing, Edited, Filter, Health, HookAnswer, IssueEdit, Later,
    Listed, LogChunk, LogPart, NewComment, NewIssue, Page, Pressed, Said, Seen, Source, Taken, Trouble, Work,
};
use orch_server::{Front, Setup};
use orch_store::{Reader, StoreError, TaskFilter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, random};
use crate::compose::lock;
use crate::compose::project::masker;
use crate::compose::source::{artefact_of, comments_of, diff_of, listed, log_of, page, task_of};
use crate::error::Error;
use crate::home::Home;
use crate::refusals::{unopened, unread, worded};
use crate::settings::Settings;
use crate::words::{Told, say};

/// Tasks read at once.
const BATCH: usize = 500;

/// Why no log is shown.
fn unmasked() -> Told {
    say!(
        "the settings cannot be read, so nobody knows which keys must be taken out of it; mend orch.toml (`orch doctor` \
         says what is wrong)",
        "настройки не читаются, и неизвестно, какие ключи нужно из него вырезать; исправьте orch.toml (что не так, скажет \
         `orch doctor`)"
    )
}

/// A store as it was left.
pub struct Left {
    reader: Mutex<Reader>,
    home: Home,
    path: String,
    seen: Seen,
    /// What must not be shown of logs; without readable settings nobody knows.
    mask: Option<Masker>,
    /// Nothing comes after it; it is kept so that nobody who listens takes its silence for an end.
    head: watch::Sender<Seq>,
}

impl Left {
    /// A way to ask the store in `home`. `path` is where git is looked for.
    ///
    /// # Errors
    /// The store cannot be opened or read.
    pub fn client(home: &Home, settings: Option<&Settings>, path: &str) -> Result<Client, Error> {
        let lang = settings.map(|settings| settings.language).unwrap_or_default();
        let token = random()?;
        let door = Self::open(home, settings, path)?.door(&token, lang);
        Ok(Client::inside(home, door, token).speaking(lang))
    }

    fn open(home: &Home, settings: Option<&Settings>, path: &str) -> Result<Self, Error> {
        let mut reader = Reader::open(&home.store()).map_err(unopened)?;
        let seen = board(&mut reader, settings).map_err(unread)?;
        let head = watch::Sender::new(reader.head().map_err(unread)?.seq);
        let mask = settings.map(masker);
        Ok(Self { reader: Mutex::new(reader), home: home.clone(), path: path.to_owned(), seen, mask, head })
    }

    fn door(self, token: &str, lang: Lang) -> Front {
        Front::new(Setup {
            source: Arc::new(self),
            keeper: Arc::new(Keeper::new(Access::loopback(token), Vec::new(), None)),
            lang,
            notice: None,
            answer_within: Duration::from_secs(60),
            stop: CancellationToken::new(),
        })
    }

    fn now<T: Send + 'static>(
        &self,
        doing: Doing,
        look: impl FnOnce(&mut Reader) -> Result<T, String>,
    ) -> Later<T> {
        let looked = look(&mut lock(&self.reader)).map_err(|cause| Trouble::Failed { doing, cause });
        Box::pin(std::future::ready(looked))
    }

    fn read<T: Send + 'static>(
        &self,
        doing: Doing,
        look: impl FnOnce(&mut Reader) -> Result<T, StoreError>,
    ) -> Later<T> {
        self.now(doing, |reader| look(reader).map_err(|e| worded(&e).into()))
    }

    /// What is wanted of a task, if there is one.
    fn of_task<T: Send + 'static>(
        &self,
        doing: Doing,
        id: &TaskId,
        look: impl FnOnce(&Task) -> Result<Option<T>, String>,
    ) -> Later<Option<T>> {
        self.now(doing, |reader| match task_of(reader, id).map_err(|e| worded(&e))? {
            Some((_, task)) => look(&task),
            None => Ok(None),
        })
    }

    fn hub(&self, project: &ProjectId) -> Result<Hub, String> {
        let git = Git::at("git", &self.path).map_err(|e| worded(&e))?;
        Hub::open(git, &self.home.hubs().join(project.as_str())).map_err(|e| worded(&e).into())
    }

    fn record(&self, part: &LogPart) -> PathBuf {
        self.home.runs().join(part.run.to_string())
    }
}

/// Nothing is written while Orch is down.
fn down<T: Send + 'static>(doing: Doing) -> Later<T> {
    let cause =
        say!("Orch is not running; start it with `orch up`", "Orch не запущен; запустите: `orch up`").into();
    Box::pin(std::future::ready(Err(Trouble::Failed { doing, cause })))
}

impl Source for Left {
    fn now(&self) -> Moment {
        clock::now()
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    fn seen(&self) -> Later<Seen> {
        Box::pin(std::future::ready(Ok(self.seen.clone())))
    }

    fn projects(&self) -> Later<Vec<ProjectId>> {
        Box::pin(std::future::ready(Ok(self.seen.policies.keys().cloned().collect())))
    }

    fn counts(&self, project: Option<ProjectId>) -> Later<BTreeMap<Stage, u64>> {
        self.read(Doing::Count, |reader| Ok(reader.stages(project.as_ref())?.into_iter().collect()))
    }

    fn tasks(&self, filter: Filter, most: usize) -> Later<Page> {
        self.read(Doing::List, |reader| page(reader, filter, most))
    }

    fn waiting(&self, _project: Option<ProjectId>, _most: usize) -> Later<(Vec<Listed>, u64)> {
        down(Doing::Waiting)
    }

    fn task(&self, id: TaskId) -> Later<Option<Listed>> {
        self.read(Doing::Task, |reader| match task_of(reader, &id)? {
            Some((seq, task)) => Ok(Some(listed(reader, seq, task)?)),
            None => Ok(None),
        })
    }

    fn history(&self, entity: Entity, before: Option<Seq>, most: usize) -> Later<Vec<Row>> {
        self.read(Doing::History, |reader| reader.rows_of(&entity, before, most))
    }

    fn rows_since(&self, after: Seq, most: usize) -> Later<Vec<Row>> {
        self.read(Doing::Journal, |reader| reader.rows(Seq(after.0 + 1), most))
    }

    fn blob(&self, digest: Digest) -> Later<Option<Vec<u8>>> {
        self.read(Doing::Text, |reader| reader.blob(&digest))
    }

    fn comments(&self, task: TaskId) -> Later<Vec<Said>> {
        let file = self.home.store();
        let said = self.of_task(Doing::Comments, &task, |task| {
            let tracker = BuiltinTracker::read_only(&file).map_err(|e| worded(&e))?;
            comments_of(&tracker, task).map(Some)
        });
        Box::pin(async { Ok(said.await?.unwrap_or_default()) })
    }

    fn log(&self, part: LogPart) -> Later<Option<LogChunk>> {
        self.of_task(Doing::Log, &part.task, |task| {
            let mask = self.mask.as_ref().ok_or_else(unmasked)?;
            let Some(row) = task.runs.iter().find(|row| row.run == part.run) else { return Ok(None) };
            let (home, run) = (&self.home, part.run);
            let places = Places { runs: home.runs(), trees: home.trees(), homes: home.homes() };
            let mask = mask_of(&places.of(run), mask).map_err(|failure| failure.cause.to_string())?;
            let record = self.record(&part);
            // Runs go on while the brain is down (decision 7); their end is in their record before it is in the journal.
            let live = row.end.is_none() && matches!(observe(&record), Observed::Running(_));
            log_of(&record, live, &part, &mask).map(Some)
        })
    }

    fn diff(&self, task: TaskId) -> Later<Option<DiffText>> {
        self.of_task(Doing::Diff, &task, |task| match task.branch {
            Some(_) => diff_of(&self.hub(&task.project)?, task),
            None => Ok(None),
        })
    }

    fn artefact(&self, task: TaskId, name: String) -> Later<Option<Vec<u8>>> {
        self.of_task(Doing::Artefact, &task, |task| match task.branch {
            Some(_) => artefact_of(&self.hub(&task.project)?, task, &name),
            None => Ok(None),
        })
    }

    fn submit(&self, _pressed: Pressed) -> Later<Taken> {
        down(Doing::Write)
    }

    fn create_issue(&self, _issue: NewIssue) -> Later<Created> {
        down(Doing::Create)
    }

    fn edit_issue(&self, _edit: IssueEdit) -> Later<Edited> {
        down(Doing::Edit)
    }

    fn comment(&self, _comment: NewComment) -> Later<Commented> {
        down(Doing::Comment)
    }

    fn sheds(&self) -> Option<Trouble> {
        None
    }

    fn hook(&self, _delivery: Delivery) -> Later<HookAnswer> {
        down(Doing::Delivery)
    }

    fn open_effects(&self) -> Later<Vec<Effect>> {
        self.read(Doing::Effects, Reader::open_effects)
    }

    fn health(&self) -> Health {
        Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: None,
            started: clock::now(),
            work: Work::default(),
            sweep: None,
        }
    }
}

/// The board as the brain would rebuild it, and the policies it last decided under: without them no hold is right.
fn board(reader: &mut Reader, settings: Option<&Settings>) -> Result<Seen, StoreError> {
    let (mut board, mut policies) = (Board::default(), Policies::default());
    let mut entities = vec![Entity::Installation];
    for (name, agent) in settings.into_iter().flat_map(|settings| &settings.agents) {
        entities.push(Entity::Provider(agent.provider(name)));
    }
    let named = settings.into_iter().flat_map(|settings| settings.projects.keys());
    let mut projects: BTreeSet<ProjectId> = named.map(|id| ProjectId::from(id.clone())).collect();
    let mut filter = TaskFilter { open: true, ..TaskFilter::default() };
    loop {
        let page = reader.tasks(&filter, BATCH)?;
        for listed in &page.tasks {
            board.note(&listed.entity, &listed.kept.state);
            if let State::Task(task) = &listed.kept.state {
                projects.insert(task.project.clone());
            }
        }
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    for project in projects {
        entities.extend([Entity::Repository(project.clone()), Entity::Project(project)]);
    }
    for entity in entities {
        let Some(kept) = reader.state(&entity)? else { continue };
        board.note(&entity, &kept.state);
        if let (Entity::Project(id), State::Project(project)) = (entity, kept.state)
            && let Some(digest) = project.policy
            && let Some(bytes) = reader.blob(&digest)?
            // One of another version is none: the hold says so.
            && let Ok(policy) = serde_json::from_slice(&bytes)
        {
            policies.insert(id, policy);
        }
    }
    Ok(Seen { board: Arc::new(board), policies: Arc::new(policies) })
}
