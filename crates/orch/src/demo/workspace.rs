//! Where does the demo happen, and how is all of it ended? One folder with a repository, an installation and what was
//! deployed; every process in it is known by pid and start time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch_adapters::process::{Identity, Life};
use orch_core::time::Span;
use rustix::process::{Pid, Signal, kill_process};

use super::story::{self, Spoil};
use crate::compose::Wishes;
use crate::error::Error;
use crate::home::Home;
use crate::settings::value::toml_string;
use crate::settings::{Loaded, Settings};
use crate::words::{Told, say, words};

/// Says that a folder may be emptied: nothing of anybody's own is in it.
const MARK: &str = ".orch-demo";
const BRAIN: &str = "brain.json";

/// The service, file by file.
const SERVICE: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../../demo/service/Cargo.toml")),
    ("Cargo.lock", include_str!("../../demo/service/Cargo.lock")),
    (".gitignore", include_str!("../../demo/service/gitignore")),
    ("README.md", include_str!("../../demo/service/README.md")),
    ("src/lib.rs", include_str!("../../demo/service/src/lib.rs")),
    ("src/main.rs", include_str!("../../demo/service/src/main.rs")),
];
const TESTS: (&str, &str) = ("tests/answers.rs", include_str!("../../demo/service/tests/answers.rs"));

const POLICY: &str = "# How this project is delivered. `orch reference policy` prints all keys.\n\
    preset = \"full\"\n\
    test = [\"cargo\", \"test\", \"--offline\"]\n\
    cache = [\"target\"]\n";

/// The workspace of a demo.
#[derive(Debug, Clone)]
pub struct Workspace {
    folder: PathBuf,
    spoil: Option<Spoil>,
    exe: PathBuf,
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |e| {
        let cause =
            say!("the demo's folder cannot be used: {e}", "папкой демонстрации нельзя пользоваться: {e}");
        Error::failed(cause).at(path.display()).remedy(say!(
            "check owner, rights and space there, or name another folder with --workspace",
            "проверьте там владельца, права и место или укажите другую папку через --workspace"
        ))
    }
}

