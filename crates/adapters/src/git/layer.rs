//! How is a run's tree laid over shared files, looked through, and taken away? (decision 54)

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use orch_core::call::Failure;
use orch_core::id::{Commit, RunId};
use orch_core::refusal::Refusal;

use super::base::{Base, Ground};
use super::branch::index_line;
use super::hub::Hub;
use super::overlay::{self, Layers, Mounts};
use super::paths;
use super::tree::{Admin, TreeOrder, write_admin};
use crate::failure;
use crate::process::RunAs;

/// Where the layer of a run's own lies in its room, and the kernel's workshop beside it.
const UPPER: &str = "upper";
const WORK: &str = "work";

/// One file of another commit.
pub(super) struct Step {
    /// Its mode, `0` where there is none.
    mode: String,
    id: String,
    pub(super) name: Vec<u8>,
}

impl Step {
    fn is_gone(&self) -> bool {
        self.mode == "0"
    }
}

impl Hub {
    /// Mounts a tree for a run and makes it the run's commit.
    pub(super) fn lay_over(
        &self,
        order: &TreeOrder<'_>,
        ground: Ground<'_>,
        steps: &[Step],
    ) -> Result<Admin, Failure> {
        let Ground { mounts, base, shared } = ground;
        let room = self.run_room(order.run)?;
        let upper = room.join(UPPER);
        fs::create_dir_all(&upper).map_err(failure::io(&upper))?;
        // The layer has the owner and the mode of a tree; the way to it is closed.
        fs::set_permissions(&room, fs::Permissions::from_mode(0o700)).map_err(failure::io(&room))?;
        let mut admin = Admin::new(order)?;
        admin.base = Some(base.name.clone());
        write_admin(&room, &admin)?;
        drop(shared);
        fs::create_dir(order.folder).map_err(failure::io(order.folder))?;
        // What can be put into the layer before it is mounted costs no copy.
        admin.redated = self.restore_cache(&admin, &upper)?;
        write_admin(&room, &admin)?;
        self.give_git(&upper, order.commit).map_err(failure::io(&upper.join(".git")))?;
        let index = upper.join(".git/index");
        self.index_beside(&base.name, order.folder, steps, &index)?;
        self.mount_layer(mounts, &admin, &room)?;
        self.write_steps(order.run, order.folder, steps)?;
        if let Some(user) = order.owner {
            give_layer(&upper, order.folder, &admin.cached(), user).map_err(failure::io(order.folder))?;
        }
        Ok(admin)
    }

    /// Mounts a run's tree again if it is not: after a start of Orch its namespace is a new one.
    pub(super) fn reach_tree(&self, run: RunId, admin: &Admin) -> Result<(), Failure> {
        if admin.base.is_none() || overlay::is_mounted(&admin.folder).map_err(failure::io(&admin.folder))? {
            return Ok(());
        }
        let Some(mounts) = &self.mounts else {
            return Err(Failure::permanent(Refusal::NoMounts { run }));
        };
        fs::create_dir_all(&admin.folder).map_err(failure::io(&admin.folder))?;
        self.mount_layer(mounts, admin, &self.run_room(run)?)
    }

    fn mount_layer(&self, mounts: &Mounts, admin: &Admin, room: &Path) -> Result<(), Failure> {
        let lower = Base::tree(self, admin.base.as_deref().unwrap_or_default())?;
        let (upper, work) = (room.join(UPPER), room.join(WORK));
        let layers = Layers { lower: &lower, upper: &upper, work: &work };
        mounts.mount(&layers, &admin.folder).map_err(failure::io(&admin.folder))
    }

    /// Takes an overlay tree back. Nothing of it is used again but its cached folders.
    pub(super) fn drop_layer(&self, run: RunId, admin: &Admin) -> Result<(), Failure> {
        let room = self.run_room(run)?;
        overlay::unmount(&admin.folder).map_err(failure::io(&admin.folder))?;
        let upper = room.join(UPPER);
        if fs::symlink_metadata(&upper).is_ok() && !admin.outlived_its_boot()? {
            self.save_cache(run, admin, &upper)?;
        }
        self.trash(&admin.folder)?;
        self.trash(&room)?;
        self.drop_unused_bases()
    }

