//! Does production stay well after a deploy that was judged well? A look now and then until the window is over, each a
//! timer of the journal (decision 69, rows 89-97).
//!
//! The lane stays held: the next merge waits (decision 21). Bad in a row is bad: the repository freezes and a person
//! decides. What cannot be told is never well (decision 36).

use super::{deploy, terminal};
use crate::artefact::FileVerdict;
use crate::call::deploy::Health;
use crate::call::tracker::Author;
use crate::change::Change;
use crate::decide::enter;
use crate::desk::Desk;
use crate::event::FreezeCause;
use crate::id::Commit;
use crate::note::Note;
use crate::policy::WatchRules;
use crate::reason::Reason;
use crate::record::{Record, WatchLog};
use crate::rework::{Findings, Judge};
use crate::runs;
use crate::said::{Cause, Found, Said};
use crate::stage::Stage;
use crate::task::{Ask, Delay, Merged, Rest, Watch, WatchEnd};

/// The deploy was judged well by the word of the service: it is watched from now on.
pub(crate) fn begin(d: &mut Desk<'_>, rules: WatchRules) {
    d.change(Change::Watched(Box::new(Watch::new(rules, d.task.previous.clone()))));
    d.later(Ask::Watch, 0, rules.every, Delay::Watching);
    if let Some(until) = d.task.watched_until() {
        d.because(Reason::WatchBegan { until });
    }
}

/// A person wants production looked at again: the window begins afresh, and the first look is now.
pub(crate) fn again(d: &mut Desk<'_>) {
    let Some(known) = d.task.watch.clone() else { return d.because(Reason::Noted) };
    let rules = d.policy.watch.unwrap_or(known.rules);
    // What was seen last holds until that look.
    let watch = Watch { last: known.last, ..Watch::new(rules, known.before) };
    d.change(Change::Watched(Box::new(watch)));
    d.ask(Ask::Watch, 0);
    if let Some(until) = d.task.watched_until() {
        d.because(Reason::WatchBegan { until });
    }
}

/// What one look saw.
enum Look {
    Well,
    Bad(Said),
    Untold(Said),
}

fn judge(watch: &Watch, health: &Health) -> Look {
    match health {
        Health::Expected => Look::Well,
        Health::Unwell { cause } => Look::Bad(Said::ServiceUnwell { cause: Box::new(cause.clone()) }),
        Health::CannotTell { cause } => Look::Untold(Said::ServiceUntold { cause: Box::new(cause.clone()) }),
        Health::Other { commit } => {
            let said = Said::ServiceOther { commit: commit.clone() };
            let named = |known: &&Commit| is_named(commit, known);
            // Who names the commit before it was rolled back, by whoever it was.
            match watch.before.as_ref().filter(named) {
                Some(_) => Look::Bad(said),
                None => Look::Untold(said),
            }
        }
    }
}

/// Whether these words name a commit, by its first seven characters or more.
fn is_named(words: &str, commit: &Commit) -> bool {
    words.len() >= 7 && commit.as_str().starts_with(&words.to_ascii_lowercase())
}

/// The service answered, or could not be asked.
pub(crate) fn saw(d: &mut Desk<'_>, health: &Health) {
    let Some(mut watch) = d.task.watch.clone() else { return d.because(Reason::Noted) };
    let look = judge(&watch, health);
    watch.looks = watch.looks.saturating_add(1);
    let over = watch.looks >= watch.rules.looks();
    let said = match look {
        Look::Well => {
            // What an earlier watch saw is none of this one's.
            watch.flaps += u32::from(!watch.is_well() && watch.looks > 1);
            (watch.failing, watch.silent, watch.last) = (0, 0, None);
            d.change(Change::Watched(watch));
            d.because(Reason::Healthy);
            return match over {
                true => ended_well(d, Said::ServiceStayedWell),
                false => next(d),
            };
        }
        Look::Bad(said) => {
            (watch.failed, watch.failing, watch.silent) = (watch.failed + 1, watch.failing + 1, 0);
            said
        }
        Look::Untold(said) => {
            (watch.untold, watch.silent) = (watch.untold + 1, watch.silent + 1);
            said
        }
    };
    let cause = Cause::from(said.clone());
    watch.last = Some(cause.clone());
    d.because(Reason::WatchSaw { cause: cause.clone() });
    let enough = watch.rules.failures;
    let (bad, silent) = (watch.failing >= enough, watch.silent >= enough);
    // A bad or a silent look at the end decides nothing by itself: a few more do.
    let over = over && (silent || watch.looks >= watch.rules.looks().saturating_add(enough));
    let tell = !bad && (silent || over) && !watch.told;
    watch.told |= tell;
    d.change(Change::Watched(watch));
    if bad {
        return went_bad(d, said);
    }
    if let Some(merged) = d.task.merged.clone().filter(|_| tell) {
        d.say(Author::Deployer, Note::WentSilent { cause: cause.clone(), commit: merged.commit });
    }
    match over {
        true => went_silent(d, cause),
        false => next(d),
    }
}

