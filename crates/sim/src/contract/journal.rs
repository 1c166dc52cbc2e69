//! What must every journal do? The store's and the simulator's run this same suite (decision 39).

use orch_core::board::Entry;
use orch_core::call::Text;
use orch_core::gesture::Priority;
use orch_core::id::{Digest, EffectId, Entity, ProjectId, ProviderId, RunId, Seq};
use orch_core::journal::{Batch, Blob, Head, Journal, Kept, Row, Sealed};
use orch_core::stage::{Role, Stage as TaskStage};
use orch_core::state::{Installation, Provider, State};
use orch_core::task::{Ask, Job, Rest, Step, Task, Want};

use super::sample::{Pen, entity, issue, task, with_runs};
use super::{OutOfReach, keep, promises};

/// How a brain lets go of its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// It stops in order.
    InOrder,
    /// It is gone without a word.
    Without,
}

/// A journal, and who opens it again.
pub trait Stage {
    /// What is put to the test.
    type Journal: Journal;
    /// What it cannot bring about.
    const OUT_OF_REACH: &[OutOfReach] = &[];

    /// The journal, which is open.
    fn journal(&mut self) -> &mut Self::Journal;
    /// Lets go of it and opens what it left.
    fn reopen(&mut self, close: Close);
    /// Opens what is open still, as where no lock keeps another brain from that.
    fn again(&mut self) -> Self::Journal;
}

/// Shows every promise; `make` gives an empty journal each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn journal<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        an_empty_journal_is_empty,
        what_is_committed_is_read_back,
        a_key_counts_once,
        a_refused_batch_leaves_nothing,
        rows_follow_one_another,
        states_are_not_ahead,
        the_newest_life_has_the_issue,
        only_open_entities_are_visited,
        a_start_knows_what_the_states_say,
        effects_stay_open_until_settled,
        an_entity_has_one_timer,
        blobs_are_kept_once,
        rows_are_paged,
        rows_with_a_state_are_paged,
        an_empty_batch_is_nothing,
        what_was_committed_survives_a_stop,
        what_was_committed_survives_a_death,
        who_was_overtaken_writes_nothing,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn ok<T, E: std::error::Error>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the journal refused what it must do: {error}"),
    }
}

/// A journal in which nothing was written has no head of its own, no key, no state, no effect, no timer and no text.
fn an_empty_journal_is_empty<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    assert_eq!(ok(journal.head()), Head { seq: Seq(0), hash: Row::genesis() });
    assert_eq!(ok(journal.taken("anything")), None);
    assert_eq!(ok(journal.state(&Entity::Installation)), None);
    assert_eq!(ok(journal.task_of_issue(&ProjectId::from("a"), &issue(1))), None);
    assert!(ok(journal.rows(Seq(1), 10)).is_empty());
    assert!(ok(journal.rows_of(&Entity::Installation, None, 10)).is_empty());
    assert_eq!(ok(journal.open_effects()), []);
    assert_eq!(ok(journal.armed_timers()), []);
    assert_eq!(ok(journal.blob(&Digest::of(b"x"))), None);
    ok(journal.each_open(&mut |entry| panic!("{entry:?} is open in an empty journal")));
}

/// Rows, states and what is touched come back as they were written, and sound.
fn what_is_committed_is_read_back<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let some = with_runs(task("a", 7, 1, TaskStage::Development), 4);
    let who = entity(&some);
    let batch = pen.batch_about(&some, "first \"key\" with \u{1F600} and \n in it");
    ok(journal.commit(&batch));
    assert_eq!(ok(journal.head()), *pen.head());
    let rows = ok(journal.rows(Seq(1), 10));
    let written: Vec<Row> = batch.rows.iter().cloned().map(Sealed::into_row).collect();
    assert_eq!(rows, written, "rows come back as they were written");
    assert!(rows.iter().all(Row::is_sound), "and are sound");
    assert_eq!(ok(journal.state(&who)).as_ref(), batch.states.first().map(|(_, kept)| kept));

    let mut moved = some;
    moved.stage = TaskStage::Review;
    let next = pen.batch_about(&moved, "second");
    ok(journal.commit(&next));
    assert_eq!(ok(journal.state(&who)).as_ref(), next.states.first().map(|(_, kept)| kept), "the newer one");
    assert_eq!(ok(journal.rows_of(&who, None, 10)).len(), 2);

    let third = pen.row(&who, "third");
    let (seq, rows) = (third.seq, vec![third]);
    ok(journal.commit(&Batch { rows, touched: vec![(who.clone(), seq)], ..Batch::default() }));
    let same = next.states.first().map(|(_, kept)| Kept { seq, state: kept.state.clone() });
    assert_eq!(ok(journal.state(&who)), same, "the state is as it was, and true for the row that left it so");
}

