//! What does the outside tell the brain: readings, gestures, sweeps?

use orch_core::call::Text;
use orch_core::call::tracker::{IssueReading, Status};
use orch_core::event::{Event, IssueSeen, MainReading};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Entity, IssueKey, ProjectId, Seq, TaskId};
use orch_core::journal::Blob;
use orch_core::state::State;
use orch_core::task::Task;
use orch_core::time::{Moment, Span};
use orch_engine::{Ack, Incoming, Target};

use super::Bench;
use crate::fault::Fault;
use crate::world::repository::ByHand;

/// A message of the tracker on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delivery {
    pub(super) due: Moment,
    number: u64,
    key: IssueKey,
    /// Why it was not there at once, said of the first of ten; and where the journal stood then.
    late: Option<(Fault, Seq)>,
}

impl Bench {
    /// A person creates an issue; the tracker tells.
    pub fn issue(&mut self, title: &str, status: Status) -> IssueKey {
        let project = self.project.clone();
        self.issue_of(&project, title, status)
    }

    /// The same in any project.
    pub fn issue_of(&mut self, project: &ProjectId, title: &str, status: Status) -> IssueKey {
        let key = self.world.tracker.create(project, title, "please", status);
        self.send(&key);
        key
    }

    /// The tracker tells what an issue looks like, or looked like a while ago.
    pub fn deliver(&mut self, key: &IssueKey) -> Option<Ack> {
        let mut reading = self.world.tracker.see(key)?;
        if self.chosen(Fault::StaleReading) {
            let ago = 1 + self.dice.which("changes ago", 4);
            if let Some(older) = self.world.tracker.saw(key, ago).cloned() {
                self.tally.count(Fault::StaleReading);
                reading = older;
            }
        }
        self.tell_of(key, reading)
    }

    /// The tracker has caught up with itself: each issue is told of as it is. Whether anything was news.
    pub(super) fn catch_up(&mut self) -> bool {
        if self.is_away() {
            return false;
        }
        let before = self.engine().head();
        let keys: Vec<IssueKey> = self.world.tracker.issues.keys().cloned().collect();
        for key in keys {
            if let Some(reading) = self.world.tracker.see(&key) {
                self.tell_of(&key, reading);
            }
        }
        self.engine().head() != before
    }

    fn tell_of(&mut self, key: &IssueKey, reading: IssueReading) -> Option<Ack> {
        let issue = self.world.tracker.issues.get(key)?;
        let blobs = self.world.tracker.texts_of(&reading).into_iter().map(Blob::of).collect::<Vec<_>>();
        let project = issue.project.clone();
        let (_, prefix) = self.projects.iter().find(|(name, _)| *name == project)?.clone();
        let event = Event::Issue(Box::new(IssueSeen { project, reading }));
        self.tell(Incoming::of(Target::Issue { prefix }, event).with(blobs))
    }

    /// A person presses a board status; the tracker tells, if its delivery comes.
    pub fn press(&mut self, key: &IssueKey, status: Status) -> Option<Ack> {
        self.world.tracker.press(key, status);
        self.send(key)
    }

    /// The tracker sends a delivery: it may be lost, late, overtaken or doubled, and what it causes is a reading of what is
    /// true when it arrives (decisions 2, 34).
    pub fn send(&mut self, key: &IssueKey) -> Option<Ack> {
        // Who cannot be asked cannot tell either.
        if self.is_away() {
            return None;
        }
        if self.strikes(Fault::LostDelivery) || std::mem::take(&mut self.lose_delivery) {
            return None;
        }
        let late = if self.chosen(Fault::DelayedDelivery) {
            Some((Fault::DelayedDelivery, 6 * 3_600_000))
        } else if self.chosen(Fault::ReorderedDelivery) {
            Some((Fault::ReorderedDelivery, 2000))
        } else {
            None
        };
        let late = late.map(|(fault, most)| (fault, self.dice.which("late by", most) as u64));
        let times = if self.strikes(Fault::DoubledDelivery) { 10 } else { 1 };
        if let Some((fault, wait)) = late {
            let head = self.engine().head();
            for again in 0..times {
                // The later ones of the same come later still.
                let due = self.now.after(Span(wait * (again + 1)));
                let number = self.deliveries.len() as u64 + self.tally.steps;
                let late = (again == 0).then_some((fault, head));
                self.deliveries.insert(Delivery { due, number, key: key.clone(), late });
            }
            return None;
        }
        let ack = self.deliver(key);
        for _ in 1..times {
            self.deliver(key);
        }
        ack
    }

    /// The tracker tells in a moment, when whoever asked for it has the answer.
    pub(super) fn send_later(&mut self, key: &IssueKey) {
        let due = self.now.after(Span(1));
        let number = self.deliveries.len() as u64 + self.tally.steps;
        self.deliveries.insert(Delivery { due, number, key: key.clone(), late: None });
    }

    /// What is due arrives.
    pub(super) fn hand_in(&mut self) {
        while let Some(next) = self.deliveries.pop_first() {
            if next.due > self.now {
                self.deliveries.insert(next);
                return;
            }
            self.arrives(&next);
        }
    }

