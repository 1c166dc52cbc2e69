//! Agents under the real supervisor: started once, shut in, stopped, read.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::process::{Command, Stdio};

use orch_adapters::agent::{AgentKind, Agents, Login, Price};
use orch_adapters::process::{Enforcement, Identity, Life, Observed, RunAs, observe};
use orch_adapters::run::{Masker, Secret, Watched, tidy};
use orch_core::artefact::REVIEW;
use orch_core::call::agent::Assignment;
use orch_core::call::{AgentCall, AgentReply, Failure, FailureKind};
use orch_core::event::{RunHow, Usage};
use orch_core::stage::Role;
use orch_core::time::Span;
use rustix::process::{Pid, Signal, kill_process};

use crate::process::eventually;
use crate::world::{self, assignment};
use crate::{Bench, block_on, end, exe, stdout, tail};

impl Bench {
    /// A world whose developer does these steps.
    fn agents(&self, steps: &str) -> Agents {
        let head = "version = 1\n[[part]]\nrole = \"developer\"\n[[part]]\nrole = \"reviewer\"\n";
        let part = format!("{head}[[part]]\nrole = \"developer\"\nattempt = 1\n");
        self.write("scenario.toml", &format!("{part}{steps}"));
        world::agents(&self.root(), exe(), None)
    }
}

fn step(text: &str) -> String {
    format!("[[part.step]]\n{text}\n")
}

fn launch(agents: &Agents, assignment: &Assignment) -> Result<u32, Failure> {
    match agents.perform(&AgentCall::Launch(Box::new(assignment.clone())))? {
        AgentReply::Launched { pid } => Ok(pid),
        AgentReply::Stopping => panic!("a launch does not stop"),
    }
}

/// An agent works in its tree, is launched once however often that is asked, and leaves only its tree and its record.
#[test]
fn a_run_from_launch_to_end() {
    let bench = Bench::new();
    bench.commit("old.txt", "old");
    let agents = bench.agents(
        &[
            step("do = \"write\"\npath = \"src/{item}.txt\"\ntext = \"by the {role}\""),
            step("do = \"used\"\ninput = 100\noutput = 7\ncost = \"0.25\""),
        ]
        .concat(),
    );
    let (runs, run) = (&agents.runs, assignment(1).run);
    let pid = launch(&agents, &assignment(1)).unwrap();
    assert_eq!(launch(&agents, &assignment(1)).unwrap(), pid);
    let finished = end(runs, run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 });
    let used = Usage { input: Some(100), output: Some(7), microdollars: Some(250_000), ..Usage::default() };
    assert_eq!(finished.end.usage, used);
    assert!(tail(&finished).starts_with("scripted agent (no model): developer, attempt 1/3 of DEMO-001\n"));
    let folder = runs.places.of(run);
    let read = |name| fs::read_to_string(folder.tree.join(name)).unwrap();
    assert_eq!((read("src/DEMO-001.txt").as_str(), read("old.txt").as_str()), ("by the developer", "old"));
    assert!(!folder.shed.exists());
    assert_eq!(runs.ports.all().unwrap(), []);
    assert_eq!(fs::read_to_string(folder.record.join("prompt.md")).unwrap(), "Be the developer.\n");
    // Asked again after its end, it is not started again; read again, it ends the same.
    assert_eq!(launch(&agents, &assignment(1)).unwrap(), pid);
    assert_eq!(end(runs, run).end, finished.end);
    assert_eq!(runs.unsettled().unwrap(), [run]);
    runs.settle(run).unwrap();
    assert_eq!(runs.unsettled().unwrap(), []);
    // A restore moves the folders of runs aside: there is nothing to settle then, and nothing to warn of.
    fs::rename(&folder.record, folder.record.with_extension("replaced-1")).unwrap();
    runs.settle(run).unwrap();
}

/// Whatever an agent prints, its end is a bounded text, and its exit code is what it is.
#[test]
fn misbehaviour_is_an_end_like_any_other() {
    for (steps, code, says) in [
        (step("do = \"exit\"\ncode = 1"), 1, ""),
        (step("do = \"garbage\"\nbytes = 100000"), 0, "\u{fffd}"),
        (step("do = \"complain\"\ntext = \"it broke\"") + &step("do = \"exit\"\ncode = 3"), 3, "it broke"),
        (step("do = \"replace\"\npath = \"none\"\nfrom = \"a\"\nto = \"b\""), 1, "replace in none"),
        (String::new(), 0, "scripted agent (no model)"),
    ] {
        let bench = Bench::new();
        let agents = bench.agents(&steps);
        launch(&agents, &assignment(1)).unwrap();
        let finished = end(&agents.runs, assignment(1).run);
        assert_eq!(finished.end.how, RunHow::Exited { code }, "{steps}");
        assert_eq!(finished.end.usage, Usage::default());
        assert!(tail(&finished).contains(says), "{steps}: {}", tail(&finished));
    }
}

