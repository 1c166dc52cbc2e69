//! Is what git was told to keep, and what a run's record says, still there after a power cut?
//!
//! The real adapter works in a child process under `strace`; every state is made that the disk may be left in (see
//! [`orch_sim::power`]), and real git looks at what is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch_adapters::process::{Observed, RunSpec, observe};
use orch_adapters::run::About;
use orch_core::call::{AgentCall, ForgeReply};
use orch_core::id::Commit;
use orch_core::stage::Role;
use orch_sim::power::{Before, Disk, Folders, Image, watched};
use orch_sim::schedule::Dice;

use crate::bench::{BRANCH, git_program, person, write};
use crate::git_calls::is_candidate;
use crate::git_forge::Forge;
use crate::world::{self, assignment};
use crate::{end, exe};

/// Says in a child process that it is one.
const CHILD: &str = "ORCH_GIT_POWER_CHILD";

/// Brings a change from its branch to main, which moves meanwhile, and says each step once it is answered; does nothing
/// unless it is the child.
#[test]
fn child() {
    let Some(root) = std::env::var_os(CHILD) else { return };
    let forge = Forge::new();
    let bench = &forge.bench;
    let by_person = |args: &[&str]| person(&bench.origin, &[&["-c", "core.fsync=all"], args].concat());
    by_person(&["checkout", "--quiet", "-b", "theirs"]);
    bench.main_gets("src/theirs.rs", "theirs\n");
    by_person(&["checkout", "--quiet", "trunk"]);
    let say = |line: String| println!("\n{line}");
    for (name, place) in [("hub", bench.hub.bare()), ("origin", bench.origin.join(".git"))] {
        say(format!("at|{name}|{}", place.strip_prefix(&root).unwrap().display()));
    }
    say("ready".to_owned());
    let branch_is = |at: &Commit| say(format!("ref|hub|refs/heads/{BRANCH}|{at}"));
    let (head, _) = bench.cut();
    branch_is(&head);
    let work = bench.run(1, Role::Developer, &head, |tree| write(tree, "src/hello.rs", "by the task\n"));
    branch_is(&work.head);
    by_person(&["merge", "--quiet", "--ff-only", "theirs"]);
    let candidate = is_candidate(bench.candidate(&work.head));
    assert_ne!(candidate.commit, work.head, "it is a merge");
    branch_is(&candidate.commit);
    let change = forge.open(&candidate.commit);
    let reply = forge.merge(change, &candidate);
    assert!(matches!(reply, ForgeReply::Merged { .. }), "{reply:?}");
    say(format!("ref|origin|refs/heads/trunk|{}", candidate.commit));
    // Nothing is cleaned up: that belongs to no machine that lost its power.
    std::process::exit(0);
}

/// What was said before a cut.
#[derive(Debug, Default)]
struct Said {
    /// The repositories.
    places: BTreeMap<String, PathBuf>,
    /// Where a ref of one of them stands from then on, if it did not move since.
    refs: BTreeMap<(String, String), String>,
}

/// Launches a run in that world and waits for its end; does nothing unless it is the child.
#[test]
fn child_with_a_run() {
    let Some(root) = std::env::var_os(CHILD) else { return };
    let root = PathBuf::from(root);
    std::fs::write(root.join("scenario.toml"), "version = 1\n[[part]]\nrole = \"developer\"\n").unwrap();
    let agents = world::agents(&root, exe(), None);
    agents.perform(&AgentCall::Launch(Box::new(assignment(1)))).unwrap();
    println!("\n{:?}", end(&agents.runs, assignment(1).run).end.how);
    std::process::exit(0);
}

