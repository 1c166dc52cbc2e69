//! What in a Rust file is code, what is a comment or a string, and what is only there for tests?
//!
//! Enough of a lexer for rules about single lines; it does not know the grammar.

/// A Rust file, read for the rules.
pub(crate) struct Source {
    /// Its path in the repository.
    pub(crate) path: String,
    /// Its lines as written.
    pub(crate) lines: Vec<String>,
    /// The same lines with comments blanked and the inside of strings as `~`.
    pub(crate) code: Vec<String>,
    /// For each line: whether it is compiled for tests only.
    pub(crate) test: Vec<bool>,
}

impl Source {
    /// Reads a file.
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let masked = mask(text);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let code: Vec<String> = masked.lines().map(str::to_owned).collect();
        let test =
            if is_test_file(path) { vec![true; lines.len()] } else { test_lines(&masked, lines.len()) };
        Source { path: path.to_owned(), lines, code, test }
    }

    /// Lines of code with their number from 1, and whether they are for tests only.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        self.code.iter().zip(&self.test).enumerate().map(|(at, (line, test))| (at + 1, line.as_str(), *test))
    }
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.contains("/benches/")
        || path.contains("/examples/")
        || path.ends_with("/tests.rs")
}

/// The text with comments as blanks and the inside of strings and characters as `~`; line breaks stay.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => {
                let end = find(&chars, at, |rest| rest[0] == '\n');
                fill(&mut masked, &chars[at..end], ' ');
                end
            }
            '/' if chars.get(at + 1) == Some(&'*') => {
                let end = block_comment_end(&chars, at);
                fill(&mut masked, &chars[at..end], ' ');
                end
            }
            '"' => quoted(&mut masked, &chars, at, quote_end(&chars, at + 1, '"')),
            '\'' if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') => {
                quoted(&mut masked, &chars, at, quote_end(&chars, at + 1, '\''))
            }
            'r' if raw_hashes(&chars, at).is_some() => {
                let hashes = raw_hashes(&chars, at).unwrap_or(0);
                let body = at + 1 + hashes + 1;
                let closes = |rest: &[char]| {
                    rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|one| *one == '#')
                };
                let end = find(&chars, body, closes);
                masked.extend(&chars[at..body]);
                fill(&mut masked, &chars[body.min(chars.len())..end], '~');
                let close = (end + 1 + hashes).min(chars.len());
                masked.extend(&chars[end..close]);
                close
            }
            other => {
                masked.push(other);
                at + 1
            }
        };
        at = end;
    }
    masked
}

/// Keeps the two quotes, hides what is between; `end` is behind the closing one.
fn quoted(masked: &mut String, chars: &[char], start: usize, end: usize) -> usize {
    masked.push(chars[start]);
    fill(masked, &chars[start + 1..end.saturating_sub(1).max(start + 1)], '~');
    if end > start + 1 {
        masked.push(chars[end - 1]);
    }
    end
}

fn fill(masked: &mut String, hidden: &[char], with: char) {
    masked.extend(hidden.iter().map(|one| if *one == '\n' { '\n' } else { with }));
}

/// The first place from `start` at which `found` holds for the rest, or the end.
fn find(chars: &[char], start: usize, found: impl Fn(&[char]) -> bool) -> usize {
    (start..chars.len()).find(|at| found(&chars[*at..])).unwrap_or(chars.len())
}

/// The place behind the closing `quote`.
fn quote_end(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            one if one == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (at, depth) = (at + 2, depth + 1),
            ('*', '/') if depth == 1 => return at + 2,
            ('*', '/') => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    chars.len()
}

/// The number of `#` of a raw string that starts with the `r` at `at`; nothing if none starts there.
fn raw_hashes(chars: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| chars[before]);
    let beside = at.checked_sub(2).map(|before| chars[before]);
    let word = |one: Option<char>| one.is_some_and(|one| one.is_alphanumeric() || one == '_');
    let prefix = matches!(before, Some('b' | 'c')) && !word(beside);
    if word(before) && !prefix {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|one| **one == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Marks each item under `#[cfg(test)]`, from its attribute to its closing brace or semicolon.
fn test_lines(masked: &str, count: usize) -> Vec<bool> {
    let mut marked = vec![false; count];
    for attribute in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (start, _) in masked.match_indices(attribute) {
            let end = item_end(masked, start);
            let first = masked[..start].matches('\n').count();
            let last = masked[..end].matches('\n').count();
            for line in marked.iter_mut().take(last + 1).skip(first) {
                *line = true;
            }
        }
    }
    marked
}

/// The place behind the item that begins with the attribute at `start`.
fn item_end(masked: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, one) in masked[start..].char_indices() {
        match one {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return start + at;
                }
            }
            ';' if depth == 0 => return start + at,
            _ => {}
        }
    }
    masked.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Comments become blanks, strings keep their quotes, lifetimes and raw identifiers are code.
    #[test]
    fn comments_and_strings_are_masked() {
        for (text, masked) in [
            ("let a = 1; // no", "let a = 1;      "),
            ("/* a /* b */ c */ d", "                  d"),
            (r#"say("a\"b // c") + 1"#, r#"say("~~~~~~~~~") + 1"#),
            ("r#\"a\"b\"# + x", "r#\"~~~\"# + x"),
            ("br\"a\" r#type var\"x\"", "br\"~\" r#type var\"~\""),
            ("'a' '\\'' &'a str", "'~' '~~' &'a str"),
            ("\"open", "\"~~~n"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    /// What follows a test module is not for tests.
    #[test]
    fn test_items_are_told_apart() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        let source = Source::new("crates/x/src/lib.rs", text);
        assert_eq!(source.test, [false, true, true, true, true, false, true, true, false]);
        assert!(Source::new("crates/x/tests/it/main.rs", "fn a() {}\n").test[0]);
    }
}
