//! What do people read about a task? Every such sentence is a pure function here, in English and Russian (decisions 28, 63).
//!
//! The sentences themselves are in `text/en.ftl` and `text/ru.ftl`. Functions of this module return plain text, [`note()`] and those
//! of [`comment`] Markdown. Text from people and programs never becomes markup: see [`markdown`].

pub mod comment;
mod edited;
pub mod figure;
pub mod markdown;
mod note;
mod refusal;
mod said;
mod hindrance;
mod undone;
mod waiting;

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use unic_langid::langid;

use crate::event::FreezeCause;
use crate::gate::GateId;
use crate::gesture::THE_DEMO;
use crate::reason::{Ignored, NoEffect, Reason};
use crate::rework::{Judge, MAX_CONFLICTS, MAX_DEVELOPER_RUNS, MAX_FRUITLESS, MAX_MACHINE};
use crate::stage::{Role, Stage};
use crate::task::{Delay, Why, Withdrawn};
use said::cause_arg;

pub use edited::edited;
pub use hindrance::hindrance;
pub use note::{NoteFacts, note};
pub use said::{cause, deploy_log, found, said, watch_log};
pub use undone::undone;
pub use waiting::{ask, hold, hold_halves, hold_kind, job, standing, turn, working};

/// The languages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Lang {
    /// Both.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ru];

    /// Its tag: `en`, `ru`.
    pub const fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ru => "ru",
        }
    }
}

