//! What does a task wait for, since when, and what would move it? Derived, never stored (decision 4).

use serde::{Deserialize, Serialize};

use crate::board::{Board, Policies};
use crate::decide::wanted_turn;
use crate::event::{FreezeCause, Turn};
use crate::id::{Commit, ProviderId, RunId, TaskId};
use crate::said::Cause;
use crate::stage::Stage;
use crate::state::Freeze;
use crate::task::{Ask, Delay, Job, Rest, Step, Task, Why, Withdrawn};
use crate::time::Moment;

/// What a task does now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is worked on.
    Working {
        /// A run lives.
        run: Option<(RunId, Job)>,
        /// A question is on its way.
        ask: Option<Ask>,
        /// Since when.
        since: Moment,
    },
    /// It waits. The first is *the* hold, the others are shown as "also".
    Held(Vec<Hold>),
    /// It is over.
    Over {
        /// Since when.
        since: Moment,
    },
}

/// One reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why.
    pub kind: HoldKind,
    /// When the event happened that made it true.
    pub since: Moment,
}

/// The reasons to wait, in the order of decision 4. Their sentences are [`crate::message::hold`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// The installation is paused.
    Paused {
        /// By whom.
        by: String,
        /// Whether what has begun goes on.
        drain: bool,
    },
    /// A check found the store damaged: nothing is written any more.
    StoreDamaged {
        /// What was found.
        cause: String,
    },
    /// The disk takes no more.
    DiskFull,
    /// Automation leaves it alone.
    Escalated(Why),
    /// Nobody asked for it yet.
    NotAsked,
    /// The analyst's questions.
    Questions,
    /// The approval of the requirements.
    Approval,
    /// The approval of a diff of protected paths.
    Protected {
        /// Which.
        paths: Vec<String>,
    },
    /// Confirm Deploy, or the confirmation of a merge.
    Confirmation {
        /// Whether something will be deployed.
        deploys: bool,
    },
    /// The request changed, and its approval may be for what it was.
    RequestChanged,
    /// The issue is gone from the tracker.
    IssueGone,
    /// Somebody merged the branch past the gates.
    MergedOutside {
        /// What main is.
        commit: Commit,
    },
    /// Somebody deleted the branch or closed the change request.
    Withdrawn(Withdrawn),
    /// A run was stopped at the end of its tokens.
    RunBudget {
        /// How many it had used.
        tokens: u64,
        /// How many it might use.
        limit: u64,
    },
    /// The deploy's outcome cannot be told.
    CannotTell {
        /// What was seen.
        cause: Cause,
    },
    /// The deploy hook says that this is deployed, and there is no service to ask.
    DeployUnseen {
        /// What main is.
        commit: Commit,
    },
    /// Production went bad after its deploy.
    WentBad {
        /// What was seen.
        cause: Cause,
    },
    /// Nobody can tell how production is after its deploy.
    WentSilent {
        /// What was seen.
        cause: Cause,
    },
    /// Production is watched after its deploy.
    Watched {
        /// Until about when.
        until: Moment,
        /// Looks so far.
        looks: u32,
        /// How many fill the window.
        of: u32,
        /// How many of them were not good.
        bad: u32,
    },
    /// The repository is frozen.
    Frozen {
        /// Why.
        cause: FreezeCause,
        /// By which task.
        task: Option<TaskId>,
        /// Whether that one is over, and merges nothing that could repair it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        over: bool,
    },
    /// The provider of the model refuses for now.
    Provider {
        /// Which.
        provider: ProviderId,
        /// Until when.
        until: Moment,
        /// What it said.
        cause: Cause,
    },
    /// The task's money is spent.
    TaskBudget {
        /// Millionths of a US dollar.
        spent: u64,
        /// The budget.
        budget: u64,
    },
    /// The day's money is spent.
    DayBudget {
        /// The budget.
        budget: u64,
    },
    /// An earlier task of a serial project.
    Serial {
        /// Which.
        behind: TaskId,
    },
    /// Another task holds the merge lane.
    Lane {
        /// Which.
        holder: TaskId,
        /// Until about when production is watched for that one, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
        /// Whether that one waits for a person.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rests: bool,
    },
    /// All slots are taken.
    Slot {
        /// For what.
        turn: Turn,
    },
    /// Its turn comes with the next look at the board.
    Turn {
        /// For what.
        turn: Turn,
    },
    /// A run of it that nobody waits for any more is being stopped; the next one begins after it.
    Stopping {
        /// Which.
        run: RunId,
    },
    /// Asked again later.
    RetryAt {
        /// When.
        due: Moment,
        /// What.
        ask: Ask,
        /// Why.
        cause: Delay,
    },
    /// Its project no longer stands in the installation's settings.
    Retired,
    /// Edited settings of the installation were refused; the last good ones hold.
    SettingsRefused {
        /// Place, cause, remedy.
        cause: String,
    },
    /// There is no policy for its project.
    NoPolicy {
        /// Why a newer one was refused.
        cause: Option<String>,
    },
    /// A newer policy was refused; the last good one holds.
    PolicyRefused {
        /// Place, cause, remedy.
        cause: String,
    },
}

