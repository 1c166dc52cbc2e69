//! What does git promise? The bare hub with its program, and the trees that are plain state, run this same suite
//! (decisions 8, 18, 19, 32, 35, 40, 41, 45).

use orch_core::artefact::{REQUIREMENTS, REVIEW};
use orch_core::call::git::Proof;
use orch_core::call::{Failure, FailureKind, GitCall, GitReply, Text};
use orch_core::event::InMain;
use orch_core::id::{Commit, WorkItem};
use orch_core::record::{BRANCH as RECORDS, Record};
use orch_core::stage::Role;
use orch_core::undone::{Undone, Unfit};

use super::repository::{
    BRANCH, ITEM, Stage, Work, candidate, candidate_call, collect_call, collected, cut, cut_call, merge_call,
    of_item, opened, ready, run, worked,
};
use super::{keep, once, promises};

/// Shows every promise; `make` gives a fresh stage each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn git<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        a_branch_is_cut_from_fresh_main,
        a_branch_is_cut_once,
        two_hands_cut_one_branch,
        a_name_of_somebody_else_is_taken,
        a_name_with_unknown_work_is_taken,
        a_deleted_name_is_not_cut_again,
        a_taken_name_stays_taken,
        a_name_that_cannot_be_is_refused,
        a_next_round_carries_the_requirements,
        a_run_is_one_commit,
        a_run_is_collected_once,
        two_hands_collect_one_run,
        a_run_of_nothing_makes_no_commit,
        a_change_of_tests_alone_is_a_change,
        a_stray_write_is_undone_and_named,
        a_key_is_undone_and_named,
        a_verdict_is_fresh_in_its_own_run,
        a_protected_change_is_named_until_main_has_it,
        a_push_of_somebody_else_stays,
        a_push_after_the_collection_stays,
        a_run_counts_for_its_own_order,
        a_run_without_a_tree_cannot_count,
        a_branch_that_is_gone_stays_gone,
        a_candidate_contains_main,
        a_candidate_is_built_once_a_main,
        who_brought_a_part_stays_who_brought_it,
        a_candidate_in_main_is_told,
        what_came_through_another_branch_is_told_alike,
        two_hands_build_one_candidate,
        a_head_that_has_main_is_the_candidate,
        a_conflict_can_be_resolved,
        marks_in_main_are_nobodys_conflict,
        marks_that_main_had_are_nobodys_conflict,
        a_mark_that_is_left_is_a_conflict,
        documents_of_the_item_never_contradict,
        a_candidate_overwrites_no_push,
        a_proof_is_of_main_as_it_is,
        what_is_deployed_takes_along,
        an_unknown_commit_is_no_answer,
        a_record_is_written_once,
        two_hands_write_one_record,
        a_late_record_puts_nothing_back,
        a_record_moves_nothing_else,
        a_record_without_its_text_is_refused,
        what_is_busy_works_later,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Failure>) -> FailureKind {
    match answer {
        Err(failure) => failure.kind,
        Ok(done) => panic!("not refused: {done:?}"),
    }
}

/// A branch begins at main as it is now, with one commit on top that says what is asked for (rows 124, 144).
fn a_branch_is_cut_from_fresh_main<S: Stage>(stage: &mut S) {
    let main = stage.main_gets("new", "new\n");
    let (head, base) = cut(stage);
    assert_eq!(base, main);
    assert_eq!(stage.parents(&head), [main]);
    assert_eq!(stage.head(BRANCH), Some(head.clone()));
    assert!(stage.file(&head, &of_item("00-business-request.md")).is_some(), "the request is there");
    assert!(stage.file(&head, "new").is_some(), "and what main has");
}

/// Asked again, also with main somewhere else by now, it answers with the branch that it cut (decision 1).
fn a_branch_is_cut_once<S: Stage>(stage: &mut S) {
    let first = cut(stage);
    stage.main_gets("later", "x");
    assert_eq!(cut(stage), first);
    assert_eq!(stage.head(BRANCH), Some(first.0));
}

