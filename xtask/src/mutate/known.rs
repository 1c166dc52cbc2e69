//! What became of mutants in a run on this very tree that was ended before it was through? The next one goes on from there.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::every::Fate;
use crate::workspace;

/// What the fate of a mutant follows from, and what lies there and does not matter.
const DECIDES: &[&str] = &["crates/core/", "crates/engine/", "crates/store/", "crates/sim/", "Cargo.lock"];
const BUT: &[&str] =
    &["crates/sim/survivors.txt", "crates/sim/mutants/", "crates/engine/tests/", "crates/store/tests/"];

/// A line for each mutant: its number in the list, and what became of it.
pub(super) struct Known(PathBuf);

impl Known {
    /// The file of this tree.
    pub(super) fn of(root: &Path) -> Result<Known> {
        let mut all = Sha256::new();
        let one_of = |list: &[&str], file: &str| list.iter().any(|of| file.starts_with(of));
        let files = workspace::files(root)?;
        for file in files.iter().filter(|file| one_of(DECIDES, file) && !one_of(BUT, file)) {
            all.update(file.as_bytes());
            all.update([0]);
            all.update(fs::read(root.join(file)).with_context(|| format!("could not read {file}"))?);
        }
        let digest: String = all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = root.join("target/every");
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Known(folder.join(format!("known-{digest}"))))
    }

    /// All that is known.
    pub(super) fn fates(&self) -> BTreeMap<usize, Fate> {
        read(&fs::read_to_string(&self.0).unwrap_or_default())
    }

    /// This became of it.
    pub(super) fn add(&self, id: usize, fate: Fate) -> Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(&self.0);
        file.and_then(|mut file| file.write_all(line(id, fate).as_bytes()))
            .with_context(|| format!("could not write {}", self.0.display()))
    }
}

fn line(id: usize, fate: Fate) -> String {
    format!("{id} {}\n", fate.word())
}

/// What lines say; half a line, at which a run was ended, is nothing.
fn read(text: &str) -> BTreeMap<usize, Fate> {
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    let read = |line: &str| {
        let (id, fate) = line.split_once(' ')?;
        Some((id.parse().ok()?, Fate::ALL.into_iter().find(|known| known.word() == fate)?))
    };
    whole.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run that was ended is gone on with, and what it wrote last may be torn.
    #[test]
    fn what_was_found_is_known() {
        let all: BTreeMap<usize, Fate> = Fate::ALL.into_iter().enumerate().collect();
        let text: String = all.iter().map(|(id, fate)| line(*id, *fate)).collect();
        assert_eq!(read(&text), all);
        assert_eq!(read("3 lives\n4 lives"), BTreeMap::from([(3, Fate::Lives)]));
    }
}
