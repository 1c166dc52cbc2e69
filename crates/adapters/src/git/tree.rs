//! Where does a run work? In a fresh tree at exactly one commit, with a git directory of its own that borrows the hub's
//! objects (decision 32).
//!
//! The host keeps its own index of each tree, out of the agent's reach; a `.git` that an agent could write is never
//! read. A tree given back is cleaned and waits in a pool: making it ready again costs what changed, not what is there.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use orch_core::call::Failure;
use orch_core::hindrance::Hindrance;
use orch_core::id::{Commit, RunId};
use orch_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::base::{Ground, boot};
use super::hub::{Hub, RefMove, remove_index};
use super::layer::Step;
use super::overlay;
use super::paths::{self, Kind};
use crate::failure;
use crate::process::RunAs;

/// Cleaned trees kept for the next runs.
const POOL: usize = 4;

/// Which tree a run wants.
#[derive(Debug, Clone)]
pub struct TreeOrder<'a> {
    /// The run.
    pub run: RunId,
    /// What it works on.
    pub commit: &'a Commit,
    /// Where the tree shall be: on the hub's file system, or it cannot be recycled.
    pub folder: &'a Path,
    /// What it finds of earlier runs.
    pub cache: Option<Cache>,
    /// Files of the commit that are taken away: the role's old verdict.
    pub remove: Vec<String>,
    /// Whose it shall be; without one, Orch's own user's.
    pub owner: Option<RunAs>,
}

/// Folders kept between the runs of one task and role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Whose: task and role, such as `ORCH-042/developer`.
    pub key: String,
    /// Which, from the policy; one that the repository tracks is not cached.
    pub paths: Vec<String>,
}

/// A tree that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTree {
    /// Where it is.
    pub folder: PathBuf,
    /// What a run must be able to read besides it, and may not write: the hub's objects.
    pub objects: PathBuf,
    /// How it was made.
    pub kind: TreeKind,
}

/// How a tree was made; each is exactly its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// A layer of its own over shared files.
    Overlay,
    /// From the tree of an earlier run.
    Recycled,
    /// By a full checkout.
    Plain,
}

/// What the host remembers of a run's tree.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Admin {
    pub(super) folder: PathBuf,
    pub(super) commit: Commit,
    pub(super) cache: Option<Cache>,
    /// Files of the commit that the host took away.
    pub(super) removed: Vec<String>,
    /// The shared files that it lies on, if it is an overlay.
    #[serde(default)]
    pub(super) base: Option<String>,
    /// The boot in which it was made: nothing of it was forced to the disk, so a later one does not trust it. `None`:
    /// written by a binary that did not say.
    #[serde(default)]
    boot: Option<String>,
    /// Files that the host dated anew, for the cache's sake.
    #[serde(default)]
    pub(super) redated: BTreeSet<String>,
    /// Whose it is.
    #[serde(default)]
    owner: Option<RunAs>,
}

impl Admin {
    pub(super) fn new(order: &TreeOrder<'_>) -> Result<Self, Failure> {
        Ok(Self {
            folder: order.folder.to_owned(),
            commit: order.commit.clone(),
            cache: order.cache.clone(),
            removed: Vec::new(),
            base: None,
            boot: Some(boot()?),
            redated: BTreeSet::new(),
            owner: order.owner,
        })
    }

    /// Whether the machine has been started again since the tree was made: what it holds may be half of what was written.
    pub(super) fn outlived_its_boot(&self) -> Result<bool, Failure> {
        Ok(self.boot.is_some() && self.boot != Some(boot()?))
    }

    /// The paths of the cached folders.
    pub(super) fn cached(&self) -> Vec<&str> {
        self.cache.iter().flat_map(|cache| cache.paths.iter().map(String::as_str)).collect()
    }
}

