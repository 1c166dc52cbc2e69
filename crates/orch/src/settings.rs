//! What does the installation say? `orch.toml` in its folder, and `ORCH_...` over it (decision 44).
//!
//! `default.toml` is the reference: a line for each key. Tests keep it, this file and the environment's names equal.

pub mod place;
pub mod value;
pub mod check;
pub mod environment;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use orch_core::id::ProviderId;
use orch_core::message::Lang;
use orch_core::policy::{self, WatchRules};
use orch_core::stage::Role;
use orch_core::time::{Calendar, Moment, Span};
use serde::{Deserialize, Serialize};

use self::environment::{Overrides, Remark};
use self::place::{FileError, Source, keys_of};
use self::value::{Dollars, Minutes};
use crate::language;
use crate::policy_file::{PolicyFile, PolicyLimits};
use crate::words::{Told, say};

/// The reference of `orch.toml`.
pub const DEFAULT: &str = include_str!("default.toml");

/// What holds for the whole installation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where dashboard and API listen.
    pub listen: SocketAddr,
    /// Names besides loopback's under which people reach it.
    pub hosts: Vec<String>,
    /// Whether they reach it by https, through a proxy.
    pub https: bool,
    /// The language of texts.
    pub language: Lang,
    /// The time zone of times that are shown, and in which a day of the budget begins (decision 46).
    pub timezone: String,
    /// The user as whom agents and gates run when Orch is root (decision 9).
    pub run_as: Option<String>,
    /// The agent of every role for which nothing else is said.
    pub agent: Option<String>,
    /// What of this machine every run may use.
    pub machine: Machine,
    /// How much at once, and for how much money.
    pub limits: Limits,
    /// What no policy may exceed, and what holds where it says nothing.
    pub ceilings: Ceilings,
    /// How production is watched after a deploy.
    pub watch: Watch,
    /// The agents' programs.
    pub agents: BTreeMap<String, Agent>,
    /// Who works in which role.
    pub roles: BTreeMap<Role, RoleChoice>,
    /// The projects.
    pub projects: BTreeMap<String, Project>,
    /// What the environment says of gates.
    #[serde(skip)]
    pub overrides: Overrides,
}

/// What of this machine every run may use besides the system's programs (decision 9): caches of packages, toolchains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Machine {
    /// Files and folders that agents and tests may read.
    pub read: Vec<PathBuf>,
    /// Variables that agents and tests get: nothing secret.
    pub env: BTreeMap<String, String>,
}

/// How much at once, and for how much money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Agents at once, in all.
    pub agents: u32,
    /// Agents at once, a project.
    pub agents_a_project: u32,
    /// Agents at once, a role.
    pub agents_a_role: BTreeMap<Role, u32>,
    /// Gates' runs at once, in all.
    pub gates: u32,
    /// Money a day.
    pub day_dollars: Dollars,
    /// Set aside for a run before it starts.
    pub reserve_dollars: Dollars,
}

/// What no policy may exceed (decision 12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ceilings {
    /// A run of an agent.
    pub run_minutes: Minutes,
    /// Tokens a run.
    pub run_tokens: u64,
    /// A run of the tests.
    pub test_minutes: Minutes,
    /// The deploy hook.
    pub deploy_minutes: Minutes,
    /// Money a task.
    pub task_dollars: Dollars,
}

/// How production is watched after a deploy (decision 69).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// How long, in seconds; 0: not at all.
    pub seconds: u32,
    /// The time between two looks, in seconds.
    pub every_seconds: u32,
    /// So many bad looks in a row: production went bad.
    pub failures: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self { seconds: 900, every_seconds: 30, failures: 3 }
    }
}

impl Watch {
    /// The rules for one project, which may have a length of its own; `None`: nothing is watched.
    pub fn rules(&self, own_seconds: Option<u32>) -> Option<WatchRules> {
        let span = |seconds: u32| Span::seconds(seconds.into());
        let window = own_seconds.unwrap_or(self.seconds);
        let (every, failures) = (span(self.every_seconds), self.failures);
        (window > 0).then(|| WatchRules { window: span(window), every, failures })
    }
}

