//! Do the real supervisor, under agents, tests and deploy hooks, and the real probe keep the contracts of their ports?

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use orch_adapters::agent::{AgentKind, Agents};
use orch_adapters::deploy::hook::{Deploy, Hook};
use orch_adapters::deploy::probe::Probe;
use orch_adapters::gate::ci::Ci;
use orch_adapters::process::{Observed, observe};
use orch_adapters::run::Runs;
use orch_core::call::agent::Assignment;
use orch_core::call::deploy::Health;
use orch_core::call::{AgentCall, AgentReply, DeployCall, DeployReply, Failure, GateCall, GateReply};
use orch_core::event::RunEnd;
use orch_core::id::{Commit, RunId};
use orch_sim::contract;
use orch_sim::contract::probe::{self, Deployed};
use orch_sim::contract::run::{self, Does, Order, SAID, Seen};
use rustix::process::{Pid, Signal, kill_process};

use crate::contracts::at_once;
use crate::deploy::{http, server};
use crate::process::eventually;
use crate::world::{self, assignment};
use crate::{Bench, block_on, end, exe, tail};

/// What is started.
pub(crate) enum Kind {
    /// Orch's own player of scenarios.
    Scripted(Agents),
    /// Any program as an agent.
    Command(Agents),
    /// The tests.
    Ci(Ci),
    /// The deploy hook.
    Hook(Box<Deploy>),
}

/// A machine with one kind of run.
pub(crate) struct Machine {
    pub(crate) bench: Bench,
    pub(crate) kind: Kind,
    /// Whether nobody says which tests there are.
    unnamed: bool,
    /// The script of each run of the tests.
    scripts: BTreeMap<RunId, String>,
    /// What the agent's program, or its scenario, was written to do last.
    written: Option<Does>,
}

impl Machine {
    pub(crate) fn new(kind: impl Fn(&Bench) -> Kind) -> Self {
        let bench = Bench::new();
        let kind = kind(&bench);
        Self { bench, kind, unnamed: false, scripts: BTreeMap::new(), written: None }
    }

    fn scripted(bench: &Bench) -> Kind {
        Kind::Scripted(world::agents(&bench.root(), exe(), None))
    }

    fn command(bench: &Bench) -> Kind {
        let mut agents = world::agents(&bench.root(), exe(), None);
        let agent = agents.programs.get_mut("scripted").unwrap();
        agent.kind = AgentKind::Command;
        agent.program = bench.root().join("bin/agent").to_string_lossy().into_owned();
        Kind::Command(agents)
    }

    fn ci(bench: &Bench) -> Kind {
        Kind::Ci(Ci { runs: world::runs(&bench.root(), exe()).0 })
    }

    fn hook(bench: &Bench) -> Kind {
        let hook = Hook {
            program: "/bin/sh".to_owned(),
            args: vec!["-c".to_owned(), String::new()],
            env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            run_dir: bench.root().join("run"),
            may_gain_rights: false,
        };
        let runs = world::runs(&bench.root(), exe()).0;
        Kind::Hook(Box::new(Deploy { runs, hook: Some(hook), probe: None }))
    }

    fn runs(&self) -> &Runs {
        match &self.kind {
            Kind::Scripted(agents) | Kind::Command(agents) => &agents.runs,
            Kind::Ci(ci) => &ci.runs,
            Kind::Hook(deploy) => &deploy.runs,
        }
    }

