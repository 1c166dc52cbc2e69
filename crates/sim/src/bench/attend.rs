//! What does a patient person do until everything is over?

use orch_core::call::tracker::Status;
use orch_core::event::FreezeCause;
use orch_core::gesture::Press;
use orch_core::hold::{HoldKind, Standing, standing};
use orch_core::id::Entity;
use orch_core::task::{Rest, Step, Task, Want};
use orch_core::time::Span;

use super::Bench;
use crate::invariant::{Broken, Occasion};

/// With a person who answers at once everything comes to its end within this.
const LONGEST: Span = Span::minutes(24 * 60);

impl Bench {
    /// How long something could be done so far, in milliseconds of a clock that never stepped: what nobody could help is left out,
    /// of an outage that goes on what is still to come too.
    fn free_time(&self) -> i64 {
        self.now.0.saturating_sub(self.ahead).saturating_sub_unsigned(self.hindered)
    }

    /// Goes on with a person who approves, confirms, answers and retries, until every task is over.
    pub fn run_with_people(&mut self, patience: u32) -> Result<(), Broken> {
        self.looks_at(Occasion::End);
        let began = self.free_time();
        for _ in 0..patience {
            self.run()?;
            let took = Span(self.free_time().saturating_sub(began).max(0).cast_unsigned());
            if took > LONGEST {
                return Err(Broken::of("liveness", format!("it takes {took}")));
            }
            let waiting: Vec<Task> =
                self.tasks().into_iter().filter(|task| !task.stage.is_terminal()).collect();
            if waiting.is_empty() {
                return self.ends_for_good();
            }
            for task in waiting {
                self.attend(&task);
            }
        }
        let open = self.tasks().into_iter().filter(|task| !task.stage.is_terminal());
        let open: Vec<Task> = open.collect();
        let now = self.now;
        let engine = self.engine();
        let stands = |task: &Task| standing(task, engine.board(), engine.policies(), now);
        let left: Vec<String> = open
            .iter()
            .map(|task| format!("{} at {} does {:?}: {:?}", task.id, task.stage, task.step, stands(task)))
            .collect();
        if left.is_empty() {
            return self.ends_for_good();
        }
        Err(Broken::of("liveness", left.join("; ")))
    }

    /// What is still on its way when all is over begins nothing any more: deliveries, answers that a dead brain was owed, what
    /// its hands do, brains that wake.
    fn ends_for_good(&mut self) -> Result<(), Broken> {
        // While things go wrong, what comes last leaves something behind too; not for ever.
        for _ in 0..100 {
            self.hand_in_all();
            self.all_comes_late()?;
            self.run()?;
            let open = self.tasks().into_iter().find(|task| !task.stage.is_terminal());
            if let Some(task) = open {
                let what = format!("all was over, and what came late began {} at {}", task.id, task.stage);
                return Err(Broken::of("liveness", what));
            }
            if !self.is_something_on_its_way() {
                return Ok(());
            }
        }
        Err(Broken::of("liveness", "what is late comes without end".to_owned()))
    }

    /// A person looks at every task that waits for one, now and then.
    pub fn attend_all(&mut self) {
        if self.dice.chance(15) {
            for task in self.tasks() {
                if self.dice.chance(20) {
                    self.attend(&task);
                }
            }
        }
    }

    fn attend(&mut self, task: &Task) {
        let rest = match &task.step {
            Step::Rest(rest) => rest,
            Step::Queued(Want::Agent(_)) if self.is_out_of_money(task) => {
                return drop(self.gesture(&task.id, Press::Allow));
            }
            Step::Queued(_) if self.is_frozen_for_a_person(task) => {
                return drop(self.gesture_to(Entity::Repository(task.project.clone()), Press::Unfreeze));
            }
            Step::Queued(_) if self.is_paused(task) => {
                return drop(self.gesture_to(Entity::Installation, Press::Unpause));
            }
            Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => return,
        };
        let issue = task.issue.clone();
        if *rest == Rest::Escalated && self.lacks_its_merge(task) {
            self.put_into_main(task);
        }
        match rest {
            // The button and the column do the same.
            Rest::Escalated if self.dice.chance(50) => drop(self.gesture(&task.id, Press::Retry)),
            Rest::Start | Rest::Questions | Rest::Escalated => drop(self.press(&issue, Status::ToAnalyse)),
            Rest::Approval | Rest::Protected => drop(self.press(&issue, Status::Approved)),
            Rest::Confirmation => drop(self.press(&issue, Status::ConfirmDeploy)),
            Rest::RequestChanged | Rest::Withdrawn => drop(self.gesture(&task.id, Press::Continue)),
            Rest::MergedOutside | Rest::DeployUnseen => {
                drop(self.gesture(&task.id, Press::Accept { what: None }));
            }
            Rest::RunBudget { .. } => drop(self.gesture(&task.id, Press::Allow)),
            Rest::CannotTell { .. } => {
                // A hook that left nothing may have done nothing: a person looks, and does by hand what it did not.
                if let Some(merged) = &task.merged {
                    self.world.deployed.insert(task.project.clone(), merged.commit.clone());
                }
                self.gesture(&task.id, Press::Retry);
            }
            Rest::WentBad { .. } | Rest::WentSilent { .. } => self.looks_at_production(task),
            Rest::IssueGone => {
                self.world.tracker.set_present(&issue, true);
                self.deliver(&issue);
            }
            Rest::Over => {}
        }
        // A press whose delivery was lost is found by the sweep of the next round.
    }

    /// A person looks: it is well after all, or was mended by hand and is watched again, or the change is at fault.
    fn looks_at_production(&mut self, task: &Task) {
        self.world.works.ails.remove(&task.project);
        if let Some(merged) = &task.merged {
            self.world.deployed.insert(task.project.clone(), merged.commit.clone());
        }
        let press = match self.dice.below(5) {
            0 | 1 => Press::Accept { what: None },
            2 => Press::Reject { reason: None },
            _ => Press::Retry,
        };
        self.gesture(&task.id, press);
    }

    /// Whether the money of the day is spent: then the next day comes before a person does.
    pub(super) fn waits_for_the_day(&mut self) -> bool {
        let spent = |kind| matches!(kind, HoldKind::DayBudget { .. });
        self.tasks().iter().any(|task| self.holds(task).into_iter().any(spent))
    }

    pub(crate) fn is_out_of_money(&mut self, task: &Task) -> bool {
        let money = |kind| matches!(kind, HoldKind::TaskBudget { .. } | HoldKind::DayBudget { .. });
        self.holds(task).into_iter().any(money)
    }

    /// Whether a person must look at main: somebody froze the repository by hand, or what froze it was given up and nobody
    /// will mend it (decision 41).
    fn is_frozen_for_a_person(&mut self, task: &Task) -> bool {
        let for_a_person = |kind| match kind {
            HoldKind::Frozen { cause, over, .. } => over || cause == FreezeCause::Person,
            _ => false,
        };
        self.holds(task).into_iter().any(for_a_person)
    }

    fn is_paused(&mut self, task: &Task) -> bool {
        self.holds(task).into_iter().any(|kind| matches!(kind, HoldKind::Paused { .. }))
    }

    /// What a task is held by now.
    fn holds(&mut self, task: &Task) -> Vec<HoldKind> {
        let now = self.now;
        let engine = self.engine();
        match standing(task, engine.board(), engine.policies(), now) {
            Standing::Held(holds) => holds.into_iter().map(|hold| hold.kind).collect(),
            _ => Vec::new(),
        }
    }
}
