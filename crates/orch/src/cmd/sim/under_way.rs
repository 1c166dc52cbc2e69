//! What is lived through just now? Its text stands in a file as it comes to be: a program that hangs, is killed or dies of
//! itself leaves it there.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use orch_core::journal::RULES;
use orch_sim::history::Pen;

use crate::error::Error;
use crate::words::say;

/// The file of one who lives through one history after the other; it goes with this value.
#[derive(Debug)]
pub(super) struct UnderWay {
    path: PathBuf,
    file: File,
}

impl UnderWay {
    /// The name of the file of the `job`-th that works.
    pub(super) fn place(stem: &Path, job: usize) -> PathBuf {
        let mut name = stem.as_os_str().to_owned();
        name.push(format!(".{job}.trace"));
        name.into()
    }

    /// An empty one. What a program before left there goes.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn new(path: PathBuf) -> Result<Self, Error> {
        let made = match std::fs::remove_file(&path) {
            // A link that somebody else put there is not followed.
            Ok(()) => OpenOptions::new().write(true).create_new(true).open(&path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                OpenOptions::new().write(true).create_new(true).open(&path)
            }
            Err(e) => Err(e),
        };
        match made {
            Ok(file) => Ok(Self { path, file }),
            Err(e) => Err(cannot(&path, &e)),
        }
    }

    /// What writes down the history of this seed; the one before it goes.
    ///
    /// # Errors
    /// The file cannot be emptied or written.
    pub(super) fn begin(&mut self, about: &str) -> Result<Pen, Error> {
        let begun = self.file.set_len(0).and_then(|()| self.file.rewind());
        let file = begun
            .and_then(|()| writeln!(self.file, "# Under way: {about}\n# Rules {RULES}.\n"))
            .and_then(|()| self.file.try_clone())
            .map_err(|e| cannot(&self.path, &e))?;
        // A word that finds no room is missing in the text and not in the history.
        Ok(Pen::new(move |text| drop((&file).write_all(text.as_bytes()))))
    }
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error::failed(say!(
        "the text of what is under way cannot be written: {error}",
        "текст текущей истории не записать: {error}"
    ))
    .at(path.display())
    .remedy(say!(
        "make room there, or set TMPDIR to another folder",
        "освободите там место или укажите другую папку в TMPDIR"
    ))
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // What stays is no reason to fail.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use orch_sim::history::{self, Ground, Mix, in_memory, nothing_else};

    use super::*;

    /// Proves that the file has the whole text of what is under way, and of nothing before it, and that it goes in the end.
    #[test]
    fn what_is_under_way_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = UnderWay::place(&folder.path().join("ledger"), 3);
        assert_eq!(path, folder.path().join("ledger.3.trace"));
        let mut journal = in_memory;
        let mut ground = Ground { journal: &mut journal, also: nothing_else };
        std::fs::write(&path, "what a program before left\n").unwrap();
        let mut under_way = UnderWay::new(path.clone()).unwrap();
        for seed in [4, 5] {
            let pen = under_way.begin(&format!("seed {seed}")).unwrap();
            let (lines, _) = history::by_seed_with(seed, Mix::People, &mut ground, &pen).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("# Under way: seed {seed}\n")), "{text}");
            assert_eq!(history::lines(&text), lines);
        }
        drop(under_way);
        assert!(!path.exists());
    }
}
