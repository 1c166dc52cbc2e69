//! What can happen? Everything that can move a task is one of these, grouped by who says it (decision 1).

use serde::{Deserialize, Serialize};

use crate::call::tracker::IssueReading;
use crate::call::{Failure, Reply};
use crate::gesture::Gesture;
use crate::id::{Commit, Digest, EffectId, Entity, ProjectId, RunId, Seq, TaskId, TimerId, Tree};
use crate::policy::{Limits, Policy};
use crate::said::Cause;
use crate::stage::Role;
use crate::time::{Boot, Moment, Span};

/// An event with its place and time in the journal: whoever decides only looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamped<'e> {
    /// Its place.
    pub seq: Seq,
    /// When it was written down.
    pub at: Moment,
    /// What happened.
    pub event: &'e Event,
}

/// Everything that can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The tracker says what an issue looks like now. The work item and project are set where the issue is new.
    Issue(Box<IssueSeen>),
    /// The forge says where main stands.
    Main(MainReading),
    /// The forge says what people did with a task's branch (decision 45).
    Branch(Box<BranchReading>),
    /// A person did something, from anywhere (decision 2).
    Gesture(Gesture),
    /// A supervised run of an agent, a gate or a hook ended.
    RunEnded(Box<RunEnd>),
    /// An effect answered.
    Reply(Box<EffectReply>),
    /// A timer is due.
    Timer(TimerId),
    /// The board gives a turn (decision 42).
    Granted(Grant),
    /// Another entity says something, in the same transaction (decision 42).
    Message(Message),
    /// The project's policy is this from now on (decision 39).
    PolicyChanged(Box<PolicyChange>),
    /// A policy was refused; the last good one stays (decision 39).
    PolicyRefused(PolicyRefusal),
    /// The project no longer stands in the installation's settings; a policy says that it does again.
    ProjectRetired,
    /// The limits of the installation are these from now on: its settings were edited while it serves.
    LimitsChanged(Box<Limits>),
    /// Edited settings were refused; the last good ones stay.
    SettingsRefused(SettingsRefusal),
    /// A brain started to serve.
    Started(Start),
    /// The wall clock stepped: to the installation, and from there to all that wait for a moment, which comes as late as it
    /// would have come (decision 46).
    ClockStepped {
        /// By how many milliseconds, forward positive.
        by: i64,
    },
    /// The disk cannot take more, or can again.
    Disk(DiskReading),
    /// A check of the store found it damaged, or sound again.
    Store(StoreReading),
}

/// An issue as the tracker shows it, and whose task it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssueSeen {
    /// The project it belongs to.
    pub project: ProjectId,
    /// What the tracker says.
    pub reading: IssueReading,
}

/// Where main stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MainReading {
    /// Its commit.
    pub head: Commit,
    /// Whether it contains the last one read: `false` means somebody rewrote main (decision 45).
    pub descends: bool,
}

/// What people did with a task's branch: whether they took it away, or merged it themselves (decision 45).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchReading {
    /// Which branch was looked at: a reading of an earlier round's counts no more.
    pub branch: String,
    /// Whether it is still there.
    pub there: bool,
    /// Whether its change request is still open, or there is none yet.
    pub open: bool,
    /// The commit by which main got it, if main has it.
    pub in_main: Option<InMain>,
}

/// A commit of main that brought a task's branch in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InMain {
    /// The commit on main.
    pub commit: Commit,
    /// Its tree.
    pub tree: Tree,
}

/// How a run ended, from the supervisor's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnd {
    /// The run.
    pub run: RunId,
    /// How.
    pub how: RunHow,
    /// From its start to its end.
    pub wall: Span,
    /// What it used, as far as it said.
    pub usage: Usage,
    /// What it or its output says in the end: the tail for people and for rework, bounded and masked.
    pub tail: Option<crate::call::Text>,
    /// Bytes of its output that were too many to be kept.
    #[serde(default, skip_serializing_if = "crate::call::agent::is_zero")]
    pub left_out: u64,
}

