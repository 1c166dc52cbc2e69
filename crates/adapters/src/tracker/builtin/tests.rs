//! What does the built-in tracker answer while its file cannot be written? The suite of all trackers cannot make it so without
//! waiting as long as the tracker does; here it waits for nothing.

use std::time::Duration;

use orch_core::call::FailureKind;
use orch_core::call::tracker::Author;
use orch_core::id::{Seq, TaskId};
use orch_core::stage::Role;

use super::*;

/// Does it, as the effect of this number. A comment is long.
fn ask(tracker: &BuiltinTracker, effect: u32, call: &TrackerCall) -> Result<TrackerReply, Failure> {
    let words = |_: &Note, _| Ok("x".repeat(MOST_TEXT));
    tracker.perform(call, EffectId::new(Seq(1), effect), Moment(7), &words).map(|answer| answer.reply)
}

/// A call that writes on an issue.
type Write = fn(IssueKey) -> TrackerCall;

fn put(issue: IssueKey) -> TrackerCall {
    TrackerCall::SetStatus { issue, status: Status::Done }
}

fn comment(issue: IssueKey) -> TrackerCall {
    let (author, note) = (Author::Role(Role::Analyst), Box::new(Note::StopDeferred));
    TrackerCall::Comment { issue, author, note, language: Lang::En }
}

/// Does these while there is trouble, and again when that is over; what column and how many comments there are then.
fn through(trouble: impl Fn(&BuiltinTracker, &Connection, bool), calls: &[Write]) -> (Option<Status>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orch.db");
    let tracker = BuiltinTracker::open(&file, Log::Own).unwrap();
    let (project, labels) = (ProjectId::from("demo"), Labels::default());
    let issue = tracker.create_issue(&project, "One", "text", Status::Backlog, labels).unwrap().key;
    tracker.tables.rows().busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(&file).unwrap();
    for (effect, call) in (1..).zip(calls) {
        let call = call(issue.clone());
        trouble(&tracker, &other, true);
        let failure = ask(&tracker, effect, &call).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Transient, "{call:?}: {}", failure.cause);
        trouble(&tracker, &other, false);
        ask(&tracker, effect, &call).unwrap();
    }
    let read = TrackerCall::ReadComments { issue: issue.clone(), task: TaskId::from("DEMO-001") };
    let Ok(TrackerReply::Comments(comments)) = ask(&tracker, 99, &read) else { panic!("no comments") };
    (tracker.issue(&issue).unwrap().status, comments.len())
}

/// Who finds the file in the hands of another has done nothing and is to ask again; asked again when that one is done, it is
/// done once.
#[test]
fn a_busy_file_is_asked_again() {
    let busy = |_: &BuiltinTracker, other: &Connection, busy: bool| {
        other.execute_batch(if busy { "BEGIN IMMEDIATE" } else { "ROLLBACK" }).unwrap();
    };
    assert_eq!(through(busy, &[put, comment]), (Some(Status::Done), 1));
}

/// The same where the file can grow no more, as on a full disk.
#[test]
fn a_full_file_is_asked_again() {
    let full = |tracker: &BuiltinTracker, _: &Connection, full: bool| {
        let rows = tracker.tables.rows();
        let pages: u32 = rows.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        let most = if full { pages } else { u32::MAX >> 1 };
        rows.pragma_update_and_check(None, "max_page_count", most, |_| Ok(())).unwrap();
    };
    assert_eq!(through(full, &[comment]), (Some(Status::Backlog), 1));
}
