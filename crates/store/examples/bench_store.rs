//! How many durable batches and rows a second does the store take, empty and with a million finished rows?
//!
//! `cargo run --release -p orch-store --example bench_store [-- <finished rows> <folder>]` (1,000,000 and the system's
//! temporary folder if not given). Each row comes with the state of one of 10,000 open tasks, an effect wanted and one
//! settled, a timer, and each fourth with a blob. A figure is the median of five runs of a second of commits, with the
//! least and the most of them; making the batches is not counted. Quote the disk with the figures.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orch_core::call::Text;
use orch_core::call::deploy::DeployCall;
use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::call::{Call, Failure};
use orch_core::change::Change;
use orch_core::effect::{Effect, Line, Timer};
use orch_core::event::{EffectReply, Event, Outcome};
use orch_core::id::{Commit, Digest, EffectId, ProjectId, TimerId};
use orch_core::journal::{Batch, Blob, Head, Journal, Kept, RULES, Row};
use orch_core::reason::Reason;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use orch_sim::contract::sample;
use orch_store::{Reader, SqliteJournal, TaskFilter};

const OPEN: u64 = 10_000;
const RUNS: usize = 5;
const LENGTH: Duration = Duration::from_secs(1);

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let finished: u64 = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let home = folder.join(format!("orch-bench-store-{}", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let result = bench(&home, finished);
    std::fs::remove_dir_all(&home)?;
    result
}

fn bench(home: &Path, finished: u64) -> Fallible<()> {
    let mut writer = Writer::new();
    let sample = writer.batch(1);
    let bytes: usize = sample.rows.iter().map(|row| row.canonical().len()).sum();
    let state: usize = sample.states.iter().filter_map(|(_, kept)| state_bytes(&kept.state)).sum();
    println!("row {bytes} B, state {state} B, {OPEN} open tasks, median of {RUNS} (least-most)");
    println!(
        "{:>9} {:>6} {:>26} {:>26} {:>10} {:>10}",
        "finished", "batch", "batches/s", "rows/s", "p99 ms", "max ms"
    );
    for finished in [0, finished] {
        let store = home.join(format!("{finished}.db"));
        let began = Instant::now();
        let mut writer = fill(&store, finished)?;
        if finished > 0 {
            let size = std::fs::metadata(&store)?.len() >> 20;
            println!("(filled in {} s, {size} MiB)", began.elapsed().as_secs());
        }
        // What filling left to be written must not be measured.
        std::fs::File::open(&store)?.sync_all()?;
        let began = Instant::now();
        let mut journal = SqliteJournal::open(&store)?;
        let opened = began.elapsed();
        let mut seen = 0_u64;
        journal.each_open(&mut |_| seen += 1)?;
        let visited = began.elapsed();
        let checkpointer = journal.checkpointer()?;
        let thread = std::thread::spawn(move || checkpointer.run());
        for size in [1, 16, 64, 256] {
            let mut figures = Vec::new();
            let mut waits = Vec::new();
            let mut making = Duration::ZERO;
            let (before, first) = (cpu()?, writer.turn);
            for _ in 0..RUNS {
                let began = Instant::now();
                let mut batches = 0_u32;
                let mut spent = Duration::ZERO;
                while spent < LENGTH && began.elapsed() < LENGTH * 3 {
                    let made = Instant::now();
                    let batch = writer.batch(size);
                    making += made.elapsed();
                    let began = Instant::now();
                    journal.commit(&batch)?;
                    let took = began.elapsed();
                    waits.push(took);
                    spent += took;
                    batches += 1;
                }
                figures.push(f64::from(batches) / spent.as_secs_f64());
            }
            let rows = u32::try_from(writer.turn - first)?;
            let used = cpu()?.saturating_sub(before).saturating_sub(making) / rows;
            figures.sort_by(f64::total_cmp);
            waits.sort();
            let say = |n: f64| {
                let at = |i: usize| figures.get(i).copied().unwrap_or_default() * n;
                format!("{:.0} ({:.0}-{:.0})", at(RUNS / 2), at(0), at(RUNS - 1))
            };
            let ms = |d: Option<&Duration>| d.map_or(0.0, Duration::as_secs_f64) * 1e3;
            println!(
                "{finished:>9} {size:>6} {:>26} {:>26} {:>10.2} {:>10.1} {:>11}",
                say(1.0),
                say(f64::from(size)),
                ms(waits.get(waits.len() * 99 / 100)),
                ms(waits.last()),
                used.as_micros(),
            );
        }
        println!(
            "(opened in {:.1} ms, {seen} open states read {:.1} ms later; resident {} KiB)",
            opened.as_secs_f64() * 1e3,
            (visited - opened).as_secs_f64() * 1e3,
            resident()
        );
        look(&store)?;
        drop(journal);
        thread.join().map_err(|_| "the checkpointer panicked")?;
        std::fs::remove_file(&store)?;
    }
    Ok(())
}

fn state_bytes(state: &State) -> Option<usize> {
    serde_json::to_vec(state).ok().map(|json| json.len())
}

/// What a dashboard asks.
fn look(store: &Path) -> Fallible<()> {
    let mut reader = Reader::open(store)?;
    let time = |name: &str, ask: &mut dyn FnMut() -> Fallible<usize>| -> Fallible<()> {
        let began = Instant::now();
        let found = ask()?;
        println!("(reader: {name}: {found} in {:.2} ms)", began.elapsed().as_secs_f64() * 1e3);
        Ok(())
    };
    let all = TaskFilter::default();
    let open = TaskFilter { open: true, ..all.clone() };
    let done = TaskFilter { stage: Some(Stage::Done), ..all.clone() };
    let prefix = TaskFilter { prefix: Some("a-01".to_owned()), ..all.clone() };
    time("50 newest", &mut || Ok(reader.tasks(&all, 50)?.tasks.len()))?;
    time("50 open", &mut || Ok(reader.tasks(&open, 50)?.tasks.len()))?;
    time("50 done", &mut || Ok(reader.tasks(&done, 50)?.tasks.len()))?;
    time("50 by prefix", &mut || Ok(reader.tasks(&prefix, 50)?.tasks.len()))?;
    time("stages", &mut || Ok(reader.stages(None)?.len()))
}

/// Processor time of this process so far, the checkpointer's too: in the scheduler's ticks of 10 ms.
fn cpu() -> Fallible<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|n| n.parse().unwrap_or(0)).sum::<u64>();
    Ok(Duration::from_millis(ticks * 10))
}

