//! What must the next developer, or the person asked, read of a file? A bounded, verbatim part of it (rows 100, 101).
//!
//! The files are free Markdown by strangers: what cannot be found gives no excerpt, never an error (row 102).

/// The most characters of an excerpt for a developer.
pub const MAX_CHARS: usize = 1500;

/// The most bytes of the questions that people are shown.
pub const MAX_QUESTIONS: usize = 4096;

/// The P0 and P1 items of `## Findings` (row 100). A section that names no priorities at all is taken whole.
pub fn of_review(text: &str) -> Option<String> {
    let text = visible(text);
    let lines: Vec<Line<'_>> = lines(&text);
    let findings = section(&lines, |title| title == "findings" || title == "замечания")?;
    let graded = findings.iter().any(|l| level(l).is_some());
    let mut groups: Vec<Vec<&str>> = vec![vec![]];
    let mut heading_counts = !graded;
    let mut item_counts = !graded;
    for line in findings {
        match (level(line), line.kind) {
            (found, Kind::Heading(_)) => {
                heading_counts = !graded || found.is_some_and(|p| p <= 1);
                item_counts = heading_counts;
                groups.push(vec![]);
            }
            (Some(p), Kind::Item) => item_counts = p <= 1,
            (None, Kind::Item) => item_counts = heading_counts,
            (_, Kind::Prose | Kind::Code) => {}
        }
        if item_counts && let Some(group) = groups.last_mut() {
            group.push(line.text);
        }
    }
    let said: Vec<String> =
        groups.into_iter().filter(|g| says_something(g)).map(|g| trimmed(&g.join("\n"))).collect();
    bounded(&said.join("\n\n"), MAX_CHARS)
}

/// The failing part of a test report: lines that name a failure, the failing output, the conclusion (row 101).
pub fn of_test_report(text: &str) -> Option<String> {
    let text = visible(text);
    let lines = lines(&text);
    let plain = |l: &&Line<'_>| l.kind != Kind::Code && !l.text.starts_with("```") && names_failure(l.text);
    let named: Vec<&str> = lines.iter().filter(plain).map(|l| l.text).collect();
    let code: Vec<&str> = lines.iter().filter(|l| l.kind == Kind::Code).map(|l| l.text).collect();
    let output = match code.iter().position(|l| names_failure(l)) {
        Some(first) => code[first..].join("\n"),
        None => String::new(),
    };
    let conclusion = section(&lines, |title| {
        ["conclusion", "вывод", "выводы", "заключение"].iter().any(|word| title.starts_with(word))
    });
    let conclusion = conclusion.unwrap_or_default().iter().map(|l| l.text).collect::<Vec<_>>().join("\n");
    // The shares keep each of the three visible whatever the others' length.
    let parts = [bounded(&named.join("\n"), 500), bounded(&output, 700), bounded(&conclusion, 290)];
    let mut said: Vec<String> = Vec::new();
    for part in parts.into_iter().flatten() {
        if !said.iter().any(|before| before.contains(&part)) {
            said.push(part);
        }
    }
    bounded(&said.join("\n\n"), MAX_CHARS)
}

/// The questions, whole up to a limit.
pub fn of_questions(text: &str) -> Option<String> {
    let text = visible(text);
    let text = trimmed(&text);
    if text.len() <= MAX_QUESTIONS {
        return (!text.is_empty()).then_some(text);
    }
    let end = text.floor_char_boundary(MAX_QUESTIONS - CUT.len());
    Some(format!("{}{CUT}", &text[..end]))
}

const CUT: &str = "\n…";

/// A line and what it is in Markdown, as far as it matters.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With its depth.
    Heading(usize),
    /// A list item or a row of a table.
    Item,
    Prose,
    /// Inside a fence: `#` is no heading there.
    Code,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut fenced = false;
    let kind = |text: &str, fenced: &mut bool| {
        let start = text.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            *fenced = !*fenced;
            return Kind::Prose;
        }
        if *fenced {
            return Kind::Code;
        }
        let depth = start.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&depth) && start[depth..].starts_with(' ') {
            return Kind::Heading(depth);
        }
        let numbered = || {
            let rest = start.trim_start_matches(|c: char| c.is_ascii_digit());
            rest.len() < start.len() && (rest.starts_with(". ") || rest.starts_with(") "))
        };
        let marked = ["- ", "* ", "+ ", "|"].iter().any(|m| start.starts_with(m));
        // A nested item belongs to the one above it.
        let outer = text.len() - start.len() < 2;
        if outer && (marked || numbered()) { Kind::Item } else { Kind::Prose }
    };
    text.lines().map(|text| Line { text, kind: kind(text, &mut fenced) }).collect()
}

