//! What watches a run from its first moment to its last, whatever becomes of Orch?
//!
//! One small single-threaded process a run: it names itself, starts the program, keeps its output, ends it
//! when it must, leaves nothing of it behind, and writes how it went. It asks no one and needs no one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::resource::{UsageWho, getrusage};
use orch_core::hindrance::{Hindrance, Preparing};
use orch_core::said::Cause;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitStatus, kill_process_group, pidfd_open, set_child_subreaper,
};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use sha2::{Digest, Sha256};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal as Incoming, SignalKind, signal};

use super::capture::{Capture, Note};
use super::enter::Said;
use super::identity::Identity;
use super::record::{
    Ending, Enforcement, ExitRecord, ProgramEnd, RECORD_VERSION, Reserved, SHIM, SPEC, ShimRecord, bounded,
    bounded_cause, read_spec,
};
use super::spec::{Beyond, RunSpec, StopSignal};
use super::sweep::{self, MARK, Signs, Swept};
use super::{LOCK, Stream, watch, way};

/// Exit code of a shim that found the run begun by another: nothing was done.
pub(super) const NOT_MINE: u8 = 75;

/// What the shim prints when it has named itself.
pub(super) const NAMED: &[u8] = b"named\n";

/// Supervises the run of `run_dir` to its end (`orch shim <run folder>`). A second shim for the same run
/// exits at once and does nothing. Failures before the program is started go to standard error, which is
/// the run's `shim.log`; later ones into the exit record.
pub fn supervise(run_dir: &Path) -> ExitCode {
    match begin(run_dir) {
        Ok(Some(())) => ExitCode::SUCCESS,
        Ok(None) => ExitCode::from(NOT_MINE),
        Err(hindrance) => {
            eprintln!("{hindrance}");
            // Whoever waits for the name is told why there is none.
            if let Ok(said) = serde_json::to_vec(&bounded_cause(hindrance.into())) {
                let _ = io::stdout().write_all(&said).and_then(|()| io::stdout().flush());
            }
            ExitCode::FAILURE
        }
    }
}

fn at(at: Preparing) -> impl Fn(io::Error) -> Hindrance {
    move |e| Hindrance::Unprepared { at, words: e.to_string() }
}

fn begin(run_dir: &Path) -> Result<Option<()>, Hindrance> {
    // Fails only for one that leads a group already, which is then detached enough.
    let _ = rustix::process::setsid();
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(run_dir.join(LOCK));
    let lock = lock.map_err(at(Preparing::Lock))?;
    if lock.try_lock().is_err() || ShimRecord::read(run_dir)?.is_some() {
        return Ok(None);
    }
    let shown = |name| run_dir.join(name).display().to_string();
    let spec = read_spec(run_dir)?.ok_or_else(|| Hindrance::FileMissing { path: shown(SPEC) })?;
    spec.check(run_dir).map_err(|e| e.0)?;
    let reserved = Reserved::take(run_dir).map_err(at(Preparing::Room))?;
    if !spec.keep_children {
        set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(io::Error::from)
            .map_err(at(Preparing::Orphans))?;
    }
    let mark = mark(run_dir);
    let record = ShimRecord {
        version: RECORD_VERSION,
        identity: Identity::of_self().map_err(at(Preparing::Name))?,
        cgroup: if spec.keep_children { None } else { sweep::make_cgroup(&mark) },
        mark,
        keep_children: spec.keep_children,
    };
    if !spec.keep_children {
        way::give(record.cgroup.as_deref());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(at(Preparing::Events))?;
    runtime.block_on(async {
        // Before the name is known, so that a stop request never meets the default action.
        let signals = Signals::catch().map_err(at(Preparing::Signals))?;
        let unwritten = |e: io::Error| Hindrance::FileUnwritten { path: shown(SHIM), words: e.to_string() };
        record.write(run_dir).map_err(unwritten)?;
        // Whoever started us may be gone; the run goes on.
        let _ = io::stdout().write_all(NAMED).and_then(|()| io::stdout().flush());
        let run = Run::start(run_dir, spec, record, signals).map_err(at(Preparing::Output))?;
        let exit = run.until_its_end().await;
        reserved.fill(&exit).map_err(at(Preparing::ExitRecord))
    })?;
    drop(lock);
    Ok(Some(()))
}

struct Signals {
    child: Incoming,
    stop: Incoming,
    /// Caught and not looked at: a closing terminal or session ends no run, and the program begins with the default
    /// of each, also where Orch was started with some ignored. A program inherits what is ignored, never what is caught.
    _others: [Incoming; 3],
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Signals {
            child: signal(SignalKind::child())?,
            stop: signal(SignalKind::terminate())?,
            _others: [
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
                signal(SignalKind::quit())?,
            ],
        })
    }
}

