//! How did a run end, in the words of `core`?
//!
//! Reading an end changes nothing that a second reading needs, so it may be cut short anywhere and done again.

use std::io;

use orch_core::call::Text;
use orch_core::event::{RunEnd, RunHow, Usage};
use orch_core::id::RunId;
use orch_core::journal::Blob;
use orch_core::refusal::Refusal;
use orch_core::said::Cause;
use orch_core::time::Span;

use super::{About, Masker, RunFolder, RunKind, Runs, owner, secrets};
use crate::git::remove;
use crate::process::{self, Ending, ExitRecord, Observed};
use crate::{agent, deploy, gate};

/// What watching a run came to.
#[derive(Debug)]
pub enum Watched {
    /// It has ended.
    Ended(Box<Finished>),
    /// It has not begun.
    NotStarted,
    /// It cannot be told whether it lives: to be looked at again later, never to be taken for dead (decision 7).
    CannotTell {
        /// What stands in the way.
        why: String,
    },
}

/// The end of a run, and the texts that it names.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub end: RunEnd,
    /// To be stored with the event.
    pub blobs: Vec<Blob>,
    /// What a person should know besides, such as processes that would not die.
    pub notes: Vec<String>,
}

/// What was read from a run's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) how: RunHow,
    pub(crate) usage: Usage,
    pub(crate) tail: String,
}

impl Runs {
    /// Waits until a run has ended, and reads its end. Polls nothing but the reports of a run whose tokens are limited.
    /// Needs a tokio runtime.
    pub async fn watch(&self, run: RunId) -> Watched {
        let folder = self.places.of(run);
        let seen = match self.tokens_of(&folder) {
            None => process::wait(&folder.record).await,
            Some(limit) => tokio::select! {
                seen = process::wait(&folder.record) => seen,
                never = self.meter(&folder, limit) => match never {},
            },
        };
        let runs = self.clone();
        match tokio::task::spawn_blocking(move || runs.finish(&folder, seen)).await {
            Ok(watched) => watched,
            Err(e) => Watched::CannotTell { why: format!("reading the end of {run} failed: {e}") },
        }
    }

    /// Blocks: reads logs, kills what a lost run left.
    fn finish(&self, folder: &RunFolder, seen: Observed) -> Watched {
        let run = folder.run;
        let cannot_tell = |why: String| Watched::CannotTell { why: format!("{run}: {why}") };
        let about = match About::read(&folder.record) {
            Ok(Some(about)) => Ok(about),
            Ok(None) => Err("its record does not say what it was of".to_owned()),
            Err(failure) => Err(failure.cause.to_string()),
        };
        let (mut notes, mut left_out) = (Vec::new(), 0);
        // What it was of is needed to read what it left; that it is lost is shown without.
        let read_later = about.as_ref().map_or(true, About::is_read_later);
        let (wall, read) = match (seen, &about) {
            (Observed::NotStarted, _) => return Watched::NotStarted,
            (Observed::Unknown { why }, _) => return cannot_tell(why.to_string()),
            (Observed::Running(_), _) => return cannot_tell("it still runs".to_owned()),
            (Observed::Lost { why }, _) => match process::sweep_lost(&folder.record) {
                Ok(swept) if swept.left_alive == 0 => (Span(0), lost(folder, about.as_ref().ok(), why)),
                Ok(swept) => {
                    return cannot_tell(format!("{} of its processes would not die", swept.left_alive));
                }
                Err(e) => return cannot_tell(format!("what it left behind cannot be looked for: {e}")),
            },
            (Observed::Ended(_), _) if read_later && process::outlived_its_boot(&folder.record) => {
                (Span(0), lost(folder, about.as_ref().ok(), Refusal::LeftIncomplete))
            }
            (Observed::Ended(_), Err(why)) => return cannot_tell(why.clone()),
            (Observed::Ended(record), Ok(about)) => {
                notes.clone_from(&record.notes);
                left_out = record.stdout.dropped + record.stderr.dropped;
                if record.left_alive > 0 {
                    notes.push(format!("{} of its processes would not die", record.left_alive));
                }
                match self.read(folder, about, &record) {
                    Ok(read) => (Span(record.wall_ms), read),
                    Err(e) => return cannot_tell(format!("its output cannot be read: {e}")),
                }
            }
        };
        notes.extend(about.as_ref().err().cloned());
        if let Ok(about) = &about
            && let Err(e) = secrets::keep(folder, about)
        {
            return cannot_tell(format!("its login cannot be kept: {e}"));
        }
        self.clear_up(folder, about.as_ref().ok(), &read.how);
        let (tail, blobs) = match read.tail.trim_end() {
            "" => (None, Vec::new()),
            tail => (Some(Text::of(tail)), vec![Blob::of(tail)]),
        };
        let end = RunEnd { run, how: read.how, wall, usage: read.usage, tail, left_out };
        Watched::Ended(Box::new(Finished { end, blobs, notes }))
    }

