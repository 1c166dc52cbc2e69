//! When does a change pass its reviewer? Only by the verdict of this run's file (rows 16, 26; decision 8).

use crate::artefact::REVIEW;
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::GateId;
use crate::runs;

/// The reviewer is through.
pub(crate) fn worked(d: &mut Desk<'_>, end: &RunEnd) {
    runs::file_verdict(d, end, REVIEW, GateId::CheckReviewerVerdict);
}
