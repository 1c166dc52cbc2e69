//! Does the journal say what the state tables say? All rows folded again; an illegal journal is a named error (decision
//! 39).

use std::collections::BTreeMap;

use crate::apply::apply;
use crate::decide::decide;
use crate::event::Stamped;
use crate::id::{Digest, Entity, Seq};
use crate::journal::{RULES, Row};
use crate::policy::Policy;
use crate::state::State;

/// What is wrong with a journal: place, cause, remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// A row is missing or doubled.
    #[error(
        "row {found} follows row {after}: rows are missing or doubled; restore a backup (`orch restore`)"
    )]
    Gap {
        /// The row before.
        after: Seq,
        /// The row found.
        found: Seq,
    },
    /// The chain is broken.
    #[error(
        "row {0} does not follow the row before it: the journal was altered; restore a backup (`orch restore`)"
    )]
    Chain(Seq),
    /// A row is not what its hash says.
    #[error("row {0} is not what its hash says: it was altered; restore a backup (`orch restore`)")]
    Hash(Seq),
    /// The same rules decide otherwise today.
    #[error("row {seq}: the same rules decide otherwise ({what}); report this as a defect")]
    Decision {
        /// The row.
        seq: Seq,
        /// What differs.
        what: &'static str,
    },
}

/// A fold in progress.
#[derive(Debug, Clone)]
pub struct Fold {
    states: BTreeMap<Entity, (Seq, State)>,
    policies: BTreeMap<Digest, Policy>,
    last: Seq,
    hash: Digest,
}

impl Default for Fold {
    fn default() -> Self {
        Self { states: BTreeMap::new(), policies: BTreeMap::new(), last: Seq(0), hash: Row::genesis() }
    }
}

impl Fold {
    /// Takes the next row: checks the chain, decides again if the rules are today's, and applies its changes.
    pub fn take(&mut self, row: &Row) -> Result<(), Illegal> {
        if row.seq.0 != self.last.0 + 1 {
            return Err(Illegal::Gap { after: self.last, found: row.seq });
        }
        if row.prev != self.hash {
            return Err(Illegal::Chain(row.seq));
        }
        if !row.is_sound() {
            return Err(Illegal::Hash(row.seq));
        }
        if let crate::event::Event::PolicyChanged(change) = &row.event {
            self.policies.insert(change.digest.clone(), change.policy.clone());
        }
        let before = self.states.remove(&row.entity).map(|(_, state)| state);
        if row.rules == RULES {
            self.decide_again(row, before.as_ref())?;
        }
        if let Some(after) = apply(before, &row.entity, (row.seq, row.at), &row.changes) {
            self.states.insert(row.entity.clone(), (row.seq, after));
        }
        self.last = row.seq;
        self.hash = row.hash.clone();
        Ok(())
    }

    fn decide_again(&self, row: &Row, before: Option<&State>) -> Result<(), Illegal> {
        let builtin = Policy::default();
        let policy = match &row.policy {
            None => &builtin,
            Some(digest) => match self.policies.get(digest) {
                Some(policy) => policy,
                None => return Ok(()),
            },
        };
        let stamped = Stamped { seq: row.seq, at: row.at, event: row.event.clone() };
        let decision = decide(&row.entity, before, &stamped, policy);
        let differs = |what| Err(Illegal::Decision { seq: row.seq, what });
        if decision.changes != row.changes {
            return differs("changes");
        }
        if decision.effects != row.effects {
            return differs("effects");
        }
        if decision.reasons != row.reasons {
            return differs("reasons");
        }
        Ok(())
    }

    /// The states that the rows make, each with the last row about it.
    pub fn states(&self) -> &BTreeMap<Entity, (Seq, State)> {
        &self.states
    }

    /// The last row taken.
    pub fn last(&self) -> Seq {
        self.last
    }
}
