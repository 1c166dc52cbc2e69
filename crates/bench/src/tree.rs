//! How soon has a run a tree of 50,000 files to work in? (goal 14)

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use orch_adapters::git::{Git, Hub, TreeKind, TreeOrder};
use orch_core::id::{RunId, Seq};

use crate::Plan;
use crate::figure::{Figures, machine, ms};

/// Packages of the made-up repository.
const PACKAGES: usize = 50;

/// Measures a plain and a recycled tree, and taking one back.
pub(crate) fn run(plan: &Plan, files: usize) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let folder = tempfile::Builder::new().prefix("orch-bench-tree-").tempdir_in(&plan.scratch)?;
    let origin = folder.path().join("origin.git");
    make(&origin, files)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = Git::at("git", path)?;
    let hub = Hub::create(git, &folder.path().join("hub"), &origin.to_string_lossy(), None)?;
    let head = hub.main_head().map_err(said)?;
    let (mut plain, mut recycled, mut back) = (Figures::default(), Figures::default(), Figures::default());
    let mut number = 0;
    for _ in 0..plan.rounds {
        // Two at once: the first round finds an empty pool, a later one finds what was given back.
        let mut runs = Vec::new();
        for _ in 0..2 {
            number += 1;
            let run = RunId::new(Seq(1), number);
            let place = folder.path().join(format!("trees/{number}"));
            let order = TreeOrder { run, commit: &head, folder: &place, cache: None, remove: Vec::new(), owner: None };
            let began = Instant::now();
            let tree = hub.prepare_tree(&order).map_err(said)?;
            let took = ms(began.elapsed());
            match tree.kind {
                TreeKind::Recycled => recycled.0.push(took),
                TreeKind::Plain | TreeKind::Overlay => plain.0.push(took),
            }
            std::fs::write(place.join("left-over"), "of a run")?;
            runs.push(run);
        }
        for run in runs {
            let began = Instant::now();
            hub.drop_tree(run).map_err(said)?;
            back.0.push(ms(began.elapsed()));
        }
    }
    println!("tree: {files} files: plain {} ms, recycled {} ms", plain.said(0), recycled.said(0));
    println!("tree: taken back in {} ms, which nobody waits for", back.said(0));
    Ok(())
}

fn said(failure: orch_core::call::Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.cause)
}

/// A repository of files of about 4 kB, by `git fast-import`.
fn make(origin: &std::path::Path, files: usize) -> Result<()> {
    let made = Command::new("git").args(["init", "--quiet", "--bare", "-b", "main"]).arg(origin).status()?;
    if !made.success() {
        bail!("git init ended with {made}");
    }
    let mut child = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(origin)
        .stdin(Stdio::piped())
        .spawn()
        .context("git fast-import")?;
    let mut input = child.stdin.take().context("no way to speak to git")?;
    write!(
        input,
        "commit refs/heads/main\ncommitter Bench <bench@orch.invalid> 1700000000 +0000\ndata 5\nfirst\n"
    )?;
    for n in 0..files {
        let mut text = String::new();
        for line in 0..60 {
            writeln!(
                text,
                "{:016x} the {line}th line of file {n} says nothing new",
                (n as u64 + 1) * 0x9E37_79B9 + line
            )?;
        }
        let path = format!("package-{:02}/module-{:02}/file-{n}.txt", n % PACKAGES, n / PACKAGES % 20);
        write!(input, "M 100644 inline {path}\ndata {}\n{text}\n", text.len())?;
    }
    drop(input);
    let ended = child.wait()?;
    if !ended.success() {
        bail!("git fast-import ended with {ended}");
    }
    Ok(())
}
