//! How is the world driven? One action at a time, chosen by dice or by a story; crashes and lost answers in between.

use std::collections::BTreeMap;

use orch_core::call::Text;
use orch_core::call::tracker::Status;
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, IssueSeen, MainReading, Outcome, PolicyChange, Start};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Entity, IssueKey, ProjectId, RunId, TaskId};
use orch_core::journal::{Blob, Journal};
use orch_core::policy::{AgentChoice, Limits, Policy};
use orch_core::stage::Role;
use orch_core::state::State;
use orch_core::task::{Rest, Step, Task};
use orch_core::time::{Moment, Span};
use orch_engine::step::policy_blob;
use orch_engine::{Ack, Engine, Incoming, Target};

use crate::invariant::{self, Broken};
use crate::memory::MemoryJournal;
use crate::schedule::Dice;
use crate::world::World;

/// How often what goes wrong, in percent of the actions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// The brain dies before an effect is performed.
    pub crash_before: u64,
    /// The brain dies after an effect happened, before its reply was written.
    pub crash_after: u64,
    /// The effect happened and the answer was lost: `Unknown`.
    pub lost_answer: u64,
    /// The outside does not answer: `Transient`.
    pub outage: u64,
    /// A delivery comes again.
    pub doubled: u64,
    /// A delivery never comes; the next sweep finds it.
    pub lost_delivery: u64,
    /// The disk takes no commit.
    pub disk_full: u64,
}

impl Faults {
    /// Some of everything.
    pub fn some() -> Self {
        Faults {
            crash_before: 3,
            crash_after: 4,
            lost_answer: 4,
            outage: 5,
            doubled: 5,
            lost_delivery: 20,
            disk_full: 2,
        }
    }
}

/// What was injected in a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps taken.
    pub steps: u64,
    /// Faults injected.
    pub faults: u64,
    /// Crashes among them.
    pub crashes: u64,
}

/// The bench.
pub struct Bench {
    /// `None` only between a crash and the next take-over.
    engine: Option<Engine<MemoryJournal>>,
    /// The outside.
    pub world: World,
    /// The time.
    pub now: Moment,
    /// The project.
    pub project: ProjectId,
    pending: Vec<Effect>,
    watched: Vec<RunId>,
    wake: Option<Moment>,
    dice: Dice,
    faults: Faults,
    /// What was done.
    pub tally: Tally,
    /// The boundaries at which the brain died: before or after which kind of call.
    pub died: BTreeMap<String, u64>,
    requests: u64,
    check: bool,
}

/// A policy with every agent, tests, and a hook where the preset deploys.
pub fn policy(preset: orch_core::stage::Preset) -> Policy {
    let choice = AgentChoice { agent: "scripted".to_owned(), provider: "none".into() };
    Policy {
        prefix: "DEMO".to_owned(),
        preset,
        test: vec!["run-tests".to_owned()],
        agents: Role::ALL.into_iter().map(|role| (role, choice.clone())).collect(),
        hook: preset.deploys(),
        probe: preset.deploys(),
        ..Policy::default()
    }
}

impl Bench {
    /// A bench with one project under this policy.
    pub fn new(seed: u64, policy: &Policy, faults: Faults) -> Self {
        let engine = match Engine::take_over(MemoryJournal::default()) {
            Ok((engine, _)) => Some(engine),
            Err(_) => None,
        };
        let mut bench = Self {
            engine,
            world: World::default(),
            now: Moment(1_000_000),
            project: "demo".into(),
            pending: Vec::new(),
            watched: Vec::new(),
            wake: None,
            dice: Dice::new(seed),
            faults,
            tally: Tally::default(),
            died: BTreeMap::new(),
            requests: 0,
            check: true,
        };
        bench.world.repository.begin();
        bench.start();
        bench.set_policy(policy);
        bench
    }

    fn start(&mut self) {
        let start = Start { version: "sim".to_owned(), clean: true, limits: Limits::default() };
        let key = format!("start/{}", self.tally.crashes);
        self.tell(Incoming::of(Target::Entity(Entity::Installation), Event::Started(start)).keyed(key));
    }

    /// Puts a policy in force.
    pub fn set_policy(&mut self, policy: &Policy) {
        let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
        let target = Target::Entity(Entity::Project(self.project.clone()));
        let event = Event::PolicyChanged(Box::new(change));
        self.tell(Incoming::of(target, event).with(vec![policy_blob(policy)]));
    }

    /// The brain.
    #[expect(clippy::expect_used, reason = "between two public calls there always is an engine")]
    pub fn engine(&mut self) -> &mut Engine<MemoryJournal> {
        self.engine.as_mut().expect("an engine")
    }

    /// Hands something in; a full disk is waited out.
    pub fn tell(&mut self, incoming: Incoming) -> Option<Ack> {
        self.tally.steps += 1;
        let now = self.now;
        if self.dice.chance(self.faults.disk_full) {
            self.tally.faults += 1;
            self.engine().journal().full = true;
            let refused = self.engine().step(now, vec![incoming.clone()]).is_err();
            self.engine().journal().full = false;
            if !refused {
                return None;
            }
        }
        match self.engine().step(now, vec![incoming]) {
            Ok(stepped) => {
                self.wake = stepped.wake;
                self.pending.extend(stepped.perform);
                stepped.acks.into_iter().next()
            }
            Err(_) => None,
        }
    }

