//! How is the program measured? It is built together with what measures it, and the measurer is run.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// Measures the release build; `words` are a figure's name and options, as `cargo xtask bench help` lists them.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    measure(root, &["--release"], words)
}

/// Every figure as small as can be, on the debug build: they run, and nothing that was acknowledged is lost.
pub(crate) fn smoke(root: &Path) -> Result<()> {
    measure(root, &[], &["smoke"])
}

fn measure(root: &Path, profile: &[&str], words: &[&str]) -> Result<()> {
    let calls: [&[&str]; 2] = [
        &["build", "--locked", "--quiet", "--package", "orch", "--package", "orch-bench"],
        &["run", "--locked", "--quiet", "--package", "orch-bench"],
    ];
    for (call, words) in calls.into_iter().zip([&[][..], words]) {
        let mut command = workspace::cargo(root);
        command.args(call).args(profile);
        if !words.is_empty() {
            command.arg("--").args(words);
        }
        let status = command.status().context("could not start cargo")?;
        if !status.success() {
            bail!("`{}` ended with {status}", workspace::shown(&command));
        }
    }
    Ok(())
}