/// Two who cut it at once, as an old hand and its successor, cut one: neither takes the other's for somebody else's
/// (decision 1).
fn two_hands_cut_one_branch<S: Stage>(stage: &mut S) {
    let call = cut_call(ITEM, BRANCH, None);
    let told = stage.git_twice(&call);
    let GitReply::BranchCut { head, .. } = once(told, || stage.git(&call)) else { panic!("it is not cut") };
    assert_eq!(stage.head(BRANCH), Some(head));
}

/// A branch of another task or of a person is let alone, and so is main (row 126).
fn a_name_of_somebody_else_is_taken<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let main = stage.main_name();
    stage.occupy("feature/ORCH-008-x");
    for (task, branch) in
        [("ORCH-007~2", BRANCH), ("ORCH-008", "feature/ORCH-008-x"), ("ORCH-009", main.as_str())]
    {
        assert_eq!(stage.git(&cut_call(task, branch, None)), Ok(GitReply::NameTaken), "{branch}");
    }
    assert_eq!(stage.head(BRANCH), Some(head));
}

/// A branch of the task's own name on which work stands is not taken for a fresh one: the journal may be older than it.
fn a_name_with_unknown_work_is_taken<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    assert_eq!(stage.git(&cut_call(ITEM, BRANCH, None)), Ok(GitReply::NameTaken));
    assert_eq!(stage.head(BRANCH), Some(work.head));
}

/// A branch that the task had and that was deleted is not cut a second time for it; another life of the task may.
fn a_deleted_name_is_not_cut_again<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let delete = orch_core::call::ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head };
    assert!(stage.forge(&delete).is_ok());
    assert_eq!(stage.git(&cut_call(ITEM, BRANCH, None)), Ok(GitReply::NameTaken));
    assert_eq!(stage.head(BRANCH), None);
    let next = stage.git(&cut_call("ORCH-007~2", BRANCH, None));
    assert!(matches!(next, Ok(GitReply::BranchCut { .. })), "{next:?}");
}

/// A name that was taken when a task wanted it stays taken for it: it has another by now, and who comes late with this one leaves
/// no branch that nobody knows of (decision 74).
fn a_taken_name_stays_taken<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    assert_eq!(stage.git(&cut_call("ORCH-007~2", BRANCH, None)), Ok(GitReply::NameTaken));
    let delete = orch_core::call::ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head };
    assert!(stage.forge(&delete).is_ok());
    assert_eq!(stage.git(&cut_call("ORCH-007~2", BRANCH, None)), Ok(GitReply::NameTaken));
    assert_eq!(stage.head(BRANCH), None);
}

/// A name that no branch can have is refused for good.
fn a_name_that_cannot_be_is_refused<S: Stage>(stage: &mut S) {
    let answer = stage.git(&cut_call(ITEM, "feature/../../x", None));
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(stage.head("feature/../../x"), None);
}

/// The next round has the requirements of the earlier one, and not what was judged (decision 41).
fn a_next_round_carries_the_requirements<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let analysed = worked(stage, 1, &head, Work::Requirements);
    let judged = worked(stage, 2, &analysed.head, Work::Judges);
    let next = stage.git(&cut_call(ITEM, &format!("{BRANCH}-r2"), Some(judged.head)));
    let Ok(GitReply::BranchCut { head: next, .. }) = next else { panic!("{next:?}") };
    for name in REQUIREMENTS {
        let (was, now) = (stage.file(&analysed.head, &of_item(name)), stage.file(&next, &of_item(name)));
        assert!(was.is_some() && was == now, "{name}: {was:?}, then {now:?}");
    }
    assert_eq!(stage.file(&next, &of_item(REVIEW)), None, "a verdict is not carried over");
}

/// A run is one commit on top of what it worked on, and the task branch is there (decision 32, row 166).
fn a_run_is_one_commit<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    assert_eq!(stage.parents(&work.head), [head]);
    assert_eq!(stage.head(BRANCH), Some(work.head.clone()));
    assert!(stage.file(&work.head, "src/new").is_some());
    assert!(!work.empty && work.outside.is_empty() && work.protected.is_none(), "{work:?}");
}

