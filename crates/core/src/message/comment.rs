//! What does Orch write under the issue? Markdown, in which only Orch's own words are markup.

use super::markdown::{Link, links, md_block, md_escape};
use super::{Arg, Lang, clause, figure, freeze_cause, judge, no_effect, role_name, say, stage_label, why};
use crate::event::{FreezeCause, Usage};
use crate::id::{Commit, WorkItem};
use crate::reason::NoEffect;
use crate::rework::Judge;
use crate::stage::{Role, Stage};
use crate::task::{Job, Task, Why};
use crate::time::{Moment, Span};

/// The requirements wait for approval (row 117). `documents` are those that exist.
pub fn analyst_ready(documents: &[Link], lang: Lang) -> String {
    let ask = say(lang, "comment-analyst-ask", []);
    paragraphs([Some(say(lang, "comment-analyst-ready", [])), documents_line(documents, lang), Some(ask)])
}

/// The analyst asks (decision 29).
pub fn questions_asked(questions: Option<&str>, whole: Option<&Link>, lang: Lang) -> String {
    paragraphs([
        Some(say(lang, "comment-questions", [])),
        questions.and_then(md_block),
        whole_line(whole, lang),
        Some(say(lang, "comment-questions-ask", [])),
    ])
}

/// A run of an agent brought its artefacts (row 116). `documents` are those that exist.
pub fn agent_finished(role: Role, usage: Usage, documents: &[Link], lang: Lang) -> String {
    let head = say(lang, "comment-finished", [("role", Arg::Text(role_name(role, lang)))]);
    paragraphs([Some(head), Some(usage_line(usage, lang)), documents_line(documents, lang)])
}

/// A judgement that sends a task back.
#[derive(Debug, Clone, Copy)]
pub struct SentBack<'a> {
    /// Where it goes.
    pub to: Stage,
    /// Who judged.
    pub judge: &'a Judge,
    /// The number of the attempt and how many there are; `None` if this one does not count (decision 15).
    pub attempt: Option<(u32, u32)>,
    /// What was found, verbatim (decision 16).
    pub findings: Option<&'a str>,
    /// Where the whole of it is.
    pub whole: Option<&'a Link>,
}

/// A task goes back.
pub fn sent_back(what: SentBack<'_>, lang: Lang) -> String {
    let to = ("to", Arg::Text(stage_label(what.to, lang)));
    let by = ("judge", Arg::Text(md_escape(&judge(what.judge, lang))));
    let head = match what.attempt {
        Some((attempt, of)) => {
            let (attempt, of) = (Arg::Count(u64::from(attempt)), Arg::Count(u64::from(of)));
            say(lang, "comment-sent-back", [to, by, ("attempt", attempt), ("of", of)])
        }
        None => say(lang, "comment-sent-back-free", [to, by]),
    };
    let found = what.findings.and_then(md_block);
    let intro = found.as_ref().map(|_| say(lang, "comment-findings", []));
    paragraphs([Some(head), intro, found, whole_line(what.whole, lang)])
}

/// Automation stops until a person acts; says what a person can do (decision 15, row 123).
pub fn escalated(item: &WorkItem, at: Stage, cause: &Why, lang: Lang) -> String {
    paragraphs([
        Some(say(lang, "comment-escalated", [("stage", Arg::Text(stage_label(at, lang)))])),
        Some(md_escape(&why(cause, lang))),
        Some(say(lang, "comment-escalated-ask", [item_arg(item)])),
    ])
}

/// The change waits for Confirm Deploy, and Approved is not it (row 76). `deploys`: whether the project has a deploy, else it
/// is the merge that is confirmed (decision 6).
pub fn awaiting_confirm(item: &WorkItem, deploys: bool, lang: Lang) -> String {
    let key = if deploys { "comment-confirm-deploy" } else { "comment-confirm-merge" };
    say(lang, key, [item_arg(item)])
}

/// The change waits for the approval of what it does to protected paths (decision 8).
pub fn awaiting_protected(paths: &[String], lang: Lang) -> String {
    paragraphs([Some(say(lang, "comment-protected", [])), md_block(&paths.join("\n"))])
}

/// The change is in main.
pub fn merged(commit: &Commit, change_request: Option<u64>, lang: Lang) -> String {
    let of = commit_arg(commit);
    match change_request {
        // A number is shown as it is, so it is a text here.
        Some(number) => say(lang, "comment-merged-change", [of, ("change", Arg::Text(number.to_string()))]),
        None => say(lang, "comment-merged", [of]),
    }
}

/// The change is deployed. `probed`: whether the service itself named the commit.
pub fn deployed(commit: &Commit, probed: bool, lang: Lang) -> String {
    let key = if probed { "comment-deployed" } else { "comment-deployed-unprobed" };
    say(lang, key, [commit_arg(commit)])
}

/// What some runs took together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub runs: u64,
    /// What they used.
    pub usage: Usage,
    /// How many of them have no known price.
    pub unpriced: u64,
    /// How long they ran, one after the other.
    pub worked: Span,
}

/// What a task took, by role and in all (rows 193, 211).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// A line a role that worked, in the order in which they work.
    pub roles: Vec<(Role, Sum)>,
    /// The sum of the lines.
    pub total: Sum,
    /// From the first sight of the issue to the end.
    pub wall: Span,
    /// How long people took for the requirements; `None` if they were not asked.
    pub people: Option<Span>,
}

impl Sum {
    fn plus(self, other: Sum) -> Sum {
        Sum {
            runs: self.runs + other.runs,
            usage: self.usage.plus(other.usage),
            unpriced: self.unpriced + other.unpriced,
            worked: Span(self.worked.0.saturating_add(other.worked.0)),
        }
    }

