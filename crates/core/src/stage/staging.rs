//! What must hold of the candidate before the merge? (`deploy-staging`, and the last edge of every preset; decisions 6,
//! 20, 40)

use std::sync::Arc;

use crate::call::git::Candidate;
use crate::change::Change;
use crate::decide::{CANDIDATE_CI, advance, enter};
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::reason::Reason;
use crate::rework::{Findings, Judge};
use crate::runs;
use crate::said::Said;
use crate::stage::{Stage, deploy, development};
use crate::task::{Ask, CiOf};

/// The gates of the edge that later settings may add; a project without them says so.
const UNCONFIGURED: [GateId; 3] =
    [GateId::CheckStagingStatus, GateId::CheckSecurityGate, GateId::CheckStagingImageFresh];

/// Enters deploy-staging: the candidate is built and judged without holding the lane (decision 20).
pub(crate) fn enter_gates(d: &mut Desk<'_>) {
    for gate in UNCONFIGURED {
        d.because(Reason::NotConfigured { gate });
    }
    d.ask(Ask::Candidate, 0);
}

/// Whether the tester's verdict stands for the change as it is (decision 40).
pub(crate) fn tests_stand(d: &Desk<'_>) -> bool {
    let Some(change) = d.task.change().cloned() else { return false };
    let subject = Subject::Change(change);
    runs::passed(d, GateId::CheckTestsPassed, &subject, &super::analysis::by_files())
}

/// In `library`: the last edge is at the end of testing (decision 6).
pub(crate) fn after_testing(d: &mut Desk<'_>) {
    for gate in UNCONFIGURED {
        d.because(Reason::NotConfigured { gate });
    }
    deploy::ask_consent(d);
}

/// The candidate is the head of the task branch now.
pub(crate) fn take_in(d: &mut Desk<'_>, candidate: &Candidate) {
    if let Some(mut branch) = d.task.branch.clone() {
        branch.head = candidate.commit.clone();
        branch.tree = Some(candidate.tree.clone());
        branch.base = candidate.main.clone();
        branch.change = Some(candidate.change.clone());
        d.change(Change::Branched(branch));
    }
}

/// Whether reviewer and tester passed exactly the change that a candidate carries (decision 40).
pub(crate) fn verdicts_stand(d: &Desk<'_>, candidate: &Candidate) -> bool {
    let change = Subject::Change(candidate.change.clone());
    let by_files = super::analysis::by_files();
    [GateId::CheckReviewerVerdict, GateId::CheckTestsPassed]
        .into_iter()
        .all(|gate| runs::passed(d, gate, &change, &by_files))
}

/// Whether the tests passed on exactly this candidate, by today's definition (decision 40).
pub(crate) fn is_green(d: &Desk<'_>, candidate: &Candidate) -> bool {
    let tree = Subject::Tree(candidate.tree.clone());
    runs::passed(d, GateId::CheckCiGreen, &tree, &d.policy.ci_definition())
}

/// The candidate stands: is it still the change that was judged, and are its tests green?
pub(crate) fn candidate_built(d: &mut Desk<'_>, candidate: &Candidate) {
    let judged = d.task.change().cloned();
    // Somebody may have merged it by hand while this one was built: then it is what counts (decision 45).
    if let Some(before) = d.task.candidate.clone()
        && judged.as_ref() == Some(&before.change)
        && before.change != candidate.change
        && is_green(d, &before)
    {
        d.change(Change::CandidatePassed(Box::new(before)));
    }
    d.change(Change::CandidateBuilt(Some(candidate.clone())));
    take_in(d, candidate);
    // A clean update from main keeps the verdicts; another change voids them, at nobody's cost (decision 40). So does a
    // main that was rewritten under a judge, who saw another change than the one before.
    if judged.as_ref() != Some(&candidate.change) || !verdicts_stand(d, candidate) {
        d.because(Reason::EvidenceLapsed { gate: GateId::CheckReviewerVerdict });
        d.release_lane();
        // Consent to this very change lapses with its verdicts; one to another change is none to this, and stays good for that.
        if d.task.consent.as_ref().is_some_and(|consent| consent.what == candidate.change) {
            d.change(Change::Consented(None));
        }
        return enter(d, Stage::Review);
    }
    if is_green(d, candidate) {
        d.because(Reason::EvidenceStands { gate: GateId::CheckCiGreen });
        return candidate_green(d);
    }
    d.queue(CANDIDATE_CI);
}

/// The candidate is green: on to the consent, or with the lane held to the merge.
pub(crate) fn candidate_green(d: &mut Desk<'_>) {
    let main = d.task.candidate.as_ref().map(|candidate| candidate.main.clone());
    if let Some(mut branch) = d.task.branch.clone()
        && branch.green_with != main
    {
        branch.green_with = main;
        d.change(Change::Branched(branch));
    }
    if d.task.attempts.conflicts > 0 {
        let mut attempts = d.task.attempts;
        attempts.conflicts = 0;
        d.change(Change::Attempted(attempts));
    }
    if d.task.lane.is_some() {
        return deploy::merge(d);
    }
    if d.task.stage == Stage::DeployStaging {
        return advance(d);
    }
    deploy::ask_consent(d);
}

/// CI judged the candidate.
pub(crate) fn ci_ended(d: &mut Desk<'_>, end: &RunEnd, verdict: Verdict) {
    let Some(candidate) = d.task.candidate.clone() else { return d.because(Reason::Noted) };
    let passed = verdict == Verdict::Pass;
    d.because(Reason::GateSaid { gate: GateId::CheckCiGreen, passed: Some(passed) });
    let definition = development::definition_of(d, end.run);
    d.change(Change::Judged(Arc::new(Evidence {
        gate: GateId::CheckCiGreen,
        subject: Subject::Tree(candidate.tree.clone()),
        definition: definition.clone(),
        verdict: verdict.clone(),
        run: Some(end.run),
        commit: Some(candidate.commit.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
    if development::by_older_tests(d, &definition, CiOf::Candidate) {
        return;
    }
    d.say_commit_status(candidate.commit.clone(), GateId::CheckCiGreen, passed);
    match verdict {
        Verdict::Pass => candidate_green(d),
        Verdict::Fail { findings } => {
            // Green with an older main and red with this one: only together with main (decision 15).
            let green_with = d.task.branch.as_ref().and_then(|branch| branch.green_with.clone());
            let main_moved = green_with.is_some_and(|main| main != candidate.main);
            let from = if main_moved { Judge::Main } else { Judge::Gate(GateId::CheckCiGreen) };
            let link = format!("run {}", end.run);
            with_main(d, Findings { from, text: findings, link, about: None });
        }
        Verdict::Unavailable { .. } => d.queue(CANDIDATE_CI),
    }
}

/// Main and the change contradict each other: no round is lost, but not for ever (decision 15).
pub(crate) fn conflict(d: &mut Desk<'_>, paths: &[String]) {
    d.because(Reason::GateSaid { gate: GateId::CheckBranchMergeable, passed: Some(false) });
    let text = Said::Conflict { paths: paths.to_vec() }.into();
    with_main(d, Findings { from: Judge::Main, text, link: "main".to_owned(), about: None });
}

fn with_main(d: &mut Desk<'_>, findings: Findings) {
    if findings.from == Judge::Main {
        let mut attempts = d.task.attempts;
        attempts.conflicts += 1;
        d.change(Change::Attempted(attempts));
    }
    runs::send_back(d, findings);
}
