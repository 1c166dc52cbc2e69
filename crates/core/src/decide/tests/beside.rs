//! Proves what happens beside the way: what people press, change and merge meanwhile, and what is known twice.

use super::*;
use crate::call::FailureKind;
use crate::call::tracker::Covered;
use crate::change::Change;
use crate::event::InMain;
use crate::gate::{Evidence, Subject, Verdict};
use crate::record::Record;
use crate::rework::Judge;
use crate::said::Found;
use crate::task::{Merged, Outside, Untold, Withdrawn};
use crate::{desk::Desk, news, runs};

impl Way {
    /// The same task, but for what this makes of it.
    pub(super) fn with(&self, change: impl FnOnce(&mut Task)) -> Way {
        let mut way = self.clone();
        match &mut way.state {
            Some(State::Task(task)) => change(task),
            _ => panic!("there is no task"),
        }
        way
    }
}

/// The answer to Orch's own write says that somebody pressed since: they saw what asks, so it counts (decision 2).
#[test]
fn a_press_in_the_answer_to_a_write_counts() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let (effect, older) = way.task().board.writing.expect("the column of the analysis is on its way");
    let answer = TrackerReply::StatusSet { status: Some(older), revision: None, covered: None, words: None };
    let _ = way.answers(effect, Reply::Tracker(answer));
    let (effect, written) = way.task().board.writing.expect("the column that asks is on its way");
    assert_eq!(written, Status::InReview);
    let answer = |status, revision| {
        let mut way = way.clone();
        let answer = TrackerReply::StatusSet {
            status: Some(status),
            revision: Some(revision),
            covered: None,
            words: None,
        };
        let _ = way.answers(effect, Reply::Tracker(answer));
        (way.task().approval.is_some(), way.task().stage)
    };
    assert_eq!(answer(Status::Approved, 9), (true, Stage::Architecture));
    assert_eq!(answer(written, 9), (false, Stage::Analysis));
    // After a stop nobody is asked any more.
    let mut stopped = way.clone();
    let _ = stopped.tell(stopped.press(Press::Stop));
    if let Some((effect, _)) = stopped.task().board.writing {
        let status = Some(Status::ToAnalyse);
        let answer = TrackerReply::StatusSet { status, revision: Some(9), covered: None, words: None };
        let _ = stopped.answers(effect, Reply::Tracker(answer));
        assert_eq!(stopped.task().stage, Stage::Cancelled);
    }
}

/// What a write covered was heard if the newest reading from before has that column, or is of that very state.
#[test]
fn a_press_is_unheard_if_no_reading_had_it() {
    let way = Way::begun(Preset::Full, Trouble::None);
    let heard = |shows, revision| {
        let way = way.with(|task| {
            task.board.passed.clear();
            (task.board.shows, task.revision) = (Some(shows), Some(revision));
        });
        let covered = Covered { status: Some(Status::Approved), revision: 5 };
        news::unheard(way.task(), covered).is_none()
    };
    assert_eq!(
        [heard(Status::Approved, 3), heard(Status::InReview, 5), heard(Status::InReview, 3)],
        [true, true, false]
    );
}

/// A request that is edited while a task waits for its turn stops it, and the analyst who reads it again has no findings of
/// somebody else's work (decision 45).
#[test]
fn another_request_begins_without_old_findings() {
    let mut way = Way::begun(Preset::Library, Trouble::Negative(Role::Reviewer));
    way.until(|task| task.attempts.negative == 1 && matches!(task.step, Step::Queued(_)));
    assert!(way.task().findings.is_some());
    let _ = way.reads(|reading| reading.title = Text::of("Add another flag"));
    way.until(|task| matches!(task.step, Step::Rest(_)));
    assert_eq!(way.task().step, Step::Rest(Rest::RequestChanged));
    let _ = way.tell(way.press(Press::Start));
    assert_eq!((way.task().stage, &way.task().findings), (Stage::Analysis, &None));
}

/// The same after the merge goes on to its proof: what is in main is not analysed again (decision 41).
#[test]
fn what_is_in_main_is_not_analysed_again() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.asks(|ask| *ask == Ask::Prove);
    let mut way = way.with(|task| task.step = Step::Rest(Rest::RequestChanged));
    assert!(way.task().merged.is_some());
    let _ = way.tell(way.press(Press::Start));
    assert_eq!(way.task().stage, Stage::Deploy);
    way.until(|task| task.stage == Stage::Done);
}

