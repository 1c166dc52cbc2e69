//! The local forge: main moves once, by exactly what was tested, and never over a person's work.

use std::fs;

use orch_adapters::Log;
use orch_adapters::forge::local::{ChangeState, LocalForge};
use orch_adapters::git::{BranchSeen, Hub};
use orch_core::call::git::Candidate;
use orch_core::call::{Failure, FailureKind, ForgeCall, ForgeReply, GitCall, GitReply};
use orch_core::id::{Commit, ProjectId, TaskId};
use orch_core::refusal::Refusal;
use orch_core::stage::Role;

use crate::bench::{BRANCH, Bench, ITEM, git, git_at_push, person, write};

fn project() -> ProjectId {
    ProjectId::from("demo")
}

pub(crate) struct Forge {
    pub(crate) bench: Bench,
    forge: LocalForge,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let bench = Bench::new();
        let forge = LocalForge::open(&bench.folder.path().join("forge.db"), orch_adapters::Log::Own).unwrap();
        Self { bench, forge }
    }

    fn reply(&self, call: &ForgeCall) -> ForgeReply {
        self.forge.perform(&project(), &self.bench.hub, call, &title).expect("the forge answers")
    }

    /// A branch with a developer's commit, its change request, and its candidate.
    pub(crate) fn ready(&self, path: &str) -> (u64, Candidate) {
        let (head, _) = self.bench.cut();
        let collected = self.bench.run(1, Role::Developer, &head, |tree| write(tree, path, "by the task\n"));
        let candidate = match self.bench.candidate(&collected.head) {
            GitReply::Candidate(candidate) => candidate,
            other => panic!("{other:?}"),
        };
        (self.open(&candidate.commit), candidate)
    }

    pub(crate) fn open(&self, head: &Commit) -> u64 {
        match self.reply(&open_call(head)) {
            ForgeReply::ChangeOpened { change } => change,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn merge(&self, change: u64, candidate: &Candidate) -> ForgeReply {
        self.reply(&merge_call(change, candidate))
    }

    pub(crate) fn main(&self) -> String {
        person(&self.bench.origin, &["rev-parse", "refs/heads/trunk"])
    }
}

fn open_call(head: &Commit) -> ForgeCall {
    ForgeCall::OpenChange {
        branch: BRANCH.to_owned(),
        head: head.clone(),
        title: orch_core::call::Text::of("Say hello"),
        task: TaskId::from("ORCH-007"),
    }
}

fn merge_call(change: u64, candidate: &Candidate) -> ForgeCall {
    ForgeCall::Merge { change, candidate: candidate.commit.clone(), main: candidate.main.clone() }
}

fn merged(candidate: &Candidate) -> ForgeReply {
    ForgeReply::Merged { commit: candidate.commit.clone(), tree: candidate.tree.clone() }
}

/// Proves that a merge reaches a clean checkout with files and index, that a lost answer is looked up, and that there is
/// one change request a branch.
#[test]
fn git_merges_once_into_a_clean_checkout() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    assert_eq!(forge.open(&candidate.commit), change);
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    assert_eq!(forge.main(), candidate.commit.as_str());
    assert_eq!(forge.bench.hub.main_head().unwrap(), candidate.commit);
    assert!(forge.bench.origin.join("src/hello.rs").exists());
    assert_eq!(person(&forge.bench.origin, &["status", "--porcelain"]), "");
    let state = forge.forge.change(&project(), change).unwrap().unwrap().state;
    assert_eq!(state, ChangeState::Merged(candidate.commit.clone()));
    // Later commits of people do not undo it.
    forge.bench.main_gets("later.txt", "x");
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    // Nothing but main was pushed.
    assert_eq!(person(&forge.bench.origin, &["for-each-ref", "--format=%(refname)"]), "refs/heads/trunk");
}

