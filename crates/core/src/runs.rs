//! What follows from a run's end? Usage, repetition, collection, verdicts, rework (decisions 8, 11, 15).

use std::sync::Arc;

use crate::artefact::FileVerdict;
use crate::artefact::{self};
use crate::backoff;
use crate::call::git::Collected;
use crate::call::tracker::Author;
use crate::change::Change;
use crate::decide::{advance, enter, proceed};
use crate::desk::Desk;
use crate::event::{Message, RunEnd, RunHow};
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::id::{Commit, Digest, Entity, RunId};
use crate::note::Note;
use crate::reason::{Ignored, Reason};
use crate::rework::{
    Attempts, Findings, Judge, MAX_CONFLICTS, MAX_DEVELOPER_RUNS, MAX_FRUITLESS, MAX_MACHINE,
};
use crate::said::{Cause, Found, Said};
use crate::stage::{
    Role, Stage, analysis, architecture, deploy, development, review, staging, terminal, testing,
};
use crate::task::{Ask, CiOf, Delay, Job, Rest, RunRow, Why};

/// A run ended. Its usage counts always; its result only if the task waits for it (decision 3).
pub(crate) fn on_end(d: &mut Desk<'_>, end: &RunEnd) {
    let Some(row) = d.task.runs.iter().find(|row| row.run == end.run).cloned() else {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    };
    // One whose start was refused for good may have begun when it was asked for before.
    let refused = matches!(end.how, RunHow::CouldNotStart { .. });
    if row.end.is_some() && (refused || !row.may_live()) {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    }
    let live = d.task.live_run();
    account(d, &row, end);
    if live != Some((end.run, row.job)) {
        d.drop_tree(end.run);
        return d.because(Reason::Ignored(Ignored::StaleToken));
    }
    if d.task.cancel.is_some() && !d.task.is_critical() {
        d.drop_tree(end.run);
        return terminal::cancel_now(d);
    }
    ended(d, row.job, end);
}

fn account(d: &mut Desk<'_>, row: &RunRow, end: &RunEnd) {
    d.because(Reason::RunEnded { run: end.run });
    d.change(over(end));
    if let Some(microdollars) = end.usage.microdollars.filter(|spent| *spent > 0) {
        d.tell(Entity::Installation, Message::Spent { microdollars });
    }
    let Job::Agent(role) = row.job else { return };
    // Of a run of an older journal only today's policy says whom it asked.
    let today = || d.policy.agents.get(&role).map(|choice| choice.provider.clone());
    let Some(provider) = row.provider.clone().or_else(today) else { return };
    let provider = Entity::Provider(provider);
    match &end.how {
        RunHow::ProviderLimited { until, cause } => {
            d.tell(provider, Message::ProviderLimited { until: *until, cause: cause.clone() });
        }
        RunHow::Exited { code: 0 } => {
            d.tell(provider, Message::ProviderWorked { began: row.at, run: Some(row.run) });
        }
        RunHow::Exited { .. }
        | RunHow::Signalled { .. }
        | RunHow::TimedOut
        | RunHow::TooMuchOutput
        | RunHow::Stopped
        | RunHow::OverTokens { .. }
        | RunHow::CouldNotStart { .. }
        | RunHow::Lost { .. } => {}
    }
}

/// What the task's row of a run says from its end on.
fn over(end: &RunEnd) -> Change {
    Change::RunOver {
        run: end.run,
        how: end.how.clone(),
        wall: end.wall,
        usage: end.usage,
        left_out: end.left_out,
    }
}