/// Why something was done or not, as one or two sentences.
pub fn reason(reason: &Reason, lang: Lang) -> String {
    match reason {
        Reason::Known => say(lang, "reason-known", []),
        Reason::RequestEdited => say(lang, "reason-request-edited", []),
        Reason::GestureTaken { press, by } => {
            let args = [("press", quoted(press)), ("who", Arg::Text(gesture_who(by, lang)))];
            say(lang, "reason-gesture-taken", args)
        }
        Reason::GestureWithoutEffect { press, why } => {
            let args = [("press", quoted(press)), ("why", Arg::Text(no_effect(why, lang)))];
            say(lang, "reason-gesture-without-effect", args)
        }
        Reason::Ignored(why) => ignored(why, lang),
        Reason::Advanced { from, to } => say(
            lang,
            "reason-advanced",
            [("from", Arg::Text(stage_label(*from, lang))), ("to", Arg::Text(stage_label(*to, lang)))],
        ),
        Reason::SentBack { from, to, judge: by, attempt, of } => {
            let to_arg = ("to", Arg::Text(stage_label(*to, lang)));
            let judge = ("judge", Arg::Text(judge(by, lang)));
            let last = attempt >= of;
            let [attempt, of] =
                [("attempt", *attempt), ("of", *of)].map(|(name, n)| (name, Arg::Count(u64::from(n))));
            let from_arg = ("from", Arg::Text(stage_label(*from, lang)));
            if !by.counts() {
                return say(lang, "reason-sent-back-free", [to_arg, judge]);
            }
            if last {
                // Nobody begins again: the next sentence says that a person is asked.
                return say(lang, "reason-sent-back-last", [from_arg, judge, attempt, of]);
            }
            if from == to {
                return say(lang, "reason-sent-back-here", [to_arg, judge, attempt, of]);
            }
            let from = from_arg;
            say(lang, "reason-sent-back", [from, to_arg, judge, attempt, of])
        }
        Reason::Repeated { role, cause } => say(
            lang,
            "reason-repeated",
            [("role", Arg::Text(role_name(*role, lang))), cause_arg(cause, lang)],
        ),
        Reason::GateSaid { gate, passed } => {
            let key = match passed {
                Some(true) => "reason-gate-passed",
                Some(false) => "reason-gate-failed",
                None => "reason-gate-unavailable",
            };
            about_gate(key, *gate, lang)
        }
        Reason::EvidenceStands { gate } => about_gate("reason-evidence-stands", *gate, lang),
        Reason::EvidenceLapsed { gate } => about_gate("reason-evidence-lapsed", *gate, lang),
        Reason::NotConfigured { gate } => about_gate("reason-not-configured", *gate, lang),
        Reason::TurnTaken => say(lang, "reason-turn-taken", []),
        Reason::GaveWay => say(lang, "reason-gave-way", []),
        Reason::RunBegan { run } => say(lang, "reason-run-began", [("run", Arg::Text(run.to_string()))]),
        Reason::RunEnded { run } => say(lang, "reason-run-ended", [("run", Arg::Text(run.to_string()))]),
        Reason::Later { due, cause } => {
            say(lang, "reason-later", [("due", Arg::Text(figure::instant(*due))), cause_arg(cause, lang)])
        }
        Reason::Escalated(cause) => say(lang, "reason-escalated", [("why", Arg::Text(why(cause, lang)))]),
        Reason::MainMoved { main } => say(lang, "reason-main-moved", [("commit", quoted(main.short()))]),
        Reason::Merged { commit } => say(lang, "reason-merged", [("commit", quoted(commit.short()))]),
        Reason::Proven => say(lang, "reason-proven", []),
        Reason::Healthy => say(lang, "reason-healthy", []),
        Reason::DeployFailed { cause } => say(lang, "reason-deploy-failed", [cause_arg(cause, lang)]),
        Reason::DeployUnseen => say(lang, "reason-deploy-unseen", []),
        Reason::WatchBegan { until } => {
            say(lang, "reason-watch-began", [("until", Arg::Text(figure::moment(*until)))])
        }
        Reason::WatchSaw { cause } => say(lang, "reason-watch-saw", [cause_arg(cause, lang)]),
        Reason::StayedWell => say(lang, "reason-stayed-well", []),
        Reason::LaterDeployRuns { commit } => {
            say(lang, "reason-later-deploy-runs", [("commit", quoted(commit.short()))])
        }
        Reason::WentBad { cause } => say(lang, "reason-went-bad", [cause_arg(cause, lang)]),
        Reason::WentSilent { cause } => say(lang, "reason-went-silent", [cause_arg(cause, lang)]),
        Reason::StopDeferred => say(lang, "reason-stop-deferred", []),
        Reason::Stopped => say(lang, "reason-stopped", []),
        Reason::Frozen(cause) => {
            say(lang, "reason-frozen", [("cause", Arg::Text(freeze_cause(cause, lang)))])
        }
        Reason::Thawed => say(lang, "reason-thawed", []),
        Reason::PolicyChanged => say(lang, "reason-policy-changed", []),
        Reason::PolicyRefused => say(lang, "reason-policy-refused", []),
        Reason::ProviderClosed => say(lang, "reason-provider-closed", []),
        Reason::ProviderOpen => say(lang, "reason-provider-open", []),
        Reason::StoreDamaged => say(lang, "reason-store-damaged", []),
        Reason::StoreSound => say(lang, "reason-store-sound", []),
        Reason::Paused => say(lang, "reason-paused", []),
        Reason::Unpaused => say(lang, "reason-unpaused", []),
        Reason::Unperformed { effect, cause } => {
            let args = [("effect", Arg::Text(effect.to_string())), cause_arg(cause, lang)];
            say(lang, "reason-unperformed", args)
        }
        Reason::BoardRefused { cause } => say(lang, "reason-board-refused", [cause_arg(cause, lang)]),
        Reason::RecordStands { record } => {
            say(lang, "reason-record-stands", [("file", quoted(record.file()))])
        }
        Reason::RecordTroubled { record, cause, lasting } => {
            let key = if *lasting { "reason-record-refused" } else { "reason-record-later" };
            say(lang, key, [("file", quoted(record.file())), cause_arg(cause, lang)])
        }
        Reason::MergedByHand { commit } => {
            say(lang, "reason-merged-by-hand", [("commit", quoted(commit.short()))])
        }
        Reason::MergedOutside { commit } => {
            say(lang, "reason-merged-outside", [("commit", quoted(commit.short()))])
        }
        Reason::Withdrawn(what) => say(lang, "reason-withdrawn", [withdrawn_arg(*what, lang)]),
        Reason::OutsideOver => say(lang, "reason-outside-over", []),
        Reason::RunOverTokens { tokens, limit } => {
            say(lang, "reason-run-over-tokens", tokens_args(*tokens, *limit))
        }
        Reason::ProjectRetired => say(lang, "reason-project-retired", []),
        Reason::SettingsChanged => say(lang, "reason-settings-changed", []),
        Reason::SettingsRefused => say(lang, "reason-settings-refused", []),
        Reason::Noted => say(lang, "reason-noted", []),
    }
}