/// The ways in which a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunHow {
    /// The program ended with this code.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// Which.
        signal: i32,
    },
    /// It was killed at its time limit.
    TimedOut,
    /// It was killed at its output limit.
    TooMuchOutput,
    /// It was stopped because Orch asked.
    Stopped,
    /// It was stopped because it had used all the tokens that a run may use (decision 12).
    OverTokens {
        /// How many it had used by its own report.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// It never started: the infrastructure's fault.
    CouldNotStart {
        /// Why.
        cause: Cause,
    },
    /// Its supervisor is proven dead and left no record.
    Lost {
        /// What is known.
        cause: Cause,
    },
    /// The provider of the model refused it for now: charged to nobody (decision 11).
    ProviderLimited {
        /// When it will work again, if it was said.
        until: Option<Moment>,
        /// What was said.
        cause: Cause,
    },
}

/// Tokens in four classes, and money (decision 12). `None` is unknown, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Fresh input.
    pub input: Option<u64>,
    /// Output.
    pub output: Option<u64>,
    /// Read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Millionths of a US dollar; `None` if the price is unknown.
    pub microdollars: Option<u64>,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectReply {
    /// Which effect.
    pub effect: EffectId,
    /// What came of it.
    pub outcome: Outcome,
}

/// An answer or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Done(Reply),
    /// It did not, or may have.
    Failed(Failure),
}

/// A turn given by the board, with the token that what follows must carry (decisions 3, 42).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What is granted.
    pub turn: Turn,
    /// Only a task that still waits in this row of the journal takes it.
    pub wanted: Seq,
    /// With the lane: what is deployed now, if it is known. It stays so while the lane is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Commit>,
    /// To merge, and not to: the lane goes back, for the repair that lifts the freeze waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gives_way: bool,
}

/// What a task can wait for a turn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// To begin: serial gate, freeze, pause.
    Start,
    /// A slot for an agent.
    Agent(Role),
    /// A slot for a gate's run.
    Gate,
    /// The merge lane of the repository.
    Lane,
    /// To merge, for the task that holds the lane: freeze, pause.
    Merge,
}

/// What one entity tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// To the next life of a work item: the issue was asked for again after a cancel (row 148), or the last column of the life
    /// before covered this one (decision 68).
    Reborn(Box<IssueSeen>),
    /// To the repository: nothing merges until a person or a repairing merge lifts it (decision 41).
    Freeze {
        /// By which task.
        task: TaskId,
        /// Why.
        cause: FreezeCause,
    },
    /// To the repository: this task's merge repairs what it froze.
    Thaw {
        /// By which task.
        task: TaskId,
    },
    /// To the repository: this came out well.
    Deployed {
        /// What.
        commit: Commit,
        /// By which run of the hook: the later one is what runs. Journals of older rules do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hook: Option<RunId>,
        /// Whether a person says so, who may know nothing of a later one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        seen: bool,
    },
    /// To a provider: a run was refused for now.
    ProviderLimited {
        /// Until when, if it was said.
        until: Option<Moment>,
        /// What was said.
        cause: Cause,
    },
    /// To a provider: a run succeeded. In journals of before [`Message::ProviderWorked`] only.
    ProviderWorks,
    /// To a provider: a run succeeded. One from before the closing says nothing about it.
    ProviderWorked {
        /// When it had its turn.
        began: Moment,
        /// Which run: its id says in which row that was. Journals of older rules say the moment alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
    },
    /// To the installation: money was spent.
    Spent {
        /// Millionths of a US dollar.
        microdollars: u64,
    },
}

/// Why a repository is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeCause {
    /// A deploy failed after its merge (decision 41).
    DeployFailed,
    /// Nobody will ask any more what became of a deploy: its task was stopped or stands still (decisions 36, 41).
    DeployUntold,
    /// A deploy was well, and production went bad while it was watched (row 97).
    WentBad,
    /// What was merged is not proven to be what was tested (decision 19).
    UnprovenMerge,
    /// Somebody rewrote main (decision 45).
    MainRewritten,
    /// A person asked for it.
    Person,
}

impl FreezeCause {
    /// Whether the task that froze works on its repair, whose merge lifts the freeze (decision 41).
    pub const fn is_repaired_by_a_merge(&self) -> bool {
        match self {
            FreezeCause::DeployFailed | FreezeCause::WentBad => true,
            FreezeCause::DeployUntold
            | FreezeCause::UnprovenMerge
            | FreezeCause::MainRewritten
            | FreezeCause::Person => false,
        }
    }
}

