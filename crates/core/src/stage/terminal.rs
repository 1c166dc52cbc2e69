//! How does a task end? Delivered with proof, or stopped by a person (predecessor section 13, decision 41).

use crate::call::tracker::Author;
use crate::call::{Call, ForgeCall};
use crate::change::Change;
use crate::desk::Desk;
use crate::effect::Line;
use crate::event::{Message, Usage};
use crate::id::Entity;
use crate::note::Note;
use crate::reason::Reason;
use crate::stage::{Role, Stage};
use crate::task::{Job, Rest};
use crate::time::Span;

/// Delivered. The stage is `done` already; a stop that waited for the deploy is carried out instead (decision 41).
pub(crate) fn done(d: &mut Desk<'_>) {
    d.release_lane();
    thaw(d);
    if d.task.cancel.is_some() {
        return cancel_now(d);
    }
    d.rest(Rest::Over);
    if let Some(merged) = d.task.merged.clone() {
        let note = Note::Done {
            commit: merged.commit,
            deployed: d.task.deployed.as_ref().is_some_and(|deployed| deployed.healthy),
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
        mine.fold((0u32, Usage::default()), |(n, sum), row| (n + 1, sum.plus(row.usage)))
    };
    Role::ALL
        .into_iter()
        .map(|role| (role, used(role)))
        .filter(|(_, (n, _))| *n > 0)
        .map(|(r, (n, u))| (r, n, u))
        .collect()
}

fn agents_time(d: &Desk<'_>) -> Span {
    Span(d.task.runs.iter().filter(|row| matches!(row.job, Job::Agent(_))).map(|row| row.wall.0).sum())
}

/// A freeze that this task caused is lifted by its repairing merge, or by its end.
fn thaw(d: &mut Desk<'_>) {
    if !d.task.earlier_merges.is_empty() {
        let task = d.task.id.clone();
        d.tell(Entity::Repository(d.task.project.clone()), Message::Thaw { task });
    }
}

/// Full reset: agent stopped, lane given back, change request closed, branch deleted, docs and main untouched (rows
/// 146-149). A freeze stays: what broke production is still in main.
pub(crate) fn cancel_now(d: &mut Desk<'_>) {
    d.release_lane();
    if let Some((run, _)) = d.task.live_run() {
        d.stop_run(run);
    }
    let line = Line::Git(d.task.project.clone());
    if d.task.merged.is_none() {
        if let Some(change) = d.task.change_request {
            d.effect(line.clone(), Call::Forge(ForgeCall::CloseChange { change }));
        }
        if let Some(branch) = d.task.branch.clone() {
            let call = ForgeCall::DeleteBranch { branch: branch.name, head: branch.head };
            d.effect(line, Call::Forge(call));
        }
    }
    let last = d.task.merged.as_ref().or(d.task.earlier_merges.last());
    let stays = last.map(|merged| merged.commit.clone());
    d.because(Reason::Stopped);
    d.say(Author::Stream, Note::Stopped { stays });
    if d.task.escalated.is_some() {
        d.change(Change::Escalated(None));
    }
    d.change(Change::Staged(Stage::Cancelled));
    d.rest(Rest::Over);
}
