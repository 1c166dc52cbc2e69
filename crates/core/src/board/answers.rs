//! What does the board answer? Each of its questions, with what is asked for and with what looks like it beside.

use super::tests::{crowd, policies, waiting};
use super::*;
use crate::event::FreezeCause;
use crate::gesture::{Door, Gesture, Press};
use crate::id::{RunId, TimerId};
use crate::policy::{Limits, WatchRules};
use crate::said::Cause;
use crate::task::{Ask, Delay, Job, Rest, Step, Want, Watch};
use crate::time::Span;

fn closed(until: i64) -> State {
    let provider = Provider {
        closed_until: Some(Moment(until)),
        cause: Cause::default(),
        refusals: 1,
        closed_at: None,
        closed_in: None,
        stepped: 0,
    };
    State::Provider(provider)
}

/// A task of "demo" or "other" that does what `step` says.
fn doing(project: &str, number: u64, step: Step) -> (Entity, State) {
    let (entity, state) = waiting(project, number, Want::Lane);
    let State::Task(mut task) = state else { panic!("a task") };
    task.step = step;
    (entity, State::Task(task))
}

fn agent(project: &str, number: u64, role: Role) -> (Entity, State) {
    doing(project, number, Step::Running { run: RunId::new(Seq(number), 0), job: Job::Agent(role) })
}

fn limited(limits: Limits) -> State {
    State::Installation(Installation { limits, ..Installation::default() })
}

fn noted(states: impl IntoIterator<Item = (Entity, State)>) -> Board {
    let mut board = Board::default();
    for (entity, state) in states {
        board.note(&entity, &state);
    }
    board
}

fn task(entity: &Entity) -> TaskId {
    match entity {
        Entity::Task(id) => id.clone(),
        Entity::Repository(_) | Entity::Project(_) | Entity::Provider(_) | Entity::Installation => {
            panic!("a task")
        }
    }
}

/// What was noted of each kind is found under its own name, and under no other.
#[test]
fn what_was_noted_is_found() {
    let policy = Some(crate::id::Digest::of(b"policy"));
    let project = Project { policy, refused: None, retired: None };
    let mut board = noted([
        (Entity::Project("demo".into()), State::Project(project.clone())),
        (Entity::Provider("p".into()), closed(10)),
        (Entity::Repository("demo".into()), State::Repository(Repository::default())),
    ]);
    assert_eq!((board.project(&"demo".into()), board.project(&"p".into())), (Some(&project), None));
    assert_eq!(board.provider(&"p".into()).and_then(|p| p.closed_until), Some(Moment(10)));
    assert_eq!(board.provider(&"demo".into()), None);
    assert!(board.repository(&"demo".into()).is_some() && board.repository(&"other".into()).is_none());
    assert_eq!(board.projects().count(), 1);
    assert_eq!(board.refusing_providers(), ["p".into()]);

    assert_eq!((board.open(), board.waiting()), (0, 0));
    let (first, state) = waiting("demo", 1, Want::Start);
    board.note(&first, &state);
    for (entity, state) in [waiting("demo", 2, Want::Lane), doing("demo", 3, Step::Rest(Rest::Start))] {
        board.note(&entity, &state);
    }
    assert_eq!((board.open(), board.waiting()), (3, 2));
    assert_eq!(board.row(&task(&first)).map(|row| row.number), Some(1));
    assert_eq!(board.row(&"demo-009".into()), None);
    assert_eq!(board.begun_of(&"demo".into()), ["demo-002".into(), "demo-003".into()]);
    assert_eq!(board.begun_of(&"other".into()), []);
}

/// Who waits for a person is found in its project and in all; who does not is not.
#[test]
fn who_rests_is_found() {
    let rest = || Step::Rest(Rest::Questions);
    let board = noted([doing("demo", 1, rest()), waiting("demo", 2, Want::Lane), doing("other", 3, rest())]);
    assert_eq!(board.at_rest(None), ["demo-001".into(), "other-003".into()]);
    assert_eq!(board.at_rest(Some(&"demo".into())), ["demo-001".into()]);
    assert_eq!(board.at_rest(Some(&"nobody".into())), []);
}

