//! Is a merge done once although the git program is killed in the middle of it: once before it pushed, and once after it
//! had pushed and before it could say so? (decision 19)

use orch_engine::clock;

use super::yard::Yard;
use super::{Told, Unmet, both, catcher};

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to git in the middle of a merge: before its push, and again after a push that nobody heard of",
        "SIGKILL программе git посреди слияния: до отправки и ещё раз после отправки, о которой никто не узнал"
    )
}

pub(super) fn expected() -> String {
    both!(
        "what did not happen is asked again, what happened is found; main moves once",
        "что не произошло, запрошено снова; что произошло, найдено; main сдвинут один раз"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    catcher::stands_for_git(yard, "push", ":")?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    catcher::set(yard, "before")?;
    catcher::set(yard, "after")?;
    yard.go(&works)?;
    catcher::kill(yard, "before")?;
    catcher::kill(yard, "after")?;
    let killed = clock::now();
    yard.delivered(&id)?;
    let recovery = clock::now().since(killed);
    let pushes = catcher::calls(yard).iter().filter(|call| call.contains("refs/heads/main")).count();
    if pushes != 2 {
        return Err(Unmet::Broken(both!(
            "main was pushed {pushes} times, and should be twice: what happened was not found",
            "main отправляли столько раз: {pushes}, а должно быть два: сделанное не нашли"
        )));
    }
    yard.once(&id)?;
    let happened = both!(
        "the first push was asked again, the second was found done; main moved once",
        "первая отправка запрошена снова, вторая найдена выполненной; main сдвинут один раз"
    );
    Ok(Told { happened, recovery })
}
