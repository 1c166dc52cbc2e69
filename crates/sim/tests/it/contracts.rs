//! Does the simulator's world keep what the real ports keep?

use orch_sim::contract;
use orch_sim::contract::world::Fake;

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