/// An agent's program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// How it is spoken to.
    pub kind: AgentKind,
    /// The program, if not the one named like the kind.
    pub program: Option<PathBuf>,
    /// Arguments: besides those of the kind, or for a command all of them.
    #[serde(default)]
    pub args: Vec<String>,
    /// Variables in its environment: nothing secret.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables whose values stand in files: secrets.
    #[serde(default)]
    pub env_files: BTreeMap<String, PathBuf>,
    /// The credential file of a subscription, copied into each run's own folder (decision 9, login mode).
    pub login_file: Option<PathBuf>,
    /// The scenario that a scripted agent plays.
    pub script: Option<PathBuf>,
    /// Whose model it asks.
    pub provider: Option<String>,
    /// Its model, unless a role names another.
    pub model: Option<String>,
    /// Its effort, unless a role names another.
    pub effort: Option<String>,
    /// What tokens cost.
    #[serde(default)]
    pub prices: Vec<Price>,
}

/// How an agent is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    /// Claude Code.
    Claude,
    /// Any program: the prompt is its standard input.
    Command,
    /// Plays a scenario: for demonstrations.
    Scripted,
}

/// What a model's tokens cost from a day on, in dollars a million.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The model, as the agent names it.
    pub model: String,
    /// From which day on: `2026-01-31`.
    pub from: String,
    /// Fresh input.
    pub input: Dollars,
    /// Output.
    pub output: Dollars,
    /// Read from the provider's cache.
    pub cache_read: Dollars,
    /// Written to the provider's cache.
    pub cache_write: Dollars,
}

/// Who works in a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleChoice {
    /// The agent.
    pub agent: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The effort.
    pub effort: Option<String>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The prefix of its work items.
    pub prefix: String,
    /// The person's repository (decision 43).
    pub repository: PathBuf,
    /// Its main branch; absent: the one that its HEAD names.
    pub branch: Option<String>,
    /// Whether task branches are published to it.
    #[serde(default)]
    pub publish_branches: bool,
    /// Its agent, unless a role names another.
    pub agent: Option<String>,
    /// Who works in which role here.
    #[serde(default)]
    pub roles: BTreeMap<Role, RoleChoice>,
    /// How it is deployed (decision 22).
    pub hook: Option<Hook>,
    /// How the deployed service says which commit it is.
    pub health: Option<Health>,
}

/// The deploy hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The program: an absolute path outside the repository, or `{checkout}/...`, the one on main after the merge.
    pub program: PathBuf,
    /// Its arguments, with `{checkout}` filled in; what is deployed stands in variables (decision 22).
    #[serde(default)]
    pub args: Vec<String>,
}

/// The health probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What is asked.
    pub url: String,
    /// The field of its JSON answer that names the commit.
    #[serde(default = "commit")]
    pub field: String,
    /// How long the service is watched after a deploy, in seconds, if not as long as others.
    pub watch_seconds: Option<u32>,
}

fn commit() -> String {
    "commit".to_owned()
}

/// The agent of a role in a project, with its model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// The agent's name in the settings.
    pub agent: String,
    /// Whose model it asks.
    pub provider: ProviderId,
    /// The model; absent: the program's own choice.
    pub model: Option<String>,
    /// The effort; absent: the program's own choice.
    pub effort: Option<String>,
}

/// Settings as they hold, and what is to be said about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What the environment did, or did not do.
    pub remarks: Vec<Remark>,
    /// The text of the file, for [`crate::reload::Kept`]; empty without a file.
    pub text: String,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be read.
    #[error("{file} cannot be read", file = file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's words.
        #[source]
        cause: io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A variable of the environment is wrong.
    #[error("{name}={value}: {problem}")]
    Environment {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong.
        problem: Told,
    },
}