impl Hub {
    /// Makes a tree ready. A tree of the same run is replaced: whoever asks knows that the run does not live.
    pub fn prepare_tree(&self, order: &TreeOrder<'_>) -> Result<RunTree, Failure> {
        let cached = order.cache.as_ref().map_or(&[][..], |cache| &cache.paths);
        let key = order.cache.as_ref().map(|cache| cache.key.as_str());
        for path in order.remove.iter().chain(cached).map(String::as_str).chain(key) {
            if !paths::is_plain(path) {
                return Err(Failure::permanent(Refusal::PathOutside { path: path.to_owned() }));
            }
        }
        self.discard(order.run, order.folder)?;
        let parent = order.folder.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(failure::io(parent))?;
        let (mut admin, kind) = match self.ground_for(order)? {
            Some((ground, steps)) => (self.lay_over(order, ground, &steps)?, TreeKind::Overlay),
            None => self.check_out(order)?,
        };
        for path in &order.remove {
            if matches!(self.kind(order.folder, path)?, Kind::File { .. } | Kind::Link) {
                let file = order.folder.join(path);
                fs::remove_file(&file).map_err(failure::io(&file))?;
                admin.removed.push(path.clone());
            }
        }
        write_admin(&self.run_room(order.run)?, &admin)?;
        self.redate(order.folder, &admin.redated)?;
        Ok(RunTree { folder: order.folder.to_owned(), objects: self.objects(), kind })
    }

    /// The shared files for a tree, and what leads from them to its commit; `None`: this tree is no overlay.
    fn ground_for(&self, order: &TreeOrder<'_>) -> Result<Option<(Ground<'_>, Vec<Step>)>, Failure> {
        let Some(ground) = self.base_for(order.owner)? else { return Ok(None) };
        let steps = self.steps(&ground.base.commit, order.commit)?;
        let same = !steps.iter().any(|step| says_how_to_write(&step.name));
        Ok(same.then_some((ground, steps)))
    }

    /// Whether the files of a recycled tree were written by the same rules as those of a commit.
    fn is_written_alike(&self, tree: &Path, index: &Path, commit: &Commit) -> Result<bool, Failure> {
        let said = self
            .ask(["diff-index", "--cached", "--name-only", "--no-renames", "-z", commit.as_str()])
            .on_tree(tree, index)
            .run()?;
        Ok(!said.names().any(says_how_to_write))
    }

    /// A tree of files of its own: from the pool, or by a full checkout.
    fn check_out(&self, order: &TreeOrder<'_>) -> Result<(Admin, TreeKind), Failure> {
        let room = self.run_room(order.run)?;
        let recycled = self.claim(&room, order.owner)?;
        fs::create_dir_all(&room).map_err(failure::io(&room))?;
        let mut admin = Admin::new(order)?;
        write_admin(&room, &admin)?;
        let recycled = recycled && fs::rename(room.join("tree"), order.folder).is_ok();
        let index = room.join("index");
        let recycled = recycled && self.is_written_alike(order.folder, &index, order.commit)?;
        if !recycled {
            self.trash(order.folder)?;
            self.trash(&room.join("tree"))?;
            remove_index(&index)?;
            fs::create_dir(order.folder).map_err(failure::io(order.folder))?;
        }
        self.read_tree(order.folder, &index, order.commit)?;
        if self.own(order.folder, order.owner)? {
            self.refresh(order.folder, &index)?;
        }
        admin.redated = self.restore_cache(&admin, order.folder)?;
        let git = order.folder.join(".git");
        self.give_git(order.folder, order.commit)
            .and_then(|()| fs::copy(&index, git.join("index")))
            .map_err(failure::io(&git))?;
        self.own(&git, order.owner)?;
        Ok((admin, if recycled { TreeKind::Recycled } else { TreeKind::Plain }))
    }