/// An issue that is gone stops who only waits for a turn, and one that is back lets them go on (decision 45).
#[test]
fn an_issue_that_is_gone_is_waited_for() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| task.stage == Stage::Development && matches!(task.step, Step::Queued(_)));
    let since = way.task().step_seq;
    let _ = way.reads(|reading| reading.title = reading.title.clone());
    assert_eq!(way.task().step_seq, since);
    let _ = way.reads(|reading| reading.present = false);
    way.until(|task| matches!(task.step, Step::Rest(_)));
    assert_eq!(way.task().step, Step::Rest(Rest::IssueGone));
    let _ = way.reads(|reading| reading.present = true);
    assert!(!matches!(way.task().step, Step::Rest(_)), "{:?}", way.task().step);
    way.until(|task| task.stage == Stage::Done);
}

/// Who took a branch away matters until the merge or the end of the task, whichever comes first.
#[test]
fn what_was_taken_away_matters_until_the_merge() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| task.stage == Stage::Done);
    let merged = way.task().merged.clone();
    let withdrawn = |stage, merged: &Option<Merged>| {
        let way = way.with(|task| {
            task.outside =
                Some(Box::new(Outside { in_main: None, withdrawn: Some(Withdrawn::Branch), told: false }));
            (task.stage, task.merged) = (stage, merged.clone());
        });
        way.task().withdrawn()
    };
    assert_eq!(withdrawn(Stage::Testing, &None), Some(Withdrawn::Branch));
    assert_eq!(withdrawn(Stage::Testing, &merged), None);
    assert_eq!(withdrawn(Stage::Cancelled, &None), None);
}

/// What somebody merges by hand counts as merged only if it had passed everything that stands before a merge: an approval that is
/// missing or out of date is enough to ask a person (decision 45).
#[test]
fn merged_by_hand_is_merged_if_it_had_passed() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Confirmation));
    let candidate = way.task().candidate.clone().expect("it is built and green");
    let by_hand = |mut way: Way| {
        let branch = way.task().branch.clone().expect("there is a branch").name;
        let in_main = Some(InMain { commit: Commit::from("theirs"), tree: candidate.tree.clone() });
        let _ = way.tell(Event::Branch(Box::new(BranchReading { branch, there: true, open: true, in_main })));
        (way.task().merged.is_some(), way.task().candidate.clone())
    };
    assert_eq!(by_hand(way.clone()), (true, Some(candidate.clone())));
    assert!(!by_hand(way.with(|task| task.approval = None)).0);
    assert!(!by_hand(way.with(|task| task.edited = true)).0);
    let protected = || Some(Protected { paths: vec!["CODEOWNERS".to_owned()], diff: Digest::of(b"owners") });
    assert!(!by_hand(way.with(|task| task.protected = protected())).0);
    // One that had passed before is the candidate again.
    let earlier = way.with(|task| {
        task.passed = task.candidate.take().map(Box::new);
        task.candidate =
            task.passed.as_deref().map(|passed| Candidate { tree: "newer".into(), ..passed.clone() });
    });
    assert_eq!(by_hand(earlier.clone()), (true, Some(candidate.clone())));
    let unjudged = |task: &mut Task| task.evidence.retain(|said| said.gate != GateId::CheckReviewerVerdict);
    assert!(!by_hand(way.with(unjudged)).0);
    // What a person rejected does not come back by being merged.
    let mut rejected = earlier;
    let press = rejected.press(Press::Reject { reason: Some(Text::of("no")) });
    let _ = rejected.tell(press);
    assert!(!by_hand(rejected).0);
}

/// A record that could not be written lasts as trouble only where it was refused for good; else it is tried again (decision 18).
#[test]
fn a_record_is_troubled_for_good_when_it_is_refused() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.stage == Stage::Done);
    let effect = *way.asked.iter().find(|(_, call)| **call == "git/write_record").expect("it is asked for").0;
    for (kind, lasts) in [(FailureKind::Transient, false), (FailureKind::Permanent, true)] {
        let told = way.clone().fails(effect, kind);
        let record = Record::DeployLog;
        assert!(
            told.reasons
                .iter()
                .any(|reason| matches!(reason, Reason::RecordTroubled { record: of, lasting, .. }
                if *of == record && *lasting == lasts)),
            "{:?}",
            told.reasons
        );
    }
}

