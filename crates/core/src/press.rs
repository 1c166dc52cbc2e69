//! What follows from what people do, on the board or through any other door? (decisions 2, 37, 45)

use crate::artefact;
use crate::call::Text;
use crate::call::tracker::{Author, Comment, Covered, IssueReading, Status, Words};
use crate::change::Change;
use crate::decide::{self, no_effect, proceed};
use crate::desk::Desk;
use crate::edited::{self, Follows};
use crate::event::{IssueSeen, Message};
use crate::gesture::{Door, Gesture, Press};
use crate::id::{Entity, TaskId};
use crate::news::{self, Unheard};
use crate::note::Note;
use crate::outside;
use crate::reason::{Ignored, NoEffect, Reason};
use crate::record::Record;
use crate::rework::{Attempts, Findings, Judge};
use crate::runs;
use crate::said::{Found, Said};
use crate::stage::{Role, Stage, analysis, deploy, development, terminal, testing, unseen, watch};
use crate::surface;
use crate::task::{Ask, Cancel, Rejection, Request, Rest, Step, Want};

/// The board shows this now; Approved and Confirm Deploy count only after something else was seen (decision 2).
pub(crate) fn board_shows(d: &mut Desk<'_>, status: Option<Status>) {
    if d.task.board.shows != status {
        d.change(Change::BoardShows(status));
    }
    let dangerous = matches!(status, Some(Status::Approved | Status::ConfirmDeploy));
    if !dangerous && !d.task.board.fresh {
        d.change(Change::BoardFresh(true));
    }
}

/// The tracker told of this state of the issue.
pub(crate) fn read_at(d: &mut Desk<'_>, revision: Option<u64>) {
    if let Some(revision) = revision.filter(|revision| d.task.revision != Some(*revision)) {
        d.change(Change::ReadAt(revision));
    }
}

/// The tracker says what the issue looks like: every difference is looked at by itself.
pub(crate) fn on_reading(d: &mut Desk<'_>, seen: &IssueSeen) {
    let reading = &seen.reading;
    if news::is_older(&d.task, reading.revision) {
        return d.because(Reason::Noted);
    }
    if d.task.board.writing.is_some() {
        d.change(Change::BoardPassed);
    }
    read_at(d, reading.revision);
    let mut heard = says(d, reading.words());
    // Whoever pressed saw that the issue is there.
    if let Some(present) = heard.presence.take() {
        presence(d, present);
    }
    // A label approves nothing that is being rejected.
    on_column(d, seen);
    follows(d, &heard);
}

/// What was not known of an issue, beside its column.
#[derive(Debug, Default)]
struct Heard {
    /// Title or description are others, and no approval stood yet.
    edited: bool,
    /// The labels are others.
    relabelled: bool,
    /// It is gone, or there again.
    presence: Option<bool>,
}

/// What the issue says beside its column: whatever follows, follows from that.
fn says(d: &mut Desk<'_>, words: Words) -> Heard {
    let Words { title, slug, text, labels, present } = words;
    let request = Request { title, slug, text, present };
    let known = &d.task.request;
    let is_edited = known.title.blob != request.title.blob || known.text.blob != request.text.blob;
    let presence = (known.present != present).then_some(present);
    let relabelled = d.task.labels != labels;
    if *known != request {
        // A branch may have been cut by that name that nobody has heard of yet.
        if known.slug != request.slug && d.task.stage != Stage::Created && d.task.named.is_none() {
            d.change(Change::Named(known.slug.clone()));
        }
        d.change(Change::Requested(request));
    }
    let approved = d.task.approval.is_some();
    // Who puts it on now approves what is there, once it is.
    let is_there = d.task.step == Step::Rest(Rest::Approval);
    if d.task.unread && is_there && labels.auto_approve && !d.task.labels.auto_approve {
        d.change(Change::Unread(false));
    }
    if is_edited {
        d.because(Reason::RequestEdited);
        if edited::follows(&d.task) == Follows::AnalystReads && !d.task.unread {
            d.change(Change::Unread(true));
        }
        asks_again(d);
    }
    if relabelled {
        d.change(Change::Labelled(labels));
    }
    Heard { edited: is_edited && !approved, relabelled, presence }
}

