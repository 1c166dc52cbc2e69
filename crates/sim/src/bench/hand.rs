//! How are effects performed and runs ended, and what goes wrong meanwhile?

use orch_core::call::{AgentCall, Call, DeployCall, Failure, ForgeCall, GateCall, GitCall, TrackerCall};
use orch_core::effect::Effect;
use orch_core::event::{EffectReply, Event, Outcome, RunEnd, RunHow};
use orch_core::id::{Entity, ProjectId, RunId};
use orch_core::journal::Journal;
use orch_core::stage::Role;
use orch_core::state::State;
use orch_core::task::Step;
use orch_engine::{Incoming, Target};

use super::Bench;
use crate::fault::Fault;
use crate::world::repository::Oddly;
use crate::world::works::{Deed, Deployment, HookDeed, SECRET, Worker, masked};
use crate::world::{Called, RED};

impl Bench {
    fn pick(&mut self, of: usize) -> usize {
        if self.orderly { 0 } else { self.dice.below(of) }
    }

    pub(super) fn perform_one(&mut self) {
        let at = self.pick(self.pending.len());
        self.perform_at(at);
    }

    pub(super) fn perform_at(&mut self, at: usize) {
        let effect = self.pending.remove(at);
        let name = effect.call.name();
        self.calls += 1;
        let (brain, at) = (self.brains, self.now.0 - self.ahead);
        self.world.calls.push(Called { effect: effect.id, brain, at });
        let term = self.engine().term();
        if self.dies(Side::Before, name) {
            // The hand that was about to do it may be the one that goes on.
            self.pending.push(effect);
            return self.crash();
        }
        self.moves_under_us(&effect);
        if let Call::Deploy(DeployCall::Probe { commit }) = &effect.call {
            let after = self.world.said_well.contains(&(effect.project.clone(), commit.clone()));
            self.service_misbehaves(&effect.project, after);
        }
        let refusable = self.waits_for(&effect) && !self.world.has_happened(effect.id);
        let refused = refusable && self.strikes(Fault::Refused);
        let timed_out = self.chosen(Fault::TimeOut);
        let away = self.away.iter().any(|part| name.contains(part.as_str()));
        self.hand_texts(&effect);
        let told = self.refuse.take_if(|part| name.contains(part.as_str())).is_some();
        let mut outcome = if told {
            Outcome::Failed(Failure::permanent("refused for good (injected)"))
        } else if refused {
            let said = format!("an answer that nobody can read (injected){SECRET}");
            Outcome::Failed(Failure::permanent(masked(&said)))
        } else if timed_out {
            self.tally.count(Fault::TimeOut);
            let said = format!("no answer in time (injected){SECRET}");
            Outcome::Failed(Failure::unknown(masked(&said)))
        } else {
            self.world.outage = away || self.nothing_answers();
            let outcome = self.performed(&effect);
            self.world.outage = false;
            if let Some(fault) = self.world.works.struck.take() {
                self.tally.count(fault);
            }
            outcome
        };
        let texts = self.world.take_texts();
        let launched = self.launched(&effect);
        if self.dies(Side::After, name) {
            if self.chosen(Fault::LateReply) {
                let reply = EffectReply { effect: effect.id, outcome };
                self.delay(Fault::LateReply, Incoming::reply(term, effect.entity.clone(), reply).with(texts));
            }
            return self.crash();
        }
        if let Some(run) = launched
            && !self.watched.contains(&run)
        {
            self.watched.push(run);
        }
        if let Call::Tracker(TrackerCall::SetStatus { issue, .. } | TrackerCall::Comment { issue, .. }) =
            &effect.call
            && self.chosen(Fault::EchoedDelivery)
        {
            if matches!(outcome, Outcome::Done(_)) {
                self.tally.count(Fault::EchoedDelivery);
            }
            if self.dice.happens("it comes after the answer", 50) {
                self.send_later(issue);
            } else {
                self.deliver(issue);
            }
        }
        let told = self.lose_answer_of.as_ref().is_some_and(|part| name.contains(part.as_str()));
        if told {
            self.lose_answer_of = None;
        }
        if told || self.chosen(Fault::LostAnswer) {
            // Whose answer is lost that nothing was done, lost little.
            if !told && matches!(outcome, Outcome::Done(_)) {
                self.tally.count(Fault::LostAnswer);
            }
            outcome = Outcome::Failed(Failure::unknown("the answer was lost (injected)"));
        }
        let reply = EffectReply { effect: effect.id, outcome };
        let incoming = Incoming::reply(term, effect.entity.clone(), reply).with(texts);
        // A failure that is tried again is no row, so that each of ten would count as a try.
        let done =
            matches!(&incoming.event, Event::Reply(reply) if matches!(reply.outcome, Outcome::Done(_)));
        if self.chosen(Fault::SlowAnswer) {
            return self.delay(Fault::SlowAnswer, incoming);
        }
        let times = if done && self.strikes(Fault::DoubledReply) { 10 } else { 1 };
        for _ in 1..times {
            self.tell(incoming.clone());
        }
        self.tell(incoming);
    }

