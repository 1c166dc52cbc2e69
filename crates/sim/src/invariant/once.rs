//! Does each thing that people would notice happen once? (decision 1, invariants C9 and F3)
//!
//! The id of an effect makes one wish happen once. Here what is wished for has a name of its own: what it is, and what must
//! have happened since the last one for it to be another. The same name again is the same comment, hook, merge or run of an
//! agent under a new id.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::call::tracker::TrackerCall;
use orch_core::call::{Call, ForgeCall, ForgeReply, GitReply, Reply};
use orch_core::change::Change;
use orch_core::event::{Event, Outcome, RunHow};
use orch_core::id::{Commit, Digest, TaskId, Tree};
use orch_core::journal::Row;
use orch_core::note::Note;
use orch_core::reason::Reason;
use orch_core::task::{Job, RunRow};

use super::{Broken, Watch, broken};
use crate::world::World;

/// What was wished for so far.
#[derive(Debug, Default)]
pub(super) struct Once {
    acts: BTreeSet<(TaskId, Act)>,
    since: BTreeMap<TaskId, Since>,
}

/// How often something happened to a task that makes what follows another thing.
#[derive(Debug, Default, Clone, Copy)]
struct Since {
    /// Presses that were taken and let a task go on.
    presses: u32,
    /// Judgements, advances and what else asks for the work of an agent, presses among them.
    asked: u32,
    /// Runs of agents, of the tests and of the hook that began.
    agents: u32,
    tests: u32,
    hooks: u32,
    /// Runs that ended without a word about what they ran for.
    fruitless: u32,
    /// Hooks that never began.
    unhooked: u32,
    /// Verdicts that no longer stood.
    lapsed: u32,
    /// Watches that began.
    watches: u32,
    /// Answers by which a merge did not happen.
    unmerged: u32,
    /// Escalations that ended.
    lifted: u32,
    /// What others did to the issue and the branch.
    others: u32,
    rounds: u32,
}

/// What people notice, and what makes it another one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// An agent works: once for each time that something asks for it.
    Agent(u32),
    /// The tests run on a content: again only after somebody worked or pressed, or if nobody knows what they said.
    Tests(Tree, Option<Digest>, [u32; 4]),
    /// The hook runs for a commit: again only after a press, or if it could not begin.
    Hook(Commit, [u32; 2]),
    /// A merge is asked for: again only when it is known that it did not happen.
    Merge([u32; 2]),
    /// Main moves: once a round.
    Main(u32),
    /// People are told.
    Said(String, [u32; 5]),
}

impl Watch {
    /// Nothing that this row wishes for was wished for before. `row` is one of a task.
    pub(super) fn wishes(&mut self, id: &TaskId, row: &Row, world: &World) -> Result<(), Broken> {
        let since = self.once.since.entry(id.clone()).or_default();
        since.hear(row);
        let mut now = *since;
        for change in &row.changes {
            let Change::RunBegan(run) = change else { continue };
            let act = match run.job {
                Job::Agent(_) => Act::Agent(now.asked),
                Job::Ci(_) => {
                    let project = self.items.get(&id.item()).map(|(project, _)| project);
                    let repository = project.and_then(|project| world.repositories.get(project));
                    let Some(tree) = repository.map(|known| known.tree(&run.commit)) else { continue };
                    let since = [now.presses, now.agents, now.fruitless, now.lapsed];
                    Act::Tests(tree, run.definition.clone(), since)
                }
                Job::Hook => Act::Hook(run.commit.clone(), [now.presses, now.unhooked]),
            };
            self.once.wish(id, act, row)?;
            now.begins(run);
        }
        for effect in &row.effects {
            let act = match &effect.call {
                Call::Tracker(TrackerCall::Comment { note, .. }) => now.said(note),
                Call::Forge(ForgeCall::Merge { .. }) => Act::Merge([now.rounds, now.unmerged]),
                _ => continue,
            };
            self.once.wish(id, act, row)?;
        }
        self.once.since.insert(id.clone(), now);
        Ok(())
    }

    /// How many presses were taken so far that let a task go on.
    pub(super) fn presses(&self, id: &TaskId) -> u32 {
        self.once.since.get(id).map_or(0, |since| since.presses)
    }
}

impl Once {
    /// Orch moved main for this task: once a round.
    pub(super) fn moved(&mut self, id: &TaskId, round: u32) -> Result<(), Broken> {
        match self.acts.insert((id.clone(), Act::Main(round))) {
            true => Ok(()),
            false => broken("effects-happen-once", format!("{id} moved main again in round {round}")),
        }
    }

