//! Proves that sentences are bounded, and that the numbers and stages in them are the right ones.

use super::*;

/// Proves that a quoted line has at most 300 characters, the sign that it was cut among them, and is whole up to that.
#[test]
fn a_quoted_line_is_bounded() {
    let whole = "ж".repeat(300);
    assert_eq!(clause(&whole), whole);
    let cut = clause(&"ж".repeat(301));
    assert_eq!((cut.chars().count(), cut.chars().last()), (300, Some('…')));
    assert_eq!(clause(" a\n b\u{7}... "), "a b");
}

/// Proves that people read how often a role ended without a result before they are asked, and whether a stage begins again or
/// an earlier one does.
#[test]
fn numbers_and_stages_are_said_right() {
    let fruitless = why(&Why::Fruitless { role: Role::Developer, cause: Cause::from("no") }, Lang::En);
    assert!(fruitless.contains(" 3 times "), "{fruitless}");
    let back = |from, to| {
        let judge = Judge::Gate(GateId::CheckCiGreen);
        reason(&Reason::SentBack { from, to, judge, attempt: 1, of: 3 }, Lang::En)
    };
    let (here, earlier) =
        (back(Stage::Development, Stage::Development), back(Stage::Review, Stage::Development));
    assert!(here.contains("begins again") && earlier.starts_with("Back from "), "{here} / {earlier}");
}
