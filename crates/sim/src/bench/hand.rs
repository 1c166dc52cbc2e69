//! How are effects performed and runs ended, and what goes wrong meanwhile?

use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, Outcome, RunHow};
use orch_core::id::{Entity, RunId};
use orch_core::journal::Journal;
use orch_engine::{Incoming, Target};

use super::Bench;

impl Bench {
    fn pick(&mut self, of: usize) -> usize {
        if self.orderly { 0 } else { self.dice.below(of) }
    }

    pub(super) fn perform_one(&mut self) {
        let at = self.pick(self.pending.len());
        self.perform_at(at);
    }

    pub(super) fn perform_at(&mut self, at: usize) {
        let effect = self.pending.remove(at);
        let name = effect.call.name();
        if self.dies("dies-before", name, self.faults.crash_before) {
            return self.crash();
        }
        let out = self.dice.strikes("outage", self.faults.outage);
        self.tally.faults += u64::from(out);
        self.world.outage = self.outage || out;
        self.hand_texts(&effect);
        let mut outcome = self.world.perform(&effect);
        let texts = self.world.take_texts();
        self.world.outage = false;
        let launched = self.launched(&effect);
        let target = Target::Entity(effect.entity.clone());
        if self.dies("dies-after", name, self.faults.crash_after) {
            if self.dice.strikes("reply-comes-late", self.faults.late_reply) {
                let reply = EffectReply { effect: effect.id, outcome };
                self.late.push(Incoming::of(target, Event::Reply(Box::new(reply))));
            }
            return self.crash();
        }
        if let Some(run) = launched
            && !self.watched.contains(&run)
        {
            self.watched.push(run);
        }
        let told = self.lose_answer_of.as_ref().is_some_and(|part| name.contains(part.as_str()));
        if told {
            self.lose_answer_of = None;
        }
        if told || self.dice.strikes("answer-lost", self.faults.lost_answer) {
            self.tally.faults += 1;
            outcome = Outcome::Failed(orch_core::call::Failure::unknown("the answer was lost (injected)"));
        }
        let reply = EffectReply { effect: effect.id, outcome };
        self.tell(Incoming::of(target.clone(), Event::Reply(Box::new(reply.clone()))).with(texts));
        if self.dice.strikes("reply-doubled", self.faults.doubled) {
            self.tally.faults += 1;
            self.tell(Incoming::of(target, Event::Reply(Box::new(reply))));
        }
    }

    /// Whether the brain dies at a boundary.
    fn dies(&mut self, what: &'static str, name: &str, chance: u64) -> bool {
        let boundary = format!("{} {name}", what.trim_start_matches("dies-"));
        let first = if self.died.contains_key(&boundary) { 0 } else { self.faults.crash_first };
        let dies = self.dice.strikes(what, chance.max(first));
        if dies {
            self.tally.faults += 1;
            *self.died.entry(boundary).or_default() += 1;
        }
        dies
    }

    /// The text that a call names is read from the journal, as a hand would: it must be there before the effect is.
    fn hand_texts(&mut self, effect: &Effect) {
        use orch_core::call::{Call, GitCall};
        let Call::Git(GitCall::WriteRecord { text, .. }) = &effect.call else { return };
        let kept = self.engine().journal().blob(&text.blob).ok().flatten();
        if let (Some(bytes), Some(repository)) = (kept, self.world.repositories.get_mut(&effect.project)) {
            repository.kept.insert(text.blob.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    fn launched(&self, effect: &Effect) -> Option<RunId> {
        use orch_core::call::{AgentCall, Call, DeployCall, GateCall};
        let run = match &effect.call {
            Call::Agent(AgentCall::Launch(work)) => work.run,
            Call::Gate(GateCall::Ci { run, .. }) | Call::Deploy(DeployCall::Hook { run, .. }) => *run,
            Call::Agent(AgentCall::Stop { .. })
            | Call::Deploy(DeployCall::Probe { .. })
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_) => return None,
        };
        self.world.runs.contains_key(&run).then_some(run)
    }

    pub(super) fn end_one(&mut self) {
        let at = self.pick(self.watched.len());
        self.end_at(at);
    }

    pub(super) fn end_at(&mut self, at: usize) {
        let run = self.watched.remove(at);
        if self.dice.strikes("run-refused", self.faults.refused_run) {
            self.tally.faults += 1;
            let how = match self.dice.which("how", 3) {
                0 => RunHow::CouldNotStart { cause: "injected".to_owned() },
                1 => RunHow::Lost { cause: "injected".to_owned() },
                _ => RunHow::ProviderLimited { until: None, cause: "injected".to_owned() },
            };
            self.world.refuse(run, how);
        }
        self.world.finish(run);
        let (Some(end), Some(started)) = (self.world.end(run), self.world.runs.get(&run)) else { return };
        let target = Target::Entity(Entity::Task(started.task.clone()));
        self.tell(Incoming::of(target, Event::RunEnded(Box::new(end))));
    }
}
