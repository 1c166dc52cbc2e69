//! Is each press heard and counted once, does a run end once, and does an agent get what is known?

use std::collections::BTreeMap;

use orch_core::call::tracker::{Status, TrackerCall, TrackerReply};
use orch_core::call::{AgentCall, Call, Reply, Text};
use orch_core::change::Change;
use orch_core::event::{Event, Message, Outcome, RunHow};
use orch_core::gesture::Press;
use orch_core::id::{EffectId, IssueKey, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::rework::Findings;

use super::{Broken, Occasion, Watch, broken};
use crate::world::World;

/// What the rows told of presses, and of what the next agent is to be told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How often the board's column was taken for this press.
    presses: BTreeMap<(IssueKey, String), u32>,
    /// Which columns of each issue the rows told of, by the state of the issue.
    columns: BTreeMap<IssueKey, BTreeMap<u64, Option<Status>>>,
    /// Which column each write was to make.
    writes: BTreeMap<EffectId, Status>,
    /// Presses that a write covered and that nobody heard by the time of its answer.
    unheard: Vec<(IssueKey, &'static str, String)>,
    ended: std::collections::BTreeSet<RunId>,
    findings: BTreeMap<TaskId, Findings>,
    requests: BTreeMap<TaskId, (Text, Text)>,
}

impl Watch {
    /// A press that Orch's own column covered was told of before, or is taken for one when the write is answered.
    pub(super) fn hears(&mut self, id: &TaskId, row: &Row, world: &World) {
        let Some((_, issue)) = self.items.get(&id.item()).cloned() else { return };
        for effect in &row.effects {
            if let Call::Tracker(TrackerCall::SetStatus { status, .. }) = &effect.call {
                self.told_of.writes.insert(effect.id, *status);
            }
        }
        let takes = |press: &str| {
            row.reasons.iter().any(|reason| match reason {
                Reason::GestureTaken { press: taken, .. } => taken == press,
                Reason::GestureWithoutEffect { press: answered, .. } => answered == press,
                _ => false,
            })
        };
        let columns = self.told_of.columns.entry(issue.clone()).or_default();
        let told = match &row.event {
            Event::Issue(seen) | Event::Message(Message::Reborn(seen)) => {
                seen.reading.revision.map(|revision| (revision, seen.reading.status))
            }
            Event::Reply(reply) => {
                let Outcome::Done(Reply::Tracker(TrackerReply::StatusSet {
                    status, revision, covered, ..
                })) = &reply.outcome
                else {
                    return;
                };
                for cover in world.tracker.covers_of(reply.effect) {
                    let Some(press) = Press::of_status(cover.status) else { continue };
                    self.looks.count(Occasion::Cover);
                    let newest = columns.range(..cover.until).next_back();
                    if newest.is_none_or(|(_, told)| *told != Some(cover.status)) {
                        let what = format!("{id}: {} of state {}", press.name(), cover.since);
                        self.told_of.unheard.push((issue.clone(), press.name(), what));
                    }
                }
                // What was written stood there. A press since is told of by whoever answers it.
                let written = self.told_of.writes.get(&reply.effect).copied();
                if let (Some(covered), Some(_)) = (covered, written) {
                    columns.insert(covered.revision + 1, written);
                }
                let pressed = status.and_then(Press::of_status);
                let heard = *status == written || pressed.is_none_or(|press| takes(press.name()));
                revision.filter(|_| heard).map(|revision| (revision, *status))
            }
            _ => return,
        };
        columns.extend(told);
        self.told_of.unheard.retain(|(of, press, _)| *of != issue || !takes(press));
    }

    /// Whether the next life of its issue has begun.
    pub(super) fn is_followed(&self, id: &TaskId, row: &Row) -> bool {
        row.changes.contains(&Change::Followed)
            || self.told_of.requests.contains_key(&TaskId::of(&id.item(), id.life() + 1))
    }

    /// Nothing that was covered stays unheard.
    pub(super) fn heard(&self) -> Result<(), Broken> {
        match self.told_of.unheard.first() {
            Some((_, _, what)) => broken("no-press-is-covered-unheard", what.as_str()),
            None => Ok(()),
        }
    }

    /// A column counts as often as a person put the issue there, however often it is read; a run ends once; and whoever
    /// works next gets the newest request and the findings, word for word.
    pub(super) fn told(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        for reason in &row.reasons {
            if let Reason::GestureTaken { press, by } = reason
                && by == "board"
                && let Some((_, issue)) = self.items.get(&id.item()).cloned()
            {
                let means = |status: &Status| Press::of_status(*status).is_some_and(|of| of.name() == press);
                let pressed: u32 =
                    Status::ALL.iter().filter(|s| means(s)).map(|s| world.tracker.pressed(&issue, *s)).sum();
                let taken = self.told_of.presses.entry((issue, press.clone())).or_default();
                *taken += 1;
                if *taken > pressed {
                    let what =
                        format!("row {}: {id} takes {press} {taken} times, pressed {pressed}", row.seq);
                    broken("a-press-counts-once", what)?;
                }
            }
        }
        for change in &row.changes {
            let told = &mut self.told_of;
            match change {
                // A start that was refused for good is no end: it may have happened when it was asked for before.
                Change::RunOver { run, how: RunHow::CouldNotStart { .. }, .. }
                    if !told.ended.contains(run) => {}
                Change::RunOver { run, .. } if !told.ended.insert(*run) => {
                    broken("a-run-ends-once", format!("row {}: {run} ends again", row.seq))?;
                }
                Change::Born { reading, .. } => {
                    told.requests.insert(id.clone(), (reading.title.clone(), reading.text.clone()));
                }
                Change::Requested(request) => {
                    told.requests.insert(id.clone(), (request.title.clone(), request.text.clone()));
                }
                Change::Found(Some(findings)) => drop(told.findings.insert(id.clone(), findings.clone())),
                Change::Found(None) => drop(told.findings.remove(id)),
                _ => {}
            }
        }
        for effect in &row.effects {
            if let Call::Agent(AgentCall::Launch(work)) = &effect.call {
                if work.findings.as_ref() != self.told_of.findings.get(id) {
                    let what = format!("row {}: {} is told {:?}", row.seq, work.run, work.findings);
                    broken("findings-are-handed-on", what)?;
                }
                let request = (work.title.clone(), work.text.clone());
                if self.told_of.requests.get(id) != Some(&request) {
                    let what = format!("row {}: {} is asked for something else", row.seq, work.run);
                    broken("the-request-is-handed-on", what)?;
                }
            }
        }
        Ok(())
    }
}
