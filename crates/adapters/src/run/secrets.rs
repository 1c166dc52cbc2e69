//! Which secrets did a run's program have: its keys, the tokens of the login that it was given, and those that it renewed in its
//! own copy?
//!
//! They are masked in all that it said, and kept out of what it left, as long as its record is there: by then a key was
//! exchanged, perhaps, or its agent taken out of the settings, and the person's login has other tokens. What was given lies in the
//! record from the start; the copy goes there from the run's home, which is removed when the run has ended. That takes no room on
//! the disk: the run may have filled it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use orch_core::call::Failure;
use orch_core::refusal::Refusal;
use rustix::fs::{CWD, Mode, OFlags, openat, renameat};
use rustix::io::Errno;

use super::{About, RunFolder, RunKind, Secret, private_file};
use crate::agent::{LARGEST_LOGIN, tokens_of_copy};

const KEYS: &str = "keys.given";
const GIVEN: &str = "login.given";
const LEFT: &str = "login.left";

/// Notes the login that a run is given.
pub(crate) fn given(folder: &RunFolder, login: &[u8]) -> Result<(), Failure> {
    private_file(&folder.record.join(GIVEN), login)
}

/// Notes the keys that a run is given.
pub(crate) fn given_keys<'a>(
    folder: &RunFolder,
    keys: impl Iterator<Item = &'a Secret>,
) -> Result<(), Failure> {
    let keys: Vec<&str> = keys.map(Secret::expose).collect();
    let bytes = serde_json::to_vec(&keys)
        .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
    private_file(&folder.record.join(KEYS), &bytes)
}

/// The keys that were noted; of a note that a power cut tore what looks like a key.
fn keys_of(note: &[u8]) -> Vec<Secret> {
    match serde_json::from_slice::<Vec<String>>(note) {
        Ok(keys) => keys.into_iter().map(Secret::new).collect(),
        Err(_) => tokens_of_copy(note),
    }
}

/// Those that stand in its record, whatever became of the rest of it.
///
/// # Errors
/// Something of it is there and cannot be read now: nobody may take that for none.
pub(super) fn noted(folder: &RunFolder) -> io::Result<Vec<Secret>> {
    let mut found = Vec::new();
    for name in [KEYS, GIVEN, LEFT] {
        match fs::read(folder.record.join(name)) {
            Ok(bytes) if name == KEYS => found.extend(keys_of(&bytes)),
            Ok(bytes) => found.extend(tokens_of_copy(&bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// Those of a run that goes on, and of one that has ended.
///
/// # Errors
/// As [`noted`].
pub(super) fn of(folder: &RunFolder) -> io::Result<Vec<Secret>> {
    let mut found = noted(folder)?;
    let about = About::read(&folder.record).map_err(|failure| io::Error::other(failure.cause.to_string()))?;
    if let Some(mut copy) = about.as_ref().map_or(Ok(None), |about| Copy::find(folder, about))? {
        let mut bytes = Vec::new();
        copy.file.read_to_end(&mut bytes)?;
        found.extend(tokens_of_copy(&bytes));
    }
    Ok(found)
}

/// Takes the copy into the record before the home goes; done again, it loses nothing. A program that closed the folder of its
/// copy, on a full disk besides, keeps nobody from reading its end.
///
/// # Errors
/// The copy is there and cannot be read now.
pub(super) fn keep(folder: &RunFolder, about: &About) -> io::Result<()> {
    let Some(mut copy) = Copy::find(folder, about)? else { return Ok(()) };
    let left = folder.record.join(LEFT);
    if renameat(&copy.within, &copy.name, CWD, &left).is_err() {
        let mut bytes = Vec::new();
        copy.file.read_to_end(&mut bytes)?;
        if let Err(failure) = private_file(&left, &bytes) {
            tracing::warn!(run = %folder.run, cause = %failure.cause, "the login that a run left cannot be kept");
        }
    }
    Ok(())
}

/// A run's copy of a login, where its program left it.
struct Copy {
    within: OwnedFd,
    name: OsString,
    file: File,
}

impl Copy {
    /// The program may have put anything there: what is no file of a login's size, or is reached over a link, is none.
    fn find(folder: &RunFolder, about: &About) -> io::Result<Option<Self>> {
        let RunKind::Agent { login: Some(copy), .. } = &about.kind else { return Ok(None) };
        match Self::open(&folder.home, copy) {
            Ok(copy) => {
                let is = copy.file.metadata()?;
                Ok((is.is_file() && is.len() <= LARGEST_LOGIN).then_some(copy))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS | Errno::NXIO) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn open(home: &Path, copy: &Path) -> rustix::io::Result<Self> {
        // A pipe would be waited for, a link could name anything.
        let to = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let folder = to | OFlags::DIRECTORY;
        let mut within = openat(CWD, home, folder, Mode::empty())?;
        let mut names: Vec<&OsStr> = copy.iter().collect();
        let name = names.pop().unwrap_or_default().to_owned();
        for part in names {
            within = openat(&within, part, folder, Mode::empty())?;
        }
        let file = openat(&within, &name, to, Mode::empty())?.into();
        Ok(Self { within, name, file })
    }
}
