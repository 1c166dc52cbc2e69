//! What does the start of a run promise, be it of an agent, of the tests or of a deploy hook? The real supervisor and the
//! simulator's run this same suite (decisions 3, 7, 14, 22).

use orch_core::call::{Failure, FailureKind, Text};
use orch_core::event::{RunEnd, RunHow};
use orch_core::id::{Commit, RunId, TaskId};
use orch_core::time::Span;

use super::repository::run;
use super::{OutOfReach, keep, once, promises};

pub use crate::world::works::SAID;

/// What the program of a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// It prints [`SAID`] and ends with this code.
    Ends(i32),
    /// It goes on until somebody ends it.
    Hangs,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Under which name.
    pub run: RunId,
    /// Whose.
    pub task: TaskId,
    /// On what.
    pub commit: Commit,
    /// Killed after this.
    pub limit: Span,
}

impl Order {
    /// Run `n` of the suite, on a commit that there is.
    fn of(n: u32) -> Self {
        Self { run: run(n), task: TaskId::from("DEMO-001"), commit: Commit::from(COMMIT), limit: LONG }
    }
}

/// A commit that every stage has.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// More than any of these takes.
const LONG: Span = Span::minutes(5);

/// What is seen of a run without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing of that name began.
    NotBegun,
    /// It lives.
    Alive,
    /// It does not live any more.
    Over,
    /// It cannot be told.
    CannotTell,
}

/// A machine on which one kind of run is started.
pub trait Stage {
    /// What it cannot bring about.
    const OUT_OF_REACH: &[OutOfReach] = &[];

    /// What the program of this run will do.
    fn will(&mut self, run: RunId, does: Does);
    /// Asks for the start: the supervisor's process id.
    fn start(&mut self, order: &Order) -> Result<u32, Failure>;
    /// Two hands ask for the same start at once.
    fn start_twice(&mut self, order: &Order) -> [Result<u32, Failure>; 2];
    /// From here on nobody says which program it is that runs start.
    fn unname(&mut self);
    /// Asks for the stop.
    fn stop(&mut self, run: RunId) -> Result<(), Failure>;
    /// Waits for the end and reads it.
    fn end(&mut self, run: RunId) -> RunEnd;
    /// What it said in the end, if that was read: the text goes with the end that names it.
    fn said(&mut self, run: RunId) -> Option<String>;
    /// Looks.
    fn seen(&mut self, run: RunId) -> Seen;
    /// How often the program of a run that is over, or lives for long, began.
    fn began(&mut self, run: RunId) -> usize;
    /// Kills the supervisor of a run whose program began; it leaves no record.
    fn lose(&mut self, run: RunId, pid: u32);
    /// Kills what outlived its supervisor. Nobody asks for a stop.
    fn bury(&mut self, run: RunId);
    /// Makes the record of a run unreadable, or readable again.
    fn hide(&mut self, run: RunId, hidden: bool);
}

/// Shows every promise; `make` gives a fresh stage each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn run_of<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        a_run_starts_once,
        two_hands_start_one_run,
        a_run_that_lives_is_found,
        a_run_that_nobody_started_has_not_begun,
        a_run_ends_with_its_code,
        a_code_of_its_own_is_told,
        a_failed_run_says_what_it_printed,
        an_end_is_told_again,
        a_run_ends_at_its_limit,
        a_stop_ends_it,
        a_stop_may_come_first,
        a_stop_may_come_too_late,
        a_stop_is_for_one_run,
        a_dead_supervisor_is_a_lost_run,
        a_lost_run_is_not_started_again,
        what_cannot_be_told_is_neither_life_nor_death,
        without_a_program_nothing_begins,
        a_name_alone_is_no_proof,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn started<S: Stage>(stage: &mut S, order: &Order, does: Does) -> u32 {
    stage.will(order.run, does);
    match stage.start(order) {
        Ok(pid) => pid,
        Err(failure) => panic!("{} is not started: {failure:?}", order.run),
    }
}

/// Asked again while it works and when it is over, it is found: the program began once (decision 1).
fn a_run_starts_once<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Ends(0));
    assert_eq!(stage.start(&order), Ok(pid));
    assert_eq!(stage.end(order.run).how, RunHow::Exited { code: 0 });
    assert_eq!(stage.start(&order), Ok(pid));
    assert_eq!((stage.began(order.run), stage.seen(order.run)), (1, Seen::Over));
}