/// Asked again, also when the tree is gone, it answers with what it collected, and the branch has one commit of it.
fn a_run_is_collected_once<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let call = collect_call(1, Role::Developer, &head);
    assert_eq!(collected(stage.git(&call)), work);
    for _ in 0..2 {
        assert_eq!(stage.git(&GitCall::DropTree { run: run(1) }), Ok(GitReply::TreeDropped));
    }
    assert_eq!(collected(stage.git(&call)), work);
    assert_eq!(stage.head(BRANCH), Some(work.head));
}

/// Two who collect it at once, as an old hand and its successor, add one commit: neither takes the other's for a push of
/// somebody else (decision 1).
fn two_hands_collect_one_run<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    stage.work(run(1), &head, Work::Writes("src/new"));
    let call = collect_call(1, Role::Developer, &head);
    let told = stage.git_twice(&call);
    let work = collected(Ok(once(told, || stage.git(&call))));
    assert_eq!((stage.parents(&work.head), stage.head(BRANCH)), (vec![head], Some(work.head.clone())));
    assert!(stage.file(&work.head, "src/new").is_some(), "what was written is there");
}

/// A run that changed nothing leaves the branch where it was, and the change empty (row 165).
fn a_run_of_nothing_makes_no_commit<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Nothing);
    assert_eq!((&work.head, work.empty), (&head, true));
    assert_eq!(stage.head(BRANCH), Some(head));
}

/// A change of tests alone is a change; the digest, to which the review is bound, is as without it (decision 40).
fn a_change_of_tests_alone_is_a_change<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let nothing = worked(stage, 1, &head, Work::Nothing);
    let work = worked(stage, 2, &head, Work::Writes("tests/new.rs"));
    assert_ne!(work.head, head);
    assert_eq!((work.empty, &work.change), (false, &nothing.change));
}

/// What a role may not write is undone and named; the change is the same as without it (decisions 8, 40).
fn a_stray_write_is_undone_and_named<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let judged = worked(stage, 2, &work.head, Work::Strays);
    assert_eq!(judged.outside.len(), 1, "{:?}", judged.outside);
    let undone = matches!(&judged.outside[0], Undone::Path { path, .. } if path == "src/stray");
    assert!(undone, "{:?}", judged.outside);
    assert_eq!(stage.file(&judged.head, "src/stray"), None);
    assert_eq!(judged.change, work.change);
}

/// A file with a key of the installation in it is undone and named, though its role may write it (invariant P9).
fn a_key_is_undone_and_named<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let judged = worked(stage, 1, &head, Work::Tells);
    let [Undone::Path { path, why: Unfit::Secret }] = judged.outside.as_slice() else {
        panic!("{:?}", judged.outside)
    };
    assert_eq!(stage.file(&judged.head, path), None);
}

/// A verdict counts as written by the run that wrote it and by no later one, and is no part of the change (decision 8).
fn a_verdict_is_fresh_in_its_own_run<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let judged = worked(stage, 2, &work.head, Work::Judges);
    let fresh = |all: &[orch_core::artefact::Artefact]| {
        all.iter().find(|artefact| artefact.name == REVIEW).map(|artefact| artefact.fresh)
    };
    assert_eq!((fresh(&work.artefacts), fresh(&judged.artefacts)), (None, Some(true)));
    assert_eq!(judged.change, work.change);
    let later = worked(stage, 3, &judged.head, Work::Writes("src/more"));
    assert_eq!(fresh(&later.artefacts), Some(false));
    assert_ne!(later.change, work.change, "another change is another one");
}

/// A change to a protected path is kept and named by its diff, in each later run too (decision 8).
fn a_protected_change_is_named_until_main_has_it<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Protected("src/new"));
    let Some(protected) = work.protected.clone() else { panic!("not named: {work:?}") };
    assert_eq!(protected.paths, [".ci/run"]);
    let later = worked(stage, 2, &work.head, Work::Writes("src/more"));
    assert_eq!(later.protected, Some(protected));
}

/// Who pushed to the task branch meanwhile loses nothing, however often it is asked (decision 45).
fn a_push_of_somebody_else_stays<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    stage.work(run(1), &head, Work::Writes("src/new"));
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    let call = collect_call(1, Role::Developer, &head);
    for _ in 0..2 {
        assert_eq!(stage.git(&call), Ok(GitReply::BranchMoved { head: theirs.clone() }));
        assert_eq!(stage.head(BRANCH), Some(theirs.clone()));
    }
}

