//! What does a forge promise? The local forge and the simulator's run this same suite (decisions 19, 35, 43, 45).

use orch_core::call::{Failure, FailureKind, ForgeCall, ForgeReply, GitReply};
use orch_core::id::Commit;

use super::repository::{
    BRANCH, ITEM, Stage, Work, candidate, cut, cut_call, merge_call, open_call, opened, opened_for, ready,
    worked,
};
use super::{keep, once, promises};

/// Shows every promise; `make` gives a fresh stage each time.
///
/// # Panics
/// At the end, naming the promises that were broken.
pub fn forge<S: Stage>(make: impl Fn() -> S) {
    let promises = promises![
        a_branch_has_one_change_request,
        two_hands_open_one_change_request,
        a_closed_change_request_stays_closed,
        another_life_has_a_change_request_of_its_own,
        a_merge_brings_exactly_the_candidate,
        a_merge_happens_once,
        two_hands_merge_once,
        a_merge_is_for_the_main_that_was_tested,
        a_candidate_without_main_is_refused,
        a_closed_change_request_is_not_merged,
        an_unknown_change_request_is_not_merged,
        a_merged_change_request_stays_merged,
        a_checkout_with_changes_is_not_merged_over,
        a_restore_brings_back_what_was_taken,
        a_restore_overwrites_nothing,
        a_branch_is_deleted_where_it_was_last_seen,
        what_orch_put_there_since_is_deleted,
        a_candidate_built_again_is_deleted,
        a_later_life_is_left_alone,
        what_somebody_pushed_on_a_candidate_stays,
        a_lost_branch_can_be_brought_back,
        what_orch_deleted_stays_deleted,
        of_what_orch_deleted_nothing_opens,
        main_is_no_task_branch,
        the_newest_verdict_of_a_gate_is_kept,
        what_is_busy_is_merged_later,
    ];
    keep(promises, S::OUT_OF_REACH, make);
}

fn kind(answer: Result<ForgeReply, Failure>) -> FailureKind {
    match answer {
        Err(failure) => failure.kind,
        Ok(done) => panic!("not refused: {done:?}"),
    }
}

/// Asked again, with a newer head too, it is the same change request: one a branch (decision 41).
fn a_branch_has_one_change_request<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let change = opened(stage, &head);
    assert_eq!(opened(stage, &head), change);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    assert_eq!(opened(stage, &work.head), change);
    assert!(stage.reading(Some(change)).open);
}

/// Two who open it at once, as an old hand and its successor, open one (decision 1).
fn two_hands_open_one_change_request<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let call = open_call(ITEM, &head);
    let told = stage.forge_twice(&call);
    once(told, || stage.forge(&call));
    let ForgeReply::ChangeOpened { change } = stage.forge(&call).expect("it is found") else {
        panic!("opened")
    };
    let next = stage.forge(&open_call("ORCH-007~2", &head));
    assert_eq!(next, Ok(ForgeReply::ChangeOpened { change: change + 1 }), "there was one before");
}

/// One that somebody closed is found, and not opened behind their back (decision 45).
fn a_closed_change_request_stays_closed<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let change = opened(stage, &head);
    stage.close(change);
    assert!(!stage.reading(Some(change)).open);
    assert_eq!(opened(stage, &head), change);
    assert!(!stage.reading(Some(change)).open);
}

/// A task that is started again after a stop has the old branch name and a new change request: the closed one is not its own.
fn another_life_has_a_change_request_of_its_own<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let first = opened(stage, &head);
    assert_eq!(stage.forge(&ForgeCall::CloseChange { change: first }), Ok(ForgeReply::ChangeClosed));
    let second = opened_for(stage, "ORCH-007~2", &head);
    assert_ne!(first, second);
    assert!(stage.reading(Some(second)).open, "nobody closed it");
    // What comes late for the first one does nothing to it.
    assert_eq!(stage.forge(&ForgeCall::CloseChange { change: first }), Ok(ForgeReply::ChangeClosed));
    assert!(stage.reading(Some(second)).open);
}

