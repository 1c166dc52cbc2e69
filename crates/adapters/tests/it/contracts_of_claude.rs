//! Does the real Claude Code keep the contract of its port? The program itself under the real supervisor, against a model
//! server on loopback. `cargo xtask long` installs it and runs this; the gate has no place for 360 MB.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use orch_adapters::agent::AgentKind;
use orch_adapters::run::Secret;
use orch_core::call::Failure;
use orch_core::event::RunEnd;
use orch_core::id::RunId;
use orch_sim::contract::run::{self, Does, Order, SAID, Seen};
use orch_sim::contract::{self, OutOfReach};
use orch_sim::http::model::{Model, Then, Turn};

use crate::contracts_of_runs::{Kind, Machine};
use crate::{Bench, exe, world};

/// How a prompt of this test begins: the model knows the run by it.
const PROMPT: &str = "This is run ";

/// The program, where `cargo xtask long` puts it.
fn program() -> PathBuf {
    let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/claude/node_modules");
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let program = tools.join(format!("@anthropic-ai/claude-code-linux-{machine}/claude"));
    program.canonicalize().unwrap_or_else(|e| {
        panic!("{}: {e}: `cargo xtask long` installs it and runs this test", program.display())
    })
}

/// A machine whose agent is Claude Code, and what its model has in mind for each run.
struct Claude {
    machine: Machine,
    plans: Arc<Mutex<BTreeMap<String, Does>>>,
}

impl Claude {
    fn new() -> Self {
        let plans = Arc::new(Mutex::new(BTreeMap::new()));
        let known = Arc::clone(&plans);
        let model = Model::start(move |prompt| turn(prompt, &known.lock().unwrap())).unwrap();
        Self { machine: Machine::new(|bench| claude(bench, model.port)), plans }
    }
}

fn claude(bench: &Bench, port: u16) -> Kind {
    let mut agents = world::agents(&bench.root(), exe(), None);
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.kind = AgentKind::Claude;
    agent.program = program().to_string_lossy().into_owned();
    agent.env.insert("ANTHROPIC_BASE_URL".to_owned(), format!("http://127.0.0.1:{port}"));
    agent.login.keys.insert("ANTHROPIC_API_KEY".to_owned(), Secret::new("sk-ant-api03-this-is-no-key"));
    agents.prompt = Arc::new(|assignment| Ok(format!("{PROMPT}{}\n", assignment.run)));
    Kind::Command(agents)
}

/// What the model does in a run: it has the tool say that it began, and then what the suite wants.
fn turn(prompt: &str, plans: &BTreeMap<String, Does>) -> Turn {
    let run = prompt.lines().find_map(|line| line.strip_prefix(PROMPT)).unwrap();
    let then = match plans[run] {
        Does::Ends(0) => Then::Says(SAID.to_owned()),
        Does::Ends(_) => Then::Refuses(SAID.to_owned()),
        Does::Hangs => Then::Waits,
    };
    Turn { commands: "echo began >>ran".to_owned(), then }
}

impl run::Stage for Claude {
    const OUT_OF_REACH: &[OutOfReach] =
        &[("a_code_of_its_own_is_told", "the program has no code but 0 and 1 for the end of its work")];

    fn will(&mut self, run: RunId, does: Does) {
        self.plans.lock().unwrap().insert(run.to_string(), does);
    }

    fn start(&mut self, order: &Order) -> Result<u32, Failure> {
        self.machine.start(order)
    }

    fn start_twice(&mut self, order: &Order) -> [Result<u32, Failure>; 2] {
        self.machine.start_twice(order)
    }

    fn unname(&mut self) {
        self.machine.unname();
    }

    fn stop(&mut self, run: RunId) -> Result<(), Failure> {
        self.machine.stop(run)
    }

    fn end(&mut self, run: RunId) -> RunEnd {
        self.machine.end(run)
    }

    fn said(&mut self, run: RunId) -> Option<String> {
        self.machine.said(run)
    }

    fn seen(&mut self, run: RunId) -> Seen {
        self.machine.seen(run)
    }

    fn began(&mut self, run: RunId) -> usize {
        self.machine.began(run)
    }

    fn lose(&mut self, run: RunId, pid: u32) {
        self.machine.lose(run, pid);
    }

    fn bury(&mut self, run: RunId) {
        self.machine.bury(run);
    }

    fn hide(&mut self, run: RunId, hidden: bool) {
        self.machine.hide(run, hidden);
    }
}

/// Proves the contract of runs on the real Claude Code.
#[test]
#[ignore = "needs the real Claude Code: cargo xtask long --only \"Claude Code\""]
fn claude_keeps_the_contract_of_runs() {
    contract::run::run_of(Claude::new);
}