/// Proves decision 43: a checkout with changes, staged or not, or with a file in the way holds the merge; nothing moves
/// and nothing of the person's is lost.
#[test]
fn git_never_merges_over_a_dirty_checkout() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let before = forge.main();
    let dirty = ForgeReply::CheckoutDirty {
        path: forge.bench.hub.origin().to_owned(),
        branch: Some("trunk".to_owned()),
    };
    write(&forge.bench.origin, "README.md", "mine\n");
    assert_eq!(forge.merge(change, &candidate), dirty);
    person(&forge.bench.origin, &["add", "-A"]);
    assert_eq!(forge.merge(change, &candidate), dirty);
    person(&forge.bench.origin, &["reset", "-q", "--hard"]);
    write(&forge.bench.origin, "src/hello.rs", "an untracked file in the way\n");
    assert_eq!(forge.merge(change, &candidate), dirty);
    assert_eq!(forge.main(), before);
    let kept = fs::read_to_string(forge.bench.origin.join("src/hello.rs")).unwrap();
    assert_eq!(kept, "an untracked file in the way\n");
    fs::remove_file(forge.bench.origin.join("src/hello.rs")).unwrap();
    // A checkout of another branch is nobody's business.
    person(&forge.bench.origin, &["checkout", "-q", "-b", "elsewhere"]);
    write(&forge.bench.origin, "README.md", "mine again\n");
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    assert_eq!(fs::read_to_string(forge.bench.origin.join("README.md")).unwrap(), "mine again\n");
}

/// Proves that a merge that lost its power between the checkout's files and main is finished, not taken for a person's
/// work.
#[test]
fn git_finishes_a_half_made_merge() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let hub = forge.bench.hub.bare();
    person(&forge.bench.origin, &["fetch", "-q", hub.to_str().unwrap(), candidate.commit.as_str()]);
    person(&forge.bench.origin, &["read-tree", "-u", "-m", "HEAD", candidate.commit.as_str()]);
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    assert_eq!(person(&forge.bench.origin, &["status", "--porcelain"]), "");
}

/// Proves decision 19: if main is not where it was tested nothing happens, and nothing is ever forced.
#[test]
fn git_merges_only_onto_the_main_that_was_tested() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let main = forge.bench.main_gets("other.txt", "x");
    assert_eq!(forge.merge(change, &candidate), ForgeReply::MainMoved { main: main.clone() });
    assert_eq!(forge.main(), main.as_str());
    // Not even if it is told that the new main was the tested one.
    let lie = Candidate { main, ..candidate };
    let failure =
        forge.forge.perform(&project(), &forge.bench.hub, &merge_call(change, &lie), &title).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent, "{}", failure.cause);
    assert_eq!(forge.main(), lie.main.as_str());
}

