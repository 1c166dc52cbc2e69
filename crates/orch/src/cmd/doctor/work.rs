//! Can the agents work, and can the projects be worked on?

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orch_adapters::run::Machine;
use orch_core::message;
use orch_core::stage::Role;

use super::of::Of;
use super::{Checks, Here};
use crate::compose::user;
use crate::detect;
use crate::error::Error;
use crate::policy_file::{self, PolicyFile, effective};
use crate::settings::check::in_checkout;
use crate::settings::{Agent, AgentKind, Project, Settings};
use crate::words::{Told, say, words};

pub(super) fn agents(here: &Here, settings: &Settings, checks: &mut Checks) {
    let path = here.var("PATH").map(std::ffi::OsString::from);
    for (name, agent) in &settings.agents {
        let label = Of::Agent(name);
        if let AgentKind::Scripted = agent.kind {
            match agent.script.as_deref().filter(|script| script.is_file()) {
                Some(script) => checks.good(label, say!("plays {}", "играет по {}", script.display())),
                None => checks.missing(
                    label,
                    say!("its scenario is not there", "его сценария нет"),
                    say!("mend `script` in orch.toml", "исправьте `script` в orch.toml"),
                ),
            }
        } else if let Some(program) = agent.program() {
            match detect::on_path(&program.to_string_lossy(), path.as_deref()) {
                Some(found) if agent.kind == AgentKind::Claude && !is_given_a_login(agent) => checks.missing(
                    label,
                    say!(
                        "{}; {}, and it finds none by itself in a run",
                        "{}; {}, а сам в запуске он их не найдёт",
                        found.display(),
                        login_of(agent)
                    ),
                    say!(
                        "sign in with `claude` and name `login_file`, or name the file of your key under `env_files`",
                        "войдите командой `claude` и укажите `login_file` или укажите файл с ключом в `env_files`"
                    ),
                ),
                Some(found) => {
                    checks.good(label, Told::quoted(format!("{}; {}", found.display(), login_of(agent))));
                }
                None => checks.missing(
                    label,
                    say!(
                        "`{}` is not there, or may not be executed",
                        "программы `{}` нет, или её нельзя выполнить",
                        program.display()
                    ),
                    say!(
                        "install it, or mend `program` in orch.toml",
                        "установите её или исправьте `program` в orch.toml"
                    ),
                ),
            }
        }
        if let Some(file) = agent.login_file.as_ref().filter(|file| !file.is_file()) {
            checks.missing(
                label,
                say!("its login {} is not there", "файла входа {} нет", file.display()),
                say!(
                    "sign in with the program, or mend `login_file`",
                    "войдите через саму программу или исправьте `login_file`"
                ),
            );
        }
        for (variable, file) in &agent.env_files {
            match fs::metadata(file) {
                Ok(meta) if meta.permissions().mode() & 0o006 != 0 => checks.missing(
                    label,
                    say!(
                        "everybody can read the file of {variable}: `orch up` refuses it",
                        "файл для {variable} может прочитать любой: `orch up` его не примет"
                    ),
                    Told::quoted(format!("chmod 600 {}", file.display())),
                ),
                Ok(meta) if meta.permissions().mode() & 0o060 != 0 => checks.mind(
                    label,
                    say!(
                        "the group of its file can read {variable}",
                        "{variable} может прочитать группа, которой принадлежит файл"
                    ),
                    Told::quoted(format!("chmod 600 {}", file.display())),
                ),
                Ok(_) => {}
                Err(e) => checks.missing(
                    label,
                    say!(
                        "the file of {variable} cannot be read: {e}",
                        "файл для {variable} не читается: {e}"
                    ),
                    say!("mend `env_files` in orch.toml", "исправьте `env_files` в orch.toml"),
                ),
            }
        }
    }
    if settings.agents.is_empty() {
        let found = detect::agents(path.as_deref());
        let names: Vec<&str> = found.iter().map(|agent| agent.name).collect();
        let says = if names.is_empty() {
            say!("none configured, none found on PATH", "ни один не настроен, и в PATH их нет")
        } else {
            say!("none configured; on PATH: {}", "ни один не настроен; в PATH есть: {}", names.join(", "))
        };
        checks.mind(
            Of::Agents,
            says,
            say!(
                "`orch init` writes one that it finds; others are described with kind = \"command\"",
                "`orch init` запишет тот, который найдёт; другие описываются с kind = \"command\""
            ),
        );
    }
}

