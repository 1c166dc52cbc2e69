//! How much work goes through the brain, how soon is it begun, and what does a stage cost of Orch's own time? The real
//! engine, store, thread and hands; what they reach for answers at once. (goals 15 and 16)

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use orch_core::call::Call;
use orch_core::call::tracker::Status;
use orch_core::effect::Effect;
use orch_core::event::{Event, Outcome};
use orch_core::id::{Entity, ProjectId, TaskId, WorkItem};
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_engine::hands::Hands;
use orch_engine::ports::{Perform, Performed};
use orch_engine::run::Brain;
use orch_engine::{Engine, Handle, Incoming};
use orch_sim::world::World;
use orch_store::{Reader, SqliteJournal};

use crate::Plan;
use crate::brain::cpu_of;
use crate::figure::{Figures, machine, ms};
use crate::flow::{self, answers, issue, launched, policy, policy_of, reading, world_of};

/// Projects, so that git's and merges' lines do not make everything serial.
const PROJECTS: u64 = 32;

/// What the hands saw.
#[derive(Default)]
struct Seen {
    worlds: BTreeMap<TaskId, World>,
    began: BTreeMap<TaskId, Instant>,
    ended: BTreeMap<TaskId, Instant>,
    /// From a run's end, told, to the request of the next one.
    between: Vec<f64>,
    performed: u64,
}

/// A brain with hands.
struct Body {
    brain: Brain,
    seen: Arc<Mutex<Seen>>,
    checkpoints: std::thread::JoinHandle<()>,
    taking: tokio::task::JoinHandle<()>,
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body {
    async fn begin(store: &Path) -> Result<Self> {
        let journal = SqliteJournal::open(store)?;
        let checkpointer = journal.checkpointer()?;
        let checkpoints = std::thread::spawn(move || checkpointer.run());
        let (engine, _) = Engine::take_over(journal)?;
        let (brain, mut effects) = Brain::start(engine, |journal: SqliteJournal| {
            if let Err(error) = journal.close() {
                eprintln!("{error}");
            }
        })?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let hands = Hands::new(perform(&seen, &brain.handle()), brain.handle());
        let taking = tokio::spawn(async move {
            while let Some(effect) = effects.recv().await {
                hands.take(effect);
            }
            hands.finish().await;
        });
        let body = Self { brain, seen, checkpoints, taking };
        body.tell(flow::start()).await?;
        for project in 0..PROJECTS {
            let (id, prefix) = project_of(project);
            body.tell(policy_of(&id, &policy(&prefix))).await?;
        }
        Ok(body)
    }

    async fn tell(&self, incoming: Incoming) -> Result<()> {
        self.brain.handle().report(incoming).await?;
        Ok(())
    }

    async fn end(self) -> Result<()> {
        let Self { brain, checkpoints, taking, .. } = self;
        tokio::task::spawn_blocking(move || brain.stop()).await?;
        taking.await?;
        checkpoints.join().map_err(|_| anyhow::anyhow!("the checkpoints ended in a panic"))
    }
}

fn project_of(n: u64) -> (ProjectId, String) {
    let n = n % PROJECTS;
    (ProjectId::from(format!("work-{n}")), format!("W{n}"))
}

/// Answers at once; a run ends as soon as it was started.
fn perform(seen: &Arc<Mutex<Seen>>, handle: &Handle) -> Perform {
    let (seen, handle) = (Arc::clone(seen), handle.clone());
    Arc::new(move |effect: Effect| {
        let (seen, handle) = (Arc::clone(&seen), handle.clone());
        Box::pin(async move {
            let began = Instant::now();
            let Entity::Task(task) = effect.entity.clone() else { return failed("not a task's") };
            let told = {
                let mut seen = lock(&seen);
                seen.performed += 1;
                if launched(&effect.call).is_some()
                    && let Some(ended) = seen.ended.remove(&task)
                {
                    seen.between.push(ms(began.duration_since(ended)));
                }
                if matches!(&effect.call, Call::Git(orch_core::call::GitCall::CutBranch { .. })) {
                    seen.began.insert(task.clone(), began);
                }
                match seen.worlds.get_mut(&task) {
                    Some(world) => answers(handle.term(), world, &effect),
                    None => return failed("no such world"),
                }
            };
            let mut told = told.into_iter();
            let reply = told.next();
            if let Some(end) = told.next() {
                tokio::spawn(async move {
                    // The launch's own reply must be first; a real run takes longer than that.
                    tokio::task::yield_now().await;
                    lock(&seen).ended.insert(task, Instant::now());
                    let _ = handle.report(end).await;
                });
            }
            match reply.map(|reply| (reply.event, reply.blobs)) {
                Some((Event::Reply(reply), blobs)) => Performed { outcome: reply.outcome, blobs },
                Some(_) | None => failed("no reply"),
            }
        })
    })
}

fn failed(cause: &str) -> Performed {
    let outcome = Outcome::Failed(orch_core::call::Failure::permanent(cause));
    Performed { outcome, blobs: Vec::new() }
}

/// Measures all of it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let home = plan.home()?;
    let tasks = plan.tasks.min(40 * plan.length.as_secs());
    let mut rates = Figures::default();
    let mut cpus = Figures::default();
    let mut rows = Figures::default();
    let mut next = 0;
    for _ in 0..plan.rounds {
        println!("{}", machine(&plan.scratch)?);
        let (rate, cpu, written) = runtime.block_on(many(&home.store(), &mut next, tasks))?;
        rates.0.push(rate);
        cpus.0.push(cpu);
        rows.0.push(written);
    }
    println!(
        "work: {tasks} tasks to done together: {} effects a second from wanted to settled, {} us of processor an effect, \
         hands included; {} rows a second",
        rates.said(0),
        cpus.said(0),
        rows.said(0)
    );
    let (mut stages, mut picks) = (Figures::default(), Figures::default());
    println!("{}", machine(&plan.scratch)?);
    runtime.block_on(alone(&home.store(), &mut next, (plan.rounds * 10) as u64, &mut stages))?;
    println!("work: one task alone, from a run's end to the next run's request: {}", stages.tail());
    runtime.block_on(soon(&home.store(), &mut next, plan.length.as_secs() * 100, &mut picks))?;
    println!(
        "work: 100 a second, from the answer to a gesture to the start of its first effect: {}",
        picks.tail()
    );
    Ok(())
}

