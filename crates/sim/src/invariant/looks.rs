//! How often was each promise looked at?
//!
//! A promise is looked at when something happens that could break it: not every row is about every promise. What happened is
//! counted; which promises belong to it is a table, so counting costs nothing.

use std::collections::BTreeMap;

use orch_core::call::{AgentCall, Call, ForgeCall, TrackerCall};
use orch_core::change::Change;
use orch_core::event::Event;
use orch_core::journal::Row;
use orch_core::reason::Reason;
use orch_core::rework::Judge;
use orch_core::stage::Stage;
use orch_core::task::{Step, Task, WatchEnd};

use super::rows::moves_branch;

macro_rules! occasions {
    ($($(#[doc = $doc:literal])+ $occasion:ident: [$($promise:literal),+ $(,)?],)+) => {
        /// What happens that could break a promise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Occasion {
            $($(#[doc = $doc])+ $occasion,)+
        }

        impl Occasion {
            /// All of them.
            pub const ALL: [Occasion; [$(Occasion::$occasion),+].len()] = [$(Occasion::$occasion),+];

            /// The promises that are looked at then.
            pub const fn promises(self) -> &'static [&'static str] {
                match self {
                    $(Occasion::$occasion => &[$($promise),+],)+
                }
            }
        }
    };
}

occasions! {
    /// The outside was asked for something that is written down.
    Effect: ["effects-leave-after-their-record", "effects-happen-once"],
    /// The outside was asked for anything.
    Call: ["who-is-away-is-asked-seldom"],
    /// A run began.
    Began: ["limits-hold"],
    /// A row was written.
    Row: ["time-goes-on"],
    /// A timer came.
    Timer: ["no-timer-is-early"],
    /// A turn was given.
    Grant: ["grants-only-to-who-waits"],
    /// People were told something.
    Told: ["facts-are-told-once", "told-when-it-is-so"],
    /// A run was to be stopped.
    Halt: ["who-works-is-let-work"],
    /// The attempts of a task were counted.
    Charged: ["infrastructure-is-nobodys-fault", "attempts-are-bounded"],
    /// Something came about a task that automation leaves alone.
    Escalated: ["escalated-is-left-alone"],
    /// A run ended for which its task did not wait.
    Late: ["late-results-do-nothing"],
    /// A task was born.
    Born: ["ids-belong-to-one-issue"],
    /// A state of an issue was told of.
    Known: ["what-is-known-was-there"],
    /// The work on a task began.
    Begun: ["begun-only-when-asked"],
    /// A task became done.
    Done: ["done-comes-from-a-verdict"],
    /// Somebody approved or confirmed something, or a label did.
    Consent: ["consent-is-a-persons"],
    /// The board's column was taken for a press.
    Press: ["a-press-counts-once"],
    /// A run ended.
    Ended: ["a-run-ends-once", "costs-add-up"],
    /// A change of a branch or of a change request was asked for.
    Moved: ["nothing-is-asked-twice"],
    /// An agent was told what to do.
    Launch: ["findings-are-handed-on", "the-request-is-handed-on", "spend-within-its-cap"],
    /// A deploy came out well by the service's word, or with another that did.
    Out: ["deployed-is-what-runs"],
    /// A person sent work back.
    Rejected: ["a-rejection-is-answered"],
    /// Production was looked at.
    Watched: ["a-watch-ends"],
    /// A watch ended well.
    Well: ["well-is-what-was-seen"],
    /// A column was asked for.
    Column: ["no-passing-column"],
    /// A row about a task was written while somebody else had frozen a repository.
    Frozen: ["frozen-means-no-merge"],
    /// A row about a task was written while all was paused.
    Paused: ["paused-means-no-merge"],
    /// A task is another than it was.
    Task: ["no-timer-is-lost"],
    /// A task that is not over is another than it was.
    Open: ["a-reason-for-every-wait"],
    /// A task waits for an answer.
    Asked: ["no-effect-is-lost"],
    /// A task waits for a run.
    Running: ["running-means-alive"],
    /// A task is over.
    Over: ["terminal-stays-terminal"],
    /// A task is done.
    Delivers: ["done-means-delivered", "done-means-watched"],
    /// A task has the verdict of its deploy or of its watch.
    Recorded: ["a-verdict-is-its-record"],
    /// A task has a branch.
    Branch: ["one-branch-a-task"],
    /// A task has the lane.
    Lane: ["one-lane-holder", "a-lane-is-worked-in"],
    /// A task has the approval of its requirements.
    Approved: ["approval-binds-the-requirements"],
    /// A task is to stop and did not yet.
    Stops: ["a-stop-is-carried-out"],
    /// Orch's own column took the place of one that a person had pressed.
    Cover: ["no-press-is-covered-unheard"],
    /// A verdict came.
    Verdict: ["verdicts-are-entitled", "evidence-binds", "a-pass-is-earned"],
    /// A merge was asked for.
    Merge: ["a-merge-waits-for-the-watch", "main-never-forced"],
    /// Main moved by Orch's hand.
    Main: ["merged-is-tested", "main-stays-green", "main-only-through-the-gates"],
    /// Main moved by a hand of Orch that came late, when its task had perhaps gone on.
    LateMain: ["a-late-merge-is-told"],
    /// A hook was started.
    Hook: [
        "deploy-what-was-merged",
        "previous-is-what-runs",
        "a-deploy-takes-nothing-back",
        "production-needs-consent",
        "deploys-are-serial",
    ],
    /// Nothing moves any more.
    Rest: ["the-board-tells-the-truth", "nobody-works-for-nobody", "every-issue-has-its-task"],
    /// Nothing moves any more, and a task was stopped.
    RestStopped: ["a-stop-leaves-nothing"],
    /// Nothing moves any more, and a task is over.
    RestOver: ["trees-are-given-back"],
    /// Nothing moves any more, and a task has records.
    RestRecorded: ["a-record-is-one-commit", "records-stand"],
    /// All was known already, and was read again.
    Sync: ["in-sync-is-silent"],
    /// A brain woke that had been overtaken.
    Wake: ["one-brain-leads"],
    /// A journal was folded and decided again, from its first row.
    Journal: ["the-journal-replays", "events-count-once", "no-key-is-told"],
    /// A line of a history was done.
    Line: ["nothing-panics"],
    /// A line of a history was done on a real store.
    Store: ["the-store-says-what-was-written"],
    /// A history came to its end.
    End: ["liveness"],
    /// A history came to its end in which nobody gave anything up.
    Delivered: ["everything-is-delivered"],
}

/// How often each occasion came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks([u64; Occasion::ALL.len()]);

impl Default for Looks {
    fn default() -> Self {
        Self([0; Occasion::ALL.len()])
    }
}

impl Looks {
    /// It came once more.
    pub fn count(&mut self, occasion: Occasion) {
        self.count_of(occasion, 1);
    }

    /// It came so many times more.
    pub fn count_of(&mut self, occasion: Occasion, times: u64) {
        self.0[occasion as usize] += times;
    }

    /// What a row about a task brought.
    pub(super) fn of_row(&mut self, row: &Row) {
        match &row.event {
            Event::Timer(_) => self.count(Occasion::Timer),
            Event::Granted(_) => self.count(Occasion::Grant),
            _ => {}
        }
        for change in &row.changes {
            match change {
                Change::Attempted(_) => self.count(Occasion::Charged),
                Change::Born { .. } => {
                    self.count(Occasion::Born);
                    self.count(Occasion::Known);
                }
                Change::ReadAt(_) => self.count(Occasion::Known),
                Change::Staged(Stage::Analysis) => self.count(Occasion::Begun),
                Change::Staged(Stage::Done) => self.count(Occasion::Done),
                Change::Approved(Some(_)) | Change::Consented(Some(_)) => self.count(Occasion::Consent),
                Change::RunOver { .. } => self.count(Occasion::Ended),
                Change::Deployed(deployed) if deployed.healthy == Some(true) || deployed.with.is_some() => {
                    self.count(Occasion::Out);
                }
                Change::Watched(watch) => {
                    self.count(Occasion::Watched);
                    self.count_of(Occasion::Well, u64::from(watch.end == Some(WatchEnd::Well)));
                }
                _ => {}
            }
        }
        for effect in &row.effects {
            match &effect.call {
                Call::Tracker(TrackerCall::Comment { .. }) => self.count(Occasion::Told),
                Call::Tracker(TrackerCall::SetStatus { .. }) => self.count(Occasion::Column),
                Call::Agent(AgentCall::Launch(_)) => self.count(Occasion::Launch),
                Call::Agent(AgentCall::Stop { .. }) => self.count(Occasion::Halt),
                Call::Forge(ForgeCall::Merge { .. }) => self.count(Occasion::Merge),
                call if moves_branch(call) => self.count(Occasion::Moved),
                _ => {}
            }
        }
        for reason in &row.reasons {
            match reason {
                Reason::GestureTaken { by, .. } if by == "board" => self.count(Occasion::Press),
                Reason::SentBack { judge: Judge::Person(_), .. } => self.count(Occasion::Rejected),
                _ => {}
            }
        }
    }

    /// A task is another than it was.
    pub(super) fn of_task(&mut self, task: &Task) {
        self.count(Occasion::Task);
        let over = task.stage.is_terminal();
        let watched = task.watch.as_ref().is_some_and(|watch| watch.end.is_some());
        for (occasion, came) in [
            (Occasion::Open, !over),
            (Occasion::Asked, matches!(task.step, Step::Asked { .. })),
            (Occasion::Running, matches!(task.step, Step::Running { .. })),
            (Occasion::Over, over),
            (Occasion::Delivers, task.stage == Stage::Done),
            (Occasion::Recorded, task.deployed.is_some() || watched),
            (Occasion::Branch, task.branch.is_some()),
            (Occasion::Lane, task.lane.is_some()),
            (Occasion::Approved, task.approval.is_some()),
            (Occasion::Stops, task.cancel.is_some() && !over),
        ] {
            self.count_of(occasion, u64::from(came));
        }
    }

    /// Each promise, and how often it was looked at.
    pub fn each(&self) -> BTreeMap<&'static str, u64> {
        let of =
            |(occasion, times): (Occasion, u64)| occasion.promises().iter().map(move |name| (*name, times));
        Occasion::ALL.into_iter().zip(self.0).flat_map(of).collect()
    }

    /// All looks at all promises.
    pub fn all(&self) -> u64 {
        Occasion::ALL.into_iter().zip(self.0).map(|(occasion, n)| occasion.promises().len() as u64 * n).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::invariant::breaks::sites::{MARKS, SOURCES};

    /// The names of promises in a source: after what says that one is broken, also on the next line.
    fn named(source: &str) -> impl Iterator<Item = String> + '_ {
        let after = |mark: &'static str| source.split(mark).skip(1);
        MARKS.into_iter().flat_map(after).filter_map(|rest| {
            let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
            name.contains('-')
                .then(|| name.to_owned())
                .or_else(|| (name == "liveness").then(|| name.to_owned()))
        })
    }

    /// Proves that every promise that the simulator can find broken is counted, once, and that none is counted which
    /// nothing looks at.
    #[test]
    fn every_promise_is_counted() {
        let found: BTreeSet<String> = SOURCES.iter().flat_map(|(_, source)| named(source)).collect();
        let table: Vec<&str> =
            Occasion::ALL.iter().flat_map(|occasion| occasion.promises()).copied().collect();
        let counted: BTreeSet<String> = table.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(table.len(), counted.len(), "one stands twice in the table of occasions");
        assert_eq!(found, counted, "the table of occasions in looks.rs names each promise");
    }
}
