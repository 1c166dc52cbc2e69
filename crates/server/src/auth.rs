//! Who may what? Every write needs a credential, on loopback too: the token of the data folder, or a browser session that
//! began with a one-time link. `Host` and `Origin` are checked, so that no page of another site speaks through a browser.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use orch_core::gesture::Door;
use orch_core::id::Digest;
use orch_core::time::{Moment, Span};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::error::{Both, Kind, Problem, both};
use crate::routes::Rooms;
use crate::serve::Peer;

/// How long a one-time link is good for.
pub const TICKET_LIFE: Span = Span::minutes(10);
/// How long a browser stays signed in.
pub const SESSION_LIFE: Span = Span(30 * 24 * 3600 * 1000);
const MOST_TICKETS: usize = 64;
const MOST_SESSIONS: usize = 256;

/// Who the door opens for, as the settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The token of the data folder.
    pub token: String,
    /// Where people reach the dashboard, as a link begins: `http://127.0.0.1:8500`.
    pub address: String,
    /// Names that a `Host` may have, without ports.
    pub hosts: Vec<String>,
    /// Whether people reach it by https (behind a proxy): cookies are `Secure` then.
    pub https: bool,
    /// Whether reading needs a login too: always when not bound to loopback.
    pub reading_needs_login: bool,
}

impl Access {
    /// Loopback: reading is free, writing needs a credential.
    pub fn loopback(token: impl Into<String>) -> Self {
        let hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        let address = "http://localhost".to_owned();
        Self { token: token.into(), address, hosts, https: false, reading_needs_login: false }
    }
}

/// A session as it is kept: its token is not in it, only the token's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSession {
    /// SHA-256 of the session's token.
    pub hash: Digest,
    /// Who it is.
    pub by: String,
    /// Until when it is good.
    pub until: Moment,
}

/// A browser that is signed in, as its request shows it.
#[derive(Debug)]
pub(crate) struct Session {
    hash: Digest,
    /// Who it is.
    pub(crate) by: String,
    /// What its forms carry: made from the token, so that it need not be kept either.
    pub(crate) csrf: String,
}

impl Session {
    fn of(kept: &KeptSession, token: &str) -> Self {
        let csrf = Digest::of(format!("forms of {token}").as_bytes()).to_string();
        Self { hash: kept.hash.clone(), by: kept.by.clone(), csrf }
    }
}

/// Writes all sessions somewhere; called after every change.
pub type Keep = Box<dyn Fn(&[KeptSession]) + Send + Sync>;

/// Keeps the door: tickets, sessions, and the token.
pub struct Keeper {
    access: Access,
    token: Digest,
    cookie: String,
    tickets: Mutex<Vec<Ticket>>,
    sessions: Mutex<HashMap<Digest, KeptSession>>,
    keep: Option<Mutex<Keep>>,
}

struct Ticket {
    hash: Digest,
    by: String,
    until: Moment,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// A program with the token.
    Token {
        /// Whom it names.
        by: String,
        /// Through which door.
        via: Door,
    },
    /// A browser.
    Session(Arc<Session>),
    /// Not known.
    Nobody,
}

/// The system has no random numbers: nothing secret can be made.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers ({0}); nothing secret can be made")]
pub struct NoRandom(getrandom::Error);

impl From<NoRandom> for Problem {
    fn from(cause: NoRandom) -> Self {
        Problem::new(
            Kind::Failed,
            Both::new(
                cause.to_string(),
                format!("система не даёт случайных чисел ({}); ничего секретного создать нельзя", cause.0),
            ),
            both!("look at the system's /dev/urandom", "проверьте /dev/urandom"),
        )
    }
}

/// 256 random bits in hexadecimal.
pub(crate) fn random() -> Result<String, NoRandom> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(NoRandom)?;
    Ok(Digest::of(&bytes).to_string())
}

