//! Is a merge done once although the git program is killed in the middle of it: once before it pushed, and once after it
//! had pushed and before it could say so? (decision 19)

use std::fs;
use std::path::PathBuf;

use orch_adapters::process::Identity;
use orch_engine::clock;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Told, Unmet, both, look};

/// Stands for git in the brain's PATH. A push is caught once before it is done, and once after it: there it waits to be
/// killed, with its pid in a file. Everything else is git.
const CATCHER: &str = r#"#!/bin/sh
case " $* " in *" push "*)
    if mv "{yard}/before" "{yard}/before.caught" 2> /dev/null; then
        echo $$ > "{yard}/before.pid"
        exec sleep 600
    fi
    "{git}" "$@"
    code=$?
    if mv "{yard}/after" "{yard}/after.caught" 2> /dev/null; then
        echo $$ > "{yard}/after.pid"
        exec sleep 600
    fi
    exit $code
    ;;
esac
exec "{git}" "$@"
"#;

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
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file());
    let Some(git) = git else {
        return Err(Unmet::NotTried(both!("git is not in PATH", "git нет в PATH")));
    };
    let plain = |path: &PathBuf| {
        path.to_str().filter(|text| !text.contains(['"', '$', '`', '\\'])).map(str::to_owned)
    };
    let (Some(git), Some(folder)) = (plain(&git), plain(&yard.folder().to_owned())) else {
        return Err(Unmet::NotTried(both!(
            "the workspace has a name that no shell script can hold",
            "имя рабочей папки не годится для сценария оболочки"
        )));
    };
    yard.script("first/git", &CATCHER.replace("{git}", &git).replace("{yard}", &folder))?;
    yard.first_in_path(yard.folder().join("first"));
    yard.up()?;
    let (id, works) = yard.begin("A line more")?;
    for trap in ["before", "after"] {
        yard.write(&yard.folder().join(trap), "")?;
    }
    yard.go(&works)?;
    let mut killed = clock::now();
    for trap in ["before", "after"] {
        let file = yard.folder().join(format!("{trap}.pid"));
        let what = both!("a push is caught ({trap})", "отправка поймана ({trap})");
        let hand = yard.until(&what, |_| {
            let pid = fs::read_to_string(&file).ok().and_then(|pid| pid.trim().parse::<i32>().ok());
            Ok(pid.and_then(|pid| Identity::of(pid).ok()))
        })?;
        yard.own(hand.clone());
        look::signal(&hand, Signal::KILL);
        killed = clock::now();
    }
    yard.delivered(&id)?;
    let recovery = clock::now().since(killed);
    yard.once(&id)?;
    let happened = both!(
        "the first push was asked again, the second was found done; main moved once",
        "первая отправка запрошена снова, вторая найдена выполненной; main сдвинут один раз"
    );
    Ok(Told { happened, recovery })
}
