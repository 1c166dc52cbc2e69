//! Is a wall clock that was set while no brain ran noticed first, told once, and does what was due come once? (decision 62)
//!
//! The host's clock is not touched. A time namespace moves the boot clock of the brain instead: for the brain, which counts
//! the wall clock from the boot clock, that is the same as a wall clock that was set the other way.

use std::fs;
use std::process::Command;

use orch_core::event::Event;
use orch_core::id::Seq;
use orch_core::task::Step;
use orch_engine::clock;

use super::yard::Yard;
use super::{Told, Unmet, both};

/// By how much, in seconds.
const JUMP: i64 = 7200;

/// What of the jump may be lost in rounding and in what passes between two looks, in milliseconds.
const SLACK: i64 = 2000;

pub(super) fn fault() -> String {
    both!(
        "the brain is killed while a task waits, and comes back in a time namespace in which the wall clock stands two hours earlier against the boot clock",
        "мозг убит, пока задача ждёт, и возвращается в пространстве времени, где часы отстали от часов загрузки на два часа"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the step is the first row after the start, told once and exactly; what was due comes once; the journal folds",
        "сдвиг стоит первой строкой после запуска, назван один раз и точно; что было в срок, приходит один раз; журнал сворачивается"
    )
}

/// How long the machine runs, as a program under these words sees it.
fn uptime(words: &[&str]) -> Option<f64> {
    let (program, arguments) = words.split_first()?;
    let said = Command::new(program).args(arguments).arg("cat").arg("/proc/uptime").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.split(' ').next()?.parse().ok()
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    let jump = JUMP.to_string();
    let wrapper = ["unshare", "--time", "--boottime", &jump, "--"];
    let (plain, moved) = (uptime(&["env"]), uptime(&wrapper));
    if !plain.zip(moved).is_some_and(|(plain, moved)| (moved - plain - JUMP as f64).abs() < 60.0) {
        return Err(Unmet::NotTried(both!(
            "no time namespace can be made here (that takes Linux 5.6, util-linux 2.36 and root), and the clock of the machine is left alone",
            "пространство имён времени здесь не создать (нужны Linux 5.6, util-linux 2.36 и root), а часы машины не трогаются"
        )));
    }
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    let (here, away) = (yard.repository(), yard.folder().join("repository.away"));
    fs::rename(&here, &away).map_err(|e| Unmet::Broken(e.to_string()))?;
    yard.go(&works)?;
    let what = both!("the task waits for a moment", "задача ждёт срока");
    let waits = yard.until_task(&id, &what, |task| match &task.step {
        Step::Backoff { tries, timer, .. } => (*tries >= 3).then_some(*timer),
        Step::Rest(_) | Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } => None,
    });
    yard.kill_brain();
    fs::rename(&away, &here).map_err(|e| Unmet::Broken(e.to_string()))?;
    let timer = waits?;
    let before = yard.head()?;
    let began = clock::now();
    yard.up_in(&wrapper)?;
    yard.delivered(&id)?;
    let recovery = clock::now().since(began);
    let rows = yard.rows(before)?;
    let steps: Vec<(usize, i64)> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| match (&row.entity, &row.event) {
            (orch_core::id::Entity::Installation, Event::ClockStepped { by }) => Some((at, *by)),
            _ => None, // not a domain enum
        })
        .collect();
    match steps.as_slice() {
        [(0, by)] if (by + JUMP * 1000).abs() < SLACK => {}
        _ => {
            return Err(Unmet::Broken(both!(
                "steps of the clock, by row and milliseconds: {steps:?}",
                "сдвиги часов, по строкам и миллисекундам: {steps:?}"
            )));
        }
    }
    let over =
        yard.rows(Seq(0))?.iter().filter(|row| matches!(row.event, Event::Timer(it) if it == timer)).count();
    if over != 1 {
        return Err(Unmet::Broken(both!(
            "the wait was over {over} times, and should be once",
            "ожидание кончилось столько раз: {over}, а должно один"
        )));
    }
    yard.once(&id)?;
    let by = steps.first().map_or(0.0, |(_, by)| *by as f64 / 1000.0);
    let happened = both!(
        "a step by {by:.3} s was the first row, told once; the wait was over once; merged once",
        "сдвиг на {by:.3} с стоит первой строкой, назван один раз; ожидание кончилось один раз; слито один раз"
    );
    Ok(Told { happened, recovery })
}
