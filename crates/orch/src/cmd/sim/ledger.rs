//! What was lived through before it was interrupted? A line a block of seeds, added to a file as each ends.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use orch_core::journal::RULES;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::many::Block;
use super::sum::Sum;
use crate::error::Error;
use crate::words::say;

/// Of which program, and of which histories: only the same can be added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Of {
    pub(super) version: String,
    pub(super) commit: Option<String>,
    /// Which program it is, where no commit is known: the digest of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) build: Option<String>,
    pub(super) rules: u32,
    pub(super) faults: String,
    pub(super) store: String,
}

impl Of {
    /// This program's.
    ///
    /// # Errors
    /// No commit is known of it, and it cannot be read either.
    pub(super) fn this(faults: &str, store: &str) -> Result<Self, Error> {
        let commit = option_env!("ORCH_BUILD_COMMIT").map(str::to_owned);
        let build = if commit.is_none() { Some(this_program()?) } else { None };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit,
            build,
            rules: RULES,
            faults: faults.to_owned(),
            store: store.to_owned(),
        })
    }
}

/// The digest of this program's bytes.
fn this_program() -> Result<String, Error> {
    let read = || {
        // The path may name another program by now; this is the one that runs.
        let mut program = File::open("/proc/self/exe")?;
        let mut hash = sha2::Sha256::new();
        let mut part = vec![0; 1 << 20];
        loop {
            match program.read(&mut part)? {
                0 => break,
                n => hash.update(&part[..n]),
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    };
    read().map_err(|e: std::io::Error| {
        Error::failed(say!("this program cannot be read: {e}", "эту программу не прочитать: {e}"))
            .at("/proc/self/exe")
            .remedy(say!(
                "mount /proc, or build with ORCH_BUILD_COMMIT set to the commit",
                "смонтируйте /proc или соберите с ORCH_BUILD_COMMIT, равным коммиту"
            ))
    })
}

/// How each line begins.
const BEGINS: &str = "{\"of\":{";

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    of: Of,
    from: u64,
    seeds: u64,
    sum: Sum,
}

/// The file, and what it says.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    file: File,
    of: Of,
    known: BTreeMap<u64, (u64, Sum)>,
}

impl Ledger {
    /// Opens it, or begins it. A last line that a crash cut off is taken away.
    ///
    /// # Errors
    /// It cannot be read or written, or it is of another program or of other histories.
    pub(super) fn open(path: &Path, of: Of) -> Result<Self, Error> {
        let there = path.exists();
        let cannot = |e: std::io::Error| {
            let cause = match there {
                true => say!("the ledger cannot be read: {e}", "журнал прогона не читается: {e}"),
                false => say!("the ledger cannot be made there: {e}", "журнал прогона там не создать: {e}"),
            };
            Error::failed(cause).at(path.display()).remedy(say!(
                "name another file with --ledger, in a folder that is there and that you may write to",
                "укажите другой файл в --ledger: папка должна быть, и писать в неё должно быть можно"
            ))
        };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(cannot)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(cannot)?;
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        let mut known = BTreeMap::new();
        for (at, line) in text[..whole].lines().enumerate() {
            let place = format!("{}:{}", path.display(), at + 1);
            let entry: Entry = serde_json::from_str(line).map_err(|e| {
                Error::failed(say!("no line of a ledger: {e}", "это не строка журнала прогона: {e}"))
                    .at(&place)
                    .remedy(say!("name another file with --ledger", "укажите другой файл в --ledger"))
            })?;
            if entry.of != of {
                return Err(Error::refused(say!(
                    "the ledger is of another program, or of other faults or another store",
                    "журнал прогона от другой программы, с другими сбоями или другим хранилищем"
                ))
                .at(&place)
                .remedy(say!(
                    "name another file with --ledger: only the same can be added up",
                    "укажите другой файл в --ledger: складывать можно только одинаковое"
                )));
            }
            known.insert(entry.from, (entry.seeds, entry.sum));
        }
        let cut = &text[whole..];
        if !cut.is_empty() {
            // Somebody else's file is left as it is: only what begins as a line of a ledger was one.
            if !cut.starts_with(BEGINS) && !BEGINS.starts_with(cut) {
                let place = format!("{}:{}", path.display(), text.lines().count());
                return Err(Error::failed(say!("no line of a ledger", "это не строка журнала прогона"))
                    .at(place)
                    .remedy(say!("name another file with --ledger", "укажите другой файл в --ledger")));
            }
            file.set_len(whole as u64).map_err(cannot)?;
            file.seek(SeekFrom::End(0)).map_err(cannot)?;
        }
        Ok(Self { path: path.to_owned(), file, of, known })
    }

