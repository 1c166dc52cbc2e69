//! What does a task do or wait for, in words? The answer of `orch why` (decision 4).
//!
//! A hold has two halves: what the task does ("waits for your approval of the requirements") and what would lift it ("move
//! the issue to Approved, …").

use super::comment::{item_arg, prefix_arg};
use super::said::cause_arg;
use super::{
    Arg, Lang, clause, delay, figure, freeze_cause, main_arg, person, quoted, role_name, say, tokens_args,
    why, withdrawn_arg,
};
use crate::event::{DiskReading, Turn};
use crate::hold::{Hold, HoldKind, Standing};
use crate::id::{RunId, WorkItem};
use crate::task::{Ask, CiOf, Delay, Job, Why};
use crate::time::Moment;

/// What a task does or waits for, since when, and what would lift it: a sentence that names the work item, and the other
/// holds after "Also".
pub fn standing(standing: &Standing, item: &WorkItem, now: Moment, lang: Lang) -> String {
    match standing {
        Standing::Working { run, ask, since } => {
            let what = ("what", Arg::Text(working(*run, ask.as_ref(), lang)));
            let [from, span] = since_args(*since, now, lang);
            say(lang, "standing-working", [item_arg(item), what, from, span])
        }
        Standing::Over { since } => {
            let [from, span] = since_args(*since, now, lang);
            say(lang, "standing-over", [item_arg(item), from, span])
        }
        Standing::Held(holds) => match holds.split_first() {
            Some((first, others)) => held(first, others, item, now, lang),
            None => say(lang, "standing-unknown", [item_arg(item)]),
        },
    }
}

fn held(first: &Hold, others: &[Hold], item: &WorkItem, now: Moment, lang: Lang) -> String {
    let (what, lift) = hold_halves(&first.kind, item, lang);
    let [from, span] = since_args(first.since, now, lang);
    let args = [item_arg(item), ("what", Arg::Text(what)), ("lift", Arg::Text(lift)), from, span];
    let main = say(lang, "standing-held", args);
    if others.is_empty() {
        return main;
    }
    let also: Vec<String> = others.iter().map(|hold| hold_kind(&hold.kind, item, lang)).collect();
    let also = say(lang, "standing-also", [("holds", Arg::Text(also.join("; ")))]);
    format!("{main} {also}")
}

/// A hold with since-when, without a full stop: "waits for … (since …): move the issue to …".
pub fn hold(hold: &Hold, item: &WorkItem, lang: Lang) -> String {
    let (what, lift) = hold_halves(&hold.kind, item, lang);
    let since = ("since", Arg::Text(figure::moment(hold.since)));
    say(lang, "hold-since", [("what", Arg::Text(what)), ("lift", Arg::Text(lift)), since])
}

/// A hold without since-when and without a full stop: "waits for …: move the issue to …".
pub fn hold_kind(kind: &HoldKind, item: &WorkItem, lang: Lang) -> String {
    let (what, lift) = hold_halves(kind, item, lang);
    format!("{what}: {lift}")
}

/// What is going on while a task is worked on: "the developer works (run r12.0)", "Orch builds the candidate".
pub fn working(run: Option<(RunId, Job)>, ask: Option<&Ask>, lang: Lang) -> String {
    match (run, ask) {
        (Some((run, job)), _) => {
            let id = ("run", Arg::Text(run.to_string()));
            match job {
                Job::Agent(role) => {
                    say(lang, "working-agent", [("role", Arg::Text(role_name(role, lang))), id])
                }
                Job::Ci(CiOf::Head) => say(lang, "working-tests", [id]),
                Job::Ci(CiOf::Candidate) => say(lang, "working-candidate-tests", [id]),
                Job::Hook => say(lang, "working-hook", [id]),
            }
        }
        (None, Some(ask)) => asking(ask, lang),
        (None, None) => say(lang, "working-something", []),
    }
}

fn asking(ask: &Ask, lang: Lang) -> String {
    match ask {
        Ask::CutBranch { .. } => say(lang, "working-cut-branch", []),
        Ask::Launch { run, job: of } => {
            let args = [("job", Arg::Text(job(*of, lang))), ("run", Arg::Text(run.to_string()))];
            say(lang, "working-launch", args)
        }
        Ask::Collect { run, role } => {
            let args = [("role", Arg::Text(role_name(*role, lang))), ("run", Arg::Text(run.to_string()))];
            say(lang, "working-collect", args)
        }
        Ask::OpenChange => say(lang, "working-open-change", []),
        Ask::Restore => say(lang, "working-restore", []),
        Ask::Candidate => say(lang, "working-candidate", []),
        Ask::Merge => say(lang, "working-merge", []),
        Ask::Prove => say(lang, "working-prove", []),
        Ask::Probe => say(lang, "working-probe", []),
        Ask::Watch => say(lang, "working-watch", []),
        Ask::Reason { by } => say(lang, "working-reason", [("by", Arg::Text(person(by, lang)))]),
    }
}

