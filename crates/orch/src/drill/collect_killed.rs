//! Is an agent's work one commit on its branch although git is killed while it writes it there, and leaves a lock behind?
//! (decisions 1, 32)

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use orch_core::stage::Role;
use orch_core::task::{Job, Task};
use orch_core::time::{Moment, Span};
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::{Yard, developers};
use super::{Told, Unmet, both, catcher, look};

/// A lock counts as left behind after a minute, and it is asked for at intervals that double.
const PATIENCE: Span = Span::seconds(300);

/// For so long a git that lives may hold a lock: until then nobody may remove it. The adapter of git says the same.
const HOLDS: Span = Span::seconds(60);

/// What passes between two looks at it on a busy machine.
const SLACK: Span = Span::seconds(2);

/// The refs are locked, and not moved until there is more to read.
const HELD: &str = r#"mkfifo "{yard}/held.in"
        exec 3<&0
        {
            printf 'start\0'
            cat
            printf 'prepare\0'
            while kill -0 $$; do sleep 0.1; done
        } <&3 > "{yard}/held.in" 2> /dev/null &
        exec "{git}" "$@" < "{yard}/held.in""#;

pub(super) fn fault() -> String {
    both!(
        "SIGKILL to git while it has locked the task's branch, to put an agent's work there; the lock stays",
        "SIGKILL программе git, когда она заперла ветку задачи, чтобы записать туда работу агента; замок остаётся"
    )
}

pub(super) fn expected() -> String {
    both!(
        "the lock is removed when nobody can hold it any more; the work is one commit, nobody is charged",
        "замок снят, когда его уже никто не может держать; работа стала одним коммитом, никто не платит"
    )
}

pub(super) fn play(yard: &mut Yard) -> Result<Told, Unmet> {
    catcher::stands_for_git(yard, "update-ref", HELD)?;
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    catcher::set(yard, "held")?;
    yard.go(&works)?;
    let hand = catcher::caught(yard, "held")?;
    let hubs = yard.home().hubs();
    let what = both!("the branch is locked", "ветка заперта");
    let lock = yard.until(&what, |_| Ok(locks(&hubs).pop()))?;
    look::signal(&hand, Signal::KILL);
    let killed = clock::now();
    let Some(left) = made(&lock) else {
        return Err(Unmet::Broken(both!("git left no lock", "git не оставил замка")));
    };
    let what = both!("the lock is removed", "замок снят");
    let mut stood = Span(0);
    yard.until_within(PATIENCE, &what, |_| {
        if made(&lock) != Some(left) {
            return Ok(Some(()));
        }
        stood = clock::now().since(left.1);
        Ok(None)
    })?;
    if stood.0 + SLACK.0 < HOLDS.0 {
        let (stood, holds) = (stood.0 as f64 / 1000.0, HOLDS.as_seconds());
        return Err(Unmet::Broken(both!(
            "the lock was removed after {stood:.1} s; until {holds} s are over its git may live",
            "замок снят через {stood:.1} с; пока не прошло {holds} с, его git может быть жив"
        )));
    }
    let what = both!("the work is on the branch and tested", "работа в ветке и проверяется");
    yard.until_within(PATIENCE, &what, |yard| {
        let task = yard.task(&id)?;
        let on = |task: &Task| task.escalated.is_some() || task.runs.iter().any(|row| tests(row.job));
        Ok(task.filter(on).map(drop))
    })?;
    let recovery = clock::now().since(killed);
    let task = yard.delivered(&id)?;
    let runs = developers(&task).count();
    let authors = yard.git(&["log", "--format=%an", "main"])?;
    let commits = authors.lines().filter(|author| *author == Role::Developer.name()).count();
    let charged = (task.attempts.negative, task.attempts.fruitless, task.attempts.machine);
    if (runs, commits, charged) != (1, 1, (0, 0, 0)) {
        return Err(Unmet::Broken(both!(
            "{runs} runs, {commits} commits, charged {charged:?}",
            "запусков {runs}, коммитов {commits}, списано {charged:?}"
        )));
    }
    yard.once(&id)?;
    let stood = stood.0 as f64 / 1000.0;
    let happened = both!(
        "the lock stood for {stood:.1} s, and was removed then; one run, one commit; merged once",
        "замок простоял {stood:.1} с и тогда был снят; один запуск, один коммит; слито один раз"
    );
    Ok(Told { happened, recovery })
}

fn tests(job: Job) -> bool {
    matches!(job, Job::Ci(_))
}

/// Which file it is, and when it was made; `None`: it is not there.
fn made(file: &Path) -> Option<(u64, Moment)> {
    let file = fs::metadata(file).ok()?;
    Some((file.ino(), Moment(file.mtime() * 1000 + file.mtime_nsec() / 1_000_000)))
}

/// The locks of refs below a folder.
fn locks(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "lock")
                && path.components().any(|part| part.as_os_str() == "refs")
            {
                found.push(path);
            }
        }
    }
    found
}
