//! Proves what happens at the edges: the second try, the last one, the same once more, the one beside.

use super::*;
use crate::call::FailureKind;
use crate::call::tracker::{Comment, TrackerReply};
use crate::gesture::Priority;
use crate::rework::{Judge, MAX_CONFLICTS};
use crate::task::Delay;

impl Way {
    /// Goes on until this is the step.
    pub(super) fn until(&mut self, wanted: impl Fn(&Task) -> bool) -> &mut Self {
        while !wanted(self.task()) {
            self.step().expect("it comes to that");
        }
        self
    }

    /// Goes on until this is asked for.
    pub(super) fn asks(&mut self, wanted: impl Fn(&Ask) -> bool) -> EffectId {
        let asked = |task: &Task| match &task.step {
            Step::Asked { effect, ask, .. } if wanted(ask) => Some(*effect),
            _ => None,
        };
        self.until(|task| asked(task).is_some());
        asked(self.task()).expect("it is asked for")
    }

    pub(super) fn fails(&mut self, effect: EffectId, kind: FailureKind) -> Decision {
        let failure = Failure { kind, ..Failure::permanent("no") };
        self.tell(Event::Reply(Box::new(EffectReply { effect, outcome: Outcome::Failed(failure) })))
    }

    pub(super) fn answers(&mut self, effect: EffectId, answer: Reply) -> Decision {
        self.tell(reply(effect, answer))
    }

    /// The task's issue as the tracker has it now.
    pub(super) fn reading(&self) -> IssueReading {
        let task = self.task();
        IssueReading {
            issue: task.issue.clone(),
            number: task.number,
            status: task.board.shows,
            title: task.request.title.clone(),
            slug: task.request.slug.clone(),
            text: task.request.text.clone(),
            labels: task.labels,
            present: task.request.present,
            revision: task.revision,
        }
    }

    pub(super) fn reads(&mut self, change: impl FnOnce(&mut IssueReading)) -> Decision {
        let mut reading = self.reading();
        change(&mut reading);
        self.tell(Event::Issue(Box::new(IssueSeen { project: "demo".into(), reading })))
    }
}

/// A hook that is refused when it is asked for the first time did not run. Refused at a later try it may run since the first:
/// then the service is asked, and no person is told that nothing happened (decision 22).
#[test]
fn a_hook_may_run_since_an_earlier_try() {
    let how = |tries: usize| {
        let mut way = Way::begun(Preset::Full, Trouble::None);
        let hook = |ask: &Ask| matches!(ask, Ask::Launch { job: Job::Hook, .. });
        for _ in 0..tries {
            let effect = way.asks(hook);
            let _ = way.fails(effect, FailureKind::Transient);
            assert!(matches!(way.task().step, Step::Backoff { .. }));
        }
        let effect = way.asks(hook);
        let _ = way.fails(effect, FailureKind::Permanent);
        way.task().runs.last().expect("the hook's run").end.clone().expect("it is over")
    };
    assert!(matches!(how(0), RunHow::CouldNotStart { .. }));
    assert!(matches!(how(1), RunHow::Lost { .. }));
    assert!(matches!(how(2), RunHow::Lost { .. }));
}

/// A rejection without a reason looks for it in the comments, and is not held up by a tracker that does not answer: after the
/// fifth try it goes on without (row 103).
#[test]
fn a_reason_is_asked_for_five_times() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let _ = way.tell(way.press(Press::Reject { reason: None }));
    let mut tries = 0;
    while let Step::Asked { effect, ask: Ask::Reason { .. }, .. } = way.task().step {
        tries += 1;
        let _ = way.fails(effect, FailureKind::Unknown);
        if let Step::Backoff { timer, .. } = way.task().step {
            let _ = way.tell(Event::Timer(timer));
        }
    }
    assert_eq!((tries, way.task().attempts.rejections, way.task().stage), (5, 1, Stage::Analysis));
}

