//! Can a tree be a thin layer over files that many trees share? By the kernel's overlay file system, where this machine
//! lets Orch mount one; that is asked by trying (decision 54).
//!
//! All mounts live in a mount namespace of Orch's own. Nobody else sees them, runs inherit it, and when the last process
//! in it has ended the kernel takes them away: after `kill -9` there is nothing to find and nothing to unmount.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::sched::CloneFlags;
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount as unmount_now,
};

/// A tree that touches more places than this is looked through whole: naming them all would cost more.
const MOST_PLACES: usize = 200;

/// The right to mount overlays: this thread and all that it starts from now on are in a mount namespace of their own.
#[derive(Debug, Clone)]
pub struct Mounts {
    _own: (),
}

/// Why trees cannot be overlays here.
#[derive(Debug, thiserror::Error)]
pub enum NoOverlay {
    /// No mount namespace.
    #[error("no mount namespace of its own ({0}): that needs root with CAP_SYS_ADMIN")]
    Namespace(#[source] io::Error),
    /// The trial failed.
    #[error("an overlay in {folder} does not work: {source}", folder = folder.display())]
    Trial {
        /// Where.
        folder: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

/// The folders of one overlay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layers<'a> {
    /// What is shared; never written.
    pub(super) lower: &'a Path,
    /// What the tree has of its own.
    pub(super) upper: &'a Path,
    /// The kernel's workshop, beside `upper`.
    pub(super) work: &'a Path,
}

impl Mounts {
    /// Enters a namespace of its own. To be called before the process has a second thread: threads that live already
    /// would stay outside.
    ///
    /// # Errors
    /// The machine does not allow it.
    pub fn own() -> Result<Self, NoOverlay> {
        let entered = nix::sched::unshare(CloneFlags::CLONE_NEWNS).map_err(io::Error::from);
        entered.map_err(NoOverlay::Namespace)?;
        // What the machine mounts is seen here, and what is mounted here is not seen there.
        let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        mount_change("/", slave).map_err(|e| NoOverlay::Namespace(e.into()))?;
        Ok(Self { _own: () })
    }

    /// Tries an overlay in `folder` with everything that a tree needs of it.
    ///
    /// # Errors
    /// What does not work.
    pub fn try_in(&self, folder: &Path) -> Result<(), NoOverlay> {
        let trial = folder.join(format!("overlay.trial-{}", std::process::id()));
        let tried = remove_all(&trial).and_then(|()| self.tries(&trial));
        let gone = unmount(&trial.join("tree")).and_then(|()| remove_all(&trial));
        tried.and(gone).map_err(|source| NoOverlay::Trial { folder: folder.to_owned(), source })
    }

    fn tries(&self, trial: &Path) -> io::Result<()> {
        let [lower, upper, work, tree] = ["lower", "upper", "work", "tree"].map(|name| trial.join(name));
        for folder in [&lower.join("sub"), &upper, &tree] {
            fs::create_dir_all(folder)?;
        }
        for file in ["kept", "gone", "sub/moved"] {
            fs::write(lower.join(file), file)?;
        }
        let layers = Layers { lower: &lower, upper: &upper, work: &work };
        self.mount(&layers, &tree)?;
        let date = fs::metadata(lower.join("kept"))?.ctime_nsec();
        let wrong = |what: &str| Err(io::Error::other(what.to_owned()));
        if fs::metadata(tree.join("kept"))?.ctime_nsec() != date {
            return wrong("a shared file does not keep its dates");
        }
        fs::write(tree.join("kept"), "other")?;
        fs::remove_file(tree.join("gone"))?;
        fs::rename(tree.join("sub"), tree.join("there"))?;
        if fs::read(lower.join("kept"))? != b"kept" || fs::read(tree.join("there/moved"))? != b"sub/moved" {
            return wrong("writing goes to the wrong place");
        }
        match touched(&lower, &upper)? {
            Some(mut places) => {
                places.sort();
                if places == ["gone", "kept", "sub", "there"].map(PathBuf::from) {
                    Ok(())
                } else {
                    wrong("what a tree touched cannot be told")
                }
            }
            None => wrong("what a tree touched cannot be told"),
        }
    }

    /// Mounts the layers at `tree`, an empty folder. `upper` is there; `work` is made anew.
    pub(super) fn mount(&self, layers: &Layers<'_>, tree: &Path) -> io::Result<()> {
        // It holds nothing that lasts, but a mark that refuses a second mount after a crash.
        remove_all(layers.work)?;
        fs::create_dir(layers.work)?;
        let mut options = Vec::new();
        for (name, path) in
            [("lowerdir=", layers.lower), (",upperdir=", layers.upper), (",workdir=", layers.work)]
        {
            let path = path.as_os_str().as_bytes();
            if path.iter().any(|byte| b",:\\".contains(byte)) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a path with a comma, a colon or a backslash",
                ));
            }
            options.extend_from_slice(name.as_bytes());
            options.extend_from_slice(path);
        }
        // Volatile: a tree is thrown away, and without it each unmount would write the whole file system to the disk.
        options.extend_from_slice(b",redirect_dir=on,metacopy=off,index=off,volatile");
        let options = CString::new(options).map_err(|_| io::ErrorKind::InvalidInput)?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("orch", tree, "overlay", flags, options.as_c_str())?;
        Ok(())
    }
}