/// What a task does or waits for, seen with the board.
pub fn standing(task: &Task, board: &Board, policies: &Policies, now: Moment) -> Standing {
    let since = task.step_since;
    if task.stage.is_terminal() {
        return Standing::Over { since: task.stage_since };
    }
    let mut holds = Vec::new();
    // One that lets what has begun go on keeps nothing but a start.
    if let Some(pause) = &board.installation().pause
        && (!pause.drain || task.stage == Stage::Created)
        && !matches!(task.step, Step::Running { .. } | Step::Asked { .. } | Step::Queued(_))
    {
        let kind = HoldKind::Paused { by: pause.gesture.by.clone(), drain: pause.drain };
        holds.push(Hold { kind, since: pause.at });
    }
    if let Some(damaged) = &board.installation().damaged
        && matches!(task.step, Step::Rest(_) | Step::Backoff { .. })
    {
        let kind = HoldKind::StoreDamaged { cause: damaged.cause.clone() };
        holds.insert(0, Hold { kind, since: damaged.at });
    }
    match &task.step {
        Step::Running { run, job } => return Standing::Working { run: Some((*run, *job)), ask: None, since },
        Step::Asked { ask, .. } => return Standing::Working { run: None, ask: Some(ask.clone()), since },
        Step::Rest(rest) => match of_rest(task, rest, policies) {
            Some(kind) => {
                holds.push(Hold { kind, since });
                holds.extend(frozen(task, board));
            }
            None => return Standing::Over { since },
        },
        Step::Queued(_)
            if let Some((run, _)) = task.stopping_run().filter(|_| wanted_turn(task).is_none()) =>
        {
            holds.push(Hold { kind: HoldKind::Stopping { run }, since });
        }
        Step::Queued(want) => {
            let turn = want.turn();
            let kinds = board.blockers(&task.id, turn, policies, now);
            holds.extend(kinds.into_iter().map(|kind| Hold { since: since_of(&kind, task, board), kind }));
            if holds.is_empty() {
                holds.push(Hold { kind: HoldKind::Turn { turn }, since });
            }
        }
        Step::Backoff { ask: Ask::Watch, .. } => holds.extend(watched(task)),
        Step::Backoff { due, ask, cause, .. } => {
            let kind = HoldKind::RetryAt { due: *due, ask: ask.clone(), cause: cause.clone() };
            holds.push(Hold { kind, since });
        }
    }
    // What is in the way besides, where it is not the hold already.
    let gone = !task.request.present && task.merged.is_none();
    let others = [
        gone.then_some(HoldKind::IssueGone),
        task.merged_outside().map(|by| HoldKind::MergedOutside { commit: by.commit.clone() }),
        task.withdrawn().map(HoldKind::Withdrawn),
    ];
    for kind in others.into_iter().flatten() {
        if holds.iter().all(|hold| hold.kind != kind) {
            holds.push(Hold { kind, since });
        }
    }
    if let Some(at) = board.project(&task.project).and_then(|project| project.retired)
        && holds.iter().all(|hold| hold.kind != HoldKind::Retired)
    {
        holds.push(Hold { kind: HoldKind::Retired, since: at });
    }
    if let Some(refused) = &board.installation().refused {
        let kind = HoldKind::SettingsRefused { cause: refused.cause.clone() };
        holds.push(Hold { kind, since: refused.at });
    }
    if let Some(refused) = board.project(&task.project).and_then(|project| project.refused.as_ref()) {
        let kind = HoldKind::PolicyRefused { cause: refused.cause.clone() };
        holds.push(Hold { kind, since: refused.at });
    }
    Standing::Held(holds)
}

