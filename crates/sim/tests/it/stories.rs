//! The stories told again: each file of `scenarios/` says what is done and what is seen.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use orch_sim::script::play;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Proves that every story ends as its file says. `UPDATE_EXPECT=1` writes the files anew.
#[test]
fn every_story_is_true() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).expect("scenarios/").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(paths.len() > 30, "only {} stories", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a story");
        // A story that ends in a defect must not keep the others from being told.
        let told = catch_unwind(|| play(&text).map_err(|bad| bad.to_string()));
        let before = wrong.len();
        match told.unwrap_or_else(|_| Err("ends in a defect".to_owned())) {
            Ok(told) if told == text => {}
            Ok(told) if update => fs::write(&path, told).expect("written"),
            Ok(told) => {
                let line = told.lines().zip(text.lines()).position(|(now, was)| now != was);
                let at = line.unwrap_or(told.lines().count().min(text.lines().count()));
                let show = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
                let (was, now) = (show(&text), show(&told));
                wrong.push(format!("{name}:{}: was\n    {was}\n  is\n    {now}", at + 1));
            }
            Err(bad) => wrong.push(format!("{name}: {bad}")),
        }
        // Said at once: who breaks something on purpose may not wait for the end.
        wrong.iter().skip(before).for_each(|wrong| eprintln!("wrong story: {wrong}"));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 writes what is seen now", wrong.join("\n"));
}
