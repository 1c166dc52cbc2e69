//! What comes twice, or too late: once is enough, and what nobody waits for any more does nothing (decision 3).

use orch_core::call::tracker::Status;
use orch_core::event::{Event, Grant};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Entity, Seq, TimerId};
use orch_core::reason::{Ignored, Reason};
use orch_core::stage::{Preset, Stage};
use orch_core::task::{Step, Task};
use orch_engine::{Ack, Incoming, Target};
use orch_sim::bench::{Bench, Faults, policy};

fn bench() -> Bench {
    let mut bench = Bench::new(1, &policy(Preset::Library), Faults::default());
    bench.orderly = true;
    bench.issue("Add a flag", Status::ToAnalyse);
    bench
}

fn only_task(bench: &mut Bench) -> Task {
    bench.tasks().pop().expect("a task")
}

fn stale(bench: &mut Bench, event: Event) {
    let before = only_task(bench);
    let target = Target::Entity(Entity::Task(before.id.clone()));
    let ack = bench.tell(Incoming::of(target, event).keyed("late".to_owned()));
    let why = Reason::Ignored(Ignored::StaleToken);
    assert!(matches!(&ack, Some(Ack::Accepted { reasons, .. }) if *reasons == [why]), "{ack:?}");
    assert_eq!(only_task(bench), before);
}

/// Proves that the same press, handed in twice with one commit and once more after it, is one press.
#[test]
fn a_press_is_one_press() {
    let mut bench = bench();
    bench.run().expect("nothing breaks");
    let task = only_task(&mut bench);
    let gesture = Gesture {
        request: "one".to_owned(),
        by: "ann".to_owned(),
        via: Door::Api,
        what: Press::Approve { what: None },
    };
    let target = Target::Entity(Entity::Task(task.id));
    let incoming = Incoming::of(target, Event::Gesture(gesture));
    let now = bench.now;
    let stepped = bench.engine().step(now, vec![incoming.clone(), incoming.clone()]).expect("a commit");
    assert!(matches!(stepped.acks.as_slice(), [Ack::Accepted { .. }, Ack::Duplicate]), "{:?}", stepped.acks);
    assert_eq!(bench.tell(incoming), Some(Ack::Duplicate));
    assert_eq!(only_task(&mut bench).stage, Stage::Architecture);
}

/// Proves that a turn that was given for an earlier wait is not taken for a later one of the same kind.
#[test]
fn a_turn_is_for_one_wait() {
    let mut bench = bench();
    bench.gesture_to(Entity::Installation, Press::Pause { drain: false });
    bench.run().expect("nothing breaks");
    let task = only_task(&mut bench);
    let Step::Queued(want) = &task.step else { panic!("it waits for an agent: {:?}", task.step) };
    let turn = want.turn();
    let wanted = Seq(task.step_seq.0 - 1);
    stale(&mut bench, Event::Granted(Grant { turn, wanted, deployed: None, gives_way: false }));
}

/// Proves that a timer that belongs to an earlier wait wakes nobody.
#[test]
fn a_timer_is_for_one_wait() {
    let mut bench = bench();
    bench.outage = true;
    while !matches!(only_task(&mut bench).step, Step::Backoff { .. }) {
        bench.once().expect("nothing breaks");
    }
    stale(&mut bench, Event::Timer(TimerId::new(Seq(1), 0)));
}

/// Proves that nothing is done outside that the journal did not take: the effects of a refused commit are nobody's.
#[test]
fn nothing_is_done_that_was_not_written() {
    let mut bench = bench();
    bench.run().expect("nothing breaks");
    let target = Target::Entity(Entity::Task(only_task(&mut bench).id));
    let gesture = Gesture {
        request: "one".to_owned(),
        by: "ann".to_owned(),
        via: Door::Api,
        what: Press::Approve { what: None },
    };
    let incoming = Incoming::of(target, Event::Gesture(gesture));
    let now = bench.now;
    bench.engine().journal().full = true;
    bench.engine().step(now, vec![incoming]).expect_err("the disk is full");
    bench.engine().journal().full = false;
    let stepped = bench.engine().step(now, Vec::new()).expect("nothing to write");
    assert!(stepped.perform.is_empty(), "{:?}", stepped.perform);
}
