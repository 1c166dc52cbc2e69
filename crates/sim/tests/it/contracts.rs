//! Does the simulator's world keep what the real ports keep?

use orch_core::stage::Role;
use orch_sim::MemoryJournal;
use orch_sim::contract::journal::{self, Close};
use orch_sim::contract::world::{Fake, Runs};
use orch_sim::contract::{self, OutOfReach};
use orch_sim::world::works::Worker;

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

/// The journal in memory.
#[derive(Default)]
struct Memory(MemoryJournal);

impl journal::Stage for Memory {
    type Journal = MemoryJournal;
    const OUT_OF_REACH: &[OutOfReach] = &[
        ("what_was_committed_survives_a_stop", "the journal in memory is gone with whoever has it"),
        ("what_was_committed_survives_a_death", "the journal in memory is gone with whoever has it"),
    ];

    fn journal(&mut self) -> &mut MemoryJournal {
        &mut self.0
    }

    fn reopen(&mut self, _: Close) {
        unreachable!("out of reach")
    }

    fn again(&mut self) -> MemoryJournal {
        self.0.overtaken()
    }
}

/// Proves the contract of journals on the one in memory.
#[test]
fn the_memory_keeps_the_contract_of_journals() {
    contract::journal::journal(Memory::default);
}
