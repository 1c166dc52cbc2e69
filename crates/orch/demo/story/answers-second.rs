//! Does the service answer as its README says?

use greeter::answer;

#[test]
fn it_greets() {
    assert_eq!(answer("/", "abc"), (200, "Hello!".to_string()));
}

#[test]
fn it_greets_by_name() {
    assert_eq!(answer("/?name=Ada", "abc"), (200, "Hello, Ada!".to_string()));
}

#[test]
fn it_says_who_it_is() {
    let (status, body) = answer("/health", "abc");
    assert_eq!(status, 200);
    assert!(body.contains("\"commit\":\"abc\""), "{body}");
}

#[test]
fn it_says_when_there_is_nothing() {
    assert_eq!(answer("/nowhere", "abc").0, 404);
}
