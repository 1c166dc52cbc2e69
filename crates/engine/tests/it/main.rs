//! The brain as it runs: a thread of its own around the step that the simulator proves.

mod brain;
mod start;

use orch_core::call::Text;
use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::event::{Event, IssueSeen, PolicyChange, Start};
use orch_core::id::Entity;
use orch_core::policy::{Limits, Policy};
use orch_engine::step::policy_blob;
use orch_engine::{Incoming, Target};

/// The brain is told that it serves.
fn started() -> Incoming {
    let start = Start { version: "test".to_owned(), clean: true, limits: Limits::default(), boot: None };
    Incoming::of(Target::Entity(Entity::Installation), Event::Started(start))
}

/// The project has this policy from now on.
fn policy(policy: &Policy, key: &str) -> Incoming {
    let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
    let target = Target::Entity(Entity::Project("demo".into()));
    let event = Event::PolicyChanged(Box::new(change));
    Incoming::of(target, event).with(vec![policy_blob(policy)]).keyed(key)
}

/// An issue of the project is seen for the first time, and is to be worked on.
fn issue(number: u64) -> Incoming {
    let text = Text::of("please");
    let reading = IssueReading {
        issue: format!("demo-{number}").as_str().into(),
        number,
        status: Some(Status::ToAnalyse),
        title: text.clone(),
        slug: "x".to_owned(),
        text,
        labels: Labels::default(),
        present: true,
        revision: None,
    };
    let seen = IssueSeen { project: "demo".into(), reading };
    Incoming::of(Target::Issue { prefix: "DEMO".to_owned() }, Event::Issue(Box::new(seen)))
}
