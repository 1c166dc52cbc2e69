//! What does Orch keep of each kind of entity? (decision 42)

use serde::{Deserialize, Serialize};

use crate::event::FreezeCause;
use crate::gesture::Gesture;
use crate::id::{Commit, Digest, RunId, Seq, TaskId};
use crate::policy::Limits;
use crate::said::Cause;
use crate::task::Task;
use crate::time::{Boot, Moment};

/// The state of one entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A task.
    Task(Box<Task>),
    /// A repository.
    Repository(Repository),
    /// A project.
    Project(Project),
    /// A provider.
    Provider(Provider),
    /// The installation.
    Installation(Installation),
}

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repository {
    /// Where main was last read.
    pub main: Option<Commit>,
    /// What is deployed, if Orch knows it: the last commit that came out well (decision 22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Commit>,
    /// By which run of the hook, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_by: Option<RunId>,
    /// Why nothing merges, oldest first.
    pub freezes: Vec<Freeze>,
}

impl Repository {
    /// What keeps this task from merging: everything but its own freezes. Of two that went wrong the one that froze first
    /// repairs first, or each would wait for the other (decision 61).
    pub fn freezes_before<'a, 'b>(
        &'a self,
        task: &'b TaskId,
    ) -> impl Iterator<Item = &'a Freeze> + use<'a, 'b> {
        let own = self.freezes.iter().position(|freeze| freeze.task.as_ref() == Some(task));
        self.freezes.iter().enumerate().filter_map(move |(at, freeze)| {
            let others = freeze.task.as_ref() != Some(task);
            let waits_for_mine = own.is_some_and(|own| own < at) && freeze.cause.is_repaired_by_a_merge();
            (others && !waits_for_mine).then_some(freeze)
        })
    }
}

/// One reason for which nothing merges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Why.
    pub cause: FreezeCause,
    /// Which task caused it; its repairing merge lifts it (decision 41).
    pub task: Option<TaskId>,
    /// Since when.
    pub at: Moment,
}

/// What is known of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Project {
    /// The policy in force.
    pub policy: Option<Digest>,
    /// Why a newer one was refused, if it was.
    pub refused: Option<Refused>,
    /// Since when it no longer stands in the installation's settings, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Moment>,
}

/// A policy that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The commit it was read from.
    pub commit: Commit,
    /// Place, cause, remedy.
    pub cause: String,
    /// When.
    pub at: Moment,
}

/// What is known of a provider of models (decision 11).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provider {
    /// No runs before this.
    pub closed_until: Option<Moment>,
    /// What it said.
    pub cause: Cause,
    /// How often in a row it refused.
    pub refusals: u32,
    /// When it last closed, until it works again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    /// In which row that was: a clock may be set meanwhile, rows only follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_in: Option<Seq>,
    /// By how many milliseconds a wait of Orch's own count was moved since, with a clock that stepped.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stepped: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(by: &i64) -> bool {
    *by == 0
}

/// What is known of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installation {
    /// The pause, if there is one.
    pub pause: Option<Pause>,
    /// Limits in force.
    pub limits: Limits,
    /// The day that `spent` counts, as days since 1970 in the installation's time zone.
    pub day: i64,
    /// Money spent on that day, in millionths of a US dollar.
    pub spent: u64,
    /// Whether the disk is too full to go on.
    pub disk_full: Option<Moment>,
    /// Edited settings that were refused: the last good ones hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<SettingsRefused>,
    /// What a check found wrong with the store, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<Box<StoreDamaged>>,
    /// The boot of the machine in which a brain last looked at the clocks, by the wall clock that all stored moments are
    /// of (decision 46).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Box<Boot>>,
}

/// A store that was found damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreDamaged {
    /// What was found.
    pub cause: String,
    /// When.
    pub at: Moment,
}

/// Settings that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsRefused {
    /// Place, cause, remedy.
    pub cause: String,
    /// When.
    pub at: Moment,
}

/// No new turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// By whom.
    pub gesture: Gesture,
    /// Since when.
    pub at: Moment,
    /// Whether tasks that have begun go on.
    pub drain: bool,
}

impl Installation {
    /// The money that was spent on the day of a moment. A clock or a time zone that goes back by less than a day does not
    /// give it again.
    pub fn spent_on_the_day_of(&self, at: Moment) -> u64 {
        let ahead = self.day.saturating_sub(self.limits.calendar.day_of(at));
        if (0..=1).contains(&ahead) { self.spent } else { 0 }
    }
}

impl State {
    /// Whether anything can still come of it: closed ones are not loaded at start.
    pub fn is_open(&self) -> bool {
        match self {
            // A run of it that is being stopped has a slot still (decision 73).
            State::Task(task) => !task.stage.is_terminal() || task.stopping_run().is_some(),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::gesture::Priority;
    use crate::stage::Stage;

    /// Proves that a task is open until it is over, and everything else always (decision 39): closed ones are not loaded.
    #[test]
    fn only_a_task_closes() {
        let (_, state) = crate::board::tests::waiting("demo", 1, crate::task::Want::Start);
        assert!(state.is_open());
        let State::Task(mut task) = state else { panic!("a task") };
        for (stage, open) in [(Stage::Deploy, true), (Stage::Done, false), (Stage::Cancelled, false)] {
            task.stage = stage;
            task.priority = Priority::Normal;
            assert_eq!(State::Task(task.clone()).is_open(), open, "{stage:?}");
        }
        assert!(State::Repository(Repository::default()).is_open());
        assert!(State::Installation(Installation::default()).is_open());
    }

    /// Proves that a provider's wait that a clock moved is kept by how much, and that nothing is kept of one that was not: rows of
    /// before read as those.
    #[test]
    fn a_wait_is_kept_with_its_steps() {
        let still = Provider::default();
        let moved = Provider { stepped: -7, ..Provider::default() };
        for provider in [&still, &moved] {
            let kept = serde_json::to_string(provider).expect("JSON");
            assert_eq!(&serde_json::from_str::<Provider>(&kept).expect("a provider"), provider);
            assert_eq!(kept.contains("stepped"), provider.stepped != 0, "{kept}");
        }
    }
}
