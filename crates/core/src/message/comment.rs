//! What does Orch write under the issue? Markdown, in which only Orch's own words are markup.

use super::markdown::{Link, links, md_block, md_escape};
use super::waiting::what_it_wrote;
use super::{
    Arg, Lang, cause, clause, figure, judge, role_name, say, stage_label, tokens_args, why, withdrawn_arg,
};
use crate::event::Usage;
use crate::gate::GateId;
use crate::id::{Commit, Digest, WorkItem};
use crate::rework::Judge;
use crate::said::Cause;
use crate::stage::{Role, Stage};
use crate::task::{Why, Withdrawn};
use crate::time::Span;

/// The requirements wait for approval (row 117). `documents` are those that exist; an empty `branch` is not shown.
pub fn analyst_ready(item: &WorkItem, documents: &[Link], branch: &str, lang: Lang) -> String {
    let branch: String =
        branch.chars().filter(|c| !c.is_control() && !c.is_whitespace() && *c != '`').collect();
    let on = (!branch.is_empty()).then(|| say(lang, "comment-branch", [("branch", Arg::Text(branch))]));
    paragraphs([
        Some(say(lang, "comment-analyst-ready", [])),
        documents_line(documents, lang),
        on,
        Some(say(lang, "comment-analyst-ask", [item_arg(item)])),
    ])
}

/// The analyst asks (decision 29).
pub fn questions_asked(item: &WorkItem, questions: Option<&str>, whole: Option<&Link>, lang: Lang) -> String {
    paragraphs([
        Some(say(lang, "comment-questions", [])),
        questions.and_then(md_block),
        whole_line(whole, lang),
        Some(say(lang, "comment-questions-ask", [item_arg(item)])),
    ])
}

/// A label gave what a person would have: the approval of the requirements, or the word to deploy (rows 134, 135), which
/// is that to merge where nothing is deployed.
pub fn by_label(deploy: bool, merges: bool, lang: Lang) -> String {
    let key = match (deploy, merges) {
        (false, _) => "comment-approved-by-label",
        (true, false) => "comment-confirmed-by-label",
        (true, true) => "comment-merge-confirmed-by-label",
    };
    say(lang, key, [])
}

/// A run of an agent is through (row 116). `documents` are those that exist.
pub fn agent_finished(role: Role, usage: Usage, wall: Span, documents: &[Link], lang: Lang) -> String {
    let args = [("role", Arg::Text(role_name(role, lang))), ("wall", Arg::Text(figure::span(wall, lang)))];
    let head = say(lang, "comment-finished", args);
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
            let last = attempt >= of;
            let number = |n: u32| Arg::Count(u64::from(n));
            let [attempt, of] = [("attempt", number(attempt)), ("of", number(of))];
            if last {
                say(lang, "comment-sent-back-last", [by, attempt, of])
            } else {
                say(lang, "comment-sent-back", [to, by, attempt, of])
            }
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
        what_it_wrote(cause, item, lang),
        Some(say(lang, "comment-escalated-ask", [item_arg(item)])),
    ])
}

/// The change waits for Confirm Deploy, and Approved is not it (row 76). `deploys`: whether the project has a deploy, else it
/// is the merge that is confirmed (decision 6). The consent is to this change alone (decision 37).
pub fn awaiting_confirm(
    item: &WorkItem,
    change: &Digest,
    (deploys, accepted): (bool, bool),
    lang: Lang,
) -> String {
    let key = match (accepted, deploys) {
        // What is merged already can only be deployed.
        (true, _) => "comment-confirm-deploy-accepted",
        (false, true) => "comment-confirm-deploy",
        (false, false) => "comment-confirm-merge",
    };
    let change = change.as_str().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    paragraphs([
        Some(say(lang, key, [item_arg(item)])),
        Some(say(lang, "comment-change", [("change", Arg::Text(change))])),
    ])
}

/// The change waits for the approval of what it does to protected paths (decision 8).
pub fn awaiting_protected(item: &WorkItem, paths: &[String], lang: Lang) -> String {
    paragraphs([Some(say(lang, "comment-protected", [item_arg(item)])), md_block(&paths.join("\n"))])
}

/// The change is in main.
pub fn merged(commit: &Commit, lang: Lang) -> String {
    say(lang, "comment-merged", [commit_arg(commit)])
}

/// Somebody merged the branch past the gates; says what a person can do (decision 45).
pub fn merged_outside(item: &WorkItem, commit: &Commit, lang: Lang) -> String {
    paragraphs([
        Some(say(lang, "comment-merged-outside", [commit_arg(commit)])),
        Some(say(lang, "comment-merged-outside-ask", [item_arg(item)])),
    ])
}

/// Somebody took the branch or its change request away; says what a person can do (decision 45).
pub fn withdrawn(item: &WorkItem, what: Withdrawn, lang: Lang) -> String {
    let (name, what) = withdrawn_arg(what, lang);
    say(lang, "comment-withdrawn", [(name, what), item_arg(item)])
}

