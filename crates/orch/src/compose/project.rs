//! What is a project made of? A hub, runs, agents, the tests and a hook; all from the settings.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orch_adapters::agent::{AgentKind, AgentProgram, Agents, Login, Price, Prompt, prompt};
use orch_adapters::deploy::hook::{Deploy, Hook};
use orch_adapters::deploy::probe::Probe;
use orch_adapters::gate::ci::Ci;
use orch_adapters::git::{Cache, Git, Hub, TreeOrder};
use orch_adapters::lease::Registry;
use orch_adapters::process::{Launcher, RunAs};
use orch_adapters::run::{Machine, Masker, Places, Runs, Secret, Tree, TreeWish, Trees};
use orch_adapters::tracker::builtin::BuiltinTracker;
use orch_core::call::agent::Assignment;
use orch_core::call::{AgentCall, AgentReply, Failure};
use orch_core::id::{Digest, ProjectId, RunId};
use orch_core::policy::Policy;
use orch_core::stage::Role;
use orch_store::{Reader, StoreError};
use tokio::sync::Notify;

use super::refs::Refs;
use super::{Wishes, chain, lock, user};
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::refusals::{told, worded};
use crate::settings::{self, Settings};
use crate::words::{Told, say};

/// As many of people's comments go into a prompt.
const ANSWERS: u32 = 20;

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
    /// Its tests.
    pub ci: Ci,
    /// Its deploys.
    pub deploy: Deploy,
    /// The policy in force, for prompts and caches.
    pub policy: Arc<Mutex<Policy>>,
    /// What signs the deliveries of its hook.
    pub hook_secret: Vec<u8>,
    /// Up to which change the built-in tracker was read.
    pub read_issues_to: Mutex<u64>,
    /// What the last sweep saw of its branches.
    pub refs: Mutex<Refs>,
    /// Of which of its branches the brain was told something.
    pub told: Mutex<super::branches::Told>,
    programs: BTreeMap<String, AgentProgram>,
    /// What the settings say of them, for their prices.
    agents: BTreeMap<String, settings::Agent>,
    /// Model and effort of each role (decision 13).
    choices: BTreeMap<Role, settings::Chosen>,
    prompt: Prompt,
}

impl Project {
    /// Starts or stops a run of an agent. Blocks.
    ///
    /// # Errors
    /// As [`Failure`] says.
    pub fn agent(&self, call: &AgentCall) -> Result<AgentReply, Failure> {
        let mut programs = self.programs.clone();
        if let AgentCall::Launch(assignment) = call
            && let Some(program) = programs.get_mut(&assignment.agent)
        {
            let chosen = self.choices.get(&assignment.role).filter(|choice| choice.agent == program.name);
            fit(program, chosen, self.agents.get(&program.name), today());
        }
        let agents = Agents {
            runs: self.runs.clone(),
            programs,
            prompt: Arc::clone(&self.prompt),
            cache: lock(&self.policy).cache.clone(),
        };
        agents.perform(call)
    }
}

/// Reads texts for prompts.
pub struct Texts {
    store: PathBuf,
    reader: Mutex<Option<Reader>>,
    doubted: Notify,
}

impl Texts {
    /// Texts of the store at this path.
    pub fn new(store: PathBuf) -> Self {
        Self { store, reader: Mutex::new(None), doubted: Notify::new() }
    }

    /// Why something of the store could not be read. Trying again mends no damage: whoever waits for [`Texts::doubted`] is told.
    pub fn in_words(&self, error: &StoreError) -> Told {
        if let StoreError::Damaged { .. } = error {
            self.doubted.notify_one();
        }
        worded(error)
    }

    /// Waits until something that was read is damaged; or was, since the last time.
    pub async fn doubted(&self) {
        self.doubted.notified().await;
    }