    fn launch(&self, order: &Order) -> Result<u32, Failure> {
        let Order { run, task, commit, limit } = order.clone();
        match &self.kind {
            Kind::Scripted(agents) | Kind::Command(agents) => {
                let assignment = Assignment { run, task, commit, limit, ..assignment(1) };
                match agents.perform(&AgentCall::Launch(Box::new(assignment)))? {
                    AgentReply::Launched { pid } => Ok(pid),
                    AgentReply::Stopping => panic!("a launch does not stop"),
                }
            }
            Kind::Ci(ci) => {
                let script = self.scripts[&run].clone();
                let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
                // What prepares the tests is no test.
                let (setup, test) = match self.unnamed {
                    true => (words(&["true"]), Vec::new()),
                    false => (Vec::new(), words(&["sh", "-c", &script])),
                };
                let cache = Vec::new();
                let call = GateCall::Ci { run, task, commit, setup, test, cache, limit };
                ci.perform(&call).map(|GateReply::Launched { pid }| pid)
            }
            Kind::Hook(deploy) => {
                let call = DeployCall::Hook { run, task, commit, previous: None, limit };
                match block_on(deploy.perform(&call))? {
                    DeployReply::Launched { pid } => Ok(pid),
                    DeployReply::Probed(health) => panic!("a launch does not probe: {health:?}"),
                }
            }
        }
    }
}

impl run::Stage for Machine {
    fn will(&mut self, run: RunId, does: Does) {
        // An agent that was started and has not read its file yet keeps it: the next run's is not put in its place.
        let stands = self.written.replace(does) == Some(does);
        let last = match does {
            Does::Ends(code) => format!("echo '{SAID}'; exit {code}"),
            Does::Hangs => "exec sleep 1000".to_owned(),
        };
        let script = format!("echo began >>ran; {last}");
        match &mut self.kind {
            Kind::Scripted(_) | Kind::Command(_) if stands => {}
            Kind::Scripted(_) => {
                let last = match does {
                    Does::Ends(code) => {
                        format!(
                            "do = \"say\"\ntext = \"{SAID}\"\n[[part.step]]\ndo = \"exit\"\ncode = {code}"
                        )
                    }
                    Does::Hangs => "do = \"hang\"".to_owned(),
                };
                let began = "do = \"append\"\npath = \"ran\"\ntext = \"began\\n\"";
                let steps = format!("[[part.step]]\n{began}\n[[part.step]]\n{last}\n");
                let part = "version = 1\n[[part]]\nrole = \"developer\"\n";
                self.bench.write("scenario.toml", &format!("{part}{steps}"));
            }
            Kind::Command(_) => {
                let path = self.bench.root().join("bin/agent");
                crate::bench::program(&path, &format!("#!/bin/sh\n{script}\n"));
            }
            Kind::Ci(_) => drop(self.scripts.insert(run, script)),
            Kind::Hook(deploy) => {
                let hook = deploy.hook.as_mut().unwrap();
                hook.args[1] = format!("echo began >>ran; echo began >>$ORCH_RUN_DIR/ran.$ORCH_RUN; {last}");
            }
        }
    }

    fn start(&mut self, order: &Order) -> Result<u32, Failure> {
        self.launch(order)
    }

    fn start_twice(&mut self, order: &Order) -> [Result<u32, Failure>; 2] {
        let machine = &*self;
        at_once(|| machine.launch(order), || machine.launch(order))
    }

    fn unname(&mut self) {
        self.unnamed = true;
        match &mut self.kind {
            Kind::Scripted(agents) | Kind::Command(agents) => agents.programs.clear(),
            Kind::Ci(_) => {}
            Kind::Hook(deploy) => deploy.hook = None,
        }
    }

    fn stop(&mut self, run: RunId) -> Result<(), Failure> {
        self.runs().stop(run)
    }

    fn end(&mut self, run: RunId) -> RunEnd {
        end(self.runs(), run).end
    }

    fn said(&mut self, run: RunId) -> Option<String> {
        let finished = end(self.runs(), run);
        finished.end.tail.is_some().then(|| tail(&finished))
    }

    fn seen(&mut self, run: RunId) -> Seen {
        match observe(&self.runs().places.of(run).record) {
            Observed::NotStarted => Seen::NotBegun,
            Observed::Running(_) => Seen::Alive,
            Observed::Ended(_) | Observed::Lost { .. } => Seen::Over,
            Observed::Unknown { .. } => Seen::CannotTell,
        }
    }

