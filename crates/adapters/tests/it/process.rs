//! Runs under a real shim: real processes, real signals, the real kernel's sandbox.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use orch_adapters::process::{
    Beyond, Ending, Enforcement, ExitRecord, Identity, Landlock, Launcher, Life, Limits, Observed, Output,
    ProgramEnd, RunAs, RunSpec, Sandbox, StartError, StopAnswer, StopSignal, StopWay, Stream, Tcp, observe,
    request_stop, sweep_lost, wait,
};
use orch_adapters::run::{Masker, said};
use orch_core::message::{self, Lang};
use rustix::process::{Pid, Signal, kill_process};

use crate::{PATIENCE, RUNNER, block_on};

/// A temporary world: a tree for the program, and a folder for its run. Ends the run if the test did not.
pub(crate) struct Bench {
    temp: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("tree")).unwrap();
        Bench { temp }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.path("runs/1")
    }

    /// A shell script in the tree.
    pub(crate) fn script(&self, text: &str) -> RunSpec {
        let mut spec = RunSpec::new("7.1", "/bin/sh", self.path("tree"));
        spec.args = vec!["-c".to_string(), text.to_string()];
        spec.env.insert("PATH".to_string(), "/usr/bin:/bin".to_string());
        spec.stop.grace_ms = 200;
        spec
    }

    pub(crate) fn start(&self, spec: &RunSpec) -> Identity {
        launcher().start(&self.run_dir(), spec).unwrap()
    }

    pub(crate) fn end(&self) -> ExitRecord {
        ended(&self.run_dir())
    }

    pub(crate) fn run(&self, spec: &RunSpec) -> ExitRecord {
        self.start(spec);
        self.end()
    }

    fn log(&self, stream: Stream) -> Vec<u8> {
        fs::read(self.run_dir().join(stream.file())).unwrap()
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.log(Stream::Stdout)).unwrap()
    }

    /// The process whose id the program wrote into that file of its tree.
    pub(crate) fn process(&self, file: &str) -> Identity {
        let path = self.path("tree").join(file);
        let pid = eventually(file, || fs::read_to_string(&path).ok()?.strip_suffix('\n')?.parse().ok());
        Identity::of(pid).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if request_stop(&self.run_dir()) == StopAnswer::Asked {
            block_on(wait(&self.run_dir()));
        }
    }
}

fn launcher() -> Launcher {
    Launcher { exe: PathBuf::from(RUNNER) }
}

fn ended(run_dir: &Path) -> ExitRecord {
    match block_on(wait(run_dir)) {
        Observed::Ended(record) => *record,
        other => panic!("not ended: {other:?}, shim.log: {:?}", fs::read_to_string(run_dir.join("shim.log"))),
    }
}

/// Looks again and again until there is something to be seen.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn kill(identity: &Identity, signal: Signal) {
    assert_eq!(identity.life(), Life::Alive);
    kill_process(Pid::from_raw(identity.pid).unwrap(), signal).unwrap();
}

pub(crate) fn dead(identity: &Identity) -> bool {
    matches!(identity.life(), Life::Dead { .. })
}

/// A caller in a process of its own, which starts the run and then stays. It ignores the signals that end a program.
fn caller(bench: &Bench, spec: &RunSpec) -> Child {
    let file = bench.path("wanted.json");
    fs::write(&file, serde_json::to_vec(spec).unwrap()).unwrap();
    // As a script without job control starts what it sends into the background, only with more signals.
    let deaf = "trap '' HUP INT QUIT TERM; exec \"$0\" start \"$@\"";
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", deaf, RUNNER]).args([bench.run_dir(), file]);
    shell.stdout(Stdio::null()).spawn().unwrap()
}

/// The program gets exactly the given environment, input, arguments and folder; what it says and how it ends
/// is written down.
#[test]
fn a_script_runs_and_is_recorded() {
    let bench = Bench::new();
    let input = bench.path("prompt");
    fs::write(&input, "a question").unwrap();
    let mut spec = bench.script("pwd; cat; echo; env | sort; echo oops >&2; exit 3");
    spec.stdin = Some(input);
    let record = bench.run(&spec);

    assert_eq!(record.ending, Ending::Exited { code: 3 });
    assert_eq!(record.program, Some(ProgramEnd::Exited { code: 3 }));
    assert_eq!((record.run.as_str(), record.killed, record.left_alive), ("7.1", 0, 0));
    assert_eq!(record.notes, Vec::<String>::new());
    let out = bench.out();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..2], [bench.path("tree").to_str().unwrap(), "a question"]);
    let names: Vec<&str> = lines[2..].iter().filter_map(|line| line.split('=').next()).collect();
    assert_eq!(names, ["ORCH_RUN", "ORCH_RUN_MARK", "PATH", "PWD"]);
    assert!(out.contains("ORCH_RUN=7.1\n"));
    assert_eq!(bench.log(Stream::Stderr), b"oops\n");
    assert_eq!(record.stdout.bytes, out.len() as u64);
    assert!(record.max_rss_kib > 0 && record.ended_ms >= record.started_ms);
}

