//! The pipeline from end to end against the fake world.

use std::collections::BTreeMap;

use orch_core::call::tracker::Status;
use orch_core::event::RunHow;
use orch_core::id::WorkItem;
use orch_core::note::Note;
use orch_core::reason::Reason;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::Task;
use orch_sim::bench::{Bench, Faults, policy};
use orch_sim::world::tracker::Said;
use orch_sim::world::works::Deed;

use crate::faults::{preset, seeds};

/// Proves that an issue becomes a merged (and deployed) change under every preset, with a person who approves and
/// confirms and nothing going wrong.
#[test]
fn an_issue_becomes_a_delivered_change() {
    for preset in [Preset::Full, Preset::Fast, Preset::Library] {
        let mut bench = Bench::new(1, &policy(preset), Faults::default());
        bench.issue("Add a flag", Status::ToAnalyse);
        bench.run_with_people(10).unwrap_or_else(|broken| panic!("{preset:?}: {broken}"));
        let tasks = bench.tasks();
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0].stage, Stage::Done, "{:?}", tasks[0]);
        assert_eq!(bench.world.hooks.len(), usize::from(preset.deploys()));
        bench.verify_journal().unwrap_or_else(|broken| panic!("{preset:?}: {broken}"));
    }
}

pub(crate) fn any_moment(bench: &mut Bench) -> Result<(), orch_sim::invariant::Broken> {
    for _ in 0..400 {
        bench.once()?;
        bench.attend_all();
    }
    bench.settle();
    bench.run_with_people(80)?;
    bench.verify_journal()
}

/// Writes a history that broke a promise to the file that `ORCH_HISTORY` names.
pub(crate) fn tell_history(bench: &mut Bench) {
    if let Ok(file) = std::env::var("ORCH_HISTORY") {
        let history = orch_sim::words::history(bench.engine().journal());
        std::fs::write(file, history).expect("a history");
    }
}

/// Every call there is: the brain dies before and after each of them in the histories of people.
const CALLS: [&str; 20] = [
    "agent/launch",
    "agent/stop",
    "deploy/hook",
    "deploy/probe",
    "forge/close_change",
    "forge/delete_branch",
    "forge/merge",
    "forge/open_change",
    "forge/restore",
    "forge/set_commit_status",
    "gate/ci",
    "git/build_candidate",
    "git/collect",
    "git/cut_branch",
    "git/drop_tree",
    "git/prove",
    "git/write_record",
    "tracker/comment",
    "tracker/read_comments",
    "tracker/set_status",
];

/// Proves that people who stop, reject, edit, delete, pause, freeze and change the policy at any moment, while things
/// die and get lost, break no promise; and that every task comes to its end once they leave it alone.
#[test]
fn people_may_do_anything_at_any_moment() {
    let mut died = std::collections::BTreeSet::<String>::new();
    let mut taken = BTreeMap::<String, u64>::new();
    let mut covered = 0;
    for seed in seeds(48) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::with_people());
        bench.add_project("other", "OTHER", &policy(Preset::Full));
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
            bench.issue_of(&"other".into(), title, Status::ToAnalyse);
        }
        // Somebody must allow what one agent of the other project uses.
        bench.world.works.script(&WorkItem::numbered("OTHER", 1), Role::Analyst, vec![Deed::Spend]);
        // And begin afresh with another, who brings nothing as often as is tried.
        let nothing = vec![Deed::Nothing; 3];
        bench.world.works.script(&WorkItem::numbered("OTHER", 2), Role::Analyst, nothing);
        // And look at what a tester changes of who owns the tests.
        bench.world.works.script(&WorkItem::numbered("DEMO", 1), Role::Tester, vec![Deed::Protected]);
        if let Err(broken) = any_moment(&mut bench) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        died.extend(bench.died.keys().map(|(side, call)| format!("{side} {call}")));
        covered += bench.looks().each()["no-press-is-covered-unheard"];
        for row in bench.engine().journal().all() {
            for reason in &row.reasons {
                if let Reason::GestureTaken { press, .. } = reason {
                    *taken.entry(press.clone()).or_default() += 1;
                }
            }
        }
    }
    // A few histories alone, looked at by themselves, need not reach everything.
    let seeds = seeds(48).count();
    if seeds < 48 {
        return;
    }
    let every = CALLS.iter().flat_map(|call| [format!("after {call}"), format!("before {call}")]);
    let missing: Vec<String> = every.filter(|boundary| !died.contains(boundary)).collect();
    assert!(missing.is_empty(), "nothing died {missing:?} in {seeds} histories");
    let presses =
        ["accept", "allow", "approve", "confirm", "continue", "priority", "reject", "retry", "start", "stop"];
    let rare: Vec<&str> =
        presses.into_iter().filter(|press| taken.get(*press).is_none_or(|times| *times < 5)).collect();
    assert!(rare.is_empty(), "{rare:?} had an effect less than five times: {taken:?}");
    assert!(covered > 100, "Orch's own column covered only {covered} presses");
}

