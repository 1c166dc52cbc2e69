//! Who answers a question: the running brain or, when it is down, the store as it was left (decision 44)?
//!
//! The store's answers have the shape of the API's, with fewer fields.

use std::collections::BTreeSet;

use orch_core::board::{Board, Policies};
use orch_core::call::Text;
use orch_core::hold::{Hold, Standing, standing};
use orch_core::id::{Entity, ProjectId, Seq, TaskId};
use orch_core::journal::Row;
use orch_core::message::{self, Lang};
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::Moment;
use orch_store::{OpenError, Reader, StoreError, TaskFilter};
use serde_json::{Value, json};

use crate::client::{Client, Frame, LogPart, Next, not_running};
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::settings::Settings;

/// Who answers.
pub enum Reading {
    /// The brain.
    Brain(Client),
    /// The store, while the brain is down.
    Store(Box<Left>),
}

/// A store as it was left.
pub struct Left {
    reader: Reader,
    home: Home,
    lang: Lang,
    board: Board,
    policies: Policies,
}

/// Tasks read at once.
const BATCH: usize = 500;

impl Reading {
    /// The brain, or the store if there is one; which of them is said once, on standard error.
    ///
    /// # Errors
    /// Neither answers.
    pub async fn open(home: &Home, by: Option<&str>, settings: Option<&Settings>) -> Result<Self, Error> {
        match Client::open(home, by).await {
            Ok(client) => Ok(Reading::Brain(client)),
            Err(down) if down.kind == Kind::NotRunning && home.store().exists() => {
                let left = Left::open(home, settings)?;
                crate::cmd::note("Orch is not running; this is how the store was left. `orch up` starts it.");
                Ok(Reading::Store(Box::new(left)))
            }
            Err(other) => Err(other),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// There is no such thing, or it cannot be read.
    pub async fn get(self, path: &str) -> Result<Value, Error> {
        match self {
            Reading::Brain(client) => client.get(path).await,
            Reading::Store(mut left) => left.get(path),
        }
    }

    /// Asks for a part of a log.
    ///
    /// # Errors
    /// There is no such thing, or it cannot be read; the brain is down.
    pub async fn part(&self, path: &str) -> Result<LogPart, Error> {
        match self {
            Reading::Brain(client) => client.part(path).await,
            Reading::Store(left) => Err(left.brain_only("logs")),
        }
    }

    /// Follows a stream; the brain must run.
    ///
    /// # Errors
    /// There is no such thing, or it cannot be read; the brain is down.
    pub async fn follow(
        &self,
        path: &str,
        on: impl FnMut(Frame) -> Result<Next, Error>,
    ) -> Result<(), Error> {
        match self {
            Reading::Brain(client) => client.follow(path, on).await,
            Reading::Store(left) => Err(left.brain_only("what happens now")),
        }
    }
}

impl Left {
    fn open(home: &Home, settings: Option<&Settings>) -> Result<Self, Error> {
        let reader = Reader::open(&home.store()).map_err(unopened)?;
        let lang = settings.map(|settings| settings.language).unwrap_or_default();
        let (board, policies) = (Board::default(), Policies::default());
        let mut left = Self { reader, home: home.clone(), lang, board, policies };
        left.fill(settings).map_err(unread)?;
        Ok(left)
    }

    /// The board as the brain would rebuild it, and the policies it last decided under: without them no hold is right.
    fn fill(&mut self, settings: Option<&Settings>) -> Result<(), StoreError> {
        let mut entities = vec![Entity::Installation];
        for (name, agent) in settings.into_iter().flat_map(|settings| &settings.agents) {
            entities.push(Entity::Provider(agent.provider(name)));
        }
        let mut projects: BTreeSet<ProjectId> = settings
            .into_iter()
            .flat_map(|settings| settings.projects.keys())
            .map(|id| ProjectId(id.clone()))
            .collect();
        let mut filter = TaskFilter { open: true, ..TaskFilter::default() };
        loop {
            let page = self.reader.tasks(&filter, BATCH)?;
            for listed in &page.tasks {
                self.board.note(&listed.entity, &listed.kept.state);
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
            let Some(kept) = self.reader.state(&entity)? else { continue };
            self.board.note(&entity, &kept.state);
            if let (Entity::Project(id), State::Project(project)) = (entity, kept.state)
                && let Some(digest) = project.policy
                && let Some(bytes) = self.reader.blob(&digest)?
                // One of another version is none: the hold says so.
                && let Ok(policy) = serde_json::from_slice(&bytes)
            {
                self.policies.insert(id, policy);
            }
        }
        Ok(())
    }

    fn brain_only(&self, what: &str) -> Error {
        let mut error = not_running(self.home.folder());
        error.cause = format!("Orch is not running, and only it can show {what}");
        error
    }

    fn get(&mut self, path: &str) -> Result<Value, Error> {
        let (path, asked) = path.split_once('?').unwrap_or((path, ""));
        let said = |name: &str| {
            asked.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
        };
        let most = said("most").and_then(|most| most.parse().ok()).unwrap_or(50);
        let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        match parts.as_slice() {
            ["tasks"] => self.list(said("project"), said("stage"), said("open").is_some(), most),
            ["tasks", id] => self.task(id).and_then(|(seq, task)| self.full(seq, &task)),
            ["tasks", id, "why"] => self.task(id).map(|(_, task)| self.why(&task)),
            ["tasks", id, "history"] => {
                let (_, task) = self.task(id)?;
                let rows = self.reader.rows_of(&Entity::Task(task.id), None, most).map_err(unread)?;
                Ok(json!({ "events": rows.iter().map(|row| event(row, self.lang)).collect::<Vec<_>>() }))
            }
            [.., what] => Err(self.brain_only(&format!("the {what}"))),
            [] => Err(self.brain_only("this")),
        }
    }

    fn list(
        &mut self,
        project: Option<&str>,
        stage: Option<&str>,
        open: bool,
        most: usize,
    ) -> Result<Value, Error> {
        let stage = match stage {
            None => None,
            Some(name) => {
                Some(Stage::ALL.into_iter().find(|stage| stage.name() == name).ok_or_else(|| {
                    let all = Stage::ALL.map(Stage::name).join(", ");
                    Error::new(Kind::Usage, format!("`{name}` is no stage"))
                        .remedy(format!("stages are {all}"))
                })?)
            }
        };
        let filter =
            TaskFilter { project: project.map(ProjectId::from), stage, open, ..TaskFilter::default() };
        let page = self.reader.tasks(&filter, most).map_err(unread)?;
        let mut tasks = Vec::with_capacity(page.tasks.len());
        for listed in &page.tasks {
            if let State::Task(task) = &listed.kept.state {
                tasks.push(self.brief(listed.kept.seq, task)?);
            }
        }
        Ok(json!({ "tasks": tasks, "next": page.next.map(|place| place.0) }))
    }

    fn task(&mut self, id: &str) -> Result<(Seq, Task), Error> {
        let found = self.reader.state(&Entity::Task(TaskId::from(id))).map_err(unread)?;
        match found.map(|kept| (kept.seq, kept.state)) {
            Some((seq, State::Task(task))) => Ok((seq, *task)),
            Some(_) | None => Err(Error::new(Kind::NotFound, format!("there is no task {id}"))
                .remedy("`orch list --all` shows all")),
        }
    }

    /// A kept text; empty if it was erased.
    fn text(&mut self, text: &Text) -> Result<String, Error> {
        let bytes = self.reader.blob(&text.blob).map_err(unread)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn brief(&mut self, seq: Seq, task: &Task) -> Result<Value, Error> {
        Ok(json!({
            "id": task.id,
            "item": task.item,
            "project": task.project,
            "issue": task.issue,
            "title": self.text(&task.request.title)?,
            "stage": task.stage.name(),
            "standing": self.stand(task),
            "priority": task.priority,
            "round": task.round,
            "born": rfc3339(task.born),
            "seq": seq,
        }))
    }

    fn full(&mut self, seq: Seq, task: &Task) -> Result<Value, Error> {
        let mut full = self.brief(seq, task)?;
        let more = json!({
            "text": self.text(&task.request.text)?,
            "branch": task.branch.as_ref().map(|branch| &branch.name),
            "head": task.branch.as_ref().map(|branch| &branch.head),
            "change_request": task.change_request,
            "merged": task.merged.as_ref().map(|merged| &merged.commit),
            "deployed": task.deployed.as_ref().map(|deployed| &deployed.commit),
        });
        if let (Value::Object(full), Value::Object(more)) = (&mut full, more) {
            full.extend(more);
        }
        Ok(full)
    }

    fn why(&self, task: &Task) -> Value {
        let now = orch_engine::clock::now();
        let standing = standing(task, &self.board, &self.policies, now);
        let sentence = message::standing(&standing, &task.item, now, self.lang);
        json!({ "id": task.id, "sentence": sentence, "standing": self.stand(task) })
    }

    /// What a task did or waited for.
    fn stand(&self, task: &Task) -> Value {
        let (state, text, lifts, since, also) =
            match standing(task, &self.board, &self.policies, orch_engine::clock::now()) {
                Standing::Working { run, ask, since } => {
                    let text = message::working(run, ask.as_ref(), self.lang);
                    ("working", text, String::new(), since, Vec::new())
                }
                Standing::Over { since } => {
                    let text = message::stage_label(task.stage, self.lang);
                    ("over", text, String::new(), since, Vec::new())
                }
                Standing::Held(holds) => {
                    let halves = |hold: &Hold| message::hold_halves(&hold.kind, &task.item, self.lang);
                    let (text, lifts) = holds.first().map(halves).unwrap_or_default();
                    let since = holds.first().map_or(task.step_since, |hold| hold.since);
                    ("held", text, lifts, since, holds.iter().skip(1).map(|hold| halves(hold).0).collect())
                }
            };
        json!({ "state": state, "text": text, "since": rfc3339(since), "lifts": lifts, "also": also })
    }
}

/// A row as the API shows it.
pub fn event(row: &Row, lang: Lang) -> Value {
    let kind = serde_json::to_value(&row.event).ok();
    let kind = kind.as_ref().and_then(|value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => map.keys().next().cloned(),
        _ => None, // not a domain enum
    });
    json!({
        "seq": row.seq,
        "at": rfc3339(row.at),
        "entity": row.entity,
        "kind": kind,
        "reasons": row.reasons.iter().map(|reason| message::reason(reason, lang)).collect::<Vec<_>>(),
    })
}

fn rfc3339(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|stamp| stamp.to_string()).unwrap_or_default()
}

/// Why a store cannot be opened, as a person sees it: each sentence of the store names the place and the remedy.
pub fn unopened(error: OpenError) -> Error {
    let kind = match &error {
        OpenError::Taken { .. } | OpenError::Older { .. } => Kind::Refused,
        OpenError::Files { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Kind::NotFound,
        OpenError::NotAStore { .. } | OpenError::Newer { .. } | OpenError::OtherMigration { .. } => {
            Kind::Damaged
        }
        _ => Kind::Failed, // not a domain enum
    };
    told(kind, &error)
}

/// Why a store cannot be read, as a person sees it.
pub fn unread(error: StoreError) -> Error {
    told(Kind::Damaged, &error)
}

/// The store's sentence, taken apart where the remedy begins, with its cause.
pub fn told(kind: Kind, error: &dyn std::error::Error) -> Error {
    let text = error.to_string();
    let (cause, remedy) =
        text.rsplit_once("; ").map_or((text.as_str(), None), |(cause, remedy)| (cause, Some(remedy)));
    // Some sentences have their cause inside already.
    let source = error.source().map(ToString::to_string).filter(|source| !text.contains(source.as_str()));
    let source = source.map(|source| format!(": {source}")).unwrap_or_default();
    let told = Error::new(kind, format!("{cause}{source}"));
    match remedy {
        Some(remedy) => told.remedy(remedy),
        None => told,
    }
}