/// A gigabyte of output is read, counted and dropped: the log stays bounded and the agent is not blocked.
#[test]
fn a_flood_is_bounded() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"flood\"\nbytes = 1073741824"));
    launch(&agents, &assignment(1)).unwrap();
    let finished = end(&agents.runs, assignment(1).run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 });
    let log = agents.runs.places.of(assignment(1).run).record.join("stdout.log");
    assert!(fs::metadata(log).unwrap().len() <= 64 << 20);
    assert!(finished.end.left_out > 900 << 20, "{}", finished.end.left_out);
    tail(&finished);
}

/// An agent that never ends is stopped on request, and at its limit by itself.
#[test]
fn hanging_agents_end() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"hang\""));
    launch(&agents, &assignment(1)).unwrap();
    let run = assignment(1).run;
    assert_eq!(agents.perform(&AgentCall::Stop { run }), Ok(AgentReply::Stopping));
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Stopped);
    assert_eq!(agents.perform(&AgentCall::Stop { run }), Ok(AgentReply::Stopping));

    let short = Assignment { limit: Span(50), ..assignment(2) };
    launch(&agents, &short).unwrap();
    let finished = end(&agents.runs, short.run);
    assert_eq!(finished.end.how, RunHow::TimedOut);
    assert!(finished.end.wall >= Span(50));
}

/// A stop that comes before the start keeps the run from ever beginning.
#[test]
fn a_stop_may_come_first() {
    let bench = Bench::new();
    let agents = bench.agents("");
    let run = assignment(1).run;
    assert_eq!(agents.perform(&AgentCall::Stop { run }), Ok(AgentReply::Stopping));
    let failure = launch(&agents, &assignment(1)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(observe(&agents.runs.places.of(run).record), Observed::NotStarted);
    assert!(matches!(block_on(agents.runs.watch(run)), Watched::NotStarted));
}

/// The environment of an agent is an allow-list: these names and nothing of whoever started Orch (decision 9).
#[test]
fn the_environment_is_an_allow_list() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"read\"\npath = \"/proc/self/environ\""));
    launch(&agents, &assignment(1)).unwrap();
    let run = assignment(1).run;
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Exited { code: 0 });
    let printed = stdout(&agents.runs, run);
    let environ = printed.lines().find(|line| line.contains('\0')).unwrap();
    let mut names: Vec<&str> =
        environ.split('\0').filter_map(|entry| Some(entry.split_once('=')?.0)).collect();
    names.sort_unstable();
    let known =
        ["HOME", "LANG", "ORCH_PORT", "ORCH_PORT_END", "ORCH_RUN", "ORCH_RUN_MARK", "PATH", "TERM", "TMPDIR"];
    assert_eq!(names, known);
    let folder = agents.runs.places.of(run);
    assert!(environ.contains(&format!("HOME={}", folder.home.display())));
}

