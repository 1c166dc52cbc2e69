//! Proves what a press and a reading do where they nearly do something else.

use super::*;
use crate::board::Live;
use crate::call::tracker::{Covered, TrackerReply, Words};
use crate::event::Message;
use crate::gesture::Priority;
use crate::reason::Ignored;
use crate::record::{Recorded, Trouble as NotWritten};
use crate::task::{Escalation, Request};

/// Whoever only waits for a turn is stopped in the moment the issue is gone, and nobody is given that turn (decision 45).
#[test]
fn an_issue_that_is_gone_stops_at_once() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| task.stage == Stage::Development && matches!(task.step, Step::Queued(_)));
    let _ = way.reads(|reading| reading.present = false);
    assert_eq!(way.task().step, Step::Rest(Rest::IssueGone));
    let _ = way.reads(|reading| reading.present = true);
    assert!(matches!(way.task().step, Step::Queued(_)));
    let _ = way.reads(|reading| (reading.present, reading.text) = (false, Text::of("and gone")));
    let _ = way.tell(way.press(Press::Stop));
    way.until(|task| task.stage == Stage::Cancelled);
    let back = way.reads(|reading| reading.present = true);
    assert_eq!((way.task().stage, back.effects.len()), (Stage::Cancelled, 0), "stopped is stopped");
}

/// An edit of an approved request stops whoever waits for a turn in the same moment; who works is stopped before the next step.
#[test]
fn an_edited_request_stops_at_once() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| task.stage == Stage::Development && matches!(task.step, Step::Queued(_)));
    let _ = way.reads(|reading| reading.text = Text::of("something else"));
    assert_eq!(way.task().step, Step::Rest(Rest::RequestChanged));
}

/// A branch keeps the name that the title had when work began, whatever the title becomes; a text alone names nothing.
#[test]
fn a_branch_keeps_its_first_name() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    way.until(|task| task.stage == Stage::Development);
    let mut named = Vec::new();
    for (text, slug) in [("more", "add-a-flag"), ("more", "add-two"), ("still more", "add-three")] {
        let _ = way.reads(|reading| (reading.text, reading.slug) = (Text::of(text), slug.to_owned()));
        named.push(way.task().named.clone());
    }
    let first = Some("add-a-flag".to_owned());
    assert_eq!(named, [None, first.clone(), first]);
}

/// A retry of a task that a person is asked about does both: it begins again, and its records are tried again (decisions 15, 18).
#[test]
fn a_retry_begins_again_and_pushes_records_again() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.stage == Stage::Done);
    let refused: Vec<Recorded> = way
        .task()
        .records
        .iter()
        .map(|known| Recorded {
            trouble: Some(NotWritten { cause: "no".into(), lasting: true }),
            writing: None,
            stands: None,
            ..known.clone()
        })
        .collect();
    assert!(!refused.is_empty());
    let mut way = Way::begun(Preset::Library, Trouble::Nothing);
    way.until(|task| task.escalated.is_some());
    let mut way = way.with(|task| task.records = refused);
    let _ = way.tell(way.press(Press::Retry));
    assert_eq!(way.task().escalated, None::<Escalation>);
    assert!(way.task().records.iter().all(|known| !known.is_refused()));
}

/// The same priority again is no news and no change.
#[test]
fn the_same_priority_is_no_news() {
    let mut way = Way::begun(Preset::Library, Trouble::None);
    let _ = way.tell(way.press(Press::Priority(Priority::Urgent)));
    assert_eq!(way.task().priority, Priority::Urgent);
    let again = way.tell(way.press(Press::Priority(Priority::Urgent)));
    assert_eq!(again.changes, []);
    assert!(
        matches!(&again.reasons[..], [Reason::GestureWithoutEffect { why: NoEffect::SamePriority, .. }]),
        "{:?}",
        again.reasons
    );
}

/// The answer to a write that covered a press says the press, and not besides that nothing was new (decision 68).
#[test]
fn a_covered_press_is_all_the_news() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let answer = |way: &mut Way, revision, covered| {
        let (effect, written) = way.task().board.writing.expect("a column is on its way");
        let answer =
            TrackerReply::StatusSet { status: Some(written), revision: Some(revision), covered, words: None };
        way.answers(effect, Reply::Tracker(answer))
    };
    let _ = answer(&mut way, 5, None);
    let told = answer(&mut way, 9, Some(Covered { status: Some(Status::Approved), revision: 8 }));
    assert!(way.task().approval.is_some());
    assert!(!told.reasons.contains(&Reason::Noted), "{:?}", told.reasons);
}