    /// Takes a tree back: out of the way at once, then cleaned for the next run or removed. Nobody waits for that.
    pub fn drop_tree(&self, run: RunId) -> Result<(), Failure> {
        let room = self.run_room(run)?;
        let Some(admin) = self.admin(run)? else {
            self.trash(&room)?;
            return self.empty_trash();
        };
        if admin.base.is_some() {
            return self.drop_layer(run, &admin);
        }
        let trusted = !admin.outlived_its_boot()?;
        // Without it an earlier try got further than this.
        let there = fs::symlink_metadata(&admin.folder).is_ok();
        if there && trusted {
            self.save_cache(run, &admin, &admin.folder)?;
        }
        let half = self.room("pool.half")?.join(run.to_string());
        self.trash(&half)?;
        // The tree first: as long as its room stands, it is found again after a crash.
        let moved = !there || fs::rename(&admin.folder, room.join("tree")).is_ok();
        let kept = moved && trusted && fs::rename(&room, &half).is_ok();
        let lock = half.join("index.lock");
        paths::remove(&lock).map_err(failure::io(&lock))?;
        if kept && self.pool_has_room()? && self.clean(&half.join("tree"), &half.join("index")).is_ok() {
            let place = self.room("pool")?.join(format!("{run}{}", pool_mark(admin.owner)?));
            self.trash(&place)?;
            paths::remove(&half.join("order.json")).map_err(failure::io(&half))?;
            fs::rename(&half, &place).map_err(failure::io(&place))?;
        } else {
            self.trash(&half)?;
            self.trash(&room)?;
            self.trash(&admin.folder)?;
        }
        self.empty_trash()
    }

    /// Puts one tree of main into an empty pool, so that the first run need not wait for a full checkout.
    pub fn warm_pool(&self) -> Result<(), Failure> {
        let pool = self.room("pool")?;
        if fs::read_dir(&pool).map_err(failure::io(&pool))?.next().is_some() {
            return Ok(());
        }
        let half = self.room("pool.half")?.join("warm");
        self.trash(&half)?;
        let tree = half.join("tree");
        fs::create_dir_all(&tree).map_err(failure::io(&tree))?;
        let main = self.main_head()?;
        let index = half.join("index");
        self.read_tree(&tree, &index, &main)?;
        if self.own(&tree, self.owner)? {
            self.refresh(&tree, &index)?;
        }
        let place = pool.join(format!("warm-{main}{}", pool_mark(self.owner)?));
        fs::rename(&half, &place).map_err(failure::io(&place))
    }

    /// Removes what a crash left: trees of runs that are not `live`, trees half cleaned, trees kept since before the machine
    /// started, trash. One that cannot be removed does not keep the others.
    ///
    /// # Errors
    /// The first that was met.
    pub fn tidy_trees(&self, live: &[RunId]) -> Result<(), Failure> {
        let mut met = self.tidy_scratch();
        let runs = self.room("runs")?;
        for name in names_in(&runs)? {
            let run = name.to_str().and_then(|name| name.parse::<RunId>().ok());
            let tidied = match run {
                Some(run) if live.contains(&run) => Ok(()),
                Some(run) => self.drop_tree(run),
                None => self.trash(&runs.join(&name)),
            };
            met = met.and(tidied);
        }
        let of_now = format!("+{}", boot()?);
        for half in ["pool.half", "bases.half", "pool"] {
            let folder = self.room(half)?;
            for name in names_in(&folder)? {
                if half != "pool" || !name.as_bytes().ends_with(of_now.as_bytes()) {
                    met = met.and(self.trash(&folder.join(name)));
                }
            }
        }
        met.and(self.empty_trash())
    }

    /// Forgets all runs: an older journal takes the place of the one that named them, and will give their names again.
    /// Their commits stay where branches have them. The trees' folders are left to the caller. May be called again.
    ///
    /// A branch that Orch deleted later may be one with which the older journal goes on: it may be brought back.
    ///
    /// What else later rows left in the hub is taken for nothing that it is not. The mark of a cut branch counts only while the
    /// branch stands where it was cut; that of a candidate only where the candidate's first parent is the head asked about;
    /// newer work on a branch that the older journal knows is taken over like anybody's push, and its verdicts lapse; a
    /// merge that it does not know is one that somebody made past Orch (decision 45).
    ///
    /// # Errors
    /// Git or the file system refuses.
    pub fn forget_runs(&self) -> Result<(), Failure> {
        let rooms = self.room("runs")?;
        for name in names_in(&rooms)? {
            let run = name.to_str().and_then(|name| name.parse::<RunId>().ok());
            if let Some(Ok(Some(admin))) = run.map(|run| self.admin(run)) {
                overlay::unmount(&admin.folder).map_err(failure::io(&admin.folder))?;
            }
            self.trash(&rooms.join(&name))?;
        }
        let marks = ["refs/orch/runs", "refs/orch/left"];
        let names = self.ask(["for-each-ref", "--format=%(refname)"]).args(marks).run()?.text();
        let gone = |name: &str| RefMove { name: name.to_owned(), old: None, new: None };
        let gone: Vec<_> = names.lines().map(gone).collect();
        if !gone.is_empty() {
            self.move_refs(&gone)?;
        }
        self.forget_deleted()
    }