/// An agent reads neither Orch's data, nor another run's tree, home or record, nor its own record, and writes nowhere but in
/// its tree and its home.
#[test]
fn other_places_are_closed() {
    let bench = Bench::new();
    bench.write("orch.db", "KEEP-OUT");
    bench.write("trees/r9.0/src.rs", "KEEP-OUT");
    bench.write("homes/r9.0/home/.claude/.credentials.json", "KEEP-OUT");
    bench.write("runs/r9.0/stdout.log", "KEEP-OUT");
    let root = bench.root();
    let root = root.display();
    let read = |path: &str| step(&format!("do = \"read\"\npath = \"{path}\"\nmay_fail = true"));
    let write =
        |path: &str| step(&format!("do = \"write\"\npath = \"{path}\"\ntext = \"x\"\nmay_fail = true"));
    let agents = bench.agents(
        &[
            read(&format!("{root}/orch.db")),
            read("../r9.0/src.rs"),
            read(&format!("{root}/homes/r9.0/home/.claude/.credentials.json")),
            read(&format!("{root}/runs/r9.0/stdout.log")),
            read(&format!("{root}/runs/r1.0/spec.json")),
            write("../outside"),
            write("../r9.0/src.rs"),
            write(&format!("{root}/orch.db")),
            write("/etc/orch-was-here"),
            write("inside"),
        ]
        .concat(),
    );
    launch(&agents, &assignment(1)).unwrap();
    let run = assignment(1).run;
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Exited { code: 0 });
    let Observed::Ended(record) = observe(&agents.runs.places.of(run).record) else { panic!("it ended") };
    assert!(
        record.sandbox > Some(Enforcement::NotEnforced),
        "this kernel has no Landlock: nothing to be shown"
    );
    let printed = stdout(&agents.runs, run);
    assert!(!printed.contains("KEEP-OUT"), "{printed}");
    assert_eq!(printed.matches("Permission denied").count(), 9, "{printed}");
    assert!(agents.runs.places.of(run).tree.join("inside").exists());
    assert!(!bench.root().join("trees/outside").exists());
    assert_eq!(fs::read_to_string(bench.root().join("orch.db")).unwrap(), "KEEP-OUT");
}

/// Orch is killed at each step of a launch; launched again, there is exactly one run, whole.
#[test]
fn killed_at_any_step_there_is_one_run() {
    let mut steps = 0;
    loop {
        let bench = Bench::new();
        let agents = bench.agents(&step("do = \"append\"\npath = \"ran\"\ntext = \"once\\n\""));
        let root = bench.root();
        let status = Command::new(exe()).arg("launch").arg(&root).arg(steps.to_string()).status().unwrap();
        let run = assignment(1).run;
        let began = match observe(&agents.runs.places.of(run).record) {
            Observed::Running(identity) => Some(identity.pid.cast_unsigned()),
            _ => None,
        };
        let pid = launch(&agents, &assignment(1)).unwrap();
        assert!(began.is_none_or(|began| began == pid));
        let finished = end(&agents.runs, run);
        assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "step {steps}: {}", tail(&finished));
        let ran = fs::read_to_string(agents.runs.places.of(run).tree.join("ran")).unwrap();
        assert_eq!(ran, "once\n", "step {steps}");
        assert_eq!(agents.runs.ports.all().unwrap(), [], "step {steps}");
        if status.success() {
            break;
        }
        steps += 1;
    }
    assert!(steps >= 10, "only {steps} steps were killed at");
}

/// Orch is killed while an agent works; started again it finds the same process, and its end.
#[test]
fn a_living_run_is_found_again() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"hang\""));
    let mut orch = Command::new(exe());
    let status = orch.arg("launch").arg(bench.root()).arg("9").stdout(Stdio::null()).status().unwrap();
    assert!(!status.success(), "it is killed right after the start");
    let run = assignment(1).run;
    assert_eq!(agents.runs.unsettled().unwrap(), [run]);
    let pid = launch(&agents, &assignment(1)).unwrap();
    assert_eq!(Identity::of(pid.cast_signed()).unwrap().life(), Life::Alive);
    tidy(&agents.runs.places, &agents.runs.ports, &[]).unwrap();
    assert!(agents.runs.places.of(run).home.exists(), "a living run keeps its home");
    agents.runs.stop(run).unwrap();
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Stopped);
}

/// A supervisor that was killed leaves a lost run: proven dead, reported as such, never as a success.
#[test]
fn a_killed_supervisor_is_a_lost_run() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"hang\""));
    let pid = launch(&agents, &assignment(1)).unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let finished = end(&agents.runs, assignment(1).run);
    assert!(matches!(finished.end.how, RunHow::Lost { .. }), "{:?}", finished.end.how);
    assert_eq!(finished.end.usage, Usage::default());
}

/// An agent that ended before the machine was started again is lost: nothing that it left was forced to the disk.
#[test]
fn an_end_of_another_boot_is_a_lost_run() {
    let bench = Bench::new();
    let agents = bench.agents("");
    launch(&agents, &assignment(1)).unwrap();
    let run = assignment(1).run;
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Exited { code: 0 });
    let shim = agents.runs.places.of(run).record.join("shim.json");
    let now = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(&shim, fs::read_to_string(&shim).unwrap().replace(now.trim(), "another")).unwrap();
    assert!(matches!(end(&agents.runs, run).end.how, RunHow::Lost { .. }));
}