/// A run that is fenced keeps its slot until its stop is answered or its end is known, and no other of its task begins beside it;
/// also where the task is over (decision 73).
#[test]
fn a_fenced_run_keeps_its_slot_until_it_is_stopped() {
    let row = |way: &Way| crate::board::Row::of(way.task());
    let fenced = |press: Press| {
        let mut way = Way::begun(Preset::Library, Trouble::None);
        way.asks(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. }));
        let told = way.tell(way.press(press));
        let stop = told.effects.iter().find(|effect| effect.call.name() == "agent/stop").expect("a stop");
        assert_eq!(row(&way).expect("a row").live, Some(Live::Agent(Role::Developer)));
        assert_eq!(row(&way).expect("a row").want, None);
        (way, stop.id)
    };
    let stopping = |way: &mut Way, stop| {
        let _ = way.answers(stop, Reply::Agent(AgentReply::Stopping));
    };
    let (mut way, stop) = fenced(Press::Reject { reason: Some(Text::of("no")) });
    stopping(&mut way, stop);
    assert_eq!(row(&way).map(|row| (row.live, row.want.is_some())), Some((None, true)));
    let (mut way, _) = fenced(Press::Reject { reason: Some(Text::of("no")) });
    let run = way.task().runs.last().expect("a run").run;
    let _ = way.tell(end(run, RunHow::Stopped));
    assert_eq!(row(&way).map(|row| (row.live, row.want.is_some())), Some((None, true)));
    let (mut way, stop) = fenced(Press::Stop);
    assert_eq!(way.task().stage, Stage::Cancelled);
    stopping(&mut way, stop);
    assert_eq!(row(&way), None);
}

/// What the life before passed on, or what a reading says.
fn of_board(way: &Way, status: Status, revision: u64) -> Box<IssueSeen> {
    let task = way.task();
    let Request { title, slug, text, present } = task.request.clone();
    let reading = IssueReading {
        issue: task.issue.clone(),
        number: task.number,
        status: Some(status),
        title,
        slug,
        text,
        labels: task.labels,
        present,
        revision: Some(revision),
    };
    Box::new(IssueSeen { project: task.project.clone(), reading })
}

/// What a decision tells the next life of the board, in its order.
fn passed_on(told: &Decision) -> Vec<(Option<Status>, Option<u64>)> {
    let seen = |message: &Message| match message {
        Message::Reborn(seen) => Some((seen.reading.status, seen.reading.revision)),
        _ => None,
    };
    told.messages.iter().filter_map(|(_, message)| seen(message)).collect()
}

/// The answer to a write that comes after a newer reading hides nothing of it (decision 67, invariant D6).
#[test]
fn a_late_answer_hides_no_press() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let (effect, written) = way.task().board.writing.expect("a column is on its way");
    let seen = of_board(&way, Status::Rejected, 9);
    let told = way.tell(Event::Issue(seen));
    assert!(
        matches!(&told.reasons[..], [Reason::GestureTaken { press, .. }] if press == "reject"),
        "{told:?}"
    );
    let request = way.task().request.clone();
    let words = Some(Box::new(other_words(&way)));
    let answer = TrackerReply::StatusSet { status: Some(written), revision: Some(8), covered: None, words };
    let _ = way.answers(effect, Reply::Tracker(answer));
    assert_eq!((way.task().board.shows, way.task().revision), (Some(Status::Rejected), Some(9)));
    assert_eq!(way.task().request, request, "an older answer edits nothing");
}

/// An answer of which nobody can say how old it is edits nothing (decision 67); one that is newer does.
#[test]
fn an_answer_edits_by_its_age() {
    for revision in [None, Some(9)] {
        let mut way = Way::begun(Preset::Full, Trouble::None);
        way.until(|task| task.step == Step::Rest(Rest::Approval));
        let (effect, written) = way.task().board.writing.expect("a column is on its way");
        let words = Some(Box::new(other_words(&way)));
        let answer = TrackerReply::StatusSet { status: Some(written), revision, covered: None, words };
        let _ = way.answers(effect, Reply::Tracker(answer));
        assert_eq!(way.task().request.title == Text::of("Another"), revision.is_some());
    }
}

/// The issue with another title.
fn other_words(way: &Way) -> Words {
    let task = way.task();
    let Request { slug, text, present, .. } = task.request.clone();
    Words { title: Text::of("Another"), slug, text, labels: task.labels, present }
}

