//! Does `orch replay --verify` name what a table says otherwise than the journal?

use std::path::PathBuf;

use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::call::{Call, Failure, GitCall, Text};
use orch_core::effect::Timer;
use orch_core::event::{EffectReply, Event, IssueSeen, Outcome, PolicyChange, Start};
use orch_core::id::{EffectId, Entity, IssueKey, ProjectId, TimerId};
use orch_core::journal::{Batch, Blob, Journal as _, Kept};
use orch_core::policy::{AgentChoice, Limits, Policy};
use orch_core::said::Cause;
use orch_core::stage::Role;
use orch_core::state::{Provider, State};
use orch_core::time::Moment;
use orch_engine::step::policy_blob;
use orch_engine::{Ack, Engine, Incoming, Target};
use orch_store::SqliteJournal;

use crate::stage::Stage;

fn store(stage: &Stage) -> PathBuf {
    stage.home().join("orch.db")
}

/// A store in which a task asks again later for its branch, and its column is not written yet: one timer is armed, and
/// effects are open.
fn waiting(stage: &Stage) -> Timer {
    std::fs::create_dir_all(stage.home()).unwrap();
    let (mut engine, _) = Engine::take_over(SqliteJournal::open(&store(stage)).unwrap()).unwrap();
    let start = Start { version: "test".to_owned(), clean: true, limits: Limits::default(), boot: None };
    let started = Incoming::of(Target::Entity(Entity::Installation), Event::Started(start));
    let project = ProjectId::from("demo");
    let choice = AgentChoice { agent: "any".to_owned(), provider: "none".into() };
    let policy = Policy {
        prefix: "D".to_owned(),
        test: vec!["run-tests".to_owned()],
        agents: Role::ALL.into_iter().map(|role| (role, choice.clone())).collect(),
        ..Policy::default()
    };
    let blob = policy_blob(&policy);
    let change = PolicyChange { digest: blob.digest.clone(), commit: None, policy };
    let changed = Event::PolicyChanged(Box::new(change));
    let changed = Incoming::of(Target::Entity(Entity::Project(project.clone())), changed).with(vec![blob]);
    let reading = IssueReading {
        issue: IssueKey::from("1"),
        number: 1,
        status: Some(Status::ToAnalyse),
        title: Text::of("Begin"),
        slug: "begin".to_owned(),
        text: Text::of(""),
        labels: Labels::default(),
        present: true,
        revision: None,
    };
    let seen = Event::Issue(Box::new(IssueSeen { project, reading }));
    let issue = Incoming::of(Target::Issue { prefix: "D".to_owned() }, seen)
        .with(vec![Blob::of("Begin"), Blob::of("")]);
    let mut open = Vec::new();
    for (at, incoming) in [started, changed, issue].into_iter().enumerate() {
        let at = Moment(1_700_000_000_000 + i64::try_from(at).unwrap());
        let stepped = engine.step(at, vec![incoming]).unwrap();
        assert!(stepped.acks.iter().all(|ack| matches!(ack, Ack::Accepted { .. })), "{:?}", stepped.acks);
        open.extend(stepped.perform);
    }
    let cut = open.iter().find(|effect| matches!(effect.call, Call::Git(GitCall::CutBranch { .. }))).unwrap();
    let outcome = Outcome::Failed(Failure::transient("nobody answers"));
    let reply = EffectReply { effect: cut.id, outcome };
    let reply = Incoming::reply(engine.term(), cut.entity.clone(), reply).keyed(format!("effect/{}", cut.id));
    let stepped = engine.step(Moment(1_700_000_001_000), vec![reply]).unwrap();
    assert!(stepped.wake.is_some(), "it asks again later");
    let mut journal = engine.into_journal();
    let (entity, timer) = journal.armed_timers().unwrap().pop().unwrap();
    assert_eq!(entity.to_string(), "task/D-001");
    assert!(!journal.open_effects().unwrap().is_empty());
    journal.close().unwrap();
    timer
}

/// Proves that a sound store is told of with how many rows were folded, how many decided again, and what was compared.
#[test]
fn a_replay_says_how_much_it_saw() {
    let stage = Stage::new();
    waiting(&stage);
    let said = stage.orch(["replay", "--verify"]).well();
    assert!(said.contains("rows folded, chain and hashes hold; "), "{said}");
    assert!(said.contains(" decided again as before; ") && !said.contains(" not, because"), "{said}");
    assert!(said.ends_with("1 open effect and 1 timer equal what is kept\n"), "{said}");
    let json = stage.orch(["replay", "--verify", "--json"]).json();
    assert_eq!(json["rows"], json["decided_again"], "{json}");
    assert_eq!((&json["of_other_rules"], &json["compared"]["timers"]), (&0.into(), &1.into()), "{json}");
    assert!(stage.orch(["replay", "--json"]).json().get("compared").is_none());
}

/// Proves that each table that was damaged behind the journal's back is named, with the place and the remedy.
#[test]
fn a_damaged_table_is_named() {
    type Spoil = fn(&mut SqliteJournal, Timer) -> Batch;
    let cases: [(&str, Spoil, &str); 5] = [
        (
            "an open effect is lost",
            |journal, _| {
                let settled: Vec<EffectId> = journal.open_effects().unwrap().iter().map(|e| e.id).collect();
                Batch { settled, ..Batch::default() }
            },
            "is not among the open effects, though row ",
        ),
        (
            "a timer is lost",
            |_, _| Batch { timers: vec![(Entity::Task("D-001".into()), None)], ..Batch::default() },
            "task/D-001: its timer is gone, though the journal armed it",
        ),
        (
            "a timer is due at another moment",
            |_, timer| {
                let timer = Timer { due: Moment(timer.due.0 + 1), ..timer };
                Batch { timers: vec![(Entity::Task("D-001".into()), Some(timer))], ..Batch::default() }
            },
            "task/D-001: its timer is not the one that the journal armed",
        ),
        (
            "a timer that nobody armed",
            |_, timer| {
                let timer = Timer { id: TimerId::new(timer.id.seq, 9), ..timer };
                Batch { timers: vec![(Entity::Installation, Some(timer))], ..Batch::default() }
            },
            "installation: it has a timer, though by the journal none is armed",
        ),
        (
            "a state that no row made",
            |journal, _| {
                let provider = Provider {
                    closed_until: None,
                    cause: Cause::default(),
                    refusals: 0,
                    closed_at: None,
                    closed_in: None,
                    stepped: 0,
                };
                let kept = Kept { seq: journal.head().unwrap().seq, state: State::Provider(provider) };
                Batch { states: vec![(Entity::Provider("none".into()), kept)], ..Batch::default() }
            },
            "provider/none: a state is kept, and no row of the journal made it",
        ),
    ];
    for (what, spoil, named) in cases {
        let stage = Stage::new();
        let timer = waiting(&stage);
        let mut journal = SqliteJournal::open(&store(&stage)).unwrap();
        let batch = spoil(&mut journal, timer);
        journal.commit(&batch).unwrap();
        journal.close().unwrap();
        stage.orch(["replay"]).well();
        let said = stage.orch(["replay", "--verify"]).failed(6);
        assert!(said.contains(named), "{what}: {said}");
        assert!(said.contains("orch.db") && said.contains("`orch restore`"), "{what}: {said}");
    }
}