/// A reason that is found is the one that goes to whoever works again.
#[test]
fn a_reason_in_a_comment_is_found() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let _ = way.tell(way.press(Press::Reject { reason: None }));
    let effect = way.asks(|ask| matches!(ask, Ask::Reason { .. }));
    let said = |author: &str, own: bool, text: &str| Comment {
        author: author.to_owned(),
        own,
        text: Text::of(text),
    };
    let comments =
        vec![said("ann", false, "older"), said("ann", false, "too wide"), said("orch", true, "told")];
    let _ = way.answers(effect, Reply::Tracker(TrackerReply::Comments(comments)));
    let found = way.task().findings.clone().expect("a reason");
    assert_eq!((found.text, found.from), (Text::of("too wide").into(), Judge::Person("ann".to_owned())));
    assert!(way.task().approval.is_none());
}

/// A merge that waits for a clean checkout waits longer each time, and what happened meanwhile is looked up before it is asked
/// for again (decisions 19, 43).
#[test]
fn a_dirty_checkout_is_waited_for() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let dirty = || Reply::Forge(ForgeReply::CheckoutDirty { path: "src".to_owned(), branch: None });
    for wait in [1000, 2000, 4000] {
        let effect = way.asks(|ask| *ask == Ask::Merge);
        let told = way.answers(effect, dirty());
        let now = i64::try_from(way.seq).expect("few rows") * 1000;
        let due = told.timer.flatten().expect("it is asked again").due;
        assert_eq!(due.since(Moment(now)), Span(wait));
        let Step::Backoff { timer, cause: Delay::CheckoutDirty { .. }, .. } = way.task().step else {
            panic!("it waits for the checkout")
        };
        let _ = way.tell(Event::Timer(timer));
        let effect = way.asks(|ask| *ask == Ask::Prove);
        let proof =
            Proof { main: "main".into(), ancestor: false, tree: Tree::from("tree"), taken_along: false };
        let _ = way.answers(effect, Reply::Git(GitReply::Proof(proof)));
    }
    way.until(|task| task.stage == Stage::Done);
}

/// What was refused for good is remembered once, and forgotten when an answer says where it is: a change request by its own
/// answer alone, the branch by any that names its head (row 146).
#[test]
fn what_nobody_told_is_remembered_once() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let collects = |ask: &Ask| matches!(ask, Ask::Collect { role: Role::Developer, .. });
    let untold = |way: &Way| way.task().untold.iter().map(|untold| untold.ask.clone()).collect::<Vec<_>>();
    let effect = way.asks(|ask| *ask == Ask::OpenChange);
    let _ = way.fails(effect, FailureKind::Permanent);
    assert_eq!(untold(&way), [Ask::OpenChange]);
    let _ = way.tell(way.press(Press::Retry));
    let effect = way.asks(|ask| *ask == Ask::OpenChange || collects(ask));
    let again = untold(&way);
    assert_eq!(again, [Ask::OpenChange], "a second time is no second thing");
    if matches!(&way.task().step, Step::Asked { ask: Ask::OpenChange, .. }) {
        let _ = way.fails(effect, FailureKind::Permanent);
        assert_eq!(untold(&way), [Ask::OpenChange]);
        let _ = way.tell(way.press(Press::Retry));
    }
    way.asks(|ask| *ask == Ask::OpenChange);
    way.step();
    assert_eq!(untold(&way), []);
}

/// What touches neither branch nor change request is not remembered when it is refused: a stop has nothing of it to undo.
#[test]
fn a_refused_run_leaves_nothing_to_undo() {
    let launches = |ask: &Ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. });
    for asked in [launches, |ask: &Ask| *ask == Ask::Prove, |ask: &Ask| *ask == Ask::Probe] {
        let mut way = Way::begun(Preset::Full, Trouble::None);
        let effect = way.asks(asked);
        let _ = way.fails(effect, FailureKind::Permanent);
        assert_eq!(way.task().untold, []);
    }
}

/// What a judge found goes to the developer, and to nobody after.
#[test]
fn findings_end_with_the_rework() {
    let mut way = Way::begun(Preset::Library, Trouble::Negative(Role::Reviewer));
    way.until(|task| task.attempts.negative == 1);
    assert!(way.task().findings.is_some() && way.task().stage == Stage::Development);
    way.trouble = Trouble::None;
    way.until(|task| task.stage == Stage::Review);
    assert_eq!(way.task().findings, None);
}

