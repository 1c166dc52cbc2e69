//! What did a story come to? Every fact that the outside shows, and that the journal says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use orch_adapters::forge::local::{ChangeState, LocalForge};
use orch_adapters::process::{self, Observed};
use orch_adapters::run::About;
use orch_adapters::tracker::builtin::BuiltinTracker;
use orch_core::call::tracker::Status;
use orch_core::id::{ProjectId, Seq};
use orch_core::journal::Row;
use orch_core::record::Record;
use orch_core::replay::Fold;
use orch_core::stage::Stage;
use orch_core::task::Job;

use crate::scene::Scene;

/// All rows of the journal, folded and compared with what is kept.
#[track_caller]
pub(crate) fn folded(scene: &Scene) -> Vec<Row> {
    let mut reader = scene.reader();
    let rows = reader.rows(Seq(1), usize::MAX >> 1).unwrap();
    let mut fold = Fold::default();
    for row in &rows {
        fold.take(row).unwrap();
    }
    assert_eq!(fold.last(), reader.head().unwrap().seq);
    for (entity, (seq, state)) in fold.states() {
        let kept = reader.state(entity).unwrap().unwrap();
        assert_eq!((kept.seq, &kept.state), (*seq, state), "{entity}");
    }
    rows
}

/// The effects that the journal wants, by kind and number.
pub(crate) fn wanted(rows: &[Row]) -> BTreeMap<&'static str, usize> {
    let mut wanted = BTreeMap::new();
    for effect in rows.iter().flat_map(|row| &row.effects) {
        *wanted.entry(effect.call.name()).or_default() += 1;
    }
    wanted
}

/// What a delivered story shows, in lines that two equal stories have in common: ids of runs and commits are left out.
/// To be asked when the brain is down. Asserts what must hold of every story.
#[track_caller]
pub(crate) fn of_delivered(scene: &Scene, project: &str, id: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let task = scene.task(id).unwrap();
    assert_eq!(task.stage, Stage::Done);
    let merged = task.merged.clone().unwrap();
    assert!(merged.proven, "done needs the proof of the merge");
    lines.push(format!("attempts {:?}, round {}", task.attempts, task.round));
    for row in &task.runs {
        lines.push(format!("run of {:?}: {:?}", row.job, row.end));
    }

    let rows = folded(scene);
    assert_eq!(scene.reader().open_effects().unwrap(), [], "every effect is settled");
    for (kind, times) in wanted(&rows) {
        lines.push(format!("effect {kind} x{times}"));
    }

    let project = ProjectId::from(project);
    let tracker = BuiltinTracker::open(&scene.home().store(), orch_adapters::Log::OfStore).unwrap();
    let issues = tracker.changed_since(&project, 0).unwrap();
    let issue = issues.iter().find(|issue| issue.key == task.issue).unwrap();
    assert_eq!(issue.status, Some(Status::Done));
    lines.push(format!("issues {}", issues.len()));
    for said in tracker.said(&task.issue, 500).unwrap() {
        lines.push(format!("comment by {}: {}", said.by, masked(&said.text)));
    }

    let forge = LocalForge::open(&scene.home().store(), orch_adapters::Log::OfStore).unwrap();
    let changes: Vec<_> = (1..10).filter_map(|number| forge.change(&project, number).unwrap()).collect();
    let own = changes.iter().find(|change| Some(change.number) == task.change_request).unwrap();
    assert_eq!(own.state, ChangeState::Merged(merged.commit.clone()));
    lines.push(format!("change requests {}, {} on {}", changes.len(), own.title, own.branch));
    lines.push(format!("statuses of the merge {:?}", forge.statuses(&project, &merged.commit).unwrap()));

    let hub = scene.home().hubs().join(project.as_str());
    let bare = fs_find_bare(&hub);
    let branches = scene.git_in(&bare, ["for-each-ref", "--format=%(refname)", "refs/heads"]);
    lines.push(format!("branches {}", branches.split_whitespace().collect::<Vec<_>>().join(", ")));
    let log = scene.git(["log", "--topo-order", "--format=%an: %s", "main"]);
    lines.extend(log.lines().map(|line| format!("commit by {}", masked(line))));
    assert_eq!(scene.git(["rev-parse", "main"]), merged.commit.as_str(), "main is what was merged");
    assert_eq!(scene.git(["status", "--porcelain"]), "", "the checkout of main followed");
    let moves = scene.git(["reflog", "show", "--format=%H", "refs/heads/main"]);
    lines.push(format!("main moved {} times", moves.lines().count()));

    let records = "refs/heads/orch/records";
    for (whose, at) in [("hub", bare.as_path()), ("origin", scene.repository())] {
        let there = scene.git_in(at, ["for-each-ref", "--format=%(refname)", records]);
        let log = match there.is_empty() {
            true => String::new(),
            false => scene.git_in(at, ["log", "--format=%an: %s", records]),
        };
        lines.extend(log.lines().map(|line| format!("record of the {whose} by {}", masked(line))));
    }
    for known in &task.records {
        let path = format!("{records}:{}", known.record.path(&task.item));
        let text = scene.git_in(scene.repository(), ["show", &path]);
        let first = match known.record {
            Record::DeployLog => "---\ndeploy_status: SUCCESS\n",
            Record::PostDeployLog => "---\npost_deploy_status: HEALTHY\n",
        };
        assert!(text.starts_with(first), "{text}");
        assert!(known.standing().is_some(), "{known:?}");
    }
    let written = usize::from(task.deployed.is_some()) + usize::from(task.watch.is_some());
    assert_eq!(task.records.len(), written, "a deploy is written down, and how it was watched");

    if let Some(deployed) = &task.deployed {
        assert_eq!(deployed.commit, merged.commit);
        assert_eq!(deployed.healthy, Some(true));
        let services = scene.services();
        let names: Vec<&str> = services.iter().map(|service| service.commit.as_str()).collect();
        assert_eq!(names, [merged.commit.as_str()], "the one service that lives is the merge");
        let folders = std::fs::read_dir(scene.run());
        lines.push(format!("deployed {:?}, folders {}", deployed.hook, folders.unwrap().count()));
    }

    let mut recorded = BTreeSet::new();
    for (run, record) in scene.records() {
        assert!(!matches!(process::observe(&record), Observed::Running(_)), "{run} still runs");
        let about = About::read(&record).unwrap().unwrap_or_else(|| panic!("{run} is of nobody"));
        assert_eq!(about.run, run);
        let whose = scene.task(about.task.as_str());
        let known = whose.is_some_and(|task| task.runs.iter().any(|row| row.run == run));
        assert!(known, "{run} is of {}, which does not know it", about.task);
        if about.task == task.id {
            recorded.insert(run);
        }
    }
    let runs: BTreeSet<_> = task.runs.iter().map(|row| row.run).collect();
    assert_eq!(recorded, runs, "each run of the task left its record");
    lines.push(format!("records of runs {}", scene.records().len()));
    let trees = std::fs::read_dir(scene.home().trees()).unwrap().count();
    lines.push(format!("trees left {trees}"));
    lines
}

