//! How is the brain of a drill started, hurt and ended? As a child process, known by pid and start time.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use orch_adapters::process::Identity;
use rustix::process::Signal;

use super::look;

/// A brain. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Brain {
    child: Child,
    identity: Identity,
    said: PathBuf,
    ended: Option<ExitStatus>,
}

impl Brain {
    /// Starts one; what it says goes to the end of a file.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(mut command: Command, said: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(said)?;
        // A group of its own: Ctrl-C at the terminal is for the drill, which then ends the brain in order.
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut child = command.spawn()?;
        let identity = match Identity::of(child.id().cast_signed()) {
            Ok(identity) => identity,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        Ok(Self { child, identity, said: said.to_owned(), ended: None })
    }

    /// Which process it is.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// As a power cut would: SIGKILL.
    pub(super) fn kill(&mut self) {
        if self.ended().is_none() {
            let _ = self.child.kill();
            self.ended = self.child.wait().ok();
        }
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, signal: Signal) {
        look::signal(&self.identity, signal);
    }

    /// The last of what it said.
    pub(super) fn last_words(&self) -> String {
        let said = fs::read_to_string(&self.said).unwrap_or_default();
        said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }
}

impl Drop for Brain {
    fn drop(&mut self) {
        self.kill();
    }
}