/// The run folder is closed to others, and so are its files.
#[test]
fn the_run_folder_is_private() {
    let bench = Bench::new();
    bench.run(&bench.script("true"));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(bench.run_dir()), 0o700);
    for entry in fs::read_dir(bench.run_dir()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(path.clone()), 0o600, "{path:?}");
    }
}

/// Starting again, later or at the same time, returns the same shim and starts nothing.
#[test]
fn a_run_starts_once() {
    let bench = Bench::new();
    let spec = bench.script("echo started >> starts");
    let first = std::thread::scope(|s| {
        let start = || bench.start(&spec);
        let others = [s.spawn(start), s.spawn(start), s.spawn(start), s.spawn(start)];
        let mut identities = others.map(|other| other.join().unwrap());
        identities.sort_by_key(|identity| identity.pid);
        assert_eq!(identities[0], identities[3]);
        identities[0].clone()
    });
    bench.end();
    assert_eq!(bench.start(&spec), first);
    assert_eq!(bench.end().ending, Ending::Exited { code: 0 });
    assert_eq!(fs::read_to_string(bench.path("tree/starts")).unwrap(), "started\n");
}

/// A caller killed at any step of the start leaves a run that the next start completes, or finds: never two.
#[test]
fn a_caller_killed_at_any_step_starts_it_once() {
    for step in ["", "lock", "spec.json", "shim.log", "exit.tmp", "shim.json", "stdout.log"] {
        let bench = Bench::new();
        let spec = bench.script("echo started >> starts");
        let mut caller = caller(&bench, &spec);
        eventually(step, || bench.run_dir().join(step).exists().then_some(()));
        caller.kill().unwrap();
        caller.wait().unwrap();
        bench.run(&spec);
        assert_eq!(fs::read_to_string(bench.path("tree/starts")).unwrap(), "started\n", "killed at {step:?}");
    }
}

/// What a killed caller may leave behind, made by hand: a written specification with a stale value, and a
/// shim that begins only now beside ours.
#[test]
fn a_left_specification_is_replaced_until_a_shim_has_begun() {
    let bench = Bench::new();
    fs::create_dir_all(bench.run_dir()).unwrap();
    let mut stale = bench.script("echo stale");
    stale.run = "stale".to_string();
    fs::write(bench.run_dir().join("spec.json"), serde_json::to_vec(&stale).unwrap()).unwrap();
    assert_eq!(observe(&bench.run_dir()), Observed::NotStarted);
    bench.run(&bench.script("echo fresh"));
    assert_eq!(bench.out(), "fresh\n");
    // A late shim of the dead caller finds the run begun, and does nothing.
    let late = Command::new(RUNNER).args(["shim".as_ref(), bench.run_dir().as_os_str()]).output().unwrap();
    assert_eq!((late.status.code(), late.stdout.len()), (Some(75), 0));
    assert_eq!(bench.out(), "fresh\n");
}

/// Decision 7: `kill -9` of Orch ends no run; the next one finds it by its identity.
#[test]
fn a_run_outlives_its_caller() {
    let bench = Bench::new();
    let mut caller =
        caller(&bench, &bench.script("echo $$ > pid; while ! test -e go; do read x < fifo; done; echo done"));
    assert!(Command::new("mkfifo").arg(bench.path("tree/fifo")).status().unwrap().success());
    let program = bench.process("pid");
    caller.kill().unwrap();
    caller.wait().unwrap();

    let Observed::Running(shim) = observe(&bench.run_dir()) else { panic!("it runs") };
    assert_eq!((shim.life(), program.life()), (Life::Alive, Life::Alive));
    kill(&shim, Signal::HUP);
    assert_eq!(bench.start(&bench.script("true")), shim);
    fs::write(bench.path("tree/go"), "").unwrap();
    fs::write(bench.path("tree/fifo"), "x\n").unwrap();
    assert_eq!(bench.end().ending, Ending::Exited { code: 0 });
    assert_eq!(bench.out(), "done\n");
}