    /// The outside does it, or says so and does not.
    fn performed(&mut self, effect: &Effect) -> Outcome {
        let merges = matches!(&effect.call, Call::Forge(ForgeCall::Merge { .. }));
        if !merges || !self.chosen(Fault::MergesNothing) {
            return self.world.perform(effect);
        }
        self.of_forge(effect, |odd| *odd = odd.or(Some(Oddly::Nothing)));
        let outcome = self.world.perform(effect);
        // What was refused, or merged long ago, was no lie.
        let left = self.of_forge(effect, |odd| odd.take_if(|odd| *odd == Oddly::Nothing).is_some());
        if left == Some(false) {
            self.tally.count(Fault::MergesNothing);
        }
        outcome
    }

    fn of_forge<T>(&mut self, effect: &Effect, see: impl FnOnce(&mut Option<Oddly>) -> T) -> Option<T> {
        self.world.repositories.get_mut(&effect.project).map(|repository| see(&mut repository.merges_oddly))
    }

    /// The service that is asked is not well, or silent: at its deploy, or after it was well. It is counted when it says so.
    fn service_misbehaves(&mut self, project: &ProjectId, after: bool) {
        let flaps = if after { Fault::ServiceFlaps } else { Fault::DeployFlaps };
        if self.chosen(flaps) {
            let says = if self.dice.chance(50) { Deployment::Unwell } else { Deployment::Silent };
            self.world.works.ail(project, says, 1, Some(flaps));
        }
        for (fault, says, looks) in [
            (Fault::ServiceGoesBad, Deployment::Unwell, 6),
            (Fault::ServiceGoesSilent, Deployment::Silent, 12),
        ] {
            if after && self.chosen(fault) {
                self.world.works.ail(project, says, looks, Some(fault));
            }
        }
    }

    /// Whether the brain dies at a boundary.
    fn dies(&mut self, side: Side, call: &'static str) -> bool {
        let usual = if side == Side::Before { Fault::CrashBefore } else { Fault::CrashAfter };
        let first = !self.died.contains_key(&(side, call));
        let dies = self.strikes(usual) || (first && self.strikes(Fault::CrashFirst));
        if dies {
            *self.died.entry((side, call)).or_default() += 1;
        }
        dies
    }

