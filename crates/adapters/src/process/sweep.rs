//! What did a run start, and how is every last piece of it ended?

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, pidfd_open, pidfd_send_signal, wait,
};

use super::identity::{Stat, ready};

/// The environment entry that every process of a run inherits; its value is unique to the run folder.
pub(super) const MARK: &str = "ORCH_RUN_MARK";

/// A process stuck in the kernel dies only when the kernel lets go of it; the run's record must not wait
/// for that for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How a run's processes are recognised. Each sign catches what the others miss: the cgroup what forks
/// faster than we look, descent what cleared its environment, the mark what is no child of the shim.
pub(super) struct Signs<'a> {
    pub(super) cgroup: Option<&'a Path>,
    /// The subreaper whose descendants all belong to the run.
    pub(super) ancestor: Option<i32>,
    pub(super) mark: &'a str,
    /// The run's processes were started at this tick or later.
    pub(super) since: u64,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Processes killed.
    pub killed: u32,
    /// Processes that would not die in time.
    pub left_alive: u32,
}

/// Kills until a look at the machine finds none left. `reap` is called after each round to collect the
/// caller's dead children.
pub(super) fn sweep(signs: &Signs<'_>, mut reap: impl FnMut()) -> io::Result<Swept> {
    let began = Instant::now();
    let mut killed = HashSet::new();
    loop {
        // The list only counts; the kill itself is the kernel's and misses no fork.
        if let Some(cgroup) = signs.cgroup {
            for pid in members(cgroup) {
                if let Some(stat) = Stat::read(pid).ok().filter(|stat| !stat.ended()) {
                    killed.insert((pid, stat.start));
                }
            }
            // Where it fails, the walk that follows does the work.
            let _ = fs::write(cgroup.join("cgroup.kill"), "1");
        }
        let found = find(signs)?;
        let struck: Vec<OwnedFd> = found.iter().filter_map(|&(pid, start)| strike(pid, start)).collect();
        killed.extend(&found);
        await_deaths(&struck);
        reap();
        if found.is_empty() {
            return Ok(Swept { killed: count(killed.len()), left_alive: 0 });
        }
        if began.elapsed() > PATIENCE {
            let left = count(find(signs)?.len());
            return Ok(Swept { killed: count(killed.len()).saturating_sub(left), left_alive: left });
        }
    }
}

/// Collects every child that has ended, and says how `main` went if it was among them.
pub(super) fn reap(main: Pid) -> Option<WaitStatus> {
    let mut end = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == main {
            end = Some(status);
        }
    }
    end
}

/// The living processes of the run, found by descent or mark.
fn find(signs: &Signs<'_>) -> io::Result<Vec<(i32, u64)>> {
    let mut stats = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Ok(stat) = Stat::read(pid) {
            stats.insert(pid, stat);
        }
    }
    let me = std::process::id().cast_signed();
    let belongs = |pid: i32, stat: &Stat| {
        if pid == me || signs.ancestor == Some(pid) || stat.ended() || stat.start < signs.since {
            return false;
        }
        signs.ancestor.is_some_and(|ancestor| descends(&stats, pid, ancestor)) || marked(pid, signs.mark)
    };
    Ok(stats
        .iter()
        .filter(|(pid, stat)| belongs(**pid, stat))
        .map(|(pid, stat)| (*pid, stat.start))
        .collect())
}

fn descends(stats: &HashMap<i32, Stat>, pid: i32, ancestor: i32) -> bool {
    let mut at = pid;
    // The table is no snapshot: a reused pid could close a circle, so the climb is bounded.
    for _ in 0..stats.len() {
        match stats.get(&at) {
            Some(stat) if stat.parent == ancestor => return true,
            Some(stat) if stat.parent > 1 => at = stat.parent,
            Some(_) | None => return false,
        }
    }
    false
}

fn marked(pid: i32, mark: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment.split(|b| *b == 0).any(|entry| {
        entry.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) == Some(mark.as_bytes())
    })
}

/// SIGKILL to that process and no later one of its number; the handle tells when it is dead.
fn strike(pid: i32, start: u64) -> Option<OwnedFd> {
    let handle = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    if Stat::read(pid).ok()?.start != start {
        return None;
    }
    pidfd_send_signal(&handle, Signal::KILL).ok()?;
    Some(handle)
}

/// Waits a moment for each; who takes longer is met again in the next round.
pub(super) fn await_deaths(struck: &[OwnedFd]) {
    let until = Instant::now() + Duration::from_millis(200);
    for handle in struck {
        ready(handle, until);
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A cgroup v2 of the run's own, below the caller's, where one can be made. No controllers are needed.
pub(super) fn make_cgroup(mark: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let (root, at) = mounts.lines().find_map(cgroup2_mount)?;
    let below = Path::new(own).strip_prefix(root).ok()?;
    let cgroup = Path::new(at).join(below).join(format!("orch-{mark}"));
    match fs::create_dir(&cgroup) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return None,
        Ok(()) | Err(_) => {}
    }
    if cgroup.join("cgroup.kill").exists() {
        return Some(cgroup);
    }
    let _ = fs::remove_dir(&cgroup);
    None
}

/// Root and mount point of a line of `mountinfo` that is a cgroup v2; one with escaped blanks is passed over.
fn cgroup2_mount(line: &str) -> Option<(&str, &str)> {
    let (fields, kind) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(3);
    let (root, at) = (fields.next()?, fields.next()?);
    (kind.starts_with("cgroup2 ") && !at.contains('\\')).then_some((root, at))
}

fn members(cgroup: &Path) -> Vec<i32> {
    let text = fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Removes the run's cgroup and those that the run made inside it.
pub(super) fn remove_cgroup(cgroup: &Path) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_cgroup(&entry.path());
        }
    }
    let _ = fs::remove_dir(cgroup);
}
