//! The outside as plain state: a tracker, a repository with its forge, agents, a deploy target.

pub mod repository;
pub mod tracker;
pub mod works;

use std::collections::BTreeMap;

use orch_core::call::deploy::{DeployReply, Health};
use orch_core::call::{AgentCall, AgentReply, Call, DeployCall, Failure, GateCall, GateReply, Reply};
use orch_core::effect::Effect;
use orch_core::event::{Outcome, RunEnd, RunHow, Usage};
use orch_core::id::{Commit, EffectId, RunId, TaskId};
use orch_core::stage::Role;
use orch_core::time::Span;

use repository::Repository;
use tracker::Tracker;
use works::{Worker, Works};

/// The whole outside.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The tracker.
    pub tracker: Tracker,
    /// The repository and its forge.
    pub repository: Repository,
    /// How agents, hooks and services behave.
    pub works: Works,
    /// Runs that were started, by their id.
    pub runs: BTreeMap<RunId, Run>,
    /// What is deployed.
    pub deployed: Option<Commit>,
    /// Each start of a hook: which run, which commit, whose.
    pub hooks: Vec<(RunId, Commit, TaskId)>,
    /// How often each effect was performed to its end: looked-up repetitions do not count.
    pub performed: BTreeMap<EffectId, u32>,
    /// Whether the outside answers at all.
    pub outage: bool,
}

/// A started run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Whose.
    pub task: TaskId,
    /// Who works.
    pub worker: Worker,
    /// On which commit.
    pub commit: Commit,
    /// Whether it has ended (its record is written).
    pub ended: Option<RunHow>,
}

impl World {
    /// Performs an effect: looks first whether it happened already.
    pub fn perform(&mut self, effect: &Effect) -> Outcome {
        if self.outage {
            return Outcome::Failed(Failure::transient("the outside does not answer (injected)"));
        }
        let before = self.clone_marks();
        let outcome = self.act(effect);
        if self.clone_marks() != before {
            *self.performed.entry(effect.id).or_default() += 1;
        }
        outcome
    }

    fn clone_marks(&self) -> (usize, usize, usize, usize) {
        (self.tracker.comments(), self.repository.writes(), self.runs.len(), self.hooks.len())
    }

    fn act(&mut self, effect: &Effect) -> Outcome {
        match &effect.call {
            Call::Tracker(call) => Outcome::Done(Reply::Tracker(self.tracker.perform(effect.id, call))),
            Call::Forge(call) => match self.repository.forge(call) {
                Ok(reply) => Outcome::Done(Reply::Forge(reply)),
                Err(failure) => Outcome::Failed(failure),
            },
            Call::Git(call) => {
                let works = &mut self.works;
                match self.repository.git(call, &self.runs, works) {
                    Ok(reply) => Outcome::Done(Reply::Git(reply)),
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            Call::Agent(AgentCall::Launch(work)) => {
                self.launch(work.run, &work.task, Worker::Agent(work.role), &work.commit);
                Outcome::Done(Reply::Agent(AgentReply::Launched { pid: 1 }))
            }
            Call::Agent(AgentCall::Stop { run }) => {
                if let Some(run) = self.runs.get_mut(run)
                    && run.ended.is_none()
                {
                    run.ended = Some(RunHow::Stopped);
                }
                Outcome::Done(Reply::Agent(AgentReply::Stopping))
            }
            Call::Gate(GateCall::Ci { run, task, commit, .. }) => {
                self.launch(*run, task, Worker::Ci, commit);
                Outcome::Done(Reply::Gate(GateReply::Launched { pid: 1 }))
            }
            Call::Deploy(DeployCall::Hook { run, task, commit, .. }) => {
                if !self.runs.contains_key(run) {
                    self.hooks.push((*run, commit.clone(), task.clone()));
                }
                self.launch(*run, task, Worker::Hook, commit);
                Outcome::Done(Reply::Deploy(DeployReply::Launched { pid: 1 }))
            }
            Call::Deploy(DeployCall::Probe { commit }) => {
                let health = match &self.deployed {
                    Some(deployed) if deployed == commit => match self.works.unwell {
                        true => Health::Unwell { cause: "scripted".to_owned() },
                        false => Health::Expected,
                    },
                    Some(other) => Health::Other { commit: other.to_string() },
                    None => Health::CannotTell { cause: "nothing answers".to_owned() },
                };
                Outcome::Done(Reply::Deploy(DeployReply::Probed(health)))
            }
        }
    }

    fn launch(&mut self, run: RunId, task: &TaskId, worker: Worker, commit: &Commit) {
        self.runs.entry(run).or_insert_with(|| Run {
            task: task.clone(),
            worker,
            commit: commit.clone(),
            ended: None,
        });
    }

    /// Runs that live.
    pub fn alive(&self) -> Vec<RunId> {
        self.runs.iter().filter(|(_, run)| run.ended.is_none()).map(|(id, _)| *id).collect()
    }

    /// Lets a run come to its end, as its script says.
    pub fn finish(&mut self, id: RunId) {
        let Some(run) = self.runs.get(&id).cloned() else { return };
        if run.ended.is_some() {
            return;
        }
        let how = match run.worker {
            Worker::Agent(role) => self.works.end_of(role, id, &run.task),
            Worker::Ci => match self.repository.is_green(&run.commit) {
                true => RunHow::Exited { code: 0 },
                false => RunHow::Exited { code: 101 },
            },
            Worker::Hook => {
                let code = self.works.hook_code();
                if code == 0 {
                    self.deployed = Some(run.commit.clone());
                }
                RunHow::Exited { code }
            }
        };
        if let Worker::Ci = run.worker {
            self.repository.ci_ran(&run.commit);
        }
        if let Some(run) = self.runs.get_mut(&id) {
            run.ended = Some(how);
        }
    }

    /// The end of a run, as its record says; `None` while it lives.
    pub fn end(&self, id: RunId) -> Option<RunEnd> {
        let run = self.runs.get(&id)?;
        let how = run.ended.clone()?;
        let usage = match run.worker {
            Worker::Agent(
                Role::Analyst | Role::Architect | Role::Developer | Role::Reviewer | Role::Tester,
            ) => {
                Usage { input: Some(1000), output: Some(200), microdollars: Some(50_000), ..Usage::default() }
            }
            Worker::Ci | Worker::Hook => Usage::default(),
        };
        Some(RunEnd { run: id, how, wall: Span::seconds(30), usage, tail: None })
    }
}
