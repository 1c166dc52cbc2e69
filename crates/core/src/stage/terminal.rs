//! How does a task end? Delivered with proof, or stopped by a person (decision 41).

use crate::call::tracker::Author;
use crate::call::{Call, ForgeCall, ForgeReply, GitReply, Reply};
use crate::change::Change;
use crate::desk::Desk;
use crate::effect::Line;
use crate::event::{EffectReply, Outcome, Usage};
use crate::note::Note;
use crate::outside;
use crate::reason::Reason;
use crate::stage::{Role, Stage};
use crate::task::{Ask, Deployed, Job, Rest, Step, Untold};
use crate::time::Span;

/// Delivered. The stage is `done` already; a stop that waited for the deploy is carried out instead (decision 41).
pub(crate) fn done(d: &mut Desk<'_>) {
    d.release_lane();
    d.thaw();
    if d.task.cancel.is_some() {
        return cancel_now(d);
    }
    d.rest(Rest::Over);
    if let Some(merged) = d.task.merged.clone() {
        let note = Note::Done {
            commit: merged.commit,
            deployed: d.task.deployed.as_ref().is_some_and(Deployed::is_out),
            roles: roles(d),
            agents: agents_time(d),
            people: d
                .task
                .review
                .ended
                .zip(d.task.review.started)
                .map_or(Span(0), |(end, start)| end.since(start)),
            wall: d.at.since(d.task.born),
        };
        d.say(Author::Deployer, note);
    }
}

/// What each role used, over all its runs (rows 185, 193).
fn roles(d: &Desk<'_>) -> Vec<(Role, u32, Usage)> {
    let used = |role: Role| {
        let mine = d.task.runs.iter().filter(|row| row.job == Job::Agent(role));
        mine.fold((role, 0, Usage::default()), |(role, n, sum), row| (role, n + 1, sum.plus(row.usage)))
    };
    Role::ALL.into_iter().map(used).filter(|(_, runs, _)| *runs != 0).collect()
}

fn agents_time(d: &Desk<'_>) -> Span {
    Span(d.task.runs.iter().filter(|row| matches!(row.job, Job::Agent(_))).map(|row| row.wall.0).sum())
}

/// Full reset: agent stopped, lane given back, change request closed, branch deleted, docs and main untouched (rows
/// 146-149). A freeze stays: what broke production is still in main.
pub(crate) fn cancel_now(d: &mut Desk<'_>) {
    d.release_lane();
    if let Some((run, _)) = d.task.live_run() {
        d.stop_run(run);
    }
    let line = Line::Git(d.task.project.clone());
    ask_what_is_untold(d);
    if d.task.rejection.is_some() {
        d.change(Change::Rejected(None));
    }
    // The forge knows of a merge of its own, and not of one that a person made past it.
    let merged_there = d.task.merged.is_some() && d.task.merged_outside().is_none();
    if let Some(change) = d.task.change_request.filter(|_| !merged_there) {
        d.effect(line.clone(), Call::Forge(ForgeCall::CloseChange { change }));
    }
    let of_earlier_rounds = d.task.earlier_merges.iter().filter_map(|merged| merged.branch.clone());
    let of_this = d.task.branch.iter().map(|branch| (branch.name.clone(), branch.head.clone()));
    for (branch, head) in of_earlier_rounds.chain(of_this).collect::<Vec<_>>() {
        d.effect(line.clone(), Call::Forge(ForgeCall::DeleteBranch { branch, head }));
    }
    let last = d.task.merged.as_ref().or(d.task.earlier_merges.last());
    let by_people = d.task.merged_outside().map(|by| by.commit.clone());
    let stays = by_people.or(last.map(|merged| merged.commit.clone())).or(d.task.was_in_main.clone());
    d.because(Reason::Stopped);
    let unproven = d.task.merged.as_ref().map_or(d.task.merge_untold, |merged| !merged.proven);
    d.say(Author::Stream, Note::Stopped { stays, frozen: unproven && d.task.froze });
    if d.task.escalated.is_some() {
        d.change(Change::Escalated(None));
    }
    d.change(Change::Staged(Stage::Cancelled));
    d.rest(Rest::Over);
}

/// What a question did that was refused for good, or not answered so far, is not known: it is asked once more, and undone
/// when the answer comes. One that is on its way is answered yet.
fn ask_what_is_untold(d: &mut Desk<'_>) {
    let on_its_way = match &d.task.step {
        Step::Asked { effect, ask, .. } if ask.moves_branch() => {
            Some(Untold { effect: *effect, ask: ask.clone() })
        }
        Step::Asked { .. }
        | Step::Backoff { .. }
        | Step::Rest(_)
        | Step::Queued(_)
        | Step::Running { .. } => None,
    };
    let refused = d.task.untold.iter().map(|untold| &untold.ask);
    let open = d.task.open_question().filter(|ask| ask.moves_branch());
    let mut again: Vec<Ask> = refused.chain(open).cloned().collect();
    again.dedup();
    again.retain(|ask| on_its_way.as_ref().is_none_or(|untold| untold.ask != *ask));
    for ask in again {
        look_after(d, &ask);
    }
    let left: Vec<Untold> = on_its_way.into_iter().collect();
    if d.task.untold != left {
        d.change(Change::Untold(left));
    }
}

