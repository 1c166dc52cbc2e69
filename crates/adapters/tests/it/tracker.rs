//! The built-in tracker: what people write, what Orch writes, and what a sweep reads.

use orch_adapters::Log;
use orch_adapters::tracker::builtin::{BuiltinTracker, Edit, Issue, IssueError};
use orch_core::call::tracker::{Author, Labels, Status};
use orch_core::call::{Failure, FailureKind, TrackerCall, TrackerReply};
use orch_core::id::{EffectId, IssueKey, ProjectId, Seq, TaskId};
use orch_core::message::Lang;
use orch_core::stage::Role;
use orch_core::time::Moment;
use tempfile::TempDir;

struct Board {
    folder: TempDir,
    tracker: BuiltinTracker,
    project: ProjectId,
}

impl Board {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tracker = BuiltinTracker::open(&folder.path().join("orch.db"), Log::Own).unwrap();
        Self { folder, tracker, project: ProjectId::from("demo") }
    }

    fn issue(&self, title: &str) -> Issue {
        self.tracker.create_issue(&self.project, title, "text", Status::Backlog, Labels::default()).unwrap()
    }

    fn perform(&self, n: u32, call: &TrackerCall) -> TrackerReply {
        self.tracker.perform(call, EffectId::new(Seq(5), n), Moment(7), &words).unwrap().reply
    }

    fn changed(&self, since: u64) -> Vec<(u64, Option<Status>)> {
        let issues = self.tracker.changed_since(&self.project, since).unwrap();
        issues.into_iter().map(|issue| (issue.number, issue.status)).collect()
    }
}

/// Proves that numbers and keys are a project's own, that a sweep sees each change once, and that the tables outlive the
/// process.
#[test]
fn sweeps_see_each_change_once() {
    let board = Board::new();
    let (first, second) = (board.issue("One"), board.issue("Two"));
    assert_eq!((first.key.as_str(), second.number), ("demo#1", 2));
    let other = ProjectId::from("other");
    let elsewhere =
        board.tracker.create_issue(&other, "Three", "", Status::ToAnalyse, Labels::default()).unwrap();
    assert_eq!(elsewhere.key.as_str(), "other#1");
    assert_eq!(board.changed(0), [(1, Some(Status::Backlog)), (2, Some(Status::Backlog))]);
    let pressed = board.tracker.set_status(&first.key, Status::ToAnalyse).unwrap();
    assert_eq!(board.changed(second.changed), [(1, Some(Status::ToAnalyse))]);
    assert_eq!(board.changed(pressed.changed), []);
    let gone = Edit { present: Some(false), title: Some("Один".to_owned()), ..Edit::default() };
    board.tracker.edit(&first.key, &gone).unwrap();
    let again = BuiltinTracker::open(&board.folder.path().join("orch.db"), Log::Own).unwrap();
    let issue = again.issue(&first.key).unwrap();
    assert_eq!((issue.title.as_str(), issue.present, issue.text.as_str()), ("Один", false, "text"));
    let (reading, blobs) = issue.clone().into_reading();
    assert_eq!((reading.slug.as_str(), blobs[0].bytes.as_slice()), ("odin", "Один".as_bytes()));
    assert_eq!(reading.title.blob, blobs[0].digest);
}

/// row 129: Comments have no side effect, including the system's own.
/// Proves also that one effect is one comment, and that comments come newest last.
///
/// incident I-26: what may have been written was written again; here an effect whose answer was lost finds its comment.
#[test]
fn comments_change_nothing_and_come_once() {
    let board = Board::new();
    let issue = board.issue("One");
    let say = |author| TrackerCall::Comment {
        issue: issue.key.clone(),
        author,
        note: Box::new(orch_core::note::Note::StopDeferred),
        language: Lang::En,
    };
    assert_eq!(board.perform(0, &say(Author::Role(Role::Analyst))), TrackerReply::Commented);
    assert_eq!(board.perform(0, &say(Author::Role(Role::Analyst))), TrackerReply::Commented);
    board.tracker.comment(&issue.key, "ann", "Approved! <b>STOP</b>", Moment(8)).unwrap();
    assert_eq!(board.perform(1, &say(Author::Deployer)), TrackerReply::Commented);
    assert_eq!(board.changed(issue.changed), []);
    let read = TrackerCall::ReadComments { issue: issue.key.clone(), task: TaskId::from("DEMO-001") };
    let answer = board.tracker.perform(&read, EffectId::new(Seq(6), 0), Moment(9), &words).unwrap();
    let TrackerReply::Comments(comments) = answer.reply else { panic!("{:?}", answer.reply) };
    let said: Vec<_> = comments.iter().map(|c| (c.author.as_str(), c.own)).collect();
    assert_eq!(said, [("analyst", true), ("ann", false), ("deployer", true)]);
    assert!(comments.iter().all(|c| answer.blobs.iter().any(|blob| blob.digest == c.text.blob)));
    for n in 0..60 {
        board.tracker.comment(&issue.key, "ann", &n.to_string(), Moment(n)).unwrap();
    }
    let answer = board.tracker.perform(&read, EffectId::new(Seq(6), 1), Moment(9), &words).unwrap();
    let TrackerReply::Comments(comments) = answer.reply else { panic!("{:?}", answer.reply) };
    assert_eq!(comments.len(), 50);
    assert_eq!(comments[49].text, orch_core::call::Text::of("59"));
}

