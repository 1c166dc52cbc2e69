//! By whose limits and policies does a brain decide that has just started?

use orch_core::call::{Call, Failure, GitCall};
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, Outcome};
use orch_core::id::{Entity, Seq};
use orch_core::journal::Journal;
use orch_core::policy::Policy;
use orch_core::stage::Preset;
use orch_core::time::{Moment, Span};
use orch_engine::step::Stepped;
use orch_engine::{Engine, Incoming};
use orch_sim::MemoryJournal;

use crate::{issue, policy, started};

fn step(engine: &mut Engine<MemoryJournal>, now: Moment, incoming: Vec<Incoming>) -> Stepped {
    engine.step(now, incoming).expect("memory takes it")
}

/// Whose branch is asked for.
fn cut(stepped: &Stepped) -> Vec<&Effect> {
    let cuts = |effect: &&Effect| matches!(effect.call, Call::Git(GitCall::CutBranch { .. }));
    stepped.perform.iter().filter(cuts).collect()
}

/// Who was given a turn in the rows after `head`.
fn granted(engine: &mut Engine<MemoryJournal>, head: Seq) -> Vec<Entity> {
    let rows = engine.journal().rows(Seq(head.0 + 1), 100).expect("rows").into_iter();
    rows.filter(|row| matches!(row.event, Event::Granted(_))).map(|row| row.entity).collect()
}

/// Proves that a brain which took over fires no timer, gives no turn and lets no effect leave before it was told the
/// limits of its start, and that policies which it was told before are those that it then decides by: a timer that was due
/// while nobody served is decided by the new policy, once.
#[test]
fn nothing_is_decided_by_what_held_before_the_start() {
    let (mut engine, _) = Engine::take_over(MemoryJournal::default()).expect("an empty journal");
    let now = Moment(1_000_000);
    // One task after the other: the second issue waits for a turn that the first one has.
    let first = Policy { serial: true, ..orch_sim::bench::policy(Preset::Library) };
    let begun = step(&mut engine, now, vec![policy(&first, "first"), started(), issue(1), issue(2)]);
    let [asked] = cut(&begun)[..] else { panic!("one branch is asked for: {begun:?}") };
    let asked = asked.clone();
    let outcome = Outcome::Failed(Failure::transient("nobody answers"));
    let reply = EffectReply { effect: asked.id, outcome };
    let told = Incoming::reply(engine.term(), asked.entity.clone(), reply);
    let waits = step(&mut engine, now, vec![told]);
    let later = waits.wake.expect("it is asked again").after(Span::minutes(60));
    let before = granted(&mut engine, Seq(0));
    assert!(!before.is_empty() && before.iter().all(|task| *task == asked.entity), "{before:?}");

    let (mut engine, _) = Engine::take_over(engine.into_journal()).expect("it is sound");
    let head = engine.head();
    let idle = step(&mut engine, later, Vec::new());
    assert!(idle.perform.is_empty() && idle.wake.is_none() && idle.head == head, "{idle:?}");
    // By the new policy the second one could go on at once.
    let second = Policy { serial: false, ..first };
    let told = step(&mut engine, later, vec![policy(&second, "second")]);
    assert!(told.perform.is_empty() && !engine.serves());
    assert_eq!(told.head, Seq(head.0 + 1), "the policy is a row, and nothing follows from it yet");
    assert!(granted(&mut engine, head).is_empty());
    let serves = step(&mut engine, later, vec![started()]);
    let [again] = cut(&serves)[..] else { panic!("it is asked again: {serves:?}") };
    assert!(again.entity == asked.entity && engine.serves());
    assert_eq!(granted(&mut engine, head), [Entity::Task("DEMO-002".into())]);
    let rows = engine.journal().rows(head, 100).expect("rows");
    let timers: Vec<_> = rows.iter().filter(|row| matches!(row.event, Event::Timer(_))).collect();
    let [timer] = timers.as_slice() else { panic!("{timers:?}") };
    assert_eq!(timer.policy, Some(second.digest()));
}