/// A key is taken by the first row that has it, whole and in its own case; the same again is refused (decision 1).
fn a_key_counts_once<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    ok(journal.commit(&Batch { rows: vec![pen.row(&Entity::Installation, "once")], ..Batch::default() }));
    assert_eq!(ok(journal.taken("once")), Some(Seq(1)));
    assert_eq!(ok(journal.taken("onc")), None, "a key is the whole key");
    assert_eq!(ok(journal.taken("ONCE")), None, "in its own case");
    let before = pen.head().clone();
    let again = Batch { rows: vec![pen.row(&Entity::Installation, "once")], ..Batch::default() };
    assert!(journal.commit(&again).is_err(), "the same key again is refused");
    let twice = Pen::new(before.clone());
    let within = {
        let mut pen = twice;
        vec![pen.row(&Entity::Installation, "two"), pen.row(&Entity::Installation, "two")]
    };
    assert!(journal.commit(&Batch { rows: within, ..Batch::default() }).is_err(), "also within one batch");
    assert_eq!(ok(journal.head()), before);
}

/// Of a batch that is refused nothing stands: no row, key, state, effect, timer or text.
fn a_refused_batch_leaves_nothing<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    ok(journal.commit(&pen.batch_about(&task("a", 1, 1, TaskStage::Created), "taken")));
    let head = pen.head().clone();
    let other = task("a", 2, 1, TaskStage::Created);
    let who = entity(&other);
    let effect = pen.effect(&who, 0);
    let timer = pen.timer(5);
    let good = pen.row_with(&who, "good", Vec::new(), vec![effect]);
    let bad = pen.row(&who, "taken");
    let kept = Kept { seq: good.seq, state: State::Task(Box::new(other)) };
    let batch = Batch {
        rows: vec![good, bad],
        states: vec![(who.clone(), kept)],
        timers: vec![(who.clone(), Some(timer))],
        blobs: vec![Blob::of("never")],
        ..Batch::default()
    };
    assert!(journal.commit(&batch).is_err());
    assert_eq!(ok(journal.head()), head, "no row of it");
    assert_eq!(ok(journal.taken("good")), None, "no key of it");
    assert_eq!(ok(journal.state(&who)), None, "no state of it");
    assert_eq!(ok(journal.open_effects()), [], "no effect of it");
    assert_eq!(ok(journal.armed_timers()), [], "no timer of it");
    assert_eq!(ok(journal.blob(&Digest::of(b"never"))), None, "no blob of it");
    let mut pen = Pen::new(head);
    ok(journal.commit(&Batch { rows: vec![pen.row(&who, "good")], ..Batch::default() }));
}

/// A row stands right after the one that it names as the last; a gap and another past are refused (decision 39).
fn rows_follow_one_another<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    ok(journal.commit(&Batch { rows: vec![pen.row(&Entity::Installation, "1")], ..Batch::default() }));
    let head = pen.head().clone();
    let here = Entity::Installation;
    let batch = |row| Batch { rows: vec![row], ..Batch::default() };

    let mut skipping = Pen::new(head.clone());
    let _ = skipping.row(&here, "2");
    assert!(journal.commit(&batch(skipping.row(&here, "3"))).is_err(), "a gap is refused");
    let mut other = Pen::new(Head { seq: head.seq, hash: Digest::of(b"another journal") });
    assert!(journal.commit(&batch(other.row(&here, "2"))).is_err(), "another past is refused");
    assert_eq!(ok(journal.head()), head);
    ok(journal.commit(&batch(pen.row(&here, "2"))));
}