    /// `None`: it was erased. One that cannot be read now is a failure that is tried again.
    fn get(&self, digest: &Digest) -> Result<Option<String>, Failure> {
        let unread = |words: Told| Failure::transient(String::from(words));
        let mut reader = lock(&self.reader);
        let reader = match &mut *reader {
            Some(reader) => reader,
            none => none.insert(Reader::open(&self.store).map_err(|e| unread(worded(&e)))?),
        };
        let bytes = reader.blob(digest).map_err(|e| unread(self.in_words(&e)))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What `make` makes of texts; it knows one that was erased by `None`. If one of them cannot be read now nothing is made.
///
/// # Errors
/// The first that could not be read.
pub(super) fn of_texts<T>(
    read: &dyn Fn(&Digest) -> Result<Option<String>, Failure>,
    make: impl FnOnce(&dyn Fn(&Digest) -> Option<String>) -> T,
) -> Result<T, Failure> {
    let failed = OnceCell::new();
    let made = make(&|digest| {
        read(digest).unwrap_or_else(|failure| {
            failed.get_or_init(|| failure);
            None
        })
    });
    failed.into_inner().map_or(Ok(made), Err)
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
            owner: wish.owner,
        };
        let tree = self.0.prepare_tree(&order)?;
        Ok(Tree { folder: tree.folder, borrows: vec![tree.objects] })
    }

    fn give_back(&self, run: RunId) -> Result<(), Failure> {
        self.0.drop_tree(run)
    }
}

/// With what projects are made.
pub struct Maker<'a> {
    /// Where the installation lives.
    pub home: &'a Home,
    /// Its settings.
    pub settings: &'a Settings,
    /// What it was told besides.
    pub wishes: &'a Wishes,
    /// As whom runs run.
    pub user: Option<RunAs>,
    /// Texts for prompts.
    pub texts: &'a Arc<Texts>,
    /// The built-in tracker.
    pub tracker: &'a Arc<BuiltinTracker>,
}

impl Maker<'_> {
    /// All projects of the settings.
    ///
    /// # Errors
    /// The first project that cannot work, with the reason.
    pub fn all(&self) -> Result<BTreeMap<ProjectId, Arc<Project>>, Error> {
        let Maker { home, settings, wishes, user, .. } = *self;
        machine(home, settings, wishes, user)?;
        let mut all = BTreeMap::new();
        for name in self.settings.projects.keys() {
            let project = self.one(name)?;
            all.insert(project.id.clone(), Arc::new(project));
        }
        Ok(all)
    }

    /// One project of the settings. Blocks.
    ///
    /// # Errors
    /// Why it cannot work.
    pub fn one(&self, name: &str) -> Result<Project, Error> {
        let Maker { home, settings, wishes, user, texts, tracker } = *self;
        let own = settings.projects.get(name).ok_or_else(|| {
            Error::new(Kind::NotFound, say!("there is no project `{name}`", "нет проекта `{name}`"))
        })?;
        owned(name, own, wishes)?;
        let git = Git::at("git", &wishes.path).map_err(|e| told(Kind::Failed, &e))?;
        let machine = machine(home, settings, wishes, user)?;
        let mounts = wishes.mounts.as_ref().filter(|mounts| match mounts.try_in(&home.hubs()) {
            Ok(()) => true,
            Err(error) => {
                tracing::info!(error = %chain(&error), "trees are recycled ones");
                false
            }
        });
        let id = ProjectId::from(name);
        let hub = Arc::new(hub(home, &git, name, own)?.trees_of(user, mounts.cloned()));
        if let Some(user) = user {
            user::reaches(user, &hub.objects())?;
        }
        let programs = programs(settings, wishes)?;
        let secrets: Vec<Secret> = programs.values().flat_map(AgentProgram::secrets).collect();
        let hook = own.hook.as_ref().map(|hook| Hook {
            program: hook.program.to_string_lossy().into_owned(),
            args: hook.args.clone(),
            env: hook_environment(&machine, wishes),
            run_dir: home.folder().join("run").join(name),
            may_gain_rights: false,
        });
        let runs = Runs {
            project: id.clone(),
            places: Places { runs: home.runs(), trees: home.trees(), homes: home.homes() },
            machine,
            launcher: Launcher { exe: wishes.exe.clone() },
            ports: Registry::new(home.folder().join("ports")),
            trees: Arc::new(GitTrees(Arc::clone(&hub))),
            mask: Masker::new(secrets),
            on_step: None,
        };
        let probe = match &own.health {
            Some(health) => Some(Probe::new(&health.url, &health.field).map_err(|e| told(Kind::Failed, &e))?),
            None => None,
        };
        let policy = Arc::new(Mutex::new(Policy::default()));
        Ok(Project {
            id,
            prefix: own.prefix.clone(),
            prompt: prompts(&hub, texts, tracker, &policy),
            told: Mutex::default(),
            hub,
            ci: Ci { runs: runs.clone() },
            deploy: Deploy { runs: runs.clone(), hook, probe },
            runs,
            policy,
            hook_secret: super::secrets::secret(&home.folder().join("hooks").join(name))?.into_bytes(),
            read_issues_to: Mutex::new(0),
            refs: Mutex::default(),
            programs,
            agents: settings.agents.clone(),
            choices: Role::ALL
                .into_iter()
                .filter_map(|role| Some((role, settings.chosen(name, role)?)))
                .collect(),
        })
    }
}