/// A stop is gentle first: a program that ends in order at its own signal is recorded as stopped, with its code.
#[test]
fn a_stop_is_gentle_first() {
    for (signal, name) in [(StopSignal::Term, "TERM"), (StopSignal::Int, "INT")] {
        let bench = Bench::new();
        let text = format!("trap 'echo bye; exit 4' {name}; echo $$ > pid; while :; do sleep 1; done");
        let mut spec = bench.script(&text);
        spec.stop = StopWay { signal, grace_ms: 60_000 };
        bench.start(&spec);
        bench.process("pid");
        assert_eq!(request_stop(&bench.run_dir()), StopAnswer::Asked);
        let record = bench.end();
        assert_eq!(record.ending, Ending::Stopped);
        assert_eq!(record.program, Some(ProgramEnd::Exited { code: 4 }));
        assert_eq!(bench.out(), "bye\n");
        assert_eq!(request_stop(&bench.run_dir()), StopAnswer::NotRunning);
    }
}

/// What Orch's own starter ignored, the program does not: else nothing gentle would reach it.
#[test]
fn no_signal_is_ignored_from_the_start() {
    let bench = Bench::new();
    let mut caller = caller(&bench, &bench.script("grep SigIgn /proc/self/status"));
    eventually("its end", || matches!(observe(&bench.run_dir()), Observed::Ended(_)).then_some(()));
    caller.kill().unwrap();
    caller.wait().unwrap();
    let ignored = u64::from_str_radix(bench.out().trim().rsplit('\t').next().unwrap(), 16).unwrap();
    let ending = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];
    assert!(ending.iter().all(|signal| ignored & (1 << (signal.as_raw() - 1)) == 0), "{ignored:x}");
}

/// A process that left the session, the group, its environment and its parent, and ignores every gentle
/// signal, is dead when the stop is done.
#[test]
fn nothing_survives_a_stop() {
    let bench = Bench::new();
    let deaf = "trap \"\" TERM INT HUP; echo $$ > ";
    let text = format!(
        "trap '' TERM; (setsid sh -c '{deaf} one; while :; do sleep 1; done' &);
         (env -i PATH=$PATH setsid sh -c '{deaf} two; while :; do sleep 1; done' &); echo $$ > pid; while :; do sleep 1; done"
    );
    let shim = bench.start(&bench.script(&text));
    let all = [bench.process("one"), bench.process("two"), bench.process("pid")];
    assert_eq!(request_stop(&bench.run_dir()), StopAnswer::Asked);
    let record = bench.end();
    assert_eq!(record.ending, Ending::Stopped);
    assert_eq!(record.program, Some(ProgramEnd::Signalled { signal: 9 }));
    assert!(record.killed >= 3 && record.left_alive == 0, "{record:?}");
    assert!(all.iter().all(dead) && dead(&shim));
}

/// The same after an end in order: a tool left in the background does not write on.
#[test]
fn nothing_survives_a_normal_exit() {
    let bench = Bench::new();
    let text = "(setsid sh -c 'trap \"\" TERM; echo $$ > one; while :; do sleep 1; done' &)
                while ! test -s one; do sleep 0.01; done";
    // The script's own end races with nothing: `one` is held before the sweep can be over.
    let shim = bench.start(&bench.script(text));
    let record = bench.end();
    assert_eq!(record.ending, Ending::Exited { code: 0 });
    assert!(record.killed >= 1, "{record:?}");
    let pid: i32 = fs::read_to_string(bench.path("tree/one")).unwrap().trim().parse().unwrap();
    assert!(Identity::of(pid).map_or(true, |other| other.start > shim.start + 1000));
}

