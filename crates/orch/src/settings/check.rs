//! Which settings can be read and still not be meant? Each answer names the key and its line.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use orch_adapters::process::Landlock;

use super::place::{FileError, Source, nearest};
use super::{Agent, AgentKind, RoleChoice, Settings, Watch};
use crate::words::{Told, say};

/// The first thing that is wrong.
///
/// # Errors
/// With the place and a remedy.
pub fn all(settings: &Settings, source: &Source) -> Result<(), FileError> {
    top(settings, source)?;
    machine(settings, source)?;
    for (name, agent) in &settings.agents {
        self::agent(name, agent, &settings.machine.read, source)?;
    }
    named(settings, source, &["agent"], settings.agent.as_deref())?;
    roles(settings, source, &["roles"], &settings.roles)?;
    projects(settings, source)
}

fn top(settings: &Settings, source: &Source) -> Result<(), FileError> {
    if jiff::tz::TimeZone::get(&settings.timezone).is_err() {
        return Err(source.at(
            &["timezone"],
            say!(
                "`timezone`: there is no time zone `{}`",
                "`timezone`: нет часового пояса `{}`",
                settings.timezone
            ),
            say!(
                "name one of the IANA database, such as \"UTC\" or \"Europe/Madrid\"",
                "возьмите имя из базы IANA, например \"UTC\" или \"Europe/Moscow\""
            ),
        ));
    }
    let is_host = |host: &&String| {
        !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':'))
    };
    if let Some(host) = settings.hosts.iter().find(|host| !is_host(host)) {
        return Err(source.at(
            &["hosts"],
            say!("`hosts`: `{host}` is no name of a host", "`hosts`: `{host}` — не имя хоста"),
            say!(
                "write names only, such as \"orch.example.org\"",
                "пишите только имена, например \"orch.example.org\""
            ),
        ));
    }
    let limits = &settings.limits;
    for (key, value) in
        [("agents", limits.agents), ("agents_a_project", limits.agents_a_project), ("gates", limits.gates)]
    {
        if value == 0 {
            return Err(source.at(
                &["limits", key],
                say!(
                    "`limits.{key}` is 0, so nothing could ever run",
                    "`limits.{key}` равно 0, так ничего не запустится"
                ),
                say!(
                    "give at least 1; `orch pause` is the way to stop for a while",
                    "нужно хотя бы 1; чтобы остановиться на время, есть `orch pause`"
                ),
            ));
        }
    }
    for (role, value) in &limits.agents_a_role {
        if *value == 0 {
            return Err(source.at(
                &["limits", "agents_a_role", role.name()],
                say!(
                    "`limits.agents_a_role.{role}` is 0, so no {role} could ever run",
                    "`limits.agents_a_role.{role}` равно 0, так эта роль никогда не запустится"
                ),
                say!("give at least 1, or leave the line out", "нужно хотя бы 1, или уберите строку"),
            ));
        }
    }
    if settings.ceilings.run_tokens == 0 {
        return Err(source.at(
            &["ceilings", "run_tokens"],
            say!(
                "`ceilings.run_tokens` is 0, and nobody works without tokens",
                "`ceilings.run_tokens` равно 0, а без токенов никто не работает"
            ),
            say!(
                "write the number that a run may use at most",
                "напишите, сколько токенов может израсходовать один запуск"
            ),
        ));
    }
    watched(settings, source)?;
    if limits.reserve_dollars > limits.day_dollars {
        return Err(source.at(
            &["limits", "reserve_dollars"],
            say!(
                "`limits.reserve_dollars` ({}) is more than `limits.day_dollars` ({}), so no run could ever start",
                "`limits.reserve_dollars` ({}) больше, чем `limits.day_dollars` ({}), так ничего не запустится",
                limits.reserve_dollars,
                limits.day_dollars
            ),
            say!("lower the one or raise the other", "уменьшите первое или увеличьте второе"),
        ));
    }
    Ok(())
}

