//! Which effects are in flight, which are due, which may start? No I/O (decision 1: one line, one at a time, in order).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use orch_core::backoff;
use orch_core::call::{AgentCall, Call, FailureKind, ForgeCall, GitCall, TrackerCall};
use orch_core::effect::{Effect, Line};
use orch_core::event::{EffectReply, Outcome};
use orch_core::id::EffectId;
use orch_core::time::Moment;

/// The lines and what stands in each.
#[derive(Debug, Default)]
pub struct Dispatch {
    lines: BTreeMap<Line, Queue>,
    line_of: BTreeMap<EffectId, Line>,
    tries: BTreeMap<EffectId, u32>,
    /// Those that failed and wait to be tried again: what stands behind them goes on meanwhile (decision 61).
    aside: BTreeSet<EffectId>,
    retries: BTreeSet<(Moment, EffectId)>,
    ready: BTreeSet<Line>,
    /// Merges that have not left.
    merges: BTreeSet<EffectId>,
}

/// The effects of one line, in the order in which they were wanted.
#[derive(Debug, Default)]
struct Queue {
    effects: VecDeque<Effect>,
    /// The one that is on its way.
    flying: Option<EffectId>,
}

impl Queue {
    /// The first that may go: all behind one that stands aside, but for those that touch the same.
    fn next(&self, aside: &BTreeSet<EffectId>) -> Option<&Effect> {
        let mut kept = BTreeSet::new();
        self.effects.iter().find(|effect| {
            let stands = !aside.is_empty() && aside.contains(&effect.id);
            if !stands && kept.is_empty() {
                return true;
            }
            let thing = effect.touches();
            if stands {
                kept.extend(thing);
                return false;
            }
            thing.is_none_or(|thing| !kept.contains(&thing))
        })
    }
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
            if effect.merges() {
                self.merges.insert(effect.id);
            }
            self.lines.entry(effect.line.clone()).or_default().effects.push_back(effect);
        }
    }

    /// A reply was written down: the line goes on.
    pub fn settled(&mut self, id: EffectId) {
        self.tries.remove(&id);
        self.aside.remove(&id);
        self.merges.remove(&id);
        let Some(line) = self.line_of.remove(&id) else { return };
        if let Some(queue) = self.lines.get_mut(&line) {
            queue.effects.retain(|effect| effect.id != id);
            queue.flying.take_if(|flying| *flying == id);
            if queue.effects.is_empty() {
                self.lines.remove(&line);
            } else {
                self.ready.insert(line);
            }
        }
    }

    /// Whether a failed reply is to be tried again here, and for which time, instead of being written down: for as long as
    /// it takes (decision 61).
    pub fn insists(&self, reply: &EffectReply) -> Option<u32> {
        let Outcome::Failed(failure) = &reply.outcome else { return None };
        match failure.kind {
            FailureKind::Permanent => return None,
            FailureKind::Transient | FailureKind::Unknown => {}
        }
        let effect = self.find(reply.effect)?;
        let cleanup = matches!(effect.line, Line::Cleanup(_));
        let tries = self.tries.get(&reply.effect).copied().unwrap_or(0).saturating_add(1);
        (cleanup || nobody_waits(&effect.call)).then_some(tries)
    }

    /// Is tried again after a while, and stands aside until then.
    pub fn again(&mut self, id: EffectId, now: Moment, tries: u32) {
        let Some(line) = self.line_of.get(&id) else { return };
        // A failure that is told twice is one.
        let flew = self.lines.get_mut(line).and_then(|queue| queue.flying.take_if(|flying| *flying == id));
        if flew.is_none() {
            return;
        }
        self.ready.insert(line.clone());
        self.tries.insert(id, tries);
        self.aside.insert(id);
        self.retries.insert((now.after(backoff::outage(tries)), id));
    }

    fn find(&self, id: EffectId) -> Option<&Effect> {
        self.lines.get(self.line_of.get(&id)?)?.effects.iter().find(|effect| effect.id == id)
    }

    /// Merges that wait for their line, or that an earlier brain left: they can still be kept back.
    pub fn unsent_merges(&self) -> Vec<&Effect> {
        self.merges.iter().filter_map(|id| self.find(*id)).collect()
    }

    /// What may start now: one of each line that has nothing on its way.
    #[must_use]
    pub fn may_start(&mut self, now: Moment) -> Vec<Effect> {
        while let Some((due, id)) = self.retries.first().copied() {
            if due > now {
                break;
            }
            self.retries.remove(&(due, id));
            self.aside.remove(&id);
            self.ready.extend(self.line_of.get(&id).cloned());
        }
        let mut start = Vec::new();
        for line in std::mem::take(&mut self.ready) {
            let Some(queue) = self.lines.get_mut(&line).filter(|queue| queue.flying.is_none()) else {
                continue;
            };
            let Some(next) = queue.next(&self.aside).cloned() else { continue };
            queue.flying = Some(next.id);
            self.merges.remove(&next.id);
            start.push(next);
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
        let mut flying: Vec<_> = self
            .lines
            .values()
            .filter_map(|queue| queue.flying)
            .filter_map(|id| self.find(id))
            .cloned()
            .collect();
        flying.sort_by_key(|effect| effect.id);
        flying
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_core::call::Failure;
    use orch_core::id::{Commit, Entity, ProjectId, Seq};

    fn effect(n: u64, call: Call) -> Effect {
        let project = ProjectId::from("demo");
        let entity = Entity::Task("DEMO-001".into());
        Effect { id: EffectId::new(Seq(n), 0), line: Line::Git(project.clone()), entity, project, call }
    }

    fn verdict(n: u64, commit: &str) -> Effect {
        let (commit, context) = (Commit::from(commit), "ci".to_owned());
        effect(n, Call::Forge(ForgeCall::SetCommitStatus { commit, context, passed: true }))
    }

    fn started(dispatch: &mut Dispatch, now: i64) -> Vec<u64> {
        dispatch.may_start(Moment(now)).iter().map(|effect| effect.id.seq.0).collect()
    }

    /// Proves decision 61: an effect that nothing waits for is tried for as long as its outside is away; meanwhile what
    /// stands behind it goes on, one at a time, but for what touches the same.
    #[test]
    fn who_waits_lets_others_pass() {
        let mut dispatch = Dispatch::default();
        let prove = effect(3, Call::Git(GitCall::Prove { commit: Commit::from("a"), deployed: None }));
        dispatch.wanted(vec![verdict(1, "a"), verdict(2, "a"), prove, verdict(4, "b")]);
        let first = EffectId::new(Seq(1), 0);
        let failed = |effect| EffectReply { effect, outcome: Outcome::Failed(Failure::transient("away")) };
        assert_eq!(started(&mut dispatch, 0), [1]);
        assert_eq!(started(&mut dispatch, 0), [0_u64; 0], "one at a time");
        for tries in 1..=500 {
            assert_eq!(dispatch.insists(&failed(first)), Some(tries));
            dispatch.again(first, Moment(0), tries);
            assert_eq!(dispatch.tries.get(&first), Some(&tries));
            // As if it had been tried once more.
            dispatch.lines.get_mut(&Line::Git("demo".into())).expect("a line").flying = Some(first);
            dispatch.aside.remove(&first);
            dispatch.retries.clear();
        }
        dispatch.again(first, Moment(0), 1);
        assert_eq!(started(&mut dispatch, 0), [3], "the second touches the same as the first");
        dispatch.settled(EffectId::new(Seq(3), 0));
        assert_eq!(started(&mut dispatch, 0), [4]);
        assert_eq!(started(&mut dispatch, 1000), [0_u64; 0], "due, and the line is not free");
        dispatch.settled(EffectId::new(Seq(4), 0));
        assert_eq!(started(&mut dispatch, 1000), [1]);
        dispatch.settled(first);
        assert_eq!(started(&mut dispatch, 1000), [2]);
    }
}