    /// Whether this block was lived through.
    pub(super) fn has(&self, block: Block) -> bool {
        self.known.get(&block.from).is_some_and(|(seeds, _)| *seeds == block.seeds)
    }

    /// Writes a block down.
    ///
    /// # Errors
    /// The file takes no line.
    pub(super) fn add(&mut self, block: Block, sum: Sum) -> Result<(), Error> {
        let entry = Entry { of: self.of.clone(), from: block.from, seeds: block.seeds, sum };
        let line = serde_json::to_string(&entry).unwrap_or_default() + "\n";
        self.file.write_all(line.as_bytes()).map_err(|e| {
            Error::failed(say!("the ledger cannot be written: {e}", "журнал прогона не записывается: {e}"))
                .at(self.path.display())
                .remedy(say!(
                    "make room there; the same command goes on where it stopped",
                    "освободите там место; та же команда продолжит с места остановки"
                ))
        })?;
        self.known.insert(entry.from, (entry.seeds, entry.sum));
        Ok(())
    }

    /// The sum of these blocks.
    pub(super) fn sum_of(&self, blocks: &[Block]) -> Sum {
        let mut all = Sum::default();
        for (_, sum) in blocks.iter().filter_map(|block| self.known.get(&block.from)) {
            all.plus(sum);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that what was written down is there again, that a line which a crash cut off is not, and that what another
    /// program did is not added.
    #[test]
    fn a_ledger_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let block = |from| Block { from, seeds: 50 };
        let of = || Of::this("all", "memory").unwrap();
        let sum = |lifecycles| Sum { histories: 50, lifecycles, ..Sum::default() };
        let mut ledger = Ledger::open(&path, of()).unwrap();
        ledger.add(block(0), sum(3)).unwrap();
        ledger.add(block(50), sum(4)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"of\":{"].concat()).unwrap();
        let mut ledger = Ledger::open(&path, of()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert!(ledger.has(block(50)) && !ledger.has(block(100)));
        ledger.add(block(100), sum(5)).unwrap();
        let ledger = Ledger::open(&path, of()).unwrap();
        let all = ledger.sum_of(&[block(0), block(50), block(100)]);
        assert_eq!((all.histories, all.lifecycles), (150, 12));
        assert!(Ledger::open(&path, Of::this("some", "memory").unwrap()).is_err());
    }

    /// Proves that two programs of which no commit is known do not add up in one ledger.
    #[test]
    fn another_build_has_a_ledger_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut of = Of::this("all", "memory").unwrap();
        assert!(of.commit.is_some() || of.build.is_some(), "something tells this program from others");
        of.commit = None;
        of.build = Some("one".to_owned());
        let mut ledger = Ledger::open(&path, of.clone()).unwrap();
        ledger.add(Block { from: 0, seeds: 50 }, Sum::default()).unwrap();
        assert!(Ledger::open(&path, of.clone()).is_ok());
        of.build = Some("another".to_owned());
        let refused = Ledger::open(&path, of).unwrap_err();
        assert!(refused.cause.contains("another program"), "{refused}");
    }

    /// Proves that a file which is no ledger is refused and left as it is, also where it ends without a line's end.
    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        for text in ["milk, eggs", "milk\neggs", "{\"of\":1", "milk\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Ledger::open(&path, Of::this("all", "memory").unwrap()).is_err(), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        for cut in ["{", "{\"of\":{\"version\":"] {
            std::fs::write(&path, cut).unwrap();
            assert!(Ledger::open(&path, Of::this("all", "memory").unwrap()).is_ok(), "{cut:?}");
        }
    }
}
