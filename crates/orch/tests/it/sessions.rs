//! Does a browser stay signed in, and does nothing in the data folder sign anybody in?

use std::os::unix::fs::PermissionsExt as _;

use crate::yard::{GREEN, Yard};

/// A write that a browser may do: what it is answered.
fn writes(yard: &Yard, cookie: &str) -> u16 {
    let (_, page) = yard.http("GET /", &[("cookie", cookie)], b"");
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let headers = [
        ("cookie", cookie),
        ("origin", "http://localhost"),
        ("content-type", "application/json"),
        ("orch-csrf", csrf.unwrap_or_default()),
    ];
    yard.http("POST /api/v1/installation/pause", &headers, b"{\"drain\": true}").0
}

/// Proves that a browser which signed in goes on to write after Orch was started again, until it signs out; that the file
/// which remembers it has mode 0600 and nothing in it that signs anybody in.
#[test]
fn a_browser_stays_signed_in_over_a_restart() {
    let mut yard = Yard::with(&[], GREEN);
    yard.up();
    let link = yard.running().link().unwrap();
    let ticket = link.split_once("ticket=").unwrap().1;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let origin = ("origin", "http://localhost");
    let answer = yard.http_whole("POST /login", &[form, origin], format!("ticket={ticket}").as_bytes());
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = set.split(';').next().unwrap();
    assert_eq!(writes(&yard, cookie), 200);

    yard.stop();
    let kept = std::fs::read_to_string(yard.home().sessions()).unwrap();
    let mode = std::fs::metadata(yard.home().sessions()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = cookie.split_once('=').unwrap().1;
    assert!(!kept.contains(token) && !kept.contains(ticket), "{kept}");

    yard.up();
    assert_eq!(writes(&yard, cookie), 200);
    let (_, page) = yard.http("GET /", &[("cookie", cookie)], b"");
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let out =
        yard.http("POST /logout", &[("cookie", cookie), form, origin], format!("csrf={csrf}").as_bytes());
    assert_eq!(out.0, 303, "{}", out.1);
    yard.stop();
    yard.up();
    assert_eq!(writes(&yard, cookie), 401, "who signed out stays out");
}
