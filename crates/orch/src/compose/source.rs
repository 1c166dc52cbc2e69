//! What does the front door see and do? Answers from store, board, runs, hub and tracker.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use orch_adapters::git::Hub;
use orch_adapters::process::{self, Observed, Stream};
use orch_adapters::run::Masker;
use orch_adapters::run::said;
use orch_adapters::tracker::builtin::{
    self, BuiltinTracker, Edit, EditOnce, HookError, IssueError, SIGNATURE_HEADER,
};
use orch_core::board::{Board, Policies};
use orch_core::call::Failure;
use orch_core::call::tracker::Status;
use orch_core::effect::Effect;
use orch_core::event::{Event, IssueSeen};
use orch_core::id::{Digest, Entity, ProjectId, Seq, TaskId};
use orch_core::journal::Row;
use orch_core::message;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use orch_engine::handle::NotTaken;
use orch_engine::{Ack, Incoming, Target, clock};
use orch_server::source::{
    Commented, Created, Cursor, Delivery, DiffText, Differs, Doing, Edited, Filter, Health, HookAnswer,
    IssueEdit, Later, Listed, LogChunk, LogPart, LogStream, NewComment, NewIssue, Page, Pressed, Said, Seen,
    Source, Taken, Trouble, needs_person,
};
use orch_store::{Place, Reader, StoreError, TaskFilter};
use tokio::sync::watch;

use super::project::Project;
use super::{Outside, edited, lock, sweep};
use crate::words::{say, words};

/// A diff longer than this is cut.
const DIFF: usize = 512 * 1024;

/// Answers the front door.
pub struct Answers {
    outside: Arc<Outside>,
}

impl Answers {
    /// Answers from this installation.
    pub fn new(outside: Arc<Outside>) -> Self {
        Self { outside }
    }

    fn blocking<T: Send + 'static>(
        &self,
        doing: Doing,
        look: impl FnOnce(&Outside) -> Result<T, String> + Send + 'static,
    ) -> Later<T> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            let looked = tokio::task::spawn_blocking(move || look(&outside)).await;
            looked
                .map_err(|e| e.to_string())
                .and_then(|seen| seen)
                .map_err(|cause| Trouble::Failed { doing, cause })
        })
    }

    /// What a signed delivery says, or why it does not count.
    fn incoming(&self, delivery: &Delivery) -> Result<Incoming, HookAnswer> {
        let project = self.outside.project(&delivery.project).ok_or(HookAnswer::Unknown)?;
        let signature = delivery.header(SIGNATURE_HEADER).unwrap_or_default();
        let read = builtin::verify(&project.hook_secret, &delivery.body, signature)
            .and_then(|()| builtin::parse(&delivery.body))
            .map_err(|error| match error {
                HookError::Body { place, cause } => HookAnswer::Malformed { place, remedy: cause },
                HookError::NoSignature | HookError::WrongSignature => HookAnswer::BadSignature,
            })?;
        if read.issue.project != delivery.project {
            let named = &delivery.project;
            let remedy = say!("name `{named}`, whose hook this is", "назовите `{named}`, чей это хук").into();
            return Err(HookAnswer::Malformed { place: "project".to_owned(), remedy });
        }
        let key = format!("hook/{}/{}", delivery.project, read.delivery);
        let (reading, blobs) = read.issue.into_reading();
        let seen = IssueSeen { project: delivery.project.clone(), reading };
        let target = Target::Issue { prefix: project.prefix.clone() };
        Ok(Incoming::of(target, Event::Issue(Box::new(seen))).keyed(key).with(blobs))
    }

    fn reading<T: Send + 'static>(
        &self,
        doing: Doing,
        look: impl FnOnce(&mut Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Later<T> {
        self.blocking(doing, move |outside| outside.read(look))
    }
}

fn stopping() -> String {
    say!(
        "the brain is stopping; try again when it serves",
        "Orch останавливается; попробуйте снова, когда он заработает"
    )
    .into()
}

fn shed(error: NotTaken) -> Trouble {
    match error {
        NotTaken::Overloaded => Trouble::Overloaded { retry_after: Span::seconds(1) },
        NotTaken::Full => disk_full(),
        NotTaken::Store(cause) => {
            let cause =
                say!("the journal could not be written: {cause}", "записать в журнал не удалось: {cause}")
                    .into();
            Trouble::Unwritten { cause, retry_after: Span::seconds(5) }
        }
        NotTaken::Stopped => Trouble::Unwritten { cause: stopping(), retry_after: Span::seconds(5) },
    }
}

