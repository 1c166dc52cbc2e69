//! How are the contracts staged in the simulator's world?

use orch_core::call::agent::Assignment;
use orch_core::call::deploy::Health;
use orch_core::call::tracker::{IssueReading, Status};
use orch_core::call::{
    AgentCall, AgentReply, Call, DeployCall, DeployReply, Failure, ForgeCall, ForgeReply, GateCall,
    GateReply, GitCall, GitReply, Reply, Text, TrackerCall, TrackerReply,
};
use orch_core::effect::{Effect, Line};
use orch_core::event::{BranchReading, Outcome, RunEnd, RunHow};
use orch_core::id::{Commit, Digest, EffectId, Entity, IssueKey, ProjectId, RunId, Seq, TaskId, WorkItem};
use orch_core::journal::Blob;
use orch_core::stage::Role;
use orch_core::time::Span;

use super::repository::{self, BRANCH, ITEM, Work};
use super::run::{self, Does, Order, Seen};
use super::{probe, tracker};
use crate::world::World;
use crate::world::repository::{ByHand, MAIN, Repository};
use crate::world::works::{Deed, Deployment, HookDeed, Worker};

/// The world with one project.
#[derive(Debug)]
pub struct Fake {
    world: World,
    project: ProjectId,
    effects: u32,
}

impl Default for Fake {
    fn default() -> Self {
        let mut world = World::default();
        let project = ProjectId::from("demo");
        world.repositories.entry(project.clone()).or_default().begin();
        Self { world, project, effects: 0 }
    }
}

impl Fake {
    /// Performs a call for an effect of its own, as a hand does.
    fn perform(&mut self, call: Call) -> Result<Reply, Failure> {
        self.effects += 1;
        self.perform_as(EffectId::new(Seq(1), self.effects), call)
    }

