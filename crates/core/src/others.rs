//! What follows for the entities that are not tasks: repository, project, provider, installation? (decision 42)

use crate::backoff;
use crate::change::Change;
use crate::decide::Decision;
use crate::event::{Event, FreezeCause, Message, Stamped};
use crate::gesture::{Gesture, Press};
use crate::id::{Entity, TaskId};
use crate::reason::{Ignored, NoEffect, Reason};
use crate::said::Cause;
use crate::state::{Installation, Pause, Provider, Refused, Repository, State};
use crate::time::{Boot, Moment};

/// Decides for an entity that is not a task.
pub(crate) fn decide(entity: &Entity, state: Option<&State>, stamped: &Stamped<'_>) -> Decision {
    let blank = crate::apply::blank(entity);
    match state.or(blank.as_ref()) {
        Some(State::Repository(repository)) => on_repository(repository, stamped),
        Some(State::Project(_)) => on_project(stamped),
        Some(State::Provider(provider)) => on_provider(provider, stamped),
        Some(State::Installation(installation)) => on_installation(installation, stamped),
        Some(State::Task(_)) | None => Decision::only(Reason::Ignored(Ignored::NotForThis)),
    }
}

fn one(change: Change, reason: Reason) -> Decision {
    Decision { changes: vec![change], reasons: vec![reason], ..Decision::default() }
}

fn gesture_lost(gesture: &Gesture) -> Decision {
    no_effect(gesture, NoEffect::WrongEntity)
}

fn no_effect(gesture: &Gesture, why: NoEffect) -> Decision {
    let press = gesture.what.name().to_owned();
    Decision::only(Reason::GestureWithoutEffect { press, why })
}

fn is_frozen(repository: &Repository, cause: &FreezeCause, task: Option<&TaskId>) -> bool {
    repository.freezes.iter().any(|freeze| freeze.cause == *cause && freeze.task.as_ref() == task)
}

fn on_repository(repository: &Repository, stamped: &Stamped<'_>) -> Decision {
    match stamped.event {
        Event::Main(reading) => {
            let mut decision = one(Change::MainAt(reading.head.clone()), Reason::Noted);
            if !reading.descends && repository.main.is_some() {
                let cause = FreezeCause::MainRewritten;
                decision.changes.push(Change::Frozen { cause: cause.clone(), task: None });
                decision.reasons.push(Reason::Frozen(cause));
            }
            decision
        }
        Event::Message(Message::Freeze { task, cause }) => {
            if is_frozen(repository, cause, Some(task)) {
                return Decision::only(Reason::Noted);
            }
            let frozen = Change::Frozen { cause: cause.clone(), task: Some(task.clone()) };
            one(frozen, Reason::Frozen(cause.clone()))
        }
        Event::Message(Message::Thaw { task }) => {
            match repository.freezes.iter().any(|freeze| freeze.task.as_ref() == Some(task)) {
                true => one(Change::Thawed { task: Some(task.clone()) }, Reason::Thawed),
                false => Decision::only(Reason::Noted),
            }
        }
        Event::Message(Message::Deployed { commit, hook, seen }) => {
            // A person looked at what another deploy has overtaken since; under older rules nobody noted by which run it was.
            let overtaken = match repository.deployed_by {
                Some(last) => *hook < Some(last),
                None => repository.deployed.is_some() && hook.is_some(),
            };
            if *seen && overtaken {
                return Decision::only(Reason::Noted);
            }
            let out = match hook {
                Some(run) => Change::DeployedBy { commit: commit.clone(), run: *run },
                None => Change::DeployedAt(commit.clone()),
            };
            one(out, Reason::Noted)
        }
        Event::Gesture(gesture) => match gesture.what {
            Press::Freeze if is_frozen(repository, &FreezeCause::Person, None) => {
                no_effect(gesture, NoEffect::Again)
            }
            Press::Unfreeze if repository.freezes.is_empty() => no_effect(gesture, NoEffect::NotFrozen),
            Press::Freeze => {
                let frozen = Change::Frozen { cause: FreezeCause::Person, task: None };
                one(frozen, Reason::Frozen(FreezeCause::Person))
            }
            Press::Unfreeze => one(Change::Thawed { task: None }, Reason::Thawed),
            Press::Start
            | Press::Approve { .. }
            | Press::Reject { .. }
            | Press::Confirm { .. }
            | Press::Stop
            | Press::Retry
            | Press::Continue
            | Press::Accept { .. }
            | Press::Allow
            | Press::Priority(_)
            | Press::Pause { .. }
            | Press::Unpause => gesture_lost(gesture),
        },
        Event::Issue(_)
        | Event::Branch(_)
        | Event::RunEnded(_)
        | Event::Reply(_)
        | Event::Timer(_)
        | Event::Granted(_)
        | Event::Message(
            Message::Reborn(_)
            | Message::ProviderLimited { .. }
            | Message::ProviderWorks
            | Message::ProviderWorked { .. }
            | Message::Spent { .. },
        )
        | Event::PolicyChanged(_)
        | Event::PolicyRefused(_)
        | Event::ProjectRetired
        | Event::LimitsChanged(_)
        | Event::SettingsRefused(_)
        | Event::Started(_)
        | Event::ClockStepped { .. }
        | Event::Disk(_)
        | Event::Store(_) => Decision::only(Reason::Ignored(Ignored::NotForThis)),
    }
}