/// A reading of the very state that is known is taken as it is; only an older one is not (decision 67).
#[test]
fn only_an_older_reading_is_old() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    let title = |way: &Way| way.task().request.title.clone();
    let _ = way.reads(|reading| (reading.revision, reading.title) = (Some(5), Text::of("five")));
    assert_eq!(title(&way), Text::of("five"));
    let _ = way.reads(|reading| (reading.revision, reading.title) = (Some(5), Text::of("and more")));
    assert_eq!(title(&way), Text::of("and more"));
    let told = way.reads(|reading| (reading.revision, reading.title) = (Some(4), Text::of("four")));
    assert_eq!((title(&way), told.changes), (Text::of("and more"), vec![]));
}

/// A run that cost nothing is no news to the budget of the day, and one that cost something is told once.
#[test]
fn only_money_is_told() {
    for (microdollars, told) in [(None, 0), (Some(0), 0), (Some(7), 1)] {
        let mut way = Way::begun(Preset::Library, Trouble::None);
        way.until(|task| matches!(task.step, Step::Running { .. }));
        let Step::Running { run, .. } = way.task().step else { panic!("it runs") };
        let Event::RunEnded(end) = end(run, RunHow::Exited { code: 0 }) else { panic!("an end") };
        let usage = Usage { microdollars, ..Usage::default() };
        let decision = way.tell(Event::RunEnded(Box::new(RunEnd { usage, ..*end })));
        let spent = |(_, message): &&(Entity, Message)| matches!(message, Message::Spent { .. });
        assert_eq!(decision.messages.iter().filter(spent).count(), told, "{microdollars:?}");
    }
}

/// Work goes on from what somebody pushed to the branch, and after the fifth time a person is asked.
#[test]
fn a_branch_that_moves_for_ever_is_for_a_person() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    for times in 1..=MAX_CONFLICTS {
        assert!(way.task().escalated.is_none());
        let effect = way.asks(|ask| matches!(ask, Ask::Collect { role: Role::Analyst, .. }));
        let _ = way.answers(
            effect,
            Reply::Git(GitReply::BranchMoved { head: Commit::from(format!("theirs {times}")) }),
        );
        assert_eq!(way.task().attempts.conflicts, times);
    }
    assert_eq!(way.task().escalated.as_ref().map(|e| &e.why), Some(&Why::Conflicts));
}

/// One run that brought nothing is forgotten as soon as one brings something, before anything judges it.
#[test]
fn fruit_ends_the_count() {
    let mut way = Way::begun(Preset::Library, Trouble::Nothing);
    way.until(|task| task.attempts.fruitless == 2);
    way.trouble = Trouble::None;
    way.asks(|ask| *ask == Ask::OpenChange);
    assert_eq!((way.task().stage, way.task().attempts.fruitless), (Stage::Development, 0));
}

/// An analyst who leaves neither files nor questions has not analysed.
#[test]
fn an_analyst_leaves_files_or_questions() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let effect = way.asks(|ask| matches!(ask, Ask::Collect { role: Role::Analyst, .. }));
    let Reply::Git(GitReply::Collected(left)) =
        way.answer(&Ask::Collect { run: crate::id::RunId::new(Seq(1), 0), role: Role::Analyst })
    else {
        panic!("it is collected")
    };
    let with = |artefacts: Vec<Artefact>| {
        let mut way = way.clone();
        let left = Collected { artefacts: artefacts.into(), ..(*left).clone() };
        let _ = way.answers(effect, Reply::Git(GitReply::Collected(Box::new(left))));
        (way.task().attempts.fruitless, way.task().step.clone())
    };
    assert_eq!(with(Vec::new()).0, 1);
    let questions = |fresh| {
        let name = artefact::QUESTIONS.to_owned();
        Artefact { name, digest: Digest::of(b"?"), fresh, verdict: None, excerpt: None }
    };
    assert_eq!(with(vec![questions(false)]).0, 1, "old questions are answered");
    assert_eq!(with(vec![questions(true)]), (0, Step::Rest(Rest::Questions)));
}

