//! What does a running brain cost? The real program, looked at from outside: `/proc`, and answers over TCP.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::home::Home;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that was started here. It is killed when it is dropped.
pub(crate) struct Brain {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) answered: Duration,
}

/// What a process has used so far.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    at: Instant,
    cpu: Duration,
    wakes: BTreeMap<String, u64>,
    written: u64,
}

/// What a process used in a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    /// How long that was.
    pub(crate) seconds: f64,
    /// On processors: all threads, and the children that ended.
    pub(crate) cpu: Duration,
    /// How often a thread was woken: voluntary switches of all threads that are there at the end.
    pub(crate) wakes: u64,
    /// Bytes handed to the disk.
    pub(crate) written: u64,
}

impl Used {
    /// What was used since then.
    pub(crate) fn since(&self, before: &Used) -> Use {
        let old = |thread: &String| before.wakes.get(thread).copied().unwrap_or(0);
        Use {
            seconds: self.at.duration_since(before.at).as_secs_f64(),
            cpu: self.cpu.saturating_sub(before.cpu),
            wakes: self.wakes.iter().map(|(thread, wakes)| wakes.saturating_sub(old(thread))).sum(),
            written: self.written.saturating_sub(before.written),
        }
    }

    /// On processors, since the process began.
    pub(crate) const fn cpu(&self) -> Duration {
        self.cpu
    }
}

impl Brain {
    /// Starts `orch up` and waits for its first answer.
    pub(crate) fn start(orch: &Path, home: &Home) -> Result<Self> {
        let mut command = Command::new(orch);
        command.arg("--home").arg(home.folder()).arg("up");
        if rustix::process::geteuid().is_root() {
            command.arg("--allow-root");
        }
        Self::serve(command, home.port, "/health", &home.folder().join("brain.log"))
    }

    /// Starts any server and waits for its first answer.
    pub(crate) fn serve(mut command: Command, port: u16, path: &str, log: &Path) -> Result<Self> {
        let log = std::fs::File::create(log).context("a file for what it says")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?} could not be started"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut brain = Self { child, address, answered: Duration::ZERO };
        while began.elapsed() < PATIENCE {
            if brain.ask(path).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                brain.answered = began.elapsed();
                return Ok(brain);
            }
            if let Some(status) = brain.child.try_wait()? {
                bail!("{command:?} ended with {status} before it answered");
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        bail!("{command:?} did not answer within {} s", PATIENCE.as_secs())
    }

    /// An answer on a connection of its own.
    pub(crate) fn ask(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Result<Used> {
        let (pid, at) = (self.pid(), Instant::now());
        let mut wakes = BTreeMap::new();
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?;
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            let thread = task.file_name().to_string_lossy().into_owned();
            wakes.insert(thread, number(&status, "voluntary_ctxt_switches:"));
        }
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        Ok(Used { at, cpu: cpu_of(&pid.to_string())?, wakes, written: number(&io, "write_bytes:") })
    }

    /// Resident memory now, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory since the start or since `forget_peak`, in MiB.
    pub(crate) fn peak(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// The peak counts from now on.
    pub(crate) fn forget_peak(&self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5");
    }

    fn memory(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        number(&status, name) as f64 / 1024.0
    }

    /// Ends it without a warning.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().context("it could not be killed")?;
        self.child.wait().context("it did not end")?;
        Ok(())
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("it ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Brain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a process, its ended threads and children included: in the scheduler's ticks of 10 ms.
pub(crate) fn cpu_of(pid: &str) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').context("no name in /proc/../stat")?;
    let ticks = after_name.split_whitespace().skip(11).take(4).map(|n| n.parse().unwrap_or(0)).sum::<u64>();
    Ok(Duration::from_millis(ticks * 10))
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> u64 {
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
