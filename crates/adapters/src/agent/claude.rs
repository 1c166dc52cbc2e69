//! How is Claude Code called unattended, and how is the end of its run to be understood?
//!
//! Neither its exit code nor its `subtype` is enough: an API failure is `"subtype":"success","is_error":true` with exit
//! code 1, an interrupt can be exit code 0 without any result. So an end is judged by the exit code, the last `result`
//! event, its `is_error`, and what kind of API error it names. An error of the provider (limits, overload, login, quota,
//! no connection) is an outage and nobody's failure (decision 11).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use orch_core::event::{RunHow, Usage};
use orch_core::hindrance::Hindrance;
use orch_core::id::{Digest, RunId};
use orch_core::said::Cause;
use orch_core::time::Moment;
use serde_json::Value;

use super::{AgentProgram, Calling, command, model};
use crate::process::Stream;
use crate::run::said::{self, TAIL};
use crate::run::watch::Read;
use crate::run::{Masker, RunFolder};

/// Where the program keeps its login, below the run's home.
pub(super) const CREDENTIALS: &str = ".claude/.credentials.json";

/// What the program could use to live on after its answer, or to wait for a person.
const NOT_ALLOWED: &str = "ScheduleWakeup,CronCreate,Monitor,EnterWorktree,ExitWorktree";

/// The environment in which it does its work and nothing else: no other host but its provider's, no update in the middle
/// of a batch, nothing left running. Few retries: waiting for a provider is the orchestrator's matter.
const QUIET: [(&str, &str); 6] = [
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
    ("CLAUDE_CODE_DISABLE_CRON", "1"),
    ("CLAUDE_CODE_MAX_RETRIES", "3"),
    ("API_TIMEOUT_MS", "600000"),
];