/// A state is true for a row that there is.
fn states_are_not_ahead<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let mut batch = pen.batch_about(&task("a", 1, 1, TaskStage::Created), "k");
    for (_, kept) in &mut batch.states {
        kept.seq = Seq(2);
    }
    assert!(journal.commit(&batch).is_err(), "a state is not true for a row that does not exist");
    let touched = vec![(Entity::Installation, Seq(2))];
    assert!(
        journal.commit(&Batch { touched, ..Batch::default() }).is_err(),
        "nor is one that stays as it was"
    );
    assert_eq!(ok(journal.head()).seq, Seq(0));
}

/// Of an issue the newest life of its task is found, life 10 after life 9.
fn the_newest_life_has_the_issue<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let lives: Vec<_> = (1..=10).map(|life| task("a", 3, life, TaskStage::Cancelled)).collect();
    for life in &lives {
        ok(journal.commit(&pen.batch_about(life, life.id.as_str())));
    }
    ok(journal.commit(&pen.batch_about(&task("b", 3, 1, TaskStage::Created), "another project")));
    let newest = ok(journal.task_of_issue(&ProjectId::from("a"), &issue(3)));
    assert_eq!(newest.as_ref(), lives.last().map(|task| &task.id), "life 10 comes after life 9");
    assert_eq!(ok(journal.task_of_issue(&ProjectId::from("c"), &issue(3))), None);
}

/// A start visits what is open, and what is over no more.
fn only_open_entities_are_visited<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let mut moving = task("a", 1, 1, TaskStage::Testing);
    ok(journal.commit(&pen.batch_about(&moving, "1")));
    ok(journal.commit(&pen.batch_about(&task("a", 2, 1, TaskStage::Done), "2")));
    ok(journal.commit(&pen.batch_about(&task("a", 3, 1, TaskStage::Created), "3")));
    let provider = Entity::Provider(ProviderId::from("p"));
    let row = pen.row(&provider, "4");
    let kept = Kept { seq: row.seq, state: State::Provider(Provider::default()) };
    let states = vec![(provider, kept)];
    ok(journal.commit(&Batch { rows: vec![row], states, ..Batch::default() }));
    assert_eq!(open(journal), ["provider/p", "task/A-001", "task/A-003"]);
    moving.stage = TaskStage::Done;
    ok(journal.commit(&pen.batch_about(&moving, "5")));
    assert_eq!(open(journal), ["provider/p", "task/A-003"]);
}

/// What a start knows of an entity is what its state says, after each change.
fn a_start_knows_what_the_states_say<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let mut moving = task("a", 1, 1, TaskStage::Development);
    let mut n = 0;
    let mut steps = |journal: &mut S::Journal, task: &Task| {
        n += 1;
        ok(journal.commit(&pen.batch_about(task, &format!("{n}"))));
        open(journal);
    };
    steps(journal, &moving);
    let (run, job) = (RunId::new(Seq(1), 0), Job::Agent(Role::Developer));
    for step in [
        Step::Queued(Want::Agent(Role::Developer)),
        Step::Asked { effect: EffectId::new(Seq(1), 0), ask: Ask::Launch { run, job }, tries: 0 },
        Step::Running { run, job },
        Step::Rest(Rest::Approval),
        Step::Queued(Want::Lane),
    ] {
        moving.step = step;
        steps(journal, &moving);
        moving.request.text = Text::of(&format!("another text, of which the board knows nothing: {run}"));
        steps(journal, &moving);
    }
    let mut moving = with_runs(moving, 3);
    moving.step_seq = Seq(3);
    moving.lane = Some(Seq(2));
    moving.priority = Priority::Urgent;
    steps(journal, &moving);
    moving.stage = TaskStage::Review;
    moving.step = Step::Running { run, job };
    steps(journal, &moving);
}

