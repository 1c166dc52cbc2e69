//! Does the simulator's world keep what the real ports keep?

use orch_core::stage::Role;
use orch_sim::contract::world::{Fake, Runs};
use orch_sim::world::works::Worker;
use orch_sim::{MemoryJournal, contract};

/// Proves the contract of git on trees that are plain state.
#[test]
fn the_world_keeps_the_contract_of_git() {
    contract::git::git(Fake::default);
}

/// Proves the contract of forges on the simulator's.
#[test]
fn the_world_keeps_the_contract_of_forges() {
    contract::forge::forge(Fake::default);
}

/// Proves the contract of trackers on the simulator's.
#[test]
fn the_world_keeps_the_contract_of_trackers() {
    contract::tracker::tracker(Fake::default);
}

/// Proves the contract of runs on those of the simulator's agents, tests and hooks.
#[test]
fn the_world_keeps_the_contract_of_runs() {
    for worker in [Worker::Agent(Role::Developer), Worker::Ci, Worker::Hook] {
        contract::run::run_of(|| Runs::of(worker));
    }
}

/// Proves the contract of probes on the simulator's services.
#[test]
fn the_world_keeps_the_contract_of_probes() {
    contract::probe::probe(Fake::default);
}

/// Proves the contract of journals on the one in memory.
#[test]
fn the_memory_keeps_the_contract_of_journals() {
    contract::journal::journal(MemoryJournal::default);
    contract::journal::overtaken(MemoryJournal::default, MemoryJournal::overtaken);
}
