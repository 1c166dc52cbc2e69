//! What do the clocks of the world do? The wall clock is set, and the machine is started again.

use orch_core::event::Event;
use orch_core::id::Entity;
use orch_core::time::{Boot, Moment, Span};
use orch_engine::{Incoming, Target};

use super::Bench;
use super::deliver::Delivery;

/// What a clock shows that nothing kept, some moments after the machine was started.
const UNSET: Moment = Moment(20_000);

impl Bench {
    /// The boot of the machine, as the wall clock tells it now.
    pub(super) fn boot(&self) -> Boot {
        Boot { id: format!("boot-{}", self.boots), began: super::BOOTED.stepped_by(self.ahead) }
    }

    /// A brain that takes over looks first at what the clock did since the last one looked, and tells it with its start.
    pub(super) fn compare_clocks(&mut self) {
        let (seen, now) = (self.boot(), self.now);
        let engine = self.engine();
        let stored = engine.board().installation().boot.as_deref();
        let known = Boot::by_which(stored, engine.left_at(), &seen, now);
        self.inbox.extend(known.stepped_to(&seen).map(clock_stepped));
    }

    /// The machine is switched off for a while and started again: nobody counts meanwhile but its wall clock, which may be
    /// set too, and whatever was at work on it is gone.
    pub fn reboot(&mut self, off: Span, set: i64) {
        self.now = self.now.after(off);
        self.hindered += off.0;
        self.boots += 1;
        self.set_clock(set);
        self.world.power_cut();
        self.pending.clear();
        self.late.clear();
        self.sleepers.clear();
        self.paused_hands.clear();
        self.crash();
        // What a run left was never forced to the disk: an end that nobody read is that of a run that was lost.
        for run in self.watched.clone() {
            self.world.loses(run);
        }
    }

    /// The machine is started again with a clock that nothing kept: it begins in 1970 until somebody tells it the time.
    pub(super) fn boot_unset(&mut self, off: Span) {
        self.unset = self.now.after(off).0 - UNSET.0;
        self.reboot(off, -self.unset);
    }

    /// Somebody tells it the time.
    pub(super) fn clock_is_right(&mut self) {
        let by = std::mem::take(&mut self.unset);
        self.step_clock(by);
    }

    /// The wall clock steps; the brain notices.
    pub fn step_clock(&mut self, by: i64) {
        let by = self.set_clock(by);
        self.tell_clock_step(by);
    }

    /// The wall clock steps while nobody looks.
    pub fn set_clock(&mut self, by: i64) -> i64 {
        let by = self.now.0.saturating_add(by).max(1) - self.now.0;
        let stepped = |at: Moment| Moment(at.0.saturating_add(by).max(1));
        self.now = stepped(self.now);
        self.ahead += by;
        // The world goes on as it was: an outage lasts as long, and what is on its way takes as long.
        self.out_until = stepped(self.out_until);
        let later = |mut one: Delivery| {
            one.due = stepped(one.due);
            one
        };
        self.deliveries = std::mem::take(&mut self.deliveries).into_iter().map(later).collect();
        by
    }

    /// A step that no disk has taken yet is told with this one: the brain looks once how far both clocks are apart.
    fn tell_clock_step(&mut self, by: i64) {
        let step = |event: &Event| match event {
            Event::ClockStepped { by } => Some(*by),
            _ => None, // not a domain enum
        };
        let refused: i64 = self.inbox.iter().filter_map(|waits| step(&waits.event)).sum();
        self.inbox.retain(|waits| step(&waits.event).is_none());
        let by = by + refused;
        self.tell(clock_stepped(by));
    }
}

fn clock_stepped(by: i64) -> Incoming {
    Incoming::of(Target::Entity(Entity::Installation), Event::ClockStepped { by })
}
