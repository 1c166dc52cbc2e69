//! A real moment of a quiet delivery, and a hand that may do then what no brain, no world and no store would.

use std::sync::Arc;

use orch_core::call::tracker::{Author, Labels, Status};
use orch_core::call::{Call, ForgeCall, TrackerCall};
use orch_core::change::Change;
use orch_core::effect::{Effect, Line};
use orch_core::event::{Event, RunHow};
use orch_core::gate::{Evidence, GateId};
use orch_core::gesture::{Door, Gesture, Press};
use orch_core::id::{Commit, Digest, EffectId, Entity, IssueKey, ProjectId, RunId, Seq, TaskId};
use orch_core::journal::{Journal, Kept, RULES, Row};
use orch_core::message::Lang;
use orch_core::note::Note;
use orch_core::policy::Limits;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::state::State;
use orch_core::task::{Ask, Consent, Rest, Step, Task};
use orch_core::time::Moment;

use crate::bench::{Bench, Faults, policy};
use crate::invariant::{Broken, leaves};
use crate::world::Run;
use crate::world::repository::Repository;
use crate::world::works::Worker;

/// A run that nobody started.
pub(super) const NO_RUN: RunId = RunId::new(Seq(9_999), 0);

/// An effect that nobody wanted.
pub(super) const NO_EFFECT: EffectId = EffectId::new(Seq(9_999), 0);

/// A moment.
pub(super) struct Scene {
    pub(super) bench: Bench,
    /// Whose moment it is.
    pub(super) id: TaskId,
}

impl Scene {
    /// The first moment at which a task is like this: nothing goes wrong by then, and people say yes to everything.
    pub(super) fn when(preset: Preset, is: impl Fn(&Task) -> bool) -> Self {
        let mut bench = Bench::new(1, &policy(preset), Faults::default());
        bench.orderly = true;
        let issue = bench.issue("Add a flag", Status::Backlog);
        for _ in 0..1000 {
            let task = bench.tasks().pop().expect("the task of the issue");
            if is(&task) {
                bench.verify().expect("nothing is broken so far");
                return Self { bench, id: task.id };
            }
            match (&task.step, bench.once().expect("nothing is broken by itself")) {
                (Step::Rest(Rest::Start), false) => bench.press(&issue, Status::ToAnalyse),
                (Step::Rest(Rest::Approval), false) => bench.press(&issue, Status::Approved),
                (Step::Rest(Rest::Confirmation), false) => bench.press(&issue, Status::ConfirmDeploy),
                (_, _) => None,
            };
        }
        panic!("that moment never comes");
    }

    /// Everything that is on its way arrives.
    pub(super) fn settled(&mut self) -> &mut Self {
        self.bench.run().expect("nothing is broken by itself");
        self
    }

    /// The task.
    pub(super) fn now(&mut self) -> Task {
        self.bench.tasks().into_iter().find(|task| task.id == self.id).expect("the task")
    }

    /// Does what nobody would.
    pub(super) fn so(&mut self, act: impl FnOnce(&mut Self)) -> &mut Self {
        act(self);
        self
    }

    /// A row about anybody, with nothing in it but this.
    pub(super) fn row_of(&mut self, entity: Entity, forge: impl FnOnce(&mut Row)) -> &mut Self {
        let (now, task) = (self.bench.now, Entity::Task(self.id.clone()));
        let journal = self.bench.engine().journal();
        let head = journal.head().expect("a head");
        let policy =
            journal.all().iter().rev().find(|row| row.entity == task).and_then(|row| row.policy.clone());
        let seq = Seq(head.seq.0 + 1);
        let mut row = Row {
            seq,
            at: now,
            entity,
            key: format!("forged/{seq}"),
            event: Event::ProjectRetired,
            changes: Vec::new(),
            effects: Vec::new(),
            timers: Vec::new(),
            reasons: Vec::new(),
            policy,
            rules: RULES,
            prev: head.hash.clone(),
            hash: head.hash.clone(),
        };
        forge(&mut row);
        journal.forge().0.push(row.sealed(head.hash));
        self
    }

    /// A row about the task.
    pub(super) fn row(&mut self, forge: impl FnOnce(&mut Row)) -> &mut Self {
        let entity = Entity::Task(self.id.clone());
        self.row_of(entity, forge)
    }