/// The same where the run was collected, and the answer lost, before somebody pushed.
fn a_push_after_the_collection_stays<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    worked(stage, 1, &head, Work::Writes("src/new"));
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    let again = stage.git(&collect_call(1, Role::Developer, &head));
    assert_eq!(again, Ok(GitReply::BranchMoved { head: theirs.clone() }));
    assert_eq!(stage.head(BRANCH), Some(theirs));
}

/// What a run left counts for its role and its commit alone: a name is no proof after a restore.
fn a_run_counts_for_its_own_order<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    for call in [collect_call(1, Role::Tester, &head), collect_call(1, Role::Developer, &work.head)] {
        assert_eq!(kind(stage.git(&call)), FailureKind::Permanent);
    }
    assert_eq!(stage.head(BRANCH), Some(work.head));
}

/// A run that never was, and one whose tree was dropped before anybody looked, are refused: missing is not empty
/// (decision 36).
fn a_run_without_a_tree_cannot_count<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let call = collect_call(1, Role::Developer, &head);
    assert_eq!(kind(stage.git(&call)), FailureKind::Permanent);
    stage.work(run(1), &head, Work::Writes("src/new"));
    assert_eq!(stage.git(&GitCall::DropTree { run: run(1) }), Ok(GitReply::TreeDropped));
    assert_eq!(kind(stage.git(&call)), FailureKind::Permanent);
    assert_eq!(stage.head(BRANCH), Some(head));
}

/// A branch that was deleted is made again by nobody who only wants to add to it.
fn a_branch_that_is_gone_stays_gone<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    stage.work(run(1), &head, Work::Writes("src/new"));
    let delete = orch_core::call::ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: head.clone() };
    assert!(stage.forge(&delete).is_ok());
    assert_eq!(kind(stage.git(&collect_call(1, Role::Developer, &head))), FailureKind::Permanent);
    assert_eq!(kind(stage.git(&candidate_call(&head))), FailureKind::Permanent);
    assert_eq!(stage.head(BRANCH), None);
}

/// A candidate is the branch's head merged with main as it is now, on the task branch (decision 35).
fn a_candidate_contains_main<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let main = stage.main_gets("other", "x");
    let built = candidate(stage, &work.head);
    assert_eq!(built.main, main);
    assert_eq!(stage.parents(&built.commit), [main, work.head], "main's own line goes on");
    assert_eq!(stage.head(BRANCH), Some(built.commit.clone()));
    assert!(stage.file(&built.commit, "src/new").is_some() && stage.file(&built.commit, "other").is_some());
    assert_eq!(built.change, work.change, "a clean update keeps the change (decision 40)");
}

/// Asked again it is the same commit; with another main it is another one, and the branch follows (decision 1).
fn a_candidate_is_built_once_a_main<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("other", "x");
    let first = candidate(stage, &work.head);
    assert_eq!(candidate(stage, &work.head), first);
    let main = stage.main_gets("third", "x");
    let second = candidate(stage, &work.head);
    assert_eq!((&second.main, &second.change), (&main, &work.change));
    assert_ne!(second.commit, first.commit);
    assert_eq!(stage.head(BRANCH), Some(second.commit));
}

/// What main has already is told, with the commit of main that brought it, and nothing is made: asked again by a hand that
/// comes late, and asked for the merged head itself, also when main went on since (decision 61).
fn a_candidate_in_main_is_told<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("other", "x");
    let built = candidate(stage, &work.head);
    let change = opened(stage, &built.commit);
    stage.forge(&merge_call(change, &built)).expect("it merges");
    let told = Ok(GitReply::InMain(InMain { commit: built.commit.clone(), tree: built.tree.clone() }));
    assert_eq!(stage.git(&candidate_call(&work.head)), told);
    assert_eq!(stage.git(&candidate_call(&built.commit)), told);
    stage.main_gets("third", "x");
    assert_eq!(stage.git(&candidate_call(&built.commit)), told);
    assert_eq!(stage.head(BRANCH), Some(built.commit));
}

