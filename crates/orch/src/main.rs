//! How does the program begin? As the supervisor of a run, or as what a person typed.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next();
    // Before any thread, runtime or setting: the supervisor must be small and must not fail on a bad setting.
    match arguments.next() {
        Some(first) if first == "shim" => orch_adapters::process::main(arguments),
        Some(first) if first == "play" => orch_adapters::agent::scripted::main(arguments),
        Some(first) if first == "ci-steps" => orch_adapters::gate::steps::main(arguments),
        Some(first) if first == "demo-hook" => orch::demo::hook::main(arguments),
        first => orch::run(program.into_iter().chain(first).chain(arguments)),
    }
}