    fn cost(&self, lang: Lang) -> String {
        let known = figure::cost(self.usage, lang);
        if self.unpriced == 0 || self.usage.microdollars.is_none() {
            return known;
        }
        say(lang, "cost-partly", [("cost", Arg::Text(known))])
    }
}

impl Summary {
    /// The summary of a task at its end.
    pub fn of(task: &Task, end: Moment) -> Self {
        let of_role = |role: Role| {
            let runs = task.runs.iter().filter(move |run| run.job == Job::Agent(role));
            runs.fold(Sum::default(), |sum, run| {
                let unpriced = u64::from(run.usage.microdollars.is_none());
                sum.plus(Sum { runs: 1, usage: run.usage, unpriced, worked: run.wall })
            })
        };
        let roles: Vec<(Role, Sum)> =
            Role::ALL.into_iter().map(|r| (r, of_role(r))).filter(|(_, sum)| sum.runs > 0).collect();
        let total = roles.iter().fold(Sum::default(), |all, (_, sum)| all.plus(*sum));
        let people = task.review.started.zip(task.review.ended).map(|(from, to)| to.since(from));
        Self { roles, total, wall: end.since(task.born), people }
    }
}

/// The task is delivered; what it took (rows 193, 211).
pub fn done(summary: &Summary, lang: Lang) -> String {
    let row = |name: String, sum: &Sum| {
        let known = |n: Option<u64>| n.map_or_else(|| "—".to_owned(), figure::tokens);
        let input = (sum.usage != Usage::default()).then(|| sum.usage.full_input());
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} |",
            sum.runs,
            known(input),
            known(sum.usage.cache_read),
            known(sum.usage.output),
            sum.cost(lang),
            figure::span(sum.worked, lang)
        )
    };
    let table = || {
        let mut lines = vec![say(lang, "comment-done-head", []), "|---|---|---|---|---|---|---|".to_owned()];
        lines.extend(summary.roles.iter().map(|(role, sum)| row(role_name(*role, lang), sum)));
        lines.push(row(say(lang, "comment-done-total", []), &summary.total));
        lines.join("\n")
    };
    let times = || {
        let args = [
            ("runs", Arg::Count(summary.total.runs)),
            ("agents", Arg::Text(figure::span(summary.total.worked, lang))),
            ("wall", Arg::Text(figure::span(summary.wall, lang))),
        ];
        say(lang, "comment-done-times", args)
    };
    let people = |took| say(lang, "comment-done-people", [("people", Arg::Text(figure::span(took, lang)))]);
    paragraphs([
        Some(say(lang, "comment-done", [])),
        (!summary.roles.is_empty()).then(table),
        Some(times()),
        summary.people.map(people),
    ])
}

/// A stop waits for an irreversible step to end (row 150).
pub fn stop_deferred(lang: Lang) -> String {
    say(lang, "comment-stop-deferred", [])
}

/// The task is stopped; names the commit that stays in main, if there is one (decision 41).
pub fn stopped(in_main: Option<&Commit>, lang: Lang) -> String {
    match in_main {
        Some(commit) => say(lang, "comment-stopped-merged", [commit_arg(commit)]),
        None => say(lang, "comment-stopped", []),
    }
}

/// Nothing merges in the repository.
pub fn frozen(cause: &FreezeCause, by: Option<&WorkItem>, lang: Lang) -> String {
    let head = match by {
        Some(item) => say(lang, "comment-frozen-by", [item_arg(item)]),
        None => say(lang, "comment-frozen", []),
    };
    let ask = say(lang, "comment-frozen-ask", []);
    paragraphs([Some(head), Some(md_escape(&freeze_cause(cause, lang))), Some(ask)])
}

/// A gesture had no effect; `press` is the word for it.
pub fn without_effect(press: &str, cause: &NoEffect, lang: Lang) -> String {
    let head = say(lang, "comment-no-effect", [("press", Arg::Text(md_escape(&clause(press))))]);
    paragraphs([Some(head), Some(md_escape(&no_effect(cause, lang)))])
}

/// What a run used: full input with the part from the cache (row 192), output, price.
fn usage_line(usage: Usage, lang: Lang) -> String {
    let cost = ("cost", Arg::Text(figure::cost(usage, lang)));
    let tokens_only = Usage { microdollars: None, ..usage };
    if tokens_only == Usage::default() {
        return say(lang, "comment-usage-unknown", [cost]);
    }
    let tokens = |n: u64| Arg::Text(figure::tokens(n));
    let args = [
        ("input", tokens(usage.full_input())),
        ("cached", tokens(usage.cache_read.unwrap_or(0))),
        ("output", tokens(usage.output.unwrap_or(0))),
        cost,
    ];
    say(lang, "comment-usage", args)
}

fn documents_line(documents: &[Link], lang: Lang) -> Option<String> {
    links(documents).map(|links| say(lang, "comment-documents", [("links", Arg::Text(links))]))
}

fn whole_line(whole: Option<&Link>, lang: Lang) -> Option<String> {
    whole.map(|link| say(lang, "comment-whole", [("link", Arg::Text(link.markdown()))]))
}

fn item_arg(item: &WorkItem) -> (&'static str, Arg) {
    // It also stands between backticks, where an escape would be shown.
    ("item", Arg::Text(item.as_str().chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()))
}

fn commit_arg(commit: &Commit) -> (&'static str, Arg) {
    ("commit", Arg::Text(commit.short().chars().filter(char::is_ascii_alphanumeric).collect()))
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
