//! Is what git was told to keep still there after a power cut?
//!
//! The real adapter works in a child process under `strace`; every state is made that the disk may be left in (see
//! [`orch_sim::power`]), and real git looks at what is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch_sim::power::{Before, Disk, Folders, Image, watched};
use orch_sim::schedule::Dice;

use crate::bench::{BRANCH, git_program};
use crate::git_forge::Forge;

/// Says in a child process that it is one.
const CHILD: &str = "ORCH_GIT_POWER_CHILD";

/// Brings a change from its branch to main, and says each step once it is answered; does nothing unless it is the child.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let forge = Forge::new();
    let root = std::env::var_os(CHILD).unwrap();
    let say = |line: String| println!("\n{line}");
    for (name, place) in [("hub", forge.bench.hub.bare()), ("origin", forge.bench.origin.join(".git"))] {
        say(format!("at|{name}|{}", place.strip_prefix(&root).unwrap().display()));
    }
    say("ready".to_owned());
    let (change, candidate) = forge.ready("src/hello.rs");
    let branch = forge.bench.hub_git(&["rev-parse", &format!("refs/heads/{BRANCH}")]);
    say(format!("ref|hub|refs/heads/{BRANCH}|{branch}"));
    say(format!("commit|hub|{}", candidate.commit));
    forge.merge(change, &candidate);
    say(format!("ref|origin|refs/heads/trunk|{}", candidate.commit));
    // Nothing is cleaned up: that belongs to no machine that lost its power.
    std::process::exit(0);
}

/// A step that was answered: what must be there from then on.
#[derive(Debug)]
enum Kept {
    /// A ref stands at this commit, or at what it became later.
    Ref { repository: PathBuf, name: String, at: String },
    /// A commit is there with all that it reaches.
    Commit { repository: PathBuf, at: String },
}

fn recorded() -> Disk {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().canonicalize().unwrap().join("disk");
    std::fs::create_dir(&root).unwrap();
    let record = temp.path().join("record");
    let done = watched(&std::env::current_exe().unwrap(), &record)
        .args(["--exact", "power::child", "--nocapture"])
        .env(CHILD, &root)
        .env("TMPDIR", &root)
        .output()
        .expect("strace is there (`cargo xtask ci --install` gets it)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let record = std::fs::read_to_string(record).unwrap();
    let mut disk = Disk::of(&root, &Before::default(), &record).unwrap_or_else(|e| panic!("{e}"));
    disk.begins_when_said("ready");
    disk
}

/// What was answered before a cut.
fn kept(disk: &Disk, cut: usize) -> Vec<Kept> {
    let said: Vec<u8> = disk.said_before(cut).flatten().copied().collect();
    let (mut places, mut kept) = (BTreeMap::new(), Vec::new());
    for line in String::from_utf8(said).unwrap().lines() {
        let words: Vec<&str> = line.split('|').collect();
        match words[..] {
            ["at", name, place] => drop(places.insert(name.to_owned(), PathBuf::from(place))),
            ["ref", of, name, at] => {
                kept.retain(|one| !matches!(one, Kept::Ref { name: before, .. } if before == name));
                kept.push(Kept::Ref {
                    repository: places[of].clone(),
                    name: name.to_owned(),
                    at: at.to_owned(),
                });
            }
            ["commit", of, at] => {
                kept.push(Kept::Commit { repository: places[of].clone(), at: at.to_owned() })
            }
            _ => {}
        }
    }
    kept
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

fn look(image: &Image, kept: &[Kept]) -> Result<(), String> {
    let home = tempfile::tempdir().unwrap();
    image.put(home.path()).unwrap();
    for one in kept {
        let (repository, at) = match one {
            Kept::Ref { repository, at, .. } | Kept::Commit { repository, at } => {
                (home.path().join(repository), at)
            }
        };
        if let Kept::Ref { name, .. } = one {
            let there =
                ask(&repository, &["rev-parse", "--verify", name]).map_err(|e| format!("{one:?}: {e}"))?;
            ask(&repository, &["merge-base", "--is-ancestor", at, &there])
                .map_err(|e| format!("{one:?} is at {there}: {e}"))?;
        }
        ask(&repository, &["rev-list", "--objects", "--quiet", at]).map_err(|e| format!("{one:?}: {e}"))?;
    }
    for repository in kept.iter().map(|one| match one {
        Kept::Ref { repository, .. } | Kept::Commit { repository, .. } => home.path().join(repository),
    }) {
        ask(&repository, &["fsck", "--connectivity-only", "--no-dangling"])
            .map_err(|e| format!("fsck: {e}"))?;
    }
    Ok(())
}

/// Cuts the power so many times, and says what was not there that had been answered.
fn cut(disk: &Disk, cuts: u64) -> Vec<String> {
    let moments = disk.moments();
    assert!(moments.len() > 100, "it did nothing");
    let (mut wrong, mut answers) = (Vec::new(), 0);
    for seed in 0..cuts {
        let mut dice = Dice::new(seed);
        // Half of them right at the end, where most was answered.
        let from = if dice.chance(50) { moments.len() * 9 / 10 } else { 0 };
        let cut = moments[from + dice.below(moments.len() - from)];
        let kept = kept(disk, cut);
        answers += kept.len();
        if let Err(what) = look(&disk.image(cut, Folders::InOrder, &mut dice), &kept) {
            wrong.push(format!("seed {seed}, cut at {cut}: {what}"));
        }
    }
    println!("{cuts} power cuts, {answers} answers looked for: {} not kept", wrong.len());
    wrong
}

/// Proves that wherever the power goes, a task branch, a candidate and a merged main are where was said they are, in the hub
/// and in the person's repository, with all that they reach; and that this test would notice a disk that forgets the bytes
/// of a ref. `ORCH_SEEDS` says how many cuts (20 at least).
#[test]
fn what_git_kept_survives_a_power_cut() {
    let cuts = std::env::var("ORCH_SEEDS").ok().and_then(|n| n.parse().ok()).map_or(20, |n: u64| n.max(20));
    let mut disk = recorded();
    let wrong = cut(&disk, cuts);
    assert!(wrong.is_empty(), "{wrong:#?}");
    disk.lie_about(|name| name == Path::new("trunk"));
    assert!(!cut(&disk, 20).is_empty());
}
