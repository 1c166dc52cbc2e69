//! Histories by chance: their text is enough to live through them again, a failing one becomes short, and what was found
//! once is lived through for ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use orch_core::stage::Stage;
use orch_sim::bench::Bench;
use orch_sim::history::{Ground, Mix, Pen, again, by_seed, by_seed_with, in_memory, lines, nothing_else};
use orch_sim::invariant::Broken;
use orch_sim::script::play;
use orch_sim::shrink::shrink;
use orch_sim::walk::{End, Walk};

use crate::faults::seeds;

/// Proves that a history's text, without its seed, gives the same journal byte for byte, with the same faults.
#[test]
fn the_text_of_a_history_is_enough() {
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: nothing_else };
    let mut faults = 0;
    for seed in seeds(12) {
        let (name, mix) = Mix::ALL[usize::try_from(seed % 3).unwrap()];
        let (lines, first) = by_seed(seed, mix, &mut ground).unwrap();
        assert!(first.rows > 20, "{name} {seed}: {first:?}");
        faults += first.tally.faults;
        assert_eq!(again(&lines, &mut ground).unwrap(), first, "{name} {seed}");
    }
    assert!(faults > 5 * seeds(12).count() as u64, "only {faults} faults");
}

/// Proves that a history's text comes to be before what it tells: the line before it is done, each word of what goes wrong
/// before it does; and that all of it is the history's text in the end. So who dies or hangs in its middle has left it.
#[test]
fn a_history_is_written_before_it_happens() {
    static TEXT: Mutex<String> = Mutex::new(String::new());
    /// What is done is not over when its line is looked at.
    fn stands_already(bench: &mut Bench) -> Result<(), Broken> {
        let text = TEXT.lock().expect("a text");
        let last = text.lines().last().unwrap_or_default();
        let what = format!("step {} is not written: {last:?}", bench.tally.steps);
        match !text.ends_with('\n') && last.starts_with("> ") {
            true => Ok(()),
            false => Err(Broken::of("written-before", what)),
        }
    }
    let pen = Pen::new(|piece| TEXT.lock().expect("a text").push_str(piece));
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: stands_already };
    for (seed, (_, mix)) in Mix::ALL.into_iter().enumerate() {
        TEXT.lock().expect("a text").clear();
        let (told, outcome) = by_seed_with(seed as u64, mix, &mut ground, &pen).unwrap();
        assert_eq!(outcome.broken, None);
        assert!(outcome.tally.faults > 0, "{outcome:?}");
        assert_eq!(lines(&TEXT.lock().expect("a text")), told);
    }
}

/// Proves that any line of a history may be taken away: the others are done or left out, and no promise is broken.
#[test]
fn lines_may_be_taken_away() {
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: nothing_else };
    for seed in seeds(4) {
        let (lines, _) = by_seed(seed, Mix::People, &mut ground).unwrap();
        for (part, of) in [(0, 2), (1, 2), (0, 5), (3, 5)] {
            let kept = |(n, _): &(usize, &String)| *n == 0 || (n % of) != part || n + 2 >= lines.len();
            let fewer: Vec<String> = lines.iter().enumerate().filter(kept).map(|(_, l)| l.clone()).collect();
            let outcome = again(&fewer, &mut ground).unwrap();
            assert_eq!(outcome.broken, None, "{seed}, without {part} of {of}");
            assert!(outcome.done == fewer.len() && outcome.skipped < fewer.len(), "{outcome:?}");
        }
    }
}

/// A promise that nobody gave: what a person froze is never merged into again.
fn once_frozen_for_ever(bench: &mut Bench) -> Result<(), Broken> {
    let thawed = bench.engine().journal_ref().all().iter().any(|row| {
        row.changes.iter().any(|change| matches!(change, orch_core::change::Change::Thawed { .. }))
    });
    let merged = bench.tasks().iter().any(|task| task.merged.is_some() && task.stage == Stage::Deploy);
    match thawed && merged {
        true => Err(Broken::of("once-frozen-for-ever", "merged after a thaw")),
        false => Ok(()),
    }
}