    /// What is kept of the task is this, and nobody heard.
    pub(super) fn unheard(&mut self, change: impl FnOnce(&mut Task)) -> &mut Self {
        let entity = Entity::Task(self.id.clone());
        match self.bench.engine().journal().forge().1.get_mut(&entity).map(|kept| &mut kept.state) {
            Some(State::Task(task)) => change(task),
            _ => panic!("no task"),
        }
        self
    }

    /// What is kept of the task is this from the next row on.
    pub(super) fn task(&mut self, change: impl FnOnce(&mut Task)) -> &mut Self {
        self.unheard(change).row(|_| ())
    }

    /// Somebody labels the issue and takes the labels off again; both are read.
    pub(super) fn labelled_for_a_while(&mut self) -> &mut Self {
        let key = self.now().issue;
        for there in [true, false] {
            let issue = self.bench.world.tracker.issues.get_mut(&key).expect("the issue");
            issue.labels = Labels { auto_approve: there, auto_deploy: there };
            self.bench.deliver(&key);
            self.bench.verify().expect("nothing is broken so far");
        }
        self
    }

    /// Another task, in everything like the first but in its name, without runs of its own.
    pub(super) fn twin(&mut self, change: impl FnOnce(&mut Task)) -> &mut Self {
        let mut twin = self.now();
        (twin.id, twin.item) = ("DEMO-002".into(), "DEMO-002".into());
        (twin.runs, twin.evidence) = (Vec::new(), Vec::new());
        change(&mut twin);
        let entity = Entity::Task(twin.id.clone());
        let kept = Kept { seq: Seq(1), state: State::Task(Box::new(twin)) };
        self.bench.engine().journal().forge().1.insert(entity.clone(), kept);
        self.row_of(entity, |_| ())
    }

    /// The evidence of a gate is this, and was given just now.
    pub(super) fn evidence(&mut self, gate: GateId, change: impl FnOnce(&mut Evidence)) -> &mut Self {
        let judged = |task: &mut Task| {
            let known = task.evidence.iter_mut().find(|known| known.gate == gate).expect("the gate judged");
            change(Arc::make_mut(known));
        };
        let known = self.unheard(judged).now().evidence.into_iter().find(|known| known.gate == gate);
        self.row(|row| row.changes.extend(known.map(Change::Judged)))
    }

    /// The newest call of a kind.
    pub(super) fn call(&mut self, is: impl Fn(&Call) -> bool) -> Call {
        let rows = self.bench.engine().journal_ref().all().iter().rev();
        let mut calls = rows.flat_map(|row| row.effects.iter().map(|effect| &effect.call));
        calls.find(|call| is(call)).cloned().expect("such a call")
    }

    /// The newest event of a kind.
    pub(super) fn event(&mut self, is: impl Fn(&Event) -> bool) -> Event {
        let rows = self.bench.engine().journal_ref().all().iter().rev();
        rows.map(|row| &row.event).find(|event| is(event)).cloned().expect("such an event")
    }

    /// The repository.
    pub(super) fn repository(&mut self) -> &mut Repository {
        self.bench.world.repositories.get_mut(&ProjectId::from("demo")).expect("the repository")
    }

    /// The commit that the task merged, or would.
    pub(super) fn candidate(&mut self) -> Commit {
        self.now().candidate.expect("a candidate").commit
    }

    /// A hook begins that was told this.
    pub(super) fn hook(&mut self, commit: Commit, previous: Option<Commit>) {
        let hook = (NO_RUN, commit, self.id.clone(), previous);
        self.bench.world.hooks.push(hook);
    }

    /// A run in the world that nobody asked for.
    pub(super) fn run(&mut self, n: u32, worker: Worker, ended: Option<RunHow>) {
        let (project, task) = ("demo".into(), self.id.clone());
        let (tokens, tests, said, in_doubt) = (0, None, None, false);
        let run = Run { project, task, worker, commit: "none".into(), ended, tokens, tests, said, in_doubt };
        self.bench.world.runs.insert(RunId::new(NO_RUN.seq, n), run);
    }

