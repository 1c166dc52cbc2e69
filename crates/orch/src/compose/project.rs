//! What is a project made of? A hub, runs, agents, the tests and a hook; all from the settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orch_adapters::agent::{AgentKind, AgentProgram, Agents, Login, Price, Prompt, prompt};
use orch_adapters::deploy::hook::{Hook, HookProgram};
use orch_adapters::deploy::probe::Probe;
use orch_adapters::gate::ci::Ci;
use orch_adapters::git::{Cache, Git, Hub, TreeOrder};
use orch_adapters::lease::Registry;
use orch_adapters::process::Launcher;
use orch_adapters::run::{Machine, Masker, Places, Runs, Secret, Tree, TreeWish, Trees};
use orch_core::call::agent::Assignment;
use orch_core::call::deploy::Health;
use orch_core::call::{DeployCall, DeployReply, Failure};
use orch_core::id::{Commit, Digest, ProjectId, RunId};
use orch_store::Reader;

use super::{Wishes, chain, lock};
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::settings::{self, Settings};

/// A project, ready to work.
pub struct Project {
    /// Its name.
    pub id: ProjectId,
    /// The prefix of its work items.
    pub prefix: String,
    /// Its bare hub (decision 43).
    pub hub: Arc<Hub>,
    /// Its runs.
    pub runs: Runs,
    /// Its agents.
    pub agents: Agents,
    /// Its tests.
    pub ci: Ci,
    /// Up to which change the built-in tracker was read.
    pub read_issues_to: Mutex<u64>,
    hook: Option<Hook>,
    probe: Option<Probe>,
}

impl Project {
    /// Asks the deployed service who it is.
    ///
    /// # Errors
    /// There is no probe in the settings.
    pub async fn probe(&self, commit: &Commit) -> Result<Health, Failure> {
        match &self.probe {
            Some(probe) => Ok(probe.ask(commit).await),
            None => Err(Failure::permanent(format!("project `{}` has no `health` in orch.toml", self.id))),
        }
    }

    /// Starts the deploy hook. Blocks.
    ///
    /// # Errors
    /// As [`Failure`] says.
    pub fn deploy(&self, call: &DeployCall) -> Result<DeployReply, Failure> {
        match &self.hook {
            Some(hook) => hook.perform(call),
            None => Err(Failure::permanent(format!("project `{}` has no `hook` in orch.toml", self.id))),
        }
    }
}

/// Reads texts for prompts.
pub struct Texts {
    store: PathBuf,
    reader: Mutex<Option<Reader>>,
}

impl Texts {
    /// Texts of the store at this path.
    pub fn new(store: PathBuf) -> Self {
        Self { store, reader: Mutex::new(None) }
    }

