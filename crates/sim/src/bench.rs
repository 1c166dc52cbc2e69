//! How is the world driven? One action at a time, chosen by dice or by a story; crashes and lost answers in between.

mod clock;
mod deliver;
mod hand;
mod trouble;
mod attend;
mod turn;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};

use orch_core::effect::Effect;
use orch_core::event::{Event, PolicyChange, Start};
use orch_core::id::{Entity, ProjectId, RunId, TaskId};
use orch_core::journal::Journal;
use orch_core::policy::{AgentChoice, Limits, Policy, WatchRules};
use orch_core::stage::Role;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use orch_engine::step::{Stepped, policy_blob};
use orch_engine::{Ack, Engine, Incoming, Target, Term};

pub use crate::fault::{Fault, Faults, Tally};
use crate::invariant::{self, Broken, Looks, Occasion, Watch};
use crate::schedule::Dice;
use crate::twin::Twin;
use crate::world::{Run, World};
use deliver::Delivery;
use trouble::Late;
pub use turn::Turn;

pub use hand::Side;

/// The bench.
pub struct Bench {
    /// `None` only between a crash and the next take-over.
    engine: Option<Engine<Twin>>,
    /// The outside.
    pub world: World,
    /// The time.
    pub now: Moment,
    /// The first project.
    pub project: ProjectId,
    /// All projects with the prefixes of their work items.
    pub projects: Vec<(ProjectId, String)>,
    /// Limits of the installation.
    pub limits: Limits,
    /// Takes things in the order in which they came, as stories want it.
    pub orderly: bool,
    /// The answer of the next call of this kind is lost.
    pub lose_answer_of: Option<String>,
    /// The next delivery is lost.
    pub lose_delivery: bool,
    /// The outside does not answer until this is taken back.
    pub outage: bool,
    /// Calls of these kinds are not answered until that is taken back.
    pub away: BTreeSet<String>,
    /// The next call of this kind is refused for good.
    pub refuse: Option<String>,
    /// Time goes on by itself only as far as this at once.
    pub patience: Span,
    pending: Vec<Effect>,
    watched: Vec<RunId>,
    /// What comes later than its time, and which fault that is once it comes.
    late: Vec<Late>,
    /// What came and waits for the next commit.
    inbox: Vec<Incoming>,
    paused_hands: Vec<trouble::Paused>,
    deliveries: BTreeSet<Delivery>,
    sleepers: Vec<Engine<Twin>>,
    /// For so many actions the wall clock stands still.
    frozen: u32,
    /// By how much it is behind since the brain was told last, in milliseconds.
    lag: u64,
    /// For how many commits more its disk is full.
    full: u64,
    /// Why the journal refused a commit that its disk had room for, until that is looked at.
    refused: Option<String>,
    /// Whether something left that may not have left any more.
    left: Result<(), Broken>,
    /// Until then nothing answers.
    out_until: Moment,
    /// By how much the wall clock is ahead of the time that really passed.
    ahead: i64,
    /// By how much it is behind since the machine came up with a clock that nobody set.
    unset: i64,
    /// How long nothing answered, the machine slept or was off, or the day's money was spent: nobody can be faster than that.
    hindered: u64,
    boots: u64,
    /// How many brains there were.
    brains: u64,
    wake: Option<Moment>,
    /// The choices.
    pub dice: Dice,
    /// What goes wrong.
    pub faults: Faults,
    /// What was done.
    pub tally: Tally,
    /// The boundaries at which the brain died: before or after which kind of call.
    pub died: BTreeMap<(Side, &'static str), u64>,
    /// Calls performed, whatever came of them.
    pub calls: u64,
    requests: u64,
    watch: Watch,
}

/// When the machine was started: 2026 began. Far enough from the beginning of time for clocks that are set back by years.
const BOOTED: Moment = Moment(1_767_225_600_000);

/// How often everything outside is read, at the latest: a delivery that is later than this was told by a sweep.
const SWEEP: Span = Span::minutes(1);

/// What is waited for longer than this is looked at: nothing of Orch's own waits longer, but for the day of a budget.
const LONG: Span = Span::minutes(60);

/// A policy with every agent, tests, and a hook where the preset deploys, whose service is watched after a deploy.
pub fn policy(preset: orch_core::stage::Preset) -> Policy {
    let choice = AgentChoice { agent: "scripted".to_owned(), provider: "none".into() };
    Policy {
        prefix: "DEMO".to_owned(),
        preset,
        test: vec!["run-tests".to_owned()],
        agents: Role::ALL.into_iter().map(|role| (role, choice.clone())).collect(),
        hook: preset.deploys(),
        probe: preset.deploys(),
        watch: Some(WatchRules { window: Span::seconds(90), every: Span::seconds(30), failures: 2 }),
        ..Policy::default()
    }
}

impl Bench {
    /// A bench with one project under this policy.
    pub fn new(seed: u64, policy: &Policy, faults: Faults) -> Self {
        Self::on(Twin::default(), seed, policy, faults)
    }

