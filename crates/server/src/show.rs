//! How does untrusted text become something a page can show? Markdown without raw HTML, diffs by lines, logs without
//! control characters; everything else is escaped by the templates.

use orch_core::time::Moment;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

/// A moment for programs: RFC 3339 in UTC.
pub(crate) fn rfc3339(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// A moment for people: `2026-01-02 15:04 UTC`.
pub(crate) fn clock(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// Markdown as HTML. Raw HTML becomes visible text, images become links, and only http(s), mailto and anchors link.
pub(crate) fn markdown(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let body = without_frontmatter(text);
    let events = Parser::new_ext(body, options).map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: safe(dest_url), title, id })
        }
        // An image of another host would tell it who reads.
        Event::Start(Tag::Image { dest_url, title, id, .. }) => Event::Start(Tag::Link {
            link_type: pulldown_cmark::LinkType::Inline,
            dest_url: safe(dest_url),
            title,
            id,
        }),
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Link),
        event => event,
    });
    let mut html = String::with_capacity(body.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
    // The styles forbid inline attributes; alignment of columns is not worth an exception.
    html.replace(" style=\"text-align: left\"", "")
        .replace(" style=\"text-align: center\"", "")
        .replace(" style=\"text-align: right\"", "")
}

fn safe(url: CowStr<'_>) -> CowStr<'_> {
    let start = url.trim_start().to_ascii_lowercase();
    let fits =
        ["https://", "http://", "mailto:", "#", "/tasks/"].iter().any(|scheme| start.starts_with(scheme));
    if fits { url } else { CowStr::Borrowed("#") }
}

/// The frontmatter is for machines; people see what follows.
fn without_frontmatter(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    let Some(rest) = text.strip_prefix("---\n") else { return text };
    rest.split_once("\n---\n").map_or(text, |(_, body)| body)
}

/// A log as text: colours and cursor movements are dropped, other control characters become visible, what is not UTF-8
/// becomes the replacement character.
pub(crate) fn log_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                while chars.next_if(|c| !('@'..='~').contains(c)).is_some() {}
                chars.next();
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\t' => out.push(c),
            '\u{7f}' => out.push('\u{2421}'),
            // Control pictures have the same order as the control characters.
            c if (c as u32) < 0x20 => out.extend(char::from_u32(0x2400 + c as u32)),
            // Characters that turn the direction of a line can make a log read as what it is not.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// How many of these bytes are whole characters: a chunk must not end inside one.
pub(crate) fn whole_chars(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        // No length: the bytes end in the middle of a character. With a length they are just not UTF-8.
        Err(cut) if cut.error_len().is_none() => cut.valid_up_to(),
        Err(_) => {
            let tail = bytes.len().saturating_sub(3);
            let open = (tail..bytes.len()).find(|at| {
                std::str::from_utf8(&bytes[*at..])
                    .is_err_and(|e| e.error_len().is_none() && e.valid_up_to() == 0)
            });
            open.unwrap_or(bytes.len())
        }
    }
}

/// A file of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiffFile {
    pub(crate) path: String,
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) lines: Vec<DiffLine>,
}

/// A line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiffLine {
    /// `add`, `del`, `hunk`, `same` or `note`: the class it is shown in.
    pub(crate) kind: &'static str,
    pub(crate) old: Option<u32>,
    pub(crate) new: Option<u32>,
    pub(crate) text: String,
}

/// Most lines of a file that a page shows.
const MOST_LINES: usize = 2_000;

/// A unified diff as git writes it, by files. Nothing in it can fail: what is not understood is a note.
pub(crate) fn diff(text: &str) -> Vec<DiffFile> {
    let mut files: Vec<DiffFile> = Vec::new();
    let (mut old, mut new, mut inside) = (0_u32, 0_u32, false);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("diff --git ") {
            let path = rest.rsplit_once(" b/").map_or(rest, |(_, path)| path).trim_matches('"').to_owned();
            files.push(DiffFile { path, added: 0, removed: 0, lines: Vec::new() });
            inside = false;
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        if line.starts_with("@@") {
            (old, new) = hunk(line);
            inside = true;
            push(file, "hunk", None, None, line);
            continue;
        }
        if !inside {
            let known = ["index ", "--- ", "+++ ", "similarity "].iter().any(|start| line.starts_with(start));
            if !known {
                push(file, "note", None, None, line);
            }
            continue;
        }
        match line.as_bytes().first() {
            Some(b'+') => {
                file.added += 1;
                push(file, "add", None, Some(new), &line[1..]);
                new += 1;
            }
            Some(b'-') => {
                file.removed += 1;
                push(file, "del", Some(old), None, &line[1..]);
                old += 1;
            }
            Some(b'\\') => push(file, "note", None, None, line),
            Some(_) | None => {
                push(file, "same", Some(old), Some(new), line.get(1..).unwrap_or_default());
                old += 1;
                new += 1;
            }
        }
    }
    files
}

fn push(file: &mut DiffFile, kind: &'static str, old: Option<u32>, new: Option<u32>, text: &str) {
    if file.lines.len() < MOST_LINES {
        let text = text.chars().take(600).collect();
        file.lines.push(DiffLine { kind, old, new, text });
    } else if file.lines.len() == MOST_LINES {
        file.lines.push(DiffLine { kind: "note", old: None, new: None, text: "…".to_owned() });
    }
}

/// `@@ -12,5 +14,7 @@` begins at 12 and 14.
fn hunk(line: &str) -> (u32, u32) {
    let number = |sign: char| {
        let at = line.find(sign)?;
        line[at + 1..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    (number('-').unwrap_or(1), number('+').unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that nothing in Markdown becomes markup of its own, and that links and images reach no strange scheme.
    #[test]
    fn markdown_keeps_no_markup_of_strangers() {
        let html = markdown(
            "---\nverdict: x\n---\n# A\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![i](data:x) <b>y</b>",
        );
        for bad in ["<script", "javascript:", "<img", "data:", "<b>"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
        assert!(html.contains("&lt;script&gt;") && !html.contains("verdict"), "{html}");
    }

    /// Proves that a log cannot move the cursor, hide text or break a page.
    #[test]
    fn logs_are_text() {
        assert_eq!(log_text(b"\x1b[31mred\x1b[0m\r\nbell\x07 \xff"), "red\nbell\u{2407} \u{fffd}");
        assert_eq!(log_text("a\u{202e}b".as_bytes()), "a\u{fffd}b");
        let word = "слово".as_bytes();
        assert_eq!(whole_chars(&word[..5]), 4);
        assert_eq!(whole_chars(&[0xff, 0xfe, b'a', word[0]]), 3);
        assert_eq!(whole_chars(&[0xff]), 1);
    }

    /// Proves that a diff is read by lines with their numbers, and that what is no diff is left out.
    #[test]
    fn diffs_by_lines() {
        let files = diff(
            "junk\ndiff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -3,2 +3,3 @@ fn\n a\n-b\n+c\n+--- d\n",
        );
        assert_eq!(files.len(), 1);
        let file = &files[0];
        assert_eq!((file.path.as_str(), file.added, file.removed), ("x", 2, 1));
        let last = file.lines.last().unwrap();
        assert_eq!((last.kind, last.new, last.text.as_str()), ("add", Some(5), "--- d"));
    }
}
