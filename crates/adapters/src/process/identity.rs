//! Is that very process still alive: yes, no, or cannot tell?

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::Instant;

use orch_core::hindrance::Hindrance;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const NAMESPACE: &str = "/proc/self/ns/pid";

/// Which process, for ever: a pid alone is used again, the three together are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The kernel's boot id: after a reboot nothing of before lives.
    pub boot: String,
    /// The process id.
    pub pid: i32,
    /// Start time in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start: u64,
    /// The pid namespace in which `pid` has a meaning; 0 if it was not recorded.
    #[serde(default)]
    pub namespace: u64,
}

/// The three answers (decision 7). Only `Dead` is a proof of death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// That very process runs.
    Alive,
    /// It has ended.
    Dead {
        /// How that is known.
        why: Hindrance,
    },
    /// Neither could be shown.
    Unknown {
        /// What stood in the way.
        why: Hindrance,
    },
}

/// Like [`Life`], with a hold on the living process that no reuse of the pid can redirect.
pub(super) enum Held {
    Alive(OwnedFd),
    Dead(Hindrance),
    Unknown(Hindrance),
}

impl Identity {
    /// The identity of the calling process.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn of_self() -> io::Result<Self> {
        Self::of(std::process::id().cast_signed())
    }

    /// The identity of a process that is known to live now.
    ///
    /// # Errors
    /// `/proc` cannot be read, or there is no such process.
    pub fn of(pid: i32) -> io::Result<Self> {
        let namespace = fs::metadata(NAMESPACE)?.ino();
        Ok(Identity { boot: boot_id()?, pid, start: Stat::read(pid)?.start, namespace })
    }

    /// Is it alive? Looks, takes hold of the process, and looks again.
    pub fn life(&self) -> Life {
        match self.hold() {
            Held::Alive(_) => Life::Alive,
            Held::Dead(why) => Life::Dead { why },
            Held::Unknown(why) => Life::Unknown { why },
        }
    }

    pub(super) fn hold(&self) -> Held {
        match boot_id() {
            Ok(boot) if boot != self.boot => {
                return Held::Dead(Hindrance::Restarted);
            }
            Ok(_) => {}
            Err(e) => return Held::Unknown(unread(BOOT_ID, &e)),
        }
        match fs::metadata(NAMESPACE) {
            Ok(here) if self.namespace != 0 && here.ino() != self.namespace => {
                return Held::Unknown(Hindrance::OtherNamespace);
            }
            Ok(_) => {}
            Err(e) => return Held::Unknown(unread(NAMESPACE, &e)),
        }
        let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.pid > 0) else {
            return Held::Unknown(Hindrance::NotAPid { pid: self.pid });
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::SRCH) => return Held::Dead(Hindrance::NoProcess { pid: self.pid }),
            Err(e) => {
                return Held::Unknown(Hindrance::NotHeld { pid: self.pid, words: e.to_string() });
            }
        };
        // Read only after the handle is held: what is read now is about the process that the handle names,
        // unless it has ended meanwhile, which the last look shows.
        match Stat::read(self.pid) {
            Ok(stat) if stat.start != self.start => Held::Dead(Hindrance::OtherProcess { pid: self.pid }),
            Ok(stat) if stat.ended() => Held::Dead(Hindrance::ProcessEnded { pid: self.pid }),
            Ok(_) if ready(&handle, Instant::now()) => Held::Dead(Hindrance::ProcessEnded { pid: self.pid }),
            Ok(_) => Held::Alive(handle),
            Err(e) if gone(&e) => Held::Dead(Hindrance::ProcessEnded { pid: self.pid }),
            Err(e) => Held::Unknown(unread(&format!("/proc/{}/stat", self.pid), &e)),
        }
    }
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) threads: u64,
    pub(super) start: u64,
}

impl Stat {
    pub(super) fn read(pid: i32) -> io::Result<Self> {
        let bytes = fs::read(format!("/proc/{pid}/stat"))?;
        Self::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat is unreadable"))
        })
    }

    /// The command's name is free text and may hold spaces and brackets: only after its last `)` do the
    /// fields begin, with the third.
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Stat {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            threads: fields.get(17)?.parse().ok()?,
            start: fields.get(19)?.parse().ok()?,
        })
    }

    /// A zombie whose other threads still run has not ended.
    pub(super) fn ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x') && self.threads <= 1
    }
}

/// Waits until there is something to read (from a pipe: or its end; from a pidfd: the end of its process),
/// at most until `until`.
pub(super) fn ready(fd: &OwnedFd, until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)) {
            Ok(n) => return n > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// Does this error of reading `/proc/<pid>/...` mean that the process is no more?
pub(super) fn gone(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

fn unread(path: &str, error: &io::Error) -> Hindrance {
    Hindrance::FileUnread { path: path.to_owned(), words: error.to_string() }
}

pub(super) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string(BOOT_ID)?.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program may call itself anything; the fields are counted after the last bracket.
    #[test]
    fn a_hostile_name_does_not_shift_the_fields() {
        let line = "7 (a) Z 1 (b)) S 3 7 7 0 -1 4 0 0 0 0 1 2 3 4 20 0 5 0 987 1 2 3";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(stat, Stat { state: 'S', parent: 3, threads: 5, start: 987 });
        assert_eq!(Stat::parse("7 (short) S 1"), None);
    }

    /// Alive for itself; dead under another start time (a reused pid) or another boot id (a reboot);
    /// neither where the pid has no meaning.
    #[test]
    fn three_answers() {
        let me = Identity::of_self().unwrap();
        assert_eq!(me.life(), Life::Alive);
        let reused = Identity { start: me.start + 1, ..me.clone() };
        assert!(matches!(reused.life(), Life::Dead { .. }));
        let rebooted = Identity { boot: "another".to_string(), ..me.clone() };
        assert!(matches!(rebooted.life(), Life::Dead { .. }));
        let elsewhere = Identity { namespace: me.namespace + 1, ..me };
        assert!(matches!(elsewhere.life(), Life::Unknown { .. }));
    }
}
