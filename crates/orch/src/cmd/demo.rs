//! `orch demo`: how does a newcomer see all of it in a minute?

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Here, up};
use crate::demo::{self, Ending, Plan, story::Spoil};
use crate::error::Error;
use crate::screen;
use crate::words::{Told, say};

/// Watch one issue travel to a deployed change, with scripted agents.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End everything afterwards; exit code 0 only if the change is delivered and the service answers with it
    #[arg(long)]
    once: bool,
    /// Leave the approval and the confirmation to a person
    #[arg(long)]
    ask: bool,
    /// Make a step go wrong, and see how the task is held
    #[arg(long, value_name = "STEP")]
    spoil: Option<Spoil>,
    /// End a demo that stayed up
    #[arg(long, conflicts_with_all = ["once", "ask", "spoil"])]
    stop: bool,
    /// Where it happens [default: orch-demo beside the installation's folder]
    #[arg(long, value_name = "FOLDER")]
    workspace: Option<PathBuf>,
    /// Where the dashboard listens; port 0 takes any
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: std::net::SocketAddr,
}

/// Plays or ends the demo.
///
/// # Errors
/// What stands in the way.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    let workspace = match &args.workspace {
        Some(folder) => {
            std::path::absolute(folder).map_err(|e| Error::failed(Told::quoted(e.to_string())))?
        }
        None => here.home.folder().with_file_name("orch-demo"),
    };
    if args.stop {
        let ended = demo::stop(&workspace)?;
        screen::line(&match ended {
            true => say!("the demo has ended", "демонстрация завершена"),
            false => say!("no demo runs", "демонстрация не запущена"),
        });
        return Ok(ExitCode::SUCCESS);
    }
    crate::log::begin(here.var("ORCH_LOG").or(Some("error")));
    let plan = Plan {
        workspace,
        once: args.once,
        ask: args.ask,
        spoil: args.spoil,
        listen: args.listen,
        wishes: up::wishes(here)?,
    };
    match up::block_on(demo::play(&plan))? {
        Ending::Delivered => Ok(ExitCode::SUCCESS),
        Ending::Held(_) => Ok(ExitCode::FAILURE),
    }
}
