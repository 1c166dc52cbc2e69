//! How do agents, hooks and services behave? As the story says; well by default.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use orch_core::event::RunHow;
use orch_core::id::{Commit, ProjectId, RunId, TaskId, WorkItem};
use orch_core::stage::Role;

use crate::fault::Fault;

/// What every program of this world prints that does not end well.
pub const SAID: &str = "assertion failed: 6 is 7";

/// A key of the installation. Every program of this world prints it with all else, the outside's errors have it in them, and who
/// tells it writes it into its work; the ports take it out, as the real ones must.
pub const SECRET: &str = " key-of-the-installation-4f1d9c27b6e8a035";

/// A text as a port hands it on: without the key.
pub(crate) fn masked(text: &str) -> String {
    text.replace(SECRET, "")
}

/// Who works in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// An agent.
    Agent(Role),
    /// The tests.
    Ci,
    /// The deploy hook.
    Hook,
}

/// What an agent does instead of working well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Works as its role should.
    Well,
    /// Breaks the tests (developer).
    Break,
    /// Takes for itself what one change alone may have (developer): who takes the same is red together with it.
    Take(String),
    /// Breaks the tests, and edits what runs them so that they find nothing (developer).
    SwitchOff,
    /// Judges negatively (reviewer, tester).
    Object,
    /// Ends with this exit code and leaves nothing.
    Fail(i32),
    /// Ends well and leaves nothing.
    Nothing,
    /// Writes outside its scope as well.
    Outside,
    /// Writes a verdict file without a verdict (reviewer, tester).
    Garbage,
    /// Writes a verdict file with exactly these fields, such as `result:PASS+status:FAIL` (reviewer, tester).
    Says(String),
    /// Asks questions (analyst).
    Ask,
    /// Is killed at its time limit.
    Hang,
    /// Touches a protected path as well (developer).
    Protected,
    /// Writes the same file as another change (developer), or beside the documents of its issue (architect): this path.
    Touch(String),
    /// Uses more tokens than it may.
    Spend,
    /// The provider refuses.
    Limited,
    /// The machine cannot start it.
    CannotStart,
    /// Its supervisor dies and leaves no record.
    Lost,
    /// Writes the verdict on its own work as well.
    ApproveItself,
    /// Writes a key of the installation into its work as well.
    Tell,
}

impl Deed {
    /// Whether work like this may pass the gate of its role: it was done to its end, within its scope, and its verdict is
    /// no "no". Who found the files of an earlier run good enough may
    /// leave them, but for a verdict.
    pub fn passes(&self, role: Role) -> bool {
        match self {
            Deed::Well
            | Deed::Break
            | Deed::Take(_)
            | Deed::SwitchOff
            | Deed::Protected
            | Deed::Touch(_)
            | Deed::Spend => true,
            Deed::Says(fields) => says_yes(fields, role),
            // Who was given up for lost and came back did nothing.
            Deed::Object | Deed::Garbage | Deed::Nothing | Deed::Lost => {
                !matches!(role, Role::Reviewer | Role::Tester)
            }
            Deed::Ask => role != Role::Analyst,
            Deed::Fail(_)
            | Deed::Outside
            | Deed::ApproveItself
            | Deed::Tell
            | Deed::Hang
            | Deed::Limited
            | Deed::CannotStart => false,
        }
    }
}

/// Whether a verdict file with these fields says yes: every word that it has where a verdict belongs, and at least one.
fn says_yes(fields: &str, role: Role) -> bool {
    let (names, yes): (&[&str], &[&str]) = match role {
        Role::Reviewer => (&["verdict"], &["APPROVED"]),
        Role::Tester => {
            (&["result", "verdict", "status"], &["PASS", "PASSED", "GREEN", "APPROVED", "READY-TO-DEPLOY"])
        }
        Role::Analyst | Role::Architect | Role::Developer => return true,
    };
    let said = fields.split('+').filter_map(|field| field.split_once(':'));
    let mut words = said.filter(|(name, _)| names.contains(name)).map(|(_, word)| word.trim()).peekable();
    words.peek().is_some() && words.all(|word| yes.contains(&word))
}

/// What a deploy hook does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookDeed {
    /// Ends with this code; 0 has deployed.
    Exit(i32),
    /// Ends with 0 and has deployed nothing.
    Claims,
    /// Leaves no result within its time, and has deployed or not.
    Silent {
        /// Whether the new commit runs.
        deploys: bool,
    },
    /// Its program cannot be started.
    CannotStart,
}

/// What the deployed service says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deployment {
    /// The truth.
    #[default]
    Truthful,
    /// That it is not well.
    Unwell,
    /// Nothing.
    Silent,
}

/// What a deployed service says instead of the truth.
#[derive(Debug, Clone, Copy)]
pub struct Ail {
    says: Deployment,
    /// So often.
    looks: u32,
    /// What went wrong then, until it is counted; `None` for a story's own.
    fault: Option<Fault>,
}