/// How the program was started, if it was.
enum Program {
    Child(Pid),
    Failed(Hindrance),
}

struct Run {
    spec: RunSpec,
    shim: ShimRecord,
    signals: Signals,
    program: Program,
    said: Note,
    stdout: Capture,
    stderr: Capture,
    alarm: Alarm,
    /// Whose sessions have to give way yet: the program's first, then our own.
    in_the_way: Vec<Pid>,
    started_ms: u64,
    started_boot: Duration,
}

impl Run {
    fn start(run_dir: &Path, spec: RunSpec, shim: ShimRecord, signals: Signals) -> io::Result<Self> {
        let (stdout, stdout_end) = Capture::open(&run_dir.join(Stream::Stdout.file()), spec.output)?;
        let (stderr, stderr_end) = Capture::open(&run_dir.join(Stream::Stderr.file()), spec.output)?;
        let (said, said_end) = Note::open()?;
        let alarm = Alarm::new()?;
        let (started_ms, started_boot) = (utc_ms(), boot_clock());
        if let Some(limit) = spec.time_limit_ms {
            alarm.ring_in(Duration::from_millis(limit))?;
        }
        // This very binary, also if another was put in its place meanwhile.
        let child = Command::new("/proc/self/exe")
            .args(super::arguments("--enter", run_dir))
            .env_clear()
            .env(MARK, &shim.mark)
            .stdin(Stdio::from(said_end))
            .stdout(Stdio::from(stdout_end))
            .stderr(Stdio::from(stderr_end))
            .spawn();
        let program = match child {
            // Dropping the handle neither kills nor waits; its end comes with SIGCHLD like any other.
            Ok(child) => match Pid::from_raw(child.id().cast_signed()) {
                Some(pid) => Program::Child(pid),
                None => Program::Failed(Hindrance::NotAPid { pid: child.id().cast_signed() }),
            },
            Err(e) => Program::Failed(Hindrance::NoNewProcess { words: e.to_string() }),
        };
        let mut in_the_way = Vec::new();
        if !spec.keep_children {
            in_the_way.push(rustix::process::getpid());
            in_the_way.extend(match program {
                Program::Child(child) => Some(child),
                Program::Failed(_) => None,
            });
        }
        Ok(Run {
            spec,
            shim,
            signals,
            program,
            said,
            stdout,
            stderr,
            alarm,
            in_the_way,
            started_ms,
            started_boot,
        })
    }

    async fn until_its_end(mut self) -> ExitRecord {
        let mut forced = None;
        let mut status = None;
        let mut swept = Swept::default();
        let mut notes = Vec::new();
        if let Program::Child(main) = self.program {
            (status, forced) = self.watch(main).await;
            match self.leave_nothing(main, &mut status) {
                Ok(done) => swept = done,
                Err(e) => notes.push(bounded(&format!("the sweep was cut short: {e}"))),
            }
        }
        self.said.drain();
        self.stdout.drain();
        self.stderr.drain();
        self.record(forced, status, swept, notes)
    }

    /// Asked again whenever something is said, for the kernel does not always listen.
    fn give_way(&mut self) {
        while self.in_the_way.last().is_some_and(|pid| way::session_gives(*pid)) {
            self.in_the_way.pop();
        }
    }