/// The lines below the first heading with such a title, up to the next heading of its depth or above.
fn section<'l, 't>(lines: &'l [Line<'t>], wanted: impl Fn(&str) -> bool) -> Option<&'l [Line<'t>]> {
    let title = |l: &Line<'_>| l.text.trim().trim_matches(['#', ' ', ':', '*', '.']).to_lowercase();
    let from = lines.iter().position(|l| matches!(l.kind, Kind::Heading(_)) && wanted(&title(l)))?;
    let Kind::Heading(depth) = lines[from].kind else { return None };
    let rest = &lines[from + 1..];
    let to = rest.iter().position(|l| matches!(l.kind, Kind::Heading(d) if d <= depth));
    Some(&rest[..to.unwrap_or(rest.len())])
}

/// The priority that a line is about: anywhere in a heading, at the beginning of an item.
fn level(line: &Line<'_>) -> Option<u8> {
    let at_start = |text: &str| {
        let mut chars = text.strip_prefix('P')?.chars();
        let digit = chars.next().filter(|c| ('0'..='3').contains(c))?;
        let ends = chars.next().is_none_or(|c| !c.is_alphanumeric());
        ends.then_some(digit as u8 - b'0')
    };
    match line.kind {
        Kind::Heading(_) => line.text.split(|c: char| !c.is_alphanumeric()).find_map(at_start),
        // After the dash or the number.
        Kind::Item => at_start(line.text.trim_start_matches(|c: char| !c.is_alphabetic())),
        Kind::Prose | Kind::Code => None,
    }
}

