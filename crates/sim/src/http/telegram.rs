//! What does a chat that cannot be asked say? Telegram's Bot API: messages sent, edited, deleted; presses of buttons.
//!
//! Nothing of it was captured: what is here is what the documentation of the Bot API and of its limits tells, and what
//! predecessor.md section 16 learned. A message's id is said once, in the answer to its sending; no method gives it again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::clock::{Clock, SECOND};
use super::trouble::{Troubles, troubled};
use super::wire::{Request, Response, pairs};
use super::{Delivery, Door, Posted};

/// Characters of a message.
const MOST_TEXT: usize = 4096;
/// Updates wait so long.
const DAY: i64 = 24 * 3600 * SECOND;

/// A message in a chat, as a person there sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in the chat.
    pub id: i64,
    /// What it says.
    pub text: String,
    /// Its buttons: words and what pressing one says to the bot.
    pub buttons: Vec<(String, String)>,
    /// Whether it made no sound.
    pub silent: bool,
    /// Whether a link in it is shown as a picture.
    pub preview: bool,
    /// How often it was edited.
    pub edits: u32,
}

#[derive(Debug, Clone, Default)]
struct Chat {
    messages: Vec<Message>,
    last: i64,
    /// When the bot wrote here in the last minute.
    writes: VecDeque<i64>,
    /// The bot was thrown out.
    closed: bool,
    /// The group has another number by now.
    moved: Option<i64>,
}

/// A Telegram server with one bot.
#[derive(Debug, Clone)]
pub struct Telegram {
    clock: Clock,
    troubles: Troubles,
    token: String,
    chats: BTreeMap<i64, Chat>,
    updates: Vec<(i64, i64, Value)>,
    last_update: i64,
    presses: BTreeSet<String>,
    hook: Option<(String, Option<String>)>,
    /// Messages and edits a minute in a group (a negative id): 20 by the documentation.
    pub group_limit: usize,
    /// Messages and edits a second in one chat: 1 by the documentation.
    pub chat_limit: usize,
}

impl Telegram {
    /// A server with one bot and its token.
    pub fn new(seed: u64) -> Self {
        let mut clock = Clock::new(seed);
        let token = format!("{}:{}", clock.between(100_000_000, 999_999_999), clock.hex(35));
        Self {
            clock,
            troubles: Troubles::default(),
            token,
            chats: BTreeMap::new(),
            updates: Vec::new(),
            last_update: 0,
            presses: BTreeSet::new(),
            hook: None,
            group_limit: 20,
            chat_limit: 1,
        }
    }

    /// The bot's token; it stands in the path of every call.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A chat that the bot is in; groups have negative ids.
    pub fn chat(&mut self, id: i64) {
        self.chats.insert(id, Chat::default());
    }

    /// What people in a chat see now. The bot has no way to ask this.
    pub fn seen(&self, chat: i64) -> &[Message] {
        self.chats.get(&chat).map_or(&[], |chat| &chat.messages)
    }

