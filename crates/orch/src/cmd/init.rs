//! `orch init`: how does a repository become a project? Two files are written, none is committed (decisions 43, 44).

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Here, note};
use crate::client::talk;
use crate::detect::{self, Found};
use crate::error::{Error, Kind};
use crate::policy_file::{self, PolicyFile};
use crate::repository::Repository;
use crate::screen::{self, ASKS, BOLD, DIM, GOOD, paint};
use crate::settings::value::{toml_list, toml_string, words};
use crate::settings::{Settings, check};

/// Make a project of the repository you are in.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project's name [default: the folder's]
    #[arg(long)]
    name: Option<String>,
    /// The prefix of its work items, such as DEMO for DEMO-001 [default: from the name]
    #[arg(long)]
    prefix: Option<String>,
    /// full, fast or library [default: library, or full with --hook]
    #[arg(long, value_parser = ["full", "fast", "library"])]
    preset: Option<String>,
    /// The test command [default: as the files here tell]
    #[arg(long, value_name = "COMMAND")]
    test: Option<String>,
    /// The agent: a name from orch.toml, or a program [default: one that is found]
    #[arg(long)]
    agent: Option<String>,
    /// The program that deploys, outside the repository
    #[arg(long, value_name = "PROGRAM")]
    hook: Option<PathBuf>,
    /// The address at which the deployed service names its commit
    #[arg(long, value_name = "URL", requires = "hook")]
    health: Option<String>,
    /// Ask nothing, take what is found
    #[arg(short, long)]
    yes: bool,
}

/// What is to be written.
struct Plan {
    name: String,
    prefix: String,
    preset: String,
    found: Found,
    agent: Option<AgentPlan>,
    hook: Option<PathBuf>,
    health: Option<String>,
}

const NO_LOGIN: &str = "no login of Claude Code was found, and no key is given to it: sign in with `claude` and name \
                        `login_file`, or name the file of your key under `env_files`, in orch.toml";

/// The agent, and its table if the settings have none yet.
struct AgentPlan {
    name: String,
    table: Option<String>,
    /// What it lacks.
    warning: Option<&'static str>,
}

const NO_HEALTH: &str = "without a health address a person must look at each deploy and accept it: give one with --health, or add \
                         [projects.<name>.health] to orch.toml, and Orch asks the service itself";

/// Looks, asks if there is somebody to ask, writes, and says what to commit.
///
/// # Errors
/// The repository cannot be worked with, it is a project already, or a file cannot be written.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let repository = Repository::look(&here.folder)?;
    let settings_file = here.home.settings();
    let loaded = Settings::load(&settings_file, &here.env)?;
    outside(here.home.folder(), &repository.top)?;
    let policy_file = repository.top.join(policy_file::PATH);
    let has_policy = policy_file.symlink_metadata().is_ok();
    let known =
        loaded.settings.projects.iter().find(|(_, project)| same(&project.repository, &repository.top));
    if let (Some((id, _)), true) = (known, has_policy) {
        return Err(Error::refused(format!("this repository is project `{id}` already"))
            .at(policy_file.display())
            .remedy(format!("edit {} or {}", policy_file.display(), settings_file.display())));
    }
    let mut plan = plan(here, args, &repository, &loaded.settings)?;
    if here.can_ask() && !args.yes && !here.json {
        ask(&mut plan, &loaded.settings)?;
    }
    let policy = if has_policy {
        note(&format!("{} is there already and stays as it is", policy_file::PATH));
        read_own_policy(&policy_file)?;
        None
    } else {
        let text = policy_text(&plan);
        PolicyFile::read(&policy_file, &text)?;
        Some(text)
    };
    let entry = match known {
        Some((id, _)) => {
            note(&format!("the entry of project `{id}` is there already and stays as it is"));
            None
        }
        None => Some(entry_text(&plan, &repository)),
    };
    // Everything is checked before anything is written, and what it was checked against must still stand then.
    let text = entry.as_ref().map(|entry| with_entry(&loaded.text, entry));
    if let Some(text) = &text {
        Settings::of_text(&settings_file, text, &[]).map_err(|e| {
            Error::from(e)
                .remedy("the entry that would be added does not fit: mend orch.toml, or give other values")
        })?;
    }
    let lock = alone(here.home.folder())?;
    if Settings::load(&settings_file, &here.env)?.text != loaded.text {
        drop(lock);
        note("orch.toml was changed meanwhile: looking again");
        return run(here, args);
    }
    if let Some(text) = &text {
        write_settings(&settings_file, text)?;
    }
    if let Some(policy) = &policy {
        write_policy(&policy_file, policy)?;
    }
    drop(lock);
    let works = taken_up(here, &plan.name);
    report(here, &plan, &repository, (entry.is_some(), policy.is_some()), works);
    Ok(ExitCode::SUCCESS)
}

