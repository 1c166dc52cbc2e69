//! What is left of a test, and how is it ended? Every process that names the test's own folder, with its descendants, by
//! pid and start time: a folder with a random name belongs to nobody else.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

struct Process {
    pid: i32,
    parent: i32,
    started: u64,
    named: bool,
}

/// Ends all of them for good; again, while there are new ones.
pub(crate) fn end_all_in(folder: &Path) {
    for _ in 0..10 {
        let left = left_in(folder);
        if left.is_empty() {
            return;
        }
        for process in left {
            end(&process);
        }
    }
}

fn left_in(folder: &Path) -> Vec<Process> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let mut rest: Vec<Process> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| look(pid, folder))
        .collect();
    let mut found: Vec<Process> = Vec::new();
    let mut known = HashSet::new();
    loop {
        let (more, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|process| process.named || known.contains(&process.parent));
        rest = others;
        if more.is_empty() {
            return found;
        }
        known.extend(more.iter().map(|process| process.pid));
        found.extend(more);
    }
}

/// A living process. What cannot be read is gone, or not ours.
fn look(pid: i32, folder: &Path) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if *fields.first()? == "Z" {
        return None;
    }
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let at = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    let named = at.starts_with(folder) || String::from_utf8_lossy(&words).contains(folder.to_str()?);
    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()?, named })
}

fn end(process: &Process) {
    let Some(pid) = Pid::from_raw(process.pid) else { return };
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // From here on the handle means one process; it must be the one that was seen.
    let same = look(process.pid, Path::new("/")).is_some_and(|now| now.started == process.started);
    if same && pidfd_send_signal(&pidfd, Signal::KILL).is_ok() {
        gone(&pidfd, Duration::from_secs(5));
    }
}

/// Whether the process ends within a time.
pub(crate) fn gone(pidfd: &OwnedFd, within: Duration) -> bool {
    let Ok(within) = Timespec::try_from(within) else { return false };
    let mut waits = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut waits, Some(&within)).is_ok_and(|ready| ready > 0)
}
