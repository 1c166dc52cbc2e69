//! What can a person type? Each subcommand, or family of them, has a file with its arguments and its help.

pub mod demo;
pub mod init;
pub mod up;
pub mod login;
pub mod new;
pub mod edit;
pub mod list;
pub mod show;
pub mod why;
pub mod logs;
pub mod diff;
pub mod comment;
pub mod gesture;
pub mod installation;
pub mod events;
pub mod doctor;
pub mod settings;
pub mod hosts;
pub mod replay;
pub mod audit;
pub mod backup;
pub mod sim;
pub mod drill;
pub mod reference;
pub mod completions;
pub mod help;
pub mod misread;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};
use orch_core::message::Lang;

use crate::client::Client;
use crate::compose::user;
use crate::error::{Error, Kind};
use crate::home::Home;
use crate::language;
use crate::left::Left;
use crate::screen;
use crate::settings::{Loaded, Settings};
use crate::words::{self, Told, say, words};

/// Delivers software by itself: an issue becomes a deployed change.
#[derive(Debug, Parser)]
#[command(name = "orch", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// The folder of the installation [default: $ORCH_HOME, else orch in the XDG state folder]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Everywhere")]
    pub home: Option<PathBuf>,
    /// Print JSON; errors too, on standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 command line, 3 not found, 4 refused, 5 Orch is not running, \
                          6 store damaged, 7 settings or policy wrong.";

/// What there is to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch one issue travel to a deployed change, with scripted agents
    Demo(demo::Args),
    /// Make a project of the repository you are in
    Init(init::Args),
    /// Serve: dashboard, API and work
    #[command(visible_alias = "serve")]
    Up(up::Args),
    /// Print a link that signs a browser in
    Login,
    /// Ask for a change
    New(new::Args),
    /// Change what was asked for: title, description, labels
    Edit(edit::Args),
    /// The tasks
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// All of a task
    Show(show::Args),
    /// What a task waits for, since when, and what would move it
    Why(why::Args),
    /// What a run writes
    Logs(logs::Args),
    /// What a task changes
    Diff(diff::Args),
    /// What was said under a task, the analyst's questions too
    Comments(comment::Read),
    /// Say something under a task: answer questions, for example
    Comment(comment::Say),
    /// Approve the requirements, or a change of protected paths
    Approve(gesture::Bound),
    /// Not like this: say why
    Reject(gesture::Reject),
    /// Confirm the deploy, or the merge
    Confirm(gesture::Bound),
    /// Stop a task for good
    Stop(gesture::OfTask),
    /// Begin afresh where a task stopped, or try now what it waits to try again
    Retry(gesture::OfTask),
    /// Start a task, or go on after its questions are answered
    Start(gesture::OfTask),
    /// Go on although the request was edited after its approval, or the branch was taken away
    Continue(gesture::OfTask),
    /// Accept what somebody merged past the gates, or a deploy that you looked at
    Accept(gesture::Bound),
    /// Allow one more run, whatever the budgets say
    Allow(gesture::OfTask),
    /// How urgent a task is
    Priority(gesture::Priority),
    /// Give no new turns; what runs ends its run
    Pause(installation::Pause),
    /// Give turns again
    Unpause,
    /// Without a task: unpause; with one: start
    Resume(installation::Resume),
    /// Merge nothing into a project's repository
    Freeze(installation::OfProject),
    /// Lift the freeze of a project's repository
    Unfreeze(installation::OfProject),
    /// What happens, and why
    Events(events::Args),
    /// What is missing here, and how to mend it
    Doctor,
    /// The settings that hold
    Settings,
    /// The hosts that Orch may speak to
    Hosts,
    /// Fold the journal again and compare
    Replay(replay::Args),
    /// Walk main: is every commit there by a verdict for exactly its tree
    Audit(audit::Args),
    /// Copy the store, also while Orch runs
    Backup(backup::Backup),
    /// Put a copy of the store in its place
    Restore(backup::Restore),
    /// Random histories in a simulated world, and one of them step by step
    Sim(sim::Args),
    /// Break one thing at a time in a scratch installation, and see whether Orch holds
    Drill(drill::Args),
    /// Completions for a shell: orch completions bash > ...
    Completions(completions::Args),
    /// Print a reference
    Reference(reference::Args),
}

