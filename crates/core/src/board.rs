//! Whose turn is it? One small row an open task; order, limits, lanes and freezes are judged here and nowhere else
//! (decision 42).

mod row;

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Grant, Turn};
use crate::gesture::Priority;
use crate::hold::{self, HoldKind};
use crate::id::{Commit, Entity, ProjectId, ProviderId, Seq, TaskId};
use crate::policy::Policy;
use crate::stage::{Role, Stage};
use crate::state::{Freeze, Installation, Project, Provider, Repository, State};
use crate::time::Moment;

pub use row::{Entry, Live, ROWS, Row, Tree};

/// The policies in force, by project.
pub type Policies = BTreeMap<ProjectId, Policy>;

/// All open tasks, and what else decides about turns. Rebuilt at start, kept up to date by every new state.
#[derive(Debug, Clone, Default)]
pub struct Board {
    rows: BTreeMap<TaskId, Row>,
    wanting: BTreeMap<Class, BTreeMap<Crowd, BTreeSet<Waiting>>>,
    busy: BTreeSet<TaskId>,
    begun: BTreeMap<ProjectId, BTreeSet<TaskId>>,
    /// Tasks that a budget does not keep from their next run.
    allowed: BTreeSet<TaskId>,
    asked: BTreeMap<ProjectId, BTreeSet<(u64, TaskId)>>,
    installation: Installation,
    repositories: BTreeMap<ProjectId, Repository>,
    projects: BTreeMap<ProjectId, Project>,
    providers: BTreeMap<ProviderId, Provider>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Merge,
    Lane,
    Gate,
    Agent,
    Start,
}

/// Tasks that wait for the same thing: what keeps a turn from one keeps it from all of them, but for a few that are
/// known by name. So a look at the board costs as much as there are crowds, not tasks.
type Crowd = (ProjectId, Turn);

/// A task in its crowd: the more urgent first, then who waits longest.
type Waiting = (Priority, Seq, TaskId);

const fn class(turn: Turn) -> Class {
    match turn {
        Turn::Merge => Class::Merge,
        Turn::Lane => Class::Lane,
        Turn::Gate => Class::Gate,
        Turn::Agent(_) => Class::Agent,
        Turn::Start => Class::Start,
    }
}

impl Board {
    /// Takes note of an open entity at a start.
    pub fn enter(&mut self, entry: Entry) {
        match entry {
            Entry::Task(id, row) => self.note_task(&id, Some(row)),
            Entry::Other(entity, state) => self.note(&entity, &state),
        }
    }

