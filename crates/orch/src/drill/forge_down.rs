//! Does a task wait with a reason that a person can read while the repository is away, and go on by itself? (decision 14)

use std::fs;

use orch_core::task::{Delay, Step};
use orch_engine::clock;

use super::yard::Yard;
use super::{Told, Unmet, both};

/// So often it is asked in vain before the repository is back.
const TRIES: u32 = 3;

pub(super) fn fault() -> String {
    both!(
        "the project's repository is moved away until it was asked for {TRIES} times",
        "репозиторий проекта убран, пока число обращений к нему не достигнет {TRIES}"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the task waits with the reason and asks again; when the repository is back it goes on by itself, charged to nobody",
        "задача ждёт с причиной и спрашивает снова; когда репозиторий на месте, продолжает сама, никто не платит"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    let (here, away) = (yard.repository(), yard.folder().join("repository.away"));
    fs::rename(&here, &away).map_err(|e| Unmet::Broken(e.to_string()))?;
    yard.go(&works)?;
    let what = both!("the task waits for the repository", "задача ждёт репозиторий");
    let waits = yard.until_task(&id, &what, |task| match &task.step {
        Step::Backoff { tries, cause: Delay::Outage { .. }, .. } => (*tries >= TRIES).then_some(()),
        Step::Backoff { .. }
        | Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. } => None,
    });
    let why = yard.why(&id);
    fs::rename(&away, &here).map_err(|e| Unmet::Broken(e.to_string()))?;
    let back = clock::now();
    waits?;
    let why = why?;
    let task = yard.delivered(&id)?;
    let recovery = clock::now().since(back);
    let charged = (task.attempts.negative, task.attempts.fruitless, task.attempts.machine);
    if charged != (0, 0, 0) {
        return Err(Unmet::Broken(both!("charged: {charged:?}", "списано: {charged:?}")));
    }
    yard.once(&id)?;
    let happened = both!(
        "it said: \u{201c}{why}\u{201d}; then it went on by itself; merged once",
        "она сказала: «{why}»; затем продолжила сама; слито один раз"
    );
    Ok(Told { happened, recovery })
}
