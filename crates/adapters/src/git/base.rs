//! Which files do overlay trees share? A checkout of main that nobody works in: made once, never changed, replaced when
//! main has moved far, removed when no tree lies on it (decision 54).

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use orch_core::call::Failure;
use orch_core::id::Commit;
use orch_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::hub::Hub;
use super::overlay::Mounts;
use super::tree::{names_in, says_how_to_write};
use crate::failure;
use crate::process::RunAs;
use crate::run::shelter::give_to;

/// A repository of fewer files is checked out about as fast as it is mounted.
pub(super) const WORTH: usize = 1_000;
/// A base is replaced when main differs from it in more files: each tree has to write them.
const FAR: usize = 500;

/// A shared checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// Its folder's name.
    pub(super) name: String,
    /// What it is a checkout of.
    pub(super) commit: Commit,
    /// Whose files they are; without one, Orch's own user's.
    owner: Option<RunAs>,
    /// The boot in which it was made: its files were never forced to the disk, so a later one does not trust them.
    boot: String,
}

/// What is known of the shared files.
#[derive(Debug, Default)]
pub(super) struct Shared {
    current: Option<Base>,
    /// Whether the repository is large enough for trees to share files; `None`: not looked yet.
    large: Option<bool>,
}

/// What an overlay tree needs to begin.
pub(super) struct Ground<'a> {
    pub(super) mounts: &'a Mounts,
    pub(super) base: Base,
    /// Held until the tree's order names the base: until then nothing else keeps it.
    pub(super) shared: MutexGuard<'a, Shared>,
}

impl Base {
    fn room(hub: &Hub) -> Result<PathBuf, Failure> {
        let room = hub.room("bases")?;
        // Whoever owns the files must not get to them past a tree.
        fs::set_permissions(&room, fs::Permissions::from_mode(0o700)).map_err(failure::io(&room))?;
        Ok(room)
    }

    fn folder(hub: &Hub, name: &str) -> Result<PathBuf, Failure> {
        Ok(Self::room(hub)?.join(name))
    }

    /// The files.
    pub(super) fn tree(hub: &Hub, name: &str) -> Result<PathBuf, Failure> {
        Ok(Self::folder(hub, name)?.join("tree"))
    }

    /// The index that fits them.
    pub(super) fn index(hub: &Hub, name: &str) -> Result<PathBuf, Failure> {
        Ok(Self::folder(hub, name)?.join("index"))
    }

    /// The base of that name, if it is there.
    pub(super) fn find(hub: &Hub, name: &str) -> Result<Option<Self>, Failure> {
        let file = Self::folder(hub, name)?.join("base.json");
        match fs::read(&file) {
            // What a power cut left of it: shared files that nobody can vouch for are none.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .inspect_err(
                    |error| tracing::warn!(file = %file.display(), %error, "shared files are given up"),
                )
                .ok()),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(e) => Err(failure::io(&file)(e)),
        }
    }
}

impl Hub {
    /// Makes what the next trees need before anybody waits for it: the shared files where trees are overlays, else one
    /// tree in an empty pool. For a large repository only; to be called at a start and when main has moved. Blocks.
    ///
    /// # Errors
    /// As [`Failure`] says; trees are made all the same, more slowly.
    pub fn ready_trees(&self) -> Result<(), Failure> {
        let main = self.main_head()?;
        let mut shared = self.shared();
        shared.large = Some(self.count_files(&main)? >= self.worth);
        if shared.large != Some(true) {
            return Ok(());
        }
        if self.mounts.is_none() {
            drop(shared);
            return self.warm_pool();
        }
        let near = match self.current(&mut shared)? {
            Some(base) => {
                let changed = self.changed_names(base.commit.as_str(), main.as_str())?;
                changed.len() <= FAR && !changed.iter().any(|name| says_how_to_write(name))
            }
            None => false,
        };
        if !near {
            shared.current = Some(self.make_base(&main)?);
        }
        self.drop_bases(&shared)?;
        drop(shared);
        self.empty_trash()
    }

