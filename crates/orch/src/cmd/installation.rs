//! `orch pause`, `unpause`, `resume`, `freeze`, `unfreeze`: what does a person want of all of it, or of a repository?

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Here, gesture};
use crate::client::{segment, talk};
use crate::error::Error;

/// How to pause.
#[derive(Debug, clap::Args)]
pub struct Pause {
    /// Tasks that have begun go on to their end; nothing new begins
    #[arg(long)]
    drain: bool,
}

/// What to go on with.
#[derive(Debug, clap::Args)]
pub struct Resume {
    /// The task; without one the whole installation
    task: Option<String>,
}

/// A project.
#[derive(Debug, clap::Args)]
pub struct OfProject {
    /// The project [default: the one you are in, or the only one]
    project: Option<String>,
}

/// Pauses.
///
/// # Errors
/// The brain is not running.
pub fn pause(here: &Here, args: &Pause) -> Result<ExitCode, Error> {
    post(here, "installation", "pause", "/api/v1/installation/pause", &json!({ "drain": args.drain }))
}

/// Gives turns again.
///
/// # Errors
/// The brain is not running.
pub fn unpause(here: &Here) -> Result<ExitCode, Error> {
    post(here, "installation", "unpause", "/api/v1/installation/unpause", &json!({}))
}

/// With a task: starts it; without: unpauses.
///
/// # Errors
/// The brain is not running, or there is no such task.
pub fn resume(here: &Here, args: &Resume) -> Result<ExitCode, Error> {
    match &args.task {
        Some(task) => gesture::plain(here, "start", task),
        None => unpause(here),
    }
}

/// Freezes or unfreezes the repository of a project.
///
/// # Errors
/// The brain is not running, or there is no such project.
pub fn freeze(here: &Here, what: &str, args: &OfProject) -> Result<ExitCode, Error> {
    let project = here.project(args.project.as_deref())?;
    post(here, &project, what, &format!("/api/v1/projects/{}/{what}", segment(&project)), &json!({}))
}

fn post(here: &Here, whom: &str, what: &str, path: &str, body: &Value) -> Result<ExitCode, Error> {
    let taken = talk(async { here.brain().await?.post(path, body).await })?;
    gesture::taken_as(here, whom, what, &taken)
}