    fn wish(&mut self, id: &TaskId, act: Act, row: &Row) -> Result<(), Broken> {
        let named = (id.clone(), act);
        if self.acts.contains(&named) {
            return broken("effects-happen-once", format!("row {}: {id} does again: {:?}", row.seq, named.1));
        }
        self.acts.insert(named);
        Ok(())
    }
}

impl Since {
    /// What a row tells besides what it begins.
    fn hear(&mut self, row: &Row) {
        match &row.event {
            Event::Reply(reply) => match &reply.outcome {
                Outcome::Done(Reply::Forge(
                    ForgeReply::MainMoved { .. }
                    | ForgeReply::CheckoutDirty { .. }
                    | ForgeReply::ChangeClosed,
                )) => self.unmerged += 1,
                Outcome::Done(Reply::Git(GitReply::Proof(proof))) if !proof.ancestor => self.unmerged += 1,
                Outcome::Done(_) | Outcome::Failed(_) => {}
            },
            Event::Issue(_) | Event::Branch(_) => self.others += 1,
            _ => {}
        }
        for reason in &row.reasons {
            match reason {
                Reason::GestureTaken { press, .. } if press == "priority" || press == "stop" => {}
                Reason::GestureTaken { .. } => {
                    (self.presses, self.asked) = (self.presses + 1, self.asked + 1)
                }
                Reason::EvidenceLapsed { .. } => {
                    (self.lapsed, self.asked) = (self.lapsed + 1, self.asked + 1)
                }
                Reason::Advanced { .. } | Reason::SentBack { .. } | Reason::Repeated { .. } => {
                    self.asked += 1
                }
                _ => {}
            }
        }
        for change in &row.changes {
            match change {
                Change::RunOver { how, .. } => match how {
                    RunHow::CouldNotStart { .. } => {
                        (self.fruitless, self.asked) = (self.fruitless + 1, self.asked + 1);
                        self.unhooked += 1;
                    }
                    RunHow::Lost { .. } | RunHow::ProviderLimited { .. } => {
                        (self.fruitless, self.asked) = (self.fruitless + 1, self.asked + 1);
                    }
                    RunHow::Stopped | RunHow::OverTokens { .. } => self.fruitless += 1,
                    RunHow::Exited { .. }
                    | RunHow::Signalled { .. }
                    | RunHow::TimedOut
                    | RunHow::TooMuchOutput => {}
                },
                Change::Watched(watch) if watch.looks == 0 && watch.end.is_none() => self.watches += 1,
                Change::Escalated(None) => self.lifted += 1,
                Change::RoundOpened => self.rounds += 1,
                _ => {}
            }
        }
    }

    fn begins(&mut self, run: &RunRow) {
        match run.job {
            Job::Agent(_) => self.agents += 1,
            Job::Ci(_) => self.tests += 1,
            Job::Hook => self.hooks += 1,
        }
    }

    /// What is said, and what must have happened for it to be said again.
    fn said(&self, note: &Note) -> Act {
        let once = |what: &str, of: u32| Act::Said(what.to_owned(), [of, 0, 0, 0, 0]);
        match note {
            Note::Done { .. } => once("done", 0),
            // Said again where git tells later that main has something of it after all.
            Note::Stopped { stays, .. } => once("stopped", u32::from(stays.is_some())),
            Note::StopDeferred => once("the stop waits", 0),
            Note::DeployUntold { .. } => once("nobody knows of the deploy", 0),
            Note::Merged { .. } => once("merged", self.rounds),
            Note::DeployFailed { .. } => once("the deploy failed", self.hooks),
            Note::DeployUnseen { .. } => once("nobody saw the deploy", self.hooks),
            Note::WentBad { .. } => once("production went bad", self.watches),
            Note::WentSilent { .. } => once("production went silent", self.watches),
            Note::RunFinished { .. } => once("an agent is through", self.agents),
            Note::RunOverTokens { .. } => once("an agent is out of tokens", self.agents),
            Note::Escalated { .. } => once("a person is needed", self.lifted),
            Note::RequirementsReady { .. }
            | Note::Questions { .. }
            | Note::ByLabel { .. }
            | Note::ProtectedTouched { .. }
            | Note::SentBack { .. }
            | Note::AwaitingConfirmation { .. }
            | Note::MergedOutside { .. }
            | Note::Withdrawn { .. }
            | Note::Unavailable { .. } => {
                let fact = serde_json::to_string(note).unwrap_or_default();
                Act::Said(fact, [self.presses, self.agents, self.tests, self.hooks, self.others])
            }
        }
    }
}