/// Two who ask for it at once, as an old hand and its successor, start it once: whoever is not told of the process asks
/// again, and is (decision 1).
fn two_hands_start_one_run<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    stage.will(order.run, Does::Ends(0));
    let pid = once(stage.start_twice(&order), || stage.start(&order));
    assert_eq!(stage.end(order.run).how, RunHow::Exited { code: 0 });
    assert_eq!((stage.start(&order), stage.began(order.run)), (Ok(pid), 1));
}

/// A run that lives is seen alive, and asking for it again gives the same process (decision 7).
fn a_run_that_lives_is_found<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Hangs);
    assert_eq!(stage.seen(order.run), Seen::Alive);
    assert_eq!((stage.start(&order), stage.seen(order.run)), (Ok(pid), Seen::Alive));
}

/// A name that nobody started is not begun: neither alive nor dead.
fn a_run_that_nobody_started_has_not_begun<S: Stage>(stage: &mut S) {
    assert_eq!(stage.seen(run(1)), Seen::NotBegun);
    started(stage, &Order::of(1), Does::Ends(0));
    assert_eq!(stage.seen(run(2)), Seen::NotBegun);
}

/// The exit code is told as it is: 0 alone is well.
fn a_run_ends_with_its_code<S: Stage>(stage: &mut S) {
    ends_with(stage, &[1, 0]);
}

/// So is a code that is neither 0 nor 1: what it means is not the starter's to say (decision 22).
fn a_code_of_its_own_is_told<S: Stage>(stage: &mut S) {
    ends_with(stage, &[2]);
}

fn ends_with<S: Stage>(stage: &mut S, codes: &[i32]) {
    for (n, code) in (1..).zip(codes.iter().copied()) {
        let order = Order::of(n);
        started(stage, &order, Does::Ends(code));
        let end = stage.end(order.run);
        assert_eq!((end.run, end.how), (order.run, RunHow::Exited { code }));
    }
}

/// Who fails says what it printed, and the text goes with the end that names it: findings are made of it (decision 16).
fn a_failed_run_says_what_it_printed<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    started(stage, &order, Does::Ends(1));
    let end = stage.end(order.run);
    let said = stage.said(order.run).unwrap_or_default();
    assert!(said.contains(SAID), "{said:?}");
    assert_eq!(end.tail, Some(Text::of(&said)));
}

/// An end that was read and not written down is read again, the same.
fn an_end_is_told_again<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    started(stage, &order, Does::Ends(1));
    let end = stage.end(order.run);
    assert_eq!(stage.end(order.run), end);
}

/// Who does not end is ended at the limit, and it is said so: never taken for an answer (decision 36).
fn a_run_ends_at_its_limit<S: Stage>(stage: &mut S) {
    let order = Order { limit: Span(50), ..Order::of(1) };
    started(stage, &order, Does::Hangs);
    assert_eq!(stage.end(order.run).how, RunHow::TimedOut);
}

/// A stop ends a run, and may be asked for again (decision 7).
fn a_stop_ends_it<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    started(stage, &order, Does::Hangs);
    assert_eq!(stage.stop(order.run), Ok(()));
    assert_eq!(stage.stop(order.run), Ok(()));
    assert_eq!(stage.end(order.run).how, RunHow::Stopped);
    assert_eq!((stage.stop(order.run), stage.seen(order.run)), (Ok(()), Seen::Over));
}

/// A run that was stopped before it began does not begin any more: the start came late (decision 3).
fn a_stop_may_come_first<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    assert_eq!(stage.stop(order.run), Ok(()));
    stage.will(order.run, Does::Hangs);
    let kind = stage.start(&order).map_err(|failure| failure.kind);
    assert_eq!(kind, Err(FailureKind::Permanent));
    assert_eq!(stage.seen(order.run), Seen::NotBegun);
}

/// A stop that comes after the end changes nothing of it.
fn a_stop_may_come_too_late<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    started(stage, &order, Does::Ends(0));
    let end = stage.end(order.run);
    assert_eq!(stage.stop(order.run), Ok(()));
    assert_eq!(stage.end(order.run), end);
}

