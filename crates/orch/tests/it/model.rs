//! Who answers Claude Code in tests? A model server on loopback that speaks the streaming Messages API and always has one
//! tool call in mind: the shell commands that a role of the story would want.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// How the server behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Well,
    /// It refuses with this status and this kind of error.
    Refuses(u16, &'static str),
    /// It takes the request and says nothing, for ever.
    Silent,
}

/// What the commands for a prompt are.
type Mind = Box<dyn Fn(&str) -> String + Send + Sync>;

struct Shared {
    mood: Mutex<Mood>,
    keys: Mutex<Vec<String>>,
    mind: Mind,
}

/// The server. It lives as long as the test's process.
pub(crate) struct Model {
    /// Where it listens.
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl Model {
    /// Starts it; `mind` is asked for the commands for each prompt.
    pub(crate) fn start(mind: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared =
            Arc::new(Shared { mood: Mutex::new(Mood::Well), keys: Mutex::default(), mind: Box::new(mind) });
        let mine = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&mine);
                std::thread::spawn(move || talk(stream, &shared));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// The keys with which it was asked so far.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.shared.keys.lock().unwrap().clone()
    }
}

/// Answers the requests of one connection. A client that hangs up ends it.
fn talk(stream: TcpStream, shared: &Shared) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut lines = BufReader::new(stream);
    while let Some((line, key, body)) = request(&mut lines) {
        shared.keys.lock().unwrap().extend(key);
        let mood = *shared.mood.lock().unwrap();
        let told = match mood {
            _ if !line.starts_with("POST /v1/messages") || line.contains("count_tokens") => plain(
                &mut out,
                404,
                &json!({"type": "error", "error": {"type": "not_found_error", "message": "not here"}}),
            ),
            Mood::Silent => loop {
                std::thread::park();
            },
            Mood::Refuses(status, kind) => {
                let error = json!({"type": "error", "error": {"type": kind, "message": format!("{kind}, says the test")}});
                plain(&mut out, status, &error)
            }
            Mood::Well => streamed(&mut out, &answer(&body, &shared.mind)),
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

/// One tool call for a prompt, and an end once its result is there.
fn answer(body: &Value, mind: &Mind) -> Value {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let used = messages.iter().any(|message| {
        message["content"].as_array().is_some_and(|parts| parts.iter().any(|p| p["type"] == "tool_result"))
    });
    let can = body["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "Bash"));
    if used || !can {
        return json!({"type": "text", "text": "It is done."});
    }
    let mut prompt = String::new();
    messages.iter().for_each(|message| texts(message, &mut prompt));
    let input = json!({"command": mind(&prompt), "description": "what the role does"});
    json!({"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": input})
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