/// Proves that a write of Orch's performed again does not overwrite what a person pressed since (decision 2).
#[test]
fn a_repeated_write_keeps_a_press() {
    let board = Board::new();
    let issue = board.issue("One");
    let write = TrackerCall::SetStatus { issue: issue.key.clone(), status: Status::InReview };
    let shows = |reply: TrackerReply| match reply {
        TrackerReply::StatusSet { status, revision, .. } => {
            assert_eq!(revision, Some(board.tracker.issue(&issue.key).unwrap().changed));
            status
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(shows(board.perform(0, &write)), Some(Status::InReview));
    board.tracker.set_status(&issue.key, Status::Approved).unwrap();
    assert_eq!(shows(board.perform(0, &write)), Some(Status::Approved));
    assert_eq!(shows(board.perform(1, &write)), Some(Status::InReview));
    let before = board.tracker.issue(&issue.key).unwrap().changed;
    assert_eq!(shows(board.perform(2, &write)), Some(Status::InReview));
    assert_eq!(board.changed(before), []);
}

/// Proves that an edit counts once a request, that one which changes nothing is no news to a sweep, and that nobody
/// overwrites an edit that they have not seen.
#[test]
fn an_edit_is_made_once() {
    let board = Board::new();
    let issue = board.issue("One");
    let titled = |title: &str| Edit { title: Some(title.to_owned()), ..Edit::default() };
    let same = board.tracker.edit_once(&issue.key, "a", None, &titled("One")).unwrap();
    assert_eq!((same.before.as_ref(), &same.issue), (Some(&issue), &issue));
    assert_eq!(board.changed(issue.changed), []);
    let edit = Edit { auto_deploy: Some(true), ..titled("Two") };
    let edited = board.tracker.edit_once(&issue.key, "b", Some(&issue.shown()), &edit).unwrap();
    assert_eq!((edited.issue.title.as_str(), edited.issue.text.as_str()), ("Two", "text"));
    assert_eq!(edited.issue.labels, Labels { auto_approve: false, auto_deploy: true });
    let again = board.tracker.edit_once(&issue.key, "b", Some(&issue.shown()), &titled("Three")).unwrap();
    assert_eq!((again.before, again.issue.title.as_str()), (None, "Two"));
    let late = board.tracker.edit_once(&issue.key, "c", Some(&issue.shown()), &titled("Three"));
    assert!(matches!(late, Err(IssueError::Edited { .. })), "{late:?}");
    assert_eq!(board.changed(issue.changed).len(), 1);
    let unknown = board.tracker.edit_once(&IssueKey::from("demo#9"), "d", None, &titled("x"));
    assert!(matches!(unknown, Err(IssueError::NoSuchIssue { .. })), "{unknown:?}");
}

/// Proves that a request is one request for its issue alone: the same name for another issue, or for another thing to do,
/// is another request; and that one for an issue that is not there leaves nothing behind.
#[test]
fn a_request_belongs_to_its_issue() {
    let board = Board::new();
    let (one, two) = (board.issue("One"), board.issue("Two"));
    let titled = |title: &str| Edit { title: Some(title.to_owned()), ..Edit::default() };
    for (issue, title) in [(&one, "First"), (&two, "Second")] {
        let edited = board.tracker.edit_once(&issue.key, "same", None, &titled(title)).unwrap();
        assert_eq!((edited.before.as_ref(), edited.issue.title.as_str()), (Some(issue), title));
        for _ in 0..2 {
            board.tracker.comment_once(&issue.key, "same", "ann", title, Moment(1)).unwrap();
        }
        assert_eq!(board.tracker.said(&issue.key, 9).unwrap().len(), 1);
    }
    let early = IssueKey::from("demo#3");
    let refused = board.tracker.comment_once(&early, "r", "ann", "hello", Moment(1));
    assert!(matches!(refused, Err(IssueError::NoSuchIssue { .. })), "{refused:?}");
    let three = board.issue("Three");
    assert_eq!(three.key, early);
    board.tracker.comment_once(&three.key, "r", "ann", "hello", Moment(2)).unwrap();
    assert_eq!(board.tracker.said(&three.key, 9).unwrap().len(), 1);
}

/// Proves that wishes that cannot be met say why.
#[test]
fn bad_wishes_say_why() {
    let board = Board::new();
    let issue = board.issue("One");
    let long = board.tracker.comment(&issue.key, "ann", &"x".repeat(300_000), Moment(1)).unwrap_err();
    assert_eq!(long.to_string(), "the comment has 300000 bytes; at most 262144 are kept");
    for key in ["demo#9", "demo", "nothing#1", "demo#x", ""] {
        let key = IssueKey::from(key);
        let error = board.tracker.set_status(&key, Status::Stop).unwrap_err();
        assert!(matches!(error, IssueError::NoSuchIssue { .. }), "{error}");
        let call = TrackerCall::SetStatus { issue: key, status: Status::Done };
        let failure = board.tracker.perform(&call, EffectId::new(Seq(1), 0), Moment(1), &words).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
    }
}

fn words(_: &orch_core::note::Note, _: Lang) -> Result<String, Failure> {
    Ok("done".to_owned())
}