/// The open entities, each known at a start exactly as its state says.
fn open<J: Journal>(journal: &mut J) -> Vec<String> {
    let mut entries = Vec::new();
    ok(journal.each_open(&mut |entry| entries.push(entry)));
    let mut names = Vec::new();
    for entry in entries {
        let entity = match &entry {
            Entry::Task(id, _) => Entity::Task(id.clone()),
            Entry::Other(entity, _) => entity.clone(),
        };
        let kept = ok(journal.state(&entity)).expect("an open entity has a state");
        assert_eq!(Some(entry), Entry::of(&entity, &kept.state), "{entity}");
        names.push(entity.to_string());
    }
    names.sort();
    names
}

/// An effect is open from the row that wants it to the one that settles it, in the order of their ids (decision 1).
fn effects_stay_open_until_settled<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let here = Entity::Installation;
    let mut wanted = Vec::new();
    for n in 0..12 {
        let effects = vec![pen.effect(&here, 0), pen.effect(&here, 1)];
        wanted.extend(effects.clone());
        let row = pen.row_with(&here, &n.to_string(), Vec::new(), effects);
        ok(journal.commit(&Batch { rows: vec![row], ..Batch::default() }));
    }
    assert_eq!(ok(journal.open_effects()), wanted, "in order of their ids, row 2 before row 10");

    let settled = vec![wanted.remove(20).id, wanted.remove(3).id];
    let rows = vec![pen.row(&here, "reply")];
    ok(journal.commit(&Batch { rows, settled: settled.clone(), ..Batch::default() }));
    assert_eq!(ok(journal.open_effects()), wanted);

    let brief = pen.effect(&here, 0);
    let rows =
        vec![pen.row_with(&here, "wanted", Vec::new(), vec![brief.clone()]), pen.row(&here, "answered")];
    ok(journal.commit(&Batch { rows, settled: vec![brief.id], ..Batch::default() }));
    assert_eq!(ok(journal.open_effects()), wanted, "wanted and settled in one batch was never open");

    let rows = vec![pen.row(&here, "again")];
    ok(journal.commit(&Batch { rows, settled, ..Batch::default() }));
    assert_eq!(ok(journal.open_effects()), wanted, "settling a settled one is nothing");
}

/// An entity has one timer: arming another replaces it.
fn an_entity_has_one_timer<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let (a, b) = (Entity::Project(ProjectId::from("a")), Entity::Project(ProjectId::from("b")));
    let (first, other) = (pen.timer(10), pen.timer(20));
    let timers = vec![(a.clone(), Some(first)), (b.clone(), Some(other.clone()))];
    ok(journal.commit(&Batch { rows: vec![pen.row(&a, "1")], timers, ..Batch::default() }));
    let newer = pen.timer(5);
    let timers = vec![(a.clone(), Some(newer.clone()))];
    ok(journal.commit(&Batch { rows: vec![pen.row(&a, "2")], timers, ..Batch::default() }));
    let mut armed = ok(journal.armed_timers());
    armed.sort_by(|x, y| x.0.cmp(&y.0));
    assert_eq!(armed, [(a.clone(), newer), (b.clone(), other.clone())], "arming another replaces it");
    let timers = vec![(a.clone(), None)];
    ok(journal.commit(&Batch { rows: vec![pen.row(&a, "3")], timers, ..Batch::default() }));
    assert_eq!(ok(journal.armed_timers()), [(b, other)]);
    let timers = vec![(a.clone(), None)];
    ok(journal.commit(&Batch { rows: vec![pen.row(&a, "4")], timers, ..Batch::default() }));
}

/// A text is found by its digest, however often it was kept (decision 39).
fn blobs_are_kept_once<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let blobs = vec![Blob::of("x"), Blob::of(vec![0_u8, 255, 10]), Blob::of(""), Blob::of("x")];
    ok(journal.commit(&Batch { blobs: blobs.clone(), ..Batch::default() }));
    ok(journal.commit(&Batch { blobs: blobs.clone(), ..Batch::default() }));
    for blob in blobs {
        assert_eq!(ok(journal.blob(&blob.digest)), Some(blob.bytes));
    }
}

