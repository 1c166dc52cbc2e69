//! How does a wanted effect become an adapter's work? One match over the calls; the adapters look first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use orch_adapters::git::Means;
use orch_core::call::{AgentReply, Call, DeployReply, Failure, GateReply, GitCall, Reply};
use orch_core::effect::Effect;
use orch_core::event::Outcome;
use orch_core::id::{Digest, Entity, RunId, TaskId};
use orch_core::journal::Blob;
use orch_core::message::{self, Lang};
use orch_core::note::Note;
use orch_core::refusal::Refusal;
use orch_engine::clock;
use orch_engine::ports::{Perform, Performed};

use super::Outside;
use super::project::{Project, of_texts};

/// A boundary of an effect at which a drill or a test lets the process die: `before git/collect 2` is the moment before
/// the second effect of that kind is performed, `after ...` the one when it happened and nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    after: bool,
    kind: String,
    nth: u32,
}

impl std::str::FromStr for Boundary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("`{text}` is not a boundary: expected `before git/collect 1` or `after forge/merge 1`")
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [side, kind, nth] = words.as_slice() else { return Err(expected()) };
        let after = match *side {
            "before" => false,
            "after" => true,
            _ => return Err(expected()),
        };
        Ok(Self { after, kind: (*kind).to_owned(), nth: nth.parse().map_err(|_| expected())? })
    }
}

/// Counts effects, and dies at the wanted one.
struct Fuse {
    at: Option<Boundary>,
    seen: AtomicU32,
}

impl Fuse {
    /// Whether the process dies around this effect, and on which side.
    fn burns(&self, effect: &Effect) -> Option<bool> {
        let at = self.at.as_ref().filter(|at| at.kind == effect.call.name())?;
        let nth = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        (nth == at.nth).then_some(at.after)
    }
}

fn die() {
    let own = rustix::process::getpid();
    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
}

/// The function that the hands perform with.
pub fn function(outside: &Arc<Outside>, die_at: Option<Boundary>) -> Perform {
    let outside = Arc::downgrade(outside);
    let fuse = Arc::new(Fuse { at: die_at, seen: AtomicU32::new(0) });
    Arc::new(move |effect| {
        let (outside, fuse) = (outside.upgrade(), Arc::clone(&fuse));
        Box::pin(async move {
            let Some(outside) = outside else {
                return failed(Failure::transient(Refusal::Closing));
            };
            let burns = fuse.burns(&effect);
            if burns == Some(false) {
                die();
            }
            outside.counts.effects.fetch_add(1, Ordering::Relaxed);
            let performed = perform(&outside, effect).await;
            outside.counts.effects.fetch_sub(1, Ordering::Relaxed);
            if burns == Some(true) {
                die();
            }
            performed
        })
    })
}

async fn perform(outside: &Arc<Outside>, effect: Effect) -> Performed {
    let Some(project) = outside.project(&effect.project) else {
        return failed(Failure::transient(Refusal::NoProject { project: effect.project.clone() }));
    };
    let performed = match &effect.call {
        Call::Deploy(call) => {
            project.deploy.perform(call).await.map(|reply| (Reply::Deploy(reply), Vec::new()))
        }
        Call::Tracker(_) | Call::Forge(_) | Call::Git(_) | Call::Agent(_) | Call::Gate(_) => {
            let (mine, theirs, wanted) = (Arc::clone(outside), Arc::clone(&project), effect.clone());
            let acted = tokio::task::spawn_blocking(move || act(&mine, &theirs, &wanted)).await;
            acted.unwrap_or_else(|panic| Err(Failure::unknown(Refusal::Defect { cause: panic.to_string() })))
        }
    };
    let performed = match performed {
        Ok((reply, blobs)) => done(reply, blobs),
        Err(failure) => failed(failure),
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
    let text =
        |digest: &Digest| Ok(outside.blob(digest)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    match &effect.call {
        Call::Tracker(call) => {
            let words = |note: &Note, language: Lang| words(effect, &text, note, language);
            let answer = outside.tracker.perform(call, effect.id, at, &words)?;
            Ok((Reply::Tracker(answer.reply), answer.blobs))
        }
        Call::Forge(call) => {
            let reply = outside.forge.perform(&project.id, &project.hub, call, &text)?;
            Ok((Reply::Forge(reply), Vec::new()))
        }
        Call::Git(call) => {
            let text = |digest: &Digest| outside.blob(digest);
            let artefact = |name: &str, bytes: &[u8], fresh: bool| {
                let read = orch_core::artefact::read(name, bytes, fresh);
                (read.artefact, read.blobs)
            };
            let mask = match call {
                GitCall::Collect { run, .. } => project.runs.mask_of(*run)?,
                GitCall::CutBranch { .. }
                | GitCall::BuildCandidate { .. }
                | GitCall::Prove { .. }
                | GitCall::WriteRecord { .. }
                | GitCall::DropTree { .. } => project.runs.mask.clone(),
            };
            let secret = |bytes: &[u8]| mask.finds(bytes);
            let means = Means { at, text: &text, artefact: &artefact, secret: &secret };
            let answer = project.hub.perform(call, &means)?;
            Ok((Reply::Git(answer.reply), answer.blobs))
        }
        Call::Agent(call) => Ok((Reply::Agent(project.agent(call)?), Vec::new())),
        Call::Gate(call) => Ok((Reply::Gate(project.ci.perform(call)?), Vec::new())),
        Call::Deploy(_) => Err(Failure::permanent(Refusal::Defect { cause: "deploy/blocking".to_owned() })),
    }
}

/// The sentence of a comment, made when it is said.
fn words(
    effect: &Effect,
    read: &dyn Fn(&Digest) -> Result<Option<String>, Failure>,
    note: &Note,
    language: Lang,
) -> Result<String, Failure> {
    let Entity::Task(task) = &effect.entity else { return Ok(String::new()) };
    // On the dashboard a file of the work item has a page of its own.
    let folder = format!("{}/", orch_core::artefact::folder(&task.item()));
    let link = |path: &str| path.strip_prefix(&folder).map(|name| format!("/tasks/{task}/files/{name}"));
    of_texts(read, |text| {
        message::note(note, &message::NoteFacts { item: &task.item(), text, link: &link }, language)
    })
}