    fn arrives(&mut self, delivery: &Delivery) {
        if let Some((fault, since)) = delivery.late {
            self.was_late(fault, since);
        }
        self.deliver(&delivery.key);
    }

    /// Everything that is still on its way arrives, however late.
    pub fn hand_in_all(&mut self) {
        for delivery in std::mem::take(&mut self.deliveries) {
            self.arrives(&delivery);
        }
    }

    /// Reads everything outside, as a sweep does; whether anything was news. While nothing answers there is nothing to read.
    pub fn sweep(&mut self) -> bool {
        if self.is_away() {
            return false;
        }
        let before = self.engine().head();
        let keys: Vec<IssueKey> = self.world.tracker.issues.keys().cloned().collect();
        for key in keys {
            self.deliver(&key);
        }
        for (project, _) in self.projects.clone() {
            let Some(repository) = self.world.repositories.get(&project) else { continue };
            let known = self.engine.as_ref().and_then(|e| e.board().repository(&project)?.main.clone());
            let head = repository.main();
            let descends = known.is_none_or(|known| repository.contains(&head, &known));
            let target = Target::Entity(Entity::Repository(project));
            self.tell(Incoming::of(target, Event::Main(MainReading { head, descends })));
        }
        self.branches();
        self.engine().head() != before
    }

    /// Reads what people did with the branches of open tasks.
    fn branches(&mut self) {
        let repositories = &self.world.repositories;
        let Some(engine) = &self.engine else { return };
        let read = |state: &State| {
            let State::Task(task) = state else { return None };
            let branch = task.branch.as_ref().filter(|_| !task.stage.is_terminal())?;
            let reading = repositories.get(&task.project)?.read_branch(&branch.name, task.change_request);
            Some((task.id.clone(), reading))
        };
        let states = engine.journal_ref().states().values();
        let readings: Vec<_> = states.filter_map(|kept| read(&kept.state)).collect();
        for (task, reading) in readings {
            let target = Target::Entity(Entity::Task(task));
            self.tell(Incoming::of(target, Event::Branch(Box::new(reading))));
        }
    }

    /// Somebody merges the branch of a task by hand.
    pub fn merged_by_hand(&mut self, task: &Task, how: ByHand) {
        let (Some(branch), Some(repository)) = (&task.branch, self.world.repositories.get_mut(&task.project))
        else {
            return;
        };
        let before = repository.main();
        repository.merge_by_hand(&branch.name, how);
        let main = repository.main();
        if main != before {
            self.world.works.by_people.insert(main);
        }
        self.sweep();
    }

    /// Whether a merge that the forge told of is not in main.
    pub(crate) fn lacks_its_merge(&self, task: &Task) -> bool {
        let (Some(merged), Some(repository)) = (&task.merged, self.world.repositories.get(&task.project))
        else {
            return false;
        };
        !merged.proven && !repository.contains(&repository.main(), &merged.commit)
    }

    /// Somebody puts into main what the forge only said that it merged.
    pub fn put_into_main(&mut self, task: &Task) {
        let (Some(merged), Some(repository)) = (&task.merged, self.world.repositories.get_mut(&task.project))
        else {
            return;
        };
        let before = repository.main();
        repository.put_into_main(&merged.commit);
        let main = repository.main();
        if main != before {
            self.world.works.by_people.insert(main);
        }
        self.sweep();
    }

    /// A person's gesture through another door than the board.
    pub fn gesture(&mut self, task: &TaskId, what: Press) -> Option<Ack> {
        self.gesture_to(Entity::Task(task.clone()), what)
    }

    /// A person's gesture to any entity.
    pub fn gesture_to(&mut self, entity: Entity, what: Press) -> Option<Ack> {
        self.gesture_with(entity, what, Vec::new())
    }

    /// The same with the texts that it names.
    pub fn gesture_with(&mut self, entity: Entity, what: Press, texts: Vec<Blob>) -> Option<Ack> {
        self.requests += 1;
        let request = format!("request-{}", self.requests);
        let gesture = Gesture { request, by: "ann".to_owned(), via: Door::CommandLine, what };
        self.tell(Incoming::of(Target::Entity(entity), Event::Gesture(gesture)).with(texts))
    }

    /// Somebody pushes to main, past every gate.
    pub fn main_moves(&mut self, project: &ProjectId, path: &str, content: &str) {
        let Some(repository) = self.world.repositories.get_mut(project) else { return };
        repository.push_main(path, content);
        let main = repository.main();
        self.world.works.by_people.insert(main);
        self.sweep();
    }

    /// What people switched off is switched on again, and nothing goes wrong any more.
    pub fn settle(&mut self) {
        self.calm();
        crate::people::settle(self);
    }

    /// Rejects with a reason.
    pub fn reject(&mut self, task: &TaskId, reason: &str) -> Option<Ack> {
        let what = Press::Reject { reason: Some(Text::of(reason)) };
        self.gesture_with(Entity::Task(task.clone()), what, vec![Blob::of(reason)])
    }
}