impl Keeper {
    /// A keeper with the sessions kept so far.
    pub fn new(access: Access, kept: Vec<KeptSession>, keep: Option<Keep>) -> Self {
        let token = Digest::of(access.token.as_bytes());
        // Cookies do not know ports: two installations on one host must not share a name.
        let cookie = match access.https {
            true => format!("__Host-orch-{}", &Digest::of(token.0.as_bytes()).0[..8]),
            false => format!("orch-{}", &Digest::of(token.0.as_bytes()).0[..8]),
        };
        let sessions = kept.into_iter().map(|session| (session.hash.clone(), session)).collect();
        Self {
            access,
            token,
            cookie,
            tickets: Mutex::default(),
            sessions: Mutex::new(sessions),
            keep: keep.map(Mutex::new),
        }
    }

    /// A ticket for one sign-in within ten minutes: the link is `/login?ticket=<ticket>`.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn issue(&self, by: &str, now: Moment) -> Result<String, NoRandom> {
        let ticket = random()?;
        let mut tickets = lock(&self.tickets);
        tickets.retain(|ticket| ticket.until > now);
        if tickets.len() >= MOST_TICKETS {
            tickets.remove(0);
        }
        let hash = Digest::of(ticket.as_bytes());
        tickets.push(Ticket { hash, by: by.to_owned(), until: now.after(TICKET_LIFE) });
        Ok(ticket)
    }

    /// A link that signs one browser in within ten minutes.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn link(&self, by: &str, now: Moment) -> Result<String, NoRandom> {
        Ok(format!("{}/login?ticket={}", self.access.address, self.issue(by, now)?))
    }

    /// Takes a ticket; the second time it is not there any more. Answers the cookie to set.
    pub(crate) fn sign_in(&self, ticket: &str, now: Moment) -> Result<HeaderValue, Problem> {
        let hash = Digest::of(ticket.as_bytes());
        let taken = {
            let mut tickets = lock(&self.tickets);
            tickets.retain(|ticket| ticket.until > now);
            let place = tickets.iter().position(|ticket| same(&ticket.hash, &hash));
            place.map(|place| tickets.remove(place))
        };
        let Some(ticket) = taken else {
            return Err(Problem::new(
                Kind::NoCredential,
                both!(
                    "this link was used already, or is over ten minutes old",
                    "по этой ссылке уже вошли, или ей больше десяти минут"
                ),
                both!("`orch login` prints a new one", "новую напечатает `orch login`"),
            ));
        };
        let token = random()?;
        let session =
            KeptSession { hash: Digest::of(token.as_bytes()), by: ticket.by, until: now.after(SESSION_LIFE) };
        let mut sessions = lock(&self.sessions);
        sessions.retain(|_, session| session.until > now);
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) =
                sessions.values().min_by_key(|session| session.until).map(|s| s.hash.clone())
        {
            sessions.remove(&oldest);
        }
        sessions.insert(session.hash.clone(), session);
        drop(sessions);
        self.write_down();
        Ok(self.set_cookie(&token, SESSION_LIFE.as_seconds()))
    }

    /// Ends a session. Answers the cookie that forgets it.
    pub(crate) fn sign_out(&self, session: &Session) -> HeaderValue {
        lock(&self.sessions).remove(&session.hash);
        self.write_down();
        self.set_cookie("", 0)
    }

    /// Whether a form or a script of this session sent what only its page knows.
    pub(crate) fn check_form(&self, session: &Session, said: &str) -> Result<(), Problem> {
        if bool::from(session.csrf.as_bytes().ct_eq(said.as_bytes())) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            both!(
                "the request does not carry the token of the page it comes from",
                "в запросе нет токена страницы, с которой он пришёл"
            ),
            both!(
                "load the page again; scripts send it as `Orch-Csrf`, or use the token of the data folder",
                "загрузите страницу заново; скрипты присылают его в `Orch-Csrf` или берут токен из папки данных"
            ),
        ))
    }

    fn set_cookie(&self, token: &str, seconds: u64) -> HeaderValue {
        let secure = if self.access.https { "; Secure" } else { "" };
        let text =
            format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}", self.cookie);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }

    /// Keeps the sessions as they are. Whoever asks who somebody is does not wait for the disk.
    fn write_down(&self) {
        if let Some(keep) = &self.keep {
            let keep = lock(keep);
            let mut all: Vec<KeptSession> = lock(&self.sessions).values().cloned().collect();
            all.sort_by(|a, b| a.hash.cmp(&b.hash));
            keep(&all);
        }
    }

    /// Finds out who asks. A token that is wrong is an error, not a nobody: its owner should know.
    fn who(&self, headers: &HeaderMap, peer: Peer, now: Moment) -> Result<Who, Problem> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            let right = token.is_some_and(|token| same(&Digest::of(token.trim().as_bytes()), &self.token));
            if !right {
                return Err(Problem::new(
                    Kind::NoCredential,
                    both!("the token is not this installation's", "это токен не этой установки"),
                    both!(
                        "it stands in the file `token` of the data folder; send `Authorization: Bearer <token>`",
                        "он лежит в файле `token` папки данных; пришлите `Authorization: Bearer <token>`"
                    ),
                ));
            }
            let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let by: String = said("orch-by").unwrap_or("api").chars().take(80).collect();
            let via = match (said("orch-door"), peer) {
                (Some("command-line"), _) | (None, Peer::Unix) => Door::CommandLine,
                (Some(_), _) | (None, Peer::Tcp) => Door::Api,
            };
            return Ok(Who::Token { by, via });
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let Some((_, token)) = pairs.find(|(name, _)| *name == self.cookie) else { return Ok(Who::Nobody) };
        let sessions = lock(&self.sessions);
        let kept = sessions.get(&Digest::of(token.as_bytes())).filter(|session| session.until > now);
        Ok(kept.map_or(Who::Nobody, |kept| Who::Session(Arc::new(Session::of(kept, token)))))
    }

    /// The `Host` must be one of ours: another name that resolves to us is somebody's trick on a browser.
    fn check_host(&self, headers: &HeaderMap, peer: Peer) -> Result<(), Problem> {
        if peer == Peer::Unix {
            return Ok(());
        }
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.access.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(without_port(host))) {
            return Ok(());
        }
        let shown: String = host.chars().take(80).collect();
        Err(Problem::new(
            Kind::WrongHost,
            both!(
                "this server does not answer to the name `{shown}`",
                "этот сервер не отзывается на имя `{shown}`"
            ),
            both!(
                "name it under `hosts` in orch.toml if it should",
                "если должен, добавьте это имя в `hosts` в orch.toml"
            ),
        ))
    }
}

