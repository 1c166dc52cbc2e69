//! A `Source` in memory: real decisions of `core`, nothing on disk, a clock that moves only when told.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use orch_core::apply::apply;
use orch_core::board::{Board, Policies};
use orch_core::call::Text;
use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::change::Change;
use orch_core::decide::{Decision, decide};
use orch_core::effect::Effect;
use orch_core::event::{Event, IssueSeen, Stamped};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Digest, Entity, IssueKey, ProjectId, Seq, TaskId, WorkItem};
use orch_core::journal::{RULES, Row};
use orch_core::policy::Policy;
use orch_core::reason::Reason;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use orch_server::source::*;
use tokio::sync::watch;

/// Where the world's clock begins: 2026-03-02 09:00 UTC.
pub(crate) const BEGIN: Moment = Moment(1_772_442_000_000);

pub(crate) type LogKey = (TaskId, String, LogStream);

/// All there is.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) rows: Vec<Row>,
    pub(crate) states: BTreeMap<Entity, (Seq, State)>,
    pub(crate) order: Vec<TaskId>,
    pub(crate) board: Board,
    pub(crate) policies: Policies,
    pub(crate) blobs: HashMap<Digest, Vec<u8>>,
    pub(crate) logs: HashMap<LogKey, (Vec<u8>, bool)>,
    pub(crate) diffs: HashMap<TaskId, DiffText>,
    pub(crate) files: HashMap<(TaskId, String), Vec<u8>>,
    pub(crate) said: HashMap<TaskId, Vec<Said>>,
    pub(crate) keys: HashMap<String, Seq>,
    pub(crate) effects: Vec<Effect>,
}

pub(crate) struct Memory {
    world: Mutex<World>,
    head: watch::Sender<Seq>,
    clock: AtomicI64,
    /// Answers 503 to everything that writes.
    pub(crate) full: AtomicBool,
}

