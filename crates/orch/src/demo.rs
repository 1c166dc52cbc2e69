//! How does a newcomer see all of it in a minute? A scratch workspace, a small real web service, and one issue that
//! travels from To Analyse to a merged, deployed, health-checked change. Only the agents are scripted, and say so.

pub mod story;
pub mod workspace;
pub mod hook;
pub mod tell;

use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::call::tracker::Status;
use orch_core::event::Event;
use orch_core::gesture::{Door, Gesture, Press, THE_DEMO};
use orch_core::hold::{HoldKind, Standing, standing};
use orch_core::id::{Entity, ProjectId, TaskId};
use orch_core::message::{self, Lang};
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::{Rest, Step, Task};
use orch_core::time::Moment;
use orch_engine::{Incoming, Target, clock};

use crate::cmd::up::Asked;
use crate::compose::{self, Outside, Running, Wishes, sweep};
use crate::error::Error;
use crate::words::{Told, say, words};
use story::Spoil;
use workspace::Workspace;

/// How long the last writes may take before the demo ends all the same.
const SETTLING: Duration = Duration::from_secs(5);

/// The name of the demo's project.
pub const PROJECT: &str = "demo";

/// How the demo is to go.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where it happens.
    pub workspace: PathBuf,
    /// End everything afterwards.
    pub once: bool,
    /// A person approves and confirms.
    pub ask: bool,
    /// Make a step go wrong.
    pub spoil: Option<Spoil>,
    /// The dashboard's address.
    pub listen: std::net::SocketAddr,
    /// What the composition needs.
    pub wishes: Wishes,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Delivered, and the service answers with the new behaviour.
    Delivered,
    /// It waits, for this reason.
    Held(String),
}

/// Plays the demo. Prints what happens as it happens; returns when the task is done or held, and with `once` when all
/// of it has ended.
///
/// # Errors
/// What stands in the way.
pub async fn play(plan: &Plan) -> Result<Ending, Error> {
    let mut asked = Asked::listen()?;
    let pace = if plan.ask { story::WATCHED } else { story::ALONE };
    let workspace = Workspace::make(&plan.workspace, plan.spoil, pace, &plan.wishes)?;
    workspace.note_brain()?;
    tell::opening(&workspace, plan);
    let played = serve(&workspace, plan, &mut asked).await;
    let ended = workspace.end_services();
    workspace.forget_brain();
    let ending = played?;
    ended.map(|_| ending)
}

/// The story, between the first deploy and the end of the brain.
async fn serve(workspace: &Workspace, plan: &Plan, asked: &mut Asked) -> Result<Ending, Error> {
    let began = clock::now();
    let first = hook::deploy_first(workspace).map_err(|e| {
        let cause = say!("the demo's service does not start: {e}", "сервис демонстрации не запускается: {e}");
        Error::failed(cause).at(workspace.repository().display()).remedy(say!(
            "it is a small Rust program: see that `cargo build` works in that folder (rustup.rs installs Rust)",
            "это маленькая программа на Rust: проверьте, что в этой папке работает `cargo build` (Rust ставит rustup.rs)"
        ))
    })?;
    let loaded = workspace.write_settings(plan.listen)?;
    let mut wishes = plan.wishes.clone();
    wishes.notice = Some(notice);
    let running = compose::start(workspace.home(), loaded, wishes).await?;
    let told = tokio::select! {
        told = travel(&running, workspace, plan, began, first) => told,
        () = asked.to_end() => Err(Error::failed(say!(
            "the demo was ended before its story was",
            "демонстрацию прервали до конца истории"
        ))),
    };
    match &told {
        Ok(_) if plan.once => {
            let _ = tokio::time::timeout(SETTLING, settled(&running.outside)).await;
        }
        Ok((ending, task)) => {
            tell::stays_up(&running, task, *ending == Ending::Delivered)?;
            asked.to_end().await;
        }
        Err(_) => {}
    }
    stop_runs(&running.outside);
    running.stop().await;
    told.map(|(ending, _)| ending)
}

/// What stands on every page.
fn notice(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "A demonstration: the agents are scripted, no model works here.",
        Lang::Ru => "Это демонстрация: агенты играют по сценарию, модели здесь не работают.",
    }
}

/// Asks every run that still lives to end: other installations leave them alone, a demo takes all of it with it.
fn stop_runs(outside: &Outside) {
    for project in outside.projects().values() {
        for run in project.runs.unsettled().unwrap_or_default() {
            if let Err(failure) = project.runs.stop(run) {
                tracing::warn!(%run, cause = %failure.cause, "a run of the demo cannot be asked to end");
            }
        }
    }
}

/// Waits until board, comments and cleaning up have followed: what a person looks at afterwards is complete.
async fn settled(outside: &Outside) {
    let mut head = outside.head.clone();
    while outside.read(|reader| reader.open_effects()).is_ok_and(|open| !open.is_empty()) {
        if head.changed().await.is_err() {
            return;
        }
    }
}