/// A fruitless run may use as many tokens as there are; one more, and the next needs a person (decision 12).
#[test]
fn tokens_are_used_up_when_there_are_more() {
    let rest = |input: u64, limit: u64| {
        let mut way = Way::begun(Preset::Library, Trouble::Nothing);
        way.policy.run_tokens = limit;
        way.until(|task| matches!(task.step, Step::Running { job: Job::Agent(Role::Developer), .. }));
        let Step::Running { run, .. } = way.task().step else { panic!("it runs") };
        let Event::RunEnded(end) = end(run, RunHow::Exited { code: 0 }) else { panic!("an end") };
        let usage = Usage { input: Some(input), ..Usage::default() };
        let _ = way.tell(Event::RunEnded(Box::new(RunEnd { usage, ..*end })));
        let effect = way.asks(|ask| matches!(ask, Ask::Collect { .. }));
        let answer = way.answer(&Ask::Collect { run, role: Role::Developer });
        let _ = way.answers(effect, answer);
        matches!(way.task().step, Step::Rest(Rest::RunBudget { .. }))
    };
    assert_eq!([rest(100, 100), rest(101, 100), rest(101, 0)], [false, true, false]);
}

/// An approval of protected paths is of the diff that was shown, where one is named.
#[test]
fn protected_paths_are_approved_as_shown() {
    let mut way = Way::begun(Preset::Library, Trouble::Protected(Role::Developer));
    way.until(|task| task.step == Step::Rest(Rest::Protected));
    let other = way.press(Press::Approve { what: Some(Digest::of(b"something else")) });
    let told = way.clone().tell(other);
    assert!(matches!(told.reasons[..], [Reason::GestureWithoutEffect { .. }]) && told.changes.is_empty());
    let _ = way.tell(way.press(Press::Approve { what: Some(Digest::of(b"owners")) }));
    assert_eq!(way.task().protected_ok, Some(Digest::of(b"owners")));
}

/// A test command that was taken away keeps the tests from running, and a person is told which setting is missing.
#[test]
fn tests_that_are_gone_are_said() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| matches!(task.step, Step::Queued(Want::Ci(_))));
    way.policy.test.clear();
    way.step();
    assert_eq!(way.task().escalated.as_ref().map(|e| &e.why), Some(&Why::NoTests));
}

/// Tests of a policy that holds again said it already: they do not run a second time when their turn comes (decision 40).
#[test]
fn tests_that_passed_by_what_holds_again_stand() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| matches!(task.step, Step::Running { job: Job::Ci(CiOf::Head), .. }));
    let tests = std::mem::replace(&mut way.policy.test, vec!["others".to_owned()]);
    way.step();
    assert_eq!(way.task().step, Step::Queued(Want::Ci(CiOf::Head)));
    way.policy.test = tests;
    way.step();
    assert_eq!((way.runs(Job::Ci(CiOf::Head)), way.task().stage), (1, Stage::Review));
}

/// A run of tests that nobody could hear of is asked for again while they are the same; by others it is ended, and those get a run
/// and a turn of their own (decision 40).
#[test]
fn tests_that_are_others_by_now_are_not_asked_for_again() {
    for others in [false, true] {
        let mut way = Way::begun(Preset::Library, Trouble::None);
        let effect = way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Ci(CiOf::Head), .. }));
        let _ = way.fails(effect, FailureKind::Unknown);
        assert!(matches!(way.task().step, Step::Backoff { .. }));
        if others {
            way.policy.test = vec!["others".to_owned()];
        }
        let asked = way.step().expect("the wait is over");
        assert_eq!(asked.contains(&"agent/stop"), others, "{asked:?}");
        assert_eq!(way.task().step == Step::Queued(Want::Ci(CiOf::Head)), others);
        way.until(|task| matches!(task.step, Step::Running { job: Job::Ci(CiOf::Head), .. }));
        assert_eq!(way.runs(Job::Ci(CiOf::Head)), if others { 2 } else { 1 });
    }
}

/// A project needs an agent for each role that works in it: an architect only where there is an architecture.
#[test]
fn every_role_that_works_has_an_agent() {
    let begins = |preset, without: Role| {
        let mut way = Way::begun(preset, Trouble::None);
        way.policy.agents.remove(&without);
        let _ = way.tell(way.press(Press::Stop));
        let mut again = Way { state: None, seq: way.seq, asked: BTreeMap::new(), ..way };
        let reading = Way::begun(preset, Trouble::None).reading();
        let _ = again.tell(Event::Issue(Box::new(IssueSeen { project: "demo".into(), reading })));
        again.task().escalated.as_ref().map(|escalation| escalation.why.clone())
    };
    for role in Role::ALL {
        let lacks = Some(Why::NoAgent { role });
        let idle = role == Role::Architect;
        assert_eq!(begins(Preset::Full, role), lacks, "{role:?}");
        assert_eq!(begins(Preset::Fast, role), if idle { None } else { lacks }, "{role:?}");
    }
}