pub(super) fn calling(agent: &AgentProgram, run: RunId, folder: &RunFolder) -> Calling {
    let session = session_id(run);
    let mut args: Vec<String> = [
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        "--session-id",
        &session,
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "Bash,Edit,Write,Read,Glob,Grep",
        "--disallowedTools",
        NOT_ALLOWED,
        // A repository could bring hooks and servers of its own: only the run's empty config folder counts.
        "--setting-sources",
        "user",
        "--strict-mcp-config",
    ]
    .map(str::to_owned)
    .to_vec();
    for (flag, value) in [("--model", model::valid_model(agent)), ("--effort", model::valid_effort(agent))] {
        if let Some(value) = value {
            args.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    args.extend(agent.args.iter().cloned());
    let mut env: BTreeMap<String, String> =
        QUIET.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = folder.home.join(".claude");
    env.insert("CLAUDE_CONFIG_DIR".to_owned(), config.to_string_lossy().into_owned());
    Calling { args, env, read_only: Vec::new() }
}

/// A UUID made from the run's id: the same run has the same session, two runs never share one.
fn session_id(run: RunId) -> String {
    let hex = Digest::of(format!("session of {run}").as_bytes()).0;
    format!("{}-{}-5{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// What the output of a run says in the end.
#[derive(Debug, Default)]
struct Heard {
    /// The last `result` event.
    result: Option<Value>,
    /// Tokens over all `result` events: each counts one leg.
    usage: Usage,
    /// When a limit that refused the run ends.
    resets: Option<Moment>,
    /// The last text of the model: what a run without a result has to say.
    words: String,
}

/// What a run has used while it goes on. A message reports its input exactly and its output only in the result, so this
/// is never more than it really was.
#[derive(Debug, Default)]
pub(crate) struct Metered {
    /// By message: one is reported once for each of its parts.
    messages: BTreeMap<String, Usage>,
    /// What the results of finished legs say.
    results: Usage,
}

impl Metered {
    /// A line that is no report changes nothing.
    pub(crate) fn hear(&mut self, line: &[u8]) {
        let says = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
        if !says(b"\"usage\"") {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return };
        match event.get("type").and_then(Value::as_str) {
            Some("assistant") => {
                let Some(message) = event.get("message") else { return };
                let id = message.get("id").and_then(Value::as_str).unwrap_or_default();
                let used = Usage { microdollars: None, ..command::usage_of(message) };
                self.messages.insert(id.to_owned(), used);
            }
            Some("result") => {
                let used = Usage { microdollars: None, ..command::usage_of(&event) };
                self.results = self.results.plus(used);
            }
            Some(_) | None => {}
        }
    }

    /// By now.
    pub(crate) fn usage(&self) -> Usage {
        let messages = self.messages.values().fold(Usage::default(), |sum, used| sum.plus(*used));
        if self.results.tokens() > messages.tokens() { self.results } else { messages }
    }
}

pub(super) fn read_end(record: &Path, how: RunHow, mask: &Masker) -> io::Result<Read> {
    let (mut heard, mut metered) = (Heard::default(), Metered::default());
    said::lines(record, Stream::Stdout, |line| {
        heard.hear(line);
        metered.hear(line);
    })?;
    let complaints = said::tail(record, Stream::Stderr, TAIL / 4, mask)?;
    let told = mask.mask(&said::clean(heard.told().as_bytes()));
    let tail = [said::last(&told, TAIL - TAIL / 4 - 1), complaints.as_str()]
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let how = match how {
        RunHow::Exited { code } => heard.judge(code, &tail),
        RunHow::Signalled { .. }
        | RunHow::TimedOut
        | RunHow::TooMuchOutput
        | RunHow::Stopped
        | RunHow::OverTokens { .. }
        | RunHow::CouldNotStart { .. }
        | RunHow::Lost { .. }
        | RunHow::ProviderLimited { .. } => how,
    };
    // One that was ended says nothing in the end: what it had reported until then was used all the same (decision 12).
    let (told, counted) = (heard.used(), metered.usage());
    let usage = match told.tokens() < counted.tokens() {
        true => Usage { microdollars: told.microdollars, ..counted },
        false => told,
    };
    Ok(Read { how, usage, tail })
}

impl Heard {
    /// A line that is no event of a kind that matters changes nothing.
    fn hear(&mut self, line: &[u8]) {
        // Cheap: only lines that could matter are parsed. The order of keys is not fixed.
        let may_matter = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
        if ![b"\"result\"".as_slice(), b"\"rate_limit_event\"", b"\"assistant\""].into_iter().any(may_matter)
        {
            return;
        }
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return };
        match event.get("type").and_then(Value::as_str) {
            Some("result") => {
                self.usage = self.usage.plus(Usage { microdollars: None, ..command::usage_of(&event) });
                self.result = Some(event);
            }
            Some("rate_limit_event") => {
                let limit = event.get("rate_limit_info");
                let rejected =
                    limit.and_then(|l| l.get("status")).and_then(Value::as_str) == Some("rejected");
                let seconds = limit.and_then(|l| l.get("resetsAt")).and_then(Value::as_i64);
                self.resets = seconds.filter(|_| rejected).and_then(|s| s.checked_mul(1000)).map(Moment);
            }
            Some("assistant") => {
                let parts = event.pointer("/message/content").and_then(Value::as_array);
                let text =
                    parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str()).next_back();
                if let Some(text) = text {
                    text.clone_into(&mut self.words);
                }
            }
            Some(_) | None => {}
        }
    }

    fn text(&self, key: &str) -> &str {
        self.result.as_ref().and_then(|result| result.get(key)).and_then(Value::as_str).unwrap_or_default()
    }

    /// What it says to people: its result, or the list of its errors.
    fn told(&self) -> String {
        let errors = self.result.as_ref().and_then(|result| result.get("errors")).and_then(Value::as_array);
        match errors {
            Some(errors) if self.text("result").is_empty() => {
                errors.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            Some(_) | None if self.result.is_none() => self.words.clone(),
            Some(_) | None => self.text("result").to_owned(),
        }
    }

    /// Tokens of the run, and its cost over the whole session, which is this run alone. A price that the program only
    /// guessed is none.
    fn used(&self) -> Usage {
        let guessed = self
            .result
            .as_ref()
            .and_then(|result| result.get("modelUsage"))
            .and_then(Value::as_object)
            .is_some_and(|models| {
                models.values().any(|m| m.get("costBasis").and_then(Value::as_str) == Some("unknown"))
            });
        let cost = self.result.as_ref().and_then(|result| result.get("total_cost_usd"));
        let microdollars = cost.filter(|_| !guessed).and_then(command::microdollars);
        Usage { microdollars, ..self.usage }
    }

    fn judge(&self, code: i32, tail: &str) -> RunHow {
        // An end that does not say that it is a success is none, whatever the exit code says.
        let failed = RunHow::Exited { code: if code == 0 { 1 } else { code } };
        let Some(result) = &self.result else { return failed };
        match result.get("is_error").and_then(Value::as_bool) {
            Some(false) => RunHow::Exited { code },
            Some(true) if self.is_outage(result) => {
                let cause = said::last(tail.lines().next().unwrap_or_default(), 500);
                let cause =
                    if cause.is_empty() { Hindrance::ProviderSilent.into() } else { Cause::from(cause) };
                RunHow::ProviderLimited { until: self.resets, cause }
            }
            Some(true) | None => failed,
        }
    }

    fn is_outage(&self, result: &Value) -> bool {
        let reason = self.text("terminal_reason");
        // Older versions say `completed` here, or nothing.
        if !matches!(reason, "api_error" | "completed" | "") || self.text("stop_reason") == "refusal" {
            return false;
        }
        if self.text("api_error_type") == "billing_error" || self.text("api_error") == "usage_limit_reached" {
            return true;
        }
        match result.get("api_error_status").and_then(Value::as_u64) {
            Some(401..=403 | 408 | 429 | 500..=599) => true,
            // Quota is a 400 that only its text tells from a bad request.
            Some(400) => self.text("result").contains("Credit balance"),
            // Such as 404, a model that does not exist: waiting does not help.
            Some(_) => false,
            // No connection, no answer in time, no login.
            None => {
                self.text("api_error") == "connection_failed"
                    || NO_ANSWER.iter().any(|w| self.text("result").contains(w))
            }
        }
    }
}

/// What is said where no status came back.
const NO_ANSWER: [&str; 6] = [
    "Not logged in",
    "Invalid API key",
    "Request timed out",
    "Unable to connect",
    "Connection error",
    "Connection dropped",
];

#[cfg(test)]
mod tests {
    use std::fs;

    use orch_core::id::Seq;

    use super::*;

    fn read(code: i32, lines: &[&str]) -> Read {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("stdout.log"), lines.join("\n")).unwrap();
        read_end(temp.path(), RunHow::Exited { code }, &Masker::default()).unwrap()
    }

    /// A result event with the keys in the order in which the program prints them: `type` late.
    fn result(fields: &str) -> String {
        format!(
            r#"{{"duration_api_ms":244,"session_id":"s","usage":{{"input_tokens":300,"cache_creation_input_tokens":600,
            "cache_read_input_tokens":900,"output_tokens":120}},"modelUsage":{{"m":{{"costBasis":"list"}}}},
            "total_cost_usd":0.00522,{fields},"type":"result","result_index":0}}"#
        )
        .replace('\n', " ")
    }

    fn error(status: &str, more: &str, text: &str) -> String {
        result(&format!(
            r#""terminal_reason":"api_error","is_error":true,"subtype":"success","stop_reason":"stop_sequence",
            "api_error_status":{status},{more}"result":"{text}""#
        ))
    }

    fn limited(read: &Read) -> Option<Option<Moment>> {
        match &read.how {
            RunHow::ProviderLimited { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// A success counts with its four classes of tokens and its cost.
    #[test]
    fn success_has_usage_and_cost() {
        let end = read(
            0,
            &[r#"{"type":"system","subtype":"init"}"#, &result(r#""is_error":false,"result":"Done.""#)],
        );
        assert_eq!(end.how, RunHow::Exited { code: 0 });
        assert_eq!(end.tail, "Done.");
        let Usage { input, output, cache_read, cache_write, microdollars } = end.usage;
        assert_eq!((input, output, cache_read, cache_write), (Some(300), Some(120), Some(900), Some(600)));
        assert_eq!(microdollars, Some(5220));
    }

    /// Several results: tokens are of one leg each and add up, the cost is of the session so far.
    #[test]
    fn legs_add_up() {
        let one = result(r#""is_error":false,"result":"One.""#);
        let two = one.replace("0.00522", "0.01").replace("One.", "Two.");
        let end = read(0, &[&one, &two]);
        assert_eq!((end.usage.input, end.usage.microdollars), (Some(600), Some(10_000)));
        assert_eq!(end.tail, "Two.");
    }

    /// A price that the program guessed for a model it does not know is unknown, never a number.
    #[test]
    fn guessed_prices_are_unknown() {
        let end = read(0, &[&result(r#""is_error":false,"result":"x""#).replace("list", "unknown")]);
        assert_eq!((end.usage.microdollars, end.usage.input), (None, Some(300)));
    }

    /// Limits, overload, login, quota and no connection are the provider's: they cost no attempt (decision 11).
    #[test]
    fn outages_are_no_failures() {
        for (status, more, text) in [
            ("429", r#""api_error_type":"rate_limit_error","#, "API Error: 429"),
            ("529", r#""api_error_type":"overloaded_error","#, "API Error: 529 Overloaded."),
            ("500", "", "API Error: 500"),
            ("401", r#""api_error_type":"authentication_error","#, "Invalid API key · Fix external API key"),
            ("403", r#""api_error_type":"permission_error","#, "Failed to authenticate."),
            ("400", r#""api_error_type":"invalid_request_error","#, "Credit balance is too low"),
            ("null", r#""api_error":"connection_failed","#, "API Error: Connection dropped (ECONNRESET)."),
            ("null", "", "Not logged in · Please run /login"),
            ("null", "", "Request timed out."),
        ] {
            let end = read(1, &[&error(status, more, text)]);
            assert_eq!(limited(&end), Some(None), "{status} {text}");
            let RunHow::ProviderLimited { cause, .. } = end.how else { unreachable!() };
            assert_eq!(cause, Cause::from(text));
        }
    }

    /// A limit that says when it ends parks the provider until then, and only a limit that refused does.
    #[test]
    fn the_reset_time_is_heard() {
        let event = |status| {
            format!(
                r#"{{"type":"rate_limit_event","rate_limit_info":{{"status":"{status}","resetsAt":1795215574}}}}"#
            )
        };
        let refused = error("429", r#""api_error":"usage_limit_reached","#, "You've hit your limit");
        assert_eq!(limited(&read(1, &[&event("rejected"), &refused])), Some(Some(Moment(1_795_215_574_000))));
        assert_eq!(limited(&read(1, &[&event("allowed"), &refused])), Some(None));
    }

    /// What waiting does not mend is the run's own failure: a model that does not exist, a prompt too long, a refusal, a
    /// cap, a bad request.
    #[test]
    fn own_failures_are_failures() {
        let capped = result(
            r#""terminal_reason":"max_turns","is_error":true,"subtype":"error_max_turns","errors":["Reached maximum number of turns (3)"]"#,
        );
        let budget = result(
            r#""terminal_reason":"budget_exhausted","is_error":true,"subtype":"error_max_budget_usd","errors":["Reached maximum budget ($0.004)"]"#,
        );
        let long = error("400", "", "Prompt is too long").replace("api_error\"", "prompt_too_long\"");
        let refusal = error("null", "", "can't help").replace("stop_sequence", "refusal");
        for line in
            [capped.clone(), budget, long, refusal, error("404", "", "no model"), error("400", "", "bad")]
        {
            assert_eq!(read(1, &[&line]).how, RunHow::Exited { code: 1 }, "{line}");
        }
        assert_eq!(read(1, &[&capped]).tail, "Reached maximum number of turns (3)");
    }

    /// An exit code of 0 without a result, or with one that is an error, is no success; a cut line is no result.
    #[test]
    fn exit_code_zero_is_not_believed() {
        let aborted =
            result(r#""terminal_reason":"aborted_tools","is_error":true,"subtype":"error_during_execution""#);
        let cut = result(r#""is_error":false,"result":"Done.""#);
        for lines in [vec![], vec![aborted.as_str()], vec!["garbage", &cut[..cut.len() - 9]]] {
            assert_eq!(read(0, &lines).how, RunHow::Exited { code: 1 }, "{lines:?}");
        }
        assert_eq!(read(143, &[]).how, RunHow::Exited { code: 143 });
        let words = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"I will look."}]}}"#;
        assert_eq!(read(143, &[words]).tail, "I will look.");
    }

    /// What a tool printed is inside an event of another type and decides nothing.
    #[test]
    fn results_cannot_be_forged_by_tools() {
        let tool =
            r#"{"type":"user","message":{"content":[{"type":"result","is_error":false}]},"result":"x"}"#;
        assert_eq!(read(0, &[tool]).how, RunHow::Exited { code: 1 });
    }

    /// The same run always has the same session id, a UUID; another run has another.
    #[test]
    fn sessions_belong_to_runs() {
        let id = session_id(RunId::new(Seq(12), 3));
        assert_eq!(id, session_id(RunId::new(Seq(12), 3)));
        assert_ne!(id, session_id(RunId::new(Seq(12), 4)));
        let shape: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
    }
}
