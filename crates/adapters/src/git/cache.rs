//! What of one run may the next one of the same task and role find? The folders that the policy names, and none of them
//! looks newer than a source that it was not built from.
//!
//! Build tools compare dates. A file that is again as it was long ago has its old date in a fresh tree, and what was
//! built meanwhile from another text would count as newer. So whatever can differ from what the cache was built from
//! gets the date of now.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use orch_core::call::Failure;
use orch_core::id::{Commit, RunId};
use orch_core::refusal::Refusal;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW};
use serde::{Deserialize, Serialize};

use super::base::{Base, boot};
use super::hub::Hub;
use super::layer;
use super::paths::{self, Kind};
use super::tree::{Admin, Cache, names_in};
use crate::failure;

/// A cache that may have been built from this many other files is not worth keeping.
const MOST_NAMES: usize = 5_000;
/// Of so many tasks the caches are kept, those whose runs left or took one last: a build folder for each role of each task
/// that ever was would fill the disk.
const MOST_TASKS: usize = 8;

/// What a cache was built from.
#[derive(Debug, Serialize, Deserialize)]
struct Built {
    /// The commit of the run that left it.
    commit: Commit,
    /// The boot in which it was left, see [`boot`].
    #[serde(default)]
    boot: String,
    /// Files that were otherwise, then or before.
    otherwise: BTreeSet<String>,
}

impl Hub {
    /// Puts the cached folders of a run below `at`, the tree itself or the layer that it will be made of. The names of
    /// files whose date must become now.
    pub(super) fn restore_cache(&self, admin: &Admin, at: &Path) -> Result<BTreeSet<String>, Failure> {
        let Some(cache) = &admin.cache else { return Ok(BTreeSet::new()) };
        let kept = self.room("cache")?.join(&cache.key);
        let Some(mut otherwise) = self.otherwise(cache, &admin.commit)? else {
            // Nobody knows from what it was built.
            self.trash(&kept)?;
            return Ok(BTreeSet::new());
        };
        let mut found = false;
        for path in self.cached(admin, cache)? {
            let (kept, there) = (kept.join(path), at.join(path));
            if fs::symlink_metadata(&there).is_err() && fs::symlink_metadata(&kept).is_ok() {
                if admin.base.is_some() {
                    layer::folders_above(at, path, self.owner).map_err(failure::io(&there))?;
                }
                found |= fs::rename(&kept, &there).is_ok();
            }
        }
        if !found {
            otherwise.clear();
        }
        Ok(otherwise)
    }

    /// Keeps the cached folders of a run. `at` is its tree, or the layer that it was made of.
    pub(super) fn save_cache(&self, run: RunId, admin: &Admin, at: &Path) -> Result<(), Failure> {
        let Some(cache) = &admin.cache else { return Ok(()) };
        let (note, kept) = (self.note_of(cache)?, self.room("cache")?.join(&cache.key));
        paths::remove(&note).map_err(failure::io(&note))?;
        let Some(written) = self.written(run, admin, at)? else {
            return self.trash(&kept);
        };
        for path in self.cached(admin, cache)? {
            let (kept, there) = (kept.join(path), at.join(path));
            let folder = fs::symlink_metadata(&there).is_ok_and(|found| found.is_dir());
            if folder && (admin.base.is_none() || layer::is_whole(&there).map_err(failure::io(&there))?) {
                self.trash(&kept)?;
                let above = kept.parent().unwrap_or(&kept);
                fs::create_dir_all(above).map_err(failure::io(above))?;
                fs::rename(&there, &kept).map_err(failure::io(&kept))?;
            }
        }
        let mut otherwise = admin.redated.clone();
        otherwise.extend(written);
        if otherwise.len() > MOST_NAMES {
            return self.trash(&kept);
        }
        let built = Built { commit: admin.commit.clone(), boot: boot()?, otherwise };
        let bytes = serde_json::to_vec(&built)
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        let above = note.parent().unwrap_or(&note);
        fs::create_dir_all(above).map_err(failure::io(above))?;
        fs::write(&note, bytes).map_err(failure::io(&note))?;
        self.forget_old_caches()
    }

