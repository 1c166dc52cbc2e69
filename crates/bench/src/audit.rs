//! How fast does `orch audit` walk a main on which everything landed by Orch, and does it find what is planted there? (goal 11)
//!
//! The journal is that of whole lives of tasks, made by the real engine; its commits and trees are then named as those of a
//! real repository, so that the real program finds each landing in both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use orch_adapters::git::{Git, Hub};
use orch_core::call::{Call, ForgeCall};
use orch_core::change::Change;
use orch_core::id::{Commit, Entity, Seq, TaskId, Tree};
use orch_core::journal::{Batch, Journal as _, Row};
use orch_store::{Reader, SqliteJournal};

use crate::Plan;
use crate::brain::cpu_of;
use crate::figure::{Figures, machine};
use crate::flow::{ARCHIVE, Flow};

/// Commits that a landing brings: what the runs of a task left, the last of them tested.
const BROUGHT: usize = 4;
/// Files of the made-up repository.
const FILES: usize = 1_000;
/// One landing of so many is planted with a gap.
const PLANTED: usize = 50;

/// What a landing is called in the journal: the commit, its tree, and where main was.
#[derive(Debug, Clone)]
struct Landing {
    commit: Commit,
    tree: Tree,
    main: Commit,
}

/// Measures as many rounds as asked for on a sound main, then looks for gaps once.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    println!("{}", machine(&plan.scratch)?);
    let folder = tempfile::Builder::new().prefix("orch-bench-audit-").tempdir_in(&plan.scratch)?;
    // Where nothing waits for a disk, if there is such a place.
    let memory = Path::new("/dev/shm");
    let workshop =
        if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir_in(&plan.scratch)? };
    let lives = workshop.path().join("lives.db");
    let mut flow = Flow::open(&lives, "bench")?;
    flow.delivered(plan.tasks)?;
    let rows = flow.close()?.0;
    let mut reader = Reader::open(&lives)?;
    let landings = landings(&mut reader)?;
    if landings.len() as u64 != plan.tasks {
        bail!("{} of {} tasks landed", landings.len(), plan.tasks);
    }
    let origin = folder.path().join("origin.git");
    let main = make(&origin, landings.len())?;

    let home = folder.path().join("sound");
    named(&mut reader, &landings, &main, &BTreeSet::new(), &home, &origin)?;
    let (mut rates, mut cpus) = (Figures::default(), Figures::default());
    for _ in 0..plan.rounds {
        let (began, cpu) = (Instant::now(), cpu_of("self")?);
        let gaps = audited(&plan.orch, &home)?;
        let (took, used) = (began.elapsed().as_secs_f64(), cpu_of("self")?.saturating_sub(cpu));
        if !gaps.is_empty() {
            bail!("gaps where there are none: {gaps:?}");
        }
        rates.0.push(plan.tasks as f64 / took);
        cpus.0.push(used.as_secs_f64() * 1e6 / plan.tasks as f64);
    }
    println!(
        "audit: {} landings a second, {} us of processor each; {} landings, {rows} rows, {} commits of main",
        rates.said(0),
        cpus.said(0),
        plan.tasks,
        main.len()
    );

    // In every other of them the journal has another tree, in the rest another commit: that one is gone, and whoever put
    // there what main has was not Orch.
    let planted: BTreeSet<usize> = (0..landings.len()).skip(PLANTED / 2).step_by(PLANTED).collect();
    let home = folder.path().join("gaps");
    named(&mut reader, &landings, &main, &planted, &home, &origin)?;
    let wanted: BTreeSet<(String, String)> = planted.iter().flat_map(|at| gaps_of(*at, &main)).collect();
    let found = audited(&plan.orch, &home)?;
    if found != wanted {
        let missed: Vec<_> = wanted.difference(&found).collect();
        let more: Vec<_> = found.difference(&wanted).collect();
        bail!("not found: {missed:?}; found and not planted: {more:?}");
    }
    println!("audit: {} gaps planted at {} landings, all found and no other", wanted.len(), planted.len());
    Ok(())
}