/// The branch may come into main with another one: the commit of main that brought it is told, and the same one later.
fn what_came_through_another_branch_is_told_alike<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("other", "x");
    let by = stage.main_gets_through_another(BRANCH);
    let reading = |stage: &mut S| stage.reading(None).in_main.map(|by| by.commit);
    assert_eq!(reading(stage), Some(by.clone()));
    stage.main_gets("later", "x");
    assert_eq!(reading(stage), Some(by.clone()));
    let answer = stage.git(&candidate_call(&work.head));
    assert!(matches!(&answer, Ok(GitReply::InMain(told)) if told.commit == by), "{answer:?}");
}

/// Who brought a branch into main is told alike when the branch went on and took in what main got since from others.
fn who_brought_a_part_stays_who_brought_it<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let change = opened(stage, &work.head);
    let built = candidate(stage, &work.head);
    stage.forge(&merge_call(change, &built)).expect("it merges");
    let reading = |stage: &mut S| stage.reading(None).in_main.map(|by| by.commit);
    assert_eq!(reading(stage), Some(built.commit.clone()));
    let more = worked(stage, 2, &built.commit, Work::Writes("src/more"));
    assert_eq!(reading(stage), Some(built.commit.clone()));
    stage.main_gets("other", "x");
    let again = candidate(stage, &more.head);
    assert_ne!(again.commit, more.head, "main is taken in");
    assert_eq!(reading(stage), Some(built.commit));
}

/// Two who build it at once build one (decision 1).
fn two_hands_build_one_candidate<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("other", "x");
    let call = candidate_call(&work.head);
    let told = stage.git_twice(&call);
    let GitReply::Candidate(built) = once(told, || stage.git(&call)) else { panic!("no candidate") };
    assert_eq!(stage.head(BRANCH), Some(built.commit));
}

/// A head that contains main is its own candidate: nothing is made.
fn a_head_that_has_main_is_the_candidate<S: Stage>(stage: &mut S) {
    let (head, base) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let built = candidate(stage, &work.head);
    assert_eq!((&built.commit, &built.tree, &built.main), (&work.head, &work.tree, &base));
}

/// Where main and the change contradict each other the files are named; both sides stand on the branch, which has main in
/// it, so that the next run resolves them.
fn a_conflict_can_be_resolved<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("src/new", "theirs\n");
    let answer = stage.git(&candidate_call(&work.head));
    let both = stage.head(BRANCH).expect("a branch");
    let conflict = GitReply::Conflict { paths: vec!["src/new".to_owned()], head: Some(both.clone()) };
    assert_eq!(answer, Ok(conflict.clone()));
    assert_eq!(stage.git(&candidate_call(&work.head)), Ok(conflict), "asked again");
    let resolved = worked(stage, 2, &both, Work::Writes("src/new"));
    assert_eq!(candidate(stage, &resolved.head).commit, resolved.head);
}

/// Both sides of a conflict, as git writes them.
const MARKS: &str = "<<<<<<< 0123456789012345678901234567890123456789\nours\n=======\ntheirs\n>>>>>>> main\n";

/// Who puts both sides of a conflict into main makes no conflict of the work of others, nor of the work that mends it.
fn marks_in_main_are_nobodys_conflict<S: Stage>(stage: &mut S) {
    stage.main_gets("src/old", MARKS);
    let (head, _) = cut(stage);
    let beside = worked(stage, 1, &head, Work::Writes("src/new"));
    assert_eq!(candidate(stage, &beside.head).commit, beside.head);
    let mended = worked(stage, 2, &beside.head, Work::Writes("src/old"));
    assert_eq!(candidate(stage, &mended.head).commit, mended.head);
}

/// Nor is it a conflict of work that began before main was mended: it gets main's file.
fn marks_that_main_had_are_nobodys_conflict<S: Stage>(stage: &mut S) {
    stage.main_gets("src/old", MARKS);
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("src/old", "mended\n");
    let built = candidate(stage, &work.head);
    assert_eq!(stage.file(&built.commit, "src/old").as_deref().map(str::trim_end), Some("mended"));
}