/// What follows for the task that waited for it.
pub(crate) fn ended(d: &mut Desk<'_>, job: Job, end: &RunEnd) {
    if d.task.runs.iter().any(|row| row.run == end.run && row.end.is_none()) {
        d.change(over(end));
    }
    match job {
        Job::Agent(role) => match &end.how {
            // The provider's breaker is closed in the same transaction: the next turn comes when it opens (decision 11).
            RunHow::ProviderLimited { .. } => {
                allow_again(d, end.run);
                d.drop_tree(end.run);
                d.queue(crate::task::Want::Agent(role));
            }
            RunHow::CouldNotStart { cause } | RunHow::Lost { cause } => {
                allow_again(d, end.run);
                d.drop_tree(end.run);
                machine(d, job, end.run, cause.clone());
            }
            RunHow::Exited { .. }
            | RunHow::Signalled { .. }
            | RunHow::TimedOut
            | RunHow::TooMuchOutput
            | RunHow::OverTokens { .. }
            | RunHow::Stopped => d.ask(Ask::Collect { run: end.run, role }, 0),
        },
        Job::Ci(of) => {
            d.drop_tree(end.run);
            match development::verdict_of(d, end) {
                None => {
                    let cause = match &end.how {
                        RunHow::CouldNotStart { cause } | RunHow::Lost { cause } => cause.clone(),
                        RunHow::Exited { .. }
                        | RunHow::Signalled { .. }
                        | RunHow::TimedOut
                        | RunHow::TooMuchOutput
                        | RunHow::Stopped
                        | RunHow::OverTokens { .. }
                        | RunHow::ProviderLimited { .. } => Cause::from(Said::TestsStopped),
                    };
                    let gate = GateId::CheckCiGreen;
                    d.because(Reason::GateSaid { gate, passed: None });
                    // People are told once, not at every try (decision 14).
                    if d.task.attempts.machine == 0 {
                        d.say(Author::Stream, Note::Unavailable { gate, cause: cause.clone() });
                    }
                    machine(d, job, end.run, cause);
                }
                Some(verdict) => {
                    machine_works(d);
                    match of {
                        CiOf::Head => development::ci_ended(d, end, verdict),
                        CiOf::Candidate => staging::ci_ended(d, end, verdict),
                    }
                }
            }
        }
        Job::Hook => deploy::hook_ended(d, end),
    }
}

/// The machine's fault: charged to nobody, tried again, but not for ever (decision 14).
pub(crate) fn machine(d: &mut Desk<'_>, job: Job, run: RunId, cause: Cause) {
    let mut attempts = d.task.attempts;
    attempts.machine += 1;
    d.change(Change::Attempted(attempts));
    if attempts.machine > MAX_MACHINE {
        return d.escalate(Why::Machine { cause });
    }
    let ask = Ask::Launch { run, job };
    let wait = backoff::outage(attempts.machine);
    d.later(ask, attempts.machine, wait, Delay::Outage { cause });
}

fn machine_works(d: &mut Desk<'_>) {
    if d.task.attempts.machine > 0 {
        let mut attempts = d.task.attempts;
        attempts.machine = 0;
        d.change(Change::Attempted(attempts));
    }
}

/// The run is committed and read: did it bring what its role must bring?
pub(crate) fn collected(d: &mut Desk<'_>, run: RunId, role: Role, collected: &Collected) {
    take_in(d, run, role, collected);
    machine_works(d);
    let Some(row) = d.task.runs.iter().find(|row| row.run == run).cloned() else {
        return d.because(Reason::Ignored(Ignored::StaleToken));
    };
    let how = row.end.clone().unwrap_or(RunHow::Stopped);
    let end = RunEnd { run, how, wall: row.wall, usage: row.usage, tail: None, left_out: row.left_out };
    let folder = artefact::folder(&d.task.item);
    let fresh = collected.artefacts.iter().filter(|a| a.fresh);
    let files = fresh.map(|a| format!("{folder}/{}", a.name)).collect();
    d.say(Author::Role(role), Note::RunFinished { role, usage: end.usage, wall: end.wall, files });
    if let RunHow::OverTokens { tokens, limit } = end.how {
        return over_tokens(d, role, tokens, limit);
    }
    match lacking(d, role, &end, collected) {
        Some(cause) => {
            if matches!(end.how, RunHow::Exited { code: 0 }) {
                d.change(Change::RunLacked { run, cause: cause.clone() });
            }
            fruitless(d, role, cause, &row);
        }
        None => {
            // Questions answer no rejection: the files that follow them do (decision 71).
            if !(asks(role, collected) && d.task.findings.as_ref().is_some_and(|found| found.about.is_some()))
            {
                d.change(Change::Found(None));
            }
            fruitful(d);
            if role == Role::Developer && !developed(d) {
                // Who pushed had done all of it.
                if let Some(mut branch) = d.task.branch.clone() {
                    branch.developed = Some(d.task.round);
                    d.change(Change::Branched(branch));
                }
            }
            if role != Role::Analyst && approval_lapsed(d) {
                return analysis::ask_again(d);
            }
            match role {
                Role::Analyst => analysis::worked(d, &end),
                Role::Architect => architecture::worked(d, &end),
                Role::Developer => development::judge(d),
                Role::Reviewer => review::worked(d, &end),
                Role::Tester => testing::worked(d, &end),
            }
        }
    }
}

