//! What follows for a task when somebody edits its issue? (decision 45)
//!
//! An approval is one of the text that was read: an edited text is asked about before the task goes on, except for what is
//! in main already, which is delivered as it was merged.

use crate::call::tracker::Labels;
use crate::id::Digest;
use crate::stage::Stage;
use crate::task::{Ask, Rest, Step, Task};

/// What follows from another title or text, as the task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// It is delivered: nothing.
    Done,
    /// It is stopped: who begins it anew begins with this text.
    Stopped,
    /// Nobody works by the text yet: the next run reads it.
    Read,
    /// The analyst works by the text before.
    AnalystReads,
    /// The requirements that wait for approval were written for the text before.
    Requirements,
    /// The approval was one of the text before: the task stands still until a person says how to go on.
    Asked,
    /// The same, when what is under way has ended.
    AskedLater,
    /// The change is in main already: a next round, if there is one, is asked about.
    NextRound,
}

impl Follows {
    /// All of them.
    pub const ALL: [Follows; 8] = [
        Follows::Done,
        Follows::Stopped,
        Follows::Read,
        Follows::AnalystReads,
        Follows::Requirements,
        Follows::Asked,
        Follows::AskedLater,
        Follows::NextRound,
    ];
}

/// What follows from an edit of title or text: the same before it, for who is about to edit, and right after it.
pub fn follows(task: &Task) -> Follows {
    match task.stage {
        Stage::Done => return Follows::Done,
        Stage::Cancelled => return Follows::Stopped,
        Stage::Created
        | Stage::Analysis
        | Stage::Architecture
        | Stage::Development
        | Stage::Review
        | Stage::Testing
        | Stage::DeployStaging
        | Stage::Deploy => {}
    }
    if task.merged.is_some() {
        return Follows::NextRound;
    }
    if task.cancel.is_some() {
        return Follows::Stopped;
    }
    if task.approval.is_some() {
        return match &task.step {
            Step::Queued(_) | Step::Rest(Rest::RequestChanged) => Follows::Asked,
            Step::Rest(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => {
                Follows::AskedLater
            }
        };
    }
    match &task.step {
        Step::Rest(Rest::Approval) => Follows::Requirements,
        Step::Running { .. } => Follows::AnalystReads,
        Step::Asked { ask, .. } | Step::Backoff { ask, .. } => match ask {
            Ask::Launch { .. } | Ask::Collect { .. } => Follows::AnalystReads,
            Ask::CutBranch { .. }
            | Ask::OpenChange
            | Ask::Restore
            | Ask::Candidate
            | Ask::Merge
            | Ask::Prove
            | Ask::Probe
            | Ask::Watch
            | Ask::Reason { .. } => Follows::Read,
        },
        Step::Rest(_) | Step::Queued(_) => Follows::Read,
    }
}

/// The digest of what somebody was shown of an issue before they edited it: whoever edits another one than that is told so.
pub fn shown(title: &Digest, text: &Digest, labels: Labels) -> Digest {
    let Labels { auto_approve, auto_deploy } = labels;
    Digest::of(format!("{title}\n{text}\n{auto_approve} {auto_deploy}").as_bytes())
}
