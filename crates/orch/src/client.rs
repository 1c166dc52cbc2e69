//! How does a command speak to the brain? HTTP over the socket in the data folder, with the token beside it; while the
//! brain is down, to the store as it was left, in the same words (decision 44).

use std::io;
use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use orch_core::message::Lang;
use orch_server::{Front, attend};
use serde_json::Value;
use tokio::net::UnixStream;

use crate::error::{Error, Kind};
use crate::home::Home;
use crate::words::{Told, say};

/// The longest answer that is read: a log or a diff may be large, but not endless.
const LARGEST: usize = 64 << 20;

/// A way to the brain, or to what it left, that is known to be open.
#[derive(Debug)]
pub struct Client {
    home: Home,
    /// The front door in this process; without it the socket.
    door: Option<Front>,
    token: String,
    by: Option<String>,
    lang: Lang,
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPart {
    /// What was written.
    pub bytes: Vec<u8>,
    /// From which byte on.
    pub from: u64,
    /// Where the next part begins.
    pub next: u64,
    /// How long the log is by now.
    pub size: u64,
    /// Whether it still grows.
    pub live: bool,
    /// Bytes of too much output that are not in it.
    pub left_out: u64,
}

impl Client {
    /// Knocks at the socket.
    ///
    /// # Errors
    /// [`Kind::NotRunning`] if nobody answers; [`Kind::Refused`] if the token cannot be read.
    pub async fn open(home: &Home, by: Option<&str>) -> Result<Self, Error> {
        connect(home).await?;
        let token = std::fs::read_to_string(home.token()).map_err(|e| {
            Error::refused(say!(
                "the brain runs, but its token cannot be read: {e}",
                "Orch работает, но его токен не читается: {e}"
            ))
            .at(home.token().display())
            .remedy(as_its_user())
        })?;
        let by = by.filter(|by| by.bytes().all(|b| b.is_ascii_graphic())).map(str::to_owned);
        let token = token.trim().to_owned();
        Ok(Self { home: home.clone(), door: None, token, by, lang: Lang::default() })
    }

    /// A front door of this process.
    pub fn inside(home: &Home, door: Front, token: String) -> Self {
        Self { home: home.clone(), door: Some(door), token, by: None, lang: Lang::default() }
    }

    /// The same, answered in a language.
    #[must_use]
    pub fn speaking(self, lang: Lang) -> Self {
        Self { lang, ..self }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// What the brain answers, as a person sees it.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        let response = self.send(Method::GET, path, None).await?;
        read(response, path).await
    }

    /// Asks for a part of a log.
    ///
    /// # Errors
    /// What the brain answers, as a person sees it.
    pub async fn part(&self, path: &str) -> Result<LogPart, Error> {
        let response = accepted(self.send(Method::GET, path, None).await?, path).await?;
        let said = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| said(name).and_then(|value| value.parse().ok()).unwrap_or(0);
        let mut part = LogPart {
            from: number("log-from"),
            next: number("log-next"),
            size: number("log-size"),
            live: said("log-live") == Some("true"),
            left_out: number("log-left-out"),
            bytes: Vec::new(),
        };
        part.bytes = collected(response, path).await?.to_vec();
        Ok(part)
    }

    /// Does something, once: the key makes a repetition harmless.
    ///
    /// # Errors
    /// What the brain answers, as a person sees it.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let response = self.send(Method::POST, path, Some(body)).await?;
        read(response, path).await
    }