/// What a command knows of where it was called.
#[derive(Debug)]
pub struct Here {
    /// The installation's folder.
    pub home: Home,
    /// Whether JSON is wanted.
    pub json: bool,
    /// The folder in which it was called.
    pub folder: PathBuf,
    /// The environment, as far as it is text.
    pub env: Vec<(String, String)>,
}

impl Here {
    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// The settings. What the environment does to them is said by `settings` and `doctor` alone.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn settings(&self) -> Result<Settings, Error> {
        Ok(self.loaded()?.settings)
    }

    /// The settings, and the text that they were read from.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn loaded(&self) -> Result<Loaded, Error> {
        Ok(Settings::load(&self.home.settings(), &self.env)?)
    }

    /// The brain.
    ///
    /// # Errors
    /// It is not running.
    pub async fn brain(&self) -> Result<Client, Error> {
        Ok(Client::open(&self.home, self.user().as_deref()).await?.speaking(words().lang))
    }

    /// Who types: what the environment says, else what the system calls this user.
    pub fn user(&self) -> Option<String> {
        let said = self.var("USER").or_else(|| self.var("LOGNAME")).map(str::to_owned);
        said.or_else(user::own_name)
    }

    /// The brain or, when it is down, the store as it was left; which of them is said once, on standard error.
    ///
    /// # Errors
    /// Neither answers.
    pub async fn reading(&self) -> Result<Client, Error> {
        match self.brain().await {
            Err(down) if down.kind == Kind::NotRunning && self.home.store().exists() => {
                let path = self.var("PATH").unwrap_or_default();
                let left = Left::client(&self.home, self.settings().ok().as_ref(), path)?;
                note(&say!(
                    "Orch is not running; this is how the store was left. `orch up` starts it.",
                    "Orch не запущен; показано то, что осталось в хранилище. Запустить: `orch up`."
                ));
                Ok(left)
            }
            answered => answered,
        }
    }

    /// A variable of the environment.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The project meant: the one named, the one around this folder, or the only one.
    ///
    /// # Errors
    /// None or several could be meant.
    pub fn project(&self, named: Option<&str>) -> Result<String, Error> {
        let settings = self.settings()?;
        let ids = || settings.projects.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        if let Some(name) = named {
            return match settings.project_named(name) {
                Some((id, _)) => Ok(id.to_owned()),
                None => Err(Error::new(
                    Kind::NotFound,
                    say!("there is no project `{name}`", "нет проекта `{name}`"),
                )
                .remedy(if settings.projects.is_empty() {
                    add_one()
                } else {
                    say!("there are: {}", "есть: {}", ids())
                })),
            };
        }
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        if let Some((id, _)) = settings.project_at(&folder) {
            return Ok(id.to_owned());
        }
        let mut all = settings.projects.keys();
        match (all.next(), all.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => {
                let cause = say!("there is no project yet", "проектов пока нет");
                Err(Error::new(Kind::NotFound, cause).remedy(add_one()))
            }
            (Some(_), Some(_)) => Err(Error::new(Kind::Usage, say!("which project?", "какой проект?"))
                .remedy(say!(
                    "go into its repository, or name it with --project ({})",
                    "перейдите в его репозиторий или назовите его через --project ({})",
                    ids()
                ))),
        }
    }
}

fn add_one() -> Told {
    say!("run `orch init` in a repository", "выполните `orch init` в репозитории")
}

/// Does what was typed. The first argument is the program's own name.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    words::speak(language(&arguments));
    let mut command = help::command();
    let parsed = command.try_get_matches_from_mut(&arguments);
    let cli = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(e) => return misread::answer(&e.format(&mut command), &arguments),
    };
    let json = cli.json;
    match perform(cli) {
        Ok(code) => code,
        Err(error) => error.report(json),
    }
}

