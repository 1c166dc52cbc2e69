//! When does a change leave the developer? Protected paths, the change request, CI (row 15, decision 8).

use std::sync::Arc;

use crate::call::tracker::Author;
use crate::change::Change;
use crate::decide::advance;
use crate::desk::Desk;
use crate::event::{RunEnd, RunHow};
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::id::{Digest, RunId};
use crate::note::Note;
use crate::reason::Reason;
use crate::rework::{Findings, Judge};
use crate::runs;
use crate::said::{Found, Said};
use crate::task::{Ask, CiOf, Rest, Want};

/// Sends the change to its judges: each step is taken from the facts, so it can begin anywhere.
pub(crate) fn judge(d: &mut Desk<'_>) {
    if waits_for_protected(d) {
        return;
    }
    if d.task.change_request.is_none() {
        return d.ask(Ask::OpenChange, 0);
    }
    if d.task.branch.as_ref().is_none_or(|branch| branch.tree.is_none()) {
        return d.queue(Want::Agent(crate::stage::Role::Developer));
    }
    if is_green(d) {
        d.because(Reason::EvidenceStands { gate: GateId::CheckCiGreen });
        green(d);
        return advance(d);
    }
    d.queue(Want::Ci(CiOf::Head));
}

/// Whether the tests passed on exactly what stands on the branch, by today's definition (decision 40).
pub(crate) fn is_green(d: &Desk<'_>) -> bool {
    let Some(tree) = d.task.branch.as_ref().and_then(|branch| branch.tree.clone()) else { return false };
    runs::passed(d, GateId::CheckCiGreen, &Subject::Tree(tree), &d.policy.ci_definition())
}

/// Whether the change touches protected paths that no person approved; then it waits for one.
pub(crate) fn waits_for_protected(d: &mut Desk<'_>) -> bool {
    let Some(protected) = d.task.protected.clone() else { return false };
    if d.task.protected_ok.as_ref() == Some(&protected.diff) {
        return false;
    }
    d.say(Author::Stream, Note::ProtectedTouched { paths: protected.paths });
    d.change(Change::BoardFresh(false));
    d.rest(Rest::Protected);
    true
}

/// The developer's commit is green with the main that it contains.
fn green(d: &mut Desk<'_>) {
    if let Some(mut branch) = d.task.branch.clone() {
        branch.green_with = Some(branch.base.clone());
        d.change(Change::Branched(branch));
    }
}

/// What a run of the tests says; `None`: it could not judge (decision 14).
pub(crate) fn verdict_of(d: &Desk<'_>, end: &RunEnd) -> Option<Verdict> {
    let fail = |findings: Found| Some(Verdict::Fail { findings });
    let printed = |or: Said| fail(end.tail.clone().map_or_else(|| or.into(), Found::Kept));
    match &end.how {
        RunHow::Exited { code: 0 } => Some(Verdict::Pass),
        RunHow::Exited { code } => printed(Said::TestsExited { code: *code }),
        RunHow::Signalled { signal } => printed(Said::TestsSignalled { signal: *signal }),
        RunHow::TimedOut => fail(Said::TestsTimedOut { limit: d.policy.ci_limit }.into()),
        RunHow::TooMuchOutput => fail(Said::TestsTooLoud.into()),
        RunHow::Stopped
        | RunHow::OverTokens { .. }
        | RunHow::CouldNotStart { .. }
        | RunHow::Lost { .. }
        | RunHow::ProviderLimited { .. } => None,
    }
}

/// By which definition a run of the tests was started; one of an older journal by that of its end.
pub(crate) fn definition_of(d: &Desk<'_>, run: RunId) -> Digest {
    let row = d.task.runs.iter().find(|row| row.run == run);
    row.and_then(|row| row.definition.clone()).unwrap_or_else(|| d.policy.ci_definition())
}

/// The tests of a project changed while they ran: what they said stands under their own definition and moves nothing; the
/// new ones run (decision 40).
pub(crate) fn by_older_tests(d: &mut Desk<'_>, ran: &Digest, of: CiOf) -> bool {
    let older = *ran != d.policy.ci_definition();
    if older {
        d.because(Reason::EvidenceLapsed { gate: GateId::CheckCiGreen });
        d.queue(Want::Ci(of));
    }
    older
}

/// CI judged the developer's commit.
pub(crate) fn ci_ended(d: &mut Desk<'_>, end: &RunEnd, verdict: Verdict) {
    let Some(branch) = d.task.branch.clone() else { return d.because(Reason::Noted) };
    let passed = verdict == Verdict::Pass;
    d.because(Reason::GateSaid { gate: GateId::CheckCiGreen, passed: Some(passed) });
    let definition = definition_of(d, end.run);
    if let Some(tree) = branch.tree {
        d.change(Change::Judged(Arc::new(Evidence {
            gate: GateId::CheckCiGreen,
            subject: Subject::Tree(tree),
            definition: definition.clone(),
            verdict: verdict.clone(),
            run: Some(end.run),
            commit: Some(branch.head.clone()),
            attempt: Some(d.task.attempt()),
            at: d.at,
        })));
    }
    if by_older_tests(d, &definition, CiOf::Head) {
        return;
    }
    d.say_commit_status(branch.head, GateId::CheckCiGreen, passed);
    match verdict {
        Verdict::Pass => {
            green(d);
            advance(d);
        }
        Verdict::Fail { findings } => {
            let link = format!("run {}", end.run);
            let from = Judge::Gate(GateId::CheckCiGreen);
            runs::send_back(d, Findings { from, text: findings, link, about: None });
        }
        Verdict::Unavailable { .. } => d.queue(Want::Ci(CiOf::Head)),
    }
}
