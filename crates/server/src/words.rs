//! What do holds, reasons and runs read like on a page? The sentences are `orch_core::message`'s; here they begin with a
//! capital, and what only pages say is added.

use orch_core::edited::follows;
use orch_core::event::RunHow;
use orch_core::hold::HoldKind;
use orch_core::id::{RunId, WorkItem};
use orch_core::message::{self, Lang, figure};
use orch_core::reason::Reason;
use orch_core::said::Cause;
use orch_core::task::{Ask, Job, Task};
use orch_core::time::{Moment, Span};

pub(crate) use orch_core::message::figure::{cost, span, tokens};
pub(crate) use orch_core::message::{gate_label, role_name, stage_label};

fn pick(lang: Lang, en: &str, ru: &str) -> String {
    match lang {
        Lang::En => en.to_owned(),
        Lang::Ru => ru.to_owned(),
    }
}

/// With a capital, as a line of its own.
fn line(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let line = line(text);
    if line.ends_with(['.', '!', '?', '…']) || line.is_empty() { line } else { line + "." }
}

/// What a run is of.
pub(crate) fn job_name(job: Job, lang: Lang) -> String {
    match job {
        Job::Agent(role) => line(&role_name(role, lang)),
        Job::Ci(_) | Job::Hook => line(&message::job(job, lang)),
    }
}

/// What is going on while a task is worked on.
pub(crate) fn working(run: Option<(RunId, Job)>, ask: Option<&Ask>, lang: Lang) -> String {
    line(&message::working(run, ask, lang))
}

/// What a task waits for. Of an escalation people want to know why.
pub(crate) fn hold(kind: &HoldKind, item: &WorkItem, lang: Lang) -> String {
    match kind {
        HoldKind::Escalated(why) => line(message::why(why, lang).trim_end_matches('.')),
        kind => line(&message::hold_halves(kind, item, lang).0),
    }
}

/// What a task waits for besides, and what lifts that.
pub(crate) fn also(kind: &HoldKind, item: &WorkItem, lang: Lang) -> String {
    sentence(&message::hold_kind(kind, item, lang))
}

/// What lifts a hold.
pub(crate) fn lifts(kind: &HoldKind, item: &WorkItem, lang: Lang) -> String {
    let lifts = message::hold_halves(kind, item, lang).1;
    match kind {
        // The why stands in the line above already.
        HoldKind::Escalated(why) => sentence(lifts.trim_start_matches(&message::why(why, lang)).trim_start()),
        // Every other half is a whole.
        _ => sentence(&lifts), // not a domain enum
    }
}

/// What follows from another title or text, before it and right after it.
pub(crate) fn edited(task: &Task, lang: Lang) -> String {
    message::edited(follows(task), &task.item, lang)
}

/// Why something was done or not.
pub(crate) fn reason(reason: &Reason, lang: Lang) -> String {
    message::reason(reason, lang)
}

/// What a person is told of what came of something: that nothing was to be done is no news.
pub(crate) fn reasons(reasons: &[Reason], lang: Lang) -> Vec<String> {
    let told = reasons.iter().filter(|reason| **reason != Reason::Noted);
    told.map(|told| reason(told, lang)).collect()
}

/// The same on the page of a task, where runs have names; what changed nothing is left out, the journal has it.
pub(crate) fn told(reason: &Reason, job: impl Fn(RunId) -> Option<Job>, lang: Lang) -> Option<String> {
    let named =
        |run: RunId, what: String| job(run).map(|of| format!("{}: {what} {run}.", job_name(of, lang)));
    match reason {
        Reason::Noted | Reason::TurnTaken => None,
        Reason::RunBegan { run } => named(*run, pick(lang, "run began,", "начало запуска")),
        Reason::RunEnded { run } => named(*run, pick(lang, "run ended,", "конец запуска")),
        told => Some(message::reason(told, lang)),
    }
}

/// That a log is not the whole output.
pub(crate) fn left_out(bytes: u64, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{bytes} bytes of its output left out"),
        Lang::Ru => format!("не сохранено байт вывода: {bytes}"),
    }
}

/// That a run ended well and brought nothing that counts.
pub(crate) fn of_no_use(cause: &Cause, lang: Lang) -> String {
    let cause = message::cause(cause, lang);
    format!("{}: {cause}", pick(lang, "without a usable result", "без пригодного результата"))
}

/// How a run ended.
pub(crate) fn run_end(how: &RunHow, lang: Lang) -> String {
    match how {
        RunHow::Exited { code: 0 } => pick(lang, "finished", "завершён"),
        RunHow::Exited { code } => format!("{} {code}", pick(lang, "ended with code", "завершён с кодом")),
        RunHow::Signalled { signal } => {
            format!("{} {signal}", pick(lang, "ended by signal", "прерван сигналом"))
        }
        RunHow::TimedOut => pick(lang, "killed at its time limit", "остановлен по времени"),
        RunHow::TooMuchOutput => pick(lang, "killed at its output limit", "остановлен: слишком много вывода"),
        RunHow::OverTokens { tokens: used, limit } => format!(
            "{} ({} / {})",
            pick(lang, "stopped at its tokens", "остановлен: израсходованы токены"),
            tokens(*used),
            tokens(*limit)
        ),
        RunHow::Stopped => pick(lang, "stopped by Orch", "остановлен Orch"),
        RunHow::CouldNotStart { cause } => {
            format!("{}: {}", pick(lang, "could not start", "не запустился"), message::cause(cause, lang))
        }
        RunHow::Lost { cause } => {
            format!("{}: {}", pick(lang, "lost", "потерян"), message::cause(cause, lang))
        }
        RunHow::ProviderLimited { cause, .. } => {
            format!(
                "{}: {}",
                pick(lang, "refused by the provider for now", "поставщик модели пока отказал"),
                message::cause(cause, lang)
            )
        }
    }
}

/// Since when, and how long that is.
pub(crate) fn since(since: Moment, now: Moment, lang: Lang) -> String {
    let (word, span) = (pick(lang, "since", "с"), span(now.since(since), lang));
    format!("{word} {} ({span})", figure::moment(since))
}

/// How long ago, in one unit: people read it at a glance.
pub(crate) fn ago(since: Moment, now: Moment, lang: Lang) -> String {
    let seconds = now.since(since).as_seconds();
    let coarse = match seconds {
        0..60 => return pick(lang, "just now", "сейчас"),
        60..3600 => Span::minutes(seconds / 60),
        3600..86_400 => Span::minutes(seconds / 3600 * 60),
        86_400.. => Span::minutes(seconds / 86_400 * 1440),
    };
    figure::span(coarse, lang)
}