    /// What the host knows of a run's tree; `None` if there is none, or if nobody can read any more what it is.
    pub(super) fn admin(&self, run: RunId) -> Result<Option<Admin>, Failure> {
        let file = self.run_room(run)?.join("order.json");
        match fs::read(&file) {
            // What a power cut left of it.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .inspect_err(
                    |error| tracing::warn!(%run, file = %file.display(), %error, "a tree is given up"),
                )
                .ok()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failure::io(&file)(e)),
        }
    }

    /// The host's own folder of a run: its index of the tree and its order.
    pub(super) fn run_room(&self, run: RunId) -> Result<PathBuf, Failure> {
        Ok(self.room("runs")?.join(run.to_string()))
    }

    /// What lies at a path of a tree.
    pub(super) fn kind(&self, tree: &Path, path: &str) -> Result<Kind, Failure> {
        paths::kind_of(tree, path).map_err(failure::io(&tree.join(path)))
    }

    fn discard(&self, run: RunId, folder: &Path) -> Result<(), Failure> {
        if let Some(admin) = self.admin(run)? {
            overlay::unmount(&admin.folder).map_err(failure::io(&admin.folder))?;
            self.trash(&admin.folder)?;
        }
        overlay::unmount(folder).map_err(failure::io(folder))?;
        self.trash(&self.run_room(run)?)?;
        self.trash(folder)
    }

    /// Makes a tree of the pool the run's own: renaming is the claim, so two runs never get the same one.
    fn claim(&self, room: &Path, owner: Option<RunAs>) -> Result<bool, Failure> {
        let (pool, mark) = (self.room("pool")?, pool_mark(owner)?);
        for name in names_in(&pool)? {
            if name.as_bytes().ends_with(mark.as_bytes()) && fs::rename(pool.join(name), room).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn pool_has_room(&self) -> Result<bool, Failure> {
        Ok(names_in(&self.room("pool")?)?.len() < POOL)
    }

    /// Moves something away; removing it can wait.
    pub(super) fn trash(&self, path: &Path) -> Result<(), Failure> {
        if fs::symlink_metadata(path).is_err() {
            return Ok(());
        }
        let trash = self.room("trash")?;
        for n in 0_u32.. {
            let place = trash.join(n.to_string());
            if fs::symlink_metadata(&place).is_ok() {
                continue;
            }
            match fs::rename(path, &place) {
                Ok(()) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::CrossesDevices => break,
                // Another thread took the number.
                Err(e) if is_taken(e.kind()) => {}
                Err(e) => return Err(failure::io(path)(e)),
            }
        }
        paths::remove(path).map_err(failure::io(path))
    }

    /// Removes the trash; what cannot be removed is left for the next time.
    pub(super) fn empty_trash(&self) -> Result<(), Failure> {
        let trash = self.room("trash")?;
        for name in names_in(&trash)? {
            let path = trash.join(name);
            if let Err(error) = paths::remove(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot empty the trash");
            }
        }
        Ok(())
    }

    /// Leaves only tracked files in a tree, each with one name only: another name would be a way into the next run. What a
    /// run closed to its owner, or marked, goes too: a checkout makes it anew with the right mode.
    fn clean(&self, tree: &Path, index: &Path) -> Result<(), Failure> {
        let said = self.ask(["ls-files", "-z", "--stage"]).on_tree(tree, index).run()?;
        let (mut files, mut folders) = (HashSet::new(), HashSet::new());
        for line in said.names() {
            let Some(tab) = line.iter().position(|byte| *byte == b'\t') else {
                return Err(said.odd().into());
            };
            let name = &line[tab + 1..];
            if !line.starts_with(b"160000 ") {
                files.insert(name.to_vec());
            }
            for (at, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                folders.insert(name[..at].to_vec());
            }
        }
        let top = fs::symlink_metadata(tree).map_err(failure::io(tree))?;
        if is_odd(&top) {
            return Err(Failure::permanent(Hindrance::TreeTaken { path: tree.display().to_string() }));
        }
        let mut open = vec![(tree.to_owned(), Vec::new())];
        while let Some((folder, above)) = open.pop() {
            for entry in fs::read_dir(&folder).map_err(failure::io(&folder))? {
                let entry = entry.map_err(failure::io(&folder))?;
                let mut name = above.clone();
                name.extend_from_slice(entry.file_name().as_bytes());
                let path = entry.path();
                let found = entry.metadata().map_err(failure::io(&path))?;
                if found.is_dir() && folders.contains(&name) && !is_odd(&found) {
                    name.push(b'/');
                    open.push((path, name));
                } else if found.is_dir() || !files.contains(&name) || found.nlink() > 1 || is_odd(&found) {
                    paths::remove(&path).map_err(failure::io(&path))?;
                }
            }
        }
        Ok(())
    }

    /// A git directory of the run's own, on a branch `work`, without a remote and without hooks; it lacks its index.
    pub(super) fn give_git(&self, folder: &Path, commit: &Commit) -> io::Result<()> {
        let git = folder.join(".git");
        paths::remove(&git)?;
        fs::create_dir_all(git.join("objects/info"))?;
        fs::create_dir_all(git.join("objects/pack"))?;
        fs::create_dir_all(git.join("refs/heads"))?;
        let (version, extension) = match commit.as_str().len() {
            64 => (1, "[extensions]\n\tobjectFormat = sha256\n"),
            _ => (0, ""),
        };
        fs::write(
            git.join("config"),
            format!(
                "[core]\n\trepositoryFormatVersion = {version}\n\tbare = false\n\tfileMode = true\n{extension}\
                 [gc]\n\tauto = 0\n[user]\n\tname = agent\n\temail = agent@orch.invalid\n"
            ),
        )?;
        let mut objects = self.objects().into_os_string().into_encoded_bytes();
        objects.push(b'\n');
        fs::write(git.join("objects/info/alternates"), objects)?;
        fs::write(git.join("refs/heads/work"), format!("{commit}\n"))?;
        fs::write(git.join("HEAD"), "ref: refs/heads/work\n")
    }
}

/// Ends the name of a tree in the pool: whose it is and of which boot. A tree that changed its owner would have to be read
/// anew, and one of an earlier boot too.
fn pool_mark(owner: Option<RunAs>) -> Result<String, Failure> {
    let own = rustix::process::geteuid().as_raw();
    Ok(format!("@{}+{}", owner.map_or(own, |user| user.uid), boot()?))
}

/// Whether a file of this name says how others are written: where two commits differ in one, files of the same content can
/// still have to look otherwise.
pub(super) fn says_how_to_write(name: &[u8]) -> bool {
    name.rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes")
}

/// Whether a file or folder has a mode that no checkout gives: closed to its owner, or with special bits. The group's bit
/// is a folder's own business: it may have it from the folder above.
fn is_odd(found: &fs::Metadata) -> bool {
    let mode = found.mode() & 0o7777;
    if found.is_dir() { mode & 0o5700 != 0o700 } else { found.is_file() && mode & 0o7600 != 0o600 }
}

fn is_taken(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(kind, Kind::DirectoryNotEmpty | Kind::AlreadyExists | Kind::IsADirectory | Kind::NotADirectory)
}

pub(super) fn names_in(folder: &Path) -> Result<Vec<OsString>, Failure> {
    let entries = fs::read_dir(folder).map_err(failure::io(folder))?;
    entries.map(|entry| Ok(entry.map_err(failure::io(folder))?.file_name())).collect()
}

pub(super) fn write_admin(room: &Path, admin: &Admin) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(admin)
        .map_err(|e| Failure::permanent(format!("{}: {e}", admin.folder.display())))?;
    let (file, half) = (room.join("order.json"), room.join("order.half"));
    fs::write(&half, bytes).and_then(|()| fs::rename(&half, &file)).map_err(failure::io(&file))
}