/// A life that is over passes on the press that its last column covered, and then that column, which stood there after it; the
/// press of a state that it read begot the next life already (decision 68).
#[test]
fn a_life_passes_on_what_its_last_column_covered() {
    for read in [false, true] {
        let mut way = Way::begun(Preset::Full, Trouble::None);
        way.until(|task| task.step == Step::Rest(Rest::Approval));
        for revision in 5.. {
            let Some((effect, written)) = way.task().board.writing else { break };
            let (status, revision) = (Some(written), Some(revision));
            let answer = TrackerReply::StatusSet { status, revision, covered: None, words: None };
            let _ = way.answers(effect, Reply::Tracker(answer));
        }
        let _ = way.tell(way.press(Press::Stop));
        if read {
            let seen = of_board(&way, Status::ToAnalyse, 8);
            let _ = way.tell(Event::Issue(seen));
        }
        let (effect, written) = way.task().board.writing.expect("the last column is on its way");
        assert_eq!(written, Status::Cancelled);
        let covered = Some(Covered { status: Some(Status::ToAnalyse), revision: 8 });
        let answer =
            TrackerReply::StatusSet { status: Some(written), revision: Some(9), covered, words: None };
        let told = passed_on(&way.answers(effect, Reply::Tracker(answer)));
        let (press, column) = ((Some(Status::ToAnalyse), Some(8)), (Some(Status::Cancelled), Some(9)));
        assert_eq!(told, if read { vec![column] } else { vec![press, column] });
    }
}

/// An edit under the column of a stopped life is no second press and begins no other life; once one has begun, the old one
/// writes nothing over its columns (row 148, decision 68).
#[test]
fn a_next_life_begins_with_a_press_alone() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.stage == Stage::Analysis);
    let _ = way.tell(way.press(Press::Stop));
    let (effect, written) = way.task().board.writing.expect("the first column is on its way");
    assert_eq!((written, way.task().board.shows), (Status::Analysis, Some(Status::ToAnalyse)));
    let answer = |covered, revision| {
        let covered = Some(Covered { status: Some(Status::ToAnalyse), revision: covered });
        TrackerReply::StatusSet { status: Some(written), revision: Some(revision), covered, words: None }
    };
    let wanted =
        |told: &Decision| told.effects.iter().any(|effect| effect.call.name() == "tracker/set_status");
    let mut edited = way.clone();
    let told = edited.answers(effect, Reply::Tracker(answer(8, 9)));
    assert_eq!((passed_on(&told), wanted(&told)), (Vec::new(), true));
    for (status, revision) in [(Status::Backlog, 5), (Status::ToAnalyse, 6)] {
        let seen = of_board(&way, status, revision);
        let _ = way.tell(Event::Issue(seen));
    }
    let told = way.answers(effect, Reply::Tracker(answer(6, 9)));
    assert_eq!((passed_on(&told), wanted(&told)), (vec![(Some(Status::Analysis), Some(7))], false));
}

/// What the life before wrote over a press is what the board shows by now, to whoever lives; who is over tells the next. A press of
/// a state that was read, and what is older than what was, is for nobody here (decision 68).
#[test]
fn what_the_life_before_wrote_is_taken_in() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Approval));
    let seen = of_board(&way, Status::Analysis, 5);
    let _ = way.tell(Event::Issue(seen));
    let passed = |way: &mut Way, status, revision| {
        let seen = of_board(way, status, revision);
        way.tell(Event::Message(Message::Reborn(seen)))
    };
    for (status, revision) in [(Status::Approved, 5), (Status::Cancelled, 3)] {
        let told = passed(&mut way, status, revision);
        assert_eq!(told.reasons, [Reason::Ignored(Ignored::NotForThis)]);
        assert_eq!((way.task().board.shows, way.task().revision), (Some(Status::Analysis), Some(5)));
    }
    let told = passed(&mut way, Status::Cancelled, 7);
    assert_eq!((way.task().board.shows, way.task().revision), (Some(Status::Cancelled), Some(7)));
    assert_eq!((passed_on(&told), told.reasons), (Vec::new(), vec![Reason::Noted]));
    let _ = way.tell(way.press(Press::Stop));
    let told = passed(&mut way, Status::Cancelled, 9);
    assert_eq!(passed_on(&told), [(Some(Status::Cancelled), Some(9))]);
}