fn disk_full() -> Trouble {
    Trouble::DiskFull { retry_after: Span::seconds(5) }
}

/// What the tracker refuses: a full disk is nobody's fault and passes, all else is said in its words.
fn refused(error: &IssueError) -> Result<String, Trouble> {
    match error.is_disk_full() {
        true => Err(disk_full()),
        false => Ok(super::chain(error)),
    }
}

/// It stands in the tracker; the brain did not take it yet.
fn later() -> Trouble {
    Trouble::Later { retry_after: Span::seconds(5) }
}

/// A task with its title.
pub(crate) fn listed(reader: &mut Reader, seq: Seq, task: Task) -> Result<Listed, StoreError> {
    let title = reader.blob(&task.request.title.blob)?;
    let title = title.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Listed { seq, task: Arc::new(task), title })
}

/// A task, if there is one of that name.
pub(crate) fn task_of(reader: &mut Reader, id: &TaskId) -> Result<Option<(Seq, Task)>, StoreError> {
    let kept = reader.state(&Entity::Task(id.clone()))?;
    Ok(kept.and_then(|kept| match kept.state {
        State::Task(task) => Some((kept.seq, *task)),
        State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
    }))
}

/// A page of tasks.
pub(crate) fn page(reader: &mut Reader, filter: Filter, most: usize) -> Result<Page, StoreError> {
    let wanted = TaskFilter {
        project: filter.project,
        stage: filter.stage,
        open: filter.open,
        prefix: filter.prefix,
        before: filter.before.map(|cursor| Place(cursor.0)),
    };
    let page = reader.tasks(&wanted, most)?;
    let mut tasks = Vec::new();
    for found in page.tasks {
        if let State::Task(task) = found.kept.state {
            tasks.push(listed(reader, found.kept.seq, *task)?);
        }
    }
    Ok(Page { tasks, next: page.next.map(|place| Cursor(place.0)) })
}

/// A part of the log that lies in a run's folder.
pub(crate) fn log_of(record: &Path, live: bool, part: &LogPart, mask: &Masker) -> Result<LogChunk, String> {
    let (stream, name) = match part.stream {
        LogStream::Out => (Stream::Stdout, "stdout.log"),
        LogStream::Err => (Stream::Stderr, "stderr.log"),
    };
    let size = std::fs::metadata(record.join(name)).map(|file| file.len()).unwrap_or(0);
    let from = part.from.unwrap_or_else(|| size.saturating_sub(part.most as u64));
    let bytes = said::part(record, stream, (from, part.most), live, mask).map_err(|e| e.to_string())?;
    let left_out = match (live, process::observe(record)) {
        (false, Observed::Ended(end)) => match part.stream {
            LogStream::Out => end.stdout.dropped,
            LogStream::Err => end.stderr.dropped,
        },
        _ => 0, // not a domain enum
    };
    Ok(LogChunk { from, bytes, size, live, left_out })
}

/// What a task changes; `None` while it has no branch.
pub(crate) fn diff_of(hub: &Hub, task: &Task) -> Result<Option<DiffText>, String> {
    let Some(branch) = &task.branch else { return Ok(None) };
    let (text, cut) = hub.diff_text(&branch.base, &branch.head, DIFF).map_err(|failure| spoken(&failure))?;
    Ok(Some(DiffText { base: branch.base.to_string(), head: branch.head.to_string(), text, cut }))
}

/// What was said under a task's issue.
pub(crate) fn comments_of(tracker: &BuiltinTracker, task: &Task) -> Result<Vec<Said>, String> {
    let said = tracker.said(&task.issue, 100).map_err(|failure| spoken(&failure))?;
    let comment = |said: builtin::Spoken| Said { by: said.by, own: said.own, at: said.at, text: said.text };
    Ok(said.into_iter().map(comment).collect())
}

/// An artefact's bytes. Only what the contract read: the name is looked up, never made into a path.
pub(crate) fn artefact_of(hub: &Hub, task: &Task, name: &str) -> Result<Option<Vec<u8>>, String> {
    let known = task.artefacts.iter().any(|artefact| artefact.name == name);
    let (Some(branch), true) = (&task.branch, known) else { return Ok(None) };
    let path = format!("{}/{name}", orch_core::artefact::folder(&task.item));
    hub.read_file(&branch.head, &path).map_err(|failure| spoken(&failure))
}