fn merged(candidate: &orch_core::call::git::Candidate) -> Result<ForgeReply, Failure> {
    Ok(ForgeReply::Merged { commit: candidate.commit.clone(), tree: candidate.tree.clone() })
}

/// Main is the tested commit afterwards, with the tested tree (decision 35).
fn a_merge_brings_exactly_the_candidate<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
    assert_eq!(stage.main(), candidate.commit);
    let by = stage.reading(Some(change)).in_main.map(|by| (by.commit, by.tree));
    assert_eq!(by, Some((candidate.commit, candidate.tree)), "and a sweep sees it");
}

/// Asked again, also after pushes of others, it is found and not repeated (decision 19).
fn a_merge_happens_once<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    let call = merge_call(change, &candidate);
    assert_eq!(stage.forge(&call), merged(&candidate));
    assert_eq!(stage.forge(&call), merged(&candidate));
    let later = stage.main_gets("later", "x");
    assert_eq!(stage.forge(&call), merged(&candidate));
    assert_eq!(stage.main(), later);
}

/// Two who merge it at once, as an old hand and its successor, merge it once: neither takes the other's merge for a push of
/// somebody else (decision 19). A checkout into which the other one is just writing has changes: that one is to ask again
/// (decision 43).
fn two_hands_merge_once<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    let call = merge_call(change, &candidate);
    let told = stage.forge_twice(&call).map(|answer| match answer {
        Ok(ForgeReply::CheckoutDirty { path, .. }) => Err(Failure::transient(path)),
        other => other,
    });
    assert_eq!(Ok(once(told, || stage.forge(&call))), merged(&candidate));
    assert_eq!(stage.main(), candidate.commit);
}

/// If main moved nothing happens, and where it is now is the answer (decision 19).
fn a_merge_is_for_the_main_that_was_tested<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    let main = stage.main_gets("other", "x");
    let moved = ForgeReply::MainMoved { main: main.clone() };
    assert_eq!(stage.forge(&merge_call(change, &candidate)), Ok(moved));
    assert_eq!(stage.main(), main);
    assert_eq!(stage.reading(Some(change)).in_main, None);
}

/// A commit that does not contain main would force it: refused for good, whatever was said of main.
fn a_candidate_without_main_is_refused<S: Stage>(stage: &mut S) {
    let (change, mut candidate) = ready(stage);
    candidate.main = stage.main_gets("other", "x");
    assert_eq!(kind(stage.forge(&merge_call(change, &candidate))), FailureKind::Permanent);
    assert_eq!(stage.main(), candidate.main);
}

/// One that somebody closed is not merged before it is open again, and the answer says why (decision 45).
fn a_closed_change_request_is_not_merged<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    stage.close(change);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), Ok(ForgeReply::ChangeClosed));
    assert_eq!(stage.main(), candidate.main);
    let head = candidate.commit.clone();
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head, change: Some(change) };
    assert_eq!(stage.forge(&restore), Ok(ForgeReply::Restored));
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
}

/// A number that nobody gave merges nothing.
fn an_unknown_change_request_is_not_merged<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    assert_eq!(kind(stage.forge(&merge_call(change + 7, &candidate))), FailureKind::Permanent);
    assert_eq!(stage.main(), candidate.main);
}

/// Closing a merged one changes nothing: it does not read as withdrawn by a person.
fn a_merged_change_request_stays_merged<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
    assert!(stage.reading(Some(change)).open, "nobody withdrew it");
    assert_eq!(stage.forge(&ForgeCall::CloseChange { change }), Ok(ForgeReply::ChangeClosed));
    assert!(stage.reading(Some(change)).open);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
}

/// Changes in a person's checkout of main hold the merge: nothing moves, and it works when they are gone (decision 43).
fn a_checkout_with_changes_is_not_merged_over<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    stage.dirty(true);
    let answer = stage.forge(&merge_call(change, &candidate));
    assert!(matches!(answer, Ok(ForgeReply::CheckoutDirty { .. })), "{answer:?}");
    assert_eq!(stage.main(), candidate.main);
    stage.dirty(false);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
}

