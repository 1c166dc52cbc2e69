//! What goes wrong by itself, between two actions?

use orch_core::call::{Call, GitCall};
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, Outcome};
use orch_core::id::{Commit, Entity, Seq};
use orch_core::time::{Moment, Span};
use orch_engine::{Ack, Incoming, Target, Term};

use super::Bench;
use crate::fault::Fault;
use crate::invariant::{Broken, Occasion};
use crate::world::repository::Repository;

/// Most outages are shorter than this.
const SHORT_OUTAGE: usize = 10 * 60_000;

/// All are shorter than this: six hours.
const LONGEST_OUTAGE: usize = 6 * 3_600_000;

/// The clock is set by less than this, or a year.
const STEP: usize = 3_600_000;

/// A wall clock that is this far from where it should be was set, in milliseconds (decision 62).
const DRIFT: u64 = 500;

/// A year, about: further than any wait.
const YEAR: i64 = 365 * 24 * 3_600_000;

/// An event that is late.
pub(super) struct Late {
    fault: Fault,
    event: Incoming,
    /// Where the journal stood when it should have come.
    since: Seq,
}

/// A hand of a brain that is no more: what it was asked, and may still do.
pub(super) struct Paused {
    /// By which brain.
    of: Term,
    effect: Effect,
    /// If it writes a record: where the records stood when it looked.
    records: Option<Commit>,
}