/// The approval that stands may be for the text as it was: that is asked (decision 45).
fn asks_again(d: &mut Desk<'_>) {
    if d.task.approval.is_some() && !d.task.stage.is_terminal() {
        d.change(Change::Edited(true));
        waiting_stops(d);
    }
}

/// What follows after what was pressed. Whether an edit came before or after an approval that was pressed with it nobody can tell. A
/// label approves whatever is there.
fn follows(d: &mut Desk<'_>, heard: &Heard) {
    if let Some(present) = heard.presence {
        presence(d, present);
    }
    if heard.edited {
        asks_again(d);
    }
    if heard.relabelled {
        labelled(d);
    }
}

/// The column that a reading shows.
fn on_column(d: &mut Desk<'_>, seen: &IssueSeen) {
    let reading = &seen.reading;
    // A new life begins with this press: the old one no longer looks at the board (row 148).
    if d.task.stage == Stage::Cancelled
        && reading.status == Some(Status::ToAnalyse)
        && d.task.board.shows != reading.status
    {
        // By this it knows later what its own column covered; without a write on its way it will cover nothing more.
        if d.task.board.writing.is_some() {
            d.change(Change::BoardShows(reading.status));
        }
        return reborn(d, seen);
    }
    let shown = d.task.board.shows;
    let writing = d.task.board.writing.map(|(_, status)| status);
    if reading.status == shown {
        return d.because(Reason::Noted);
    }
    // The echo of a write under way is no gesture (decision 2, incident I-14).
    if writing.is_some() && reading.status == writing {
        board_shows(d, reading.status);
        return d.because(Reason::Ignored(Ignored::Echo));
    }
    column(d, reading.status);
}

/// The answer to Orch's own write is a reading too (decision 2): the write stood there, and another column in the answer
/// is what a person made of it since. Without a revision it may as well be an old one that was read before (decision 67).
/// What the write covered was pressed before it, and comes first.
pub(crate) fn on_written(
    d: &mut Desk<'_>,
    written: Status,
    (status, revision, words): (Option<Status>, Option<u64>, Option<&Words>),
    covered: Option<Covered>,
) {
    let (was, read) = (covered, covered.is_some_and(|covered| news::was_read(&d.task, covered)));
    let covered = covered.and_then(|covered| Some((covered, news::unheard(&d.task, covered)?)));
    let mut since = None;
    // What was read since the write is newer than its answer.
    let newer = !news::is_older(&d.task, revision);
    if newer {
        // The column that is known is the same one only if it was read since the write, which stood there between.
        let read_since = was.is_none_or(|was| d.task.revision.is_some_and(|known| known > was.revision));
        let known = status == d.task.board.shows && read_since;
        if status == Some(written) || known || revision.is_none() {
            read_at(d, revision);
            board_shows(d, status);
        } else {
            // What was written stood there: what is older than that is known from here on.
            let stood = was.map(|was| was.revision + 1);
            read_at(d, stood.filter(|stood| d.task.revision.is_none_or(|known| known < *stood)));
            if surface::wanted(&d.task) == Some(written) {
                // Whoever pressed saw what was written: if that is what asks, they were asked.
                board_shows(d, Some(written));
            } else {
                d.change(Change::BoardShows(Some(written)));
            }
            since = Some(status);
        }
    }
    let words = words.filter(|_| newer && revision.is_some());
    let heard = words.map(|words| says(d, words.clone())).unwrap_or_default();
    d.change(Change::BoardSettled);
    let noted = covered.is_none();
    let meant_for_next =
        covered.as_ref().filter(|(_, unheard)| !unheard.overtaken).map(|(covered, _)| *covered);
    let followed = was.filter(|_| d.task.board.followed);
    let passed_on = meant_for_next.or(followed).filter(|_| d.task.stage == Stage::Cancelled);
    match covered {
        Some((covered, unheard)) => on_covered(d, covered, unheard),
        // The column that began the next life, as far as this one can tell. It may have been pressed once more since: that
        // life hears of it, and knows.
        None => {
            if let Some(covered) = followed.filter(|was| !read && was.status == Some(Status::ToAnalyse)) {
                pass_on(d, covered.status, Some(covered.revision));
            }
        }
    }
    if let Some(covered) = passed_on {
        // The next press may be the same column once more: who hears it must know what stood there between.
        pass_on(d, Some(written), Some(covered.revision + 1));
    }
    match since {
        Some(status) if d.task.stage != Stage::Cancelled => {
            read_at(d, revision);
            column(d, status);
        }
        // A new life begins with the whole issue: with the next reading, which is news.
        Some(_) | None if noted => d.because(Reason::Noted),
        Some(_) | None => {}
    }
    follows(d, &heard);
}

