//! How is an agent started in its role, and what does its output say when it has ended?
//!
//! An agent is a program of the settings, run unattended under the supervisor in a fresh tree, with a home of its own, an
//! environment made from nothing and the prompt of its role on standard input (decisions 7, 9, 13).

pub mod prompt;
pub mod claude;
pub mod command;
pub mod model;
pub mod scripted;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use orch_core::artefact::{REVIEW, TEST_REPORT, folder as artefacts};
use orch_core::call::agent::Assignment;
use orch_core::call::{AgentCall, AgentReply, Failure};
use orch_core::event::{RunHow, Usage};
use orch_core::id::ProviderId;
use orch_core::refusal::Refusal;
use orch_core::stage::Role;
use serde::{Deserialize, Serialize};

use crate::process::{Output, RunSpec, Stream};
use crate::run::said::{self, TAIL};
use crate::run::watch::Read;
use crate::run::{
    About, Look, Masker, Of, Over, RunFolder, RunKind, Runs, Secret, Wanted, io as io_failure, owner,
};

/// An agent as the settings name it.
#[derive(Debug, Clone)]
pub struct AgentProgram {
    /// Its name.
    pub name: String,
    /// How it is called and read.
    pub kind: AgentKind,
    /// An absolute path, or a name to be found in `PATH`. For [`AgentKind::Scripted`] the binary whose `play` subcommand is
    /// [`scripted::main`].
    pub program: String,
    /// Further arguments. For [`AgentKind::Command`] all of them; see [`command`] for the placeholders.
    pub args: Vec<String>,
    /// Variables that it gets besides those of every run. Tokens of Orch, tracker or forge never stand here.
    pub env: BTreeMap<String, String>,
    /// What it may read besides the system's programs, such as the folder in which it is installed.
    pub read_only: Vec<PathBuf>,
    /// How it reaches its model.
    pub login: Login,
    /// Whose model it asks.
    pub provider: ProviderId,
    /// Which model; the program's own choice without one.
    pub model: Option<String>,
    /// How hard it thinks, in the program's own word.
    pub effort: Option<String>,
    /// What its tokens cost, for programs that do not say it themselves.
    pub price: Option<Price>,
}

/// How an agent is called and how its output is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AgentKind {
    /// Claude Code.
    Claude,
    /// Any program that takes a prompt.
    Command,
    /// No model at all: Orch itself plays a scenario file. For the demo, for tests and for drills.
    Scripted {
        /// The file.
        scenario: PathBuf,
    },
}

/// How an agent reaches its model: the one exception to "agents hold no keys" (decision 9). Empty: it needs nothing, or
/// finds its own way.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// A credential file of the person, copied into the run's own config folder; nothing else of the home is.
    pub file: Option<PathBuf>,
    /// Keys, each passed in the variable of that name.
    pub keys: BTreeMap<String, Secret>,
}

/// No credential file has more bytes.
pub(crate) const LARGEST_LOGIN: u64 = 64 << 10;

/// No login has more tokens.
const MOST_TOKENS: usize = 64;

/// Strings of a login that are shorter are words: names of scopes and plans.
const SHORTEST_TOKEN: usize = 20;

impl Login {
    /// What of it must never be shown: the keys, and every long string of the credential file as it is now.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets: Vec<Secret> = self.keys.values().cloned().collect();
        if let Some(Ok(bytes)) = self.file.as_ref().map(fs::read) {
            secrets.extend(tokens(&bytes));
        }
        secrets
    }
}

/// The long strings of a credential file. One that is no JSON, or not all of one, is a token whole, line by line and between
/// quotation marks.
fn tokens(file: &[u8]) -> Vec<Secret> {
    let mut found = Vec::new();
    match serde_json::from_slice(file) {
        Ok(value) => strings(&value, &mut found),
        Err(_) => {
            let text = String::from_utf8_lossy(file);
            found.extend(text.split(['"', '\n', '\r']).map(|part| part.trim().to_owned()));
        }
    }
    found.retain(|text| text.len() >= SHORTEST_TOKEN);
    found.into_iter().map(Secret::new).collect()
}

fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
    use serde_json::Value;
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What tokens cost: millionths of a US dollar for a million tokens of each class (decision 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Fresh input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Read from the provider's cache.
    pub cache_read: u64,
    /// Written to the provider's cache.
    pub cache_write: u64,
}

impl Price {
    /// What a usage costs; `None` if none of its classes is known.
    pub fn of(&self, usage: &Usage) -> Option<u64> {
        let classes = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
        ];
        if classes.iter().all(|(tokens, _)| tokens.is_none()) {
            return None;
        }
        let sum: u128 =
            classes.iter().map(|(tokens, price)| u128::from(tokens.unwrap_or(0)) * u128::from(*price)).sum();
        u64::try_from(sum.div_ceil(1_000_000)).ok()
    }
}

