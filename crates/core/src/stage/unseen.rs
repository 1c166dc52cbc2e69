//! Neither hook nor service can tell that a deploy is out, or there is no service to ask: who says it? (decisions 19, 36, 64)

use super::{deploy, terminal, watch};
use crate::call::tracker::Author;
use crate::desk::Desk;
use crate::gate::GateId;
use crate::gesture::Gesture;
use crate::id::Digest;
use crate::note::Note;
use crate::outside::named;
use crate::press::taken;
use crate::reason::{NoEffect, Reason};
use crate::record::Came;
use crate::said::{Found, Said};
use crate::task::{Rest, Step};

/// Whether a person is asked what became of a deploy: they may look, or let Orch ask again.
pub(crate) fn is_asked(d: &Desk<'_>) -> bool {
    match &d.task.step {
        Step::Rest(rest) => matches!(
            rest,
            Rest::CannotTell { .. } | Rest::DeployUnseen | Rest::WentBad { .. } | Rest::WentSilent { .. }
        ),
        Step::Queued(_) | Step::Asked { .. } | Step::Running { .. } | Step::Backoff { .. } => false,
    }
}

/// Whether to begin again is to look again, and no hook: then it is done also by who meant a record.
pub(crate) fn is_looked_at_again(d: &Desk<'_>) -> bool {
    match &d.task.step {
        Step::Rest(Rest::WentBad { .. } | Rest::WentSilent { .. }) => true,
        Step::Rest(Rest::CannotTell { .. }) => d.policy.probe,
        Step::Rest(_)
        | Step::Queued(_)
        | Step::Asked { .. }
        | Step::Running { .. }
        | Step::Backoff { .. } => false,
    }
}

/// Whether a person's look at production counts: where they are asked, and while it is watched for them.
pub(crate) fn may_look(d: &Desk<'_>) -> bool {
    is_asked(d) || d.task.is_watched()
}

/// Nothing proves the hook's word: a person looks. The lane stays held, as for everything that cannot be told.
pub(crate) fn wait(d: &mut Desk<'_>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    d.because(Reason::DeployUnseen);
    d.because(Reason::GateSaid { gate: GateId::CheckDeployStatus, passed: None });
    if d.task.cancel.is_some() {
        give_up(d);
        return terminal::cancel_now(d);
    }
    d.say(Author::Deployer, Note::DeployUnseen { commit: merged.commit });
    d.rest(Rest::DeployUnseen);
}

/// Nobody will look: a freeze keeps what the lane kept.
pub(crate) fn give_up(d: &mut Desk<'_>) {
    deploy::untold(d, Said::HookUnasked.into());
}

/// A person looked at exactly this commit, and it is deployed and well.
pub(crate) fn accept(d: &mut Desk<'_>, gesture: &Gesture, what: Option<&Digest>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    if what.is_some_and(|what| *what != named(&merged.commit)) {
        return crate::decide::no_effect(d, "accept", NoEffect::OtherThing);
    }
    taken(d, gesture);
    let by = gesture.by.as_str();
    if d.task.watch.is_some() {
        return watch::accepted(d, by);
    }
    deploy::conclude(d, Came::Seen { by }, Said::SeenWell { by: by.to_owned() }, None);
}

/// A person looked, and it is not right: the deploy failed, and what they say is what the next round mends.
pub(crate) fn turn_down(d: &mut Desk<'_>, by: &str, why: Found) {
    if d.task.watch.is_some() {
        return watch::turned_down(d, by, why);
    }
    deploy::conclude(d, Came::TurnedDown { by }, Said::SeenBad { by: by.to_owned() }, Some(why));
}