/// Which facts were told under the issue of a task, and how often; but for gates that could not judge and services that could
/// not be asked, of which a quiet day has none.
fn told(bench: &Bench, task: &Task) -> BTreeMap<String, u32> {
    let mut told = BTreeMap::new();
    for said in &bench.world.tracker.issues[&task.issue].said {
        let Said::Orch(note) = said else { continue };
        let kind = match serde_json::to_value(note).expect("a note") {
            serde_json::Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
            name => name.to_string(),
        };
        if !matches!(note, Note::Unavailable { .. } | Note::WentSilent { .. }) {
            *told.entry(kind).or_default() += 1;
        }
    }
    told
}

/// Each round of each task moved main once and ran the hook once, and who needed one round alone was told what is told on a
/// quiet day, as often.
fn delivered_once(bench: &mut Bench, preset: Preset, quiet: &BTreeMap<String, u32>) {
    let tasks = bench.tasks();
    let rounds: u32 = tasks.iter().map(|task| task.round).sum();
    let moves = bench.world.repositories[&bench.project].main_was.len() - 1;
    assert_eq!(moves, rounds as usize, "merges");
    for task in tasks {
        assert_eq!(task.stage, Stage::Done, "{task:?}");
        assert_eq!(task.earlier_merges.len() + usize::from(task.merged.is_some()), task.round as usize);
        // A hook that could not be started did nothing.
        let began = |run| !matches!(bench.world.runs[run].ended, Some(RunHow::CouldNotStart { .. }));
        let hooks = bench.world.hooks.iter().filter(|(run, _, whose, _)| *whose == task.id && began(run));
        let expected = if preset.deploys() { task.round as usize } else { 0 };
        assert_eq!(hooks.count(), expected, "hooks of {}", task.id);
        if task.round == 1 {
            assert_eq!(told(bench, &task), *quiet, "{}", task.id);
        }
    }
}

/// Proves that whatever dies, is lost or comes twice, every task still ends delivered, exactly once: as on a quiet day there
/// is one merge and one deploy for each round, and people are told each fact once.
#[test]
fn faults_change_nothing_in_the_end() {
    let mut quiet = BTreeMap::new();
    for preset in [Preset::Full, Preset::Fast, Preset::Library] {
        let mut bench = Bench::new(1, &policy(preset), Faults::default());
        bench.issue("Add a flag", Status::ToAnalyse);
        bench.run_with_people(60).unwrap_or_else(|broken| panic!("{preset:?}: {broken}"));
        let task = bench.tasks().remove(0);
        let once = told(&bench, &task);
        assert!(once["done"] == 1 && once["run_finished"] >= 4, "{once:?}");
        delivered_once(&mut bench, preset, &once);
        quiet.insert(preset as u8, once);
    }
    let mut died = BTreeMap::<String, u64>::new();
    let mut faults = 0;
    for seed in seeds(100) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::some());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        if let Err(broken) = bench.run_with_people(60) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        delivered_once(&mut bench, preset(seed), &quiet[&(preset(seed) as u8)]);
        bench.verify_journal().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        faults += bench.tally.faults;
        for ((side, call), times) in &bench.died {
            *died.entry(format!("{side} {call}")).or_default() += times;
        }
    }
    let seeds = seeds(100).count() as u64;
    assert!(faults > seeds * 10, "only {faults} faults in {seeds} histories");
    let boundaries: Vec<&str> = died.keys().map(String::as_str).collect();
    expect_test::expect![[r#"
        [
            "after agent/launch",
            "after deploy/hook",
            "after deploy/probe",
            "after forge/merge",
            "after forge/open_change",
            "after forge/set_commit_status",
            "after gate/ci",
            "after git/build_candidate",
            "after git/collect",
            "after git/cut_branch",
            "after git/drop_tree",
            "after git/prove",
            "after git/write_record",
            "after tracker/comment",
            "after tracker/set_status",
            "before agent/launch",
            "before deploy/hook",
            "before deploy/probe",
            "before forge/merge",
            "before forge/open_change",
            "before forge/set_commit_status",
            "before gate/ci",
            "before git/build_candidate",
            "before git/collect",
            "before git/cut_branch",
            "before git/drop_tree",
            "before git/prove",
            "before git/write_record",
            "before tracker/comment",
            "before tracker/set_status",
        ]
    "#]]
    .assert_debug_eq(&boundaries);
}

/// Proves that a thousand lifecycles are simulated with every promise looked at after every step, and that a history is
/// the same from the same seed, byte for byte.
#[test]
fn a_thousand_lifecycles() {
    let mut lifecycles = 0;
    let mut last = Vec::new();
    for n in 0..125u64 {
        let seed = n % 124;
        let preset = [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)];
        let mut bench = Bench::new(seed, &policy(preset), Faults::default());
        for n in 0..8 {
            bench.issue(&format!("Add flag {n}"), Status::ToAnalyse);
        }
        bench.run_with_people(30).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        bench.verify_journal().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        lifecycles += bench.tasks().iter().filter(|task| task.stage == Stage::Done).count();
        if seed == 0 {
            last.push(bench.engine().journal().all().last().map(|row| row.hash.clone()));
        }
    }
    assert_eq!(lifecycles, 1000);
    assert_eq!(last.first(), last.get(1), "the same seed gave another history");
}
