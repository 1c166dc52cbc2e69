//! How fast, how small, how patient is Orch? The figures of `docs/figures.md`, each by the name it has there.
//!
//! Most of them start the real binary on a prepared data folder and look at it from outside: over TCP, and in `/proc`.

mod figure;
mod flow;
mod home;
mod brain;
mod letter;
mod load;
mod merge;
mod audit;
mod ingest;
mod patience;
mod life;
mod agents;
mod work;
mod heart;
mod lifecycles;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::home::Home;

const USAGE: &str = "\
Usage: orch-bench <figure> [options]

  ingest      durable signed deliveries a second, and processor time of one
  tail        latency at a fixed rate, with checkpoints and a backup
  overload    ten times as much as it can take: what was acknowledged is there, the rest is refused
  memory      resident memory, at rest and under load
  agents      memory and latency while 20 agents write a gigabyte of log each
  start       from the start of the process to the first answer; the same after kill -9
  due         the same after a kill with a timer due or an effect open for each task: until all have their next step
  idle        wake-ups, processor time and writes when nothing is due
  heart       the brain's step alone, on a store in memory: for comparing one build with another
  sim         whole lives of tasks that the simulator plays in a minute of processor, with faults and every promise
  sim-store   the same on the real store, which each death of the brain drops and opens again
  work        effects a second, from wanted to settled; how soon one is begun; what a stage costs of its own
  tree        a tree of 50,000 files for a run
  merge       main moved in a repository of 50,000 files, once a candidate is tested
  audit       `orch audit` over a main on which each of the tasks landed, and over one with planted gaps
  fill        only prepares a data folder
  all         all of them
  smoke       all of them, as small as can be: proves that they run and that nothing is lost

  --tasks N       open tasks (10000)
  --rows N        rows of finished tasks besides (0)
  --seconds N     how long one measurement takes (8)
  --rounds N      how often it is repeated (3)
  --rate N        deliveries a second, for `tail` (1000)
  --home DIR      a data folder made by `fill`; it is used, and changed
  --scratch DIR   where data folders are made (the system's folder for temporary files)
  --orch FILE     the program (`orch` beside this one)
  --python FILE   a Python with fastapi and uvicorn: `ingest` measures the ordinary receiver in turn";

/// What was asked for.
pub(crate) struct Plan {
    pub(crate) tasks: u64,
    pub(crate) rows: u64,
    pub(crate) length: Duration,
    pub(crate) rounds: usize,
    pub(crate) rate: f64,
    pub(crate) scratch: PathBuf,
    pub(crate) orch: PathBuf,
    pub(crate) python: Option<PathBuf>,
    given: Option<PathBuf>,
}

impl Plan {
    /// A data folder as asked for: the one given, or a new one.
    pub(crate) fn home(&self) -> Result<Home> {
        match &self.given {
            Some(folder) => Home::at(folder),
            None => Home::make(&self.scratch, self.tasks, self.rows),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((figure, options)) if !figure.starts_with('-') => {
            plan(options).and_then(|plan| run(figure, plan))
        }
        Some(_) | None => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn plan(options: &[String]) -> Result<Plan> {
    let own = std::env::current_exe().context("this program has no path")?;
    let mut plan = Plan {
        tasks: 10_000,
        rows: 0,
        length: Duration::from_secs(8),
        rounds: 3,
        rate: 1000.0,
        scratch: std::env::temp_dir(),
        orch: own.with_file_name("orch"),
        python: None,
        given: None,
    };
    for pair in options.chunks(2) {
        let [name, value] = pair else { bail!("{} needs a value\n\n{USAGE}", pair[0]) };
        let number = || value.parse::<u64>().with_context(|| format!("{name}: `{value}` is not a number"));
        match name.as_str() {
            "--tasks" => plan.tasks = number()?,
            "--rows" => plan.rows = number()?,
            "--seconds" => plan.length = Duration::from_secs(number()?),
            "--rounds" => plan.rounds = number()?.max(1) as usize,
            "--rate" => plan.rate = number()?.max(1) as f64,
            "--home" => plan.given = Some(value.into()),
            "--scratch" => plan.scratch = value.into(),
            "--orch" => plan.orch = value.into(),
            "--python" => plan.python = Some(value.into()),
            other => bail!("there is no option `{other}`\n\n{USAGE}"),
        }
    }
    Ok(plan)
}

fn run(figure: &str, mut plan: Plan) -> Result<()> {
    println!("{}", figure::machine(&plan.scratch)?);
    match figure {
        "ingest" => ingest::run(&plan),
        "tail" => patience::tail(&plan),
        "overload" => patience::overload(&plan),
        "memory" => life::memory(&plan),
        "agents" => agents::run(&plan, 20, 1 << 30),
        "start" => life::start(&plan),
        "due" => life::due(&plan),
        "idle" => life::idle(&plan),
        "heart" => heart::run(&plan),
        "sim" => lifecycles::run(&plan, lifecycles::On::Memory),
        "sim-store" => lifecycles::run(&plan, lifecycles::On::Store),
        "work" => work::run(&plan),
        "tree" => tree::run(&plan, 50_000),
        "merge" => merge::run(&plan, 50_000),
        "audit" => audit::run(&plan),
        "fill" => {
            let home = plan.home()?.kept();
            println!("{}", home.display());
            Ok(())
        }
        "all" | "smoke" => {
            let (files, log) = if figure == "smoke" {
                plan.tasks = plan.tasks.min(60);
                plan.length = Duration::from_secs(1);
                plan.rounds = 1;
                plan.rate = 100.0;
                (200, 1 << 20)
            } else {
                (50_000, 1 << 30)
            };
            heart::run(&plan)?;
            lifecycles::run(&plan, lifecycles::On::Memory)?;
            lifecycles::run(&plan, lifecycles::On::Store)?;
            work::run(&plan)?;
            tree::run(&plan, files)?;
            merge::run(&plan, files)?;
            audit::run(&plan)?;
            life::start(&plan)?;
            life::due(&plan)?;
            life::idle(&plan)?;
            life::memory(&plan)?;
            agents::run(&plan, 20, log)?;
            ingest::run(&plan)?;
            patience::tail(&plan)?;
            patience::overload(&plan)
        }
        other => bail!("there is no figure `{other}`\n\n{USAGE}"),
    }
}
