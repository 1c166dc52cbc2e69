//! Proves what a deploy and what comes after the end come to where they nearly come to something else.

use super::*;
use crate::backoff::PROBES;
use crate::call::Call;
use crate::call::TrackerCall;
use crate::desk::Desk;
use crate::event::{FreezeCause, InMain};
use crate::note::Note;
use crate::policy::WatchRules;
use crate::record::Came;
use crate::said::{Cause, Said};
use crate::stage::{deploy, terminal, watch};
use crate::task::{Cancel, Merged, Outside};

impl Way {
    /// What a part of the heart makes of the task as it is.
    pub(super) fn makes(&self, part: impl FnOnce(&mut Desk<'_>)) -> (Decision, Box<Task>) {
        let mut desk = Desk::new(Box::new(self.task().clone()), &self.policy, Seq(9_999), Moment(9_999_000));
        part(&mut desk);
        desk.finish_both()
    }
}

fn stop_waits() -> Option<Cancel> {
    let (request, by) = ("r".to_owned(), "ann".to_owned());
    let gesture = Gesture { request, by, via: Door::CommandLine, what: Press::Stop };
    Some(Cancel { gesture, at: Moment(1), deferred: true })
}

fn frozen(told: &Decision) -> Option<&FreezeCause> {
    told.messages.iter().find_map(|(_, message)| match message {
        Message::Freeze { cause, .. } => Some(cause),
        _ => None,
    })
}

fn notes(told: &Decision) -> Vec<&Note> {
    told.effects
        .iter()
        .filter_map(|effect| match &effect.call {
            Call::Tracker(TrackerCall::Comment { note, .. }) => Some(note.as_ref()),
            _ => None,
        })
        .collect()
}

/// A person's consent lets the label consent again after a deploy that failed; the label's own does not (decision 37).
#[test]
fn a_person_lets_the_label_count_again() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.step == Step::Rest(Rest::Confirmation));
    let way = way.with(|task| task.standing_ended = true);
    assert!(!way.makes(|d| deploy::consent(d, "ann", false)).1.standing_ended);
    assert!(way.makes(|d| deploy::consent(d, "autoDeploy", true)).1.standing_ended);
}

/// At the last look an edited request is asked about before a consent that is missing (decision 45).
#[test]
fn the_last_look_is_at_the_request_first() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.until(|task| task.consent.is_some() && task.lane.is_some());
    let rests = |change: fn(&mut Task)| {
        let way = way.with(|task| {
            task.consent = None;
            change(task);
        });
        way.makes(deploy::merge).1.step
    };
    assert_eq!(rests(|task| task.edited = true), Step::Rest(Rest::RequestChanged));
    assert_eq!(rests(|task| task.request.present = false), Step::Rest(Rest::IssueGone));
    assert_eq!(rests(|_| ()), Step::Rest(Rest::Confirmation));
}

/// A task that stands still after its merge keeps the repository only from what is not proved or not deployed, and says what
/// nobody knows only where nobody will ask any more (decision 41).
#[test]
fn only_what_is_not_out_keeps_main() {
    let outside = || Why::Outside { cause: Cause::from("no") };
    let stands = |preset, change: fn(&mut Task)| {
        let mut way = Way::begun(preset, Trouble::None);
        way.until(|task| task.stage == Stage::Done);
        let told = way.with(change).makes(|d| deploy::keep_main(d, &outside())).0;
        (frozen(&told).cloned(), notes(&told).len())
    };
    assert_eq!(stands(Preset::Library, |_| ()), (None, 0));
    assert_eq!(stands(Preset::Full, |_| ()), (None, 0));
    assert_eq!(stands(Preset::Full, |task| task.deployed = None), (Some(FreezeCause::DeployUntold), 0));
    let no_hook = |task: &mut Task| {
        task.deployed = None;
        task.runs.retain(|row| row.job != Job::Hook);
    };
    assert_eq!(stands(Preset::Full, no_hook), (Some(FreezeCause::DeployFailed), 0));
    let stopped = |task: &mut Task| {
        task.deployed = None;
        task.cancel = stop_waits();
    };
    assert_eq!(stands(Preset::Full, stopped), (Some(FreezeCause::DeployUntold), 1));
}

/// A service is asked so often and no more; what it says then stands only if the hook has ended (decision 36).
#[test]
fn a_service_is_asked_so_often() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.asks(|ask| *ask == Ask::Probe);
    let unwell = || Health::Unwell { cause: Cause::from("503") };
    let mut times = 0;
    while let Step::Asked { effect, ask: Ask::Probe, .. } = way.task().step {
        times += 1;
        let _ = way.answers(effect, Reply::Deploy(DeployReply::Probed(unwell())));
        if let Step::Backoff { timer, .. } = way.task().step {
            let _ = way.tell(Event::Timer(timer));
        }
    }
    assert_eq!(times, PROBES + 1);
    assert_ne!(way.task().stage, Stage::Deploy, "it failed");
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.asks(|ask| *ask == Ask::Probe);
    let running = way.with(|task| {
        for row in &mut task.runs {
            if row.job == Job::Hook {
                std::sync::Arc::make_mut(row).end = None;
            }
        }
    });
    let after = running.makes(|d| deploy::probed(d, PROBES, &unwell())).1.step;
    assert!(matches!(after, Step::Rest(Rest::CannotTell { .. })), "{after:?}");
}

