//! What does one turn of the engine do? Events in, one commit, acknowledgements and effects out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use orch_core::board::{Board, Entry, Policies, Tree};
use orch_core::call::Failure;
use orch_core::decide::decide_and_apply;
use orch_core::effect::{Effect, Timer};
use orch_core::event::{EffectReply, Event, IssueSeen, Message, Outcome, Stamped, Turn};
use orch_core::id::{Digest, Entity, ProjectId, RunId, Seq, TaskId, WorkItem};
use orch_core::journal::{Batch, Blob, Head, Journal, Kept, RULES, Row};
use orch_core::policy::Policy;
use orch_core::reason::Reason;
use orch_core::refusal::Refusal;
use orch_core::stage::Stage;
use orch_core::state::State;
use orch_core::task::Request;
use orch_core::time::Moment;

use crate::dispatch::Dispatch;
use crate::handle::{Ack, Incoming, Target, Term};
use crate::recent::Recent;

/// So many due timers are decided in one step: after a long stop there may be one a task, and who waits for an answer
/// meanwhile waits for one step alone.
const MOST_DUE: usize = 256;

/// The engine: a journal, and what is derived from it.
pub struct Engine<J: Journal> {
    journal: J,
    term: Term,
    /// When the newest row was written that the brain before left.
    left_at: Option<Moment>,
    head: Head,
    board: Board,
    policies: Policies,
    digests: BTreeMap<ProjectId, Digest>,
    dispatch: Dispatch,
    timers: BTreeSet<(Moment, Entity)>,
    armed: BTreeMap<Entity, Timer>,
    /// States that were decided about lately.
    recent: Recent,
    /// What is derived may hold what was never committed: it is to be made again before anything is decided.
    stale: bool,
    /// It was told that it serves, with the limits that hold from then on: until then it writes down what it is told, and
    /// does nothing by itself. No timer fires, no turn is given and no effect leaves.
    serves: bool,
}

/// What one step wants done. Nothing of it may be dropped.
#[derive(Debug, Default)]
#[must_use]
pub struct Stepped {
    /// One answer for each event handed in, in their order.
    pub acks: Vec<Ack>,
    /// Effects to perform now.
    pub perform: Vec<Effect>,
    /// Step again at this moment at the latest.
    pub wake: Option<Moment>,
    /// Where the journal ends now.
    pub head: Seq,
    /// Policies that changed, if any did: hands may hold copies.
    pub policies_changed: bool,
}

/// A run that a task waits for when a brain takes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRun {
    /// Whose.
    pub task: TaskId,
    /// Which.
    pub run: RunId,
    /// Whether it is to be watched again: it began, and its end is not in the journal. Of any other only the tree must
    /// stay: it may begin yet, or what it left is not collected.
    pub began: bool,
}

/// Why an engine could not take over.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError<E: std::error::Error + 'static> {
    /// The store failed.
    #[error("the journal could not be read")]
    Journal(#[source] E),
    /// A stored policy is not a policy.
    #[error(
        "the stored policy {digest} of project {project} cannot be read ({cause}); restore a backup (`orch restore`)"
    )]
    Policy {
        /// Whose.
        project: ProjectId,
        /// Which.
        digest: Digest,
        /// What is wrong.
        cause: String,
    },
}

impl<J: Journal> Engine<J> {
    /// Takes over a journal: the board, timers, policies and unsettled effects are rebuilt from it.
    pub fn take_over(mut journal: J) -> Result<(Self, Vec<LiveRun>), TakeOverError<J::Error>> {
        let head = journal.head().map_err(TakeOverError::Journal)?;
        let newest = journal.rows(head.seq, 1).map_err(TakeOverError::Journal)?;
        let mut engine = Self {
            journal,
            term: Term(head.seq),
            left_at: newest.last().map(|row| row.at),
            head,
            board: Board::default(),
            policies: Policies::new(),
            digests: BTreeMap::new(),
            dispatch: Dispatch::default(),
            timers: BTreeSet::new(),
            armed: BTreeMap::new(),
            recent: Recent::default(),
            stale: false,
            serves: false,
        };
        let live = engine.derive()?;
        for (entity, timer) in engine.journal.armed_timers().map_err(TakeOverError::Journal)? {
            engine.arm(entity, Some(timer));
        }
        let open = engine.journal.open_effects().map_err(TakeOverError::Journal)?;
        engine.dispatch.take_over(open);
        Ok((engine, live))
    }

