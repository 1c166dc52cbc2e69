//! What is said to people, where it is not so.

use std::collections::BTreeSet;

use orch_core::call::Call;
use orch_core::call::tracker::TrackerCall;
use orch_core::change::Change;
use orch_core::event::InMain;
use orch_core::gate::GateId;
use orch_core::id::{Commit, Digest, Entity, Tree};
use orch_core::note::Note;
use orch_core::rework::Judge;
use orch_core::said::Cause;
use orch_core::stage::{Role, Stage};
use orch_core::task::{Outside, Rest, Step, Why, Withdrawn};
use orch_core::time::Span;
use serde_json::{Value, json};

use super::scene::{approving, done, says, stopped};
use crate::invariant::notes::Known;

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
        Note::AwaitingConfirmation { change: Digest::of(b"c"), deploys: true, accepted: false },
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

/// What of a sentence nobody compares with what is so: its other words say it already, or the messages' own tests show it.
const NOT_COMPARED: &[&str] = &[
    "requirements_ready",
    "awaiting_confirmation.deploys",
    "done.roles",
    "done.agents",
    "done.people",
    "done.wall",
];

/// Proves that it does not do to say something at the right moment: of what people are told in a quiet life, one that is stopped and one
/// whose branch is merged by hand, each word that is another one is seen, but for those that stand above.
#[test]
fn each_word_is_looked_at() {
    let outside = Outside {
        in_main: Some(InMain { commit: Commit::from("theirs"), tree: Tree::from("theirs") }),
        withdrawn: Some(Withdrawn::ChangeRequest),
        told: true,
    };
    let told = |rest: Rest, note: Note| {
        let mut it = approving();
        it.row(|row| {
            row.changes.push(Change::Outside(Some(Box::new(outside.clone()))));
            row.changes.push(Change::Stepped(Box::new(Step::Rest(rest))));
            says(row, note);
        });
        it
    };
    let merged = told(Rest::MergedOutside, Note::MergedOutside { commit: Commit::from("theirs") });
    let withdrawn = told(Rest::Withdrawn, Note::Withdrawn { what: Withdrawn::ChangeRequest });
    let mut seen = BTreeSet::new();
    for mut scene in [done(), stopped(), merged, withdrawn] {
        let mut known = Known::default();
        let id = scene.id.clone();
        for row in scene
            .bench
            .engine()
            .journal_ref()
            .all()
            .iter()
            .filter(|row| row.entity == Entity::Task(id.clone()))
        {
            known.learn(row);
            for effect in &row.effects {
                let Call::Tracker(TrackerCall::Comment { note, .. }) = &effect.call else { continue };
                let said = serde_json::to_value(note).expect("a note is JSON");
                assert!(known.is_so(note, row), "{said}");
                for (word, other) in others(&said) {
                    let Ok(other) = serde_json::from_value::<Note>(other) else { continue };
                    if !NOT_COMPARED.iter().any(|not| word.starts_with(not)) {
                        assert!(!known.is_so(&other, row), "{word}: {other:?}");
                    }
                    seen.insert(word);
                }
                known.tell(note);
            }
        }
    }
    for word in [
        "run_finished.role",
        "awaiting_confirmation.change",
        "done.commit",
        "stopped.stays",
        "withdrawn.what",
    ] {
        assert!(seen.contains(word), "{word} is none of {seen:?}");
    }
}

/// The same with another word in one place, for each place.
fn others(said: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut paths = vec![String::new()];
    while let Some(path) = paths.pop() {
        let at = said.pointer(&path).expect("it is there");
        let instead = match at {
            Value::Object(of) => {
                paths.extend(of.keys().map(|key| format!("{path}/{key}")));
                continue;
            }
            Value::Array(of) if of.is_empty() => json!(["other"]),
            Value::Array(of) => {
                paths.extend((0..of.len()).map(|n| format!("{path}/{n}")));
                Value::Array(of[1..].to_vec())
            }
            Value::Bool(it) => json!(!it),
            Value::Number(it) => json!(it.as_u64().unwrap_or_default() + 1),
            Value::String(it) if it == "analyst" => json!("tester"),
            Value::String(it) if Role::ALL.iter().any(|role| role.name() == it) => json!("analyst"),
            Value::String(it) if it == "change_request" => json!("branch"),
            Value::String(it) => json!(format!("{it}0")),
            Value::Null => {
                all.push(changed(said, &path, json!("other")));
                json!(1)
            }
        };
        all.push(changed(said, &path, instead));
    }
    all
}

fn changed(said: &Value, path: &str, instead: Value) -> (String, Value) {
    let mut other = said.clone();
    *other.pointer_mut(path).expect("it is there") = instead;
    (path.trim_start_matches('/').replace('/', "."), other)
}