fn plan(here: &Here, args: &Args, repository: &Repository, settings: &Settings) -> Result<Plan, Error> {
    let folder =
        repository.top.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = args.name.clone().unwrap_or_else(|| free_name(&folder, settings));
    if !check::is_name(&name) {
        return Err(Error::new(Kind::Usage, format!("`{name}` is no name for a project"))
            .remedy("use small letters, digits, `-` and `_`, and begin with a letter: --name demo"));
    }
    if settings.projects.contains_key(&name) {
        return Err(Error::refused(format!("there is a project `{name}` already"))
            .at(here.home.settings().display())
            .remedy("give another name with --name"));
    }
    let prefix = match &args.prefix {
        Some(prefix) => prefix.to_ascii_uppercase(),
        None => free_prefix(&name, settings),
    };
    prefix_fits(&prefix, settings)?;
    let mut found = detect::look(&repository.top);
    if let Some(test) = &args.test {
        found.test = words(test)
            .map_err(|(problem, remedy)| Error::new(Kind::Usage, problem).at("--test").remedy(remedy))?;
    }
    let hook = args.hook.as_ref().map(|hook| here.folder.join(hook));
    if let Some(hook) = &hook {
        hook_fits(hook, &repository.top)?;
    }
    let preset = match (&args.preset, &hook) {
        (Some(preset), None) if preset != "library" => {
            return Err(Error::refused(format!("`{preset}` deploys, and no deploy hook is named"))
                .remedy("name the program that deploys with --hook, or take --preset library"));
        }
        (Some(preset), _) => preset.clone(),
        (None, Some(_)) => "full".to_owned(),
        (None, None) => "library".to_owned(),
    };
    let agent = agent(here, args.agent.as_deref(), settings)?;
    Ok(Plan { name, prefix, preset, found, agent, hook, health: args.health.clone() })
}

fn agent(here: &Here, wanted: Option<&str>, settings: &Settings) -> Result<Option<AgentPlan>, Error> {
    let path = here.var("PATH").map(std::ffi::OsString::from);
    let known = |name: &str| settings.agents.contains_key(name);
    // A person who has signed in is found by the file in which that is kept.
    let login = here.var("HOME").map(|home| Path::new(home).join(".claude/.credentials.json"));
    let login = login.filter(|file| file.is_file());
    let unknown = |kind: &str| (kind == "claude" && login.is_none()).then_some(NO_LOGIN);
    let table = |name: &str, kind: &str, program: &Path| {
        let program = toml_string(&program.to_string_lossy());
        let mut table = format!("[agents.{name}]\nkind = \"{kind}\"\nprogram = {program}\n");
        if let Some(login) = login.as_ref().filter(|_| kind == "claude") {
            table.push_str(
                "# Your login, copied into the folder of each run; nothing else of your home folder is.\n",
            );
            table.push_str(&format!("login_file = {}\n", toml_string(&login.to_string_lossy())));
        }
        AgentPlan { name: name.to_owned(), table: Some(table), warning: unknown(kind) }
    };
    if let Some(wanted) = wanted {
        if known(wanted) {
            return Ok(Some(AgentPlan { name: wanted.to_owned(), table: None, warning: None }));
        }
        let Some(program) = detect::on_path(wanted, path.as_deref()) else {
            return Err(Error::new(
                Kind::NotFound,
                format!("there is no agent `{wanted}`: neither in orch.toml nor on PATH"),
            )
            .remedy("install it, or name one that is there; `orch doctor` lists them"));
        };
        let program = here.folder.join(program);
        let base = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = slug(&base).unwrap_or_else(|| "agent".to_owned());
        if known(&name) {
            return Ok(Some(AgentPlan { name, table: None, warning: None }));
        }
        let kind = if base == "claude" { "claude" } else { "command" };
        return Ok(Some(table(&name, kind, &program)));
    }
    if let Some(name) = &settings.agent {
        return Ok(Some(AgentPlan { name: name.clone(), table: None, warning: None }));
    }
    let found = detect::agents(path.as_deref());
    for other in found.iter().filter(|agent| !agent.spoken) {
        note(&format!(
            "{} is there; to use it, describe it in orch.toml with kind = \"command\"",
            other.name
        ));
    }
    let spoken = found.iter().find(|agent| agent.spoken);
    Ok(match spoken {
        Some(agent) if known(agent.name) => {
            Some(AgentPlan { name: agent.name.to_owned(), table: None, warning: None })
        }
        Some(agent) => Some(table(agent.name, agent.name, &agent.program)),
        None => settings.agents.keys().next().map(|name| AgentPlan {
            name: name.clone(),
            table: None,
            warning: None,
        }),
    })
}