/// A mark that the work itself leaves is a conflict still, also where main got one of its own meanwhile.
fn a_mark_that_is_left_is_a_conflict<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("src/new", "theirs\n");
    assert!(matches!(stage.git(&candidate_call(&work.head)), Ok(GitReply::Conflict { .. })));
    let both = stage.head(BRANCH).expect("a branch");
    let later = worked(stage, 2, &both, Work::Writes("src/beside"));
    stage.main_gets("src/old", MARKS);
    let conflict = GitReply::Conflict { paths: vec!["src/new".to_owned()], head: Some(later.head.clone()) };
    assert_eq!(stage.git(&candidate_call(&later.head)), Ok(conflict));
}

/// Where somebody changed a document of the work item in main, and its run did too, the branch's counts: no conflict, and no
/// change of what was approved. Others are merged as they are, and what contradicts beside them is told.
fn documents_of_the_item_never_contradict<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let document = |n: usize| of_item(REQUIREMENTS[n]);
    let added = of_item("99-notes.md");
    let work = worked(stage, 1, &head, Work::Requirements);
    stage.main_gets(&document(0), "theirs\n");
    stage.main_gets(&added, "theirs\n");
    let built = candidate(stage, &work.head);
    let was = stage.file(&work.head, &document(0));
    assert_eq!(stage.file(&built.commit, &document(0)), was);
    assert_eq!(stage.file(&built.commit, &added).as_deref().map(str::trim_end), Some("theirs"));
    let later = worked(stage, 2, &built.commit, Work::Writes("src/new"));
    stage.main_gets(&document(0), MARKS);
    stage.main_gets("src/new", "theirs\n");
    let answer = stage.git(&candidate_call(&later.head));
    let both = stage.head(BRANCH).expect("a branch");
    assert_eq!(
        answer,
        Ok(GitReply::Conflict { paths: vec!["src/new".to_owned()], head: Some(both.clone()) })
    );
    assert_eq!(stage.file(&both, &document(0)), was);
}

/// A branch to which somebody pushed gets no candidate of what it was before.
fn a_candidate_overwrites_no_push<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    stage.main_gets("other", "x");
    let answer = stage.git(&candidate_call(&work.head));
    assert_eq!(answer, Ok(GitReply::BranchMoved { head: theirs.clone() }));
    assert_eq!(stage.head(BRANCH), Some(theirs));
}

fn proof<S: Stage>(stage: &mut S, commit: &Commit) -> Proof {
    match stage.git(&GitCall::Prove { commit: commit.clone(), deployed: None }) {
        Ok(GitReply::Proof(proof)) => proof,
        other => panic!("no proof: {other:?}"),
    }
}

/// A merge is proven by main as it is now: not before it, no more when it was taken back, still after later pushes
/// (decision 19).
fn a_proof_is_of_main_as_it_is<S: Stage>(stage: &mut S) {
    let (change, built) = ready(stage);
    assert!(!proof(stage, &built.commit).ancestor);
    let before = stage.main();
    assert!(stage.forge(&merge_call(change, &built)).is_ok());
    stage.main_loses_one();
    assert_eq!((proof(stage, &built.commit).ancestor, stage.main()), (false, before), "it was taken back");
    assert!(stage.forge(&merge_call(change, &built)).is_ok(), "and is merged again");
    stage.main_gets("later", "x");
    let shown = proof(stage, &built.commit);
    assert_eq!((shown.ancestor, shown.main, shown.tree), (true, stage.main(), built.tree));
}

/// What is deployed has what it was built on, itself too, and nothing that came later; what nobody knows any more has nothing
/// (decision 75).
fn what_is_deployed_takes_along<S: Stage>(stage: &mut S) {
    let first = stage.main_gets("one", "x");
    let second = stage.main_gets("two", "x");
    let mut along = |commit: &Commit, deployed: &Commit| {
        let call = GitCall::Prove { commit: commit.clone(), deployed: Some(deployed.clone()) };
        match stage.git(&call) {
            Ok(GitReply::Proof(proof)) => proof.taken_along,
            other => panic!("no proof: {other:?}"),
        }
    };
    assert!(along(&first, &second) && along(&first, &first));
    assert!(!along(&second, &first));
    assert!(!along(&first, &Commit::from("0123456789012345678901234567890123456789")));
}