/// A tree of processes that fork on while they are killed is gone to the last one, also when it has left the
/// run's cgroup (which root may, outside the sandbox) or there never was one.
#[test]
fn a_forking_tree_is_swept() {
    let leave =
        "for at in $(awk '$3 == \"cgroup2\" {print $2}' /proc/mounts); do echo $$ > $at/cgroup.procs; done
                 ";
    for before in ["", leave] {
        let bench = Bench::new();
        fs::write(
            bench.path("tree/bomb"),
            "trap '' TERM
             if [ $1 -gt 0 ]; then for i in 1 2 3; do setsid sh bomb $(($1 - 1)) & done; else echo $$ >> leaves; fi
             while :; do sleep 0.02 & wait; done",
        )
        .unwrap();
        bench.start(&bench.script(&format!("{before} exec sh bomb 4")));
        let leaves = bench.path("tree/leaves");
        let pids: Vec<Identity> = eventually("81 leaves", || {
            let text = fs::read_to_string(&leaves).ok()?;
            (text.lines().count() == 81 && text.ends_with('\n'))
                .then(|| text.lines().map(|pid| Identity::of(pid.parse().unwrap()).unwrap()).collect())
        });
        request_stop(&bench.run_dir());
        let record = bench.end();
        // 3 + 9 + 27 + 81; the first of them all may have ended before the sweep counted.
        assert!(record.killed >= 120 && record.left_alive == 0, "{record:?}");
        assert!(pids.iter().all(dead));
    }
}

/// The time limit ends the run, also one that does not want to.
#[test]
fn the_time_limit_holds() {
    let bench = Bench::new();
    let mut spec = bench.script("trap '' TERM; while :; do sleep 1; done");
    spec.time_limit_ms = Some(150);
    let record = bench.run(&spec);
    assert_eq!(record.ending, Ending::TimeLimit);
    assert_eq!(record.program, Some(ProgramEnd::Signalled { signal: 9 }));
    assert!(record.wall_ms >= 350, "{record:?}");
}

/// A gigabyte of output is read, counted, and not kept.
#[test]
fn a_gigabyte_is_bounded_on_the_disk() {
    let bench = Bench::new();
    let mut spec = bench.script("head -c 1073741824 /dev/zero; echo end >&2");
    spec.output = Output { bytes: 1 << 20, beyond: Beyond::Drop };
    let record = bench.run(&spec);
    assert_eq!(record.ending, Ending::Exited { code: 0 });
    assert_eq!(record.stdout.bytes + record.stdout.dropped, 1 << 30);
    let log = bench.log(Stream::Stdout).len();
    assert!((1 << 19..=1 << 20).contains(&log), "{log}");
    assert_eq!(bench.log(Stream::Stderr), b"end\n");
}

/// Of too much output the log has the begin and the end, both byte for byte, whole lines at its end, and a line between them
/// that says how much is left out; what fits is kept as it came, also where it went round the end.
#[test]
fn begin_and_end_of_too_much_are_kept() {
    let whole = |n: u64| (1..=n).map(|n| format!("{n}\n")).collect::<String>();
    for n in [100, 3_800, 3_900, 4_000, 5_000, 300_000] {
        let bench = Bench::new();
        let mut spec = bench.script(&format!("seq 1 {n}"));
        spec.output = Output { bytes: 20_000, beyond: Beyond::Drop };
        let record = bench.run(&spec);
        let (log, whole) = (bench.out(), whole(n));
        assert_eq!(record.stdout.bytes + record.stdout.dropped, whole.len() as u64, "{n}");
        assert!(log.len() <= 20_000, "{n}: {}", log.len());
        if record.stdout.dropped == 0 {
            assert_eq!(log, whole, "{n}");
            continue;
        }
        assert!(n >= 4_000, "what fits is kept");
        let (begin, rest) = log.split_once("\n[").unwrap();
        let (said, end) = rest.split_once(" bytes of output left out here]\n").unwrap();
        assert_eq!(said.parse(), Ok(record.stdout.dropped), "{n}");
        assert!(whole.starts_with(begin) && begin.len() > 14_000, "{n}");
        assert!(whole.ends_with(&format!("\n{end}")) && end.len() > 4_000, "{n}");
        let names: Vec<_> = fs::read_dir(bench.run_dir()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".end")), "{names:?}");
    }
}

/// The output limit may end the run instead.
#[test]
fn the_output_limit_may_end_the_run() {
    let bench = Bench::new();
    let mut spec = bench.script("exec yes");
    spec.output = Output { bytes: 1000, beyond: Beyond::End };
    let record = bench.run(&spec);
    assert_eq!(record.ending, Ending::OutputLimit);
    assert_eq!(record.stdout.bytes, 1000);
}