/// Makes the prompt of an assignment.
pub type Prompt = Arc<dyn Fn(&Assignment) -> Result<String, Failure> + Send + Sync>;

/// The agents of a project.
#[derive(Clone)]
pub struct Agents {
    /// Its runs.
    pub runs: Runs,
    /// The programs, by name.
    pub programs: BTreeMap<String, AgentProgram>,
    /// Makes prompts.
    pub prompt: Prompt,
    /// The policy's `cache` paths, kept a task and role (decision 32).
    pub cache: Vec<String>,
}

/// How a kind of agent is called, besides what all have.
pub(crate) struct Calling {
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) read_only: Vec<PathBuf>,
}

impl Agents {
    /// Performs a call. Blocks. Performed again, a launch finds the run that began and answers the same.
    ///
    /// # Errors
    /// As [`Failure`] says; asking again is safe after each.
    pub fn perform(&self, call: &AgentCall) -> Result<AgentReply, Failure> {
        match call {
            AgentCall::Launch(assignment) => self.launch(assignment).map(|pid| AgentReply::Launched { pid }),
            AgentCall::Stop { run } => self.runs.stop(*run).map(|()| AgentReply::Stopping),
        }
    }

    fn launch(&self, assignment: &Assignment) -> Result<u32, Failure> {
        let Assignment { run, task, role, commit, .. } = assignment;
        let preparing = match self.runs.look(&Wanted { run: *run, task, of: Of::Agent(*role), commit })? {
            Look::Begun(pid) => return Ok(pid),
            Look::Fresh(preparing) => preparing,
        };
        preparing.not_stopped()?;
        let agent = self
            .programs
            .get(&assignment.agent)
            .ok_or_else(|| Failure::permanent(Refusal::NoAgent { agent: assignment.agent.clone() }))?;
        let prompt = (self.prompt)(assignment)?;
        let ports = preparing.ports(&owner(assignment.run))?;
        let program = self.runs.machine.find(&agent.program).ok_or_else(|| {
            let (program, agent) = (agent.program.clone(), agent.name.clone());
            Failure::permanent(Refusal::AgentProgramGone { program, agent })
        })?;
        let cache = (!self.cache.is_empty())
            .then(|| (format!("{}/{}", assignment.task, assignment.role), self.cache.as_slice()));
        let tree =
            preparing.tree(&assignment.commit, cache, old_verdict(assignment), self.runs.machine.run_as)?;
        preparing.home()?;
        let folder = preparing.folder.clone();
        self.runs.step("prompt");
        let stdin = preparing.note("prompt.md", &prompt)?;
        let copy = preparing.show("prompt.md", &prompt)?;
        self.runs.step("login");
        let mut env = self.runs.machine.environment(&folder, ports);
        let calling = agent.calling(assignment, &folder, &copy);
        env.extend(agent.env.clone());
        env.extend(calling.env);
        agent.log_in(&folder, &mut env, &self.runs.mask)?;
        let mut spec = RunSpec::new(assignment.run.to_string(), program.to_string_lossy(), &tree.folder);
        let mut read_only = agent.read_only.clone();
        read_only.extend(calling.read_only);
        read_only.extend(tree.borrows);
        read_only.push(copy);
        // A name in PATH is often a link to where the program really lies.
        read_only.extend(program.canonicalize());
        spec.args = calling.args;
        spec.env = env;
        spec.stdin = Some(stdin);
        spec.time_limit_ms = Some(assignment.limit.0);
        spec.output = Output::default();
        spec.sandbox = self.runs.machine.sandbox(&folder, read_only);
        spec.run_as = self.runs.machine.run_as;
        let kind = RunKind::Agent {
            role: assignment.role,
            agent: agent.name.clone(),
            program: agent.kind.clone(),
            price: agent.price,
            tokens: assignment.tokens,
            login: agent.copy_of_login(),
        };
        let about = About::new(*run, task.clone(), self.runs.project.clone(), kind, commit.clone());
        preparing.start(&about, &spec)
    }
}

/// The file in which the role judged before: only what this run writes can count (decision 8).
fn old_verdict(assignment: &Assignment) -> Vec<String> {
    let name = match assignment.role {
        Role::Reviewer => REVIEW,
        Role::Tester => TEST_REPORT,
        Role::Analyst | Role::Architect | Role::Developer => return Vec::new(),
    };
    vec![format!("{}/{name}", artefacts(&assignment.item))]
}

impl AgentProgram {
    /// What of it must never be shown: for the [`Masker`] of its runs.
    pub fn secrets(&self) -> Vec<Secret> {
        self.login.secrets()
    }

    /// Whether model and effort have the form that the program expects; for the check of the settings.
    ///
    /// # Errors
    /// Which one has not, and what would be right.
    pub fn check(&self) -> Result<(), model::BadModel> {
        model::check(self)
    }