/// A press that Orch's own column took off the board before anything told of it counts as a reading of it would have
/// (decision 68).
fn on_covered(d: &mut Desk<'_>, covered: Covered, unheard: Unheard) {
    let Unheard { press, known, overtaken } = unheard;
    if overtaken {
        return no_effect(d, press.name(), NoEffect::Overtaken);
    }
    // The old life no longer looks at the board: whatever it covered was meant for the next (row 148).
    if d.task.stage == Stage::Cancelled {
        pass_on(d, covered.status, Some(covered.revision));
        if press == Press::Start {
            return d.because(Reason::Noted);
        }
    }
    pressed(d, press, known.fresh);
}

/// The life before covered this press with its last column. What had begun by then is told here; what had not begins with
/// it ([`crate::stage::intake`]).
pub(crate) fn on_passed_on(d: &mut Desk<'_>, seen: &IssueSeen) {
    let IssueReading { status, revision, .. } = seen.reading;
    let covered = revision.map(|revision| Covered { status, revision });
    let asks = status.is_some_and(|status| Press::of_status(status).is_some());
    match covered.and_then(|covered| Some((covered, news::unheard(&d.task, covered)?))) {
        Some((covered, unheard)) => {
            let older = news::is_older(&d.task, revision);
            let heard = if older { Heard::default() } else { says(d, seen.reading.words()) };
            on_covered(d, covered, unheard);
            follows(d, &heard);
        }
        None if asks || news::is_older(&d.task, revision) => {
            d.because(Reason::Ignored(Ignored::NotForThis));
        }
        // What the life before wrote there, over that press.
        None => {
            if d.task.board.writing.is_some() {
                d.change(Change::BoardPassed);
            }
            read_at(d, revision);
            board_shows(d, status);
            let heard = says(d, seen.reading.words());
            if d.task.stage == Stage::Cancelled {
                return reborn(d, seen);
            }
            d.because(Reason::Noted);
            follows(d, &heard);
        }
    }
}

/// The life that this issue has by now hears of a column that it had.
fn pass_on(d: &mut Desk<'_>, status: Option<Status>, revision: Option<u64>) {
    let Request { title, slug, text, present } = d.task.request.clone();
    let reading = IssueReading {
        issue: d.task.issue.clone(),
        number: d.task.number,
        status,
        title,
        slug,
        text,
        labels: d.task.labels,
        present,
        revision,
    };
    reborn(d, &IssueSeen { project: d.task.project.clone(), reading });
}

fn reborn(d: &mut Desk<'_>, seen: &IssueSeen) {
    if seen.reading.status == Some(Status::ToAnalyse) && !d.task.board.followed {
        d.change(Change::Followed);
    }
    let next = TaskId::of(&d.task.item, d.task.id.life() + 1);
    d.tell(Entity::Task(next), Message::Reborn(Box::new(seen.clone())));
}