/// A stop is for the run that it names.
fn a_stop_is_for_one_run<S: Stage>(stage: &mut S) {
    let (one, other) = (Order::of(1), Order::of(2));
    started(stage, &one, Does::Hangs);
    started(stage, &other, Does::Hangs);
    assert_eq!(stage.stop(one.run), Ok(()));
    assert_eq!(stage.end(one.run).how, RunHow::Stopped);
    assert_eq!(stage.seen(other.run), Seen::Alive);
}

/// A supervisor that died without a word has lost its run: that is no exit of the program. A deploy hook that began outlives
/// it, until it ends or somebody ends it: a stop is for what is left of a run, too (decisions 3, 7).
fn a_dead_supervisor_is_a_lost_run<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Hangs);
    stage.lose(order.run, pid);
    assert_eq!(stage.stop(order.run), Ok(()));
    let end = stage.end(order.run);
    assert!(matches!(end.how, RunHow::Lost { .. }), "{:?}", end.how);
    assert_eq!(stage.seen(order.run), Seen::Over);
}

/// A run that was lost has begun: asked for again, which nobody need have stopped, it is found under its name and not started
/// once more, before and after its end was read. A lost deploy would be a second one (decisions 1, 3, 7).
fn a_lost_run_is_not_started_again<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Hangs);
    stage.lose(order.run, pid);
    stage.bury(order.run);
    for _ in 0..2 {
        assert_eq!((stage.start(&order), stage.seen(order.run)), (Ok(pid), Seen::Over));
        assert_eq!(stage.began(order.run), 1);
        // How it was lost is said as it is found: a dead process goes from the table when its parent looks.
        let end = stage.end(order.run);
        assert!(matches!(end.how, RunHow::Lost { .. }), "{:?}", end.how);
    }
}

/// Whether a run lives whose record cannot be read is an answer of its own: nothing is started or stopped, and nobody is
/// told of an end, until it can be told again (decision 36).
fn what_cannot_be_told_is_neither_life_nor_death<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Hangs);
    stage.hide(order.run, true);
    assert_eq!(stage.seen(order.run), Seen::CannotTell);
    let kind = |failure: Failure| failure.kind;
    assert_eq!(stage.start(&order).map_err(kind), Err(FailureKind::Unknown));
    assert_eq!(stage.stop(order.run).map_err(kind), Err(FailureKind::Unknown));
    stage.hide(order.run, false);
    assert_eq!(stage.seen(order.run), Seen::Alive);
    assert_eq!(stage.start(&order), Ok(pid));
    assert_eq!(stage.stop(order.run), Ok(()));
    assert_eq!(stage.end(order.run).how, RunHow::Stopped);
    // It may have been stopped before its first word.
    assert!(stage.began(order.run) <= 1);
}

/// Where nobody says which program it is, a start is refused for good: no command is no success (decision 36). What began
/// before is found all the same.
fn without_a_program_nothing_begins<S: Stage>(stage: &mut S) {
    let (before, after) = (Order::of(1), Order::of(2));
    let pid = started(stage, &before, Does::Hangs);
    stage.will(after.run, Does::Ends(0));
    stage.unname();
    assert_eq!(stage.start(&after).map_err(|failure| failure.kind), Err(FailureKind::Permanent));
    assert_eq!(stage.seen(after.run), Seen::NotBegun);
    assert_eq!((stage.start(&before), stage.seen(before.run)), (Ok(pid), Seen::Alive));
}

/// What is there under a name counts for its task and commit alone, as after a restore that gives names again.
fn a_name_alone_is_no_proof<S: Stage>(stage: &mut S) {
    let order = Order::of(1);
    let pid = started(stage, &order, Does::Ends(0));
    stage.end(order.run);
    let other_task = Order { task: TaskId::from("DEMO-002"), ..order.clone() };
    let other_commit = Order { commit: Commit::from("e".repeat(40)), ..order.clone() };
    for other in [other_task, other_commit] {
        let kind = stage.start(&other).map_err(|failure| failure.kind);
        assert_eq!(kind, Err(FailureKind::Permanent), "{other:?}");
    }
    assert_eq!((stage.start(&order), stage.began(order.run)), (Ok(pid), 1));
}
