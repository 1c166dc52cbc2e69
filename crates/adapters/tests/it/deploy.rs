//! Deploy hooks and health probes: what the contract promises, with a service that really lives.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use orch_adapters::deploy::hook::{Deploy, Hook, VARIABLES};
use orch_adapters::deploy::probe::Probe;
use orch_adapters::lease::Registry;
use orch_adapters::process::{Identity, Observed, observe};
use orch_core::call::deploy::Health;
use orch_core::call::{DeployCall, DeployReply, FailureKind};
use orch_core::event::RunHow;
use orch_core::hindrance::Hindrance;
use orch_core::id::{Commit, RunId, Seq};
use orch_core::time::Span;
use rustix::process::{Pid, Signal, kill_process};

use crate::process::{dead, eventually, kill};
use crate::world::{self, COMMIT};
use crate::{Bench, block_on, end, exe, tail};

const NEXT: &str = "fedcba9876543210fedcba9876543210fedcba98";

fn deploy(bench: &Bench, script: &str) -> Deploy {
    let (mut runs, _) = world::runs(&bench.root(), exe());
    // A service will listen here: not where other tests look whether ports are free.
    let from = 29_000 + (std::process::id() % 90) as u16 * 10;
    runs.ports = Registry::within(bench.root().join("leases"), from, from + 9, 3);
    fs::create_dir_all(bench.root().join("commits").join(NEXT)).unwrap();
    let hook = Hook {
        program: "/bin/sh".to_owned(),
        args: vec!["-c".to_owned(), script.to_owned()],
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        run_dir: bench.root().join("run"),
        may_gain_rights: false,
    };
    let url = "http://127.0.0.1:{port}/health";
    let probe = Probe::new(url, "commit").unwrap();
    Deploy { runs, hook: Some(hook), probe: Some(probe) }
}

fn run(n: u64) -> RunId {
    RunId::new(Seq(n), 0)
}

fn hook(n: u64, commit: &str, previous: Option<&str>) -> DeployCall {
    DeployCall::Hook {
        run: run(n),
        task: "DEMO-001".into(),
        commit: Commit::from(commit),
        previous: previous.map(Commit::from),
        limit: Span::minutes(5),
    }
}

fn launch(deploy: &Deploy, call: &DeployCall) -> u32 {
    match block_on(deploy.perform(call)).unwrap() {
        DeployReply::Launched { pid } => pid,
        DeployReply::Probed(health) => panic!("a launch does not probe: {health:?}"),
    }
}

fn ask(deploy: &Deploy, commit: &str) -> Health {
    match block_on(deploy.perform(&DeployCall::Probe { commit: Commit::from(commit) })).unwrap() {
        DeployReply::Probed(health) => health,
        DeployReply::Launched { pid } => panic!("a probe does not launch: {pid}"),
    }
}

/// Exit codes 0, 1 and 2 arrive as they are, with the hook's last words; a hook that is killed or too late has no result.
#[test]
fn the_result_of_a_hook() {
    for code in [0, 1, 2] {
        let bench = Bench::new();
        let deploy = deploy(&bench, &format!("echo trying; echo because >&2; exit {code}"));
        let pid = launch(&deploy, &hook(1, COMMIT, None));
        assert_eq!(launch(&deploy, &hook(1, COMMIT, None)), pid);
        let finished = end(&deploy.runs, run(1));
        assert_eq!(finished.end.how, RunHow::Exited { code });
        assert_eq!(tail(&finished), "trying\nbecause");
        assert!(!deploy.runs.places.of(run(1)).tree.exists());
        // The ports of a deploy that touched nothing are free again; those of another may be lived on.
        assert_eq!(deploy.runs.ports.all().unwrap().is_empty(), code == 1);
    }
    let bench = Bench::new();
    let deploy = deploy(&bench, "kill -9 $$");
    launch(&deploy, &hook(1, COMMIT, None));
    assert_eq!(end(&deploy.runs, run(1)).end.how, RunHow::Signalled { signal: 9 });
    let DeployCall::Hook { run: id, task, commit, previous, .. } = hook(2, COMMIT, None) else {
        unreachable!()
    };
    let mut late = deploy.clone();
    late.hook.as_mut().unwrap().args[1] = "exec sleep 1000".to_owned();
    launch(&late, &DeployCall::Hook { run: id, task, commit, previous, limit: Span(100) });
    assert_eq!(end(&late.runs, run(2)).end.how, RunHow::TimedOut);
}

