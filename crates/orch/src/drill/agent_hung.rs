//! Is an agent that does nothing ended at its limit, with all that it started, and is there another attempt? (decision 15)

use orch_adapters::process::{Ending, Observed, observe};
use orch_core::event::RunHow;
use orch_core::time::Moment;
use orch_engine::clock;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

/// What the policy allows, in milliseconds.
const LIMIT: u64 = 60_000;

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
    if !(LIMIT..2 * LIMIT).contains(&end.wall_ms) {
        let after = end.wall_ms as f64 / 1000.0;
        return Err(Unmet::Broken(both!(
            "the run was ended after {after:.1} s, and should be after a minute",
            "запуск завершён через {after:.1} с, а должен через минуту"
        )));
    }
    let charged = yard.task(&id)?.map(|task| (task.attempts.negative, task.attempts.fruitless));
    yard.go(&again)?;
    let task = yard.delivered(&id)?;
    let row = task.runs.iter().find(|row| row.run == hung.run);
    let told = row.and_then(|row| row.end.clone());
    if told != Some(RunHow::TimedOut) || charged != Some((0, 1)) {
        return Err(Unmet::Broken(both!(
            "the journal says that the run ended as {told:?}, charged {charged:?}",
            "по журналу запуск завершён как {told:?}, списано {charged:?}"
        )));
    }
    yard.once(&id)?;
    let after = end.wall_ms as f64 / 1000.0;
    let count = family.len();
    let happened = both!(
        "ended after {after:.1} s with all {count} processes; it cost one attempt; the next run was delivered; merged once",
        "завершён через {after:.1} с со всеми процессами ({count}); списана одна попытка; следующий запуск доставлен; слито один раз"
    );
    // Of the record, so that what Orch took to notice is in it.
    Ok(Told { happened, recovery: now.since(Moment(end.ended_ms.cast_signed())) })
}
