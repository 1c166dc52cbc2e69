//! Where do the tests play? A folder with an installation and a repository of its own, and the real program in it.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A scratch place for one test.
pub(crate) struct Stage {
    dir: TempDir,
    env: Vec<(String, String)>,
}

/// What a command did.
#[must_use = "say what should have come of it"]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("repo")).unwrap();
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        Self { dir, env: Vec::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file below the stage.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// A program on the search path that does nothing.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let file = self.path(&format!("bin/{name}"));
        program(&file, "#!/bin/sh\nexit 0\n");
        file
    }

    /// A repository with these files and one commit on main.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(&format!("repo/{name}"), text);
        }
        self.git(["init", "--quiet", "--initial-branch=main"]);
        self.git(["add", "."]);
        self.git(["commit", "--quiet", "--allow-empty", "--message=first"]);
    }

    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) {
        let out = self.command("git", &self.repo()).args(arguments).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Types a command in the repository.
    pub(crate) fn orch<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Done {
        self.orch_in(&self.repo(), arguments)
    }

    /// Types a command in a folder.
    pub(crate) fn orch_in<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Done {
        self.typed(env!("CARGO_BIN_EXE_orch").as_ref(), folder, arguments)
    }

    /// A copy of the program where every user of the machine can start it; the stage is open to them from then on.
    pub(crate) fn for_everybody(&self) -> PathBuf {
        let open = |path: &Path| std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        let program = self.path("bin/orch");
        // By another process, as in `program`.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_orch")).arg(&program).status();
        assert!(copied.unwrap().success());
        [self.dir.path(), &self.path("bin"), &program].into_iter().for_each(open);
        program
    }

    /// Types a command with that copy.
    pub(crate) fn typed<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        folder: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Done {
        let program = program.to_str().unwrap();
        let Output { status, stdout, stderr } =
            self.command(program, folder).args(arguments).output().unwrap();
        let text =
            |bytes| String::from_utf8(bytes).unwrap().replace(self.dir.path().to_str().unwrap(), "$STAGE");
        Done { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display());
        command
            .env_clear()
            .envs([("PATH", path.as_str()), ("LC_ALL", "C"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A Person")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "person@example.org")))
            .env("HOME", self.dir.path())
            .env("TMPDIR", self.dir.path())
            .env("ORCH_HOME", self.home())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }
}

impl Done {
    /// It must have gone well.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }

    /// It must have failed with this code; what it said.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        assert_eq!(self.out, "", "standard output holds a whole result or nothing");
        self.err
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.well()).unwrap()
    }
}

/// Writes a program, by another process: as long as this one has it open, whatever another thread starts has too, and then the
/// program cannot be started ("Text file busy").
pub(crate) fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "cat >\"$0.part\" && chmod 755 \"$0.part\" && mv \"$0.part\" \"$0\""])
        .arg(path)
        .stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}
