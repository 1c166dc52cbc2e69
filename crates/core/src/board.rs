//! Whose turn is it? One small row an open task; order, limits, lanes and freezes are judged here and nowhere else
//! (decision 42).

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Grant, Turn};
use crate::gesture::Priority;
use crate::hold::HoldKind;
use crate::id::{Entity, ProjectId, ProviderId, Seq, TaskId};
use crate::others::day_of;
use crate::policy::Policy;
use crate::stage::{Role, Stage};
use crate::state::{Freeze, Installation, Project, Provider, Repository, State};
use crate::task::{Job, Rest, Step, Task};
use crate::time::Moment;

/// The policies in force, by project.
pub type Policies = BTreeMap<ProjectId, Policy>;

/// What the board knows of an open task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its project.
    pub project: ProjectId,
    /// Its number: the order of the serial gate.
    pub number: u64,
    /// Its urgency.
    pub priority: Priority,
    /// Where it stands.
    pub stage: Stage,
    /// What it waits for a turn for, and since which row.
    pub want: Option<(Turn, Seq)>,
    /// What it runs.
    pub live: Option<Live>,
    /// Whether it holds the merge lane.
    pub lane: bool,
    /// What it has cost, in millionths of a US dollar.
    pub spent: u64,
    /// Whether it waits for a person, after it began.
    pub rests: bool,
}

/// What counts against the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// An agent.
    Agent(Role),
    /// A gate's run.
    Gate,
    /// A deploy hook: no limit but the lane.
    Hook,
}

/// All open tasks, and what else decides about turns. Rebuilt at start, kept up to date by every new state.
#[derive(Debug, Clone, Default)]
pub struct Board {
    rows: BTreeMap<TaskId, Row>,
    wanting: BTreeMap<Class, BTreeSet<(Priority, Seq, TaskId)>>,
    busy: BTreeSet<TaskId>,
    begun: BTreeMap<ProjectId, BTreeMap<u64, TaskId>>,
    installation: Installation,
    repositories: BTreeMap<ProjectId, Repository>,
    projects: BTreeMap<ProjectId, Project>,
    providers: BTreeMap<ProviderId, Provider>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Lane,
    Gate,
    Agent,
    Start,
}

const fn class(turn: Turn) -> Class {
    match turn {
        Turn::Lane => Class::Lane,
        Turn::Gate => Class::Gate,
        Turn::Agent(_) => Class::Agent,
        Turn::Start => Class::Start,
    }
}

impl Row {
    fn of(task: &Task) -> Self {
        Row {
            project: task.project.clone(),
            number: task.number,
            priority: task.priority,
            stage: task.stage,
            want: crate::decide::wanted_turn(task).map(|turn| (turn, task.step_seq)),
            live: task.live_run().map(|(_, job)| match job {
                Job::Agent(role) => Live::Agent(role),
                Job::Ci(_) => Live::Gate,
                Job::Hook => Live::Hook,
            }),
            lane: task.lane.is_some(),
            spent: task.usage().microdollars.unwrap_or(0),
            rests: matches!(&task.step, Step::Rest(rest) if *rest != Rest::Start),
        }
    }

    /// Begun or asked for: what the serial gate counts (rows 140, 141).
    fn is_begun(&self) -> bool {
        self.stage != Stage::Created || matches!(self.want, Some((Turn::Start, _)))
    }
}

impl Board {
    /// Takes note of an entity's newest state.
    pub fn note(&mut self, entity: &Entity, state: &State) {
        match (entity, state) {
            (Entity::Task(id), State::Task(task)) => self.note_task(id, task),
            (Entity::Repository(id), State::Repository(state)) => {
                self.repositories.insert(id.clone(), state.clone());
            }
            (Entity::Project(id), State::Project(state)) => {
                self.projects.insert(id.clone(), state.clone());
            }
            (Entity::Provider(id), State::Provider(state)) => {
                self.providers.insert(id.clone(), state.clone());
            }
            (Entity::Installation, State::Installation(state)) => self.installation = state.clone(),
            (
                Entity::Task(_)
                | Entity::Repository(_)
                | Entity::Project(_)
                | Entity::Provider(_)
                | Entity::Installation,
                State::Task(_)
                | State::Repository(_)
                | State::Project(_)
                | State::Provider(_)
                | State::Installation(_),
            ) => {}
        }
    }

