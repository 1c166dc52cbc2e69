//! Proves what follows from what, without a world around it: one task on its way, whose questions are answered by hand.

mod beside;
mod deploys;
mod edges;
mod presses;
mod rounds;

use std::collections::BTreeMap;

use super::*;
use crate::artefact::{self, Artefact, FileVerdict};
use crate::call::agent::AgentReply;
use crate::call::deploy::Health;
use crate::call::gate::GateReply;
use crate::call::git::{Candidate, Collected, Proof, Protected};
use crate::call::tracker::{IssueReading, Labels, Status};
use crate::call::{Failure, Text};
use crate::event::{BranchReading, IssueSeen, Usage};
use crate::gesture::{Door, Gesture, Press};
use crate::id::{Commit, Digest, EffectId, Seq, Tree};
use crate::policy::AgentChoice;
use crate::rework::MAX_DEVELOPER_RUNS;
use crate::stage::{Preset, Role};
use crate::time::{Moment, Span};

/// What goes wrong on the way, each time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// The tests are red.
    Red,
    /// The verdict file of a role is negative.
    Negative(Role),
    /// The developer leaves nothing.
    Nothing,
    /// No run of the tests can start.
    NoTests,
    /// What a role writes touches protected paths.
    Protected(Role),
}

/// A task on its way.
#[derive(Clone)]
struct Way {
    state: Option<State>,
    seq: u64,
    policy: Policy,
    trouble: Trouble,
    /// What was asked of the outside.
    asked: BTreeMap<EffectId, &'static str>,
}

fn entity() -> Entity {
    Entity::Task("DEMO-001".into())
}

fn end(run: crate::id::RunId, how: RunHow) -> Event {
    let (wall, usage) = (Span::seconds(1), Usage::default());
    Event::RunEnded(Box::new(RunEnd { run, how, wall, usage, tail: None, left_out: 0 }))
}

fn reply(effect: EffectId, answer: Reply) -> Event {
    Event::Reply(Box::new(EffectReply { effect, outcome: Outcome::Done(answer) }))
}

