//! Does a run of tests notice a mutant, and what of it noticed?

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::copy::Copy;

/// A mutant that keeps the tests busy for so long is caught: they never end.
pub(super) const DEADLINE: Duration = Duration::from_secs(120);

/// So long the last words of what was ended are waited for.
const LINGERS: Duration = Duration::from_secs(2);

/// A run of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    pub(super) target: &'static [&'static str],
    pub(super) filter: &'static [&'static str],
    /// How many histories; 0: as many as there are.
    pub(super) seeds: u32,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing was noticed.
    Green,
    /// These noticed: stories, tests, invariants.
    Red {
        by: Vec<String>,
        /// Whether all of it was one named test, which has no stories.
        own: bool,
    },
    /// They did not end, so the mutant is noticed; by then these had noticed too.
    Unfinished { by: Vec<String>, own: bool, after: Duration },
    /// What the compiler said.
    DoesNotBuild(String),
}

impl End {
    /// Whether the story of an incident is red, or the test that was named for it.
    pub(super) fn is_red_for(&self, incident: &str) -> bool {
        match self {
            End::Red { by, own } | End::Unfinished { by, own, .. } => {
                *own || by.iter().any(|name| name.starts_with(&format!("{incident}-")))
            }
            End::Green | End::DoesNotBuild(_) => false,
        }
    }
}

impl Trial {
    /// Tests that a mutant names itself.
    pub(super) fn own(package: &str, target: &str, filter: &str) -> Trial {
        let kept = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let target: Vec<&'static str> = match target {
            "lib" => vec!["--lib"],
            "bin" => vec!["--bins"],
            test => vec!["--test", kept(test)],
        };
        Trial {
            name: "own tests",
            package: kept(package),
            target: Box::leak(target.into_boxed_slice()),
            filter: Box::leak(vec![kept(filter)].into_boxed_slice()),
            seeds: 0,
        }
    }

    /// Builds and runs.
    pub(super) fn run(&self, copy: &Copy) -> Result<End> {
        let mut build = copy.cargo();
        build.args(["test", "--locked", "--no-run", "--package", self.package]).args(self.target);
        let built = build.output().context("could not start cargo")?;
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        if !built.status.success() {
            let errors: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("error")).collect();
            return Ok(End::DoesNotBuild(errors.join("\n")));
        }
        let Some(program) = executable(&said) else {
            bail!("cargo does not say what it built for {}:\n{said}", self.package);
        };
        let mut tests = Command::new(copy.tree.join(program));
        tests.current_dir(&copy.tree).args(self.filter).arg("--nocapture").env("RUST_BACKTRACE", "0");
        if self.seeds > 0 {
            // From the first one on: exactly so many, and not as many as the test has.
            tests.env("ORCH_SEED", "0").env("ORCH_SEEDS", self.seeds.to_string());
        }
        let own = self.name == "own tests";
        // Tests of the real program wait for so long themselves: what they say of it and what they clear away comes first.
        let within = if own { DEADLINE * 2 } else { DEADLINE };
        let (status, printed) = finished(tests, within)?;
        match status {
            Some(true) if !printed.contains("test result: ok. 0 passed") => Ok(End::Green),
            Some(true) => bail!("no test of {} is called {}", self.package, self.filter.join(" or ")),
            Some(false) => Ok(End::Red { by: noticed(&printed), own }),
            None => Ok(End::Unfinished { by: noticed(&printed), own, after: within }),
        }
    }
}

/// Whether a program ended well, `None` if it did not end in time and was ended, and what it printed.
pub(super) fn finished(mut program: Command, within: Duration) -> Result<(Option<bool>, String)> {
    let (mut reader, writer) = std::io::pipe().context("could not make a pipe")?;
    let again = writer.try_clone().context("could not make a pipe")?;
    let mut child = program
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(again)
        .spawn()
        .context("could not start the tests")?;
    // It holds the writing ends: the reader would wait for them for ever.
    drop(program);
    let (tell, told) = mpsc::channel();
    let printed = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&printed);
    std::thread::spawn(move || {
        let mut part = [0; 8192];
        let read = loop {
            match reader.read(&mut part) {
                Ok(0) => break Ok(()),
                Ok(some) => kept.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..some]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let _ = tell.send(read);
    });
    let read = told.recv_timeout(within);
    if read.is_err() {
        child.kill().context("could not end the tests")?;
    }
    let status = child.wait().context("could not wait for the tests")?;
    let in_time = match read {
        Ok(read) => {
            read.context("could not read what the tests print")?;
            true
        }
        Err(_) => {
            // What it started lives on and may hold the pipe for ever.
            let _ = told.recv_timeout(LINGERS);
            false
        }
    };
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((in_time.then_some(status.success()), String::from_utf8_lossy(&printed).into_owned()))
}