    fn note_task(&mut self, id: &TaskId, task: &Task) {
        if let Some(old) = self.rows.remove(id) {
            if let Some((turn, seq)) = old.want
                && let Some(set) = self.wanting.get_mut(&class(turn))
            {
                set.remove(&(old.priority, seq, id.clone()));
            }
            if let Some(begun) = self.begun.get_mut(&old.project) {
                begun.remove(&old.number);
            }
        }
        self.busy.remove(id);
        if task.stage.is_terminal() {
            return;
        }
        let row = Row::of(task);
        if let Some((turn, seq)) = row.want {
            self.wanting.entry(class(turn)).or_default().insert((row.priority, seq, id.clone()));
        }
        if row.live.is_some() || row.lane {
            self.busy.insert(id.clone());
        }
        if row.is_begun() {
            self.begun.entry(row.project.clone()).or_default().insert(row.number, id.clone());
        }
        self.rows.insert(id.clone(), row);
    }

    /// The installation's state.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// A repository's state.
    pub fn repository(&self, project: &ProjectId) -> Option<&Repository> {
        self.repositories.get(project)
    }

    /// A project's state.
    pub fn project(&self, project: &ProjectId) -> Option<&Project> {
        self.projects.get(project)
    }

    /// A provider's state.
    pub fn provider(&self, provider: &ProviderId) -> Option<&Provider> {
        self.providers.get(provider)
    }

    /// A task's row.
    pub fn row(&self, task: &TaskId) -> Option<&Row> {
        self.rows.get(task)
    }

    /// Open tasks that wait for a person after they began, of one project or of all.
    pub fn at_rest(&self, project: Option<&ProjectId>) -> Vec<TaskId> {
        let here = |row: &Row| row.rests && project.is_none_or(|project| row.project == *project);
        self.rows.iter().filter(|(_, row)| here(row)).map(|(id, _)| id.clone()).collect()
    }

    /// How many tasks wait for a turn.
    pub fn waiting(&self) -> usize {
        self.wanting.values().map(BTreeSet::len).sum()
    }

    /// How many tasks are open.
    pub fn open(&self) -> usize {
        self.rows.len()
    }

    /// Which task holds the lane of a project.
    pub fn lane_holder(&self, project: &ProjectId) -> Option<&TaskId> {
        self.busy.iter().find(|id| self.rows.get(*id).is_some_and(|row| row.lane && row.project == *project))
    }

    fn live(&self, counts: impl Fn(&Row, Live) -> bool) -> u32 {
        let rows = self.busy.iter().filter_map(|id| self.rows.get(id));
        let n = rows.filter(|row| row.live.is_some_and(|live| counts(row, live))).count();
        u32::try_from(n).unwrap_or(u32::MAX)
    }

    fn agents(&self) -> u32 {
        self.live(|_, live| matches!(live, Live::Agent(_)))
    }

    /// Whether the money of today takes one more run of an agent (decision 12).
    fn day_has_room(&self, now: Moment) -> bool {
        let limits = &self.installation.limits;
        let spent = if self.installation.day == day_of(now) { self.installation.spent } else { 0 };
        let reserved = limits.run_reserve.saturating_mul(u64::from(self.agents()) + 1);
        limits.day_budget == 0 || spent.saturating_add(reserved) <= limits.day_budget
    }

    fn others_freeze(&self, id: &TaskId, row: &Row) -> Option<&Freeze> {
        let freezes = &self.repositories.get(&row.project)?.freezes;
        freezes.iter().find(|freeze| freeze.task.as_ref() != Some(id))
    }

    /// The earlier task that a serial project waits for (rows 140, 141, 145).
    fn predecessor(&self, row: &Row) -> Option<&TaskId> {
        self.begun.get(&row.project)?.range(..row.number).next().map(|(_, id)| id)
    }

