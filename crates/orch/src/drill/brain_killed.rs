//! Does an agent go on when the brain is killed, and is its work taken when there is a brain again? (decision 7)

use super::yard::Yard;
use super::{Told, Unmet, both, look};

pub(super) fn fault() -> String {
    both!("SIGKILL to the brain while an agent runs", "SIGKILL мозгу, пока работает агент")
}

pub(super) fn expected() -> String {
    both!(
        "the same agent process goes on; after a start it is found again; one branch, one change request, one merge",
        "тот же процесс агента продолжает работу; после запуска он найден снова; одна ветка, один запрос на изменение, одно слияние"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    yard.kill_brain();
    let alone = look::lives(&works.shim) && look::lives(&works.agent);
    let recovery = yard.up()?;
    let found = yard.developer(&id, 1)?;
    if !alone || found.agent != works.agent || found.shim != works.shim {
        return Err(Unmet::Broken(both!("the agent did not live through it", "агент этого не пережил")));
    }
    yard.go(&works)?;
    yard.delivered_in_one_run(&id)?;
    let pid = works.agent.pid;
    let happened = both!(
        "agent {pid} worked on alone and was found again; its one run was taken; merged once",
        "агент {pid} работал дальше один и был найден снова; его единственный запуск принят; слито один раз"
    );
    Ok(Told { happened, recovery })
}
