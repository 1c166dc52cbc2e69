//! The deploy hook says that it is done, and there is no service to ask: who says that it is out? (decisions 19, 36, 64)

use super::{deploy, terminal};
use crate::call::Text;
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
use crate::task::Rest;

/// What is known where nobody looked.
const UNASKED: &str = "the deploy hook says that it is deployed, and there is no service to ask";

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
    deploy::untold(d, UNASKED.to_owned());
}

/// A person looked at exactly this commit, and it is deployed and well.
pub(crate) fn accept(d: &mut Desk<'_>, gesture: &Gesture, what: Option<&Digest>) {
    let Some(merged) = d.task.merged.clone() else { return d.because(Reason::Noted) };
    if what.is_some_and(|what| *what != named(&merged.commit)) {
        return crate::decide::no_effect(d, "accept", NoEffect::OtherThing);
    }
    taken(d, gesture);
    let by = gesture.by.as_str();
    deploy::conclude(d, Came::Seen { by }, &format!("{} looked: it is deployed and well", who(by)), None);
}

/// A person looked, and it is not right: the deploy failed, and what they say is what the next round mends.
pub(crate) fn turn_down(d: &mut Desk<'_>, by: &str, why: Text) {
    deploy::conclude(d, Came::TurnedDown { by }, &format!("{} looked: it is not right", who(by)), Some(why));
}

/// Who looked, where the door knows it.
fn who(by: &str) -> &str {
    match by {
        "board" | "api" => "somebody",
        person => person, // not a domain enum
    }
}
