//! How are the commands of a gate run one after the other, without a shell in between?
//!
//! It is this binary once more (`orch ci-steps <json>`), inside the gate's sandbox. A command is a list of arguments, as the
//! policy writes it; no text becomes a command line.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};

use serde::{Deserialize, Serialize};

/// Begins each line that the runner itself prints.
pub(super) const MARK: &str = "== orch: ";

/// What a shell answers for a program that is not there.
const NOT_FOUND: u8 = 127;

/// The commands of a gate, in order; the first that fails ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `setup` or `test`.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
}

/// What stands after `orch ci-steps`.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let steps = arguments.next().and_then(|text| text.into_string().ok());
    let steps = steps.and_then(|text| serde_json::from_str::<Steps>(&text).ok());
    let Some(steps) = steps else {
        eprintln!("usage: orch ci-steps <json>   (Orch itself starts it)");
        return ExitCode::from(2);
    };
    for step in &steps.steps {
        let code = step.run();
        if code != 0 {
            return ExitCode::from(code);
        }
    }
    ExitCode::SUCCESS
}

impl Step {
    fn run(&self) -> u8 {
        let Some((program, arguments)) = self.command.split_first() else { return 0 };
        say(&format!("{}: {}", self.name, self.command.join(" ")));
        match Command::new(program).args(arguments).status() {
            Ok(status) => {
                say(&format!("{} {}", self.name, how(status)));
                match status.code() {
                    Some(code) => u8::try_from(code).unwrap_or(1),
                    // As a shell says it.
                    None => status.signal().and_then(|signal| u8::try_from(128 + signal).ok()).unwrap_or(1),
                }
            }
            Err(e) => {
                say(&format!("{}: {program} cannot be started: {e}", self.name));
                NOT_FOUND
            }
        }
    }
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "passed".to_owned(),
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
    }
}

/// Without an output there is no one to tell.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{MARK}{}", line.replace(['\n', '\r'], " ")).and_then(|()| out.flush());
}
