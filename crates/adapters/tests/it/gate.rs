//! The project's tests as a gate: green, red, out of time, side by side.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use orch_adapters::agent::AgentKind;
use orch_adapters::gate::ci::Ci;
use orch_adapters::process::{Identity, Observed, observe};
use orch_adapters::run::{Machine, Secret};
use orch_core::call::{AgentCall, Failure, FailureKind, GateCall, GateReply};
use orch_core::event::RunHow;
use orch_core::id::{Commit, RunId, Seq};
use orch_core::time::Span;

use crate::process::{dead, eventually};
use crate::world::{self, COMMIT, assignment};
use crate::{Bench, end, exe, stdout, tail};

/// What the environment of the tests has, and nothing besides.
const NAMES: [&str; 10] = [
    "CI",
    "HOME",
    "LANG",
    "ORCH_PORT",
    "ORCH_PORT_END",
    "ORCH_RUN",
    "ORCH_RUN_MARK",
    "PATH",
    "TERM",
    "TMPDIR",
];

/// The tests of run `r<n>.0`.
fn call(n: u64, setup: &[&str], test: &[&str]) -> GateCall {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    GateCall::Ci {
        run: run(n),
        task: "DEMO-001".into(),
        commit: Commit::from(COMMIT),
        setup: words(setup),
        test: words(test),
        cache: vec!["target".to_owned()],
        limit: Span::minutes(5),
    }
}

fn run(n: u64) -> RunId {
    RunId::new(Seq(n), 0)
}

fn launch(ci: &Ci, call: &GateCall) -> Result<u32, Failure> {
    let GateReply::Launched { pid } = ci.perform(call)?;
    Ok(pid)
}

/// Green is exit code 0 of setup and test, in a clean tree of that commit, once however often it is asked for.
#[test]
fn green() {
    let bench = Bench::new();
    bench.commit("answer.txt", "42\n");
    let (runs, trees) = world::runs(&bench.root(), exe());
    let ci = Ci { runs };
    let green = call(1, &["cp", "answer.txt", "built.txt"], &["grep", "42", "built.txt"]);
    let pid = launch(&ci, &green).unwrap();
    assert_eq!(launch(&ci, &green).unwrap(), pid);
    let finished = end(&ci.runs, run(1));
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 });
    assert_eq!(tail(&finished), "");
    let printed = stdout(&ci.runs, run(1));
    assert!(printed.contains("== orch: setup: cp answer.txt built.txt\n"), "{printed}");
    assert!(printed.contains("== orch: test passed\n"), "{printed}");
    let kept = trees.caches.lock().unwrap().clone();
    assert_eq!(kept, [("DEMO-001/ci".to_owned(), vec!["target".to_owned()])]);
    assert_eq!(ci.runs.ports.all().unwrap(), []);
}

/// Proves that the folder of a run is not another's because it has its name, as after a restore that gives names again: asked
/// for another task or commit, nothing is started and nothing that was found counts.
#[test]
fn a_name_alone_is_no_proof() {
    let bench = Bench::new();
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    let first = call(1, &[], &["true"]);
    let pid = launch(&ci, &first).unwrap();
    end(&ci.runs, run(1));
    let GateCall::Ci { run, setup, test, cache, limit, .. } = first.clone();
    let other = |task: &str, commit: &str| GateCall::Ci {
        run,
        task: task.into(),
        commit: Commit::from(commit),
        setup: setup.clone(),
        test: test.clone(),
        cache: cache.clone(),
        limit,
    };
    for call in [other("DEMO-002", COMMIT), other("DEMO-001", &"e".repeat(40))] {
        let failure = launch(&ci, &call).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        assert!(
            failure.cause.to_string().contains("another run of that name, of DEMO-001"),
            "{}",
            failure.cause
        );
    }
    assert_eq!(launch(&ci, &first).unwrap(), pid);
}

