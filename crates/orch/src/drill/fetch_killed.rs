//! Does the candidate contain main as it is, although git is killed while it fetches it? (decisions 14, 35)

use orch_core::event::RunHow;
use orch_core::task::{CiOf, Job};
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, catcher, look};

/// What a person pushes meanwhile.
const PUSHED: &str = "notes.txt";

/// What stands in it.
const TEXT: &str = "of a person\n";

/// The other side takes the call and says nothing.
const HELD: &str = r#"for word; do
            shift
            case $word in
            --upload-pack=*) word="--upload-pack='{yard}/silent'" ;;
            esac
            set -- "$@" "$word"
        done
        exec "{git}" "$@""#;

pub(super) fn fault() -> String {
    both!(
        "a person moves main; SIGKILL to git fetch while it waits for the repository's answer",
        "человек сдвигает main; SIGKILL программе git fetch, пока она ждёт ответа репозитория"
    )
}

pub(super) fn expected() -> String {
    both!(
        "it is fetched again, charged to nobody; what is merged has been tested with what the person pushed",
        "загрузка повторена, никто не платит; слитое проверено вместе с тем, что отправил человек"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    let pid = catcher::plain(&yard.folder().join("silent.pid"))?;
    yard.script("silent", &format!("#!/bin/sh\necho $$ > \"{pid}\"\nexec sleep 600\n"))?;
    catcher::stands_for_git(yard, "fetch", HELD)?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    yard.on_main(PUSHED, TEXT)?;
    catcher::set(yard, "held")?;
    yard.go(&works)?;
    let fetch = catcher::caught(yard, "held")?;
    let other = catcher::caught(yard, "silent")?;
    look::signal(&fetch, Signal::KILL);
    look::signal(&other, Signal::KILL);
    let killed = clock::now();
    let task = yard.delivered(&id)?;
    let recovery = clock::now().since(killed);
    let charged = (task.attempts.negative, task.attempts.fruitless, task.attempts.machine);
    if charged != (0, 0, 0) {
        return Err(Unmet::Broken(both!("charged: {charged:?}", "списано: {charged:?}")));
    }
    // The tree decides: what was tested may have got another commit around it.
    let tested = task.runs.iter().rev().find(|row| row.job == Job::Ci(CiOf::Candidate));
    let passed = tested.is_some_and(|row| row.end == Some(RunHow::Exited { code: 0 }));
    let tested =
        tested.map(|row| yard.git(&["rev-parse", &format!("{}^{{tree}}", row.commit)])).transpose()?;
    let main = yard.git(&["rev-parse", "main^{tree}"])?;
    if !passed || tested.as_ref() != Some(&main) {
        let tested = tested.unwrap_or_default();
        return Err(Unmet::Broken(both!(
            "main is the tree {main}, the last tests were of {tested}, passed: {passed}",
            "в main дерево {main}, последние тесты были на {tested}, пройдены: {passed}"
        )));
    }
    let pushed = yard.git(&["show", &format!("main:{PUSHED}")])?;
    if pushed != TEXT.trim() {
        return Err(Unmet::Broken(both!(
            "what the person pushed is not in main: {pushed}",
            "отправленного человеком нет в main: {pushed}"
        )));
    }
    yard.once(&id)?;
    let pid = fetch.pid;
    let happened = both!(
        "git fetch {pid} was killed while it waited for the other side; the next one got it; the tests passed on the tree that is main now, with what the person pushed; merged once",
        "git fetch {pid} убит, пока ждал ответа; следующий получил всё; тесты прошли на том дереве, что теперь в main, вместе с отправленным человеком; слито один раз"
    );
    Ok(Told { happened, recovery })
}