/// Whether anything lets it reach its model.
pub(super) fn is_given_a_login(agent: &Agent) -> bool {
    agent.login_file.is_some() || !agent.env_files.is_empty()
}

/// How an agent reaches its model, and what that does not enforce (decision 9).
fn login_of(agent: &Agent) -> Told {
    match (&agent.login_file, agent.env_files.is_empty()) {
        (Some(_), _) => say!(
            "login: its runs can read the login, and budgets are settled when a run ends",
            "вход: его запуски могут прочитать файл входа, а бюджет сверяется в конце запуска"
        ),
        (None, false) => say!(
            "key: its runs can read the key, and budgets are settled when a run ends",
            "ключ: его запуски могут прочитать ключ, а бюджет сверяется в конце запуска"
        ),
        (None, true) => say!("no login and no key are given to it", "ни входа, ни ключа ему не дано"),
    }
}

pub(super) fn project(
    id: &str,
    own: &Project,
    settings: &Settings,
    (up, machine): (bool, Option<&Machine>),
    checks: &mut Checks,
) {
    let label = Of::Project(id);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&own.repository).args(arguments).stdin(Stdio::null());
        git.output()
            .ok()
            .filter(|out| out.status.success())
            .map(|out| String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let branch = own.branch.clone().or_else(|| git(&["symbolic-ref", "--quiet", "--short", "HEAD"]));
    let Some(branch) = branch.map(|branch| branch.trim().to_owned()) else {
        let says = say!(
            "{} is no repository, or no branch is checked out",
            "{} — не репозиторий, или в нём не выбрана ветка",
            own.repository.display()
        );
        let mend = say!(
            "mend `repository` and `branch` in orch.toml",
            "исправьте `repository` и `branch` в orch.toml"
        );
        return checks.missing(label, says, mend);
    };
    let Some(head) = git(&["rev-parse", "--quiet", "--verify", &format!("refs/heads/{branch}^{{commit}}")])
    else {
        let says = say!(
            "{} has no branch `{branch}` with a commit",
            "в {} нет ветки `{branch}` с коммитом",
            own.repository.display()
        );
        let mend = say!(
            "make a first commit, or mend `branch` in orch.toml",
            "сделайте первый коммит или исправьте `branch` в orch.toml"
        );
        return checks.missing(label, says, mend);
    };
    let place = PathBuf::from(format!("{branch}:{}", policy_file::PATH));
    let text = git(&["show", &format!("{}:{}", head.trim(), policy_file::PATH)]);
    let policy = match &text {
        Some(text) => PolicyFile::read(&own.repository.join(&place), text),
        None => PolicyFile::read(Path::new(policy_file::PATH), ""),
    };
    match policy.and_then(|policy| effective(id, settings, &policy)) {
        Err(e) => checks.error(label, &Error::from(e)),
        Ok(policy) if policy.test.is_empty() => {
            let says = if text.is_some() {
                say!(
                    "its policy names no tests, so nothing can be merged",
                    "в его политике нет тестов, поэтому слить ничего нельзя"
                )
            } else {
                say!(
                    "no policy on its main branch, so no tests, so nothing can be merged",
                    "в основной ветке нет политики, значит, нет и тестов, поэтому слить ничего нельзя"
                )
            };
            let path = policy_file::PATH;
            checks.missing(
                label,
                says,
                say!(
                    "commit `test = ...` in {path} on {branch}",
                    "закоммитьте `test = ...` в {path}, ветка {branch}"
                ),
            );
        }
        Ok(policy) if policy.preset.deploys() && !policy.hook => {
            checks.missing(
                label,
                say!(
                    "its preset deploys, and no hook is named",
                    "его preset предполагает выкатку, а команда выкатки не задана"
                ),
                say!(
                    "add [projects.{id}.hook] to orch.toml, or take preset = \"library\"",
                    "добавьте [projects.{id}.hook] в orch.toml или возьмите preset = \"library\""
                ),
            );
        }
        Ok(policy) => {
            let says = say!(
                "{} on {branch}, tests: {}",
                "{}, ветка {branch}, тесты: {}",
                own.repository.display(),
                policy.test.join(" ")
            );
            // The first program only: later ones may be what it installs, and a path is one of the repository's own.
            let first = policy.setup.first().or(policy.test.first()).filter(|program| !program.contains('/'));
            match first.filter(|program| machine.is_some_and(|machine| machine.find(program).is_none())) {
                None => checks.good(label, says),
                Some(program) => checks.missing(
                    label,
                    say!(
                        "its tests begin with `{program}`, and no run finds it: it is not in PATH, or not for the user of runs",
                        "его тесты начинаются с `{program}`, а запуску не найти: в PATH этого нет, или оно недоступно \
                         пользователю запусков"
                    ),
                    say!(
                        "install it for all, or mend `setup` and `test` in {} on {branch}",
                        "установите это для всех или исправьте `setup` и `test` в {}, ветка {branch}",
                        policy_file::PATH
                    ),
                ),
            }
            if policy.preset.deploys() && !policy.probe {
                checks.mind(
                    label,
                    say!(
                        "it names no health address, so a person must look at each deploy and accept it",
                        "адрес проверки не задан, поэтому каждую выкатку смотрит и принимает человек"
                    ),
                    say!(
                        "add [projects.{id}.health] to orch.toml: then Orch asks the service itself",
                        "добавьте [projects.{id}.health] в orch.toml: тогда Orch будет спрашивать сервис сам"
                    ),
                );
            }
        }
    }
    let idle: Vec<String> = Role::ALL
        .into_iter()
        .filter(|role| settings.chosen(id, *role).is_none())
        .map(|role| message::role_name(role, words().lang))
        .collect();
    if !idle.is_empty() {
        let says = say!("no agent for {}", "нет агента для ролей: {}", idle.join(", "));
        checks.missing(label, says, say!("set `agent` in orch.toml", "задайте `agent` в orch.toml"));
    }
    if let Some(uid) = user::foreign(&own.repository) {
        let says = say!(
            "its repository belongs to uid {uid}, and git would work in it as root: `orch up` refuses without --allow-root",
            "его репозиторий принадлежит uid {uid}, а git работал бы в нём от root: `orch up` откажется без --allow-root"
        );
        let mend = say!(
            "start Orch as that user, or give the repository to root",
            "запускайте Orch от этого пользователя или отдайте репозиторий root"
        );
        checks.refused_as_root(label, up, says, mend);
    }
    if let Some(hook) = &own.hook
        && let Some(path) = in_checkout(&hook.program)
    {
        let entry = git(&["ls-tree", head.trim(), "--", &path.to_string_lossy()]);
        if !entry.is_some_and(|entry| entry.starts_with("100755 ")) {
            let says = say!(
                "its hook {} is not on {branch}, or may not be executed",
                "его команды выкатки {} нет в {branch}, или её нельзя выполнить",
                path.display()
            );
            let mend = say!(
                "commit it, executable: git add --chmod=+x",
                "закоммитьте её с правом на выполнение: git add --chmod=+x"
            );
            checks.missing(label, says, mend);
        }
    } else if let Some(hook) = &own.hook
        && detect::on_path(&hook.program.to_string_lossy(), None).is_none()
    {
        let says = say!(
            "its hook {} is not there, or may not be executed",
            "его команды выкатки {} нет, или её нельзя выполнить",
            hook.program.display()
        );
        checks.missing(
            label,
            says,
            say!("write it and make it executable", "напишите её и дайте право на выполнение"),
        );
    }
}
