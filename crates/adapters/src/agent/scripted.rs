//! How does Orch play an agent, without any model? For the demo and for tests.
//!
//! A scenario is a TOML file. It says for each role, and where that matters for one attempt, what is done step by step:
//!
//! ```toml
//! version = 1
//!
//! [[part]]
//! role = "developer"
//! attempt = 1              # without it: every attempt that no other part names
//!
//! [[part.step]]
//! do = "say"
//! text = "reading the plan of {item}"
//!
//! [[part.step]]
//! do = "write"             # the folders above are made
//! path = "src/answer.rs"
//! text = "pub fn answer() -> u32 { 42 }\n"
//! plain = true             # leave braces alone
//! ```
//!
//! In `text` and `path` these are replaced: `{item}`, `{role}`, `{attempt}`, `{of}`. A path is meant from the tree; one that
//! leads out of it is tried all the same: what stops it is the sandbox. Steps:
//!
//! | `do` | and | what |
//! |---|---|---|
//! | `say` | `text` | prints a line |
//! | `complain` | `text` | prints a line on standard error |
//! | `pause` | `ms` | waits |
//! | `write`, `append` | `path`, `text`, `plain` | writes a file |
//! | `replace` | `path`, `from`, `to` | replaces a text in a file, which must be there |
//! | `delete` | `path` | removes a file or folder |
//! | `read` | `path` | prints a file |
//! | `used` | `input`, `output`, `cost` | says what it used |
//! | `garbage` | `bytes`, `path` | prints bytes that are no text, or makes a file of them |
//! | `flood` | `bytes` | prints very much |
//! | `hang` | | never ends by itself |
//! | `exit` | `code` | ends |
//!
//! A step that fails ends the play with exit code 1, unless it has `may_fail = true`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use orch_core::call::agent::Assignment;
use orch_core::stage::Role;
use serde::Deserialize;

use super::Calling;

/// The format read by this binary.
const VERSION: u32 = 1;

/// A scenario.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    version: u32,
    #[serde(default, rename = "part")]
    parts: Vec<Part>,
}

/// What one role does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    role: Role,
    attempt: Option<u32>,
    item: Option<String>,
    #[serde(default, rename = "step")]
    steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the table in the module's documentation says what each is")]
pub enum Step {
    Say {
        text: String,
    },
    Complain {
        text: String,
    },
    Pause {
        ms: u64,
    },
    Write {
        path: String,
        text: String,
        #[serde(default)]
        plain: bool,
        #[serde(default)]
        may_fail: bool,
    },
    Append {
        path: String,
        text: String,
        #[serde(default)]
        plain: bool,
        #[serde(default)]
        may_fail: bool,
    },
    Replace {
        path: String,
        from: String,
        to: String,
    },
    Delete {
        path: String,
        #[serde(default)]
        may_fail: bool,
    },
    Read {
        path: String,
        #[serde(default)]
        may_fail: bool,
    },
    Used {
        input: u64,
        output: u64,
        cost: String,
    },
    Garbage {
        bytes: usize,
        #[serde(default)]
        path: Option<String>,
    },
    Flood {
        bytes: u64,
    },
    Hang,
    Exit {
        code: u8,
    },
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("the scenario {path} cannot be read: {source}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is not what a scenario looks like.
    #[error("the scenario {name} cannot be understood: {cause}")]
    Shape {
        /// Which.
        name: String,
        /// Where and what.
        cause: String,
    },
    /// It has nothing for this role.
    #[error("the scenario has no part for the {role}, attempt {attempt}, of {item}: add a [[part]] for it")]
    NoPart {
        /// The role.
        role: Role,
        /// The attempt.
        attempt: u32,
        /// The work item.
        item: String,
    },
}

/// Who plays, and in what.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The role.
    pub role: Role,
    /// The work item.
    pub item: String,
    /// The attempt, from 1, and how many there are.
    pub attempt: (u32, u32),
}

/// The play is over.
enum Over {
    Exit(u8),
    Failed(String),
}

pub(super) fn calling(assignment: &Assignment, scenario: &Path) -> Calling {
    let (attempt, of) = assignment.attempt;
    let args = [
        "play".to_owned(),
        scenario.to_string_lossy().into_owned(),
        assignment.role.name().to_owned(),
        assignment.item.to_string(),
        format!("{attempt}/{of}"),
    ];
    Calling { args: args.to_vec(), env: BTreeMap::new(), read_only: vec![scenario.to_path_buf()] }
}

