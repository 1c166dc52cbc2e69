//! Do the real adapters keep the contracts of their ports? The suites are the simulator's, and so the same as its world's.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Barrier;

use orch_adapters::Log;
use orch_adapters::forge::local::LocalForge;
use orch_adapters::git::{Hub, Means};
use orch_adapters::tracker::builtin::{BuiltinTracker, Edit, TrackerAnswer};
use orch_core::artefact::{self, REQUIREMENTS, REVIEW};
use orch_core::call::tracker::{IssueReading, Labels, Status};
use orch_core::call::{Failure, ForgeCall, ForgeReply, GitCall, GitReply, TrackerCall, TrackerReply};
use orch_core::event::BranchReading;
use orch_core::id::{Commit, Digest, EffectId, IssueKey, ProjectId, RunId, Seq, TaskId};
use orch_core::journal::Blob;
use orch_core::time::Moment;
use orch_sim::contract::repository::{self, BRANCH, ITEM, KEY, TITLE, WORDS, Work, of_item};
use orch_sim::contract::{self, OutOfReach, tracker};

use crate::bench::{self, Bench, person, write};

/// A person's repository with its hub and the local forge.
struct Local {
    bench: Bench,
    forge: LocalForge,
    texts: BTreeMap<Digest, String>,
}

impl Local {
    fn new() -> Self {
        let bench = Bench::new();
        let forge = LocalForge::open(&bench.folder.path().join("forge.db"), Log::Own).unwrap();
        let texts = [TITLE, WORDS].map(|text| (Digest::of(text.as_bytes()), text.to_owned()));
        Self { bench, forge, texts: texts.into() }
    }

    /// The same with task branches that are published to the person's repository.
    fn publishing() -> Self {
        let mut local = Self::new();
        local.bench.hub = local.bench.hub.publishing(true);
        local
    }

    /// Where others push to task branches.
    fn public(&self) -> PathBuf {
        if self.bench.hub.publishes() { self.bench.origin.clone() } else { self.bench.hub.bare() }
    }

    fn project() -> ProjectId {
        ProjectId::from("demo")
    }

    /// The hub as another process has it: a hand that goes on beside its successor.
    fn another_hub(&self) -> Hub {
        let data = self.bench.folder.path().join("data");
        Hub::open(bench::git(), &data).unwrap().publishing(self.bench.hub.publishes())
    }

    fn git_at(&self, hub: &Hub, at: Moment, call: &GitCall) -> Result<GitReply, Failure> {
        let text = |digest: &Digest| Ok(self.texts.get(digest).map(|text| text.clone().into_bytes()));
        let artefact = |name: &str, bytes: &[u8], fresh: bool| {
            let read = artefact::read(name, bytes, fresh);
            (read.artefact, read.blobs)
        };
        let means = Means {
            at,
            text: &text,
            artefact: &artefact,
            secret: &|bytes| String::from_utf8_lossy(bytes).contains(KEY),
        };
        hub.perform(call, &means).map(|answer| answer.reply)
    }
}

/// Both at once, each as near to the other as threads can be.
pub(crate) fn at_once<T: Send>(one: impl FnOnce() -> T + Send, other: impl FnOnce() -> T + Send) -> [T; 2] {
    let ready = Barrier::new(2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            ready.wait();
            other()
        });
        ready.wait();
        [one(), other.join().unwrap()]
    })
}

const AT: Moment = Moment(1_700_000_000_000);
/// When the other hand looks at its clock.
const LATER: Moment = Moment(1_700_000_060_000);

impl repository::Stage for Local {
    fn git(&mut self, call: &GitCall) -> Result<GitReply, Failure> {
        self.git_at(&self.bench.hub, AT, call)
    }

    fn forge(&mut self, call: &ForgeCall) -> Result<ForgeReply, Failure> {
        let text = |digest: &Digest| Ok(self.texts.get(digest).cloned());
        self.forge.perform(&Self::project(), &self.bench.hub, call, &text)
    }

    fn git_twice(&mut self, call: &GitCall) -> [Result<GitReply, Failure>; 2] {
        let (local, other) = (&*self, self.another_hub());
        at_once(|| local.git_at(&local.bench.hub, AT, call), || local.git_at(&other, LATER, call))
    }

    fn forge_twice(&mut self, call: &ForgeCall) -> [Result<ForgeReply, Failure>; 2] {
        let (hub, texts) = (self.another_hub(), &self.texts);
        let file = self.bench.folder.path().join("forge.db");
        let forge = LocalForge::open(&file, Log::Own).unwrap();
        let text = |digest: &Digest| Ok(texts.get(digest).cloned());
        let project = Self::project();
        at_once(
            || self.forge.perform(&project, &self.bench.hub, call, &text),
            || forge.perform(&project, &hub, call, &text),
        )
    }

