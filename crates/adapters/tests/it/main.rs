//! The adapters against the real programs, in temporary folders.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod agent;
mod deploy;
mod gate;
mod bench;
mod contracts;
mod contracts_of_runs;
mod contracts_of_claude;
mod git_calls;
mod git_conflicts;
mod git_forge;
mod git_hub;
mod git_records;
mod git_trees;
mod tree_kinds;
mod power;
mod process;
mod process_hooks;
mod tracker;
mod world;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_adapters::process::{StopAnswer, request_stop, wait};
use orch_adapters::run::{Finished, Runs, Watched};
use orch_core::id::RunId;

/// Far above what any of these takes on a busy machine; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(300);
const RUNNER: &str = env!("CARGO_BIN_EXE_orch-run");

/// Says that a test does nothing on this machine, and why. In a CI, where everything is to be there, that is a failure: a
/// test that nobody runs proves nothing.
fn not_tried(why: impl std::fmt::Display) {
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1");
    assert!(!ci, "not tried: {why}");
    // Past the test's own output, which nobody is shown when it passes.
    let test = std::thread::current();
    let _ = writeln!(std::io::stderr(), "{}: not tried: {why}", test.name().unwrap_or("a test"));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it ends in time") })
}

/// A temporary folder whose runs are ended if the test did not.
struct Bench {
    temp: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Bench { temp: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file of the only commit.
    fn commit(&self, name: &str, text: &str) {
        self.write(&format!("commits/{}/{name}", world::COMMIT), text);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(self.root().join("runs")).into_iter().flatten().flatten() {
            if request_stop(&entry.path()) == StopAnswer::Asked {
                block_on(wait(&entry.path()));
            }
        }
    }
}

/// Waits for the end of a run.
fn end(runs: &Runs, run: RunId) -> Finished {
    match block_on(runs.watch(run)) {
        Watched::Ended(finished) => *finished,
        other => panic!("{run} has not ended: {other:?}"),
    }
}

/// What a run says in the end.
fn tail(finished: &Finished) -> String {
    let Some(text) = &finished.end.tail else { return String::new() };
    assert_eq!(finished.blobs.len(), 1);
    assert_eq!(finished.blobs[0].digest, text.blob);
    assert!(text.bytes <= 4096, "{} bytes", text.bytes);
    String::from_utf8(finished.blobs[0].bytes.clone()).unwrap()
}

fn stdout(runs: &Runs, run: RunId) -> String {
    let log = runs.places.of(run).record.join("stdout.log");
    String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned()
}

fn exe() -> &'static Path {
    Path::new(RUNNER)
}