/// What a run left is what the branch is now, whoever goes on from it.
pub(crate) fn take_in(d: &mut Desk<'_>, run: RunId, role: Role, collected: &Collected) {
    d.drop_tree(run);
    if let Some(mut branch) = d.task.branch.clone() {
        let began = d.task.runs.iter().find(|row| row.run == run).map(|row| &row.commit);
        if role == Role::Developer && began != Some(&collected.head) {
            branch.developed = Some(d.task.round);
        }
        branch.head = collected.head.clone();
        branch.tree = Some(collected.tree.clone());
        branch.change = Some(collected.change.clone());
        branch.empty = collected.empty;
        if role == Role::Developer {
            branch.green_with = None;
        }
        d.change(Change::Branched(branch));
    }
    d.change(Change::Artefacts(Arc::clone(&collected.artefacts)));
    if d.task.protected != collected.protected {
        d.change(Change::ProtectedSeen(collected.protected.clone()));
    }
}

/// Somebody pushed to the task branch: its head is theirs, and what was known of it lapses (decision 45).
pub(crate) fn take_over(d: &mut Desk<'_>, head: &Commit) {
    if let Some(mut branch) = d.task.branch.clone() {
        if d.task.stage >= Stage::Development {
            branch.developed = Some(d.task.round);
        }
        branch.pushed = true;
        branch.head = head.clone();
        branch.tree = None;
        branch.change = None;
        branch.green_with = None;
        d.change(Change::Branched(branch));
    }
    d.because(Reason::EvidenceLapsed { gate: GateId::CheckCiGreen });
}

/// The work goes on from somebody's commit: nothing of theirs is overwritten, and it costs nobody a round.
pub(crate) fn adopt(d: &mut Desk<'_>, head: &Commit) {
    take_over(d, head);
    let mut attempts = d.task.attempts;
    attempts.conflicts += 1;
    d.change(Change::Attempted(attempts));
    match d.task.stage {
        // What is to be mended is to be mended still.
        Stage::Development if d.task.findings.is_some() => go_on_from(d, attempts),
        Stage::Created | Stage::Analysis | Stage::Architecture | Stage::Done | Stage::Cancelled => {
            go_on_from(d, attempts);
        }
        Stage::Development | Stage::Review | Stage::Testing | Stage::DeployStaging | Stage::Deploy => {
            let text = Said::BranchPushedTo.into();
            send_back(d, Findings { from: Judge::Main, text, link: String::new(), about: None });
        }
    }
}

fn go_on_from(d: &mut Desk<'_>, attempts: Attempts) {
    if attempts.conflicts >= MAX_CONFLICTS {
        return d.escalate(Why::Conflicts);
    }
    proceed(d);
}

/// Whether 01-04 are no longer the files that were approved (decisions 8, 40).
fn approval_lapsed(d: &Desk<'_>) -> bool {
    let now = artefact::requirements_digest(&d.task.artefacts);
    d.task.approval.as_ref().is_some_and(|approval| approval.what != now)
}

fn fruitful(d: &mut Desk<'_>) {
    if d.task.attempts.fruitless > 0 {
        let mut attempts = d.task.attempts;
        attempts.fruitless = 0;
        d.change(Change::Attempted(attempts));
    }
}

/// Whether somebody developed in this round.
pub(crate) fn developed(d: &Desk<'_>) -> bool {
    d.task.branch.as_ref().is_some_and(|branch| match branch.developed {
        Some(round) => round == d.task.round,
        // An older binary did not write it down: its own rule, whether the branch moved on since the first developer began.
        None => {
            let mine =
                |row: &&Arc<RunRow>| row.job == Job::Agent(Role::Developer) && row.round == d.task.round;
            d.task.runs.iter().find(mine).is_some_and(|row| row.commit != branch.head)
        }
    })
}

/// What the work of a role is now, as far as it is known: a person who rejects it rejects exactly this (decision 71).
pub(crate) fn work_of(d: &Desk<'_>, role: Role) -> Option<Digest> {
    match role {
        Role::Analyst => Some(artefact::requirements_digest(&d.task.artefacts)),
        Role::Architect | Role::Developer => {
            let tree = d.task.branch.as_ref().and_then(|branch| branch.tree.as_ref())?;
            Some(Digest(tree.0.clone()))
        }
        Role::Reviewer | Role::Tester => None,
    }
}