/// What stands after `orch play`: scenario, role, work item, attempt (`1/3`). The tree is the working folder.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let text = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    let attempt = text(3).and_then(|attempt| attempt.split_once('/'));
    let attempt = attempt.and_then(|(n, of)| Some((n.parse().ok()?, of.parse().ok()?)));
    let role = text(1).and_then(|name| Role::ALL.into_iter().find(|role| role.name() == name));
    let (Some(scenario), Some(role), Some(item), Some(attempt)) = (arguments.first(), role, text(2), attempt)
    else {
        eprintln!("usage: orch play <scenario> <role> <work item> <attempt>/<of>   (Orch itself starts it)");
        return ExitCode::from(2);
    };
    let cast = Cast { role, item: item.to_owned(), attempt };
    play(Path::new(scenario), &cast, Path::new("."))
}

/// Plays one role of a scenario in a tree. Prints what it does; the first line says that no model is at work.
pub fn play(scenario: &Path, cast: &Cast, tree: &Path) -> ExitCode {
    let Cast { role, item, attempt: (attempt, of) } = cast;
    let mut out = io::stdout();
    let label = format!("scripted agent (no model): {role}, attempt {attempt}/{of} of {item}");
    let played = Scenario::read(scenario).and_then(|scenario| scenario.part(cast).cloned());
    let over = match played {
        Ok(part) => match writeln!(out, "{label}") {
            Ok(()) => part.play(cast, tree, &mut out),
            Err(e) => Err(Over::Failed(e.to_string())),
        },
        Err(e) => Err(Over::Failed(e.to_string())),
    };
    match over {
        Ok(()) => ExitCode::SUCCESS,
        Err(Over::Exit(code)) => ExitCode::from(code),
        Err(Over::Failed(cause)) => {
            eprintln!("{label}: {cause}");
            ExitCode::FAILURE
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// See [`ScenarioError`].
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_path_buf(), source })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Parses a scenario; `name` is for the message.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let shape = |cause: String| ScenarioError::Shape { name: name.to_owned(), cause };
        let scenario: Self = toml::from_str(text).map_err(|e| shape(e.to_string()))?;
        if scenario.version != VERSION {
            let found = scenario.version;
            return Err(shape(format!("it has version {found}, this binary plays version {VERSION}")));
        }
        Ok(scenario)
    }

    /// The part for a role: the one that names its attempt, else the one that names none.
    fn part(&self, cast: &Cast) -> Result<&Part, ScenarioError> {
        let mine =
            |part: &&Part| part.role == cast.role && part.item.as_ref().is_none_or(|item| *item == cast.item);
        let exact = self.parts.iter().filter(mine).find(|part| part.attempt == Some(cast.attempt.0));
        exact.or_else(|| self.parts.iter().filter(mine).find(|part| part.attempt.is_none())).ok_or_else(
            || ScenarioError::NoPart { role: cast.role, attempt: cast.attempt.0, item: cast.item.clone() },
        )
    }
}

impl Part {
    fn play(&self, cast: &Cast, tree: &Path, out: &mut impl Write) -> Result<(), Over> {
        for step in &self.steps {
            step.play(cast, tree, out)?;
            out.flush().map_err(|e| Over::Failed(e.to_string()))?;
        }
        Ok(())
    }
}

