//! What does a plausible journal look like? Rows, states, effects and timers for tests of stores.

use std::sync::Arc;

use orch_core::call::deploy::DeployCall;
use orch_core::call::tracker::{Labels, Status};
use orch_core::call::{Call, Text};
use orch_core::change::Change;
use orch_core::effect::{Effect, Line, Timer};
use orch_core::event::{Event, RunHow, Usage};
use orch_core::gesture::Priority;
use orch_core::id::{
    Commit, Digest, EffectId, Entity, IssueKey, ProjectId, RunId, Seq, TaskId, TimerId, WorkItem,
};
use orch_core::journal::{Batch, Blob, Head, Kept, RULES, Row, Sealed};
use orch_core::reason::Reason;
use orch_core::rework::Attempts;
use orch_core::stage::{Role, Stage};
use orch_core::state::State;
use orch_core::task::{Board, Job, Request, Rest, ReviewClock, RunRow, Step, Task};
use orch_core::time::{Moment, Span};

/// A task of `project` about issue `number`, in its life number `life`, that stands in `stage`.
pub fn task(project: &str, number: u64, life: u32, stage: Stage) -> Task {
    let item = WorkItem::numbered(&project.to_uppercase(), number);
    let rest = if stage.is_terminal() { Rest::Over } else { Rest::Start };
    Task {
        id: TaskId::of(&item, life),
        item,
        project: ProjectId::from(project),
        issue: issue(number),
        number,
        born: Moment(1_000),
        request: Request {
            title: Text::of(&format!("Make {number} greener")),
            slug: format!("make-{number}-greener"),
            text: Text::of("It is too blue as it is. Greener is what people ask for."),
            present: true,
        },
        board: Board { shows: Some(Status::Backlog), ..Board::default() },
        labels: Labels::default(),
        priority: Priority::Normal,
        stage,
        stage_since: Moment(1_000),
        step: Step::Rest(rest),
        step_since: Moment(1_000),
        step_seq: Seq(1),
        escalated: None,
        round: 1,
        attempts: Attempts::default(),
        branch: None,
        change_request: None,
        artefacts: Arc::default(),
        approval: None,
        consent: None,
        protected: None,
        protected_ok: None,
        evidence: Vec::new(),
        findings: None,
        candidate: None,
        lane: None,
        merged: None,
        earlier_merges: Vec::new(),
        previous: None,
        deployed: None,
        cancel: None,
        review: ReviewClock::default(),
        runs: Vec::new(),
        answers: false,
        edited: false,
        unread: false,
        later: Vec::new(),
        confirms: Some(true),
        was_in_main: None,
        standing_ended: false,
        froze: false,
        records: Vec::new(),
        rejection: None,
        outside: None,
        accepted: None,
        passed: None,
        allowed: None,
        merge_untold: false,
        untold: Vec::new(),
        stopping: Vec::new(),
        revision: None,
        watch: None,
        named: None,
    }
}

/// The tracker's key of issue `number`.
pub fn issue(number: u64) -> IssueKey {
    IssueKey::from(format!("issue-{number}"))
}

/// Gives a task `n` runs: its state grows by about 260 bytes each.
#[must_use]
pub fn with_runs(mut task: Task, n: u32) -> Task {
    task.runs = (0..n)
        .map(|n| RunRow {
            run: RunId::new(Seq(7), n),
            job: Job::Agent(Role::Developer),
            round: 1,
            commit: Commit::from("0123456789abcdef0123456789abcdef01234567"),
            agent: Some("scripted".to_owned()),
            at: Moment(2_000),
            end: Some(RunHow::Exited { code: 0 }),
            wall: Span(61_000),
            usage: Usage { input: Some(1_200), output: Some(340), ..Usage::default() },
            left_out: 0,
            allowed: None,
            definition: None,
            provider: None,
            lacked: None,
        })
        .map(Arc::new)
        .collect();
    task
}

/// The entity of a task.
pub fn entity(task: &Task) -> Entity {
    Entity::Task(task.id.clone())
}

/// Writes rows that follow one another.
#[derive(Debug, Clone)]
pub struct Pen {
    head: Head,
    at: Moment,
}

impl Pen {
    /// Goes on after `head`.
    pub fn new(head: Head) -> Self {
        Self { head, at: Moment(1_700_000_000_000) }
    }

    /// Where the last row was written.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The place of the next row.
    pub const fn next(&self) -> Seq {
        Seq(self.head.seq.0 + 1)
    }

    /// A row about `entity` that wants nothing.
    pub fn row(&mut self, entity: &Entity, key: &str) -> Sealed {
        self.row_with(entity, key, Vec::new(), Vec::new())
    }

    /// A row about `entity` with changes and effects.
    pub fn row_with(
        &mut self,
        entity: &Entity,
        key: &str,
        changes: Vec<Change>,
        effects: Vec<Effect>,
    ) -> Sealed {
        self.at = self.at.after(Span(3));
        let row = Row {
            seq: self.next(),
            at: self.at,
            entity: entity.clone(),
            key: key.to_owned(),
            event: Event::Timer(TimerId::new(self.head.seq, 0)),
            changes,
            effects,
            timers: Vec::new(),
            reasons: vec![Reason::Known],
            policy: Some(Digest::of(b"policy")),
            rules: RULES,
            prev: Digest::of(b""),
            hash: Digest::of(b""),
        }
        .sealed(self.head.hash.clone());
        self.head = Head { seq: row.seq, hash: row.hash.clone() };
        row
    }

    /// An effect born in the next row.
    pub fn effect(&self, entity: &Entity, n: u32) -> Effect {
        Effect {
            id: EffectId::new(self.next(), n),
            line: Line::Deploy(ProjectId::from("a")),
            entity: entity.clone(),
            project: ProjectId::from("a"),
            call: Call::Deploy(DeployCall::Probe { commit: Commit::from("c0ffee") }),
        }
    }

    /// A timer born in the next row.
    pub fn timer(&self, due: i64) -> Timer {
        Timer { id: TimerId::new(self.next(), 0), due: Moment(due) }
    }

    /// A batch of one row about a task, with the state it has after it and one blob.
    pub fn batch_about(&mut self, task: &Task, key: &str) -> Batch {
        let entity = entity(task);
        let row = self.row_with(&entity, key, vec![Change::Staged(task.stage)], Vec::new());
        let kept = Kept { seq: row.seq, state: State::Task(Box::new(task.clone())) };
        Batch {
            rows: vec![row],
            states: vec![(entity, kept)],
            blobs: vec![Blob::of(format!("text of {key}"))],
            ..Batch::default()
        }
    }
}