/// The landings of a journal, in their order.
fn landings(reader: &mut Reader) -> Result<Vec<(TaskId, Landing)>> {
    let (mut found, mut asked) = (Vec::new(), BTreeMap::new());
    each_row(reader, &mut |row| {
        let Entity::Task(task) = &row.entity else { return Ok(()) };
        for effect in &row.effects {
            if let Call::Forge(ForgeCall::Merge { main, .. }) = &effect.call {
                asked.insert(task.clone(), main.clone());
            }
        }
        for change in &row.changes {
            if let Change::Merged(merged) = change {
                let main = asked.get(task).cloned().with_context(|| format!("{task} was merged unasked"))?;
                let landing = Landing { commit: merged.commit.clone(), tree: merged.tree.clone(), main };
                found.push((task.clone(), landing));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn each_row(reader: &mut Reader, see: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    let mut from = Seq(1);
    loop {
        let rows = reader.rows(from, 1_000)?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = Seq(last.seq.0 + 1);
        for row in rows {
            see(row)?;
        }
    }
}

/// The first commit and those of so many landings, by `git fast-import`; each with its tree, the oldest first.
fn make(origin: &Path, landings: usize) -> Result<Vec<(Commit, Tree)>> {
    let git = || {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null");
        git
    };
    if !git().args(["init", "--quiet", "--bare", "-b", "main"]).arg(origin).status()?.success() {
        bail!("git init failed");
    }
    let mut import = git();
    import.args(["fast-import", "--quiet"]).current_dir(origin).stdin(Stdio::piped());
    let mut child = import.spawn().context("git fast-import")?;
    let mut input = std::io::BufWriter::new(child.stdin.take().context("no way to speak to git")?);
    for n in 0..=landings * BROUGHT {
        let at = 1_700_000_000 + n;
        write!(
            input,
            "commit refs/heads/main\ncommitter Bench <bench@orch.invalid> {at} +0000\ndata 4\nwork\n"
        )?;
        let changed = if n == 0 { 0..FILES } else { n % FILES..n % FILES + 1 };
        for file in changed {
            let text = format!("file {file} after {n}\n");
            let path = format!("package-{:02}/file-{file}.txt", file % 50);
            write!(input, "M 100644 inline {path}\ndata {}\n{text}\n", text.len())?;
        }
    }
    drop(input.into_inner().context("git fast-import")?);
    if !child.wait()?.success() {
        bail!("git fast-import failed");
    }
    let said = git().args(["log", "--reverse", "--format=%H %T", "main"]).current_dir(origin).output()?;
    let said = String::from_utf8(said.stdout).context("git log")?;
    let commit = |line: &str| {
        let (commit, tree) = line.split_once(' ')?;
        Some((Commit::from(commit), Tree::from(tree)))
    };
    Ok(said.lines().filter_map(commit).collect())
}

/// Main after so many landings.
fn after(main: &[(Commit, Tree)], landings: usize) -> Result<&(Commit, Tree)> {
    main.get(landings * BROUGHT).with_context(|| format!("main has no {landings}. landing"))
}

/// A data folder with the journal, its landings named as main's commits, and the hub of its project. At planted landings it
/// names another tree or another commit.
fn named(
    reader: &mut Reader,
    landings: &[(TaskId, Landing)],
    main: &[(Commit, Tree)],
    planted: &BTreeSet<usize>,
    home: &Path,
    origin: &Path,
) -> Result<()> {
    let mut names: BTreeMap<&TaskId, Vec<(String, String)>> = BTreeMap::new();
    for (at, (task, landing)) in landings.iter().enumerate() {
        let ((before, _), (commit, tree)) = (after(main, at)?, after(main, at + 1)?);
        let (commit, tree) = match planted.contains(&at) {
            false => (commit.to_string(), tree.to_string()),
            true if is_tree(at) => (commit.to_string(), OTHER.to_owned()),
            true => (elsewhere(at), tree.to_string()),
        };
        let pairs = [
            (landing.commit.to_string(), commit),
            (landing.tree.to_string(), tree),
            (landing.main.to_string(), before.to_string()),
        ];
        names.insert(task, pairs.into());
    }
    std::fs::create_dir_all(home)?;
    let mut journal = SqliteJournal::open(&home.join("orch.db"))?;
    let mut prev = Row::genesis();
    let mut batch = Batch::default();
    each_row(reader, &mut |row| {
        let row = match &row.entity {
            Entity::Task(task) if names.contains_key(task) => {
                let mut text = serde_json::to_string(&row)?;
                for (old, new) in names.get(task).into_iter().flatten() {
                    text = text.replace(old, new);
                }
                serde_json::from_str::<Row>(&text)?
            }
            _ => row,
        };
        let sealed = row.sealed(prev.clone());
        prev = sealed.hash.clone();
        batch.rows.push(sealed);
        if batch.rows.len() == 1_000 {
            journal.commit(&std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    journal.commit(&batch)?;
    journal.close()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let hub = home.join("hubs").join(ARCHIVE);
    Hub::create(Git::at("git", path)?, &hub, &origin.to_string_lossy(), None)?;
    Ok(())
}

/// A tree that nothing has.
const OTHER: &str = "00000000000000000000000000000000000000ff";

/// Whether what is planted here is another tree, not another commit.
fn is_tree(at: usize) -> bool {
    (at / PLANTED).is_multiple_of(2)
}

/// A commit that main does not have.
fn elsewhere(at: usize) -> String {
    format!("{at:040x}")
}

/// What an audit must say of a planted landing: the commit, and what is wrong with it. What somebody else put there is each
/// commit up to the landing before.
fn gaps_of(at: usize, main: &[(Commit, Tree)]) -> Vec<(String, String)> {
    let brought = main.get(at * BROUGHT + 1..=(at + 1) * BROUGHT).unwrap_or_default();
    let gap = |commit: String, gap: &str| (commit, gap.to_owned());
    if is_tree(at) {
        return brought.last().map(|(commit, _)| gap(commit.to_string(), "other_tree")).into_iter().collect();
    }
    let mut gaps: Vec<_> = brought.iter().map(|(commit, _)| gap(commit.to_string(), "not_by_orch")).collect();
    gaps.push(gap(elsewhere(at), "gone"));
    gaps
}

/// What the real program finds: commits, and what is wrong with them.
fn audited(orch: &Path, home: &Path) -> Result<BTreeSet<(String, String)>> {
    let done = Command::new(orch).arg("--home").arg(home).args(["--json", "audit", ARCHIVE]).output()?;
    let text = String::from_utf8_lossy(&done.stdout);
    let said: serde_json::Value = serde_json::from_str(&text).with_context(|| {
        format!("{}: {text}{}", done.status, String::from_utf8_lossy(&done.stderr).trim())
    })?;
    let gaps = said["projects"][0]["gaps"].as_array().context("no project in the answer")?;
    let word = |gap: &serde_json::Value, name: &str| gap[name].as_str().unwrap_or_default().to_owned();
    let gaps: BTreeSet<_> = gaps.iter().map(|gap| (word(gap, "commit"), word(gap, "gap"))).collect();
    if done.status.success() != gaps.is_empty() {
        bail!("{} with {} gaps", done.status, gaps.len());
    }
    Ok(gaps)
}