    /// The same on this journal.
    pub fn on(journal: Twin, seed: u64, policy: &Policy, faults: Faults) -> Self {
        let engine = match Engine::take_over(journal) {
            Ok((engine, _)) => Some(engine),
            Err(_) => None,
        };
        let mut bench = Self {
            engine,
            world: World::default(),
            now: BOOTED.after(Span(1_000_000)),
            project: "demo".into(),
            projects: Vec::new(),
            limits: Limits::default(),
            orderly: false,
            lose_answer_of: None,
            lose_delivery: false,
            outage: false,
            away: BTreeSet::new(),
            refuse: None,
            patience: Span(u64::MAX),
            pending: Vec::new(),
            watched: Vec::new(),
            late: Vec::new(),
            inbox: Vec::new(),
            paused_hands: Vec::new(),
            deliveries: BTreeSet::new(),
            sleepers: Vec::new(),
            frozen: 0,
            lag: 0,
            full: 0,
            refused: None,
            left: Ok(()),
            out_until: Moment(0),
            ahead: 0,
            unset: 0,
            hindered: 0,
            boots: 1,
            brains: 1,
            wake: None,
            dice: Dice::new(seed),
            faults,
            tally: Tally::default(),
            died: BTreeMap::new(),
            calls: 0,
            requests: 0,
            watch: Watch::default(),
        };
        bench.start();
        bench.add_project("demo", "DEMO", policy);
        bench
    }

    /// Another project, with a repository of its own.
    pub fn add_project(&mut self, name: &str, prefix: &str, policy: &Policy) {
        let project: ProjectId = name.into();
        self.projects.push((project.clone(), prefix.to_owned()));
        self.world.repositories.entry(project.clone()).or_default().begin();
        self.set_policy_of(&project, policy);
    }

    /// The brain starts to serve, with the limits that hold.
    pub fn start(&mut self) {
        let boot = Some(Box::new(self.boot()));
        let start = Start { version: "sim".to_owned(), clean: true, limits: self.limits.clone(), boot };
        self.tell(Incoming::of(Target::Entity(Entity::Installation), Event::Started(start)));
    }

    /// Puts a policy of the first project in force.
    pub fn set_policy(&mut self, policy: &Policy) {
        let project = self.project.clone();
        self.set_policy_of(&project, policy);
    }

    /// Puts a policy in force.
    pub fn set_policy_of(&mut self, project: &ProjectId, policy: &Policy) {
        let change = PolicyChange { digest: policy.digest(), commit: None, policy: policy.clone() };
        let target = Target::Entity(Entity::Project(project.clone()));
        let key = format!("policy/{}", self.tally.steps);
        let event = Event::PolicyChanged(Box::new(change));
        self.tell(Incoming::of(target, event).with(vec![policy_blob(policy)]).keyed(key));
    }

    /// The brain.
    #[expect(clippy::expect_used, reason = "between two public calls there always is an engine")]
    pub fn engine(&mut self) -> &mut Engine<Twin> {
        self.engine.as_mut().expect("an engine")
    }

    /// Hands something in. `None`: the brain died with it in hand, or its disk is full and it is handed in again, and who
    /// sent it hears nothing.
    pub fn tell(&mut self, incoming: Incoming) -> Option<Ack> {
        self.tally.steps += 1;
        // A start and what is read at a start would begin again with the next brain.
        let mortal = !matches!(incoming.event, Event::Started(_) | Event::PolicyChanged(_));
        if mortal && self.strikes(Fault::CrashUncommitted) {
            self.crash();
            return None;
        }
        if mortal && !matches!(incoming.event, Event::ClockStepped { .. }) && self.strikes(Fault::Together) {
            self.inbox.push(incoming);
            return None;
        }
        // By how much the clock stepped comes first: whatever is due then is told by it.
        let first = matches!(incoming.event, Event::ClockStepped { .. });
        let mut batch = std::mem::take(&mut self.inbox);
        let at = if first { 0 } else { batch.len() };
        batch.insert(at, incoming);
        if self.chosen(Fault::DiskFull) {
            self.full = 1 + self.tally.steps % 3;
        }
        if !mortal {
            // A brain that cannot begin is begun again: for it the disk has room the next time.
            self.full = self.full.min(1);
        }
        let mut stepped = self.commit(batch);
        if !mortal && stepped.is_none() {
            let batch = std::mem::take(&mut self.inbox);
            stepped = self.commit(batch);
        }
        let stepped = stepped?;
        if mortal && self.strikes(Fault::CrashCommitted) {
            self.crash();
            return stepped.acks.into_iter().nth(at);
        }
        self.take(stepped).into_iter().nth(at)
    }

