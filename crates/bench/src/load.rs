//! Who sends deliveries? Threads with a connection each, kept alive; every delivery is signed, new and changes something.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use orch_sim::schedule::Dice;
use serde_json::json;

use crate::figure::{Figures, ms};
use crate::home::{Known, PROJECT};

/// A delivery is so long: what trackers send of an issue.
const BODY: usize = 3072;

/// To whom, and in whose words.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) secret: Vec<u8>,
    pub(crate) speech: Speech,
    /// The first part of every delivery's name.
    pub(crate) run: String,
}

/// Whose words a delivery is in.
pub(crate) enum Speech {
    /// The built-in tracker's, about these issues in turn.
    Orch(Vec<Known>),
    /// Those of the ordinary receiver.
    Receiver,
}

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

/// When the next delivery is due.
enum Pace {
    /// When the one before is answered.
    Closed { until: Instant },
    /// At these moments, whatever happens.
    Open { due: Vec<Instant> },
}

/// As many as can be answered, over so many connections.
pub(crate) fn closed(target: &Arc<Target>, connections: usize, length: Duration) -> Result<Answers> {
    run(target, connections, Pace::Closed { until: Instant::now() + length })
}

/// So many a second at random moments; each wait counts from the moment at which the delivery was due.
pub(crate) fn open(target: &Arc<Target>, connections: usize, rate: f64, length: Duration) -> Result<Answers> {
    let mut dice = Dice::new(5);
    let (mut at, mut due) = (Duration::from_millis(50), Vec::new());
    let began = Instant::now();
    while at < length {
        due.push(began + at);
        let chance = (dice.below(1 << 30) as f64 + 1.0) / f64::from(1 << 30);
        at += Duration::from_secs_f64(-chance.ln() / rate);
    }
    run(target, connections, Pace::Open { due })
}

/// The first so many, one after another.
pub(crate) fn each(target: &Arc<Target>, count: usize) -> Result<Answers> {
    run(target, 1, Pace::Open { due: vec![Instant::now(); count] })
}

fn run(target: &Arc<Target>, connections: usize, pace: Pace) -> Result<Answers> {
    let (pace, next) = (Arc::new(pace), Arc::new(AtomicUsize::new(0)));
    let all = Arc::new(Mutex::new(Vec::new()));
    let began = Instant::now();
    let mut threads = Vec::new();
    for _ in 0..connections {
        let (target, pace, next, all) =
            (Arc::clone(target), Arc::clone(&pace), Arc::clone(&next), Arc::clone(&all));
        let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(move || {
            let mut own = Vec::new();
            let mut stream = None;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let due = match &*pace {
                    Pace::Closed { until } if Instant::now() < *until => None,
                    Pace::Open { due } if n < due.len() => Some(due[n]),
                    Pace::Closed { .. } | Pace::Open { .. } => break,
                };
                let request = target.request(n as u64);
                if let Some(left) = due.and_then(|due| due.checked_duration_since(Instant::now())) {
                    std::thread::sleep(left);
                }
                let sent = Instant::now();
                let due = due.unwrap_or(sent);
                let answered = exchange(&mut stream, target.address, &request);
                if answered.is_err() {
                    stream = None;
                }
                let (status, retry_after) = answered.unwrap_or((0, false));
                let (wait, exchange) = (due.elapsed(), sent.elapsed());
                own.push(Answer { n: n as u64, status, wait, exchange, retry_after });
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).append(&mut own);
        });
        threads.push(thread.context("a thread for a connection")?);
    }
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a connection's thread ended in a panic"))?;
    }
    let took = began.elapsed();
    let all = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Answers { all, took })
}

impl Target {
    /// The `n`-th delivery of the run, ready to be sent.
    fn request(&self, n: u64) -> Vec<u8> {
        let delivery = format!("{}-{n}", self.run);
        let (path, value, signature, scheme) = match &self.speech {
            Speech::Orch(known) => {
                let about = &known[n as usize % known.len()];
                let issue = json!({
                    "key": about.issue, "number": about.number, "title": format!("Greet visitor {} by name", about.number),
                    "status": about.status, "labels": [], "present": true, "text": "",
                });
                let value = json!({ "delivery": delivery, "project": PROJECT, "issue": issue });
                (format!("/webhook/orch/{PROJECT}"), value, "x-orch-signature", "sha256=")
            }
            Speech::Receiver => {
                let now =
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                let issue = json!({ "number": n, "text": "" });
                let value =
                    json!({ "type": "Issue", "webhookTimestamp": now.as_millis() as u64, "issue": issue });
                ("/hooks/tracker".to_owned(), value, "x-signature", "")
            }
        };
        let mut value = value;
        let bare = value.to_string().len();
        let words = "the task board moves when a gate is green and a lease has not run out yet ";
        let mut text = format!("edit {delivery}: ");
        while text.len() < BODY {
            text.push_str(words);
        }
        text.truncate(BODY.saturating_sub(bare));
        value["issue"]["text"] = text.into();
        let body = value.to_string();
        let mut digits = String::with_capacity(64);
        if let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(&self.secret) {
            mac.update(body.as_bytes());
            for byte in mac.finalize().into_bytes() {
                let _ = write!(digits, "{byte:02x}");
            }
        }
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{signature}: {scheme}{digits}\r\n\
             x-delivery: {delivery}\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }
}

/// Sends a request and reads its answer: the status, and whether a `Retry-After` came with it.
fn exchange(
    kept: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
) -> std::io::Result<(u16, bool)> {
    let stream = match kept {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            kept.insert(stream)
        }
    };
    stream.write_all(request)?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 2048]);
    loop {
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&chunk[..n]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length: usize = of("content-length:").and_then(|n| n.parse().ok()).unwrap_or(0);
        if answer.len() >= end + 4 + length {
            let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
            return Ok((status, of("retry-after:").is_some()));
        }
    }
}