/// Proves that of two racers for one main exactly one merges, each with a hub of its own.
#[test]
fn git_lets_one_of_two_racers_merge() {
    for bare in [false, true] {
        let forge = Forge::new();
        let origin = if bare {
            let bare = forge.bench.folder.path().join("bare.git");
            person(forge.bench.folder.path(), &["clone", "-q", "--bare", "person's repo", "bare.git"]);
            bare
        } else {
            forge.bench.origin.clone()
        };
        let base = forge.bench.hub.main_head().unwrap();
        let racers: Vec<(Hub, Candidate)> = ["a", "b"]
            .into_iter()
            .map(|name| {
                let root = forge.bench.folder.path().join(name);
                let hub = Hub::create(git(), &root, origin.to_str().unwrap(), None).unwrap();
                let work = forge.bench.folder.path().join(format!("work-{name}"));
                person(&root, &["clone", "-q", hub.bare().to_str().unwrap(), work.to_str().unwrap()]);
                write(&work, name, name);
                person(&work, &["add", "-A"]);
                person(&work, &["commit", "-q", "-m", name]);
                person(&work, &["push", "-q", "origin", "HEAD:refs/heads/race"]);
                let id = |what: &str| person(&work, &["rev-parse", what]);
                let candidate = Candidate {
                    commit: Commit::from(id("HEAD")),
                    tree: orch_core::id::Tree::from(id("HEAD^{tree}")),
                    main: base.clone(),
                    change: orch_core::id::Digest::of(b""),
                };
                (hub, candidate)
            })
            .collect();
        let change = forge.open(&base);
        let replies: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = racers
                .iter()
                .map(|(hub, candidate)| {
                    let forge = &forge.forge;
                    scope
                        .spawn(move || forge.perform(&project(), hub, &merge_call(change, candidate), &title))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let main = person(&origin, &["rev-parse", "refs/heads/trunk"]);
        let winners = replies.iter().filter(|r| matches!(r, Ok(ForgeReply::Merged { .. }))).count();
        assert_eq!(winners, 1, "{replies:?}");
        for ((_, candidate), reply) in racers.iter().zip(&replies) {
            let won = matches!(reply, Ok(ForgeReply::Merged { .. }));
            assert_eq!(won, candidate.commit.as_str() == main, "{replies:?}");
        }
    }
}

/// Proves that a push which was killed after it had moved main is found to be the merge that it is: the change request says
/// so too, and nothing is left to be asked again (decision 19). `orch drill merge-killed` found that it stayed open.
#[test]
fn git_finds_the_merge_of_a_killed_push() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let git = git_at_push(&forge.bench.folder.path().join("dies"), "\"$git\" \"$@\"; kill -9 $$");
    let hub = Hub::open(git, forge.bench.hub.bare().parent().unwrap()).unwrap();
    let reply = forge.forge.perform(&project(), &hub, &merge_call(change, &candidate), &title);
    assert_eq!(reply.unwrap(), merged(&candidate));
    assert_eq!(forge.main(), candidate.commit.as_str());
    let state = forge.forge.change(&project(), change).unwrap().unwrap().state;
    assert_eq!(state, ChangeState::Merged(candidate.commit.clone()));
}

/// Proves that a change request that a person closed is not merged, and that a merged one stays merged.
#[test]
fn git_does_not_merge_a_closed_change_request() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    forge.reply(&ForgeCall::CloseChange { change });
    let state = forge.forge.change(&project(), change).unwrap().unwrap().state;
    assert_eq!(state, ChangeState::Closed);
    assert_eq!(forge.merge(change, &candidate), ForgeReply::ChangeClosed);
    forge.forge.set_open(&project(), change, true).unwrap();
    assert_eq!(forge.merge(change, &candidate), merged(&candidate));
    forge.reply(&ForgeCall::CloseChange { change });
    let state = forge.forge.change(&project(), change).unwrap().unwrap().state;
    assert_eq!(state, ChangeState::Merged(candidate.commit));
    assert_eq!(forge.forge.change(&project(), 99).unwrap(), None);
}

/// Proves decision 45: a deleted branch's head stays reachable, and main is never deleted.
#[test]
fn git_keeps_the_head_of_a_deleted_branch() {
    let forge = Forge::new();
    let (_, candidate) = forge.ready("src/hello.rs");
    let delete = |branch: &str, head: &Commit| {
        let call = ForgeCall::DeleteBranch { branch: branch.to_owned(), head: head.clone() };
        forge.forge.perform(&project(), &forge.bench.hub, &call, &title)
    };
    assert_eq!(delete(BRANCH, &candidate.commit), Ok(ForgeReply::BranchDeleted));
    assert_eq!(delete(BRANCH, &candidate.commit), Ok(ForgeReply::BranchDeleted));
    let kept = format!("refs/orch/deleted/{BRANCH}/{}", candidate.commit);
    assert_eq!(forge.bench.hub_git(&["rev-parse", &kept]), candidate.commit.as_str());
    assert_eq!(delete("trunk", &candidate.main).unwrap_err().kind, FailureKind::Permanent);
}

/// Proves that a gate's newest verdict on a commit is kept.
#[test]
fn git_statuses_of_a_commit_are_kept() {
    let forge = Forge::new();
    let commit = forge.bench.hub.main_head().unwrap();
    for (context, passed) in [("ci", false), ("review", true), ("ci", true)] {
        let call = ForgeCall::SetCommitStatus { commit: commit.clone(), context: context.to_owned(), passed };
        assert_eq!(forge.reply(&call), ForgeReply::CommitStatusSet);
    }
    let statuses = forge.forge.statuses(&project(), &commit).unwrap();
    assert_eq!(statuses, [("ci".to_owned(), true), ("review".to_owned(), true)]);
}

fn title(_: &orch_core::id::Digest) -> Result<Option<String>, Failure> {
    Ok(Some("Say hello".to_owned()))
}

