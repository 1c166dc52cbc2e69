//! How soon has a run a tree of 50,000 files to work in? (goal 14)

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use orch_adapters::git::{Git, Hub, Means, Mounts, TreeKind, TreeOrder};
use orch_core::artefact::Artefact;
use orch_core::call::{GitCall, GitReply, Text};
use orch_core::id::{Commit, Digest, RunId, Seq, TaskId, WorkItem};
use orch_core::policy::Policy;
use orch_core::stage::Role;
use orch_core::time::Moment;

use crate::Plan;
use crate::figure::{Figures, machine, ms};

/// Packages of the made-up repository.
const PACKAGES: usize = 50;

/// Measures each kind of tree that this machine has: made for a run at a commit beside main, collected, taken back.
pub(crate) fn run(plan: &Plan, files: usize) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let folder = tempfile::Builder::new().prefix("orch-bench-tree-").tempdir_in(&plan.scratch)?;
    let origin = folder.path().join("origin.git");
    make(&origin, files)?;
    kinds(plan, files, &origin, &folder.path().join("recycled"), None)?;
    let (place, rounds) = (folder.path().join("overlay"), plan.rounds);
    // A thread of its own: the mounts are its alone and go with it.
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| -> Result<()> {
            std::fs::create_dir_all(&place)?;
            match Mounts::own().and_then(|mounts| mounts.try_in(&place).map(|()| mounts)) {
                Ok(mounts) => kinds(plan, files, &origin, &place, Some(mounts)),
                Err(error) => {
                    println!("tree: no overlay here, {rounds} rounds left out: {error}");
                    Ok(())
                }
            }
        });
        measured.join().map_err(|_| anyhow::anyhow!("the measurement of overlays ended in a defect"))?
    })
}

fn kinds(plan: &Plan, files: usize, origin: &Path, place: &Path, mounts: Option<Mounts>) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let hub = Hub::create(Git::at("git", path)?, &place.join("hub"), &origin.to_string_lossy(), None)?;
    let hub = hub.trees_of(None, mounts).large_from(1);
    let (_, head) = cut(&hub, &TaskId::from(TASK))?;
    let mut made: BTreeMap<&str, Figures> = BTreeMap::new();
    let (mut collected, mut back, mut kib) = (Figures::default(), Figures::default(), Figures::default());
    let began = Instant::now();
    hub.ready_trees().map_err(said)?;
    println!("tree: made ahead in {:.0} ms, which nobody waits for", ms(began.elapsed()));
    let mut number = 0;
    for _ in 0..plan.rounds * 3 {
        // Two at once: the pool has one to begin with, and in the second round what was given back.
        let mut runs = Vec::new();
        for _ in 0..2 {
            number += 1;
            let run = RunId::new(Seq(1), number);
            let place = place.join(format!("trees/{number}"));
            let order = TreeOrder {
                run,
                commit: &head,
                folder: &place,
                cache: None,
                remove: Vec::new(),
                owner: None,
            };
            let began = Instant::now();
            let tree = hub.prepare_tree(&order).map_err(said)?;
            let took = ms(began.elapsed());
            let kind = match tree.kind {
                TreeKind::Overlay => "overlay",
                TreeKind::Recycled => "recycled",
                TreeKind::Plain => "plain",
            };
            made.entry(kind).or_default().0.push(took);
            if tree.kind == TreeKind::Overlay {
                kib.0.push(kib_in(&hub_room(&hub, run))?);
            }
            std::fs::create_dir_all(place.join("src"))?;
            std::fs::write(place.join(format!("src/new-{number}")), "of a run")?;
            std::fs::write(place.join("package-00/module-00/file-0.txt"), format!("changed by {number}"))?;
            runs.push(run);
        }
        for run in runs {
            let began = Instant::now();
            hub.perform(&collect(run, &head), &means()).map_err(said)?;
            collected.0.push(ms(began.elapsed()));
            let began = Instant::now();
            hub.drop_tree(run).map_err(said)?;
            back.0.push(ms(began.elapsed()));
        }
    }
    for (kind, took) in &made {
        println!("tree: {files} files, {kind}: ready in {} ms", took.said(0));
    }
    if !kib.0.is_empty() {
        println!("tree: an overlay's own files {} KiB, most of it git's index", kib.said(0));
    }
    println!("tree: collected in {} ms", collected.said(0));
    println!("tree: taken back in {} ms, which nobody waits for", back.said(0));
    Ok(())
}

/// A task's branch, main and one file, and its head.
pub(crate) fn cut(hub: &Hub, task: &TaskId) -> Result<(String, Commit)> {
    let branch = format!("feature/{task}-bench");
    let call = GitCall::CutBranch {
        branch: branch.clone(),
        item: task.item(),
        task: task.clone(),
        title: Text::of("bench"),
        text: Text::of("bench"),
        carry: None,
    };
    match hub.perform(&call, &means()).map_err(said)?.reply {
        GitReply::BranchCut { head, .. } => Ok((branch, head)),
        other => bail!("{other:?}"),
    }
}

const TASK: &str = "BENCH-001";

/// The call that collects a developer's run.
fn collect(run: RunId, parent: &Commit) -> GitCall {
    let item = WorkItem::from(TASK);
    let policy = Policy::default();
    GitCall::Collect {
        branch: format!("feature/{TASK}-bench"),
        parent: parent.clone(),
        run,
        role: Role::Developer,
        task: TaskId::from(TASK),
        scope: policy.scope(Role::Developer, &item).into(),
        item,
        tests: policy.tests,
    }
}

pub(crate) fn means() -> Means<'static> {
    Means {
        at: Moment(1_700_000_000_000),
        text: &|_| Ok(Some(b"bench".to_vec())),
        artefact: &|name, bytes, fresh| {
            let digest = Digest::of(bytes);
            (Artefact { name: name.to_owned(), digest, fresh, verdict: None, excerpt: None }, Vec::new())
        },
        secret: &|_| false,
    }
}

fn hub_room(hub: &Hub, run: RunId) -> PathBuf {
    hub.bare().with_file_name("runs").join(run.to_string())
}

/// What a folder takes of the disk, in KiB.
fn kib_in(folder: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt as _;
    let (mut blocks, mut open) = (0, vec![folder.to_owned()]);
    while let Some(path) = open.pop() {
        let found = std::fs::symlink_metadata(&path)?;
        blocks += found.blocks();
        if found.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        }
    }
    Ok(blocks as f64 / 2.0)
}

pub(crate) fn said(failure: orch_core::call::Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.cause)
}

/// A repository of files of about 4 kB, by `git fast-import`.
pub(crate) fn make(origin: &std::path::Path, files: usize) -> Result<()> {
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
