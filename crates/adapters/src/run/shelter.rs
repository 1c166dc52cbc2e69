//! What does a run see of the machine, and what of that does the kernel enforce?

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use landlock::{ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW};

use super::RunFolder;
use crate::lease::Ports;
use crate::process::{Enforcement, Landlock, RunAs, Sandbox, Tcp, closes_sockets};

/// Where programs look besides [`Landlock::SYSTEM`]: addresses of name servers, the number of processors, packages.
const SYSTEM: [&str; 6] = [
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/sys/devices/system/cpu",
    "/nix/store",
    "/var/lib/ca-certificates",
];

/// Toolchains that live in a person's home, with the variable that names their place. They hold programs, no secrets.
const TOOLCHAINS: [(&str, &str); 3] =
    [(".rustup", "RUSTUP_HOME"), (".pyenv", "PYENV_ROOT"), (".nvm", "NVM_DIR")];

/// What of the machine every run sees: an allow-list, for nothing is inherited (decision 9).
#[derive(Debug, Clone)]
pub struct Machine {
    /// `PATH`; its folders are readable.
    pub path: String,
    /// `LANG`.
    pub lang: String,
    /// Variables that every run gets. Never a token.
    pub env: BTreeMap<String, String>,
    /// What is readable besides the system's own programs.
    pub read_only: Vec<PathBuf>,
    /// Who agents and gates run as, where Orch is root.
    pub run_as: Option<RunAs>,
    /// Less than this from the kernel, and nothing is started.
    pub at_least: Enforcement,
}

impl Machine {
    /// What can be told from `PATH` and the home folder of the user who runs Orch: well-known toolchains in it, or where
    /// their `variable` says that they are, are readable; the rest of the home is not.
    pub fn of(path: &str, home: &Path, variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut machine = Self {
            path: path.to_owned(),
            lang: "C.UTF-8".to_owned(),
            env: BTreeMap::new(),
            read_only: Vec::new(),
            run_as: None,
            at_least: Enforcement::NotEnforced,
        };
        for (folder, name) in TOOLCHAINS {
            let folder = variable(name).map_or_else(|| home.join(folder), PathBuf::from);
            if let Some(text) = folder.to_str().filter(|_| folder.is_absolute() && folder.is_dir()) {
                machine.env.insert(name.to_owned(), text.to_owned());
                machine.read_only.push(folder);
            }
        }
        machine
    }

    /// The environment of a run: this and what its own program adds is all it has.
    pub(crate) fn environment(&self, folder: &RunFolder, ports: Ports) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        for (name, value) in [
            ("PATH", self.on_path().collect::<Vec<_>>().join(":")),
            ("HOME", text(&folder.home)),
            ("LANG", self.lang.clone()),
            ("TERM", "dumb".to_owned()),
            ("TMPDIR", text(&folder.temp)),
            ("ORCH_PORT", ports.first.to_string()),
            ("ORCH_PORT_END", ports.last.to_string()),
        ] {
            env.insert(name.to_owned(), value);
        }
        env
    }

    /// The sandbox of a run: reads the system's programs and what is named, writes its tree and its home.
    ///
    /// TCP is open: an agent must reach its model, a test its packages, and Landlock knows ports, not hosts.
    pub(crate) fn sandbox(
        &self,
        folder: &RunFolder,
        read_only: impl IntoIterator<Item = PathBuf>,
    ) -> Sandbox {
        Sandbox::Landlock(Landlock {
            read_only: self.readable().map(Path::to_owned).chain(read_only).collect(),
            writable: vec![folder.tree.clone(), folder.home.clone(), folder.temp.clone()],
            tcp: Tcp::All,
            at_least: self.at_least,
        })
    }

    /// What every run may read: nothing secret may lie in one of these.
    pub fn readable(&self) -> impl Iterator<Item = &Path> {
        let system = Landlock::SYSTEM.iter().chain(&SYSTEM).map(Path::new);
        system.chain(self.on_path().map(Path::new)).chain(self.read_only.iter().map(PathBuf::as_path))
    }

    /// The file behind a program's name, by `PATH`, or by its absolute path; `None` if there is none. Any other path would
    /// be meant from the tree, where anyone could have put something. One that the user of runs may not start is none.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let runs = |path: &PathBuf| path.is_file() && self.run_as.is_none_or(|user| may_start(user, path));
        if program.contains('/') {
            return Some(PathBuf::from(program)).filter(|path| path.is_absolute() && runs(path));
        }
        self.on_path().map(|folder| Path::new(folder).join(program)).find(runs)
    }

    /// The folders of `PATH`. A relative or empty one would be the tree.
    fn on_path(&self) -> impl Iterator<Item = &str> {
        self.path.split(':').filter(|folder| folder.starts_with('/'))
    }

    /// What protects the rest of the machine from a run, for `orch doctor` (decision 9).
    pub fn enforced(&self) -> Vec<Protection> {
        let kernel = |abi: ABI| {
            let probe = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
            probe.handle_access(AccessFs::from_all(abi)).and_then(|probe| probe.create()).is_ok()
        };
        vec![
            Protection::Files { held: kernel(ABI::V1) },
            Protection::SizesAndDevices { held: kernel(ABI::V5) },
            Protection::Sockets { held: closes_sockets() },
            Protection::Network,
            Protection::Environment,
            Protection::ModelKey,
            Protection::User { other: self.run_as },
        ]
    }
}