impl Forge {
    fn seen(&self) -> BranchSeen {
        self.bench.hub.fetch_main().unwrap();
        let tasks = [TaskId::from(ITEM)].into();
        let mut seen = self.bench.hub.read_branches(&tasks).unwrap();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    fn by(&self) -> Option<String> {
        self.seen().in_main.map(|by| by.commit.to_string())
    }

    /// The person merges the branch of the hub by hand, and says so with these words.
    fn person_merges(&self, how: &[&str]) -> String {
        let origin = &self.bench.origin;
        let hub = self.bench.hub.bare();
        person(origin, &["fetch", "-q", hub.to_str().unwrap(), BRANCH]);
        person(origin, &[&["merge", "-q"], how, &["FETCH_HEAD"]].concat());
        self.main()
    }
}

/// Proves that main's own line, which `git log --first-parent` walks, goes on from what others brought to the merge of a task,
/// and that this is no squash of a branch which took it in.
#[test]
fn git_keeps_main_s_own_line() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let others = forge.bench.main_gets("src/other.rs", "meanwhile");
    let GitReply::Candidate(candidate) = forge.bench.candidate(&candidate.commit) else {
        panic!("no candidate")
    };
    assert_eq!(forge.by(), None, "what the branch took in from main is not the branch in main");
    assert!(matches!(forge.merge(change, &candidate), ForgeReply::Merged { .. }));
    let line = person(&forge.bench.origin, &["log", "--first-parent", "--max-count=2", "--format=%H"]);
    assert_eq!(line, format!("{}\n{others}", candidate.commit));
}

/// Proves that a merge by hand is seen whatever form it takes, with the commit by which main got it and its tree: moved
/// forward, merged, merged together with something else, squashed; and that it is seen no more when main is taken back.
#[test]
fn git_sees_merges_by_hand() {
    let forge = Forge::new();
    let (_, candidate) = forge.ready("src/hello.rs");
    let seen = forge.seen();
    assert_eq!((seen.branch.as_str(), seen.there, seen.in_main), (BRANCH, true, None));
    let before = forge.main();

    let main = forge.person_merges(&["--ff-only"]);
    assert_eq!(main, candidate.commit.as_str());
    let by = forge.seen().in_main.expect("main has it");
    assert_eq!((by.commit, by.tree), (candidate.commit.clone(), candidate.tree.clone()));
    // What comes later changes nothing about it.
    forge.bench.main_gets("later", "x");
    assert_eq!(forge.by(), Some(main));
    person(&forge.bench.origin, &["reset", "-q", "--hard", &before]);
    assert_eq!(forge.by(), None, "taken back");

    let merge = forge.person_merges(&["--no-ff", "-m", "by hand"]);
    forge.bench.main_gets("later", "y");
    let by = forge.seen().in_main.expect("main has it");
    assert_eq!((by.commit, by.tree), (merge.into(), candidate.tree.clone()));
    person(&forge.bench.origin, &["reset", "-q", "--hard", &before]);

    forge.bench.main_gets("src/other.rs", "meanwhile");
    let merge = forge.person_merges(&["--no-ff", "-m", "by hand"]);
    let by = forge.seen().in_main.expect("main has it");
    assert_eq!(by.commit.as_str(), merge);
    assert_ne!(by.tree, candidate.tree, "not what was tested");
    person(&forge.bench.origin, &["reset", "-q", "--hard", &before]);

    forge.person_merges(&["--squash"]);
    person(&forge.bench.origin, &["commit", "-q", "-m", "squashed"]);
    let squashed = forge.main();
    forge.bench.main_gets("later", "z");
    let by = forge.seen().in_main.expect("main has it");
    assert_eq!((by.commit, by.tree), (squashed.clone().into(), candidate.tree));
    // An agent that was at work goes on, on top of what was squashed: it is still what main has.
    forge.bench.run(2, Role::Developer, &candidate.commit, |tree| write(tree, "src/more.rs", "more\n"));
    assert_eq!(forge.by(), Some(squashed));
}

