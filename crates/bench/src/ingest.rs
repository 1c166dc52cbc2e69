//! How many signed deliveries a second are durable before they are answered? (goal 1)

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::Plan;
use crate::brain::{Brain, cpu_of};
use crate::figure::{Figures, machine, ms};
use crate::home::{Home, free_port};
use crate::letter::{Letters, Speech};
use crate::load::{self, Answers, Target};

/// Connections of one run.
const CONNECTIONS: usize = 64;

/// The ordinary way to write a receiver, for comparison in the same minutes.
const RECEIVER: &str = include_str!("../receiver.py");

/// A target for a run of this name against a brain.
pub(crate) fn target(home: &Home, brain: &Brain, run: &str) -> Result<Target> {
    let letters = Letters::new(&home.secret()?, Speech::Orch(home.known()?), run)?;
    Ok(Target { address: brain.address, letters })
}

/// Fails if an acknowledged delivery is not in the journal, or is there twice.
pub(crate) fn check(answers: &Answers, written: Vec<u64>) -> Result<()> {
    let mut written = written;
    written.sort_unstable();
    if let Some(twice) = written.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("delivery {} was written twice", twice[0]);
    }
    let lost = answers.taken().into_iter().filter(|n| written.binary_search(n).is_err()).count();
    if lost > 0 {
        bail!("{lost} acknowledged deliveries are not in the journal");
    }
    Ok(())
}

#[derive(Default)]
struct Side {
    rate: Figures,
    cpu: Figures,
    p50: Figures,
    p99: Figures,
    /// Processor time of the sender itself.
    sending: Figures,
}

impl Side {
    fn note(&mut self, answers: &Answers, cpu: Duration, sending: Duration) {
        let taken = answers.taken().len() as f64;
        self.rate.0.push(taken / answers.took.as_secs_f64());
        self.cpu.0.push(cpu.as_secs_f64() * 1e6 / taken.max(1.0));
        self.sending.0.push(sending.as_secs_f64() * 1e6 / taken.max(1.0));
        self.p50.0.push(answers.waits().median());
        self.p99.0.push(answers.waits().at(0.99));
    }

    fn say(&self, who: &str) {
        let (rate, cpu) = (self.rate.said(0), self.cpu.said(0));
        let sending = self.sending.said(0);
        println!("ingest: {who}: {rate} a second, {cpu} us of processor each; sending took {sending} us");
        println!("ingest: {who}: p50 {} ms, p99 {} ms", self.p50.said(1), self.p99.said(1));
    }
}

/// Measures it, in turn with the ordinary receiver if there is a Python for that.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let home = plan.home()?;
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for round in 0..plan.rounds {
        println!("{}", machine(&plan.scratch)?);
        let answers = orch(plan, &home, round, &mut ours)?;
        println!("(round {round}: {} acknowledged, {} refused)", answers.taken().len(), answers.with(503));
        if let Some(python) = &plan.python {
            receiver(plan, python, &mut theirs)?;
        }
    }
    ours.say("Orch");
    if plan.python.is_some() {
        theirs.say("FastAPI, one commit each");
        println!("ingest: {:.1} times as many", ours.rate.median() / theirs.rate.median());
    }
    Ok(())
}

fn orch(plan: &Plan, home: &Home, round: usize, side: &mut Side) -> Result<Answers> {
    let brain = Brain::start(&plan.orch, home)?;
    home.rests()?;
    let run = format!("ingest-{}-{round}", brain.pid());
    load::closed(&target(home, &brain, &format!("{run}-warm"))?, CONNECTIONS, plan.length / 4)?;
    let (target, head) = (target(home, &brain, &run)?, home.head()?);
    let (before, own) = (brain.used()?, cpu_of("self")?);
    let answers = load::closed(&target, CONNECTIONS, plan.length)?;
    side.note(&answers, brain.used()?.since(&before).cpu, cpu_of("self")?.saturating_sub(own));
    check(&answers, home.delivered(head, &run)?)?;
    if answers.taken().is_empty() {
        bail!("nothing was acknowledged; statuses: {:?}", answers.all.first());
    }
    println!("(stopped in {:.0} ms)", {
        let began = std::time::Instant::now();
        brain.stop()?;
        ms(began.elapsed())
    });
    Ok(answers)
}

fn receiver(plan: &Plan, python: &Path, side: &mut Side) -> Result<()> {
    let folder = tempfile::tempdir_in(&plan.scratch)?;
    std::fs::write(folder.path().join("receiver.py"), RECEIVER)?;
    let port = free_port()?;
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "uvicorn",
            "receiver:app",
            "--host",
            "127.0.0.1",
            "--no-access-log",
            "--log-level",
            "warning",
        ])
        .args(["--port", &port.to_string()])
        .env("RECEIVER_DB", folder.path().join("receiver.db"))
        .env("RECEIVER_SECRET", "bench")
        .current_dir(folder.path());
    let brain = Brain::serve(command, port, "/health", &folder.path().join("log"))?;
    let target = |run| -> Result<Target> {
        Ok(Target { address: brain.address, letters: Letters::new(b"bench", Speech::Receiver, run)? })
    };
    load::closed(&target("warm")?, CONNECTIONS, plan.length / 4)?;
    let (target, before, own) = (target("run")?, brain.used()?, cpu_of("self")?);
    let answers = load::closed(&target, CONNECTIONS, plan.length)?;
    side.note(&answers, brain.used()?.since(&before).cpu, cpu_of("self")?.saturating_sub(own));
    brain.kill()
}