impl Way {
    /// A task that was asked for on the board.
    fn begun(preset: Preset, trouble: Trouble) -> Self {
        let choice = AgentChoice { agent: "a".to_owned(), provider: "p".into() };
        let agents = Role::ALL.into_iter().map(|role| (role, choice.clone())).collect();
        let (test, deploys) = (vec!["test".to_owned()], preset.deploys());
        let policy = Policy { preset, agents, test, hook: deploys, probe: deploys, ..Policy::default() };
        let mut way = Self { state: None, seq: 0, policy, trouble, asked: BTreeMap::new() };
        let reading = IssueReading {
            issue: "demo-1".into(),
            number: 1,
            status: Some(Status::ToAnalyse),
            title: Text::of("Add a flag"),
            slug: "add-a-flag".to_owned(),
            text: Text::of("please"),
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let _ = way.tell(Event::Issue(Box::new(IssueSeen { project: "demo".into(), reading })));
        way
    }

    fn task(&self) -> &Task {
        match &self.state {
            Some(State::Task(task)) => task,
            _ => panic!("there is no task"),
        }
    }

    /// Something happens. What is decided is the same whether the state after it is wanted or not, and that state is what
    /// the changes make of the one before: a journal folds to what was decided upon (decision 39).
    fn tell(&mut self, event: Event) -> Decision {
        self.seq += 1;
        let at = Moment(i64::try_from(self.seq).expect("few rows") * 1000);
        let stamped = Stamped { seq: Seq(self.seq), at, event: &event };
        let before = self.state.take();
        let alone = decide(&entity(), before.as_ref(), &stamped, &self.policy);
        let folded = apply_stamped(before.clone(), &entity(), &stamped, &alone.changes);
        let (decision, after) = decide_and_apply(&entity(), before, &stamped, &self.policy);
        assert_eq!((&decision, &after), (&alone, &folded));
        self.asked.extend(decision.effects.iter().map(|effect| (effect.id, effect.call.name())));
        self.state = after;
        decision
    }

    fn press(&self, what: Press) -> Event {
        let (request, by) = (format!("r{}", self.seq), "ann".to_owned());
        Event::Gesture(Gesture { request, by, via: Door::CommandLine, what })
    }

    /// What comes next where nobody but the one that is waited for does anything; `None` where it is over or a person must
    /// decide about trouble.
    fn next(&self) -> Option<Event> {
        let task = self.task();
        Some(match &task.step {
            Step::Queued(want) => Event::Granted(Grant {
                turn: want.turn(),
                wanted: task.step_seq,
                deployed: None,
                gives_way: false,
            }),
            Step::Asked { effect, ask, .. } => reply(*effect, self.answer(ask)),
            Step::Running { run, job } => end(*run, self.ends(*job)),
            Step::Backoff { timer, .. } => Event::Timer(*timer),
            Step::Rest(Rest::Approval | Rest::Protected) => self.press(Press::Approve { what: None }),
            Step::Rest(Rest::Confirmation) => self.press(Press::Confirm { what: None }),
            Step::Rest(_) => return None,
        })
    }

    fn ends(&self, job: Job) -> RunHow {
        match (self.trouble, job) {
            (Trouble::Red, Job::Ci(_)) => RunHow::Exited { code: 1 },
            (Trouble::NoTests, Job::Ci(_)) => RunHow::Lost { cause: "gone".into() },
            _ => RunHow::Exited { code: 0 },
        }
    }

    /// What is collected after who left everything as it was.
    fn left_as_it_was(&self) -> Reply {
        let branch = self.task().branch.clone().expect("a branch");
        let left = Collected {
            head: branch.head,
            tree: branch.tree.expect("a tree"),
            change: branch.change.expect("a change"),
            empty: false,
            artefacts: self.task().artefacts.clone(),
            outside: Vec::new(),
            protected: None,
        };
        Reply::Git(GitReply::Collected(Box::new(left)))
    }

    fn answer(&self, ask: &Ask) -> Reply {
        let task = self.task();
        let (main, tree) = (Commit::from("main"), Tree::from("tree"));
        let commit = Commit::from("candidate");
        let change = Digest::of(format!("work {}", task.attempts.negative).as_bytes());
        match ask {
            Ask::CutBranch { .. } => {
                let branch = "feature/DEMO-001-add-a-flag".to_owned();
                Reply::Git(GitReply::BranchCut { branch, head: main.clone(), base: main })
            }
            Ask::Launch { job: Job::Agent(_), .. } => Reply::Agent(AgentReply::Launched { pid: 1 }),
            Ask::Launch { job: Job::Ci(_), .. } => Reply::Gate(GateReply::Launched { pid: 1 }),
            Ask::Launch { job: Job::Hook, .. } => Reply::Deploy(DeployReply::Launched { pid: 1 }),
            Ask::Collect { run, role } => {
                let left = Collected {
                    head: Commit::from(run.to_string()),
                    tree: Tree::from(run.to_string()),
                    change,
                    empty: self.trouble == Trouble::Nothing,
                    artefacts: self.files(*role).into(),
                    outside: Vec::new(),
                    protected: self.protected(*role),
                };
                Reply::Git(GitReply::Collected(Box::new(left)))
            }
            Ask::OpenChange => Reply::Forge(ForgeReply::ChangeOpened { change: 1 }),
            Ask::Candidate => Reply::Git(GitReply::Candidate(Candidate { commit, tree, main, change })),
            Ask::Merge => Reply::Forge(ForgeReply::Merged { commit, tree }),
            Ask::Prove => {
                Reply::Git(GitReply::Proof(Proof { main: commit, ancestor: true, tree, taken_along: false }))
            }
            Ask::Probe | Ask::Watch => Reply::Deploy(DeployReply::Probed(Health::Expected)),
            Ask::Restore | Ask::Reason { .. } => panic!("nobody took anything away or rejected anything"),
        }
    }

    /// What stands in protected paths after a run of a role: it stays in the change.
    fn protected(&self, role: Role) -> Option<Protected> {
        let touched = self.trouble == Trouble::Protected(role) || self.task().protected.is_some();
        touched.then(|| Protected { paths: vec!["tests/CODEOWNERS".to_owned()], diff: Digest::of(b"owners") })
    }

    /// What is on the branch after a run of a role.
    fn files(&self, role: Role) -> Vec<Artefact> {
        let mut files = self.task().artefacts.to_vec();
        files.iter_mut().for_each(|file| file.fresh = false);
        for name in artefact::required(role) {
            let judges = matches!(role, Role::Reviewer | Role::Tester);
            let verdict = match self.trouble == Trouble::Negative(role) {
                true => FileVerdict::Negative,
                false => FileVerdict::Positive,
            };
            let name = if name.ends_with('/') { format!("{name}ADR-001.md") } else { (*name).to_owned() };
            files.retain(|file| file.name != name);
            let (digest, verdict) = (Digest::of(name.as_bytes()), judges.then_some(verdict));
            files.push(Artefact { name, digest, fresh: true, verdict, excerpt: None });
        }
        files
    }

    /// One step further; what was asked of the outside by it. `None` at the end.
    fn step(&mut self) -> Option<Vec<&'static str>> {
        let event = self.next()?;
        assert!(self.seq < 300, "it goes round for ever: {:?}", self.task().step);
        let decision = self.tell(event);
        Some(decision.effects.iter().map(|effect| effect.call.name()).collect())
    }

