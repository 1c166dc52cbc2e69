//! How is a list of checks run, timed and reported?
//!
//! Steps run in order; the first that fails ends the list, with what it proves and how to run it alone.
//! There is no way to skip one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// One check of a list.
pub(crate) struct Step {
    /// One or two words: the heading.
    pub(crate) name: &'static str,
    /// What holds when it passes, in a sentence.
    pub(crate) proves: &'static str,
    /// What is done.
    pub(crate) work: Work,
}

/// A check in this program, of the repository at the path.
pub(crate) type Part = Box<dyn Fn(&Path) -> Result<()>>;

/// How a step does its work.
pub(crate) enum Work {
    /// A call of cargo: variables, then arguments. Passes with exit code 0.
    Cargo(&'static [(&'static str, &'static str)], &'static [&'static str]),
    /// The same for a run of tests, which must be at least one: a filter that finds nothing proves nothing.
    Tests(&'static [(&'static str, &'static str)], &'static [&'static str]),
    /// A call of another program, in the repository. Passes with exit code 0.
    Program(&'static [&'static str]),
    /// A part of this program: the arguments of `cargo xtask` that run it alone, and the part.
    Own(&'static str, Part),
}

impl Work {
    fn shown(&self, root: &Path) -> String {
        match self {
            Work::Cargo(variables, arguments) | Work::Tests(variables, arguments) => {
                workspace::shown(&cargo(root, variables, arguments))
            }
            Work::Program(words) => words.join(" "),
            Work::Own(arguments, _) => format!("cargo xtask {arguments}"),
        }
    }

    fn run(&self, root: &Path) -> Result<()> {
        match self {
            Work::Cargo(variables, arguments) => {
                let status = cargo(root, variables, arguments).status().context("could not start cargo")?;
                if !status.success() {
                    bail!("ended with {status}");
                }
                Ok(())
            }
            Work::Program(words) => {
                let (program, arguments) = words.split_first().context("a step without a program")?;
                let status = Command::new(program).args(arguments).current_dir(root).status();
                let status = status.with_context(|| format!("could not start `{program}`"))?;
                if !status.success() {
                    bail!("ended with {status}");
                }
                Ok(())
            }
            Work::Tests(variables, arguments) => tests(&mut cargo(root, variables, arguments)),
            Work::Own(_, part) => part(root),
        }
    }
}

/// Runs all steps of `list`, in order, and prints a summary.
pub(crate) fn run(root: &Path, list: &[Step]) -> Result<()> {
    let mut times = Vec::new();
    for (at, step) in list.iter().enumerate() {
        let shown = step.work.shown(root);
        println!("\n== {}/{} {}: {}\n   {shown}", at + 1, list.len(), step.name, step.proves);
        let start = Instant::now();
        let outcome = step.work.run(root);
        let took = seconds(start.elapsed());
        if let Err(error) = outcome {
            println!("-- {}: failed after {took}", step.name);
            bail!(
                "step {} of {}, \"{}\", failed: {error:#}\n  It proves: {}\n  To run it alone: {shown}",
                at + 1,
                list.len(),
                step.name,
                step.proves
            );
        }
        println!("-- {}: ok, {took}", step.name);
        times.push((step.name, took));
    }
    println!("\nAll {} steps passed:", times.len());
    for (name, took) in times {
        println!("  {took:>9}  {name}");
    }
    Ok(())
}

fn cargo(root: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = workspace::cargo(root);
    command.args(arguments).envs(variables.iter().copied());
    command
}

/// Runs tests, shows their output as it comes, and counts those that passed.
fn tests(command: &mut Command) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("could not start cargo")?;
    let mut passed = 0;
    if let Some(output) = child.stdout.take() {
        let mut shown = std::io::stdout().lock();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("could not read what the tests print")?;
            shown.write_all(&line).and_then(|()| shown.write_all(b"\n")).context("could not print")?;
            passed += passed_in(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait().context("could not wait for the tests")?;
    if !status.success() {
        bail!("ended with {status}");
    }
    if passed == 0 {
        bail!("no test ran, so nothing is proved");
    }
    println!("{passed} tests passed");
    Ok(())
}

/// The count in a line like `test result: ok. 12 passed; 0 failed; ...`; any other line has none.
fn passed_in(line: &str) -> u64 {
    let Some(rest) = line.strip_prefix("test result: ") else { return 0 };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let count = words.windows(2).find(|pair| pair[1] == "passed;").map(|pair| pair[0]);
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Only the closing line of a test binary counts.
    #[test]
    fn passed_tests_are_counted() {
        assert_eq!(passed_in("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured"), 12);
        assert_eq!(passed_in("test stage::order ... ok"), 0);
        assert_eq!(passed_in("test result: ok. 0 passed; 0 failed; 0 ignored"), 0);
    }

    /// The first failing step ends the list, and its text says what it proves and how to repeat it.
    #[test]
    fn the_first_failure_ends_the_list() {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let step = |name: &'static str, good: bool| {
            let seen = Rc::clone(&seen);
            let work = Work::Own(
                "tidy",
                Box::new(move |_| {
                    seen.borrow_mut().push(name);
                    if good { Ok(()) } else { bail!("two findings") }
                }),
            );
            Step { name, proves: "it is so", work }
        };
        let list = [step("first", true), step("second", false), step("third", true)];
        let error = run(Path::new("."), &list).expect_err("the second step fails").to_string();
        assert_eq!(*seen.borrow(), ["first", "second"]);
        assert!(error.contains("step 2 of 3, \"second\", failed: two findings"), "{error}");
        assert!(error.contains("To run it alone: cargo xtask tidy"), "{error}");
    }
}
