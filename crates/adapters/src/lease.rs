//! Which ports are whose? A block of ports for each run, so that two runs never meet on one.
//!
//! The registry is a folder: a block is taken by linking a file to its name, which one taker alone can do, and its content
//! says whose it is. So it is right after `kill -9` at any moment, and for several processes at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use orch_core::call::Failure;
use orch_core::hindrance::Hindrance;
use orch_core::id::Digest;
use serde::{Deserialize, Serialize};

/// Tells two takers of one process apart.
static TAKES: AtomicU64 = AtomicU64::new(0);

/// A block of ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// The first: `ORCH_PORT`.
    pub first: u16,
    /// The last: `ORCH_PORT_END`.
    pub last: u16,
}

/// Gives blocks of ports.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
    from: u16,
    to: u16,
    block: u16,
    begin: u16,
}

/// Why there is no block.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The folder could not be used.
    #[error("the registry of ports {path}: {source}", path = path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// All are taken.
    #[error(
        "no block of {block} free ports is left between {from} and {to}: wait for runs to end, or widen the range"
    )]
    NoneLeft {
        /// How many ports a block has.
        block: u16,
        /// From this port on.
        from: u16,
        /// Up to this one.
        to: u16,
    },
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        Failure::transient(match error {
            LeaseError::Folder { path, source } => {
                Hindrance::PortsUnread { path: path.display().to_string(), words: source.to_string() }
            }
            LeaseError::NoneLeft { block, from, to } => Hindrance::NoPorts { block, from, to },
        })
    }
}

impl Registry {
    /// Ten ports a run, below those that kernels give away by themselves. Where it begins to look depends on the folder:
    /// two installations on a machine do not see each other's leases, and would give the same ports to runs that begin to
    /// listen a moment later.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let mut registry = Self::within(folder, 20_000, 29_999, 10);
        let digest = Digest::of(registry.folder.as_os_str().as_bytes());
        let spread = digest.0.get(..4).and_then(|four| u16::from_str_radix(four, 16).ok()).unwrap_or(0);
        registry.begin = registry.from + spread % 1_000 * registry.block;
        registry
    }

    /// Blocks of `block` ports from `from` to `to`, both included.
    pub fn within(folder: impl Into<PathBuf>, from: u16, to: u16, block: u16) -> Self {
        let from = from.max(1);
        Self { folder: folder.into(), from, to, block: block.max(1), begin: from }
    }

    /// The port from which it looks for a free block; after the last one it goes on with the first.
    pub fn begin(&self) -> u16 {
        self.begin
    }

    /// All blocks, in the order in which they are tried.
    fn blocks(&self) -> impl Iterator<Item = Ports> {
        let from = |start: u16, end: u16| {
            let firsts = (start..=end).step_by(usize::from(self.block));
            firsts.filter_map(|first| Some(Ports { first, last: first.checked_add(self.block - 1)? }))
        };
        let to = self.to;
        let before = from(self.from, self.begin.saturating_sub(1).min(to));
        from(self.begin, to).chain(before).filter(move |ports| ports.last <= to)
    }

    /// A block for `owner`: the one it has, or a free one on which nothing listens.
    ///
    /// # Errors
    /// See [`LeaseError`].
    pub fn take(&self, owner: &str) -> Result<Ports, LeaseError> {
        fs::create_dir_all(&self.folder).map_err(self.fault())?;
        let taken = self.all()?;
        if let Some((_, ports)) = taken.iter().find(|(whose, _)| whose == owner) {
            return Ok(*ports);
        }
        let number = TAKES.fetch_add(1, Ordering::Relaxed);
        let slip = self.folder.join(format!("slip-{}-{number}", std::process::id()));
        let ports = self.take_new(owner, &slip, &taken);
        // What a killed process leaves of these is a few bytes, and is never read.
        let _ = fs::remove_file(&slip);
        ports
    }

    fn take_new(&self, owner: &str, slip: &Path, taken: &[(String, Ports)]) -> Result<Ports, LeaseError> {
        for ports in self.blocks() {
            let Ports { first, last } = ports;
            if taken.iter().any(|(_, other)| other.first <= last && first <= other.last) || !unused(ports) {
                continue;
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .open(slip)
                .map_err(self.fault())?;
            let lease = Lease { owner: owner.to_owned(), ports };
            file.write_all(&serde_json::to_vec(&lease).unwrap_or_default()).map_err(self.fault())?;
            match fs::hard_link(slip, self.file(first)) {
                Ok(()) => return Ok(ports),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(self.fault()(e)),
            }
        }
        Err(LeaseError::NoneLeft { block: self.block, from: self.from, to: self.to })
    }

    /// Gives back what `owner` has; having nothing is no failure.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn give_back(&self, owner: &str) -> Result<(), LeaseError> {
        self.give_back_where(|whose| whose == owner)
    }

    /// Gives back the blocks of each owner that `over` says yes to.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn give_back_where(&self, over: impl Fn(&str) -> bool) -> Result<(), LeaseError> {
        for (owner, ports) in self.all()? {
            if over(&owner) {
                match fs::remove_file(self.file(ports.first)) {
                    Ok(()) => {}
                    Err(e) if e.kind() == ErrorKind::NotFound => {}
                    Err(e) => return Err(self.fault()(e)),
                }
            }
        }
        Ok(())
    }

    /// Who has which block.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn all(&self) -> Result<Vec<(String, Ports)>, LeaseError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(self.fault()(e)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.map_err(self.fault())?.path();
            if path.extension().is_none_or(|ending| ending != "lease") {
                continue;
            }
            let read = File::open(&path).map(|file| serde_json::from_reader::<_, Lease>(file).ok());
            match read {
                Ok(Some(lease)) => all.push((lease.owner, lease.ports)),
                // One that a person has damaged is nobody's to give back; its name still says what is taken.
                Ok(None) => all.extend(self.nobody(&path)),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(self.fault()(e)),
            }
        }
        Ok(all)
    }

    fn nobody(&self, path: &Path) -> Option<(String, Ports)> {
        let first: u16 = path.file_stem()?.to_str()?.parse().ok()?;
        Some((String::new(), Ports { first, last: first.saturating_add(self.block - 1) }))
    }

    fn file(&self, first: u16) -> PathBuf {
        self.folder.join(format!("{first}.lease"))
    }

    fn fault(&self) -> impl FnOnce(io::Error) -> LeaseError + use<> {
        let path = self.folder.clone();
        move |source| LeaseError::Folder { path, source }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    owner: String,
    #[serde(flatten)]
    ports: Ports,
}