    /// Two agents live, each for a task of its own, although a limit allows one.
    pub(super) fn one_too_many(mut self, limit: impl FnOnce(&mut Limits)) -> Result<(), Broken> {
        limit(&mut self.bench.limits);
        self.bench.start();
        (0..2).for_each(|n| self.run(n, Worker::Agent(Role::Tester), None));
        let last = self.bench.world.runs.values_mut().last();
        last.into_iter().for_each(|run| run.task = "DEMO-002".into());
        self.look()
    }

    /// Whoever looks sees what is new.
    pub(super) fn look(&mut self) -> Result<(), Broken> {
        self.bench.verify()
    }

    /// What is under way leaves only when a person did this.
    pub(super) fn leaves_after(&mut self, whom: Entity, press: Press) -> Result<(), Broken> {
        let under_way = self.bench.engine().in_flight();
        self.bench.gesture_to(whom, press);
        leaves(self.bench.engine().journal_ref(), &under_way)
    }

    /// Whoever looks sees what is left where nothing moves.
    pub(super) fn rest(&mut self) -> Result<(), Broken> {
        self.bench.rests()
    }
}

/// Asked for in this row.
pub(super) fn wants(row: &mut Row, call: Call) {
    let id = EffectId::new(row.seq, u32::try_from(row.effects.len()).expect("few"));
    let (line, entity) = (Line::Git("demo".into()), row.entity.clone());
    row.effects.push(Effect { id, line, entity, project: "demo".into(), call });
}

/// Said in this row.
pub(super) fn says(row: &mut Row, note: Note) {
    let (issue, note) = (IssueKey::from("demo-1"), Box::new(note));
    wants(
        row,
        Call::Tracker(TrackerCall::Comment { issue, author: Author::Stream, note, language: Lang::En }),
    );
}

/// A merge of what nobody knows.
pub(super) fn merge() -> Call {
    Call::Forge(ForgeCall::Merge { change: 1, candidate: "c".into(), main: "m".into() })
}

/// A person's consent to something else.
pub(super) fn consent() -> Consent {
    let what = Digest::of(b"something else");
    Consent { what, by: "ann".to_owned(), at: Moment(1), standing: false }
}

/// A person's gesture.
pub(super) fn gesture(what: Press) -> Gesture {
    let (request, by) = ("request".to_owned(), "ann".to_owned());
    Gesture { request, by, via: Door::CommandLine, what }
}

/// Nobody asked for it yet.
pub(super) fn unasked() -> Scene {
    Scene::when(Preset::Library, |task| task.step == Step::Rest(Rest::Start))
}

/// An answer is waited for.
pub(super) fn cutting() -> Scene {
    Scene::when(Preset::Library, |task| asks(task, |ask| matches!(ask, Ask::CutBranch { .. })))
}

/// The requirements wait for a person.
pub(super) fn approving() -> Scene {
    Scene::when(Preset::Library, |task| task.step == Step::Rest(Rest::Approval))
}

/// A run of an agent lives in this stage.
pub(super) fn working(stage: Stage) -> Scene {
    Scene::when(Preset::Library, move |task| task.stage == stage && matches!(task.step, Step::Running { .. }))
}

/// The merge is on its way.
pub(super) fn merging() -> Scene {
    Scene::when(Preset::Fast, |task| asks(task, |ask| *ask == Ask::Merge))
}

/// The hook is to be started.
pub(super) fn deploying() -> Scene {
    Scene::when(Preset::Fast, |task| task.stage == Stage::Deploy && asks(task, |ask| ask.run().is_some()))
}

/// Production is watched: the next look is to come.
pub(super) fn watching() -> Scene {
    Scene::when(Preset::Fast, |task| matches!(task.step, Step::Backoff { ask: Ask::Watch, .. }))
}

/// Delivered, and nothing moves any more.
pub(super) fn done() -> Scene {
    let mut scene = Scene::when(Preset::Fast, |task| task.stage == Stage::Done);
    scene.settled();
    scene
}

/// Stopped, and nothing moves any more.
pub(super) fn stopped() -> Scene {
    let mut scene = working(Stage::Development);
    scene.bench.gesture(&scene.id.clone(), Press::Stop);
    scene.settled();
    scene
}

pub(super) fn asks(task: &Task, is: impl Fn(&Ask) -> bool) -> bool {
    matches!(&task.step, Step::Asked { ask, .. } if is(ask))
}