/// The board has another column by somebody's hand.
fn column(d: &mut Desk<'_>, status: Option<Status>) {
    let counted_before = d.task.board.fresh;
    board_shows(d, status);
    match status.and_then(Press::of_status) {
        Some(press) => pressed(d, press, counted_before),
        None => d.because(Reason::Noted),
    }
}

/// Somebody put the issue into a column that means something, after another was read since Orch asked, or before.
fn pressed(d: &mut Desk<'_>, press: Press, counted_before: bool) {
    let dangerous = matches!(press, Press::Approve { .. } | Press::Confirm { .. });
    if dangerous && !counted_before {
        return no_effect(d, press.name(), NoEffect::Stale);
    }
    let gesture = Gesture {
        request: format!("board/{}", d.seq),
        by: "board".to_owned(),
        via: Door::Board,
        what: press,
    };
    on_gesture(d, &gesture);
}

/// A task that only waits for a turn is asked about at once; one that works is asked when it would go on.
fn waiting_stops(d: &mut Desk<'_>) {
    if let Step::Queued(want) = d.task.step.clone() {
        d.queue(want);
    }
}

fn presence(d: &mut Desk<'_>, present: bool) {
    if present && d.task.step == Step::Rest(Rest::IssueGone) {
        proceed(d);
    } else if !present {
        waiting_stops(d);
    }
}

/// A label that came while a person was waited for acts at once (rows 134, 135).
fn labelled(d: &mut Desk<'_>) {
    match (&d.task.step, d.task.stage) {
        (Step::Rest(Rest::Approval), Stage::Analysis) => {
            analysis::by_label(d);
        }
        (Step::Rest(Rest::Confirmation), _) => deploy::labelled(d),
        (
            Step::Rest(_)
            | Step::Queued(_)
            | Step::Asked { .. }
            | Step::Running { .. }
            | Step::Backoff { .. },
            _,
        ) => {}
    }
}

/// A person's gesture, from any door.
pub(crate) fn on_gesture(d: &mut Desk<'_>, gesture: &Gesture) {
    let press = gesture.what.name();
    let refused = gesture.what == Press::Retry && push_records_again(d);
    // A watch counts its looks: one more would make it shorter (decision 69).
    let waits = matches!(&d.task.step, Step::Backoff { ask, .. } if *ask != Ask::Watch);
    let again = d.task.escalated.is_some() || waits || unseen::is_looked_at_again(d);
    if refused && !again {
        return taken(d, gesture);
    }
    if d.task.stage.is_terminal() {
        let why = if d.task.stage == Stage::Cancelled { NoEffect::Stopped } else { NoEffect::Terminal };
        return no_effect(d, press, why);
    }
    if d.task.cancel.is_some() {
        let why = if gesture.what == Press::Stop { NoEffect::Again } else { NoEffect::Busy };
        return no_effect(d, press, why);
    }
    match &gesture.what {
        Press::Start => start(d, gesture),
        Press::Retry if d.task.escalated.is_some() || unseen::is_asked(d) => retry(d, gesture),
        Press::Retry => match d.task.step.clone() {
            // Whoever mended what was in the way need not wait for the next try (decision 70).
            Step::Backoff { ask, tries, .. } if waits => {
                taken(d, gesture);
                decide::try_again(d, ask, tries);
            }
            Step::Backoff { .. }
            | Step::Rest(_)
            | Step::Queued(_)
            | Step::Asked { .. }
            | Step::Running { .. } => {
                no_effect(d, press, NoEffect::NotEscalated);
            }
        },
        Press::Approve { what } => approve(d, gesture, what.as_ref()),
        Press::Reject { reason } => reject(d, gesture, reason.as_ref()),
        Press::Confirm { what } => confirm(d, gesture, what.as_ref()),
        Press::Stop => stop(d, gesture),
        Press::Continue if d.task.step == Step::Rest(Rest::RequestChanged) => go_on(d, gesture),
        Press::Continue if d.task.step == Step::Rest(Rest::Withdrawn) => {
            taken(d, gesture);
            outside::go_on(d);
        }
        Press::Continue => no_effect(d, press, NoEffect::WrongStage(d.task.stage)),
        Press::Accept { what } if unseen::may_look(d) => {
            unseen::accept(d, gesture, what.as_ref());
        }
        Press::Accept { what } => outside::accept(d, gesture, what.as_ref()),
        Press::Allow => allow(d, gesture),
        Press::Priority(priority) if d.task.priority == *priority => {
            no_effect(d, press, NoEffect::SamePriority);
        }
        Press::Priority(priority) => {
            taken(d, gesture);
            d.change(Change::Prioritised(*priority));
        }
        Press::Pause { .. } | Press::Unpause | Press::Freeze | Press::Unfreeze => {
            no_effect(d, press, NoEffect::WrongEntity);
        }
    }
}