/// This process's resident memory in KiB, as the kernel says.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// A store with 10,000 open tasks and this many finished rows: each finished task has ten rows.
fn fill(store: &Path, finished: u64) -> Fallible<Writer> {
    let mut writer = Writer::new();
    let mut journal = SqliteJournal::open(store)?;
    let checkpointer = journal.checkpointer()?;
    let thread = std::thread::spawn(move || checkpointer.run());
    let mut left = finished;
    let mut number = OPEN;
    while left > 0 {
        let mut batch = Batch::default();
        for _ in 0..100 {
            number += 1;
            let task = sample::task("a", number, 1, Stage::Done);
            for _ in 0..10 {
                writer.about(&mut batch, &task, false);
            }
        }
        left = left.saturating_sub(1_000);
        journal.commit(&batch)?;
    }
    for _ in 0..OPEN / 100 {
        journal.commit(&writer.batch(100))?;
    }
    journal.close()?;
    thread.join().map_err(|_| "the checkpointer panicked")?;
    Ok(writer)
}

/// Makes batches as the engine does.
struct Writer {
    head: Head,
    turn: u64,
    open: Vec<EffectId>,
}

impl Writer {
    fn new() -> Self {
        let head = Head { seq: orch_core::id::Seq(0), hash: Row::genesis() };
        Self { head, turn: 0, open: Vec::new() }
    }

    /// Rows about `size` open tasks, one each.
    fn batch(&mut self, size: u32) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..size {
            self.turn += 1;
            // A stride that meets all of them, so that neighbours in time are none in the file.
            let number = self.turn * 3_571 % OPEN + 1;
            let stages = [Stage::Analysis, Stage::Development, Stage::Review, Stage::Testing];
            let stage = stages.get((self.turn / OPEN / 4 % 4) as usize).copied().unwrap_or(Stage::Review);
            let task = sample::with_runs(sample::task("a", number, 1, stage), 2);
            self.about(&mut batch, &task, true);
        }
        batch
    }

    fn about(&mut self, batch: &mut Batch, task: &Task, busy: bool) {
        let entity = sample::entity(task);
        let seq = orch_core::id::Seq(self.head.seq.0 + 1);
        let text = format!("text {seq}");
        let reading = IssueReading {
            issue: task.issue.clone(),
            number: task.number,
            status: Some(Status::Analysis),
            title: task.request.title.clone(),
            slug: task.request.slug.clone(),
            text: Text::of(&text),
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let born =
            Change::Born { id: task.id.clone(), project: task.project.clone(), reading: Box::new(reading) };
        let effects: Vec<Effect> = busy
            .then(|| Effect {
                id: EffectId::new(seq, 0),
                line: Line::Tracker(task.issue.clone()),
                entity: entity.clone(),
                project: ProjectId::from("a"),
                call: Call::Deploy(DeployCall::Probe { commit: Commit::from("c0ffee".repeat(6)) }),
            })
            .into_iter()
            .collect();
        let reply = EffectReply {
            effect: EffectId::new(seq, 9),
            outcome: Outcome::Failed(Failure::transient("connection refused ".repeat(10))),
        };
        let row = Row {
            seq,
            at: Moment(1_700_000_000_000).after(Span(seq.0)),
            entity: entity.clone(),
            key: format!("effect/e{seq}.9"),
            event: Event::Reply(Box::new(reply)),
            changes: vec![born, Change::Requested(task.request.clone()), Change::Staged(task.stage)],
            effects,
            timers: Vec::new(),
            reasons: vec![Reason::Known, Reason::RequestEdited],
            policy: Some(Digest::of(b"policy")),
            rules: RULES,
            prev: Row::genesis(),
            hash: Row::genesis(),
        }
        .sealed(self.head.hash.clone());
        self.head = Head { seq, hash: row.hash.clone() };
        if busy {
            self.open.extend(row.effects.iter().map(|effect| effect.id));
            if self.open.len() > 100 {
                batch.settled.push(self.open.remove(0));
            }
            batch.timers.push((entity.clone(), Some(Timer { id: TimerId::new(seq, 0), due: row.at })));
            if seq.0.is_multiple_of(4) {
                batch.blobs.push(Blob::of(text));
            }
        }
        batch.rows.push(row);
        batch.states.retain(|(other, _)| *other != entity);
        batch.states.push((entity, Kept { seq, state: State::Task(Box::new(task.clone())) }));
    }
}
