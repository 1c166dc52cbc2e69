//! Is an agent that is killed over with all that it started, and is there another attempt? (decision 15)

use orch_core::event::RunHow;
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to an agent that has a child of its own, as where a machine runs out of memory",
        "SIGKILL агенту с дочерним процессом, как при нехватке памяти"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the run is over with all its processes and costs an attempt; the next run's work is delivered",
        "запуск завершён со всеми процессами и стоит одной попытки; работа следующего запуска доставлена"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let (id, first) = yard.begin("A line more")?;
    let family = look::family(&first.agent);
    for process in &family {
        yard.own(process.clone());
    }
    look::signal(&first.agent, Signal::KILL);
    let killed = clock::now();
    let again = yard.developer(&id, 2)?;
    let recovery = clock::now().since(killed);
    if family.iter().chain([&first.shim]).any(look::lives) {
        return Err(Unmet::Broken(both!(
            "processes of the first run live beside the second",
            "процессы первого запуска живут рядом со вторым"
        )));
    }
    let charged = yard.task(&id)?.map(|task| (task.attempts.negative, task.attempts.fruitless));
    yard.go(&again)?;
    let task = yard.delivered(&id)?;
    let row = task.runs.iter().find(|row| row.run == first.run);
    let end = row.and_then(|row| row.end.clone());
    if end != Some(RunHow::Signalled { signal: 9 }) || charged != Some((0, 1)) {
        return Err(Unmet::Broken(both!(
            "the run ended as {end:?}, charged {charged:?}",
            "запуск завершён как {end:?}, списано {charged:?}"
        )));
    }
    yard.once(&id)?;
    let count = family.len();
    let happened = both!(
        "all {count} processes were gone before the next run began; it cost one attempt; merged once",
        "все процессы ({count}) исчезли до начала следующего запуска; списана одна попытка; слито один раз"
    );
    Ok(Told { happened, recovery })
}