/// A retry also asks again for records that their branch refused for good; false if there are none. Over those of the next
/// life, whose files are the same, nothing older is written.
fn push_records_again(d: &mut Desk<'_>) -> bool {
    if d.task.board.followed {
        return false;
    }
    let refused: Vec<Record> =
        d.task.records.iter().filter(|known| known.is_refused()).map(|known| known.record).collect();
    for record in &refused {
        d.change(Change::RecordTroubled { record: *record, trouble: None });
    }
    !refused.is_empty()
}

pub(crate) fn taken(d: &mut Desk<'_>, gesture: &Gesture) {
    d.because(Reason::GestureTaken { press: gesture.what.name().to_owned(), by: gesture.by.clone() });
}

/// To Analyse: begin, answer, analyse again, or begin afresh where it stopped (rows 120, 121; decisions 15, 29, 45).
fn start(d: &mut Desk<'_>, gesture: &Gesture) {
    if d.task.escalated.is_some() {
        return retry(d, gesture);
    }
    match d.task.step.clone() {
        Step::Rest(Rest::Start) => {
            taken(d, gesture);
            crate::stage::intake::ask_to_begin(d);
        }
        Step::Rest(Rest::Questions) => {
            taken(d, gesture);
            d.change(Change::Answers(true));
            proceed(d);
        }
        // What is in main already is not analysed again: it goes on to its proof and its deploy (decision 41).
        Step::Rest(Rest::RequestChanged) if d.task.merged.is_some() => go_on(d, gesture),
        Step::Rest(Rest::RequestChanged) => {
            taken(d, gesture);
            runs::analyse_again(d);
        }
        Step::Rest(Rest::RunBudget { .. }) => allow(d, gesture),
        Step::Rest(
            Rest::Approval
            | Rest::Protected
            | Rest::Confirmation
            | Rest::IssueGone
            | Rest::MergedOutside
            | Rest::Withdrawn
            | Rest::CannotTell { .. }
            | Rest::DeployUnseen
            | Rest::WentBad { .. }
            | Rest::WentSilent { .. }
            | Rest::Escalated
            | Rest::Over,
        )
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => no_effect(d, "start", NoEffect::Busy),
    }
}

/// Goes on although the request was edited (decision 45).
fn go_on(d: &mut Desk<'_>, gesture: &Gesture) {
    taken(d, gesture);
    d.change(Change::Edited(false));
    proceed(d);
}

/// One more run of an agent, whatever the budgets of run, task and day say: consent to one attempt (decisions 12, 37).
fn allow(d: &mut Desk<'_>, gesture: &Gesture) {
    let role = match &d.task.step {
        Step::Queued(Want::Agent(role)) => Some(*role),
        Step::Rest(Rest::RunBudget { .. }) => d.task.stage.role(),
        Step::Rest(_)
        | Step::Queued(Want::Start | Want::Ci(_) | Want::Lane | Want::Merge { .. })
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => None,
    };
    let Some(role) = role else { return no_effect(d, "allow", NoEffect::NoBudgetHold) };
    if d.task.allowed.is_some() {
        return no_effect(d, "allow", NoEffect::Again);
    }
    taken(d, gesture);
    d.change(Change::Allowed(Some(gesture.by.clone())));
    if let Step::Rest(_) = d.task.step {
        d.queue(Want::Agent(role));
    }
}