    /// Changes something, once: the key makes a repetition harmless.
    ///
    /// # Errors
    /// What the brain answers, as a person sees it.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let response = self.send(Method::PATCH, path, Some(body)).await?;
        read(response, path).await
    }

    /// Follows a stream of events, line by line, until `on` says stop or the brain ends it.
    ///
    /// # Errors
    /// What the brain answers, as a person sees it; the first error of `on`.
    pub async fn follow(
        &self,
        path: &str,
        mut on: impl FnMut(Frame) -> Result<Next, Error>,
    ) -> Result<(), Error> {
        let response = accepted(self.send(Method::GET, path, None).await?, path).await?;
        let mut body = response.into_body();
        let mut frames = Frames::default();
        while let Some(part) = body.frame().await {
            let part = part.map_err(|e| cut(path, &e))?;
            let Ok(bytes) = part.into_data() else { continue };
            for frame in frames.take(&bytes) {
                if let Next::Stop = on(frame)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Error> {
        let stream = match &self.door {
            None => connect(&self.home).await?,
            Some(door) => {
                let (near, far) = UnixStream::pair().map_err(|e| {
                    Error::failed(say!("no connection can be made: {e}", "не удалось соединиться: {e}"))
                })?;
                tokio::spawn(attend(far, door.clone()));
                near
            }
        };
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| cut(path, &e))?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("accept", "application/json, text/event-stream;q=0.9, text/plain;q=0.8")
            .header("accept-language", self.lang.code())
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(by) = &self.by {
            request = request.header("orch-by", by);
        }
        if body.is_some() {
            let key = random()?;
            request = request.header("content-type", "application/json").header("idempotency-key", key);
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = request.body(Full::new(bytes)).map_err(|e| {
            Error::failed(say!("the request cannot be written: {e}", "не удалось составить запрос: {e}"))
                .at(path)
        })?;
        sender.send_request(request).await.map_err(|e| cut(path, &e))
    }
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read on.
    More,
    /// It is enough.
    Stop,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Where to go on after it.
    pub id: Option<String>,
    /// Its sort.
    pub event: Option<String>,
    /// What it says.
    pub data: String,
}

/// Takes a byte stream apart into events, wherever it was cut.
#[derive(Debug, Default)]
struct Frames {
    rest: Vec<u8>,
    open: Frame,
    said: bool,
}

impl Frames {
    fn take(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.rest.extend_from_slice(bytes);
        let mut done = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            done.extend(self.line(line.trim_end_matches(['\n', '\r'])));
        }
        done
    }

    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let frame = std::mem::take(&mut self.open);
            return std::mem::take(&mut self.said).then_some(frame);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.open.id = Some(value.to_owned()),
            "event" => self.open.event = Some(value.to_owned()),
            "data" => {
                if self.said {
                    self.open.data.push('\n');
                }
                self.open.data.push_str(value);
                self.said = true;
            }
            _ => {} // comments keep the line open; not a domain enum
        }
        None
    }
}

/// Runs a conversation with the brain on this thread.
///
/// # Errors
/// Its own, or that there is no event loop to be had.
pub fn talk<T>(conversation: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| {
        Error::failed(say!("no event loop can be made: {e}", "не удалось начать работу: {e}"))
    })?;
    runtime.block_on(conversation)
}

async fn connect(home: &Home) -> Result<UnixStream, Error> {
    let socket = home.socket();
    UnixStream::connect(&socket).await.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => not_running(home.folder()),
        io::ErrorKind::PermissionDenied => Error::refused(say!(
            "this user may not speak to the brain",
            "этому пользователю нельзя обращаться к Orch"
        ))
        .at(socket.display())
        .remedy(as_its_user()),
        _ => Error::failed(say!("the brain cannot be reached: {e}", "до Orch не достучаться: {e}"))
            .at(socket.display()),
    })
}

/// The brain is not running, and how to start it.
pub fn not_running(home: &Path) -> Error {
    let cause = say!(
        "Orch is not running here, so nothing was done",
        "Orch здесь не запущен, поэтому ничего не сделано"
    );
    Error::new(Kind::NotRunning, cause)
        .at(home.display())
        .remedy(say!("start it with `orch up`", "запустите: `orch up`"))
}

fn as_its_user() -> Told {
    say!(
        "run the command as the user who runs Orch",
        "выполните команду от имени пользователя, который запускает Orch"
    )
}

/// A piece of a path: whatever a person typed stays one piece.
pub fn segment(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")), // not a domain enum
        }
    }
    if matches!(text, "." | "..") { out.replace('.', "%2E") } else { out }
}

/// A path with what is asked of it.
pub fn query(path: &str, asked: &[(&str, Option<String>)]) -> String {
    let said =
        asked.iter().filter_map(|(name, value)| Some(format!("{name}={}", segment(value.as_deref()?))));
    match said.collect::<Vec<_>>().join("&") {
        none if none.is_empty() => path.to_owned(),
        all => format!("{path}?{all}"),
    }
}