/// A record that cannot be understood is neither dead nor alive: it is reported and looked at again.
#[test]
fn what_cannot_be_told_is_not_taken_for_dead() {
    let bench = Bench::new();
    let agents = bench.agents("");
    launch(&agents, &assignment(1)).unwrap();
    let run = assignment(1).run;
    end(&agents.runs, run);
    let about = agents.runs.places.of(run).record.join("about.json");
    let was = fs::read(&about).unwrap();
    fs::write(&about, "{").unwrap();
    match block_on(agents.runs.watch(run)) {
        Watched::CannotTell { why } => assert!(why.contains("about.json is damaged"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(agents.runs.unsettled().unwrap(), [run]);
    fs::write(&about, &was).unwrap();
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Exited { code: 0 });
}

/// Proves that a run which is shown to be lost ends so although its record does not say what it was of: its supervisor is
/// dead, or the machine was started again since.
#[test]
fn a_lost_run_needs_no_record_of_what_it_was() {
    let bench = Bench::new();
    let agents = bench.agents(&step("do = \"hang\""));
    let run = assignment(1).run;
    let pid = launch(&agents, &assignment(1)).unwrap();
    let record = agents.runs.places.of(run).record;
    fs::write(record.join("about.json"), "").unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    let finished = end(&agents.runs, run);
    assert!(matches!(finished.end.how, RunHow::Lost { .. }), "{:?}", finished.end.how);
    assert!(finished.notes[0].contains("about.json is damaged"), "{:?}", finished.notes);
    assert!(!agents.runs.places.of(run).home.exists());
    agents.runs.settle(run).unwrap();
    assert_eq!(agents.runs.unsettled().unwrap(), [], "it is not watched for ever");

    let agents = bench.agents("");
    let run = assignment(2).run;
    launch(&agents, &assignment(2)).unwrap();
    end(&agents.runs, run);
    let record = agents.runs.places.of(run).record;
    let now = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let shim = fs::read_to_string(record.join("shim.json")).unwrap();
    fs::write(record.join("shim.json"), shim.replace(now.trim(), "another")).unwrap();
    fs::remove_file(record.join("about.json")).unwrap();
    assert!(matches!(end(&agents.runs, run).end.how, RunHow::Lost { .. }));
}

/// What a killed start left, a later start of Orch takes away.
#[test]
fn leftovers_are_taken_away() {
    let bench = Bench::new();
    let agents = bench.agents("");
    let status = Command::new(exe()).arg("launch").arg(bench.root()).arg("8").status().unwrap();
    assert!(!status.success());
    let (runs, run) = (&agents.runs, assignment(1).run);
    assert!(runs.places.of(run).home.exists() && runs.places.of(run).tree.exists());
    // A package cache closes its folders to their owner as well.
    let closed = runs.places.of(run).home.join("go/mod");
    fs::create_dir_all(closed.join("x")).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    tidy(&runs.places, &runs.ports, &[run]).unwrap();
    assert!(runs.places.of(run).home.exists(), "a task still waits for it");
    tidy(&runs.places, &runs.ports, &[]).unwrap();
    assert!(!runs.places.of(run).shed.exists() && !runs.places.of(run).tree.exists());
    assert_eq!(runs.ports.all().unwrap(), []);
}

/// The old verdict of a judging role is not there when it begins: only what this run writes can count (decision 8).
#[test]
fn judges_begin_without_their_old_verdict() {
    let bench = Bench::new();
    let verdict = format!("docs/work-items/DEMO-001/{REVIEW}");
    bench.commit(&verdict, "status: APPROVED");
    let agents = bench.agents("");
    let reviewer = Assignment { role: Role::Reviewer, ..assignment(1) };
    launch(&agents, &reviewer).unwrap();
    end(&agents.runs, reviewer.run);
    assert!(!agents.runs.places.of(reviewer.run).tree.join(&verdict).exists());
    launch(&agents, &assignment(2)).unwrap();
    end(&agents.runs, assignment(2).run);
    assert!(agents.runs.places.of(assignment(2).run).tree.join(&verdict).exists());
}

/// A program in the world that is an agent.
fn program(bench: &Bench, agents: &mut Agents, kind: AgentKind, script: &str) {
    let path = bench.root().join("bin/agent");
    crate::bench::program(&path, &format!("#!/bin/sh\n{script}\n"));
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.kind = kind;
    agent.program = path.to_string_lossy().into_owned();
}

/// Any program is an agent: the prompt comes on standard input and as a file, its keys reach it and are never shown, and
/// its tokens are priced where it names no cost.
#[test]
fn any_program_is_an_agent() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = r#"set -e; cat; cat "$1"; echo "$2 $3 $KEY"; test "$OTHER" = sk-of-another; echo '{"usage":{"input_tokens":2000000}}'"#;
    program(&bench, &mut agents, AgentKind::Command, script);
    let key = Secret::new("sk-very-secret");
    agents.runs.mask = Masker::new([key.clone()]);
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.args = ["{prompt}", "{role}", "{model}"].map(str::to_owned).to_vec();
    agent.model = Some("vendor/model-1".to_owned());
    let other = Secret::new("sk-of-another");
    agent.login.keys = [("KEY".to_owned(), key), ("OTHER".to_owned(), other)].into();
    agent.price = Some(Price { input: 3_000_000, output: 0, cache_read: 0, cache_write: 0 });
    launch(&agents, &assignment(1)).unwrap();
    let finished = end(&agents.runs, assignment(1).run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "{}", tail(&finished));
    let said = tail(&finished);
    assert_eq!(said.matches("Be the developer.").count(), 2, "{said}");
    assert!(said.contains("developer vendor/model-1 ***"), "{said}");
    assert_eq!(finished.end.usage.microdollars, Some(6_000_000));
    // When its end is in the journal, the key is nowhere any more.
    let spec = agents.runs.places.of(assignment(1).run).record.join("spec.json");
    assert!(fs::read_to_string(&spec).unwrap().contains("sk-very-secret"));
    agents.runs.settle(assignment(1).run).unwrap();
    assert!(!fs::read_to_string(&spec).unwrap().contains("sk-very-secret"));
    assert!(launch(&agents, &assignment(1)).is_ok());
}

/// As root, an agent is another user: it may write its tree and its home, and no other place, whatever the sandbox says: not a
/// folder of root's, nor its own record, nor what another run has. Runs as root alone, as CI does.
#[test]
fn root_runs_agents_as_another_user() {
    if !rustix::process::geteuid().is_root() {
        return crate::not_tried("only root can become someone else");
    }
    let bench = Bench::new();
    let mut agents = bench.agents("");
    fs::set_permissions(bench.root(), fs::Permissions::from_mode(0o711)).unwrap();
    bench.commit("src/old", "old");
    // In the own tree only the user is in the way, in the tree and home of another run of theirs only the sandbox.
    fs::create_dir(bench.root().join("roots")).unwrap();
    let root = bench.root().display().to_string();
    let places = ["trees/r1.0/roots", "trees/r2.0", "homes/r2.0/home", "runs/r1.0", "runs/r2.0", "roots"];
    let places = places.map(|place| format!("{root}/{place}/x"));
    let script = format!(
        r#"id -u; echo new >src/old; echo x >"$HOME/x"; echo x >"$TMPDIR/x"; cat
        touch here; while [ ! -e go ]; do sleep 0.02; done
        for place in '{}'; do (echo x >"$place") 2>&1; done; true"#,
        places.join("' '")
    );
    program(&bench, &mut agents, AgentKind::Command, &script);
    agents.runs.machine.run_as = Some(RunAs { uid: 65534, gid: 65534 });
    let trees = [1, 2].map(|n| {
        launch(&agents, &assignment(n)).unwrap();
        let tree = agents.runs.places.of(assignment(n).run).tree;
        eventually("the agent's work", || tree.join("here").exists().then_some(()));
        tree
    });
    fs::create_dir(trees[0].join("roots")).unwrap();
    fs::write(trees[0].join("go"), "").unwrap();
    let finished = end(&agents.runs, assignment(1).run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "{}", tail(&finished));
    let said = tail(&finished);
    let (own, refused) = said.split_at("65534\nBe the developer.\n".len());
    assert_eq!(own, "65534\nBe the developer.\n", "{said}");
    assert_eq!(fs::read_to_string(trees[0].join("src/old")).unwrap(), "new\n");
    assert_eq!(refused.lines().count(), places.len(), "{said}");
    for (place, refused) in places.iter().zip(refused.lines()) {
        assert!(refused.contains(place) && refused.contains("Permission denied"), "{place}: {said}");
    }
    agents.runs.stop(assignment(2).run).unwrap();
    end(&agents.runs, assignment(2).run);
}

/// A program named by a path from somewhere would be taken from the tree, where the agent before could have put it.
#[test]
fn relative_programs_are_refused() {
    let bench = Bench::new();
    bench.commit("bin/agent", "#!/bin/sh\n");
    let mut agents = bench.agents("");
    agents.runs.machine.path = format!(".::bin:{}", agents.runs.machine.path);
    for program in ["bin/agent", "./bin/agent", "agent"] {
        agents.programs.get_mut("scripted").unwrap().program = program.to_owned();
        assert_eq!(launch(&agents, &assignment(1)).unwrap_err().kind, FailureKind::Permanent, "{program}");
    }
}

/// Claude is called unattended, with the prompt on standard input, a login in a config folder of its own, and never with a
/// model's name that is none.
#[test]
fn claude_is_called_unattended() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = r#"echo "$@" >args; cat >prompt; cat "$CLAUDE_CONFIG_DIR/.credentials.json" >login
        echo '{"is_error":false,"result":"Done.","usage":{"input_tokens":1},"total_cost_usd":0.1,"type":"result"}'"#;
    program(&bench, &mut agents, AgentKind::Claude, script);
    let from = bench.write("person/.credentials.json", "the login");
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.login = Login { file: Some(from), ..Login::default() };
    agent.model = Some("claude-opus-4-8".to_owned());
    launch(&agents, &assignment(1)).unwrap();
    let finished = end(&agents.runs, assignment(1).run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 }, "{}", tail(&finished));
    assert_eq!((tail(&finished).as_str(), finished.end.usage.microdollars), ("Done.", Some(100_000)));
    let wrote =
        |n, name| fs::read_to_string(agents.runs.places.of(assignment(n).run).tree.join(name)).unwrap();
    assert_eq!(
        (wrote(1, "prompt").as_str(), wrote(1, "login").as_str()),
        ("Be the developer.\n", "the login")
    );
    let args = wrote(1, "args");
    for part in ["-p --output-format stream-json --verbose", "--strict-mcp-config", "--model claude-opus-4-8"]
    {
        assert!(args.contains(part), "{args}");
    }

    agents.programs.get_mut("scripted").unwrap().model = Some("--dangerous".to_owned());
    assert!(agents.programs["scripted"].check().unwrap_err().to_string().contains("is not a model's name"));
    launch(&agents, &assignment(2)).unwrap();
    end(&agents.runs, assignment(2).run);
    assert!(!wrote(2, "args").contains("--model") && !wrote(2, "args").contains("dangerous"));
}

