//! What must every implementation of a contract do? The real ones and the simulator's run the same suites.
//!
//! A suite is a list of promises: functions whose doc comment says what is kept, over a stage. A stage is one
//! implementation with the people around it, who push, press and close. Whoever keeps a promise in another way than by a
//! stage (a machine that cannot bring something about) names it with its reason. `docs/contracts.md` lists them all.

pub mod journal;
pub mod repository;
pub mod git;
pub mod forge;
pub mod tracker;
pub mod run;
pub mod probe;
pub mod world;
pub mod sample;

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use orch_core::call::{Failure, FailureKind};

/// A promise: its name and what shows it.
pub type Promise<S> = (&'static str, fn(&mut S));

/// What a stage cannot bring about: the promise, and why.
pub type OutOfReach = (&'static str, &'static str);

/// Shows each promise on a stage of its own, and says at the end which were broken.
fn keep<S>(promises: &[Promise<S>], beyond: &[OutOfReach], make: impl Fn() -> S) {
    for (name, why) in beyond {
        assert!(promises.iter().any(|(known, _)| known == name), "there is no promise {name} ({why})");
    }
    let shown = promises.iter().filter(|(name, _)| !beyond.iter().any(|(left_out, _)| left_out == name));
    let mut broken = Vec::new();
    for (name, promise) in shown {
        if catch_unwind(AssertUnwindSafe(|| promise(&mut make()))).is_err() {
            eprintln!("broken: {name}");
            broken.push(*name);
        }
    }
    assert!(broken.is_empty(), "{} of {} promises are broken: {broken:?}", broken.len(), promises.len());
}

/// What two hands were told who did the same at once, as an old one and its successor do: the same, or that one is to ask
/// again, and who asks again is told. That it happened once is for the caller to see.
fn once<R: PartialEq + Debug>(
    told: [Result<R, Failure>; 2],
    mut again: impl FnMut() -> Result<R, Failure>,
) -> R {
    let settled = match again() {
        Ok(settled) => settled,
        Err(failure) => panic!("asked again it fails: {failure:?} (before: {told:?})"),
    };
    for answer in told {
        match answer {
            Ok(answer) => assert_eq!(answer, settled),
            Err(failure) => assert_ne!(failure.kind, FailureKind::Permanent, "{failure:?}"),
        }
    }
    settled
}

/// Functions over the stage `S`, with their names.
macro_rules! promises {
    ($($name:ident),+ $(,)?) => { &[$((stringify!($name), $name::<S> as fn(&mut S))),+] };
}
use promises;