    /// Forgets the caches of tasks that used none for longest.
    fn forget_old_caches(&self) -> Result<(), Failure> {
        let (caches, notes) = (self.room("cache")?, self.room("cache.built")?);
        let mut tasks = Vec::new();
        let known: BTreeSet<OsString> = names_in(&caches)?.into_iter().chain(names_in(&notes)?).collect();
        for task in known {
            // Whatever is left is noted anew, and nothing is taken without that a run leaves something.
            let roles = [&caches, &notes].map(|room| {
                let room = room.join(&task);
                let roles = names_in(&room).unwrap_or_default();
                roles.into_iter().filter_map(move |role| fs::metadata(room.join(role)).ok()?.modified().ok())
            });
            tasks.push((roles.into_iter().flatten().max(), task));
        }
        tasks.sort_unstable();
        let over = tasks.len().saturating_sub(MOST_TASKS);
        for (_, task) in tasks.into_iter().take(over) {
            self.trash(&caches.join(&task))?;
            self.trash(&notes.join(&task))?;
        }
        Ok(())
    }

    /// Dates these files of a tree now.
    pub(super) fn redate(&self, tree: &Path, names: &BTreeSet<String>) -> Result<(), Failure> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let now = Timestamps { last_access: now, last_modification: now };
        for name in names {
            if matches!(self.kind(tree, name)?, Kind::File { .. }) {
                let file = tree.join(name);
                rustix::fs::utimensat(CWD, &file, &now, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|e| failure::io(&file)(e.into()))?;
            }
        }
        Ok(())
    }

    fn note_of(&self, cache: &Cache) -> Result<PathBuf, Failure> {
        Ok(self.room("cache.built")?.join(&cache.key))
    }

    /// The files that a commit has otherwise than a cache may have been built from; `None` if that is not known.
    fn otherwise(&self, cache: &Cache, commit: &Commit) -> Result<Option<BTreeSet<String>>, Failure> {
        let note = self.note_of(cache)?;
        let bytes = match fs::read(&note) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failure::io(&note)(e)),
        };
        let Ok(mut built) = serde_json::from_slice::<Built>(&bytes) else { return Ok(None) };
        if built.boot != boot()? {
            return Ok(None);
        }
        let changed = self.changed_names(built.commit.as_str(), commit.as_str())?;
        let Some(changed) = as_text(changed) else { return Ok(None) };
        built.otherwise.extend(changed);
        Ok((built.otherwise.len() <= MOST_NAMES).then_some(built.otherwise))
    }

    /// The cached folders that the commit does not track, and whose way there leads over no link.
    fn cached<'a>(&self, admin: &Admin, cache: &'a Cache) -> Result<Vec<&'a str>, Failure> {
        let base = admin.base.as_deref().map(|name| self.base_commit(name)).transpose()?;
        let place = match &admin.base {
            Some(name) => Base::tree(self, name)?,
            None => admin.folder.clone(),
        };
        let mut free = Vec::new();
        for path in &cache.paths {
            let above = path.rsplit_once('/').map(|(above, _)| above);
            let real = above.map_or(Ok(true), |a| self.kind(&place, a).map(|kind| kind == Kind::Folder))?;
            let mut tracked = false;
            for commit in [Some(&admin.commit), base.as_ref()].into_iter().flatten() {
                tracked |= !self.entries(commit.as_str(), path)?.is_empty();
            }
            if real && !tracked {
                free.push(path.as_str());
            }
        }
        Ok(free)
    }

    /// Files that the run left otherwise than its commit has them; `None` if that cannot be told.
    fn written(&self, run: RunId, admin: &Admin, at: &Path) -> Result<Option<Vec<String>>, Failure> {
        let names = if admin.base.is_some() {
            let cached: Vec<&str> =
                admin.cache.iter().flat_map(|c| c.paths.iter().map(String::as_str)).collect();
            layer::files_in(at, &cached, MOST_NAMES).map_err(failure::io(at))?
        } else {
            let index = self.run_room(run)?.join("index");
            let said = self.ask(["ls-files", "-z", "--modified", "--deleted"]).on_tree(at, &index).run();
            said.ok().map(|said| said.names().map(<[u8]>::to_vec).collect())
        };
        Ok(names.and_then(as_text))
    }
}

/// Names as text; `None` if one of them is none.
fn as_text(names: Vec<Vec<u8>>) -> Option<Vec<String>> {
    names.into_iter().map(|name| String::from_utf8(name).ok()).collect()
}
