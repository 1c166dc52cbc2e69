//! How does Orch speak HTTP to others? One client, with limits on everything: time, size, where it may be led.

use std::error::Error as _;
use std::time::Duration;

use orch_core::hindrance::Hindrance;
use reqwest::redirect;

/// What a client may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// For the whole of a call.
    pub total: Duration,
    /// Bytes of an answer; the rest is not read.
    pub body: usize,
}

/// The client. It follows no redirect, uses no proxy of the environment, and is cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    limits: Limits,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers whose values are text, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body, as far as the limit allowed.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub cut: bool,
}

/// A client that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct ClientError(String);

impl ClientError {
    /// Why, in the words of the library.
    pub fn cause(&self) -> &str {
        &self.0
    }
}

/// Why there is no answer. Names the host, never a query: keys can stand there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not an address that can be called.
    #[error("`{url}` is no address: expected something like `http://127.0.0.1:8080/health`")]
    Address {
        /// What was given, without its query.
        url: String,
    },
    /// No connection.
    #[error("{host} cannot be reached: {cause}")]
    Connect {
        /// Whom.
        host: String,
        /// Why.
        cause: String,
    },
    /// No whole answer in time: it may have been done.
    #[error("{host} did not answer within {after:?}")]
    TimedOut {
        /// Whom.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The connection broke, or what came was no HTTP: it may have been done.
    #[error("{host} broke off: {cause}")]
    Broken {
        /// Whom.
        host: String,
        /// How.
        cause: String,
    },
}

impl From<CallError> for Hindrance {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Address { url } => Hindrance::BadAddress { url },
            CallError::Connect { host, cause } => Hindrance::Unreachable { host, words: cause },
            CallError::TimedOut { host, after } => Hindrance::NoAnswer { host, seconds: after.as_secs() },
            CallError::Broken { host, cause } => Hindrance::BrokeOff { host, words: cause },
        }
    }
}

/// Chooses the cryptography of TLS for the whole process, once; later calls change nothing.
pub fn install_tls() {
    // An error says only that one was chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Client {
    /// A client with these limits.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub fn new(limits: Limits) -> Result<Self, ClientError> {
        install_tls();
        let inner = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| ClientError(causes(&e)))?;
        Ok(Self { inner, limits })
    }

    /// Gets an address. Every status is an answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn get(&self, url: &str) -> Result<Answer, CallError> {
        let bad = || CallError::Address { url: url.split('?').next().unwrap_or_default().to_owned() };
        let url = reqwest::Url::parse(url).map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(bad()),
        };
        let failed = |e: reqwest::Error| self.failed(&host, e);
        let mut response = self.inner.get(url).send().await.map_err(failed)?;
        let headers = response.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: Vec::new(),
            cut: false,
        };
        while let Some(part) = response.chunk().await.map_err(failed)? {
            let room = self.limits.body - answer.body.len();
            answer.body.extend_from_slice(&part[..part.len().min(room)]);
            if part.len() > room {
                answer.cut = true;
                break;
            }
        }
        Ok(answer)
    }

    fn failed(&self, host: &str, error: reqwest::Error) -> CallError {
        let host = host.to_owned();
        let error = error.without_url();
        if error.is_timeout() {
            return CallError::TimedOut { host, after: self.limits.total };
        }
        let cause = causes(&error);
        if error.is_connect() {
            CallError::Connect { host, cause }
        } else {
            CallError::Broken { host, cause }
        }
    }
}

/// The deepest cause says what really happened.
fn causes(error: &reqwest::Error) -> String {
    let mut deepest: Option<&dyn std::error::Error> = error.source();
    while let Some(next) = deepest.and_then(std::error::Error::source) {
        deepest = Some(next);
    }
    deepest.map_or_else(|| error.to_string(), ToString::to_string)
}