/// Rows are read in pages: all of them forward, those of an entity from the newest back.
fn rows_are_paged<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let (a, b) = (Entity::Project(ProjectId::from("a")), Entity::Project(ProjectId::from("b")));
    let rows: Vec<Sealed> =
        (0..20).map(|n| pen.row(if n % 2 == 0 { &a } else { &b }, &n.to_string())).collect();
    ok(journal.commit(&Batch { rows, ..Batch::default() }));
    let seqs = |rows: Vec<Row>| rows.iter().map(|row| row.seq.0).collect::<Vec<_>>();
    assert_eq!(seqs(ok(journal.rows(Seq(0), 3))), [1, 2, 3]);
    assert_eq!(seqs(ok(journal.rows(Seq(18), 10))), [18, 19, 20]);
    assert_eq!(seqs(ok(journal.rows(Seq(21), 10))), [0_u64; 0]);
    assert_eq!(seqs(ok(journal.rows(Seq(1), 0))), [0_u64; 0]);
    assert_eq!(seqs(ok(journal.rows_of(&a, None, 3))), [19, 17, 15], "newest first");
    assert_eq!(seqs(ok(journal.rows_of(&a, Some(Seq(15)), 3))), [13, 11, 9]);
    assert_eq!(seqs(ok(journal.rows_of(&b, Some(Seq(4)), 9))), [2]);
    let missing = Entity::Project(ProjectId::from("c"));
    assert_eq!(seqs(ok(journal.rows_of(&missing, None, 9))), [0_u64; 0]);
}

/// The pages of an entity have each of its rows, whether it changed its state or not.
fn rows_with_a_state_are_paged<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let (a, b) = (task("a", 1, 1, TaskStage::Review), task("a", 2, 1, TaskStage::Review));
    let (who, other) = (entity(&a), entity(&b));
    // Before it is born, then born, then rows that change it and rows that do not, of two in one batch.
    ok(journal.commit(&Batch { rows: vec![pen.row(&who, "1")], ..Batch::default() }));
    ok(journal.commit(&pen.batch_about(&a, "2")));
    ok(journal.commit(&pen.batch_about(&b, "3")));
    let rows = vec![pen.row(&who, "4"), pen.row(&other, "5"), pen.row(&who, "6"), pen.row(&other, "7")];
    let touched = vec![(who.clone(), Seq(6)), (other.clone(), Seq(7))];
    ok(journal.commit(&Batch { rows, touched, ..Batch::default() }));
    ok(journal.commit(&pen.batch_about(&a, "8")));
    let mut seqs = |entity: &Entity, before: Option<u64>, most| {
        ok(journal.rows_of(entity, before.map(Seq), most)).iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&who, None, 9), [8, 6, 4, 2, 1]);
    assert_eq!(seqs(&who, None, 2), [8, 6]);
    assert_eq!(seqs(&who, Some(6), 2), [4, 2], "from a row of its own");
    assert_eq!(seqs(&who, Some(5), 9), [4, 2, 1], "from a row of another");
    assert_eq!(seqs(&who, Some(2), 9), [1]);
    assert_eq!(seqs(&who, Some(1), 9), [0_u64; 0]);
    assert_eq!(seqs(&who, Some(99), 1), [8], "from a row that is not there yet");
    assert_eq!(seqs(&other, None, 9), [7, 5, 3]);
    assert_eq!(seqs(&other, Some(8), 1), [7]);
}

/// A batch of nothing changes nothing, not even the head.
fn an_empty_batch_is_nothing<S: Stage>(stage: &mut S) {
    let journal = stage.journal();
    ok(journal.commit(&Batch::default()));
    assert_eq!(ok(journal.head()).seq, Seq(0));
    let mut pen = Pen::new(ok(journal.head()));
    let here = Entity::Installation;
    let row = pen.row(&here, "1");
    let kept = Kept { seq: row.seq, state: State::Installation(Installation::default()) };
    ok(journal.commit(&Batch { rows: vec![row], states: vec![(here.clone(), kept)], ..Batch::default() }));
    ok(journal.commit(&Batch::default()));
    assert_eq!(ok(journal.head()), *pen.head());
}

