//! Which failure of starting a run is transient, permanent or unknown?

use std::io::{self as stdio, ErrorKind};
use std::path::Path;

use orch_core::call::Failure;
use orch_core::hindrance::Hindrance;

use crate::process::StartError;

/// What an error of the file system at `place` means.
pub(crate) fn io(place: &Path) -> impl FnOnce(stdio::Error) -> Failure {
    let place = place.display().to_string();
    move |error| {
        let cause = format!("{place}: {error}");
        match error.kind() {
            ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidInput
            | ErrorKind::ReadOnlyFilesystem => Failure::permanent(cause),
            // A full disk, too many open files, a folder that is not there yet: time or a broom helps.
            _ => Failure::transient(cause),
        }
    }
}

/// A start may always be tried again, so only what no repetition mends is permanent.
pub(super) fn start(error: StartError) -> Failure {
    let shown = |path: &Path| path.display().to_string();
    match error {
        StartError::Spec(error) => Failure::permanent(error.0),
        StartError::Record(error) => Failure::unknown(Hindrance::from(error)),
        StartError::Folder { path, step: _, source } => {
            Failure::transient(Hindrance::FolderUnprepared { path: shown(&path), words: source.to_string() })
        }
        StartError::Spawn { exe, source } => {
            Failure::transient(Hindrance::NoSupervisor { program: shown(&exe), words: source.to_string() })
        }
        StartError::GaveUp { path, cause } => {
            Failure::transient(Hindrance::GaveUp { path: shown(&path), cause: cause.map(Box::new) })
        }
        StartError::Silent { path, seconds } => {
            Failure::transient(Hindrance::Unnamed { path: shown(&path), seconds })
        }
    }
}
