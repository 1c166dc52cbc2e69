//! Where is a promise found broken? Each such place in the sources, so that each can be held against what breaks it.

use std::collections::BTreeSet;

macro_rules! sources {
    ($($file:literal),* $(,)?) => { &[$(($file, include_str!(concat!("../../", $file)))),*] };
}

/// All sources with such places, by their path in this crate.
pub(in crate::invariant) const SOURCES: &[(&str, &str)] = sources![
    "invariant.rs",
    "invariant/alive.rs",
    "invariant/answers.rs",
    "invariant/calls.rs",
    "invariant/course.rs",
    "invariant/deeds.rs",
    "invariant/done.rs",
    "invariant/heard.rs",
    "invariant/journal.rs",
    "invariant/key.rs",
    "invariant/merge.rs",
    "invariant/money.rs",
    "invariant/notes.rs",
    "invariant/once.rs",
    "invariant/rest.rs",
    "invariant/rows.rs",
    "invariant/tasks.rs",
    "invariant/time.rs",
    "invariant/waits.rs",
    "invariant/watch.rs",
    "bench.rs",
    "bench/attend.rs",
    "bench/trouble.rs",
    "history.rs",
    "script/exact.rs",
];

/// What begins such a place.
pub(in crate::invariant) const MARKS: [&str; 2] = ["broken(", "Broken::of("];

/// Places of which nothing here is found, by what stands in their line, and why.
const BEYOND: &[(&str, &str)] = &[
    // It takes forty thousand steps.
    ("bench.rs", "still busy after 40,000 actions"),
    // What comes late is heard when all is at rest, so only a brain that begins by itself could be met here.
    ("bench/attend.rs", "Broken::of(\"liveness\", what)"),
    ("bench/attend.rs", "what is late comes without end"),
    // `what_is_invented_is_known` in that file breaks it.
    ("history.rs", "Broken::of(\"nothing-panics\", unknown)"),
];

/// Each other place: file and line.
pub(super) fn all() -> BTreeSet<(String, u32)> {
    let mut sites = BTreeSet::new();
    for (file, source) in SOURCES {
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (at, line) in source.lines().enumerate() {
            let says = |mark: &&str| line.split(mark).skip(1).any(|rest| !rest.starts_with("name:"));
            let told = line.trim_start();
            let defines =
                told.starts_with("fn ") || told.starts_with("//") || told.starts_with("Err(Broken::of(name");
            let beyond = BEYOND.iter().any(|(of, part)| of == file && line.contains(part));
            if MARKS.iter().any(says) && !defines && !beyond {
                sites.insert(((*file).to_owned(), u32::try_from(at + 1).expect("few lines")));
            }
        }
    }
    sites
}
