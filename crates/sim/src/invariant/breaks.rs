//! Can each promise be seen broken? One real moment and one thing wrong in it for each of them.

mod elsewhere;
mod sayings;
mod scene;
pub(super) mod sites;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use orch_core::call::agent::Assignment;
use orch_core::call::tracker::{Status, TrackerCall, TrackerReply};
use orch_core::call::{AgentCall, Call, DeployCall, Failure, ForgeCall, GitCall, Reply, Text};
use orch_core::change::Change;
use orch_core::event::{
    DiskReading, EffectReply, Event, FreezeCause, Grant, IssueSeen, Outcome, RunEnd, RunHow, Turn, Usage,
};
use orch_core::gate::{GateId, Subject};
use orch_core::gesture::Press;
use orch_core::id::{Digest, Entity, RunId, Seq, TimerId};
use orch_core::journal::{Blob, Row};
use orch_core::note::Note;
use orch_core::reason::Reason;
use orch_core::rework::{Attempts, Findings, Judge};
use orch_core::said::Found;
use orch_core::stage::{Preset, Role, Stage};
use orch_core::state::Pause;
use orch_core::task::{
    Ask, Cancel, Consent, Delay, Deployed, Escalation, Job, Rest, Step, Task, Watch, WatchEnd, Why,
};
use orch_core::time::{Moment, Span};
use orch_engine::{Incoming, Target};

use sayings::delivered;
use scene::{
    NO_EFFECT, NO_RUN, Scene, approving, asks, consent, cutting, deploying, done, gesture, merge, merging,
    says, stopped, unasked, wants, watching, working,
};

use super::{Broken, Occasion};
use crate::MemoryJournal;
use crate::bench::Fault;
use crate::history::{Ground, again, in_memory, nothing_else};
use crate::twin::{Plain, Store, Twin};
use crate::world::Called;
use crate::world::tracker::Cover;
use crate::world::works::{SECRET, Worker};

