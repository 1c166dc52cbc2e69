//! Does a run of an agent begin only while the money of its task and of its day is enough? (I14, decision 12)
//!
//! What may be exceeded is exact: by what a run uses that went on when the budget came to its end, and by the runs that a
//! person allowed, one for each press.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::change::Change;
use orch_core::event::{Event, RunHow};
use orch_core::id::{Digest, Entity, RunId, TaskId};
use orch_core::journal::Row;
use orch_core::policy::{Limits, Policy};
use orch_core::reason::Reason;
use orch_core::task::{Job, RunRow};

use super::{Broken, Watch, broken};
use crate::memory::MemoryJournal;

/// What the rows tell of money.
#[derive(Debug, Default)]
pub(super) struct Money {
    limits: Limits,
    /// What a task may cost, by the digest of its policy.
    budgets: BTreeMap<Digest, u64>,
    /// The newest day that came by itself, or to which the clock was set since.
    day: i64,
    /// What was spent since that day came by itself.
    today: u64,
    /// Runs of agents that began and have not ended.
    agents: BTreeSet<RunId>,
    /// How many more runs of a task people allowed than took place.
    allowed: BTreeMap<TaskId, u32>,
    /// Runs that began because a person allowed them.
    by_people: BTreeSet<RunId>,
}

impl Watch {
    /// Which day it is, and what the limits are. A clock that is set begins no day.
    pub(super) fn day(&mut self, row: &Row) {
        let money = &mut self.money;
        let stepped = match (&row.entity, &row.event) {
            (Entity::Installation, Event::ClockStepped { by }) => *by,
            (_, _) => 0,
        };
        let before = money.limits.calendar.day_of(row.at.stepped_by(-stepped));
        if before > money.day {
            (money.day, money.today) = (before, 0);
        }
        if stepped != 0 {
            money.day = money.limits.calendar.day_of(row.at);
        }
        for change in &row.changes {
            if let Change::LimitsHold(limits) = change {
                money.limits = limits.clone();
            }
        }
    }

    /// Whether every run of an agent that begins in this row may begin.
    pub(super) fn spends(&mut self, id: &TaskId, row: &Row, journal: &MemoryJournal) -> Result<(), Broken> {
        let pressed = row.reasons.iter().any(|reason| matches!(reason, Reason::GestureTaken { .. }));
        for change in &row.changes {
            match change {
                Change::RunBegan(run) if matches!(run.job, Job::Agent(_)) => {
                    self.money.agents.insert(run.run);
                    self.may_spend(id, run, row, journal)?;
                }
                Change::RunOver { run, how, usage, .. } => {
                    let money = &mut self.money;
                    money.today = money.today.saturating_add(usage.microdollars.unwrap_or(0));
                    money.agents.remove(run);
                    let none = matches!(
                        how,
                        RunHow::ProviderLimited { .. } | RunHow::CouldNotStart { .. } | RunHow::Lost { .. }
                    );
                    if money.by_people.remove(run) && none {
                        *money.allowed.entry(id.clone()).or_default() += 1;
                    }
                }
                Change::Allowed(Some(_)) if pressed => {
                    *self.money.allowed.entry(id.clone()).or_default() += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn may_spend(
        &mut self,
        id: &TaskId,
        run: &RunRow,
        row: &Row,
        journal: &MemoryJournal,
    ) -> Result<(), Broken> {
        let money = &mut self.money;
        let over = |what: String| broken("spend-within-its-cap", format!("row {}: {id}: {what}", row.seq));
        if run.allowed.is_some() {
            money.by_people.insert(run.run);
            let left = money.allowed.entry(id.clone()).or_default();
            return match left.checked_sub(1) {
                Some(less) => {
                    *left = less;
                    Ok(())
                }
                None => over(format!("nobody allowed {}", run.run)),
            };
        }
        let reserve = money.limits.run_reserve;
        if let Some(digest) = &row.policy {
            let budget = *money.budgets.entry(digest.clone()).or_insert_with(|| {
                let policy =
                    journal.kept(digest).and_then(|bytes| serde_json::from_slice::<Policy>(bytes).ok());
                policy.map_or(0, |policy| policy.task_budget)
            });
            let spent = self.costs.get(id).and_then(|used| used.microdollars).unwrap_or(0);
            if budget > 0 && spent.saturating_add(reserve) > budget {
                over(format!("{} begins with {spent} of {budget} spent", run.run))?;
            }
        }
        // The one that begins is among those that are waited for by now.
        let waited_for = self.lives.values().filter(|run| money.agents.contains(run)).count() as u64;
        let reserved = reserve.saturating_mul(waited_for);
        let budget = money.limits.day_budget;
        if budget > 0 && money.today.saturating_add(reserved) > budget {
            let spent = money.today;
            over(format!(
                "{} begins with {spent} of the day's {budget} spent, {reserved} reserved",
                run.run
            ))?;
        }
        Ok(())
    }
}