/// Whether the analyst has questions.
fn asks(role: Role, collected: &Collected) -> bool {
    role == Role::Analyst && collected.artefacts.iter().any(|a| a.name == artefact::QUESTIONS && a.fresh)
}

/// What a run lacks to count (decisions 8, 15, 71).
fn lacking(d: &Desk<'_>, role: Role, end: &RunEnd, collected: &Collected) -> Option<Cause> {
    match &end.how {
        RunHow::Exited { code: 0 } => {}
        RunHow::Exited { code } => return Some(Said::AgentExited { code: *code }.into()),
        RunHow::Signalled { signal } => return Some(Said::AgentSignalled { signal: *signal }.into()),
        RunHow::TimedOut => return Some(Said::AgentTimedOut.into()),
        RunHow::TooMuchOutput => return Some(Said::AgentTooLoud.into()),
        RunHow::Stopped => return Some(Said::AgentStopped.into()),
        RunHow::OverTokens { tokens, limit } => {
            return Some(Said::AgentOverTokens { tokens: *tokens, limit: *limit }.into());
        }
        RunHow::CouldNotStart { cause } | RunHow::Lost { cause } => return Some(cause.clone()),
        RunHow::ProviderLimited { cause, .. } => return Some(cause.clone()),
    }
    if !collected.outside.is_empty() {
        return Some(Said::OutsideScope { paths: collected.outside.clone() }.into());
    }
    let asks = asks(role, collected);
    let missing = artefact::missing(role, &collected.artefacts);
    if !asks && !missing.is_empty() {
        let files = missing.into_iter().map(str::to_owned).collect();
        return Some(Said::FilesMissing { files }.into());
    }
    let rejected = d.task.findings.as_ref().and_then(|findings| findings.about.as_ref());
    // Somebody may have pushed since: then it is left as it was found.
    let found = |row: &&Arc<RunRow>| row.run == end.run && row.commit == collected.head;
    let left = work_of(d, role).as_ref() == rejected || d.task.runs.iter().any(|row| found(&row));
    if !asks && rejected.is_some() && left {
        return Some(Said::NothingChanged.into());
    }
    match role {
        Role::Developer => {
            // What the architect changed beside the documents is no development. Who pushed to the branch may have done all
            // of it, and so may the round before.
            let pushed = d.task.branch.as_ref().is_some_and(|branch| {
                branch.pushed || (branch.developed.is_none() && d.task.attempts.conflicts > 0)
            });
            let untouched = !developed(d) && d.task.round == 1 && !pushed;
            (collected.empty || untouched).then(|| Said::ChangeEmpty.into())
        }
        Role::Reviewer | Role::Tester => {
            let name = if role == Role::Reviewer { artefact::REVIEW } else { artefact::TEST_REPORT };
            let read = collected.artefacts.iter().find(|a| a.name == name)?;
            let file = name.to_owned();
            if !read.fresh {
                return Some(Said::FileOfAnotherRun { file }.into());
            }
            let cause = match &read.verdict {
                Some(FileVerdict::Unreadable(cause)) => Some(Box::new(cause.clone())),
                None => None,
                Some(FileVerdict::Positive | FileVerdict::Negative) => return None,
            };
            Some(Said::NoVerdict { file, cause }.into())
        }
        Role::Analyst | Role::Architect => None,
    }
}

/// A run came to the end of its tokens: what it left is kept, and another one begins only if a person allows it.
fn over_tokens(d: &mut Desk<'_>, role: Role, tokens: u64, limit: u64) {
    d.because(Reason::RunOverTokens { tokens, limit });
    d.say(Author::Stream, Note::RunOverTokens { role, tokens, limit });
    if d.task.findings.is_none() {
        let text = Said::TokensUsedUp.into();
        d.change(Change::Found(Some(Findings { from: Judge::Host, text, link: String::new(), about: None })));
    }
    d.rest(Rest::RunBudget { tokens, limit });
}

/// A run that a person had allowed did not take place: the next one is allowed instead.
fn allow_again(d: &mut Desk<'_>, run: RunId) {
    let by = d.task.runs.iter().find(|row| row.run == run).and_then(|row| row.allowed.clone());
    if by.is_some() && d.task.allowed.is_none() {
        d.change(Change::Allowed(by));
    }
}