    /// Head, board and policies, made from the journal. Timers and effects are left: they change only after a commit.
    fn derive(&mut self) -> Result<Vec<LiveRun>, TakeOverError<J::Error>> {
        self.stale = true;
        self.recent = Recent::default();
        self.head = self.journal.head().map_err(TakeOverError::Journal)?;
        let mut live = Vec::new();
        let mut board = Board::default();
        let mut digests = BTreeMap::new();
        self.journal
            .each_open(&mut |entry| {
                if let Entry::Task(task, row) = &entry
                    && let Some(Tree { run, began }) = row.tree
                {
                    live.push(LiveRun { task: task.clone(), run, began });
                }
                if let Entry::Other(Entity::Project(id), State::Project(project)) = &entry
                    && let Some(digest) = &project.policy
                {
                    digests.insert(id.clone(), digest.clone());
                }
                board.enter(entry);
            })
            .map_err(TakeOverError::Journal)?;
        let mut policies = Policies::new();
        for (project, digest) in &digests {
            let bytes = self.journal.blob(digest).map_err(TakeOverError::Journal)?.unwrap_or_default();
            let policy: Policy = serde_json::from_slice(&bytes).map_err(|e| TakeOverError::Policy {
                project: project.clone(),
                digest: digest.clone(),
                cause: e.to_string(),
            })?;
            policies.insert(project.clone(), policy);
        }
        (self.board, self.policies, self.digests) = (board, policies, digests);
        self.stale = false;
        Ok(live)
    }

    /// After a commit that failed: what is derived is made again.
    fn freshen(&mut self) -> Result<(), J::Error> {
        match self.derive() {
            Ok(_) => Ok(()),
            Err(TakeOverError::Journal(error)) => Err(error),
            Err(error @ TakeOverError::Policy { .. }) => {
                // What lies in the journal was read at the start; only a damaged store comes here, and it is said again.
                tracing::error!(%error, "the board cannot be made again");
                Ok(())
            }
        }
    }

    /// Whether it does anything by itself: it was told [`Event::Started`].
    pub fn serves(&self) -> bool {
        self.serves
    }

    /// Which brain it is.
    pub fn term(&self) -> Term {
        self.term
    }

    /// When the newest row was written that it took over; `None`: there was none.
    pub fn left_at(&self) -> Option<Moment> {
        self.left_at
    }

    /// The journal, for reading.
    pub fn journal(&mut self) -> &mut J {
        &mut self.journal
    }

    /// The journal, for looking.
    pub fn journal_ref(&self) -> &J {
        &self.journal
    }

    /// The board as it is now.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The policies in force.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Where the journal ends.
    pub fn head(&self) -> Seq {
        self.head.seq
    }

    /// Gives the journal back; the engine is gone, as in a crash.
    pub fn into_journal(self) -> J {
        self.journal
    }

    /// Takes what happened, decides, commits it all at once, and says what is to be done now. If the commit fails,
    /// nothing happened: every event may be handed in again.
    pub fn step(&mut self, now: Moment, incoming: Vec<Incoming>) -> Result<Stepped, J::Error> {
        if self.stale {
            self.freshen()?;
        }
        let mut work = Work::default();
        let mut acks = Vec::with_capacity(incoming.len());
        let looked = self.journal.look();
        let outcome = looked.and_then(|()| self.decide_all(now, incoming, &mut work, &mut acks));
        let committed = outcome.and_then(|()| {
            if work.batch.rows.is_empty() && work.batch.blobs.is_empty() {
                return self.journal.look_away();
            }
            work.batch.states = std::mem::take(&mut work.states).into_iter().collect();
            work.batch.touched = std::mem::take(&mut work.touched).into_iter().collect();
            self.journal.commit(&work.batch)
        });
        if let Err(error) = committed {
            // The board may have seen what was not committed: it is made again from what was.
            self.stale = true;
            if let Err(error) = self.journal.look_away().and_then(|()| self.freshen()) {
                tracing::error!(%error, "the board cannot be made again yet");
            }
            return Err(error);
        }
        for (entity, timer) in std::mem::take(&mut work.batch.timers) {
            self.arm(entity, timer);
        }
        if work.clock_stepped_by != 0 {
            self.dispatch.follow_clock(work.clock_stepped_by);
        }
        self.serves |= work.started;
        for effect in &work.batch.settled {
            self.dispatch.settled(*effect);
        }
        for row in work.batch.rows {
            self.dispatch.wanted(row.into_effects());
        }
        for (entity, kept) in work.batch.states {
            self.recent.keep(entity, kept.state);
        }
        for (entity, state) in work.read {
            if let Some(state) = state {
                self.recent.keep(entity, state);
            }
        }
        for (effect, tries) in work.again {
            self.dispatch.again(effect, now, tries);
        }
        let perform = if self.serves { self.dispatch.may_start(now) } else { Vec::new() };
        Ok(Stepped {
            acks,
            perform,
            wake: self.wake(now),
            head: self.head.seq,
            policies_changed: work.policies_changed,
        })
    }