    /// A person deletes a message.
    pub fn forget(&mut self, chat: i64, message: i64) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.messages.retain(|known| known.id != message);
        }
    }

    /// A person throws the bot out: from now on 403.
    pub fn throw_out(&mut self, chat: i64) {
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.closed = true;
        }
    }

    /// A group gets another id: the old one is answered 400 with the new one.
    pub fn migrate(&mut self, from: i64, to: i64) {
        if let Some(chat) = self.chats.get_mut(&from) {
            chat.moved = Some(to);
            self.chats.insert(to, Chat::default());
        }
    }

    /// A person presses a button of a message: the id of the press, which the bot is to answer.
    pub fn press(&mut self, chat: i64, message: i64, user: i64, says: &str) -> String {
        let id = self.clock.between(1_000_000_000, i64::MAX / 2).to_string();
        self.presses.insert(id.clone());
        let shown = match self.seen(chat).iter().find(|known| known.id == message) {
            Some(known) => self.show(chat, known),
            // A button of a message that is gone, or too old: only its place is known.
            None => json!({"message_id": message, "chat": show_chat(chat), "date": 0}),
        };
        let press = json!({
            "id": id, "from": person(user), "message": shown, "chat_instance": chat.to_string(), "data": says,
        });
        self.update("callback_query", press);
        id
    }

    /// A person writes to the bot.
    pub fn write(&mut self, chat: i64, user: i64, text: &str) {
        let id = self.next_id(chat);
        let date = self.clock.now() / SECOND;
        let message = json!({
            "message_id": id, "from": person(user), "chat": show_chat(chat), "date": date, "text": text,
        });
        self.update("message", message);
    }

    fn update(&mut self, kind: &str, value: Value) {
        self.last_update += 1;
        let update = json!({"update_id": self.last_update, kind: value});
        self.updates.push((self.last_update, self.clock.now(), update));
    }

    fn next_id(&mut self, chat: i64) -> i64 {
        let chat = self.chats.entry(chat).or_default();
        chat.last += 1;
        chat.last
    }

    fn show(&self, chat: i64, message: &Message) -> Value {
        let date = self.clock.now() / SECOND;
        let mut shown = json!({
            "message_id": message.id, "from": {"id": 1, "is_bot": true, "first_name": "Orch", "username": "orch_bot"},
            "chat": show_chat(chat), "date": date, "text": message.text,
        });
        if message.edits > 0 {
            shown["edit_date"] = json!(date);
        }
        if !message.buttons.is_empty() {
            let row =
                message.buttons.iter().map(|(words, says)| json!({"text": words, "callback_data": says}));
            shown["reply_markup"] = json!({"inline_keyboard": [row.collect::<Vec<_>>()]});
        }
        shown
    }

    fn respond(&mut self, request: &Request) -> Response {
        self.clock.work();
        let now = self.clock.now();
        self.updates.retain(|(_, at, _)| now - at < DAY);
        let parts = request.segments();
        let [bot, method] = parts.as_slice() else { return refuse(404, "Not Found") };
        match bot.strip_prefix("bot") {
            None => return refuse(404, "Not Found"),
            Some(token) if token != self.token => return refuse(401, "Unauthorized"),
            Some(_) => {}
        }
        let Some(asked) = arguments(request) else {
            return refuse(400, "Bad Request: can't parse JSON object");
        };
        let done = match method.to_lowercase().as_str() {
            "getme" => Ok(json!({"id": 1, "is_bot": true, "first_name": "Orch", "username": "orch_bot"})),
            "sendmessage" => self.send(&asked),
            "editmessagetext" => self.edit(&asked),
            "deletemessage" => self.delete(&asked),
            "getupdates" => self.get_updates(&asked),
            "answercallbackquery" => self.answer_press(&asked),
            "setwebhook" => {
                let secret = asked["secret_token"].as_str().map(str::to_owned);
                self.hook =
                    asked["url"].as_str().filter(|url| !url.is_empty()).map(|url| (url.to_owned(), secret));
                Ok(json!(true))
            }
            "deletewebhook" => {
                self.hook = None;
                Ok(json!(true))
            }
            _ => Err(refuse(404, "Not Found")),
        };
        match done {
            Ok(result) => Response::json(200, &json!({"ok": true, "result": result})),
            Err(refused) => refused,
        }
    }

    /// The chat that is meant, if the bot may write there.
    fn open(&mut self, asked: &Value) -> Result<i64, Response> {
        let id = number(&asked["chat_id"]).ok_or_else(|| refuse(400, "Bad Request: chat_id is empty"))?;
        let Some(chat) = self.chats.get(&id) else { return Err(refuse(400, "Bad Request: chat not found")) };
        if chat.closed {
            let words = match id < 0 {
                true => "Forbidden: bot was kicked from the group chat",
                false => "Forbidden: bot was blocked by the user",
            };
            return Err(refuse(403, words));
        }
        match chat.moved {
            None => Ok(id),
            Some(to) => {
                let words = "Bad Request: group chat was upgraded to a supergroup chat";
                let parameters = json!({"migrate_to_chat_id": to});
                let body = json!({
                    "ok": false, "error_code": 400, "description": words, "parameters": parameters,
                });
                Err(Response::json(400, &body))
            }
        }
    }

    /// So many a second in a chat, so many a minute in a group; what is refused does not count.
    fn throttle(&mut self, id: i64) -> Result<(), Response> {
        let (now, group, single) = (self.clock.now(), self.group_limit, self.chat_limit);
        let Some(chat) = self.chats.get_mut(&id) else { return Ok(()) };
        while chat.writes.front().is_some_and(|write| *write <= now - 60 * SECOND) {
            chat.writes.pop_front();
        }
        let within =
            |span: i64| chat.writes.iter().copied().filter(move |write| *write > now - span * SECOND);
        let full = |span: i64, limit: usize| {
            (within(span).count() >= limit).then(|| {
                let frees = within(span).next().unwrap_or(now) + span * SECOND;
                (frees - now).div_euclid(SECOND) + 1
            })
        };
        if let Some(wait) = full(1, single).or_else(|| full(60, group).filter(|_| id < 0)) {
            return Err(too_many(Some(wait)));
        }
        chat.writes.push_back(now);
        Ok(())
    }

    fn send(&mut self, asked: &Value) -> Result<Value, Response> {
        let chat = self.open(asked)?;
        let text = text_of(asked)?;
        self.throttle(chat)?;
        let id = self.next_id(chat);
        let message = Message {
            id,
            text,
            buttons: buttons(asked),
            silent: truth(&asked["disable_notification"]),
            preview: !(truth(&asked["link_preview_options"]["is_disabled"])
                || truth(&asked["disable_web_page_preview"])),
            edits: 0,
        };
        let shown = self.show(chat, &message);
        if let Some(chat) = self.chats.get_mut(&chat) {
            chat.messages.push(message);
        }
        Ok(shown)
    }

    /// The four ends that predecessor.md section 16.1 names: done, not modified, gone, failed.
    fn edit(&mut self, asked: &Value) -> Result<Value, Response> {
        let chat = self.open(asked)?;
        let (text, buttons) = (text_of(asked)?, buttons(asked));
        let id = number(&asked["message_id"]).unwrap_or_default();
        let place = self.seen(chat).iter().position(|message| message.id == id);
        let place = place.ok_or_else(|| refuse(400, "Bad Request: message to edit not found"))?;
        let known = &self.seen(chat)[place];
        if known.text == text && known.buttons == buttons {
            let words = "Bad Request: message is not modified: specified new message content and reply markup are \
                         exactly the same as a current content and reply markup of the message";
            return Err(refuse(400, words));
        }
        self.throttle(chat)?;
        if let Some(message) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(place)) {
            (message.text, message.buttons) = (text, buttons);
            message.edits += 1;
        }
        Ok(self.show(chat, &self.seen(chat)[place]))
    }

    fn delete(&mut self, asked: &Value) -> Result<Value, Response> {
        let chat = self.open(asked)?;
        let id = number(&asked["message_id"]).unwrap_or_default();
        match self.seen(chat).iter().any(|message| message.id == id) {
            false => Err(refuse(400, "Bad Request: message to delete not found")),
            true => {
                self.forget(chat, id);
                Ok(json!(true))
            }
        }
    }

    /// All before `offset` are done and gone; the rest comes again until it is.
    fn get_updates(&mut self, asked: &Value) -> Result<Value, Response> {
        if self.hook.is_some() {
            let words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete \
                         the webhook first";
            return Err(refuse(409, words));
        }
        let offset = number(&asked["offset"]).unwrap_or_default();
        self.updates.retain(|(id, ..)| *id >= offset);
        let most =
            number(&asked["limit"]).and_then(|most| usize::try_from(most).ok()).unwrap_or(100).min(100);
        Ok(self.updates.iter().take(most).map(|(_, _, update)| update.clone()).collect())
    }

    fn answer_press(&mut self, asked: &Value) -> Result<Value, Response> {
        let id = asked["callback_query_id"].as_str().unwrap_or_default();
        match self.presses.remove(id) {
            true => Ok(json!(true)),
            false => {
                let words =
                    "Bad Request: query is too old and response timeout expired or query ID is invalid";
                Err(refuse(400, words))
            }
        }
    }
}

