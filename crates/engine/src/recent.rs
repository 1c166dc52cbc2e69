//! Which states need not be read again?

use std::collections::BTreeMap;

use orch_core::id::Entity;
use orch_core::state::State;

/// Committed states that need not be read again: what happens to a task comes in bursts. Two generations bound them; a
/// state that is asked for in time moves to the younger one.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    young: BTreeMap<Entity, State>,
    old: BTreeMap<Entity, State>,
}

impl Recent {
    /// How many states a generation has: some kilobytes each.
    const GENERATION: usize = 128;

    pub(crate) fn keep(&mut self, entity: Entity, state: State) {
        if self.young.len() >= Self::GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        // One that is over is not asked for again soon.
        if state.is_open() {
            self.young.insert(entity, state);
        }
    }

    /// Takes it out: whoever decides about it keeps what comes after it.
    pub(crate) fn take(&mut self, entity: &Entity) -> Option<State> {
        // The younger one is the newer one, and an older one beside it is of the past.
        let (young, old) = (self.young.remove(entity), self.old.remove(entity));
        young.or(old)
    }
}