impl SettingsError {
    /// Where.
    pub fn place(&self) -> Told {
        match self {
            SettingsError::Read { file, .. } => Told::quoted(file.display().to_string()),
            SettingsError::File(error) => Told::quoted(error.place()),
            SettingsError::Environment { name, .. } => {
                say!("environment variable {name}", "переменная окружения {name}")
            }
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> Told {
        match self {
            SettingsError::Read { cause, .. } => {
                say!("the settings cannot be read: {cause}", "настройки не читаются: {cause}")
            }
            SettingsError::File(error) => error.problem.clone(),
            SettingsError::Environment { value, problem, .. } => {
                Told::quoted(format!("`{value}`: {problem}"))
            }
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> Told {
        match self {
            SettingsError::Read { .. } => say!(
                "make the file readable for this user, as UTF-8 text",
                "сделайте файл доступным этому пользователю, в виде текста UTF-8"
            ),
            SettingsError::File(error) => error.remedy.clone(),
            SettingsError::Environment { name, .. } => say!(
                "unset {name}, or give it a value as `orch reference env` shows",
                "уберите {name} или задайте значение, как показывает `orch reference env`"
            ),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8500)),
            hosts: Vec::new(),
            https: false,
            language: Lang::En,
            timezone: "UTC".to_owned(),
            run_as: None,
            agent: None,
            machine: Machine::default(),
            limits: Limits::default(),
            watch: Watch::default(),
            ceilings: Ceilings::default(),
            agents: BTreeMap::new(),
            roles: BTreeMap::new(),
            projects: BTreeMap::new(),
            overrides: Overrides::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let core = policy::Limits::default();
        Self {
            agents: core.agents,
            agents_a_project: core.agents_a_project,
            agents_a_role: core.agents_a_role,
            gates: core.gates,
            day_dollars: Dollars(core.day_budget),
            reserve_dollars: Dollars(core.run_reserve),
        }
    }
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            run_minutes: Minutes(60),
            run_tokens: 5_000_000,
            test_minutes: Minutes(30),
            deploy_minutes: Minutes(20),
            task_dollars: Dollars::whole(20),
        }
    }
}

/// A time zone from the beginning of a moment's year to the end of the next, so that it changes once a year only.
fn calendar(timezone: &str, now: Moment) -> Calendar {
    let (Ok(zone), Ok(now)) = (jiff::tz::TimeZone::get(timezone), jiff::Timestamp::from_millisecond(now.0))
    else {
        return Calendar::default();
    };
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    let begins = |year: i16| {
        let day = jiff::civil::Date::new(year, 1, 1).and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC));
        day.map(|day| day.timestamp())
    };
    let (Ok(from), Ok(until)) = (begins(year), begins(year.saturating_add(2))) else {
        return Calendar::default();
    };
    let first = (Moment(from.as_millisecond()), zone.to_offset(from).seconds());
    let later = zone
        .following(from)
        .take_while(|change| change.timestamp() < until)
        .map(|change| (Moment(change.timestamp().as_millisecond()), change.offset().seconds()));
    Calendar::new(std::iter::once(first).chain(later).collect())
}