/// A red run gives back the names of what failed and its last lines; they are what the developer gets.
#[test]
fn red_names_what_failed() {
    let bench = Bench::new();
    bench.commit(
        "t.sh",
        "echo 'test a::good ... ok'; echo 'test a::bad ... FAILED'; echo 'left: 1, right: 2' >&2; exit 101",
    );
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    launch(&ci, &call(1, &[], &["sh", "t.sh"])).unwrap();
    let finished = end(&ci.runs, run(1));
    assert_eq!(finished.end.how, RunHow::Exited { code: 101 });
    let said = tail(&finished);
    for part in ["test failed with exit code 101\n", "Failed:\n- a::bad\n", "left: 1, right: 2"] {
        assert!(said.contains(part), "{said}");
    }
}

/// A setup that fails is said to be the setup, and the tests are not run on what it left.
#[test]
fn setup_failing() {
    let bench = Bench::new();
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    launch(&ci, &call(1, &["sh", "-c", "echo no network >&2; exit 4"], &["touch", "tested"])).unwrap();
    let finished = end(&ci.runs, run(1));
    assert_eq!(finished.end.how, RunHow::Exited { code: 4 });
    let said = tail(&finished);
    assert!(said.starts_with("setup failed with exit code 4\n") && said.contains("no network"), "{said}");
    assert!(!ci.runs.places.of(run(1)).tree.join("tested").exists());
}

/// Tests that hang are killed at their limit, with all that they started, also where that left their group.
#[test]
fn out_of_time() {
    let bench = Bench::new();
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    let mut patience = Span(300);
    for n in 1.. {
        let GateCall::Ci { run: id, task, commit, setup, test, cache, .. } =
            call(n, &[], &["sh", "-c", "setsid sleep 1000 & echo $! >started; wait"]);
        launch(&ci, &GateCall::Ci { run: id, task, commit, setup, test, cache, limit: patience }).unwrap();
        let folder = ci.runs.places.of(id);
        let started = eventually("what the tests started, or their end", || {
            let text = fs::read_to_string(folder.tree.join("started")).unwrap_or_default();
            let pid = text.strip_suffix('\n').map(|pid| pid.parse().unwrap());
            let over = !matches!(observe(&folder.record), Observed::Running(_));
            (pid.is_some() || over).then_some(pid)
        });
        let child = started.and_then(|pid| Identity::of(pid).ok());
        assert_eq!(end(&ci.runs, id).end.how, RunHow::TimedOut);
        let Some(child) = child else {
            // A busy machine came to nothing in that time.
            patience = Span(patience.0 * 4);
            continue;
        };
        assert!(dead(&child), "what they started is alive");
        return;
    }
}

/// Two runs at once have different ports, and no key of anyone: neither of whoever started Orch, nor of the agent beside them,
/// which has one. These names are all they get, in any of their processes.
#[test]
fn two_at_once_do_not_meet() {
    let bench = Bench::new();
    let mut agents = world::agents(&bench.root(), exe(), None);
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.kind = AgentKind::Command;
    agent.program = bench.root().join("bin/agent").to_string_lossy().into_owned();
    agent.login.keys = [("API_KEY".to_owned(), Secret::new("sk-of-the-agent"))].into();
    crate::bench::program(
        &bench.root().join("bin/agent"),
        "#!/bin/sh\necho \"$API_KEY\" >has; exec sleep 1000\n",
    );
    agents.perform(&AgentCall::Launch(Box::new(assignment(3)))).unwrap();
    let has = agents.runs.places.of(run(3)).tree.join("has");
    eventually("the agent's key", || (fs::read_to_string(&has).ok()? == "sk-of-the-agent\n").then_some(()));
    let ci = Ci { runs: agents.runs.clone() };
    // What the step was given, and what gave it; then each waits until the test has seen both.
    let test = [
        "sh",
        "-c",
        "cat /proc/$$/environ; echo; cat /proc/$PPID/environ; echo; while [ ! -e go ]; do sleep 0.01; done",
    ];
    for n in [1, 2] {
        launch(&ci, &call(n, &[], &test)).unwrap();
    }
    let blocks = ci.runs.ports.all().unwrap();
    assert_eq!(blocks.len(), 3, "two of the tests, one of the agent");
    for n in [1, 2] {
        fs::write(ci.runs.places.of(run(n)).tree.join("go"), "").unwrap();
    }
    let printed = [1, 2].map(|n| {
        assert_eq!(end(&ci.runs, run(n)).end.how, RunHow::Exited { code: 0 });
        stdout(&ci.runs, run(n))
    });
    let ports = printed.map(|printed| {
        let given: Vec<BTreeMap<&str, &str>> = printed
            .lines()
            .filter(|line| line.contains('\0'))
            .map(|line| line.split('\0').filter_map(|entry| entry.split_once('=')).collect())
            .collect();
        assert_eq!(given.len(), 2, "{printed}");
        for given in &given {
            let names: Vec<&str> = given.keys().copied().collect();
            assert_eq!(names, NAMES);
            assert_eq!(given["CI"], "true");
        }
        assert!(!printed.contains("sk-of-the-agent"), "{printed}");
        given[0]["ORCH_PORT"].parse::<u16>().unwrap()
    });
    assert!(ports[0].abs_diff(ports[1]) >= 10);
    agents.perform(&AgentCall::Stop { run: run(3) }).unwrap();
    end(&agents.runs, run(3));
    assert_eq!(ci.runs.ports.all().unwrap(), []);
}

