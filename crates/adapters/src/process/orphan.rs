//! What becomes of a program that outlives its supervisor: a deploy hook (`keep_children`) whose shim was killed?
//!
//! It is at work as long as its own process lives, whatever it started besides. Nobody keeps its output any more
//! (one that goes on writing ends by that) or writes how it ends, but its time limit holds: who waits for it ends it then, as its shim would have.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

use super::identity::{Identity, Life};
use super::record::{PROGRAM, RECORD_VERSION, RecordError, read_versioned, write_lasting};
use super::shim::{Alarm, boot_clock, whole_ms};
use super::spec::{RunSpec, StopSignal, StopWay};
use super::sweep::PATIENCE;

/// What a program that may outlive its shim says of itself before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProgramRecord {
    version: u32,
    pub(super) identity: Identity,
    /// When its time is over, in milliseconds of the boot clock.
    over_at: Option<u64>,
    /// Copied from the specification, as the limit is: the supervisor is not there to know them.
    stop: StopWay,
}

impl ProgramRecord {
    /// Of the calling process, which becomes the program and stays the same process.
    pub(super) fn of_self(spec: &RunSpec) -> io::Result<Self> {
        let over_at = spec.time_limit_ms.map(|limit| whole_ms(boot_clock()).saturating_add(limit));
        Ok(Self { version: RECORD_VERSION, identity: Identity::of_self()?, over_at, stop: spec.stop })
    }

    pub(super) fn read(run_dir: &Path) -> Result<Option<Self>, RecordError> {
        read_versioned(&run_dir.join(PROGRAM), RECORD_VERSION)
    }

    pub(super) fn write(&self, run_dir: &Path) -> io::Result<()> {
        write_lasting(run_dir, PROGRAM, &serde_json::to_vec(self)?)
    }

    /// Waits for its end, of which `process` tells, and brings it when its time is over.
    ///
    /// # Errors
    /// It cannot be waited for; or nothing ends it.
    pub(super) async fn until_its_end(&self, process: &AsyncFd<OwnedFd>) -> io::Result<()> {
        if let Some(over_at) = self.over_at {
            let alarm = Alarm::new()?;
            let left = Duration::from_millis(over_at).saturating_sub(boot_clock());
            let grace = Duration::from_millis(self.stop.grace_ms);
            // The grace is the program's; how long a death takes is the kernel's matter, and says nothing of who is dying.
            let steps = [(left, Some(self.gentle())), (grace, Some(Signal::KILL)), (PATIENCE, None)];
            for (after, signal) in steps {
                alarm.ring_in(after)?;
                tokio::select! {
                    ended = process.readable() => return ended.map(drop),
                    () = alarm.rings() => match signal {
                        Some(signal) => self.strike(signal),
                        None => return Err(io::Error::other("SIGKILL does not end it")),
                    },
                }
            }
        }
        process.readable().await.map(drop)
    }

    /// Asks it to end.
    pub(super) fn ask(&self) {
        self.strike(self.gentle());
    }

    fn gentle(&self) -> Signal {
        match self.stop.signal {
            StopSignal::Int => Signal::INT,
            StopSignal::Term => Signal::TERM,
        }
    }

    /// A signal for its group, or for itself as long as it leads none. The number of the group is its own while it lives.
    fn strike(&self, signal: Signal) {
        if let (Life::Alive, Some(pid)) = (self.identity.life(), Pid::from_raw(self.identity.pid))
            && kill_process_group(pid, signal).is_err()
        {
            // It has ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }
}
