//! `orch drill`: does this machine hold what Orch promises?

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Here, up};
use crate::drill::{self, Drill, Outcome, Plan, both, report};
use crate::error::Error;
use crate::screen;
use crate::words::{Told, say};

/// Break one thing at a time in a scratch installation, and see whether Orch holds; touches no real one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which drills [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<Drill>,
    /// Only say what there is to try
    #[arg(long, conflicts_with_all = ["names", "report", "workspace"])]
    list: bool,
    /// Write the table to this file too, in Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where it happens: made for it, and gone afterwards [default: orch-drill beside the installation's folder]
    #[arg(long, value_name = "FOLDER")]
    workspace: Option<PathBuf>,
    /// Fail also if one could not be tried
    #[arg(long)]
    strict: bool,
}

/// Does the drills. Exit code 0 only if none is broken; what could not be tried is said and counted, and none with `--strict`.
///
/// # Errors
/// There is no place for them, or the report cannot be written.
pub fn run(here: &Here, args: &Args) -> Result<ExitCode, Error> {
    if args.list {
        screen::out(&report::list());
        return Ok(ExitCode::SUCCESS);
    }
    crate::log::begin(here.var("ORCH_LOG").or(Some("error")));
    let absolute =
        |path: &PathBuf| std::path::absolute(path).map_err(|e| Error::failed(Told::quoted(e.to_string())));
    let workspace = match &args.workspace {
        Some(folder) => absolute(folder)?,
        None => here.home.folder().with_file_name("orch-drill"),
    };
    let file = args.report.as_ref().map(absolute).transpose()?;
    let cannot = |file: &Path, e: &std::io::Error| {
        Error::failed(say!("the report cannot be written: {e}", "отчёт не записать: {e}"))
            .at(file.display())
            .remedy(say!("name another file with --report", "укажите другой файл через --report"))
    };
    // Minutes later is too late to say that there is no such folder.
    if let Some(file) = &file {
        OpenOptions::new().append(true).create(true).open(file).map_err(|e| cannot(file, &e))?;
    }
    let mut drills = Drill::ALL.to_vec();
    drills.retain(|drill| args.names.is_empty() || args.names.contains(drill));
    let wanted = drills.len();
    let plan = Plan { drills, workspace, exe: up::wishes(here)?.exe, env: here.env.clone() };
    let mut done = 0;
    let rows = drill::run(&plan, |row| {
        done += 1;
        if !here.json {
            screen::out(&report::told(row, done, wanted));
        }
    })?;
    if let Some(file) = &file {
        std::fs::write(file, report::markdown(&rows)).map_err(|e| cannot(file, &e))?;
    }
    if here.json {
        screen::json(&report::json(&rows));
    } else {
        screen::line(&report::summary(&rows));
        if let Some(file) = &file {
            let file = file.display();
            screen::line(&both!("the report is in {file}", "отчёт: {file}"));
        }
    }
    if rows.len() < wanted {
        return Err(Error::failed(say!("ended before all drills were done", "завершено до конца учений")));
    }
    let broken = rows.iter().any(|row| match row.outcome {
        Outcome::Broken => true,
        Outcome::NotTried => args.strict,
        Outcome::Held => false,
    });
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