/// Production is watched after a deploy that was seen to be well by the service, unless a stop waits; not where a person looked
/// (decision 69).
#[test]
fn who_looked_is_not_looked_after() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.policy.watch = Some(WatchRules { window: Span::seconds(900), every: Span::seconds(30), failures: 3 });
    way.asks(|ask| *ask == Ask::Probe);
    let watched = |way: &Way, came: Came<'_>| {
        let said = Said::SeenWell { by: "ann".to_owned() };
        way.makes(|d| deploy::conclude(d, came, said, None)).1.watch.is_some()
    };
    assert!(watched(&way, Came::Out));
    assert!(!watched(&way, Came::Seen { by: "ann" }));
    assert!(!watched(&way.with(|task| task.cancel = stop_waits()), Came::Out));
}

/// A service that is well at the first look of a watch has not come back in it, whatever an earlier watch saw last; at a later look it
/// has (decision 69).
#[test]
fn what_an_earlier_watch_saw_is_no_flap() {
    let mut way = Way::begun(Preset::Full, Trouble::None);
    way.policy.watch = Some(WatchRules { window: Span::seconds(900), every: Span::seconds(30), failures: 3 });
    way.asks(|ask| *ask == Ask::Watch);
    let flaps = |looks| {
        let way = way.with(|task| {
            let watch = task.watch.as_mut().expect("a watch");
            (watch.looks, watch.last) = (looks, Some(Cause::from("away")));
        });
        let after = way.makes(|d| watch::saw(d, &Health::Expected)).1.watch.expect("a watch");
        assert!(after.is_well());
        after.flaps
    };
    assert_eq!([flaps(0), flaps(1)], [0, 1]);
}

/// What is told at the end is what each role used that worked, and nobody else (rows 185, 193).
#[test]
fn only_who_worked_is_told() {
    let mut way = Way::begun(Preset::Fast, Trouble::None);
    way.until(|task| task.stage == Stage::Done);
    let told = way.makes(terminal::done).0;
    let roles = notes(&told).into_iter().find_map(|note| match note {
        Note::Done { roles, .. } => {
            Some(roles.iter().map(|(role, runs, _)| (*role, *runs)).collect::<Vec<_>>())
        }
        _ => None,
    });
    let worked = [Role::Analyst, Role::Developer, Role::Reviewer, Role::Tester];
    assert_eq!(roles, Some(worked.map(|role| (role, 1)).to_vec()));
}

/// A stop waits only for the answers of what moves branch or change request, and for each of them once (row 146).
#[test]
fn a_stop_remembers_what_may_move_the_branch() {
    let stopped = |asked: fn(&Ask) -> bool| {
        let mut way = Way::begun(Preset::Full, Trouble::None);
        let effect = way.asks(asked);
        let (_, task) = way.makes(terminal::cancel_now);
        assert_eq!(task.stage, Stage::Cancelled);
        way.state = Some(State::Task(task));
        (way, effect)
    };
    let (way, _) = stopped(|ask| matches!(ask, Ask::Launch { job: Job::Agent(Role::Developer), .. }));
    assert_eq!(way.task().untold, []);
    let (mut way, effect) = stopped(|ask| *ask == Ask::OpenChange);
    assert_eq!(way.task().untold.len(), 1);
    let told = way.fails(effect, FailureKind::Permanent);
    assert_eq!((told.effects.len(), way.task().untold.len()), (1, 0), "it is asked once more");
    let (mut way, effect) = stopped(|ask| *ask == Ask::OpenChange);
    let told = way.answers(effect, Reply::Forge(ForgeReply::ChangeOpened { change: 7 }));
    assert_eq!((told.effects.len(), way.task().untold.len()), (1, 0), "it is closed");
}

/// That main has a stopped task after all is said once, and only to who was told that it has nothing of it (decision 61).
#[test]
fn a_merge_that_is_heard_of_after_the_stop_is_news_once() {
    let by = InMain { commit: "m".into(), tree: "t".into() };
    let merged = Merged {
        commit: "earlier".into(),
        tree: "t".into(),
        at: Moment(1),
        proven: true,
        change_request: None,
        branch: None,
    };
    for known in 0..8_u8 {
        let [outside, now, earlier] = [1, 2, 4].map(|bit| known & bit != 0);
        let mut way = Way::begun(Preset::Full, Trouble::None);
        let effect = way.asks(|ask| *ask == Ask::Candidate);
        let (_, task) = way.makes(terminal::cancel_now);
        way.state = Some(State::Task(task));
        let mut way = way.with(|task| {
            let it = Outside { in_main: Some(by.clone()), ..Outside::default() };
            task.outside = outside.then(|| it.into());
            task.merged = now.then(|| merged.clone());
            task.earlier_merges.extend(earlier.then(|| merged.clone()));
        });
        let told = way.answers(effect, Reply::Git(GitReply::InMain(by.clone())));
        let says = Note::Stopped { stays: Some(by.commit.clone()), frozen: false };
        let news = !outside && !now && !earlier;
        assert_eq!(notes(&told), if news { vec![&says] } else { Vec::new() }, "{outside} {now} {earlier}");
    }
}