fn machine(settings: &Settings, source: &Source) -> Result<(), FileError> {
    for path in &settings.machine.read {
        absolute(source, &["machine", "read"], path)?;
    }
    match settings.machine.env.keys().find(|variable| is_secret(variable)) {
        None => Ok(()),
        Some(variable) => Err(source.at(
            &["machine", "env", variable],
            say!(
                "`machine.env.{variable}` looks like a secret, and every run could read it",
                "`machine.env.{variable}` похоже на секрет, а прочитать его мог бы любой запуск"
            ),
            say!(
                "leave it out: tests get no keys, and an agent's own key stands in `agents.<name>.env_files`",
                "уберите: тестам ключи не даются, а ключу агента место в `agents.<имя>.env_files`"
            ),
        )),
    }
}

fn agent(name: &str, agent: &Agent, open: &[PathBuf], source: &Source) -> Result<(), FileError> {
    let at =
        |key: &'static str, problem: Told, remedy: Told| source.at(&["agents", name, key], problem, remedy);
    if !is_name(name) {
        return Err(source.at(
            &["agents", name],
            say!("`{name}` is no name for an agent", "имя `{name}` агенту не подходит"),
            say!(
                "use small letters, digits, `-` and `_`, and begin with a letter",
                "годятся строчные латинские буквы, цифры, `-` и `_`, первой идёт буква"
            ),
        ));
    }
    match agent.kind {
        AgentKind::Command if agent.program.is_none() => {
            let problem = say!(
                "[agents.{name}] is a command and names no program",
                "[agents.{name}] — это команда, но программа не указана"
            );
            return Err(at("kind", problem, say!("add `program = \"...\"`", "добавьте `program = \"...\"`")));
        }
        AgentKind::Scripted if agent.script.is_none() => {
            let problem = say!(
                "[agents.{name}] is scripted and names no scenario",
                "[agents.{name}] играет по сценарию, но сценарий не указан"
            );
            let remedy =
                say!("add `script = \"/path/to/scenario\"`", "добавьте `script = \"/путь/к/сценарию\"`");
            return Err(at("kind", problem, remedy));
        }
        AgentKind::Scripted if agent.program.is_some() => {
            let problem = say!(
                "[agents.{name}] is scripted and names a program that would never run",
                "[agents.{name}] играет по сценарию, а указанная программа никогда не запустится"
            );
            let remedy = say!(
                "remove `program`, or use `kind = \"command\"`",
                "уберите `program` или возьмите `kind = \"command\"`"
            );
            return Err(at("program", problem, remedy));
        }
        AgentKind::Claude | AgentKind::Command if agent.script.is_some() => {
            let problem = say!(
                "[agents.{name}] names a scenario and does not play it",
                "[agents.{name}]: сценарий указан, но не играется"
            );
            let remedy = say!(
                "remove `script`, or use `kind = \"scripted\"`",
                "уберите `script` или возьмите `kind = \"scripted\"`"
            );
            return Err(at("script", problem, remedy));
        }
        AgentKind::Claude | AgentKind::Command | AgentKind::Scripted => {}
    }
    for variable in agent.env.keys() {
        if is_secret(variable) {
            return Err(source.at(
                &["agents", name, "env", variable],
                say!(
                    "`agents.{name}.env.{variable}` looks like a secret, and secrets do not stand in settings",
                    "`agents.{name}.env.{variable}` похоже на секрет, а секретам в настройках не место"
                ),
                say!(
                    "put the value into a file (mode 0600) and write `env_files.{variable} = \"/its/path\"`",
                    "положите значение в файл (права 0600) и напишите `env_files.{variable} = \"/путь/к/нему\"`"
                ),
            ));
        }
    }
    for (variable, file) in &agent.env_files {
        absolute(source, &["agents", name, "env_files", variable], file)?;
        closed(source, &["agents", name, "env_files", variable], file, open)?;
    }
    if let Some(file) = &agent.login_file {
        absolute(source, &["agents", name, "login_file"], file)?;
        closed(source, &["agents", name, "login_file"], file, open)?;
    }
    for price in &agent.prices {
        if price.from.parse::<jiff::civil::Date>().is_err() {
            let problem = say!(
                "`agents.{name}.prices`: `{}` is no day",
                "`agents.{name}.prices`: `{}` — не день",
                price.from
            );
            let remedy = say!("write the day as \"2026-01-31\"", "пишите день так: \"2026-01-31\"");
            return Err(at("prices", problem, remedy));
        }
    }
    Ok(())
}