/// A run was stopped at the end of its tokens; says what a person can do (decision 12).
pub fn run_over_tokens(item: &WorkItem, role: Role, tokens: u64, limit: u64, lang: Lang) -> String {
    let [tokens, limit] = tokens_args(tokens, limit);
    let role = ("role", Arg::Text(role_name(role, lang)));
    say(lang, "comment-run-over-tokens", [role, tokens, limit, item_arg(item)])
}

/// The deploy failed after the merge; names the commit that stays in main (decision 41).
pub fn deploy_failed(of: &Cause, commit: &Commit, lang: Lang) -> String {
    let cause = cause_escaped(of, lang);
    paragraphs([
        Some(say(lang, "comment-deploy-failed", [cause])),
        Some(say(lang, "comment-deploy-failed-stays", [commit_arg(commit)])),
    ])
}

/// The hook says that it is deployed, and there is no service to ask; says what a person can do (decision 64).
pub fn deploy_unseen(item: &WorkItem, commit: &Commit, lang: Lang) -> String {
    paragraphs([
        Some(say(lang, "comment-deploy-unseen", [commit_arg(commit)])),
        Some(say(lang, "comment-deploy-unseen-ask", [item_arg(item)])),
        Some(say(lang, "comment-deploy-unseen-mend", [])),
    ])
}

/// A stop was carried out although nobody knows what the deploy came to (decision 36).
pub fn deploy_untold(item: &WorkItem, of: &Cause, commit: &Commit, lang: Lang) -> String {
    let cause = cause_escaped(of, lang);
    paragraphs([
        Some(say(lang, "comment-deploy-untold", [cause])),
        Some(say(lang, "comment-deploy-untold-stays", [commit_arg(commit), prefix_arg(item)])),
    ])
}

/// Production went bad after a deploy that was well; says what a person can do (row 97).
pub fn went_bad(item: &WorkItem, of: &Cause, commit: &Commit, lang: Lang) -> String {
    let cause = cause_escaped(of, lang);
    paragraphs([
        Some(say(lang, "comment-went-bad", [cause, commit_arg(commit)])),
        Some(say(lang, "comment-went-bad-ask", [item_arg(item), prefix_arg(item)])),
    ])
}

/// Production says nothing any more after a deploy that was well (decision 36).
pub fn went_silent(item: &WorkItem, of: &Cause, commit: &Commit, lang: Lang) -> String {
    let cause = cause_escaped(of, lang);
    paragraphs([
        Some(say(lang, "comment-went-silent", [cause, commit_arg(commit)])),
        Some(say(lang, "comment-went-silent-ask", [item_arg(item)])),
    ])
}

/// A gate could not judge (decision 14).
pub fn unavailable(gate: GateId, of: &Cause, lang: Lang) -> String {
    let gate = ("gate", Arg::Text(md_escape(&judge(&Judge::Gate(gate), lang))));
    say(lang, "comment-unavailable", [gate, cause_escaped(of, lang)])
}

/// A delivered task, and what it took (rows 193, 211).
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// What main is.
    pub commit: &'a Commit,
    /// Whether it was deployed, or only merged.
    pub deployed: bool,
    /// A role, its runs and what they used, in the order in which they work.
    pub roles: &'a [(Role, u32, Usage)],
    /// Agents' time.
    pub agents: Span,
    /// People's time; nothing is said of none.
    pub people: Span,
    /// From the first sight of the issue to the end.
    pub wall: Span,
}

/// The task is delivered; what it took (rows 193, 211).
pub fn done(what: Delivery<'_>, lang: Lang) -> String {
    let key = if what.deployed { "comment-delivered-deploy" } else { "comment-delivered" };
    let runs: u64 = what.roles.iter().map(|(_, runs, _)| u64::from(*runs)).sum();
    let args = [
        ("runs", Arg::Count(runs)),
        ("agents", Arg::Text(figure::span(what.agents, lang))),
        ("wall", Arg::Text(figure::span(what.wall, lang))),
    ];
    let people = (what.people > Span(0))
        .then(|| say(lang, "comment-done-people", [("people", Arg::Text(figure::span(what.people, lang)))]));
    paragraphs([
        Some(say(lang, key, [commit_arg(what.commit)])),
        (!what.roles.is_empty()).then(|| used_table(what.roles, runs, lang)),
        Some(say(lang, "comment-done-times", args)),
        people,
    ])
}

