//! What follows when people merge a task's branch themselves, delete it or close its change request? (decision 45)
//!
//! A merge by hand is never `done` by itself. If main got exactly what had passed every gate it counts as the merge, and
//! is proven like one of Orch's own (decision 19); anything else waits for a person who accepts it or stops the task.

use crate::call::git::Candidate;
use crate::call::tracker::Author;
use crate::call::{Call, ForgeCall};
use crate::change::Change;
use crate::decide::{no_effect, proceed};
use crate::desk::Desk;
use crate::effect::Line;
use crate::event::{BranchReading, InMain};
use crate::gesture::Gesture;
use crate::id::{Commit, Digest, Tree};
use crate::news;
use crate::note::Note;
use crate::reason::{NoEffect, Reason};
use crate::stage::{Stage, deploy, staging};
use crate::task::{Ask, Consent, Delay, Merged, Outside, Rest, Step, Withdrawn};

/// What a consent to a commit of main names.
pub fn named(commit: &Commit) -> Digest {
    Digest::of(commit.as_str().as_bytes())
}

/// The forge says what people did. A task that only waits is asked about at once; one that works, when it would go on.
pub(crate) fn on_reading(d: &mut Desk<'_>, reading: &BranchReading) {
    let Some(now) = news::of_branch(&d.task, reading) else { return d.because(Reason::Noted) };
    let merged = now.as_ref().is_some_and(|now| now.in_main.is_some());
    learn(d, now);
    if d.task.cancel.is_some() {
        return;
    }
    match d.task.step.clone() {
        Step::Rest(Rest::MergedOutside | Rest::Withdrawn) => {
            if !in_the_way(d) {
                proceed(d);
            }
        }
        // No turn is taken again because a branch was deleted and came back: it is asked when people have answered.
        Step::Rest(Rest::Questions | Rest::Approval | Rest::RunBudget { .. }) if !merged => {}
        Step::Rest(
            Rest::Questions
            | Rest::Approval
            | Rest::Protected
            | Rest::Confirmation
            | Rest::RequestChanged
            | Rest::RunBudget { .. },
        )
        | Step::Queued(_)
        | Step::Backoff { cause: Delay::CheckoutDirty { .. } | Delay::Provider { .. }, .. } => {
            in_the_way(d);
        }
        Step::Rest(
            Rest::Start
            | Rest::IssueGone
            | Rest::CannotTell { .. }
            | Rest::DeployUnseen
            | Rest::WentBad { .. }
            | Rest::WentSilent { .. }
            | Rest::Escalated
            | Rest::Over,
        )
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { cause: Delay::Outage { .. } | Delay::NotYet { .. } | Delay::Watching, .. } => {}
    }
}

/// Main has the branch, says git where a candidate was to be built: what the next reading would say.
pub(crate) fn in_main(d: &mut Desk<'_>, by: &InMain) {
    if d.task.merged_outside() != Some(by) {
        learn(d, Some(Outside { in_main: Some(by.clone()), ..Outside::default() }));
    }
}

/// What people did is known from here on.
fn learn(d: &mut Desk<'_>, now: Option<Outside>) {
    match &now {
        None => d.because(Reason::OutsideOver),
        Some(Outside { in_main: Some(by), .. }) if passed(d, &by.tree).is_none() => {
            d.because(Reason::MergedOutside { commit: by.commit.clone() });
        }
        Some(Outside { in_main: Some(_), .. }) => {}
        Some(Outside { in_main: None, withdrawn, told: _ }) => {
            withdrawn.iter().for_each(|what| d.because(Reason::Withdrawn(*what)));
        }
    }
    let by_people = now.as_ref().and_then(|now| now.in_main.as_ref()).map(|by| &by.commit);
    if let Some(commit) = by_people.filter(|commit| d.task.was_in_main.as_ref() != Some(commit)) {
        d.change(Change::WasInMain(commit.clone()));
    }
    d.change(Change::Outside(now.map(Box::new)));
}

/// Whether the task cannot go on as it would, because of what people did: then it does what follows from that instead.
pub(crate) fn in_the_way(d: &mut Desk<'_>) -> bool {
    if d.task.cancel.is_some() {
        return false;
    }
    if let Some(by) = d.task.merged_outside().cloned() {
        match passed(d, &by.tree) {
            Some(candidate) => by_hand(d, &by, candidate),
            None => {
                d.release_lane();
                tell(d, Note::MergedOutside { commit: by.commit });
                d.rest(Rest::MergedOutside);
            }
        }
        return true;
    }
    let Some(what) = d.task.withdrawn() else { return false };
    withdrawn(d, what);
    true
}

/// The task waits for a person, because of what somebody took away.
fn withdrawn(d: &mut Desk<'_>, what: Withdrawn) {
    d.release_lane();
    tell(d, Note::Withdrawn { what });
    d.rest(Rest::Withdrawn);
}

