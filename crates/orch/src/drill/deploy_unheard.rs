//! Is a deploy found done whose hook and supervisor were killed before they could say so? (decisions 7, 22)

use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, catcher, look, target};

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to the supervisor of the deploy hook, and to the hook, after it deployed and before it said so",
        "SIGKILL супервизору хука развёртывания и самому хуку после развёртывания, но до ответа"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the service is asked and names the commit: delivered; the hook does not run again",
        "сервис спрошен и называет коммит: доставлено; хук не запускается снова"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    target::make(yard, true)?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    catcher::set(yard, "after")?;
    target::travel(yard, &id, &works)?;
    let hook = catcher::caught(yard, "after")?;
    let Some(shim) = look::parent_of(&hook) else {
        return Err(Unmet::Broken(both!("the hook has no supervisor", "у хука нет супервизора")));
    };
    look::signal(&shim, Signal::KILL);
    look::signal(&hook, Signal::KILL);
    let killed = clock::now();
    let task = yard.delivered(&id)?;
    let recovery = clock::now().since(killed);
    let (ran, deployed) = target::seen(yard);
    if ran != 1 || task.merged.as_ref().is_none_or(|merged| merged.commit.as_str() != deployed) {
        return Err(Unmet::Broken(both!(
            "the hook ran {ran} times, deployed is {deployed}",
            "хук запускался раз: {ran}, развёрнут {deployed}"
        )));
    }
    // Without an answer of the service a person would have had to say how it came out.
    if !task.deployed.as_ref().is_some_and(|it| it.healthy == Some(true) && it.seen_by.is_none()) {
        let deployed = task.deployed;
        return Err(Unmet::Broken(both!(
            "the service was not asked: {deployed:?}",
            "сервис не спрошен: {deployed:?}"
        )));
    }
    yard.once(&id)?;
    let happened = both!(
        "the service was asked and named the merge; the hook ran once; merged once",
        "сервис спрошен и назвал слияние; хук запущен один раз; слито один раз"
    );
    Ok(Told { happened, recovery })
}