    /// Until the program has ended, or has outlived the grace after its gentle signal.
    async fn watch(&mut self, main: Pid) -> (Option<WaitStatus>, Option<Ending>) {
        let mut forced: Option<Ending> = None;
        loop {
            let reason = tokio::select! {
                _ = self.signals.child.recv() => {
                    match sweep::reap(main) {
                        Some(status) => return (Some(status), forced),
                        None => continue,
                    }
                }
                _ = self.signals.stop.recv() => Ending::Stopped,
                () = self.alarm.rings() => match forced {
                    Some(_) => return (None, forced),
                    None => Ending::TimeLimit,
                },
                () = self.said.turn() => {
                    self.give_way();
                    continue;
                }
                () = self.stdout.turn() => Ending::OutputLimit,
                () = self.stderr.turn() => Ending::OutputLimit,
            };
            self.give_way();
            let full = self.stdout.over() || self.stderr.over();
            let harmless = reason == Ending::OutputLimit && !(full && self.spec.output.beyond == Beyond::End);
            if harmless || forced.is_some() {
                continue;
            }
            forced = Some(reason);
            let gentle = match self.spec.stop.signal {
                StopSignal::Int => Signal::INT,
                StopSignal::Term => Signal::TERM,
            };
            // The program leads its group; before it does (it is still entering), the signal is for it alone.
            if kill_process_group(main, gentle).is_err() {
                let _ = rustix::process::kill_process(main, gentle);
            }
            if self.alarm.ring_in(Duration::from_millis(self.spec.stop.grace_ms.max(1))).is_err() {
                return (None, forced);
            }
        }
    }

    /// Ends what is left of the run, the program itself included.
    fn leave_nothing(&self, main: Pid, status: &mut Option<WaitStatus>) -> io::Result<Swept> {
        if status.is_none() {
            let _ = kill_process_group(main, Signal::KILL);
        }
        if self.spec.keep_children {
            if status.is_some() {
                return Ok(Swept::default());
            }
            sweep::await_deaths(&[pidfd_open(main, PidfdFlags::empty())?]);
            *status = sweep::reap(main);
            return Ok(Swept {
                killed: u32::from(status.is_some()),
                left_alive: u32::from(status.is_none()),
            });
        }
        let signs = Signs {
            cgroup: self.shim.cgroup.as_deref(),
            ancestor: Some(self.shim.identity.pid),
            mark: &self.shim.mark,
            since: self.shim.identity.start,
        };
        let swept = sweep::sweep(&signs, || {
            if let Some(end) = sweep::reap(main) {
                *status = Some(end);
            }
        })?;
        if let Some(cgroup) = &self.shim.cgroup {
            sweep::remove_cgroup(cgroup);
        }
        Ok(swept)
    }

    fn record(
        mut self,
        forced: Option<Ending>,
        status: Option<WaitStatus>,
        swept: Swept,
        mut notes: Vec<String>,
    ) -> ExitRecord {
        let mut sandbox: Option<Enforcement> = None;
        let (mut cgroup, mut ready) = (false, false);
        let mut failed: Option<Cause> = None;
        for line in self.said.text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(Said::Ready { sandbox: enforced, cgroup: joined }) => {
                    (sandbox, cgroup, ready) = (enforced, joined, true);
                }
                Ok(Said::Failed { cause }) => failed = Some(cause),
                Err(e) => failed = Some(Hindrance::ReportDamaged { words: e.to_string() }.into()),
            }
        }
        let program = status.and_then(program_end);
        let ending = match (forced, self.program, failed, program) {
            (Some(forced), ..) => forced,
            (None, Program::Failed(hindrance), ..) => {
                Ending::CouldNotStart { cause: bounded_cause(hindrance.into()) }
            }
            (None, _, Some(cause), _) => Ending::CouldNotStart { cause: bounded_cause(cause) },
            (None, _, None, Some(ProgramEnd::Exited { code })) if ready => Ending::Exited { code },
            (None, _, None, Some(ProgramEnd::Signalled { signal })) if ready => Ending::Signalled { signal },
            (None, _, None, end) => {
                let (code, signal) = match end {
                    Some(ProgramEnd::Exited { code }) => (Some(code), None),
                    Some(ProgramEnd::Signalled { signal }) => (None, Some(signal)),
                    None => (None, None),
                };
                Ending::CouldNotStart { cause: Hindrance::EndedEarly { code, signal }.into() }
            }
        };
        let started = !matches!(ending, Ending::CouldNotStart { .. });
        self.stdout.finish();
        self.stderr.finish();
        notes.extend(self.stdout.fault.clone());
        notes.extend(self.stderr.fault.clone());
        let (stdout, stderr) = (self.stdout.tally, self.stderr.tally);
        if self.spec.keep_children {
            keep_reading([self.stdout.into_open_pipe(), self.stderr.into_open_pipe()], &mut notes);
        }
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok();
        let cpu = usage.map_or(0, |u| millis(u.user_time()) + millis(u.system_time()));
        ExitRecord {
            version: RECORD_VERSION,
            run: self.spec.run,
            ending,
            program: program.filter(|_| started),
            started_ms: self.started_ms,
            ended_ms: utc_ms(),
            wall_ms: whole_ms(boot_clock().saturating_sub(self.started_boot)),
            cpu_ms: cpu,
            max_rss_kib: usage.and_then(|u| u64::try_from(u.max_rss()).ok()).unwrap_or(0),
            stdout,
            stderr,
            sandbox,
            cgroup,
            killed: swept.killed,
            left_alive: swept.left_alive,
            notes,
        }
    }
}