/// Commands are lists of arguments: nothing in them is a shell's to understand.
#[test]
fn no_shell_in_between() {
    let bench = Bench::new();
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    launch(&ci, &call(1, &[], &["echo", "$(touch hacked); `touch hacked` && $HOME"])).unwrap();
    assert_eq!(end(&ci.runs, run(1)).end.how, RunHow::Exited { code: 0 });
    assert!(stdout(&ci.runs, run(1)).contains("\n$(touch hacked); `touch hacked` && $HOME\n"));
    assert!(!ci.runs.places.of(run(1)).tree.join("hacked").exists());
}

/// A program that the machine has not, and no command at all, are a person's to mend and no red test; a program of the
/// repository that is not there is red.
#[test]
fn missing_programs() {
    let bench = Bench::new();
    let ci = Ci { runs: world::runs(&bench.root(), exe()).0 };
    for (test, says) in [(&["no-such-program"][..], "not in PATH"), (&[], "names no test command")] {
        let failure = launch(&ci, &call(1, &[], test)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        assert!(failure.cause.to_string().contains(says), "{}", failure.cause);
    }
    launch(&ci, &call(2, &[], &["./run-tests"])).unwrap();
    let finished = end(&ci.runs, run(2));
    assert_eq!(finished.end.how, RunHow::Exited { code: 127 });
    assert!(tail(&finished).contains("./run-tests cannot be started"), "{}", tail(&finished));
}

/// The real toolchain of whoever runs these tests works in the sandbox: cargo builds and tests a program, offline, in a
/// tree and a home that were empty, and its failure comes back by the name of the test.
#[test]
fn cargo_tests_a_program() {
    let bench = Bench::new();
    bench.commit("Cargo.toml", "[package]\nname = \"answer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    bench.commit("src/lib.rs", "#[test]\nfn the_answer() {\n    assert_eq!(6 * 9, 42);\n}\n");
    let mut runs = world::runs(&bench.root(), exe()).0;
    let variable = |name: &str| std::env::var(name).ok();
    let home = variable("HOME").unwrap();
    runs.machine = Machine::of(&variable("PATH").unwrap(), Path::new(&home), variable);
    let ci = Ci { runs };
    launch(&ci, &call(1, &[], &["cargo", "test", "--offline"])).unwrap();
    let finished = end(&ci.runs, run(1));
    assert_eq!(finished.end.how, RunHow::Exited { code: 101 }, "{}", tail(&finished));
    let said = tail(&finished);
    assert!(said.contains("Failed:\n- the_answer\n") && said.contains("left: 54"), "{said}");
}
