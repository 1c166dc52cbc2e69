//! What does the outside tell the brain: readings, gestures, sweeps?

use orch_core::call::Text;
use orch_core::call::tracker::Status;
use orch_core::event::{Event, IssueSeen, MainReading};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Entity, IssueKey, ProjectId, TaskId};
use orch_core::journal::Blob;
use orch_core::task::Task;
use orch_engine::{Ack, Incoming, Target};

use super::Bench;
use crate::fault::Faults;
use crate::world::repository::ByHand;

impl Bench {
    /// A person creates an issue; the tracker tells.
    pub fn issue(&mut self, title: &str, status: Status) -> IssueKey {
        let project = self.project.clone();
        self.issue_of(&project, title, status)
    }

    /// The same in any project.
    pub fn issue_of(&mut self, project: &ProjectId, title: &str, status: Status) -> IssueKey {
        let key = self.world.tracker.create(project, title, "please", status);
        self.deliver(&key);
        key
    }

    /// The tracker tells what an issue looks like.
    pub fn deliver(&mut self, key: &IssueKey) -> Option<Ack> {
        let reading = self.world.tracker.read(key)?;
        let issue = self.world.tracker.issues.get(key)?;
        let blobs = vec![Blob::of(issue.title.as_str()), Blob::of(issue.text.as_str())];
        let project = issue.project.clone();
        let (_, prefix) = self.projects.iter().find(|(name, _)| *name == project)?.clone();
        let event = Event::Issue(Box::new(IssueSeen { project, reading }));
        self.tell(Incoming::of(Target::Issue { prefix }, event).with(blobs))
    }

    /// A person presses a board status; the delivery may be lost or doubled.
    pub fn press(&mut self, key: &IssueKey, status: Status) -> Option<Ack> {
        self.world.tracker.press(key, status);
        let lost = self.dice.strikes("delivery-lost", self.faults.lost_delivery);
        if lost || std::mem::take(&mut self.lose_delivery) {
            self.tally.faults += 1;
            return None;
        }
        let ack = self.deliver(key);
        if self.dice.strikes("delivery-doubled", self.faults.doubled) {
            self.tally.faults += 1;
            self.deliver(key);
        }
        ack
    }

    /// Reads everything outside, as a sweep does; whether anything was news.
    pub fn sweep(&mut self) -> bool {
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
        for task in self.tasks().into_iter().filter(|task| !task.stage.is_terminal()) {
            let (Some(branch), Some(repository)) = (&task.branch, self.world.repositories.get(&task.project))
            else {
                continue;
            };
            let reading = repository.read_branch(&branch.name, task.change_request);
            let target = Target::Entity(Entity::Task(task.id.clone()));
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
        self.faults = Faults::default();
        crate::people::settle(self);
    }

    /// Rejects with a reason.
    pub fn reject(&mut self, task: &TaskId, reason: &str) -> Option<Ack> {
        let what = Press::Reject { reason: Some(Text::of(reason)) };
        self.gesture_with(Entity::Task(task.clone()), what, vec![Blob::of(reason)])
    }
}
