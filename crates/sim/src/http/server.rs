//! How do real clients get to a fake server? Real HTTP on loopback, and its webhooks as real requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::clock::SECOND;
use super::wire::{Request, Response, pairs};
use super::{Delivery, Door, Posted};

/// A fake server that listens. It ends when it is dropped.
#[derive(Debug)]
pub struct Server<D> {
    door: Arc<Mutex<D>>,
    address: SocketAddr,
    listens: JoinHandle<()>,
}

/// A fake server that cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("no port on loopback for a fake server; is there a free one?")]
pub struct ListenError(#[from] std::io::Error);

/// Why an answer does not come: the connection is to break.
#[derive(Debug, thiserror::Error)]
#[error("the connection breaks off (injected)")]
struct BreaksOff;

impl<D: Door + 'static> Server<D> {
    /// Listens on a free port of loopback; `door` gets the address that clients will call, for the links in its answers.
    pub async fn listen(door: impl FnOnce(SocketAddr) -> D) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let door = Arc::new(Mutex::new(door(address)));
        let listens = tokio::spawn(accept(listener, Arc::clone(&door)));
        Ok(Self { door, address, listens })
    }

    /// Where it listens, as clients write it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The world behind it.
    pub fn world(&self) -> MutexGuard<'_, D> {
        hold(&self.door)
    }

    /// So many seconds of the world's time pass, and each webhook that is due meanwhile is posted; what became of each.
    pub async fn pass(&self, seconds: i64) -> Vec<(Delivery, Posted)> {
        let until = self.world().clock().now() + seconds * SECOND;
        let mut all = Vec::new();
        loop {
            let leaving = {
                let mut door = self.world();
                match door.next_due().filter(|due| *due <= until) {
                    Some(due) => door.clock().reach(due),
                    None => {
                        door.clock().reach(until);
                        return all;
                    }
                }
                door.post()
            };
            for delivery in leaving {
                let posted = post(&delivery).await;
                self.world().posted(&delivery, posted);
                all.push((delivery, posted));
            }
        }
    }
}

impl<D> Drop for Server<D> {
    fn drop(&mut self) {
        self.listens.abort();
    }
}

/// A thread that broke while it held the door has failed its test; the others need no second failure.
fn hold<D>(door: &Mutex<D>) -> MutexGuard<'_, D> {
    door.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept<D: Door + 'static>(listener: TcpListener, door: Arc<Mutex<D>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let answer = service_fn(move |request| serve(Arc::clone(&door), request));
            // A client that goes away, or is sent away, is what the tests are about.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn serve<D: Door>(
    door: Arc<Mutex<D>>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, BreaksOff> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| BreaksOff)?.to_bytes().to_vec();
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
    });
    let asked = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        headers: headers.collect(),
        body,
    };
    let Response { status, headers, body } = hold(&door).answer(&asked);
    match status {
        Response::HANGS => std::future::pending().await,
        Response::BREAKS_OFF => Err(BreaksOff),
        _ => {
            let mut answer = hyper::Response::builder().status(status);
            for (name, value) in headers {
                answer = answer.header(name, value);
            }
            answer.body(Full::new(Bytes::from(body))).map_err(|_| BreaksOff)
        }
    }
}

/// Posts a webhook and waits for the status. It follows nothing.
async fn post(delivery: &Delivery) -> Posted {
    match try_post(delivery).await {
        Some(status) => Posted::Answered(status),
        None => Posted::Unreachable,
    }
}

async fn try_post(delivery: &Delivery) -> Option<u16> {
    let rest = delivery.url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let stream = TcpStream::connect(host).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let drives = tokio::spawn(connection);
    let mut request = hyper::Request::post(format!("/{path}")).header("Host", host);
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(delivery.body.clone()))).ok()?;
    let answer = sender.send_request(request).await;
    drives.abort();
    answer.ok().map(|answer| answer.status().as_u16())
}
