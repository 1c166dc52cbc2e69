//! How does a wanted effect become an adapter's work? One match over the calls; the adapters look first.

use std::sync::Arc;

use orch_adapters::git::Means;
use orch_core::call::{AgentReply, Call, DeployReply, Failure, GateReply, Reply, TrackerCall};
use orch_core::effect::Effect;
use orch_core::event::Outcome;
use orch_core::id::{Entity, RunId, TaskId};
use orch_core::journal::Blob;
use orch_core::message;
use orch_engine::clock;
use orch_engine::ports::{Perform, Performed};

use super::Outside;
use super::project::Project;

/// The function that the hands perform with.
pub fn function(outside: &Arc<Outside>) -> Perform {
    let outside = Arc::downgrade(outside);
    Arc::new(move |effect| {
        let outside = outside.upgrade();
        Box::pin(async move {
            match outside {
                Some(outside) => perform(&outside, effect).await,
                None => failed(Failure::transient("the installation is being closed")),
            }
        })
    })
}

async fn perform(outside: &Arc<Outside>, effect: Effect) -> Performed {
    let Some(project) = outside.projects.get(&effect.project).cloned() else {
        let cause = format!("there is no project `{}` in orch.toml any more: add it again", effect.project);
        return failed(Failure::transient(cause));
    };
    // A probe is asked on the network; all else blocks on files and processes.
    if let Call::Deploy(orch_core::call::DeployCall::Probe { commit }) = &effect.call {
        return match project.probe(commit).await {
            Ok(health) => done(Reply::Deploy(DeployReply::Probed(health)), Vec::new()),
            Err(failure) => failed(failure),
        };
    }
    let (mine, theirs, wanted) = (Arc::clone(outside), Arc::clone(&project), effect.clone());
    let performed = tokio::task::spawn_blocking(move || act(&mine, &theirs, &wanted)).await;
    let performed = match performed {
        Ok(Ok((reply, blobs))) => done(reply, blobs),
        Ok(Err(failure)) => failed(failure),
        Err(panic) => failed(Failure::unknown(format!("the adapter ended in a defect: {panic}"))),
    };
    if let Some((task, run)) = launched(&effect, &performed) {
        outside.watch(&effect.project, task, run);
    }
    performed
}

fn done(reply: Reply, blobs: Vec<Blob>) -> Performed {
    Performed { outcome: Outcome::Done(reply), blobs }
}

fn failed(failure: Failure) -> Performed {
    Performed { outcome: Outcome::Failed(failure), blobs: Vec::new() }
}

/// The run that a performed effect started.
fn launched(effect: &Effect, performed: &Performed) -> Option<(TaskId, RunId)> {
    let Outcome::Done(
        Reply::Agent(AgentReply::Launched { .. })
        | Reply::Gate(GateReply::Launched { .. })
        | Reply::Deploy(DeployReply::Launched { .. }),
    ) = &performed.outcome
    else {
        return None;
    };
    let Entity::Task(task) = &effect.entity else { return None };
    let run = match &effect.call {
        Call::Agent(orch_core::call::AgentCall::Launch(assignment)) => assignment.run,
        Call::Gate(orch_core::call::GateCall::Ci { run, .. })
        | Call::Deploy(orch_core::call::DeployCall::Hook { run, .. }) => *run,
        Call::Agent(orch_core::call::AgentCall::Stop { .. })
        | Call::Deploy(orch_core::call::DeployCall::Probe { .. })
        | Call::Tracker(_)
        | Call::Forge(_)
        | Call::Git(_) => return None,
    };
    Some((task.clone(), run))
}

type Acted = Result<(Reply, Vec<Blob>), Failure>;

fn act(outside: &Outside, project: &Project, effect: &Effect) -> Acted {
    let at = clock::now();
    match &effect.call {
        Call::Tracker(call) => {
            let body = |task: &Entity| comment(outside, call, task);
            let answer = outside.tracker.perform(call, effect.id, at, &|| body(&effect.entity))?;
            Ok((Reply::Tracker(answer.reply), answer.blobs))
        }
        Call::Forge(call) => {
            let reply = outside.forge.perform(&project.id, &project.hub, call)?;
            Ok((Reply::Forge(reply), Vec::new()))
        }
        Call::Git(call) => {
            let text = |digest: &orch_core::id::Digest| outside.blob(digest);
            let artefact = |name: &str, bytes: &[u8], fresh: bool| {
                let read = orch_core::artefact::read(name, bytes, fresh);
                (read.artefact, read.blobs)
            };
            let answer = project.hub.perform(call, &Means { at, text: &text, artefact: &artefact })?;
            Ok((Reply::Git(answer.reply), answer.blobs))
        }
        Call::Agent(call) => Ok((Reply::Agent(project.agents.perform(call)?), Vec::new())),
        Call::Gate(call) => Ok((Reply::Gate(project.ci.perform(call)?), Vec::new())),
        Call::Deploy(call) => Ok((Reply::Deploy(project.deploy(call)?), Vec::new())),
    }
}

/// The sentence of a comment, made when it is said.
fn comment(outside: &Outside, call: &TrackerCall, entity: &Entity) -> String {
    let (TrackerCall::Comment { note, language, .. }, Entity::Task(task)) = (call, entity) else {
        return String::new();
    };
    let text = |digest: &orch_core::id::Digest| {
        outside.blob(digest).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let link = |_: &str| None;
    let facts = message::NoteFacts { item: &task.item(), text: &text, link: &link };
    message::note(note, &facts, *language)
}