    fn get(&self, digest: &Digest) -> Option<String> {
        let mut reader = lock(&self.reader);
        if reader.is_none() {
            *reader = Reader::open(&self.store).ok();
        }
        let bytes = reader.as_mut()?.blob(digest).ok().flatten()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

struct GitTrees(Arc<Hub>);

impl Trees for GitTrees {
    fn prepare(&self, wish: &TreeWish<'_>) -> Result<Tree, Failure> {
        let cache = wish.cache.as_ref().map(|(key, paths)| Cache { key: key.clone(), paths: paths.to_vec() });
        let order = TreeOrder {
            run: wish.run,
            commit: wish.commit,
            folder: wish.folder,
            cache,
            remove: wish.remove.clone(),
        };
        let tree = self.0.prepare_tree(&order)?;
        Ok(Tree { folder: tree.folder, borrows: vec![tree.objects] })
    }

    fn give_back(&self, run: RunId) -> Result<(), Failure> {
        self.0.drop_tree(run)
    }
}

/// All projects of the settings.
///
/// # Errors
/// The first project that cannot work, with the reason.
pub fn all(
    home: &Home,
    settings: &Settings,
    wishes: &Wishes,
    texts: &Arc<Texts>,
) -> Result<BTreeMap<ProjectId, Arc<Project>>, Error> {
    let git = Git::at("git", &wishes.path).map_err(|e| Error::failed(chain(&e)))?;
    let mut machine = Machine::of(&wishes.path, &wishes.person);
    machine.read_only.push(wishes.exe.clone());
    let ports = Registry::new(home.folder().join("ports"));
    let launcher = Launcher { exe: wishes.exe.clone() };
    let mut all = BTreeMap::new();
    for (name, own) in &settings.projects {
        let id = ProjectId(name.clone());
        let hub = Arc::new(hub(home, &git, name, own)?);
        let programs = programs(settings, wishes)?;
        let secrets = programs.values().filter_map(|program: &AgentProgram| match &program.login {
            Login::Key { key, .. } => Some(Secret::new(key.expose())),
            Login::None | Login::File { .. } => None,
        });
        let runs = Runs {
            project: id.clone(),
            places: Places { runs: home.runs(), trees: home.trees(), homes: home.folder().join("homes") },
            machine: machine.clone(),
            launcher: launcher.clone(),
            ports: ports.clone(),
            trees: Arc::new(GitTrees(Arc::clone(&hub))),
            mask: Masker::new(secrets),
            on_step: None,
        };
        let agents = Agents { runs: runs.clone(), programs, prompt: prompts(&hub, texts) };
        let ci = Ci { runs: runs.clone(), exe: wishes.exe.clone() };
        let hook = own.hook.as_ref().map(|hook| Hook {
            runs: runs.clone(),
            program: HookProgram { program: hook.program.clone(), args: hook.args.clone() },
        });
        let probe = match &own.health {
            Some(health) => Some(Probe::new(&health.url, &health.field).map_err(|e| Error::failed(chain(&e)))?),
            None => None,
        };
        let project = Project {
            id: id.clone(),
            prefix: own.prefix.clone(),
            hub,
            runs,
            agents,
            ci,
            read_issues_to: Mutex::new(0),
            hook,
            probe,
        };
        all.insert(id, Arc::new(project));
    }
    Ok(all)
}

fn hub(home: &Home, git: &Git, name: &str, own: &settings::Project) -> Result<Hub, Error> {
    let root = home.hubs().join(name);
    let opened = match root.exists() {
        true => Hub::open(git.clone(), &root),
        false => Hub::create(git.clone(), &root, &own.repository.to_string_lossy(), own.branch.as_deref()),
    };
    let hub = opened.map_err(|e| {
        Error::new(Kind::Refused, chain(&e)).at(format!("project `{name}`, {}", own.repository.display()))
    })?;
    Ok(hub.publishing(own.publish_branches))
}

fn programs(settings: &Settings, wishes: &Wishes) -> Result<BTreeMap<String, AgentProgram>, Error> {
    let mut all = BTreeMap::new();
    for (name, agent) in &settings.agents {
        let kind = match agent.kind {
            settings::AgentKind::Claude => AgentKind::Claude,
            settings::AgentKind::Command => AgentKind::Command,
            settings::AgentKind::Scripted => {
                AgentKind::Scripted { scenario: agent.script.clone().unwrap_or_default() }
            }
        };
        let program = agent.program().unwrap_or_else(|| wishes.exe.clone());
        let mut read_only = Vec::new();
        read_only.extend(agent.script.clone());
        let price = agent.prices.last().map(|price| Price {
            input: price.input.0,
            output: price.output.0,
            cache_read: price.cache_read.0,
            cache_write: price.cache_write.0,
        });
        let mut login = Login::None;
        for (variable, file) in &agent.env_files {
            let key = std::fs::read_to_string(file)
                .map_err(|e| Error::failed(format!("the key of agent `{name}` cannot be read: {e}")).at(file.display()))?;
            login = Login::Key { variable: variable.clone(), key: Secret::new(key.trim()) };
        }
        let program = AgentProgram {
            name: name.clone(),
            kind,
            program: program.to_string_lossy().into_owned(),
            args: agent.args.clone(),
            env: agent.env.clone(),
            read_only,
            login,
            provider: agent.provider(name),
            model: agent.model.clone(),
            effort: agent.effort.clone(),
            price,
        };
        program.check().map_err(|e| Error::new(Kind::Settings, chain(&e)).at(format!("[agents.{name}]")))?;
        all.insert(name.clone(), program);
    }
    Ok(all)
}

/// Makes prompts: the built-in template of the role, or the project's own on main (decision 13).
fn prompts(hub: &Arc<Hub>, texts: &Arc<Texts>) -> Prompt {
    let (hub, texts) = (Arc::clone(hub), Arc::clone(texts));
    Arc::new(move |assignment: &Assignment| {
        let path = format!(".orch/roles/{}.md", assignment.role);
        let own = hub.read_file_at_main(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = |digest: &Digest| texts.get(digest);
        let facts = prompt::facts_of(assignment, &text, &[]);
        let made = prompt::prompt(&facts, own.as_deref());
        if let Some(refused) = made.refused {
            tracing::warn!(path, error = %refused, "a project's prompt is refused; the built-in one holds");
        }
        Ok(made.text)
    })
}