/// Proves that a broken promise is found by seeds, that its history becomes a few lines which break the same one, and that
/// it becomes the same lines each time.
#[test]
fn a_failing_history_becomes_short() {
    let mut journal = in_memory;
    let mut ground = Ground { journal: &mut journal, also: once_frozen_for_ever };
    let failing = (0..200).find_map(|seed| {
        let (lines, outcome) = by_seed(seed, Mix::People, &mut ground).unwrap();
        (outcome.broken?.1.name == "once-frozen-for-ever").then_some(lines)
    });
    let long = failing.expect("a seed that thaws and merges");
    let short = shrink(&long, 300_000, &mut ground).unwrap().expect("it fails again");
    let few = short.lines.len() <= 12;
    assert!(long.len() > 60 && few, "{} lines:\n{}", long.len(), short.lines.join("\n"));
    assert_eq!(short.outcome.broken.as_ref().map(|(_, broken)| broken.name), Some("once-frozen-for-ever"));
    assert_eq!(shrink(&long, 300_000, &mut ground).unwrap().map(|again| again.lines), Some(short.lines));
}

fn kept() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("histories/").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "trace"));
    paths.sort();
    paths
}

/// Proves that what a history once broke holds now, and that each ends as its file says. `UPDATE_EXPECT=1` writes the
/// files anew.
#[test]
fn kept_histories_hold() {
    assert!(!kept().is_empty());
    for path in kept() {
        let text = fs::read_to_string(&path).expect("a history");
        let told = play(&text).unwrap_or_else(|bad| panic!("{}: {bad}", path.display()));
        assert!(!told.contains("\n  broken: "), "{}:\n{told}", path.display());
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &told).expect("written");
        } else {
            assert_eq!(told, text, "{}: UPDATE_EXPECT=1 writes what is seen now", path.display());
        }
        let mut journal = in_memory;
        let mut ground = Ground { journal: &mut journal, also: nothing_else };
        assert_eq!(again(&lines(&text), &mut ground).unwrap().broken, None, "{}", path.display());
    }
}

/// Proves that one goes forward and back in a history, and finds the same at the same line.
#[test]
fn one_goes_forward_and_back() {
    let mut texts = kept().into_iter().map(|path| fs::read_to_string(path).expect("a history"));
    let text = texts.find(|text| text.contains("> everything ends")).expect("one that ends");
    let mut walk = Walk::begin(&text, Box::new(in_memory));
    let mut places = vec![walk.place()];
    while walk.forward().unwrap().is_some() {
        places.push(walk.place());
    }
    assert!(places.len() > 4 && places.len() == walk.len() + 1);
    for at in (0..places.len()).rev() {
        walk.go_to(at).unwrap();
        assert_eq!((walk.at(), &walk.place()), (at, &places[at]));
    }
    assert!(places.last().is_some_and(|last| last.tasks.iter().all(|(_, stands)| stands.starts_with("is "))));
}

/// Proves that who goes through a file hears where it says something else than what is seen, and nowhere where it says nothing;
/// that a line which no story has is the end, in a history too; and that each is found at its line of the file.
#[test]
fn what_a_file_says_is_compared() {
    let walk = |text: &str| {
        let mut walk = Walk::begin(text, Box::new(in_memory));
        let mut done = Vec::new();
        while let Some(next) = walk.forward().unwrap() {
            done.push((walk.file_line(), next));
        }
        done
    };
    let story = "# A story.\n\n> project preset=library\n> issue 1 \"Add a flag\" in \"To Analyse\"\n";
    assert!(walk(story).iter().all(|(_, done)| done.told.is_none()), "it says nothing of what is seen");
    let told = play(story).unwrap();
    assert!(walk(&told).iter().all(|(_, done)| done.told.is_none()), "it says what is seen");
    let wrong = told.replace("created > analysis", "created > done");
    let said: Vec<_> = walk(&wrong).into_iter().filter(|(_, done)| done.told.is_some()).collect();
    assert_eq!(said.len(), 1);
    let (line, done) = &said[0];
    assert_eq!((*line, done.number), (4, 2));
    assert!(done.told.iter().flatten().any(|line| line.contains("created > done")), "{done:?}");

    let history = "> history of a project preset=library\n\n> perform git/collect of 1\n> dance\n> run\n";
    let ends: Vec<_> = walk(history).into_iter().map(|(line, done)| (line, done.end)).collect();
    let unknown = End::Unknown("no story has a line like `dance`".to_owned());
    assert_eq!(ends, [(1, None), (3, None), (4, Some(unknown))]);
}