fn named(settings: &Settings, source: &Source, keys: &[&str], name: Option<&str>) -> Result<(), FileError> {
    let Some(name) = name.filter(|name| !settings.agents.contains_key(*name)) else { return Ok(()) };
    let known = settings.agents.keys().map(String::as_str);
    let remedy = match nearest(name, known) {
        Some(near) => say!("did you mean `{near}`?", "может быть, `{near}`?"),
        None => say!(
            "add a table [agents.{name}]; `orch reference settings` shows one",
            "добавьте таблицу [agents.{name}]; образец покажет `orch reference settings`"
        ),
    };
    let key = keys.join(".");
    Err(source.at(keys, say!("`{key}`: there is no agent `{name}`", "`{key}`: нет агента `{name}`"), remedy))
}

fn roles<R: Copy + std::fmt::Display>(
    settings: &Settings,
    source: &Source,
    above: &[&str],
    roles: &BTreeMap<R, RoleChoice>,
) -> Result<(), FileError> {
    for (role, choice) in roles {
        let role = role.to_string();
        let keys = [above, &[role.as_str(), "agent"]].concat();
        named(settings, source, &keys, choice.agent.as_deref())?;
    }
    Ok(())
}

fn projects(settings: &Settings, source: &Source) -> Result<(), FileError> {
    let mut prefixes = BTreeMap::new();
    let mut repositories = BTreeMap::new();
    for (id, project) in &settings.projects {
        let keys = |key: &'static str| ["projects", id.as_str(), key];
        if !is_name(id) {
            return Err(source.at(
                &["projects", id],
                say!("`{id}` is no name for a project", "имя `{id}` проекту не подходит"),
                say!(
                    "use small letters, digits, `-` and `_`, and begin with a letter",
                    "годятся строчные латинские буквы, цифры, `-` и `_`, первой идёт буква"
                ),
            ));
        }
        if !is_prefix(&project.prefix) {
            return Err(source.at(
                &keys("prefix"),
                say!(
                    "`projects.{id}.prefix`: `{}` is no prefix",
                    "`projects.{id}.prefix`: префикс `{}` не подходит",
                    project.prefix
                ),
                say!(
                    "use one to ten capital letters and digits and begin with a letter, such as \"DEMO\"",
                    "нужно от одной до десяти прописных латинских букв и цифр, первой идёт буква, например \"DEMO\""
                ),
            ));
        }
        if let Some(other) = prefixes.insert(project.prefix.clone(), id) {
            return Err(source.at(
                &keys("prefix"),
                say!(
                    "`projects.{id}.prefix`: {} is the prefix of project `{other}` too",
                    "`projects.{id}.prefix`: префикс {} есть и у проекта `{other}`",
                    project.prefix
                ),
                say!("give each project a prefix of its own", "дайте каждому проекту свой префикс"),
            ));
        }
        absolute(source, &keys("repository"), &project.repository)?;
        if let Some(other) = repositories.insert(real(&project.repository), id) {
            return Err(source.at(
                &keys("repository"),
                say!(
                    "`projects.{id}.repository` is the repository of project `{other}` too",
                    "`projects.{id}.repository` — это и репозиторий проекта `{other}`"
                ),
                say!(
                    "keep one of the two projects: a repository has one",
                    "оставьте один из двух проектов: у репозитория может быть только один"
                ),
            ));
        }
        named(settings, source, &keys("agent"), project.agent.as_deref())?;
        roles(settings, source, &["projects", id, "roles"], &project.roles)?;
        if let Some(hook) = &project.hook {
            match in_checkout(&hook.program) {
                Some(path) if !is_inside(path) => {
                    return Err(source.at(
                        &["projects", id, "hook", "program"],
                        say!(
                            "`projects.{id}.hook.program`: `{}` is no file of the repository",
                            "`projects.{id}.hook.program`: `{}` — не файл репозитория",
                            path.display()
                        ),
                        say!(
                            "write it like \"{{checkout}}/deploy.sh\", without `..`",
                            "пишите так: \"{{checkout}}/deploy.sh\", без `..`"
                        ),
                    ));
                }
                Some(_) => {}
                None => absolute(source, &["projects", id, "hook", "program"], &hook.program)?,
            }
        }
        if let Some(health) = &project.health
            && host_of(&health.url).is_none()
        {
            return Err(source.at(
                &["projects", id, "health", "url"],
                say!(
                    "`projects.{id}.health.url`: `{}` is no address that can be asked",
                    "`projects.{id}.health.url`: по адресу `{}` спросить нельзя",
                    health.url
                ),
                say!(
                    "write it like \"http://127.0.0.1:8080/health\"",
                    "пишите так: \"http://127.0.0.1:8080/health\""
                ),
            ));
        }
    }
    Ok(())
}

