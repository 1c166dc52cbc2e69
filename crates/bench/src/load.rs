//! Who sends deliveries? Every one is signed, new and changes something. As many as can be answered are sent by one thread
//! for all connections, which takes little of the machine that it measures; at fixed moments by a thread a connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use orch_sim::schedule::Dice;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::time::Timespec;

use crate::figure::{Figures, ms};
use crate::letter::Letters;

/// To whom, and what.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) letters: Letters,
}

/// For how long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of one delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// Its number in the run.
    pub(crate) n: u64,
    /// The answer's status; 0 if there was none.
    pub(crate) status: u16,
    /// From when it was due.
    pub(crate) wait: Duration,
    /// From when it was sent: the same unless the sender could not keep up.
    pub(crate) exchange: Duration,
    /// Whether a refusal says when to come back.
    pub(crate) retry_after: bool,
}

/// What came of a run.
pub(crate) struct Answers {
    pub(crate) all: Vec<Answer>,
    pub(crate) took: Duration,
}

impl Answers {
    /// The numbers of the deliveries that were acknowledged as written.
    pub(crate) fn taken(&self) -> Vec<u64> {
        self.all.iter().filter(|answer| answer.status == 202).map(|answer| answer.n).collect()
    }

    /// How many had this status.
    pub(crate) fn with(&self, status: u16) -> usize {
        self.all.iter().filter(|answer| answer.status == status).count()
    }

    /// Waits of those that were acknowledged, in milliseconds.
    pub(crate) fn waits(&self) -> Figures {
        Figures(self.all.iter().filter(|answer| answer.status == 202).map(|answer| ms(answer.wait)).collect())
    }
}

/// As many as can be answered, over so many connections: each sends the next when the one before is answered.
pub(crate) fn closed(target: &Target, connections: usize, length: Duration) -> Result<Answers> {
    let ready = epoll::create(epoll::CreateFlags::CLOEXEC).context("an epoll")?;
    let (began, mut all, mut request) = (Instant::now(), Vec::new(), Vec::new());
    let until = began + length;
    let mut next = 0;
    let mut send = |line: &mut Line, next: &mut u64| -> std::io::Result<()> {
        (line.n, line.sent) = (*next, Instant::now());
        *next += 1;
        target.letters.write(target.address, line.n, &mut request);
        line.stream.write_all(&request)
    };
    let mut lines = Vec::new();
    for n in 0..connections {
        let mut line = Line { stream: connect(target.address)?, answer: Vec::new(), n: 0, sent: began };
        let about = epoll::EventData::new_u64(n as u64);
        epoll::add(&ready, &line.stream, about, epoll::EventFlags::IN).context("to watch a connection")?;
        send(&mut line, &mut next)?;
        lines.push(Some(line));
    }
    let patience = Timespec::try_from(PATIENCE).context("a time to wait")?;
    let (mut open, mut events) = (connections, Vec::with_capacity(connections));
    while open > 0 {
        epoll::wait(&ready, spare_capacity(&mut events), Some(&patience)).context("to wait for answers")?;
        if events.is_empty() {
            bail!("{open} deliveries are not answered within {} s", PATIENCE.as_secs());
        }
        for event in events.drain(..) {
            let Some(place) = lines.get_mut(event.data.u64() as usize) else { continue };
            let Some(line) = place else { continue };
            let heard = match line.hear() {
                Ok(None) => continue,
                Ok(Some(heard)) => heard,
                Err(_) => Heard { status: 0, retry_after: false },
            };
            let wait = line.sent.elapsed();
            let Heard { status, retry_after } = heard;
            all.push(Answer { n: line.n, status, wait, exchange: wait, retry_after });
            if status == 0 || Instant::now() >= until || send(line, &mut next).is_err() {
                *place = None;
                open -= 1;
            }
        }
    }
    Ok(Answers { all, took: began.elapsed() })
}

/// So many a second at random moments; each wait counts from the moment at which the delivery was due.
pub(crate) fn open(target: &Target, connections: usize, rate: f64, length: Duration) -> Result<Answers> {
    let mut dice = Dice::new(5);
    let (mut at, mut due) = (Duration::from_millis(50), Vec::new());
    let began = Instant::now();
    while at < length {
        due.push(began + at);
        let chance = (dice.below(1 << 30) as f64 + 1.0) / f64::from(1 << 30);
        at += Duration::from_secs_f64(-chance.ln() / rate);
    }
    run(target, connections, &due)
}

/// The first so many, one after another.
pub(crate) fn each(target: &Target, count: usize) -> Result<Answers> {
    run(target, 1, &vec![Instant::now(); count])
}

fn run(target: &Target, connections: usize, due: &[Instant]) -> Result<Answers> {
    let (next, began) = (AtomicUsize::new(0), Instant::now());
    let one = || {
        let (mut own, mut request, mut line) = (Vec::new(), Vec::new(), None);
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(due) = due.get(n) else { return own };
            target.letters.write(target.address, n as u64, &mut request);
            if let Some(left) = due.checked_duration_since(Instant::now()) {
                std::thread::sleep(left);
            }
            let sent = Instant::now();
            let answered = exchange(&mut line, target.address, &request);
            if answered.is_err() {
                line = None;
            }
            let Heard { status, retry_after } = answered.unwrap_or(Heard { status: 0, retry_after: false });
            let (wait, exchange) = (due.elapsed(), sent.elapsed());
            own.push(Answer { n: n as u64, status, wait, exchange, retry_after });
        }
    };
    let all = std::thread::scope(|scope| -> Result<Vec<Answer>> {
        let mut threads = Vec::new();
        for _ in 0..connections {
            let thread = std::thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, one);
            threads.push(thread.context("a thread for a connection")?);
        }
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow::anyhow!("a connection's thread ended in a panic"))?);
        }
        Ok(all)
    })?;
    Ok(Answers { all, took: began.elapsed() })
}

/// A connection and what came over it since the last request.
struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
    n: u64,
    sent: Instant,
}

/// An answer.
struct Heard {
    status: u16,
    retry_after: bool,
}

impl Line {
    /// What came now; none if more of it is to come.
    fn hear(&mut self) -> std::io::Result<Option<Heard>> {
        let mut chunk = [0; 2048];
        let n = self.stream.read(&mut chunk)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.answer.extend_from_slice(&chunk[..n]);
        let heard = heard(&self.answer);
        if heard.is_some() {
            self.answer.clear();
        }
        Ok(heard)
    }
}

/// A whole answer: its status, and whether a `Retry-After` came with it.
fn heard(answer: &[u8]) -> Option<Heard> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let (mut length, mut retry_after) = (0, false);
    for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
        retry_after |= name.eq_ignore_ascii_case("retry-after");
    }
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    (answer.len() >= end + 4 + length).then_some(Heard { status, retry_after })
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a request and reads its answer.
fn exchange(kept: &mut Option<Line>, address: SocketAddr, request: &[u8]) -> std::io::Result<Heard> {
    let line = match kept {
        Some(line) => line,
        None => {
            let stream = connect(address)?;
            kept.insert(Line { stream, answer: Vec::new(), n: 0, sent: Instant::now() })
        }
    };
    line.stream.write_all(request)?;
    loop {
        if let Some(heard) = line.hear()? {
            return Ok(heard);
        }
    }
}