    fn wake(&self, now: Moment) -> Option<Moment> {
        if !self.serves {
            return None;
        }
        let timer = self.timers.first().map(|(due, _)| *due);
        let provider = self.board.wakes_at(now);
        [timer, provider, self.dispatch.next_retry()].into_iter().flatten().min()
    }

    fn arm(&mut self, entity: Entity, timer: Option<Timer>) {
        if let Some(old) = self.armed.remove(&entity) {
            self.timers.remove(&(old.due, entity.clone()));
        }
        if let Some(timer) = timer {
            self.timers.insert((timer.due, entity.clone()));
            self.armed.insert(entity, timer);
        }
    }

    fn decide_all(
        &mut self,
        now: Moment,
        incoming: Vec<Incoming>,
        work: &mut Work,
        acks: &mut Vec<Ack>,
    ) -> Result<(), J::Error> {
        let mut incoming = incoming.into_iter().peekable();
        // What is due now is told by a clock that stepped only when it is known by how much.
        while let Some(step) = incoming.next_if(|next| matches!(next.event, Event::ClockStepped { .. })) {
            acks.push(self.one(now, step, work)?);
        }
        if self.serves {
            self.due(now, work)?;
        }
        for event in incoming {
            let ack = self.one(now, event, work)?;
            acks.push(ack);
        }
        match (self.serves, work.started) {
            (false, false) => return Ok(()),
            (false, true) => self.due(now, work)?,
            (true, _) => {}
        }
        self.keep_merges_back(now, work)?;
        let mut last = None;
        while let Some((task, grant)) = self.board.turn(&self.policies, now) {
            let turn = (task.clone(), grant.clone());
            // A grant that changed nothing would be given for ever.
            if last.as_ref() == Some(&turn) {
                break;
            }
            last = Some(turn);
            self.one(now, Incoming::of(Target::Entity(Entity::Task(task)), Event::Granted(grant)), work)?;
        }
        Ok(())
    }

    /// Timers that are due.
    fn due(&mut self, now: Moment, work: &mut Work) -> Result<(), J::Error> {
        // Those that wait were moved with the clock in this very step; in memory they are moved after the commit.
        let before = now.stepped_by(work.clock_stepped_by.saturating_neg());
        let due = self.timers.iter().take_while(|(due, _)| *due <= before).take(MOST_DUE);
        let due: Vec<Entity> = due.map(|(_, entity)| entity.clone()).collect();
        for entity in due {
            if let Some(timer) = self.armed.get(&entity).cloned() {
                let event = Incoming::of(Target::Entity(entity), Event::Timer(timer.id));
                self.one(now, event, work)?;
            }
        }
        Ok(())
    }

    /// A merge that has not left does not leave once a freeze or a pause came. One that an earlier brain sent may have
    /// happened all the same: either is looked up before it is asked for again (decisions 19, 41, 61).
    fn keep_merges_back(&mut self, now: Moment, work: &mut Work) -> Result<(), J::Error> {
        let mut kept = Vec::new();
        for effect in self.dispatch.unsent_merges() {
            if let Entity::Task(task) = &effect.entity
                && !self.board.blockers(task, Turn::Merge, &self.policies, now).is_empty()
            {
                kept.push((effect.id, effect.entity.clone()));
            }
        }
        for (effect, entity) in kept {
            let failure = Failure::unknown(Refusal::KeptBack);
            let reply = EffectReply { effect, outcome: Outcome::Failed(failure) };
            self.one(now, Incoming::reply(self.term, entity, reply), work)?;
        }
        Ok(())
    }