    /// The brain takes all of it in one commit. `None`: its disk is full, and all of it waits to be handed in again.
    fn commit(&mut self, batch: Vec<Incoming>) -> Option<Stepped> {
        let (now, full) = (self.now, self.full > 0);
        self.full = self.full.saturating_sub(1);
        let again = if full { batch.clone() } else { Vec::new() };
        self.engine().journal().full = full;
        let stepped = self.engine().step(now, batch);
        self.engine().journal().full = false;
        match stepped {
            Ok(stepped) => return Some(stepped),
            Err(_) if full => {
                self.tally.count(Fault::DiskFull);
                self.inbox.splice(..0, again);
            }
            // Nobody would ever hear of what was in it.
            Err(error) => drop(self.refused.get_or_insert_with(|| error.to_string())),
        }
        None
    }

    fn take(&mut self, stepped: Stepped) -> Vec<Ack> {
        if let Some(engine) = &self.engine {
            let left = invariant::leaves(engine.journal_ref(), &stepped.perform);
            self.left = std::mem::replace(&mut self.left, Ok(())).and(left);
        }
        self.wake = stepped.wake;
        self.pending.extend(stepped.perform);
        stepped.acks
    }

    /// The brain dies and another takes over from the journal.
    pub fn crash(&mut self) {
        self.tally.crashes += 1;
        let Some(engine) = self.engine.take() else { return };
        let term = engine.term();
        self.succeed(term, engine.into_journal().after_crash());
    }

    /// A brain takes over from this one.
    fn succeed(&mut self, before: Term, journal: Twin) {
        self.leave_a_hand(before);
        self.owed_to_nobody();
        self.pending.clear();
        self.inbox.clear();
        self.brains += 1;
        self.watched.clear();
        self.wake = None;
        if let Ok((engine, live)) = Engine::take_over(journal) {
            self.watched.extend(live.into_iter().filter(|live| live.began).map(|live| live.run));
            self.engine = Some(engine);
            self.adopt();
        }
        self.compare_clocks();
        self.start();
    }

    /// Every run whose end is not written down is watched, also one that nobody waits for any more: what it used counts, and
    /// its tree goes.
    fn adopt(&mut self) {
        let states = self.engine.as_ref().map(|engine| engine.journal_ref().states());
        let told =
            |id: &RunId, run: &Run| match states?.get(&Entity::Task(run.task.clone())).map(|k| &k.state) {
                Some(State::Task(task)) => Some(task.has_ended(*id)),
                _ => None,
            };
        let open = |(id, run): &(&RunId, &Run)| told(id, run) == Some(false) && !self.watched.contains(id);
        let open: Vec<RunId> = self.world.runs.iter().filter(open).map(|(id, _)| *id).collect();
        self.watched.extend(open);
    }

    /// A task's state.
    pub fn task(&mut self, id: &TaskId) -> Option<Task> {
        match self.engine().journal().state(&Entity::Task(id.clone())).ok().flatten()?.state {
            State::Task(task) => Some(*task),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        }
    }

    /// All tasks.
    pub fn tasks(&mut self) -> Vec<Task> {
        let states = self.engine().journal().states();
        let tasks = states.values().filter_map(|kept| match &kept.state {
            State::Task(task) => Some((**task).clone()),
            State::Repository(_) | State::Project(_) | State::Provider(_) | State::Installation(_) => None,
        });
        tasks.collect()
    }

    /// Whether anything is to be done without waiting for time or people.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty()
            || !self.watched.is_empty()
            || !self.inbox.is_empty()
            || self.slow().is_some()
    }

    /// Does one thing; false if there was nothing to do but to wait for people, or longer than the patience.
    pub fn once(&mut self) -> Result<bool, Broken> {
        self.action_takes();
        self.trouble()?;
        let choices = self.pending.len() + self.watched.len();
        if choices == 0 {
            if !self.wait() {
                return Ok(false);
            }
        } else if match self.orderly {
            true => !self.pending.is_empty(),
            false => self.dice.below(choices) < self.pending.len(),
        } {
            self.perform_one();
        } else {
            self.end_one();
        }
        self.verify()?;
        Ok(true)
    }

    /// The next moment at which something is due, if the patience is enough for it.
    fn next(&self) -> Option<Moment> {
        let due = self.deliveries.first().map(|next| next.due).filter(|due| due.since(self.now) <= SWEEP);
        let answers = self.is_away().then_some(self.out_until);
        let next = [self.wake, due, answers].into_iter().flatten().min();
        next.filter(|next| next.since(self.now) <= self.patience)
    }