/// What a child process did below a folder of its own.
fn recorded(child: &str) -> Disk {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().canonicalize().unwrap().join("disk");
    std::fs::create_dir(&root).unwrap();
    let record = temp.path().join("record");
    let done = watched(&std::env::current_exe().unwrap(), &record)
        .args(["--exact", child, "--nocapture"])
        .env(CHILD, &root)
        .env("TMPDIR", &root)
        .output()
        .expect("strace is there (`cargo xtask ci --install` gets it)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let record = std::fs::read_to_string(record).unwrap();
    Disk::of(&root, &Before::default(), &record).unwrap_or_else(|e| panic!("{e}"))
}

/// What was prepared is on the disk, whatever it forgets of what comes then.
fn begun(mut disk: Disk) -> Disk {
    disk.begins_when_said("ready");
    disk
}

fn said(disk: &Disk, cut: usize) -> Said {
    let text: Vec<u8> = disk.said_before(cut).flatten().copied().collect();
    let mut said = Said::default();
    for line in String::from_utf8(text).unwrap().lines() {
        match line.split('|').collect::<Vec<_>>()[..] {
            ["at", of, place] => drop(said.places.insert(of.to_owned(), PathBuf::from(place))),
            ["ref", of, name, at] => {
                said.refs.insert((of.to_owned(), name.to_owned()), at.to_owned());
            }
            _ => {}
        }
    }
    said
}

/// Git's answer in a repository.
fn ask(repository: &Path, args: &[&str]) -> Result<String, String> {
    let done = Command::new(git_program())
        .args(["-c", "safe.directory=*", "--git-dir"])
        .arg(repository)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if done.status.success() { Ok(words(&done.stdout)) } else { Err(words(&done.stderr)) }
}

/// Each ref is where it was said to be, or went on from there, and every object of both repositories is whole.
fn look(image: &Image, said: &Said) -> Result<(), String> {
    let home = tempfile::tempdir().unwrap();
    image.put(home.path()).unwrap();
    let place = |of: &str| home.path().join(&said.places[of]);
    for ((of, name), at) in &said.refs {
        let there = ask(&place(of), &["rev-parse", "--verify", name]).map_err(|e| format!("{name}: {e}"))?;
        ask(&place(of), &["merge-base", "--is-ancestor", at, &there])
            .map_err(|e| format!("{name} was at {at} and is at {there}: {e}"))?;
    }
    for of in said.places.keys() {
        ask(&place(of), &["fsck", "--no-dangling"]).map_err(|e| format!("fsck of {of}: {e}"))?;
    }
    Ok(())
}

/// Cuts the power so many times, and says what was not there that had been answered.
fn cut(disk: &Disk, cuts: u64) -> Vec<String> {
    let moments = disk.moments();
    assert!(moments.len() > 100, "it did nothing");
    let (mut wrong, mut branches, mut mains) = (Vec::new(), 0, 0);
    for seed in 0..cuts {
        let mut dice = Dice::new(seed);
        // Most of them near the end, where most was answered, and some when all was.
        let from = match dice.below(10) {
            0 | 1 => moments.len() - 1,
            2..=5 => moments.len() * 9 / 10,
            _ => 0,
        };
        let cut = moments[from + dice.below(moments.len() - from)];
        let said = said(disk, cut);
        assert_eq!(said.places.len(), 2, "{said:?}");
        branches += said.refs.keys().filter(|(of, _)| of == "hub").count();
        mains += said.refs.keys().filter(|(of, _)| of == "origin").count();
        if let Err(what) = look(&disk.image(cut, Folders::InOrder, &mut dice), &said) {
            wrong.push(format!("seed {seed}, cut at {cut}: {what}"));
        }
    }
    let bad = wrong.len();
    println!(
        "{cuts} power cuts, two repositories each, {branches} branches and {mains} merges looked for: {bad} not kept"
    );
    wrong
}

/// Proves that wherever the power goes, a task branch, a candidate that is a merge, and a merged main are where was said they
/// are, in the hub and in the person's repository, and that every object of both is whole; and that this test would notice a
/// disk that forgets the bytes of a ref or of an object. `ORCH_SEEDS` says how many cuts (20 at least).
#[test]
fn what_git_kept_survives_a_power_cut() {
    let cuts = std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).map_or(20, |n: u64| n.max(20));
    let disk = recorded("power::child");
    let wrong = cut(&begun(disk.clone()), cuts);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let forgets = |is: &dyn Fn(&str) -> bool| {
        let mut disk = disk.clone();
        disk.lie_about(|name| name.to_str().is_some_and(is));
        cut(&begun(disk), 20)
    };
    assert!(!forgets(&|name| name == "trunk").is_empty());
    // Which have the rest of their hash as a name, or one for a while until they get it.
    let is_object = |name: &str| {
        name.starts_with("tmp_obj_") || name.len() == 38 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    assert!(!forgets(&is_object).is_empty());
}

/// The run of the child after a power cut: whoever sees that it began sees what it was of, and what it ran.
fn look_at_run(image: &Image) -> Result<bool, String> {
    let home = tempfile::tempdir().unwrap();
    image.put(home.path()).unwrap();
    let record = home.path().join("runs").join(assignment(1).run.to_string());
    let began = match observe(&record) {
        Observed::NotStarted => return Ok(false),
        Observed::Unknown { why } => return Err(why.to_string()),
        Observed::Running(_) | Observed::Ended(_) | Observed::Lost { .. } => true,
    };
    match About::read(&record) {
        Ok(Some(_)) => {}
        Ok(None) => return Err("it began, and nothing says what it was of".to_owned()),
        Err(failure) => return Err(failure.cause.to_string()),
    }
    let spec = std::fs::read(record.join("spec.json")).map_err(|e| format!("spec.json: {e}"))?;
    serde_json::from_slice::<RunSpec>(&spec).map_err(|e| format!("spec.json: {e}"))?;
    Ok(began)
}

/// Proves that wherever the power goes, a run whose supervisor named itself has a whole record of what it is of and of what
/// it runs, and that this test would notice a disk that forgets either.
#[test]
fn what_a_run_is_of_survives_a_power_cut() {
    let disk = recorded("power::child_with_a_run");
    let cut = |disk: &Disk| {
        let moments = disk.moments();
        let (mut wrong, mut began) = (Vec::new(), 0);
        for seed in 0..400 {
            let mut dice = Dice::new(seed);
            let at = moments[dice.below(moments.len())];
            match look_at_run(&disk.image(at, Folders::InOrder, &mut dice)) {
                Ok(seen) => began += u32::from(seen),
                Err(what) => wrong.push(format!("seed {seed}, cut at {at}: {what}")),
            }
        }
        (wrong, began)
    };
    let (wrong, began) = cut(&disk);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(began > 50, "only {began} cuts came after the run began");
    for forgotten in ["about.tmp", "spec.tmp"] {
        let mut disk = disk.clone();
        disk.lie_about(|name| name.to_str() == Some(forgotten));
        assert!(!cut(&disk).0.is_empty(), "{forgotten}");
    }
}