/// People are told what is in the way; not again when it is in the way of the next thing.
fn tell(d: &mut Desk<'_>, note: Note) {
    if let Some(outside) = d.task.outside.clone().filter(|outside| !outside.told) {
        d.say(Author::Stream, note);
        d.change(Change::Outside(Some(Box::new(Outside { told: true, ..*outside }))));
    }
}

/// The turn to merge came, and somebody had closed the change request: what a sweep would have said (decision 45).
pub(crate) fn closed(d: &mut Desk<'_>) {
    let what = Withdrawn::ChangeRequest;
    d.because(Reason::Withdrawn(what));
    let outside = Outside { in_main: None, withdrawn: Some(what), told: false };
    d.change(Change::Outside(Some(Box::new(outside))));
    withdrawn(d, what);
}

/// The candidate with exactly this tree that had passed every gate which stands before a merge.
fn passed(d: &Desk<'_>, tree: &Tree) -> Option<Candidate> {
    let protected = d.task.protected.as_ref();
    if d.task.approval.is_none()
        || d.task.edited
        || protected.is_some_and(|p| d.task.protected_ok.as_ref() != Some(&p.diff))
    {
        return None;
    }
    let judged = |candidate: &&Candidate| {
        candidate.tree == *tree && staging::is_green(d, candidate) && staging::verdicts_stand(d, candidate)
    };
    d.task.candidate.iter().chain(d.task.passed.as_deref()).find(judged).cloned()
}

/// Main got what had passed: it is merged, and is proven and deployed as if Orch had done it.
fn by_hand(d: &mut Desk<'_>, by: &InMain, candidate: Candidate) {
    d.because(Reason::MergedByHand { commit: by.commit.clone() });
    carries(d, &candidate.change);
    if d.task.candidate.as_ref() != Some(&candidate) {
        d.change(Change::CandidateBuilt(Some(candidate)));
    }
    merge(d, by);
}

/// What the branch carries is this change from here on: an earlier consent is to another one (decision 37).
fn carries(d: &mut Desk<'_>, change: &Digest) {
    if let Some(mut branch) = d.task.branch.clone().filter(|branch| branch.change.as_ref() != Some(change)) {
        branch.change = Some(change.clone());
        d.change(Change::Branched(branch));
    }
}

fn merge(d: &mut Desk<'_>, by: &InMain) {
    d.change(Change::Merged(Merged {
        commit: by.commit.clone(),
        tree: by.tree.clone(),
        at: d.at,
        proven: false,
        change_request: d.task.change_request,
        branch: d.task.branch.as_ref().map(|branch| (branch.name.clone(), branch.head.clone())),
    }));
    // From here on it is where Orch's own merge would have brought it.
    let (from, to) = (d.task.stage, if d.policy.preset.deploys() { Stage::Deploy } else { Stage::Testing });
    if from != to {
        d.because(Reason::Advanced { from, to });
        d.change(Change::Staged(to));
    }
    // There is nothing left to merge in it; a forge that saw the merge itself has closed it already.
    if let Some(change) = d.task.change_request {
        d.effect(Line::Git(d.task.project.clone()), Call::Forge(ForgeCall::CloseChange { change }));
    }
    deploy::proceed(d);
}

/// A person says that what was merged past the gates is right: it is proven and deployed, but was never judged.
pub(crate) fn accept(d: &mut Desk<'_>, gesture: &Gesture, what: Option<&Digest>) {
    let waits = matches!(
        d.task.step,
        Step::Rest(Rest::MergedOutside | Rest::Escalated | Rest::IssueGone | Rest::RequestChanged)
    );
    let Some(by) = d.task.merged_outside().cloned().filter(|_| waits) else {
        return no_effect(d, "accept", NoEffect::WrongStage(d.task.stage));
    };
    let commit = named(&by.commit);
    if what.is_some_and(|what| *what != commit) {
        return no_effect(d, "accept", NoEffect::OtherThing);
    }
    crate::press::taken(d, gesture);
    if d.task.escalated.is_some() {
        d.change(Change::Escalated(None));
    }
    carries(d, &commit);
    d.change(Change::Accepted(Consent { what: commit, by: gesture.by.clone(), at: d.at, standing: false }));
    merge(d, &by);
}

/// Whether a person accepted exactly this commit of main.
pub(crate) fn is_accepted(d: &Desk<'_>, commit: &Commit) -> bool {
    d.task.accepted.as_ref().is_some_and(|accepted| accepted.what == named(commit))
}

/// A person wants to go on although somebody took the branch away: it is brought back.
pub(crate) fn go_on(d: &mut Desk<'_>) {
    d.ask(Ask::Restore, 0);
}

/// Branch and change request are there again.
pub(crate) fn restored(d: &mut Desk<'_>) {
    take_in(d);
    proceed(d);
}

/// The same, without what would follow from it. It says nothing of main: what somebody merged meanwhile stays known.
pub(crate) fn take_in(d: &mut Desk<'_>) {
    if d.task.outside.as_ref().is_some_and(|outside| outside.in_main.is_some()) {
        return d.because(Reason::Noted);
    }
    d.change(Change::Outside(None));
    d.because(Reason::OutsideOver);
}
