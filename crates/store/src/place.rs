//! May a store live here, and is it free? One brain a data folder, and only on a disk that keeps its promises
//! (decision 44).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Holder, OpenError};

/// `name` with `suffix` behind it, in the same folder: `orch.db` and `orch.db-wal`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// The lock of one brain; free again when it is dropped or its process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock beside `store`.
    ///
    /// # Errors
    /// [`OpenError::Taken`] names the process that has it, as far as it wrote its id.
    pub(crate) fn take(store: &Path) -> Result<Self, OpenError> {
        let place = beside(store, ".lock");
        let files = |doing| {
            let place = place.clone();
            move |source| OpenError::Files { place, doing, source }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&place)
            .map_err(files("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = Read::by_ref(&mut file).take(32).read_to_string(&mut pid);
                let holder = Holder(read.ok().and_then(|_| pid.trim().parse().ok()));
                return Err(OpenError::Taken { place, holder });
            }
            Err(TryLockError::Error(source)) => return Err(files("lock the lock file")(source)),
        }
        file.set_len(0).map_err(files("empty the lock file"))?;
        writeln!(file, "{}", std::process::id()).map_err(files("write the lock file"))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Unlocks by name: a child that was forked and has not become another program yet holds a copy of the descriptor,
    /// and closing ours alone would leave the lock with it for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the store's lock goes with the process");
        }
    }
}

/// What a restore that was interrupted left beside a store that is not there.
fn half_restored(store: &Path) -> Option<PathBuf> {
    [".part", ".replaced-1"].iter().map(|suffix| beside(store, suffix)).find(|p| p.symlink_metadata().is_ok())
}

/// Makes an empty data file that only its owner can read, unless there is one.
pub(crate) fn make(store: &Path) -> Result<(), OpenError> {
    let files = |place: &Path, doing, source| OpenError::Files { place: place.to_owned(), doing, source };
    if let (false, Some(found)) = (store.symlink_metadata().is_ok(), half_restored(store)) {
        return Err(OpenError::HalfRestored { place: store.to_owned(), found });
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(store) {
        Ok(_) => File::open(folder(store))
            .and_then(|folder| folder.sync_all())
            .map_err(|e| files(folder(store), "make the new store's name last", e)),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(files(store, "create the store", e)),
    }
}

/// Refuses file systems over a network or through a user's process.
pub(crate) fn refuse_network(store: &Path) -> Result<(), OpenError> {
    let place = folder(store);
    let stat = rustix::fs::statfs(place).map_err(|e| OpenError::Files {
        place: place.to_owned(),
        doing: "ask for its file system",
        source: e.into(),
    })?;
    // The field's type differs between architectures; the numbers are 32 bits wide everywhere.
    let magic = u32::try_from(i128::from(stat.f_type) & 0xffff_ffff).unwrap_or_default();
    match network_kind(magic) {
        Some(kind) => Err(OpenError::NetworkFileSystem { place: place.to_owned(), kind }),
        None => Ok(()),
    }
}

/// The name of a file system that is not a local disk, by its number in `statfs(2)`.
const fn network_kind(magic: u32) -> Option<&'static str> {
    match magic {
        0x0000_6969 => Some("NFS"),
        0x0000_517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x6573_5546 => Some("FUSE"),
        0x0102_1997 => Some("9P"),
        0x00c3_6400 => Some("Ceph"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x0000_564c => Some("NCP"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the second brain is refused and told which process has the store, and that the lock ends with its
    /// holder.
    #[test]
    fn one_brain_a_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("orch.db");
        let first = Lock::take(&store).unwrap();
        let refused = Lock::take(&store).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        Lock::take(&store).unwrap();
    }

    /// Proves that a lock file without a process id is no reason to fail otherwise.
    #[test]
    fn a_silent_holder_is_named_as_such() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("orch.db");
        let held = File::create(beside(&store, ".lock")).unwrap();
        held.try_lock().unwrap();
        let refused = Lock::take(&store).unwrap_err().to_string();
        assert!(refused.contains("did not say"), "{refused}");
    }

    /// Proves that NFS, SMB and FUSE are known by their numbers and local disks are let pass.
    #[test]
    fn network_file_systems_are_known() {
        assert_eq!(network_kind(0x6969), Some("NFS"));
        assert_eq!(network_kind(0xff53_4d42), Some("SMB"));
        assert_eq!(network_kind(0x6573_5546), Some("FUSE"));
        for local in [0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x2fc1_2fc1, 0x794c_7630] {
            assert_eq!(network_kind(local), None, "{local:#x}");
        }
        let dir = tempfile::tempdir().unwrap();
        refuse_network(&dir.path().join("orch.db")).unwrap();
    }
}