/// A run that a person had allowed and that could not begin is allowed again, unless somebody allowed another one meanwhile; who
/// was not allowed is not.
#[test]
fn what_was_allowed_and_did_not_begin_is_allowed_again() {
    let after = |first: Option<&str>, meanwhile: Option<&str>| {
        let mut way = Way::begun(Preset::Library, Trouble::None);
        way.until(|task| task.step == Step::Queued(Want::Agent(Role::Developer)));
        let mut way = way.with(|task| task.allowed = first.map(str::to_owned));
        let effect = way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. }));
        assert_eq!(way.task().allowed, None);
        let mut way = way.with(|task| task.allowed = meanwhile.map(str::to_owned));
        let told = way.fails(effect, FailureKind::Permanent);
        let changes = told.changes.iter().filter(|change| matches!(change, Change::Allowed(_))).count();
        (way.task().allowed.clone(), changes)
    };
    assert_eq!(after(Some("ann"), None), (Some("ann".to_owned()), 1));
    assert_eq!(after(Some("ann"), Some("bob")), (Some("bob".to_owned()), 0));
    assert_eq!(after(None, None), (None, 0));
}

/// The developer of a new round is told why the deploy of the round before failed: that deploy, by that gate.
#[test]
fn a_round_knows_which_deploy_failed() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.stage == Stage::Done);
    let evidence = |gate, commit: &str, words: &str| {
        let findings = Found::Kept(Text::of(words));
        std::sync::Arc::new(Evidence {
            gate,
            subject: Subject::Main(commit.into()),
            definition: Digest::of(b""),
            verdict: Verdict::Fail { findings },
            run: None,
            commit: None,
            attempt: None,
            at: Moment(1),
        })
    };
    let way = way.with(|task| {
        let merged = task.merged.clone().expect("it is merged");
        task.earlier_merges = vec![Merged { commit: "bad".into(), ..merged }];
        task.evidence = vec![
            evidence(GateId::CheckDeployStatus, "bad", "this"),
            evidence(GateId::CheckDeployStatus, "other", "another deploy"),
            evidence(GateId::CheckCiGreen, "bad", "another gate"),
        ];
    });
    let desk = Desk::new(Box::new(way.task().clone()), &way.policy, Seq(999), Moment(999));
    let findings = runs::why_round_began(&desk).expect("the deploy failed");
    assert_eq!(
        (findings.text, findings.from),
        (Found::Kept(Text::of("this")), Judge::Gate(GateId::CheckDeployStatus))
    );
}

/// An answer that names the head of the branch ends what nobody knew about the branch, and nothing that was asked of the
/// forge: a change request is known by its own answer alone (row 146).
#[test]
fn each_answer_ends_what_it_tells() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let collects = |ask: &Ask| matches!(ask, Ask::Collect { role: Role::Developer, .. });
    way.asks(collects);
    let Step::Asked { ask, .. } = way.task().step.clone() else { panic!("it is asked for") };
    let effect = EffectId::new(Seq(1), 0);
    let untold = vec![Untold { effect, ask: Ask::OpenChange }, Untold { effect, ask }];
    let mut way = way.with(|task| task.untold = untold);
    way.step();
    let left: Vec<Ask> = way.task().untold.iter().map(|untold| untold.ask.clone()).collect();
    assert_eq!(left, [Ask::OpenChange]);
}

/// Proves that what others than the developer wrote outside their documents is no work of the developer's (decision 15): the first
/// developer is not told that requirements changed under their change, and who leaves everything as it was has done nothing.
#[test]
fn what_the_architect_wrote_is_no_development() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let launches = |ask: &Ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. });
    way.asks(launches);
    let branch = way.task().branch.clone().expect("a branch");
    assert!(branch.change.is_some() && !branch.empty, "the architect left more than documents");
    assert_eq!(way.task().findings, None);
    let effect = way.asks(|ask| matches!(ask, Ask::Collect { role: Role::Developer, .. }));
    let left = way.left_as_it_was();
    let _ = way.tell(reply(effect, left));
    assert_eq!((way.task().stage, way.task().attempts.fruitless), (Stage::Development, 1));
    assert_eq!(way.runs(Job::Agent(Role::Developer)), 1);
}
