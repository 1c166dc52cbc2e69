//! What goes wrong, and what comes of it? Histories under everything that the bench can do to them.

use orch_core::call::tracker::Status;
use orch_core::hold::{Standing, standing};
use orch_core::id::IssueKey;
use orch_core::stage::{Preset, Stage};
use orch_core::task::Step;
use orch_core::time::Span;
use orch_sim::bench::{Bench, Fault, Faults, Tally, policy};
use orch_sim::invariant::Broken;
use orch_sim::world::tracker::Issue;

use crate::pipeline::{any_moment, tell_history};

/// The seeds of a test: as many as it says, or `ORCH_SEEDS` if that is more. With `ORCH_SEED`, the first of them, there are
/// exactly `ORCH_SEEDS`: who looks for something wants no others.
pub(crate) fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    match (number("ORCH_SEED"), number("ORCH_SEEDS")) {
        (Some(first), most) => first..first + most.unwrap_or(usual),
        (None, least) => 0..least.unwrap_or(0).max(usual),
    }
}

pub(crate) fn preset(seed: u64) -> Preset {
    [Preset::Full, Preset::Fast, Preset::Library][usize::try_from(seed % 3).unwrap_or(0)]
}

/// Proves that agents that fail, hang, lie, write garbage or outside their scope, approve themselves, overspend, die and come
/// back, deploys that go bad at once or later, flap or are silent, and refs that move under Orch, cost time and people's
/// patience and nothing else: every task is delivered in the end.
#[test]
fn a_hostile_world_is_outlasted() {
    let mut tally = Tally::default();
    for seed in seeds(40) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::hostile());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        for _ in 0..1500 {
            if let Err(broken) = bench.once() {
                tell_history(&mut bench);
                panic!("seed {seed}: {broken}");
            }
            bench.attend_all();
        }
        bench.settle();
        if let Err(broken) = bench.run_with_people(80).and_then(|()| bench.verify_journal()) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
        for task in bench.tasks() {
            assert_eq!(task.stage, Stage::Done, "seed {seed}: {task:?}");
        }
        tally = tally.plus(&bench.tally);
    }
    for (fault, times) in tally.each() {
        println!("{:>6} {}", times, fault.name());
    }
    let never: Vec<&str> = Fault::ALL
        .into_iter()
        .filter(|fault| Faults::hostile().rate(*fault) > 0 && tally.of(*fault) == 0)
        .map(Fault::name)
        .collect();
    assert!(seeds(40).count() < 40 || never.is_empty(), "never came: {never:?}");
}

/// Proves that each fault comes where it is alone with what it needs to come, and that nothing else comes then.
#[test]
fn each_fault_comes_alone() {
    for fault in Fault::ALL.into_iter().filter(|fault| Faults::all().rate(*fault) > 0) {
        let faults = Faults::all().alone(fault);
        let mut tally = Tally::default();
        for seed in 0..40 {
            let mut bench = Bench::new(seed, &policy(preset(seed)), faults);
            for title in ["Add a flag", "Mend the door"] {
                bench.issue(title, Status::ToAnalyse);
            }
            let lived = (0..400).try_for_each(|_| {
                bench.attend_all();
                bench.once().map(|_| ())
            });
            lived.unwrap_or_else(|broken| panic!("{} alone, seed {seed}: {broken}", fault.name()));
            tally = tally.plus(&bench.tally);
            if tally.of(fault) > 0 {
                break;
            }
        }
        assert!(tally.of(fault) > 0, "{} never comes alone", fault.name());
        let others: Vec<_> = tally.each().filter(|(one, _)| faults.rate(*one) == 0).collect();
        assert!(others.is_empty(), "{} alone: {others:?}", fault.name());
    }
}

/// Proves that the same holds with people who do anything at any moment besides: no promise is broken, and everything comes
/// to an end when they leave it alone.
#[test]
fn everything_at_once_breaks_no_promise() {
    for seed in seeds(16) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::all());
        bench.add_project("other", "OTHER", &policy(Preset::Full));
        for title in ["Add a flag", "Mend the door"] {
            bench.issue(title, Status::ToAnalyse);
            bench.issue_of(&"other".into(), title, Status::ToAnalyse);
        }
        if let Err(broken) = any_moment(&mut bench) {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}");
        }
    }
}