impl Bench {
    /// Whether this goes wrong now, and is counted.
    pub(super) fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.chosen(fault);
        if strikes {
            self.tally.count(fault);
        }
        strikes
    }

    /// Whether this is to go wrong: the one place where that is decided. It is counted when it does.
    pub(super) fn chosen(&mut self, fault: Fault) -> bool {
        self.dice.strikes(fault.name(), self.faults.rate(fault))
    }

    /// An action takes a moment.
    pub(super) fn action_takes(&mut self) {
        self.time_passes(Span(10));
        self.frozen = self.frozen.saturating_sub(1);
    }

    /// Time passes. While the wall clock stands still that is one step back after the other: the brain compares it with the clock
    /// that always goes, and hears of a step when both are too far apart.
    pub(super) fn time_passes(&mut self, by: Span) {
        self.now = self.now.after(by);
        if self.frozen > 0 {
            self.lag = self.lag.saturating_add(by.0);
            if self.lag > DRIFT {
                let back = i64::try_from(std::mem::take(&mut self.lag)).unwrap_or(i64::MAX);
                self.step_clock(-back);
            }
        }
    }

    /// Everything that may go wrong at any time.
    pub(super) fn trouble(&mut self) -> Result<(), Broken> {
        if self.strikes(Fault::ClockForward) {
            let by = self.step_of_clock();
            self.step_clock(by);
        }
        if self.strikes(Fault::ClockBack) {
            let by = self.step_of_clock();
            self.step_clock(-by);
        }
        if self.chosen(Fault::ClockFrozen) {
            if self.frozen == 0 {
                self.tally.count(Fault::ClockFrozen);
            }
            self.frozen = 100;
        }
        if self.chosen(Fault::Outage) {
            let most = if self.dice.happens("of hours", 8) { LONGEST_OUTAGE } else { SHORT_OUTAGE };
            let length = self.dice.which("for", most) as u64;
            let (before, until) = (self.out_until.max(self.now), self.now.after(Span(length)));
            if until > before {
                self.tally.count(Fault::Outage);
            }
            self.out_until = self.out_until.max(until);
            self.hindered += self.out_until.since(before).0;
        }
        if self.strikes(Fault::Suspended) {
            let length = self.dice.which("for", STEP) as u64;
            self.time_passes(Span(length));
            self.hindered += length;
        }
        if self.chosen(Fault::Sleeper) {
            self.fall_asleep();
        }
        if self.strikes(Fault::Reboot) {
            let off = self.dice.which("for", STEP) as u64;
            self.reboot(Span(off), 0);
        }
        if self.unset == 0 && self.strikes(Fault::ClockUnset) {
            let off = self.dice.which("for", STEP) as u64;
            self.boot_unset(Span(off));
        }
        if self.unset != 0 && self.dice.happens("clock is told the time", 20) {
            self.clock_is_right();
        }
        if self.strikes(Fault::Meddling) {
            crate::people::meddle(self);
        }
        if !self.late.is_empty() && self.dice.happens("late reply arrives", 10) {
            self.comes_late();
        }
        if !self.paused_hands.is_empty() && self.dice.happens("paused hand goes on", 5) {
            self.hand_goes_on();
        }
        if self.is_overtaken() && self.dice.happens("paused brain wakes", 5) {
            self.wake_one()?;
        }
        if !self.deliveries.is_empty() {
            self.hand_in();
        }
        Ok(())
    }

    /// This will be late.
    pub(crate) fn delay(&mut self, fault: Fault, event: Incoming) {
        let since = self.engine().head();
        self.late.push(Late { fault, event, since });
    }

    /// The oldest of what is late arrives.
    fn comes_late(&mut self) {
        self.comes(0);
    }

    fn comes(&mut self, at: usize) {
        let Late { fault, event, since } = self.late.remove(at);
        self.was_late(fault, since);
        self.tell(event);
    }

    /// What should have come when the journal stood there comes now. It is late if anything else came before it.
    pub(super) fn was_late(&mut self, fault: Fault, since: Seq) {
        if self.engine().head() != since {
            self.tally.count(fault);
        }
    }

    /// Where among what is late an answer is that this brain waits for.
    pub(super) fn slow(&self) -> Option<usize> {
        self.late.iter().position(|late| late.fault == Fault::SlowAnswer)
    }

    /// It arrives; false: there is none.
    pub(super) fn slow_comes(&mut self) -> bool {
        let slow = self.slow();
        slow.into_iter().for_each(|at| self.comes(at));
        slow.is_some()
    }

    /// The brain is no more: what it was owed is an answer to nobody.
    pub(super) fn owed_to_nobody(&mut self) {
        for late in &mut self.late {
            if late.fault == Fault::SlowAnswer {
                late.fault = Fault::LateReply;
            }
        }
    }

    /// Whether anything is still to come of what went wrong.
    pub(super) fn is_something_on_its_way(&self) -> bool {
        let queues = [self.deliveries.len(), self.late.len(), self.paused_hands.len(), self.sleepers.len()];
        queues.iter().sum::<usize>() > 0 || self.unset != 0
    }

    /// All that is late arrives, hands that were paused go on, and brains wake.
    pub(super) fn all_comes_late(&mut self) -> Result<(), Broken> {
        for _ in 0..self.late.len() {
            if !self.late.is_empty() {
                self.comes_late();
            }
        }
        for _ in 0..self.paused_hands.len() {
            if !self.paused_hands.is_empty() {
                self.hand_goes_on();
            }
        }
        for _ in 0..self.sleepers.len() {
            if self.is_overtaken() {
                self.wake_one()?;
            }
        }
        if self.unset != 0 {
            self.clock_is_right();
        }
        self.verify()
    }

    fn step_of_clock(&mut self) -> i64 {
        let year = if self.dice.happens("a year", 10) { YEAR } else { 0 };
        year + self.dice.which("by", STEP) as i64
    }

    /// Nothing answers for so long.
    pub fn outage_of(&mut self, length: Span) {
        self.out_until = self.now.after(length);
    }

    /// Whether nothing answers for a while.
    pub(super) fn is_away(&self) -> bool {
        self.now < self.out_until
    }

    /// One of the hands of a brain that is no more may go on without it: a program that it had started, a request on its way.
    pub(super) fn leave_a_hand(&mut self, of: Term) {
        let outlives = |effect: &&Effect| match &effect.call {
            Call::Tracker(_) | Call::Forge(_) | Call::Git(_) => true,
            Call::Agent(_) | Call::Gate(_) | Call::Deploy(_) => false,
        };
        let hands: Vec<Effect> = self.pending.iter().filter(outlives).cloned().collect();
        if hands.is_empty() || !self.chosen(Fault::PausedHand) {
            return;
        }
        let which = self.dice.which("hand", hands.len());
        let Some(effect) = hands.into_iter().nth(which) else { return };
        let records = self.records_of(&effect);
        self.paused_hands.push(Paused { of, effect, records });
    }

    /// Where the records stand that a hand writes to.
    fn records_of(&self, effect: &Effect) -> Option<Commit> {
        let repository = self.world.repositories.get(&effect.project)?;
        let writes = matches!(&effect.call, Call::Git(GitCall::WriteRecord { .. }));
        repository.records().filter(|_| writes).cloned()
    }

    fn main_of(&self, effect: &Effect) -> Option<Commit> {
        self.world.repositories.get(&effect.project).map(Repository::main)
    }

    /// It does what it was asked, as the adapters do it: it looks first whether that happened.
    fn hand_goes_on(&mut self) {
        let Paused { of, effect, records } = self.paused_hands.remove(0);
        // It looked before it was paused: records that were written since are not written over, by a program that outlived its
        // brain because it pushes by compare-and-swap, by a hand because it gives up.
        if self.records_of(&effect) != records {
            return;
        }
        self.hand_texts(&effect);
        self.world.outage = self.outage || self.is_away();
        if !self.world.outage {
            self.tally.count(Fault::PausedHand);
        }
        let outcome = self.performs_late(&effect);
        self.world.outage = false;
        let texts = self.world.take_texts();
        let reply = EffectReply { effect: effect.id, outcome };
        self.tell(Incoming::reply(of, effect.entity, reply).with(texts));
    }

    /// It is done by a hand whose brain is no more.
    fn performs_late(&mut self, effect: &Effect) -> Outcome {
        let before = self.main_of(effect);
        let outcome = self.world.perform(effect);
        if let Some(main) = self.main_of(effect).filter(|main| Some(main) != before.as_ref())
            && let Entity::Task(task) = &effect.entity
        {
            self.world.works.merged_late.insert(main, task.clone());
        }
        outcome
    }

    /// The brain is paused, as by a signal or a suspended machine, and another takes over.
    pub(crate) fn fall_asleep(&mut self) {
        let Some(mut engine) = self.engine.take() else { return };
        let journal = engine.journal().hand_over();
        let term = engine.term();
        self.sleepers.push(engine);
        self.succeed(term, journal);
    }

    /// Whether a brain is paused that another took over from.
    pub(crate) fn is_overtaken(&self) -> bool {
        !self.sleepers.is_empty()
    }

    /// A paused brain wakes and goes on: with what is due by its own account, and with an answer that its hands still had.
    pub(crate) fn wake_one(&mut self) -> Result<(), Broken> {
        self.looks_at(Occasion::Wake);
        self.tally.count(Fault::Sleeper);
        let at = self.dice.below(self.sleepers.len());
        let mut engine = self.sleepers.remove(at);
        let mut incoming = Vec::new();
        if let Some(effect) = engine.in_flight().into_iter().next() {
            let failed = orch_core::call::Failure::unknown("asked by a brain that slept (injected)");
            let reply = EffectReply { effect: effect.id, outcome: Outcome::Failed(failed) };
            incoming.push(Incoming::reply(engine.term(), effect.entity.clone(), reply));
        }
        let target = Target::Entity(Entity::Installation);
        incoming.push(Incoming::of(target, Event::ClockStepped { by: 1 }));
        let before = engine.journal_ref().all().len();
        for event in incoming {
            let stepped = engine.step(self.now, vec![event]);
            let acks = stepped.as_ref().map(|stepped| stepped.acks.as_slice()).unwrap_or_default();
            let written = acks.iter().any(|ack| matches!(ack, Ack::Accepted { .. }));
            if written || engine.journal_ref().all().len() != before {
                let what = format!("a brain that was deposed wrote: {acks:?}");
                return Err(Broken::of("one-brain-leads", what));
            }
            if let Ok(stepped) = stepped {
                // What it only asks again it may ask: the effect was wanted, and is looked up before it is done.
                // Records are another matter: whoever has the store open has its lock, and no other brain writes beside it.
                let records =
                    |effect: &Effect| matches!(&effect.call, Call::Git(GitCall::WriteRecord { .. }));
                for effect in stepped.perform.into_iter().filter(|effect| !records(effect)) {
                    self.performs_late(&effect);
                }
            }
        }
        Ok(())
    }

    /// What was asked when: before this moment nothing answers.
    pub(super) fn nothing_answers(&mut self) -> bool {
        let out = self.outage || self.is_away();
        out || self.strikes(Fault::ServerError) || self.strikes(Fault::RateLimited)
    }

    /// Nothing goes wrong any more that goes wrong by itself.
    pub(super) fn calm(&mut self) {
        self.faults = crate::fault::Faults::default();
        self.hindered -= self.out_until.since(self.now).0.min(self.hindered);
        self.out_until = Moment(0);
        self.frozen = 0;
    }
}
