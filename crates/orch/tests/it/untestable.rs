//! What if a project cannot be tested? Nobody is paid, nobody is blamed, and it is said what is missing.

use orch_core::message::{self, Lang};
use orch_core::task::Why;

use crate::yard::Yard;

/// Proves that a project without a test command merges nothing, and says what is missing before an agent is paid.
#[test]
fn without_tests_nothing_begins() {
    let mut yard = Yard::with(&[], "preset = \"library\"\n");
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    assert_eq!(task.escalated.unwrap().why, Why::NoTests);
    assert!(task.runs.is_empty(), "no agent was paid");
}

/// Proves that a test command whose program is missing is nobody's red test: the task waits and says which program.
#[test]
fn a_missing_test_program_is_named() {
    let mut yard = Yard::with(&[], "preset = \"library\"\ntest = [\"no-such-program\"]\n");
    yard.up();
    let id = yard.ask("A change");
    let task = yard.travel(&id);
    assert_eq!(task.attempts.negative, 0);
    let why = task.escalated.unwrap().why;
    let said = message::why(&why, Lang::En);
    assert!(said.contains("no-such-program") && said.contains("install it"), "{said}");
    assert!(message::why(&why, Lang::Ru).contains("`no-such-program` из команды `test`"));
}