/// Whose gesture it was: a person's, the board's, or that of a program that named nobody.
fn gesture_who(by: &str, lang: Lang) -> String {
    match by {
        "board" => say(lang, "gesture-who-board", []),
        "api" => say(lang, "gesture-who-api", []),
        THE_DEMO => say(lang, "gesture-who-demo", []),
        person => say(lang, "gesture-who-person", [("by", quoted(person))]),
    }
}

/// Why automation leaves a task alone.
pub fn why(why: &Why, lang: Lang) -> String {
    let role_arg = |role: Role| ("role", Arg::Text(role_name(role, lang)));
    match why {
        Why::RoundsSpent => {
            say(lang, "why-rounds-spent", [("rounds", Arg::Count(u64::from(MAX_DEVELOPER_RUNS)))])
        }
        Why::Fruitless { role, cause } => {
            let times = Arg::Count(u64::from(MAX_FRUITLESS) + 1);
            say(lang, "why-fruitless", [role_arg(*role), ("times", times), cause_arg(cause, lang)])
        }
        Why::Conflicts => say(lang, "why-conflicts", [("times", Arg::Count(u64::from(MAX_CONFLICTS)))]),
        Why::RequestTooShort { has: 0, needs } => {
            say(lang, "why-request-empty", [("needs", Arg::Count(*needs))])
        }
        Why::RequestTooShort { has, needs } => {
            say(lang, "why-request-too-short", [("has", Arg::Count(*has)), ("needs", Arg::Count(*needs))])
        }
        Why::Outside { cause } => say(lang, "why-outside", [cause_arg(cause, lang)]),
        Why::NoTests => say(lang, "why-no-tests", []),
        Why::NoHook => say(lang, "why-no-hook", []),
        Why::Unproven { cause } => say(lang, "why-unproven", [cause_arg(cause, lang)]),
        Why::RollbackFailed => say(lang, "why-rollback-failed", []),
        Why::Machine { cause } => {
            let times = Arg::Count(u64::from(MAX_MACHINE));
            say(lang, "why-machine", [("times", times), cause_arg(cause, lang)])
        }
        Why::NoAgent { role } => say(lang, "why-no-agent", [role_arg(*role)]),
    }
}

/// Why something is asked again later.
pub fn delay(delay: &Delay, lang: Lang) -> String {
    match delay {
        Delay::Outage { cause } => say(lang, "delay-outage", [cause_arg(cause, lang)]),
        Delay::CheckoutDirty { path, branch } => {
            say(lang, "delay-checkout-dirty", [("path", quoted(path)), main_arg(branch.as_deref())])
        }
        Delay::NotYet { cause } => say(lang, "delay-not-yet", [cause_arg(cause, lang)]),
        Delay::Watching => say(lang, "delay-watching", []),
        Delay::Provider { cause } => say(lang, "delay-provider", [("cause", quoted(cause))]),
    }
}

/// Why a gesture has no effect.
pub fn no_effect(why: &NoEffect, lang: Lang) -> String {
    match why {
        NoEffect::Terminal => say(lang, "no-effect-terminal", []),
        NoEffect::Busy => say(lang, "no-effect-busy", []),
        NoEffect::WrongStage(stage) => {
            say(lang, "no-effect-wrong-stage", [("stage", Arg::Text(stage_label(*stage, lang)))])
        }
        NoEffect::Stale => say(lang, "no-effect-stale", []),
        NoEffect::Overtaken => say(lang, "no-effect-overtaken", []),
        NoEffect::OtherThing => say(lang, "no-effect-other-thing", []),
        NoEffect::Again => say(lang, "no-effect-again", []),
        NoEffect::Escalated => say(lang, "no-effect-escalated", []),
        NoEffect::NotEscalated => say(lang, "no-effect-not-escalated", []),
        NoEffect::NoBudgetHold => say(lang, "no-effect-no-budget-hold", []),
        NoEffect::WrongEntity => say(lang, "no-effect-wrong-entity", []),
        NoEffect::Stopped => say(lang, "no-effect-stopped", []),
        NoEffect::SamePriority => say(lang, "no-effect-same-priority", []),
        NoEffect::NotFrozen => say(lang, "no-effect-not-frozen", []),
        NoEffect::NotPaused => say(lang, "no-effect-not-paused", []),
    }
}

