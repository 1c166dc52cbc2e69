//! How is the world driven? One action at a time, chosen by dice or by a story; crashes and lost answers in between.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::Text;
use orch_core::call::tracker::Status;
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, IssueSeen, MainReading, Outcome, PolicyChange, RunHow, Start};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::hold::standing;
use orch_core::id::{Entity, IssueKey, ProjectId, RunId, TaskId};
use orch_core::journal::{Blob, Journal};
use orch_core::policy::{AgentChoice, Limits, Policy};
use orch_core::stage::Role;
use orch_core::state::State;
use orch_core::task::{Rest, Step, Task};
use orch_core::time::{Moment, Span};
use orch_engine::step::{Stepped, policy_blob};
use orch_engine::{Ack, Engine, Incoming, Target};

use crate::invariant::{self, Broken, Watch};
use crate::memory::MemoryJournal;
use crate::schedule::Dice;
use crate::world::World;
use crate::world::repository::ByHand;

/// How often what goes wrong, in percent of the actions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// The brain dies before an effect is performed.
    pub crash_before: u64,
    /// The brain dies after an effect happened, before its reply was written.
    pub crash_after: u64,
    /// The brain dies where it has not died in this history: calls that are rare have their deaths too.
    pub crash_first: u64,
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
    /// The reply of a brain that died arrives after another took over.
    pub late_reply: u64,
    /// The wall clock steps, by up to an hour either way.
    pub clock_step: u64,
    /// A provider of models refuses a run, or the machine cannot start or loses it.
    pub refused_run: u64,
    /// A person does something that nobody asked for.
    pub meddling: u64,
}

impl Faults {
    /// Some of everything.
    pub fn some() -> Self {
        Faults {
            crash_before: 3,
            crash_after: 4,
            crash_first: 0,
            lost_answer: 4,
            outage: 5,
            doubled: 5,
            lost_delivery: 20,
            disk_full: 2,
            late_reply: 40,
            clock_step: 1,
            refused_run: 4,
            meddling: 0,
        }
    }