    /// Everything that keeps a turn from a task now, in the order in which people are told (decision 4).
    pub fn blockers(&self, id: &TaskId, turn: Turn, policies: &Policies, now: Moment) -> Vec<HoldKind> {
        let mut found = Vec::new();
        let Some(row) = self.rows.get(id) else { return found };
        let Some(policy) = policies.get(&row.project) else {
            return vec![HoldKind::NoPolicy { cause: None }];
        };
        let limits = &self.installation.limits;
        if let Some(pause) = &self.installation.pause
            && (!pause.drain || turn == Turn::Start)
        {
            found.push(HoldKind::Paused { by: pause.gesture.by.clone(), drain: pause.drain });
        }
        if self.installation.disk_full.is_some() {
            found.push(HoldKind::DiskFull);
        }
        if matches!(turn, Turn::Start | Turn::Lane)
            && let Some(freeze) = self.others_freeze(id, row)
        {
            found.push(HoldKind::Frozen { cause: freeze.cause.clone(), task: freeze.task.clone() });
        }
        if let Turn::Agent(role) = turn {
            if let Some(choice) = policy.agents.get(&role)
                && let Some(provider) = self.providers.get(&choice.provider)
                && let Some(until) = provider.closed_until.filter(|until| *until > now)
            {
                let (name, cause) = (choice.provider.clone(), provider.cause.clone());
                found.push(HoldKind::Provider { provider: name, until, cause });
            }
            if policy.task_budget > 0 && row.spent.saturating_add(limits.run_reserve) > policy.task_budget {
                found.push(HoldKind::TaskBudget { spent: row.spent, budget: policy.task_budget });
            }
            if !self.day_has_room(now) {
                found.push(HoldKind::DayBudget { budget: limits.day_budget });
            }
        }
        if turn == Turn::Start
            && policy.serial
            && let Some(earlier) = self.predecessor(row)
        {
            found.push(HoldKind::Serial { behind: earlier.clone() });
        }
        if turn == Turn::Lane
            && let Some(holder) = self.lane_holder(&row.project)
            && holder != id
        {
            found.push(HoldKind::Lane { holder: holder.clone() });
        }
        if self.slots_full(row, turn) {
            found.push(HoldKind::Slot { turn });
        }
        found
    }

    fn slots_full(&self, row: &Row, turn: Turn) -> bool {
        let limits = &self.installation.limits;
        match turn {
            Turn::Lane => false,
            Turn::Gate => self.live(|_, live| live == Live::Gate) >= limits.gates,
            Turn::Agent(role) => {
                self.agents() >= limits.agents
                    || self.live(|other, live| other.project == row.project && matches!(live, Live::Agent(_)))
                        >= limits.agents_a_project
                    || limits
                        .agents_a_role
                        .get(&role)
                        .is_some_and(|most| self.live(|_, live| live == Live::Agent(role)) >= *most)
            }
            // What has begun goes first: nothing begins while begun work waits for the agents that are left.
            Turn::Start => {
                let waiting = self.wanting.get(&Class::Agent).map_or(0, BTreeSet::len);
                self.agents() as usize + waiting >= limits.agents as usize
            }
        }
    }

    /// The turn that can be given now, if one can: given one at a time, because each changes what the next may have.
    pub fn turn(&self, policies: &Policies, now: Moment) -> Option<(TaskId, Grant)> {
        for (class, set) in &self.wanting {
            let full = match class {
                Class::Lane => false,
                Class::Gate => self.live(|_, live| live == Live::Gate) >= self.installation.limits.gates,
                Class::Agent => self.agents() >= self.installation.limits.agents,
                Class::Start => {
                    let paused = self.installation.pause.is_some();
                    paused
                        || set.iter().next().is_some_and(|(_, _, id)| {
                            self.rows.get(id).is_some_and(|row| self.slots_full(row, Turn::Start))
                        })
                }
            };
            if full {
                continue;
            }
            for (_, seq, id) in set {
                let Some((turn, _)) = self.rows.get(id).and_then(|row| row.want) else { continue };
                if self.blockers(id, turn, policies, now).is_empty() {
                    return Some((id.clone(), Grant { turn, wanted: *seq }));
                }
            }
        }
        None
    }

    /// When a closed provider opens next: turns are to be looked at again then.
    pub fn wakes_at(&self, now: Moment) -> Option<Moment> {
        self.providers.values().filter_map(|p| p.closed_until).filter(|until| *until > now).min()
    }
}

/// All turns that can be given now. `grant` must bring the board up to date after each one; the engine does it by
/// deciding the grant's event.
pub fn turns(
    board: &mut Board,
    policies: &Policies,
    now: Moment,
    mut grant: impl FnMut(&mut Board, TaskId, Grant),
) {
    let mut last: Option<(TaskId, Grant)> = None;
    while let Some((task, turn)) = board.turn(policies, now) {
        // A grant that changed nothing would be given for ever.
        if last.as_ref() == Some(&(task.clone(), turn.clone())) {
            return;
        }
        last = Some((task.clone(), turn.clone()));
        grant(board, task, turn);
    }
}
