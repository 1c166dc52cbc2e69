//! Which tests say that they prove a row?
//!
//! A test says so in its doc comment: `row 17: ` and the row's sentence, which may go on over the next lines.

use crate::source::Source;

/// A row named by a test.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) test: String,
    pub(super) row: u32,
    /// What may be the sentence: the text up to the end of the first line, of the second, and so on to the next
    /// row, an empty line or the end. Which of them it is, the row itself decides.
    pub(super) sentences: Vec<String>,
}

impl Quote {
    /// The quoted text that equals `sentence`, apart from its ticket in brackets and its full stop.
    pub(super) fn sentence(&self, sentence: &str) -> Option<String> {
        self.sentences.iter().find(|quoted| plain(quoted) == plain(sentence)).cloned()
    }
}

fn plain(sentence: &str) -> &str {
    let sentence = sentence.trim().trim_end_matches('.');
    let ticket = sentence.strip_suffix(']').and_then(|rest| rest.rfind(" ["));
    ticket.map_or(sentence, |at| &sentence[..at]).trim_end_matches('.')
}

/// All rows that the tests of a file name.
pub(super) fn of(source: &Source) -> Vec<Quote> {
    documented(source).into_iter().flat_map(|(test, docs)| quotes_in(source, test, &docs)).collect()
}

/// The tests of a file with the lines of their doc comments, numbered from 1.
pub(crate) fn documented(source: &Source) -> Vec<(&str, Vec<(usize, &str)>)> {
    let mut tests = Vec::new();
    let mut docs: Vec<(usize, &str)> = Vec::new();
    let (mut is_test, mut in_attribute) = (false, false);
    for (at, line) in source.lines.iter().enumerate() {
        let code = source.code.get(at).map_or("", |code| code.trim());
        if code.is_empty() {
            // A plain comment or an empty line between doc comment and function changes nothing.
            docs.extend(line.trim().strip_prefix("///").map(|doc| (at + 1, doc.trim())));
        } else if in_attribute || code.starts_with("#[") {
            is_test |= is_test_attribute(code);
            in_attribute = !code.ends_with(']');
        } else {
            if let Some(name) = function(code).filter(|_| is_test) {
                tests.push((name, std::mem::take(&mut docs)));
            }
            docs.clear();
            is_test = false;
        }
    }
    tests
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(..)]`.
fn is_test_attribute(code: &str) -> bool {
    let name = code.strip_prefix("#[").and_then(|rest| rest.split([']', '(']).next());
    name.is_some_and(|name| name == "test" || name.ends_with("::test"))
}

/// The name of the function that begins on this line.
fn function(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("fn ")?;
    let only_words =
        before.split_whitespace().all(|word| ["pub", "pub(crate)", "async", "const"].contains(&word));
    let name = after.split(|one: char| !(one.is_alphanumeric() || one == '_')).next()?;
    (only_words && !name.is_empty()).then_some(name)
}

fn quotes_in(source: &Source, test: &str, docs: &[(usize, &str)]) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    let mut open = false;
    for (line, doc) in docs {
        if let Some((row, rest)) = named_row(doc) {
            let (path, test) = (source.path.clone(), test.to_owned());
            quotes.push(Quote { path, line: *line, test, row, sentences: vec![rest.to_owned()] });
            open = true;
        } else if doc.is_empty() {
            open = false;
        } else if let Some(quote) = quotes.last_mut().filter(|_| open) {
            let so_far = quote.sentences.last().map_or("", String::as_str);
            let longer = format!("{so_far} {doc}").trim().to_owned();
            quote.sentences.push(longer);
        }
    }
    quotes
}

/// The number and the text behind `row N: `, wherever on the line it stands.
fn named_row(doc: &str) -> Option<(u32, &str)> {
    ["row ", "Row "].iter().find_map(|word| {
        doc.match_indices(word).find_map(|(at, _)| {
            if doc[..at].ends_with(char::is_alphanumeric) {
                return None;
            }
            let (number, rest) = doc[at + word.len()..].split_once(':')?;
            Some((number.parse().ok()?, rest.trim()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Vec<(usize, String, u32, Vec<String>)> {
        let quotes = of(&Source::new("crates/x/src/a.rs", text));
        quotes.into_iter().map(|quote| (quote.line, quote.test, quote.row, quote.sentences)).collect()
    }

    /// One comment names several rows; a sentence goes on over lines until an empty one.
    #[test]
    fn rows_are_found_above_tests() {
        let text = "\
/// It holds.
///
/// row 1: One is
/// so.
/// - row 2: Two is so.
///
/// And more.
#[tokio::test(flavor = \"current_thread\")]
async fn it_holds() {}
";
        let expected = [
            (3, "it_holds".to_owned(), 1, vec!["One is".to_owned(), "One is so.".to_owned()]),
            (5, "it_holds".to_owned(), 2, vec!["Two is so.".to_owned()]),
        ];
        assert_eq!(check(text), expected);
    }

    /// What stands above other items, inside strings, or in other words does not count.
    #[test]
    fn only_tests_prove_rows() {
        for text in [
            "/// row 1: One.\nfn one() {}\n",
            "/// row 1: One.\nstruct One;\n#[test]\nfn one() {}\n",
            "const A: &str = \"\n/// row 1: One.\n\";\n#[test]\nfn one() {}\n",
            "/// arrow 1: One.\n#[test]\nfn one() {}\n",
            "// row 1: One.\n#[test]\nfn one() {}\n",
        ] {
            assert_eq!(check(text), [], "{text}");
        }
    }

    /// Attributes may come before or after, over several lines.
    #[test]
    fn attributes_do_not_hide_a_row() {
        let text =
            "#[test]\n/// row 1: One.\n#[expect(\n    dead_code,\n    reason = \"x\"\n)]\nfn one() {}\n";
        assert_eq!(check(text).len(), 1);
    }

    /// The ticket and the full stop are no part of what is said.
    #[test]
    fn sentences_are_compared_without_their_ticket() {
        for (quoted, row) in
            [("One is so.", "One is so [A-1]."), ("One is so", "One is so. [A-1]"), ("A [b] c", "A [b] c.")]
        {
            let quote = Quote {
                path: String::new(),
                line: 1,
                test: String::new(),
                row: 1,
                sentences: vec![quoted.into()],
            };
            assert_eq!(quote.sentence(row), Some(quoted.to_owned()));
        }
    }
}