    fn perform_as(&mut self, id: EffectId, call: Call) -> Result<Reply, Failure> {
        let (project, entity) = (self.project.clone(), Entity::Task(TaskId::from(ITEM)));
        let effect = Effect { id, line: Line::Git(project.clone()), entity, project, call };
        match self.world.perform(&effect) {
            Outcome::Done(reply) => Ok(reply),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    fn repository(&mut self) -> &mut Repository {
        self.world.repositories.entry(self.project.clone()).or_default()
    }
}

/// An assignment of a run of [`ITEM`].
fn assignment(run: RunId, role: Role, commit: &Commit) -> Assignment {
    Assignment {
        run,
        task: TaskId::from(ITEM),
        item: WorkItem::from(ITEM),
        issue: "demo-7".into(),
        role,
        agent: "scripted".to_owned(),
        commit: commit.clone(),
        title: Text::of("title"),
        text: Text::of("text"),
        base: commit.clone(),
        attempt: (1, 3),
        findings: None,
        answers: false,
        limit: Span::minutes(5),
        tokens: 0,
    }
}

impl repository::Stage for Fake {
    fn git(&mut self, call: &GitCall) -> Result<GitReply, Failure> {
        match self.perform(Call::Git(call.clone()))? {
            Reply::Git(reply) => Ok(reply),
            other => panic!("git does not answer {other:?}"),
        }
    }

    fn forge(&mut self, call: &ForgeCall) -> Result<ForgeReply, Failure> {
        match self.perform(Call::Forge(call.clone()))? {
            Reply::Forge(reply) => Ok(reply),
            other => panic!("a forge does not answer {other:?}"),
        }
    }

    /// The world does one thing after the other.
    fn git_twice(&mut self, call: &GitCall) -> [Result<GitReply, Failure>; 2] {
        self.effects += 1;
        let id = EffectId::new(Seq(1), self.effects);
        [(); 2].map(|()| match self.perform_as(id, Call::Git(call.clone()))? {
            Reply::Git(reply) => Ok(reply),
            other => panic!("git does not answer {other:?}"),
        })
    }

    fn forge_twice(&mut self, call: &ForgeCall) -> [Result<ForgeReply, Failure>; 2] {
        self.effects += 1;
        let id = EffectId::new(Seq(1), self.effects);
        [(); 2].map(|()| match self.perform_as(id, Call::Forge(call.clone()))? {
            Reply::Forge(reply) => Ok(reply),
            other => panic!("a forge does not answer {other:?}"),
        })
    }

    fn keep_text(&mut self, text: &str) {
        self.repository().kept.insert(Digest::of(text.as_bytes()), text.to_owned());
    }

    fn work(&mut self, run: RunId, on: &Commit, work: Work) {
        let deed = match work {
            Work::Nothing => Deed::Nothing,
            Work::Writes(path) => Deed::Touch(path.to_owned()),
            Work::Protected(_) => Deed::Protected,
            Work::Requirements | Work::Judges => Deed::Well,
            Work::Strays => Deed::Outside,
            Work::Tells => Deed::Tell,
        };
        self.world.works.force(run, deed);
        let launch = AgentCall::Launch(Box::new(assignment(run, work.role(), on)));
        self.perform(Call::Agent(launch)).expect("it starts");
        self.world.finish(run);
    }

    fn main_name(&self) -> String {
        MAIN.to_owned()
    }

    fn main(&mut self) -> Commit {
        self.repository().main()
    }

    fn main_gets(&mut self, path: &str, text: &str) -> Commit {
        self.repository().push_main(path, text);
        self.repository().main()
    }

    fn main_gets_through_another(&mut self, branch: &str) -> Commit {
        self.repository().merge_by_hand(branch, ByHand::Through);
        self.main()
    }

    fn main_loses_one(&mut self) {
        self.repository().take_back();
    }

    fn branch_gets(&mut self, branch: &str, path: &str, text: &str) -> Commit {
        self.repository().push_branch(branch, path, text);
        self.head(branch).expect("the branch is there")
    }

    fn occupy(&mut self, branch: &str) {
        self.repository().occupy(branch);
    }

    fn branch_goes(&mut self, branch: &str) {
        self.repository().delete_branch(branch);
    }

    fn close(&mut self, change: u64) {
        self.repository().close_change(change);
    }

    fn dirty(&mut self, dirty: bool) {
        self.repository().dirty = dirty;
    }

    fn busy(&mut self, busy: bool) {
        self.world.outage = busy;
    }

    fn head(&mut self, branch: &str) -> Option<Commit> {
        let found = self.repository().branches().find(|(name, _)| *name == branch);
        found.map(|(_, head)| head.clone())
    }

    fn parents(&mut self, commit: &Commit) -> Vec<Commit> {
        self.repository().parents(commit).to_vec()
    }

    fn file(&mut self, commit: &Commit, path: &str) -> Option<String> {
        self.repository().file_at(commit, path).map(str::to_owned)
    }

    fn reading(&mut self, change: Option<u64>) -> BranchReading {
        self.repository().read_branch(BRANCH, change)
    }

    fn verdicts(&mut self, commit: &Commit) -> Vec<(String, bool)> {
        let said = self.repository().verdicts(commit);
        said.map(|(context, passed)| (context.to_owned(), passed)).collect()
    }
}

impl tracker::Stage for Fake {
    fn perform(&mut self, effect: u32, call: &TrackerCall) -> Result<(TrackerReply, Vec<Blob>), Failure> {
        let reply = self.perform_as(EffectId::new(Seq(2), effect), Call::Tracker(call.clone()))?;
        let Reply::Tracker(reply) = reply else { panic!("a tracker does not answer {reply:?}") };
        Ok((reply, self.world.take_texts()))
    }

    /// The world does one thing after the other.
    fn perform_twice(&mut self, effect: u32, call: &TrackerCall) -> [Result<TrackerReply, Failure>; 2] {
        [(); 2].map(|()| tracker::Stage::perform(self, effect, call).map(|(reply, _)| reply))
    }

    fn write(&mut self, title: &str, text: &str) -> IssueKey {
        self.world.tracker.create(&self.project, title, text, Status::Backlog)
    }

    fn press(&mut self, issue: &IssueKey, status: Status) {
        self.world.tracker.press(issue, status);
    }

    fn say(&mut self, issue: &IssueKey, who: &str, what: &str) {
        self.world.tracker.say(issue, who, what);
    }

    fn edit(&mut self, issue: &IssueKey, title: &str, text: &str) {
        let issue = self.world.tracker.issues.get_mut(issue).expect("the issue");
        (issue.title, issue.text) = (title.to_owned(), text.to_owned());
    }

    fn set_present(&mut self, issue: &IssueKey, present: bool) {
        self.world.tracker.set_present(issue, present);
    }

    fn remove_column(&mut self, status: Status) {
        self.world.tracker.missing.insert(status);
    }

    fn busy(&mut self, busy: bool) {
        self.world.outage = busy;
    }

    fn read(&mut self, issue: &IssueKey) -> IssueReading {
        self.world.tracker.see(issue).expect("the issue is there")
    }
}

/// The world with one kind of run.
#[derive(Debug)]
pub struct Runs {
    fake: Fake,
    worker: Worker,
}

impl Runs {
    /// Runs of this worker.
    pub fn of(worker: Worker) -> Self {
        Self { fake: Fake::default(), worker }
    }
}

impl run::Stage for Runs {
    fn will(&mut self, run: RunId, does: Does) {
        let works = &mut self.fake.world.works;
        match (self.worker, does) {
            (Worker::Agent(_), Does::Ends(0)) => works.force(run, Deed::Well),
            (Worker::Agent(_), Does::Ends(code)) => works.force(run, Deed::Fail(code)),
            (Worker::Agent(_), Does::Hangs) => works.force(run, Deed::Hang),
            (Worker::Hook, Does::Ends(code)) => works.force_hook(run, HookDeed::Exit(code)),
            (Worker::Hook, Does::Hangs) => works.force_hook(run, HookDeed::Silent { deploys: false }),
            (Worker::Ci, Does::Ends(code)) => {
                works.script_tests(&WorkItem::from("DEMO-001"), vec![RunHow::Exited { code }]);
            }
            (Worker::Ci, Does::Hangs) => {
                works.script_tests(&WorkItem::from("DEMO-001"), vec![RunHow::TimedOut]);
            }
        }
    }

    fn start(&mut self, order: &Order) -> Result<u32, Failure> {
        let Order { run, task, commit, limit } = order.clone();
        let words = |word: &str| vec![word.to_owned()];
        let call = match self.worker {
            Worker::Agent(role) => {
                let assignment = Assignment { task, limit, ..assignment(run, role, &commit) };
                Call::Agent(AgentCall::Launch(Box::new(assignment)))
            }
            Worker::Ci => {
                let (setup, test, cache) = (Vec::new(), words("test"), Vec::new());
                Call::Gate(GateCall::Ci { run, task, commit, setup, test, cache, limit })
            }
            Worker::Hook => Call::Deploy(DeployCall::Hook { run, task, commit, previous: None, limit }),
        };
        match self.fake.perform(call)? {
            Reply::Agent(AgentReply::Launched { pid })
            | Reply::Gate(GateReply::Launched { pid })
            | Reply::Deploy(DeployReply::Launched { pid }) => Ok(pid),
            other => panic!("a start does not answer {other:?}"),
        }
    }

    /// The world does one thing after the other.
    fn start_twice(&mut self, order: &Order) -> [Result<u32, Failure>; 2] {
        [(); 2].map(|()| self.start(order))
    }

    fn unname(&mut self) {
        self.fake.world.works.unnamed = true;
    }

    fn stop(&mut self, run: RunId) -> Result<(), Failure> {
        let reply = self.fake.perform(Call::Agent(AgentCall::Stop { run }))?;
        assert_eq!(reply, Reply::Agent(AgentReply::Stopping));
        Ok(())
    }

    fn end(&mut self, run: RunId) -> RunEnd {
        self.fake.world.finish(run);
        self.fake.world.end(run).expect("it has ended")
    }

    fn said(&mut self, run: RunId) -> Option<String> {
        let words = self.fake.world.words(run)?;
        String::from_utf8(words.bytes).ok()
    }

    fn seen(&mut self, run: RunId) -> Seen {
        match self.fake.world.runs.get(&run) {
            None => Seen::NotBegun,
            Some(run) if run.in_doubt => Seen::CannotTell,
            Some(run) if run.ended.is_none() => Seen::Alive,
            Some(_) => Seen::Over,
        }
    }

    fn began(&mut self, run: RunId) -> usize {
        self.fake.world.begun.iter().filter(|begun| **begun == run).count()
    }

    fn lose(&mut self, run: RunId, _: u32) {
        if let Some(run) = self.fake.world.runs.get_mut(&run) {
            run.ended = Some(RunHow::Lost { cause: "killed".into() });
        }
    }

    /// Nothing in the world outlives its supervisor.
    fn bury(&mut self, _: RunId) {}

    fn hide(&mut self, run: RunId, hidden: bool) {
        if let Some(run) = self.fake.world.runs.get_mut(&run) {
            run.in_doubt = hidden;
        }
    }
}

impl probe::Stage for Fake {
    fn is(&mut self, service: probe::Deployed) {
        let (says, commit) = match service {
            probe::Deployed::Absent => (Deployment::Truthful, None),
            probe::Deployed::Well(commit) => (Deployment::Truthful, Some(commit)),
            probe::Deployed::Unwell(commit) => (Deployment::Unwell, Some(commit)),
            probe::Deployed::Odd => (Deployment::Silent, Some(Commit::from(run::COMMIT))),
        };
        self.world.works.service = says;
        self.world.deployed = commit.into_iter().map(|commit| (self.project.clone(), commit)).collect();
    }

    fn ask(&mut self, commit: &Commit) -> Result<Health, Failure> {
        match self.perform(Call::Deploy(DeployCall::Probe { commit: commit.clone() }))? {
            Reply::Deploy(DeployReply::Probed(health)) => Ok(health),
            other => panic!("a probe does not answer {other:?}"),
        }
    }
}