impl Door for Telegram {
    fn answer(&mut self, request: &Request) -> Response {
        troubled(self, request, too_many, Self::respond)
    }

    /// With a webhook each update is posted; the secret stands in a header, nothing is signed.
    fn post(&mut self) -> Vec<Delivery> {
        let Some((url, secret)) = self.hook.clone() else { return Vec::new() };
        let leaving = std::mem::take(&mut self.updates).into_iter().map(|(id, _, update)| {
            let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
            headers
                .extend(secret.clone().map(|secret| ("X-Telegram-Bot-Api-Secret-Token".to_owned(), secret)));
            let body = update.to_string().into_bytes();
            Delivery { hook: id.to_string(), tried: 0, url: url.clone(), headers, body }
        });
        let leaving = leaving.collect();
        let mut troubles = std::mem::take(&mut self.troubles);
        let sent = troubles.on_the_way(leaving, &mut self.clock);
        self.troubles = troubles;
        sent
    }

    /// What was not answered with a 2xx comes again.
    fn posted(&mut self, delivery: &Delivery, posted: Posted) {
        let taken = matches!(posted, Posted::Answered(200..=299));
        let id = delivery.hook.parse().unwrap_or_default();
        if !taken
            && let Ok(update) = serde_json::from_slice(&delivery.body)
            && !self.updates.iter().any(|(known, ..)| *known == id)
        {
            self.updates.push((id, self.clock.now() + SECOND, update));
            self.updates.sort_by_key(|(id, ..)| *id);
        }
    }

