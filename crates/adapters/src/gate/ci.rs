//! Do the project's tests pass on exactly this commit?
//!
//! Code from a task branch is run as an agent is: under the supervisor, in a clean tree of its own, in the sandbox, with an
//! environment made from nothing and ports of its own (decision 9). No key is in it, not even the model's.

use std::io;
use std::path::Path;

use orch_core::call::{Failure, GateCall, GateReply};
use orch_core::event::{RunHow, Usage};
use orch_core::refusal::Refusal;

use super::fragment::fragment;
use super::steps::{MARK, Step, Steps};
use crate::process::{ExitRecord, RunSpec, Stream};
use crate::run::said::{self, TAIL};
use crate::run::watch::Read;
use crate::run::{About, Look, Masker, Of, RunKind, Runs, Wanted, owner};

/// How far back names of failed tests are looked for, in bytes a stream.
const WINDOW: usize = 512 << 10;

/// The tests of a project.
#[derive(Clone)]
pub struct Ci {
    /// Its runs.
    pub runs: Runs,
}

impl Ci {
    /// Performs a call. Blocks. Performed again, it finds the run that began and answers the same.
    ///
    /// # Errors
    /// As [`Failure`] says; asking again is safe after each.
    pub fn perform(&self, call: &GateCall) -> Result<GateReply, Failure> {
        let GateCall::Ci { run, task, commit, setup, test, cache, limit } = call;
        let preparing = match self.runs.look(&Wanted { run: *run, task, of: Of::Ci, commit })? {
            Look::Begun(pid) => return Ok(GateReply::Launched { pid }),
            Look::Fresh(preparing) => preparing,
        };
        preparing.not_stopped()?;
        let commands = [("setup", setup), ("test", test)]
            .map(|(name, command)| Step { name: name.to_owned(), command: command.clone() });
        let steps: Vec<Step> = commands.into_iter().filter(|step| !step.command.is_empty()).collect();
        self.first_program_is_there(&steps, test)?;
        let steps = serde_json::to_string(&Steps { steps })
            .map_err(|e| Failure::permanent(Refusal::Defect { cause: e.to_string() }))?;
        let ports = preparing.ports(&owner(*run))?;
        let cache = (!cache.is_empty()).then(|| (format!("{task}/ci"), cache.as_slice()));
        let tree = preparing.tree(commit, cache, Vec::new(), self.runs.machine.run_as)?;
        preparing.home()?;
        let machine = &self.runs.machine;
        let exe = &self.runs.launcher.exe;
        let mut spec = RunSpec::new(run.to_string(), exe.to_string_lossy(), &tree.folder);
        spec.args = vec!["ci-steps".to_owned(), steps];
        spec.env = machine.environment(&preparing.folder, ports);
        spec.env.insert("CI".to_owned(), "true".to_owned());
        spec.time_limit_ms = Some(limit.0);
        spec.sandbox = machine.sandbox(&preparing.folder, tree.borrows.into_iter().chain([exe.clone()]));
        spec.run_as = machine.run_as;
        let about = About::new(*run, task.clone(), self.runs.project.clone(), RunKind::Ci, commit.clone());
        preparing.start(&about, &spec).map(|pid| GateReply::Launched { pid })
    }

    /// A program that this machine does not have is nobody's red test: a person must install it. A program of the
    /// repository itself (a path) is the developer's matter, and later ones may be what the setup installs.
    fn first_program_is_there(&self, steps: &[Step], test: &[String]) -> Result<(), Failure> {
        // What prepares the tests is no test: alone it would pass what nobody looked at (decision 36).
        let Some(step) = steps.first().filter(|_| !test.is_empty()) else {
            return Err(Failure::permanent(Refusal::NoTestCommand));
        };
        let program = &step.command[0];
        if program.is_empty() || (!program.contains('/') && self.runs.machine.find(program).is_none()) {
            let (program, step) = (program.clone(), step.name.clone());
            return Err(Failure::permanent(Refusal::ProgramNotInPath { program, step }));
        }
        Ok(())
    }
}

/// Reads the end of a run of the tests: of a green one nothing, of another what failed.
pub(crate) fn read_end(record: &Path, how: RunHow, exit: &ExitRecord, mask: &Masker) -> io::Result<Read> {
    let mut tail = String::new();
    if how != (RunHow::Exited { code: 0 }) {
        let stdout = said::tail(record, Stream::Stdout, WINDOW, mask)?;
        let stderr = said::tail(record, Stream::Stderr, WINDOW, mask)?;
        // Which command it was, and how it went.
        let step = stdout.lines().rev().find_map(|line| line.strip_prefix(MARK));
        if let Some(step) = step {
            tail.push_str(&step[..step.floor_char_boundary(300)]);
            tail.push_str("\n\n");
        }
        let dropped = exit.stdout.dropped + exit.stderr.dropped;
        if dropped > 0 {
            tail.push_str(&format!("{dropped} more bytes of output were not kept.\n\n"));
        }
        let room = TAIL - tail.len();
        tail.push_str(&fragment(&stdout, &stderr, room));
    }
    Ok(Read { how, usage: Usage::default(), tail })
}
