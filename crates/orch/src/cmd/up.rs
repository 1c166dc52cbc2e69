//! `orch up`: how does an installation begin to serve?

use std::process::ExitCode;

use orch_adapters::git::Mounts;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Here;
use crate::compose::perform::Boundary;
use crate::compose::{self, Wishes, user};
use crate::error::{Error, Kind};
use crate::screen::{self, BOLD, DIM, paint};
use crate::words::{Told, say, words};

/// Serve: dashboard, API and work, until Ctrl-C.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As root: run agents and tests as root where `run_as` is not set, and work in repositories of other users
    #[arg(long)]
    allow_root: bool,
    /// For drills: die by SIGKILL at a boundary of an effect, such as "after forge/merge 1"
    #[arg(long, hide = true, value_name = "BOUNDARY")]
    die_at: Option<Boundary>,
}

/// Serves until a signal.
///
/// # Errors
/// What stands in the way.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    crate::log::begin(here.var("ORCH_LOG"));
    let loaded = here.loaded()?;
    let settings = &loaded.settings;
    if rustix::process::geteuid().is_root() && settings.run_as.is_none() {
        if !args.allow_root {
            let cause = say!(
                "as root, agents and tests would run as root",
                "Orch запущен от root, и агенты с тестами тоже работали бы от root"
            );
            return Err(Error::new(Kind::Refused, cause).remedy(say!(
                "set `run_as` in orch.toml, start Orch as another user, or give --allow-root",
                "задайте `run_as` в orch.toml, запустите Orch от другого пользователя или добавьте --allow-root"
            )));
        }
        warn(&say!(
            "--allow-root: agents and tests run as root; only the sandbox keeps them from the rest of the machine",
            "--allow-root: агенты и тесты работают от root; от остальной машины их отделяет только песочница"
        ));
    }
    if args.allow_root {
        for (name, project) in &settings.projects {
            let Some(uid) = user::foreign(&project.repository) else { continue };
            warn(&say!(
                "--allow-root: git works as root in {}, which belongs to uid {uid}: files that project `{name}` gets \
                 there belong to root, and programs that its .git/config names run as root",
                "--allow-root: git работает от root в {}, а владелец там uid {uid}: новые файлы проекта `{name}` будут \
                 принадлежать root, и программы из его .git/config запускаются от root",
                project.repository.display()
            ));
        }
    }
    let mut wishes = wishes(here)?;
    wishes.allow_root = args.allow_root;
    wishes.die_at = args.die_at.clone();
    // There is no second thread yet, and everything that Orch starts shall see the trees.
    wishes.mounts =
        Mounts::own().inspect_err(|error| tracing::info!("{error}: trees are recycled ones")).ok();
    let home = here.home.clone();
    block_on(async move {
        let mut asked = Asked::listen()?;
        let running = compose::start(home, loaded, wishes).await?;
        screen::line(&format!("{}: {}", words().serves, paint(BOLD, &running.link()?)));
        screen::line(&paint(DIM, words().link_hint));
        asked.to_end().await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn warn(text: &Told) {
    anstream::eprintln!("{text}");
}

/// Hears when somebody asks the process to end.
pub struct Asked {
    term: Signal,
    int: Signal,
}

impl Asked {
    /// Listens from now on: a process that is asked to end while it starts ends in order too.
    ///
    /// # Errors
    /// The signals cannot be listened to.
    pub fn listen() -> Result<Self, Error> {
        let to = |kind| {
            signal(kind).map_err(|e| {
                Error::failed(say!("signals cannot be heard: {e}", "сигналы не принимаются: {e}"))
            })
        };
        Ok(Self { term: to(SignalKind::terminate())?, int: to(SignalKind::interrupt())? })
    }

    /// Waits for SIGTERM or SIGINT.
    pub async fn to_end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// What the composition needs to know of this machine.
///
/// # Errors
/// This binary has no path.
pub fn wishes(here: &Here) -> Result<Wishes, Error> {
    let exe = std::env::current_exe()
        .map_err(|e| Error::failed(say!("this binary has no path: {e}", "у этой программы нет пути: {e}")))?;
    let text = |name: &str| here.var(name).unwrap_or_default().to_owned();
    Ok(Wishes {
        exe,
        path: text("PATH"),
        variables: here.env.iter().cloned().collect(),
        person: text("HOME").into(),
        ..Wishes::default()
    })
}

/// Runs the composition on a small runtime: the brain has a thread of its own, what blocks has others, and one for the
/// rest is faster than it can commit (decision 52).
///
/// # Errors
/// The runtime does not start, or what it ran failed.
pub fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(32)
        .thread_stack_size(512 * 1024)
        .enable_all()
        .build()
        .map_err(|e| {
            Error::failed(say!("the runtime did not start: {e}", "среда исполнения не запустилась: {e}"))
        })?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