fn ask(plan: &mut Plan, settings: &Settings) -> Result<(), Error> {
    loop {
        let said = asked(&format!("Prefix of its work items [{}]: ", plan.prefix))?;
        if said.is_empty() {
            break;
        }
        let prefix = said.to_ascii_uppercase();
        match prefix_fits(&prefix, settings) {
            Ok(()) => {
                plan.prefix = prefix;
                break;
            }
            Err(e) => anstream::eprintln!("{e}"),
        }
    }
    loop {
        let now = plan.found.test.join(" ");
        let said = asked(&format!("Test command [{}]: ", if now.is_empty() { "none" } else { &now }))?;
        if said.is_empty() {
            return Ok(());
        }
        match words(&said) {
            Ok(test) => {
                plan.found.test = test;
                return Ok(());
            }
            Err((problem, remedy)) => {
                anstream::eprintln!("{}", Error::new(Kind::Usage, problem).remedy(remedy))
            }
        }
    }
}

fn asked(question: &str) -> Result<String, Error> {
    let gone = |e: io::Error| Error::failed(format!("the terminal cannot be read: {e}")).remedy("use --yes");
    let mut terminal = io::stderr().lock();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush()).map_err(gone)?;
    let mut said = String::new();
    io::stdin().lock().read_line(&mut said).map_err(gone)?;
    Ok(said.trim().to_owned())
}

fn prefix_fits(prefix: &str, settings: &Settings) -> Result<(), Error> {
    if !check::is_prefix(prefix) {
        return Err(Error::new(Kind::Usage, format!("`{prefix}` is no prefix"))
            .remedy("use one to ten letters and digits, and begin with a letter: --prefix DEMO"));
    }
    match settings.projects.iter().find(|(_, project)| project.prefix == prefix) {
        Some((id, _)) => Err(Error::refused(format!("{prefix} is the prefix of project `{id}`"))
            .remedy("give another one with --prefix")),
        None => Ok(()),
    }
}

fn hook_fits(hook: &Path, top: &Path) -> Result<(), Error> {
    if same(top, hook) || hook.canonicalize().unwrap_or_else(|_| hook.to_path_buf()).starts_with(top) {
        return Err(Error::refused("the hook lies in the repository, where a change could change it")
            .at(hook.display())
            .remedy(
                "put it outside, beside orch.toml for example; or write `program = \"{checkout}/<its path>\"` in \
                 orch.toml, and it is taken from main after the merge",
            ));
    }
    match detect::on_path(&hook.to_string_lossy(), None) {
        Some(_) => Ok(()),
        None => Err(Error::new(Kind::NotFound, "the hook is not there, or may not be executed")
            .at(hook.display())
            .remedy("write it and make it executable: chmod +x")),
    }
}

/// The installation must not lie where agents and branches reach.
fn outside(home: &Path, top: &Path) -> Result<(), Error> {
    let near = home.ancestors().find_map(|folder| folder.canonicalize().ok());
    if near.is_some_and(|near| near.starts_with(top)) {
        return Err(Error::refused("the installation's folder lies in this repository")
            .at(home.display())
            .remedy("set ORCH_HOME to a folder outside of it"));
    }
    Ok(())
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// A text as a name of a project, if anything is left of it.
fn slug(text: &str) -> Option<String> {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => out.push(c),
            _ if !out.ends_with('-') => out.push('-'),
            _ => {} // not a domain enum
        }
    }
    let out: String = out
        .trim_start_matches(|c: char| !c.is_ascii_lowercase())
        .trim_end_matches('-')
        .chars()
        .take(40)
        .collect();
    (!out.is_empty()).then_some(out)
}

fn free_name(folder: &str, settings: &Settings) -> String {
    let base = slug(folder).unwrap_or_else(|| "project".to_owned());
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .find(|name| !settings.projects.contains_key(name))
        .unwrap_or(base)
}

fn free_prefix(name: &str, settings: &Settings) -> String {
    let parts: Vec<&str> = name.split(['-', '_']).filter(|part| !part.is_empty()).collect();
    let letters = match parts.as_slice() {
        // Long names of several words by their first letters.
        many if many.len() > 1 && name.len() > 8 => {
            many.iter().filter_map(|part| part.chars().next()).collect()
        }
        parts => parts.concat(),
    };
    let base: String = letters.to_ascii_uppercase().chars().take(8).collect();
    let taken = |prefix: &String| settings.projects.values().any(|project| project.prefix == *prefix);
    let numbered = (2..100).map(|n| format!("{base}{n}"));
    std::iter::once(base.clone()).chain(numbered).find(|prefix| !taken(prefix)).unwrap_or(base)
}