/// What keeps the repository from merging: whoever lifts the first hold should know what is next. A task's own freeze keeps
/// everybody but itself; it is told where the task that should repair it stands still.
fn frozen<'a>(task: &'a Task, board: &'a Board) -> impl Iterator<Item = Hold> + 'a {
    let repository = board.repository(&task.project);
    let keeps: Vec<&Freeze> = match (repository, task.escalated.is_some()) {
        (None, _) => Vec::new(),
        (Some(repository), true) => repository.freezes.iter().collect(),
        (Some(repository), false) => repository.freezes_before(&task.id).collect(),
    };
    keeps.into_iter().map(|freeze| Hold { kind: frozen_by(freeze, board), since: freeze.at })
}

/// What a freeze keeps, as people are told of it: a task that is over repairs nothing any more.
pub(crate) fn frozen_by(freeze: &Freeze, board: &Board) -> HoldKind {
    let is_over = |task| board.row(task).is_none_or(|row| row.stage.is_terminal());
    let over = freeze.task.as_ref().is_some_and(is_over);
    HoldKind::Frozen { cause: freeze.cause.clone(), task: freeze.task.clone(), over }
}

/// Since the deploy was judged: each look begins another step.
fn watched(task: &Task) -> Option<Hold> {
    let (watch, until) = (task.watch.as_ref()?, task.watched_until()?);
    let (looks, of, bad) = (watch.looks, watch.rules.looks(), watch.failed + watch.untold);
    let since = task.deployed.as_ref().map_or(task.step_since, |deployed| deployed.at);
    Some(Hold { kind: HoldKind::Watched { until, looks, of, bad }, since })
}

fn since_of(kind: &HoldKind, task: &Task, board: &Board) -> Moment {
    match kind {
        HoldKind::Paused { .. } => board.installation().pause.as_ref().map_or(task.step_since, |p| p.at),
        HoldKind::StoreDamaged { .. } => {
            board.installation().damaged.as_ref().map_or(task.step_since, |damaged| damaged.at)
        }
        HoldKind::DiskFull => board.installation().disk_full.unwrap_or(task.step_since),
        HoldKind::Frozen { cause, task: by, over: _ } => board
            .repository(&task.project)
            .and_then(|r| r.freezes.iter().find(|f| f.cause == *cause && f.task == *by))
            .map_or(task.step_since, |freeze| freeze.at),
        HoldKind::Retired => {
            board.project(&task.project).and_then(|project| project.retired).unwrap_or(task.step_since)
        }
        HoldKind::Escalated(_)
        | HoldKind::NotAsked
        | HoldKind::Questions
        | HoldKind::Approval
        | HoldKind::Protected { .. }
        | HoldKind::Confirmation { .. }
        | HoldKind::RequestChanged
        | HoldKind::IssueGone
        | HoldKind::MergedOutside { .. }
        | HoldKind::Withdrawn(_)
        | HoldKind::RunBudget { .. }
        | HoldKind::SettingsRefused { .. }
        | HoldKind::CannotTell { .. }
        | HoldKind::DeployUnseen { .. }
        | HoldKind::WentBad { .. }
        | HoldKind::WentSilent { .. }
        | HoldKind::Watched { .. }
        | HoldKind::Provider { .. }
        | HoldKind::TaskBudget { .. }
        | HoldKind::DayBudget { .. }
        | HoldKind::Serial { .. }
        | HoldKind::Lane { .. }
        | HoldKind::Slot { .. }
        | HoldKind::Turn { .. }
        | HoldKind::Stopping { .. }
        | HoldKind::RetryAt { .. }
        | HoldKind::NoPolicy { .. }
        | HoldKind::PolicyRefused { .. } => task.step_since,
    }
}

