//! How is a git program caught in the middle of its work? A script stands for git in the brain's PATH and stops at traps,
//! until it is killed.

use std::fs;
use std::path::{Path, PathBuf};

use orch_adapters::process::Identity;
use rustix::process::Signal;

use super::yard::Yard;
use super::{Unmet, both, look};

/// Calls of git with a word among its arguments are caught, each trap once: before anything is done (`before`), with everything done
/// (`after`), or between the two (`held`: the drill says how). There it waits to be killed, with its pid in a file. Everything
/// else is git. All calls with that word are written down.
const CATCHER: &str = r#"#!/bin/sh
caught() {
    mv "{yard}/$1" "{yard}/$1.caught" 2> /dev/null && echo $$ > "{yard}/$1.pid"
}
for word in "$@"; do
    [ "$word" = "{word}" ] || continue
    echo "$*" >> "{yard}/calls"
    if caught before; then
        exec sleep 600
    fi
    if caught held; then
        {held}
    fi
    "{git}" "$@"
    code=$?
    if caught after; then
        exec sleep 600
    fi
    exit $code
done
exec "{git}" "$@"
"#;

/// Puts the script before git, for the brain that is started next: calls with `word` can be caught. The lines of `held` make
/// git wait in its middle; in them `{git}` is git and `{yard}` the drill's folder.
///
/// # Errors
/// There is no git, or a name that no script can hold.
pub(super) fn stands_for_git(yard: &mut Yard, word: &str, held: &str) -> Result<(), Unmet> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file());
    let Some(git) = git else {
        return Err(Unmet::NotTried(both!("git is not in PATH", "git нет в PATH")));
    };
    let script = CATCHER.replace("{held}", held).replace("{git}", &plain(&git)?).replace("{word}", word);
    yard.script("first/git", &script.replace("{yard}", &plain(yard.folder())?))?;
    yard.first_in_path(yard.folder().join("first"));
    Ok(())
}

/// A path that may stand between double quotes in a script.
pub(super) fn plain(path: &Path) -> Result<String, Unmet> {
    let text = path.to_str().filter(|text| !text.contains(['"', '$', '`', '\\']));
    text.map(str::to_owned).ok_or_else(|| {
        Unmet::NotTried(both!(
            "the workspace has a name that no shell script can hold",
            "имя рабочей папки не годится для сценария оболочки"
        ))
    })
}

/// Sets a trap.
pub(super) fn set(yard: &Yard, trap: &str) -> Result<(), Unmet> {
    yard.write(&yard.folder().join(trap), "")
}

/// The calls with the word so far.
pub(super) fn calls(yard: &Yard) -> Vec<String> {
    let text = fs::read_to_string(yard.folder().join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until something is in a trap. It ends with the drill.
pub(super) fn caught(yard: &mut Yard, trap: &str) -> Result<Identity, Unmet> {
    let file: PathBuf = yard.folder().join(format!("{trap}.pid"));
    let what = both!("a program is caught ({trap})", "программа поймана ({trap})");
    let found = yard.until(&what, |_| {
        let pid = fs::read_to_string(&file).ok().and_then(|pid| pid.trim().parse::<i32>().ok());
        Ok(pid.and_then(|pid| Identity::of(pid).ok()))
    })?;
    yard.own(found.clone());
    Ok(found)
}

/// Waits until something is in a trap, and kills it.
pub(super) fn kill(yard: &mut Yard, trap: &str) -> Result<(), Unmet> {
    let found = caught(yard, trap)?;
    look::signal(&found, Signal::KILL);
    Ok(())
}
