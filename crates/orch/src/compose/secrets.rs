//! What secret does the data folder keep, and does nobody else get it? The token, the secrets of hooks, the browsers that
//! are signed in, and the socket of the command line: files of mode 0600 that belong to the user of Orch.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use orch_core::id::Digest;
use orch_core::time::Moment;
use orch_server::auth::{Keep, KeptSession};
use tokio::net::UnixListener;

use crate::error::Error;
use crate::home::Home;
use crate::words::{Told, say};

/// Makes a folder with this mode, or gives it to the one that is there.
pub(crate) fn private(folder: &Path, mode: u32) -> Result<(), Error> {
    let failed = |what: Told| move |e: io::Error| unwritten(folder, &say!("{what}: {e}", "{what}: {e}"));
    let unmade = say!("the folder cannot be made", "папку создать нельзя");
    fs::create_dir_all(folder).map_err(failed(unmade))?;
    let unclosed = say!(
        "the folder cannot be closed to other users (mode {mode:o})",
        "папку нельзя закрыть от других пользователей (права {mode:o})"
    );
    fs::set_permissions(folder, Permissions::from_mode(mode)).map_err(failed(unclosed))
}

/// That something in the data folder cannot be written, and what to do about it.
pub(crate) fn unwritten(place: &Path, cause: &Told) -> Error {
    Error::failed(cause.clone()).at(place.display()).remedy(say!(
        "check owner, rights and space of the data folder, or name another one with --home or in ORCH_HOME",
        "проверьте владельца, права и место в папке данных или укажите другую через --home или в ORCH_HOME"
    ))
}

/// A secret of 256 random bits in a file: made once, readable by its owner alone. One that others could have read, or could
/// have written, is not used.
pub(crate) fn secret(path: &Path) -> Result<String, Error> {
    let failed = |e: io::Error| {
        unwritten(path, &say!("the secret cannot be kept: {e}", "секрет не удалось сохранить: {e}"))
    };
    match own_text(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(Unread::Open(why)) => {
            let cause = say!("{why}, so it is no secret", "{why}, поэтому это уже не секрет");
            return Err(Error::refused(cause).at(path.display()).remedy(say!(
                "delete it: a new one is made at the next start; programs that have the old one need the new one",
                "удалите его: новый появится при следующем запуске; программам, у которых был старый, понадобится новый"
            )));
        }
        Err(Unread::Io(e)) if e.kind() == io::ErrorKind::NotFound => {}
        Err(Unread::Io(e)) => return Err(failed(e)),
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::failed(say!("there is no randomness: {e}", "случайных чисел нет: {e}")))?;
    let secret = Digest::of(&bytes).to_string();
    // One that is there keeps its mode: runs of another user may have to walk through it.
    if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
        private(folder, 0o700)?;
    }
    put(path, secret.as_bytes()).map_err(failed)?;
    Ok(secret)
}

/// Why a secret file was not read.
enum Unread {
    Open(Told),
    Io(io::Error),
}