/// Why something was ignored.
pub fn ignored(why: &Ignored, lang: Lang) -> String {
    let key = match why {
        Ignored::StaleToken => "ignored-stale-token",
        Ignored::Terminal => "ignored-terminal",
        Ignored::Echo => "ignored-echo",
        Ignored::Unknown => "ignored-unknown",
        Ignored::NotForThis => "ignored-not-for-this",
    };
    say(lang, key, [])
}

/// Who judged. A gate is shown with its machine name (decision 31).
pub fn judge(judge: &Judge, lang: Lang) -> String {
    match judge {
        Judge::Gate(gate) => gate_with_name(*gate, lang),
        Judge::Person(name) => person(name, lang),
        Judge::Main => say(lang, "judge-main", []),
        Judge::Host => say(lang, "judge-host", []),
    }
}

/// Who it was: a person by name, somebody at a door that names nobody, or the demonstration.
pub fn person(by: &str, lang: Lang) -> String {
    match by {
        "board" => say(lang, "person-board", []),
        "api" => say(lang, "person-api", []),
        THE_DEMO => say(lang, "person-demo", []),
        name => clause(name),
    }
}

/// Why a repository is frozen.
pub fn freeze_cause(cause: &FreezeCause, lang: Lang) -> String {
    let key = match cause {
        FreezeCause::DeployFailed => "freeze-deploy-failed",
        FreezeCause::DeployUntold => "freeze-deploy-untold",
        FreezeCause::WentBad => "freeze-went-bad",
        FreezeCause::UnprovenMerge => "freeze-unproven-merge",
        FreezeCause::MainRewritten => "freeze-main-rewritten",
        FreezeCause::Person => "freeze-person",
    };
    say(lang, key, [])
}

/// The main branch by its own name; rows that do not know it are of the time when it was always called main.
fn main_arg(branch: Option<&str>) -> (&'static str, Arg) {
    ("branch", quoted(branch.unwrap_or("main")))
}

fn withdrawn_arg(what: Withdrawn, lang: Lang) -> (&'static str, Arg) {
    let key = match what {
        Withdrawn::Branch => "withdrawn-branch",
        Withdrawn::ChangeRequest => "withdrawn-change-request",
    };
    ("what", Arg::Text(say(lang, key, [])))
}

fn tokens_args(tokens: u64, limit: u64) -> [(&'static str, Arg); 2] {
    let shown = |n| Arg::Text(figure::tokens(n));
    [("tokens", shown(tokens)), ("limit", shown(limit))]
}

/// The label of a stage on cards and boards (rows 186, 210).
pub fn stage_label(stage: Stage, lang: Lang) -> String {
    let key = match stage {
        Stage::Created => "stage-created",
        Stage::Analysis => "stage-analysis",
        Stage::Architecture => "stage-architecture",
        Stage::Development => "stage-development",
        Stage::Review => "stage-review",
        Stage::Testing => "stage-testing",
        Stage::DeployStaging => "stage-deploy-staging",
        Stage::Deploy => "stage-deploy",
        Stage::Done => "stage-done",
        Stage::Cancelled => "stage-cancelled",
    };
    say(lang, key, [])
}

/// The label of a stage by its machine name, whatever that is: an unknown one is shown neutrally, never as another stage
/// (rows 186, 210).
pub fn stage_label_of(name: Option<&str>, lang: Lang) -> String {
    let name = clause(name.unwrap_or_default());
    if let Some(stage) = Stage::ALL.into_iter().find(|s| s.name() == name) {
        return stage_label(stage, lang);
    }
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => "—".to_owned(),
    }
}

/// The name of a role.
pub fn role_name(role: Role, lang: Lang) -> String {
    let key = match role {
        Role::Analyst => "role-analyst",
        Role::Architect => "role-architect",
        Role::Developer => "role-developer",
        Role::Reviewer => "role-reviewer",
        Role::Tester => "role-tester",
    };
    say(lang, key, [])
}

