//! Proves whose work counts as development in a round, and where what is to be mended goes.

use super::*;
use crate::call::Call;
use crate::call::git::GitCall;
use crate::change::Change;
use crate::desk::Desk;
use crate::rework::{Findings, Judge};
use crate::said::Said;
use crate::task::{Branch, Merged};
use crate::{decide, runs};

impl Way {
    fn with_branch(&self, change: impl FnOnce(&mut Branch)) -> Way {
        self.with(|task| change(task.branch.as_mut().expect("there is a branch")))
    }

    fn developed(&self) -> bool {
        runs::developed(&Desk::new(Box::new(self.task().clone()), &self.policy, Seq(999), Moment(999)))
    }
}

fn findings() -> Findings {
    Findings { from: Judge::Host, text: Said::RequirementsChanged.into(), link: String::new(), about: None }
}

/// Whoever goes on in development goes to the judges with what the developer left; what is to be mended, what is nobody's
/// development and what is nothing go to the developer first.
#[test]
fn only_what_was_developed_goes_on_to_its_judges() {
    let mut way = Way::begun(Preset::Library, Trouble::NoTests);
    while way.step().is_some() {}
    assert_eq!(way.task().stage, Stage::Development);
    let goes_to = |way: Way| match way.makes(decide::proceed).1.step {
        Step::Queued(want) => want,
        step => panic!("{step:?}"),
    };
    assert!(matches!(goes_to(way.clone()), Want::Ci(_)));
    for mended in [
        way.with(|task| task.findings = Some(findings())),
        way.with_branch(|branch| branch.developed = Some(0)),
        way.with_branch(|branch| branch.empty = true),
        way.with_branch(|branch| branch.change = None),
    ] {
        assert_eq!(goes_to(mended), Want::Agent(Role::Developer));
    }
}

/// The developer is told that requirements changed where there is a change that was written for others, and nowhere else
/// (decision 45).
#[test]
fn requirements_changed_for_what_is_there() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Architect), .. }));
    let change = Some(Digest::of(b"a change"));
    let told = |change: Option<Digest>, empty| {
        let way = way.with_branch(|branch| {
            (branch.developed, branch.change, branch.empty) = (Some(1), change, empty);
        });
        way.makes(|d| decide::enter(d, Stage::Development)).1.findings.is_some()
    };
    assert_eq!([told(change.clone(), false), told(change, true), told(None, false)], [true, false, false]);
}

/// Who pushes to a branch has developed from development on, and not before (decision 45).
#[test]
fn a_push_develops_from_development_on() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Architect), .. }));
    let pushed = |stage| {
        let way = way.with(|task| task.stage = stage);
        let branch = way.makes(|d| runs::take_over(d, &"pushed".into())).1.branch.expect("a branch");
        assert_eq!((&branch.head, branch.pushed), (&Commit::from("pushed"), true));
        branch.developed
    };
    assert_eq!([pushed(Stage::Analysis), pushed(Stage::Architecture)], [Some(0), Some(0)]);
    assert_eq!([pushed(Stage::Development), pushed(Stage::Review)], [Some(1), Some(1)]);
}

/// Where an older binary did not write down who developed, the first developer of the round tells: nobody else, and of no other
/// round.
#[test]
fn an_older_branch_was_developed_where_it_moved_on() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. }));
    let way = way.with_branch(|branch| branch.developed = None);
    assert!(!way.developed(), "the developer began at this head; analyst and architect did not");
    let moved = way.with_branch(|branch| branch.head = "further".into());
    assert!(moved.developed());
    assert!(!moved.with(|task| task.round = 2).developed(), "that developer was of the round before");
}

/// Who leaves everything as it was has done nothing, unless somebody pushed all of it before: under an older binary the conflict
/// alone says that they did (decision 15).
#[test]
fn who_pushed_may_have_done_all_of_it() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.asks(|ask| matches!(ask, Ask::Collect { role: Role::Developer, .. }));
    let fruitless = |developed: Option<u32>, conflicts: u32, pushed: bool| {
        let mut way = way
            .with_branch(|branch| (branch.developed, branch.pushed) = (developed, pushed))
            .with(|task| task.attempts.conflicts = conflicts);
        let effect = way.asks(|ask| matches!(ask, Ask::Collect { .. }));
        let left = way.left_as_it_was();
        let _ = way.answers(effect, left);
        way.task().attempts.fruitless == 1
    };
    assert_eq!([fruitless(None, 0, false), fruitless(None, 1, false)], [true, false]);
    assert_eq!([fruitless(Some(0), 1, false), fruitless(Some(0), 0, true)], [true, false]);
}

/// The analyst reads the request as it is when they begin; nobody else reads it for them.
#[test]
fn the_analyst_alone_reads_the_request() {
    let reads = |role: Role| {
        let mut way = Way::begun(Preset::Library, Trouble::None);
        way.until(|task| task.step == Step::Queued(Want::Agent(role)));
        let mut way = way.with(|task| task.unread = true);
        way.asks(|ask| matches!(ask, Ask::Launch { .. }));
        !way.task().unread
    };
    assert_eq!([reads(Role::Analyst), reads(Role::Architect)], [true, false]);
}

/// A proof looks whether what is deployed stays in main only after a merge, and while the lane is held (decision 75).
#[test]
fn what_is_deployed_is_looked_for_in_the_lane() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.asks(|ask| *ask == Ask::Prove);
    let out = Some(Commit::from("out"));
    let looked_for = |change: &dyn Fn(&mut Task)| {
        let way = way.with(|task| {
            task.previous = out.clone();
            change(task);
        });
        let told = way.makes(|d| d.ask(Ask::Prove, 0)).0;
        let of = |call: &Call| match call {
            Call::Git(GitCall::Prove { deployed, .. }) => Some(deployed.clone()),
            _ => None,
        };
        told.effects.iter().find_map(|effect| of(&effect.call)).expect("it is asked for")
    };
    assert_eq!(looked_for(&|_| ()), out);
    assert_eq!(looked_for(&|task| task.merged = None::<Merged>), None);
    assert_eq!(looked_for(&|task| task.lane = None), None);
}

/// What is to be mended in one stage later on stays when another stage is noted, or noted anew.
#[test]
fn each_stage_keeps_what_it_is_to_mend() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let noted = |stage, there: bool| Change::FoundLater { stage, findings: there.then(findings) };
    let changes = [
        noted(Stage::Architecture, true),
        noted(Stage::Development, true),
        noted(Stage::Development, true),
        noted(Stage::Architecture, false),
    ];
    let mut left = Vec::new();
    for change in changes {
        way.state = crate::apply::apply(
            way.state.take(),
            &entity(),
            (Seq(way.seq), Moment(0)),
            std::slice::from_ref(&change),
        );
        left.push(way.task().later.iter().map(|(stage, _)| *stage).collect::<Vec<_>>());
    }
    let (first, both) = (vec![Stage::Architecture], vec![Stage::Architecture, Stage::Development]);
    assert_eq!(left, [first, both.clone(), both, vec![Stage::Development]]);
}