fn policy_text(plan: &Plan) -> String {
    let found = &plan.found;
    let mut text = String::from(
        "# How Orch works in this repository. It reads this file from the main branch; `orch reference policy` prints every\n\
         # key with its default. Agents, programs and ceilings stand in the installation's orch.toml.\n\n",
    );
    text.push_str(
        "# \"full\": all stages; \"fast\": without architecture; \"library\": nothing to deploy.\n",
    );
    text.push_str(&format!("preset = {}\n\n", toml_string(&plan.preset)));
    match found.what {
        Some(what) => text.push_str(&format!(
            "# As for {what}. The tests are one program with its arguments; no shell runs it.\n"
        )),
        None => text.push_str("# The tests: one program with its arguments; no shell runs it.\n"),
    }
    if found.test.is_empty() {
        text.push_str("# None were found here. Nothing is merged without tests: write the command.\n#test = [\"make\", \"test\"]\n");
    } else {
        text.push_str(&format!("test = {}\n", toml_list(&found.test)));
    }
    if !found.setup.is_empty() {
        text.push_str(&format!(
            "\n# Run before the tests in a clean checkout.\nsetup = {}\n",
            toml_list(&found.setup)
        ));
    }
    if !found.cache.is_empty() {
        text.push_str(&format!("\n# Kept between runs.\ncache = {}\n", toml_list(&found.cache)));
    }
    if !found.tests.is_empty() {
        text.push_str(&format!("\n# Where the tester may write.\ntests = {}\n", toml_list(&found.tests)));
    }
    text
}

fn entry_text(plan: &Plan, repository: &Repository) -> String {
    let mut text = String::new();
    if let Some(AgentPlan { name, table: Some(table), .. }) = &plan.agent {
        text.push_str(&format!(
            "# Found by `orch init`. Model, effort and prices: `orch reference settings`.\n{table}\n"
        ));
        let _ = name;
    }
    text.push_str("# Added by `orch init`. Yours to edit.\n");
    text.push_str(&format!("[projects.{}]\n", plan.name));
    text.push_str(&format!(
        "# The prefix of its work items: {}-001.\nprefix = {}\n",
        plan.prefix,
        toml_string(&plan.prefix)
    ));
    text.push_str("# Orch works in a bare copy of its own and gives back what is merged.\n");
    text.push_str(&format!("repository = {}\n", toml_string(&repository.top.to_string_lossy())));
    text.push_str(&format!("branch = {}\n", toml_string(&repository.branch)));
    match &plan.agent {
        Some(agent) => text.push_str(&format!("agent = {}\n", toml_string(&agent.name))),
        None => text.push_str("# No agent was found. Name one from [agents]:\n#agent = \"claude\"\n"),
    }
    if let Some(hook) = &plan.hook {
        let program = toml_string(&hook.to_string_lossy());
        text.push_str(&format!(
            "\n# How it is deployed.\n[projects.{}.hook]\nprogram = {program}\n",
            plan.name
        ));
    }
    if let Some(url) = &plan.health {
        text.push_str(&format!(
            "\n[projects.{}.health]\nurl = {}\nfield = \"commit\"\n",
            plan.name,
            toml_string(url)
        ));
    } else if plan.hook.is_some() {
        text.push_str(&format!(
            "\n# Where Orch may ask the service which commit it is. Without it a person looks at each deploy and accepts it.\n\
             #[projects.{}.health]\n#url = \"http://127.0.0.1:8080/health\"\n#field = \"commit\"\n",
            plan.name
        ));
    }
    text
}

/// People's lines and comments stay: the entry comes after them.
fn with_entry(text: &str, entry: &str) -> String {
    let head = "# Settings of this Orch installation. `orch reference settings` prints every key with its default.\n";
    match text.trim_end() {
        "" => format!("{head}\n{entry}"),
        text => format!("{text}\n\n{entry}"),
    }
}

fn read_own_policy(file: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(file)
        .map_err(|e| Error::failed(format!("the policy cannot be read: {e}")).at(file.display()))?;
    PolicyFile::read(file, &text)?;
    Ok(())
}

/// Makes the data folder if it is not there, and waits until no other `orch init` writes in it. Whoever holds what is
/// returned is alone with `orch.toml`; a process that dies lets go.
fn alone(home: &Path) -> Result<fs::File, Error> {
    let taken = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
        let folder = fs::File::open(home)?;
        folder.lock()?;
        Ok(folder)
    };
    taken().map_err(|e| unwritten(home, &e))
}

