//! Did main move since the last look? Told from the files in which git keeps it, so that a sweep of a repository in which
//! nothing happens starts no program.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// After so many looks that saw nothing the repository is asked all the same.
const TRUST: u32 = 20;

/// What was seen last.
#[derive(Debug, Default)]
pub struct Refs {
    seen: Option<Vec<Option<Mark>>>,
    still: u32,
}

/// A file at one moment: when it was written, and which one it is, for git replaces whole files.
type Mark = (i64, i64, u64, u64);

impl Refs {
    /// Whether `main` of the person's repository or of its hub may have moved since the last time that this was asked.
    /// Of a repository that is not on this machine it is not known: yes.
    pub fn moved(&mut self, origin: &str, hub: &Path, main: &str) -> bool {
        // Taken before the repository is asked: what moves meanwhile is seen the next time.
        let now = git_folder(Path::new(origin)).map(|origin| {
            let branch = format!("refs/heads/{main}");
            let files = ["HEAD", &branch, "packed-refs", "reftable/tables.list"];
            [origin.as_path(), hub]
                .iter()
                .flat_map(|folder| files.map(|file| mark(&folder.join(file))))
                .collect()
        });
        if now.is_some() && now == self.seen && self.still < TRUST {
            self.still += 1;
            return false;
        }
        (self.seen, self.still) = (now, 0);
        true
    }

    /// What was seen was not told to the brain: the next look says that it moved.
    pub fn forget(&mut self) {
        self.seen = None;
    }
}

/// The git directory of a repository on this machine, with a working tree or bare.
fn git_folder(repository: &Path) -> Option<PathBuf> {
    [repository.join(".git"), repository.to_owned()].into_iter().find(|folder| folder.join("HEAD").is_file())
}

fn mark(path: &Path) -> Option<Mark> {
    let found = std::fs::symlink_metadata(path).ok()?;
    Some((found.mtime(), found.mtime_nsec(), found.ino(), found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Proves that a repository at rest is let alone, and that a main that moved, was packed or is not known is looked at.
    #[test]
    fn what_moved_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, hub) = (folder.path().join("origin"), folder.path().join("hub.git"));
        write(&origin.join(".git/HEAD"), "ref: refs/heads/main");
        write(&origin.join(".git/refs/heads/main"), "1");
        write(&hub.join("refs/heads/main"), "1");
        let mut refs = Refs::default();
        let mut moved = || refs.moved(origin.to_str().unwrap(), &hub, "main");
        assert!(moved(), "the first time");
        assert!(!moved());
        write(&origin.join(".git/refs/heads/main"), "22");
        assert!(moved(), "another commit");
        assert!(!moved());
        write(&origin.join(".git/refs/heads/feature"), "1");
        assert!(!moved(), "another branch is not asked for");
        write(&origin.join(".git/packed-refs"), "1");
        assert!(moved(), "packed");
        write(&hub.join("refs/heads/main"), "22");
        assert!(moved(), "the hub");
        assert!(!moved());
        let looks = (0..=TRUST).filter(|_| moved()).count();
        assert_eq!(looks, 1, "now and then all the same");
        assert!(Refs::default().moved("https://example.org/a.git", &hub, "main"));
    }
}