/// A run that brought nothing that counts: repeated twice, then a person (decision 15).
fn fruitless(d: &mut Desk<'_>, role: Role, cause: Cause, row: &RunRow) {
    let mut attempts = d.task.attempts;
    attempts.fruitless += 1;
    d.change(Change::Attempted(attempts));
    if attempts.fruitless > MAX_FRUITLESS {
        return d.escalate(Why::Fruitless { role, cause });
    }
    // One that told only in the end what it had used is not repeated by itself once that was too much (decision 12).
    let (tokens, limit) = (row.usage.tokens(), d.policy.run_tokens);
    if limit > 0 && tokens > limit && row.allowed.is_none() {
        return over_tokens(d, role, tokens, limit);
    }
    d.because(Reason::Repeated { role, cause: cause.clone() });
    // Findings of a judge stay: the repeated run has them to mend still.
    if d.task.findings.as_ref().is_none_or(|findings| findings.from == Judge::Host) {
        let text = Said::DidNotCount { cause: Box::new(cause) }.into();
        d.change(Change::Found(Some(Findings { from: Judge::Host, text, link: String::new(), about: None })));
    }
    d.queue(crate::task::Want::Agent(role));
}

/// A verdict file judges the change (decision 40).
pub(crate) fn file_verdict(d: &mut Desk<'_>, end: &RunEnd, name: &str, gate: GateId) {
    let (Some(file), Some(change)) =
        (d.task.artefacts.iter().find(|a| a.name == name).cloned(), d.task.change().cloned())
    else {
        return d.because(Reason::Noted);
    };
    let passed = file.verdict == Some(FileVerdict::Positive);
    d.because(Reason::GateSaid { gate, passed: Some(passed) });
    let link = format!("{}/{name}", artefact::folder(&d.task.item));
    let text = file.excerpt.map_or_else(|| Said::SeeFile { path: link.clone() }.into(), Found::Kept);
    let verdict = if passed { Verdict::Pass } else { Verdict::Fail { findings: text.clone() } };
    d.change(Change::Judged(Arc::new(Evidence {
        gate,
        subject: Subject::Change(change),
        definition: analysis::by_files(),
        verdict,
        run: Some(end.run),
        commit: d.task.branch.as_ref().map(|branch| branch.head.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
    if !passed {
        return send_back(d, Findings { from: Judge::Gate(gate), text, link, about: None });
    }
    if d.task.stage == Stage::Testing { testing::passed(d) } else { advance(d) }
}

/// Whether a gate passed exactly this under exactly this definition (decision 40).
pub(crate) fn passed(d: &Desk<'_>, gate: GateId, subject: &Subject, definition: &Digest) -> bool {
    d.task.evidence.iter().any(|e| {
        e.gate == gate && e.subject == *subject && e.definition == *definition && e.verdict == Verdict::Pass
    })
}

/// The task goes back to the developer with the findings, or to a person at the third judgement (rows 98-100).
pub(crate) fn send_back(d: &mut Desk<'_>, findings: Findings) {
    back_to(d, Stage::Development, findings);
}

/// A failed deploy opened a round: it begins at the first stage whose gate nobody passed. What a person merged by hand and
/// accepted may be past requirements that nobody approved, and past an architecture that nobody made (decisions 41, 45).
pub(crate) fn begin_round(d: &mut Desk<'_>, findings: Findings) {
    let what = artefact::requirements_digest(&d.task.artefacts);
    let to = if d.task.approval.as_ref().is_none_or(|approval| approval.what != what) {
        d.change(Change::Approved(None));
        // The analyst reads the request as it is.
        if d.task.edited {
            d.change(Change::Edited(false));
        }
        Stage::Analysis
    } else if Stage::Analysis.next(d.policy.preset) == Some(Stage::Architecture)
        && !passed(d, GateId::CheckArchitectureDone, &Subject::Requirements(what), &analysis::by_files())
    {
        Stage::Architecture
    } else {
        Stage::Development
    };
    back_to(d, to, findings);
}

/// What the developer of a round that began with analyst or architect must know as well: why the deploy of the round before
/// failed (decision 16).
pub(crate) fn why_round_began(d: &Desk<'_>) -> Option<Findings> {
    let subject = Subject::Main(d.task.earlier_merges.last()?.commit.clone());
    let from = GateId::CheckDeployStatus;
    let failed = d.task.evidence.iter().rev().find(|e| e.gate == from && e.subject == subject)?;
    let Verdict::Fail { findings } = &failed.verdict else { return None };
    let link = failed.run.map(|run| format!("run {run}")).unwrap_or_default();
    Some(Findings { from: Judge::Gate(from), text: findings.clone(), link, about: None })
}

fn back_to(d: &mut Desk<'_>, to: Stage, findings: Findings) {
    d.release_lane();
    let from = d.task.stage;
    let mut attempts = d.task.attempts;
    if findings.from.counts() {
        attempts.negative = d.task.attempt();
        d.change(Change::Attempted(attempts));
    }
    if d.task.consent.is_some() {
        d.change(Change::Consented(None));
    }
    d.change(Change::CandidateBuilt(None));
    forget_protected(d, &findings.from);
    let judge = findings.from.clone();
    let (attempt, of) = (attempts.negative, MAX_DEVELOPER_RUNS);
    let text = Some(findings.text.clone());
    d.change(Change::Found(Some(findings)));
    d.because(Reason::SentBack { from, to, judge: judge.clone(), attempt, of });
    d.say(Author::Stream, Note::SentBack { from, to, judge, text, attempt, of });
    d.change(Change::Staged(to));
    attempts.fruitless = 0;
    attempts.rejections = 0;
    d.change(Change::Attempted(attempts));
    if attempts.negative >= MAX_DEVELOPER_RUNS {
        return d.escalate(Why::RoundsSpent);
    }
    if attempts.conflicts >= MAX_CONFLICTS {
        return d.escalate(Why::Conflicts);
    }
    proceed(d);
}

/// A person sends the analyst or the architect back to their own desk (decision 6).
pub(crate) fn send_back_own(d: &mut Desk<'_>, findings: Findings) {
    let stage = d.task.stage;
    let mut attempts = d.task.attempts;
    attempts.rejections += 1;
    attempts.fruitless = 0;
    d.change(Change::Attempted(attempts));
    if d.task.approval.is_some() && stage == Stage::Analysis {
        d.change(Change::Approved(None));
    }
    forget_protected(d, &findings.from);
    let judge = findings.from.clone();
    let text = Some(findings.text.clone());
    d.change(Change::Found(Some(findings)));
    let (attempt, of) = (attempts.rejections, MAX_DEVELOPER_RUNS);
    d.because(Reason::SentBack { from: stage, to: stage, judge: judge.clone(), attempt, of });
    d.say(Author::Stream, Note::SentBack { from: stage, to: stage, judge, text, attempt, of });
    if attempts.rejections >= MAX_DEVELOPER_RUNS {
        return d.escalate(Why::RoundsSpent);
    }
    proceed(d);
}

/// Back to the analyst because the request is another one (decision 45). What a person rejected before is rejected still.
pub(crate) fn analyse_again(d: &mut Desk<'_>) {
    d.release_lane();
    if let Some(findings) = d.task.findings.clone().filter(|found| matches!(found.from, Judge::Person(_))) {
        d.change(Change::FoundLater { stage: d.task.stage, findings: Some(findings) });
    }
    d.change(Change::Edited(false));
    d.change(Change::Approved(None));
    if d.task.consent.is_some() {
        d.change(Change::Consented(None));
    }
    // What was built is for other requirements: merged by hand now, it counts for none (decision 55).
    if d.task.candidate.is_some() {
        d.change(Change::CandidateBuilt(None));
    }
    forget_judgements(d);
    enter(d, Stage::Analysis);
}

/// What reviewer and tester passed, they passed by requirements that are no more.
pub(crate) fn forget_judgements(d: &mut Desk<'_>) {
    forget_what_passed(d);
    if d.task.evidence.iter().any(|evidence| matches!(evidence.subject, Subject::Change(_))) {
        d.change(Change::JudgementsForgotten);
    }
}

/// Who sends work back may mean what they approved of protected paths before: they are asked again (decisions 37, 71).
fn forget_protected(d: &mut Desk<'_>, from: &Judge) {
    if matches!(from, Judge::Person(_)) && d.task.protected_ok.is_some() {
        d.change(Change::ProtectedForgotten);
    }
}

/// No candidate of before counts if somebody merges it by hand.
pub(crate) fn forget_what_passed(d: &mut Desk<'_>) {
    if d.task.passed.is_some() {
        d.change(Change::PassedForgotten);
    }
}