/// The path within the repository of a hook that is taken from main after the merge (decision 22).
pub fn in_checkout(program: &Path) -> Option<&Path> {
    program.strip_prefix("{checkout}").ok()
}

fn is_inside(path: &Path) -> bool {
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The folder that lets every run read a file, if one of these does.
pub fn opened_by<'a>(file: &Path, open: impl IntoIterator<Item = &'a Path>) -> Option<&'a Path> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let file = real(file);
    open.into_iter().find(|folder| file.starts_with(real(folder)))
}

/// A secret that every run may read is none: what the sandbox opens is open to the tests of any change.
fn closed(source: &Source, keys: &[&str], file: &Path, open: &[PathBuf]) -> Result<(), FileError> {
    let open = Landlock::SYSTEM.iter().map(Path::new).chain(open.iter().map(PathBuf::as_path));
    match opened_by(file, open) {
        None => Ok(()),
        Some(folder) => Err(source.at(
            keys,
            say!(
                "`{}`: {} lies in {}, which every run may read",
                "`{}`: {} лежит в {}, а её может читать любой запуск",
                keys.join("."),
                file.display(),
                folder.display()
            ),
            say!(
                "keep it elsewhere, such as ~/.config/orch, with mode 0600",
                "держите его в другом месте, например в ~/.config/orch, с правами 0600"
            ),
        )),
    }
}

/// A watch of at most a day, with looks that are neither a flood nor longer apart than the watch may last.
fn watched(settings: &Settings, source: &Source) -> Result<(), FileError> {
    let Watch { seconds, every_seconds, failures } = settings.watch;
    let own = settings.projects.iter().filter_map(|(id, project)| {
        let seconds = project.health.as_ref()?.watch_seconds?;
        Some((vec!["projects", id.as_str(), "health", "watch_seconds"], seconds, 0, 86_400))
    });
    let ours = [
        (vec!["watch", "seconds"], seconds, 0, 86_400),
        (vec!["watch", "every_seconds"], every_seconds, 1, 3_600),
        (vec!["watch", "failures"], failures, 1, 100),
    ];
    for (keys, value, least, most) in ours.into_iter().chain(own) {
        if !(least..=most).contains(&value) {
            let key = keys.join(".");
            return Err(source.at(
                &keys,
                say!("`{key}` is {value}", "`{key}`: {value}"),
                say!("give a number from {least} to {most}", "укажите число от {least} до {most}"),
            ));
        }
    }
    Ok(())
}

/// The repository that a path leads to, whatever links it goes over; its git folder is the same one.
fn real(repository: &Path) -> PathBuf {
    let path = repository.canonicalize().unwrap_or_else(|_| repository.to_owned());
    match path.parent() {
        Some(above) if path.file_name().is_some_and(|name| name == ".git") => above.to_owned(),
        Some(_) | None => path,
    }
}

fn absolute(source: &Source, keys: &[&str], path: &Path) -> Result<(), FileError> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(source.at(
        keys,
        say!(
            "`{}`: `{}` is not an absolute path",
            "`{}`: путь `{}` неполный",
            keys.join("."),
            path.display()
        ),
        say!(
            "begin it with `/`: Orch runs from no particular folder",
            "начните его с `/`: у Orch нет определённой текущей папки"
        ),
    ))
}

/// Whether a text can name a project or an agent.
pub fn is_name(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(fits)
}

/// Whether a text can be the prefix of work items.
pub fn is_prefix(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    (1..=10).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(fits)
}

/// Whether a variable's name says that its value is secret.
pub fn is_secret(variable: &str) -> bool {
    let name = variable.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS"].iter().any(|end| name.ends_with(end))
}

/// Host and port of an http address.
pub fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let host = rest.split(['/', '?', '#']).next()?;
    let fits = !host.is_empty() && !host.contains('@') && !host.contains(char::is_whitespace);
    fits.then_some(host)
}