/// Which trees a large repository would have.
#[derive(Debug)]
pub enum Kind {
    /// Overlays on shared files; a repository of few files has recycled ones.
    Overlays,
    /// Recycled ones, and why, if that is known.
    Recycled(Option<NoOverlay>),
}

/// Which kind of trees a large repository would have in `folder`; found out by trying. For `orch doctor`.
pub fn kind_in(folder: &Path) -> Kind {
    // A thread of its own: the namespace is its alone and ends with it.
    let tried = std::thread::scope(|scope| {
        scope.spawn(|| Mounts::own().and_then(|mounts| mounts.try_in(folder))).join()
    });
    match tried {
        Ok(Ok(())) => Kind::Overlays,
        Ok(Err(error)) => Kind::Recycled(Some(error)),
        Err(_) => Kind::Recycled(None),
    }
}

/// Whether something is mounted at a folder.
pub(super) fn is_mounted(folder: &Path) -> io::Result<bool> {
    let device = |path: &Path| match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found.dev())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    };
    let (own, above) = (device(folder)?, device(folder.parent().unwrap_or(folder))?);
    Ok(own.is_some() && own != above)
}

/// Takes the mounts at a folder away, also while somebody still looks into them.
pub(super) fn unmount(folder: &Path) -> io::Result<()> {
    while is_mounted(folder)? {
        match unmount_now(folder, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            // A mount point of somebody else's making, or none any more.
            Err(Errno::INVAL | Errno::NOENT) => return Ok(()),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

/// The places in which a tree can differ from what it shares: files, and folders with all below. `None`: too many to
/// name.
pub(super) fn touched(lower: &Path, upper: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let mut places = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(upper.join(&folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            let merged =
                entry.file_type()?.is_dir() && is_folder(&lower.join(&name)) && !is_apart(&entry.path())?;
            if merged {
                open.push(name);
            } else {
                places.push(name);
            }
            if places.len() > MOST_PLACES {
                return Ok(None);
            }
        }
    }
    Ok(Some(places))
}

/// Whether a layer's entry says that the one below it is gone.
pub(super) fn is_whiteout(found: &fs::Metadata) -> bool {
    found.file_type().is_char_device() && found.rdev() == 0
}

/// Whether a folder of a layer takes files from elsewhere in the layer below: it means nothing without that layer.
pub(super) fn is_moved(folder: &Path) -> io::Result<bool> {
    has_mark(folder, "trusted.overlay.redirect")
}

/// Whether a folder of a layer has nothing to do with the one below it of the same name.
fn is_apart(folder: &Path) -> io::Result<bool> {
    Ok(has_mark(folder, "trusted.overlay.opaque")? || is_moved(folder)?)
}

fn has_mark(path: &Path, name: &str) -> io::Result<bool> {
    let mut value = [0_u8; 0];
    match rustix::fs::lgetxattr(path, name, &mut value) {
        Ok(_) | Err(Errno::RANGE) => Ok(true),
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

fn remove_all(folder: &Path) -> io::Result<()> {
    super::paths::remove(folder)
}