/// Proves that a published branch which somebody deletes is missed only where it had been, that its last head is kept,
/// and that branch and change request come back at a person's word.
#[test]
fn git_misses_and_restores_branches() {
    let mut forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    forge.bench.hub = forge.bench.hub.publishing(true);
    assert!(forge.seen().there, "one that was never published is not missed");
    let head = candidate.commit.clone();
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head: head.clone(), change: Some(change) };
    assert_eq!(forge.reply(&restore), ForgeReply::Restored);
    let there = || person(&forge.bench.origin, &["branch", "--list", BRANCH, "--format=%(objectname)"]);
    assert_eq!(there(), head.as_str(), "published");
    assert!(forge.seen().there);

    person(&forge.bench.origin, &["branch", "-q", "-D", BRANCH]);
    forge.forge.set_open(&project(), change, false).unwrap();
    assert!(!forge.seen().there);
    let kept = format!("refs/orch/kept/{BRANCH}/{head}");
    assert_eq!(forge.bench.hub_git(&["rev-parse", &kept]), head.as_str());
    let closed = forge.forge.closed(&project()).unwrap();
    assert_eq!(closed.into_iter().map(|(branch, _)| branch).collect::<Vec<_>>(), [BRANCH]);
    for _ in 0..2 {
        assert_eq!(forge.reply(&restore), ForgeReply::Restored);
        assert_eq!(there(), head.as_str());
        assert!(forge.seen().there);
        assert!(forge.forge.closed(&project()).unwrap().is_empty());
    }
}

/// Proves that the change requests of an older binary, which knew one a branch, are there with their numbers, and that a later
/// life of a task gets one of its own beside them.
#[test]
fn git_keeps_the_change_requests_of_an_older_binary() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forge.db");
    let rows = rusqlite::Connection::open(&file).unwrap();
    rows.execute_batch(
        "CREATE TABLE forge_changes (
            project TEXT NOT NULL,
            number INTEGER NOT NULL,
            branch TEXT NOT NULL,
            task TEXT NOT NULL,
            title TEXT NOT NULL,
            head TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'merged')),
            merged TEXT,
            PRIMARY KEY (project, number),
            UNIQUE (project, branch)
        ) STRICT;
        CREATE INDEX forge_closed ON forge_changes (project, branch) WHERE state = 'closed';
        INSERT INTO forge_changes VALUES ('demo', 7, 'feature/ORCH-007-say-hello', 'ORCH-007', 'Say hello', 'c0ffee',
            'closed', NULL);",
    )
    .unwrap();
    drop(rows);
    let bench = Bench::new();
    for _ in 0..2 {
        let forge = LocalForge::open(&file, Log::Own).unwrap();
        let kept = forge.change(&project(), 7).unwrap().unwrap();
        assert_eq!(
            (kept.branch.as_str(), kept.title.as_str(), kept.state),
            (BRANCH, "Say hello", ChangeState::Closed)
        );
        let call = ForgeCall::OpenChange {
            branch: BRANCH.to_owned(),
            head: bench.hub.main_head().unwrap(),
            title: orch_core::call::Text::of("Say hello"),
            task: TaskId::from("ORCH-007~2"),
        };
        let opened = forge.perform(&project(), &bench.hub, &call, &title).unwrap();
        assert_eq!(opened, ForgeReply::ChangeOpened { change: 8 });
        assert!(forge.closed(&project()).unwrap().is_empty());
    }
}

/// Proves decision 74: what Orch deleted is not brought back, but for a journal that was restored from before.
#[test]
fn git_brings_a_deleted_branch_back_for_a_restored_journal() {
    let forge = Forge::new();
    let (change, candidate) = forge.ready("src/hello.rs");
    let head = candidate.commit;
    let perform = |call: &ForgeCall| forge.forge.perform(&project(), &forge.bench.hub, call, &title);
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: head.clone() };
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head: head.clone(), change: Some(change) };
    assert_eq!(perform(&delete), Ok(ForgeReply::BranchDeleted));
    assert_eq!(perform(&restore).unwrap_err().kind, FailureKind::Permanent);
    for _ in 0..2 {
        forge.bench.hub.forget_runs().unwrap();
    }
    assert_eq!(perform(&restore), Ok(ForgeReply::Restored));
    assert_eq!(forge.bench.hub_git(&["rev-parse", &format!("refs/heads/{BRANCH}")]), head.as_str());
}

