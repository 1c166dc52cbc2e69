//! Are tests whose supervisor was killed no verdict, neither way, and run again at nobody's cost? (decisions 14, 36)

use orch_core::event::RunHow;
use orch_core::gate::GateId;
use orch_core::task::Task;
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

/// The project's tests: they wait until they may go on, with a child of their own.
const TESTS: &str = "while [ ! -e go ]; do sleep 0.05; done\ngrep -q '^a line for ' lines.txt\n";

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to the supervisor of the project's tests while they run",
        "SIGKILL супервизору тестов проекта, пока они идут"
    )
}

pub(super) fn expected() -> String {
    both!(
        "no verdict: neither passed nor failed; nothing of the tests lives on; they run again, nobody is charged",
        "вердикта нет, ни хорошего, ни плохого; от тестов ничего не осталось; они идут снова, никто не платит"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.on_main("test.sh", TESTS)?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    yard.go(&works)?;
    let lost = yard.tests(&id, 1)?;
    let family = look::family(&lost.agent);
    for process in &family {
        yard.own(process.clone());
    }
    look::signal(&lost.shim, Signal::KILL);
    let killed = clock::now();
    let again = yard.tests(&id, 2)?;
    let recovery = clock::now().since(killed);
    if family.iter().any(look::lives) {
        return Err(Unmet::Broken(both!(
            "processes of the lost tests live beside the new ones",
            "процессы потерянных тестов живут рядом с новыми"
        )));
    }
    let judged = |task: Task| task.evidence.iter().any(|evidence| evidence.gate == GateId::CheckCiGreen);
    if yard.task(&id)?.is_some_and(judged) {
        return Err(Unmet::Broken(both!(
            "the lost tests have a verdict",
            "у потерянных тестов есть вердикт"
        )));
    }
    yard.go(&again)?;
    // Those of the candidate.
    let last = yard.tests(&id, 3)?;
    yard.go(&last)?;
    let task = yard.delivered(&id)?;
    let end = task.runs.iter().find(|row| row.run == lost.run).and_then(|row| row.end.clone());
    let charged = (task.attempts.negative, task.attempts.fruitless, task.attempts.machine);
    if !matches!(end, Some(RunHow::Lost { .. })) || charged != (0, 0, 0) {
        return Err(Unmet::Broken(both!(
            "the tests ended as {end:?}, charged {charged:?}",
            "тесты завершены как {end:?}, списано {charged:?}"
        )));
    }
    yard.once(&id)?;
    let happened = both!(
        "no verdict came of the killed tests; run again they passed; charged to nobody; merged once",
        "убитые тесты не дали вердикта; повторные прошли; никто не заплатил; слито один раз"
    );
    Ok(Told { happened, recovery })
}
