//! Is a run whose supervisor was killed over for good, with all its processes, and done again at nobody's cost? (decision 7)

use orch_core::event::RunHow;
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to the supervisor of a run, whose agent has a child of its own",
        "SIGKILL супервизору запуска, у агента которого есть свой дочерний процесс"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the run counts as lost, all its processes end, nobody is charged, another run begins and its work is delivered",
        "запуск считается потерянным, все его процессы завершаются, никто не платит, начинается другой запуск, его работа доставлена"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let (id, lost) = yard.begin("A line more")?;
    let family = look::family(&lost.agent);
    for process in &family {
        yard.own(process.clone());
    }
    look::signal(&lost.shim, Signal::KILL);
    let killed = clock::now();
    let again = yard.developer(&id, 2)?;
    let recovery = clock::now().since(killed);
    if family.iter().any(look::lives) {
        return Err(Unmet::Broken(both!(
            "processes of the lost run live beside the new one",
            "процессы потерянного запуска живут рядом с новым"
        )));
    }
    yard.go(&again)?;
    let task = yard.delivered(&id)?;
    let row = task.runs.iter().find(|row| row.run == lost.run);
    let charged = (task.attempts.negative, task.attempts.fruitless, task.attempts.machine);
    if !row.is_some_and(|row| matches!(row.end, Some(RunHow::Lost { .. }))) || charged != (0, 0, 0) {
        let end = row.and_then(|row| row.end.as_ref());
        return Err(Unmet::Broken(both!(
            "the run ended as {end:?}, charged {charged:?}",
            "запуск завершён как {end:?}, списано {charged:?}"
        )));
    }
    yard.once(&id)?;
    let count = family.len();
    let happened = both!(
        "the run was lost, its {count} processes were gone before the next began; charged to nobody; merged once",
        "запуск потерян, его процессы ({count}) исчезли до начала следующего; никто не заплатил; слито один раз"
    );
    Ok(Told { happened, recovery })
}
