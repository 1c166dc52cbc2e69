//! What is true outside now? Asked again and again, as readings that write nothing when nothing is new (decision 2).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orch_adapters::tracker::builtin::MOST_ISSUES;
use orch_core::event::{Event, IssueSeen, PolicyChange, PolicyRefusal};
use orch_core::id::Entity;
use orch_core::policy::Policy;
use orch_engine::step::policy_blob;
use orch_engine::{Ack, Incoming, Target, clock};

use super::project::Project;
use super::{Outside, blocking, branches, edited, lock, room};
use crate::policy_file::{self, PolicyFile};
use crate::words::say;

/// How often everything is asked: a webhook only saves time (decision 34).
const EVERY: Duration = Duration::from_secs(30);

/// Sweeps until the installation closes.
pub async fn forever(outside: Arc<Outside>) {
    loop {
        once(&outside).await;
        tokio::select! {
            () = outside.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// One look at everything. What can be told from files and counters is asked first and in one go: where nothing moved,
/// no program is started and the brain is not woken. One at a time: the second would take for told what the first is just
/// telling.
pub async fn once(outside: &Arc<Outside>) {
    let _one = outside.sweeping.lock().await;
    edited::look(outside).await;
    let theirs = Arc::clone(outside);
    let Some(seen) = blocking(move || Glance::at(&theirs)).await else { return };
    room::heed(outside, seen.free).await;
    for (project, moved, news) in &seen.projects {
        let told = match moved {
            true => {
                main_of(outside, project).await
                    && branches::look(outside, project).await
                    && policy_of(outside, project).await
            }
            false => !branches::unlike(project) || branches::look(outside, project).await,
        };
        if !told {
            lock(&project.refs).forget();
        }
        if *news {
            issues_of(outside, project).await;
        }
    }
    lock(&outside.swept).last = Some(clock::now());
}

/// What can be seen without a program and without the brain.
struct Glance {
    free: std::io::Result<u64>,
    /// Each project, whether its main or its policy may be another than before, and whether an issue may have changed.
    projects: Vec<(Arc<Project>, bool, bool)>,
}

impl Glance {
    /// Blocks, briefly.
    fn at(outside: &Outside) -> Self {
        let free = outside.meter.read(outside.home.folder());
        let look = |project: &Arc<Project>| {
            let hub = &project.hub;
            let moved = lock(&project.refs).moved(hub.origin(), &hub.bare(), hub.main());
            let read_to = *lock(&project.read_issues_to);
            let news = outside.tracker.newest_change(&project.id).map_or(true, |newest| newest > read_to);
            (Arc::clone(project), moved, news)
        };
        Self { free, projects: outside.in_settings().iter().map(look).collect() }
    }
}

/// The policies of all projects, and which projects there are: before anything is decided at start, so by the inner door.
/// A policy that cannot be read now is the one that held last.
pub async fn policies(outside: &Arc<Outside>) {
    let mut first = edited::retired(outside, &outside.settings()).await;
    for project in outside.in_settings() {
        first.extend(read_policy(outside, &project).await);
    }
    for incoming in first {
        if let Err(error) = outside.handle.report(incoming).await {
            tracing::warn!(%error, "a policy was not taken; the next sweep brings it");
        }
    }
}

/// Where main is; false: the brain could not be told.
async fn main_of(outside: &Arc<Outside>, project: &Arc<Project>) -> bool {
    let id = project.id.clone();
    let known = outside.asker.ask(move |board, _| board.repository(&id).and_then(|r| r.main.clone())).await;
    let (theirs, known) = (Arc::clone(project), known.flatten());
    let last = known.clone();
    let Some(read) = blocking(move || theirs.hub.read_main(last.as_ref())).await else { return false };
    match read {
        Ok(reading) => {
            if known.is_some_and(|known| known != reading.head) {
                super::ready_trees(outside, project);
            }
            let target = Target::Entity(Entity::Repository(project.id.clone()));
            tell(outside, Incoming::of(target, Event::Main(reading))).await.is_some()
        }
        Err(failure) => {
            tracing::warn!(project = %project.id, cause = %failure.cause, "main could not be read");
            false
        }
    }
}

/// The policy on main, below the ceilings: changed, refused, or as it was (decisions 39, 44). False: the brain could not
/// be told.
#[must_use = "what was not taken is to be told again"]
pub(crate) async fn policy_of(outside: &Arc<Outside>, project: &Arc<Project>) -> bool {
    match read_policy(outside, project).await {
        Some(incoming) => tell(outside, incoming).await.is_some(),
        None => false,
    }
}

async fn read_policy(outside: &Outside, project: &Arc<Project>) -> Option<Incoming> {
    let theirs = Arc::clone(project);
    let read = blocking(move || {
        let commit = theirs.hub.main_head()?;
        Ok::<_, orch_core::call::Failure>((commit, theirs.hub.read_file_at_main(policy_file::PATH)?))
    });
    let (commit, text) = match read.await {
        Some(Ok(read)) => read,
        Some(Err(failure)) => {
            tracing::warn!(project = %project.id, cause = %failure.cause, "the policy could not be read");
            return None;
        }
        None => return None,
    };
    let settings = outside.settings();
    let found = match &text {
        None => Ok(PolicyFile::default()),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => PolicyFile::read(Path::new(policy_file::PATH), text).map_err(|e| e.to_string()),
            Err(e) => Err(say!(
                "{} is not UTF-8: {e}: save it as UTF-8",
                "{} не в UTF-8: {e}: сохраните его в UTF-8",
                policy_file::PATH
            )
            .into()),
        },
    };
    let policy = found.and_then(|file| {
        let policy = policy_file::effective(project.id.as_str(), &settings, &file);
        // The hook and the address that this project was made with: others hold from the next start on.
        let (hook, probe) = (project.deploy.hook.is_some(), project.deploy.probe.is_some());
        policy.map(|policy| Policy { hook, probe, ..policy }).map_err(|e| e.to_string())
    });
    let target = Target::Entity(Entity::Project(project.id.clone()));
    Some(match policy {
        Ok(policy) => {
            *lock(&project.policy) = policy.clone();
            let change = PolicyChange {
                digest: policy.digest(),
                commit: text.is_some().then_some(commit),
                policy: policy.clone(),
            };
            Incoming::of(target, Event::PolicyChanged(Box::new(change))).with(vec![policy_blob(&policy)])
        }
        Err(cause) => Incoming::of(target, Event::PolicyRefused(PolicyRefusal { commit, cause })),
    })
}

/// Every issue that changed since the last look, some at a time: there may be many.
async fn issues_of(outside: &Arc<Outside>, project: &Arc<Project>) {
    loop {
        let (mine, theirs) = (Arc::clone(outside), Arc::clone(project));
        let since = *lock(&project.read_issues_to);
        let read = blocking(move || mine.tracker.changed_since(&theirs.id, since));
        let issues = match read.await {
            Some(Ok(issues)) => issues,
            Some(Err(failure)) => {
                tracing::warn!(project = %project.id, cause = %failure.cause, "the tracker could not be read");
                return;
            }
            None => return,
        };
        let last = issues.len() < MOST_ISSUES;
        for issue in issues {
            if outside.stop.is_cancelled() || submit_issue(outside, project, &issue).await.is_none() {
                return;
            }
            let mut read_to = lock(&project.read_issues_to);
            *read_to = (*read_to).max(issue.changed);
        }
        if last {
            return;
        }
    }
}

/// Tells the brain what an issue of the built-in tracker looks like; `None`: it did not take it.
#[must_use = "what was not taken is to be told again"]
pub async fn submit_issue(
    outside: &Arc<Outside>,
    project: &Project,
    issue: &orch_adapters::tracker::builtin::Issue,
) -> Option<Ack> {
    let (reading, blobs) = issue.clone().into_reading();
    let seen = IssueSeen { project: project.id.clone(), reading };
    let target = Target::Issue { prefix: project.prefix.clone() };
    tell(outside, Incoming::of(target, Event::Issue(Box::new(seen))).with(blobs)).await
}

/// Tells the brain; `None`: it did not take it (its queue or the disk is full).
#[must_use = "what was not taken is to be told again"]
pub(crate) async fn tell(outside: &Arc<Outside>, incoming: Incoming) -> Option<Ack> {
    match outside.handle.submit(incoming).await {
        Ok(ack) => {
            let mut swept = lock(&outside.swept);
            match &ack {
                Ack::Accepted { .. } => swept.news += 1,
                Ack::Duplicate | Ack::Unchanged => swept.equal += 1,
            }
            Some(ack)
        }
        Err(error) => {
            tracing::warn!(%error, "a reading was not taken; the next sweep brings it");
            None
        }
    }
}