/// Proves that a change request whose title cannot be read just now is not opened under another one.
#[test]
fn git_opens_no_change_request_without_reading_its_title() {
    let forge = Forge::new();
    let (head, _) = forge.bench.cut();
    let unread = |_: &orch_core::id::Digest| Err(Failure::transient("too many open files".to_owned()));
    let opened = forge.forge.perform(&project(), &forge.bench.hub, &open_call(&head), &unread);
    assert_eq!(opened.unwrap_err().kind, FailureKind::Transient);
    let reply = forge.reply(&open_call(&head));
    assert_eq!(reply, ForgeReply::ChangeOpened { change: 1 });
    assert_eq!(forge.forge.change(&project(), 1).unwrap().unwrap().title, "Say hello");
}

/// Proves decision 74: a stop that comes while a change request is opened leaves none open, whoever is done first.
#[test]
fn git_opens_no_change_request_past_a_stop() {
    let forge = Forge::new();
    let (head, _) = forge.bench.cut();
    let perform =
        |call: &ForgeCall, text: &dyn Fn(&orch_core::id::Digest) -> Result<Option<String>, Failure>| {
            forge.forge.perform(&project(), &forge.bench.hub, call, text)
        };
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: head.clone() };
    let overtaken = |_: &orch_core::id::Digest| {
        assert_eq!(perform(&delete, &title), Ok(ForgeReply::BranchDeleted));
        Ok(None)
    };
    let opened = perform(&open_call(&head), &overtaken);
    assert_eq!(opened, Ok(ForgeReply::ChangeOpened { change: 1 }));
    let state = forge.forge.change(&project(), 1).unwrap().unwrap().state;
    assert_eq!(state, ChangeState::Closed);
}

/// Proves that of two hands that delete one branch at once neither fails for good, and the branch is gone.
#[test]
fn git_lets_two_hands_delete_a_branch() {
    for _ in 0..5 {
        let forge = Forge::new();
        let (head, _) = forge.bench.cut();
        let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head };
        // Whoever was slower is asked again, as the engine asks.
        let hand = || {
            for _ in 0..20 {
                match forge.forge.perform(&project(), &forge.bench.hub, &delete, &title) {
                    Ok(reply) => return reply,
                    Err(failure) => assert_eq!(failure.kind, FailureKind::Transient, "{failure:?}"),
                }
            }
            panic!("it is never deleted");
        };
        let both = std::thread::scope(|scope| {
            let other = scope.spawn(hand);
            [hand(), other.join().unwrap()]
        });
        assert_eq!(both, [ForgeReply::BranchDeleted, ForgeReply::BranchDeleted]);
        assert_eq!(forge.bench.hub_git(&["for-each-ref", &format!("refs/heads/{BRANCH}")]), "");
    }
}

/// Proves that the closed change request of a life of a task is none of the next life's that has the branch's name again.
#[test]
fn git_tells_the_change_requests_of_two_lives_apart() {
    let forge = Forge::new();
    let (change, _) = forge.ready("src/hello.rs");
    forge.forge.set_open(&project(), change, false).unwrap();
    let closed = forge.forge.closed(&project()).unwrap();
    assert!(closed.contains(&(BRANCH.to_owned(), TaskId::from("ORCH-007"))));
    assert!(!closed.contains(&(BRANCH.to_owned(), TaskId::from("ORCH-007~2"))));
}

/// Proves that a round which begins with a commit that the hub lost is refused with its name, and not tried for ever.
#[test]
fn git_names_a_commit_that_is_lost() {
    let forge = Forge::new();
    let mut call = crate::bench::cut_call("ORCH-007", BRANCH);
    let lost = Commit::from("0123456789012345678901234567890123456789");
    if let GitCall::CutBranch { carry, .. } = &mut call {
        *carry = Some(lost.clone());
    }
    let failure = forge.bench.perform(&call).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(failure.cause, Refusal::CommitLost { commit: lost }.into());
}
