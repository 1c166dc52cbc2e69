//! The binary under which the tests of `process` start shims: `shim ...` as in `orch`, and `start`, a caller
//! that can be killed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use orch_adapters::process::{self, Launcher, RunSpec};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().and_then(|word| word.into_string().ok()).as_deref() {
        Some("shim") => process::main(arguments),
        Some("start") => {
            let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
            start(&paths[0], &paths[1])
        }
        _ => ExitCode::from(2),
    }
}

/// Starts the run and then waits for its own end, which the test brings.
fn start(run_dir: &Path, spec: &Path) -> ExitCode {
    let text = std::fs::read(spec).expect("the specification is there");
    let spec: RunSpec = serde_json::from_slice(&text).expect("it is one");
    let launcher = Launcher { exe: std::env::current_exe().expect("this binary has a path") };
    println!("{:?}", launcher.start(run_dir, &spec));
    loop {
        std::thread::park();
    }
}
