//! What can become different? The journal keeps these; state is their fold by [`crate::apply`] (decision 39).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artefact::{Artefact, FileVerdict};
use crate::call::Text;
use crate::call::git::{Candidate, Protected};
use crate::call::tracker::{IssueReading, Labels, Status};
use crate::event::{FreezeCause, RunHow, Usage};
use crate::gate::Evidence;
use crate::gesture::Priority;
use crate::id::{Commit, Digest, EffectId, ProjectId, RunId, Seq, TaskId, Tree};
use crate::policy::Limits;
use crate::record::{Record, Trouble};
use crate::rework::{Attempts, Findings};
use crate::said::Cause;
use crate::stage::Stage;
use crate::state::Refused;
use crate::task::{
    Branch, Cancel, Consent, Deployed, Escalation, Merged, Outside, Rejection, Request, ReviewClock, RunRow,
    Step, Stopping, Untold, Watch,
};
use crate::time::{Boot, Moment, Span};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A task is known from now on.
    Born {
        /// Its id.
        id: TaskId,
        /// Its project.
        project: ProjectId,
        /// The issue.
        reading: Box<IssueReading>,
    },
    /// The request is another one.
    Requested(Request),
    /// The labels are others.
    Labelled(Labels),
    /// The urgency is another.
    Prioritised(Priority),
    /// The board shows this.
    BoardShows(Option<Status>),
    /// A write to the board is on its way.
    BoardWriting {
        /// The effect.
        effect: EffectId,
        /// The wanted column.
        status: Status,
    },
    /// What the board shows is about to be another thing while a write is on its way: it is kept until the answer.
    BoardPassed,
    /// No write to the board is on its way.
    BoardSettled,
    /// The title has another branch slug than when work began, and branches keep this one.
    Named(String),
    /// The next life of the issue has begun: board and records are its own.
    Followed,
    /// Whether a press of Approved or Confirm Deploy would count.
    BoardFresh(bool),
    /// The task is in another stage.
    Staged(Stage),
    /// The task does or waits for something else.
    Stepped(Box<Step>),
    /// Automation leaves it alone, or no longer.
    Escalated(Option<Escalation>),
    /// Another round, with a new branch (decision 41).
    RoundOpened,
    /// The budgets' use.
    Attempted(Attempts),
    /// The task branch.
    Branched(Branch),
    /// The change request.
    ChangeOpened(u64),
    /// The artefacts on the branch.
    Artefacts(Arc<[Artefact]>),
    /// The requirements' approval, or its end.
    Approved(Option<Consent>),
    /// The consent to deploy, or its end.
    Consented(Option<Consent>),
    /// The protected paths that the change touches.
    ProtectedSeen(Option<Protected>),
    /// The diff of protected paths that a person approved.
    ProtectedApproved(Digest),
    /// That approval counts no more: a person sent the work back.
    ProtectedForgotten,
    /// A verdict.
    Judged(Arc<Evidence>),
    /// What was judged of the change counts no more: the requirements are others.
    JudgementsForgotten,
    /// What goes to the next run; `None` after it was used.
    Found(Option<Findings>),
    /// The candidate.
    CandidateBuilt(Option<Candidate>),
    /// The lane is held from this row on, or given back.
    Lane(bool),
    /// The merge.
    Merged(Merged),
    /// The merge is proven.
    Proven {
        /// The tree that main has.
        tree: Tree,
    },
    /// The deploy.
    Deployed(Deployed),
    /// What is deployed now, as the lane's turn says.
    Previous(Option<Commit>),
    /// A stop is asked for.
    CancelAsked(Box<Cancel>),
    /// The human clock.
    ReviewClock(ReviewClock),
    /// A run got its turn.
    RunBegan(Arc<RunRow>),
    /// A run ended.
    RunOver {
        /// Which.
        run: RunId,
        /// How.
        how: RunHow,
        /// How long it ran.
        wall: Span,
        /// What it used.
        usage: Usage,
        /// Bytes of its output that were too many to be kept.
        #[serde(default, skip_serializing_if = "crate::call::agent::is_zero")]
        left_out: u64,
    },
    /// A run that ended well brought nothing that can be used (decision 15).
    RunLacked {
        /// Which.
        run: RunId,
        /// What it lacked.
        cause: Cause,
    },
    /// Whether the analyst is to read answers.
    Answers(bool),
    /// What a person rejected at a stage waits until its turn comes again, or has gone to it.
    FoundLater {
        /// Which.
        stage: Stage,
        /// What.
        findings: Option<Findings>,
    },
    /// Whether the analyst works by another text than the one that is known by now.
    Unread(bool),
    /// Whether the request was edited after its approval.
    Edited(bool),
    /// People put this into main.
    WasInMain(Commit),
    /// A person is asked for a consent: to a deploy as well, or to the merge alone.
    Confirms(bool),
    /// The label autoDeploy no longer counts, or does again.
    StandingEnded(bool),
    /// A rejection waits, or no longer.
    Rejected(Option<Rejection>),
    /// The task froze its repository, or its repair lifted that.
    Froze(bool),
    /// The board refused a column for good, or is asked again.
    BoardRefused(Option<Status>),
    /// Orch wrote something down (decision 18).
    Recorded {
        /// What.
        record: Record,
        /// The text.
        text: Text,
        /// What was read back from it.
        verdict: FileVerdict,
        /// The run that it tells of.
        run: Option<RunId>,
    },
    /// The newest text of a record is on its way to the branch.
    RecordWriting {
        /// Of which.
        record: Record,
        /// The effect.
        effect: EffectId,
    },
    /// The text that was on its way stands on the branch.
    RecordStands {
        /// Of which record.
        record: Record,
        /// The commit that has it.
        commit: Commit,
    },
    /// The text that was on its way does not stand there; without a trouble it is asked for again.
    RecordTroubled {
        /// Of which record.
        record: Record,
        /// Why not.
        trouble: Option<Trouble>,
    },
    /// What people did with the branch.
    Outside(Option<Box<Outside>>),
    /// A merge past the gates is accepted.
    Accepted(Consent),
    /// A candidate that passed is put aside for a newer one.
    CandidatePassed(Box<Candidate>),
    /// A person rejected the work, or asks for something else: no candidate of before counts if somebody merges it by hand.
    PassedForgotten,
    /// One more run is allowed whatever the budgets say, or was begun.
    Allowed(Option<String>),
    /// Nobody knows whether the merge that was asked for happened, or somebody does now.
    MergeUntold(bool),
    /// Of which questions nobody knows what they did.
    Untold(Vec<Untold>),
    /// These runs are being stopped.
    Stopping(Vec<Stopping>),
    /// The tracker told of this state of the issue.
    ReadAt(u64),
    /// What the watch after the deploy has seen by now.
    Watched(Box<Watch>),
    /// What it waits for in a backoff is due then, by a wall clock that stepped.
    Due(Moment),

    /// To a repository: main is there.
    MainAt(Commit),
    /// To a repository: this came out well, and is what is deployed.
    DeployedAt(Commit),
    /// The same, by this run of the hook.
    DeployedBy {
        /// What.
        commit: Commit,
        /// By which.
        run: RunId,
    },
    /// To a repository: nothing merges.
    Frozen {
        /// Why.
        cause: FreezeCause,
        /// By which task.
        task: Option<TaskId>,
    },
    /// To a repository: freezes of this task, or all, are lifted.
    Thawed {
        /// Only those of this task.
        task: Option<TaskId>,
    },

    /// To a project: this policy holds.
    PolicyHolds {
        /// Its digest.
        digest: Digest,
        /// Where it was read.
        commit: Option<Commit>,
    },
    /// To a project: a newer policy is refused.
    PolicyRefused(Refused),
    /// To a project: it no longer stands in the settings.
    Retired,

    /// To a provider: closed until then, or open.
    ProviderClosed {
        /// Until when; `None` opens it.
        until: Option<Moment>,
        /// What it said.
        cause: Cause,
        /// In which row it closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        row: Option<Seq>,
    },
    /// To a provider: closed until then, by a wall clock that stepped.
    ProviderDue(Moment),

    /// To the installation: paused.
    Paused(Box<crate::state::Pause>),
    /// To the installation: no longer paused.
    Unpaused,
    /// To the installation: limits in force.
    LimitsHold(Limits),
    /// To the installation: edited settings are refused, or good again.
    SettingsRefused(Option<String>),
    /// To the installation: money spent on a day.
    Spent {
        /// The day.
        day: i64,
        /// How much on that day in all.
        microdollars: u64,
    },
    /// To the installation: the disk is too full, or no longer.
    DiskFull(bool),
    /// To the installation: its store is damaged, or sound again.
    StoreDamaged(Option<String>),
    /// To the installation: the boot of the machine that moments are compared with.
    Booted(Option<Box<Boot>>),
}
