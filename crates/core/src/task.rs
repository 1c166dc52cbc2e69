//! What do we know of a task? Each thing seen stands on its own axis; nothing is said twice.

mod ask;
mod delivery;
mod run;
mod watch;
mod aside;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artefact::Artefact;
use crate::call::Text;
use crate::call::git::{Candidate, Protected};
use crate::call::tracker::{Labels, Status};
use crate::event::{InMain, Turn, Usage};
use crate::gate::Evidence;
use crate::gesture::{Gesture, Priority};
use crate::id::{Commit, Digest, EffectId, IssueKey, ProjectId, RunId, Seq, TaskId, TimerId, Tree, WorkItem};
use crate::record::Recorded;
use crate::rework::{Attempts, Findings, MAX_DEVELOPER_RUNS};
use crate::said::Cause;
use crate::stage::{Role, Stage};
use crate::time::Moment;

pub use aside::{Outside, Rejection, Stopping, Untold, Withdrawn};
pub use delivery::{Deployed, Merged};
pub use run::RunRow;
pub use watch::{Watch, WatchEnd};

/// One life of a work item. What is not there is left out where it is stored: a state is written with most events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The work item.
    pub item: WorkItem,
    /// Its project.
    pub project: ProjectId,
    /// The issue at the tracker.
    pub issue: IssueKey,
    /// The issue's number there: the order of the serial gate.
    pub number: u64,
    /// When it was first seen.
    pub born: Moment,
    /// What is asked for.
    pub request: Request,
    /// What the board shows, and what Orch wants it to show.
    pub board: Board,
    /// Its labels.
    #[serde(default, skip_serializing_if = "usual")]
    pub labels: Labels,
    /// How urgent.
    #[serde(default, skip_serializing_if = "usual")]
    pub priority: Priority,
    /// Where it stands.
    pub stage: Stage,
    /// When it came there.
    pub stage_since: Moment,
    /// What it does or waits for there.
    pub step: Step,
    /// When that began.
    pub step_since: Moment,
    /// The row in which that began: the token of what is waited for (decision 3).
    pub step_seq: Seq,
    /// Why automation leaves it alone, if it does (invariant C4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<Escalation>,
    /// Which round: a failed deploy after the merge opens another with a new branch (decision 41).
    pub round: u32,
    /// How much of the budgets is used.
    #[serde(default, skip_serializing_if = "usual")]
    pub attempts: Attempts,
    /// The task branch of this round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// The change request of this round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_request: Option<u64>,
    /// The artefacts on the branch.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub artefacts: Arc<[Artefact]>,
    /// The approval of the requirements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Consent>,
    /// The consent to deploy (or merge) this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Protected paths that the change touches, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<Protected>,
    /// Which diff of protected paths a person approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_ok: Option<Digest>,
    /// What gates said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Arc<Evidence>>,
    /// What goes to the next run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// The candidate in work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// The merge lane, while held: since which row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<Seq>,
    /// The merge of this round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    /// The merges of earlier rounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_merges: Vec<Merged>,
    /// The deploy of this round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// What was deployed when it got the lane, if Orch knows it: the last commit that came out well (decision 22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Commit>,
    /// A stop that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
    /// The time that people took for the approval.
    #[serde(default, skip_serializing_if = "usual")]
    pub review: ReviewClock,
    /// Its runs, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Arc<RunRow>>,
    /// Whether the analyst is to read people's answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
    /// Whether title or text were edited after the approval, and nobody said `continue` yet (decision 45).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// Whether the consent that a person was asked for last is one to a deploy as well; an older binary did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirms: Option<bool>,
    /// Whether a failed deploy ended the standing consent of the label autoDeploy (decision 37).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub standing_ended: bool,
    /// A rejection that waits for the answer to a question whose answer moves the task branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// Whether it froze its repository, and no repair lifted that yet (decision 41).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub froze: bool,
    /// What Orch wrote down about it: the newest text of each record (decision 18).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Recorded>,
    /// What people did with the branch of this round, if they did anything (decision 45).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Box<Outside>>,
    /// What people had put into main of it, also where the branch went on from there: it stays there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_in_main: Option<Commit>,
    /// A merge past the gates that a person accepted: which commit of main, and who (decision 45).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Consent>,
    /// The candidate that had passed before the one in work was built on top of something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<Box<Candidate>>,
    /// Who allowed it one more run whatever the budgets say; spent by the next run of an agent (decisions 12, 37).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// A merge was asked for and nobody knows whether it happened: that is proved before anything else (decision 19).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merge_untold: bool,
    /// Questions about branch and change request of which nobody knows what they did: refused for good, or still asked when
    /// the task was stopped. A stop asks them once more (row 146).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Untold>,
    /// Runs that are being stopped: until that is answered each keeps its slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopping: Vec<Stopping>,
    /// The newest state of the issue that the tracker told of (decision 67).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The watch after the deploy of this round, if there is or was one (decision 69).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Box<Watch>>,
    /// The branch slug that the title had when work began, if it has another one since: branches keep their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The text was edited while the analyst worked by the one before: no label approves what comes of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// What a person rejected, for a stage whose turn comes again later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<(Stage, Findings)>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The title.
    pub title: Text,
    /// The title as a branch slug.
    pub slug: String,
    /// The description.
    pub text: Text,
    /// Whether the issue still exists.
    pub present: bool,
}