/// The text of a file that nobody else can read or write.
fn own_text(path: &Path) -> Result<String, Unread> {
    let mut file = File::open(path).map_err(Unread::Io)?;
    let meta = file.metadata().map_err(Unread::Io)?;
    if let Some(why) = open_to_others(&meta) {
        return Err(Unread::Open(why));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(Unread::Io)?;
    Ok(text)
}

/// Why a file is no secret of this user; `None`: it is one.
pub(crate) fn open_to_others(meta: &fs::Metadata) -> Option<Told> {
    let mode = meta.permissions().mode() & 0o777;
    if !meta.is_file() {
        return Some(say!("this is no file", "это не файл"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Some(say!(
            "it belongs to another user (uid {})",
            "владелец другой пользователь (uid {})",
            meta.uid()
        ));
    }
    (mode & 0o077 != 0).then(|| {
        say!(
            "other users can open it (mode {mode:o})",
            "открыть могут и другие пользователи (права {mode:o})"
        )
    })
}

/// Writes a file of mode 0600 whole or not at all; it is there after a power cut too.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    match fs::remove_file(&part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The browsers that were signed in when Orch ended, but for those whose time is over. A file that cannot be used is said and
/// put up with: people sign in again.
pub(crate) fn sessions(home: &Home, now: Moment) -> Vec<KeptSession> {
    let path = home.sessions();
    let read = match own_text(&path) {
        Ok(text) => serde_json::from_str::<Vec<KeptSession>>(&text).map_err(|e| e.to_string()),
        Err(Unread::Io(e)) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(Unread::Io(e)) => Err(e.to_string()),
        Err(Unread::Open(why)) => Err(why.into()),
    };
    let mut kept = read.unwrap_or_else(|cause| {
        tracing::warn!(place = %path.display(), cause, "nobody stays signed in: the sessions cannot be read");
        Vec::new()
    });
    kept.retain(|session| session.until > now);
    kept
}

/// Writes the browsers that are signed in: digests, names and times, nothing that signs anybody in.
pub(crate) fn keep_sessions(home: &Home) -> Keep {
    let path = home.sessions();
    Box::new(move |all: &[KeptSession]| {
        let written = serde_json::to_vec(all).map_err(io::Error::other).and_then(|text| put(&path, &text));
        if let Err(cause) = written {
            tracing::warn!(place = %path.display(), %cause, "who is signed in does not outlive the next start");
        }
    })
}

/// The socket for the command line. It takes its place only when its mode is set: nobody else can knock in between.
pub(crate) fn socket(home: &Home) -> Result<UnixListener, Error> {
    let socket = home.socket();
    let failed = |e: io::Error| {
        unwritten(&socket, &say!("the socket cannot be made: {e}", "сокет создать нельзя: {e}"))
    };
    let porch = home.folder().join("porch");
    private(&porch, 0o700)?;
    let made = porch.join("s");
    match fs::remove_file(&made) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&made).map_err(failed)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&made, &socket).map_err(failed)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Proves that a secret is made once with mode 0600, and that one which others could have read is refused with its
    /// remedy instead of used.
    #[test]
    fn a_secret_is_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let made = secret(&path).unwrap();
        assert_eq!((made.len(), mode(&path)), (64, 0o600));
        assert_eq!(secret(&path).unwrap(), made);
        for open in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
            let refused = secret(&path).unwrap_err();
            assert!(refused.cause.contains(&format!("mode {open:o}")), "{refused}");
            assert!(refused.remedy.unwrap().contains("delete it"));
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_ne!(secret(&path).unwrap(), made, "an empty one is made anew");
    }

    /// Proves that the socket stands where commands look for it with mode 0600 from its first moment, also where one of a
    /// brain that was killed lies.
    #[tokio::test]
    async fn the_socket_is_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        for _ in 0..2 {
            let listener = socket(&home).unwrap();
            assert_eq!(mode(&home.socket()), 0o600);
            let knock = tokio::net::UnixStream::connect(home.socket());
            let (heard, knocked) = tokio::join!(listener.accept(), knock);
            assert!(heard.is_ok() && knocked.is_ok());
        }
        assert_eq!(mode(&dir.path().join("porch")), 0o700);
    }

    /// Proves that a file of sessions that is damaged or open to others signs nobody in, and that a session's time ends.
    #[test]
    fn sessions_that_cannot_be_used_sign_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let session = |until| KeptSession { hash: Digest::of(b"x"), by: "ada".to_owned(), until };
        keep_sessions(&home)(&[session(Moment(5)), session(Moment(9))]);
        assert_eq!(mode(&home.sessions()), 0o600);
        assert_eq!(sessions(&home, Moment(5)), [session(Moment(9))]);
        fs::set_permissions(home.sessions(), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(sessions(&home, Moment(5)), []);
        keep_sessions(&home)(&[session(Moment(9))]);
        assert_eq!(mode(&home.sessions()), 0o600);
        fs::write(home.sessions(), "[{").unwrap();
        assert_eq!(sessions(&home, Moment(5)), []);
    }
}