impl Settings {
    /// The settings of a file, the environment over them. No file: the defaults.
    ///
    /// # Errors
    /// See [`SettingsError`]; the first thing that is wrong.
    pub fn load(file: &Path, env: &[(String, String)]) -> Result<Loaded, SettingsError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            // Where no folder can be, there is no file either; whoever needs the folder says so.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                String::new()
            }
            Err(cause) => return Err(SettingsError::Read { file: file.to_path_buf(), cause }),
        };
        let (settings, remarks) = Self::of_text(file, &text, env)?;
        Ok(Loaded { settings, remarks, text })
    }

    /// The settings of a text, the environment over them.
    ///
    /// # Errors
    /// See [`SettingsError`]; the first thing that is wrong.
    pub fn of_text(
        file: &Path,
        text: &str,
        env: &[(String, String)],
    ) -> Result<(Self, Vec<Remark>), SettingsError> {
        let source = Source::new(file, text);
        let mut settings: Settings = source.read("orch reference settings", in_policy)?;
        if language::named_in(text).is_none() {
            settings.language = language::of_locale(env);
        }
        let remarks = environment::over(&mut settings, env)?;
        check::all(&settings, &source)?;
        Ok((settings, remarks))
    }

    /// The limits as the core takes them. Where the time zone stands against UTC is told for this year and the next.
    pub fn core_limits(&self, now: Moment) -> policy::Limits {
        policy::Limits {
            agents: self.limits.agents,
            agents_a_project: self.limits.agents_a_project,
            agents_a_role: self.limits.agents_a_role.clone(),
            gates: self.limits.gates,
            day_budget: self.limits.day_dollars.0,
            run_reserve: self.limits.reserve_dollars.0,
            calendar: calendar(&self.timezone, now),
        }
    }

    /// Who works in a role of a project: the project's role, its agent, the installation's role, its agent. Model and
    /// effort come from the same place or a nearer one, else from the agent: never from a place that names another
    /// agent.
    pub fn chosen(&self, project: &str, role: Role) -> Option<Chosen> {
        let own = self.projects.get(project);
        let plain = |agent: Option<&String>| RoleChoice { agent: agent.cloned(), ..RoleChoice::default() };
        let levels = [
            own.and_then(|own| own.roles.get(&role)).cloned().unwrap_or_default(),
            plain(own.and_then(|own| own.agent.as_ref())),
            self.roles.get(&role).cloned().unwrap_or_default(),
            plain(self.agent.as_ref()),
        ];
        let at = levels.iter().position(|level| level.agent.is_some())?;
        let name = levels[at].agent.clone()?;
        let agent = self.agents.get(&name)?;
        let near = &levels[..=at];
        let model = near.iter().find_map(|level| level.model.clone());
        let effort = near.iter().find_map(|level| level.effort.clone());
        Some(Chosen {
            provider: agent.provider(&name),
            model: model.or_else(|| agent.model.clone()),
            effort: effort.or_else(|| agent.effort.clone()),
            agent: name,
        })
    }

    /// The project with this name, prefix or repository folder, in any case.
    pub fn project_named(&self, name: &str) -> Option<(&str, &Project)> {
        let mut all = self.projects.iter();
        all.find(|(id, project)| id.eq_ignore_ascii_case(name) || project.prefix.eq_ignore_ascii_case(name))
            .map(|(id, project)| (id.as_str(), project))
    }

    /// The project in whose repository a folder lies: the innermost one.
    pub fn project_at(&self, folder: &Path) -> Option<(&str, &Project)> {
        let holds = |project: &Project| {
            let repository = project.repository.canonicalize().unwrap_or_else(|_| project.repository.clone());
            folder.starts_with(&repository).then(|| repository.components().count())
        };
        let mut found: Vec<_> =
            self.projects.iter().filter_map(|(id, project)| Some((holds(project)?, id, project))).collect();
        found.sort_by_key(|(depth, ..)| *depth);
        found.pop().map(|(_, id, project)| (id.as_str(), project))
    }

    /// Every host that the program may speak to (decision 38), and what for.
    pub fn hosts(&self) -> Vec<(String, Told)> {
        let mut hosts = Vec::new();
        for (id, project) in &self.projects {
            if let Some(health) = &project.health {
                let host = check::host_of(&health.url).unwrap_or(&health.url);
                hosts.push((host.to_owned(), say!("health probe of {id}", "проверка сервиса проекта {id}")));
            }
        }
        hosts
    }
}

impl Agent {
    /// Whose model it asks: as said, else as the kind or the name says.
    pub fn provider(&self, name: &str) -> ProviderId {
        let own = match self.kind {
            AgentKind::Claude => "anthropic",
            AgentKind::Command => name,
            AgentKind::Scripted => "scripted",
        };
        ProviderId::from(self.provider.clone().unwrap_or_else(|| own.to_owned()))
    }

    /// What a model's tokens cost on a day: the newest price that had begun. `None`: bounded by tokens alone, and shown as
    /// unknown (decision 12).
    pub fn price(&self, model: Option<&str>, day: jiff::civil::Date) -> Option<&Price> {
        let model = model.or(self.model.as_deref())?;
        let begun = |price: &&Price| {
            price.model == model && price.from.parse().is_ok_and(|from: jiff::civil::Date| from <= day)
        };
        self.prices.iter().filter(begun).max_by(|a, b| a.from.cmp(&b.from))
    }