/// 128 random bits in hexadecimal.
pub(crate) fn random() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| {
        Error::failed(say!("the system gives no random numbers: {e}", "система не даёт случайных чисел: {e}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn read(response: Response<Incoming>, path: &str) -> Result<Value, Error> {
    let response = accepted(response, path).await?;
    let body = collected(response, path).await?;
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&body).map_err(|e| {
        Error::failed(say!("the brain's answer cannot be understood: {e}", "ответ Orch непонятен: {e}"))
            .at(path)
            .remedy(say!(
                "are `orch` here and the running one the same version? `orch doctor` tells",
                "совпадают ли версии этой команды и запущенного Orch? Ответит `orch doctor`"
            ))
    })
}

/// Turns a refusal into an error.
async fn accepted(response: Response<Incoming>, path: &str) -> Result<Response<Incoming>, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = collected(response, path).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    let word = |names: &[&str]| {
        names.iter().find_map(|name| error.get(name).and_then(Value::as_str)).map(str::to_owned)
    };
    let kind = match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Kind::Usage,
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::UNPROCESSABLE_ENTITY => Kind::Refused,
        _ => Kind::Failed, // not a domain enum
    };
    let said = word(&["cause", "message", "detail", "title"]);
    let mut told = Error::new(
        kind,
        said.map_or_else(|| say!("the brain answers {status}", "ответ Orch: {status}"), Told::quoted),
    );
    told.place = word(&["place"]);
    let hint = || match status {
        StatusCode::UNAUTHORIZED => Some(say!(
            "the token changed: is another Orch running in this folder?",
            "токен сменился: не запущен ли в этой папке другой Orch?"
        )),
        StatusCode::SERVICE_UNAVAILABLE => Some(say!(
            "it has too much to do: try again in a moment",
            "слишком много дел: попробуйте чуть позже"
        )),
        _ => None, // not a domain enum
    };
    told.remedy = word(&["remedy", "hint"]).or_else(|| hint().map(String::from));
    Err(told)
}

async fn collected(response: Response<Incoming>, path: &str) -> Result<Bytes, Error> {
    let body = http_body_util::Limited::new(response.into_body(), LARGEST);
    body.collect().await.map(http_body_util::Collected::to_bytes).map_err(|e| {
        Error::failed(say!("the brain's answer broke off: {e}", "ответ Orch оборвался: {e}")).at(path)
    })
}

fn cut(path: &str, error: &hyper::Error) -> Error {
    Error::failed(say!("the connection to the brain broke off: {error}", "связь с Orch оборвалась: {error}"))
        .at(path)
        .remedy(say!(
            "look with `orch show` whether it was done, then try again",
            "посмотрите командой `orch show`, сделано ли это, и попробуйте снова"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that what a person types never becomes another path (decision 10).
    #[test]
    fn a_segment_stays_one() {
        assert_eq!(segment("ORCH-001~2"), "ORCH-001~2");
        assert_eq!(segment("../x?y#z"), "..%2Fx%3Fy%23z");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(query("/t", &[("a", None), ("b", Some("1&2".to_owned()))]), "/t?b=1%262");
    }

    /// Proves that a stream reads the same however the network cuts it, and that keep-alive comments say nothing.
    #[test]
    fn a_stream_is_cut_anywhere() {
        let wire = "id: 7\nevent: row\ndata: a\ndata: é\n\n: keep\n\ndata:b\r\n\r\n";
        let whole = Frames::default().take(wire.as_bytes());
        assert_eq!(whole.len(), 2);
        assert_eq!((whole[0].id.as_deref(), whole[0].data.as_str()), (Some("7"), "a\né"));
        assert_eq!(whole[1].data, "b");
        for at in 0..wire.len() {
            let mut frames = Frames::default();
            let mut cut = frames.take(&wire.as_bytes()[..at]);
            cut.extend(frames.take(&wire.as_bytes()[at..]));
            assert_eq!(cut, whole, "cut at {at}");
        }
    }
}