/// Proves that a token which the program renews in its own copy of the login is masked while the run goes on, in its end, and in
/// what it leaves, also when its home is gone and Orch was started again; that it is a secret of no other run, for an agent can
/// write there what it likes; and that what is no file of a login's size, or lies behind a link, keeps nobody from reading the end.
#[test]
fn a_token_that_a_run_renews_is_masked() {
    const NEW: &str = "sk-renewed-0123456789abcdef0123456789abcdef";
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = format!(
        r#"cat >/dev/null; copy="$CLAUDE_CONFIG_DIR/.credentials.json"
        echo '{{"oauth":{{"access":"{NEW}"}}}}' >"$copy"; echo "with {NEW}" >&2; echo >renewed
        while ! test -e go; do sleep 0.02; done
        dir="$CLAUDE_CONFIG_DIR"; test -e odd && case "$(cat odd)" in
            pipe) rm "$copy"; mkfifo "$copy" ;;
            large) head -c 70000 /dev/zero | tr '\0' '\n' >>"$copy" ;;
            link) mv "$dir" "$dir-moved"; ln -s "$dir-moved" "$dir" ;;
        esac
        echo '{{"type":"result","is_error":false,"result":"Used {NEW}.","usage":{{"input_tokens":1}}}}'"#
    );
    program(&bench, &mut agents, AgentKind::Claude, &script);
    let from = bench.write("person/.credentials.json", r#"{"oauth":{"access":"sk-first-0123456789abcdef"}}"#);
    agents.programs.get_mut("scripted").unwrap().login = Login { file: Some(from), ..Login::default() };
    let run = assignment(1).run;
    launch(&agents, &assignment(1)).unwrap();
    let tree = agents.runs.places.of(run).tree;
    crate::process::eventually("the renewal", || tree.join("renewed").exists().then_some(()));
    let said = format!("with {NEW}");
    assert_eq!(agents.runs.mask_of(run).unwrap().mask(&said), "with ***");
    fs::write(tree.join("go"), "").unwrap();
    let finished = end(&agents.runs, run);
    assert_eq!(tail(&finished), "Used ***.\nwith ***");
    assert!(!agents.runs.places.of(run).home.exists());
    let mut started_again = agents.clone();
    started_again.runs.mask = Masker::default();
    let mask = started_again.runs.mask_of(run).unwrap();
    assert!(mask.finds(NEW.as_bytes()), "nothing with it is committed");
    assert_eq!(mask.mask(&said), "with ***");
    assert_eq!(mask.mask("sk-first-0123456789abcdef"), "***", "the login may be another one by now");
    assert!(!agents.runs.mask.finds(NEW.as_bytes()) && agents.runs.mask.mask(&said) == said);

    bench.commit("go", "");
    for (n, odd) in [(2, "pipe"), (3, "large"), (4, "link")] {
        bench.commit("odd", odd);
        let odd = assignment(n);
        launch(&agents, &odd).unwrap();
        assert_eq!(end(&agents.runs, odd.run).end.how, RunHow::Exited { code: 0 });
        assert_eq!(agents.runs.mask_of(odd.run).unwrap().mask(&said), said);
    }
}

