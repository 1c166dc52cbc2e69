//! Which processes are there? Told by pid and start time; nothing here ends one that a drill did not start.

use std::fs;
use std::path::Path;

use orch_adapters::process::{Identity, Life};
use rustix::process::{Pid, Signal, kill_process};

/// Whether that very process lives.
pub(super) fn lives(identity: &Identity) -> bool {
    identity.life() == Life::Alive
}

/// Sends a signal to exactly that process, if it lives.
pub(super) fn signal(identity: &Identity, signal: Signal) {
    if lives(identity)
        && let Some(pid) = Pid::from_raw(identity.pid)
    {
        let _ = kill_process(pid, signal);
    }
}

/// The pids of all processes that can be seen.
fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The parent of a process. Its name stands in brackets and may hold anything; the parent is the second field after it.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Who started a process, or took it over.
pub(super) fn parent_of(of: &Identity) -> Option<Identity> {
    Identity::of(parent(of.pid)?).ok()
}

/// The children of a process.
pub(super) fn children(of: i32) -> Vec<Identity> {
    let mine = pids().into_iter().filter(|pid| parent(*pid) == Some(of));
    mine.filter_map(|pid| Identity::of(pid).ok()).collect()
}

/// A process with its children and theirs.
pub(super) fn family(head: &Identity) -> Vec<Identity> {
    let mut found = vec![head.clone()];
    let mut at = 0;
    while let Some(next) = found.get(at) {
        let more = children(next.pid);
        found.extend(more);
        at += 1;
    }
    found
}

/// Whether it is the child that an agent of a drill leaves behind if nobody ends it.
pub(super) fn stays(child: &Identity) -> bool {
    typed(child.pid).contains("sleep 3600")
}

/// What was typed to start a process.
fn typed(pid: i32) -> String {
    let typed = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&typed).replace('\0', " ")
}

/// Every living process but this one that was started in this folder or names it.
pub(super) fn living(folder: &Path) -> Vec<String> {
    let named = folder.to_string_lossy();
    let own = std::process::id().cast_signed();
    let mut found = Vec::new();
    for pid in pids().into_iter().filter(|pid| *pid != own) {
        let typed = typed(pid);
        let works = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        if (typed.contains(&*named) || works.starts_with(folder))
            && Identity::of(pid).is_ok_and(|identity| lives(&identity))
        {
            found.push(format!("{pid} {}", typed.trim()));
        }
    }
    found
}