/// A line a role, and their sum. A sum to which a part without a price belongs is a lower bound (decision 12).
fn used_table(roles: &[(Role, u32, Usage)], runs: u64, lang: Lang) -> String {
    let row = |name: String, runs: u64, usage: Usage, cost: String| {
        let known = |n: Option<u64>| n.map_or_else(|| "—".to_owned(), figure::tokens);
        let tokens_only = Usage { microdollars: None, ..usage };
        let input = (tokens_only != Usage::default()).then(|| usage.full_input());
        let (input, cached, output) = (known(input), known(usage.cache_read), known(usage.output));
        format!("| {name} | {runs} | {input} | {cached} | {output} | {cost} |")
    };
    let mut lines = vec![say(lang, "comment-done-head", []), "|---|---|---|---|---|---|".to_owned()];
    for (role, runs, usage) in roles {
        lines.push(row(role_name(*role, lang), u64::from(*runs), *usage, figure::cost(*usage, lang)));
    }
    let total = roles.iter().fold(Usage::default(), |sum, (_, _, usage)| sum.plus(*usage));
    let partly = roles.iter().any(|(_, _, usage)| usage.microdollars.is_none());
    let cost = match total.microdollars {
        Some(known) if partly => say(lang, "cost-partly", [("cost", Arg::Text(figure::money(known)))]),
        Some(_) | None => figure::cost(total, lang),
    };
    lines.push(row(say(lang, "comment-done-total", []), runs, total, cost));
    lines.join("\n")
}

/// A stop waits for an irreversible step to end (row 150).
pub fn stop_deferred(lang: Lang) -> String {
    say(lang, "comment-stop-deferred", [])
}

/// The task is stopped; names the commit that stays in main, if there is one (decision 41). `frozen`: it is not proven what
/// main holds of it, and the repository is frozen for that (decision 19).
pub fn stopped(item: &WorkItem, in_main: Option<&Commit>, frozen: bool, lang: Lang) -> String {
    let main = match in_main {
        Some(commit) => say(lang, "comment-stopped-merged", [commit_arg(commit)]),
        None if frozen => say(lang, "comment-stopped-untold", []),
        None => say(lang, "comment-stopped", []),
    };
    if !frozen {
        return main;
    }
    format!("{main}\n\n{}", say(lang, "comment-stopped-frozen", [prefix_arg(item)]))
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

fn cause_escaped(of: &Cause, lang: Lang) -> (&'static str, Arg) {
    ("cause", Arg::Text(md_escape(&clause(&cause(of, lang)))))
}

fn documents_line(documents: &[Link], lang: Lang) -> Option<String> {
    links(documents).map(|links| say(lang, "comment-documents", [("links", Arg::Text(links))]))
}

fn whole_line(whole: Option<&Link>, lang: Lang) -> Option<String> {
    whole.map(|link| say(lang, "comment-whole", [("link", Arg::Text(link.markdown()))]))
}

pub(super) fn item_arg(item: &WorkItem) -> (&'static str, Arg) {
    // It also stands between backticks, where an escape would be shown.
    ("item", Arg::Text(item.as_str().chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()))
}

/// What `orch unfreeze` takes: the prefix of the work items names their project.
pub(super) fn prefix_arg(item: &WorkItem) -> (&'static str, Arg) {
    let (name, item) = ("prefix", item.as_str());
    let prefix = item.rsplit_once('-').map_or(item, |(prefix, _)| prefix);
    (name, Arg::Text(prefix.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect()))
}

fn commit_arg(commit: &Commit) -> (&'static str, Arg) {
    ("commit", Arg::Text(commit.short().chars().filter(char::is_ascii_alphanumeric).collect()))
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that of an agent which tells its price alone nobody reads that it used 0 tokens (decision 12: what is not known
    /// is no 0).
    #[test]
    fn tokens_that_nobody_counted_are_unknown() {
        let priced = Usage { microdollars: Some(420_000), ..Usage::default() };
        assert_eq!(usage_line(priced, Lang::En), "Tokens: unknown. Cost: $0.42.");
        let table = used_table(&[(Role::Analyst, 1, priced)], 1, Lang::En);
        assert!(table.contains("| analyst | 1 | — | — | — | $0.42 |"), "{table}");
    }

    /// Proves that a branch is named without what would end its backticks, and that a sum is a lower bound only where a part of
    /// it has no price.
    #[test]
    fn names_and_sums_are_what_they_are() {
        let ready = analyst_ready(&WorkItem::from("D-001"), &[], "a`b c\u{7}d", Lang::En);
        assert!(ready.contains("abcd") && !ready.contains("a`b"), "{ready}");
        let priced = |cents: u64| Usage { microdollars: Some(cents * 10_000), ..Usage::default() };
        let table =
            |second| used_table(&[(Role::Analyst, 1, priced(42)), (Role::Developer, 1, second)], 2, Lang::En);
        let sum = |table: &str| table.lines().last().unwrap().to_owned();
        assert!(sum(&table(priced(8))).ends_with("| $0.50 |"), "{}", table(priced(8)));
        let partly = table(Usage { output: Some(5), ..Usage::default() });
        let least = say(Lang::En, "cost-partly", [("cost", Arg::Text(figure::money(420_000)))]);
        assert!(sum(&partly).ends_with(&format!("| {least} |")) && least != "$0.42", "{partly}");
        let prefix = |item: &str| match prefix_arg(&WorkItem::from(item.to_owned())).1 {
            Arg::Text(prefix) => prefix,
            Arg::Count(_) => panic!("a text"),
        };
        assert_eq!([prefix("MY_APP-7"), prefix("MY`APP-7")], ["MY_APP", "MYAPP"]);
    }
}