/// Proves that a key which a run was given is masked in what it says, and does not stay in its specification, although another
/// one is in the settings by the time it ends: in the key file since, and Orch was started again.
#[test]
fn a_key_that_was_exchanged_is_masked() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = r#"cat >/dev/null; echo "with $KEY"; while ! test -e go; do sleep 0.02; done"#;
    program(&bench, &mut agents, AgentKind::Command, script);
    let keys = [("KEY".to_owned(), Secret::new("the-first-key-0123456789abcdef-012"))].into();
    agents.programs.get_mut("scripted").unwrap().login = Login { file: None, keys };
    let run = assignment(1).run;
    launch(&agents, &assignment(1)).unwrap();
    agents.runs.mask = Masker::new([Secret::new("the-second-key-0123456789abcdef-01")]);
    fs::write(agents.runs.places.of(run).tree.join("go"), "").unwrap();
    assert_eq!(tail(&end(&agents.runs, run)), "with ***");
    assert!(
        agents.runs.mask_of(run).unwrap().finds(b"the-first-key-0123456789abcdef-012"),
        "nothing with it is committed"
    );
    agents.runs.settle(run).unwrap();
    let spec = fs::read_to_string(agents.runs.places.of(run).record.join("spec.json")).unwrap();
    assert!(spec.contains("\"KEY\":\"***\""), "{spec}");
    assert_eq!(agents.runs.mask_of(run).unwrap().mask("with the-first-key-0123456789abcdef-012"), "with ***");
}

