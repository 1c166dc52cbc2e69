//! Where is one decision about a task put together? On a working copy to which each change is applied as it is made, by
//! the same [`crate::apply`] that will fold the journal.

use std::sync::Arc;

use crate::apply::to_task;
use crate::artefact::FileVerdict;
use crate::backoff;
use crate::call::agent::Assignment;
use crate::call::tracker::Author;
use crate::call::{AgentCall, Call, DeployCall, ForgeCall, GateCall, GitCall, Text, TrackerCall};
use crate::change::Change;
use crate::decide::Decision;
use crate::effect::{Effect, Line, Timer};
use crate::event::{FreezeCause, Message};
use crate::id::{Commit, EffectId, Entity, RunId, Seq, TimerId};
use crate::journal::Blob;
use crate::note::Note;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::record::{Record, Recorded};
use crate::rework::MAX_DEVELOPER_RUNS;
use crate::said::{Cause, Said, Unknown};
use crate::task::{Ask, CiOf, Delay, Escalation, Job, Rest, RunRow, Step, Stopping, Task, Want, Why};
use crate::time::{Moment, Span};

/// A decision in the making.
pub struct Desk<'a> {
    /// The task as it is by now.
    pub task: Box<Task>,
    /// The rules of its project.
    pub policy: &'a Policy,
    /// The row that is being decided.
    pub seq: Seq,
    /// Its time.
    pub at: Moment,
    out: Decision,
    born: u32,
}

impl<'a> Desk<'a> {
    /// A desk for a task.
    pub fn new(task: Box<Task>, policy: &'a Policy, seq: Seq, at: Moment) -> Self {
        Self { task, policy, seq, at, out: Decision::default(), born: 0 }
    }

    /// The decision that was made.
    pub fn finish(self) -> Decision {
        self.out
    }

    /// The decision that was made, and the task after it.
    pub fn finish_both(self) -> (Decision, Box<Task>) {
        (self.out, self.task)
    }

    /// Something is different from here on.
    pub fn change(&mut self, change: Change) {
        to_task(&mut self.task, (self.seq, self.at), &change);
        self.out.changes.push(change);
    }

    /// Why.
    pub fn because(&mut self, reason: Reason) {
        self.out.reasons.push(reason);
    }

    /// Tells another entity, in the same transaction.
    pub fn tell(&mut self, to: Entity, message: Message) {
        self.out.messages.push((to, message));
    }

    /// Keeps a text that Orch made.
    pub fn keep(&mut self, text: &str) -> Text {
        self.out.blobs.push(Blob::of(text));
        Text::of(text)
    }

    /// Writes a record down and reads it back: what was read is the verdict (decision 18).
    #[must_use = "what was read back decides, not what was meant"]
    pub fn record(&mut self, record: Record, text: &str, run: Option<RunId>) -> FileVerdict {
        let verdict = record.read(text);
        let text = self.keep(text);
        self.change(Change::Recorded { record, text, verdict: verdict.clone(), run });
        verdict
    }

    fn next(&mut self) -> u32 {
        let n = self.born;
        self.born += 1;
        n
    }

    /// A new run's id.
    pub fn new_run(&mut self) -> RunId {
        RunId::new(self.seq, self.next())
    }

    /// Wants something done outside.
    pub fn effect(&mut self, line: Line, call: Call) -> EffectId {
        let id = EffectId::new(self.seq, self.next());
        let entity = Entity::Task(self.task.id.clone());
        let project = self.task.project.clone();
        self.out.effects.push(Effect { id, line, entity, project, call });
        id
    }