/// What a deploy hook finds besides the variables of its contract: it builds with the toolchains that the tests had.
fn hook_environment(machine: &Machine, wishes: &Wishes) -> BTreeMap<String, String> {
    let mut env = machine.env.clone();
    env.insert("PATH".to_owned(), wishes.path.clone());
    env.insert("HOME".to_owned(), wishes.person.to_string_lossy().into_owned());
    env
}

/// What of this machine the runs see.
///
/// # Errors
/// The settings open Orch's own data, that or a secret lies where every run may read, or the user of `run_as` cannot get to this binary.
pub fn machine(
    home: &Home,
    settings: &Settings,
    wishes: &Wishes,
    user: Option<RunAs>,
) -> Result<Machine, Error> {
    let variable = |name: &str| wishes.variables.get(name).cloned();
    let mut machine = Machine::of(&wishes.path, &wishes.person, variable);
    machine.run_as = user;
    machine.read_only.push(wishes.exe.clone());
    let own = home.folder().canonicalize().unwrap_or_else(|_| home.folder().to_owned());
    for path in &settings.machine.read {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if own.starts_with(&real) || real.starts_with(&own) {
            let cause = say!(
                "`machine.read` opens {}, and with it Orch's own data",
                "`machine.read` открывает {}, а с ней и данные самого Orch",
                path.display()
            );
            return Err(Error::new(Kind::Settings, cause)
                .at(say!("[machine] in orch.toml", "[machine] в orch.toml"))
                .remedy(say!(
                    "name the folders that tests need, one by one",
                    "назовите по одной только те папки, которые нужны тестам"
                )));
        }
        machine.read_only.push(path.clone());
    }
    nothing_open(home, settings, &machine)?;
    machine.env.extend(settings.machine.env.clone());
    if let Some(user) = user {
        user::reaches(user, &wishes.exe)?;
    }
    Ok(machine)
}

/// Refuses a data folder or a secret that lies where every run may read.
fn nothing_open(home: &Home, settings: &Settings, machine: &Machine) -> Result<(), Error> {
    let open_in = |path: &std::path::Path| settings::check::opened_by(path, machine.readable());
    if let Some(folder) = open_in(home.folder()) {
        let cause = say!(
            "the data folder lies in {}, which every run may read: none could start",
            "папка данных лежит в {}, а её может читать любой запуск: ни один не смог бы начаться",
            folder.display()
        );
        return Err(Error::new(Kind::Settings, cause).at(home.folder().display()).remedy(say!(
            "keep it elsewhere: ORCH_HOME=/var/lib/orch, or leave ORCH_HOME out",
            "держите её в другом месте: ORCH_HOME=/var/lib/orch, или уберите ORCH_HOME"
        )));
    }
    for (name, agent) in &settings.agents {
        for file in agent.env_files.values().chain(&agent.login_file) {
            if let Some(folder) = open_in(file) {
                let cause = say!(
                    "{} lies in {}, which every run may read",
                    "{} лежит в {}, а её может читать любой запуск",
                    file.display(),
                    folder.display()
                );
                return Err(Error::new(Kind::Settings, cause)
                    .at(say!("[agents.{name}] in orch.toml", "[agents.{name}] в orch.toml"))
                    .remedy(say!(
                        "keep it elsewhere, such as ~/.config/orch, with mode 0600",
                        "держите его в другом месте, например в ~/.config/orch, с правами 0600"
                    )));
            }
        }
    }
    Ok(())
}

