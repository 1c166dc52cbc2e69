//! Is an agent that does nothing ended at its limit, with all that it started, and is there another attempt? (decision 15)

use orch_adapters::process::{Ending, Observed, observe};
use orch_core::event::RunHow;
use orch_core::time::Moment;
use orch_engine::clock;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

pub(super) fn fault() -> String {
    both!(
        "an agent with a child of its own writes nothing and does not end; the policy allows one minute",
        "агент с дочерним процессом ничего не пишет и не завершается; политика отводит одну минуту"
    )
}

pub(super) fn expected() -> String {
    both!(
        "after a minute the run is ended with all its processes and costs an attempt; the next run's work is delivered",
        "через минуту запуск завершён со всеми процессами и стоит одной попытки; работа следующего запуска доставлена"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.policy("\n[limits]\nrun_minutes = 1\n")?;
    yard.up()?;
    let (id, hung) = yard.begin("A line more")?;
    let family = look::family(&hung.agent);
    for process in &family {
        yard.own(process.clone());
    }
    let again = yard.developer(&id, 2)?;
    let now = clock::now();
    let Observed::Ended(end) = observe(&yard.home().runs().join(hung.run.to_string())) else {
        return Err(Unmet::Broken(both!("the hung run left no record", "зависший запуск не оставил записи")));
    };
    if end.ending != Ending::TimeLimit || family.iter().any(look::lives) {
        let ending = &end.ending;
        return Err(Unmet::Broken(both!(
            "the run ended as {ending:?}, or left processes",
            "запуск завершён как {ending:?} или оставил процессы"
        )));
    }
    yard.go(&again)?;
    let task = yard.delivered(&id)?;
    let row = task.runs.iter().find(|row| row.run == hung.run);
    if !row.is_some_and(|row| row.end == Some(RunHow::TimedOut)) {
        return Err(Unmet::Broken(both!(
            "the journal does not say why it ended",
            "журнал не говорит, почему он завершён"
        )));
    }
    yard.once(&id)?;
    let after = end.wall_ms as f64 / 1000.0;
    let count = family.len();
    let happened = both!(
        "ended after {after:.1} s with all {count} processes; the next run was delivered; merged once",
        "завершён через {after:.1} с со всеми процессами ({count}); следующий запуск доставлен; слито один раз"
    );
    // Of the record, so that what Orch took to notice is in it.
    Ok(Told { happened, recovery: now.since(Moment(end.ended_ms.cast_signed())) })
}
