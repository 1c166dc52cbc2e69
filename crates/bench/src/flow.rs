//! How do tasks come to be in a store? Through the real engine and store, with hands that answer at once.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use orch_adapters::tracker::builtin::{BuiltinTracker, Issue};
use orch_core::call::tracker::{Labels, Status};
use orch_core::call::{AgentCall, Call, DeployCall, Failure, GateCall, Reply};
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, IssueSeen, Outcome, PolicyChange, Start};
use orch_core::id::{Entity, IssueKey, ProjectId, RunId, Seq, TaskId, WorkItem};
use orch_core::policy::{Limits, Policy};
use orch_core::stage::Preset;
use orch_core::time::Span;
use orch_engine::step::policy_blob;
use orch_engine::{Engine, Incoming, Target, Term, clock};
use orch_sim::world::World;
use orch_store::SqliteJournal;

/// So many tasks are under way at once.
const TOGETHER: u64 = 256;
/// Finished tasks belong to another project, so that the open one is served without them.
pub(crate) const ARCHIVE: &str = "archive";

/// A brain without threads, and the outside of each of its tasks.
pub(crate) struct Flow {
    engine: Engine<SqliteJournal>,
    tracker: BuiltinTracker,
    checkpoints: std::thread::JoinHandle<()>,
    project: ProjectId,
    worlds: BTreeMap<TaskId, World>,
    now: orch_core::time::Moment,
    /// Whether every other start of a run is answered with a failure, and the rest never.
    stranding: bool,
    /// So many were asked for then.
    asked: u64,
}

/// Limits that hold nothing back.
pub(crate) fn no_limits() -> Limits {
    Limits {
        agents: 100_000,
        agents_a_project: 100_000,
        gates: 100_000,
        day_budget: 0,
        run_reserve: 0,
        ..Limits::default()
    }
}

/// The policy of a project here.
pub(crate) fn policy(prefix: &str) -> Policy {
    Policy { prefix: prefix.to_owned(), task_budget: 0, ..orch_sim::bench::policy(Preset::Library) }
}

/// The event that puts a policy in force.
pub(crate) fn policy_of(project: &ProjectId, policy: &Policy) -> Incoming {
    let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
    let target = Target::Entity(Entity::Project(project.clone()));
    Incoming::of(target, Event::PolicyChanged(Box::new(change))).with(vec![policy_blob(policy)])
}

/// The event of a brain that starts.
pub(crate) fn start() -> Incoming {
    let start = Start { version: "bench".to_owned(), clean: true, limits: no_limits(), boot: None };
    Incoming::of(Target::Entity(Entity::Installation), Event::Started(start))
}

/// What an issue says of itself, as the brain is told.
pub(crate) fn reading(issue: &Issue, prefix: &str) -> Incoming {
    let (reading, blobs) = issue.clone().into_reading();
    let seen = IssueSeen { project: issue.project.clone(), reading };
    let target = Target::Issue { prefix: prefix.to_owned() };
    Incoming::of(target, Event::Issue(Box::new(seen))).with(blobs)
}

/// An issue that stands nowhere but here.
pub(crate) fn issue(project: &ProjectId, number: u64, status: Status, approved: bool) -> Issue {
    Issue {
        key: IssueKey::from(format!("{project}#{number}")),
        project: project.clone(),
        number,
        title: format!("Greet visitor {number} by name"),
        text: "As a visitor I want to be greeted by my name, so that I feel at home. ".repeat(8),
        status: Some(status),
        labels: Labels { auto_approve: approved, auto_deploy: approved },
        present: true,
        changed: 0,
    }
}

/// The run that an effect starts.
pub(crate) fn launched(call: &Call) -> Option<RunId> {
    match call {
        Call::Agent(AgentCall::Launch(work)) => Some(work.run),
        Call::Gate(GateCall::Ci { run, .. }) | Call::Deploy(DeployCall::Hook { run, .. }) => Some(*run),
        Call::Agent(AgentCall::Stop { .. })
        | Call::Deploy(DeployCall::Probe { .. })
        | Call::Tracker(_)
        | Call::Forge(_)
        | Call::Git(_) => None,
    }
}

/// A world with a repository and this issue in it.
pub(crate) fn world_of(issue: &Issue) -> World {
    let mut world = World::default();
    world.repositories.entry(issue.project.clone()).or_default().begin();
    let there = orch_sim::world::tracker::Issue {
        project: issue.project.clone(),
        number: issue.number,
        title: issue.title.clone(),
        text: issue.text.clone(),
        status: issue.status,
        labels: issue.labels,
        present: true,
        said: Vec::new(),
    };
    world.tracker.issues.insert(issue.key.clone(), there);
    world
}

/// The reply to an effect, and the end of the run that it started.
pub(crate) fn answers(term: Term, world: &mut World, effect: &Effect) -> Vec<Incoming> {
    let target = Target::Entity(effect.entity.clone());
    let outcome = world.perform(effect);
    let mut told = vec![replied(term, effect, outcome).with(world.take_texts())];
    if let Some(run) = launched(&effect.call) {
        world.finish(run);
        told.extend(world.end(run).map(|end| Incoming::of(target, Event::RunEnded(Box::new(end)))));
    }
    told
}

/// The event of a reply.
pub(crate) fn replied(term: Term, effect: &Effect, outcome: Outcome) -> Incoming {
    let reply = EffectReply { effect: effect.id, outcome };
    Incoming::reply(term, effect.entity.clone(), reply)
}

