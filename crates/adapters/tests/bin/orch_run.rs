//! The binary under which the tests start runs: `shim`, `play` and `ci-steps` as in `orch`; `start` and `launch`, callers
//! that can be killed; `serve`, a service that can be deployed.

#[path = "../it/world.rs"]
mod world;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use orch_adapters::agent::scripted;
use orch_adapters::gate::steps;
use orch_adapters::process::{self, Launcher, RunSpec};
use orch_core::call::AgentCall;
use rustix::process::{Signal, getpid, kill_process};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().and_then(|word| word.into_string().ok()).as_deref() {
        Some("shim") => process::main(arguments),
        Some("play") => scripted::main(arguments),
        Some("ci-steps") => steps::main(arguments),
        Some("start") => {
            let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
            start(&paths[0], &paths[1])
        }
        Some("launch") => {
            let arguments: Vec<OsString> = arguments.collect();
            launch(Path::new(&arguments[0]), number(&arguments[1]))
        }
        Some("serve") => {
            let arguments: Vec<OsString> = arguments.collect();
            serve(number(&arguments[0]), &arguments[1].to_string_lossy())
        }
        _ => ExitCode::from(2),
    }
}

fn number<T: std::str::FromStr>(text: &OsString) -> T {
    text.to_str().and_then(|text| text.parse().ok()).expect("a number")
}

/// Starts the run and then waits for its own end, which the test brings.
fn start(run_dir: &Path, spec: &Path) -> ExitCode {
    let text = std::fs::read(spec).expect("the specification is there");
    let spec: RunSpec = serde_json::from_slice(&text).expect("it is one");
    let launcher = Launcher { exe: exe() };
    println!("{:?}", launcher.start(run_dir, &spec));
    loop {
        std::thread::park();
    }
}

/// Launches run `r1.0` in that world and is killed at step `at`, counted from 0; ends in order after the last step.
fn launch(root: &Path, at: u32) -> ExitCode {
    let steps = AtomicU32::new(0);
    let on_step = Arc::new(move |_: &'static str| {
        if steps.fetch_add(1, Ordering::Relaxed) == at {
            kill_process(getpid(), Signal::KILL).expect("it can end itself");
        }
    });
    let agents = world::agents(root, &exe(), Some(on_step));
    match agents.perform(&AgentCall::Launch(Box::new(world::assignment(1)))) {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure:?}");
            ExitCode::FAILURE
        }
    }
}

/// Answers every request with the commit that it was deployed as.
fn serve(port: u16, commit: &str) -> ExitCode {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.read(&mut [0; 1024]);
        let body = format!("{{\"commit\":\"{commit}\",\"status\":\"ok\"}}");
        let length = body.len();
        let _ =
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    }
    ExitCode::SUCCESS
}

fn exe() -> PathBuf {
    std::env::current_exe().expect("this binary has a path")
}