fn on_project(stamped: &Stamped<'_>) -> Decision {
    match stamped.event {
        Event::PolicyChanged(change) => {
            let holds = Change::PolicyHolds { digest: change.digest.clone(), commit: change.commit.clone() };
            one(holds, Reason::PolicyChanged)
        }
        Event::PolicyRefused(refusal) => {
            let refused =
                Refused { commit: refusal.commit.clone(), cause: refusal.cause.clone(), at: stamped.at };
            one(Change::PolicyRefused(refused), Reason::PolicyRefused)
        }
        Event::ProjectRetired => one(Change::Retired, Reason::ProjectRetired),
        Event::Gesture(gesture) => gesture_lost(gesture),
        Event::Issue(_)
        | Event::Main(_)
        | Event::Branch(_)
        | Event::RunEnded(_)
        | Event::Reply(_)
        | Event::Timer(_)
        | Event::Granted(_)
        | Event::Message(_)
        | Event::LimitsChanged(_)
        | Event::SettingsRefused(_)
        | Event::Started(_)
        | Event::ClockStepped { .. }
        | Event::Disk(_)
        | Event::Store(_) => Decision::only(Reason::Ignored(Ignored::NotForThis)),
    }
}

/// A breaker: closed for as long as the provider says, or for a doubling while (decision 11).
fn on_provider(provider: &Provider, stamped: &Stamped<'_>) -> Decision {
    match stamped.event {
        Event::Message(Message::ProviderLimited { until, cause }) => {
            // Runs that began before it closed are refused one after another: that is one refusal.
            let closed_still = provider.closed_until.is_some_and(|closed| closed > stamped.at);
            let until = match until {
                // What it says counts, but a wait that it always calls over grows all the same.
                Some(until) => (*until).max(stamped.at.after(backoff::outage(provider.refusals + 1))),
                None if closed_still => return Decision::only(Reason::Noted),
                None => stamped.at.after(backoff::provider(provider.refusals)),
            };
            if closed_still && provider.closed_until >= Some(until) {
                return Decision::only(Reason::Noted);
            }
            let row = Some(stamped.seq);
            let closed = Change::ProviderClosed { until: Some(until), cause: cause.clone(), row };
            one(closed, Reason::ProviderClosed)
        }
        Event::Message(Message::ProviderWorks) => works(provider),
        Event::Message(Message::ProviderWorked { began, run }) => {
            let before = match provider.closed_in.zip(*run) {
                Some((closed, run)) => run.seq <= closed,
                // It was closed under older rules.
                None => provider.closed_at.is_some_and(|closed| *began <= closed),
            };
            match before {
                true => Decision::only(Reason::Noted),
                false => works(provider),
            }
        }
        Event::ClockStepped { by } => {
            // A wait that is over stays over.
            let over = |until: &Moment| *until <= stamped.at.stepped_by(by.saturating_neg());
            let moves = |until: &Moment| waits_by_own_count(provider) || over(until);
            match provider.closed_until.filter(moves) {
                Some(until) => one(Change::ProviderDue(until.stepped_by(*by)), Reason::Noted),
                None => Decision::only(Reason::Noted),
            }
        }
        Event::Gesture(gesture) => gesture_lost(gesture),
        Event::Issue(_)
        | Event::Main(_)
        | Event::Branch(_)
        | Event::RunEnded(_)
        | Event::Reply(_)
        | Event::Timer(_)
        | Event::Granted(_)
        | Event::Message(
            Message::Reborn(_)
            | Message::Freeze { .. }
            | Message::Thaw { .. }
            | Message::Deployed { .. }
            | Message::Spent { .. },
        )
        | Event::PolicyChanged(_)
        | Event::PolicyRefused(_)
        | Event::ProjectRetired
        | Event::LimitsChanged(_)
        | Event::SettingsRefused(_)
        | Event::Started(_)
        | Event::Disk(_)
        | Event::Store(_) => Decision::only(Reason::Ignored(Ignored::NotForThis)),
    }
}