impl Step {
    fn play(&self, cast: &Cast, tree: &Path, out: &mut impl Write) -> Result<(), Over> {
        let fill = |text: &str| {
            text.replace("{item}", &cast.item)
                .replace("{role}", cast.role.name())
                .replace("{attempt}", &cast.attempt.0.to_string())
                .replace("{of}", &cast.attempt.1.to_string())
        };
        let at = |path: &str| tree.join(fill(path));
        let mut done = |what: &str, path: &str, result: io::Result<()>, may_fail: bool| {
            let path = fill(path);
            let line = match result {
                Ok(()) => format!("{what} {path}"),
                Err(e) if may_fail => format!("{what} {path}: {e}"),
                Err(e) => return Err(Over::Failed(format!("{what} {path}: {e}"))),
            };
            writeln!(out, "{line}").map_err(|e| Over::Failed(e.to_string()))
        };
        let failed = |e: io::Error| Over::Failed(e.to_string());
        match self {
            Step::Say { text } => writeln!(out, "{}", fill(text)).map_err(failed),
            Step::Complain { text } => {
                eprintln!("{}", fill(text));
                Ok(())
            }
            Step::Pause { ms } => {
                thread::sleep(Duration::from_millis(*ms));
                Ok(())
            }
            Step::Write { path, text, plain, may_fail } => {
                let text = if *plain { text.clone() } else { fill(text) };
                done("write", path, write(&at(path), &text), *may_fail)
            }
            Step::Append { path, text, plain, may_fail } => {
                let text = if *plain { text.clone() } else { fill(text) };
                done("append", path, append(&at(path), &text), *may_fail)
            }
            Step::Replace { path, from, to } => done("replace in", path, replace(&at(path), from, to), false),
            Step::Delete { path, may_fail } => done("delete", path, delete(&at(path)), *may_fail),
            Step::Read { path, may_fail } => {
                let (read, bytes) = match fs::read(at(path)) {
                    Ok(bytes) => (Ok(()), bytes),
                    Err(e) => (Err(e), Vec::new()),
                };
                done("read", path, read, *may_fail)?;
                out.write_all(&bytes).map_err(failed)
            }
            Step::Used { input, output, cost } => writeln!(
                out,
                "{{\"usage\":{{\"input_tokens\":{input},\"output_tokens\":{output}}},\"total_cost_usd\":{cost}}}"
            )
            .map_err(failed),
            Step::Garbage { bytes, path } => {
                let noise: Vec<u8> = (0..*bytes).map(|n| (n % 251) as u8 ^ 0xa5).collect();
                match path {
                    Some(path) => fs::write(at(path), &noise).map_err(failed),
                    None => out.write_all(&noise).map_err(failed),
                }
            }
            Step::Flood { bytes } => flood(*bytes, out).map_err(failed),
            Step::Hang => loop {
                thread::park();
            },
            Step::Exit { code } => Err(Over::Exit(*code)),
        }
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(path, text)
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

fn replace(path: &Path, from: &str, to: &str) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    if !text.contains(from) {
        return Err(io::Error::new(ErrorKind::NotFound, format!("{from:?} is not in it")));
    }
    fs::write(path, text.replace(from, to))
}

fn delete(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn flood(bytes: u64, out: &mut impl Write) -> io::Result<()> {
    let line = [b"far too much output, line after line after line after line..".as_slice(), b"\n"].concat();
    let block = line.repeat(1024);
    let mut left = bytes;
    while left > 0 {
        let some = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        out.write_all(&block[..some])?;
        left -= some as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = r#"
        version = 1
        [[part]]
        role = "developer"
        attempt = 2
        [[part.step]]
        do = "append"
        path = "notes/{item}.md"
        text = "attempt {attempt} of {of} by the {role}: fn f() {}\n"
        [[part.step]]
        do = "write"
        path = "plain.rs"
        text = "format!(\"{item}\")"
        plain = true
        [[part]]
        role = "developer"
        [[part.step]]
        do = "exit"
        code = 7
    "#;

    fn cast(role: Role, attempt: u32) -> Cast {
        Cast { role, item: "DEMO-001".to_owned(), attempt: (attempt, 3) }
    }

    fn act(attempt: u32, tree: &Path) -> Result<(), Over> {
        let scenario = Scenario::parse("story", STORY).unwrap();
        let cast = cast(Role::Developer, attempt);
        scenario.part(&cast).unwrap().play(&cast, tree, &mut Vec::new())
    }

    /// Each attempt has its own part, other attempts the one without a number; texts are filled, plain ones left alone.
    #[test]
    fn parts_are_chosen_and_texts_filled() {
        let temp = tempfile::tempdir().unwrap();
        assert!(matches!(act(1, temp.path()), Err(Over::Exit(7))));
        assert!(act(2, temp.path()).is_ok());
        let read = |name| fs::read_to_string(temp.path().join(name)).unwrap();
        assert_eq!(read("notes/DEMO-001.md"), "attempt 2 of 3 by the developer: fn f() {}\n");
        assert_eq!(read("plain.rs"), "format!(\"{item}\")");
        let scenario = Scenario::parse("story", STORY).unwrap();
        let said = scenario.part(&cast(Role::Tester, 1)).unwrap_err().to_string();
        assert!(said.contains("no part for the tester, attempt 1"), "{said}");
    }

    /// A scenario that cannot be understood says where and what.
    #[test]
    fn mistakes_are_named() {
        let said = |text: &str| Scenario::parse("story", text).unwrap_err().to_string();
        assert!(said("version = 2").contains("plays version 1"));
        let typo = said("version = 1\n[[part]]\nrole = \"developer\"\n[[part.step]]\ndo = \"wriet\"\n");
        assert!(typo.contains("wriet") && typo.contains("line 5"), "{typo}");
        assert!(said("version = 1\nrole = 1").contains("unknown field `role`"));
    }
}