/// Proves that from any point of any history, with nothing going wrong any more, every task comes by itself to its end or to a
/// hold that a person can lift, within two days of its own time; and to its end when people lift what they are asked to lift.
#[test]
fn from_anywhere_everything_ends() {
    for seed in seeds(24) {
        let mut bench = Bench::new(seed, &policy(preset(seed)), Faults::all());
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        let broken = |bench: &mut Bench, what: String| {
            tell_history(bench);
            panic!("seed {seed}: {what}");
        };
        for _ in 0..(seed * 37) % 700 {
            if let Err(what) = bench.once() {
                broken(&mut bench, what.to_string());
            }
            bench.attend_all();
        }
        bench.settle();
        let began = bench.now;
        if let Err(what) = bench.run() {
            broken(&mut bench, what.to_string());
        }
        let took = bench.now.since(began);
        if took > Span::minutes(2 * 24 * 60) {
            broken(&mut bench, format!("nothing moves any more only after {took}"));
        }
        let now = bench.now;
        for task in bench.tasks().into_iter().filter(|task| !task.stage.is_terminal()) {
            let engine = bench.engine();
            let stands = standing(&task, engine.board(), engine.policies(), now);
            let waits = matches!(&stands, Standing::Held(holds) if !holds.is_empty());
            if !waits || !matches!(task.step, Step::Rest(_) | Step::Queued(_)) {
                broken(&mut bench, format!("{} stands still and waits for nobody: {stands:?}", task.id));
            }
        }
        if let Err(what) = bench.run_with_people(80).and_then(|()| bench.verify_journal()) {
            broken(&mut bench, what.to_string());
        }
    }
}

/// One after the other, each when nothing moves any more: a rejection, an edit, a label, a stop and a new beginning, an issue that
/// is gone and there again.
fn people_change_their_minds(bench: &mut Bench, keys: &[IssueKey]) -> Result<(), Broken> {
    let set = |bench: &mut Bench, at: usize, change: fn(&mut Issue)| {
        bench.world.tracker.issues.get_mut(&keys[at]).into_iter().for_each(change);
        bench.send(&keys[at]);
        bench.run()
    };
    let press = |bench: &mut Bench, at: usize, status| {
        bench.press(&keys[at], status);
        bench.run()
    };
    bench.run()?;
    press(bench, 0, Status::Rejected)?;
    set(bench, 1, |issue| issue.text = "please, and soon".to_owned())?;
    set(bench, 2, |issue| issue.labels.auto_approve = true)?;
    press(bench, 1, Status::Stop)?;
    press(bench, 1, Status::ToAnalyse)?;
    set(bench, 0, |issue| issue.present = false)?;
    press(bench, 0, Status::Approved)?;
    set(bench, 0, |issue| issue.present = true)
}

/// Proves goal 9 and decision 34: whatever share of the deliveries is lost, comes ten times, out of order or hours late, or
/// tells of older content, the end is the same as if each had come once and at once: where people only consent, and where they
/// reject, edit, label, stop, begin again and delete.
#[test]
fn deliveries_only_save_time() {
    let mut ends = std::collections::BTreeMap::new();
    let play = |seed: u64, preset: Preset, faults: Faults, minds: bool| {
        let mut bench = Bench::new(seed, &policy(preset), faults);
        let titles = ["Add a flag", "Mend the door", "Paint it"];
        let keys = titles.map(|title| bench.issue(title, Status::ToAnalyse));
        let changed = if minds { people_change_their_minds(&mut bench, &keys) } else { Ok(()) };
        let ended = changed.and_then(|()| bench.run_with_people(60)).and_then(|()| bench.verify_journal());
        ended.unwrap_or_else(|broken| {
            tell_history(&mut bench);
            panic!("seed {seed}: {broken}")
        });
        (bench.outcome_digest(), bench.outcome(), bench.tally)
    };
    let mut tally = Tally::default();
    for seed in seeds(60) {
        let (preset, minds) = (preset(seed), seed % 2 == 1);
        let (quiet, said, _) = ends
            .entry((preset as u8, minds))
            .or_insert_with(|| play(0, preset, Faults::default(), minds))
            .clone();
        let share = |part: u64| [0, 100, 500, 1000][usize::try_from((seed / part) % 4).unwrap_or(0)];
        let faults = Faults::default()
            .with(Fault::LostDelivery, share(3))
            .with(Fault::DoubledDelivery, share(12))
            .with(Fault::DelayedDelivery, share(7))
            .with(Fault::ReorderedDelivery, share(5))
            .with(Fault::EchoedDelivery, share(2))
            .with(Fault::StaleReading, share(4) / 2);
        let (digest, outcome, seen) = play(seed, preset, faults, minds);
        assert_eq!(digest, quiet, "seed {seed} ends as\n{outcome}\nand not as\n{said}");
        tally = tally.plus(&seen);
    }
    for ((preset, _), (quiet, said, _)) in ends.iter().filter(|((_, minds), _)| *minds) {
        assert!(
            said.contains("~2 ") && ends[&(*preset, false)].0 != *quiet,
            "people changed nothing:\n{said}"
        );
    }
    assert!(tally.faults > seeds(60).count() as u64, "{} faults", tally.faults);
}
