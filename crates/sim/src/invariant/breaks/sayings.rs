//! What is said to people, where it is not so.

use orch_core::change::Change;
use orch_core::gate::GateId;
use orch_core::id::{Commit, Digest};
use orch_core::journal::Row;
use orch_core::note::Note;
use orch_core::rework::Judge;
use orch_core::said::Cause;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Outside, Rest, Step, Why, Withdrawn};
use orch_core::time::Span;

use super::scene::{approving, says};

pub(super) fn delivered(commit: Commit, deployed: bool) -> Note {
    let (agents, people, wall) = (Span(0), Span(0), Span(0));
    Note::Done { commit, deployed, roles: Vec::new(), agents, people, wall }
}

/// Things to say: of nothing that happens where nothing happens is any of them true.
fn sayings() -> Vec<Note> {
    let commit = || Commit::from("c");
    let cause = || Cause::from("away");
    let (from, to) = (Stage::Review, Stage::Development);
    // What the analyst's run used, of which people were told, and what every other would use.
    let run = approving().now().runs[0].clone();
    let (usage, wall) = (run.usage, run.wall);
    let (tokens, limit) = (2, 1);
    vec![
        Note::RequirementsReady { files: Vec::new(), branch: String::new() },
        Note::Questions { text: None },
        Note::ByLabel { deploy: false, merges: false },
        Note::ByLabel { deploy: true, merges: false },
        Note::RunFinished { role: Role::Analyst, usage, wall, files: Vec::new() },
        Note::RunFinished { role: Role::Tester, usage, wall, files: Vec::new() },
        Note::ProtectedTouched { paths: Vec::new() },
        Note::SentBack { from, to, judge: Judge::Main, text: None, attempt: 1, of: 3 },
        Note::Escalated { why: Why::Conflicts, stage: to },
        Note::AwaitingConfirmation { change: Digest::of(b"c"), deploys: true },
        Note::Merged { commit: commit() },
        Note::MergedOutside { commit: commit() },
        Note::Withdrawn { what: Withdrawn::Branch },
        Note::RunOverTokens { role: Role::Analyst, tokens, limit },
        Note::DeployFailed { cause: cause(), commit: commit() },
        Note::DeployUnseen { commit: commit() },
        Note::DeployUntold { cause: cause(), commit: commit() },
        Note::WentBad { cause: cause(), commit: commit() },
        Note::WentSilent { cause: cause(), commit: commit() },
        delivered(commit(), false),
        Note::StopDeferred,
        Note::Stopped { stays: None, frozen: false },
        Note::Unavailable { gate: GateId::CheckCiGreen, cause: cause() },
    ]
}

/// Proves that nothing can be said where it is not so.
#[test]
fn nothing_is_said_without_its_row() {
    for note in sayings() {
        let said = format!("{note:?}");
        let broken = approving().row(|row| says(row, note)).look().expect_err(&said);
        assert_eq!(broken.name, "told-when-it-is-so", "{said}");
    }
}

/// Proves that it does not do to say it at the right moment: what it says is looked at too.
#[test]
fn what_is_said_is_what_is_so() {
    let outside = Outside { in_main: None, withdrawn: Some(Withdrawn::ChangeRequest), told: true };
    let outside = || Change::Outside(Some(Box::new(outside.clone())));
    let rests = |rest| Change::Stepped(Box::new(Step::Rest(rest)));
    for (rest, note) in [
        (Rest::Confirmation, Note::AwaitingConfirmation { change: Digest::of(b"other"), deploys: true }),
        (Rest::MergedOutside, Note::MergedOutside { commit: Commit::from("other") }),
        (Rest::Withdrawn, Note::Withdrawn { what: Withdrawn::Branch }),
    ] {
        let said = format!("{note:?}");
        let forge = |row: &mut Row| {
            row.changes.extend([outside(), rests(rest)]);
            says(row, note);
        };
        let broken = approving().row(forge).look().expect_err(&said);
        assert_eq!(broken.name, "told-when-it-is-so", "{said}");
    }
}