impl Source for Answers {
    fn now(&self) -> Moment {
        clock::now()
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.outside.head.clone()
    }

    fn seen(&self) -> Later<Seen> {
        let asker = self.outside.asker.clone();
        Box::pin(async move {
            let look = |board: &Board, policies: &Policies| Seen {
                board: Arc::new(board.clone()),
                policies: Arc::new(policies.clone()),
            };
            asker.ask(look).await.ok_or(Trouble::Failed { doing: Doing::Board, cause: stopping() })
        })
    }

    fn projects(&self) -> Later<Vec<ProjectId>> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            edited::look(&outside).await;
            Ok(outside.in_settings().iter().map(|project| project.id.clone()).collect())
        })
    }

    fn counts(&self, project: Option<ProjectId>) -> Later<BTreeMap<Stage, u64>> {
        self.reading(Doing::Count, move |reader| Ok(reader.stages(project.as_ref())?.into_iter().collect()))
    }

    fn tasks(&self, filter: Filter, most: usize) -> Later<Page> {
        self.reading(Doing::List, move |reader| page(reader, filter, most))
    }

    fn waiting(&self, project: Option<ProjectId>, most: usize) -> Later<(Vec<Listed>, u64)> {
        let asker = self.outside.asker.clone();
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            let look = move |board: &Board, _: &Policies| board.at_rest(project.as_ref());
            let resting = asker.ask(look).await.unwrap_or_default();
            let looked = tokio::task::spawn_blocking(move || {
                outside.read(|reader| {
                    let mut found = Vec::new();
                    for id in resting {
                        if let Some((seq, task)) = task_of(reader, &id)?
                            && needs_person(&task)
                        {
                            found.push((task.step_since, seq, task));
                        }
                    }
                    found.sort_by_key(|(since, _, task)| (*since, task.id.clone()));
                    let all = found.len() as u64;
                    let mut first = Vec::new();
                    for (_, seq, task) in found.into_iter().take(most) {
                        first.push(listed(reader, seq, task)?);
                    }
                    Ok((first, all))
                })
            });
            let looked = looked.await.map_err(|e| e.to_string()).and_then(|seen| seen);
            looked.map_err(|cause| Trouble::Failed { doing: Doing::Waiting, cause })
        })
    }

    fn task(&self, id: TaskId) -> Later<Option<Listed>> {
        self.reading(Doing::Task, move |reader| match task_of(reader, &id)? {
            Some((seq, task)) => Ok(Some(listed(reader, seq, task)?)),
            None => Ok(None),
        })
    }

    fn history(&self, entity: Entity, before: Option<Seq>, most: usize) -> Later<Vec<Row>> {
        self.reading(Doing::History, move |reader| reader.rows_of(&entity, before, most))
    }

    fn rows_since(&self, after: Seq, most: usize) -> Later<Vec<Row>> {
        self.reading(Doing::Journal, move |reader| reader.rows(Seq(after.0 + 1), most))
    }

    fn blob(&self, digest: Digest) -> Later<Option<Vec<u8>>> {
        self.reading(Doing::Text, move |reader| reader.blob(&digest))
    }

    fn comments(&self, task: TaskId) -> Later<Vec<Said>> {
        self.blocking(Doing::Comments, move |outside| {
            let Some((_, task)) = outside.read(|reader| task_of(reader, &task))? else {
                return Ok(Vec::new());
            };
            comments_of(&outside.tracker, &task)
        })
    }

    fn log(&self, part: LogPart) -> Later<Option<LogChunk>> {
        self.blocking(Doing::Log, move |outside| {
            let Some((_, task)) = outside.read(|reader| task_of(reader, &part.task))? else {
                return Ok(None);
            };
            let Some(row) = task.runs.iter().find(|row| row.run == part.run) else { return Ok(None) };
            let Some(project) = outside.project(&task.project) else { return Ok(None) };
            let record = project.runs.places.of(part.run).record;
            let mask = project.runs.mask_of(part.run).map_err(|failure| failure.cause.to_string())?;
            log_of(&record, row.end.is_none(), &part, &mask).map(Some)
        })
    }

    fn diff(&self, task: TaskId) -> Later<Option<DiffText>> {
        self.blocking(Doing::Diff, move |outside| {
            let Some((_, task)) = outside.read(|reader| task_of(reader, &task))? else { return Ok(None) };
            let Some(project) = outside.project(&task.project) else { return Ok(None) };
            diff_of(&project.hub, &task)
        })
    }

    fn artefact(&self, task: TaskId, name: String) -> Later<Option<Vec<u8>>> {
        self.blocking(Doing::Artefact, move |outside| {
            let Some((_, task)) = outside.read(|reader| task_of(reader, &task))? else { return Ok(None) };
            let Some(project) = outside.project(&task.project) else { return Ok(None) };
            artefact_of(&project.hub, &task, &name)
        })
    }

    fn submit(&self, pressed: Pressed) -> Later<Taken> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            let known = match &pressed.entity {
                Entity::Task(id) => {
                    let id = id.clone();
                    let theirs = Arc::clone(&outside);
                    let found =
                        tokio::task::spawn_blocking(move || theirs.read(|reader| task_of(reader, &id))).await;
                    matches!(found, Ok(Ok(Some(_))))
                }
                Entity::Repository(project) | Entity::Project(project) => outside.project(project).is_some(),
                Entity::Provider(_) => false,
                Entity::Installation => true,
            };
            if !known {
                return Ok(Taken::Unknown);
            }
            let incoming = Incoming::of(Target::Entity(pressed.entity), Event::Gesture(pressed.gesture));
            match outside.handle.submit(incoming.with(pressed.blobs)).await.map_err(shed)? {
                Ack::Accepted { seq, reasons } => Ok(Taken::Accepted { seq, reasons }),
                Ack::Duplicate | Ack::Unchanged => {
                    Ok(Taken::Duplicate { seq: *outside.head.borrow(), reasons: Vec::new() })
                }
            }
        })
    }

    fn create_issue(&self, issue: NewIssue) -> Later<Created> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            outside.handle.may_write().map_err(shed)?;
            edited::look(&outside).await;
            let Some(project) = outside.in_settings().into_iter().find(|own| own.id == issue.project) else {
                return Ok(Created::UnknownProject);
            };
            let theirs = Arc::clone(&outside);
            let made = tokio::task::spawn_blocking(move || {
                let status = if issue.start { Status::ToAnalyse } else { Status::Backlog };
                theirs.tracker.create_once(&issue.project, &issue.request, &issue.title, &issue.text, status)
            });
            let made = match made.await.map_err(|e| failed(Doing::Create, &e))? {
                Ok(made) => made,
                Err(error) => return Ok(Created::Refused { cause: refused(&error)? }),
            };
            let _ = sweep::submit_issue(&outside, &project, &made).await;
            let (key, theirs) = (made.key.clone(), Arc::clone(&outside));
            let found = tokio::task::spawn_blocking(move || {
                theirs.read(|reader| reader.task_of_issue(&project.id, &key))
            });
            match found.await.map_err(|e| failed(Doing::Find, &e))? {
                Ok(Some(task)) => Ok(Created::Made { issue: made.key, task }),
                Ok(None) => Err(later()),
                Err(cause) => Err(Trouble::Failed { doing: Doing::Find, cause }),
            }
        })
    }

    fn edit_issue(&self, wanted: IssueEdit) -> Later<Edited> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            outside.handle.may_write().map_err(shed)?;
            let (theirs, asked) = (Arc::clone(&outside), wanted.clone());
            let edited = tokio::task::spawn_blocking(move || edit_once(&theirs, &asked));
            let (project, once) = match edited.await.map_err(|e| failed(Doing::Edit, &e))?? {
                Ok(edited) => edited,
                Err(refused) => return Ok(refused),
            };
            tracing::info!(task = %wanted.task, by = wanted.by, "an issue was edited");
            // What is written stands: if the queue sheds now, the next sweep or the same request again brings it.
            let ack = sweep::submit_issue(&outside, &project, &once.issue).await;
            let (seq, reasons) = match ack {
                Some(Ack::Accepted { seq, reasons }) => (seq, reasons),
                Some(Ack::Duplicate | Ack::Unchanged) => (*outside.head.borrow(), Vec::new()),
                None => return Err(later()),
            };
            let (key, id, theirs) = (once.issue.key.clone(), project.id.clone(), Arc::clone(&outside));
            let found =
                tokio::task::spawn_blocking(move || theirs.read(|reader| reader.task_of_issue(&id, &key)));
            let found = found.await.map_err(|e| failed(Doing::Find, &e))?;
            let task = found.map_err(|cause| Trouble::Failed { doing: Doing::Find, cause })?;
            let changed = once.before.map(|before| Differs {
                title: before.title != once.issue.title,
                text: before.text != once.issue.text,
                labels: before.labels != once.issue.labels,
            });
            Ok(Edited::Done { task: task.unwrap_or(wanted.task), seq, changed, reasons })
        })
    }

    fn comment(&self, comment: NewComment) -> Later<Commented> {
        let outside = Arc::clone(&self.outside);
        Box::pin(async move {
            outside.handle.may_write().map_err(shed)?;
            let said = tokio::task::spawn_blocking(move || {
                let found = outside.read(|reader| task_of(reader, &comment.task));
                let Some((_, task)) = found.map_err(|e| failed(Doing::Comment, &e))? else {
                    return Ok(Commented::Unknown);
                };
                let NewComment { request, by, text, task: _ } = &comment;
                match outside.tracker.comment_once(&task.issue, request, by, text, clock::now()) {
                    Ok(()) => Ok(Commented::Said),
                    Err(error) => Ok(Commented::Refused { cause: refused(&error)? }),
                }
            });
            said.await.map_err(|e| failed(Doing::Comment, &e))?
        })
    }

    fn sheds(&self) -> Option<Trouble> {
        self.outside.handle.is_full().then(|| shed(NotTaken::Overloaded))
    }

    fn hook(&self, delivery: Delivery) -> Later<HookAnswer> {
        let incoming = match self.incoming(&delivery) {
            Ok(incoming) => incoming,
            Err(answer) => return Box::pin(std::future::ready(Ok(answer))),
        };
        let handle = self.outside.handle.clone();
        Box::pin(async move {
            match handle.submit(incoming).await.map_err(shed)? {
                Ack::Accepted { seq, .. } => Ok(HookAnswer::Accepted { seq }),
                Ack::Duplicate | Ack::Unchanged => Ok(HookAnswer::NothingNew),
            }
        })
    }

    fn open_effects(&self) -> Later<Vec<Effect>> {
        self.reading(Doing::Effects, Reader::open_effects)
    }

    fn health(&self) -> Health {
        Health {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("ORCH_BUILD_COMMIT").map(str::to_owned),
            started: self.outside.started,
            work: self.outside.work(),
            sweep: Some(*lock(&self.outside.swept)),
        }
    }
}