/// Where a hook that was made to [count](hook_that_counts) writes down that it began.
fn starts(scene: &Scene) -> PathBuf {
    scene.folder().join("hook-began")
}

/// A program that writes down that it began, of which run and for which commit, and then is this one.
pub(crate) fn hook_that_counts(scene: &Scene, hook: &std::path::Path) -> PathBuf {
    let program = scene.folder().join("counting-hook");
    // A run's checkout has the run's name.
    let (starts, hook) = (starts(scene), hook.display());
    let text = format!(
        "#!/bin/sh\necho \"${{ORCH_CHECKOUT##*/}} $ORCH_COMMIT\" >> '{}'\nexec '{hook}' \"$@\"\n",
        starts.display()
    );
    crate::stage::program(&program, &text);
    program
}

/// How often the hook began, in a line. Asserts that the journal explains each: one start for each run of the hook that a
/// delivered task had, for its commit.
#[track_caller]
pub(crate) fn starts_of_the_hook(scene: &Scene, id: &str) -> String {
    let task = scene.task(id).unwrap();
    let runs = task.runs.iter().filter(|row| row.job == Job::Hook);
    let mut wanted: Vec<String> = runs.map(|row| format!("{} {}", row.run, row.commit)).collect();
    let text = std::fs::read_to_string(starts(scene)).unwrap_or_default();
    let mut began: Vec<String> = text.lines().map(str::to_owned).collect();
    wanted.sort();
    began.sort();
    assert_eq!(began, wanted, "the hook began once for each of its runs");
    format!("the hook began {} times", began.len())
}

fn fs_find_bare(hub: &std::path::Path) -> std::path::PathBuf {
    let inner = std::fs::read_dir(hub).unwrap().flatten().map(|entry| entry.path());
    let mut bare = inner.filter(|path| path.join("HEAD").is_file() && path.join("objects").is_dir());
    bare.next().unwrap_or_else(|| hub.to_owned())
}

/// A text without what no two stories share: commits, runs, ports and times, with how long something took as one word.
fn masked(text: &str) -> String {
    text.split('\n').map(masked_line).collect::<Vec<_>>().join("\n")
}

fn masked_line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let hex = bare.len() >= 7 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        let run = bare
            .strip_prefix('r')
            .is_some_and(|rest| rest.contains('.') && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
        let number = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let unit = ["ms", "s", "min", "h"].contains(&bare);
        let masked = if hex || run || number || unit { word.replace(bare, "*") } else { word.to_owned() };
        match words.last_mut().filter(|last| *last == "*") {
            Some(last) if number || unit => *last = masked,
            _ => words.push(masked),
        }
    }
    words.join(" ")
}

/// Proves that a story which took longer than a minute is told like one that did not, and that other words are not lost.
#[test]
fn what_no_two_stories_share_is_masked() {
    let quick = masked("10 runs. Agents worked 0 ms, from start to end it took 48.2 s.\n\nTokens: 3");
    assert_eq!(quick, "* runs. Agents worked *, from start to end it took *.\n\nTokens: *");
    assert_eq!(
        masked("9 runs. Agents worked 12 ms, from start to end it took 1 min 5 s.\n\nTokens: 4"),
        quick
    );
    assert_eq!(masked("of r12.0 at 0123abc: 2 reviews"), "of * at *: * reviews");
}
