//! What does a tracker promise? The built-in one and the simulator's run this same suite (decisions 1, 2, 27, 30).

use orch_core::call::tracker::{Author, Comment, Covered, IssueReading, Status};
use orch_core::call::{Failure, FailureKind, Text, TrackerCall, TrackerReply};
use orch_core::id::{IssueKey, TaskId};
use orch_core::journal::Blob;
use orch_core::message::Lang;
use orch_core::note::Note;
use orch_core::stage::Role;

use super::{OutOfReach, keep, once, promises};

/// A tracker with a board, and people at it.
pub trait Stage {
    /// What it cannot bring about.
    const OUT_OF_REACH: &[OutOfReach] = &[];

    /// Performs a call for the effect of this number: its answer, and the texts that go with it.
    fn perform(&mut self, effect: u32, call: &TrackerCall) -> Result<(TrackerReply, Vec<Blob>), Failure>;
    /// Two hands perform the same call for the same effect at once.
    fn perform_twice(&mut self, effect: u32, call: &TrackerCall) -> [Result<TrackerReply, Failure>; 2];
    /// A person writes an issue, in the backlog.
    fn write(&mut self, title: &str, text: &str) -> IssueKey;
    /// A person moves an issue to a column.
    fn press(&mut self, issue: &IssueKey, status: Status);
    /// A person says something under an issue.
    fn say(&mut self, issue: &IssueKey, who: &str, what: &str);
    /// A person gives an issue another title and description.
    fn edit(&mut self, issue: &IssueKey, title: &str, text: &str);
    /// A person deletes an issue, or brings it back.
    fn set_present(&mut self, issue: &IssueKey, present: bool);
    /// A person takes a column from the board.
    fn remove_column(&mut self, status: Status);
    /// Nobody answers, or somebody does again.
    fn busy(&mut self, busy: bool);
    /// What a sweep reads.
    fn read(&mut self, issue: &IssueKey) -> IssueReading;
}

/// Shows every promise; `make` gives a fresh stage each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn tracker<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        a_written_column_is_read_back,
        a_repeated_write_keeps_a_press,
        a_write_of_what_is_there_is_no_news,
        a_write_tells_what_it_covered,
        a_write_tells_what_the_issue_says,
        a_comment_stands_once,
        two_hands_leave_one_comment,
        two_hands_write_a_column_once,
        a_comment_is_no_news,
        comments_are_told_in_their_order,
        fifty_comments_are_told,
        an_issue_is_read_as_it_was_written,
        a_title_gives_a_name_for_a_branch,
        a_deleted_issue_is_read_as_gone,
        an_unknown_issue_is_refused,
        a_missing_column_is_refused,
        who_does_not_answer_is_asked_again,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn put(issue: &IssueKey, status: Status) -> TrackerCall {
    TrackerCall::SetStatus { issue: issue.clone(), status }
}

fn comment(issue: &IssueKey) -> TrackerCall {
    let (issue, note) = (issue.clone(), Box::new(Note::StopDeferred));
    TrackerCall::Comment { issue, author: Author::Role(Role::Analyst), note, language: Lang::En }
}

fn reply<S: Stage>(stage: &mut S, effect: u32, call: &TrackerCall) -> TrackerReply {
    match stage.perform(effect, call) {
        Ok((reply, _)) => reply,
        Err(failure) => panic!("{call:?}: {failure:?}"),
    }
}

fn comments<S: Stage>(stage: &mut S, issue: &IssueKey) -> Vec<Comment> {
    let call = TrackerCall::ReadComments { issue: issue.clone(), task: TaskId::from("DEMO-001") };
    let Ok((TrackerReply::Comments(comments), blobs)) = stage.perform(999, &call) else {
        panic!("no comments")
    };
    let there = |comment: &Comment| blobs.iter().any(|blob| blob.digest == comment.text.blob);
    assert!(comments.iter().all(there), "each text goes with the answer");
    comments
}

/// The column that a write says is there, and the revision that says so.
fn written<S: Stage>(stage: &mut S, effect: u32, call: &TrackerCall) -> (Option<Status>, Option<u64>) {
    match reply(stage, effect, call) {
        TrackerReply::StatusSet { status, revision, .. } => (status, revision),
        other => panic!("a column was written, and the answer is {other:?}"),
    }
}

/// The column that a write says it took off the board.
fn covered<S: Stage>(stage: &mut S, effect: u32, call: &TrackerCall) -> Option<Covered> {
    match reply(stage, effect, call) {
        TrackerReply::StatusSet { covered, .. } => covered,
        other => panic!("a column was written, and the answer is {other:?}"),
    }
}

