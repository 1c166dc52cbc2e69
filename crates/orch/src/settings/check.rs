//! Which settings can be read and still not be meant? Each answer names the key and its line.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use orch_adapters::process::Landlock;

use super::place::{FileError, Source, nearest};
use super::{Agent, AgentKind, RoleChoice, Settings};

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
            format!("`timezone`: there is no time zone `{}`", settings.timezone),
            "name one of the IANA database, such as \"UTC\" or \"Europe/Madrid\"",
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
            format!("`hosts`: `{host}` is no name of a host"),
            "write names only, such as \"orch.example.org\"",
        ));
    }
    let limits = &settings.limits;
    for (key, value) in
        [("agents", limits.agents), ("agents_a_project", limits.agents_a_project), ("gates", limits.gates)]
    {
        if value == 0 {
            return Err(source.at(
                &["limits", key],
                format!("`limits.{key}` is 0, so nothing could ever run"),
                "give at least 1; `orch pause` is the way to stop for a while",
            ));
        }
    }
    for (role, value) in &limits.agents_a_role {
        if *value == 0 {
            return Err(source.at(
                &["limits", "agents_a_role", role.name()],
                format!("`limits.agents_a_role.{role}` is 0, so no {role} could ever run"),
                "give at least 1, or leave the line out",
            ));
        }
    }
    if settings.ceilings.run_tokens == 0 {
        return Err(source.at(
            &["ceilings", "run_tokens"],
            "`ceilings.run_tokens` is 0, and nobody works without tokens",
            "write the number that a run may use at most",
        ));
    }
    if limits.reserve_dollars > limits.day_dollars {
        return Err(source.at(
            &["limits", "reserve_dollars"],
            format!(
                "`limits.reserve_dollars` ({}) is more than `limits.day_dollars` ({}), so no run could ever start",
                limits.reserve_dollars, limits.day_dollars
            ),
            "lower the one or raise the other",
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
            format!("`machine.env.{variable}` looks like a secret, and every run could read it"),
            "leave it out: tests get no keys, and an agent's own key stands in `agents.<name>.env_files`",
        )),
    }
}

fn agent(name: &str, agent: &Agent, open: &[PathBuf], source: &Source) -> Result<(), FileError> {
    let at =
        |key: &'static str, problem: String, remedy: &str| source.at(&["agents", name, key], problem, remedy);
    if !is_name(name) {
        return Err(source.at(
            &["agents", name],
            format!("`{name}` is no name for an agent"),
            "use small letters, digits, `-` and `_`, and begin with a letter",
        ));
    }
    match agent.kind {
        AgentKind::Command if agent.program.is_none() => {
            let problem = format!("[agents.{name}] is a command and names no program");
            return Err(at("kind", problem, "add `program = \"...\"`"));
        }
        AgentKind::Scripted if agent.script.is_none() => {
            let problem = format!("[agents.{name}] is scripted and names no scenario");
            return Err(at("kind", problem, "add `script = \"/path/to/scenario\"`"));
        }
        AgentKind::Scripted if agent.program.is_some() => {
            let problem = format!("[agents.{name}] is scripted and names a program that would never run");
            return Err(at("program", problem, "remove `program`, or use `kind = \"command\"`"));
        }
        AgentKind::Claude | AgentKind::Command if agent.script.is_some() => {
            let problem = format!("[agents.{name}] names a scenario and does not play it");
            return Err(at("script", problem, "remove `script`, or use `kind = \"scripted\"`"));
        }
        AgentKind::Claude | AgentKind::Command | AgentKind::Scripted => {}
    }
    for variable in agent.env.keys() {
        if is_secret(variable) {
            return Err(source.at(
                &["agents", name, "env", variable],
                format!(
                    "`agents.{name}.env.{variable}` looks like a secret, and secrets do not stand in settings"
                ),
                format!(
                    "put the value into a file (mode 0600) and write `env_files.{variable} = \"/its/path\"`"
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
            let problem = format!("`agents.{name}.prices`: `{}` is no day", price.from);
            return Err(at("prices", problem, "write the day as \"2026-01-31\""));
        }
    }
    Ok(())
}

fn named(settings: &Settings, source: &Source, keys: &[&str], name: Option<&str>) -> Result<(), FileError> {
    let Some(name) = name.filter(|name| !settings.agents.contains_key(*name)) else { return Ok(()) };
    let known = settings.agents.keys().map(String::as_str);
    let remedy = match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a table [agents.{name}]; `orch reference settings` shows one"),
    };
    Err(source.at(keys, format!("`{}`: there is no agent `{name}`", keys.join(".")), remedy))
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
                format!("`{id}` is no name for a project"),
                "use small letters, digits, `-` and `_`, and begin with a letter",
            ));
        }
        if !is_prefix(&project.prefix) {
            return Err(source.at(
                &keys("prefix"),
                format!("`projects.{id}.prefix`: `{}` is no prefix", project.prefix),
                "use one to ten capital letters and digits and begin with a letter, such as \"DEMO\"",
            ));
        }
        if let Some(other) = prefixes.insert(project.prefix.clone(), id) {
            return Err(source.at(
                &keys("prefix"),
                format!("`projects.{id}.prefix`: {} is the prefix of project `{other}` too", project.prefix),
                "give each project a prefix of its own",
            ));
        }
        absolute(source, &keys("repository"), &project.repository)?;
        if let Some(other) = repositories.insert(project.repository.clone(), id) {
            return Err(source.at(
                &keys("repository"),
                format!("`projects.{id}.repository` is the repository of project `{other}` too"),
                "keep one of the two projects: a repository has one",
            ));
        }
        named(settings, source, &keys("agent"), project.agent.as_deref())?;
        roles(settings, source, &["projects", id, "roles"], &project.roles)?;
        if let Some(hook) = &project.hook {
            match in_checkout(&hook.program) {
                Some(path) if !is_inside(path) => {
                    return Err(source.at(
                        &["projects", id, "hook", "program"],
                        format!(
                            "`projects.{id}.hook.program`: `{}` is no file of the repository",
                            path.display()
                        ),
                        "write it like \"{checkout}/deploy.sh\", without `..`",
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
                format!("`projects.{id}.health.url`: `{}` is no address that can be asked", health.url),
                "write it like \"http://127.0.0.1:8080/health\"",
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
            format!(
                "`{}`: {} lies in {}, which every run may read",
                keys.join("."),
                file.display(),
                folder.display()
            ),
            "keep it elsewhere, such as ~/.config/orch, with mode 0600",
        )),
    }
}

fn absolute(source: &Source, keys: &[&str], path: &Path) -> Result<(), FileError> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(source.at(
        keys,
        format!("`{}`: `{}` is not an absolute path", keys.join("."), path.display()),
        "begin it with `/`: Orch runs from no particular folder",
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