    /// The same, and people who press, edit, delete, stop and pause at any moment.
    pub fn with_people() -> Self {
        Faults { meddling: 4, crash_first: 25, ..Faults::some() }
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
    /// The first project.
    pub project: ProjectId,
    /// All projects with the prefixes of their work items.
    pub projects: Vec<(ProjectId, String)>,
    /// Limits of the installation.
    pub limits: Limits,
    /// Takes things in the order in which they came, as stories want it.
    pub orderly: bool,
    /// The answer of the next call of this kind is lost.
    pub lose_answer_of: Option<String>,
    /// The next delivery is lost.
    pub lose_delivery: bool,
    /// The outside does not answer until this is taken back.
    pub outage: bool,
    /// Calls of these kinds are not answered until that is taken back.
    pub away: BTreeSet<String>,
    /// The next call of this kind is refused for good.
    pub refuse: Option<String>,
    /// Time goes on by itself only as far as this at once.
    pub patience: Span,
    pending: Vec<Effect>,
    watched: Vec<RunId>,
    late: Vec<Incoming>,
    wake: Option<Moment>,
    /// The choices.
    pub dice: Dice,
    /// What goes wrong.
    pub faults: Faults,
    /// What was done.
    pub tally: Tally,
    /// The boundaries at which the brain died: before or after which kind of call.
    pub died: BTreeMap<String, u64>,
    requests: u64,
    watch: Watch,
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
            projects: Vec::new(),
            limits: Limits::default(),
            orderly: false,
            lose_answer_of: None,
            lose_delivery: false,
            outage: false,
            away: BTreeSet::new(),
            refuse: None,
            patience: Span(u64::MAX),
            pending: Vec::new(),
            watched: Vec::new(),
            late: Vec::new(),
            wake: None,
            dice: Dice::new(seed),
            faults,
            tally: Tally::default(),
            died: BTreeMap::new(),
            requests: 0,
            watch: Watch::default(),
        };
        bench.start();
        bench.add_project("demo", "DEMO", policy);
        bench
    }

    /// Another project, with a repository of its own.
    pub fn add_project(&mut self, name: &str, prefix: &str, policy: &Policy) {
        let project: ProjectId = name.into();
        self.projects.push((project.clone(), prefix.to_owned()));
        self.world.repositories.entry(project.clone()).or_default().begin();
        self.set_policy_of(&project, policy);
    }

    /// The brain starts to serve, with the limits that hold.
    pub fn start(&mut self) {
        let start = Start { version: "sim".to_owned(), clean: true, limits: self.limits.clone() };
        self.tell(Incoming::of(Target::Entity(Entity::Installation), Event::Started(start)));
    }

    /// Puts a policy of the first project in force.
    pub fn set_policy(&mut self, policy: &Policy) {
        let project = self.project.clone();
        self.set_policy_of(&project, policy);
    }

    /// Puts a policy in force.
    pub fn set_policy_of(&mut self, project: &ProjectId, policy: &Policy) {
        let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
        let target = Target::Entity(Entity::Project(project.clone()));
        let key = format!("policy/{}", self.tally.steps);
        let event = Event::PolicyChanged(Box::new(change));
        self.tell(Incoming::of(target, event).with(vec![policy_blob(policy)]).keyed(key));
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
            let stepped = self.engine().step(now, vec![incoming.clone()]);
            self.engine().journal().full = false;
            // What wrote nothing went through; its wake must not be forgotten.
            if let Ok(stepped) = stepped {
                return self.take(stepped);
            }
        }
        let stepped = self.engine().step(now, vec![incoming]).ok()?;
        self.take(stepped)
    }

    fn take(&mut self, stepped: Stepped) -> Option<Ack> {
        self.wake = stepped.wake;
        self.pending.extend(stepped.perform);
        stepped.acks.into_iter().next()
    }

    /// The brain dies and another takes over from the journal.
    pub fn crash(&mut self) {
        self.tally.crashes += 1;
        let Some(engine) = self.engine.take() else { return };
        self.pending.clear();
        self.watched.clear();
        self.wake = None;
        if let Ok((engine, live)) = Engine::take_over(engine.into_journal()) {
            self.watched.extend(live.into_iter().filter(|live| live.began).map(|live| live.run));
            self.engine = Some(engine);
        }
        self.start();
    }

    /// A person creates an issue; the tracker tells.
    pub fn issue(&mut self, title: &str, status: Status) -> IssueKey {
        let project = self.project.clone();
        self.issue_of(&project, title, status)
    }

    /// The same in any project.
    pub fn issue_of(&mut self, project: &ProjectId, title: &str, status: Status) -> IssueKey {
        let key = self.world.tracker.create(project, title, "please", status);
        self.deliver(&key);
        key
    }

    /// The tracker tells what an issue looks like.
    pub fn deliver(&mut self, key: &IssueKey) -> Option<Ack> {
        let reading = self.world.tracker.read(key)?;
        let issue = self.world.tracker.issues.get(key)?;
        let blobs = vec![Blob::of(issue.title.as_str()), Blob::of(issue.text.as_str())];
        let project = issue.project.clone();
        let (_, prefix) = self.projects.iter().find(|(name, _)| *name == project)?.clone();
        let event = Event::Issue(Box::new(IssueSeen { project, reading }));
        self.tell(Incoming::of(Target::Issue { prefix }, event).with(blobs))
    }

    /// A person presses a board status; the delivery may be lost or doubled.
    pub fn press(&mut self, key: &IssueKey, status: Status) -> Option<Ack> {
        self.world.tracker.press(key, status);
        let lost = self.dice.chance(self.faults.lost_delivery);
        if lost || std::mem::take(&mut self.lose_delivery) {
            self.tally.faults += 1;
            return None;
        }
        let ack = self.deliver(key);
        if self.dice.chance(self.faults.doubled) {
            self.tally.faults += 1;
            self.deliver(key);
        }
        ack
    }

    /// Reads everything outside, as a sweep does; whether anything was news.
    pub fn sweep(&mut self) -> bool {
        let before = self.engine().head();
        let keys: Vec<IssueKey> = self.world.tracker.issues.keys().cloned().collect();
        for key in keys {
            self.deliver(&key);
        }
        for (project, _) in self.projects.clone() {
            let Some(repository) = self.world.repositories.get(&project) else { continue };
            let known = self.engine.as_ref().and_then(|e| e.board().repository(&project)?.main.clone());
            let head = repository.main();
            let descends = known.is_none_or(|known| repository.contains(&head, &known));
            let target = Target::Entity(Entity::Repository(project));
            self.tell(Incoming::of(target, Event::Main(MainReading { head, descends })));
        }
        self.branches();
        self.engine().head() != before
    }

    /// Reads what people did with the branches of open tasks.
    fn branches(&mut self) {
        for task in self.tasks().into_iter().filter(|task| !task.stage.is_terminal()) {
            let (Some(branch), Some(repository)) = (&task.branch, self.world.repositories.get(&task.project))
            else {
                continue;
            };
            let reading = repository.read_branch(&branch.name, task.change_request);
            let target = Target::Entity(Entity::Task(task.id.clone()));
            self.tell(Incoming::of(target, Event::Branch(Box::new(reading))));
        }
    }

    /// Somebody merges the branch of a task by hand.
    pub fn merged_by_hand(&mut self, task: &Task, how: ByHand) {
        let (Some(branch), Some(repository)) = (&task.branch, self.world.repositories.get_mut(&task.project))
        else {
            return;
        };
        let before = repository.main();
        repository.merge_by_hand(&branch.name, how);
        let main = repository.main();
        if main != before {
            self.world.works.by_people.insert(main);
        }
        self.sweep();
    }

    /// A person's gesture through another door than the board.
    pub fn gesture(&mut self, task: &TaskId, what: Press) -> Option<Ack> {
        self.gesture_to(Entity::Task(task.clone()), what)
    }

    /// A person's gesture to any entity.
    pub fn gesture_to(&mut self, entity: Entity, what: Press) -> Option<Ack> {
        self.gesture_with(entity, what, Vec::new())
    }

    /// The same with the texts that it names.
    pub fn gesture_with(&mut self, entity: Entity, what: Press, texts: Vec<Blob>) -> Option<Ack> {
        self.requests += 1;
        let request = format!("request-{}", self.requests);
        let gesture = Gesture { request, by: "ann".to_owned(), via: Door::CommandLine, what };
        self.tell(Incoming::of(Target::Entity(entity), Event::Gesture(gesture)).with(texts))
    }

    /// Somebody pushes to main, past every gate.
    pub fn main_moves(&mut self, project: &ProjectId, path: &str, content: &str) {
        let Some(repository) = self.world.repositories.get_mut(project) else { return };
        repository.push_main(path, content);
        let main = repository.main();
        self.world.works.by_people.insert(main);
        self.sweep();
    }

    /// What people switched off is switched on again, and nothing goes wrong any more.
    pub fn settle(&mut self) {
        self.faults = Faults::default();
        crate::people::settle(self);
    }

    /// Rejects with a reason.
    pub fn reject(&mut self, task: &TaskId, reason: &str) -> Option<Ack> {
        let what = Press::Reject { reason: Some(Text::of(reason)) };
        self.gesture_with(Entity::Task(task.clone()), what, vec![Blob::of(reason)])
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

    fn pick(&mut self, of: usize) -> usize {
        if self.orderly { 0 } else { self.dice.below(of) }
    }

    fn perform_one(&mut self) {
        let at = self.pick(self.pending.len());
        let effect = self.pending.remove(at);
        let name = kind(&effect);
        if self.dies(format!("before {name}"), self.faults.crash_before) {
            return self.crash();
        }
        let away = self.away.iter().any(|part| name.contains(part.as_str()));
        let out = self.dice.chance(self.faults.outage) || away;
        self.tally.faults += u64::from(out);
        self.world.outage = self.outage || out;
        self.hand_texts(&effect);
        let mut outcome = match self.refuse.take_if(|part| name.contains(part.as_str())) {
            Some(_) => Outcome::Failed(orch_core::call::Failure::permanent("refused for good (injected)")),
            None => self.world.perform(&effect),
        };
        let texts = self.world.take_texts();
        self.world.outage = false;
        let launched = self.launched(&effect);
        let target = Target::Entity(effect.entity.clone());
        if self.dies(format!("after {name}"), self.faults.crash_after) {
            if self.dice.chance(self.faults.late_reply) {
                let reply = EffectReply { effect: effect.id, outcome };
                self.late.push(Incoming::of(target, Event::Reply(Box::new(reply))));
            }
            return self.crash();
        }
        if let Some(run) = launched
            && !self.watched.contains(&run)
        {
            self.watched.push(run);
        }
        let told = self.lose_answer_of.as_ref().is_some_and(|part| name.contains(part.as_str()));
        if told {
            self.lose_answer_of = None;
        }
        if told || self.dice.chance(self.faults.lost_answer) {
            self.tally.faults += 1;
            outcome = Outcome::Failed(orch_core::call::Failure::unknown("the answer was lost (injected)"));
        }
        let reply = EffectReply { effect: effect.id, outcome };
        self.tell(Incoming::of(target.clone(), Event::Reply(Box::new(reply.clone()))).with(texts));
        if self.dice.chance(self.faults.doubled) {
            self.tally.faults += 1;
            self.tell(Incoming::of(target, Event::Reply(Box::new(reply))));
        }
    }

    /// Whether the brain dies at a boundary.
    fn dies(&mut self, boundary: String, chance: u64) -> bool {
        let first = if self.died.contains_key(&boundary) { 0 } else { self.faults.crash_first };
        let dies = self.dice.chance(chance.max(first));
        if dies {
            self.tally.faults += 1;
            *self.died.entry(boundary).or_default() += 1;
        }
        dies
    }

    /// The text that a call names is read from the journal, as a hand would: it must be there before the effect is.
    fn hand_texts(&mut self, effect: &Effect) {
        use orch_core::call::{Call, GitCall};
        let Call::Git(GitCall::WriteRecord { text, .. }) = &effect.call else { return };
        let kept = self.engine().journal().blob(&text.blob).ok().flatten();
        if let (Some(bytes), Some(repository)) = (kept, self.world.repositories.get_mut(&effect.project)) {
            repository.kept.insert(text.blob.clone(), String::from_utf8_lossy(&bytes).into_owned());
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
        let at = self.pick(self.watched.len());
        let run = self.watched.remove(at);
        if self.dice.chance(self.faults.refused_run) {
            self.tally.faults += 1;
            let how = match self.dice.below(3) {
                0 => RunHow::CouldNotStart { cause: "injected".to_owned() },
                1 => RunHow::Lost { cause: "injected".to_owned() },
                _ => RunHow::ProviderLimited { until: None, cause: "injected".to_owned() },
            };
            self.world.refuse(run, how);
        }
        self.world.finish(run);
        let (Some(end), Some(started)) = (self.world.end(run), self.world.runs.get(&run)) else { return };
        let target = Target::Entity(Entity::Task(started.task.clone()));
        self.tell(Incoming::of(target, Event::RunEnded(Box::new(end))));
    }

    /// Whether anything is to be done without waiting for time or people.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || !self.watched.is_empty()
    }

    /// The wall clock steps; the brain notices.
    pub fn step_clock(&mut self, by: i64) {
        self.now = Moment(self.now.0.saturating_add(by).max(1));
        self.tell(Incoming::of(Target::Entity(Entity::Installation), Event::ClockStepped { by }));
    }

    /// Does one thing; false if there was nothing to do but to wait for people, or longer than the patience.
    pub fn once(&mut self) -> Result<bool, Broken> {
        self.now = self.now.after(Span(10));
        if self.dice.chance(self.faults.clock_step) {
            self.tally.faults += 1;
            let by = self.dice.below(7_200_000) as i64 - 3_600_000;
            self.step_clock(by);
        }
        if self.dice.chance(self.faults.meddling) {
            self.tally.faults += 1;
            crate::people::meddle(self);
        }
        if !self.late.is_empty() && self.dice.chance(10) {
            let late = self.late.remove(0);
            self.tell(late);
        }
        let choices = self.pending.len() + self.watched.len();
        if choices == 0 {
            let Some(wake) = self.wake.filter(|wake| wake.since(self.now) <= self.patience) else {
                return Ok(false);
            };
            self.now = self.now.max(wake);
            self.look();
        } else if match self.orderly {
            true => !self.pending.is_empty(),
            false => self.dice.below(choices) < self.pending.len(),
        } {
            self.perform_one();
        } else {
            self.end_one();
        }
        self.verify()?;
        Ok(true)
    }

    /// The brain looks at the time.
    pub fn look(&mut self) {
        let now = self.now;
        if let Ok(stepped) = self.engine().step(now, Vec::new()) {
            self.wake = stepped.wake;
            self.pending.extend(stepped.perform);
        }
    }

    fn verify(&mut self) -> Result<(), Broken> {
        match &mut self.engine {
            Some(engine) => self.watch.look(engine, &self.world, self.now),
            None => Ok(()),
        }
    }

    /// Goes on until this moment; what is on its way then stays on its way.
    pub fn run_until(&mut self, until: Moment) -> Result<(), Broken> {
        let patience = self.patience;
        while self.now < until {
            self.patience = until.since(self.now);
            if !self.once()? {
                self.now = until;
                self.look();
            }
        }
        self.patience = patience;
        self.verify()
    }

    /// Goes on until everything waits for people; sweeps when nothing moves, as the brain does.
    pub fn run(&mut self) -> Result<(), Broken> {
        for _ in 0..40_000 {
            if self.once()? {
                continue;
            }
            if !self.sweep() && !self.is_busy() {
                self.verify()?;
                return invariant::at_rest(self.engine.as_mut(), &self.world);
            }
        }
        Err(Broken { name: "liveness", what: "still busy after 40,000 actions".to_owned() })
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
        let open = self.tasks().into_iter().filter(|task| !task.stage.is_terminal());
        let open: Vec<Task> = open.collect();
        let now = self.now;
        let engine = self.engine();
        let stands = |task: &Task| standing(task, engine.board(), engine.policies(), now);
        let left: Vec<String> = open
            .iter()
            .map(|task| format!("{} at {} does {:?}: {:?}", task.id, task.stage, task.step, stands(task)))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Broken { name: "liveness", what: left.join("; ") })
    }

    /// A person looks at every task that waits for one, now and then.
    pub fn attend_all(&mut self) {
        if self.dice.chance(15) {
            for task in self.tasks() {
                if self.dice.chance(20) {
                    self.attend(&task);
                }
            }
        }
    }

    fn attend(&mut self, task: &Task) {
        let Step::Rest(rest) = &task.step else { return };
        let issue = task.issue.clone();
        match rest {
            Rest::Start | Rest::Questions | Rest::Escalated => drop(self.press(&issue, Status::ToAnalyse)),
            Rest::Approval | Rest::Protected => drop(self.press(&issue, Status::Approved)),
            Rest::Confirmation => drop(self.press(&issue, Status::ConfirmDeploy)),
            Rest::RequestChanged | Rest::Withdrawn => drop(self.gesture(&task.id, Press::Continue)),
            Rest::MergedOutside | Rest::DeployUnseen => {
                drop(self.gesture(&task.id, Press::Accept { what: None }))
            }
            Rest::RunBudget { .. } => drop(self.gesture(&task.id, Press::Allow)),
            Rest::CannotTell { .. } => drop(self.gesture(&task.id, Press::Retry)),
            Rest::IssueGone => {
                self.world.tracker.set_present(&issue, true);
                self.deliver(&issue);
            }
            Rest::Over => {}
        }
        // A press whose delivery was lost is found by the sweep of the next round.
    }

    /// Checks the journal from its first row to its last, with effects that are under way still.
    pub fn verify_journal_so_far(&mut self) -> Result<(), Broken> {
        invariant::check_replay(self.engine().journal())
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