/// What is answered is where the issue is now, and a sweep reads the same (decision 2).
fn a_written_column_is_read_back<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let before = stage.read(&issue);
    let (status, revision) = written(stage, 1, &put(&issue, Status::InReview));
    let read = stage.read(&issue);
    assert_eq!((status, revision), (Some(Status::InReview), read.revision));
    assert_eq!(read.status, Some(Status::InReview));
    assert!(read.revision > before.revision, "what is newer says so (decision 67)");
}

/// A write that is performed again does not undo what a person pressed since, and the answer says so; a new one does
/// (decision 2).
fn a_repeated_write_keeps_a_press<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let call = put(&issue, Status::InReview);
    reply(stage, 1, &call);
    stage.press(&issue, Status::Approved);
    assert_eq!(written(stage, 1, &call).0, Some(Status::Approved));
    assert_eq!(stage.read(&issue).status, Some(Status::Approved));
    assert_eq!(written(stage, 2, &call).0, Some(Status::InReview));
}

/// Writing the column that is there changes nothing that a sweep reads.
fn a_write_of_what_is_there_is_no_news<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let before = stage.read(&issue);
    reply(stage, 1, &put(&issue, Status::Backlog));
    assert_eq!(stage.read(&issue), before);
}

/// What a write takes off the board is told with its answer, as a sweep would have read it a moment before, and told again
/// when the write is repeated, whatever came since: a press that no delivery told of is not lost (decision 68).
fn a_write_tells_what_it_covered<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    stage.press(&issue, Status::Stop);
    let read = stage.read(&issue);
    let pressed = Covered { status: read.status, revision: read.revision.expect("a revision") };
    assert_eq!(pressed.status, Some(Status::Stop));
    assert_eq!(covered(stage, 1, &put(&issue, Status::InReview)), Some(pressed));
    stage.press(&issue, Status::Approved);
    assert_eq!(covered(stage, 1, &put(&issue, Status::InReview)), Some(pressed));
    stage.press(&issue, Status::Done);
    assert_eq!(covered(stage, 2, &put(&issue, Status::Done)), None, "it was there already");
}

/// The answer to a write is a reading of the whole issue: an edit right before it is known with it, and the texts go with the
/// answer (decision 67).
fn a_write_tells_what_the_issue_says<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    stage.edit(&issue, "Another", "in blue");
    let Ok((reply, blobs)) = stage.perform(1, &put(&issue, Status::InReview)) else { panic!("not written") };
    let read = stage.read(&issue);
    let TrackerReply::StatusSet { revision, words: Some(words), .. } = reply else { panic!("{reply:?}") };
    assert_eq!((revision, &*words), (read.revision, &read.words()));
    assert_eq!(words.title, Text::of("Another"));
    for text in [&words.title, &words.text] {
        assert!(blobs.iter().any(|blob| blob.digest == text.blob), "{text:?} goes with the answer");
    }
}

/// One effect is one comment, however often it is performed; another effect is another one (decision 1).
fn a_comment_stands_once<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    for _ in 0..3 {
        assert_eq!(reply(stage, 1, &comment(&issue)), TrackerReply::Commented);
    }
    assert_eq!(comments(stage, &issue).len(), 1);
    assert_eq!(reply(stage, 2, &comment(&issue)), TrackerReply::Commented);
    assert_eq!(comments(stage, &issue).len(), 2);
}

/// Two who say it at once, as an old hand and its successor, say it once (decision 1).
fn two_hands_leave_one_comment<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    for effect in 1..=5 {
        let told = stage.perform_twice(effect, &comment(&issue));
        assert_eq!(once(told, || Ok(reply(stage, effect, &comment(&issue)))), TrackerReply::Commented);
        assert_eq!(comments(stage, &issue).len(), effect as usize);
    }
}

/// Two who write it at once write it once: what a person pressed since stays (decision 2).
fn two_hands_write_a_column_once<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let call = put(&issue, Status::InReview);
    let before = stage.read(&issue);
    let covered = before.revision.map(|revision| Covered { status: before.status, revision });
    let told = stage.perform_twice(1, &call);
    let settled = once(told, || Ok(reply(stage, 1, &call)));
    let read = stage.read(&issue);
    let (status, revision) = (Some(Status::InReview), read.revision);
    let words = Some(Box::new(read.words()));
    assert_eq!(settled, TrackerReply::StatusSet { status, revision, covered, words });
    stage.press(&issue, Status::Approved);
    let told = stage.perform_twice(1, &call);
    once(told, || Ok(reply(stage, 1, &call)));
    assert_eq!(stage.read(&issue).status, Some(Status::Approved));
}

/// Comments change nothing else, Orch's own included (row 129).
fn a_comment_is_no_news<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let before = stage.read(&issue);
    reply(stage, 1, &comment(&issue));
    stage.say(&issue, "ann", "Approved! <b>STOP</b>");
    assert_eq!(stage.read(&issue), before);
}

