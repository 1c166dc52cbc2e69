//! How long does a delivery wait at worst, and what happens when there are far too many? (goals 2 and 3)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::Plan;
use crate::brain::Brain;
use crate::figure::{Figures, machine, ms};
use crate::ingest::{check, target};
use crate::load;

/// Latency at a fixed rate while the log is moved into the file and a backup is taken.
pub(crate) fn tail(plan: &Plan) -> Result<()> {
    let home = plan.home()?;
    let brain = Brain::start(&plan.orch, &home)?;
    home.rests()?;
    load::closed(&target(&home, &brain, "tail-warm")?, 64, plan.length / 8)?;
    for (run, backup) in [("tail-plain", false), ("tail-backup", true)] {
        println!("{}", machine(&plan.scratch)?);
        let (aim, head, before) = (target(&home, &brain, run)?, home.head()?, brain.used()?);
        let (store, copy) = (home.store(), home.folder().join(format!("{run}.copy")));
        let delay = plan.length / 4;
        let saved = backup.then(|| {
            std::thread::spawn(move || {
                std::thread::sleep(delay);
                let began = Instant::now();
                orch_store::backup::online(&store, &copy).map(|_| began.elapsed())
            })
        });
        let answers = load::open(&aim, 64, plan.rate, plan.length)?;
        let used = brain.used()?.since(&before);
        let took = match saved {
            Some(thread) => {
                let took = thread.join().map_err(|_| anyhow::anyhow!("the backup ended in a panic"))?;
                format!(", a backup of {:.1} s meanwhile", took.context("the backup")?.as_secs_f64())
            }
            None => String::new(),
        };
        check(&answers, home.delivered(head, run)?)?;
        let (waits, other) = (answers.waits(), answers.all.len() - answers.taken().len());
        let share = used.cpu.as_secs_f64() / used.seconds;
        println!(
            "tail: {} a second{took}: {}; {other} not acknowledged; {:.0}% of a core",
            plan.rate,
            waits.tail(),
            share * 100.0
        );
    }
    brain.stop()
}

/// Ten times what it can take.
pub(crate) fn overload(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let home = plan.home()?;
    let brain = Brain::start(&plan.orch, &home)?;
    home.rests()?;
    let warm = load::closed(&target(&home, &brain, "overload-warm")?, 64, plan.length / 4)?;
    let can = warm.taken().len() as f64 / warm.took.as_secs_f64();
    let calm = brain.resident();
    brain.forget_peak();
    let head = home.head()?;
    let aim = target(&home, &brain, "overload")?;
    let answers = load::open(&aim, 1000, can * 10.0, plan.length)?;
    check(&answers, home.delivered(head, "overload")?)?;
    let refused: Vec<_> = answers.all.iter().filter(|answer| answer.status == 503).collect();
    if refused.iter().any(|answer| !answer.retry_after) {
        bail!("a refusal does not say when to come back");
    }
    let broken = answers.all.len() - answers.taken().len() - refused.len();
    let peak = brain.peak();
    let back = time_back(plan, &home, &brain)?;
    let sent = answers.all.len() as f64 / answers.took.as_secs_f64();
    println!(
        "overload: {can:.0} a second are its measure; {sent:.0} a second sent for {:.0} s over 1000 connections: {} \
         acknowledged and all of them stored ({:.0} a second), {} refused with Retry-After, {broken} other",
        answers.took.as_secs_f64(),
        answers.taken().len(),
        answers.taken().len() as f64 / answers.took.as_secs_f64(),
        refused.len(),
    );
    let exchange = Figures(answers.all.iter().map(|answer| ms(answer.wait)).collect());
    println!("overload: waits counted from when they were due: {}", exchange.tail());
    println!(
        "overload: memory {calm:.1} MiB before, {peak:.1} MiB at most; calm again after {:.2} s",
        back.as_secs_f64()
    );
    brain.stop()
}

/// How long until ten deliveries in a row are answered within 25 ms.
fn time_back(plan: &Plan, home: &crate::home::Home, brain: &Brain) -> Result<Duration> {
    let began = Instant::now();
    let aim = target(home, brain, "after")?;
    let over = Arc::new(AtomicBool::new(false));
    while !over.load(Ordering::Relaxed) {
        let answers = load::open(&aim, 1, 200.0, Duration::from_millis(110))?;
        let good = answers.all.iter().all(|answer| answer.wait < Duration::from_millis(25));
        over.store(good && !answers.all.is_empty(), Ordering::Relaxed);
        if began.elapsed() > plan.length + Duration::from_secs(30) {
            bail!("it did not come back");
        }
    }
    Ok(began.elapsed())
}
