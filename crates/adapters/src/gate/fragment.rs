//! Which part of a red run's output does the developer need? The names of what failed, and the last lines.

use std::collections::HashSet;

use crate::run::said;

/// The most names of failed tests that are listed.
const NAMES: usize = 20;

/// A failing fragment of at most `most` bytes, made of the last part of both streams (cleaned and masked).
pub(super) fn fragment(stdout: &str, stderr: &str, most: usize) -> String {
    let mut seen = HashSet::new();
    let names = stdout.lines().chain(stderr.lines()).filter_map(failed);
    let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
    let mut text = String::new();
    if !names.is_empty() {
        text.push_str("Failed:\n");
        for name in names.iter().take(NAMES) {
            text.push_str("- ");
            text.push_str(said_shortly(name));
            text.push('\n');
        }
        if names.len() > NAMES {
            text.push_str(&format!("- and {} more\n", names.len() - NAMES));
        }
        text.push('\n');
    }
    let room = most.saturating_sub(text.len() + 40);
    let (stdout, stderr) = (stdout.trim_end(), stderr.trim_end());
    // Neither stream pushes the other out: what one does not need the other may have.
    let for_stderr = room - stdout.len().min(room / 2);
    let stderr = said::last(stderr, for_stderr);
    let stdout = said::last(stdout, room - stderr.len());
    if !stderr.is_empty() {
        text.push_str("Standard error, the end:\n");
        text.push_str(stderr);
        text.push_str("\n\n");
    }
    if !stdout.is_empty() {
        text.push_str("Output, the end:\n");
        text.push_str(stdout);
    }
    // The names stay in front: what is too long is the end's beginning, which was cut above.
    text[..text.floor_char_boundary(most)].trim_end().to_owned()
}

/// The name of a failed test, as the common test programs print it.
fn failed(line: &str) -> Option<&str> {
    let line = line.trim();
    // cargo test
    if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
        return Some(name);
    }
    // cargo nextest
    if let Some(rest) = line.strip_prefix("FAIL [") {
        return rest.split_once("] ").map(|(_, name)| name.trim());
    }
    // go, pytest, TAP, unittest
    for prefix in ["--- FAIL: ", "FAILED ", "not ok ", "FAIL: "] {
        if let Some(name) = line.strip_prefix(prefix).filter(|name| !name.starts_with('(')) {
            return Some(name);
        }
    }
    // jest, vitest, mocha
    ["✕ ", "✗ ", "× "].iter().find_map(|mark| line.strip_prefix(mark))
}

fn said_shortly(name: &str) -> &str {
    &name[..name.floor_char_boundary(100)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of what failed stand first, whatever program printed them, and both ends follow, within the limit.
    #[test]
    fn names_first_then_the_end() {
        let stdout = "test a::b ... ok\ntest a::c ... FAILED\n--- FAIL: TestX (0.00s)\nFAILED t/x.py::y - boom\n\
                      test a::c ... FAILED\ntest result: FAILED. 1 passed; 1 failed";
        let text = fragment(stdout, "error: test failed", 4096);
        let names = "Failed:\n- a::c\n- TestX (0.00s)\n- t/x.py::y - boom\n\n";
        assert!(text.starts_with(names), "{text}");
        assert!(text.contains("error: test failed") && text.ends_with("1 failed"), "{text}");
    }

    /// However long the output is, the fragment stays within its limit and neither stream pushes the other out.
    #[test]
    fn it_is_bounded() {
        let stdout = (0..10_000).map(|n| format!("test number::{n} ... FAILED\n")).collect::<String>();
        let stderr = "ёrror line\n".repeat(10_000);
        for most in [500, 4096] {
            let text = fragment(&stdout, &stderr, most);
            assert!(text.len() <= most, "{} of {most}", text.len());
        }
        let text = fragment(&stdout, &stderr, 4096);
        assert!(
            text.contains("- and 9980 more") && text.contains("ёrror line") && text.contains("number::9999")
        );
    }

    /// Nothing printed gives nothing.
    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(fragment("", "  \n", 4096), "");
    }
}