/// Refuses to let git work as root in what another user owns, unless that is allowed (decision 9).
fn owned(name: &str, own: &settings::Project, wishes: &Wishes) -> Result<(), Error> {
    match user::foreign(&own.repository).filter(|_| !wishes.allow_root) {
        None => Ok(()),
        Some(uid) => {
            let cause = say!(
                "Orch is root, and the repository belongs to another user (uid {uid})",
                "Orch запущен от root, а репозиторий принадлежит другому пользователю (uid {uid})"
            );
            Err(Error::refused(cause).at(place_of(name, own)).remedy(say!(
                "start Orch as that user, give the repository to root, or give --allow-root",
                "запускайте Orch от этого пользователя, отдайте репозиторий root или добавьте --allow-root"
            )))
        }
    }
}

fn place_of(name: &str, own: &settings::Project) -> Told {
    let repository = own.repository.display();
    say!("project `{name}`, {repository}", "проект `{name}`, {repository}")
}

fn hub(home: &Home, git: &Git, name: &str, own: &settings::Project) -> Result<Hub, Error> {
    let root = home.hubs().join(name);
    let place = place_of(name, own);
    let made = Hub::create(git.clone(), &root, &own.repository.to_string_lossy(), own.branch.as_deref());
    let hub = made.map_err(|e| Error::new(Kind::Refused, worded(&e)).at(&place))?;
    if let Some(branch) = own.branch.as_deref().filter(|branch| *branch != hub.main()) {
        let cause = say!(
            "it began with the main branch `{}`, and the settings say `{branch}`",
            "работа начата с основной веткой `{}`, а в настройках `{branch}`",
            hub.main()
        );
        return Err(Error::new(Kind::Refused, cause).at(place).remedy(say!(
            "name the branch that it began with, or give the project another name to begin afresh",
            "укажите ту ветку, с которой работа начата, или дайте проекту другое имя, чтобы начать заново"
        )));
    }
    Ok(hub.publishing(own.publish_branches))
}

/// The day by which prices count.
fn today() -> jiff::civil::Date {
    let now =
        jiff::Timestamp::from_millisecond(orch_engine::clock::now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Refuses a key that everybody on the machine may read or write: closing its file makes it no secret again (decision 56).
fn kept_secret(name: &str, agent: &settings::Agent) -> Result<(), Error> {
    // One that cannot be looked at cannot be read either, which is said then.
    let mode = |file: &PathBuf| std::fs::metadata(file).map_or(0, |file| file.permissions().mode());
    let Some((variable, file)) = agent.env_files.iter().find(|(_, file)| mode(file) & 0o006 != 0) else {
        return Ok(());
    };
    let cause = say!(
        "everybody on this machine may read the key of agent `{name}` ({variable})",
        "ключ агента `{name}` ({variable}) может прочитать любой на этой машине"
    );
    let shown = file.display();
    Err(Error::new(Kind::Settings, cause).at(&shown).remedy(say!(
        "chmod 600 {shown}; where others use this machine too, put a new key into it first",
        "chmod 600 {shown}; если на этой машине работает кто-то ещё, сначала замените ключ новым"
    )))
}

fn keys(name: &str, agent: &settings::Agent) -> impl Iterator<Item = Result<(String, Secret), Error>> {
    let read = move |(variable, file): (&String, &PathBuf)| {
        let key = std::fs::read_to_string(file).map_err(|e| {
            let cause = say!(
                "the key of agent `{name}` cannot be read: {e}",
                "ключ агента `{name}` не читается: {e}"
            );
            Error::failed(cause).at(file.display())
        })?;
        Ok((variable.clone(), Secret::new(key.trim())))
    };
    agent.env_files.iter().map(read)
}

/// Knows the keys and logins of all agents. One that cannot be read is not known: `orch up` refuses to begin with it.
pub(crate) fn masker(settings: &Settings) -> Masker {
    let login = |(name, agent): (&String, &settings::Agent)| Login {
        file: agent.login_file.clone(),
        keys: keys(name, agent).flatten().collect(),
    };
    Masker::new(settings.agents.iter().map(login).flat_map(|login| login.secrets()))
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
        kept_secret(name, agent)?;
        let login =
            Login { file: agent.login_file.clone(), keys: keys(name, agent).collect::<Result<_, _>>()? };
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
            price: None,
        };
        program.check().map_err(|e| Error::new(Kind::Settings, worded(&e)).at(format!("[agents.{name}]")))?;
        all.insert(name.clone(), program);
    }
    Ok(all)
}