    /// The brain dies and another takes over from the journal.
    pub fn crash(&mut self) {
        self.tally.crashes += 1;
        let Some(engine) = self.engine.take() else { return };
        self.pending.clear();
        self.watched.clear();
        if let Ok((engine, live)) = Engine::take_over(engine.into_journal()) {
            self.watched.extend(live.into_iter().map(|live| live.run));
            self.engine = Some(engine);
        }
        self.start();
    }

    /// A person creates an issue; the tracker tells.
    pub fn issue(&mut self, title: &str, status: Status) -> IssueKey {
        let key = self.world.tracker.create(title, "please", status);
        self.deliver(&key);
        key
    }

    /// The tracker tells what an issue looks like.
    pub fn deliver(&mut self, key: &IssueKey) {
        let Some(reading) = self.world.tracker.read(key) else { return };
        let issue = self.world.tracker.issues.get(key);
        let blobs = issue.map(|issue| vec![Blob::of(issue.title.as_str()), Blob::of(issue.text.as_str())]);
        let seen = IssueSeen { project: self.project.clone(), reading };
        let event = Event::Issue(Box::new(seen));
        let target = Target::Issue { prefix: "DEMO".to_owned() };
        self.tell(Incoming::of(target, event).with(blobs.unwrap_or_default()));
    }

    /// A person presses a board status; the delivery may be lost or doubled.
    pub fn press(&mut self, key: &IssueKey, status: Status) {
        self.world.tracker.press(key, status);
        if self.dice.chance(self.faults.lost_delivery) {
            self.tally.faults += 1;
            return;
        }
        self.deliver(key);
        if self.dice.chance(self.faults.doubled) {
            self.tally.faults += 1;
            self.deliver(key);
        }
    }

    /// Reads everything outside, as a sweep does.
    pub fn sweep(&mut self) {
        let keys: Vec<IssueKey> = self.world.tracker.issues.keys().cloned().collect();
        for key in keys {
            self.deliver(&key);
        }
        let reading = MainReading { head: self.world.repository.main(), descends: true };
        let target = Target::Entity(Entity::Repository(self.project.clone()));
        self.tell(Incoming::of(target, Event::Main(reading)));
    }

    /// A person's gesture through another door than the board.
    pub fn gesture(&mut self, task: &TaskId, what: Press) -> Option<Ack> {
        self.requests += 1;
        let request = format!("request-{}", self.requests);
        let gesture = Gesture { request, by: "ann".to_owned(), via: Door::CommandLine, what };
        self.tell(Incoming::of(Target::Entity(Entity::Task(task.clone())), Event::Gesture(gesture)))
    }

    /// Rejects with a reason.
    pub fn reject(&mut self, task: &TaskId, reason: &str) -> Option<Ack> {
        self.requests += 1;
        let request = format!("request-{}", self.requests);
        let what = Press::Reject { reason: Some(Text::of(reason)) };
        let gesture = Gesture { request, by: "ann".to_owned(), via: Door::CommandLine, what };
        let incoming = Incoming::of(Target::Entity(Entity::Task(task.clone())), Event::Gesture(gesture));
        self.tell(incoming.with(vec![Blob::of(reason)]))
    }

    /// A task's state.
    pub fn task(&mut self, id: &TaskId) -> Option<Task> {
        match self.engine().journal().state(&Entity::Task(id.clone())).ok().flatten()?.state {
            State::Task(task) => Some(*task),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        }
    }

    /// All tasks.
    pub fn tasks(&mut self) -> Vec<Task> {
        let states = self.engine().journal().states();
        let tasks = states.values().filter_map(|kept| match &kept.state {
            State::Task(task) => Some((**task).clone()),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        });
        tasks.collect()
    }

    fn perform_one(&mut self) {
        let at = self.dice.below(self.pending.len());
        let effect = self.pending.swap_remove(at);
        let name = kind(&effect);
        if self.dice.chance(self.faults.crash_before) {
            self.tally.faults += 1;
            *self.died.entry(format!("before {name}")).or_default() += 1;
            return self.crash();
        }
        self.world.outage = self.dice.chance(self.faults.outage);
        self.tally.faults += u64::from(self.world.outage);
        let mut outcome = self.world.perform(&effect);
        self.world.outage = false;
        let launched = self.launched(&effect);
        if self.dice.chance(self.faults.crash_after) {
            self.tally.faults += 1;
            *self.died.entry(format!("after {name}")).or_default() += 1;
            return self.crash();
        }
        if let Some(run) = launched
            && !self.watched.contains(&run)
        {
            self.watched.push(run);
        }
        if self.dice.chance(self.faults.lost_answer) {
            self.tally.faults += 1;
            outcome = Outcome::Failed(orch_core::call::Failure::unknown("the answer was lost (injected)"));
        }
        let reply = EffectReply { effect: effect.id, outcome };
        let target = Target::Entity(effect.entity.clone());
        self.tell(Incoming::of(target.clone(), Event::Reply(Box::new(reply.clone()))));
        if self.dice.chance(self.faults.doubled) {
            self.tally.faults += 1;
            self.tell(Incoming::of(target, Event::Reply(Box::new(reply))));
        }
    }