    /// The commit of a base.
    pub(super) fn base_commit(&self, name: &str) -> Result<Commit, Failure> {
        let gone = || Failure::permanent(Refusal::SharedFilesGone { name: name.to_owned() });
        Base::find(self, name)?.map(|base| base.commit).ok_or_else(gone)
    }

    /// Makes `index` the one that fits a run's overlay tree as it was given.
    pub(super) fn index_of_layer(&self, admin: &Admin, name: &str, index: &Path) -> Result<(), Failure> {
        let steps = self.steps(&self.base_commit(name)?, &admin.commit)?;
        self.index_beside(name, &admin.folder, &steps, index)
    }

    /// Makes `index` the one of a base with some steps taken. Git puts another file in the place of the one it read, so
    /// that one need not be a copy; but nobody may be given the base's own, to write in it.
    fn index_beside(&self, name: &str, tree: &Path, steps: &[Step], index: &Path) -> Result<(), Failure> {
        let from = Base::index(self, name)?;
        let copy = || fs::copy(&from, index).map(drop).map_err(failure::io(index));
        if steps.is_empty() {
            return copy();
        }
        fs::hard_link(&from, index).map_err(failure::io(index))?;
        self.take_steps(tree, index, steps)?;
        if fs::symlink_metadata(index).map_err(failure::io(index))?.nlink() == 1 {
            return Ok(());
        }
        fs::remove_file(index).map_err(failure::io(index))?;
        copy()
    }

    /// What leads from one commit to another. Reading the other commit into the index would do the same and costs
    /// 50,000 comparisons.
    pub(super) fn steps(&self, from: &Commit, to: &Commit) -> Result<Vec<Step>, Failure> {
        if from == to {
            return Ok(Vec::new());
        }
        let said = self
            .ask(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--end-of-options"])
            .args([from.as_str(), to.as_str()])
            .run()?;
        let mut parts = said.names();
        let mut steps = Vec::new();
        while let Some(about) = parts.next() {
            let about = std::str::from_utf8(about).unwrap_or_default();
            let mut fields = about.split(' ');
            let (Some(mode), Some(id), Some(name)) = (fields.nth(1), fields.nth(1), parts.next()) else {
                return Err(said.odd().into());
            };
            let mode = if mode == "000000" { "0" } else { mode };
            steps.push(Step { mode: mode.to_owned(), id: id.to_owned(), name: name.to_vec() });
        }
        // What goes makes room for what comes: a file may become a folder.
        steps.sort_by_key(|step| !step.is_gone());
        Ok(steps)
    }

    fn take_steps<'s>(
        &self,
        tree: &Path,
        index: &Path,
        steps: impl IntoIterator<Item = &'s Step>,
    ) -> Result<(), Failure> {
        let lines: Vec<u8> = steps.into_iter().flat_map(|s| index_line(&s.mode, &s.id, &s.name)).collect();
        self.ask(["update-index", "--add", "--replace", "-z", "--index-info"])
            .config("core.fsync=none")
            .on_tree(tree, index)
            .input(lines)
            .run()?;
        Ok(())
    }