/// From To Analyse to the end, telling every step.
async fn travel(
    running: &Running,
    workspace: &Workspace,
    plan: &Plan,
    began: Moment,
    before: String,
) -> Result<(Ending, TaskId), Error> {
    let outside = &running.outside;
    tell::where_to_look(running, plan)?;
    let id = ask_for_the_change(outside).await?;
    let mut teller = tell::Teller::new(began);
    let mut head = outside.head.clone();
    let mut acted = 0;
    loop {
        teller.tell_news(outside, &id)?;
        let task = task(outside, &id)?;
        if task.stage == Stage::Done {
            let answer = hook::ask_service(workspace, "/?name=Ada").unwrap_or_default();
            teller.summary(outside, &task, &before, &answer);
            let ending = match answer == story::NEW_ANSWER {
                true => Ending::Delivered,
                false => {
                    let wanted = story::NEW_ANSWER;
                    Ending::Held(
                        say!(
                            "the service answers {answer:?} instead of {wanted:?}",
                            "сервис отвечает {answer:?}, а не {wanted:?}"
                        )
                        .into(),
                    )
                }
            };
            return Ok((ending, id));
        }
        if let Some(hold) = stuck(outside, &task).await {
            teller.held(&task, &hold);
            return Ok((Ending::Held(hold), id));
        }
        if !plan.ask && acted < task.step_seq.0 && give_consent(outside, workspace, plan, &task).await? {
            acted = task.step_seq.0;
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), head.changed()).await;
    }
}

async fn ask_for_the_change(outside: &std::sync::Arc<Outside>) -> Result<TaskId, Error> {
    let project = ProjectId::from(PROJECT);
    let issue = outside
        .tracker
        .create_once(&project, "demo", &story::title(), &story::text(), Status::ToAnalyse)
        .map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
    let Some(own) = outside.project(&project) else {
        return Err(Error::failed(say!("the demo's project is gone", "проект демонстрации исчез")));
    };
    let _ = sweep::submit_issue(outside, &own, &issue).await;
    let found = outside.read(|reader| reader.task_of_issue(&project, &issue.key)).map_err(unread)?;
    found.ok_or_else(|| Error::failed(say!("the issue did not become a task", "задача не появилась у Orch")))
}

fn unread(cause: String) -> Error {
    Error::failed(Told::quoted(cause))
}

fn task(outside: &Outside, id: &TaskId) -> Result<Task, Error> {
    let entity = Entity::Task(id.clone());
    let kept = outside.read(|reader| reader.state(&entity)).map_err(unread)?;
    match kept.map(|kept| kept.state) {
        Some(State::Task(task)) => Ok(*task),
        Some(State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_))
        | None => Err(Error::failed(say!("{id} is not in the store", "{id} нет в хранилище"))),
    }
}

/// What the demo cannot go on from: a hold that only a person lifts, apart from the two that it lifts itself.
async fn stuck(outside: &Outside, task: &Task) -> Option<String> {
    let mine = task.clone();
    let now = clock::now();
    let stands = outside.asker.ask(move |board, policies| standing(&mine, board, policies, now)).await?;
    let Standing::Held(holds) = &stands else { return None };
    let hold = holds.first()?;
    let waits = match &hold.kind {
        HoldKind::Escalated(_)
        | HoldKind::CannotTell { .. }
        | HoldKind::DeployUnseen { .. }
        | HoldKind::WentBad { .. }
        | HoldKind::WentSilent { .. }
        | HoldKind::Protected { .. }
        | HoldKind::Questions
        | HoldKind::MergedOutside { .. }
        | HoldKind::Withdrawn(_)
        | HoldKind::RunBudget { .. }
        | HoldKind::Frozen { .. } => true,
        HoldKind::RetryAt { cause, .. } => matches!(cause, orch_core::task::Delay::CheckoutDirty { .. }),
        HoldKind::Paused { .. }
        | HoldKind::StoreDamaged { .. }
        | HoldKind::DiskFull
        | HoldKind::NotAsked
        | HoldKind::Approval
        | HoldKind::Confirmation { .. }
        | HoldKind::RequestChanged
        | HoldKind::IssueGone
        | HoldKind::Provider { .. }
        | HoldKind::TaskBudget { .. }
        | HoldKind::DayBudget { .. }
        | HoldKind::Serial { .. }
        | HoldKind::Lane { .. }
        | HoldKind::Watched { .. }
        | HoldKind::Slot { .. }
        | HoldKind::Turn { .. }
        | HoldKind::Stopping { .. }
        | HoldKind::Retired
        | HoldKind::SettingsRefused { .. }
        | HoldKind::NoPolicy { .. }
        | HoldKind::PolicyRefused { .. } => false,
    };
    waits.then(|| message::standing(&stands, &task.item, now, words().lang))
}

/// Approves the requirements and confirms the deploy, as a person would; says that it was the demo.
async fn give_consent(
    outside: &Outside,
    workspace: &Workspace,
    plan: &Plan,
    task: &Task,
) -> Result<bool, Error> {
    let what = match &task.step {
        Step::Rest(Rest::Approval) => Press::Approve { what: None },
        Step::Rest(Rest::Confirmation) => {
            if plan.spoil == Some(Spoil::Merge) {
                workspace.dirty_the_checkout()?;
            }
            Press::Confirm { what: task.change().cloned() }
        }
        Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => {
            return Ok(false);
        }
    };
    let request = format!("demo/{}/{}", task.id, task.step_seq);
    let gesture = Gesture { request, by: THE_DEMO.to_owned(), via: Door::CommandLine, what };
    let incoming = Incoming::of(Target::Entity(Entity::Task(task.id.clone())), Event::Gesture(gesture));
    outside.handle.submit(incoming).await.map_err(|e| unread(e.to_string()))?;
    Ok(true)
}

/// Ends a demo that stayed up: its brain and its services, each by pid and start time.
///
/// # Errors
/// A process cannot be told from another, or does not end.
pub fn stop(folder: &Path) -> Result<bool, Error> {
    let Some(workspace) = Workspace::find(folder) else { return Ok(false) };
    let brain = workspace.end_brain()?;
    let services = workspace.end_services()?;
    Ok(brain || services)
}
