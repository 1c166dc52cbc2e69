//! The same promises, where else they are looked at: each place that can find one broken has something here or in the tables
//! beside that it finds.

use orch_core::call::deploy::Health;
use orch_core::id::Tree;
use orch_core::said::Cause;
use orch_core::task::Want;

use super::*;

/// Promises, and how they are broken.
pub(super) const ELSEWHERE: &[Break] = &[
    ("events-count-once", || {
        // The disk has a row more than whoever writes the next one knows.
        let mut it = approving();
        it.bench.engine().journal().forge().0.pop();
        it.bench.press(&"demo-1".into(), Status::Approved);
        it.bench.run()
    }),
    ("liveness", || {
        // What nobody can shorten takes a year.
        let mut it = working(Stage::Development);
        let (run, _) = it.now().live_run().expect("a run");
        let until = Some(it.bench.now.after(Span::minutes(60 * 24 * 365)));
        let how = RunHow::ProviderLimited { cause: Cause::from("no"), until };
        it.bench.world.runs.get_mut(&run).expect("it lives").ended = Some(how);
        it.bench.run_with_people(80)
    }),
    ("no-passing-column", || {
        let (issue, status) = ("demo-1".into(), Status::Blocked);
        stopped()
            .row(|row| {
                row.changes.push(Change::Followed);
                wants(row, Call::Tracker(TrackerCall::SetStatus { issue, status }));
            })
            .look()
    }),
    ("merged-is-tested", || {
        // A person merged something else by hand, and it is taken for the candidate.
        done()
            .unheard(|task| task.candidate.as_mut().expect("a candidate").tree = Tree::from("other"))
            .row(|row| row.reasons.push(Reason::MergedByHand { commit: "c".into() }))
            .look()
    }),
    ("merged-is-tested", || {
        // It is tested and green, and nobody's.
        let of_nobody = |it: &mut Scene| {
            it.repository().push_main("src/x", "new");
            let repository = it.repository();
            let tree = repository.tree(&repository.main());
            repository.tested.insert(tree);
        };
        approving().so(of_nobody).look()
    }),
    ("merged-is-tested", || done().so(|it| it.repository().tested.clear()).task(|_| ()).look()),
    ("done-means-delivered", || done().so(|it| it.bench.world.repositories.clear()).task(|_| ()).look()),
    ("done-means-delivered", || {
        done().task(|task| task.merged.as_mut().expect("merged").commit = "c".into()).look()
    }),
    ("who-is-away-is-asked-seldom", || {
        // A question that failed is asked again in that very row.
        let mut it = cutting();
        let Step::Asked { effect, .. } = it.now().step else { panic!("it is asked for") };
        let call = it.call(|call| matches!(call, Call::Git(GitCall::CutBranch { .. })));
        it.row(|row| {
            let outcome = Outcome::Failed(Failure::unknown("away"));
            row.event = Event::Reply(Box::new(EffectReply { effect, outcome }));
            wants(row, call);
        })
        .look()
    }),
    ("who-is-away-is-asked-seldom", || {
        // How often it was asked for is forgotten.
        let asks = |row: &mut Row| {
            row.event = Event::Gesture(gesture(Press::Retry));
            let step = Step::Asked { effect: NO_EFFECT, ask: Ask::OpenChange, tries: 1 };
            row.changes.push(Change::Stepped(Box::new(step)));
        };
        approving().row(asks).row(asks).look()
    }),
    ("limits-hold", || {
        // Two tasks wait for agents of theirs at once.
        let mut it = working(Stage::Development);
        it.bench.limits.agents = 1;
        it.bench.start();
        let run = Step::Running { run: NO_RUN, job: Job::Agent(Role::Developer) };
        it.twin(|twin| (twin.branch, twin.step) = (None, run)).look()
    }),
    ("costs-add-up", || {
        let mut it = working(Stage::Development);
        let (run, _) = it.now().live_run().expect("a run");
        let (how, wall) = (RunHow::Exited { code: 0 }, Span(0));
        let usage = Usage { output: Some(7), ..Usage::default() };
        it.row(|row| {
            row.event = ended(run, how.clone());
            row.changes.push(Change::RunOver { run, how, wall, usage, left_out: 0 });
        })
        .look()
    }),
    ("a-pass-is-earned", || {
        // A deploy of nothing that is in main.
        let other = |said: &mut orch_core::gate::Evidence| said.subject = Subject::Tree(Tree::from("other"));
        watching().evidence(GateId::CheckDeployStatus, other).look()
    }),
    ("a-pass-is-earned", || {
        // Tests say something about what is no tree.
        let other = |said: &mut orch_core::gate::Evidence| said.subject = Subject::Main("c".into());
        merging().evidence(GateId::CheckCiGreen, other).look()
    }),
    ("verdicts-are-entitled", || {
        let mut it = merging();
        let by = |job: &Job| matches!(job, Job::Agent(Role::Developer));
        let run = it.now().runs.iter().find(|row| by(&row.job)).expect("a developer").run;
        it.evidence(GateId::CheckReviewerVerdict, |said| said.run = Some(run)).look()
    }),
    ("evidence-binds", || merging().evidence(GateId::CheckCiGreen, |said| said.run = None).look()),
    ("evidence-binds", || {
        // They ran, but on another tree.
        let mut it = merging();
        let tree = Tree::from("other");
        it.repository().tested.insert(tree.clone());
        it.evidence(GateId::CheckCiGreen, |said| said.subject = Subject::Tree(tree)).look()
    }),
    ("consent-is-a-persons", || {
        let by = "ann".to_owned();
        approving()
            .row(|row| row.reasons.push(Reason::GestureTaken { press: "approve".to_owned(), by }))
            .look()
    }),
    ("done-comes-from-a-verdict", || {
        // A person is said to have seen it.
        let mut it = deploying();
        let commit = it.now().merged.expect("merged").commit;
        let (seen_by, at) = (Some("ann".to_owned()), Moment(1));
        let seen = Deployed { commit, hook: None, healthy: None, seen_by, with: None, at };
        it.row(|row| row.changes.push(Change::Deployed(seen))).look()
    }),
    ("the-journal-replays", || {
        let mut it = done();
        it.bench.engine().journal().forge().0.remove(0);
        it.bench.verify_journal()
    }),
    ("no-key-is-told", || {
        let mut it = done();
        it.row(|row| row.event = ended(NO_RUN, RunHow::Lost { cause: SECRET.into() }));
        it.bench.verify_journal()
    }),
    ("no-key-is-told", || {
        // It stands in a text that is kept.
        let mut it = approving();
        let mut seen = it.event(|event| matches!(event, Event::Issue(_)));
        let Event::Issue(issue) = &mut seen else { panic!("a reading") };
        issue.reading.text = Text::of(SECRET);
        issue.reading.revision = None;
        let texts = vec![Blob::of("Add a flag"), Blob::of(SECRET)];
        let told = Incoming::of(Target::Issue { prefix: "DEMO".to_owned() }, seen).with(texts);
        it.bench.tell(told);
        it.bench.verify_journal()
    }),
    ("main-only-through-the-gates", || {
        // What it touches of protected paths nobody was asked about.
        let touches = |it: &mut Scene| {
            let candidate = it.candidate();
            it.repository().slip_in(&candidate, "tests/CODEOWNERS", "* @nobody");
        };
        merging().so(touches).so(merges).look()
    }),
    ("main-only-through-the-gates", || {
        let tests = GateId::CheckCiGreen;
        merging().unheard(|task| task.evidence.retain(|said| said.gate != tests)).so(merges).look()
    }),
    ("main-only-through-the-gates", || {
        // It was asked about protected paths, and nobody answered.
        let (paths, diff) = (vec!["tests/CODEOWNERS".to_owned()], Digest::of(b"owners"));
        let touched = Some(orch_core::call::git::Protected { paths, diff });
        merging().unheard(|task| task.protected = touched).so(merges).look()
    }),
    ("effects-happen-once", || begins_again(working(Stage::Review), |job| matches!(job, Job::Agent(_)))),
    ("effects-happen-once", || {
        let tests = |step: &Step| matches!(step, Step::Running { job: Job::Ci(_), .. });
        begins_again(Scene::when(Preset::Library, |task| tests(&task.step)), |job| matches!(job, Job::Ci(_)))
    }),
    ("effects-happen-once", || begins_again(watching(), |job| *job == Job::Hook)),
    ("effects-happen-once", || {
        // Main moves a second time in this round.
        let mut it = done();
        it.repository().push_main("src/y", "new");
        let repository = it.repository();
        let commit = repository.main();
        let tree = repository.tree(&commit);
        repository.tested.insert(tree);
        it.unheard(|task| task.candidate.as_mut().expect("a candidate").commit = commit).look()
    }),
    ("previous-is-what-runs", || {
        // The hook that begins is told otherwise than it was asked for.
        let mut it = deploying();
        let commit = it.now().merged.expect("merged").commit;
        let (run, task, limit) = (NO_RUN, it.id.clone(), Span(1));
        let hook = DeployCall::Hook { run, task, commit: commit.clone(), previous: None, limit };
        it.row(|row| wants(row, Call::Deploy(hook))).so(|it| it.hook(commit, Some("c".into()))).look()
    }),
    ("a-stop-leaves-nothing", || {
        let mut it = working(Stage::Review);
        it.bench.gesture(&it.id.clone(), Press::Stop);
        it.settled().so(|it| it.repository().reopen_changes()).rest()
    }),
    ("every-issue-has-its-task", || {
        // It is asked for, and nobody begins.
        let asked = |it: &mut Scene| {
            let issue = it.bench.world.tracker.issues.values_mut().next().expect("the issue");
            issue.status = Some(Status::ToAnalyse);
        };
        unasked().so(asked).rest()
    }),
    ("a-reason-for-every-wait", || {
        approving().unheard(|task| task.step = Step::Queued(Want::Merge { tries: 0 })).rest()
    }),
    ("well-is-what-was-seen", || {
        // The service names another commit, and the look is taken for a good one.
        let mut it = watching();
        let mut watch = it.now().watch.expect("a watch");
        (watch.looks, watch.last) = (watch.looks + 1, None);
        it.row(|row| {
            let other = Health::Other { commit: "c".to_owned() };
            let outcome = Outcome::Done(Reply::Deploy(orch_core::call::DeployReply::Probed(other)));
            row.event = Event::Reply(Box::new(EffectReply { effect: NO_EFFECT, outcome }));
            row.changes.push(Change::Watched(watch));
        })
        .look()
    }),
    ("a-verdict-is-its-record", || {
        let watched = orch_core::record::Record::PostDeployLog;
        done().task(|task| task.records.retain(|known| known.record != watched)).look()
    }),
];

/// A run begins for which there was one already, under a name of its own.
fn begins_again(mut it: Scene, is: impl Fn(&Job) -> bool) -> Result<(), Broken> {
    let runs = it.now().runs;
    let mut again = runs.iter().rev().find(|row| is(&row.job)).expect("such a run").clone();
    Arc::make_mut(&mut again).run = NO_RUN;
    it.row(|row| row.changes.push(Change::RunBegan(again))).look()
}
