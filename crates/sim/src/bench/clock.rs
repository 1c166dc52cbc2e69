//! What do the clocks of the world do? The wall clock is set, and the machine is started again.

use orch_core::event::Event;
use orch_core::id::Entity;
use orch_core::time::{Boot, Moment, Span};
use orch_engine::{Incoming, Target};

use super::Bench;
use super::deliver::Delivery;

impl Bench {
    /// The boot of the machine, as the wall clock tells it now.
    pub(super) fn boot(&self) -> Boot {
        Boot { id: format!("boot-{}", self.boots), began: super::BOOTED.stepped_by(self.ahead) }
    }

    /// A brain that takes over looks first at what the clock did since the last one looked.
    pub(super) fn compare_clocks(&mut self) {
        let known = self.engine().board().installation().boot.clone();
        if let Some(by) = known.and_then(|known| known.stepped_to(&self.boot())) {
            self.tell_clock_step(by);
        }
    }

    /// The machine is switched off for a while and started again: nobody counts meanwhile but its wall clock, and whatever
    /// was at work on it is gone.
    pub fn reboot(&mut self, off: Span) {
        self.now = self.now.after(off);
        self.hindered += off.0;
        self.boots += 1;
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

    fn tell_clock_step(&mut self, by: i64) {
        self.tell(Incoming::of(Target::Entity(Entity::Installation), Event::ClockStepped { by }));
    }
}