/// Proves that the login which a run left is kept also where it cannot be moved into the record, as out of a folder that the
/// program closed: here its home is on another file system.
#[test]
fn a_login_that_cannot_be_moved_is_kept() {
    const NEW: &str = "sk-renewed-0123456789abcdef0123456789abcdef";
    let bench = Bench::new();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let disk = |path: &std::path::Path| fs::metadata(path).unwrap().dev();
    assert_ne!(disk(elsewhere.path()), disk(&bench.root()), "the tests' folder is no memory file system");
    let mut agents = bench.agents("");
    agents.runs.places.homes = elsewhere.path().to_owned();
    let script = format!(
        r#"cat >/dev/null; echo '{{"oauth":{{"access":"{NEW}"}}}}' >"$CLAUDE_CONFIG_DIR/.credentials.json"
        echo '{{"type":"result","is_error":false,"result":"Done.","usage":{{"input_tokens":1}}}}'"#
    );
    program(&bench, &mut agents, AgentKind::Claude, &script);
    let from = bench.write("person/.credentials.json", r#"{"oauth":{"access":"sk-first-0123456789abcdef"}}"#);
    agents.programs.get_mut("scripted").unwrap().login = Login { file: Some(from), ..Login::default() };
    let run = assignment(1).run;
    launch(&agents, &assignment(1)).unwrap();
    assert_eq!(end(&agents.runs, run).end.how, RunHow::Exited { code: 0 });
    assert!(!agents.runs.places.of(run).home.exists());
    assert_eq!(agents.runs.mask_of(run).unwrap().mask(NEW), "***");
}

/// What a person must mend is said, with the remedy: no such agent, no such program, no login.
#[test]
fn missing_things_are_named() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let said = |agents: &Agents, n, agent: &str| {
        let failure = launch(agents, &Assignment { agent: agent.to_owned(), ..assignment(n) }).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        failure.cause.to_string()
    };
    assert!(said(&agents, 1, "nobody").contains("no agent is called `nobody`"));
    let agent = agents.programs.get_mut("scripted").unwrap();
    agent.login = Login { file: Some(bench.root().join("none")), ..Login::default() };
    assert!(said(&agents, 2, "scripted").contains("log in with the program itself"));
    // What does not begin leaves nothing.
    assert_eq!(agents.runs.ports.all().unwrap(), []);
    let folder = agents.runs.places.of(assignment(2).run);
    assert!(!folder.shed.exists() && !folder.tree.exists());
    let agent = agents.programs.get_mut("scripted").unwrap();
    (agent.login, agent.kind, agent.program) =
        (Login::default(), AgentKind::Command, "no-such-agent".to_owned());
    assert!(said(&agents, 3, "scripted").contains("install it for all, or name its absolute path"));
}