fn of_rest(task: &Task, rest: &Rest, policies: &Policies) -> Option<HoldKind> {
    Some(match rest {
        Rest::Start => HoldKind::NotAsked,
        Rest::Questions => HoldKind::Questions,
        Rest::Approval => HoldKind::Approval,
        Rest::Protected => HoldKind::Protected {
            paths: task.protected.as_ref().map(|protected| protected.paths.clone()).unwrap_or_default(),
        },
        Rest::Confirmation => HoldKind::Confirmation {
            deploys: policies.get(&task.project).is_none_or(|policy| policy.preset.deploys()),
        },
        Rest::RequestChanged => HoldKind::RequestChanged,
        Rest::IssueGone => HoldKind::IssueGone,
        Rest::MergedOutside => HoldKind::MergedOutside { commit: task.merged_outside()?.commit.clone() },
        Rest::Withdrawn => HoldKind::Withdrawn(task.withdrawn()?),
        Rest::RunBudget { tokens, limit } => HoldKind::RunBudget { tokens: *tokens, limit: *limit },
        Rest::CannotTell { cause } => HoldKind::CannotTell { cause: cause.clone() },
        Rest::DeployUnseen => HoldKind::DeployUnseen { commit: task.merged.as_ref()?.commit.clone() },
        Rest::WentBad { cause } => HoldKind::WentBad { cause: cause.clone() },
        Rest::WentSilent { cause } => HoldKind::WentSilent { cause: cause.clone() },
        Rest::Escalated => match &task.escalated {
            Some(escalation) => HoldKind::Escalated(escalation.why.clone()),
            None => HoldKind::Escalated(Why::Outside { cause: String::new().into() }),
        },
        Rest::Over => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::waiting;
    use crate::gesture::{Door, Gesture, Press};
    use crate::id::Entity;
    use crate::policy::Policy;
    use crate::state::{Installation, Pause, Repository, State};
    use crate::task::Want;

    /// Proves that a pause which lets begun work go on is never named as what a begun task waits for, and is where the task
    /// has still to start; a pause of everything is named for both.
    #[test]
    fn a_drain_holds_what_has_not_begun() {
        let gesture = |drain| Gesture {
            request: "one".to_owned(),
            by: "alice".to_owned(),
            via: Door::CommandLine,
            what: Press::Pause { drain },
        };
        let (entity, state) = waiting("demo", 1, Want::Lane);
        let State::Task(task) = &state else { panic!("a task") };
        let policies = Policies::from([("demo".into(), Policy::default())]);
        for (stage, drain, held) in [
            (Stage::Development, true, false),
            (Stage::Created, true, true),
            (Stage::Development, false, true),
            (Stage::Created, false, true),
        ] {
            let mut task = (**task).clone();
            task.stage = stage;
            task.step = Step::Rest(Rest::Approval);
            let mut board = Board::default();
            board.note(&entity, &State::Task(Box::new(task.clone())));
            let pause = Some(Pause { gesture: gesture(drain), at: Moment(7), drain });
            let installation = Installation { pause, ..Installation::default() };
            board.note(&Entity::Installation, &State::Installation(installation));
            let Standing::Held(holds) = standing(&task, &board, &policies, Moment(30)) else {
                panic!("held")
            };
            let paused = holds.iter().any(|hold| matches!(hold.kind, HoldKind::Paused { .. }));
            assert_eq!(paused, held, "{stage:?} {drain}");
        }
    }

    /// Proves that a task which a freeze keeps waits since that freeze, not since another or since it asked for its turn
    /// (decision 4: since the time of the event that made it true).
    #[test]
    fn a_task_waits_since_what_keeps_it() {
        let (entity, state) = waiting("demo", 1, Want::Lane);
        let State::Task(task) = &state else { panic!("a task") };
        let other = TaskId::from("demo-002");
        let freeze = |task: &TaskId, cause: FreezeCause, at| Freeze { cause, task: Some(task.clone()), at };
        // One that another task repairs, and that is younger than this task's own, keeps nobody (decision 61).
        let freezes = vec![
            freeze(&task.id, FreezeCause::DeployFailed, Moment(5)),
            freeze(&other, FreezeCause::WentBad, Moment(10)),
            freeze(&other, FreezeCause::UnprovenMerge, Moment(20)),
        ];
        let mut board = Board::default();
        board.note(&entity, &state);
        let repository = Repository { freezes, ..Repository::default() };
        board.note(&Entity::Repository("demo".into()), &State::Repository(repository));
        let policies = Policies::from([("demo".into(), Policy::default())]);
        let kind = HoldKind::Frozen { cause: FreezeCause::UnprovenMerge, task: Some(other), over: true };
        let hold = Hold { kind, since: Moment(20) };
        assert_eq!(standing(task, &board, &policies, Moment(30)), Standing::Held(vec![hold]));
    }
}
