//! Who sends deliveries? Threads with a connection each, kept alive, that take one after the other from a list.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use orch_adapters::tracker::builtin::{SIGNATURE_HEADER, sign};

/// A stack that is enough to write and read.
const STACK: usize = 128 << 10;

/// Whether a delivery is what it seems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    /// By the project's secret.
    Well,
    /// By another.
    Forged,
}

/// One delivery.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// Its number: the same number is the same delivery.
    pub(super) n: usize,
    pub(super) signed: Signed,
    pub(super) body: String,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// Which of the list was sent.
    pub(super) at: usize,
    pub(super) n: usize,
    pub(super) signed: Signed,
    /// 0 if there was none.
    pub(super) status: u16,
    /// Whether it says when to come back: in how many seconds.
    pub(super) retry_after: bool,
}

impl Answer {
    /// Whether it was told to come back.
    pub(super) fn is_shed(&self) -> bool {
        self.status == 503 && self.retry_after
    }
}

/// To whom.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) project: &'static str,
    pub(super) secret: Vec<u8>,
}

impl Target {
    fn request(&self, delivery: &Delivery) -> Vec<u8> {
        let signature = match delivery.signed {
            Signed::Well => sign(&self.secret, delivery.body.as_bytes()),
            Signed::Forged => sign(b"somebody else's", delivery.body.as_bytes()),
        };
        format!(
            "POST /webhook/orch/{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n{SIGNATURE_HEADER}: {signature}\r\n\
             content-length: {}\r\n\r\n{}",
            self.project,
            self.address,
            delivery.body.len(),
            delivery.body
        )
        .into_bytes()
    }

    /// Sends them all over so many connections; the answers in no order.
    ///
    /// # Errors
    /// The machine gives no more threads.
    pub(super) fn send(&self, deliveries: &[Delivery], connections: usize) -> io::Result<Vec<Answer>> {
        self.send_counting(deliveries, connections, &AtomicUsize::new(0))
    }

    /// The same, and counts meanwhile how many were told to come back.
    ///
    /// # Errors
    /// The machine gives no more threads.
    pub(super) fn send_counting(
        &self,
        deliveries: &[Delivery],
        connections: usize,
        shed: &AtomicUsize,
    ) -> io::Result<Vec<Answer>> {
        let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(deliveries.len())));
        std::thread::scope(|scope| {
            for _ in 0..connections {
                std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
                    let (mut own, mut stream) = (Vec::new(), None);
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(delivery) = deliveries.get(at) else { break };
                        let answered = exchange(&mut stream, self.address, &self.request(delivery));
                        if answered.is_err() {
                            stream = None;
                        }
                        let (status, retry_after) = answered.unwrap_or((0, false));
                        let answer =
                            Answer { at, n: delivery.n, signed: delivery.signed, status, retry_after };
                        if answer.is_shed() {
                            shed.fetch_add(1, Ordering::Relaxed);
                        }
                        own.push(answer);
                    }
                    if let Ok(mut all) = all.lock() {
                        all.append(&mut own);
                    }
                })?;
            }
            Ok::<(), io::Error>(())
        })?;
        Ok(all.into_inner().unwrap_or_default())
    }
}

/// Sends a request and reads its answer: the status, and whether a `Retry-After` came with it that names seconds.
fn exchange(kept: &mut Option<TcpStream>, address: SocketAddr, request: &[u8]) -> io::Result<(u16, bool)> {
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
    let (mut answer, mut part) = (Vec::new(), [0; 2048]);
    loop {
        let n = stream.read(&mut part)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&part[..n]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length: usize = of("content-length:").and_then(|n| n.parse().ok()).unwrap_or(0);
        if answer.len() >= end + 4 + length {
            let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
            let seconds = of("retry-after:").and_then(|seconds| seconds.parse::<u32>().ok());
            return Ok((status, seconds.is_some_and(|seconds| seconds > 0)));
        }
    }
}