/// An agent that reports what it uses is stopped at its limit of tokens while it goes on, and its end says so, with the
/// price of what it had used; one that a person allowed, without a limit, goes on.
#[test]
fn a_run_is_stopped_at_its_tokens() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = r#"cat >/dev/null
        echo '{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":600,"output_tokens":1}}}'
        echo '{"type":"assistant","message":{"id":"m2","usage":{"input_tokens":600,"output_tokens":1}}}'
        test -e quick || exec sleep 600
        echo '{"type":"result","is_error":false,"result":"Done.","usage":{"input_tokens":1200,"output_tokens":9}}'"#;
    program(&bench, &mut agents, AgentKind::Claude, script);
    let price = Price { input: 1_000_000, output: 1_000_000, cache_read: 0, cache_write: 0 };
    agents.programs.get_mut("scripted").unwrap().price = Some(price);
    let limited = Assignment { tokens: 1_000, ..assignment(1) };
    launch(&agents, &limited).unwrap();
    let finished = end(&agents.runs, limited.run);
    assert_eq!(finished.end.how, RunHow::OverTokens { tokens: 1_202, limit: 1_000 });
    assert_eq!((finished.end.usage.tokens(), finished.end.usage.microdollars), (1_202, Some(1_202)));

    bench.commit("quick", "");
    launch(&agents, &assignment(2)).unwrap();
    let finished = end(&agents.runs, assignment(2).run);
    assert_eq!(finished.end.how, RunHow::Exited { code: 0 });
    assert_eq!(finished.end.usage.tokens(), 1_209);
}

/// Proves that what a run had used by its own reports is known of one that was ended, or whose supervisor was (decision 12).
#[test]
fn what_a_run_had_used_is_known_of_one_that_was_ended() {
    let bench = Bench::new();
    let mut agents = bench.agents("");
    let script = r#"cat >/dev/null
        echo '{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":600,"output_tokens":1}}}'
        echo '{"type":"assistant","message":{"id":"m1","usage":{"input_tokens":600,"output_tokens":2}}}'
        exec sleep 600"#;
    program(&bench, &mut agents, AgentKind::Claude, script);
    let price = Price { input: 1_000_000, output: 1_000_000, cache_read: 0, cache_write: 0 };
    agents.programs.get_mut("scripted").unwrap().price = Some(price);
    for n in [1, 2] {
        let run = assignment(n).run;
        let pid = launch(&agents, &assignment(n)).unwrap();
        let log = agents.runs.places.of(run).record.join("stdout.log");
        let reports = || fs::read_to_string(&log).unwrap_or_default().lines().count();
        crate::process::eventually("the reports", || (reports() == 2).then_some(()));
        match n {
            1 => agents.runs.stop(run).unwrap(),
            _ => kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap(),
        }
        let finished = end(&agents.runs, run);
        assert_eq!(matches!(finished.end.how, RunHow::Lost { .. }), n == 2, "{:?}", finished.end.how);
        assert_eq!((finished.end.usage.tokens(), finished.end.usage.microdollars), (602, Some(602)));
    }
}
