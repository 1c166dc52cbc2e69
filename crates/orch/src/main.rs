//! How does the program begin? As the supervisor of a run, or as what a person typed.

use std::process::ExitCode;

use orch_adapters::{agent, gate, process};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next();
    let first = arguments.next();
    // Before any thread, runtime or setting: what lives inside a run must be small, and must not fail on a bad setting.
    match first.as_ref().and_then(|first| first.to_str()) {
        Some("shim") => process::main(arguments),
        Some("ci-steps") => gate::steps::main(arguments),
        Some("play") => agent::scripted::main(arguments),
        Some("demo-hook") => orch::demo::hook::main(arguments),
        Some(_) | None => orch::run(program.into_iter().chain(first).chain(arguments)),
    }
}
