//! What does a project want? `.orch/policy.toml` on its main branch, below the ceilings of the installation
//! (decisions 6, 44).
//!
//! `default-policy.toml` is the reference: a line for each key. Tests keep it, this file and the core's default equal.

use std::path::Path;

use orch_core::message::Lang;
use orch_core::policy::{AgentChoice, Policy, WatchRules};
use orch_core::stage::{Preset, Role};
use serde::{Deserialize, Serialize};

use crate::settings::place::{FileError, Source};
use crate::settings::value::{CommandLine, Dollars, Minutes};
use crate::settings::{Settings, in_settings};
use crate::words::{Told, say};

/// The reference of `.orch/policy.toml`.
pub const DEFAULT: &str = include_str!("default-policy.toml");

/// Where it stands in a repository.
pub const PATH: &str = ".orch/policy.toml";

/// Why a policy is refused. The last good one stays (hold `policy refused`).
pub type PolicyError = FileError;

/// A policy as it is written. What it leaves out is as [`Policy::default`] says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// Which stages.
    pub preset: Option<Preset>,
    /// Run before the tests.
    pub setup: Option<CommandLine>,
    /// The tests.
    pub test: Option<CommandLine>,
    /// Paths kept between runs.
    pub cache: Option<Vec<String>>,
    /// Globs of the tests.
    pub tests: Option<Vec<String>>,
    /// Globs that a person must approve.
    pub protected: Option<Vec<String>>,
    /// Whether a library asks before it merges.
    pub confirm_merge: Option<bool>,
    /// One task at a time.
    pub serial: Option<bool>,
    /// The least length of a description, in characters.
    pub least_description: Option<u64>,
    /// The language of comments and texts.
    pub language: Option<Lang>,
    /// Whether the labels count.
    pub labels: Option<bool>,
    /// Limits below the ceilings.
    pub limits: PolicyLimits,
    #[serde(skip)]
    source: Source,
}

/// Limits below the ceilings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyLimits {
    /// A run of an agent.
    pub run_minutes: Option<Minutes>,
    /// Tokens of a run of an agent.
    pub run_tokens: Option<u64>,
    /// A run of the tests.
    pub test_minutes: Option<Minutes>,
    /// The deploy hook.
    pub deploy_minutes: Option<Minutes>,
    /// Money a task.
    pub task_dollars: Option<Dollars>,
}

impl PolicyFile {
    /// Reads a policy. `file` is how it is named in errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and a remedy.
    pub fn read(file: &Path, text: &str) -> Result<Self, PolicyError> {
        let source = Source::new(file, text);
        let mut policy: PolicyFile = source.read("orch reference policy", in_settings)?;
        policy.source = source;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), PolicyError> {
        let lists = [("cache", &self.cache), ("tests", &self.tests), ("protected", &self.protected)];
        for (key, list) in lists {
            for path in list.iter().flatten() {
                let inside = !path.is_empty()
                    && !path.starts_with('/')
                    && !path.split('/').any(|part| part == ".." || part == ".git")
                    && !path.chars().any(char::is_control);
                if !inside {
                    return Err(self.source.at(
                        &[key],
                        say!(
                            "`{key}`: {path:?} is no path inside the repository",
                            "`{key}`: {path:?} — не путь внутри репозитория"
                        ),
                        say!(
                            "write it relative to the repository's top, without `..`",
                            "напишите его от корня репозитория, без `..`"
                        ),
                    ));
                }
            }
        }
        if self.limits.run_tokens == Some(0) {
            return Err(self.source.at(
                &["limits", "run_tokens"],
                say!(
                    "`limits.run_tokens` is 0, and nobody works without tokens",
                    "`limits.run_tokens` равно 0, а без токенов никто не работает"
                ),
                say!(
                    "write a number, or leave the line out: then the installation's ceiling holds",
                    "напишите число или уберите строку: тогда действует общий предел установки"
                ),
            ));
        }
        if let Some(path) = self.cache.iter().flatten().find(|path| path.contains(['*', '?', '['])) {
            return Err(self.source.at(
                &["cache"],
                say!(
                    "`cache`: `{path}` is a pattern, and a cache is one file or folder",
                    "`cache`: `{path}` — это шаблон, а кэш — один файл или папка"
                ),
                say!("name each folder, such as \"target\"", "назовите каждую папку, например \"target\""),
            ));
        }
        Ok(())
    }

