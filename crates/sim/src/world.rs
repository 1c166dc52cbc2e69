//! The outside as plain state: a tracker, a repository with its forge, agents, a deploy target.

pub mod repository;
pub mod tracker;
pub mod works;

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::deploy::{DeployReply, Health};
use orch_core::call::{
    AgentCall, AgentReply, Call, DeployCall, Failure, GateCall, GateReply, GitCall, Reply, Text,
};
use orch_core::effect::Effect;
use orch_core::event::{Outcome, RunEnd, RunHow, Usage};
use orch_core::id::{Commit, EffectId, ProjectId, RunId, TaskId};
use orch_core::journal::Blob;
use orch_core::stage::Role;
use orch_core::time::Span;

use repository::Repository;
use tracker::Tracker;
use works::{Deployment, HookDeed, SAID, SECRET, Worker, Works, masked};

/// The whole outside.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The tracker.
    pub tracker: Tracker,
    /// The repositories, each with its forge.
    pub repositories: BTreeMap<ProjectId, Repository>,
    /// How agents, hooks and services behave.
    pub works: Works,
    /// Runs that were started, by their id.
    pub runs: BTreeMap<RunId, Run>,
    /// Each beginning of a run, in order: one that began twice stands here twice.
    pub begun: Vec<RunId>,
    /// What is deployed, by project.
    pub deployed: BTreeMap<ProjectId, Commit>,
    /// Commits of which the service said, some time, that they run and are well.
    pub said_well: BTreeSet<(ProjectId, Commit)>,
    /// Each start of a hook: which run, which commit, whose, and what it was told of the deploy before.
    pub hooks: Vec<(RunId, Commit, TaskId, Option<Commit>)>,
    /// Runs that were stopped before they began.
    stopped: BTreeSet<RunId>,
    /// Effects that were performed: looked-up repetitions do not count.
    performed: BTreeSet<(EffectId, Option<Commit>)>,
    /// Every effect that was asked for, in order.
    pub log: Vec<EffectId>,
    /// Every call that the outside got, whatever it answered, and what else it answered.
    pub calls: Vec<Called>,
    /// Effects that happened again, which never should be.
    pub twice: Vec<EffectId>,
    /// Whether the outside answers at all.
    pub outage: bool,
}

/// That the outside was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called {
    /// For this effect.
    pub effect: EffectId,
    /// By this brain's hand.
    pub brain: u64,
    /// When, in milliseconds by a clock that never stepped.
    pub at: i64,
}

/// A started run.
#[derive(Debug, Clone)]
pub struct Run {
    /// In which project.
    pub project: ProjectId,
    /// Whose.
    pub task: TaskId,
    /// Who works.
    pub worker: Worker,
    /// On which commit.
    pub commit: Commit,
    /// Whether it has ended (its record is written).
    pub ended: Option<RunHow>,
    /// How many tokens it may use; 0: as many as it likes.
    pub tokens: u64,
    /// The setup, the tests and the kept paths that it was started with, if it runs the tests.
    pub tests: Option<(Vec<String>, Vec<String>, Vec<String>)>,
    /// What it printed in the end, where that is read.
    pub said: Option<String>,
    /// Whether nobody can tell whether it lives: its record cannot be read.
    pub in_doubt: bool,
}

impl World {
    /// Performs an effect: looks first whether it happened already.
    pub fn perform(&mut self, effect: &Effect) -> Outcome {
        self.log.push(effect.id);
        if self.outage {
            let said = format!("the outside does not answer (injected){SECRET}");
            return Outcome::Failed(Failure::transient(masked(&said)));
        }
        let before = self.marks();
        let outcome = self.act(effect);
        if self.marks() != before {
            // A candidate on a main that moved meanwhile is another thing, not the same again (decision 35).
            let on = match &effect.call {
                Call::Git(GitCall::BuildCandidate { .. }) => {
                    self.repositories.get(&effect.project).map(Repository::main)
                }
                Call::Tracker(_)
                | Call::Forge(_)
                | Call::Git(_)
                | Call::Agent(_)
                | Call::Gate(_)
                | Call::Deploy(_) => None,
            };
            if !self.performed.insert((effect.id, on)) {
                self.twice.push(effect.id);
            }
        }
        outcome
    }

    /// Whether an effect happened already: what looks for it first is not refused.
    pub fn has_happened(&self, effect: EffectId) -> bool {
        self.performed.range((effect, None)..).next().is_some_and(|(id, _)| *id == effect)
    }

