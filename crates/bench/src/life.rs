//! What does Orch cost when it starts, when it rests and while it serves? (goals 4, 5, 6 and 17)

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use orch_store::Reader;

use crate::Plan;
use crate::brain::Brain;
use crate::figure::{Figures, machine, ms};
use crate::home::Home;
use crate::ingest::target;
use crate::load;

/// Resident memory.
pub(crate) fn memory(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    let (mut first, mut idle, mut load, mut after) =
        (Figures::default(), Figures::default(), Figures::default(), Figures::default());
    for round in 0..plan.rounds {
        let brain = Brain::start(&plan.orch, &home)?;
        first.0.push(brain.resident());
        home.rests()?;
        std::thread::sleep(plan.length.min(Duration::from_secs(5)));
        idle.0.push(brain.resident());
        brain.forget_peak();
        load::closed(&target(&home, &brain, &format!("memory-{}-{round}", brain.pid()))?, 64, plan.length)?;
        load.0.push(brain.peak());
        std::thread::sleep(plan.length.min(Duration::from_secs(2)));
        after.0.push(brain.resident());
        brain.stop()?;
    }
    println!("memory: at the first answer {} MiB, at rest {} MiB", first.said(1), idle.said(1));
    println!("memory: under load {} MiB, after it {} MiB", load.said(1), after.said(1));
    Ok(())
}

/// From the start of the process to the first answer, and the same after kill -9.
pub(crate) fn start(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    // The first start makes the hub.
    Brain::start(&plan.orch, &home)?.stop()?;
    let (mut calm, mut cpu, mut killed, mut works) =
        (Figures::default(), Figures::default(), Figures::default(), Figures::default());
    for round in 0..plan.rounds * 3 {
        let brain = Brain::start(&plan.orch, &home)?;
        calm.0.push(ms(brain.answered));
        cpu.0.push(ms(brain.used()?.cpu()));
        load::closed(
            &target(&home, &brain, &format!("start-{}-{round}", brain.pid()))?,
            16,
            plan.length / 16,
        )?;
        brain.kill()?;
        let began = Instant::now();
        let brain = Brain::start(&plan.orch, &home)?;
        killed.0.push(ms(brain.answered));
        let once = target(&home, &brain, &format!("again-{}-{round}", brain.pid()))?;
        let answers = load::open(&once, 1, 1e6, Duration::from_micros(50_001))?;
        answers.taken().first().context("the first delivery after a kill was not taken")?;
        works.0.push(ms(began.elapsed()));
        brain.stop()?;
    }
    println!("start: first answer after {} ms, {} ms of processor", calm.said(1), cpu.said(1));
    println!("start: after kill -9 in the middle of deliveries: first answer {} ms", killed.said(1));
    println!(
        "start: ... and a first delivery decided and committed, reading the list of tasks included: {} ms",
        works.said(1)
    );
    Ok(())
}

/// After a kill with something due for every task: the first answer, and until each has its next step.
pub(crate) fn due(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = Home::stranded(&plan.scratch, plan.tasks)?;
    let pristine = home.folder().join("stranded.db");
    std::fs::copy(home.store(), &pristine)?;
    // The first start makes the hub.
    Brain::start(&plan.orch, &home)?.kill()?;
    let (mut first, mut all, mut cpu) = (Figures::default(), Figures::default(), Figures::default());
    let (mut timers, mut effects) = (0, 0);
    for _ in 0..plan.rounds {
        for beside in ["orch.db-wal", "orch.db-shm"] {
            let _ = std::fs::remove_file(home.folder().join(beside));
        }
        std::fs::copy(&pristine, home.store())?;
        std::fs::File::open(home.store())?.sync_all()?;
        let mut reader = Reader::open(&home.store())?;
        let now = orch_engine::clock::now();
        let due = |reader: &mut Reader| -> Result<usize> {
            Ok(reader.armed_timers()?.iter().filter(|(_, timer)| timer.due <= now).count())
        };
        (timers, effects) = (due(&mut reader)?, reader.open_effects()?.len());
        let began = Instant::now();
        let brain = Brain::start(&plan.orch, &home)?;
        first.0.push(ms(brain.answered));
        while due(&mut reader)? > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        all.0.push(ms(began.elapsed()));
        cpu.0.push(ms(brain.used()?.cpu()));
        brain.kill()?;
    }
    println!(
        "due: after a kill with {timers} timers due and {effects} effects open: first answer {} ms",
        first.said(1)
    );
    println!(
        "due: ... until each task has its next step {} ms, {} ms of processor",
        all.said(1),
        cpu.said(1)
    );
    Ok(())
}

/// What it does when nothing is due.
pub(crate) fn idle(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    let brain = Brain::start(&plan.orch, &home)?;
    // Until what the start left is done, and what it started has ended.
    home.rests()?;
    std::thread::sleep(plan.length.min(Duration::from_secs(12)));
    let before = brain.used()?;
    std::thread::sleep(plan.length * 15);
    let used = brain.used()?.since(&before);
    println!(
        "idle: {:.2} wake-ups a second, {:.3}% of a core, {} KiB written, over {:.0} s; {:.1} MiB, {} threads",
        used.wakes as f64 / used.seconds,
        used.cpu.as_secs_f64() / used.seconds * 100.0,
        used.written >> 10,
        used.seconds,
        brain.resident(),
        std::fs::read_dir(format!("/proc/{}/task", brain.pid()))?.count(),
    );
    brain.stop()
}