/// Writes an edit into the tracker's tables; what is inside is why not. Blocks.
fn edit_once(
    outside: &Outside,
    wanted: &IssueEdit,
) -> Result<Result<(Arc<Project>, EditOnce), Edited>, Trouble> {
    let found = outside.read(|reader| task_of(reader, &wanted.task));
    let Some((_, task)) = found.map_err(|e| failed(Doing::Task, &e))? else {
        return Ok(Err(Edited::Unknown));
    };
    let Some(project) = outside.project(&task.project) else {
        let id = &task.project;
        let cause =
            say!("project `{id}` no longer stands in orch.toml", "проекта `{id}` больше нет в orch.toml")
                .into();
        return Ok(Err(Edited::Refused { cause }));
    };
    let edit = Edit {
        title: wanted.title.clone(),
        text: wanted.text.clone(),
        auto_approve: wanted.auto_approve,
        auto_deploy: wanted.auto_deploy,
        ..Edit::default()
    };
    Ok(match outside.tracker.edit_once(&task.issue, &wanted.request, wanted.was.as_ref(), &edit) {
        Ok(once) => Ok((project, once)),
        Err(IssueError::Edited { .. }) => Err(Edited::Meanwhile),
        Err(error) => Err(Edited::Refused { cause: refused(&error)? }),
    })
}

/// What failed, in the language of the installation.
fn spoken(failure: &Failure) -> String {
    message::cause(&failure.cause, words().lang)
}

fn failed(doing: Doing, cause: &dyn std::fmt::Display) -> Trouble {
    Trouble::Failed { doing, cause: cause.to_string() }
}
