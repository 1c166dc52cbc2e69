//! How does the project's own program deploy a commit of main? The contract of the deploy hook (decision 22).
//!
//! **What runs.** Program and arguments stand in the installation's settings, never in the repository; `{checkout}` in them
//! is replaced, so a hook that is kept in the repository is taken from main after the merge. It runs once a deploy, under
//! the supervisor, detached: it survives Orch, and what it starts survives it. No sandbox: it is the installation's own
//! program. Where trees are overlays (`orch doctor` says so), Orch and so the hook live in a mount namespace of their own:
//! what the machine mounts is seen there, what a hook mounts is not seen by the machine; `nsenter -t 1 -m` goes out of it.
//!
//! **What it gets.** Standard input is empty; the working folder is the checkout. Its environment is what the settings give
//! it, and [`VARIABLES`]. People read the same in `orch reference settings` and `orch reference env`.
//!
//! **What it says.** Exit code 0: deployed and healthy; the service is asked all the same, and where there is no address to
//! ask, a person looks. 1: failed, and rolled back or nothing touched. 2: failed, and the rollback failed too: a person is
//! paged. Anything else, a signal or no end within the limit (it is stopped then): it cannot be told, and the service is
//! asked ([`super::probe`]).

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use orch_core::call::{DeployCall, DeployReply, Failure};
use orch_core::event::{RunHow, Usage};
use orch_core::id::{Commit, ProjectId, RunId, TaskId};
use orch_core::refusal::Refusal;
use orch_core::time::Span;
use serde::{Deserialize, Serialize};

use super::probe::Probe;
use crate::lease::Ports;
use crate::process::RunSpec;
use crate::run::watch::Read;
use crate::run::{About, Look, Masker, Of, RunKind, Runs, Wanted, io as io_failure, private_file};

/// What a hook finds in its environment besides what the settings give it: names and meanings.
pub const VARIABLES: [(&str, &str); 8] = [
    ("ORCH_COMMIT", "the commit to deploy: main after the merge"),
    ("ORCH_PREVIOUS", "the commit that came out well last; empty if Orch knows of none"),
    ("ORCH_PROJECT", "the project"),
    ("ORCH_TASK", "the task that was merged"),
    (
        "ORCH_CHECKOUT",
        "a clean checkout of the commit; gone when the hook has ended: nothing may run from it",
    ),
    ("ORCH_RUN_DIR", "a folder for this commit that stays: builds, logs, process ids"),
    ("ORCH_PORT", "the first of ten ports that nobody else has until a later deploy works"),
    ("ORCH_PORT_END", "the last of them"),
];

/// A project's deploy target, as the installation's settings name it.
#[derive(Debug, Clone)]
pub struct Hook {
    /// An absolute path, or a name to be found in the `PATH` of `env`. `{checkout}` is replaced.
    pub program: String,
    /// Its arguments. `{checkout}` is replaced.
    pub args: Vec<String>,
    /// What it finds in its environment besides the variables of the contract: `PATH`, `HOME` and what it needs.
    pub env: BTreeMap<String, String>,
    /// Where the folders named by commits are.
    pub run_dir: PathBuf,
    /// Whether it may become another user, as `sudo` does.
    pub may_gain_rights: bool,
}

/// The deploy of a project.
#[derive(Clone)]
pub struct Deploy {
    /// Its runs.
    pub runs: Runs,
    /// Its hook, if there is one.
    pub hook: Option<Hook>,
    /// Its health probe, if there is one.
    pub probe: Option<Probe>,
}

/// What is remembered of a deploy, beside the folder of its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Given {
    run: RunId,
    ports: Ports,
    previous: Option<Commit>,
}

impl Deploy {
    /// Performs a call. A hook that began is found and answered the same.
    ///
    /// # Errors
    /// As [`Failure`] says; asking again is safe after each.
    pub async fn perform(&self, call: &DeployCall) -> Result<DeployReply, Failure> {
        match call {
            DeployCall::Hook { run, task, commit, previous, limit } => {
                let order = Order {
                    run: *run,
                    task: task.clone(),
                    commit: commit.clone(),
                    previous: previous.clone(),
                    limit: *limit,
                };
                let deploy = self.clone();
                let launched = tokio::task::spawn_blocking(move || deploy.launch(&order)).await;
                let pid =
                    launched.map_err(|e| Failure::transient(Refusal::Defect { cause: e.to_string() }))??;
                Ok(DeployReply::Launched { pid })
            }
            DeployCall::Probe { commit } => {
                let probe = self.probe.as_ref().ok_or_else(|| Failure::permanent(Refusal::NoProbe))?;
                Ok(DeployReply::Probed(probe.ask(commit, &self.ports_of(commit)).await))
            }
        }
    }