/// Slots are full when as many run as the limit says, of all, of a project, of a role; gates have their own.
#[test]
fn slots_are_counted() {
    let slot = |turn| vec![HoldKind::Slot { turn }];
    let kinds = |board: &Board, id: &str, turn| board.blockers(&id.into(), turn, &policies(false), Moment(0));
    let developer = Turn::Agent(Role::Developer);
    let role = |role, most| Limits { agents_a_role: [(role, most)].into(), ..Limits::default() };
    let all = |agents| Limits { agents, agents_a_project: 9, ..Limits::default() };
    let here = |agents_a_project| Limits { agents: 9, agents_a_project, ..Limits::default() };
    let running = [agent("demo", 1, Role::Developer), agent("other", 2, Role::Reviewer)];
    let reviewers = [agent("other", 3, Role::Reviewer), agent("other", 4, Role::Reviewer)];
    let mine = || waiting("demo", 9, Want::Agent(Role::Developer));
    let board = |limits: Limits| {
        noted(running.clone().into_iter().chain([mine(), (Entity::Installation, limited(limits))]))
    };
    for (limits, full) in [
        (all(2), true),
        (all(3), false),
        (here(1), true),
        (here(2), false),
        (role(Role::Developer, 1), true),
        (role(Role::Developer, 2), false),
        (role(Role::Reviewer, 1), false),
    ] {
        let said = kinds(&board(limits.clone()), "demo-009", developer);
        assert_eq!(said, if full { slot(developer) } else { vec![] }, "{limits:?}");
    }
    // Other roles have limits of their own.
    let states = running.into_iter().chain(reviewers).chain([mine()]);
    let limits = Limits { agents: 9, agents_a_project: 9, ..role(Role::Developer, 2) };
    let states = states.chain([(Entity::Installation, limited(limits))]);
    assert_eq!(kinds(&noted(states), "demo-009", developer), []);
    let gate = |number| {
        let run = RunId::new(Seq(number), 0);
        doing("demo", number, Step::Running { run, job: Job::Ci(crate::task::CiOf::Head) })
    };
    for (gates, full) in [(1, true), (2, false)] {
        let limits = Limits { gates, ..Limits::default() };
        // Agents are no gates.
        let agents = [agent("demo", 2, Role::Developer), agent("demo", 3, Role::Developer)];
        let states = [gate(1), mine(), (Entity::Installation, limited(limits))].into_iter().chain(agents);
        assert_eq!(
            kinds(&noted(states), "demo-009", Turn::Gate),
            if full { slot(Turn::Gate) } else { vec![] }
        );
    }
}

/// A pause keeps all back, a drain only those that have not begun.
#[test]
fn a_drain_lets_go_on_what_has_begun() {
    let by = |drain| {
        let gesture = Gesture {
            request: "r".to_owned(),
            by: "ann".to_owned(),
            via: Door::CommandLine,
            what: Press::Pause { drain },
        };
        Installation {
            pause: Some(crate::state::Pause { gesture, at: Moment(0), drain }),
            ..Installation::default()
        }
    };
    for (drain, turn, kept) in [
        (false, Turn::Lane, true),
        (false, Turn::Start, true),
        (true, Turn::Lane, false),
        (true, Turn::Start, true),
    ] {
        let mut board = crowd("demo", 1..=1, Want::Lane);
        board.note(&Entity::Installation, &State::Installation(by(drain)));
        let said = board.blockers(&"demo-001".into(), turn, &policies(false), Moment(0));
        let paused = vec![HoldKind::Paused { by: "ann".to_owned(), drain }];
        assert_eq!(said, if kept { paused } else { vec![] }, "{drain} {turn:?}");
    }
}

/// A budget may be spent to its last cent, reserve included, and a provider is asked again at the moment it opens.
#[test]
fn budgets_and_outages_end_where_they_say() {
    let turn = Turn::Agent(Role::Developer);
    let kinds = |reserve: u64, now: i64| {
        let mut board = crowd("demo", 1..=1, Want::Agent(Role::Developer));
        let limits = Limits { run_reserve: reserve, day_budget: 0, ..Limits::default() };
        board.note(&Entity::Installation, &limited(limits));
        board.note(&Entity::Provider("p".into()), &closed(10));
        let mut policies = policies(false);
        policies.values_mut().for_each(|policy| policy.task_budget = 100);
        board.blockers(&"demo-001".into(), turn, &policies, Moment(now))
    };
    assert_eq!(kinds(100, 10), []);
    assert_eq!(kinds(101, 10), [HoldKind::TaskBudget { spent: 0, budget: 100 }]);
    assert_eq!(
        kinds(100, 9),
        [HoldKind::Provider { provider: "p".into(), until: Moment(10), cause: Cause::default() }]
    );
}

/// Who gets the lane is told which commit came out last; who gets another turn is not.
#[test]
fn the_lane_comes_with_what_is_deployed() {
    let commit = Some(Commit::from("c"));
    for (want, told) in [(Want::Lane, commit.clone()), (Want::Agent(Role::Developer), None)] {
        let mut board = crowd("demo", 1..=1, want);
        let freezes =
            vec![Freeze { cause: FreezeCause::DeployFailed, task: Some("demo-001".into()), at: Moment(0) }];
        let repository = Repository { deployed: commit.clone(), freezes, ..Repository::default() };
        board.note(&Entity::Repository("demo".into()), &State::Repository(repository));
        let (id, grant) = board.turn(&policies(false), Moment(0)).expect("its own freeze keeps nobody");
        assert_eq!((id.as_str(), grant.deployed), ("demo-001", told));
    }
}

/// For whom production is watched is known with the moment of the last look, if all are good; who waits for another reason is
/// none of them (decision 69).
#[test]
fn who_is_watched_is_known() {
    let waits = |number: u64, ask: Ask| {
        let due = Moment(1_000);
        let cause = Delay::NotYet { cause: Cause::from("soon") };
        let step = Step::Backoff { timer: TimerId::new(Seq(number), 0), due, ask, tries: 1, cause };
        let (entity, state) = doing("demo", number, step);
        let State::Task(mut task) = state else { panic!("a task") };
        let rules = WatchRules { window: Span::seconds(90), every: Span::seconds(30), failures: 3 };
        task.watch = Some(Box::new(Watch::new(rules, None)));
        task.lane = Some(Seq(1));
        (entity, State::Task(task))
    };
    let (watched, other) = (waits(1, Ask::Watch), waits(2, Ask::Probe));
    let id = task(&watched.0);
    let board = noted([watched, other]);
    assert_eq!(board.watched().collect::<Vec<_>>(), [(&id, Moment(1_000).after(Span::seconds(60)))]);
}
