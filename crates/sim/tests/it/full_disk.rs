//! What does the brain do while its journal takes nothing? Nothing is lost, and nothing is done twice.

use orch_core::call::tracker::Status;
use orch_core::event::{DiskReading, Event, PolicyChange};
use orch_core::id::Entity;
use orch_core::policy::Policy;
use orch_core::stage::Preset;
use orch_core::time::Moment;
use orch_engine::step::policy_blob;
use orch_engine::{Ack, Incoming, Target};
use orch_sim::bench::{Bench, Faults, policy};

fn changed(policy: &Policy) -> Incoming {
    let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
    let event = Event::PolicyChanged(Box::new(change));
    Incoming::of(Target::Entity(Entity::Project("demo".into())), event).with(vec![policy_blob(policy)])
}

/// Proves that a policy which could not be written down is not in force, that what is on its way is not started a second
/// time, and that both go on when there is room (issue, "bad input": disk full).
#[test]
fn a_refused_commit_leaves_policies_and_effects_as_they_were() {
    let first = policy(Preset::Library);
    let mut bench = Bench::new(1, &first, Faults::default());
    bench.issue("Add a flag", Status::ToAnalyse);
    let engine = bench.engine();
    let flying = engine.in_flight();
    assert!(!flying.is_empty(), "the branch is being cut");
    let second = Policy { serial: true, ..policy(Preset::Full) };
    let now = Moment(2_000_000);
    engine.journal().full = true;
    for _ in 0..2 {
        engine.step(now, vec![changed(&second)]).unwrap_err();
        assert_eq!(engine.policies().values().collect::<Vec<_>>(), [&first]);
        let project = engine.board().project(&"demo".into()).unwrap();
        assert_eq!(project.policy, Some(first.digest()));
    }
    engine.journal().full = false;
    let stepped = engine.step(now, vec![changed(&second)]).unwrap();
    assert!(matches!(stepped.acks.as_slice(), [Ack::Accepted { .. }]));
    assert!(stepped.perform.is_empty(), "nothing is started twice: {:?}", stepped.perform);
    assert_eq!(engine.in_flight(), flying);
    assert_eq!(engine.policies().values().collect::<Vec<_>>(), [&second]);
}

/// Proves that a reading of the disk is written only when it says something new (decision 2).
#[test]
fn the_same_reading_of_the_disk_is_no_news() {
    let mut bench = Bench::new(1, &policy(Preset::Library), Faults::default());
    let mut read = |enough| {
        let event = Event::Disk(DiskReading { enough, free: 1 });
        bench.tell(Incoming::of(Target::Entity(Entity::Installation), event)).unwrap()
    };
    assert_eq!(read(true), Ack::Unchanged);
    assert!(matches!(read(false), Ack::Accepted { .. }));
    assert_eq!(read(false), Ack::Unchanged);
    assert!(matches!(read(true), Ack::Accepted { .. }));
    assert_eq!(read(true), Ack::Unchanged);
}