    /// Waits for it; false: there is nothing to wait for. What came waits for nothing else.
    fn wait(&mut self) -> bool {
        if !self.inbox.is_empty() {
            self.look();
            return true;
        }
        let next = self.next();
        // An answer that is slow comes at last when nothing else is left; perhaps time goes on before.
        let slower =
            next.is_some() && self.slow().is_some() && self.dice.happens("answer is slower still", 50);
        if !slower && self.slow_comes() {
            return true;
        }
        let Some(next) = next else { return false };
        let wait = next.since(self.now);
        if wait > LONG && self.waits_for_the_day() {
            self.hindered += wait.0;
        }
        self.time_passes(next.since(self.now));
        self.hand_in();
        self.look();
        true
    }

    /// The brain looks at the time, and takes what waits.
    pub fn look(&mut self) {
        let batch = std::mem::take(&mut self.inbox);
        if let Some(stepped) = self.commit(batch) {
            self.take(stepped);
        }
    }

    /// Checks what is new since the last look.
    pub fn verify(&mut self) -> Result<(), Broken> {
        // A store that says something else than the journal in memory is told by its own name.
        let differs = self.engine.as_ref().is_some_and(|engine| engine.journal_ref().trouble().is_some());
        if let Some(why) = self.refused.take().filter(|_| !differs) {
            let what = format!("the journal refuses a commit, and what came is lost: {why}");
            return Err(Broken::of("events-count-once", what));
        }
        let waits = self.inbox.iter().filter_map(|incoming| match &incoming.event {
            Event::RunEnded(end) => Some(end.run),
            _ => None,
        });
        self.watch.heard = self.watched.iter().copied().chain(waits).collect();
        std::mem::replace(&mut self.left, Ok(()))?;
        match &mut self.engine {
            Some(engine) => self.watch.look(engine, &self.world, self.now),
            None => Ok(()),
        }
    }

    /// Nobody hears of the end of a run any more.
    #[cfg(test)]
    pub(crate) fn deafen(&mut self) {
        self.watched.clear();
    }

    /// How often promises were looked at so far.
    pub fn looks(&self) -> &Looks {
        &self.watch.looks
    }

    /// Something happened that could break promises, and they are looked at.
    pub(crate) fn looks_at(&mut self, occasion: Occasion) {
        self.watch.looks.count(occasion);
    }

    /// Goes on until this moment; what is on its way then stays on its way.
    pub fn run_until(&mut self, until: Moment) -> Result<(), Broken> {
        let patience = self.patience;
        while self.now < until {
            self.patience = until.since(self.now);
            if !self.once()? {
                self.now = until;
                self.look();
            }
        }
        self.patience = patience;
        self.verify()
    }

    /// Goes on until everything waits for people; sweeps when nothing moves, as the brain does.
    pub fn run(&mut self) -> Result<(), Broken> {
        for _ in 0..40_000 {
            if self.once()? {
                continue;
            }
            // What was read may have been old: nothing is at rest before it was read as it is.
            if !self.sweep() && !self.catch_up() && !self.is_busy() {
                self.verify()?;
                // Where nothing goes wrong, that is; a brain that dies begins with a row.
                if self.faults == Faults::default() {
                    self.reads_again()?;
                }
                return self.rests();
            }
        }
        Err(Broken::of("liveness", "still busy after 40,000 actions".to_owned()))
    }

    /// All was known already: read again, it is no news.
    pub(crate) fn reads_again(&mut self) -> Result<(), Broken> {
        let wrote = self.sweep();
        self.looks_at(Occasion::Sync);
        invariant::in_sync(wrote, self.is_busy())
    }

    /// What holds where nothing moves.
    pub(crate) fn rests(&mut self) -> Result<(), Broken> {
        invariant::at_rest(self.engine.as_mut(), &self.world, &mut self.watch.looks)
    }

    /// Checks the journal from its first row to its last, with effects that are under way still.
    pub fn verify_journal_so_far(&mut self) -> Result<(), Broken> {
        self.looks_at(Occasion::Journal);
        self.nobody_tells()?;
        invariant::check_replay(self.engine().journal())
    }

    /// Checks the journal from its first row to its last.
    pub fn verify_journal(&mut self) -> Result<(), Broken> {
        self.looks_at(Occasion::Journal);
        self.nobody_tells()?;
        invariant::check_journal(self.engine().journal())
    }

    fn nobody_tells(&self) -> Result<(), Broken> {
        self.engine
            .as_ref()
            .map_or(Ok(()), |engine| invariant::no_key_is_told(engine.journal_ref(), &self.world))
    }
}