/// What is asked of the outside, after "tries to".
pub fn ask(ask: &Ask, lang: Lang) -> String {
    match ask {
        Ask::CutBranch { .. } => say(lang, "ask-cut-branch", []),
        Ask::Launch { job: of, .. } => say(lang, "ask-launch", [("job", Arg::Text(job(*of, lang)))]),
        Ask::Collect { role, .. } => say(lang, "ask-collect", [("role", Arg::Text(role_name(*role, lang)))]),
        Ask::OpenChange => say(lang, "ask-open-change", []),
        Ask::Restore => say(lang, "ask-restore", []),
        Ask::Candidate => say(lang, "ask-candidate", []),
        Ask::Merge => say(lang, "ask-merge", []),
        Ask::Prove => say(lang, "ask-prove", []),
        Ask::Probe => say(lang, "ask-probe", []),
        Ask::Watch => say(lang, "ask-watch", []),
        Ask::Reason { by } => say(lang, "ask-reason", [("by", Arg::Text(person(by, lang)))]),
    }
}

/// What a run is of.
pub fn job(job: Job, lang: Lang) -> String {
    match job {
        Job::Agent(role) => say(lang, "job-agent", [("role", Arg::Text(role_name(role, lang)))]),
        Job::Ci(CiOf::Head) => say(lang, "job-tests", []),
        Job::Ci(CiOf::Candidate) => say(lang, "job-candidate-tests", []),
        Job::Hook => say(lang, "job-hook", []),
    }
}

/// What a turn is for.
pub fn turn(turn: Turn, lang: Lang) -> String {
    match turn {
        Turn::Start => say(lang, "turn-start", []),
        Turn::Agent(role) => say(lang, "turn-agent", [("role", Arg::Text(role_name(role, lang)))]),
        Turn::Gate => say(lang, "turn-tests", []),
        Turn::Lane => say(lang, "turn-lane", []),
        Turn::Merge => say(lang, "turn-merge", []),
    }
}

