//! Is what git said it moved still there after a power cut? Git forces the bytes of objects and refs to the disk
//! (`core.fsync`), and not the names that it gives them last: the folders are for whoever promises something (decision 72).

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

use orch_core::call::Failure;

use super::hub::Hub;
use crate::failure;

/// What git forces to the disk in a repository that Orch pushes into: its own settings would leave out new objects and refs.
pub(crate) const FORCED: [&str; 2] = ["core.fsync=added", "core.fsyncMethod=batch"];

/// Forces the names of these refs to the disk, and with them all that were given before. `common` is the repository's
/// folder; refs that are gone count too.
pub(super) fn keep_refs<'r>(common: &Path, refs: impl Iterator<Item = &'r str>) -> io::Result<()> {
    let mut folders: BTreeSet<&Path> = refs.flat_map(|name| Path::new(name).ancestors().skip(1)).collect();
    // Where a repository has its refs that keeps them otherwise.
    folders.insert(Path::new("reftable"));
    for folder in folders.into_iter().rev() {
        match File::open(common.join(folder)) {
            Ok(folder) => folder.sync_all()?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

impl Hub {
    /// The same for a branch of the person's repository, if that is on this machine.
    pub(crate) fn keep_at_origin(&self, branch: &str) -> Result<(), Failure> {
        let Some(origin) = self.origin_path() else { return Ok(()) };
        let ask = self.git().ask(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let common = ask.in_folder(origin).run()?.text();
        let name = format!("refs/heads/{branch}");
        keep_refs(Path::new(&common), [name.as_str()].into_iter()).map_err(failure::io(Path::new(&common)))
    }
}