/// Whether it is what most tasks have: then it is left out.
fn usual<T: Default + PartialEq>(it: &T) -> bool {
    *it == T::default()
}

/// The issue's column: the newest wanted value is written when it differs from the last confirmed one (decision 1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Board {
    /// What the board says, last read or confirmed.
    pub shows: Option<Status>,
    /// A write that no reply settled yet: its echo is no gesture (decision 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<(EffectId, Status)>,
    /// Whether another status than Approved was read since the approval was asked for, and likewise for Confirm Deploy:
    /// only then do they count.
    #[serde(default, skip_serializing_if = "usual")]
    pub fresh: bool,
    /// The column that the board refused for good: not written again until another one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Status>,
    /// What was known before each reading that came while that write was on its way, oldest first: by it the column that the
    /// write covered is known for one that was heard, or was not (decision 68).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Known>,
    /// Whether the next life of the issue has begun: board and records are its own (decision 68).
    #[serde(default, skip_serializing_if = "usual")]
    pub followed: bool,
}

/// What is known of the board at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What it shows.
    pub shows: Option<Status>,
    /// The newest state of the issue that the tracker told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Whether a press of Approved or Confirm Deploy would count.
    #[serde(default, skip_serializing_if = "usual")]
    pub fresh: bool,
}

impl Known {
    /// What is known now.
    pub fn of(task: &Task) -> Self {
        Self { shows: task.board.shows, revision: task.revision, fresh: task.board.fresh }
    }
}

/// What a task does or waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It waits for a person, or is over.
    Rest(Rest),
    /// It waits for a turn.
    Queued(Want),
    /// An effect is on its way whose reply moves it.
    Asked {
        /// The effect.
        effect: EffectId,
        /// What was asked.
        ask: Ask,
        /// How often it was asked before.
        tries: u32,
    },
    /// A run lives.
    Running {
        /// Which.
        run: RunId,
        /// Of what.
        job: Job,
    },
    /// It asks again later: nobody's failure (decision 14).
    Backoff {
        /// The timer.
        timer: TimerId,
        /// When.
        due: Moment,
        /// What will be asked.
        ask: Ask,
        /// How often it was asked.
        tries: u32,
        /// Why it waits.
        cause: Delay,
    },
}

/// Waiting for a person, or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// For the start gesture.
    Start,
    /// For answers, and then the start gesture (decision 29).
    Questions,
    /// For the approval of the requirements.
    Approval,
    /// For the approval of a diff of protected paths (decision 8).
    Protected,
    /// For Confirm Deploy (or the merge's confirmation).
    Confirmation,
    /// The request changed, and its approval may be for what it was (decision 45).
    RequestChanged,
    /// The issue was deleted or archived (decision 45).
    IssueGone,
    /// Somebody merged the branch past the gates: [`Task::outside`] says how (decision 45).
    MergedOutside,
    /// Somebody deleted the branch or closed the change request (decision 45).
    Withdrawn,
    /// A run was stopped at the end of its tokens: another one only if a person allows it (decision 12).
    RunBudget {
        /// How many it had used.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// The deploy's outcome cannot be told (decisions 22, 36).
    CannotTell {
        /// What was seen.
        cause: Cause,
    },
    /// The hook says that it is deployed, and there is no service to ask: a person looks (decision 64).
    DeployUnseen,
    /// The deploy was well, and production went bad while it was watched (decision 69).
    WentBad {
        /// What was seen last.
        cause: Cause,
    },
    /// The deploy was well, and at the end of the watch nobody could tell how production is (decisions 36, 69).
    WentSilent {
        /// What was seen last.
        cause: Cause,
    },
    /// Escalated: `Task::escalated` says why.
    Escalated,
    /// Nothing more to do.
    Over,
}

