//! How is a connection held? An accept loop of our own: a client that dribbles its headers is cut off, the number of
//! connections is bounded, and a stop lets answers end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::routes::Front;

/// A connection keeps no more than this of what it reads: a request's headers fit, a longer body comes in pieces.
const READ_BUFFER: usize = 16 * 1024;

/// Where connections come from.
#[derive(Debug)]
pub enum Listener {
    /// The address that browsers use.
    Tcp(TcpListener),
    /// The socket in the data folder that the command line uses.
    Unix(UnixListener),
}

/// By which kind of listener a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Tcp,
    Unix,
}

/// How long and how much is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the headers of a request.
    pub headers: Duration,
    /// Connections at once, a listener; the next one waits in the kernel's queue.
    pub connections: usize,
    /// For answers under way when it is told to stop.
    pub grace: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { headers: Duration::from_secs(10), connections: 1024, grace: Duration::from_secs(5) }
    }
}

/// Serves until `stop`, then lets answers under way end within the grace. The front door's streams end on the same token
/// (`Setup::stop`).
pub async fn serve(listeners: Vec<Listener>, front: Front, patience: Patience, stop: CancellationToken) {
    let mut loops = tokio::task::JoinSet::new();
    for listener in listeners {
        let (front, stop) = (front.clone(), stop.clone());
        // Each has its own: who fills the address that browsers use does not close the socket of `orch stop`.
        let room = Arc::new(Semaphore::new(patience.connections));
        loops.spawn(accept(listener, front, patience, room, stop));
    }
    while let Some(ended) = loops.join_next().await {
        if let Err(cause) = ended {
            tracing::error!(%cause, "a listener ended");
        }
    }
}

async fn accept(
    listener: Listener,
    front: Front,
    patience: Patience,
    room: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.headers).max_buf_size(READ_BUFFER);
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => match permit { Ok(permit) => permit, Err(_) => break },
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = next(&listener) => accepted,
        };
        let (io, peer) = match accepted {
            Ok(accepted) => accepted,
            // Out of descriptors, for example: it passes, and the loop must not spin meanwhile.
            Err(cause) => {
                tracing::warn!(%cause, "a connection was not accepted");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let front = front.clone();
        let answer = service_fn(move |request| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.answer_to(peer, request).await) }
        });
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(io), answer));
        tokio::spawn(async move {
            // A client that goes away is no news.
            if let Err(cause) = connection.await {
                tracing::debug!(%cause, "a connection ended");
            }
            drop(permit);
        });
    }
    if timeout(patience.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("answers were still under way when the grace was over");
    }
}

/// Answers on one connection to its end, as the socket in the data folder would: for a program that is its own front door.
pub async fn attend(stream: UnixStream, front: Front) {
    let answer = service_fn(move |request| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(front.answer_to(Peer::Unix, request).await) }
    });
    if let Err(cause) = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%cause, "a connection ended");
    }
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

async fn next(listener: &Listener) -> std::io::Result<(Box<dyn Wire>, Peer)> {
    match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream), Peer::Tcp))
        }
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            Ok((Box::new(stream), Peer::Unix))
        }
    }
}