impl Workspace {
    /// Makes it anew.
    ///
    /// # Errors
    /// The folder has something else in it, a demo still runs there, or git does not work.
    pub fn make(folder: &Path, spoil: Option<Spoil>, pace: Span, wishes: &Wishes) -> Result<Self, Error> {
        if let Some(old) = Self::find(folder) {
            if old.brain().is_some_and(|brain| brain.life() == Life::Alive) {
                let cause = say!("a demo runs there already", "демонстрация там уже идёт");
                return Err(Error::refused(cause).at(folder.display()).remedy(say!(
                    "look at its dashboard, or end it with `orch demo --stop`",
                    "откройте её панель или завершите её командой `orch demo --stop`"
                )));
            }
            old.end_services()?;
            fs::remove_dir_all(folder).map_err(failed(folder))?;
        } else if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            let cause = say!(
                "the folder is not empty, and not a demo's",
                "папка не пустая, и это не папка демонстрации"
            );
            return Err(Error::refused(cause)
                .at(folder.display())
                .remedy(say!("name another with --workspace", "укажите другую через --workspace")));
        }
        let workspace = Self { folder: folder.to_owned(), spoil, exe: wishes.exe.clone() };
        let repository = workspace.repository();
        for (name, text) in SERVICE.into_iter().chain([TESTS, (".orch/policy.toml", POLICY)]) {
            let path = repository.join(name);
            let parent = path.parent().unwrap_or(&repository);
            fs::create_dir_all(parent).map_err(failed(parent))?;
            fs::write(&path, text).map_err(failed(&path))?;
        }
        let mark = folder.join(MARK);
        fs::write(&mark, "made by `orch demo`; it may be deleted\n").map_err(failed(&mark))?;
        workspace.git(&["init", "--quiet", "--initial-branch=main"])?;
        workspace.git(&["add", "--all"])?;
        workspace.git(&["commit", "--quiet", "--message=greeter: a small web service"])?;
        let script = workspace.scenario();
        fs::write(&script, story::scenario(spoil, pace)).map_err(failed(&script))?;
        Ok(workspace)
    }

    /// The workspace of an earlier demo.
    pub fn find(folder: &Path) -> Option<Self> {
        let exe = PathBuf::new();
        folder.join(MARK).is_file().then(|| Self { folder: folder.to_owned(), spoil: None, exe })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The person's repository.
    pub fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// The installation.
    pub fn home(&self) -> Home {
        Home::at(self.folder.join("home"))
    }

    /// What was deployed, a folder a commit.
    pub fn run(&self) -> PathBuf {
        self.folder.join("run")
    }

    fn scenario(&self) -> PathBuf {
        self.folder.join("scenario.toml")
    }

    /// The installation's settings.
    pub fn settings(&self, listen: std::net::SocketAddr) -> String {
        let quoted = |path: &Path| toml_string(&path.to_string_lossy());
        let lang = words().lang.code();
        let spoiled = if self.spoil == Some(Spoil::Health) { ", \"--spoil\"" } else { "" };
        format!(
            "listen = \"{listen}\"\nlanguage = \"{lang}\"\nagent = \"scripted\"\n\n\
             [watch]\nseconds = 2\nevery_seconds = 1\n\n\
             [agents.scripted]\nkind = \"scripted\"\nscript = {script}\n\n\
             [projects.{name}]\nprefix = \"DEMO\"\nrepository = {repository}\n\n\
             [projects.{name}.hook]\nprogram = {exe}\nargs = [\"demo-hook\", {run}, \"{lang}\"{spoiled}]\n\n\
             [projects.{name}.health]\nurl = \"http://127.0.0.1:{{port}}/health\"\n",
            script = quoted(&self.scenario()),
            name = super::PROJECT,
            repository = quoted(&self.repository()),
            exe = quoted(&self.exe),
            run = quoted(&self.run()),
        )
    }

    /// Writes the installation's settings, so that every command works there with `--home`, and reads them back.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_settings(&self, listen: std::net::SocketAddr) -> Result<Loaded, Error> {
        let path = self.home().settings();
        let text = self.settings(listen);
        let (settings, remarks) = Settings::of_text(&path, &text, &[])?;
        fs::create_dir_all(self.home().folder()).map_err(failed(self.home().folder()))?;
        fs::write(&path, &text).map_err(failed(&path))?;
        Ok(Loaded { settings, remarks, text })
    }

    fn git(&self, args: &[&str]) -> Result<String, Error> {
        let ran = Command::new("git")
            .args([
                "-c",
                "user.name=Demo",
                "-c",
                "user.email=demo@orch.invalid",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(args)
            .current_dir(self.repository())
            .output();
        let ran = ran.map_err(|e| {
            Error::failed(say!("git cannot be started: {e}", "git не запускается: {e}"))
                .remedy(say!("install git 2.38 or newer", "установите git 2.38 или новее"))
        })?;
        if !ran.status.success() {
            return Err(Error::failed(Told::quoted(String::from_utf8_lossy(&ran.stderr).trim()))
                .at(format!("git {}", args.join(" "))));
        }
        Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
    }

    /// The commit of main in the person's repository.
    ///
    /// # Errors
    /// git does not work.
    pub fn main(&self) -> Result<String, Error> {
        self.git(&["rev-parse", "main"])
    }

    /// A change of the person's own, in the way of the merge.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn dirty_the_checkout(&self) -> Result<(), Error> {
        let path = self.repository().join("src/lib.rs");
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        fs::write(&path, format!("{text}\n// a thought of mine, not committed\n")).map_err(failed(&path))
    }

    /// Remembers which process the brain is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_brain(&self) -> Result<(), Error> {
        let path = self.folder.join(BRAIN);
        let own = Identity::of_self().map_err(failed(&path))?;
        let text = serde_json::to_string(&own).map_err(|e| Error::failed(Told::quoted(e.to_string())))?;
        fs::write(&path, text).map_err(failed(&path))
    }

    /// The brain ended in order.
    pub fn forget_brain(&self) {
        let _ = fs::remove_file(self.folder.join(BRAIN));
    }

    fn brain(&self) -> Option<Identity> {
        serde_json::from_slice(&fs::read(self.folder.join(BRAIN)).ok()?).ok()
    }

    /// Ends the brain, if it is another process than this one.
    ///
    /// # Errors
    /// It does not end.
    pub fn end_brain(&self) -> Result<bool, Error> {
        let Some(brain) = self.brain() else { return Ok(false) };
        let ended = end(&brain)?;
        self.forget_brain();
        Ok(ended)
    }

    /// Ends every service that the demo deployed.
    ///
    /// # Errors
    /// One does not end.
    pub fn end_services(&self) -> Result<bool, Error> {
        let mut any = false;
        for service in super::hook::services(&self.run()) {
            any |= end(&service.identity)?;
        }
        Ok(any)
    }
}

/// Ends exactly that process: gently, then for good; true if it lived.
pub(super) fn end(identity: &Identity) -> Result<bool, Error> {
    let Some(pid) = Pid::from_raw(identity.pid) else { return Ok(false) };
    for (signal, patience) in [(Signal::TERM, 100), (Signal::KILL, 100)] {
        if identity.life() != Life::Alive {
            return Ok(signal == Signal::KILL);
        }
        let _ = kill_process(pid, signal);
        for _ in 0..patience {
            if identity.life() != Life::Alive {
                return Ok(true);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    Err(Error::failed(say!("process {} does not end", "процесс {} не завершается", identity.pid)))
}
