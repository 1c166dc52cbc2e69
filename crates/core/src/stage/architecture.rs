//! When is the architecture decided? (`check_architecture_done`)

use std::sync::Arc;

use crate::artefact;
use crate::change::Change;
use crate::decide::advance;
use crate::desk::Desk;
use crate::event::RunEnd;
use crate::gate::{Evidence, GateId, Subject, Verdict};
use crate::reason::Reason;

/// The architect is through, and the files 06-10 are there.
pub(crate) fn worked(d: &mut Desk<'_>, end: &RunEnd) {
    d.because(Reason::GateSaid { gate: GateId::CheckArchitectureDone, passed: Some(true) });
    d.change(Change::Judged(Arc::new(Evidence {
        gate: GateId::CheckArchitectureDone,
        subject: Subject::Requirements(artefact::requirements_digest(&d.task.artefacts)),
        definition: super::analysis::by_files(),
        verdict: Verdict::Pass,
        run: Some(end.run),
        commit: d.task.branch.as_ref().map(|branch| branch.head.clone()),
        attempt: Some(d.task.attempt()),
        at: d.at,
    })));
    advance(d);
}
