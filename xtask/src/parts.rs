//! Which programs do the checks need, are they here, and how do they get here?
//!
//! A missing program is never a reason to skip a check: it is installed when asked for (`--install`, or `CI=true`),
//! otherwise it is named and everything stops.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// The distribution's git: the oldest one that the git tests run with.
pub(crate) const SYSTEM_GIT: &str = "/usr/bin/git";

/// The oldest git that Orch works with: the first that has `merge-tree --write-tree`.
const OLDEST_GIT: (u32, u32) = (2, 38);

pub(crate) struct Part {
    name: &'static str,
    needed_for: &'static str,
    /// What asks it for its version; answering is being here.
    ask: &'static [&'static str],
    /// The oldest version that will do.
    oldest: Option<(u32, u32)>,
    from: From,
}

/// Where a missing part comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Debian(&'static [&'static str]),
    Rustup(&'static str),
    /// Compiled here: a package and its version.
    Cargo(&'static str),
}

/// What `cargo xtask ci` needs.
pub(crate) const GATE: &[Part] = &[
    Part {
        name: "git 2.38 or newer",
        needed_for: "everything that touches a repository",
        ask: &["git", "--version"],
        oldest: Some(OLDEST_GIT),
        from: From::Debian(&["git"]),
    },
    Part {
        name: "/usr/bin/git 2.38 or newer",
        needed_for: "the second run of the git tests",
        ask: &[SYSTEM_GIT, "--version"],
        oldest: Some(OLDEST_GIT),
        from: From::Debian(&["git"]),
    },
    Part {
        name: "a C compiler",
        needed_for: "building SQLite, and linking",
        ask: &["cc", "--version"],
        oldest: None,
        from: From::Debian(&["gcc", "libc6-dev"]),
    },
    Part {
        name: "rustfmt",
        needed_for: "the format check",
        ask: &["cargo", "fmt", "--version"],
        oldest: None,
        from: From::Rustup("rustfmt"),
    },
    Part {
        name: "clippy",
        needed_for: "the lints",
        ask: &["cargo", "clippy", "--version"],
        oldest: None,
        from: From::Rustup("clippy"),
    },
    Part {
        name: "curl",
        needed_for: "the test in which an agent knocks at Orch's door",
        ask: &["curl", "--version"],
        oldest: None,
        from: From::Debian(&["curl"]),
    },
    Part {
        name: "strace",
        needed_for: "the power cuts: what a program tells the disk to keep",
        ask: &["strace", "-V"],
        oldest: None,
        from: From::Debian(&["strace"]),
    },
    Part {
        name: "Chromium",
        needed_for: "the browser test",
        ask: &["chromium", "--version"],
        oldest: None,
        from: From::Debian(&["chromium"]),
    },
    Part {
        name: "ChromeDriver",
        needed_for: "the browser test",
        ask: &["chromedriver", "--version"],
        oldest: None,
        from: From::Debian(&["chromium-driver"]),
    },
];

/// What `cargo xtask long` needs besides.
pub(crate) const LONG: &[Part] = &[
    Part {
        name: "npm",
        needed_for: "getting Claude Code, the real program",
        ask: &["npm", "--version"],
        oldest: None,
        from: From::Debian(&["npm"]),
    },
    Part {
        name: "cargo-mutants",
        needed_for: "the list of all mutants of core",
        ask: &["cargo", "mutants", "--version"],
        oldest: Some((27, 1)),
        from: From::Cargo("cargo-mutants@27.1.0"),
    },
];

/// Passes if every part is here. Missing ones are named, and installed with `install` or in CI.
pub(crate) fn require(root: &Path, install: bool, parts: &'static [Part]) -> Result<()> {
    let missing = missing(root, parts);
    if missing.is_empty() {
        println!("all {} programs are here", parts.len());
        return Ok(());
    }
    for (part, why) in &missing {
        println!("missing: {} ({why}); needed for {}", part.name, part.needed_for);
    }
    let commands = commands(missing.iter().map(|(part, _)| part.from));
    if !install && !in_ci() {
        bail!(
            "{} missing. Say `--install` too, or get it by hand:\n  {}",
            programs(missing.len()),
            commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("\n  ")
        );
    }
    for words in commands {
        install_by(&words)?;
    }
    let still = self::missing(root, parts);
    if !still.is_empty() {
        let names: Vec<String> = still.iter().map(|(part, why)| format!("{} ({why})", part.name)).collect();
        bail!("still missing after the installation: {}", names.join(", "));
    }
    println!("all {} programs are here now", parts.len());
    Ok(())
}

fn programs(count: usize) -> String {
    if count == 1 { "1 program is".to_owned() } else { format!("{count} programs are") }
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn missing(root: &Path, parts: &'static [Part]) -> Vec<(&'static Part, String)> {
    parts.iter().filter_map(|part| problem(root, part).map(|why| (part, why))).collect()
}

/// Why a part will not do, or nothing.
fn problem(root: &Path, part: &Part) -> Option<String> {
    let (program, arguments) = part.ask.split_first()?;
    let mut command = if *program == "cargo" { workspace::cargo(root) } else { Command::new(program) };
    let answer = match command.args(arguments).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return Some(format!("`{}` ended with {}", part.ask.join(" "), output.status)),
        Err(error) => return Some(format!("`{program}`: {error}")),
    };
    let oldest = part.oldest?;
    match version(&answer) {
        Some(found) if found >= oldest => None,
        Some((major, minor)) => Some(format!("found {major}.{minor}")),
        None => Some(format!("cannot read the version in \"{}\"", answer.trim())),
    }
}

/// The first `major.minor` in what a program says about itself.
fn version(answer: &str) -> Option<(u32, u32)> {
    answer.split_whitespace().find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

/// The commands that install what is missing, each package once.
fn commands(missing: impl Iterator<Item = From>) -> Vec<Vec<&'static str>> {
    let (mut packages, mut components, mut compiled) = (Vec::new(), Vec::new(), Vec::new());
    for from in missing {
        match from {
            From::Debian(names) => {
                packages.extend(names.iter().filter(|name| !packages.contains(name)).collect::<Vec<_>>())
            }
            From::Rustup(name) => components.push(name),
            From::Cargo(name) => compiled.push(name),
        }
    }
    let mut commands = Vec::new();
    if !packages.is_empty() {
        commands.push(vec!["apt-get", "update"]);
        let mut install = vec!["apt-get", "install", "-y", "--no-install-recommends"];
        install.extend(packages);
        commands.push(install);
    }
    if !components.is_empty() {
        let mut add = vec!["rustup", "component", "add"];
        add.extend(components);
        commands.push(add);
    }
    commands.extend(compiled.into_iter().map(|name| vec!["cargo", "install", "--locked", name]));
    commands
}

/// Runs one installation; without the rights for apt-get it asks sudo, which must not need a password.
fn install_by(words: &[&str]) -> Result<()> {
    let mut line: Vec<&str> = words.to_vec();
    if words.first() == Some(&"apt-get") && !is_root() {
        line.splice(0..0, ["sudo", "-n"]);
    }
    println!("   {}", line.join(" "));
    let status = Command::new(line[0])
        .args(&line[1..])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .with_context(|| format!("could not start `{}`; install by hand: {}", line[0], words.join(" ")))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line.join(" "));
    }
    Ok(())
}

fn is_root() -> bool {
    workspace::stdout_of(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distributions add words and numbers behind the version; the first pair counts.
    #[test]
    fn versions_are_read() {
        assert_eq!(version("git version 2.39.5"), Some((2, 39)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("no number"), None);
    }

    /// Two parts from one package are one installation, after one update.
    #[test]
    fn packages_are_installed_once() {
        let missing = [
            From::Debian(&["git"]),
            From::Debian(&["git"]),
            From::Debian(&["gcc", "libc6-dev"]),
            From::Rustup("clippy"),
        ];
        let lines: Vec<String> = commands(missing.into_iter()).iter().map(|words| words.join(" ")).collect();
        assert_eq!(
            lines,
            [
                "apt-get update",
                "apt-get install -y --no-install-recommends git gcc libc6-dev",
                "rustup component add clippy"
            ]
        );
    }

    /// A program that does not exist is a problem with a reason, not a crash.
    #[test]
    fn a_missing_program_is_named() {
        let part = Part {
            name: "x",
            needed_for: "y",
            ask: &["orch-no-such-program", "--version"],
            oldest: None,
            from: From::Debian(&["x"]),
        };
        assert!(problem(Path::new("."), &part).expect("it is missing").contains("orch-no-such-program"));
    }
}