/// Begins afresh at the stage where it stopped (decision 15).
fn retry(d: &mut Desk<'_>, gesture: &Gesture) {
    taken(d, gesture);
    d.change(Change::Attempted(Attempts::default()));
    d.change(Change::Escalated(None));
    // Whoever begins afresh knows that what was rejected was left as it is: this time it may be (decision 71).
    if let Some(findings) = d.task.findings.clone().filter(|findings| findings.about.is_some()) {
        d.change(Change::Found(Some(Findings { about: None, ..findings })));
    }
    proceed(d);
}

/// Approves the requirements, or a diff of protected paths; means nothing elsewhere (rows 79, 80).
fn approve(d: &mut Desk<'_>, gesture: &Gesture, what: Option<&crate::id::Digest>) {
    if d.task.escalated.is_some() {
        return no_effect(d, "approve", NoEffect::Escalated);
    }
    if d.task.step == Step::Rest(Rest::Approval) {
        let current = artefact::requirements_digest(&d.task.artefacts);
        if what.is_some_and(|what| *what != current) {
            return no_effect(d, "approve", NoEffect::OtherThing);
        }
        taken(d, gesture);
        return analysis::approve(d, &gesture.by, false);
    }
    if d.task.step == Step::Rest(Rest::Protected)
        && let Some(protected) = d.task.protected.clone()
    {
        if what.is_some_and(|what| *what != protected.diff) {
            return no_effect(d, "approve", NoEffect::OtherThing);
        }
        taken(d, gesture);
        d.change(Change::ProtectedApproved(protected.diff));
        return if d.task.stage == Stage::Testing { testing::passed(d) } else { development::judge(d) };
    }
    no_effect(d, "approve", NoEffect::WrongStage(d.task.stage));
}

/// Confirms the deploy of exactly the change that waits (rows 77-82).
fn confirm(d: &mut Desk<'_>, gesture: &Gesture, what: Option<&crate::id::Digest>) {
    if d.task.step != Step::Rest(Rest::Confirmation) {
        return no_effect(d, "confirm", NoEffect::WrongStage(d.task.stage));
    }
    if what.is_some_and(|what| Some(what) != d.task.change()) {
        return no_effect(d, "confirm", NoEffect::OtherThing);
    }
    taken(d, gesture);
    // Whoever answers sees what the policy of today asks for, and may have been asked for less.
    let deploys = d.policy.preset.deploys() && d.task.confirms != Some(false);
    if d.task.confirms != Some(deploys) {
        d.change(Change::Confirms(deploys));
    }
    deploy::consent(d, &gesture.by, false);
    d.queue(Want::Lane);
}

/// Not like this: with a reason at once, without one after reading the newest comment (decision 17, row 103).
fn reject(d: &mut Desk<'_>, gesture: &Gesture, reason: Option<&Text>) {
    if d.task.stage == Stage::Created {
        return no_effect(d, "reject", NoEffect::WrongStage(d.task.stage));
    }
    if unseen::may_look(d) {
        taken(d, gesture);
        return reject_now(d, gesture.by.clone(), reason.cloned());
    }
    if d.task.escalated.is_some() {
        return no_effect(d, "reject", NoEffect::Escalated);
    }
    if d.task.is_critical() {
        return no_effect(d, "reject", NoEffect::Busy);
    }
    // What is in main already is accepted or given up: there is nothing to send back.
    if d.task.merged.is_some() || d.task.merged_outside().is_some() {
        return no_effect(d, "reject", NoEffect::WrongStage(d.task.stage));
    }
    taken(d, gesture);
    // Where the branch will be is not known yet: the rejection waits for the answer that says it.
    if d.task.branch_moves() {
        // Who says nothing takes back nothing that was said.
        if let Some(Rejection { by, reason: Some(said) }) =
            d.task.rejection.clone().filter(|_| reason.is_none())
        {
            let (from, text, link) = (Judge::Person(by), said.into(), String::new());
            d.change(Change::Found(Some(Findings { from, text, link, about: None })));
        }
        let rejection = Rejection { by: gesture.by.clone(), reason: reason.cloned() };
        return d.change(Change::Rejected(Some(rejection)));
    }
    reject_now(d, gesture.by.clone(), reason.cloned());
}

