//! When does a change pass its tester? Only by the verdict of this run's file (rows 17-21; decision 8).

use crate::artefact::TEST_REPORT;
use crate::decide::advance;
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::GateId;
use crate::runs;
use crate::stage::{development, staging};

/// The tester is through.
pub(crate) fn worked(d: &mut Desk<'_>, end: &RunEnd) {
    runs::file_verdict(d, end, TEST_REPORT, GateId::CheckTestsPassed);
}

/// The tests were written and passed: what protected paths the tester touched, a person must see too (decision 8).
pub(crate) fn passed(d: &mut Desk<'_>) {
    if development::waits_for_protected(d) {
        return;
    }
    if d.policy.preset.deploys() { advance(d) } else { staging::after_testing(d) }
}