    /// Does with the files of a tree what was done with its index. Git is given an index of these files alone: it would read
    /// the whole one for them.
    fn write_steps(&self, run: RunId, tree: &Path, steps: &[Step]) -> Result<(), Failure> {
        for step in steps.iter().filter(|step| step.is_gone()) {
            let mut path = tree.join(OsStr::from_bytes(&step.name));
            let gone = match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => fs::remove_dir(&path),
                Ok(_) => fs::remove_file(&path),
                Err(e) => Err(e),
            };
            gone.map_err(failure::io(&path))?;
            // A folder without files is none to git.
            while path.pop() && path != tree && fs::remove_dir(&path).is_ok() {}
        }
        let mut new = steps.iter().filter(|step| !step.is_gone()).peekable();
        if new.peek().is_none() {
            return Ok(());
        }
        let index = self.scratch_index(&format!("{run}.steps"))?;
        self.take_steps(tree, &index, new)?;
        self.ask(["checkout-index", "--force", "--all"]).on_tree(tree, &index).run()?;
        Ok(())
    }

    /// The places in which an overlay tree can differ from its base; `None` if it is to be looked through whole.
    pub(super) fn places(&self, run: RunId, admin: &Admin) -> Result<Option<Vec<PathBuf>>, Failure> {
        let Some(name) = &admin.base else { return Ok(None) };
        let upper = self.run_room(run)?.join(UPPER);
        let places = overlay::touched(&Base::tree(self, name)?, &upper).map_err(failure::io(&upper))?;
        Ok(places.and_then(|mut places| {
            places.retain(|place| place != Path::new(".git"));
            // A repository of its own inside the tree: what git makes of that it must see for itself.
            let inner = places.iter().any(|place| place.components().any(|part| part.as_os_str() == ".git"));
            (!inner).then_some(places)
        }))
    }

    /// Removes pipes, sockets and devices of an overlay tree.
    pub(super) fn remove_special_of_layer(&self, run: RunId, admin: &Admin) -> Result<(), Failure> {
        let upper = self.run_room(run)?.join(UPPER);
        let removed = walk(&upper, &[".git"], &mut |name, found| {
            let kind = found.file_type();
            if !kind.is_file() && !kind.is_symlink() && !kind.is_dir() && !overlay::is_whiteout(found) {
                paths::remove_file(&admin.folder.join(name))?;
            }
            Ok(true)
        });
        removed.map_err(failure::io(&upper))
    }
}

/// Gives what a fresh layer holds to a user, by way of the mounted tree.
fn give_layer(upper: &Path, tree: &Path, but: &[&str], user: RunAs) -> io::Result<()> {
    lchown(tree, Some(user.uid), Some(user.gid))?;
    walk(upper, but, &mut |name, found| {
        if !overlay::is_whiteout(found) && (found.uid(), found.gid()) != (user.uid, user.gid) {
            lchown(tree.join(name), Some(user.uid), Some(user.gid))?;
        }
        Ok(true)
    })
}

/// Makes the folders above a cached one in a layer; the layer below has them.
pub(super) fn folders_above(upper: &Path, path: &str, owner: Option<RunAs>) -> io::Result<()> {
    let mut at = upper.to_owned();
    let Some((above, _)) = path.rsplit_once('/') else { return Ok(()) };
    for part in above.split('/') {
        at.push(part);
        match fs::create_dir(&at) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        }
        if let Some(user) = owner {
            lchown(&at, Some(user.uid), Some(user.gid))?;
        }
    }
    Ok(())
}

/// The names of what a layer holds or hides, folders and `but` apart; `None` if there are more than `most`.
pub(super) fn files_in(upper: &Path, but: &[&str], most: usize) -> io::Result<Option<Vec<Vec<u8>>>> {
    let mut names = Vec::new();
    let mut but = but.to_vec();
    but.push(".git");
    walk(upper, &but, &mut |name, found| {
        if !found.is_dir() || overlay::is_moved(&upper.join(name))? {
            names.push(name.to_path_buf().into_os_string().into_vec());
        }
        Ok(names.len() <= most)
    })?;
    Ok((names.len() <= most).then_some(names))
}

/// Whether a folder of a layer means the same without the layer below: nothing in it came from there.
pub(super) fn is_whole(folder: &Path) -> io::Result<bool> {
    let mut whole = !overlay::is_moved(folder)?;
    walk(folder, &[], &mut |name, found| {
        let kind = found.file_type();
        whole &= !(kind.is_char_device() || (kind.is_dir() && overlay::is_moved(&folder.join(name))?));
        Ok(whole)
    })?;
    Ok(whole)
}

/// Goes through everything below a folder, `but` apart, as long as `each` says so.
fn walk(
    root: &Path,
    but: &[&str],
    each: &mut dyn FnMut(&Path, &fs::Metadata) -> io::Result<bool>,
) -> io::Result<()> {
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            // Too deep for anybody, git too.
            Err(e) if e.kind() == io::ErrorKind::InvalidFilename => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            if but.iter().any(|but| name.as_os_str().as_bytes() == but.as_bytes()) {
                continue;
            }
            let found = entry.metadata()?;
            if !each(&name, &found)? {
                return Ok(());
            }
            if found.is_dir() {
                open.push(name);
            }
        }
    }
    Ok(())
}