/// Proves that the checkout of a hook whose supervisor was killed stays as long as the hook works, and that the deploy has no
/// end until then.
#[test]
fn a_hook_without_its_supervisor_keeps_its_checkout() {
    let bench = Bench::new();
    bench.commit("here", "");
    let script = "echo $$ >$ORCH_RUN_DIR/new; mv $ORCH_RUN_DIR/new $ORCH_RUN_DIR/pid
        while ! test -e $ORCH_RUN_DIR/go; do sleep 0.02; done; test -e $ORCH_CHECKOUT/here && mv $ORCH_RUN_DIR/go $ORCH_RUN_DIR/kept";
    let deploy = deploy(&bench, script);
    let shim = launch(&deploy, &hook(1, COMMIT, None)).cast_signed();
    let run_dir = bench.root().join("run").join(COMMIT);
    eventually("the hook", || run_dir.join("pid").exists().then_some(()));
    let shim = Identity::of(shim).unwrap();
    kill(&shim, Signal::KILL);
    eventually("the shim's death", || dead(&shim).then_some(()));
    let runs = deploy.runs.clone();
    let watcher = std::thread::spawn(move || end(&runs, run(1)));
    assert!(matches!(observe(&deploy.runs.places.of(run(1)).record), Observed::Running(_)));
    assert_eq!(launch(&deploy, &hook(1, COMMIT, None)), shim.pid.cast_unsigned());
    fs::write(run_dir.join("go"), "").unwrap();
    assert!(matches!(watcher.join().unwrap().end.how, RunHow::Lost { .. }));
    assert!(run_dir.join("kept").exists());
    assert!(!deploy.runs.places.of(run(1)).tree.exists());
}

/// The environment of a hook is its contract and what the settings give it, nothing else; the checkout is the commit.
/// incident I-12: a hook built from a clone of its own and not from what its caller named; here a real hook is given the
/// commit and works in a checkout of exactly that.
#[test]
fn the_contract_of_a_hook() {
    let bench = Bench::new();
    bench.commit("deploy/run.sh", "env -u PWD -u SHLVL -u _ -u OLDPWD | sort >$ORCH_RUN_DIR/env; pwd");
    let mut deploy = deploy(&bench, "");
    deploy.hook.as_mut().unwrap().args = vec!["{checkout}/deploy/run.sh".to_owned()];
    launch(&deploy, &hook(1, COMMIT, Some(NEXT)));
    let finished = end(&deploy.runs, run(1));
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "{}", tail(&finished));
    let tree = deploy.runs.places.of(run(1)).tree;
    assert_eq!(PathBuf::from(tail(&finished)), tree);
    let run_dir = bench.root().join("run").join(COMMIT);
    let env = fs::read_to_string(run_dir.join("env")).unwrap();
    let known: BTreeMap<&str, &str> = env.lines().filter_map(|line| line.split_once('=')).collect();
    let names: Vec<&str> = known.keys().copied().collect();
    let mut promised = VARIABLES.map(|(name, _)| name).to_vec();
    promised.extend(["ORCH_RUN", "ORCH_RUN_MARK", "PATH"]);
    promised.sort_unstable();
    assert_eq!(names, promised);
    assert_eq!((known["ORCH_COMMIT"], known["ORCH_PREVIOUS"]), (COMMIT, NEXT));
    assert_eq!((known["ORCH_PROJECT"], known["ORCH_TASK"]), ("demo", "DEMO-001"));
    assert_eq!(PathBuf::from(known["ORCH_CHECKOUT"]), tree);
    assert_eq!(PathBuf::from(known["ORCH_RUN_DIR"]), run_dir);
}