/// Whether a group has more than its heading and a word for nothing.
fn says_something(group: &[&str]) -> bool {
    let body = group.iter().filter(|l| !l.trim_start().starts_with('#'));
    let words = body.flat_map(|l| l.split(|c: char| !c.is_alphanumeric())).filter(|w| !w.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let nothing =
        ["", "none", "nothing", "no", "n a", "no findings", "none found", "нет", "не найдено", "отсутствуют"];
    !nothing.contains(&words.join(" ").as_str())
}

fn names_failure(line: &str) -> bool {
    let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let named = words.into_iter().any(|w| {
        ["FAIL", "FAILED", "FAILURES", "FAILURE", "ERROR", "BLOCKED", "panicked", "AssertionError"]
            .contains(&w)
    });
    named || line.contains('❌') || line.contains('✗')
}

/// Without characters that a terminal or a page would act on.
fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Without blank lines at either end; the first line keeps its indentation.
fn trimmed(text: &str) -> String {
    let text = text.trim_end();
    let mut rest = text;
    while let Some((first, after)) = rest.split_once('\n')
        && first.trim().is_empty()
    {
        rest = after;
    }
    if rest.trim().is_empty() { String::new() } else { rest.to_owned() }
}

/// At most so many characters; `None` if nothing is left.
fn bounded(text: &str, most: usize) -> Option<String> {
    let text = trimmed(text);
    if text.is_empty() {
        return None;
    }
    if text.chars().nth(most).is_none() {
        return Some(text);
    }
    let keep = most - CUT.chars().count();
    Some(text.chars().take(keep).chain(CUT.chars()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVIEW: &str = "# Review\n\n## Summary\nP0 stands here in prose.\n\n## Findings\n\n### P0 Blocker\n\
        - **F1** `src/a.rs:10` crashes on empty input\n  with a second line\n\n```rust\n# no heading\n```\n\n\
        ### P1 Must fix\n1. No test for `--json`\n\n### P2 Should fix\n- rename x\n\n### P3 Nice-to-have\nNone\n\n\
        ## Documentation\nP0 outside.\n";

    /// row 100: Rework text carries reviewer P0/P1 verbatim plus link [046].
    #[test]
    fn review_gives_its_blockers() {
        let got = of_review(REVIEW).unwrap();
        assert_eq!(
            got,
            "### P0 Blocker\n- **F1** `src/a.rs:10` crashes on empty input\n  with a second line\n\n```rust\n# no heading\n\
             ```\n\n### P1 Must fix\n1. No test for `--json`"
        );
        let flat = "## Findings\n- P1: first\n  more\n- P2: second\n  not this\n- [P0] third\n| P1 | row |\n| P3 | no |\n";
        assert_eq!(of_review(flat).unwrap(), "- P1: first\n  more\n- [P0] third\n| P1 | row |");
        let numbered = "## Findings\n1. P1: first\n   - more\n2. P2: second\n3) P0: third\n12 P2 are left\n";
        assert_eq!(of_review(numbered).unwrap(), "1. P1: first\n   - more\n3) P0: third\n12 P2 are left");
        assert_eq!(of_review("## Findings\n\n- all is wrong\n").unwrap(), "- all is wrong");
        for none in [
            "",
            "## Findings\n",
            "## Findings\n### P0\nNone.\n### P1\n- —\n### P2\n- x\n",
            "# Other\n- P0: x",
        ] {
            assert_eq!(of_review(none), None, "{none}");
        }
    }

    /// row 101: Rework text carries test failure fragment plus link.
    #[test]
    fn test_report_gives_the_failure() {
        let report = "# Report\n## Environment\nLinux\n## Cases\n| TC-01 | PASS |\n| TC-02 | FAIL | no `--json` |\n\n\
            ## Output\n```\ntests/a.py .\ntests/b.py F\nFAILED tests/b.py::test_json - KeyError\n1 failed, 1 passed\n```\n\
            ## Conclusion\nNot ready: TC-02.\n";
        assert_eq!(
            of_test_report(report).unwrap(),
            "| TC-02 | FAIL | no `--json` |\n\nFAILED tests/b.py::test_json - KeyError\n1 failed, 1 passed\n\nNot ready: TC-02."
        );
        assert_eq!(of_test_report("# Report\nall good\n"), None);
    }

    /// Proves that excerpts are bounded at a whole character, whatever the text is made of, and hold no control characters.
    #[test]
    fn excerpts_are_bounded() {
        let long = format!("## Findings\n- P0: {}\n", "ж🙂".repeat(5000));
        let got = of_review(&long).unwrap();
        assert_eq!(got.chars().count(), MAX_CHARS);
        assert!(got.ends_with(CUT));
        let fails = "FAIL ж\n".repeat(3000);
        let got = of_test_report(&format!("{fails}```\n{fails}```\n## Conclusion\n{fails}")).unwrap();
        assert!(got.chars().count() <= MAX_CHARS);
        let asked = of_questions(&"вопрос?\n".repeat(2000)).unwrap();
        assert!(asked.len() <= MAX_QUESTIONS && asked.ends_with(CUT));
        assert_eq!(of_questions("\n 1. a\u{1b}[2J\0?\r\n").unwrap(), " 1. a[2J?");
        assert_eq!(of_questions(" \n\n"), None);
    }

    /// Proves that questions are cut at their limit and not before, and that what only looks like a heading or an item is none.
    #[test]
    fn little_things_are_told_apart() {
        let long = "q".repeat(MAX_QUESTIONS + 1);
        assert_eq!(of_questions(&long).unwrap().len(), MAX_QUESTIONS);
        assert_eq!(of_questions(&long[1..]).unwrap(), long[1..]);
        let kinds = |text: &str| lines(text).iter().map(|line| line.kind).collect::<Vec<_>>();
        assert!(kinds("# a\n###### b") == [Kind::Heading(1), Kind::Heading(6)]);
        assert!(kinds("#tag\n####### c\nplain") == [Kind::Prose; 3]);
        // Two spaces in, an item belongs to the one above; one space is a slip of the hand.
        assert!(kinds(" - a\n  - b\n. c\n) d") == [Kind::Item, Kind::Prose, Kind::Prose, Kind::Prose]);
        let item = |text: &str| level(&lines(text)[0]);
        assert_eq!(
            [" - **P1** x", "- (P0) y", "3. P2: z", "- 1. P3", "- x P0"].map(item),
            [Some(1), Some(0), Some(2), Some(3), None]
        );
    }
}