    fn launch(&self, order: &Order) -> Result<u32, Failure> {
        let wanted = Wanted { run: order.run, task: &order.task, of: Of::Hook, commit: &order.commit };
        let preparing = match self.runs.look(&wanted)? {
            Look::Begun(pid) => return Ok(pid),
            Look::Fresh(preparing) => preparing,
        };
        preparing.not_stopped()?;
        let hook = self.hook.as_ref().ok_or_else(|| Failure::permanent(Refusal::NoHook))?;
        let run_dir = hook.run_dir.join(file_name(&order.commit)?);
        let ports = preparing.ports(&owner(&self.runs.project, order.run))?;
        let tree = preparing.tree(&order.commit, None, Vec::new(), None)?;
        self.runs.step("run dir");
        DirBuilder::new().recursive(true).mode(0o755).create(&run_dir).map_err(io_failure(&run_dir))?;
        let given = Given { run: order.run, ports, previous: order.previous.clone() };
        let bytes = serde_json::to_vec(&given)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        private_file(&run_dir.with_extension("json"), &bytes)?;

        let checkout = tree.folder.to_string_lossy().into_owned();
        let fill = |text: &String| text.replace("{checkout}", &checkout);
        let program = fill(&hook.program);
        if program.contains('/') && !program.starts_with('/') {
            return Err(Failure::permanent(Refusal::HookNotAbsolute { program }));
        }
        let mut spec = RunSpec::new(order.run.to_string(), program, &tree.folder);
        spec.args = hook.args.iter().map(fill).collect();
        spec.env = hook.env.clone();
        let previous = order.previous.as_ref().map_or_else(String::new, Commit::to_string);
        for (name, value) in [
            ("ORCH_COMMIT", order.commit.to_string()),
            ("ORCH_PREVIOUS", previous),
            ("ORCH_PROJECT", self.runs.project.to_string()),
            ("ORCH_TASK", order.task.to_string()),
            ("ORCH_CHECKOUT", checkout.clone()),
            ("ORCH_RUN_DIR", run_dir.to_string_lossy().into_owned()),
            ("ORCH_PORT", ports.first.to_string()),
            ("ORCH_PORT_END", ports.last.to_string()),
        ] {
            spec.env.insert(name.to_owned(), value);
        }
        spec.time_limit_ms = Some(order.limit.0);
        spec.keep_children = true;
        spec.no_new_privs = !hook.may_gain_rights;
        let kind = RunKind::Hook { commit: order.commit.clone() };
        let (task, project) = (order.task.clone(), self.runs.project.clone());
        let about = About::new(order.run, task, project, kind, order.commit.clone());
        preparing.start(&about, &spec)
    }

    /// On which ports a commit and the one before it were told to live, the expected one first.
    fn ports_of(&self, commit: &Commit) -> Vec<u16> {
        let given = |commit: &Commit| {
            let path = self.hook.as_ref()?.run_dir.join(file_name(commit).ok()?).with_extension("json");
            serde_json::from_slice::<Given>(&fs::read(path).ok()?).ok()
        };
        let Some(this) = given(commit) else { return Vec::new() };
        let before = this.previous.as_ref().and_then(given);
        std::iter::once(this.ports.first).chain(before.map(|before| before.ports.first)).collect()
    }
}

struct Order {
    run: RunId,
    task: TaskId,
    commit: Commit,
    previous: Option<Commit>,
    limit: Span,
}

/// A commit as a file's name; only what git calls a commit is one.
fn file_name(commit: &Commit) -> Result<&str, Failure> {
    let name = commit.as_str();
    if (7..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(name);
    }
    Err(Failure::permanent(Refusal::NoCommit { name: name.to_owned() }))
}

/// Whose the ports of a hook's run are.
fn owner(project: &ProjectId, run: RunId) -> String {
    format!("hook/{project}/{run}")
}

/// What an earlier deploy of the project had, nobody lives on any more.
pub(crate) fn give_back_older(runs: &Runs, run: RunId) {
    let prefix = owner_prefix(&runs.project);
    let older = |whose: &str| {
        whose.strip_prefix(&prefix).and_then(|id| id.parse::<RunId>().ok()).is_some_and(|id| id < run)
    };
    if let Err(error) = runs.ports.give_back_where(older) {
        tracing::warn!(%run, %error, "the ports of earlier deploys cannot be given back");
    }
}

fn owner_prefix(project: &ProjectId) -> String {
    format!("hook/{project}/")
}

/// Gives back the ports of a deploy that touched nothing.
pub(crate) fn give_back_own(runs: &Runs, run: RunId) {
    if let Err(error) = runs.ports.give_back(&owner(&runs.project, run)) {
        tracing::warn!(%run, %error, "the ports of a deploy cannot be given back");
    }
}

/// Reads the end of a hook: its exit code and its last words.
pub(crate) fn read_end(record: &Path, how: RunHow, mask: &Masker) -> io::Result<Read> {
    let tail = crate::agent::both(record, mask)?;
    Ok(Read { how, usage: Usage::default(), tail })
}