/// What a gate looks at, in a few words.
pub fn gate_label(gate: GateId, lang: Lang) -> String {
    let key = match gate {
        GateId::CheckAnalysisApproved => "gate-check_analysis_approved",
        GateId::CheckAnalysisComplete => "gate-check_analysis_complete",
        GateId::CheckArchitectureDone => "gate-check_architecture_done",
        GateId::CheckCiGreen => "gate-check_ci_green",
        GateId::CheckReviewApproved => "gate-check_review_approved",
        GateId::CheckTestsPassed => "gate-check_tests_passed",
        GateId::CheckReviewerVerdict => "gate-check_reviewer_verdict",
        GateId::CheckTestsLocal => "gate-check_tests_local",
        GateId::CheckDeployStatus => "gate-check_deploy_status",
        GateId::CheckStagingStatus => "gate-check_staging_status",
        GateId::CheckBranchMergeable => "gate-check_branch_mergeable",
        GateId::CheckStagingImageFresh => "gate-check_staging_image_fresh",
        GateId::CheckSecurityGate => "gate-check_security_gate",
    };
    say(lang, key, [])
}

fn gate_with_name(gate: GateId, lang: Lang) -> String {
    let args = [("label", Arg::Text(gate_label(gate, lang))), ("gate", Arg::Text(gate.name().to_owned()))];
    say(lang, "judge-gate", args)
}

fn about_gate(key: &'static str, gate: GateId, lang: Lang) -> String {
    say(lang, key, [("gate", Arg::Text(gate_with_name(gate, lang)))])
}

/// An argument of a sentence.
#[derive(Debug, Clone)]
enum Arg {
    /// Something that the sentence shows.
    Text(String),
    /// A number that the sentence may bend to.
    Count(u64),
}

/// Words of a person or a program as a part of a sentence.
fn quoted(text: &str) -> Arg {
    Arg::Text(clause(text))
}

/// One line, bounded, without a full stop of its own.
fn clause(text: &str) -> String {
    const MOST: usize = 300;
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    let line = line.trim_end_matches('.').trim_end();
    if line.chars().nth(MOST).is_none() {
        return line.to_owned();
    }
    line.chars().take(MOST - 1).chain(['…']).collect()
}

/// The sentence of a key. A key that is missing in a language is looked up in English; one that is missing there too is shown
/// itself: a test proves that neither happens.
fn say<const N: usize>(lang: Lang, key: &'static str, args: [(&'static str, Arg); N]) -> String {
    let mut given = FluentArgs::with_capacity(N);
    for (name, arg) in args {
        match arg {
            Arg::Text(text) => given.set(name, FluentValue::from(text)),
            Arg::Count(n) => given.set(name, FluentValue::from(n)),
        }
    }
    #[cfg(test)]
    tests::saw(key, &given);
    for bundle in [texts(lang), texts(Lang::En)] {
        if let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) {
            let mut faults = Vec::new();
            let text = bundle.format_pattern(pattern, Some(&given), &mut faults).into_owned();
            debug_assert!(faults.is_empty(), "{key}: {faults:?}");
            return text;
        }
    }
    key.to_owned()
}

type Texts = FluentBundle<FluentResource>;

const SOURCES: [(Lang, &str); 2] =
    [(Lang::En, include_str!("text/en.ftl")), (Lang::Ru, include_str!("text/ru.ftl"))];

fn texts(lang: Lang) -> &'static Texts {
    static EN: LazyLock<Texts> = LazyLock::new(|| build(Lang::En));
    static RU: LazyLock<Texts> = LazyLock::new(|| build(Lang::Ru));
    match lang {
        Lang::En => &EN,
        Lang::Ru => &RU,
    }
}

fn build(lang: Lang) -> Texts {
    let id = match lang {
        Lang::En => langid!("en"),
        Lang::Ru => langid!("ru"),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Otherwise every argument is wrapped in invisible characters.
    bundle.set_use_isolating(false);
    for (_, source) in SOURCES.into_iter().filter(|(l, _)| *l == lang) {
        // What parsed of a damaged file still serves; a test proves that the files are not damaged.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(partly, _)| partly);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
mod tests;