    fn read(&self, folder: &RunFolder, about: &About, record: &ExitRecord) -> io::Result<Read> {
        let how = how(&record.ending);
        let mask = self.mask_of(folder.run).map_err(|failure| io::Error::other(failure.cause.to_string()))?;
        match &about.kind {
            RunKind::Agent { program, price, .. } => {
                agent::read_end(&folder.record, how, program, price.as_ref(), &mask)
            }
            RunKind::Ci => gate::ci::read_end(&folder.record, how, record, &mask),
            RunKind::Hook { .. } => deploy::hook::read_end(&folder.record, how, &mask),
        }
    }

    /// Gives back what the run had. Whatever fails here is only untidy, and is tried again if the end is read again.
    fn clear_up(&self, folder: &RunFolder, about: Option<&About>, how: &RunHow) {
        let untidy = |what: &str, error: &dyn std::fmt::Display| {
            tracing::warn!(run = %folder.run, %error, "{what}");
        };
        if let Err(error) = remove(&folder.shed) {
            untidy("the home of a run cannot be removed", &error);
        }
        if let Some(RunKind::Hook { .. }) = about.map(|about| &about.kind) {
            if let Err(failure) = self.trees.give_back(folder.run) {
                untidy("the checkout of a deploy hook cannot be given back", &failure.cause);
            }
            // What was deployed lives on its ports; where it cannot be told whether it does, they stay taken as well, until
            // a later deploy works.
            return match how {
                RunHow::Exited { code: 0 } => deploy::hook::give_back_older(self, folder.run),
                RunHow::Exited { code: 1 } | RunHow::CouldNotStart { .. } => {
                    deploy::hook::give_back_own(self, folder.run);
                }
                RunHow::Exited { .. }
                | RunHow::Signalled { .. }
                | RunHow::TimedOut
                | RunHow::TooMuchOutput
                | RunHow::Stopped
                | RunHow::OverTokens { .. }
                | RunHow::Lost { .. }
                | RunHow::ProviderLimited { .. } => {}
            };
        }
        if let Err(error) = self.ports.give_back(&owner(folder.run)) {
            untidy("the ports of a run cannot be given back", &error);
        }
    }
}

/// Nobody knows how it ended; what it had used by its own reports was used all the same (decision 12).
fn lost(folder: &RunFolder, about: Option<&About>, why: impl Into<Cause>) -> Read {
    let how = RunHow::Lost { cause: why.into() };
    let usage = match about.map(|about| &about.kind) {
        Some(RunKind::Agent { program, price, .. }) => {
            let mask = Masker::default();
            agent::read_end(&folder.record, how.clone(), program, price.as_ref(), &mask)
                .map_or_else(|_| Usage::default(), |read| read.usage)
        }
        Some(RunKind::Ci | RunKind::Hook { .. }) | None => Usage::default(),
    };
    Read { how, usage, tail: String::new() }
}

fn how(ending: &Ending) -> RunHow {
    match ending {
        Ending::Exited { code } => RunHow::Exited { code: *code },
        Ending::Signalled { signal } => RunHow::Signalled { signal: *signal },
        Ending::TimeLimit => RunHow::TimedOut,
        Ending::OutputLimit => RunHow::TooMuchOutput,
        Ending::Stopped => RunHow::Stopped,
        Ending::CouldNotStart { cause } => RunHow::CouldNotStart { cause: cause.clone() },
    }
}