/// The environment, as far as it is text.
fn environment() -> Vec<(String, String)> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// Where the installation is.
fn home(named: Option<PathBuf>) -> Result<Home, Error> {
    let named = named.or_else(|| std::env::var_os("ORCH_HOME").filter(|v| !v.is_empty()).map(PathBuf::from));
    Home::find(named.as_deref(), |name| std::env::var_os(name))
}

/// The language in which even a wrong command line is answered: `--home` is looked for before anything is understood.
fn language(arguments: &[OsString]) -> Lang {
    let mut rest = arguments.iter();
    let named = rest.find_map(|argument| match argument.to_str()? {
        "--home" => Some(None),
        one => one.strip_prefix("--home=").map(|folder| Some(PathBuf::from(folder))),
    });
    let named = named.and_then(|folder| folder.or_else(|| rest.next().map(PathBuf::from)));
    let file = home(named).ok().map(|home| home.settings());
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    language::spoken(&text, &environment())
}

fn perform(cli: Cli) -> Result<ExitCode, Error> {
    let home = home(cli.home)?;
    let folder = std::env::current_dir().map_err(|e| {
        Error::failed(say!("the folder you are in cannot be read: {e}", "текущая папка не читается: {e}"))
            .remedy(say!("go into another", "перейдите в другую"))
    })?;
    let here = Here { home, json: cli.json, folder, env: environment() };
    match cli.command {
        Command::Demo(args) => demo::run(&here, &args),
        Command::Init(args) => init::run(&here, &args),
        Command::Up(args) => up::run(&here, &args),
        Command::Login => login::run(&here),
        Command::New(args) => new::run(&here, &args),
        Command::Edit(args) => edit::run(&here, &args),
        Command::List(args) => list::run(&here, &args),
        Command::Show(args) => show::run(&here, &args),
        Command::Why(args) => why::run(&here, &args),
        Command::Logs(args) => logs::run(&here, &args),
        Command::Diff(args) => diff::run(&here, &args),
        Command::Comments(args) => comment::read(&here, &args),
        Command::Comment(args) => comment::say(&here, &args),
        Command::Approve(args) => gesture::bound(&here, "approve", &args),
        Command::Reject(args) => gesture::reject(&here, &args),
        Command::Confirm(args) => gesture::bound(&here, "confirm", &args),
        Command::Stop(args) => gesture::plain(&here, "stop", &args.task),
        Command::Retry(args) => gesture::plain(&here, "retry", &args.task),
        Command::Start(args) => gesture::plain(&here, "start", &args.task),
        Command::Continue(args) => gesture::plain(&here, "continue", &args.task),
        Command::Accept(args) => gesture::bound(&here, "accept", &args),
        Command::Allow(args) => gesture::plain(&here, "allow", &args.task),
        Command::Priority(args) => gesture::priority(&here, &args),
        Command::Pause(args) => installation::pause(&here, &args),
        Command::Unpause => installation::unpause(&here),
        Command::Resume(args) => installation::resume(&here, &args),
        Command::Freeze(args) => installation::freeze(&here, "freeze", &args),
        Command::Unfreeze(args) => installation::freeze(&here, "unfreeze", &args),
        Command::Events(args) => events::run(&here, &args),
        Command::Doctor => doctor::run(&here),
        Command::Settings => settings::run(&here),
        Command::Hosts => hosts::run(&here),
        Command::Replay(args) => replay::run(&here, &args),
        Command::Audit(args) => audit::run(&here, &args),
        Command::Backup(args) => backup::backup(&here, &args),
        Command::Restore(args) => backup::restore(&here, &args),
        Command::Sim(args) => sim::run(&here, &args),
        Command::Drill(args) => drill::run(&here, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Reference(args) => reference::run(&args),
    }
}

/// A line that is not part of the result: to standard error.
pub fn note(text: &Told) {
    anstream::eprintln!("{} {}", screen::paint(screen::DIM, words().note), screen::safe(text));
}