/// A promise, and how it is broken.
type Break = (&'static str, fn() -> Result<(), Broken>);

/// What the outside did, and what it was asked for.
const STEPS: &[Break] = &[
    ("effects-leave-after-their-record", || approving().so(|it| it.bench.world.log.push(NO_EFFECT)).look()),
    ("limits-hold", || approving().one_too_many(|limits| limits.agents = 1)),
    ("limits-hold", || approving().one_too_many(|limits| limits.agents_a_project = 1)),
    ("limits-hold", || approving().one_too_many(|limits| limits.agents_a_role.extend([(Role::Tester, 1)]))),
    ("limits-hold", || {
        let two = |it: &mut Scene| (0..2).for_each(|n| it.run(n, Worker::Agent(Role::Tester), None));
        approving().so(two).look()
    }),
    ("limits-hold", || {
        let tests = |it: &mut Scene| (0..3).for_each(|n| it.run(n, Worker::Ci, None));
        approving().so(tests).look()
    }),
    ("effects-happen-once", || working(Stage::Development).so(launches_again).look()),
    ("effects-happen-once", || {
        let mut it = merging();
        let again = it.call(|call| matches!(call, Call::Forge(ForgeCall::Merge { .. })));
        it.row(|row| wants(row, again)).look()
    }),
    ("who-is-away-is-asked-seldom", || {
        let asked = Called { effect: NO_EFFECT, brain: 1, at: 1 };
        approving().so(|it| it.bench.world.calls.extend([asked, asked])).look()
    }),
    ("who-is-away-is-asked-seldom", || {
        let (timer, ask) = (TimerId::new(Seq(9_999), 0), Ask::OpenChange);
        let cause = Delay::Outage { cause: "away".into() };
        let at_once = Step::Backoff { timer, due: Moment(0), ask, tries: 1, cause };
        approving().row(|row| row.changes.push(Change::Stepped(Box::new(at_once)))).look()
    }),
];

/// What a row says that no brain would write.
const ROWS: &[Break] = &[
    ("no-timer-is-early", || {
        let mut it = watching();
        let Step::Backoff { timer, .. } = it.now().step else { panic!("it waits for a timer") };
        it.row(|row| row.event = Event::Timer(timer)).look()
    }),
    ("time-goes-on", || {
        let mut it = approving();
        let now = it.bench.now;
        it.row(|row| {
            row.event = Event::Disk(DiskReading { enough: true, free: 7 });
            row.at = now.stepped_by(-501);
        })
        .look()
    }),
    ("grants-only-to-who-waits", || {
        let grant = Grant { turn: Turn::Lane, wanted: Seq(1), deployed: None, gives_way: false };
        approving().row(|row| row.event = Event::Granted(grant)).look()
    }),
    ("who-works-is-let-work", || {
        let mut it = working(Stage::Development);
        let (run, _) = it.now().live_run().expect("a run");
        it.row(|row| {
            row.event = Event::ClockStepped { by: 1 };
            wants(row, Call::Agent(AgentCall::Stop { run }));
        })
        .look()
    }),
    // With each reading that has a row, as in I-05.
    ("facts-are-told-once", || {
        let mut it = approving();
        let (ready, seen) = (it.call(is_ready), it.event(|event| matches!(event, Event::Issue(_))));
        it.row(|row| {
            row.event = seen;
            row.changes.push(Change::Stepped(Box::new(Step::Rest(Rest::Approval))));
            wants(row, ready);
        })
        .look()
    }),
    // With each STOP, as in I-28.
    ("facts-are-told-once", || {
        let stop = |row: &mut Row| {
            row.event = Event::Gesture(gesture(Press::Stop));
            row.reasons = vec![
                Reason::GestureTaken { press: "stop".to_owned(), by: "ann".to_owned() },
                Reason::StopDeferred,
            ];
            says(row, Note::StopDeferred);
        };
        merging().row(stop).row(stop).look()
    }),
    // At every try.
    ("facts-are-told-once", || {
        let told = |row: &mut Row| {
            let gate = GateId::CheckCiGreen;
            row.reasons.push(Reason::GateSaid { gate, passed: None });
            says(row, Note::Unavailable { gate, cause: "away".into() });
        };
        approving().row(told).row(told).look()
    }),
    ("infrastructure-is-nobodys-fault", || {
        let mut it = working(Stage::Development);
        let task = it.now();
        let (run, _) = task.live_run().expect("a run");
        it.row(|row| {
            row.event = ended(run, RunHow::Lost { cause: "gone".into() });
            let fruitless = task.attempts.fruitless + 1;
            let attempts = Attempts { fruitless, ..task.attempts };
            row.changes.push(Change::Attempted(attempts));
        })
        .look()
    }),
    ("escalated-is-left-alone", || {
        let escalated = Escalation { at: Moment(1), why: Why::Conflicts };
        approving()
            .row(|row| row.changes.push(Change::Escalated(Some(escalated))))
            .row(|row| row.changes.push(Change::Staged(Stage::Development)))
            .look()
    }),
    ("late-results-do-nothing", || {
        working(Stage::Development)
            .row(|row| {
                row.event = ended(NO_RUN, RunHow::Exited { code: 0 });
                row.changes.push(Change::Staged(Stage::Review));
            })
            .look()
    }),
    ("ids-belong-to-one-issue", || {
        let mut it = approving();
        let rows = it.bench.engine().journal_ref().all();
        let mut changes = rows.iter().flat_map(|row| &row.changes);
        let born = changes.find(|change| matches!(change, Change::Born { .. }));
        let Some(Change::Born { id, project, mut reading }) = born.cloned() else { panic!("it was born") };
        reading.issue = "demo-2".into();
        it.row(|row| row.changes.push(Change::Born { id, project, reading })).look()
    }),
    ("begun-only-when-asked", || {
        unasked().row(|row| row.changes.push(Change::Staged(Stage::Analysis))).look()
    }),
    ("done-comes-from-a-verdict", || done().row(is_done).look()),
    ("done-means-delivered", || merging().row(is_done).look()),
    ("done-means-delivered", || deploying().row(is_done).look()),
    ("done-means-watched", || watching().row(is_done).look()),
    ("consent-is-a-persons", || {
        merging().row(|row| row.changes.push(Change::Consented(Some(consent())))).look()
    }),
    ("consent-is-a-persons", || {
        approving().row(|row| row.changes.push(Change::Approved(Some(consent())))).look()
    }),
    ("consent-is-a-persons", || {
        let labelled = Consent { standing: true, ..consent() };
        merging().row(|row| row.changes.push(Change::Consented(Some(labelled)))).look()
    }),
    // The label was there once.
    ("consent-is-a-persons", || {
        let labelled = Consent { standing: true, ..consent() };
        merging().labelled_for_a_while().row(|row| row.changes.push(Change::Consented(Some(labelled)))).look()
    }),
    ("told-when-it-is-so", || approving().row(|row| says(row, Note::StopDeferred)).look()),
    // Done it is, but nothing was deployed.
    ("told-when-it-is-so", || {
        let mut it = Scene::when(Preset::Library, |task| task.merged.is_some());
        let commit = it.now().merged.expect("merged").commit;
        it.row(|row| {
            let outcome = Outcome::Failed(Failure::unknown("no answer"));
            row.event = Event::Reply(Box::new(EffectReply { effect: NO_EFFECT, outcome }));
            row.changes.push(Change::Staged(Stage::Done));
            says(row, delivered(commit, true));
        })
        .look()
    }),
    ("a-press-counts-once", || approving().row(|row| row.reasons.push(taken("reject"))).look()),
    ("a-run-ends-once", || {
        let mut it = approving();
        let run = it.now().runs[0].run;
        let (how, wall, usage) = (RunHow::Stopped, Span(0), Usage::default());
        it.row(|row| row.changes.push(Change::RunOver { run, how, wall, usage, left_out: 0 })).look()
    }),
    ("nothing-is-asked-twice", || {
        let mut it = cutting();
        let call = it.call(|call| matches!(call, Call::Git(GitCall::CutBranch { .. })));
        it.row(|row| wants(row, call)).look()
    }),
    ("findings-are-handed-on", || {
        let text = Found::Kept(Text::of("something else"));
        let other = Findings { from: Judge::Host, text, link: String::new(), about: None };
        working(Stage::Development).so(|it| told(it, |work| work.findings = Some(other))).look()
    }),
    ("the-request-is-handed-on", || {
        working(Stage::Development).so(|it| told(it, |work| work.title = Text::of("something else"))).look()
    }),
    ("deployed-is-what-runs", || {
        let (commit, at) = ("c".into(), Moment(1));
        let other = Deployed { commit, hook: Some(0), healthy: Some(true), seen_by: None, with: None, at };
        deploying().row(|row| row.changes.push(Change::Deployed(other))).look()
    }),
    ("deployed-is-what-runs", || {
        let (commit, with, at) = ("c".into(), Some("d".into()), Moment(1));
        let other = Deployed { commit, hook: None, healthy: None, seen_by: None, with, at };
        deploying().row(|row| row.changes.push(Change::Deployed(other))).look()
    }),
    ("spend-within-its-cap", || {
        let mut it = working(Stage::Development);
        let mut run = it.now().runs.last().expect("a run").clone();
        Arc::make_mut(&mut run).allowed = Some("ann".to_owned());
        it.row(|row| row.changes.push(Change::RunBegan(run))).look()
    }),
    ("spend-within-its-cap", || {
        let mut it = working(Stage::Development);
        let next = it.now().runs.last().expect("a run").clone();
        let (how, wall) = (RunHow::Exited { code: 0 }, Span(0));
        let usage = Usage { microdollars: Some(25_000_000), ..Usage::default() };
        it.row(|row| row.changes.push(Change::RunOver { run: NO_RUN, how, wall, usage, left_out: 0 }))
            .row(|row| row.changes.push(Change::RunBegan(next)))
            .look()
    }),
    ("a-rejection-is-answered", || {
        let (from, to) = (Stage::Review, Stage::Development);
        let judge = Judge::Person("ann".to_owned());
        working(from)
            .row(|row| row.reasons.push(Reason::SentBack { from, to, judge, attempt: 1, of: 3 }))
            .row(|row| row.reasons.push(Reason::Advanced { from: to, to: from }))
            .look()
    }),
    ("a-watch-ends", || watching().so(|it| watched(it, |watch| watch.looks = 1000)).look()),
    ("well-is-what-was-seen", || {
        watching().so(|it| watched(it, |watch| watch.end = Some(WatchEnd::Well))).look()
    }),
];

/// What is kept of a task and cannot be so.
const TASKS: &[Break] = &[
    ("a-reason-for-every-wait", || watching().task(|task| task.watch = None).look()),
    ("a-reason-for-every-wait", || approving().task(|task| task.step = Step::Rest(Rest::Over)).look()),
    ("no-effect-is-lost", || {
        cutting()
            .task(|task| task.step = Step::Asked { effect: NO_EFFECT, ask: Ask::OpenChange, tries: 0 })
            .look()
    }),
    ("no-timer-is-lost", || watching().task(|task| task.step = Step::Rest(Rest::Confirmation)).look()),
    ("no-passing-column", || {
        let (issue, status) = ("demo-1".into(), Status::Blocked);
        approving().row(|row| wants(row, Call::Tracker(TrackerCall::SetStatus { issue, status }))).look()
    }),
    ("costs-add-up", || {
        let dear = Usage { output: Some(7), ..Usage::default() };
        approving().task(|task| Arc::make_mut(&mut task.runs[0]).usage = dear).look()
    }),
    ("terminal-stays-terminal", || done().task(|task| task.stage = Stage::Development).look()),
    ("terminal-stays-terminal", || {
        done().task(|task| task.step = Step::Running { run: NO_RUN, job: Job::Hook }).look()
    }),
    ("done-means-delivered", || done().task(|task| task.merged = None).look()),
    ("done-means-watched", || done().task(|task| task.watch.as_mut().expect("a watch").end = None).look()),
    ("a-verdict-is-its-record", || done().task(|task| task.records.clear()).look()),
    ("running-means-alive", || {
        let runs = Step::Running { run: NO_RUN, job: Job::Hook };
        approving().row(|row| row.changes.push(Change::Stepped(Box::new(runs)))).look()
    }),
    ("running-means-alive", || {
        // It ended, and who was to hear of that does not listen any more.
        let mut it = working(Stage::Development);
        it.bench.deafen();
        it.look()
    }),
    ("one-branch-a-task", || {
        let mut it = approving();
        let branch = it.now().branch.expect("a branch");
        another(&mut it, Change::Branched(branch)).look()
    }),
    ("one-branch-a-task", || {
        let mut it = approving();
        let run = it.now().runs[0].clone();
        another(&mut it, Change::RunBegan(run)).look()
    }),
    ("one-lane-holder", || {
        merging().twin(|twin| (twin.branch, twin.step) = (None, Step::Rest(Rest::DeployUnseen))).look()
    }),
    ("attempts-are-bounded", || approving().task(|task| task.attempts.negative = 9).look()),
    ("what-is-known-was-there", || approving().task(|task| task.labels.auto_deploy = true).look()),
    ("what-is-known-was-there", || approving().task(|task| task.board.shows = Some(Status::Backlog)).look()),
    ("approval-binds-the-requirements", || {
        working(Stage::Development).task(|task| task.approval = Some(consent())).look()
    }),
    ("a-lane-is-worked-in", || approving().task(|task| task.lane = Some(Seq(1))).look()),
    ("a-stop-is-carried-out", || {
        let stop = Cancel { gesture: gesture(Press::Stop), at: Moment(1), deferred: true };
        approving().task(|task| task.cancel = Some(stop)).look()
    }),
    ("verdicts-are-entitled", || {
        merging().evidence(GateId::CheckReviewerVerdict, |said| said.run = None).look()
    }),
    ("evidence-binds", || {
        merging().evidence(GateId::CheckCiGreen, |said| said.definition = Digest::of(b"other tests")).look()
    }),
    ("a-pass-is-earned", || {
        merging().evidence(GateId::CheckReviewerVerdict, |said| said.run = Some(NO_RUN)).look()
    }),
    ("a-pass-is-earned", || {
        let other = |said: &mut orch_core::gate::Evidence| said.subject = Subject::Main("c".into());
        watching().evidence(GateId::CheckDeployStatus, other).look()
    }),
    ("no-press-is-covered-unheard", || {
        let mut it = approving();
        let (effect, issue) = (NO_EFFECT, "demo-1".into());
        let cover = Cover { effect, issue, status: Status::Approved, since: 98, until: 99 };
        it.bench.world.tracker.covers.push(cover);
        let set = TrackerReply::StatusSet {
            status: Some(Status::InReview),
            revision: Some(99),
            covered: None,
            words: None,
        };
        let outcome = Outcome::Done(Reply::Tracker(set));
        it.row(|row| row.event = Event::Reply(Box::new(EffectReply { effect, outcome }))).look()
    }),
];

/// What reached main and production and may not have.
const DELIVERY: &[Break] = &[
    ("frozen-means-no-merge", || {
        let frozen = Change::Frozen { cause: FreezeCause::Person, task: None };
        merging()
            .row_of(Entity::Repository("demo".into()), |row| row.changes.push(frozen))
            .row(|row| wants(row, merge()))
            .look()
    }),
    ("paused-means-no-merge", || {
        let pause = Pause { gesture: gesture(Press::Pause { drain: false }), at: Moment(1), drain: false };
        merging()
            .row_of(Entity::Installation, |row| row.changes.push(Change::Paused(Box::new(pause))))
            .row(|row| wants(row, merge()))
            .look()
    }),
    ("frozen-means-no-merge", || merging().leaves_after(Entity::Repository("demo".into()), Press::Freeze)),
    ("paused-means-no-merge", || merging().leaves_after(Entity::Installation, Press::Pause { drain: false })),
    ("a-merge-waits-for-the-watch", || {
        watching().row_of(Entity::Task("DEMO-002".into()), |row| wants(row, merge())).look()
    }),
    ("main-never-forced", || approving().so(|it| it.repository().rewrite_main()).look()),
    ("main-never-forced", || {
        let mut it = merging();
        let main = it.repository().main();
        it.row(|row| wants(row, Call::Forge(ForgeCall::Merge { change: 1, candidate: "c".into(), main })))
            .look()
    }),
    ("main-never-forced", || {
        let (branch, head) = ("main".to_owned(), "c".into());
        merging().row(|row| wants(row, Call::Forge(ForgeCall::DeleteBranch { branch, head }))).look()
    }),
    ("merged-is-tested", || approving().so(|it| it.repository().push_main("src/x", "new")).look()),
    ("a-late-merge-is-told", || {
        let late = |it: &mut Scene| it.bench.world.works.merged_late.insert("c".into(), "DEMO-001".into());
        approving().so(|it| drop(late(it))).rest()
    }),
    ("main-stays-green", || {
        let red = |it: &mut Scene| {
            it.repository().push_main("src/x", "BROKEN");
            let repository = it.repository();
            let tree = repository.tree(&repository.main());
            it.repository().tested.insert(tree);
        };
        approving().so(red).look()
    }),
    ("main-only-through-the-gates", || merging().unheard(|task| task.approval = None).so(merges).look()),
    ("main-only-through-the-gates", || merging().unheard(|task| task.consent = None).so(merges).look()),
    ("main-only-through-the-gates", || {
        let architect = GateId::CheckArchitectureDone;
        let mut it = Scene::when(Preset::Full, |task| asks(task, |ask| *ask == Ask::Merge));
        it.unheard(|task| task.evidence.retain(|said| said.gate != architect)).so(merges).look()
    }),
    ("main-only-through-the-gates", || {
        let judge = GateId::CheckReviewerVerdict;
        merging().unheard(|task| task.evidence.retain(|said| said.gate != judge)).so(merges).look()
    }),
    ("main-only-through-the-gates", || {
        let judge = GateId::CheckReviewerVerdict;
        let by_hand = Reason::MergedByHand { commit: "c".into() };
        done()
            .unheard(|task| task.evidence.retain(|said| said.gate != judge))
            .row(|row| row.reasons.push(by_hand))
            .look()
    }),
    ("deploy-what-was-merged", || deploying().so(|it| it.hook("c".into(), None)).look()),
    ("previous-is-what-runs", || {
        let mut it = deploying();
        let commit = it.now().merged.expect("merged").commit;
        let (run, task, limit) = (NO_RUN, it.id.clone(), Span(1));
        let hook = DeployCall::Hook { run, task, commit, previous: Some("c".into()), limit };
        it.row(|row| wants(row, Call::Deploy(hook))).look()
    }),
    ("a-deploy-takes-nothing-back", || {
        let takes_back = |it: &mut Scene| {
            let commit = it.now().merged.expect("merged").commit;
            it.hook(commit.clone(), Some(commit));
        };
        deploying().so(takes_back).look()
    }),
    ("production-needs-consent", || deploying().unheard(|task| task.consent = None).so(deploys).look()),
    ("production-needs-consent", || {
        deploying().unheard(|task| task.confirms = Some(false)).so(deploys).look()
    }),
    ("deploys-are-serial", || deploying().unheard(|task| task.lane = None).so(deploys).look()),
    ("deploys-are-serial", || {
        let another = |it: &mut Scene| (0..2).for_each(|n| it.run(n, Worker::Hook, None));
        deploying().so(another).so(deploys).look()
    }),
];

/// What is left where nothing moves, and what only the whole journal tells.
const REST: &[Break] = &[
    ("the-board-tells-the-truth", || {
        let moves = |it: &mut Scene| {
            let issue = it.bench.world.tracker.issues.values_mut().next().expect("the issue");
            issue.status = Some(Status::Backlog);
        };
        done().so(moves).rest()
    }),
    ("nobody-works-for-nobody", || done().so(|it| it.run(0, Worker::Ci, None)).rest()),
    ("trees-are-given-back", || {
        let ended = Some(RunHow::Stopped);
        done().so(|it| it.run(0, Worker::Ci, ended)).rest()
    }),
    ("a-stop-leaves-nothing", || {
        let left =
            |it: &mut Scene| drop(it.repository().cut.insert("feature/x".to_owned(), "DEMO-001".to_owned()));
        stopped().so(left).rest()
    }),
    ("a-record-is-one-commit", || {
        let twice = |it: &mut Scene| {
            let first = it.repository().records[0].clone();
            it.repository().records.push(first);
        };
        done().so(twice).rest()
    }),
    ("every-issue-has-its-task", || {
        let unknown = |it: &mut Scene| {
            it.bench.world.tracker.create(&"demo".into(), "Mend the door", "please", Status::ToAnalyse);
        };
        done().so(unknown).rest()
    }),
    ("records-stand", || done().unheard(|task| task.records[0].text = Text::of("something else")).rest()),
    ("in-sync-is-silent", || {
        let news = |it: &mut Scene| it.repository().push_main("src/x", "new");
        done().so(news).bench.reads_again()
    }),
    ("the-journal-replays", || done().unheard(|task| task.number = 7).bench.verify_journal()),
    ("no-key-is-told", || done().so(|it| it.repository().push_main("src/x", SECRET)).bench.verify_journal()),
    ("no-effect-is-lost", || cutting().bench.verify_journal()),
    ("no-key-is-told", || {
        let mut it = done();
        it.bench.world.tracker.say(&"demo-1".into(), "ann", SECRET);
        it.bench.verify_journal()
    }),
    ("events-count-once", || {
        let mut it = done();
        it.bench.step_clock(1);
        it.bench.step_clock(1);
        let rows = it.bench.engine().journal().forge().0;
        let (again, before) = (rows.pop().expect("a row"), rows.last().expect("a row").clone());
        let mut again = again.into_row();
        again.key.clone_from(&before.key);
        rows.push(again.sealed(before.hash.clone()));
        it.bench.verify_journal()
    }),
    ("one-brain-leads", || {
        // The disk forgets how far the second brain wrote.
        let mut it = approving();
        it.bench.fall_asleep();
        it.bench.engine().journal().forget_the_disk();
        it.bench.wake_one()
    }),
    ("liveness", || {
        // It waits for what nobody lifts, however long people look after everything else.
        let mut it = approving();
        it.bench.limits.agents = 0;
        it.bench.start();
        it.bench.run_with_people(80)
    }),
    ("liveness", || {
        // When all is over there is word of an issue that nobody can see.
        let mut it = done();
        let Task { project, issue, .. } = it.now();
        let mut reading = it.bench.world.tracker.see(&issue).expect("the issue");
        (reading.issue, reading.number, reading.status) = ("demo-2".into(), 2, Some(Status::Backlog));
        let event = Event::Issue(Box::new(IssueSeen { project, reading }));
        let late = Incoming::of(Target::Issue { prefix: "DEMO".to_owned() }, event);
        it.bench.delay(Fault::LateReply, late.with(vec![Blob::of("Add a flag"), Blob::of("please")]));
        it.bench.run_with_people(1)
    }),
];

/// What only a history can tell.
const HISTORIES: &[Break] = &[
    ("nothing-panics", || {
        let mut journal = in_memory;
        let lines = ["history of a project".to_owned(), "sweep".to_owned()];
        let mut ground = Ground { journal: &mut journal, also: |_| panic!("on purpose") };
        broken_by(&lines, &mut ground)
    }),
    ("everything-is-delivered", || {
        let mut journal = in_memory;
        let lines =
            ["history of a project", "issue 1 \"Add a flag\" in \"Backlog\"", "everything is delivered"];
        broken_by(&lines.map(str::to_owned), &mut Ground { journal: &mut journal, also: nothing_else })
    }),
    ("the-store-says-what-was-written", || {
        // A store that has nothing of it after a crash.
        let empty = |_| Ok(Box::new(Plain::new(Box::<MemoryJournal>::default())) as Store);
        let mut journal = || Twin::on(Box::new(empty));
        let lines = ["history of a project".to_owned(), "crash".to_owned()];
        broken_by(&lines, &mut Ground { journal: &mut journal, also: nothing_else })
    }),
];

/// What comes of lines.
fn broken_by(lines: &[String], ground: &mut Ground<'_>) -> Result<(), Broken> {
    match again(lines, ground).expect("a journal").broken {
        Some((_, broken)) => Err(broken),
        None => Ok(()),
    }
}

fn ended(run: RunId, how: RunHow) -> Event {
    Event::RunEnded(Box::new(RunEnd {
        run,
        how,
        wall: Span(0),
        usage: Usage::default(),
        tail: None,
        left_out: 0,
    }))
}

fn is_ready(call: &Call) -> bool {
    let Call::Tracker(TrackerCall::Comment { note, .. }) = call else { return false };
    matches!(**note, Note::RequirementsReady { .. })
}

fn taken(press: &str) -> Reason {
    Reason::GestureTaken { press: press.to_owned(), by: "board".to_owned() }
}

fn is_done(row: &mut orch_core::journal::Row) {
    row.changes.push(Change::Staged(Stage::Done));
}

/// Another task is born, and has this.
fn another(it: &mut Scene, has: Change) -> &mut Scene {
    let rows = it.bench.engine().journal_ref().all();
    let born = rows.iter().flat_map(|row| &row.changes).find(|change| matches!(change, Change::Born { .. }));
    let Some(Change::Born { project, mut reading, .. }) = born.cloned() else { panic!("it was born") };
    reading.issue = "demo-2".into();
    let id = orch_core::id::TaskId::from("DEMO-002");
    it.row_of(Entity::Task(id.clone()), |row| row.changes = vec![Change::Born { id, project, reading }, has])
}

/// The world forgets a run and starts it again.
fn launches_again(it: &mut Scene) {
    let rows = it.bench.engine().journal_ref().all().iter().rev();
    let mut effects = rows.flat_map(|row| row.effects.clone());
    let launch =
        effects.find(|effect| matches!(effect.call, Call::Agent(AgentCall::Launch(_)))).expect("a launch");
    it.bench.world.runs.clear();
    it.bench.world.perform(&launch);
}

/// The newest run of an agent is asked for once more, and told otherwise.
fn told(it: &mut Scene, change: impl FnOnce(&mut Assignment)) {
    let call = it.call(|call| matches!(call, Call::Agent(AgentCall::Launch(_))));
    let Call::Agent(AgentCall::Launch(mut work)) = call else { panic!("a launch") };
    change(&mut work);
    it.row(|row| wants(row, Call::Agent(AgentCall::Launch(work))));
}

/// What is known of the watch is this.
fn watched(it: &mut Scene, change: impl FnOnce(&mut Watch)) {
    let mut watch = it.now().watch.expect("a watch");
    change(&mut watch);
    it.row(|row| row.changes.push(Change::Watched(watch)));
}

/// The candidate reaches main.
fn merges(it: &mut Scene) {
    let candidate = it.candidate();
    it.repository().main_was.push(candidate);
}

/// The hook begins.
fn deploys(it: &mut Scene) {
    let commit = it.now().merged.expect("merged").commit;
    it.hook(commit, None);
}

/// Proves of every promise that the simulator goes red under its name where the promise is broken, in each place that looks at
/// it, and of every moment in the table that it was green until then.
#[test]
fn every_promise_can_go_red() {
    let all = [STEPS, ROWS, TASKS, DELIVERY, REST, HISTORIES, elsewhere::ELSEWHERE].concat();
    let mut wrong = Vec::new();
    let mut sites = sites::all();
    for (promise, breaks) in &all {
        match catch_unwind(AssertUnwindSafe(breaks)) {
            Ok(Err(broken)) if broken.name == *promise => {
                let at = |(file, line): &(String, u32)| {
                    broken.at.file().ends_with(&format!("/src/{file}")) && broken.at.line() == *line
                };
                sites.retain(|site| !at(site));
            }
            Ok(Err(broken)) => wrong.push(format!("{promise}: {broken}")),
            Ok(Ok(())) => wrong.push(format!("{promise}: nobody sees it")),
            Err(_) => wrong.push(format!("{promise}: it cannot be broken like this")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sites.is_empty(), "nothing is broken that would be seen at {sites:#?}");
    let shown: BTreeSet<&str> = all.iter().map(|(promise, _)| *promise).collect();
    let promises = Occasion::ALL.iter().flat_map(|occasion| occasion.promises()).copied();
    let promises: BTreeSet<&str> = promises.collect();
    let differ: Vec<_> = shown.symmetric_difference(&promises).collect();
    assert!(differ.is_empty(), "each promise stands here with what breaks it, and nothing else: {differ:?}");
}

/// Proves that what breaks a promise is what is forged, not that something is: a row about the task with nothing in it
/// breaks none.
#[test]
fn a_row_without_anything_breaks_nothing() {
    for mut it in [
        unasked(),
        cutting(),
        approving(),
        working(Stage::Review),
        merging(),
        deploying(),
        watching(),
        done(),
    ] {
        it.row(|_| ()).look().expect("nothing is broken");
    }
}
