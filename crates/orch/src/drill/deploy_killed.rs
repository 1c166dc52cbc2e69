//! Is a deploy whose hook was killed neither a success nor repeated by itself, until a person says what to do? (decisions 22,
//! 36, 64)

use orch_core::task::{Rest, Step};
use orch_engine::clock;
use serde_json::json;

use super::yard::Yard;
use super::{Told, Unmet, both, catcher, target};

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to the deploy hook before it deployed; nobody can ask the service",
        "SIGKILL хуку развёртывания до того, как он что-то развернул; спросить сервис нельзя"
    )
}

pub(super) fn expected() -> String {
    both!(
        "no success and no second deploy by itself: the task waits for a person, says why, and goes on at their word",
        "ни успеха, ни второго развёртывания само собой: задача ждёт человека, говорит почему и продолжает по его слову"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    target::make(yard, false)?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    catcher::set(yard, "before")?;
    target::travel(yard, &id, &works)?;
    catcher::kill(yard, "before")?;
    let killed = clock::now();
    let what = both!("a person is asked what became of it", "человека спрашивают, что вышло");
    yard.until_task(&id, &what, |task| {
        matches!(task.step, Step::Rest(Rest::CannotTell { .. })).then_some(())
    })?;
    let recovery = clock::now().since(killed);
    let why = yard.why(&id)?;
    if target::seen(yard).0 != 1 {
        return Err(Unmet::Broken(both!("the hook ran again by itself", "хук запущен снова сам собой")));
    }
    yard.post(&format!("/api/v1/tasks/{id}/retry"), &json!({}))?;
    let what = both!("the hook ran again", "хук запущен снова");
    yard.until_task(&id, &what, |task| (task.step == Step::Rest(Rest::DeployUnseen)).then_some(()))?;
    yard.post(&format!("/api/v1/tasks/{id}/accept"), &json!({}))?;
    let task = yard.delivered(&id)?;
    let (ran, deployed) = target::seen(yard);
    if ran != 2 || task.merged.is_none_or(|merged| merged.commit.as_str() != deployed) {
        return Err(Unmet::Broken(both!(
            "the hook ran {ran} times, deployed is {deployed}",
            "хук запускался раз: {ran}, развёрнут {deployed}"
        )));
    }
    yard.once(&id)?;
    let happened = both!(
        "it said: \u{201c}{why}\u{201d}; at a person's word the hook ran once more; merged once",
        "она сказала: «{why}»; по слову человека хук запущен ещё раз; слито один раз"
    );
    Ok(Told { happened, recovery })
}
