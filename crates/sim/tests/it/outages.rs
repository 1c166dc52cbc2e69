//! What is left of hours without an answer, and of clocks that are set by a year? (goals 9, 22, 23)

use std::collections::BTreeMap;

use orch_core::call::tracker::Status;
use orch_core::event::Event;
use orch_core::journal::Journal as _;
use orch_core::task::{Rest, Step};
use orch_core::time::Span;
use orch_sim::bench::{Bench, Fault, Faults, policy};
use orch_sim::invariant::left_alone;
use orch_sim::schedule::Dice;

use crate::faults::{preset, seeds};

/// A sweep comes at least so often.
const PASS: Span = Span::minutes(1);
const HOURS: u64 = 6 * 3_600_000;

/// What people do before each phase of a life that goes on by itself: they ask, approve, confirm. Every webhook is lost.
fn people(bench: &mut Bench, phase: usize) {
    if phase == 0 {
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
    }
    for task in bench.tasks() {
        match task.step {
            Step::Rest(Rest::Approval) => drop(bench.press(&task.issue, Status::Approved)),
            Step::Rest(Rest::Confirmation) => drop(bench.press(&task.issue, Status::ConfirmDeploy)),
            _ => {}
        }
    }
}

fn live(seed: u64, faults: Faults) -> Bench {
    Bench::new(seed, &policy(preset(seed)), faults.with(Fault::LostDelivery, 1000))
}

fn well<T>(seed: u64, done: Result<T, orch_sim::invariant::Broken>) -> T {
    done.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"))
}

/// Proves goals 9 and 22: with every webhook lost, an outage of up to six hours at any moment of any phase, begun before or
/// after people pressed, is caught up within one pass of the sweep after its end and the time that the work itself takes:
/// then all is as if there had been none, without a comment more or less. While it lasts nothing open is asked for more
/// than once a minute.
#[test]
fn hours_without_an_answer_are_caught_up_within_a_minute() {
    for seed in seeds(30) {
        let mut dice = Dice::new(seed);
        let mut quiet = live(seed, Faults::default());
        let mut bench = live(seed, Faults::default());
        for phase in 0..3 {
            let began = quiet.now;
            people(&mut quiet, phase);
            well(seed, quiet.run());
            let work = quiet.now.since(began);
            if (seed % 3) as usize != phase {
                people(&mut bench, phase);
                well(seed, bench.run());
                continue;
            }
            let length = Span(1 + dice.roll() % HOURS);
            if dice.roll().is_multiple_of(2) {
                bench.outage_of(length);
                people(&mut bench, phase);
            } else {
                people(&mut bench, phase);
                bench.sweep();
                for _ in 0..dice.below(70) {
                    well(seed, bench.once());
                }
                bench.outage_of(length);
            }
            let end = bench.now.after(length);
            let settled = bench.now.after(Span::minutes(10));
            while bench.now < end {
                let open = bench.engine().journal().open_effects().expect("effects").len() as u64;
                let waiting =
                    bench.tasks().iter().filter(|t| matches!(t.step, Step::Backoff { .. })).count() as u64;
                let before = (bench.calls, bench.now);
                let next = bench.now.after(PASS);
                well(seed, bench.run_until(if next < end { next } else { end }));
                bench.sweep();
                let made = bench.calls - before.0;
                assert!(
                    before.1 < settled || bench.now >= end || made <= open + waiting,
                    "seed {seed}: {made} calls in a minute, of {open} open and {waiting} that wait"
                );
            }
            let swept = end.after(Span(dice.roll() % PASS.0));
            well(seed, bench.run_until(swept));
            bench.sweep();
            well(seed, bench.run_until(end.after(PASS).after(work)));
            assert_eq!(bench.outcome(), quiet.outcome(), "seed {seed}: after {length} in phase {phase}");
        }
        assert_eq!(bench.outcome(), quiet.outcome(), "seed {seed}");
        well(seed, bench.verify_journal());
    }
}