/// Whether nothing on this machine listens on any of them now.
fn unused(ports: Ports) -> bool {
    (ports.first..=ports.last).all(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> u16 {
        // A block that nothing uses, as far as the kernel knows.
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port().min(65_000)
    }

    /// Somebody who listens on a port and on the third after it, and which that first one is.
    fn listening() -> ([TcpListener; 2], u16) {
        loop {
            let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            let first = listen(0).unwrap();
            let from = first.local_addr().unwrap().port();
            // Where the other one is somebody else's, or no range fits behind it, another begin will do.
            if from <= 65_000
                && let Ok(second) = listen(from + 3)
            {
                return ([first, second], from);
            }
        }
    }

    /// Two runs never get the same port, one run always gets its own again, and what is given back is free.
    #[test]
    fn blocks_are_exclusive() {
        let temp = tempfile::tempdir().unwrap();
        let from = free();
        let registry = Registry::within(temp.path(), from, from + 200, 3);
        let (a, b) = (registry.take("a").unwrap(), registry.take("b").unwrap());
        assert_eq!(a.last - a.first, 2);
        assert!(a.last < b.first);
        assert_eq!(registry.take("a").unwrap(), a);
        registry.give_back("a").unwrap();
        registry.give_back("nobody").unwrap();
        let owners: Vec<String> = registry.all().unwrap().into_iter().map(|(owner, _)| owner).collect();
        assert_eq!(owners, ["b"]);
        let c = registry.take("c").unwrap();
        assert!(c.last < b.first || b.last < c.first);
    }

    /// Takers at the same time never share a block, and a block in which something listens, on its first port or its last, goes
    /// to nobody.
    #[test]
    fn takers_at_once_share_nothing() {
        let temp = tempfile::tempdir().unwrap();
        // The first port of the first block, and the last one of the second.
        let (listeners, from) = listening();
        let registry = Registry::within(temp.path(), from, from + 300, 2);
        let mut first: Vec<u16> = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8)
                .map(|n| {
                    let registry = registry.clone();
                    scope.spawn(move || registry.take(&format!("run/{n}")).unwrap())
                })
                .collect();
            takers.into_iter().map(|taker| taker.join().unwrap().first).collect()
        });
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 8);
        assert!(first.iter().all(|port| *port >= from + 4), "{first:?} from {from} on");
        drop(listeners);
    }

    /// Two installations begin at different places, each tries every block once, and none outside the range.
    #[test]
    fn installations_begin_apart() {
        let (one, other) = (Registry::new("/a/ports"), Registry::new("/b/ports"));
        assert_ne!(one.begin(), other.begin());
        for registry in [&one, &other] {
            let mut firsts: Vec<u16> = registry.blocks().map(|ports| ports.first).collect();
            assert_eq!(firsts[0], registry.begin());
            firsts.sort_unstable();
            assert_eq!(firsts, (20_000..=29_990).step_by(10).collect::<Vec<u16>>());
        }
    }

    /// When all are taken, the error says what to do.
    #[test]
    fn none_left_is_said() {
        let temp = tempfile::tempdir().unwrap();
        let registry = Registry::within(temp.path(), 20_000, 19_999, 10);
        assert!(registry.take("a").unwrap_err().to_string().contains("widen the range"));
    }
}
