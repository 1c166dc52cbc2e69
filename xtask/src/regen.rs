//! Which files of the repository are made from others, and are they up to date?
//!
//! To add one, add a line to `GENERATED`: its path and a function that makes its whole text. A text that the
//! program prints comes from `workspace::stdout_of` and a call of `cargo run -q -p orch -- ...`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::{contracts, incidents, invariants, journeys, reliability, rows, workspace};

/// A file and what makes it.
struct Generated {
    path: &'static str,
    make: fn(&Path) -> Result<String>,
}

const GENERATED: &[Generated] = &[
    Generated { path: "docs/rows.md", make: rows::table },
    Generated { path: "docs/invariants.md", make: invariants::table },
    Generated { path: "docs/incidents.md", make: incidents::table },
    Generated { path: "docs/journeys.md", make: journeys::table },
    Generated { path: "docs/reliability.md", make: reliability::table },
    Generated { path: "docs/contracts.md", make: contracts::table },
    Generated { path: "orch.example.toml", make: |root| printed(root, "example") },
    Generated { path: ".env.example", make: |root| printed(root, "env") },
];

/// What the program itself prints as its reference.
fn printed(root: &Path, reference: &str) -> Result<String> {
    let mut command = workspace::cargo(root);
    command.args(["run", "--locked", "--quiet", "-p", "orch", "--", "reference", reference]);
    workspace::stdout_of(&mut command)
}

/// Writes all files that changed.
pub(crate) fn run(root: &Path) -> Result<()> {
    for (path, text) in changed(root)? {
        std::fs::write(root.join(path), text).with_context(|| format!("could not write {path}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Fails if a file would change.
pub(crate) fn check(root: &Path) -> Result<()> {
    let stale = changed(root)?;
    if stale.is_empty() {
        println!("{} generated files are up to date", GENERATED.len());
        return Ok(());
    }
    let paths: Vec<&str> = stale.iter().map(|(path, _)| *path).collect();
    bail!("out of date: {}; run `cargo xtask regen` and commit what it writes", paths.join(", "))
}

fn changed(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut changed = Vec::new();
    for file in GENERATED {
        let text = (file.make)(root).with_context(|| format!("could not make {}", file.path))?;
        if std::fs::read(root.join(file.path)).ok().as_deref() != Some(text.as_bytes()) {
            changed.push((file.path, text));
        }
    }
    Ok(changed)
}