/// Of what the board showed before, as much is kept as may be told of late, the newest; and what is no longer fresh was not
/// fresh before either (decision 68).
#[test]
fn what_the_board_showed_is_kept_bounded() {
    let way = Way::begun(Preset::Full, Trouble::None);
    let mut task = way.task().clone();
    task.board.passed.clear();
    task.board.fresh = true;
    for revision in 0..40 {
        task.revision = Some(revision);
        crate::apply::to_task(&mut task, (Seq(1), Moment(1)), &Change::BoardPassed);
    }
    let kept: Vec<u64> = task.board.passed.iter().filter_map(|known| known.revision).collect();
    assert_eq!(kept, (24..40).collect::<Vec<_>>());
    assert!(task.board.passed.iter().all(|known| known.fresh));
    crate::apply::to_task(&mut task, (Seq(2), Moment(2)), &Change::BoardFresh(true));
    assert!(task.board.passed.iter().all(|known| known.fresh));
    crate::apply::to_task(&mut task, (Seq(3), Moment(3)), &Change::BoardFresh(false));
    assert!(task.board.passed.iter().all(|known| !known.fresh) && !task.board.fresh);
    crate::apply::to_task(&mut task, (Seq(4), Moment(4)), &Change::BoardFresh(true));
    assert!(task.board.passed.iter().all(|known| !known.fresh) && task.board.fresh);
}

/// What a run lacked is said of that run, among the others of its task (decision 15).
#[test]
fn what_a_run_lacked_is_its_own() {
    let mut way = Way::begun(Preset::Full, Trouble::Nothing);
    way.until(|task| task.escalated.is_some());
    let (mut brought, mut lacking) = (Vec::new(), Vec::new());
    for row in &way.task().runs {
        if row.lacked.is_some() { lacking.push(row.job) } else { brought.push(row.job) }
    }
    let developer = Job::Agent(Role::Developer);
    assert!(!brought.is_empty() && !brought.contains(&developer), "{brought:?}");
    assert!(lacking.len() > 1 && lacking.iter().all(|job| *job == developer), "{lacking:?}");
}

/// A state is stored whole: what is left out is what most tasks have, and nothing else.
#[test]
fn a_stored_task_is_the_same_task() {
    let mut way = Way::begun(Preset::Full, Trouble::Protected(Role::Tester));
    loop {
        let mut task = way.task().clone();
        let same = |task: &Task| {
            let text = serde_json::to_string(task).expect("a task is JSON");
            assert_eq!(&serde_json::from_str::<Task>(&text).expect("it reads back"), task);
            text
        };
        let text = same(&task);
        let board = serde_json::to_value(&task.board).expect("a board is JSON");
        assert_eq!(board.get("fresh").is_some(), task.board.fresh, "{text}");
        assert!(!text.contains("\"merge_untold\":false") && !text.contains("\"passed\":[]"), "{text}");
        task.board.fresh = !task.board.fresh;
        task.merge_untold = true;
        task.priority = Priority::Urgent;
        same(&task);
        if way.step().is_none() {
            break;
        }
    }
}

/// Proves that what a developer did under an older binary, which did not write down that he did, goes on to its judges when
/// a person begins again, and that no developer is asked for it anew.
#[test]
fn what_was_developed_before_it_was_written_down_counts() {
    let mut way = Way::begun(Preset::Library, Trouble::NoTests);
    while way.step().is_some() {}
    assert_eq!(way.task().stage, Stage::Development);
    let mut branch = way.task().branch.clone().expect("there is a branch");
    assert_eq!(branch.developed.take(), Some(1));
    let older = [Change::Branched(branch)];
    way.state = crate::apply::apply(way.state.take(), &entity(), (Seq(way.seq), Moment(0)), &older);
    let _ = way.tell(way.press(Press::Retry));
    let developers = way.runs(Job::Agent(Role::Developer));
    assert!(matches!(way.task().step, Step::Queued(Want::Ci(_))), "{:?}", way.task().step);
    assert_eq!(developers, 1);
}