/// A write that a browser sends must come from our own page.
fn check_origin(headers: &HeaderMap, who: &Who) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let own = match (text(header::ORIGIN), headers.get("sec-fetch-site").map(HeaderValue::as_bytes)) {
        (Some(origin), _) => origin.split_once("://").is_some_and(|(_, at)| at.eq_ignore_ascii_case(host)),
        (None, Some(site)) => site == b"same-origin" || site == b"none",
        // Every browser that keeps cookies sends one of the two; programs have the token.
        (None, None) => !matches!(who, Who::Session(_)),
    };
    if own {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        both!(
            "this request comes from a page of another origin",
            "этот запрос пришёл со страницы другого сайта"
        ),
        both!("open the dashboard itself and try there", "откройте саму панель и попробуйте там"),
    ))
}

/// The layer in front of all routes: host, who, origin, and whether reading is free.
pub(crate) async fn door(State(rooms): State<Rooms>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer::Tcp);
    match enter(&rooms, &request, peer) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn enter(rooms: &Rooms, request: &Request, peer: Peer) -> Result<Who, Problem> {
    let keeper = &rooms.keeper;
    keeper.check_host(request.headers(), peer)?;
    let path = request.uri().path();
    let who = keeper.who(request.headers(), peer, rooms.source.now())?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads {
        check_origin(request.headers(), &who)?;
    }
    let free = path == "/health" || path == "/login" || path.starts_with("/assets/");
    let known = !matches!(who, Who::Nobody);
    let needed = !reads || keeper.access.reading_needs_login || peer == Peer::Unix;
    if known || free || !needed { Ok(who) } else { Err(Problem::no_credential()) }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        Some(_) | None => host,
    }
}

fn same(a: &Digest, b: &Digest) -> bool {
    a.0.as_bytes().ct_eq(b.0.as_bytes()).into()
}

/// A panic elsewhere does not close the door for ever: what the lock guards is replaced whole, never half.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