    /// The program that is started; `None` for scripted ones, which are this very binary.
    pub fn program(&self) -> Option<PathBuf> {
        match self.kind {
            AgentKind::Claude => Some(self.program.clone().unwrap_or_else(|| PathBuf::from("claude"))),
            AgentKind::Command => self.program.clone(),
            AgentKind::Scripted => None,
        }
    }
}

/// The remedy for a key that belongs to the policy.
fn in_policy(key: &str) -> Option<Told> {
    let own = |keys: &[&str]| keys.contains(&key);
    if own(keys_of::<PolicyFile>()) {
        return Some(say!(
            "`{key}` belongs to the policy: move it to `.orch/policy.toml` in the project's repository",
            "`{key}` — ключ политики: перенесите его в `.orch/policy.toml` в репозитории проекта"
        ));
    }
    if own(keys_of::<PolicyLimits>()) && own(keys_of::<Ceilings>()) {
        return Some(say!(
            "`{key}` is a ceiling: write it under [ceilings]",
            "`{key}` — общий предел: его место в [ceilings]"
        ));
    }
    place_here(key)
}

/// The remedy for a key that belongs to the settings: the table in which it stands.
pub(crate) fn in_settings(key: &str) -> Option<Told> {
    place_here(key).map(|_| match table_of(key) {
        Some(table) => say!(
            "`{key}` belongs to the installation: move it to `orch.toml` in the data folder under {table}",
            "`{key}` — ключ установки: перенесите его в `orch.toml` в папке данных, в {table}"
        ),
        None => say!(
            "`{key}` belongs to the installation: move it to `orch.toml` in the data folder",
            "`{key}` — ключ установки: перенесите его в `orch.toml` в папке данных"
        ),
    })
}

fn place_here(key: &str) -> Option<Told> {
    if keys_of::<Settings>().contains(&key) {
        return Some(say!(
            "`{key}` stands at the top of the file, before the first [table]",
            "`{key}` пишется в начале файла, до первой [таблицы]"
        ));
    }
    table_of(key).map(|table| say!("`{key}` is a key of {table}", "`{key}` — ключ из {table}"))
}

fn table_of(key: &str) -> Option<&'static str> {
    let tables = [
        ("[machine]", keys_of::<Machine>()),
        ("[limits]", keys_of::<Limits>()),
        ("[ceilings]", keys_of::<Ceilings>()),
        ("[watch]", keys_of::<Watch>()),
        ("[projects.<name>]", keys_of::<Project>()),
        ("[projects.<name>.hook]", keys_of::<Hook>()),
        ("[projects.<name>.health]", keys_of::<Health>()),
        ("[agents.<name>]", keys_of::<Agent>()),
        ("[[agents.<name>.prices]]", keys_of::<Price>()),
        ("[roles.<role>]", keys_of::<RoleChoice>()),
    ];
    tables.into_iter().find(|(_, keys)| keys.contains(&key)).map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a day of the budget is a day of the time zone, with summer time, told for this year and the next, and
    /// that it is told anew only when the year is over (decision 46).
    #[test]
    fn days_are_told_a_year_ahead() {
        let at = |text: &str| Moment(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let berlin = calendar("Europe/Berlin", at("2026-05-05T00:00:00Z"));
        for (during, begins) in [
            ("2026-01-15T12:00:00Z", "2026-01-15T23:00:00Z"),
            ("2026-03-29T12:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-25T12:00:00Z", "2026-10-25T23:00:00Z"),
            ("2027-07-01T12:00:00Z", "2027-07-01T22:00:00Z"),
        ] {
            assert_eq!(berlin.next_day(at(during)), at(begins), "{during}");
        }
        assert_eq!(calendar("Europe/Berlin", at("2026-12-31T23:59:59Z")), berlin);
        assert_ne!(calendar("Europe/Berlin", at("2027-01-01T00:00:00Z")), berlin);
        assert!(calendar("UTC", at("2026-05-05T00:00:00Z")).is_utc());
    }
}