fn one(n: u64, status: Status) -> (orch_adapters::tracker::builtin::Issue, TaskId, String) {
    let (project, prefix) = project_of(n);
    let issue = issue(&project, n + 1, status, true);
    let id = TaskId::of(&WorkItem::numbered(&prefix, n + 1), 1);
    (issue, id, prefix)
}

async fn many(store: &Path, next: &mut u64, tasks: u64) -> Result<(f64, f64, f64)> {
    let body = Body::begin(store).await?;
    let mut told = Vec::new();
    for n in *next..*next + tasks {
        let (issue, id, prefix) = one(n, Status::ToAnalyse);
        lock(&body.seen).worlds.insert(id.clone(), world_of(&issue));
        told.push((id, reading(&issue, &prefix)));
    }
    *next += tasks;
    let last: Vec<TaskId> = told.iter().map(|(id, _)| id.clone()).collect();
    let (began, cpu, head) = (Instant::now(), cpu_of("self")?, body.brain.head().borrow().0);
    let mut waiting = Vec::new();
    for (_, incoming) in told {
        let handle = body.brain.handle();
        waiting.push(tokio::spawn(async move { handle.report(incoming).await }));
    }
    for one in waiting {
        one.await??;
    }
    done(&body, store, &last).await?;
    let (took, used) = (began.elapsed().as_secs_f64(), cpu_of("self")? - cpu);
    let effects = lock(&body.seen).performed as f64;
    let rows = (body.brain.head().borrow().0 - head) as f64;
    body.end().await?;
    Ok((effects / took, used.as_secs_f64() * 1e6 / effects, rows / took))
}

/// Waits until all of these are done.
async fn done(body: &Body, store: &Path, tasks: &[TaskId]) -> Result<()> {
    let mut head = body.brain.head();
    let mut reader = Reader::open(store)?;
    for id in tasks {
        loop {
            let kept = reader.state(&Entity::Task(id.clone()))?;
            match kept.map(|kept| kept.state) {
                Some(State::Task(task)) if task.stage == Stage::Done => break,
                Some(State::Task(task)) if task.escalated.is_some() => {
                    bail!("{id} needs a person: {:?}", task.escalated)
                }
                Some(_) | None => {}
            }
            tokio::time::timeout(Duration::from_secs(30), head.changed())
                .await
                .with_context(|| format!("{id} stands still"))??;
        }
    }
    Ok(())
}

async fn alone(store: &Path, next: &mut u64, tasks: u64, between: &mut Figures) -> Result<()> {
    let body = Body::begin(store).await?;
    for _ in 0..tasks {
        let (issue, id, prefix) = one(*next, Status::ToAnalyse);
        *next += 1;
        lock(&body.seen).worlds.insert(id.clone(), world_of(&issue));
        body.tell(reading(&issue, &prefix)).await?;
        done(&body, store, &[id]).await?;
    }
    between.0.append(&mut lock(&body.seen).between);
    body.end().await
}

async fn soon(store: &Path, next: &mut u64, tasks: u64, picks: &mut Figures) -> Result<()> {
    let body = Body::begin(store).await?;
    let mut every = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..tasks {
        every.tick().await;
        let (mut issue, id, prefix) = one(*next, Status::ToAnalyse);
        *next += 1;
        // It stops at the approval, so that the ones before are out of the way.
        issue.labels = Default::default();
        lock(&body.seen).worlds.insert(id.clone(), world_of(&issue));
        let incoming = reading(&issue, &prefix);
        body.tell(incoming).await?;
        let told = Instant::now();
        let begun = loop {
            if let Some(begun) = lock(&body.seen).began.get(&id).copied() {
                break begun;
            }
            tokio::task::yield_now().await;
        };
        picks.0.push(ms(begun.saturating_duration_since(told)));
    }
    body.end().await
}