    fn calling(&self, assignment: &Assignment, folder: &RunFolder, prompt: &Path) -> Calling {
        match &self.kind {
            AgentKind::Claude => claude::calling(self, assignment.run, folder),
            AgentKind::Command => command::calling(self, assignment, prompt),
            AgentKind::Scripted { scenario } => scripted::calling(assignment, scenario),
        }
    }

    /// Where a run has its copy of the credential file, below its home.
    fn copy_of_login(&self) -> Option<PathBuf> {
        let from = self.login.file.as_ref()?;
        Some(match self.kind {
            AgentKind::Claude => PathBuf::from(claude::CREDENTIALS),
            AgentKind::Command | AgentKind::Scripted { .. } => from.file_name()?.into(),
        })
    }

    fn log_in(
        &self,
        folder: &RunFolder,
        env: &mut BTreeMap<String, String>,
        mask: &Masker,
    ) -> Result<(), Failure> {
        if !self.login.keys.is_empty() {
            crate::run::given_keys(folder, self.login.keys.values())?;
        }
        env.extend(self.login.keys.iter().map(|(name, key)| (name.clone(), key.expose().to_owned())));
        let (Some(from), Some(copy)) = (&self.login.file, self.copy_of_login()) else { return Ok(()) };
        let to = folder.home.join(copy);
        if let Some(above) = to.parent() {
            fs::create_dir_all(above).map_err(io_failure(above))?;
        }
        let bytes = fs::read(from).map_err(|e| {
            let (agent, path) = (self.name.clone(), from.display().to_string());
            Failure::permanent(Refusal::LoginUnreadable { agent, path, cause: e.to_string() })
        })?;
        // It was renewed since the masker was made, perhaps.
        mask.learn(tokens(&bytes));
        crate::run::given(folder, &bytes)?;
        crate::run::private_file(&to, &bytes)
    }
}

/// What a copy of a login holds that was given to a program; the program may have put anything there.
pub(crate) fn tokens_of_copy(bytes: &[u8]) -> Vec<Secret> {
    let mut found = tokens(bytes);
    found.truncate(MOST_TOKENS);
    found
}

/// Reads the end of an agent's run.
pub(crate) fn read_end(
    record: &Path,
    how: RunHow,
    kind: &AgentKind,
    price: Option<&Price>,
    mask: &Masker,
) -> io::Result<Read> {
    // What stopped it had counted is more than what it could still say itself.
    let over = if how == RunHow::Stopped { Over::read(record)? } else { None };
    let mut read = match kind {
        AgentKind::Claude => claude::read_end(record, how, mask)?,
        AgentKind::Command | AgentKind::Scripted { .. } => {
            let usage = command::usage(&said::last_bytes(record, Stream::Stdout, command::WINDOW)?);
            Read { how, usage, tail: both(record, mask)? }
        }
    };
    if let Some(over) = over {
        let tokens = over.usage.tokens();
        read.how = RunHow::OverTokens { tokens, limit: over.limit };
        if read.usage.tokens() < tokens {
            read.usage = over.usage;
        }
    }
    if read.usage.microdollars.is_none() {
        read.usage.microdollars = price.and_then(|price| price.of(&read.usage));
    }
    Ok(read)
}

/// The ends of both streams, what went wrong last.
pub(crate) fn both(record: &Path, mask: &Masker) -> io::Result<String> {
    let complaints = said::tail(record, Stream::Stderr, TAIL / 4, mask)?;
    let room = TAIL - complaints.len() - 1;
    let mut text = said::tail(record, Stream::Stdout, room, mask)?;
    if !text.is_empty() && !complaints.is_empty() {
        text.push('\n');
    }
    text.push_str(&complaints);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a login's tokens are masked, also those with which it was renewed, and that its words are not.
    #[test]
    fn the_tokens_of_a_login_are_masked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("credentials.json");
        let write = |token: &str| {
            let text =
                format!(r#"{{"oauth": {{"access": "{token}", "scopes": ["user:inference"], "at": 1}}}}"#);
            fs::write(&file, text).unwrap();
        };
        write("sk-first-0123456789abcdef");
        let login =
            Login { file: Some(file.clone()), keys: [("KEY".to_owned(), Secret::new("my-key"))].into() };
        let mask = Masker::new(login.secrets());
        let known = mask.clone();
        write("sk-second-0123456789abcdef");
        mask.learn(login.secrets());
        let said = "sk-first-0123456789abcdef sk-second-0123456789abcdef my-key user:inference";
        assert_eq!(known.mask(said), "*** *** *** user:inference");
        assert_eq!(tokens(b"plain-token-0123456789\nname\n").len(), 1);
        let cut_off = Masker::new(tokens(br#"{"oauth":{"access":"sk-third-0123456789abcdef","ref"#));
        assert_eq!(cut_off.mask("sk-third-0123456789abcdef"), "***");
        assert!(Login { file: Some(dir.path().join("gone")), ..Login::default() }.secrets().is_empty());
    }
}
