//! As whom do agents and gates run where Orch is root, and can that user reach what a run needs? (decision 9)

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use orch_adapters::process::RunAs;

use crate::error::{Error, Kind};
use crate::words::{Told, say};

/// Where the system keeps its users.
const USERS: &str = "/etc/passwd";

/// The user that the settings name, or why it cannot be that one. `own` is the user of this process.
///
/// # Errors
/// There is no such user, it is root, or Orch is not root and cannot become another.
pub fn resolve(name: &str, own: u32) -> Result<Option<RunAs>, Error> {
    let users =
        std::fs::read_to_string(USERS).map_err(|e| Error::failed(Told::quoted(e.to_string())).at(USERS))?;
    resolve_in(&users, name, own)
}

fn resolve_in(users: &str, name: &str, own: u32) -> Result<Option<RunAs>, Error> {
    let refused = |cause: Told, remedy: Told| {
        let place = say!("`run_as` in orch.toml", "`run_as` в orch.toml");
        Err(Error::new(Kind::Settings, cause).at(place).remedy(remedy))
    };
    let Some(user) = users.lines().find_map(|line| user_of(line, name)) else {
        return refused(
            say!("there is no user `{name}` in {USERS}", "в {USERS} нет пользователя `{name}`"),
            say!(
                "add it (useradd --system), or name another",
                "добавьте его (useradd --system) или укажите другого"
            ),
        );
    };
    if user.uid == 0 {
        return refused(
            say!("`{name}` is root", "`{name}` — это root"),
            say!("name a user without rights", "укажите пользователя без прав"),
        );
    }
    match own {
        0 => Ok(Some(user)),
        own if own == user.uid => Ok(None),
        _ => refused(
            say!(
                "Orch is not root and cannot become `{name}`",
                "Orch запущен не от root и не может стать `{name}`"
            ),
            say!(
                "remove `run_as`: agents and tests then run as the user of Orch; or start Orch as root",
                "уберите `run_as`: тогда агенты и тесты работают от пользователя Orch; или запустите Orch от root"
            ),
        ),
    }
}

/// What the system calls the user of this process, if it knows one.
pub fn own_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    std::fs::read_to_string(USERS).ok()?.lines().find_map(|line| name_of(line, uid))
}

fn name_of(line: &str, uid: u32) -> Option<String> {
    let (name, rest) = line.split_once(':')?;
    let theirs = rest.split(':').nth(1)?.parse::<u32>().ok()?;
    (theirs == uid && !name.is_empty()).then(|| name.to_owned())
}

/// `name:password:uid:gid:...`
fn user_of(line: &str, name: &str) -> Option<RunAs> {
    let mut fields = line.split(':');
    (fields.next() == Some(name)).then_some(())?;
    let mut numbers = fields.skip(1).map(|field| field.parse::<u32>().ok());
    Some(RunAs { uid: numbers.next()??, gid: numbers.next()?? })
}

/// Whether a user can walk to a path and read it.
///
/// # Errors
/// The folder that is closed, or the path itself.
pub fn reaches(user: RunAs, path: &Path) -> Result<(), Error> {
    walk(user, path, 0o5)
}

/// Whether a user can walk through a folder to what is in it.
///
/// # Errors
/// The folder that is closed.
pub fn reaches_into(user: RunAs, folder: &Path) -> Result<(), Error> {
    walk(user, folder, 0o1)
}

fn walk(user: RunAs, path: &Path, last: u32) -> Result<(), Error> {
    let path =
        path.canonicalize().map_err(|e| Error::failed(Told::quoted(e.to_string())).at(path.display()))?;
    for place in path.ancestors() {
        let meta = std::fs::metadata(place)
            .map_err(|e| Error::failed(Told::quoted(e.to_string())).at(place.display()))?;
        let wanted = if place == path { last } else { 0o1 };
        if !user.may(&meta, wanted) {
            let cause = say!(
                "the user of `run_as` (uid {}) cannot get to {}",
                "пользователю из `run_as` (uid {}) не добраться до {}",
                user.uid,
                path.display()
            );
            return Err(Error::refused(cause).at(place.display()).remedy(say!(
                "open it with `chmod a+x {}`, or keep what runs need elsewhere, such as ORCH_HOME=/var/lib/orch",
                "откройте путь командой `chmod a+x {}` или держите нужное запускам в другом месте, например \
                 ORCH_HOME=/var/lib/orch",
                place.display()
            )));
        }
    }
    Ok(())
}

/// The other user who owns a repository, if this process is root: git writes there as root, and what the repository's
/// own configuration names runs as root.
pub fn foreign(repository: &Path) -> Option<u32> {
    foreign_to(repository, rustix::process::geteuid().as_raw())
}

fn foreign_to(repository: &Path, own: u32) -> Option<u32> {
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|meta| meta.uid());
    let owners = [owner(repository), owner(&repository.join(".git"))].into_iter().flatten();
    (own == 0).then_some(owners)?.find(|uid| *uid != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\nodd:x:many:1::/:\n";

    /// Proves that the user is taken from the system's table, and that one who is unknown, root or out of reach is refused
    /// with the reason.
    ///
    /// incident I-35: a user without an entry in the system's table made every deploy fail; here it is refused at the start.
    #[test]
    fn the_user_is_resolved_or_refused() {
        let said = |name: &str, own: u32| resolve_in(TABLE, name, own).map_err(|e| e.cause);
        assert_eq!(said("nobody", 0), Ok(Some(RunAs { uid: 65534, gid: 65533 })));
        assert_eq!(said("nobody", 65534), Ok(None), "it is that user already");
        assert!(said("nobody", 1000).unwrap_err().contains("not root"));
        assert!(said("root", 0).unwrap_err().contains("is root"));
        for name in ["somebody", "odd", ""] {
            assert!(said(name, 0).unwrap_err().contains("no user"), "{name}");
        }
        let named = |uid| TABLE.lines().find_map(|line| name_of(line, uid));
        assert_eq!((named(65534).as_deref(), named(7)), (Some("nobody"), None));
    }

    /// Proves that root is told of a repository that another user owns, and that nobody else is.
    #[test]
    fn a_foreign_repository_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        let owner = std::fs::metadata(dir.path()).unwrap().uid();
        assert_eq!(foreign_to(dir.path(), 0), Some(owner).filter(|uid| *uid != 0));
        assert_eq!(foreign_to(dir.path(), 1000), None);
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(dir.path().join(".git"), Some(65534), None).unwrap();
            assert_eq!(foreign_to(dir.path(), 0), Some(65534));
        }
    }

    /// Proves that a closed folder on the way is named, and an open way is let pass.
    #[test]
    fn a_closed_folder_on_the_way_is_named() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let stranger = RunAs { uid: 4_000_000_000, gid: 4_000_000_000 };
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&inner, 0o755);
        set(dir.path(), 0o700);
        let refused = reaches(stranger, &inner).unwrap_err();
        assert_eq!(refused.place, Some(dir.path().canonicalize().unwrap().display().to_string()));
        assert!(refused.remedy.unwrap().contains("chmod a+x"));
        set(dir.path(), 0o711);
        reaches(stranger, &inner).unwrap();
    }
}