/// Hands pipes that a kept service may still write to over to a process that reads them to their end.
fn keep_reading(pipes: [Option<OwnedFd>; 2], notes: &mut Vec<String>) {
    if pipes.iter().all(Option::is_none) {
        return;
    }
    let [one, two] = pipes.map(|pipe| pipe.map_or_else(Stdio::null, Stdio::from));
    let reader = Command::new("/proc/self/exe")
        .args(super::arguments("--discard", Path::new("/")))
        .env_clear()
        .stdin(one)
        .stdout(two)
        .stderr(Stdio::null())
        .spawn();
    if let Err(e) = reader {
        notes.push(bounded(&format!("no one reads the output of the services left running: {e}")));
    }
}

/// A timer on the boot clock: time asleep counts.
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Alarm(watch(timerfd_create(TimerfdClockId::Boottime, flags)?)?))
    }

    pub(super) fn ring_in(&self, span: Duration) -> io::Result<()> {
        let value = Timespec {
            tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 4),
            tv_nsec: i64::from(span.subsec_nanos().max(1)),
        };
        let interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(
            &self.0,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval: interval, it_value: value },
        )?;
        Ok(())
    }

    pub(super) async fn rings(&self) {
        loop {
            let Ok(mut ready) = self.0.readable().await else { return std::future::pending().await };
            match rustix::io::read(&self.0, &mut [0_u8; 8]) {
                Ok(_) => return,
                Err(_) => ready.clear_ready(),
            }
        }
    }
}

fn program_end(status: WaitStatus) -> Option<ProgramEnd> {
    let exited = status.exit_status().map(|code| ProgramEnd::Exited { code });
    exited.or_else(|| status.terminating_signal().map(|signal| ProgramEnd::Signalled { signal }))
}

/// Unique to the run folder, so that runs of the same id in two installations never sweep each other.
fn mark(run_dir: &Path) -> String {
    let digest = Sha256::digest(run_dir.as_os_str().as_encoded_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn utc_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_ms)
}

pub(super) fn boot_clock() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

pub(super) fn whole_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn millis(time: nix::sys::time::TimeVal) -> u64 {
    use nix::sys::time::TimeValLike;
    u64::try_from(time.num_milliseconds()).unwrap_or(0)
}

/// Reads standard input and standard output, both pipes here, to their ends (`orch shim --discard`).
pub(super) fn discard() -> ExitCode {
    let copy = |fd: rustix::io::Result<OwnedFd>| fd.map(File::from);
    match (
        copy(rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)),
        copy(rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)),
    ) {
        (Ok(one), Ok(two)) => {
            super::capture::discard(one, two);
            ExitCode::SUCCESS
        }
        (Err(_), _) | (_, Err(_)) => ExitCode::FAILURE,
    }
}
