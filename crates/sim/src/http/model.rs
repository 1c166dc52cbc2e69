//! Who answers Claude Code in tests? A model server on loopback that speaks the streaming Messages API: for each prompt it
//! has shell commands in mind, and what it does when they are done.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// How the server behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Well,
    /// It refuses with this status and this kind of error.
    Refuses(u16, &'static str),
    /// It takes the request and says nothing, for ever.
    Silent,
}

/// What it does for a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The shell commands that it wants first, all in one call of the tool.
    pub commands: String,
    /// What it does when they are done.
    pub then: Then,
}

/// What the server does when its commands are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It says this, and that is the end.
    Says(String),
    /// It calls the request a bad one, with these words: no limit and no outage.
    Refuses(String),
    /// It says nothing, for ever.
    Waits,
}

/// What the turn for a prompt is.
type Mind = Box<dyn Fn(&str) -> Turn + Send + Sync>;

struct Shared {
    mood: Mutex<Mood>,
    keys: Mutex<Vec<String>>,
    mind: Mind,
}

/// The server. It lives as long as the process.
pub struct Model {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Model {
    /// Starts it; `mind` is asked for the turn of each prompt.
    ///
    /// # Errors
    /// There is no port for it.
    pub fn start(
        mind: impl Fn(&str) -> Turn + Send + Sync + 'static,
    ) -> Result<Self, super::server::ListenError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared =
            Arc::new(Shared { mood: Mutex::new(Mood::Well), keys: Mutex::default(), mind: Box::new(mind) });
        let mine = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&mine);
                std::thread::spawn(move || talk(stream, &shared));
            }
        });
        Ok(Self { port, shared })
    }

    /// From now on it behaves like this.
    pub fn mood(&self, mood: Mood) {
        *hold(&self.shared.mood) = mood;
    }

    /// The keys with which it was asked so far.
    pub fn keys(&self) -> Vec<String> {
        hold(&self.shared.keys).clone()
    }
}

/// A thread that broke while it held this has failed its test; the others need no second failure.
fn hold<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is told of a request.
enum Told {
    Content(Value),
    Refused(u16, &'static str, String),
    Nothing,
}

/// Answers the requests of one connection. A client that hangs up ends it.
fn talk(stream: TcpStream, shared: &Shared) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut lines = BufReader::new(stream);
    while let Some((line, key, body)) = request(&mut lines) {
        hold(&shared.keys).extend(key);
        let mood = *hold(&shared.mood);
        let told = match mood {
            _ if !line.starts_with("POST /v1/messages") || line.contains("count_tokens") => {
                Told::Refused(404, "not_found_error", "not here".to_owned())
            }
            Mood::Silent => Told::Nothing,
            Mood::Refuses(status, kind) => Told::Refused(status, kind, format!("{kind}, says the test")),
            Mood::Well => answer(&body, &shared.mind),
        };
        let told = match told {
            Told::Content(content) => streamed(&mut out, &content),
            Told::Refused(status, kind, message) => {
                let error = json!({"type": "error", "error": {"type": kind, "message": message}});
                plain(&mut out, status, &error)
            }
            Told::Nothing => loop {
                std::thread::park();
            },
        };
        if told.is_err() {
            return;
        }
    }
}

/// The first line, the key and the body of the next request.
fn request(lines: &mut BufReader<TcpStream>) -> Option<(String, Option<String>, Value)> {
    let (mut first, mut length, mut key) = (String::new(), 0, None);
    lines.read_line(&mut first).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-api-key" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    Some((first, key, serde_json::from_slice(&body).unwrap_or_default()))
}

fn plain(out: &mut TcpStream, status: u16, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    write!(
        out,
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// All texts of a message, or of a whole conversation.
fn texts(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => {
            into.push_str(text);
            into.push('\n');
        }
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, into)),
        Value::Object(fields) => {
            for name in ["content", "text"] {
                fields.get(name).into_iter().for_each(|part| texts(part, into));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One tool call for a prompt, and what follows once its result is there.
fn answer(body: &Value, mind: &Mind) -> Told {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let used = messages.iter().any(|message| {
        message["content"].as_array().is_some_and(|parts| parts.iter().any(|p| p["type"] == "tool_result"))
    });
    let can = body["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "Bash"));
    let says = |text: &str| Told::Content(json!({"type": "text", "text": text}));
    if !can {
        return says("It is done.");
    }
    let mut prompt = String::new();
    messages.iter().for_each(|message| texts(message, &mut prompt));
    let Turn { commands, then } = mind(&prompt);
    match then {
        _ if !used => {
            let input = json!({"command": commands, "description": "what the role does"});
            Told::Content(json!({"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": input}))
        }
        Then::Says(text) => says(&text),
        Then::Refuses(words) => Told::Refused(400, "invalid_request_error", words),
        Then::Waits => Told::Nothing,
    }
}

/// The content as the events of a stream.
fn streamed(out: &mut TcpStream, content: &Value) -> std::io::Result<()> {
    let tool = content["type"] == "tool_use";
    let (begun, delta, why) = if tool {
        let begun = json!({"type": "tool_use", "id": content["id"], "name": content["name"], "input": {}});
        let delta = json!({"type": "input_json_delta", "partial_json": content["input"].to_string()});
        (begun, delta, "tool_use")
    } else {
        let delta = json!({"type": "text_delta", "text": content["text"]});
        (json!({"type": "text", "text": ""}), delta, "end_turn")
    };
    let usage = json!({"input_tokens": 100, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 0, "output_tokens": 1});
    let message = json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    let end = json!({"stop_reason": why, "stop_sequence": null});
    let events = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": begun}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": end, "usage": {"output_tokens": 40}}),
        json!({"type": "message_stop"}),
    ];
    let mut body = String::new();
    for event in &events {
        body.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()));
    }
    write!(
        out,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
