//! How much has a run used by now? Read from what it writes while it runs, so that one which uses too much is stopped
//! (decision 12). Only programs that report their usage as they go can be metered; the others say it in the end.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use orch_core::event::Usage;
use serde::{Deserialize, Serialize};

use super::{About, RunFolder, RunKind, Runs, private_file};
use crate::agent::{self, AgentKind};
use crate::process::Stream;

/// How often a run that may be stopped is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// A line longer than this is not looked into.
const LONGEST_LINE: usize = 4 << 20;

/// Says that a run was stopped for what it had used.
const OVER: &str = "over.json";

/// What a run had used when it was stopped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Over {
    /// By its own reports so far.
    pub(crate) usage: Usage,
    /// Tokens that it might use.
    pub(crate) limit: u64,
}

impl Over {
    /// Whether a run was stopped for what it had used.
    pub(crate) fn read(record: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(record.join(OVER)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Follows the output of a run.
struct Meter {
    from: u64,
    rest: Vec<u8>,
    /// Whether the line under way is too long to be looked into.
    skips: bool,
    heard: agent::claude::Metered,
}

impl Meter {
    fn new() -> Self {
        Self { from: 0, rest: Vec::new(), skips: false, heard: agent::claude::Metered::default() }
    }

    /// What it has used by now.
    fn look(&mut self, record: &Path) -> io::Result<Usage> {
        let mut log = match File::open(record.join(Stream::Stdout.file())) {
            Ok(log) => log,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Usage::default()),
            Err(e) => return Err(e),
        };
        log.seek(SeekFrom::Start(self.from))?;
        let mut part = vec![0; 64 << 10];
        loop {
            let n = log.read(&mut part)?;
            if n == 0 {
                return Ok(self.heard.usage());
            }
            self.from += n as u64;
            self.hear(part.get(..n).unwrap_or_default());
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.skips {
                self.rest.extend_from_slice(part);
            }
            if part.last() == Some(&b'\n') {
                if !self.skips {
                    self.heard.hear(&self.rest);
                }
                self.rest.clear();
                self.skips = false;
            } else if self.rest.len() > LONGEST_LINE {
                self.rest.clear();
                self.skips = true;
            }
        }
    }
}

impl Runs {
    /// How many tokens a run may use while it goes on, if it can be told.
    pub(super) fn tokens_of(&self, folder: &RunFolder) -> Option<u64> {
        let Ok(Some(about)) = About::read(&folder.record) else { return None };
        match about.kind {
            RunKind::Agent { program: AgentKind::Claude, tokens, .. } => Some(tokens).filter(|n| *n > 0),
            RunKind::Agent { .. } | RunKind::Ci | RunKind::Hook { .. } => None,
        }
    }

    /// Looks now and then how much a run has used, and stops it when that is too much. Never ends: whoever watches the
    /// run sees its end.
    pub(super) async fn meter(&self, folder: &RunFolder, limit: u64) -> std::convert::Infallible {
        let mut meter = Meter::new();
        let mut every = tokio::time::interval(EVERY);
        loop {
            every.tick().await;
            let (runs, folder) = (self.clone(), folder.clone());
            let looked = tokio::task::spawn_blocking(move || {
                let over = runs.over(&mut meter, &folder, limit);
                (meter, over)
            });
            match looked.await {
                Ok((_, true)) => return std::future::pending().await,
                Ok((back, false)) => meter = back,
                Err(error) => {
                    tracing::warn!(%error, "the meter of a run ended in a defect");
                    return std::future::pending().await;
                }
            }
        }
    }

    /// Whether the run used too much, and is being stopped for it. What fails here is tried again at the next look.
    fn over(&self, meter: &mut Meter, folder: &RunFolder, limit: u64) -> bool {
        let run = folder.run;
        let usage = match meter.look(&folder.record) {
            Ok(usage) => usage,
            Err(error) => {
                tracing::warn!(%run, %error, "what a run uses cannot be read");
                return false;
            }
        };
        if usage.tokens() <= limit {
            return false;
        }
        // The mark comes first: an end that does not see it would be a stop without a reason.
        let bytes = serde_json::to_vec(&Over { usage, limit }).unwrap_or_default();
        let stopped = private_file(&folder.record.join(OVER), &bytes).and_then(|()| self.stop(run));
        if let Err(failure) = &stopped {
            tracing::warn!(%run, cause = %failure.cause, "a run that uses too much cannot be stopped yet");
        }
        stopped.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that output is followed from where it was left, also in the middle of a line, that a message which is
    /// reported in several parts counts once, and that what is no report counts nothing.
    #[test]
    fn output_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join(Stream::Stdout.file());
        let report = |id: &str, n: u64| {
            format!(
                "{{\"type\":\"assistant\",\"message\":{{\"id\":\"{id}\",\"usage\":{{\"input_tokens\":{n},\"cache_read_input_tokens\":10,\"output_tokens\":1}}}}}}\n"
            )
        };
        let mut meter = Meter::new();
        assert_eq!(meter.look(dir.path()).unwrap(), Usage::default());
        let mut text = format!("starting\n{}{}", report("a", 100), report("a", 100));
        let second = report("b", 1000);
        text.push_str(&second[..20]);
        std::fs::write(&log, &text).unwrap();
        assert_eq!(meter.look(dir.path()).unwrap().tokens(), 111);
        text.push_str(&second[20..]);
        std::fs::write(&log, &text).unwrap();
        assert_eq!(meter.look(dir.path()).unwrap().tokens(), 111 + 1011);
        text.push_str("{\"type\":\"result\",\"usage\":{\"input_tokens\":9000,\"output_tokens\":50}}\n");
        std::fs::write(&log, &text).unwrap();
        assert_eq!(meter.look(dir.path()).unwrap().tokens(), 9050, "a result is what it really was");
    }
}