/// Makes a program the one of a role: with the model and effort chosen for it, and what that very model's tokens cost on the
/// day on which the run begins (decisions 12, 13).
fn fit(
    program: &mut AgentProgram,
    chosen: Option<&settings::Chosen>,
    own: Option<&settings::Agent>,
    day: jiff::civil::Date,
) {
    if let Some(chosen) = chosen {
        program.model.clone_from(&chosen.model);
        program.effort.clone_from(&chosen.effort);
    }
    let price = own.and_then(|own| own.price(program.model.as_deref(), day));
    program.price = price.map(|price| Price {
        input: price.input.0,
        output: price.output.0,
        cache_read: price.cache_read.0,
        cache_write: price.cache_write.0,
    });
}

/// Makes prompts: the built-in template of the role, or the project's own on main (decision 13).
fn prompts(
    hub: &Arc<Hub>,
    texts: &Arc<Texts>,
    tracker: &Arc<BuiltinTracker>,
    policy: &Arc<Mutex<Policy>>,
) -> Prompt {
    let (hub, texts, tracker, policy) =
        (Arc::clone(hub), Arc::clone(texts), Arc::clone(tracker), Arc::clone(policy));
    Arc::new(move |assignment: &Assignment| {
        let path = format!(".orch/roles/{}.md", assignment.role);
        let own = hub.read_file_at_main(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut answers = Vec::new();
        if assignment.answers {
            let said = tracker.said(&assignment.issue, ANSWERS)?;
            answers.extend(said.into_iter().filter(|said| !said.own).map(|said| (said.by, said.text)));
        }
        let policy = lock(&policy).clone();
        let read = |digest: &Digest| texts.get(digest);
        let facts = of_texts(&read, |text| prompt::facts_of(assignment, text, &answers, &policy))?;
        let made = prompt::prompt(&facts, own.as_deref());
        if let Some(refused) = made.refused {
            tracing::warn!(path, error = %refused, "a project's prompt is refused; the built-in one holds");
        }
        Ok(made.text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves decision 12 for a role with a model of its own: its runs cost what that model costs, from the day on which its
    /// price begins, and a model without a price is not charged at another's.
    #[test]
    fn a_run_costs_what_its_own_model_costs() {
        let text = |model: &str| {
            let price = |model: &str, from: &str, input: u32| {
                format!(
                    "[[agents.a.prices]]\nmodel = \"{model}\"\nfrom = \"{from}\"\ninput = {input}\noutput = 1\n\
                     cache_read = 1\ncache_write = 1\n"
                )
            };
            let prices = [
                price("small", "2026-01-01", 1),
                price("large", "2026-01-01", 10),
                price("large", "2026-03-01", 20),
            ];
            format!(
                "agent = \"a\"\n[agents.a]\nkind = \"command\"\nprogram = \"sh\"\nmodel = \"small\"\n{}\
                 [roles.reviewer]\nmodel = \"{model}\"\n",
                prices.concat()
            )
        };
        let cost = |model: &str, role: Role, day: &str| {
            let (settings, _) = Settings::of_text("orch.toml".as_ref(), &text(model), &[]).unwrap();
            let wishes = Wishes::default();
            let mut program = programs(&settings, &wishes).unwrap().remove("a").unwrap();
            let chosen = settings.chosen("demo", role).unwrap();
            fit(&mut program, Some(&chosen), settings.agents.get("a"), day.parse().unwrap());
            (program.model.unwrap(), program.price.map(|price| price.input / 1_000_000))
        };
        assert_eq!(cost("large", Role::Reviewer, "2026-02-01"), ("large".to_owned(), Some(10)));
        assert_eq!(cost("large", Role::Reviewer, "2026-03-01"), ("large".to_owned(), Some(20)));
        assert_eq!(cost("large", Role::Developer, "2026-03-01"), ("small".to_owned(), Some(1)));
        assert_eq!(cost("nameless", Role::Reviewer, "2026-03-01"), ("nameless".to_owned(), None));
    }
}
