//! Who goes first when the processors are taken? Orch itself: runs and their supervisors give way to it (decision 58).

use std::fs;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::{Pid, nice};

/// A run is so much nicer than Orch: a tenth of its weight each. More would let a run starve beside any other program.
pub(super) const NICER: i32 = 10;

/// The weight of a run's cgroup, where the kernel weighs cgroups and not processes: as [`NICER`] is to 100.
const WEIGHT: &str = "10";

/// This process, and all that it starts, gives way to whoever started it; where the kernel weighs cgroups, the run's does.
/// One that may not is no reason to end a run: it works, only not beside a quick Orch.
pub(super) fn give(cgroup: Option<&Path>) {
    let _ = nice(NICER);
    if let Some(cgroup) = cgroup {
        let _ = fs::write(cgroup.join("cpu.weight"), WEIGHT);
    }
}

/// Where the kernel weighs sessions and not processes (`sched_autogroup`), niceness counts within a session only: the one of
/// `pid` gives way as a whole. `false`: the kernel takes such a wish a few times a second only, and not now.
pub(super) fn session_gives(pid: Pid) -> bool {
    let wish = fs::write(format!("/proc/{}/autogroup", pid.as_raw_nonzero()), NICER.to_string());
    match wish {
        Ok(()) => true,
        Err(e) => e.raw_os_error() != Some(Errno::AGAIN.raw_os_error()),
    }
}