/// How often one brain may ask for one thing within so long, by the waits between the tries.
fn asked_within(life: Span) -> u64 {
    let mut due = 0;
    (1..)
        .take_while(|tries| {
            due += left_alone(*tries).0;
            due <= life.0
        })
        .count() as u64
        + 1
}

/// Proves goal 22: six hours in which nothing answers, and a hundred brains that die meanwhile, cost no more calls of each
/// effect than the waits between the tries of each brain allow, and not a comment more than a day on which all went well.
#[test]
fn a_hundred_restarts_in_an_outage_spam_nobody() {
    const RESTARTS: u64 = 100;
    let mut tried = 0;
    for seed in seeds(6) {
        let mut quiet = live(seed, Faults::default());
        let mut bench = live(seed, Faults::default());
        for phase in 0..3 {
            people(&mut quiet, phase);
            well(seed, quiet.run());
            people(&mut bench, phase);
            if (seed % 3) as usize != phase {
                well(seed, bench.run());
                continue;
            }
            bench.sweep();
            let before = bench.world.calls.len();
            bench.outage_of(Span(HOURS));
            let life = Span(HOURS / RESTARTS);
            for _ in 0..RESTARTS {
                let end = bench.now.after(life);
                well(seed, bench.run_until(end));
                bench.crash();
            }
            let mut calls: BTreeMap<_, u64> = BTreeMap::new();
            for called in bench.world.calls.iter().skip(before) {
                *calls.entry(called.effect).or_default() += 1;
            }
            let most = calls.values().max().copied().unwrap_or(0);
            tried += u64::from(most > RESTARTS);
            assert!(most <= RESTARTS * asked_within(life), "seed {seed}: {most} calls of one effect");
            well(seed, bench.run());
        }
        assert_eq!(bench.outcome(), quiet.outcome(), "seed {seed}");
        well(seed, bench.verify_journal());
    }
    assert!(tried > 0, "no outage met anything that was to be done");
}

/// Proves goal 23: however often the wall clock is set by up to a year, stands still, or the machine sleeps, no timer is
/// lost, comes twice or early (which is looked at after every step), and the end is the same.
#[test]
fn clocks_may_be_set_by_a_year() {
    let faults = Faults::default()
        .with(Fault::ClockForward, 15)
        .with(Fault::ClockBack, 15)
        .with(Fault::ClockFrozen, 15)
        .with(Fault::Suspended, 15)
        .with(Fault::ServerError, 50);
    let end = |seed: u64, faults: Faults| {
        let mut bench = Bench::new(seed, &policy(preset(seed)), faults);
        for title in ["Add a flag", "Mend the door", "Paint it"] {
            bench.issue(title, Status::ToAnalyse);
        }
        well(seed, bench.run_with_people(60));
        well(seed, bench.verify_journal());
        let rows = bench.engine().journal_ref().all();
        let steps: Vec<i64> = rows
            .iter()
            .filter_map(|row| match row.event {
                Event::ClockStepped { by } => Some(by),
                _ => None, // not a domain enum
            })
            .collect();
        (bench.outcome(), bench.tally, steps)
    };
    let (mut steps, mut stood, mut slept) = (Vec::new(), 0, 0);
    for seed in seeds(30) {
        let (quiet, _, none) = end(seed, Faults::default());
        let (after, tally, told) = end(seed, faults);
        assert_eq!((after, none), (quiet, Vec::new()), "seed {seed}");
        steps.extend(told);
        stood += tally.of(Fault::ClockFrozen);
        slept += tally.of(Fault::Suspended);
    }
    let year = 300 * 24 * 3_600_000;
    let years = steps.iter().any(|by| *by > year) && steps.iter().any(|by| *by < -year);
    assert!(seeds(30).count() < 30 || years, "no year forward, or none back: {steps:?}");
    assert!(
        seeds(30).count() < 30 || stood > 0 && slept > 0,
        "it stood {stood} times, and slept {slept} times"
    );
}