fn later<T: Send + 'static>(answer: Result<T, Trouble>) -> Later<T> {
    Box::pin(std::future::ready(answer))
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::default(),
            head: watch::Sender::new(Seq(0)),
            clock: AtomicI64::new(BEGIN.0),
            full: AtomicBool::new(false),
        })
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, span: Span) {
        self.clock.fetch_add(i64::try_from(span.0).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn project(&self, id: &str, policy: Policy) {
        let mut world = self.world();
        world.policies.insert(id.into(), policy);
        let entity = Entity::Repository(id.into());
        let state = State::Repository(Default::default());
        world.board.note(&entity, &state);
        world.states.insert(entity, (Seq(0), state));
    }

    pub(crate) fn keep(&self, text: &str) -> Text {
        self.world().blobs.insert(Digest::of(text.as_bytes()), text.as_bytes().to_vec());
        Text::of(text)
    }

    /// An issue that the tracker shows for the first time.
    pub(crate) fn issue(&self, project: &str, number: u64, title: &str, text: &str) -> TaskId {
        let prefix = self.world().policies[&ProjectId::from(project)].prefix.clone();
        let task = TaskId::of(&WorkItem::numbered(&prefix, number), 1);
        let reading = IssueReading {
            issue: IssueKey::from(format!("{project}#{number}")),
            number,
            status: Some(Status::Backlog),
            title: self.keep(title),
            slug: "slug".to_owned(),
            text: self.keep(text),
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let event = Event::Issue(Box::new(IssueSeen { project: project.into(), reading }));
        self.happen(&Entity::Task(task.clone()), event, &format!("issue/{task}"));
        self.world().order.push(task.clone());
        task
    }

    /// Something happens and is decided for real.
    pub(crate) fn happen(&self, entity: &Entity, event: Event, key: &str) -> (Seq, Vec<Reason>) {
        let decision = {
            let world = self.world();
            let state = world.states.get(entity).map(|(_, state)| state);
            let project = match state {
                Some(State::Task(task)) => Some(task.project.clone()),
                _ => match &event {
                    Event::Issue(seen) => Some(seen.project.clone()),
                    _ => None,
                },
            };
            let policy = project.and_then(|id| world.policies.get(&id).cloned()).unwrap_or_default();
            let stamped = Stamped { seq: Seq(world.rows.len() as u64 + 1), at: self.now(), event: &event };
            decide(entity, state, &stamped, &policy)
        };
        self.write(entity, event, key, decision)
    }

    /// A row with these changes, as if something had decided them.
    pub(crate) fn force(&self, task: &TaskId, changes: Vec<Change>, reasons: Vec<Reason>) -> Seq {
        let entity = Entity::Task(task.clone());
        let key = format!("forced/{}", self.world().rows.len());
        let decision = Decision { changes, reasons, ..Decision::default() };
        self.write(&entity, Event::ClockStepped { by: 0 }, &key, decision).0
    }

    fn write(&self, entity: &Entity, event: Event, key: &str, decision: Decision) -> (Seq, Vec<Reason>) {
        let mut world = self.world();
        let seq = Seq(world.rows.len() as u64 + 1);
        let old = world.states.get(entity).map(|(_, state)| state.clone());
        let state = apply(old, entity, (seq, self.now()), &decision.changes);
        if let Some(state) = state {
            world.board.note(entity, &state);
            world.states.insert(entity.clone(), (seq, state));
        }
        for blob in decision.blobs {
            world.blobs.insert(blob.digest, blob.bytes);
        }
        world.effects.extend(decision.effects.iter().cloned());
        let prev = world.rows.last().map_or_else(Row::genesis, |row| row.hash.clone());
        let row = Row {
            seq,
            at: self.now(),
            entity: entity.clone(),
            key: key.to_owned(),
            event,
            changes: decision.changes,
            effects: decision.effects,
            timers: Vec::new(),
            reasons: decision.reasons.clone(),
            policy: None,
            rules: RULES,
            prev: prev.clone(),
            hash: prev.clone(),
        };
        world.rows.push(row.sealed(prev).into_row());
        world.keys.insert(key.to_owned(), seq);
        drop(world);
        self.head.send_replace(seq);
        (seq, decision.reasons)
    }

    pub(crate) fn task_now(&self, id: &TaskId) -> Option<Task> {
        match self.world().states.get(&Entity::Task(id.clone())) {
            Some((_, State::Task(task))) => Some((**task).clone()),
            _ => None,
        }
    }

    /// A run's log grows.
    pub(crate) fn write_log(&self, task: &TaskId, run: &str, bytes: &[u8], live: bool) {
        let mut world = self.world();
        let log = world.logs.entry((task.clone(), run.to_owned(), LogStream::Out)).or_default();
        log.0.extend_from_slice(bytes);
        log.1 = live;
    }

    fn busy(&self) -> Option<Trouble> {
        self.full.load(Ordering::Relaxed).then_some(Trouble::Overloaded { retry_after: Span::seconds(2) })
    }
}

impl World {
    fn listed(&self, id: &TaskId) -> Option<Listed> {
        let (seq, state) = self.states.get(&Entity::Task(id.clone()))?;
        let State::Task(task) = state else { return None };
        let title = self.blobs.get(&task.request.title.blob);
        let title = title.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Some(Listed { seq: *seq, task: Arc::new((**task).clone()), title })
    }

    fn newest(&self) -> impl Iterator<Item = (usize, Listed)> + '_ {
        self.order.iter().enumerate().rev().filter_map(|(n, id)| Some((n, self.listed(id)?)))
    }
}

impl Source for Memory {
    fn now(&self) -> Moment {
        Moment(self.clock.load(Ordering::Relaxed))
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    fn seen(&self) -> Later<Seen> {
        let world = self.world();
        later(Ok(Seen { board: Arc::new(world.board.clone()), policies: Arc::new(world.policies.clone()) }))
    }

    fn projects(&self) -> Later<Vec<ProjectId>> {
        later(Ok(self.world().policies.keys().cloned().collect()))
    }

    fn counts(&self, project: Option<ProjectId>) -> Later<BTreeMap<Stage, u64>> {
        let mut counts = BTreeMap::new();
        for (_, state) in self.world().states.values() {
            if let State::Task(task) = state
                && project.as_ref().is_none_or(|project| *project == task.project)
            {
                *counts.entry(task.stage).or_default() += 1;
            }
        }
        later(Ok(counts))
    }

    fn tasks(&self, filter: Filter, most: usize) -> Later<Page> {
        let world = self.world();
        let fits = |task: &Task| {
            filter.project.as_ref().is_none_or(|project| *project == task.project)
                && filter.stage.is_none_or(|stage| stage == task.stage)
                && (!filter.open || !task.stage.is_terminal())
                && filter.prefix.as_ref().is_none_or(|prefix| task.item.0.starts_with(&prefix.to_uppercase()))
        };
        let mut found: Vec<(usize, Listed)> = world
            .newest()
            .filter(|(n, listed)| {
                filter.before.is_none_or(|before| (*n as i64) < before.0) && fits(&listed.task)
            })
            .take(most + 1)
            .collect();
        let more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| more).map(|(n, _)| Cursor(*n as i64));
        later(Ok(Page { tasks: found.into_iter().map(|(_, listed)| listed).collect(), next }))
    }

    fn waiting(&self, project: Option<ProjectId>, most: usize) -> Later<(Vec<Listed>, u64)> {
        let world = self.world();
        let mut found: Vec<Listed> = world
            .newest()
            .map(|(_, listed)| listed)
            .filter(|listed| needs_person(&listed.task))
            .filter(|listed| project.as_ref().is_none_or(|project| *project == listed.task.project))
            .collect();
        found.sort_by_key(|listed| listed.task.step_seq);
        let count = found.len() as u64;
        found.truncate(most);
        later(Ok((found, count)))
    }

    fn task(&self, id: TaskId) -> Later<Option<Listed>> {
        later(Ok(self.world().listed(&id)))
    }

    fn history(&self, entity: Entity, before: Option<Seq>, most: usize) -> Later<Vec<Row>> {
        let world = self.world();
        let rows = world.rows.iter().rev().filter(|row| row.entity == entity);
        later(Ok(rows
            .filter(|row| before.is_none_or(|before| row.seq < before))
            .take(most)
            .cloned()
            .collect()))
    }

    fn rows_since(&self, after: Seq, most: usize) -> Later<Vec<Row>> {
        let world = self.world();
        let from = usize::try_from(after.0).unwrap_or(usize::MAX).min(world.rows.len());
        later(Ok(world.rows[from..].iter().take(most).cloned().collect()))
    }

    fn blob(&self, digest: Digest) -> Later<Option<Vec<u8>>> {
        later(Ok(self.world().blobs.get(&digest).cloned()))
    }

    fn comments(&self, task: TaskId) -> Later<Vec<Said>> {
        later(Ok(self.world().said.get(&task).cloned().unwrap_or_default()))
    }

    fn log(&self, part: LogPart) -> Later<Option<LogChunk>> {
        let world = self.world();
        let known =
            world.listed(&part.task).is_some_and(|it| it.task.runs.iter().any(|run| run.run == part.run));
        if !known {
            return later(Ok(None));
        }
        let empty = (Vec::new(), false);
        let (all, live) = world.logs.get(&(part.task, part.run.to_string(), part.stream)).unwrap_or(&empty);
        let from =
            part.from.map_or(all.len().saturating_sub(part.most), |from| (from as usize).min(all.len()));
        let bytes = all[from..].iter().take(part.most).copied().collect();
        later(Ok(Some(LogChunk {
            from: from as u64,
            bytes,
            size: all.len() as u64,
            live: *live,
            left_out: 0,
        })))
    }

    fn diff(&self, task: TaskId) -> Later<Option<DiffText>> {
        later(Ok(self.world().diffs.get(&task).cloned()))
    }

    fn artefact(&self, task: TaskId, name: String) -> Later<Option<Vec<u8>>> {
        later(Ok(self.world().files.get(&(task, name)).cloned()))
    }

    fn submit(&self, pressed: Pressed) -> Later<Taken> {
        if let Some(trouble) = self.busy() {
            return later(Err(trouble));
        }
        let key = format!("gesture/{}", pressed.gesture.request);
        let taken = {
            let mut world = self.world();
            if !world.states.contains_key(&pressed.entity) && pressed.entity != Entity::Installation {
                return later(Ok(Taken::Unknown));
            }
            for blob in pressed.blobs {
                world.blobs.insert(blob.digest, blob.bytes);
            }
            world.keys.get(&key).copied()
        };
        if let Some(seq) = taken {
            let reasons = self.world().rows[seq.0 as usize - 1].reasons.clone();
            return later(Ok(Taken::Duplicate { seq, reasons }));
        }
        let (seq, reasons) = self.happen(&pressed.entity, Event::Gesture(pressed.gesture), &key);
        later(Ok(Taken::Accepted { seq, reasons }))
    }

    fn create_issue(&self, issue: NewIssue) -> Later<Created> {
        if let Some(trouble) = self.busy() {
            return later(Err(trouble));
        }
        if !self.world().policies.contains_key(&issue.project) {
            return later(Ok(Created::UnknownProject));
        }
        let number = self.world().order.len() as u64 + 1;
        let task = self.issue(issue.project.as_str(), number, &issue.title, &issue.text);
        if issue.start {
            let gesture =
                Gesture { request: issue.request.clone(), by: issue.by, via: Door::Api, what: Press::Start };
            let key = format!("gesture/{}", issue.request);
            self.happen(&Entity::Task(task.clone()), Event::Gesture(gesture), &key);
        }
        later(Ok(Created::Made { issue: IssueKey::from(format!("{}#{number}", issue.project)), task }))
    }

    fn edit_issue(&self, edit: IssueEdit) -> Later<Edited> {
        if let Some(trouble) = self.busy() {
            return later(Err(trouble));
        }
        let Some(task) = self.task_now(&edit.task) else { return later(Ok(Edited::Unknown)) };
        let key = format!("edit/{}", edit.request);
        let seen = self.world().keys.get(&key).copied();
        if let Some(seq) = seen {
            return later(Ok(Edited::Done { task: edit.task, seq, changed: None, reasons: Vec::new() }));
        }
        let (title, text) = (task.request.title.clone(), task.request.text.clone());
        if edit.was.is_some_and(|was| was != orch_core::edited::shown(&title.blob, &text.blob, task.labels)) {
            return later(Ok(Edited::Meanwhile));
        }
        let reading = IssueReading {
            issue: task.issue.clone(),
            number: task.number,
            status: task.board.shows,
            title: edit.title.map_or(title.clone(), |title| self.keep(&title)),
            slug: task.request.slug.clone(),
            text: edit.text.map_or(text.clone(), |text| self.keep(&text)),
            labels: Labels {
                auto_approve: edit.auto_approve.unwrap_or(task.labels.auto_approve),
                auto_deploy: edit.auto_deploy.unwrap_or(task.labels.auto_deploy),
            },
            present: true,
            revision: None,
        };
        let changed = Differs {
            title: reading.title != title,
            text: reading.text != text,
            labels: reading.labels != task.labels,
        };
        let event = Event::Issue(Box::new(IssueSeen { project: task.project.clone(), reading }));
        let (seq, reasons) = self.happen(&Entity::Task(edit.task.clone()), event, &key);
        later(Ok(Edited::Done { task: edit.task, seq, changed: Some(changed), reasons }))
    }

    fn comment(&self, comment: NewComment) -> Later<Commented> {
        let mut world = self.world();
        if world.listed(&comment.task).is_none() {
            return later(Ok(Commented::Unknown));
        }
        if world.keys.insert(format!("comment/{}", comment.request), Seq(0)).is_none() {
            let said = Said { by: comment.by, own: false, at: self.now(), text: comment.text };
            world.said.entry(comment.task).or_default().push(said);
        }
        let seq = Seq(world.rows.len() as u64);
        drop(world);
        self.head.send_replace(seq);
        later(Ok(Commented::Said))
    }

    fn sheds(&self) -> Option<Trouble> {
        self.busy()
    }

    /// Looks at the signature whatever waits: to shed before is for who asks.
    fn hook(&self, delivery: Delivery) -> Later<HookAnswer> {
        let signed = delivery.header("orch-signature") == Some("right");
        later(Ok(if !signed {
            HookAnswer::BadSignature
        } else if delivery.project.as_str() != "site" {
            HookAnswer::Unknown
        } else if *delivery.body == *b"{}" {
            HookAnswer::NothingNew
        } else if serde_json::from_slice::<serde_json::Value>(&delivery.body).is_ok() {
            HookAnswer::Accepted { seq: Seq(7) }
        } else {
            HookAnswer::Malformed { place: "line 1".to_owned(), remedy: "send JSON".to_owned() }
        }))
    }

    fn open_effects(&self) -> Later<Vec<Effect>> {
        later(Ok(self.world().effects.clone()))
    }

    fn health(&self) -> Health {
        Health {
            version: "0.1.0".to_owned(),
            commit: Some("1f0c2ab".to_owned()),
            started: BEGIN,
            work: Work {
                running: 1,
                queued: 2,
                effects: self.world().effects.len() as u64,
                done: 3,
                failed: 0,
            },
            sweep: None,
        }
    }
}