/// Of a commit that nobody knows it cannot be told whether main has it: unknown, never no (decision 36).
fn an_unknown_commit_is_no_answer<S: Stage>(stage: &mut S) {
    let commit = Commit::from("0123456789012345678901234567890123456789");
    assert_eq!(kind(stage.git(&GitCall::Prove { commit, deployed: None })), FailureKind::Unknown);
}

const LATER_LOG: &str = "---\ndeploy_status: FAILED\n---\n# Deploy log\n";
const LOG: &str = "---\ndeploy_status: SUCCESS\n---\n# Deploy log\n";

fn record_call(item: &str, text: &str) -> GitCall {
    let (record, item, text) = (Record::DeployLog, WorkItem::from(item), Text::of(text));
    GitCall::WriteRecord { record, item, text, run: Some(run(9)) }
}

fn recorded<S: Stage>(stage: &mut S, item: &str, text: &str) -> Commit {
    stage.keep_text(text);
    match stage.git(&record_call(item, text)) {
        Ok(GitReply::RecordWritten { commit }) => commit,
        other => panic!("the record is not written: {other:?}"),
    }
}

/// A record is one commit however often it is written, and another one stands on top of it (decision 18).
fn a_record_is_written_once<S: Stage>(stage: &mut S) {
    let first = recorded(stage, ITEM, LOG);
    assert_eq!(recorded(stage, ITEM, LOG), first);
    let second = recorded(stage, "ORCH-008", LOG);
    assert_eq!(stage.parents(&second), [first]);
    assert_eq!(stage.head(RECORDS), Some(second.clone()));
    let path = |item| Record::DeployLog.path(&WorkItem::from(item));
    for item in [ITEM, "ORCH-008"] {
        assert_eq!(stage.file(&second, &path(item)).as_deref().map(str::trim_end), Some(LOG.trim_end()));
    }
    assert_eq!(recorded(stage, ITEM, LOG), second, "it stands below the tip");
}

/// Two who write it at once write one commit.
fn two_hands_write_one_record<S: Stage>(stage: &mut S) {
    let first = recorded(stage, "ORCH-008", LOG);
    let call = record_call(ITEM, LOG);
    stage.keep_text(LOG);
    let told = stage.git_twice(&call);
    once(told, || stage.git(&call));
    let tip = stage.head(RECORDS).expect("there are records");
    assert_eq!(stage.parents(&tip), [first]);
}

/// A text that stood there before the one that stands there now is not put back: whoever writes it comes late (decision 18).
fn a_late_record_puts_nothing_back<S: Stage>(stage: &mut S) {
    recorded(stage, ITEM, LOG);
    let newer = recorded(stage, ITEM, LATER_LOG);
    assert_eq!(recorded(stage, ITEM, LOG), newer);
    assert_eq!(stage.head(RECORDS), Some(newer));
}

/// A record moves neither main nor the task branch (decision 18).
fn a_record_moves_nothing_else<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let main = stage.main();
    recorded(stage, ITEM, LOG);
    assert_eq!((stage.main(), stage.head(BRANCH)), (main, Some(head)));
}

/// A record whose text the journal does not have (any more) is refused for good, never written empty.
fn a_record_without_its_text_is_refused<S: Stage>(stage: &mut S) {
    assert_eq!(kind(stage.git(&record_call(ITEM, "never kept"))), FailureKind::Permanent);
    assert_eq!(stage.head(RECORDS), None);
}

/// What another program keeps busy did not happen, and works when that one is done.
fn what_is_busy_works_later<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    stage.work(run(1), &head, Work::Writes("src/new"));
    let call = collect_call(1, Role::Developer, &head);
    stage.busy(true);
    assert_eq!(kind(stage.git(&call)), FailureKind::Transient);
    stage.busy(false);
    let work = collected(stage.git(&call));
    assert_eq!(stage.parents(&work.head), [head]);
}