/// What it waits for a turn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// To begin.
    Start,
    /// A run of an agent.
    Agent(Role),
    /// A run of the tests.
    Ci(CiOf),
    /// The merge lane.
    Lane,
    /// To merge, with the lane held and every gate passed: not while somebody else's freeze or a pause stands.
    Merge {
        /// How often the merge was asked for before.
        tries: u32,
    },
}

/// On what the tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CiOf {
    /// The developer's commit.
    Head,
    /// The candidate.
    Candidate,
}

/// What a run is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// An agent's work in a role.
    Agent(Role),
    /// The tests.
    Ci(CiOf),
    /// The deploy hook.
    Hook,
}

/// A question to the outside whose answer moves the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Cut the branch; `plain` is false when the name was taken and gets the task's id.
    CutBranch {
        /// Whether the plain name is asked for.
        plain: bool,
    },
    /// Start a run.
    Launch {
        /// Which.
        run: RunId,
        /// Of what.
        job: Job,
    },
    /// Commit what a run left, and read it.
    Collect {
        /// Which.
        run: RunId,
        /// Of which role.
        role: Role,
    },
    /// Open the change request.
    OpenChange,
    /// Bring back the branch and the change request that somebody took away.
    Restore,
    /// Build the candidate.
    Candidate,
    /// Merge the candidate.
    Merge,
    /// Prove the merge.
    Prove,
    /// Ask the deployed service who it is.
    Probe,
    /// Ask it again while it is watched after its deploy.
    Watch,
    /// Read the reason of a rejection from the comments (row 103).
    Reason {
        /// Who rejected.
        by: String,
    },
}

/// Why something is asked again later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// The outside failed.
    Outage {
        /// How.
        cause: Cause,
    },
    /// The person's checkout of main has changes (decision 43).
    CheckoutDirty {
        /// Where.
        path: String,
        /// The branch that is checked out there and was to follow; `None` in rows that are older than this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// The deployed service does not name the commit yet.
    NotYet {
        /// What it says.
        cause: Cause,
    },
    /// The deployed service is watched: the next look is then.
    Watching,
    /// The provider of the model refused (decision 11).
    Provider {
        /// What it said.
        cause: String,
    },
}

/// Why automation leaves a task alone until a person says `retry`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Since when.
    pub at: Moment,
    /// Why.
    pub why: Why,
}

/// The reasons of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The third negative judgement (row 99).
    RoundsSpent,
    /// Runs without fruit.
    Fruitless {
        /// Of which role.
        role: Role,
        /// What the last one lacked.
        cause: Cause,
    },
    /// Main contradicts the change again and again.
    Conflicts,
    /// The description is too short (QG-0, row 123).
    RequestTooShort {
        /// Characters there.
        has: u64,
        /// Characters needed.
        needs: u64,
    },
    /// The outside says it can not work without a person.
    Outside {
        /// What it says.
        cause: Cause,
    },
    /// There is no test command: nothing can be merged.
    NoTests,
    /// The project deploys but no hook is configured.
    NoHook,
    /// What was merged is not proven to be what was tested (decision 19).
    Unproven {
        /// What differs.
        cause: Cause,
    },
    /// The deploy hook failed and so did its rollback: a person is paged (decision 22).
    RollbackFailed,
    /// Runs could not be started or were lost again and again: the machine's fault, not the developer's.
    Machine {
        /// What is known of the last one.
        cause: Cause,
    },
    /// No agent is configured for a role.
    NoAgent {
        /// Which role.
        role: Role,
    },
}

/// The task branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// The main it was cut from.
    pub base: Commit,
    /// Its head.
    pub head: Commit,
    /// The tree of the head, once known.
    pub tree: Option<Tree>,
    /// The change it carries (decision 40), once known.
    pub change: Option<Digest>,
    /// Whether nothing but artefacts differs.
    pub empty: bool,
    /// With which main the tests were last green since the developer's run: red with another is red together with it (decision 15).
    pub green_with: Option<Commit>,
    /// In which round somebody last developed, by leaving something, by counting, or by a push from then on; 0: in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developed: Option<u32>,
    /// Whether somebody else ever pushed to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pushed: bool,
}