    fn launched(&self, effect: &Effect) -> Option<RunId> {
        use orch_core::call::{AgentCall, Call, DeployCall, GateCall};
        let run = match &effect.call {
            Call::Agent(AgentCall::Launch(work)) => work.run,
            Call::Gate(GateCall::Ci { run, .. }) | Call::Deploy(DeployCall::Hook { run, .. }) => *run,
            Call::Agent(AgentCall::Stop { .. })
            | Call::Deploy(DeployCall::Probe { .. })
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_) => return None,
        };
        self.world.runs.contains_key(&run).then_some(run)
    }

    fn end_one(&mut self) {
        let at = self.dice.below(self.watched.len());
        let run = self.watched.swap_remove(at);
        self.world.finish(run);
        let (Some(end), Some(started)) = (self.world.end(run), self.world.runs.get(&run)) else { return };
        let target = Target::Entity(Entity::Task(started.task.clone()));
        self.tell(Incoming::of(target, Event::RunEnded(Box::new(end))));
    }

    /// Whether anything is to be done without waiting for time or people.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || !self.watched.is_empty()
    }

    /// Does one thing; false if there was nothing to do but to wait.
    pub fn once(&mut self) -> Result<bool, Broken> {
        self.now = self.now.after(Span(10));
        let choices = self.pending.len() + self.watched.len();
        if choices == 0 {
            let Some(wake) = self.wake.filter(|wake| *wake > Moment(0)) else { return Ok(false) };
            self.now = self.now.max(wake);
            let now = self.now;
            if let Ok(stepped) = self.engine().step(now, Vec::new()) {
                self.wake = stepped.wake;
                self.pending.extend(stepped.perform);
            }
        } else if self.dice.below(choices) < self.pending.len() {
            self.perform_one();
        } else {
            self.end_one();
        }
        self.verify()?;
        Ok(true)
    }

    fn verify(&mut self) -> Result<(), Broken> {
        if !self.check {
            return Ok(());
        }
        let (now, world) = (self.now, self.world.clone());
        invariant::check(self.engine(), &world, now)
    }

    /// Goes on until everything waits for people; sweeps when nothing moves, as the brain does.
    pub fn run(&mut self) -> Result<(), Broken> {
        let mut idle = 0;
        for _ in 0..20_000 {
            if self.once()? {
                idle = 0;
                continue;
            }
            idle += 1;
            if idle > 1 {
                return Ok(());
            }
            self.sweep();
        }
        Err(Broken { name: "liveness", what: "still busy after 20,000 actions".to_owned() })
    }

    /// Goes on with a person who approves, confirms, answers and retries, until every task is over.
    pub fn run_with_people(&mut self, patience: u32) -> Result<(), Broken> {
        for _ in 0..patience {
            self.run()?;
            let waiting: Vec<Task> =
                self.tasks().into_iter().filter(|task| !task.stage.is_terminal()).collect();
            if waiting.is_empty() {
                return Ok(());
            }
            for task in waiting {
                self.attend(&task);
            }
        }
        let left: Vec<String> = self
            .tasks()
            .into_iter()
            .filter(|task| !task.stage.is_terminal())
            .map(|task| format!("{} at {} does {:?}", task.id, task.stage, task.step))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Broken { name: "liveness", what: left.join("; ") })
    }

    fn attend(&mut self, task: &Task) {
        let Step::Rest(rest) = &task.step else { return };
        let issue = task.issue.clone();
        match rest {
            Rest::Start | Rest::Questions | Rest::Escalated => self.press(&issue, Status::ToAnalyse),
            Rest::Approval | Rest::Protected => self.press(&issue, Status::Approved),
            Rest::Confirmation => self.press(&issue, Status::ConfirmDeploy),
            Rest::RequestChanged => drop(self.gesture(&task.id, Press::Continue)),
            Rest::CannotTell { .. } => drop(self.gesture(&task.id, Press::Retry)),
            Rest::IssueGone | Rest::Over => {}
        }
        // A press whose delivery was lost is found by the sweep of the next round.
    }

    /// Checks the journal from its first row to its last.
    pub fn verify_journal(&mut self) -> Result<(), Broken> {
        invariant::check_journal(self.engine().journal())
    }
}

fn kind(effect: &Effect) -> String {
    let value = serde_json::to_value(&effect.call).unwrap_or_default();
    let mut path = Vec::new();
    let mut at = &value;
    for _ in 0..2 {
        match at {
            serde_json::Value::Object(map) => match map.iter().next() {
                Some((key, inner)) => {
                    path.push(key.clone());
                    at = inner;
                }
                None => break,
            },
            serde_json::Value::String(name) => {
                path.push(name.clone());
                break;
            }
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_) => break,
        }
    }
    path.join("/")
}
