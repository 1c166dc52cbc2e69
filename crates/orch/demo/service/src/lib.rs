//! What does the service answer? Pure: a path in, a status and a body out.

/// Answers a request for `path`; `commit` is what the service was built from.
pub fn answer(path: &str, commit: &str) -> (u16, String) {
    let (route, _query) = path.split_once('?').unwrap_or((path, ""));
    match route {
        "/" => (200, "Hello!".to_string()),
        "/health" => (200, format!("{{\"status\":\"ok\",\"commit\":\"{commit}\"}}")),
        _ => (404, "There is nothing here.".to_string()),
    }
}
