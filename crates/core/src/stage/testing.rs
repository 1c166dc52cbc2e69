//! When does a change pass its tester? Only by the verdict of this run's file (rows 17-21; decision 8).

use crate::artefact::TEST_REPORT;
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::GateId;
use crate::runs;

/// The tester is through.
pub(crate) fn worked(d: &mut Desk<'_>, end: &RunEnd) {
    runs::file_verdict(d, end, TEST_REPORT, GateId::CheckTestsPassed);
}