/// A policy that is in force from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// Its digest.
    pub digest: Digest,
    /// The commit of the default branch it was read from; `None` for the built-in one.
    pub commit: Option<Commit>,
    /// The policy itself.
    pub policy: Policy,
}

/// A policy that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRefusal {
    /// The commit it was read from.
    pub commit: Commit,
    /// Place, cause and remedy.
    pub cause: String,
}

/// Settings of the installation that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRefusal {
    /// Place, cause and remedy.
    pub cause: String,
}

/// A brain that starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Its version.
    pub version: String,
    /// Whether the one before stopped in order.
    pub clean: bool,
    /// Limits of the installation from now on.
    pub limits: Limits,
    /// The boot of the machine in which it starts, if that is known: the brain says so when it takes the start, for the clock may
    /// be set until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Box<Boot>>,
}

/// Whether the disk takes writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskReading {
    /// Whether work may go on.
    pub enough: bool,
    /// Free bytes.
    pub free: u64,
}

impl DiskReading {
    /// Less than this free, and no task gets a turn (hold `disk full`). Runs that live may still write 64 MiB of each of
    /// two logs; with the six runs at once that are the default this is 768 MiB, and what is left is for the journal to
    /// take their ends.
    pub const FLOOR: u64 = 1 << 30;

    /// Work goes on when so much is free again: a disk at the floor shall not write a row with every sweep.
    pub const ENOUGH: u64 = Self::FLOOR + Self::FLOOR / 4;
}

/// What a check of the store came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReading {
    /// What is damaged; `None`: it is sound.
    pub damage: Option<String>,
}

impl Usage {
    /// Whole input: fresh, cache read and cache written (row 192, incident I-33).
    pub fn full_input(&self) -> u64 {
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_write.unwrap_or(0));
        self.input.unwrap_or(0).saturating_add(cached)
    }

    /// Tokens of all four classes.
    pub fn tokens(&self) -> u64 {
        self.full_input().saturating_add(self.output.unwrap_or(0))
    }

    /// Two usages together; unknown stays unknown only if both are.
    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        let add = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        Usage {
            input: add(self.input, other.input),
            output: add(self.output, other.output),
            cache_read: add(self.cache_read, other.cache_read),
            cache_write: add(self.cache_write, other.cache_write),
            microdollars: add(self.microdollars, other.microdollars),
        }
    }
}

impl Event {
    /// The key under which this event counts once (decision 2); `None` where the caller must give one (a reading is
    /// numbered, a gesture has its request id).
    pub fn natural_key(&self, entity: &Entity) -> Option<String> {
        match self {
            Event::RunEnded(end) => Some(format!("run/{}/end", end.run)),
            Event::Reply(reply) => Some(format!("effect/{}", reply.effect)),
            Event::Timer(timer) => Some(format!("timer/{timer}")),
            Event::Granted(grant) => Some(format!("grant/{entity}/{}", grant.wanted)),
            Event::Gesture(gesture) => Some(format!("gesture/{}", gesture.request)),
            // A policy is a reading: equal to the one that holds it is no event, and one that held before may hold again.
            Event::Issue(_)
            | Event::Main(_)
            | Event::Branch(_)
            | Event::PolicyChanged(_)
            | Event::PolicyRefused(_)
            | Event::ProjectRetired
            | Event::LimitsChanged(_)
            | Event::SettingsRefused(_)
            | Event::Message(_)
            | Event::Started(_)
            | Event::ClockStepped { .. }
            | Event::Disk(_)
            | Event::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// row 192: Input shown includes cache read and creation.
    ///
    /// incident I-33: tokens that were written to the cache were not counted; here all of the input is.
    #[test]
    fn input_is_whole() {
        let fresh =
            Usage { input: Some(3), cache_read: Some(40), cache_write: Some(500), ..Usage::default() };
        assert_eq!((fresh.full_input(), fresh.tokens()), (543, 543));
        let sum = fresh.plus(Usage { output: Some(7), ..Usage::default() });
        assert_eq!((sum.tokens(), sum.microdollars), (550, None));
        let most = Some(u64::MAX);
        let absurd = Usage { input: most, output: most, cache_read: most, cache_write: most, ..fresh };
        assert_eq!((absurd.full_input(), absurd.tokens()), (u64::MAX, u64::MAX));
    }
}
