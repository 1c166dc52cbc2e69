//! Which failure of starting a run is transient, permanent or unknown?

use std::io::{self as stdio, ErrorKind};
use std::path::Path;

use orch_core::call::Failure;

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
    let cause = error.to_string();
    match error {
        StartError::Spec(_) => Failure::permanent(cause),
        StartError::Record(_) => Failure::unknown(cause),
        StartError::Folder { .. }
        | StartError::Spawn { .. }
        | StartError::GaveUp { .. }
        | StartError::Silent { .. } => Failure::transient(cause),
    }
}
