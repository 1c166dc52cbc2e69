//! The pages with sample content, to be looked at: `cargo run -p orch-server --example showcase [port] [--empty|--many]`.

#[path = "../tests/it/memory.rs"]
mod memory;
#[path = "../tests/it/sample.rs"]
mod sample;

use std::sync::Arc;
use std::time::Duration;

use orch_core::id::TaskId;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::task::{Rest, Step, Want};
use orch_core::time::Span;
use orch_server::auth::{Access, Keeper};
use orch_server::source::Source;
use orch_server::{Front, Listener, Patience, Setup, serve};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port = words.iter().find_map(|word| word.parse().ok()).unwrap_or(0_u16);
    let memory = if words.iter().any(|word| word == "--empty") {
        let memory = memory::Memory::new();
        memory.project("site", sample::policy("SITE", Preset::Full));
        memory
    } else {
        sample::sample()
    };
    if words.iter().any(|word| word == "--many") {
        for n in 100..10_100_u64 {
            let task = memory.issue("site", n, &format!("One of ten thousand tasks, this is number {n}"), "");
            let stage = Stage::ALL[(n % 8) as usize];
            match n % 3 {
                0 => sample::rest(&memory, &task, stage, Rest::Approval),
                _ => sample::step(&memory, &task, stage, Step::Queued(Want::Agent(Role::Developer))),
            }
        }
    }
    let keeper = Arc::new(Keeper::new(Access::loopback("showcase"), Vec::new(), None));
    let stop = CancellationToken::new();
    let source: Arc<dyn Source> = memory.clone();
    let front = Front::new(Setup {
        source,
        keeper: keeper.clone(),
        lang: orch_core::message::Lang::En,
        notice: Some(|_| "Sample content: nothing here is real."),
        answer_within: Duration::from_secs(30),
        stop: stop.clone(),
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let ticket = keeper.issue("ada", memory.now())?;
    println!("http://{}/login?ticket={ticket}", listener.local_addr()?);
    tokio::spawn(async move {
        let task = TaskId::from("SITE-007");
        let mut n = 0_u64;
        let mut beat = tokio::time::interval(Duration::from_millis(500));
        loop {
            beat.tick().await;
            memory.pass(Span(500));
            n += 1;
            memory.write_log(
                &task,
                "r702.0",
                format!("[{n:>4}] batch of 500 customers imported\n").as_bytes(),
                true,
            );
            if n.is_multiple_of(10) && memory.world().rows.len() < 100_000 {
                memory.force(&task, vec![], vec![orch_core::reason::Reason::Noted]);
            }
        }
    });
    serve(vec![Listener::Tcp(listener)], front, Patience::default(), stop).await;
    Ok(())
}