/// Output is bytes: what is not UTF-8 is kept as it came, and a log can be followed piece by piece.
#[test]
fn output_is_kept_byte_for_byte() {
    let bench = Bench::new();
    let run_dir = bench.run_dir();
    let shown =
        |from, most| said::part(&run_dir, Stream::Stdout, (from, most), true, &Masker::default()).unwrap();
    assert_eq!(shown(0, 10), b"");
    bench.run(&bench.script(r"printf 'ab\377\376\000cd'"));
    assert_eq!(bench.log(Stream::Stdout), b"ab\xff\xfe\0cd");
    assert_eq!(shown(0, 3), b"ab\xff");
    assert_eq!(shown(3, 100), b"\xfe\0cd");
    assert_eq!(shown(7, 100), b"");
}

/// What cannot be started says why, in the record.
#[test]
fn what_cannot_start_says_why() {
    let cause = |change: &dyn Fn(&Bench, &mut RunSpec)| {
        let bench = Bench::new();
        let mut spec = bench.script("echo never");
        change(&bench, &mut spec);
        let record = bench.run(&spec);
        assert_eq!((record.program, bench.out().as_str()), (None, ""));
        match record.ending {
            Ending::CouldNotStart { cause } => cause.to_string(),
            other => panic!("started: {other:?}"),
        }
    };
    let missing = cause(&|_, spec| spec.program = "no-such-program".to_string());
    assert!(missing.contains("no-such-program") && missing.contains("No such file"), "{missing}");
    let folder = cause(&|bench, spec| spec.cwd = bench.path("nowhere"));
    assert!(folder.contains("working folder") && folder.contains("nowhere"), "{folder}");
    let input = cause(&|bench, spec| spec.stdin = Some(bench.path("nothing")));
    assert!(input.contains("standard input"), "{input}");
    let tree =
        cause(&|bench, spec| spec.sandbox = Sandbox::Landlock(Landlock::for_tree(&bench.path("gone"))));
    assert!(tree.contains("sandbox"), "{tree}");
}