/// Whether Orch itself counted how long to wait. A moment that the provider named is its own, and stays.
fn waits_by_own_count(provider: &Provider) -> bool {
    let counted = |from: crate::time::Moment| {
        let refusals = provider.refusals;
        [from.after(backoff::provider(refusals.saturating_sub(1))), from.after(backoff::outage(refusals))]
    };
    let counts_until = provider.closed_until.map(|until| until.stepped_by(provider.stepped.saturating_neg()));
    provider.closed_at.map(counted).is_some_and(|own| own.map(Some).contains(&counts_until))
}

fn works(provider: &Provider) -> Decision {
    match provider.closed_until.is_some() {
        true => one(
            Change::ProviderClosed { until: None, cause: Cause::default(), row: None },
            Reason::ProviderOpen,
        ),
        false => Decision::only(Reason::Noted),
    }
}

fn on_installation(installation: &Installation, stamped: &Stamped<'_>) -> Decision {
    match stamped.event {
        Event::Gesture(gesture) => match &gesture.what {
            Press::Pause { drain } => {
                let pause = Pause { gesture: gesture.clone(), at: stamped.at, drain: *drain };
                one(Change::Paused(Box::new(pause)), Reason::Paused)
            }
            Press::Unpause if installation.pause.is_none() => no_effect(gesture, NoEffect::NotPaused),
            Press::Unpause => one(Change::Unpaused, Reason::Unpaused),
            Press::Start
            | Press::Approve { .. }
            | Press::Reject { .. }
            | Press::Confirm { .. }
            | Press::Stop
            | Press::Retry
            | Press::Continue
            | Press::Accept { .. }
            | Press::Allow
            | Press::Priority(_)
            | Press::Freeze
            | Press::Unfreeze => gesture_lost(gesture),
        },
        // A brain starts with good settings or not at all.
        Event::Started(start) => {
            let mut changes = Vec::new();
            if start.limits != installation.limits {
                changes.push(Change::LimitsHold(start.limits.clone()));
            }
            if installation.refused.is_some() {
                changes.push(Change::SettingsRefused(None));
            }
            // Within one boot the first look stays: what the clock did since was told as steps.
            let of = |boot: &Option<Box<Boot>>| boot.as_ref().map(|boot| boot.id.clone());
            if of(&start.boot) != of(&installation.boot) {
                changes.push(Change::Booted(start.boot.clone()));
            }
            Decision { changes, reasons: vec![Reason::Noted], ..Decision::default() }
        }
        Event::LimitsChanged(limits) => {
            let mut decision = one(Change::LimitsHold((**limits).clone()), Reason::SettingsChanged);
            if installation.refused.is_some() {
                decision.changes.push(Change::SettingsRefused(None));
            }
            decision
        }
        Event::SettingsRefused(refusal) => {
            one(Change::SettingsRefused(Some(refusal.cause.clone())), Reason::SettingsRefused)
        }
        Event::Disk(reading) => one(Change::DiskFull(!reading.enough), Reason::Noted),
        Event::Message(Message::Spent { microdollars }) => {
            let day = installation.limits.calendar.day_of(stamped.at);
            let before = installation.spent_on_the_day_of(stamped.at);
            let day = if before > 0 { day.max(installation.day) } else { day };
            one(Change::Spent { day, microdollars: before.saturating_add(*microdollars) }, Reason::Noted)
        }
        Event::Store(reading) => {
            let reason = match reading.damage {
                Some(_) => Reason::StoreDamaged,
                None => Reason::StoreSound,
            };
            one(Change::StoreDamaged(reading.damage.clone()), reason)
        }
        Event::ClockStepped { by } => {
            let boot = installation.boot.as_ref().map(|boot| boot.stepped_by(*by));
            let mut changes: Vec<Change> =
                boot.map(|boot| Change::Booted(Some(Box::new(boot)))).into_iter().collect();
            // The day goes on under another date: a clock that is set gives no money again (decision 71).
            let spent = installation.spent_on_the_day_of(stamped.at.stepped_by(by.saturating_neg()));
            if spent > installation.spent_on_the_day_of(stamped.at) {
                let day = installation.limits.calendar.day_of(stamped.at);
                changes.push(Change::Spent { day, microdollars: spent });
            }
            Decision { changes, reasons: vec![Reason::Noted], ..Decision::default() }
        }
        Event::Issue(_)
        | Event::Main(_)
        | Event::RunEnded(_)
        | Event::Reply(_)
        | Event::Timer(_)
        | Event::Granted(_)
        | Event::Message(
            Message::Reborn(_)
            | Message::Freeze { .. }
            | Message::Thaw { .. }
            | Message::Deployed { .. }
            | Message::ProviderLimited { .. }
            | Message::ProviderWorks
            | Message::ProviderWorked { .. },
        )
        | Event::Branch(_)
        | Event::PolicyChanged(_)
        | Event::PolicyRefused(_)
        | Event::ProjectRetired => Decision::only(Reason::Ignored(Ignored::NotForThis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::apply_stamped;
    use crate::event::Message;
    use crate::id::{RunId, Seq};
    use crate::time::Moment;

    fn told(state: Option<State>, at: u32, message: Message) -> Option<State> {
        event(state, (at, at), &Event::Message(message))
    }

    fn event(state: Option<State>, (row, at): (u32, u32), event: &Event) -> Option<State> {
        let entity = Entity::Provider("p".into());
        let stamped = Stamped { seq: Seq(row.into()), at: Moment(at.into()), event };
        let decision = decide(&entity, state.as_ref(), &stamped);
        apply_stamped(state, &entity, &stamped, &decision.changes)
    }

    fn is_closed(state: Option<&State>) -> bool {
        matches!(state, Some(State::Provider(provider)) if provider.closed_until.is_some())
    }

    /// Proves that a run which had its turn before the provider closed does not open it: only a later one shows that it
    /// works again (decision 11). Later is what rows say, whatever the clock was set to meanwhile.
    #[test]
    fn only_a_later_run_opens_a_provider() {
        let limited = Message::ProviderLimited { until: None, cause: "no".into() };
        let closed = told(None, 10, limited);
        let worked = |row| Message::ProviderWorked { began: Moment(0), run: Some(RunId::new(Seq(row), 0)) };
        let same = told(closed.clone(), 11, worked(9));
        assert!(is_closed(closed.as_ref()) && same == closed);
        let set_back = event(closed.clone(), (11, 3), &Event::ClockStepped { by: -8 });
        for closed in [closed, set_back] {
            let open = told(closed, 12, worked(11));
            assert!(!is_closed(open.as_ref()));
        }
    }

    /// Where older rules did not write down in which row a provider closed, the clock says which run came later.
    #[test]
    fn an_older_closing_is_told_by_the_clock() {
        let limited = Message::ProviderLimited { until: None, cause: "no".into() };
        let mut closed = told(None, 10, limited);
        match &mut closed {
            Some(State::Provider(provider)) => provider.closed_in = None,
            _ => panic!("there is no provider"),
        }
        let open = |began| {
            let worked = Message::ProviderWorked { began: Moment(began), run: Some(RunId::new(Seq(99), 0)) };
            !is_closed(told(closed.clone(), 12, worked).as_ref())
        };
        assert_eq!([open(9), open(10), open(11)], [false, false, true]);
    }

    /// Proves decision 46 for providers: a wait that Orch counted is as long as it was when the wall clock steps; a moment
    /// that the provider named stays that moment.
    #[test]
    fn a_clock_that_steps_moves_only_own_waits() {
        let closed_until = |state: &Option<State>| match state {
            Some(State::Provider(provider)) => provider.closed_until,
            _ => None,
        };
        let stepped = |state: Option<State>| {
            let entity = Entity::Provider("p".into());
            let event = Event::ClockStepped { by: -5000 };
            let stamped = Stamped { seq: Seq(12), at: Moment(-4990), event: &event };
            let decision = decide(&entity, state.as_ref(), &stamped);
            apply_stamped(state, &entity, &stamped, &decision.changes)
        };
        let cause = || Cause::from("no");
        let own = stepped(told(None, 10, Message::ProviderLimited { until: None, cause: cause() }));
        assert_eq!(closed_until(&own), Some(Moment(10 + 60_000 - 5000)));
        let named = Some(Moment(3_600_000));
        let said = stepped(told(None, 10, Message::ProviderLimited { until: named, cause: cause() }));
        assert_eq!(closed_until(&said), named);
        assert_eq!(closed_until(&stepped(None)), None);
    }

    /// Proves that a clock which is set, there and back over any midnight, gives no money of the day again, and that the
    /// midnight which comes by itself does (decisions 12, 71).
    #[test]
    fn a_clock_that_is_set_begins_no_day_of_money() {
        const HOUR: i64 = 3_600_000;
        let mut state = None;
        let mut tell = |at: i64, event: Event| {
            let stamped = Stamped { seq: Seq(1), at: Moment(at), event: &event };
            let decision = decide(&Entity::Installation, state.as_ref(), &stamped);
            state = apply_stamped(state.take(), &Entity::Installation, &stamped, &decision.changes);
            match &state {
                Some(State::Installation(now)) => now.spent_on_the_day_of(Moment(at)),
                _ => 0,
            }
        };
        let spends = || Event::Message(Message::Spent { microdollars: 5 });
        let stepped = |hours: i64| Event::ClockStepped { by: hours * HOUR };
        assert_eq!(tell(23 * HOUR, spends()), 5);
        assert_eq!(tell(25 * HOUR, stepped(2)), 5, "forward over midnight");
        assert_eq!(tell(25 * HOUR, spends()), 10);
        assert_eq!(tell(23 * HOUR, stepped(-2)), 10, "and back");
        assert_eq!(tell(8783 * HOUR, stepped(8760)), 10, "a year");
        assert_eq!(tell(23 * HOUR, stepped(-8760)), 10);
        assert_eq!(tell(23 * HOUR, spends()), 15);
        assert_eq!(tell(49 * HOUR, spends()), 5, "a day that came by itself");
        assert_eq!(tell(48 * HOUR, stepped(-1)), 5, "within a day");
    }

    /// Proves that a step of the clock which changes nothing of the day's money writes none, and has its reason.
    #[test]
    fn a_step_within_the_day_writes_no_money() {
        for spent in [0, 5] {
            let day = Installation { day: 0, spent, ..Installation::default() };
            let event = Event::ClockStepped { by: 1000 };
            let stamped = Stamped { seq: Seq(1), at: Moment(3_600_000), event: &event };
            let decision = decide(&Entity::Installation, Some(&State::Installation(day)), &stamped);
            assert_eq!((decision.changes, decision.reasons), (Vec::new(), vec![Reason::Noted]), "{spent}");
        }
    }

    /// Proves that a closed provider which names a later moment stays closed until then, and that one which names an earlier
    /// one, or none, opens no sooner: runs that began before it closed are refused one after another (decision 11).
    #[test]
    fn the_latest_moment_that_a_provider_names_holds() {
        let limited =
            |until: Option<i64>| Message::ProviderLimited { until: until.map(Moment), cause: "no".into() };
        let hour = 3_600_000;
        let closed = told(None, 10, limited(Some(hour)));
        let longer = told(closed, 11, limited(Some(2 * hour)));
        assert!(matches!(&longer, Some(State::Provider(p)) if p.closed_until == Some(Moment(2 * hour))));
        for until in [None, Some(hour), Some(2 * hour)] {
            assert_eq!(told(longer.clone(), 12, limited(until)), longer, "{until:?}");
        }
    }

    /// Proves that a wait of Orch's own count goes with a clock that is set, however often, and that a moment which the provider
    /// named stays (decisions 11, 71).
    #[test]
    fn a_wait_goes_with_every_step_of_the_clock() {
        let until = |state: &Option<State>| match state {
            Some(State::Provider(provider)) => provider.closed_until,
            _ => None,
        };
        for named in [None, Some(Moment(90_000_000))] {
            let mut state = told(None, 10, Message::ProviderLimited { until: named, cause: "no".into() });
            let first = until(&state).expect("closed");
            for by in [-7_000, -500, 9_000] {
                let event = Event::ClockStepped { by };
                let stamped = Stamped { seq: Seq(2), at: Moment(11), event: &event };
                let entity = Entity::Provider("p".into());
                let decision = decide(&entity, state.as_ref(), &stamped);
                state = apply_stamped(state, &entity, &stamped, &decision.changes);
            }
            assert_eq!(until(&state), Some(first.stepped_by(if named.is_none() { 1_500 } else { 0 })));
            // It was open a moment ago, and is open still, whatever the date is now.
            let open = first.after(crate::time::Span(1_500));
            let event = Event::ClockStepped { by: -90_000_000 };
            let stamped = Stamped { seq: Seq(3), at: open.stepped_by(-90_000_000), event: &event };
            let decision = decide(&Entity::Provider("p".into()), state.as_ref(), &stamped);
            state = apply_stamped(state, &Entity::Provider("p".into()), &stamped, &decision.changes);
            assert!(until(&state).is_some_and(|until| until <= stamped.at), "{named:?}");
        }
    }

    /// Proves that money is spent on one day and once: a clock that goes back over midnight gives nothing of it again, and
    /// one that was days ahead takes nothing from the day that it comes back to (decisions 12, 46).
    #[test]
    fn a_clock_that_goes_back_gives_no_money_again() {
        const DAY: i64 = 86_400_000;
        let spent = |times: &[(i64, u64)], at: i64| {
            let entity = Entity::Installation;
            let mut state = None;
            for (at, microdollars) in times {
                let event = Event::Message(Message::Spent { microdollars: *microdollars });
                let stamped = Stamped { seq: Seq(1), at: Moment(*at), event: &event };
                let decision = decide(&entity, state.as_ref(), &stamped);
                state = apply_stamped(state, &entity, &stamped, &decision.changes);
            }
            match state {
                Some(State::Installation(installation)) => installation.spent_on_the_day_of(Moment(at)),
                _ => panic!("the installation"),
            }
        };
        let over_midnight = [(2 * DAY + 5, 70), (2 * DAY - 5, 20)];
        assert_eq!(spent(&over_midnight, 2 * DAY - 5), 90);
        assert_eq!(spent(&over_midnight, 2 * DAY + 5), 90);
        assert_eq!(spent(&over_midnight, 3 * DAY), 0);
        let days_ahead = [(9 * DAY, 70), (2 * DAY, 20)];
        assert_eq!(spent(&days_ahead, 2 * DAY + 5), 20);
    }

    /// Proves that a gesture for something that it means nothing to says so, and that the disk's word is taken as it is.
    #[test]
    fn what_is_for_nobody_is_said() {
        let gesture = Gesture {
            request: "r".to_owned(),
            by: "ann".to_owned(),
            via: crate::gesture::Door::CommandLine,
            what: Press::Stop,
        };
        for entity in [Entity::Provider("p".into()), Entity::Project("demo".into()), Entity::Installation] {
            let event = Event::Gesture(gesture.clone());
            let stamped = Stamped { seq: Seq(1), at: Moment(1), event: &event };
            let lost = Reason::GestureWithoutEffect { press: "stop".to_owned(), why: NoEffect::WrongEntity };
            assert_eq!(decide(&entity, None, &stamped), Decision::only(lost), "{entity}");
        }
        for enough in [true, false] {
            let event = Event::Disk(crate::event::DiskReading { enough, free: 1 });
            let stamped = Stamped { seq: Seq(1), at: Moment(1), event: &event };
            let decision = decide(&Entity::Installation, None, &stamped);
            assert_eq!(decision.changes, [Change::DiskFull(!enough)]);
        }
    }

    /// Proves that the same freeze is one, and that another cause or another task is another.
    #[test]
    fn a_freeze_is_of_a_cause_and_a_task() {
        let freeze = |task: &str, cause| {
            let message = Message::Freeze { task: task.into(), cause };
            (Entity::Repository("demo".into()), Event::Message(message))
        };
        let mut state = None;
        let mut frozen = |(entity, event): (Entity, Event)| {
            let stamped = Stamped { seq: Seq(1), at: Moment(1), event: &event };
            let decision = decide(&entity, state.as_ref(), &stamped);
            state = apply_stamped(state.clone(), &entity, &stamped, &decision.changes);
            match &state {
                Some(State::Repository(repository)) => repository.freezes.len(),
                _ => panic!("a repository"),
            }
        };
        let (failed, unproven) = (FreezeCause::DeployFailed, FreezeCause::MainRewritten);
        let told = [("a", &failed), ("a", &failed), ("b", &failed), ("a", &unproven), ("b", &failed)];
        assert_eq!(told.map(|(task, cause)| frozen(freeze(task, cause.clone()))), [1, 1, 2, 3, 3]);
    }

    /// Proves that a provider is open at the moment until which it was closed, that each refusal of one that was open makes the
    /// wait longer, and that a word of its own is at least as long as what is counted.
    #[test]
    fn each_refusal_waits_longer() {
        let limited = |until| Message::ProviderLimited { until, cause: "no".into() };
        let until = |state: &Option<State>| match state {
            Some(State::Provider(provider)) => (provider.closed_until, provider.refusals),
            _ => panic!("a provider"),
        };
        let first = told(None, 0, limited(None));
        assert_eq!(until(&first), (Some(Moment(60_000)), 1));
        // Refused once more while it is closed: that is the same refusal.
        assert_eq!(until(&told(first.clone(), 59_999, limited(None))), (Some(Moment(60_000)), 1));
        let second = told(first, 60_000, limited(None));
        assert_eq!(until(&second), (Some(Moment(180_000)), 2));
        let third = told(second, 180_000, limited(Some(Moment(0))));
        assert_eq!(until(&third), (Some(Moment(184_000)), 3));
        // It works: the next refusal is the first again.
        let works = told(third, 190_000, Message::ProviderWorks);
        assert_eq!(until(&works), (None, 0));
        let stamped = Stamped { seq: Seq(9), at: Moment(9), event: &Event::Message(Message::ProviderWorks) };
        let again = decide(&Entity::Provider("p".into()), works.as_ref(), &stamped);
        assert_eq!(again, Decision::only(Reason::Noted), "one that works is told once");
    }
}