    /// A limit, or the ceiling where it says nothing.
    fn below<T: Copy + PartialOrd + std::fmt::Display>(
        &self,
        key: &str,
        wanted: Option<T>,
        ceiling: T,
        unit: &Told,
    ) -> Result<T, PolicyError> {
        match wanted {
            Some(wanted) if wanted > ceiling => Err(self.source.at(
                &["limits", key],
                say!(
                    "`limits.{key}` is {wanted} {unit}, above the installation's ceiling `ceilings.{key}` of {ceiling} {unit}",
                    "`limits.{key}` — {wanted} {unit}, это больше общего предела `ceilings.{key}`: {ceiling} {unit}"
                ),
                say!(
                    "lower it to {ceiling}, or raise `ceilings.{key}` in the installation's orch.toml",
                    "уменьшите до {ceiling} или увеличьте `ceilings.{key}` в orch.toml установки"
                ),
            )),
            Some(wanted) => Ok(wanted),
            None => Ok(ceiling),
        }
    }
}

/// How a project's service is watched after a deploy: where there is a service to ask (rows 89, 90).
fn watch(project: &str, settings: &Settings) -> Option<WatchRules> {
    let health = settings.projects.get(project)?.health.as_ref()?;
    let over = &settings.overrides;
    let is_meant = over.watch.unwrap_or(true) && over.watch_of.covers(project);
    settings.watch.rules(health.watch_seconds).filter(|_| is_meant)
}

/// The policy that holds for a project: its file over the defaults, below the ceilings; agents, hook and probe from the
/// settings; the environment's word on gates last (decision 26).
///
/// # Errors
/// The file wants more than the installation allows.
pub fn effective(project: &str, settings: &Settings, file: &PolicyFile) -> Result<Policy, PolicyError> {
    let default = Policy::default();
    let own = settings.projects.get(project);
    let words = |line: &Option<CommandLine>| line.clone().unwrap_or_default().0;
    let ceilings = &settings.ceilings;
    let minutes = say!("minutes", "мин");
    let limits = &file.limits;
    let choice = |role: Role| {
        let chosen = settings.chosen(project, role)?;
        Some((role, AgentChoice { agent: chosen.agent, provider: chosen.provider }))
    };
    let over = &settings.overrides;
    let serial = over.serial.filter(|_| over.serial_of.covers(project));
    let labels = over.labels.filter(|_| over.labels_of.covers(project));
    Ok(Policy {
        prefix: own.map_or(default.prefix, |own| own.prefix.clone()),
        preset: file.preset.unwrap_or(default.preset),
        least_description: file.least_description.unwrap_or(default.least_description),
        setup: words(&file.setup),
        test: words(&file.test),
        cache: file.cache.clone().unwrap_or(default.cache),
        tests: file.tests.clone().unwrap_or(default.tests),
        protected: file.protected.clone().unwrap_or(default.protected),
        confirm_merge: file.confirm_merge.unwrap_or(default.confirm_merge),
        serial: serial.or(file.serial).unwrap_or(default.serial),
        labels: labels.or(file.labels).unwrap_or(default.labels),
        language: file.language.unwrap_or(settings.language),
        agents: Role::ALL.into_iter().filter_map(choice).collect(),
        run_limit: file.below("run_minutes", limits.run_minutes, ceilings.run_minutes, &minutes)?.span(),
        ci_limit: file.below("test_minutes", limits.test_minutes, ceilings.test_minutes, &minutes)?.span(),
        deploy_limit: file
            .below("deploy_minutes", limits.deploy_minutes, ceilings.deploy_minutes, &minutes)?
            .span(),
        task_budget: file
            .below("task_dollars", limits.task_dollars, ceilings.task_dollars, &say!("dollars", "долл."))?
            .0,
        run_tokens: file.below(
            "run_tokens",
            limits.run_tokens,
            ceilings.run_tokens,
            &say!("tokens", "ток."),
        )?,
        hook: own.is_some_and(|own| own.hook.is_some()),
        probe: own.is_some_and(|own| own.health.is_some()),
        watch: watch(project, settings),
    })
}