/// Branch and change request are there again, and asking again changes nothing (decision 45).
fn a_restore_brings_back_what_was_taken<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    let head = candidate.commit;
    assert!(stage.reading(Some(change)).there);
    stage.close(change);
    stage.branch_goes(BRANCH);
    assert!(!stage.reading(Some(change)).there);
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head: head.clone(), change: Some(change) };
    for _ in 0..2 {
        assert_eq!(stage.forge(&restore), Ok(ForgeReply::Restored));
        let reading = stage.reading(Some(change));
        assert!(reading.there && reading.open, "{reading:?}");
        assert_eq!(stage.head(BRANCH), Some(head.clone()));
    }
}

/// A branch that is there is left where it is: somebody's commits are not lost by bringing it back.
fn a_restore_overwrites_nothing<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    let head = candidate.commit;
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head, change: Some(change) };
    assert_eq!(stage.forge(&restore), Ok(ForgeReply::Restored));
    assert_eq!(stage.head(BRANCH), Some(theirs));
}

/// A branch that somebody moved since is left alone.
fn a_branch_is_deleted_where_it_was_last_seen<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head };
    for _ in 0..2 {
        assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchMoved { head: theirs.clone() }));
        assert_eq!(stage.head(BRANCH), Some(theirs.clone()));
    }
}

/// What Orch itself put there since goes too: a run whose collection was never answered. A deleted branch is deleted, however
/// often it is asked.
fn what_orch_put_there_since_is_deleted<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    worked(stage, 1, &head, Work::Writes("src/new"));
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head };
    for _ in 0..2 {
        assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchDeleted));
        assert_eq!(stage.head(BRANCH), None);
    }
}

/// A hand that came late may have built the candidate once more, on a main that moved: it is the same work, and goes.
fn a_candidate_built_again_is_deleted<S: Stage>(stage: &mut S) {
    let (first, second) = built_twice(stage);
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: first };
    assert_eq!(stage.head(BRANCH), Some(second));
    for _ in 0..2 {
        assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchDeleted));
        assert_eq!(stage.head(BRANCH), None);
    }
}

/// A later life that has the name again, and began on a main which is the earlier one's last commit, is not deleted by who comes
/// late for the earlier one: not where it began, nor with what it built.
fn a_later_life_is_left_alone<S: Stage>(stage: &mut S) {
    let (change, last) = ready(stage);
    assert_eq!(stage.forge(&merge_call(change, &last)), merged(&last));
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: last.commit.clone() };
    assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchDeleted));
    let next = stage.git(&cut_call("ORCH-007~2", BRANCH, None));
    let Ok(GitReply::BranchCut { head, base, .. }) = next else { panic!("{next:?}") };
    assert_eq!(base, last.commit);
    let idle = worked(stage, 2, &head, Work::Nothing);
    let late = stage.forge(&delete);
    assert_eq!((late, idle.head), (Ok(ForgeReply::BranchMoved { head: head.clone() }), head.clone()));
    let work = worked(stage, 3, &head, Work::Writes("src/next"));
    let built = candidate(stage, &work.head).commit;
    assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchMoved { head: built.clone() }));
    assert_eq!(stage.head(BRANCH), Some(built));
}

/// What somebody pushed on top of a candidate that was built again stays.
fn what_somebody_pushed_on_a_candidate_stays<S: Stage>(stage: &mut S) {
    let (first, _) = built_twice(stage);
    let theirs = stage.branch_gets(BRANCH, "src/theirs", "by ann\n");
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: first };
    assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchMoved { head: theirs.clone() }));
    assert_eq!(stage.head(BRANCH), Some(theirs));
}

/// Two candidates of the same work, each on a main of its own.
fn built_twice<S: Stage>(stage: &mut S) -> (Commit, Commit) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stage.main_gets("src/other", "by ann\n");
    let first = candidate(stage, &work.head).commit;
    stage.main_gets("src/other", "by ben\n");
    let second = candidate(stage, &work.head).commit;
    assert_ne!(first, second);
    (first, second)
}

