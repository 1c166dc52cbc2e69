//! What does the simulated world say through the real program: the same bytes from the same seed, on both journals?

use std::process::{Command, Output};

use serde_json::Value;

fn orch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orch")).args(arguments).output().unwrap()
}

fn summary(arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_string_lossy().into_owned();
    let output = orch(&[&["sim", "run", "--json", "--keep", &keep], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Proves that two processes make the same texts and the same journals from the same seeds, byte for byte, and that a
/// third makes others from others.
#[test]
fn the_same_seed_gives_the_same_bytes_in_another_process() {
    for faults in ["some", "people", "all"] {
        let run = |from| summary(&["--seeds", "2", "--faults", faults, "--from", from])["digest"].clone();
        let first = run("11");
        assert!(first.as_str().is_some_and(|digest| digest.len() == 64), "{first}");
        assert_eq!(first, run("11"), "{faults}");
        assert_ne!(first, run("12"), "{faults}");
    }
}

/// Proves that the sum is the same however many work at it, and that an interrupted run goes on from its ledger to the same
/// page as one that was not interrupted.
#[test]
fn the_same_seeds_give_the_same_sum_whoever_works() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let seeds = ["--seeds", "60", "--from", "30", "--faults", "some"];
    let of = |more: &[&str]| {
        let mut sum = summary(&[&seeds[..], more].concat());
        for other in ["milliseconds", "processor", "jobs"] {
            sum[other] = Value::Null;
        }
        sum
    };
    let alone = of(&["--jobs", "1"]);
    assert_eq!(of(&["--jobs", "3"]), alone);
    assert!(alone["promises"]["a-reason-for-every-wait"].as_u64().unwrap() > 1000, "{alone}");
    let (ledger, page) = (file("ledger"), file("page.md"));
    assert_eq!(of(&["--ledger", &ledger]), alone);
    let lines = std::fs::read_to_string(&ledger).unwrap();
    assert_eq!(lines.lines().count(), 2);
    // As if it had been killed while it wrote the second line.
    std::fs::write(&ledger, &lines[..lines.len() - 9]).unwrap();
    assert_eq!(of(&["--ledger", &ledger, "--report", &page, "--machine", "a test"]), alone);
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("| seeds | 30 to 89, faults `some`"), "{page}");
    assert!(page.contains(alone["digest"].as_str().unwrap()), "{page}");
}

/// Proves that the real store, dropped at each crash and opened again, says at every question what the journal in memory
/// says, and that the histories on it are the same, byte for byte.
#[test]
fn the_real_store_lives_the_same_histories() {
    let seeds = ["--seeds", "4", "--from", "20", "--faults", "people"];
    let on_disk = summary(&[&seeds[..], &["--store", "sqlite"]].concat());
    let in_memory = summary(&seeds);
    assert!(on_disk["crashes"].as_u64().unwrap() > 20, "{on_disk}");
    for what in ["digest", "events", "lifecycles", "injected", "by"] {
        assert_eq!(on_disk[what], in_memory[what], "{what}");
    }
}

/// Proves that a history is told step by step to a script, with why each task stands where it stands, and that a file
/// which is none is refused with a place and a remedy.
#[test]
fn a_history_is_told_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.trace");
    let text = "> history of a project preset=library\n> issue 1 \"Add a flag\" in \"To Analyse\"\n> run\n";
    std::fs::write(&file, text).unwrap();
    let name = file.to_string_lossy().into_owned();
    let told = orch(&["sim", "step", &name, "--json"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let steps = told["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    assert_eq!(steps[1]["next"][0], "perform git/cut_branch of 1");
    assert_eq!(steps[2]["tasks"][0]["why"], "in analysis, waits: approval");
    let plain = orch(&["sim", "step", &name]);
    assert!(String::from_utf8_lossy(&plain.stdout).ends_with("1 in analysis, waits: approval\n"));
    std::fs::write(&file, "nothing\n").unwrap();
    assert_eq!(orch(&["sim", "step", &name]).status.code(), Some(2));
    assert_eq!(orch(&["sim", "step", "no-such-file"]).status.code(), Some(3));
}