fn since_args(since: Moment, now: Moment, lang: Lang) -> [(&'static str, Arg); 2] {
    [("since", Arg::Text(figure::moment(since))), ("span", Arg::Text(figure::span(now.since(since), lang)))]
}

fn until_arg(until: Moment) -> (&'static str, Arg) {
    ("until", Arg::Text(figure::moment(until)))
}

/// What a task does for this reason ("waits for …"), and what would lift it ("move the issue to …"), both without a full stop.
pub fn hold_halves(kind: &HoldKind, item: &WorkItem, lang: Lang) -> (String, String) {
    let both = |what, lift| (say(lang, what, []), say(lang, lift, []));
    let with_item = |what, lift| (say(lang, what, []), say(lang, lift, [item_arg(item)]));
    match kind {
        HoldKind::Paused { by, drain } => {
            let key = if *drain { "hold-drained" } else { "hold-paused" };
            (say(lang, key, [("by", Arg::Text(person(by, lang)))]), say(lang, "lift-paused", []))
        }
        HoldKind::StoreDamaged { cause } => {
            (say(lang, "hold-store-damaged", [("cause", quoted(cause))]), say(lang, "lift-store-damaged", []))
        }
        HoldKind::DiskFull => {
            let free = ("free", Arg::Text(figure::bytes(DiskReading::ENOUGH, lang)));
            (say(lang, "hold-disk-full", []), say(lang, "lift-disk-full", [free]))
        }
        HoldKind::Escalated(cause) => {
            let (why, said) = (why(cause, lang), where_it_stands(cause, item, lang));
            let why =
                ("why", Arg::Text([Some(why), said].into_iter().flatten().collect::<Vec<_>>().join(" ")));
            (say(lang, "hold-escalated", []), say(lang, "lift-escalated", [why, item_arg(item)]))
        }
        HoldKind::NotAsked => with_item("hold-not-asked", "lift-not-asked"),
        HoldKind::Questions => with_item("hold-questions", "lift-questions"),
        HoldKind::Approval => with_item("hold-approval", "lift-approval"),
        HoldKind::Protected { paths } => (
            say(lang, "hold-protected", [("paths", Arg::Text(some_of(paths)))]),
            say(lang, "lift-protected", [item_arg(item)]),
        ),
        HoldKind::Confirmation { deploys: true } => with_item("hold-confirm-deploy", "lift-confirm-deploy"),
        HoldKind::Confirmation { deploys: false } => with_item("hold-confirm-merge", "lift-confirm-merge"),
        HoldKind::RequestChanged => with_item("hold-request-changed", "lift-request-changed"),
        HoldKind::IssueGone => with_item("hold-issue-gone", "lift-issue-gone"),
        HoldKind::MergedOutside { commit } => (
            say(lang, "hold-merged-outside", [("commit", quoted(commit.short()))]),
            say(lang, "lift-merged-outside", [item_arg(item)]),
        ),
        HoldKind::Withdrawn(what) => (
            say(lang, "hold-withdrawn", [withdrawn_arg(*what, lang)]),
            say(lang, "lift-withdrawn", [item_arg(item)]),
        ),
        HoldKind::RunBudget { tokens, limit } => (
            say(lang, "hold-run-budget", tokens_args(*tokens, *limit)),
            say(lang, "lift-run-budget", [item_arg(item)]),
        ),
        HoldKind::CannotTell { cause } => (
            say(lang, "hold-cannot-tell", [cause_arg(cause, lang)]),
            say(lang, "lift-cannot-tell", [item_arg(item)]),
        ),
        HoldKind::DeployUnseen { commit } => (
            say(lang, "hold-deploy-unseen", [("commit", quoted(commit.short()))]),
            say(lang, "lift-deploy-unseen", [item_arg(item)]),
        ),
        HoldKind::WentBad { cause } => (
            say(lang, "hold-went-bad", [cause_arg(cause, lang)]),
            say(lang, "lift-went-bad", [item_arg(item), prefix_arg(item)]),
        ),
        HoldKind::WentSilent { cause } => (
            say(lang, "hold-went-silent", [cause_arg(cause, lang)]),
            say(lang, "lift-went-silent", [item_arg(item)]),
        ),
        HoldKind::Watched { until, looks, of, bad } => {
            let count = |n: u32| Arg::Count(n.into());
            let args =
                [("looks", count(*looks)), ("of", count(*of)), ("bad", count(*bad)), until_arg(*until)];
            (say(lang, "hold-watched", args), say(lang, "lift-watched", [item_arg(item)]))
        }
        HoldKind::Frozen { cause, task, over } => {
            let is_repaired = cause.is_repaired_by_a_merge() && !over;
            let cause = ("cause", Arg::Text(freeze_cause(cause, lang)));
            let lift = match task {
                Some(by) if is_repaired => {
                    say(lang, "lift-frozen-by", [cause, item_arg(&by.item()), prefix_arg(item)])
                }
                Some(by) => say(lang, "lift-frozen-of", [cause, item_arg(&by.item()), prefix_arg(item)]),
                None => say(lang, "lift-frozen", [cause, prefix_arg(item)]),
            };
            (say(lang, "hold-frozen", []), lift)
        }
        HoldKind::Provider { provider, until, cause } => {
            let until = ("until", Arg::Text(figure::moment(*until)));
            let args = [("provider", quoted(provider.as_str())), until, cause_arg(cause, lang)];
            (say(lang, "hold-provider", args), say(lang, "lift-provider", []))
        }
        HoldKind::TaskBudget { spent, budget } => {
            let money = |n: u64| Arg::Text(figure::money(n));
            (
                say(lang, "hold-task-budget", [("spent", money(*spent)), ("budget", money(*budget))]),
                say(lang, "lift-task-budget", [item_arg(item)]),
            )
        }
        HoldKind::DayBudget { budget } => (
            say(lang, "hold-day-budget", [("budget", Arg::Text(figure::money(*budget)))]),
            say(lang, "lift-day-budget", [item_arg(item)]),
        ),
        HoldKind::Serial { behind } => {
            (say(lang, "hold-serial", [item_arg(&behind.item())]), say(lang, "lift-serial", []))
        }
        HoldKind::Lane { holder, until: None, rests } => {
            let holder = item_arg(&holder.item());
            let what = say(lang, "hold-lane", [holder.clone()]);
            let lift =
                if *rests { say(lang, "lift-lane-rests", [holder]) } else { say(lang, "lift-lane", []) };
            (what, lift)
        }
        HoldKind::Lane { holder, until: Some(until), rests: _ } => {
            let holder = item_arg(&holder.item());
            let what = say(lang, "hold-lane-watched", [holder.clone(), until_arg(*until)]);
            (what, say(lang, "lift-lane-watched", [holder]))
        }
        HoldKind::Slot { turn: of } => {
            (say(lang, "hold-slot", [("turn", Arg::Text(turn(*of, lang)))]), say(lang, "lift-slot", []))
        }
        HoldKind::Turn { turn: of } => {
            (say(lang, "hold-turn", [("turn", Arg::Text(turn(*of, lang)))]), say(lang, "lift-turn", []))
        }
        HoldKind::Stopping { run: _ } => (say(lang, "hold-stopping", []), say(lang, "lift-stopping", [])),
        // Asked again by itself, but only a person can make it work (decision 43).
        HoldKind::RetryAt { due, ask: _, cause: Delay::CheckoutDirty { path, branch } } => {
            let where_ = [("path", quoted(path)), main_arg(branch.as_deref())];
            let due = ("due", Arg::Text(figure::instant(*due)));
            (
                say(lang, "hold-checkout-dirty", where_),
                say(lang, "lift-checkout-dirty", [due, item_arg(item)]),
            )
        }
        HoldKind::RetryAt { due, ask: of, cause } => {
            let due = ("due", Arg::Text(figure::instant(*due)));
            let what = say(lang, "hold-retry-at", [due, ("ask", Arg::Text(ask(of, lang)))]);
            let lift = match cause {
                Delay::Outage { .. } | Delay::NotYet { .. } => {
                    let cause = ("cause", Arg::Text(delay(cause, lang)));
                    say(lang, "lift-retry-at", [cause, item_arg(item)])
                }
                // Nothing is asked of a provider before it is open again, and a watch has its own time.
                Delay::Provider { .. } | Delay::CheckoutDirty { .. } | Delay::Watching => {
                    clause(&delay(cause, lang))
                }
            };
            (what, lift)
        }
        HoldKind::Retired => with_item("hold-retired", "lift-retired"),
        HoldKind::SettingsRefused { cause } => (
            say(lang, "hold-settings-refused", []),
            say(lang, "lift-settings-refused", [("cause", quoted(cause))]),
        ),
        HoldKind::NoPolicy { cause: None } => both("hold-no-policy", "lift-no-policy"),
        HoldKind::NoPolicy { cause: Some(cause) } => {
            (say(lang, "hold-no-policy", []), say(lang, "lift-no-policy-refused", [("cause", quoted(cause))]))
        }
        HoldKind::PolicyRefused { cause } => (
            say(lang, "hold-policy-refused", []),
            say(lang, "lift-policy-refused", [("cause", quoted(cause))]),
        ),
    }
}

/// Where the cause stands: under the issue are the findings already, elsewhere a command shows them.
fn where_it_stands(why: &Why, item: &WorkItem, lang: Lang) -> Option<String> {
    match why {
        Why::RoundsSpent => Some(say(lang, "look-at-the-findings", [item_arg(item)])),
        Why::Fruitless { .. }
        | Why::Conflicts
        | Why::RequestTooShort { .. }
        | Why::Outside { .. }
        | Why::NoTests
        | Why::NoHook
        | Why::Unproven { .. }
        | Why::RollbackFailed
        | Why::Machine { .. }
        | Why::NoAgent { .. } => what_it_wrote(why, item, lang),
    }
}

/// Where the cause stands, if it is a run that came to nothing: in what it wrote.
pub(super) fn what_it_wrote(why: &Why, item: &WorkItem, lang: Lang) -> Option<String> {
    match why {
        Why::Fruitless { .. } => Some(say(lang, "look-at-the-run", [item_arg(item)])),
        Why::RoundsSpent
        | Why::Conflicts
        | Why::RequestTooShort { .. }
        | Why::Outside { .. }
        | Why::NoTests
        | Why::NoHook
        | Why::Unproven { .. }
        | Why::RollbackFailed
        | Why::Machine { .. }
        | Why::NoAgent { .. } => None,
    }
}

/// The first few paths, and how many more there are.
fn some_of(paths: &[String]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = paths.iter().take(MOST).map(|path| clause(path)).collect();
    let shown = shown.join(", ");
    match paths.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}, … +{more}"),
    }
}
