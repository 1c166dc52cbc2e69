//! Why did we act, or not? Every decision carries its reasons, also when it decides to wait.

use serde::{Deserialize, Serialize};

use crate::event::FreezeCause;
use crate::gate::GateId;
use crate::id::{Commit, EffectId, RunId};
use crate::record::Record;
use crate::rework::Judge;
use crate::said::Cause;
use crate::stage::{Role, Stage};
use crate::task::{Why, Withdrawn};
use crate::time::Moment;

/// One reason. Its sentence for people is made by [`crate::message::reason`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The issue is known from now on.
    Known,
    /// The request has another title or text.
    RequestEdited,
    /// A person's gesture was taken.
    GestureTaken {
        /// The word for it.
        press: String,
        /// Who.
        by: String,
    },
    /// A gesture has no effect here.
    GestureWithoutEffect {
        /// The word for it.
        press: String,
        /// Why not.
        why: NoEffect,
    },
    /// Something came for which nothing waits.
    Ignored(Ignored),
    /// The task advanced.
    Advanced {
        /// From where.
        from: Stage,
        /// To where.
        to: Stage,
    },
    /// The task goes back for rework (predecessor section 8).
    SentBack {
        /// From where.
        from: Stage,
        /// To where.
        to: Stage,
        /// Who judged.
        judge: Judge,
        /// The judgement's number.
        attempt: u32,
        /// How many there are.
        of: u32,
    },
    /// A run is repeated: it brought nothing that counts.
    Repeated {
        /// Whose.
        role: Role,
        /// What it lacked.
        cause: Cause,
    },
    /// A gate judged.
    GateSaid {
        /// Which.
        gate: GateId,
        /// Whether it passed; `None`: it could not judge.
        passed: Option<bool>,
    },
    /// A gate has judged exactly this already (decision 40).
    EvidenceStands {
        /// Which gate.
        gate: GateId,
    },
    /// A verdict no longer stands: what it was about is another thing now (decision 40).
    EvidenceLapsed {
        /// Which gate.
        gate: GateId,
    },
    /// A gate of the edge is not part of this project.
    NotConfigured {
        /// Which gate.
        gate: GateId,
    },
    /// A turn was given.
    TurnTaken,
    /// The lane was given back: the repair that lifts the freeze waits for it.
    GaveWay,
    /// A run began.
    RunBegan {
        /// Which.
        run: RunId,
    },
    /// A run ended.
    RunEnded {
        /// Which.
        run: RunId,
    },
    /// Asked again later.
    Later {
        /// When.
        due: Moment,
        /// Why.
        cause: Cause,
    },
    /// Automation leaves it alone until a person says `retry`.
    Escalated(Why),
    /// Main moved before the merge: the candidate is built again.
    MainMoved {
        /// Where it is.
        main: Commit,
    },
    /// Merged.
    Merged {
        /// What main is.
        commit: Commit,
    },
    /// The merge is proven (decision 19).
    Proven,
    /// The deployed service names the commit and is well.
    Healthy,
    /// The hook says that it is deployed, and there is no service to ask: a person looks (decision 64).
    DeployUnseen,
    /// The deploy failed after the merge: a new round begins (decision 41).
    DeployFailed {
        /// How.
        cause: Cause,
    },
    /// Production is watched from now on (row 89).
    WatchBegan {
        /// Until about when.
        until: Moment,
    },
    /// A look at production was not good.
    WatchSaw {
        /// What was seen.
        cause: Cause,
    },
    /// Production stayed well.
    StayedWell,
    /// A later deploy of the repository runs: the watch has nothing more to watch.
    LaterDeployRuns {
        /// Which commit.
        commit: Commit,
    },
    /// Production went bad after a deploy that was well (row 91).
    WentBad {
        /// What was seen.
        cause: Cause,
    },
    /// At the end of the watch nobody can tell how production is (decision 36).
    WentSilent {
        /// What was seen.
        cause: Cause,
    },
    /// A stop waits for an irreversible step to end (row 150).
    StopDeferred,
    /// Stopped.
    Stopped,
    /// The repository is frozen.
    Frozen(FreezeCause),
    /// The repository is no longer frozen.
    Thawed,
    /// The policy in force is another.
    PolicyChanged,
    /// A policy was refused.
    PolicyRefused,
    /// The provider refuses for now.
    ProviderClosed,
    /// The provider works.
    ProviderOpen,
    /// The installation is paused.
    Paused,
    /// The installation is no longer paused.
    Unpaused,
    /// An effect that nothing waits for could not be performed.
    Unperformed {
        /// Which.
        effect: EffectId,
        /// Why.
        cause: Cause,
    },
    /// The board refuses the wanted column; it is left alone until it is read again.
    BoardRefused {
        /// What it says.
        cause: Cause,
    },
    /// A record stands on its branch (decision 18).
    RecordStands {
        /// Which.
        record: Record,
    },
    /// A record could not be written to its branch; the task does not wait for it.
    RecordTroubled {
        /// Which.
        record: Record,
        /// Why.
        cause: Cause,
        /// Whether a person must do something first; else it is tried again.
        lasting: bool,
    },
    /// Somebody merged the branch by hand, and it is what had passed (decision 45).
    MergedByHand {
        /// What main is.
        commit: Commit,
    },
    /// Somebody merged the branch past the gates (decision 45).
    MergedOutside {
        /// What main is.
        commit: Commit,
    },
    /// Somebody took the branch or its change request away (decision 45).
    Withdrawn(Withdrawn),
    /// What somebody had done outside was undone.
    OutsideOver,
    /// A run was stopped at the end of its tokens (decision 12).
    RunOverTokens {
        /// How many it had used.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// The project no longer stands in the settings.
    ProjectRetired,
    /// Edited settings are in force.
    SettingsChanged,
    /// Edited settings were refused.
    SettingsRefused,
    /// A check found the store damaged.
    StoreDamaged,
    /// A check found the store sound again.
    StoreSound,
    /// Noted, nothing to do.
    Noted,
}

/// Why a gesture has no effect (predecessor section 23.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoEffect {
    /// The task is over.
    Terminal,
    /// The task works; the same press again changes nothing (row 121).
    Busy,
    /// It means nothing at this stage (rows 79, 80).
    WrongStage(Stage),
    /// Nobody asked for it, or it was pressed before Orch asked (decision 2).
    Stale,
    /// Orch's own column covered it, and a later press was heard before it (decision 68).
    Overtaken,
    /// It names another thing than the one that waits (decision 37).
    OtherThing,
    /// It was said already (row 152).
    Again,
    /// The task is escalated: only `retry` and To Analyse mean something (decision 15).
    Escalated,
    /// The task is not escalated.
    NotEscalated,
    /// Nothing of the task waits for an agent's turn, so no budget can be in its way.
    NoBudgetHold,
    /// The entity has no such gesture.
    WrongEntity,
    /// The task was stopped for good.
    Stopped,
    /// Its priority is that already.
    SamePriority,
    /// Nothing is frozen.
    NotFrozen,
    /// Nothing is paused.
    NotPaused,
}

/// Why something was ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// Its token is not the one waited for (decision 3).
    StaleToken,
    /// The task is over (row 2).
    Terminal,
    /// It is the echo of Orch's own write (decision 2).
    Echo,
    /// The entity does not exist.
    Unknown,
    /// The entity does not listen to such events.
    NotForThis,
}