/// One thing that is protected from a run, or is not; `orch doctor` words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Orch's data and other trees: by Landlock.
    Files {
        /// Whether this kernel can.
        held: bool,
    },
    /// Files that would be cut short and devices: by a newer Landlock.
    SizesAndDevices {
        /// Whether this kernel can.
        held: bool,
    },
    /// Unix sockets: by a newer Landlock still.
    Sockets {
        /// Whether this kernel can.
        held: bool,
    },
    /// Not protected: an agent must reach its model.
    Network,
    /// Variables come from an allow-list.
    Environment,
    /// Not protected: the agent has the key of its model.
    ModelKey,
    /// The user of Orch: by another one.
    User {
        /// As whom runs run.
        other: Option<RunAs>,
    },
}

impl Protection {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Protection::Files { .. } => "files",
            Protection::SizesAndDevices { .. } => "file sizes and devices",
            Protection::Sockets { .. } => "sockets",
            Protection::Network => "network",
            Protection::Environment => "environment",
            Protection::ModelKey => "model key",
            Protection::User { .. } => "user",
        }
    }

    /// Whether it protects.
    pub const fn holds(self) -> bool {
        match self {
            Protection::Files { held }
            | Protection::SizesAndDevices { held }
            | Protection::Sockets { held } => held,
            Protection::Network | Protection::ModelKey => false,
            Protection::Environment => true,
            Protection::User { other } => other.is_some(),
        }
    }
}

/// Whether a user gets to a program, and to what it is a link to, and may execute it.
fn may_start(user: RunAs, program: &Path) -> bool {
    let open = |path: &Path| fs::metadata(path).is_ok_and(|meta| user.may(&meta, 0o1));
    let named = program.parent().and_then(|folder| folder.canonicalize().ok());
    let real = program.canonicalize().ok();
    [named, real].iter().all(|path| path.as_ref().is_some_and(|path| path.ancestors().all(open)))
}

/// Gives a folder and all in it to a user; a link is given, not followed. What is theirs already is left alone: giving it
/// again would be a change in the eyes of git. What is given is dated now. Whether there was anything to give.
pub(crate) fn give_to(folder: &Path, user: RunAs) -> io::Result<bool> {
    let mut given = false;
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        let found = fs::symlink_metadata(&path)?;
        if (found.uid(), found.gid()) != (user.uid, user.gid) {
            lchown(&path, Some(user.uid), Some(user.gid))?;
            // Being given changes a file's one date and not the other, and git sees only by the other that it was touched in
            // the very second in which its index was written: both are to be the same.
            let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
            let now = Timestamps { last_access: now, last_modification: now };
            rustix::fs::utimensat(CWD, &path, &now, AtFlags::SYMLINK_NOFOLLOW)?;
            given = true;
        }
        if found.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not enforced is said as plainly as what is (decision 9).
    #[test]
    fn the_facts_are_told() {
        let mut machine = Machine::of("/usr/bin", Path::new("/nonexistent"), |_| None);
        let holds = |machine: &Machine, what: &str| {
            machine.enforced().into_iter().find(|fact| fact.name() == what).map(Protection::holds)
        };
        assert_eq!(holds(&machine, "network"), Some(false));
        assert_eq!(holds(&machine, "model key"), Some(false));
        assert_eq!(holds(&machine, "environment"), Some(true));
        assert_eq!(holds(&machine, "user"), Some(false));
        machine.run_as = Some(RunAs { uid: 1000, gid: 1000 });
        assert_eq!(holds(&machine, "user"), Some(true));
    }

    /// Toolchains are found in the home or where their variable says; a relative `PATH` entry, which would be the tree, is
    /// left out.
    #[test]
    fn toolchains_and_path() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".nvm")).unwrap();
        fs::write(elsewhere.path().join("tool"), "").unwrap();
        let at = elsewhere.path().to_str().unwrap().to_owned();
        let machine = Machine::of(&format!(".::bin:{at}"), home.path(), |name| {
            (name == "RUSTUP_HOME").then(|| at.clone())
        });
        let names: Vec<&str> = machine.env.keys().map(String::as_str).collect();
        assert_eq!(names, ["NVM_DIR", "RUSTUP_HOME"]);
        assert_eq!(machine.read_only, [elsewhere.path().to_path_buf(), home.path().join(".nvm")]);
        assert_eq!(machine.find("tool"), Some(elsewhere.path().join("tool")));
        assert_eq!(machine.on_path().collect::<Vec<_>>(), [at.as_str()]);
    }

    /// Proves that a program which the user of runs cannot get to is not found for them, one that they may start is, and
    /// the next folder of `PATH` is tried: else a red test would be made of what only root can start.
    #[test]
    fn a_program_is_found_for_the_user_of_runs() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let [shut, open] = ["shut", "open"].map(|name| dir.path().join(name));
        for folder in [&shut, &open] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("tool"), "").unwrap();
            mode(&folder.join("tool"), 0o755);
        }
        let owner = fs::metadata(&open).unwrap();
        let path = format!("{}:{}", shut.display(), open.display());
        let mut machine = Machine::of(&path, Path::new("/nonexistent"), |_| None);
        assert_eq!(machine.find("tool"), Some(shut.join("tool")), "whom nothing is closed to");
        machine.run_as = Some(RunAs { uid: owner.uid(), gid: owner.gid() });
        mode(&shut.join("tool"), 0o644);
        assert_eq!(machine.find("tool"), Some(open.join("tool")));
        assert_eq!(machine.find(&shut.join("tool").to_string_lossy()), None);
        std::os::unix::fs::symlink(shut.join("tool"), open.join("link")).unwrap();
        assert_eq!(machine.find("link"), None, "what it leads to counts");
        mode(&open, 0o600);
        let found = machine.find("tool");
        mode(&open, 0o700);
        assert_eq!(found, None, "the way there counts");
    }
}