    fn keep_text(&mut self, text: &str) {
        self.texts.insert(Digest::of(text.as_bytes()), text.to_owned());
    }

    fn work(&mut self, run: RunId, on: &Commit, work: Work) {
        let folder = self.bench.tree(run.n, on, &[], None).folder;
        let by = format!("by {run}\n");
        match work {
            Work::Nothing => {}
            Work::Writes(path) => write(&folder, path, by),
            Work::Protected(path) => {
                write(&folder, path, &by);
                write(&folder, ".ci/run", by);
            }
            Work::Requirements => REQUIREMENTS.iter().for_each(|name| write(&folder, &of_item(name), &by)),
            Work::Judges | Work::Strays | Work::Tells => {
                write(&folder, &of_item(REVIEW), "---\nverdict: APPROVED\n---\n");
                if work == Work::Strays {
                    write(&folder, "src/stray", by);
                } else if work == Work::Tells {
                    write(&folder, &of_item("notes.md"), KEY);
                }
            }
        }
    }

    fn main_name(&self) -> String {
        self.bench.hub.main().to_owned()
    }

    fn main(&mut self) -> Commit {
        Commit::from(person(&self.bench.origin, &["rev-parse", "refs/heads/trunk"]))
    }

    fn main_gets(&mut self, path: &str, text: &str) -> Commit {
        self.bench.main_gets(path, text)
    }

    fn main_gets_through_another(&mut self, branch: &str) -> Commit {
        let (here, from) = (self.bench.origin.clone(), self.public());
        person(&here, &["fetch", "-q", from.to_str().unwrap(), &format!("refs/heads/{branch}")]);
        person(&here, &["checkout", "-q", "-b", "integration", "FETCH_HEAD"]);
        write(&here, "src/more", "by ann");
        person(&here, &["add", "-A"]);
        person(&here, &["commit", "-q", "-m", "by ann"]);
        person(&here, &["checkout", "-q", "trunk"]);
        person(&here, &["merge", "-q", "--no-ff", "-m", "by ann", "integration"]);
        person(&here, &["branch", "-q", "-D", "integration"]);
        Commit::from(person(&here, &["rev-parse", "HEAD"]))
    }

    fn main_loses_one(&mut self) {
        person(&self.bench.origin, &["reset", "-q", "--hard", "trunk@{1}"]);
    }

    fn branch_gets(&mut self, branch: &str, path: &str, text: &str) -> Commit {
        let work = self.bench.folder.path().join("ann");
        let _ = fs::remove_dir_all(&work);
        let (from, to) = (self.public(), work.display().to_string());
        person(self.bench.folder.path(), &["clone", "-q", "-b", branch, from.to_str().unwrap(), &to]);
        write(&work, path, text);
        person(&work, &["add", "-A"]);
        person(&work, &["commit", "-q", "-m", "by ann"]);
        person(&work, &["push", "-q", "origin", &format!("HEAD:refs/heads/{branch}")]);
        Commit::from(person(&work, &["rev-parse", "HEAD"]))
    }

    fn occupy(&mut self, branch: &str) {
        person(&self.bench.origin, &["branch", "-q", branch]);
    }

    fn branch_goes(&mut self, branch: &str) {
        person(&self.public(), &["update-ref", "-d", &format!("refs/heads/{branch}")]);
    }

    fn close(&mut self, change: u64) {
        self.forge.set_open(&Self::project(), change, false).unwrap();
    }

    fn dirty(&mut self, dirty: bool) {
        if dirty {
            write(&self.bench.origin, "README.md", "mine\n");
        } else {
            person(&self.bench.origin, &["checkout", "-q", "--", "README.md"]);
        }
    }

    fn busy(&mut self, busy: bool) {
        let hub = self.bench.hub.bare().join(format!("refs/heads/{BRANCH}.lock"));
        for lock in [hub, self.bench.origin.join(".git/refs/heads/trunk.lock")] {
            if busy { fs::write(lock, "").unwrap() } else { fs::remove_file(lock).unwrap() }
        }
    }

    fn head(&mut self, branch: &str) -> Option<Commit> {
        let name = format!("refs/heads/{branch}");
        let told = person(&self.public(), &["for-each-ref", "--format=%(objectname)", &name]);
        (!told.is_empty()).then_some(Commit::from(told))
    }

    fn parents(&mut self, commit: &Commit) -> Vec<Commit> {
        let told = self.bench.hub_git(&["show", "-s", "--format=%P", commit.as_str()]);
        told.split_whitespace().map(Commit::from).collect()
    }

    fn file(&mut self, commit: &Commit, path: &str) -> Option<String> {
        let there = self.bench.hub_git(&["ls-tree", commit.as_str(), path]);
        (!there.is_empty()).then(|| self.bench.hub_git(&["show", &format!("{commit}:{path}")]))
    }