    /// The shared files for a tree of this owner; `None`: this tree is no overlay.
    pub(super) fn base_for(&self, owner: Option<RunAs>) -> Result<Option<Ground<'_>>, Failure> {
        let Some(mounts) = self.mounts.as_ref().filter(|_| owner == self.owner) else { return Ok(None) };
        let mut shared = self.shared();
        if shared.large.is_none() {
            shared.large = Some(self.count_files(&self.main_head()?)? >= self.worth);
        }
        if shared.large != Some(true) {
            return Ok(None);
        }
        let base = match self.current(&mut shared)? {
            Some(base) => base,
            // It costs as much as the plain checkout that this tree would need instead.
            None => self.make_base(&self.main_head()?)?,
        };
        shared.current = Some(base.clone());
        Ok(Some(Ground { mounts, base, shared }))
    }

    /// Takes away the bases that are neither current nor named by a tree.
    pub(super) fn drop_unused_bases(&self) -> Result<(), Failure> {
        if self.mounts.is_none() {
            return self.empty_trash();
        }
        let mut shared = self.shared();
        self.current(&mut shared)?;
        self.drop_bases(&shared)?;
        drop(shared);
        self.empty_trash()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_files(&self, commit: &Commit) -> Result<usize, Failure> {
        let said = self.ask(["ls-tree", "-r", "-z", "--name-only", commit.as_str()]).run()?;
        Ok(said.names().count())
    }

    /// The base in use; after a start, the newest one that may be trusted.
    fn current(&self, shared: &mut Shared) -> Result<Option<Base>, Failure> {
        if shared.current.is_none() {
            let boot = boot()?;
            let room = Base::room(self)?;
            let mut found = Vec::new();
            for name in names_in(&room)?.iter().filter_map(|name| name.to_str()) {
                let Some(base) = Base::find(self, name)? else { continue };
                if base.boot == boot && base.owner == self.owner && base.name == name {
                    let made = fs::metadata(room.join(name)).and_then(|m| m.modified());
                    found.push((made.map_err(failure::io(&room.join(name)))?, base));
                }
            }
            found.sort_by_key(|(made, _)| *made);
            shared.current = found.pop().map(|(_, base)| base);
        }
        Ok(shared.current.clone())
    }

    fn make_base(&self, commit: &Commit) -> Result<Base, Failure> {
        let half = self.room("bases.half")?.join("base");
        self.trash(&half)?;
        let (tree, index) = (half.join("tree"), half.join("index"));
        fs::create_dir_all(&tree).map_err(failure::io(&tree))?;
        self.read_tree(&tree, &index, commit)?;
        if self.own(&tree, self.owner)? {
            self.refresh(&tree, &index)?;
        }
        // An index later than every file, and no run before that moment: git compares dates by the second, and would
        // otherwise read a file again each time, or take one that a run wrote in the same second for unchanged.
        let written = fs::metadata(&index).and_then(|found| found.modified()).map_err(failure::io(&index))?;
        let seconds = written.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let later = UNIX_EPOCH + Duration::from_secs(seconds + 1);
        std::thread::sleep(Duration::from_secs(1));
        let dated = fs::File::options().write(true).open(&index).and_then(|file| file.set_modified(later));
        dated.map_err(failure::io(&index))?;
        let room = Base::room(self)?;
        let short = &commit.as_str()[..commit.as_str().len().min(12)];
        let free = |n: &u32| fs::symlink_metadata(room.join(format!("{short}-{n}"))).is_err();
        let name = format!("{short}-{}", (0..).find(free).unwrap_or_default());
        let base = Base { name: name.clone(), commit: commit.clone(), owner: self.owner, boot: boot()? };
        let bytes = serde_json::to_vec(&base)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        let file = half.join("base.json");
        let written = || {
            let mut file = fs::File::create(&file)?;
            file.write_all(&bytes)?;
            file.sync_all()
        };
        written().map_err(failure::io(&file))?;
        let place = room.join(name);
        fs::rename(&half, &place).map_err(failure::io(&place))?;
        Ok(base)
    }

    fn drop_bases(&self, shared: &Shared) -> Result<(), Failure> {
        let mut used: Vec<String> = shared.current.iter().map(|base| base.name.clone()).collect();
        for run in names_in(&self.room("runs")?)? {
            let run = run.to_str().and_then(|name| name.parse().ok());
            let admin = run.map(|run| self.admin(run)).transpose()?.flatten();
            used.extend(admin.and_then(|admin| admin.base));
        }
        for name in names_in(&Base::room(self)?)? {
            if !used.iter().any(|used| name.as_os_str() == used.as_str()) {
                self.trash(&Base::room(self)?.join(name))?;
            }
        }
        Ok(())
    }

    /// Checks out a commit over whatever tree and index are there.
    pub(super) fn read_tree(&self, tree: &Path, index: &Path, commit: &Commit) -> Result<(), Failure> {
        self.ask(["read-tree", "--reset", "-u", commit.as_str()])
            .config("checkout.workers=0")
            // With names cut short: a third less for each tree that lies on it.
            .config("index.version=4")
            .config("core.fsync=none")
            .on_tree(tree, index)
            .run()?;
        Ok(())
    }

    /// Makes an index fit a tree whose files changed their owner.
    pub(super) fn refresh(&self, tree: &Path, index: &Path) -> Result<(), Failure> {
        self.ask(["update-index", "-q", "--refresh"]).config("core.fsync=none").on_tree(tree, index).run()?;
        Ok(())
    }

    /// Gives a tree to its user: only what is not theirs, for each change of an owner is a change to git too. Whether
    /// there was anything.
    pub(super) fn own(&self, tree: &Path, owner: Option<RunAs>) -> Result<bool, Failure> {
        owner.map_or(Ok(false), |user| give_to(tree, user).map_err(failure::io(tree)))
    }
}

/// Which start of the machine this is: files of an earlier one were never forced to the disk, and a power cut may have
/// emptied them.
pub(super) fn boot() -> Result<String, Failure> {
    let file = Path::new("/proc/sys/kernel/random/boot_id");
    fs::read_to_string(file).map(|id| id.trim().to_owned()).map_err(failure::io(file))
}