/// A person's consent to one thing (decision 37).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// To what: requirements or change.
    pub what: Digest,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// Whether a label gave it.
    pub standing: bool,
}

/// A stop that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// By whom and from where.
    pub gesture: Gesture,
    /// When.
    pub at: Moment,
    /// Whether it waits for an irreversible step to end (row 150).
    pub deferred: bool,
}

/// Human time, shown apart from the agents' (row 211).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReviewClock {
    /// When the approval was asked for.
    pub started: Option<Moment>,
    /// When analysis was left (row 7).
    pub ended: Option<Moment>,
}

impl Want {
    /// The turn it waits for.
    pub const fn turn(self) -> Turn {
        match self {
            Want::Start => Turn::Start,
            Want::Agent(role) => Turn::Agent(role),
            Want::Ci(_) => Turn::Gate,
            Want::Lane => Turn::Lane,
            Want::Merge { .. } => Turn::Merge,
        }
    }
}

impl Task {
    /// Which of the attempts that a change has is under way, from 1; the last one stays the last (row 99).
    pub fn attempt(&self) -> u32 {
        (self.attempts.negative + 1).min(MAX_DEVELOPER_RUNS)
    }

    /// What its runs used in all: the same sum everywhere (row 185, invariant F4).
    pub fn usage(&self) -> Usage {
        self.runs.iter().fold(Usage::default(), |sum, run| sum.plus(run.usage))
    }

    /// The run whose tree must stay: it lives or may begin, or what it left is not collected yet.
    pub fn run_with_tree(&self) -> Option<RunId> {
        match &self.step {
            Step::Running { run, .. } => Some(*run),
            Step::Asked { ask, .. } | Step::Backoff { ask, .. } => ask.run(),
            Step::Rest(_) | Step::Queued(_) => None,
        }
    }

    /// The run that lives, if one does: also one whose start was asked for and not answered, which may live.
    pub fn live_run(&self) -> Option<(RunId, Job)> {
        match &self.step {
            Step::Running { run, job } => Some((*run, *job)),
            Step::Asked { ask: Ask::Launch { run, job }, .. } => Some((*run, *job)),
            Step::Backoff { ask: Ask::Launch { run, job }, .. } if !self.has_ended(*run) => {
                Some((*run, *job))
            }
            Step::Asked { .. } | Step::Rest(_) | Step::Queued(_) | Step::Backoff { .. } => None,
        }
    }

    /// Whether a run's end is known.
    pub fn has_ended(&self, run: RunId) -> bool {
        self.runs.iter().rev().any(|row| row.run == run && row.end.is_some())
    }

    /// The question that is on its way or will be asked again after it may have been answered.
    pub(crate) fn open_question(&self) -> Option<&Ask> {
        match &self.step {
            Step::Asked { ask, .. } => Some(ask),
            Step::Backoff { ask, cause: Delay::Outage { .. } | Delay::NotYet { .. }, .. } => Some(ask),
            Step::Backoff {
                cause: Delay::CheckoutDirty { .. } | Delay::Provider { .. } | Delay::Watching,
                ..
            }
            | Step::Rest(_)
            | Step::Queued(_)
            | Step::Running { .. } => None,
        }
    }

    /// Whether an answer is out that says where the task branch is: until then nobody may build on its head.
    pub fn branch_moves(&self) -> bool {
        self.open_question().is_some_and(Ask::moves_branch)
    }

    /// The commit by which somebody else merged the branch of this round, as long as that is not settled (decision 45).
    pub fn merged_outside(&self) -> Option<&InMain> {
        if self.merged.is_some() || self.stage.is_terminal() || self.is_critical() {
            return None;
        }
        self.outside.as_ref()?.in_main.as_ref()
    }

    /// What somebody took away of this round, as long as that is not settled (decision 45).
    pub fn withdrawn(&self) -> Option<Withdrawn> {
        if self.merged.is_some() || self.stage.is_terminal() {
            return None;
        }
        self.outside.as_ref()?.withdrawn
    }

    /// The change that judges and people speak about, once known (decision 40).
    pub fn change(&self) -> Option<&Digest> {
        self.branch.as_ref().and_then(|branch| branch.change.as_ref())
    }
}