fn next(d: &mut Desk<'_>) {
    if let Some(every) = d.task.watch.as_ref().map(|watch| watch.rules.every) {
        d.later(Ask::Watch, 0, every, Delay::Watching);
    }
}

/// It is written down how the watch ended; what is read back of that decides (decision 18).
fn conclude(d: &mut Desk<'_>, end: WatchEnd, said: &Said) -> Option<WatchEnd> {
    let (mut watch, merged) = (d.task.watch.clone()?, d.task.merged.clone()?);
    let (item, commit) = (&d.task.item, &merged.commit);
    let log = WatchLog { item, end, watch: &watch, commit, said, at: d.at, row: d.seq };
    let text = log.render(d.policy.language);
    let end = match d.record(Record::PostDeployLog, &text, None) {
        FileVerdict::Positive => WatchEnd::Well,
        FileVerdict::Negative => WatchEnd::Bad,
        FileVerdict::Unreadable(cause) => {
            let (record, cause) = (Record::PostDeployLog, Box::new(cause));
            went_silent(d, Said::RecordUnreadable { record, cause }.into());
            return None;
        }
    };
    watch.end = Some(end);
    d.change(Change::Watched(watch));
    Some(end)
}

/// Production is well, by the word of the service or of a person: the task is done.
fn ended_well(d: &mut Desk<'_>, said: Said) {
    match conclude(d, WatchEnd::Well, &said) {
        Some(WatchEnd::Well) => {
            if said == Said::ServiceStayedWell {
                d.because(Reason::StayedWell);
            }
            came_out(d, &said);
            enter(d, Stage::Done);
        }
        Some(WatchEnd::Bad) => hold(d, said),
        None => {}
    }
}

/// The commit is what is deployed from now on, unless the hook ran for another one since.
fn came_out(d: &mut Desk<'_>, said: &Said) {
    if let Some(Merged { commit, .. }) = d.task.merged.clone()
        && !matches!(said, Said::LaterDeployRuns { .. })
    {
        deploy::tell_it_is_out(d, commit, matches!(said, Said::SeenWell { .. }));
    }
}

/// Production went bad or silent, others deployed since, and what came out well has it (decision 75).
pub(crate) fn taken_along(d: &mut Desk<'_>, with: &Commit) {
    ended_well(d, Said::LaterDeployRuns { commit: with.clone() });
}

/// So many bad answers in a row (row 91).
fn went_bad(d: &mut Desk<'_>, said: Said) {
    match conclude(d, WatchEnd::Bad, &said) {
        Some(WatchEnd::Well | WatchEnd::Bad) => hold(d, said),
        None => {}
    }
}

/// The repository freezes, people are told, and one of them decides (row 97). Nothing is rolled back: the hook's contract
/// has no word for it (row 94).
fn hold(d: &mut Desk<'_>, said: Said) {
    let cause = Cause::from(said);
    d.because(Reason::WentBad { cause: cause.clone() });
    d.freeze(FreezeCause::WentBad);
    if let Some(merged) = d.task.merged.clone() {
        d.say(Author::Deployer, Note::WentBad { cause: cause.clone(), commit: merged.commit });
    }
    d.release_lane();
    match d.task.cancel.is_some() {
        true => terminal::cancel_now(d),
        false => d.rest(Rest::WentBad { cause }),
    }
}

/// Nobody can tell how production is: a person looks. The lane stays held, as for a deploy that nobody can tell of.
fn went_silent(d: &mut Desk<'_>, cause: Cause) {
    d.because(Reason::WentSilent { cause: cause.clone() });
    if d.task.cancel.is_some() {
        deploy::untold(d, cause);
        return terminal::cancel_now(d);
    }
    d.rest(Rest::WentSilent { cause });
}

/// A person looked, and it is deployed and well.
pub(crate) fn accepted(d: &mut Desk<'_>, by: &str) {
    ended_well(d, Said::SeenWell { by: by.to_owned() });
}