    fn runs(&self, job: Job) -> usize {
        self.task().runs.iter().filter(|row| row.job == job).count()
    }
}

/// Proves the course of a task that meets no trouble: what is asked of the outside, in which order, and that nothing of it
/// comes before the gate or the person that it waits for (row 1, decisions 6 and 41).
#[test]
fn the_whole_way() {
    let way = |preset| {
        let mut way = Way::begun(preset, Trouble::None);
        let mut lines = Vec::new();
        let mut stage = String::new();
        loop {
            let task = way.task();
            if task.stage.name() != stage {
                stage = task.stage.name().to_owned();
                lines.push(format!("{stage}:"));
            }
            if let Step::Rest(rest) = &task.step {
                lines.push(format!("  waits: {rest:?}"));
            }
            match way.step() {
                Some(asked) => lines.extend(asked.into_iter().map(|call| format!("  {call}"))),
                None => return lines.join("\n"),
            }
        }
    };
    expect_test::expect![[r#"
        created:
          git/cut_branch
          tracker/set_status
        analysis:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          tracker/comment
          waits: Approval
        architecture:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
        development:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          forge/open_change
          gate/ci
          git/drop_tree
          forge/set_commit_status
        review:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
        testing:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          git/build_candidate
        deploy-staging:
          gate/ci
          git/drop_tree
          forge/set_commit_status
          tracker/comment
        deploy:
          waits: Confirmation
          git/build_candidate
          forge/merge
          git/prove
          tracker/comment
          deploy/hook
          deploy/probe
          tracker/comment
          git/write_record
        done:
          waits: Over"#]]
    .assert_eq(&way(Preset::Full));
    expect_test::expect![[r#"
        created:
          git/cut_branch
          tracker/set_status
        analysis:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          tracker/comment
          waits: Approval
        architecture:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
        development:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          forge/open_change
          gate/ci
          git/drop_tree
          forge/set_commit_status
        review:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
        testing:
          agent/launch
          git/collect
          git/drop_tree
          tracker/comment
          git/build_candidate
          gate/ci
          git/drop_tree
          forge/set_commit_status
          forge/merge
          git/prove
          tracker/comment
        done:
          waits: Over"#]]
    .assert_eq(&way(Preset::Library));
}

/// Proves decision 3 at every point of the way: a turn, a timer, an answer or the end of a run that is not the one waited
/// for changes nothing, asks for nothing and tells nobody, however often it comes.
#[test]
fn what_nobody_waits_for_changes_nothing() {
    for trouble in [Trouble::None, Trouble::NoTests, Trouble::Red] {
        let mut way = Way::begun(Preset::Full, trouble);
        let mut points = 0;
        loop {
            let task = way.task();
            let (nobodys, old) = (Seq(99_999), Seq(task.step_seq.0.saturating_sub(1)));
            let mut stale = vec![
                Event::Timer(crate::id::TimerId::new(nobodys, 0)),
                end(crate::id::RunId::new(nobodys, 0), RunHow::Exited { code: 0 }),
            ];
            for turn in [Turn::Start, Turn::Lane, Turn::Merge, Turn::Gate, Turn::Agent(Role::Developer)] {
                let waited_for = matches!(&task.step, Step::Queued(want) if want.turn() == turn);
                let wanted = if waited_for { old } else { task.step_seq };
                stale.push(Event::Granted(Grant { turn, wanted, deployed: None, gives_way: false }));
            }
            let over = task.runs.iter().filter(|row| row.end.is_some());
            stale.extend(over.map(|row| end(row.run, RunHow::Exited { code: 0 })));
            let open = match &task.step {
                Step::Asked { effect, .. } => Some(*effect),
                Step::Rest(_) | Step::Queued(_) | Step::Running { .. } | Step::Backoff { .. } => None,
            };
            let moves = |call: &&'static str| {
                !["tracker/set_status", "git/write_record", "agent/stop"].contains(call)
            };
            let others = way.asked.iter().filter(|(id, call)| open != Some(**id) && moves(call));
            for id in others.map(|(id, _)| *id).chain([EffectId::new(nobodys, 0)]) {
                stale.push(reply(id, Reply::Agent(AgentReply::Launched { pid: 2 })));
                stale.push(reply(id, Reply::Git(GitReply::BranchMoved { head: Commit::from("x") })));
                let outcome = Outcome::Failed(Failure::permanent("no"));
                stale.push(Event::Reply(Box::new(EffectReply { effect: id, outcome })));
            }
            for event in stale {
                let said = format!("{event:?} at {:?}", task.step);
                let told = way.clone().tell(event);
                assert!(!told.reasons.is_empty(), "{said}");
                let nothing = Decision { reasons: told.reasons.clone(), ..Decision::default() };
                assert_eq!(told, nothing, "{said}");
                points += 1;
            }
            if way.step().is_none() {
                break;
            }
        }
        assert!(points > 500, "{points}");
    }
}

/// Proves that there is one budget of rework: the third negative judgement asks a person, whoever judged, and nothing was
/// merged (decision 15).
#[test]
fn the_third_judgement_ends_it_whoever_judges() {
    for trouble in [Trouble::Red, Trouble::Negative(Role::Reviewer), Trouble::Negative(Role::Tester)] {
        let mut way = Way::begun(Preset::Library, trouble);
        while way.step().is_some() {}
        let task = way.task();
        assert_eq!(task.step, Step::Rest(Rest::Escalated));
        assert_eq!(task.escalated.as_ref().map(|escalation| &escalation.why), Some(&Why::RoundsSpent));
        assert_eq!(way.runs(Job::Agent(Role::Developer)), 3);
        assert_eq!((task.attempts.negative, MAX_DEVELOPER_RUNS), (3, 3));
        assert!(task.merged.is_none() && task.lane.is_none());
    }
}

/// Proves that what brings nothing is tried again and not for ever, and that neither a run without fruit nor a machine that
/// starts no tests costs the developer a round (decisions 14, 15).
#[test]
fn what_brings_nothing_is_not_tried_for_ever() {
    let mut way = Way::begun(Preset::Library, Trouble::Nothing);
    while way.step().is_some() {}
    assert!(matches!(way.task().escalated.as_ref().map(|e| &e.why), Some(Why::Fruitless { .. })));
    assert_eq!((way.runs(Job::Agent(Role::Developer)), way.task().attempts.negative), (3, 0));

    let mut way = Way::begun(Preset::Library, Trouble::NoTests);
    while way.step().is_some() {}
    assert!(matches!(way.task().escalated.as_ref().map(|e| &e.why), Some(Why::Machine { .. })));
    assert_eq!((way.runs(Job::Agent(Role::Developer)), way.task().attempts.negative), (1, 0));
    // What failed only for a while is forgotten as soon as it works.
    let mut way = Way::begun(Preset::Library, Trouble::NoTests);
    while way.task().attempts.machine < 3 {
        way.step().expect("it is tried again");
    }
    way.trouble = Trouble::None;
    while way.step().is_some() {}
    assert_eq!((way.task().stage, way.task().attempts.machine), (Stage::Done, 0));
}

/// Proves that a consent counts only where it was asked for, and for what was asked (decision 37): an Approved or a Confirm
/// Deploy of anything else moves nothing, at no point of the way.
#[test]
fn a_consent_is_to_what_was_asked() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    let (mut approvals, mut confirmations) = (0, 0);
    loop {
        let other = || Some(Digest::of(b"another change"));
        let mut pressed = vec![Press::Approve { what: other() }, Press::Confirm { what: other() }];
        match &way.task().step {
            Step::Rest(Rest::Approval) => {
                approvals += 1;
                pressed.push(Press::Confirm { what: None });
            }
            Step::Rest(Rest::Confirmation) => {
                confirmations += 1;
                pressed.push(Press::Approve { what: None });
            }
            Step::Rest(_)
            | Step::Queued(_)
            | Step::Asked { .. }
            | Step::Running { .. }
            | Step::Backoff { .. } => {
                pressed.extend([Press::Approve { what: None }, Press::Confirm { what: None }]);
            }
        }
        for what in pressed {
            let said = format!("{what:?} at {:?}", way.task().step);
            let told = way.clone().tell(way.press(what));
            assert!(matches!(told.reasons[..], [Reason::GestureWithoutEffect { .. }]), "{said}");
            let nothing = Decision { reasons: told.reasons.clone(), ..Decision::default() };
            assert_eq!(told, nothing, "{said}");
        }
        if way.step().is_none() {
            break;
        }
    }
    assert_eq!((approvals, confirmations), (1, 1));
}

/// Proves that STOP ends a task wherever it stands, at once or after the merge and deploy that are under way; that what runs
/// is stopped, and that neither lane, branch nor change request stays (rows 146 to 150).
#[test]
fn a_stop_ends_it_at_every_point() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    let mut deferred = 0;
    while way.task().stage != Stage::Done {
        let mut stopped = way.clone();
        let before = way.task();
        let said = format!("{:?}", before.step);
        let mut asked: Vec<&str> = Vec::new();
        let answer = way.next();
        let told = stopped.tell(way.press(Press::Stop));
        asked.extend(told.effects.iter().map(|effect| effect.call.name()));
        if before.is_critical() {
            deferred += 1;
            assert_ne!(stopped.task().stage, Stage::Cancelled, "{said}");
            while let Some(more) = stopped.step() {
                asked.extend(more);
            }
        } else if let (Step::Asked { .. }, Some(answer)) = (&before.step, answer) {
            // It was on its way, and is undone when it is told.
            asked.extend(stopped.tell(answer).effects.iter().map(|effect| effect.call.name()));
        }
        let after = stopped.task();
        assert_eq!((after.stage, &after.step), (Stage::Cancelled, &Step::Rest(Rest::Over)), "{said}");
        assert!(after.lane.is_none(), "{said}");
        let has_branch = after.branch.is_some() || asked.contains(&"git/cut_branch");
        let cuts = matches!(before.step, Step::Asked { ask: Ask::CutBranch { .. }, .. });
        assert_eq!(asked.contains(&"forge/delete_branch"), has_branch || cuts, "{said}: {asked:?}");
        if before.change_request.is_some() && after.merged.is_none() {
            assert!(asked.contains(&"forge/close_change"), "{said}: {asked:?}");
        }
        if matches!(before.step, Step::Running { .. }) && !before.is_critical() {
            assert!(asked.contains(&"agent/stop"), "{said}: {asked:?}");
        }
        way.step();
    }
    assert!(deferred > 3, "{deferred}");
}

/// Proves decision 8 for each role that writes into the change: what it touches of protected paths waits for a person before
/// anything else is judged or merged, once, and goes on from there when that person approved it.
#[test]
fn protected_paths_wait_for_a_person_whoever_wrote_them() {
    for preset in [Preset::Full, Preset::Library] {
        for (role, stage) in [(Role::Developer, Stage::Development), (Role::Tester, Stage::Testing)] {
            let mut way = Way::begun(preset, Trouble::Protected(role));
            let mut asked = Vec::new();
            let mut waited = Vec::new();
            while let Some(calls) = way.step() {
                if way.task().step == Step::Rest(Rest::Protected) {
                    waited.push(way.task().stage);
                    assert!(!asked.contains(&"forge/merge"), "{preset:?}, {role:?}: merged already");
                }
                asked.extend(calls);
            }
            assert_eq!((way.task().stage, waited), (Stage::Done, vec![stage]), "{preset:?}, {role:?}");
        }
    }
}

/// Proves decision 8 against a detour: while a person is waited for, somebody deletes the branch and has it brought back. What
/// was not approved before that waits as it did.
#[test]
fn a_branch_that_comes_back_is_not_approved_by_that() {
    for preset in [Preset::Full, Preset::Library] {
        for role in [Role::Developer, Role::Tester] {
            let mut way = Way::begun(preset, Trouble::Protected(role));
            while way.task().step != Step::Rest(Rest::Protected) {
                way.step();
            }
            let branch = way.task().branch.clone().expect("there is a branch").name;
            let deleted = BranchReading { branch, there: false, open: false, in_main: None };
            let _ = way.tell(Event::Branch(Box::new(deleted)));
            assert_eq!(way.task().step, Step::Rest(Rest::Withdrawn));
            let _ = way.tell(way.press(Press::Continue));
            let Step::Asked { effect, ask: Ask::Restore, .. } = way.task().step else {
                panic!("not brought back")
            };
            let _ = way.tell(reply(effect, Reply::Forge(ForgeReply::Restored)));
            let mut asked = Vec::new();
            while way.task().step != Step::Rest(Rest::Protected) {
                asked.extend(way.step().expect("nobody is waited for"));
                assert!(!asked.contains(&"forge/merge"), "{preset:?}, {role:?}: merged without a word");
            }
        }
    }
}
