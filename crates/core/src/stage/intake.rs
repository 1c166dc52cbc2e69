//! How does a task come to be, and how does it begin? (`created`; predecessor section 10)

use crate::call::tracker::Status;
use crate::change::Change;
use crate::decide::{Decision, enter, proceed};
use crate::desk::Desk;
use crate::event::{IssueSeen, Stamped};
use crate::gesture::{Door, Gesture, Press};
use crate::id::{Commit, Entity, TaskId};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::stage::{Role, Stage};
use crate::state::State;
use crate::task::{Branch, Want, Why};

/// The first reading of an issue: the task is known. One that stands in To Analyse already is asked for (row 120).
pub(crate) fn birth(id: &TaskId, seen: &IssueSeen, stamped: &Stamped<'_>, policy: &Policy) -> Decision {
    let entity = Entity::Task(id.clone());
    let reading = Box::new(seen.reading.clone());
    let born = Change::Born { id: id.clone(), project: seen.project.clone(), reading };
    let stamp = (stamped.seq, stamped.at);
    let Some(State::Task(task)) = crate::apply::apply(None, &entity, stamp, std::slice::from_ref(&born))
    else {
        return Decision::default();
    };
    let mut desk = Desk::new(task, policy, stamped.seq, stamped.at);
    desk.because(Reason::Known);
    if seen.reading.status == Some(Status::ToAnalyse) {
        let gesture = Gesture {
            request: format!("board/{}", stamped.seq),
            by: "board".to_owned(),
            via: Door::Board,
            what: Press::Start,
        };
        crate::press::on_gesture(&mut desk, &gesture);
    }
    desk.settle_board();
    let mut decision = desk.finish();
    decision.changes.insert(0, born);
    decision
}

/// The start gesture: QG-0, what the project lacks, and then a turn (rows 122, 123).
pub(crate) fn ask_to_begin(d: &mut Desk<'_>) {
    let has = d.task.request.text.characters();
    let needs = d.policy.least_description;
    if d.task.request.title.is_empty() || has < needs {
        return d.escalate(Why::RequestTooShort { has, needs });
    }
    if let Some(why) = lacking(d.policy) {
        return d.escalate(why);
    }
    let works = |role: &Role| {
        let architect_is_idle = Stage::Analysis.next(d.policy.preset) != Some(Stage::Architecture);
        !(*role == Role::Architect && architect_is_idle)
    };
    let lacking = Role::ALL.into_iter().filter(works).find(|role| !d.policy.agents.contains_key(role));
    if let Some(role) = lacking {
        return d.escalate(Why::NoAgent { role });
    }
    d.queue(Want::Start);
}

/// What a project lacks without which nothing of it can be delivered.
pub(crate) fn lacking(policy: &Policy) -> Option<Why> {
    if policy.test.is_empty() {
        return Some(Why::NoTests);
    }
    (policy.preset.deploys() && !policy.hook).then_some(Why::NoHook)
}

/// The turn to begin: the branch is cut now, from fresh main (row 144).
pub(crate) fn begin(d: &mut Desk<'_>) {
    enter(d, Stage::Analysis);
}

/// The branch stands.
pub(crate) fn branch_cut(d: &mut Desk<'_>, name: &str, head: &Commit, base: &Commit) {
    cut(d, name, head, base);
    d.because(Reason::Noted);
    proceed(d);
}

/// The task has a branch.
pub(crate) fn cut(d: &mut Desk<'_>, name: &str, head: &Commit, base: &Commit) {
    d.change(Change::Branched(Branch {
        name: name.to_owned(),
        base: base.clone(),
        head: head.clone(),
        tree: None,
        change: None,
        empty: true,
        green_with: None,
        developed: Some(0),
        pushed: false,
    }));
}
