//! Does the journal say what the tables say: states, open effects, armed timers? All rows folded again; an illegal journal
//! is a named error (decision 39).

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::apply;
use crate::change::Change;
use crate::decide::decide;
use crate::effect::{Effect, Timer};
use crate::event::{Event, Stamped};
use crate::id::{Digest, EffectId, Entity, Seq};
use crate::journal::{RULES, Row, Sealed};
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

/// What a table says otherwise than the journal. The tables hold nothing that is not in the journal: a backup of it has
/// all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Differs {
    /// An open effect is not in the table: it would never be performed.
    #[error("effect {0} is not among the open effects, though row {row} wanted it and no row settled it", row = .0.seq)]
    EffectGone(EffectId),
    /// An effect in the table is not open: it would be performed again.
    #[error("effect {0} stands among the open effects, though the journal has settled it or never wanted it")]
    EffectLeft(EffectId),
    /// An effect in the table is another one.
    #[error("the open effect {0} is not what row {row} wanted", row = .0.seq)]
    EffectOther(EffectId),
    /// An armed timer is not in the table: it would never fire.
    #[error("{0}: its timer is gone, though the journal armed it")]
    TimerGone(Entity),
    /// A timer in the table is not armed.
    #[error("{0}: it has a timer, though by the journal none is armed")]
    TimerLeft(Entity),
    /// A timer in the table has another name or is due at another moment.
    #[error("{0}: its timer is not the one that the journal armed")]
    TimerOther(Entity),
}

/// How many rows were folded, and what became of each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Decided again, and came out the same.
    pub decided: u64,
    /// Not decided again: other rules than [`RULES`] decided them.
    pub other_rules: u64,
    /// Not decided again: their policy is not in the journal any more.
    pub without_policy: u64,
}

/// A fold in progress.
#[derive(Debug, Clone)]
pub struct Fold {
    states: BTreeMap<Entity, (Seq, State)>,
    policies: BTreeMap<Digest, Policy>,
    effects: BTreeMap<EffectId, Effect>,
    timers: BTreeMap<Entity, Timer>,
    counts: Counts,
    last: Seq,
    hash: Digest,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            states: BTreeMap::new(),
            policies: BTreeMap::new(),
            effects: BTreeMap::new(),
            timers: BTreeMap::new(),
            counts: Counts::default(),
            last: Seq(0),
            hash: Row::genesis(),
        }
    }
}

impl Fold {
    /// Takes the next row: checks its hash and the chain, decides again if the rules are today's, and applies its changes.
    ///
    /// # Errors
    /// [`Illegal`]: what is wrong with the row.
    pub fn take(&mut self, row: &Row) -> Result<(), Illegal> {
        match row.is_sound() {
            true => self.take_read(row),
            // What is missing or out of its order is that first.
            false => self.follows(row).and(Err(Illegal::Hash(row.seq))),
        }
    }

    /// The same for a row whose bytes were compared with its hash when they were read, as a store does: it is not written
    /// once more to see that.
    ///
    /// # Errors
    /// [`Illegal`]: what is wrong with the row.
    pub fn take_read(&mut self, row: &Row) -> Result<(), Illegal> {
        self.follows(row)?;
        if let Event::PolicyChanged(change) = &row.event {
            self.policies.insert(change.digest.clone(), change.policy.clone());
        }
        let before = self.states.remove(&row.entity).map(|(_, state)| state);
        self.decide_again(row, before.as_ref())?;
        if let Some(after) = apply(before, &row.entity, (row.seq, row.at), &row.changes) {
            self.states.insert(row.entity.clone(), (row.seq, after));
        }
        self.take_effects(row);
        self.take_timer(row);
        self.last = row.seq;
        self.hash = row.hash.clone();
        Ok(())
    }

    /// The same for a row as it was sealed: its hash is compared with the text that it was sealed with, which is not made
    /// once more.
    ///
    /// # Errors
    /// [`Illegal`]: what is wrong with the row.
    pub fn take_sealed(&mut self, row: &Sealed) -> Result<(), Illegal> {
        match row.covers_its_text() {
            true => self.take_read(row),
            false => self.follows(row).and(Err(Illegal::Hash(row.seq))),
        }
    }

    fn follows(&self, row: &Row) -> Result<(), Illegal> {
        if row.seq.0 != self.last.0 + 1 {
            return Err(Illegal::Gap { after: self.last, found: row.seq });
        }
        if row.prev != self.hash {
            return Err(Illegal::Chain(row.seq));
        }
        Ok(())
    }