    /// Somebody else was there a moment before.
    fn moves_under_us(&mut self, effect: &Effect) {
        let (main, branch) = match &effect.call {
            Call::Forge(ForgeCall::Merge { .. }) => (true, None),
            Call::Git(GitCall::BuildCandidate { branch, .. }) => (true, Some(branch)),
            Call::Git(GitCall::Collect { branch, .. }) => (false, Some(branch)),
            Call::Git(GitCall::CutBranch { .. }) => (true, None),
            Call::Git(GitCall::Prove { .. } | GitCall::WriteRecord { .. } | GitCall::DropTree { .. })
            | Call::Forge(
                ForgeCall::OpenChange { .. }
                | ForgeCall::SetCommitStatus { .. }
                | ForgeCall::CloseChange { .. }
                | ForgeCall::Restore { .. }
                | ForgeCall::DeleteBranch { .. },
            )
            | Call::Tracker(_)
            | Call::Agent(_)
            | Call::Gate(_)
            | Call::Deploy(_) => return,
        };
        let moves = main && self.strikes(Fault::MainMoves);
        let pushes = branch.is_some() && self.chosen(Fault::BranchMoves);
        let content = format!("by ann {}", self.tally.faults);
        let Some(repository) = self.world.repositories.get_mut(&effect.project) else { return };
        if moves {
            repository.push_main("src/ann", &content);
            let main = repository.main();
            self.world.works.by_people.insert(main);
        }
        if let Some(branch) = branch.filter(|_| pushes) {
            if repository.branches().any(|(there, _)| there == branch) {
                self.tally.count(Fault::BranchMoves);
            }
            repository.push_branch(branch, &format!("src/bob-on-{}", branch.replace('/', "-")), &content);
        }
    }

    /// Whether a task waits for this answer: what is refused then is a hold that a person sees and lifts. What is cleared away
    /// for a task that is over has nobody to tell.
    fn waits_for(&mut self, effect: &Effect) -> bool {
        let Entity::Task(id) = &effect.entity else { return false };
        let state = self.engine().journal().known(&Entity::Task(id.clone()));
        is_waited_for(&effect.call)
            && matches!(
                state,
                Some(State::Task(task))
                    if matches!(task.step, Step::Asked { effect: asked, .. } if asked == effect.id)
            )
    }