    /// The task does or waits for something else from here on.
    pub fn step(&mut self, step: Step) {
        let due = match &step {
            Step::Backoff { timer, due, .. } => Some(Timer { id: *timer, due: *due }),
            Step::Rest(_) | Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } => None,
        };
        self.out.timer = Some(due);
        self.change(Change::Stepped(Box::new(step)));
    }

    /// What is waited for is due then.
    pub fn rearm(&mut self, id: TimerId, due: Moment) {
        self.out.timer = Some(Some(Timer { id, due }));
        self.change(Change::Due(due));
    }

    /// Waits for a person.
    pub fn rest(&mut self, rest: Rest) {
        self.step(Step::Rest(rest));
    }

    /// Waits for a turn, unless a person must be asked first whether the request or the branch still holds (decision 45):
    /// that holds no lane (decision 20). What is in main already is delivered as it was merged: an edit is asked about in the
    /// next round.
    pub fn queue(&mut self, want: Want) {
        if !self.task.request.present {
            self.release_lane();
            self.rest(Rest::IssueGone);
        } else if self.task.edited && self.task.merged.is_none() {
            self.release_lane();
            self.rest(Rest::RequestChanged);
        } else if !crate::outside::in_the_way(self) {
            self.step(Step::Queued(want));
        }
    }

    /// Asks a question once more whose answer nothing waits for: what it did is undone when it is known.
    pub fn look_after(&mut self, ask: &Ask) {
        if let Ok((_, call)) = self.call_of(ask) {
            self.effect(Line::Cleanup(self.task.project.clone()), call);
        }
    }

    /// Asks the outside for what moves the task.
    pub fn ask(&mut self, ask: Ask, tries: u32) {
        match self.call_of(&ask) {
            Ok((line, call)) => {
                let effect = self.effect(line, call);
                self.step(Step::Asked { effect, ask, tries });
            }
            Err(why) => self.escalate(why),
        }
    }

    /// Asks again after a while: nobody's failure.
    pub fn later(&mut self, ask: Ask, tries: u32, wait: Span, cause: Delay) {
        let due = self.at.after(wait);
        let timer = TimerId::new(self.seq, self.next());
        let said = match &cause {
            Delay::Outage { cause } | Delay::NotYet { cause } => Some(cause.clone()),
            Delay::Provider { cause: quoted } => Some(quoted.clone().into()),
            Delay::CheckoutDirty { path, branch } => {
                Some(Said::CheckoutDirty { path: path.clone(), branch: branch.clone() }.into())
            }
            // Nothing hinders it.
            Delay::Watching => None,
        };
        if let Some(cause) = said {
            self.because(Reason::Later { due, cause });
        }
        self.step(Step::Backoff { timer, due, ask, tries, cause });
    }

    /// Asks again later because the outside failed (decision 14).
    pub fn outage(&mut self, ask: Ask, tries: u32, cause: Cause) {
        self.later(ask, tries + 1, backoff::outage(tries + 1), Delay::Outage { cause });
    }

    /// Leaves it to a person, visibly (invariant C8); a stop that waited for this is carried out instead. What main holds
    /// already and nobody proved or deployed is kept by a freeze, as the lane kept it (decisions 19, 41).
    pub fn escalate(&mut self, why: Why) {
        self.release_lane();
        self.because(Reason::Escalated(why.clone()));
        // What git answered is known, whatever is lacking to go on from there.
        let answered = match &why {
            Why::Outside { .. } | Why::Unproven { .. } => false,
            Why::RoundsSpent
            | Why::Fruitless { .. }
            | Why::Conflicts
            | Why::RequestTooShort { .. }
            | Why::NoTests
            | Why::NoHook
            | Why::RollbackFailed
            | Why::Machine { .. }
            | Why::NoAgent { .. } => true,
        };
        let merging = !answered && matches!(self.task.open_question(), Some(Ask::Merge | Ask::Prove));
        if merging && self.task.merged.is_none() && !self.task.merge_untold {
            self.change(Change::MergeUntold(true));
        }
        crate::stage::deploy::keep_main(self, &why);
        if self.task.cancel.is_some() {
            return crate::stage::terminal::cancel_now(self);
        }
        self.say(Author::Stream, Note::Escalated { why: why.clone(), stage: self.task.stage });
        self.change(Change::Escalated(Some(Escalation { at: self.at, why })));
        self.rest(Rest::Escalated);
    }

    /// Gives the merge lane back, if it is held.
    pub fn release_lane(&mut self) {
        if self.task.lane.is_some() {
            self.change(Change::Lane(false));
        }
    }

    /// Nothing else of the repository merges until this task's repair or a person lifts it (decision 41).
    pub fn freeze(&mut self, cause: FreezeCause) {
        let task = self.task.id.clone();
        self.tell(Entity::Repository(self.task.project.clone()), Message::Freeze { task, cause });
        self.change(Change::Froze(true));
    }

    /// What this task froze is repaired.
    pub fn thaw(&mut self) {
        if self.task.froze {
            let task = self.task.id.clone();
            self.tell(Entity::Repository(self.task.project.clone()), Message::Thaw { task });
            self.change(Change::Froze(false));
        }
    }

    /// Says something under the issue, once.
    pub fn say(&mut self, author: Author, note: Note) {
        let issue = self.task.issue.clone();
        let language = self.policy.language;
        let call = TrackerCall::Comment { issue: issue.clone(), author, note: Box::new(note), language };
        self.effect(Line::Tracker(issue), Call::Tracker(call));
    }

    /// Gives a run its id, its row and its start.
    pub fn launch(&mut self, job: Job) {
        let Some(commit) = self.commit_for(job) else {
            return self.escalate(not_known(Unknown::Commit));
        };
        let choice = match job {
            Job::Agent(role) => match self.policy.agents.get(&role) {
                Some(choice) => Some(choice.clone()),
                None => return self.escalate(Why::NoAgent { role }),
            },
            Job::Ci(_) if self.policy.test.is_empty() => return self.escalate(Why::NoTests),
            Job::Ci(_) | Job::Hook => None,
        };
        let run = self.new_run();
        self.because(Reason::RunBegan { run });
        if job == Job::Agent(crate::stage::Role::Analyst) && self.task.unread {
            self.change(Change::Unread(false));
        }
        // What a person allowed is for one run (decision 37).
        let allowed = matches!(job, Job::Agent(_)).then(|| self.task.allowed.clone()).flatten();
        if allowed.is_some() {
            self.change(Change::Allowed(None));
        }
        self.change(Change::RunBegan(Arc::new(RunRow {
            run,
            job,
            round: self.task.round,
            commit,
            agent: choice.as_ref().map(|choice| choice.agent.clone()),
            at: self.at,
            end: None,
            wall: Span(0),
            usage: crate::event::Usage::default(),
            left_out: 0,
            allowed,
            definition: matches!(job, Job::Ci(_)).then(|| self.policy.ci_definition()),
            provider: choice.map(|choice| choice.provider),
            lacked: None,
        })));
        self.ask(Ask::Launch { run, job }, 0);
    }

    /// Stops a run for good; nothing waits for it any more. Its slot is given on when the stop is answered: who was asked for
    /// just before may begin until then.
    pub fn stop_run(&mut self, run: RunId) {
        let line = Line::Run(self.task.id.clone());
        let effect = self.effect(line, Call::Agent(AgentCall::Stop { run }));
        let mut stopping = self.task.stopping.clone();
        stopping.push(Stopping { effect, run });
        self.change(Change::Stopping(stopping));
    }

    /// Removes a run's tree, off the task's path.
    pub fn drop_tree(&mut self, run: RunId) {
        let line = Line::Cleanup(self.task.project.clone());
        self.effect(line, Call::Git(GitCall::DropTree { run }));
    }

    fn commit_for(&self, job: Job) -> Option<Commit> {
        let task = &self.task;
        match job {
            Job::Agent(_) | Job::Ci(CiOf::Head) => task.branch.as_ref().map(|branch| branch.head.clone()),
            Job::Ci(CiOf::Candidate) => task.candidate.as_ref().map(|candidate| candidate.commit.clone()),
            Job::Hook => task.merged.as_ref().map(|merged| merged.commit.clone()),
        }
    }

    /// The name of the branch of this round (decisions 30, 41).
    pub(crate) fn branch_name(&self, plain: bool) -> String {
        let task = &self.task;
        let slug = task.named.as_ref().unwrap_or(&task.request.slug);
        let mut name = format!("feature/{}-{slug}", task.item);
        if !plain {
            name.push_str(&format!("-{}-{}", task.id.life(), task.number));
        }
        if task.round > 1 {
            name.push_str(&format!("-r{}", task.round));
        }
        name
    }

    /// The call behind a question, from what is known now; what is missing is for a person.
    fn call_of(&self, ask: &Ask) -> Result<(Line, Call), Why> {
        let task = &self.task;
        let branch = || task.branch.as_ref().ok_or_else(|| not_known(Unknown::Branch));
        let candidate = || task.candidate.as_ref().ok_or_else(|| not_known(Unknown::Candidate));
        let merged = || task.merged.as_ref().ok_or_else(|| not_known(Unknown::Merge));
        let git = Line::Git(task.project.clone());
        Ok(match ask {
            Ask::CutBranch { plain } => (
                git,
                Call::Git(GitCall::CutBranch {
                    branch: self.branch_name(*plain),
                    task: task.id.clone(),
                    item: task.item.clone(),
                    title: task.request.title.clone(),
                    text: task.request.text.clone(),
                    carry: task.earlier_merges.last().map(|merged| merged.work().clone()),
                }),
            ),
            Ask::Launch { run, job } => {
                let row =
                    task.runs.iter().find(|row| row.run == *run).ok_or_else(|| not_known(Unknown::Run))?;
                let commit = row.commit.clone();
                match job {
                    Job::Agent(role) => (
                        Line::Run(task.id.clone()),
                        Call::Agent(AgentCall::Launch(Box::new(self.assignment(*run, *role, commit)?))),
                    ),
                    Job::Ci(_) => (
                        Line::Run(task.id.clone()),
                        Call::Gate(GateCall::Ci {
                            run: *run,
                            task: task.id.clone(),
                            commit,
                            setup: self.policy.setup.clone(),
                            test: self.policy.test.clone(),
                            cache: self.policy.cache.clone(),
                            limit: self.policy.ci_limit,
                        }),
                    ),
                    Job::Hook => (
                        Line::Deploy(task.project.clone()),
                        Call::Deploy(DeployCall::Hook {
                            run: *run,
                            task: task.id.clone(),
                            commit,
                            previous: task.previous.clone(),
                            limit: self.policy.deploy_limit,
                        }),
                    ),
                }
            }
            Ask::Collect { run, role } => {
                let row =
                    task.runs.iter().find(|row| row.run == *run).ok_or_else(|| not_known(Unknown::Run))?;
                (
                    git,
                    Call::Git(GitCall::Collect {
                        branch: branch()?.name.clone(),
                        parent: row.commit.clone(),
                        run: *run,
                        role: *role,
                        task: task.id.clone(),
                        item: task.item.clone(),
                        scope: self.policy.scope(*role, &task.item).into(),
                        tests: self.policy.tests.clone(),
                    }),
                )
            }
            Ask::OpenChange => {
                let branch = branch()?;
                let call = ForgeCall::OpenChange {
                    branch: branch.name.clone(),
                    head: branch.head.clone(),
                    title: task.request.title.clone(),
                    task: task.id.clone(),
                };
                (git, Call::Forge(call))
            }
            Ask::Restore => {
                let branch = branch()?;
                let call = ForgeCall::Restore {
                    branch: branch.name.clone(),
                    head: branch.head.clone(),
                    change: task.change_request,
                };
                (git, Call::Forge(call))
            }
            Ask::Candidate => {
                let branch = branch()?;
                let call = GitCall::BuildCandidate {
                    branch: branch.name.clone(),
                    head: branch.head.clone(),
                    task: task.id.clone(),
                    item: task.item.clone(),
                    tests: self.policy.tests.clone(),
                };
                (git, Call::Git(call))
            }
            Ask::Merge => {
                let candidate = candidate()?;
                let call = ForgeCall::Merge {
                    change: task.change_request.ok_or_else(|| not_known(Unknown::ChangeRequest))?,
                    candidate: candidate.commit.clone(),
                    main: candidate.main.clone(),
                };
                (git, Call::Forge(call))
            }
            Ask::Prove => {
                // Before the forge said that it merged, the candidate is looked for.
                let commit = match &task.merged {
                    Some(merged) => merged.commit.clone(),
                    None => candidate()?.commit.clone(),
                };
                // What is deployed stays so while the lane is held, but for what a person accepts meanwhile.
                let deployed = task.previous.clone().filter(|_| task.merged.is_some() && task.lane.is_some());
                (git, Call::Git(GitCall::Prove { commit, deployed }))
            }
            Ask::Probe | Ask::Watch => {
                let line = Line::Deploy(task.project.clone());
                (line, Call::Deploy(DeployCall::Probe { commit: merged()?.commit.clone() }))
            }
            Ask::Reason { .. } => {
                let call = TrackerCall::ReadComments { issue: task.issue.clone(), task: task.id.clone() };
                (Line::Tracker(task.issue.clone()), Call::Tracker(call))
            }
        })
    }

    fn assignment(&self, run: RunId, role: crate::stage::Role, commit: Commit) -> Result<Assignment, Why> {
        let task = &self.task;
        let choice = self.policy.agents.get(&role).ok_or(Why::NoAgent { role })?;
        let allowed = task.runs.iter().any(|row| row.run == run && row.allowed.is_some());
        let tokens = if allowed { 0 } else { self.policy.run_tokens };
        let base = task.branch.as_ref().map_or_else(|| commit.clone(), |branch| branch.base.clone());
        Ok(Assignment {
            run,
            task: task.id.clone(),
            item: task.item.clone(),
            issue: task.issue.clone(),
            role,
            agent: choice.agent.clone(),
            commit,
            title: task.request.title.clone(),
            text: task.request.text.clone(),
            base,
            attempt: (task.attempt(), MAX_DEVELOPER_RUNS),
            findings: task.findings.clone(),
            answers: task.answers,
            limit: self.policy.run_limit,
            tokens,
        })
    }

    /// Writes the wanted column if the board shows another one and no write is on its way (decision 1).
    pub fn settle_board(&mut self) {
        let Some(status) = crate::surface::wanted(&self.task) else { return };
        let board = &self.task.board;
        // Over the next life's columns nothing is written any more (decision 68).
        if board.followed {
            return;
        }
        if board.shows == Some(status) || board.writing.is_some() || board.refused == Some(status) {
            return;
        }
        if board.refused.is_some() {
            self.change(Change::BoardRefused(None));
        }
        let issue = self.task.issue.clone();
        let call = TrackerCall::SetStatus { issue: issue.clone(), status };
        let effect = self.effect(Line::Tracker(issue), Call::Tracker(call));
        self.change(Change::BoardWriting { effect, status });
    }

    /// Writes the newest text of each record to its branch, unless it stands there, is on its way, or was refused for good
    /// (decisions 1, 18).
    pub fn settle_records(&mut self) {
        let wanted: Vec<Recorded> = self.task.records.iter().filter(|r| r.is_wanted()).cloned().collect();
        for Recorded { record, text, run, .. } in wanted {
            let call = GitCall::WriteRecord { record, item: self.task.item.clone(), text, run };
            let effect = self.effect(Line::Records(self.task.project.clone()), Call::Git(call));
            self.change(Change::RecordWriting { record, effect });
        }
    }

    /// Says a gate's verdict on a commit at the forge.
    pub fn say_commit_status(&mut self, commit: Commit, gate: crate::gate::GateId, passed: bool) {
        let line = Line::Git(self.task.project.clone());
        let context = gate.name().to_owned();
        self.effect(line, Call::Forge(ForgeCall::SetCommitStatus { commit, context, passed }));
    }
}

/// What is needed is not known: a person looks.
pub(crate) fn not_known(what: Unknown) -> Why {
    Why::Outside { cause: Said::NotKnown(what).into() }
}