/// What was committed is there when its journal was closed in order and opened again: head, rows, states, keys, open effects,
/// timers, texts, and what a start must know.
fn what_was_committed_survives_a_stop<S: Stage>(stage: &mut S) {
    survives(stage, Close::InOrder);
}

/// The same when nobody closed it.
fn what_was_committed_survives_a_death<S: Stage>(stage: &mut S) {
    survives(stage, Close::Without);
}

fn survives<S: Stage>(stage: &mut S, close: Close) {
    let journal = stage.journal();
    let mut pen = Pen::new(ok(journal.head()));
    let some = task("a", 1, 1, TaskStage::Review);
    let who = entity(&some);
    let effect = pen.effect(&who, 0);
    let timer = pen.timer(7_000);
    let row = pen.row_with(&who, "k1", Vec::new(), vec![effect.clone()]);
    let kept = Kept { seq: row.seq, state: State::Task(Box::new(some)) };
    let batch = Batch {
        rows: vec![row.clone()],
        states: vec![(who.clone(), kept.clone())],
        timers: vec![(who.clone(), Some(timer.clone()))],
        blobs: vec![Blob::of("kept")],
        ..Batch::default()
    };
    ok(journal.commit(&batch));
    stage.reopen(close);
    let journal = stage.journal();
    assert_eq!(ok(journal.head()), *pen.head(), "the head survives");
    assert_eq!(ok(journal.rows(Seq(1), 10)), [row.into_row()], "rows survive");
    assert_eq!(ok(journal.state(&who)), Some(kept), "states survive");
    assert_eq!(ok(journal.open_effects()), [effect], "open effects survive");
    assert_eq!(ok(journal.armed_timers()), [(who, timer)], "timers survive");
    assert_eq!(ok(journal.blob(&Digest::of(b"kept"))), Some(b"kept".to_vec()), "blobs survive");
    assert_eq!(open(journal), ["task/A-001"], "what a start must know survives");
    ok(journal.commit(&Batch { rows: vec![pen.row(&Entity::Installation, "k2")], ..Batch::default() }));
    assert_eq!(ok(journal.taken("k1")), Some(Seq(1)), "keys survive");
}

/// A brain that was overtaken by another one, where no lock held, writes nothing any more, and the other one goes on: there is
/// one history.
fn who_was_overtaken_writes_nothing<S: Stage>(stage: &mut S) {
    let first = stage.journal();
    let mut pen = Pen::new(ok(first.head()));
    let one = |row| Batch { rows: vec![row], ..Batch::default() };
    let here = Entity::Installation;
    ok(first.commit(&one(pen.row(&here, "before"))));
    let mut second = stage.again();
    let first = stage.journal();
    assert_eq!(ok(second.head()), *pen.head(), "who takes over finds all that is written");
    let mut late = pen.clone();
    ok(second.commit(&one(pen.row(&here, "second"))));
    let known = ok(first.head());
    for key in ["late", "later"] {
        assert!(
            first.commit(&one(late.clone().row(&here, key))).is_err(),
            "its row is another brain's by now"
        );
        assert_eq!(ok(first.head()), known, "and what it knows of the end stays what it was");
        assert_eq!(ok(second.taken(key)), None, "of what was refused nothing stands");
    }
    late = Pen::new(pen.head().clone());
    assert!(
        first.commit(&one(late.row(&here, "last"))).is_err(),
        "nor does it go on after a row that it did not write"
    );
    assert_eq!(ok(second.head()), *pen.head());
    ok(second.commit(&one(pen.row(&here, "third"))));
    assert_eq!(ok(second.rows(Seq(1), 10)).len(), 3, "who took over goes on");
}