fn unwritten(place: &Path, e: &io::Error) -> Error {
    Error::failed(format!("the settings cannot be written: {e}"))
        .at(place.display())
        .remedy("check owner, rights and space of the folder, or name another one in ORCH_HOME")
}

fn write_settings(file: &Path, text: &str) -> Result<(), Error> {
    // A link (to a repository of settings, say) stays one: what it points to is replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let part = file.with_extension(format!("toml.{}", std::process::id()));
    let write = || {
        let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&part, &file)
    };
    write().map_err(|e| {
        // The half-written one is of no use to anybody; if it cannot go, the message says enough.
        let _ = fs::remove_file(&part);
        unwritten(&file, &e)
    })
}

fn write_policy(file: &Path, text: &str) -> Result<(), Error> {
    let failed = |e: io::Error| {
        Error::failed(format!("the policy cannot be written: {e}"))
            .at(file.display())
            .remedy("check owner and rights of the folder; the project's entry in orch.toml stands, run `orch init` again")
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    if folder.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        return Err(Error::refused("`.orch` is there and is no folder")
            .at(folder.display())
            .remedy("move it away"));
    }
    fs::create_dir_all(folder).map_err(failed)?;
    let mut out = fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    out.write_all(text.as_bytes()).map_err(failed)
}

/// Whether an Orch that is running works for the project from now on: asked for its projects, it looks at orch.toml.
fn taken_up(here: &Here, name: &str) -> bool {
    let asked = talk(async { here.brain().await?.get("/api/v1/projects").await });
    let named = |projects: &Value| {
        let mut all = projects.as_array().into_iter().flatten();
        all.any(|project| project.get("id").and_then(Value::as_str) == Some(name))
    };
    asked.is_ok_and(|projects| named(&projects))
}

fn report(here: &Here, plan: &Plan, repository: &Repository, (entry, policy): (bool, bool), works: bool) {
    let settings = here.home.settings();
    let agent = plan.agent.as_ref().map(|agent| agent.name.as_str());
    let lacks = plan.agent.as_ref().and_then(|agent| agent.warning);
    let unseen = (plan.preset != "library" && plan.health.is_none()).then_some(NO_HEALTH);
    let warnings = repository.warnings.iter().map(|text| &**text).chain(lacks).chain(unseen);
    let warnings: Vec<&str> = warnings.collect();
    if here.json {
        screen::json(&json!({
            "project": plan.name,
            "prefix": plan.prefix,
            "preset": plan.preset,
            "language": plan.found.what,
            "also": plan.found.also,
            "setup": plan.found.setup,
            "test": plan.found.test,
            "agent": agent,
            "branch": repository.branch,
            "settings": { "file": settings, "written": entry },
            "policy": { "file": repository.top.join(policy_file::PATH), "written": policy },
            "warnings": warnings,
            "commit": if policy { vec![policy_file::PATH] } else { vec![] },
        }));
        return;
    }
    screen::line(&format!("{} {}", paint(BOLD, &plan.name), paint(DIM, &format!("{}-001 ...", plan.prefix))));
    let fact = |label: &str, value: &str| {
        screen::line(&format!("  {} {}", paint(DIM, &format!("{label:<9}")), screen::safe(value)))
    };
    fact("language", plan.found.what.unwrap_or("not recognised"));
    fact(
        "tests",
        &if plan.found.test.is_empty() { "none found".to_owned() } else { plan.found.test.join(" ") },
    );
    fact("preset", &plan.preset);
    fact("agent", agent.unwrap_or("none found"));
    for (written, file) in [(entry, settings), (policy, repository.top.join(policy_file::PATH))] {
        if written {
            screen::line(&format!("{} {}", paint(GOOD, "wrote"), file.display()));
        }
    }
    let warn = |text: &str| screen::line(&format!("{} {}", paint(ASKS, "mind"), screen::safe(text)));
    warnings.iter().for_each(|warning| warn(warning));
    if plan.found.test.is_empty() && policy {
        warn("without tests nothing can be merged: write `test` in .orch/policy.toml");
    }
    if agent.is_none() {
        warn("without an agent nobody works: install one, or describe a command in orch.toml");
    }
    screen::line("");
    if policy {
        screen::line(&format!("Commit it on {}:", repository.branch));
        screen::line("  git add .orch && git commit -m \"Add the policy of Orch\"");
    }
    screen::line(match works {
        true => "Orch is running and works for it from now on: orch new \"what should be different\"",
        false => "Then: orch up, and orch new \"what should be different\"",
    });
}