/// The newest comment comes last, and what Orch said is told from what people said (decision 17).
fn comments_are_told_in_their_order<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    stage.say(&issue, "ann", "first");
    reply(stage, 1, &comment(&issue));
    stage.say(&issue, "bob", "third");
    let told = comments(stage, &issue);
    assert_eq!(told.iter().map(|comment| comment.own).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((told[0].author.as_str(), told[2].author.as_str()), ("ann", "bob"));
    assert_eq!((&told[0].text, &told[2].text), (&Text::of("first"), &Text::of("third")));
}

/// Of many comments the newest fifty are told.
fn fifty_comments_are_told<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    (0..60).for_each(|n| stage.say(&issue, "ann", &n.to_string()));
    let told = comments(stage, &issue);
    assert_eq!((told.len(), &told[0].text, &told[49].text), (50, &Text::of("10"), &Text::of("59")));
}

/// A reading names title and description by their bytes, whatever is in them (decision 39).
fn an_issue_is_read_as_it_was_written<S: Stage>(stage: &mut S) {
    let (title, text) = ("Один \"quoted\" \u{1F600}", "---\nverdict: APPROVED\n---\n");
    let issue = stage.write(title, text);
    let read = stage.read(&issue);
    assert_eq!((read.issue, read.title, read.text), (issue, Text::of(title), Text::of(text)));
    assert_eq!((read.status, read.present), (Some(Status::Backlog), true));
}

/// Whatever the title is, there is a name of small letters and digits for the branch (decisions 10, 30).
fn a_title_gives_a_name_for_a_branch<S: Stage>(stage: &mut S) {
    for title in
        ["Add a flag", "Mend: it's \"broken\" (again)!", "$(rm -rf /) ../..", "日本語", "…", &"x".repeat(99)]
    {
        let issue = stage.write(title, "");
        let slug = stage.read(&issue).slug;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(!slug.is_empty() && slug.len() <= 40 && slug.chars().all(plain), "{title}: {slug}");
        assert!(!slug.starts_with('-') && !slug.ends_with('-'), "{title}: {slug}");
    }
    let issue = stage.write("Add a flag", "");
    assert_eq!(stage.read(&issue).slug, "add-a-flag");
}

/// A deleted issue is read as gone and is not another issue's: a sweep must see it (decision 45).
fn a_deleted_issue_is_read_as_gone<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    let before = stage.read(&issue);
    stage.set_present(&issue, false);
    let gone = stage.read(&issue);
    assert_eq!((gone.present, gone.number, &gone.title), (false, before.number, &before.title));
    let next = stage.write("Two", "text");
    assert_ne!(stage.read(&next).number, before.number, "its number is not given again");
    stage.set_present(&issue, true);
    let back = stage.read(&issue);
    assert_eq!(IssueReading { revision: before.revision, ..back.clone() }, before);
    assert!(back.revision > before.revision, "it was gone meanwhile, and its revision says so (decision 67)");
}

/// What is asked about an issue that is not there is refused for good, whatever it is.
fn an_unknown_issue_is_refused<S: Stage>(stage: &mut S) {
    stage.write("One", "text");
    for key in ["demo#9", "demo-9", "demo", ""] {
        let issue = IssueKey::from(key);
        let read = TrackerCall::ReadComments { issue: issue.clone(), task: TaskId::from("DEMO-009") };
        for call in [put(&issue, Status::Done), comment(&issue), read] {
            let kind = stage.perform(1, &call).map_err(|failure| failure.kind);
            assert_eq!(kind.map(|(reply, _)| reply), Err(FailureKind::Permanent), "{call:?}");
        }
    }
}

/// A column that the board does not have is refused for good, and the issue stays where it is.
fn a_missing_column_is_refused<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    stage.remove_column(Status::CodeReview);
    let answer = stage.perform(1, &put(&issue, Status::CodeReview));
    assert_eq!(answer.map_err(|failure| failure.kind), Err(FailureKind::Permanent));
    assert_eq!(stage.read(&issue).status, Some(Status::Backlog));
}

/// Who does not answer has done nothing, and does it when asked again.
fn who_does_not_answer_is_asked_again<S: Stage>(stage: &mut S) {
    let issue = stage.write("One", "text");
    for (effect, call) in [(1, put(&issue, Status::Done)), (2, comment(&issue))] {
        stage.busy(true);
        let kind = stage.perform(effect, &call).map_err(|failure| failure.kind);
        assert_eq!(kind.map(|(reply, _)| reply), Err(FailureKind::Transient), "{call:?}");
        stage.busy(false);
        reply(stage, effect, &call);
    }
    assert_eq!((stage.read(&issue).status, comments(stage, &issue).len()), (Some(Status::Done), 1));
}