    /// Texts that the last answers name, to be kept with them.
    pub fn take_texts(&mut self) -> Vec<Blob> {
        let texts =
            self.repositories.values_mut().flat_map(|repository| std::mem::take(&mut repository.texts));
        let said = self.tracker.take_texts();
        texts.chain(said).map(Blob::of).collect()
    }

    fn marks(&self) -> (usize, usize, usize, usize) {
        let writes = self.repositories.values().map(Repository::writes).sum();
        (self.tracker.comments(), writes, self.begun.len(), self.hooks.len())
    }

    fn act(&mut self, effect: &Effect) -> Outcome {
        if let Err(failure) = self.may_start(&effect.call) {
            return Outcome::Failed(failure);
        }
        match &effect.call {
            Call::Tracker(call) => match self.tracker.perform(effect.id, call) {
                Ok(reply) => Outcome::Done(Reply::Tracker(reply)),
                Err(failure) => Outcome::Failed(failure),
            },
            Call::Forge(call) => {
                let repository = self.repository_mut(&effect.project);
                let (odd, before) = (repository.merges_oddly, repository.main());
                let done = repository.forge(call);
                let main = repository.main();
                if odd != repository.merges_oddly && main != before {
                    self.works.by_people.insert(main);
                }
                match done {
                    Ok(reply) => Outcome::Done(Reply::Forge(reply)),
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            Call::Git(call) => {
                let repository = self.repositories.entry(effect.project.clone()).or_default();
                match repository.git(call, &self.runs, &mut self.works) {
                    Ok(reply) => Outcome::Done(Reply::Git(reply)),
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            Call::Agent(AgentCall::Launch(work)) => {
                self.launch(work.run, effect, &work.task, Worker::Agent(work.role), &work.commit);
                if let Some(run) = self.runs.get_mut(&work.run) {
                    run.tokens = work.tokens;
                }
                Outcome::Done(Reply::Agent(AgentReply::Launched { pid: 1 }))
            }
            Call::Agent(AgentCall::Stop { run }) => {
                if self.runs.get(run).is_some_and(|run| run.in_doubt) {
                    return Outcome::Failed(doubt(*run));
                }
                match self.runs.get_mut(run) {
                    Some(run) if run.ended.is_none() => run.ended = Some(RunHow::Stopped),
                    Some(_) => {}
                    None => drop(self.stopped.insert(*run)),
                }
                Outcome::Done(Reply::Agent(AgentReply::Stopping))
            }
            Call::Gate(GateCall::Ci { run, task, commit, setup, test, cache, .. }) => {
                self.launch(*run, effect, task, Worker::Ci, commit);
                if let Some(run) = self.runs.get_mut(run) {
                    run.tests.get_or_insert_with(|| (setup.clone(), test.clone(), cache.clone()));
                }
                Outcome::Done(Reply::Gate(GateReply::Launched { pid: 1 }))
            }
            Call::Deploy(DeployCall::Hook { run, task, commit, previous, .. }) => {
                if self.launch(*run, effect, task, Worker::Hook, commit) {
                    self.hooks.push((*run, commit.clone(), task.clone(), previous.clone()));
                }
                Outcome::Done(Reply::Deploy(DeployReply::Launched { pid: 1 }))
            }
            Call::Deploy(DeployCall::Probe { commit }) => {
                let health = self.health(&effect.project, commit);
                if health == Health::Expected {
                    self.said_well.insert((effect.project.clone(), commit.clone()));
                }
                Outcome::Done(Reply::Deploy(DeployReply::Probed(health)))
            }
        }
    }

    fn health(&mut self, project: &ProjectId, expected: &Commit) -> Health {
        let deployed = self.deployed.get(project);
        let truth = health_if(deployed, expected, self.works.service);
        let says = self.works.says(project, |says| health_if(deployed, expected, says) != truth);
        health_if(deployed, expected, says)
    }

    fn repository_mut(&mut self, project: &ProjectId) -> &mut Repository {
        self.repositories.entry(project.clone()).or_default()
    }

    /// A run that was stopped before it began does not begin, and the name of another task's run is no proof.
    fn may_start(&self, call: &Call) -> Result<(), Failure> {
        let (run, task, commit) = match call {
            Call::Agent(AgentCall::Launch(work)) => (work.run, &work.task, &work.commit),
            Call::Gate(GateCall::Ci { run, task, commit, .. })
            | Call::Deploy(DeployCall::Hook { run, task, commit, .. }) => (*run, task, commit),
            Call::Agent(AgentCall::Stop { .. })
            | Call::Deploy(DeployCall::Probe { .. })
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_) => return Ok(()),
        };
        match self.runs.get(&run) {
            Some(known) if known.in_doubt => Err(doubt(run)),
            Some(known) if known.task == *task && known.commit == *commit => Ok(()),
            Some(known) => {
                Err(Failure::permanent(format!("{run} is another run of that name, of {}", known.task)))
            }
            None if self.stopped.contains(&run) => {
                Err(Failure::permanent(format!("{run} was stopped before it began")))
            }
            None if self.works.unnamed || names_no_test(call) => {
                Err(Failure::permanent(format!("no program is named for {run}")))
            }
            None => Ok(()),
        }
    }

    /// Begins a run, unless it began before; whether it did now.
    fn launch(
        &mut self,
        run: RunId,
        effect: &Effect,
        task: &TaskId,
        worker: Worker,
        commit: &Commit,
    ) -> bool {
        if self.runs.contains_key(&run) {
            return false;
        }
        self.begun.push(run);
        let begun = Run {
            project: effect.project.clone(),
            task: task.clone(),
            worker,
            commit: commit.clone(),
            ended: None,
            tokens: 0,
            tests: None,
            said: None,
            in_doubt: false,
        };
        self.runs.insert(run, begun);
        true
    }

    /// Runs of a task that got a tree which is still there. A hook has a checkout of its own.
    pub fn trees_of<'w>(&'w self, task: &'w TaskId) -> impl Iterator<Item = RunId> + 'w {
        let theirs = self.runs.iter().filter(move |(_, run)| run.task == *task && run.worker != Worker::Hook);
        let there = |(id, run): &(&RunId, &Run)| {
            self.repositories.get(&run.project).is_none_or(|repository| !repository.is_dropped(**id))
        };
        theirs.filter(there).map(|(id, _)| *id)
    }

    /// Runs that live.
    pub fn alive(&self) -> Vec<RunId> {
        self.runs.iter().filter(|(_, run)| run.ended.is_none()).map(|(id, _)| *id).collect()
    }

    /// A run that lives ends like this instead of working: what it did is lost.
    pub fn refuse(&mut self, id: RunId, how: RunHow) {
        if let Some(run) = self.runs.get_mut(&id)
            && run.ended.is_none()
            && matches!((&run.worker, &how), (Worker::Agent(_), _) | (_, RunHow::CouldNotStart { .. }))
        {
            run.ended = Some(how);
        }
    }

    /// The machine goes off: no run lives on.
    pub fn power_cut(&mut self) {
        for id in self.alive() {
            if let Some(run) = self.runs.get_mut(&id) {
                run.ended = Some(RunHow::Lost { cause: "the machine was started again".into() });
            }
        }
    }

    /// What a run left that nobody read before the machine went off cannot be trusted; of a deploy its exit code says all.
    pub fn loses(&mut self, id: RunId) {
        if let Some(run) = self.runs.get_mut(&id)
            && run.worker != Worker::Hook
        {
            (run.ended, run.said) = (Some(RunHow::Lost { cause: "what it left is incomplete".into() }), None);
        }
    }

    /// Lets a run come to its end, as its script says.
    pub fn finish(&mut self, id: RunId) {
        let Some(run) = self.runs.get(&id).cloned() else { return };
        if run.ended.is_some() {
            return;
        }
        let how = match run.worker {
            Worker::Agent(role) => self.works.end_of(role, id, &run.task, run.tokens),
            Worker::Ci => match self.works.end_of_tests(id, &run.task) {
                Some(how) => how,
                None => self.ends_by_itself(id),
            },
            Worker::Hook => {
                let (deploys, how) = match self.works.hook_deed(id) {
                    HookDeed::Exit(0) => (true, RunHow::Exited { code: 0 }),
                    HookDeed::Claims => (false, RunHow::Exited { code: 0 }),
                    HookDeed::Exit(code) => (false, RunHow::Exited { code }),
                    HookDeed::Silent { deploys } => (deploys, RunHow::TimedOut),
                    HookDeed::CannotStart => {
                        (false, RunHow::CouldNotStart { cause: "no such program (scripted)".into() })
                    }
                };
                if deploys {
                    self.deployed.insert(run.project.clone(), run.commit.clone());
                }
                how
            }
        };
        let said = self.words_of(&run, &how);
        if let Some(run) = self.runs.get_mut(&id) {
            (run.ended, run.said) = (Some(how), said);
        }
    }

    /// Whether a run of the tests would be green if it ended now, undisturbed. It is not taken for one that was made.
    pub fn would_pass(&self, id: RunId) -> bool {
        let Some(run) = self.runs.get(&id) else { return false };
        match self.works.next_end_of_tests(&run.task) {
            Some(how) => *how == RunHow::Exited { code: 0 },
            None => self.repositories.get(&run.project).is_some_and(|held| held.is_green(&run.commit)),
        }
    }

    /// How a run ends that nothing disturbs, and one that was given up and went on: tests find what there is to be found.
    pub fn ends_by_itself(&mut self, id: RunId) -> RunHow {
        let tests = self.runs.get(&id).filter(|run| run.worker == Worker::Ci).cloned();
        match tests {
            Some(run) if !self.repository_mut(&run.project).ci_ran(&run.commit) => {
                RunHow::Exited { code: RED }
            }
            Some(_) | None => RunHow::Exited { code: 0 },
        }
    }

    /// What a run printed that did not end well: of red tests what failed, as the real gate reads it out.
    fn words_of(&self, run: &Run, how: &RunHow) -> Option<String> {
        match (run.worker, how) {
            (
                _,
                RunHow::Exited { code: 0 }
                | RunHow::Lost { .. }
                | RunHow::CouldNotStart { .. }
                | RunHow::ProviderLimited { .. }
                | RunHow::OverTokens { .. }
                | RunHow::Stopped,
            ) => None,
            (Worker::Ci, RunHow::Exited { code }) => {
                let broken = self.repositories.get(&run.project).map(|known| known.broken(&run.commit));
                let broken = broken.unwrap_or_default();
                let failed: String = broken.iter().map(|path| format!("- {path}\n")).collect();
                Some(format!("test failed with exit code {code}\n\nFailed:\n{failed}\n{SAID}{SECRET}"))
            }
            (Worker::Agent(_) | Worker::Hook, RunHow::Exited { .. })
            | (_, RunHow::Signalled { .. } | RunHow::TimedOut | RunHow::TooMuchOutput) => {
                Some(format!("{SAID}{SECRET}"))
            }
        }
    }

    /// The text that the end of a run names, to be kept with it.
    pub fn words(&self, id: RunId) -> Option<Blob> {
        self.runs.get(&id)?.said.as_deref().map(masked).map(Blob::of)
    }

    /// The end of a run, as its record says; `None` while it lives, or while that cannot be told.
    pub fn end(&self, id: RunId) -> Option<RunEnd> {
        let run = self.runs.get(&id).filter(|run| !run.in_doubt)?;
        let how = run.ended.clone()?;
        let usage = match run.worker {
            // More than the budget of a task.
            Worker::Agent(_) if self.works.dear.contains(&id) => {
                Usage { output: Some(5_000_000), microdollars: Some(25_000_000), ..Usage::default() }
            }
            Worker::Agent(
                Role::Analyst | Role::Architect | Role::Developer | Role::Reviewer | Role::Tester,
            ) => {
                Usage { input: Some(1000), output: Some(200), microdollars: Some(50_000), ..Usage::default() }
            }
            Worker::Ci | Worker::Hook => Usage::default(),
        };
        let tail = run.said.as_deref().map(|said| Text::of(&masked(said)));
        Some(RunEnd { run: id, how, wall: Span::seconds(30), usage, tail, left_out: 0 })
    }
}

/// With what the tests end that found something.
pub(crate) const RED: i32 = 101;

/// Whether a run lives cannot be told: neither is it taken for dead, nor is another begun.
fn doubt(run: RunId) -> Failure {
    Failure::unknown(format!("the record of {run} cannot be read"))
}

/// Whether tests are to be run of which nobody says what they are.
fn names_no_test(call: &Call) -> bool {
    matches!(call, Call::Gate(GateCall::Ci { test, .. }) if test.is_empty())
}

/// What a service that runs this says, if it says that of itself.
fn health_if(runs: Option<&Commit>, expected: &Commit, says: Deployment) -> Health {
    match (says, runs) {
        (Deployment::Silent, _) | (_, None) => Health::CannotTell { cause: "nothing answers".into() },
        (Deployment::Unwell, Some(runs)) if runs == expected => Health::Unwell { cause: "scripted".into() },
        (Deployment::Truthful, Some(runs)) if runs == expected => Health::Expected,
        (Deployment::Unwell | Deployment::Truthful, Some(other)) => {
            Health::Other { commit: other.to_string() }
        }
    }
}