/// What was asked for is answered after the stop: what it did is undone, and what nobody knows is asked once more (row 146).
pub(crate) fn told(d: &mut Desk<'_>, reply: &EffectReply) {
    if d.task.stage != Stage::Cancelled {
        return;
    }
    let (mine, others): (Vec<_>, Vec<_>) =
        d.task.untold.clone().into_iter().partition(|untold| untold.effect == reply.effect);
    if !mine.is_empty() {
        d.change(Change::Untold(others));
    }
    match &reply.outcome {
        Outcome::Done(answer) => {
            undo(d, answer);
            if matches!(answer, Reply::Git(GitReply::BranchMoved { .. })) {
                mine.iter().for_each(|untold| drop_tree_of(d, &untold.ask));
            }
        }
        Outcome::Failed(_) => mine.iter().for_each(|untold| look_after(d, &untold.ask)),
    }
}

/// Asks once more what a question did; a tree that was to be collected goes after that, whatever the answer is.
fn look_after(d: &mut Desk<'_>, ask: &Ask) {
    d.look_after(ask);
    drop_tree_of(d, ask);
}

fn drop_tree_of(d: &mut Desk<'_>, ask: &Ask) {
    if let Ask::Collect { run, .. } = ask {
        d.drop_tree(*run);
    }
}

/// An answer that came after the stop: what it tells of is undone too (row 146).
fn undo(d: &mut Desk<'_>, answer: &Reply) {
    let name = d.task.branch.as_ref().map(|branch| branch.name.clone());
    let (branch, head) = match answer {
        Reply::Git(GitReply::BranchCut { branch, head, .. }) => (Some(branch.clone()), head.clone()),
        Reply::Git(GitReply::Collected(collected)) => {
            if let Some(run) = d.task.runs.iter().rev().find(|row| matches!(row.job, Job::Agent(_))) {
                d.drop_tree(run.run);
            }
            (name, collected.head.clone())
        }
        Reply::Git(GitReply::Candidate(candidate)) => (name, candidate.commit.clone()),
        Reply::Git(GitReply::Conflict { head: Some(head), .. }) => (name, head.clone()),
        Reply::Git(GitReply::InMain(by)) => {
            // The comment of the stop said that main has nothing of it.
            let outside = d.task.outside.as_ref().is_some_and(|outside| outside.in_main.is_some());
            if !outside && d.task.merged.is_none() && d.task.earlier_merges.is_empty() {
                outside::in_main(d, by);
                let stays = Some(by.commit.clone());
                d.say(Author::Stream, Note::Stopped { stays, frozen: false });
            }
            let Some(branch) = d.task.branch.clone() else { return };
            (name, branch.head)
        }
        Reply::Forge(ForgeReply::Restored) => {
            let line = Line::Git(d.task.project.clone());
            if let Some(change) = d.task.change_request {
                d.effect(line, Call::Forge(ForgeCall::CloseChange { change }));
            }
            let Some(branch) = d.task.branch.clone() else { return };
            (name, branch.head)
        }
        Reply::Forge(ForgeReply::ChangeOpened { change }) => {
            let line = Line::Git(d.task.project.clone());
            d.effect(line, Call::Forge(ForgeCall::CloseChange { change: *change }));
            return;
        }
        Reply::Git(
            GitReply::NameTaken
            | GitReply::BranchMoved { .. }
            | GitReply::Conflict { head: None, .. }
            | GitReply::Proof(_)
            | GitReply::RecordWritten { .. }
            | GitReply::TreeDropped,
        )
        | Reply::Forge(
            ForgeReply::CommitStatusSet
            | ForgeReply::Merged { .. }
            | ForgeReply::MainMoved { .. }
            | ForgeReply::CheckoutDirty { .. }
            | ForgeReply::ChangeClosed
            | ForgeReply::BranchDeleted
            | ForgeReply::BranchMoved { .. },
        )
        | Reply::Tracker(_)
        | Reply::Agent(_)
        | Reply::Gate(_)
        | Reply::Deploy(_) => return,
    };
    if let Some(branch) = branch {
        let line = Line::Git(d.task.project.clone());
        d.effect(line, Call::Forge(ForgeCall::DeleteBranch { branch, head }));
    }
}