/// The script of the working world.
#[derive(Debug, Clone, Default)]
pub struct Works {
    deeds: BTreeMap<(WorkItem, Role), Vec<Deed>>,
    hooks: Vec<HookDeed>,
    tests: BTreeMap<WorkItem, Vec<RunHow>>,
    /// What the deployed service says.
    pub service: Deployment,
    done: BTreeMap<RunId, Deed>,
    /// Commits that people pushed to main, past every gate.
    pub by_people: BTreeSet<Commit>,
    /// What a hand of a dead brain merged, and for which task: it may have gone on from it meanwhile.
    pub merged_late: BTreeMap<Commit, TaskId>,
    forced: BTreeMap<RunId, Deed>,
    forced_hooks: BTreeMap<RunId, HookDeed>,
    forced_tests: BTreeMap<RunId, RunHow>,
    /// Runs that were given up for lost, and whose good end was told all the same.
    pub returned: BTreeSet<RunId>,
    /// Runs that cost more than a task may.
    pub dear: BTreeSet<RunId>,
    /// What the deployed service of a project says next instead of the truth, one after the other.
    pub ails: BTreeMap<ProjectId, VecDeque<Ail>>,
    /// What went wrong when it was asked last.
    pub struck: Option<Fault>,
    /// Whether nobody says which programs agents, tests and hooks are.
    pub unnamed: bool,
}

impl Works {
    /// The next runs of a role of a work item do these, then it works well.
    pub fn script(&mut self, item: &WorkItem, role: Role, deeds: Vec<Deed>) {
        self.deeds.insert((item.clone(), role), deeds);
    }

    /// The next hooks do these, then they deploy.
    pub fn script_hooks(&mut self, deeds: Vec<HookDeed>) {
        self.hooks = deeds;
    }

    /// This run does this, whatever the story says.
    pub fn force(&mut self, run: RunId, deed: Deed) {
        self.forced.insert(run, deed);
    }

    /// The same for a run of a hook.
    pub fn force_hook(&mut self, run: RunId, deed: HookDeed) {
        self.forced_hooks.insert(run, deed);
    }

    /// This run of the tests ends like this, whatever they would have found.
    pub fn force_tests(&mut self, run: RunId, how: RunHow) {
        self.forced_tests.insert(run, how);
    }

    /// What the deployed service of a project says of itself now. What goes wrong is counted the first time that it is told something
    /// that differs from the truth.
    pub(super) fn says(
        &mut self,
        project: &ProjectId,
        differs: impl FnOnce(Deployment) -> bool,
    ) -> Deployment {
        let Some(ails) = self.ails.get_mut(project) else { return self.service };
        let Some(ail) = ails.front_mut() else { return self.service };
        let said = ail.says;
        if differs(said) {
            self.struck = ail.fault.take();
        }
        ail.looks -= 1;
        if ail.looks == 0 {
            ails.pop_front();
        }
        said
    }

    /// The deployed service of a project says this for so many looks, after what else it says already; once alone comes first.
    pub fn ail(&mut self, project: &ProjectId, says: Deployment, looks: u32, fault: Option<Fault>) {
        let ails = self.ails.entry(project.clone()).or_default();
        let ail = Ail { says, looks, fault };
        match ails.iter_mut().find(|ail| ail.says == says) {
            _ if looks == 0 => {}
            _ if looks == 1 => ails.push_front(ail),
            Some(same) => same.looks = same.looks.max(looks),
            None => ails.push_back(ail),
        }
    }

    /// The next runs of the tests of a work item end like this whatever they would have found, then the tests judge.
    pub fn script_tests(&mut self, item: &WorkItem, ends: Vec<RunHow>) {
        self.tests.insert(item.clone(), ends);
    }

    /// How a run of the tests ends, if it is not by what they find.
    pub(super) fn end_of_tests(&mut self, run: RunId, task: &TaskId) -> Option<RunHow> {
        if let Some(forced) = self.forced_tests.remove(&run) {
            return Some(forced);
        }
        let ends = self.tests.get_mut(&task.item())?;
        (!ends.is_empty()).then(|| ends.remove(0))
    }

    /// What the script says of the next run of the tests.
    pub(super) fn next_end_of_tests(&self, task: &TaskId) -> Option<&RunHow> {
        self.tests.get(&task.item())?.first()
    }

    pub(super) fn hook_deed(&mut self, run: RunId) -> HookDeed {
        if let Some(forced) = self.forced_hooks.remove(&run) {
            return forced;
        }
        if self.hooks.is_empty() { HookDeed::Exit(0) } else { self.hooks.remove(0) }
    }

    /// How a run of an agent ends that may use so many tokens; 0: as many as it likes.
    pub(super) fn end_of(&mut self, role: Role, run: RunId, task: &TaskId, tokens: u64) -> RunHow {
        let deeds = self.deeds.entry((task.item(), role)).or_default();
        let deed = match self.forced.remove(&run) {
            Some(forced) => forced,
            None if deeds.is_empty() => Deed::Well,
            None => deeds.remove(0),
        };
        let how = match &deed {
            Deed::Fail(code) => RunHow::Exited { code: *code },
            Deed::Hang => RunHow::TimedOut,
            Deed::Limited => RunHow::ProviderLimited { until: None, cause: "scripted limit".into() },
            Deed::CannotStart => RunHow::CouldNotStart { cause: "scripted".into() },
            Deed::Lost => RunHow::Lost { cause: "scripted".into() },
            Deed::Spend if tokens > 0 => RunHow::OverTokens { tokens: tokens + 1, limit: tokens },
            Deed::Well
            | Deed::Spend
            | Deed::Break
            | Deed::Take(_)
            | Deed::SwitchOff
            | Deed::Object
            | Deed::Nothing
            | Deed::Outside
            | Deed::Garbage
            | Deed::Says(_)
            | Deed::Ask
            | Deed::Protected
            | Deed::ApproveItself
            | Deed::Tell
            | Deed::Touch(_) => RunHow::Exited { code: 0 },
        };
        self.done.insert(run, deed);
        how
    }

    /// What a run did.
    pub fn deed(&self, run: RunId) -> Deed {
        self.done.get(&run).cloned().unwrap_or(Deed::Nothing)
    }
}
