//! `orch init`: how does a repository become a project? Two files are written, none is committed (decisions 43, 44).

mod text;

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_adapters::tracker::slug::transliterated;
use serde_json::{Value, json};

use self::text::{entry_text, policy_text, with_entry};
use super::{Here, note};
use crate::client::talk;
use crate::detect::{self, Found};
use crate::error::{Error, Kind};
use crate::policy_file::{self, PolicyFile};
use crate::repository::Repository;
use crate::screen::{self, ASKS, BOLD, DIM, GOOD, paint};
use crate::settings::value::{toml_string, words};
use crate::settings::{Settings, check};
use crate::words::{Told, say};

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

fn no_login() -> Told {
    say!(
        "no login of Claude Code was found, and no key is given to it: sign in with `claude` and name `login_file`, or \
         name the file of your key under `env_files`, in orch.toml",
        "вход Claude Code не найден, и ключ ему не дан: войдите командой `claude` и укажите `login_file` в orch.toml или \
         укажите там файл с ключом в `env_files`"
    )
}

/// The agent, and its table if the settings have none yet.
struct AgentPlan {
    name: String,
    table: Option<String>,
    /// What it lacks.
    warning: Option<Told>,
}

fn no_health() -> Told {
    say!(
        "without a health address a person must look at each deploy and accept it: give one with --health, or add \
         [projects.<name>.health] to orch.toml, and Orch asks the service itself",
        "без адреса проверки каждую выкатку смотрит и принимает человек: укажите адрес через --health или добавьте \
         [projects.<имя>.health] в orch.toml, и Orch будет спрашивать сервис сам"
    )
}

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
        return Err(Error::refused(say!(
            "this repository is project `{id}` already",
            "этот репозиторий уже проект `{id}`"
        ))
        .at(policy_file.display())
        .remedy(say!(
            "edit {} or {}",
            "отредактируйте {} или {}",
            policy_file.display(),
            settings_file.display()
        )));
    }
    let mut plan = plan(here, args, &repository, &loaded.settings)?;
    if here.can_ask() && !args.yes && !here.json {
        ask(&mut plan, &loaded.settings)?;
    }
    let policy = if has_policy {
        note(&say!(
            "{} is there already and stays as it is",
            "{} уже есть и остаётся как есть",
            policy_file::PATH
        ));
        read_own_policy(&policy_file)?;
        None
    } else {
        let text = policy_text(&plan);
        PolicyFile::read(&policy_file, &text)?;
        Some(text)
    };
    let entry = match known {
        Some((id, _)) => {
            note(&say!(
                "the entry of project `{id}` is there already and stays as it is",
                "запись проекта `{id}` уже есть и остаётся как есть"
            ));
            None
        }
        None => Some(entry_text(&plan, &repository)),
    };
    // Everything is checked before anything is written, and what it was checked against must still stand then.
    let text = entry.as_ref().map(|entry| with_entry(&loaded.text, entry));
    if let Some(text) = &text {
        Settings::of_text(&settings_file, text, &[]).map_err(|e| {
            Error::from(e).remedy(say!(
                "the entry that would be added does not fit: mend orch.toml, or give other values",
                "новая запись сюда не подходит: исправьте orch.toml или задайте другие значения"
            ))
        })?;
    }
    let lock = alone(here.home.folder())?;
    if Settings::load(&settings_file, &here.env)?.text != loaded.text {
        drop(lock);
        note(&say!(
            "orch.toml was changed meanwhile: looking again",
            "orch.toml тем временем изменили: смотрю ещё раз"
        ));
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
        let cause = say!("`{name}` is no name for a project", "имя `{name}` проекту не подходит");
        return Err(Error::new(Kind::Usage, cause).remedy(say!(
            "use small letters, digits, `-` and `_`, and begin with a letter: --name demo",
            "годятся строчные латинские буквы, цифры, `-` и `_`, первой идёт буква: --name demo"
        )));
    }
    if settings.projects.contains_key(&name) {
        return Err(Error::refused(say!("there is a project `{name}` already", "проект `{name}` уже есть"))
            .at(here.home.settings().display())
            .remedy(say!("give another name with --name", "задайте другое имя через --name")));
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
            let cause = say!(
                "`{preset}` deploys, and no deploy hook is named",
                "`{preset}` предполагает выкатку, а команда выкатки не задана"
            );
            return Err(Error::refused(cause).remedy(say!(
                "name the program that deploys with --hook, or take --preset library",
                "укажите команду выкатки через --hook или возьмите --preset library"
            )));
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
    let unknown = |kind: &str| (kind == "claude" && login.is_none()).then(no_login);
    let table = |name: &str, kind: &str, program: &Path| {
        let program = toml_string(&program.to_string_lossy());
        let mut table = format!("[agents.{name}]\nkind = \"{kind}\"\nprogram = {program}\n");
        if let Some(login) = login.as_ref().filter(|_| kind == "claude") {
            table.push_str(&say!(
                "# Your login, copied into the folder of each run; nothing else of your home folder is.\n",
                "# Ваш вход: он копируется в папку каждого запуска; больше ничего из домашней папки.\n"
            ));
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
                say!(
                    "there is no agent `{wanted}`: neither in orch.toml nor on PATH",
                    "агента `{wanted}` нет ни в orch.toml, ни в PATH"
                ),
            )
            .remedy(say!(
                "install it, or name one that is there; `orch doctor` lists them",
                "установите его или назовите того, кто есть; их покажет `orch doctor`"
            )));
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
        note(&say!(
            "{} is there; to use it, describe it in orch.toml with kind = \"command\"",
            "{} тоже есть; чтобы он работал, опишите его в orch.toml с kind = \"command\"",
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
        let said = asked(&say!("Prefix of its work items [{}]: ", "Префикс задач [{}]: ", plan.prefix))?;
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
        let now = if now.is_empty() { say!("none", "нет") } else { Told::quoted(now) };
        let said = asked(&say!("Test command [{now}]: ", "Команда тестов [{now}]: "))?;
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
    let gone = |e: io::Error| {
        Error::failed(say!("the terminal cannot be read: {e}", "терминал не читается: {e}"))
            .remedy(say!("use --yes", "добавьте --yes"))
    };
    let mut terminal = io::stderr().lock();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush()).map_err(gone)?;
    let mut said = String::new();
    io::stdin().lock().read_line(&mut said).map_err(gone)?;
    Ok(said.trim().to_owned())
}

fn prefix_fits(prefix: &str, settings: &Settings) -> Result<(), Error> {
    if !check::is_prefix(prefix) {
        let cause = say!("`{prefix}` is no prefix", "префикс `{prefix}` не подходит");
        return Err(Error::new(Kind::Usage, cause).remedy(say!(
            "use one to ten letters and digits, and begin with a letter: --prefix DEMO",
            "нужно от одной до десяти латинских букв и цифр, первой идёт буква: --prefix DEMO"
        )));
    }
    match settings.projects.iter().find(|(_, project)| project.prefix == prefix) {
        Some((id, _)) => {
            let cause =
                say!("{prefix} is the prefix of project `{id}`", "префикс {prefix} занят проектом `{id}`");
            Err(Error::refused(cause)
                .remedy(say!("give another one with --prefix", "задайте другой через --prefix")))
        }
        None => Ok(()),
    }
}

fn hook_fits(hook: &Path, top: &Path) -> Result<(), Error> {
    if same(top, hook) || hook.canonicalize().unwrap_or_else(|_| hook.to_path_buf()).starts_with(top) {
        return Err(Error::refused(say!(
            "the hook lies in the repository, where a change could change it",
            "команда выкатки лежит в репозитории, и любое изменение могло бы её переписать"
        ))
        .at(hook.display())
        .remedy(say!(
            "put it outside, beside orch.toml for example; or write `program = \"{{checkout}}/<its path>\"` in orch.toml, \
             and it is taken from main after the merge",
            "положите её снаружи, например рядом с orch.toml; или напишите в orch.toml `program = \"{{checkout}}/<путь>\"`, \
             и она будет браться из main после слияния"
        )));
    }
    match detect::on_path(&hook.to_string_lossy(), None) {
        Some(_) => Ok(()),
        None => {
            let cause = say!(
                "the hook is not there, or may not be executed",
                "команды выкатки нет, или её нельзя выполнить"
            );
            Err(Error::new(Kind::NotFound, cause).at(hook.display()).remedy(say!(
                "write it and make it executable: chmod +x",
                "напишите её и дайте право на выполнение: chmod +x"
            )))
        }
    }
}

/// The installation must not lie where agents and branches reach.
fn outside(home: &Path, top: &Path) -> Result<(), Error> {
    let near = home.ancestors().find_map(|folder| folder.canonicalize().ok());
    if near.is_some_and(|near| near.starts_with(top)) {
        return Err(Error::refused(say!(
            "the installation's folder lies in this repository",
            "папка данных Orch лежит в этом репозитории"
        ))
        .at(home.display())
        .remedy(say!("set ORCH_HOME to a folder outside of it", "укажите в ORCH_HOME папку вне его")));
    }
    Ok(())
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// A text as a name of a project, if anything is left of it.
fn slug(text: &str) -> Option<String> {
    let mut out = String::new();
    for c in transliterated(text).chars() {
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

fn read_own_policy(file: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(file).map_err(|e| {
        Error::failed(say!("the policy cannot be read: {e}", "политика не читается: {e}")).at(file.display())
    })?;
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
    Error::failed(say!("the settings cannot be written: {e}", "настройки не записались: {e}"))
        .at(place.display())
        .remedy(say!(
            "check owner, rights and space of the folder, or name another one with --home or in ORCH_HOME",
            "проверьте владельца, права и место в этой папке или укажите другую через --home или в ORCH_HOME"
        ))
}

fn write_settings(file: &Path, text: &str) -> Result<(), Error> {
    // A link (to a repository of settings, say) stays one: what it points to is replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let part = file.with_extension(format!("toml.{}", std::process::id()));
    let write = || {
        let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&part, &file)?;
        // What was said to be written is there after a power cut too.
        file.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    write().map_err(|e| {
        // The half-written one is of no use to anybody; if it cannot go, the message says enough.
        let _ = fs::remove_file(&part);
        unwritten(&file, &e)
    })
}

fn write_policy(file: &Path, text: &str) -> Result<(), Error> {
    let failed = |e: io::Error| {
        Error::failed(say!("the policy cannot be written: {e}", "политика не записалась: {e}")).at(file.display()).remedy(
            say!(
                "check owner and rights of the folder; the project's entry in orch.toml stands, run `orch init` again",
                "проверьте владельца и права на папку; запись проекта в orch.toml сделана, выполните `orch init` ещё раз"
            ),
        )
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    if folder.symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
        return Err(Error::refused(say!(
            "`.orch` is there and is no folder",
            "`.orch` уже есть, и это не папка"
        ))
        .at(folder.display())
        .remedy(say!("move it away", "уберите этот файл")));
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
    let lacks = plan.agent.as_ref().and_then(|agent| agent.warning.clone());
    let unseen = (plan.preset != "library" && plan.health.is_none()).then(no_health);
    let warnings: Vec<Told> = repository.warnings.iter().cloned().chain(lacks).chain(unseen).collect();
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
    let fact = |label: Told, value: Told| {
        screen::line(&format!("  {} {}", paint(DIM, &format!("{label:<9}")), screen::safe(&value)))
    };
    let said = |text: Option<&str>, none: Told| text.map_or(none, Told::quoted);
    // What a policy that stays says about these, this plan does not know.
    if policy {
        fact(say!("language", "язык"), said(plan.found.what, say!("not recognised", "не распознан")));
        let tests = plan.found.test.join(" ");
        let tests = Some(tests.as_str()).filter(|tests| !tests.is_empty());
        fact(say!("tests", "тесты"), said(tests, say!("none found", "не найдены")));
        fact(say!("preset", "preset"), Told::quoted(&*plan.preset));
    }
    fact(say!("agent", "агент"), said(agent, say!("none found", "не найден")));
    for (written, file) in [(entry, settings), (policy, repository.top.join(policy_file::PATH))] {
        if written {
            screen::line(&format!("{} {}", paint(GOOD, &say!("wrote", "записано")), file.display()));
        }
    }
    let warn = |text: &Told| {
        screen::line(&format!("{} {}", paint(ASKS, &say!("mind", "учтите:")), screen::safe(text)))
    };
    warnings.iter().for_each(warn);
    if plan.found.test.is_empty() && policy {
        warn(&say!(
            "without tests nothing can be merged: write `test` in .orch/policy.toml",
            "без тестов слить ничего нельзя: впишите `test` в .orch/policy.toml"
        ));
    }
    if agent.is_none() {
        warn(&say!(
            "without an agent nobody works: install one, or describe a command in orch.toml",
            "без агента работать некому: установите его или опишите команду в orch.toml"
        ));
    }
    screen::line("");
    if policy {
        screen::line(&say!("Commit it on {}:", "Закоммитьте это в {}:", repository.branch));
        screen::line("  git add .orch && git commit -m \"Add the policy of Orch\"");
    }
    screen::line(&match works {
        true => say!(
            "Orch is running and works for it from now on: orch new \"what should be different\"",
            "Orch запущен и уже работает с этим проектом: orch new \"что должно измениться\""
        ),
        false => say!(
            "Then: orch up, and orch new \"what should be different\"",
            "Потом: orch up и orch new \"что должно измениться\""
        ),
    });
}
