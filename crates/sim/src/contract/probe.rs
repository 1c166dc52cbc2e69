//! What does asking a deployed service promise? The real probe over HTTP and the simulator's run this same suite
//! (decisions 22, 36).

use orch_core::call::Failure;
use orch_core::call::deploy::Health;
use orch_core::id::Commit;

use super::{OutOfReach, keep, promises};

/// What the service is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployed {
    /// Nothing is deployed.
    Absent,
    /// It names this commit, and is well.
    Well(Commit),
    /// It names this commit, and is not well.
    Unwell(Commit),
    /// It is there, and says nothing that can be understood.
    Odd,
}

/// A deploy target that can be asked.
pub trait Stage {
    /// What it cannot bring about.
    const OUT_OF_REACH: &[OutOfReach] = &[];

    /// The service is like this from here on.
    fn is(&mut self, service: Deployed);
    /// Asks it, for this commit.
    fn ask(&mut self, commit: &Commit) -> Result<Health, Failure>;
}

/// Shows every promise; `make` gives a fresh stage each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn probe<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        who_names_the_commit_and_is_well_is_expected,
        who_names_another_commit_is_another,
        who_is_not_well_says_so,
        who_is_not_there_cannot_be_told,
        who_makes_no_sense_cannot_be_told,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn commit(digit: &str) -> Commit {
    Commit::from(digit.repeat(40))
}

/// Only the expected commit that is well is success, and asking changes nothing.
fn who_names_the_commit_and_is_well_is_expected<S: Stage>(stage: &mut S) {
    stage.is(Deployed::Well(commit("a")));
    for _ in 0..2 {
        assert_eq!(stage.ask(&commit("a")), Ok(Health::Expected));
    }
}

/// Who names another commit is another one, well or not: the deploy did not arrive.
fn who_names_another_commit_is_another<S: Stage>(stage: &mut S) {
    for service in [Deployed::Well(commit("b")), Deployed::Unwell(commit("b"))] {
        stage.is(service);
        assert_eq!(stage.ask(&commit("a")), Ok(Health::Other { commit: commit("b").to_string() }));
    }
}

/// The expected commit that is not well is no success.
fn who_is_not_well_says_so<S: Stage>(stage: &mut S) {
    stage.is(Deployed::Unwell(commit("a")));
    let health = stage.ask(&commit("a"));
    assert!(matches!(health, Ok(Health::Unwell { .. })), "{health:?}");
}

/// Where nobody answers it cannot be told: an answer of its own, no failure and no verdict (decision 36).
fn who_is_not_there_cannot_be_told<S: Stage>(stage: &mut S) {
    stage.is(Deployed::Absent);
    let health = stage.ask(&commit("a"));
    assert!(matches!(health, Ok(Health::CannotTell { .. })), "{health:?}");
}

/// The same where the answer means nothing.
fn who_makes_no_sense_cannot_be_told<S: Stage>(stage: &mut S) {
    stage.is(Deployed::Odd);
    let health = stage.ask(&commit("a"));
    assert!(matches!(health, Ok(Health::CannotTell { .. })), "{health:?}");
}