    /// The text that a call names is read from the journal, as a hand would: it must be there before the effect is.
    pub(super) fn hand_texts(&mut self, effect: &Effect) {
        let Call::Git(GitCall::WriteRecord { text, .. }) = &effect.call else { return };
        let kept = self.engine().journal().blob(&text.blob).ok().flatten();
        if let (Some(bytes), Some(repository)) = (kept, self.world.repositories.get_mut(&effect.project)) {
            repository.kept.insert(text.blob.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }

    fn launched(&self, effect: &Effect) -> Option<RunId> {
        let run = match &effect.call {
            Call::Agent(AgentCall::Launch(work)) => work.run,
            Call::Gate(GateCall::Ci { run, .. }) | Call::Deploy(DeployCall::Hook { run, .. }) => *run,
            Call::Agent(AgentCall::Stop { .. })
            | Call::Deploy(DeployCall::Probe { .. })
            | Call::Tracker(_)
            | Call::Forge(_)
            | Call::Git(_) => return None,
        };
        self.world.runs.contains_key(&run).then_some(run)
    }

    pub(super) fn end_one(&mut self) {
        let at = self.pick(self.watched.len());
        self.end_at(at);
    }

    pub(super) fn end_at(&mut self, at: usize) {
        let run = self.watched.remove(at);
        self.goes_wrong(run);
        self.world.finish(run);
        let (Some(end), Some(started)) = (self.world.end(run), self.world.runs.get(&run)) else { return };
        let target = Target::Entity(Entity::Task(started.task.clone()));
        let returns = match started.worker {
            Worker::Ci => Fault::TestsReturn,
            Worker::Agent(_) | Worker::Hook => Fault::AgentReturns,
        };
        if matches!(end.how, RunHow::Lost { .. }) && self.chosen(returns) {
            self.world.works.returned.insert(run);
            let back = RunEnd { how: self.world.ends_by_itself(run), ..end.clone() };
            self.delay(returns, Incoming::of(target.clone(), Event::RunEnded(Box::new(back))));
        }
        let words = self.world.words(run).into_iter().collect();
        self.tell(Incoming::of(target, Event::RunEnded(Box::new(end))).with(words));
    }

    /// What becomes of a run instead of what its story says.
    fn goes_wrong(&mut self, run: RunId) {
        // Whoever has ended already does nothing wrong any more.
        let Some(live) = self.world.runs.get(&run).filter(|run| run.ended.is_none()) else { return };
        let (worker, project) = (live.worker, live.project.clone());
        let injected = || "injected".to_owned();
        if self.strikes(Fault::CannotStart) {
            return self.world.refuse(run, RunHow::CouldNotStart { cause: injected().into() });
        }
        match worker {
            Worker::Agent(role) => {
                let deeds = [
                    (Fault::ProviderRefuses, Deed::Limited),
                    (Fault::AgentDies, Deed::Lost),
                    (Fault::AgentFails, Deed::Fail(1)),
                    (Fault::AgentHangs, Deed::Hang),
                    (Fault::AgentLies, Deed::Nothing),
                    (Fault::AgentWritesOutside, Deed::Outside),
                    (Fault::AgentApprovesItself, Deed::ApproveItself),
                    (Fault::AgentTells, Deed::Tell),
                ];
                // What an analyst or an architect writes is judged by people and by nobody else: only that it is there counts.
                let of_role: &[(Fault, Deed)] = match role {
                    Role::Analyst | Role::Architect => &[],
                    Role::Developer => &[(Fault::AgentErrs, Deed::Break)],
                    Role::Reviewer | Role::Tester => {
                        &[(Fault::AgentErrs, Deed::Object), (Fault::AgentWritesGarbage, Deed::Garbage)]
                    }
                };
                if self.strikes(Fault::AgentOverspends) {
                    self.world.works.dear.insert(run);
                }
                let own = [
                    (Fault::AgentClashes, Deed::Take("7".to_owned())),
                    (Fault::AgentSwitchesOff, Deed::SwitchOff),
                ];
                let own = own.into_iter().filter(|_| role == Role::Developer);
                for (fault, deed) in deeds.into_iter().chain(of_role.iter().cloned()).chain(own) {
                    if self.strikes(fault) {
                        return self.world.works.force(run, deed);
                    }
                }
            }
            Worker::Ci => {
                let ends = [
                    (Fault::TestsDie, RunHow::Lost { cause: injected().into() }),
                    (Fault::TestsHang, RunHow::TimedOut),
                    (Fault::TestsFlake, RunHow::Exited { code: RED }),
                ];
                for (fault, how) in ends {
                    if self.chosen(fault) {
                        // Tests that are red anyway are not flaky.
                        if fault != Fault::TestsFlake || self.world.would_pass(run) {
                            self.tally.count(fault);
                        }
                        return self.world.works.force_tests(run, how);
                    }
                }
            }
            Worker::Hook => {
                let deploys = self.dice.chance(50);
                let deeds = [
                    (Fault::DeployFails, HookDeed::Exit(1)),
                    (Fault::DeploySilent, HookDeed::Silent { deploys }),
                ];
                for (fault, deed) in deeds {
                    if self.strikes(fault) {
                        return self.world.works.force_hook(run, deed);
                    }
                }
                if self.chosen(Fault::DeployGoesBad) {
                    let fault = Some(Fault::DeployGoesBad);
                    self.world.works.ail(&project, Deployment::Unwell, 60, fault);
                }
            }
        }
    }
}

/// On which side of a call something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Before it is performed.
    Before,
    /// After it happened, before its reply is written.
    After,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Before => "before",
            Side::After => "after",
        })
    }
}

/// Whether a task stands still until a call is answered: a person is asked if it is refused.
fn is_waited_for(call: &Call) -> bool {
    match call {
        Call::Tracker(TrackerCall::ReadComments { .. })
        | Call::Forge(ForgeCall::OpenChange { .. } | ForgeCall::Merge { .. })
        | Call::Git(GitCall::CutBranch { .. } | GitCall::Collect { .. } | GitCall::BuildCandidate { .. })
        | Call::Gate(_)
        | Call::Agent(AgentCall::Launch(_)) => true,
        Call::Tracker(TrackerCall::SetStatus { .. } | TrackerCall::Comment { .. })
        | Call::Forge(
            ForgeCall::SetCommitStatus { .. }
            | ForgeCall::CloseChange { .. }
            | ForgeCall::Restore { .. }
            | ForgeCall::DeleteBranch { .. },
        )
        | Call::Git(GitCall::Prove { .. } | GitCall::WriteRecord { .. } | GitCall::DropTree { .. })
        | Call::Agent(AgentCall::Stop { .. })
        | Call::Deploy(_) => false,
    }
}