/// The rejection is carried out.
pub(crate) fn reject_now(d: &mut Desk<'_>, by: String, reason: Option<Text>) {
    // The work in hand is fenced off: its end will find nobody waiting for it.
    if let Some((run, _)) = d.task.live_run() {
        d.stop_run(run);
    }
    match reason {
        Some(text) => rejected(d, &by, text.into()),
        None => d.ask(Ask::Reason { by }, 0),
    }
}

/// How often the comments are asked for before a rejection goes on without them.
pub(crate) const REASON_TRIES: u32 = 4;

/// The comments are read: the newest that a person wrote is the reason. What somebody said with a rejection that is to be mended
/// still stays the reason, unless a person wrote something since: Orch tells of a rejection under the issue.
pub(crate) fn reason_read(d: &mut Desk<'_>, by: String, comments: &[Comment]) {
    let newest = comments.iter().rev().find(|comment| !comment.own);
    let since = comments.last().filter(|comment| !comment.own);
    let before = d.task.findings.as_ref().filter(|found| matches!(found.from, Judge::Person(_)));
    let text = match (since, before, newest) {
        (Some(comment), _, _) | (None, None, Some(comment)) => comment.text.clone().into(),
        (None, Some(before), _) => before.text.clone(),
        (None, None, None) => Said::RejectedWithoutReason.into(),
    };
    rejected(d, &by, text);
}

fn rejected(d: &mut Desk<'_>, by: &str, text: Found) {
    if d.task.merged.is_some() {
        return unseen::turn_down(d, by, text);
    }
    runs::forget_what_passed(d);
    let (role, own) = match d.task.stage {
        Stage::Analysis => (Role::Analyst, true),
        Stage::Architecture => (Role::Architect, true),
        Stage::Created
        | Stage::Development
        | Stage::Review
        | Stage::Testing
        | Stage::DeployStaging
        | Stage::Deploy
        | Stage::Done
        | Stage::Cancelled => (Role::Developer, false),
    };
    let (from, about) = (Judge::Person(by.to_owned()), runs::work_of(d, role));
    let findings = Findings { from, text, link: String::new(), about };
    if own { runs::send_back_own(d, findings) } else { runs::send_back(d, findings) }
}

/// STOP: at once, unless something irreversible is really under way (rows 146-152, incident I-27).
fn stop(d: &mut Desk<'_>, gesture: &Gesture) {
    taken(d, gesture);
    let deferred = d.task.is_critical();
    d.change(Change::CancelAsked(Box::new(Cancel { gesture: gesture.clone(), at: d.at, deferred })));
    if deferred {
        d.because(Reason::StopDeferred);
        d.say(Author::Stream, Note::StopDeferred);
        // Whether the merge happened decides: it is looked up now, not when the outage's wait is over.
        match d.task.step.clone() {
            Step::Backoff { ask: Ask::Merge, tries, .. } => d.ask(Ask::Prove, tries),
            Step::Rest(_) => {
                d.change(Change::Escalated(None));
                d.ask(Ask::Prove, 0);
            }
            Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => {}
        }
        return;
    }
    if let Step::Rest(Rest::CannotTell { cause }) = d.task.step.clone() {
        deploy::untold(d, cause);
    }
    if d.task.step == Step::Rest(Rest::DeployUnseen) {
        unseen::give_up(d);
    }
    if d.task.is_watched() || matches!(d.task.step, Step::Rest(Rest::WentSilent { .. })) {
        watch::stopped(d);
    }
    terminal::cancel_now(d);
}