impl Flow {
    /// Opens a store, or makes one; its open tasks are of this project.
    pub(crate) fn open(store: &Path, project: &str) -> Result<Self> {
        let journal = SqliteJournal::open(store)?;
        let checkpointer = journal.checkpointer()?;
        let checkpoints = std::thread::spawn(move || checkpointer.run());
        let (engine, _) = Engine::take_over(journal)?;
        let tracker = BuiltinTracker::open(store, orch_adapters::Log::OfStore)?;
        let project = ProjectId::from(project);
        let now = clock::now();
        let mut flow = Self {
            engine,
            tracker,
            checkpoints,
            project: project.clone(),
            worlds: BTreeMap::new(),
            now,
            stranding: false,
            asked: 0,
        };
        let policies = [(project, "BENCH"), (ARCHIVE.into(), "OLD")];
        let mut first = vec![start()];
        first.extend(policies.iter().map(|(project, prefix)| policy_of(project, &policy(prefix))));
        flow.settle(first)?;
        Ok(flow)
    }

    /// Tasks that travel to their end, until they have left so many rows.
    pub(crate) fn finished(&mut self, rows: u64) -> Result<()> {
        let mut number = 0;
        let until = self.engine.head().0 + rows;
        while rows > 0 && self.engine.head().0 < until {
            self.travel(number, TOGETHER)?;
            number += TOGETHER;
        }
        Ok(())
    }

    /// So many tasks that travel to their end.
    pub(crate) fn delivered(&mut self, tasks: u64) -> Result<()> {
        let mut number = 0;
        while number < tasks {
            let some = TOGETHER.min(tasks - number);
            self.travel(number, some)?;
            number += some;
        }
        Ok(())
    }

    /// Tasks whose numbers follow this one.
    fn travel(&mut self, after: u64, many: u64) -> Result<()> {
        let mut told = Vec::new();
        for number in after + 1..=after + many {
            let issue = issue(&ARCHIVE.into(), number, Status::ToAnalyse, true);
            self.worlds.insert(TaskId::of(&WorkItem::numbered("OLD", number), 1), world_of(&issue));
            told.push(reading(&issue, "OLD"));
        }
        self.settle(told)?;
        self.worlds.clear();
        Ok(())
    }

    /// Tasks that wait for a person: one half to be started, the other with an analysis to be approved.
    pub(crate) fn waiting(&mut self, tasks: u64) -> Result<()> {
        self.begun(tasks, |n| if n.is_multiple_of(2) { Status::ToAnalyse } else { Status::Backlog })
    }

    /// Tasks that asked for their first run: one half was refused for a while and has a timer, which is due soon, the
    /// other was never answered.
    pub(crate) fn stranded(&mut self, tasks: u64) -> Result<()> {
        self.stranding = true;
        self.begun(tasks, |_| Status::ToAnalyse)
    }

    fn begun(&mut self, tasks: u64, status: impl Fn(u64) -> Status) -> Result<()> {
        let mut left = tasks;
        while left > 0 {
            let mut told = Vec::new();
            for _ in 0..left.min(TOGETHER) {
                left -= 1;
                let status = status(left);
                let plain = issue(&self.project, 0, status, false);
                let issue = self.tracker.create_issue(
                    &self.project,
                    &plain.title,
                    &plain.text,
                    status,
                    Labels::default(),
                )?;
                let id = TaskId::of(&WorkItem::numbered("BENCH", issue.number), 1);
                self.worlds.insert(id, world_of(&issue));
                told.push(reading(&issue, "BENCH"));
            }
            self.settle(told)?;
            self.worlds.clear();
        }
        Ok(())
    }

    /// Ends in order; the last row.
    pub(crate) fn close(self) -> Result<Seq> {
        let last = self.engine.head();
        self.engine.into_journal().close()?;
        self.checkpoints.join().map_err(|_| anyhow::anyhow!("the checkpoints ended in a panic"))?;
        Ok(last)
    }

    /// Ends without a word, as in a kill; the last row.
    pub(crate) fn killed(self) -> Result<Seq> {
        let last = self.engine.head();
        drop(self.engine.into_journal());
        self.checkpoints.join().map_err(|_| anyhow::anyhow!("the checkpoints ended in a panic"))?;
        Ok(last)
    }

    /// Goes on until nothing is on its way.
    fn settle(&mut self, mut told: Vec<Incoming>) -> Result<()> {
        while !told.is_empty() {
            self.now = self.now.after(Span(1));
            let stepped = self.engine.step(self.now, std::mem::take(&mut told))?;
            for effect in &stepped.perform {
                told.extend(self.answer(effect)?);
            }
        }
        Ok(())
    }

    /// The tracker of the open project is the real one: its tables must say what the tasks know.
    fn answer(&mut self, effect: &Effect) -> Result<Vec<Incoming>> {
        let Entity::Task(task) = &effect.entity else { return Ok(Vec::new()) };
        let term = self.engine.term();
        if self.stranding && launched(&effect.call).is_some() {
            self.asked += 1;
            let refused = self.asked.is_multiple_of(2);
            let outcome = Outcome::Failed(Failure::transient("no process can be started"));
            return Ok(refused.then(|| replied(term, effect, outcome)).into_iter().collect());
        }
        if let Call::Tracker(call) = &effect.call
            && effect.project == self.project
        {
            let words = |_: &orch_core::note::Note, _: orch_core::message::Lang| {
                Ok("The analysis is ready.".to_owned())
            };
            let said = self.tracker.perform(call, effect.id, self.now, &words);
            let said = said.map_err(|failure| anyhow::anyhow!(failure.cause))?;
            let told = replied(term, effect, Outcome::Done(Reply::Tracker(said.reply)));
            return Ok(vec![told.with(said.blobs)]);
        }
        let world = self.worlds.get_mut(task).with_context(|| format!("no world of {task}"))?;
        Ok(answers(term, world, effect))
    }
}