    /// Takes note of an entity's newest state.
    pub fn note(&mut self, entity: &Entity, state: &State) {
        match (entity, state) {
            (Entity::Task(id), State::Task(task)) => self.note_task(id, Row::of(task)),
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

    fn note_task(&mut self, id: &TaskId, row: Option<Row>) {
        // Most events change nothing that the board knows.
        if self.rows.get(id) == row.as_ref() {
            return;
        }
        if let Some(old) = self.rows.remove(id) {
            if let Some((turn, seq)) = old.want
                && let Some(crowds) = self.wanting.get_mut(&class(turn))
            {
                let crowd = (old.project.clone(), turn);
                if let Some(set) = crowds.get_mut(&crowd) {
                    set.remove(&(old.rank(), seq, id.clone()));
                    if set.is_empty() {
                        crowds.remove(&crowd);
                    }
                }
                if crowds.is_empty() {
                    self.wanting.remove(&class(turn));
                }
            }
            if let Some(begun) = self.begun.get_mut(&old.project) {
                begun.remove(id);
            }
            if let Some(asked) = self.asked.get_mut(&old.project) {
                asked.remove(&(old.number, id.clone()));
            }
        }
        self.busy.remove(id);
        self.allowed.remove(id);
        let Some(row) = row else { return };
        if let Some((turn, seq)) = row.want {
            let crowd = (row.project.clone(), turn);
            let crowds = self.wanting.entry(class(turn)).or_default();
            crowds.entry(crowd).or_default().insert((row.rank(), seq, id.clone()));
        }
        if row.live.is_some() || row.lane {
            self.busy.insert(id.clone());
        }
        if row.allowed {
            self.allowed.insert(id.clone());
        }
        // What the serial gate counts (rows 140, 141).
        if row.stage.is_terminal() {
            // Only what of it may live counts still.
        } else if row.stage != Stage::Created {
            self.begun.entry(row.project.clone()).or_default().insert(id.clone());
        } else if matches!(row.want, Some((Turn::Start, _))) {
            self.asked.entry(row.project.clone()).or_default().insert((row.number, id.clone()));
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

    /// The providers that closed and have not worked since, whether the wait is over or not.
    pub fn refusing_providers(&self) -> Vec<ProviderId> {
        let refused = |provider: &Provider| provider.closed_until.is_some();
        self.providers.iter().filter(|(_, provider)| refused(provider)).map(|(id, _)| id.clone()).collect()
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

    /// Open tasks of a project that have begun: those that may have a branch.
    pub fn begun_of(&self, project: &ProjectId) -> Vec<TaskId> {
        self.begun.get(project).into_iter().flatten().cloned().collect()
    }

    /// The projects that are known.
    pub fn projects(&self) -> impl Iterator<Item = (&ProjectId, &Project)> {
        self.projects.iter()
    }

    /// How many tasks wait for a turn.
    pub fn waiting(&self) -> usize {
        self.wanting.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum()
    }

    /// How many tasks are open.
    pub fn open(&self) -> usize {
        self.rows.values().filter(|row| !row.stage.is_terminal()).count()
    }

    /// Which task holds the lane of a project.
    pub fn lane_holder(&self, project: &ProjectId) -> Option<&TaskId> {
        self.busy.iter().find(|id| self.rows.get(*id).is_some_and(|row| row.lane && row.project == *project))
    }

    /// For which tasks production is watched, and until about when.
    pub fn watched(&self) -> impl Iterator<Item = (&TaskId, Moment)> {
        self.busy.iter().filter_map(|id| Some((id, self.rows.get(id)?.watched?)))
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
        let spent = self.installation.spent_on_the_day_of(now);
        let reserved = limits.run_reserve.saturating_mul(u64::from(self.agents()) + 1);
        limits.day_budget == 0 || spent.saturating_add(reserved) <= limits.day_budget
    }

    fn others_freeze(&self, id: &TaskId, row: &Row) -> Option<&Freeze> {
        self.repositories.get(&row.project)?.freezes_before(id).next()
    }

    /// The earlier task that a serial project waits for (rows 140, 141, 145).
    fn predecessor(&self, id: &TaskId, row: &Row) -> Option<&TaskId> {
        let begun = self.begun.get(&row.project).and_then(|begun| begun.iter().find(|other| *other != id));
        begun.or_else(|| {
            let (_, first) = self.asked.get(&row.project)?.first()?;
            (first != id).then_some(first)
        })
    }

    /// Everything that keeps a turn from a task now, in the order in which people are told (decision 4).
    pub fn blockers(&self, id: &TaskId, turn: Turn, policies: &Policies, now: Moment) -> Vec<HoldKind> {
        let mut found = Vec::new();
        let Some(row) = self.rows.get(id) else { return found };
        let Some(policy) = policies.get(&row.project) else {
            return vec![HoldKind::NoPolicy { cause: None }];
        };
        let limits = &self.installation.limits;
        if let Some(damaged) = &self.installation.damaged {
            found.push(HoldKind::StoreDamaged { cause: damaged.cause.clone() });
        }
        if let Some(pause) = &self.installation.pause
            && (!pause.drain || turn == Turn::Start)
        {
            found.push(HoldKind::Paused { by: pause.gesture.by.clone(), drain: pause.drain });
        }
        if self.installation.disk_full.is_some() {
            found.push(HoldKind::DiskFull);
        }
        if self.projects.get(&row.project).is_some_and(|project| project.retired.is_some()) {
            found.push(HoldKind::Retired);
        }
        if matches!(turn, Turn::Start | Turn::Lane | Turn::Merge)
            && let Some(freeze) = self.others_freeze(id, row)
        {
            found.push(hold::frozen_by(freeze, self));
        }
        if let Turn::Agent(role) = turn {
            if let Some(choice) = policy.agents.get(&role)
                && let Some(provider) = self.providers.get(&choice.provider)
                && let Some(until) = provider.closed_until.filter(|until| *until > now)
            {
                let (name, cause) = (choice.provider.clone(), provider.cause.clone());
                found.push(HoldKind::Provider { provider: name, until, cause });
            }
            let task_spent = row.spent.saturating_add(limits.run_reserve) > policy.task_budget;
            if policy.task_budget > 0 && task_spent && !row.allowed {
                found.push(HoldKind::TaskBudget { spent: row.spent, budget: policy.task_budget });
            }
            if !row.allowed && !self.day_has_room(now) {
                found.push(HoldKind::DayBudget { budget: limits.day_budget });
            }
        }
        if turn == Turn::Start
            && policy.serial
            && let Some(earlier) = self.predecessor(id, row)
        {
            found.push(HoldKind::Serial { behind: earlier.clone() });
        }
        if turn == Turn::Lane
            && let Some(holder) = self.lane_holder(&row.project)
            && holder != id
        {
            let (until, rests) = self.rows.get(holder).map_or((None, false), |row| (row.watched, row.rests));
            found.push(HoldKind::Lane { holder: holder.clone(), until, rests });
        }
        if self.slots_full(row, turn) {
            found.push(HoldKind::Slot { turn });
        }
        found
    }

    fn slots_full(&self, row: &Row, turn: Turn) -> bool {
        let limits = &self.installation.limits;
        match turn {
            Turn::Lane | Turn::Merge => false,
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
            // A beginning needs an agent at once: more begin only as slots are left (row 144).
            Turn::Start => {
                let beginning = |row: &Row| matches!(row.live, Some(Live::Beginning));
                let begin = self.busy.iter().filter_map(|id| self.rows.get(id)).filter(|row| beginning(row));
                let (mut all, mut here) = (0u32, 0u32);
                for other in begin {
                    all += 1;
                    here += u32::from(other.project == row.project);
                }
                let of_project =
                    self.live(|other, live| other.project == row.project && matches!(live, Live::Agent(_)));
                let analysts = self.live(|_, live| live == Live::Agent(Role::Analyst));
                self.agents() + all >= limits.agents
                    || of_project + here >= limits.agents_a_project
                    || limits.agents_a_role.get(&Role::Analyst).is_some_and(|most| analysts + all >= *most)
            }
        }
    }

    /// The turn that can be given now, if one can: given one at a time, because each changes what the next may have.
    /// What has begun goes first; among equals the more urgent, then who waits longest.
    pub fn turn(&self, policies: &Policies, now: Moment) -> Option<(TaskId, Grant)> {
        self.find(policies, now, &mut 0)
    }

    /// The same, counting the tasks that were looked at.
    fn find(&self, policies: &Policies, now: Moment, looks: &mut usize) -> Option<(TaskId, Grant)> {
        for crowds in self.wanting.values() {
            let mut best: Option<&Waiting> = None;
            for (crowd, set) in crowds {
                let next = self.first_free(crowd, set, policies, now, looks);
                best = match (best, next) {
                    (Some(best), Some(next)) => Some(best.min(next)),
                    (best, next) => best.or(next),
                };
            }
            if let Some((_, seq, id)) = best
                && let Some((turn, _)) = self.rows.get(id).and_then(|row| row.want)
            {
                let gives_way = self.gives_way(id, turn, policies, now);
                let deployed = self.deployed(id, turn);
                return Some((id.clone(), Grant { turn, wanted: *seq, deployed, gives_way }));
            }
        }
        None
    }

    /// Whether the holder of the lane waits to merge behind a freeze whose repair needs nothing but the lane: neither would
    /// ever go on.
    fn gives_way(&self, id: &TaskId, turn: Turn, policies: &Policies, now: Moment) -> bool {
        let Some(repository) = self
            .rows
            .get(id)
            .filter(|_| turn == Turn::Merge)
            .and_then(|row| self.repositories.get(&row.project))
        else {
            return false;
        };
        let behind = |kind: &HoldKind| matches!(kind, HoldKind::Lane { holder, .. } if holder == id);
        let repairs = |task: &TaskId| {
            let wants = self.rows.get(task).and_then(|row| row.want);
            wants.is_some_and(|(turn, _)| turn == Turn::Lane)
                && self.blockers(task, Turn::Lane, policies, now).iter().all(behind)
        };
        repository.freezes.iter().filter_map(|freeze| freeze.task.as_ref()).any(repairs)
    }

    /// What the holder of the lane is to know of the last deploy.
    fn deployed(&self, id: &TaskId, turn: Turn) -> Option<Commit> {
        let repository = self.rows.get(id).and_then(|row| self.repositories.get(&row.project));
        repository.filter(|_| turn == Turn::Lane)?.deployed.clone()
    }

    /// The first of a crowd that nothing keeps from its turn.
    fn first_free<'a>(
        &'a self,
        (project, turn): &Crowd,
        set: &'a BTreeSet<Waiting>,
        policies: &Policies,
        now: Moment,
        looks: &mut usize,
    ) -> Option<&'a Waiting> {
        let serial = *turn == Turn::Start && policies.get(project).is_some_and(|policy| policy.serial);
        // Of a serial project only one can be next.
        let only = serial.then(|| self.asked.get(project).and_then(|asked| asked.first())).flatten();
        for waiting in set.iter().filter(|(_, _, id)| only.is_none_or(|(_, first)| first == id)) {
            *looks += 1;
            let blockers = self.blockers(&waiting.2, *turn, policies, now);
            if blockers.is_empty() || self.gives_way(&waiting.2, *turn, policies, now) {
                return Some(waiting);
            }
            let own = |kind: &HoldKind| matches!(kind, HoldKind::TaskBudget { .. });
            if blockers.iter().all(own) {
                continue;
            }
            // What keeps this one keeps all of the crowd, but for those whose own freeze it is, and those that a person
            // allowed one more run.
            let repository = self.repositories.get(project);
            let exempt = repository.into_iter().flat_map(|r| &r.freezes).filter_map(|f| f.task.as_ref());
            return exempt
                .chain(&self.allowed)
                .filter_map(|id| Some((id, self.rows.get(id)?)))
                .filter_map(|(id, row)| set.get(&(row.rank(), row.want?.1, id.clone())))
                .filter(|(_, _, id)| {
                    *looks += 1;
                    self.blockers(id, *turn, policies, now).is_empty()
                })
                .min();
        }
        None
    }

    /// When turns are to be looked at again although nothing happens: a closed provider opens, a spent day is over.
    pub fn wakes_at(&self, now: Moment) -> Option<Moment> {
        let waits = self.wanting.contains_key(&Class::Agent);
        let opens = self.providers.values().filter_map(|p| p.closed_until).filter(|until| *until > now).min();
        let tomorrow =
            (waits && !self.day_has_room(now)).then(|| self.installation.limits.calendar.next_day(now));
        [opens, tomorrow].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod answers;
#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::call::Text;
    use crate::call::tracker::{IssueReading, Labels, Status};
    use crate::change::Change;
    use crate::event::FreezeCause;
    use crate::id::{IssueKey, RunId, WorkItem};
    use crate::policy::{AgentChoice, Limits};
    use crate::task::{Ask, Job, Step, Want};

    /// A task that waits for a turn.
    pub(crate) fn waiting(project: &str, number: u64, want: Want) -> (Entity, State) {
        let id = TaskId::of(&WorkItem::numbered(project, number), 1);
        let entity = Entity::Task(id.clone());
        let reading = IssueReading {
            issue: IssueKey::from(format!("{project}-{number}")),
            number,
            status: Some(Status::ToAnalyse),
            title: Text::of("t"),
            slug: "t".to_owned(),
            text: Text::of("t"),
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let stage = if want == Want::Start { Stage::Created } else { Stage::Development };
        let changes = [
            Change::Born { id, project: project.into(), reading: Box::new(reading) },
            Change::Staged(stage),
            Change::Stepped(Box::new(Step::Queued(want))),
        ];
        let state = crate::apply::apply(None, &entity, (Seq(number), Moment(0)), &changes).expect("born");
        (entity, state)
    }

    pub(super) fn crowd(project: &str, numbers: std::ops::RangeInclusive<u64>, want: Want) -> Board {
        let mut board = Board::default();
        for number in numbers {
            let (entity, state) = waiting(project, number, want);
            board.note(&entity, &state);
        }
        board
    }

    pub(super) fn policies(serial: bool) -> Policies {
        let choice = AgentChoice { agent: "a".to_owned(), provider: "p".into() };
        let agents = Role::ALL.into_iter().map(|role| (role, choice.clone())).collect();
        let policy = Policy { agents, serial, ..Policy::default() };
        Policies::from([("demo".into(), policy.clone()), ("other".into(), policy)])
    }

    /// Proves that a look at 10,000 tasks that all wait for the same thing costs as much as a look at one: what keeps
    /// one of a crowd from its turn keeps all of it.
    #[test]
    fn a_look_costs_as_many_looks_as_there_are_crowds() {
        let closed = Provider {
            closed_until: Some(Moment(10)),
            cause: crate::said::Cause::default(),
            refusals: 1,
            closed_at: None,
            closed_in: None,
            stepped: 0,
        };
        let mut board = crowd("demo", 1..=10_000, Want::Agent(Role::Developer));
        board.note(&Entity::Provider("p".into()), &State::Provider(closed));
        let mut looks = 0;
        assert_eq!(board.find(&policies(false), Moment(0), &mut looks), None);
        assert_eq!(looks, 1);
        assert_eq!(board.wakes_at(Moment(0)), Some(Moment(10)));
        assert_eq!(board.wakes_at(Moment(10)), None, "it is open: nobody wakes for that again");

        let freeze =
            Freeze { cause: FreezeCause::DeployFailed, task: Some("demo-9000".into()), at: Moment(0) };
        let frozen = Repository { freezes: vec![freeze], ..Repository::default() };
        let mut board = crowd("demo", 1..=10_000, Want::Lane);
        board.note(&Entity::Repository("demo".into()), &State::Repository(frozen));
        let mut looks = 0;
        let (next, _) =
            board.find(&policies(false), Moment(0), &mut looks).expect("its own freeze keeps nobody");
        assert_eq!((next.as_str(), looks), ("demo-9000", 2));

        let board = crowd("demo", 1..=10_000, Want::Start);
        let mut looks = 0;
        let (next, _) = board.find(&policies(true), Moment(0), &mut looks).expect("the first");
        assert_eq!((next.as_str(), looks), ("demo-001", 1));
    }

    /// Proves that a project whose tasks all wait for money keeps nobody else from beginning, and that among those who
    /// may have a turn the most urgent gets it, then who waits longest.
    #[test]
    fn who_cannot_go_on_keeps_nobody_back() {
        let mut board = crowd("demo", 1..=50, Want::Agent(Role::Developer));
        for number in 1..=50 {
            let (entity, state) = waiting("demo", number, Want::Agent(Role::Developer));
            let State::Task(mut task) = state else { panic!("a task") };
            task.runs.push(std::sync::Arc::new(crate::task::RunRow {
                run: crate::id::RunId::new(Seq(1), 0),
                job: Job::Agent(Role::Developer),
                round: 1,
                commit: "c".into(),
                agent: None,
                at: Moment(0),
                end: Some(crate::event::RunHow::TimedOut),
                wall: crate::time::Span(0),
                usage: crate::event::Usage { microdollars: Some(50_000_000), ..Default::default() },
                left_out: 0,
                allowed: None,
                definition: None,
                provider: None,
                lacked: None,
            }));
            board.note(&entity, &State::Task(task));
        }
        for number in [7, 8, 9] {
            let (entity, state) = waiting("other", number, Want::Start);
            let State::Task(mut task) = state else { panic!("a task") };
            task.priority = if number == 9 { Priority::Urgent } else { Priority::Normal };
            board.note(&entity, &State::Task(task));
        }
        let (next, grant) = board.turn(&policies(false), Moment(0)).expect("other projects go on");
        assert_eq!((next.as_str(), grant.turn), ("other-009", Turn::Start));
    }

    /// Proves that the tests of who holds the lane wait for those of nobody else (decision 20).
    #[test]
    fn the_tests_of_the_lane_are_urgent() {
        let mut board = crowd("demo", 1..=3, Want::Ci(crate::task::CiOf::Head));
        let (entity, State::Task(mut task)) = waiting("demo", 4, Want::Ci(crate::task::CiOf::Candidate))
        else {
            panic!()
        };
        (task.priority, task.lane) = (Priority::Low, Some(Seq(1)));
        board.note(&entity, &State::Task(task));
        let next = board.turn(&policies(false), Moment(0)).map(|(id, _)| id.to_string());
        assert_eq!(next.as_deref(), Some("demo-004"));
    }

    /// Proves that a row is stored in at most 200 bytes (decision 51), that it reads back as it was,
    /// and that what is no row is refused. Another form needs another number of [`ROWS`].
    #[test]
    fn a_row_is_small_and_reads_back() {
        let (_, state) = waiting("demo", 7, Want::Agent(Role::Developer));
        let State::Task(mut task) = state else { panic!("a task") };
        let row = Row::of(&task).expect("it is open");
        expect_test::expect![[r#"["demo",7,"normal","development",[{"agent":"developer"},7],null,false,0,false,false,null,null]"#]]
        .assert_eq(&row.to_text());
        assert_eq!(Row::from_text(&row.to_text()), Some(row));
        task.project = "a-project-with-a-name-as-long-as-a-project-may-have-one".into();
        let run = RunId::new(Seq(123_456_789), 3);
        task.step = Step::Running { run, job: Job::Agent(Role::Developer) };
        task.lane = Some(Seq(1));
        task.number = 1_000_000;
        let row = Row { spent: 123_456_789, ..Row::of(&task).expect("it is open") };
        assert_eq!(row.tree, Some(Tree { run, began: true }));
        assert!(row.to_text().len() <= 200, "{}", row.to_text());
        assert_eq!(Row::from_text(&row.to_text()), Some(row));
        task.stage = Stage::Done;
        assert_eq!(Row::of(&task), None);
        for text in ["", "null", "[]", r#"["demo",7]"#] {
            assert_eq!(Row::from_text(text), None);
        }
        assert_eq!(ROWS, 2);
    }

    /// Proves that a spent day is over at midnight without anybody doing anything (decision 12).
    #[test]
    fn a_spent_day_ends() {
        let mut board = crowd("demo", 1..=1, Want::Agent(Role::Developer));
        let spent = Installation { spent: 100_000_000, ..Installation::default() };
        board.note(&Entity::Installation, &State::Installation(spent));
        assert_eq!(board.turn(&policies(false), Moment(5)), None);
        let midnight = Moment(86_400_000);
        assert_eq!(board.wakes_at(Moment(5)), Some(midnight));
        assert!(board.turn(&policies(false), midnight).is_some());
    }

    /// Proves that a budget of 0 is none: whoever sets it is not kept from work by it (decision 12).
    #[test]
    fn a_budget_of_nothing_keeps_nobody() {
        let mut board = crowd("demo", 1..=1, Want::Agent(Role::Developer));
        let limits = Limits { day_budget: 0, ..Limits::default() };
        let installation = Installation { spent: 100_000_000, limits, ..Installation::default() };
        board.note(&Entity::Installation, &State::Installation(installation));
        let mut policies = policies(false);
        assert!(board.turn(&policies, Moment(0)).is_some());
        policies.values_mut().for_each(|policy| policy.task_budget = 0);
        assert!(board.turn(&policies, Moment(0)).is_some());
    }

    /// Proves that each limit of agents keeps a turn back by itself, and only the turns that it is about. What begins counts
    /// as the analyst that it needs at once (row 144).
    #[test]
    fn each_limit_holds_by_itself() {
        let begins = Ask::CutBranch { plain: true };
        let asked = Step::Asked { effect: crate::id::EffectId::new(Seq(1), 0), ask: begins, tries: 0 };
        let works = Step::Running { run: RunId::new(Seq(1), 0), job: Job::Agent(Role::Developer) };
        let busy = |agents, agents_a_project, a_role: &[(Role, u32)], project: &str| {
            let mut board = crowd(project, 1..=1, Want::Start);
            for (number, step) in [(2, works.clone()), (3, asked.clone())] {
                let (entity, state) = waiting("demo", number, Want::Start);
                let State::Task(mut task) = state else { panic!("a task") };
                task.step = step;
                board.note(&entity, &State::Task(task));
            }
            let agents_a_role = a_role.iter().copied().collect();
            let limits = Limits { agents, agents_a_project, agents_a_role, ..Limits::default() };
            let installation = Installation { limits, ..Installation::default() };
            board.note(&Entity::Installation, &State::Installation(installation));
            let id = TaskId::of(&WorkItem::numbered(project, 1), 1);
            [Turn::Start, Turn::Agent(Role::Developer), Turn::Agent(Role::Reviewer)].map(|turn| {
                board.blockers(&id, turn, &policies(false), Moment(0)) == [HoldKind::Slot { turn }]
            })
        };
        let (none, all): (&[_], _) = (&[], [true, true, true]);
        assert_eq!(busy(3, 3, none, "demo"), [false; 3]);
        assert_eq!(busy(2, 3, none, "demo"), [true, false, false], "one begins and will need an agent");
        assert_eq!(busy(1, 3, none, "demo"), all);
        assert_eq!(busy(3, 2, none, "demo"), [true, false, false]);
        assert_eq!(busy(3, 1, none, "demo"), all);
        assert_eq!(busy(3, 1, none, "other"), [false; 3], "another project's agents");
        assert_eq!(busy(3, 3, &[(Role::Developer, 1)], "other"), [false, true, false]);
        assert_eq!(busy(3, 3, &[(Role::Developer, 2)], "other"), [false; 3]);
        assert_eq!(busy(3, 3, &[(Role::Analyst, 1)], "other"), [true, false, false]);
        assert_eq!(busy(3, 3, &[(Role::Analyst, 2)], "other"), [false; 3]);
    }

    /// Proves that a lane keeps back those of its project who want the lane, and nobody else (decision 20).
    #[test]
    fn each_project_has_its_own_lane() {
        let mut board = crowd("demo", 1..=1, Want::Lane);
        for (project, number, lane) in [("demo", 2, true), ("other", 1, false), ("third", 1, true)] {
            let (entity, state) = waiting(project, number, Want::Lane);
            let State::Task(mut task) = state else { panic!("a task") };
            task.lane = lane.then_some(Seq(1));
            board.note(&entity, &State::Task(task));
        }
        let kept = |id: &str, turn| board.blockers(&id.into(), turn, &policies(false), Moment(0));
        assert_eq!(
            kept("demo-001", Turn::Lane),
            [HoldKind::Lane { holder: "demo-002".into(), until: None, rests: false }]
        );
        assert_eq!(kept("demo-001", Turn::Gate), []);
        assert_eq!(kept("demo-002", Turn::Lane), [], "its own");
        assert_eq!(kept("other-001", Turn::Lane), []);
    }
}
