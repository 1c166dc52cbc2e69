//! What does the service answer? Pure: a path in, a status and a body out.

/// A name longer than this is cut.
const LONGEST_NAME: usize = 40;

/// Answers a request for `path`; `commit` is what the service was built from.
pub fn answer(path: &str, commit: &str) -> (u16, String) {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    match route {
        "/" => match name(query) {
            Some(name) => (200, format!("Hello, {name}!")),
            None => (200, "Hello!".to_string()),
        },
        "/health" => (200, format!("{{\"status\":\"ok\",\"commit\":\"{commit}\"}}")),
        _ => (404, "There is nothing here.".to_string()),
    }
}

/// The name in a query: letters, digits and `-` only, not too long; `None` if nothing is left of it.
fn name(query: &str) -> Option<String> {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("name="))?;
    let kept = raw.chars().filter(|c| c.is_alphanumeric() || *c == '-');
    let name: String = kept.take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