    /// What it wanted is open until a reply settles it.
    fn take_effects(&mut self, row: &Row) {
        if let Event::Reply(reply) = &row.event {
            self.effects.remove(&reply.effect);
        }
        self.effects.extend(row.effects.iter().map(|effect| (effect.id, effect.clone())));
    }

    /// An entity has one timer: the last that was armed, until it fires or another step needs none.
    fn take_timer(&mut self, row: &Row) {
        let steps = row.changes.iter().any(|change| matches!(change, Change::Stepped(_)));
        if let Some(timer) = row.timers.last() {
            self.timers.insert(row.entity.clone(), timer.clone());
        } else if steps || matches!(row.event, Event::Timer(_)) {
            self.timers.remove(&row.entity);
        }
    }

    fn decide_again(&mut self, row: &Row, before: Option<&State>) -> Result<(), Illegal> {
        if row.rules != RULES {
            self.counts.other_rules += 1;
            return Ok(());
        }
        let policy = match &row.policy {
            None => Policy::builtin(),
            Some(digest) => match self.policies.get(digest) {
                Some(policy) => policy,
                None => {
                    self.counts.without_policy += 1;
                    return Ok(());
                }
            },
        };
        let stamped = Stamped { seq: row.seq, at: row.at, event: &row.event };
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
        if !decision.timer.flatten().iter().eq(&row.timers) {
            return differs("timers");
        }
        self.counts.decided += 1;
        Ok(())
    }

    /// Compares the tables of open effects and armed timers with what the rows come to.
    ///
    /// # Errors
    /// [`Differs`]: the first thing that is not the same.
    pub fn compare(&self, effects: &[Effect], timers: &[(Entity, Timer)]) -> Result<(), Differs> {
        for effect in effects {
            match self.effects.get(&effect.id) {
                Some(wanted) if wanted == effect => {}
                Some(_) => return Err(Differs::EffectOther(effect.id)),
                None => return Err(Differs::EffectLeft(effect.id)),
            }
        }
        let kept: BTreeSet<EffectId> = effects.iter().map(|effect| effect.id).collect();
        if let Some(id) = self.effects.keys().find(|id| !kept.contains(id)) {
            return Err(Differs::EffectGone(*id));
        }
        for (entity, timer) in timers {
            match self.timers.get(entity) {
                Some(armed) if armed == timer => {}
                Some(_) => return Err(Differs::TimerOther(entity.clone())),
                None => return Err(Differs::TimerLeft(entity.clone())),
            }
        }
        let kept: BTreeSet<&Entity> = timers.iter().map(|(entity, _)| entity).collect();
        match self.timers.keys().find(|entity| !kept.contains(entity)) {
            Some(entity) => Err(Differs::TimerGone(entity.clone())),
            None => Ok(()),
        }
    }

    /// How many rows were decided again, and how many not.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The effects that no row settled.
    pub fn effects(&self) -> &BTreeMap<EffectId, Effect> {
        &self.effects
    }

    /// The timers that are armed.
    pub fn timers(&self) -> &BTreeMap<Entity, Timer> {
        &self.timers
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, DeployCall};
    use crate::effect::Line;
    use crate::id::{Commit, TimerId};
    use crate::time::Moment;

    fn effect(n: u32, commit: &str) -> Effect {
        let call = Call::Deploy(DeployCall::Probe { commit: Commit::from(commit) });
        let line = Line::Deploy("demo".into());
        let entity = Entity::Task("D-001".into());
        Effect { id: EffectId::new(Seq(7), n), line, entity, project: "demo".into(), call }
    }

    /// Proves that each way in which the tables of effects and timers can differ from the journal is named, and that equal
    /// ones are equal.
    #[test]
    fn tables_are_compared() {
        let entity = |name: &str| Entity::Task(name.into());
        let timer = |n| Timer { id: TimerId::new(Seq(7), n), due: Moment(9) };
        let mut fold = Fold::default();
        let effects = [effect(0, "a"), effect(1, "b")];
        fold.effects.extend(effects.iter().map(|effect| (effect.id, effect.clone())));
        fold.timers.insert(entity("D-001"), timer(0));
        let timers = [(entity("D-001"), timer(0))];
        assert_eq!(fold.compare(&effects, &timers), Ok(()));
        let id = |n| EffectId::new(Seq(7), n);
        let with = |third: Effect| [effects.to_vec(), vec![third]].concat();
        assert_eq!(fold.compare(&effects[..1], &timers), Err(Differs::EffectGone(id(1))));
        assert_eq!(fold.compare(&with(effect(2, "c")), &timers), Err(Differs::EffectLeft(id(2))));
        let other = [effect(0, "a"), effect(1, "x")];
        assert_eq!(fold.compare(&other, &timers), Err(Differs::EffectOther(id(1))));
        assert_eq!(fold.compare(&effects, &[]), Err(Differs::TimerGone(entity("D-001"))));
        let other = [(entity("D-001"), timer(1))];
        assert_eq!(fold.compare(&effects, &other), Err(Differs::TimerOther(entity("D-001"))));
        let more = [timers[0].clone(), (entity("D-002"), timer(1))];
        assert_eq!(fold.compare(&effects, &more), Err(Differs::TimerLeft(entity("D-002"))));
        let gone = Differs::EffectGone(id(1)).to_string();
        assert_eq!(
            gone,
            "effect e7.1 is not among the open effects, though row 7 wanted it and no row settled it"
        );
    }

