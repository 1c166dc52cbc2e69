//! When are the requirements ready, and who says they are right? (rows 13, 14; decisions 29, 40)

use std::sync::Arc;

use crate::artefact::{self, QUESTIONS};
use crate::call::tracker::Author;
use crate::change::Change;
use crate::decide::advance;
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::id::Digest;
use crate::note::Note;
use crate::reason::Reason;
use crate::runs;
use crate::stage::{Role, Stage};
use crate::task::{Consent, Rest};

/// The definition under which a look at files is kept: it has no command.
pub(crate) fn by_files() -> Digest {
    Digest::from("files")
}

/// The analyst is through: questions, or requirements to approve.
pub(crate) fn worked(d: &mut Desk<'_>, end: &RunEnd) {
    let questions = d.task.artefacts.iter().find(|a| a.name == QUESTIONS && a.fresh).cloned();
    if let Some(asked) = questions {
        d.say(Author::Role(Role::Analyst), Note::Questions { text: asked.excerpt });
        return d.rest(Rest::Questions);
    }
    d.change(Change::Answers(false));
    let digest = artefact::requirements_digest(&d.task.artefacts);
    d.because(Reason::GateSaid { gate: GateId::CheckAnalysisComplete, passed: Some(true) });
    d.change(Change::Judged(Arc::new(Evidence {
        gate: GateId::CheckAnalysisComplete,
        subject: Subject::Requirements(digest),
        definition: by_files(),
        verdict: Verdict::Pass,
        run: Some(end.run),
        commit: d.task.branch.as_ref().map(|branch| branch.head.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
    ask_approval(d);
}

/// Asks a person, or the label, for the approval (rows 13, 117, 134).
fn ask_approval(d: &mut Desk<'_>) {
    let mut clock = d.task.review;
    clock.started = clock.started.or(Some(d.at));
    d.change(Change::ReviewClock(clock));
    if by_label(d) {
        return;
    }
    let folder = artefact::folder(&d.task.item);
    let files = d.task.artefacts.iter().map(|a| format!("{folder}/{}", a.name)).collect();
    let branch = d.task.branch.as_ref().map(|branch| branch.name.clone()).unwrap_or_default();
    d.say(Author::Role(Role::Analyst), Note::RequirementsReady { files, branch });
    d.change(Change::BoardFresh(false));
    d.rest(Rest::Approval);
}

/// 01-04 are no longer what was approved: they count only by a new approval (decision 8).
pub(crate) fn ask_again(d: &mut Desk<'_>) {
    let (from, to) = (d.task.stage, Stage::Analysis);
    d.because(Reason::EvidenceLapsed { gate: GateId::CheckAnalysisApproved });
    d.because(Reason::Advanced { from, to });
    d.release_lane();
    d.change(Change::Approved(None));
    d.change(Change::Consented(None));
    runs::forget_judgements(d);
    d.change(Change::Staged(to));
    ask_approval(d);
}

/// Whether the label autoApprove approves it now; a failed deploy ends that until a person consents (decision 37).
pub(crate) fn by_label(d: &mut Desk<'_>) -> bool {
    // It stands for nobody who read these files for another text.
    let stands = d.task.labels.auto_approve && !d.task.standing_ended && !d.task.unread;
    let counts = d.policy.labels && stands;
    if counts {
        d.say(Author::Stream, Note::ByLabel { deploy: false, merges: false });
        approve(d, "autoApprove", true);
    }
    counts
}

/// The requirements are approved: exactly these (decision 40).
pub(crate) fn approve(d: &mut Desk<'_>, by: &str, standing: bool) {
    let what = artefact::requirements_digest(&d.task.artefacts);
    let consent = Consent { what: what.clone(), by: by.to_owned(), at: d.at, standing };
    d.change(Change::Approved(Some(consent)));
    if d.task.unread {
        d.change(Change::Unread(false));
    }
    d.because(Reason::GateSaid { gate: GateId::CheckAnalysisApproved, passed: Some(true) });
    d.change(Change::Judged(Arc::new(Evidence {
        gate: GateId::CheckAnalysisApproved,
        subject: Subject::Requirements(what),
        definition: by_files(),
        verdict: Verdict::Pass,
        run: None,
        commit: d.task.branch.as_ref().map(|branch| branch.head.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
    advance(d);
}