/// A person looked, and it is not right: what they say is what the next round mends, and its merge lifts the freeze.
pub(crate) fn turned_down(d: &mut Desk<'_>, by: &str, why: Found) {
    let said = Said::SeenBad { by: by.to_owned() };
    if conclude(d, WatchEnd::Bad, &said).is_none() {
        return;
    }
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    d.because(Reason::WentBad { cause: said.clone().into() });
    let text = deploy::judged_badly(d, &merged.commit, said, Some(why));
    d.freeze(FreezeCause::WentBad);
    d.release_lane();
    if d.task.cancel.is_some() {
        return terminal::cancel_now(d);
    }
    d.change(Change::StandingEnded(true));
    d.change(Change::RoundOpened);
    runs::begin_round(
        d,
        Findings { from: Judge::Person(by.to_owned()), text, link: String::new(), about: None },
    );
}

/// The task is stopped: nobody looks any more. What was not well by then is kept by a freeze, as the lane kept it.
pub(crate) fn stopped(d: &mut Desk<'_>) {
    let Some(watch) = &d.task.watch else { return };
    match watch.last.clone() {
        Some(cause) => deploy::untold(d, cause),
        None => came_out(d, &Said::ServiceStayedWell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::apply;
    use crate::call::Text;
    use crate::call::tracker::{IssueReading, Labels, Status};
    use crate::decide::Decision;
    use crate::event::Message;
    use crate::id::{Entity, Seq, TaskId, Tree};
    use crate::policy::Policy;
    use crate::stage::Preset;
    use crate::state::State;
    use crate::surface;
    use crate::task::{Deployed, Merged, Task};
    use crate::time::{Moment, Span};

    const EVERY: Span = Span::seconds(30);
    const RULES: WatchRules = WatchRules { window: Span::minutes(2), every: EVERY, failures: 3 };

    fn commit(letter: &str) -> Commit {
        Commit::from(letter.repeat(40))
    }

    /// A task whose deploy of `aaa...` was judged well, after `bbb...`.
    fn deployed() -> Box<Task> {
        let id = TaskId::from("DEMO-001");
        let text = Text::of("");
        let reading = IssueReading {
            issue: "demo-1".into(),
            number: 1,
            status: None,
            title: text.clone(),
            slug: "x".to_owned(),
            text,
            labels: Labels::default(),
            present: true,
            revision: None,
        };
        let (at, tree) = (Moment(1), Tree::from("b".repeat(40)));
        let merged =
            Merged { commit: commit("a"), tree, at, proven: true, change_request: None, branch: None };
        let healthy = Some(true);
        let deployed =
            Deployed { commit: commit("a"), hook: Some(0), healthy, seen_by: None, with: None, at };
        let changes = [
            Change::Born { id: id.clone(), project: "demo".into(), reading: Box::new(reading) },
            Change::Staged(Stage::Deploy),
            Change::Lane(true),
            Change::Previous(Some(commit("b"))),
            Change::Merged(merged),
            Change::Deployed(deployed),
        ];
        match apply(None, &Entity::Task(id), (Seq(1), Moment(1)), &changes) {
            Some(State::Task(task)) => task,
            _ => panic!("a task is born"),
        }
    }

    fn policy() -> Policy {
        Policy { preset: Preset::Full, hook: true, probe: true, watch: Some(RULES), ..Policy::default() }
    }

    fn does(task: Box<Task>, what: impl FnOnce(&mut Desk<'_>)) -> (Decision, Box<Task>) {
        let policy = policy();
        let mut desk = Desk::new(task, &policy, Seq(2), Moment(2));
        what(&mut desk);
        desk.finish_both()
    }

    /// The task after these answers, and all that was decided.
    fn after(answers: &[Health]) -> (Vec<Decision>, Box<Task>) {
        let (_, mut task) = does(deployed(), |d| begin(d, RULES));
        let mut all = Vec::new();
        for answer in answers {
            let (decision, next) = does(task, |d| saw(d, answer));
            all.push(decision);
            task = next;
        }
        (all, task)
    }

    fn well() -> Health {
        Health::Expected
    }

    fn bad() -> Health {
        Health::Unwell { cause: "503".into() }
    }

    fn silent() -> Health {
        Health::CannotTell { cause: "nothing answers".into() }
    }

    fn other(letter: &str) -> Health {
        Health::Other { commit: letter.repeat(12) }
    }

    fn verdict(task: &Task) -> Option<FileVerdict> {
        let log = task.records.iter().find(|known| known.record == Record::PostDeployLog);
        log.map(|known| known.verdict.clone())
    }

    /// row 91: Consecutive failures ≥ threshold → DEGRADED.
    /// row 97: DEGRADED freezes the repo and alerts [088].
    /// row 94: Self-hosting DEGRADED only alerts; never restarts.
    /// Proves also that it freezes and tells once, that nothing is asked of the hook, and that silence between bad answers
    /// makes them no fewer.
    #[test]
    fn bad_in_a_row_is_bad() {
        for answers in [
            vec![bad(), bad(), bad()],
            vec![bad(), silent(), bad(), silent(), bad()],
            vec![well(), well(), well(), other("b"), bad(), other("b")],
        ] {
            let (decisions, task) = after(&answers);
            assert!(matches!(task.step, crate::task::Step::Rest(Rest::WentBad { .. })), "{:?}", task.step);
            assert_eq!(verdict(&task), Some(FileVerdict::Negative));
            assert!(task.froze && task.lane.is_none() && task.stage == Stage::Deploy);
            assert_eq!(surface::wanted(&task), Some(Status::Blocked));
            let messages: Vec<_> = decisions.iter().flat_map(|d| &d.messages).collect();
            let freeze = Message::Freeze { task: task.id.clone(), cause: FreezeCause::WentBad };
            assert_eq!(messages, [&(Entity::Repository("demo".into()), freeze)]);
            let calls = decisions.iter().flat_map(|d| &d.effects).map(|effect| effect.call.name());
            let calls: Vec<_> = calls.filter(|call| *call != "deploy/probe").collect();
            assert_eq!(calls, ["tracker/comment"], "nothing is deployed or rolled back");
        }
    }

    /// row 96: HEALTHY → issue Done; DEGRADED → issue Blocked.
    /// row 112: Terminal sync: Done, or Monitoring for self-hosting.
    /// Proves also that fewer bad answers in a row than are enough are counted and end nothing, and that a bad look at the
    /// end decides nothing by itself.
    #[test]
    fn a_flap_is_counted_and_no_verdict() {
        let cases = [
            (vec![well(), well(), well(), well()], 0, 0),
            (vec![bad(), bad(), well(), silent(), well()], 2, 2),
            (vec![well(), well(), well(), bad(), bad(), well()], 2, 1),
        ];
        for (answers, failed, flaps) in cases {
            let (last, before) = answers.split_last().unwrap();
            let (_, watched) = after(before);
            assert_eq!(surface::wanted(&watched), Some(Status::Monitoring));
            assert!(watched.is_watched() && watched.lane.is_some() && !watched.is_critical());
            let (decision, task) = does(watched, |d| saw(d, last));
            assert_eq!((task.stage, verdict(&task)), (Stage::Done, Some(FileVerdict::Positive)));
            assert_eq!(surface::wanted(&task), Some(Status::Done));
            let watch = task.watch.as_ref().unwrap();
            assert_eq!((watch.failed, watch.flaps, watch.end), (failed, flaps, Some(WatchEnd::Well)));
            let deployed = Message::Deployed { commit: commit("a"), hook: None, seen: false };
            assert!(decision.messages.contains(&(Entity::Repository("demo".into()), deployed)));
        }
    }

    /// row 93: Uncertain probe → HEALTHY.
    /// Proves the changed rule: silence, or a commit that nobody knows, is never well; at the end of the watch a person is
    /// asked, the lane stays held, and people are told once (decision 36).
    #[test]
    fn silence_is_never_well() {
        for answers in [
            vec![well(), silent(), silent(), silent()],
            vec![silent(), silent(), silent(), silent()],
            vec![well(), other("c"), other("c"), other("c")],
            vec![well(), well(), well(), bad(), silent(), silent(), silent()],
            vec![well(), well(), well(), bad(), silent(), bad(), silent()],
        ] {
            let (decisions, task) = after(&answers);
            assert!(matches!(task.step, crate::task::Step::Rest(Rest::WentSilent { .. })), "{:?}", task.step);
            assert!(task.lane.is_some() && !task.froze && verdict(&task).is_none());
            let told = decisions.iter().flat_map(|d| &d.effects);
            let told = told.filter(|effect| effect.call.name() == "tracker/comment").count();
            assert_eq!(told, 1);
        }
    }
}