    fn next_due(&self) -> Option<i64> {
        let waiting = self.updates.iter().map(|(_, at, _)| *at).filter(|_| self.hook.is_some());
        waiting.chain(self.troubles.next_due()).min()
    }

    fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }

    fn troubles(&mut self) -> &mut Troubles {
        &mut self.troubles
    }
}

fn refuse(code: u16, words: &str) -> Response {
    Response::json(code, &json!({"ok": false, "error_code": code, "description": words}))
}

/// How long to wait stands in the body, and only there.
fn too_many(wait: Option<i64>) -> Response {
    match wait {
        None => refuse(429, "Too Many Requests"),
        Some(wait) => {
            let words = format!("Too Many Requests: retry after {wait}");
            let parameters = json!({"retry_after": wait});
            let body =
                json!({"ok": false, "error_code": 429, "description": words, "parameters": parameters});
            Response::json(429, &body)
        }
    }
}

/// From the query, a form or JSON: the API takes them all.
fn arguments(request: &Request) -> Option<Value> {
    let mut asked = serde_json::Map::new();
    let form = request.header("Content-Type").is_some_and(|kind| kind.starts_with("application/x-www-form"));
    let words = if form { pairs(&String::from_utf8_lossy(&request.body)) } else { Vec::new() };
    for (key, value) in request.query.iter().cloned().chain(words) {
        // Objects come as text there.
        let value =
            serde_json::from_str(&value).ok().filter(Value::is_object).unwrap_or(Value::String(value));
        asked.insert(key, value);
    }
    if !form {
        asked.extend(request.value().ok()?.as_object()?.clone());
    }
    Some(Value::Object(asked))
}

/// What is shown of a message: there, not too long, and with marks that close.
fn text_of(asked: &Value) -> Result<String, Response> {
    let text = asked["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Err(refuse(400, "Bad Request: message text is empty"));
    }
    if text.chars().count() > MOST_TEXT {
        return Err(refuse(400, "Bad Request: message is too long"));
    }
    let html = asked["parse_mode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("html"));
    if html && !closes(text) {
        return Err(refuse(400, "Bad Request: can't parse entities: there is a tag that is not closed"));
    }
    Ok(text.to_owned())
}

/// Whether each `<tag>` of a text is closed in order.
fn closes(text: &str) -> bool {
    let mut open = Vec::new();
    for part in text.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        match tag.starts_with('/') {
            true if open.pop() != Some(name) => return false,
            true => {}
            false => open.push(name),
        }
    }
    open.is_empty()
}

fn buttons(asked: &Value) -> Vec<(String, String)> {
    let parsed;
    let markup = match asked["reply_markup"].as_str() {
        Some(text) => {
            parsed = serde_json::from_str(text).unwrap_or(Value::Null);
            &parsed
        }
        None => &asked["reply_markup"],
    };
    let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
    let all = rows.filter_map(Value::as_array).flatten();
    let word = |button: &Value, key: &str| button[key].as_str().unwrap_or_default().to_owned();
    all.map(|button| (word(button, "text"), word(button, "callback_data"))).collect()
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn truth(value: &Value) -> bool {
    *value == json!(true) || *value == json!("true")
}

fn person(id: i64) -> Value {
    json!({"id": id, "is_bot": false, "first_name": format!("person {id}")})
}

fn show_chat(id: i64) -> Value {
    json!({"id": id, "type": if id < 0 { "group" } else { "private" }})
}