    /// The next row about the disk, as it is decided today.
    fn next(fold: &Fold, enough: bool) -> Row {
        let (seq, entity) = (Seq(fold.last.0 + 1), Entity::Installation);
        let event = Event::Disk(crate::event::DiskReading { enough, free: 1 });
        let stamped = Stamped { seq, at: Moment(1), event: &event };
        let before = fold.states.get(&entity).map(|(_, state)| state);
        let decision = decide(&entity, before, &stamped, Policy::builtin());
        let row = Row {
            seq,
            at: stamped.at,
            entity,
            key: format!("disk/{seq}"),
            event,
            changes: decision.changes,
            effects: decision.effects,
            timers: Vec::new(),
            reasons: decision.reasons,
            policy: None,
            rules: RULES,
            prev: Digest::from(""),
            hash: Digest::from(""),
        };
        row.sealed(fold.hash.clone()).into_row()
    }

    /// Proves that each way in which a journal can be illegal is named, and that what is not decided again is counted
    /// (decision 39).
    #[test]
    fn an_illegal_journal_is_named() {
        let mut fold = Fold::default();
        for enough in [false, true] {
            let row = next(&fold, enough);
            fold.take(&row).expect("a sound row");
        }
        assert_eq!(fold.counts(), Counts { decided: 2, ..Counts::default() });
        let full = |fold: &Fold| match fold.states().get(&Entity::Installation) {
            Some((_, State::Installation(installation))) => installation.disk_full.is_some(),
            _ => panic!("the installation is known"),
        };
        assert!(!full(&fold));
        let row = next(&fold, false);
        let refused = |row: Row| fold.clone().take(&row).expect_err("it is illegal");
        let again = |row: Row| row.sealed(fold.hash.clone()).into_row();
        assert_eq!(
            refused(again(Row { seq: Seq(4), ..row.clone() })),
            Illegal::Gap { after: Seq(2), found: Seq(4) }
        );
        assert_eq!(
            refused(again(Row { seq: Seq(2), ..row.clone() })),
            Illegal::Gap { after: Seq(2), found: Seq(2) }
        );
        assert_eq!(refused(row.clone().sealed(Row::genesis()).into_row()), Illegal::Chain(Seq(3)));
        assert_eq!(refused(Row { at: Moment(2), ..row.clone() }), Illegal::Hash(Seq(3)));
        let less = Row { changes: Vec::new(), ..row.clone() };
        assert_eq!(refused(again(less)), Illegal::Decision { seq: Seq(3), what: "changes" });
        let less = Row { reasons: Vec::new(), ..row.clone() };
        assert_eq!(refused(again(less)), Illegal::Decision { seq: Seq(3), what: "reasons" });
        let more = Row { effects: vec![effect(0, "a")], ..row.clone() };
        assert_eq!(refused(again(more)), Illegal::Decision { seq: Seq(3), what: "effects" });
        let timer = Timer { id: TimerId::new(Seq(3), 0), due: Moment(9) };
        let more = Row { timers: vec![timer.clone()], ..row.clone() };
        assert_eq!(refused(again(more)), Illegal::Decision { seq: Seq(3), what: "timers" });

        // By older rules it may have been decided otherwise, and without its policy nobody can say.
        let mut older = fold.clone();
        let other =
            Row { rules: RULES - 1, timers: vec![timer], effects: vec![effect(0, "a")], ..row.clone() };
        older.take(&again(other)).expect("older rules");
        assert_eq!(older.counts(), Counts { decided: 2, other_rules: 1, without_policy: 0 });
        assert!(full(&older) && older.timers().len() == 1 && older.effects().len() == 1);
        let mut without = fold.clone();
        let other = Row { policy: Some(Digest::of(b"gone")), ..row.clone() };
        without.take(&again(other)).expect("its policy is gone");
        assert_eq!(without.counts(), Counts { decided: 2, other_rules: 0, without_policy: 1 });
    }
}