    /// Decides one event and what other entities are told by it.
    fn one(&mut self, now: Moment, incoming: Incoming, work: &mut Work) -> Result<Ack, J::Error> {
        if matches!(incoming.event, Event::Reply(_)) && incoming.asked_by != Some(self.term) {
            tracing::debug!(asked_by = ?incoming.asked_by, "an answer to another brain");
            return Ok(Ack::Unchanged);
        }
        if let Event::Reply(reply) = &incoming.event
            && let Some(tries) = self.dispatch.insists(reply)
        {
            if let Outcome::Failed(failure) = &reply.outcome {
                tracing::warn!(effect = %reply.effect, tries, cause = %failure.cause, "an effect failed and is tried again");
            }
            work.again.push((reply.effect, tries));
            return Ok(Ack::Unchanged);
        }
        let (entity, event) = match self.route(incoming.target, incoming.event, work)? {
            Routed::To(entity, event) => (entity, event),
            Routed::NoNews => return Ok(Ack::Unchanged),
        };
        let key = match incoming.key.or_else(|| event.natural_key(&entity)) {
            Some(key) => key,
            None => format!("row/{}", self.head.seq.0 + 1),
        };
        if work.keys.contains(&key) {
            return Ok(Ack::Duplicate);
        }
        if let Some(seq) = self.journal.taken(&key)? {
            tracing::debug!(%key, %seq, "seen before");
            return Ok(Ack::Duplicate);
        }
        let mut texts = incoming.blobs;
        if !texts.is_empty()
            && let Some(State::Task(task)) = self.look(&entity, work)?
        {
            // What the task is asked for now came with its texts, which are kept already.
            let Request { title, text, .. } = &task.request;
            texts.retain(|kept| kept.digest != title.blob && kept.digest != text.blob);
        }
        work.batch.blobs.extend(texts);
        let (seq, reasons) = self.write(now, entity, key, event, work)?;
        Ok(Ack::Accepted { seq, reasons })
    }

    fn write(
        &mut self,
        now: Moment,
        entity: Entity,
        key: String,
        event: Event,
        work: &mut Work,
    ) -> Result<(Seq, Vec<Reason>), J::Error> {
        let mut queue = VecDeque::from([(entity, key, event)]);
        let mut first = None;
        while let Some((entity, key, event)) = queue.pop_front() {
            let seq = Seq(self.head.seq.0 + 1);
            let (before, unwritten) = self.state(&entity, work)?;
            let project = match (&entity, &before, &event) {
                (Entity::Task(_), Some(State::Task(task)), _) => Some(task.project.clone()),
                (Entity::Task(_), _, Event::Issue(seen) | Event::Message(Message::Reborn(seen))) => {
                    Some(seen.project.clone())
                }
                (_, _, _) => None,
            };
            let policy = project.as_ref().and_then(|project| self.policies.get(project));
            let policy = policy.unwrap_or(Policy::builtin());
            let digest = project.as_ref().and_then(|project| self.digests.get(project)).cloned();
            let stamped = Stamped { seq, at: now, event: &event };
            let born = before.is_none();
            let (decision, after) = decide_and_apply(&entity, before, &stamped, policy);
            if let Event::PolicyChanged(change) = &event
                && let Entity::Project(project) = &entity
            {
                self.policies.insert(project.clone(), change.policy.clone());
                self.digests.insert(project.clone(), change.digest.clone());
                work.policies_changed = true;
            }
            let mut told: Vec<(Entity, Event)> = Vec::new();
            if let (Event::ClockStepped { by }, Entity::Installation) = (&event, &entity) {
                let closed = self.board.refusing_providers();
                let waiting = self.armed.keys().cloned().chain(closed.into_iter().map(Entity::Provider));
                told.extend(waiting.map(|entity| (entity, Event::ClockStepped { by: *by })));
                work.clock_stepped_by = work.clock_stepped_by.saturating_add(*by);
            }
            work.started |= matches!(event, Event::Started(_));
            if let Event::Reply(reply) = &event {
                work.batch.settled.push(reply.effect);
            }
            if matches!(event, Event::Timer(_)) && decision.timer.is_none() {
                work.batch.timers.push((entity.clone(), None));
            }
            if let Some(state) = after {
                if !decision.changes.is_empty() {
                    self.board.note(&entity, &state);
                }
                // The journal knows it from the commit on.
                if let (true, State::Task(task), Entity::Task(id)) = (born, &state, &entity) {
                    work.issues.insert((task.project.clone(), task.issue.clone()), id.clone());
                }
                if unwritten || !decision.changes.is_empty() {
                    work.touched.remove(&entity);
                    work.states.insert(entity.clone(), Kept { seq, state });
                } else {
                    // Four rows in ten change nothing: the state is not written again for them.
                    work.touched.insert(entity.clone(), seq);
                    work.read.insert(entity.clone(), Some(state));
                }
            }
            let timers = decision.timer.clone().flatten().into_iter().collect();
            if let Some(timer) = decision.timer {
                work.batch.timers.push((entity.clone(), timer));
            }
            work.batch.blobs.extend(decision.blobs);
            let row = Row {
                seq,
                at: now,
                entity,
                key: key.clone(),
                event,
                changes: decision.changes,
                effects: decision.effects,
                timers,
                reasons: decision.reasons,
                policy: digest,
                rules: RULES,
                prev: self.head.hash.clone(),
                hash: self.head.hash.clone(),
            }
            .sealed(self.head.hash.clone());
            self.head = Head { seq, hash: row.hash.clone() };
            work.keys.insert(key);
            if first.is_none() {
                first = Some((seq, row.reasons.clone()));
            }
            work.batch.rows.push(row);
            told.extend(decision.messages.into_iter().map(|(to, message)| (to, Event::Message(message))));
            for (n, (to, event)) in told.into_iter().enumerate() {
                queue.push_back((to, format!("message/{seq}.{n}"), event));
            }
        }
        Ok(first.unwrap_or((self.head.seq, Vec::new())))
    }

