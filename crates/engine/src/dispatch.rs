//! Which effects are in flight, which are due, which may start? No I/O (decision 1: one line, one at a time, in order).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use orch_core::backoff;
use orch_core::call::{AgentCall, Call, FailureKind, ForgeCall, GitCall, TrackerCall};
use orch_core::effect::{Effect, Line};
use orch_core::event::{EffectReply, Outcome};
use orch_core::id::EffectId;
use orch_core::time::Moment;

/// After so many transient failures an effect that nothing waits for is given up, with a reason in the journal.
const MOST_TRIES: u32 = 20;

/// The lines and what stands in each.
#[derive(Debug, Default)]
pub struct Dispatch {
    lines: BTreeMap<Line, VecDeque<Effect>>,
    line_of: BTreeMap<EffectId, Line>,
    started: BTreeSet<EffectId>,
    tries: BTreeMap<EffectId, u32>,
    retries: BTreeSet<(Moment, EffectId)>,
    ready: BTreeSet<Line>,
}

/// Whether a call is repeated by the dispatcher itself when the outside fails for a while: nothing in the task waits
/// for its reply. The others' failures are events, so that the hold shows them.
fn nobody_waits(call: &Call) -> bool {
    match call {
        Call::Tracker(TrackerCall::SetStatus { .. } | TrackerCall::Comment { .. }) => true,
        Call::Tracker(TrackerCall::ReadComments { .. }) => false,
        Call::Forge(
            ForgeCall::SetCommitStatus { .. }
            | ForgeCall::CloseChange { .. }
            | ForgeCall::DeleteBranch { .. },
        ) => true,
        Call::Forge(ForgeCall::OpenChange { .. } | ForgeCall::Restore { .. } | ForgeCall::Merge { .. }) => {
            false
        }
        Call::Git(GitCall::DropTree { .. } | GitCall::WriteRecord { .. }) => true,
        Call::Git(
            GitCall::CutBranch { .. }
            | GitCall::Collect { .. }
            | GitCall::BuildCandidate { .. }
            | GitCall::Prove { .. },
        ) => false,
        Call::Agent(AgentCall::Stop { .. }) => true,
        Call::Agent(AgentCall::Launch(_)) | Call::Gate(_) | Call::Deploy(_) => false,
    }
}

impl Dispatch {
    /// All unsettled effects of the journal: each is driven again; adapters look first whether it happened.
    pub fn take_over(&mut self, open: Vec<Effect>) {
        self.wanted(open);
    }

    /// New effects, in the order of their rows.
    pub fn wanted(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.line_of.insert(effect.id, effect.line.clone());
            self.ready.insert(effect.line.clone());
            self.lines.entry(effect.line.clone()).or_default().push_back(effect);
        }
    }

    /// A reply was written down: the line goes on.
    pub fn settled(&mut self, id: EffectId) {
        self.started.remove(&id);
        self.tries.remove(&id);
        let Some(line) = self.line_of.remove(&id) else { return };
        if let Some(queue) = self.lines.get_mut(&line) {
            queue.retain(|effect| effect.id != id);
            if queue.is_empty() {
                self.lines.remove(&line);
            } else {
                self.ready.insert(line);
            }
        }
    }

    /// Whether a failed reply is to be tried again here, and for which time, instead of being written down.
    pub fn insists(&self, reply: &EffectReply) -> Option<u32> {
        let Outcome::Failed(failure) = &reply.outcome else { return None };
        match failure.kind {
            FailureKind::Permanent => return None,
            FailureKind::Transient | FailureKind::Unknown => {}
        }
        let effect = self.find(reply.effect)?;
        let tries = self.tries.get(&reply.effect).copied().unwrap_or(0) + 1;
        let cleanup = matches!(effect.line, Line::Cleanup(_));
        ((cleanup || nobody_waits(&effect.call)) && tries < MOST_TRIES).then_some(tries)
    }

    /// Is tried again after a while; the line waits with it.
    pub fn again(&mut self, id: EffectId, now: Moment, tries: u32) {
        self.tries.insert(id, tries);
        self.retries.insert((now.after(backoff::outage(tries)), id));
    }

    fn find(&self, id: EffectId) -> Option<&Effect> {
        self.lines.get(self.line_of.get(&id)?)?.iter().find(|effect| effect.id == id)
    }

    /// What may start now: the head of each line, once.
    #[must_use]
    pub fn may_start(&mut self, now: Moment) -> Vec<Effect> {
        while let Some((due, id)) = self.retries.first().copied() {
            if due > now {
                break;
            }
            self.retries.remove(&(due, id));
            if let Some(line) = self.line_of.get(&id).cloned() {
                self.started.remove(&id);
                self.ready.insert(line);
            }
        }
        let mut start = Vec::new();
        for line in std::mem::take(&mut self.ready) {
            if let Some(head) = self.lines.get(&line).and_then(VecDeque::front)
                && self.started.insert(head.id)
            {
                start.push(head.clone());
            }
        }
        start.sort_by_key(|effect| effect.id);
        start
    }

    /// The wall clock stepped: waits stay as long as they were (decision 46).
    pub fn follow_clock(&mut self, by: i64) {
        let retries = std::mem::take(&mut self.retries);
        self.retries = retries.into_iter().map(|(due, id)| (Moment(due.0.saturating_add(by)), id)).collect();
    }

    /// When the next retry is due.
    pub fn next_retry(&self) -> Option<Moment> {
        self.retries.first().map(|(due, _)| *due)
    }

    /// What is on its way.
    pub fn in_flight(&self) -> Vec<Effect> {
        self.started.iter().filter_map(|id| self.find(*id)).cloned().collect()
    }
}