/// What could never run is refused before anything is written or started.
#[test]
fn a_bad_specification_is_refused() {
    let bench = Bench::new();
    let refused = |spec: &RunSpec| match launcher().start(&bench.run_dir(), spec) {
        Err(StartError::Spec(e)) => e.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    let mut spec = bench.script("true");
    spec.sandbox = Sandbox::Landlock(Landlock::for_tree(&bench.path("")));
    assert!(refused(&spec).contains("the run's own record"));
    let mut spec = bench.script("true");
    spec.version = 2;
    assert!(refused(&spec).contains("newer binary"));
    let mut spec = bench.script("true");
    spec.env.insert("A=B".to_string(), String::new());
    assert!(refused(&spec).contains("environment"));
    assert_eq!(observe(&bench.run_dir()), Observed::NotStarted);
}

/// A shim that cannot begin says so, and the run can be started afterwards.
#[test]
fn a_shim_that_cannot_begin_is_reported() {
    let bench = Bench::new();
    let spec = bench.script("echo ran");
    let broken = Launcher { exe: "/bin/false".into() };
    assert!(matches!(broken.start(&bench.run_dir(), &spec), Err(StartError::GaveUp { .. })));
    let room = bench.run_dir().join("exit.tmp");
    fs::create_dir(&room).unwrap();
    let Err(StartError::GaveUp { cause, .. }) = launcher().start(&bench.run_dir(), &spec) else { panic!() };
    assert!(message::cause(&cause.unwrap(), Lang::Ru).contains("место на диске"));
    fs::remove_dir(&room).unwrap();
    let missing = Launcher { exe: bench.path("missing") };
    assert!(matches!(missing.start(&bench.run_dir(), &spec), Err(StartError::Spawn { .. })));
    bench.run(&spec);
    assert_eq!(bench.out(), "ran\n");
}

/// `kill -9` of the shim takes the program with it; what the program had started is found and killed by the
/// sweep for lost runs; the run is lost, not running and not ended.
#[test]
fn a_killed_shim_leaves_a_lost_run() {
    let bench = Bench::new();
    let shim = bench.start(&bench.script(
        "(setsid sh -c 'trap \"\" TERM; echo $$ > one; while :; do sleep 1; done' &)
         echo $$ > pid; while :; do sleep 1; done",
    ));
    let (program, tool) = (bench.process("pid"), bench.process("one"));
    assert_eq!(sweep_lost(&bench.run_dir()).unwrap().killed, 0, "a living run is not swept");
    kill(&shim, Signal::KILL);
    assert!(matches!(block_on(wait(&bench.run_dir())), Observed::Lost { .. }));
    eventually("the program's death", || dead(&program).then_some(()));
    let swept = sweep_lost(&bench.run_dir()).unwrap();
    assert!(swept.killed >= 1 && swept.left_alive == 0);
    assert!(dead(&tool));
    assert_eq!(bench.start(&bench.script("echo again > again")), shim, "a lost run is never started again");
    assert!(matches!(observe(&bench.run_dir()), Observed::Lost { .. }));
}

/// An agent that looks around: Orch's data, a neighbour's tree, its own run folder and foreign processes are
/// closed to it, its own tree is open.
#[test]
fn the_sandbox_opens_its_own_tree_only() {
    let bench = Bench::new();
    for folder in ["data", "neighbour"] {
        fs::create_dir(bench.path(folder)).unwrap();
        fs::write(bench.path(folder).join("secret"), "secret").unwrap();
    }
    let (data, neighbour) = (bench.path("data"), bench.path("neighbour"));
    let (data, neighbour, run_dir) = (data.display(), neighbour.display(), bench.run_dir());
    let me = std::process::id();
    let mut spec = bench.script(&format!(
        "try() {{ if \"$@\" > /dev/null 2>&1; then echo \"open: $*\"; fi; }}
         try cat {data}/secret; try ls {data}; try cat {neighbour}/secret; try touch {neighbour}/mine
         try cat {run}/spec.json; try ls {run}; try touch {run}/exit.json; try ls /root; try touch /usr/mine
         try grep -q . /proc/{me}/environ; try ls /proc/{me}/root/; try kill -0 {me}; try kill -0 $PPID
         try mknod disk b 254 0; try mknod zero c 1 5
         try ln -s {data}/secret link; try cat link; echo works > own; cat own",
        run = run_dir.display()
    ));
    spec.sandbox = Sandbox::Landlock(Landlock {
        at_least: Enforcement::FullyEnforced,
        ..Landlock::for_tree(&bench.path("tree"))
    });
    let record = bench.run(&spec);
    assert_eq!(record.sandbox, Some(Enforcement::FullyEnforced));
    // A link may be made; what it points at stays closed.
    assert_eq!(bench.out(), format!("open: ln -s {data}/secret link\nworks\n"));
    assert!(!bench.path("neighbour/mine").exists());
}

/// TCP is closed to a sandboxed program but for the ports it was given.
#[test]
fn the_sandbox_knows_ports() {
    let [open, closed] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    for (tcp, expected) in [
        (Tcp::All, "both"),
        (Tcp::None, "none"),
        (Tcp::Ports { connect: vec![port(&open)], bind: vec![] }, "one"),
    ] {
        let bench = Bench::new();
        let mut spec = bench.script(&format!(
            "a=0; b=0; (exec 3<>/dev/tcp/127.0.0.1/{}) && a=1; (exec 3<>/dev/tcp/127.0.0.1/{}) && b=1
             case $a$b in 11) echo both;; 10) echo one;; 00) echo none;; esac",
            port(&open),
            port(&closed)
        ));
        spec.program = "/bin/bash".to_string();
        spec.sandbox = Sandbox::Landlock(Landlock { tcp, ..Landlock::for_tree(&bench.path("tree")) });
        bench.run(&spec);
        assert_eq!(bench.out().trim(), expected, "{}", String::from_utf8_lossy(&bench.log(Stream::Stderr)));
    }
}

/// Limits are set, and core files are off.
#[test]
fn limits_are_set() {
    let bench = Bench::new();
    let mut spec =
        bench.script("ulimit -n; ulimit -Hn; ulimit -c; ulimit -f; grep NoNewPrivs /proc/self/status");
    spec.limits = Limits { nofile: 77, nproc: None, fsize: Some(512 * 10), address_space: None };
    bench.run(&spec);
    assert_eq!(bench.out(), "77\n77\n0\n10\nNoNewPrivs:\t1\n");
}

