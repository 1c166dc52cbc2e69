//! Is whoever does not answer left in peace? (goal 22)

use orch_core::call::FailureKind;
use orch_core::change::Change;
use orch_core::effect::Line;
use orch_core::event::{Event, Outcome};
use orch_core::gesture::Press;
use orch_core::id::TaskId;
use orch_core::journal::Row;
use orch_core::task::{Delay, Step};
use orch_core::time::Span;

use super::{Broken, Occasion, Watch, broken};
use crate::memory::MemoryJournal;
use crate::world::{Called, World};

/// How long who does not answer is left alone before each try after the first, in seconds, the last one for ever (decision
/// 61). In numbers of its own: a bench that asks the function which it judges finds every wait right.
const SECONDS: [u64; 7] = [1, 2, 4, 8, 16, 32, 60];

/// The least wait before try number `tries`, counted from 1 for the first one that is a repetition.
pub fn left_alone(tries: u32) -> Span {
    let place = (tries.max(1) as usize - 1).min(SECONDS.len() - 1);
    Span::seconds(SECONDS[place])
}

/// How an effect was asked for.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// By this brain.
    brain: u64,
    /// So often.
    times: u32,
    /// At last at this moment.
    last: i64,
}

impl Watch {
    /// One brain asks for one effect again only after the wait that belongs to this try; another brain begins anew. So an
    /// outage costs as many calls as its length and the restarts in it allow, and no more.
    pub(super) fn calls(&mut self, world: &World) -> Result<(), Broken> {
        for Called { effect, brain, at } in world.calls.get(self.called..).unwrap_or_default().iter().copied()
        {
            self.looks.count(Occasion::Call);
            let calls = self.asked_of.entry(effect).or_default();
            if calls.brain != brain {
                (calls.brain, calls.times) = (brain, 0);
            }
            let least = if calls.times == 0 { 0 } else { left_alone(calls.times).0 };
            let waited = at.saturating_sub(calls.last);
            if calls.times > 0 && waited < least.cast_signed() {
                let what = format!("{effect} is asked for again after {waited} of {least} ms");
                broken("who-is-away-is-asked-seldom", what)?;
            }
            (calls.times, calls.last) = (calls.times + 1, at);
        }
        self.called = world.calls.len();
        Ok(())
    }

    /// A task whose question failed waits before it asks again, longer each time.
    pub(super) fn waits_longer(
        &mut self,
        id: &TaskId,
        row: &Row,
        journal: &MemoryJournal,
    ) -> Result<(), Broken> {
        let failed = match &row.event {
            Event::Reply(reply) => match &reply.outcome {
                Outcome::Failed(failure) if failure.kind != FailureKind::Permanent => Some(reply.effect),
                Outcome::Failed(_) | Outcome::Done(_) => None,
            },
            _ => None,
        };
        if let Some(effect) = failed
            && let Some(place) = usize::try_from(effect.seq.0).ok().and_then(|seq| seq.checked_sub(1))
            && let Some(asked) = journal.all().get(place)
            && let Some(before) = asked.effects.iter().find(|known| known.id == effect)
        {
            // What is only looked up for the sake of tidiness is asked for by the dispatcher, which waits as well.
            let again = |now: &&orch_core::effect::Effect| {
                now.call == before.call && !matches!(now.line, Line::Cleanup(_))
            };
            if let Some(now) = row.effects.iter().find(again) {
                let what = format!("row {}: {id} asks again at once: {}", row.seq, now.call.name());
                broken("who-is-away-is-asked-seldom", what)?;
            }
        }
        for change in &row.changes {
            let Change::Stepped(step) = change else { continue };
            match &**step {
                Step::Asked { effect, ask, tries } => {
                    let before = self.tried.insert(id.clone(), (*effect, ask.clone(), *tries));
                    let again = match &row.event {
                        Event::Timer(_) => true,
                        Event::Gesture(gesture) => gesture.what == Press::Retry,
                        _ => false, // nothing else ends a wait
                    };
                    if again
                        && let Some((_, same, before)) = before
                        && same == *ask
                        && before >= *tries
                    {
                        let what = format!("row {}: {id} forgets that it asked {before} times", row.seq);
                        broken("who-is-away-is-asked-seldom", what)?;
                    }
                }
                Step::Backoff { due, ask, tries, cause: Delay::Outage { .. }, .. } => {
                    let wait = due.since(row.at);
                    let before =
                        self.tried.get(id).filter(|(asked, same, _)| failed == Some(*asked) && same == ask);
                    if wait < left_alone(*tries) || before.is_some_and(|(_, _, before)| *tries <= *before) {
                        let what = format!("row {}: {id} waits {wait} for try {tries}", row.seq);
                        broken("who-is-away-is-asked-seldom", what)?;
                    }
                }
                Step::Backoff { .. } | Step::Rest(_) | Step::Queued(_) | Step::Running { .. } => {
                    self.tried.remove(id);
                }
            }
        }
        Ok(())
    }
}
