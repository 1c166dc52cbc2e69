//! Do the fake servers behave as the real ones were seen to, over real HTTP?

mod plane;
mod gitea;
mod telegram;
mod trouble;
mod shapes;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use orch_sim::http::clock::Clock;
use orch_sim::http::trouble::Troubles;
use orch_sim::http::wire::{Request, Response};
use orch_sim::http::{Delivery, Door, Posted};
use serde_json::Value;
use tokio::net::TcpStream;

/// Sends a request over real HTTP; `None` if the connection breaks.
async fn call(url: &str, asked: Request) -> Option<Response> {
    let host = url.strip_prefix("http://")?;
    let stream = TcpStream::connect(host).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let drives = tokio::spawn(connection);
    let query: Vec<String> = asked.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let target = match query.is_empty() {
        true => asked.path.clone(),
        false => format!("{}?{}", asked.path, query.join("&")),
    };
    let mut request =
        hyper::Request::builder().method(asked.method.as_str()).uri(target).header("Host", host);
    for (name, value) in &asked.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::from(asked.body));
    let answer = sender.send_request(request.body(body).expect("a request")).await;
    let (parts, body) = answer.ok()?.into_parts();
    let body = body.collect().await.ok()?.to_bytes().to_vec();
    drives.abort();
    let headers = parts.headers.iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    Some(Response { status: parts.status.as_u16(), headers, body })
}

/// The status and the JSON of an answer that comes.
async fn ask(url: &str, asked: Request) -> (u16, Value) {
    let answer = call(url, asked).await.expect("an answer");
    (answer.status, answer.value())
}

/// Somebody who receives webhooks and answers them all alike.
struct Inbox {
    clock: Clock,
    troubles: Troubles,
    status: u16,
    got: Vec<Request>,
}

impl Inbox {
    fn new(status: u16) -> Self {
        Self { clock: Clock::new(0), troubles: Troubles::default(), status, got: Vec::new() }
    }
}

impl Door for Inbox {
    fn answer(&mut self, request: &Request) -> Response {
        self.got.push(request.clone());
        Response::empty(self.status)
    }

    fn post(&mut self) -> Vec<Delivery> {
        Vec::new()
    }

    fn posted(&mut self, _: &Delivery, _: Posted) {}

    fn next_due(&self) -> Option<i64> {
        None
    }

    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn troubles(&mut self) -> &mut Troubles {
        &mut self.troubles
    }
}