/// The test program that cargo says it built.
pub(super) fn executable(said: &str) -> Option<PathBuf> {
    let line = said.lines().find(|line| line.trim_start().starts_with("Executable "))?;
    let path = line.rsplit_once('(')?.1.strip_suffix(')')?;
    Some(PathBuf::from(path))
}

/// Stories that are told otherwise, the tests that failed, the invariants that were named; each once.
fn noticed(printed: &str) -> Vec<String> {
    let mut by: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !name.is_empty() && !by.iter().any(|known| known == name) {
            by.push(name.to_owned());
        }
    };
    let lines = || printed.lines().map(str::trim);
    let stories = lines().filter_map(|line| line.strip_prefix("wrong story: "));
    let stories: BTreeSet<&str> = stories.filter_map(|rest| rest.split(".trace").next()).collect();
    stories.iter().for_each(|story| add(story));
    for line in lines() {
        if line.starts_with("wrong story: ") || line.starts_with("seed ") {
            line.split(": ").filter(|part| is_invariant(part)).for_each(&mut add);
        }
    }
    let failed = printed.rsplit("failures:\n").next().filter(|_| printed.contains("failures:\n"));
    for line in failed.unwrap_or_default().lines().take_while(|line| line.starts_with("    ")) {
        let test = line.trim();
        if stories.is_empty() || !test.ends_with("every_story_is_true") {
            add(test);
        }
    }
    by
}

/// Words joined by hyphens, as invariants are called; stories are called so too, but stand with their ending.
fn is_invariant(part: &str) -> bool {
    part.contains('-') && part.chars().all(|one| one.is_ascii_lowercase() || one == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What noticed a mutant is read from what the tests print: stories, invariants, then tests.
    #[test]
    fn what_noticed_is_read() {
        let printed = "wrong story: I-01-merge.trace:7: was\n    a\n  is\n    b\n\
                       wrong story: crash.trace: line 4: merged-is-tested: c reached main untested\n\
                       seed 3: one-lane-holder: two\n\
                       failures:\n\n---- stories::every_story_is_true stdout ----\n\nfailures:\n    pipeline::people\n    \
                       stories::every_story_is_true\n\ntest result: FAILED. 1 passed; 2 failed";
        assert_eq!(
            noticed(printed),
            ["I-01-merge", "crash", "merged-is-tested", "one-lane-holder", "pipeline::people"]
        );
        assert_eq!(noticed("failures:\n    a::b\n\ntest"), ["a::b"]);
        let red = End::Red { by: noticed(printed), own: false };
        assert!(red.is_red_for("I-01") && !red.is_red_for("I-02"));
    }

    /// Tests that do not end are ended, and told as such.
    #[test]
    fn who_does_not_end_is_ended() {
        let mut endless = Command::new("sleep");
        endless.arg("3600");
        let (ended, printed) = finished(endless, Duration::ZERO).expect("it can be ended");
        assert_eq!((ended, printed.as_str()), (None, ""));
        let mut well = Command::new("echo");
        well.arg("done");
        assert_eq!(finished(well, DEADLINE).expect("it ends"), (Some(true), "done\n".to_owned()));
    }

    /// The program is the one that cargo names.
    #[test]
    fn the_program_is_found() {
        let said = "   Compiling a\n  Executable tests/it/main.rs (/t/debug/deps/it-1)\n";
        assert_eq!(executable(said), Some(PathBuf::from("/t/debug/deps/it-1")));
    }
}