    fn began(&mut self, run: RunId) -> usize {
        let lines = |file: PathBuf| fs::read_to_string(file).map_or(0, |lines| lines.lines().count());
        let tree = self.runs().places.of(run).tree;
        let in_tree = tree.join("ran");
        if let Kind::Hook(_) = &self.kind {
            let out = lines(self.bench.root().join("run").join(run::COMMIT).join(format!("ran.{run}")));
            // It writes into its checkout first, which goes when it has ended: one that is there without that was made anew,
            // for a second start.
            assert!(!tree.exists() || lines(in_tree) >= out, "{run} was prepared again");
            return out;
        }
        lines(in_tree)
    }

    fn lose(&mut self, run: RunId, pid: u32) {
        eventually("the program", || (self.began(run) > 0).then_some(()));
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }

    fn bury(&mut self, run: RunId) {
        eventually("the end of what is left", || match observe(&self.runs().places.of(run).record) {
            Observed::Running(left) => {
                // The supervisor, which is dying, or the hook; it may be gone by now.
                let _ = kill_process(Pid::from_raw(left.pid).unwrap(), Signal::KILL);
                None
            }
            Observed::Lost { .. } => Some(()),
            other => panic!("{run} is not lost: {other:?}"),
        });
    }

    fn hide(&mut self, run: RunId, hidden: bool) {
        // A supervisor that is still about to start its program looks at its record itself.
        eventually("the program", || (!hidden || self.began(run) > 0).then_some(()));
        let record = self.runs().places.of(run).record.join("shim.json");
        let aside = record.with_extension("aside");
        if hidden {
            fs::rename(&record, &aside).unwrap();
            fs::write(&record, "no longer what it was").unwrap();
        } else {
            fs::rename(&aside, &record).unwrap();
        }
    }
}

/// Proves the contract of runs on scripted agents under the real supervisor.
#[test]
fn scripted_agents_keep_the_contract_of_runs() {
    contract::run::run_of(|| Machine::new(Machine::scripted));
}

/// Proves the contract of runs on any program as an agent.
#[test]
fn command_agents_keep_the_contract_of_runs() {
    contract::run::run_of(|| Machine::new(Machine::command));
}

/// Proves the contract of runs on the project's tests.
#[test]
fn tests_keep_the_contract_of_runs() {
    contract::run::run_of(|| Machine::new(Machine::ci));
}

/// Proves the contract of runs on deploy hooks.
#[test]
fn hooks_keep_the_contract_of_runs() {
    contract::run::run_of(|| Machine::new(Machine::hook));
}

/// A service behind real HTTP, as it is now.
struct Target {
    deploy: Deploy,
    /// Removed with the stage.
    _bench: Bench,
}

impl Target {
    fn new() -> Self {
        let bench = Bench::new();
        let deploy = Deploy { runs: world::runs(&bench.root(), exe()).0, hook: None, probe: None };
        Self { deploy, _bench: bench }
    }
}

impl probe::Stage for Target {
    fn is(&mut self, service: Deployed) {
        let body = |commit: &Commit, status| format!(r#"{{"commit":"{commit}","status":"{status}"}}"#);
        let port = match service {
            // A port that was free just now: whoever listened there is gone.
            Deployed::Absent => {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                listener.local_addr().unwrap().port()
            }
            Deployed::Well(commit) => server(http("200 OK", &body(&commit, "ok"))),
            Deployed::Unwell(commit) => server(http("503 Service Unavailable", &body(&commit, "down"))),
            Deployed::Odd => server(http("200 OK", "<html>fine</html>")),
        };
        self.deploy.probe = Some(Probe::new(format!("http://127.0.0.1:{port}/health"), "commit").unwrap());
    }

    fn ask(&mut self, commit: &Commit) -> Result<Health, Failure> {
        match block_on(self.deploy.perform(&DeployCall::Probe { commit: commit.clone() }))? {
            DeployReply::Probed(health) => Ok(health),
            DeployReply::Launched { pid } => panic!("a probe does not launch: {pid}"),
        }
    }
}

/// Proves the contract of probes over real HTTP.
#[test]
fn the_probe_keeps_the_contract_of_probes() {
    contract::probe::probe(Target::new);
}
