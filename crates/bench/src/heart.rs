//! What does one event cost in the brain itself? Readings that changed, decided and committed to a store in memory: no
//! disk, no network, nothing else. For comparing one build with another, never for a promise.

use std::path::Path;

use anyhow::{Result, bail};
use orch_core::id::ProjectId;
use orch_engine::{Ack, Engine, clock};
use orch_store::SqliteJournal;

use crate::Plan;
use crate::brain::cpu_of;
use crate::figure::{Figures, machine};
use crate::flow::{self, reading};
use crate::home::PROJECT;

/// Events of one step: what gathers while a commit waits for a disk.
const BATCH: u64 = 64;

/// Measures processor time an event.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    let known = home.known()?;
    let memory = Path::new("/dev/shm");
    let folder =
        if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir_in(&plan.scratch)? };
    let store = folder.path().join("orch.db");
    std::fs::copy(home.store(), &store)?;
    let journal = SqliteJournal::open(&store)?;
    let checkpointer = journal.checkpointer()?;
    let checkpoints = std::thread::spawn(move || checkpointer.run());
    let (mut engine, _) = Engine::take_over(journal)?;
    let _ = engine.step(clock::now(), vec![flow::start()])?;
    let project = ProjectId::from(PROJECT);
    let mut costs = Figures::default();
    let mut n = 0;
    for _ in 0..plan.rounds * 5 {
        let (mut events, before) = (0, cpu_of("self")?);
        let mut making = std::time::Duration::ZERO;
        while events < plan.tasks {
            let made = std::time::Instant::now();
            let mut told = Vec::new();
            for _ in 0..BATCH {
                n += 1;
                let Some(about) = known.get(n as usize % known.len()) else { bail!("there is no open task") };
                let mut issue =
                    flow::issue(&project, about.number, orch_core::call::tracker::Status::Backlog, false);
                issue.status = about.status();
                issue.text = format!("edit {n}: {}", "words of the request ".repeat(130));
                told.push(reading(&issue, "BENCH").keyed(format!("hook/{PROJECT}/heart-{n}")));
            }
            making += made.elapsed();
            let stepped = engine.step(clock::now(), told)?;
            if stepped.acks.iter().any(|ack| !matches!(ack, Ack::Accepted { .. })) {
                bail!("an event was not accepted");
            }
            events += BATCH;
        }
        let used = cpu_of("self")?.saturating_sub(before).saturating_sub(making);
        costs.0.push(used.as_secs_f64() * 1e6 / events as f64);
    }
    engine.into_journal().close()?;
    checkpoints.join().map_err(|_| anyhow::anyhow!("the checkpoints ended in a panic"))?;
    println!("heart: {} us of processor an event, in steps of {BATCH}", costs.said(1));
    Ok(())
}