/// The commits of a branch that somebody deleted are kept: its work is not lost (decision 45).
fn a_lost_branch_can_be_brought_back<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    assert!(stage.reading(None).there);
    stage.branch_goes(BRANCH);
    let restore = ForgeCall::Restore { branch: BRANCH.to_owned(), head: work.head.clone(), change: None };
    assert_eq!(stage.forge(&restore), Ok(ForgeReply::Restored));
    assert!(stage.file(&work.head, "src/new").is_some());
    let built = candidate(stage, &work.head);
    assert_eq!(built.commit, work.head);
}

/// What Orch deleted stays deleted, whatever a hand does that comes late; its commits stay too.
fn what_orch_deleted_stays_deleted<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    stays_deleted(stage, &head, &work.head, None);
}

/// So does its change request stay closed.
fn of_what_orch_deleted_nothing_opens<S: Stage>(stage: &mut S) {
    let (head, _) = cut(stage);
    let work = worked(stage, 1, &head, Work::Writes("src/new"));
    let change = opened(stage, &head);
    stays_deleted(stage, &head, &work.head, Some(change));
}

fn stays_deleted<S: Stage>(stage: &mut S, first: &Commit, last: &Commit, change: Option<u64>) {
    let delete = ForgeCall::DeleteBranch { branch: BRANCH.to_owned(), head: last.clone() };
    let restore =
        |head: &Commit| ForgeCall::Restore { branch: BRANCH.to_owned(), head: head.clone(), change };
    for _ in 0..2 {
        assert_eq!(stage.forge(&delete), Ok(ForgeReply::BranchDeleted));
        for late in [restore(last), restore(first), open_call(ITEM, last)] {
            let answer = stage.forge(&late);
            match change {
                // Who asks for it learns its number, and may close it.
                Some(change) if late == open_call(ITEM, last) => {
                    assert_eq!(answer, Ok(ForgeReply::ChangeOpened { change }));
                }
                Some(_) | None => assert_eq!(kind(answer), FailureKind::Permanent),
            }
            let reading = stage.reading(change);
            assert!(!reading.there && (change.is_none() || !reading.open), "{reading:?}");
        }
    }
    assert!(stage.file(last, "src/new").is_some());
}

/// Main is neither deleted nor brought back as if it were a task's.
fn main_is_no_task_branch<S: Stage>(stage: &mut S) {
    let (branch, head) = (stage.main_name(), stage.main());
    let delete = ForgeCall::DeleteBranch { branch: branch.clone(), head: head.clone() };
    assert_eq!(kind(stage.forge(&delete)), FailureKind::Permanent);
    let restore = ForgeCall::Restore { branch, head: head.clone(), change: None };
    assert_eq!(kind(stage.forge(&restore)), FailureKind::Permanent);
    assert_eq!(stage.main(), head);
}

/// What a gate said last of a commit is what the forge shows, and saying it again changes nothing.
fn the_newest_verdict_of_a_gate_is_kept<S: Stage>(stage: &mut S) {
    let commit = stage.main();
    for (context, passed) in [("ci", false), ("review", true), ("ci", true), ("ci", true)] {
        let call = ForgeCall::SetCommitStatus { commit: commit.clone(), context: context.to_owned(), passed };
        assert_eq!(stage.forge(&call), Ok(ForgeReply::CommitStatusSet));
    }
    assert_eq!(stage.verdicts(&commit), [("ci".to_owned(), true), ("review".to_owned(), true)]);
}

/// A main that another program keeps locked did not move, and is moved when that one is done.
fn what_is_busy_is_merged_later<S: Stage>(stage: &mut S) {
    let (change, candidate) = ready(stage);
    stage.busy(true);
    assert_eq!(kind(stage.forge(&merge_call(change, &candidate))), FailureKind::Transient);
    stage.busy(false);
    assert_eq!(stage.main(), candidate.main);
    assert_eq!(stage.forge(&merge_call(change, &candidate)), merged(&candidate));
}