    /// The state of an entity as it is by now. It is not read twice in one step: what was read for a look is kept in
    /// `work` until it is decided about.
    fn look<'w>(&mut self, entity: &Entity, work: &'w mut Work) -> Result<Option<&'w State>, J::Error> {
        if work.states.contains_key(entity) {
            return Ok(work.states.get(entity).map(|kept| &kept.state));
        }
        if !work.read.contains_key(entity) {
            let state = self.known(entity)?;
            work.read.insert(entity.clone(), state);
        }
        Ok(work.read.get(entity).and_then(Option::as_ref))
    }

    /// The same, to be replaced, and whether it is to be written already: what comes after it is put into `work` again.
    fn state(&mut self, entity: &Entity, work: &mut Work) -> Result<(Option<State>, bool), J::Error> {
        if let Some(kept) = work.states.remove(entity) {
            return Ok((Some(kept.state), true));
        }
        let state = match work.read.remove(entity) {
            Some(state) => state,
            None => self.known(entity)?,
        };
        Ok((state, false))
    }

    /// The state as it was committed last, taken from among the recent ones or read.
    fn known(&mut self, entity: &Entity) -> Result<Option<State>, J::Error> {
        match self.recent.take(entity) {
            Some(state) => Ok(Some(state)),
            None => Ok(self.journal.state(entity)?.map(|kept| kept.state)),
        }
    }

    /// To whom does it go, and is it news? A reading equal to the last one writes nothing (decision 2).
    fn route(&mut self, target: Target, event: Event, work: &mut Work) -> Result<Routed, J::Error> {
        let entity = match (target, &event) {
            (Target::Entity(entity), _) => entity,
            (Target::Issue { prefix }, Event::Issue(seen)) => {
                let (project, reading) = (&seen.project, &seen.reading);
                let batched = work.issues.get(&(project.clone(), reading.issue.clone())).cloned();
                let known = match batched {
                    Some(task) => Some(task),
                    None => match self.first_of(&prefix, seen, work)? {
                        Some(task) => Some(task),
                        None => self.journal.task_of_issue(project, &reading.issue)?,
                    },
                };
                match known {
                    Some(task) => Entity::Task(task),
                    None => Entity::Task(self.free_id(&prefix, reading.number, work)?),
                }
            }
            (Target::Issue { .. }, _) => return Ok(Routed::NoNews),
        };
        let stale = match (&entity, &event) {
            (Entity::Task(_), Event::Issue(seen)) => match self.look(&entity, work)? {
                Some(State::Task(task)) => !orch_core::news::of_issue(task, &seen.reading),
                Some(
                    State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_),
                )
                | None => false,
            },
            (Entity::Task(_), Event::Branch(reading)) => match self.look(&entity, work)? {
                Some(State::Task(task)) => orch_core::news::of_branch(task, reading).is_none(),
                Some(
                    State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_),
                )
                | None => true,
            },
            (Entity::Installation, Event::LimitsChanged(limits)) => {
                let known = self.board.installation();
                known.limits == **limits && known.refused.is_none()
            }
            (Entity::Installation, Event::SettingsRefused(refusal)) => {
                self.board.installation().refused.as_ref().is_some_and(|known| known.cause == refusal.cause)
            }
            (Entity::Project(project), Event::ProjectRetired) => {
                self.board.project(project).is_none_or(|known| known.retired.is_some())
            }
            (Entity::Installation, Event::Store(reading)) => {
                self.board.installation().damaged.as_ref().map(|known| &known.cause)
                    == reading.damage.as_ref()
            }
            (Entity::Installation, Event::Disk(reading)) => {
                self.board.installation().disk_full.is_none() == reading.enough
            }
            (Entity::Repository(project), Event::Main(reading)) => {
                self.board.repository(project).is_some_and(|known| known.main.as_ref() == Some(&reading.head))
            }
            (Entity::Project(project), Event::PolicyChanged(change)) => {
                self.board.project(project).is_some_and(|known| {
                    known.policy.as_ref() == Some(&change.digest)
                        && known.refused.is_none()
                        && known.retired.is_none()
                })
            }
            (Entity::Project(project), Event::PolicyRefused(refusal)) => {
                self.board.project(project).is_some_and(|known| {
                    known.refused.as_ref().is_some_and(|refused| {
                        refused.commit == refusal.commit && refused.cause == refusal.cause
                    }) && known.retired.is_none()
                })
            }
            (_, _) => false,
        };
        Ok(if stale { Routed::NoNews } else { Routed::To(entity, event) })
    }

    /// The task of an issue, if it is the one that the issue's number names: its state is wanted next anyhow. One that was
    /// cancelled may have a later life.
    fn first_of(
        &mut self,
        prefix: &str,
        seen: &IssueSeen,
        work: &mut Work,
    ) -> Result<Option<TaskId>, J::Error> {
        let id = TaskId::of(&WorkItem::numbered(prefix, seen.reading.number), 1);
        let newest = match self.look(&Entity::Task(id.clone()), work)? {
            Some(State::Task(task)) => {
                task.project == seen.project
                    && task.issue == seen.reading.issue
                    && task.stage != Stage::Cancelled
            }
            Some(State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_))
            | None => false,
        };
        Ok(newest.then_some(id))
    }

    /// A work item id that no other issue has: collisions walk on to the next number (row 125).
    fn free_id(&mut self, prefix: &str, number: u64, work: &mut Work) -> Result<TaskId, J::Error> {
        let mut number = number;
        loop {
            let id = TaskId::of(&WorkItem::numbered(prefix, number), 1);
            if self.look(&Entity::Task(id.clone()), work)?.is_none() {
                return Ok(id);
            }
            number += 1;
        }
    }

    /// Which effects are on their way now, for people and for the simulator.
    pub fn in_flight(&self) -> Vec<Effect> {
        self.dispatch.in_flight()
    }
}

enum Routed {
    To(Entity, Event),
    NoNews,
}

#[derive(Default)]
struct Work {
    batch: Batch,
    states: BTreeMap<Entity, Kept>,
    /// States that are as they were committed.
    read: BTreeMap<Entity, Option<State>>,
    /// Those of them that rows of this step left so, and the last of these rows.
    touched: BTreeMap<Entity, Seq>,
    /// The tasks that were born in this step.
    issues: BTreeMap<(ProjectId, orch_core::id::IssueKey), TaskId>,
    keys: BTreeSet<String>,
    again: Vec<(orch_core::id::EffectId, u32)>,
    policies_changed: bool,
    clock_stepped_by: i64,
    started: bool,
}

/// The blob under which a policy is found again at the next start.
pub fn policy_blob(policy: &Policy) -> Blob {
    Blob::of(serde_json::to_vec(policy).unwrap_or_default())
}
