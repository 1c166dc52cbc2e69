//! Where are the programs that the tests start, and what do they say?

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::remains;

/// A program of this name on the search path.
pub(crate) fn found(name: &str, search: &OsStr) -> Result<PathBuf, String> {
    let places = std::env::split_paths(search).map(|folder| folder.join(name));
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        format!("`{name}` is not installed, and the dashboard is proved in a browser: `cargo xtask ci --install` installs it")
    })
}

/// A program that a person has installed, or the failure that says how.
pub(crate) fn installed(name: &str) -> PathBuf {
    found(name, &std::env::var_os("PATH").unwrap_or_default()).unwrap_or_else(|said| panic!("{said}"))
}

/// The program under test, from the folder of the cargo that built the test. `cargo test --workspace` has just built it;
/// otherwise, or when a source is newer, it is built now.
pub(crate) fn orch() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // `<target>/<profile>/deps/it-<hash>`
    let folder = own.parent().and_then(Path::parent).unwrap();
    let orch = folder.join("orch");
    if is_fresh(&orch) {
        return orch;
    }
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "orch", "--bin", "orch", "--profile", profile])
        .arg("--target-dir")
        .arg(folder.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "`orch` could not be built ({built}); the tests in the browser are about it");
    orch
}

/// Whether no source that cargo lists for a program is newer than the program. In doubt it is not fresh.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    let Some(made) = changed(program) else { return false };
    let Ok(listed) = std::fs::read_to_string(program.with_extension("d")) else { return false };
    let Some((_, sources)) = listed.split_once(": ") else { return false };
    sources.split_whitespace().all(|source| changed(Path::new(source)).is_some_and(|at| at <= made))
}

/// A program that works in a folder of its own; both are gone when this is.
pub(crate) struct Running {
    name: String,
    lines: Receiver<String>,
    child: std::process::Child,
    folder: TempDir,
}

impl Running {
    /// Starts it. Its command line must name the folder: that is how what it leaves behind is found.
    pub(crate) fn start(folder: TempDir, mut command: Command) -> Self {
        let name = Path::new(command.get_program()).file_name().unwrap().to_string_lossy().into_owned();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let said = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { name, lines, child, folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What follows these words in the first line that has them.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(300);
        let mut heard = String::new();
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some((_, rest)) = line.split_once(words) {
                        return rest.to_owned();
                    }
                    heard.push_str(&line);
                    heard.push('\n');
                }
                Err(why) => panic!("{} did not say \"{words}\" ({why}), but:\n{heard}", self.name),
            }
        }
    }

    /// Asks it to end, and expects that it does so in order.
    pub(crate) fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        assert!(remains::gone(&pidfd, Duration::from_secs(60)), "{} does not end", self.name);
        let status = self.child.wait().unwrap();
        assert!(status.code().is_some(), "{} ended with {status}", self.name);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        remains::end_all_in(self.folder.path());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