    fn reading(&mut self, _: Option<u64>) -> BranchReading {
        self.bench.hub.fetch_main().unwrap();
        let mut seen = self.bench.hub.read_branches(&[TaskId::from(ITEM)].into()).unwrap();
        assert_eq!(seen.len(), 1, "{seen:?}");
        let seen = seen.remove(0);
        let open =
            !self.forge.closed(&Self::project()).unwrap().contains(&(seen.branch.clone(), seen.task.clone()));
        BranchReading { branch: seen.branch, there: seen.there, open, in_main: seen.in_main }
    }

    fn verdicts(&mut self, commit: &Commit) -> Vec<(String, bool)> {
        self.forge.statuses(&Self::project(), commit).unwrap()
    }
}

/// Proves the contract of git on a hub that keeps its task branches to itself.
#[test]
fn the_hub_keeps_the_contract_of_git() {
    contract::git::git(Local::new);
}

/// Proves the contract of git on a hub that publishes its task branches, where others push to them.
#[test]
fn a_publishing_hub_keeps_the_contract_of_git() {
    contract::git::git(Local::publishing);
}

/// Proves the contract of forges on the local one.
#[test]
fn the_local_forge_keeps_the_contract_of_forges() {
    contract::forge::forge(Local::new);
}

/// Proves it where branches are published too.
#[test]
fn a_publishing_local_forge_keeps_the_contract_of_forges() {
    contract::forge::forge(Local::publishing);
}

/// The built-in tracker in a file of its own.
struct Builtin {
    /// Removed with the stage.
    folder: tempfile::TempDir,
    tracker: BuiltinTracker,
}

impl Builtin {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tracker = BuiltinTracker::open(&folder.path().join("orch.db"), Log::Own).unwrap();
        Self { folder, tracker }
    }

    fn ask(tracker: &BuiltinTracker, effect: u32, call: &TrackerCall) -> Result<TrackerAnswer, Failure> {
        let words = |_: &orch_core::note::Note, _| Ok("done".to_owned());
        tracker.perform(call, EffectId::new(Seq(2), effect), Moment(7), &words)
    }
}

impl tracker::Stage for Builtin {
    const OUT_OF_REACH: &[OutOfReach] = &[
        ("a_missing_column_is_refused", "the built-in board has every column; later: Plane"),
        (
            "who_does_not_answer_is_asked_again",
            "its file is waited for longer than a test may take; without the wait: \
             test crates/adapters/src/tracker/builtin/tests.rs::a_busy_file_is_asked_again, \
             test crates/adapters/src/tracker/builtin/tests.rs::a_full_file_is_asked_again",
        ),
    ];

    fn perform(&mut self, effect: u32, call: &TrackerCall) -> Result<(TrackerReply, Vec<Blob>), Failure> {
        let answer = Self::ask(&self.tracker, effect, call)?;
        Ok((answer.reply, answer.blobs))
    }

    fn perform_twice(&mut self, effect: u32, call: &TrackerCall) -> [Result<TrackerReply, Failure>; 2] {
        let file = self.folder.path().join("orch.db");
        let other = BuiltinTracker::open(&file, Log::Own).unwrap();
        let ask = |tracker| Self::ask(tracker, effect, call).map(|answer| answer.reply);
        at_once(|| ask(&self.tracker), || ask(&other))
    }

    fn write(&mut self, title: &str, text: &str) -> IssueKey {
        let labels = Labels::default();
        self.tracker.create_issue(&Local::project(), title, text, Status::Backlog, labels).unwrap().key
    }

    fn press(&mut self, issue: &IssueKey, status: Status) {
        self.tracker.set_status(issue, status).unwrap();
    }

    fn say(&mut self, issue: &IssueKey, who: &str, what: &str) {
        self.tracker.comment(issue, who, what, Moment(8)).unwrap();
    }

    fn edit(&mut self, issue: &IssueKey, title: &str, text: &str) {
        let edit = Edit { title: Some(title.to_owned()), text: Some(text.to_owned()), ..Edit::default() };
        self.tracker.edit(issue, &edit).unwrap();
    }

    fn set_present(&mut self, issue: &IssueKey, present: bool) {
        self.tracker.edit(issue, &Edit { present: Some(present), ..Edit::default() }).unwrap();
    }

    fn remove_column(&mut self, _: Status) {
        unreachable!("out of reach")
    }

    fn busy(&mut self, _: bool) {
        unreachable!("out of reach")
    }

    fn read(&mut self, issue: &IssueKey) -> IssueReading {
        self.tracker.issue(issue).unwrap().into_reading().0
    }
}

/// Proves the contract of trackers on the built-in one.
#[test]
fn the_builtin_tracker_keeps_the_contract_of_trackers() {
    contract::tracker::tracker(Builtin::new);
}