/// As root (so in CI) the program becomes the user named, without root's groups; as another user that is refused.
#[test]
fn a_program_becomes_its_user() {
    let bench = Bench::new();
    for path in [bench.path(""), bench.path("tree")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut spec = bench.script("id -u; id -g; id -G; cat ../runs/1/spec.json; echo $$ > /dev/null");
    spec.run_as = Some(RunAs { uid: 65534, gid: 65533 });
    let record = bench.run(&spec);
    if rustix::process::geteuid().is_root() {
        assert_eq!(record.ending, Ending::Exited { code: 0 });
        assert_eq!(bench.out(), "65534\n65533\n65533\n");
        assert!(String::from_utf8_lossy(&bench.log(Stream::Stderr)).contains("denied"));
    } else {
        assert!(matches!(record.ending, Ending::CouldNotStart { .. }));
    }
}

/// The death signal also reaches a program that changed its user, which clears it once. Runs as root alone, as CI does: nobody
/// else can become another user.
#[test]
fn another_user_dies_with_the_shim() {
    if !rustix::process::geteuid().is_root() {
        return crate::not_tried("only root can become someone else");
    }
    let bench = Bench::new();
    fs::set_permissions(bench.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(bench.path("tree"), fs::Permissions::from_mode(0o777)).unwrap();
    let mut spec = bench.script("echo $$ > pid; while :; do sleep 1; done");
    spec.run_as = Some(RunAs { uid: 65534, gid: 65533 });
    let shim = bench.start(&spec);
    let program = bench.process("pid");
    kill(&shim, Signal::KILL);
    eventually("the program's death", || dead(&program).then_some(()));
    sweep_lost(&bench.run_dir()).unwrap();
}

/// A pid used again is no sign of life, and neither is anything from before a reboot.
#[test]
fn a_reused_pid_and_a_reboot_are_death() {
    let bench = Bench::new();
    let shim = bench.start(&bench.script("echo $$ > pid; while :; do sleep 1; done"));
    bench.process("pid");
    let path = bench.run_dir().join("shim.json");
    let truth = fs::read_to_string(&path).unwrap();
    for lie in [
        truth.replace(&format!("\"start\":{}", shim.start), &format!("\"start\":{}", shim.start - 1)),
        truth.replace(&shim.boot, "00000000-0000-0000-0000-000000000000"),
    ] {
        assert_ne!(lie, truth);
        fs::write(&path, lie).unwrap();
        assert!(matches!(observe(&bench.run_dir()), Observed::Lost { .. }));
        assert_eq!(request_stop(&bench.run_dir()), StopAnswer::NotRunning);
    }
    // In another container's numbers it cannot be told, as long as the shim holds its lock.
    let other = truth.replace(&format!("\"namespace\":{}", shim.namespace), "\"namespace\":1");
    fs::write(&path, other).unwrap();
    let seen = observe(&bench.run_dir());
    assert!(matches!(seen, Observed::Unknown { .. }), "{seen:?}");
    fs::write(&path, "{").unwrap();
    assert!(matches!(observe(&bench.run_dir()), Observed::Unknown { .. }));
    fs::write(&path, truth).unwrap();
    assert_eq!(observe(&bench.run_dir()), Observed::Running(shim));
}

/// What the test's own process, and so whatever it starts, begins with.
pub(crate) fn own_niceness() -> i32 {
    rustix::process::getpriority_process(None).unwrap()
}

/// Whether the kernel weighs sessions, and the niceness of this process's session.
fn session_niceness(pid: i32) -> Option<i32> {
    let on = fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled").ok()?;
    let said = fs::read_to_string(format!("/proc/{pid}/autogroup")).ok()?;
    if on.trim() == "1" { said.trim().rsplit(' ').next()?.parse().ok() } else { None }
}

/// A run and its supervisor give way to Orch, as processes and as sessions (decision 58).
#[test]
fn a_run_gives_way() {
    let bench = Bench::new();
    let spec = bench.script("nice; echo $$ > pid; while ! test -e go; do echo; sleep 0.02; done");
    let shim = bench.start(&spec);
    let program = bench.process("pid");
    let nicer = (own_niceness() + 10).min(19);
    let of_shim = rustix::process::getpriority_process(Pid::from_raw(shim.pid)).unwrap();
    assert_eq!(of_shim, nicer);
    for pid in [program.pid, shim.pid].into_iter().filter(|pid| session_niceness(*pid).is_some()) {
        eventually("the session gives way", || (session_niceness(pid)? == 10).then_some(()));
    }
    fs::write(bench.path("tree/go"), "").unwrap();
    assert_eq!(bench.end().ending, Ending::Exited { code: 0 });
    assert_eq!(bench.out().lines().next(), Some(nicer.to_string().as_str()));
}