/// A deployed service lives on after its hook, names its commit on its leased port, and is still found when the next deploy
/// brought nothing up.
#[test]
fn a_service_lives_on_and_names_itself() {
    let bench = Bench::new();
    let script = format!(
        "{} serve $ORCH_PORT $ORCH_COMMIT >/dev/null 2>&1 & echo $! >$ORCH_RUN_DIR/pid
         for n in $(seq 1000); do
            if (exec 3<>/dev/tcp/127.0.0.1/$ORCH_PORT) 2>/dev/null; then exit 0; fi; sleep 0.01
         done; exit 1",
        exe().display()
    );
    let mut deploy = deploy(&bench, &script);
    deploy.hook.as_mut().unwrap().program = "/bin/bash".to_owned();
    assert!(matches!(ask(&deploy, COMMIT), Health::CannotTell { .. }));
    launch(&deploy, &hook(1, COMMIT, None));
    let finished = end(&deploy.runs, run(1));
    let pid = fs::read_to_string(bench.root().join("run").join(COMMIT).join("pid")).unwrap();
    let service = Deployed(Identity::of(pid.trim().parse().unwrap()).unwrap());
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "{}", tail(&finished));
    assert_eq!(ask(&deploy, COMMIT), Health::Expected);

    deploy.hook.as_mut().unwrap().args[1] = "exit 1".to_owned();
    launch(&deploy, &hook(2, NEXT, Some(COMMIT)));
    assert_eq!(end(&deploy.runs, run(2)).end.how, RunHow::Exited { code: 1 });
    assert_eq!(ask(&deploy, NEXT), Health::Other { commit: COMMIT.to_owned() });

    // A later deploy that works takes over: what the first one had is given back.
    deploy.hook.as_mut().unwrap().args[1] = "exit 0".to_owned();
    launch(&deploy, &hook(3, NEXT, Some(COMMIT)));
    end(&deploy.runs, run(3));
    let owners: Vec<String> = deploy.runs.ports.all().unwrap().into_iter().map(|(owner, _)| owner).collect();
    assert_eq!(owners, ["hook/demo/r3.0"]);
    drop(service);
    assert!(matches!(ask(&deploy, COMMIT), Health::CannotTell { .. }));
}

/// A process that a hook started; ended with the test.
struct Deployed(Identity);

impl Drop for Deployed {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_raw(self.0.pid).unwrap(), Signal::KILL);
        while self.0.life() == orch_adapters::process::Life::Alive {
            std::thread::yield_now();
        }
    }
}

/// A server that gives every caller the same bytes.
pub(crate) fn server(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(&answer);
            if answer.is_empty() {
                // Says nothing and does not hang up.
                open.push(stream);
            }
        }
    });
    port
}

fn probed(answer: &[u8]) -> Health {
    let bench = Bench::new();
    let mut deploy = deploy(&bench, "");
    let url = format!("http://127.0.0.1:{}/health", server(answer.to_vec()));
    deploy.probe = Some(Probe::new(url, "commit").unwrap());
    ask(&deploy, COMMIT)
}

pub(crate) fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// Over real HTTP: expected, another, unwell; and everything that is no clear answer cannot be told (decision 36).
#[test]
fn what_a_service_says() {
    let well = format!(r#"{{"commit":"{COMMIT}","status":"ok"}}"#);
    assert_eq!(probed(&http("200 OK", &well)), Health::Expected);
    let other = well.replace(COMMIT, NEXT);
    assert_eq!(probed(&http("200 OK", &other)), Health::Other { commit: NEXT.to_owned() });
    assert_eq!(
        probed(&http("503 Service Unavailable", &well)),
        Health::Unwell { cause: Hindrance::AnswersWith { status: 503 }.into() }
    );
    let cause = |answer: &[u8]| match probed(answer) {
        Health::CannotTell { cause } => cause.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(cause(&http("302 Found", "")).contains("redirects"));
    assert!(cause(&http("200 OK", "fine")).contains("names no commit"));
    assert!(cause(&http("200 OK", &" ".repeat(70_000))).contains("longer than 64 KiB"));
    assert!(cause(b"not http at all\r\n\r\n").contains("broke off"));
    assert!(cause(b"").contains("did not answer within 2 s"));
}

/// Where nothing listens, nothing is known; what is not configured is a person's to mend.
#[test]
fn nobody_there() {
    let bench = Bench::new();
    let mut deploy = deploy(&bench, "");
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    deploy.probe = Some(Probe::new(format!("http://127.0.0.1:{unused}/"), "commit").unwrap());
    let Health::CannotTell { cause } = ask(&deploy, COMMIT) else { panic!("nobody is there") };
    let cause = cause.to_string();
    assert!(cause.contains("cannot be reached") && cause.contains("refused"), "{cause}");
    (deploy.hook, deploy.probe) = (None, None);
    for call in [hook(1, COMMIT, None), DeployCall::Probe { commit: Commit::from(COMMIT) }] {
        let failure = block_on(deploy.perform(&call)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        assert!(failure.cause.to_string().contains("settings name no"), "{}", failure.cause);
    }
}

/// A hook named by a path that is not absolute would be whatever lies there: it is refused with the remedy.
#[test]
fn a_relative_hook_is_refused() {
    let bench = Bench::new();
    let mut deploy = deploy(&bench, "");
    deploy.hook.as_mut().unwrap().program = "deploy/run.sh".to_owned();
    let failure = block_on(deploy.perform(&hook(1, COMMIT, None))).unwrap_err();
    assert!(failure.cause.to_string().contains("{checkout}/deploy/run.sh"), "{}", failure.cause);
}
