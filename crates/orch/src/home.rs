//! Where does an installation live? One folder, never inside a repository (decision 44).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind};
use crate::words::say;

/// The folder of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// A known folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// `--home` or `$ORCH_HOME` (`named`), else `$XDG_STATE_HOME/orch`, else `~/.local/state/orch`.
    ///
    /// # Errors
    /// The environment names no folder at all, or a relative one.
    pub fn find(named: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = named {
            // A relative `--home` means what the shell means.
            return match std::path::absolute(folder) {
                Ok(folder) => Ok(Self { folder }),
                Err(e) => Err(Error::new(
                    Kind::Usage,
                    say!("the home folder has no path: {e}", "у папки данных нет пути: {e}"),
                )
                .at(folder.display())
                .remedy(say!(
                    "give an absolute path in --home or ORCH_HOME",
                    "укажите полный путь в --home или ORCH_HOME"
                ))),
            };
        }
        // Relative values of XDG variables are to be ignored, says their specification.
        let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
        let state = state.or_else(|| set("HOME").map(|home| home.join(".local/state")));
        match state.filter(|path| path.is_absolute()) {
            Some(state) => Ok(Self { folder: state.join("orch") }),
            None => {
                let cause = say!("no folder for the installation is known", "неизвестно, где папка данных");
                Err(Error::new(Kind::Usage, cause).remedy(say!(
                    "set ORCH_HOME, or HOME, to an absolute path",
                    "укажите полный путь в ORCH_HOME или HOME"
                )))
            }
        }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings.
    pub fn settings(&self) -> PathBuf {
        self.folder.join("orch.toml")
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.folder.join("orch.db")
    }

    /// The socket on which the brain listens to the command line.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("orch.sock")
    }

    /// The credential for it, mode 0600.
    pub fn token(&self) -> PathBuf {
        self.folder.join("token")
    }

    /// The browsers that are signed in, mode 0600.
    pub fn sessions(&self) -> PathBuf {
        self.folder.join("sessions")
    }

    /// A folder a run: specification, output, end.
    pub fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// The bare hubs of the projects (decision 43).
    pub fn hubs(&self) -> PathBuf {
        self.folder.join("hubs")
    }

    /// The trees in which runs work (decision 32).
    pub fn trees(&self) -> PathBuf {
        self.folder.join("trees")
    }

    /// The homes of runs, thrown away with them.
    pub fn homes(&self) -> PathBuf {
        self.folder.join("homes")
    }

    /// What is kept between runs (decision 32).
    pub fn caches(&self) -> PathBuf {
        self.folder.join("caches")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: Option<&str>, env: &[(&str, &str)]) -> Result<String, String> {
        let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        let home = Home::find(named.map(Path::new), env).map_err(|e| e.cause)?;
        Ok(home.folder().display().to_string())
    }

    /// Proves the order in which the folder is looked for (decision 44).
    #[test]
    fn the_folder_is_found_in_order() {
        let xdg = ("XDG_STATE_HOME", "/x");
        assert_eq!(check(Some("/n"), &[xdg]).unwrap(), "/n");
        assert_eq!(check(None, &[xdg, ("HOME", "/h")]).unwrap(), "/x/orch");
        assert_eq!(
            check(None, &[("XDG_STATE_HOME", "rel"), ("HOME", "/h")]).unwrap(),
            "/h/.local/state/orch"
        );
        assert_eq!(check(None, &[("XDG_STATE_HOME", ""), ("HOME", "/h")]).unwrap(), "/h/.local/state/orch");
        assert_eq!(check(None, &[]).unwrap_err(), "no folder for the installation is known");
    }
}
