//! What lies at a path of a tree that an agent wrote? Looked at without following a link, ever.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use orch_core::undone::Unfit;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// What lies at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File {
        /// Its length.
        bytes: u64,
    },
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// Nothing, or something behind a link: for git both are the same.
    Nothing,
    /// A pipe, a socket or a device.
    Special,
}

/// What lies at `path` below `root`.
pub(super) fn kind_of(root: &Path, path: &str) -> io::Result<Kind> {
    let mut at = root.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let found = match fs::symlink_metadata(&at) {
            Ok(found) => found,
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
                ) =>
            {
                return Ok(Kind::Nothing);
            }
            Err(e) => return Err(e),
        };
        let last = parts.peek().is_none();
        let kind = found.file_type();
        match (last, kind.is_dir()) {
            (false, true) => {}
            (false, false) => return Ok(Kind::Nothing),
            (true, true) => return Ok(Kind::Folder),
            (true, false) if kind.is_symlink() => return Ok(Kind::Link),
            (true, false) if kind.is_file() => return Ok(Kind::File { bytes: found.len() }),
            (true, false) => return Ok(Kind::Special),
        }
    }
    Ok(Kind::Nothing)
}

/// Whether the link at `path` leads to something inside `root`, through other links too, and not into `.git`.
pub(super) fn stays_inside(root: &Path, path: &str) -> io::Result<bool> {
    let mut inside = PathBuf::from(path);
    inside.pop();
    let mut rest: Vec<PathBuf> = vec![fs::read_link(root.join(path))?];
    // A chain of links longer than the kernel follows leads nowhere.
    let mut links = 40;
    while let Some(part) = rest.pop() {
        let mut parts = part.components();
        let Some(first) = parts.next() else { continue };
        let tail = parts.as_path().to_owned();
        if tail.components().next().is_some() {
            rest.push(tail);
        }
        match first {
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Ok(false),
            Component::ParentDir => {
                if !inside.pop() {
                    return Ok(false);
                }
            }
            Component::Normal(name) => {
                inside.push(name);
                if is_dot_git(name) {
                    return Ok(false);
                }
                let at = root.join(&inside);
                if fs::symlink_metadata(&at).is_ok_and(|found| found.is_symlink()) {
                    links -= 1;
                    if links == 0 {
                        return Ok(false);
                    }
                    inside.pop();
                    rest.push(fs::read_link(&at)?);
                }
            }
        }
    }
    Ok(true)
}

fn is_dot_git(name: &OsStr) -> bool {
    name.as_bytes().eq_ignore_ascii_case(b".git")
}

/// Why a name may not be in a commit, if it may not.
pub(super) fn bad_name(path: &str) -> Option<Unfit> {
    if path.chars().any(char::is_control) {
        return Some(Unfit::ControlCharacters);
    }
    if path.split('/').any(|part| is_dot_git(OsStr::new(part))) {
        return Some(Unfit::DotGit);
    }
    None
}

/// Whether a path of a setting stays below the folder it is meant for.
pub(super) fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| match part {
            Component::Normal(name) => !is_dot_git(name),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => false,
        })
}

/// Removes whatever lies there; nothing there is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if !found.is_dir() {
        return fs::remove_file(path);
    }
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            make_removable(path)?;
            fs::remove_dir_all(path)
        }
        done => done,
    }
}

/// Removes pipes, sockets and devices below `tree`, its `.git` apart. None can be in a commit, and git would wait for ever
/// for a pipe that is called `.gitignore`. A folder that the run closed is opened: what lies in it counts like all else.
pub(super) fn remove_special(tree: &Path) -> io::Result<()> {
    let mut open = vec![tree.to_owned()];
    while let Some(folder) = open.pop() {
        if !open_up(&folder, 0o500)? {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if folder != tree || entry.file_name() != ".git" {
                    open.push(entry.path());
                }
            } else if !kind.is_file() && !kind.is_symlink() {
                remove_file(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Lets the owner of a folder do this with it; false if it is too deep for anybody, git too. What a process that lives still
/// puts in its place is another folder of the tree, or nothing.
fn open_up(folder: &Path, owner: u32) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let held = match rustix::fs::open(folder, flags, Mode::empty()) {
        Err(Errno::NAMETOOLONG) => return Ok(false),
        held => fs::File::from(held?),
    };
    let mode = held.metadata()?.permissions().mode() & 0o777;
    if mode & owner != owner {
        let place = format!("/proc/self/fd/{}", held.as_raw_fd());
        fs::set_permissions(place, fs::Permissions::from_mode(mode | owner))?;
    }
    Ok(true)
}

/// Removes a file below a folder that can be looked into; one that is too deep is none to git.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    let removed = match (fs::remove_file(path), path.parent()) {
        (Err(e), Some(above)) if e.kind() == ErrorKind::PermissionDenied && open_up(above, 0o700)? => {
            fs::remove_file(path)
        }
        (removed, _) => removed,
    };
    removed.or_else(|e| if e.kind() == ErrorKind::InvalidFilename { Ok(()) } else { Err(e) })
}

/// The files and links below a folder, `most` and one more at most; a repository in it is left out.
pub(super) fn files_below(root: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        let mut found = Vec::new();
        let entries = match fs::read_dir(root.join(&folder)) {
            // Closed, or too deep: the run made it so, and git leaves it out as well.
            Err(e) if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidFilename) => {
                continue;
            }
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if is_dot_git(&entry.file_name()) {
                found.clear();
                break;
            }
            found.push((folder.join(entry.file_name()), entry.file_type()?.is_dir()));
            if found.len() > most {
                break;
            }
        }
        for (path, is_folder) in found {
            match is_folder {
                true => open.push(path),
                false => files.push(path),
            }
            if files.len() > most {
                return Ok(files);
            }
        }
    }
    Ok(files)
}

/// Some tools write folders that their owner may not change: package caches do.
fn make_removable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Proves that links are followed as the kernel would, not as their text reads.
    #[test]
    fn links_are_followed_to_their_end() {
        let tree = tempfile::tempdir().unwrap();
        let root = tree.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        for (link, target) in [
            ("in", "a/b"),
            ("a/up", ".."),
            ("out", "/etc/passwd"),
            ("a/b/far", "../../../x"),
            ("top", "."),
            ("a/b/hidden", "../../top/../x"),
            ("git", ".git/config"),
            ("loop", "loop"),
            ("dangling", "a/nothing"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let inside = |path| stays_inside(root, path).unwrap();
        for path in ["in", "a/up", "top", "dangling"] {
            assert!(inside(path), "{path}");
        }
        for path in ["out", "a/b/far", "a/b/hidden", "git", "loop"] {
            assert!(!inside(path), "{path}");
        }
        assert_eq!(kind_of(root, "in/x").unwrap(), Kind::Nothing);
        assert_eq!(kind_of(root, "a/b").unwrap(), Kind::Folder);
    }

    /// Proves that a setting's path cannot leave its folder.
    #[test]
    fn setting_paths_are_plain() {
        assert!(is_plain("target") && is_plain("a/b"));
        for path in ["", "/etc", "../x", "a/../b", ".git/hooks", "a/.GIT"] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
